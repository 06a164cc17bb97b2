"""Goods and shares: categories, price ladders, production cost, commissions, fees, logistics cost, fixed costs.

The values stand in `configs/economics/default.yaml`; the methods hand them out as arrays in the order of `sim.kinds`.
Money is USD before tax, of 2023, a real seller's or a real parcel's; scaling to the sampled world happens at build.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import (
    CATEGORIES,
    CHANNELS,
    N_TIERS,
    PAYMENT_METHODS,
    REGION_OF_COUNTRY,
    REGIONS,
    SELLER_CLASSES,
    STREAMER_TIERS,
)

FIXED_COSTS = ("market_entry", "compliance", "tools", "stream_labour", "rent")
PARCEL_MODES = ("express", "dedicated_line", "post", "rail")
BULK_MODES = ("air_bulk", "sea_bulk", "truck_bulk", "rail_bulk")
ROUTES = ("direct", "stocked")

type Floats = npt.NDArray[np.float64]

_SHARE_TOLERANCE = 1e-6


class Economics(Group):
    """Prices, costs and shares. Field meanings, units, ranges and sources: `configs/economics`.

    `commission` is everything a seller pays on a sale, the host's part included: the host receives
    `host_part[tier]` of it, the channel keeps the rest.
    """

    reference_price: dict[str, float]
    price_ladder: dict[str, tuple[float, ...]]
    quality_ladder: dict[str, tuple[float, ...]]
    ladder_choice: dict[str, tuple[float, ...]]
    units_per_order: dict[str, float]
    weight_kg: dict[str, float]
    unit_cost_share: dict[str, float]
    small_cost_factor: float
    need_days: dict[str, float]
    elasticity: dict[str, float]
    fit_uncertainty: dict[str, float]
    spoilage: dict[str, float]
    return_prior: dict[str, float]
    shelf_returns: float
    live_interest: dict[str, float]
    shelf_interest: dict[str, float]
    live_discount: float
    shelf_discount: float
    commission: dict[str, dict[str, float]]
    host_part: dict[str, float]
    host_sales_mix: dict[str, float]
    slot_fee_share: dict[str, float]
    mcn_share: dict[str, float]
    buyer_service_fee: dict[str, float]
    traffic_cost: dict[str, dict[str, float]]
    payment_fee: dict[str, float]
    fx_spread: float
    insurance_premium: float
    insurance_cover: float
    parcel_base_usd: dict[str, float]
    parcel_kg_usd: dict[str, float]
    parcel_mode_mix: dict[str, float]
    bulk_kg_usd: dict[str, float]
    bulk_mode_mix: dict[str, float]
    lane_factor: dict[str, float]
    last_mile_usd: dict[str, float]
    last_mile_kg_usd: float
    pick_pack_usd: dict[str, float]
    storage_usd_kg_day: float
    origin_storage_factor: float
    transit_days: dict[str, float]
    delivery_days: dict[str, float]
    stock_days: dict[str, float]
    return_usd: dict[str, float]
    salvage: dict[str, float]
    cold_chain_factor: float
    small_freight_factor: float
    freight_charged: float
    annual_rate: dict[str, float]
    markdown_year: dict[str, float]
    settlement_days: dict[str, float]
    seller_sales_usd: dict[str, float]
    sales_by_class: dict[str, float]
    fixed_cost: dict[str, dict[str, float]]
    live_share_of_sales: float
    direct_share: float
    brand_site_share: float
    sales_by_region: dict[str, float]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for names, keys in _KEYS.items():
            for name in names:
                _need(name, getattr(self, name), keys)
        for channel in CHANNELS:
            _need(f"commission.{channel}", self.commission[channel], SELLER_CLASSES)
            _need(f"traffic_cost.{channel}", self.traffic_cost[channel], SELLER_CLASSES)
        for seller in SELLER_CLASSES:
            _need(f"fixed_cost.{seller}", self.fixed_cost[seller], FIXED_COSTS)
        for name in ("price_ladder", "quality_ladder", "ladder_choice"):
            for category, ladder in getattr(self, name).items():
                if len(ladder) != N_TIERS:
                    raise ValueError(f"{name}.{category} has {len(ladder)} steps instead of {N_TIERS}")
                if name != "ladder_choice" and list(ladder) != sorted(ladder):
                    raise ValueError(f"{name}.{category} must rise from step to step")
        for name in _SUM_TO_ONE:
            _sums_to_one(name, getattr(self, name).values())
        for category, shares in self.ladder_choice.items():
            _sums_to_one(f"ladder_choice.{category}", shares)
        return self

    def by_category(self, name: str) -> Floats:
        """float64[K] of a field keyed by category, e.g. `by_category("weight_kg")`."""
        return _vector(getattr(self, name), CATEGORIES)

    def list_price_usd(self) -> Floats:
        """float64[K, 4]: list price before tax by category and tier: reference price x ladder."""
        return self.by_category("reference_price")[:, None] * self.ladder("price_ladder")

    def order_usd(self) -> Floats:
        """float64[K]: usual value of an order at list prices by category, before tax and freight."""
        prices = (self.list_price_usd() * self.ladder("ladder_choice")).sum(axis=1)
        value: Floats = prices * self.by_category("units_per_order")
        return value

    def unit_cost_usd(self) -> Floats:
        """float64[2, K, 4]: production cost of a unit by seller class (small, large), category and tier."""
        large = self.list_price_usd() * self.by_category("unit_cost_share")[:, None]
        return np.stack([large * self.small_cost_factor, large])

    def ladder(self, name: str) -> Floats:
        """float64[K, 4] of `price_ladder` (relative price), `quality_ladder` (0-1) or `ladder_choice` (shares)."""
        return np.array([getattr(self, name)[c] for c in CATEGORIES], dtype=np.float64)

    def commissions(self) -> Floats:
        """float64[H, 2]: total charge on a sale by channel and seller class (small, large), host's part included."""
        return _classes(self.commission)

    def traffic_costs(self) -> Floats:
        """float64[H, 2]: advertising and paid traffic as share of sales."""
        return _classes(self.traffic_cost)

    def buyer_fees(self) -> Floats:
        """float64[H]: service fee on the buyer as share of goods value."""
        return _vector(self.buyer_service_fee, CHANNELS)

    def host_parts(self) -> Floats:
        """float64[3]: share of the commission passed on to the host, by streamer tier (head, middle, tail)."""
        return _vector(self.host_part, STREAMER_TIERS)

    def mcn_shares(self) -> Floats:
        """float64[3]: the agency's share of a signed host's income, by streamer tier."""
        return _vector(self.mcn_share, STREAMER_TIERS)

    def slot_fee_shares(self) -> Floats:
        """float64[3]: slot fee as share of the slot's expected sales, by streamer tier."""
        return _vector(self.slot_fee_share, STREAMER_TIERS)

    def payment_fees(self) -> Floats:
        """float64[M]: acquiring fee as share of the amount, by payment method, before the exchange margin."""
        return _vector(self.payment_fee, PAYMENT_METHODS)

    def by_country(self, name: str) -> Floats:
        """float64[C] of a field keyed by region, spread to countries, e.g. `by_country("last_mile_usd")`."""
        values = getattr(self, name)
        return np.array([values[REGIONS[r]] for r in REGION_OF_COUNTRY], dtype=np.float64)

    def parcel_cost_usd(self, kilograms: float | Floats) -> Floats:
        """float64[C, 4, ...]: line-haul of a direct parcel by country, mode (`PARCEL_MODES`) and weight."""
        kilograms = np.asarray(kilograms, dtype=np.float64)
        base, rate = _vector(self.parcel_base_usd, PARCEL_MODES), _vector(self.parcel_kg_usd, PARCEL_MODES)
        cost = base.reshape(-1, *[1] * kilograms.ndim) + rate.reshape(-1, *[1] * kilograms.ndim) * kilograms
        lanes: Floats = self.by_country("lane_factor").reshape(-1, *[1] * cost.ndim)
        return lanes * cost

    def last_mile_cost_usd(self, kilograms: float | Floats) -> Floats:
        """float64[C, ...]: domestic delivery of a parcel by country and weight."""
        kilograms = np.asarray(kilograms, dtype=np.float64)
        base = self.by_country("last_mile_usd").reshape(-1, *[1] * kilograms.ndim)
        cost: Floats = base + self.last_mile_kg_usd * np.maximum(kilograms - 1.0, 0.0)
        return cost

    def fixed_costs(self) -> Floats:
        """float64[2, 5]: fixed cost of a real seller, USD a year, by class (small, large) and item (`FIXED_COSTS`)."""
        return np.array([[self.fixed_cost[s][item] for item in FIXED_COSTS] for s in SELLER_CLASSES])


