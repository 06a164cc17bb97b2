"""What firms decide in the evening, after they have learnt: one verb a line, no formula.

The deciders stand in `sim/firms`, one module each; each acts on smoothed expectations and when its firms' turn has
come. Each decision has a switch in `supply.decide`; off, firms keep their habits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.config.sources import MarketSource
from sim.draws import Draws
from sim.firms.agencies import Agencies
from sim.firms.audits import Audits
from sim.firms.books import Books
from sim.firms.careers import Careers
from sim.firms.channels import Channels
from sim.firms.platforms import Platforms
from sim.firms.premises import Premises
from sim.firms.prices import Prices
from sim.firms.solvency import Solvency
from sim.firms.technology import Technology
from sim.kinds import N_CATEGORIES
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, country_demand, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.scale import Scale

type U8 = NDArray[np.uint8]
type I64 = NDArray[np.int64]


class Decisions:
    """Everybody's decisions. Holds the deciders and calls them in order."""

    def __init__(
        self,
        cfg: MarketSource,
        scale: Scale,
        draws: Draws,
        catalogue: Catalogue,
        premises: Premises,
        prices: Prices,
        careers: Careers,
        agencies: Agencies,
        platforms: Platforms,
        audits: Audits,
        baseline: Rules,
    ) -> None:
        self.on = cfg.supply.decide
        self.prices, self.careers, self.agencies = prices, careers, agencies
        self.platforms, self.audits = platforms, audits
        self.books = Books(cfg.supply.books)
        size = sales_shares(catalogue, country_demand(cfg.economics, cfg.geography))
        alike = catalogue.seller_class.astype(np.int64) * N_CATEGORIES + catalogue.merchant_category
        self.books.follow(Account.MERCHANT, size, alike)
        self.solvency = Solvency(cfg, scale, draws, catalogue, self.books, premises) if self.on.credit else None
        self.channels = Channels(cfg, draws, catalogue, self.books, premises) if self.on.channels else None
        self.technology: Technology | None = None
        if self.on.technology:
            self.technology = Technology(
                cfg, scale, draws, catalogue, self.books, baseline, premises.origin_factor
            )  # fmt: skip

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
        if self.solvency is not None:
            self.solvency.settle(rules, day, ledger, orders)
            self._meet(self.solvency.newcomers)
        if self.channels is not None:
            spare = self.solvency.spare() if self.solvency is not None and self.solvency.on else None
            self.channels.choose(rules, day, ledger, spare)
        if self.technology is not None:
            self.technology.choose(rules, day, ledger)
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

    def _meet(self, newcomers: I64) -> None:
        """Who keeps something about a merchant forgets the forerunners of `newcomers` (k,)."""
        if newcomers.size:
            self.prices.meet(newcomers)
            self.audits.meet(newcomers)
            if self.technology is not None:
                self.technology.meet(newcomers)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's decisions depend on besides the columns, by name."""
        deciders = (self.books, self.prices, self.careers, self.agencies, self.platforms, self.audits)
        parts = {type(decider).__name__.lower(): decider.arrays() for decider in deciders}
        if self.solvency is not None:
            parts["solvency"] = self.solvency.arrays()
        if self.channels is not None:
            parts["channels"] = self.channels.arrays()
        if self.technology is not None:
            parts["technology"] = self.technology.arrays()
        return {f"{part} {name}": array for part, arrays in parts.items() for name, array in arrays.items()}
