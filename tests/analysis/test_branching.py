"""Branches of one seed against runs of their own."""

from typing import Any

import numpy as np
import pytest

from analysis.branching import branches
from sim.experiment import configure
from sim.world import World

SETTINGS = ("population.consumers=1000", "warmup_days=3", "days=5", "seed=4", "record=summary")


def follow(world: World) -> dict[str, Any]:
    while world.day < world.frame.end_day:
        world.step()
    return {"totals": world.tally.totals.copy(), "balance": world.ledger.result(0).copy(), "day": world.day}


@pytest.fixture(scope="module")
def seen() -> dict[str, dict[str, Any]]:
    arms = {"plain": ("baseline", ()), "cut": ("tariff_reduction", ()), "again": ("baseline", ())}
    return branches(SETTINGS, arms, follow)[1]


@pytest.mark.parametrize(("arm", "scenario"), [("plain", "baseline"), ("cut", "tariff_reduction")])
def test_a_branch_is_the_run_it_stands_for(seen: dict[str, dict[str, Any]], arm: str, scenario: str) -> None:
    alone = follow(World(configure(scenario, SETTINGS)))
    for name, values in alone.items():
        assert np.array_equal(seen[arm][name], values), name
    assert int(alone["totals"].sum()) > 0


def test_branches_do_not_touch_each_other(seen: dict[str, dict[str, Any]]) -> None:
    assert np.array_equal(seen["plain"]["totals"], seen["again"]["totals"])
    assert not np.array_equal(seen["plain"]["balance"], seen["cut"]["balance"])


def test_a_branch_that_fails_is_named() -> None:
    def fail(world: World) -> None:
        raise ValueError("no")

    with pytest.raises(RuntimeError, match="the arm only failed"):
        branches((*SETTINGS, "warmup_days=0"), {"only": ("baseline", ())}, fail)
