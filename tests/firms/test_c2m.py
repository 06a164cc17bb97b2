"""Production after live demand: small lots, next to no stock, orders that wait for it."""

from __future__ import annotations

import numpy as np
import pytest

from sim.day import adaptation, fulfilment
from sim.kinds import Flag, Status
from sim.world import World
from tests.world.worlds import after, tiny

MANY = ("population.consumers=6000", "calendar=flat", "days=40")


def home_stock(world: World, owned: bool) -> float:
    """Units in China against a day's expected sales there, of merchants with and without production of their own."""
    catalogue = world.catalogue
    lines = np.flatnonzero((catalogue.c2m[catalogue.merchant] == 1) == owned)
    home = catalogue.home_warehouse[catalogue.merchant[lines]]
    rate = (world.adaptation.forecast(world.rules)[lines] * catalogue.direct[lines]).sum()
    return float(catalogue.real[lines, home].sum() / rate)


@pytest.fixture(scope="module")
def made() -> World:
    """A world after 25 days in which half of the merchants own their production."""
    return after(25, "baseline", *MANY, "firms.merchants.c2m_share=0.5")


def test_the_mark_of_a_small_lot_is_the_same_on_both_sides() -> None:
    assert adaptation.SMALL_LOT == fulfilment.SMALL_LOT


def test_share_none_half_and_all() -> None:
    found = [tiny("baseline", f"firms.merchants.c2m_share={share}").catalogue.c2m.mean() for share in (0, 0.5, 1)]
    assert found[0] == 0
    assert 0.2 < found[1] < 0.8  # a hundred merchants: odds of a false alarm below 1e-8
    assert found[2] == 1


def test_small_lots_leave_less_stock_and_orders_wait(made: World) -> None:
    assert home_stock(made, True) < 0.25 * home_stock(made, False)
    orders = made.orders.data[made.orders.open_rows()]
    owned = made.catalogue.c2m[orders["merchant"]] == 1
    waits = orders["status"] == Status.BACKORDERED
    assert (waits & owned & (orders["direct"] == 1)).any()
    assert not (orders["flags"][owned & waits] & Flag.OVERSOLD != 0).any(), "made to order is not oversold"


def test_what_waits_is_made_and_arrives(made: World) -> None:
    orders = made.orders.data[made.orders.open_rows()]
    owned = (made.catalogue.c2m[orders["merchant"]] == 1) & (orders["direct"] == 1)
    old = owned & (orders["authorised"] > 0) & (orders["authorised"] < (made.day - 9) * 86_400)
    assert (owned & (orders["status"] == Status.IN_TRANSIT)).any()
    assert (orders["status"][old] == Status.BACKORDERED).mean() < 0.2


def test_the_wait_is_promised(made: World) -> None:
    catalogue = made.catalogue
    owned = (catalogue.c2m[catalogue.merchant] == 1)[:, None] & (catalogue.direct == 1)
    for country in range(3):
        here, there = owned[:, country], (catalogue.direct[:, country] == 1) & ~owned[:, country]
        if here.any() and there.any():
            gap = catalogue.promised_days[here, country].min() - catalogue.promised_days[there, country].max()
            assert gap == pytest.approx(made.cfg.supply.c2m.production_days, abs=1e-4)


def test_switched_off_it_is_production_like_any_other() -> None:
    world = after(3, "baseline", "firms.merchants.c2m_share=0.5", "supply.decide.c2m=false")
    assert (world.catalogue.room == 0).all()
