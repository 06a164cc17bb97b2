"""How sure a mean over seeds is: intervals, probabilities, corrections and the seeds that a precision takes.

Everything works on many quantities at once: values are float64[rows, seeds], one row per quantity, without gaps.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

F64 = NDArray[np.float64]

CONFIDENCE: Final = 0.95
BOOTSTRAP_SEEDS: Final = 32  # with fewer the tails of the resampled statistic say little
RESAMPLES: Final = 1_999  # (resamples + 1) times each tail of 95 % is a whole number
MOST_SEEDS: Final = 10_000_000
CORRECTION: Final = "holm"
_BOTH_TAILS: Final = 2
_ROUNDING: Final = 4 * float(np.finfo(np.float64).eps)
_ROWS_AT_A_TIME: Final = 500  # keeps the resampled means within some tens of MB
_RESAMPLING_SEED: Final = 20_230_101


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with its interval.

    Attributes:
        mean: over seeds. low, high: bounds of the interval, None with one seed.
        p_positive: probability that the true mean is above 0 (flat prior), None with one seed unless it is exactly 0.
        seeds: number of seeds with a value.
    """

    mean: float
    low: float | None
    high: float | None
    p_positive: float | None
    seeds: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Means over seeds, float64[rows] each.

    `low` and `high` bound the interval, `p_positive` is the probability that the true mean is above 0 (flat prior),
    `p_value` the two-sided one of a mean of 0. All four are nan with one seed.
    """

    mean: F64
    low: F64
    high: F64
    p_positive: F64
    p_value: F64


def without_last_bit(mean: F64, before: F64, after: F64) -> F64:
    """Mean differences, float64[rows], of which those are 0 that are no more than the rounding of what is subtracted.

    `before` and `after` are float64[rows, seeds]: where seeds cancel, their differences leave a last bit.
    """
    size: F64 = np.fmax(np.abs(before), np.abs(after)).max(axis=1, initial=0.0, where=~np.isnan(before + after))
    result: F64 = np.where(np.abs(mean) <= _ROUNDING * size, 0.0, mean)
    return result


def student(values: F64, confidence: float = CONFIDENCE) -> Intervals:
    """Means of values float64[rows, seeds] with Student's t intervals; a spread of 0 gives an interval of width 0."""
    seeds = values.shape[1]
    mean = values.mean(axis=1)
    if seeds == 1:
        unknown = np.full(mean.shape, np.nan)
        return Intervals(mean, unknown, unknown, unknown, unknown)
    same = (values == values[:, :1]).all(axis=1)
    mean = np.where(same, values[:, 0], mean)  # a mean of equal numbers may differ from them in its last bit
    error = np.where(same, 0.0, values.std(axis=1, ddof=1)) / seeds**0.5
    reach = float(stdtrit(seeds - 1, 1 - (1 - confidence) / _BOTH_TAILS)) * error
    certain = np.where(mean == 0, 0.0, np.copysign(np.inf, mean))
    ratio = np.divide(mean, error, out=certain, where=error > 0)
    return Intervals(
        mean, mean - reach, mean + reach, stdtr(seeds - 1, ratio), 2 * stdtr(seeds - 1, -np.abs(ratio))
    )  # fmt: skip


def paired_changes(before: F64, after: F64) -> F64:
    """What seeds change by, float64[rows, seeds]; those of a row that differ by no more than rounding are made equal.

    Totals are whole numbers times a weight: seeds that change by the same whole number differ in the last bit.
    """
    change: F64 = after - before
    size = np.maximum(np.abs(before), np.abs(after)).max(axis=1, initial=0.0)
    alike = np.ptp(change, axis=1) <= _ROUNDING * size
    change[alike] = change[alike, :1]
    change[alike & (np.abs(change[:, 0]) <= _ROUNDING * size)] = 0.0
    return change


def without_spread(change: F64) -> NDArray[np.bool_]:
    """Rows of float64[rows, seeds] in which all of several seeds change by the same amount, other than 0.

    They say nothing about how far other seeds would be from it: two seeds with one order more each would have an
    interval of no width, and a p value of 0. Where every seed changes by exactly 0, nothing was touched.
    """
    several = change.shape[1] > 1
    alike: NDArray[np.bool_] = (change == change[:, :1]).all(axis=1) & (change[:, 0] != 0) & several
    return alike


def paired(change: F64, confidence: float = CONFIDENCE) -> Intervals:
    """As `student` of what seeds change by, float64[rows, seeds]; all but the mean is nan where `without_spread`."""
    found = student(change, confidence)
    unknown = without_spread(change)
    low, high, p_positive, p_value = (
        np.where(unknown, np.nan, column) for column in (found.low, found.high, found.p_positive, found.p_value)
    )
    return Intervals(found.mean, low, high, p_positive, p_value)


