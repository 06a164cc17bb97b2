"""Merchants: what a unit costs them, the margin they price for, whether they stock abroad, and one row as a Mesa agent.

The merchants' columns are those of the catalogue; `merchant_table` shows them as a table whose arrays are the
catalogue's own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.agents.channel import effective_commission, traffic_rates
from sim.agents.view import ColumnAgent
from sim.config.economics import BULK_MODES
from sim.config.sources import MarketSource
from sim.kernels.money import landed_parts
from sim.kernels.prices import Toll, best_price
from sim.kernels.supply import CENT, CostTable, full_cost, kept_share, stocking_cost
from sim.kinds import N_COUNTRIES, N_PLATFORMS, N_TIERS, SELLER_CLASSES
from sim.rules import Rules
from sim.state.catalogue import Catalogue, sales_mix
from sim.state.table import Column, Table

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]

# How a unit is sold, in the width of the column `direct`: with plain numbers the cost functions are compiled once more.
DIRECT: Any = np.uint8(1)
STOCKED: Any = np.uint8(0)

MERCHANT_COLUMNS: tuple[Column, ...] = (
    Column("seller_class", np.uint8, "index", 0, 1, "build", "small or large, see kinds.SELLER_CLASSES"),
    Column("home_warehouse", np.uint8, "index", 0, 3, "build", "warehouse in China"),
    Column("merchant_category", np.uint8, "index", 0, 7, "build", "main category"),
    Column("merchant_size", np.float32, "share", 0, 1, "build", "weight in every country it sells to"),
    Column("reputation", np.float32, "1", 0, 1, "opinion", "public reputation"),
    Column("authenticity", np.float32, "share", 0, 1, "audits", "units that are genuine"),
    Column("return_guarantee", np.uint8, "0/1", 0, 1, "build", "1: guarantees returns of its own accord"),
    Column("insured", np.uint8, "0/1", 0, 1, "build", "1: pays for fulfilment insurance"),
    Column("own_site", np.uint8, "0/1", 0, 1, "build", "1: has a site of its own"),
    Column("lister", np.uint8, "0/1", 0, 1, "build", "1: lists on the shelf channel"),
    Column("on_platform", np.uint8, "0/1", 0, 1, "build", "1: sells through the platform", width=N_PLATFORMS),
    Column("targets", np.uint8, "0/1", 0, 1, "build", "1: sells to the country", width=N_COUNTRIES),
    Column("overseas_draw", np.float32, "1", 0, 1, "build", "offered a local warehouse below overseas_access"),
    Column("weekday", np.uint8, "index", 0, 6, "build", "day of the week of price and stock reviews"),
    Column("c2m", np.uint8, "0/1", 0, 1, "build", "1: owns its production and makes small lots after live demand"),
    Column("evades", np.uint8, "0/1", 0, 1, "declarations", "1: declares less and divides parcels where it pays"),
    Column("host_offer_permille", np.uint16, "permille", 0, 500, "offers", "of the price, added to the host's part"),
    Column("slot_fee_change", np.int16, "permille", -1000, None, "offers", "slot fee above the usual one"),
    Column("identity", np.uint32, "number", 0, None, "solvency", "number in the pool of potential merchants"),
    Column("trading", np.uint8, "0/1", 0, 1, "solvency", "1: in business"),
    Column("funded", np.float32, "share", 0, 1, "solvency", "stock wanted that the merchant can pay for"),
)


def merchant_table(catalogue: Catalogue) -> Table:
    """The merchants as a table for Mesa views. Afterwards the catalogue's merchant columns are the table's arrays."""
    values = {column.name: getattr(catalogue, column.name) for column in MERCHANT_COLUMNS}
    table = Table(MERCHANT_COLUMNS, catalogue.n_merchants, "merchants", **values)
    for column in MERCHANT_COLUMNS:
        setattr(catalogue, column.name, table[column.name])
    return table


def cost_table(cfg: MarketSource, catalogue: Catalogue, rules: Rules, origin_factor: float) -> CostTable:
    """What a unit costs to sell under today's rules; see `CostTable`.

    Of the catalogue: commission_asked, bulk_mix; `origin_factor` production cost against the base year (the yuan's
    price in dollars). Merchants ask one price in all channels, so commission and advertising enter as the mean over
    channels, weighted by expected sales.
    """
    economics, pricing = cfg.economics, cfg.supply.pricing
    live = economics.live_share_of_sales
    charge = effective_commission(catalogue.commission_asked, rules).astype(np.float64)
    charge += traffic_rates(economics, rules, cfg.supply.platforms.traffic_response)
    slot = live * float(
        sum(economics.slot_fee_share[tier] * economics.host_sales_mix[tier] for tier in economics.host_sales_mix)
    )
    fees = (cfg.geography.payment_shares() * rules.payment.fee_rate).sum(axis=1) + economics.fx_spread
    rate = charge.T @ sales_mix(cfg).T + slot
    sunk = np.tile(fees, (len(SELLER_CLASSES), 1))
    modes = np.array([economics.parcel_mode_mix[name] for name in ("express", "dedicated_line", "post", "rail")])
    line_haul = np.tensordot(modes, economics.parcel_cost_usd(np.array([0.0, 1.0])), axes=(0, 1))  # (C, 2)
    carriage = np.asarray(rules.linehaul.price_factor, np.float64)[-len(BULK_MODES) :]
    bulk = sum(
        economics.bulk_kg_usd[name] * catalogue.bulk_mix[:, by] * carriage[by] for by, name in enumerate(BULK_MODES)
    )
    return CostTable(
        origin_factor=float(origin_factor),
        origin_share=pricing.origin_currency_share,
        parcel_base=np.ascontiguousarray(line_haul[:, 0]),
        parcel_kg=np.ascontiguousarray(line_haul[:, 1] - line_haul[:, 0]),
        last_mile=economics.by_country("last_mile_usd"),
        last_mile_kg=economics.last_mile_kg_usd,
        pick_origin=economics.pick_pack_usd["origin"],
        pick=economics.by_country("pick_pack_usd"),
        bulk_kg=bulk * economics.by_country("lane_factor"),
        storage_kg_day=economics.storage_usd_kg_day,
        origin_storage=economics.origin_storage_factor,
        stock_days=np.array([economics.stock_days["direct"], economics.stock_days["stocked"]]),
        interest=(borrowing_rate(rules) + [economics.markdown_year[s] for s in SELLER_CLASSES]) / 365.0,
        duty=np.asarray(rules.tariff.bulk_duty_rate, np.float64).copy(),
        vat=np.asarray(rules.tax.vat_rate, np.float64).copy(),
        freight_charged=economics.freight_charged,
        cold=economics.cold_chain_factor,
        class_freight=np.array([economics.small_freight_factor, 1.0]),
        units=economics.by_category("units_per_order"),
        returns=economics.by_category("return_prior") * (live + (1 - live) * pricing.shelf_return_factor),
        return_usd=economics.by_country("return_usd"),
        return_loss=np.array([1.0 - economics.salvage["stocked"], 1.0 - economics.salvage["direct"]]),
        rate=np.ascontiguousarray(rate),
        sunk_rate=np.ascontiguousarray(sunk),
        discount=live * economics.live_discount + (1 - live) * economics.shelf_discount,
    )


def next_position(position: Any, result: Any, weekly_rate: Any, target: Any, part: float) -> Any:
    """Position after a week, cents: result and interest on debt added, a part of what exceeds `target` taken out.

    Arrays (m,) or scalars; below zero the position is debt.
    """
    grown = position + result - np.maximum(-position, 0.0) * weekly_rate
    return grown - np.maximum(grown - target, 0.0) * part


def funded_share(position: Any, line: Any, need: Any) -> Any:
    """Share of a full replenishment (`need` cents) that money and credit in hand pay for, 0-1. Arrays or scalars."""
    return np.clip((position + line) / np.maximum(need, 1e-9), 0.0, 1.0)


def borrowing_rate(rules: Rules) -> F64:
    """float64[2]: interest a year by seller class; rules hold it in single precision, a decimal fraction is meant."""
    rate: F64 = np.round(np.asarray(rules.credit.annual_rate, np.float64), 6)
    return rate


@njit(cache=True, error_model="numpy")
def _base_costs(
    costs: CostTable, merchant: NDArray[np.uint16], seller_class: NDArray[np.uint8], targets: NDArray[np.uint8],
    category: NDArray[np.uint8], cold: NDArray[np.uint8], weight_kg: F32, unit_cost_cents: NDArray[np.int32],
    list_cents: NDArray[np.int32], direct: NDArray[np.uint8], weights: F64, base: F32, margin: F32,
) -> None:  # fmt: skip
    n_lines, n_countries, tiers = base.shape
    for line in range(n_lines):
        seller = int(merchant[line])
        size = int(seller_class[seller])
        kind = int(category[line])
        somewhere = targets[seller].max() > 0  # who sells nowhere yet reckons with all countries
        for tier in range(tiers):
            total = 0.0
            cost_sum = 0.0
            kept_sum = 0.0
            for country in range(n_countries):
                if targets[seller, country] == 0 and somewhere:
                    continue
                sent = direct[line, country] if somewhere else DIRECT
                cost = full_cost(
                    costs, country, kind, size, unit_cost_cents[line, tier] * CENT, float(weight_kg[line]),
                    int(cold[line]), int(sent),
                )  # fmt: skip
                base[line, country, tier] = cost
                total += weights[country]
                cost_sum += weights[country] * cost
                kept_sum += weights[country] * kept_share(costs, country, kind, size)
            usual = (kept_sum * list_cents[line, tier] * CENT - cost_sum) / total
            for country in range(n_countries):
                margin[line, country, tier] = usual


def price_basis(catalogue: Catalogue, costs: CostTable, demand: F64) -> tuple[F32, F32]:
    """Cost and contribution per unit at build, float32[n, C, T] each, USD.

    The contribution is a line's own: what makes its price, averaged over its countries by expected `demand` (C,),
    equal to its list price. A country that costs more than the average is asked a higher price from the first day.
    """
    base = np.zeros((catalogue.n_lines, N_COUNTRIES, N_TIERS), np.float32)
    margin = np.zeros_like(base)
    _base_costs(
        costs, catalogue.merchant, catalogue.seller_class, catalogue.targets, catalogue.category, catalogue.cold,
        catalogue.weight_kg, catalogue.unit_cost_cents, catalogue.list_cents, catalogue.direct, demand, base, margin,
    )  # fmt: skip
    return base, margin


@njit(cache=True, error_model="numpy", nogil=True)
def _add_margins(
    costs: CostTable, merchant: NDArray[np.uint16], seller_class: NDArray[np.uint8], category: NDArray[np.uint8],
    cold: NDArray[np.uint8], weight_kg: F32, line_share: F32, unit_cost_cents: NDArray[np.int32],
    price_cents: NDArray[np.int32], direct: NDArray[np.uint8], weights: F64, left: F64, taken: F64,
) -> None:  # fmt: skip
    for line in range(merchant.size):
        seller = int(merchant[line])
        size = int(seller_class[seller])
        kind = int(category[line])
        for country in range(weights.size):
            if price_cents[line, country, 1] == 0:
                continue
            price = price_cents[line, country, 1] * CENT
            cost = full_cost(
                costs, country, kind, size, unit_cost_cents[line, 1] * CENT, float(weight_kg[line]), int(cold[line]),
                int(direct[line, country]),
            )  # fmt: skip
            units = weights[country] * line_share[line]
            left[seller, country] += units * (price * kept_share(costs, country, kind, size) - cost)
            taken[seller, country] += units * price * (1.0 - costs.discount)


def market_margins(catalogue: Catalogue, costs: CostTable, demand: F64) -> tuple[F64, F64]:
    """What merchants expect to be left with before fixed costs, and to take, in each country, float64[m, C] each.

    For one unit of demand spread over countries by `demand` (C,) and over lines by their share; second tier, today's
    prices and costs. The unit is the same for all merchants, so that only ratios and changes mean something.
    """
    left = np.zeros((catalogue.n_merchants, N_COUNTRIES))
    taken = np.zeros_like(left)
    _add_margins(
        costs, catalogue.merchant, catalogue.seller_class, catalogue.category, catalogue.cold, catalogue.weight_kg,
        catalogue.line_share, catalogue.unit_cost_cents, catalogue.price_cents, catalogue.direct, demand, left, taken,
    )  # fmt: skip
    return left, taken


@njit(cache=True, error_model="numpy")
def stocking_gain(
    costs: CostTable, country: int, category: int, seller: int, unit_cost: float, weight: float, cold: int,
    parcel_tax: float, days_saved: float, day_value: float, bias: float,
) -> float:  # fmt: skip
    """USD a unit by which local stock beats parcels from China, in the merchant's eyes.

    Difference of full cost, the duty and tax the buyer is spared at the door, the worth of an earlier delivery, and a
    bias for what is not modelled. Source: the make-or-hold comparison of landed cost; form assumed.
    """
    direct: float = full_cost(costs, country, category, seller, unit_cost, weight, cold, DIRECT)
    stocked: float = full_cost(costs, country, category, seller, unit_cost, weight, cold, STOCKED)
    return direct - stocked + parcel_tax + days_saved * day_value + bias


class RouteRule(NamedTuple):
    """Parameters of the choice between local stock and parcels from China.

    least_units: units a day of the sampled world, float64[2] by seller class; bias float64[2] USD a unit; day_value USD
    a unit and day; spread USD a unit.
    """

    least_units: F64
    bias: F64
    day_value: float
    spread: float


@njit(cache=True, error_model="numpy", nogil=True)
def choose_routes(
    rule: RouteRule, costs: CostTable, border: Any, weekday: int, access: F32, days_saved: F64, rate: F32,
    luck: F32, merchant: NDArray[np.uint16], seller_class: NDArray[np.uint8], merchant_weekday: NDArray[np.uint8],
    overseas_draw: F32, targets: NDArray[np.uint8], category: NDArray[np.uint8], cold: NDArray[np.uint8],
    weight_kg: F32, mean_cost_cents: NDArray[np.int32], price_cents: NDArray[np.int32],
    freight_cents: NDArray[np.int32], understated: NDArray[np.uint16], can_stock: NDArray[np.uint8],
    abroad: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Merchants whose weekday it is (all with -1) decide where to keep local stock; writes abroad uint8[n, C].

    A line is stocked in a country if the merchant is offered space there, demand is not below the least worth a lot,
    and local stock gains money (`stocking_gain`) with the merchant's own view (`luck`, standard normal float32[n, C]).
    Who cannot pay for more (`can_stock` uint8[m] 0) starts no local stock. access float32[C]; days_saved float64[C];
    rate float32[n, C] units a day expected.
    """
    for line in range(merchant.size):
        seller = int(merchant[line])
        if weekday >= 0 and int(merchant_weekday[seller]) != weekday:
            continue
        size = int(seller_class[seller])
        kind = int(category[line])
        made = mean_cost_cents[line] * CENT
        for country in range(abroad.shape[1]):
            before = abroad[line, country]
            abroad[line, country] = 0
            if before == 0 and can_stock[seller] == 0:
                continue
            if targets[seller, country] == 0 or overseas_draw[seller] >= access[country]:
                continue
            if rate[line, country] < rule.least_units[size]:
                continue
            freight = int(freight_cents[line, country])
            told = 1000 - int(understated[line, country])
            _, duty, vat = landed_parts(price_cents[line, country, 1], 0, freight, 1, country, kind, border[0], told)
            gain = stocking_gain(
                costs, country, kind, size, made, float(weight_kg[line]), int(cold[line]), (duty + vat) * CENT,
                days_saved[country], rule.day_value, rule.bias[size] + rule.spread * luck[line, country],
            )  # fmt: skip
            if gain > 0:
                abroad[line, country] = 1


