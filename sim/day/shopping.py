"""What people do in a session: platform, rooms, minutes, and what they decide to buy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.draws import Draws
from sim.kernels.live import ORDER, Counts, Offers, People, Rooms, Setting
from sim.kernels.sessions import Columns, collect, make_scratch, run_sessions
from sim.kinds import DAY_SECONDS, DAYPART_SECONDS
from sim.messages import Intents
from sim.record.schema import N_CELLS, LanguageMeasure, Measure, StreamerMeasure
from sim.record.tally import Tally

PLACES_APART = 80  # between two rows of scratch: more than a cache line, and no power of two in between
INTENT_TYPES: Final = {
    "time": np.int64,
    "consumer": np.int64,
    "country": np.uint8,
    "streamer": np.uint16,
    **{name: ORDER[name] for name in ORDER.names or () if name not in ("second", "consumer", "host")},
}


class Shopping:
    """Runs the sessions of a daypart; counts visits and minutes until the day is closed.

    `loop` goes through the sessions: the compiled one, or `sim.agents.by_agents.ByAgents.run_sessions`.
    """

    def __init__(
        self, consumers: int, streamers: int, languages: int, threads: int, loop: Callable[..., None] = run_sessions
    ) -> None:
        self._loop = loop
        self.threads = threads
        self._bought = np.zeros(0, ORDER)  # grows to the number of sessions of the busiest daypart
        self._scratch, self._width = make_scratch(threads, 1), 0
        self.counts = Counts(
            visits=np.zeros((threads, N_CELLS), np.int64),
            seconds=np.zeros((threads, N_CELLS), np.int64),
            openings=np.zeros((threads, N_CELLS), np.int64),
            surplus=np.zeros((threads, N_CELLS), np.int64),
            follows=np.zeros((threads, N_CELLS), np.int64),
            discoveries=np.zeros((threads, N_CELLS), np.int64),
            host_seconds=np.zeros((threads, streamers), np.int64),
            host_visits=np.zeros((threads, streamers), np.int64),
            languages=np.zeros((threads, languages, languages), np.int64),
        )

    def watch_and_choose(
        self,
        param: NDArray[Any],
        people: People,
        setting: Setting,
        rooms: Rooms,
        offers: Offers,
        show_of_host: NDArray[np.uint16],
        pool: NDArray[np.uint16],
        shelf: NDArray[np.uint16],
        line_of_seller: NDArray[np.uint16],
        order: NDArray[np.uint32],
        bounds: NDArray[np.int64],
        day: int,
        daypart: int,
        draws: Draws,
    ) -> Intents:
        """All sessions of a daypart; returns what people decided to buy, in time order."""
        sessions = bounds[:, :, daypart + 1] - bounds[:, :, daypart]
        starts = np.zeros(sessions.shape[1] + 1, np.int64)
        np.cumsum(sessions.sum(axis=0), out=starts[1:])
        self._make_room(int(starts[-1]), int(sessions.max()))
        taken = np.zeros(sessions.shape[1], np.int64)
        self._loop(
            param, people, setting, rooms, offers, show_of_host, pool, shelf, line_of_seller, day, daypart,
            draws.key[0], draws.key[1], self.threads, order, bounds, starts, taken, self._bought, self.counts,
            self._scratch,
        )  # fmt: skip
        return self._collect(people, starts, taken, day, daypart)

    def _make_room(self, sessions: int, in_a_block: int) -> None:
        """Buffers for so many sessions, at most `in_a_block` of a kind in one block; they grow by half at the least."""
        if sessions > self._bought.size:
            self._bought = np.zeros(sessions + sessions // 2, ORDER)
        if in_a_block > self._width:
            self._width = in_a_block + in_a_block // 2 + PLACES_APART
            self._scratch = make_scratch(self.threads, self._width)

    def _collect(
        self, people: People, starts: NDArray[np.int64], taken: NDArray[np.int64], day: int, daypart: int
    ) -> Intents:
        """The daypart's orders from the blocks' stretches, sorted by time, birth number and ordinal."""
        size = int(taken.sum())
        found = Intents(**{name: np.empty(size, dtype) for name, dtype in INTENT_TYPES.items()})
        collect(
            self._bought, starts, taken, people.birth, people.country, day * DAY_SECONDS + daypart * DAYPART_SECONDS,
            DAYPART_SECONDS, np.empty(size, np.int64), Columns(*(getattr(found, name) for name in Columns._fields)),
        )  # fmt: skip
        return found

    def host_audience(self) -> NDArray[np.int64]:
        """Visits by streamer since the day began."""
        total: NDArray[np.int64] = self.counts.host_visits.sum(axis=0)
        return total

    def close_day(self, tally: Tally, day: int) -> None:
        """Hands the day's counts to the tally and clears them."""
        counts = self.counts
        for measure, planes in (
            (Measure.ROOM_VISITS, counts.visits),
            (Measure.WATCH_SECONDS, counts.seconds),
            (Measure.OPENINGS, counts.openings),
            (Measure.SURPLUS_PERCEIVED_MC, counts.surplus),
            (Measure.SURPLUS_REALISED_MC, counts.surplus),
            (Measure.FOLLOWS, counts.follows),
        ):
            tally.today[measure] += planes.sum(axis=0)
        met = counts.discoveries.sum(axis=0)
        where = np.flatnonzero(met)
        tally.add_cohort(Measure.DISCOVERIES, day, where, met[where])
        hosts = np.arange(counts.host_visits.shape[1])
        tally.add_streamer(StreamerMeasure.VISITS, hosts, counts.host_visits.sum(axis=0))
        tally.add_streamer(StreamerMeasure.VIEW_SECONDS, hosts, counts.host_seconds.sum(axis=0))
        spoken, heard = np.nonzero(counts.languages.sum(axis=0))
        tally.add_language(LanguageMeasure.VISITS, spoken, heard, counts.languages.sum(axis=0)[spoken, heard])
        for planes in counts:
            planes[...] = 0
