"""What firms decide in the evening, after they have learnt: one verb a line, no formula.

The deciders stand in `sim/firms`, one module each; each acts on smoothed expectations and when its firms' turn has
come. Each decision has a switch in `supply.decide`; off, firms keep their habits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import Geography
from sim.config.supply import Supply as SupplyGroup
from sim.draws import Draws
from sim.firms.agencies import Agencies
from sim.firms.audits import Audits
from sim.firms.books import Books
from sim.firms.careers import Careers
from sim.firms.channels import Channels
from sim.firms.platforms import Platforms
from sim.firms.prices import Prices
from sim.firms.solvency import Solvency
from sim.firms.technology import Technology
from sim.kinds import N_CATEGORIES, N_ORIGIN_WAREHOUSES
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, country_demand, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.scale import Scale

type U8 = NDArray[np.uint8]
type I64 = NDArray[np.int64]


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
    """What it takes to leave and to enter, done by those who keep prices, stock and memory (`solvency.Premises`).

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

    def stock_up(self, who: I64, targets: U8, rules: Rules, ledger: Ledger, day: int) -> None:
        """Orders the first stock of merchants who will sell to `targets` (k, C)."""
        self.stock.stock_up(who, targets, rules, ledger, self.shelves, day, self.origin_factor(day))

    def forget(self, who: I64) -> None:
        """Nobody remembers the sellers `who` any more."""
        self.empty_memory(who)


class Decisions:
    """Everybody's decisions. Holds the deciders and calls them in order."""

    def __init__(
        self,
        cfg: DecisionsSource,
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
            self.channels.choose(rules, day, ledger)
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
