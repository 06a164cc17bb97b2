from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.agents.payment_provider import make_providers
from sim.kinds import DAY_SECONDS, Event, Flag, MoneyState, Status
from sim.messages import Verdicts
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.ledger import Account
from sim.state.orders import IllegalMoveError

from .world import CARD, COD, DAY, ECONOMICS, PARTS, PAYMENTS, RULES, VOUCHER, WALLET, World

NOW = DAY * DAY_SECONDS
PAID = 5000 + 400 + 430 + 170 - 100  # what World.one's buyer pays


def quiet(**fields: object) -> object:
    """Payment parameters without fraud, default or failure, and with the given fields."""
    none = dict.fromkeys(PAYMENTS.card_refusal, 0.0)
    return PAYMENTS.model_copy(update={"fraud_chargeback": none, "instalment_default": none, **fields})


def world(**fields: object) -> World:
    return World(payments=quiet(**fields))  # type: ignore[arg-type]


def balances(one: World) -> dict[str, int]:
    kinds = (Account.HOUSEHOLD, Account.MERCHANT, Account.CHANNEL, Account.STREAMER, Account.MCN, Account.PROVIDER)
    return {kind.name: int(one.ledger.balance(kind).sum()) for kind in (*kinds, Account.ESCROW, Account.TREASURY)}


def test_a_card_order_pays_everybody_to_the_cent() -> None:
    one = world()
    seq = one.one(CARD)
    one.ship(seq)
    assert one.money(seq) == MoneyState.HELD
    assert one.ledger.balance(Account.ESCROW)[1] == 5400  # taxes have gone to the treasury
    one.say(Event.SETTLEMENT_DUE, seq, NOW + 10 * DAY_SECONDS)
    after = balances(one)
    assert after["HOUSEHOLD"] == -PAID
    assert after["CHANNEL"] == 400 - 100
    assert (after["STREAMER"], after["MCN"]) == (300, 200)
    assert after["TREASURY"] == 600
    assert after["PROVIDER"] == 180 + 65  # fee, and 1.2 % of 54.00 for exchange
    assert after["ESCROW"] == 0
    logistics = -one.ledger.result(Account.MERCHANT)[3, MoneyPurpose.LOGISTICS]
    assert after["MERCHANT"] == 5400 - 400 - 500 - 180 - 65 - logistics
    assert one.orders.free_finished() == 1
    one.check()


def test_cash_comes_in_at_the_door_and_taxes_are_advanced() -> None:
    one = world()
    seq = one.one(COD)
    one.say(Event.AUTHORISED, seq)
    assert balances(one)["HOUSEHOLD"] == 0
    one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
    one.say(Event.CLEARED, seq)
    assert balances(one)["MERCHANT"] == -600
    one.say(Event.DELIVERED, seq)
    one.move(seq, Status.DELIVERED)
    assert (one.money(seq), balances(one)["HOUSEHOLD"]) == (MoneyState.HELD, -PAID)
    one.check()
    one.say(Event.SETTLEMENT_DUE, seq)
    assert balances(one)["ESCROW"] == 0
    one.check()


def test_cash_refused_at_the_door_costs_the_seller_and_nobody_else() -> None:
    one = world()
    seq = one.one(COD)
    one.say(Event.AUTHORISED, seq)
    one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
    for kind in (Event.SHIPPED, Event.CLEARED, Event.REFUSED):
        one.say(kind, seq)
    one.move(seq, Status.REFUSED)
    after = balances(one)
    assert one.money(seq) == MoneyState.VOID
    assert after["HOUSEHOLD"] == after["CHANNEL"] == after["ESCROW"] == after["STREAMER"] == 0
    assert after["TREASURY"] == 430  # Germany gives the VAT back
    assert after["MERCHANT"] < -430
    assert one.orders.free_finished() == 1
    one.check()


@pytest.mark.parametrize("settled", [False, True])
def test_a_refund_reverses_the_exact_cents(settled: bool) -> None:
    one = world(fee_returned=1.0, vat_refunded=_all(1.0), duty_refunded=_all(1.0))
    seq = one.one(CARD)
    one.say(Event.AUTHORISED, seq)
    one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
    for kind in (Event.CLEARED, Event.DELIVERED):
        one.say(kind, seq)
    one.move(seq, Status.DELIVERED)
    spread = 0
    if settled:
        one.say(Event.SETTLEMENT_DUE, seq)
        spread = 65
    one.say(Event.REFUND_DUE, seq)
    after = balances(one)
    assert one.money(seq) == MoneyState.REFUNDED
    assert one.orders.refunded_cents[one.orders.row(np.array([seq]))] == PAID
    assert {name: cents for name, cents in after.items() if cents} == (
        {"MERCHANT": -spread, "PROVIDER": spread} if spread else {}
    )
    one.check()


