"""Books of firms: smoothing, credibility, independence of the size of the sample."""

from __future__ import annotations

import numpy as np
import pytest

from sim.config.supply import Books as Rule
from sim.firms.books import Books
from sim.record.schema import MoneyPurpose
from sim.state.ledger import Account, Ledger

FIRMS = 20
WEEK = 7


def keep(orders: int, paid: np.ndarray, trust: float = 200.0, weeks: int = 12, like: int = 0) -> tuple[Books, Ledger]:
    """Books of merchants who receive `paid` (n,) cents every week, with so many sampled orders a week."""
    books, ledger = Books(Rule(memory_weeks=8.0, first_week=0, trust_orders=trust)), Ledger(FIRMS, 1, 1)
    books.follow(Account.MERCHANT, np.arange(1.0, FIRMS + 1), like)
    world, account = ledger.account(Account.REST_OF_WORLD), ledger.account(Account.MERCHANT, np.arange(FIRMS))
    for week in range(1, weeks + 1):
        ledger.post(MoneyPurpose.SALE, world, account, paid)
        assert books.learn(ledger, orders * week, week * WEEK)
        assert not books.learn(ledger, orders * week, week * WEEK + 1)
    return books, ledger


def test_without_orders_a_firm_believes_what_its_kind_earns_in_proportion_to_size() -> None:
    paid = np.zeros(FIRMS, np.int64)
    paid[0] = 21000
    books, _ = keep(0, paid)
    expected = books.result(Account.MERCHANT)
    assert np.allclose(expected, 100.0 * np.arange(1, FIRMS + 1))


def test_with_many_orders_a_firm_believes_its_own_books() -> None:
    paid = np.arange(FIRMS, dtype=np.int64)[::-1] * 1000
    books, _ = keep(10**9, paid)
    assert np.allclose(books.result(Account.MERCHANT), paid, rtol=1e-4, atol=1.0)


def test_credibility_rises_with_orders_and_with_size() -> None:
    paid = np.full(FIRMS, 1000)
    few, many = (keep(orders, paid)[0].credibility(Account.MERCHANT) for orders in (100, 1000))
    assert (many > few).all()
    assert (np.diff(few) > 0).all()
    assert 0 < few.min() < many.max() < 1


def test_total_is_kept_whatever_the_credibility() -> None:
    """Equal firms: what the weighing takes from one it gives to others."""
    rng = np.random.default_rng(1)
    books = Books(Rule(memory_weeks=8.0, first_week=0, trust_orders=50.0))
    books.follow(Account.MERCHANT, np.ones(FIRMS))
    ledger = Ledger(FIRMS, 1, 1)
    world, account = ledger.account(Account.REST_OF_WORLD), ledger.account(Account.MERCHANT, np.arange(FIRMS))
    ledger.post(MoneyPurpose.SALE, world, account, rng.integers(0, 9000, FIRMS))
    books.learn(ledger, 500, WEEK)
    total = books.own(Account.MERCHANT).sum()
    assert books.expected(Account.MERCHANT).sum() == pytest.approx(total)


def test_noise_of_a_small_sample_is_not_taken_for_news() -> None:
    """Poisson receipts of one unbiased world: the spread of what firms expect falls far below that of their books."""
    rng = np.random.default_rng(2)
    books = Books(Rule(memory_weeks=8.0, first_week=0, trust_orders=200.0))
    books.follow(Account.MERCHANT, np.ones(FIRMS))
    ledger = Ledger(FIRMS, 1, 1)
    world, account = ledger.account(Account.REST_OF_WORLD), ledger.account(Account.MERCHANT, np.arange(FIRMS))
    orders = 0
    for week in range(1, 25):
        sold = rng.poisson(3.0, FIRMS)
        orders += int(sold.sum())
        ledger.post(MoneyPurpose.SALE, world, account, sold * 6000)
        books.learn(ledger, orders, week * WEEK)
    own, expected = books.own(Account.MERCHANT).sum(axis=1), books.result(Account.MERCHANT)
    assert expected.std() < 0.3 * own.std()


def test_loans_are_no_result_and_a_newcomer_starts_with_empty_books() -> None:
    books, ledger = keep(100, np.full(FIRMS, 1000), weeks=20)  # so long that credibility grows no more
    before = books.result(Account.MERCHANT)
    world, account = ledger.account(Account.REST_OF_WORLD), ledger.account(Account.MERCHANT, np.arange(FIRMS))
    ledger.post(MoneyPurpose.SALE, world, account, 1000)
    ledger.post(MoneyPurpose.LOAN, world, account, 99999)
    books.learn(ledger, 100 * 21, 21 * WEEK)
    assert np.allclose(books.result(Account.MERCHANT), before)
    books.forget(Account.MERCHANT, np.array([3]), ledger)
    assert books.own(Account.MERCHANT)[3].sum() == 0
    assert books.credibility(Account.MERCHANT)[3] == 0
    others = np.arange(FIRMS) != 3
    usual = 1000 * others.sum() / np.arange(1, FIRMS + 1)[others].sum()  # of the others, for each unit of size
    assert books.result(Account.MERCHANT)[3] == pytest.approx(4 * usual)


def test_firms_without_size_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        Books(Rule(memory_weeks=8.0, first_week=0, trust_orders=1.0)).follow(Account.STREAMER, np.zeros(3))
