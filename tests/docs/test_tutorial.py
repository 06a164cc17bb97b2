"""The code of docs/tutorial.md runs as it stands and prints what the page shows.

To the digit with the code that the page was written with; with any other the same lines with other numbers. After a
change of results, `python -m tests.docs.test_tutorial` writes the page's output anew; so does the renewal of all pins,
`python -m tests.baseline.pinned --renew`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from pathlib import Path

from sim.provenance import code_hash

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
OUTPUT = re.compile(r"(?<=```text\n).*?(?=```)", re.DOTALL)
CODE = re.compile(r"(?<=<!-- code )\w+(?= -->)")


def block(page: str) -> str:
    """The page's only block of Python."""
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return str(code)


def printed(folder: Path) -> str:
    """What the page's code prints when it is run in `folder`."""
    there, out = Path.cwd(), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(block(PAGE.read_text(encoding="utf-8")), str(PAGE), "exec"), {"__name__": "tutorial"})
    finally:
        os.chdir(there)
    return out.getvalue()


def shape(text: str) -> list[str]:
    """Lines without what another version of the model may change: numbers in front of a unit, and the answer."""
    return [re.sub(r"[+-]\d+", "#", line).rpartition(":")[0].replace(" ", "") for line in text.splitlines()]


def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len([line for line in block(page).splitlines() if line.strip()]) <= 20
    shown = OUTPUT.findall(page)[0]
    found = printed(tmp_path)
    assert len(found.splitlines()) == 3
    assert shape(found) == shape(shown)
    for line in found.splitlines():
        mean, low, high = (int(number) for number in re.findall(r"[+-]\d+", line))
        assert low <= mean <= high
        answer = line.rpartition(": ")[2]
        assert answer in ("gain", "lose", "cannot be told")
        assert answer == "cannot be told" or low * high >= 0
    if CODE.findall(page) == [code_hash()[:16]]:
        assert found == shown


def renew_page() -> str:
    """Write what the page's code prints now into the page; the output."""
    with tempfile.TemporaryDirectory() as place:
        output = printed(Path(place))
    text = OUTPUT.sub(lambda _: output, PAGE.read_text(encoding="utf-8"), count=1)
    PAGE.write_text(CODE.sub(code_hash()[:16], text), encoding="utf-8")
    return output


if __name__ == "__main__":
    print(renew_page(), end="")
