"""Loops that build and measure the friends graph. Called by sim.state.social, which explains the model.

A person's own choices are drawn at addresses of their birth number, and threads write disjoint places, so the graph
does not depend on the number of threads. Sociability is held in whole 64ths, so that its sums are exact.
"""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit
from numpy.typing import NDArray

from sim.kernels.maths import pow1
from sim.kernels.philox import HALF_WIDTH, philox, unit
from sim.kernels.threads import on_threads

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
F32 = NDArray[np.float32]

WEIGHT_STEPS = np.float32(64.0)
NOBODY = np.int32(-1)
ZERO_WORD = np.uint32(0)
FIRST_ROW = np.int64(0)  # with a width: a plain 0 would compile its callee once more


@njit(cache=True, error_model="numpy", nogil=True)
def sociability(
    birth: U32, purpose: np.uint32, key: U32, power: np.float32, lowest: np.float32, highest: np.float32
) -> I64:
    """int64[n + 1]: running total of each person's Pareto sociability in 64ths, from 0.

    Density exponent g: `power` = -1 / (g - 1); values lie between `lowest` and `highest`, at least 1/64.
    """
    count = birth.size
    total = np.zeros(count + 1, dtype=np.int64)
    for row in range(count):
        draw = unit(philox(birth[row], ZERO_WORD, ZERO_WORD, purpose, key[0], key[1])[0])
        value = min(lowest * pow1(draw, power), highest)
        total[row + 1] = max(int(value * WEIGHT_STEPS), 1)
    for row in range(count):
        total[row + 1] += total[row]
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def runs(values: NDArray[np.int64]) -> I64:
    """Start of each run of equal values, and the length of the array at the end."""
    starts = np.empty(values.size + 1, dtype=np.int64)
    found = 0
    for row in range(values.size):
        if row == 0 or values[row] != values[row - 1]:
            starts[found] = row
            found += 1
    starts[found] = values.size
    return starts[: found + 1].copy()


