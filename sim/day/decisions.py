"""What firms decide in the evening, after they have learnt: one verb a line, no formula.

The deciders stand in `sim/firms`, one module each; each acts on smoothed expectations and when its firms' turn has
come. Each decision has a switch in `supply.decide`; off, firms keep their habits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import Geography
from sim.config.supply import Supply as SupplyGroup
from sim.firms.agencies import Agencies
from sim.firms.audits import Audits
from sim.firms.books import Books
from sim.firms.careers import Careers
from sim.firms.platforms import Platforms
from sim.firms.prices import Prices
from sim.kinds import N_CATEGORIES
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, country_demand, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders


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

    def __init__(
        self,
        cfg: DecisionsSource,
        catalogue: Catalogue,
        prices: Prices,
        careers: Careers,
        agencies: Agencies,
        platforms: Platforms,
        audits: Audits,
    ) -> None:
        self.on = cfg.supply.decide
        self.prices, self.careers, self.agencies = prices, careers, agencies
        self.platforms, self.audits = platforms, audits
        self.books = Books(cfg.supply.books)
        size = sales_shares(catalogue, country_demand(cfg.economics, cfg.geography))
        alike = catalogue.seller_class.astype(np.int64) * N_CATEGORIES + catalogue.merchant_category
        self.books.follow(Account.MERCHANT, size, alike)

    def in_force(self, rules: Rules) -> Rules:
        """Today's rules with what platforms have set, and everybody briefed about them."""
        effective = self.platforms.in_force(rules)
        self.audits.brief(effective)
        return effective

    def decide(
        self,
        rules: Rules,
        day: int,
        air: Air,
        orders: Orders,
        ledger: Ledger,
        remembered: NDArray[np.float32],
        forecast: Callable[[Rules], NDArray[np.float32]],
    ) -> None:
        """The evening's decisions.

        `remembered` float32[n, C]: lowest tier's landed price in buyers' minds, USD; `forecast` gives float32[n, C],
        units a day that each line should sell in each country. Must run before the day's final orders leave the book.
        """
        self.books.learn(ledger, orders.appended, day)
        self.prices.learn(orders, remembered, forecast, rules, day)
        self.prices.pay(ledger)
        if self.on.careers:
            self.agencies.follow(self.careers.move(rules, day, ledger))
            self.careers.expose(rules, day)
        if self.on.integrity:
            self.careers.claim(rules, day)
        if self.on.agencies:
            self.agencies.bargain(rules, day)
        if self.careers.rests_from(day):
            self.careers.settle(rules)
            self.agencies.settle(rules)
        self.platforms.respond(rules, day, orders, ledger, self.prices.steepness.level[0])
        self.audits.audit(rules, day, air, ledger)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's decisions depend on besides the columns, by name."""
        deciders = (self.books, self.prices, self.careers, self.agencies, self.platforms, self.audits)
        parts = {type(decider).__name__.lower(): decider.arrays() for decider in deciders}
        return {f"{part} {name}": array for part, arrays in parts.items() for name, array in arrays.items()}
