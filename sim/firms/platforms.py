"""Platforms: commission, buyer fee and subsidy, price and weight of paid traffic, theta, and efforts, month by month.

Each platform reviews its instruments every `review_days`, one after the other, each as the best response to what the
others and the rules are (the conditions: `sim.agents.channel`). What it weighs is structural: prices, commissions in
force and the sellers on it, which no small sample blurs. How strongly orders fall with the price is the market's
semi-elasticity as merchants know it when reporting begins, and is held from then on: a year's drift in it is smaller
than its error.

What a platform sets reaches everybody as part of the rules (`in_force`): rules say what law, platforms and technology
say today. A mandate binds: where the law asks for more than the base year's, a platform cannot undo it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import (
    EFFORTS,
    Belief,
    Condition,
    Instruments,
    Trade,
    anchored,
    best_response,
    effective_commission,
    gain_commission,
    gain_fee,
    gain_tilt,
    gain_traffic_price,
    gain_traffic_weight,
    order_margin,
    reached,
    spared,
)
from sim.config.sources import MarketSource
from sim.firms.books import WEEK
from sim.kernels.supply import power_each
from sim.kinds import N_PLATFORMS, SELLER_CLASSES, STREAMER_TIERS
from sim.record.schema import MoneyPurpose
from sim.rules import LEAVES, Rules
from sim.state.catalogue import Catalogue, country_demand
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.table import Table

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

LOOK = 3  # day % 7 on which orders are read: one ordinary day a week stands for it
PAY = 2  # Mondays
STAGGER = 3  # days between the reviews of two platforms
TIER = 1  # step of a line's ladder whose price stands for the line
CENTS = 100.0
GRID = 6  # decimals of an instrument
COMMISSION, FEE, PRICE, WEIGHT, TILT = "commission", "fee", "traffic_price", "traffic_weight", "tilt"
TECHNOLOGY, DETECTION, GUARANTEE, MODERATION, SECURITY = range(len(EFFORTS))


class Instrument(NamedTuple):
    """What a platform sets: `kind` as in the rule's limits, frictions and steps, of a commission also whose it is."""

    kind: str
    seller: int | None = None  # index of the class of sellers who pay it


def mandated(leaf: F64, base: F64, wanted: F64) -> F64:
    """A share in force: what the platform wants, but not less than a mandate (a leaf above its baseline value)."""
    binding: F64 = np.where(leaf > base, np.maximum(leaf, wanted), wanted)
    return binding


def _commission(trade: Trade, belief: Belief, seller: int, share: float) -> float:
    charge = trade.charge.copy()
    charge[seller] = share
    return gain_commission(trade._replace(charge=charge), belief, seller)