@njit(cache=True, error_model="numpy", forceinline=True)
def _part(position: int, length: int, size: int) -> tuple[int, int]:
    """Bounds of the part around `position` of a `length` cut into round(length / size) parts, all nearly equal."""
    parts: int = max((2 * length + size) // (2 * size), 1)
    part = ((position + 1) * parts - 1) // length
    return -((-part * length) // parts), -((-(part + 1) * length) // parts)


@njit(cache=True, error_model="numpy")
def _pick(total: I64, low: int, high: int, hole_low: int, hole_high: int, word: np.uint32) -> int:
    """One row of low .. high - 1 outside the hole, with odds in proportion to sociability; -1 if there is none."""
    before = total[hole_low] - total[low]
    hole = total[hole_high] - total[hole_low]
    mass = total[high] - total[low] - hole
    if mass <= 0:
        return -1
    target = int(np.int64((np.uint64(word) * np.uint64(mass)) >> HALF_WIDTH))  # int alone would stay unsigned
    if target >= before:
        target += hole
    target += total[low]
    left = low
    right = high  # the row is the last one whose running total does not exceed the target
    while right - left > 1:
        middle = (left + right) >> 1
        if total[middle] <= target:
            left = middle
        else:
            right = middle
    return left


@njit(cache=True, error_model="numpy", nogil=True)
def own_choices(
    birth: U32,
    total: I64,
    rate: np.float32,
    purpose: np.uint32,
    key: U32,
) -> I64:
    """int64[n + 1]: running number of friends a person chooses: `rate` x sociability, rounded with keyed odds."""
    count = birth.size
    offsets = np.zeros(count + 1, dtype=np.int64)
    for row in range(count):
        expected = np.float32(np.int32(total[row + 1] - total[row])) * rate
        whole = int(expected)
        draw = unit(philox(birth[row], ZERO_WORD, ZERO_WORD, purpose, key[0], key[1])[1])
        offsets[row + 1] = whole + (1 if draw < expected - np.float32(np.int32(whole)) else 0)
    for row in range(count):
        offsets[row + 1] += offsets[row]
    return offsets


@njit(cache=True, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
def _choose_some(
    thread: int,
    threads: int,
    birth: U32,
    country: NDArray[np.uint8],
    language: NDArray[np.uint8],
    total: I64,
    offsets: I64,
    group_of: I32,
    group_starts: I64,
    country_starts: I64,
    sorted_rows: I32,
    sorted_total: I64,
    speech_starts: I64,
    speech_country_starts: I64,
    sizes: I64,
    shares: F32,
    same_language: np.float32,
    purpose: np.uint32,
    key: U32,
    chooser: I32,
    chosen: I32,
) -> None:
    count = birth.size
    countries = country_starts.size - 1
    for row in range(count * thread // threads, count * (thread + 1) // threads):
        links = offsets[row + 1] - offsets[row]
        if links == 0:
            continue
        group_low = group_starts[group_of[row]]
        group_high = group_starts[group_of[row] + 1]
        community_low, community_high = _part(row - group_low, group_high - group_low, sizes[1])
        circle_low, circle_high = _part(row - group_low - community_low, community_high - community_low, sizes[0])
        circle_low += group_low + community_low
        circle_high += group_low + community_low
        community_low += group_low
        community_high += group_low
        home = int(country[row])
        speech = int(language[row])
        # A circle has room for half of its members as one person's choices; more go on to the community, and so on.
        number = np.float32(np.int32(links))
        room = np.float32(np.int32(circle_high - circle_low - 1)) / np.float32(np.int32(2)) / number
        in_circle = min(shares[0], room)
        room = np.float32(np.int32(community_high - community_low - 1)) / np.float32(np.int32(2)) / number
        in_community = in_circle + min(shares[0] - in_circle + shares[1], room)
        in_language = shares[0] + shares[1] + shares[2]
        in_country = in_language + shares[3]
        for link in range(links):
            words = philox(birth[row], np.uint32(link), ZERO_WORD, purpose, key[0], key[1])
            scope = unit(words[0])
            found = -1
            if scope < in_circle:
                found = _pick(total, circle_low, circle_high, row, row + 1, words[1])
            if found < 0 and scope < in_community:
                found = _pick(total, community_low, community_high, row, row + 1, words[1])
            if found < 0 and scope < in_language:
                found = _pick(total, group_low, group_high, row, row + 1, words[1])
            if found < 0 and scope < in_country:
                found = _pick(total, country_starts[home], country_starts[home + 1], row, row + 1, words[1])
            if found < 0 and unit(words[2]) < same_language:
                place = speech * countries + home
                found = _pick(
                    sorted_total,
                    speech_starts[speech],
                    speech_starts[speech + 1],
                    speech_country_starts[place],
                    speech_country_starts[place + 1],
                    words[1],
                )
                if found >= 0:
                    found = int(sorted_rows[found])
            if found < 0:
                found = _pick(total, FIRST_ROW, count, country_starts[home], country_starts[home + 1], words[1])
            if found < 0:  # only one country: at home after all
                found = _pick(total, FIRST_ROW, count, row, row + 1, words[1])
            chooser[offsets[row] + link] = row
            chosen[offsets[row] + link] = found


def choose_friends(
    birth: U32,
    country: NDArray[np.uint8],
    language: NDArray[np.uint8],
    total: I64,
    offsets: I64,
    group_of: I32,
    group_starts: I64,
    country_starts: I64,
    sorted_rows: I32,
    sorted_total: I64,
    speech_starts: I64,
    speech_country_starts: I64,
    sizes: I64,
    shares: F32,
    same_language: np.float32,
    purpose: np.uint32,
    key: U32,
) -> tuple[I32, I32]:
    """(chooser, chosen), int32 each: who befriends whom; chosen is -1 where nobody is left to choose.

    Rows are sorted by (country, language). `group_starts`: bounds of (country, language) groups, `country_starts` by
    country code; `sorted_rows`: rows by (language, country), with the running sociability `sorted_total`, bounds by
    language code `speech_starts` and by language * countries + country `speech_country_starts`. `sizes`: circle and
    community; `shares`: the first four of the five shares of choices.
    """
    chooser, chosen = np.empty((2, offsets[-1]), np.int32)
    on_threads(
        get_num_threads(),
        _choose_some,
        birth,
        country,
        language,
        total,
        offsets,
        group_of,
        group_starts,
        country_starts,
        sorted_rows,
        sorted_total,
        speech_starts,
        speech_country_starts,
        sizes,
        shares,
        same_language,
        purpose,
        key,
        chooser,
        chosen,
    )
    return chooser, chosen


@njit(cache=True, error_model="numpy", nogil=True)
def scatter(count: int, first: I32, second: I32) -> tuple[I64, I32]:
    """CSR with both directions of every pair (second -1: none); rows unsorted, repeats kept."""
    indptr = np.zeros(count + 1, dtype=np.int64)
    for pair in range(first.size):
        if second[pair] >= 0:
            indptr[first[pair] + 1] += 1
            indptr[second[pair] + 1] += 1
    for row in range(count):
        indptr[row + 1] += indptr[row]
    place = indptr[:-1].copy()
    friends = np.empty(indptr[count], dtype=np.int32)
    for pair in range(first.size):
        if second[pair] >= 0:
            friends[place[first[pair]]] = second[pair]
            place[first[pair]] += 1
            friends[place[second[pair]]] = first[pair]
            place[second[pair]] += 1
    return indptr, friends


@njit(cache=True, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
def _sort_some(thread: int, threads: int, indptr: I64, friends: I32, kept: I64) -> None:
    """Sorts each row and moves its different members to the front; their number goes to the next place of `kept`."""
    count = indptr.size - 1
    for row in range(count * thread // threads, count * (thread + 1) // threads):
        part = friends[indptr[row] : indptr[row + 1]]
        gap = 1  # Shell's sort: as good as insertion for a dozen friends, and no trouble with thousands
        while gap < part.size // 9:
            gap = 3 * gap + 1
        while gap > 0:
            for right in range(gap, part.size):
                value = part[right]
                left = right
                while left >= gap and part[left - gap] > value:
                    part[left] = part[left - gap]
                    left -= gap
                part[left] = value
            gap //= 3
        number = 0
        for place in range(part.size):
            if place == 0 or part[place] != part[place - 1]:
                part[number] = part[place]
                number += 1
        kept[row + 1] = number


@njit(cache=True, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
def _fronts(indptr: I64, friends: I32, kept: I64) -> I32:
    """The front of each row, as long as `kept` says, one after the other."""
    result = np.empty(kept[-1], dtype=np.int32)
    for row in range(indptr.size - 1):
        start = indptr[row]
        for place in range(kept[row], kept[row + 1]):
            result[place] = friends[start]
            start += 1
    return result


def unique_rows(indptr: I64, friends: I32) -> tuple[I64, I32]:
    """Sorts each row and drops repeats; works in place on `friends`."""
    kept = np.zeros(indptr.size, np.int64)
    on_threads(get_num_threads(), _sort_some, indptr, friends, kept)
    np.cumsum(kept, out=kept)
    result: I32 = _fronts(indptr, friends, kept)
    return kept, result


@njit(cache=True, error_model="numpy", forceinline=True)
def _are_friends(indptr: I64, friends: I32, row: int, other: int) -> bool:
    """Whether `other` stands in the sorted row."""
    left = indptr[row]
    right = indptr[row + 1]
    while left < right:
        middle = (left + right) >> 1
        if friends[middle] < other:
            left = middle + 1
        else:
            right = middle
    return bool(left < indptr[row + 1] and friends[left] == other)


@njit(cache=True, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
def _introduce_some(
    thread: int,
    threads: int,
    birth: U32,
    indptr: I64,
    friends: I32,
    attempt: np.uint32,
    chance: np.float32,
    purpose: np.uint32,
    key: U32,
    first: I32,
    second: I32,
) -> None:
    count = birth.size
    for row in range(count * thread // threads, count * (thread + 1) // threads):
        degree = indptr[row + 1] - indptr[row]
        if degree < 2:
            continue
        words = philox(birth[row], attempt, ZERO_WORD, purpose, key[0], key[1])
        if unit(words[0]) >= chance:
            continue
        one = int(np.int64((np.uint64(words[1]) * np.uint64(degree)) >> HALF_WIDTH))
        two = int(np.int64((np.uint64(words[2]) * np.uint64(degree - 1)) >> HALF_WIDTH))
        if two >= one:
            two += 1
        left = friends[indptr[row] + one]
        right = friends[indptr[row] + two]
        if not _are_friends(indptr, friends, int(left), right):
            first[row] = left
            second[row] = right


def introduce(
    birth: U32, indptr: I64, friends: I32, attempt: np.uint32, chance: np.float32, purpose: np.uint32, key: U32
) -> tuple[I32, I32]:
    """Each person, with the given chance, introduces two of their friends to each other: (first, second), int32[n].

    second is -1 where nothing comes of it: fewer than two friends, or the two are friends already.
    """
    first = np.zeros(birth.size, np.int32)
    second = np.full(birth.size, NOBODY, np.int32)
    on_threads(
        get_num_threads(),
        _introduce_some,
        birth,
        indptr,
        friends,
        attempt,
        chance,
        purpose,
        key,
        first,
        second,
    )
    return first, second


@njit(cache=True, error_model="numpy", nogil=True)
def join_rows(indptr: I64, friends: I32, more_indptr: I64, more: I32) -> tuple[I64, I32]:
    """Two CSR over the same people as one, row after row; unsorted, repeats kept."""
    count = indptr.size - 1
    wider = np.empty(count + 1, dtype=np.int64)
    for row in range(count + 1):
        wider[row] = indptr[row] + more_indptr[row]
    joined = np.empty(wider[count], dtype=np.int32)
    for row in range(count):
        place = wider[row]
        for old in range(indptr[row], indptr[row + 1]):
            joined[place] = friends[old]
            place += 1
        for new in range(more_indptr[row], more_indptr[row + 1]):
            joined[place] = more[new]
            place += 1
    return wider, joined


@njit(cache=True, error_model="numpy", nogil=True)
def triangles(indptr: I64, friends: I32) -> I64:
    """int64[n]: the number of pairs of each person's friends who are friends of each other."""
    count = indptr.size - 1
    found = np.zeros(count, dtype=np.int64)
    for row in range(count):
        number = 0
        for place in range(indptr[row], indptr[row + 1]):
            other = friends[place]
            left = place + 1  # friends of the person beyond `other`, against friends of `other`: both sorted
            right = indptr[other]
            while left < indptr[row + 1] and right < indptr[other + 1]:
                if friends[left] == friends[right]:
                    number += 1
                    left += 1
                    right += 1
                elif friends[left] < friends[right]:
                    left += 1
                else:
                    right += 1
        found[row] = number
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def mixing(indptr: I64, friends: I32, kind: NDArray[np.int64], kinds: int) -> I64:
    """int64[kinds, kinds]: directed friendships by the kinds of the two persons (symmetric)."""
    counts = np.zeros((kinds, kinds), dtype=np.int64)
    for row in range(indptr.size - 1):
        for place in range(indptr[row], indptr[row + 1]):
            counts[kind[row], kind[friends[place]]] += 1
    return counts


@njit(cache=True, error_model="numpy", nogil=True)
def components(indptr: I64, friends: I32) -> I64:
    """int64[n]: a number per connected component, the smallest row in it."""
    count = indptr.size - 1
    label = np.full(count, -1, dtype=np.int64)
    queue = np.empty(count, dtype=np.int64)
    for start in range(count):
        if label[start] >= 0:
            continue
        label[start] = start
        queue[0] = start
        head = 0
        tail = 1
        while head < tail:
            row = queue[head]
            head += 1
            for place in range(indptr[row], indptr[row + 1]):
                other = friends[place]
                if label[other] < 0:
                    label[other] = start
                    queue[tail] = other
                    tail += 1
    return label
