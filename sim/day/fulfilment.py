"""From the paid order to the door and back: stock, the stations of a lane, promises, bulk stock, returns.

A paid order is *released* when real stock is found for it; then it passes, in its own unloaded times plus the waiting
at stations of finite throughput,

    direct:  handling -> picking (origin) -> line-haul departure -> transit -> customs -> sorting -> last mile
    stocked: handling -> picking (in the country) -> sorting -> last mile
    back:    pickup -> transit -> returns bench

Unloaded times, loss, damage, inspection, seizure and refusal are draws keyed by (buyer's birth, tick, ordinal), so an
order's luck is its own; what couples orders is stock and the stations (`sim.kernels.stations`). One SimPy process wakes
at the end of every daypart and serves stage after stage: what leaves a station before the end can enter the next one in
the same daypart. News of it reaches the order book with the next daypart's events and keeps its true second.
Consignments of bulk stock, and closures with hours, are SimPy processes of their own.

Every unit of goods is in exactly one place (`Place`); `check` counts them.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import IntEnum
from typing import Any, Literal

import numpy as np
import simpy
from numba import njit
from numpy.typing import NDArray
from scipy import special

from sim.agents.carrier import Carrier
from sim.agents.warehouse import Warehouse, planned_capacity
from sim.clock import Clock
from sim.config.geography import Geography
from sim.config.logistics import BULK_MODES, PARCEL_MODES, STAGES, Logistics, by_name
from sim.draws import Draws, Purpose, purpose_base
from sim.kernels.lanes import (
    CLEAR_EXCESS,
    CLEAR_SHORTEST,
    COLD_MODE_UP_TO,
    DIRECT_BACK,
    FIRST_CARRIER,
    INSPECTED,
    LANE_GOODS,
    LANE_LATE,
    LANE_PARCELS,
    LANE_ROWS,
    LANE_WAREHOUSE,
    MILE_DAMAGED,
    MILE_EXCESS,
    MILE_LOST,
    MILE_SHORTEST,
    MODE_UP_TO,
    N_PARCEL_MODES,
    NOWHERE,
    PROMISE_BIN,
    PROMISE_BINS,
    ROUTE_DRAW,
    SHELF_LIFE,
    TRANSIT_DAMAGED,
    TRANSIT_EXCESS,
    TRANSIT_LOST,
    TRANSIT_SHORTEST,
    can_resell,
    gamma_seconds,
    handling_seconds,
    item_of,
    key_of,
    label_of,
    lane_quantiles,
    leave_bench,
    leave_customs,
    leave_origin,
    leave_picking,
    leave_sorting,
    loose,
    lose_unrecorded,
    pick_mode,
    send_back,
    unloaded_seconds,
    words_of,
)
from sim.kernels.maths import quantile_table
from sim.kernels.philox import philox, unit
from sim.kernels.stations import (
    BACKLOG,
    HEADWAY,
    KEY,
    MICRO,
    OPEN,
    PHASE,
    SEEN,
    Bank,
    Whole,
    order_by_time,
    put,
    sort_by_time,
)
from sim.kernels.threads import fetch
from sim.kinds import (
    CATEGORIES,
    COUNTRIES,
    DAY_SECONDS,
    MODES,
    N_CARRIERS,
    N_COUNTRIES,
    N_ORIGIN_WAREHOUSES,
    N_WAREHOUSES,
    NO_WAREHOUSE,
    PAYMENT_METHODS,
    Event,
    Flag,
    Status,
)
from sim.messages import UNMOVED, Consignment, Events, Movements, Released
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.orders import AHEAD, ALLOWED_STATUS, NO_MODE, Orders, move_status_one
from sim.state.scale import Scale

type I64 = NDArray[np.int64]
type I32 = NDArray[np.int32]
type U8 = NDArray[np.uint8]
type F32 = NDArray[np.float32]
type Floats = NDArray[np.float64]
type Records = NDArray[Any]

N_ROUTES = N_ORIGIN_WAREHOUSES * N_COUNTRIES * N_PARCEL_MODES  # line-haul stations: (origin, country, mode)
PICK, LINEHAUL, CUSTOMS, LAST_MILE, BENCH = range(5)
STATIONS = (N_WAREHOUSES, N_ROUTES, N_COUNTRIES, N_CARRIERS, N_WAREHOUSES)

_COD_METHOD = PAYMENT_METHODS.index("cash_on_delivery")
_SHIPPED, _SEIZED, _LOST, _DELIVERED = int(Event.SHIPPED), int(Event.SEIZED), int(Event.LOST), int(Event.DELIVERED)
_REFUSED, _RESTOCKED = int(Event.REFUSED), np.int64(Event.RESTOCKED)
_RETURN_RECEIVED = int(Event.RETURN_RECEIVED)
_FLAG_LATE, _FLAG_OVERSOLD = int(Flag.LATE), int(Flag.OVERSOLD)
_AUTHORISED, _BACKORDERED = int(Status.AUTHORISED), int(Status.BACKORDERED)
# with a width: a plain int would compile the move anew for each status
_TO_BACKORDERED, _TO_CANCELLED = np.int64(Status.BACKORDERED), np.int64(Status.CANCELLED)
_TO_RELEASED, _TO_IN_TRANSIT = np.int64(Status.RELEASED), np.int64(Status.IN_TRANSIT)
_TO_DELIVERED, _TO_REFUSED, _TO_RETURNED = (
    np.int64(Status.DELIVERED),
    np.int64(Status.REFUSED),
    np.int64(Status.RETURNED),
)
_TO_LOST, _TO_SEIZED = np.int64(Status.LOST), np.int64(Status.SEIZED)


class Place(IntEnum):
    """Where units of goods can be; every unit is in exactly one place."""

    STOCK = 0  # on a shelf
    RESERVED = 1  # allocated to an order, not yet shipped
    TRANSIT = 2  # on the way to a buyer
    BUYER = 3  # delivered
    RETURNING = 4  # on the way back, refused parcels included
    INBOUND = 5  # bulk stock ordered and not yet arrived
    LOST = 6
    SEIZED = 7
    SCRAPPED = 8  # came back and cannot be sold again
    UNRECORDED = 9  # left stock without a record: mislaid, spoiled, sold elsewhere
    SOLD_OFF = 10  # sold in bulk by a merchant who left


_IN_STOCK, _IN_RESERVED = int(Place.STOCK), int(Place.RESERVED)
_IN_TRANSIT, _IN_BUYER = int(Place.TRANSIT), int(Place.BUYER)
_IN_RETURNING, _IN_LOST = int(Place.RETURNING), int(Place.LOST)
_IN_SEIZED, _IN_SCRAPPED, _IN_INBOUND = int(Place.SEIZED), int(Place.SCRAPPED), int(Place.INBOUND)
CONSIGNMENT_DRAW = purpose_base(Purpose.CONSIGNMENT)
SMALL_LOT = 1
"""Mode of a consignment to a warehouse in China that is made in a small lot."""


@njit(cache=True, error_model="numpy", _nrt=False)
def _take_stock(real: I32, line: Whole, warehouse: Whole, quantity: Whole) -> bool:
    if warehouse >= real.shape[1] or real[line, warehouse] < quantity:
        return False
    real[line, warehouse] -= quantity
    return True


@njit(cache=True, error_model="numpy")
def _release(
    data: Records,
    rows: I64,
    not_before: Whole,
    cancel_before: Whole,
    real: I32,
    inbound: I32,
    home: U8,
    room: I32,
    cold: U8,
    scalars: F32,
    by_country: F32,
    by_route: F32,
    key: NDArray[np.uint32],
    entries: I64,
    links: I32,
    buckets: I32,
    meta: I64,
    allowed: NDArray[np.bool_],
    counts: I64,
    listed: I32,
    units: I64,
    lanes: I64,
) -> tuple[I64, U8, U8]:
    """Allocates stock to orders in the order of (authorised, key).

    Args:
        data: order records; rows int64[n] authorised or back-ordered orders.
        not_before: earliest second of release (start of the daypart for back-orders, 0 for new orders).
        cancel_before: back-orders authorised before this second are cancelled if there is still no stock.
        real, inbound int32[lines, 24]; home uint8[merchants]; cold uint8[lines].
        room: int32[lines], above 0 where goods are made to order in China, so that an order without stock there waits
            for its production and is not oversold.

    Returns:
        rows in the order served, what became of each (0 released, 1 back-ordered, 2 cancelled, 3 not for allocation,
        4 released by another route, direct or stocked, than it was sold for), and 1 where the order was found oversold
        at its first attempt.
    """
    n = rows.size
    work = np.empty((n, 2), np.int64)
    for position in range(n):
        if position + AHEAD < n:
            fetch(data, rows[position + AHEAD])
        row = rows[position]
        work[position, 0] = data[row].authorised
        work[position, 1] = key_of(data[row].birth, data[row].tick, data[row].ordinal)
    order = order_by_time(work)
    sort_by_time(work, order, np.empty(n, np.int64), 0, n)
    served = np.empty(n, np.int64)
    became = np.zeros(n, np.uint8)
    oversold = np.zeros(n, np.uint8)
    for position in range(n):
        if position + AHEAD < n:
            fetch(data, rows[order[position + AHEAD]])
        row = rows[order[position]]
        served[position] = row
        status = data[row].status
        if status not in (_AUTHORISED, _BACKORDERED):
            became[position] = 3
            continue
        line = np.int64(data[row].line)
        merchant = np.int64(data[row].merchant)
        quantity = np.int64(data[row].quantity)
        country = np.int64(data[row].country)
        origin = np.int64(home[merchant])
        local = country + N_ORIGIN_WAREHOUSES
        first = np.int64(data[row].warehouse)
        if first == NO_WAREHOUSE:
            first = origin if data[row].direct == 1 else local
        second = origin if first == local else local
        warehouse = first
        to_order = room[line] > 0 and first == origin
        if not _take_stock(real, line, first, quantity):
            if status == _AUTHORISED and not to_order:
                data[row].flags |= np.uint16(_FLAG_OVERSOLD)
                oversold[position] = 1
            if _take_stock(real, line, second, quantity):
                warehouse = second
            else:
                coming = to_order or inbound[line, first] > 0 or inbound[line, second] > 0
                if coming and data[row].authorised >= cancel_before:
                    became[position] = 1
                    if status == _AUTHORISED:
                        data[row].warehouse = first
                        move_status_one(data, row, _TO_BACKORDERED, allowed, counts, listed)
                else:
                    became[position] = 2
                    move_status_one(data, row, _TO_CANCELLED, allowed, counts, listed)
                continue
        direct = 1 if warehouse < N_ORIGIN_WAREHOUSES else 0
        order_key = work[order[position], KEY]
        words = words_of(order_key, ROUTE_DRAW, key)
        carrier = 2 * country + (0 if unit(words[1]) < by_country[country, FIRST_CARRIER] else 1)
        data[row].warehouse = warehouse
        if direct != data[row].direct:
            became[position] = 4
        data[row].direct = direct
        data[row].carrier = carrier
        mode = pick_mode(by_route, country, cold[line], words[0]) if direct == 1 else NO_MODE
        data[row].mode = mode
        move_status_one(data, row, _TO_RELEASED, allowed, counts, listed)
        units[_IN_STOCK] -= quantity
        units[_IN_RESERVED] += quantity
        begin = np.int64(data[row].authorised)
        if begin < not_before:
            begin = np.int64(not_before)
        handling = handling_seconds(direct, scalars, words[2])
        lanes[LANE_WAREHOUSE, warehouse * N_COUNTRIES + country] += begin - data[row].authorised + handling
        cash = 1 if data[row].method == _COD_METHOD else 0
        label = label_of(country, warehouse, mode, carrier, data[row].category, direct, cold[line], cash)
        item = item_of(row, np.int64(data[row].seq))
        put(entries, links, buckets, meta, (begin + handling) * MICRO, order_key, item, label | warehouse)
    return served, became, oversold


@njit(cache=True, error_model="numpy", _nrt=False)
def _count_goods(data: Records, rows: I64, counted: I64, units: I64) -> None:
    """Adds up the orders in `rows` and their units by status."""
    for position in range(rows.size):
        if position + AHEAD < rows.size:
            fetch(data, rows[position + AHEAD])
        status = data[rows[position]].status
        counted[status] += 1
        units[status] += data[rows[position]].quantity


@njit(cache=True, error_model="numpy", _nrt=False)
def _send_back_many(
    data: Records,
    rows: I64,
    seconds: I64,
    scalars: F32,
    by_carrier: F32,
    gamma: F32,
    key: NDArray[np.uint32],
    entries: I64,
    links: I32,
    buckets: I32,
    meta: I64,
    units: I64,
) -> None:
    for position in range(rows.size):
        row = rows[position]
        item = item_of(row, np.int64(data[row].seq))
        send_back(data, row, seconds[position], item, scalars, by_carrier, gamma, key, entries, links, buckets, meta)
        units[_IN_BUYER] -= np.int64(data[row].quantity)
        units[_IN_RETURNING] += np.int64(data[row].quantity)


@njit(cache=True, error_model="numpy", _nrt=False)
def _apply(
    times: I64,
    kinds: U8,
    seqs: I64,
    rows: I64,
    data: Records,
    real: I32,
    scalars: F32,
    by_carrier: F32,
    by_category: F32,
    gamma: F32,
    key: NDArray[np.uint32],
    lanes: I64,
    histogram: I32,
    entries: I64,
    links: I32,
    buckets: I32,
    meta: I64,
    due_entries: I64,
    due_links: I32,
    due_buckets: I32,
    due_meta: I64,
    allowed: NDArray[np.bool_],
    counts: I64,
    listed: I32,
    units: I64,
) -> tuple[Whole, Whole]:
    """Applies goods events to the order book and to stock, in their order.

    Sets `kinds` to UNMOVED where an event moved no goods. Returns the position of the first move the book refused (-1:
    none) and the number of consignments that arrived, which are left to the caller.
    """
    arrived = 0
    for position in range(times.size):
        if position + AHEAD < times.size and rows[position + AHEAD] >= 0:
            fetch(data, rows[position + AHEAD])
        kind = kinds[position]
        if kind == _RESTOCKED:
            kinds[position] = UNMOVED
            if seqs[position] >= 0:
                arrived += 1
                continue
            code = -1 - seqs[position]
            quantity = (code >> 24) & 0xFF
            units[_IN_RETURNING] -= quantity
            if code >> 32 & 1:
                real[code & 0xFFFF, (code >> 16) & 0xFF] += quantity
                units[_IN_STOCK] += quantity
            else:
                units[_IN_SCRAPPED] += quantity
            continue
        row = rows[position]
        if row < 0 or kind < _SHIPPED or kind > _RETURN_RECEIVED:
            kinds[position] = UNMOVED
            continue
        quantity = np.int64(data[row].quantity)
        second = times[position]
        moved = True
        if kind == _SHIPPED:
            moved = move_status_one(data, row, _TO_IN_TRANSIT, allowed, counts, listed)
            data[row].shipped = second
            units[_IN_RESERVED] -= quantity
            units[_IN_TRANSIT] += quantity
        elif kind == _SEIZED:
            moved = move_status_one(data, row, _TO_SEIZED, allowed, counts, listed)
            units[_IN_TRANSIT] -= quantity
            units[_IN_SEIZED] += quantity
        elif kind == _LOST:
            moved = move_status_one(data, row, _TO_LOST, allowed, counts, listed)
            units[_IN_TRANSIT] -= quantity
            units[_IN_LOST] += quantity
        elif kind in (_DELIVERED, _REFUSED):
            country = np.int64(data[row].country)
            slot = min(max((second - data[row].placed) // PROMISE_BIN, 0), PROMISE_BINS - 1)
            histogram[np.int64(data[row].direct) * N_COUNTRIES + country, slot] += 1
            lane = np.int64(data[row].warehouse) * N_COUNTRIES + country
            lanes[LANE_PARCELS, lane] += 1
            lanes[LANE_GOODS, lane] += np.int64(data[row].goods_cents)
            units[_IN_TRANSIT] -= quantity
            if second > data[row].promised:
                data[row].flags |= np.uint16(_FLAG_LATE)
                lanes[LANE_LATE, lane] += 1
            if kind == _DELIVERED:
                moved = move_status_one(data, row, _TO_DELIVERED, allowed, counts, listed)
                data[row].delivered = second
                units[_IN_BUYER] += quantity
            else:
                resale = can_resell(data, row, scalars, by_category, key)
                item = loose(np.int64(data[row].line), np.int64(data[row].warehouse), quantity, resale)
                send_back(data, row, second, item, scalars, by_carrier, gamma, key, entries, links, buckets, meta)
                moved = move_status_one(data, row, _TO_REFUSED, allowed, counts, listed)
                units[_IN_RETURNING] += quantity
        elif kind == _RETURN_RECEIVED:
            resale = can_resell(data, row, scalars, by_category, key)
            if resale and data[row].direct == 1:
                item = loose(np.int64(data[row].line), np.int64(data[row].warehouse), quantity, True)
                home = second + np.int64(scalars[DIRECT_BACK])
                put(due_entries, due_links, due_buckets, due_meta, home, _RESTOCKED, item, NOWHERE)
            elif resale:
                real[data[row].line, data[row].warehouse] += quantity
                units[_IN_RETURNING] -= quantity
                units[_IN_STOCK] += quantity
            else:
                units[_IN_RETURNING] -= quantity
                units[_IN_SCRAPPED] += quantity
            moved = move_status_one(data, row, _TO_RETURNED, allowed, counts, listed)
        if not moved:
            return position, arrived
    return -1, arrived


@njit(cache=True, error_model="numpy", _nrt=False)
def _synchronise(shown: I32, real: I32, room: I32, home: U8, data: Records, pending: I64, due: U8) -> Whole:
    """Shows real stock, less what waiting orders will take, in both listings of the warehouses where it is due.

    Each listing shows all of it: what one sells the other learns of at the next synchronisation.

    What can be made to order (`room` (lines,)) counts as shown in the line's warehouse in China (`home` (lines,)).
    `pending` holds rows of orders that may still wait for allocation; those that do are kept at its front, and their
    number is returned.
    """
    for listing in range(shown.shape[0]):
        for line in range(real.shape[0]):
            for warehouse in range(real.shape[1]):
                if due[warehouse]:
                    shown[listing, line, warehouse] = real[line, warehouse]
            if due[home[line]]:
                shown[listing, line, home[line]] += room[line]
    kept = 0
    for position in range(pending.size):
        row = pending[position]
        status = data[row].status
        if status > _BACKORDERED:  # beyond waiting for payment or goods
            continue
        pending[kept] = row
        kept += 1
        place = np.int64(data[row].warehouse)
        if place < real.shape[1] and due[place]:
            for listing in range(shown.shape[0]):
                left = shown[listing, data[row].line, place] - np.int32(data[row].quantity)
                shown[listing, data[row].line, place] = max(left, np.int32(0))
    return kept


@njit(cache=True, error_model="numpy", _nrt=False)
def _arrive(lines: I64, units: I64, warehouse: int, real: I32, received: I64, inbound: I32, places: I64) -> None:
    """A consignment's units come into stock."""
    for position in range(lines.size):
        line, count = lines[position], units[position]
        real[line, warehouse] += count
        received[line, warehouse] += count
        inbound[line, warehouse] -= count
        places[_IN_INBOUND] -= count
        places[_IN_STOCK] += count


