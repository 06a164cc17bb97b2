"""The whole model: seconds a simulated day by number of consumers and threads, and where they go.

Run: python -m benchmarks.world [--profile [--deep]] [--consumers 20000] [--days 63] [--threads 1]
     python -m benchmarks.world --growth [--quick] [--ten-million] [--write]

A measurement is one fresh process: it builds the world, lets it settle until orders and receivables are as many as they
stay, and measures whole weeks after that. Profiles wrap the methods of the world's parts with a clock and count each
second once, where it was spent (a method's time is without that of the wrapped methods it calls).
"""

from __future__ import annotations

import argparse
import functools
import inspect
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
WEEK = 7
SETTLING, MEASURED = 42, 21  # days: the slowest parcels and payouts are through after six weeks
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
TEN_MILLION = 10_000_000
TWO_THREADS_FROM = 100_000  # below this the model itself uses one thread

# parts of the day, as the budget for a million consumers and 455 days names them, seconds
BUDGET = {
    "start and build": 8.0,
    "consumers": 30.0,
    "orders, logistics, money": 8.0,
    "firms": 3.0,
    "record and checks": 4.0,
    "in hand": 7.0,
}
_PART_OF_MODULE = {
    "sim.day.attention": "consumers: opening",
    "sim.day.shopping": "consumers: sessions",
    "sim.day.opinion": "consumers: opinion",
    "sim.day.aftersales": "consumers: opinion",
    "sim.day.checkout": "orders, logistics, money",
    "sim.day.settlement": "orders, logistics, money",
    "sim.day.fulfilment": "orders, logistics, money",
    "sim.day.levers": "orders, logistics, money",
    "sim.clock": "orders, logistics, money",
    "sim.state.orders": "orders, logistics, money",
    "sim.state.ledger": "orders, logistics, money",
    "sim.day.supply": "firms",
    "sim.day.adaptation": "firms",
    "sim.state.market": "firms",
    "sim.calendar": "firms",
    "sim.interventions": "firms",
    "sim.day.logbook": "record and checks",
    "sim.record": "record and checks",
    "sim.build": "record and checks",
    "sim.world": "the world itself",
}
_CHECKS = ("check", "open_day", "close_daypart", "free_finished", "flows_today", "balance")  # of any part
PARTS = tuple(dict.fromkeys(_PART_OF_MODULE.values()))


def part_of(module: str, method: str) -> str:
    """The part of the day a method's time is counted to."""
    if method in _CHECKS and module in ("sim.state.orders", "sim.state.ledger", "sim.day.fulfilment",
                                        "sim.day.checkout", "sim.day.settlement"):  # fmt: skip
        return "record and checks"
    if module == "sim.world" and method == "check":
        return "record and checks"
    for known, part in _PART_OF_MODULE.items():
        if module == known or module.startswith(known + "."):
            return part
    return "the world itself"


