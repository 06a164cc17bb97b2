"""Who opens a live channel and who searches a shelf today, and in which daypart.

One draw a day decides whether and when. Most people do neither, and whether somebody may at all can be seen from a few
columns and the draw itself: the chance is bounded from above by taking the strongest need, a whole bond with somebody
on air and the freshest discovery. The formula proper runs only for those whose draw is below the bound, so the bound
changes no decision.
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
from sim.kernels.threads import fetch, on_threads
from sim.kinds import ADOPTER, OFFLINE

SLACK = np.float32(1e-4)  # far above the rounding of a chance
NO_DAY = np.int32(-1)

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
    """Marks who may open (1) and who may search (2), by upper bounds of the chances; all (n,)."""
    for at in range(taste.size):
        logit = taste[at] + level + (shared_link if shared_host[at] != NOBODY else ZERO)
        live = (adopter[at] == ADOPTER) & (live_draw[at] < sigmoid(logit) * activity + SLACK)
        shelf = (adopter[at] != OFFLINE) & (shelf_draw[at] < shelf_bound)
        possible[at] = np.uint8(live) | (np.uint8(shelf) << np.uint8(1))


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_marked(marks: NDArray[np.uint8], bit: np.uint8, low: int, listed: Rows) -> int:
    """Rows whose mark has the bit; returns how many. Every row is written, and written over if it is not kept."""
    few = 0
    for at in range(marks.size):
        listed[few] = np.uint32(low + at)
        few += (marks[at] >> bit) & 1
    return few


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def strongest_needs(
    listed: Rows,
    day: np.int32,
    country: NDArray[np.uint8],
    drives: Any,
    need_rate: Floats,
    weighted: Floats,
    strongest: Floats,
) -> None:
    """Strongest unmet need weighted by interest, in [0, 1], of each person listed. weighted: (n, 8), filled.

    The inner loop asks an array for its length: with a fixed one it would be unrolled before it can be vectorised. The
    greatest of non-negative floats is the one with the greatest bits, which compares faster.
    """
    for at in range(listed.size):
        row = listed[at]
        last, interest = drives[row].need_day, drives[row].interests
        rate, product = need_rate[country[row]], weighted[at]
        for category in range(product.size):
            level = need_level(np.float32(day - np.int32(last[category])), rate[category])
            product[category] = level * (np.float32(interest[category]) * BYTE)
    for at in range(listed.size):
        best = np.int32(0)
        for category in range(N_CATEGORIES):
            bits = float_bits(weighted[at, category])
            best = bits if bits > best else best
        strongest[at] = bits_float(best)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def find_dayparts(
    rows: Rows,
    low: int,
    country: NDArray[np.uint8],
    availability: Floats,
    when: Floats,
    dayparts: NDArray[np.uint8],
) -> None:
    """Daypart of each person listed, by the country's shares of the day; `when` is a uniform, by row less `low`."""
    for at in range(rows.size):
        row = rows[at]
        home = country[row]
        left = when[row - low]
        daypart = 0
        for earlier in range(N_DAYPARTS - 1):
            left -= availability[home, earlier]
            daypart += left >= ZERO
        dayparts[at] = daypart


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def open_live(
    param: Any,
    listed: Rows,
    low: int,
    country: NDArray[np.uint8],
    taste: Floats,
    drives: Any,
    shared_host: NDArray[np.uint16],
    on_air: Floats,
    expected: Floats,
    activity: Floats,
    best_subsidy: Floats,
    strongest: Floats,
    draw: Floats,
    rows: Rows,
) -> int:
    """Lists which of the adopters listed open a live channel; returns how many.

    `draw` is by row less `low`; `on_air` 0 or 1 by host, with one place more for "no host".
    """
    nobody = np.uint32(on_air.size - 1)
    found = 0
    for at in range(listed.size):
        row = listed[at]
        person = drives[row]
        home = country[row]
        bond = ZERO
        for slot in range(N_FOLLOWS):
            bond += np.float32(person.bonds[slot]) * WORD * on_air[min(np.uint32(person.follows[slot]), nobody)]
        shared = ONE if shared_host[row] != NOBODY else ZERO
        chance = opening_chance(
            param, taste[row], strongest[at], expected[home], clip_unit(bond), shared, best_subsidy[home]
        )
        rows[found] = row
        found += draw[row - low] < chance * activity[home]
    return found


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_seekers(param: Any, listed: Rows, low: int, strongest: Floats, draw: Floats, rows: Rows, needs: Floats) -> int:
    """Who may search even so when the need is known, with the need; returns how many. `draw` is by row less `low`."""
    found = 0
    for at in range(listed.size):
        rows[found] = listed[at]
        needs[found] = strongest[at]
        found += draw[listed[at] - low] < searching_chance(param, strongest[at], ONE) + SLACK
    return found


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def open_shelf(
    param: Any,
    listed: Rows,
    low: int,
    day: np.int32,
    means: Any,
    strongest: Floats,
    draw: Floats,
    rows: Rows,
) -> int:
    """Lists who searches a shelf; returns how many. `draw` is by row less `low`."""
    found = 0
    for at in range(listed.size):
        fetch(means, listed[at])
    for at in range(listed.size):
        row = listed[at]
        person = means[row]
        latest = NO_DAY
        for place in range(N_MEMORY):
            aware = (person.memory_seller[place] != NOBODY) & (person.memory_kind[place] < BOUGHT)
            met = np.int32(person.memory_day[place]) if aware else NO_DAY
            latest = met if met > latest else latest
        fresh = freshness(param, np.float32(day - latest))
        fresh = fresh if latest > NO_DAY else ZERO
        rows[found] = row
        found += draw[row - low] < searching_chance(param, strongest[at], fresh)
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


