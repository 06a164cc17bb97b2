"""The order book: every order that is not yet final in goods and money, one 128-byte record each.

Orders are identified by a running sequence number `seq`; messages and calendars carry nothing else. The book maps a
`seq` to the row that holds it (`Orders.row`) and gives rows back when an order is final, so memory follows the number
of open orders and one late parcel does not keep its neighbours in memory. One record is two cache lines: an event
touches about twenty fields of one order at random, which costs two misses instead of twenty.

Two doors change an order's state: `move` (goods, `Status`) and `move_money` (money, `MoneyState`). Both check the move
against a table of allowed moves and raise `IllegalMoveError`. All other columns have the one writer their declaration
names.

Column attributes (`orders.country`, ...) are views of the current records: fetch them anew after `append`, which may
enlarge the book, and never keep one between calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from sim.kernels.stations import grown
from sim.kernels.threads import fetch
from sim.kinds import NO_CARRIER, NO_STREAMER, NO_WAREHOUSE, MoneyState, Status

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Whole = Any  # a whole number: int, or any integer of numpy
Records = NDArray[Any]  # structured array of ORDER
Record = Any  # the same, for functions that take fields of its elements

NO_MODE = 0xFF  # the order has no line-haul leg yet, or none at all


class Posted(IntFlag):
    """Which of an order's postings are in the ledger; bits of its `posted` column."""

    SALE = 1  # the buyer's money came in
    LOGISTICS = 2
    TAXES = 4
    PAYOUT = 8  # seller, host and channel were paid
    UNCHARGED = 16  # not a posting: duty and tax were not in the price, which was for goods in the country
    PENDING = 64  # not a posting: a chargeback is on its way, the order must stay in the book


@dataclass(frozen=True, slots=True)
class OrderColumn:
    """One column of the order book: its type, unit, first value, meaning, and the one module that writes it."""

    name: str
    dtype: str
    unit: str
    writer: str
    meaning: str
    default: int | float = 0


