"""A sweep survives kills, full disks, writes that fail, and runs that raise, hang or kill themselves."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.cluster import timed
from sim import engines
from sim.__main__ import main
from sim.engines import Inline, Local
from sim.errors import RunFolderError, UserError
from sim.runfolder import writing
from sim.sweep.driver import EVENTS, MANIFEST, drive, log_event, read_manifest, status
from sim.sweep.plan import Plan, plan_sweep
from tests.sweep.tiny import REQUEST, TINY, contents

ROOT = Path(__file__).parents[2]
MOMENTS = 20


# ---- kill -9 -----------------------------------------------------------------------------------------------------


def start_driver(folder: Path, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sim", "sweep", *REQUEST, "--out", str(folder), "--workers", str(workers)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells each finished run from one that took its place."""
    marks = folder.glob("runs/[!.]*/_DONE")
    return {mark.parent.name: (mark.stat().st_ino, mark.stat().st_mtime_ns) for mark in marks}


def kill_and_go_on(plan: Plan, folder: Path, finished: Path, workers: int, moment: Callable[[], bool]) -> int:
    """Kill a driver when `moment` says so, start again; the number of runs that were finished by then."""
    driver = start_driver(folder, workers)
    until = time.monotonic() + 300
    while not moment() and driver.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    driver.kill()
    driver.wait()
    before = stamps(folder)
    summary = drive(plan, folder, Inline())  # workers of the dead driver may still be at it
    assert summary.failures == {}
    assert summary.runs == summary.computed + summary.there == 6
    after = stamps(folder)
    assert len(after) == 6
    assert {name: after[name] for name in before} == before  # nothing finished was repeated
    assert contents(folder) == contents(finished) | summary_of(folder)
    assert not list(folder.glob(".*.tmp-*"))
    for line in (folder / EVENTS).read_text().splitlines():
        json.loads(line)
    return len(before)


def summary_of(folder: Path) -> dict[str, bytes]:
    """The table over all runs, where the killed driver came that far."""
    return {name: data for name, data in contents(folder).items() if name.startswith("summary")}


