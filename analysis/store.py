"""DuckDB views over one or many finished run folders.

Every declared table can be queried, with one more column `run` (position in `Store.runs`). A query reads only the
columns it names, from the files themselves, so that a thousand runs are one scan. Only integers are summed, so that a
query gives the same bits each time it is asked, on any number of threads.
"""

from __future__ import annotations

import functools
import glob
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import numpy as np
from numpy.typing import NDArray

from sim.errors import RunFolderError
from sim.record.schema import LEVELS, SCHEMA_VERSION, TABLES

DONE = "_DONE"
RUN_JSON = "run.json"
AGAIN = "remove the folder and run it again"
KEPT_ANSWERS = 48  # small answers that a store remembers: finished runs do not change
MOST_KEPT_ROWS = 20_000
MOST_KEPT_COLUMN = 500_000  # entries of a column that is kept as numbers


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run: where it is and what its table `run` says."""

    folder: Path
    facts: dict[str, Any]

    @property
    def weight(self) -> float:
        """W: online adults a sampled consumer stands for."""
        return float(self.facts["weight"])

    @property
    def days(self) -> int:
        """Reported days."""
        return int(self.facts["days"])


def find_runs(folders: Iterable[Path | str]) -> list[Path]:
    """Finished run folders among the given ones and below them, sorted by path; unfinished ones are passed over.

    Raises:
        RunFolderError: a folder does not exist, or none holds a finished run.
    """
    given = list(folders)
    found: dict[Path, Path] = {}
    for text in given:
        if not str(text).strip():
            raise RunFolderError("'': the name of a run's folder is empty; name a folder")
        folder = Path(text)
        if not os.path.isdir(folder):
            there = "is a file, not a run's folder" if os.path.lexists(folder) else "no such folder"
            raise RunFolderError(f"{folder}: {there}; `livecommerce run ... --out DIR` makes one")
        own = folder / DONE
        for mark in [own] if own.is_file() else [*folder.glob(f"*/{DONE}"), *folder.glob(f"runs/*/{DONE}")]:
            found.setdefault(mark.parent.resolve(), mark.parent)  # named in two ways it is still one run
    if not found:
        raise RunFolderError(f"{', '.join(map(str, given))}: no finished run here ({DONE} marks one)")
    return sorted(found.values())


class Store:
    """Finished runs, ready to be queried.

    Args:
        folders: run folders, or folders that hold run folders.

    Attributes:
        runs: the runs, sorted by path; column `run` of every table is a position in this list. Table `run_facts` holds
            run and run_days.

    Raises:
        RunFolderError: nothing finished there, a damaged file, or tables of another version.
    """

    def __init__(self, folders: Sequence[Path | str]) -> None:
        paths = find_runs(folders)
        self._connection = duckdb.connect(":memory:")
        self.runs = [Run(path, row) for path, row in zip(paths, self._facts(paths), strict=True)]
        for run in self.runs:
            _check_run_json(run)
        self._connection.execute("CREATE TEMP TABLE numbered (run INTEGER, folder VARCHAR)")
        places = ", ".join(f"({number}, {_quoted(run.folder.resolve())})" for number, run in enumerate(self.runs))
        self._connection.execute(f"INSERT INTO numbered VALUES {places}")
        self._connection.execute("CREATE TEMP TABLE run_facts (run INTEGER, run_days INTEGER)")
        rows = ", ".join(f"({number}, {run.days})" for number, run in enumerate(self.runs))
        self._connection.execute(f"INSERT INTO run_facts VALUES {rows}")
        self._made: set[str] = set()
        self._answers: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _facts(self, paths: list[Path]) -> list[dict[str, Any]]:
        """The row of table `run` of every folder."""
        files = [path.resolve() / "run.parquet" for path in paths]
        for file in files:
            if not file.is_file():
                raise RunFolderError(f"{file}: is missing, so the run is damaged; {AGAIN}")
        try:
            found = _rows(self._connection.execute(f"SELECT * FROM {_reading(files)}"))
        except duckdb.Error:
            found = []
            for file in files:
                try:
                    found += _rows(self._connection.execute(f"SELECT * FROM {_reading([file])}"))
                except duckdb.Error:
                    raise RunFolderError(f"{file}: is damaged; {AGAIN}") from None
        by_file = {row["filename"]: row for row in found}
        for file in files:
            row = by_file.get(str(file), {})
            version = row.get("schema_version")
            if version is not None and version != SCHEMA_VERSION:
                raise RunFolderError(
                    f"{file}: has table version {version}, this program reads {SCHEMA_VERSION}; {AGAIN}"
                )
            if any(row.get(name) is None for name in TABLES["run"].column_names()):
                raise RunFolderError(f"{file}: is damaged; {AGAIN}")
        return [by_file[str(file)] for file in files]

    def has(self, table: str) -> bool:
        """Whether every run holds the table."""
        return all((run.folder / f"{table}.parquet").is_file() for run in self.runs)

    def _view(self, table: str) -> None:
        """Make the view of a table on first use."""
        if table in self._made:
            return
        level = TABLES[table].level
        files = []
        for run in self.runs:
            file = run.folder.resolve() / f"{table}.parquet"
            if not file.is_file():
                recorded = str(run.facts["record"])
                if recorded in LEVELS and LEVELS.index(recorded) >= LEVELS.index(level):
                    raise RunFolderError(f"{file}: is missing though the run has record={recorded}; {AGAIN}")
                raise RunFolderError(
                    f"{run.folder}: this needs record={level}, the run has record={recorded}; run it again with"
                    f" record={level} and the same --out"
                )
            files.append(file)
        names = ", ".join(TABLES[table].column_names())
        try:
            self._connection.execute(
                f"CREATE TEMP VIEW {table} AS SELECT run, {names} FROM {_reading(files)} "
                f"JOIN numbered ON folder || '{os.sep}{table}.parquet' = filename"
            )
        except duckdb.Error as problem:
            self._blame([table], problem)
        self._made.add(table)

    def query(self, sql: str, tables: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a query over the named tables, as dictionaries; sums of integers come back as int.

        Rows are sorted by all columns unless the query orders them, so that threads cannot change their order. They
        may be handed out again, so nobody changes them.
        """

        def ask() -> list[dict[str, Any]]:
            return _rows(self._executed(sql if "ORDER BY" in sql else f"{sql} ORDER BY ALL", tables))

        rows: list[dict[str, Any]] = self._kept(("rows", sql), ask, lambda found: len(found) <= MOST_KEPT_ROWS)
        return rows

    def arrays(self, sql: str, tables: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of a query, each [rows] without nulls: for answers of many rows. Cast sums to BIGINT: else floats."""

        def ask() -> dict[str, NDArray[Any]]:
            columns = self._executed(sql, tables).fetchnumpy()
            return {name: np.asarray(column) for name, column in columns.items()}

        columns: dict[str, NDArray[Any]] = self._kept(
            ("columns", sql), ask, lambda found: all(len(column) <= MOST_KEPT_COLUMN for column in found.values())
        )
        return columns

    def _kept(self, key: tuple[str, str], ask: Callable[[], Any], small: Callable[[Any], bool]) -> Any:
        """An answer given before, or a new one, kept where it is small."""
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        found = ask()
        if small(found):
            self._answers[key] = found
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return found

    def _executed(self, sql: str, tables: Sequence[str]) -> Any:
        for table in tables:
            self._view(table)
        try:
            return self._connection.execute(sql)
        except duckdb.Error as problem:
            return self._blame(tables, problem)

    def _blame(self, tables: Sequence[str], problem: duckdb.Error) -> NoReturn:
        """Say which file a query failed on; a query that fails on sound files is not the user's mistake."""
        for table in tables:
            names = ", ".join(TABLES[table].column_names())
            for run in self.runs:
                file = run.folder.resolve() / f"{table}.parquet"
                try:
                    probe = f"CREATE OR REPLACE TEMP TABLE probe AS SELECT {names} FROM {_reading([file])}"
                    self._connection.execute(probe)
                except duckdb.Error:
                    raise RunFolderError(f"{file}: is damaged; {AGAIN}") from None
        raise problem


def _rows(cursor: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _reading(files: Sequence[Path]) -> str:
    """SQL that reads these files and no others: their names are no patterns, folders called `a=b` no columns."""
    names = ", ".join(_quoted(glob.escape(str(file))) for file in files)
    return f"read_parquet([{names}], filename = true, hive_partitioning = false)"


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _check_run_json(run: Run) -> None:
    """Refuse a run whose run.json is missing, torn, or of another run than its tables."""
    file = run.folder / RUN_JSON
    try:
        now = file.stat()
        said = _said(str(file), now.st_ino, now.st_size, now.st_mtime_ns)
    except FileNotFoundError:
        raise RunFolderError(f"{file}: is missing, so the run is damaged; {AGAIN}") from None
    except (OSError, ValueError):
        raise RunFolderError(f"{file}: is damaged; {AGAIN}") from None
    if said != (run.facts["model_hash"], run.facts["seed"]):
        raise RunFolderError(f"{file}: does not belong to the tables beside it; {AGAIN}")


@functools.lru_cache(maxsize=10_000)
def _said(file: str, inode: int, size: int, changed: int) -> tuple[Any, Any]:
    """Configuration's hash and seed that a run.json names; remembered for as long as the file is the same one."""
    content = json.loads(Path(file).read_bytes())
    return (content.get("config_hash"), content.get("seed")) if isinstance(content, dict) else (None, None)
