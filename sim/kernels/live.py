"""A consumer's day, compiled: who opens which channel when, which room, how long, and what is bought.

Loops run over chunks of consumers; each thread owns a fixed range of chunks and writes rows, buffers and int64 counters
that no other thread touches, so any number of threads and any chunk size give the same bits. Formulas live in
`sim.kernels.behaviour`; the readable twin of every function here is a method of `sim.agents.consumer.Consumer`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from sim.kernels.behaviour import (
    buying_value,
    claims_weight,
    clip_unit,
    expected_quality,
    impulse,
    information,
    money_utility,
    need_level,
    opening_chance,
    perceived_risk,
    platform_utility,
    price_utility,
    room_utility,
    stay_minutes,
)
from sim.kernels.maths import HALF, ONE, ZERO, exp1, gumbel, log1, log1p_exp, normal_quantile, sigmoid
from sim.kernels.philox import below, philox, unit

# Draw addresses: Purpose * 256 (the ordinal is added where one decision is taken several times in a daypart).
# The same numbers stand in `sim.draws.Purpose`; a test holds the two together.
OPEN = np.uint32(80 * 256)
PLATFORM = np.uint32(81 * 256)
CANDIDATE = np.uint32(82 * 256)
HOST_TASTE = np.uint32(83 * 256)
ROOM = np.uint32(84 * 256)
WATCH = np.uint32(85 * 256)
BUY = np.uint32(86 * 256)
FIT = np.uint32(87 * 256)
SHELF_CANDIDATE = np.uint32(88 * 256)
SHELF_NOISE = np.uint32(89 * 256)
SHELF_BUY = np.uint32(90 * 256)

N_DAYPARTS = 6
DAYPART_LENGTH = np.float32(14_400)
N_FOLLOWS = 6
N_PLATFORM_SLOTS = 4
N_MEMORY = 4
N_SPOKEN = 3
N_SLOTS = 64
N_RECOMMENDED = 4
MAX_ROOMS = 3
CLOSED = np.uint8(255)
NOBODY = np.uint16(0xFFFF)
BOUGHT = np.uint8(0x80)
NEVER = np.float32(-1e9)
BYTE = np.float32(1 / 255)
WORD = np.float32(1 / 65535)
WORD_TOP = np.float32(65535)
CENT = np.float32(0.01)
SECONDS = np.float32(60)
MILLICENTS = np.float32(100_000)
MEMORY_DAYS = 90
QUARTER_HOUR = np.float32(15)
PROOF_CAP = np.float32(5)
SQRT_3 = np.float32(1.7320508)
TWO = np.float32(2)
PERMILLE = np.float32(0.001)

type Float = np.float32


class People(NamedTuple):
    """The columns of the consumer table that these loops read and write (see sim.state.consumers for units)."""

    birth: NDArray[np.uint32]
    country: NDArray[np.uint8]
    third: NDArray[np.uint8]
    languages: NDArray[np.uint8]
    proficiency: NDArray[np.uint8]
    adopter: NDArray[np.uint8]
    opening_taste: NDArray[np.float32]
    money_weight: NDArray[np.float32]
    delay_weight: NDArray[np.float32]
    interests: NDArray[np.uint8]
    need_day: NDArray[np.uint16]
    follows: NDArray[np.uint16]
    bonds: NDArray[np.uint16]
    trust: NDArray[np.uint16]
    channel_trust: NDArray[np.uint16]
    habit: NDArray[np.uint8]
    budget_cents: NDArray[np.int32]
    spent_cents: NDArray[np.float32]
    spent_day: NDArray[np.uint16]
    memory_seller: NDArray[np.uint16]
    memory_kind: NDArray[np.uint8]
    memory_day: NDArray[np.uint16]
    memory_score: NDArray[np.uint8]
    shared_host: NDArray[np.uint16]
    proof: NDArray[np.uint8]


class Rooms(NamedTuple):
    """The shows of a day as viewers meet them; s shows, C countries, L languages."""

    host: NDArray[np.uint16]  # (s,) streamer
    platform: NDArray[np.uint8]  # (s,)
    language: NDArray[np.uint8]  # (s,) the one mainly spoken
    category: NDArray[np.uint8]  # (s,) of the first line
    lineup: NDArray[np.uint16]  # (s, 4) lines
    discount: NDArray[np.float32]  # (s,) share
    exaggeration: NDArray[np.float32]  # (s,) claimed minus true quality
    disclosed: NDArray[np.float32]  # (s,) 0 or 1
    skill: NDArray[np.float32]  # (s,) 0-1
    lively: NDArray[np.float32]  # (s,) 0-1 interaction intensity
    base: NDArray[np.float32]  # (s, C) utils
    culture: NDArray[np.float32]  # (s, C) 0-1
    comprehension: NDArray[np.float32]  # (s, L) 0-1


class Offers(NamedTuple):
    """What lines cost and promise; n lines, m merchants, C countries, four tiers."""

    landed_cents: NDArray[np.int32]  # (n, C, 4) all in, one unit; 0: not sold there
    discounted_share: NDArray[np.float32]  # (n, C) share of the landed price that a discount on the goods takes off
    remembered_usd: NDArray[np.float32]  # (n, C) remembered price of the lowest tier
    promised_days: NDArray[np.float32]  # (n, C)
    category: NDArray[np.uint8]  # (n,)
    merchant: NDArray[np.uint16]  # (n,)
    quality: NDArray[np.float32]  # (n, 4)
    typical: NDArray[np.float32]  # (K, 4) mean quality of the tier
    reputation: NDArray[np.float32]  # (m,)
    own_site: NDArray[np.uint8]  # (m,)
    reference_usd: NDArray[np.float32]  # (K,)
    guaranteed: NDArray[np.uint8]  # (H, n)
    certified: NDArray[np.uint8]  # (n,)
    traced: NDArray[np.uint8]  # (n,)
    tryon: NDArray[np.uint8]  # (n,)


class Setting(NamedTuple):
    """What the rules, tastes and categories say to a consumer today; C countries, K categories, H channels."""

    platform_slots: NDArray[np.uint8]  # (C, 4) platforms on offer, 255 none
    availability: NDArray[np.float32]  # (C, 6) shares of the day's openings by UTC daypart, sum 1
    activity: NDArray[np.float32]  # (C,) the day's time for screens against an ordinary day
    need_pace: NDArray[np.float32]  # (C, K)
    need_days: NDArray[np.float32]  # (K,)
    price_weight: NDArray[np.float32]  # (K,)
    risk: NDArray[np.float32]  # (K,)
    fit_spread: NDArray[np.float32]  # (K,)
    impulse: NDArray[np.float32]  # (K,)
    interaction: NDArray[np.float32]  # (C,)
    detail: NDArray[np.float32]  # (C,)
    price_taste: NDArray[np.float32]  # (C,)
    stutter: NDArray[np.float32]  # (C,)
    steps: NDArray[np.float32]  # (H,)
    subsidy_usd: NDArray[np.float32]  # (P,)
    liquidity: NDArray[np.float32]  # (C,) factor of an instalment offer on liquidity
    expected: NDArray[np.float32]  # (C,) inclusive value of what is expected on air
    expected_by_platform: NDArray[np.float32]  # (C, P)


class Bought(NamedTuple):
    """Buffers for what is bought: one place per consumer and daypart, in chunk order; a place is used if tier < 255."""

    second: NDArray[np.int32]
    consumer: NDArray[np.int32]
    channel: NDArray[np.uint8]
    line: NDArray[np.uint16]
    tier: NDArray[np.uint8]
    quantity: NDArray[np.uint8]
    host: NDArray[np.uint16]
    landed_cents: NDArray[np.int32]
    discount_permille: NDArray[np.uint16]
    promised_days: NDArray[np.float32]
    expected_quality: NDArray[np.float32]
    impulse_gap: NDArray[np.float32]
    utility: NDArray[np.float32]
    money_utility: NDArray[np.float32]
    flags: NDArray[np.uint16]


class Counts(NamedTuple):
    """Exact counters, one plane per thread; summed afterwards in any order."""

    visits: NDArray[np.int64]  # (T, cells)
    seconds: NDArray[np.int64]  # (T, cells)
    openings: NDArray[np.int64]  # (T, cells)
    surplus: NDArray[np.int64]  # (T, cells) milli-cents
    follows: NDArray[np.int64]  # (T, cells)
    host_seconds: NDArray[np.int64]  # (T, streamers)
    host_visits: NDArray[np.int64]  # (T, streamers)
    languages: NDArray[np.int64]  # (T, L, L) visits by show's and viewer's language


@njit(cache=True, error_model="numpy")
def host_taste(birth: np.uint32, host: np.uint16, key0: np.uint32, key1: np.uint32) -> Float:
    """Lasting taste of a person for a host: standard normal in its first two moments (sum of four uniforms)."""
    words = philox(birth, np.uint32(host), np.uint32(0), HOST_TASTE, key0, key1)
    return (unit(words[0]) + unit(words[1]) + unit(words[2]) + unit(words[3]) - TWO) * SQRT_3


@njit(cache=True, error_model="numpy")
def fit_of(birth: np.uint32, line: np.uint16, key0: np.uint32, key1: np.uint32) -> Float:
    """How a line fits a person for good, standard normal."""
    return normal_quantile(unit(philox(birth, np.uint32(line), np.uint32(0), FIT, key0, key1)[0]))


@njit(cache=True, error_model="numpy")
def bond_with(people: People, row: int, host: np.uint16) -> Float:
    """Bond of a consumer with a host, 0 where not followed."""
    for slot in range(N_FOLLOWS):
        if people.follows[row, slot] == host:
            return np.float32(people.bonds[row, slot]) * WORD
    return ZERO


@njit(cache=True, error_model="numpy")
def platform_slot(setting: Setting, country: int, platform: int) -> int:
    """Place of a platform among those on offer in a country; -1 if it is not."""
    for slot in range(N_PLATFORM_SLOTS):
        if setting.platform_slots[country, slot] == platform:
            return slot
    return -1


@njit(cache=True, error_model="numpy")
def understood(people: People, rooms: Rooms, row: int, show: int) -> tuple[Float, int]:
    """Best comprehension over the languages a viewer knows, and that language."""
    best = ZERO
    spoken = int(people.languages[row, 0])
    for place in range(N_SPOKEN):
        skill = np.float32(people.proficiency[row, place]) * BYTE
        value = skill * rooms.comprehension[show, people.languages[row, place]]
        if value > best:
            best = value
            spoken = int(people.languages[row, place])
    return best, spoken


@njit(cache=True, error_model="numpy")
def remembered(people: People, row: int, merchant: np.uint16, category: int) -> Float:
    """Satisfaction with the last purchase from a seller in a category, minus one half; 0 where there was none."""
    for place in range(N_MEMORY):
        if people.memory_seller[row, place] == merchant and people.memory_kind[row, place] == (BOUGHT | np.uint8(category)):
            return np.float32(people.memory_score[row, place]) * BYTE - HALF
    return ZERO


@njit(cache=True, error_model="numpy")
def remember(people: People, row: int, merchant: np.uint16, kind: np.uint8, day: int, score: np.uint8) -> None:
    """Writes a seller into memory: over the same entry, else an empty place, else the oldest.

    Awareness (kind below `BOUGHT`) never overwrites the memory of a purchase from the same seller.
    """
    place = -1
    oldest = 0
    for candidate in range(N_MEMORY):
        if people.memory_seller[row, candidate] == merchant and (people.memory_kind[row, candidate] & np.uint8(0x7F)) == (
            kind & np.uint8(0x7F)
        ):
            if people.memory_kind[row, candidate] >= BOUGHT and kind < BOUGHT:
                return
            place = candidate
            break
        if people.memory_day[row, candidate] < people.memory_day[row, oldest]:
            oldest = candidate
    if place < 0:
        place = oldest
    people.memory_seller[row, place] = merchant
    people.memory_kind[row, place] = kind
    people.memory_day[row, place] = np.uint16(day)
    people.memory_score[row, place] = score


@njit(cache=True, error_model="numpy")
def liquid_usd(param: Any, people: People, row: int, day: int) -> Float:
    """What is left of the monthly online budget, USD: what was spent is forgotten exponentially."""
    age = np.float32(day - int(people.spent_day[row]))
    spent = people.spent_cents[row] * exp1(-age / param.budget_memory_days)
    return (np.float32(people.budget_cents[row]) - spent) * CENT


@njit(cache=True, error_model="numpy")
def strongest_need(people: People, setting: Setting, row: int, day: int) -> Float:
    """Strongest unmet need weighted by interest, in [0, 1]."""
    country = people.country[row]
    best = ZERO
    for category in range(setting.need_days.size):
        value = need_level(
            day, int(people.need_day[row, category]), setting.need_days[category], setting.need_pace[country, category]
        ) * (np.float32(people.interests[row, category]) * BYTE)
        best = value if value > best else best
    return best


@njit(cache=True, error_model="numpy")
def focus_category(people: People, setting: Setting, row: int, day: int, u: Float) -> int:
    """Category a session turns to: drawn in proportion to interest times (one fifth + need)."""
    country = people.country[row]
    total = ZERO
    for category in range(setting.need_days.size):
        level = need_level(
            day, int(people.need_day[row, category]), setting.need_days[category], setting.need_pace[country, category]
        )
        total += np.float32(people.interests[row, category]) * (level + BYTE * np.float32(51))
    target = u * total
    for category in range(setting.need_days.size):
        level = need_level(
            day, int(people.need_day[row, category]), setting.need_days[category], setting.need_pace[country, category]
        )
        target -= np.float32(people.interests[row, category]) * (level + BYTE * np.float32(51))
        if target < ZERO:
            return category
    return setting.need_days.size - 1


@njit(cache=True, error_model="numpy")
def daypart_of(setting: Setting, country: int, u: Float) -> int:
    """Daypart by the country's shares of the day."""
    for daypart in range(N_DAYPARTS - 1):
        u -= setting.availability[country, daypart]
        if u < ZERO:
            return daypart
    return N_DAYPARTS - 1