# `checkout` fills a record once, at `append`; where another writer is named, that one changes it afterwards.
COLUMNS: tuple[OrderColumn, ...] = (
    OrderColumn("seq", "u4", "1", "orders.append", "running number of the order (its low 32 bits)"),
    OrderColumn("consumer", "u4", "row", "checkout", "buyer's row in the consumer table"),
    OrderColumn("birth", "u4", "1", "checkout", "buyer's birth number: the identity draws are keyed by"),
    OrderColumn("tick", "i4", "daypart", "checkout", "day * 8 + daypart of the order: part of every draw's key"),
    OrderColumn("placed", "i4", "s", "checkout", "second of the order, since 2000-01-01 UTC"),
    OrderColumn("promised", "i4", "s", "checkout", "second by which delivery was promised"),
    OrderColumn("authorised", "i4", "s", "settlement", "second of payment or of acceptance; 0 = not yet"),
    OrderColumn("shipped", "i4", "s", "fulfilment", "second the parcel left the warehouse; 0 = not yet"),
    OrderColumn("delivered", "i4", "s", "fulfilment", "second the parcel reached the buyer; 0 = not yet"),
    OrderColumn("closed", "i4", "s", "settlement", "second the money became final; 0 = not yet"),
    OrderColumn("goods_cents", "i4", "US cent", "checkout", "units times price after the show's discount, before tax"),
    OrderColumn("freight_cents", "i4", "US cent", "checkout", "freight inside the price the buyer was shown"),
    OrderColumn("duty_cents", "i4", "US cent", "checkout", "import duty on the parcel, in the price but for UNCHARGED"),
    OrderColumn("vat_cents", "i4", "US cent", "checkout", "value added tax on the parcel; in the price as duty is"),
    OrderColumn("subsidy_cents", "i4", "US cent", "checkout", "part of the price the platform pays for the buyer"),
    OrderColumn(
        "commission_cents", "i4", "US cent", "checkout", "what the channel keeps of its charge, merchant to channel"
    ),
    OrderColumn("host_cents", "i4", "US cent", "checkout", "the host's part of the charge, merchant to streamer"),
    OrderColumn("agency_cents", "i4", "US cent", "settlement", "the agency's part of host_cents"),
    OrderColumn("service_cents", "i4", "US cent", "checkout", "the channel's service fee, paid by the buyer on top"),
    OrderColumn("fee_cents", "i4", "US cent", "checkout", "payment provider's fee"),
    OrderColumn("refunded_cents", "i4", "US cent", "settlement", "paid back to the buyer so far"),
    OrderColumn("expected_quality", "f4", "quality", "checkout", "quality the buyer expected at the decision"),
    OrderColumn("utility", "f4", "util", "checkout", "perceived utility of buying against not buying"),
    OrderColumn("impulse_gap", "f4", "util", "checkout", "perceived minus cooled utility at the decision"),
    OrderColumn("money_utility", "f4", "util/USD", "checkout", "marginal utility of a dollar in this choice"),
    OrderColumn("satisfaction", "f4", "1", "aftersales", "0 (worst) to 1; nan before the verdict", float("nan")),
    OrderColumn("merchant", "u2", "index", "checkout", "seller"),
    OrderColumn("line", "u2", "index", "checkout", "product line"),
    OrderColumn("streamer", "u2", "index", "checkout", "host who sold it; NO_STREAMER off the rooms", NO_STREAMER),
    OrderColumn("flags", "u2", "bits", "all day modules (own bits)", "what happened to it, see kinds.Flag"),
    OrderColumn("ordinal", "u1", "1", "checkout", "0 live order, 1 shelf or brand-site order of the daypart"),
    OrderColumn("channel", "u1", "index", "checkout", "where it was sold, see kinds.CHANNELS"),
    OrderColumn("tier", "u1", "index", "checkout", "step of the line's price-quality ladder"),
    OrderColumn("quantity", "u1", "unit", "checkout", "units"),
    OrderColumn("country", "u1", "index", "checkout", "buyer's country"),
    OrderColumn("third", "u1", "index", "checkout", "buyer's income third"),
    OrderColumn("category", "u1", "index", "checkout", "product category"),
    OrderColumn("method", "u1", "index", "checkout", "payment method used"),
    OrderColumn("direct", "u1", "0/1", "checkout", "1: shipped to the buyer from origin, 0: from a local warehouse"),
    OrderColumn(
        "warehouse", "u1", "index", "fulfilment", "warehouse serving it; checkout sets the first", NO_WAREHOUSE
    ),
    OrderColumn("carrier", "u1", "index", "fulfilment", "last-mile carrier", NO_CARRIER),
    OrderColumn("mode", "u1", "index", "fulfilment", "line-haul mode of a direct parcel, see kinds.MODES", NO_MODE),
    OrderColumn("status", "u1", "index", "orders.move", "where the goods are, see kinds.Status"),
    OrderColumn("money", "u1", "index", "orders.move_money", "where the money is, see kinds.MoneyState"),
    OrderColumn("posted", "u1", "bits", "settlement", "what has been posted to the ledger, see Posted"),
    OrderColumn("listed", "u1", "0/1", "orders", "1: final in goods and money, leaves the book at the day's end"),
)

ORDER = np.dtype(
    {
        "names": [column.name for column in COLUMNS],
        "formats": [column.dtype for column in COLUMNS],
        "offsets": np.cumsum([0] + [np.dtype(column.dtype).itemsize for column in COLUMNS])[:-1].tolist(),
        "itemsize": 128,
    },
    align=True,
)

_WORDS = ORDER.itemsize // 8
_STATES = 32
AHEAD = 32  # records asked for before their turn comes: memory answers many requests in the time of one
_LISTED = 2 * _STATES  # place in the counts array of the number of listed rows

STATUS_MOVES: dict[Status, tuple[Status, ...]] = {
    Status.PLACED: (Status.AUTHORISED, Status.PAYMENT_FAILED, Status.CANCELLED),
    Status.AUTHORISED: (Status.RELEASED, Status.BACKORDERED, Status.CANCELLED),
    Status.BACKORDERED: (Status.RELEASED, Status.CANCELLED),
    Status.RELEASED: (Status.IN_TRANSIT, Status.BACKORDERED, Status.CANCELLED, Status.LOST),
    Status.IN_TRANSIT: (Status.DELIVERED, Status.REFUSED, Status.LOST, Status.SEIZED),
    Status.DELIVERED: (Status.KEPT, Status.RETURNING),
    Status.RETURNING: (Status.RETURNED, Status.LOST),
}
MONEY_MOVES: dict[MoneyState, tuple[MoneyState, ...]] = {
    MoneyState.NONE: (MoneyState.HELD, MoneyState.VOID),
    MoneyState.HELD: (MoneyState.FROZEN, MoneyState.SETTLED, MoneyState.REFUNDED, MoneyState.CHARGED_BACK),
    MoneyState.FROZEN: (MoneyState.HELD, MoneyState.SETTLED, MoneyState.REFUNDED, MoneyState.CHARGED_BACK),
    MoneyState.SETTLED: (MoneyState.REFUNDED, MoneyState.CHARGED_BACK),  # clawed back from the seller and the host
}


