"""The day's end of the supply side: what firms learn, order and pay.

`Adaptation.start` chooses routes and fills the warehouses once, before the first day. `adapt` runs every evening:
audiences and demand are learnt, stock is ordered by (s, S), and what does not move with a single sale (production,
bulk freight and duty, storage, fixed costs, wages, advertising, slot fees) is posted, each merchant and streamer on a
weekday of its own. Seams for decisions to come are named in docs/supply.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import traffic_rates
from sim.agents.merchant import RouteRule, borrowing_rate, choose_routes, cost_table
from sim.agents.streamer import rank_tiers, write_contracts
from sim.config.economics import BULK_MODES, FIXED_COSTS
from sim.config.sources import TradeSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEKS_A_YEAR
from sim.firms.freight import Freight
from sim.firms.inventory import Inventory
from sim.kernels.maths import sum_rows
from sim.kernels.money import border_of
from sim.kernels.supply import (
    FIRST_BULK,
    Fame,
    Hosts,
    StockRule,
    book_demand,
    learn_audience,
    learn_demand,
    order_points,
    power_each,
    replenish_due,
    sum_sales,
    switch_routes,
)
from sim.kinds import (
    BRAND_SITE,
    MODES,
    N_CATEGORIES,
    N_CHANNELS,
    N_COUNTRIES,
    N_ORIGIN_WAREHOUSES,
    N_PLATFORMS,
    N_WAREHOUSES,
    NO_SHOW,
    NO_STREAMER,
    SELLER_CLASSES,
    SMALL_LOTS,
    STREAMER_TIERS,
)
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, country_demand, equipped, sales_mix, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.scale import Scale
from sim.state.table import Table

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

EVERYBODY = -1
ALL = slice(None)
SMALL_LOT = 1  # mode of what is made in a small lot, as in sim.day.fulfilment; a test holds them equal
LEAST_ROOM = 3  # units: orders in a small sample come in ones and twos
FIXED_PURPOSES = {
    MoneyPurpose.COMPLIANCE: [FIXED_COSTS.index("market_entry"), FIXED_COSTS.index("compliance")],
    MoneyPurpose.TECHNOLOGY: [FIXED_COSTS.index("tools"), FIXED_COSTS.index("rent")],
    MoneyPurpose.WAGE: [FIXED_COSTS.index("stream_labour")],
}
"""Items of economics.fixed_cost by the purpose under which they are posted."""
TOOLS = FIXED_COSTS.index("tools")
MONDAY = 2  # day % 7 of a Monday: 2000-01-01 was a Saturday
OPERATORS = (Account.CARRIER, Account.LINEHAUL, Account.WAREHOUSE, Account.PROVIDER)
OWNED = (Account.STREAMER, Account.MCN, Account.CHANNEL, *OPERATORS)


class Goods(Protocol):
    """What adaptation asks of fulfilment."""

    def replenish(
        self, line: NDArray[Any], warehouse: NDArray[Any], units: NDArray[Any], mode: NDArray[Any], day: int
    ) -> Any:
        """Orders stock from the factories."""

    def bulk_lead_days(self, rules: Rules) -> F64:
        """float64[24, 8]: expected days from order to arrival by warehouse and mode."""

    def waiting_units(self) -> I64:
        """int64[n]: units of orders that wait for stock."""


def cents(usd: NDArray[np.floating]) -> I64:
    """USD as whole cents, to the nearest."""
    whole: I64 = np.rint(np.asarray(usd, np.float64) * 100.0).astype(np.int64)
    return whole


class Adaptation:
    """Learns, orders and pays.

    `agency_cuts` float32[agencies, 3] of `sim.agents.mcn`; `scale` gives W and F; `baseline`: rules of the base year,
    those of the first day if not given; `recost` makes goods of lines (k,) dearer by ratios (k,), as `Prices.recost`.
    """

    def __init__(
        self,
        cfg: TradeSource,
        scale: Scale,
        draws: Draws,
        catalogue: Catalogue,
        streamers: Table,
        agency_cuts: F32,
        recost: Callable[[I64, F64], None],
        baseline: Rules | None = None,
    ) -> None:
        self.cfg = cfg
        self.baseline = baseline
        self.scale = scale
        self.catalogue = catalogue
        self.streamers = streamers
        self.agency_cuts = agency_cuts
        economics, supply = cfg.economics, cfg.supply
        lines, hosts = catalogue.n_lines, len(streamers)
        shape = (lines, N_COUNTRIES)
        self._hosts = Hosts(**{name: streamers[name] for name in Hosts._fields})
        audience, shows = supply.audience, supply.shows
        learnt = (audience.memory_days, audience.trust_in_data, audience.base_weight)
        tiring = (shows.fatigue_gain, shows.fatigue_memory_days)
        self._fame = Fame(*(np.float32(value) for value in (*learnt, *tiring, audience.absence_days)))
        self.abroad: NDArray[np.uint8] = np.zeros(shape, np.uint8)  # where merchants want local stock
        self._wanted_before = catalogue.wanted_units.copy()
        self._sold = np.zeros(shape, np.float32)
        self._booked = np.zeros(shape, np.float32)
        self._demand = country_demand(economics, cfg.geography)
        self._sales_share = sales_shares(catalogue, self._demand)
        self._reach: F32 = np.ones((catalogue.n_merchants, N_COUNTRIES), np.float32)
        self._total = self._first_demand()
        self._share = self._line_shares()
        self._seen = np.zeros(hosts, np.float32)
        self._cell_seen = np.zeros((N_COUNTRIES, N_PLATFORMS), np.float32)
        self._cell_visits = np.zeros((N_COUNTRIES, N_PLATFORMS), np.float32)
        self._sales = np.zeros((catalogue.n_merchants, N_CHANNELS), np.int64)
        self._extra = np.zeros(catalogue.n_merchants, np.int64)
        self._host_sales = np.zeros(hosts, np.int64)
        self._air_dayparts = np.zeros(hosts, np.int64)
        self._orders_read = 0
        self._income_read: dict[Account, I64] = {}
        self._mean_cost = self._mean_costs()
        number = np.arange(lines)[:, None]
        self._route_luck = draws.normal(Purpose.ROUTE_CHOICE, number, other=np.arange(N_COUNTRIES))
        returned = float((economics.by_category("live_interest") * economics.by_category("return_prior")).sum())
        self._kept = np.full(N_CHANNELS, 1.0 - supply.pricing.shelf_return_factor * returned)  # of goods ordered
        self._kept[:N_PLATFORMS] = 1.0 - returned
        self._fixed = self._fixed_costs()
        self.platform_cost = self._platform_costs()
        self._out = (
            np.zeros(2 * lines * (N_COUNTRIES + 1), np.uint16),
            np.zeros(2 * lines * (N_COUNTRIES + 1), np.uint8),
            np.zeros(2 * lines * (N_COUNTRIES + 1), np.uint8),
            np.zeros(2 * lines * (N_COUNTRIES + 1), np.int64),
        )
        self._lead: F32 = np.zeros((N_WAREHOUSES, len(BULK_MODES)), np.float32)
        self._snapshots: list[I64] = []  # what had been ordered, week by week, as old as sea is slower than air
        self._lead_rules: Rules | None = None
        self.freight = Freight(cfg, draws, catalogue)
        self.inventory = Inventory(lines)
        self._small_lots = np.zeros(lines, np.uint8)
        self._recost = recost
        self._lot_cost: F64 = np.ones(lines)  # unit cost against that of large lots, of lines of no own production
        self._lot_lottery = np.asarray(draws.uniform(Purpose.COVER, np.arange(lines), other=1 + SMALL_LOTS))

    # -- what is expected before anybody has sold -------------------------------------------------------------------
    def _market_usd(self) -> float:
        """Sales of all real sellers over all channels, USD a year."""
        real, sales = self.cfg.firms.real, self.cfg.economics.seller_sales_usd
        return sum(real[name] * sales[name] for name in SELLER_CLASSES)

    def _first_demand(self) -> F32:
        """float32[C, K]: units a day of the sampled world expected by country and category."""
        economics = self.cfg.economics
        live = economics.live_share_of_sales
        mix = live * economics.by_category("live_interest") + (1 - live) * economics.by_category("shelf_interest")
        mean_price = (economics.list_price_usd() * economics.ladder("ladder_choice")).sum(axis=1)
        units = self.scale.market_amount(self._market_usd() / 365.0) * mix / mean_price
        demand: F32 = (self._demand[:, None] * units[None, :]).astype(np.float32)
        return demand

    def _line_shares(self) -> F32:
        """float32[n, C]: a line's share of its category's demand in a country, by the merchant's size and reach."""
        catalogue = self.catalogue
        weight = catalogue.merchant_size[catalogue.merchant].astype(np.float64) * catalogue.line_share
        weights = weight[:, None] * (catalogue.targets * self._reach)[catalogue.merchant]
        sums = sum_rows(catalogue.category, weights, N_CATEGORIES)
        share: F32 = (weights / np.maximum(sums[catalogue.category], 1e-12)).astype(np.float32)
        return share

    def _mean_costs(self) -> NDArray[np.int32]:
        """int32[n]: production cost of a unit over the tiers as they usually sell, cents."""
        choice = self.cfg.economics.ladder("ladder_choice")[self.catalogue.category]
        mean: NDArray[np.int32] = np.rint((self.catalogue.unit_cost_cents * choice).sum(axis=1)).astype(np.int32)
        return mean

    def _fixed_costs(self) -> I64:
        """int64[m, 5]: cents a week by item of economics.fixed_cost; a class's total does not depend on its sizes."""
        catalogue, policy = self.catalogue, self.cfg.firms.merchants
        costs = self.cfg.economics.fixed_costs() / WEEKS_A_YEAR
        weekly = np.zeros((catalogue.n_merchants, len(FIXED_COSTS)))
        for kind, name in enumerate(SELLER_CLASSES):
            members = np.flatnonzero(catalogue.seller_class == kind)
            weights = power_each(
                self._sales_share[members].astype(np.float32), np.float32(policy.fixed_cost_scale)
            ).astype(np.float64)
            each = self.scale.firm_amount(1.0, name) * members.size * weights / weights.sum()
            weekly[members] = each[:, None] * costs[kind][None, :]
        return cents(weekly)

    def _platform_costs(self) -> I64:
        """int64[H]: cents a week."""
        sales = self._demand @ sales_mix(self.cfg)
        sales[BRAND_SITE] = 0.0  # everybody's own, and in their fixed costs
        weekly = self.scale.market_amount(self._market_usd() / WEEKS_A_YEAR)
        return cents(weekly * sales * self.cfg.supply.costs.platform_fixed_share)

    # -- the first day ----------------------------------------------------------------------------------------------
    def start(self, rules: Rules, ledger: Ledger) -> None:
        """Chooses routes, fills the warehouses and gives firms their working capital.

        To be called once, after the first prices and before anything counts the stock; prices must then be revised,
        because lines that have moved to local stock cost something else.
        """
        catalogue, stock = self.catalogue, self.cfg.supply.stock
        rate = self.usual_units()
        self._sold[:] = rate * self._memory(rules)[N_ORIGIN_WAREHOUSES:]  # as if the past had been as expected
        self._choose_routes(rules, EVERYBODY, rate)
        catalogue.stocked[:] = self.abroad
        catalogue.direct[:] = catalogue.targets[catalogue.merchant] - self.abroad
        daily = np.zeros((catalogue.n_lines, N_WAREHOUSES), np.float32)
        daily[:, N_ORIGIN_WAREHOUSES:] = rate * self.abroad
        home = catalogue.home_warehouse[catalogue.merchant]
        daily[np.arange(catalogue.n_lines), home] = (rate * catalogue.direct).sum(axis=1, dtype=np.float64)
        cover = np.full(N_WAREHOUSES, stock.first_cover_days["abroad"], np.float32)
        cover[:N_ORIGIN_WAREHOUSES] = stock.first_cover_days["origin"]
        cycle = np.array([stock.order_days[name] for name in SELLER_CLASSES], np.float32)
        held = order_points(daily * cover, np.float32(stock.service_factor), np.float32(stock.demand_spread))
        held += np.float32(0.5) * daily * cycle[catalogue.seller_class[catalogue.merchant]][:, None]
        units = np.ceil(held).astype(np.int32)
        if self.cfg.supply.decide.c2m:
            lines = np.flatnonzero(catalogue.c2m[catalogue.merchant] == 1)
            units[lines, home[lines]] = np.floor(daily[lines, home[lines]] * self.cfg.supply.c2m.lot_days)
        catalogue.real[:] = units
        catalogue.shown[:] = units
        catalogue.ordered_units[:] = units
        catalogue.received_units[:] = units
        line, warehouse = np.nonzero(units)
        by_sea = np.full(line.size, MODES.index(BULK_MODES[1]), np.uint8)
        first = units[line, warehouse].astype(np.int64)
        value, carriage, duty, vat = self._costs_of_stock(rules, line, warehouse, by_sea, first, 1.0)
        self.inventory.buy(line, warehouse, first, value + carriage + duty + vat)
        self.close_books()
        write_contracts(self.streamers, catalogue, self.cfg.economics, self.agency_cuts)
        takings = self.scale.market_amount(self._market_usd() / 365.0) * 100.0
        self._working_capital: I64 = np.rint(
            self._sales_share * takings * self.cfg.supply.costs.merchant_cash_days
        ).astype(np.int64)
        ledger.endow(ledger.account(Account.MERCHANT, np.arange(catalogue.n_merchants)), self._working_capital)

    # -- merchants come and go --------------------------------------------------------------------------------------
    def expect(self, reach: F32) -> None:
        """From the next `follow_targets` on merchants reckon with a share `reach` (m, C) of what their size sells."""
        self._reach[:] = reach

    def usual_units(self, lines: I64 | slice = ALL) -> F32:
        """float32[k, C]: units a day that `lines` (k,) should sell in each country, as far as merchants' sizes say."""
        units: F32 = self._share[lines] * self._total[:, self.catalogue.category[lines]].T
        return units

    def follow_targets(self, newcomers: I64) -> None:
        """Expectations follow the columns of merchants; `newcomers` (k,) have new lines, on which nothing is known."""
        catalogue = self.catalogue
        self._share = self._line_shares()
        self.abroad &= catalogue.targets[catalogue.merchant]
        lines = np.flatnonzero(np.isin(catalogue.merchant, newcomers))
        if lines.size:
            self._lot_cost[lines] = 1.0
            self._sold[lines] = self.usual_units(lines) * np.float32(self.cfg.supply.stock.memory_days)

    def stock_up(
        self,
        who: I64,
        targets: NDArray[np.uint8],
        rules: Rules,
        ledger: Ledger,
        freight: Goods,
        day: int,
        origin_factor: float,
    ) -> None:
        """Orders the first stock, in China, of merchants `who` (k,) who will sell to `targets` (k, C)."""
        catalogue, stock = self.catalogue, self.cfg.supply.stock
        self._mean_cost = self._mean_costs()
        before = catalogue.targets[who].copy()
        catalogue.targets[who] = targets
        lines = np.flatnonzero(np.isin(catalogue.merchant, who))
        rate = (self._line_shares()[lines] * self._total[:, catalogue.category[lines]].T).sum(axis=1, dtype=np.float64)
        catalogue.targets[who] = before
        cycle = np.array([stock.order_days[name] for name in SELLER_CLASSES])[catalogue.seller_class]
        cover = (rate * stock.first_cover_days["origin"]).astype(np.float32)[:, None]
        held = order_points(cover, np.float32(stock.service_factor), np.float32(stock.demand_spread))[:, 0]
        units = np.maximum(np.ceil(held + rate * cycle[catalogue.merchant[lines]]), 1).astype(np.int64)
        home = catalogue.home_warehouse[catalogue.merchant[lines]]
        mode = np.full(lines.size, MODES.index(BULK_MODES[1]), np.uint8)
        line = lines.astype(np.uint16)
        np.add.at(catalogue.ordered_units, (line, home), units)
        freight.replenish(line, home, units, mode, day)
        self._pay_for_stock(rules, line, home, mode, units, ledger, origin_factor)

    def stock_worth(self, units: I64) -> I64:
        """int64[m]: production cost in cents of int64[n] units of each line."""
        worth = np.bincount(self.catalogue.merchant, weights=units * self._mean_cost, minlength=len(self._fixed))
        return np.rint(worth).astype(np.int64)

    def _choose_routes(self, rules: Rules, weekday: int, rate: F32) -> None:
        catalogue, stock = self.catalogue, self.cfg.supply.stock
        lead = self.cfg.supply.stock.expected_days_saved
        rule = RouteRule(
            least_units=np.array(
                [stock.least_units_year / 365.0 * self.scale.firm_amount(1.0, name) for name in SELLER_CLASSES]
            ),
            bias=np.array([stock.stocked_bias[name] for name in SELLER_CLASSES]),
            day_value=stock.delay_value_usd_day,
            spread=stock.choice_spread,
        )
        costs = cost_table(self.cfg, catalogue, rules, 1.0)
        choose_routes(
            rule, costs, border_of(rules, self.cfg.payments.customs_value_without_freight), weekday,
            np.array(rules.warehousing.overseas_access, np.float32), np.full(N_COUNTRIES, lead), rate,
            self._route_luck, catalogue.merchant, catalogue.seller_class, catalogue.weekday, catalogue.overseas_draw,
            catalogue.targets, catalogue.category, catalogue.cold, catalogue.weight_kg, self._mean_cost,
            catalogue.price_cents, catalogue.freight_cents, catalogue.understated_permille, self._can_stock(),
            self.abroad,
        )  # fmt: skip

    def _can_stock(self) -> NDArray[np.uint8]:
        """uint8[m]: 1 where a merchant can pay for new local stock: where nothing is wanting for the present one."""
        if not self.cfg.supply.decide.routes_credit:
            return np.ones(self.catalogue.n_merchants, np.uint8)
        return (self.catalogue.funded >= 1).astype(np.uint8)

    # -- every evening ----------------------------------------------------------------------------------------------
    def adapt(
        self,
        rules: Rules,
        day: int,
        air: Air,
        visits: I64,
        orders: Orders,
        ledger: Ledger,
        freight: Goods,
        origin_factor: float = 1.0,
    ) -> None:
        """Learns from the day, orders stock and posts the week's costs of those whose weekday it is.

        `visits` int64[S]: sampled room visits of the day by streamer; `origin_factor` as in Supply.price. Must run
        before the order book frees the day's finished orders.
        """
        weekday = day % 7
        self._learn(rules, air, visits, orders)
        catalogue = self.catalogue
        if (day // 7) * 7 % self.cfg.supply.stock.review_month_days == 0:
            self._choose_routes(rules, weekday, self.forecast(rules))
        switch_routes(
            self.abroad, catalogue.real, catalogue.merchant, catalogue.targets, catalogue.direct, catalogue.stocked
        )
        self._make_to_order(rules, day, ledger, freight, origin_factor)
        self._replenish(rules, day, weekday, ledger, freight, origin_factor)
        self._pay_merchants(rules, weekday, ledger)
        self._pay_hosts(weekday, ledger)
        if weekday == MONDAY:
            self._pay_operators(ledger)
            self._settle_owners(ledger)
        if day % self.cfg.supply.audience.tier_review_days == 0:
            self._review_tiers(ledger)

    def close_books(self) -> None:
        """Values the goods at the day's end; to be called when nothing moves any more."""
        self.inventory.close_day(self.catalogue, self._mean_cost)

    def _learn(self, rules: Rules, air: Air, visits: I64, orders: Orders) -> None:
        catalogue, streamers = self.catalogue, self.streamers
        on_air = (air.show_of_streamer != NO_SHOW).sum(axis=0).astype(np.int64)
        self._air_dayparts += on_air
        learn_audience(
            self._fame, streamers.country, streamers.platform, streamers.active, streamers.away, streamers.base_share,
            streamers.popularity, streamers.fatigue, self._seen, np.asarray(visits, np.int64), on_air,
            self._cell_seen, self._cell_visits,
        )  # fmt: skip
        learn_demand(
            catalogue.wanted_units, self._wanted_before, catalogue.direct, catalogue.home_warehouse,
            catalogue.merchant, catalogue.category, self._memory(rules), self._sold, self._total,
            np.float32(self.cfg.supply.stock.memory_days),
        )  # fmt: skip
        seqs = np.arange(self._orders_read, orders.appended, dtype=np.int64)
        self._orders_read = orders.appended
        if seqs.size:
            rows = orders.find(seqs)
            sum_sales(
                orders.data, rows[rows >= 0], catalogue.unit_cost_cents, self._mean_cost, self._sales, self._extra,
                self._host_sales,
            )  # fmt: skip

    def expect_of(self, hosts: I64) -> None:
        """Nothing has been observed yet of the `hosts` (numbers): their visits so far count as expected."""
        streamers = self.streamers
        share = self._cell_seen[streamers.country[hosts], streamers.platform[hosts]]
        self._seen[hosts] = streamers.popularity[hosts] * share

    def _memory(self, rules: Rules) -> F32:
        """float32[24]: days over which demand is averaged; a warehouse that sees coming shows forgets faster."""
        stock = self.cfg.supply.stock
        seen = np.asarray(rules.warehousing.forecast_visibility, np.float64)
        memory: F32 = (stock.memory_days + seen * (stock.quick_memory_days - stock.memory_days)).astype(np.float32)
        return memory

    def forecast(self, rules: Rules, lines: I64 | slice = ALL) -> F32:
        """float32[k, C]: units a day expected of `lines` (k,) in every country, without a view of coming shows."""
        catalogue, weight = self.catalogue, np.float32(self.cfg.supply.stock.prior_units)
        merchant = catalogue.merchant[lines]
        memory = self._memory(rules)
        from_home = memory[catalogue.home_warehouse[merchant]][:, None]
        days = np.where(catalogue.direct[lines] == 1, from_home, memory[N_ORIGIN_WAREHOUSES:])
        prior = np.maximum(self.usual_units(lines), np.float32(1e-9))
        rate: F32 = ((weight + self._sold[lines]) / (weight / prior + days)).astype(np.float32, copy=False)
        return rate * catalogue.targets[merchant]

    def _replenish(
        self, rules: Rules, day: int, weekday: int, ledger: Ledger, freight: Goods, origin_factor: float
    ) -> None:
        catalogue, stock = self.catalogue, self.cfg.supply.stock
        if rules is not self._lead_rules:
            self._lead_rules = rules
            self._lead[:] = freight.bulk_lead_days(rules)[:, FIRST_BULK:]
        if not self._snapshots:
            self._rest(rules, freight)
            by_sea = self._lead[N_ORIGIN_WAREHOUSES:, 1] - self._lead[N_ORIGIN_WAREHOUSES:, 0]
            weeks = max(1, int(np.ceil(by_sea.mean() / 7.0)))
            self._snapshots = [catalogue.ordered_units.copy() for _ in range(weeks + 1)]
        rule = StockRule(
            service_factor=np.float32(stock.service_factor),
            demand_spread=np.float32(stock.demand_spread),
            review_days=np.float32(stock.review_days),
            prior_units=np.float32(stock.prior_units),
            air_cover=np.float32(stock.air_cover),
            lead=self._lead,
            fly=self.freight.fly(rules),
            order_days=np.array([stock.order_days[name] for name in SELLER_CLASSES], np.float32),
        )
        if self.cfg.supply.decide.freight:
            self.freight.choose(rules, self._lead.astype(np.float64), catalogue.weekday == weekday, self._mean_cost)
        visibility = np.array(rules.warehousing.forecast_visibility, np.float32)
        if visibility.any():
            economics = self.cfg.economics
            live = economics.by_category("live_interest") * economics.by_category("units_per_order")
            units = np.float32(self.cfg.supply.exposure.expected_conversion * live.sum())
            book_demand(self._hosts, self.streamers.popularity, self._cell_visits, units, self._booked)
        if weekday == MONDAY:
            self._snapshots = [*self._snapshots[1:], catalogue.ordered_units.copy()]
        line, warehouse, mode, units_out = self._out
        count = replenish_due(
            rule, weekday, catalogue.merchant, catalogue.seller_class, catalogue.weekday, catalogue.home_warehouse,
            catalogue.targets, catalogue.direct, self.abroad, catalogue.category, self._share, self._sold,
            self._total, self._memory(rules), visibility, self._booked, catalogue.real, catalogue.ordered_units,
            catalogue.received_units, self._snapshots[0], catalogue.funded, catalogue.bulk_way, self._small_lots,
            line, warehouse, mode, units_out,
        )  # fmt: skip
        if count == 0:
            return
        line, warehouse, mode, units_out = line[:count], warehouse[:count], mode[:count], units_out[:count]
        np.add.at(catalogue.ordered_units, (line, warehouse), units_out)
        freight.replenish(line.copy(), warehouse.copy(), units_out.copy(), mode.copy(), day)
        self._pay_for_stock(rules, line, warehouse, mode, units_out, ledger, origin_factor)

    def _rest(self, rules: Rules, freight: Goods) -> None:
        """What freight was like in the base year, against which modes are compared."""
        base = self.baseline or rules
        self.freight.rest(base, freight.bulk_lead_days(base)[:, FIRST_BULK:])

    def _make_to_order(self, rules: Rules, day: int, ledger: Ledger, freight: Goods, origin_factor: float) -> None:
        """Who makes small lots makes every evening what was ordered today, and keeps next to no stock.

        Base stock of `lot_days` of demand in hand and in production, on top of what waits (Silver, Pyke and Thomas
        2017, ch. 7); nothing is made for less than a unit, so that a small sample holds no more than a large one.
        """
        catalogue, rule = self.catalogue, self.cfg.supply.c2m
        self._small_lots[:] = self._who_makes_small_lots(rules)
        lines = np.flatnonzero(self._small_lots)
        catalogue.room[self._small_lots == 0] = 0
        if lines.size == 0:
            return
        home = catalogue.home_warehouse[catalogue.merchant[lines]]
        rate = (self.forecast(rules, lines) * catalogue.direct[lines]).sum(axis=1, dtype=np.float64)
        rate *= catalogue.funded[catalogue.merchant[lines]]
        held = catalogue.real[lines, home] - freight.waiting_units()[lines]
        # who has just begun sells what large lots have left before orders wait
        to_order = (catalogue.c2m[catalogue.merchant[lines]] == 1) | (held <= np.ceil(rate * rule.lot_days))
        catalogue.room[lines] = np.where((rate > 0) & to_order, np.ceil(rate * rule.room_days) + LEAST_ROOM, 0)
        coming = catalogue.ordered_units[lines, home] - catalogue.received_units[lines, home]
        position = held + coming
        units = np.floor(rate * rule.lot_days - position).astype(np.int64)
        short = units > 0
        if not short.any():
            return
        line, place, units = lines[short].astype(np.uint16), home[short], units[short]
        mode = np.full(line.size, SMALL_LOT, np.uint8)
        np.add.at(catalogue.ordered_units, (line, place), units)
        freight.replenish(line, place, units, mode, day)
        self._pay_for_stock(rules, line, place, mode, units, ledger, origin_factor)

    def _who_makes_small_lots(self, rules: Rules) -> NDArray[np.bool_]:
        """bool[n]: lines of merchants with production of their own, and those for which it was bought or decreed.

        The latter then cost a unit what small lots cost more; owners' costs have it since the build.
        """
        catalogue = self.catalogue
        able = (catalogue.trading == 1)[catalogue.merchant] & self.cfg.supply.decide.c2m
        owned = (catalogue.c2m == 1)[catalogue.merchant]
        share = np.asarray(rules.small_lots.coverage)[catalogue.category]
        bought = able & ~owned & equipped(self._lot_lottery, share, catalogue.technology[:, SMALL_LOTS])
        cost = np.where(bought, 1.0 + self.cfg.firms.merchants.c2m_cost, 1.0)
        moved = np.flatnonzero(cost != self._lot_cost)
        if moved.size:
            self._recost(moved, cost[moved] / self._lot_cost[moved])
            self._lot_cost[moved] = cost[moved]
            self._mean_cost[moved] = self._mean_costs()[moved]
        makers: NDArray[np.bool_] = bought | (able & owned)
        return makers

    # -- money ------------------------------------------------------------------------------------------------------
    def _costs_of_stock(
        self,
        rules: Rules,
        line: NDArray[np.integer],
        warehouse: NDArray[np.integer],
        mode: NDArray[np.uint8],
        units: I64,
        origin_factor: float,
    ) -> tuple[I64, I64, I64, I64]:
        """Production, bulk freight, and duty and tax on bulk value of goods for warehouses, int64[k] cents each."""
        catalogue, economics = self.catalogue, self.cfg.economics
        factor = 1.0 + self.cfg.supply.pricing.origin_currency_share * (origin_factor - 1.0)
        value = np.rint(self._mean_cost[line] * units * factor).astype(np.int64)
        away = warehouse >= N_ORIGIN_WAREHOUSES
        country = np.where(away, warehouse.astype(np.int64) - N_ORIGIN_WAREHOUSES, 0)
        asked = np.array([economics.bulk_kg_usd[name] for name in BULK_MODES])
        asked = asked * np.asarray(rules.linehaul.price_factor, np.float64)[FIRST_BULK:]
        per_kg = asked[np.where(away, mode - FIRST_BULK, 0)]
        seller = catalogue.seller_class[catalogue.merchant[line]]
        usd = per_kg * economics.by_country("lane_factor")[country] * catalogue.weight_kg[line] * units
        usd = usd * np.where(seller == 0, economics.small_freight_factor, 1.0)
        usd = usd * np.where(catalogue.cold[line] == 1, economics.cold_chain_factor, 1.0)
        carriage = np.where(away, cents(usd), 0)
        rate = np.asarray(rules.tariff.bulk_duty_rate, np.float64)[country, catalogue.category[line]]
        duty = np.where(away, np.rint(rate * (value + carriage)).astype(np.int64), 0)
        tax = np.asarray(rules.tax.vat_rate, np.float64)[country] * (value + carriage + duty)
        return value, carriage, duty, np.where(away, np.rint(tax).astype(np.int64), 0)

    def _pay_for_stock(
        self,
        rules: Rules,
        line: NDArray[np.uint16],
        warehouse: NDArray[np.uint8],
        mode: NDArray[np.uint8],
        units: I64,
        ledger: Ledger,
        origin_factor: float,
    ) -> None:
        """Production, bulk freight, and duty and tax on bulk value, posted when the goods are ordered."""
        value, carriage, duty, vat = self._costs_of_stock(rules, line, warehouse, mode, units, origin_factor)
        self.inventory.buy(line, warehouse, units, value + carriage + duty + vat)
        payer = ledger.account(Account.MERCHANT, self.catalogue.merchant[line])
        ledger.post(MoneyPurpose.PRODUCTION, payer, ledger.account(Account.REST_OF_WORLD), value)
        away = warehouse >= N_ORIGIN_WAREHOUSES
        if not away.any():
            return
        treasury = ledger.account(Account.TREASURY, warehouse[away].astype(np.int64) - N_ORIGIN_WAREHOUSES)
        ledger.post(MoneyPurpose.LOGISTICS, payer[away], ledger.account(Account.LINEHAUL, mode[away]), carriage[away])
        ledger.post(MoneyPurpose.TARIFF, payer[away], treasury, duty[away])
        ledger.post(MoneyPurpose.VAT, payer[away], treasury, vat[away])

    def _pay_merchants(self, rules: Rules, weekday: int, ledger: Ledger) -> None:
        """A week's advertising, fixed costs and what the state gives back of them, storage, interest, the cost of the
        tiers sold."""
        catalogue, economics = self.catalogue, self.cfg.economics
        who = np.flatnonzero(catalogue.weekday == weekday)
        if who.size == 0:
            return
        payer, world = ledger.account(Account.MERCHANT, who), ledger.account(Account.REST_OF_WORLD)
        seller = catalogue.seller_class[who]
        rates = traffic_rates(economics, rules, self.cfg.supply.platforms.traffic_response)
        spent = np.rint(self._sales[who] * self._kept * rates[:, seller].T).astype(np.int64)
        buyer, channel = np.nonzero(spent)
        media = np.where(channel == BRAND_SITE, world, ledger.account(Account.CHANNEL, channel))
        ledger.post(MoneyPurpose.TRAFFIC, payer[buyer], media, spent[buyer, channel])
        tools = np.asarray(rules.technology.price, np.float64)[seller]
        for purpose, items in FIXED_PURPOSES.items():
            due = self._fixed[np.ix_(who, items)] * catalogue.trading[who][:, None].astype(np.float64)
            due[:, [item == TOOLS for item in items]] *= tools[:, None]
            ledger.post(purpose, payer, world, np.rint(due.sum(axis=1)).astype(np.int64))
        complied = (
            self._fixed[np.ix_(who, FIXED_PURPOSES[MoneyPurpose.COMPLIANCE])].sum(axis=1) * catalogue.trading[who]
        )
        relief = np.rint(complied * np.asarray(rules.relief.compliance, np.float64)[seller]).astype(np.int64)
        ledger.post(MoneyPurpose.SUBSIDY, ledger.account(Account.TREASURY_CN), payer, relief)
        ledger.post(MoneyPurpose.PRODUCTION, payer, world, self._extra[who])
        stored, tied = self._held(who)
        owner, warehouse = np.nonzero(stored)
        keeper = ledger.account(Account.WAREHOUSE, warehouse)
        ledger.post(MoneyPurpose.LOGISTICS, payer[owner], keeper, stored[owner, warehouse])
        rates = borrowing_rate(rules) / WEEKS_A_YEAR
        ledger.post(MoneyPurpose.INTEREST, payer, world, np.rint(tied * rates[seller]).astype(np.int64))
        self._sales[who] = 0
        self._extra[who] = 0

    def _held(self, who: I64) -> tuple[I64, F64]:
        """Storage of a week, int64[k, 24] cents by warehouse, and money tied up in stock, float64[k] cents."""
        catalogue, economics = self.catalogue, self.cfg.economics
        per = self.cfg.firms.merchants.lines
        lines = (who[:, None] * per + np.arange(per)).reshape(-1)  # a merchant's lines lie together
        here = catalogue.real[lines]
        rate = np.full(N_WAREHOUSES, economics.storage_usd_kg_day * 7.0)
        rate[:N_ORIGIN_WAREHOUSES] *= economics.origin_storage_factor
        weight = catalogue.weight_kg[lines].astype(np.float64)
        usd = (here * weight[:, None]).reshape(who.size, per, N_WAREHOUSES).sum(axis=1) * rate
        coming = (catalogue.ordered_units[lines] - catalogue.received_units[lines]).sum(axis=1)
        tied = np.multiply(here.sum(axis=1) + coming, self._mean_cost[lines], dtype=np.float64)
        return cents(usd), tied.reshape(who.size, per).sum(axis=1)

    def _pay_hosts(self, weekday: int, ledger: Ledger) -> None:
        """A week's slot fees, the agency's part of them, and what the shows cost the host.

        Paid on the eve of the weekday on which the host revises the line-up, so that the sellers who pay are those
        whose lines were shown in the week.
        """
        streamers, catalogue, economics = self.streamers, self.catalogue, self.cfg.economics
        who = np.flatnonzero(streamers.weekday == (weekday + 1) % 7)
        if who.size == 0:
            return
        tier = streamers.tier[who]
        account, world = ledger.account(Account.STREAMER, who), ledger.account(Account.REST_OF_WORLD)
        fee = np.rint(self._host_sales[who] * economics.slot_fee_shares()[tier] / 4.0).astype(np.int64)
        lineup = streamers.lineup[who]
        paid = (fee > 0) & (lineup[:, 0] != NO_STREAMER)
        if paid.any():
            sellers = catalogue.merchant[lineup[paid]].astype(np.int64)
            payer = ledger.account(Account.MERCHANT, sellers.reshape(-1))
            asked = np.repeat(fee[paid], 4) * (1000 + catalogue.slot_fee_change[sellers.reshape(-1)].astype(np.int64))
            each = asked // 1000
            ledger.post(MoneyPurpose.SLOT_FEE, payer, np.repeat(account[paid], 4), each)
            signed = paid & (streamers.agency[who] != NO_STREAMER)
            income = np.zeros_like(fee)
            income[paid] = each.reshape(-1, 4).sum(axis=1)
            part = np.rint(income * catalogue.agency_permille[who] / 1000.0).astype(np.int64)
            agency = ledger.account(Account.MCN, streamers.agency[who][signed])
            ledger.post(MoneyPurpose.AGENCY_SHARE, account[signed], agency, part[signed])
        costs = self.cfg.supply.costs
        hourly = np.array([costs.stream_hour_usd[name] for name in STREAMER_TIERS])[tier]
        hours = np.multiply(self._air_dayparts[who], costs.hours_per_daypart, dtype=np.float64)
        ledger.post(MoneyPurpose.WAGE, account, world, cents(self.scale.firm_amount(1.0, "streamer") * hourly * hours))
        self._host_sales[who] = 0
        self._air_dayparts[who] = 0

    def _new_income(self, ledger: Ledger, kind: Account) -> I64:
        """What each account of a class received on balance, its own spending apart, since the last call."""
        result = ledger.result(kind)
        total = result.sum(axis=1) - result[:, int(MoneyPurpose.WAGE)]
        before = self._income_read.get(kind, np.zeros_like(total))
        self._income_read[kind] = total
        income: I64 = total - before
        return income

    def _pay_operators(self, ledger: Ledger) -> None:
        """Platforms' fixed costs; staff of agencies; what carriers, warehouses and providers spend of their income."""
        costs, world = self.cfg.supply.costs, ledger.account(Account.REST_OF_WORLD)
        channels = ledger.account(Account.CHANNEL, np.arange(N_CHANNELS))
        ledger.post(MoneyPurpose.TECHNOLOGY, channels, world, self.platform_cost)
        for kind in (Account.MCN, *OPERATORS):
            income = np.maximum(self._new_income(ledger, kind), 0)
            share = costs.agency_cost_share if kind == Account.MCN else costs.operator_cost_share
            payer = ledger.account(kind, np.arange(income.size))
            ledger.post(MoneyPurpose.WAGE, payer, world, np.rint(income * share).astype(np.int64))

    def _settle_owners(self, ledger: Ledger) -> None:
        """Owners take out cash above working capital and put in what is missing, a part each week.

        Merchants are left to `sim.firms.solvency` where they decide on credit.
        A movement between firm and owner is neither cost nor income, so it goes through the endowment, not the flows.
        """
        part = 1.0 / self.cfg.supply.costs.owners_weeks
        for kind in OWNED if self.cfg.supply.decide.credit else (Account.MERCHANT, *OWNED):
            balance = ledger.balance(kind)
            target = self._working_capital if kind == Account.MERCHANT else np.zeros_like(balance)
            ledger.endow(
                ledger.account(kind, np.arange(balance.size)), np.rint((target - balance) * part).astype(np.int64)
            )

    def _review_tiers(self, ledger: Ledger) -> None:
        """Tiers follow the expected audience; with the tier go the host's part, the agency's cut and the bargaining."""
        streamers = self.streamers
        size = streamers.popularity.astype(np.float64) * self._cell_weight()
        streamers.tier[:] = rank_tiers(size, streamers.country, self.cfg.firms, streamers.active)
        write_contracts(streamers, self.catalogue, self.cfg.economics, self.agency_cuts)
        ledger.regroup(Account.STREAMER, streamers.tier)

    def _cell_weight(self) -> F64:
        """float64[S]: habit for the streamer's platform in the country, so that shares of audiences compare."""
        shares = self.cfg.geography.platform_shares(self.cfg.availability)
        weight: F64 = shares[self.streamers.country, self.streamers.platform]
        return weight

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept between days."""
        return sum(value.nbytes for value in self.__dict__.values() if isinstance(value, np.ndarray))
