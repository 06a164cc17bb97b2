"""What people do in a daypart: platform, rooms, minutes, searches, and what they decide to buy.

A block's sessions of one daypart go through the phases together: whom it is about, the platform, the needs; then for
each of up to three rooms the candidates, the choice, the stay, the line that holds the eye, its value, the decision.
Searches share the last three. Each phase reads a list of sessions or visits and writes scratch rows that stand in the
same order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.behaviour import (
    clip_unit,
    focus_weight,
    grown_bond,
    left_to_spend,
    money_utility,
    need_level,
    platform_utility,
    price_utility,
    room_utility,
    search_utility,
    shelf_knowledge,
    still_minded,
    units_bought,
)
from sim.kernels.live import (
    BUY,
    BYTE,
    BYTE_TOP,
    CANDIDATE,
    CENT,
    CLOSED,
    DAYPART_LENGTH,
    KIND,
    MAX_ROOMS,
    MEMORY_DAYS,
    MILLICENTS,
    N_CATEGORIES,
    N_FOLLOWS,
    N_MEMORY,
    N_PLATFORM_SLOTS,
    N_RECOMMENDED,
    N_RESULTS,
    N_SLOTS,
    N_TIERS,
    NEVER,
    NOBODY,
    OF_NOTHING,
    OF_RESULTS,
    OF_ROOMS,
    OF_SEARCH,
    OF_SESSION,
    OF_STAYING_OUT,
    PERMILLE,
    PLATFORM,
    ROOM,
    SECONDS,
    SHELF_BUY,
    SHELF_CANDIDATE,
    SHELF_NOISE,
    WATCH,
    WORD,
    WORD_TOP,
    Counts,
    Floats,
    Offers,
    People,
    Rooms,
    Rows,
    Setting,
    draw_units,
    draw_units_with,
    host_taste,
    keep_in_mind,
    noise_of,
    remembered,
)
from sim.kernels.maths import HALF, ONE, ZERO, gumbel
from sim.kernels.threads import fetch, on_threads
from sim.kernels.weighing import (
    ALPHA,
    CHANCE,
    EXPECTED,
    KNOWN,
    LIQUID,
    MINUTES,
    NEST,
    PASSING,
    PRICE,
    SURPLUS,
    TILE,
    TILE_SIZE,
    WEIGHT,
    claim_nothing,
    draw_fits,
    fetch_offers,
    gather_claims,
    gather_offers,
    gather_stays,
    hold_eyes,
    learn,
    measure_stays,
    weigh,
)

MOST_CANDIDATES = N_FOLLOWS + 1 + N_RECOMMENDED
LIVE, SEARCH = 0, 1
N_UNITS, N_FLOATS, N_PLACES, N_SHOWS = 2, 5, 13, 2
NO_ROOM = np.uint32(0xFFFFFFFF)
NO_SHOW, SHOW_BITS, ZERO_WORD = np.uint32(0xFFFF), np.uint32(16), np.uint32(0)
WEAKER = np.int32(-1)  # an empty place gives way before any bond
GUARANTEED, DISCLOSED, TRIED_ON, TRACED = np.uint16(16), np.uint16(128), np.uint16(4096), np.uint16(8192)
SHELF_CHANNEL, BRAND_SITE = 8, 9
N_CHANNELS, N_THIRDS = 10, 3

type Float = np.float32
type Bytes = NDArray[np.uint8]
type Words = NDArray[np.uint16]


class Scratch(NamedTuple):
    """Working memory, one plane per thread; `width` is at least the number of sessions of a block in a daypart."""

    units: NDArray[np.float32]  # (T, 2, 4, width)
    floats: NDArray[np.float32]  # (T, 5, width)
    places: NDArray[np.uint32]  # (T, 13, width)
    shows: NDArray[np.uint16]  # (T, 2, width)
    followed: NDArray[np.uint16]  # (T, width, 7)
    by_category: NDArray[np.float32]  # (T, 2, width, 8)
    tile: NDArray[np.float32]  # (T, TILE_SIZE), see sim.kernels.weighing
    pair_places: NDArray[np.uint32]  # (T, 5, 11 * width)
    pair_floats: NDArray[np.float32]  # (T, 4, 11 * width)


def make_scratch(threads: int, width: int) -> Scratch:
    """Scratch for blocks of at most `width` sessions a daypart."""
    pairs = MOST_CANDIDATES * width
    return Scratch(
        units=np.zeros((threads, N_UNITS, 4, width), np.float32),
        floats=np.zeros((threads, N_FLOATS, width), np.float32),
        places=np.zeros((threads, N_PLACES, width), np.uint32),
        shows=np.zeros((threads, N_SHOWS, width), np.uint16),
        followed=np.zeros((threads, width, N_FOLLOWS + 1), np.uint16),
        by_category=np.zeros((threads, 2, width, N_CATEGORIES), np.float32),
        tile=np.zeros((threads, TILE_SIZE), np.float32),
        pair_places=np.zeros((threads, 5, pairs), np.uint32),
        pair_floats=np.zeros((threads, 4, pairs), np.float32),
    )


# Arithmetic phases: contiguous scratch in, contiguous scratch out, so that they vectorise.


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def to_gumbel(units: Floats) -> None:
    """Uniforms to standard Gumbel noise in place."""
    for at in range(units.size):
        units[at] = gumbel(units[at])


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def draw_noise(
    birth: Rows, other: np.uint32, tick: np.uint32, purpose: np.uint32, key0: np.uint32, key1: np.uint32, noise: Floats
) -> None:
    """Gumbel noise of a choice's outside option."""
    for at in range(birth.size):
        noise[at] = noise_of(birth[at], other, tick, purpose, key0, key1)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def draw_pair_noise(
    birth: Rows, other: Rows, tick: np.uint32, purpose: np.uint32, key0: np.uint32, key1: np.uint32, noise: Floats
) -> None:
    """Gumbel noise of each pair of a person and a candidate."""
    for at in range(birth.size):
        noise[at] = noise_of(birth[at], other[at], tick, purpose, key0, key1)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def draw_tastes(birth: Rows, host: Rows, key0: np.uint32, key1: np.uint32, taste: Floats) -> None:
    """Lasting taste of each pair of a person and a host."""
    for at in range(birth.size):
        taste[at] = host_taste(birth[at], host[at], key0, key1)


