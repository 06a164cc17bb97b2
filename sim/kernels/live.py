"""What the compiled loops of a consumer's day share: the columns they take, the addresses of draws, small helpers.

The loops themselves are in `sim.kernels.opening` (who opens what when), `sim.kernels.sessions` (platforms, rooms,
minutes, purchases) and `sim.kernels.opinion` (verdicts, memory, trust). All of them run over blocks of consumers: the
few who do something are listed first, then short phases go through the list, each with few plain arrays, so that draws,
logarithms and exponentials are vectorised and a person's columns are touched only where needed. A phase that gathers
from many columns and a phase that computes on contiguous scratch are kept apart for that reason. Tuples of arrays are
taken apart once a block: handing one to a function for every person costs more than all arithmetic together.

Each thread takes its blocks by turns and writes rows, buffers and int64 counters that no other thread touches, so
any number of threads and any size of block give the same bits. Formulas live in `sim.kernels.behaviour`; the readable
twin of the loops is `sim.agents.consumer.Consumer`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.maths import HALF, ZERO, gumbel, normal_quantile
from sim.kernels.philox import philox, unit

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

# The second word of an address where it is not a streamer or a line.
OF_NOTHING = np.uint32(0)
OF_ROOMS = np.uint32(1)
OF_SESSION = np.uint32(2)
OF_SEARCH = np.uint32(3)
OF_RESULTS = np.uint32(4)
OF_STAYING_OUT = np.uint32(0xFFFF)

N_DAYPARTS = 6
DAYPART_LENGTH = np.float32(14_400)
N_FOLLOWS = 6
N_PLATFORM_SLOTS = 4
N_MEMORY = 4
N_SPOKEN = 3
N_SLOTS = np.float32(64)
N_RECOMMENDED = 4
N_RESULTS = 4
N_CATEGORIES = 8
N_TIERS = 4
LINEUP = 4
MAX_ROOMS = 3
CLOSED = np.uint8(255)
NOBODY = np.uint16(0xFFFF)
BOUGHT = np.uint8(0x80)
KIND = np.uint8(0x7F)
NEVER = np.float32(-1e9)
BYTE = np.float32(1 / 255)
BYTE_TOP = np.float32(255)
WORD = np.float32(1 / 65535)
WORD_TOP = np.float32(65535)
CENT = np.float32(0.01)
SECONDS = np.float32(60)
MILLICENTS = np.float32(100_000)
PERMILLE = np.float32(1000)
MEMORY_DAYS = 90
PROOF_CAP = np.float32(5)
SQRT_3 = np.float32(1.7320508)
TWO = np.float32(2)

type Float = np.float32
type Floats = NDArray[np.float32]
type Rows = NDArray[np.uint32]

ORDER = np.dtype(
    [
        ("second", np.int32),
        ("consumer", np.int32),
        ("landed_cents", np.int32),
        ("promised_days", np.float32),
        ("expected_quality", np.float32),
        ("impulse_gap", np.float32),
        ("utility", np.float32),
        ("money_utility", np.float32),
        ("line", np.uint16),
        ("host", np.uint16),
        ("discount_permille", np.uint16),
        ("flags", np.uint16),
        ("channel", np.uint8),
        ("tier", np.uint8),
        ("quantity", np.uint8),
        ("ordinal", np.uint8),
    ]
)
"""What somebody decided to buy; one record is one order, `second` counts from the daypart's start."""