def test_a_killed_driver_loses_no_finished_run(plan: Plan, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    assert kill_and_go_on(plan, folder, finished, 1, lambda: len(list(folder.glob("runs/[!.]*/_DONE"))) >= 2) >= 2


@pytest.mark.long
def test_a_driver_killed_at_random_moments_loses_no_finished_run(plan: Plan, finished: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    assert start_driver(tmp_path / "whole", 2).wait() == 0
    whole = time.monotonic() - start
    chance = random.Random(20)
    found = []
    for number in range(MOMENTS):
        moment = time.monotonic() + chance.uniform(0.2, 1.0) * whole
        folder = tmp_path / f"s{number}"
        found.append(kill_and_go_on(plan, folder, finished, 2, lambda moment=moment: time.monotonic() > moment))
        shutil.rmtree(folder)
    assert len(set(found)) > 1, "every kill came at the same stage"


@pytest.mark.long
def test_drivers_share_a_sweep_though_one_is_killed(plan: Plan, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    drivers = [start_driver(folder, 1) for _ in range(3)]
    until = time.monotonic() + 300
    while not stamps(folder) and time.monotonic() < until:
        time.sleep(0.02)
    drivers[0].kill()
    drivers[0].wait()
    assert [driver.wait() for driver in drivers[1:]] == [0, 0]
    assert contents(folder) == contents(finished) | summary_of(folder)
    events = [json.loads(line) for line in (folder / EVENTS).read_text().splitlines()]
    done = [event["hash"] for event in events if event["event"] == "done"]
    assert len(done) == len(set(done)) <= len(plan.points)  # the killed driver may not have told of its last run


# ---- writes that fail --------------------------------------------------------------------------------------------


class StandIn:
    """A world that writes two tables at once."""

    def __init__(self, cfg: Any) -> None:
        self._seed = cfg.seed
        self.scale = SimpleNamespace(weight=1.0)
        self.recorder = self

    def run(self, progress: Callable[[int, int], None]) -> None:
        progress(2, 2)

    def write(self, folder: Path) -> None:
        for name in ("run", "totals"):
            pq.write_table(pa.table({"seed": [self._seed] * 500, "n": list(range(500))}), folder / f"{name}.parquet")


class Faults:
    """Counts calls that change the disk, and lets one of them fail; a write has done half of its work by then."""

    def __init__(self) -> None:
        self.calls, self.fail_at = 0, -1

    def due(self) -> bool:
        self.calls += 1
        return self.calls == self.fail_at

    def plain(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if self.due():
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **named)

        return wrapped

    def half(self, real: Callable[..., Any], file: int) -> Callable[..., Any]:
        """A function that writes the file that is its argument number `file`."""

        def wrapped(*arguments: Any, **named: Any) -> Any:
            due = self.due()
            result = real(*arguments, **named)
            if due:
                path = Path(arguments[file])
                os.truncate(path, path.stat().st_size // 2)
                raise OSError(errno.ENOSPC, "No space left on device")
            return result

        return wrapped

    def part(self, real: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
        def wrapped(handle: int, data: bytes) -> int:
            if self.due():
                real(handle, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(handle, data)

        return wrapped


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    module = ModuleType("sim.world")
    module.World = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sim.world", module)
    found = Faults()
    for name in ("fsync", "replace", "rename", "mkdir"):
        monkeypatch.setattr(os, name, found.plain(getattr(os, name)))
    monkeypatch.setattr(os, "write", found.part(os.write))
    monkeypatch.setattr(pq, "write_table", found.half(pq.write_table, 1))
    monkeypatch.setattr(Path, "write_text", found.half(Path.write_text, 0))
    return found


def test_every_write_that_fails_leaves_a_sweep_that_can_go_on(tmp_path: Path, faults: Faults) -> None:
    """The n-th write, fsync, rename or new folder fails, for every n of a sweep of two runs, one of which raises."""
    two = Plan(plan_sweep([*TINY, "seed=1,2"]).points)

    class OneRaises(StandIn):
        def run(self, progress: Callable[[int, int], None]) -> None:
            if self._seed == 2:
                raise ValueError("seed two")

    def whole(folder: Path) -> Any:
        """First one run fails, then all is well."""
        sys.modules["sim.world"].World = OneRaises  # type: ignore[attr-defined]
        drive(two, folder, Inline())
        sys.modules["sim.world"].World = StandIn  # type: ignore[attr-defined]
        return drive(two, folder, Inline(), retry=True)

    assert whole(tmp_path / "whole").computed == 1
    total, expected = faults.calls, contents(tmp_path / "whole")
    assert total > 40
    for number in range(1, total + 1):
        folder = tmp_path / f"s{number}"
        faults.calls, faults.fail_at = 0, number
        with contextlib.suppress(UserError):  # anything else would be a traceback for the user
            whole(folder)
        for run in (folder / "runs").glob("[!.]*"):
            assert (run / "_DONE").is_file()
            assert json.loads((run / "run.json").read_text())["seed"] in (1, 2)
            assert [pq.read_table(path).num_rows for path in run.glob("*.parquet")] == [500, 500]
        assert len(read_manifest(folder)) in (0, 2)
        faults.fail_at = -1
        sys.modules["sim.world"].World = StandIn  # type: ignore[attr-defined]
        drive(two, folder, Inline(), retry=True)
        assert contents(folder) == expected
        assert not list(folder.glob("**/.*.tmp-*"))
        for line in (folder / EVENTS).read_text().splitlines():
            json.loads(line)
        shutil.rmtree(folder)


def test_the_table_over_all_runs_is_whole_or_not_there(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.summary import METRICS_FILE, bring_up_to_date, read

    folder = tmp_path / "s"
    shutil.copytree(finished, folder)
    expected = bring_up_to_date(folder)
    names = sorted(expected.facts)
    found = Faults()
    for name in ("fsync", "replace", "mkdir"):
        monkeypatch.setattr(os, name, found.plain(getattr(os, name)))
    monkeypatch.setattr(pq, "write_table", found.half(pq.write_table, 1))
    for number in range(1, 10):
        shutil.rmtree(folder / "summary", ignore_errors=True)
        found.calls, found.fail_at = 0, number
        told = bring_up_to_date(folder)  # what cannot be kept is computed all the same
        kept = read(folder)
        assert kept is not None or found.calls >= number, "a summary was lost without a fault"
        for summary in (told, kept):
            if summary is not None:
                assert summary.facts == expected.facts
                for by in ("", "region"):
                    assert summary.values(names, by)[0] == expected.values(names, by)[0]
                    np.testing.assert_array_equal(summary.values(names, by)[1], expected.values(names, by)[1])
        assert not (folder / METRICS_FILE).exists() or pq.ParquetFile(folder / METRICS_FILE).read().num_rows > 0
        assert not list(folder.glob("summary/.*"))


def test_half_a_line_of_the_event_log_is_taken_away(tmp_path: Path) -> None:
    log_event(tmp_path, "start", runs=2)
    whole = (tmp_path / EVENTS).read_bytes()
    with (tmp_path / EVENTS).open("ab") as log:
        log.write(b'{"time": "2026-01-01T00:00:00.000+00:00", "eve')
    log_event(tmp_path, "end")
    lines = (tmp_path / EVENTS).read_bytes().splitlines(keepends=True)
    assert lines[0] == whole
    assert [json.loads(line)["event"] for line in lines] == ["start", "end"]
    (tmp_path / EVENTS).write_bytes(b"{" * 10_000)  # not one whole line
    log_event(tmp_path, "start")
    assert json.loads((tmp_path / EVENTS).read_bytes())["event"] == "start"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("no mount here")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("may not mount a disk here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_told_and_spares_what_is_finished(
    small_disk: Path, plan: Plan, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_disk / "s"
    folder.mkdir()
    ballast = small_disk / "ballast"
    size = sum(path.stat().st_size for path in (finished / "runs").rglob("*.parquet")) // 6
    free = shutil.disk_usage(small_disk).free
    if free > 4 * size:
        ballast.write_bytes(bytes(free - 4 * size))
    assert main(["sweep", *REQUEST, "--out", str(folder), "--engine", "inline"]) != 0
    assert "No space left on device" in capsys.readouterr().err
    done = list((folder / "runs").glob("[!.]*"))
    assert len(done) < 6
    whole = contents(finished)
    for run in done:
        assert (run / "_DONE").is_file()
        for table in run.glob("*.parquet"):
            assert table.read_bytes() == whole[str(table.relative_to(folder))]
    ballast.unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=50m", small_disk], check=True)
    before = stamps(folder)
    assert drive(plan, folder, Inline(), retry=True).failures == {}
    assert contents(folder) == whole
    assert before.items() <= stamps(folder).items()


# ---- runs that go wrong ------------------------------------------------------------------------------------------


def misbehave(task: engines.Task, progress: Any = None, past: Any = None) -> engines.Ending:
    """What becomes of a run, by its label and seed; a branch of a common past where there is one."""
    cfg = task.cfg
    if cfg.scenario.name == "baseline":
        if cfg.seed == 1:
            with writing(task.out) as temporary:
                (temporary / "run.parquet").write_bytes(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
        return engines._lost(task.number, "ZeroDivisionError: seed two")
    if cfg.seed == 1 and cfg.interventions["cap"]["share"] > 0.07:
        time.sleep(3600)
    return ATTEMPT(task, progress, past)


ATTEMPT = engines._attempt


def mislead(*arguments: Any) -> Any:
    """What a worker does instead of its task."""
    engines._attempt = misbehave
    return engines._work(*arguments)


class Misled(Local):
    """A pool whose runs go wrong."""

    def schedule(self, task: Callable[..., Any], *arguments: Any, runs: int = 1) -> Any:
        return super().schedule(mislead, *arguments, runs=runs)


@pytest.mark.long
def test_runs_that_raise_hang_or_kill_themselves_harm_only_themselves(
    plan: Plan, finished: Path, tmp_path: Path
) -> None:
    with Misled(2, time_limit=20.0) as engine:
        summary = drive(plan, tmp_path / "s", engine)
    assert sorted(summary.failures.values()) == [
        "ZeroDivisionError: seed two",
        "its process died (signal 9, SIGKILL)",
        "took longer than 20 s and was stopped",
    ]
    assert not list((tmp_path / "s" / "runs").glob(".*.tmp-*"))
    state = status(tmp_path / "s")
    assert (state["done"], state["failed"], state["waiting"]) == (3, 3, 0)
    whole = contents(finished)
    kept = {name: data for name, data in contents(tmp_path / "s").items() if name != MANIFEST}
    assert kept == {name: whole[name] for name in kept}
    assert len({Path(name).parent for name in kept}) == 3
    assert drive(plan, tmp_path / "s", Inline(), retry=True).computed == 3
    assert contents(tmp_path / "s") == whole


# ---- order, workers, engines, drivers ----------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_results_depend_on_neither_workers_nor_order(plan: Plan, finished: Path, tmp_path: Path, workers: int) -> None:
    shuffled = list(plan.points)
    random.Random(workers).shuffle(shuffled)
    with Local(workers) as engine:
        drive(Plan(tuple(shuffled)), tmp_path / "s", engine)
    assert contents(tmp_path / "s") == contents(finished)


@pytest.mark.long
@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_a_cluster_gives_the_same_tables(plan: Plan, finished: Path, tmp_path: Path, name: str, package: str) -> None:
    pytest.importorskip(package)
    with engines.engine_of(name, 2) as engine:
        summary = drive(Plan(plan.points[::-1]), tmp_path / "s", engine)
    assert (summary.computed, summary.failures) == (6, {})
    assert contents(tmp_path / "s") == contents(finished)


@pytest.mark.long
@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_a_killed_worker_of_a_cluster_loses_no_run(tmp_path: Path, name: str, package: str) -> None:
    """As `python -m benchmarks.cluster`, which does so with 200 runs."""
    pytest.importorskip(package)
    more = plan_sweep([*TINY, "scenario=commission_cap", "seed=range(0,8)"])
    summary, _, killed = timed(more, tmp_path / "cluster", name, workers=2, kill_at=3)
    assert killed > 0
    assert (summary.computed, summary.there, summary.failures) == (16, 0, {})
    drive(more, tmp_path / "here", Inline())
    assert contents(tmp_path / "cluster") == contents(tmp_path / "here")


def test_a_run_on_a_cluster_ends_at_its_time_limit(plan: Plan) -> None:
    ending, packed = engines.compute_away(0, plan.points[0].cfg, 1e-9)
    assert (ending.state, packed) == ("failed", b"")
    assert ending.error == "took longer than 1e-09 s and was stopped"


def test_drivers_with_different_plans_keep_each_other_s_rows(tmp_path: Path, faults: Faults) -> None:
    plans = [plan_sweep([*TINY, f"seed={seed}"], with_base=False) for seed in range(8)]
    threads = [threading.Thread(target=drive, args=(one, tmp_path / "s", Inline())) for one in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = read_manifest(tmp_path / "s")
    assert sorted(row["seed"] for row in rows) == list(range(8))
    assert {row["state"] for row in rows} == {"done"}


def test_a_manifest_that_cannot_be_locked_is_told(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / ".locks").write_text("a file in the folder's place")
    with pytest.raises(RunFolderError, match="cannot be written"):
        drive(plan, tmp_path, Inline())
