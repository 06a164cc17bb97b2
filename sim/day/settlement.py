"""The bank: every movement of an order's money after the till.

A request is approved, or fails, after a delay that depends on the method. A prepaid order's money lies in the channel's
escrow account until the order is settled, some days after delivery; cash on delivery comes in at the door. Settlement
pays the seller, who pays the channel's commission and the host's, and the host the agency. Carriers are paid when a
parcel leaves, taxes of a direct parcel when it clears customs. A refund takes apart what was paid, cent by cent.

`apply` handles what the clock says has fallen due; it reads the order's own record of what has been posted (`posted`),
so the result does not depend on how events are cut into batches. docs/money.md tells the whole life of a payment.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.config.economics import Economics
from sim.config.payments import Payments
from sim.draws import Draws, Purpose, purpose_base
from sim.kernels.maths import interp_quantile, lognormal, quantile_table
from sim.kernels.money import (
    FULL_VALUE,
    border_of,
    evaded,
    joint_excess,
    landed_parts,
    parts_per_million,
    share_cents,
)
from sim.kernels.philox import philox, unit
from sim.kernels.threads import fetch
from sim.kinds import (
    DAY_SECONDS,
    INCOME_THIRDS,
    MODES,
    N_CARRIERS,
    N_CHANNELS,
    N_COUNTRIES,
    N_METHODS,
    N_ORIGIN_WAREHOUSES,
    N_WAREHOUSES,
    NO_CARRIER,
    NO_STREAMER,
    NO_WAREHOUSE,
    PAYMENT_METHODS,
    REGION_OF_COUNTRY,
    REGIONS,
    Event,
    Flag,
    MoneyState,
    Status,
)
from sim.messages import Events, Verdicts
from sim.record.schema import Measure, MoneyPurpose
from sim.record.tally import Sheets, Tally, cell_of, count, count_cohort
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.ledger import Account, Books, Ledger, transfer
from sim.state.orders import (
    AHEAD,
    ALLOWED_MONEY,
    ALLOWED_STATUS,
    NO_MODE,
    IllegalMoveError,
    Orders,
    Posted,
    Records,
    list_if_final,
    move_money_one,
    move_status_one,
)

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Whole = Any  # a whole number: int, or any integer of numpy

HOUR_SECONDS = 3600
HUNDREDTH = 100
RING_DAYS = 512  # instalments are due within a year; exchange rates are looked up within the life of an order
PART_DAYS = 30
PERMILLE = 1000
MILLICENTS = 1000  # in a cent

# Enumeration values for the kernels, as int64: plain ints would compile one copy of a function for each value.
MERCHANTS = np.int64(Account.MERCHANT)
STREAMERS = np.int64(Account.STREAMER)
MCNS = np.int64(Account.MCN)
CHANNELS = np.int64(Account.CHANNEL)
ESCROW = np.int64(Account.ESCROW)
CARRIERS = np.int64(Account.CARRIER)
LINEHAUL = np.int64(Account.LINEHAUL)
WAREHOUSES = np.int64(Account.WAREHOUSE)
PROVIDERS = np.int64(Account.PROVIDER)
TREASURIES = np.int64(Account.TREASURY)
REST = np.int64(Account.REST_OF_WORLD)
SALE = np.int64(MoneyPurpose.SALE)
REFUND = np.int64(MoneyPurpose.REFUND)
COMMISSION = np.int64(MoneyPurpose.COMMISSION)
HOST_COMMISSION = np.int64(MoneyPurpose.HOST_COMMISSION)
AGENCY_SHARE = np.int64(MoneyPurpose.AGENCY_SHARE)
LOGISTICS = np.int64(MoneyPurpose.LOGISTICS)
TARIFF = np.int64(MoneyPurpose.TARIFF)
VAT = np.int64(MoneyPurpose.VAT)
PAYMENT_FEE = np.int64(MoneyPurpose.PAYMENT_FEE)
FX = np.int64(MoneyPurpose.FX)
SUBSIDY = np.int64(MoneyPurpose.SUBSIDY)
LOAN = np.int64(MoneyPurpose.LOAN)
PREMIUM = np.int64(MoneyPurpose.PREMIUM)
CLAIM = np.int64(MoneyPurpose.CLAIM)
SERVICE_FEE = np.int64(MoneyPurpose.SERVICE_FEE)
FINE = np.int64(MoneyPurpose.FINE)
EVENT_AUTHORISED = np.int64(Event.AUTHORISED)
EVENT_AUTH_FAILED = np.int64(Event.AUTH_FAILED)
EVENT_SHIPPED = np.int64(Event.SHIPPED)
EVENT_CLEARED = np.int64(Event.CLEARED)
EVENT_SEIZED = np.int64(Event.SEIZED)
EVENT_LOST = np.int64(Event.LOST)
EVENT_DELIVERED = np.int64(Event.DELIVERED)
EVENT_REFUSED = np.int64(Event.REFUSED)
EVENT_RETURN_RECEIVED = np.int64(Event.RETURN_RECEIVED)
EVENT_REFUND_DUE = np.int64(Event.REFUND_DUE)
EVENT_SETTLEMENT_DUE = np.int64(Event.SETTLEMENT_DUE)
EVENT_CHARGEBACK = np.int64(Event.CHARGEBACK)
EVENT_DISPUTE_CLOSED = np.int64(Event.DISPUTE_CLOSED)
GOODS_PLACED = np.int64(Status.PLACED)
GOODS_AUTHORISED = np.int64(Status.AUTHORISED)
GOODS_DELIVERED = np.int64(Status.DELIVERED)
GOODS_RETURNING = np.int64(Status.RETURNING)
GOODS_KEPT = np.int64(Status.KEPT)
GOODS_PAYMENT_FAILED = np.int64(Status.PAYMENT_FAILED)
GOODS_RETURNED = np.int64(Status.RETURNED)
MONEY_NONE = np.int64(MoneyState.NONE)
MONEY_HELD = np.int64(MoneyState.HELD)
MONEY_FROZEN = np.int64(MoneyState.FROZEN)
MONEY_SETTLED = np.int64(MoneyState.SETTLED)
MONEY_REFUNDED = np.int64(MoneyState.REFUNDED)
MONEY_VOID = np.int64(MoneyState.VOID)
MONEY_CHARGED_BACK = np.int64(MoneyState.CHARGED_BACK)
CARD = PAYMENT_METHODS.index("card")
CASH_ON_DELIVERY = PAYMENT_METHODS.index("cash_on_delivery")
INSTALMENTS = PAYMENT_METHODS.index("instalments")
DEDICATED_LINE = np.int64(MODES.index("dedicated_line"))
LATE, DAMAGED, COUNTERFEIT = np.int64(Flag.LATE), int(Flag.DAMAGED), int(Flag.COUNTERFEIT)
SPOILED, GUARANTEED = np.int64(Flag.SPOILED), int(Flag.GUARANTEED)
DIVIDED, FOUND_OUT = int(Flag.DIVIDED), int(Flag.FOUND_OUT)
POSTED_SALE, POSTED_LOGISTICS, POSTED_TAXES = np.int64(Posted.SALE), np.int64(Posted.LOGISTICS), np.int64(Posted.TAXES)
ONE = np.int64(1)
COUNT_REQUESTS, COUNT_AUTHORISED = np.int64(Measure.PAYMENT_REQUESTS), np.int64(Measure.PAYMENT_AUTHORISED)
COUNT_SURPLUS = np.int64(Measure.SURPLUS_REALISED_MC)
COUNT_REVERSED, COUNT_REFUNDED = np.int64(Measure.GMV_REVERSED_CENTS), np.int64(Measure.REFUNDED_CENTS)
POSTED_PAYOUT, PENDING = np.int64(Posted.PAYOUT), np.int64(Posted.PENDING)
UNCHARGED = np.int64(Posted.UNCHARGED)


class Schedule(Protocol):
    """The part of the clock that settlement uses."""

    def schedule(self, kind: NDArray[Any], seconds: NDArray[Any], orders: NDArray[Any]) -> None:
        """Files due events."""


_C, _H, _M = (N_COUNTRIES,), (N_CHANNELS,), (N_METHODS,)
_PART_COUNTS = 16  # room for different numbers of instalments
DESK = np.dtype(
    [
        ("settlement_seconds", np.int64, _H),  # from delivery to payout
        ("handling_seconds", np.int64, _H),  # from dispute to answer
        ("refund_seconds", np.int64),
        ("outage_seconds", np.int64),
        ("chargeback_fee", np.int64),  # cents
        ("freight_back", np.int64, _C),  # 1: outward freight is refunded to who changes the mind
        ("duty_back_ppm", np.int64, _C),
        ("vat_back_ppm", np.int64, _C),
        ("fee_back_ppm", np.int64),
        ("penalty_ppm", np.int64),  # of evaded duty and tax
        ("fee_by_channel", np.int64, _M),  # 1: the channel pays the provider, 0: the merchant
        ("floating", np.int64, _M),  # 1: stays in local money until settlement
        ("spread_ppm", np.int64),
        ("premium_ppm", np.int64),
        ("cover_ppm", np.int64),
        ("parts", np.int64),  # different numbers of instalments
        ("part_counts", np.int64, (_PART_COUNTS,)),
        ("least_part", np.int64),  # cents
        ("handling_cents", np.float64, (N_WAREHOUSES,)),  # pick and pack
        ("linehaul_cents", np.float64, (len(MODES),)),  # a parcel
        ("linehaul_kg_cents", np.float64, (len(MODES),)),
        ("lane_factor", np.float64, _C),
        ("last_mile_cents", np.float64, _C),
        ("last_mile_kg_cents", np.float64),
        ("carrier_price", np.float64, (N_CARRIERS,)),
        ("return_cents", np.float64, _C),
        ("cold_factor", np.float64),
        ("small_factor", np.float64),
        ("fraud", np.float32, _C),  # share of card orders charged back as unauthorised
        ("default", np.float32, _C),
        ("part_limits", np.float32, (_PART_COUNTS,)),  # cumulated shares of part_counts
        ("chargeback_median", np.float32),  # days
        ("chargeback_sigma", np.float32),
        ("dispute_refund", np.float32, (2,)),  # chance without and with a visible fault
        ("dispute_to_bank", np.float32),
        ("down", np.uint8, (N_COUNTRIES, N_METHODS)),
    ],
    align=True,
)
"""Rules and parameters of payment, as one record: kernels pass a record on for nothing."""


class Goods(NamedTuple):
    """What settlement reads of the catalogue."""

    weight_kg: F32
    cold: U8
    seller_class: U8
    insured: U8
    agency: U16
    agency_permille: U16
    understated_permille: U16
    postage_cents: NDArray[np.int32]


class Book(NamedTuple):
    """The order book's arrays, and the tables of allowed moves."""

    data: Records
    counts: I64
    listed: NDArray[np.int32]
    status_moves: NDArray[np.bool_]
    money_moves: NDArray[np.bool_]


