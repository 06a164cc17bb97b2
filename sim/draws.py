"""Chance, by address: the one door through which the model draws.

A draw's address is (entity, other, tick, purpose, ordinal, word): who decides, about whom, when, which decision, its
how-manieth instance, and which of the four words of one generator call. The key is the run's seed. Two runs that differ
in anything but the seed see the same value at the same address, so a comparison of scenarios is not blurred by other
people's luck. See docs/randomness.md.

- `entity`: a birth number (consumer) or permanent number (streamer, merchant, ...), never a row.
- `other`: the second party, 0 if there is none.
- `tick`: day * 8 + daypart; 0 for what is drawn once.
- `purpose`, `ordinal`: packed as purpose * 256 + ordinal.
"""

from __future__ import annotations

import math
from enum import IntEnum, unique
from typing import Any, TypeGuard

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.kernels.maths import normal_quantile
from sim.kernels.philox import below, philox, unit

WORD_LIMIT = 2**32
ORDINAL_LIMIT = 256
PURPOSE_LIMIT = WORD_LIMIT // ORDINAL_LIMIT
WORDS_PER_DRAW = 4


@unique
class Purpose(IntEnum):
    """What a draw decides. Numbers are permanent: changing one changes every run; a retired number is not used again.

    Each block belongs to one part of the model, which adds its purposes there.
    """

    # 0-39 build: the population and its attributes (sim/state/consumers.py); entity: birth number
    PERSON = 0  # age band, adoption, payment preference
    INCOME = 1
    LANGUAGE = 2  # other: language
    PLATFORM_HABIT = 3
    INTEREST = 4  # other: category
    LAST_PURCHASE = 5  # other: category
    OPENING_TASTE = 6
    DELAY = 7
    FOLLOW_START = 8

    # 40-79 graph: friends, follows, initial popularity (sim/state/social.py)
    GRAPH_WEIGHT = 40  # entity: birth; words: sociability, rounding of the number of own choices
    GRAPH_LINK = 42  # entity: birth, other: number of the choice; words: scope, whom, abroad by language
    GRAPH_CLOSURE = 43  # entity: birth, other: attempt; words: whether, which two friends are introduced
    POPULARITY = 44  # entity: streamer; rank of popularity at the start

    # 80-139 attention, shopping, opinion (sim/kernels/live.py, sim/kernels/opinion.py); entity: birth number
    OPEN = 80  # whether and when a channel is opened, a shelf searched
    PLATFORM = 81  # noise of the choice of a platform
    CANDIDATE = 82  # slots of the recommendation, focus and second of a session
    HOST_TASTE = 83  # other: streamer; lasting taste for a host
    ROOM = 84  # other: streamer; passing taste for a room
    WATCH = 85  # other: streamer; stay, hop, follow, first line shown
    BUY = 86  # other: streamer; whether, which tier, how many
    FIT = 87  # other: line; how a line fits for good
    SHELF_CANDIDATE = 88
    SHELF_NOISE = 89  # other: line
    SHELF_BUY = 90
    JUDGE = 91  # other: line; satisfaction, return, dispute, complaint
    JUDGE_GOODS = 92  # other: line; authenticity, quality of the unit, time of the verdict
    TELL = 93  # other: line
    SHARE = 94  # other: streamer
    TRUST_PRIOR = 95
    BREACH_REACH = 96  # other: platform; whose data get out in a breach
    TAKE_UP = 97  # tick: day * 8; whether live shopping is taken up or given up
    ONLINE = 98  # rank by which people of a country come online
    COVER = 100  # entity: line, other: assurance; which lines an assurance covers

    # 140-179 checkout, payment, settlement
    CHECKOUT_SHOP = 140  # entity: merchant, other: channel * 32 + country, ordinal: method; methods a shop offers
    CHECKOUT_METHOD = 141  # words: gives up without the preferred method, the other one taken
    AUTHORISATION = 142  # words: time to approval, failure, fraud, time to its chargeback
    INSTALMENTS = 143  # words: number of parts, default, part after which it comes
    DISPUTE = 144  # words: outcome, goes to the bank, time to the chargeback

    # 180-229 goods, logistics, returns
    ROUTE = 180  # entity: birth of the buyer; mode, carrier, handling time
    LINEHAUL = 181  # the same; transit, loss, damage
    CUSTOMS = 182  # the same; clearance, inspection, seizure, hold
    LAST_MILE = 183  # the same; time, loss, damage, refusal at the door
    COLD_CHAIN = 184  # the same; when cooled goods spoil
    RETURN_WAY = 185  # the same; pickup, transit, resale
    UNRECORDED = 186  # entity: line, other: warehouse, tick: day; stock that goes without a record
    CONSIGNMENT = 187  # entity: warehouse, other: mode, tick: day; production, transport and clearance of bulk stock
    UNLOADED = 188  # entity: number, other: lane; times from which a lane's first promise is set

    # 230-279 supply and firms
    MERCHANT = 230  # entity: merchant; ordinal: attribute
    MERCHANT_TARGET = 231  # entity: merchant, other: country (ordinal 0) or region (1); whether it sells there
    MERCHANT_PLATFORM = 232  # entity: merchant, other: platform
    LINE = 233  # entity: line; ordinal: attribute
    STREAMER = 234  # entity: streamer; ordinal: attribute
    AGENCY = 235  # entity: agency; ordinal: attribute
    SLOT_HABIT = 236  # entity: streamer, other: daypart; lasting taste for an hour
    SHOW = 237  # entity: streamer, tick: day * 8; whether and when a show runs today
    LINEUP = 238  # entity: streamer, tick: week * 8, ordinal: candidate; lines looked at and taste for them
    DISCOUNT = 239  # entity: streamer, tick: week * 8
    EXPOSURE = 240  # entity: row of the race table, other: slot; who wins a slot
    EXPOSURE_SHIFT = 241  # entity: pool, tick: daypart; where streamers start in the race table
    ROUTE_CHOICE = 242  # entity: line, other: country; what local stock is worth to the merchant
    THRESHOLD = 243  # entity: line, other: country; what keeps a price on its side of a customs threshold
    HONESTY = 244  # entity: merchant; whether it evades taxes on parcels
    MISDECLARED = 245  # entity: birth of the buyer; whether an opened parcel's understatement is seen
    FIRM_LUCK = 248  # entity: identity of a merchant, tick: week; ordinal 1: the weeks before the first judgement
    CHANNEL_TASTE = 250  # entity: identity of a merchant, other: channel or 10 + country; what keeps it where it is
    FREIGHT = 252  # entity: line, other: country * 8 + bulk mode; what keeps a seller to the usual mode
    TECHNOLOGY = 251  # entity: line, other: technology, ordinal: view of its worth, patience, hears (tick: week)
    ENTRY = 249  # entity: identity of a potential merchant; error in the profit it expects

    NEWS = 257  # entity: birth, other: the story, tick: day * 8; words: hears of it from the press, tells friends
    CAREER = 258  # entity: streamer, other: generation; ordinal: exit, entry, move, language, contract
    EXPOSED = 259  # entity: streamer, tick: day * 8; whether deception comes to light
    SCANDAL = 260  # entity: birth, other: streamer, tick: day * 8; whether a follower tells friends
    OFFER = 261  # entity: streamer, other: generation; ordinal: agencies that a host without contract talks to
    AUDIT_HOST = 268  # entity: streamer, tick: day * 8, ordinal: topic; who is audited today
    AUDIT_MERCHANT = 269  # entity: merchant, other: country, tick: day * 8
    AUDIT_PLATFORM = 270  # entity: platform, other: country, tick: day * 8; words: audit, whether a lapse is found

    # 280-299 interventions and shocks
    COVERED = 280  # entity: index of an entity of a leaf, other: the leaf; whom a lever reaches that reaches a share
    BREACH = 281  # entity: platform, tick: day * 8; whether its users' data get out today

    # 300-319 calendar and exchange rates
    FX_STEP = 300  # entity: currency code, tick: year; drawn in sim.calendar, which stands below this module