def _all(value: float) -> dict[str, float]:
    return dict.fromkeys(PAYMENTS.card_refusal, value)


@pytest.mark.parametrize(
    ("country", "flags", "back"),
    [
        (2, 0, PAID - 430),  # Germany: outward freight back, VAT back, duty not
        (0, 0, PAID - 400 - 600),  # United States: neither freight nor taxes
        (0, int(Flag.DAMAGED), PAID),
        (0, int(Flag.GUARANTEED), PAID),
    ],
)
def test_who_only_changes_the_mind_bears_what_law_does_not_give_back(country: int, flags: int, back: int) -> None:
    one = world()
    seq = one.one(CARD, country=country, flags=flags)
    one.ship(seq)
    before = one.ledger.result(Account.HOUSEHOLD)[:, MoneyPurpose.LOGISTICS].sum()
    one.move(seq, Status.RETURNING)
    one.say(Event.RETURN_RECEIVED, seq, NOW + 9)
    one.move(seq, Status.RETURNED)
    kind = one.clock.due(1 << 60)
    assert Event.REFUND_DUE in kind.kind.tolist()
    one.say(Event.REFUND_DUE, seq, NOW + 99)
    row = one.orders.row(np.array([seq]))
    assert one.orders.refunded_cents[row] == back
    freight = before - one.ledger.result(Account.HOUSEHOLD)[:, MoneyPurpose.LOGISTICS].sum()
    assert (freight > 0) == (flags == 0)
    one.check()


def test_a_parcel_lost_after_clearance_is_refunded_in_full() -> None:
    one = world()
    seq = one.one(WALLET)
    one.say(Event.AUTHORISED, seq)
    one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
    for kind in (Event.SHIPPED, Event.CLEARED, Event.LOST):
        one.say(kind, seq)
    one.move(seq, Status.LOST)
    assert one.money(seq) == MoneyState.HELD
    due = one.clock.due(1 << 60)
    assert due.kind.tolist() == [Event.REFUND_DUE]
    assert due.time[0] == NOW + PAYMENTS.refund_hours * 3600
    one.settlement.apply(due, RULES)
    assert balances(one)["HOUSEHOLD"] == 0
    assert balances(one)["ESCROW"] == 0
    assert one.orders.free_finished() == 1
    one.check()


def test_a_cancelled_order_is_refunded_or_void() -> None:
    for method, state in ((CARD, MoneyState.REFUNDED), (COD, MoneyState.VOID)):
        one = world()
        seq = one.one(method)
        one.say(Event.AUTHORISED, seq)
        one.move(seq, Status.CANCELLED)
        one.settlement.cancel(np.array([seq]), np.array([NOW]), RULES)
        one.settlement.apply(one.clock.due(1 << 60), RULES)
        assert one.money(seq) == state
        assert balances(one)["HOUSEHOLD"] == balances(one)["ESCROW"] == 0


def test_a_failed_payment_moves_no_money() -> None:
    one = world()
    seq = one.one(VOUCHER)
    one.say(Event.AUTH_FAILED, seq)
    assert one.money(seq) == MoneyState.VOID
    assert not any(balances(one).values())
    assert one.orders.free_finished() == 1
    one.say(Event.AUTHORISED, seq)  # news about an order that has left the book is void
    one.check()


@pytest.mark.parametrize(("share", "refunded"), [(0.0, False), (1.0, True)])
def test_a_dispute_freezes_the_money_until_it_is_answered(share: float, refunded: bool) -> None:
    one = world(dispute_refund={"fault": share, "other": share}, dispute_to_chargeback=0.0)
    seq = one.one(CARD)
    one.ship(seq)
    yes, no = np.array([True]), np.array([False])
    one.clock.due(1 << 60)
    one.settlement.judge(Verdicts(np.array([seq]), np.array([NOW + 60]), np.zeros(1, np.float32), no, yes, no), RULES)
    assert one.money(seq) == MoneyState.FROZEN
    one.say(Event.SETTLEMENT_DUE, seq, NOW + 11 * DAY_SECONDS)
    assert one.money(seq) == MoneyState.FROZEN
    answer = one.clock.due(1 << 60)
    assert answer.kind.tolist() == [Event.DISPUTE_CLOSED]
    assert answer.time[0] == NOW + 60 + 48 * 3600
    one.say(Event.DISPUTE_CLOSED, seq, NOW + 12 * DAY_SECONDS)
    one.settlement.apply(one.clock.due(1 << 60), RULES)
    assert one.money(seq) == (MoneyState.REFUNDED if refunded else MoneyState.SETTLED)
    assert (balances(one)["HOUSEHOLD"] == 0) == refunded
    assert one.orders.free_finished() == 1
    one.check()