_KEYS: dict[tuple[str, ...], Sequence[str]] = {
    (
        "reference_price", "price_ladder", "quality_ladder", "ladder_choice", "units_per_order", "weight_kg",
        "unit_cost_share", "need_days", "elasticity", "fit_uncertainty", "spoilage", "return_prior", "live_interest",
        "shelf_interest",
    ): CATEGORIES,
    ("commission", "traffic_cost", "buyer_service_fee"): CHANNELS,
    ("host_part", "host_sales_mix", "slot_fee_share", "mcn_share"): STREAMER_TIERS,
    ("payment_fee",): PAYMENT_METHODS,
    ("parcel_base_usd", "parcel_kg_usd", "parcel_mode_mix"): PARCEL_MODES,
    ("bulk_kg_usd", "bulk_mode_mix"): BULK_MODES,
    ("lane_factor", "last_mile_usd", "return_usd", "sales_by_region"): REGIONS,
    ("pick_pack_usd",): ("origin", *REGIONS),
    ("stock_days", "transit_days", "delivery_days", "salvage"): ROUTES,
    ("annual_rate", "markdown_year", "seller_sales_usd", "sales_by_class", "fixed_cost"): SELLER_CLASSES,
    ("settlement_days",): ("live", "shelf", "brand_site"),
}  # fmt: skip

_SUM_TO_ONE = (
    "live_interest", "shelf_interest", "host_sales_mix", "parcel_mode_mix", "bulk_mode_mix", "sales_by_class",
    "sales_by_region",
)  # fmt: skip


def _vector(values: Mapping[str, float], names: Sequence[str]) -> Floats:
    return np.array([values[name] for name in names], dtype=np.float64)


def _classes(values: Mapping[str, Mapping[str, float]]) -> Floats:
    return np.array([[values[channel][seller] for seller in SELLER_CLASSES] for channel in CHANNELS], dtype=np.float64)


def _need(name: str, given: Mapping[str, object], wanted: Sequence[str]) -> None:
    unknown = [key for key in given if key not in wanted]
    missing = [key for key in wanted if key not in given]
    if unknown:
        raise ValueError(f"{name}: unknown {', '.join(unknown)}; allowed: {', '.join(wanted)}")
    if missing:
        raise ValueError(f"{name}: {', '.join(missing)} missing")


def _sums_to_one(name: str, shares: Iterable[float]) -> None:
    total = math.fsum(shares)
    if abs(total - 1.0) > _SHARE_TOLERANCE:
        raise ValueError(f"{name} sums to {total:.4f} instead of 1")