# Gathering phases: one list, many columns.


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_hosts(show_of_host: Words, platform_of: Bytes, host_of: Words) -> tuple[Rows, Bytes, Rows]:
    """The daypart's tables with one place more at the end, for "no host" and "no show": reading that takes no question.

    Returns, for each host, the show on air and above its 16 bits the show's platform (65535 and 255 where there is
    none); the platform of each show (255 at the end) and its host (0 there).
    """
    hosts, shows = show_of_host.size, platform_of.size
    platform_by_show = np.empty(shows + 1, np.uint8)
    host_by_show = np.empty(shows + 1, np.uint32)
    for show in range(shows):
        platform_by_show[show] = platform_of[show]
        host_by_show[show] = host_of[show]
    platform_by_show[shows] = CLOSED
    host_by_show[shows] = 0
    on_air = np.empty(hosts + 1, np.uint32)
    for host in range(hosts):
        now: Any = np.uint32(show_of_host[host])
        on_air[host] = now | (np.uint32(platform_by_show[min(now, np.uint32(shows))]) << SHOW_BITS)
    on_air[hosts] = np.uint32(NOBODY) | (np.uint32(CLOSED) << SHOW_BITS)
    return on_air, platform_by_show, host_by_show


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_slots(platform_slots: Bytes, expected: Floats) -> tuple[Floats, Floats]:
    """The platforms of each country by place.

    Returns a table (C, P + 1, 4) with 1 where the place is the platform's, 0 elsewhere, and one (C, 2, 4) of what is
    expected on air and of what is added to the utility: 0, or `NEVER` twice over where the place is empty.
    """
    countries, platforms = expected.shape
    is_at = np.zeros((countries, platforms + 1, N_PLATFORM_SLOTS), np.float32)
    offered = np.zeros((countries, 2, N_PLATFORM_SLOTS), np.float32)
    for country in range(countries):
        for slot in range(N_PLATFORM_SLOTS):
            platform = platform_slots[country, slot]
            if platform != CLOSED:
                is_at[country, platform, slot] = ONE
                offered[country, 0, slot] = expected[country, platform]
            else:
                offered[country, 1, slot] = NEVER + NEVER
    return is_at, offered


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def fetch_people(rows: Rows, people: People) -> None:
    """Asks for what sessions read of these people, before anybody waits for it."""
    for at in range(rows.size):
        fetch(people.drives, rows[at])
        fetch(people.means, rows[at])
        fetch(people.birth, rows[at])
        fetch(people.trust, rows[at])
        fetch(people.shared_host, rows[at])


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def meet(
    rows: Rows,
    day: int,
    birth_of: Rows,
    country: Bytes,
    drives: Any,
    need_rate: Floats,
    birth: Rows,
    home: Rows,
    interest: Floats,
    need: Floats,
) -> None:
    """Who they are, where they live, their interests and their needs today; interest, need: (n, 8) in [0, 1].

    The inner loops ask an array for their length: with a fixed one they would be unrolled before they can be
    vectorised.
    """
    for at in range(rows.size):
        row = rows[at]
        birth[at] = birth_of[row]
        home[at] = country[row]
        stored, own = drives[row].interests, interest[at]
        for category in range(own.size):
            own[category] = np.float32(stored[category]) * BYTE
        last, level, rate = drives[row].need_day, need[at], need_rate[country[row]]
        for category in range(level.size):
            level[category] = need_level(np.float32(np.int32(day) - np.int32(last[category])), rate[category])


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def count_money(
    param: Any,
    rows: Rows,
    day: int,
    country: Bytes,
    liquidity: Floats,
    means: Any,
    liquid: Floats,
) -> None:
    """What each can spend today, USD. What is forgotten of the spending is computed for all of them together."""
    for at in range(rows.size):
        liquid[at] = np.float32(np.int32(day) - np.int32(means[rows[at]].spent_day))
    for at in range(rows.size):
        liquid[at] = still_minded(param, liquid[at])
    for at in range(rows.size):
        person = means[rows[at]]
        left = left_to_spend(np.float32(person.budget_cents), person.spent_cents, liquid[at])
        liquid[at] = left * liquidity[country[rows[at]]]


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def turn_to_category(interest: Floats, need: Floats, floor: Float, units: Floats, focus: Rows) -> None:
    """Category each session turns to, drawn in proportion to `focus_weight`."""
    for at in range(units.size):
        total = ZERO
        for category in range(N_CATEGORIES):
            total += focus_weight(interest[at, category], need[at, category], floor)
        target = units[at] * total
        chosen = 0
        for category in range(N_CATEGORIES - 1):
            target -= focus_weight(interest[at, category], need[at, category], floor)
            chosen += 1 if target >= ZERO else 0
        focus[at] = chosen


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def choose_platforms(
    param: Any,
    rows: Rows,
    home_of: Rows,
    drives: Any,
    means: Any,
    shared_host: Words,
    slots: Bytes,
    is_at: Floats,
    offered: Floats,
    on_air: Rows,
    noise: Floats,
    platform: Rows,
    slot_of: Rows,
    followed: Words,
    near: Rows,
) -> None:
    """Platform each opens: logit over those on offer in the country; 255 where there is none.

    Fills followed (n, 7) with the shows on that platform of the six followed hosts and of the host whose room a friend
    shared, 65535 where there is none; `near` is 0 if there is none at all. Noise is Gumbel, (4, n). Places are counted
    and looked up instead of compared: the compiler makes branches of comparisons, and nobody foresees these.
    """
    nobody = np.uint32(on_air.size - 1)
    no_platform = np.uint32(is_at.shape[1] - 1)
    shows = np.zeros(N_FOLLOWS + 1, np.uint32)
    for at in range(rows.size):
        drive, person = drives[rows[at]], means[rows[at]]
        home = home_of[at]
        bond0, bond1, bond2, bond3 = ZERO, ZERO, ZERO, ZERO
        for place in range(N_FOLLOWS):
            show = on_air[min(np.uint32(drive.follows[place]), nobody)]
            shows[place] = show
            there = is_at[home, min(show >> SHOW_BITS, no_platform)]
            bond = np.float32(drive.bonds[place]) * WORD
            bond0 += bond * there[0]
            bond1 += bond * there[1]
            bond2 += bond * there[2]
            bond3 += bond * there[3]
        shows[N_FOLLOWS] = on_air[min(np.uint32(shared_host[rows[at]]), nobody)]
        best = NEVER
        best_slot = ZERO
        for slot, bond in enumerate((bond0, bond1, bond2, bond3)):
            value = (
                platform_utility(
                    param,
                    np.float32(person.habit[slot]) * BYTE,
                    np.float32(person.channel_trust[slot]) * WORD,
                    offered[home, 0, slot],
                    clip_unit(bond),
                )
                + noise[slot, at]
                + offered[home, 1, slot]
            )
            best_slot = np.float32(slot) if value > best else best_slot
            best = value if value > best else best
        chosen = np.uint32(slots[home, np.uint32(best_slot)])
        platform[at] = chosen
        slot_of[at] = np.uint32(best_slot)
        some = np.uint32(0)
        for place in range(N_FOLLOWS + 1):
            away = np.uint32((shows[place] >> SHOW_BITS) != chosen)
            followed[at, place] = np.uint16((shows[place] | (ZERO_WORD - away)) & NO_SHOW)
            some |= away ^ np.uint32(1)
        near[at] = some & np.uint32(chosen != CLOSED)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_candidates(
    visits: Rows,
    rows: Rows,
    birth: Rows,
    home_of: Rows,
    platform: Rows,
    focus: Rows,
    drives: Any,
    followed: Words,
    near: Rows,
    seen: Words,
    before: Words,
    slots: Floats,
    pool: Words,
    platform_by_show: Bytes,
    pair_show: Rows,
    pair_birth: Rows,
    pair_visit: Rows,
    pair_bond: Floats,
) -> np.uint32:
    """Rooms each visitor considers, each once: followed hosts on air, the room a friend shared, and keyed
    recommendation slots.

    Rooms on another platform or visited in this session are left out. `pair_visit` is whose candidate it is.
    Every candidate is written, and written over by the next if it is left out: who is left out cannot be foreseen, and
    a wrongly foreseen branch costs more than writing. Returns the number of pairs.
    """
    no_show = np.uint32(platform_by_show.size - 1)
    pairs = np.uint32(0)
    for at in range(visits.size):
        session = visits[at]
        here = platform[session]
        entries = pool[home_of[session], here, focus[session]]
        first, second = np.uint32(seen[session]), np.uint32(before[session])
        who = birth[session]
        show0 = np.uint32(entries[np.uint32(slots[0, at] * N_SLOTS)])
        show1 = np.uint32(entries[np.uint32(slots[1, at] * N_SLOTS)])
        show2 = np.uint32(entries[np.uint32(slots[2, at] * N_SLOTS)])
        show3 = np.uint32(entries[np.uint32(slots[3, at] * N_SLOTS)])
        kept0 = (platform_by_show[min(show0, no_show)] == here) & (show0 != first) & (show0 != second)
        kept1 = (platform_by_show[min(show1, no_show)] == here) & (show1 != first) & (show1 != second)
        kept2 = (platform_by_show[min(show2, no_show)] == here) & (show2 != first) & (show2 != second)
        kept3 = (platform_by_show[min(show3, no_show)] == here) & (show3 != first) & (show3 != second)
        kept1 &= show1 != show0
        kept2 &= (show2 != show0) & (show2 != show1)
        kept3 &= (show3 != show0) & (show3 != show1) & (show3 != show2)
        if near[session] != 0:
            person = drives[rows[session]]
            shared = np.uint32(followed[session, N_FOLLOWS])
            new = (shared != NOBODY) & (shared != first) & (shared != second)
            for place in range(N_FOLLOWS):
                show = np.uint32(followed[session, place])
                kept = (show != NOBODY) & (show != first) & (show != second)
                pair_show[pairs] = show
                pair_birth[pairs] = who
                pair_visit[pairs] = at
                pair_bond[pairs] = np.float32(person.bonds[place]) * WORD
                pairs += np.uint32(kept)
                new &= shared != show
                kept0 &= show0 != show
                kept1 &= show1 != show
                kept2 &= show2 != show
                kept3 &= show3 != show
            pair_show[pairs] = shared
            pair_birth[pairs] = who
            pair_visit[pairs] = at
            pair_bond[pairs] = ZERO
            pairs += np.uint32(new)
            kept0 &= show0 != shared
            kept1 &= show1 != shared
            kept2 &= show2 != shared
            kept3 &= show3 != shared
        pair_show[pairs] = show0
        pair_birth[pairs] = who
        pair_visit[pairs] = at
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept0)
        pair_show[pairs] = show1
        pair_birth[pairs] = who
        pair_visit[pairs] = at
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept1)
        pair_show[pairs] = show2
        pair_birth[pairs] = who
        pair_visit[pairs] = at
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept2)
        pair_show[pairs] = show3
        pair_birth[pairs] = who
        pair_visit[pairs] = at
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept3)
    return pairs


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def hosts_of(shows: Rows, host_by_show: Rows, hosts: Rows) -> None:
    """Host of each show."""
    for at in range(shows.size):
        hosts[at] = host_by_show[shows[at]]


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def choose_rooms(
    param: Any,
    visits: Rows,
    rows: Rows,
    home_of: Rows,
    means: Any,
    shared_host: Words,
    category_of: Bytes,
    base: Floats,
    comprehension: Floats,
    interest: Floats,
    need: Floats,
    pair_visit: Rows,
    pair_show: Rows,
    pair_host: Rows,
    pair_bond: Floats,
    taste: Floats,
    noise: Floats,
    best: Floats,
    choice: Rows,
    pair_clear: Floats,
    pair_tongue: Rows,
) -> None:
    """Best room of each visitor against staying out.

    `best` comes as the noise of staying out and leaves as the utility of the choice, `choice` is its pair, `NO_ROOM`
    for staying out. Fills, of each pair, the understanding (the best over the languages a viewer knows) and that
    language. All pairs stand in one loop without a question: how many a visitor has cannot be foreseen.
    """
    for at in range(visits.size):
        best[at] = param.room_outside + best[at]
        choice[at] = NO_ROOM
    for pair in range(pair_show.size):
        at = pair_visit[pair]
        session = visits[at]
        row = rows[session]
        show, host = pair_show[pair], pair_host[pair]
        category = category_of[show]
        languages, proficiency = means[row].languages, means[row].proficiency
        tongue, tongue1, tongue2 = np.uint32(languages[0]), np.uint32(languages[1]), np.uint32(languages[2])
        clear = np.float32(proficiency[0]) * BYTE * comprehension[show, tongue]
        clear1 = np.float32(proficiency[1]) * BYTE * comprehension[show, tongue1]
        tongue = tongue1 if clear1 > clear else tongue
        clear = clear1 if clear1 > clear else clear
        clear2 = np.float32(proficiency[2]) * BYTE * comprehension[show, tongue2]
        tongue = tongue2 if clear2 > clear else tongue
        clear = clear2 if clear2 > clear else clear
        value = (
            room_utility(
                param,
                base[show, home_of[session]],
                interest[session, category],
                need[session, category],
                pair_bond[pair],
                clear,
                np.float32(np.uint32(shared_host[row]) == host),
                taste[pair],
            )
            + noise[pair]
        )
        before = best[at]
        best[at] = value if value > before else before
        choice[at] = np.uint32(pair) if value > before else choice[at]
        pair_clear[pair] = clear
        pair_tongue[pair] = tongue


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def enter_rooms(
    visits: Rows,
    birth: Rows,
    choice: Rows,
    pairs: np.uint32,
    pair_show: Rows,
    pair_host: Rows,
    pair_bond: Floats,
    pair_clear: Floats,
    pair_tongue: Rows,
    seen: Words,
    before: Words,
    chosen_show: Rows,
    visit_birth: Rows,
    visit_host: Rows,
    spoken: Rows,
    understood: Floats,
    bond_there: Floats,
) -> int:
    """Whoever stays out leaves the list. Returns how many remain, with their rooms, in their order."""
    remaining = 0
    last = max(pairs, np.uint32(1)) - np.uint32(1)
    for at in range(visits.size):
        session = visits[at]
        enters = choice[at] != NO_ROOM
        pair = min(choice[at], last)
        show = pair_show[pair]
        before[session] = seen[session] if enters else before[session]
        seen[session] = np.uint16(show) if enters else seen[session]
        visits[remaining] = session
        chosen_show[remaining] = show
        visit_birth[remaining] = birth[session]
        visit_host[remaining] = pair_host[pair]
        understood[remaining] = pair_clear[pair]
        bond_there[remaining] = pair_bond[pair]
        spoken[remaining] = pair_tongue[pair]
        remaining += int(enters)
    return remaining


