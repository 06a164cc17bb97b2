"""The recorder: what is counted is what is written, and nothing of the warm-up is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.errors import RunFolderError
from sim.kinds import N_CATEGORIES, N_CHANNELS, N_COUNTRIES
from sim.record.recorder import write_table
from sim.record.results import Results
from sim.record.schema import (
    GROUP_MERCHANTS,
    MATURED,
    MEASURES,
    N_CELLS,
    TABLES,
    Measure,
    MoneyPurpose,
    StreamerMeasure,
    cell,
    cell_parts,
    cells,
)
from sim.state.orders import Orders
from tests.record.fake_world import FIRST_DAY, FakeWorld, new_recorder, written


def test_cells_are_a_numbering_without_gaps_or_doubles() -> None:
    country, channel, category, third = cell_parts(np.arange(N_CELLS))
    assert np.array_equal(cells(country, channel, category, third), np.arange(N_CELLS))
    assert cell(N_COUNTRIES - 1, N_CHANNELS - 1, N_CATEGORIES - 1, 2) == N_CELLS - 1


def test_every_measure_is_declared() -> None:
    assert set(MEASURES) == set(Measure)
    for table in TABLES.values():
        names = table.column_names()
        assert len(set(names)) == len(names)
        assert all(column.meaning and column.unit for column in table.columns)


def test_event_counts_reach_totals_and_days(tmp_path: Path) -> None:
    recorder = new_recorder()
    world = FakeWorld(recorder)
    where = np.array([cell(3, 1, 0, 2), cell(3, 1, 0, 2), cell(7, 8, 5, 0)])
    recorder.tally.open_day(FIRST_DAY)
    recorder.tally.add(Measure.ORDERS, where)
    recorder.tally.add(Measure.GMV_CENTS, where, np.array([5, 6, 7]))
    recorder.tally.add_streamer(StreamerMeasure.VISITS, np.array([1, 1, 5]))
    recorder.close_day(world, FIRST_DAY)
    assert not recorder.tally.today.any()
    folder = written(recorder, tmp_path)
    totals = pq.read_table(folder / "totals.parquet").to_pylist()
    assert [(row["country"], row["orders"], row["gmv_cents"]) for row in totals] == [(3, 2, 11), (7, 1, 7)]
    assert [row["orders_m90"] for row in totals] == [2, 1]  # 100 days to the end of the run
    daily = pq.read_table(folder / "daily_channel.parquet").to_pylist()
    assert [(row["day"], row["region"], row["channel"], row["orders"]) for row in daily] == [(0, 1, 1, 2), (0, 2, 8, 1)]
    streamers = pq.read_table(folder / "daily_streamers.parquet").to_pylist()
    assert [(row["streamer"], row["visits"]) for row in streamers] == [(1, 2), (5, 1)]


def test_warm_up_leaves_no_trace(tmp_path: Path) -> None:
    recorder = new_recorder()
    world = FakeWorld(recorder)
    world.flows = [(MoneyPurpose.SALE, 0, GROUP_MERCHANTS, 100)]
    for day in (FIRST_DAY - 2, FIRST_DAY - 1):
        recorder.tally.open_day(day)
        recorder.tally.add(Measure.ORDERS, 0)
        recorder.tally.add_cohort(Measure.RETURNED, day, 0)
        recorder.tally.add_streamer(StreamerMeasure.VISITS, np.array([0]))
        recorder.close_day(world, day)
    # the order of a warm-up day comes back on a reported day: still not counted, its cohort is not reported
    recorder.tally.add_cohort(Measure.RETURNED, FIRST_DAY - 1, 0)
    folder = written(recorder, tmp_path)
    for name in ("totals", "flows", "people", "streamers", "daily_country", "daily_flows"):
        assert pq.read_table(folder / f"{name}.parquet").num_rows == 0, name


@pytest.mark.parametrize(("age", "matured"), [(0, {3, 40, 60, 90}), (60, {3, 40}), (97, {3}), (98, set())])
def test_a_cohort_matures_when_its_window_has_passed(age: int, matured: set[int]) -> None:
    recorder = new_recorder()
    recorder.tally.add_cohort(Measure.DELIVERED, FIRST_DAY + age, cell(0, 1, 0, 0))
    recorder.tally.open_day(FIRST_DAY + age)
    recorder.tally.add(Measure.ORDERS, cell(0, 1, 0, 0))
    recorder.close_day(FakeWorld(recorder), FIRST_DAY + age)
    for position, (measure, window) in enumerate(MATURED):
        expected = measure in (Measure.DELIVERED, Measure.ORDERS) and int(window) in matured
        assert recorder.tally.matured[position].sum() == int(expected), (measure, window)


def test_people_are_counted_by_country_and_third(tmp_path: Path) -> None:
    recorder = new_recorder()
    world = FakeWorld(recorder)
    world.alive[0] = 0
    recorder.close_day(world, FIRST_DAY)
    rows = pq.read_table(written(recorder, tmp_path) / "people.parquet").to_pylist()
    assert sum(row["person_days"] for row in rows) == 119
    assert sum(row["adopter_days"] for row in rows) == 60
    assert sum(row["trust_ppm_days"] for row in rows) == 60 * 250_000


def test_the_same_adds_in_any_order_write_the_same_bytes(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(500)
    where = np.arange(500) * 7 % N_CELLS
    amounts = np.arange(500) * 13
    for name, picks in (("a", np.arange(500)), ("b", order)):
        recorder = new_recorder()
        recorder.tally.open_day(FIRST_DAY)
        recorder.tally.add(Measure.UNITS, where[picks], amounts[picks])
        recorder.tally.add_cohort(Measure.LATE, np.full(500, FIRST_DAY), where[picks], amounts[picks])
        recorder.close_day(FakeWorld(recorder), FIRST_DAY)
        written(recorder, tmp_path / name)
    for table in TABLES.values():
        if table.level != "full":
            assert (tmp_path / "a" / f"{table.name}.parquet").read_bytes() == (
                tmp_path / "b" / f"{table.name}.parquet"
            ).read_bytes()


def test_record_levels_nest(tmp_path: Path) -> None:
    seen = {}
    for level in ("summary", "daily", "full"):
        folder = written(new_recorder(record=level), tmp_path / level)
        seen[level] = {path.stem for path in folder.glob("*.parquet")}
        assert seen[level] == {name for name, table in TABLES.items() if new_recorder(record=level).keeps(table.level)}
    assert seen["summary"] < seen["daily"] < seen["full"]


def test_an_undeclared_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="declares no column"):
        write_table(tmp_path, TABLES["hist_declared"], {"nonsense": np.zeros(1)})


def test_orders_of_the_book_fit_the_table(tmp_path: Path) -> None:
    """The table's columns are the book's, whatever else the book holds; orders of the warm-up are left out."""
    recorder = new_recorder(record="full")
    batch = Orders.blank(3)
    batch["tick"] = [(FIRST_DAY - 1) * 8, FIRST_DAY * 8, FIRST_DAY * 8 + 5]
    batch["birth"] = [1, 2, 3]
    recorder.take_orders(batch)
    batch["birth"] = 9  # the recorder keeps a copy
    rows = pq.read_table(written(recorder, tmp_path) / "orders.parquet").to_pylist()
    assert [(row["birth"], row["tick"]) for row in rows] == [(2, FIRST_DAY * 8), (3, FIRST_DAY * 8 + 5)]


def test_results_open_only_finished_runs(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no finished run"):
        Results.open(tmp_path)
    results = Results.open(written(new_recorder(record="summary"), tmp_path))
    assert results.facts["scenario"] == "baseline"
    assert results.table("totals").num_rows == 0
    with pytest.raises(RunFolderError, match="record=daily"):
        results.table("daily_country")
    with pytest.raises(RunFolderError, match="no table"):
        results.table("nonsense")


def test_people_of_the_network_sample_are_looked_at_every_seventh_day_and_at_last(tmp_path: Path) -> None:
    recorder = new_recorder(days=10, record="full")
    world = FakeWorld(recorder)
    for day in range(FIRST_DAY, FIRST_DAY + 10):
        recorder.tally.open_day(day)
        recorder.close_day(world, day)
    recorder.take_followers(np.array([0, 4, 0, 2, 0, 1]))
    results = Results.open(written(recorder, tmp_path / "run"))
    seen = results.table("network_days").to_pydict()
    assert sorted(set(seen["day"])) == [0, 7, 9]
    assert seen["trust_ppm"] == [100_000, 200_000, 300_000] * 3
    assert results.table("followers").to_pydict() == {"streamer": [1, 3, 5], "tier": [1, 2, 2], "followers": [4, 2, 1]}
