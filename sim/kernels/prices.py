"""Best prices, compiled: what a merchant asks, given how steeply buyers respond and what the border adds.

Demand for an offer is taken to fall with its landed price L as exp(-U(L)), U piecewise linear with a kink at the price
that buyers remember, steeper above it: the local form of logit demand with reference dependence (Berry 1994; Tversky
and Kahneman 1991; Heidhues and Koszegi 2008 for the pricing that follows). Of a price p the share k is kept and a unit
costs c, so the merchant maximises exp(-U(L(p))) (k p - c). Where L(p) has slope 1 + tau, the first-order condition is

    p - c / k = view / (s (1 + tau))

s is the semi-elasticity of demand (1/USD), `view` what the merchant is to buyers beyond it (brand, service), backed out
once. All amounts are USD, float64; exponentials and logarithms are those of `sim.kernels.maths`, for the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.maths import exp1, log1, sigmoid
from sim.kernels.supply import CENT, CENTS, ROUND, CostTable, delivery_cost, full_cost, kept_share

type U8 = NDArray[np.uint8]
type U16 = NDArray[np.uint16]
type I32 = NDArray[np.int32]
type I64 = NDArray[np.int64]
type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]

NEVER = -1e9  # log profit of a price that does not cover its cost
NO_LIMIT = 1e9  # USD: beyond any price
PPM = 1e-6
PERMILLE = 1e-3
FULL = 1000  # permille: the true value
MICRO = np.float32(1_000_000)  # sums over orders are kept in millionths, as whole numbers
SHELF_CHANNEL = 8
WEEK = 7


class Toll(NamedTuple):
    """What the border adds to one offer, USD and shares.

    `duty`, `vat` rates (0 where none is due); `duty_above`, `vat_above` goods prices above which they fall due;
    `freight` billed, `dutiable` the part of it that duty is charged on; `declared` share of the goods' value declared.
    """

    duty: float
    vat: float
    duty_above: float
    vat_above: float
    freight: float
    dutiable: float
    declared: float


@njit(cache=True, error_model="numpy")
def toll_of(border: Any, country: int, category: int, direct: int, freight_cents: int, declared_permille: int) -> Toll:
    """The toll on a line's offer in a country; goods from a local warehouse pay none at the door."""
    freight = freight_cents * CENT
    declared = declared_permille * PERMILLE
    duty, vat = 0.0, 0.0
    duty_above, vat_above = NO_LIMIT, NO_LIMIT
    if direct != 0 and declared > 0.0:
        if border.duty_ppm[country, category] > 0:
            duty = border.duty_ppm[country, category] * PPM
            duty_above = border.duty_free[country] * CENT / declared
        if border.vat_ppm[country] > 0 and border.vat_free[country] >= 0:
            vat = border.vat_ppm[country] * PPM
            vat_above = border.vat_free[country] * CENT / declared
    dutiable = freight if border.freight_dutiable[country] != 0 else 0.0
    return Toll(duty, vat, duty_above, vat_above, freight, dutiable, declared)


@njit(cache=True, error_model="numpy")
def slope_of(toll: Toll, duty_due: bool, vat_due: bool) -> float:
    """Rise of the landed price with the goods price, 1 + tau."""
    duty = toll.duty * toll.declared if duty_due else 0.0
    return 1.0 + duty + (toll.vat * (toll.declared + duty) if vat_due else 0.0)


@njit(cache=True, error_model="numpy")
def landed_at(toll: Toll, price: float, duty_due: bool, vat_due: bool) -> float:
    """Landed price of a goods price, USD, with the taxes that are said to be due."""
    value = price * toll.declared
    duty = toll.duty * (value + toll.dutiable) if duty_due else 0.0
    return price + toll.freight + duty + (toll.vat * (value + toll.freight + duty) if vat_due else 0.0)


@njit(cache=True, error_model="numpy")
def landed_usd(toll: Toll, price: float) -> float:
    """Landed price of a goods price, USD; `sim.kernels.money.landed_parts` to the cent."""
    return landed_at(toll, price, price > toll.duty_above, price > toll.vat_above)


@njit(cache=True, error_model="numpy")
def disutility(landed: float, remembered: float, above: float, below: float, reach: float) -> float:
    """U(L): what a landed price takes from log demand, measured from the remembered price.

    `above`, `below`: slope above and below the remembered price against the reference-free one; `reach` view / s, USD.
    """
    gap = landed - remembered
    return (above if gap > 0.0 else below) * gap / reach


