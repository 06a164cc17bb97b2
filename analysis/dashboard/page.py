"""A rendered page: what the library remembers and the application hands out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from analysis.figures import Panel

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Page:
    """A rendered page: what is shown, the rows and figures to download, and the command that prints the same.

    `rows` may be a function that makes them, for rows that nothing on the page needs. `tick` says what is asked for
    again every second: `page`, `jobs` or nothing.
    """

    title: str
    children: list[Any]
    rows: Rows | Callable[[], Rows] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    command: str = ""
    tick: str = ""

    def data(self) -> Rows:
        """The rows to download."""
        return self.rows() if callable(self.rows) else self.rows

    def draw(self) -> None:
        """Make the figures' JSON now, so that whoever asks for it first does not wait."""
        _ = self.drawings

    @cached_property
    def drawings(self) -> dict[str, str]:
        """The figures as JSON by name, for the browser to draw."""
        return {panel.name: str(panel.figure.to_json()) for panel in self.panels}
