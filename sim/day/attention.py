"""Who opens which channel in which daypart.

One draw a day decides whether a person opens a live channel and whether a shelf is searched, and when; the choice of a
platform and of rooms belongs to `sim.day.shopping`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.draws import Draws
from sim.kernels.live import N_DAYPARTS, People, Setting
from sim.kernels.opening import open_everybody
from sim.kinds import N_CATEGORIES, NO_SHOW
from sim.state.catalogue import Air

APART = 80  # places between two rows of scratch: more than a cache line, and no power of two in between


@dataclass(slots=True)
class Sessions:
    """Who is there in each daypart of a day.

    `order` (2, n): rows of people grouped by daypart inside each chunk's own stretch, [0] live, [1] shelf;
    `bounds` (2, chunks, 7): where each daypart's group begins, and the last ends.
    """

    order: NDArray[np.uint32]
    bounds: NDArray[np.int64]

    def rows(self, kind: int, daypart: int) -> NDArray[np.uint32]:
        """Rows of the people of one kind (0 live, 1 shelf) in a daypart, in row order."""
        stretches = [
            self.order[kind, self.bounds[kind, chunk, daypart] : self.bounds[kind, chunk, daypart + 1]]
            for chunk in range(self.bounds.shape[1])
        ]
        return np.concatenate(stretches)


class Attention:
    """Opens the day for everybody; keeps its buffers between days.

    `loop` goes through the people: the compiled one, or `sim.agents.by_agents.ByAgents.open_everybody`.
    """

    def __init__(self, consumers: int, chunk: int, threads: int, loop: Callable[..., None] = open_everybody) -> None:
        self._loop = loop
        self.chunk, self.threads = chunk, threads
        chunks = (consumers + chunk - 1) // chunk
        width = chunk + APART
        self._floats = np.zeros((threads, 6, width), np.float32)
        self._weighted = np.zeros((threads, width, N_CATEGORIES), np.float32)
        self._listed = np.zeros((threads, 2, width), np.uint32)
        self._marks = np.zeros((threads, 2 * width), np.uint8)
        self.sessions = Sessions(np.zeros((2, consumers), np.uint32), np.zeros((2, chunks, N_DAYPARTS + 1), np.int64))

    def open(self, param: NDArray[Any], people: People, setting: Setting, air: Air, day: int, draws: Draws) -> Sessions:
        """The day's sessions by daypart. The result is overwritten the next day."""
        on_air = (air.show_of_streamer != NO_SHOW).any(axis=0).astype(np.uint8)
        self._loop(
            param, people, setting, on_air, day, draws.key[0], draws.key[1], self.chunk, self.threads,
            self.sessions.order, self.sessions.bounds, self._floats, self._weighted, self._listed, self._marks,
        )  # fmt: skip
        return self.sessions
