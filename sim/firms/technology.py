"""Technology: who has goods tested, keeps records, lets buyers try on or makes small lots, where that is offered.

A seller looks at a line that it is offered a technology for, if it hears of it: with chance p + q x (share of the
category's lines that have it) a review, so that adoption starts slowly and spreads (Bass 1969). It takes it up where

    log( S (g m + r k b + h) / c ) + taste > 0

S: a year's sales of the line, from the merchant's own books with credibility; g: rise of sales that sellers expect, m:
what a sale leaves before fixed costs; r: part of returns they expect to save, k: returns of the category, b: what a
return costs, share of the price; h: of production in small lots, what stock at home no longer costs less what small
lots cost more, share of sales; c: running cost and setup spread over the payback time, with interest. The taste is
the seller's own view, keyed and normal: a probit over sizes and views (Davies 1979; Karshenas and Stoneman 1993), where
large sellers, over whose sales the fixed cost spreads, come first. What happens to sales and returns is up to buyers.

Who had it in the base year or has taken it up gives it up when the log has fallen, by margins and prices of the
technology, by more than a threshold of the seller's own: sunk costs make people wait (Dixit 1989). So at rest nobody
moves. A mandate covers lines by law (the rules' `coverage`), and undoes what had been given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.merchant import borrowing_rate, cost_table, market_margins
from sim.config.sources import MarketSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK, WEEKS_A_YEAR, Books
from sim.kernels.supply import CostTable, log_each
from sim.kinds import N_TECHNOLOGIES, SELLER_CLASSES, SMALL_LOTS, TECHNOLOGIES
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import AS_COVERED, GIVEN_UP, TAKEN_UP, Catalogue, country_demand, equipped, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.scale import Scale

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]
type Flags = NDArray[np.bool_]

TASTE, PATIENCE, HEARS = range(3)  # ordinals of a line's draws
LEAST_WORTH = 1e-6
PURPOSES = (MoneyPurpose.COMPLIANCE, MoneyPurpose.TECHNOLOGY, MoneyPurpose.TECHNOLOGY, MoneyPurpose.TECHNOLOGY)
"""Under which each of `kinds.TECHNOLOGIES` is paid: tests are compliance."""


def log_worth(sales: Any, margin: Any, gain: Any, saved: Any, cost: Any) -> Any:
    """log( sales (gain x margin + saved) / cost ); arrays. `saved`: cost spared, share of sales."""
    benefit = sales * (gain * np.maximum(margin, 0.0) + saved)
    ratio = np.maximum(benefit / np.maximum(cost, LEAST_WORTH), LEAST_WORTH)
    return log_each(np.asarray(ratio, np.float32).reshape(-1)).reshape(np.shape(ratio)).astype(np.float64)


class Technology:
    """n lines, m merchants, Q technologies. Column written: technology. `baseline`: rules of the base year, whose
    coverage says who has what at rest; `origin_factor` gives a day's price of the yuan as in Supply.price."""

    def __init__(
        self,
        cfg: MarketSource,
        scale: Scale,
        draws: Draws,
        catalogue: Catalogue,
        books: Books,
        baseline: Rules,
        origin_factor: Callable[[int], float],
    ) -> None:
        self.cfg, self.draws, self.catalogue, self.books = cfg, draws, catalogue, books
        self.rule = rule = cfg.supply.technology
        self.origin_factor = origin_factor
        economics = cfg.economics
        self._demand = country_demand(economics, cfg.geography)
        number = np.arange(catalogue.n_lines)
        self._lottery = np.stack(
            [np.asarray(draws.uniform(Purpose.COVER, number, other=1 + kind)) for kind in range(N_TECHNOLOGIES)], axis=1
        )
        self._base: F64 = self._covered(baseline)
        market = sum(cfg.firms.real[name] * economics.seller_sales_usd[name] for name in SELLER_CLASSES)
        self._usual: F64 = sales_shares(catalogue, self._demand) * scale.market_amount(market) * 100.0  # cents a year
        classes = [scale.firm_amount(100.0, name) * rule.class_cost[name] for name in SELLER_CLASSES]
        self._setup: F64 = np.outer(classes, [rule.setup_usd[name] for name in TECHNOLOGIES])  # (2, Q) cents a line
        self._running: F64 = np.outer(classes, [rule.annual_usd[name] for name in TECHNOLOGIES])
        self._gain: F64 = np.array([rule.expected_gain[name] for name in TECHNOLOGIES])
        self._spares: F64 = np.array([rule.returns_spared[name] for name in TECHNOLOGIES])
        self._taken_at: F64 = np.full((catalogue.n_lines, N_TECHNOLOGIES), np.nan)  # worth then, nan: not weighed yet
        self.moved: I64 = np.zeros((2, N_TECHNOLOGIES), np.int64)  # lines that took it up, and gave it up

    def _covered(self, rules: Rules) -> F64:
        """float64[n, Q]: share of the line's category that the rules cover."""
        shares = (
            rules.certification.coverage, rules.tracing.coverage, rules.tryon.coverage, rules.small_lots.coverage,
        )  # fmt: skip
        return np.stack(shares, axis=1)[self.catalogue.category].astype(np.float64)

    def _offered(self, rules: Rules) -> F64:
        """float64[n, Q]: share of the line's category to whose sellers it is offered."""
        shares = rules.certification.offered, rules.tracing.offered, rules.tryon.offered, rules.small_lots.offered
        return np.stack(shares, axis=1)[self.catalogue.category].astype(np.float64)

    # -- what there is ----------------------------------------------------------------------------------------------
    def has(self, rules: Rules) -> Flags:
        """bool[n, Q]: which lines have which technology."""
        own = self.catalogue.technology
        coverage = self._covered(rules).astype(np.float32)
        flags: Flags = equipped(self._lottery, coverage, own)
        return flags

    def _entity(self) -> I64:
        """int64[n]: a line's number in the pool, which is another's when another merchant stands in its row."""
        per = self.cfg.firms.merchants.lines
        catalogue = self.catalogue
        entity: I64 = catalogue.identity[catalogue.merchant].astype(np.int64) * per + np.arange(catalogue.n_lines) % per
        return entity

    def _drawn(self, ordinal: int, week: int = 0) -> F64:
        """float64[n, Q]: uniforms of each line and technology."""
        luck = self.draws.uniform(Purpose.TECHNOLOGY, self._entity()[:, None], np.arange(N_TECHNOLOGIES), week, ordinal)
        return np.asarray(luck, np.float64)

    # -- what is decided --------------------------------------------------------------------------------------------
    def choose(self, rules: Rules, day: int, ledger: Ledger) -> None:
        """Once a week those whose turn has come look at their lines; everybody pays for what was taken up."""
        if day % WEEK:
            return
        catalogue, rule = self.catalogue, self.rule
        own = catalogue.technology
        lottery = self._lottery
        coverage = self._covered(rules)
        # a mandate reaches those, too, who had given it up
        own[(own == GIVEN_UP) & (lottery < coverage) & (coverage > self._base + LEAST_WORTH)] = AS_COVERED
        turn = (catalogue.identity % rule.review_weeks == (day // WEEK) % rule.review_weeks) & (catalogue.trading == 1)
        mine = turn[catalogue.merchant][:, None]
        has = self.has(rules)
        fresh = np.zeros_like(has)
        if mine.any():
            structural, sales = self._worth(rules, day)
            fresh = mine & self._wants(rules, has, structural + sales[:, None], day)
            self._give_up(mine & has & (coverage <= self._base + LEAST_WORTH), structural)
            own[fresh] = TAKEN_UP
            self._taken_at[fresh] = structural[fresh]
            self.moved[0] += fresh.sum(axis=0)
        self._pay(rules, fresh, ledger)

    def _worth(self, rules: Rules, day: int) -> tuple[F64, F64]:
        """Log worth at usual sales, float64[n, Q], and log of the line's sales against the usual ones, float64[n]."""
        catalogue, rule = self.catalogue, self.rule
        costs = cost_table(self.cfg, catalogue, rules, self.origin_factor(day))
        left, taken = market_margins(catalogue, costs, self._demand)
        margin = left.sum(axis=1) / np.maximum(taken.sum(axis=1), LEAST_WORTH)
        seller = catalogue.seller_class[catalogue.merchant]
        price = np.asarray(rules.technology.price, np.float64)
        lasting = 1.0 / rule.payback_years + borrowing_rate(rules)
        yearly = price[:, None] * (self._running + self._setup * lasting[:, None])  # (2, Q)
        usual = self._usual[catalogue.merchant] * catalogue.line_share
        spared = self._spares[None, :] * self._return_cost(costs)[:, None]
        spared[:, SMALL_LOTS] += self._lots_spare(costs)
        worth = log_worth(
            usual[:, None], margin[catalogue.merchant][:, None], self._gain[None, :], spared, yearly[seller]
        )  # fmt: skip
        own = self.books.expected(Account.MERCHANT)[:, int(MoneyPurpose.SALE)] * WEEKS_A_YEAR
        known = self.books.weeks > self.books.rule.first_week
        ratio = np.where(known & (own > 0), own / np.maximum(self._usual, LEAST_WORTH), 1.0)
        sales = log_each(np.maximum(ratio, LEAST_WORTH).astype(np.float32)).astype(np.float64)
        return worth, sales[catalogue.merchant]

    def _return_cost(self, costs: CostTable) -> F64:
        """float64[n]: what returns cost, share of a line's sales: goods lost and the way back."""
        catalogue = self.catalogue
        kind = catalogue.category
        price = np.maximum(catalogue.list_cents[:, 1] / 100.0, 0.01)
        way = float(costs.return_usd @ self._demand) / costs.units[kind]
        lost = costs.return_loss[1] * catalogue.unit_cost_cents[:, 1] / 100.0
        cost: F64 = costs.returns[kind] * (lost + way) / price
        return cost

    def _lots_spare(self, costs: CostTable) -> F64:
        """float64[n]: what small lots spare a seller, share of a line's sales; below zero where they cost more.

        Interest, markdown and storage on the stock in China that demand served from there no longer needs, less what
        setups spread over fewer units add to all production.
        """
        catalogue, rule, demand = self.catalogue, self.cfg.supply.c2m, self._demand
        price = np.maximum(catalogue.list_cents[:, 1] / 100.0, 0.01)
        made = catalogue.unit_cost_cents[:, 1] / 100.0 / price
        days = max(float(costs.stock_days[0]) - rule.lot_days, 0.0)
        storage = costs.storage_kg_day * costs.origin_storage * catalogue.weight_kg / price
        held = made * costs.interest[catalogue.seller_class[catalogue.merchant]] + storage
        sold = catalogue.targets[catalogue.merchant].astype(np.float64) @ demand
        from_home = (catalogue.direct.astype(np.float64) @ demand) / np.maximum(sold, LEAST_WORTH)
        spare: F64 = from_home * held * days - made * self.cfg.firms.merchants.c2m_cost
        return spare

    def _wants(self, rules: Rules, has: Flags, worth: F64, day: int) -> Flags:
        """bool[n, Q]: lines whose sellers are offered a technology, hear of it and find it worth its cost."""
        rule, catalogue = self.rule, self.catalogue
        has = has.copy()
        # who owns production has the same already; where nobody makes small lots they are not on offer
        has[:, SMALL_LOTS] |= (catalogue.c2m[catalogue.merchant] == 1) | (not self.cfg.supply.decide.c2m)
        open_to = ~has & (self._lottery < self._offered(rules))
        if not open_to.any():
            return open_to
        count = np.maximum(np.bincount(catalogue.category, minlength=catalogue.category.max() + 1), 1)
        share = np.stack([np.bincount(catalogue.category, column, count.size) for column in has.T], axis=1)
        hears = rule.innovation + rule.imitation * (share / count[:, None])[catalogue.category]
        heard = self._drawn(HEARS, day // WEEK) < hears
        kinds = np.arange(N_TECHNOLOGIES)
        taste = self.draws.normal(Purpose.TECHNOLOGY, self._entity()[:, None], kinds, 0, TASTE).astype(np.float64)
        wanted: Flags = open_to & heard & (worth + rule.spread * taste > 0.0)
        return wanted

    def _give_up(self, held: Flags, worth: F64) -> None:
        """Who holds it by choice gives it up when its worth at usual sales has fallen beyond the own threshold."""
        rule = self.rule
        if self.books.weeks < self.cfg.supply.solvency.start_weeks:
            return  # prices of the first weeks are no measure
        new = held & np.isnan(self._taken_at)
        self._taken_at[new] = worth[new]
        luck = self._drawn(PATIENCE)
        patience = -log_each(luck.astype(np.float32).reshape(-1)).reshape(luck.shape).astype(np.float64)
        floor = self._taken_at - rule.least_change - rule.change_spread * patience
        tired = held & (worth < floor)
        self.catalogue.technology[tired] = GIVEN_UP
        self._taken_at[tired] = np.nan
        self.moved[1] += tired.sum(axis=0)

    def _pay(self, rules: Rules, fresh: Flags, ledger: Ledger) -> None:
        """Setup of what is new, and a week of what was taken up; who had it in the base year pays within tools."""
        catalogue = self.catalogue
        seller = catalogue.seller_class[catalogue.merchant]
        price = np.asarray(rules.technology.price, np.float64)[seller][:, None]
        paid = (catalogue.technology == TAKEN_UP) & (catalogue.trading == 1)[catalogue.merchant][:, None]
        if not paid.any():
            return
        due = price * (fresh * self._setup[seller] + paid * self._running[seller] / WEEKS_A_YEAR)
        account = ledger.account(Account.MERCHANT, np.arange(catalogue.n_merchants))
        for purpose in dict.fromkeys(PURPOSES):
            columns = [number for number, under in enumerate(PURPOSES) if under == purpose]
            cents = np.bincount(catalogue.merchant, due[:, columns].sum(axis=1), catalogue.n_merchants)
            ledger.post(purpose, account, ledger.account(Account.REST_OF_WORLD), np.rint(cents).astype(np.int64))

    def meet(self, who: NDArray[np.integer]) -> None:
        """Other merchants stand in the rows `who` (k,): their lines have what the rules cover."""
        lines = np.isin(self.catalogue.merchant, who)
        self.catalogue.technology[lines] = AS_COVERED
        self._taken_at[lines] = np.nan

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What the next review depends on."""
        return {"taken_at": self._taken_at, "moved": self.moved}