@njit(cache=True, error_model="numpy", nogil=True)
def _fill_words(
    entity: NDArray[np.uint32],
    other: NDArray[np.uint32],
    tick: NDArray[np.uint32],
    purpose_ordinal: NDArray[np.uint32],
    steps: NDArray[np.int64],
    key: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """Fills out[n, 4]; an argument with step 0 is one value for all rows."""
    key0 = key[0]
    key1 = key[1]
    for row in range(out.shape[0]):
        words = philox(
            entity[row * steps[0]],
            other[row * steps[1]],
            tick[row * steps[2]],
            purpose_ordinal[row * steps[3]],
            key0,
            key1,
        )
        out[row, 0] = words[0]
        out[row, 1] = words[1]
        out[row, 2] = words[2]
        out[row, 3] = words[3]


@njit(cache=True, error_model="numpy", nogil=True)
def _fill_plain(
    entity: NDArray[np.uint32], other: int, tick: int, purpose_ordinal: int, key: NDArray[np.uint32], word: int,
    out: NDArray[np.float32],
) -> None:  # fmt: skip
    """Fills out[n] for many entities and one of everything else: the common case, which vectorises."""
    key0 = key[0]
    key1 = key[1]
    about = np.uint32(other)
    when = np.uint32(tick)
    what = np.uint32(purpose_ordinal)
    for row in range(out.shape[0]):
        words = philox(entity[row], about, when, what, key0, key1)
        out[row] = unit(words[0] if word == 0 else words[1] if word == 1 else words[2] if word == 2 else words[3])


@njit(cache=True, error_model="numpy", nogil=True)
def _fill_uniform(
    entity: NDArray[np.uint32],
    other: NDArray[np.uint32],
    tick: NDArray[np.uint32],
    purpose_ordinal: NDArray[np.uint32],
    steps: NDArray[np.int64],
    key: NDArray[np.uint32],
    word: int,
    out: NDArray[np.float32],
) -> None:
    """Fills out[n] with one word of each address as a uniform number."""
    key0 = key[0]
    key1 = key[1]
    for row in range(out.shape[0]):
        words = philox(
            entity[row * steps[0]],
            other[row * steps[1]],
            tick[row * steps[2]],
            purpose_ordinal[row * steps[3]],
            key0,
            key1,
        )
        out[row] = unit(words[0] if word == 0 else words[1] if word == 1 else words[2] if word == 2 else words[3])


@njit(cache=True, error_model="numpy", nogil=True)
def _to_normal(values: NDArray[np.float32]) -> None:
    """Turns uniform numbers into standard normal ones, in place."""
    for row in range(values.shape[0]):
        values[row] = normal_quantile(values[row])


@njit(cache=True, error_model="numpy", nogil=True)
def _to_below(words: NDArray[np.uint32], bound: np.uint32) -> None:
    """Turns words into integers below `bound`, in place."""
    for row in range(words.shape[0]):
        words[row] = below(words[row], bound)


def purpose_base(purpose: int) -> np.uint32:
    """`purpose * 256`, to which kernels add the ordinal (0-255). Raises ValueError if it does not fit in 32 bits."""
    if not 0 <= int(purpose) < PURPOSE_LIMIT:
        raise ValueError(f"purpose must be in 0..{PURPOSE_LIMIT - 1}, not {int(purpose)}")
    return np.uint32(int(purpose) * ORDINAL_LIMIT)


def _as_word(value: int, name: str, limit: int = WORD_LIMIT) -> int:
    """One value, checked. Raises ValueError outside 0 .. limit - 1."""
    if not 0 <= value < limit:
        raise ValueError(f"{name} of a draw must be in 0..{limit - 1}, found {value}")
    return value


def _is_int(value: Any) -> TypeGuard[int]:
    """Whether a value is one plain Python integer (numpy's ArrayLike does not say so)."""
    return type(value) is int


def _as_words(values: ArrayLike, name: str, limit: int = WORD_LIMIT) -> NDArray[np.uint32]:
    """Values as a contiguous, writable uint32 array. Raises ValueError outside 0 .. limit - 1 and for non-integers."""
    if _is_int(values):
        return np.array(_as_word(values, name, limit), dtype=np.uint32)
    array = np.asarray(values)
    if array.dtype == np.uint32 and limit == WORD_LIMIT and array.flags.carray:
        return array
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} of a draw must be whole numbers, not {array.dtype}")
    if array.size and not (array.dtype == np.uint32 and limit == WORD_LIMIT):
        lowest, highest = int(array.min()), int(array.max())
        if lowest < 0 or highest >= limit:
            _as_word(lowest if lowest < 0 else highest, name, limit)
    words = np.ascontiguousarray(array, dtype=np.uint32).reshape(array.shape)
    return words if words.flags.writeable else words.copy()  # one compiled signature serves all callers


