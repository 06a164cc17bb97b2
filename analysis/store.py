"""DuckDB views over one or many finished run folders.

Every declared table can be queried, with one more column `run` (position in `Store.runs`). Only integers are summed, so
that a query gives the same bits each time it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sim.errors import RunFolderError
from sim.record.schema import SCHEMA_VERSION, TABLES

DONE = "_DONE"


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
    given = [Path(folder) for folder in folders]
    found: set[Path] = set()
    for folder in given:
        if not folder.is_dir():
            raise RunFolderError(f"{folder}: no such folder")
        if (folder / DONE).is_file():
            found.add(folder)
        else:
            found |= {mark.parent for mark in folder.glob(f"*/{DONE}")}
            found |= {mark.parent for mark in folder.glob(f"runs/*/{DONE}")}
    if not found:
        raise RunFolderError(f"{', '.join(map(str, given))}: no finished run here")
    return sorted(found)


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
        self._connection.execute("SET threads = 1")
        self.runs: list[Run] = []
        for path, row in zip(paths, self._facts(paths), strict=True):
            if row["schema_version"] != SCHEMA_VERSION:
                raise RunFolderError(
                    f"{path}: written with table version {row['schema_version']}, this program reads"
                    f" {SCHEMA_VERSION}; run it again"
                )
            self.runs.append(Run(path, row))
        self._connection.execute("CREATE TEMP TABLE run_facts (run INTEGER, run_days INTEGER)")
        rows = ", ".join(f"({number}, {run.days})" for number, run in enumerate(self.runs))
        self._connection.execute(f"INSERT INTO run_facts VALUES {rows}")
        self._made: set[str] = set()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _facts(self, paths: list[Path]) -> list[dict[str, Any]]:
        rows = []
        for path in paths:
            try:
                cursor = self._connection.execute("SELECT * FROM read_parquet(?)", [str(path / "run.parquet")])
            except duckdb.Error as problem:
                raise RunFolderError(f"{path}: the table run is missing or damaged ({problem})") from None
            names = [column[0] for column in cursor.description or ()]
            rows.append(dict(zip(names, cursor.fetchall()[0], strict=True)))
        return rows

    def has(self, table: str) -> bool:
        """Whether every run holds the table."""
        return all((run.folder / f"{table}.parquet").is_file() for run in self.runs)

    def _view(self, table: str) -> None:
        """Make the view of a table on first use."""
        if table in self._made:
            return
        missing = [run.folder for run in self.runs if not (run.folder / f"{table}.parquet").is_file()]
        if missing:
            raise RunFolderError(
                f"{missing[0]}: this needs record={TABLES[table].level} (table {table} was not written);"
                f" run again with record={TABLES[table].level}"
            )
        names = ", ".join(TABLES[table].column_names())
        files = ["'" + str(run.folder / f"{table}.parquet").replace("'", "''") + "'" for run in self.runs]
        quoted = ", ".join(files)
        numbered = ", ".join(f"({number}, {name})" for number, name in enumerate(files))
        try:
            self._connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT CAST(run AS INTEGER) AS run, {names} FROM "
                f"read_parquet([{quoted}], filename = true) "
                f"JOIN (VALUES {numbered}) AS numbered(run, file) ON file = filename"
            )
        except duckdb.Error as problem:
            raise RunFolderError(f"table {table} is damaged: {problem}") from None
        self._made.add(table)

    def query(self, sql: str, tables: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a query over the named tables, as dictionaries; sums of integers come back as int."""
        for table in tables:
            self._view(table)
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
