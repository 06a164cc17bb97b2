"""Finished runs for notebooks: `analysis.open` and `analysis.compare`, the same as the commands."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.comparison import PRECISION, Study, parts_of
from analysis.comparison import compare as differences
from analysis.metrics import metrics_of
from analysis.store import Store
from sim.errors import UserError, unknown_name
from sim.record.schema import TABLES
from sim.runfolder import folder_of

Folder = str | os.PathLike[str]


class Results:
    """Finished runs of one or several folders.

    Attributes:
        store: the DuckDB views over them; `runs`: their folders and facts.
    """

    def __init__(self, *folders: Folder) -> None:
        self.store = Store(_paths(folders))
        self.runs = self.store.runs

    def metrics(
        self, by: str | Iterable[str] = (), start: int | str | None = None, end: int | str | None = None
    ) -> list[dict[str, Any]]:
        """A line a run and key: folder, scenario, seed, the keys, every metric; `pandas.DataFrame` takes it."""
        split = _words("by", by)
        return [
            {"folder": str(run.folder), "scenario": run.facts["scenario"], "seed": run.facts["seed"], **line}
            for run, lines in zip(self.runs, metrics_of(self.store, split, start, end), strict=True)
            for line in lines
        ]

    def table(self, name: str) -> pa.Table:
        """One recorded table of all runs, with the column `run`, a position in `runs`."""
        if name not in TABLES:
            raise UserError(str(unknown_name("table", "", "table", str(name), TABLES)))
        found = self.store.query(f"SELECT * FROM {name}", [name])
        return pa.Table.from_pylist(found)


def _words(option: str, names: Any) -> list[str]:
    """Names from a list of them, or from one text with commas. `UserError` for what is neither."""
    if isinstance(names, str):
        return [word.strip() for word in names.split(",") if word.strip()]
    words = list(names) if isinstance(names, Iterable) else [names]
    if words and not all(isinstance(word, str) for word in words):
        raise UserError(f"{option}: {names!r} is no list of names; allowed: names in a list, or in a text with commas")
    return words


def _paths(folders: Sequence[Any]) -> list[Path]:
    if not folders:
        raise UserError("folder: none is named; allowed: folders of runs or sweeps, one at least")
    return [folder_of("folder", folder) for folder in folders]


def open(*folders: Folder) -> Results:
    """Finished runs of run folders, sweeps, or folders that hold runs. `RunFolderError` when there are none."""
    return Results(*folders)


def compare(
    *folders: Folder,
    base: str | None = None,
    by: str | Iterable[str] = (),
    metrics: str | Sequence[str] | None = None,
    precision: float = PRECISION,
) -> list[dict[str, Any]]:
    """Paired differences, as `livecommerce compare --json` prints them: see `analysis.comparison.compare`."""
    entries = []
    if not (base is None or isinstance(base, str)):
        raise UserError(f"base: {base!r} is no name; allowed: a scenario's name as a text")
    split, names = _words("by", by), None if metrics is None else _words("metrics", metrics)
    for part in parts_of([str(path) for path in _paths(folders)], base):
        with Study(part.folders, part.base, part.labels) as study:
            entries += differences(study, split, names=names, precision=precision)
    return entries
