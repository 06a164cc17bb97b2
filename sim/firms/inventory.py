"""Inventory: what merchants' goods have cost them, so that stock bought is not taken for money lost.

Goods are carried at what was paid to have them where they are: production and, abroad, bulk freight, import duty and
import tax that is not refunded; goods under way count from the day they are ordered and paid. Each line's goods for a
warehouse are a pool at weighted-average cost: what leaves, whether sold, lost or sold off, leaves at the mean cost of
the pool, and what a buyer sends back and is put on the shelf again comes back at it.

Source: IAS 2 Inventories, paragraphs 10-11 (cost) and 25-27 (weighted average). Not in it: a write-down to what goods
would still bring (paragraph 28), which nothing in the model measures before they are sold off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.kernels.supply import value_stock
from sim.kinds import N_WAREHOUSES, SELLER_CLASSES
from sim.state.catalogue import Catalogue

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]


class Inventory:
    """Cost of the goods of n lines in 24 warehouses and on the way to them, cents.

    Attributes:
        opening, closing: int64[2] cents by seller class, at the beginning and the end of the day closed last.
    """

    def __init__(self, lines: int) -> None:
        self._value: F64 = np.zeros((lines, N_WAREHOUSES))
        self._units: I64 = np.zeros((lines, N_WAREHOUSES), np.int64)
        self.opening: I64 = np.zeros(len(SELLER_CLASSES), np.int64)
        self.closing: I64 = np.zeros(len(SELLER_CLASSES), np.int64)

    def buy(self, line: NDArray[np.integer], warehouse: NDArray[np.integer], units: I64, cost: I64) -> None:
        """Goods ordered for warehouses, (k,) each: units, and cents that they cost in all."""
        np.add.at(self._value, (line, warehouse), cost)
        np.add.at(self._units, (line, warehouse), units)

    def close_day(self, catalogue: Catalogue, unit_cost: NDArray[np.integer]) -> None:
        """Takes out what has left and values what is there. `unit_cost` int[n]: production cost, cents."""
        total = np.zeros(len(SELLER_CLASSES))
        value_stock(
            catalogue.real, catalogue.ordered_units, catalogue.received_units,
            catalogue.seller_class[catalogue.merchant], unit_cost, self._value, self._units, total,
        )  # fmt: skip
        self.opening = self.closing
        self.closing = np.rint(total).astype(np.int64)
