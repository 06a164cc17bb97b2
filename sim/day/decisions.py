"""What firms decide in the evening, after they have learnt: one verb a line, no formula.

The deciders stand in `sim/firms`, one module each; each acts on smoothed expectations and when its firms' turn has
come. Each decision has a switch in `supply.decide`; off, firms keep their habits.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import Geography
from sim.config.supply import Supply as SupplyGroup
from sim.firms.books import Books
from sim.kinds import N_CATEGORIES
from sim.rules import Rules
from sim.state.catalogue import Catalogue, country_demand, sales_shares
from sim.state.ledger import Account, Ledger


class DecisionsSource(Protocol):
    """What decisions need of a run's configuration."""

    @property
    def supply(self) -> SupplyGroup:
        """Decision rules."""

    @property
    def firms(self) -> Firms:
        """Who there is."""

    @property
    def economics(self) -> Economics:
        """Costs and shares."""

    @property
    def geography(self) -> Geography:
        """Countries."""

    @property
    def availability(self) -> Any:
        """Which table of open platforms holds."""


class Decisions:
    """Everybody's decisions. Holds the deciders and calls them in order."""

    def __init__(self, cfg: DecisionsSource, catalogue: Catalogue) -> None:
        self.books = Books(cfg.supply.books)
        size = sales_shares(catalogue, country_demand(cfg.economics, cfg.geography))
        alike = catalogue.seller_class.astype(np.int64) * N_CATEGORIES + catalogue.merchant_category
        self.books.follow(Account.MERCHANT, size, alike)

    def decide(self, rules: Rules, day: int, orders: int, ledger: Ledger) -> None:
        """The evening's decisions. `orders`: placed since the first day."""
        self.books.learn(ledger, orders, day)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's decisions depend on besides the columns, by name."""
        return {f"books {name}": array for name, array in self.books.arrays().items()}
