"""Where 100 USD of sales go: the paper budget of a seller, before anything is simulated.

A pure function of the configuration. 100 USD are the value of orders *kept*, before tax, freight billed to the buyer
included; what returned orders cost is a line of its own. The buyer pays import duty on parcels and consumption tax on
top (delivered duty paid); import duty on stock is a cost of the seller, import tax on stock is reclaimed.

`python -m analysis.unit_economics` writes `docs/unit_economics.md` anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from sim.config.economics import BULK_MODES, FIXED_COSTS, PARCEL_MODES, Economics
from sim.config.geography import Geography
from sim.kinds import CATEGORIES, PLATFORMS, REGION_OF_COUNTRY, REGIONS

type ChannelKind = Literal["live", "shelf", "brand_site"]
type Seller = Literal["small", "large"]
type Route = Literal["direct", "stocked"]

CHANNEL_KINDS: tuple[ChannelKind, ...] = ("live", "shelf", "brand_site")
SELLERS: tuple[Seller, ...] = ("small", "large")
ROUTES: tuple[Route, ...] = ("direct", "stocked")
NET_BAND = (5.0, 12.0)
"""A seller's net on live sales, USD of 100."""

_DAYS = 365.0
_SHELF_RETURNS = 0.70  # returns off the rooms relative to live: 10-15 % conventional against 16-25 % (facts)
_TRANSIT_DAYS = {"direct": 14.0, "stocked": 48.0}  # goods paid for and under way: parcel lane; sea, rail, air mix
_DELIVERY_DAYS = {"direct": 18.0, "stocked": 3.0}  # order to door, before settlement starts to count


@dataclass(frozen=True, slots=True)
class Budget:
    """Parts of 100 USD of kept sales. The first thirteen lines and `net` add up to 100."""

    production: float
    import_duty: float
    logistics: float
    storage: float
    platform: float
    host: float
    slot_fees: float
    traffic: float
    payment: float
    returns: float
    finance: float
    stream_labour: float
    other_fixed: float
    net: float

    def lines(self) -> dict[str, float]:
        """Every line by name, `net` last."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def budget(
    economics: Economics, geography: Geography, category: str, kind: ChannelKind, seller: Seller, route: Route
) -> Budget:
    """The budget of one category, channel kind, seller class and route, at the configured mix of regions and tiers.

    Live platforms are averaged with the baseline's habit shares (`platform_weights`). Raises `KeyError` on an unknown
    name.
    """
    index = CATEGORIES.index(category)
    small = seller == "small"
    units = economics.units_per_order[category]
    kilograms = units * economics.weight_kg[category]
    tiers = np.asarray(economics.ladder_choice[category]) * economics.list_price_usd()[index]
    list_value = units * float(tiers.sum())
    discount = economics.live_discount if kind == "live" else economics.shelf_discount
    parcel = _parcel_cost(economics, kilograms, route) * (economics.small_freight_factor if small else 1.0)
    bulk = _bulk_cost(economics, kilograms, route) * (economics.small_freight_factor if small else 1.0)
    if category == "fresh_food":
        parcel, bulk = parcel * economics.cold_chain_factor, bulk * economics.cold_chain_factor
    sales = list_value * (1.0 - discount) + economics.freight_charged * parcel  # USD an order

    cost_factor = economics.small_cost_factor if small else 1.0
    production = list_value * economics.unit_cost_share[category] * cost_factor
    duty = _duty(economics, geography, index) * production if route == "stocked" else 0.0
    logistics = parcel + bulk
    days = economics.stock_days[route]
    storage_share = 1.0 if route == "stocked" else 0.1
    storage = kilograms * days * economics.storage_usd_kg_day * storage_share

    commission = _commission(economics, geography, kind, seller)
    host_part = _mean(economics.host_part, economics.host_sales_mix) if kind == "live" else 0.0
    slot = _mean(economics.slot_fee_share, economics.host_sales_mix) if kind == "live" else 0.0
    channel = PLATFORMS[0] if kind == "live" else kind
    traffic = economics.traffic_cost[channel][seller]
    payment = _payment_fee(economics, geography) + economics.fx_spread

    returned = economics.return_prior[category] * (1.0 if kind == "live" else _SHELF_RETURNS)
    per_kept = returned / (1.0 - returned)
    lost = (1.0 - economics.salvage[route]) * (production + duty)
    back = _mean(economics.return_usd, economics.sales_by_region) * economics.salvage[route]
    returns = per_kept * (logistics + lost + back + payment * sales)

    rate = economics.annual_rate[seller]
    stock_days = days + _TRANSIT_DAYS[route]
    wait = _DELIVERY_DAYS[route] + economics.settlement_days[kind]
    finance = (
        (production + duty) * (rate * stock_days + economics.markdown_year[seller] * days) + sales * 0.5 * rate * wait
    ) / _DAYS

    per_usd = 100.0 / sales
    labour, other = _fixed(economics, kind, seller)
    lines = {
        "production": production * per_usd,
        "import_duty": duty * per_usd,
        "logistics": logistics * per_usd,
        "storage": storage * per_usd,
        "platform": commission * (1.0 - host_part) * 100.0,
        "host": commission * host_part * 100.0,
        "slot_fees": slot * 100.0,
        "traffic": traffic * 100.0,
        "payment": payment * 100.0,
        "returns": returns * per_usd,
        "finance": finance * per_usd,
        "stream_labour": labour * 100.0,
        "other_fixed": other * 100.0,
    }
    return Budget(**lines, net=100.0 - sum(lines.values()))


def average(
    economics: Economics,
    geography: Geography,
    kinds: Sequence[ChannelKind] = ("live",),
    sellers: Sequence[Seller] = SELLERS,
    routes: Sequence[Route] = ROUTES,
    categories: Sequence[str] = CATEGORIES,
) -> Budget:
    """The sales-weighted mean budget over the named cells (weights: channel, class, route and category shares)."""
    totals: dict[str, float] = dict.fromkeys((field.name for field in fields(Budget)), 0.0)
    weight = 0.0
    for kind in kinds:
        for seller in sellers:
            for route in routes:
                for category in categories:
                    share = _weight(economics, kind, seller, route, category)
                    cell = budget(economics, geography, category, kind, seller, route).lines()
                    weight += share
                    for name, value in cell.items():
                        totals[name] += share * value
    return Budget(**{name: value / weight for name, value in totals.items()})


def order_value_usd(economics: Economics, kind: ChannelKind = "live") -> float:
    """Mean value of an order before tax, USD, from the sales mix, prices, tier mix and units per order."""
    interest = economics.live_interest if kind == "live" else economics.shelf_interest
    discount = economics.live_discount if kind == "live" else economics.shelf_discount
    prices = economics.list_price_usd()
    orders = 0.0
    for index, category in enumerate(CATEGORIES):
        value = economics.units_per_order[category] * float(
            np.asarray(economics.ladder_choice[category]) @ prices[index]
        )
        orders += interest[category] / (value * (1.0 - discount))
    return 1.0 / orders


def platform_weights(geography: Geography) -> dict[str, float]:
    """Share of each live platform in adopters' habits over all countries (availability as in the source report)."""
    shares = geography.adopters() @ geography.platform_shares("report")
    return {name: float(value) for name, value in zip(PLATFORMS, shares / shares.sum(), strict=True)}


