"""What stands in the address: the page and every choice made on it. Whatever is not understood falls back to a default.

Nothing here names a file: a study is one of the names the library lists, everything else is checked where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode

from analysis.look import LANGUAGES, Look

PAGES: Final = ("overview", "compare", "gains", "logistics", "network", "explore", "run", "model")
LONGEST: Final = 4_000  # characters of one value; an address is no place for more
LONGEST_NAME: Final = 60
MOST_KEYS: Final = 60


@dataclass(frozen=True, slots=True)
class State:
    """A page and its choices, as texts by name."""

    page: str = PAGES[0]
    choices: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """A choice, or the default where it is missing or empty."""
        return self.choices.get(name) or default

    def one_of(self, name: str, allowed: tuple[str, ...] | list[str], default: str | None = None) -> str:
        """A choice out of those allowed, else the default (the first)."""
        chosen = self.choices.get(name, "")
        if name in self.choices and chosen in allowed:
            return chosen
        return default if default is not None else (allowed[0] if allowed else "")

    @property
    def look(self) -> Look:
        """Language and ground."""
        return Look(self.one_of("lang", LANGUAGES), self.get("theme") == "dark")

    def elsewhere(self, page: str) -> State:
        """Another page with nothing chosen but language and ground."""
        return State(page, {name: self.choices[name] for name in ("lang", "theme") if name in self.choices})

    def search(self, **changes: str | None) -> str:
        """The query of an address with these choices changed; None or an empty text removes one."""
        merged: dict[str, str | None] = {**self.choices, **changes}
        kept = {name: value for name, value in sorted(merged.items()) if value}
        return f"?{urlencode(kept)}" if kept else ""

    def link(self, page: str | None = None, **changes: str | None) -> str:
        """An address of a page with these choices changed."""
        target = self.page if page is None else page
        return f"/{'' if target == PAGES[0] else target}{self.search(**changes)}"


def read(path: str | None, search: str | None) -> State:
    """The state an address says; an unknown page is the empty text."""
    page = (path or "/").strip("/") or PAGES[0]
    try:
        pairs = parse_qsl((search or "").lstrip("?"), max_num_fields=MOST_KEYS)
    except ValueError:
        pairs = []
    found = {
        name: value for name, value in pairs
        if value and len(name) <= LONGEST_NAME and len(value) <= LONGEST and value.isprintable()
    }  # fmt: skip
    return State(page if page in PAGES else "", found)