def _matrix(moves: dict[Any, tuple[Any, ...]]) -> NDArray[np.bool_]:
    allowed = np.zeros((_STATES, _STATES), np.bool_)
    for source, targets in moves.items():
        for target in targets:
            allowed[source, target] = True
    allowed.flags.writeable = False
    return allowed


ALLOWED_STATUS = _matrix(STATUS_MOVES)
ALLOWED_MONEY = _matrix(MONEY_MOVES)


class IllegalMoveError(RuntimeError):
    """An order was asked for a change of state that the book does not allow: a fault of the program, not of a user."""


@njit(cache=True, error_model="numpy", inline="never", _nrt=False)
def list_if_final(data: Record, row: Whole, counts: I64, listed: I32) -> None:
    """Puts an order that is final in goods and money, with no chargeback on its way, on the list to leave the book."""
    if data[row].listed == 0 and data[row].status >= 16 and data[row].money >= 16 and data[row].posted & 64 == 0:
        data[row].listed = 1
        listed[counts[64]] = row
        counts[64] += 1


@njit(cache=True, error_model="numpy", _nrt=False)
def move_status_one(
    data: Record, row: Whole, target: Whole, allowed: NDArray[np.bool_], counts: I64, listed: I32
) -> bool:
    """Moves one order's goods to `target`; False and no change if the move is not allowed. For use inside kernels."""
    source = data[row].status
    if not allowed[source, target]:
        return False
    data[row].status = target
    counts[source] -= 1
    counts[target] += 1
    if target >= 16:
        list_if_final(data, row, counts, listed)
    return True


@njit(cache=True, error_model="numpy", _nrt=False)
def move_money_one(
    data: Record, row: Whole, target: Whole, allowed: NDArray[np.bool_], counts: I64, listed: I32
) -> bool:
    """Moves one order's money to `target`; False and no change if the move is not allowed. For use inside kernels."""
    source = data[row].money
    if not allowed[source, target]:
        return False
    data[row].money = target
    counts[32 + source] -= 1
    counts[32 + target] += 1
    if target >= 16:
        list_if_final(data, row, counts, listed)
    return True


@njit(cache=True, error_model="numpy", _nrt=False)
def _move_status(
    data: Records, rows: I64, sources: int, target: int, allowed: NDArray[np.bool_], counts: I64, listed: I32
) -> int:
    for position in range(rows.size):  # all are checked before the first moves
        source = np.int64(data[rows[position]].status)
        if (sources >> source) & 1 == 0 or not allowed[source, target]:
            return position
    for position in range(rows.size):
        if not move_status_one(data, rows[position], target, allowed, counts, listed):
            return position
    return -1


@njit(cache=True, error_model="numpy", _nrt=False)
def _move_money(
    data: Records, rows: I64, sources: int, target: int, allowed: NDArray[np.bool_], counts: I64, listed: I32
) -> int:
    for position in range(rows.size):
        source = np.int64(data[rows[position]].money)
        if (sources >> source) & 1 == 0 or not allowed[source, target]:
            return position
    for position in range(rows.size):
        if not move_money_one(data, rows[position], target, allowed, counts, listed):
            return position
    return -1


