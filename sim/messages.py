"""The typed batches that day modules hand to each other.

Every batch is a struct of equally long arrays, immutable by convention once handed on. Times are int64 seconds since
2000-01-01 00:00 UTC. `consumer` is a row of the consumer table; `order` is an order's sequence number, never a row of
the order book.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U16 = NDArray[np.uint16]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

UNMOVED = 255  # kind of an event that moved no goods


@dataclass(slots=True)
class Intents:
    """What consumers decided to buy in one daypart, sorted by (time, consumer, ordinal); shape (n,) each."""

    time: I64
    consumer: I64
    ordinal: U8  # 0 live order, 1 shelf or brand-site order of the daypart
    channel: U8
    line: U16
    tier: U8
    quantity: U8
    streamer: U16  # NO_STREAMER off the rooms
    country: U8
    landed_cents: I32  # what the buyer was shown for one unit, all in
    discount_permille: U16  # the show's discount on the list price
    promised_days: F32  # what the buyer was shown
    expected_quality: F32  # in the units of a line's quality
    impulse_gap: F32  # perceived minus cooled utility, utils
    utility: F32  # perceived utility of buying against not buying, utils
    money_utility: F32  # marginal utility of a dollar in this choice, utils per USD
    flags: U16  # Flag bits known at the decision (GUARANTEED, DISCLOSED, TRIED_ON, TRACED)

    def __len__(self) -> int:
        return int(self.time.size)


class Book(Protocol):
    """Where the records of open orders lie."""

    def find(self, seqs: I64) -> I64:
        """Rows of orders, -1 for those that have left the book."""


@dataclass(slots=True)
class Events:
    """What fell due, sorted by (time, kind, order); shape (n,) each."""

    time: I64
    kind: U8
    order: I64
    _rows: I64 | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return int(self.time.size)

    def rows(self, book: Book) -> I64:
        """Rows of the orders in the book (-1: not there), looked up once; good until the book gives rows back."""
        if self._rows is None:
            self._rows = book.find(self.order)
        return self._rows


@dataclass(slots=True)
class Verdicts:
    """What buyers decided about parcels that arrived; shape (n,) each."""

    order: I64
    time: I64  # when the decision falls (after delivery)
    satisfaction: F32  # 0 (worst) to 1
    returns: NDArray[np.bool_]
    disputes: NDArray[np.bool_]
    complains: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.order.size)


@dataclass(slots=True)
class Released:
    """What allocation decided in one daypart, order numbers (n,) each."""

    released: I64
    oversold: I64  # shown but not there, at the first attempt; wherever the order went then
    backordered: I64
    cancelled: I64  # their money is the settlement's to give back
    rerouted: I64  # released from the other warehouse than the one they were sold from


@dataclass(slots=True)
class Consignment:
    """Bulk stock of several lines on its way to one warehouse; also what is handed on when it has arrived."""

    number: int
    warehouse: int
    mode: int  # index in kinds.MODES
    line: I64
    units: I64
    ordered: int  # second
    arrived: int = 0  # second


@dataclass(slots=True)
class Movements:
    """What happened to goods in one daypart, in the order of the events; shape (n,) each."""

    time: I64
    kind: U8  # UNMOVED where the event moved no goods
    order: I64
    row: I64  # of the order in the book, while it is there
    restocked: list[Consignment]

    def where(self, *kinds: int) -> I64:
        """Positions of the events of some kinds, one kind after the other."""
        return np.concatenate([np.flatnonzero(self.kind == kind) for kind in kinds])

    def of(self, kind: int) -> I64:
        """Numbers of the orders to which one thing happened."""
        orders: I64 = self.order[self.kind == kind]
        return orders
