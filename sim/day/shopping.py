"""What people do in a session: platform, rooms, minutes, and what they decide to buy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.draws import Draws
from sim.kernels.live import Bought, Counts, Offers, People, Rooms, Setting, run_sessions, used_places
from sim.kinds import DAY_SECONDS, DAYPART_SECONDS
from sim.messages import Intents
from sim.record.schema import N_CELLS, LanguageMeasure, Measure, StreamerMeasure
from sim.record.tally import Tally


def _buffers(size: int) -> Bought:
    kinds = {
        "second": np.int32, "consumer": np.int32, "channel": np.uint8, "line": np.uint16, "tier": np.uint8,
        "quantity": np.uint8, "host": np.uint16, "landed_cents": np.int32, "discount_permille": np.uint16,
        "promised_days": np.float32, "expected_quality": np.float32, "impulse_gap": np.float32,
        "utility": np.float32, "money_utility": np.float32, "flags": np.uint16,
    }  # fmt: skip
    return Bought(**{name: np.zeros(size, kinds[name]) for name in Bought._fields})


class Shopping:
    """Runs the sessions of a daypart; counts visits and minutes until the day is closed."""

    def __init__(self, consumers: int, streamers: int, languages: int, threads: int) -> None:
        self.threads = threads
        self._live, self._shelf = _buffers(consumers), _buffers(consumers)
        self._places = np.zeros(consumers, np.int64)
        self._scratch = np.zeros((threads, 64), np.float32)  # a cache line and more between two threads
        self.counts = Counts(
            *(np.zeros((threads, N_CELLS), np.int64) for _ in range(5)),
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
        order: NDArray[np.int32],
        bounds: NDArray[np.int64],
        day: int,
        daypart: int,
        draws: Draws,
    ) -> Intents:
        """All sessions of a daypart; returns what people decided to buy, in time order."""
        run_sessions(
            param, people, setting, rooms, offers, show_of_host, pool, shelf, line_of_seller, day, daypart,
            draws.key[0], draws.key[1], self.threads, order, bounds, self._live, self._shelf, self.counts, self._scratch,
        )  # fmt: skip
        return self.collect(people, bounds, day, daypart)

    def collect(self, people: People, bounds: NDArray[np.int64], day: int, daypart: int) -> Intents:
        """The daypart's orders from the buffers, sorted by time, birth number and ordinal."""
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("ordinal", *Bought._fields)}
        for ordinal, bought in enumerate((self._live, self._shelf)):
            found = used_places(bounds[ordinal], daypart, bought.tier, self._places)
            places = self._places[:found]
            parts["ordinal"].append(np.full(found, ordinal, np.uint8))
            for name in Bought._fields:
                parts[name].append(getattr(bought, name)[places])
        joined = {name: np.concatenate(values) for name, values in parts.items()}
        consumer = joined["consumer"].astype(np.int64)
        time = np.int64(day * DAY_SECONDS + daypart * DAYPART_SECONDS) + joined["second"].astype(np.int64)
        rank = np.lexsort((joined["ordinal"], people.birth[consumer], time))
        return Intents(
            time=time[rank],
            consumer=consumer[rank],
            ordinal=joined["ordinal"][rank],
            channel=joined["channel"][rank],
            line=joined["line"][rank],
            tier=joined["tier"][rank],
            quantity=joined["quantity"][rank],
            streamer=joined["host"][rank],
            country=people.country[consumer[rank]],
            landed_cents=joined["landed_cents"][rank],
            discount_permille=joined["discount_permille"][rank],
            promised_days=joined["promised_days"][rank],
            expected_quality=joined["expected_quality"][rank],
            impulse_gap=joined["impulse_gap"][rank],
            utility=joined["utility"][rank],
            money_utility=joined["money_utility"][rank],
            flags=joined["flags"][rank],
        )

    def host_audience(self) -> NDArray[np.int64]:
        """Visits by streamer since the day began."""
        total: NDArray[np.int64] = self.counts.host_visits.sum(axis=0)
        return total

    def close_day(self, tally: Tally) -> None:
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
        hosts = np.arange(counts.host_visits.shape[1])
        tally.add_streamer(StreamerMeasure.VISITS, hosts, counts.host_visits.sum(axis=0))
        tally.add_streamer(StreamerMeasure.VIEW_SECONDS, hosts, counts.host_seconds.sum(axis=0))
        spoken, heard = np.nonzero(counts.languages.sum(axis=0))
        tally.add_language(LanguageMeasure.VISITS, spoken, heard, counts.languages.sum(axis=0)[spoken, heard])
        for planes in counts:
            planes[...] = 0
