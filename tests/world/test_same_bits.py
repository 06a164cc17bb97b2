"""The same run gives the same bits, however it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numba
import pytest

from sim.world import World
from tests.world.conftest import DAYS
from tests.world.worlds import differing, run_days, tables_of, tiny


def same(days: Sequence[dict[str, str]], expected: Sequence[dict[str, str]]) -> None:
    for day, (found, wanted) in enumerate(zip(days, expected, strict=True)):
        assert differing(found, wanted) == [], f"after day {day}"


def test_twice(baseline_days: Sequence[dict[str, str]]) -> None:
    same(run_days(tiny("baseline", f"days={DAYS}"), DAYS), baseline_days)


def test_another_seed_is_another_world(baseline_days: Sequence[dict[str, str]]) -> None:
    assert len(differing(run_days(tiny("baseline", f"days={DAYS}", "seed=8"), 1)[0], baseline_days[0])) > 20


@pytest.mark.parametrize("chunk", [64, 1000, 4096])
def test_any_chunk(chunk: int, baseline_days: Sequence[dict[str, str]]) -> None:
    same(run_days(tiny("baseline", f"days={DAYS}", f"chunk={chunk}"), DAYS), baseline_days)


@pytest.mark.parametrize("chunk", [64, 700])
def test_two_threads(chunk: int, baseline_days: Sequence[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one core")
    monkeypatch.setattr("sim.world.SMALL_WORLD", 1)
    numba.set_num_threads(2)
    try:
        world = tiny("baseline", f"days={DAYS}", f"chunk={chunk}")
        assert world.attention.threads == world.shopping.threads == 2
        days = run_days(world, DAYS)
    finally:
        numba.set_num_threads(1)
    same(days, baseline_days)


def test_the_recorders_tables_too(baseline: World, tmp_path: Path) -> None:
    again = tiny("baseline", "chunk=100")
    again.run()
    assert differing(tables_of(again, tmp_path / "again"), tables_of(baseline, tmp_path / "first")) == []


def test_readable_agents_and_compiled_loops_live_the_same_days(tmp_path: Path) -> None:
    small = ("population.consumers=400", "days=8")
    compiled, readable = (tiny("baseline", *small, f"engine={engine}") for engine in ("kernels", "agents"))
    same(run_days(readable, 8), run_days(compiled, 8))
    assert readable.orders.appended > 50
    assert differing(tables_of(readable, tmp_path / "agents"), tables_of(compiled, tmp_path / "kernels")) == []