@dataclass
class Profile:
    """Seconds and calls by (module, class, method), each second once."""

    seconds: dict[tuple[str, str, str], float] = field(default_factory=dict)
    calls: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _inner: list[float] = field(default_factory=list)

    def wrap(self, where: tuple[str, str, str], function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a clock around it."""
        self.seconds[where], self.calls[where] = 0.0, 0
        inner = self._inner

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            inner.append(0.0)
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - start
                self.seconds[where] += took - inner.pop()
                self.calls[where] += 1
                if inner:
                    inner[-1] += took

        return timed

    def forget(self) -> None:
        """Back to zero."""
        self.seconds = dict.fromkeys(self.seconds, 0.0)
        self.calls = dict.fromkeys(self.calls, 0)

    def by_part(self) -> dict[str, float]:
        """Seconds by part of the day."""
        found = dict.fromkeys(PARTS, 0.0)
        for (module, _, method), seconds in self.seconds.items():
            found[part_of(module, method)] += seconds
        return found

    def rows(self, days: int) -> list[dict[str, Any]]:
        """Milliseconds and calls a day by method, slowest first; what was never called is left out."""
        return [
            {
                "part": part_of(module, method),
                "method": f"{owner}.{method}",
                "ms_a_day": seconds / days * 1e3,
                "calls_a_day": self.calls[module, owner, method] / days,
            }
            for (module, owner, method), seconds in sorted(self.seconds.items(), key=lambda item: -item[1])
            if self.calls[module, owner, method]
        ]


def watch(world: Any, deep: bool) -> Profile:
    """Puts clocks on the methods of the world and of its parts.

    Public methods of the parts, all methods of the world; with `deep` those with an underscore in all parts.
    """
    profile = Profile()
    parts = [world, *vars(world).values(), world.recorder.tally]
    owners = dict.fromkeys(type(part) for part in parts if type(part).__module__.startswith("sim."))
    for owner in owners:
        if not any(owner.__module__ == known or owner.__module__.startswith(known + ".") for known in _PART_OF_MODULE):
            continue
        for name, member in list(vars(owner).items()):
            hidden = name.startswith("_") and not (deep or owner is type(world))
            if hidden or name.startswith("__") or name == "run":
                continue
            plain = member.__func__ if isinstance(member, staticmethod) else member
            if not inspect.isfunction(plain) or inspect.isgeneratorfunction(plain):
                continue
            timed = profile.wrap((owner.__module__, owner.__name__, name), plain)
            setattr(owner, name, staticmethod(timed) if isinstance(member, staticmethod) else timed)
    return profile


def weekly_mean(seconds: Sequence[float]) -> float:
    """Seconds of a mean day: the median over the weeks of each weekday, then the mean over weekdays."""
    weeks = len(seconds) // WEEK
    if weeks == 0:
        return float(np.median(seconds))
    table = np.array(seconds[-weeks * WEEK :]).reshape(weeks, WEEK)
    return float(np.median(table, axis=0).mean())


def peak_bytes() -> int:
    """The most memory this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_bytes() -> int:
    """What this process holds now; the peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return peak_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")


def one(consumers: int, settling: int, measured: int, threads: int, profiled: bool, deep: bool) -> dict[str, Any]:
    """Build, settle and measure one world in this process."""
    start = time.perf_counter()
    import numba

    from benchmarks.held import breakdown
    from sim.experiment import configure
    from sim.world import World

    imported = time.perf_counter()
    numba.set_num_threads(min(threads, int(numba.config.NUMBA_NUM_THREADS)))
    days = settling + measured
    cfg = configure("baseline", [f"population.consumers={consumers}", f"days={days}", "warmup_days=0", "seed=1"])
    before = resident_bytes()
    building = time.perf_counter()
    world = World(cfg)
    built = time.perf_counter()
    world.step()
    first = time.perf_counter()
    for _ in range(1, settling):
        world.step()
    profile = watch(world, deep) if profiled else None
    from sim.record.schema import Measure

    placed = int(world.tally.totals[Measure.ORDERS].sum())
    visits = int(world.tally.totals[Measure.ROOM_VISITS].sum())
    wall: list[float] = []
    cpu = -time.process_time()
    for _ in range(measured):
        day = time.perf_counter()
        world.step()
        wall.append(time.perf_counter() - day)
    cpu += time.process_time()
    found: dict[str, Any] = {
        "consumers": consumers,
        "threads": threads,
        "settling_days": settling,
        "measured_days": measured,
        "import_seconds": imported - start,
        "build_seconds": built - building,
        "first_day_seconds": first - built,
        "to_first_day_seconds": first - start,
        "day_seconds": weekly_mean(wall),
        "day_seconds_each": [round(seconds, 6) for seconds in wall],
        "cpu_seconds_a_day": cpu / measured,
        "orders_a_day": (int(world.tally.totals[Measure.ORDERS].sum()) - placed) / measured,
        "visits_a_day": (int(world.tally.totals[Measure.ROOM_VISITS].sum()) - visits) / measured,
        "open_orders": world.open_orders(),
        "resident_bytes_before": before,
        "resident_bytes": resident_bytes(),
        "peak_bytes": peak_bytes(),
        "memory": breakdown(world),
    }
    if profile is not None:
        found["parts_seconds_a_day"] = {name: seconds / measured for name, seconds in profile.by_part().items()}
        found["methods"] = profile.rows(measured)
    return found


def measure(
    consumers: int,
    threads: int = 1,
    settling: int = SETTLING,
    measured: int = MEASURED,
    profiled: bool = True,
    deep: bool = False,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """One world in a fresh process.

    Raises:
        RuntimeError: it ended badly; with its last words.
    """
    command = [sys.executable, "-m", "benchmarks.world", "--one", "--consumers", str(consumers), "--threads",
               str(threads), "--settling", str(settling), "--days", str(measured)]  # fmt: skip
    command += ["--profile"] if profiled else []
    command += ["--deep"] if deep else []
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["process_seconds"] = time.perf_counter() - start
    return found


def median_of(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The run whose day is the median one, with the spread of all."""
    ordered = sorted(runs, key=lambda run: float(run["day_seconds"]))
    middle = dict(ordered[(len(ordered) - 1) // 2])
    middle["day_seconds_of_runs"] = [run["day_seconds"] for run in ordered]
    return middle


def straight(size: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of seconds over size, by least squares of relative errors."""
    seconds = np.maximum(seconds, 1e-9)
    design = np.stack([1 / seconds, size / seconds], axis=1)
    (intercept, slope), *_ = np.linalg.lstsq(design, np.ones(size.size), rcond=None)
    return float(intercept), float(slope)


def line(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Seconds a day = intercept + slope x consumers, for the day and for each of its parts."""
    size, seconds = np.array([(run["consumers"], run["day_seconds"]) for run in runs], float).T
    intercept, slope = straight(size, seconds)
    parts = {}
    for part in PARTS:
        fixed, growing = straight(size, np.array([run["parts_seconds_a_day"][part] for run in runs], float))
        parts[part] = {"fixed_ms_a_day": fixed * 1e3, "ns_a_consumer_day": growing * 1e9}
    return {
        "intercept_ms_a_day": intercept * 1e3,
        "intercept_seconds_a_year": intercept * 365,
        "slope_ns_a_consumer_day": slope * 1e9,
        "slope_between_sizes_ns": [float(value) * 1e9 for value in np.diff(seconds) / np.diff(size)],
        "parts": parts,
    }


def growth(
    sizes: Sequence[int], repeats: int, settling: int, measured: int, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Every size on one thread, and on two from where the model uses two; medians of `repeats`, taken in turns.

    Ten million are measured once, on two threads, for a week after three: each of their days takes seconds.
    """
    plan = [(size, 1) for size in sizes if size < TEN_MILLION]
    plan += [(size, 2) for size in sizes if size >= TWO_THREADS_FROM]
    runs: dict[tuple[int, int], list[dict[str, Any]]] = {key: [] for key in plan}
    for turn in range(repeats):  # in turns, so that a disturbance of some minutes meets all sizes alike
        for size, threads in plan:
            if turn and size >= TEN_MILLION:
                continue
            few = size >= TEN_MILLION
            found = measure(size, threads, 3 * WEEK if few else settling, WEEK if few else measured)
            runs[size, threads].append(found)
            say(
                f"{size:>10,} consumers, {threads} thread{'s' if threads > 1 else ' '}:"
                f" {found['day_seconds'] * 1e3:8.1f} ms a day, {found['day_seconds'] / size * 1e9:6.0f} ns a"
                f" consumer-day, built in {found['build_seconds']:.1f} s, peak {found['peak_bytes'] / 1e6:,.0f} MB"
            )
    medians = {key: median_of(found) for key, found in runs.items()}
    fits: dict[str, Any] = {}
    for threads in (1, 2):
        of_these = [medians[key] for key in plan if key[1] == threads]
        if len(of_these) > 1:
            fits[str(threads)] = line(of_these)
    return {"runs": [medians[key] for key in plan], "fits": fits}


def whole_process(consumers: int, days: int, warmup: int, threads: int, folder: Path) -> dict[str, Any]:
    """One command from start to a finished run folder, as a user waits for it."""
    command = [sys.executable, "-m", "sim", "run", "scenario=baseline", f"population.consumers={consumers}",
               f"days={days}", f"warmup_days={warmup}", f"threads={threads}", "record=daily", "seed=1",
               "--out", str(folder), "--json"]  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"the run of {consumers} consumers failed: {done.stderr[-2000:]}")
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {
        "consumers": consumers,
        "days": days,
        "warmup_days": warmup,
        "threads": threads,
        "seconds": took,
        "peak_bytes": facts["peak_memory_mb"] * 1e6,
        "folder_bytes": sum(file.stat().st_size for file in folder.iterdir()),
    }


def show(found: dict[str, Any], least_ms: float = 0.02) -> None:
    """Prints a profile."""
    days = found["day_seconds"] * 1e3
    print(
        f"{found['consumers']:,} consumers, {found['threads']} thread(s): {days:.2f} ms a day"
        f" ({found['cpu_seconds_a_day'] * 1e3:.2f} ms of processor time),"
        f" {found['orders_a_day']:.0f} orders a day, {found['open_orders']:,} open orders;"
        f" built in {found['build_seconds']:.2f} s, first day {found['first_day_seconds']:.2f} s"
    )
    for part, seconds in found["parts_seconds_a_day"].items():
        print(f"  {part:28s}{seconds * 1e3:9.3f} ms  {seconds * 1e3 / days:6.1%}")
    print(f"\n  {'method':44s}{'ms a day':>10s}{'calls':>9s}{'us a call':>11s}")
    for row in found["methods"]:
        if row["ms_a_day"] >= least_ms:
            print(
                f"  {row['method']:44s}{row['ms_a_day']:10.3f}{row['calls_a_day']:9.1f}"
                f"{row['ms_a_day'] / row['calls_a_day'] * 1e3:11.1f}   {row['part']}"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consumers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=MEASURED, help="days measured, whole weeks")
    parser.add_argument("--settling", type=int, default=SETTLING, help="days before them")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="time by method of one world")
    parser.add_argument("--deep", action="store_true", help="hidden methods too")
    parser.add_argument("--growth", action="store_true", help="10 k to 1 M consumers")
    parser.add_argument("--quick", action="store_true", help="three small sizes, one week, once")
    parser.add_argument("--ten-million", action="store_true", help="10 M consumers too (about 5 GB)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write results/world.json")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.consumers, given.settling, given.days, given.threads, given.profile, given.deep)))
        return 0
    if given.growth:
        sizes = SIZES[:3] if given.quick else SIZES + ((TEN_MILLION,) if given.ten_million else ())
        settling, measured = (14, WEEK) if given.quick else (SETTLING, MEASURED)
        found = growth(sizes, 1 if given.quick else given.repeats, settling, measured)
        print(json.dumps(found["fits"], indent=1))
        if given.write:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / "world.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return 0
    show(measure(given.consumers, given.threads, given.settling, given.days, deep=given.deep))
    return 0


if __name__ == "__main__":
    sys.exit(main())
