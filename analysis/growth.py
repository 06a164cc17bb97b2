"""Live shopping from 2020 to 2025: calibrates the scenario `growth`, and writes docs/growth.md.

    python -m analysis.growth --calibrate      # fits start_share and contact, prints them
    python -m analysis.growth --write          # runs no_growth and outlook, writes the page

Two parameters are fitted to two figures of 2020 and 2023: adopters in 2023, and live sales of 2023 over those of 2020.
Everything else on the page is compared and not fitted. Finished runs are not computed again.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import exp, log
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from analysis.docpage import hand_over
from sim import provenance
from sim.errors import UserError
from sim.experiment import configure, read_run_json
from sim.kinds import N_COUNTRIES, REGION_OF_COUNTRY, REGIONS
from sim.sweep.driver import RUNS, complete
from sim.sweep.plan import plan_points

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "growth.md"
SALES = 345.0  # billion USD in 2023 (s1-1-live-share-2023)
ADOPTERS, RATIO = 780.0, 3.1  # million in 2023 (s2-1-users-2023); 2023 over 2020 (s2-1-growth-since-2020: +210 %)
EMERGING: Final = ("southeast_asia", "middle_east", "latin_america", "africa")

SWEPT: Final = """
Another number of hosts on the first day, each compared to `no_growth` with as many:

```bash
livecommerce sweep scenario=growth growth.hosts.start_share=0.2,0.32,0.6 'seed=range(0,4)' --out results/hosts
```
"""
EXPLAINED: Final = """
Sales grow faster than adopters: as audiences grow, more hosts come on air and work more hours, and with more shows to
choose from each adopter visits more rooms. Hosts of the first day are a part of the base year's (`growth.hosts`), in
proportion to the market; merchants, warehouses and carriers are those of the base year, since most of what they do is
selling from the shelf. Hosts come only when they expect clearly more than elsewhere, so those who are there earn more
in a growing market than in one at rest, work more and bargain for larger discounts: the scenario's sales of 2023 lie
above the baseline's, which has the same adopters from its first day ([evidence.md](evidence.md)). Ratios between years
are what this scenario is for: read no level of sales off it.
"""

# slopes in logs near the fit, measured at a start_share of 0.46 to 0.6; that of adopters on start_share is about 0
RESPONSE: Final = {("adopters", "contact"): 0.45, ("ratio", "contact"): 0.5, ("ratio", "start_share"): -1.24}

Years = dict[int, dict[str, Any]]
"""By calendar year: means over the year of adopters and people online by region (million), live sales by region and all
other sales (billion USD), room visits (million), shows on air a day (simulated), days."""


def years_of(run: Path) -> Years:
    """The years of a finished run with tables by day."""
    facts = read_run_json(run)
    config, weight = facts["configuration"], facts["weight"]
    first = date.fromisoformat(str(config["start_date"]))
    year = np.array([(first + timedelta(days=day)).year for day in range(config["days"])])
    people = _columns(run / "daily_people.parquet", ("day", "country", "adopter_days", "person_days"))
    sales = _columns(run / "daily_country.parquet", ("day", "country", "live", "gmv_cents", "room_visits"))
    world = _columns(run / "daily_world.parquet", ("day", "shows"))
    shows = np.bincount(world["day"], world["shows"], year.size)
    found: Years = {}
    for number in sorted(set(year.tolist())):
        days = int((year == number).sum())
        here = year[people["day"]] == number
        there = year[sales["day"]] == number
        live = there & (sales["live"] == 1)
        found[number] = {
            "days": days,
            "adopters": _by_region(people["country"], people["adopter_days"], here, weight / days / 1e6),
            "online": _by_region(people["country"], people["person_days"], here, weight / days / 1e6),
            "live": _by_region(sales["country"], sales["gmv_cents"], live, weight / 1e11),
            "other": float(sales["gmv_cents"][there & ~live].sum()) * weight / 1e11,
            "shows": float(shows[year == number].mean()),
            "visits": float(sales["room_visits"][live].sum()) * weight / 1e6,
        }
    return found


def _columns(file: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    table = pq.read_table(file, columns=list(names))
    return {name: table.column(name).to_numpy() for name in names}


def _by_region(
    country: NDArray[np.int8], values: NDArray[np.int64], rows: NDArray[np.bool_], unit: float
) -> NDArray[np.float64]:
    """float64[regions]: sums of the values of some rows, times `unit`."""
    total = np.bincount(country[rows], values[rows], N_COUNTRIES)
    return np.bincount(REGION_OF_COUNTRY, total, len(REGIONS)) * unit


def run_all(scenarios: Sequence[str], settings: Sequence[str], given: argparse.Namespace) -> dict[str, list[Years]]:
    """The years of each scenario, by seed. Raises UserError where a run failed."""
    size = (f"population.consumers={given.consumers}", "record=daily", *settings)
    rows = [[f"scenario={name}", *size, f"seed={seed}"] for name in scenarios for seed in range(1, given.seeds + 1)]
    plan = plan_points(rows, set(), with_base=False, question="How does live shopping spread?")
    folder = complete(plan, given.out, given.workers)
    found: dict[str, list[Years]] = {name: [] for name in scenarios}
    for point in plan.points:
        found[point.cfg.scenario.name].append(years_of(folder / RUNS / point.hash))
    return found


def mean_of(runs: Sequence[Years], year: int, what: str) -> NDArray[np.float64]:
    """Mean over seeds of a year's figure (by region, where it is)."""
    mean: NDArray[np.float64] = np.mean([np.asarray(run[year][what], np.float64) for run in runs], axis=0)
    return mean


