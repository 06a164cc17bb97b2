"""A sweep on a cluster of this machine, with a worker killed on the way, against the same sweep in the local pool.

Run: python -m benchmarks.cluster [--engine ray] [--runs 200] [--kill-at 60]      needs livecommerce[cluster]

Status 1 when a table or the manifest differs from the pool's, or a run was lost.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sim.engines import engine_of
from sim.sweep.driver import Summary, drive
from sim.sweep.plan import Plan, plan_sweep

TINY = ("population.consumers=300", "firms.scale=0.1", "days=2", "warmup_days=1", "record=summary")


def contents(folder: Path) -> dict[str, bytes]:
    """Tables of all runs and the manifest."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.parquet")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def descendants(process: int) -> list[int]:
    """Processes that `process` and those below it have started (Linux)."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, waiting = [], [process]
    while waiting:
        parent = waiting.pop()
        below = [child for child, of in parents.items() if of == parent]
        found += below
        waiting += below
    return found


def a_worker(engine: Any, name: str) -> int:
    """A process of the cluster that is computing runs."""
    if name == "dask":
        return int(next(iter(engine._client.run(os.getpid).values())))
    for process in descendants(os.getpid()):
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        if command.startswith(b"ray::compute_away"):
            return process
    raise RuntimeError("no worker of the cluster is at work")


def timed(plan: Plan, folder: Path, name: str, workers: int, kill_at: int) -> tuple[Summary, float, int]:
    """A sweep's outcome, its seconds from the first task on, and the process that was killed (0: none)."""
    killed = 0
    with engine_of(name, workers) as engine:

        def watch(progress: Any, line: str) -> None:
            nonlocal killed
            if line:
                print(line, flush=True)
            if kill_at and not killed and progress.ended >= kill_at:
                killed = a_worker(engine, name)
                os.kill(killed, signal.SIGKILL)

        start = time.perf_counter()
        summary = drive(plan, folder, engine, watch=watch)
        return summary, time.perf_counter() - start, killed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["ray", "dask"], default="ray")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-at", type=int, default=60, metavar="RUNS", help="kill a worker after so many runs")
    given = parser.parse_args()
    plan = plan_sweep([*TINY, "scenario=commission_cap", f"seed=range(0,{given.runs // 2})"])
    with tempfile.TemporaryDirectory(prefix="livecommerce-cluster-") as place:
        there, seconds, killed = timed(plan, Path(place) / given.engine, given.engine, given.workers, given.kill_at)
        here, pool_seconds, _ = timed(plan, Path(place) / "local", "local", given.workers, 0)
        one, other = contents(Path(place) / given.engine), contents(Path(place) / "local")
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    print(
        json.dumps(
            {
                "engine": given.engine,
                "runs": there.runs,
                "computed": there.computed,
                "failed": len(there.failures),
                "workers_killed": int(killed > 0),
                "seconds": round(seconds, 1),
                "pool_seconds": round(pool_seconds, 1),
                "files_compared": len(one),
                "differing": differing[:5],
            },
            indent=1,
        )
    )
    return int(bool(differing) or there.computed != there.runs or here.computed != here.runs)


if __name__ == "__main__":
    sys.exit(main())