@njit(cache=True, error_model="numpy")
def log_profit(
    landed: float, price: float, floor: float, remembered: float, above: float, below: float, reach: float
) -> float:
    """Log of demand x margin, up to a constant; `floor` is the cost over the share kept."""
    if price <= floor:
        return NEVER
    return float(log1(np.float32(price - floor))) - disutility(landed, remembered, above, below, reach)


@njit(cache=True, error_model="numpy")
def best_within(
    toll: Toll, low: float, high: float, floor: float, remembered: float, above: float, below: float, reach: float
) -> float:
    """Best price in (low, high], between two thresholds of the border; log profit is concave there.

    The optimum lies above the remembered price, at it, or below it; the kink holds prices at it over a band of costs.
    """
    duty_due, vat_due = low >= toll.duty_above, low >= toll.vat_above
    slope = slope_of(toll, duty_due, vat_due)
    kink = (remembered - landed_at(toll, 0.0, duty_due, vat_due)) / slope
    price = floor + reach / (above * slope)
    if price < kink:
        price = min(floor + reach / (below * slope), kink)
    return min(max(price, low + CENT), high)


@njit(cache=True, error_model="numpy")
def best_price(
    toll: Toll,
    floor: float,
    remembered: float,
    above: float,
    below: float,
    reach: float,
    home: float,
    hurdle: float,
) -> tuple[float, float]:
    """The price of greatest profit and the log of that profit.

    A threshold cuts the prices into stretches, with a jump of the landed price between them. To leave the stretch of
    the `home` price costs `hurdle` (log profit): what must have held the merchant back when it was backed out.
    """
    first, second = min(toll.duty_above, toll.vat_above), max(toll.duty_above, toll.vat_above)
    price, value = home, 2.0 * NEVER
    for stretch in range(3):
        low = 0.0 if stretch == 0 else (first if stretch == 1 else second)
        high = first if stretch == 0 else (second if stretch == 1 else NO_LIMIT)
        if high - low < CENT:
            continue
        found = best_within(toll, low, high, floor, remembered, above, below, reach)
        landed = landed_at(toll, found, low >= toll.duty_above, low >= toll.vat_above)
        worth = log_profit(landed, found, floor, remembered, above, below, reach)
        if not low < home <= high:
            worth -= hurdle
        if worth > value:
            price, value = found, worth
    return price, value


@njit(cache=True, error_model="numpy")
def same_stretch(toll: Toll, price: float, other: float) -> bool:
    """Whether two prices lie on the same side of every threshold."""
    return (price > toll.duty_above) == (other > toll.duty_above) and (price > toll.vat_above) == (
        other > toll.vat_above
    )


@njit(cache=True, error_model="numpy")
def view_of(margin: float, steep: float, slope: float, above: float, below: float) -> float:
    """The view that makes a margin (price less cost over the share kept, USD) the optimum, in the middle of the band
    that the kink leaves: margin x s x (1 + tau) x the geometric mean of the two slopes."""
    return margin * steep * slope * float(np.sqrt(above * below))


@njit(cache=True, error_model="numpy")
def gain_of(
    toll: Toll,
    price: float,
    better: float,
    floor: float,
    kept: float,
    remembered: float,
    above: float,
    below: float,
    reach: float,
    home: float,
    hurdle: float,
) -> float:
    """USD a unit (sold at the old price) by which a new price raises profit."""
    old = disutility(landed_usd(toll, price), remembered, above, below, reach)
    new = disutility(landed_usd(toll, better), remembered, above, below, reach)
    old += 0.0 if same_stretch(toll, price, home) else hurdle
    new += 0.0 if same_stretch(toll, better, home) else hurdle
    return kept * ((better - floor) * float(exp1(np.float32(old - new))) - (price - floor))


class Listing(NamedTuple):
    """What prices hang on, columns of the catalogue but for the first; n lines, m merchants, C countries, T tiers."""

    given: F64  # (m,) what offers to hosts take of the price of a mean sale
    merchant: U16  # (n,)
    seller_class: U8  # (m,)
    weekday: U8  # (m,)
    targets: U8  # (m, C)
    category: U8  # (n,)
    cold: U8  # (n,)
    weight_kg: F32  # (n,)
    unit_cost_cents: I32  # (n, T)
    direct: U8  # (n, C)
    understated_permille: U16  # (n, C)
    landed_cents: I32  # (n, C, T) as shown yesterday
    price_cents: I32  # (n, C, T), written
    freight_cents: I32  # (n, C), written