def found(runs: Sequence[Years]) -> tuple[float, float]:
    """What is fitted: adopters in 2023 (million), live sales of 2023 over 2020."""
    sales = [float(mean_of(runs, year, "live").sum()) for year in (2020, 2023)]
    return float(mean_of(runs, 2023, "adopters").sum()), sales[1] / sales[0]


def calibrate(given: argparse.Namespace) -> None:
    """Fixed-point steps, each from the means over seeds; prints every one.

    `contact` follows from adopters in 2023, the first day's share from the ratio that is left; RESPONSE has the slopes.
    """
    rule = configure("growth").growth.adoption
    start, contact = rule.start_share, rule.contact
    for step in range(given.steps):
        settings = (f"growth.adoption.start_share={start:.4f}", f"growth.adoption.contact={contact:.5f}")
        adopters, ratio = found(run_all(["growth"], settings, given)["growth"])
        print(f"{step}: start_share {start:.4f}, contact {contact:.5f}: {adopters:.0f} m in 2023, ratio {ratio:.2f}")
        if abs(adopters / ADOPTERS - 1) < given.tolerance and abs(ratio / RATIO - 1) < given.tolerance:
            return
        by_contact = _bounded(log(ADOPTERS / adopters) / RESPONSE["adopters", "contact"])
        left = log(RATIO / ratio) - RESPONSE["ratio", "contact"] * by_contact
        contact *= exp(by_contact)
        start *= exp(_bounded(left / RESPONSE["ratio", "start_share"]))


def _bounded(step: float) -> float:
    """A step in logs, at most a factor of 1.6 either way."""
    return max(-0.47, min(step, 0.47))


