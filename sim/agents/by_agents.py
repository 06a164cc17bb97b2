"""The agents engine: a day of consumers run by the methods of `Consumer` instead of the compiled loops.

It takes and fills the same arrays as `sim.kernels.opening.open_everybody` and `sim.kernels.sessions.run_sessions`, so
that the rest of the model does not notice. Several thousand times slower: for small worlds, for reading along in a
debugger, and for the tests that hold both engines together.

    by_agents = ByAgents(adopt(model, Consumer, table, identity="birth"))
    attention = Attention(consumers, chunk, threads, by_agents.open_everybody)
    shopping = Shopping(consumers, streamers, languages, threads, by_agents.run_sessions)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.consumer import Consumer, Decision, LiveSession, Scene, Search, Today
from sim.agents.view import ColumnAgentSet
from sim.kernels.live import N_DAYPARTS, Counts, Offers, People, Rooms, Setting
from sim.kinds import N_CATEGORIES, N_CHANNELS

N_THIRDS = 3
LIVE, SEARCH = 0, 1


class ByAgents:
    """Runs consumers one by one. Its two methods have the signatures of the compiled loops they stand for."""

    def __init__(self, consumers: ColumnAgentSet) -> None:
        """`consumers`: what `sim.agents.view.adopt` returned for `Consumer`."""
        self.population = consumers.population

    def consumer(self, row: int) -> Consumer:
        """The consumer of a row."""
        agent = self.population.view(int(row))
        assert isinstance(agent, Consumer)
        return agent

    def open_everybody(
        self,
        param: NDArray[Any],
        people: People,
        setting: Setting,
        on_air: NDArray[np.uint8],
        day: int,
        key0: np.uint32,
        key1: np.uint32,
        chunk: int,
        threads: int,
        order: NDArray[np.uint32],
        bounds: NDArray[np.int64],
        *scratch: NDArray[Any],
    ) -> None:
        """Fills `order` and `bounds` as the compiled loop does; `threads` and `scratch` are of no use here."""
        today = Today(param[0], setting, day, key0, key1)
        size = people.birth.size
        for block, low in enumerate(range(0, size, chunk)):
            openings = [(row, *self.consumer(row).opens(today, on_air)) for row in range(low, min(low + chunk, size))]
            for kind in (LIVE, SEARCH):
                place = low
                for daypart in range(N_DAYPARTS):
                    bounds[kind, block, daypart] = place
                    for row, *dayparts in openings:
                        if dayparts[kind] == daypart:
                            order[kind, place] = row
                            place += 1
                bounds[kind, block, N_DAYPARTS] = place

    def run_sessions(
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
        day: int,
        daypart: int,
        key0: np.uint32,
        key1: np.uint32,
        threads: int,
        order: NDArray[np.uint32],
        bounds: NDArray[np.int64],
        starts: NDArray[np.int64],
        taken: NDArray[np.int64],
        bought: NDArray[Any],
        counts: Counts,
        scratch: Any,
    ) -> None:
        """Fills `bought` and `taken` as the compiled loop does; counts go to the first thread's plane."""
        scene = Scene(
            param[0], setting, day, key0, key1, daypart, rooms, offers, show_of_host, pool, shelf, line_of_seller
        )
        for block in range(bounds.shape[1]):
            place = int(starts[block])
            for consumer in self._present(order[LIVE], bounds[LIVE, block], daypart):
                session = consumer.live_session(scene)
                if session is not None:
                    _count_session(consumer, session, counts)
                    place += _write(bought, place, LIVE, consumer, session.decision)
            for consumer in self._present(order[SEARCH], bounds[SEARCH, block], daypart):
                search = consumer.shelf_session(scene)
                _count_search(consumer, search, counts)
                place += _write(bought, place, SEARCH, consumer, search.decision)
            taken[block] = place - starts[block]

    def _present(self, order: NDArray[np.uint32], bounds: NDArray[np.int64], daypart: int) -> list[Consumer]:
        """Those of a block who are there in a daypart."""
        return [self.consumer(row) for row in order[bounds[daypart] : bounds[daypart + 1]]]


def _cell(consumer: Consumer, channel: int, category: int) -> int:
    """Number of a country x channel x category x income third."""
    return int(((consumer.country * N_CHANNELS + channel) * N_CATEGORIES + category) * N_THIRDS + consumer.third)


def _count_session(consumer: Consumer, session: LiveSession, counts: Counts) -> None:
    counts.openings[0, _cell(consumer, session.platform, session.focus)] += 1
    for stay in session.stays:
        cell = _cell(consumer, session.platform, stay.category)
        counts.visits[0, cell] += 1
        counts.seconds[0, cell] += stay.seconds
        counts.surplus[0, cell] += stay.surplus
        counts.follows[0, cell] += stay.follows
        counts.discoveries[0, cell] += stay.show in session.met
        counts.host_visits[0, stay.host] += 1
        counts.host_seconds[0, stay.host] += stay.seconds
        counts.languages[0, stay.language, stay.understood_in] += 1


def _count_search(consumer: Consumer, search: Search, counts: Counts) -> None:
    cell = _cell(consumer, search.channel, search.category)
    counts.openings[0, cell] += 1
    counts.surplus[0, cell] += search.surplus


def _write(bought: NDArray[Any], place: int, ordinal: int, consumer: Consumer, decision: Decision | None) -> int:
    """Writes an order, if there is one, into its record; returns how many orders that made."""
    if decision is None:
        return 0
    record = bought[place]
    record["consumer"], record["ordinal"] = consumer.row, ordinal
    for name, value in decision._asdict().items():
        record[name] = value
    return 1
