"""What entrants are seen to sell, and what the next ones expect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.firms.trials import Trials, entrants_share
from sim.kinds import N_COUNTRIES


def trials(**changes: Any) -> Trials:
    rule: Any = SimpleNamespace(**({"entrant_sales": 0.5, "trust_units": 100.0, "trial_weeks": 4} | changes))
    return Trials(rule, 3)


def enter(found: Trials, merchant: int, country: int, day: int = 0) -> None:
    joined = np.zeros((1, N_COUNTRIES), np.bool_)
    joined[0, country] = True
    found.begin(np.array([merchant]), joined, np.zeros((3, N_COUNTRIES), np.int64), day)


def test_the_share_goes_from_the_belief_to_what_is_seen() -> None:
    assert entrants_share(0.5, 0.0, 0.0, 100.0) == 0.5
    assert entrants_share(0.5, 20.0, 100.0, 100.0) == pytest.approx(0.35)
    assert entrants_share(0.5, 2e6, 1e7, 100.0) == pytest.approx(0.2, abs=1e-4)


def test_without_entrants_nothing_is_learnt() -> None:
    found = trials()
    sold = np.full((3, N_COUNTRIES), 7)
    assert not found.watch(sold, np.ones((3, N_COUNTRIES)), np.ones((3, N_COUNTRIES), np.bool_), 7)
    assert (found.share() == 0.5).all()


@pytest.mark.parametrize(("weekly", "better"), [(0, False), (35, False), (70, True)])
def test_entrants_who_sell_less_than_expected_lower_the_hopes_of_the_next(weekly: int, better: bool) -> None:
    found, there = trials(trial_weeks=52), np.ones((3, N_COUNTRIES), np.bool_)
    enter(found, 0, 2)
    sold = np.zeros((3, N_COUNTRIES), np.int64)
    for week in range(1, 9):
        sold = sold + weekly
        found.watch(sold, np.full((3, N_COUNTRIES), 10.0), there, 7 * week)
    share = found.share()
    if weekly == 35:  # half of 10 a day: as expected
        assert share == pytest.approx(0.5)
    else:
        assert (share[2] > 0.5) == better
        assert (share[0] > 0.5) == better, "the others have heard of it"
        assert abs(share[2] - 0.5) > abs(share[0] - 0.5)


def test_a_trial_ends_with_its_time_or_with_leaving() -> None:
    found, there = trials(), np.ones((3, N_COUNTRIES), np.bool_)
    usual, sold = np.ones((3, N_COUNTRIES)), np.zeros((3, N_COUNTRIES), np.int64)
    enter(found, 0, 2)
    enter(found, 1, 5)
    assert found.reach[0, 2] == found.reach[1, 5] == 0.5
    assert found.busy().tolist() == [True, True, False]
    there[1, 5] = False
    assert found.watch(sold, usual, there, 7)
    assert found.busy().tolist() == [True, False, False]
    assert not found.watch(sold, usual, there, 21)
    assert found.watch(sold, usual, there, 28)
    assert not found.busy().any()
    assert (found.reach == 1).all()
    enter(found, 2, 1)
    found.forget(np.array([2]))
    assert not found.busy().any()
