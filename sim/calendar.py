"""Dates, dayparts, local time, days off, prayer and fasting, seasons, festivals and exchange rates.

Days count from 2000-01-01 (day 0, UTC); a daypart is four UTC hours, a tick `day * 8 + daypart`. The calendar says how
much free attention a country has, how fast needs come back and where platforms run sales; it never touches a sale.
Everything is computed once per calendar year, when first asked for, and handed out as read-only rows.

Approximations, each small against the assumed profiles: half-hour slots; one UTC offset per zone and day (that of noon
UTC); one place per country for the sun; sun times interpolated between every fourteenth day of 2023, in minutes.
"""

from __future__ import annotations

import functools
import math
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sim.config.geography import Geography
from sim.config.times import HOURS, PRAYERS, Times
from sim.errors import ConfigError, Fault
from sim.kinds import (
    CATEGORIES,
    COUNTRIES,
    DAY_SECONDS,
    DAYPART_SECONDS,
    DAYPARTS,
    N_CATEGORIES,
    N_COUNTRIES,
    REGION_OF_COUNTRY,
    REGIONS,
)

EPOCH = date(2000, 1, 1)
FIRST_DATE = EPOCH
LAST_DATE = date(2053, 12, 31)  # the Vietnamese lunar table of `holidays` ends; the Hijri tables go on to 2077
FX_PURPOSE = 300
ORIGIN_CURRENCY = "CNY"

_NOON = datetime(2000, 1, 1, 12, tzinfo=UTC)
_SLOTS = 48  # half hours of a day
_SLOT_MINUTES = 30
_SLOTS_PER_DAYPART = _SLOTS // DAYPARTS
_PADDING = 2  # local days before and after the year that UTC days may reach into
_SUN_STEP = 14  # days between computed sun times
_SUN_YEAR = 2023
_TWILIGHT_MINUTES = 90.0  # where the sun never sinks to the twilight angle, or sinks to it after midnight
_LONGEST_TWILIGHT = 150.0
_WALK_DAYS = 365.0  # the walk moves on every day of the week

type Floats = npt.NDArray[np.float64]
type Row = npt.NDArray[np.float32]


class CalendarSource(Protocol):
    """What the calendar needs of a run's configuration."""

    @property
    def geography(self) -> Geography:
        """The countries."""

    @property
    def calendar(self) -> Literal["real", "flat"]:
        """Which calendar holds."""

    @property
    def seed(self) -> int:
        """The run's seed; only the walk of exchange rates beyond the data uses it."""

    @property
    def first_day(self) -> date:
        """The first simulated date, warm-up included."""

    @property
    def last_day(self) -> date:
        """The last simulated date."""


@dataclass(frozen=True, slots=True)
class Daypart:
    """One sixth of a UTC day. `start`, `end`: seconds since 2000-01-01; `availability`: float32[C], 1 = average."""

    day: int
    index: int
    tick: int
    start: int
    end: int
    availability: Row


@dataclass(frozen=True, slots=True)
class _Year:
    """Tables of one calendar year; the first axis is the day of the year."""

    first: int  # day number of January 1
    availability: Row  # [days, C, 6]
    prayer: Row  # [days, C, 6]
    need: Row  # [days, C, K]
    campaign: Row  # [days, C]
    day_off: npt.NDArray[np.bool_]  # [days, C]
    fasting: npt.NDArray[np.bool_]  # [days]
    festivals: dict[int, tuple[str, ...]]
    fx: Floats  # [days, C + 1], the last column is the origin's currency
    walked: npt.NDArray[np.bool_]  # [days]


def covered() -> tuple[date, date]:
    """The first and last date the calendar tables (holidays, Hijri) know; exchange rates go on as a walk."""
    return FIRST_DATE, LAST_DATE


def day_of(when: date) -> int:
    """Days from 2000-01-01 to a date."""
    return (when - EPOCH).days


def date_of(day: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=day)


