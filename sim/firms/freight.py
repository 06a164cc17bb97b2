"""Freight: by which bulk mode stock travels to warehouses abroad.

On its weekday a merchant compares, for each line and country, what a unit costs by air, sea, truck and rail:

    way = F (1 + duty) (1 + tax) + (u + F) i (lead time + safety) + storage x safety + loss u min(1, delay / cycle)

F: freight of the unit at today's price of the mode; u: production cost; i: interest and markdown a day; safety: days
of demand in safety stock, service factor x demand spread x lead time; delay: how much later than planned goods come,
with a closed mode reopening after `closure_days`; cycle: time between orders, so that delay / cycle is the share of a
cycle that is not sold. (The total-cost model of mode choice: Baumol and Vinod 1970; Tyworth 1991.)

Who has a better way than the usual one (sea, by road where there is one) under the rules of the base year must have
reasons not observed; they are backed out. On top each seller wants a keyed amount before it changes. So at rest nobody
does, and everybody comes back when prices do. Emissions follow the mode (`sim.agents.carrier`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.agents.merchant import borrowing_rate
from sim.config.economics import BULK_MODES
from sim.draws import Draws, Purpose
from sim.kernels.supply import AIR, FIRST_BULK, SEA, log_each
from sim.kinds import COUNTRIES, N_COUNTRIES, N_ORIGIN_WAREHOUSES, SELLER_CLASSES
from sim.rules import Rules
from sim.state.catalogue import Catalogue

type F64 = NDArray[np.float64]
type U8 = NDArray[np.uint8]
type I64 = NDArray[np.int64]

N_BULK = len(BULK_MODES)
TRUCK, RAIL = BULK_MODES.index("truck_bulk"), BULK_MODES.index("rail_bulk")
NO_WAY = 1e9
ASKED = ("linehaul", "customs", "tariff", "tax", "credit")
"""Groups of the rules that the comparison reads."""


class Terms(NamedTuple):
    """What bulk modes ask and need: usd_kg (C, B); days (C, B) from order to arrival; late (C, B) beyond the plan."""

    usd_kg: F64
    days: F64
    late: F64


class Goods(NamedTuple):
    """Goods to be sent, arrays that broadcast to (k, C, B): kg billed (small and cooled goods count more) and in store,
    made USD, interest a day, duty, tax, cycle days."""

    kg: F64
    weight: F64
    made: F64
    interest: F64
    duty: F64
    vat: F64
    cycle: F64


def way_cost(goods: Goods, terms: Terms, safety_share: float, storage_kg_day: float, loss: float) -> F64:
    """USD a unit by each mode, as far as modes differ; see the module's text. `safety_share`: safety stock per day of
    lead time, days of demand."""
    freight = goods.kg * terms.usd_kg
    safety = safety_share * terms.days
    held = (goods.made + freight) * goods.interest * (terms.days + safety)
    short = loss * goods.made * np.minimum(np.maximum(terms.late, 0.0) / goods.cycle, 1.0)
    cost: F64 = freight * (1.0 + goods.duty) * (1.0 + goods.vat) + held + storage_kg_day * goods.weight * safety + short
    return cost


class Freight:
    """Chooses bulk modes. Writes bulk_way and bulk_mix of the catalogue; n lines, C countries, B bulk modes."""

    def __init__(self, cfg: Any, draws: Draws, catalogue: Catalogue) -> None:
        self.cfg, self.catalogue = cfg, catalogue
        self.rule, self.stock = cfg.supply.freight, cfg.supply.stock
        economics = cfg.economics
        self._base_mix: F64 = np.tile([economics.bulk_mode_mix[name] for name in BULK_MODES], (N_COUNTRIES, 1))
        self._rate: F64 = np.array([economics.bulk_kg_usd[name] for name in BULK_MODES])
        self._weight: F64 = catalogue.merchant_size[catalogue.merchant].astype(np.float64) * catalogue.line_share
        self.usual: U8 = np.array([TRUCK if name in self.stock.by_truck else SEA for name in COUNTRIES], np.uint8)
        self.reach: NDArray[np.bool_] = np.ones((N_COUNTRIES, N_BULK), np.bool_)
        self.reach[:, TRUCK] = [name in self.stock.by_truck for name in COUNTRIES]
        self.reach[:, RAIL] = [name in self.rule.by_rail for name in COUNTRIES]
        luck = draws.uniform(
            Purpose.FREIGHT, np.arange(catalogue.n_lines)[:, None], np.arange(N_COUNTRIES * 8).reshape(1, -1)
        )
        slack = -log_each(luck.reshape(-1)).reshape(catalogue.n_lines, N_COUNTRIES, 8)[:, :, :N_BULK]
        self._slack: NDArray[np.float32] = np.float32(self.rule.spread) * slack + np.float32(self.rule.least_gain)
        self._at_rest: Terms | None = None
        self._base: Rules | None = None
        catalogue.bulk_way[:] = self.usual

    def terms(self, rules: Rules, lead: F64) -> Terms:
        """Today's terms; `lead` float64[24, B] days from order to arrival."""
        economics, carriage = self.cfg.economics, np.asarray(rules.linehaul.price_factor, np.float64)[FIRST_BULK:]
        usd = economics.by_country("lane_factor")[:, None] * self._rate * carriage
        closed = np.asarray(rules.linehaul.open)[FIRST_BULK:] == 0
        days = lead[N_ORIGIN_WAREHOUSES:]
        wait = np.where(closed, self.rule.closure_days, 0.0)
        planned = self._at_rest.days if self._at_rest is not None else days
        usual = np.take_along_axis(planned, self.usual[:, None].astype(np.int64), axis=1)
        return Terms(usd, days, days + wait - usual)

    def rest(self, rules: Rules, lead: F64) -> None:
        """Takes these rules and lead times for those of the base year."""
        self._base = rules
        self._at_rest = None
        self._at_rest = self.terms(rules, lead)

    def choose(self, rules: Rules, lead: F64, who: NDArray[np.bool_], made: NDArray[np.integer]) -> None:
        """Merchants `who` bool[m] choose for all their lines; `made` (n,) cents a unit costs."""
        base, at_rest = self._base, self._at_rest
        assert base is not None, "rest() says what the base year was like"
        assert at_rest is not None
        catalogue = self.catalogue
        lines = np.flatnonzero(who[catalogue.merchant])
        if lines.size == 0:
            return
        today = self.terms(rules, lead)
        same = all(getattr(rules, group) is getattr(base, group) for group in ASKED)
        if same and (catalogue.bulk_way[lines] == self.usual).all():
            return
        now = self._ways(lines, today, rules, made)
        then = self._ways(lines, at_rest, base, made)
        place = np.broadcast_to(self.usual.astype(np.int64)[None, :, None], (lines.size, N_COUNTRIES, 1))
        unseen = np.maximum(np.take_along_axis(then, place, axis=2) - then, 0.0)
        unseen += self._slack[lines] * (made[lines] / 100.0)[:, None, None]
        np.put_along_axis(unseen, place, 0.0, axis=2)
        catalogue.bulk_way[lines] = np.where(self.reach, now + unseen, NO_WAY).argmin(axis=2)
        self._mix()

    def _ways(self, lines: I64, terms: Terms, rules: Rules, made: NDArray[np.integer]) -> F64:
        """float64[k, C, B] USD a unit."""
        catalogue, economics = self.catalogue, self.cfg.economics
        seller = catalogue.seller_class[catalogue.merchant[lines]]
        kind = catalogue.category[lines]
        weight = catalogue.weight_kg[lines].astype(np.float64)
        billed = weight * np.where(seller == 0, economics.small_freight_factor, 1.0)
        billed = billed * np.where(catalogue.cold[lines] == 1, economics.cold_chain_factor, 1.0)
        interest = (borrowing_rate(rules) + [economics.markdown_year[name] for name in SELLER_CLASSES]) / 365.0
        cycle = np.array([self.stock.order_days[name] for name in SELLER_CLASSES])
        goods = Goods(
            kg=billed[:, None, None],
            weight=weight[:, None, None],
            made=(made[lines] / 100.0)[:, None, None],
            interest=interest[seller][:, None, None],
            duty=np.asarray(rules.tariff.bulk_duty_rate, np.float64).T[kind][:, :, None],
            vat=np.asarray(rules.tax.vat_rate, np.float64)[None, :, None],
            cycle=cycle[seller][:, None, None],
        )
        share = self.stock.service_factor * self.stock.demand_spread
        return way_cost(goods, terms, share, economics.storage_usd_kg_day, self.rule.stockout_cost)

    def _mix(self) -> None:
        """What merchants reckon a kilogram costs follows the modes chosen, weighed by expected sales."""
        catalogue = self.catalogue
        weight = self._weight[:, None] * catalogue.targets[catalogue.merchant]
        share = np.stack([(weight * (catalogue.bulk_way == by)).sum(axis=0) for by in range(N_BULK)], axis=1)
        share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-12)
        moved = share - np.eye(N_BULK)[self.usual]
        moved[weight.sum(axis=0) == 0] = 0.0
        catalogue.bulk_mix[:] = np.maximum(self._base_mix + moved, 0.0)

    def fly(self, rules: Rules) -> int:
        """1 while gaps can be flown in."""
        return int(np.asarray(rules.linehaul.open)[FIRST_BULK + AIR])
