"""One table of every run's metrics for a sweep, so that thousands of runs are compared at once.

`<sweep>/summary/metrics.parquet` holds one row per finished run, split and metric: hash, by (a dimension, "" for the
whole), key (its value), metric, value (null where it has none), sorted by split. `<sweep>/summary/runs.parquet` holds
what the table `run` of each of these runs says. Both are brought up to date when they lack a finished run or were made
by other formulas; runs that are in them are not read again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from analysis import metrics as formulas
from analysis import store as reader
from analysis.metrics import DIMENSIONS, METRICS, metrics_of, order
from analysis.store import Store
from sim.errors import RunFolderError
from sim.record.schema import TABLES
from sim.runfolder import DONE
from sim.sweep.driver import RUNS, replace_file

METRICS_FILE: Final = Path("summary") / "metrics.parquet"
RUNS_FILE: Final = Path("summary") / "runs.parquet"
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


@dataclass(frozen=True, slots=True)
class Summary:
    """The two tables of a sweep's summary, as far as they are there.

    `facts`: hash -> what the table `run` of that run says. `metrics`: rows of `SCHEMA`, or the file that holds them,
    which is read a split at a time.
    """

    facts: dict[str, dict[str, Any]]
    metrics: Path | pa.Table

    def values(self, hashes: Sequence[str], by: str = "") -> tuple[list[str], NDArray[np.float64]]:
        """Metrics of runs: the keys of the split in the order of its vocabulary, and float64[runs, keys, metrics] with
        nan where there is no value. Without a split there is one key, "".
        """
        table = _split(self.metrics, by)
        there = table["key"].unique().to_pylist()
        keys = [key for (key,) in order_of_keys(((key,) for key in there), (by,))] if by else [""]
        table = table.filter(pc.is_valid(table["value"]))
        codes = {}
        for name, known in (("hash", hashes), ("key", keys), ("metric", list(METRICS))):
            column = table[name].combine_chunks()
            place = {value: number for number, value in enumerate(known)}
            lookup = np.array([place.get(value, -1) for value in column.dictionary.to_pylist()], dtype=np.int64)
            codes[name] = lookup[np.from_dlpack(column.indices)]
        found = np.full((len(hashes), len(keys), len(METRICS)), np.nan)
        wanted = (codes["hash"] >= 0) & (codes["metric"] >= 0)
        values = np.from_dlpack(table["value"].combine_chunks())
        found[codes["hash"][wanted], codes["key"][wanted], codes["metric"][wanted]] = values[wanted]
        return keys, found


def _split(metrics: Path | pa.Table, by: str) -> pa.Table:
    """The rows of one split: its own row group. `read_table` and `to_numpy` would do, but load pandas."""
    columns = ["hash", "key", "metric"]
    if isinstance(metrics, Path):
        file = pq.ParquetFile(metrics, read_dictionary=columns)
        return file.read_row_groups([("", *DIMENSIONS).index(by)], columns=[*columns, "value"])
    part = metrics.filter(pc.equal(metrics["by"], by))
    encoded = [part[name].dictionary_encode() for name in columns]
    return pa.table([*encoded, part["value"]], [*columns, "value"])


def order_of_keys(keys: Iterable[tuple[str, ...]], by: Sequence[str]) -> list[tuple[str, ...]]:
    """Keys of a split as its vocabularies order them."""
    return sorted(keys, key=lambda key: (order(key, by), key))


def read(folder: Path) -> Summary | None:
    """The summary as it is, None when there is none, it is damaged or other formulas made it."""
    try:
        table = pq.ParquetFile(folder / RUNS_FILE).read()
        schema = pq.read_schema(folder / METRICS_FILE)
    except (OSError, pa.ArrowException):
        return None
    made = {(found.metadata or {}).get(_FORMULAS_KEY, b"").decode() for found in (table.schema, schema)}
    if made != {formulas_hash()} or schema.names != SCHEMA.names:
        return None
    return Summary({row.pop("hash"): row for row in table.to_pylist()}, folder / METRICS_FILE)


def bring_up_to_date(folder: Path) -> Summary:
    """The summary of all finished runs of a sweep; written when it was not there or lacked a run.

    Where it cannot be written it is computed all the same.

    Raises:
        RunFolderError: no finished run, or a damaged one.
    """
    wanted = finished(folder)
    if not wanted:
        raise RunFolderError(f"{folder}: no finished run here yet; `livecommerce status {folder}` tells how far it is")
    there = read(folder)
    known = {} if there is None else there.facts
    if there is not None and known.keys() == wanted:
        return there
    facts = {name: row for name, row in known.items() if name in wanted}
    parts = []
    if facts:
        table = pq.ParquetFile(folder / METRICS_FILE).read()
        parts.append(table.filter(pc.is_in(table["hash"], pa.array(sorted(facts)))))
    missing = sorted(wanted - facts.keys())
    for start in range(0, len(missing), BATCH):
        with Store([folder / RUNS / name for name in missing[start : start + BATCH]]) as store:
            facts |= {run.folder.name: _plain(run.facts) for run in store.runs}
            parts.append(_values(store))
    metrics = pa.concat_tables(parts)
    with contextlib.suppress(RunFolderError):
        write(folder, facts, metrics)
    return Summary(facts, metrics)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """A row of table `run` without what DuckDB adds to it."""
    return {name: facts[name] for name in TABLES["run"].column_names()}


def write(folder: Path, facts: dict[str, dict[str, Any]], metrics: pa.Table) -> None:
    """Write the tables of a summary: rows of `run` by hash, and metrics of `SCHEMA`.

    The list of runs goes last, so that a kill in between leaves a summary that lacks runs, never one of too few values.
    `RunFolderError` when they cannot be written.
    """
    mark = {_FORMULAS_KEY: formulas_hash().encode()}
    ordered = metrics.cast(SCHEMA).sort_by([("by", "ascending"), ("hash", "ascending")])
    ordered = ordered.replace_schema_metadata(mark)
    rows = pa.Table.from_pylist([{"hash": name, **facts[name]} for name in sorted(facts)])
    try:
        (folder / METRICS_FILE).parent.mkdir(exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"{folder / METRICS_FILE}: could not be written ({error.strerror})") from None

    def write_by_split(path: Path) -> None:
        """One row group a split, in this order: what asks for one reads nothing else."""
        with pq.ParquetWriter(path, ordered.schema, compression="zstd") as writer:
            for by in ("", *DIMENSIONS):
                part = ordered.filter(pc.equal(ordered["by"], by))
                writer.write_table(part, row_group_size=max(1, part.num_rows))

    replace_file(folder / METRICS_FILE, write_by_split)
    marked = rows.replace_schema_metadata(mark)
    replace_file(folder / RUNS_FILE, lambda path: pq.write_table(marked, path, compression="zstd"))


def _values(store: Store) -> pa.Table:
    """Rows of `SCHEMA` of the runs of a store."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for by in ("", *DIMENSIONS):
        for run, lines in zip(store.runs, metrics_of(store, (by,) if by else ()), strict=True):
            for line in lines:
                for metric in METRICS:
                    value = line[metric]
                    columns["hash"].append(run.folder.name)
                    columns["by"].append(by)
                    columns["key"].append(str(line[by]) if by else "")
                    columns["metric"].append(metric)
                    columns["value"].append(None if value is None else float(value))
    return pa.table(columns, schema=SCHEMA)
