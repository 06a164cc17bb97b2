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
from sim.kernels.money import parts_per_million, share_cents
from sim.kernels.philox import philox, unit
from sim.kinds import (
    DAY_SECONDS,
    MODES,
    N_CARRIERS,
    N_COUNTRIES,
    N_METHODS,
    N_ORIGIN_WAREHOUSES,
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
from sim.record.schema import Measure, MoneyPurpose, cells
from sim.record.tally import Tally
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.ledger import Account, Books, Ledger, transfer
from sim.state.orders import (
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

HOUR_SECONDS = 3600
HUNDREDTH = 100
RING_DAYS = 512  # instalments are due within a year; exchange rates are looked up within the life of an order
PART_DAYS = 30
PERMILLE = 1000

# Enumeration values as plain numbers, for the kernels.
MERCHANTS = int(Account.MERCHANT)
STREAMERS = int(Account.STREAMER)
MCNS = int(Account.MCN)
CHANNELS = int(Account.CHANNEL)
ESCROW = int(Account.ESCROW)
CARRIERS = int(Account.CARRIER)
LINEHAUL = int(Account.LINEHAUL)
WAREHOUSES = int(Account.WAREHOUSE)
PROVIDERS = int(Account.PROVIDER)
TREASURIES = int(Account.TREASURY)
REST = int(Account.REST_OF_WORLD)
SALE = int(MoneyPurpose.SALE)
REFUND = int(MoneyPurpose.REFUND)
COMMISSION = int(MoneyPurpose.COMMISSION)
HOST_COMMISSION = int(MoneyPurpose.HOST_COMMISSION)
AGENCY_SHARE = int(MoneyPurpose.AGENCY_SHARE)
LOGISTICS = int(MoneyPurpose.LOGISTICS)
TARIFF = int(MoneyPurpose.TARIFF)
VAT = int(MoneyPurpose.VAT)
PAYMENT_FEE = int(MoneyPurpose.PAYMENT_FEE)
FX = int(MoneyPurpose.FX)
SUBSIDY = int(MoneyPurpose.SUBSIDY)
LOAN = int(MoneyPurpose.LOAN)
EVENT_AUTHORISED = int(Event.AUTHORISED)
EVENT_AUTH_FAILED = int(Event.AUTH_FAILED)
EVENT_SHIPPED = int(Event.SHIPPED)
EVENT_CLEARED = int(Event.CLEARED)
EVENT_SEIZED = int(Event.SEIZED)
EVENT_LOST = int(Event.LOST)
EVENT_DELIVERED = int(Event.DELIVERED)
EVENT_REFUSED = int(Event.REFUSED)
EVENT_RETURN_RECEIVED = int(Event.RETURN_RECEIVED)
EVENT_REFUND_DUE = int(Event.REFUND_DUE)
EVENT_SETTLEMENT_DUE = int(Event.SETTLEMENT_DUE)
EVENT_CHARGEBACK = int(Event.CHARGEBACK)
EVENT_DISPUTE_CLOSED = int(Event.DISPUTE_CLOSED)
GOODS_PLACED = int(Status.PLACED)
GOODS_AUTHORISED = int(Status.AUTHORISED)
GOODS_DELIVERED = int(Status.DELIVERED)
GOODS_RETURNING = int(Status.RETURNING)
GOODS_KEPT = int(Status.KEPT)
GOODS_PAYMENT_FAILED = int(Status.PAYMENT_FAILED)
GOODS_RETURNED = int(Status.RETURNED)
MONEY_NONE = int(MoneyState.NONE)
MONEY_HELD = int(MoneyState.HELD)
MONEY_FROZEN = int(MoneyState.FROZEN)
MONEY_SETTLED = int(MoneyState.SETTLED)
MONEY_REFUNDED = int(MoneyState.REFUNDED)
MONEY_VOID = int(MoneyState.VOID)
MONEY_CHARGED_BACK = int(MoneyState.CHARGED_BACK)
CARD = PAYMENT_METHODS.index("card")
CASH_ON_DELIVERY = PAYMENT_METHODS.index("cash_on_delivery")
INSTALMENTS = PAYMENT_METHODS.index("instalments")
DEDICATED_LINE = MODES.index("dedicated_line")
LATE, DAMAGED, COUNTERFEIT = int(Flag.LATE), int(Flag.DAMAGED), int(Flag.COUNTERFEIT)
SPOILED, GUARANTEED = int(Flag.SPOILED), int(Flag.GUARANTEED)
POSTED_SALE, POSTED_LOGISTICS, POSTED_TAXES = int(Posted.SALE), int(Posted.LOGISTICS), int(Posted.TAXES)
POSTED_PAYOUT, PENDING = int(Posted.PAYOUT), int(Posted.PENDING)


class Schedule(Protocol):
    """The part of the clock that settlement uses."""

    def schedule(self, kind: NDArray[Any], seconds: NDArray[Any], orders: NDArray[Any]) -> None:
        """Files due events."""


class Desk(NamedTuple):
    """Rules and parameters of payment, per country (C), channel (H), method (M) or flat, for the kernels."""

    settlement_seconds: I64  # (H,) from delivery to payout
    handling_seconds: I64  # (H,) from dispute to answer
    refund_seconds: int
    outage_seconds: int
    down: U8  # (C, M)
    fraud: F32  # (C,) share of card orders charged back as unauthorised
    chargeback_days: F32  # median, log standard deviation
    chargeback_fee: int  # cents
    dispute_refund: F32  # chance without and with a visible fault
    dispute_to_bank: F32  # (1,)
    freight_back: I64  # (C,) 1: outward freight is refunded to who changes the mind
    duty_back_ppm: I64  # (C,)
    vat_back_ppm: I64  # (C,)
    fee_back_ppm: int
    fee_by_channel: U8  # (M,)
    floating: U8  # (M,)
    spread_ppm: int
    default: F32  # (C,)
    part_counts: I64
    part_limits: F32  # cumulated shares
    least_part: int  # cents
    handling_cents: F64  # (W,) pick and pack
    linehaul_cents: F64  # (modes,) a parcel
    linehaul_kg_cents: F64  # (modes,)
    lane_factor: F64  # (C,)
    last_mile_cents: F64  # (C,)
    last_mile_kg_cents: float
    carrier_price: F64  # (carriers,)
    return_cents: F64  # (C,)
    cold_factor: float
    small_factor: float


class Goods(NamedTuple):
    """What settlement reads of the catalogue."""

    weight_kg: F32
    cold: U8
    seller_class: U8
    agency: U16
    agency_permille: U16


class Book(NamedTuple):
    """The order book's arrays, and the tables of allowed moves."""

    data: Records
    counts: I64
    listed: NDArray[np.int32]
    status_moves: NDArray[np.bool_]
    money_moves: NDArray[np.bool_]


class Out(NamedTuple):
    """What applying n events brings: new events (up to 2n), orders approved (n), amounts by event (n)."""

    kind: I64
    time: I64
    order: I64
    authorised: I64
    refunded: I64
    reversed: I64
    sizes: I64  # number of new events, of approved orders


@njit(cache=True, error_model="numpy", nogil=True)
def _request(
    data: Records,
    rows: I64,
    failure: F32,
    tables: F32,
    purpose: np.uint32,
    key: NDArray[np.uint32],
    kinds: I64,
    times: I64,
) -> None:
    for position in range(rows.size):
        order = data[rows[position]]
        words = philox(
            order.birth, np.uint32(0), np.uint32(order.tick), purpose + np.uint32(order.ordinal), key[0], key[1]
        )
        hours = interp_quantile(tables[order.method], unit(words[0]))
        times[position] = order.placed + int(hours * np.float32(HOUR_SECONDS))
        kinds[position] = (
            EVENT_AUTH_FAILED if unit(words[1]) < failure[order.country, order.method] else EVENT_AUTHORISED
        )


@njit(cache=True, error_model="numpy")
def _whole(cents: float) -> int:
    return int(cents + 0.5)


@njit(cache=True, error_model="numpy")
def buyer_pays(order: Any) -> int:
    """Cents the buyer pays for an order: goods, freight and taxes less the platform's subsidy."""
    goods, freight, taxes = (
        int(order.goods_cents),
        int(order.freight_cents),
        int(order.duty_cents) + int(order.vat_cents),
    )
    return goods + freight + taxes - int(order.subsidy_cents)


@njit(cache=True, error_model="numpy")
def in_escrow(order: Any) -> int:
    """Cents of an order whose money is held that lie in escrow: all that came in, less taxes already passed on.

    Taxes of a cash-on-delivery parcel are advanced by the seller, so nothing of its money has gone to the treasury.
    """
    cents = buyer_pays(order) + int(order.subsidy_cents)
    if order.posted & POSTED_TAXES != 0 and order.method != CASH_ON_DELIVERY:
        cents -= int(order.duty_cents) + int(order.vat_cents)
    return cents


@njit(cache=True, error_model="numpy")
def _household(order: Any) -> int:
    return int(order.country) * 3 + int(order.third)


@njit(cache=True, error_model="numpy")
def _file(out: Out, kind: int, time: int, seq: int) -> None:
    place = out.sizes[0]
    out.kind[place] = kind
    out.time[place] = time
    out.order[place] = seq
    out.sizes[0] = place + 1


@njit(cache=True, error_model="numpy")
def _fee_account(order: Any, desk: Desk, books: Books) -> int:
    if desk.fee_by_channel[order.method] != 0:
        return int(books.start[CHANNELS] + order.channel)
    return int(books.start[MERCHANTS] + order.merchant)


@njit(cache=True, error_model="numpy")
def _pay_in(order: Any, desk: Desk, books: Books) -> None:
    """The buyer's money and the platform's subsidy come into escrow; the provider takes its fee."""
    escrow = books.start[ESCROW] + order.channel
    transfer(books, SALE, _household(order), escrow, buyer_pays(order))
    transfer(books, SUBSIDY, books.start[CHANNELS] + order.channel, escrow, int(order.subsidy_cents))
    transfer(
        books,
        PAYMENT_FEE,
        _fee_account(order, desk, books),
        books.start[PROVIDERS] + order.method,
        int(order.fee_cents),
    )
    order.posted |= np.uint8(POSTED_SALE)


@njit(cache=True, error_model="numpy")
def _lend(
    order: Any, day: int, desk: Desk, books: Books, due: I64, purpose: np.uint32, key0: np.uint32, key1: np.uint32
) -> None:
    """The provider advances all parts but the first; repayments are filed until the buyer stops, if ever."""
    words = philox(order.birth, np.uint32(0), np.uint32(order.tick), purpose + np.uint32(order.ordinal), key0, key1)
    place = 0
    while place < desk.part_counts.size - 1 and unit(words[0]) >= desk.part_limits[place]:
        place += 1
    pays = buyer_pays(order)
    parts = min(desk.part_counts[place], max(pays // max(desk.least_part, 1), 1))
    part = pays // parts
    transfer(books, LOAN, books.start[PROVIDERS] + order.method, _household(order), part * (parts - 1))
    paid = parts
    if unit(words[1]) < desk.default[order.country]:
        paid = 1 + int(unit(words[2]) * np.float32(parts - 1))
    for step in range(1, paid):
        due[(day + PART_DAYS * step) % due.shape[0], _household(order)] += part


@njit(cache=True, error_model="numpy")
def _ship(order: Any, desk: Desk, goods: Goods, books: Books) -> None:
    """The seller pays for picking and packing, for line-haul of a direct parcel, and for the last mile."""
    if order.posted & POSTED_LOGISTICS != 0:
        return
    order.posted |= np.uint8(POSTED_LOGISTICS)
    seller = books.start[MERCHANTS] + order.merchant
    weight = float(goods.weight_kg[order.line]) * float(order.quantity)
    factor = desk.small_factor if goods.seller_class[order.merchant] == 0 else 1.0
    if goods.cold[order.line] != 0:
        factor = factor * desk.cold_factor
    if order.warehouse != NO_WAREHOUSE:
        handling = _whole(desk.handling_cents[order.warehouse] * factor)
        transfer(books, LOGISTICS, seller, books.start[WAREHOUSES] + order.warehouse, handling)
    if order.direct != 0:
        mode = int(order.mode) if order.mode != NO_MODE else DEDICATED_LINE
        haul = (desk.linehaul_cents[mode] + desk.linehaul_kg_cents[mode] * weight) * desk.lane_factor[order.country]
        transfer(books, LOGISTICS, seller, books.start[LINEHAUL] + mode, _whole(haul * factor))
    carrier = int(order.carrier) if order.carrier != NO_CARRIER else 2 * int(order.country)
    mile = desk.last_mile_cents[order.country] + desk.last_mile_kg_cents * max(weight - 1.0, 0.0)
    transfer(
        books, LOGISTICS, seller, books.start[CARRIERS] + carrier, _whole(mile * desk.carrier_price[carrier] * factor)
    )


@njit(cache=True, error_model="numpy")
def _tax(order: Any, books: Books) -> None:
    """Duty and value added tax go to the treasury: out of escrow, or advanced by the seller of a cash order."""
    if order.posted & POSTED_TAXES != 0 or order.direct == 0:
        return
    payer = books.start[ESCROW] + order.channel
    if order.method == CASH_ON_DELIVERY or (
        order.money != MONEY_HELD and order.money != MONEY_FROZEN
    ):  # nothing in escrow: the seller pays
        payer = books.start[MERCHANTS] + order.merchant
    order.posted |= np.uint8(POSTED_TAXES)
    transfer(books, TARIFF, payer, books.start[TREASURIES] + order.country, int(order.duty_cents))
    transfer(books, VAT, payer, books.start[TREASURIES] + order.country, int(order.vat_cents))


@njit(cache=True, error_model="numpy")
def _tax_back(order: Any, payee: int, desk: Desk, books: Books) -> int:
    """The treasury pays back its share of the taxes it has received; returns the cents."""
    if order.posted & POSTED_TAXES == 0:
        return 0
    duty = share_cents(int(order.duty_cents), desk.duty_back_ppm[order.country])
    vat = share_cents(int(order.vat_cents), desk.vat_back_ppm[order.country])
    transfer(books, TARIFF, books.start[TREASURIES] + order.country, payee, duty)
    transfer(books, VAT, books.start[TREASURIES] + order.country, payee, vat)
    return duty + vat


@njit(cache=True, error_model="numpy")
def _pay_out(order: Any, day: int, desk: Desk, goods: Goods, books: Books, rates: F64) -> None:
    """Escrow to seller; seller to channel, host and exchange; host to agency."""
    _tax(order, books)
    seller = books.start[MERCHANTS] + order.merchant
    amount = in_escrow(order)
    transfer(books, SALE, books.start[ESCROW] + order.channel, seller, amount)
    transfer(books, COMMISSION, seller, books.start[CHANNELS] + order.channel, int(order.commission_cents))
    if order.streamer != NO_STREAMER:
        host = books.start[STREAMERS] + order.streamer
        transfer(books, HOST_COMMISSION, seller, host, int(order.host_cents))
        if goods.agency[order.streamer] != NO_STREAMER:
            permille = int(goods.agency_permille[order.streamer])
            order.agency_cents = np.int32(share_cents(int(order.host_cents), permille * PERMILLE))
            agency = books.start[MCNS] + goods.agency[order.streamer]
            transfer(books, AGENCY_SHARE, host, agency, int(order.agency_cents))
    transfer(books, FX, seller, books.start[PROVIDERS] + order.method, share_cents(amount, desk.spread_ppm))
    if desk.floating[order.method] != 0:
        then = rates[(order.authorised // DAY_SECONDS) % rates.shape[0], order.country]
        now = rates[day % rates.shape[0], order.country]
        if then > 0.0 and now > 0.0:  # local money received then, worth this much now
            change = amount * (then / now - 1.0)
            gain = int(change + 0.5) if change >= 0.0 else -int(0.5 - change)
            transfer(books, FX, books.start[REST], seller, gain)
    order.posted |= np.uint8(POSTED_PAYOUT)


@njit(cache=True, error_model="numpy")
def _claw_back(order: Any, goods: Goods, books: Books) -> None:
    """A payout is undone: channel, host and agency return their commissions to the seller."""
    seller = books.start[MERCHANTS] + order.merchant
    transfer(books, COMMISSION, books.start[CHANNELS] + order.channel, seller, int(order.commission_cents))
    if order.streamer != NO_STREAMER:
        host = books.start[STREAMERS] + order.streamer
        if order.agency_cents != 0:
            transfer(
                books, AGENCY_SHARE, books.start[MCNS] + goods.agency[order.streamer], host, int(order.agency_cents)
            )
        transfer(books, HOST_COMMISSION, host, seller, int(order.host_cents))


@njit(cache=True, error_model="numpy")
def _return_freight(order: Any, payer: int, desk: Desk, goods: Goods, books: Books) -> None:
    carrier = int(order.carrier) if order.carrier != NO_CARRIER else 2 * int(order.country)
    cents = desk.return_cents[order.country]
    if goods.cold[order.line] != 0:
        cents = cents * desk.cold_factor
    transfer(books, LOGISTICS, payer, books.start[CARRIERS] + carrier, _whole(cents))


@njit(cache=True, error_model="numpy")
def _give_back(order: Any, blameless: bool, desk: Desk, goods: Goods, books: Books) -> int:
    """Refunds a paid order and returns the cents the buyer gets.

    `blameless`: the goods never arrived, were faulty, or are guaranteed; the buyer then gets everything. Who only
    changed the mind goes without outward freight and taxes where law and treasury do not give them back. The platform
    gets its subsidy back. What is missing in escrow the seller adds; what is over the seller keeps.
    """
    escrow = books.start[ESCROW] + order.channel
    seller = books.start[MERCHANTS] + order.merchant
    held = in_escrow(order)
    if order.posted & POSTED_PAYOUT != 0:
        _claw_back(order, goods, books)
        held = 0
    tax_back = _tax_back(order, escrow, desk, books)
    refund = buyer_pays(order)
    if not blameless:
        if desk.freight_back[order.country] == 0:
            refund -= int(order.freight_cents)
        if order.posted & POSTED_TAXES != 0:
            refund -= int(order.duty_cents) + int(order.vat_cents) - tax_back
        refund = max(refund, 0)
    subsidy = int(order.subsidy_cents)
    rest = held + tax_back - refund - subsidy
    if rest < 0:
        transfer(books, REFUND, seller, escrow, -rest)
    transfer(books, REFUND, escrow, _household(order), refund)
    transfer(books, SUBSIDY, escrow, books.start[CHANNELS] + order.channel, subsidy)
    if rest > 0:
        transfer(books, SALE, escrow, seller, rest)
    fee = share_cents(int(order.fee_cents), desk.fee_back_ppm)
    transfer(books, PAYMENT_FEE, books.start[PROVIDERS] + order.method, _fee_account(order, desk, books), fee)
    order.refunded_cents += np.int32(refund)
    return refund


@njit(cache=True, error_model="numpy")
def _expect_chargeback(order: Any, seq: int, time: int, chance_days: np.float32, out: Out) -> None:
    order.posted |= np.uint8(PENDING)
    _file(out, EVENT_CHARGEBACK, time + int(chance_days * np.float32(DAY_SECONDS)), seq)


@njit(cache=True, error_model="numpy")
def _is_faulty(order: Any) -> bool:
    """Whether the fault shows: damaged, counterfeit, spoiled."""
    return bool(order.flags & (DAMAGED | COUNTERFEIT | SPOILED) != 0)


@njit(cache=True, error_model="numpy", nogil=True)
def _apply(
    times: I64,
    kinds: U8,
    seqs: I64,
    rows: I64,
    book: Book,
    books: Books,
    desk: Desk,
    goods: Goods,
    rates: F64,
    due: I64,
    authorisation: np.uint32,
    instalments: np.uint32,
    dispute: np.uint32,
    key: NDArray[np.uint32],
    out: Out,
) -> int:
    """Applies events in order; -1, or the position of the first event that asks for a move the book does not allow."""
    for position in range(times.size):
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
                    days = lognormal(unit(words[3]), desk.chargeback_days[0], desk.chargeback_days[1])
                    _expect_chargeback(order, seqs[position], time, days, out)
            out.authorised[out.sizes[1]] = seqs[position]
            out.sizes[1] += 1
        elif kind == EVENT_AUTH_FAILED:
            if order.status != GOODS_PLACED:
                continue
            order.closed = np.int32(time)
            out.reversed[position] = order.goods_cents
            fine = move_status_one(book.data, row, GOODS_PAYMENT_FAILED, book.status_moves, book.counts, book.listed)
            fine &= move_money_one(book.data, row, MONEY_VOID, book.money_moves, book.counts, book.listed)
        elif kind == EVENT_SHIPPED:
            _ship(order, desk, goods, books)
        elif kind == EVENT_CLEARED:
            _tax(order, books)
        elif kind == EVENT_DELIVERED:
            if money == MONEY_NONE:
                _pay_in(order, desk, books)
                fine = move_money_one(book.data, row, MONEY_HELD, book.money_moves, book.counts, book.listed)
            _file(out, EVENT_SETTLEMENT_DUE, time + desk.settlement_seconds[order.channel], seqs[position])
        elif kind in (EVENT_SEIZED, EVENT_LOST, EVENT_REFUSED, EVENT_RETURN_RECEIVED):
            if kind == EVENT_REFUSED:  # a parcel refused at the door travels back at the seller's cost
                _return_freight(order, books.start[MERCHANTS] + order.merchant, desk, goods, books)
            if money == MONEY_NONE:
                _tax_back(order, books.start[MERCHANTS] + order.merchant, desk, books)
                order.closed = np.int32(time)
                out.reversed[position] = order.goods_cents
                fine = move_money_one(book.data, row, MONEY_VOID, book.money_moves, book.counts, book.listed)
            elif paid:
                _file(out, EVENT_REFUND_DUE, time + desk.refund_seconds, seqs[position])
        elif kind == EVENT_REFUND_DUE:
            if money == MONEY_NONE:
                order.closed = np.int32(time)
                out.reversed[position] = order.goods_cents
                fine = move_money_one(book.data, row, MONEY_VOID, book.money_moves, book.counts, book.listed)
            elif paid:
                arrived = order.status in (GOODS_DELIVERED, GOODS_RETURNING, GOODS_KEPT, GOODS_RETURNED)
                blameless = not arrived or _is_faulty(order) or order.flags & GUARANTEED != 0
                out.refunded[position] = _give_back(order, blameless, desk, goods, books)
                out.reversed[position] = order.goods_cents
                if order.status == GOODS_RETURNED:
                    payer = books.start[MERCHANTS] + order.merchant if blameless else _household(order)
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
                out.refunded[position] = _give_back(order, True, desk, goods, books)
                out.reversed[position] = order.goods_cents
                provider = books.start[PROVIDERS] + order.method
                transfer(books, PAYMENT_FEE, books.start[MERCHANTS] + order.merchant, provider, desk.chargeback_fee)
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
                out.refunded[position] = _give_back(order, True, desk, goods, books)
                out.reversed[position] = order.goods_cents
                order.closed = np.int32(time)
                fine = move_money_one(book.data, row, MONEY_REFUNDED, book.money_moves, book.counts, book.listed)
                if order.status == GOODS_DELIVERED:
                    fine &= move_status_one(book.data, row, GOODS_KEPT, book.status_moves, book.counts, book.listed)
            else:
                if order.method == CARD and order.posted & PENDING == 0 and unit(words[1]) < desk.dispute_to_bank[0]:
                    days = lognormal(unit(words[2]), desk.chargeback_days[0], desk.chargeback_days[1])
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


@njit(cache=True, error_model="numpy")
def _freeze(times: I64, disputes: NDArray[np.bool_], seqs: I64, rows: I64, book: Book, desk: Desk, out: Out) -> int:
    for position in range(rows.size):
        row = rows[position]
        if not disputes[position] or row < 0:
            continue
        order = book.data[row]
        if order.money != MONEY_HELD or order.status != GOODS_DELIVERED:
            continue
        if not move_money_one(book.data, row, MONEY_FROZEN, book.money_moves, book.counts, book.listed):
            return position
        _file(out, EVENT_DISPUTE_CLOSED, times[position] + desk.handling_seconds[order.channel], seqs[position])
    return -1


@njit(cache=True, error_model="numpy")
def _held(data: Records, rows: I64, cents: I64) -> None:
    for position in range(rows.size):
        order = data[rows[position]]
        if order.money == MONEY_HELD or order.money == MONEY_FROZEN:
            cents[order.channel] += in_escrow(order)


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
        self._tally = tally
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
        self._desk: Desk
        self._rates: F64 = np.zeros((RING_DAYS, N_COUNTRIES))
        self._due: I64 = np.zeros((RING_DAYS, ledger.size[Account.HOUSEHOLD]), np.int64)

    def _prepare(self, rules: Rules) -> None:
        if rules is self._seen:
            return
        self._desk = self._fixed._replace(
            settlement_seconds=_seconds(rules.payment.settlement_days, DAY_SECONDS),
            handling_seconds=_seconds(rules.aftersales.handling_hours, HOUR_SECONDS),
            down=np.array(rules.payment.outage, np.uint8),
        )
        self._seen = rules

    def _book(self) -> Book:
        orders = self._orders
        return Book(orders.data, orders.counts, orders.listed_rows, _STATUS_MOVES, _MONEY_MOVES)

    def _goods(self) -> Goods:
        return Goods(**{name: getattr(self._catalogue, name) for name in Goods._fields})

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
        kinds, times = np.zeros(placed.size, np.int64), np.zeros(placed.size, np.int64)
        _request(self._orders.data, rows, self._failure, self._tables, self._authorisation, self._key, kinds, times)
        self._clock.schedule(kinds, times, placed)
        if self._tally is not None:
            self._tally.add_cohort(Measure.PAYMENT_REQUESTS, self._days(rows), self._cells(rows))

    def apply(self, events: Events, rules: Rules) -> I64:
        """Moves the money of everything that fell due; returns the orders (sequence numbers) now approved.

        Call it before fulfilment applies the same events. Raises IllegalMoveError if an event contradicts the book.
        """
        size = len(events)
        if size == 0:
            return np.zeros(0, np.int64)
        self._prepare(rules)
        rows = self._orders.find(events.order)
        out = _room(size)
        fault = _apply(
            events.time, events.kind, events.order, rows, self._book(), self._ledger.books, self._desk, self._goods(),
            self._rates, self._due, self._authorisation, self._instalments, self._dispute, self._key, out,
        )  # fmt: skip
        if fault >= 0:
            order, kind = int(events.order[fault]), Event(int(events.kind[fault]))
            raise IllegalMoveError(f"{kind.name} contradicts the state of order {order} (its goods or its money)")
        self._send(out)
        authorised = out.authorised[: out.sizes[1]]
        if self._tally is not None:
            self._count(rows, authorised, out, self._tally)
        return authorised

    def judge(self, verdicts: Verdicts, rules: Rules) -> None:
        """Freezes the money of disputed orders until the channel has answered; files DISPUTE_CLOSED.

        Call it after the goods of buyers who return have been sent back: those are refunded, not disputed.
        """
        if not verdicts.disputes.any():
            return
        self._prepare(rules)
        rows = self._orders.find(verdicts.order)
        out = _room(len(verdicts))
        fault = _freeze(verdicts.time, verdicts.disputes, verdicts.order, rows, self._book(), self._desk, out)
        if fault >= 0:
            raise IllegalMoveError(f"order {int(verdicts.order[fault])} cannot be disputed")
        self._send(out)

    def cancel(self, seqs: I64, seconds: I64, rules: Rules) -> None:
        """Files the refunds of orders whose goods were cancelled; call it once for each."""
        self._prepare(rules)
        self._clock.schedule(
            np.full(seqs.size, int(Event.REFUND_DUE)), np.asarray(seconds, np.int64) + self._desk.refund_seconds, seqs
        )

    def _send(self, out: Out) -> None:
        count = int(out.sizes[0])
        if count:
            self._clock.schedule(out.kind[:count], out.time[:count], out.order[:count])

    def _days(self, rows: I64) -> I64:
        return self._orders.tick[rows].astype(np.int64) >> 3

    def _cells(self, rows: I64) -> I64:
        orders = self._orders
        return cells(orders.country[rows], orders.channel[rows], orders.category[rows], orders.third[rows])

    def _count(self, rows: I64, authorised: I64, out: Out, tally: Tally) -> None:
        if authorised.size:
            approved = self._orders.row(authorised)
            tally.add_cohort(Measure.PAYMENT_AUTHORISED, self._days(approved), self._cells(approved))
        touched = np.flatnonzero(out.reversed)
        if touched.size:
            where = rows[touched]
            cell = self._cells(where)
            tally.add(Measure.GMV_REVERSED_CENTS, cell, out.reversed[touched])
            tally.add_cohort(Measure.REFUNDED_CENTS, self._days(where), cell, out.refunded[touched])

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
        np.zeros(2 * size, np.int64), np.zeros(2 * size, np.int64), np.zeros(2 * size, np.int64),
        np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(2, np.int64),
    )  # fmt: skip


def _seconds(values: ArrayLike, unit_seconds: int) -> I64:
    whole: I64 = np.rint(np.asarray(values, np.float64) * unit_seconds).astype(np.int64)
    return whole


def _fixed_desk(payments: Payments, economics: Economics, carrier_price: F64) -> Desk:
    """The parameters no rule changes; the leaves of the rules are filled in with zeros."""
    regions = [REGIONS[region] for region in REGION_OF_COUNTRY]

    def by_country(table: dict[str, float]) -> F64:
        return np.array([table[region] for region in regions]) * HUNDREDTH

    origin = economics.pick_pack_usd["origin"] * HUNDREDTH
    shares = np.asarray(payments.part_shares, np.float64)
    return Desk(
        settlement_seconds=np.zeros(0, np.int64),
        handling_seconds=np.zeros(0, np.int64),
        refund_seconds=int(payments.refund_hours * HOUR_SECONDS),
        outage_seconds=int(payments.outage_delay_hours * HOUR_SECONDS),
        down=np.zeros((N_COUNTRIES, N_METHODS), np.uint8),
        fraud=payments.by_country("fraud_chargeback").astype(np.float32),
        chargeback_days=np.array([payments.chargeback_days["median"], payments.chargeback_days["sigma"]], np.float32),
        chargeback_fee=round(payments.chargeback_fee_usd * HUNDREDTH),
        dispute_refund=np.array([payments.dispute_refund["other"], payments.dispute_refund["fault"]], np.float32),
        dispute_to_bank=np.array([payments.dispute_to_chargeback], np.float32),
        freight_back=np.rint(payments.by_country("outbound_freight_refunded")).astype(np.int64),
        duty_back_ppm=parts_per_million(payments.by_country("duty_refunded")),
        vat_back_ppm=parts_per_million(payments.by_country("vat_refunded")),
        fee_back_ppm=int(parts_per_million(payments.fee_returned)),
        fee_by_channel=payments.paid_by_channel().astype(np.uint8),
        floating=np.array([name in payments.floating_methods for name in PAYMENT_METHODS], np.uint8),
        spread_ppm=int(parts_per_million(economics.fx_spread)),
        default=payments.by_country("instalment_default").astype(np.float32),
        part_counts=np.asarray(payments.part_counts, np.int64),
        part_limits=np.cumsum(shares / shares.sum()).astype(np.float32),
        least_part=round(payments.least_part_usd * HUNDREDTH),
        handling_cents=np.concatenate([np.full(N_ORIGIN_WAREHOUSES, origin), by_country(economics.pick_pack_usd)]),
        linehaul_cents=np.array([economics.parcel_base_usd.get(mode, 0.0) * HUNDREDTH for mode in MODES]),
        linehaul_kg_cents=np.array([economics.parcel_kg_usd.get(mode, 0.0) * HUNDREDTH for mode in MODES]),
        lane_factor=np.array([economics.lane_factor[region] for region in regions]),
        last_mile_cents=by_country(economics.last_mile_usd),
        last_mile_kg_cents=economics.last_mile_kg_usd * HUNDREDTH,
        carrier_price=np.array(carrier_price, np.float64),
        return_cents=by_country(economics.return_usd),
        cold_factor=economics.cold_chain_factor,
        small_factor=economics.small_freight_factor,
    )
