"""The till: decisions to buy become orders.

Intents are taken in time order. The stock shown in the buyer's listing (live rooms, or shelf and brand sites) is taken
from; gone is a lost sale. The other listing learns of it at the next synchronisation. Then the buyer needs a
way to pay that this shop offers: the preferred one, or another, and some give up rather than use another. Only then is
the order written, with every part of its money to the cent, so that a later refund can reverse exact amounts.

What the buyer pays is the shown landed price after the show's discount, times the units, and the channel's service fee
on the goods, less the platform's subsidy;
see `sim.kernels.money` for the rule of discount and tax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.agents.channel import effective_commission
from sim.config.payments import Payments
from sim.draws import Draws, Purpose, purpose_base
from sim.kernels.money import FULL_VALUE, border_of, joint_excess, landed_parts, parts_per_million, share_cents
from sim.kernels.philox import philox, unit
from sim.kernels.threads import fetch
from sim.kinds import (
    COUNTRIES,
    DAY_SECONDS,
    N_CATEGORIES,
    N_CHANNELS,
    N_COUNTRIES,
    N_METHODS,
    N_ORIGIN_WAREHOUSES,
    N_PLATFORMS,
    NO_STREAMER,
    PAYMENT_METHODS,
    SELLER_CLASSES,
    Flag,
)
from sim.messages import Intents
from sim.record.schema import N_THIRDS, Measure, MerchantMeasure, StreamerMeasure
from sim.record.tally import Sheets, Tally, count, count_declared, count_merchant, count_streamer
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.orders import AHEAD, NO_MODE, ORDER, Orders, Records

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
F32 = NDArray[np.float32]
Whole = Any  # a whole number: int, or any integer of numpy

ORDERED, STOCKED_OUT, UNPAYABLE = 0, 1, 2  # outcome of an intent
INSTALMENTS = PAYMENT_METHODS.index("instalments")
HUNDREDTH = 100
PERMILLE = 1000
MAX_RATIO = 1 << 30
ONE = np.int64(1)
COUNT_INTENTS, COUNT_STOCKOUTS = np.int64(Measure.INTENTS), np.int64(Measure.STOCKOUTS)
COUNT_PAYMENT_LOST, COUNT_ORDERS = np.int64(Measure.PAYMENT_LOST), np.int64(Measure.ORDERS)
COUNT_UNITS, COUNT_GMV = np.int64(Measure.UNITS), np.int64(Measure.GMV_CENTS)
COUNT_FREIGHT, COUNT_SUBSIDY = np.int64(Measure.FREIGHT_CENTS), np.int64(Measure.SUBSIDY_CENTS)
COUNT_DUTY, COUNT_VAT = np.int64(Measure.DUTY_CENTS), np.int64(Measure.VAT_CENTS)
MERCHANT_ORDERS, MERCHANT_UNITS = np.int64(MerchantMeasure.ORDERS), np.int64(MerchantMeasure.UNITS)
MERCHANT_GMV, MERCHANT_COMMISSION = np.int64(MerchantMeasure.GMV_CENTS), np.int64(MerchantMeasure.COMMISSION_CENTS)
STREAMER_ORDERS, STREAMER_GMV = np.int64(StreamerMeasure.ORDERS), np.int64(StreamerMeasure.GMV_CENTS)
DISTRUST_STEP = np.float32(2.0 / 65535.0)


class Buyers(Protocol):
    """The consumer columns the till reads; one entry a row."""

    @property
    def birth(self) -> NDArray[np.uint32]:
        """Birth number."""

    @property
    def third(self) -> U8:
        """Income third."""

    @property
    def payment_preference(self) -> U8:
        """Preferred payment method."""

    @property
    def trust(self) -> U16:
        """General trust, 65535 = 1."""


@dataclass(slots=True)
class Placed:
    """What became of the intents of a daypart; `order` and `intent` (k,), `outcome` (n,)."""

    order: I64  # sequence numbers of the new orders, in time order
    intent: I64  # position of the intent behind each order
    outcome: U8  # of each intent: 0 ordered, 1 shown stock gone, 2 no way to pay

    def __len__(self) -> int:
        return int(self.order.size)


TILL = np.dtype(
    [
        ("offered", np.float32, (N_COUNTRIES, N_METHODS)),
        ("missing_loss", np.float32, (N_COUNTRIES, N_METHODS)),
        ("second_choice", np.float32, (N_COUNTRIES, N_METHODS)),  # shares by which other methods are chosen
        ("fee_ppm", np.int64, (N_COUNTRIES, N_METHODS)),
        ("commission_ppm", np.int64, (N_CHANNELS, len(SELLER_CLASSES))),
        ("service_ppm", np.int64, (N_CHANNELS,)),
        ("subsidy_cents", np.int64, (N_CHANNELS,)),
        ("down", np.uint8, (N_COUNTRIES, N_METHODS)),  # 1: the method is out of order today
    ],
    align=True,
)
"""What today's rules mean at the till, as one record for the kernel."""


