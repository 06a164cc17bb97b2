"""Prices: what merchants believe of their buyers, and what they ask.

Every order tells how steeply its buyer responds to a dollar (`count_steepness`). Merchants learn the mean by country
and category with a lag, smoothed over weeks, and trust a small sample little: what they follow is the change against
the level at the end of the warm-up, shrunk from country to region to the whole category (Buhlmann's credibility). With
that and today's costs, duties and remembered prices each asks its best price on its weekday, if the gain is worth the
cost of a new listing (`sim.kernels.prices`).

What cannot be observed in an optimum (what a brand is worth to its buyers) is backed out from the prices asked in the
warm-up, which are cost plus a fixed contribution; so a world at rest stays at rest. Sources: Berry (1994) for markups
from logit demand, Zbaracki et al. (2004) for the cost of changing prices, Heidhues and Koszegi (2008) for prices that
stay put where buyers hate to pay more than they remember.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config.consumer import Consumer
from sim.config.logistics import Logistics
from sim.config.sources import TradeSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK
from sim.firms.declarations import Declarations
from sim.firms.offers import Offers
from sim.firms.quality import Quality, dearer
from sim.kernels.maths import sum_rows
from sim.kernels.prices import MICRO, Beliefs, Listing, back_out, count_steepness, respond
from sim.kernels.supply import CostTable, log_each, power_each
from sim.kinds import N_CATEGORIES, N_COUNTRIES, N_REGIONS, N_TIERS, REGION_OF_COUNTRY, SELLER_CLASSES
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.scale import Scale

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

REVIEW_WEEKS = 4
REGION = np.eye(N_REGIONS)[np.asarray(REGION_OF_COUNTRY)]  # (C, R)


class PricesSource(TradeSource, Protocol):
    """What prices need of a run's configuration."""

    @property
    def consumer(self) -> Consumer:
        """How buyers feel about prices above and below those they remember."""

    @property
    def logistics(self) -> Logistics:
        """What customs see."""


def reference_share(memory: float, horizon: float) -> float:
    """Mean part of a price change that buyers still see against the old price, over `horizon` days.

    The remembered price closes the share `memory` of its gap a day: (1 - (1 - memory)^H) / (memory H).
    """
    if memory <= 0.0 or horizon <= 0.0:
        return 1.0
    left = float(power_each(np.array([1.0 - memory], np.float32), np.float32(horizon))[0]) if memory < 1.0 else 0.0
    return (1.0 - left) / (memory * horizon)


def credible(sums: F64, counts: F64, trust: float, parent: F64) -> F64:
    """(trust x parent + sums) / (trust + counts): the parent's value where there is little to go by."""
    result: F64 = (trust * parent + sums) / (trust + counts)
    return result


