"""Runs of one seed that share their warm-up: a world is taken to the first reported day once, then goes on in branches.

Each branch is a forked process that differs in its interventions only, so all branches have the same past to the last
bit and the same draws after it. What the branches are followed for is the caller's business.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim import build
from sim.config import RunConfig
from sim.experiment import configure
from sim.state.catalogue import open_cells
from sim.world import World

type Arm = tuple[str, Sequence[str]]
"""A scenario and overrides of interventions."""


def book_of(cfg: RunConfig) -> Any:
    """The interventions of a configuration."""
    cells = int(open_cells(cfg.geography, cfg.availability).sum())
    return build.frame(cfg, cfg.firms.real_and_simulated(cells)).book


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
    import numba

    numba.set_num_threads(1)  # a forked process has no threads of its parent
    world = World(configure("baseline", settings))
    while world.day < world.frame.start_day:
        world.step()
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (scenario, rows) in arms.items():
            file = Path(folder) / "branch"
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    world.interventions = book_of(configure(scenario, (*settings, *rows)))
                    file.write_bytes(pickle.dumps(follow(world)))
                    code = 0
                finally:
                    os._exit(code)
            if os.waitpid(child, 0)[1] != 0:
                raise RuntimeError(f"the arm {name} failed: {' '.join(settings)}")
            found[name] = pickle.loads(file.read_bytes())
    return world, found
