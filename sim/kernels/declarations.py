"""What a merchant declares at the border, compiled; the decision is described in `sim.firms.declarations`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.prices import FULL, Listing, Toll, landed_usd, slope_of, toll_of
from sim.kernels.supply import CENT, CENTS, ROUND, CostTable, delivery_cost, kept_share

type U8 = NDArray[np.uint8]
type U16 = NDArray[np.uint16]
type I32 = NDArray[np.int32]
type F64 = NDArray[np.float64]


class DeclarationRule(NamedTuple):
    """inspected float64[C]: share of parcels opened; seen: chance that an opened parcel's understatement by its whole
    value is seen, and in proportion; seized: share of those that are kept; penalty: fine, multiple of the taxes evaded;
    largest: largest understatement, permille."""

    inspected: F64
    seen: float
    seized: float
    penalty: float
    largest: int


@njit(cache=True, error_model="numpy")
def tax_at(toll: Toll, price: float) -> float:
    """Duty and tax on a unit, USD."""
    return landed_usd(toll, price) - price - toll.freight


@njit(cache=True, error_model="numpy")
def evasion_value(
    rule: DeclarationRule, inspected: float, true: Toll, declared: Toll, price: float, kept: float
) -> float:
    """USD a unit that a declaration is worth to the merchant against the truth.

    A dollar of tax saved lets the asked price rise by 1 / (1 + tau) at the same landed price, of which `kept` is kept.
    Expected loss: opened x seen, in proportion to the understatement, x (evaded taxes, the fine, the sale if seized).
    """
    saved = tax_at(true, price) - tax_at(declared, price)
    if saved <= 0.0:
        return 0.0
    slope = slope_of(declared, price > declared.duty_above, price > declared.vat_above)
    caught = inspected * rule.seen * (1.0 - declared.declared)
    return saved * kept / slope - caught * ((1.0 + rule.penalty) * saved + rule.seized * kept * price)


@njit(cache=True, error_model="numpy", nogil=True)
def declare(
    rule: DeclarationRule, listing: Listing, costs: CostTable, borders: NDArray[Any], who: NDArray[np.bool_],
    evades: U8, tier_share: F64, understated: U16,
) -> None:  # fmt: skip
    """Writes understated uint16[n, C] of merchants `who`, also of lines in local stock: what their parcels would say.

    Of the truth, the largest understatement, and those that bring a tier to a threshold, what is worth most over the
    tiers as they sell.
    """
    border = borders[0]
    tiers = listing.price_cents.shape[2]
    choices = np.zeros(2 + 2 * tiers, np.int64)
    for line in range(listing.merchant.size):
        seller = int(listing.merchant[line])
        if not who[seller]:
            continue
        kind, size = int(listing.category[line]), int(listing.seller_class[seller])
        for country in range(listing.targets.shape[1]):
            understated[line, country] = 0
            if evades[seller] == 0 or listing.price_cents[line, country, 0] == 0:
                continue
            kept = kept_share(costs, country, kind, size)
            freight = int(listing.freight_cents[line, country])
            true = toll_of(border, country, kind, 1, freight, FULL)
            choices[:] = 0
            choices[1] = rule.largest
            for tier in range(tiers):
                price = listing.price_cents[line, country, tier] * CENT
                for place in range(2):
                    limit = true.duty_above if place == 0 else true.vat_above
                    if 0.0 < limit < price:
                        choices[2 + 2 * tier + place] = FULL - int(FULL * limit / price)
            best, most = 0, 0.0
            for choice in choices:
                if choice <= 0 or choice > rule.largest:
                    continue
                told = toll_of(border, country, kind, 1, freight, FULL - choice)
                value = 0.0
                for tier in range(tiers):
                    price = listing.price_cents[line, country, tier] * CENT
                    value += tier_share[kind, tier] * evasion_value(
                        rule, rule.inspected[country], true, told, price, kept
                    )
                if value > most:
                    best, most = choice, value
            understated[line, country] = np.uint16(best)


@njit(cache=True, error_model="numpy", nogil=True)
def extra_parcel_cents(listing: Listing, costs: CostTable, who: NDArray[np.bool_], out: I32) -> None:
    """Writes int32[n, C] of merchants `who`: what one more parcel of a unit costs to send from China, cents."""
    for line in range(listing.merchant.size):
        seller = int(listing.merchant[line])
        if not who[seller]:
            continue
        kind, size = int(listing.category[line]), int(listing.seller_class[seller])
        for country in range(listing.targets.shape[1]):
            per_unit = delivery_cost(
                costs, country, kind, size, float(listing.weight_kg[line]), int(listing.cold[line]), 1
            )[0]
            out[line, country] = np.int32(per_unit * costs.units[kind] * CENTS + ROUND)
