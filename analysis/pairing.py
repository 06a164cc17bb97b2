"""What pairing by seed is worth: the variance of a difference with and without it, for levers and shocks.

    python -m analysis.pairing [--consumers 10000 --days 90 --seeds 8] [--write]

A sweep of scenarios against the baseline, and of one intervention that has no strength, which must differ by nothing.
`--write` makes docs/pairing.md; without it the page is printed. Finished runs are not computed again.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from analysis.comparison import Study, compare
from analysis.docpage import hand_over
from analysis.inference import variance_ratio
from analysis.metrics import METRICS
from sim import provenance
from sim.errors import UserError
from sim.sweep.driver import RUNS, complete
from sim.sweep.plan import Plan, plan_points

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "pairing.md"
LEVERS: Final = (
    "tariff_reduction", "commission_cap", "ai_translation", "ad_disclosure", "return_guarantee", "overseas_warehouse",
    "coupons", "de_minimis_end",
)  # fmt: skip
SHOCKS: Final = ("data_breach", "delivery_strike", "port_closure", "payment_outage")
NOTHING: Final = ("scenario=commission_cap", "interventions.cap.strength=0")
SHOWN: Final = (
    "gmv_usd", "conversion", "delivery_days_p50", "late_share", "return_rate", "trust_mean",
    "consumer_surplus_realised_usd", "merchant_profit_usd", "platform_profit_usd", "government_revenue_usd",
)  # fmt: skip
HORIZONS: Final = 3  # equal parts of the reported days
FEWEST_SEEDS: Final = 3  # a variance of two differences says next to nothing


@dataclass(frozen=True, slots=True)
class Worth:
    """What pairing is worth in a sweep.

    Attributes:
        ratios: variance of an unpaired over that of the paired difference, by scenario and metric, where the difference
            varies over the seeds.
        parts: the median ratio by scenario, for each part of the reported days; None where nothing differs.
        spans: first and last reported day of each part.
        compared, exact: metrics in which the intervention of no strength was compared, and how many of them had a
            difference of exactly 0 with an interval of no width.
    """

    ratios: dict[str, dict[str, float]]
    parts: dict[str, list[float | None]]
    spans: list[tuple[int, int]]
    compared: int
    exact: int


def plan_of(scenarios: Sequence[str], seeds: int, settings: Sequence[str]) -> Plan:
    """Every scenario, the intervention of no strength, and the baseline, with the same seeds and other settings."""
    asked = [NOTHING, *((f"scenario={name}",) for name in scenarios)]
    rows = [[*one, *settings, f"seed={seed}"] for one, seed in itertools.product(asked, range(seeds))]
    return plan_points(rows, set(), question="What is pairing by seed worth?")


def measure(plan: Plan, folder: Path) -> Worth:
    """What pairing is worth in the finished runs of a plan, which are in the sweep `folder`."""
    labels = {(folder / RUNS / point.hash).resolve(): point.label for point in plan.points}
    empty = plan.points[-1].label
    for point in plan.points:
        if set(NOTHING) <= set(point.overrides):
            empty = point.label
    with Study(list(labels), labels=labels) as study:
        days = plan.points[0].cfg.days
        cuts = [days * number // HORIZONS for number in range(HORIZONS + 1)]
        spans = [(first, end - 1) for first, end in itertools.pairwise(cuts)]
        entries = compare(study)
        ratios = _ratios(entries)
        by_part = [_ratios(compare(study, start=first, end=last)) for first, last in spans]
    still = [entry for entry in entries if entry["scenario"] == empty and entry["difference"] is not None]
    exact = [(entry["difference"], entry["low"], entry["high"]) == (0.0, 0.0, 0.0) for entry in still]
    names = [label for label in plan.labels if label in ratios and label != empty]
    return Worth(
        {name: ratios[name] for name in names},
        {name: [_median(part.get(name, {}).values()) for part in by_part] for name in names},
        spans,
        len(exact),
        sum(exact),
    )


def _ratios(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Known variance ratios by scenario and metric."""
    found: dict[str, dict[str, float]] = {}
    for entry in entries:
        own = found.setdefault(entry["scenario"], {})
        if entry["variance_ratio"] is not None:
            own[entry["metric"]] = entry["variance_ratio"]
    return found


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return float(np.median(known)) if known else None


def chance_alone(seeds: int, repetitions: int = 20_000) -> tuple[float, float]:
    """Where 95 % of the ratios lie when the two runs of a seed have nothing in common: normal, equal variances."""
    chance = np.random.default_rng(1952)
    old, new = chance.normal(size=(2, repetitions, seeds))
    low, high = np.quantile(variance_ratio(old, new), [0.025, 0.975])
    return float(low), float(high)