class Calendar:
    """The calendar of one run.

    `calendar=flat` is a world at rest: every day is the mean of an ordinary week (five working days and two days off
    mixed), with January's UTC offsets, the sun of an equinox, no holidays, fasting, seasons, festivals or sales, and
    every exchange rate at its 2023 mean. Prayer windows stay. Raises `ConfigError` when the run leaves `covered()`.
    """

    def __init__(self, cfg: CalendarSource) -> None:
        first, last = covered()
        if cfg.first_day < first or cfg.last_day > last:
            raise ConfigError(
                Fault(
                    "configuration",
                    "start_date",
                    f"the run from {cfg.first_day} (warm-up included) to {cfg.last_day} leaves the calendar tables",
                    f"{first} to {last}",
                )
            )
        self._geography = cfg.geography
        self._times = cfg.geography.times
        self._flat = cfg.calendar == "flat"
        self._seed = cfg.seed
        self._years: dict[int, _Year] = {}
        self._year = _NO_YEAR
        self._first, self._last = cfg.first_day, cfg.last_day

    @property
    def flagged(self) -> bool:
        """Whether some day of the run lies beyond the last known exchange rate, so that rates are a random walk."""
        return not self._flat and self._last > last_known_rate()

    def dayparts(self, day: int) -> Iterator[Daypart]:
        """The six dayparts of a day, in order."""
        rows = self.availability(day)
        for index in range(DAYPARTS):
            start = day * DAY_SECONDS + index * DAYPART_SECONDS
            yield Daypart(day, index, day * 8 + index, start, start + DAYPART_SECONDS, rows[:, index])

    def availability(self, day: int) -> Row:
        """float32[C, 6]: free attention by country and UTC daypart, relative to the mean of an ordinary week.

        Local hourly profiles of working days and days off, less prayer windows and fasting, times festivals, integrated
        over the country's time zones.
        """
        year = self._tables(day)
        row: Row = year.availability[day - year.first]
        return row

    def prayer_share(self, day: int) -> Row:
        """float32[C, 6]: share of the daypart's person-time in a prayer window: Muslim share x time covered."""
        year = self._tables(day)
        row: Row = year.prayer[day - year.first]
        return row

    def need_factor(self, day: int) -> Row:
        """float32[C, K]: relative speed at which needs come back: season x festivals."""
        year = self._tables(day)
        row: Row = year.need[day - year.first]
        return row

    def campaign(self, day: int) -> Row:
        """float32[C]: 0-1, how far platforms run a sale."""
        year = self._tables(day)
        row: Row = year.campaign[day - year.first]
        return row

    def day_off(self, day: int) -> npt.NDArray[np.bool_]:
        """bool[C]: weekend or public holiday, by local date (all False on the flat calendar)."""
        year = self._tables(day)
        row: npt.NDArray[np.bool_] = year.day_off[day - year.first]
        return row

    def is_ramadan(self, day: int) -> bool:
        """Whether the day is a fasting day (Umm al-Qura calendar)."""
        year = self._tables(day)
        return bool(year.fasting[day - year.first])

    def festivals(self, day: int) -> tuple[str, ...]:
        """Names of the festivals kept somewhere on this day."""
        return self._tables(day).festivals.get(day, ())

    def fx(self, day: int) -> Floats:
        """float64[C]: local currency units per USD."""
        year = self._tables(day)
        return year.fx[day - year.first, :N_COUNTRIES]

    def fx_origin(self, day: int) -> float:
        """Yuan per USD."""
        year = self._tables(day)
        return float(year.fx[day - year.first, N_COUNTRIES])

    def fx_walked(self, day: int) -> bool:
        """Whether the day's exchange rates are a random walk beyond the last known rate."""
        year = self._tables(day)
        return bool(year.walked[day - year.first])

    def _tables(self, day: int) -> _Year:
        year = self._year
        offset = day - year.first
        if 0 <= offset < len(year.fasting):
            return year
        number = date_of(day).year
        if number not in self._years:
            self._years[number] = _build(number, self._geography, self._flat, self._seed)
        self._year = self._years[number]
        return self._year


def _empty_year() -> _Year:
    rows = np.zeros((0, N_COUNTRIES, DAYPARTS), dtype=np.float32)
    flags = np.zeros(0, dtype=np.bool_)
    needs = np.zeros((0, N_COUNTRIES, N_CATEGORIES), dtype=np.float32)
    countries = np.zeros((0, N_COUNTRIES), dtype=np.float32)
    return _Year(0, rows, rows, needs, countries, countries > 0, flags, {}, np.zeros((0, N_COUNTRIES + 1)), flags)


