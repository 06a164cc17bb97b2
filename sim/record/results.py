"""Reading one finished run folder: its facts and its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim.errors import RunFolderError
from sim.record.schema import SCHEMA_VERSION, TABLES

DONE = "_DONE"


@dataclass(frozen=True, slots=True)
class Results:
    """A finished run on disk.

    Attributes:
        folder: the run folder.
        facts: the row of table `run`: scenario, seed, days, consumers, weight and so on.
    """

    folder: Path
    facts: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str) -> Results:
        """Open a finished run.

        Raises:
            RunFolderError: there is no finished run of this version.
        """
        path = Path(folder)
        if not (path / DONE).is_file() or not (path / "run.parquet").is_file():
            raise RunFolderError(f"{path}: no finished run here; `livecommerce run ... --out {path}` makes one")
        facts: dict[str, Any] = pq.read_table(path / "run.parquet").to_pylist()[0]
        if facts["schema_version"] != SCHEMA_VERSION:
            raise RunFolderError(
                f"{path}: written with table version {facts['schema_version']}, this program reads {SCHEMA_VERSION};"
                " run it again"
            )
        return cls(path, facts)

    def table(self, name: str) -> pa.Table:
        """One table of the run.

        Raises:
            RunFolderError: no such table, or the run's record level does not hold it.
        """
        if name not in TABLES:
            raise RunFolderError(f"{self.folder}: no table {name!r}; allowed: {', '.join(TABLES)}")
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise RunFolderError(
                f"{self.folder}: table {name} needs record={TABLES[name].level}, the run has {self.facts['record']}"
            )
        return pq.read_table(path, page_checksum_verification=True)
