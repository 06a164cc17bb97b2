"""Four experiments on hosts and agencies, paired by seed: docs/hosts.md.

The largest host is away for a month and comes back; agencies' bargaining power shifts; shows must be labelled;
everybody starts with the same popularity. `python -m analysis.hosts --write` runs what is missing (one file a run in
`--out`) and writes the page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.docpage import hand_over
from analysis.inference import estimate
from analysis.metrics import gini
from sim.experiment import configure
from sim.kinds import N_CHANNELS, N_COUNTRIES, N_PLATFORMS, NO_STREAMER
from sim.provenance import code_hash
from sim.record.schema import Measure, MoneyPurpose
from sim.state.catalogue import Air
from sim.state.ledger import Account
from sim.world import World

PAGE: Final = Path(__file__).parents[1] / "docs" / "hosts.md"
WARMUP, DAYS, WINDOW = 90, 270, 30
AWAY: Final = (30, 60)  # reported days
LATE: Final = slice(-60, None)  # days in which a shift of power is judged
ARMS: Final[Mapping[str, tuple[str, ...]]] = {
    "baseline": (),
    "removed": (
        "+interventions.star.kind=streamer_removed",
        f"+interventions.star.start={AWAY[0]}",
        f"+interventions.star.end={AWAY[1]}",
    ),
    "weaker": ("supply.agencies.power_shift=-1.5",),
    "stronger": ("supply.agencies.power_shift=1.5",),
    "labelled": (),
    "equal": ("graph.popularity.start=equal",),
}
SCENARIO: Final = {"labelled": "ad_disclosure"}  # the others start from the baseline

COUNTED: Final = {
    "visits": Measure.ROOM_VISITS,
    "orders": Measure.ORDERS,
    "sales": Measure.GMV_CENTS,
    "perceived": Measure.SURPLUS_PERCEIVED_MC,
    "realised": Measure.SURPLUS_REALISED_MC,
}
LABELS: Final = {
    "visits": "room visits, world",
    "orders": "live orders, world",
    "star visits": "visits of the host",
    "followers": "followers of the host",
    "bonds": "bonds of the host, sum",
}


EXPLAINED: Final = """## What theory says, and what came out

**Absence.** Theory gives the sign of two things only: bonds without contact fade, and the host has no visits. What
the others make of it is open: a missing room lowers what is expected on air, and so openings, while the visits that
still take place go to others. Substitution is stronger here: hosts of the cell expect a larger part of its audience,
are on air more often, and visits and orders rise. Some followers lapse during the month; the audience is back in the
first month after, since what is expected of a host is not lowered by viewers who cannot come, and recommendations go
by that.

**Bargaining power.** The cut follows power (Nash bargaining). Hosts sign where the contract leaves them more, so
contracts move against power: an agency's share of the whole falls less than its cut when power falls, and rises
less when it rises. That hosts can leave is what limits the gain. Orders are not part of the bargain; they move with
lessons and traffic that signed hosts get.

**Labels.** Viewers of a labelled show believe less (the cause), so an exaggeration pays less and hosts exaggerate
less (their best response); both lower expected quality, and so orders. Theory gives these signs, and that less
disappointment follows. It gives none for realised surplus, which loses purchases that were worth while as well, and
counts an impulse as worth nothing once passed (`consumer.experience.impulse_passed`; [model.md](model.md), 7.15).
Few of the newly bound label: audits and fines are those of the baseline, and most hosts find that not labelling pays.

