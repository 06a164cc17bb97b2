"""A sweep as a table of points: what was varied, and what came of it against each point's own base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.inference import without_last_bit
from analysis.metrics import METRICS
from analysis.summary import Summary
from sim.sweep.plan import overrides_of

F64 = NDArray[np.float64]
_NOT_VARIED: Final = ("seed",)


@dataclass(frozen=True, slots=True)
class SweepPoints:
    """Points of a sweep, each the mean over its seeds.

    Attributes:
        labels: one a point; points that are compared to something come alone where there are any.
        parameters: what differs between points, as texts by key; `numbers` those that are numbers, float64[points].
        values: metric -> float64[points], nan where a point has none.
        effects: metric -> mean paired difference to the point's own base, nan where there is no base.
    """

    labels: tuple[str, ...]
    parameters: dict[str, tuple[str, ...]]
    numbers: dict[str, F64]
    values: dict[str, F64]
    effects: dict[str, F64]

    def of(self, metric: str, effect: bool) -> F64:
        """Effects or values of a metric."""
        return (self.effects if effect else self.values)[metric]


def sweep_points(rows: Sequence[Mapping[str, Any]], summary: Summary) -> SweepPoints:
    """Points of a manifest's finished runs.

    Args:
        rows: of the manifest.
        summary: of the sweep.
    """
    done = [row for row in rows if row["hash"] in summary.facts]
    numbers = summary.values([row["hash"] for row in done])[1][:, 0]
    names = list(METRICS)
    by_label: dict[str, dict[int, F64]] = {}
    about: dict[str, Mapping[str, Any]] = {}
    for row, own in zip(done, numbers, strict=True):
        by_label.setdefault(row["label"], {})[row["seed"]] = own
        about.setdefault(row["label"], row)
    policies = [label for label, row in about.items() if row["base"]]
    labels = sorted(policies or about)
    values = np.array([_mean(list(by_label[label].values())) for label in labels])
    effects = np.full_like(values, np.nan)
    for position, label in enumerate(labels):
        base = by_label.get(about[label]["base"], {})
        both = [(base[seed], own) for seed, own in by_label[label].items() if seed in base]
        if both:
            before, after = (np.array(side).T for side in zip(*both, strict=True))
            effects[position] = without_last_bit(_mean([own - old for old, own in both]), before, after)
    given = [dict(overrides_of(about[label]["overrides"])) | {"scenario": about[label]["scenario"]} for label in labels]
    keys = list(dict.fromkeys(key for one in given for key in one))
    parameters = {
        key: tuple(one.get(key, "") for one in given) for key in keys
        if key not in _NOT_VARIED and len({one.get(key, "") for one in given}) > 1
    }  # fmt: skip
    numbers_of = {key: found for key, texts in parameters.items() if (found := _numbers(texts)) is not None}
    return SweepPoints(
        tuple(labels), parameters, numbers_of,
        {name: values[:, column] for column, name in enumerate(names)},
        {name: effects[:, column] for column, name in enumerate(names)},
    )  # fmt: skip


def _mean(rows: Sequence[F64]) -> F64:
    """Means of columns over the rows that have a value; nan where none has."""
    stacked = np.array(rows)
    known = np.isfinite(stacked)
    count = known.sum(axis=0)
    result: F64 = np.where(count > 0, np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return result


def _numbers(texts: Sequence[str]) -> F64 | None:
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return None


def front(x: F64, y: F64, x_more: bool, y_more: bool) -> list[int]:
    """Positions of the points that no other beats in both, by x."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    first, second = (x if x_more else -x), (y if y_more else -y)
    order = sorted(known.tolist(), key=lambda point: (-first[point], -second[point]))
    found, best = [], -np.inf
    for point in order:
        if second[point] > best:
            found.append(point)
            best = float(second[point])
    return sorted(found, key=lambda point: float(x[point]))


def rank_correlation(x: F64, y: F64) -> tuple[float, float, float] | None:
    """Spearman's correlation with its 95 % interval (Fisher's transformation); None with fewer than 5 points."""
    from scipy.stats import rankdata

    known = np.isfinite(x) & np.isfinite(y)
    size = int(known.sum())
    if size < 5 or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return None
    r = float(np.corrcoef(rankdata(x[known]), rankdata(y[known]))[0, 1])
    turned, reach = np.arctanh(np.clip(r, -0.999999, 0.999999)), 1.959964 / np.sqrt(size - 3)
    return r, float(np.tanh(turned - reach)), float(np.tanh(turned + reach))