class People(NamedTuple):
    """The columns of the consumer table that these loops read and write (see sim.state.consumers for units).

    Those from `interests` to `bonds` are views on fields of `drives`, the others not read for everybody on `means`.
    """

    drives: NDArray[Any]
    means: NDArray[Any]
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
    price_cents: NDArray[np.int32]  # (n, C, 4) of the goods, before discount, tax and freight
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
    need_rate: NDArray[np.float32]  # (C, K) share of a need that comes back in a day
    price_weight: NDArray[np.float32]  # (K,)
    risk: NDArray[np.float32]  # (K,)
    fit_spread: NDArray[np.float32]  # (K,)
    impulse: NDArray[np.float32]  # (K,)
    interaction: NDArray[np.float32]  # (C,)
    detail: NDArray[np.float32]  # (C,)
    price_taste: NDArray[
        np.float32
    ]  # (C,) dislike of a dollar against other regions', x price of the dollar against rest
    stutter: NDArray[np.float32]  # (C,)
    evidence: NDArray[np.float32]  # (C,) what a steady minute tells against the base year's picture
    reviewed: NDArray[np.float32]  # (H,) weight of reputations in the prior against the base year's
    doubt: NDArray[np.float32]  # (H,) perceived risk before anything is seen against the base year's
    steps: NDArray[np.float32]  # (H,)
    service_fee: NDArray[np.float32]  # (H,) on top of the price, share of goods
    page_discount: NDArray[np.float32]  # (H,) on a shelf's or a brand site's pages, share off the list price; 0 live
    subsidy_usd: NDArray[np.float32]  # (P,)
    liquidity: NDArray[np.float32]  # (C,) what instalments and a jump of the exchange rate make of a budget
    return_window: NDArray[np.float32]  # (C,) days from delivery in which goods may be sent back
    expected: NDArray[np.float32]  # (C,) inclusive value of what is expected on air
    expected_by_platform: NDArray[np.float32]  # (C, P)


class Counts(NamedTuple):
    """Exact counters, one plane per thread; summed afterwards in any order."""

    visits: NDArray[np.int64]  # (T, cells)
    seconds: NDArray[np.int64]  # (T, cells)
    openings: NDArray[np.int64]  # (T, cells)
    surplus: NDArray[np.int64]  # (T, cells) milli-cents
    follows: NDArray[np.int64]  # (T, cells)
    discoveries: NDArray[np.int64]  # (T, cells) sellers met in a room and not bought from
    host_seconds: NDArray[np.int64]  # (T, streamers)
    host_visits: NDArray[np.int64]  # (T, streamers)
    languages: NDArray[np.int64]  # (T, L, L) visits by show's and viewer's language


@njit(cache=True, error_model="numpy", forceinline=True)
def host_taste(birth: np.uint32, host: np.uint32, key0: np.uint32, key1: np.uint32) -> Float:
    """Lasting taste of a person for a host: standard normal in its first two moments (sum of four uniforms)."""
    words = philox(birth, host, np.uint32(0), HOST_TASTE, key0, key1)
    return (unit(words[0]) + unit(words[1]) + unit(words[2]) + unit(words[3]) - TWO) * SQRT_3


@njit(cache=True, error_model="numpy")
def host_tastes(birth: NDArray[np.uint32], host: NDArray[np.uint32], key0: np.uint32, key1: np.uint32) -> Floats:
    """`host_taste` of many persons for a host each, shape (n,)."""
    out = np.empty(birth.size, np.float32)
    for at in range(birth.size):
        out[at] = host_taste(birth[at], host[at], key0, key1)
    return out


@njit(cache=True, error_model="numpy", forceinline=True)
def fit_of(birth: np.uint32, line: np.uint32, key0: np.uint32, key1: np.uint32) -> Float:
    """How a line fits a person for good, standard normal."""
    return normal_quantile(unit(philox(birth, line, np.uint32(0), FIT, key0, key1)[0]))


@njit(cache=True, error_model="numpy", forceinline=True)
def noise_of(
    birth: np.uint32, other: np.uint32, tick: np.uint32, purpose: np.uint32, key0: np.uint32, key1: np.uint32
) -> Float:
    """Passing part of a choice's noise, standard Gumbel, from the first word of its address."""
    return gumbel(unit(philox(birth, other, tick, purpose, key0, key1)[0]))


