"""Computes what a plan lacks, and says how far it is.

A run is named by the hash of its configuration and of the model's code, so a finished one is never computed again, by
whichever driver. The driver can be killed at any moment: runs are committed by rename, the manifest and the failures
are written beside and renamed, and the next driver goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sim.errors import RunFolderError, UserError
from sim.progress import Reporter, reporting
from sim.runfolder import DONE, read_run_json, sweep_dead, sync

if TYPE_CHECKING:  # a reader of a finished sweep needs neither
    from sim.engines import Ending, Engine
    from sim.sweep.plan import Plan, Point

RUNS: Final = "runs"
FAILURES: Final = "failures"
MANIFEST: Final = "manifest.parquet"
EVENTS: Final = "events.jsonl"
DESIGN: Final = "design.json"
LOCKS: Final = ".locks"
FIRM_CONSUMERS: Final = 20_000  # consumers whose day takes as long as that of the firms
MANIFEST_SCHEMA: Final = pa.schema(
    [
        pa.field("hash", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("base", pa.string(), nullable=False),
        pa.field("scenario", pa.string(), nullable=False),
        pa.field("overrides", pa.list_(pa.string()), nullable=False),
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("config_hash", pa.string(), nullable=False),
        pa.field("code_hash", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)
"""hash: name of the run's folder; label: scenario and what was varied; base: label it is compared to, "" for none;
overrides: as on a command line; state: done, failed or waiting."""


@dataclass(slots=True)
class Progress:
    """How far a sweep is. Days are simulated ones, warm-up included."""

    runs: int
    days: int
    ended: int = 0
    there: int = 0  # of the ended: found finished
    failed: int = 0
    days_done: int = 0
    days_there: int = 0  # of the done: found finished
    started: float = field(default_factory=time.monotonic)

    @property
    def runs_an_hour(self) -> float:
        """Rate of the runs this driver has computed."""
        return 3600.0 * (self.ended - self.there) / max(time.monotonic() - self.started, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """Wall time expected, None before anything was computed."""
        computed = self.days_done - self.days_there
        if computed <= 0:
            return None
        return (self.days - self.days_done) * (time.monotonic() - self.started) / computed


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a sweep: runs in all, those computed now, those found finished, and the failures by hash."""

    runs: int
    computed: int
    there: int
    failures: dict[str, str]


class RunsFailedError(UserError):
    """Runs of a sweep failed that must all be there to go on."""

    exit_status = 1


Watch = Callable[[Progress, str], None]
"""Called as the sweep goes on, with a line to show, or an empty one."""


# ---- files -------------------------------------------------------------------------------------------------------


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside and rename, so that a reader or a kill never meets half a file."""
    temporary = path.parent / f".{path.name}.tmp-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        write(temporary)
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    except OSError as error:
        raise RunFolderError(f"{path}: could not be written ({error.strerror}); finished runs are kept") from error
    finally:
        temporary.unlink(missing_ok=True)


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """The rows of a sweep's manifest, sorted by hash; none where there is no sweep. `RunFolderError` when damaged."""
    path = folder / MANIFEST
    if not path.is_file():
        return []
    try:
        rows: list[dict[str, Any]] = pq.ParquetFile(path).read().cast(MANIFEST_SCHEMA).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise RunFolderError(f"{path}: is damaged ({str(error).splitlines()[0]}); start the sweep again") from None
    return rows


def _write_manifest(folder: Path, rows: Iterable[dict[str, Any]]) -> None:
    ordered = sorted(rows, key=lambda row: str(row["hash"]))
    table = pa.Table.from_pylist(ordered, schema=MANIFEST_SCHEMA)
    replace_file(folder / MANIFEST, lambda path: pq.write_table(table, path, compression="zstd", store_schema=False))