@njit(cache=True, error_model="numpy")
def open_day(
    param: Any, people: People, setting: Setting, on_air: NDArray[np.uint8], row: int, day: int, key0: np.uint32, key1: np.uint32
) -> tuple[int, int]:
    """Dayparts in which a person opens a live channel and searches a shelf today; 255 where not at all.

    `on_air` is 1 for streamers with a show today, shape (streamers,). One draw a day decides whether and when.
    """
    country = int(people.country[row])
    words = philox(people.birth[row], np.uint32(0), np.uint32(day * 8), OPEN, key0, key1)
    need = strongest_need(people, setting, row, day)
    live = 255
    if people.adopter[row] == 1:
        bond = ZERO
        for slot in range(N_FOLLOWS):
            host = people.follows[row, slot]
            if host != NOBODY and on_air[host] == 1:
                bond += np.float32(people.bonds[row, slot]) * WORD
        subsidy = ZERO
        for slot in range(N_PLATFORM_SLOTS):
            if setting.platform_slots[country, slot] != CLOSED:
                offered = setting.subsidy_usd[setting.platform_slots[country, slot]]
                subsidy = offered if offered > subsidy else subsidy
        shared = ONE if people.shared_host[row] != NOBODY else ZERO
        chance = opening_chance(
            param, people.opening_taste[row], need, setting.expected[country], clip_unit(bond), shared, subsidy
        )
        if unit(words[0]) < chance * setting.activity[country]:
            live = daypart_of(setting, country, unit(words[1]))
    aware = ZERO
    for place in range(N_MEMORY):
        if people.memory_seller[row, place] != NOBODY and people.memory_kind[row, place] < BOUGHT:
            fresh = exp1(-np.float32(day - int(people.memory_day[row, place])) / param.trust_discovery_days)
            aware = fresh if fresh > aware else aware
    shelf = 255
    if unit(words[2]) < sigmoid(param.shelf_intercept + param.shelf_need * need + param.shelf_awareness * aware):
        shelf = daypart_of(setting, country, unit(words[3]))
    return live, shelf