# ---- the page --------------------------------------------------------------------------------------------------------


def page(worth: Worth, plan: Plan) -> str:
    """docs/pairing.md."""
    cfg = plan.points[0].cfg
    seeds = sorted({point.cfg.seed for point in plan.points})
    low, high = chance_alone(len(seeds))
    every = [value for own in worth.ratios.values() for value in own.values()]
    medians = [float(np.median(list(own.values()))) for own in worth.ratios.values() if own]
    lines = [
        "# What pairing is worth",
        "",
        "<!-- made by `python -m analysis.pairing --write` -->",
        "",
        *_text(
            f"Made on {date.today().isoformat()} with code {provenance.code_hash()[:12]}: {len(worth.ratios)} levers"
            f" and shocks and the baseline, seeds {', '.join(map(str, seeds))}, {cfg.population.consumers:,} consumers,"
            f" {cfg.warmup_days} days of warm-up and {cfg.days} reported days."
        ),
        *_text(
            "Scenario and baseline of one seed share their draws ([randomness.md](randomness.md)). A ratio is the"
            " variance that the difference of two unpaired runs would have (the sum of both variances over seeds) over"
            " that of the paired difference: without pairing, as many times more seeds would give the same interval."
            " Above 1 pairing pays. Runs with nothing in common would give ratios of"
            f" {low:.2f} to {high:.1f} by chance alone (95 %, {len(seeds)} seeds); bold is what lies above."
            " A dash: the scenario leaves the metric as it was, or it has no value."
            f" The first columns are over all {len(METRICS)} metrics of `livecommerce compare`."
        ),
        *_text(
            f"**Median over the scenarios: {_number(_median(medians))}. Of {len(every)} ratios,"
            f" {sum(value > 1 for value in every)} are above 1 and {sum(value > high for value in every)} above"
            f" {high:.1f}.** An intervention of no strength differed by exactly 0, with an interval of no width, in"
            f" {worth.exact} of the {worth.compared} metrics that have a value."
        ),
        "| scenario | metrics moved | median | above 1 | " + " | ".join(f"`{name}`" for name in SHOWN) + " |",
        "|---|---|---|---|" + "---|" * len(SHOWN),
    ]
    for name, own in worth.ratios.items():
        values = list(own.values())
        share = f"{np.mean(np.array(values) > 1):.0%}" if values else "–"
        cells = [_number(own.get(metric), high) for metric in SHOWN]
        lines.append(f"| {name} | {len(values)} | {_number(_median(values))} | {share} | {' | '.join(cells)} |")
    by_metric = [_median(own[metric] for own in worth.ratios.values() if metric in own) for metric in SHOWN]
    cells = [_number(one) for one in by_metric]
    lines += [
        f"| median over scenarios | | {_number(_median(medians))} | | {' | '.join(cells)} |",
        "",
        *_text(
            "Common draws fade: stock, rankings and friends carry a difference on, and the later days of two runs have"
            " less in common. The median over metrics, by days; shocks begin on day 30"
            " (orders placed before are counted by their day, and may be under way when it happens)."
        ),
        "| scenario | " + " | ".join(f"days {first} to {last}" for first, last in worth.spans) + " |",
        "|---|" + "---|" * len(worth.spans),
        *(f"| {name} | {' | '.join(map(_number, parts))} |" for name, parts in worth.parts.items()),
    ]
    return "\n".join(lines) + "\n"


def _text(words: str) -> list[str]:
    return [*textwrap.wrap(words, 120, break_on_hyphens=False), ""]


def _number(value: float | None, bold_above: float = float("inf")) -> str:
    if value is None:
        return "–"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"**{text}**" if value > bold_above else text


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="other settings of all runs")
    parser.add_argument("--consumers", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=90, help="reported days; the shocks begin on day 30")
    parser.add_argument("--warmup", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--scenarios", default=",".join((*LEVERS, *SHOCKS)), metavar="A,B", help="what is compared")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "pairing", help="folder of the runs")
    parser.add_argument("--write", action="store_true", help="write docs/pairing.md")
    given = parser.parse_intermixed_args(arguments)
    if given.seeds < FEWEST_SEEDS:
        parser.error(f"--seeds: {given.seeds} seeds give no variance worth telling; allowed: {FEWEST_SEEDS} or more")
    try:
        settings = [
            f"population.consumers={given.consumers}", f"days={given.days}", f"warmup_days={given.warmup}",
            "record=daily", *given.overrides,
        ]  # fmt: skip
        plan = plan_of(given.scenarios.split(","), given.seeds, settings)
        text = page(measure(plan, complete(plan, given.out, given.workers)), plan)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    hand_over(text, PAGE, given.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
