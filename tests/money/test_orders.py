from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kinds import MoneyState, Status
from sim.state.orders import COLUMNS, ORDER, STATUS_MOVES, IllegalMoveError, Orders, Posted


def test_a_record_is_two_cache_lines_and_every_column_is_declared_once() -> None:
    assert ORDER.itemsize == 128
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    orders = Orders(3)
    assert orders.data.ctypes.data % 64 == 0
    assert all(hasattr(orders, column.name) and column.writer and column.meaning for column in COLUMNS)


def test_numbers_run_on_and_the_book_grows() -> None:
    orders = Orders(1)
    first = orders.append(Orders.blank(3, country=[1, 2, 3]))
    second = orders.append(Orders.blank(500, country=9))
    assert first.tolist() == [0, 1, 2]
    assert second[0] == 3
    assert orders.country[orders.row(first)].tolist() == [1, 2, 3]
    assert orders.count(Status.PLACED) == orders.open_count == 503
    orders.check(full=True)


def test_an_empty_batch_is_no_order() -> None:
    orders = Orders(1)
    assert orders.append(Orders.blank(0)).size == 0
    assert orders.free_finished() == 0
    orders.check(full=True)


def test_illegal_moves_raise_and_change_nothing() -> None:
    orders = Orders()
    rows = orders.row(orders.append(Orders.blank(2)))
    orders.move(rows[:1], (Status.PLACED,), Status.AUTHORISED)
    with pytest.raises(IllegalMoveError, match="AUTHORISED -> PAYMENT_FAILED"):
        orders.move(rows[::-1], (Status.PLACED, Status.AUTHORISED), Status.PAYMENT_FAILED)
    with pytest.raises(IllegalMoveError):  # allowed by the book, not by the caller
        orders.move(rows[1:], (Status.AUTHORISED,), Status.CANCELLED)
    with pytest.raises(IllegalMoveError, match="NONE -> SETTLED"):
        orders.move_money(rows, (MoneyState.NONE,), MoneyState.SETTLED)
    with pytest.raises(IllegalMoveError):  # the same order twice
        orders.move(rows[[1, 1]], (Status.PLACED,), Status.AUTHORISED)
    assert orders.status[rows[0]] == Status.AUTHORISED
    orders.check(full=True)


def test_final_states_lead_nowhere() -> None:
    assert all(source < 16 for source in STATUS_MOVES)


def test_an_order_leaves_the_book_when_goods_and_money_are_final_and_no_chargeback_is_coming() -> None:
    orders = Orders(4)
    seqs = orders.append(Orders.blank(4, country=[5, 6, 7, 8]))
    rows = orders.row(seqs)
    orders.posted[rows[2]] = Posted.PENDING
    orders.move(rows, (Status.PLACED,), Status.CANCELLED)
    assert orders.free_finished() == 0
    orders.move_money(rows[1:], (MoneyState.NONE,), MoneyState.VOID)
    handed: list[int] = []
    assert orders.free_finished(lambda batch: handed.extend(batch["country"].tolist())) == 2
    assert handed == [6, 8]
    assert orders.find(seqs).tolist() == [rows[0], -1, rows[2], -1]
    with pytest.raises(KeyError):
        orders.row(seqs)
    assert orders.finished[Status.CANCELLED, MoneyState.VOID] == 2
    again = orders.append(Orders.blank(2))  # reuses the rows, not the numbers
    assert again.tolist() == [4, 5]
    assert orders.capacity == 4
    orders.check(full=True)


def test_one_late_order_does_not_keep_its_neighbours_in_memory() -> None:
    orders = Orders(64)
    late = orders.append(Orders.blank(1, country=3))
    for _ in range(100):
        rows = orders.row(orders.append(Orders.blank(50)))
        orders.move(rows, (Status.PLACED,), Status.CANCELLED)
        orders.move_money(rows, (MoneyState.NONE,), MoneyState.VOID)
        orders.free_finished()
    assert orders.capacity == 64
    assert orders.country[orders.row(late)].tolist() == [3]
    orders.check(full=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.randoms(use_true_random=False)), max_size=12))
def test_orders_are_conserved_over_random_histories(steps: list[tuple[int, object]]) -> None:
    orders = Orders(2)
    seen = 0
    for count, random in steps:
        orders.append(Orders.blank(count))
        for row in orders.open_rows().tolist():
            status = Status(int(orders.status[row]))
            targets = STATUS_MOVES.get(status, ())
            if targets and random.random() < 0.7:  # type: ignore[attr-defined]
                orders.move(np.array([row]), (status,), random.choice(targets))  # type: ignore[attr-defined]
            if orders.status[row] >= 16 and orders.money[row] == MoneyState.NONE:
                orders.move_money(np.array([row]), (MoneyState.NONE,), MoneyState.VOID)
        seen += orders.free_finished()
        orders.check(full=True)
    assert orders.appended == seen + orders.open_count
