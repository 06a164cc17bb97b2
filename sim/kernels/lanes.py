"""The way of a parcel, compiled: what each stage adds in time and luck, and what the stations hand to one another.

A parcel in a calendar carries its order's key (birth, tick, ordinal), its row and number in the order book, and a label
with what the stages must know (country, warehouse, mode, carrier, category, direct, cooled, cash on delivery), so that
a stage needs no look into the order book. Every time and every mishap is a draw keyed by the order's key.

Parameters come as float32 arrays whose columns are named below: scalars, by country, by carrier, by category and by
(country, mode). Times are whole seconds, inside the stations microseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.config.logistics import PARCEL_MODES
from sim.kernels.maths import interp_quantile, lognormal
from sim.kernels.philox import Words, philox, unit
from sim.kernels.stations import ARRIVED, ITEM, KEY, MICRO, PLACE, STATION, TIME, Whole, after_closures, put
from sim.kinds import DAY_SECONDS, N_COUNTRIES, N_ORIGIN_WAREHOUSES, Event, Flag

type I64 = NDArray[np.int64]
type I32 = NDArray[np.int32]
type U8 = NDArray[np.uint8]
type F32 = NDArray[np.float32]
type Floats = NDArray[np.float64]
type Records = NDArray[Any]

N_PARCEL_MODES = len(PARCEL_MODES)

# rows of the totals by lane (warehouse * N_COUNTRIES + country), the order of the recorder's lane measures
LANE_PARCELS, LANE_GOODS, LANE_LATE, LANE_WAREHOUSE, LANE_LINEHAUL, LANE_CUSTOMS, LANE_SORT, LANE_MILE = range(8)
LANE_ROWS = 8

PROMISE_BIN = 21_600  # seconds, a quarter of a day
PROMISE_BINS = 4 * 96

# scalars handed to kernels (float32, seconds or shares)
(
    HANDLING_STOCKED, HANDLING_DIRECT, HANDLING_LONGEST, HANDLING_SIGMA, HOLD, SORT, STOCKED_FACTOR, COD, COD_LATE,
    LOST_AFTER, SHELF_SIGMA, PICKUP, BENCH_TIME, DIRECT_RESALE, DIRECT_BACK, UNDERSTATED_SEEN, UNDERSTATED_SEIZED,
) = range(17)  # fmt: skip
# columns of the parameters by country, carrier, category
CLEAR_SHORTEST, CLEAR_EXCESS, INSPECTED, SHELF_LIFE, FIRST_CARRIER = range(5)
MILE_SHORTEST, MILE_EXCESS, MILE_LOST, MILE_DAMAGED = range(4)
SEIZED_SHARE, RESALE, UNRECORDED = range(3)
# columns of the parameters by (country, mode)
TRANSIT_SHORTEST, TRANSIT_EXCESS, TRANSIT_LOST, TRANSIT_DAMAGED, MODE_UP_TO, COLD_MODE_UP_TO = range(6)

# Draw addresses: Purpose * 256; a test holds them to `sim.draws.Purpose`.
# Constants handed to compiled functions have a width: a plain int would compile the function anew for each value.
ROUTE_DRAW, LINEHAUL_DRAW, CUSTOMS_DRAW = np.int64(180 * 256), np.int64(181 * 256), np.int64(182 * 256)
LAST_MILE_DRAW, COLD_CHAIN_DRAW = np.int64(183 * 256), np.int64(184 * 256)
RETURN_WAY_DRAW, UNRECORDED_DRAW = np.int64(185 * 256), np.int64(186 * 256)
MISDECLARED_DRAW = np.int64(245 * 256)
PERMILLE = np.float32(0.001)
NOWHERE = np.int64(0)  # the place of an entry that has none

_SHIPPED, _SEIZED, _LOST = np.int64(Event.SHIPPED), np.int64(Event.SEIZED), np.int64(Event.LOST)
_DELIVERED, _CLEARED, _REFUSED = np.int64(Event.DELIVERED), np.int64(Event.CLEARED), np.int64(Event.REFUSED)
_RESTOCKED, _RETURN_RECEIVED = np.int64(Event.RESTOCKED), np.int64(Event.RETURN_RECEIVED)
_FLAG_DAMAGED, _FLAG_INSPECTED, _FLAG_SPOILED = int(Flag.DAMAGED), int(Flag.INSPECTED), int(Flag.SPOILED)
_FLAG_FOUND_OUT = int(Flag.FOUND_OUT)


@njit(cache=True, error_model="numpy")
def key_of(birth: Whole, tick: Whole, ordinal: Whole) -> Whole:
    """The order's key as one integer: 32 bits birth, 20 bits tick, 8 bits ordinal."""
    return np.int64(birth) << 28 | np.int64(tick) << 8 | np.int64(ordinal)