@njit(error_model="numpy", inline="always")  # a function of its own is compiled twice
def open_block(
    param: Any,
    people: People,
    setting: Setting,
    on_air: Floats,
    best_subsidy: Floats,
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    low: int,
    high: int,
    order: Rows,
    bounds: NDArray[np.int64],
    floats: Floats,
    weighted: Floats,
    listed: Rows,
    marks: NDArray[np.uint8],
) -> None:
    """One block of rows. order: (2, n); bounds: (2, 7).

    Scratch: floats (6, block), weighted (block, 8), listed (2, block), marks (2 block,).
    """
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
    strongest, needs = floats[4], floats[5]

    adopters = listed[0, : list_marked(marks[:size], np.uint8(0), low, listed[0])]
    strongest_needs(
        adopters,
        np.int32(day),
        people.country,
        people.drives,
        setting.need_rate,
        weighted,
        strongest,
    )
    found = open_live(
        param, adopters, low, people.country, people.opening_taste, people.drives, people.shared_host,
        on_air, setting.expected, setting.activity, best_subsidy, strongest, units[0], listed[1],
    )  # fmt: skip
    find_dayparts(listed[1, :found], low, people.country, setting.availability, units[1], marks[size:])
    group_by_daypart(listed[1], marks[size:], found, low, order[0], bounds[0])

    seekers = listed[0, : list_marked(marks[:size], np.uint8(1), low, listed[0])]
    strongest_needs(
        seekers,
        np.int32(day),
        people.country,
        people.drives,
        setting.need_rate,
        weighted,
        strongest,
    )
    found = list_seekers(param, seekers, low, strongest, units[2], listed[1], needs)
    found = open_shelf(
        param, listed[1, :found], low, np.int32(day), people.means,
        needs, units[2], listed[0],
    )  # fmt: skip
    find_dayparts(listed[0, :found], low, people.country, setting.availability, units[3], marks[size:])
    group_by_daypart(listed[0], marks[size:], found, low, order[1], bounds[1])


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
    weighted: Floats,
    listed: Rows,
    marks: NDArray[np.uint8],
) -> None:
    """One thread's share of `open_everybody`."""
    size = people.birth.size
    blocks = (size + chunk - 1) // chunk
    best_subsidy = best_subsidies(setting.platform_slots, setting.subsidy_usd)
    on_air_or_nobody = np.zeros(on_air.size + 1, np.float32)
    for host in range(on_air.size):
        on_air_or_nobody[host] = on_air[host]
    for block in range(thread, blocks, threads):  # by turns, since countries, and with them stretches, differ
        open_block(
            param[0], people, setting, on_air_or_nobody, best_subsidy, day, key0, key1, block * chunk,
            min(size, (block + 1) * chunk), order, bounds[:, block], floats[thread], weighted[thread],
            listed[thread], marks[thread],
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
    weighted: Floats,
    listed: Rows,
    marks: NDArray[np.uint8],
) -> None:
    """Fills, for each block of `chunk` rows, the lists of who opens what in which daypart.

    `on_air` is 1 for streamers with a show today, shape (streamers,).
    order: (2, n) rows grouped by daypart inside each block's own stretch; [0] live, [1] shelf.
    bounds: (2, blocks, 7) where each daypart's group begins and the last one ends.
    Scratch: floats (threads, 6, > chunk), weighted (threads, > chunk, 8), listed (threads, 2, > chunk), marks
    (threads, > 2 chunk).
    """
    on_threads(
        threads,
        open_blocks,
        param,
        people,
        setting,
        on_air,
        day,
        key0,
        key1,
        chunk,
        order,
        bounds,
        floats,
        weighted,
        listed,
        marks,
    )
