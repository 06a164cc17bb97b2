"""What merchants' goods have cost: weighted average, and no money is lost by buying stock."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from sim.firms.inventory import Inventory
from sim.kinds import MODES
from sim.record.schema import MoneyPurpose
from sim.state.ledger import Account
from tests.world.worlds import tiny


def shop(real: int, ordered: int = 0, received: int = 0) -> SimpleNamespace:
    """One line of one small merchant with goods in the first warehouse."""
    units = np.zeros((3, 1, 24), np.int64)
    units[:, 0, 0] = real, ordered, received
    return SimpleNamespace(
        real=units[0], ordered_units=units[1], received_units=units[2], merchant=np.array([0]),
        seller_class=np.array([0]),
    )  # fmt: skip


def test_goods_leave_at_the_mean_of_what_they_cost() -> None:
    inventory, cost = Inventory(1), np.array([100])
    where = np.array([0]), np.array([0])
    inventory.buy(*where, np.array([10]), np.array([1000]))
    inventory.close_day(shop(0, ordered=10), cost)  # under way
    assert inventory.closing.tolist() == [1000, 0]
    inventory.buy(*where, np.array([10]), np.array([3000]))
    inventory.close_day(shop(5, ordered=20, received=10), cost)  # five sold
    assert inventory.opening.tolist() == [1000, 0]
    assert inventory.closing.tolist() == [3000, 0], "15 of 20 goods that cost 200 each"
    inventory.close_day(shop(6, ordered=20, received=10), cost)  # one sent back
    assert inventory.closing.tolist() == [3200, 0]
    inventory.close_day(shop(0, ordered=20, received=20), cost)
    assert inventory.closing.tolist() == [0, 0]
    inventory.close_day(shop(1, ordered=20, received=20), cost)
    assert inventory.closing.tolist() == [100, 0], "back in an empty pool: at what it costs to make"


def test_buying_stock_is_no_loss() -> None:
    """Production, freight, duty and tax are paid, and goods of that cost are there."""
    world = tiny("baseline")
    world.step()
    part, line = world.adaptation, np.array([0, 1, 2, 3], np.uint16)
    warehouse, units = np.array([0, 4, 10, 23], np.uint8), np.array([5, 7, 9, 11])
    mode = np.full(4, MODES.index("sea_bulk"), np.uint8)
    part.close_books()
    before = part.inventory.closing.sum()
    paid = world.ledger.result(Account.MERCHANT).sum(axis=0)
    part._pay_for_stock(world.rules, line, warehouse, mode, units, world.ledger, 1.1)
    np.add.at(world.catalogue.ordered_units, (line, warehouse), units)
    part.close_books()
    paid = world.ledger.result(Account.MERCHANT).sum(axis=0) - paid
    assert paid[MoneyPurpose.PRODUCTION] < 0 > paid[MoneyPurpose.TARIFF] + paid[MoneyPurpose.VAT]
    assert part.inventory.closing.sum() - before == -paid.sum()


def test_what_is_sold_off_is_a_loss_and_a_quiet_day_none() -> None:
    world = tiny("baseline")
    world.step()
    stock = world.adaptation.inventory
    value = stock.closing.copy()
    world.adaptation.close_books()
    assert (stock.opening == stock.closing).all()
    everywhere = np.zeros(world.catalogue.real.shape, np.bool_)
    everywhere[: everywhere.shape[0] // 2] = True
    world.fulfilment.clear(everywhere)
    world.adaptation.close_books()
    assert (stock.opening == value).all()
    assert stock.closing.sum() < value.sum()
    assert stock.closing.sum() > 0
