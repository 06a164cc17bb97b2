"""A sweep computes what is missing, once, whatever happens on the way."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest

from sim import engines
from sim.engines import Ending, Inline, Job, Local, Tick, engine_of
from sim.errors import RunFolderError, UserError
from sim.experiment import configure, identity
from sim.runfolder import read_run_json
from sim.sweep.driver import MANIFEST, drive, read_manifest, status
from sim.sweep.plan import Plan, plan_sweep
from tests.sweep.tiny import REQUEST, TINY, contents


def test_the_manifest_says_what_every_run_is(plan: Plan, finished: Path) -> None:
    rows = read_manifest(finished)
    assert [row["hash"] for row in rows] == sorted(point.hash for point in plan.points)
    assert {row["state"] for row in rows} == {"done"}
    assert {path.name for path in (finished / "runs").iterdir() if path.name[0] != "."} == {row["hash"] for row in rows}
    assert status(finished)["done"] == 6


def test_the_manifest_alone_gives_every_run_s_name_and_hash(finished: Path) -> None:
    for row in read_manifest(finished)[:3]:
        me = identity(configure(overrides=row["overrides"]))
        assert (me.config, me.code) == (row["config_hash"], row["code_hash"])
        assert hashlib.sha256(f"{me.config}{me.code}".encode()).hexdigest().startswith(row["hash"])
        facts = read_run_json(finished / "runs" / row["hash"])
        assert (facts["config_hash"], facts["code_hash"], facts["seed"]) == (me.config, me.code, row["seed"])


def test_nothing_finished_is_computed_again(plan: Plan, finished: Path) -> None:
    before = contents(finished)
    stamps = {path: path.stat().st_mtime_ns for path in finished.rglob("run.json")}
    summary = drive(plan, finished, Inline())
    assert (summary.computed, summary.there) == (0, 6)
    assert contents(finished) == before
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("run.json")} == stamps


def test_a_pool_gives_the_same_tables_as_this_process(plan: Plan, finished: Path, tmp_path: Path) -> None:
    shuffled = Plan(plan.points[::-1])
    with Local(2) as engine:
        drive(shuffled, tmp_path / "pool", engine)
    assert contents(tmp_path / "pool") == contents(finished)


def test_more_seeds_and_shares_are_added_to_what_is_there(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    shutil.copytree(finished, folder)
    more = plan_sweep([*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.10", "seed=1,2,3"])
    summary = drive(more, folder, Inline())
    assert (summary.computed, summary.there) == (3, 6)
    assert len(read_manifest(folder)) == 9


def test_runs_that_cannot_be_compared_are_kept_apart(finished: Path) -> None:
    before = contents(finished)
    other = plan_sweep([*REQUEST[1:], "population.consumers=400"])
    with pytest.raises(RunFolderError, match=r"other settings .*population.consumers=300.*name another folder"):
        drive(other, finished, Inline())
    assert contents(finished) == before


class Failing(Inline):
    """Fails the tasks of one seed, as a run does that raises."""

    def run(self, jobs: Sequence[Job], tick: Tick | None = None) -> Iterator[Ending]:
        for index, job in enumerate(jobs):
            if job.cfg.seed == 2:
                yield Ending(index, "failed", error="ValueError: no", trace="Traceback: here")
            else:
                yield from (
                    Ending(index, ending.state, ending.was_done, seconds=ending.seconds)
                    for ending in super().run([job], tick)
                )


def test_a_failure_is_kept_with_its_traceback_and_retried_on_request(
    plan: Plan, finished: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    summary = drive(plan, tmp_path / "s", Failing(), watch=lambda progress, line: lines.append(line))
    assert len(summary.failures) == 3
    assert sum("ValueError: no" in line for line in lines) == 3
    state = status(tmp_path / "s")
    assert (state["done"], state["failed"], state["waiting"]) == (3, 3, 0)
    assert "Traceback: here" in Path(state["failures"][0]["file"]).read_text()
    assert len(drive(plan, tmp_path / "s", Inline()).failures) == 3  # kept, not repeated
    summary = drive(plan, tmp_path / "s", Inline(), retry=True)
    assert (summary.computed, summary.there, summary.failures) == (3, 3, {})
    assert contents(tmp_path / "s") == contents(finished)
    events = [json.loads(line)["event"] for line in (tmp_path / "s" / "events.jsonl").read_text().splitlines()]
    assert events.count("failed") == 3
    assert events.count("done") == 6


def test_two_drivers_share_one_sweep_and_repeat_nothing(plan: Plan, finished: Path, tmp_path: Path) -> None:
    summaries = []

    def work() -> None:
        with Local(1) as engine:
            summaries.append(drive(plan, tmp_path / "s", engine))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(summary.computed for summary in summaries) == 6
    assert all(summary.computed + summary.there == 6 for summary in summaries)
    assert contents(tmp_path / "s") == contents(finished)


def test_a_folder_of_something_else_is_left_as_it_is(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(RunFolderError, match="not a sweep"):
        drive(plan, tmp_path, Inline())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_manifest_is_named(plan: Plan, finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    shutil.copytree(finished, folder)
    (folder / MANIFEST).write_bytes(b"PAR1 and nothing else")
    with pytest.raises(RunFolderError, match="is damaged"):
        status(folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "locl"}, ("locl", "local")),
        ({"name": "local", "workers": -1}, ("--workers", "-1")),
        ({"name": "local", "time_limit": 0.0}, ("--time-limit",)),
        ({"name": "inline", "time_limit": 3.0}, ("--engine local",)),
        ({"name": "local", "address": "here"}, ("--address", "ray")),
    ],
)
def test_an_engine_that_cannot_be_is_refused(arguments: dict[str, object], words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as caught:
        engine_of(**arguments)  # type: ignore[arg-type]
    assert all(word in str(caught.value) for word in words)


def test_what_a_cluster_sends_back_is_the_same_run(plan: Plan, finished: Path, tmp_path: Path) -> None:
    """Computes away from the folder and commits from bytes, as the cluster engines do."""

    class Away(engines._Cluster):
        def __init__(self) -> None:
            super().__init__(1, None, None)
            self.held: dict[int, tuple[Ending, bytes]] = {}

        def __enter__(self) -> Self:
            return self

        def _slots(self) -> int:
            return 1

        def _submit(self, index: int, cfg: object) -> int:
            self.held[index] = engines.compute_away(index, cfg)  # type: ignore[arg-type]
            return index

        def _ended(self, handles: list[int]) -> list[int]:
            return handles

        def _result(self, handle: int) -> tuple[Ending, bytes]:
            return self.held.pop(handle)

    summary = drive(plan, tmp_path / "away", Away())  # type: ignore[arg-type]
    assert summary.computed == 6
    assert contents(tmp_path / "away") == contents(finished)