@njit(cache=True, error_model="numpy")
def draw_units(
    birth: Rows, other: np.uint32, tick: np.uint32, purpose: np.uint32, key0: np.uint32, key1: np.uint32, units: Floats
) -> None:
    """Four uniforms for each person, word w in units[w]; units: (4, at least n)."""
    for at in range(birth.size):
        words = philox(birth[at], other, tick, purpose, key0, key1)
        units[0, at] = unit(words[0])
        units[1, at] = unit(words[1])
        units[2, at] = unit(words[2])
        units[3, at] = unit(words[3])


@njit(cache=True, error_model="numpy")
def draw_units_with(
    birth: Rows, other: Rows, tick: np.uint32, purpose: np.uint32, key0: np.uint32, key1: np.uint32, units: Floats
) -> None:
    """Four uniforms for each pair of a person and somebody or something else, word w in units[w]; units: (4, >= n)."""
    for at in range(birth.size):
        words = philox(birth[at], other[at], tick, purpose, key0, key1)
        units[0, at] = unit(words[0])
        units[1, at] = unit(words[1])
        units[2, at] = unit(words[2])
        units[3, at] = unit(words[3])


@njit(cache=True, error_model="numpy", forceinline=True)
def platform_slot(platform_slots: NDArray[np.uint8], country: int, platform: int) -> int:
    """Place of a platform among those on offer in a country; -1 if it is not."""
    for slot in range(N_PLATFORM_SLOTS):
        if platform_slots[country, slot] == platform:
            return slot
    return -1


@njit(cache=True, error_model="numpy", forceinline=True)
def remembered(person: Any, merchant: np.uint16, category: np.uint8) -> Float:
    """Satisfaction with the last purchase from a seller in a category, minus one half; 0 where there was none.

    `person` is the record `means` of the consumer table.
    """
    for place in range(N_MEMORY):
        if person.memory_seller[place] == merchant and person.memory_kind[place] == (BOUGHT | category):
            return np.float32(person.memory_score[place]) * BYTE - HALF
    return ZERO


@njit(cache=True, error_model="numpy", forceinline=True)
def keep_in_mind(person: Any, merchant: np.uint16, category: np.uint8, day: np.uint16, score: np.uint8) -> int:
    """Writes a seller that was met into the record `means` of a person; 1 if it was not in mind before, else 0.

    Awareness keeps the day on which the seller was first met and the best score, uses the last place, and never
    overwrites a purchase from the same seller in the category.
    """
    known = N_MEMORY
    for memory in range(N_MEMORY - 1, -1, -1):
        same = (person.memory_seller[memory] == merchant) & ((person.memory_kind[memory] & KIND) == category)
        known = memory if same else known
    is_new = known == N_MEMORY
    place = np.uint32(min(known, N_MEMORY - 1))
    kind, old = person.memory_kind[place], person.memory_score[place]
    other_category = person.memory_seller[place] == merchant
    better = (kind < BOUGHT) & (score > old)
    person.memory_seller[place] = merchant
    person.memory_kind[place] = category if is_new else kind
    person.memory_day[place] = day if is_new else person.memory_day[place]
    person.memory_score[place] = score if is_new | better else old
    return int(is_new & (not other_category))


@njit(cache=True, error_model="numpy", forceinline=True)
def remember(
    memory_seller: NDArray[np.uint16],
    memory_kind: NDArray[np.uint8],
    memory_day: NDArray[np.uint16],
    memory_score: NDArray[np.uint8],
    row: int,
    merchant: np.uint16,
    category: np.uint8,
    day: np.uint16,
    score: np.uint8,
) -> None:
    """Writes a purchase into memory: over the same seller and category, else over the oldest of the first three."""
    place = 0
    for candidate in range(N_MEMORY):
        if memory_seller[row, candidate] == merchant and memory_kind[row, candidate] == (BOUGHT | category):
            place = candidate
            break
        if candidate < N_MEMORY - 1 and memory_day[row, candidate] < memory_day[row, place]:
            place = candidate
    memory_seller[row, place] = merchant
    memory_kind[row, place] = BOUGHT | category
    memory_day[row, place] = day
    memory_score[row, place] = score