@njit(cache=True, error_model="numpy")
def item_of(row: Whole, seq: Whole) -> Whole:
    """A parcel in a calendar: 31 bits row in the order book, 32 bits sequence number."""
    return np.int64(row) << 32 | np.int64(seq)


@njit(cache=True, error_model="numpy")
def row_of(item: Whole) -> Whole:
    """Row in the order book of a parcel."""
    return item >> 32


@njit(cache=True, error_model="numpy")
def seq_of(item: Whole) -> Whole:
    """Number of a parcel's order."""
    return item & 0xFFFFFFFF


@njit(cache=True, error_model="numpy")
def label_of(
    country: Whole,
    warehouse: Whole,
    mode: Whole,
    carrier: Whole,
    category: Whole,
    direct: Whole,
    cold: Whole,
    cash: Whole,
) -> Whole:
    """What the stages must know of a parcel, above the station's 16 bits: it spares them a look into the order book."""
    return (
        np.int64(country) << 16
        | np.int64(warehouse) << 21
        | np.int64(mode & 3) << 26
        | np.int64(carrier) << 28
        | np.int64(category) << 34
        | np.int64(direct) << 37
        | np.int64(cold) << 38
        | np.int64(cash) << 39
    )


@njit(cache=True, error_model="numpy")
def country_of(label: Whole) -> Whole:
    """Country index in a label."""
    return label >> 16 & 31


@njit(cache=True, error_model="numpy")
def warehouse_of(label: Whole) -> Whole:
    """Warehouse index in a label."""
    return label >> 21 & 31


@njit(cache=True, error_model="numpy")
def mode_of(label: Whole) -> Whole:
    """Line-haul mode in a label."""
    return label >> 26 & 3


@njit(cache=True, error_model="numpy")
def carrier_of(label: Whole) -> Whole:
    """Booked carrier in a label."""
    return label >> 28 & 63


@njit(cache=True, error_model="numpy")
def category_of(label: Whole) -> Whole:
    """Category in a label."""
    return label >> 34 & 7


@njit(cache=True, error_model="numpy")
def is_direct(label: Whole) -> bool:
    """Whether the labelled parcel comes from China."""
    return label >> 37 & 1 == 1


@njit(cache=True, error_model="numpy")
def is_cold(label: Whole) -> bool:
    """Whether the labelled parcel is cooled."""
    return label >> 38 & 1 == 1


@njit(cache=True, error_model="numpy")
def is_cash(label: Whole) -> bool:
    """Whether the labelled parcel is paid at the door."""
    return label >> 39 & 1 == 1


@njit(cache=True, error_model="numpy")
def relabel(label: Whole, carrier: Whole) -> Whole:
    """The label with another carrier."""
    return label & ~(63 << 28) | carrier << 28


@njit(cache=True, error_model="numpy")
def words_of(key: Whole, purpose: Whole, seed: NDArray[np.uint32]) -> Words:
    """The order's draw for a purpose (times 256), from its key."""
    return philox(
        np.uint32(key >> 28),
        np.uint32(0),
        np.uint32(key >> 8 & 0xFFFFF),
        np.uint32(purpose + (key & 0xFF)),
        seed[0],
        seed[1],
    )


@njit(cache=True, error_model="numpy", _nrt=False)
def gamma_seconds(shortest: np.float32, excess: np.float32, gamma: F32, word: np.uint32) -> Whole:
    """Shortest time plus a gamma part of the given mean, whole seconds."""
    return np.int64(shortest + excess * interp_quantile(gamma, unit(word)))