class Fulfilment:
    """The goods side of a run: stock, stations, promises and consignments.

    Call in every daypart, in this order: `clock.advance_to(end)`, `release(authorised, rules, end)`, `apply(events)`,
    and `send_back` for what buyers return; once a day `lane_promise(day)`, `replenish` and `check`.

    Args:
        logistics, geography: their groups of the configuration.
        scale: W, by which the capacities of a whole country become those of the sample.
        clock: whose daypart is the grain of the stations.
        catalogue: `real` is written here alone, `shown` at every synchronisation, `received_units` when stock arrives.
        model: the Mesa model that owns the warehouses and carriers.
        lot_days: mean days in which a small lot is made.
    """

    def __init__(
        self,
        logistics: Logistics,
        geography: Geography,
        scale: Scale,
        clock: Clock,
        catalogue: Catalogue,
        orders: Orders,
        draws: Draws,
        rules: Rules,
        model: Any,
        lot_days: float = 0.0,
    ) -> None:
        self.cfg = logistics
        self.lot_days = lot_days
        self.geography = geography
        self.clock = clock
        self.catalogue = catalogue
        self.orders = orders
        self.draws = draws
        self.people = geography.online_adults() * 1e6 / scale.weight
        self.width = clock.daypart_seconds
        self.banks = tuple(
            Bank(name, stations, self.width, clock.now) for name, stations in zip(STAGES, STATIONS, strict=True)
        )
        self.inbound: I32 = np.zeros(catalogue.real.shape, np.int32)
        self.units: I64 = np.zeros(len(Place), np.int64)
        self.units[Place.STOCK] = int(catalogue.real.sum())
        self.made_units = int(self.units[Place.STOCK])
        self.lanes: I64 = np.zeros((LANE_ROWS, N_WAREHOUSES * N_COUNTRIES), np.int64)
        self.consignments: dict[int, Consignment] = {}
        self._numbers = 0
        self._backorders: I64 = np.empty(0, np.int64)
        self._pending: I64 = np.empty(0, np.int64)
        self._noted = orders.appended
        shape = logistics.transit.shape
        self._gamma = quantile_table(lambda chance: special.gammaincinv(shape, chance) / shape)
        self._seen: Rules | None = None
        self._fixed_parameters()
        self._read(rules)
        self._build_capacity()
        self._open_promises()
        self.warehouses = [
            Warehouse(model, index, catalogue, self.banks[PICK], self.banks[BENCH], logistics.capacity)
            for index in range(N_WAREHOUSES)
        ]
        self.carriers = [
            Carrier(
                model,
                index,
                geography.carrier_names[COUNTRIES[index // 2]][index % 2],
                self.banks[LAST_MILE],
                logistics.carrier.second if index % 2 else logistics.carrier.first,
            )
            for index in range(N_CARRIERS)
        ]
        clock.process(self._work())

    # -- parameters -------------------------------------------------------------------------------------------------
    def _fixed_parameters(self) -> None:
        cfg = self.cfg
        self._scalars: F32 = np.array(
            [
                cfg.handling.stocked_median_days * DAY_SECONDS,
                cfg.handling.direct_median_days * DAY_SECONDS,
                cfg.handling.longest_days * DAY_SECONDS,
                cfg.handling.sigma,
                cfg.customs.hold_days * DAY_SECONDS,
                cfg.last_mile.sort_hours * 3600,
                cfg.last_mile.stocked_factor,
                cfg.refusal.cash_on_delivery,
                cfg.refusal.late_adds,
                cfg.risk.lost_declared_days * DAY_SECONDS,
                cfg.cold_chain.shelf_life_sigma,
                cfg.returns.pickup_days * DAY_SECONDS,
                cfg.returns.bench_hours * 3600,
                cfg.returns.direct_resaleable,
                cfg.returns.direct_back_days * DAY_SECONDS,
                cfg.customs.understated_seen,
                cfg.customs.understated_seized,
            ],
            np.float32,
        )
        lane = by_name(cfg.transit.lane_factor, COUNTRIES)[:, None] * DAY_SECONDS
        self._by_route: F32 = np.zeros((N_COUNTRIES, N_PARCEL_MODES, 6), np.float32)
        self._by_route[:, :, TRANSIT_SHORTEST] = lane * by_name(cfg.transit.shortest_days, PARCEL_MODES)
        self._by_route[:, :, TRANSIT_EXCESS] = lane * by_name(cfg.transit.excess_days, PARCEL_MODES)
        self._by_route[:, :, TRANSIT_LOST] = by_name(cfg.risk.lost, PARCEL_MODES)
        self._by_route[:, :, TRANSIT_DAMAGED] = by_name(cfg.risk.damaged, PARCEL_MODES)
        self._by_route[:, :, MODE_UP_TO] = np.cumsum(cfg.mode_shares(), axis=1)
        self._by_route[:, :, COLD_MODE_UP_TO] = 1.0  # cooled goods go by express, the first mode
        self._by_category: F32 = np.stack(
            [
                by_name(cfg.customs.seized_share, CATEGORIES),
                by_name(cfg.returns.resaleable, CATEGORIES),
                by_name(cfg.stock.unrecorded_daily, CATEGORIES),
            ],
            axis=1,
        ).astype(np.float32)
        self._by_country: F32 = np.zeros((N_COUNTRIES, 5), np.float32)
        self._by_carrier: F32 = np.zeros((N_CARRIERS, 4), np.float32)
        self._by_carrier[:, MILE_LOST] = cfg.carrier.values("lost")
        self._by_carrier[:, MILE_DAMAGED] = cfg.carrier.values("damaged")
        self._headway: F32 = (by_name(cfg.transit.departure_hours, PARCEL_MODES) * 3600).astype(np.float32)
        state = self.banks[LINEHAUL].state
        routes = np.arange(N_ROUTES)
        headway = self._headway[routes % N_PARCEL_MODES].astype(np.int64) * MICRO
        state[:, HEADWAY] = headway
        state[:, PHASE] = routes * 7_919 * 60 * MICRO % headway  # lanes leave at different hours

    def _clearance(self, rules: Rules) -> Floats:
        """float64[C]: mean unloaded days of clearance."""
        customs = self.cfg.customs
        mean = np.maximum(customs.days_at_score_3 + customs.days_per_point * (self.geography.lpi("customs") - 3.0), 0.1)
        days: Floats = mean * rules.customs.clearance_factor
        return days

    def _read(self, rules: Rules) -> None:
        """Takes over what the rules say, when they have changed."""
        if rules is self._seen:
            return
        self._seen = rules
        cfg = self.cfg
        clearance = self._clearance(rules) * DAY_SECONDS
        self._by_country[:, CLEAR_SHORTEST] = clearance * cfg.customs.shortest_share
        self._by_country[:, CLEAR_EXCESS] = clearance * (1.0 - cfg.customs.shortest_share)
        self._by_country[:, INSPECTED] = rules.customs.inspection_rate
        spoilage = np.maximum(np.asarray(rules.cold_chain.spoilage_factor, np.float64), 1e-3)
        self._by_country[:, SHELF_LIFE] = cfg.cold_chain.shelf_life_days * DAY_SECONDS / spoilage
        self._carrier_open: U8 = np.ascontiguousarray(rules.carrier.open, np.uint8)
        weight = cfg.carrier.values("share") * cfg.carrier.values("coverage")
        able = np.where(self._carrier_open == 1, weight, 0.0).reshape(N_COUNTRIES, 2)
        able = np.where(able.sum(axis=1, keepdims=True) > 0, able, weight.reshape(N_COUNTRIES, 2))
        self._by_country[:, FIRST_CARRIER] = able[:, 0] / able.sum(axis=1)
        days = np.repeat(self.geography.last_mile()[0], 2) * cfg.carrier.values("time_factor")
        travel = np.maximum(days * DAY_SECONDS - cfg.last_mile.sort_hours * 3600, 3600.0) * rules.carrier.time_factor
        self._by_carrier[:, MILE_SHORTEST] = travel * cfg.last_mile.shortest_share
        self._by_carrier[:, MILE_EXCESS] = travel * (1.0 - cfg.last_mile.shortest_share)
        self._sync_seconds: I64 = (np.asarray(rules.warehousing.sync_hours, np.float64) * 3600).astype(np.int64)
        mode = np.arange(N_ROUTES) % N_PARCEL_MODES
        bench = np.asarray(rules.warehousing.open)
        opens = (
            rules.warehousing.open,
            np.asarray(rules.linehaul.open)[mode],
            rules.customs.open,
            rules.carrier.open,
            bench,
        )
        for bank, is_open in zip(self.banks, opens, strict=True):
            bank.state[:, OPEN] = is_open
        self._factors = (
            np.asarray(rules.warehousing.capacity_factor, np.float64),
            np.asarray(rules.linehaul.capacity_factor, np.float64)[mode],
            np.asarray(rules.customs.throughput_factor, np.float64),
            np.asarray(rules.carrier.capacity_factor, np.float64),
            np.asarray(rules.warehousing.capacity_factor, np.float64),
        )
        if hasattr(self, "_plans"):
            self._set_capacity()

    # -- capacity ---------------------------------------------------------------------------------------------------
    def _build_capacity(self) -> None:
        """Builds every station for the load that operators expect before they have seen any."""
        policy = self.cfg.capacity
        orders = self.people * policy.orders_per_person_day
        direct = orders * policy.direct_share
        home = self.catalogue.home_warehouse[: self.catalogue.n_merchants]
        origin = np.bincount(home, weights=self.catalogue.merchant_size, minlength=N_ORIGIN_WAREHOUSES)
        origin = origin[:N_ORIGIN_WAREHOUSES] if origin.sum() > 0 else np.ones(N_ORIGIN_WAREHOUSES)
        origin = np.maximum(origin / origin.sum(), 0.01)
        by_mode = np.maximum(self.cfg.mode_shares(), policy.lane_floor)
        lanes = origin[:, None, None] * direct[None, :, None] * by_mode[None, :, :]
        first = self._by_country[:, FIRST_CARRIER].astype(np.float64)
        loads = (
            np.concatenate([origin * direct.sum(), orders - direct]),
            lanes.reshape(-1),
            direct,
            np.stack([orders * first, orders * (1.0 - first)], axis=1).reshape(-1),
            np.concatenate([np.full(N_ORIGIN_WAREHOUSES, orders.mean()), orders]) * policy.return_share,
        )
        self._built = tuple(np.maximum(load, 1e-6) for load in loads)
        self._loads = [load.copy() for load in self._built]
        self._counted = [bank.state[:, SEEN].copy() for bank in self.banks]
        self._plan()

    def _plan(self) -> None:
        """Plans tomorrow's capacity of every station from its smoothed load and its backlog."""
        policy = self.cfg.capacity
        plans = []
        for stage, (bank, built) in enumerate(zip(self.banks, self._built, strict=True)):
            backlog = bank.state[:, BACKLOG].astype(np.float64)
            plans.append(
                planned_capacity(self._loads[stage], backlog, built, policy.utilisation[STAGES[stage]], policy)
            )
        self._plans = tuple(plans)
        self._set_capacity()

    def _set_capacity(self) -> None:
        policy = self.cfg.capacity
        for stage, bank in enumerate(self.banks):
            bank.set_capacity(
                self._plans[stage] * self._factors[stage],
                policy.slack_hours[STAGES[stage]] * 3600,
                policy.slack_parcels,
            )

    def _close_day(self) -> None:
        """Smooths each station's load with today's arrivals and plans tomorrow's capacity."""
        memory = self.cfg.capacity.memory_days
        for stage, bank in enumerate(self.banks):
            seen = bank.state[:, SEEN]
            self._loads[stage] += (seen - self._counted[stage] - self._loads[stage]) / memory
            self._counted[stage][:] = seen
        self._plan()

    # -- the stations -----------------------------------------------------------------------------------------------
    def _work(self) -> Generator[simpy.Event, None, None]:
        """The SimPy process that serves every station at the end of every daypart, and plans at midnight."""
        while True:
            yield self.clock.env.timeout(self.width)
            self._serve()
            if self.clock.now % DAY_SECONDS == 0:
                self._close_day()

    def _serve(self) -> None:
        pick, linehaul, customs, mile, bench = self.banks
        due = self.clock.calendar
        data = self.orders.data
        key = self.draws.key
        served = pick.serve()
        if served.shape[0]:
            for calendar in (linehaul.calendar, mile.calendar, due):
                calendar.reserve(served.shape[0])
            leave_picking(
                served, data, self._carrier_open, mile.closures, self.lanes,
                *linehaul.calendar.arrays, *mile.calendar.arrays, *due.arrays,
            )  # fmt: skip
        served = linehaul.serve()
        if served.shape[0]:
            customs.calendar.reserve(served.shape[0])
            due.reserve(served.shape[0])
            leave_origin(
                served, data, self._scalars, self._by_route, self._gamma, key, self.lanes,
                *customs.calendar.arrays, *due.arrays,
            )  # fmt: skip
        served = customs.serve()
        if served.shape[0]:
            mile.calendar.reserve(served.shape[0])
            due.reserve(served.shape[0])
            leave_customs(
                served, data, self._scalars, self._by_country, self._by_category, self.catalogue.understated_permille,
                self._gamma, self._carrier_open, mile.closures, key, self.lanes, *mile.calendar.arrays, *due.arrays,
            )  # fmt: skip
        served = mile.serve()
        if served.shape[0]:
            due.reserve(served.shape[0])
            leave_sorting(
                served, data, self._scalars, self._by_country, self._by_carrier, self._gamma,
                key, self.lanes, *due.arrays,
            )  # fmt: skip
        served = bench.serve()
        if served.shape[0]:
            due.reserve(served.shape[0])
            leave_bench(served, self._scalars, *due.arrays)

    def close(
        self, stage: Literal["pick", "linehaul", "customs", "last_mile", "bench"], station: int, begin: int, until: int
    ) -> simpy.Process:
        """Announces a closure with hours: nothing starts at the station from second `begin` to second `until`.

        Stations count as in `kinds` (warehouses, countries, carriers); line-haul stations are
        (origin * 20 + country) * 4 + mode. The queue builds and is worked off afterwards; parcels that would be handed
        to a closed carrier go to the country's other one if that works. Raises ValueError for a
        closure in the past, an end before the beginning, or an unknown station.
        """
        bank = self.banks[STAGES.index(stage)]
        if not 0 <= station < bank.state.shape[0]:
            raise ValueError(f"{stage} has stations 0..{bank.state.shape[0] - 1}, not {station}")
        if begin < self.clock.now or until < begin:
            raise ValueError(f"a closure lies ahead and ends after it begins, not {begin}..{until} at {self.clock.now}")
        return self.clock.process(self._closure(bank, station, begin, until))

    def _closure(self, bank: Bank, station: int, begin: int, until: int) -> Generator[simpy.Event, None, None]:
        yield self.clock.env.timeout(begin - self.clock.now)
        bank.close(station, begin, until)
        yield self.clock.env.timeout(until - begin)

    # -- release ----------------------------------------------------------------------------------------------------
    def release(self, seqs: I64, rules: Rules, daypart_end: int) -> Released:
        """Allocates stock to authorised orders in time order; to be called in every daypart, after `advance_to`.

        Args:
            seqs: int64[n], orders that became AUTHORISED in the daypart; back-orders are tried again before them.
            rules: what holds in the daypart.
            daypart_end: its last second plus one, the clock's time.
        """
        self._read(rules)
        begin = daypart_end - self.width
        parts: list[tuple[I64, U8, U8]] = []
        if self._backorders.size:
            limit = begin - int(self.cfg.stock.backorder_days * DAY_SECONDS)
            parts.append(self._allocate(self._backorders, begin, limit))
        if seqs.size:
            parts.append(self._allocate(self.orders.row(seqs), 0, 0))
        if parts:
            rows = np.concatenate([part[0] for part in parts])
            became = np.concatenate([part[1] for part in parts])
            oversold = np.concatenate([part[2] for part in parts])
            self._backorders = rows[became == 1]
            number = self.orders.data["seq"][rows].astype(np.int64)
            result = Released(
                number[(became == 0) | (became == 4)], number[oversold == 1], number[became == 1], number[became == 2],
                number[became == 4],
            )  # fmt: skip
        else:
            none = np.empty(0, np.int64)
            result = Released(none, none, none, none, none)
        self._refresh(daypart_end)
        if daypart_end % DAY_SECONDS == 0:
            day = daypart_end // DAY_SECONDS - 1
            gone = lose_unrecorded(self.catalogue.real, self.catalogue.category, self._by_category, day, self.draws.key)
            self.units[Place.STOCK] -= gone
            self.units[Place.UNRECORDED] += gone
        return result

    def _allocate(self, rows: I64, not_before: int, cancel_before: int) -> tuple[I64, U8, U8]:
        pick, orders, catalogue = self.banks[PICK].calendar, self.orders, self.catalogue
        pick.reserve(rows.size)
        result: tuple[I64, U8, U8] = _release(
            orders.data, rows, not_before, cancel_before,
            catalogue.real, self.inbound, catalogue.home_warehouse, catalogue.room, catalogue.cold,
            self._scalars, self._by_country, self._by_route, self.draws.key,
            *pick.arrays,
            ALLOWED_STATUS, orders.counts, orders.listed_rows, self.units, self.lanes,
        )  # fmt: skip
        return result

    def _refresh(self, end: int) -> None:
        """Shows real stock in both listings where synchronisation falls in the daypart; 0 hours: in every daypart."""
        every = np.maximum(self._sync_seconds, self.width)
        due = (end // every) > ((end - self.width) // every)
        if not due.any():
            return
        new = np.arange(self._noted, self.orders.appended, dtype=np.int64)
        self._noted = self.orders.appended
        rows = self.orders.find(new) if new.size else new
        pending = np.concatenate([self._pending, rows[rows >= 0]])
        catalogue = self.catalogue
        kept = _synchronise(
            catalogue.shown, catalogue.real, catalogue.room, catalogue.home_warehouse[catalogue.merchant],
            self.orders.data, pending, due.astype(np.uint8),
        )  # fmt: skip
        self._pending = pending[:kept].copy()

    # -- events -----------------------------------------------------------------------------------------------------
    def apply(self, events: Events) -> Movements:
        """Applies goods events to the order book and to stock; events of other rooms are left alone.

        Raises:
            RuntimeError: an event does not fit the order's state.
        """
        orders, due, bench = self.orders, self.clock.calendar, self.banks[BENCH].calendar
        rows = events.rows(orders)
        if len(events) == 0:
            return Movements(events.time, events.kind, events.order, rows, [])
        bench.reserve(len(events))
        due.reserve(len(events))
        kinds = events.kind.copy()
        fault, arrived = _apply(
            events.time, kinds, events.order, rows, orders.data, self.catalogue.real,
            self._scalars, self._by_carrier, self._by_category, self._gamma, self.draws.key, self.lanes, self._today,
            *bench.arrays, *due.arrays,
            ALLOWED_STATUS, orders.counts, orders.listed_rows, self.units,
        )  # fmt: skip
        if fault >= 0:
            row = int(rows[fault])
            raise RuntimeError(
                f"order {int(events.order[fault])}: {Event(int(events.kind[fault])).name} does not fit its state "
                f"{Status(int(orders.status[row])).name}"
            )
        return Movements(events.time, kinds, events.order, rows, self._restock(events) if arrived else [])

    def _restock(self, events: Events) -> list[Consignment]:
        arrived = []
        there = np.flatnonzero((events.kind == Event.RESTOCKED) & (events.order >= 0))
        for number, second in zip(events.order[there].tolist(), events.time[there].tolist(), strict=True):
            consignment = self.consignments.pop(number)
            consignment.arrived = second
            _arrive(
                consignment.line, consignment.units, consignment.warehouse, self.catalogue.real,
                self.catalogue.received_units, self.inbound, self.units,
            )  # fmt: skip
            arrived.append(consignment)
        return arrived

    def send_back(self, seqs: I64, seconds: I64) -> None:
        """Sends delivered orders back: int64[n] order numbers and the second of each buyer's decision.

        They are RETURNING at once; RETURN_RECEIVED falls due when the bench of the buyer's country has graded them.
        """
        if seqs.size == 0:
            return
        rows = self.orders.row(seqs)
        self.orders.move(rows, (Status.DELIVERED,), Status.RETURNING)
        calendar = self.banks[BENCH].calendar
        calendar.reserve(rows.size)
        _send_back_many(
            self.orders.data, rows, np.ascontiguousarray(seconds, np.int64), self._scalars, self._by_carrier,
            self._gamma, self.draws.key, *calendar.arrays, self.units,
        )  # fmt: skip

    @property
    def grading(self) -> tuple[F32, F32, NDArray[np.uint32]]:
        """What decides whether goods that came back are sold again, as `sim.kernels.lanes.can_resell` takes it."""
        return self._scalars, self._by_category, self.draws.key

    # -- bulk stock -------------------------------------------------------------------------------------------------
    def replenish(
        self, line: NDArray[Any], warehouse: NDArray[Any], units: NDArray[Any], mode: NDArray[Any], day: int
    ) -> list[Consignment]:
        """Orders stock from the factories: arrays (n,); one consignment per (warehouse, mode) of the call.

        `mode` is an index in kinds.MODES: a bulk mode, in China `SMALL_LOT` or any other. Stock that arrives
        raises `real`; sellers see it at the next synchronisation. Raises ValueError for units below 1.
        """
        lines = np.asarray(line, np.int64)
        places = np.asarray(warehouse, np.int64)
        amounts = np.asarray(units, np.int64)
        modes = np.asarray(mode, np.int64)
        modes = np.where((places < N_ORIGIN_WAREHOUSES) & (modes != SMALL_LOT), 0, modes)
        if amounts.size and amounts.min() < 1:
            raise ValueError("a consignment holds at least one unit of every line")
        groups = places * len(MODES) + modes
        order = np.argsort(groups, kind="stable")
        groups, lines, amounts = groups[order], lines[order], amounts[order]
        np.add.at(self.inbound, (lines, groups // len(MODES)), amounts.astype(np.int32))
        total = int(amounts.sum())
        self.units[Place.INBOUND] += total
        self.made_units += total
        sent = []
        first = np.flatnonzero(np.diff(groups, prepend=-1)).tolist()
        for begin, end in zip(first, [*first[1:], groups.size], strict=True):
            place, by = divmod(int(groups[begin]), len(MODES))
            consignment = Consignment(self._numbers, place, by, lines[begin:end], amounts[begin:end], self.clock.now)
            self._numbers += 1
            self.consignments[consignment.number] = consignment
            self.clock.process(self._consignment(consignment, day))
            sent.append(consignment)
        return sent

    def clear(self, places: NDArray[np.bool_]) -> I64:
        """Sells off in bulk whatever lies in stock at `places` bool[lines, 24]; int64[lines] units of each."""
        real, shown = self.catalogue.real, self.catalogue.shown
        units: I64 = (real * places).sum(axis=1)
        real *= ~places
        shown *= ~places
        total = int(units.sum())
        self.units[Place.STOCK] -= total
        self.units[Place.SOLD_OFF] += total
        return units

    def _consignment(self, consignment: Consignment, day: int) -> Generator[simpy.Event, None, None]:
        """Production, the next departure with space, transport, clearance; waits while the mode or border is closed."""
        env, place, mode = self.clock.env, consignment.warehouse, consignment.mode
        # one draw of one consignment: the general way through arrays takes twenty times as long
        key0, key1 = self.draws.key
        word = philox(np.uint32(place), np.uint32(mode), np.uint32(day), CONSIGNMENT_DRAW, key0, key1)
        small = place < N_ORIGIN_WAREHOUSES and mode == SMALL_LOT
        production = (self.lot_days if small else self.cfg.bulk.production_days) * DAY_SECONDS
        yield env.timeout(self._drawn(0.5 * production, 0.5 * production, word[0]))
        if place >= N_ORIGIN_WAREHOUSES:
            country = place - N_ORIGIN_WAREHOUSES
            name = MODES[mode]
            headway = int(self.cfg.bulk.departure_hours[name] * 3600)
            phase = place * 7_919 * 60 % headway
            assert self._seen is not None
            space = max(1.0, 1.0 / float(self._seen.linehaul.capacity_factor[mode]))
            yield env.timeout(-(self.clock.now - phase) % headway + int((space - 1.0) * headway))
            while not self._seen.linehaul.open[mode]:
                yield env.timeout(headway)
            lane = self.cfg.transit.lane_factor[COUNTRIES[country]] * DAY_SECONDS
            yield env.timeout(
                self._drawn(self.cfg.bulk.shortest_days[name] * lane, self.cfg.bulk.excess_days[name] * lane, word[1])
            )
            while not self._seen.customs.open[country]:
                yield env.timeout(DAY_SECONDS)
            clearance = self._by_country[country]
            yield env.timeout(self._drawn(clearance[CLEAR_SHORTEST], clearance[CLEAR_EXCESS], word[2]))
        self.clock.emit(Event.RESTOCKED, consignment.number)

    def _drawn(self, shortest: float, excess: float, word: np.uint32) -> int:
        return int(gamma_seconds(np.float32(shortest), np.float32(excess), self._gamma, word))

    def waiting_units(self) -> I64:
        """int64[lines]: units of orders that wait for stock."""
        data, rows = self.orders.data, self._backorders
        units = np.bincount(data["line"][rows], data["quantity"][rows], self.catalogue.n_lines)
        return units.astype(np.int64)

    def bulk_lead_days(self, rules: Rules) -> Floats:
        """float64[24, 8]: expected days from ordering stock to its arrival by warehouse and mode; nan for parcel modes.

        At an origin warehouse every mode has the production time.
        """
        bulk = self.cfg.bulk
        days = np.full((N_WAREHOUSES, len(MODES)), np.nan)
        days[:N_ORIGIN_WAREHOUSES] = bulk.production_days
        lane = by_name(self.cfg.transit.lane_factor, COUNTRIES)
        clearance = self._clearance(rules)
        for name in BULK_MODES:
            mode = MODES.index(name)
            headway = bulk.departure_hours[name] / 24
            space = max(1.0, 1.0 / float(rules.linehaul.capacity_factor[mode]))
            travel = lane * (bulk.shortest_days[name] + bulk.excess_days[name]) + headway * (space - 0.5)
            days[N_ORIGIN_WAREHOUSES:, mode] = bulk.production_days + travel + clearance
        return days

    # -- promises ---------------------------------------------------------------------------------------------------
    def _open_promises(self) -> None:
        window = self.cfg.promise.window_days
        self._today: I32 = np.zeros((2 * N_COUNTRIES, PROMISE_BINS), np.int32)
        self._window: I32 = np.zeros((window, 2 * N_COUNTRIES, PROMISE_BINS), np.int32)
        self._sum: I32 = np.zeros((2 * N_COUNTRIES, PROMISE_BINS), np.int32)
        self._promise_day = -1
        numbers = np.arange(4096)
        prior = np.empty(2 * N_COUNTRIES)
        for lane in range(2 * N_COUNTRIES):
            words = np.concatenate(
                [self.draws.words(Purpose.UNLOADED, numbers, lane, 0, part) for part in (0, 1)], axis=1
            )
            seconds = unloaded_seconds(
                words, lane % N_COUNTRIES, lane // N_COUNTRIES, 0, self._scalars, self._by_country, self._by_route,
                self._by_carrier, self._headway, self._gamma,
            )  # fmt: skip
            prior[lane] = np.sort(seconds)[int(self.cfg.promise.quantile * numbers.size)] / DAY_SECONDS
        self._prior = prior
        self._promise: F32 = np.empty((2, N_COUNTRIES), np.float32)

    def lane_promise(self, day: int) -> F32:
        """float32[2, C]: days promised from a local warehouse (row 0) and from China (row 1), with the sellers' buffer.

        The quantile of the lane's deliveries in the last 30 days, or, while few have been seen, of its unloaded times.
        """
        if day != self._promise_day:
            slot = day % self._window.shape[0]
            self._sum += self._today - self._window[slot]
            self._window[slot] = self._today
            self._today[:] = 0
            self._promise_day = day
            promise = self.cfg.promise
            days = lane_quantiles(self._sum, promise.quantile, self._prior, promise.prior_parcels)
            buffer = np.array([[promise.buffer_days["stocked"]], [promise.buffer_days["direct"]]])
            self._promise = (days.reshape(2, N_COUNTRIES) + buffer).astype(np.float32)
        return self._promise

    # -- looking ----------------------------------------------------------------------------------------------------
    @property
    def backlog(self) -> int:
        """Parcels that wait in a queue at any station, and orders that wait for stock."""
        return int(sum(bank.backlog.shape[0] for bank in self.banks) + self._backorders.size)

    @property
    def nbytes(self) -> int:
        """Bytes of calendars, queues and windows."""
        banks = sum(bank.nbytes for bank in self.banks)
        return banks + self._window.nbytes + self._sum.nbytes + self.inbound.nbytes + self._pending.nbytes

    def utilisation(self) -> NDArray[np.float64]:
        """float64[24]: yesterday's smoothed load of each warehouse's picking line against its capacity."""
        capacity: NDArray[np.float64] = self._loads[PICK] / self.banks[PICK].capacity()
        return capacity

    def take_lanes(self) -> I64:
        """int64[8, 480]: totals by lane since the last call, in the rows of the recorder's lane measures."""
        lanes = self.lanes.copy()
        self.lanes[:] = 0
        return lanes

    def check(self, recount: bool = False) -> None:
        """Counts every unit and every parcel; `recount` also reads every open order.

        Raises:
            RuntimeError: units made and units found differ, stock is negative, or a parcel is nowhere or twice.
        """
        found = int(self.units.sum())
        if found != self.made_units:
            raise RuntimeError(f"{self.made_units} units were made, {found} are found")
        stock = int(self.catalogue.real.sum())
        if stock != int(self.units[Place.STOCK]) or int(self.catalogue.real.min(initial=0)) < 0:
            raise RuntimeError(f"{int(self.units[Place.STOCK])} units should lie in stock, {stock} do")
        if (self.units < 0).any():
            raise RuntimeError(f"a place holds fewer than no units: {self.units.tolist()}")
        inbound = int(self.inbound.sum())
        if inbound != int(self.units[Place.INBOUND]):
            raise RuntimeError(f"{int(self.units[Place.INBOUND])} units should be on order, {inbound} are")
        if not recount:
            return
        counted, units = np.zeros((2, max(Status) + 1), np.int64)
        _count_goods(self.orders.data, self.orders.open_rows(), counted, units)
        for place, state in ((Place.RESERVED, Status.RELEASED), (Place.TRANSIT, Status.IN_TRANSIT)):
            if int(units[state]) != int(self.units[place]):
                raise RuntimeError(
                    f"{place.name}: {int(self.units[place])} units expected, {units[state]} in open orders"
                )
        moving = int(counted[Status.RELEASED] + counted[Status.IN_TRANSIT])
        tokens = self._tokens()
        if moving != tokens:
            raise RuntimeError(f"{moving} orders are on their way, {tokens} parcels are in the stations and calendars")

    def _tokens(self) -> int:
        """Parcels in the stations on the way out, and parcels whose last event is filed or unread."""
        waiting = sum(self.banks[stage].waiting for stage in (PICK, LINEHAUL, CUSTOMS, LAST_MILE))
        return waiting + self.clock.count((Event.DELIVERED, Event.REFUSED, Event.LOST, Event.SEIZED))
