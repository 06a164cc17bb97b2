"""What is on air and what it costs: the day's shows, the recommendation pools of a daypart, and the offers.

`Supply.schedule` lets streamers decide whether, when and with what to go on air; `expose` ranks rooms into pools from
which viewers' candidates are drawn; `price` turns costs, duties and promises into what buyers see. Decisions are those
of docs/supply.md; nothing here looks at what buyers then do.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import split_commission, traffic_push
from sim.agents.merchant import cost_table, price_basis
from sim.config.economics import Economics
from sim.config.sources import TradeSource
from sim.config.supply import Supply as SupplyGroup
from sim.draws import Draws, Purpose
from sim.firms.prices import Prices
from sim.kernels.money import border_of, landed_offers, promise_each, sum_up_offers
from sim.kernels.supply import (
    RACE_ROWS,
    Board,
    CostTable,
    Day,
    ExposureRule,
    Hosts,
    LinePool,
    Ranked,
    ShowRule,
    Terms,
    cumulate_cells,
    exp_each,
    fill_pools,
    log_each,
    power_each,
    rank_day,
    reprice,
    schedule_day,
)
from sim.kinds import (
    DAYPARTS,
    N_CATEGORIES,
    N_COUNTRIES,
    N_PLATFORMS,
    NO_SHOW,
    REGION_OF_COUNTRY,
    STREAMER_TIERS,
)
from sim.rules import Rules
from sim.state.catalogue import POOL_SLOTS, SHOW_LIMIT, Air, Catalogue, country_demand, empty_pools, open_cells
from sim.state.table import Table

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]
type U8 = NDArray[np.uint8]
type U16 = NDArray[np.uint16]

LOCAL, DIRECT = 0, 1  # rows of the lanes' promises
EVERYBODY = -1  # weekday on which all merchants revise
WEEK_DAYS = 7.0
RAMADAN_REFERENCE = 35  # the same weekday five weeks before is never a fasting day when today is one
LEAST_HEARD = 1e-4
BITS = (1 << np.arange(N_COUNTRIES)).astype(np.uint32)
UNPRICED = 255


class Hours(Protocol):
    """What the supply side asks of the calendar."""

    def availability(self, day: int) -> F32:
        """float32[C, 6]: free attention, 1 = average of an ordinary week."""

    def prayer_share(self, day: int) -> F32:
        """float32[C, 6]: share of the daypart's person-time in a prayer window."""

    def campaign(self, day: int) -> F32:
        """float32[C]: 0-1, how far platforms run a sale."""

    def is_ramadan(self, day: int) -> bool:
        """Whether the day is a fasting day."""


def show_rule(group: SupplyGroup, economics: Economics) -> ShowRule:
    """The record of show parameters that kernels take."""
    shows = group.shows

    def by_tier(table: dict[str, float], factor: float = 1.0) -> F32:
        return np.array([table[name] * factor for name in STREAMER_TIERS], np.float32)

    scalars = {
        name: np.float32(getattr(shows, name))
        for name in ShowRule._fields
        if name not in ("chance", "long_share", "bargaining", "candidates", "live_discount")
    }
    return ShowRule(
        chance=by_tier(shows.shows_a_week, 1.0 / WEEK_DAYS),
        long_share=by_tier(shows.long_share),
        bargaining=by_tier(shows.bargaining),
        candidates=int(shows.candidates),
        live_discount=np.float32(economics.live_discount),
        **scalars,
    )


def hosts_of(streamers: Table) -> Hosts:
    """The columns of the streamer table that the schedule reads and writes."""
    return Hosts(**{name: streamers[name] for name in Hosts._fields})


