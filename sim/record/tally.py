"""Today's counts: where the rooms of the day write numbers when things happen.

Every call is one compiled scatter-add, about two microseconds plus a nanosecond an entry. Counts are int64, so that the
order of additions cannot move a bit. Nothing is kept of the warm-up: the recorder clears the day's counts, and cohort
counts of orders placed before the first reported day are dropped at the door.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kinds import N_CATEGORIES, N_CHANNELS, N_COUNTRIES, N_REGIONS, REGION_OF_COUNTRY, SHELF
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
Whole = Any  # a whole number: int, or any integer of numpy
_ONE: Final = np.ones(1, dtype=np.int64)
# per measure: the matured totals it feeds, as positions in MATURED (-1: none), and their windows
_MOST_WINDOWS: Final = 4
_SLOTS: Final = np.full((N_MEASURES, _MOST_WINDOWS), -1, dtype=np.int64)
_SLOT_DAYS: Final = np.zeros((N_MEASURES, _MOST_WINDOWS), dtype=np.int64)
for _position, (_measure, _window) in enumerate(MATURED):
    _free = int(np.argmin(_SLOTS[_measure] >= 0))
    _SLOTS[_measure, _free] = _position
    _SLOT_DAYS[_measure, _free] = int(_window)

# One int64 array holds all counts, so that kernels which count as they go pass it on cheaply. Its first places:
_FIRST_DAY, _DAYS, _RECORDING, _STREAMERS, _MERCHANT_CELLS = range(5)
_HEADER = 32
# then where the parts begin
(
    _TODAY, _TOTALS, _MATURED, _DAILY, _STREAMER_TODAY, _MERCHANT, _DECLARED, _DELIVERY, _BUYER, _SLOT_OF, _DAYS_OF,
) = range(5, 16)  # fmt: skip
_N_MATURED = len(MATURED)
_PLACES = N_COUNTRIES * N_CHANNELS
_PER_COUNTRY = N_CHANNELS * N_CATEGORIES * N_THIRDS
_PER_CHANNEL = N_CATEGORIES * N_THIRDS
_DELIVERY_DAYS = int(Window.DELIVERY)
DELIVERED, LATE = np.int64(Measure.DELIVERED), np.int64(Measure.LATE)
TRANSIT, DELIVERED_DIRECT = np.int64(Measure.TRANSIT_SECONDS), np.int64(Measure.DELIVERED_DIRECT)

Sheets = I64


@njit(cache=True, error_model="numpy", _nrt=False)
def cell_of(order: Any) -> Whole:
    """The cell of an order's record. For use inside kernels."""
    where = np.int64(order.country) * N_CHANNELS + order.channel
    return (where * N_CATEGORIES + order.category) * N_THIRDS + order.third


@njit(cache=True, error_model="numpy", _nrt=False)
def count(sheets: Sheets, measure: Whole, cell: Whole, amount: Whole) -> None:
    """Counts an event measure; like `Tally.add`, inside kernels. Pass int64 throughout."""
    sheets[sheets[_TODAY] + cell * N_MEASURES + measure] += amount


