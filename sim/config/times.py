"""Local hours, prayer and fasting, seasons and festivals: the `times` part of the geography group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import CATEGORIES, COUNTRIES, REGIONS

HOURS = 24
PRAYERS = ("fajr", "dhuhr", "asr", "maghrib", "isha")
_WHEN = re.compile(r"^(?:(?:hijri )?[01]\d-[0-3]\d|black_friday|lunar_new_year)$")


class Festival(Group):
    """A yearly festival: what it does to time, needs and sales campaigns on its days.

    `when` names its date ("11-11", "hijri 09-01", "black_friday", "lunar_new_year"); `first` and `last` are its days
    after that date; `countries` holds country codes, region names or "all"; `availability` multiplies free attention;
    `need` multiplies the speed at which needs come back, by category, from `need_lead` days before the date on;
    `campaign` (0-1) says how far platforms run a sale.
    """

    when: str
    first: int
    last: int
    countries: tuple[str, ...]
    availability: float
    need: dict[str, float]
    need_lead: int
    campaign: float

    @model_validator(mode="after")
    def _known(self) -> Self:
        if not _WHEN.match(self.when):
            raise ValueError(
                f"when: '{self.when}' is no rule; allowed: MM-DD, hijri MM-DD, black_friday, lunar_new_year"
            )
        if self.last < self.first:
            raise ValueError("last comes before first")
        _subset("countries", self.countries, (*COUNTRIES, *REGIONS, "all"))
        _subset("need", self.need, CATEGORIES)
        return self


class Times(Group):
    """What `sim.calendar` reads. Field meanings, units, ranges and sources: `configs/geography`."""

    zones: dict[str, dict[str, float]]
    weekday: tuple[float, ...]
    weekend: tuple[float, ...]
    weekend_days: dict[str, tuple[int, ...]]
    holiday_off: float
    muslim_share: dict[str, float]
    prayer_place: dict[str, tuple[float, float]]
    prayer_minutes: tuple[float, ...]
    prayer_observance: float
    twilight: tuple[float, float]
    fasting_share: float
    fasting_day: float
    fasting_night: float
    season: dict[str, tuple[float, ...]]
    season_strength: dict[str, float]
    festivals: dict[str, Festival]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("zones", "weekend_days", "muslim_share", "prayer_place", "season_strength"):
            _whole(name, getattr(self, name), COUNTRIES)
        _whole("season", self.season, CATEGORIES)
        if len(self.weekday) != HOURS or len(self.weekend) != HOURS:
            raise ValueError("weekday and weekend need 24 numbers")
        if len(self.prayer_minutes) != len(PRAYERS):
            raise ValueError(f"prayer_minutes needs {len(PRAYERS)} numbers: {', '.join(PRAYERS)}")
        if any(len(months) != 12 for months in self.season.values()):
            raise ValueError("season needs 12 numbers for each category")
        for country, zones in self.zones.items():
            for zone in zones:
                try:
                    ZoneInfo(zone)
                except (ZoneInfoNotFoundError, ValueError):
                    raise ValueError(f"zones.{country}: '{zone}' is no IANA time zone") from None
            if abs(sum(zones.values()) - 1.0) > 1e-6:
                raise ValueError(f"zones.{country} sums to {sum(zones.values()):.4f} instead of 1")
        return self


def _subset(name: str, given: Iterable[str], wanted: tuple[str, ...]) -> None:
    unknown = [key for key in given if key not in wanted]
    if unknown:
        raise ValueError(f"{name}: unknown {', '.join(unknown)}; allowed: {', '.join(wanted)}")


def _whole(name: str, given: Mapping[str, object], wanted: tuple[str, ...]) -> None:
    if set(given) != set(wanted):
        raise ValueError(f"{name} needs exactly {', '.join(wanted)}")