**Concentration.** Popularity feeds on itself: who is expected to draw viewers is shown more, and who is seen is
followed (cumulative advantage, Simon 1955; Salganik, Dodds and Watts 2006). Skill, language, hours and the size of
country and platform make visits unequal from the first month on; from there the equal start drifts up and the start
from Twitch a little down, and the gap closes slowly. Within a year neither start is forgotten.
"""


def concentration(visits: NDArray[np.int64]) -> float:
    """Gini coefficient over the hosts who had any visit; 0 if nobody had."""
    return gini(visits[visits > 0]) or 0.0


def follow(arm: str, seed: int, consumers: int) -> dict[str, Any]:
    """One run, day by day; the star is the host with the largest expected audience when reporting begins."""
    settings = (
        "record=summary", f"population.consumers={consumers}", f"warmup_days={WARMUP}", f"days={DAYS}", f"seed={seed}",
    )  # fmt: skip
    world = World(configure(SCENARIO.get(arm, "baseline"), (*settings, *ARMS[arm])))
    hosts, start = world.streamers, world.frame.start_day
    daily: dict[str, list[float]] = {}
    seen: list[NDArray[np.int64]] = []
    doubted = world.cfg.consumer.information.disclosure_discount
    star = -1
    paid, kept = 0, 0
    while world.day < world.frame.end_day:
        day = world.day - start
        if day == AWAY[0]:
            audience = hosts.popularity * world.levers.audience[hosts.country, hosts.platform]
            star = int(np.argsort(-np.where(hosts.active == 1, audience, -1.0), kind="stable")[0])
        before = _live(world)
        world.step()
        live, visits = _live(world) - before, world.visits.copy()
        seen.append(visits)
        row = dict(zip(COUNTED, live.sum(axis=(1, 2)).tolist(), strict=True))
        row |= _told(world.air, visits, doubted)
        if star >= 0:
            here = live[:, hosts.country[star], hosts.platform[star]]
            follows = world.consumers.follows == star
            row |= {
                "star visits": int(visits[star]), "cell visits": int(here[0]), "cell orders": int(here[1]),
                "followers": int(follows.sum()), "bonds": float(world.consumers.real("bonds")[follows].sum()),
            }  # fmt: skip
        row["all bonds"] = float(world.consumers.real("bonds").sum())
        money = world.ledger.result(Account.STREAMER).sum(axis=0)
        income = int(money[MoneyPurpose.HOST_COMMISSION] + money[MoneyPurpose.SLOT_FEE])
        share = -int(money[MoneyPurpose.AGENCY_SHARE])
        row |= {"host income": income - paid, "agency share": share - kept}
        paid, kept = income, share
        signed = (hosts.agency != NO_STREAMER) & (hosts.active == 1)
        row |= {"signed": int(signed.sum()), "hosts": int(hosts.active.sum())}
        row["cut"] = float(world.catalogue.agency_permille[signed].mean() / 1000.0)
        for name, value in row.items():
            daily.setdefault(name, []).append(float(value))
    windows = [sum(seen[at : at + WINDOW]) for at in range(0, len(seen), WINDOW)]
    return {"daily": daily, "gini": [concentration(np.asarray(window)) for window in windows]}


def _told(air: Air, visits: NDArray[np.int64], doubted: float) -> dict[str, float]:
    """What viewers are told, means over the day's visits: labels, the weight claims have with them, exaggeration."""
    shows = np.bincount(air.streamer, minlength=visits.size)[air.streamer]
    audience = visits[air.streamer] / shows  # of a host with several shows, each has a part
    labelled = air.disclosed.astype(np.float64)
    each = {
        "labelled": labelled,
        "weight of claims": 1.0 - doubted * labelled,
        "exaggeration": air.exaggeration.astype(np.float64),
    }
    return {name: float(value @ audience / max(audience.sum(), 1.0)) for name, value in each.items()}


def _live(world: World) -> NDArray[np.int64]:
    """int64[len(COUNTED), C, P]: live measures since the first reported day."""
    cells = world.tally.totals[list(COUNTED.values())].reshape(len(COUNTED), N_COUNTRIES, N_CHANNELS, -1)
    live: NDArray[np.int64] = cells.sum(axis=3)[:, :, :N_PLATFORMS]
    return live


def _one(job: tuple[str, int, int, str]) -> None:
    arm, seed, consumers, file = job
    found = follow(arm, seed, consumers)
    Path(file).write_text(json.dumps(found), encoding="utf-8")


def run_all(seeds: Sequence[int], consumers: int, workers: int, out: Path) -> dict[str, list[dict[str, Any]]]:
    """Every arm of every seed; what is in `out` already is not run again."""
    out.mkdir(parents=True, exist_ok=True)
    files = {(arm, seed): out / f"{arm}-{seed}-{consumers}.json" for arm in ARMS for seed in seeds}
    jobs = [(arm, seed, consumers, str(file)) for (arm, seed), file in files.items() if not file.exists()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_one, jobs))
    return {arm: [json.loads(files[arm, seed].read_text(encoding="utf-8")) for seed in seeds] for arm in ARMS}


def _series(run: Mapping[str, Any], name: str, days: slice) -> float:
    """Mean of a day over reported days; what was counted from some day on is as long as that."""
    values = np.array(run["daily"][name])
    full = np.full(DAYS, np.nan)
    full[max(0, DAYS - values.size) :] = values[-DAYS:]
    return float(np.nanmean(full[days]))


def _row(title: str, arm: Sequence[Any], base: Sequence[Any], read: Callable[[Any], float], digits: int) -> str:
    """One line of a table: level at baseline, paired difference, 95 % interval."""
    found = np.array([[read(one), read(other)] for one, other in zip(arm, base, strict=True)])
    difference = estimate(found[:, 0] - found[:, 1])
    level = f"{found[:, 1].mean():,.{digits}f}"
    mark = "**" if difference.sure else ""
    bounds = "" if difference.low is None else f"{difference.low:+,.{digits}f} to {difference.high:+,.{digits}f}"
    return f"| {title} | {level} | {mark}{difference.mean:+,.{digits}f}{mark} | {bounds} |"


