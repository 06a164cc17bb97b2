"""Best prices: rest, thresholds, remembered prices, menu costs, pass-through; what merchants learn of their buyers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.draws import Draws
from sim.firms.prices import Prices, Steepness, reference_share
from sim.kernels.prices import NO_LIMIT, Toll, best_price, gain_of, landed_usd, log_profit, slope_of, view_of
from sim.kinds import N_COUNTRIES
from sim.state.ledger import Account
from sim.state.orders import ORDER
from tests.supply.world import DAY, PROMISE, RULES, config, group, make
from tests.world.worlds import tiny

FREE = Toll(0.0, 0.0, NO_LIMIT, NO_LIMIT, 2.0, 2.0, 1.0)
TAXED = Toll(0.1, 0.2, 0.0, 0.0, 2.0, 2.0, 1.0)
STEEP, FLOOR = 0.08, 30.0


def rule(**changed: Any) -> Any:
    """The supply group with other price parameters."""
    supply = group("supply")
    return supply.model_copy(update={"prices": supply.prices.model_copy(update=changed)})


def days(world: Any, rules: Any, count: int = 7, factor: float = 1.0) -> None:
    for day in range(DAY + 2, DAY + 2 + count):
        world.supply.price(rules, day, factor, PROMISE)


@pytest.mark.parametrize("toll", [FREE, TAXED])
@pytest.mark.parametrize(("above", "below"), [(1.0, 1.0), (1.2, 1.1)])
def test_the_price_a_view_was_backed_out_from_is_the_best(toll: Toll, above: float, below: float) -> None:
    view = view_of(50.0 - FLOOR, STEEP, slope_of(toll, True, True), above, below)
    price, value = best_price(toll, FLOOR, landed_usd(toll, 50.0), above, below, view / STEEP, 50.0, 0.0)
    assert price == pytest.approx(50.0)
    for other in (45.0, 49.0, 51.0, 55.0):
        assert value > log_profit(
            landed_usd(toll, other), other, FLOOR, landed_usd(toll, 50.0), above, below, view / STEEP
        )


def test_margin_is_view_over_steepness_and_falls_with_the_tax_on_it() -> None:
    for toll in (FREE, TAXED):
        reach = 1.3 / STEEP
        price, _ = best_price(toll, FLOOR, 1.0, 1.0, 1.0, reach, 50.0, 0.0)
        assert price == pytest.approx(FLOOR + reach / slope_of(toll, True, True))
    assert slope_of(TAXED, True, True) == pytest.approx(1.1 * 1.2)


def test_costs_pass_through_but_not_within_the_band_of_the_remembered_price() -> None:
    remembered, above, below = landed_usd(FREE, 50.0), 1.2, 1.1
    reach = view_of(50.0 - FLOOR, STEEP, 1.0, above, below) / STEEP

    def asked(floor: float, above: float, below: float, reach: float) -> float:
        return best_price(FREE, floor, remembered, above, below, reach, 50.0, 0.0)[0]

    assert asked(FLOOR + 0.5, above, below, reach) == pytest.approx(50.0)
    assert asked(FLOOR - 0.5, above, below, reach) == pytest.approx(50.0)
    prices = [asked(FLOOR + step, above, below, reach) for step in (-6.0, -3.0, 0.0, 3.0, 6.0)]
    assert prices == sorted(prices)
    assert prices[0] < 50.0 < prices[-1]
    assert asked(FLOOR + 0.5, 1.0, 1.0, 50.0 - FLOOR) == pytest.approx(50.5)  # nobody minds: no band


def test_a_threshold_draws_a_price_down_unless_something_held_it_above() -> None:
    toll = Toll(0.2, 0.0, 49.0, NO_LIMIT, 2.0, 2.0, 1.0)
    reach = view_of(20.0, STEEP, slope_of(toll, True, False), 1.0, 1.0) / STEEP
    remembered = landed_usd(toll, 50.0)
    assert best_price(toll, FLOOR, remembered, 1.0, 1.0, reach, 50.0, 0.0)[0] == pytest.approx(49.0)
    assert best_price(toll, FLOOR, remembered, 1.0, 1.0, reach, 50.0, 5.0)[0] == pytest.approx(50.0)
    half = toll._replace(duty_above=49.0 / 0.5, declared=0.5)
    assert best_price(half, FLOOR, remembered, 1.0, 1.0, reach, 50.0, 0.0)[0] > 50.0  # declared at half: no duty due


def test_the_gain_of_a_better_price_is_nothing_at_the_best_and_grows_with_the_distance() -> None:
    reach = 20.0
    gains = [gain_of(FREE, 50.0 + off, 50.0, FLOOR, 0.6, 52.0, 1.0, 1.0, reach, 50.0, 0.0) for off in (0, 1, 3, 6)]
    assert gains[0] == 0.0
    assert gains == sorted(gains)
    assert gains[1] == pytest.approx(0.5 * 0.6 * 1.0 / reach, rel=0.1)  # second order: k d^2 / 2 reach


def test_merchants_at_rest_stay_at_rest() -> None:
    world = make(firms_scale=0.1, responsive=True)
    assert world.supply.prices is not None
    assert world.supply.prices.known
    before = world.catalogue.price_cents.copy()
    days(world, RULES, 14)
    assert np.array_equal(before, world.catalogue.price_cents)
    days(world, RULES, 14, 1.003)
    assert (np.abs(world.catalogue.price_cents - before) <= 0.02 * before).all()


def test_a_duty_on_parcels_is_shared_and_one_on_stock_is_passed_on() -> None:
    means = []
    for duty in (0.02, 0.08, 0.2, 0.4):
        rules = RULES.amend({"tariff.de_minimis_usd": 0.0})
        world = make(firms_scale=0.1, responsive=True, rules=rules)
        catalogue = world.catalogue
        sold = catalogue.price_cents[:, :, 1] > 0
        local, parcel = (catalogue.stocked == 1) & sold, (catalogue.direct == 1) & sold
        before, landed = catalogue.price_cents[:, :, 1].copy(), catalogue.landed_cents[:, :, 1].copy()
        days(world, rules.amend({"tariff.duty_rate": duty, "tariff.bulk_duty_rate": duty}))
        asked = catalogue.price_cents[:, :, 1] / np.maximum(before, 1)
        paid = catalogue.landed_cents[:, :, 1] / np.maximum(landed, 1)
        means.append((asked[local].mean(), asked[parcel].mean(), paid[parcel].mean()))
    local, parcel, paid = np.array(means).T
    assert (np.diff(local) > 0).all()
    assert (np.diff(parcel) < 0).all()
    assert (np.diff(paid) > 0).all()


def test_menu_costs_nothing_some_and_too_much() -> None:
    moved = []
    for usd in (0.0, 3.0, 1e6):
        prices = rule(menu_cost_usd={"small": usd, "large": usd})
        world = make(firms_scale=0.1, responsive=True, supply=prices)
        before = world.catalogue.price_cents.copy()
        days(world, RULES.amend({"commission.cap": 0.12}))
        moved.append((world.catalogue.price_cents != before).any(axis=2).sum())
        assert world.supply.prices is not None
        paid = world.ledger.balance(Account.MERCHANT).sum()
        world.supply.prices.pay(world.ledger)
        assert (world.ledger.balance(Account.MERCHANT).sum() < paid) == (usd > 0 and moved[-1] > 0)
    assert moved[0] > moved[1] > moved[2] == 0


def test_more_people_in_the_sample_do_not_change_what_a_merchant_does() -> None:
    asked = []
    for consumers in (20_000, 200_000):
        world = make(firms_scale=0.1, responsive=True, consumers=consumers)
        days(world, RULES.amend({"tariff.bulk_duty_rate": 0.3}))
        asked.append(world.catalogue.price_cents.copy())
    assert (asked[0] == asked[1]).mean() > 0.999  # the cost of a change and the expected sales scale alike


def test_who_comes_to_a_country_asks_the_usual_margin_and_has_a_view_at_once() -> None:
    world = make(firms_scale=0.1, responsive=True)
    catalogue = world.catalogue
    seller, country = np.argwhere(catalogue.targets == 0)[0]
    catalogue.targets[seller, country] = 1
    lines = np.flatnonzero(catalogue.merchant == seller)
    catalogue.direct[lines, country] = 1
    days(world, RULES, 1)
    assert (catalogue.price_cents[lines, country] > 0).all()
    assert world.supply.prices is not None
    assert (world.supply.prices.view[lines, country] > 0).all()


# -- what merchants learn -------------------------------------------------------------------------------------------


def orders_of(alpha: np.ndarray, utility: float, channel: int, country: int = 2, category: int = 1) -> Any:
    data = np.zeros(alpha.size, ORDER).view(np.recarray)
    data["money_utility"], data["utility"], data["channel"] = alpha, utility, channel
    data["country"], data["category"] = country, category
    return SimpleNamespace(data=np.array(data))


def test_the_mean_over_orders_of_money_utility_times_the_chance_not_to_buy_is_the_slope_of_log_demand() -> None:
    """Unbiased: people who face an offer buy with P = logistic(a - alpha L); only buyers are seen."""
    rng = np.random.default_rng(5)
    faced = 400_000
    alpha = rng.lognormal(-3.0, 0.6, faced)

    def chance(landed: float) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-(1.0 - alpha * landed)))

    slope = -(np.log(chance(40.5).sum()) - np.log(chance(39.5).sum()))
    bought = rng.random(faced) < chance(40.0)
    utility = 1.0 - alpha[bought] * 40.0
    found = (alpha[bought] * (1.0 - 1.0 / (1.0 + np.exp(-utility)))).mean()
    assert found == pytest.approx(slope, rel=0.01)
    known = Steepness(config(supply=rule(trust_orders=1e-6, memory_weeks=1.0, lag_weeks=0)))
    data = orders_of(alpha[bought], 0.0, 8)
    data.data["utility"] = utility
    known.count(data, np.arange(bought.sum()))
    known.learn(following=False)
    assert known.level[0, 2, 1] == pytest.approx(slope, rel=0.01)
    assert known.level[1, 2, 1] == pytest.approx(alpha[bought].mean(), rel=0.001)


def test_a_small_sample_is_not_believed_and_a_large_one_is() -> None:
    moved = []
    for count in (0, 5, 400, 100_000):
        known = Steepness(config(supply=rule(memory_weeks=1.0, lag_weeks=0, trust_orders=400.0)))
        usual = np.full(500, 0.05)
        known.count(orders_of(usual, -9.0, 0), np.arange(500))
        known.learn(following=False)
        known.fix()
        before = known.level[0, 2, 1]
        known.count(orders_of(np.full(count, 0.06), -9.0, 0), np.arange(count))
        known.learn(following=True)
        moved.append(known.level[0, 2, 1] / before - 1.0)
    assert moved[0] == pytest.approx(0.0, abs=1e-9)
    assert moved == sorted(moved)
    assert moved[1] < 0.02
    assert moved[-1] == pytest.approx(0.2, rel=0.05)


def test_what_is_seen_is_seen_late() -> None:
    known = Steepness(config(supply=rule(memory_weeks=1.0, lag_weeks=2, trust_orders=1.0)))
    known.count(orders_of(np.full(500, 0.09), -9.0, 0), np.arange(500))
    levels = []
    for _ in range(3):
        known.learn(following=False)
        levels.append(known.level[0, 2, 1])
    assert levels[0] == levels[1] != levels[2]


def test_memory_of_the_old_price_counts_less_the_longer_one_looks() -> None:
    assert reference_share(0.03, 0.0) == reference_share(0.0, 90.0) == 1.0
    assert reference_share(0.03, 90.0) == pytest.approx((1 - 0.97**90) / 2.7, rel=1e-4)
    assert reference_share(1.0, 90.0) == pytest.approx(1 / 90)


# -- a world --------------------------------------------------------------------------------------------------------


def test_mean_price_of_a_world_at_rest_stays_where_it_is() -> None:
    world = tiny("baseline", "calendar=flat", "warmup_days=28", "days=121", "population.consumers=1000")
    while world.day <= world.frame.start_day:
        world.step()
    catalogue = world.catalogue
    before = catalogue.price_cents.astype(np.float64)
    while world.day < world.frame.end_day:
        world.step()
    # Offers that a merchant took off a shelf or out of a country meanwhile have no price; those still there count.
    sold = (before[:, :, 1] > 0) & (catalogue.price_cents[:, :, 1] > 0)
    step = np.log(catalogue.price_cents[sold] / before[sold])
    merchants = catalogue.merchant[np.nonzero(sold)[0]]
    by_merchant = np.bincount(merchants, step.mean(axis=1)) / np.maximum(np.bincount(merchants), 1)
    noise = by_merchant.std(ddof=1) / np.sqrt(np.unique(merchants).size)
    assert abs(by_merchant.mean()) < 4 * noise + 0.003
    assert np.abs(step).mean() < 0.02


def test_switched_off_nothing_is_learnt_and_nothing_moves() -> None:
    supply = group("supply")
    none = {"prices": False, "quality": False, "offers": False, "declared_value": False}
    off = supply.model_copy(update={"decide": supply.decide.model_copy(update=none)})
    world = make(firms_scale=0.1, responsive=True, supply=off)
    assert world.supply.prices is None
    catalogue = world.catalogue
    before = catalogue.price_cents.copy()
    idle = Prices(config(0.1, supply=off), world.adaptation.scale, Draws(7), catalogue)
    idle.learn(world.orders, np.ones((catalogue.n_lines, N_COUNTRIES), np.float32), world.adaptation.forecast, RULES, 7)
    assert not idle.rate.any()
    days(world, RULES.amend({"tariff.duty_rate": 0.4}))
    parcels = catalogue.direct == 1
    assert np.array_equal(before[parcels], catalogue.price_cents[parcels])  # the markup habit ignores what buyers pay
