"""The generated page is the one in docs/."""

from __future__ import annotations

from sim.interventions import document, known_kinds


def test_the_page_is_current() -> None:
    assert document.PAGE.read_text(encoding="utf-8") == document.page(), "run python -m sim.interventions.document"


def test_every_row_has_a_line_and_a_section() -> None:
    text = document.page()
    for name in known_kinds():
        assert f"[`{name}`](#{name})" in text
        assert f"\n## {name}\n" in text
    assert "| , or offered" not in text