@njit(cache=True, error_model="numpy", forceinline=True)
def pick_tier(tile: Floats, place: np.uint64, u: Float) -> int:
    """Tier by its weight within the nest, in the order of the ladder; at least one of the weights is positive."""
    total = ZERO
    for tier in range(N_TIERS):
        total += tile[place + WEIGHT + np.uint64(tier * TILE)]
    target = u * total
    chosen = -1
    for tier in range(N_TIERS):
        weight = tile[place + WEIGHT + np.uint64(tier * TILE)]
        if weight > ZERO:
            chosen = tier
            target -= weight
            if target < ZERO:
                break
    return chosen


@njit(cache=True, error_model="numpy", forceinline=True)
def offer_flags(offers: Offers, channel: int, line: int) -> np.uint16:
    """Flag bits of an offer known at the decision: guaranteed, tried on, traced (values of sim.kinds.Flag)."""
    flags = np.uint16(0)
    if offers.guaranteed[channel, line] == 1:
        flags |= GUARANTEED
    if offers.tryon[line] == 1:
        flags |= TRIED_ON
    if offers.traced[line] == 1:
        flags |= TRACED
    return flags


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def grow_bonds(
    param: Any,
    visits: Rows,
    rows: Rows,
    drives: Any,
    followed: Words,
    chosen_show: Rows,
    visit_host: Rows,
    units: Floats,
    tile: Floats,
    cells: Rows,
    counted: NDArray[np.int64],
) -> None:
    """A stay strengthens the bond with a followed host, or makes the viewer follow in the place of the weakest bond.

    A bond as strong as a fresh one is not given up. New follows are counted by cell. In `followed` the new host's show
    takes the place of the old one's, who is no candidate for the rest of the session.
    """
    start = np.uint16(np.int32(param.trust_bond_start * WORD_TOP + HALF))
    for at in range(visits.size):
        place = np.uint64(at)
        session = visits[at]
        person = drives[rows[session]]
        host = visit_host[at]
        met = N_FOLLOWS
        weakest = 0
        weakest_bond = np.int32(WEAKER) if person.follows[0] == NOBODY else np.int32(person.bonds[0])
        for slot in range(N_FOLLOWS):
            met = slot if person.follows[slot] == host else met
            empty = person.follows[slot] == NOBODY
            bond = np.int32(person.bonds[slot])
            weaker = empty | (bond < weakest_bond)
            weakest = slot if weaker else weakest
            weakest_bond = (WEAKER if empty else bond) if weaker else weakest_bond
        if met < N_FOLLOWS:
            strength = grown_bond(param, np.float32(person.bonds[met]) * WORD, tile[place + MINUTES])
            person.bonds[met] = np.uint16(np.int32(strength * WORD_TOP + HALF))
            continue
        if units[at] >= param.trust_follow * tile[place + KNOWN]:
            continue
        if weakest_bond != WEAKER and np.float32(weakest_bond) * WORD >= param.trust_bond_start:
            continue
        person.follows[weakest] = host
        followed[session, weakest] = chosen_show[at]
        person.bonds[weakest] = start
        counted[cells[at]] += 1


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def count_visits(
    visits: Rows,
    rows: Rows,
    country: Bytes,
    third: Bytes,
    category_of: Bytes,
    channel: Rows,
    line: Rows,
    tile: Floats,
    cells: Rows,
    counted_visits: NDArray[np.int64],
    counted_seconds: NDArray[np.int64],
    counted_surplus: NDArray[np.int64],
) -> None:
    """Visits, seconds and expected surplus (milli-cents) by cell; fills `cells`."""
    for at in range(visits.size):
        session = visits[at]
        row = rows[session]
        cell = cell_of(country[row], channel[session], category_of[line[at]], third[row])
        cells[at] = cell
        counted_visits[cell] += 1
        counted_seconds[cell] += np.int64(tile[np.uint64(at) + MINUTES] * SECONDS)
        counted_surplus[cell] += np.int64(tile[np.uint64(at) + SURPLUS] * MILLICENTS)


