"""Offers: markup prices with menu costs, pass-through, freight, promises."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.channel import effective_commission, split_commission
from sim.agents.merchant import cost_table
from sim.kernels.supply import desired_price, full_cost, stocking_cost
from tests.supply.world import DAY, PROMISE, RULES, group, make, revise_all


@pytest.fixture(scope="module")
def world():
    return make()


def test_prices_average_to_the_list_price_and_are_where_the_merchant_sells(world):
    catalogue = world.catalogue
    sold = catalogue.targets[catalogue.merchant] == 1
    assert ((catalogue.price_cents[:, :, 0] > 0) == sold).all()
    assert ((catalogue.landed_cents[:, :, 0] > 0) == sold).all()
    assert (catalogue.direct + catalogue.stocked == sold).all()
    ratio = catalogue.price_cents[:, :, 2] / catalogue.list_cents[:, None, 2]
    assert 0.9 < ratio[sold].mean() < 1.1
    assert (np.diff(catalogue.price_cents[sold], axis=1) > 0).all()


def test_a_local_offer_has_no_tax_at_the_door_and_a_parcel_has(world):
    catalogue = world.catalogue
    goods = catalogue.price_cents[:, :, 1] + catalogue.freight_cents
    local, parcel = catalogue.stocked == 1, catalogue.direct == 1
    assert np.array_equal(catalogue.landed_cents[:, :, 1][local], goods[local])
    assert (catalogue.landed_cents[:, :, 1][parcel] > goods[parcel]).all()
    assert (catalogue.promised_days[local] == 3).all()
    assert (catalogue.promised_days[parcel] == 22).all()


def test_nothing_changes_on_a_still_day_and_only_due_merchants_on_a_moved_one():
    world = make()
    before = world.catalogue.price_cents.copy()
    assert not world.supply.price(RULES, DAY + 1, 1.0, PROMISE)
    assert np.array_equal(before, world.catalogue.price_cents)
    dearer = RULES.amend({"tariff.duty_rate": 0.5, "tariff.bulk_duty_rate": 0.5})
    assert world.supply.price(dearer, DAY + 1, 1.0, PROMISE)
    changed = (world.catalogue.price_cents != before).any(axis=(1, 2))
    assert changed.any()
    assert (world.catalogue.weekday[world.catalogue.merchant[changed]] == (DAY + 1) % 7).all()


def test_pass_through_grows_with_the_duty_on_stock_and_leaves_the_sellers_price_of_parcels():
    means = []
    for duty in (0.0, 0.08, 0.2, 0.4):
        world = make(firms_scale=0.1)
        local = world.catalogue.stocked == 1
        parcels = world.catalogue.direct == 1
        price = world.catalogue.price_cents.copy()
        revise_all(world, RULES.amend({"tariff.duty_rate": duty, "tariff.bulk_duty_rate": duty}))
        means.append(world.catalogue.price_cents[local].mean())
        assert np.array_equal(world.catalogue.price_cents[parcels], price[parcels])
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_landed_price_of_parcels_follows_the_duty_at_once():
    world = make(firms_scale=0.1)
    rules = RULES.amend({"tariff.de_minimis_usd": 0.0})
    world.supply.price(rules, DAY + 1, 1.0, PROMISE)
    before = world.catalogue.landed_cents.copy()
    world.supply.price(rules.amend({"tariff.duty_rate": 0.3}), DAY + 1, 1.0, PROMISE)
    parcels = world.catalogue.direct == 1
    assert (world.catalogue.landed_cents[parcels] > before[parcels]).all()


def test_small_changes_are_not_worth_a_new_price():
    world = make(firms_scale=0.1)
    before = world.catalogue.price_cents.copy()
    revise_all(world, RULES, 1.005)
    assert np.array_equal(before, world.catalogue.price_cents)
    revise_all(world, RULES, 1.25)
    assert (world.catalogue.price_cents >= before).all()
    assert (world.catalogue.price_cents > before).any()


def test_a_commission_cap_reaches_commissions_and_prices():
    world = make(firms_scale=0.1)
    capped = RULES.amend({"commission.cap": 0.1})
    asked = world.catalogue.commission_asked
    assert (effective_commission(asked, capped) == np.minimum(asked, np.float32(0.1))).all()
    own, host = split_commission(asked, capped, group("economics"))
    assert own + host == pytest.approx(0.1)
    before = world.catalogue.price_cents.copy()
    revise_all(world, capped)
    sold = before > 0
    assert (world.catalogue.price_cents[sold] <= before[sold]).all()
    assert world.catalogue.price_cents[sold].mean() < before[sold].mean()


def test_markup_covers_cost_and_margin():
    assert desired_price(10.0, 10.0, 5.0, 0.75, 0.15, 0.1) == pytest.approx(20.0)
    dearer = desired_price(12.0, 10.0, 5.0, 0.75, 0.15, 0.1)
    assert dearer == pytest.approx(20.0 + 2.0 * 0.85 / 0.75)
    assert desired_price(12.0, 10.0, 5.0, 0.75, 1.0, 0.1) == pytest.approx(20.0)
    assert desired_price(10.0, 10.0, -9.0, 0.75, 0.0, 0.1) == pytest.approx(10.1 / 0.75)


def test_cost_of_a_unit_knows_duty_weight_and_cold(world):
    costs = cost_table(world.cfg, world.catalogue, RULES, 1.0)
    free = cost_table(
        world.cfg,
        world.catalogue,
        RULES.amend({"tariff.duty_rate": 0.0, "tariff.bulk_duty_rate": 0.0}),
        1.0,
    )

    def stock(table, **given):
        facts = {"country": 0, "category": 0, "seller": 1, "unit_cost": 20.0, "weight": 0.5, "cold": 0, "direct": 0}
        return stocking_cost(table, *{**facts, **given}.values())

    def cost(**given):
        facts = {"country": 0, "category": 0, "seller": 1, "unit_cost": 20.0, "weight": 0.5, "cold": 0, "direct": 1}
        return full_cost(costs, *{**facts, **given}.values())

    assert stock(costs) > stock(free) > 0
    assert stock(costs, direct=1) == stock(free, direct=1)
    assert cost(weight=1.0) > cost()
    assert cost(cold=1) > cost()
    assert cost(seller=0) > cost()
