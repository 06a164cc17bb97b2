"""All benchmarks in one run, and docs/performance.md made from them.

Run: python -m benchmarks [--quick] [--ten-million] [--repeats 3] [--threads 2] [--write]
     python -m benchmarks --pages          only make docs/performance.md again from benchmarks/results

Nothing here passes or fails: numbers depend on the machine and on what else it does. Ratios are taken within one run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import held, logistics, sweep, world
from sim import provenance
from sim.engines import Local

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "performance.md"
MILLION = 1_000_000
WARMUP, YEAR = 90, 365
MB = 1e6


def machine() -> dict[str, Any]:
    """What the numbers depend on, without names."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (OSError, ValueError):
        total = float("nan")
    versions = provenance.versions()
    return {
        "date": date.today().isoformat(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "memory_gb": round(total),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {name: versions[name] for name in ("python", "numpy", "numba", "llvmlite", "mesa", "simpy")},
        "code_hash": provenance.code_hash(),
    }


def cold_and_warm(consumers: int) -> dict[str, Any]:
    """Seconds from a process's start to the end of its first day: nothing compiled yet, then all compiled."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"NUMBA_CACHE_DIR": folder}
        found = {"consumers": consumers}
        for name in ("cold", "warm"):
            run = world.measure(consumers, 1, 1, 1, profiled=False, environment=environment)
            found[name] = {
                key: run[key]
                for key in ("import_seconds", "build_seconds", "first_day_seconds", "to_first_day_seconds")
            }
        found["compiled_bytes"] = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return found


def against_mesa(mesa: int, kernels: int, days: int, threads: int) -> dict[str, Any]:
    """The comparison with ordinary Mesa objects, `benchmarks.consumer_day`; its exit status says whether it agrees."""
    command = [sys.executable, "-m", "benchmarks.consumer_day", "--mesa", str(mesa), "--kernels", str(kernels),
               "--days", str(days), "--threads", str(threads)]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    start = done.stdout.find("{")
    if start < 0:
        raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout[start:])
    found["status"] = done.returncode
    return found


def run_all(given: argparse.Namespace, keep: Callable[[str, Any], None]) -> None:
    """Every benchmark; `keep` is told each result as soon as it is there."""
    keep("machine", machine())
    quick = given.quick
    print("cold start", flush=True)
    keep("start", cold_and_warm(5_000 if quick else 20_000))
    print("growth with consumers", flush=True)
    sizes = world.SIZES[:3] if quick else world.SIZES + ((world.TEN_MILLION,) if given.ten_million else ())
    settling, measured = (14, 7) if quick else (world.SETTLING, world.MEASURED)
    grown = world.growth(sizes, 1 if quick else given.repeats, settling, measured)
    keep("world", grown)
    single = [run for run in grown["runs"] if run["threads"] == 1 and run["consumers"] <= MILLION]
    keep("memory", {"consumers": [single[0]["consumers"], single[-1]["consumers"]],
                    **held.per_head(single[0], single[-1])})  # fmt: skip
    keep("logistics", logistics.per_order(single[-2], single[-1]))
    print("against Mesa objects", flush=True)
    people = (2_000, 50_000, 3) if quick else (20_000, MILLION, 10)
    keep("consumer_day", against_mesa(*people, threads=given.threads))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        print("whole process", flush=True)
        many, days, warmup = (20_000, 14, 7) if quick else (MILLION, YEAR, WARMUP)
        keep("process", world.whole_process(many, days, warmup, given.threads, folder / "whole"))
        print("sweeps", flush=True)
        plans = [(2_000, 14, 2)] if quick else [(20_000, 120, 4), (100_000, YEAR, 2)]
        with Local() as engine:
            sweep.warm(engine, folder)
            keep("sweeps", [
                sweep.throughput(*plan, scenarios, engine, folder) for plan in plans for scenarios in (1, 4)
            ])  # fmt: skip


# --- the page -------------------------------------------------------------------------------------------------------


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows), ""]


def page(found: dict[str, Any]) -> str:
    """docs/performance.md from the results."""
    here = found["machine"]
    runs, fits = found["world"]["runs"], found["world"]["fits"]
    versions = ", ".join(f"{name} {number}" for name, number in here["versions"].items())
    lines = [
        "# Speed and memory",
        "",
        "<!-- made by `python -m benchmarks --write` from benchmarks/results: change benchmarks/__main__.py -->",
        "",
        *_wrapped(
            f"Measured on {here['date']} on {here['cores']} shared virtual cores ({here['architecture']},"
            f" {here['system']}), {here['memory_gb']} GB; {versions}; code {here['code_hash'][:8]}; load before the"
            f" start {here['load_before']}. Absolute times swing by a third on such machines; ratios hold, because both"
            " sides of each are taken in the same run. Times are medians: of whole weeks within a run, and of the runs."
            " Every measurement is a process of its own."
        ),
        "",
        "## What was to be reached",
        "",
        *_bars(found),
        *_growth(runs, fits),
        *_profile(found),
        *_memory(found),
        *_orders(found),
        *_mesa(found),
        *_start(found),
        "## What limits it",
        "",
        *_limits(found),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _wrapped(text: str, prefix: str = "") -> list[str]:
    return textwrap.wrap(text, 120, initial_indent=prefix, subsequent_indent=" " * len(prefix))


def _largest(found: dict[str, Any], threads: int) -> dict[str, Any]:
    """The largest measured world of at most a million consumers."""
    runs = [run for run in found["world"]["runs"] if run["consumers"] <= MILLION]
    of_these = [run for run in runs if run["threads"] == threads] or runs
    return dict(max(of_these, key=lambda run: int(run["consumers"])))


def _bars(found: dict[str, Any]) -> list[str]:
    two, process, start = _largest(found, 2), found["process"], found["start"]
    mesa, held, orders = found["consumer_day"], found["memory"], found["logistics"]
    fit = found["world"]["fits"].get("1", {})
    rows: list[tuple[Any, ...]] = [
        (f"complete model, ns a consumer-day, {two['consumers']:,} consumers, {two['threads']} threads",
         f"{two['day_seconds'] / two['consumers'] * 1e9:.0f}", "100", "40"),
        (f"whole process, {process['consumers']:,} consumers x ({process['warmup_days']} + {process['days']}) days, s",
         f"{process['seconds']:.1f}", "60", "25"),
        ("the same consumer rules as Mesa objects, times as slow", f"{_number(mesa, 'ratio'):,.0f}", "100", "400"),
        ("bytes a consumer, graph included", f"{held['columns and graph, a consumer']:.0f}", "160", "128"),
        ("open orders and receivables, bytes a consumer on top", f"{held['all that waits, a consumer']:.0f}", "250",
         "150"),
        (f"world and graph of {two['consumers']:,}, s", f"{two['build_seconds']:.1f}", "5", "1"),
        (f"logistics and payments, ns an order ({orders['threads']} thread)", f"{orders['ns_an_order']:.0f}", "500",
         "150"),
        ("first day from the start of the process, kernels cached, s",
         f"{start['warm']['to_first_day_seconds']:.1f}", "3", "1"),
    ]  # fmt: skip
    if fit:
        rows.append(("fixed cost, s a simulated year", f"{fit['intercept_seconds_a_year']:.1f}", "4", "-"))
    bars = {(100_000, YEAR): ("400", "2,000"), (20_000, 120): ("1,500", "6,000")}
    for one in found["sweeps"]:
        bar, dream = bars.get((one["consumers"], one["days"]), ("-", "-"))
        what = f"{one['consumers']:,} consumers x ({one['warmup_days']} + {one['days']}) days"
        shared = f", {one['scenarios']} scenarios with a common warm-up" if one["scenarios"] > 1 else ""
        what = f"sweep, {what}{shared}, runs an hour on {one['workers']} cores"
        rows.append((what, f"{one['runs_an_hour']:,.0f}", bar, dream))
    ten = [run for run in found["world"]["runs"] if run["consumers"] == world.TEN_MILLION]
    for run in ten:
        rows.append((f"10 M consumers, s a day, {run['threads']} thread(s)", f"{run['day_seconds']:.2f}", "1", "0.4"))
        rows.append((f"10 M consumers, peak GB, {run['threads']} thread(s)", f"{run['peak_bytes'] / 1e9:.1f}", "5",
                     "3"))  # fmt: skip
    return _table(("", "measured", "bar", "dream"), rows)


def _growth(runs: list[dict[str, Any]], fits: dict[str, Any]) -> list[str]:
    first, last = runs[0], runs[-1]
    few = ""
    if last["settling_days"] != first["settling_days"]:
        few = (
            f" {last['consumers']:,} settled for {last['settling_days']} days only and {last['measured_days']} were"
            " measured: not all orders that will lie open are there yet."
        )
    lines = [
        "## Growth with the number of consumers",
        "",
        *_wrapped(
            f"Worlds settled for {first['settling_days']} days, then {first['measured_days']} days measured. Two"
            f" threads are used from {world.TWO_THREADS_FROM:,} consumers on; below that they wait for each other."
            f"{few}"
        ),
        "",
        *_table(
            ("consumers", "threads", "ms a day", "spread of runs", "ns a consumer-day", "processor ms a day",
             "orders a day", "build s", "peak MB"),
            [(f"{run['consumers']:,}", run["threads"], f"{run['day_seconds'] * 1e3:,.1f}",
              f"{run['day_seconds_of_runs'][0] * 1e3:,.1f} to {run['day_seconds_of_runs'][-1] * 1e3:,.1f}",
              f"{run['day_seconds'] / run['consumers'] * 1e9:,.0f}", f"{run['cpu_seconds_a_day'] * 1e3:,.1f}",
              f"{run['orders_a_day']:,.0f}", f"{run['build_seconds']:.1f}", f"{run['peak_bytes'] / MB:,.0f}")
             for run in runs],
        ),
    ]  # fmt: skip
    for threads, fit in fits.items():
        between = ", ".join(f"{value:.0f}" for value in fit["slope_between_sizes_ns"])
        lines += [
            *_wrapped(
                f"{threads} thread(s): {fit['slope_ns_a_consumer_day']:.0f} ns for each consumer and day on top of"
                f" {fit['intercept_ms_a_day']:.1f} ms a day ({fit['intercept_seconds_a_year']:.1f} s a simulated year)"
                f" for firms, SimPy, record and everything else that does not know how many people there are. Between"
                f" neighbouring sizes: {between} ns.",
                "- ",
            )
        ]
    if {"1", "2"} <= fits.keys():
        gains = [
            f"{one['day_seconds'] / two['day_seconds']:.2f} at {one['consumers']:,}"
            for two in runs if two["threads"] == 2
            for one in runs if one["threads"] == 1 and one["consumers"] == two["consumers"]
        ]  # fmt: skip
        lines += _wrapped(f"Two threads against one: {', '.join(gains)} times as fast.", "- ")
    return [*lines, ""]


def _group(part: str) -> str:
    return part.split(":")[0]


def _profile(found: dict[str, Any]) -> list[str]:
    run, process = _largest(found, 2), found["process"]
    days = process["days"] + process["warmup_days"]
    parts = run["parts_seconds_a_day"]
    whole = sum(parts.values())
    sums: dict[str, float] = {}
    for part, seconds in parts.items():
        sums[_group(part)] = sums.get(_group(part), 0.0) + seconds
    rows: list[tuple[Any, ...]] = []
    for part, seconds in parts.items():
        budget = world.BUDGET.get(part, "")
        rows.append((part, f"{seconds * 1e3:.1f}", f"{seconds / whole:.1%}", f"{seconds * days:.1f}", budget))
    rows.append(("consumers together", f"{sums['consumers'] * 1e3:.1f}", f"{sums['consumers'] / whole:.1%}",
                 f"{sums['consumers'] * days:.1f}", world.BUDGET["consumers"]))  # fmt: skip
    before = run["import_seconds"] + run["build_seconds"]
    rows.append(("start and build", "", "", f"{before:.1f}", world.BUDGET["start and build"]))
    rows.append(("sum", f"{whole * 1e3:.1f}", "", f"{whole * days + before:.1f}", sum(world.BUDGET.values())))
    slowest = [
        (f"`{row['method']}`", row["part"], f"{row['ms_a_day']:.2f}", f"{row['calls_a_day']:.0f}")
        for row in run["methods"][:15]
    ]
    return [
        "## Where a day goes",
        "",
        *_wrapped(
            f"{run['consumers']:,} consumers on {run['threads']} threads, a settled day, beside the budget for a"
            f" million consumers and 455 days. `python -m benchmarks.world --profile` prints the same for any size."
        ),
        "",
        *_table(("part", "ms a day", "share", f"s in {days} days", "budget, s"), rows),
        *_table(("method", "part", "ms a day", "calls a day"), slowest),
    ]


def _memory(found: dict[str, Any]) -> list[str]:
    held = found["memory"]
    sizes = " and ".join(f"{size:,}" for size in held["consumers"])
    rows = [(name, f"{value:,.1f}" if isinstance(value, float) else value)
            for name, value in held.items() if name != "consumers"]  # fmt: skip
    return [
        "## Memory",
        "",
        *_wrapped(
            f"What one more consumer and one more open order take, from worlds of {sizes} consumers. An order is open"
            " until goods and money are final; an entry in a calendar is something that falls due. The order book"
            " grows by an eighth when it is full and keeps the room of its fullest day."
        ),
        "",
        *_table(("", "bytes (open orders: number)"), rows),
    ]


def _orders(found: dict[str, Any]) -> list[str]:
    orders = found["logistics"]
    return [
        "## Orders, logistics and money",
        "",
        *_wrapped(
            f"{orders['ns_an_order']:.0f} ns an order all in at {orders['orders_a_day'][1]:,.0f} orders a day on"
            f" {orders['threads']} thread; one order more costs {orders['ns_an_order_more']:.0f} ns, and"
            f" {orders['fixed_ms_a_day']:.1f} ms a day are spent whether or not anybody orders."
        ),
        "",
        *_table(("method", "ns an order"), [(f"`{row['method']}`", f"{row['ns_an_order']:.0f}")
                                            for row in orders["methods"]]),
    ]  # fmt: skip


def _mesa(found: dict[str, Any]) -> list[str]:
    mesa = found["consumer_day"]
    ours, theirs = mesa["kernels"], mesa["mesa"]
    agreed = "agree" if all(row["agrees"] for row in mesa.get("agreement", [])) else "DO NOT AGREE"
    return [
        "## Against Mesa objects",
        "",
        *_wrapped(
            f"The consumer's day alone, by the same rules: {theirs['consumers']:,} ordinary Mesa agents"
            f" with attributes and Python numbers against {ours['consumers']:,} consumers in compiled loops."
            f" {_number(theirs, 'ns_per_consumer_day'):,.0f} ns a consumer-day against"
            f" {_number(ours, 'ns_per_consumer_day'):,.0f}: **{_number(mesa, 'ratio'):,.0f} times** as fast;"
            f" {theirs['bytes_per_consumer']:,} bytes a consumer against"
            f" {ours['bytes_per_consumer'] + ours['graph_bytes_per_consumer']:,.0f}, graph included. Visits,"
            f" minutes and conversion of the two {agreed}."
        ),
        "",
    ]


def _number(side: dict[str, Any], name: str) -> float:
    """A figure that may be a number or a dictionary with its median."""
    value = side[name]
    return float(value["median"] if isinstance(value, dict) else value)


def _start(found: dict[str, Any]) -> list[str]:
    start = found["start"]
    rows = [
        (name.replace("_", " ").removesuffix(" seconds"), f"{start['cold'][name]:.1f}", f"{start['warm'][name]:.1f}")
        for name in start["warm"]
    ]
    return [
        "## The first day",
        "",
        *_wrapped(
            f"{start['consumers']:,} consumers, seconds: nothing compiled yet, and with the compiled loops kept from an"
            f" earlier run ({start['compiled_bytes'] / MB:.0f} MB beside the sources)."
        ),
        "",
        *_table(("", "cold", "warm"), rows),
    ]


def _limits(found: dict[str, Any]) -> list[str]:
    """What the measurements say about where time goes as worlds grow and as threads are added."""
    run, runs, fits = _largest(found, 2), found["world"]["runs"], found["world"]["fits"]
    parts = run["parts_seconds_a_day"]
    whole = sum(parts.values())
    slow, small = run["methods"][0], runs[0]
    alone = _largest(found, 1)["parts_seconds_a_day"]
    same_size = run["threads"] > 1 and _largest(found, 1)["consumers"] == run["consumers"]
    lines: list[str] = []
    if "1" in fits:
        rows = [
            (
                part,
                f"{fit['fixed_ms_a_day']:.1f}",
                f"{fit['ns_a_consumer_day']:.1f}",
                f"{alone[part] / parts[part]:.2f}" if same_size and parts[part] else "",
            )
            for part, fit in fits["1"]["parts"].items()
        ]
        lines += [
            *_wrapped(
                "Each part of the day as a line over the number of consumers, on one thread, and how many times as fast"
                f" two threads are at {run['consumers']:,}:"
            ),
            "",
            *_table(("part", "fixed, ms a day", "ns a consumer-day", "two threads against one"), rows),
        ]
    consumers = sum(seconds for part, seconds in parts.items() if _group(part) == "consumers")
    largest = max(parts.items(), key=lambda item: item[1])
    points = [
        f"A large world: at {run['consumers']:,} on {run['threads']} thread(s) consumers take {consumers / whole:.0%}"
        f" of a day; the largest single part is '{largest[0]}' ({largest[1] / whole:.0%}), the slowest method"
        f" `{slow['method']}` ({slow['ms_a_day'] / whole / 1e3:.0%}).",
    ]
    least = max(small["parts_seconds_a_day"].items(), key=lambda item: item[1])
    points.append(
        f"A small world: at {small['consumers']:,} a day costs {small['day_seconds'] * 1e3:.0f} ms, most of it in"
        f" '{least[0]}'. Firms, prices, stations, accounts and the record's cells do not become fewer with the people,"
        " and each step of a daypart is called from Python at least once."
    )
    if same_size:
        serial = [part for part in parts if parts[part] and alone[part] / parts[part] < 1.15]
        share = sum(parts[part] for part in serial) / whole
        shared = [part for part in parts if part not in serial]
        gain = sum(alone[part] for part in shared) / max(sum(parts[part] for part in shared), 1e-9)
        points.append(
            f"Threads: what a second thread does not speed up ({', '.join(serial) or 'nothing'}) is {share:.0%} of the"
            f" day on two; the rest becomes {gain:.2f} times as fast."
        )
    return [*lines, *(line for point in points for line in _wrapped(point, "- "))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small worlds, once; a minute or two")
    parser.add_argument("--ten-million", action="store_true", help="10 M consumers too (about 5 GB, some minutes)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each size, in turns")
    parser.add_argument("--threads", type=int, default=2, help="threads of the whole process and of the comparison")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results and docs/performance.md")
    parser.add_argument(
        "--pages", action="store_true", help="only write docs/performance.md from the results there are"
    )
    given = parser.parse_args()
    names = ("machine", "start", "world", "memory", "logistics", "consumer_day", "process", "sweeps")
    found: dict[str, Any] = {}
    if given.pages:
        found = {name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in names}
        PAGE.write_text(page(found), encoding="utf-8")
        return 0

    def keep(name: str, result: Any) -> None:
        found[name] = result
        if given.write:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    start = time.perf_counter()
    run_all(given, keep)
    text = page(found)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)
    print(f"took {time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
