"""Calendars and stations: nothing lost, order of arrival kept, cuts without effect, waits as queueing theory says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.kernels.stations import (
    ARRIVED,
    BACKLOG,
    DAY_MICRO,
    DUE,
    GAP,
    HEADWAY,
    ITEM,
    KEY,
    MICRO,
    OPEN,
    PHASE,
    PLACE,
    SEEN,
    SERVED,
    SLACK,
    TIME,
    Bank,
    Calendar,
    order_by_time,
    serve_servers,
    sort_by_time,
)

HOUR = 3600


def test_calendar_gives_back_every_entry_in_its_bucket() -> None:
    calendar = Calendar(10, 0)
    rng = np.random.default_rng(1)
    times = rng.integers(0, 30_000, 5_000)  # three times the horizon of 1024 buckets
    calendar.add(times, np.arange(5_000), np.arange(5_000) + 7, np.zeros(1, np.int64))
    assert len(calendar) == 5_000
    assert calendar.read().shape[0] == 5_000
    found = 0
    for bucket in range(3_000):
        entries = calendar.take()
        assert ((entries[:, TIME] >= bucket * 10) & (entries[:, TIME] < bucket * 10 + 10)).all()
        assert (times[entries[:, KEY]] == entries[:, TIME]).all()
        assert (entries[:, ITEM] == entries[:, KEY] + 7).all()
        found += entries.shape[0]
    assert found == 5_000
    assert len(calendar) == 0


def test_calendar_keeps_the_date_of_late_news() -> None:
    calendar = Calendar(10, 0)
    calendar.take()
    calendar.take()
    calendar.add(np.array([3]), np.array([1]), np.array([1]), np.array([0]))
    assert calendar.take()[0, TIME] == 3


def test_calendar_starts_at_a_multiple_of_its_width() -> None:
    with pytest.raises(ValueError, match="multiple"):
        Calendar(10, 5)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 3_000])
def test_sorting_by_time_and_key(count: int) -> None:
    rng = np.random.default_rng(count)
    entries = rng.integers(0, 1_000_000, (count, 4))
    entries[: count // 2, TIME] = rng.integers(-5, 5, count // 2)  # ties, and times before the others
    order = order_by_time(entries)
    assert sorted(order.tolist()) == list(range(count))
    sort_by_time(entries, order, np.empty(count, np.int64), 0, count)
    assert order.tolist() == np.lexsort((entries[:, KEY], entries[:, TIME])).tolist()


def reopening(closures: list[tuple[int, int, int]], place: int, moment: int) -> int:
    """The first moment from `moment` on at which the station is open; closures in order of time."""
    for station, begin, until in closures:
        if station == place and begin <= moment < until:
            moment = until
    return moment


def one_by_one(rows: np.ndarray, state: np.ndarray, closures: list[tuple[int, int, int]]) -> dict[int, int]:
    """The rule of a station in plain Python, one parcel after the other: key -> start."""
    starts = {}
    due = state[:, DUE].copy()
    for time, key, _, place in sorted(map(tuple, rows), key=lambda row: (row[3], row[0], row[1])):
        gap, slack, headway, phase = (int(state[place, column]) for column in (GAP, SLACK, HEADWAY, PHASE))

        def departure(slot: int, headway: int = headway, phase: int = phase) -> int:
            return slot if headway == 0 else phase - (phase - slot) // headway * headway

        slot = max(time, int(due[place]) - slack)
        start = departure(slot)
        arrival = time
        while (opened := reopening(closures, place, start)) != start:
            arrival = slot = opened
            start = departure(slot)
        due[place] = max(int(due[place]), arrival) + gap
        starts[key] = start
    return starts


@pytest.mark.parametrize("slack", [0, 3 * HOUR])
@pytest.mark.parametrize("headway", [0, 12 * HOUR])
def test_any_cut_gives_the_starts_of_the_plain_rule(slack: int, headway: int) -> None:
    rng = np.random.default_rng(5)
    days, stations, parcels = 4, 5, 900
    rows = np.stack(
        [
            rng.integers(0, 2 * 86_400, parcels) * MICRO,
            rng.permutation(parcels),
            np.arange(parcels),
            rng.integers(0, stations, parcels),
        ],
        axis=1,
    )
    rows[:40, TIME] = rows[0, TIME]  # ties, decided by key
    closures = [(2, 20 * HOUR * MICRO, 30 * HOUR * MICRO), (2, 30 * HOUR * MICRO, 31 * HOUR * MICRO)]
    found = []
    for width in (86_400, 14_400, 3_600):
        bank = Bank("any", stations, width, 0)
        bank.state[:, GAP] = np.array([100, 300, 500, 700, 900]) * MICRO
        bank.state[:, SLACK] = slack * MICRO
        bank.state[:, HEADWAY] = headway * MICRO
        bank.state[:, PHASE] = 1_000 * MICRO
        for station, begin, until in closures:
            bank.close(station, begin // MICRO, until // MICRO)
        bank.calendar.add(rows[:, TIME], rows[:, KEY], rows[:, ITEM], rows[:, PLACE])
        expected = one_by_one(rows, bank.state, closures)
        starts = {}
        for _ in range(days * 86_400 // width):
            served = bank.serve()
            starts.update(zip(served[:, KEY].tolist(), served[:, TIME].tolist(), strict=True))
        assert bank.state[:, SEEN].sum() == parcels
        assert bank.state[:, SERVED].sum() + bank.state[:, BACKLOG].sum() == parcels
        assert len(starts) == bank.state[:, SERVED].sum() > parcels // 2
        assert all(expected[key] == start for key, start in starts.items())
        found.append(starts)
    assert found[0] == found[1] == found[2]


def test_a_closed_station_serves_nothing_and_works_off_its_queue_at_its_rate() -> None:
    bank = Bank("any", 2, 14_400, 0)
    bank.set_capacity(np.array([240.0, 240.0]), 0, 0)  # one in six minutes
    times = np.arange(40) * 360 * MICRO
    for place in (0, 1):
        bank.calendar.add(times, np.arange(40), np.arange(40), np.array([place]))
    bank.state[0, OPEN] = 0
    assert set(bank.serve()[:, PLACE].tolist()) == {1}
    assert bank.state[0, BACKLOG] == 40
    bank.state[0, OPEN] = 1
    served = bank.serve()
    assert served[0, TIME] == 14_400 * MICRO
    assert (np.diff(served[:, TIME]) == 360 * MICRO).all()
    assert bank.state[0, BACKLOG] == 0


def throughput_queue(load: float, seed: int) -> tuple[Bank, np.ndarray]:
    """A station with Poisson arrivals at a load, over 400,000 arrivals; the bank and all it served."""
    rng = np.random.default_rng(seed)
    bank = Bank("any", 1, 86_400, 0)
    bank.state[0, GAP] = 10 * MICRO
    times = np.cumsum(rng.exponential(10 * MICRO / load, 400_000)).astype(np.int64)
    bank.calendar.add(times, np.arange(times.size), np.arange(times.size), np.zeros(1, np.int64))
    served = [bank.serve() for _ in range(int(times[-1] // DAY_MICRO) + 2)]
    return bank, np.concatenate(served)


def batch_error(waits: np.ndarray, batches: int = 40) -> float:
    """Standard error of a mean of autocorrelated waits, by the means of long batches."""
    means = waits[: waits.size // batches * batches].reshape(batches, -1).mean(axis=1)
    return float(means.std(ddof=1) / math.sqrt(batches))


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_station_waits_as_m_d_1(load: float) -> None:
    # 4.5 standard errors of batch means (39 degrees of freedom): false alarms below 1e-4.
    bank, served = throughput_queue(load, 11)
    waits = (served[:, TIME] - served[:, ARRIVED]) / MICRO
    expected = load / (2 * (1 - load)) * 10
    assert abs(waits.mean() - expected) < 4.5 * batch_error(waits) < 0.12 * expected
    assert served.shape[0] == 400_000
    span = served[-1, TIME] / MICRO
    utilisation = bank.state[0, SERVED] * 10 / span
    assert abs(utilisation - load) < 4.5 * load / math.sqrt(400_000)


def test_little_s_law_holds_at_a_station() -> None:
    # An identity over a span that starts and ends empty: no false alarm but for rounding.
    _, served = throughput_queue(0.7, 12)
    moments = np.concatenate([served[:, ARRIVED], served[:, TIME]])
    steps = np.concatenate([np.ones(served.shape[0]), -np.ones(served.shape[0])])
    order = np.lexsort((steps, moments))
    waiting = np.cumsum(steps[order])[:-1]
    area = float((waiting * np.diff(moments[order])).sum())
    span = float(moments.max() - moments.min())
    rate = served.shape[0] / span
    mean_wait = float((served[:, TIME] - served[:, ARRIVED]).mean())
    assert area / span == pytest.approx(rate * mean_wait, rel=1e-9)


def erlang_c(servers: int, offered: float) -> float:
    """Chance that a customer of an M/M/c queue waits; offered load in servers."""
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(offered**k / math.factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize("servers", [1, 3, 12])
def test_servers_wait_as_erlang_c(servers: int) -> None:
    # Mean wait and share that waits, each within 4.5 standard errors of 40 batch means: false alarms below 1e-4.
    rng = np.random.default_rng(servers)
    count, mean = 500_000, 100.0 * MICRO
    offered = 0.75 * servers
    arrivals = np.cumsum(rng.exponential(mean / offered, count)).astype(np.int64)
    services = rng.exponential(mean, count).astype(np.int64)
    free = np.zeros(servers, np.int64)
    half = count // 2  # two batches: the heap carries the past
    starts = np.concatenate(
        [serve_servers(arrivals[:half], services[:half], free), serve_servers(arrivals[half:], services[half:], free)]
    )
    waits = (starts - arrivals) / MICRO
    chance = erlang_c(servers, offered)
    expected = chance * 100.0 / (servers - offered)
    assert (waits >= 0).all()
    assert abs(waits.mean() - expected) < 4.5 * batch_error(waits) < 0.15 * expected
    waited = (waits > 0).astype(float)
    assert abs(waited.mean() - chance) < 4.5 * batch_error(waited)


def test_slack_takes_away_the_waiting_of_a_coarse_sample() -> None:
    """One model parcel for many: the same load in coarse grains waits longer, unless the station has slack."""
    rng = np.random.default_rng(3)
    waits = {}
    for slack_parcels in (0.0, 5.0):
        bank = Bank("any", 1, 14_400, 0)
        bank.set_capacity(np.array([10.0]), 0, slack_parcels)
        times = np.sort(rng.integers(0, 200 * 86_400, 1_500)) * MICRO  # load 0.75
        bank.calendar.add(times, np.arange(times.size), np.arange(times.size), np.zeros(1, np.int64))
        served = np.concatenate([bank.serve() for _ in range(210 * 6)])
        waits[slack_parcels] = (served[:, TIME] - served[:, ARRIVED]).mean() / MICRO / HOUR
    assert waits[0.0] > 2.0
    assert waits[5.0] < 0.4 * waits[0.0]