@njit(cache=True, error_model="numpy", forceinline=True)
def cell_of(country: int, channel: int, category: int, third: int) -> int:
    """Cell of the counters: country, channel, category, income third."""
    return ((int(country) * N_CHANNELS + int(channel)) * N_CATEGORIES + int(category)) * N_THIRDS + int(third)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def count_hosts(
    visit_host: Rows,
    chosen_show: Rows,
    language_of: Bytes,
    spoken: Rows,
    tile: Floats,
    host_visits: NDArray[np.int64],
    host_seconds: NDArray[np.int64],
    languages: NDArray[np.int64],
) -> None:
    """Visits and seconds by host, visits by the show's and the viewer's language."""
    for at in range(visit_host.size):
        host_visits[visit_host[at]] += 1
        host_seconds[visit_host[at]] += np.int64(tile[np.uint64(at) + MINUTES] * SECONDS)
        languages[language_of[chosen_show[at]], spoken[at]] += 1


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def decide(
    param: Any,
    day: int,
    visits: Rows,
    rows: Rows,
    home_of: Rows,
    people: People,
    offers: Offers,
    rooms: Rooms,
    channel: Rows,
    chosen_show: Rows,
    line_of: Rows,
    watch_units: Floats,
    buy_units: Floats,
    tile: Floats,
    second: Floats,
    cells: Rows,
    discoveries: NDArray[np.int64],
    bought: Any,
    found: int,
    hopping: Rows,
    hoppers: int,
) -> tuple[int, int]:
    """Buys, or remembers the seller and perhaps hops on. Returns the number of orders and of those who hop.

    Orders are added to `bought` from place `found` on, who hops to `hopping` from place `hoppers` on.
    """
    for at in range(visits.size):
        place = np.uint64(at)
        session = visits[at]
        row = rows[session]
        line = line_of[at]
        second[session] += tile[place + MINUTES] * SECONDS
        if buy_units[0, at] < tile[place + CHANCE]:
            show = chosen_show[at]
            where = channel[session]
            home = home_of[session]
            tier = pick_tier(tile, place, buy_units[1, at])
            of_tier = place + np.uint64(tier) * np.uint64(TILE)
            order = bought[found]
            order.second = np.int32(min(second[session], DAYPART_LENGTH - ONE))
            order.consumer = row
            order.channel = where
            order.line = line
            order.tier = tier
            order.quantity = units_bought(param, buy_units[2, at], tile[of_tier + PRICE], tile[place + LIQUID])
            order.host = rooms.host[show]
            order.landed_cents = offers.landed_cents[line, home, tier]
            order.discount_permille = np.uint16(rooms.discount[show] * PERMILLE + HALF)
            order.promised_days = offers.promised_days[line, home]
            order.expected_quality = tile[of_tier + EXPECTED]
            order.impulse_gap = tile[place + PASSING]
            order.utility = tile[place + NEST]
            order.money_utility = tile[place + ALPHA]
            order.flags = offer_flags(offers, where, line) | (
                DISCLOSED if rooms.disclosed[show] > ZERO else np.uint16(0)
            )
            order.ordinal = LIVE
            found += 1
            continue
        discoveries[cells[at]] += keep_in_mind(
            people.means[row], offers.merchant[line], offers.category[line], np.uint16(day),
            np.uint8(tile[place + KNOWN] * BYTE_TOP),
        )  # fmt: skip
        if watch_units[1, at] < param.room_hop and second[session] < DAYPART_LENGTH:
            hopping[hoppers] = session
            hoppers += 1
    return found, hoppers


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def begin(
    rows: Rows,
    country: Bytes,
    third: Bytes,
    platform: Rows,
    focus: Rows,
    units: Floats,
    openings: NDArray[np.int64],
    second: Floats,
    seen: Words,
    before: Words,
    visits: Rows,
) -> int:
    """Lists the sessions of those whose country has a platform on offer, and counts openings; returns their number."""
    open_sessions = 0
    for at in range(rows.size):
        if platform[at] == CLOSED:
            continue
        row = rows[at]
        openings[cell_of(country[row], platform[at], focus[at], third[row])] += 1
        second[at] = units[at] * DAYPART_LENGTH
        seen[at] = NOBODY
        before[at] = NOBODY
        visits[open_sessions] = at
        open_sessions += 1
    return open_sessions


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def births_of(visits: Rows, birth: Rows, visit_birth: Rows) -> None:
    """Birth number of each visitor."""
    for at in range(visits.size):
        visit_birth[at] = birth[visits[at]]