@njit(cache=True, error_model="numpy", _nrt=False)
def _append(
    data: Records,
    words: I64,
    batch: I64,
    free: I32,
    n_free: int,
    row_of: I32,
    head: int,
    counts: I64,
    listed: I32,
) -> None:
    """`words` int64[rows, 16] and `batch` int64[n, 16] are the book's and the new records as plain words."""
    mask = row_of.size - 1
    for position in range(batch.shape[0]):
        if position + AHEAD < batch.shape[0]:
            fetch(data, free[n_free - 1 - position - AHEAD])
        row = free[n_free - 1 - position]
        for word in range(16):
            words[row, word] = batch[position, word]
        data[row].seq = np.uint32(head + position)
        data[row].listed = 0
        row_of[(head + position) & mask] = row
        counts[data[row].status] += 1
        counts[32 + data[row].money] += 1
        list_if_final(data, row, counts, listed)


@njit(cache=True, error_model="numpy", _nrt=False)
def _find(row_of: I32, tail: int, head: int, seqs: I64, rows: I64) -> int:
    mask = row_of.size - 1
    missing = 0
    for position in range(seqs.size):
        if position + AHEAD < seqs.size:
            fetch(row_of, seqs[position + AHEAD] & mask)
        seq = seqs[position]
        rows[position] = -1
        if tail <= seq < head:
            rows[position] = row_of[seq & mask]
        if rows[position] < 0:
            missing += 1
    return missing


@njit(cache=True, error_model="numpy", _nrt=False)
def _release(
    data: Records, rows: I32, free: I32, n_free: int, row_of: I32, tail: int, head: int, counts: I64, finished: I64
) -> int:
    """Gives finished rows back and returns the new tail (the oldest sequence number that may still be open)."""
    mask = row_of.size - 1
    for position in range(rows.size):
        if position + AHEAD < rows.size:
            fetch(data, rows[rows.size - 1 - position - AHEAD])
        row = rows[rows.size - 1 - position]
        status = data[row].status
        money = data[row].money
        counts[status] -= 1
        counts[32 + money] -= 1
        finished[status, money] += 1
        row_of[np.int64(data[row].seq) & mask] = -1
        free[n_free + position] = row
    while tail < head and row_of[tail & mask] < 0:
        tail += 1
    return tail


@njit(cache=True, error_model="numpy", _nrt=False)
def _open_rows(row_of: I32, tail: int, head: int, rows: I64) -> int:
    """Fills `rows` with the rows of the orders in the book, oldest first; returns how many there are."""
    mask = row_of.size - 1
    count = 0
    for seq in range(tail, head):
        row = row_of[seq & mask]
        rows[count] = row
        count += row >= 0
    return count


@njit(cache=True, error_model="numpy", _nrt=False)
def _recount(data: Records, rows: I64, counts: I64) -> None:
    """Counts the orders in `rows` by status (places 0..31) and by money state (32..63)."""
    for position in range(rows.size):
        if position + AHEAD < rows.size:
            fetch(data, rows[position + AHEAD])
        counts[data[rows[position]].status] += 1
        counts[_STATES + data[rows[position]].money] += 1


