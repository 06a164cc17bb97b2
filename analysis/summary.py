"""One table of every run's metrics for a sweep, so that thousands of runs are compared at once.

`<sweep>/summary/metrics.parquet` holds one row per finished run, split and metric: hash, by (a dimension, "" for the
whole), key (its value), metric, value (null where it has none). It is brought up to date when it lacks a finished run
or was made by other formulas; runs that are in it are not read again.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis import metrics as formulas
from analysis import store as reader
from analysis.metrics import DIMENSIONS, METRICS, metrics_of
from analysis.store import Store
from sim.errors import RunFolderError
from sim.runfolder import DONE
from sim.sweep.driver import RUNS, replace_file

FILE: Final = Path("summary") / "metrics.parquet"
BATCH: Final = 200  # runs read at a time, so that memory does not grow with their number
SCHEMA: Final = pa.schema(
    [
        pa.field("hash", pa.string(), nullable=False),
        pa.field("by", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64()),
    ]
)
_FORMULAS_KEY: Final = b"formulas"


@functools.cache
def formulas_hash() -> str:
    """What made the values: the source of the metrics and of the reader."""
    digest = hashlib.sha256()
    for module in (formulas, reader):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


def finished(folder: Path) -> set[str]:
    """Hashes of a sweep's finished runs."""
    return {mark.parent.name for mark in (folder / RUNS).glob(f"*/{DONE}") if not mark.parent.name.startswith(".")}


def _read(folder: Path) -> pa.Table | None:
    """The table as it is, None when there is none, it is damaged or other formulas made it."""
    try:
        table = pq.read_table(folder / FILE)
    except (OSError, pa.ArrowException):
        return None
    made_by = (table.schema.metadata or {}).get(_FORMULAS_KEY, b"").decode()
    return table.cast(SCHEMA) if made_by == formulas_hash() and table.column_names == SCHEMA.names else None


def bring_up_to_date(folder: Path) -> pa.Table:
    """The table of all finished runs of a sweep, sorted by hash; written when it was not there or lacked a run.

    A folder that cannot be written is read all the same.

    Raises:
        RunFolderError: no finished run, or a damaged one.
    """
    wanted = finished(folder)
    if not wanted:
        raise RunFolderError(f"{folder}: no finished run here yet; `livecommerce status {folder}` tells how far it is")
    table = _read(folder)
    there = set() if table is None else set(pc.unique(table["hash"]).to_pylist())
    if table is not None and there == wanted:
        return table
    parts = [] if table is None else [table.filter(pc.is_in(table["hash"], pa.array(sorted(wanted & there))))]
    missing = sorted(wanted - there)
    parts += [_values(folder, missing[start : start + BATCH]) for start in range(0, len(missing), BATCH)]
    table = pa.concat_tables(parts).sort_by([("hash", "ascending"), ("by", "ascending")])
    marked = table.replace_schema_metadata({_FORMULAS_KEY: formulas_hash().encode()})
    try:
        (folder / FILE).parent.mkdir(exist_ok=True)
        replace_file(folder / FILE, lambda path: pq.write_table(marked, path, compression="zstd"))
    except (OSError, RunFolderError):
        pass
    return table


def _values(folder: Path, hashes: Iterable[str]) -> pa.Table:
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    names = list(hashes)
    with Store([folder / RUNS / name for name in names]) as store:
        order = [run.folder.name for run in store.runs]
        for by in ("", *DIMENSIONS):
            for name, lines in zip(order, metrics_of(store, (by,) if by else ()), strict=True):
                for line in lines:
                    for metric in METRICS:
                        if metric in line:
                            value = line[metric]
                            columns["hash"].append(name)
                            columns["by"].append(by)
                            columns["key"].append(str(line[by]) if by else "")
                            columns["metric"].append(metric)
                            columns["value"].append(None if value is None else float(value))
    return pa.table(columns, schema=SCHEMA)


class MetricTable:
    """The table of a sweep's metrics with an index, so that a few of thousands of runs are found at once.

    Args:
        table: as `bring_up_to_date` gives it; rows of one run and split stand together.

    Attributes:
        runs: hashes of the runs it holds.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table.select(["key", "metric", "value"]).combine_chunks()
        codes = []
        for name in ("hash", "by"):
            encoded = table[name].combine_chunks().dictionary_encode()
            codes.append((encoded.indices.to_numpy(), encoded.dictionary.to_pylist()))
        (runs, run_names), (splits, split_names) = codes
        fresh = np.flatnonzero((np.diff(runs, prepend=-1) != 0) | (np.diff(splits, prepend=-1) != 0))
        ends = np.append(fresh[1:], runs.size)
        self.runs = frozenset(run_names)
        self._places = {
            (run_names[runs[start]], split_names[splits[start]]): (int(start), int(end - start))
            for start, end in zip(fresh, ends, strict=True)
        }

    def lines(self, hashes: Iterable[str], by: str = "") -> list[list[dict[str, Any]]]:
        """For each run, lines as `metrics_of` gives them, one per value of the dimension."""
        answer = []
        for name in hashes:
            found: dict[str, dict[str, Any]] = {}
            start, length = self._places.get((name, by), (0, 0))
            part = self._table.slice(start, length)
            for key, metric, value in zip(*(column.to_pylist() for column in part.columns), strict=True):
                found.setdefault(key, {by: key} if by else {})[metric] = value
            answer.append(list(found.values()))
        return answer
