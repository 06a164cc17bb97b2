"""People at rest: ages of purchases by renewal theory, follows, bonds; and bonds that lapse without contact."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kernels.opinion import end_of_day
from sim.state.consumers import people_of
from sim.state.rest import WATCHER, Renewal, bonds, follows_wanted, purchases
from tests.consumer.market import FIRST_DAY, SyntheticMarket, synthetic_market

GRID = ((np.arange(20_000) + 0.5) / 20_000).astype(np.float32)


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(500, streamers=120, shows=80, merchants=40)


@pytest.mark.parametrize(("pace", "need_days", "steepness"), [(0.001, 50.0, 2.0), (0.03, 60.0, 2.0), (3.0, 90.0, 0.0)])
def test_ages_are_those_of_a_renewal_process_long_under_way(pace: float, need_days: float, steepness: float) -> None:
    """Against a process of that hazard lived day by day; ten standard errors of the mean age of its people."""
    law = Renewal(pace, need_days, steepness, 0.2)
    ages = law.age(GRID)
    assert (np.diff(ages) >= 0).all()
    assert ages[0] >= 0
    rng = np.random.default_rng(5)
    people, step = 4000, min(1.0, 0.2 / pace)
    lived = law.age(rng.random(people).astype(np.float32))
    start, bought, steps = lived.mean(), 0, 300
    for _ in range(steps):
        need = np.minimum((lived + step / 2) / need_days, 1.0)
        hazard = pace * (need + 0.2) / 1.2 * np.exp(steepness * (need - 1.0))
        buys = rng.random(people) < 1.0 - np.exp(-hazard * step)
        bought += int(buys.sum())
        lived = np.where(buys, rng.random(people) * step, lived + step)
    error = ages.std() / np.sqrt(people)
    assert abs(start - ages.mean()) < 10 * error
    assert abs(lived.mean() - ages.mean()) < 10 * error + 0.05 * ages.mean()  # days are counted whole
    expected = people * steps * step / law.interval
    assert abs(bought - expected) < 10 * np.sqrt(expected) + 0.05 * expected


def test_interest_and_watching_bring_purchases_nearer() -> None:
    half = np.full(1000, 0.5, np.float32)
    interest = np.repeat(np.array([0, 60, 250], np.uint8), [300, 300, 400])
    adopter = np.arange(1000) % 2 == 0
    age, rate = purchases(interest, adopter, 0.02, 60.0, 2.0, 0.2, half, {})
    assert age[interest == 0].min() > age[interest == 60].max() > age[interest == 250].max()
    assert (rate[interest == 250].min()) > rate[interest == 60].max()
    # twice the occasions are as good as twice the interest
    twice = purchases(np.full(1000, 120, np.uint8), ~adopter & False, 0.02, 60.0, 2.0, 0.2, half, {})[1]
    assert WATCHER == 2
    np.testing.assert_allclose(rate[(interest == 60) & adopter], twice[0])


def test_follows_and_bonds_at_rest() -> None:
    taste = np.zeros(GRID.size, np.float32)
    assert follows_wanted(taste, 0.0, 6, GRID).sum() == 0
    some = follows_wanted(taste, 2.0, 6, GRID)
    assert some.mean() == pytest.approx(2.0, abs=0.02)  # the limit takes little of a Poisson of mean two
    assert (follows_wanted(taste, 500.0, 6, GRID) == 6).all()
    assert follows_wanted(taste + 1, 2.0, 6, GRID).mean() > some.mean() > follows_wanted(taste - 1, 2.0, 6, GRID).mean()
    strength = bonds(0.3, 0.1, GRID)
    assert strength.min() >= 0.1
    assert strength.max() <= 1.0
    assert strength.mean() == pytest.approx(0.3, abs=0.01)
    assert (bonds(0.1, 0.1, GRID) == 0.1).all()


def test_who_means_too_little_is_followed_no_more(market: SyntheticMarket) -> None:
    followed = market.table.follows != 0xFFFF
    assert followed.sum() > 100
    left = []
    for threshold in (0.0, 0.2, 1.0):
        param = market.param.copy()
        param["trust_bond_lapse"] = threshold
        table = market.copy_of_people()
        for day in range(FIRST_DAY, FIRST_DAY + 7):  # everybody's weekday once
            end_of_day(param, people_of(table), np.arange(256, dtype=np.uint8), day, 1, *market.draws.key)
        faded = market.table.real("bonds") * (1 - param["trust_bond_decay"][0])
        stays = followed & (faded >= threshold)
        unsure = abs(faded - threshold) < 1e-4
        np.testing.assert_array_equal((table.follows != 0xFFFF)[~unsure], stays[~unsure])
        assert (table.bonds[table.follows == 0xFFFF] == 0).all()
        np.testing.assert_allclose(table.real("bonds")[stays & ~unsure], faded[stays & ~unsure], atol=1e-4)
        left.append(int(stays.sum()))
    assert left[0] == followed.sum() > left[1] > left[2] == 0


def test_people_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together = synthetic_market(1000, streamers=120, shows=80, merchants=40).table
    monkeypatch.setattr("sim.state.consumers.STRETCH", 170)
    apart = synthetic_market(1000, streamers=120, shows=80, merchants=40).table
    for column in together:
        np.testing.assert_array_equal(together[column.name], apart[column.name], column.name)