def _records(rows: int) -> Records:
    """Zeroed records whose first byte lies on a cache line, so that no record straddles three."""
    raw = np.zeros(rows * ORDER.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    records = raw[start : start + rows * ORDER.itemsize].view(ORDER)
    return (
        records.view(np.recarray) if getattr(config, "DISABLE_JIT", 0) else records
    )  # kernels as plain Python need attributes


_BLANK = np.zeros(1, ORDER)
for _column in COLUMNS:
    _BLANK[_column.name] = _column.default


def _mask(states: Iterable[int]) -> int:
    bits = 0
    for state in states:
        bits |= 1 << int(state)
    return bits


class Orders:
    """The book of open orders.

    `capacity` rows are made at first; the book grows when they are used up (see `sim.kernels.stations.grown`) and never
    shrinks. `data` is the structured array of records for kernels (type ORDER); `counts` (int64) holds the number of
    orders in the book by status (0..31) and by money state (32..63).
    """

    seq: U32
    consumer: U32
    birth: U32
    tick: I32
    placed: I32
    promised: I32
    authorised: I32
    shipped: I32
    delivered: I32
    closed: I32
    goods_cents: I32
    freight_cents: I32
    duty_cents: I32
    vat_cents: I32
    subsidy_cents: I32
    commission_cents: I32
    host_cents: I32
    agency_cents: I32
    service_cents: I32
    fee_cents: I32
    refunded_cents: I32
    expected_quality: F32
    utility: F32
    impulse_gap: F32
    money_utility: F32
    satisfaction: F32
    merchant: U16
    line: U16
    streamer: U16
    flags: U16
    ordinal: U8
    channel: U8
    tier: U8
    quantity: U8
    country: U8
    third: U8
    category: U8
    method: U8
    direct: U8
    warehouse: U8
    carrier: U8
    mode: U8
    status: U8
    money: U8
    posted: U8
    listed: U8

    def __init__(self, capacity: int = 4096) -> None:
        if capacity < 1:
            raise ValueError("the order book needs at least one row")
        self.data: Records = _records(capacity)
        self.counts: I64 = np.zeros(_LISTED + 1, np.int64)
        self.finished: I64 = np.zeros((_STATES, _STATES), np.int64)
        self.listed_rows: I32 = np.zeros(capacity, np.int32)
        self._free: I32 = np.arange(capacity - 1, -1, -1, dtype=np.int32)
        self._n_free = capacity
        self._row_of: I32 = np.full(1 << max(capacity - 1, 1).bit_length(), -1, np.int32)
        self._tail = 0
        self._head = 0
        self._bind()

    def _bind(self) -> None:
        for column in COLUMNS:
            setattr(self, column.name, self.data[column.name])

    # -- reading ------------------------------------------------------------------------------------------------
    @property
    def appended(self) -> int:
        """Orders ever appended; the next order's sequence number."""
        return self._head

    @property
    def open_count(self) -> int:
        """Orders in the book that are not final in both goods and money."""
        return self.capacity - self._n_free - int(self.counts[_LISTED])

    @property
    def capacity(self) -> int:
        """Rows there are."""
        return int(self.data.size)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of the book."""
        return int(self.data.nbytes + self.listed_rows.nbytes + self._free.nbytes + self._row_of.nbytes)

    def sent_back_and_kept(self) -> tuple[int, int]:
        """Orders returned and kept since the first day."""
        back, kept = (int(self.finished[one].sum()) + self.count(one) for one in (Status.RETURNED, Status.KEPT))
        return back, kept

    def count(self, status: Status) -> int:
        """Orders in the book whose goods are in `status`."""
        return int(self.counts[status])

    def count_money(self, money: MoneyState) -> int:
        """Orders in the book whose money is in `money`."""
        return int(self.counts[_STATES + money])

    def row(self, seqs: I64) -> I64:
        """Rows of the orders `seqs` (n,) -> (n,) int64; KeyError if one is not in the book."""
        seqs = np.asarray(seqs, np.int64)
        rows = np.empty(seqs.size, np.int64)
        if _find(self._row_of, self._tail, self._head, seqs, rows):
            raise KeyError(f"orders not in the book: {seqs[rows < 0][:5].tolist()}")
        return rows

    def find(self, seqs: I64) -> I64:
        """Like `row`, with -1 for orders that have left the book (their late events are void) or never were."""
        seqs = np.asarray(seqs, np.int64)
        rows = np.empty(seqs.size, np.int64)
        _find(self._row_of, self._tail, self._head, seqs, rows)
        return rows

    def open_rows(self) -> I64:
        """Rows of all orders in the book, oldest first."""
        rows = np.empty(self._head - self._tail + 1, np.int64)
        return rows[: _open_rows(self._row_of, self._tail, self._head, rows)]

    # -- writing ------------------------------------------------------------------------------------------------
    @staticmethod
    def blank(count: int, **columns: Any) -> Records:
        """A batch of `count` records with each column at its default, and the given columns filled in."""
        batch = np.repeat(_BLANK, count)
        for name, values in columns.items():
            batch[name] = values
        return batch

    def append(self, batch: Records) -> I64:
        """Appends the records (n,) and returns their sequence numbers (n,), running on from the last."""
        batch = np.ascontiguousarray(batch)
        if self._head + batch.size >= 1 << 32:
            raise OverflowError("more than 2^32 orders: lower population.consumers or days")
        self.reserve(batch.size)
        _append(
            self.data,
            self.data.view(np.int64).reshape(-1, _WORDS),
            batch.view(np.int64).reshape(-1, _WORDS),
            self._free,
            self._n_free,
            self._row_of,
            self._head,
            self.counts,
            self.listed_rows,
        )
        self._n_free -= batch.size
        first = self._head
        self._head += batch.size
        return np.arange(first, self._head, dtype=np.int64)

    def move(self, rows: I64, sources: Iterable[Status], target: Status) -> None:
        """Moves the goods of the orders in `rows` (distinct) from any of `sources` to `target`, all or none.

        Raises IllegalMoveError if an order is in another state or the book does not allow the move.
        """
        rows = np.asarray(rows, np.int64)
        fault = _move_status(
            self.data, rows, _mask(sources), int(target), ALLOWED_STATUS, self.counts, self.listed_rows
        )
        if fault >= 0:
            row = int(rows[fault])
            raise IllegalMoveError(f"order {self.seq[row]}: {Status(self.status[row]).name} -> {Status(target).name}")

    def move_money(self, rows: I64, sources: Iterable[MoneyState], target: MoneyState) -> None:
        """Moves the money of the orders in `rows` (distinct) from any of `sources` to `target`, all or none.

        Raises IllegalMoveError if an order is in another state or the book does not allow the move.
        """
        rows = np.asarray(rows, np.int64)
        fault = _move_money(self.data, rows, _mask(sources), int(target), ALLOWED_MONEY, self.counts, self.listed_rows)
        if fault >= 0:
            row = int(rows[fault])
            raise IllegalMoveError(
                f"order {self.seq[row]}: money {MoneyState(self.money[row]).name} -> {MoneyState(target).name}"
            )

    def free_finished(self, handler: Callable[[Records], None] | None = None) -> int:
        """Lets the orders that are final in goods and money leave the book; returns how many.

        `handler` receives a copy of their records (type ORDER), oldest first, before their rows are reused.
        """
        count = int(self.counts[_LISTED])
        if count == 0:
            return 0
        rows = self.listed_rows[:count]
        if handler is not None:
            handler(self.data[rows[np.argsort(self.seq[rows], kind="stable")]])
        self._tail = _release(
            self.data, rows, self._free, self._n_free, self._row_of, self._tail, self._head, self.counts, self.finished
        )
        self._n_free += count
        self.counts[_LISTED] = 0
        return count

    # -- conservation -------------------------------------------------------------------------------------------
    def check(self, full: bool = False) -> None:
        """Every order appended is in the book or finished; raises AssertionError if not.

        `full` also counts the states anew from the records (one pass over the book).
        """
        in_book = self.capacity - self._n_free
        gone = int(self.finished.sum())
        by_status = int(self.counts[:_STATES].sum())
        by_money = int(self.counts[_STATES:_LISTED].sum())
        if not (self._head == in_book + gone and by_status == in_book and by_money == in_book):
            raise AssertionError(
                f"orders are not conserved: {self._head} appended, {in_book} in the book, {gone} finished, "
                f"{by_status} by status, {by_money} by money state"
            )
        if full:
            rows = self.open_rows()
            found = np.zeros(_LISTED, np.int64)
            _recount(self.data, rows, found)
            if rows.size != in_book or np.any(found[:_STATES] != self.counts[:_STATES]):
                raise AssertionError("the counts by status differ from the records")
            if np.any(found[_STATES:] != self.counts[_STATES:_LISTED]):
                raise AssertionError("the counts by money state differ from the records")

    # -- growth -------------------------------------------------------------------------------------------------
    def reserve(self, count: int) -> None:
        """Makes room for `count` more orders."""
        if count > self._n_free:
            old = self.capacity
            new = max(grown(old), old - self._n_free + count)
            data = _records(new)
            data[:old] = self.data
            self.data = data
            listed = np.zeros(new, np.int32)
            listed[:old] = self.listed_rows
            self.listed_rows = listed
            free = np.zeros(new, np.int32)
            free[: new - old] = np.arange(new - 1, old - 1, -1, dtype=np.int32)
            free[new - old : new - old + self._n_free] = self._free[: self._n_free]
            self._free = free
            self._n_free += new - old
            self._bind()
        span = self._head - self._tail + count
        if span > self._row_of.size:
            size = 1 << (span - 1).bit_length()
            row_of = np.full(size, -1, np.int32)
            seqs = np.arange(self._tail, self._head)
            row_of[seqs & (size - 1)] = self._row_of[seqs & (self._row_of.size - 1)]
            self._row_of = row_of
