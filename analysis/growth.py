"""Live shopping from 2020 to 2023: calibrates the scenario `growth`, and writes docs/growth.md.

    python -m analysis.growth --calibrate      # fits start_share and contact, prints them
    python -m analysis.growth --write          # runs growth, no_growth and outlook, writes the page

Two parameters are fitted to two figures of 2020 and 2023: adopters in 2023, and live sales of 2023 over those of 2020.
Everything else on the page is compared and not fitted. Runs are kept in `--out`, one file each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import exp, log
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np

from analysis.docpage import hand_over
from sim.calendar import date_of
from sim.experiment import configure
from sim.kinds import ADOPTER, N_CHANNELS, N_COUNTRIES, N_PLATFORMS, REGION_OF_COUNTRY, REGIONS
from sim.record.schema import Measure
from sim.world import World

PAGE: Final = Path(__file__).parents[1] / "docs" / "growth.md"
ADOPTERS, RATIO = 780.0, 3.1  # million in 2023 (s2-1-users-2023); 2023 over 2020 (s2-1-growth-since-2020: +210 %)
EMERGING: Final = ("southeast_asia", "middle_east", "latin_america", "africa")
COUNTED: Final = (Measure.GMV_CENTS, Measure.ROOM_VISITS)


def follow(scenario: str, settings: Sequence[str]) -> dict[str, Any]:
    """A run by calendar years: means over the year of adopters and people online by region (million), sums of live and
    shelf sales (billion USD) and room visits (million)."""
    world = World(configure(scenario, ("record=summary", *settings)))
    people, weight = world.consumers, world.scale.weight
    region = np.asarray(REGION_OF_COUNTRY)[people.country]
    years: dict[int, dict[str, Any]] = {}
    before = np.zeros((len(COUNTED), N_COUNTRIES, N_CHANNELS), np.int64)
    while world.day < world.frame.end_day:
        day = world.day
        world.step()
        if day < world.frame.start_day:
            continue
        year = years.setdefault(date_of(day).year, {"days": 0, "adopters": 0.0, "online": 0.0, "sold": 0.0})
        year["days"] += 1
        year["adopters"] += np.bincount(region[people.adopter == ADOPTER], minlength=len(REGIONS))
        year["online"] += np.bincount(region[world.diffusion.alive == 1], minlength=len(REGIONS))
        if date_of(world.day).year != date_of(day).year or world.day == world.frame.end_day:
            now = world.tally.totals[list(COUNTED)].reshape(len(COUNTED), N_COUNTRIES, N_CHANNELS, -1).sum(axis=3)
            year["sold"], before = now - before, now
    return {str(number): _told(year, weight) for number, year in years.items()}


def _told(year: Mapping[str, Any], weight: float) -> dict[str, Any]:
    """A year's figures in units of the world."""
    sold, region = year["sold"], np.asarray(REGION_OF_COUNTRY)
    live = np.bincount(region, weights=sold[0, :, :N_PLATFORMS].sum(axis=1), minlength=len(REGIONS))
    return {
        "adopters": (year["adopters"] / year["days"] * weight / 1e6).tolist(),
        "online": (year["online"] / year["days"] * weight / 1e6).tolist(),
        "live": (live * weight / 1e11).tolist(),
        "other": float(sold[0, :, N_PLATFORMS:].sum() * weight / 1e11),
        "visits": float(sold[1, :, :N_PLATFORMS].sum() * weight / 1e6),
        "days": year["days"],
    }


def _one(job: tuple[str, tuple[str, ...], str]) -> None:
    scenario, settings, file = job
    Path(file).write_text(json.dumps(follow(scenario, settings)), encoding="utf-8")


def run_all(
    jobs: Mapping[str, tuple[str, tuple[str, ...]]], seeds: Sequence[int], given: argparse.Namespace
) -> dict[str, list[dict[str, Any]]]:
    """Runs by name and seed; what `--out` holds already is not run again."""
    given.out.mkdir(parents=True, exist_ok=True)
    size = (f"population.consumers={given.consumers}", f"firms.scale={given.firms}")
    files = {
        (name, seed): given.out / f"{name}-{seed}-{given.consumers}-{given.firms}.json"
        for name in jobs
        for seed in seeds
    }
    missing = [
        (jobs[name][0], (*size, *jobs[name][1], f"seed={seed}"), str(file))
        for (name, seed), file in files.items()
        if not file.exists()
    ]
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_one, missing))
    return {name: [json.loads(files[name, seed].read_text(encoding="utf-8")) for seed in seeds] for name in jobs}


