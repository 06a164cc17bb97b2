"""Friendships in compressed rows of few bytes, and how loops read them. docs/decisions/0012 says why.

A friend takes three bytes and the start of a person's row two, on top of one whole number for every 256 people. Both
are wider where people or friendships are too many for that, so no network is too large; loops are then compiled once
more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

BLOCK_BITS = np.uint64(8)
BLOCK = 1 << int(BLOCK_BITS)  # people whose starts are counted from the same place
LOW_BITS, LOW = np.int64(16), np.int32(65_535)
LEAST_WIDE = 1 << 24
ROW, WIDE_ROW = (np.dtype([("low", np.uint16), ("high", high)]) for high in (np.uint8, np.uint16))  # 3 and 4 bytes


class Friends(NamedTuple):
    """Who is whose friend: those of `row` stand in `row_at` from `start_of(row)` to before `start_of(row + 1)`."""

    base: I64  # (n // 256 + 1,) start of the first row of each block; n, behind the last row, counts as one
    offset: NDArray[np.unsignedinteger[Any]]  # (n + 1,) start of each row behind that of its block
    who: NDArray[np.void]  # (m,) rows of friends, ROW or WIDE_ROW


def pack(indptr: I64, friends: I32) -> Friends:
    """From whole numbers: friends of row i are `friends[indptr[i]:indptr[i + 1]]`. None below 0, indptr never falls."""
    base = indptr[::BLOCK].copy()
    offset = np.repeat(base, BLOCK)[: indptr.size]
    np.subtract(indptr, offset, out=offset)
    who = np.empty(friends.size, ROW if friends.max(initial=0) < LEAST_WIDE else WIDE_ROW)
    np.bitwise_and(friends, LOW, out=who["low"], casting="unsafe")
    np.right_shift(friends, LOW_BITS, out=who["high"], casting="unsafe")
    return Friends(base, offset.astype(np.promote_types(np.uint16, np.min_scalar_type(offset.max()))), who)


def starts(friends: Friends) -> I64:
    """int64[n + 1]: `start_of` every row."""
    result: I64 = np.repeat(friends.base, BLOCK)[: friends.offset.size]
    result += friends.offset.astype(np.int64)
    return result


def rows_in(who: NDArray[np.void]) -> I32:
    """int32[k]: the rows in a part of `who`."""
    result: I32 = who["high"].astype(np.int32)
    result <<= LOW_BITS
    result |= who["low"]
    return result


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def start_of(friends: Friends, row: int) -> np.int64:
    """Where the friends of `row` begin in `who`; of the row behind the last one: where they end."""
    at = np.uint64(row)
    return friends.base[at >> BLOCK_BITS] + np.int64(friends.offset[at])


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def row_at(friends: Friends, edge: int) -> np.uint32:
    """The friend in one place of `who`."""
    row = friends.who[np.uint64(edge)]
    return np.uint32(np.int64(row["low"]) | (np.int64(row["high"]) << LOW_BITS))


@njit(cache=True, error_model="numpy", _nrt=False)
def mark_friends(friends: Friends, rows: I64, marked: NDArray[np.bool_]) -> None:
    """Sets `marked` (n,) for everybody who is a friend of somebody in `rows` (k,)."""
    for row in rows:
        for edge in range(start_of(friends, row), start_of(friends, row + 1)):
            marked[row_at(friends, edge)] = True
