"""What spreads and what fades: purchases friends see, shared rooms, reputation, trust returning to its prior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.config.consumer import Consumer as Behaviour
from sim.draws import Draws, Purpose
from sim.kernels.live import Offers, People
from sim.kernels.opinion import (
    end_of_day,
    follow_reference,
    forget_sellers,
    leak_data,
    move_reputation,
    record_purchases,
    shame,
    unfollow,
)
from sim.kinds import N_PLATFORMS, NO_STREAMER
from sim.record.schema import Measure, cells
from sim.record.tally import Sheets, Tally, cell_of, count_cohort
from sim.state.orders import Orders, Records
from sim.state.social import SocialGraph
from sim.state.table import Table

I64 = NDArray[np.int64]

TICKS = 8  # numbers of dayparts set apart for a day
FIRST_CATEGORY = np.zeros(1, np.int64)  # a breach concerns none
ONE = np.int64(1)
COUNT_REPEATS, COUNT_DISCOVERIES = np.int64(Measure.REPEAT_ORDERS), np.int64(Measure.DISCOVERIES)
COUNT_30D, COUNT_7D = np.int64(Measure.DISCOVERY_BUYERS_30D), np.int64(Measure.DISCOVERY_BUYERS_7D)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def _count_buyers(data: Records, rows: I64, earlier: I64, met: I64, day: int, sheets: Sheets) -> None:
    """Counts repeats on the day of the earlier order, buyers who met the seller lately on the day they met it."""
    for position in range(rows.size):
        if earlier[position] < 0 and met[position] < 0:
            continue
        cell = cell_of(data[rows[position]])
        if earlier[position] >= 0:
            count_cohort(sheets, COUNT_REPEATS, earlier[position], cell, ONE)
        if met[position] >= 0:
            if day - met[position] <= 30:
                count_cohort(sheets, COUNT_30D, met[position], cell, ONE)
            if day - met[position] <= 7:
                count_cohort(sheets, COUNT_7D, met[position], cell, ONE)
            if met[position] == day:
                count_cohort(sheets, COUNT_DISCOVERIES, met[position], cell, ONE)


class Opinion:
    """Word of mouth and slow change."""

    def __init__(self, behaviour: Behaviour, threads: int) -> None:
        self.threads = threads
        self._reference_memory = np.float32(behaviour.purchase.reference_memory)
        keep = 1.0 - behaviour.word_of_mouth.proof_memory
        self._proof_after = np.floor(np.arange(256) * keep).astype(np.uint8)

    @staticmethod
    def buyers(
        placed: NDArray[np.int64],
        orders: Orders,
        param: NDArray[Any],
        people: People,
        graph: SocialGraph,
        day: int,
        draws: Draws,
        tally: Tally,
    ) -> None:
        """What placing an order does to its buyer at once, and what friends see of it. placed: sequence numbers.

        A repeat is counted on the day of the earlier order, a discovery's purchase on the day of the discovery.
        """
        if placed.size == 0:
            return
        rows = orders.row(placed)
        earlier, met = np.empty(rows.size, np.int64), np.empty(rows.size, np.int64)
        record_purchases(param, people, orders.data, rows, day, draws.key[0], draws.key[1], graph.friends, earlier, met)
        _count_buyers(orders.data, rows, earlier, met, day, tally.sheets)

    @staticmethod
    def forget_hosts(people: People, hosts: NDArray[np.int64]) -> None:
        """Other persons stand in the rows `hosts`: nobody follows them yet."""
        if hosts.size:
            unfollow(people, np.isin(np.arange(NO_STREAMER + 1), hosts))

    @staticmethod
    def scandal(
        param: NDArray[Any],
        people: People,
        platform_slots: NDArray[np.uint8],
        streamers: Table,
        hosts: NDArray[np.int64],
        loss: tuple[float, float],
        day: int,
        graph: SocialGraph,
        draws: Draws,
    ) -> None:
        """Deceit by `hosts` (numbers) is known: followers' bonds and their trust in the platform lose shares `loss`;
        some tell their friends, whose trust in general suffers as by any bad story."""
        if hosts.size:
            shame(
                param, people, platform_slots, np.isin(np.arange(NO_STREAMER + 1), hosts), streamers.platform,
                np.float32(loss[0]), np.float32(loss[1]), day, graph.friends, draws.key[0], draws.key[1],
            )  # fmt: skip

    @staticmethod
    def leak(
        hazard: NDArray[np.floating[Any]],
        param: NDArray[Any],
        people: People,
        platform_slots: NDArray[np.uint8],
        day: int,
        draws: Draws,
        tally: Tally,
    ) -> None:
        """Data breaches of the day, by the chance `hazard` (P,) of each platform; users lose trust and are counted."""
        tick = day * TICKS
        lottery = np.asarray(draws.uniform(Purpose.BREACH, np.arange(N_PLATFORMS), tick=tick))
        for platform in np.flatnonzero(lottery < hazard):
            hit = np.zeros(people.birth.size, np.bool_)
            leak_data(
                param, people, platform_slots, int(platform), np.uint32(tick), draws.key[0], draws.key[1], hit
            )  # fmt: skip
            tally.add(
                Measure.BREACHED, cells(people.country[hit], np.asarray(platform), FIRST_CATEGORY, people.third[hit])
            )

    def spread(
        self,
        param: NDArray[Any],
        people: People,
        offers: Offers,
        verdict_sum: NDArray[np.int64],
        day: int,
        draws: Draws,
    ) -> None:
        """At the day's end: reputation follows verdicts, remembered prices follow prices, trust and bonds fade."""
        move_reputation(param, offers.reputation, verdict_sum, np.float32(people.birth.size))
        follow_reference(offers.remembered_usd, offers.landed_cents, self._reference_memory)
        end_of_day(param, people, self._proof_after, day, self.threads, draws.key[0], draws.key[1])

    @staticmethod
    def forget(people: People, sellers: NDArray[np.int64]) -> None:
        """Nobody remembers `sellers` (k,) any more: another firm stands in their place."""
        gone = np.isin(np.arange(NO_STREAMER + 1), sellers).astype(np.uint8)
        forget_sellers(people.memory_seller, people.memory_kind, people.memory_day, people.memory_score, gone)