_NO_YEAR = _empty_year()


def _build(number: int, geography: Geography, flat: bool, seed: int) -> _Year:
    """All tables of one calendar year."""
    times = geography.times
    first = day_of(date(number, 1, 1))
    days = day_of(date(number + 1, 1, 1)) - first
    local_days = range(first - _PADDING, first + days + _PADDING)
    offsets = _offsets(times, first, days, flat)
    free = np.ones((len(local_days), N_COUNTRIES)) if flat else _day_off_share(times, local_days)
    fasting = np.zeros(len(local_days), dtype=np.bool_) if flat else _fasting_days(local_days)
    kept = {} if flat else _festival_days(times, local_days)

    profile = _profiles(times, free, flat)
    suns = _local_suns(times, local_days, offsets, first, days, flat)
    praying = _windows(suns, np.asarray(times.prayer_minutes))
    muslims = np.array([times.muslim_share[c] for c in COUNTRIES])[:, None]
    fasters = muslims * times.fasting_share
    local = profile * (1.0 - muslims * times.prayer_observance * praying)
    if fasting.any():
        daylight = _between(suns[fasting, :, 0], suns[fasting, :, 3])
        attention = daylight * times.fasting_day + (1.0 - daylight) * times.fasting_night
        local[fasting] *= 1.0 - fasters + fasters * attention
    need = _needs(times, local_days, flat)
    campaign = np.zeros((len(local_days), N_COUNTRIES))
    names: dict[int, tuple[str, ...]] = {}
    for name, (position, rows, needs) in kept.items():
        festival = times.festivals[name]
        members = _members(festival.countries)
        local[np.ix_(rows, members)] *= festival.availability
        campaign[np.ix_(rows, members)] = np.maximum(campaign[np.ix_(rows, members)], festival.campaign)
        for category, factor in festival.need.items():
            need[np.ix_(needs, members, [CATEGORIES.index(category)])] *= factor
        for row in position:
            names[local_days[row]] = (*names.get(local_days[row], ()), name)

    inside = slice(_PADDING, _PADDING + days)
    weights = [list(times.zones[c].values()) for c in COUNTRIES]
    muslim_time = praying * muslims
    off = np.zeros((days, N_COUNTRIES), dtype=np.bool_) if flat else free[inside] > 0.5
    off.setflags(write=False)
    fx, walked = _fx(number, geography, flat, seed, days)
    return _Year(
        first,
        _frozen(_to_utc(local, offsets, weights, days)),
        _frozen(_to_utc(muslim_time, offsets, weights, days)),
        _frozen(need[inside]),
        _frozen(campaign[inside]),
        off,
        fasting[inside],
        names,
        fx,
        walked,
    )


def _frozen(values: Floats) -> Row:
    rows = values.astype(np.float32)
    rows.setflags(write=False)
    return rows


def _members(names: tuple[str, ...]) -> list[int]:
    """Country indices a festival's list of codes and regions stands for."""
    return [
        index
        for index, country in enumerate(COUNTRIES)
        if "all" in names or country in names or REGIONS[REGION_OF_COUNTRY[index]] in names
    ]


def _offsets(times: Times, first: int, days: int, flat: bool) -> list[npt.NDArray[np.int64]]:
    """Per country int64[zones, days]: half-hour slots that local time is ahead of UTC at noon UTC."""
    result = []
    for country in COUNTRIES:
        rows = []
        for name in times.zones[country]:
            zone = ZoneInfo(name)
            if flat:
                rows.append(np.full(days, _slots_ahead(zone, day_of(date(_SUN_YEAR, 1, 15)))))
            else:
                rows.append(_zone_year(zone, first, days))
        result.append(np.array(rows, dtype=np.int64))
    return result


def _zone_year(zone: ZoneInfo, first: int, days: int) -> npt.NDArray[np.int64]:
    """int64[days] of `_slots_ahead`; looks day by day only where two points two weeks apart differ."""
    ahead = np.empty(days, dtype=np.int64)
    low = _slots_ahead(zone, first)
    for start in range(0, days, 14):
        end = min(start + 14, days)
        high = _slots_ahead(zone, first + end)
        if high == low:
            ahead[start:end] = low
        else:
            ahead[start:end] = [_slots_ahead(zone, first + index) for index in range(start, end)]
        low = high
    return ahead