def page(runs: Mapping[str, Sequence[Years]], given: argparse.Namespace) -> str:
    """The page, from the runs."""
    rule = configure("growth").growth.adoption
    grown, still = runs["outlook"], runs["no_growth"]
    lines = [
        "# Growth: live shopping from 2020 to 2025", "",
        "<!-- made by `python -m analysis.growth --write` -->", "",
        "Scenario `growth`: adoption and the internet grow from 2020 on ([model.md](model.md), 7.22).",
        *textwrap.wrap(
            f"Made on {date.today().isoformat()} with code {provenance.code_hash()[:12]}: {given.seeds} seeds, "
            f"{given.consumers:,} consumers, all firms. Two parameters, `growth.adoption.start_share` = "
            f"{rule.start_share:g} and `growth.adoption.contact` = {rule.contact:g} a week, are fitted to two figures "
            "(marked *fitted*) by runs of `growth`. A third, `growth.hosts.start_share` = "
            f"{configure('growth').growth.hosts.start_share:g} of the base year's hosts, is set from one of the two: "
            "the market of 2020 against that of 2023. All else is compared. The years below are those of `outlook`, "
            "which goes on to 2025 and so has other people: those online by then.",
            120,
        ), "",
        "| year | adopters, million | adults online, million | live sales, billion USD | live share of all sales, % "
        "| room visits an adopter and day | shows a day |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for year in sorted(grown[0]):
        adopters, live = mean_of(grown, year, "adopters").sum(), mean_of(grown, year, "live").sum()
        other = float(mean_of(grown, year, "other"))
        visits = float(mean_of(grown, year, "visits")) / adopters / float(mean_of(grown, year, "days"))
        online = mean_of(grown, year, "online").sum()
        share = 100 * live / (live + other)
        shows = float(mean_of(grown, year, "shows"))
        lines.append(
            f"| {year} | {adopters:.0f} | {online:.0f} | {live:.0f} | {share:.1f} | {visits:.3f} | {shows:,.0f} |"
        )
    lines += ["", EXPLAINED.strip()]
    lines += ["", SWEPT.strip()]
    off = 100 * (float(mean_of(grown, 2023, "live").sum()) / SALES - 1)
    lines += [
        "", "## Against the evidence", "",
        f"Live sales of 2023 are {abs(off):.0f} % {'above' if off > 0 else 'below'} the evidence, and not fitted.", "",
        "| figure | evidence | model | use |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {name} | {said} | {got} | {use} |" for name, said, got, use in _compared(grown)]
    flat = [mean_of(still, year, "live").sum() for year in (2020, 2023)]
    lines += [
        "", "## Without growth", "",
        "With the adopters and the internet of the first day (`no_growth`), live sales are "
        f"{flat[0]:.0f} billion USD in",
        f"2020 and {flat[1]:.0f} in 2023: what is left is the calendar, exchange rates and firms.", "",
        "## By region", "",
        "| region | adopters 2020 | 2023 | last year | live sales 2022 to 2023, % |", "|---|---|---|---|---|",
    ]  # fmt: skip
    last = max(grown[0])
    for place, region in enumerate(REGIONS):
        people = [mean_of(grown, year, "adopters")[place] for year in (2020, 2023, last)]
        rise = 100 * (mean_of(grown, 2023, "live")[place] / mean_of(grown, 2022, "live")[place] - 1)
        lines.append(f"| {region} | {people[0]:.0f} | {people[1]:.0f} | {people[2]:.0f} | {rise:+.0f} |")
    return "\n".join([*lines, ""])


def _compared(runs: Sequence[Years]) -> list[tuple[str, str, str, str]]:
    """Figure, what the evidence says, what the model gives, whether it was fitted."""
    adopters, ratio = found(runs)
    live = {year: mean_of(runs, year, "live") for year in (2020, 2022, 2023)}
    share = {
        year: 100 * live[year].sum() / (live[year].sum() + float(mean_of(runs, year, "other"))) for year in (2020, 2023)
    }
    rise = live[2023] - live[2022]
    sea = REGIONS.index("southeast_asia")
    emerging = 100 * sum(rise[REGIONS.index(name)] for name in EMERGING) / rise.sum()
    growth = 100 * rise[sea] / live[2022][sea]
    lines = [
        ("adopters in 2023, million (s2-1-users-2023, s1-2-users-2023)", "780 to 820", f"{adopters:.0f}", "*fitted*"),
        ("live sales 2023 over 2020 (s2-1-growth-since-2020)", "3.1", f"{ratio:.2f}", "*fitted*"),
        ("live sales 2023, billion USD (s1-1-live-share-2023)", f"{SALES:.0f}", f"{live[2023].sum():.0f}", "compared"),
        ("live share of all sales 2020, % (s1-1-live-share-2023)", "8", f"{share[2020]:.1f}", "compared"),
        ("live share of all sales 2023, % (s1-1-live-share-2023)", "23", f"{share[2023]:.1f}", "compared"),
        ("Southeast Asia's live sales in 2023, % (s2-1-sea-growth-2023)", "+82", f"{growth:+.0f}", "compared"),
        ("emerging regions in the rise of 2023, % (s8-1-emerging-contribution)", "65", f"{emerging:.0f}", "compared"),
    ]
    if 2025 in runs[0]:
        later = mean_of(runs, 2025, "adopters")
        everybody, there = f"{later.sum():,.0f}", f"{later[sea]:.0f}"
        lines += [
            ("adopters in 2025, million (s1-2-users-2025, projected)", "1,200", everybody, "compared"),
            ("of them in Southeast Asia (s5-2-sea-users-2025, projected)", "400", there, "compared"),
        ]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrates, or runs what is missing and prints or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6, help="of the calibration, at most")
    parser.add_argument("--tolerance", type=float, default=0.02, help="relative, of both figures")
    parser.add_argument("--consumers", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=0, help="0: one a core")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "growth", help="folder of the runs")
    given = parser.parse_args(arguments)
    try:
        if given.calibrate:
            calibrate(given)
            return 0
        runs = run_all(["no_growth", "outlook"], [], given)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    hand_over(page(runs, given), PAGE, given.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
