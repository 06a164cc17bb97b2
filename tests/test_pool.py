"""A process that dies takes only its own job with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.config import RunConfig
from sim.experiment import Job, _outcome, _pool, configure


def square(number: int) -> tuple[bool, str]:
    return False, str(number * number)


def die(number: int) -> tuple[bool, str]:
    os.kill(os.getpid(), signal.SIGKILL)
    return False, ""


def fail(number: int) -> tuple[bool, str]:
    raise ValueError(f"job {number}")


@pytest.fixture
def cfg() -> RunConfig:
    return configure(overrides=["days=1", "warmup_days=0"])


def test_a_killed_worker_and_a_raising_job_spare_the_others(cfg: RunConfig, tmp_path: Path) -> None:
    job = Job(cfg, tmp_path / "run")
    with _pool(2, 6) as (pool, _):
        futures = [pool.schedule(task, args=[n]) for n, task in enumerate((square, die, square, fail, square, square))]
        outcomes = [_outcome(future, job) for future in futures]
    assert [outcome.error for outcome in outcomes if outcome.error.isdigit()] == ["0", "4", "16", "25"]
    assert "ProcessExpired" in outcomes[1].error
    assert outcomes[3].error == "ValueError: job 3"


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def test_an_interrupt_stops_the_pool_at_once() -> None:
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), _pool(1, 1) as (pool, _):
        pool.schedule(sleep, args=[60])
        raise KeyboardInterrupt
    assert time.monotonic() - start < 20


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
            "from sim.experiment import _pool\nfrom tests.test_pool import note_and_sleep\n"
            f"with _pool(1, 1) as (pool, _):\n    pool.schedule(note_and_sleep, args=[{str(tmp_path)!r}]).result()",
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
