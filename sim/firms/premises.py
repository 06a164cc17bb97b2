"""What leaving, entering and moving ask of those who keep prices, stock orders, shelves and consumers' memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.kinds import N_ORIGIN_WAREHOUSES
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.ledger import Ledger

type U8 = NDArray[np.uint8]
type I64 = NDArray[np.int64]


class Offers(Protocol):
    """Who prices: takes off what is not sold any more, prices what is new."""

    def follow_targets(self, newcomers: I64) -> None:
        """Offers follow where merchants sell."""


class Stock(Protocol):
    """Who orders stock."""

    def follow_targets(self, newcomers: I64) -> None:
        """Expectations follow where merchants sell."""

    def stock_up(
        self, who: I64, targets: U8, rules: Rules, ledger: Ledger, freight: Any, day: int, origin_factor: float
    ) -> None:
        """Orders the first stock of newcomers."""

    def stock_worth(self, units: I64) -> I64:
        """int64[m] cents."""

    def expect(self, reach: NDArray[np.float32]) -> None:
        """Entrants expect a share `reach` (m, C) of the usual sales."""

    def usual_units(self) -> NDArray[np.float32]:
        """float32[n, C]: units a day."""


class Shelves(Protocol):
    """Where stock lies."""

    def clear(self, places: NDArray[np.bool_]) -> I64:
        """Sells off the stock of lines in warehouses, bool[n, 24]."""


class Meeting(Protocol):
    """What consumers meet."""

    def follow_sellers(self, newcomers: I64) -> None:
        """Nobody knows the prices of newcomers."""


@dataclass(slots=True)
class Premises:
    """What it takes to leave and to enter, done by those who keep prices, stock and memory.

    `forget` empties consumers' memory of sellers; `origin_factor` is the day's price of the yuan, as in Supply.price.
    """

    catalogue: Catalogue
    offers: Offers
    stock: Stock
    shelves: Shelves
    meeting: Meeting
    empty_memory: Callable[[I64], None]
    origin_factor: Callable[[int], float]

    def follow_targets(self, newcomers: I64) -> None:
        """Offers, expectations and what consumers meet follow the columns of merchants."""
        self.offers.follow_targets(newcomers)
        self.stock.follow_targets(newcomers)
        self.meeting.follow_sellers(newcomers)

    def clear(self, who: I64) -> I64:
        """Sells off all stock of the merchants `who` (k,); int64[k] cents of production cost it had."""
        places = np.zeros(self.catalogue.real.shape, np.bool_)
        places[np.isin(self.catalogue.merchant, who)] = True
        worth: I64 = self.stock.stock_worth(self.shelves.clear(places))[who]
        return worth

    def clear_abroad(self) -> I64:
        """Sells off stock in countries its owner, still in business, has left; int64[m] cents of production cost."""
        catalogue = self.catalogue
        places = np.zeros(catalogue.real.shape, np.bool_)
        left = (catalogue.targets == 0) & (catalogue.trading == 1)[:, None]
        places[:, N_ORIGIN_WAREHOUSES:] = left[catalogue.merchant]
        return self.stock.stock_worth(self.shelves.clear(places))

    def expect(self, reach: NDArray[np.float32]) -> None:
        """From the next `follow_targets` on merchants reckon with a share `reach` (m, C) of what their size sells."""
        self.stock.expect(reach)

    def usual_units(self) -> NDArray[np.float32]:
        """float32[n, C]: units a day that each line should sell by its size, among those who sell in the country."""
        return self.stock.usual_units()

    def stock_up(self, who: I64, targets: U8, rules: Rules, ledger: Ledger, day: int) -> None:
        """Orders the first stock of merchants who will sell to `targets` (k, C)."""
        self.stock.stock_up(who, targets, rules, ledger, self.shelves, day, self.origin_factor(day))

    def forget(self, who: I64) -> None:
        """Nobody remembers the sellers `who` any more."""
        self.empty_memory(who)