class Merchant(ColumnAgent):
    """One merchant; see `MERCHANT_COLUMNS`. Methods are the readable form of what the kernels do for all."""

    @property
    def size(self) -> str:
        """Name of the seller class."""
        return SELLER_CLASSES[int(self.seller_class)]

    def may_store(self, rules: Rules, country: int) -> bool:
        """Whether the merchant is offered space in the country's warehouse."""
        return bool(self.overseas_draw < rules.warehousing.overseas_access[country])

    @staticmethod
    def asks(
        toll: Toll, cost: float, kept: float, remembered: float, slopes: tuple[float, float], reach: float
    ) -> float:
        """Best goods price, USD, of a tier that costs `cost` and keeps the share `kept` of it.

        `remembered`: landed price in buyers' minds, USD; `slopes` of disutility above and below it; `reach`: the
        merchant's view over its semi-elasticity, USD. See `sim.kernels.prices`.
        """
        floor = cost / kept
        return float(best_price(toll, floor, remembered, *slopes, reach, floor + reach, 0.0)[0])

    def stock_cost(
        self, costs: CostTable, country: int, category: int, unit_cost: float, weight: float, cold: int
    ) -> float:
        """USD of having one unit in the country's warehouse, duty and tax on its bulk value included."""
        return float(stocking_cost(costs, country, category, int(self.seller_class), unit_cost, weight, cold, 0))
