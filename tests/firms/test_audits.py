"""Audits: who is found, what it costs, what the risk makes of claims, labels and counterfeits; habits at rest."""

from __future__ import annotations

from functools import cache

import mesa
import numpy as np
import pytest

from sim.agents.channel import Instruments
from sim.agents.regulator import (
    TOPICS,
    audit_chance,
    believed_hazard,
    counterfeit_share,
    labels,
    make_regulators,
)
from sim.config import load
from sim.firms.audits import Audits
from sim.kinds import N_CHANNELS, N_COUNTRIES, N_PLATFORMS
from sim.record.schema import N_CELLS, MoneyPurpose
from sim.rules import Rules
from sim.state.habits import Habits, habit_step
from sim.state.ledger import Account
from tests.supply.world import DAY, group, make


@cache
def baseline() -> Rules:
    return Rules.baseline(load())


def watched(
    rules: Rules, days: int = 28, revenue: bool = True, response: float = 50.0, **decide: bool
) -> tuple[Audits, object]:
    """Audits over some weeks in which hosts, merchants and platforms have an income."""
    supply = group("supply")
    supply = supply.model_copy(
        update={
            "decide": supply.decide.model_copy(update=decide),
            "audits": supply.audits.model_copy(update={"counterfeit_response": response}),
        }
    )
    world = make(rules=rules, supply=supply)
    ledger = world.ledger
    audits = Audits(world.cfg, world.draws, world.catalogue, world.streamers, Instruments.neutral(), baseline())
    for day in range(DAY, DAY + days):
        audits.brief(rules)
        air = world.supply.schedule(rules, day)
        if revenue:
            buyers = ledger.household(0, 1)
            ledger.post(MoneyPurpose.SALE, buyers, ledger.account(Account.MERCHANT, np.arange(10)), 1_000_000)
            ledger.post(MoneyPurpose.HOST_COMMISSION, buyers, ledger.account(Account.STREAMER, np.arange(10)), 100_000)
            ledger.post(MoneyPurpose.COMMISSION, buyers, ledger.account(Account.CHANNEL, np.arange(8)), 50_000)
        audits.audit(rules, day, air, ledger)
    return audits, world


def strict(**leaves: float) -> Rules:
    return baseline().amend({path.replace("__", "."): value for path, value in leaves.items()})


# -- formulas ----------------------------------------------------------------------------------------------------------
def test_a_hazard_becomes_a_chance() -> None:
    assert audit_chance(0.0, 7.0) == 0.0
    assert audit_chance(0.365, 1.0) == pytest.approx(0.001)
    assert audit_chance(1e6, 1.0) == 1.0


def test_beliefs_lie_between_what_was_announced_and_what_was_seen() -> None:
    assert believed_hazard(0.05, 0.0, 0.0, 200.0) == pytest.approx(0.05)
    assert believed_hazard(0.05, 10.0, 200.0, 200.0) == pytest.approx(0.05)
    assert 0.0 < believed_hazard(0.05, 0.0, 200.0, 200.0) < 0.05 < believed_hazard(0.05, 30.0, 200.0, 200.0) < 0.15
    assert believed_hazard(0.05, 30.0, 200.0, 1e-9) == pytest.approx(0.15)


def test_labels_rest_at_the_base_year_and_follow_duty_and_fine() -> None:
    lottery = (np.arange(10_000) + 0.5) / 10_000

    def share(covered: float, penalty: float) -> float:
        return float(labels(lottery, 0.4, covered, penalty, 0.004, 0.5, 0.01).mean())

    assert share(0.4, 0.004) == pytest.approx(0.4)
    assert share(0.4, 0.0021) == pytest.approx(0.4)
    assert share(0.4, 0.001) == pytest.approx(0.2)
    assert share(0.4, 0.0) == 0.0
    assert share(0.2, 0.004) == pytest.approx(0.2)
    by_duty = [share(covered, 0.004) for covered in (0.4, 0.5, 0.7, 1.0)]
    assert by_duty == sorted(by_duty)
    by_fine = [share(1.0, penalty) for penalty in (0.0, 0.001, 0.004, 0.02, 10.0)]
    assert by_fine == sorted(by_fine)
    assert by_fine[2] == pytest.approx(0.4 + 0.6 * (1.0 - np.exp(-0.4)), abs=1e-3)
    assert by_fine[-1] == pytest.approx(1.0)