class Steepness:
    """The market's semi-elasticity as merchants know it, 1/USD, by country and category.

    `level` float64[2, C, K]: money utility x (1 - P(buy)), and that of searchers, who compare; means over orders.
    What is followed is the change against each country's own mean at the end of the warm-up, so that a country with few
    orders does not change its mind when it has fewer still. Without a warm-up that mean is taken as soon as the orders
    of `memory_weeks` have been seen; until then merchants believe what they expected.
    """

    def __init__(self, cfg: PricesSource) -> None:
        rule, purchase = cfg.supply.prices, cfg.consumer.purchase
        self._keep = 1.0 - 1.0 / rule.memory_weeks
        self._trust = rule.trust_orders
        self._ripe = rule.memory_weeks + rule.lag_weeks
        first = purchase.price_scale * -cfg.economics.by_category("elasticity")
        first = first / cfg.economics.by_category("reference_price")
        searched = 1.0 - cfg.economics.live_share_of_sales
        self._expected: F64 = np.stack([first, searched * first])
        self._anchor: F64 = self._expected[:, None, :] * np.ones((1, N_COUNTRIES, 1))
        self.level: F64 = self._anchor.copy()
        self._base: F64 = np.zeros_like(self.level)  # 0: not taken yet
        self._weeks = np.zeros(1, np.int64)
        self._fresh: I64 = np.zeros((3, N_COUNTRIES, N_CATEGORIES), np.int64)
        self._smooth: F64 = np.zeros((3, N_COUNTRIES, N_CATEGORIES))
        self._past: F64 = np.zeros((int(rule.lag_weeks) + 1, 3, N_COUNTRIES, N_CATEGORIES))

    def count(self, orders: Orders, rows: I64) -> None:
        """Adds new orders."""
        count_steepness(orders.data, rows, *self._fresh)

    def learn(self, following: bool) -> None:
        """A week has passed: what is known is what had been smoothed `lag_weeks` ago.

        `following`: merchants respond already, so only changes count; before that the level itself is learnt.
        """
        self._weeks += 1
        self._smooth = self._keep * self._smooth + self._fresh
        self._fresh[:] = 0
        self._past = np.concatenate([self._past[1:], self._smooth[None]])
        if not following:
            self._anchor = self.level = self._estimate(*self._known(), self._expected)
        elif self._base.any():
            sums, counts = self._known()
            self.level = self._anchor * self._estimate(sums / self._base, counts, np.ones_like(self._expected))
        else:
            self.fix()

    def fix(self) -> None:
        """From now on changes are followed, against today's mean of each country's own orders, if there are enough."""
        if self._weeks[0] < self._ripe:
            return
        sums, counts = self._known()
        own = sums / np.maximum(counts, 1.0)
        self._base = np.where(own > 0, own, self._estimate(sums, counts, self._expected))

    def _known(self) -> tuple[F64, F64]:
        return self._past[0, :2] / float(MICRO), self._past[0, 2]

    def _estimate(self, sums: F64, counts: F64, expected: F64) -> F64:
        """Means of `sums` (2, C, K) over `counts` orders: country towards region, category, and `expected` (2, K)."""
        category = credible(sums.sum(axis=1), counts.sum(axis=0), self._trust, expected)  # (2, K)
        region = credible(REGION.T @ sums, REGION.T @ counts, self._trust, category[:, None, :])
        return credible(sums, counts, self._trust, REGION @ region)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow depends on."""
        return {
            "anchor": self._anchor, "level": self.level, "base": self._base, "weeks": self._weeks,
            "fresh": self._fresh, "smooth": self._smooth, "past": self._past,
        }  # fmt: skip


class Prices:
    """Prices of all merchants. Writes price_cents and freight_cents once views are known.

    `scale` gives W and F. Views are backed out on the first day after the build on or after `start_day`, from the
    prices, costs and rules of the day before. n lines, m merchants, C countries, K categories, T tiers.
    """

    def __init__(self, cfg: PricesSource, scale: Scale, draws: Draws, catalogue: Catalogue, start_day: int = 0) -> None:
        rule, purchase = cfg.supply.prices, cfg.consumer.purchase
        self.on = cfg.supply.decide.prices
        decide = cfg.supply.decide
        self.active = self.on or decide.quality or decide.offers or decide.declared_value
        self.catalogue = catalogue
        self.start_day = start_day
        self.steepness = Steepness(cfg)
        self._rule = rule
        seen = reference_share(purchase.reference_memory, rule.horizon_days)
        self._loss, self._gain = seen * purchase.loss_aversion, seen * purchase.gain
        shape = (catalogue.n_lines, N_COUNTRIES)
        self.view: F32 = np.zeros((*shape, N_TIERS), np.float32)
        self.home: F32 = np.zeros_like(self.view)
        self.hurdle: F32 = np.zeros_like(self.view)
        self.steep: F32 = np.ones(shape, np.float32)
        self.remembered: F32 = np.zeros(shape, np.float32)
        self.rate: F32 = np.zeros(shape, np.float32)
        luck = draws.uniform(Purpose.THRESHOLD, np.arange(shape[0])[:, None], other=np.arange(N_COUNTRIES))
        self._reserve = -np.float32(rule.threshold_spread) * log_each(luck.reshape(-1)).reshape(shape)
        self.changes: I64 = np.zeros(catalogue.n_merchants, np.int64)
        menu = [scale.firm_amount(rule.menu_cost_usd[name], name) for name in SELLER_CLASSES]
        self._menu = np.array(menu)
        self._tier_share = np.ascontiguousarray(cfg.economics.ladder("ladder_choice"), np.float64)
        self._known = False
        self._orders_read = 0
        decide = cfg.supply.decide
        self.quality = Quality(cfg.supply.quality, catalogue, self._tier_share) if decide.quality else None
        self.offers = Offers(cfg, catalogue, self._tier_share) if decide.offers else None
        self.declarations = Declarations(cfg, draws, catalogue, self._tier_share) if decide.declared_value else None

    @property
    def known(self) -> bool:
        """Whether views are known, so that merchants respond."""
        return self._known

    # -- what is learnt ---------------------------------------------------------------------------------------------
    def learn(self, orders: Orders, remembered: F32, forecast: Callable[[Rules], F32], rules: Rules, day: int) -> None:
        """The evening: counts the day's orders, and once a week believes what was counted some weeks ago.

        `remembered` float32[n, C]: lowest tier's landed price in buyers' minds, USD; `forecast` gives float32[n, C],
        units a day that each line is expected to sell under the rules.
        """
        if not self.active:
            return
        seqs = np.arange(self._orders_read, orders.appended, dtype=np.int64)
        self._orders_read = orders.appended
        rows = orders.find(seqs)
        self.steepness.count(orders, rows[rows >= 0])
        self.remembered[:] = remembered
        if day % WEEK == 0:
            self.steepness.learn(self._known)
        elif self.rate.any():
            return
        self.rate[:] = forecast(rules)
        self._believe()

    def _believe(self) -> None:
        """Each line's own semi-elasticity: a searcher leaves for a rival, the rarer the more of them one is."""
        catalogue = self.catalogue
        kind = catalogue.category.astype(np.int64)
        sold = self.rate.astype(np.float64)
        key = catalogue.merchant.astype(np.int64) * N_CATEGORIES + kind
        own = sum_rows(key, sold, catalogue.n_merchants * N_CATEGORIES)
        total = sum_rows(kind, sold, N_CATEGORIES)
        share = own[key] / np.maximum(total[kind], 1e-12)
        faced, rivalry = self.steepness.level[:, :, kind]
        self.steep[:] = faced.T + rivalry.T * (1.0 - share)

    def _slopes(self) -> tuple[F32, F32]:
        """Slope of U above and below the remembered price, float32[C, K]: shows sell below it, searches at it."""
        faced, rivalry = self.steepness.level.sum(axis=1)  # (K,) each: whole categories, so that samples matter little
        searched = np.minimum(rivalry / faced, 1.0) * np.ones((N_COUNTRIES, 1))
        below = np.full(searched.shape, 1.0 + self._gain)
        above = below + searched * (self._loss - self._gain)
        return above.astype(np.float32), below.astype(np.float32)

    # -- what is asked ----------------------------------------------------------------------------------------------
    def _beliefs(self) -> Beliefs:
        above, below = self._slopes()
        return Beliefs(
            self.view, self.home, self.hurdle, self.steep, self.remembered, above, below, self.rate, self._tier_share,
            self._menu, float(self._rule.horizon_days),
        )  # fmt: skip

    def _listing(self) -> Listing:
        columns = {name: getattr(self.catalogue, name) for name in Listing._fields if name != "given"}
        none = np.zeros(self.catalogue.n_merchants)
        return Listing(given=none if self.offers is None else self.offers.given(), **columns)

    def back_out(self, costs: CostTable, border: NDArray[Any], rules: Rules) -> None:
        """Takes the prices made with these costs at this border for the best of whoever has no view yet."""
        if not self._known:
            self.steepness.fix()
            self._believe()
            self._known = True
        back_out(self._beliefs(), self._listing(), costs, border, self._rule.least_margin, self._reserve)
        if self.quality is not None:
            self.quality.fix(self._listing(), costs, self.rate)
        if self.offers is not None:
            self.offers.fix(self._listing(), costs, rules, self.rate)

    def declare(self, costs: CostTable, border: NDArray[Any], rules: Rules, who: NDArray[np.bool_]) -> None:
        """Merchants `who` bool[m] decide what they declare and whether they divide parcels."""
        if self.declarations is not None:
            self.declarations.review(self._listing(), costs, border, rules, who)

    def review(self, costs: CostTable, border: NDArray[Any], rules: Rules, day: int) -> None:
        """Once in four weeks, on their weekday, merchants look at what is slower than prices."""
        if day // WEEK % REVIEW_WEEKS != 0:
            return
        who = self.catalogue.weekday == day % WEEK
        self.declare(costs, border, rules, who)
        if self.quality is not None and self._known:
            self.quality.review(self._listing(), costs, who)
        if self.offers is not None and self._known:
            self.offers.review(self._listing(), costs, rules, who)

    def forget(self, offers: NDArray[np.bool_]) -> None:
        """`offers` bool[n, C] are no longer made, or others stand in their place: views on them are lost."""
        self.view[offers] = 0

    def meet(self, who: NDArray[np.integer]) -> None:
        """Other merchants stand in the rows `who` (k,): nothing of what their forerunners chose is theirs."""
        lines = np.isin(self.catalogue.merchant, who)
        if self.quality is not None:
            self.quality.meet(lines)
        if self.offers is not None:
            self.offers.meet(who)
        if self.declarations is not None:
            self.declarations.meet(who)

    def respond(self, costs: CostTable, border: NDArray[Any], weekday: int, priced_direct: NDArray[np.uint8]) -> int:
        """Merchants whose weekday it is ask their best prices; returns how many prices and freights changed."""
        return int(respond(self._beliefs(), self._listing(), costs, border, weekday, priced_direct, self.changes))

    def pay(self, ledger: Ledger) -> None:
        """Posts the staff time of new listings, a real firm's cost x F / W each, merchant to rest of the world."""
        who = np.flatnonzero(self.changes)
        if who.size == 0:
            return
        usd = self.changes[who] * self._menu[self.catalogue.seller_class[who]]
        payer = ledger.account(Account.MERCHANT, who)
        cents = np.rint(usd * 100.0).astype(np.int64)
        ledger.post(MoneyPurpose.WAGE, payer, ledger.account(Account.REST_OF_WORLD), cents)
        self.changes[:] = 0

    def recost(self, lines: I64, ratio: F64) -> None:
        """Goods of `lines` (k,) are made in another way, at `ratio` (k,) times the cost a unit, whatever their quality.

        To the cent: a way that is given up again may leave a unit a cent dearer or cheaper than it was.
        """
        cost = self.catalogue.unit_cost_cents
        cost[lines] = dearer(cost[lines], ratio)
        if self.quality is not None:
            self.quality.recost(lines, ratio)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's prices depend on besides the catalogue, by name."""
        own = {name: getattr(self, name) for name in ("view", "home", "hurdle", "steep", "remembered", "rate")}
        slow = {"quality": self.quality, "offers": self.offers}
        slower = {
            f"{name} {key}": value
            for name, part in slow.items()
            if part is not None
            for key, value in part.arrays().items()
        }
        return {**own, "changes": self.changes, **self.steepness.arrays(), **slower}
