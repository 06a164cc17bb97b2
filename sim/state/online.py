"""How many adults are online where and when, and when each person comes online.

A country's adults online grow by a yearly rate from mid-2023, the date of the geography's figures, until a ceiling. The
consumers are a sample of those online on the last day of the run; before somebody's day they are not there.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.calendar import day_of
from sim.config import RunConfig
from sim.config.geography import Geography
from sim.draws import Draws, Purpose
from sim.kernels.maths import exp_array, log_array
from sim.kinds import ADOPTER, COUNTRIES, N_COUNTRIES, NON_ADOPTER, OFFLINE, REGION_OF_COUNTRY, REGIONS

BASE = day_of(date(2023, 7, 1))
YEAR = 365.25

type F64 = NDArray[np.float64]


def growth_rates(cfg: RunConfig) -> F64:
    """float64[C]: log growth of adults online a day; 0 where the internet does not grow."""
    yearly = np.array([cfg.growth.internet.yearly[REGIONS[region]] for region in REGION_OF_COUNTRY])
    daily: F64 = log_array(1.0 + yearly).astype(np.float64) / YEAR
    return daily if cfg.growth.internet.grows else np.zeros(N_COUNTRIES)


def against_base(cfg: RunConfig, day: int) -> F64:
    """float64[C]: adults online on a day against the base year's."""
    share = np.array([cfg.geography.internet_share[name] for name in COUNTRIES])
    most = np.maximum(1.0, cfg.growth.internet.ceiling / share)
    grown: F64 = exp_array(growth_rates(cfg) * (day - BASE)).astype(np.float64)
    return np.minimum(grown, most)


def sampled(cfg: RunConfig) -> Geography:
    """The geography whose adults online the consumers sample: that of the run's last day."""
    if not cfg.growth.internet.grows:
        return cfg.geography
    factor = against_base(cfg, day_of(cfg.last_day))
    online = {
        name: min(1.0, cfg.geography.internet_share[name] * float(factor[place]))
        for place, name in enumerate(COUNTRIES)
    }
    return cfg.geography.model_copy(update={"internet_share": online})


def online_days(
    cfg: RunConfig, country: NDArray[np.integer[Any]], birth: NDArray[np.uint32], draws: Draws
) -> NDArray[np.int64]:
    """Day on which each person is online for the first time, int64[n]; 0 for who always was.

    People of a country come in the order of a keyed rank, which is the share of the last day's users there before.
    """
    rate = growth_rates(cfg)[country]
    days = np.zeros(birth.size)
    grows = rate > 0.0
    full = log_array(against_base(cfg, day_of(cfg.last_day))).astype(np.float64)[country[grows]]
    rank = log_array(np.asarray(draws.uniform(Purpose.ONLINE, birth[grows]))).astype(np.float64)
    days[grows] = BASE + (full + rank) / rate[grows]
    return np.maximum(np.ceil(days), 0.0).astype(np.int64)


def first_adopters(
    cfg: RunConfig,
    country: NDArray[np.int64],
    age: NDArray[np.int64],
    birth: NDArray[np.uint32],
    draws: Draws,
    start_share: float | None = None,
) -> NDArray[np.uint8]:
    """On the first day of the run: 1 adopter, 0 not, 2 not online yet, uint8[n].

    With adoption off the base year's adopters; else `start_share` of them (the configured one unless given), the same
    people whatever the share is.
    """
    chance = sampled(cfg).adoption_shares()
    first = day_of(cfg.first_day)
    if cfg.growth.internet.grows:  # adopters are online, and fewer people are than on the last day
        there = against_base(cfg, first) / against_base(cfg, day_of(cfg.last_day))
        chance = np.minimum(chance / there[:, None], 1.0)
    if cfg.growth.adoption.spreads:
        chance = chance * (cfg.growth.adoption.start_share if start_share is None else start_share)
    adopts = np.asarray(draws.uniform(Purpose.PERSON, birth, word=1)) < chance[country, age]
    state = np.where(adopts, ADOPTER, NON_ADOPTER).astype(np.uint8)
    state[online_days(cfg, country, birth, draws) > first] = OFFLINE
    return state