@njit(error_model="numpy", inline="always")  # a function of its own is compiled twice
def visit_rooms(
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    offers: Offers,
    on_air: Rows,
    platform_by_show: Bytes,
    host_by_show: Rows,
    is_at: Floats,
    offered: Floats,
    pool: Words,
    rows: Rows,
    day: int,
    tick: np.uint32,
    key0: np.uint32,
    key1: np.uint32,
    thread: int,
    bought: Any,
    counts: Counts,
    scratch: Scratch,
) -> int:
    """All live sessions of a block in a daypart: a platform, up to three rooms, at most one order each.

    Writes orders into `bought`, adds to the thread's plane of `counts`, moves viewers' bonds, follows and memories.
    Returns the number of orders.
    """
    size = rows.size
    units, floats, places, shows = (
        scratch.units[thread],
        scratch.floats[thread],
        scratch.places[thread],
        scratch.shows[thread],
    )
    followed, tile = scratch.followed[thread], scratch.tile[thread]
    pair_places, pair_floats = scratch.pair_places[thread], scratch.pair_floats[thread]
    interest, need = scratch.by_category[thread, 0], scratch.by_category[thread, 1]
    birth, platform, slot_of, focus, home = places[0, :size], places[1], places[2], places[3], places[11]
    near = places[12]
    liquid, second = floats[0], floats[1]
    seen, before = shows[0], shows[1]

    meet(
        rows, day, people.birth, people.country, people.drives, setting.need_rate, birth, home, interest, need,
    )  # fmt: skip
    count_money(param, rows, day, people.country, setting.liquidity, people.means, liquid)
    draw_units(birth, OF_NOTHING, tick, PLATFORM, key0, key1, units[0])
    for slot in range(N_PLATFORM_SLOTS):
        to_gumbel(units[0, slot, :size])
    choose_platforms(
        param, rows, home, people.drives, people.means, people.shared_host, setting.platform_slots, is_at, offered,
        on_air, units[0], platform, slot_of, followed, near,
    )  # fmt: skip
    draw_units(birth, OF_SESSION, tick, CANDIDATE, key0, key1, units[1])
    turn_to_category(interest, need, param.opening_focus_floor, units[1, 0, :size], focus)
    visitors = begin(
        rows, people.country, people.third, platform, focus, units[1, 1], counts.openings[thread], second, seen, before,
        places[4],
    )  # fmt: skip

    found: Any = np.int64(0)
    for visit in range(MAX_ROOMS):
        if visitors == 0:
            break
        visits = places[4, :visitors]
        births_of(visits, birth, places[5])
        draw_units(places[5, :visitors], OF_ROOMS, tick, CANDIDATE + np.uint32(visit), key0, key1, units[0])
        draw_noise(places[5, :visitors], OF_STAYING_OUT, tick, ROOM + np.uint32(visit), key0, key1, floats[2])
        pairs = list_candidates(
            visits, rows, birth, home, platform, focus, people.drives, followed, near, seen, before, units[0], pool,
            platform_by_show, pair_places[0], pair_places[1], pair_places[3], pair_floats[2],
        )  # fmt: skip
        hosts_of(pair_places[0, :pairs], host_by_show, pair_places[2])
        draw_tastes(pair_places[1, :pairs], pair_places[2, :pairs], key0, key1, pair_floats[0])
        draw_pair_noise(pair_places[1, :pairs], pair_places[2, :pairs], tick, ROOM, key0, key1, pair_floats[1])
        choose_rooms(
            param, visits, rows, home, people.means, people.shared_host, rooms.category, rooms.base,
            rooms.comprehension, interest, need, pair_places[3], pair_places[0, :pairs], pair_places[2], pair_floats[2],
            pair_floats[0], pair_floats[1], floats[2], places[6], pair_floats[3], pair_places[4],
        )  # fmt: skip
        visitors = enter_rooms(
            visits, birth, places[6], pairs, pair_places[0], pair_places[2], pair_floats[2], pair_floats[3],
            pair_places[4], seen, before, places[7], places[5], places[8], places[9], floats[3], floats[4],
        )  # fmt: skip
        hoppers: Any = np.int64(0)
        for low in range(0, visitors, TILE):
            high = min(low + TILE, visitors)
            size = high - low
            visits, visit_birth, chosen_show = places[4, low:high], places[5, low:high], places[7, low:high]
            visit_host, spoken, line, cells = places[8, low:high], places[9, low:high], places[10], places[6]
            draw_units_with(visit_birth, visit_host, tick, WATCH, key0, key1, units[0])
            gather_stays(
                visits, home, chosen_show, units[0, 0], floats[3, low:high], floats[4, low:high], interest, setting,
                rooms, tile,
            )  # fmt: skip
            measure_stays(param, size, tile)
            hold_eyes(
                param.watching_minutes_per_line, visits, chosen_show, units[0, 3], rooms.lineup, offers.category,
                interest, need, tile, line,
            )  # fmt: skip
            fetch_offers(visits, home, line, offers)
            draw_fits(visit_birth, line, key0, key1, tile)
            gather_claims(chosen_show, platform, visits, line, setting, offers, rooms, tile)
            gather_offers(
                visits, rows, home, people, setting, offers, platform, slot_of, line, interest, need, liquid, tile,
            )  # fmt: skip
            learn(param, size, tile)
            weigh(param, param.purchase_intercept, size, tile)
            count_visits(
                visits, rows, people.country, people.third, offers.category, platform, line, tile, cells,
                counts.visits[thread], counts.seconds[thread], counts.surplus[thread],
            )  # fmt: skip
            count_hosts(
                visit_host, chosen_show, rooms.language, spoken, tile, counts.host_visits[thread],
                counts.host_seconds[thread], counts.languages[thread],
            )  # fmt: skip
            grow_bonds(
                param, visits, rows, people.drives, followed, chosen_show, visit_host, units[0, 2], tile, cells,
                counts.follows[thread],
            )  # fmt: skip
            draw_units_with(visit_birth, visit_host, tick, BUY, key0, key1, units[1])
            found, hoppers = decide(
                param, day, visits, rows, home, people, offers, rooms, platform, chosen_show, line, units[0], units[1],
                tile, second, cells, counts.discoveries[thread], bought, found, places[4], hoppers,
            )  # fmt: skip
        visitors = hoppers
    return found


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_results(
    rows: Rows,
    birth: Rows,
    home_of: Rows,
    day: int,
    means: Any,
    focus: Rows,
    slots: Floats,
    shelf: Words,
    line_of_seller: Words,
    offers: Offers,
    familiar: Rows,
    ends: Rows,
    pair_line: Rows,
    pair_birth: Rows,
) -> int:
    """Lines each searcher looks at: four keyed slots of the query and the line of the category's remembered seller.

    `familiar` is that line, 65535 if none. Asks for what the lines cost and promise. Returns the number of pairs.
    """
    landed_cents, remembered_usd, promised_days = offers.landed_cents, offers.remembered_usd, offers.promised_days
    discounted_share = offers.discounted_share
    pairs = 0
    for at in range(rows.size):
        person = means[rows[at]]
        home = home_of[at]
        category = focus[at]
        known_line = NOBODY
        for place in range(N_MEMORY):
            if (
                person.memory_seller[place] != NOBODY
                and (person.memory_kind[place] & KIND) == category
                and day - int(person.memory_day[place]) <= MEMORY_DAYS
            ):
                entry = line_of_seller[person.memory_seller[place], category]
                known_line = entry if entry != NOBODY else known_line
        familiar[at] = known_line
        for candidate in range(N_RESULTS + 1):
            line = known_line
            if candidate < N_RESULTS:
                line = shelf[home, category, np.uint32(slots[candidate, at] * N_SLOTS)]
            if line == NOBODY:
                continue
            fetch(landed_cents[line], home)
            fetch(remembered_usd[line], home)
            fetch(promised_days[line], home)
            fetch(discounted_share[line], home)
            pair_line[pairs] = line
            pair_birth[pairs] = birth[at]
            pairs += 1
        ends[at] = pairs
    return pairs


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def choose_results(
    param: Any,
    rows: Rows,
    home_of: Rows,
    people: People,
    setting: Setting,
    offers: Offers,
    focus: Rows,
    site_draw: Floats,
    familiar: Rows,
    ends: Rows,
    pair_line: Rows,
    noise: Floats,
    openings: NDArray[np.int64],
    channel: Rows,
    searches: Rows,
    chosen_line: Rows,
    known: Floats,
) -> int:
    """Line each searcher turns to, and whether on the seller's own site; counts searches. Returns how many found."""
    third, means = people.third, people.means
    price_weight, price_taste = setting.price_weight, setting.price_taste
    landed_cents, remembered_usd, promised_days = offers.landed_cents, offers.remembered_usd, offers.promised_days
    merchant_of, reputation, own_site, tryon = offers.merchant, offers.reputation, offers.own_site, offers.tryon
    reference_usd, discounted_share = offers.reference_usd, offers.discounted_share
    discount = setting.page_discount[SHELF_CHANNEL]
    remaining = 0
    pair = np.uint32(0)
    for at in range(rows.size):
        row = rows[at]
        person = means[row]
        home = home_of[at]
        category = np.uint8(focus[at])
        alpha = money_utility(
            param, price_weight[category], reference_usd[category], person.money_weight * price_taste[home]
        )
        best = NEVER
        chosen = NOBODY
        while pair < ends[at]:
            line = pair_line[pair]
            merchant = merchant_of[line]
            landed = np.float32(landed_cents[line, home, 0]) * CENT
            price = landed * (ONE - discount * discounted_share[line, home])
            value = (
                search_utility(
                    param,
                    reputation[merchant],
                    ONE if line == familiar[at] else ZERO,
                    remembered(person, merchant, category),
                    price_utility(param, alpha, price, remembered_usd[line, home]),
                    person.delay_weight * promised_days[line, home],
                )
                + noise[pair]
            )
            better = (value > best) & (landed > ZERO)
            best = value if better else best
            chosen = np.uint16(line) if better else chosen
            pair += np.uint32(1)
        where = SHELF_CHANNEL
        known_site = chosen != NOBODY and chosen == familiar[at] and own_site[merchant_of[chosen]] == 1
        if known_site and site_draw[at] < param.shelf_brand_site_share:
            where = BRAND_SITE
        channel[at] = where
        openings[cell_of(home, where, category, third[row])] += 1
        if chosen != NOBODY:
            searches[remaining] = at
            chosen_line[remaining] = chosen
            known[remaining] = shelf_knowledge(param, np.float32(tryon[chosen]))
            remaining += 1
    return remaining


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def decide_on_results(
    param: Any,
    searches: Rows,
    rows: Rows,
    people: People,
    setting: Setting,
    offers: Offers,
    channel: Rows,
    line_of: Rows,
    start: Floats,
    buy_units: Floats,
    tile: Floats,
    counted_surplus: NDArray[np.int64],
    bought: Any,
    found: int,
) -> int:
    """Buys or not; counts expected surplus (milli-cents). Orders go into `bought` from `found` on; returns the end."""
    country, third, category_of = people.country, people.third, offers.category
    for at in range(searches.size):
        place = np.uint64(at)
        session = searches[at]
        row = rows[session]
        home = country[row]
        line = line_of[at]
        where = channel[session]
        counted_surplus[cell_of(home, where, category_of[line], third[row])] += np.int64(
            tile[place + SURPLUS] * MILLICENTS
        )
        if buy_units[0, at] >= tile[place + CHANCE]:
            continue
        tier = pick_tier(tile, place, buy_units[1, at])
        of_tier = place + np.uint64(tier) * np.uint64(TILE)
        order = bought[found]
        order.second = np.int32(min(start[session] * DAYPART_LENGTH, DAYPART_LENGTH - ONE))
        order.consumer = row
        order.channel = where
        order.line = line
        order.tier = tier
        order.quantity = units_bought(param, buy_units[2, at], tile[of_tier + PRICE], tile[place + LIQUID])
        order.host = NOBODY
        order.landed_cents = offers.landed_cents[line, home, tier]
        order.discount_permille = np.uint16(setting.page_discount[where] * PERMILLE + HALF)
        order.promised_days = offers.promised_days[line, home]
        order.expected_quality = tile[of_tier + EXPECTED]
        order.impulse_gap = ZERO
        order.utility = tile[place + NEST]
        order.money_utility = tile[place + ALPHA]
        order.flags = offer_flags(offers, where, line)
        order.ordinal = SEARCH
        found += 1
    return found