@njit(cache=True, error_model="numpy", _nrt=False)
def handling_seconds(direct: Whole, scalars: F32, word: np.uint32) -> Whole:
    """Time from payment to the picking line: lognormal, cut off at the longest."""
    median = scalars[HANDLING_DIRECT] if direct == 1 else scalars[HANDLING_STOCKED]
    return np.int64(min(lognormal(unit(word), median, scalars[HANDLING_SIGMA]), scalars[HANDLING_LONGEST]))


@njit(cache=True, error_model="numpy", _nrt=False)
def pick_mode(by_route: F32, country: Whole, cold: Whole, word: np.uint32) -> Whole:
    """The line-haul mode of a direct parcel: by the country's shares, or those of cooled goods."""
    column = COLD_MODE_UP_TO if cold == 1 else MODE_UP_TO
    draw = unit(word)
    mode = 0
    while mode < by_route.shape[1] - 1 and draw >= by_route[country, mode, column]:
        mode += 1
    return mode


@njit(cache=True, error_model="numpy", _nrt=False)
def works(carrier: Whole, moment: Whole, carrier_open: U8, closures: I64) -> bool:
    """Whether a carrier takes parcels at a moment (microseconds): not suspended by the rules, not in closed hours."""
    return bool(carrier_open[carrier] == 1 and after_closures(closures, carrier, moment) == moment)


@njit(cache=True, error_model="numpy", _nrt=False)
def hand_over(data: Records, item: Whole, label: Whole, moment: Whole, carrier_open: U8, closures: I64) -> Whole:
    """The booked carrier, or the country's other one, then booked, if only that works at hand-over."""
    carrier = carrier_of(label)
    other = carrier ^ 1
    if not works(carrier, moment, carrier_open, closures) and works(other, moment, carrier_open, closures):
        data[row_of(item)].carrier = other
        return other
    return carrier


@njit(cache=True, error_model="numpy", _nrt=False)
def leave_picking(
    served: I64,
    data: Records,
    carrier_open: U8,
    closures: I64,
    lanes: I64,
    line_entries: I64,
    line_links: I32,
    line_buckets: I32,
    line_meta: I64,
    mile_entries: I64,
    mile_links: I32,
    mile_buckets: I32,
    mile_meta: I64,
    due_entries: I64,
    due_links: I32,
    due_buckets: I32,
    due_meta: I64,
) -> None:
    """Parcels that start at the picking line are shipped: to the line-haul booking, or straight to the carrier."""
    for position in range(served.shape[0]):
        start = served[position, TIME]
        key = served[position, KEY]
        item = served[position, ITEM]
        label = served[position, PLACE] & ~STATION
        country = country_of(label)
        warehouse = warehouse_of(label)
        second = start // MICRO
        if is_cold(label):  # its clock runs from here; for others the date is written when the event is applied
            data[row_of(item)].shipped = second
        lanes[LANE_WAREHOUSE, warehouse * N_COUNTRIES + country] += (start - served[position, ARRIVED]) // MICRO
        put(due_entries, due_links, due_buckets, due_meta, second, _SHIPPED, seq_of(item), NOWHERE)
        if is_direct(label):
            route = (warehouse * N_COUNTRIES + country) * N_PARCEL_MODES + mode_of(label)
            put(line_entries, line_links, line_buckets, line_meta, start, key, item, label | route)
        else:
            carrier = hand_over(data, item, label, start, carrier_open, closures)
            label = relabel(label, carrier)
            put(mile_entries, mile_links, mile_buckets, mile_meta, start, key, item, label | carrier)


