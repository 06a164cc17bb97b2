"""Positions, credit, exit and entry of merchants."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.merchant import funded_share, next_position
from sim.firms.solvency import FREE, IN_BUSINESS, OPENING, WINDING_UP
from sim.state.ledger import Account
from sim.world import World
from tests.world.worlds import differing, digest_of, tiny

EARLY = ("supply.books.first_week=0", "supply.solvency.start_weeks=1", "supply.solvency.review_weeks=1")
LONG = ("warmup_days=0", "days=120", *EARLY)


def after(days: int, *overrides: str) -> World:
    world = tiny("baseline", *LONG, *overrides)
    for _ in range(days):
        world.step()
    return world


def test_position_grows_by_the_result_and_owners_take_what_is_over() -> None:
    assert next_position(10.0, 5.0, 0.01, 100.0, 0.25) == 15.0
    assert next_position(98.0, 10.0, 0.01, 100.0, 0.25) == pytest.approx(106.0)
    assert next_position(-100.0, 0.0, 0.01, 100.0, 0.25) == pytest.approx(-101.0)
    richer, poorer = next_position(np.array([-5.0, 50.0]), np.array([1.0, 1.0]), 0.01, 60.0, 0.25)
    assert richer < poorer


def test_stock_is_paid_for_from_money_and_credit() -> None:
    assert funded_share(0.0, 0.0, 10.0) == 0.0
    assert funded_share(4.0, 1.0, 10.0) == 0.5
    assert funded_share(-4.0, 20.0, 10.0) == 1.0
    assert funded_share(-30.0, 20.0, 10.0) == 0.0
    steps = [float(funded_share(-5.0, line, 10.0)) for line in (0, 5, 8, 12, 15, 40)]
    assert steps == sorted(steps)


def test_without_luck_nobody_leaves_at_baseline() -> None:
    world = after(30, "supply.solvency.luck_spread={small: 0.0, large: 0.0}")
    solvency = world.decisions.solvency
    assert solvency is not None
    assert solvency.on
    assert solvency.exits == 0
    assert (solvency.place == IN_BUSINESS).all()
    assert (world.catalogue.funded == 1).all()


def test_more_luck_more_exits() -> None:
    exits = []
    for spread in (0.05, 0.3, 1.0):
        luck = f"supply.solvency.luck_spread={{small: {spread}, large: {spread}}}"
        solvency = after(75, "supply.solvency.start_weeks=7", luck).decisions.solvency
        assert solvency is not None
        exits.append(solvency.exits)
    assert exits == sorted(exits)
    assert exits[0] < exits[-1]


def test_who_leaves_is_wound_up_and_replaced_by_another() -> None:
    """Goods, orders and money are conserved on the way (the world checks them every day)."""
    world = after(15)
    solvency, catalogue = world.decisions.solvency, world.catalogue
    assert solvency is not None
    sold = np.bincount(catalogue.merchant, weights=catalogue.wanted_units.sum(axis=1))
    gone = int(sold.argmax())
    lines = np.flatnonzero(catalogue.merchant == gone)
    quality = catalogue.quality[lines].copy()
    knew = int((world.consumers.memory_seller == gone).sum())
    assert knew > 0
    solvency.position[gone] = -1e12
    while solvency.place[gone] == IN_BUSINESS:
        world.step()
    assert solvency.place[gone] == WINDING_UP
    assert catalogue.trading[gone] == 0
    assert (catalogue.landed_cents[lines] == 0).all()
    assert (catalogue.real[lines] == 0).all()
    wanted = catalogue.wanted_units[lines].sum()
    for _ in range(90):
        if solvency.place[gone] != WINDING_UP:
            break
        world.step()
        assert catalogue.wanted_units[lines].sum() == wanted, "nothing more was sold"
    rows = world.orders.open_rows()
    assert not (world.orders.data["merchant"][rows] == gone).any()
    assert solvency.debt[gone] == 0
    while solvency.place[gone] == FREE:
        assert world.ledger.balance(Account.MERCHANT)[gone] == 0
        world.step()
    assert solvency.place[gone] == OPENING
    assert (world.consumers.memory_seller == gone).sum() == 0, "memory is not inherited"
    assert catalogue.identity[gone] != gone
    assert (catalogue.quality[lines] != quality).any()
    prices, audits = world.decisions.prices, world.decisions.audits
    assert prices.quality is not None
    assert prices.offers is not None
    assert (prices.quality._own[lines] == catalogue.quality[lines]).all(), "slow choices start anew as well"
    assert prices.offers.offer[gone] == 0
    assert audits._usual_fakes[gone] == pytest.approx(1 - catalogue.authenticity[gone])


def test_an_entrant_sells() -> None:
    world = after(15)
    solvency, catalogue = world.decisions.solvency, world.catalogue
    assert solvency is not None
    who = np.flatnonzero(catalogue.merchant_size > np.median(catalogue.merchant_size))[:8]
    solvency.position[who] = -1e12
    for _ in range(100):
        world.step()
    back = who[catalogue.identity[who] != who]
    back = back[solvency.place[back] == IN_BUSINESS]
    assert back.size > 0
    mine = np.isin(catalogue.merchant, back)
    assert (catalogue.landed_cents[mine, :, 0] > 0).any()
    assert catalogue.wanted_units[mine].sum() > 0
    assert np.allclose(
        (catalogue.merchant_size[back] * (catalogue.targets[back] @ solvency._demand)) / solvency._weight,
        solvency._share[back],
        rtol=1e-5,
    )


def test_a_later_payout_takes_money_out_once() -> None:
    positions = []
    for days in (15, 30, 60):
        world = after(14)
        solvency = world.decisions.solvency
        assert solvency is not None
        slow = world.rules.amend({"payment.settlement_days": float(days)})
        solvency._waited = 15.0
        solvency._live(slow, world.day, world.ledger)
        positions.append(solvency.position.sum())
        again = solvency.position.sum()
        solvency._live(slow, world.day + 7, world.ledger)
        assert solvency.position.sum() > again - 0.5 * solvency._sales().sum()
    assert positions[0] > positions[1] > positions[2]


def test_credit_keeps_firms_alive() -> None:
    exits = []
    for weeks in (0.0, 3.0, 20.0):
        world = after(7)
        solvency = world.decisions.solvency
        assert solvency is not None
        solvency.position[:] = -solvency._sales() * np.linspace(0.5, 10.0, solvency.position.size)
        solvency.line[:] = solvency._limit(world.rules.amend({"credit.limit_weeks": weeks}), solvency._sales())
        exits.append(int((solvency.position + solvency.line < 0).sum()))
    assert exits[0] == 100
    assert exits[0] > exits[1] > exits[2]


def test_switched_off_owners_make_up_for_everything() -> None:
    world = after(20, "supply.decide.credit=false")
    assert world.decisions.solvency is None
    assert (world.catalogue.funded == 1).all()
    assert (world.catalogue.trading == 1).all()


def test_exits_hang_on_identity_alone() -> None:
    one, other = after(20), after(20)
    assert differing(digest_of(one), digest_of(other)) == []