def _slots_ahead(zone: ZoneInfo, day: int) -> int:
    ahead = (_NOON + timedelta(days=day)).astimezone(zone).utcoffset()
    assert ahead is not None
    return round(ahead.total_seconds() / 60 / _SLOT_MINUTES)


def _day_off_share(times: Times, local_days: range) -> Floats:
    """float64[days, C]: share of people off on the local date: 1 at weekends, `holiday_off` on public holidays."""
    weekdays = np.array([date_of(day).weekday() for day in local_days])
    free = np.zeros((len(local_days), N_COUNTRIES))
    dates = {date_of(day): row for row, day in enumerate(local_days)}
    years = sorted({when.year for when in dates})
    for index, country in enumerate(COUNTRIES):
        free[:, index] = np.isin(weekdays, times.weekend_days[country])
        for year in years:
            for when in _public_holidays(country, year):
                row = dates.get(when)
                if row is not None:
                    free[row, index] = max(free[row, index], times.holiday_off)
    return free


@functools.cache
def _public_holidays(country: str, year: int) -> tuple[date, ...]:
    import holidays

    return tuple(sorted(holidays.country_holidays(country, years=year)))


def _fasting_days(local_days: range) -> npt.NDArray[np.bool_]:
    fasting = np.zeros(len(local_days), dtype=np.bool_)
    for start, end in _ramadans(local_days):
        fasting[max(start - local_days[0], 0) : max(end - local_days[0], 0)] = True
    return fasting


def _ramadans(local_days: range) -> list[tuple[int, int]]:
    """First day of each Ramadan near the range, and the day after its last."""
    from hijridate import Gregorian, Hijri

    year = Gregorian.fromdate(date_of(max(local_days[0], 0))).to_hijri().year
    return [
        (day_of(_plain(Hijri(number, 9, 1).to_gregorian())), day_of(_plain(Hijri(number, 10, 1).to_gregorian())))
        for number in range(year - 1, year + 3)
    ]


def _plain(when: date) -> date:
    return date(when.year, when.month, when.day)


def _festival_days(times: Times, local_days: range) -> dict[str, tuple[list[int], list[int], list[int]]]:
    """By name: rows of the festival's days, the same again for tables, and rows on which its needs run."""
    found: dict[str, tuple[list[int], list[int], list[int]]] = {}
    for name, festival in times.festivals.items():
        on_days: set[int] = set()
        need_days: set[int] = set()
        for year in range(date_of(local_days[0]).year - 1, date_of(local_days[-1]).year + 2):
            for when in _festival_dates(festival.when, year):
                day = day_of(when)
                on_days.update(range(day + festival.first, day + festival.last + 1))
                need_days.update(range(day - festival.need_lead, day + festival.last + 1))
        rows = sorted(day - local_days[0] for day in on_days if day in local_days)
        needs = sorted(day - local_days[0] for day in need_days if day in local_days)
        if rows or needs:
            found[name] = (rows, rows, needs if festival.need else [])
    return found


@functools.cache
def _festival_dates(when: str, year: int) -> tuple[date, ...]:
    """The dates of a festival's rule in a Gregorian year (a Hijri date may fall twice, or not at all)."""
    if when == "black_friday":
        november = date(year, 11, 1)
        return (november + timedelta(days=(3 - november.weekday()) % 7 + 22),)
    if when == "lunar_new_year":
        import holidays

        table = holidays.country_holidays("SG", years=year, language="en_US")
        named = [day for day in sorted(table) if table[day].startswith("Chinese New Year")]
        return tuple(named[:1])
    if when.startswith("hijri "):
        from hijridate import Gregorian, Hijri

        month, day = (int(part) for part in when.removeprefix("hijri ").split("-"))
        hijri = Gregorian(year, 1, 1).to_hijri().year
        dates = (_plain(Hijri(number, month, day).to_gregorian()) for number in (hijri, hijri + 1))
        return tuple(found for found in dates if found.year == year)
    month, day = (int(part) for part in when.split("-"))
    return (date(year, month, day),)


