"""The clock: everything filed is said once, in order, at its time; processes run beside it."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest
import simpy

from sim.clock import Clock, sort_events
from sim.kinds import Event

START = 8400 * 86_400


def test_everything_filed_is_said_once_and_in_order() -> None:
    clock = Clock(START)
    rng = np.random.default_rng(1)
    seconds = START + rng.integers(0, 20 * 86_400, 3_000)
    kinds = rng.integers(0, 14, 3_000)
    clock.schedule(kinds, seconds, np.arange(3_000))
    assert clock.count((Event.DELIVERED,)) == (kinds == Event.DELIVERED).sum()
    said = []
    for daypart in range(1, 121):
        events = clock.advance_to(START + daypart * 14_400)
        assert (events.time >= START + (daypart - 1) * 14_400).all()
        assert (events.time < START + daypart * 14_400).all()
        rows = list(zip(events.time.tolist(), events.kind.tolist(), events.order.tolist(), strict=True))
        assert rows == sorted(rows)
        said += events.order.tolist()
    assert sorted(said) == list(range(3_000))


def test_news_that_comes_late_keeps_its_date() -> None:
    clock = Clock(START)
    clock.advance_to(START + 14_400)
    clock.schedule(Event.SHIPPED, np.array([START + 5]), np.array([3]))
    events = clock.advance_to(START + 28_800)
    assert events.time.tolist() == [START + 5]


def test_processes_run_and_speak() -> None:
    clock = Clock(START)

    def runs() -> Generator[simpy.Event, None, None]:
        for number in range(3):
            yield clock.env.timeout(10_000)
            clock.emit(Event.RESTOCKED, number)

    clock.process(runs())
    assert clock.advance_to(START + 14_400).order.tolist() == [0]
    assert clock.advance_to(START + 28_800).time.tolist() == [START + 20_000]
    assert len(clock.advance_to(START + 28_800)) == 0


def test_the_clock_moves_forward_by_whole_dayparts() -> None:
    clock = Clock(START)
    clock.advance_to(START + 14_400)
    for second in (START, START + 15_000):
        with pytest.raises(ValueError, match="whole dayparts"):
            clock.advance_to(second)
    with pytest.raises(ValueError, match="multiple"):
        Clock(START + 1)


def test_both_ways_of_sorting_agree() -> None:
    rng = np.random.default_rng(2)
    times, kinds, orders = rng.integers(0, 50, 500), rng.integers(0, 14, 500), rng.integers(-20, 1_000, 500)
    entries = np.stack((times, kinds, orders, orders), axis=1)
    fast = sort_events(entries)
    slow = sort_events(np.append(entries, [[1 << 60, 0, 0, 0]], axis=0))
    for name in ("time", "kind", "order"):
        assert getattr(fast, name).tolist() == getattr(slow, name)[:-1].tolist()
