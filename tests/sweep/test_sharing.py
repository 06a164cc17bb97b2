"""Runs that share a past are the runs they would be alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim import branching, engines
from sim.branching import BranchFailedError, in_a_copy
from sim.engines import TOGETHER, Inline, Job, Local, packs
from sim.experiment import NO_PAST, configure
from sim.runfolder import read_run_json
from sim.sweep.driver import drive
from sim.sweep.plan import Plan, plan_sweep
from sim.world import World
from tests.sweep.tiny import TINY, contents

pytestmark = pytest.mark.skipif(not branching.POSSIBLE, reason="runs share a past where processes can be copied")
SMALL = ("population.consumers=300", "firms.scale=0.1", "warmup_days=2", "days=4", "record=full", "seed=3")
ARMS = (
    ("baseline",),
    ("commission_cap",),
    ("tariff_reduction", "interventions.tariff.start=1"),
    ("payment_outage", "interventions.outage.start=1.25", "interventions.outage.end=1.5"),
    ("star_removed", "interventions.removal.start=2", "interventions.removal.end=3"),
)


def plan_of_arms() -> Plan:
    points = [
        point
        for scenario, *rows in ARMS
        for point in plan_sweep([*SMALL, f"scenario={scenario}", *rows], with_base=False).points
    ]
    return Plan(tuple(points))


def test_runs_with_a_common_past_are_those_of_runs_alone(tmp_path: Path) -> None:
    """Whenever their interventions begin, shocks of some hours among them, and with all tables."""
    plan = plan_of_arms()
    with Local(1) as engine:
        assert drive(plan, tmp_path / "shared", engine).computed == len(ARMS)
    shared = [read_run_json(tmp_path / "shared" / "runs" / point.hash) for point in plan.points]
    assert sorted(facts["shared_days"] for facts in shared) == [2, 3, 3, 4, 4]
    drive(plan, tmp_path / "alone", Inline())
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")
    for point in plan.points:
        alone = read_run_json(tmp_path / "alone" / "runs" / point.hash)
        again = read_run_json(tmp_path / "shared" / "runs" / point.hash)
        assert alone["shared_days"] == 0
        assert alone["tables"] == again["tables"]
        assert (alone["scenario"], alone["config_hash"]) == (again["scenario"], again["config_hash"])


def test_a_world_branches_into_runs_of_its_own_past_only() -> None:
    world = World(configure("baseline", SMALL))
    with pytest.raises(ValueError, match="its settings are others"):
        world.branch(configure("commission_cap", (*SMALL, "seed=4")))
    cold = (*SMALL, "warmup_days=0")
    with pytest.raises(ValueError, match="cap has begun there"):
        World(configure("baseline", cold)).branch(configure("commission_cap", cold))
    while world.day <= world.frame.start_day:
        world.step()
    with pytest.raises(ValueError, match="cap has begun there"):
        world.branch(configure("commission_cap", SMALL))
    world.branch(configure("commission_cap", (*SMALL, "interventions.cap.start=1")))
    assert world.recorder.facts.scenario == "commission_cap"
    assert [mark.label for mark in world.recorder.marks if mark.kind == "policy"] == ["cap"]


def jobs_of(*settings: str) -> list[Job]:
    return [Job(point.cfg, Path(point.hash)) for point in plan_sweep([*TINY, *settings]).points]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_no_worker_is_idle_for_what_runs_share(workers: int) -> None:
    jobs = jobs_of("scenario=commission_cap", "interventions.cap.share=0.05,0.10,0.15", "seed=1,2,3")
    found = packs(jobs, workers)
    assert sorted(index for pack in found for index in pack) == list(range(12))
    assert all(len({jobs[index].cfg.seed for index in pack}) == 1 for pack in found)
    sizes = {1: [4, 4, 4], 2: [4, 4, 2, 2], 3: [4, 4, 4], 8: [2, 2, 1, 1, 2, 1, 1, 2, 1]}
    if workers < 8:
        assert [len(pack) for pack in found] == sizes[workers]
    else:
        assert len(found) >= 8


def test_packs_are_small_and_of_one_past() -> None:
    many = jobs_of("scenario=commission_cap", f"interventions.cap.share={','.join(str(n / 100) for n in range(1, 12))}")
    assert [len(pack) for pack in packs(many, 2)] == [TOGETHER, 12 - TOGETHER]
    seeds = jobs_of("seed=1,2")
    assert packs(seeds, 1) == [[0], [1]]
    cold = plan_sweep([*TINY[:-2], "warmup_days=0", "scenario=commission_cap"])
    assert packs([Job(point.cfg, Path(point.hash)) for point in cold.points], 1) == [[0], [1]]
    large = [Job(job.cfg.model_copy(deep=True), job.out) for job in jobs_of("scenario=commission_cap")]
    for job in large:
        object.__setattr__(job.cfg.population, "consumers", engines.SHARING_CONSUMERS + 1)
    assert packs(large, 1) == [[0], [1]]


def fail_together(place: int, tasks: list[engines.Task], time_limit: float | None) -> Any:
    """A worker that dies of what runs have in common."""
    if len(tasks) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return engines._work(place, tasks, time_limit)


class Frail(Local):
    """A pool whose workers bear single runs only."""

    def schedule(self, task: Callable[..., Any], *arguments: Any, runs: int = 1) -> Any:
        return super().schedule(fail_together, *arguments, runs=runs)


def test_runs_whose_common_past_fails_are_tried_alone(plan: Plan, finished: Path, tmp_path: Path) -> None:
    with Frail(2) as engine:
        assert drive(plan, tmp_path / "s", engine).computed == 6
    assert contents(tmp_path / "s") == contents(finished)


# ---- copies of a process -----------------------------------------------------------------------------------------


def test_a_copy_answers_and_touches_nothing() -> None:
    held = [1]
    assert in_a_copy(lambda: (held.append(2), len(held))[1]) == 2
    assert held == [1]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ZeroDivisionError("no\nway"), "ZeroDivisionError: no"),
        (
            KeyboardInterrupt(),
            "KeyboardInterrupt",
        ),  # no Exception: nothing on the way to the parent may take it for one
    ],
)
def test_a_copy_that_raises_is_told_in_one_line_and_with_its_traceback(raised: BaseException, told: str) -> None:
    def work() -> None:
        raise raised

    with pytest.raises(BranchFailedError) as caught:
        in_a_copy(work)
    assert str(caught.value) == told
    assert caught.value.trace.startswith("Traceback")
    assert type(raised).__name__ in caught.value.trace


def test_a_run_whose_copy_breaks_fails_with_what_broke_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*task: object) -> None:
        raise KeyboardInterrupt("in a copy")

    monkeypatch.setattr(engines, "_attempt", broken)
    task = engines.Task(0, configure("baseline", SMALL), tmp_path / "run")
    ending = engines._branch(task, NO_PAST, lambda done, days: None, None)
    assert (ending.state, ending.error) == ("failed", "KeyboardInterrupt: in a copy")
    assert ending.trace.startswith("Traceback")


def test_a_copy_that_dies_or_takes_too_long_is_cleared_away() -> None:
    gone: list[int] = []
    with pytest.raises(BranchFailedError, match="signal 9, SIGKILL"):
        in_a_copy(lambda: os.kill(os.getpid(), signal.SIGKILL), stopped=gone.append)
    with pytest.raises(TimeoutError):
        in_a_copy(lambda: time.sleep(60), seconds=0.2, stopped=gone.append)
    assert len(set(gone)) == 2
    for process in gone:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, 0)


def test_a_copy_ends_with_its_parent(tmp_path: Path) -> None:
    noted = tmp_path / "copy"
    script = (
        "import os, time\nfrom pathlib import Path\nfrom sim.branching import in_a_copy\n"
        f"in_a_copy(lambda: (Path({str(noted)!r}).write_text(str(os.getpid())), time.sleep(120)))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    until = time.monotonic() + 60
    while not (noted.exists() and noted.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    copy = int(noted.read_text())
    parent.kill()
    parent.wait()
    stat = Path(f"/proc/{copy}/stat")
    while time.monotonic() < until:
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the copy outlived its parent by a minute")
