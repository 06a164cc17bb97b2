"""Buyers unpack: satisfaction, keeping or returning, complaints and disputes, and what that does to trust."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.draws import Draws
from sim.kernels.live import Offers, People, Setting
from sim.kernels.opinion import Judged, forgone, judge, surplus_lost
from sim.messages import Intents, Verdicts
from sim.record.schema import Measure, cells
from sim.record.tally import Tally
from sim.state.orders import Orders
from sim.state.social import SocialGraph

SATISFACTION_UNITS = 1_000_000


class Aftersales:
    """Judges what arrived. `verdict_sum` (merchants, 2) collects the day's verdicts for public reputation."""

    def __init__(self, merchants: int) -> None:
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
            np.zeros(count, np.float32), np.zeros(count, np.int64), np.zeros(count, np.bool_),
            np.zeros(count, np.bool_), np.zeros(count, np.bool_), np.zeros(count, np.int64),
        )  # fmt: skip
        if count:
            judge(
                param, people, setting, offers, authenticity, return_level, orders.data, rows, draws.key[0],
                draws.key[1], judged, self.verdict_sum, graph.indptr, graph.friends,
            )  # fmt: skip
            cell = cells(orders.country[rows], orders.channel[rows], orders.category[rows], orders.third[rows])
            day = orders.tick[rows].astype(np.int64) >> 3
            tally.add_cohort(Measure.RETURNED, day, cell, judged.returns.astype(np.int64))
            tally.add_cohort(Measure.DISPUTED, day, cell, judged.disputes.astype(np.int64))
            tally.add_cohort(Measure.COMPLAINED, day, cell, judged.complains.astype(np.int64))
            tally.add_cohort(
                Measure.SATISFACTION_PPM, day, cell, (judged.satisfaction * SATISFACTION_UNITS).astype(np.int64)
            )
            tally.add(Measure.SURPLUS_REALISED_MC, cell, -judged.realised_loss)
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
        rows = orders.row(failed)
        cell = cells(orders.country[rows], orders.channel[rows], orders.category[rows], orders.third[rows])
        tally.add(Measure.SURPLUS_REALISED_MC, cell, -surplus_lost(orders.data, rows))
