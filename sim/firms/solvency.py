"""Solvency: what merchants can pay, borrow and owe; who has to leave, and who comes instead.

A merchant's *position* is the money it can count on (what it owes, below zero). Every week it grows by

    usual margin x sales + what is new in its result + luck x sales - interest on debt - what owners take out

New in the result, against the end of the warm-up: what is left of sales at today's prices, charges and costs
(`market_margins`) times the sales of its class, and what it pays or is paid apart from trade (fixed costs, fines,
premiums, entry to channels). A longer settlement takes the sales of the added days out once. Nothing of this is read
from single sampled orders, so exits do not hang on how many people are sampled.

Luck is what tells the real firms behind one simulated merchant apart and no sample shows: a share of sales, persistent,
keyed by the merchant's number in the pool. The ledger's cash is brought in line with the position through the owners'
account: the luck of a sample is nobody's.

Owners take out a part of what lies above working capital, and put nothing in. Below zero the merchant borrows, up to a
limit in weeks of its sales that lenders grant. Beyond it the merchant is insolvent and leaves: stock is sold off,
orders under way are served or refunded, and when nothing is under way any more the place is free. Every few weeks the
next of the potential merchants behind a free place looks at what its kind earns, and enters if that pays for the entry.

Sources: exit by running out of funds with profits that follow a persistent process, Hopenhayn (1992) and Cabral and
Mata (2003); credit limits in sales as lenders set them for small exporters, assumed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.merchant import borrowing_rate, cost_table, funded_share, market_margins, next_position
from sim.config.sources import MarketSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK, WEEKS_A_YEAR, Books
from sim.firms.premises import Premises
from sim.kernels.supply import exp_each
from sim.kinds import SELLER_CLASSES
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import Catalogue, country_demand, found, sales_mix, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.scale import Scale

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

IN_BUSINESS, WINDING_UP, FREE, OPENING = range(4)
MERCHANT = Account.MERCHANT
ASIDE = [
    int(purpose)
    for purpose in (
        MoneyPurpose.WAGE,
        MoneyPurpose.TECHNOLOGY,
        MoneyPurpose.COMPLIANCE,
        MoneyPurpose.FINE,
        MoneyPurpose.SUBSIDY,
        MoneyPurpose.PREMIUM,
        MoneyPurpose.CLAIM,
    )
]
"""What does not come with each sale."""
PAST_WEEKS = 520
"""Weeks of luck before the first judgement: long against its memory, so that positions start as they will stay."""


class Solvency:
    """Positions, debts and places of merchants; m merchants. Columns written: identity, trading, funded."""

    def __init__(
        self, cfg: MarketSource, scale: Scale, draws: Draws, catalogue: Catalogue, books: Books, premises: Premises
    ) -> None:
        self.cfg, self.draws, self.catalogue, self.books, self.premises = cfg, draws, catalogue, books, premises
        self.rule = cfg.supply.solvency
        count = catalogue.n_merchants
        economics = cfg.economics
        self._demand = country_demand(economics, cfg.geography)
        self._share = sales_shares(catalogue, self._demand)  # of all sales; a place's own, whoever holds it
        self._weight = float((catalogue.merchant_size.astype(np.float64) * (catalogue.targets @ self._demand)).sum())
        market = sum(cfg.firms.real[name] * economics.seller_sales_usd[name] for name in SELLER_CLASSES)
        takings = scale.market_amount(market / 365.0) * 100.0
        self.target: F64 = self._share * takings * cfg.supply.costs.merchant_cash_days
        self.position: F64 = self.target.copy()
        self.debt: I64 = np.zeros(count, np.int64)
        self.line: F64 = np.zeros(count)  # credit in hand
        self.luck: F64 = np.zeros(count)
        self.place: NDArray[np.uint8] = np.zeros(count, np.uint8)
        self.tried: I64 = np.zeros(count, np.int64)  # potential merchants of the place that have had their turn
        self.margin: F64 = np.full(count, np.nan)  # share of sales left before fixed costs, at the end of the warm-up
        self._shift: F64 = np.zeros(len(SELLER_CLASSES))  # mean change of that since, by class
        self._usual_sales: F64 = np.zeros(count)  # cents a week, at the end of the warm-up
        self._usual_aside: F64 = np.zeros(count)
        self._waited = 0.0  # days from delivery to payout, last week
        self._mix: F64 = self._demand @ sales_mix(cfg)
        self._plans: NDArray[np.uint8] = np.zeros_like(catalogue.targets)
        seller = catalogue.seller_class
        self._spread = np.array([self.rule.luck_spread[name] for name in SELLER_CLASSES])[seller]
        self._entry_cents = np.array(
            [100.0 * scale.firm_amount(self.rule.entry_cost_usd[name], name) for name in SELLER_CLASSES]
        )[seller] * self._relative_size()  # fmt: skip
        self._keep = float(np.exp(-1.0 / self.rule.luck_weeks))
        self._judging = False
        self.newcomers: I64 = np.zeros(0, np.int64)  # places filled tonight
        self.exits = 0
        self.entries = 0

    def _relative_size(self) -> F64:
        """float64[m]: size against the mean of the class, so that a large place costs more to fill."""
        seller = self.catalogue.seller_class
        mean = np.bincount(seller, weights=self._share) / np.bincount(seller)
        size: F64 = self._share / mean[seller]
        return size

    @property
    def on(self) -> bool:
        """Whether merchants are judged by their positions yet."""
        return self._judging

    # -- the week's end ---------------------------------------------------------------------------------------------
    def settle(self, rules: Rules, day: int, ledger: Ledger, orders: Orders) -> None:
        """Once a week, after the books were read: owners, loans, stock funds, exit and entry."""
        self.newcomers = self.newcomers[:0]
        if day % WEEK:
            return
        if not self._judging:
            self._make_up(ledger)
            if self.books.weeks >= self.rule.start_weeks:
                self._start(rules, day, ledger)
            return
        news = self._live(rules, day, ledger)
        if self.cfg.supply.decide.entry_exit:
            who = np.flatnonzero((self.place == IN_BUSINESS) & (self.position + self.line < 0.0))
            if who.size:
                self._leave(who, ledger)
            self._wind_up(ledger, orders)
            self._open(ledger)
            if (day // WEEK) % self.rule.review_weeks == 0:
                self._enter(rules, day, ledger, news)

    def _make_up(self, ledger: Ledger) -> None:
        """Before there are books owners make up for whatever differs from working capital."""
        part = 1.0 / self.cfg.supply.costs.owners_weeks
        gap = (self.target - ledger.balance(MERCHANT)) * part
        ledger.endow(ledger.account(MERCHANT, np.arange(gap.size)), np.rint(gap).astype(np.int64))

    def _start(self, rules: Rules, day: int, ledger: Ledger) -> None:
        """The first judgement: positions as luck has left them after many years of the results that are usual now."""
        sales = self._usual_sales = self._sales()
        self._usual_aside = self._aside() - self.books.own(MERCHANT)[:, int(MoneyPurpose.FINE)]  # no fine is usual
        self.margin = self._margin(rules, day)
        self._waited = self._wait(rules)
        seller = self.catalogue.seller_class
        limit = self._limit(rules, sales)
        rate = borrowing_rate(rules)[seller] / WEEKS_A_YEAR
        who = self.catalogue.identity
        self.luck = self.draws.normal(Purpose.FIRM_LUCK, who, other=0, ordinal=1).astype(np.float64)
        part = 1.0 / self.cfg.supply.costs.owners_weeks
        for week in range(1, PAST_WEEKS + 1):
            self.luck = self._next_luck(who, week, ordinal=1)
            self.position = next_position(
                self.position, (self.rule.usual_margin + self.luck * self._spread) * sales, rate, self.target, part
            )
            self.position = np.where(self.position + limit < 0.0, self.target, self.position)
        self.line = limit
        self._judging = True
        self._borrow(ledger)
        self._align(ledger, 1.0)

    def _live(self, rules: Rules, day: int, ledger: Ledger) -> F64:
        """A week's result, interest, loans and funds for stock; float64[m] cents: what is new in the results."""
        catalogue = self.catalogue
        alive = self.place == IN_BUSINESS
        sales = self._sales()
        self.luck = self._next_luck(catalogue.identity, day // WEEK)
        news = self._news(rules, day)
        result = news + self.rule.usual_margin * self._usual_sales + self.luck * self._spread * sales
        result -= (self._wait(rules) - self._waited) / WEEK * sales  # paid later: so many days' sales are out
        self._waited = self._wait(rules)
        rate = borrowing_rate(rules)[catalogue.seller_class] / WEEKS_A_YEAR
        interest = np.rint(self.debt * rate).astype(np.int64)
        part = 1.0 / self.cfg.supply.costs.owners_weeks
        self.position = np.where(alive, next_position(self.position, result, rate, self.target, part), self.position)
        days = np.asarray(rules.credit.days_to_fund, np.float64)[catalogue.seller_class]
        self.line += (self._limit(rules, sales) - self.line) * WEEK / (WEEK + days)
        world, account = ledger.account(Account.REST_OF_WORLD), ledger.account(MERCHANT, np.arange(alive.size))
        ledger.post(MoneyPurpose.INTEREST, account, world, interest)
        self._borrow(ledger)
        self._align(ledger, part)
        if self.cfg.supply.decide.credit:
            need = self._replenishment(sales)
            catalogue.funded[:] = np.where(alive, funded_share(self.position, self.line, need), 1.0)
        return news

    def _borrow(self, ledger: Ledger) -> None:
        """Debt is what the position lies below zero; of those who are winding up it stands still."""
        alive = self.place == IN_BUSINESS
        owed = np.where(alive, np.rint(np.maximum(-self.position, 0.0)), self.debt).astype(np.int64)
        world, account = ledger.account(Account.REST_OF_WORLD), ledger.account(MERCHANT, np.arange(owed.size))
        ledger.post(MoneyPurpose.LOAN, world, account, owed - self.debt)
        self.debt = owed

    def _align(self, ledger: Ledger, part: float) -> None:
        """Brings a part of the way from the ledger's cash to the position through the owners' account."""
        gap = np.where(self.place == IN_BUSINESS, self.position + self.debt - ledger.balance(MERCHANT), 0.0) * part
        ledger.endow(ledger.account(MERCHANT, np.arange(gap.size)), np.rint(gap).astype(np.int64))

    def _sales(self) -> F64:
        """float64[m] cents received a week from sales: those of the class, by size, among who is in business."""
        seller = self.catalogue.seller_class
        total = np.bincount(
            seller, weights=self.books.own(MERCHANT)[:, int(MoneyPurpose.SALE)], minlength=len(SELLER_CLASSES)
        )
        size = np.bincount(
            seller, weights=self._share * (self.place == IN_BUSINESS), minlength=len(SELLER_CLASSES)
        )  # fmt: skip
        sales: F64 = (total / np.maximum(size, 1e-12))[seller] * self._share
        return np.maximum(sales, 1e-3 * self.target)

    def _replenishment(self, sales: F64) -> F64:
        """float64[m] cents that a full replenishment takes, from weekly `sales`."""
        need: F64 = sales * self.rule.purchases * self.rule.stock_weeks
        return need

    def spare(self) -> F64:
        """float64[m] cents in hand and on credit beyond a full replenishment: what can be spent on new things."""
        spare: F64 = self.position + self.line - self._replenishment(self._sales())
        return spare

    def _margin(self, rules: Rules, day: int) -> F64:
        """float64[m]: share of sales left before fixed costs at today's prices and costs; nan where nothing is sold."""
        costs = cost_table(self.cfg, self.catalogue, rules, self.premises.origin_factor(day))
        left, taken = market_margins(self.catalogue, costs, self._demand)
        with np.errstate(invalid="ignore"):
            share: F64 = left.sum(axis=1) / taken.sum(axis=1)
        return share

    def _news(self, rules: Rules, day: int) -> F64:
        """float64[m] cents a week: how far the result differs from that of the end of the warm-up."""
        seller = self.catalogue.seller_class
        margin = self._margin(rules, day)
        lost = np.isnan(margin)
        new = np.isnan(self.margin) & ~lost
        self.margin[new] = margin[new] - self._shift[seller[new]]  # a newcomer has seen no better times
        sales = self._sales()
        both = ~(lost | np.isnan(self.margin) | new)
        change = np.where(both, margin - self.margin, 0.0)
        total = np.bincount(seller[both], weights=(change * sales)[both], minlength=len(SELLER_CLASSES))
        weight = np.bincount(seller[both], weights=sales[both], minlength=len(SELLER_CLASSES))
        self._shift = total / np.maximum(weight, 1e-9)
        change[~both] = self._shift[seller[~both]]
        usual = np.where(np.isnan(self.margin), self.rule.usual_margin, self.margin)
        trade: F64 = (usual + change) * sales - usual * self._usual_sales
        aside = np.where(self.place == IN_BUSINESS, self._aside() - self._usual_aside, 0.0)
        return trade + aside

    def _aside(self) -> F64:
        """float64[m] cents a week: what is paid (below zero) or received apart from trade, from the own books."""
        aside: F64 = self.books.own(MERCHANT)[:, ASIDE].sum(axis=1)
        return aside

    def _wait(self, rules: Rules) -> float:
        """Days from delivery to payout, mean over channels by expected sales."""
        return float(np.asarray(rules.payment.settlement_days, np.float64) @ self._mix)

    def _limit(self, rules: Rules, sales: F64) -> F64:
        weeks = np.asarray(rules.credit.limit_weeks, np.float64)[self.catalogue.seller_class]
        limit: F64 = weeks * sales * float(self.cfg.supply.decide.credit)
        return limit

    def _next_luck(self, identity: NDArray[np.integer], week: int, ordinal: int = 0) -> F64:
        fresh = self.draws.normal(Purpose.FIRM_LUCK, identity, other=0, tick=week, ordinal=ordinal).astype(np.float64)
        luck: F64 = self._keep * self.luck + np.sqrt(1.0 - self._keep**2) * fresh
        return luck

    # -- leaving ----------------------------------------------------------------------------------------------------
    def _leave(self, who: I64, ledger: Ledger) -> None:
        self.place[who] = WINDING_UP
        self.catalogue.trading[who] = 0
        self.catalogue.targets[who] = 0
        self.catalogue.funded[who] = 1.0
        self.books.pause(MERCHANT, who)
        self.premises.follow_targets(np.zeros(0, np.int64))
        self.exits += int(who.size)

    def _wind_up(self, ledger: Ledger, orders: Orders) -> None:
        """Sells off what lies in stock or comes back; closes the estates of which nothing is under way any more."""
        who = np.flatnonzero(self.place == WINDING_UP)
        if who.size == 0:
            return
        account, world = ledger.account(MERCHANT, who), ledger.account(Account.REST_OF_WORLD)
        worth = np.rint(self.premises.clear(who) * self.rule.salvage).astype(np.int64)
        ledger.post(MoneyPurpose.PRODUCTION, world, account, worth)
        catalogue = self.catalogue
        coming = (catalogue.ordered_units - catalogue.received_units).sum(axis=1)
        busy = np.bincount(catalogue.merchant, weights=coming, minlength=self.place.size) > 0
        open_rows = orders.open_rows()
        busy |= np.bincount(orders.data["merchant"][open_rows], minlength=self.place.size) > 0
        done = who[~busy[who]]
        if done.size == 0:
            return
        left = ledger.balance(MERCHANT)[done]
        account = ledger.account(MERCHANT, done)
        ledger.post(MoneyPurpose.LOAN, account, world, np.minimum(np.maximum(left, 0), self.debt[done]))
        ledger.endow(account, -ledger.balance(MERCHANT)[done])  # to the owners, or borne by the creditors
        self.debt[done] = 0
        self.position[done] = 0.0
        self.place[done] = FREE

    # -- entering ---------------------------------------------------------------------------------------------------
    def _enter(self, rules: Rules, day: int, ledger: Ledger, news: F64) -> None:
        """The next potential merchant of every free place compares a year's profit of its kind with the entry cost.

        Profit is that of the kind in proportion to the place, seen with the candidate's own error; the cost counts
        with interest and spread over the years in which it has to be earned back.
        """
        free = np.flatnonzero(self.place == FREE)
        if free.size == 0:
            return
        self.tried[free] += 1
        identity = free + self.place.size * self.tried[free]
        profit = (self.rule.usual_margin * self._usual_sales + news)[free]
        error = self.draws.normal(Purpose.ENTRY, identity) * np.float32(self.rule.entry_spread)
        yearly = WEEKS_A_YEAR * profit * exp_each(np.atleast_1d(error)).astype(np.float64)
        rate = borrowing_rate(rules)[self.catalogue.seller_class[free]]
        chosen = yearly > self._entry_cents[free] * (rate + 1.0 / self.rule.payback_years)
        who = free[chosen]
        if who.size:
            self._settle_in(who, identity[chosen], rules, day, ledger)

    def _settle_in(self, who: I64, identity: I64, rules: Rules, day: int, ledger: Ledger) -> None:
        """Owners pay the entry and the first stock; the doors open when it has come."""
        catalogue = self.catalogue
        found(catalogue, self.cfg, self.draws, who, identity)
        plan = catalogue.targets[who].copy()
        catalogue.merchant_size[who] = self._share[who] * self._weight / (plan @ self._demand)
        self._plans[who] = plan
        catalogue.targets[who] = 0
        catalogue.direct[catalogue.targets[catalogue.merchant] == 0] = 0
        account, world = ledger.account(MERCHANT, who), ledger.account(Account.REST_OF_WORLD)
        entry = np.rint(self._entry_cents[who]).astype(np.int64)
        ledger.post(MoneyPurpose.COMPLIANCE, account, world, entry)
        self.premises.stock_up(who, plan, rules, ledger, day)
        self.position[who] = self.target[who]
        self.line[who] = 0.0
        self.luck[who] = self.draws.normal(Purpose.FIRM_LUCK, identity, ordinal=1)
        gap = np.rint(self.target[who]).astype(np.int64) - ledger.balance(MERCHANT)[who]
        ledger.endow(account, gap)
        self.premises.forget(who)
        self.margin[who] = np.nan
        self.newcomers = who
        self.place[who] = OPENING

    def _open(self, ledger: Ledger) -> None:
        catalogue = self.catalogue
        there = np.bincount(catalogue.merchant, weights=catalogue.real.sum(axis=1), minlength=self.place.size) > 0
        who = np.flatnonzero((self.place == OPENING) & there)
        if who.size == 0:
            return
        catalogue.targets[who] = self._plans[who]
        catalogue.trading[who] = 1
        self.place[who] = IN_BUSINESS
        self.books.forget(MERCHANT, who, ledger)
        self.premises.follow_targets(who)
        self.entries += int(who.size)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the next week depends on, by name."""
        names = ("position", "debt", "line", "luck", "place", "tried", "margin", "_shift", "_plans", "_usual_aside")
        return {name: getattr(self, name) for name in names}