def estimate(values: F64, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of values float64[seeds] and its t interval; a spread of 0 gives an interval of width 0."""
    found = student(np.asarray(values, dtype=np.float64)[None, :], confidence)
    if values.size == 1:
        return Estimate(float(found.mean[0]), None, None, None, 1)
    mean, low, high, p_positive = (float(column[0]) for column in (found.mean, found.low, found.high, found.p_positive))
    return Estimate(mean, low, high, p_positive, int(values.size))


def bootstrap(values: F64, confidence: float = CONFIDENCE, resamples: int = RESAMPLES) -> tuple[F64, F64]:
    """Bounds of the mean of values float64[rows, seeds] by the studentised bootstrap, float64[rows] each.

    The statistic (resampled mean - mean) / resampled standard error takes the place of Student's t, so the interval
    follows the skew of the data (Hall, The Annals of Statistics 16, 1988; Efron and Tibshirani, An Introduction to the
    Bootstrap, ch. 12.5). The resamples are the same at each call. A spread of 0 gives a width of 0; a bound is nan
    where so few seeds differ that more resamples than a tail holds have no spread.
    """
    rows, seeds = values.shape
    counts = _draws(seeds, resamples)
    tail = round((resamples + 1) * (1 - confidence) / _BOTH_TAILS)
    centres = values.mean(axis=1)
    low, high = np.empty(rows), np.empty(rows)
    for start in range(0, rows, _ROWS_AT_A_TIME):
        part = slice(start, start + _ROWS_AT_A_TIME)
        apart = values[part] - centres[part, None]
        apart[(values[part] == values[part, :1]).all(axis=1)] = 0.0
        scale = np.maximum(np.abs(apart).max(axis=1), np.finfo(np.float64).tiny)
        unit = apart / scale[:, None]
        means = unit @ counts / seeds
        spread = np.sqrt(np.maximum((unit**2) @ counts / seeds - means**2, 0.0))
        spread[spread < 1e-7] = 0.0  # what rounding leaves of a resample of equal values
        nothing = np.where(np.abs(means) < 1e-12, 0.0, np.copysign(np.inf, means))
        ratio = np.divide(means, spread, out=nothing, where=spread > 0)
        ordered = np.partition(ratio, (tail - 1, resamples - tail), axis=1)
        error = unit.std(axis=1) * scale
        with np.errstate(invalid="ignore"):
            low[part] = centres[part] - ordered[:, resamples - tail] * error
            high[part] = centres[part] - ordered[:, tail - 1] * error
        still = error == 0
        low[part][still] = high[part][still] = values[part][still, 0]
    low[~np.isfinite(low)] = np.nan
    high[~np.isfinite(high)] = np.nan
    return low, high


@functools.cache
def _draws(seeds: int, resamples: int) -> F64:
    """How often each seed is drawn in each resample, float64[seeds, resamples]."""
    chance = np.random.default_rng(_RESAMPLING_SEED)
    return chance.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples).T.astype(np.float64)


def holm(p_values: F64) -> F64:
    """Holm's adjusted p values of a family float64[tests]: below 0.05 means found while the chance of any false find in
    the family stays below 5 %, however the tests depend on each other (Holm, Scandinavian Journal of Statistics 6,
    1979). A nan is no test.
    """
    result = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = np.arange(order.size, 0, -1)
    result[order] = np.minimum(np.maximum.accumulate(steps * p_values[order]), 1.0)
    return result


def variance_ratio(old: F64, new: F64) -> F64:
    """How many times the variance of the paired difference goes into that of the unpaired one, float64[rows].

    Args:
        old, new: float64[rows, seeds] of the two sides, same seeds.

    Returns:
        (var(old) + var(new)) / var(new - old); nan with one seed or where the difference does not vary.
    """
    if old.shape[1] == 1:
        return np.full(old.shape[0], np.nan)
    unpaired = old.var(axis=1, ddof=1) + new.var(axis=1, ddof=1)
    together = spread_of(paired_changes(old, new)) ** 2
    ratio: F64 = np.divide(unpaired, together, out=np.full(unpaired.shape, np.nan), where=together > 0)
    return ratio


def spread_of(values: F64) -> F64:
    """Standard deviation over seeds of float64[rows, seeds]; exactly 0 where all seeds have the same value."""
    spread: F64 = np.where((values == values[:, :1]).all(axis=1), 0.0, values.std(axis=1, ddof=1))
    return spread


def seeds_needed(spread: F64, half_width: F64, confidence: float = CONFIDENCE) -> F64:
    """Smallest number of seeds whose t interval reaches at most `half_width` to each side, float64[rows].

    Args:
        spread: standard deviation over seeds. half_width: the reach asked for, above 0.

    Returns:
        At least 2; nan where either is unknown or it takes more than `MOST_SEEDS`.
    """
    known = ~(np.isnan(spread) | np.isnan(half_width)) & (half_width > 0)
    low = np.full(spread.shape, 1.0)
    high = np.full(spread.shape, float(MOST_SEEDS))
    ratio = np.divide(spread, half_width, out=np.zeros(spread.shape), where=known)
    upper = 1 - (1 - confidence) / _BOTH_TAILS
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        enough = stdtrit(middle - 1, upper) * ratio <= np.sqrt(middle)
        wide = high - low > 1
        high = np.where(wide & enough, middle, high)
        low = np.where(wide & ~enough, middle, low)
    return np.where(known & (high < MOST_SEEDS), high, np.nan)
