"""Money, goods, orders and people are conserved every day, in the baseline and under every lever and shock.

The world's own check raises at the end of each day; what is asserted here is counted anew from the parts.
"""

from __future__ import annotations

import numpy as np
import pytest

from sim.config.folders import data_folder
from sim.day.fulfilment import Place
from sim.experiment import configure
from sim.kinds import DAY_SECONDS, MoneyState, Status
from sim.record.schema import GROUP_MCNS, GROUP_STREAMERS, Measure
from sim.state.ledger import N_GROUPS, Account
from sim.world import World
from tests.world.worlds import tiny

SCENARIOS = sorted(path.stem for path in data_folder("scenarios").glob("*.yaml"))
DAYS = 24
BEGIN, END = 4, 9  # what starts or ends later in the scenario's own file is brought forward


def dates_of(scenario: str) -> list[str]:
    """Overrides that bring a scenario's interventions into a short run."""
    brought = []
    for name, row in configure(scenario).interventions.items():
        if row["start"] >= DAYS:
            brought += [f"interventions.{name}.start={BEGIN}", f"interventions.{name}.end={END}"]
    return brought


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_lost_and_nothing_appears(scenario: str) -> None:
    world = tiny(scenario, f"days={DAYS}", *dates_of(scenario))
    births = np.sort(world.consumers.birth)
    groups = results_by_group(world)
    placed = 0
    for _ in range(DAYS):
        world.step()  # checks itself
        groups = money_is_conserved(world, groups)
        goods_are_conserved(world)
        placed += int((world.orders.tick[world.orders.open_rows()] >> 3 == world.day - 1).sum())
        orders_are_conserved(world)
        assert np.array_equal(np.sort(world.consumers.birth), births)
    world.consumers.check()
    assert world.orders.appended >= placed > 0
    assert int(world.tally.totals[Measure.ORDERS].sum()) == world.orders.appended
    assert world.day == world.frame.end_day


def results_by_group(world: World) -> np.ndarray:
    """int64[groups]: cents beyond what owners put in and took out; streamers, who change their tier, are one group."""
    cents = np.zeros(N_GROUPS, np.int64)
    np.add.at(cents, merged(world.ledger._group), world.ledger.balances - world.ledger.endowments)
    return cents


def merged(groups: np.ndarray) -> np.ndarray:
    """Groups of accounts with all tiers of streamers as one."""
    streamers = (groups >= GROUP_STREAMERS) & (groups < GROUP_MCNS)
    return np.where(streamers, GROUP_STREAMERS, groups)


def money_is_conserved(world: World, before: np.ndarray) -> np.ndarray:
    """Balances sum to zero and moved by the day's flows alone; escrow is the money of open orders. New results."""
    assert int(world.ledger.balances.sum()) == int(world.ledger.endowments.sum()) == 0
    now = results_by_group(world)
    _, payer, payee, cents = world.ledger.flows_today()
    moved = np.zeros(N_GROUPS, np.int64)
    np.add.at(moved, merged(payee), cents)
    np.subtract.at(moved, merged(payer), cents)
    assert np.array_equal(now - before, moved)
    orders = world.orders.data[world.orders.open_rows()]
    held = orders[np.isin(orders["money"], (MoneyState.HELD, MoneyState.FROZEN))]
    escrow = np.zeros(world.ledger.size[Account.ESCROW], np.int64)
    taxes = held["duty_cents"].astype(np.int64) + held["vat_cents"]
    untaxed = held["goods_cents"].astype(np.int64) + held["freight_cents"] + held["service_cents"]
    paid = untaxed + np.where(held["posted"] & 16, 0, taxes)
    passed_on = (held["posted"] & 4 != 0) & (held["method"] != 3)  # a seller advances the taxes of cash on delivery
    np.add.at(escrow, held["channel"], paid - np.where(passed_on, taxes, 0))
    assert np.array_equal(world.ledger.balance(Account.ESCROW), escrow)
    return now


def goods_are_conserved(world: World) -> None:
    """Units made are units found, and the places hold what stock, consignments and orders say."""
    units, catalogue, fulfilment = world.fulfilment.units, world.catalogue, world.fulfilment
    assert int(units.sum()) == fulfilment.made_units == int(catalogue.ordered_units.sum())
    assert (units >= 0).all()
    assert (catalogue.real >= 0).all()
    assert (catalogue.shown >= 0).all()
    assert int(units[Place.STOCK]) == int(catalogue.real.sum())
    coming = sum(int(consignment.units.sum()) for consignment in fulfilment.consignments.values())
    assert int(units[Place.INBOUND]) == coming == int((catalogue.ordered_units - catalogue.received_units).sum())
    orders = world.orders.data[world.orders.open_rows()]
    for place, status in ((Place.RESERVED, Status.RELEASED), (Place.TRANSIT, Status.IN_TRANSIT)):
        assert int(units[place]) == int(orders["quantity"][orders["status"] == status].sum())


def orders_are_conserved(world: World) -> None:
    """Every order ever placed is open or finished, once; what is open is not final in both goods and money."""
    orders = world.orders
    rows = orders.open_rows()
    assert orders.appended == rows.size + int(orders.finished.sum())
    assert np.unique(orders.seq[rows]).size == rows.size
    assert not ((orders.status[rows] >= 16) & (orders.money[rows] >= 16) & (orders.posted[rows] & 64 == 0)).any()
    assert (orders.placed[rows] < world.day * DAY_SECONDS).all()