def test_counterfeits_rest_and_fall_with_the_fine() -> None:
    usual, before = np.array([0.1]), np.array([0.004])
    shares = [counterfeit_share(usual, 50.0, np.array([fine]), before)[0] for fine in (0.0, 0.004, 0.02, 0.1)]
    assert shares == sorted(shares, reverse=True)
    assert shares[1] == pytest.approx(0.1)
    assert counterfeit_share(usual, 0.0, np.array([9.0]), before)[0] == pytest.approx(0.1)


# -- the decider -------------------------------------------------------------------------------------------------------
def test_switched_off_nobody_is_audited_and_everybody_complies() -> None:
    rules = strict(disclosure__coverage=1.0, claims__audit_hazard=50.0, claims__fine_share=0.5)
    audits, world = watched(rules, audits=False)
    assert not audits.found.any()
    assert not world.streamers.unlabelled.any()
    assert not world.streamers.penalty_gap.any()


def test_without_hazard_nobody_is_fined() -> None:
    audits, _ = watched(strict(**{f"{topic}__audit_hazard": 0.0 for topic in TOPICS}))
    assert not audits.found.any()
    assert not audits.fines.any()


def test_the_more_audits_the_more_fines_and_the_treasury_has_what_firms_paid() -> None:
    found = []
    for hazard in (0.05, 1.0, 10.0):
        audits, world = watched(strict(**{f"{topic}__audit_hazard": hazard for topic in TOPICS}))
        fine = int(MoneyPurpose.FINE)
        paid = sum(-int(world.ledger.result(kind)[:, fine].sum()) for kind in Account if kind != Account.TREASURY)
        assert paid == int(world.ledger.result(Account.TREASURY)[:, fine].sum()) == int(audits.fines.sum())
        found.append(audits.found.sum(axis=1))
    privacy = TOPICS.index("privacy")  # hosts and merchants who fear audits leave less to find
    assert found[0][privacy] < found[1][privacy] < found[2][privacy]


def test_merchants_who_reckon_with_audits_have_nothing_left_to_find() -> None:
    rules, product = strict(product__audit_hazard=10.0), TOPICS.index("product")
    careless, _ = watched(rules, response=0.0)
    careful, world = watched(rules)
    assert careless.found[product].sum() > 20 > careful.found[product].sum()
    assert world.catalogue.authenticity.mean() > 1.0 - careless._usual_fakes.mean()


def test_a_fine_is_a_share_of_revenue() -> None:
    often = {f"{topic}__audit_hazard": 5.0 for topic in TOPICS}
    small, _ = watched(strict(**often, product__fine_share=0.02), response=0.0)
    large, _ = watched(strict(**often, product__fine_share=0.04), response=0.0)
    product = TOPICS.index("product")
    assert large.fines[product].sum() == pytest.approx(2 * small.fines[product].sum(), rel=1e-3)
    assert small.fines[product].sum() > 0
    none, _ = watched(strict(**often), revenue=False)
    assert none.found.any()
    assert not none.fines[TOPICS.index("claims")].any()


def test_at_rest_labels_stay_and_penalties_stay_near_the_laws() -> None:
    audits, world = watched(baseline(), days=60)
    assert world.streamers.unlabelled.mean() < 0.01
    law = baseline().claims.expected_penalty[world.streamers.country]
    assert np.abs(world.streamers.penalty_gap).max() < 0.5 * law.max()
    assert np.abs(1.0 - world.catalogue.authenticity.mean() - audits._usual_fakes.mean()) < 0.01


def test_a_wider_duty_is_kept_by_some_and_by_more_where_the_fine_is_high() -> None:
    shares = []
    for fine in (0.01, 0.08, 0.8):
        rules = strict(disclosure__coverage=1.0, disclosure__fine_share=fine)
        _, world = watched(rules, days=2)
        shares.append(1.0 - world.streamers.unlabelled.mean())
        air = world.supply.schedule(rules, DAY + 3)
        hidden = world.streamers.unlabelled[air.streamer] == 1
        assert np.array_equal(air.disclosed == 0, hidden)
    assert baseline().disclosure.coverage.mean() - 0.2 < shares[0] < shares[1] < shares[2]