class Out(NamedTuple):
    """What applying n events brings: new events (up to 2n) and orders approved (n)."""

    kind: I64
    time: I64
    order: I64
    authorised: I64
    sizes: I64  # number of new events and of approved orders


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def _request(
    data: Records,
    rows: I64,
    failure: F32,
    tables: F32,
    purpose: np.uint32,
    key: NDArray[np.uint32],
    kinds: I64,
    times: I64,
    sheets: Sheets,
) -> None:
    for position in range(rows.size):
        if position + AHEAD < rows.size:
            fetch(data, rows[position + AHEAD])
        order = data[rows[position]]
        words = philox(
            order.birth, np.uint32(0), np.uint32(order.tick), purpose + np.uint32(order.ordinal), key[0], key[1]
        )
        hours = interp_quantile(tables[order.method], unit(words[0]))
        times[position] = order.placed + np.int64(hours * np.float32(HOUR_SECONDS))
        kinds[position] = (
            EVENT_AUTH_FAILED if unit(words[1]) < failure[order.country, order.method] else EVENT_AUTHORISED
        )
        count_cohort(sheets, COUNT_REQUESTS, np.int64(order.tick) >> 3, cell_of(order), ONE)


@njit(cache=True, error_model="numpy")
def _whole(cents: float) -> Whole:
    return np.int64(cents + 0.5)


@njit(cache=True, error_model="numpy", _nrt=False)
def charged_taxes(order: Any) -> Whole:
    """Duty and tax in the price: none if the parcel was sold from stock in the country and comes over the border."""
    if order.posted & UNCHARGED != 0:
        return np.int64(0)
    return np.int64(order.duty_cents) + np.int64(order.vat_cents)


