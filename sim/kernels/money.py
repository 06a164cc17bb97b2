"""Prices, taxes and shares in whole cents: the one place where they are computed, for offers and for charges.

All arithmetic is in int64 with rates as parts per million, so that the price a buyer is shown and the price charged are
the same to the cent on any machine. The rule: the show's discount comes off the goods price; freight is added; duty and
value added tax of a direct parcel are computed after the discount, unit by unit (sellers send units that together would
cross a threshold in parcels of their own); goods sold from a warehouse in the country carry no tax at the door, theirs
was paid on bulk import and is in their cost.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.kinds import COUNTRIES, N_CATEGORIES, N_COUNTRIES

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
Whole = Any  # a whole number: int, or any integer of numpy

MILLION = 1_000_000
FULL_VALUE = 1000  # declared permille of who tells the truth
NO_TAX = -1  # threshold of a country that levies no value added tax on parcels
_WHATEVER = 1 << 40  # threshold in cents that no parcel exceeds


BORDER = np.dtype(
    [
        ("duty_ppm", np.int64, (N_COUNTRIES, N_CATEGORIES)),
        ("vat_ppm", np.int64, (N_COUNTRIES,)),
        ("duty_free", np.int64, (N_COUNTRIES,)),  # highest declared value in cents that is free of duty
        ("vat_free", np.int64, (N_COUNTRIES,)),  # the same for value added tax; NO_TAX: the country levies none
        ("freight_dutiable", np.int64, (N_COUNTRIES,)),  # 1: duty is on value plus freight, 0: on value alone
    ]
)
"""Taxes on direct parcels, as one record: kernels pass a record on for nothing, a tuple of arrays costs dearly."""


def parts_per_million(rates: ArrayLike) -> I64:
    """Rates (shares, any shape) in whole parts per million."""
    ppm: I64 = np.rint(np.asarray(rates, np.float64) * MILLION).astype(np.int64)
    return ppm


def _cents(usd: ArrayLike) -> I64:
    amounts = np.asarray(usd, np.float64) * 100
    cents: I64 = np.where(np.isfinite(amounts), np.rint(np.nan_to_num(amounts, posinf=0, neginf=0)), _WHATEVER).astype(
        np.int64
    )
    return cents


def border_of(rules: Any, without_freight: Collection[str] = ()) -> NDArray[Any]:
    """The taxes on direct parcels under `rules` (leaves tariff.* and tax.*): one record of type BORDER, shape (1,).

    `without_freight` names the countries that levy duty on the goods' value alone.
    """
    vat_free_usd = np.asarray(rules.tax.de_minimis_usd, np.float64)
    border = np.zeros(1, BORDER)
    border["duty_ppm"] = parts_per_million(rules.tariff.duty_rate)
    border["vat_ppm"] = parts_per_million(rules.tax.vat_rate)
    border["duty_free"] = _cents(rules.tariff.de_minimis_usd)
    border["vat_free"] = np.where(np.isnan(vat_free_usd), NO_TAX, _cents(vat_free_usd))
    border["freight_dutiable"] = [country not in without_freight for country in COUNTRIES]
    return border


@njit(cache=True, error_model="numpy")
def share_cents(cents: Whole, ppm: Whole) -> Whole:
    """`ppm` millionths of an amount of at least 0, half a cent rounded up."""
    return (np.int64(cents) * np.int64(ppm) + 500_000) // 1_000_000


@njit(cache=True, error_model="numpy")
def discounted(price_cents: Whole, discount_permille: Whole) -> Whole:
    """A price after a discount in thousandths, half a cent rounded up."""
    return (np.int64(price_cents) * (1000 - np.int64(discount_permille)) + 500) // 1000


@njit(cache=True, error_model="numpy")
def landed_parts(
    price_cents: Whole,
    discount_permille: Whole,
    freight_cents: Whole,
    direct: Whole,
    country: Whole,
    category: Whole,
    border: Any,
    declared_permille: Whole,
) -> tuple[Whole, Whole, Whole]:
    """Goods, duty and value added tax of one unit in cents; with the freight they are what the buyer pays.

    `price_cents` is the goods price before discount and tax; `direct` 1 for a parcel from origin, 0 for goods from a
    local warehouse (no tax at the door); `border` a record of type BORDER; `declared_permille` the declared share of
    the goods' value (1000: true value). A value exactly at a threshold is free. Value added tax is on declared value,
    freight and duty.
    """
    goods = discounted(price_cents, discount_permille)
    duty = np.int64(0)
    vat = np.int64(0)
    if direct != 0:
        freight = np.int64(freight_cents)
        declared = goods * np.int64(declared_permille) // 1000
        if declared > border.duty_free[country]:
            base = declared + freight if border.freight_dutiable[country] != 0 else declared
            duty = share_cents(base, border.duty_ppm[country, category])
        free = border.vat_free[country]
        if free >= 0 and declared > free:
            vat = share_cents(declared + freight + duty, border.vat_ppm[country])
    return goods, duty, vat


@njit(cache=True, error_model="numpy")
def joint_excess(
    goods: Whole, freight: Whole, units: Whole, country: Whole, category: Whole, border: Any, declared_permille: Whole
) -> tuple[Whole, Whole]:
    """Duty and tax, cents, that `units` in one parcel from China pay above what they pay in parcels of their own.

    `goods`, `freight`: cents of one unit, discount off.
    """
    one, many = np.int64(1), np.int64(units)
    _, duty, vat = landed_parts(goods, np.int64(0), freight, one, country, category, border, declared_permille)
    _, all_duty, all_vat = landed_parts(
        goods * many, np.int64(0), freight * many, one, country, category, border, declared_permille
    )
    return max(all_duty - many * duty, np.int64(0)), max(all_vat - many * vat, np.int64(0))


@njit(cache=True, error_model="numpy")
def evaded(
    goods: Whole, freight: Whole, units: Whole, country: Whole, category: Whole, border: Any, understated: Whole
) -> tuple[Whole, Whole]:
    """Duty and tax, cents, that a declaration `understated` permille below the truth has spared `units` units."""
    zero, one = np.int64(0), np.int64(1)
    _, duty, vat = landed_parts(goods, zero, freight, one, country, category, border, np.int64(FULL_VALUE))
    _, paid_duty, paid_vat = landed_parts(
        goods, zero, freight, one, country, category, border, np.int64(FULL_VALUE) - np.int64(understated)
    )
    return units * max(duty - paid_duty, zero), units * max(vat - paid_vat, zero)


@njit(cache=True, error_model="numpy", nogil=True)
def landed_offers(
    price_cents: I32,
    freight_cents: I32,
    direct: U8,
    category: U8,
    borders: NDArray[Any],
    understated_permille: U16,
    rows: NDArray[np.int64],
    out: I32,
) -> None:
    """Fills the `rows` of `out` int32[line, country, tier] with the price a buyer pays for a unit, all in, without
    discount.

    `price_cents` int32[line, country, tier], `freight_cents` int32[line, country], `direct` uint8[line, country],
    `category` uint8[line], `borders` as from `border_of`, `understated_permille` uint16[line, country] the part of the
    goods' value that is not declared. A tier with price 0 is not sold: its landed price is 0.
    """
    border = borders[0]
    _, countries, tiers = price_cents.shape
    for line in rows:
        for country in range(countries):
            freight = np.int64(freight_cents[line, country])
            for tier in range(tiers):
                price = price_cents[line, country, tier]
                landed = np.int64(0)
                if price > 0:
                    goods, duty, vat = landed_parts(
                        price,
                        0,
                        freight,
                        direct[line, country],
                        country,
                        category[line],
                        border,
                        FULL_VALUE - np.int64(understated_permille[line, country]),
                    )
                    landed = goods + freight + duty + vat
                out[line, country, tier] = landed


@njit(cache=True, error_model="numpy")
def sum_up_offers(
    price_cents: I32,
    landed_cents: I32,
    bits: NDArray[np.uint32],
    rows: NDArray[np.int64],
    sold_in: NDArray[np.uint32],
    usd: Any,
) -> None:
    """By line, of `rows`: the countries it is sold in (`sold_in`, the OR of their `bits`) and its mean price in `usd`
    (float32).

    The mean is over countries in which the second tier is sold, before tax and freight. Else as `landed_offers`.
    """
    countries = price_cents.shape[1]
    for line in rows:
        found = np.uint32(0)
        total = np.int64(0)
        sold = np.int64(0)
        for country in range(countries):
            if landed_cents[line, country, 0] > 0:
                found |= bits[country]
            if price_cents[line, country, 1] > 0:
                total += price_cents[line, country, 1]
                sold += 1
        sold_in[line] = found
        usd[line] = np.float64(total) / np.float64(sold if sold > 0 else 1) / np.float64(100)


@njit(cache=True, error_model="numpy")
def promise_each(direct: U8, local_days: NDArray[np.float32], direct_days: NDArray[np.float32], out: Any) -> None:
    """Fills `out` float32[line, country] with the days promised on the route of each line, `direct` uint8 likewise."""
    for line in range(direct.shape[0]):
        for country in range(direct.shape[1]):
            out[line, country] = direct_days[country] if direct[line, country] == 1 else local_days[country]


@njit(cache=True, error_model="numpy")
def follow_landed(landed_cents: I32, freight_cents: I32, share: Any, remembered_usd: Any) -> None:
    """What buyers make of new offers, float32[line, country] each.

    `share` becomes the part of the lowest landed price that a discount on the goods takes off; `remembered_usd` becomes
    that price where none is remembered yet.
    """
    one, hundred = np.float64(1), np.float32(100)
    for line in range(landed_cents.shape[0]):
        for country in range(landed_cents.shape[1]):
            lowest = landed_cents[line, country, 0]
            if lowest <= 0:
                share[line, country] = 0
                continue
            share[line, country] = one - np.float64(freight_cents[line, country]) / np.float64(lowest)
            if remembered_usd[line, country] <= 0:
                remembered_usd[line, country] = np.float32(lowest) / hundred
