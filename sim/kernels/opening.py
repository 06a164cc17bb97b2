"""Who opens a live channel and who searches a shelf today, and in which daypart.

One draw a day decides whether and when. Most people do neither, and whether somebody may at all can be seen from a few
columns and the draw itself: the chance is bounded from above by taking the strongest need, a whole bond with somebody on
air and the freshest discovery. The formula proper runs only for those whose draw is below the bound, so the bound changes
no decision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.behaviour import clip_unit, freshness, need_level, opening_chance, searching_chance
from sim.kernels.live import (
    BOUGHT,
    BYTE,
    CLOSED,
    N_CATEGORIES,
    N_DAYPARTS,
    N_FOLLOWS,
    N_MEMORY,
    N_PLATFORM_SLOTS,
    NOBODY,
    OF_NOTHING,
    OPEN,
    WORD,
    Floats,
    People,
    Rows,
    Setting,
    draw_units,
)
from sim.kernels.maths import ONE, ZERO, bits_float, float_bits, sigmoid
from sim.kernels.threads import on_threads

SLACK = np.float32(1e-4)  # far above the rounding of a chance

type Float = np.float32


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def mark_possible(
    taste: Floats,
    adopter: NDArray[np.uint8],
    shared_host: NDArray[np.uint16],
    live_draw: Floats,
    shelf_draw: Floats,
    level: Float,
    shared_link: Float,
    activity: Float,
    shelf_bound: Float,
    possible: NDArray[np.uint8],
) -> None:
    """Marks who may open or search, by upper bounds of the chances; all (n,)."""
    for at in range(taste.size):
        logit = taste[at] + level + (shared_link if shared_host[at] != NOBODY else ZERO)
        live = adopter[at] == 1 and live_draw[at] < sigmoid(logit) * activity + SLACK
        possible[at] = np.uint8(live | (shelf_draw[at] < shelf_bound))


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def strongest_needs(
    listed: Rows,
    day: np.int32,
    country: NDArray[np.uint8],
    interests: NDArray[np.uint8],
    need_day: NDArray[np.uint16],
    need_rate: Floats,
    strongest: Floats,
) -> None:
    """Strongest unmet need weighted by interest, in [0, 1], of each person listed.

    The greatest of non-negative floats is the one with the greatest bits, which compares faster.
    """
    for at in range(listed.size):
        row = listed[at]
        home = country[row]
        best = np.int32(0)
        for category in range(N_CATEGORIES):
            days = np.float32(day - np.int32(need_day[row, category]))
            weighted = need_level(days, need_rate[home, category]) * (np.float32(interests[row, category]) * BYTE)
            bits = float_bits(weighted)
            best = bits if bits > best else best
        strongest[at] = bits_float(best)


@njit(cache=True, error_model="numpy", forceinline=True)
def daypart_of(availability: Floats, country: int, u: Float) -> int:
    """Daypart by the country's shares of the day."""
    for daypart in range(N_DAYPARTS - 1):
        u -= availability[country, daypart]
        if u < ZERO:
            return daypart
    return N_DAYPARTS - 1


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def open_live(
    param: Any,
    listed: Rows,
    low: int,
    people: People,
    setting: Setting,
    on_air: NDArray[np.uint8],
    best_subsidy: Floats,
    strongest: Floats,
    draw: Floats,
    when: Floats,
    rows: Rows,
    dayparts: NDArray[np.uint8],
) -> int:
    """Lists who opens a live channel and in which daypart; returns how many. `draw`, `when` are by row less `low`."""
    adopter, taste, country = people.adopter, people.opening_taste, people.country
    follows, bonds, shared_host = people.follows, people.bonds, people.shared_host
    expected, activity, availability = setting.expected, setting.activity, setting.availability
    found = 0
    for at in range(listed.size):
        row = listed[at]
        if adopter[row] != 1:
            continue
        home = int(country[row])
        bond = ZERO
        for slot in range(N_FOLLOWS):
            host = follows[row, slot]
            if host != NOBODY and on_air[host] == 1:
                bond += np.float32(bonds[row, slot]) * WORD
        shared = ONE if shared_host[row] != NOBODY else ZERO
        chance = opening_chance(
            param, taste[row], strongest[at], expected[home], clip_unit(bond), shared, best_subsidy[home]
        )
        if draw[row - low] < chance * activity[home]:
            rows[found] = row
            dayparts[found] = daypart_of(availability, home, when[row - low])
            found += 1
    return found


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def open_shelf(
    param: Any,
    listed: Rows,
    low: int,
    day: int,
    people: People,
    setting: Setting,
    strongest: Floats,
    draw: Floats,
    when: Floats,
    rows: Rows,
    dayparts: NDArray[np.uint8],
) -> int:
    """Lists who searches a shelf and in which daypart; returns how many. `draw`, `when` are by row less `low`."""
    country, availability = people.country, setting.availability
    memory_seller, memory_kind, memory_day = people.memory_seller, people.memory_kind, people.memory_day
    found = 0
    for at in range(listed.size):
        row = listed[at]
        u = draw[row - low]
        if u >= searching_chance(param, strongest[at], ONE) + SLACK:
            continue
        latest = -1
        for place in range(N_MEMORY):
            if memory_seller[row, place] != NOBODY and memory_kind[row, place] < BOUGHT:
                latest = max(latest, int(memory_day[row, place]))
        fresh = freshness(param, np.float32(day - latest)) if latest >= 0 else ZERO
        if u < searching_chance(param, strongest[at], fresh):
            rows[found] = row
            dayparts[found] = daypart_of(availability, int(country[row]), when[row - low])
            found += 1
    return found


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def group_by_daypart(
    rows: Rows, dayparts: NDArray[np.uint8], found: int, low: int, order: Rows, bounds: NDArray[np.int64]
) -> None:
    """Writes rows grouped by daypart, in row order inside a group, into `order` from `low` on (counting sort)."""
    for daypart in range(N_DAYPARTS + 1):
        bounds[daypart] = 0
    for at in range(found):
        bounds[dayparts[at] + 1] += 1
    bounds[0] = low
    for daypart in range(N_DAYPARTS):
        bounds[daypart + 1] += bounds[daypart]
    for at in range(found):
        daypart = dayparts[at]
        order[bounds[daypart]] = rows[at]
        bounds[daypart] += 1
    for daypart in range(N_DAYPARTS, 0, -1):
        bounds[daypart] = bounds[daypart - 1]
    bounds[0] = low


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def best_subsidies(platform_slots: NDArray[np.uint8], subsidy_usd: Floats) -> Floats:
    """Greatest subsidy among the platforms on offer in each country, USD, (C,)."""
    best = np.zeros(platform_slots.shape[0], np.float32)
    for country in range(platform_slots.shape[0]):
        for slot in range(N_PLATFORM_SLOTS):
            platform = platform_slots[country, slot]
            if platform != CLOSED and subsidy_usd[platform] > best[country]:
                best[country] = subsidy_usd[platform]
    return best


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def open_block(
    param: Any,
    people: People,
    setting: Setting,
    on_air: NDArray[np.uint8],
    best_subsidy: Floats,
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    low: int,
    high: int,
    order: Rows,
    bounds: NDArray[np.int64],
    floats: Floats,
    listed: Rows,
    marks: NDArray[np.uint8],
) -> None:
    """One block of rows. order: (2, n); bounds: (2, 7); floats: (5, block); listed: (2, block); marks: (block,)."""
    size = high - low
    country = people.country[low:high]
    units = floats[:4]
    draw_units(people.birth[low:high], OF_NOTHING, np.uint32(day * 8), OPEN, key0, key1, units)
    shelf_bound = searching_chance(param, ONE, ONE) + SLACK
    start = 0
    while start < size:  # a stretch of people of one country
        home = country[start]
        end = start + 1
        while end < size and country[end] == home:
            end += 1
        level = (
            param.opening_intercept
            + param.opening_need
            + param.opening_expected_value * setting.expected[home]
            + param.opening_notification
            + param.opening_subsidy * best_subsidy[home]
        )
        mark_possible(
            people.opening_taste[low + start : low + end],
            people.adopter[low + start : low + end],
            people.shared_host[low + start : low + end],
            units[0, start:end],
            units[2, start:end],
            level,
            param.opening_shared_link,
            setting.activity[home],
            shelf_bound,
            marks[start:end],
        )
        start = end
    few = 0
    for at in range(size):
        listed[0, few] = np.uint32(low + at)
        few += marks[at]
    people_listed = listed[0, :few]
    strongest = floats[4]
    strongest_needs(
        people_listed, np.int32(day), people.country, people.interests, people.need_day, setting.need_rate, strongest
    )
    rows = listed[1]
    found = open_live(
        param, people_listed, low, people, setting, on_air, best_subsidy, strongest, units[0], units[1], rows, marks
    )
    group_by_daypart(rows, marks, found, low, order[0], bounds[0])
    found = open_shelf(param, people_listed, low, day, people, setting, strongest, units[2], units[3], rows, marks)
    group_by_daypart(rows, marks, found, low, order[1], bounds[1])


