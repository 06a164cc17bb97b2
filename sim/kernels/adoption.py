"""Who takes up live shopping and who gives it up, weighed once a week, on the weekday of a person's birth number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.behaviour import need_level
from sim.kernels.friends import Friends, row_at, start_of
from sim.kernels.live import BYTE, N_CATEGORIES, NOBODY, WORD, Floats, People
from sim.kernels.maths import HALF, ONE, ZERO, exp1
from sim.kernels.philox import philox, unit
from sim.kinds import ADOPTER, OFFLINE

TAKE_UP = np.uint32(97 * 256)
WEEK = np.uint32(7)

type Float = np.float32


@njit(cache=True, error_model="numpy", forceinline=True)
def take_up_chance(rule: Any, ease: Float, need: Float, friends: Float, shared: Float) -> Float:
    """Chance that somebody takes up live shopping in a week.

    The rate of Bass (1969), with the share of friends who do it in place of the market's: press + contact x friends +
    shared_link x shared, times `ease` (1: usual; by what is on air, subsidies, country, age) and
    e^(need x (need - 1/2)). `friends`, `need` in [0, 1], `shared` 1 if a friend shared a room.
    """
    rate = rule.press + rule.contact * friends + rule.shared_link * shared
    return ONE - exp1(-rate * ease * exp1(rule.need * (need - HALF)))


@njit(cache=True, error_model="numpy", forceinline=True)
def give_up_chance(rule: Any, trust: Float, idle: Float) -> Float:
    """Chance that an adopter gives it up in a week: `trust` in [0, 1], `idle` days since the last live session."""
    gone = min(ONE, idle / rule.idle_days)
    return ONE - exp1(-(rule.drop + rule.drop_idle * gone) * exp1(rule.drop_trust * (rule.usual_trust - trust)))


@njit(cache=True, error_model="numpy")
def weigh_adoption(
    rules: NDArray[Any],
    people: People,
    age: NDArray[np.uint8],
    need_rate: Floats,
    ease: Floats,
    visited: NDArray[np.uint16],
    day: int,
    friends: Friends,
    key0: np.uint32,
    key1: np.uint32,
    turned: NDArray[np.uint8],
) -> None:
    """Marks who turns today, `turned` (n,) 0 or 1; changes nobody, so that the order of rows does not matter.

    `age` (n,) band, `need_rate` (C, K), `ease` (C, ages), `visited` (n,) day of the last live session.
    """
    rule = rules[0]
    weekday = np.uint32(day) % WEEK
    for row in range(people.birth.size):
        turned[row] = 0
        if people.birth[row] % WEEK != weekday or people.adopter[row] == OFFLINE:
            continue
        home = people.country[row]
        luck = unit(philox(people.birth[row], np.uint32(0), np.uint32(day * 8), TAKE_UP, key0, key1)[0])
        if people.adopter[row] == ADOPTER:
            idle = np.float32(day - np.int64(visited[row]))
            turned[row] = luck < give_up_chance(rule, np.float32(people.trust[row]) * WORD, idle)
            continue
        strongest = ZERO
        for category in range(N_CATEGORIES):
            days = np.float32(day - np.int64(people.need_day[row, category]))
            felt = need_level(days, need_rate[home, category]) * (np.float32(people.interests[row, category]) * BYTE)
            strongest = max(strongest, felt)
        first, end = start_of(friends, row), start_of(friends, row + 1)
        users = 0
        for edge in range(first, end):
            users += people.adopter[row_at(friends, edge)] == ADOPTER
        share = np.float32(users) / np.float32(max(end - first, 1))
        shared = ONE if people.shared_host[row] != NOBODY else ZERO
        turned[row] = luck < take_up_chance(rule, ease[home, age[row]], strongest, share, shared)