def test_a_lost_dispute_can_go_to_the_bank() -> None:
    one = world(dispute_refund={"fault": 0.0, "other": 0.0}, dispute_to_chargeback=1.0)
    seq = one.one(CARD)
    one.ship(seq)
    yes, no = np.array([True]), np.array([False])
    one.settlement.judge(Verdicts(np.array([seq]), np.array([NOW]), np.zeros(1, np.float32), no, yes, no), RULES)
    one.clock.due(1 << 60)
    one.say(Event.DISPUTE_CLOSED, seq, NOW + 12 * DAY_SECONDS)
    one.say(Event.SETTLEMENT_DUE, seq, NOW + 12 * DAY_SECONDS)
    assert one.money(seq) == MoneyState.SETTLED
    assert one.orders.free_finished() == 0  # the chargeback is still to come
    one.say(Event.CHARGEBACK, seq, NOW + 40 * DAY_SECONDS)
    assert one.money(seq) == MoneyState.CHARGED_BACK
    after = balances(one)
    assert after["HOUSEHOLD"] == after["ESCROW"] == after["STREAMER"] == after["MCN"] == after["CHANNEL"] == 0
    assert one.ledger.result(Account.PROVIDER)[CARD, MoneyPurpose.PAYMENT_FEE] == 180 + 1500
    assert one.orders.free_finished() == 1
    one.check()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_fraud_comes_back_as_a_chargeback_of_cards_only(share: float) -> None:
    one = world(fraud_chargeback=_all(share))
    seqs = [one.one(method) for method in range(6)]
    for seq in seqs:
        one.say(Event.AUTHORISED, seq)
    due = one.clock.due(1 << 60)
    assert due.order.tolist() == ([seqs[CARD]] if share else [])


def test_instalments_are_advanced_and_paid_back() -> None:
    for share, missing in ((0.0, False), (1.0, True)):
        one = world(instalment_default=_all(share), part_shares=(1.0,), part_counts=(4,))
        one.settlement.open_day(DAY, 1.0)
        seq = one.one(PARTS)
        one.say(Event.AUTHORISED, seq)
        assert one.ledger.balance(Account.ESCROW)[1] == PAID + 100
        first = PAID - 3 * (PAID // 4)
        assert balances(one)["HOUSEHOLD"] == -first
        for day in range(DAY + 1, DAY + 200):
            one.settlement.open_day(day, 1.0)
        assert one.settlement.instalments_due_cents == 0
        assert (balances(one)["HOUSEHOLD"] > -PAID) == missing
        one.check()


def test_small_orders_are_split_into_fewer_parts() -> None:
    one = world(part_shares=(1.0,), part_counts=(12,), least_part_usd=40.0)
    seq = one.one(PARTS)
    one.say(Event.AUTHORISED, seq)  # 59.00 USD: not even two parts of 40
    assert balances(one)["HOUSEHOLD"] == -PAID
    assert one.settlement.instalments_due_cents == 0


def test_wallet_money_follows_the_exchange_rate_and_card_money_does_not() -> None:
    for method, moved in ((WALLET, True), (CARD, False)):
        one = world()
        one.settlement.open_day(DAY, 10.0)
        seq = one.one(method)
        one.ship(seq)
        one.settlement.open_day(DAY + 10, 12.5)  # local money has lost a fifth
        one.say(Event.SETTLEMENT_DUE, seq, NOW + 10 * DAY_SECONDS)
        gain = int(one.ledger.balance(Account.REST_OF_WORLD)[0])
        assert gain == (1080 if moved else 0)
        one.check()


def test_an_outage_holds_up_approvals() -> None:
    down = np.zeros((20, 6))
    down[:, CARD] = 1
    one = world()
    one.rules = RULES.amend({"payment.outage": down})
    seq = one.one(CARD)
    assert one.say(Event.AUTHORISED, seq).size == 0
    later = one.clock.due(1 << 60)
    assert (later.kind.tolist(), later.time.tolist()) == ([Event.AUTHORISED], [NOW + DAY_SECONDS])
    one.rules = RULES
    assert one.settlement.apply(later, RULES).tolist() == [seq]
    assert one.money(seq) == MoneyState.HELD


@pytest.mark.parametrize(("share", "kind"), [(0.0, Event.AUTHORISED), (1.0, Event.AUTH_FAILED)])
def test_requests_are_approved_or_fail(share: float, kind: Event) -> None:
    methods = dict.fromkeys(PAYMENTS.method_failure, share)
    one = World(payments=PAYMENTS.model_copy(update={"card_refusal": _all(share), "method_failure": methods}))
    placed = one.place(one.intents(100))
    one.settlement.request(placed.order, RULES)
    due = one.clock.due(1 << 60)
    assert set(due.kind.tolist()) == {kind}
    assert sorted(due.order.tolist()) == placed.order.tolist()


def test_approval_takes_the_time_of_the_method() -> None:
    one = world()
    hours = {}
    for method in (CARD, VOUCHER):
        seqs = np.array([one.one(method, birth=number) for number in range(400)])
        one.settlement.request(seqs, RULES)
        hours[method] = np.median(one.clock.due(1 << 60).time - NOW) / 3600
    assert 0.24 < hours[CARD] < 0.32
    assert 24 < hours[VOUCHER] < 34


def test_an_event_that_contradicts_the_book_is_an_error() -> None:
    one = world()
    seq = one.one(CARD)
    one.orders.money[one.orders.row(np.array([seq]))] = MoneyState.HELD
    with pytest.raises(IllegalMoveError, match="AUTHORISED contradicts"):
        one.say(Event.AUTHORISED, seq)


def test_all_orders_close_and_the_escrow_is_empty() -> None:
    one = World()
    one.history(250, 160)
    assert one.orders.open_count == 0
    assert not one.ledger.balance(Account.ESCROW).any()
    assert one.orders.finished.sum() == one.orders.appended


def test_one_six_or_twenty_four_batches_a_day_give_the_same_accounts() -> None:
    worlds = []
    for batches in (1, 6, 24):
        one = World()
        one.history(60, 70, batches)
        worlds.append(one)
    for other in worlds[1:]:
        assert np.array_equal(other.ledger.balances, worlds[0].ledger.balances)
        assert np.array_equal(other.ledger.results, worlds[0].ledger.results)
        assert np.array_equal(other.orders.finished, worlds[0].orders.finished)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), fates=st.integers(0, 1000), orders=st.integers(0, 40))