class Shop(NamedTuple):
    """The catalogue's columns the kernel reads, and the two it writes (shown, wanted_units)."""

    merchant: U16
    category: U8
    home_warehouse: U8
    seller_class: U8
    price_cents: NDArray[np.int32]
    freight_cents: NDArray[np.int32]
    landed_cents: NDArray[np.int32]
    direct: U8
    shown: NDArray[np.int32]
    wanted_units: I64
    host_permille: U16
    understated_permille: U16
    postage_cents: NDArray[np.int32]
    evades: U8
    host_offer_permille: U16


@njit(cache=True, error_model="numpy", _nrt=False)
def is_offered(
    merchant: Whole,
    channel: Whole,
    country: Whole,
    method: Whole,
    till: Any,
    purpose: np.uint32,
    key0: np.uint32,
    key1: np.uint32,
) -> bool:
    """Whether the merchant's shop on a channel lets buyers of a country pay by a method, today.

    A lasting draw of the shop against the share of shops that offer the method, so that a larger share only adds shops;
    during an outage nobody offers it.
    """
    if till.down[country, method] != 0:
        return False
    share = till.offered[country, method]
    if share <= 0:
        return False
    if share >= 1:
        return True
    words = philox(
        np.uint32(merchant), np.uint32(channel * 32 + country), np.uint32(0), purpose + np.uint32(method), key0, key1
    )
    return bool(unit(words[0]) < share)


@njit(cache=True, error_model="numpy", _nrt=False)
def choose_method(
    birth: np.uint32,
    preferred: Whole,
    trust: np.uint16,
    merchant: Whole,
    channel: Whole,
    country: Whole,
    tick: Whole,
    ordinal: Whole,
    till: Any,
    shop_purpose: np.uint32,
    choice_purpose: np.uint32,
    key0: np.uint32,
    key1: np.uint32,
) -> Whole:
    """The method a buyer pays with, or -1 if the buyer gives up.

    The preferred one if the shop offers it. If not, the buyer gives up with chance missing_loss * 2 * (1 - trust), the
    table's value at trust 1/2, or else takes one of the other methods on offer, in proportion to the country's habits.
    """
    if is_offered(merchant, channel, country, preferred, till, shop_purpose, key0, key1):
        return preferred
    words = philox(birth, np.uint32(0), np.uint32(tick), choice_purpose + np.uint32(ordinal), key0, key1)
    distrust = np.float32(np.int32(65535) - np.int32(trust)) * DISTRUST_STEP
    if unit(words[0]) < till.missing_loss[country, preferred] * distrust:
        return -1
    total = np.float32(0)
    for method in range(6):
        if method != preferred and is_offered(merchant, channel, country, method, till, shop_purpose, key0, key1):
            total += till.second_choice[country, method]
    left = unit(words[1]) * total
    chosen = -1
    for method in range(6):
        if method != preferred and is_offered(merchant, channel, country, method, till, shop_purpose, key0, key1):
            weight = till.second_choice[country, method]
            if weight > 0:
                chosen = method
                left -= weight
                if left < 0:
                    break
    return chosen


