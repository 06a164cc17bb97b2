"""Offers to hosts: nothing at rest, more when a cap shortens the host's part, less when margins shrink."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.firms.offers import best_offer
from tests.firms.test_prices import days
from tests.supply.world import RULES, group, make


def test_the_best_offer_is_nothing_where_readiness_was_backed_out_and_rises_with_margin() -> None:
    margin, host = np.array([0.1, 0.2, 0.3]), np.full(3, 0.12)
    readiness = np.full(3, 0.12 / 0.2)
    offer = best_offer(margin, host, readiness)
    assert offer[1] == pytest.approx(0.0)
    assert offer[0] < 0.0 < offer[2]
    places = (host[2] + offer[2]) ** readiness[2] * (margin[2] - offer[2])
    for other in (0.8, 1.2):
        assert (host[2] + other * offer[2]) ** readiness[2] * (margin[2] - other * offer[2]) < places
    assert (best_offer(margin, host * 0.5, readiness) > offer).all()


def world_of(**switch: bool) -> Any:
    supply = group("supply")
    decide = supply.decide.model_copy(update={"quality": False, "declared_value": False, **switch})
    return make(firms_scale=0.1, responsive=True, supply=supply.model_copy(update={"decide": decide}))


def test_at_rest_nothing_is_offered() -> None:
    world = world_of()
    days(world, RULES, 60)
    assert not world.catalogue.host_offer_permille.any()
    assert not world.catalogue.slot_fee_change.any()


def test_a_cap_on_commissions_is_met_by_offers_past_the_platform() -> None:
    found = []
    for cap in (0.3, 0.15, 0.1, 0.05):
        world = world_of()
        days(world, RULES.amend({"commission.cap": cap}), 60)
        found.append(world.catalogue.host_offer_permille.mean())
        assert (world.catalogue.slot_fee_change >= 0).all()
    assert found[0] == 0.0
    assert found == sorted(found)
    assert found[-1] > 10


def test_a_shrinking_margin_lowers_slot_fees_and_not_below_nothing() -> None:
    world = world_of(prices=False)
    world.catalogue.price_cents[:] = world.catalogue.price_cents * 0.85
    offers = world.supply.prices.offers
    offers.review(
        world.supply.prices._listing(), world.supply._costs, RULES, np.ones(world.catalogue.n_merchants, bool)
    )
    assert (world.catalogue.slot_fee_change >= -1000).all()
    assert (world.catalogue.slot_fee_change < 0).mean() > 0.5
    assert not world.catalogue.host_offer_permille.any()


def test_hosts_take_more_of_the_lines_that_pay_them_more() -> None:
    shown = []
    for offer in (0, 50, 150):
        world = world_of(offers=False)
        catalogue = world.catalogue
        favoured = np.arange(catalogue.n_merchants) % 2 == 0
        catalogue.host_offer_permille[favoured] = offer
        air = world.supply.schedule(RULES, 8402)
        shown.append(favoured[catalogue.merchant[air.lineup]].mean())
    assert shown[0] < shown[1] < shown[2]


def test_switched_off_nothing_is_offered() -> None:
    world = world_of(offers=False)
    days(world, RULES.amend({"commission.cap": 0.05}), 60)
    assert not world.catalogue.host_offer_permille.any()
    assert world.supply.prices.offers is None