@njit(cache=True, error_model="numpy", _nrt=False)
def buyer_pays(order: Any) -> Whole:
    """Cents the buyer pays for an order: goods, freight, taxes and service fee less the platform's subsidy."""
    goods, freight = np.int64(order.goods_cents), np.int64(order.freight_cents)
    return goods + freight + charged_taxes(order) + np.int64(order.service_cents) - np.int64(order.subsidy_cents)


@njit(cache=True, error_model="numpy", _nrt=False)
def in_escrow(order: Any) -> Whole:
    """Cents of an order whose money is held that lie in escrow: all that came in, less taxes already passed on.

    Taxes of a cash-on-delivery parcel are advanced by the seller, so nothing of its money has gone to the treasury.
    """
    cents = buyer_pays(order) + np.int64(order.subsidy_cents)
    if order.posted & POSTED_TAXES != 0 and order.method != CASH_ON_DELIVERY:
        cents -= np.int64(order.duty_cents) + np.int64(order.vat_cents)
    return cents


@njit(cache=True, error_model="numpy", _nrt=False)
def _household(order: Any) -> Whole:
    return np.int64(order.country) * 3 + np.int64(order.third)


@njit(cache=True, error_model="numpy", _nrt=False)
def _file(out: Out, kind: Whole, time: Whole, seq: int) -> None:
    place = out.sizes[0]
    out.kind[place] = kind
    out.time[place] = time
    out.order[place] = seq
    out.sizes[0] = place + 1


@njit(cache=True, error_model="numpy", _nrt=False)
def _fee_account(order: Any, desk: Any, books: Books) -> Whole:
    if desk.fee_by_channel[order.method] != 0:
        return np.int64(books[CHANNELS] + order.channel)
    return np.int64(books[MERCHANTS] + order.merchant)


@njit(cache=True, error_model="numpy", _nrt=False)
def _pay_in(order: Any, desk: Any, books: Books) -> None:
    """The buyer's money and the platform's subsidy come into escrow; the provider takes its fee."""
    escrow = books[ESCROW] + order.channel
    transfer(books, SALE, _household(order), escrow, buyer_pays(order))
    transfer(books, SUBSIDY, books[CHANNELS] + order.channel, escrow, np.int64(order.subsidy_cents))
    transfer(
        books,
        PAYMENT_FEE,
        _fee_account(order, desk, books),
        books[PROVIDERS] + order.method,
        np.int64(order.fee_cents),
    )
    order.posted |= np.uint8(POSTED_SALE)


