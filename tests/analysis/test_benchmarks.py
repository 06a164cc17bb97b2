"""The arithmetic of the benchmarks. No time is asserted."""

import time

import numpy as np
import pytest

from benchmarks.held import arrays
from benchmarks.world import Profile, part_of, straight, weekly_mean


def test_a_mean_day_is_the_mean_of_the_weekdays_medians():
    week = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 8.0]
    assert weekly_mean(week * 3) == pytest.approx(2.0)
    disturbed = week * 3
    disturbed[3] = 1000.0
    assert weekly_mean(disturbed) == pytest.approx(2.0)


def test_a_line_is_found_again():
    size = np.array([1e4, 1e5, 1e6])
    assert straight(size, 0.004 + 1e-7 * size) == pytest.approx((0.004, 1e-7))


def test_each_second_is_counted_once_where_it_was_spent():
    profile = Profile()
    inner = profile.wrap(("sim.clock", "Clock", "inner"), lambda: time.sleep(0.02))

    def caller() -> None:
        inner()
        time.sleep(0.01)

    outer = profile.wrap(("sim.day.supply", "Supply", "outer"), caller)
    start = time.perf_counter()
    outer()
    took = time.perf_counter() - start
    assert sum(profile.seconds.values()) <= took
    assert profile.seconds["sim.clock", "Clock", "inner"] >= 0.02
    assert profile.seconds["sim.day.supply", "Supply", "outer"] <= took - 0.02
    parts = profile.by_part()
    assert parts["orders, logistics, money"] >= 0.02
    assert part_of("sim.state.ledger", "check") == "record and checks"


def test_arrays_are_counted_once_by_the_memory_they_own():
    base = np.zeros(100)
    held = {"whole": base, "view": base[10:], "again": [base.reshape(10, 10)]}
    assert [found.nbytes for found in arrays(held, set())] == [800]