class Draws:
    """All chance of a run with one seed; holds no state besides the key, so calls may come in any order.

    `key` is uint32[2], the low and high halves of the seed, for kernels that call `philox` themselves.
    """

    def __init__(self, seed: int) -> None:
        """Raises ValueError unless 0 <= seed < 2^64."""
        if not 0 <= int(seed) < 2**64:
            raise ValueError(f"seed must be in 0..{2**64 - 1}, not {seed}")
        self.seed = int(seed)
        self.key: NDArray[np.uint32] = np.array([self.seed & 0xFFFFFFFF, self.seed >> 32], dtype=np.uint32)

    def words(
        self, purpose: int, entity: ArrayLike, other: ArrayLike = 0, tick: ArrayLike = 0, ordinal: ArrayLike = 0
    ) -> NDArray[np.uint32]:
        """The four 32-bit words of each address: uint32[..., 4] over the broadcast shape of the arguments.

        Raises ValueError if an argument is not whole, negative or too large (ordinal: 256, the others: 2^32).
        """
        (entities, others, ticks, codes), steps, shape = self._address(purpose, entity, other, tick, ordinal)
        out = np.empty((math.prod(shape), WORDS_PER_DRAW), dtype=np.uint32)
        _fill_words(entities, others, ticks, codes, steps, self.key, out)
        return out.reshape((*shape, WORDS_PER_DRAW))

    def uniform(
        self,
        purpose: int,
        entity: ArrayLike,
        other: ArrayLike = 0,
        tick: ArrayLike = 0,
        ordinal: ArrayLike = 0,
        word: int = 0,
    ) -> NDArray[np.float32]:
        """Uniform float32 strictly between 0 and 1, one for each address of the broadcast shape (or a scalar)."""
        self._check_word(word)
        if _is_int(other) and _is_int(tick) and _is_int(ordinal):
            entities = _as_words(entity, "entity")
            out = np.empty(entities.shape, dtype=np.float32)
            about, when = _as_word(other, "other"), _as_word(tick, "tick")
            code = int(purpose_base(purpose)) + _as_word(ordinal, "ordinal", ORDINAL_LIMIT)
            _fill_plain(entities.reshape(-1), about, when, code, self.key, word, out.reshape(-1))
            return out[()]
        (entities, others, ticks, codes), steps, shape = self._address(purpose, entity, other, tick, ordinal)
        out = np.empty(math.prod(shape), dtype=np.float32)
        _fill_uniform(entities, others, ticks, codes, steps, self.key, word, out)
        return out.reshape(shape)[()]

    def normal(
        self,
        purpose: int,
        entity: ArrayLike,
        other: ArrayLike = 0,
        tick: ArrayLike = 0,
        ordinal: ArrayLike = 0,
        word: int = 0,
    ) -> NDArray[np.float32]:
        """Standard normal float32, the quantile of `uniform` at the same address; at most 5.3 in absolute value."""
        out = np.asarray(self.uniform(purpose, entity, other, tick, ordinal, word))
        _to_normal(out.reshape(-1))
        return out[()]

    def integers(
        self,
        purpose: int,
        bound: int,
        entity: ArrayLike,
        other: ArrayLike = 0,
        tick: ArrayLike = 0,
        ordinal: ArrayLike = 0,
        word: int = 0,
    ) -> NDArray[np.uint32]:
        """Uniform whole numbers in 0 .. bound - 1, one for each address."""
        if not 1 <= int(bound) < WORD_LIMIT:
            raise ValueError(f"bound must be in 1..{WORD_LIMIT - 1}, not {bound}")
        words = self.words(purpose, entity, other, tick, ordinal)[..., self._check_word(word)]
        flat = np.array(words).reshape(-1)
        _to_below(flat, np.uint32(bound))
        return flat.reshape(words.shape)[()]

    @staticmethod
    def _check_word(word: int) -> int:
        if word not in (0, 1, 2, 3):
            raise ValueError(f"word must be 0, 1, 2 or 3, not {word}")
        return int(word)

    @staticmethod
    def _address(
        purpose: int, entity: ArrayLike, other: ArrayLike, tick: ArrayLike, ordinal: ArrayLike
    ) -> tuple[list[NDArray[np.uint32]], NDArray[np.int64], tuple[int, ...]]:
        """The four counter words as flat arrays, of length 1 (step 0) or full length (step 1); and the shape."""
        parts = [
            _as_words(entity, "entity"),
            _as_words(other, "other"),
            _as_words(tick, "tick"),
            _as_words(ordinal, "ordinal", ORDINAL_LIMIT) + purpose_base(purpose),
        ]
        shapes = {part.shape for part in parts if part.shape}
        shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
        steps = np.zeros(len(parts), dtype=np.int64)
        flat: list[NDArray[np.uint32]] = []
        for position, part in enumerate(parts):
            part = np.asarray(part, dtype=np.uint32)
            if part.size == 1:
                flat.append(part.reshape(1))
                continue
            steps[position] = 1
            flat.append(np.array(np.broadcast_to(part, shape)).reshape(-1) if part.shape != shape else part.reshape(-1))
        return flat, steps, shape