class Beliefs(NamedTuple):
    """What merchants believe when they price.

    worth, home, hurdle float32[n, C, T]: the view (`view_of`), 0 until it is known; see `best_price`, home in USD;
    steep float32[n, C]: semi-elasticity of the line's demand, 1/USD; remembered float32[n, C]: what buyers remember of
    the lowest tier's landed price, USD; above, below float32[C, K]; rate float32[n, C]: units a day expected;
    tier_share float64[K, T]; menu float64[2]: USD a change costs, of the sampled world, by seller class; horizon: days.
    """

    worth: F32
    home: F32
    hurdle: F32
    steep: F32
    remembered: F32
    above: F32
    below: F32
    rate: F32
    tier_share: F64
    menu: F64
    horizon: float


@njit(cache=True, error_model="numpy", nogil=True)
def back_out(
    beliefs: Beliefs, listing: Listing, costs: CostTable, borders: NDArray[Any], least: float, reserve: F32
) -> None:
    """Fills view, home and hurdle of every offer whose view is not known, so that today's price is its best.

    `least`: smallest margin taken for real, share of the price. `reserve` float32[n, C]: by how much what held a
    merchant back from a price across a threshold exceeds what it would have gained there, log profit.
    """
    border = borders[0]
    for line in range(listing.merchant.size):
        seller = int(listing.merchant[line])
        kind, size = int(listing.category[line]), int(listing.seller_class[seller])
        weight, cold = float(listing.weight_kg[line]), int(listing.cold[line])
        for country in range(listing.targets.shape[1]):
            if listing.price_cents[line, country, 0] == 0 or beliefs.worth[line, country, 0] > 0.0:
                continue
            sent = int(listing.direct[line, country])
            kept = kept_share(costs, country, kind, size) - (1.0 - costs.discount) * listing.given[seller]
            above, below = float(beliefs.above[country, kind]), float(beliefs.below[country, kind])
            steep = float(beliefs.steep[line, country])
            toll = toll_of(
                border, country, kind, sent, int(listing.freight_cents[line, country]),
                FULL - int(listing.understated_permille[line, country]),
            )  # fmt: skip
            for tier in range(listing.price_cents.shape[2]):
                price = listing.price_cents[line, country, tier] * CENT
                made = listing.unit_cost_cents[line, tier] * CENT
                floor = full_cost(costs, country, kind, size, made, weight, cold, sent) / kept
                slope = slope_of(toll, price > toll.duty_above, price > toll.vat_above)
                margin = max(price - floor, least * price)
                view = view_of(margin, steep, slope, above, below)
                remembered = landed_usd(toll, price)
                value = log_profit(remembered, price, price - margin, remembered, above, below, view / steep)
                _, best = best_price(toll, price - margin, remembered, above, below, view / steep, price, 0.0)
                beliefs.worth[line, country, tier] = np.float32(view)
                beliefs.home[line, country, tier] = np.float32(price)
                beliefs.hurdle[line, country, tier] = np.float32(max(best - value, 0.0)) + reserve[line, country]


