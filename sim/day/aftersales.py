"""Buyers unpack: satisfaction, keeping or returning, complaints and disputes, and what that does to trust."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.draws import Draws
from sim.kernels.live import Offers, People, Setting
from sim.kernels.opinion import Judged, forgone, judge, surplus_lost
from sim.messages import Intents, Verdicts
from sim.record.schema import Measure, cells
from sim.record.tally import Sheets, Tally, cell_of, count, count_cohort
from sim.state.orders import Orders, Records
from sim.state.social import SocialGraph

I64 = NDArray[np.int64]

WORTH_SHARING = 1000  # verdicts from which two threads are done before one
MILLION = np.float32(1_000_000)
COUNT_RETURNED, COUNT_DISPUTED = np.int64(Measure.RETURNED), np.int64(Measure.DISPUTED)
COUNT_COMPLAINED, COUNT_SATISFACTION = np.int64(Measure.COMPLAINED), np.int64(Measure.SATISFACTION_PPM)
COUNT_SURPLUS = np.int64(Measure.SURPLUS_REALISED_MC)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def _count_verdicts(data: Records, rows: I64, judged: Judged, sheets: Sheets) -> None:
    for position in range(rows.size):
        order = data[rows[position]]
        cell = cell_of(order)
        day = np.int64(order.tick) >> 3
        count_cohort(sheets, COUNT_RETURNED, day, cell, np.int64(judged.returns[position]))
        count_cohort(sheets, COUNT_DISPUTED, day, cell, np.int64(judged.disputes[position]))
        count_cohort(sheets, COUNT_COMPLAINED, day, cell, np.int64(judged.complains[position]))
        count_cohort(sheets, COUNT_SATISFACTION, day, cell, np.int64(judged.satisfaction[position] * MILLION))
        count(sheets, COUNT_SURPLUS, cell, -judged.realised_loss[position])


@njit(cache=True, error_model="numpy")
def _write_off(data: Records, rows: I64, sheets: Sheets) -> None:
    losses = surplus_lost(data, rows)
    for position in range(rows.size):
        count(sheets, COUNT_SURPLUS, cell_of(data[rows[position]]), -losses[position])


class Aftersales:
    """Judges what arrived. `verdict_sum` (merchants, 2) collects the day's verdicts for public reputation."""

    def __init__(self, merchants: int, threads: int) -> None:
        self.threads = threads
        self.verdict_sum = np.zeros((merchants, 2), np.int64)

    def judge(
        self,
        delivered: NDArray[np.int64],
        orders: Orders,
        param: NDArray[Any],
        people: People,
        setting: Setting,
        offers: Offers,
        authenticity: NDArray[np.float32],
        return_level: NDArray[np.float32],
        graph: SocialGraph,
        tally: Tally,
        draws: Draws,
    ) -> Verdicts:
        """Verdicts on the delivered orders (sequence numbers in event order)."""
        rows = orders.row(delivered)
        count = rows.size
        judged = Judged(
            np.empty(count, np.float32), np.empty(count, np.int64), np.empty(count, np.bool_),
            np.empty(count, np.bool_), np.empty(count, np.bool_), np.empty(count, np.int64),
        )  # fmt: skip
        if count:
            judge(
                param, people, setting, offers, authenticity, return_level, orders.data, rows, draws.key[0],
                draws.key[1], judged, self.verdict_sum, graph.friends,
                self.threads if count >= WORTH_SHARING else 1,
            )  # fmt: skip
            _count_verdicts(orders.data, rows, judged, tally.sheets)
        return Verdicts(delivered, judged.time, judged.satisfaction, judged.returns, judged.disputes, judged.complains)

    @staticmethod
    def forgo(intents: Intents, outcome: NDArray[np.uint8], people: People, offers: Offers, tally: Tally) -> None:
        """Realised surplus loses what was perceived of decisions that failed at the till. outcome: 0 ordered, (n,)."""
        failed = np.flatnonzero(outcome)
        if failed.size == 0:
            return
        third, category = people.third[intents.consumer[failed]], offers.category[intents.line[failed]]
        cell = cells(intents.country[failed], intents.channel[failed], category, third)
        tally.add(Measure.SURPLUS_REALISED_MC, cell, -forgone(intents.utility[failed], intents.money_utility[failed]))

    @staticmethod
    def write_off(failed: NDArray[np.int64], orders: Orders, tally: Tally) -> None:
        """Realised surplus loses what was perceived of orders that never reached their buyer (sequence numbers)."""
        if failed.size == 0:
            return
        _write_off(orders.data, orders.row(failed), tally.sheets)