def test_money_and_orders_are_conserved_whatever_happens(seed: int, fates: int, orders: int) -> None:
    one = World(seed)
    one.history(orders, 45, fates=fates)  # check() runs every day inside


def test_providers_know_their_terms_and_their_results() -> None:
    from mesa import Model

    one = world()
    providers = make_providers(Model(rng=1), PAYMENTS, one.ledger)
    seq = one.one(CARD)
    one.say(Event.AUTHORISED, seq)
    card = providers[CARD]
    assert (card.method, card.fees_cents, card.balance_cents, card.outstanding_cents) == ("card", 180, 180, 0)
    terms = card.terms("DE", RULES)
    assert terms.works
    assert terms.fee_rate == pytest.approx(0.03)
    assert terms.approval_hours == pytest.approx(0.272)
    with pytest.raises(ValueError):
        card.terms("XX", Rules.neutral())


SERVICE = 150


def test_the_channel_gets_its_service_fee_with_the_payout() -> None:
    results = []
    for fee in (0, SERVICE):
        one = world()
        seq = one.one(CARD, service_cents=fee)
        one.ship(seq)
        assert one.ledger.balance(Account.ESCROW)[1] == 5400 + fee
        one.say(Event.SETTLEMENT_DUE, seq, NOW + 10 * DAY_SECONDS)
        one.check()
        results.append(balances(one))
        assert one.ledger.result(Account.CHANNEL)[1, MoneyPurpose.SERVICE_FEE] == fee
    moved = {name: results[1][name] - results[0][name] for name in results[0]}
    assert moved == {name: {"HOUSEHOLD": -SERVICE, "CHANNEL": SERVICE}.get(name, 0) for name in moved}


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(("flags", "kept"), [(0, SERVICE), (int(Flag.DAMAGED), 0)])
def test_a_service_fee_is_paid_back_unless_the_buyer_only_changed_the_mind(
    settled: bool, flags: int, kept: int
) -> None:
    one = world(fee_returned=1.0, vat_refunded=_all(1.0), duty_refunded=_all(1.0), outbound_freight_refunded=_all(1.0))
    seq = one.one(CARD, service_cents=SERVICE, flags=flags)
    one.say(Event.AUTHORISED, seq)
    one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
    for kind in (Event.CLEARED, Event.DELIVERED):
        one.say(kind, seq)
    one.move(seq, Status.DELIVERED)
    if settled:
        one.say(Event.SETTLEMENT_DUE, seq)
    spread = 65 if settled else 0
    one.say(Event.REFUND_DUE, seq)
    assert one.orders.refunded_cents[one.orders.row(np.array([seq]))] == PAID + SERVICE - kept
    after = {name: cents for name, cents in balances(one).items() if cents}
    expected = {"HOUSEHOLD": -kept, "CHANNEL": kept, "MERCHANT": -spread, "PROVIDER": spread}
    assert after == {name: cents for name, cents in expected.items() if cents}
    one.check()


