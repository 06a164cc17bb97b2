"""By which mode bulk stock travels, and what makes sellers change it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.config.economics import BULK_MODES
from sim.firms.freight import Goods, Terms, way_cost
from sim.kernels.supply import AIR, FIRST_BULK, SEA
from sim.kinds import COUNTRIES, MODES
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.ledger import Account
from sim.world import World
from tests.world.worlds import after, with_row

RAIL = BULK_MODES.index("rail_bulk")


@pytest.fixture(scope="module")
def started() -> World:
    """A tiny world of two days."""
    return after(2, "baseline", "calendar=flat", "days=30")


@pytest.fixture
def world(started: World) -> Iterator[World]:
    yield started
    freight = started.adaptation.freight
    started.catalogue.bulk_way[:] = freight.usual
    freight._mix()


def shares(world: World, rules: Rules) -> NDArray[np.float64]:
    """float64[4]: by which modes local stock comes after everybody has chosen under the rules."""
    catalogue, adaptation = world.catalogue, world.adaptation
    catalogue.bulk_way[:] = adaptation.freight.usual
    lead = world.fulfilment.bulk_lead_days(rules)[:, FIRST_BULK:]
    adaptation.freight.choose(rules, lead, np.ones(catalogue.n_merchants, np.bool_), adaptation._mean_cost)
    inside = catalogue.stocked == 1
    share: NDArray[np.float64] = np.bincount(catalogue.bulk_way[inside], minlength=len(BULK_MODES)) / inside.sum()
    return share


def priced(world: World, mode: int, factor: float) -> Rules:
    factors = np.ones(len(MODES))
    factors[FIRST_BULK + mode] = factor
    return world.rules.amend({"linehaul.price_factor": factors})


def test_kernel_constants_are_the_vocabulary() -> None:
    assert MODES[FIRST_BULK:] == BULK_MODES
    assert (BULK_MODES[AIR], BULK_MODES[SEA]) == ("air_bulk", "sea_bulk")


def test_the_cost_of_a_way() -> None:
    one = np.ones(1)
    goods = Goods(one, one, 10 * one, 0.001 * one, 0.1 * one, 0.2 * one, 30 * one)
    terms = Terms(2 * one, 20 * one, 0 * one)
    plain = way_cost(goods, terms, 0.0, 0.0, 0.5)
    assert plain == pytest.approx(2 * 1.1 * 1.2 + 12 * 0.001 * 20)
    assert way_cost(goods, terms._replace(late=15 * one), 0.0, 0.0, 0.5) == pytest.approx(plain + 0.5 * 10 * 0.5)
    assert way_cost(goods, terms._replace(late=900 * one), 0.0, 0.0, 0.5) == pytest.approx(plain + 0.5 * 10)
    assert way_cost(goods, terms, 0.5, 0.01, 0.5) == pytest.approx(plain + 12 * 0.001 * 10 + 0.01 * 10)
    assert way_cost(goods._replace(kg=0 * one, interest=0 * one), terms, 0.0, 0.0, 0.0) == 0


def test_at_rest_nobody_changes(world: World) -> None:
    same = world.rules.amend({"linehaul.price_factor": np.array(world.rules.linehaul.price_factor)})
    shares(world, same)
    assert (world.catalogue.bulk_way == world.adaptation.freight.usual).all()
    usual = world.catalogue.bulk_mix.copy()
    world.adaptation.freight._mix()
    assert np.array_equal(usual, world.catalogue.bulk_mix)
    assert usual.sum(axis=1) == pytest.approx(1.0)


def test_dearer_sea_freight_moves_goods_to_rail_and_air_and_back(world: World) -> None:
    by_sea, costs = [], []
    for factor in (1.0, 2.0, 5.0, 1.0):
        rules = priced(world, SEA, factor)
        found = shares(world, rules)
        by_sea.append(found[SEA])
        costs.append(world.catalogue.bulk_mix[:, SEA].mean())
        if factor == 5.0:
            assert found[AIR] > 0
            assert found[RAIL] > 0
    assert by_sea[0] == by_sea[3] > by_sea[1] > by_sea[2]
    assert costs[0] == costs[3] > costs[1] > costs[2], "sellers reckon with the modes they use"


def test_only_countries_with_a_railway_use_it(world: World) -> None:
    shares(world, priced(world, RAIL, 0.0))
    used = (world.catalogue.bulk_way == RAIL).any(axis=0)
    reached = [name in world.cfg.supply.freight.by_rail for name in COUNTRIES]
    assert used.any()
    assert not used[~np.array(reached)].any()


def test_a_closed_sea_way_is_gone_round(world: World) -> None:
    is_open = np.ones(len(MODES))
    is_open[FIRST_BULK + SEA] = 0
    closed = world.rules.amend({"linehaul.open": is_open})
    assert shares(world, closed)[SEA] < 0.5 * shares(world, world.rules)[SEA]


def test_capital_that_costs_more_travels_faster(world: World) -> None:
    slow = [shares(world, world.rules.amend({"credit.annual_rate": rate}))[SEA] for rate in (0.08, 0.4, 0.9)]
    assert slow[0] >= slow[1] > slow[2]


def test_dearer_freight_is_paid(world: World) -> None:
    line, place, mode = np.array([0], np.uint16), np.array([4], np.uint8), np.array([FIRST_BULK + SEA], np.uint8)
    paid = []
    for factor in (0.0, 1.0, 3.0):
        before = world.ledger.result(Account.MERCHANT)[:, int(MoneyPurpose.LOGISTICS)].sum()
        rules = priced(world, SEA, factor)
        world.adaptation._pay_for_stock(rules, line, place, mode, np.array([1000]), world.ledger, 1.0)
        paid.append(int(before - world.ledger.result(Account.MERCHANT)[:, int(MoneyPurpose.LOGISTICS)].sum()))
    assert paid[0] == 0 < paid[1]
    assert paid[2] == pytest.approx(3 * paid[1], abs=2)


def test_lead_times_follow_the_rules(world: World) -> None:
    goods, base = world.fulfilment, world.rules
    usual = goods.bulk_lead_days(base)
    scarce = np.ones(len(MODES))
    scarce[FIRST_BULK + SEA] = 0.5
    slower = goods.bulk_lead_days(base.amend({"linehaul.capacity_factor": scarce}))
    headway = world.cfg.logistics.bulk.departure_hours["sea_bulk"] / 24
    assert np.allclose(slower[4:, FIRST_BULK + SEA] - usual[4:, FIRST_BULK + SEA], headway)
    assert np.allclose(slower[4:, FIRST_BULK + AIR], usual[4:, FIRST_BULK + AIR])
    quick = goods.bulk_lead_days(base.amend({"customs.clearance_factor": 0.5}))
    assert (quick[4:, FIRST_BULK:] < usual[4:, FIRST_BULK:]).all()
    assert np.array_equal(quick[:4], usual[:4]), "nothing is cleared in China"


def test_switched_off_nobody_changes() -> None:
    row = with_row("lever", "freight_price_jump", "start=0", "factor=10")
    world = after(8, "baseline", "calendar=flat", "days=30", "supply.decide.freight=false", *row)
    assert (world.catalogue.bulk_way == world.adaptation.freight.usual).all()
    chosen = after(8, "baseline", "calendar=flat", "days=30", *row)
    assert (chosen.catalogue.bulk_way != chosen.adaptation.freight.usual).any()