@njit(cache=True, error_model="numpy", _nrt=False)
def _count_order(order: Any, cell: Whole, declared: Whole, border: Any, sheets: Sheets) -> None:
    """Counts a new order and its parts by cell, merchant and host; `declared` permille of its value."""
    units, goods = np.int64(order.quantity), np.int64(order.goods_cents)
    merchant, channel = np.int64(order.merchant), np.int64(order.channel)
    count(sheets, COUNT_ORDERS, cell, ONE)
    count(sheets, COUNT_UNITS, cell, units)
    count(sheets, COUNT_GMV, cell, goods)
    count(sheets, COUNT_FREIGHT, cell, np.int64(order.freight_cents))
    count(sheets, COUNT_SUBSIDY, cell, np.int64(order.subsidy_cents))
    count(sheets, COUNT_DUTY, cell, np.int64(order.duty_cents))
    count(sheets, COUNT_VAT, cell, np.int64(order.vat_cents))
    count_merchant(sheets, MERCHANT_ORDERS, merchant, channel, ONE)
    count_merchant(sheets, MERCHANT_UNITS, merchant, channel, units)
    count_merchant(sheets, MERCHANT_GMV, merchant, channel, goods)
    count_merchant(sheets, MERCHANT_COMMISSION, merchant, channel, np.int64(order.commission_cents))
    if order.streamer != NO_STREAMER:
        count_streamer(sheets, STREAMER_ORDERS, np.int64(order.streamer), ONE)
        count_streamer(sheets, STREAMER_GMV, np.int64(order.streamer), goods)
    if order.direct != 0:
        threshold = border.duty_free[order.country]
        value = goods // units * declared // FULL_VALUE
        ratio = value * PERMILLE // threshold if threshold > 0 else np.int64(MAX_RATIO)
        count_declared(sheets, np.int64(order.country), ratio)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def _place(
    time: I64,
    consumer: I64,
    ordinal: U8,
    channel: U8,
    line: U16,
    tier: U8,
    quantity: U8,
    streamer: U16,
    country: U8,
    landed_cents: NDArray[np.int32],
    discount_permille: U16,
    promised_days: F32,
    expected_quality: F32,
    impulse_gap: F32,
    utility: F32,
    money_utility: F32,
    flags: U16,
    birth: NDArray[np.uint32],
    third: U8,
    preference: U8,
    trust: U16,
    shop: Shop,
    tills: NDArray[Any],
    borders: NDArray[Any],
    tick: int,
    shop_purpose: np.uint32,
    choice_purpose: np.uint32,
    key: NDArray[np.uint32],
    batch: Records,
    origin: I64,
    outcome: U8,
    sheets: Sheets,
) -> tuple[int, int]:
    """Fills `batch` and `origin` with the orders and `outcome` with what became of each intent.

    Returns the number of orders and the cents by which shown prices differed from those recomputed here (must be 0).
    """
    till = tills[0]
    border = borders[0]
    placed = 0
    gap = 0
    for i in range(time.size):
        if i + AHEAD < time.size:
            later, there, soon = consumer[i + AHEAD], np.int64(country[i + AHEAD]), np.int64(line[i + AHEAD])
            fetch(birth, later)
            fetch(preference, later)
            fetch(trust, later)
            fetch(third, later)
            fetch(shop.wanted_units[soon], there)
            fetch(shop.price_cents[soon], there)
            fetch(shop.freight_cents[soon], there)
            fetch(shop.shown[0 if channel[i + AHEAD] < N_PLATFORMS else 1], soon)
        item = np.int64(line[i])
        land = np.int64(country[i])
        units = np.int64(quantity[i])
        seller = np.int64(shop.merchant[item])
        direct = shop.direct[item, land]
        warehouse = np.int64(shop.home_warehouse[seller]) if direct != 0 else 4 + land
        who = consumer[i]
        shop.wanted_units[item, land] += units
        kind = np.int64(shop.category[item])
        cell = ((land * N_CHANNELS + channel[i]) * N_CATEGORIES + kind) * N_THIRDS + third[who]
        count(sheets, COUNT_INTENTS, cell, ONE)
        listing = 0 if channel[i] < 8 else 1  # live rooms; shelf and brand sites
        if shop.shown[listing, item, warehouse] < units:
            outcome[i] = STOCKED_OUT
            count(sheets, COUNT_STOCKOUTS, cell, ONE)
            continue
        method = choose_method(
            birth[who],
            np.int64(preference[who]),
            trust[who],
            seller,
            np.int64(channel[i]),
            land,
            tick,
            np.int64(ordinal[i]),
            till,
            shop_purpose,
            choice_purpose,
            key[0],
            key[1],
        )
        if method < 0:
            outcome[i] = UNPAYABLE
            count(sheets, COUNT_PAYMENT_LOST, cell, ONE)
            continue
        outcome[i] = ORDERED
        shop.shown[listing, item, warehouse] -= units
        price = np.int64(shop.price_cents[item, land, tier[i]])
        freight = np.int64(shop.freight_cents[item, land])
        hidden = np.int64(shop.understated_permille[item, land]) if direct != 0 else np.int64(0)
        declared = FULL_VALUE - hidden
        goods, duty, vat = landed_parts(
            price, np.int64(discount_permille[i]), freight, np.int64(direct), land, kind, border, declared
        )
        full_goods, full_duty, full_vat = landed_parts(
            price, 0, freight, np.int64(direct), land, kind, border, declared
        )
        gap += abs(full_goods + freight + full_duty + full_vat - np.int64(landed_cents[i]))
        where = np.int64(channel[i])
        service = share_cents(units * goods, np.int64(till.service_ppm[where]))
        pays = units * (goods + freight + duty + vat) + service
        subsidy = min(np.int64(till.subsidy_cents[where]), pays)
        pays -= subsidy
        row = batch[placed]
        row.consumer = np.uint32(who)
        row.birth = birth[who]
        row.tick = tick
        row.ordinal = ordinal[i]
        row.channel = channel[i]
        row.merchant = np.uint16(seller)
        row.line = line[i]
        row.tier = tier[i]
        row.quantity = quantity[i]
        row.streamer = streamer[i]
        row.country = country[i]
        row.third = third[who]
        row.category = np.uint8(kind)
        row.method = np.uint8(method)
        row.direct = direct
        row.warehouse = np.uint8(warehouse)
        row.carrier = np.uint8(255)
        row.mode = np.uint8(255)
        row.status = np.uint8(0)
        row.money = np.uint8(0)
        row.flags = flags[i] | np.uint16(2048) if method == 4 else flags[i]
        postage = np.int64(shop.postage_cents[item, land])
        if units > 1 and direct != 0 and postage > 0:
            more_duty, more_vat = joint_excess(goods, freight, units, land, kind, border, declared)
            if shop.evades[seller] != 0 and more_duty + more_vat > (units - 1) * postage:
                row.flags |= np.uint16(16384)  # else the seller bears what one parcel owes: buyers pay what was shown
        row.placed = np.int32(time[i])
        row.promised = np.int32(time[i] + np.int64(promised_days[i] * np.float32(86400)))
        row.goods_cents = np.int32(units * goods)
        row.freight_cents = np.int32(units * freight)
        row.duty_cents = np.int32(units * duty)
        row.vat_cents = np.int32(units * vat)
        row.service_cents = np.int32(service)
        row.subsidy_cents = np.int32(subsidy)
        charge = share_cents(units * goods, np.int64(till.commission_ppm[where, np.int64(shop.seller_class[seller])]))
        host = 0  # the host's commission is a part of the charge, so a cap on the charge reaches both
        if streamer[i] != 0xFFFF:
            host = share_cents(charge, np.int64(shop.host_permille[np.int64(streamer[i])]) * 1000)
        row.commission_cents = np.int32(charge - host)
        if streamer[i] != 0xFFFF:  # what the seller adds goes past the channel
            host += share_cents(units * goods, np.int64(shop.host_offer_permille[seller]) * 1000)
        row.host_cents = np.int32(host)
        row.fee_cents = np.int32(share_cents(pays, np.int64(till.fee_ppm[land, method])))
        row.expected_quality = expected_quality[i]
        row.impulse_gap = impulse_gap[i]
        row.utility = utility[i]
        row.money_utility = money_utility[i]
        row.satisfaction = np.float32(np.nan)
        origin[placed] = i
        placed += 1
        _count_order(row, cell, declared, border, sheets)
    return placed, gap


