"""The points of a sweep as data: what was set, and one metric over the seeds. What sensitivity and discovery read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.metrics import METRICS
from analysis.summary import bring_up_to_date
from sim.config.run import NOT_MODEL
from sim.errors import RunFolderError, UserError, unknown_name
from sim.sweep.driver import MANIFEST, read_manifest
from sim.sweep.plan import is_policy, key_of

F64 = NDArray[np.float64]
Of = Literal["difference", "relative", "value"]
OUTCOMES: Final = ("difference", "relative", "value")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a sweep with an outcome.

    Attributes:
        label: as in the manifest. policy: its scenario and interventions, as overrides; future: its other overrides,
            the seed and what is no model apart. settings: key -> value as written, of both.
        seeds: sorted. outcome: float64[seeds].
    """

    label: str
    policy: str
    future: str
    settings: dict[str, str]
    seeds: tuple[int, ...]
    outcome: F64


def read_points(folder: Path, metric: str, of: str | None = None) -> list[Point]:
    """Points of a sweep that have finished, sorted by label.

    Args:
        metric: of `METRICS`. of: "difference" to the base of the same seed, "relative" (over the size of the base's
            value), or the "value" itself; by default the difference where the sweep has bases, else the value.

    Raises:
        UserError: an unknown metric, no sweep, or no point with an outcome.
    """
    if metric not in METRICS:
        raise UserError(str(unknown_name("--metric", "", "metric", metric, METRICS)))
    if of is not None and of not in OUTCOMES:
        raise UserError(f"--of: unknown outcome '{of}'; allowed: {', '.join(OUTCOMES)}")
    rows = read_manifest(folder)
    if not rows:
        raise RunFolderError(f"{folder}: holds no sweep ({MANIFEST} is missing); `livecommerce sweep --out` makes one")
    summary = bring_up_to_date(folder)
    rows = [row for row in rows if row["hash"] in summary.facts]
    _, values = summary.values([row["hash"] for row in rows])
    column = values[:, 0, list(METRICS).index(metric)]
    found = {(row["label"], row["seed"]): value for row, value in zip(rows, column.tolist(), strict=True)}
    of = of or ("difference" if any(row["base"] for row in rows) else "value")
    by_label: dict[str, list[int]] = {}
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        by_label.setdefault(row["label"], []).append(row["seed"])
        first.setdefault(row["label"], row)
    points = []
    for label, seeds in sorted(by_label.items()):
        base = first[label]["base"]
        if of != "value" and not base:
            continue
        outcomes = {}
        for seed in sorted(seeds):
            outcome = found[label, seed]
            if of != "value":
                before = found.get((base, seed), np.nan)
                outcome = outcome - before if of == "difference" else (outcome - before) / abs(before or np.nan)
            if not np.isnan(outcome):
                outcomes[seed] = outcome
        if outcomes:
            points.append(_point(label, first[label]["overrides"], outcomes))
    if not points:
        raise UserError(f"{folder}: no finished point has a {of} of {metric}")
    return points


def _point(label: str, overrides: Iterable[str], outcomes: dict[int, float]) -> Point:
    kept = [text for text in overrides if is_policy(text) or (key_of(text) != "seed" and key_of(text) not in NOT_MODEL)]
    policy = sorted(text for text in kept if is_policy(text))
    return Point(
        label,
        " ".join(policy) or "baseline",
        " ".join(sorted(set(kept) - set(policy))),
        {key_of(text): text.partition("=")[2] for text in kept},
        tuple(outcomes),
        np.array(list(outcomes.values())),
    )


def varied_numbers(points: list[Point]) -> dict[str, F64]:
    """Settings that are numbers and differ between points, by key, float64[points]. `UserError` when there is none."""
    keys = sorted(set.intersection(*(set(point.settings) for point in points)))
    found = {}
    for key in keys:
        try:
            column = np.array([float(point.settings[key]) for point in points])
        except ValueError:
            continue
        if np.unique(column).size > 1:
            found[key] = column
    if not found:
        raise UserError("no numeric setting differs between these points: sweep a design or a list of values")
    return found
