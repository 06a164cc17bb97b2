"""Philox4x32-10, the counter-based random number generator behind every draw of the model.

A draw is a pure function of an address (four 32-bit counter words) and of a key (the run's seed in two 32-bit words),
so no draw depends on what was drawn before, on the order of a loop or on the number of threads. Source of the algorithm
and of the known answers in the tests: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
SC11, and its Random123 library.

Everything here runs unchanged without compilation (`NUMBA_DISABLE_JIT=1`) and gives the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
LOW_WORD = np.uint64(0xFFFFFFFF)
HALF_WIDTH = np.uint64(32)
DROPPED_BITS = np.uint32(9)
HALF = np.float32(0.5)
UNIT_STEP = np.float32(2.0**-23)

Words = tuple[np.uint32, np.uint32, np.uint32, np.uint32]


@njit(cache=True, error_model="numpy", forceinline=True)
def _round(
    word0: np.uint32, word1: np.uint32, word2: np.uint32, word3: np.uint32, key0: np.uint64, key1: np.uint64
) -> Words:
    """One of the ten rounds: two 32 x 32 -> 64 bit products, mixed crosswise with the other words and the key."""
    product0 = MULTIPLIER_0 * np.uint64(word0)
    product1 = MULTIPLIER_1 * np.uint64(word2)
    return (
        np.uint32(((product1 >> HALF_WIDTH) ^ np.uint64(word1) ^ key0) & LOW_WORD),
        np.uint32(product1 & LOW_WORD),
        np.uint32(((product0 >> HALF_WIDTH) ^ np.uint64(word3) ^ key1) & LOW_WORD),
        np.uint32(product0 & LOW_WORD),
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def philox(
    entity: np.uint32, other: np.uint32, tick: np.uint32, purpose_ordinal: np.uint32, key0: np.uint32, key1: np.uint32
) -> Words:
    """Four independent, uniform 32-bit words of the address (entity, other, tick, purpose_ordinal) under the key.

    All arguments are unsigned 32-bit integers (scalars); `purpose_ordinal` is `Purpose * 256 + ordinal`. There is no
    failure: every address is valid. The rounds are written out because a loop over them stops the compiler from
    vectorising the caller's loop.
    """
    round_key0 = np.uint64(key0)
    round_key1 = np.uint64(key1)
    words = _round(
        np.uint32(entity), np.uint32(other), np.uint32(tick), np.uint32(purpose_ordinal), round_key0, round_key1
    )
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    words = _round(words[0], words[1], words[2], words[3], round_key0, round_key1)
    round_key0 = (round_key0 + WEYL_0) & LOW_WORD
    round_key1 = (round_key1 + WEYL_1) & LOW_WORD
    return _round(words[0], words[1], words[2], words[3], round_key0, round_key1)


@njit(cache=True, error_model="numpy", forceinline=True)
def unit(word: np.uint32) -> np.float32:
    """Uniform float32 strictly between 0 and 1 from one 32-bit word: (its top 23 bits + 0.5) * 2^-23.

    23 bits and not 24, because `k + 0.5` must be exact in float32: with 24 bits the largest values would round to 1.
    `unit` and `1 - unit` have exactly the same distribution and both are exact.
    """
    return (np.float32(np.int32(np.uint32(word) >> DROPPED_BITS)) + HALF) * UNIT_STEP


@njit(cache=True, error_model="numpy", forceinline=True)
def below(word: np.uint32, bound: np.uint32) -> np.uint32:
    """Uniform integer in 0 .. bound - 1 from one 32-bit word, by multiplication (no division, no rejection).

    The probabilities of two outcomes differ by at most 2^-32, which no run of this model could notice.
    """
    return np.uint32((np.uint64(word) * np.uint64(bound)) >> HALF_WIDTH)


@njit(cache=True, error_model="numpy", forceinline=True)
def uniform(
    entity: np.uint32, other: np.uint32, tick: np.uint32, purpose_ordinal: np.uint32, key0: np.uint32, key1: np.uint32
) -> np.float32:
    """First word of `philox` as a uniform float32 strictly between 0 and 1."""
    return unit(philox(entity, other, tick, purpose_ordinal, key0, key1)[0])
