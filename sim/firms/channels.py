"""Channels: through which platforms, shelf and own site merchants sell, and to which countries.

Once in some weeks a merchant looks at every channel and country. A channel h brings sales of which a part is new and
the rest would have come through the merchant's other channels; with what a sale leaves before charges m, the charge of
the channel c_h (effective commission and advertising, shares of sales) and the new part of its sales l, belonging to h
is worth, per dollar sold there,

    taste + l (m - m0) - (c_h - c_h0) + (1 - l) (mean of c - c0 over the other channels, by sales)

A country is worth taste + (margin there - margin at the start), margins after duty, freight, storage, and the interest
and markdown on stock. What is unobserved in a present choice is its `taste`, keyed by the merchant: above zero where it
belongs, so that at the charges of the warm-up's end (0) nobody moves. Below zero it leaves; where it does not belong it
joins when the worth exceeds the cost of joining a dollar of sales there,

    cost of joining / payback x (sellers' size there now / at the start) / share of an established seller's sales

so that the more have joined, and the less those sell (`sim.firms.trials`), the fewer follow. Tastes are spread alike on
both sides of the band in which nobody moves: as many are a little below it as a little above. A merchant joins one
channel and one country at a review, enters no second country while it is new in one, and joins nothing that it cannot
pay beside the stock it wants. So a rise of one commission moves some off that platform and some to sites of their own,
and a cap brings them back, with the lag that joining costs and trials make.

Sources: multi-homing with diversion, Armstrong (2006); entry and exit bands from sunk costs, Dixit (1989); numbers of
sellers by market, Chaney (2008); one market after the other, Albornoz et al. (2012); sellers leave when the commission
exceeds their own cost of traffic, claim s8-5-commission-cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import effective_commission, traffic_rates
from sim.agents.merchant import cost_table, market_margins
from sim.config.sources import MarketSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK, WEEKS_A_YEAR, Books
from sim.firms.premises import Premises
from sim.firms.trials import Trials
from sim.kernels.supply import log_each
from sim.kinds import BRAND_SITE, N_CHANNELS, N_COUNTRIES, N_PLATFORMS, SHELF
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import Catalogue, country_demand, sales_mix
from sim.state.ledger import Account, Ledger

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]
type Flags = NDArray[np.bool_]

PLACES = np.arange(N_CHANNELS + N_COUNTRIES)
CHANNEL, COUNTRY = slice(0, N_CHANNELS), slice(N_CHANNELS, None)


def worth_of_channel(taste: Any, incremental: float, gain: Any, rise: Any, others: Any) -> Any:
    """Worth of belonging to a channel, share of its sales; see the module's text. Arrays or scalars.

    `gain`: change of what a sale leaves before charges; `rise`: change of the channel's charge; `others`: mean change
    of the charges of the merchant's other channels.
    """
    return taste + incremental * gain - rise + (1.0 - incremental) * others


def moves(inside: Any, worth: Any, joining: Any) -> Any:
    """Where a merchant belongs next: stays while the worth is not negative, enters above the joining cost."""
    return np.where(inside, worth >= 0.0, worth > joining)


class Channels:
    """m merchants, H channels, C countries. Columns written: on_platform, own_site, lister, targets."""

    def __init__(self, cfg: MarketSource, draws: Draws, catalogue: Catalogue, books: Books, premises: Premises) -> None:
        self.cfg, self.draws, self.catalogue, self.books, self.premises = cfg, draws, catalogue, books, premises
        self.rule = cfg.supply.channels
        self._demand = country_demand(cfg.economics, cfg.geography)
        mix = self._demand @ sales_mix(cfg)
        self._mix: F64 = mix / mix.sum()
        count = catalogue.n_merchants
        self.taste: F64 = np.zeros((count, N_CHANNELS + N_COUNTRIES))
        self._charge: F64 = np.zeros((N_CHANNELS, 2))
        self._whole: F64 = np.zeros(count)  # margin over all countries at the start
        self._left: F64 = np.zeros((count, N_COUNTRIES))  # margin by country at the start, nan where it did not sell
        self._of: NDArray[np.uint32] = catalogue.identity.copy()  # whose tastes are kept
        self._scale: F64 = np.zeros((2, N_CHANNELS + N_COUNTRIES))  # mean distance of outsiders' tastes, by class
        self._size: F64 = np.zeros(N_CHANNELS + N_COUNTRIES)  # of the sellers there at the start
        self.trials = Trials(self.rule, count)
        self._known = False
        self.moved: I64 = np.zeros((2, 2), np.int64)  # joined, left (rows); channels, countries

    # -- what there is ----------------------------------------------------------------------------------------------
    def belongs(self) -> Flags:
        """bool[m, H + C]: channels and countries of every merchant."""
        catalogue = self.catalogue
        flags: Flags = (
            np.concatenate(
                (catalogue.on_platform, catalogue.lister[:, None], catalogue.own_site[:, None], catalogue.targets),
                axis=1,
            )
            == 1
        )
        return flags

    def _charges(self, rules: Rules) -> F64:
        """float64[H, 2]: commission in force and advertising, share of sales, by channel and seller class."""
        asked = effective_commission(self.catalogue.commission_asked, rules).astype(np.float64)
        charges: F64 = asked + traffic_rates(
            self.cfg.economics, rules, self.cfg.supply.platforms.traffic_response
        )  # fmt: skip
        return charges

    def _margins(self, rules: Rules, day: int) -> tuple[F64, F64]:
        """Share of sales left before fixed costs: float64[m, C] by country, nan where nothing is sold; float64[m]."""
        costs = cost_table(self.cfg, self.catalogue, rules, self.premises.origin_factor(day))
        left, taken = market_margins(self.catalogue, costs, self._demand)
        with np.errstate(invalid="ignore", divide="ignore"):
            return left / taken, left.sum(axis=1) / taken.sum(axis=1)

    def _draw_tastes(self, who: I64, rules: Rules) -> None:
        """Tastes of merchants `who`, keyed by identity: above zero where they belong, else below the joining cost."""
        luck = self.draws.uniform(Purpose.CHANNEL_TASTE, self.catalogue.identity[who][:, None], other=PLACES)
        slack = -log_each(luck.reshape(-1)).reshape(luck.shape).astype(np.float64)
        inside, seller = self.belongs()[who], self.catalogue.seller_class[who]
        below = self._joining(rules)[seller] - self.rule.least_change - slack * self._scale[seller]
        self.taste[who] = np.where(inside, self.rule.least_change + slack * self._spread(), below)
        self._of[who] = self.catalogue.identity[who]

    def _spread(self) -> F64:
        """float64[H + C]: mean distance of members' tastes from leaving."""
        return np.where(PLACES < N_CHANNELS, self.rule.spread, self.rule.country_spread)

    def _sellers_size(self) -> F64:
        """float64[H + C]: size of those who sell there, entrants by what is expected of them."""
        there = self.belongs().astype(np.float64)
        there[:, N_CHANNELS:] *= self.trials.reach
        size: F64 = self.catalogue.merchant_size @ there
        return size

    def _cost(self, rules: Rules) -> F64:
        """float64[2, H + C]: one-off cost of joining, share of a year's sales of a seller of the class's size there.

        A part of what it takes to open a shop is tools, another is a site's own price.
        """
        tools = np.asarray(rules.technology.price, np.float64)[:, None]
        cost = np.full((2, N_CHANNELS + N_COUNTRIES), self.rule.country_cost)
        cost[:, CHANNEL] = self.rule.joining_cost * (1.0 + self.rule.joining_tools * (tools - 1.0))
        cost[:, BRAND_SITE] *= np.asarray(rules.site.price, np.float64)
        return cost

    def _joining(self, rules: Rules) -> F64:
        """float64[2, H + C]: cost of joining a channel or a country a year, share of the sales expected of it."""
        cost = self._cost(rules) / self.rule.payback_years
        cost[:, COUNTRY] /= self.trials.share()
        return cost * self._sellers_size() / np.maximum(self._size, 1e-12)

    # -- what is decided --------------------------------------------------------------------------------------------
    def choose(self, rules: Rules, day: int, ledger: Ledger, spare: F64 | None = None) -> None:
        """Once a week those whose turn has come review channels and countries.

        `spare` float64[m] cents: what merchants can spend; without it everybody can pay.
        """
        if day % WEEK:
            return
        if not self._known:
            if self.books.weeks >= self.cfg.supply.solvency.start_weeks:
                self._start(rules, day)
            return
        self._sell_off(ledger)
        catalogue = self.catalogue
        changed = self._watch(day)
        by_country, whole = self._margins(rules, day)
        new = np.flatnonzero((self._of != catalogue.identity) & (catalogue.trading == 1))
        if new.size:
            self._meet(new, rules, by_country, whole)
        turn = catalogue.identity % self.rule.review_weeks == (day // WEEK) % self.rule.review_weeks
        who = np.flatnonzero(turn & (catalogue.trading == 1))
        inside = self.belongs()[who]
        worth = self._worth(who, rules, by_country, whole)
        joining = self._joining(rules)[catalogue.seller_class[who]]
        outlay = self._outlays(who, inside, rules)
        wanted = moves(inside, worth, joining)
        if spare is not None:
            wanted &= inside | (outlay <= spare[who, None])
        after = self._one_at_a_time(who, inside, wanted, worth - joining)
        after = self._keep_one(inside, after, self.taste[who])
        joined, left = after & ~inside, inside & ~after
        if joined.any() or left.any():
            self._pay(who, np.where(joined, outlay, 0.0), ledger)
            self._write(who, after)
            self.trials.begin(who, joined[:, N_CHANNELS:], self._wanted(), day)
            for row, moved in enumerate((joined, left)):
                self.moved[row] += moved[:, :N_CHANNELS].sum(), moved[:, N_CHANNELS:].sum()
            changed = True
        if changed:
            self.premises.expect(self.trials.reach)
            self.premises.follow_targets(np.zeros(0, np.int64))

    def _watch(self, day: int) -> bool:
        """What those who are new in a country have sold; whether any of them is so no longer."""
        if not self.trials.busy().any():
            return False
        usual = self._of_merchants(self.premises.usual_units()) / self.trials.reach
        return self.trials.watch(self._wanted(), usual, self.catalogue.targets == 1, day)

    def _wanted(self) -> I64:
        """int64[m, C]: units asked for since the first day."""
        return self._of_merchants(self.catalogue.wanted_units)

    def _of_merchants(self, lines: NDArray[Any]) -> NDArray[Any]:
        """Sums over a merchant's lines, which lie together: (n, C) to (m, C)."""
        sums: NDArray[Any] = lines.reshape(self.catalogue.n_merchants, -1, N_COUNTRIES).sum(axis=1)
        return sums

    def _one_at_a_time(self, who: I64, inside: Flags, wanted: Flags, gain: F64) -> Flags:
        """Of the places that merchants `who` would join, the best channel, and the best country unless one is new."""
        after = wanted & inside
        for part, free in ((CHANNEL, np.ones(who.size, np.bool_)), (COUNTRY, ~self.trials.busy()[who])):
            join = wanted[:, part] & ~inside[:, part]
            rows = np.flatnonzero(join.any(axis=1) & free)
            best = np.where(join, gain[:, part], -np.inf)[rows].argmax(axis=1)
            after[rows, best + part.start] = True
        return after

    def _start(self, rules: Rules, day: int) -> None:
        """Takes what merchants do now for their best choice."""
        self._charge = self._charges(rules)
        self._left, self._whole = self._margins(rules, day)
        self._size = self._sellers_size()
        inside, seller = self.belongs(), self.catalogue.seller_class
        members = np.stack([inside[seller == kind].sum(axis=0) for kind in range(2)])
        others = np.bincount(seller, minlength=2)[:, None] - members
        self._scale = self._spread() * np.maximum(others, 1) / np.maximum(members, 1)  # as dense outside as inside
        self._draw_tastes(np.arange(self.catalogue.n_merchants), rules)
        self._known = True

    def _meet(self, who: I64, rules: Rules, by_country: F64, whole: F64) -> None:
        """Newcomers take today's terms for given: they have chosen under them."""
        self.trials.forget(who)
        self._left[who], self._whole[who] = by_country[who], whole[who]
        self._draw_tastes(who, rules)
        # what has changed since the start enters their tastes, so that they, too, rest at today's terms
        change = self._worth(who, rules, by_country, whole) - self.taste[who]
        self.taste[who] -= np.where(np.isfinite(change), change, 0.0)

    def _worth(self, who: I64, rules: Rules, by_country: F64, whole: F64) -> F64:
        """float64[k, H + C]: worth of belonging; see the module's text."""
        seller = self.catalogue.seller_class[who]
        rise = (self._charges(rules) - self._charge).T[seller]  # (k, H)
        gain = np.nan_to_num(whole[who] - self._whole[who])
        # margins are after charges: what a sale leaves before them has changed by the mean charge more
        inside = self.belongs()[who]
        weight = self._mix * inside[:, :N_CHANNELS]
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
        before = gain + (rise * self._mix).sum(axis=1)
        others = ((weight * rise).sum(axis=1, keepdims=True) - weight * rise) / np.maximum(total - weight, 1e-12)
        channel = worth_of_channel(
            self.taste[who, :N_CHANNELS], self.rule.incremental, before[:, None], rise, others
        )  # fmt: skip
        here = by_country[who] - self._left[who]
        usual = self._usual_change(by_country)[seller]
        country = self.taste[who, N_CHANNELS:] + np.where(np.isnan(here), usual, here)
        return np.concatenate((channel, country), axis=1)

    def _usual_change(self, by_country: F64) -> F64:
        """float64[2, C]: mean change of margins in a country, of the seller class that sells there."""
        change = by_country - self._left
        known = np.isfinite(change)
        result = np.zeros((2, N_COUNTRIES))
        for kind in range(2):
            mine = known & (self.catalogue.seller_class == kind)[:, None]
            result[kind] = np.where(mine, change, 0.0).sum(axis=0) / np.maximum(mine.sum(axis=0), 1)
        return result

    @staticmethod
    def _keep_one(inside: Flags, after: Flags, taste: F64) -> Flags:
        """Nobody gives up the last channel or the last country: that is insolvency's matter."""
        for part in (CHANNEL, COUNTRY):
            none = ~after[:, part].any(axis=1)
            best = np.where(inside[:, part], taste[:, part], -np.inf).argmax(axis=1)
            rows = np.flatnonzero(none)
            after[rows, best[rows] + part.start] = True
        return after

    def _write(self, who: I64, after: Flags) -> None:
        catalogue = self.catalogue
        catalogue.on_platform[who] = after[:, :N_PLATFORMS]
        catalogue.lister[who] = after[:, SHELF]
        catalogue.own_site[who] = after[:, BRAND_SITE]
        catalogue.targets[who] = after[:, N_CHANNELS:]

    def _outlays(self, who: I64, inside: Flags, rules: Rules) -> F64:
        """float64[k, H + C] cents: one-off cost of joining, a share of a year's sales of a seller of that size there.

        `inside` bool[k, H + C]: where the merchants sell now, from which what they would sell elsewhere follows.
        """
        sales = np.maximum(self.books.expected(Account.MERCHANT)[who, int(MoneyPurpose.SALE)], 0.0) * WEEKS_A_YEAR
        outlay = self._cost(rules)[self.catalogue.seller_class[who]]
        for part, weight in ((CHANNEL, self._mix), (COUNTRY, self._demand)):
            here = np.maximum(inside[:, part] @ weight, 1e-12)
            outlay[:, part] *= (sales / here)[:, None] * weight
        return outlay

    def _pay(self, who: I64, outlay: F64, ledger: Ledger) -> None:
        """Posts what joining costs, float64[k, H + C] cents."""
        account, world = ledger.account(Account.MERCHANT, who), ledger.account(Account.REST_OF_WORLD)
        for purpose, part in ((MoneyPurpose.TECHNOLOGY, CHANNEL), (MoneyPurpose.COMPLIANCE, COUNTRY)):
            ledger.post(purpose, account, world, np.rint(outlay[:, part].sum(axis=1)).astype(np.int64))

    def _sell_off(self, ledger: Ledger) -> None:
        worth = np.rint(self.premises.clear_abroad() * self.cfg.supply.solvency.salvage).astype(np.int64)
        account = ledger.account(Account.MERCHANT, np.arange(worth.size))
        ledger.post(MoneyPurpose.PRODUCTION, ledger.account(Account.REST_OF_WORLD), account, worth)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the next review depends on, by name."""
        own = {name: getattr(self, name) for name in ("taste", "_charge", "_left", "_whole", "_of", "_scale", "_size")}
        return own | {f"trials {name}": array for name, array in self.trials.arrays().items()}
