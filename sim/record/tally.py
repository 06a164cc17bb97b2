"""Today's counts: where the rooms of the day write numbers when things happen.

Every call is one compiled scatter-add, about two microseconds plus a nanosecond an entry. Counts are int64, so that the
order of additions cannot move a bit. Nothing is kept of the warm-up: the recorder clears the day's counts, and cohort
counts of orders placed before the first reported day are dropped at the door.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kinds import N_CATEGORIES, N_CHANNELS, N_COUNTRIES, REGION_OF_COUNTRY, SHELF
from sim.record.schema import (
    DECLARED_BIN_PERMILLE,
    DECLARED_BINS,
    DELIVERY_BIN_SECONDS,
    DELIVERY_BINS,
    MATURED,
    N_CELLS,
    N_LANES,
    N_MEASURES,
    N_REGION_CHANNELS,
    N_THIRDS,
    LaneMeasure,
    LanguageMeasure,
    Measure,
    MerchantMeasure,
    StreamerMeasure,
    Window,
)

I64 = NDArray[np.int64]
_ONE: Final = np.ones(1, dtype=np.int64)
_REGION: Final = np.array(REGION_OF_COUNTRY, dtype=np.int64)
# per measure: the matured totals it feeds, as positions in MATURED (-1: none), and their windows
_MOST_WINDOWS: Final = 4
_SLOTS: Final = np.full((N_MEASURES, _MOST_WINDOWS), -1, dtype=np.int64)
_SLOT_DAYS: Final = np.zeros((N_MEASURES, _MOST_WINDOWS), dtype=np.int64)
for _position, (_measure, _window) in enumerate(MATURED):
    _free = int(np.argmin(_SLOTS[_measure] >= 0))
    _SLOTS[_measure, _free] = _position
    _SLOT_DAYS[_measure, _free] = int(_window)


@njit(cache=True)
def _scatter(target: I64, index: I64, amounts: I64) -> None:
    """Add amounts (n or one for all) at index, in place; target int64[m]."""
    step = 0 if amounts.size == 1 else 1
    for entry in range(index.size):
        target[index[entry]] += np.int64(amounts[entry * step])


@njit(cache=True)
def _scatter_cohort(
    totals: I64,
    matured: I64,
    by_country: I64,
    by_channel: I64,
    order_days: I64,
    index: I64,
    amounts: I64,
    first_day: int,
    slots: I64,
    slot_days: I64,
    regions: I64,
) -> None:
    """Add to one measure's whole-run, matured and daily totals, by order day; orders before first_day are dropped."""
    step = 0 if amounts.size == 1 else 1
    day_step = 0 if order_days.size == 1 else 1
    days = by_country.shape[0]
    for entry in range(index.size):
        day = np.int64(order_days[entry * day_step]) - first_day
        if day < 0 or day >= days:
            continue
        amount = np.int64(amounts[entry * step])
        where = np.int64(index[entry])
        totals[where] += amount
        country = where // (N_CHANNELS * N_CATEGORIES * N_THIRDS)
        channel = (where // (N_CATEGORIES * N_THIRDS)) % N_CHANNELS
        by_country[day, country * 2 + (1 if channel < SHELF else 0)] += amount
        by_channel[day, regions[country] * N_CHANNELS + channel] += amount
        for slot in range(slots.size):
            if slots[slot] >= 0 and day + slot_days[slot] <= days:
                matured[slots[slot], where] += amount


@njit(cache=True)
def _scatter_delivery(
    hist_channel: I64,
    hist_buyer: I64,
    daily: NDArray[np.int32],
    order_days: I64,
    index: I64,
    direct: I64,
    seconds: I64,
    first_day: int,
    days: int,
    window: int,
) -> None:
    """Count delivered orders in the histograms; those of young cohorts only by day."""
    for entry in range(index.size):
        day = np.int64(order_days[entry]) - first_day
        if day < 0 or day >= days:
            continue
        where = np.int64(index[entry])
        third = where % N_THIRDS
        category = (where // N_THIRDS) % N_CATEGORIES
        channel = (where // (N_CATEGORIES * N_THIRDS)) % N_CHANNELS
        country = where // (N_CHANNELS * N_CATEGORIES * N_THIRDS)
        straight = np.int64(direct[entry])
        slot = np.int64(seconds[entry]) // DELIVERY_BIN_SECONDS
        if slot < 0:
            slot = np.int64(0)
        elif slot >= DELIVERY_BINS:
            slot = np.int64(DELIVERY_BINS - 1)
        live = 1 if channel < SHELF else 0
        if live == 1 and daily.shape[0] > 0:
            daily[day, country, straight, slot] += 1
        if day + window <= days:
            hist_channel[country, channel, straight, slot] += 1
            hist_buyer[category, third, live, straight, slot] += 1


@njit(cache=True)
def _close(
    today: I64,
    totals: I64,
    matured: I64,
    by_country: I64,
    by_channel: I64,
    age: int,
    regions: I64,
    slots: I64,
    slot_days: I64,
) -> None:
    """Fold today's event counts into the whole run's, matured and daily totals, and clear them.

    today, totals int64[measure, cell]; by_country int64[measure, country x live]; by_channel int64[measure, region x
    channel];
    age: days from today to the end of the run, today included.
    """
    per_channel = N_CATEGORIES * N_THIRDS
    for measure in range(today.shape[0]):
        for country in range(N_COUNTRIES):
            for channel in range(N_CHANNELS):
                start = (country * N_CHANNELS + channel) * per_channel
                total = np.int64(0)
                for where in range(start, start + per_channel):
                    amount = today[measure, where]
                    if amount != 0:
                        total += amount
                        totals[measure, where] += amount
                        for slot in range(slots.shape[1]):
                            if slots[measure, slot] >= 0 and slot_days[measure, slot] <= age:
                                matured[slots[measure, slot], where] += amount
                        today[measure, where] = 0
                by_country[measure, country * 2 + (1 if channel < SHELF else 0)] += total
                by_channel[measure, regions[country] * N_CHANNELS + channel] += total


def _array(values: NDArray[np.integer] | int) -> I64:
    """A one-dimensional int64 array; a plain number becomes an array of one. One type keeps one compiled version."""
    if isinstance(values, np.ndarray):
        if values.dtype == np.int64 and values.ndim == 1:
            return values.view(np.int64)
        return np.atleast_1d(values).astype(np.int64)
    return _ONE if values == 1 else np.array([values], dtype=np.int64)


class Tally:
    """Counts of a run, filled by the rooms of the day.

    Args:
        first_day: first reported day, in days since 2000-01-01.
        days: reported days.
        streamers, merchants, languages: sizes of those tables of the world.
        daily: keep delivery histograms by day (record levels daily and full).

    Attributes:
        today: int64[measure, cell], event counts of the day so far; also there during warm-up.
        recording: whether the current day is a reported one; side tables count only then.
    """

    def __init__(
        self, first_day: int, days: int, streamers: int, merchants: int, languages: int, daily: bool = True
    ) -> None:
        self.first_day = first_day
        self.days = days
        self.recording = False
        self.languages = languages
        self.today = np.zeros((N_MEASURES, N_CELLS), dtype=np.int64)
        self.totals = np.zeros((N_MEASURES, N_CELLS), dtype=np.int64)
        self.matured = np.zeros((len(MATURED), N_CELLS), dtype=np.int64)
        self.by_country = np.zeros((N_MEASURES, days, N_COUNTRIES * 2), dtype=np.int64)  # country x live
        self.by_channel = np.zeros((N_MEASURES, days, N_REGION_CHANNELS), dtype=np.int64)
        self.streamer = np.zeros((len(StreamerMeasure), streamers), dtype=np.int64)
        self.streamer_today = np.zeros((len(StreamerMeasure), streamers), dtype=np.int64)
        self.merchant = np.zeros((len(MerchantMeasure), merchants * N_CHANNELS), dtype=np.int64)
        self.language = np.zeros((len(LanguageMeasure), languages * languages), dtype=np.int64)
        self.lane = np.zeros((len(LaneMeasure), N_LANES), dtype=np.int64)
        self.hist_delivery = np.zeros((N_COUNTRIES, N_CHANNELS, 2, DELIVERY_BINS), dtype=np.int64)
        self.hist_delivery_buyer = np.zeros((N_CATEGORIES, N_THIRDS, 2, 2, DELIVERY_BINS), dtype=np.int64)
        self.hist_delivery_daily = np.zeros((days if daily else 0, N_COUNTRIES, 2, DELIVERY_BINS), dtype=np.int32)
        self.hist_declared = np.zeros((N_COUNTRIES, DECLARED_BINS), dtype=np.int64)

    def add(self, measure: Measure, cells: NDArray[np.integer] | int, amounts: NDArray[np.integer] | int = 1) -> None:
        """Count an event measure: today[measure, cells] += amounts. Amounts: one for all, or one per cell."""
        _scatter(self.today[measure], _array(cells), _array(amounts))

    def add_many(self, measures: list[Measure], cells: NDArray[np.integer], amounts: NDArray[np.integer]) -> None:
        """Count several event measures on the same cells; amounts int64[measure, n]."""
        for position, measure in enumerate(measures):
            _scatter(self.today[measure], _array(cells), _array(amounts[position]))

    def add_cohort(
        self,
        measure: Measure,
        order_day: NDArray[np.integer] | int,
        cells: NDArray[np.integer] | int,
        amounts: NDArray[np.integer] | int = 1,
    ) -> None:
        """Count a cohort measure on the day its order was placed (days since 2000-01-01; one for all, or per cell)."""
        _scatter_cohort(
            self.totals[measure], self.matured, self.by_country[measure], self.by_channel[measure],
            _array(order_day), _array(cells), _array(amounts), self.first_day,
            _SLOTS[measure], _SLOT_DAYS[measure], _REGION,
        )  # fmt: skip

    def add_delivery(
        self,
        order_day: NDArray[np.integer],
        cells: NDArray[np.integer],
        direct: NDArray[np.integer],
        seconds: NDArray[np.integer],
        late: NDArray[np.integer],
    ) -> None:
        """Count parcels that reached their buyers: delivered, late, transit time, and the delivery histograms.

        Args:
            order_day: day each order was placed, days since 2000-01-01.
            cells: cell of each order.
            direct: 1 for parcels from China, 0 from stock in the country.
            seconds: from order to delivery.
            late: 1 if after the promised moment.
        """
        days, where, straight, duration = _array(order_day), _array(cells), _array(direct), _array(seconds)
        self.add_cohort(Measure.DELIVERED, days, where)
        self.add_cohort(Measure.LATE, days, where, _array(late))
        self.add_cohort(Measure.TRANSIT_SECONDS, days, where, duration)
        self.add_cohort(Measure.DELIVERED_DIRECT, days, where, straight)
        _scatter_delivery(
            self.hist_delivery, self.hist_delivery_buyer, self.hist_delivery_daily,
            days, where, straight, duration, self.first_day, self.days, int(Window.DELIVERY),
        )  # fmt: skip

    def add_streamer(
        self, measure: StreamerMeasure, streamers: NDArray[np.integer], amounts: NDArray[np.integer] | int = 1
    ) -> None:
        """Count per streamer (index, below the number of streamers)."""
        if self.recording:
            _scatter(self.streamer_today[measure], _array(streamers), _array(amounts))

    def add_merchant(
        self,
        measure: MerchantMeasure,
        merchants: NDArray[np.integer],
        channels: NDArray[np.integer],
        amounts: NDArray[np.integer] | int = 1,
    ) -> None:
        """Count per merchant and channel."""
        if self.recording:
            _scatter(self.merchant[measure], _array(merchants) * N_CHANNELS + channels, _array(amounts))

    def add_language(
        self,
        measure: LanguageMeasure,
        spoken: NDArray[np.integer],
        heard: NDArray[np.integer],
        amounts: NDArray[np.integer] | int = 1,
    ) -> None:
        """Count per ordered pair (language of the show, best language of the viewer)."""
        if self.recording:
            _scatter(self.language[measure], _array(spoken) * self.languages + heard, _array(amounts))

    def add_lane(
        self,
        measure: LaneMeasure,
        warehouses: NDArray[np.integer],
        countries: NDArray[np.integer],
        amounts: NDArray[np.integer] | int = 1,
    ) -> None:
        """Count arrived parcels, or the time they spent in one stage, per warehouse and destination."""
        if self.recording:
            _scatter(self.lane[measure], _array(warehouses) * N_COUNTRIES + countries, _array(amounts))

    def add_declared(self, countries: NDArray[np.integer], ratio_permille: NDArray[np.integer]) -> None:
        """Count direct parcels by declared value over the duty threshold, in thousandths of the threshold."""
        if self.recording:
            slot = np.clip(_array(ratio_permille) // DECLARED_BIN_PERMILLE, 0, DECLARED_BINS - 1)
            _scatter(self.hist_declared.reshape(-1), _array(countries) * DECLARED_BINS + slot, _ONE)

    def open_day(self, day: int) -> None:
        """Start a day (days since 2000-01-01): says whether it is a reported one."""
        self.recording = self.first_day <= day < self.first_day + self.days

    def close_day(self, day: int) -> None:
        """Fold today's event counts into the totals and clear them; a warm-up day's counts are dropped."""
        position = day - self.first_day
        if 0 <= position < self.days:
            _close(
                self.today, self.totals, self.matured, self.by_country[:, position], self.by_channel[:, position],
                self.days - position, _REGION, _SLOTS, _SLOT_DAYS,
            )  # fmt: skip
            self.streamer += self.streamer_today
        else:
            self.today[:] = 0
        self.streamer_today[:] = 0
