"""How many runs an hour a sweep makes, what a run costs beside its simulation, and whether memory stays flat.

Run: python -m benchmarks.sweep [--sizes 20000x120 100000x365] [--scenarios 1 4] [--seeds 4] [--workers 2]
         [--overhead 200] [--write]

Runs go through the sweep's own driver and pool at `record=summary` with the default warm-up, which the scenarios of a
seed have in common: a sweep of one scenario shows what a run costs alone. Workers are warm when the
clock starts: each has computed a run. Wall time counts what else the machine does, processor time hardly does; both are
given, and `runs_an_hour_of_processor` is what as many idle cores as workers would make.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sim.engines import Local
from sim.runfolder import read_run_json
from sim.sweep.driver import drive
from sim.sweep.plan import Plan, plan_sweep

RESULTS = Path(__file__).parent / "results"
BARS = {(20_000, 120): 1_500, (100_000, 365): 400}  # runs an hour asked for on two cores
TINY = ("population.consumers=300", "firms.scale=0.1", "days=2", "warmup_days=0", "record=summary")
SCENARIOS = ("baseline", "tariff_reduction", "commission_cap", "ai_translation")
HOUR = 3600.0


def warm(engine: Local, folder: Path) -> None:
    """Every worker loads what is compiled."""
    drive(plan_sweep([*TINY, f"seed=range(1000,{1000 + 4 * engine.workers})"]), folder / "warm", engine)


def facts_of(plan: Plan, folder: Path) -> list[dict[str, Any]]:
    return [read_run_json(folder / "runs" / point.hash) for point in plan.points]


def throughput(consumers: int, days: int, seeds: int, scenarios: int, engine: Local, folder: Path) -> dict[str, Any]:
    """Runs an hour of one size, by the clock and by processor time."""
    chosen = ",".join(SCENARIOS[:scenarios])
    settings = [f"population.consumers={consumers}", f"days={days}", "record=summary", f"seed=range(1,{seeds + 1})"]
    plan = plan_sweep([*settings, f"scenario={chosen}"])
    place = folder / f"{consumers}x{days}x{scenarios}"
    start = time.perf_counter()
    summary = drive(plan, place, engine)
    took = time.perf_counter() - start
    if summary.failures:
        raise RuntimeError(next(iter(summary.failures.values())))
    facts = facts_of(plan, place)
    runs = len(facts)
    busy = sum(fact["cpu_seconds"] for fact in facts) / runs
    return {
        "consumers": consumers,
        "days": days,
        "warmup_days": plan.points[0].cfg.warmup_days,
        "scenarios": scenarios,
        "runs": runs,
        "workers": engine.workers,
        "seconds": took,
        "runs_an_hour": runs / took * HOUR,
        "processor_seconds_a_run": busy,
        "runs_an_hour_of_processor": engine.workers * HOUR / busy,
        "bar": BARS.get((consumers, days)),
        "peak_memory_mb": max(fact["peak_memory_mb"] for fact in facts),
        "load": round(os.getloadavg()[0], 1),
    }


def overhead(runs: int, folder: Path) -> dict[str, Any]:
    """Milliseconds a run beside its simulation, and memory of driver and worker after few and after many tiny runs.

    One warm worker: all that passes less what passes inside the runs, by the clock and by processor time.
    """
    with Local(1) as engine:
        drive(plan_sweep([*TINY, "seed=range(1000,1008)"]), folder / "warm-one", engine)
        plan = plan_sweep([*TINY, f"seed=range(0,{runs})"])
        marks: list[tuple[float, float]] = []  # time, memory of this process
        ended = 0

        def watch(progress: Any, line: str) -> None:
            nonlocal ended
            if progress.ended > ended:
                ended = progress.ended
                marks.append((time.perf_counter(), resident_mb()))

        start, busy, below = time.perf_counter(), time.process_time(), processor_seconds(children())
        drive(plan, folder / "tiny", engine, watch=watch)
        took, driver = time.perf_counter() - start, time.process_time() - busy
        workers = processor_seconds(children()) - below
    facts = facts_of(plan, folder / "tiny")
    inside = sum(fact["wall_seconds"] for fact in facts)
    busy_inside = sum(fact["cpu_seconds"] for fact in facts)
    early, late = facts[: max(1, runs // 5)], facts[-max(1, runs // 5) :]
    return {
        "runs": runs,
        "overhead_ms_a_run": (took - inside) / runs * 1e3,
        "overhead_processor_ms_a_run": (driver + workers - busy_inside) / runs * 1e3,
        "of_it_driver_ms": driver / runs * 1e3,
        "run_ms": inside / runs * 1e3,
        "driver_mb_at_a_fifth": marks[len(marks) // 5][1],
        "driver_mb_at_end": marks[-1][1],
        "worker_mb_early": max(fact["peak_memory_mb"] for fact in early),
        "worker_mb_late": max(fact["peak_memory_mb"] for fact in late),
    }


def children() -> list[Path]:
    """What the system tells of the processes below this one (Linux)."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, waiting = [], [os.getpid()]
    while waiting:
        parent = waiting.pop()
        below = [process for process, of in parents.items() if of == parent]
        found += below
        waiting += below
    return [Path(f"/proc/{process}/stat") for process in found]


def processor_seconds(processes: list[Path]) -> float:
    """Processor time of processes, in seconds."""
    ticks = 0
    for stat in processes:
        fields = stat.read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb() -> float:
    """Memory this process holds, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", default=["20000x120", "100000x365"], metavar="CONSUMERSxDAYS")
    parser.add_argument("--scenarios", nargs="*", type=int, default=[1, 4], choices=range(1, 5))
    parser.add_argument("--seeds", type=int, default=4, help="of each size")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--overhead", type=int, default=200, metavar="RUNS", help="tiny runs; 0: none")
    parser.add_argument("--write", action="store_true", help="write results/sweep.json")
    given = parser.parse_args()
    found: dict[str, Any] = {"throughput": []}
    with tempfile.TemporaryDirectory(prefix="livecommerce-bench-") as place:
        folder = Path(place)
        if given.sizes:
            with Local(given.workers) as engine:
                warm(engine, folder)
                for size in given.sizes:
                    consumers, days = (int(part) for part in size.split("x"))
                    for scenarios in given.scenarios:
                        one = throughput(consumers, days, given.seeds, scenarios, engine, folder)
                        found["throughput"].append(one)
                        print(json.dumps(one), flush=True)
        if given.overhead:
            found["overhead"] = overhead(given.overhead, folder)
            print(json.dumps(found["overhead"]), flush=True)
    if given.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "sweep.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