def line_pool(catalogue: Catalogue, is_open: NDArray[np.bool_]) -> LinePool:
    """Lines by (country, platform, category), weighted by the merchant's size and the line's share of it."""
    order = np.argsort(catalogue.category, kind="stable")  # by category, as they lie in each cell
    kind, merchant = catalogue.category[order], catalogue.merchant[order]
    weights = (catalogue.merchant_size[merchant] * catalogue.line_share[order]).astype(np.float32).astype(np.float64)
    targets = np.ascontiguousarray((catalogue.targets[merchant] == 1).T)
    joined = np.ascontiguousarray((catalogue.on_platform[merchant] == 1).T)
    sizes = np.zeros((N_COUNTRIES, N_PLATFORMS, N_CATEGORIES), np.int64)
    lines: list[U16] = []
    weight: list[F64] = []
    for country in range(N_COUNTRIES):
        for platform in np.flatnonzero(is_open[country]):
            members = np.flatnonzero(targets[country] & joined[platform])
            sizes[country, platform] = np.bincount(kind[members], minlength=N_CATEGORIES)
            lines.append(order[members].astype(np.uint16))
            weight.append(weights[members])
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    cumulated = np.concatenate(weight)
    cumulate_cells(start, cumulated)
    return LinePool(start, np.concatenate(lines), cumulated.astype(np.float32))