@njit(error_model="numpy", inline="always")  # a function of its own is compiled twice
def search_shelves(
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    offers: Offers,
    shelf: Words,
    line_of_seller: Words,
    rows: Rows,
    day: int,
    tick: np.uint32,
    key0: np.uint32,
    key1: np.uint32,
    thread: int,
    bought: Any,
    found: int,
    counts: Counts,
    scratch: Scratch,
) -> int:
    """All searches of a block in a daypart: a category, candidate lines, at most one order each.

    shelf: (C, K, 64) lines in slots; line_of_seller: (merchants, K) a seller's line in a category, 65535 none. A
    remembered seller with a site of its own may be visited there instead. Returns where the orders end.
    """
    size = rows.size
    units, floats, places = scratch.units[thread], scratch.floats[thread], scratch.places[thread]
    tile, pair_places, pair_floats = scratch.tile[thread], scratch.pair_places[thread], scratch.pair_floats[thread]
    interest, need = scratch.by_category[thread, 0], scratch.by_category[thread, 1]
    birth, channel, slot_of, focus, home = places[0, :size], places[1], places[2], places[3], places[11]
    familiar, ends = places[5], places[6]
    liquid = floats[0]

    meet(
        rows, day, people.birth, people.country, people.drives, setting.need_rate, birth, home, interest, need,
    )  # fmt: skip
    count_money(param, rows, day, people.country, setting.liquidity, people.means, liquid)
    draw_units(birth, OF_SEARCH, tick, SHELF_CANDIDATE, key0, key1, units[0])
    draw_units(birth, OF_RESULTS, tick, SHELF_CANDIDATE, key0, key1, units[1])
    turn_to_category(interest, need, param.opening_focus_floor, units[0, 0, :size], focus)
    pairs = list_results(
        rows, birth, home, day, people.means, focus, units[1],
        shelf, line_of_seller, offers, familiar, ends, pair_places[0], pair_places[1],
    )  # fmt: skip
    draw_pair_noise(pair_places[1, :pairs], pair_places[0, :pairs], tick, SHELF_NOISE, key0, key1, pair_floats[0])
    facing = choose_results(
        param, rows, home, people, setting, offers, focus, units[0, 2], familiar, ends, pair_places[0], pair_floats[0],
        counts.openings[thread], channel, places[4], places[10], floats[2],
    )  # fmt: skip
    slot_of[:size] = N_PLATFORM_SLOTS  # trust in shelf and brand sites stands behind the platforms'
    known = floats[2]
    for low in range(0, facing, TILE):
        high = min(low + TILE, facing)
        searches, line, visit_birth = places[4, low:high], places[10, low:high], places[5, : high - low]
        fetch_offers(searches, home, line, offers)
        births_of(searches, birth, visit_birth)
        draw_fits(visit_birth, line, key0, key1, tile)
        claim_nothing(searches, channel, known[low:high], setting.page_discount, tile)
        gather_offers(
            searches, rows, home, people, setting, offers, channel, slot_of, line, interest, need, liquid, tile,
        )  # fmt: skip
        weigh(param, param.purchase_shelf_intercept, high - low, tile)
        draw_units(visit_birth, OF_NOTHING, tick, SHELF_BUY, key0, key1, units[1])
        found = decide_on_results(
            param, searches, rows, people, setting, offers, channel, line, units[0, 1], units[1], tile,
            counts.surplus[thread], bought, found,
        )  # fmt: skip
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def run_blocks(
    thread: int,
    threads: int,
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    offers: Offers,
    show_of_host: Words,
    pool: Words,
    shelf: Words,
    line_of_seller: Words,
    day: int,
    daypart: int,
    key0: np.uint32,
    key1: np.uint32,
    order: Rows,
    bounds: NDArray[np.int64],
    starts: NDArray[np.int64],
    taken: NDArray[np.int64],
    bought: Any,
    counts: Counts,
    scratch: Scratch,
) -> None:
    """One thread's share of `run_sessions`."""
    on_air, platform_by_show, host_by_show = list_hosts(show_of_host, rooms.platform, rooms.host)
    is_at, offered = list_slots(setting.platform_slots, setting.expected_by_platform)
    tick = np.uint32(day * 8 + daypart)
    blocks = bounds.shape[1]
    for block in range(thread, blocks, threads):  # by turns, since countries, and with them stretches, differ
        viewers = order[0, bounds[0, block, daypart] : bounds[0, block, daypart + 1]]
        searchers = order[1, bounds[1, block, daypart] : bounds[1, block, daypart + 1]]
        fetch_people(viewers, people)
        fetch_people(searchers, people)
        place = bought[starts[block] : starts[block + 1]]
        found = visit_rooms(
            param[0], people, setting, rooms, offers, on_air, platform_by_show, host_by_show, is_at, offered, pool,
            viewers, day, tick, key0, key1, thread, place, counts, scratch,
        )  # fmt: skip
        taken[block] = search_shelves(
            param[0], people, setting, rooms, offers, shelf, line_of_seller, searchers, day, tick, key0, key1, thread,
            place, found, counts, scratch,
        )  # fmt: skip


