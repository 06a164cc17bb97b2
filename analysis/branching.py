"""Runs of one seed that share their warm-up: a world is taken to the first reported day once, then goes on in branches.

Branches differ in their interventions only, so all have the same past to the last bit and the same draws after it. What
they are followed for is the caller's business; whole runs that share their past are a sweep (`sim.engines`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from sim.branching import BranchFailedError, in_a_copy
from sim.config import RunConfig
from sim.experiment import configure
from sim.world import World

type Arm = tuple[str, Sequence[str]]
"""A scenario and overrides of interventions."""


def branches[Found](
    settings: Sequence[str], arms: Mapping[str, Arm], follow: Callable[[World], Found]
) -> tuple[World, dict[str, Found]]:
    """Follows every arm from the first reported day on.

    Args:
        settings: overrides that all arms share, the seed among them; warm-up and firms are those of the baseline.
        arms: by name; interventions may start on the first reported day at the earliest.
        follow: lets the days of a branch pass and returns what it saw, as something that can be pickled.

    Returns:
        The world as it stood before the first reported day, and what was seen by arm.

    Raises:
        RuntimeError: a branch failed.
    """
    world = World(configure("baseline", settings))
    while world.day < world.frame.start_day:
        world.step()
    found: dict[str, Found] = {}
    for name, (scenario, rows) in arms.items():
        cfg = configure(scenario, (*settings, *rows))
        try:
            found[name] = in_a_copy(functools.partial(_go_on, world, cfg, follow))
        except BranchFailedError as error:
            raise RuntimeError(f"the arm {name} failed: {' '.join(settings)}\n{error.trace or error}") from None
    return world, found


def _go_on[Found](world: World, cfg: RunConfig, follow: Callable[[World], Found]) -> Found:
    world.branch(cfg)
    return follow(world)
