"""What spreads and what fades: purchases friends see, shared rooms, reputation, trust returning to its prior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.config.consumer import Consumer as Behaviour
from sim.draws import Draws
from sim.kernels.live import Offers, People
from sim.kernels.opinion import end_of_day, follow_reference, move_reputation, record_purchases
from sim.record.schema import Measure, cells
from sim.record.tally import Tally
from sim.state.orders import Orders
from sim.state.social import SocialGraph


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
        earlier, met = np.zeros(rows.size, np.int64), np.zeros(rows.size, np.int64)
        record_purchases(
            param, people, orders.data, rows, day, draws.key[0], draws.key[1], graph.indptr, graph.friends, earlier, met
        )
        cell = cells(orders.country[rows], orders.channel[rows], orders.category[rows], orders.third[rows])
        for days, measure in ((30, Measure.DISCOVERY_BUYERS_30D), (7, Measure.DISCOVERY_BUYERS_7D)):
            soon = (met >= 0) & (day - met <= days)
            tally.add_cohort(measure, met[soon], cell[soon])
        today = met == day
        tally.add_cohort(Measure.DISCOVERIES, day, cell[today])
        repeated = earlier >= 0
        tally.add_cohort(Measure.REPEAT_ORDERS, earlier[repeated], cell[repeated])

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
