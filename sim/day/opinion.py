"""What spreads and what fades: purchases friends see, shared rooms, reputation, trust returning to its prior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.config.consumer import Consumer as Behaviour
from sim.draws import Draws
from sim.kernels.live import Offers, People
from sim.kernels.opinion import end_of_day, follow_reference, move_reputation, record_purchases
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
    ) -> None:
        """What placing an order does to its buyer at once, and what friends see of it. placed: sequence numbers."""
        if placed.size:
            record_purchases(
                param, people, orders.data, orders.row(placed), day, draws.key[0], draws.key[1], graph.indptr,
                graph.friends,
            )  # fmt: skip

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
