"""The clock: a SimPy environment, the calendar of what falls due, and the outbox.

SimPy says when, the daily loop says what. Processes open and close stations, run timetables and settlement runs, and
drop events here; none of them touches a consumer or a balance. What is merely due at a known time (a payment authorised
in twenty minutes, a parcel delivered in three days) is filed with `schedule`; one SimPy process, which wakes in the
last second of every daypart, empties the daypart's bucket into the outbox. `advance_to` lets SimPy run and hands the
outbox over, sorted.

Time is int seconds since 2000-01-01 00:00 UTC.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
import simpy
from numba import njit
from numpy.typing import NDArray

from sim.kernels.stations import ITEM, KEY, META_CURRENT, META_WIDTH, TIME, Calendar, bits_of, sorted_whole
from sim.kinds import DAYPART_SECONDS, Event
from sim.messages import Events

type I64 = NDArray[np.int64]
type U8 = NDArray[np.uint8]

_KIND_BITS = 5
_MOST_BITS = 62
_NO_PLACE = np.zeros(1, np.int64)
_NOTHING = np.empty((0, 4), np.int64)


class Clock:
    """SimPy's environment and the events it has said.

    `daypart_seconds` is the grain in which due events are collected; `advance_to` moves by whole dayparts. `calendar`
    holds entries (second, kind, order) for kernels that file events themselves with `stations.put`.
    """

    def __init__(self, start_second: int, daypart_seconds: int = DAYPART_SECONDS) -> None:
        """Raises ValueError unless the start is a multiple of the daypart."""
        self.env = simpy.Environment(initial_time=int(start_second))
        self.daypart_seconds = int(daypart_seconds)
        self.calendar = Calendar(self.daypart_seconds, int(start_second))
        self._outbox: list[I64] = []
        self._said: list[tuple[int, int, int, int]] = []
        self.env.process(self._collect())

    @property
    def now(self) -> int:
        """The current second."""
        return int(self.env.now)

    def process(self, generator: Generator[Any, Any, Any]) -> simpy.Process:
        """Starts a SimPy process: a timetable, a closure with hours, a settlement run, a consignment."""
        return self.env.process(generator)

    def schedule(self, kind: Event | NDArray[Any], seconds: NDArray[Any], orders: NDArray[Any]) -> None:
        """Files due events: one kind for all, or one each; seconds and order numbers of length n.

        An event dated before the current daypart is news that comes late: it is handed over with the next batch and
        keeps its date.
        """
        times = np.ascontiguousarray(seconds, np.int64)
        if times.size == 0:
            return
        kinds = np.atleast_1d(np.asarray(kind, np.int64))
        self.calendar.add(times, kinds, np.ascontiguousarray(orders, np.int64), _NO_PLACE)

    def emit(self, kind: Event, order: int) -> None:
        """Says that something falls due now; for SimPy processes."""
        self._said.append((self.now, int(kind), int(order), 0))

    def count(self, kinds: Iterable[Event]) -> int:
        """Filed events of some kinds that have not been handed over yet; reads the whole calendar."""
        wanted = 0
        for kind in kinds:
            wanted |= 1 << int(kind)
        return self.calendar.count(wanted) + sum(_of_kinds(part, wanted) for part in self._outbox)

    def advance_to(self, second: int) -> Events:
        """Runs SimPy up to, and not including, `second`; what fell due, sorted by (time, kind, order).

        Raises:
            ValueError: `second` lies in the past or within a daypart.
        """
        second = int(second)
        if second < self.now or second % self.daypart_seconds:
            raise ValueError(
                f"the clock stands at {self.now}, moves by whole dayparts of {self.daypart_seconds} s, not to {second}"
            )
        if second > self.now:
            self.env.run(until=second)
        if self._said:
            self._outbox.append(np.array(self._said, np.int64))
            self._said.clear()
        entries = self._outbox[0] if len(self._outbox) == 1 else np.concatenate([_NOTHING, *self._outbox])
        self._outbox.clear()
        return sort_events(entries)

    def _collect(self) -> Generator[simpy.Event, None, None]:
        """Empties the calendar's bucket into the outbox in the last second of every daypart."""
        while True:
            end = (int(self.calendar.meta[META_CURRENT]) + 1) * int(self.calendar.meta[META_WIDTH])
            yield self.env.timeout(end - 1 - self.now)
            entries = self.calendar.take()
            if entries.shape[0]:
                self._outbox.append(entries)
            yield self.env.timeout(1)


def sort_events(entries: I64) -> Events:
    """Events of a calendar's entries, int64[n, 4] of (time, kind, order, place), sorted by (time, kind, order).

    The three are packed into one integer and sorted as such where they fit, which is many times faster than sorting by
    three keys.
    """
    size = entries.shape[0]
    events = Events(np.empty(size, np.int64), np.empty(size, np.uint8), np.empty(size, np.int64))
    if size and not _sort(entries, events.time, events.kind, events.order):
        entries = entries[np.lexsort((entries[:, ITEM], entries[:, KEY], entries[:, TIME]))]
        events = Events(entries[:, TIME].copy(), entries[:, KEY].astype(np.uint8), entries[:, ITEM].copy())
    return events


def _of_kinds(entries: I64, wanted: int) -> int:
    return int((wanted >> entries[:, KEY] & 1).sum())


@njit(cache=True, error_model="numpy")
def _sort(entries: I64, time: I64, kind: U8, order: I64) -> bool:
    """Sorts as `sort_events`, into the last three arrays; False if an event does not fit in one integer."""
    size = entries.shape[0]
    first = entries[0, TIME]
    last = first
    lowest = entries[0, ITEM]
    highest = lowest
    for row in range(size):
        first = min(first, entries[row, TIME])
        last = max(last, entries[row, TIME])
        lowest = min(lowest, entries[row, ITEM])
        highest = max(highest, entries[row, ITEM])
    order_bits = bits_of(highest - lowest)
    shift = order_bits + _KIND_BITS
    if shift + bits_of(last - first) > _MOST_BITS:
        return False
    packed = np.empty(size, np.int64)
    for row in range(size):
        packed[row] = (entries[row, TIME] - first) << shift | entries[row, KEY] << order_bits
        packed[row] |= entries[row, ITEM] - lowest
    packed = sorted_whole(packed, shift + bits_of(last - first))
    for row in range(size):
        time[row] = (packed[row] >> shift) + first
        kind[row] = packed[row] >> order_bits & ((1 << _KIND_BITS) - 1)
        order[row] = (packed[row] & ((1 << order_bits) - 1)) + lowest
    return True
