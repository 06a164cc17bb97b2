"""Seeds added until the paired interval is as tight as asked.

The rule is the fixed-width sequential procedure of Chow and Robbins (Annals of Mathematical Statistics 36, 1965): stop
at the first look at which the t interval of the paired difference reaches at most the width asked for. It looks after
stages, not after each seed: a stage goes to the number of seeds that the spread seen so far needs, at most twice as
many as there are. Which seeds are run depends on results alone, never on workers or interruptions.

Stopping when the interval is tight prefers samples whose spread came out small, so the interval covers somewhat less
often than it says. `LEAST_SEEDS` bounds that: `python -m analysis.sequential` measures the coverage that is left.
Unlike stopping when a difference looks sure, it does not favour any sign or size of the difference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.comparison import Study, compare, parts_of
from analysis.inference import CONFIDENCE, seeds_needed
from analysis.metrics import METRICS
from sim.errors import UserError, unknown_name

LEAST_SEEDS: Final = 8
LEAST_STEP: Final = 10  # a stage adds at least a tenth, so that there are few looks
_TAIL: Final = 1 - (1 - CONFIDENCE) / 2


@dataclass(frozen=True, slots=True)
class Goal:
    """What the interval of one metric is to reach to each side: a share of the base value, or a number in its unit."""

    metric: str
    half_width: float
    relative: bool

    def target(self, base_value: float) -> float:
        """The half width asked for, in the metric's unit."""
        return self.half_width * abs(base_value) if self.relative else self.half_width


@dataclass(frozen=True, slots=True)
class Reach:
    """How tight the interval of one difference is, and how many seeds it is expected to take."""

    metric: str
    scenario: str
    base: str
    seeds: int
    half_width: float
    target: float
    needed: int

    @property
    def reached(self) -> bool:
        """Whether the interval is as tight as asked."""
        return self.half_width <= self.target


def read_goal(text: str) -> Goal:
    """A goal from "METRIC:1%" or "METRIC:250".

    Raises:
        UserError: no such metric, or no width above 0.
    """
    metric, _, width = text.partition(":")
    if metric not in METRICS:
        raise UserError(str(unknown_name("--until", "", "metric", metric, METRICS)))
    relative = width.endswith("%")
    try:
        number = float(width.removesuffix("%"))
    except ValueError:
        number = float("nan")
    if not 0 < number < float("inf"):
        raise UserError(
            f"--until {text}: '{width}' is no width; allowed: {metric}:1% of the base value, or {metric}:250"
        )
    return Goal(metric, number / 100 if relative else number, relative)


def reaches(folder: Path, goals: Sequence[Goal], names: Iterable[str]) -> list[Reach]:
    """How tight the intervals of all scenarios of a sweep are, over the runs of these names (hashes).

    Raises:
        UserError: as `compare`; or a metric without a value in some run.
    """
    found = []
    wanted = set(names)
    for part in parts_of([str(folder)]):
        with Study([run for run in part.folders if run.name in wanted], part.base, part.labels) as study:
            entries = compare(study, names=[goal.metric for goal in goals])
            seeds = len(study.seeds)
        by_metric = {goal.metric: goal for goal in goals}
        for entry in entries:
            goal = by_metric[entry["metric"]]
            if entry["seeds"] < seeds:
                raise UserError(
                    f"--until: {goal.metric} has no value in some runs of {entry['scenario']}; take another"
                )
            # at least eight seeds that all change alike: nothing asks for more
            half = 0.0 if entry["low"] is None else (entry["high"] - entry["low"]) / 2
            target = goal.target(entry["base_value"])
            needed = seeds
            if half > target:
                spread = half * seeds**0.5 / float(stdtrit(seeds - 1, _TAIL))
                needed = _number(seeds_needed(np.array([spread]), np.array([target]))[0])
            found.append(Reach(goal.metric, entry["scenario"], entry["base"], seeds, half, target, needed))
    return found


def _number(seeds: float) -> int:
    return sys.maxsize if np.isnan(seeds) else int(seeds)


def next_size(seeds: int, needed: int, most: int) -> int:
    """Seeds after the next stage."""
    least = seeds + -(-seeds // LEAST_STEP)
    return min(most, max(least, min(2 * seeds, needed)))


def add_seeds(
    folder: Path,
    goals: Sequence[Goal],
    seeds: Sequence[int],
    most: int,
    compute: Callable[[Sequence[int]], Iterable[str]],
) -> list[Reach]:
    """Add seeds to a sweep until every interval is as tight as asked, or there are `most`.

    Args:
        folder: of the sweep. goals: one per metric. seeds: to start with; the numbers after the largest follow.
        compute: runs the sweep with these seeds; names of its runs, none when it cannot go on.

    Returns:
        How tight the intervals are at the end; empty when `compute` could not go on.
    """
    own = sorted(set(seeds))
    size = min(most, max(LEAST_SEEDS, len(own)))
    while True:
        own += range(own[-1] + 1, own[-1] + 1 + size - len(own))
        names = list(compute(own))
        if not names:
            return []
        found = reaches(folder, goals, names)
        if all(reach.reached for reach in found) or len(own) >= most:
            return found
        size = next_size(len(own), max(reach.needed for reach in found), most)


def coverage(
    values: NDArray[np.float64], truth: float, half_width: float, least: int = LEAST_SEEDS
) -> tuple[float, float]:
    """Share of repetitions whose interval covers the truth when seeds are added by this rule, and their mean number.

    `values`: float64[repetitions, most], the differences each repetition would see.
    """
    covered, used = 0, 0
    for row in values:
        size = min(least, row.size)
        while True:
            spread = float(row[:size].std(ddof=1))
            half = float(stdtrit(size - 1, _TAIL)) * spread / size**0.5
            if half <= half_width or size == row.size:
                break
            needed = _number(seeds_needed(np.array([spread]), np.array([half_width]))[0])
            size = next_size(size, needed, row.size)
        covered += abs(float(row[:size].mean()) - truth) <= half
        used += size
    return covered / len(values), used / len(values)


def study_coverage(repetitions: int = 5_000, most: int = 256) -> list[dict[str, Any]]:
    """Coverage where the truth is known: normal and skewed differences, widths that take few or many seeds."""
    chance = np.random.default_rng(1965)
    found: list[dict[str, Any]] = []
    for name in ("normal", "exponential"):
        for half_width in (0.8, 0.5, 0.3):
            values = (
                chance.normal(size=(repetitions, most))
                if name == "normal"
                else chance.exponential(size=(repetitions, most))
            )
            share, seeds = coverage(values, 0.0 if name == "normal" else 1.0, half_width)
            found.append({"differences": name, "half_width": half_width, "coverage": share, "mean_seeds": seeds})
    return found


if __name__ == "__main__":
    for line in study_coverage():
        print(f"{line['differences']:<12} half width {line['half_width']} standard deviations: "
              f"covers {line['coverage']:.1%}, {line['mean_seeds']:.1f} seeds")  # fmt: skip
