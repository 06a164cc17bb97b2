"""A process that dies takes only its own job with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.branching import in_a_copy
from sim.engines import Ending, Local
from sim.runfolder import forget_writer, writing


def square(number: int) -> list[Ending]:
    return [Ending(number, "done", error=str(number * number))]


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number: int) -> None:
    raise ValueError(f"job {number}")


def test_a_killed_worker_and_a_raising_job_spare_the_others() -> None:
    with Local(2) as engine:
        futures = [engine.schedule(task, n) for n, task in enumerate((square, die, square, fail, square, square))]
        endings = [engine.endings([n], future)[0] for n, future in enumerate(futures)]
    assert [ending.error for ending in endings if ending.state == "done"] == ["0", "4", "16", "25"]
    assert "ProcessExpired" in endings[1].error
    assert endings[3].error == "ValueError: job 3"


def test_a_task_that_hangs_is_stopped_and_spares_the_others() -> None:
    with Local(2, time_limit=1.0) as engine:
        futures = [engine.schedule(sleep, 60), engine.schedule(square, 1)]
        endings = [engine.endings([n], future)[0] for n, future in enumerate(futures)]
    assert endings[0].state == "failed"
    assert endings[0].error == "took longer than 1 s and was stopped"
    assert endings[1].state == "done"


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def test_an_interrupt_stops_the_pool_at_once() -> None:
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Local(1) as engine:
        engine.schedule(sleep, 60)
        raise KeyboardInterrupt
    assert time.monotonic() - start < 20


def write_and_sleep(folder: str) -> None:
    with writing(Path(folder) / "run") as temporary:
        (temporary / "table").touch()
        time.sleep(60)


def write_in_a_copy(folder: str) -> None:
    run = Path(folder) / "run"
    in_a_copy(lambda: write_and_sleep(folder), stopped=lambda process: forget_writer(run, process))


@pytest.mark.parametrize("task", [write_and_sleep, write_in_a_copy])
@pytest.mark.parametrize("time_limit", [None, 1.0])
def test_a_worker_that_is_stopped_leaves_nothing_half_written(
    tmp_path: Path, time_limit: float | None, task: Callable[[str], None]
) -> None:
    with contextlib.suppress(KeyboardInterrupt), Local(1, time_limit) as engine:
        future = engine.schedule(task, str(tmp_path))
        until = time.monotonic() + 60
        while not list(tmp_path.glob(".run.tmp-*/table")) and not future.done() and time.monotonic() < until:
            time.sleep(0.01)
        if time_limit is None:
            raise KeyboardInterrupt
        assert engine.endings([0], future)[0].state == "failed"
    assert list(tmp_path.iterdir()) == []


def note_and_sleep(folder: str) -> None:
    (Path(folder) / "worker").write_text(str(os.getpid()))
    time.sleep(120)


def alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the process table of Linux")
def test_a_killed_driver_leaves_no_work_behind(tmp_path: Path) -> None:
    driver = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from sim.engines import Local\nfrom tests.test_pool import note_and_sleep\n"
            f"with Local(1) as engine:\n    engine.schedule(note_and_sleep, {str(tmp_path)!r}).result()",
        ],
        cwd=Path(__file__).parents[1],
    )
    noted = tmp_path / "worker"
    for _ in range(300):
        if noted.exists() and noted.read_text():
            break
        time.sleep(0.1)
    worker = int(noted.read_text())
    assert alive(worker)
    driver.kill()
    driver.wait()
    for _ in range(100):
        if not alive(worker):
            return
        time.sleep(0.1)
    pytest.fail("the worker outlived its driver by ten seconds")