def _profiles(times: Times, free: Floats, flat: bool) -> Floats:
    """float64[days, C, 48]: attention by local half hour, mean 1 over an ordinary week without prayer."""
    repeat = _SLOTS // HOURS
    work = np.repeat(np.asarray(times.weekday), repeat)
    rest = np.repeat(np.asarray(times.weekend), repeat)
    week = (5.0 * work + 2.0 * rest) / 7.0
    if flat:
        return np.broadcast_to(week / week.mean(), (*free.shape, _SLOTS)).copy()
    mixed: Floats = (free[:, :, None] * rest + (1.0 - free[:, :, None]) * work) / week.mean()
    return mixed


def _needs(times: Times, local_days: range, flat: bool) -> Floats:
    """float64[days, C, K]: season factor, between mid-months in a straight line."""
    need = np.ones((len(local_days), N_COUNTRIES, N_CATEGORIES))
    if flat:
        return need
    dates = [date_of(day) for day in local_days]
    place = np.array([when.month - 1 + (when.day - 15) / 30.5 for when in dates]) % 12.0
    north, south = _seasons(times, place), _seasons(times, (place + 6.0) % 12.0)
    for index, country in enumerate(COUNTRIES):
        strength = times.season_strength[country]
        season = north if strength >= 0.0 else south
        need[:, index, :] = 1.0 + abs(strength) * (season - 1.0)
    return need


def _seasons(times: Times, place: Floats) -> Floats:
    below = place.astype(np.int64) % 12
    weight = (place - np.floor(place))[:, None]
    months = np.array([times.season[c] for c in CATEGORIES]).T
    result: Floats = months[below] * (1.0 - weight) + months[(below + 1) % 12] * weight
    return result


def _local_suns(
    times: Times, local_days: range, offsets: list[npt.NDArray[np.int64]], first: int, days: int, flat: bool
) -> Floats:
    """float64[days, C, 5]: local minute at which each prayer begins, in the country's most populous zone."""
    equinox = date(_SUN_YEAR, 3, 20).timetuple().tm_yday - 1
    of_year = np.array([date_of(day).timetuple().tm_yday - 1 for day in local_days], dtype=np.float64)
    if flat:
        of_year[:] = equinox
    rows = np.clip(np.arange(len(local_days)) - _PADDING, 0, days - 1)
    result = np.empty((len(local_days), N_COUNTRIES, len(PRAYERS)))
    nodes = np.arange(0, 365 + _SUN_STEP, _SUN_STEP, dtype=np.float64)
    for index, country in enumerate(COUNTRIES):
        latitude, longitude = times.prayer_place[country]
        suns = _sun_table(latitude, longitude, times.twilight)
        weights = list(times.zones[country].values())
        ahead = offsets[index][weights.index(max(weights))][rows] * _SLOT_MINUTES
        for prayer in range(len(PRAYERS)):
            result[:, index, prayer] = np.rint(np.interp(of_year, nodes, suns[:, prayer])) + ahead
    return result


@functools.cache
def _sun_table(latitude: float, longitude: float, twilight: tuple[float, float]) -> Floats:
    """float64[nodes, 5]: minutes after 00:00 UTC of the local date at which each prayer begins, every fourteenth day.

    Dawn and nightfall at the twilight angles, noon, shadow one length longer than at noon, sunset (astral's sun).
    """
    from astral import Observer, SunDirection
    from astral.sun import noon, sunset, time_at_elevation

    place = Observer(latitude, longitude)
    hours = round(longitude / 15.0)  # a clock near the sun's, since astral looks for a time within the clock's date
    clock = timezone(timedelta(hours=hours))
    nodes = range(0, 365 + _SUN_STEP, _SUN_STEP)
    table = np.empty((len(nodes), len(PRAYERS)))
    for row, of_year in enumerate(nodes):
        when = date(_SUN_YEAR, 1, 1) + timedelta(days=of_year % 365)
        middle = _minutes(noon(place, when, clock))
        declination = -23.44 * math.cos(math.radians(360.0 / 365.0 * (of_year + 10)))
        shadow = 1.0 + math.tan(math.radians(abs(latitude - declination)))
        height = math.degrees(math.atan(1.0 / shadow))
        down = _minutes(sunset(place, when, clock))
        rise = 2.0 * middle - down
        afternoon = _minutes(time_at_elevation(place, height, when, SunDirection.SETTING, clock))
        try:
            dawn = _minutes(time_at_elevation(place, -twilight[0], when, SunDirection.RISING, clock))
        except ValueError:
            dawn = np.inf
        try:
            night = _minutes(time_at_elevation(place, -twilight[1], when, SunDirection.SETTING, clock))
        except ValueError:
            night = -np.inf
        if not 0.0 < rise - dawn < _LONGEST_TWILIGHT:
            dawn = rise - _TWILIGHT_MINUTES
        if not 0.0 < night - down < _LONGEST_TWILIGHT:
            night = down + _TWILIGHT_MINUTES
        table[row] = np.array([dawn, middle, afternoon, down, night]) - hours * 60.0
    return table


