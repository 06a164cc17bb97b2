"""Warm-up, reported days, and dates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from analysis.metrics import metrics
from sim.experiment import configure, run_one
from sim.kinds import SHELF
from sim.record.schema import Measure
from tests.world.worlds import TINY, after, tiny

WARMUP, DAYS = 3, 4


def test_the_warm_up_counts_in_nothing() -> None:
    world = tiny("baseline", f"warmup_days={WARMUP}", f"days={DAYS}", "record=daily")
    first = world.day
    for _ in range(WARMUP):
        world.step()
    assert world.orders.appended > 0
    before = world.orders.appended
    assert not world.tally.totals.any()
    assert not world.tally.streamer.any()
    assert not world.tally.language.any()
    assert not world.tally.hist_delivery.any()
    world.run()
    assert world.day - first == WARMUP + DAYS
    assert int(world.tally.totals[Measure.ORDERS].sum()) == world.orders.appended - before
    assert int(world.recorder._people[0].sum()) == DAYS * len(world.consumers)
    assert world.tally.by_country.shape[1] == DAYS
    assert (world.tally.by_country[Measure.ROOM_VISITS].sum(axis=1) > 0).all()


def test_money_of_the_warm_up_is_in_no_flow() -> None:
    world = tiny("baseline", "warmup_days=7", "days=1")
    for _ in range(7):
        world.step()
    assert not world.recorder._pairs.any()
    assert world.ledger.results.any()


def test_a_date_has_the_same_people_hosts_and_luck_whatever_the_warm_up() -> None:
    short, long = after(1), after(3, "baseline", "warmup_days=2")
    assert short.day == long.day
    for column in ("birth", "country", "third", "age", "languages", "adopter", "interests", "budget_cents"):
        assert np.array_equal(short.consumers[column], long.consumers[column]), column
    for column in ("country", "platform", "skill", "integrity", "base_share"):
        assert np.array_equal(short.streamers[column], long.streamers[column]), column
    for one, other in zip(short.graph.friends, long.graph.friends, strict=True):
        assert np.array_equal(one, other)
    # the same people open the same channels in the same dayparts, but for the few whom two more days have moved
    parts = [{(row, part) for part in range(6) for row in w.attention.sessions.rows(0, part)} for w in (short, long)]
    assert len(parts[0] & parts[1]) > 0.8 * min(len(part) for part in parts)


def test_a_run_folder_is_read_by_the_metrics_and_written_again_byte_for_byte(tmp_path: Path) -> None:
    cfg = configure("baseline", [*TINY, "days=3", "record=daily"])
    first, second = (run_one(cfg, tmp_path / name).folder for name in ("first", "second"))
    found = metrics(first)
    assert isinstance(found, dict)
    orders = found["orders"]
    assert found["room_visits"] > orders > 0
    assert np.isclose(found["aov_usd"] * orders, found["gmv_usd"])
    files = sorted(file.name for file in first.glob("*.parquet"))
    assert len(files) > 10
    assert files == sorted(file.name for file in second.glob("*.parquet"))
    for name in files:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    totals = pq.read_table(first / "totals.parquet").to_pydict()
    live = sum(n for n, channel in zip(totals["orders"], totals["channel"], strict=True) if channel < SHELF)
    weight = pq.read_table(first / "run.parquet").to_pydict()["weight"][0]
    assert np.isclose(live * weight, orders)