@njit(cache=True, error_model="numpy", nogil=True)
def open_blocks(
    thread: int,
    threads: int,
    param: Any,
    people: People,
    setting: Setting,
    on_air: NDArray[np.uint8],
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    chunk: int,
    order: Rows,
    bounds: NDArray[np.int64],
    floats: Floats,
    listed: Rows,
    marks: NDArray[np.uint8],
) -> None:
    """One thread's share of `open_everybody`."""
    size = people.birth.size
    blocks = (size + chunk - 1) // chunk
    best_subsidy = best_subsidies(setting.platform_slots, setting.subsidy_usd)
    for block in range(thread * blocks // threads, (thread + 1) * blocks // threads):
        open_block(
            param[0], people, setting, on_air, best_subsidy, day, key0, key1, block * chunk, min(size, (block + 1) * chunk),
            order, bounds[:, block], floats[thread], listed[thread], marks[thread],
        )  # fmt: skip


def open_everybody(
    param: NDArray[Any],
    people: People,
    setting: Setting,
    on_air: NDArray[np.uint8],
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    chunk: int,
    threads: int,
    order: Rows,
    bounds: NDArray[np.int64],
    floats: Floats,
    listed: Rows,
    marks: NDArray[np.uint8],
) -> None:
    """Fills, for each block of `chunk` rows, the lists of who opens what in which daypart.

    `on_air` is 1 for streamers with a show today, shape (streamers,).
    order: (2, n) rows grouped by daypart inside each block's own stretch; [0] live, [1] shelf.
    bounds: (2, blocks, 7) where each daypart's group begins and the last one ends.
    Scratch: floats (threads, 5, >= chunk), listed (threads, 2, >= chunk), marks (threads, >= chunk).
    """
    on_threads(
        threads, open_blocks, param, people, setting, on_air, day, key0, key1, chunk, order, bounds, floats, listed, marks
    )