@njit(cache=True, parallel=True, error_model="numpy")
def open_everybody(
    param: Any,
    people: People,
    setting: Setting,
    on_air: NDArray[np.uint8],
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    chunk: int,
    threads: int,
    order: NDArray[np.int32],
    bounds: NDArray[np.int64],
    plan: NDArray[np.uint8],
) -> None:
    """Fills, for each chunk of rows, the lists of who opens what in which daypart.

    order: (2, n) rows grouped by daypart inside each chunk's own stretch; [0] live, [1] shelf.
    bounds: (2, chunks, 7) where each daypart's group begins and the last one ends. plan: (2, n) scratch.
    """
    size = people.birth.size
    n_chunks = (size + chunk - 1) // chunk
    for thread in prange(threads):
        for block in range(thread * n_chunks // threads, (thread + 1) * n_chunks // threads):
            low = block * chunk
            high = min(size, low + chunk)
            for row in range(low, high):
                live, shelf = open_day(param[0], people, setting, on_air, row, day, key0, key1)
                plan[0, row] = live
                plan[1, row] = shelf
            for kind in range(2):
                place = low
                for daypart in range(N_DAYPARTS):
                    bounds[kind, block, daypart] = place
                    for row in range(low, high):
                        if plan[kind, row] == daypart:
                            order[kind, place] = row
                            place += 1
                bounds[kind, block, N_DAYPARTS] = place


@njit(cache=True, error_model="numpy")
def choose_platform(
    param: Any,
    people: People,
    setting: Setting,
    show_of_host: NDArray[np.uint16],
    rooms: Rooms,
    row: int,
    tick: int,
    key0: np.uint32,
    key1: np.uint32,
) -> int:
    """Platform a person opens: logit over those on offer in the country; -1 where there is none."""
    country = int(people.country[row])
    words = philox(people.birth[row], np.uint32(0), np.uint32(tick), PLATFORM, key0, key1)
    best = NEVER
    chosen = -1
    for slot in range(N_PLATFORM_SLOTS):
        platform = setting.platform_slots[country, slot]
        if platform == CLOSED:
            continue
        bond = ZERO
        for place in range(N_FOLLOWS):
            host = people.follows[row, place]
            if host != NOBODY and show_of_host[host] != NOBODY and rooms.platform[show_of_host[host]] == platform:
                bond += np.float32(people.bonds[row, place]) * WORD
        value = platform_utility(
            param,
            np.float32(people.habit[row, slot]) * BYTE,
            np.float32(people.channel_trust[row, slot]) * WORD,
            setting.expected_by_platform[country, platform],
            clip_unit(bond),
        ) + gumbel(unit(words[slot]))
        if value > best:
            best = value
            chosen = int(platform)
    return chosen


@njit(cache=True, error_model="numpy")
def value_of_room(
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    row: int,
    show: int,
    day: int,
    tick: int,
    key0: np.uint32,
    key1: np.uint32,
) -> Float:
    """Utility of a room with both parts of its noise: the lasting taste for the host and today's."""
    country = int(people.country[row])
    category = int(rooms.category[show])
    host = rooms.host[show]
    comprehension, _ = understood(people, rooms, row, show)
    need = need_level(
        day, int(people.need_day[row, category]), setting.need_days[category], setting.need_pace[country, category]
    )
    value = room_utility(
        param,
        rooms.base[show, country],
        np.float32(people.interests[row, category]) * BYTE,
        need,
        bond_with(people, row, host),
        comprehension,
        ONE if people.shared_host[row] == host else ZERO,
        host_taste(people.birth[row], host, key0, key1),
    )
    return value + gumbel(unit(philox(people.birth[row], np.uint32(host), np.uint32(tick), ROOM, key0, key1)[0]))


@njit(cache=True, error_model="numpy")
def choose_room(
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    show_of_host: NDArray[np.uint16],
    pool: NDArray[np.uint16],
    row: int,
    platform: int,
    focus: int,
    visit: int,
    seen0: int,
    seen1: int,
    day: int,
    tick: int,
    key0: np.uint32,
    key1: np.uint32,
) -> int:
    """Best room among followed ones on air, the one a friend shared, and keyed draws from the recommendation slots.

    `seen0`, `seen1` are shows already visited in this session (-1 none). Returns -1 when staying out is best.
    """
    country = int(people.country[row])
    words = philox(people.birth[row], np.uint32(1), np.uint32(tick), CANDIDATE + np.uint32(visit), key0, key1)
    best = param.room_outside + gumbel(
        unit(philox(people.birth[row], np.uint32(0xFFFF), np.uint32(tick), ROOM + np.uint32(visit), key0, key1)[0])
    )
    chosen = -1
    candidates = N_FOLLOWS + 1 + N_RECOMMENDED
    for place in range(candidates):
        show = -1
        if place < N_FOLLOWS:
            host = people.follows[row, place]
            if host != NOBODY and show_of_host[host] != NOBODY:
                show = int(show_of_host[host])
        elif place == N_FOLLOWS:
            host = people.shared_host[row]
            if host != NOBODY and show_of_host[host] != NOBODY:
                show = int(show_of_host[host])
        else:
            slot = below(words[place - N_FOLLOWS - 1], np.uint32(N_SLOTS))
            entry = pool[country, platform, focus, slot]
            if entry != NOBODY:
                show = int(entry)
        if show < 0 or show == chosen or show == seen0 or show == seen1 or rooms.platform[show] != platform:
            continue
        value = value_of_room(param, people, setting, rooms, row, show, day, tick, key0, key1)
        if value > best:
            best = value
            chosen = show
    return chosen


@njit(cache=True, error_model="numpy")
def weigh_line(
    param: Any,
    people: People,
    setting: Setting,
    offers: Offers,
    row: int,
    line: int,
    channel: int,
    day: int,
    intercept: Float,
    known: Float,
    belief: Float,
    exaggeration: Float,
    discount: Float,
    subsidy: Float,
    bond: Float,
    passing: Float,
    key0: np.uint32,
    key1: np.uint32,
    values: NDArray[np.float32],
) -> tuple[Float, Float]:
    """Values of the tiers of a line and of the nest "buy" against not buying.

    Fills values: [0:4] utility of each tier apart from the common part (utils; `NEVER` if not sold or not affordable),
    [4:8] expected quality, [8:12] price shown in USD. Returns (utility of the nest "buy", marginal utility of a dollar).
    """
    country = int(people.country[row])
    category = int(offers.category[line])
    merchant = offers.merchant[line]
    slot = platform_slot(setting, country, channel) if channel < 8 else N_PLATFORM_SLOTS
    general = np.float32(people.trust[row]) * WORD
    trust = HALF * (general + np.float32(people.channel_trust[row, slot]) * WORD)
    interest = np.float32(people.interests[row, category]) * BYTE
    need = need_level(
        day, int(people.need_day[row, category]), setting.need_days[category], setting.need_pace[country, category]
    )
    alpha = money_utility(
        param,
        setting.price_weight[category],
        offers.reference_usd[category],
        people.money_weight[row] * setting.price_taste[country],
    )
    risk = perceived_risk(
        param,
        setting.risk[category],
        known,
        trust,
        np.float32(offers.guaranteed[channel, line]),
        np.float32(offers.certified[line]),
        np.float32(offers.traced[line]),
    )
    common = intercept + buying_value(
        param,
        need,
        interest,
        trust,
        bond,
        min(np.float32(people.proof[row]), PROOF_CAP),
        remembered(people, row, merchant, category),
        risk,
        people.delay_weight[row] * offers.promised_days[line, country],
        setting.steps[channel],
    )
    fit = fit_of(people.birth[row], np.uint16(line), key0, key1) * setting.fit_spread[category]
    liquid = liquid_usd(param, people, row, day) * setting.liquidity[country]
    scale = param.purchase_tier_spread
    landed0 = np.float32(offers.landed_cents[line, country, 0]) * CENT
    top = NEVER
    for tier in range(4):
        landed = np.float32(offers.landed_cents[line, country, tier]) * CENT
        price = landed * (ONE - discount * offers.discounted_share[line, country]) - subsidy
        price = price if price > ZERO else ZERO
        quality = (
            expected_quality(
                param,
                offers.quality[line, tier],
                offers.typical[category, tier],
                offers.reputation[merchant],
                exaggeration,
                belief,
                known,
            )
            + known * fit
        )
        values[4 + tier] = quality
        values[8 + tier] = price
        if landed <= ZERO or price > liquid:
            values[tier] = NEVER
            continue
        usual = offers.remembered_usd[line, country] * landed / landed0
        values[tier] = param.purchase_quality * setting.detail[country] * quality + price_utility(param, alpha, price, usual)
        top = values[tier] if values[tier] > top else top
    if top <= NEVER:
        return NEVER, alpha
    total = ZERO
    for tier in range(4):
        if values[tier] > NEVER:
            total += exp1((values[tier] - top) / scale)
    return common + passing + top + scale * log1(total), alpha


@njit(cache=True, error_model="numpy")
def pick_tier(param: Any, values: NDArray[np.float32], u: Float) -> int:
    """Tier within the nest "buy", by its conditional logit chances in the order of the ladder."""
    scale = param.purchase_tier_spread
    top = NEVER
    for tier in range(4):
        top = values[tier] if values[tier] > top else top
    total = ZERO
    for tier in range(4):
        if values[tier] > NEVER:
            total += exp1((values[tier] - top) / scale)
    target = u * total
    chosen = -1
    for tier in range(4):
        if values[tier] > NEVER:
            chosen = tier
            target -= exp1((values[tier] - top) / scale)
            if target < ZERO:
                break
    return chosen


@njit(cache=True, error_model="numpy")
def quantity_of(param: Any, u: Float, price: Float, liquid: Float) -> int:
    """Units: one, or two with the chance of a complement, as far as the money goes."""
    return 2 if u < param.purchase_complement and price + price <= liquid else 1


@njit(cache=True, error_model="numpy")
def grow_bond(param: Any, people: People, row: int, host: np.uint16, minutes: Float, known: Float, u: Float) -> int:
    """A stay strengthens the bond with a followed host, or makes the viewer follow (1) in the place of the weakest bond."""
    weakest = 0
    for slot in range(N_FOLLOWS):
        if people.follows[row, slot] == host:
            bond = np.float32(people.bonds[row, slot]) * WORD
            bond += param.trust_bond_growth * (minutes / QUARTER_HOUR) * (ONE - bond)
            people.bonds[row, slot] = np.uint16(np.int32(clip_unit(bond) * WORD_TOP + HALF))
            return 0
        if people.follows[row, slot] == NOBODY:
            weakest = slot
        elif people.follows[row, weakest] != NOBODY and people.bonds[row, slot] < people.bonds[row, weakest]:
            weakest = slot
    if u >= param.trust_follow * known:
        return 0
    bond = np.float32(people.bonds[row, weakest]) * WORD
    if people.follows[row, weakest] != NOBODY and bond >= param.trust_bond_start:
        return 0
    people.follows[row, weakest] = host
    people.bonds[row, weakest] = np.uint16(np.int32(param.trust_bond_start * WORD_TOP + HALF))
    return 1


@njit(cache=True, error_model="numpy")
def live_session(
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    offers: Offers,
    show_of_host: NDArray[np.uint16],
    pool: NDArray[np.uint16],
    row: int,
    day: int,
    daypart: int,
    key0: np.uint32,
    key1: np.uint32,
    place: int,
    thread: int,
    bought: Bought,
    counts: Counts,
    values: NDArray[np.float32],
) -> None:
    """One live session: a platform, up to three rooms, at most one order.

    Writes the order into `bought[place]` (tier 255 if none), adds to the thread's plane of `counts`, and moves the
    viewer's own bonds, follows and awareness.
    """
    tick = day * 8 + daypart
    country = int(people.country[row])
    third = int(people.third[row])
    bought.tier[place] = CLOSED
    platform = choose_platform(param, people, setting, show_of_host, rooms, row, tick, key0, key1)
    if platform < 0:
        return
    start = philox(people.birth[row], np.uint32(2), np.uint32(tick), CANDIDATE, key0, key1)
    focus = focus_category(people, setting, row, day, unit(start[0]))
    counts.openings[thread, ((country * 10 + platform) * 8 + focus) * 3 + third] += 1
    second = unit(start[1]) * DAYPART_LENGTH
    seen0 = -1
    seen1 = -1
    for visit in range(MAX_ROOMS):
        show = choose_room(
            param, people, setting, rooms, show_of_host, pool, row, platform, focus, visit, seen0, seen1, day, tick, key0, key1
        )
        if show < 0:
            return
        seen1 = seen0
        seen0 = show
        host = rooms.host[show]
        category = int(rooms.category[show])
        words = philox(people.birth[row], np.uint32(host), np.uint32(tick), WATCH, key0, key1)
        comprehension, spoken = understood(people, rooms, row, show)
        bond = bond_with(people, row, host)
        lively = rooms.lively[show] * setting.interaction[country]
        minutes = stay_minutes(
            param,
            unit(words[0]),
            comprehension,
            setting.stutter[country],
            rooms.culture[show, country],
            rooms.skill[show],
            bond,
            np.float32(people.interests[row, category]) * BYTE,
            lively,
            param.watching_longest,
        )
        # of the lines shown while the viewer was there, the one that meets the strongest need holds the eye
        shown = 1 + int(minutes / param.watching_minutes_per_line)
        first = int(below(words[3], np.uint32(4)))
        line = int(rooms.lineup[show, first])
        strongest = -ONE
        for step in range(min(shown, 4)):
            candidate = int(rooms.lineup[show, (first + step) % 4])
            kind = int(offers.category[candidate])
            pull = np.float32(people.interests[row, kind]) * need_level(
                day, int(people.need_day[row, kind]), setting.need_days[kind], setting.need_pace[country, kind]
            )
            if pull > strongest:
                strongest = pull
                line = candidate
        category = int(offers.category[line])
        cell = ((country * 10 + platform) * 8 + category) * 3 + third
        watched = np.int64(minutes * SECONDS)
        counts.visits[thread, cell] += 1
        counts.seconds[thread, cell] += watched
        counts.host_visits[thread, host] += 1
        counts.host_seconds[thread, host] += watched
        counts.languages[thread, rooms.language[show], spoken] += 1
        known = information(
            param, minutes, comprehension, setting.stutter[country], lively, np.float32(offers.tryon[line])
        )
        trust = np.float32(people.trust[row]) * WORD
        belief = claims_weight(param, clip_unit(trust + bond * (ONE - trust)), rooms.disclosed[show])
        passing = impulse(param, minutes, clip_unit(lively), rooms.discount[show], setting.impulse[category])
        nest, alpha = weigh_line(
            param,
            people,
            setting,
            offers,
            row,
            line,
            platform,
            day,
            param.purchase_intercept,
            known,
            belief,
            rooms.exaggeration[show],
            rooms.discount[show],
            setting.subsidy_usd[platform],
            bond,
            passing,
            key0,
            key1,
            values,
        )
        counts.follows[thread, cell] += grow_bond(param, people, row, host, minutes, known, unit(words[2]))
        if nest > NEVER:
            counts.surplus[thread, cell] += np.int64(log1p_exp(nest) / alpha * MILLICENTS)
            draw = philox(people.birth[row], np.uint32(host), np.uint32(tick), BUY, key0, key1)
            if unit(draw[0]) < sigmoid(nest):
                tier = pick_tier(param, values, unit(draw[1]))
                liquid = liquid_usd(param, people, row, day) * setting.liquidity[country]
                late = second + minutes * SECONDS
                bought.second[place] = np.int32(min(late, DAYPART_LENGTH - ONE))
                bought.consumer[place] = row
                bought.channel[place] = platform
                bought.line[place] = line
                bought.tier[place] = tier
                bought.quantity[place] = quantity_of(param, unit(draw[2]), values[8 + tier], liquid)
                bought.host[place] = host
                bought.landed_cents[place] = offers.landed_cents[line, country, tier]
                bought.discount_permille[place] = np.uint16(rooms.discount[show] * np.float32(1000) + HALF)
                bought.promised_days[place] = offers.promised_days[line, country]
                bought.expected_quality[place] = values[4 + tier]
                bought.impulse_gap[place] = passing
                bought.utility[place] = nest
                bought.money_utility[place] = alpha
                bought.flags[place] = offer_flags(offers, platform, line) | (
                    np.uint16(128) if rooms.disclosed[show] > ZERO else np.uint16(0)
                )
                return
        remember(people, row, offers.merchant[line], np.uint8(category), day, np.uint8(known * np.float32(255)))
        second += minutes * SECONDS
        if unit(words[1]) >= param.room_hop or second >= DAYPART_LENGTH:
            return


@njit(cache=True, error_model="numpy")
def offer_flags(offers: Offers, channel: int, line: int) -> np.uint16:
    """Flag bits of an offer known at the decision: guaranteed, tried on, traced (values of sim.kinds.Flag)."""
    flags = np.uint16(0)
    if offers.guaranteed[channel, line] == 1:
        flags |= np.uint16(16)
    if offers.tryon[line] == 1:
        flags |= np.uint16(4096)
    if offers.traced[line] == 1:
        flags |= np.uint16(8192)
    return flags


@njit(cache=True, error_model="numpy")
def shelf_session(
    param: Any,
    people: People,
    setting: Setting,
    offers: Offers,
    shelf: NDArray[np.uint16],
    line_of_seller: NDArray[np.uint16],
    row: int,
    day: int,
    daypart: int,
    key0: np.uint32,
    key1: np.uint32,
    place: int,
    thread: int,
    bought: Bought,
    counts: Counts,
    values: NDArray[np.float32],
) -> None:
    """One search: a category, four candidates from the query's slots and the remembered seller, at most one order.

    shelf: (C, K, 64) lines in slots; line_of_seller: (merchants, K) a seller's line in a category, 65535 none.
    A remembered seller with a site of its own may be visited there instead.
    """
    tick = day * 8 + daypart
    country = int(people.country[row])
    third = int(people.third[row])
    bought.tier[place] = CLOSED
    start = philox(people.birth[row], np.uint32(3), np.uint32(tick), SHELF_CANDIDATE, key0, key1)
    slots = philox(people.birth[row], np.uint32(4), np.uint32(tick), SHELF_CANDIDATE, key0, key1)
    category = focus_category(people, setting, row, day, unit(start[0]))
    best = NEVER
    chosen = -1
    familiar = -1
    for place_of_memory in range(N_MEMORY):
        if (
            people.memory_seller[row, place_of_memory] != NOBODY
            and int(people.memory_kind[row, place_of_memory] & np.uint8(0x7F)) == category
            and day - int(people.memory_day[row, place_of_memory]) <= MEMORY_DAYS
        ):
            entry = line_of_seller[people.memory_seller[row, place_of_memory], category]
            if entry != NOBODY:
                familiar = int(entry)
    for candidate in range(5):
        line = familiar
        if candidate < 4:
            entry = shelf[country, category, below(slots[candidate], np.uint32(N_SLOTS))]
            line = int(entry) if entry != NOBODY else -1
        if line < 0 or line == chosen or offers.landed_cents[line, country, 0] <= 0:
            continue
        alpha = money_utility(
            param,
            setting.price_weight[category],
            offers.reference_usd[category],
            people.money_weight[row] * setting.price_taste[country],
        )
        landed = np.float32(offers.landed_cents[line, country, 0]) * CENT
        value = (
            param.shelf_relevance * offers.reputation[offers.merchant[line]]
            + (param.shelf_remembered if line == familiar else ZERO)
            + param.purchase_loyalty * remembered(people, row, offers.merchant[line], category)
            + price_utility(param, alpha, landed, offers.remembered_usd[line, country])
            - people.delay_weight[row] * offers.promised_days[line, country]
            + gumbel(unit(philox(people.birth[row], np.uint32(line), np.uint32(tick), SHELF_NOISE, key0, key1)[0]))
        )
        if value > best:
            best = value
            chosen = line
    channel = 8
    if chosen >= 0 and chosen == familiar and offers.own_site[offers.merchant[chosen]] == 1:
        if unit(start[2]) < param.shelf_brand_site_share:
            channel = 9
    cell = ((country * 10 + channel) * 8 + category) * 3 + third
    counts.openings[thread, cell] += 1
    if chosen < 0:
        return
    known = param.information_shelf + (ONE - param.information_shelf) * param.information_tryon * np.float32(
        offers.tryon[chosen]
    )
    nest, alpha = weigh_line(
        param,
        people,
        setting,
        offers,
        row,
        chosen,
        channel,
        day,
        param.purchase_shelf_intercept,
        known,
        ZERO,
        ZERO,
        ZERO,
        ZERO,
        ZERO,
        ZERO,
        key0,
        key1,
        values,
    )
    if nest <= NEVER:
        return
    counts.surplus[thread, cell] += np.int64(log1p_exp(nest) / alpha * MILLICENTS)
    draw = philox(people.birth[row], np.uint32(0), np.uint32(tick), SHELF_BUY, key0, key1)
    if unit(draw[0]) >= sigmoid(nest):
        return
    tier = pick_tier(param, values, unit(draw[1]))
    bought.second[place] = np.int32(min(unit(start[1]) * DAYPART_LENGTH, DAYPART_LENGTH - ONE))
    bought.consumer[place] = row
    bought.channel[place] = channel
    bought.line[place] = chosen
    bought.tier[place] = tier
    bought.quantity[place] = quantity_of(
        param, unit(draw[2]), values[8 + tier], liquid_usd(param, people, row, day) * setting.liquidity[country]
    )
    bought.host[place] = NOBODY
    bought.landed_cents[place] = offers.landed_cents[chosen, country, tier]
    bought.discount_permille[place] = 0
    bought.promised_days[place] = offers.promised_days[chosen, country]
    bought.expected_quality[place] = values[4 + tier]
    bought.impulse_gap[place] = ZERO
    bought.utility[place] = nest
    bought.money_utility[place] = alpha
    bought.flags[place] = offer_flags(offers, channel, chosen)


@njit(cache=True, parallel=True, error_model="numpy")
def run_sessions(
    param: Any,
    people: People,
    setting: Setting,
    rooms: Rooms,
    offers: Offers,
    show_of_host: NDArray[np.uint16],
    pool: NDArray[np.uint16],
    shelf: NDArray[np.uint16],
    line_of_seller: NDArray[np.uint16],
    day: int,
    daypart: int,
    key0: np.uint32,
    key1: np.uint32,
    threads: int,
    order: NDArray[np.int32],
    bounds: NDArray[np.int64],
    bought: Bought,
    shelf_bought: Bought,
    counts: Counts,
    scratch: NDArray[np.float32],
) -> None:
    """All live sessions and searches of a daypart. scratch: (threads, 16)."""
    n_chunks = bounds.shape[1]
    for thread in prange(threads):
        values = scratch[thread]
        for block in range(thread * n_chunks // threads, (thread + 1) * n_chunks // threads):
            for at in range(bounds[0, block, daypart], bounds[0, block, daypart + 1]):
                live_session(
                    param[0], people, setting, rooms, offers, show_of_host, pool, int(order[0, at]), day, daypart,
                    key0, key1, at, thread, bought, counts, values,
                )  # fmt: skip
            for at in range(bounds[1, block, daypart], bounds[1, block, daypart + 1]):
                shelf_session(
                    param[0], people, setting, offers, shelf, line_of_seller, int(order[1, at]), day, daypart,
                    key0, key1, at, thread, shelf_bought, counts, values,
                )  # fmt: skip


@njit(cache=True, error_model="numpy")
def used_places(
    order_bounds: NDArray[np.int64], daypart: int, tier: NDArray[np.uint8], places: NDArray[np.int64]
) -> int:
    """Places of one daypart's buffers that hold an order, in row order; returns their number. order_bounds: (chunks, 7)."""
    found = 0
    for block in range(order_bounds.shape[0]):
        for at in range(order_bounds[block, daypart], order_bounds[block, daypart + 1]):
            if tier[at] != CLOSED:
                places[found] = at
                found += 1
    return found