class Platforms:
    """The eight live platforms' decisions. P platforms, C countries, n lines, H channels.

    Writes the catalogue's `commission_asked` and `service_fee` of live platforms and its own `Instruments`; posts what
    more or less effort costs. `weekly_cost` int64[H]: cents a week that channels spend at baseline; `baseline`: rules
    without interventions; `start_day`: first reported day, from which platforms respond.
    """

    def __init__(
        self,
        cfg: MarketSource,
        catalogue: Catalogue,
        streamers: Table,
        weekly_cost: I64,
        baseline: Rules,
        start_day: int,
    ) -> None:
        self.cfg, self.rule = cfg, cfg.supply.platforms
        self.catalogue, self.streamers = catalogue, streamers
        self.baseline, self.start_day = baseline, start_day
        self.own = Instruments.neutral()
        self._weekly_cost = np.asarray(weekly_cost, np.float64)[:N_PLATFORMS]
        economics = cfg.economics
        self._shares = cfg.geography.platform_shares(cfg.availability)  # (C, P)
        self._demand = country_demand(economics, cfg.geography)
        self._users = (cfg.geography.adopters()[:, None] * self._shares).sum(axis=0)
        self._users = self._users / self._users.sum()
        self._interest = economics.by_category("live_interest")
        kept = economics.by_category("units_per_order") * (1.0 - economics.by_category("return_prior"))
        self._units = kept * (1.0 - economics.live_discount)
        mix = np.array([economics.host_sales_mix[tier] for tier in STREAMER_TIERS])
        self._host = float(mix @ economics.host_parts())
        self._traffic = economics.traffic_costs()[:N_PLATFORMS]
        self._orders = np.zeros(N_PLATFORMS)  # orders on a day, smoothed
        self._weeks = 0
        self._read = 0
        self._anchored = False
        self._first_margin = np.ones(N_PLATFORMS)
        self._first_share = np.ones(N_PLATFORMS)
        self._value = np.ones(N_PLATFORMS)  # of a platform's trade against the anchor
        self._security = np.ones(N_PLATFORMS)  # the same, where the expected fine for a lapse counts too
        self._sensitivity = np.zeros(N_PLATFORMS)  # orders lost per dollar; known from the anchor on
        self._conditions: list[dict[Instrument, Condition]] = []
        self._fee_rest = catalogue.service_fee.copy()
        self._seen: Rules | None = None
        self._amended: Rules = baseline

    # -- what is in force ----------------------------------------------------------------------------------------------
    def in_force(self, rules: Rules) -> Rules:
        """The rules with what platforms have set; the same object while they have set nothing, or nothing new."""
        if not self.decides or self.own.at_rest:
            return rules
        if rules is not self._seen:
            self._seen, self._amended = rules, self._amend(rules)
        return self._amended

    @property
    def decides(self) -> bool:
        """Whether platforms decide at all."""
        return self.cfg.supply.decide.platforms

    def _amend(self, rules: Rules) -> Rules:
        own, base = self.own, self.baseline

        def leaf(of: Rules, path: str) -> F64:
            return np.asarray(of.get(path), np.float64)

        technology = own.effort[:, TECHNOLOGY]
        by_country = (self._shares / technology).sum(axis=1) / np.maximum(self._shares.sum(axis=1), 1e-9)
        changes: dict[str, F64] = {
            "subsidy.buyer_usd": leaf(rules, "subsidy.buyer_usd") + np.maximum(-own.net_fee, 0.0),
            "exposure.traffic_price": leaf(rules, "exposure.traffic_price") * own.traffic_price,
            "exposure.traffic_weight": leaf(rules, "exposure.traffic_weight") * own.traffic_weight,
            "exposure.margin_weight": leaf(rules, "exposure.margin_weight") + own.theta,
            "claims.moderation": leaf(rules, "claims.moderation") * own.effort[:, MODERATION],
            "privacy.breach_hazard": spared(leaf(rules, "privacy.breach_hazard"), own.effort[:, SECURITY]),
            "stream.stutter": np.minimum(leaf(rules, "stream.stutter") * by_country, 1.0),
            "language.translation": np.minimum(
                leaf(rules, "language.translation") * float(self._users @ technology), 1.0
            ),
        }
        guarantee = leaf(rules, "guarantee.coverage")
        wanted = guarantee.copy()
        wanted[:N_PLATFORMS] = np.minimum(guarantee[:N_PLATFORMS] * own.effort[:, GUARANTEE], 1.0)
        changes["guarantee.coverage"] = mandated(guarantee, leaf(base, "guarantee.coverage"), wanted)
        for path, kind in (("exposure.bot_detection", DETECTION), ("recommendation.precision", TECHNOLOGY)):
            share = leaf(rules, path)
            changes[path] = mandated(share, leaf(base, path), reached(share, own.effort[:, kind]))
        return rules.amend(
            {path: np.clip(value, LEAVES[path].low, LEAVES[path].high) for path, value in changes.items()}
        )

    # -- the evening ---------------------------------------------------------------------------------------------------
    def respond(self, rules: Rules, day: int, orders: Orders, ledger: Ledger, steepness: F64) -> None:
        """Learns, pays for effort, and reviews the instruments of the platform whose turn it is.

        `rules` are those of the day with what platforms have set; `steepness` float64[C, K] the market's
        semi-elasticity, 1/USD, as it is known today.
        """
        if not self.decides:
            return
        if day % WEEK == LOOK:
            self._learn(orders, day)
        self._read = orders.appended
        if day % WEEK == PAY:
            self._pay(ledger)
        if day + 1 < self.start_day:
            return
        if not self._anchored:
            self._anchor(steepness)
        for platform in range(N_PLATFORMS):
            if (day - self.start_day - STAGGER * platform) % self.rule.review_days == 0:
                self._review(platform, rules)

    def _learn(self, orders: Orders, day: int) -> None:
        """Reads the day's live orders: how many by platform."""
        seqs = np.arange(self._read, orders.appended, dtype=np.int64)
        rows = orders.find(seqs) if seqs.size else seqs
        rows = rows[rows >= 0]
        sold = np.bincount(orders.data["channel"][rows], minlength=N_PLATFORMS)[:N_PLATFORMS]
        self._weeks += 1
        pace = max(1.0 / self._weeks, 1.0 / self.rule.memory_weeks)
        self._orders += pace * (sold - self._orders)

    def _pay(self, ledger: Ledger) -> None:
        """What more or less effort costs than in the base year; spending follows the worth of the trade."""
        extra = self._weekly_cost * self.rule.effort_cost_share * (self._value - 1.0)
        cents = np.rint(extra).astype(np.int64)
        channels = ledger.account(Account.CHANNEL, np.arange(N_PLATFORMS))
        ledger.post(MoneyPurpose.TECHNOLOGY, channels, ledger.account(Account.REST_OF_WORLD), cents)

    # -- a review ------------------------------------------------------------------------------------------------------
    def _share(self) -> F64:
        """float64[P]: share of live orders, drawn towards the share of users while few have been seen.

        What all platforms gain or lose together is taken for the season.
        """
        seen = self._orders.sum() * min(self._weeks, 2 * self.rule.memory_weeks)
        own = self._orders / max(self._orders.sum(), 1e-9)
        weight = seen / (seen + self.rule.trust_orders)
        share: F64 = weight * own + (1.0 - weight) * self._users
        return np.maximum(share, 1e-6)

    def _anchor(self, steepness: F64) -> None:
        """What the base year's instruments were best for, under baseline rules, with today's prices and sellers."""
        self._anchored = True
        place = self._demand[:, None] * self._shares  # (C, P)
        place = place / np.maximum(place.sum(axis=0), 1e-12)
        self._sensitivity = (place * (steepness * self._interest).sum(axis=1)[:, None]).sum(axis=0)
        self._first_share = self._share()
        for platform in range(N_PLATFORMS):
            trade, belief = self.trade(platform, self.baseline), self.belief(platform)
            self._first_margin[platform] = order_margin(trade, belief)
            steps = self.rule.steps
            self._conditions.append(
                {
                    one: anchored(gain, self._now(trade, one), steps[one.kind])
                    for one, gain in self._gains(trade, belief).items()
                }
            )

    def trade(self, platform: int, rules: Rules) -> Trade:
        """An average order of a platform under given rules, its own instruments as they are."""
        catalogue, own = self.catalogue, self.own
        merchant = catalogue.merchant
        place = self._demand * self._shares[:, platform]
        size = catalogue.merchant_size[merchant].astype(np.float64) * catalogue.line_share
        size = size * catalogue.on_platform[merchant, platform]
        price = catalogue.price_cents[:, :, TIER]
        where = (price > 0) * place[None, :]
        reach = where.sum(axis=1)
        usd = (price * where).sum(axis=1) / np.maximum(reach, 1e-12) / CENTS
        weight = size * reach
        total = weight.sum()
        weight = weight / total if total > 0 else np.full(weight.size, 1.0 / weight.size)
        spent = weight * usd * self._units[catalogue.category]
        seller = catalogue.seller_class[merchant]
        by_class = np.bincount(seller, weights=spent, minlength=len(SELLER_CLASSES))
        value = float(by_class.sum())
        charge = effective_commission(catalogue.commission_asked, rules)[platform].astype(np.float64)
        margin = (1.0 - self._host) * charge[seller] * usd
        mean = float(weight @ margin)
        hosts = np.flatnonzero((self.streamers.platform == platform) & (self.streamers.active == 1))
        crowd = self.streamers.popularity[hosts] * self._shares[self.streamers.country[hosts], platform]
        push = self.cfg.supply.exposure.traffic * self.streamers.traffic[hosts].astype(np.float64)
        crowd = crowd / max(float(crowd.sum()), 1e-12)
        pushed = float(crowd @ push)
        return Trade(
            value=value,
            mix=by_class / max(value, 1e-9),
            charge=charge,
            host=self._host,
            traffic=self._traffic[platform],
            traffic_price=float(own.traffic_price[platform]),
            traffic_weight=float(own.traffic_weight[platform]),
            traffic_spread=float(crowd @ (push - pushed) ** 2),
            net_fee=float(own.net_fee[platform]),
            tilt=float(own.theta[platform]) * self.cfg.supply.exposure.expected_conversion,
            margin_spread=float(weight @ (margin - mean) ** 2),
        )

    def belief(self, platform: int) -> Belief:
        """How the platform thinks others respond."""
        rule = self.rule
        return Belief(
            float(self._sensitivity[platform]), rule.pass_through, rule.multihoming, rule.traffic_response,
            rule.relevance,
        )  # fmt: skip

    def _gains(self, trade: Trade, belief: Belief) -> dict[Instrument, Callable[[float], float]]:
        """What one more unit of each instrument brings, the others as they are; in the order of the review."""
        gains: dict[Instrument, Callable[[float], float]] = {
            Instrument(FEE): lambda fee: gain_fee(trade._replace(net_fee=fee), belief),
        }
        for seller in range(len(SELLER_CLASSES)):
            gains[Instrument(COMMISSION, seller)] = partial(_commission, trade, belief, seller)
        gains[Instrument(PRICE)] = lambda price: gain_traffic_price(trade._replace(traffic_price=price), belief)
        gains[Instrument(WEIGHT)] = lambda weight: gain_traffic_weight(trade._replace(traffic_weight=weight), belief)
        gains[Instrument(TILT)] = lambda tilt: gain_tilt(trade._replace(tilt=tilt), belief)
        return gains

    @staticmethod
    def _now(trade: Trade, one: Instrument) -> float:
        """The instrument's value in a trade."""
        if one.seller is not None:
            return float(trade.charge[one.seller])
        by_kind = {FEE: trade.net_fee, PRICE: trade.traffic_price, WEIGHT: trade.traffic_weight, TILT: trade.tilt}
        return by_kind[one.kind]

    def _review(self, platform: int, rules: Rules) -> None:
        rule, own = self.rule, self.own
        conditions, belief = self._conditions[platform], self.belief(platform)
        moved = False
        trade = self.trade(platform, rules)
        for one, condition in conditions.items():
            low, high = rule.limits[one.kind]
            wanted = best_response(self._gains(trade, belief)[one], condition, rule.friction[one.kind], low, high)
            if self._set(platform, one, wanted, rule.steps[one.kind], rules):
                moved |= one.kind != COMMISSION  # of which the rules know nothing
                trade = self.trade(platform, rules)
        margin = max(order_margin(trade, belief), 0.0)
        worth = margin / self._first_margin[platform] * self._share()[platform] / self._first_share[platform]
        worths = np.full(len(EFFORTS), worth)
        worths[SECURITY] += rule.law_weight * (self._threat(platform, rules) - worth)
        if abs(worth - self._value[platform]) > rule.steps["effort"] or (
            abs(worths[SECURITY] - self._security[platform]) > rule.steps["effort"]
        ):
            self._value[platform], self._security[platform] = worth, worths[SECURITY]
            effort = power_each(worths.astype(np.float32), np.float32(1.0 / rule.effort_curvature))
            own.effort[platform] = np.maximum(effort, rule.least_effort)
            moved = True
        if moved:
            self._seen = None

    def _threat(self, platform: int, rules: Rules) -> float:
        """Expected fine for a lapse in data safety where the platform works, against the base year's."""

        def fine(of: Rules) -> float:
            places = self._demand * self._shares[:, platform]
            return float((places * np.asarray(of.privacy.audit_hazard, np.float64) * of.privacy.fine_share).sum())

        before = fine(self.baseline)
        return fine(rules) / before if before > 0.0 else 1.0

    def _set(self, platform: int, one: Instrument, wanted: float, step: float, rules: Rules) -> bool:
        """Moves an instrument if it should move by more than its menu cost; whether it did."""
        own = self.own
        if one.seller is not None:
            asked = self.catalogue.commission_asked
            before, cap = float(asked[platform, one.seller]), float(rules.commission.cap[platform, one.seller])
            target = wanted if wanted < cap else max(before, cap)  # asking beyond a cap gains nothing
            if abs(target - before) <= step:
                return False
            asked[platform, one.seller] = round(target, GRID)
            return True
        column = {FEE: own.net_fee, PRICE: own.traffic_price, WEIGHT: own.traffic_weight, TILT: own.theta}[one.kind]
        unit = self.cfg.supply.exposure.expected_conversion if one.kind == TILT else 1.0
        if abs(wanted - float(column[platform]) * unit) <= step:
            return False
        column[platform] = round(wanted / unit, GRID)
        if one.kind == FEE:  # channels ask it as a share of the goods
            asked_more = max(wanted, 0.0) / max(self.trade(platform, rules).value, 1.0)
            self.catalogue.service_fee[platform] = round(float(self._fee_rest[platform]) + asked_more, GRID)
        return True

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's decisions depend on, by name."""
        own = self.own
        return {
            "net fee": own.net_fee,
            "traffic price": own.traffic_price,
            "traffic weight": own.traffic_weight,
            "theta": own.theta,
            "effort": own.effort,
            "value": self._value,
            "security": self._security,
            "orders": self._orders,
            "sensitivity": self._sensitivity,
        }
