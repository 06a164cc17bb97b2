"""Whether stored runs are what they say: complete, undamaged, and the same when computed again."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim import provenance
from sim.config import RunConfig
from sim.errors import RunFolderError, UserError
from sim.experiment import Progress, identity, run_one
from sim.record.schema import SCHEMA_VERSION, TABLES
from sim.runfolder import DONE, RUN_JSON, read_run_json
from sim.sweep.driver import MANIFEST, RUNS, read_manifest, state_of

LEVELS = ("summary", "daily", "full")


def run_folders(folder: Path) -> list[Path]:
    """Finished run folders: the folder itself, or those below it, sorted."""
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: there is no such folder")
    if (folder / DONE).is_file():
        return [folder]
    marks = [*folder.glob(f"*/{DONE}"), *folder.glob(f"{RUNS}/*/{DONE}")]
    return sorted({mark.parent for mark in marks if not mark.parent.name.startswith(".")})


def verify(folder: Path) -> tuple[int, list[dict[str, str]]]:
    """Number of runs looked at, and faults: run (its folder), problem.

    Every declared table of a run's record level is read whole, with its page checksums; run.json must agree with
    the table `run` and, in a sweep, with the manifest; what the manifest calls done must be there.

    Raises:
        RunFolderError: no such folder, or nothing in it.
    """
    runs = run_folders(folder)
    faults: list[dict[str, str]] = []
    rows = {row["hash"]: row for row in read_manifest(folder)}
    if not runs and not rows:
        raise RunFolderError(f"{folder}: no finished run here")
    for run in runs:
        faults += [{"run": str(run), "problem": problem} for problem in _problems(run)]
        row = rows.get(run.name)
        if (folder / MANIFEST).is_file() and row is None:
            faults.append({"run": str(run), "problem": f"is not in the manifest {folder / MANIFEST}"})
        elif row is not None:
            facts = _facts(run)
            if facts and (facts.get("config_hash"), facts.get("code_hash")) != (row["config_hash"], row["code_hash"]):
                faults.append({"run": str(run), "problem": "is another run than the manifest says"})
    faults += [
        {"run": str(folder / RUNS / name), "problem": "the manifest says done, the run is not there"}
        for name, row in rows.items()
        if row["state"] == "done" and state_of(folder, name) != "done"
    ]
    return len(runs), faults


def _facts(run: Path) -> dict[str, Any]:
    try:
        return read_run_json(run)
    except UserError:
        return {}


def _problems(run: Path) -> list[str]:
    try:
        facts = read_run_json(run)
    except UserError as error:
        return [str(error)]
    problems = []
    level = str(facts.get("record"))
    if level not in LEVELS:
        return [f"{RUN_JSON} names no record level"]
    for name, spec in TABLES.items():
        if LEVELS.index(spec.level) > LEVELS.index(level):
            continue
        path = run / f"{name}.parquet"
        if not path.is_file():
            problems.append(f"table {name} is missing")
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != dict(facts.get("tables", {})).get(name):
            problems.append(f"table {name} is damaged (its checksum is not the one in {RUN_JSON})")
            continue
        try:
            table = pq.ParquetFile(path, page_checksum_verification=True).read()
        except (OSError, pa.ArrowException) as error:
            problems.append(f"table {name} is damaged ({str(error).splitlines()[0]})")
            continue
        if tuple(table.column_names) != tuple(spec.column_names()):
            problems.append(f"table {name} has other columns than table version {SCHEMA_VERSION}")
    return problems


def rerun(folder: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Compute a stored run again and compare every table byte for byte.

    Returns:
        same; differing: names of tables; notes: which may be why: tables that are damaged, and what differs in code,
        data or versions.

    Raises:
        UserError: no finished run there, or a configuration that the present code no longer accepts.
    """
    facts = read_run_json(folder)
    stored = facts.get("configuration")
    if not isinstance(stored, dict):
        raise RunFolderError(f"{folder / RUN_JSON}: holds no configuration; it is damaged")
    cfg = RunConfig.from_plain({**stored, "out": None}, str(folder / RUN_JSON))
    me = identity(cfg)
    notes = _problems(folder)
    if facts.get("config_hash") != me.config:
        raise RunFolderError(
            f"{folder / RUN_JSON}: the configuration is not the one whose hash it names; it is damaged"
        )
    if facts.get("code_hash") != me.code:
        notes.append("the code has changed since")
    if facts.get("data", provenance.data_hashes()) != provenance.data_hashes():
        notes.append("the data files have changed since")
    then = facts.get("versions", {})
    now = provenance.versions()
    notes += [
        f"{name} was {then.get(name)}, is {version}" for name, version in now.items() if then.get(name) != version
    ]
    with tempfile.TemporaryDirectory(prefix="livecommerce-") as place:
        again = Path(place) / "run"
        tell: Progress | None = progress
        run_one(cfg, again, tell)
        names = sorted({path.name for place in (folder, again) for path in place.glob("*.parquet")})
        differing = [name for name in names if _bytes(folder / name) != _bytes(again / name)]
    return {"same": not differing, "differing": differing, "notes": notes}


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
