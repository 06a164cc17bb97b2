"""Where 100 USD of sales go: the paper budget of a seller, before anything is simulated.

A pure function of the configuration. 100 USD are the value of orders *kept*, before tax, freight billed to the buyer
included; what returned orders cost is a line of its own. The buyer pays import duty on parcels and consumption tax on
top (delivered duty paid); import duty on stock is a cost of the seller. Import tax on stock is left out, as every
consumption tax is; in the simulation it goes into the unit cost (`sim.kernels.supply.stocking_cost`).

`python -m analysis.unit_economics` writes `docs/unit_economics.md` anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from sim.config.economics import BULK_MODES, FIXED_COSTS, PARCEL_MODES, Economics
from sim.config.folders import data_folder
from sim.config.geography import Geography
from sim.config.quantity import load_group
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
    charged = list_value * (1.0 - discount)  # goods value of an order, USD; commission falls on it
    sales = charged + economics.freight_charged * parcel

    cost_factor = economics.small_cost_factor if small else 1.0
    production = list_value * economics.unit_cost_share[category] * cost_factor
    duty = _duty(economics, geography, index) * production if route == "stocked" else 0.0
    logistics = parcel + bulk
    days = economics.stock_days[route]
    storage = kilograms * days * economics.storage_usd_kg_day
    if route == "direct":
        storage *= economics.origin_storage_factor

    commission = _commission(economics, geography, kind, seller)
    host_part = _mean(economics.host_part, economics.host_sales_mix) if kind == "live" else 0.0
    slot = _mean(economics.slot_fee_share, economics.host_sales_mix) if kind == "live" else 0.0
    channel = PLATFORMS[0] if kind == "live" else kind
    traffic = economics.traffic_cost[channel][seller]
    payment = _payment_fee(economics, geography) + economics.fx_spread

    returned = economics.return_prior[category] * (1.0 if kind == "live" else economics.shelf_returns)
    per_kept = returned / (1.0 - returned)
    lost = (1.0 - economics.salvage[route]) * (production + duty)
    back = _mean(economics.return_usd, economics.sales_by_region) * economics.salvage[route]
    returns = per_kept * (logistics + lost + back + payment * sales)

    rate = economics.annual_rate[seller]
    stock_days = days + economics.transit_days[route]
    wait = economics.delivery_days[route] + economics.settlement_days[kind]
    goods = production + duty
    interest = rate * (goods * stock_days + (goods + logistics) * wait)
    finance = (interest + economics.markdown_year[seller] * goods * days) / _DAYS

    per_usd = 100.0 / sales
    labour, other = _fixed(economics, kind, seller)
    lines = {
        "production": production * per_usd,
        "import_duty": duty * per_usd,
        "logistics": logistics * per_usd,
        "storage": storage * per_usd,
        "platform": commission * (1.0 - host_part) * charged * per_usd,
        "host": commission * host_part * charged * per_usd,
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


_TITLES = {
    "production": "goods",
    "import_duty": "duty on stock",
    "logistics": "logistics",
    "storage": "storage",
    "platform": "platform",
    "host": "host and agency",
    "slot_fees": "slot fees",
    "traffic": "traffic",
    "payment": "payment, exchange",
    "returns": "returns",
    "finance": "interest, markdown",
    "stream_labour": "stream labour",
    "other_fixed": "other fixed",
    "net": "net",
}


def report(economics: Economics, geography: Geography) -> str:
    """The text of `docs/unit_economics.md`."""
    cells = {
        (kind, seller, route, category): budget(economics, geography, category, kind, seller, route)
        for kind in CHANNEL_KINDS
        for seller in SELLERS
        for route in ROUTES
        for category in CATEGORIES
    }
    live = average(economics, geography)
    everything = average(economics, geography, CHANNEL_KINDS)
    low, high = NET_BAND
    parts = [_INTRODUCTION]
    transport = live.logistics + live.storage
    headline = (
        f"**Headline.** Of 100 USD of kept live sales {live.production:.1f} go into goods, {transport:.1f} into "
        f"logistics and storage, {live.platform:.1f} to platforms, {live.host + live.slot_fees:.1f} to hosts and their "
        f"agencies (slot fees included), {live.returns:.1f} are lost on returns, and {live.net:.1f} are left to the "
        f"seller (band {low:g}-{high:g}). Over all channels the net is {everything.net:.1f}. The mean live order "
        f"is worth {order_value_usd(economics):.0f} USD in goods before tax (target 61, band 50-75)."
    )
    parts.append(textwrap.fill(headline, 118, break_on_hyphens=False))
    parts.append("## Averages\n")
    rows: list[tuple[str, Budget]] = [
        (_name(kind, seller, route), average(economics, geography, (kind,), (seller,), (route,)))
        for kind in CHANNEL_KINDS
        for seller in SELLERS
        for route in ROUTES
    ]
    rows += [(f"**{kind.replace('_', ' ')}**", average(economics, geography, (kind,))) for kind in CHANNEL_KINDS]
    rows.append(("**all**", everything))
    parts.append(_table(rows))
    for kind in CHANNEL_KINDS:
        parts.append(f"## {kind.replace('_', ' ').capitalize()}, by category\n")
        parts.append(
            _table(
                [
                    (f"{category}, {seller}, {route}", cells[kind, seller, route, category])
                    for category in CATEGORIES
                    for seller in SELLERS
                    for route in ROUTES
                ]
            )
        )
    parts.append("## Fixed costs of a real seller, USD a year\n")
    parts.append(_fixed_table(economics))
    outside = [(key, cell.net) for key, cell in cells.items() if not low <= cell.net <= high]
    parts.append("## Misses\n")
    parts.append(
        f"{len(outside)} of {len(cells)} cells lie outside {low:g}-{high:g}. The band is a target for live sales on "
        "average and for sellers over all channels; single\ncells need not keep it, and where they do not, sellers "
        "have a reason to change category, route or channel. The shelf and\nbrand sites leave more than live sales: "
        "advertising there costs less than hosts and slots at equal prices.\n"
    )
    parts.extend(
        f"* {_name(kind, seller, route)}: "
        + ", ".join(f"{category} {cells[kind, seller, route, category].net:.1f}" for category in missed)
        for kind in CHANNEL_KINDS
        for seller in SELLERS
        for route in ROUTES
        if (missed := [c for c in CATEGORIES if not low <= cells[kind, seller, route, c].net <= high])
    )
    return "\n".join(part if part.startswith("* ") else part.strip("\n") + "\n" for part in parts).rstrip("\n") + "\n"


_INTRODUCTION = """# Where 100 USD of sales go