@pytest.mark.parametrize("premium", [0.0, 0.01, 0.1])
def test_only_who_insures_pays_premiums_and_gets_back_what_is_lost(premium: float) -> None:
    terms = ECONOMICS.model_copy(update={"insurance_premium": premium, "insurance_cover": 0.8})
    for insured in (0, 1):
        for fate in (Event.LOST, Event.DELIVERED):
            one = World(payments=quiet(), economics=terms)  # type: ignore[arg-type]
            one.catalogue.insured[:] = insured
            seq = one.one(CARD)
            one.say(Event.AUTHORISED, seq)
            one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
            for kind in (Event.SHIPPED, fate):
                one.say(kind, seq)
            result = one.ledger.result(Account.MERCHANT)[3]
            assert result[MoneyPurpose.PREMIUM] == -insured * round(premium * 5000)
            assert result[MoneyPurpose.CLAIM] == (insured * 4000 if fate == Event.LOST else 0)
            one.ledger.check()


def taxed() -> tuple[object, Rules]:
    """Every parcel is taxed: duty 10 %, tax 20 %, nothing free."""
    free = {"tariff.de_minimis_usd": 0.0, "tax.de_minimis_usd": 0.0}
    rules = RULES.amend({**free, "tariff.duty_rate": 0.1, "tax.vat_rate": 0.2})
    return quiet(), rules


@pytest.mark.parametrize(("found", "seized"), [(False, False), (True, False), (True, True)])
def test_an_understatement_that_is_found_out_costs_the_seller_taxes_and_fine(found: bool, seized: bool) -> None:
    payments, rules = taxed()
    one = World(payments=payments, rules=rules)  # type: ignore[arg-type]
    one.catalogue.understated_permille[7, 2] = 500
    flags = int(Flag.FOUND_OUT) if found else 0
    seq = one.one(CARD, duty_cents=290, vat_cents=638, flags=flags)  # on 25.00 of goods and 4.00 of freight
    one.say(Event.AUTHORISED, seq)
    one.move(seq, Status.RELEASED, Status.IN_TRANSIT)
    one.say(Event.SHIPPED, seq)
    before = one.ledger.result(Account.MERCHANT)[3].copy()
    one.say(Event.SEIZED if seized else Event.CLEARED, seq)
    paid = before - one.ledger.result(Account.MERCHANT)[3]
    evaded = (540 - 290) + (1188 - 638)
    assert paid[MoneyPurpose.FINE] == (round(PAYMENTS.misdeclared_penalty * evaded) if found else 0)
    owed = evaded if found and not seized else 0
    assert paid[MoneyPurpose.TARIFF] + paid[MoneyPurpose.VAT] == owed
    one.ledger.check()


def test_units_in_one_parcel_owe_more_and_units_in_several_cost_more_postage() -> None:
    rules = RULES.amend({"tariff.de_minimis_usd": 60.0, "tariff.duty_rate": 0.5, "tax.de_minimis_usd": np.nan})
    parts = {"goods_cents": 10_000, "freight_cents": 800, "duty_cents": 0, "vat_cents": 0, "quantity": 2}
    paid = {}
    for name, flags, postage in (("free", 0, 0), ("joined", 0, 300), ("divided", Flag.DIVIDED, 300)):
        one = World(payments=quiet(), rules=rules)  # type: ignore[arg-type]
        one.catalogue.postage_cents[:] = postage
        seq = one.one(CARD, flags=int(flags), **parts)
        one.ship(seq)
        paid[name] = -one.ledger.result(Account.MERCHANT)[3]
        one.ledger.check()
    assert paid["free"][MoneyPurpose.TARIFF] == paid["divided"][MoneyPurpose.TARIFF] == 0
    assert paid["joined"][MoneyPurpose.TARIFF] == 5400  # half of goods and freight
    assert paid["free"][MoneyPurpose.LOGISTICS] == paid["joined"][MoneyPurpose.LOGISTICS]
    assert 1.5 < paid["divided"][MoneyPurpose.LOGISTICS] / paid["free"][MoneyPurpose.LOGISTICS] <= 2.0