def _mean(values: dict[str, float], weights: dict[str, float]) -> float:
    return sum(values[name] * weight for name, weight in weights.items())


def _parcel_cost(economics: Economics, kilograms: float, route: Route) -> float:
    """USD a parcel: pick and pack, last mile and, when direct, line-haul, over the mix of regions and modes."""
    total = 0.0
    for region, share in economics.sales_by_region.items():
        last_mile = economics.last_mile_usd[region] + economics.last_mile_kg_usd * max(kilograms - 1.0, 0.0)
        if route == "stocked":
            total += share * (economics.pick_pack_usd[region] + last_mile)
            continue
        haul = sum(
            economics.parcel_mode_mix[mode]
            * (economics.parcel_base_usd[mode] + economics.parcel_kg_usd[mode] * kilograms)
            for mode in PARCEL_MODES
        )
        total += share * (economics.pick_pack_usd["origin"] + economics.lane_factor[region] * haul + last_mile)
    return total


def _bulk_cost(economics: Economics, kilograms: float, route: Route) -> float:
    """USD an order for carrying stock to the region's warehouse; 0 when direct."""
    if route == "direct":
        return 0.0
    rate = sum(economics.bulk_mode_mix[mode] * economics.bulk_kg_usd[mode] for mode in BULK_MODES)
    return kilograms * rate * _mean(economics.lane_factor, economics.sales_by_region)


def _duty(economics: Economics, geography: Geography, category: int) -> float:
    """Duty on stock as share of production cost, over regions (countries within one by adults online)."""
    online, rates = geography.online_adults(), geography.duty_rate("bulk")[:, category]
    total = 0.0
    for index, region in enumerate(REGIONS):
        inside = np.asarray(REGION_OF_COUNTRY) == index
        total += economics.sales_by_region[region] * float(np.average(rates[inside], weights=online[inside]))
    return total


def _commission(economics: Economics, geography: Geography, kind: ChannelKind, seller: Seller) -> float:
    if kind != "live":
        return economics.commission[kind][seller]
    return sum(share * economics.commission[name][seller] for name, share in platform_weights(geography).items())


def _payment_fee(economics: Economics, geography: Geography) -> float:
    """Mean acquiring fee over regions' payment habits."""
    online, fees = geography.online_adults(), geography.payment_shares() @ economics.payment_fees()
    total = 0.0
    for index, region in enumerate(REGIONS):
        inside = np.asarray(REGION_OF_COUNTRY) == index
        total += economics.sales_by_region[region] * float(np.average(fees[inside], weights=online[inside]))
    return total


def _fixed(economics: Economics, kind: ChannelKind, seller: Seller) -> tuple[float, float]:
    """Stream labour over live sales, and the other fixed costs over all sales, as shares."""
    cost, sales = economics.fixed_cost[seller], economics.seller_sales_usd[seller]
    labour = cost["stream_labour"] / (sales * economics.live_share_of_sales) if kind == "live" else 0.0
    return labour, sum(cost[item] for item in FIXED_COSTS if item != "stream_labour") / sales


def _weight(economics: Economics, kind: ChannelKind, seller: Seller, route: Route, category: str) -> float:
    live = economics.live_share_of_sales
    channel = {
        "live": live,
        "shelf": (1.0 - live) * (1.0 - economics.brand_site_share),
        "brand_site": (1.0 - live) * economics.brand_site_share,
    }[kind]
    interest = economics.live_interest if kind == "live" else economics.shelf_interest
    direct = economics.direct_share if route == "direct" else 1.0 - economics.direct_share
    return channel * economics.sales_by_class[seller] * direct * interest[category]