def _minutes(when: datetime) -> float:
    return when.hour * 60.0 + when.minute + when.second / 60.0


def _windows(starts: Floats, lengths: Floats) -> Floats:
    """float64[days, C, 48]: share of each local half hour inside a window of the given start and length (minutes)."""
    days, countries = np.indices(starts.shape[:2])
    covered_share = np.zeros((*starts.shape[:2], _SLOTS))
    for prayer, length in enumerate(lengths):
        start = starts[:, :, prayer]
        place = np.floor(start / _SLOT_MINUTES)
        for step in range(math.ceil(length / _SLOT_MINUTES) + 1):
            edge = (place + step) * _SLOT_MINUTES
            inside = np.minimum(edge + _SLOT_MINUTES, start + length) - np.maximum(edge, start)
            slot = (place + step).astype(np.int64) % _SLOTS
            covered_share[days, countries, slot] += np.maximum(inside, 0.0) / _SLOT_MINUTES
    return np.minimum(covered_share, 1.0)


def _between(start: Floats, end: Floats) -> Floats:
    """float64[days, C, 48]: share of each local half hour between two minutes; a span over midnight wraps."""
    edges = np.arange(_SLOTS) * float(_SLOT_MINUTES)
    total = np.zeros((*start.shape, _SLOTS))
    for shift in (-1440.0, 0.0, 1440.0):
        low = np.maximum(edges, (start + shift)[:, :, None])
        high = np.minimum(edges + _SLOT_MINUTES, (end + shift)[:, :, None])
        total += np.maximum(high - low, 0.0)
    return np.minimum(total / _SLOT_MINUTES, 1.0)


def _to_utc(local: Floats, offsets: list[npt.NDArray[np.int64]], weights: list[list[float]], days: int) -> Floats:
    """float64[days, C, 6]: a table over local half hours as seen by the UTC clock, over zones by population."""
    result = np.zeros((days, N_COUNTRIES, DAYPARTS))
    slots = np.arange(_SLOTS)
    start = (np.arange(days) + _PADDING) * _SLOTS
    for index in range(N_COUNTRIES):
        line = np.ascontiguousarray(local[:, index, :]).reshape(-1)
        for ahead, weight in zip(offsets[index], weights[index], strict=True):
            places = (start + ahead)[:, None] + slots
            result[:, index, :] += weight * line[places].reshape(days, DAYPARTS, _SLOTS_PER_DAYPART).mean(axis=2)
    return result


