"""How far a run is, on standard error: one rich bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

LINE_SECONDS = 5.0  # plain lines at least this far apart, so that a log stays short


class Reporter(Protocol):
    """Called with what is done, what there is in all, and a word about it."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show it."""


@contextmanager
def reporting(title: str, unit: str = "days", stream: TextIO | None = None) -> Iterator[Reporter]:
    """A reporter for the time of the block."""
    stream = sys.stderr if stream is None else stream
    if stream.isatty():
        yield from _bar(title, unit, stream)
    else:
        yield _Lines(title, unit, stream)


def _bar(title: str, unit: str, stream: TextIO) -> Iterator[Reporter]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(file=stream), transient=False) as progress:
        task = progress.add_task(title, total=None, note="")

        def report(done: int, total: int, note: str = "") -> None:
            progress.update(task, completed=done, total=total, note=note)

        yield report


class _Lines:
    def __init__(self, title: str, unit: str, stream: TextIO) -> None:
        self._title, self._unit, self._stream = title, unit, stream
        self._start = time.monotonic()
        self._last = self._start
        self._shown = -1

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Write a line when enough time has passed, and at the end."""
        now = time.monotonic()
        if done == self._shown or (done < total and now - self._last < LINE_SECONDS):
            return
        self._last, self._shown = now, done
        share = 100 * done // max(total, 1)
        text = f"{self._title}: {done}/{total} {self._unit} ({share} %), {now - self._start:.0f} s" + (
            f", {note}" if note else ""
        )
        print(text, file=self._stream, flush=True)