Written by `python -m analysis.unit_economics` from `configs/economics` and `configs/geography`; do not edit by
hand.

A paper budget, before anything is simulated: prices, costs and shares are those the simulation starts from, and the
mix of regions, tiers, routes and payment methods is the assumed one. 100 USD are the value of orders the buyer
keeps, before tax, with the freight that is billed. What returned orders cost stands in a line of its own: outward
freight, the way back, lost goods, payment fees. On direct parcels the buyer pays duty and consumption tax on top;
on local stock the seller pays duty at import, and consumption tax stands outside the 100 USD as well.

In the simulation that tax on local stock is the import tax: it is paid on the bulk value, nobody reclaims it, and
local sales bear no further tax, so nothing could be set off against it. It therefore goes into the unit cost, and
countries with a high rate are asked a higher price; as a line's prices keep its list price on average over its
countries, what is left comes out of the contribution. It is less than the consumption tax of a registered local
seller, which falls on the retail price.

**Does the 15-25 % commission include the host? Yes.** The report's figure (claim s4-4-platform-commission) is read
as all a live seller pays on a sale. The platform collects it and passes `host_part` of it on to the host, who
shares it with the agency. Platforms so keep 5-8 % of live sales, as the shelf does (claim
s4-4-traditional-commission), and hosts receive 10-18 %; both agree with what is published elsewhere (TikTok Shop
2-8 %, Douyin 2-5 %, hosts 10-20 %). The literal reading, 15-25 % for the platform alone and the host on top, would
ask 25-45 % of a live sale: at the prices of the shelf no live seller could pay that. A cap on commission therefore
caps platform and host together.

Costs marked `closing` in `configs/economics` (goods cost by category, shelf traffic and discount, brand-site
traffic) were chosen within their ranges so that the accounts close; nothing here is evidence for them.
"""


def _name(kind: ChannelKind, seller: Seller, route: Route) -> str:
    return f"{kind.replace('_', ' ')}, {seller}, {route}"


def _table(rows: Sequence[tuple[str, Budget]]) -> str:
    lines = ["| USD of 100 | " + " | ".join(_TITLES.values()) + " |", "|---|" + "---:|" * len(_TITLES)]
    for name, cell in rows:
        lines.append(f"| {name} | " + " | ".join(f"{value:.1f}" for value in cell.lines().values()) + " |")
    return "\n".join(lines)


def _fixed_table(economics: Economics) -> str:
    lines = ["| | small | large |", "|---|---:|---:|"]
    for item in FIXED_COSTS:
        small, large = (f"{economics.fixed_cost[seller][item]:,.0f}" for seller in SELLERS)
        lines += [f"| {item.replace('_', ' ')} | {small} | {large} |"]
    sales = " | ".join(f"{economics.seller_sales_usd[seller]:,.0f}" for seller in SELLERS)
    return "\n".join([*lines, f"| sales over all channels | {sales} |"])


def main() -> None:
    """Write `docs/unit_economics.md` from the default configuration."""
    configs = data_folder("configs")
    economics = load_group(configs / "economics" / "default.yaml", Economics)
    geography = load_group(configs / "geography" / "default.yaml", Geography)
    target = configs.parent / "docs" / "unit_economics.md"
    target.write_text(report(economics, geography), encoding="utf-8")


if __name__ == "__main__":
    main()
