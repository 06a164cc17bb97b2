"""Worlds that several tests look at and nobody changes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sim.world import World
from tests.world.worlds import run_days, tiny

DAYS = 6


@pytest.fixture(scope="session")
def baseline_days() -> Sequence[dict[str, str]]:
    """Digests of the baseline after each of its first days."""
    return run_days(tiny("baseline", f"days={DAYS}"), DAYS)


@pytest.fixture(scope="session")
def baseline() -> World:
    """The baseline, run to its end. Not to be changed."""
    world = tiny()
    world.run()
    return world
