"""Queues of the delivery lanes: calendars of what falls due, and stations that serve it in order of arrival.

A *calendar* holds future entries by bucket of time; filling and emptying cost a few nanoseconds an entry and no Python.
A *station* lets parcels start at most every `gap` microseconds, in order of (arrival, order key), and remembers between
calls when the next one may start:

    slot  = max(arrival, due - slack)        due = when this parcel would start had all before it kept the gap
    due'  = max(due, arrival) + gap

With `slack` 0 this is the single server with constant service time, start = max(arrival, previous start + gap). A
positive slack lets a station that had a quiet time serve some parcels at once, up to `slack` worth of its capacity (the
generic cell rate algorithm, ITU-T I.371 annex A); in a small sample, where one model parcel stands for many real ones,
it takes away the waiting that only comes from the grain. With a timetable (`headway` > 0) the parcel leaves with the
first departure at or after its slot, so that a departure takes as many as its booking slots allow.

Only what starts before the end of the batch is served, the rest stays in the backlog. All arithmetic is in integer
microseconds, and a station's state after a batch says all there is to say about its past: the same parcels cut into any
batches start at the same moments. One call serves all stations of a *bank* (one stage of the lanes).

`serve_servers` is the exact first-come-first-served queue with c servers, for verification.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

type I64 = NDArray[np.int64]
type I32 = NDArray[np.int32]
type Whole = int | np.int64  # a whole number, from Python or from inside a kernel

BLOCK = 16  # entries in a block of a calendar
HORIZON = 1024  # buckets ahead; what lies beyond waits in the last one and is put back when it is emptied

# columns of an entry
TIME, KEY, ITEM, PLACE, ARRIVED = 0, 1, 2, 3, 4
STATION = 0xFFFF  # the bits of `place` that name the station; a user may keep what he likes above them
# columns of a bucket and of a block
_HEAD, _USED, _COUNT = 0, 1, 2
_NEXT, _SPARE = 0, 1
# places in a calendar's meta array
META_SPARE, META_COUNT, META_CURRENT, META_WIDTH = 0, 1, 2, 3

# columns of a station's state
GAP, SLACK, DUE, HEADWAY, PHASE, OPEN, REOPENED, SEEN, SERVED, WAITED, BACKLOG = range(11)
STATE_COLUMNS = 11
MICRO = 1_000_000
DAY_MICRO = 86_400 * MICRO


@njit(cache=True, error_model="numpy", _nrt=False)
def put(entries: I64, links: I32, buckets: I32, meta: I64, time: Whole, key: Whole, item: Whole, place: Whole) -> None:
    """Files one entry under the bucket of its time; a time already past goes to the current bucket and keeps its value.

    The caller has made room with `Calendar.reserve`.
    """
    # exact below 2^53, and a third of the time of dividing whole numbers
    number = np.int64(np.float64(time) / np.float64(meta[META_WIDTH]))
    current = meta[META_CURRENT]
    if number < current:
        number = current
    elif number >= current + HORIZON:
        number = current + HORIZON - 1
    bucket = number & (HORIZON - 1)
    block = buckets[bucket, _HEAD]
    used = buckets[bucket, _USED]
    if block < 0 or used == BLOCK:
        meta[META_SPARE] -= 1
        fresh = links[meta[META_SPARE], _SPARE]
        links[fresh, _NEXT] = block
        buckets[bucket, _HEAD] = fresh
        block = fresh
        used = 0
    slot = np.int64(block) * BLOCK + used
    entries[slot, TIME] = time
    entries[slot, KEY] = key
    entries[slot, ITEM] = item
    entries[slot, PLACE] = place
    buckets[bucket, _USED] = used + 1
    buckets[bucket, _COUNT] += 1
    meta[META_COUNT] += 1


@njit(cache=True, error_model="numpy", _nrt=False)
def put_many(entries: I64, links: I32, buckets: I32, meta: I64, times: I64, keys: I64, items: I64, places: I64) -> None:
    """Files entries; arrays of length n, or of length 1 for one value for all."""
    key_step = 0 if keys.size == 1 else 1
    place_step = 0 if places.size == 1 else 1
    for row in range(times.size):
        put(entries, links, buckets, meta, times[row], keys[row * key_step], items[row], places[row * place_step])


@njit(cache=True, error_model="numpy")
def take(entries: I64, links: I32, buckets: I32, meta: I64) -> I64:
    """Empties the current bucket and makes the next one current: int64[n, 4] in no particular order.

    Entries that lie beyond the bucket (filed at the horizon) are put back.
    """
    current = meta[META_CURRENT]
    end = (current + 1) * meta[META_WIDTH]
    bucket = current & (HORIZON - 1)
    count = np.int64(buckets[bucket, _COUNT])
    out = np.empty((count, 4), np.int64)
    filled = 0
    block = buckets[bucket, _HEAD]
    used = buckets[bucket, _USED]
    while block >= 0:
        for slot in range(np.int64(block) * BLOCK, np.int64(block) * BLOCK + used):
            for column in range(4):
                out[filled, column] = entries[slot, column]
            filled += 1
        following = links[block, _NEXT]
        links[meta[META_SPARE], _SPARE] = block
        meta[META_SPARE] += 1
        block = following
        used = BLOCK
    buckets[bucket, _HEAD] = -1
    buckets[bucket, _USED] = 0
    buckets[bucket, _COUNT] = 0
    meta[META_COUNT] -= count
    meta[META_CURRENT] = current + 1
    kept = 0
    for row in range(count):
        if out[row, TIME] < end:
            if kept != row:
                for column in range(4):
                    out[kept, column] = out[row, column]
            kept += 1
        else:
            put(entries, links, buckets, meta, out[row, TIME], out[row, KEY], out[row, ITEM], out[row, PLACE])
    return out[:kept]


@njit(cache=True, error_model="numpy", _nrt=False)
def count_keys(entries: I64, links: I32, buckets: I32, wanted: Whole) -> Whole:
    """Entries of a calendar whose key is the number of a bit set in `wanted`."""
    total = 0
    for bucket in range(HORIZON):
        block = buckets[bucket, _HEAD]
        used = buckets[bucket, _USED]
        while block >= 0:
            for slot in range(np.int64(block) * BLOCK, np.int64(block) * BLOCK + used):
                total += wanted >> entries[slot, KEY] & 1
            block = links[block, _NEXT]
            used = BLOCK
    return total


SMALL = 4096


def grown(size: int) -> int:
    """Places to make when `size` of them are used up: twice as many of a few, an eighth more of many.

    What is waiting takes most of a large world's memory; doubling would leave up to half of it empty.
    """
    return 2 * size if size < SMALL else size + size // 8


class Calendar:
    """Future entries (time, key, item, place), filed by bucket.

    `width` is a bucket's length and `start` the time from which entries may come, a multiple of it, in the unit of the
    entries' times. The arrays `entries`, `links`, `buckets` and `meta` are for kernels that call `put`; they are
    replaced when `reserve` enlarges the calendar, so fetch them (`arrays`) after it.
    """

    def __init__(self, width: int, start: int) -> None:
        """Raises ValueError unless start is a multiple of a positive width."""
        if width <= 0 or start % width:
            raise ValueError(f"a calendar starts at a multiple of its width; {start} is not one of {width}")
        blocks = 64
        self.entries: I64 = np.zeros((blocks * BLOCK, 4), np.int64)
        self.links: I32 = np.full((blocks, 2), -1, np.int32)
        self.links[:, _SPARE] = np.arange(blocks)
        self.buckets: I32 = np.zeros((HORIZON, 3), np.int32)
        self.buckets[:, _HEAD] = -1
        self.meta: I64 = np.array([blocks, 0, start // width, width], np.int64)

    def __len__(self) -> int:
        return int(self.meta[META_COUNT])

    @property
    def arrays(self) -> tuple[I64, I32, I32, I64]:
        """The four arrays kernels need."""
        return self.entries, self.links, self.buckets, self.meta

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.entries.nbytes + self.links.nbytes + self.buckets.nbytes + self.meta.nbytes

    def reserve(self, count: int) -> None:
        """Makes room for `count` more entries, wherever they fall."""
        needed = count // BLOCK + min(count, HORIZON) + 1
        spare = int(self.meta[META_SPARE])
        if spare >= needed:
            return
        old = self.links.shape[0]
        new = max(grown(old), old + needed)
        entries = np.zeros((new * BLOCK, 4), np.int64)
        entries[: old * BLOCK] = self.entries
        links = np.full((new, 2), -1, np.int32)
        links[:old] = self.links
        links[spare : spare + new - old, _SPARE] = np.arange(old, new)
        self.entries, self.links = entries, links
        self.meta[META_SPARE] = spare + new - old

    def reserve_current(self) -> None:
        """Makes room for what the current bucket holds beyond the horizon, which is put back when it is emptied."""
        bucket = int(self.meta[META_CURRENT]) & (HORIZON - 1)
        self.reserve(int(self.buckets[bucket, _COUNT]))

    def add(self, times: I64, keys: I64, items: I64, places: I64) -> None:
        """Files entries; arrays of length n, keys and places also of length 1 for one value for all."""
        self.reserve(times.size)
        put_many(self.entries, self.links, self.buckets, self.meta, times, keys, items, places)

    def read(self) -> I64:
        """All entries, int64[n, 4], unsorted; nothing is taken out."""
        parts = []
        for head, used, _ in self.buckets[self.buckets[:, _HEAD] >= 0]:
            block, filled = int(head), int(used)
            while block >= 0:
                parts.append(self.entries[block * BLOCK : block * BLOCK + filled])
                block, filled = int(self.links[block, _NEXT]), BLOCK
        return np.concatenate(parts) if parts else np.empty((0, 4), np.int64)

    def count(self, wanted: int) -> int:
        """Entries whose key is one of the numbers (0..62) of the bits set in `wanted`."""
        return int(count_keys(self.entries, self.links, self.buckets, wanted))

    def take(self) -> I64:
        """Empties the current bucket: int64[n, 4], unsorted; the next bucket becomes the current one."""
        self.reserve_current()
        return take(self.entries, self.links, self.buckets, self.meta)


@njit(cache=True, error_model="numpy", _nrt=False)
def _before(entries: I64, left: int, right: int) -> bool:
    if entries[left, TIME] != entries[right, TIME]:
        return bool(entries[left, TIME] < entries[right, TIME])
    return bool(entries[left, KEY] < entries[right, KEY])


@njit(cache=True, error_model="numpy", _nrt=False)
def sort_by_time(entries: I64, order: I64, spare: I64, start: int, end: int) -> None:
    """Sorts order[start:end], row numbers of `entries`, by (time, key), in place; `spare` is as long as `order`.

    Insertion sort in runs of 16, then merging bottom-up: stable, without recursion, the same for any compiler.
    """
    run = 16
    for low in range(start, end, run):
        high = min(low + run, end)
        for position in range(low + 1, high):
            moved = order[position]
            hole = position
            while hole > low and _before(entries, moved, order[hole - 1]):
                order[hole] = order[hole - 1]
                hole -= 1
            order[hole] = moved
    width = run
    while width < end - start:
        for low in range(start, end, 2 * width):
            middle = min(low + width, end)
            high = min(low + 2 * width, end)
            if middle >= high or not _before(entries, order[middle], order[middle - 1]):
                continue
            for position in range(low, middle):
                spare[position] = order[position]
            left = low
            right = middle
            target = low
            while left < middle:
                if right < high and _before(entries, order[right], spare[left]):
                    order[target] = order[right]
                    right += 1
                else:
                    order[target] = spare[left]
                    left += 1
                target += 1
        width *= 2


@njit(cache=True, error_model="numpy")
def order_by_time(entries: I64) -> I64:
    """Row numbers of `entries` by time: int64[n]; equal times keep their order. A radix sort by eleven bits at a time.

    Few rows stay as they are: for them the sort that follows by station is faster alone.
    """
    count = entries.shape[0]
    order = np.arange(count)
    if count < 512:
        return order
    low = entries[0, TIME]
    high = low
    for row in range(count):
        low = min(low, entries[row, TIME])
        high = max(high, entries[row, TIME])
    times = np.empty(count, np.int64)
    for row in range(count):
        times[row] = entries[row, TIME] - low
    spare = np.empty(count, np.int64)
    shift = 0
    while (high - low) >> shift > 0:
        starts = np.zeros(2049, np.int64)
        for row in range(count):
            starts[(times[row] >> shift & 2047) + 1] += 1
        for digit in range(2048):
            starts[digit + 1] += starts[digit]
        for position in range(count):
            digit = times[order[position]] >> shift & 2047
            spare[starts[digit]] = order[position]
            starts[digit] += 1
        order, spare = spare, order
        shift += 11
    return order


@njit(cache=True, error_model="numpy")
def bits_of(number: Whole) -> Whole:
    """Bits that a number of at least 0 takes."""
    bits = 0
    while number >> bits > 0:
        bits += 1
    return bits


@njit(cache=True, error_model="numpy")
def sorted_whole(values: I64, bits: Whole) -> I64:
    """Numbers of at least 0 and at most `bits` bits, sorted: int64[n]; `values` is overwritten. A radix sort."""
    digit = 11 if values.size > 4096 else 8
    top = (1 << digit) - 1
    spare = np.empty(values.size, np.int64)
    for shift in range(0, bits, digit):
        starts = np.zeros(top + 2, np.int64)
        for row in range(values.size):
            starts[(values[row] >> shift & top) + 1] += 1
        for place in range(top):
            starts[place + 1] += starts[place]
        for row in range(values.size):
            place = values[row] >> shift & top
            spare[starts[place]] = values[row]
            starts[place] += 1
        values, spare = spare, values
    return values


@njit(cache=True, error_model="numpy", _nrt=False)
def after_closures(closures: I64, station: Whole, moment: Whole) -> Whole:
    """The first moment at or after `moment` at which the station is not closed; closures sorted by (station, from)."""
    opened = moment  # grows from one closure to the next
    for row in range(closures.shape[0]):
        if closures[row, 0] == station and closures[row, 1] <= opened < closures[row, 2]:
            opened = closures[row, 2]
    return opened


@njit(cache=True, error_model="numpy")
def serve(
    entries: I64, links: I32, buckets: I32, meta: I64, state: I64, closures: I64, backlog: I64
) -> tuple[I64, I64]:
    """Serves all stations of a bank for the calendar's current bucket and makes the next bucket current.

    Args:
        entries, links, buckets, meta: the bank's calendar; times in microseconds, the station in the low 16
            bits of `place`.
        state: int64[stations, 11], see the column names above; DUE, REOPENED and the counters are updated.
        closures: int64[n, 3] of (station, from, until) in microseconds, sorted; nothing starts in them.
        backlog: int64[n, 4], what earlier buckets left, sorted by (station, time, key).

    Returns:
        served int64[n, 5] (start or departure, key, item, place, arrival), sorted by (station, start), and the new
        backlog in the form of the old one.
    """
    end = (meta[META_CURRENT] + 1) * meta[META_WIDTH]
    fresh = take(entries, links, buckets, meta)
    total = fresh.shape[0] + backlog.shape[0]
    stations = state.shape[0]
    served = np.empty((total, 5), np.int64)
    left = np.empty((total, 4), np.int64)
    n_served = 0
    n_left = 0
    first = np.zeros(stations + 1, np.int64)
    for row in range(fresh.shape[0]):
        first[(fresh[row, PLACE] & STATION) + 1] += 1
    for station in range(stations):
        first[station + 1] += first[station]
    order = np.empty(fresh.shape[0], np.int64)
    spare = np.empty(fresh.shape[0], np.int64)
    by_time = order_by_time(fresh)
    for position in range(fresh.shape[0]):
        row = by_time[position]
        station = fresh[row, PLACE] & STATION
        order[first[station]] = row
        first[station] += 1
    old = np.int64(0)  # with a width: a plain 0 would compile the sorting twice
    begin = np.int64(0)
    for station in range(stations):
        finish = first[station]
        old_end = old
        while old_end < backlog.shape[0] and backlog[old_end, PLACE] & STATION == station:
            old_end += 1
        if state[station, OPEN] == 0:
            state[station, REOPENED] = end
        if begin == finish and old == old_end:
            continue
        sort_by_time(fresh, order, spare, begin, finish)
        state[station, SEEN] += finish - begin
        gap = state[station, GAP]
        slack = state[station, SLACK]
        headway = state[station, HEADWAY]
        due = state[station, DUE]
        reopened = state[station, REOPENED]
        working = state[station, OPEN] != 0
        new = begin
        while new < finish or old < old_end:
            from_old = bool(old < old_end)
            if from_old and new < finish:
                row = order[new]
                if fresh[row, TIME] < backlog[old, TIME] or (
                    fresh[row, TIME] == backlog[old, TIME] and fresh[row, KEY] < backlog[old, KEY]
                ):
                    from_old = False
            if from_old:
                from_entry, source = old, backlog
            else:
                from_entry, source = order[new], fresh
            time = source[from_entry, TIME]
            if working:
                arrival = max(time, reopened)
                slot = max(arrival, due - slack)
                start = slot
                if headway > 0:
                    start = state[station, PHASE] - (state[station, PHASE] - slot) // headway * headway
                while closures.shape[0] > 0:
                    opened = after_closures(closures, station, start)
                    if opened == start:
                        break
                    arrival = max(arrival, opened)
                    slot = opened
                    start = slot
                    if headway > 0:
                        start = state[station, PHASE] - (state[station, PHASE] - slot) // headway * headway
                if start < end:
                    due = max(due, arrival) + gap
                    served[n_served, TIME] = start
                    served[n_served, KEY] = source[from_entry, KEY]
                    served[n_served, ITEM] = source[from_entry, ITEM]
                    served[n_served, PLACE] = source[from_entry, PLACE]
                    served[n_served, ARRIVED] = time
                    n_served += 1
                    state[station, SERVED] += 1
                    state[station, WAITED] += (start - time) // MICRO
                    if from_old:
                        old += 1
                    else:
                        new += 1
                    continue
                working = False  # first in, first out: nobody behind can start before the end either
            left[n_left, TIME] = time
            left[n_left, KEY] = source[from_entry, KEY]
            left[n_left, ITEM] = source[from_entry, ITEM]
            left[n_left, PLACE] = source[from_entry, PLACE]
            n_left += 1
            if from_old:
                old += 1
            else:
                new += 1
        state[station, DUE] = due
        begin = finish
    for station in range(stations):
        state[station, BACKLOG] = 0
    for row in range(n_left):
        state[left[row, PLACE] & STATION, BACKLOG] += 1
    return served[:n_served], left[:n_left]


@njit(cache=True, error_model="numpy")
def serve_servers(arrivals: I64, services: I64, free: I64) -> I64:
    """Exact first-come-first-served queue with several servers: when each customer starts.

    Args:
        arrivals: int64[n], sorted. services: int64[n], service times in the same unit.
        free: int64[c], when each server is free, as a binary heap (smallest first); updated in place, so that batches
            can follow one another.
    """
    servers = free.size
    starts = np.empty(arrivals.size, np.int64)
    for customer in range(arrivals.size):
        start = max(arrivals[customer], free[0])
        starts[customer] = start
        finish = start + services[customer]
        hole = 0
        while True:
            child = 2 * hole + 1
            if child >= servers:
                break
            if child + 1 < servers and free[child + 1] < free[child]:
                child += 1
            if free[child] >= finish:
                break
            free[hole] = free[child]
            hole = child
        free[hole] = finish
    return starts


class Bank:
    """All stations of one stage: their calendar, their queues and their capacities.

    `width` and `start` are the calendar's bucket and first moment in seconds. Capacity is in parcels a day.
    """

    def __init__(self, name: str, stations: int, width: int, start: int) -> None:
        self.name = name
        self.calendar = Calendar(width * MICRO, start * MICRO)
        self.state: I64 = np.zeros((stations, STATE_COLUMNS), np.int64)
        self.state[:, OPEN] = 1
        self.state[:, GAP] = 1
        self.backlog: I64 = np.zeros((0, 4), np.int64)
        self.closures: I64 = np.zeros((0, 3), np.int64)

    @property
    def waiting(self) -> int:
        """Parcels in the calendar or in a queue."""
        return len(self.calendar) + int(self.backlog.shape[0])

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.calendar.nbytes + self.state.nbytes + self.backlog.nbytes

    def set_capacity(self, parcels_a_day: NDArray[Any], slack_seconds: float, slack_parcels: float) -> None:
        """Sets what each station can start in a day (float64[stations], positive) and its slack."""
        gap = np.maximum(DAY_MICRO / parcels_a_day, 1.0).astype(np.int64)
        self.state[:, GAP] = gap
        self.state[:, SLACK] = np.maximum(int(slack_seconds * MICRO), (gap * slack_parcels).astype(np.int64))

    def capacity(self) -> NDArray[np.float64]:
        """float64[stations]: parcels a day that each station can start."""
        return DAY_MICRO / self.state[:, GAP]

    def close(self, station: int, begin: int, until: int) -> None:
        """Nothing starts at the station from second `begin` to second `until`; what waits goes on afterwards."""
        row = np.array([[station, begin * MICRO, until * MICRO]], np.int64)
        rows = np.concatenate([self.closures, row])
        self.closures = rows[np.lexsort((rows[:, 1], rows[:, 0]))]

    def serve(self) -> I64:
        """Serves the current bucket: int64[n, 5] of (start, key, item, place, arrival), times in microseconds."""
        if self.closures.shape[0]:
            self._forget_closures()
        self.calendar.reserve_current()
        served, self.backlog = serve(*self.calendar.arrays, self.state, self.closures, self.backlog)
        return served

    def _forget_closures(self) -> None:
        """Drops closures that are over and that nobody in the queue has lived through."""
        begin = int(self.calendar.meta[META_CURRENT] * self.calendar.meta[META_WIDTH])
        oldest = int(self.backlog[:, TIME].min()) if self.backlog.shape[0] else begin
        over = self.closures[:, 2] <= min(begin, oldest)
        for station, _, until in self.closures[over]:
            self.state[station, REOPENED] = max(int(self.state[station, REOPENED]), int(until))
        self.closures = self.closures[~over]