@njit(cache=True, error_model="numpy", _nrt=False)
def _lend(
    order: Any, day: Whole, desk: Any, books: Books, due: I64, purpose: np.uint32, key0: np.uint32, key1: np.uint32
) -> None:
    """The provider advances all parts but the first; repayments are filed until the buyer stops, if ever."""
    words = philox(order.birth, np.uint32(0), np.uint32(order.tick), purpose + np.uint32(order.ordinal), key0, key1)
    place = 0
    while place < desk.parts - 1 and unit(words[0]) >= desk.part_limits[place]:
        place += 1
    pays = buyer_pays(order)
    parts = min(desk.part_counts[place], max(pays // max(desk.least_part, 1), 1))
    part = pays // parts
    transfer(books, LOAN, books[PROVIDERS] + order.method, _household(order), part * (parts - 1))
    paid = parts
    if unit(words[1]) < desk.default[order.country]:
        paid = 1 + np.int64(unit(words[2]) * np.float32(parts - 1))
    for step in range(1, paid):
        due[(day + PART_DAYS * step) % due.shape[0], _household(order)] += part


@njit(cache=True, error_model="numpy", _nrt=False)
def _ship(order: Any, desk: Any, goods: Goods, books: Books) -> None:
    """The seller pays for picking and packing, for line-haul of a direct parcel, the last mile and insurance."""
    if order.posted & POSTED_LOGISTICS != 0:
        return
    order.posted |= np.uint8(POSTED_LOGISTICS)
    seller = books[MERCHANTS] + order.merchant
    if goods.insured[order.merchant] != 0:
        transfer(books, PREMIUM, seller, books[REST], share_cents(np.int64(order.goods_cents), desk.premium_ppm))
    parcels = np.int64(order.quantity) if order.flags & DIVIDED != 0 else np.int64(1)
    weight = float(goods.weight_kg[order.line]) * float(order.quantity) / float(parcels)
    factor = desk.small_factor if goods.seller_class[order.merchant] == 0 else 1.0
    if goods.cold[order.line] != 0:
        factor = factor * desk.cold_factor
    if order.warehouse != NO_WAREHOUSE:
        handling = parcels * _whole(desk.handling_cents[order.warehouse] * factor)
        transfer(books, LOGISTICS, seller, books[WAREHOUSES] + order.warehouse, handling)
    if order.direct != 0:
        mode = np.int64(order.mode) if order.mode != NO_MODE else DEDICATED_LINE
        haul = (desk.linehaul_cents[mode] + desk.linehaul_kg_cents[mode] * weight) * desk.lane_factor[order.country]
        transfer(books, LOGISTICS, seller, books[LINEHAUL] + mode, parcels * _whole(haul * factor))
    carrier = np.int64(order.carrier) if order.carrier != NO_CARRIER else 2 * np.int64(order.country)
    mile = desk.last_mile_cents[order.country] + desk.last_mile_kg_cents * max(weight - 1.0, 0.0)
    fare = parcels * _whole(mile * desk.carrier_price[carrier] * factor)
    transfer(books, LOGISTICS, seller, books[CARRIERS] + carrier, fare)


@njit(cache=True, error_model="numpy", _nrt=False)
def _collect(order: Any, cleared: bool, desk: Any, border: Any, goods: Goods, books: Books) -> None:
    """What customs ask of the seller beyond the shown taxes: of several units in one parcel, and of an understatement.

    An understatement that was found out costs the evaded duty and tax, unless the parcel is kept, and the fine.
    """
    seller, treasury = books[MERCHANTS] + order.merchant, books[TREASURIES] + order.country
    units = np.int64(order.quantity)
    value, freight = np.int64(order.goods_cents) // units, np.int64(order.freight_cents) // units
    country, category = np.int64(order.country), np.int64(order.category)
    hidden = np.int64(goods.understated_permille[order.line, order.country])
    joined = units > 1 and order.flags & DIVIDED == 0 and goods.postage_cents[order.line, order.country] > 0
    if cleared and joined:
        duty, vat = joint_excess(value, freight, units, country, category, border, FULL_VALUE - hidden)
        transfer(books, TARIFF, seller, treasury, duty)
        transfer(books, VAT, seller, treasury, vat)
    if order.flags & FOUND_OUT != 0:
        duty, vat = evaded(value, freight, units, country, category, border, hidden)
        if cleared:
            transfer(books, TARIFF, seller, treasury, duty)
            transfer(books, VAT, seller, treasury, vat)
        transfer(books, FINE, seller, treasury, share_cents(duty + vat, desk.penalty_ppm))


@njit(cache=True, error_model="numpy", _nrt=False)
def _tax(order: Any, books: Books) -> None:
    """Duty and value added tax go to the treasury: out of escrow, or advanced by the seller of a cash order."""
    if order.posted & POSTED_TAXES != 0 or order.direct == 0:
        return
    payer = books[ESCROW] + order.channel
    if order.method == CASH_ON_DELIVERY or (
        order.money != MONEY_HELD and order.money != MONEY_FROZEN
    ):  # nothing in escrow: the seller pays
        payer = books[MERCHANTS] + order.merchant
    order.posted |= np.uint8(POSTED_TAXES)
    transfer(books, TARIFF, payer, books[TREASURIES] + order.country, np.int64(order.duty_cents))
    transfer(books, VAT, payer, books[TREASURIES] + order.country, np.int64(order.vat_cents))


@njit(cache=True, error_model="numpy", _nrt=False)
def _tax_back(order: Any, payee: Whole, desk: Any, books: Books) -> Whole:
    """The treasury pays back its share of the taxes it has received; returns the cents."""
    if order.posted & POSTED_TAXES == 0:
        return 0
    duty = share_cents(np.int64(order.duty_cents), desk.duty_back_ppm[order.country])
    vat = share_cents(np.int64(order.vat_cents), desk.vat_back_ppm[order.country])
    transfer(books, TARIFF, books[TREASURIES] + order.country, payee, duty)
    transfer(books, VAT, books[TREASURIES] + order.country, payee, vat)
    return duty + vat


@njit(cache=True, error_model="numpy", _nrt=False)
def _pay_out(order: Any, day: Whole, desk: Any, goods: Goods, books: Books, rates: F64) -> None:
    """Escrow to channel (service fee) and seller; seller to channel, host and exchange; host to agency."""
    _tax(order, books)
    seller = books[MERCHANTS] + order.merchant
    service = np.int64(order.service_cents)
    amount = in_escrow(order) - service
    transfer(books, SERVICE_FEE, books[ESCROW] + order.channel, books[CHANNELS] + order.channel, service)
    transfer(books, SALE, books[ESCROW] + order.channel, seller, amount)
    transfer(books, COMMISSION, seller, books[CHANNELS] + order.channel, np.int64(order.commission_cents))
    if order.streamer != NO_STREAMER:
        host = books[STREAMERS] + order.streamer
        transfer(books, HOST_COMMISSION, seller, host, np.int64(order.host_cents))
        if goods.agency[order.streamer] != NO_STREAMER:
            permille = np.int64(goods.agency_permille[order.streamer])
            order.agency_cents = np.int32(share_cents(np.int64(order.host_cents), permille * PERMILLE))
            agency = books[MCNS] + goods.agency[order.streamer]
            transfer(books, AGENCY_SHARE, host, agency, np.int64(order.agency_cents))
    transfer(books, FX, seller, books[PROVIDERS] + order.method, share_cents(amount, desk.spread_ppm))
    if desk.floating[order.method] != 0:
        then = rates[(order.authorised // DAY_SECONDS) % rates.shape[0], order.country]
        now = rates[day % rates.shape[0], order.country]
        if then > 0.0 and now > 0.0:  # local money received then, worth this much now
            change = amount * (then / now - 1.0)
            gain = np.int64(change + 0.5) if change >= 0.0 else -np.int64(0.5 - change)
            transfer(books, FX, books[REST], seller, gain)
    order.posted |= np.uint8(POSTED_PAYOUT)


@njit(cache=True, error_model="numpy", _nrt=False)
def _claw_back(order: Any, goods: Goods, books: Books) -> None:
    """A payout is undone: channel, host and the host's agency return their commissions to the seller. A host who has
    left the agency since then bears its part."""
    seller = books[MERCHANTS] + order.merchant
    transfer(books, COMMISSION, books[CHANNELS] + order.channel, seller, np.int64(order.commission_cents))
    if order.streamer != NO_STREAMER:
        host = books[STREAMERS] + order.streamer
        if order.agency_cents != 0 and goods.agency[order.streamer] != NO_STREAMER:
            transfer(
                books,
                AGENCY_SHARE,
                books[MCNS] + goods.agency[order.streamer],
                host,
                np.int64(order.agency_cents),
            )
        transfer(books, HOST_COMMISSION, host, seller, np.int64(order.host_cents))


@njit(cache=True, error_model="numpy", _nrt=False)
def _return_freight(order: Any, payer: Whole, desk: Any, goods: Goods, books: Books) -> None:
    carrier = np.int64(order.carrier) if order.carrier != NO_CARRIER else 2 * np.int64(order.country)
    cents = desk.return_cents[order.country]
    if goods.cold[order.line] != 0:
        cents = cents * desk.cold_factor
    transfer(books, LOGISTICS, payer, books[CARRIERS] + carrier, _whole(cents))


@njit(cache=True, error_model="numpy", _nrt=False)
def _give_back(order: Any, blameless: bool, desk: Any, goods: Goods, books: Books) -> Whole:
    """Refunds a paid order and returns the cents the buyer gets.

    `blameless`: the goods never arrived, were faulty, or are guaranteed; the buyer then gets everything. Who only
    changed the mind goes without outward freight and taxes where law and treasury do not give them back. The platform
    gets its subsidy back, and keeps its service fee from who only changed the mind. What is missing in escrow the
    seller adds; what is over the seller keeps.
    """
    escrow = books[ESCROW] + order.channel
    seller = books[MERCHANTS] + order.merchant
    held = in_escrow(order)
    if order.posted & POSTED_PAYOUT != 0:
        _claw_back(order, goods, books)
        held = 0
    service = np.int64(order.service_cents)
    channel = books[CHANNELS] + order.channel
    if blameless and order.posted & POSTED_PAYOUT != 0:
        transfer(books, SERVICE_FEE, channel, escrow, service)
        held += service
    elif not blameless and order.posted & POSTED_PAYOUT == 0:
        transfer(books, SERVICE_FEE, escrow, channel, service)
        held -= service
    tax_back = _tax_back(order, escrow, desk, books)
    refund = buyer_pays(order)
    if not blameless:
        refund -= service
        if desk.freight_back[order.country] == 0:
            refund -= np.int64(order.freight_cents)
        if order.posted & POSTED_TAXES != 0:  # never more than the buyer was charged
            kept = np.int64(order.duty_cents) + np.int64(order.vat_cents) - tax_back
            refund -= min(kept, charged_taxes(order))
        refund = max(refund, 0)
    subsidy = np.int64(order.subsidy_cents)
    rest = held + tax_back - refund - subsidy
    if rest < 0:
        transfer(books, REFUND, seller, escrow, -rest)
    transfer(books, REFUND, escrow, _household(order), refund)
    transfer(books, SUBSIDY, escrow, channel, subsidy)
    if rest > 0:
        transfer(books, SALE, escrow, seller, rest)
    fee = share_cents(np.int64(order.fee_cents), desk.fee_back_ppm)
    transfer(books, PAYMENT_FEE, books[PROVIDERS] + order.method, _fee_account(order, desk, books), fee)
    order.refunded_cents += np.int32(refund)
    return refund


@njit(cache=True, error_model="numpy", _nrt=False)
def _count_refund(sheets: Sheets, order: Any, cents: Whole) -> None:
    count_cohort(sheets, COUNT_REFUNDED, np.int64(order.tick) >> 3, cell_of(order), cents)


@njit(cache=True, error_model="numpy", _nrt=False)
def _count_windfall(sheets: Sheets, order: Any, cents: Whole) -> None:
    """Money given back for goods the buyer keeps is realised surplus; their faults were counted when they arrived."""
    if order.status in (GOODS_DELIVERED, GOODS_KEPT):
        count(sheets, COUNT_SURPLUS, cell_of(order), cents * MILLICENTS)


@njit(cache=True, error_model="numpy", _nrt=False)
def _count_reversed(sheets: Sheets, order: Any) -> None:
    count(sheets, COUNT_REVERSED, cell_of(order), np.int64(order.goods_cents))


@njit(cache=True, error_model="numpy", _nrt=False)
def _expect_chargeback(order: Any, seq: Whole, time: Whole, chance_days: np.float32, out: Out) -> None:
    order.posted |= np.uint8(PENDING)
    _file(out, EVENT_CHARGEBACK, time + np.int64(chance_days * np.float32(DAY_SECONDS)), seq)


@njit(cache=True, error_model="numpy", _nrt=False)
def _is_faulty(order: Any) -> bool:
    """Whether the fault shows: damaged, counterfeit, spoiled."""
    return bool(order.flags & (DAMAGED | COUNTERFEIT | SPOILED) != 0)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def _apply(
    times: I64,
    kinds: U8,
    seqs: I64,
    rows: I64,
    book: Book,
    books: Books,
    desks: NDArray[Any],
    borders: NDArray[Any],
    goods: Goods,
    rates: F64,
    due: I64,
    authorisation: np.uint32,
    instalments: np.uint32,
    dispute: np.uint32,
    key: NDArray[np.uint32],
    sheets: Sheets,
    out: Out,
) -> Whole:
    """Applies events in order; -1, or the position of the first event that asks for a move the book does not allow."""
    desk = desks[0]
    for position in range(times.size):
        if position + AHEAD < times.size and rows[position + AHEAD] >= 0:
            fetch(book.data, rows[position + AHEAD])
        row = rows[position]
        if row < 0:
            continue  # the order is final and has left the book
        order = book.data[row]
        kind = kinds[position]
        time = times[position]
        day = time // DAY_SECONDS
        money = order.money
        paid = money in (MONEY_HELD, MONEY_FROZEN, MONEY_SETTLED)
        fine = True
        if kind == EVENT_AUTHORISED:
            if order.status != GOODS_PLACED:
                continue
            if desk.down[order.country, order.method] != 0:
                _file(out, EVENT_AUTHORISED, time + desk.outage_seconds, seqs[position])
                continue
            fine = move_status_one(book.data, row, GOODS_AUTHORISED, book.status_moves, book.counts, book.listed)
            order.authorised = np.int32(time)
            if order.method != CASH_ON_DELIVERY:
                _pay_in(order, desk, books)
                if order.method == INSTALMENTS:
                    _lend(order, day, desk, books, due, instalments, key[0], key[1])
                fine &= move_money_one(book.data, row, MONEY_HELD, book.money_moves, book.counts, book.listed)
            if order.method == CARD:
                words = philox(
                    order.birth,
                    np.uint32(0),
                    np.uint32(order.tick),
                    authorisation + np.uint32(order.ordinal),
                    key[0],
                    key[1],
                )
                if unit(words[2]) < desk.fraud[order.country]:
                    days = lognormal(unit(words[3]), desk.chargeback_median, desk.chargeback_sigma)
                    _expect_chargeback(order, seqs[position], time, days, out)
            out.authorised[out.sizes[1]] = seqs[position]
            out.sizes[1] += 1
            count_cohort(sheets, COUNT_AUTHORISED, np.int64(order.tick) >> 3, cell_of(order), ONE)
        elif kind == EVENT_AUTH_FAILED:
            if order.status != GOODS_PLACED:
                continue
            order.closed = np.int32(time)
            _count_reversed(sheets, order)
            fine = move_status_one(book.data, row, GOODS_PAYMENT_FAILED, book.status_moves, book.counts, book.listed)
            fine &= move_money_one(book.data, row, MONEY_VOID, book.money_moves, book.counts, book.listed)
        elif kind == EVENT_SHIPPED:
            _ship(order, desk, goods, books)
        elif kind == EVENT_CLEARED:
            _tax(order, books)
            if order.quantity > 1 or order.flags & FOUND_OUT != 0:
                _collect(order, True, desk, borders[0], goods, books)
        elif kind == EVENT_DELIVERED:
            if money == MONEY_NONE:
                _pay_in(order, desk, books)
                fine = move_money_one(book.data, row, MONEY_HELD, book.money_moves, book.counts, book.listed)
            _file(out, EVENT_SETTLEMENT_DUE, time + desk.settlement_seconds[order.channel], seqs[position])
        elif kind in (EVENT_SEIZED, EVENT_LOST, EVENT_REFUSED, EVENT_RETURN_RECEIVED):
            if kind == EVENT_LOST and goods.insured[order.merchant] != 0:
                claim = share_cents(np.int64(order.goods_cents), desk.cover_ppm)
                transfer(books, CLAIM, books[REST], books[MERCHANTS] + order.merchant, claim)
            if kind == EVENT_SEIZED and order.flags & FOUND_OUT != 0:
                _collect(order, False, desk, borders[0], goods, books)
            if kind == EVENT_REFUSED:  # a parcel refused at the door travels back at the seller's cost
                _return_freight(order, books[MERCHANTS] + order.merchant, desk, goods, books)
            if money == MONEY_NONE:
                _tax_back(order, books[MERCHANTS] + order.merchant, desk, books)
                order.closed = np.int32(time)
                _count_reversed(sheets, order)
                fine = move_money_one(book.data, row, MONEY_VOID, book.money_moves, book.counts, book.listed)
            elif paid:
                _file(out, EVENT_REFUND_DUE, time + desk.refund_seconds, seqs[position])
        elif kind == EVENT_REFUND_DUE:
            if money == MONEY_NONE:
                order.closed = np.int32(time)
                _count_reversed(sheets, order)
                fine = move_money_one(book.data, row, MONEY_VOID, book.money_moves, book.counts, book.listed)
            elif paid:
                arrived = order.status in (GOODS_DELIVERED, GOODS_RETURNING, GOODS_KEPT, GOODS_RETURNED)
                blameless = not arrived or _is_faulty(order) or order.flags & GUARANTEED != 0
                _count_refund(sheets, order, _give_back(order, blameless, desk, goods, books))
                _count_reversed(sheets, order)
                if order.status == GOODS_RETURNED:
                    payer = books[MERCHANTS] + order.merchant if blameless else _household(order)
                    _return_freight(order, payer, desk, goods, books)
                order.closed = np.int32(time)
                fine = move_money_one(book.data, row, MONEY_REFUNDED, book.money_moves, book.counts, book.listed)
        elif kind == EVENT_SETTLEMENT_DUE:
            if order.status != GOODS_DELIVERED and order.status != GOODS_KEPT:
                continue  # on its way back
            if money == MONEY_HELD:
                _pay_out(order, day, desk, goods, books, rates)
                order.closed = np.int32(time)
                fine = move_money_one(book.data, row, MONEY_SETTLED, book.money_moves, book.counts, book.listed)
            if money != MONEY_FROZEN and order.status == GOODS_DELIVERED:
                fine &= move_status_one(book.data, row, GOODS_KEPT, book.status_moves, book.counts, book.listed)
        elif kind == EVENT_CHARGEBACK:
            order.posted &= np.uint8(0xFF ^ PENDING)
            back = order.status in (GOODS_RETURNING, GOODS_RETURNED)  # refunded anyway
            if paid and not back:
                cents = _give_back(order, paid, desk, goods, books)
                _count_refund(sheets, order, cents)
                _count_windfall(sheets, order, cents)
                _count_reversed(sheets, order)
                provider = books[PROVIDERS] + order.method
                transfer(books, PAYMENT_FEE, books[MERCHANTS] + order.merchant, provider, desk.chargeback_fee)
                order.closed = np.int32(time)
                fine = move_money_one(book.data, row, MONEY_CHARGED_BACK, book.money_moves, book.counts, book.listed)
                if order.status == GOODS_DELIVERED:
                    fine &= move_status_one(book.data, row, GOODS_KEPT, book.status_moves, book.counts, book.listed)
            else:
                list_if_final(book.data, row, book.counts, book.listed)
        elif kind == EVENT_DISPUTE_CLOSED:
            if money != MONEY_FROZEN:
                continue
            words = philox(
                order.birth, np.uint32(0), np.uint32(order.tick), dispute + np.uint32(order.ordinal), key[0], key[1]
            )
            visible = 1 if _is_faulty(order) or order.flags & LATE != 0 else 0
            if order.status == GOODS_RETURNING or order.status == GOODS_RETURNED:
                fine = move_money_one(book.data, row, MONEY_HELD, book.money_moves, book.counts, book.listed)
            elif unit(words[0]) < desk.dispute_refund[visible]:
                cents = _give_back(order, paid, desk, goods, books)
                _count_refund(sheets, order, cents)
                _count_windfall(sheets, order, cents)
                _count_reversed(sheets, order)
                order.closed = np.int32(time)
                fine = move_money_one(book.data, row, MONEY_REFUNDED, book.money_moves, book.counts, book.listed)
                if order.status == GOODS_DELIVERED:
                    fine &= move_status_one(book.data, row, GOODS_KEPT, book.status_moves, book.counts, book.listed)
            else:
                if order.method == CARD and order.posted & PENDING == 0 and unit(words[1]) < desk.dispute_to_bank:
                    days = lognormal(unit(words[2]), desk.chargeback_median, desk.chargeback_sigma)
                    _expect_chargeback(order, seqs[position], time, days, out)
                fine = move_money_one(book.data, row, MONEY_HELD, book.money_moves, book.counts, book.listed)
                _file(
                    out,
                    EVENT_SETTLEMENT_DUE,
                    max(time, order.delivered + desk.settlement_seconds[order.channel]),
                    seqs[position],
                )
        if not fine:
            return position
    return -1


@njit(cache=True, error_model="numpy", _nrt=False)
def _freeze(times: I64, seqs: I64, rows: I64, book: Book, desks: NDArray[Any], out: Out) -> Whole:
    desk = desks[0]
    for position in range(rows.size):
        row = rows[position]
        if row < 0:
            continue
        order = book.data[row]
        if order.money != MONEY_HELD or order.status != GOODS_DELIVERED:
            continue
        if not move_money_one(book.data, row, MONEY_FROZEN, book.money_moves, book.counts, book.listed):
            return position
        _file(out, EVENT_DISPUTE_CLOSED, times[position] + desk.handling_seconds[order.channel], seqs[position])
    return -1


@njit(cache=True, error_model="numpy", _nrt=False)
def _held(data: Records, rows: I64, cents: I64) -> None:
    for position in range(rows.size):
        if position + AHEAD < rows.size:
            fetch(data, rows[position + AHEAD])
        order = data[rows[position]]
        if order.money == MONEY_HELD or order.money == MONEY_FROZEN:
            cents[order.channel] += in_escrow(order)


@njit(cache=True, error_model="numpy", _nrt=False)
def _retax(data: Records, rows: I64, understated_permille: NDArray[np.uint16], borders: NDArray[Any]) -> None:
    """Duty and tax of direct parcels that were sold from stock, unit by unit as at the till; the seller bears them."""
    for position in range(rows.size):
        order = data[rows[position]]
        if order.direct == 0:  # sold as direct: the border is not crossed, and what is in the price stays the seller's
            continue
        units = np.int64(order.quantity)
        declared = FULL_VALUE - np.int64(understated_permille[order.line, order.country])
        _, duty, vat = landed_parts(
            np.int64(order.goods_cents) // units, 0, np.int64(order.freight_cents) // units, np.int64(1),
            np.int64(order.country), np.int64(order.category), borders[0], declared,
        )  # fmt: skip
        order.duty_cents = np.int32(units * duty)
        order.vat_cents = np.int32(units * vat)
        order.posted |= np.uint8(UNCHARGED)


class Settlement:
    """Requests, payouts, refunds, disputes and chargebacks of one world."""

    def __init__(
        self,
        payments: Payments,
        economics: Economics,
        orders: Orders,
        ledger: Ledger,
        catalogue: Catalogue,
        clock: Schedule,
        draws: Draws,
        carrier_price: ArrayLike = 1.0,
        tally: Tally | None = None,
    ) -> None:
        """`carrier_price` (carriers,) or one for all: price of each last-mile carrier against its region's level."""
        self._payments = payments
        self._orders = orders
        self._ledger = ledger
        self._catalogue = catalogue
        self._clock = clock
        self._sheets = (tally or Tally.silent()).sheets
        self._key = draws.key
        self._failure = payments.failure().astype(np.float32)
        self._tables = np.stack(
            [
                quantile_table(lambda p, name=name: payments.approval_quantile(name, p))  # type: ignore[misc]
                for name in PAYMENT_METHODS
            ]
        )
        self._authorisation = purpose_base(Purpose.AUTHORISATION)
        self._instalments = purpose_base(Purpose.INSTALMENTS)
        self._dispute = purpose_base(Purpose.DISPUTE)
        self._fixed = _fixed_desk(
            payments, economics, np.broadcast_to(np.asarray(carrier_price, np.float64), N_CARRIERS)
        )
        self._seen: Rules | None = None
        self._desk: NDArray[Any]
        self._border: NDArray[Any]
        self._rates: F64 = np.zeros((RING_DAYS, N_COUNTRIES))
        self._due: I64 = np.zeros((RING_DAYS, ledger.size[Account.HOUSEHOLD]), np.int64)

    def _prepare(self, rules: Rules) -> None:
        if rules is self._seen:
            return
        self._desk = self._fixed.copy()
        self._desk["settlement_seconds"] = _seconds(rules.payment.settlement_days, DAY_SECONDS)
        self._desk["handling_seconds"] = _seconds(rules.aftersales.handling_hours, HOUR_SECONDS)
        self._desk["down"] = rules.payment.outage
        self._border = border_of(rules, self._payments.customs_value_without_freight)
        self._seen = rules

    def _book(self) -> Book:
        orders = self._orders
        return Book(orders.data, orders.counts, orders.listed_rows, _STATUS_MOVES, _MONEY_MOVES)

    def _goods(self) -> Goods:
        return Goods(**{name: getattr(self._catalogue, name) for name in Goods._fields})

    def expect_instalments(self, day: int, lent: F64) -> None:
        """Files the instalments of purchases made before the first day, `day`.

        `lent` float64[households]: cents a day that households have long been buying in parts. Without these the
        provider would lend for a year before as much came back.
        """
        desk = self._fixed[0]
        step = np.arange(1, int(desk["part_counts"].max()))
        shares = np.diff(desk["part_limits"], prepend=np.float32(0.0)).astype(np.float64)
        solvent = 1.0 - np.repeat(desk["default"].astype(np.float64), len(INCOME_THIRDS)) / 2.0  # who stop, half-way
        for later in range(PART_DAYS * step.size):
            open_parts = 0.0
            for number, share in zip(desk["part_counts"], shares, strict=True):
                if number > 1 and share > 0.0:
                    due = int(((step < number) & (PART_DAYS * step > later)).sum())
                    open_parts += float(share) * due / int(number)
            self._due[(day + later) % RING_DAYS] += np.rint(lent * solvent * open_parts).astype(np.int64)

    def open_day(self, day: int, rates: ArrayLike) -> None:
        """Notes the day's exchange rates (local units per USD, float64[C]) and collects the instalments due."""
        self._rates[day % RING_DAYS] = rates
        due = self._due[day % RING_DAYS]
        households = self._ledger.account(Account.HOUSEHOLD, np.arange(due.size))
        provider = self._ledger.account(Account.PROVIDER, INSTALMENTS)
        self._ledger.post(MoneyPurpose.LOAN, households, provider, due)
        due[:] = 0

    @property
    def instalments_due_cents(self) -> int:
        """Instalments that buyers who will not default have still to pay."""
        return int(self._due.sum())

    def request(self, placed: I64, rules: Rules) -> None:
        """Asks for approval of new orders (sequence numbers); files AUTHORISED or AUTH_FAILED for each."""
        if placed.size == 0:
            return
        self._prepare(rules)
        rows = self._orders.row(placed)
        kinds, times = np.empty(placed.size, np.int64), np.empty(placed.size, np.int64)
        _request(
            self._orders.data, rows, self._failure, self._tables, self._authorisation, self._key, kinds, times,
            self._sheets,
        )  # fmt: skip
        self._clock.schedule(kinds, times, placed)

    def apply(self, events: Events, rules: Rules) -> I64:
        """Moves the money of everything that fell due; returns the orders (sequence numbers) now approved.

        Call it before fulfilment applies the same events. Raises IllegalMoveError if an event contradicts the book.
        """
        size = len(events)
        if size == 0:
            return np.zeros(0, np.int64)
        self._prepare(rules)
        out = _room(size)
        fault = _apply(
            events.time, events.kind, events.order, events.rows(self._orders), self._book(), self._ledger.books,
            self._desk, self._border, self._goods(), self._rates, self._due, self._authorisation, self._instalments,
            self._dispute, self._key, self._sheets, out,
        )  # fmt: skip
        if fault >= 0:
            order, kind = int(events.order[fault]), Event(int(events.kind[fault]))
            raise IllegalMoveError(f"{kind.name} contradicts the state of order {order} (its goods or its money)")
        self._send(out)
        return out.authorised[: out.sizes[1]]

    def judge(self, verdicts: Verdicts, rules: Rules) -> None:
        """Freezes the money of disputed orders until the channel has answered; files DISPUTE_CLOSED.

        Call it after the goods of buyers who return have been sent back: those are refunded, not disputed.
        """
        disputed = np.flatnonzero(verdicts.disputes)
        if disputed.size == 0:
            return
        self._prepare(rules)
        seqs = verdicts.order[disputed]
        out = _room(disputed.size)
        fault = _freeze(verdicts.time[disputed], seqs, self._orders.find(seqs), self._book(), self._desk, out)
        if fault >= 0:
            raise IllegalMoveError(f"order {int(seqs[fault])} cannot be disputed")
        self._send(out)

    def cancel(self, seqs: I64, seconds: I64, rules: Rules) -> None:
        """Files the refunds of orders whose goods were cancelled; call it once for each."""
        self._prepare(rules)
        self._clock.schedule(
            np.full(seqs.size, int(Event.REFUND_DUE)),
            np.asarray(seconds, np.int64) + self._desk["refund_seconds"][0],
            seqs,
        )

    def reroute(self, seqs: I64, rules: Rules) -> None:
        """Taxes released orders anew whose goods take another route than the one they were sold for.

        The buyer has paid the price shown: the seller bears taxes that were not in it, and keeps those no longer due.
        """
        if seqs.size:
            self._prepare(rules)
            rows = self._orders.row(seqs)
            _retax(self._orders.data, rows, self._catalogue.understated_permille, self._border)

    def _send(self, out: Out) -> None:
        count = int(out.sizes[0])
        if count:
            self._clock.schedule(out.kind[:count], out.time[:count], out.order[:count])

    def check(self) -> None:
        """Asserts that each channel's escrow holds exactly the money of its open orders (one pass over the book)."""
        held = np.zeros(self._ledger.size[Account.ESCROW], np.int64)
        _held(self._orders.data, self._orders.open_rows(), held)
        balance = self._ledger.balance(Account.ESCROW)
        if np.any(balance != held):
            raise AssertionError(f"escrow holds {balance.tolist()} cents, its orders add up to {held.tolist()}")


_STATUS_MOVES = ALLOWED_STATUS.copy()
_MONEY_MOVES = ALLOWED_MONEY.copy()


def _room(size: int) -> Out:
    return Out(
        np.empty(2 * size, np.int64), np.empty(2 * size, np.int64), np.empty(2 * size, np.int64),
        np.empty(size, np.int64), np.zeros(2, np.int64),
    )  # fmt: skip


def _seconds(values: ArrayLike, unit_seconds: int) -> I64:
    whole: I64 = np.rint(np.asarray(values, np.float64) * unit_seconds).astype(np.int64)
    return whole


def _fixed_desk(payments: Payments, economics: Economics, carrier_price: F64) -> NDArray[Any]:
    """The parameters no rule changes; the leaves of the rules are filled in with zeros."""
    regions = [REGIONS[region] for region in REGION_OF_COUNTRY]

    def by_country(table: dict[str, float]) -> F64:
        return np.array([table[region] for region in regions]) * HUNDREDTH

    origin = economics.pick_pack_usd["origin"] * HUNDREDTH
    shares = np.asarray(payments.part_shares, np.float64)
    values: dict[str, Any] = {
        "refund_seconds": int(payments.refund_hours * HOUR_SECONDS),
        "outage_seconds": int(payments.outage_delay_hours * HOUR_SECONDS),
        "fraud": payments.by_country("fraud_chargeback").astype(np.float32),
        "chargeback_median": payments.chargeback_days["median"],
        "chargeback_sigma": payments.chargeback_days["sigma"],
        "chargeback_fee": round(payments.chargeback_fee_usd * HUNDREDTH),
        "dispute_refund": np.array([payments.dispute_refund["other"], payments.dispute_refund["fault"]], np.float32),
        "dispute_to_bank": np.array([payments.dispute_to_chargeback], np.float32),
        "freight_back": np.rint(payments.by_country("outbound_freight_refunded")).astype(np.int64),
        "duty_back_ppm": parts_per_million(payments.by_country("duty_refunded")),
        "vat_back_ppm": parts_per_million(payments.by_country("vat_refunded")),
        "penalty_ppm": int(parts_per_million(payments.misdeclared_penalty)),
        "fee_back_ppm": int(parts_per_million(payments.fee_returned)),
        "fee_by_channel": payments.paid_by_channel().astype(np.uint8),
        "floating": np.array([name in payments.floating_methods for name in PAYMENT_METHODS], np.uint8),
        "spread_ppm": int(parts_per_million(economics.fx_spread)),
        "premium_ppm": int(parts_per_million(economics.insurance_premium)),
        "cover_ppm": int(parts_per_million(economics.insurance_cover)),
        "default": payments.by_country("instalment_default").astype(np.float32),
        "parts": shares.size,
        "part_counts": np.pad(np.asarray(payments.part_counts, np.int64), (0, _PART_COUNTS - shares.size)),
        "part_limits": np.pad(np.cumsum(shares / shares.sum()), (0, _PART_COUNTS - shares.size)),
        "least_part": round(payments.least_part_usd * HUNDREDTH),
        "handling_cents": np.concatenate([np.full(N_ORIGIN_WAREHOUSES, origin), by_country(economics.pick_pack_usd)]),
        "linehaul_cents": np.array([economics.parcel_base_usd.get(mode, 0.0) * HUNDREDTH for mode in MODES]),
        "linehaul_kg_cents": np.array([economics.parcel_kg_usd.get(mode, 0.0) * HUNDREDTH for mode in MODES]),
        "lane_factor": np.array([economics.lane_factor[region] for region in regions]),
        "last_mile_cents": by_country(economics.last_mile_usd),
        "last_mile_kg_cents": economics.last_mile_kg_usd * HUNDREDTH,
        "carrier_price": np.array(carrier_price, np.float64),
        "return_cents": by_country(economics.return_usd),
        "cold_factor": economics.cold_chain_factor,
        "small_factor": economics.small_freight_factor,
    }
    desk = np.zeros(1, DESK)
    for name, value in values.items():
        desk[name] = value
    return desk