def mean_of(runs: Sequence[Mapping[str, Any]], year: int, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Mean over seeds of a year's figure (by region, where it is)."""
    return np.mean([np.asarray(run[str(year)][what], np.float64) for run in runs], axis=0)


def found(runs: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """What is fitted: adopters in 2023 (million), live sales of 2023 over 2020."""
    sales = [float(mean_of(runs, year, "live").sum()) for year in (2020, 2023)]
    return float(mean_of(runs, 2023, "adopters").sum()), sales[1] / sales[0]


def calibrate(given: argparse.Namespace) -> None:
    """Fixed-point steps, each from the means over seeds; prints every one.

    Sales go with adopters, so the first day's share of them follows from adopters in 2023 over the ratio, and the rate
    at which friends pass it on from the growth that is then needed.
    """
    rule = configure("growth").growth.adoption
    start, contact = rule.start_share, rule.contact
    for step in range(given.steps):
        settings = (f"growth.adoption.start_share={start:.4f}", f"growth.adoption.contact={contact:.5f}")
        name = f"fit-{start:.4f}-{contact:.5f}"
        adopters, ratio = found(run_all({name: ("growth", settings)}, range(1, given.seeds + 1), given)[name])
        print(f"{step}: start_share {start:.4f}, contact {contact:.5f}: {adopters:.0f} m in 2023, ratio {ratio:.2f}")
        if abs(adopters / ADOPTERS - 1) < given.tolerance and abs(ratio / RATIO - 1) < given.tolerance:
            return
        needed = log(RATIO) / log(max(ratio, 1.01))
        start *= exp(log(ADOPTERS / adopters) + log(ratio / RATIO))
        contact *= min(max(needed, 0.5), 2.0)


def page(runs: Mapping[str, list[dict[str, Any]]], given: argparse.Namespace) -> str:
    """The page, from the runs."""
    rule = configure("growth").growth.adoption
    grown, still = runs["outlook"], runs["no_growth"]
    lines = [
        "# Growth: live shopping from 2020 to 2025", "",
        "<!-- made by `python -m analysis.growth --write` -->", "",
        "Scenario `growth`: adoption and the internet grow from 2020 on ([model.md](model.md), 7.22).",
        f"{given.seeds} seeds, {given.consumers:,} consumers, `firms.scale={given.firms}`. Two parameters,",
        f"`start_share` = {rule.start_share:g} and `contact` = {rule.contact:g} a week, are fitted to two figures",
        "(marked *fitted*); all else is compared only.", "",
        "| year | adopters, million | adults online, million | live sales, billion USD | live share of all sales, % "
        "| room visits an adopter and day |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for year in sorted(int(key) for key in grown[0]):
        adopters, live = mean_of(grown, year, "adopters").sum(), mean_of(grown, year, "live").sum()
        other = float(mean_of(grown, year, "other"))
        visits = float(mean_of(grown, year, "visits")) / adopters / float(mean_of(grown, year, "days"))
        online = mean_of(grown, year, "online").sum()
        share = 100 * live / (live + other)
        lines.append(f"| {year} | {adopters:.0f} | {online:.0f} | {live:.0f} | {share:.1f} | {visits:.3f} |")
    lines += ["", "## Against the evidence", "", "| figure | evidence | model | use |", "|---|---|---|---|"]
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
    last = max(int(key) for key in grown[0])
    for place, region in enumerate(REGIONS):
        people = [mean_of(grown, year, "adopters")[place] for year in (2020, 2023, last)]
        rise = 100 * (mean_of(grown, 2023, "live")[place] / mean_of(grown, 2022, "live")[place] - 1)
        lines.append(f"| {region} | {people[0]:.0f} | {people[1]:.0f} | {people[2]:.0f} | {rise:+.0f} |")
    return "\n".join([*lines, ""])


def _compared(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
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
        ("live sales 2023, billion USD (s1-1-live-share-2023)", "345", f"{live[2023].sum():.0f}", "compared"),
        ("live share of all sales 2020, % (s1-1-live-share-2023)", "8", f"{share[2020]:.1f}", "compared"),
        ("live share of all sales 2023, % (s1-1-live-share-2023)", "23", f"{share[2023]:.1f}", "compared"),
        ("Southeast Asia's live sales in 2023, % (s2-1-sea-growth-2023)", "+82", f"{growth:+.0f}", "compared"),
        ("emerging regions in the rise of 2023, % (s8-1-emerging-contribution)", "65", f"{emerging:.0f}", "compared"),
    ]
    if "2025" in runs[0]:
        later = mean_of(runs, 2025, "adopters")
        everybody, there = f"{later.sum():,.0f}", f"{later[sea]:.0f}"
        lines += [
            ("adopters in 2025, million (s1-2-users-2025, projected)", "1,200", everybody, "compared"),
            ("of them in Southeast Asia (s5-2-sea-users-2025, projected)", "400", there, "compared"),
        ]
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrates, or runs what is missing and prints or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--tolerance", type=float, default=0.04)
    parser.add_argument("--consumers", type=int, default=5_000)
    parser.add_argument("--firms", type=float, default=0.3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/growth"))
    given = parser.parse_args(arguments)
    if given.calibrate:
        calibrate(given)
        return 0
    jobs: dict[str, tuple[str, tuple[str, ...]]] = {name: (name, ()) for name in ("no_growth", "outlook")}
    text = page(run_all(jobs, range(1, given.seeds + 1), given), given)
    hand_over(text, PAGE, given.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