def page(runs: Mapping[str, list[dict[str, Any]]], seeds: int, consumers: int) -> str:
    """The page, from the runs."""
    base = runs["baseline"]
    head = ["| outcome | baseline | difference | 95 % interval |", "|---|---|---|---|"]
    lines = [
        "# Hosts and agencies: four experiments", "",
        f"<!-- made by `python -m analysis.hosts --write`, code {code_hash()[:8]} -->", "",
        f"{seeds} seeds, {consumers:,} consumers, {WARMUP} days of warm-up, {DAYS} reported days from the default",
        "start; differences are paired by seed, intervals Student's t at 95 %, bold where they leave out 0.",
        "Figures are those of the sampled world, a day. Decisions: [firms.md](firms.md).", "",
        "## The largest host is away for a month and comes back", "",
        f"The host with the largest expected audience of all is away from reported day {AWAY[0]} to {AWAY[1]}. `cell`:",
        "its country and platform, the host included.", "",
    ]  # fmt: skip
    spans = {"away": slice(*AWAY), "first month back": slice(60, 90), "fourth month back": slice(150, 180)}
    for title, days in spans.items():
        lines += [f"**{title.capitalize()}**", "", *head]
        for name, digits in (
            ("star visits", 1), ("cell visits", 1), ("cell orders", 2), ("visits", 0), ("orders", 1), ("followers", 1),
            ("bonds", 2),
        ):  # fmt: skip
            label = LABELS.get(name, name)

            def read(run: Any, name: str = name, days: slice = days) -> float:
                return _series(run, name, days)

            lines.append(_row(label, runs["removed"], base, read, digits))
        lines.append("")
    lines += [
        "## Agencies' bargaining power shifts", "",
        "Log odds of every agency's power, moved at the end of the warm-up; judged over the last 60 reported days. The",
        "share is what agencies got of the commissions and slot fees of all hosts, signed or not.", "",
    ]  # fmt: skip
    for arm, shift in (("weaker", "-1.5"), ("stronger", "+1.5")):
        lines += [f"**Power {shift}**", "", *head]
        of: dict[str, tuple[Callable[[Any], float], int]] = {
            "agencies' share of hosts' income, %": (
                lambda run: 100 * _series(run, "agency share", LATE) / _series(run, "host income", LATE), 2
            ),
            "cut of a signed host, mean, %": (lambda run: 100 * _series(run, "cut", LATE), 2),
            "hosts under contract": (lambda run: _series(run, "signed", LATE), 1),
            "hosts in business": (lambda run: _series(run, "hosts", LATE), 1),
            "live orders, world": (lambda run: _series(run, "orders", LATE), 1),
        }  # fmt: skip
        lines += [_row(title, runs[arm], base, read, digits) for title, (read, digits) in of.items()]
        lines.append("")
    lines += [
        "## Shows must be labelled", "",
        "Row `ad_disclosure` from the first reported day; judged over the last 60. A label lowers the weight of the",
        "host's claims (`consumer.information.disclosure_discount`) and has no other effect on buying. `weight of",
        "claims`: against a host without a label, mean over visits; surplus of live buyers in USD a day.", "", *head,
    ]  # fmt: skip
    seen: dict[str, tuple[Callable[[Any], float], int]] = {
        "visits to labelled shows, %": (lambda run: 100 * _series(run, "labelled", LATE), 1),
        "weight of claims": (lambda run: _series(run, "weight of claims", LATE), 3),
        "claimed above true quality": (lambda run: _series(run, "exaggeration", LATE), 4),
        "bonds, all": (lambda run: _series(run, "all bonds", LATE), 0),
        LABELS["visits"]: (lambda run: _series(run, "visits", LATE), 0),
        LABELS["orders"]: (lambda run: _series(run, "orders", LATE), 1),
        "perceived surplus": (lambda run: _series(run, "perceived", LATE) / 1e5, 0),
        "realised surplus": (lambda run: _series(run, "realised", LATE) / 1e5, 0),
    }
    lines += [_row(title, runs["labelled"], base, read, digits) for title, (read, digits) in seen.items()]
    lines += [
        "", "## Concentration that emerges from equal followers", "",
        "Gini coefficient of room visits over hosts with any, by months since the first day of the warm-up: popularity",
        "as among streamers on Twitch, and everybody alike (`graph.popularity.start=equal`).", "",
        "| month | as on Twitch | equal start | difference | 95 % interval |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for month in range(len(base[0]["gini"])):
        found = np.array(
            [[one["gini"][month], other["gini"][month]] for one, other in zip(runs["equal"], base, strict=True)]
        )
        gap = estimate(found[:, 0] - found[:, 1])
        usual, alike = found[:, 1].mean(), found[:, 0].mean()
        bounds = "" if gap.low is None else f"{gap.low:+.3f} to {gap.high:+.3f}"
        lines.append(f"| {month + 1} | {usual:.3f} | {alike:.3f} | {gap.mean:+.3f} | {bounds} |")
    return "\n".join([*lines, "", EXPLAINED])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is missing and prints or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--consumers", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/hosts"))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    runs = run_all(range(1, given.seeds + 1), given.consumers, given.workers, given.out)
    text = page(runs, given.seeds, given.consumers)
    hand_over(text, PAGE, given.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
