"""Intervals that cover what they promise to, corrections, and the seeds that a precision takes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.comparison import differences
from analysis.inference import bootstrap, holm, seeds_needed, student, variance_ratio

REPETITIONS = 5_000
VISITS, LEFT, CAME = 3_000, 0.05, 60.0
TRUTH = CAME - LEFT * VISITS  # what the policy does to the expected count of a seed


def paired_counts(seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """A world whose truth is known, float64[repetitions, seeds] without and with the policy: seeds differ in how many
    people there are, 5 % of the visits go and others come in.
    """
    chance = np.random.default_rng(seeds)
    people = chance.gamma(400, 1 / 400, (REPETITIONS, seeds))
    before = chance.poisson(VISITS * people)
    after = before - chance.binomial(before, LEFT) + chance.poisson(CAME * people)
    return before.astype(np.float64), after.astype(np.float64)


@pytest.mark.parametrize("seeds", [4, 8, 32])
def test_intervals_cover_the_truth_as_often_as_they_say(seeds: int) -> None:
    """Through what `compare` calls. 5,000 repetitions of a coverage of 95 % lie within 93 to 97 % but for 1e-9."""
    found = list(differences(*paired_counts(seeds)))
    assert len(found) == REPETITIONS
    covered = np.mean([entry["low"] <= TRUTH <= entry["high"] for entry in found])
    assert 0.93 <= covered <= 0.97
    if seeds < 32:
        assert all(entry["bootstrap_low"] is None and entry["bootstrap_high"] is None for entry in found)
    else:
        covered = np.mean([entry["bootstrap_low"] <= TRUTH <= entry["bootstrap_high"] for entry in found])
        assert 0.93 <= covered <= 0.97


def test_the_bootstrap_follows_a_skew() -> None:
    """Of exponential values the mean is rather underestimated than overestimated: the interval reaches further up."""
    values = np.random.default_rng(5).exponential(1.0, (REPETITIONS, 40))
    low, high = bootstrap(values)
    found = student(values)
    assert np.mean((low <= 1) & (high >= 1)) > np.mean((found.low <= 1) & (found.high >= 1))
    assert np.mean(high - found.mean) > 1.1 * np.mean(found.mean - low)


def test_student_is_scipy_s() -> None:
    values = np.random.default_rng(2).normal(0.3, 1, (1, 9))
    found = student(values)
    test = stats.ttest_1samp(values[0], 0)
    interval = test.confidence_interval()
    assert (found.low[0], found.high[0]) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert found.p_value[0] == pytest.approx(test.pvalue)
    assert found.p_positive[0] == pytest.approx(1 - stats.ttest_1samp(values[0], 0, alternative="greater").pvalue)


def test_what_does_not_vary_has_no_width() -> None:
    """Sums of equal numbers are not exact: 0.1 eleven times over eleven is not 0.1."""
    for seeds in (2, 11, 40):
        values = np.array([[0.1] * seeds, [0.0] * seeds, [-3e100] * seeds])
        found = student(values)
        assert (found.low == values[:, 0]).all()
        assert (found.high == values[:, 0]).all()
        assert found.p_value.tolist() == [0.0, 1.0, 0.0]
        assert found.p_positive.tolist() == [1.0, 0.5, 0.0]
        low, high = bootstrap(values)
        assert (low == values[:, 0]).all()
        assert (high == values[:, 0]).all()


def test_one_odd_seed_in_forty_gives_no_bootstrap_bound() -> None:
    """36 % of the resamples lack it and have no spread: nothing bounds the mean on that side."""
    values = np.zeros((1, 40))
    values[0, 3] = 1.0
    low, high = bootstrap(values)
    assert np.isnan(high[0])
    assert not low[0] > 0
    (entry,) = differences(np.zeros((1, 40)), values)
    assert entry["bootstrap_high"] is None
    assert entry["high"] is not None


@pytest.mark.parametrize("seeds", [2, 5, 40])
def test_seeds_that_all_change_alike_tell_no_spread(seeds: int) -> None:
    """One order more in every seed is no proof, in totals of orders no more than in the orders themselves."""
    count = np.random.default_rng(seeds).integers(6_000, 7_000, (1, seeds)).astype(np.float64)
    for weight in (1.0, 24_927.3):
        old = weight * np.concatenate([count, count, count])
        new = weight * np.concatenate([count + 1, count, count + np.arange(seeds)])
        alike, still, moved = differences(old, new)
        assert alike["difference"] == pytest.approx(weight)
        for name in ("low", "high", "bootstrap_low", "bootstrap_high", "p_positive", "p_value", "p_holm",
                     "variance_ratio", "seeds_needed"):  # fmt: skip
            assert alike[name] is None, name
        assert (still["difference"], still["low"], still["high"], still["p_value"]) == (0.0, 0.0, 0.0, 1.0)
        assert moved["low"] < moved["difference"] < moved["high"]
        assert moved["p_holm"] == min(1.0, 2 * moved["p_value"])  # what tells no spread is no test


def test_one_seed_and_none_tell_no_spread_either() -> None:
    (one,) = differences(np.array([[3.0]]), np.array([[4.0]]))
    assert (one["difference"], one["low"], one["p_value"], one["seeds"]) == (1.0, None, None, 1)
    (none,) = differences(np.array([[np.nan]]), np.array([[4.0]]))
    assert (none["difference"], none["low"], none["p_value"], none["seeds"]) == (None, None, None, 0)


def test_holm_is_worked_by_hand() -> None:
    found = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, np.nan, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def test_of_many_metrics_that_nothing_moves_few_are_called_moved() -> None:
    """Forty metrics, 400 comparisons: singly 5 % each, together in 5 % of the comparisons."""
    chance = np.random.default_rng(11)
    single, together = 0, 0
    for _ in range(400):
        found = list(differences(np.zeros((40, 8)) + 1, chance.normal(1, 0.1, (40, 8))))
        single += any(entry["p_value"] < 0.05 for entry in found)
        together += any(entry["p_holm"] < 0.05 for entry in found)
    assert single > 300  # 1 - 0.95^40 is 87 %
    assert together < 45  # 20 expected; more than 44 has odds of 1e-6


def test_seeds_needed_reach_the_precision_and_one_less_does_not() -> None:
    spread, reach = np.array([1.0, 3.0, 0.0, 1.0, np.nan]), np.array([0.1, 1.0, 1.0, 0.0, 1.0])
    found = seeds_needed(spread, reach)
    assert np.isnan(found[3:]).all()
    assert found[2] == 2
    for seeds, deviation, width in zip(found[:2], spread, reach, strict=False):
        assert stats.t.ppf(0.975, seeds - 1) * deviation / seeds**0.5 <= width
        assert stats.t.ppf(0.975, seeds - 2) * deviation / (seeds - 1) ** 0.5 > width


def test_differences_that_cancel_are_nothing_and_not_a_last_bit() -> None:
    weight = 24_927.3  # persons that each sampled one stands for
    old = weight * np.array([[6498, 6101, 6707, 6333]])
    new = weight * np.array([[6501, 6096, 6708, 6334]])
    assert 0 < abs((new - old).mean()) < 1e-6  # what rounding leaves of 3 - 5 + 1 + 1
    (entry,) = differences(old, new)
    assert (entry["difference"], entry["relative"]) == (0.0, 0.0)
    assert entry["low"] == pytest.approx(-entry["high"])
    (small,) = differences(old, old + 1e-5)
    assert small["difference"] == pytest.approx(1e-5, rel=0.1)


def test_pairing_pays_when_the_sides_move_together() -> None:
    """Sides that share nine parts in ten of their variance: unpaired 2, paired 2 x 0.1."""
    chance = np.random.default_rng(4)
    common = chance.normal(0, 0.9**0.5, (1, 4_000))
    old, new = (common + chance.normal(0, 0.1**0.5, (1, 4_000)) for _ in range(2))
    assert variance_ratio(old, new)[0] == pytest.approx(10, rel=0.1)
    assert np.isnan(variance_ratio(old, old)[0])