@njit(cache=True, error_model="numpy", _nrt=False)
def count_cohort(sheets: Sheets, measure: Whole, order_day: Whole, cell: Whole, amount: Whole) -> None:
    """Counts a cohort measure on the day of its order; like `Tally.add_cohort`, inside kernels. Pass int64 throughout.

    Orders placed before the first reported day are dropped.
    """
    days = sheets[_DAYS]
    day = order_day - sheets[_FIRST_DAY]
    if amount == 0 or day < 0 or day >= days:
        return
    sheets[sheets[_TOTALS] + cell * N_MEASURES + measure] += amount
    sheets[sheets[_DAILY] + (day * _PLACES + cell // _PER_CHANNEL) * N_MEASURES + measure] += amount
    for place in range(measure * _MOST_WINDOWS, (measure + 1) * _MOST_WINDOWS):
        slot = sheets[sheets[_SLOT_OF] + place]
        if slot < 0:
            break
        if day + sheets[sheets[_DAYS_OF] + place] <= days:
            sheets[sheets[_MATURED] + cell * _N_MATURED + slot] += amount


@njit(cache=True, error_model="numpy", _nrt=False)
def count_streamer(sheets: Sheets, measure: Whole, streamer: Whole, amount: Whole) -> None:
    """Counts for a streamer; like `Tally.add_streamer`, inside kernels."""
    if sheets[_RECORDING] != 0:
        sheets[sheets[_STREAMER_TODAY] + measure * sheets[_STREAMERS] + streamer] += amount


@njit(cache=True, error_model="numpy", _nrt=False)
def count_merchant(sheets: Sheets, measure: Whole, merchant: Whole, channel: Whole, amount: Whole) -> None:
    """Counts for a merchant on a channel; like `Tally.add_merchant`, inside kernels."""
    if sheets[_RECORDING] != 0:
        sheets[sheets[_MERCHANT] + measure * sheets[_MERCHANT_CELLS] + merchant * N_CHANNELS + channel] += amount


@njit(cache=True, error_model="numpy", _nrt=False)
def count_declared(sheets: Sheets, country: Whole, ratio_permille: Whole) -> None:
    """Counts a direct parcel by declared value over the duty threshold; like `Tally.add_declared`, inside kernels."""
    if sheets[_RECORDING] != 0:
        slot = min(max(ratio_permille // DECLARED_BIN_PERMILLE, 0), DECLARED_BINS - 1)
        sheets[sheets[_DECLARED] + country * DECLARED_BINS + slot] += 1


@njit(cache=True, error_model="numpy", _nrt=False)
def count_delivery(
    sheets: Sheets,
    daily: NDArray[np.int32],
    order_day: Whole,
    cell: Whole,
    direct: Whole,
    seconds: Whole,
    late: Whole,
) -> None:
    """Counts a parcel that reached its buyer; like `Tally.add_delivery`, inside kernels.

    In the histograms parcels of young cohorts are counted only by day.
    """
    count_cohort(sheets, DELIVERED, order_day, cell, np.int64(1))
    count_cohort(sheets, LATE, order_day, cell, late)
    count_cohort(sheets, TRANSIT, order_day, cell, seconds)
    count_cohort(sheets, DELIVERED_DIRECT, order_day, cell, direct)
    days = sheets[_DAYS]
    day = order_day - sheets[_FIRST_DAY]
    if day < 0 or day >= days:
        return
    third = cell % N_THIRDS
    category = cell // N_THIRDS % N_CATEGORIES
    channel = cell // _PER_CHANNEL % N_CHANNELS
    country = cell // _PER_COUNTRY
    slot = min(max(seconds // DELIVERY_BIN_SECONDS, 0), DELIVERY_BINS - 1)
    live = 1 if channel < SHELF else 0
    if live == 1 and daily.shape[0] > 0:
        daily[day, country, direct, slot] += 1
    if day + _DELIVERY_DAYS <= days:
        route = ((country * N_CHANNELS + channel) * 2 + direct) * DELIVERY_BINS + slot
        sheets[sheets[_DELIVERY] + route] += 1
        buyer = (((category * N_THIRDS + third) * 2 + live) * 2 + direct) * DELIVERY_BINS + slot
        sheets[sheets[_BUYER] + buyer] += 1


@njit(cache=True, _nrt=False)
def _scatter(target: I64, index: I64, amounts: I64) -> None:
    """Add amounts (n or one for all) at index, in place; target int64[m]."""
    step = 0 if amounts.size == 1 else 1
    for entry in range(index.size):
        target[index[entry]] += np.int64(amounts[entry * step])


@njit(cache=True, _nrt=False)
def _scatter_events(sheets: Sheets, measure: Whole, index: I64, amounts: I64) -> None:
    """One call of `count` for each entry; amounts n or one for all."""
    step = 0 if amounts.size == 1 else 1
    for entry in range(index.size):
        count(sheets, measure, index[entry], amounts[entry * step])


@njit(cache=True, _nrt=False)
def _scatter_cohort(sheets: Sheets, measure: Whole, order_days: I64, index: I64, amounts: I64) -> None:
    """One call of `count_cohort` for each entry; days and amounts n or one for all."""
    step = 0 if amounts.size == 1 else 1
    day_step = 0 if order_days.size == 1 else 1
    for entry in range(index.size):
        count_cohort(sheets, measure, order_days[entry * day_step], index[entry], amounts[entry * step])


@njit(cache=True, _nrt=False)
def _scatter_delivery(
    sheets: Sheets,
    daily: NDArray[np.int32],
    order_days: I64,
    index: I64,
    direct: I64,
    seconds: I64,
    late: I64,
) -> None:
    """One call of `count_delivery` for each entry."""
    for entry in range(index.size):
        count_delivery(sheets, daily, order_days[entry], index[entry], direct[entry], seconds[entry], late[entry])


@njit(cache=True, _nrt=False)
def _close(today: I64, totals: I64, matured: I64, daily: I64, age: int, slots: I64, slot_days: I64) -> None:
    """Fold today's event counts into the whole run's, matured and daily totals, and clear them.

    today, totals int64[cell, measure]; matured int64[cell, slot]; daily int64[country x channel, measure];
    age: days from today to the end of the run, today included.
    """
    for where in range(N_CELLS):
        place = where // _PER_CHANNEL
        found = np.int64(0)
        for measure in range(N_MEASURES):
            found |= today[where, measure]
        if found == 0:
            continue
        for measure in range(N_MEASURES):
            amount = today[where, measure]
            if amount != 0:
                totals[where, measure] += amount
                daily[place, measure] += amount
                for slot in range(slots.shape[1]):
                    if slots[measure, slot] >= 0 and slot_days[measure, slot] <= age:
                        matured[where, slots[measure, slot]] += amount
                today[where, measure] = 0


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
        sheets: the array of which most tables are parts, for kernels that call `count`, `count_cohort` and the like.
    """

    def __init__(
        self, first_day: int, days: int, streamers: int, merchants: int, languages: int, daily: bool = True
    ) -> None:
        self.first_day = first_day
        self.days = days
        self.languages = languages
        shapes: dict[int, tuple[int, ...]] = {
            # the measures of a cell lie side by side: what happens to an order is counted in several of them at once
            _TODAY: (N_CELLS, N_MEASURES),
            _TOTALS: (N_CELLS, N_MEASURES),
            _MATURED: (N_CELLS, _N_MATURED),
            _DAILY: (days, _PLACES, N_MEASURES),
            _STREAMER_TODAY: (len(StreamerMeasure), streamers),
            _MERCHANT: (len(MerchantMeasure), merchants * N_CHANNELS),
            _DECLARED: (N_COUNTRIES, DECLARED_BINS),
            _DELIVERY: (N_COUNTRIES, N_CHANNELS, 2, DELIVERY_BINS),
            _BUYER: (N_CATEGORIES, N_THIRDS, 2, 2, DELIVERY_BINS),
            _SLOT_OF: _SLOTS.shape,
            _DAYS_OF: _SLOT_DAYS.shape,
        }
        self.sheets: Sheets = np.zeros(_HEADER + sum(math.prod(shape) for shape in shapes.values()), np.int64)
        parts: dict[int, I64] = {}
        place = _HEADER
        for part, shape in shapes.items():
            self.sheets[part] = place
            parts[part] = self.sheets[place : place + math.prod(shape)].reshape(shape)
            place += math.prod(shape)
        self.sheets[[_FIRST_DAY, _DAYS, _STREAMERS, _MERCHANT_CELLS]] = (
            first_day, days, streamers, merchants * N_CHANNELS,
        )  # fmt: skip
        self.today, self.totals, self.matured = (parts[part].T for part in (_TODAY, _TOTALS, _MATURED))
        self._daily = parts[_DAILY]
        self.streamer_today, self.merchant = parts[_STREAMER_TODAY], parts[_MERCHANT]
        self.hist_declared, self.hist_delivery = parts[_DECLARED], parts[_DELIVERY]
        self.hist_delivery_buyer = parts[_BUYER]
        parts[_SLOT_OF][:], parts[_DAYS_OF][:] = _SLOTS, _SLOT_DAYS
        self.streamer = np.zeros((len(StreamerMeasure), streamers), dtype=np.int64)
        self.language = np.zeros((len(LanguageMeasure), languages * languages), dtype=np.int64)
        self.lane = np.zeros((len(LaneMeasure), N_LANES), dtype=np.int64)
        self.hist_delivery_daily = np.zeros((days if daily else 0, N_COUNTRIES, 2, DELIVERY_BINS), dtype=np.int32)

    @classmethod
    def silent(cls) -> Tally:
        """A tally of no reported days, which keeps nothing; for worlds without a record."""
        return cls(0, 0, 0, 0, 0, daily=False)

    @property
    def by_country(self) -> I64:
        """int64[measure, day, country x live]: totals by day, summed up anew."""
        days = self._daily.reshape(self.days, N_COUNTRIES, N_CHANNELS, N_MEASURES)
        shelf, live = days[:, :, SHELF:].sum(axis=2), days[:, :, :SHELF].sum(axis=2)
        return np.stack((shelf, live), axis=2).reshape(self.days, 2 * N_COUNTRIES, N_MEASURES).transpose(2, 0, 1)

    @property
    def by_channel(self) -> I64:
        """int64[measure, day, region x channel]: totals by day, summed up anew."""
        days = self._daily.reshape(self.days, N_COUNTRIES, N_CHANNELS * N_MEASURES)
        regions = np.zeros((self.days, N_REGIONS, N_CHANNELS * N_MEASURES), np.int64)
        for country, region in enumerate(REGION_OF_COUNTRY):
            regions[:, region] += days[:, country]
        return regions.reshape(self.days, N_REGION_CHANNELS, N_MEASURES).transpose(2, 0, 1)

    @property
    def recording(self) -> bool:
        """Whether the current day is a reported one; side tables count only then."""
        return bool(self.sheets[_RECORDING])

    def add(self, measure: Measure, cells: NDArray[np.integer] | int, amounts: NDArray[np.integer] | int = 1) -> None:
        """Count an event measure: today[measure, cells] += amounts. Amounts: one for all, or one per cell."""
        _scatter_events(self.sheets, int(measure), _array(cells), _array(amounts))

    def add_cohort(
        self,
        measure: Measure,
        order_day: NDArray[np.integer] | int,
        cells: NDArray[np.integer] | int,
        amounts: NDArray[np.integer] | int = 1,
    ) -> None:
        """Count a cohort measure on the day its order was placed (days since 2000-01-01; one for all, or per cell)."""
        _scatter_cohort(self.sheets, int(measure), _array(order_day), _array(cells), _array(amounts))

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
        _scatter_delivery(
            self.sheets, self.hist_delivery_daily, _array(order_day), _array(cells), _array(direct), _array(seconds),
            _array(late),
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

    def open_day(self, day: int) -> None:
        """Start a day (days since 2000-01-01): says whether it is a reported one."""
        self.sheets[_RECORDING] = self.first_day <= day < self.first_day + self.days

    def close_day(self, day: int) -> None:
        """Fold today's event counts into the totals and clear them; a warm-up day's counts are dropped."""
        position = day - self.first_day
        if 0 <= position < self.days:
            _close(
                self.today.T, self.totals.T, self.matured.T, self._daily[position], self.days - position, _SLOTS,
                _SLOT_DAYS,
            )  # fmt: skip
            self.streamer += self.streamer_today
        else:
            self.today[:] = 0
        self.streamer_today[:] = 0