@njit(cache=True, error_model="numpy", _nrt=False)
def leave_origin(
    served: I64,
    data: Records,
    scalars: F32,
    by_route: F32,
    gamma: F32,
    seed: NDArray[np.uint32],
    lanes: I64,
    next_entries: I64,
    next_links: I32,
    next_buckets: I32,
    next_meta: I64,
    due_entries: I64,
    due_links: I32,
    due_buckets: I32,
    due_meta: I64,
) -> None:
    """Parcels depart from China, travel, and arrive at customs, or are lost on the way."""
    for position in range(served.shape[0]):
        start = served[position, TIME]
        key = served[position, KEY]
        item = served[position, ITEM]
        label = served[position, PLACE] & ~STATION
        country = country_of(label)
        mode = mode_of(label)
        words = words_of(key, LINEHAUL_DRAW, seed)
        if unit(words[1]) < by_route[country, mode, TRANSIT_LOST]:
            known = start // MICRO + np.int64(scalars[LOST_AFTER])
            put(due_entries, due_links, due_buckets, due_meta, known, _LOST, seq_of(item), NOWHERE)
            continue
        travel = gamma_seconds(
            by_route[country, mode, TRANSIT_SHORTEST], by_route[country, mode, TRANSIT_EXCESS], gamma, words[0]
        )
        if unit(words[2]) < by_route[country, mode, TRANSIT_DAMAGED]:
            data[row_of(item)].flags |= np.uint16(_FLAG_DAMAGED)
        lane = warehouse_of(label) * N_COUNTRIES + country
        lanes[LANE_LINEHAUL, lane] += (start - served[position, ARRIVED]) // MICRO + travel
        put(next_entries, next_links, next_buckets, next_meta, start + travel * MICRO, key, item, label | country)