def run_sessions(
    param: NDArray[Any],
    people: People,
    setting: Setting,
    rooms: Rooms,
    offers: Offers,
    show_of_host: Words,
    pool: Words,
    shelf: Words,
    line_of_seller: Words,
    day: int,
    daypart: int,
    key0: np.uint32,
    key1: np.uint32,
    threads: int,
    order: Rows,
    bounds: NDArray[np.int64],
    starts: NDArray[np.int64],
    taken: NDArray[np.int64],
    bought: NDArray[Any],
    counts: Counts,
    scratch: Scratch,
) -> None:
    """All live sessions and searches of a daypart.

    Orders of block b stand in `bought` from `starts[b]` on, `taken[b]` of them; there is a place for every session.
    """
    on_threads(
        threads, run_blocks, param, people, setting, rooms, offers, show_of_host, pool, shelf, line_of_seller, day,
        daypart, key0, key1, order, bounds, starts, taken, bought, counts, scratch,
    )  # fmt: skip


class Columns(NamedTuple):
    """What was decided in a daypart, by column; (n,) each. See `sim.messages.Intents`."""

    time: NDArray[np.int64]
    consumer: NDArray[np.int64]
    country: Bytes
    streamer: Words
    landed_cents: NDArray[np.int32]
    promised_days: Floats
    expected_quality: Floats
    impulse_gap: Floats
    utility: Floats
    money_utility: Floats
    line: Words
    discount_permille: Words
    flags: Words
    channel: Bytes
    tier: Bytes
    quantity: Bytes
    ordinal: Bytes