class Supply:
    """Schedules, exposes and prices. Holds no money and no stock; writes the columns of the catalogue marked supply.

    `streamers` is the table of `sim.agents.streamer`; `calendar` gives people's free hours.
    """

    def __init__(
        self,
        cfg: TradeSource,
        draws: Draws,
        catalogue: Catalogue,
        streamers: Table,
        calendar: Hours,
        prices: Prices | None = None,
    ) -> None:
        self.cfg = cfg
        self.draws = draws
        self.catalogue = catalogue
        self.streamers = streamers
        self.calendar = calendar
        self.prices = prices if prices is not None and prices.active else None
        exposure = cfg.supply.exposure
        self._slot_fees = cfg.economics.slot_fee_shares().astype(np.float32)
        self.show_rule = show_rule(cfg.supply, cfg.economics)
        self.exposure_rule = ExposureRule(**{f: np.float32(getattr(exposure, f)) for f in ExposureRule._fields})
        self._built_open = open_cells(cfg.geography, cfg.availability)
        self._pool = line_pool(catalogue, self._built_open)
        self._hosts = hosts_of(streamers)
        tastes = cfg.firms.platform_tastes() * cfg.economics.by_category("live_interest")
        self._taste = np.cumsum(tastes / tastes.sum(axis=1, keepdims=True), axis=1).astype(np.float32)
        self._speakers = cfg.geography.language_shares()
        self._closeness = cfg.geography.closeness()
        self._region = np.array(REGION_OF_COUNTRY, np.uint8)
        rows, slots = np.arange(RACE_ROWS)[:, None], np.arange(POOL_SLOTS)
        luck = draws.uniform(Purpose.EXPOSURE, rows, other=slots)
        self._race = -log_each(luck.reshape(-1)).reshape(luck.shape)
        self._away = exp_each(np.array([exposure.away], np.float32))[0]
        self._price_usd = np.zeros(catalogue.n_lines, np.float32)
        self._sold_in = np.zeros(catalogue.n_lines, np.uint32)
        self._rules: Rules | None = None
        self._asked: F32 = np.zeros(0, np.float32)
        self._pools = empty_pools()
        self._priced_rules: Rules | None = None
        self._border_rules: Rules | None = None
        self._told = np.zeros_like(catalogue.understated_permille)
        self._border: NDArray[Any]
        self._priced_direct = np.full_like(catalogue.direct, UNPRICED)
        self._first_day = -1
        self._basis: tuple[F32, F32] | None = None
        self._last: tuple[CostTable, NDArray[Any], Rules] | None = None  # what the last prices were made with
        self._costs: CostTable | None = None
        self._cost_rules: Rules | None = None
        self._cost_asked: F32 = np.zeros(0, np.float32)
        self._cost_mix: F64 = np.zeros(0)
        self._promise: F32 = np.zeros(0, np.float32)
        self.new_prices = 0  # changed by the last `price`

    # -- what today's rules mean ------------------------------------------------------------------------------------
    def _follow(self, rules: Rules) -> None:
        """Derives what depends on the rules and on what channels ask; nothing while both are the same."""
        asked = self.catalogue.commission_asked
        if rules is self._rules and np.array_equal(asked, self._asked):
            return
        self._rules = rules
        self._asked = asked.copy()
        self._own, self._host = split_commission(asked, rules, self.cfg.economics)
        is_open = self._built_open & (rules.platform.open == 1) & (rules.stream.up == 1)[None, :]
        self._open: U8 = is_open.astype(np.uint8)
        neighbours = self._region[:, None] == self._region[None, :]
        self._region_open = ((neighbours[:, :, None] & is_open[None, :, :]) * BITS[None, :, None]).sum(
            axis=1, dtype=np.uint32
        )
        understood = self._closeness + (1.0 - self._closeness) * np.asarray(rules.language.translation, np.float64)
        # share of a country that follows a show in a language, speakers of other languages by closeness or translation
        heard = np.minimum(1.0, (self._speakers[:, None, :] * understood[None, :, :]).max(axis=2))
        flat = np.maximum(heard, LEAST_HEARD).astype(np.float32).reshape(-1)
        rule = self.exposure_rule
        self._heard = power_each(flat, rule.comprehension).reshape(heard.shape)
        self._understood = exp_each(np.float32(rule.appeal_comprehension) * flat).reshape(heard.shape)
        self._coverage = np.array(rules.disclosure.coverage, np.float32)
        self._penalty = np.array(rules.claims.expected_penalty, np.float32)
        self._ranking = tuple(
            np.array(leaf, np.float32)
            for leaf in (rules.recommendation.precision, rules.exposure.margin_weight, rules.exposure.bot_detection)
        )
        self._push = traffic_push(rules, self.cfg.supply.platforms.traffic_response)

    def _today(self, day: int) -> Day:
        free = np.array(self.calendar.availability(day), np.float32)
        shunned = np.array(self.calendar.prayer_share(day), np.float32)
        if self.calendar.is_ramadan(day):
            usual = np.maximum(self.calendar.availability(day - RAMADAN_REFERENCE), np.float32(0.01))
            shunned += np.maximum(np.float32(0), np.float32(1) - free / usual).astype(np.float32)
        total = free.sum(axis=1)
        expected = np.maximum(free / np.maximum(total, np.float32(1e-6))[:, None], np.float32(1e-4))
        return Day(
            log_audience=log_each(expected.reshape(-1)).reshape(expected.shape),
            shunned=np.minimum(shunned, np.float32(1)),
            activity=(total / np.float32(DAYPARTS)).astype(np.float32),
            open=self._open,
            coverage=self._coverage,
            penalty=self._penalty,
            campaign=np.array(self.calendar.campaign(day), np.float32),
            taste=self._taste,
            sold=self.catalogue.landed_cents,
        )

    # -- shows ------------------------------------------------------------------------------------------------------
    def schedule(self, rules: Rules, day: int) -> Air:
        """The shows of a day. Offers must have been priced before."""
        self._follow(rules)
        streamers, catalogue = self.streamers, self.catalogue
        count = len(streamers)
        today = self._today(day)
        offer = catalogue.host_offer_permille.astype(np.float32) / np.float32(1000)
        fee = catalogue.slot_fee_change.astype(np.float32) / np.float32(1000)
        terms = Terms(
            self._host, self._price_usd, catalogue.reputation, catalogue.merchant, catalogue.seller_class,
            offer[:, None] + fee[:, None] * self._slot_fees,
        )  # fmt: skip
        air = Air.empty(day, count, count)
        board = Board(
            air.streamer, air.dayparts, air.lineup, air.category, air.discount_permille, air.exaggeration, air.disclosed
        )
        key0, key1 = self.draws.key
        shows = schedule_day(
            self.show_rule, today, self._hosts, self._pool, terms, catalogue.category, day, key0, key1, board
        )
        return self._complete(air, min(shows, SHOW_LIMIT))

    def _complete(self, air: Air, shows: int) -> Air:
        """Cuts the columns to the number of shows and copies what belongs to the hosts."""
        streamers, catalogue = self.streamers, self.catalogue
        on_air: dict[str, NDArray[np.generic]] = {}
        for name in (
            "streamer", "dayparts", "lineup", "category", "discount_permille", "exaggeration", "disclosed",
        ):  # fmt: skip
            on_air[name] = getattr(air, name)[:shows]
        host = on_air["streamer"]
        for name in (
            "platform", "country", "language", "proficiency", "skill", "lively", "type", "popularity",
        ):  # fmt: skip
            on_air[name] = streamers[name][host]
        guaranteed = catalogue.return_guarantee[catalogue.merchant[on_air["lineup"]]]
        on_air["guarantee"] = guaranteed.min(axis=1, initial=1).astype(np.uint8)
        for name, values in on_air.items():
            setattr(air, name, values)
        numbers = np.arange(shows, dtype=np.uint16)
        for daypart in range(DAYPARTS):
            runs = (air.dayparts & (1 << daypart)) != 0
            air.show_of_streamer[daypart, host[runs]] = numbers[runs]
        self._rank(air)
        return air

    # -- exposure ---------------------------------------------------------------------------------------------------
    def _rank(self, air: Air) -> None:
        """Scores the day's shows once; dayparts differ in who is on air."""
        shows, streamers, catalogue = len(air), self.streamers, self.catalogue
        precision, margin_weight, detection = self._ranking
        traffic = streamers.traffic * self._push[streamers.platform]
        self._ranked = Ranked(
            np.zeros(shows, np.float32),
            np.zeros(shows, np.float32),
            np.zeros((shows, N_CATEGORIES), np.float32),
            np.zeros((shows, N_CATEGORIES), np.float32),
            np.zeros(shows, np.uint32),
        )
        self._ranked_air = air
        rank_day(
            self.exposure_rule, shows, air.streamer, air.platform, air.country, streamers.tier, air.lineup,
            air.popularity, air.skill, streamers.bots, traffic, catalogue.category, catalogue.merchant,
            catalogue.seller_class, self._price_usd, self._own, precision, margin_weight, detection,
            self._region_open, self._sold_in, self._ranked,
        )  # fmt: skip

    def rerank(self, air: Air) -> None:
        """Scores the day's shows again after something has lifted their popularity."""
        self._rank(air)

    def expose(self, air: Air, rules: Rules, daypart: int) -> tuple[U16, F32]:
        """The recommendation pools of a daypart and the value of what is on air; see `catalogue.empty_pools`.

        The arrays are overwritten by the next call. Rules that change within a day take effect at the next schedule.
        """
        if air is not self._ranked_air or rules is not self._rules:
            self._follow(rules)
            self._rank(air)
        pool, value = self._pools
        key0, key1 = self.draws.key
        fill_pools(
            len(air), daypart, air.day * 8 + daypart, air.streamer, air.platform, air.country, air.language,
            air.dayparts, self._ranked, self._heard, self._understood, self._away, self._open, self._race, key0, key1,
            pool, value,
        )  # fmt: skip
        return pool, value

    # -- offers -----------------------------------------------------------------------------------------------------
    def price(self, rules: Rules, day: int, origin_factor: float, lane_promise: F32) -> bool:
        """Revises prices, promises and landed prices; whether any offer changed.

        `origin_factor`: price of the yuan in dollars against the base year (raises production cost); `lane_promise`
        float32[2, C]: days promised from a local warehouse (row 0) and from China (row 1). Merchants revise on their
        weekday, all of them on the first day, whose costs are the basis from which later ones count.
        """
        catalogue, pricing = self.catalogue, self.cfg.supply.pricing
        asked = catalogue.commission_asked
        self._find_views(day)
        mix = catalogue.bulk_mix
        same = np.array_equal(asked, self._cost_asked) and np.array_equal(mix, self._cost_mix)
        if self._costs is None or rules is not self._cost_rules or not same:
            self._costs = cost_table(self.cfg, catalogue, rules, 1.0)
            self._cost_rules, self._cost_asked, self._cost_mix = rules, asked.copy(), mix.copy()
        first = self._basis is None or day == self._first_day
        if self._basis is None or first:  # on the first day again when routes have been chosen
            self._first_day = day
            self._sell_where_targeted()
            self._basis = price_basis(catalogue, self._costs, country_demand(self.cfg.economics, self.cfg.geography))
        costs = self._costs._replace(origin_factor=float(origin_factor))
        if rules is not self._border_rules:
            self._border = border_of(rules, self.cfg.payments.customs_value_without_freight)
            self._border_rules = rules
        base, margin = self._basis
        if self.prices is not None and not first:
            self.prices.review(costs, self._border, rules, day)
        # lines whose offers may be others than yesterday, unless newcomers, rules or declarations change more
        revised = (catalogue.weekday == day % 7)[catalogue.merchant]
        revised |= (catalogue.direct != self._priced_direct).any(axis=1)
        new_lines = 0
        if self.prices is not None and self.prices.known and self.prices.on:
            new_lines = self._price_newcomers(costs, rules)
            changed = new_lines + self.prices.respond(costs, self._border, day % 7, self._priced_direct)
        else:
            changed = reprice(
                costs, EVERYBODY if first else day % 7, pricing.menu_threshold, pricing.absorption,
                pricing.least_margin, catalogue.merchant, catalogue.seller_class, catalogue.weekday,
                catalogue.targets, catalogue.category, catalogue.cold, catalogue.weight_kg,
                catalogue.unit_cost_cents, catalogue.list_cents, base, margin, catalogue.direct,
                self._priced_direct, catalogue.price_cents, catalogue.freight_cents,
            )  # fmt: skip
        if self.prices is not None and first:
            self.prices.declare(costs, self._border, rules, np.ones(catalogue.n_merchants, np.bool_))
        self._last = (costs, self._border, rules)
        self.new_prices = int(changed)
        new_promise = bool(changed) or not np.array_equal(lane_promise, self._promise)
        if new_promise:
            self._promise = lane_promise.copy()
            promise_each(catalogue.direct, lane_promise[LOCAL], lane_promise[DIRECT], catalogue.promised_days)
            self._promise_made_to_order()
        told = catalogue.understated_permille
        everything = first or new_lines or rules is not self._priced_rules or not np.array_equal(told, self._told)
        if not (changed or everything):
            return new_promise
        if everything:
            self._told = told.copy()
            self._priced_rules = rules
            revised[:] = True
        rows = np.flatnonzero(revised)
        landed_offers(
            catalogue.price_cents, catalogue.freight_cents, catalogue.direct, catalogue.category, self._border,
            catalogue.understated_permille, rows, catalogue.landed_cents,
        )  # fmt: skip
        sum_up_offers(catalogue.price_cents, catalogue.landed_cents, BITS, rows, self._sold_in, self._price_usd)
        return True

    def _promise_made_to_order(self) -> None:
        """Who makes to order promises the time of production on top of the way from China."""
        catalogue = self.catalogue
        lines = np.flatnonzero(catalogue.room > 0)
        catalogue.promised_days[lines] += np.float32(self.cfg.supply.c2m.production_days) * catalogue.direct[lines]

    def _find_views(self, day: int) -> None:
        """On the first day that is reported, and not the first of all, yesterday's prices are taken for the best."""
        prices = self.prices
        if prices is None or prices.known or self._last is None or day == self._first_day or day < prices.start_day:
            return
        prices.back_out(*self._last)

    def _price_newcomers(self, costs: CostTable, rules: Rules) -> int:
        """Lines that have come to a country ask their usual margin there, and hold on to what it says of them."""
        catalogue = self.catalogue
        new = (catalogue.targets[catalogue.merchant] == 1) & (catalogue.price_cents[:, :, 0] == 0)
        if not new.any() or self.prices is None or self._basis is None:
            return 0
        where = np.zeros_like(catalogue.targets)
        line, country = np.nonzero(new)
        where[catalogue.merchant[line], country] = 1
        base, margin = self._basis
        changed = reprice(
            costs, EVERYBODY, 0.0, 0.0, self.cfg.supply.pricing.least_margin, catalogue.merchant,
            catalogue.seller_class, catalogue.weekday, where, catalogue.category, catalogue.cold,
            catalogue.weight_kg, catalogue.unit_cost_cents, catalogue.list_cents, base, margin, catalogue.direct,
            self._priced_direct, catalogue.price_cents, catalogue.freight_cents,
        )  # fmt: skip
        self.prices.back_out(costs, self._border, rules)
        return int(changed)

    def _sell_where_targeted(self) -> None:
        """Sets who sells from where on the first day: from China, unless local stock was chosen before."""
        catalogue = self.catalogue
        targets = catalogue.targets[catalogue.merchant]
        catalogue.stocked[:] &= targets
        catalogue.direct[:] = targets - catalogue.stocked

    def follow_targets(self, newcomers: NDArray[np.int64]) -> None:
        """Offers follow `targets`, `on_platform` and the lines of the merchants `newcomers` (k,), which are new.

        What is no longer sold is off at once; what is new is priced the next morning, from China, with the line's own
        contribution, or one that makes its mean price its list price where the line is new.
        """
        catalogue = self.catalogue
        targets = catalogue.targets[catalogue.merchant] == 1
        fresh = np.isin(catalogue.merchant, newcomers)
        known = (self._priced_direct != UNPRICED) | (catalogue.direct == 1) | (catalogue.stocked == 1)
        shut = (~targets | fresh[:, None]) & known  # of what was never on offer there is nothing to take back
        for column in (catalogue.price_cents, catalogue.freight_cents, catalogue.landed_cents):
            column[shut] = 0
        for flag in (catalogue.direct, catalogue.stocked):
            flag[shut] = 0
        self._priced_direct[shut] = UNPRICED
        catalogue.understated_permille[shut] = 0
        if self.prices is not None:
            self.prices.forget(shut)
        opened = targets & (catalogue.direct == 0) & (catalogue.stocked == 0)
        catalogue.direct[opened] = 1
        if self._basis is not None and self._costs is not None and opened.any():
            base, margin = price_basis(
                catalogue, self._costs, country_demand(self.cfg.economics, self.cfg.geography)
            )  # fmt: skip
            own = np.where(targets[:, :, None], self._basis[1], 0).max(axis=1, keepdims=True)  # the same in all of them
            margin = np.where(fresh[:, None, None] | (own == 0), margin, own)
            for kept, new in zip(self._basis, (base, margin), strict=True):
                kept[opened] = new[opened]
        self._priced_rules = None
        self._pool = line_pool(catalogue, self._built_open)

    @staticmethod
    def on_air_dayparts(air: Air, streamers: int) -> NDArray[np.int64]:
        """int64[S]: dayparts each streamer was on air that day."""
        result: NDArray[np.int64] = (air.show_of_streamer != NO_SHOW).sum(axis=0).astype(np.int64)
        if result.size != streamers:
            raise ValueError(f"{result.size} streamers on the schedule, {streamers} in the table")
        return result

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept between days."""
        held = (*self._pool, self._race, *self._pools, self._priced_direct, *(self._basis or ()))
        return sum(array.nbytes for array in held)