def test_moderation_and_belief_enter_claims() -> None:
    sizes = []
    for effort in (0.2, 1.0, 5.0):
        rules = strict(claims__moderation=effort)
        _, world = watched(rules, days=1)
        sizes.append(float(world.supply.schedule(rules, DAY + 1).exaggeration.mean()))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


def test_regulators_read_the_law_and_the_ledger() -> None:
    audits, world = watched(strict(claims__audit_hazard=10.0))
    regulators = make_regulators(mesa.Model(), world.ledger)
    assert regulators[0].audits_a_year(strict(claims__audit_hazard=10.0), "claims") == 10.0
    assert regulators[0].expected_penalty(baseline()) == pytest.approx(0.004)
    assert regulators[-1].expected_penalty(baseline()) == 0.0
    collected = sum(regulator.revenue_cents for regulator in regulators)
    assert collected >= audits.fines.sum() > 0
    with pytest.raises(ValueError, match="no topic"):
        regulators[0].audits_a_year(baseline(), "noise")


# -- reliefs -----------------------------------------------------------------------------------------------------------
def test_relief_pays_back_a_share_of_compliance_to_the_class_it_names() -> None:
    paid = []
    for share in (0.0, 0.25, 0.5):
        rules = strict().amend({"relief.compliance": np.array([share, 0.0])})
        world = make(rules=rules)
        for weekday in range(7):
            world.adaptation._pay_merchants(rules, weekday, world.ledger)
        got = world.ledger.result(Account.MERCHANT)[:, int(MoneyPurpose.SUBSIDY)]
        assert not got[world.catalogue.seller_class == 1].any()
        assert got.sum() == -world.ledger.result(Account.TREASURY_CN)[0, int(MoneyPurpose.SUBSIDY)]
        paid.append(int(got.sum()))
    assert paid[0] == 0
    assert paid[2] == pytest.approx(2 * paid[1], rel=1e-2)
    assert paid[1] > 0


# -- habits ------------------------------------------------------------------------------------------------------------
def used(first: float, second: float, scale: float = 1.0) -> np.ndarray:
    cells = np.zeros((N_COUNTRIES, N_CHANNELS, N_CELLS // N_COUNTRIES // N_CHANNELS), np.int64)
    cells[:, 0, 0], cells[:, 1, 0] = round(first * scale), round(second * scale)
    return cells.reshape(-1)


def habits(response: float, before: tuple[float, float], after: tuple[float, float], scale: float = 1.0) -> Habits:
    usual = np.zeros((N_COUNTRIES, N_PLATFORMS))
    usual[:, :2] = 0.5
    rule = group("supply").platforms.model_copy(update={"habit_response": response})
    one = Habits(rule, True, usual, 0, 60)
    none = np.zeros(N_CELLS, np.int64)
    for day in range(60):
        one.learn(used(*before, scale), none, day)
    for day in range(60, 400):
        one.learn(used(*after, scale), none, day)
    return one


def test_habits_rest_where_use_does_and_follow_where_it_moves() -> None:
    assert np.abs(habits(0.3, (700, 300), (700, 300)).shift).max() < 1e-6
    assert not habits(0.0, (700, 300), (300, 700)).shift.any()
    moved = habits(0.3, (500, 500), (800, 200)).shift
    assert (moved[:, 0] > 0.05).all()
    assert (moved[:, 1] < -0.1).all()
    assert not moved[:, 2:].any()
    assert (np.abs(habits(0.6, (500, 500), (800, 200)).shift[:, :2]) > np.abs(moved[:, :2])).all()


def test_few_visits_teach_little() -> None:
    small, large = (np.abs(habits(0.3, (500, 500), (800, 200), scale).shift).max() for scale in (0.01, 10.0))
    assert small < 0.3 * large


def test_a_step_of_habit_is_slow() -> None:
    share, first = np.array([[0.6]]), np.array([[0.3]])
    one = habit_step(np.zeros((1, 1)), share, first, 0.3, 60.0)
    assert one[0, 0] == pytest.approx(0.3 * np.log(2.0) / 60.0, rel=1e-5)
