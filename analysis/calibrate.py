"""Calibration of the baseline, in stages, each parameter to its own target: `python -m analysis.calibrate`.

Every stage ties one parameter to one observed figure of the baseline run. Runs are repeated with all parameters moved
at once by a damped secant step in the direction of their own target, until all targets are met or the rounds are used
up. Because each parameter acts mainly on its own target, this converges like a simultaneous Newton method with a
diagonal Jacobian; what is left over is reported, not hidden. Nothing that is kept for validation is used here.

The values found are written into the YAML files with `--write`, where they stand with their targets as source.
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.metrics import metrics
from sim.config import RunConfig, load
from sim.config.folders import data_folder
from sim.engines import Job, run_many
from sim.experiment import configure
from sim.kinds import CATEGORIES, PLATFORMS

type Observed = Mapping[str, float]
DAMPING = 0.8
LONGEST_STEP = 0.8


@dataclass(frozen=True, slots=True)
class Stage:
    """One parameter, one target.

    `slope` is the expected change of the transformed figure per unit of the parameter: its sign and rough size start
    the search; later rounds use the secant. `scale` transforms figure and target: `logit` for shares, `log` for
    amounts.
    """

    parameter: str
    figure: str
    target: float
    slope: float
    scale: str
    source: str


STAGES = (
    Stage(
        "consumer.opening.intercept",
        "visits_per_adopter_day",
        0.57,
        0.9,
        "log",
        "X05: 780 million adopters; 345 bn USD (X01)",
    ),
    Stage("consumer.watching.log_scale", "watch_minutes_mean", 15.5, 0.9, "log", "s2-2-watch-minutes-global"),
    Stage("consumer.purchase.intercept", "conversion", 0.035, 1.0, "logit", "s2-3-industry-conversion"),
    Stage(
        "consumer.shelf.intercept",
        "shelf_over_live",
        3.3,
        0.9,
        "log",
        "s1-1-live-share-2023: live is 23 % of 1.5 trillion USD",
    ),
    Stage("consumer.experience.return_level", "return_rate", 0.20, 1.0, "logit", "facts: 16-25 % without assurance"),
    Stage("supply.stock.stocked_bias.large", "direct_shipped_share", 0.385, -0.25, "logit", "X08: 35 to 42 %"),
    Stage("supply.exposure.popularity", "streamer_view_gini", 0.91, 1.0, "logit", "MUSAE: Gini of views above 0.9"),
    Stage("firms.merchants.price_level", "merchant_margin", 0.085, 6.0, "log", "sellers' net margin 5 to 12 %"),
)


def observe(folder: Path) -> dict[str, float]:
    """The figures the stages look at, of one finished run."""
    whole = metrics(folder)
    assert isinstance(whole, dict)
    by_channel = metrics(folder, by=("channel",))
    assert isinstance(by_channel, list)
    sales = {row["channel"]: row["gmv_usd"] or 0.0 for row in by_channel}
    live = sum(sales.get(name, 0.0) for name in PLATFORMS)
    figures = {name: float(value) for name, value in whole.items() if isinstance(value, int | float)}
    figures["shelf_over_live"] = (sales.get("shelf", 0.0) + sales.get("brand_site", 0.0)) / max(live, 1.0)
    adopters = figures["adoption_share"] * figures["weight"]
    figures["visits_per_adopter_day"] = figures["room_visits"] / adopters
    by_category = metrics(folder, by=("category",))
    assert isinstance(by_category, list)
    value = {row["category"]: row["gmv_usd"] or 0.0 for row in by_category}
    total = max(sum(value.values()), 1.0)
    for name in CATEGORIES:
        figures[f"share_{name}"] = value.get(name, 0.0) / total
    return figures


def transformed(value: float, scale: str) -> float:
    """The figure on the scale on which its parameter acts about linearly."""
    value = max(value, 1e-6)
    if scale == "logit":
        value = min(value, 1 - 1e-6)
        return math.log(value / (1 - value))
    return math.log(value)


def simulate(values: Mapping[str, float], base: Sequence[str], seeds: int, workers: int) -> dict[str, float]:
    """Mean figures of the baseline with the given parameter values over seeds."""
    overrides = [*base, *(f"{name}={value:.6g}" for name, value in values.items())]
    with tempfile.TemporaryDirectory() as scratch:
        jobs = [
            Job(configure("baseline", [*overrides, f"seed={seed}"]), Path(scratch) / f"s{seed}")
            for seed in range(1, seeds + 1)
        ]
        outcomes = list(run_many(jobs, workers))
        failed = [outcome.error for outcome in outcomes if outcome.error]
        if failed:
            raise RuntimeError(failed[0])
        days, consumers = float(jobs[0].cfg.days), float(jobs[0].cfg.population.consumers)
        runs = [observe(outcome.folder) for outcome in outcomes]
    mean = {name: sum(run[name] for run in runs if name in run) / len(runs) for name in runs[0]}
    mean["visits_per_adopter_day"] /= days * consumers
    return mean


def calibrate(
    base: Sequence[str], seeds: int, workers: int, rounds: int, say: Callable[[str], None] = print
) -> tuple[dict[str, float], dict[str, float]]:
    """Parameter values after at most `rounds` rounds, and the figures of the last one."""
    cfg = load("baseline", base)
    plain = cfg.model_dump()
    ranges = {stage.parameter: _range(cfg, stage.parameter) for stage in STAGES}
    values = {stage.parameter: float(_at(plain, stage.parameter)) for stage in STAGES}
    slopes = {stage.parameter: stage.slope for stage in STAGES}
    before: dict[str, tuple[float, float]] = {}
    figures: dict[str, float] = {}
    for number in range(rounds):
        figures = simulate(values, base, seeds, workers)
        say(f"round {number + 1}")
        worst = 0.0
        for stage in STAGES:
            here = transformed(figures[stage.figure], stage.scale)
            gap = transformed(stage.target, stage.scale) - here
            worst = max(worst, abs(gap))
            value = f"{stage.parameter} = {values[stage.parameter]:.4f}"
            say(f"  {stage.figure:28s} {figures[stage.figure]:9.4f} (target {stage.target:g})  {value}")
            if stage.parameter in before:
                old_value, old_figure = before[stage.parameter]
                moved = values[stage.parameter] - old_value
                if abs(moved) > 1e-4:
                    secant = (here - old_figure) / moved
                    if secant * stage.slope > 0:
                        slopes[stage.parameter] = min(max(secant / stage.slope, 0.3), 4.0) * stage.slope
            before[stage.parameter] = (values[stage.parameter], here)
            step = DAMPING * gap / slopes[stage.parameter]
            moved_to = values[stage.parameter] + max(-LONGEST_STEP, min(LONGEST_STEP, step))
            values[stage.parameter] = min(max(moved_to, ranges[stage.parameter][0]), ranges[stage.parameter][1])
        if worst < 0.02:
            break
    return values, figures


def _range(cfg: RunConfig, key: str) -> tuple[float, float]:
    """Declared range of a parameter, or of the table it is an entry of."""
    quantities = cfg.quantities()
    found = quantities.get(key) or quantities[key.rpartition(".")[0]]
    return found.low, found.high


def _at(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree[part]
    return tree


def write_values(values: Mapping[str, float]) -> None:
    """Puts the values into the default YAML of their groups; nothing but the numbers changes.

    Raises ValueError where a key has no plain number of its own, neither as a quantity nor as an entry of a table.
    """
    configs = data_folder("configs")
    for key, value in values.items():
        group, *path = key.split(".")
        file = configs / group / "default.yaml"
        lines = file.read_text(encoding="utf-8").split("\n")
        at, name = 0, "value"
        for depth, part in enumerate(path):
            pattern = re.compile(rf"^ {{{depth * 2}}}{re.escape(part)}:")
            found = [number for number in range(at, len(lines)) if pattern.match(lines[number])]
            if not found and depth == len(path) - 1:
                name = part  # an entry of a table written on the line of its quantity
                break
            at = found[0]
        number = re.compile(rf"({name}: *)(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)")
        where = at if number.search(lines[at]) else at + 1
        if not number.search(lines[where]):
            raise ValueError(f"{file}: no plain number under {key}")
        lines[where] = number.sub(rf"\g<1>{value:.4g}", lines[where], count=1)
        file.write_text("\n".join(lines), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the calibration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--consumers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--warmup", type=int, default=90)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="put the values found into configs/")
    chosen = parser.parse_args(arguments)
    base = [
        f"population.consumers={chosen.consumers}",
        f"days={chosen.days}",
        f"warmup_days={chosen.warmup}",
        "record=summary",
    ]
    values, _ = calibrate(base, chosen.seeds, chosen.workers, chosen.rounds)
    for name, value in values.items():
        print(f"{name}={value:.4f}")
    if chosen.write:
        write_values(values)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
