"""Pages of docs/ that a script makes."""

from __future__ import annotations

from pathlib import Path


def hand_over(text: str, page: Path, write: bool) -> None:
    """Writes a page that was made, or only prints it."""
    if write:
        page.write_text(text, encoding="utf-8")
    else:
        print(text)