@njit(cache=True, error_model="numpy")
def collect(
    bought: Any,
    starts: NDArray[np.int64],
    taken: NDArray[np.int64],
    birth_of: Rows,
    country_of: Bytes,
    begin: int,
    length: int,
    sorted_places: NDArray[np.int64],
    out: Columns,
) -> None:
    """Takes the orders out of the blocks' stretches, sorted by time, birth number and ordinal.

    Sorted by counting how many fall in each of the `length` seconds, then, within a second, by insertion. `begin` is
    the daypart's first second; `sorted_places` (n,) is working memory.
    """
    ends = np.zeros(length + 1, np.int64)
    for block in range(taken.size):
        for place in range(starts[block], starts[block] + taken[block]):
            ends[bought[place].second + 1] += 1
    for second in range(length):
        ends[second + 1] += ends[second]
    for block in range(taken.size):
        for place in range(starts[block], starts[block] + taken[block]):
            fetch(birth_of, bought[place].consumer)
            fetch(country_of, bought[place].consumer)
            second = bought[place].second
            sorted_places[ends[second]] = place
            ends[second] += 1
    for at in range(1, sorted_places.size):
        place = sorted_places[at]
        second, birth = bought[place].second, birth_of[bought[place].consumer]
        hole = at
        while hole > 0:
            other = bought[sorted_places[hole - 1]]
            if other.second != second or birth_of[other.consumer] < birth:
                break
            if birth_of[other.consumer] == birth and other.ordinal <= bought[place].ordinal:
                break
            sorted_places[hole] = sorted_places[hole - 1]
            hole -= 1
        sorted_places[hole] = place
    for at in range(sorted_places.size):
        order = bought[sorted_places[at]]
        out.time[at] = begin + order.second
        out.consumer[at] = order.consumer
        out.country[at] = country_of[order.consumer]
        out.streamer[at] = order.host
        out.landed_cents[at] = order.landed_cents
        out.promised_days[at] = order.promised_days
        out.expected_quality[at] = order.expected_quality
        out.impulse_gap[at] = order.impulse_gap
        out.utility[at] = order.utility
        out.money_utility[at] = order.money_utility
        out.line[at] = order.line
        out.discount_permille[at] = order.discount_permille
        out.flags[at] = order.flags
        out.channel[at] = order.channel
        out.tier[at] = order.tier
        out.quantity[at] = order.quantity
        out.ordinal[at] = order.ordinal
