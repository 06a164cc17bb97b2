"""Dates, local time, days off, prayer, Ramadan, festivals and exchange rates."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pytest

from sim.calendar import Calendar, covered, date_of, day_of, last_known_rate
from sim.config.folders import data_folder
from sim.config.geography import Geography
from sim.config.quantity import load_group
from sim.errors import ConfigError
from sim.kinds import COUNTRIES, DAYPART_SECONDS, N_CATEGORIES, N_COUNTRIES


@dataclass(frozen=True)
class Source:
    geography: Geography
    calendar: Literal["real", "flat"] = "real"
    seed: int = 7
    first_day: date = date(2022, 10, 3)
    last_day: date = date(2023, 12, 31)


@pytest.fixture(scope="module")
def source() -> Source:
    return Source(load_group(data_folder("configs") / "geography" / "default.yaml", Geography))


@pytest.fixture(scope="module")
def calendar(source: Source) -> Calendar:
    return Calendar(source)


def days(start: date, end: date) -> range:
    return range(day_of(start), day_of(end) + 1)


YEAR = days(date(2023, 1, 1), date(2023, 12, 31))


def test_days_count_from_2000(calendar: Calendar) -> None:
    assert day_of(date(2000, 1, 1)) == 0
    assert date_of(day_of(date(2024, 2, 29))) == date(2024, 2, 29)
    parts = list(calendar.dayparts(YEAR[0]))
    assert [part.tick - YEAR[0] * 8 for part in parts] == [0, 1, 2, 3, 4, 5]
    assert parts[0].start == YEAR[0] * 86_400
    assert all(part.end - part.start == DAYPART_SECONDS for part in parts)
    assert parts[2].availability.shape == (N_COUNTRIES,)
    assert parts[2].availability.dtype == np.float32


def test_rows_are_read_only(calendar: Calendar) -> None:
    with pytest.raises(ValueError, match="read-only"):
        calendar.availability(YEAR[0])[0, 0] = 2.0


def test_an_ordinary_week_averages_one(calendar: Calendar) -> None:
    week = np.mean([calendar.availability(day) for day in days(date(2023, 2, 6), date(2023, 2, 12))], axis=(0, 2))
    vietnam = COUNTRIES.index("VN")
    assert week[vietnam] == pytest.approx(1.0, abs=0.01)
    assert week[COUNTRIES.index("SA")] < 0.99  # prayer takes its time


def test_evenings_are_busy_where_it_is_evening(calendar: Calendar) -> None:
    row = calendar.availability(day_of(date(2023, 2, 7)))
    assert row[COUNTRIES.index("DE")].argmax() == 4  # 16-20 UTC is 17-21 in Berlin
    assert row[COUNTRIES.index("ID")].argmax() == 3  # 12-16 UTC is 19-23 in Jakarta
    assert row[COUNTRIES.index("US")].argmax() == 0  # 0-4 UTC is 19-23 in New York the day before


def test_daylight_saving_moves_the_evening_by_an_hour(calendar: Calendar) -> None:
    winter, summer = (calendar.availability(day_of(day)) for day in (date(2023, 3, 22), date(2023, 3, 29)))
    berlin, saigon = COUNTRIES.index("DE"), COUNTRIES.index("VN")
    assert summer[berlin, 4] > winter[berlin, 4] + 0.1
    assert summer[berlin, 5] < winter[berlin, 5] - 0.1
    assert summer[saigon] == pytest.approx(winter[saigon], rel=1e-3)  # prayer times move a little


def test_weekends_differ_by_country(calendar: Calendar) -> None:
    friday, sunday = (calendar.day_off(day_of(day)) for day in (date(2023, 2, 10), date(2023, 2, 12)))
    saudi, germany = COUNTRIES.index("SA"), COUNTRIES.index("DE")
    assert friday[saudi]
    assert not sunday[saudi]
    assert not friday[germany]
    assert sunday[germany]


def test_public_holidays_are_days_off(calendar: Calendar) -> None:
    assert calendar.day_off(day_of(date(2023, 10, 3)))[COUNTRIES.index("DE")]
    assert not calendar.day_off(day_of(date(2023, 10, 3)))[COUNTRIES.index("FR")]
    assert calendar.day_off(day_of(date(2023, 7, 4)))[COUNTRIES.index("US")]


def test_ramadan_2023_runs_from_23_march_to_20_april(calendar: Calendar) -> None:
    fasting = [date_of(day) for day in YEAR if calendar.is_ramadan(day)]
    assert fasting[0] == date(2023, 3, 23)
    assert fasting[-1] == date(2023, 4, 20)
    assert len(fasting) == 29


def test_fasting_moves_attention_from_day_to_night_where_people_fast(calendar: Calendar) -> None:
    before, during = (calendar.availability(day_of(day)) for day in (date(2023, 3, 14), date(2023, 3, 28)))
    saudi, vietnam = COUNTRIES.index("SA"), COUNTRIES.index("VN")
    assert during[saudi, 2] < 0.75 * before[saudi, 2]  # 11-15 in Riyadh
    assert during[saudi, 4] > 1.1 * before[saudi, 4]  # 19-23
    assert during[vietnam] == pytest.approx(before[vietnam], rel=0.005)


def test_prayer_takes_time_only_where_muslims_are(source: Source) -> None:
    times = source.geography.times.model_copy(
        update={"muslim_share": {**source.geography.times.muslim_share, "PL": 0.0, "AE": 0.5}}
    )
    calendar = Calendar(replace(source, geography=source.geography.model_copy(update={"times": times})))
    shares = calendar.prayer_share(YEAR[100])
    assert (shares[COUNTRIES.index("PL")] == 0).all()
    assert 0 < shares[COUNTRIES.index("AE")].max() < 0.25
    assert shares[COUNTRIES.index("SA")].sum() * 4 == pytest.approx(0.93 * 145 / 60, rel=0.01)  # all five windows


def test_prayer_times_agree_with_the_almanac() -> None:
    from sim.calendar import _sun_table

    riyadh = _sun_table(24.7, 46.7, (18.0, 17.0))[0] + 180  # 1 January, UTC+3
    almanac = [
        5 * 60 + 13,
        11 * 60 + 56,
        14 * 60 + 58,
        17 * 60 + 15,
        18 * 60 + 33,
    ]  # published tables, in round figures
    assert riyadh == pytest.approx(almanac, abs=8)


@pytest.mark.parametrize(
    ("when", "name"),
    [
        (date(2023, 11, 11), "singles_day"),
        (date(2023, 11, 24), "black_friday"),
        (date(2022, 11, 25), "black_friday"),
        (date(2023, 1, 22), "lunar_new_year"),
        (date(2023, 4, 21), "eid_al_fitr"),
        (date(2023, 6, 28), "eid_al_adha"),
        (date(2023, 4, 13), "songkran"),
        (date(2023, 12, 25), "christmas"),
    ],
)
def test_festivals_fall_on_their_dates(calendar: Calendar, when: date, name: str) -> None:
    assert name in calendar.festivals(day_of(when))


def test_gifts_are_needed_before_christmas_and_nothing_is_sold_by_the_calendar(calendar: Calendar) -> None:
    early, late = (calendar.need_factor(day_of(day)) for day in (date(2023, 11, 1), date(2023, 12, 10)))
    assert early.shape == (N_COUNTRIES, N_CATEGORIES)
    assert late[COUNTRIES.index("DE"), 6] > 1.4 * early[COUNTRIES.index("DE"), 6]
    assert late[COUNTRIES.index("SA"), 6] == pytest.approx(early[COUNTRIES.index("SA"), 6], rel=0.02)


def test_seasons_are_turned_in_the_south_and_average_one(source: Source) -> None:
    times = source.geography.times.model_copy(update={"festivals": {}})
    calendar = Calendar(replace(source, geography=source.geography.model_copy(update={"times": times})))
    year = np.array([calendar.need_factor(day) for day in YEAR])
    assert year.mean(axis=0) == pytest.approx(np.ones((N_COUNTRIES, N_CATEGORIES)), abs=0.01)
    north, south = year[:, COUNTRIES.index("DE"), 7], year[:, COUNTRIES.index("ZA"), 7]
    assert np.corrcoef(north, south)[0, 1] < -0.8
    assert (year[:, COUNTRIES.index("SG")] == 1).all()


def test_campaigns_lie_between_zero_and_one(calendar: Calendar) -> None:
    year = np.array([calendar.campaign(day) for day in YEAR])
    assert year.min() == 0
    assert year.max() == 1
    assert 0 < year.mean() < 0.1


def test_the_flat_calendar_is_flat(source: Source) -> None:
    flat = Calendar(replace(source, calendar="flat"))
    first = flat.availability(YEAR[0])
    for day in (*YEAR[::17], *days(date(2022, 10, 3), date(2022, 10, 10))):
        assert (flat.availability(day) == first).all()
        assert (flat.prayer_share(day) == flat.prayer_share(YEAR[0])).all()
        assert (flat.need_factor(day) == 1).all()
        assert (flat.campaign(day) == 0).all()
        assert (flat.fx(day) == flat.fx(YEAR[0])).all()
        assert not flat.day_off(day).any()
        assert not flat.is_ramadan(day)
        assert flat.festivals(day) == ()
    assert not flat.flagged
    assert first[COUNTRIES.index("VN")].mean() == pytest.approx(1.0, abs=0.005)


def test_pegs_and_the_dollar_do_not_move(calendar: Calendar) -> None:
    rates = np.array([calendar.fx(day) for day in YEAR])
    assert (rates[:, COUNTRIES.index("US")] == 1).all()
    assert (rates[:, COUNTRIES.index("SA")] == 3.75).all()
    assert (rates[:, COUNTRIES.index("AE")] == 3.6725).all()


def test_rates_are_the_ecbs(calendar: Calendar, source: Source) -> None:
    rates = np.array([calendar.fx(day) for day in YEAR])
    for index, country in enumerate(COUNTRIES):
        assert rates[:, index].mean() == pytest.approx(source.geography.per_usd_2023[country], rel=0.004), country
    assert calendar.fx(day_of(date(2023, 7, 3)))[COUNTRIES.index("DE")] == pytest.approx(1 / 1.0899)  # 3 July 2023
    weekend = calendar.fx(day_of(date(2023, 7, 9)))
    assert (weekend == calendar.fx(day_of(date(2023, 7, 7)))).all()
    assert not calendar.flagged


def test_beyond_the_data_rates_walk_flagged_and_reproducible(source: Source) -> None:
    last = last_known_rate()
    late = replace(source, first_day=last + timedelta(days=400), last_day=last + timedelta(days=800))
    one, again = Calendar(late), Calendar(replace(late, first_day=last, last_day=last + timedelta(days=900)))
    other = Calendar(replace(late, seed=8))
    assert one.flagged
    day = day_of(last) + 500
    assert one.fx_walked(day)
    assert not one.fx_walked(day_of(last))
    assert (one.fx(day) == again.fx(day)).all()
    germany, saudi = COUNTRIES.index("DE"), COUNTRIES.index("SA")
    assert one.fx(day)[germany] != other.fx(day)[germany]
    assert one.fx(day)[saudi] == 3.75
    before, after = one.fx(day_of(last))[germany], one.fx(day_of(last) + 1)[germany]
    assert before == other.fx(day_of(last))[germany]
    assert abs(after / before - 1) < 6 * 0.075 / 365**0.5  # a sum of twelve uniforms is at most six sigma


def test_the_walk_is_registered_among_the_purposes_of_chance() -> None:
    from sim.calendar import FX_PURPOSE
    from sim.draws import Purpose

    assert Purpose.FX_STEP == FX_PURPOSE


def test_the_walk_has_its_volatility(source: Source) -> None:
    last = last_known_rate()
    calendar = Calendar(replace(source, first_day=last, last_day=last + timedelta(days=3000)))
    path = np.array([calendar.fx(day)[COUNTRIES.index("BR")] for day in range(day_of(last), day_of(last) + 3000)])
    yearly = np.diff(np.log(path)).std() * 365**0.5
    assert yearly == pytest.approx(0.158, rel=0.07)  # standard error 1.3 %: five sigma


def test_a_run_outside_the_tables_is_refused(source: Source) -> None:
    first, last = covered()
    with pytest.raises(ConfigError, match=str(last)):
        Calendar(replace(source, last_day=last + timedelta(days=1)))
    with pytest.raises(ConfigError, match="start_date"):
        Calendar(replace(source, first_day=first - timedelta(days=1)))
    for edge in (first, last):
        calendar = Calendar(replace(source, first_day=edge, last_day=edge))
        assert np.isfinite(calendar.availability(day_of(edge))).all()
        assert (calendar.fx(day_of(edge)) > 0).all()


def test_a_year_and_a_quarter_takes_no_time(source: Source) -> None:
    list(Calendar(source).dayparts(YEAR[0]))  # imports and sun tables
    start = time.perf_counter()
    calendar = Calendar(source)
    for day in days(source.first_day, source.last_day):
        list(calendar.dayparts(day))
    assert time.perf_counter() - start < 1.0  # about 0.1 s alone on a machine
