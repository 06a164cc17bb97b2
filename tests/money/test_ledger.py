from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.record.schema import FLOW_GROUPS, MoneyPurpose
from sim.state.ledger import Account, Ledger


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(3, 4, 2, seller_class=[0, 1, 1], streamer_tier=[0, 1, 2, 2])


def test_a_posting_moves_cents_and_leaves_the_sum_at_zero(ledger: Ledger) -> None:
    payer, payee = ledger.household(2, 1), ledger.account(Account.MERCHANT, 2)
    ledger.post(MoneyPurpose.SALE, payer, payee, 1234)
    assert ledger.balance(Account.HOUSEHOLD)[7] == -1234
    assert ledger.balance(Account.MERCHANT).tolist() == [0, 0, 1234]
    assert ledger.result(Account.MERCHANT)[2, MoneyPurpose.SALE] == 1234
    purpose, who, whom, cents = ledger.flows_today()
    assert (purpose.tolist(), cents.tolist()) == ([MoneyPurpose.SALE], [1234])
    assert (FLOW_GROUPS[who[0]], FLOW_GROUPS[whom[0]]) == ("households/DE/middle", "merchants/large")
    ledger.check()


def test_nothing_and_negative_amounts(ledger: Ledger) -> None:
    one, two = ledger.account(Account.CHANNEL, 1), ledger.account(Account.MCN, 0)
    ledger.post(MoneyPurpose.WAGE, one, two, 0)
    assert ledger.flows_today()[3].size == 0
    ledger.post(MoneyPurpose.WAGE, one, two, -5)  # is paid back
    assert ledger.balance(Account.CHANNEL)[1] == 5
    assert ledger.flows_today()[3].tolist() == [5]
    ledger.post(MoneyPurpose.WAGE, [], [], np.zeros(0, np.int64))
    ledger.check()


def test_a_new_day_forgets_flows_and_keeps_balances(ledger: Ledger) -> None:
    one, two = ledger.account(Account.TREASURY, 3), ledger.account(Account.REST_OF_WORLD)
    ledger.post(MoneyPurpose.FINE, one, two, [1, 2, 3])
    ledger.open_day()
    assert ledger.flows_today()[3].size == 0
    ledger.post(MoneyPurpose.FINE, one, two, 7)
    assert ledger.flows_today()[3].tolist() == [7]
    assert ledger.balance(Account.TREASURY)[3] == -13


def test_endowments_are_neither_flow_nor_result(ledger: Ledger) -> None:
    ledger.endow(ledger.account(Account.MERCHANT, [0, 1]), [100, 50])
    assert ledger.balance(Account.REST_OF_WORLD).tolist() == [-150]
    assert not ledger.result(Account.MERCHANT).any()
    ledger.check()


def test_streamers_can_change_the_tier_under_which_they_are_reported(ledger: Ledger) -> None:
    ledger.regroup(Account.STREAMER, [2, 2, 2, 0])
    ledger.post(
        MoneyPurpose.HOST_COMMISSION, ledger.account(Account.MERCHANT, 0), ledger.account(Account.STREAMER, 3), 9
    )
    assert FLOW_GROUPS[ledger.flows_today()[2][0]] == "streamers/head"
    with pytest.raises(ValueError):
        ledger.regroup(Account.CARRIER, 0)


def test_faults_are_refused(ledger: Ledger) -> None:
    one = ledger.account(Account.MERCHANT, 0)
    with pytest.raises(ValueError, match="whole cents"):
        ledger.post(MoneyPurpose.SALE, one, one, 1.5)
    with pytest.raises(ValueError, match="length"):
        ledger.post(MoneyPurpose.SALE, [1, 2], [1, 2, 3], 1)
    with pytest.raises(ValueError, match="no such account"):
        ledger.post(MoneyPurpose.SALE, one, 10_000, 1)
    ledger.balances[0] += 1
    with pytest.raises(AssertionError, match="not conserved"):
        ledger.close_daypart()
    ledger.balances[1] -= 1
    with pytest.raises(AssertionError, match="differs"):
        ledger.check()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 21), st.integers(0, 120), st.integers(0, 120), st.integers(-(10**9), 10**9))))
def test_money_is_conserved_and_the_cut_into_batches_does_not_matter(rows: list[tuple[int, int, int, int]]) -> None:
    single, bulk = Ledger(3, 4, 2), Ledger(3, 4, 2)
    table = np.array(rows, np.int64).reshape(-1, 4)
    for purpose in range(22):
        part = table[table[:, 0] == purpose]
        bulk.post(MoneyPurpose(purpose), part[:, 1], part[:, 2], part[:, 3])
        for _, payer, payee, cents in part.tolist():
            single.post(MoneyPurpose(purpose), payer, payee, cents)
    single.check()
    bulk.check()
    assert np.array_equal(single.balances, bulk.balances)
    assert np.array_equal(single.results, bulk.results)
    for left, right in zip(single.flows_today(), bulk.flows_today(), strict=True):
        assert np.array_equal(left, right)
