"""Nothing moves unless it is meant to."""

from __future__ import annotations

import copy

import pyarrow as pa
import pytest

from tests.baseline.pinned import COMMAND, WORLDS, compute, differing, digest, moved, pinned, same_machine, told

HEADLINES = {
    "tiny": ("totals.room_visits",), "small": ("metrics.gmv_usd", "metrics.orders", "metrics.room_visits"),
}  # fmt: skip
ELSEWHERE = 0.1  # a last bit that differs on another processor grows into other purchases, not into another market


@pytest.mark.parametrize("world", ["tiny", pytest.param("small", marks=pytest.mark.long)])
def test_the_results_have_not_moved(world: str) -> None:
    then, now = pinned(world), compute(world)
    assert then["settings"] == list(WORLDS[world]), f"the pinned world has other settings; renew it: {COMMAND}"
    assert sum(now["totals"].values()) > 0
    changes = moved(then, now)
    if same_machine(then, now):
        if differing(then, now) or changes:
            pytest.fail(told(world, then, now), pytrace=False)
    elif any(abs(changes.get(name, 0.0)) >= ELSEWHERE for name in HEADLINES[world]):
        pytest.fail(told(world, then, now), pytrace=False)


def test_one_more_order_is_noticed_and_told_with_the_command() -> None:
    then = pinned("tiny")
    now = copy.deepcopy(then)
    assert (moved(then, now), differing(then, now)) == ({}, [])
    now["totals"]["orders"] += 1
    now["tables"]["totals"] = "another"
    assert list(moved(then, now)) == ["totals.orders"]
    text = told("tiny", then, now)
    assert f"totals.orders: {then['totals']['orders']} -> {then['totals']['orders'] + 1}" in text
    assert "tables that differ: totals" in text
    assert COMMAND in text


def test_a_digest_sees_values_names_and_types_and_not_how_they_are_stored() -> None:
    table = pa.table({"a": [1, 2, 3]})
    same = pa.table({"a": pa.chunked_array([[1], [2, 3]])}).replace_schema_metadata({"made": "elsewhere"})
    others = (pa.table({"a": [1, 2, 4]}), pa.table({"b": [1, 2, 3]}), table.cast(pa.schema([("a", pa.int32())])))
    assert digest(table) == digest(same)
    assert digest(table) not in [digest(other) for other in others]