if (ORDER["status"], N_ORIGIN_WAREHOUSES, N_PLATFORMS, NO_MODE, NO_STREAMER) != (np.dtype("u1"), 4, 8, 255, 0xFFFF) or (
    int(Flag.INSTALMENTS),
    INSTALMENTS,
    DAY_SECONDS,
    int(Flag.DIVIDED),
) != (2048, 4, 86400, 16384):
    raise RuntimeError("the till's kernel knows these numbers as constants: change them there too")


class Checkout:
    """The till of all channels. `price_gap_cents` sums differences between shown and charged prices: it stays 0."""

    def __init__(self, payments: Payments, method_shares: NDArray[np.float64]) -> None:
        """`method_shares` float64[C, M]: how a country's people like to pay (geography.payment_shares())."""
        if method_shares.shape != (len(COUNTRIES), N_METHODS):
            raise ValueError(f"method_shares has shape {method_shares.shape}")
        self._payments = payments
        self._missing_loss = payments.missing_loss().astype(np.float32)
        self._second_choice = method_shares.astype(np.float32)
        self._shop_purpose = purpose_base(Purpose.CHECKOUT_SHOP)
        self._choice_purpose = purpose_base(Purpose.CHECKOUT_METHOD)
        self._seen: Rules | None = None
        self._asked: F32 = np.zeros(0, np.float32)
        self._till: NDArray[Any]
        self._border: NDArray[Any]
        self._batch: Records = np.zeros(64, ORDER)  # the kernel always writes the same fields; the others stay 0
        self._silent = Tally.silent()
        self.price_gap_cents = 0

    def _prepare(self, rules: Rules, commission_asked: F32, service_fee: F32) -> None:
        """Derives the till's tables anew when the rules or what channels ask have changed."""
        asked = np.concatenate((commission_asked, service_fee[:, None]), axis=1)
        if rules is self._seen and np.array_equal(self._asked, asked):
            return
        subsidy = np.zeros(N_CHANNELS, np.int64)
        subsidy[:N_PLATFORMS] = np.rint(np.asarray(rules.subsidy.buyer_usd, np.float64) * HUNDREDTH)
        till = np.zeros(1, TILL)
        till["offered"] = rules.payment.availability
        till["down"] = rules.payment.outage
        till["missing_loss"] = self._missing_loss
        till["second_choice"] = self._second_choice
        till["fee_ppm"] = parts_per_million(rules.payment.fee_rate)
        till["commission_ppm"] = parts_per_million(effective_commission(commission_asked, rules))
        till["service_ppm"] = parts_per_million(service_fee)
        till["subsidy_cents"] = subsidy
        self._till = till
        self._border = border_of(rules, self._payments.customs_value_without_freight)
        self._seen = rules
        self._asked = asked

    def place(
        self,
        intents: Intents,
        buyers: Buyers,
        catalogue: Catalogue,
        orders: Orders,
        rules: Rules,
        tick: int,
        draws: Draws,
        tally: Tally | None = None,
    ) -> Placed:
        """Turns a daypart's intents (sorted by time) into orders. `tick` is day * 8 + daypart."""
        self._prepare(rules, catalogue.commission_asked, catalogue.service_fee)
        size = len(intents)
        outcome = np.zeros(size, np.uint8)
        if size == 0:
            return Placed(np.zeros(0, np.int64), np.zeros(0, np.int64), outcome)
        if self._batch.size < size:
            self._batch = np.zeros(size + size // 2, ORDER)
        batch = self._batch
        origin = np.zeros(size, np.int64)
        shop = Shop(**{name: getattr(catalogue, name) for name in Shop._fields})
        count, gap = _place(
            intents.time, intents.consumer, intents.ordinal, intents.channel, intents.line, intents.tier,
            intents.quantity, intents.streamer, intents.country, intents.landed_cents, intents.discount_permille,
            intents.promised_days, intents.expected_quality, intents.impulse_gap, intents.utility,
            intents.money_utility, intents.flags, buyers.birth, buyers.third, buyers.payment_preference, buyers.trust,
            shop, self._till, self._border, tick, self._shop_purpose, self._choice_purpose, draws.key, batch, origin,
            outcome, (tally or self._silent).sheets,
        )  # fmt: skip
        self.price_gap_cents += gap
        seqs = orders.append(batch[:count])
        return Placed(seqs, origin[:count], outcome)

    def check(self) -> None:
        """Asserts that nobody was ever charged anything but the price shown."""
        if self.price_gap_cents:
            raise AssertionError(f"charged prices differ from shown ones by {self.price_gap_cents} cents")