@njit(cache=True, error_model="numpy", _nrt=False)
def leave_customs(
    served: I64,
    data: Records,
    scalars: F32,
    by_country: F32,
    by_category: F32,
    understated: NDArray[np.uint16],
    gamma: F32,
    carrier_open: U8,
    closures: I64,
    seed: NDArray[np.uint32],
    lanes: I64,
    next_entries: I64,
    next_links: I32,
    next_buckets: I32,
    next_meta: I64,
    due_entries: I64,
    due_links: I32,
    due_buckets: I32,
    due_meta: I64,
) -> None:
    """Parcels are cleared, some after being opened, and handed to the carrier; some that were opened are kept.

    An opened parcel that declares less than it holds (`understated` uint16[n, C], permille) may be found out.
    """
    for position in range(served.shape[0]):
        start = served[position, TIME]
        key = served[position, KEY]
        item = served[position, ITEM]
        label = served[position, PLACE] & ~STATION
        country = country_of(label)
        words = words_of(key, CUSTOMS_DRAW, seed)
        spent = gamma_seconds(by_country[country, CLEAR_SHORTEST], by_country[country, CLEAR_EXCESS], gamma, words[0])
        seized = False
        if unit(words[1]) < by_country[country, INSPECTED]:
            data[row_of(item)].flags |= np.uint16(_FLAG_INSPECTED)
            spent += gamma_seconds(np.float32(0), scalars[HOLD], gamma, words[3])
            seized = unit(words[2]) < by_category[category_of(label), SEIZED_SHARE]
            hidden = np.float32(understated[data[row_of(item)].line, country]) * PERMILLE
            if hidden > 0:
                luck = words_of(key, MISDECLARED_DRAW, seed)
                if unit(luck[0]) < scalars[UNDERSTATED_SEEN] * hidden:
                    data[row_of(item)].flags |= np.uint16(_FLAG_FOUND_OUT)
                    seized |= unit(luck[1]) < scalars[UNDERSTATED_SEIZED]
        cleared = start + spent * MICRO
        if seized:
            put(due_entries, due_links, due_buckets, due_meta, cleared // MICRO, _SEIZED, seq_of(item), NOWHERE)
            continue
        lane = warehouse_of(label) * N_COUNTRIES + country
        lanes[LANE_CUSTOMS, lane] += (cleared - served[position, ARRIVED]) // MICRO
        put(due_entries, due_links, due_buckets, due_meta, cleared // MICRO, _CLEARED, seq_of(item), NOWHERE)
        carrier = hand_over(data, item, label, cleared, carrier_open, closures)
        label = relabel(label, carrier)
        put(next_entries, next_links, next_buckets, next_meta, cleared, key, item, label | carrier)


@njit(cache=True, error_model="numpy", _nrt=False)
def leave_sorting(
    served: I64,
    data: Records,
    scalars: F32,
    by_country: F32,
    by_carrier: F32,
    gamma: F32,
    seed: NDArray[np.uint32],
    lanes: I64,
    due_entries: I64,
    due_links: I32,
    due_buckets: I32,
    due_meta: I64,
) -> None:
    """Parcels are sorted and taken to the door: delivered, refused (cash on delivery), or lost."""
    sorting = np.int64(scalars[SORT])
    for position in range(served.shape[0]):
        start = served[position, TIME]
        key = served[position, KEY]
        item = served[position, ITEM]
        label = served[position, PLACE]
        country = country_of(label)
        carrier = label & STATION
        words = words_of(key, LAST_MILE_DRAW, seed)
        if unit(words[1]) < by_carrier[carrier, MILE_LOST]:
            known = start // MICRO + np.int64(scalars[LOST_AFTER])
            put(due_entries, due_links, due_buckets, due_meta, known, _LOST, seq_of(item), NOWHERE)
            continue
        factor = np.float32(1) if is_direct(label) else scalars[STOCKED_FACTOR]
        travel = gamma_seconds(
            factor * by_carrier[carrier, MILE_SHORTEST], factor * by_carrier[carrier, MILE_EXCESS], gamma, words[0]
        )
        arrival = start // MICRO + sorting + travel
        if unit(words[2]) < by_carrier[carrier, MILE_DAMAGED]:
            data[row_of(item)].flags |= np.uint16(_FLAG_DAMAGED)
        if is_cold(label):
            life = lognormal(
                unit(words_of(key, COLD_CHAIN_DRAW, seed)[0]), by_country[country, SHELF_LIFE], scalars[SHELF_SIGMA]
            )
            if np.float32(arrival - data[row_of(item)].shipped) > life:
                data[row_of(item)].flags |= np.uint16(_FLAG_SPOILED)
        lane = warehouse_of(label) * N_COUNTRIES + country
        lanes[LANE_SORT, lane] += (start - served[position, ARRIVED]) // MICRO + sorting
        lanes[LANE_MILE, lane] += travel
        refused = False
        if is_cash(label):
            chance = scalars[COD]
            if arrival > data[row_of(item)].promised:
                chance += scalars[COD_LATE]
            refused = unit(words[3]) < chance
        kind = _REFUSED if refused else _DELIVERED
        put(due_entries, due_links, due_buckets, due_meta, arrival, kind, seq_of(item), NOWHERE)


@njit(cache=True, error_model="numpy", _nrt=False)
def leave_bench(served: I64, scalars: F32, due_entries: I64, due_links: I32, due_buckets: I32, due_meta: I64) -> None:
    """Goods that came back are graded: a return is received, refused goods go on to stock or scrap."""
    for position in range(served.shape[0]):
        item = served[position, ITEM]
        second = served[position, TIME] // MICRO + np.int64(scalars[BENCH_TIME])
        if item >= 0:
            put(due_entries, due_links, due_buckets, due_meta, second, _RETURN_RECEIVED, seq_of(item), NOWHERE)
        else:
            put(due_entries, due_links, due_buckets, due_meta, second, _RESTOCKED, item, NOWHERE)


@njit(cache=True, error_model="numpy")
def loose(line: Whole, warehouse: Whole, quantity: Whole, resale: bool) -> Whole:
    """Units on their way back without an open order, packed into a negative number."""
    return -1 - (np.int64(line) | warehouse << 16 | np.int64(quantity) << 24 | (np.int64(1) << 32 if resale else 0))


@njit(cache=True, error_model="numpy", _nrt=False)
def can_resell(data: Records, row: Whole, scalars: F32, by_category: F32, key: NDArray[np.uint32]) -> bool:
    """Whether goods that came back can be sold again; damaged and spoiled ones cannot."""
    if data[row].flags & np.uint16(_FLAG_DAMAGED | _FLAG_SPOILED) != 0:
        return False
    words = philox(
        data[row].birth,
        np.uint32(0),
        np.uint32(data[row].tick),
        np.uint32(RETURN_WAY_DRAW + data[row].ordinal),
        key[0],
        key[1],
    )
    chance = by_category[data[row].category, RESALE]
    if data[row].direct == 1:
        chance *= scalars[DIRECT_RESALE]
    return bool(unit(words[2]) < chance)


@njit(cache=True, error_model="numpy", _nrt=False)
def send_back(
    data: Records,
    row: Whole,
    second: Whole,
    item: Whole,
    scalars: F32,
    by_carrier: F32,
    gamma: F32,
    key: NDArray[np.uint32],
    entries: I64,
    links: I32,
    buckets: I32,
    meta: I64,
) -> None:
    """Files one parcel on its way back: pickup, transit by the same carrier, arrival at the country's bench."""
    words = philox(
        data[row].birth,
        np.uint32(0),
        np.uint32(data[row].tick),
        np.uint32(RETURN_WAY_DRAW + data[row].ordinal),
        key[0],
        key[1],
    )
    carrier = np.int64(data[row].carrier)
    pickup = np.int64(0) if item < 0 else gamma_seconds(np.float32(0), scalars[PICKUP], gamma, words[0])
    travel = gamma_seconds(by_carrier[carrier, MILE_SHORTEST], by_carrier[carrier, MILE_EXCESS], gamma, words[1])
    order_key = key_of(data[row].birth, data[row].tick, data[row].ordinal)
    bench = np.int64(data[row].country) + N_ORIGIN_WAREHOUSES
    put(entries, links, buckets, meta, (second + pickup + travel) * MICRO, order_key, item, bench)


@njit(cache=True, error_model="numpy")
def unloaded_seconds(
    words: NDArray[np.uint32],
    country: Whole,
    direct: Whole,
    cold: Whole,
    scalars: F32,
    by_country: F32,
    by_route: F32,
    by_carrier: F32,
    headway: F32,
    gamma: F32,
) -> I64:
    """Seconds from payment to the door of one order per row of `words` (n, 8) where nobody waits; a lane's prior."""
    out = np.empty(words.shape[0], np.int64)
    for row in range(words.shape[0]):
        spent = handling_seconds(direct, scalars, words[row, 0]) + np.int64(scalars[SORT])
        carrier = 2 * country + (0 if unit(words[row, 1]) < by_country[country, FIRST_CARRIER] else 1)
        factor = np.float32(1)
        if direct == 1:
            mode = pick_mode(by_route, country, cold, words[row, 2])
            spent += np.int64(headway[mode] * unit(words[row, 3]))
            spent += gamma_seconds(
                by_route[country, mode, TRANSIT_SHORTEST], by_route[country, mode, TRANSIT_EXCESS], gamma, words[row, 4]
            )
            spent += gamma_seconds(
                by_country[country, CLEAR_SHORTEST], by_country[country, CLEAR_EXCESS], gamma, words[row, 5]
            )
        else:
            factor = scalars[STOCKED_FACTOR]
        spent += gamma_seconds(
            factor * by_carrier[carrier, MILE_SHORTEST], factor * by_carrier[carrier, MILE_EXCESS], gamma, words[row, 6]
        )
        out[row] = spent
    return out


@njit(cache=True, error_model="numpy", _nrt=False)
def lose_unrecorded(real: I32, category: U8, by_category: F32, day: Whole, key: NDArray[np.uint32]) -> Whole:
    """Takes what leaves stock without a record in one day; returns the units."""
    total = 0
    for line in range(real.shape[0]):
        rate = by_category[category[line], UNRECORDED]
        for warehouse in range(real.shape[1]):
            stock = real[line, warehouse]
            if stock <= 0:
                continue
            words = philox(
                np.uint32(line), np.uint32(warehouse), np.uint32(day), np.uint32(UNRECORDED_DRAW), key[0], key[1]
            )
            gone = min(np.int32(np.float32(stock) * rate + unit(words[0])), stock)
            real[line, warehouse] -= gone
            total += gone
    return total


@njit(cache=True, error_model="numpy")
def lane_quantiles(histogram: I32, quantile: float, prior: Floats, prior_parcels: float) -> Floats:
    """Days within which `quantile` of a lane's parcels came: the window's quantile and the prior, weighted by parcels.

    histogram int32[lanes, bins], prior float64[lanes] days; returns float64[lanes].
    """
    out = np.empty(histogram.shape[0])
    for lane in range(histogram.shape[0]):
        total = 0
        for slot in range(histogram.shape[1]):
            total += histogram[lane, slot]
        if total == 0:
            out[lane] = prior[lane]
            continue
        target = quantile * total
        below = 0
        slot = 0
        while slot < histogram.shape[1] - 1 and below + histogram[lane, slot] < target:
            below += histogram[lane, slot]
            slot += 1
        inside = max(histogram[lane, slot], 1)
        days = (slot + (target - below) / inside) * PROMISE_BIN / DAY_SECONDS
        out[lane] = (total * days + prior_parcels * prior[lane]) / (total + prior_parcels)
    return out
