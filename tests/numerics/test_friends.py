"""Friendships in few bytes: what is packed is what is read, in compiled loops and as whole arrays."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.kernels.friends import BLOCK, ROW, WIDE_ROW, Friends, mark_friends, pack, row_at, rows_in, start_of, starts

TWO_BYTES, THREE_BYTES, LARGEST = 2**16, 2**24, 2**31 - 1


def rows_of(degrees: list[int], highest: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(indptr, friends): people with as many friends as given, whose rows lie anywhere up to `highest` and reach it."""
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(degrees, np.int64))])
    friends = np.random.default_rng(seed).integers(0, highest, indptr[-1], dtype=np.int32, endpoint=True)
    if friends.size:
        friends[seed % friends.size] = highest
    return indptr, friends


@given(
    degrees=st.lists(st.sampled_from([0, 0, 1, 2, 9]), max_size=3 * BLOCK),
    hub=st.none() | st.tuples(st.integers(0, 3 * BLOCK), st.integers(TWO_BYTES - 3, TWO_BYTES + 3)),
    highest=st.sampled_from([0, TWO_BYTES - 1, TWO_BYTES, THREE_BYTES - 1, THREE_BYTES, LARGEST]),
    seed=st.integers(0, 1000),
)
@example(degrees=[], hub=None, highest=0, seed=0)
@example(degrees=[0] * BLOCK, hub=None, highest=0, seed=0)
@example(degrees=[1] * (BLOCK - 1), hub=(BLOCK - 2, TWO_BYTES), highest=THREE_BYTES - 1, seed=0)
@example(degrees=[1] * BLOCK, hub=(BLOCK - 1, TWO_BYTES), highest=THREE_BYTES, seed=0)
@example(degrees=[9] * (2 * BLOCK + 1), hub=(BLOCK, 2**17), highest=LARGEST, seed=0)
@settings(max_examples=60, deadline=None)
def test_what_is_packed_is_read_again(degrees, hub, highest, seed):
    if hub is not None and degrees:
        degrees[hub[0] % len(degrees)] = hub[1]
    indptr, friends = rows_of(degrees, highest, seed)
    packed = pack(indptr, friends)
    assert np.array_equal(starts(packed), indptr)
    assert np.array_equal(rows_in(packed.who), friends)
    assert packed.who.dtype == (WIDE_ROW if friends.max(initial=0) >= THREE_BYTES else ROW)
    borders = {0, BLOCK - 1, BLOCK, 2 * BLOCK, len(degrees) // 2, len(degrees)}
    assert all(start_of(packed, row) == indptr[row] for row in borders if row <= len(degrees))
    places = {0, seed % max(friends.size, 1), friends.size - 1}
    assert all(row_at(packed, place) == friends[place] for place in places if 0 <= place < friends.size)


@pytest.mark.parametrize(("highest", "bytes_each"), [(THREE_BYTES - 1, 3), (THREE_BYTES, 4)])
def test_loops_find_the_friends_of_any_number_of_people(highest: int, bytes_each: int) -> None:
    indptr, friends = rows_of([3, 0, 5, 2], highest, 4)
    packed = pack(indptr, friends)
    assert packed.who.itemsize == bytes_each
    marked = np.zeros(highest + 1, np.bool_)
    mark_friends(packed, np.array([0, 1, 3]), marked)
    assert np.array_equal(np.flatnonzero(marked), np.unique(friends[[0, 1, 2, 8, 9]]))


def test_a_consumer_takes_two_bytes_and_three_a_friend() -> None:
    packed = pack(*rows_of([10] * 100_000, 99_999, 1))
    assert sum(array.nbytes for array in packed) / 100_000 == pytest.approx(32, abs=0.05)
    again = Friends(*pickle.loads(pickle.dumps(packed)))
    assert all(np.array_equal(one, other) for one, other in zip(packed, again, strict=True))
