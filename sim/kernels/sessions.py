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
    buying_value,
    claims_weight,
    clip_unit,
    expected_quality,
    expected_surplus,
    focus_weight,
    grown_bond,
    impulse,
    information,
    left_to_spend,
    money_utility,
    need_level,
    nest_utility,
    perceived_risk,
    platform_utility,
    price_utility,
    room_utility,
    search_utility,
    shelf_knowledge,
    stay_log_scale,
    stay_minutes,
    tier_utility,
    tier_weight,
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
    LINEUP,
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
    PROOF_CAP,
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
    fit_of,
    host_taste,
    noise_of,
    remember,
    remembered,
)
from sim.kernels.maths import HALF, ONE, ZERO, gumbel, sigmoid
from sim.kernels.threads import fetch, on_threads

MOST_CANDIDATES = N_FOLLOWS + 1 + N_RECOMMENDED
LIVE, SEARCH = 0, 1
N_UNITS, N_FLOATS, N_PLACES, N_SHOWS = 2, 18, 13, 2
NO_ROOM = np.uint32(0xFFFFFFFF)
NO_SHOW, SHOW_BITS, ZERO_WORD = np.uint32(0xFFFF), np.uint32(16), np.uint32(0)
FAR_BEHIND = np.float32(-1e8)  # no tier that can be bought lies so far behind the best
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
    floats: NDArray[np.float32]  # (T, 18, width)
    places: NDArray[np.uint32]  # (T, 13, width)
    shows: NDArray[np.uint16]  # (T, 2, width)
    followed: NDArray[np.uint16]  # (T, width, 7)
    by_category: NDArray[np.float32]  # (T, 2, width, 8)
    by_tier: NDArray[np.float32]  # (T, 3, width, 4)
    pair_places: NDArray[np.uint32]  # (T, 3, 11 * width)
    pair_floats: NDArray[np.float32]  # (T, 3, 11 * width)


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
        by_tier=np.zeros((threads, 3, width, N_TIERS), np.float32),
        pair_places=np.zeros((threads, 3, pairs), np.uint32),
        pair_floats=np.zeros((threads, 3, pairs), np.float32),
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


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def draw_fits(birth: Rows, line: Rows, key0: np.uint32, key1: np.uint32, fit: Floats) -> None:
    """How each line fits its person."""
    for at in range(birth.size):
        fit[at] = fit_of(birth[at], line[at], key0, key1)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def measure_stays(units: Floats, log_scale: Floats, shape: Float, longest: Float, minutes: Floats) -> None:
    """Minutes of each visit."""
    for at in range(log_scale.size):
        minutes[at] = stay_minutes(units[at], log_scale[at], shape, longest)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def close_nests(values: Floats, shared: Floats, best: Floats, spread: Float, weights: Floats, nest: Floats) -> None:
    """Weights of tiers in place of their utilities less the best one's (n, 4), 0 where not to be had, and the utility
    of buying of each visit, which is near `NEVER` where no tier can be bought."""
    flat = values[: shared.size].reshape(-1)
    for at in range(flat.size):
        behind = flat[at]
        weight = tier_weight(behind, ZERO, spread)
        flat[at] = weight if behind > FAR_BEHIND else ZERO
    for at in range(shared.size):
        weights[at] = values[at, 0] + values[at, 1] + values[at, 2] + values[at, 3]
    for at in range(shared.size):
        nest[at] = nest_utility(shared[at], best[at], weights[at], spread)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def weigh_nests(nest: Floats, alpha: Floats, chance: Floats, surplus: Floats) -> None:
    """Chance to buy and expected surplus (USD) of each visit."""
    for at in range(nest.size):
        chance[at] = sigmoid(nest[at])
        surplus[at] = expected_surplus(nest[at], alpha[at])


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
        fetch(people.records, rows[at])
        fetch(people.birth, rows[at])
        fetch(people.trust, rows[at])
        fetch(people.shared_host, rows[at])


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def meet(
    rows: Rows,
    day: int,
    birth_of: Rows,
    country: Bytes,
    records: Any,
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
        stored, own = records[row].interests, interest[at]
        for category in range(own.size):
            own[category] = np.float32(stored[category]) * BYTE
        last, level, rate = records[row].need_day, need[at], need_rate[country[row]]
        for category in range(level.size):
            level[category] = need_level(np.float32(np.int32(day) - np.int32(last[category])), rate[category])


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def count_money(
    param: Any,
    rows: Rows,
    day: int,
    country: Bytes,
    liquidity: Floats,
    records: Any,
    liquid: Floats,
) -> None:
    """What each can spend today, USD."""
    for at in range(rows.size):
        person = records[rows[at]]
        days = np.float32(np.int32(day) - np.int32(person.spent_day))
        left = left_to_spend(param, np.float32(person.budget_cents), person.spent_cents, days)
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
    records: Any,
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
        person = records[rows[at]]
        home = home_of[at]
        bond0, bond1, bond2, bond3 = ZERO, ZERO, ZERO, ZERO
        for place in range(N_FOLLOWS):
            show = on_air[min(np.uint32(person.follows[place]), nobody)]
            shows[place] = show
            there = is_at[home, min(show >> SHOW_BITS, no_platform)]
            bond = np.float32(person.bonds[place]) * WORD
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
    records: Any,
    followed: Words,
    near: Rows,
    seen: Words,
    before: Words,
    slots: Floats,
    pool: Words,
    platform_by_show: Bytes,
    ends: Rows,
    pair_show: Rows,
    pair_birth: Rows,
    pair_bond: Floats,
) -> np.uint32:
    """Rooms each visitor considers, each once: followed hosts on air, the room a friend shared, and keyed
    recommendation slots.

    Rooms on another platform or visited in this session are left out. `ends[v]` is where the candidates of visit v end.
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
            person = records[rows[session]]
            shared = np.uint32(followed[session, N_FOLLOWS])
            new = (shared != NOBODY) & (shared != first) & (shared != second)
            for place in range(N_FOLLOWS):
                show = np.uint32(followed[session, place])
                kept = (show != NOBODY) & (show != first) & (show != second)
                pair_show[pairs] = show
                pair_birth[pairs] = who
                pair_bond[pairs] = np.float32(person.bonds[place]) * WORD
                pairs += np.uint32(kept)
                new &= shared != show
                kept0 &= show0 != show
                kept1 &= show1 != show
                kept2 &= show2 != show
                kept3 &= show3 != show
            pair_show[pairs] = shared
            pair_birth[pairs] = who
            pair_bond[pairs] = ZERO
            pairs += np.uint32(new)
            kept0 &= show0 != shared
            kept1 &= show1 != shared
            kept2 &= show2 != shared
            kept3 &= show3 != shared
        pair_show[pairs] = show0
        pair_birth[pairs] = who
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept0)
        pair_show[pairs] = show1
        pair_birth[pairs] = who
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept1)
        pair_show[pairs] = show2
        pair_birth[pairs] = who
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept2)
        pair_show[pairs] = show3
        pair_birth[pairs] = who
        pair_bond[pairs] = ZERO
        pairs += np.uint32(kept3)
        ends[at] = pairs
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
    birth: Rows,
    home_of: Rows,
    records: Any,
    shared_host: Words,
    category_of: Bytes,
    base: Floats,
    comprehension: Floats,
    interest: Floats,
    need: Floats,
    outside: Floats,
    ends: Rows,
    pair_show: Rows,
    pair_host: Rows,
    pair_bond: Floats,
    taste: Floats,
    noise: Floats,
    seen: Words,
    before: Words,
    chosen_show: Rows,
    visit_birth: Rows,
    visit_host: Rows,
    spoken: Rows,
    understood: Floats,
    bond_there: Floats,
) -> int:
    """Best room of each visitor against staying out; whoever stays out leaves the list. Returns how many remain.

    Understanding is the best over the languages a viewer knows, and `spoken` that language.
    """
    remaining = 0
    pair = np.uint32(0)
    for at in range(visits.size):
        session = visits[at]
        row = rows[session]
        home = home_of[session]
        shared = np.uint32(shared_host[row])
        languages, proficiency = records[row].languages, records[row].proficiency
        tongue0, tongue1, tongue2 = languages[0], languages[1], languages[2]
        skill0 = np.float32(proficiency[0]) * BYTE
        skill1 = np.float32(proficiency[1]) * BYTE
        skill2 = np.float32(proficiency[2]) * BYTE
        best = param.room_outside + outside[at]
        chosen = NO_ROOM
        best_host = np.uint32(0)
        best_bond = ZERO
        best_understood = ZERO
        best_spoken = tongue0
        while pair < ends[at]:
            show = pair_show[pair]
            host = pair_host[pair]
            category = category_of[show]
            clear = skill0 * comprehension[show, tongue0]
            tongue = tongue0
            clear1 = skill1 * comprehension[show, tongue1]
            tongue = tongue1 if clear1 > clear else tongue
            clear = clear1 if clear1 > clear else clear
            clear2 = skill2 * comprehension[show, tongue2]
            tongue = tongue2 if clear2 > clear else tongue
            clear = clear2 if clear2 > clear else clear
            bond = pair_bond[pair]
            value = (
                room_utility(
                    param,
                    base[show, home],
                    interest[session, category],
                    need[session, category],
                    bond,
                    clear,
                    ONE if shared == host else ZERO,
                    taste[pair],
                )
                + noise[pair]
            )
            better = value > best
            best = value if better else best
            chosen = show if better else chosen
            best_host = host if better else best_host
            best_bond = bond if better else best_bond
            best_understood = clear if better else best_understood
            best_spoken = tongue if better else best_spoken
            pair += np.uint32(1)
        if chosen != NO_ROOM:
            before[session] = seen[session]
            seen[session] = chosen
            visits[remaining] = session
            chosen_show[remaining] = chosen
            visit_birth[remaining] = birth[session]
            visit_host[remaining] = best_host
            understood[remaining] = best_understood
            bond_there[remaining] = best_bond
            spoken[remaining] = best_spoken
            remaining += 1
    return remaining


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def scale_stays(
    param: Any,
    visits: Rows,
    home_of: Rows,
    chosen_show: Rows,
    understood: Floats,
    bond: Floats,
    interest: Floats,
    stutter: Floats,
    interaction: Floats,
    culture: Floats,
    skill: Floats,
    lively: Floats,
    category_of: Bytes,
    log_scale: Floats,
) -> None:
    """Log scale of the minutes of each visit."""
    for at in range(visits.size):
        session = visits[at]
        show = chosen_show[at]
        home = home_of[session]
        log_scale[at] = stay_log_scale(
            param,
            understood[at],
            stutter[home],
            culture[show, home],
            skill[show],
            bond[at],
            interest[session, category_of[show]],
            lively[show] * interaction[home],
        )


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def watch(
    param: Any,
    visits: Rows,
    rows: Rows,
    home_of: Rows,
    trust_of: Words,
    stutter: Floats,
    interaction: Floats,
    impulse_of: Floats,
    lineup: Words,
    lively_of: Floats,
    disclosed: Floats,
    discount: Floats,
    category_of: Bytes,
    tryon: Bytes,
    chosen_show: Rows,
    first_line: Floats,
    interest: Floats,
    need: Floats,
    minutes: Floats,
    understood: Floats,
    bond: Floats,
    line: Rows,
    known: Floats,
    belief: Floats,
    passing: Floats,
) -> None:
    """The line that holds the eye, what is learnt of it, what is believed of the claims, and the passing impulse.

    Of the lines shown while the viewer was there, the one that meets the strongest need holds the eye.
    """
    for at in range(visits.size):
        session = visits[at]
        home = home_of[session]
        show = chosen_show[at]
        shown = min(1 + int(minutes[at] / param.watching_minutes_per_line), LINEUP)
        first = int(first_line[at] * np.float32(LINEUP))
        held = lineup[show, first]
        strongest = -ONE
        for step in range(LINEUP):
            candidate = lineup[show, (first + step) & (LINEUP - 1)]
            kind = category_of[candidate]
            pull = interest[session, kind] * need[session, kind]
            better = (step < shown) & (pull > strongest)
            strongest = pull if better else strongest
            held = candidate if better else held
        line[at] = held
        lively = lively_of[show] * interaction[home]
        known[at] = information(param, minutes[at], understood[at], stutter[home], lively, np.float32(tryon[held]))
        trust = np.float32(trust_of[rows[session]]) * WORD
        belief[at] = claims_weight(param, clip_unit(trust + bond[at] * (ONE - trust)), disclosed[show])
        passing[at] = impulse(param, minutes[at], clip_unit(lively), discount[show], impulse_of[category_of[held]])


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def fetch_offers(visits: Rows, home_of: Rows, line: Rows, offers: Offers) -> None:
    """Asks for what the lines cost and promise where their viewers live."""
    for at in range(visits.size):
        home = home_of[visits[at]]
        fetch(offers.landed_cents[line[at]], home)
        fetch(offers.remembered_usd[line[at]], home)
        fetch(offers.promised_days[line[at]], home)
        fetch(offers.discounted_share[line[at]], home)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def weigh(
    param: Any,
    kind: np.uint8,
    visits: Rows,
    rows: Rows,
    home_of: Rows,
    people: People,
    setting: Setting,
    offers: Offers,
    rooms: Rooms,
    channel: Rows,
    slot_of: Rows,
    chosen_show: Rows,
    line_of: Rows,
    interest: Floats,
    need: Floats,
    liquid: Floats,
    known_of: Floats,
    belief_of: Floats,
    passing_of: Floats,
    bond_of: Floats,
    fit_of_line: Floats,
    shared: Floats,
    best: Floats,
    alpha_of: Floats,
    quality_of: Floats,
    price_of: Floats,
    value_of: Floats,
) -> None:
    """Values of the four tiers of the line each person faces, live or on a shelf.

    Fills, per visit: `shared` (utility common to the tiers), `best` (the best tier's own; `NEVER` if none is sold or
    affordable), `weights` (sum of the tiers' weights), `alpha_of` (marginal utility of a dollar); per tier (n, 4)
    expected quality, price shown (USD) and weight within the nest (0 where not to be had). On a shelf there is no show:
    `belief_of`, `passing_of` and `bond_of` are not read.
    """
    trust_of, proof, records = people.trust, people.proof, people.records
    price_weight, price_taste, detail, risk_of = setting.price_weight, setting.price_taste, setting.detail, setting.risk
    fit_spread, steps, subsidy_usd = setting.fit_spread, setting.steps, setting.subsidy_usd
    price_cents, service_fee = offers.price_cents, setting.service_fee
    landed_cents, discounted_share, remembered_usd = offers.landed_cents, offers.discounted_share, offers.remembered_usd
    promised_days, category_of, merchant_of = offers.promised_days, offers.category, offers.merchant
    quality, typical, reputation, reference_usd = (
        offers.quality,
        offers.typical,
        offers.reputation,
        offers.reference_usd,
    )
    guaranteed, certified, traced = offers.guaranteed, offers.certified, offers.traced
    exaggeration_of, discount_of = rooms.exaggeration, rooms.discount
    live = kind == LIVE
    intercept = param.purchase_intercept if live else param.purchase_shelf_intercept
    for at in range(visits.size):
        session = visits[at]
        row = rows[session]
        person = records[row]
        home = home_of[session]
        line = line_of[at]
        where = channel[session]
        category = category_of[line]
        merchant = merchant_of[line]
        known = known_of[at]
        bond, passing, belief, exaggeration, discount, subsidy = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
        if live:
            show = chosen_show[at]
            bond, passing, belief = bond_of[at], passing_of[at], belief_of[at]
            exaggeration, discount, subsidy = exaggeration_of[show], discount_of[show], subsidy_usd[where]
        trust = HALF * (np.float32(trust_of[row]) * WORD + np.float32(person.channel_trust[slot_of[session]]) * WORD)
        alpha = money_utility(
            param, price_weight[category], reference_usd[category], person.money_weight * price_taste[home]
        )
        risk = perceived_risk(
            param,
            risk_of[category],
            known,
            trust,
            np.float32(guaranteed[where, line]),
            np.float32(certified[line]),
            np.float32(traced[line]),
        )
        shared[at] = (
            intercept
            + buying_value(
                param,
                need[session, category],
                interest[session, category],
                trust,
                bond,
                min(np.float32(proof[row]), PROOF_CAP),
                remembered(person, merchant, category),
                risk,
                person.delay_weight * promised_days[line, home],
                steps[where],
            )
            + passing
        )
        fit = known * (fit_of_line[at] * fit_spread[category])
        share = ONE - discount * discounted_share[line, home]
        usual = remembered_usd[line, home] / (np.float32(landed_cents[line, home, 0]) * CENT)
        fee = service_fee[where] * (ONE - discount)
        top = NEVER
        for tier in range(N_TIERS):
            landed = np.float32(landed_cents[line, home, tier]) * CENT
            service = fee * (np.float32(price_cents[line, home, tier]) * CENT) if fee > ZERO else ZERO
            price = landed * share + service - subsidy
            price = price if price > ZERO else ZERO
            expected = fit + expected_quality(
                param, quality[line, tier], typical[category, tier], reputation[merchant], exaggeration, belief, known
            )
            quality_of[at, tier] = expected
            price_of[at, tier] = price
            value = tier_utility(param, detail[home], expected, price_utility(param, alpha, price, usual * landed))
            value = NEVER if (landed <= ZERO) | (price > liquid[session]) else value
            value_of[at, tier] = value
            top = value if value > top else top
        for tier in range(N_TIERS):
            value_of[at, tier] -= top
        best[at] = top
        alpha_of[at] = alpha


@njit(cache=True, error_model="numpy", forceinline=True)
def pick_tier(weights: Floats, u: Float) -> int:
    """Tier by its weight within the nest, in the order of the ladder; weights: (4,), at least one of them positive."""
    total = ZERO
    for tier in range(N_TIERS):
        total += weights[tier]
    target = u * total
    chosen = -1
    for tier in range(N_TIERS):
        if weights[tier] > ZERO:
            chosen = tier
            target -= weights[tier]
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
    records: Any,
    followed: Words,
    chosen_show: Rows,
    visit_host: Rows,
    minutes: Floats,
    known: Floats,
    units: Floats,
    cells: Rows,
    counted: NDArray[np.int64],
) -> None:
    """A stay strengthens the bond with a followed host, or makes the viewer follow in the place of the weakest bond.

    A bond as strong as a fresh one is not given up. New follows are counted by cell. In `followed` the new host's show
    takes the place of the old one's, who is no candidate for the rest of the session.
    """
    start = np.uint16(np.int32(param.trust_bond_start * WORD_TOP + HALF))
    for at in range(visits.size):
        session = visits[at]
        person = records[rows[session]]
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
            strength = grown_bond(param, np.float32(person.bonds[met]) * WORD, minutes[at])
            person.bonds[met] = np.uint16(np.int32(strength * WORD_TOP + HALF))
            continue
        if units[at] >= param.trust_follow * known[at]:
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
    minutes: Floats,
    surplus: Floats,
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
        counted_seconds[cell] += np.int64(minutes[at] * SECONDS)
        counted_surplus[cell] += np.int64(surplus[at] * MILLICENTS)


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
    minutes: Floats,
    host_visits: NDArray[np.int64],
    host_seconds: NDArray[np.int64],
    languages: NDArray[np.int64],
) -> None:
    """Visits and seconds by host, visits by the show's and the viewer's language."""
    for at in range(visit_host.size):
        host_visits[visit_host[at]] += 1
        host_seconds[visit_host[at]] += np.int64(minutes[at] * SECONDS)
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
    chance: Floats,
    minutes: Floats,
    liquid: Floats,
    known: Floats,
    passing: Floats,
    nest: Floats,
    alpha: Floats,
    quality: Floats,
    price: Floats,
    weights: Floats,
    second: Floats,
    cells: Rows,
    discoveries: NDArray[np.int64],
    bought: Any,
    found: int,
) -> tuple[int, int]:
    """Buys, or remembers the seller and perhaps hops on. Returns the number of orders and of those who hop.

    Orders are added to `bought` from place `found` on; who hops stays in `visits`.
    """
    memory_seller, memory_kind, memory_day = people.memory_seller, people.memory_kind, people.memory_day
    memory_score = people.memory_score
    hoppers = 0
    for at in range(visits.size):
        session = visits[at]
        row = rows[session]
        line = line_of[at]
        second[session] += minutes[at] * SECONDS
        if buy_units[0, at] < chance[at]:
            show = chosen_show[at]
            where = channel[session]
            home = home_of[session]
            tier = pick_tier(weights[at], buy_units[1, at])
            order = bought[found]
            order.second = np.int32(min(second[session], DAYPART_LENGTH - ONE))
            order.consumer = row
            order.channel = where
            order.line = line
            order.tier = tier
            order.quantity = units_bought(param, buy_units[2, at], price[at, tier], liquid[session])
            order.host = rooms.host[show]
            order.landed_cents = offers.landed_cents[line, home, tier]
            order.discount_permille = np.uint16(rooms.discount[show] * PERMILLE + HALF)
            order.promised_days = offers.promised_days[line, home]
            order.expected_quality = quality[at, tier]
            order.impulse_gap = passing[at]
            order.utility = nest[at]
            order.money_utility = alpha[at]
            order.flags = offer_flags(offers, where, line) | (
                DISCLOSED if rooms.disclosed[show] > ZERO else np.uint16(0)
            )
            order.ordinal = LIVE
            found += 1
            continue
        discoveries[cells[at]] += remember(
            memory_seller, memory_kind, memory_day, memory_score, row, offers.merchant[line], offers.category[line],
            np.uint16(day), np.uint8(known[at] * BYTE_TOP),
        )  # fmt: skip
        if watch_units[1, at] < param.room_hop and second[session] < DAYPART_LENGTH:
            visits[hoppers] = session
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
    followed, tiers = scratch.followed[thread], scratch.by_tier[thread]
    pair_places, pair_floats = scratch.pair_places[thread], scratch.pair_floats[thread]
    interest, need = scratch.by_category[thread, 0], scratch.by_category[thread, 1]
    birth, platform, slot_of, focus, home = places[0, :size], places[1], places[2], places[3], places[11]
    near = places[12]
    liquid, second = floats[0], floats[1]
    seen, before = shows[0], shows[1]

    meet(
        rows, day, people.birth, people.country, people.records, setting.need_rate, birth, home, interest, need,
    )  # fmt: skip
    count_money(param, rows, day, people.country, setting.liquidity, people.records, liquid)
    draw_units(birth, OF_NOTHING, tick, PLATFORM, key0, key1, units[0])
    for slot in range(N_PLATFORM_SLOTS):
        to_gumbel(units[0, slot, :size])
    choose_platforms(
        param, rows, home, people.records, people.shared_host, setting.platform_slots, is_at, offered, on_air, units[0],
        platform, slot_of, followed, near,
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
            visits, rows, birth, home, platform, focus, people.records, followed, near, seen, before, units[0], pool,
            platform_by_show, places[6], pair_places[0], pair_places[1], pair_floats[2],
        )  # fmt: skip
        hosts_of(pair_places[0, :pairs], host_by_show, pair_places[2])
        draw_tastes(pair_places[1, :pairs], pair_places[2, :pairs], key0, key1, pair_floats[0])
        draw_pair_noise(pair_places[1, :pairs], pair_places[2, :pairs], tick, ROOM, key0, key1, pair_floats[1])
        visitors = choose_rooms(
            param, visits, rows, birth, home, people.records, people.shared_host, rooms.category, rooms.base,
            rooms.comprehension, interest, need, floats[2], places[6], pair_places[0], pair_places[2],
            pair_floats[2], pair_floats[0], pair_floats[1], seen, before, places[7], places[5], places[8], places[9],
            floats[3], floats[4],
        )  # fmt: skip
        visits, visit_birth = places[4, :visitors], places[5, :visitors]
        chosen_show, visit_host, spoken = places[7, :visitors], places[8, :visitors], places[9, :visitors]
        understood, bond = floats[3, :visitors], floats[4, :visitors]
        log_scale, minutes = floats[5, :visitors], floats[6, :visitors]
        known, belief, passing, fit = floats[7], floats[8], floats[9], floats[10]
        line, cells = places[10, :visitors], places[6, :visitors]

        draw_units_with(visit_birth, visit_host, tick, WATCH, key0, key1, units[0])
        scale_stays(
            param, visits, home, chosen_show, understood, bond, interest, setting.stutter, setting.interaction,
            rooms.culture, rooms.skill, rooms.lively, rooms.category, log_scale,
        )  # fmt: skip
        measure_stays(units[0, 0], log_scale, param.watching_shape, param.watching_longest, minutes)
        watch(
            param, visits, rows, home, people.trust, setting.stutter, setting.interaction, setting.impulse,
            rooms.lineup, rooms.lively, rooms.disclosed, rooms.discount, offers.category, offers.tryon, chosen_show,
            units[0, 3], interest, need, minutes, understood, bond, line, known, belief, passing,
        )  # fmt: skip
        fetch_offers(visits, home, line, offers)
        draw_fits(visit_birth, line, key0, key1, fit)
        shared, best, weights, alpha = floats[11, :visitors], floats[12], floats[13], floats[14]
        nest, chance, surplus = floats[15, :visitors], floats[16], floats[17]
        weigh(
            param, np.uint8(LIVE), visits, rows, home, people, setting, offers, rooms, platform, slot_of, chosen_show,
            line, interest, need, liquid, known, belief, passing, bond, fit, shared, best, alpha, tiers[0],
            tiers[1], tiers[2],
        )  # fmt: skip
        close_nests(tiers[2], shared, best, param.purchase_tier_spread, weights, nest)
        weigh_nests(nest, alpha, chance, surplus)
        count_visits(
            visits, rows, people.country, people.third, offers.category, platform, line, minutes, surplus, cells,
            counts.visits[thread], counts.seconds[thread], counts.surplus[thread],
        )  # fmt: skip
        count_hosts(
            visit_host, chosen_show, rooms.language, spoken, minutes, counts.host_visits[thread],
            counts.host_seconds[thread], counts.languages[thread],
        )  # fmt: skip
        grow_bonds(
            param, visits, rows, people.records, followed, chosen_show, visit_host, minutes, known,
            units[0, 2], cells, counts.follows[thread],
        )  # fmt: skip
        draw_units_with(visit_birth, visit_host, tick, BUY, key0, key1, units[1])
        found, visitors = decide(
            param, day, visits, rows, home, people, offers, rooms, platform, chosen_show, line, units[0], units[1],
            chance, minutes, liquid, known, passing, nest, alpha, tiers[0], tiers[1], tiers[2], second, cells,
            counts.discoveries[thread], bought, found,
        )  # fmt: skip
    return found


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def list_results(
    rows: Rows,
    birth: Rows,
    home_of: Rows,
    day: int,
    records: Any,
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
    pairs = 0
    for at in range(rows.size):
        person = records[rows[at]]
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
    third, records = people.third, people.records
    price_weight, price_taste = setting.price_weight, setting.price_taste
    landed_cents, remembered_usd, promised_days = offers.landed_cents, offers.remembered_usd, offers.promised_days
    merchant_of, reputation, own_site, tryon = offers.merchant, offers.reputation, offers.own_site, offers.tryon
    reference_usd = offers.reference_usd
    remaining = 0
    pair = np.uint32(0)
    for at in range(rows.size):
        row = rows[at]
        person = records[row]
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
            value = (
                search_utility(
                    param,
                    reputation[merchant],
                    ONE if line == familiar[at] else ZERO,
                    remembered(person, merchant, category),
                    price_utility(param, alpha, landed, remembered_usd[line, home]),
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
    offers: Offers,
    channel: Rows,
    line_of: Rows,
    start: Floats,
    buy_units: Floats,
    chance: Floats,
    surplus: Floats,
    liquid: Floats,
    nest: Floats,
    alpha: Floats,
    quality: Floats,
    price: Floats,
    weights: Floats,
    counted_surplus: NDArray[np.int64],
    bought: Any,
    found: int,
) -> int:
    """Buys or not; counts expected surplus (milli-cents). Orders go into `bought` from `found` on; returns the end."""
    country, third, category_of = people.country, people.third, offers.category
    for at in range(searches.size):
        session = searches[at]
        row = rows[session]
        home = country[row]
        line = line_of[at]
        where = channel[session]
        counted_surplus[cell_of(home, where, category_of[line], third[row])] += np.int64(surplus[at] * MILLICENTS)
        if buy_units[0, at] >= chance[at]:
            continue
        tier = pick_tier(weights[at], buy_units[1, at])
        order = bought[found]
        order.second = np.int32(min(start[session] * DAYPART_LENGTH, DAYPART_LENGTH - ONE))
        order.consumer = row
        order.channel = where
        order.line = line
        order.tier = tier
        order.quantity = units_bought(param, buy_units[2, at], price[at, tier], liquid[session])
        order.host = NOBODY
        order.landed_cents = offers.landed_cents[line, home, tier]
        order.discount_permille = 0
        order.promised_days = offers.promised_days[line, home]
        order.expected_quality = quality[at, tier]
        order.impulse_gap = ZERO
        order.utility = nest[at]
        order.money_utility = alpha[at]
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
    tiers, pair_places, pair_floats = scratch.by_tier[thread], scratch.pair_places[thread], scratch.pair_floats[thread]
    interest, need = scratch.by_category[thread, 0], scratch.by_category[thread, 1]
    birth, channel, slot_of, focus, home = places[0, :size], places[1], places[2], places[3], places[11]
    familiar, ends = places[5], places[6]
    liquid = floats[0]

    meet(
        rows, day, people.birth, people.country, people.records, setting.need_rate, birth, home, interest, need,
    )  # fmt: skip
    count_money(param, rows, day, people.country, setting.liquidity, people.records, liquid)
    draw_units(birth, OF_SEARCH, tick, SHELF_CANDIDATE, key0, key1, units[0])
    draw_units(birth, OF_RESULTS, tick, SHELF_CANDIDATE, key0, key1, units[1])
    turn_to_category(interest, need, param.opening_focus_floor, units[0, 0, :size], focus)
    pairs = list_results(
        rows, birth, home, day, people.records, focus, units[1],
        shelf, line_of_seller, offers, familiar, ends, pair_places[0], pair_places[1],
    )  # fmt: skip
    draw_pair_noise(pair_places[1, :pairs], pair_places[0, :pairs], tick, SHELF_NOISE, key0, key1, pair_floats[0])
    facing = choose_results(
        param, rows, home, people, setting, offers, focus, units[0, 2], familiar, ends, pair_places[0], pair_floats[0],
        counts.openings[thread], channel, places[4], places[10], floats[7],
    )  # fmt: skip
    slot_of[:size] = N_PLATFORM_SLOTS  # trust in shelf and brand sites stands behind the platforms'
    searches, line = places[4, :facing], places[10, :facing]
    known, fit = floats[7], floats[10]
    shared, best, weights, alpha = floats[11, :facing], floats[12], floats[13], floats[14]
    nest, chance, surplus = floats[15, :facing], floats[16], floats[17]
    fetch_offers(searches, home, line, offers)
    births_of(searches, birth, places[5])
    draw_fits(places[5, :facing], line, key0, key1, fit)
    weigh(
        param, np.uint8(SEARCH), searches, rows, home, people, setting, offers, rooms, channel, slot_of, line, line,
        interest, need, liquid, known, known, known, known, fit, shared, best, alpha, tiers[0], tiers[1],
        tiers[2],
    )  # fmt: skip
    close_nests(tiers[2], shared, best, param.purchase_tier_spread, weights, nest)
    weigh_nests(nest, alpha, chance, surplus)
    draw_units(places[5, :facing], OF_NOTHING, tick, SHELF_BUY, key0, key1, units[1])
    return decide_on_results(
        param, searches, rows, people, offers, channel, line, units[0, 1], units[1], chance, surplus, liquid, nest,
        alpha, tiers[0], tiers[1], tiers[2], counts.surplus[thread], bought, found,
    )  # fmt: skip


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
    for block in range(thread * blocks // threads, (thread + 1) * blocks // threads):
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
