"""Return windows: nothing can go back without one, late regret is too late in a short one, and a long one lets all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.kernels.friends import pack
from sim.kernels.opinion import Judged, judge
from sim.kinds import N_COUNTRIES
from sim.state.consumers import people_of
from tests.consumer.market import SyntheticMarket, synthetic_market
from tests.consumer.test_twin import CONSUMERS, orders_of

COUNT = 4000
DAY = 86_400


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(CONSUMERS, streamers=120, shows=80, merchants=60)


def verdicts(market: SyntheticMarket, window: float, **params: float) -> tuple[Judged, NDArray[Any]]:
    """The same parcels judged under one window in all countries."""
    param = market.param.copy()
    for name, value in params.items():
        param[name] = value
    orders = orders_of(market, COUNT)
    judged = Judged(
        np.zeros(COUNT, np.float32), np.zeros(COUNT, np.int64), np.zeros(COUNT, np.bool_),
        np.zeros(COUNT, np.bool_), np.zeros(COUNT, np.bool_), np.zeros(COUNT, np.int64),
    )  # fmt: skip
    setting = market.setting._replace(return_window=np.full(N_COUNTRIES, window, np.float32))
    judge(
        param, people_of(market.copy_of_people()), setting, market.offers,
        np.full(market.catalogue.n_merchants, 0.8, np.float32), market.market.return_level, orders, np.arange(COUNT),
        *market.draws.key, judged, np.zeros((market.catalogue.n_merchants, 2), np.int64),
        pack(np.zeros(CONSUMERS + 1, np.int64), np.zeros(0, np.int32)),
    )  # fmt: skip
    return judged, orders


def test_goods_go_back_only_within_the_window(market: SyntheticMarket) -> None:
    none, some, every = (verdicts(market, window)[0] for window in (0.0, 3.0, 1e4))
    orders = orders_of(market, COUNT)
    waited = every.time - orders["delivered"]
    assert none.returns.sum() == 0
    assert 0 < some.returns.sum() < every.returns.sum()
    # the window takes away exactly the decisions that fall too late, and nothing else about the verdicts
    np.testing.assert_array_equal(some.returns, every.returns & (waited < 3 * DAY))
    np.testing.assert_array_equal(some.time, every.time)
    np.testing.assert_array_equal(some.satisfaction, every.satisfaction)
    # who may not send back may dispute instead
    assert not (every.disputes & ~none.disputes).any()
    assert none.disputes.sum() > every.disputes.sum()


def test_regret_takes_an_exponential_time(market: SyntheticMarket) -> None:
    mean = float(market.param["experience_regret_days"][0])
    judged, orders = verdicts(market, 14.0)
    days = (judged.time - orders["delivered"]) / DAY
    # an exponential's mean has a standard error of mean / sqrt(n); five of them: odds of a false alarm below 1e-6
    assert abs(days.mean() - mean) < 5 * mean / np.sqrt(COUNT)
    assert abs((days < mean).mean() - (1 - np.exp(-1))) < 5 * np.sqrt(0.25 / COUNT)
    judged, orders = verdicts(market, 14.0, experience_regret_days=0.0)
    np.testing.assert_array_equal(judged.time, orders["delivered"])


def test_realised_surplus_leaves_out_the_part_of_an_impulse_that_has_passed(market: SyntheticMarket) -> None:
    all_of_it, half, nothing = (verdicts(market, 0.0, experience_impulse_passed=part)[0] for part in (1.0, 0.5, 0.0))
    orders = orders_of(market, COUNT)
    impulse = orders["impulse_gap"] / orders["money_utility"] * 1e5  # in 1e-5 USD
    assert impulse.min() >= 0 < impulse.mean()
    np.testing.assert_allclose(all_of_it.realised_loss - nothing.realised_loss, impulse, rtol=1e-4, atol=300)
    np.testing.assert_allclose(half.realised_loss - nothing.realised_loss, impulse / 2, rtol=1e-4, atol=300)
    for name in (
        "satisfaction",
        "time",
        "returns",
        "disputes",
        "complains",
    ):
        np.testing.assert_array_equal(getattr(all_of_it, name), getattr(nothing, name))
