"""Quality follows margins, down and up, and unit cost follows quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.firms.quality import best_quality
from tests.firms.test_prices import days
from tests.supply.world import RULES, group, make


def test_best_quality_is_the_lines_own_at_its_own_margin_and_rises_with_margins() -> None:
    ratio = np.array([0.0, 0.3, 0.5, 0.9, 1.0, 1.1, 2.0], np.float32)
    change = best_quality(ratio, 3.1, 6.0)
    assert change[4] == 0.0
    assert (np.diff(change) > 0).all()
    assert change[2] == pytest.approx(np.log(0.5) / 9.1, rel=1e-5)
    assert np.isfinite(change).all()


def world_of(**switch: bool) -> Any:
    supply = group("supply")
    decide = supply.decide.model_copy(update={"offers": False, "declared_value": False, **switch})
    return make(firms_scale=0.1, responsive=True, supply=supply.model_copy(update={"decide": decide}))


def test_at_rest_nobody_changes_inputs() -> None:
    world = world_of()
    quality, cost = world.catalogue.quality.copy(), world.catalogue.unit_cost_cents.copy()
    days(world, RULES, 60)
    assert np.array_equal(quality, world.catalogue.quality)
    assert np.array_equal(cost, world.catalogue.unit_cost_cents)


def test_a_loss_of_margin_cuts_quality_and_cost_and_its_return_brings_them_back() -> None:
    world = world_of(prices=False)  # the markup habit ignores what follows, so margins fall one for one
    catalogue = world.catalogue
    quality, cost = catalogue.quality.copy(), catalogue.unit_cost_cents.copy()
    prices = catalogue.price_cents.copy()
    war = (prices * 0.93).astype(np.int32)
    reviewed = vars(world.supply.prices)["quality"]
    for _ in range(6):
        catalogue.price_cents[:] = war
        reviewed.review(world.supply.prices._listing(), world.supply._costs, np.ones(catalogue.n_merchants, bool))
    cut = reviewed.change.copy()
    assert (cut <= 0).all()
    assert (cut < -0.01).mean() > 0.9
    assert (catalogue.quality <= quality).all()
    assert (catalogue.unit_cost_cents < cost).mean() > 0.9
    for _ in range(30):
        catalogue.price_cents[:] = prices
        reviewed.review(world.supply.prices._listing(), world.supply._costs, np.ones(catalogue.n_merchants, bool))
    assert (np.abs(reviewed.change) <= 0.021).mean() > 0.95  # within a step of the old quality
    assert (reviewed.change[cut < -0.03] > cut[cut < -0.03]).all()


def test_switched_off_quality_stays() -> None:
    world = world_of(quality=False)
    quality = world.catalogue.quality.copy()
    days(world, RULES.amend({"tariff.duty_rate": 1.0, "tariff.de_minimis_usd": 0.0}), 60)
    assert np.array_equal(quality, world.catalogue.quality)


def test_a_duty_that_is_shared_lowers_quality_of_what_is_sent_in_parcels() -> None:
    world = world_of()
    days(world, RULES.amend({"tariff.duty_rate": 0.4, "tariff.de_minimis_usd": 0.0}), 90)
    change = world.supply.prices.quality.change
    parcels = (world.catalogue.direct == 1).sum(axis=1) > (world.catalogue.stocked == 1).sum(axis=1)
    assert change[parcels].mean() < -0.01
    assert change[parcels].mean() < change[~parcels].mean()