@functools.cache
def _ecb_lines() -> tuple[tuple[str, ...], Mapping[int, tuple[str, ...]]]:
    """Column names and, by year, the lines in rising order of date, of the ECB file in `currency_converter`."""
    import currency_converter

    with zipfile.ZipFile(Path(currency_converter.__file__).parent / "eurofxref-hist.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode("ascii")
    header, *lines = text.splitlines()
    by_year: dict[int, list[str]] = {}
    for line in sorted(line for line in lines if line):
        by_year.setdefault(int(line[:4]), []).append(line)
    return tuple(header.split(",")), {year: tuple(found) for year, found in by_year.items()}


def last_known_rate() -> date:
    """The last date of the ECB reference rates at hand."""
    by_year = _ecb_lines()[1]
    return date.fromisoformat(by_year[max(by_year)][-1][:10])


@functools.cache
def _ecb_year(year: int) -> tuple[npt.NDArray[np.int64], dict[str, Floats]]:
    """Day numbers of a year's quotations, and by currency its units per USD on them (nan: not quoted)."""
    header, by_year = _ecb_lines()
    cells = [line.split(",") for line in by_year.get(year, ())]
    days = np.array([day_of(date.fromisoformat(row[0])) for row in cells], dtype=np.int64)
    table = np.array(
        [[float(cell) if cell not in ("N/A", "") else np.nan for cell in row[1 : len(header)]] for row in cells]
    ).reshape(len(cells), -1)
    usd = table[:, header.index("USD") - 1] if cells else np.zeros(0)
    rates = {name: table[:, column] / usd for column, name in enumerate(header[1:]) if name and cells}
    rates["EUR"] = 1.0 / usd
    return days, rates


def _fx(number: int, geography: Geography, flat: bool, seed: int, days: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """float64[days, C + 1] units per USD, and on which days they are a walk."""
    first = day_of(date(number, 1, 1))
    numbers = np.arange(first, first + days)
    level = {geography.currency[c]: geography.per_usd_2023[c] for c in COUNTRIES}
    walked = numbers > day_of(last_known_rate()) if not flat else np.zeros(days, dtype=np.bool_)
    table = np.empty((days, N_COUNTRIES + 1))
    for index, code in enumerate((*(geography.currency[c] for c in COUNTRIES), ORIGIN_CURRENCY)):
        if code == "USD":
            table[:, index] = 1.0
        elif code in geography.peg:
            table[:, index] = geography.peg[code]
        elif flat:
            table[:, index] = level.get(code) or _mean_2023(code)
        elif code in geography.follows:
            leader = geography.follows[code]
            table[:, index] = level[code] * _rates(leader, number, numbers, geography, seed) / _mean_2023(leader)
        else:
            table[:, index] = _rates(code, number, numbers, geography, seed)
    table.setflags(write=False)
    return table, walked


def _mean_2023(code: str) -> float:
    return float(np.nanmean(_ecb_year(2023)[1][code]))


def _quoted(code: str, year: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Days and rates of the year on which the ECB quotes the currency."""
    days, rates = _ecb_year(year)
    values = rates.get(code, np.full(len(days), np.nan))
    known = np.isfinite(values)
    return days[known], values[known]


def _rates(code: str, year: int, numbers: npt.NDArray[np.int64], geography: Geography, seed: int) -> Floats:
    """Units per USD on the days of a year: the last quoted rate, and beyond the last one a random walk.

    Before a currency's first quotation its first rate holds.
    """
    last = last_known_rate()
    parts = [_quoted(code, number) for number in (min(year, last.year) - 1, min(year, last.year))]
    days, rates = (np.concatenate([part[index] for part in parts]) for index in range(2))
    later = year
    while not len(days):
        later += 1
        days, rates = _quoted(code, later)
    known: Floats = rates[np.clip(np.searchsorted(days, numbers, side="right") - 1, 0, None)]
    end = day_of(last)
    if numbers[-1] <= end:
        return known
    sigma = geography.fx_volatility[code] / np.sqrt(_WALK_DAYS)
    years = range(last.year, year + 1)
    moves = 1.0 + sigma * np.concatenate([_steps(seed, code, number) for number in years])
    start = day_of(date(last.year, 1, 1))
    moves[: end + 1 - start] = 1.0
    path = rates[-1] * np.cumprod(moves)
    beyond = numbers > end
    known[beyond] = path[numbers[beyond] - start]
    return known


@functools.cache
def _steps(seed: int, code: str, year: int) -> Floats:
    """One step of unit variance for every day of a year, by seed, currency and date; at most 6 in size.

    Sums of twelve uniforms, because they need no logarithm and so are the same bits on every machine.
    """
    name = int.from_bytes(code.encode("ascii"), "big")
    source = np.random.Generator(np.random.Philox(key=[seed, FX_PURPOSE], counter=[0, year, name, 0]))
    days = day_of(date(year + 1, 1, 1)) - day_of(date(year, 1, 1))
    steps: Floats = source.random((days, 12)).sum(axis=1) - 6.0
    return steps