def _row(point: Point, state: str) -> dict[str, Any]:
    return {
        "hash": point.hash,
        "label": point.label,
        "base": point.base,
        "scenario": point.cfg.scenario.name,
        "overrides": list(point.overrides),
        "seed": point.cfg.seed,
        "config_hash": point.identity.config,
        "code_hash": point.identity.code,
        "state": state,
    }


def state_of(folder: Path, name: str) -> str:
    """done, failed or waiting, as the disk says."""
    if (folder / RUNS / name / DONE).is_file():
        return "done"
    return "failed" if (folder / FAILURES / f"{name}.txt").is_file() else "waiting"


def log_event(folder: Path, event: str, **facts: Any) -> None:
    """One line of JSON at the end of the event log; a log that cannot be written stops nothing.

    Half a line, which a killed driver or a full disk has left, is taken away first: every line can be read.
    """
    line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts})
    try:
        handle = os.open(folder / EVENTS, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # drivers that share a sweep write one after the other
        _cut_half_line(handle)
        _write_all(handle, f"{line}\n".encode())
    except OSError:
        with contextlib.suppress(OSError):
            _cut_half_line(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _cut_half_line(handle: int) -> None:
    """Shorten a file of lines to its last complete one."""
    end = os.fstat(handle).st_size
    kept = end
    while kept > 0:
        start = max(0, kept - 4096)
        found = os.pread(handle, kept - start, start).rfind(b"\n")
        if found >= 0:
            kept = start + found + 1
            break
        kept = start
    if kept < end:
        os.ftruncate(handle, kept)


@contextlib.contextmanager
def _manifest_locked(folder: Path) -> Iterator[None]:
    """Keeps drivers that share a sweep from writing over each other's rows; ends with the block or the process."""
    try:
        (folder / LOCKS).mkdir(exist_ok=True)
        handle = os.open(folder / LOCKS / MANIFEST, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise RunFolderError(f"{folder}: cannot be written ({error.strerror}); finished runs are kept") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


# ---- driving -----------------------------------------------------------------------------------------------------


def prepare(plan: Plan, out: Path) -> None:
    """Make the folder and enter the plan into its manifest, beside what is there.

    Raises:
        RunFolderError: the folder is something else, cannot be written, or holds runs not to be mixed up with these.
    """
    try:
        strange = out.exists() and any(
            entry for entry in out.iterdir() if entry.name not in (RUNS, FAILURES, EVENTS, LOCKS)
            and not entry.name.startswith(f".{MANIFEST}")
        )  # fmt: skip
        if strange and not (out / MANIFEST).is_file():  # asked last: another driver may be making the sweep just now
            raise RunFolderError(
                f"--out {out}: holds something that is not a sweep, and is left as it is; name a new or an empty folder"
            )
        (out / RUNS).mkdir(parents=True, exist_ok=True)
        (out / FAILURES).mkdir(exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"--out {out}: cannot be made ({error.strerror})") from None
    sweep_dead(out / RUNS)
    with _manifest_locked(out):
        _enter(plan, out)


def _enter(plan: Plan, out: Path) -> None:
    """Enter a plan into the manifest, whose lock is held. `RunFolderError` as `prepare`."""
    for left_by_the_dead in out.glob(f".{MANIFEST}.tmp-*"):
        left_by_the_dead.unlink(missing_ok=True)
    rows = {str(row["hash"]): row for row in read_manifest(out)}
    taken = {(row["label"], row["seed"]): row for row in rows.values()}
    for point in plan.points:
        other = taken.get((point.label, point.cfg.seed))
        if other is not None and other["hash"] != point.hash:
            mine = _row(point, "")
            what = "another version of the code" if other["config_hash"] == mine["config_hash"] else "other settings"
            raise RunFolderError(
                f"--out {out}: holds '{point.label}' with seed {point.cfg.seed} made with {what} "
                f"({' '.join(other['overrides']) or 'no overrides'}); name another folder"
            )
    for point in plan.points:
        known = rows.get(point.hash)
        rows[point.hash] = _row(point, state_of(out, point.hash))
        if known and known["base"] and not point.base:
            rows[point.hash]["base"] = known["base"]
    _write_manifest(out, rows.values())
    if plan.design is not None:
        text = json.dumps(plan.design)
        replace_file(out / DESIGN, lambda path: path.write_text(text, encoding="utf-8"))


def _refresh(out: Path) -> None:
    """Enter into the manifest what the disk says."""
    with _manifest_locked(out):
        rows = read_manifest(out)
        for row in rows:
            row["state"] = state_of(out, row["hash"])
        _write_manifest(out, rows)


def drive(plan: Plan, out: Path, engine: Engine, retry: bool = False, watch: Watch | None = None) -> Summary:
    """Compute every point of the plan that is not there; failed ones again only with `retry`.

    `engine` must have been entered. A run that another driver is at work on is waited for.
    """
    from sim.engines import BUSY_SECONDS

    out = out.absolute()
    prepare(plan, out)
    show = watch or (lambda progress, line: None)
    progress = Progress(len(plan.points), sum(point.days for point in plan.points))
    failures: dict[str, str] = {}
    waiting: list[Point] = []
    for point in plan.points:
        state = state_of(out, point.hash)
        if state == "done" or (state == "failed" and not retry):
            progress.ended, progress.days_done = progress.ended + 1, progress.days_done + point.days
            progress.there, progress.days_there = progress.there + 1, progress.days_there + point.days
            if state == "failed":
                failures[point.hash] = _first_line(out / FAILURES / f"{point.hash}.txt")
                progress.failed += 1
        else:
            waiting.append(point)
    log_event(out, "start", runs=len(plan.points), waiting=len(waiting), driver=os.getpid())
    show(progress, "")
    computed = 0
    try:
        while waiting:
            busy: list[Point] = []
            for point, ending in _endings(engine, waiting, out, progress, show):
                if ending.state == "busy":
                    busy.append(point)
                    continue
                computed += _settle(point, ending, out, progress, failures)
                show(progress, f"failed: {point.label}, seed {point.cfg.seed}: {ending.error}" if ending.error else "")
            waiting = busy
            if waiting:
                time.sleep(BUSY_SECONDS)
    finally:
        _refresh(out)
        log_event(out, "end", computed=computed, failed=len(failures), driver=os.getpid())
    there = len(plan.points) - computed - len(failures)
    return Summary(len(plan.points), computed, there, failures)


def complete(plan: Plan, place: Path, workers: int = 0) -> Path:
    """Compute a plan under `place`, in a folder named by `Plan.name`, and tell how far it is; the folder.

    For commands and scripts that make a page of their runs: what failed is tried again, and after a change of the code
    or of the settings the runs stand beside the older ones.

    Raises:
        RunsFailedError: the others are kept.
    """
    from sim.engines import engine_of

    folder = place / plan.name
    with engine_of("local", workers) as engine, reporting(f"{len(plan.points)} runs") as report:
        summary = drive(plan, folder, engine, retry=True, watch=Watcher(report))
    if summary.failures:
        counts = f"{len(summary.failures)} of {summary.runs} runs failed"
        raise RunsFailedError(f"{counts}, the others are kept; why: `livecommerce status {folder}`")
    return folder


def _endings(
    engine: Engine, waiting: Sequence[Point], out: Path, progress: Progress, show: Watch
) -> Iterator[tuple[Point, Ending]]:
    from sim.engines import Job

    past = progress.days_done

    def tick(days: int) -> None:
        progress.days_done = min(past + days, progress.days)
        show(progress, "")

    for ending in engine.run([Job(point.cfg, out / RUNS / point.hash) for point in waiting], tick):
        progress.days_done = past
        yield waiting[ending.index], ending
        past = progress.days_done


def _settle(point: Point, ending: Ending, out: Path, progress: Progress, failures: dict[str, str]) -> int:
    """Enter an ending; 1 if it was computed here and now and ended well."""
    progress.ended, progress.days_done = progress.ended + 1, progress.days_done + point.days
    facts = {"hash": point.hash, "label": point.label, "seed": point.cfg.seed, "seconds": round(ending.seconds, 3)}
    failure = out / FAILURES / f"{point.hash}.txt"
    if ending.state == "failed":
        progress.failed += 1
        failures[point.hash] = ending.error
        text = f"{point.label}, seed {point.cfg.seed}\n{ending.error}\n\n{ending.trace}\n"
        replace_file(failure, lambda path: path.write_text(text, encoding="utf-8"))
        log_event(out, "failed", error=ending.error, **facts)
        return 0
    failure.unlink(missing_ok=True)
    if ending.was_done:
        progress.there, progress.days_there = progress.there + 1, progress.days_there + point.days
    else:
        log_event(out, "done", **facts)
    return int(not ending.was_done)


def _first_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[1] if len(lines) > 1 else "failed"


def expected_seconds(plan: Plan, out: Path, workers: int) -> float | None:
    """Wall time the waiting runs should take, from runs of the same code timed in this folder; None without any.

    Time is taken to grow with consumer-days beside a share that belongs to firms and days alone.
    """
    waiting = [point for point in plan.points if state_of(out, point.hash) != "done"]
    timed = []
    for row in read_manifest(out):
        if state_of(out, row["hash"]) == "done":
            facts = read_run_json(out / RUNS / row["hash"])
            settings = facts["configuration"]
            days = settings["days"] + settings["warmup_days"]
            timed.append((settings["population"]["consumers"] * days + FIRM_CONSUMERS * days, facts["wall_seconds"]))
    if not timed:
        return None
    pace = sum(seconds for _, seconds in timed) / sum(size for size, _ in timed)
    size = sum((point.cfg.population.consumers + FIRM_CONSUMERS) * point.days for point in waiting)
    return float(pace * size / workers)


# ---- looking on --------------------------------------------------------------------------------------------------


class Watcher:
    """Shows a sweep's progress, and failures as they come; a `Watch`. `look_on` is shown the progress too."""

    def __init__(self, report: Reporter, look_on: Callable[[Progress], None] | None = None) -> None:
        self._report = report
        self._look_on = look_on

    def __call__(self, progress: Progress, line: str) -> None:
        """Called by the driver."""
        if self._look_on is not None:
            self._look_on(progress)
        if line:
            print(line, file=sys.stderr, flush=True)
        left = progress.seconds_left
        note = f"{progress.ended} of {progress.runs} runs"
        if progress.failed:
            note += f", {progress.failed} failed"
        if left is not None and progress.ended > progress.there:
            note += f", {progress.runs_an_hour:,.0f} runs an hour"
        self._report(progress.days_done, progress.days, note)


def status(folder: Path) -> dict[str, Any]:
    """What the disk says of a sweep: counts of runs by state, by label, and failures with their first line.

    Raises:
        RunFolderError: there is no sweep.
    """
    rows = read_manifest(folder)
    if not rows:
        raise RunFolderError(
            f"{folder}: holds no sweep ({MANIFEST} is missing); `livecommerce sweep ... --out` makes one"
        )
    states = {row["hash"]: state_of(folder, row["hash"]) for row in rows}
    by_label: dict[str, Counter[str]] = {}
    for row in rows:
        by_label.setdefault(row["label"], Counter())[states[row["hash"]]] += 1
    return {
        "runs": len(rows),
        **{state: sum(found == state for found in states.values()) for state in ("done", "failed", "waiting")},
        "labels": {label: dict(sorted(counts.items())) for label, counts in sorted(by_label.items())},
        "failures": [
            {
                "hash": row["hash"],
                "label": row["label"],
                "seed": row["seed"],
                "error": _first_line(folder / FAILURES / f"{row['hash']}.txt"),
                "file": str(folder / FAILURES / f"{row['hash']}.txt"),
            }
            for row in rows
            if states[row["hash"]] == "failed"
        ],
    }