@njit(cache=True, error_model="numpy", nogil=True)
def respond(
    beliefs: Beliefs,
    listing: Listing,
    costs: CostTable,
    borders: NDArray[Any],
    weekday: int,
    priced_direct: U8,
    changes: I64,
) -> int:
    """Merchants whose weekday it is (all with -1) price by best response; returns how many prices and freights changed.

    All tiers of a line in a country are listed together: they are repriced if what that gains over the horizon exceeds
    the menu cost. A line that has moved between direct and stocked (`priced_direct`) is listed anew at once. `changes`
    int64[m] counts listings made anew. An offer whose view is not known is left alone.
    """
    border = borders[0]
    changed = 0
    tiers = listing.price_cents.shape[2]
    found = np.empty(tiers, np.float64)
    for line in range(listing.merchant.size):
        seller = int(listing.merchant[line])
        due = weekday < 0 or int(listing.weekday[seller]) == weekday
        kind, size = int(listing.category[line]), int(listing.seller_class[seller])
        weight, cold = float(listing.weight_kg[line]), int(listing.cold[line])
        for country in range(listing.targets.shape[1]):
            if listing.targets[seller, country] == 0 or beliefs.worth[line, country, 0] <= 0.0:
                continue
            moved = listing.direct[line, country] != priced_direct[line, country]
            if not due and not moved:
                continue
            priced_direct[line, country] = listing.direct[line, country]
            sent = int(listing.direct[line, country])
            billed = delivery_cost(costs, country, kind, size, weight, cold, sent)[1]
            freight = np.int32(billed * CENTS + ROUND)
            if freight != listing.freight_cents[line, country]:
                listing.freight_cents[line, country] = freight
                changed += 1
            kept = kept_share(costs, country, kind, size) - (1.0 - costs.discount) * listing.given[seller]
            above, below = float(beliefs.above[country, kind]), float(beliefs.below[country, kind])
            steep = float(beliefs.steep[line, country])
            toll = toll_of(
                border, country, kind, sent, int(freight), FULL - int(listing.understated_permille[line, country])
            )  # fmt: skip
            shown = listing.landed_cents[line, country, 0] * CENT
            known = float(beliefs.remembered[line, country]) / shown if shown > 0.0 else 1.0
            gain = 0.0
            for tier in range(tiers):
                price = listing.price_cents[line, country, tier] * CENT
                made = listing.unit_cost_cents[line, tier] * CENT
                floor = full_cost(costs, country, kind, size, made, weight, cold, sent) / kept
                reach = float(beliefs.worth[line, country, tier]) / steep
                remembered = known * (listing.landed_cents[line, country, tier] * CENT)
                home, hurdle = float(beliefs.home[line, country, tier]), float(beliefs.hurdle[line, country, tier])
                found[tier] = best_price(toll, floor, remembered, above, below, reach, home, hurdle)[0]
                gain += beliefs.tier_share[kind, tier] * gain_of(
                    toll, price, found[tier], floor, kept, remembered, above, below, reach, home, hurdle
                )
            if not moved and gain * float(beliefs.rate[line, country]) * beliefs.horizon <= beliefs.menu[size]:
                continue
            changes[seller] += 1
            for tier in range(tiers):
                cents = np.int32(found[tier] * CENTS + ROUND)
                if cents != listing.price_cents[line, country, tier]:
                    changed += 1
                    listing.price_cents[line, country, tier] = cents
    return changed


@njit(cache=True, error_model="numpy", nogil=True)
def count_steepness(data: NDArray[np.void], rows: I64, steep: I64, rivalry: I64, orders: I64) -> None:
    """Adds orders to sums by country and category, int64[C, K]: their number, and in millionths of 1/USD

    steep:   money utility x (1 - P(buy)), whose mean over orders is -d ln D / dL of facing buyers, since a buyer facing
             the offer is sampled with probability P;
    rivalry: money utility of orders from a search, where a dearer line also loses the place to its rivals.
    """
    for position in range(rows.size):
        order = data[rows[position]]
        country, kind = int(order.country), int(order.category)
        stays = sigmoid(-order.utility)
        steep[country, kind] += np.int64(order.money_utility * stays * MICRO)
        if order.channel == SHELF_CHANNEL:
            rivalry[country, kind] += np.int64(order.money_utility * MICRO)
        orders[country, kind] += 1


@njit(cache=True, error_model="numpy", nogil=True)
def line_margins(
    listing: Listing, costs: CostTable, weight: F32, tier_share: F64, who: NDArray[np.bool_]
) -> tuple[F64, F64]:
    """USD a unit that each line of merchants `who` bool[m] keeps over its cost, and its price, float64[n] each.

    Means over tiers, and over countries by `weight` float32[n, C]; 0 for a line that is sold nowhere, and of others.
    """
    margins = np.zeros(listing.merchant.size, np.float64)
    prices = np.zeros_like(margins)
    for line in range(margins.size):
        seller = int(listing.merchant[line])
        kind, size = int(listing.category[line]), int(listing.seller_class[seller])
        if not who[seller]:
            continue
        total, kept_sum, price_sum = 0.0, 0.0, 0.0
        for country in range(listing.targets.shape[1]):
            share = float(weight[line, country])
            if listing.targets[seller, country] == 0 or listing.price_cents[line, country, 0] == 0 or share <= 0.0:
                continue
            kept = kept_share(costs, country, kind, size) - (1.0 - costs.discount) * listing.given[seller]
            for tier in range(listing.price_cents.shape[2]):
                cost = full_cost(
                    costs, country, kind, size, listing.unit_cost_cents[line, tier] * CENT,
                    float(listing.weight_kg[line]), int(listing.cold[line]), int(listing.direct[line, country]),
                )  # fmt: skip
                price = listing.price_cents[line, country, tier] * CENT
                kept_sum += share * tier_share[kind, tier] * (kept * price - cost)
                price_sum += share * tier_share[kind, tier] * price
            total += share
        if total > 0.0:
            margins[line] = kept_sum / total
            prices[line] = price_sum / total
    return margins, prices
