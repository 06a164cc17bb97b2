"""Agencies decide: bargaining, contracts, grades, lessons, traffic and fakes; nothing moves at rest."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.mcn import fakes_bought, nash_cut, pay_grade, power_behind, shifted, traffic_bought
from sim.firms.agencies import Agencies
from sim.kinds import NO_STREAMER
from tests.firms.test_careers import DAY, RULES, change, columns, world  # noqa: F401  (a fixture)

QUARTER = 7 * 13


@pytest.fixture
def office(world):  # noqa: F811
    base = world.base
    world.agencies = Agencies(
        base.cfg, base.draws, base.catalogue, world.hosts, base.adaptation.agency_cuts, world.careers
    )
    world.agencies.settle(RULES)
    return world


def quarter(office, rules=RULES, start=DAY + 35) -> None:
    for day in range(start, start + QUARTER):
        office.agencies.bargain(rules, day)


def set_rule(office, **changed) -> None:
    office.agencies.rule = office.agencies.rule.model_copy(update=changed)


# -- the formulas ----------------------------------------------------------------------------------------------------
def test_the_nash_cut_shares_what_is_gained():
    assert nash_cut(1.5, 0.5, 0.0) == pytest.approx(0.5 / 2.5)  # the cost alone
    assert nash_cut(1.5, 0.5, 1.0) == pytest.approx(1.5 / 2.5)  # all of the gain
    assert nash_cut(1.5, 0.5, 0.2) < nash_cut(1.5, 0.5, 0.5) < nash_cut(1.5, 0.5, 0.8)
    assert nash_cut(1.5, 0.5, 0.5) > nash_cut(1.5, 0.3, 0.5)
    # against the definition: the cut that maximises the product of gains
    cuts = np.linspace(0.01, 0.99, 9801)
    product = np.maximum((1 - cuts) * 2.5 - 1, 0) ** 0.4 * np.maximum(cuts * 2.5 - 0.5, 0) ** 0.6
    assert cuts[product.argmax()] == pytest.approx(nash_cut(1.5, 0.5, 0.6), abs=2e-4)
    assert nash_cut(0.2, 0.5, 0.9) == pytest.approx(0.5 / 1.2)  # nothing to share


def test_power_is_what_explains_a_cut():
    cuts = np.linspace(0.3, 0.5, 9)
    cost = 0.7 * cuts * 2.5
    power = power_behind(cuts, 1.5, cost)
    assert ((power > 0) & (power < 1)).all()
    assert nash_cut(1.5, cost, power) == pytest.approx(cuts)
    assert shifted(0.4, 0.0) == 0.4
    assert shifted(0.4, -1.0) < 0.4 < shifted(0.4, 1.0) < 1
    assert (shifted(np.array([0.0, 1.0]), 2.0) == [0.0, 1.0]).all()


def test_traffic_follows_worth():
    assert traffic_bought(1.0, 1.0, 1.5, 3.0) == 1
    assert traffic_bought(1.0, 0.0, 1.5, 3.0) == 0
    assert traffic_bought(1.0, 0.5, 1.5, 3.0) < 1 < traffic_bought(1.0, 1.4, 1.5, 3.0)
    assert traffic_bought(1.0, 9.0, 1.5, 3.0) == 3
    assert traffic_bought(0.0, 1.4, 1.5, 3.0) == 0
    assert traffic_bought(0.0, 1.6, 1.5, 3.0) == 1


def test_fakes_fall_with_detection_and_penalty_and_rise_with_worth():
    def fakes(rest=1.5, worth=1.0, found=0.2, margin=0.5, penalty=2.0):
        return float(fakes_bought(rest, worth, found, 0.2, margin, penalty, 4.0))

    assert fakes() == pytest.approx(1.5)
    assert fakes(found=1.0) == 0
    assert fakes(found=0.4) < fakes(found=0.3) < fakes() < fakes(found=0.1)
    assert fakes(found=0.3, penalty=5.0) < fakes(found=0.3)
    assert fakes(worth=0.8) < fakes() < fakes(worth=1.2)
    assert fakes(rest=0.0) == 0 == fakes(rest=0.0, worth=1.4)
    assert fakes(rest=0.0, worth=1.6) > 0
    assert fakes(rest=0.0, worth=1.6, margin=1.0) == 0


def test_grades_are_steps():
    assert pay_grade(0.29, 0.3, 0.1) == 1
    assert pay_grade(0.31, 0.3, 0.1) == pytest.approx(0.9)
    assert pay_grade(-0.61, 0.3, 0.1) == pytest.approx(1.2)
    assert pay_grade(9.0, 0.3, 0.0) == 1
    assert pay_grade(9.0, 0.3, 0.1) == pytest.approx(0.7)


# -- decisions -------------------------------------------------------------------------------------------------------
def test_at_rest_no_contract_changes(office):
    before, cuts = columns(office), office.agencies.cuts.copy()
    quarter(office)
    assert [name for name in before if not np.array_equal(before[name], office.hosts[name])] == []
    assert np.allclose(office.agencies.cuts, cuts, atol=1e-6)
    assert ((cuts >= 0.3 - 1e-6) & (cuts <= 0.5 + 1e-6)).all()


def test_more_power_takes_more_and_loses_hosts(office):
    cuts = office.agencies.cuts.copy()
    signed = int((office.hosts.agency != NO_STREAMER).sum())
    set_rule(office, power_shift=3.0)
    quarter(office)
    assert (office.agencies.cuts > cuts).all()
    quarter(office, start=DAY + 35 + QUARTER)
    assert office.agencies.left > 0
    assert (office.hosts.agency != NO_STREAMER).sum() < signed
    of = office.hosts.agency[office.hosts.agency != NO_STREAMER]
    assert office.base.catalogue.agency_permille[office.hosts.agency == NO_STREAMER].max() == 0
    assert of.size


def test_less_power_takes_less_and_wins_hosts(office):
    cuts = office.agencies.cuts.copy()
    set_rule(office, power_shift=-3.0)
    quarter(office)
    assert (office.agencies.cuts < cuts).all()
    quarter(office, start=DAY + 35 + QUARTER)
    assert office.agencies.left == 0
    assert office.agencies.signed > 0


def test_detection_ends_fakes_and_lowers_what_an_agency_brings(office):
    faking = np.flatnonzero(office.agencies.bots > 0)
    if not faking.size:
        office.agencies.bots[0] = office.agencies._bots_rest[0] = 1.5
        faking = np.array([0])
    honest = np.flatnonzero(office.agencies.bots == 0)
    office.hosts.agency[:10] = faking[0]
    office.hosts.bots[:10] = 1.5
    cuts = office.agencies.cuts.copy()
    quarter(office, RULES.amend({"exposure.bot_detection": 0.95}))
    assert (office.agencies.bots[faking[:1]] == 0).all()
    assert (office.hosts.bots[office.hosts.agency == faking[0]] == 0).all()
    roster = np.flatnonzero(office.hosts.agency == faking[0])
    lift, usual = office.agencies.lift(int(faking[0]), roster, RULES), office.agencies.rule.lift
    assert lift < usual
    # both sides lose; the cut itself may rise, since costs stay
    after, before = office.agencies.cuts[faking[0]], cuts[faking[0]]
    assert (after * (1 + lift) < before * (1 + usual)).all()
    assert ((1 - after) * (1 + lift) < (1 - before) * (1 + usual)).all()
    assert np.allclose(office.agencies.cuts[honest], cuts[honest], atol=1e-6)


def test_traffic_that_moves_less_lowers_what_an_agency_brings(office):
    buying = int(np.flatnonzero(office.agencies.traffic > 0)[0])
    honest = int(np.flatnonzero(office.agencies.bots + office.agencies.traffic == 0)[0])
    roster = np.arange(10)
    usual = office.agencies.rule.lift
    dear = RULES.amend({"exposure.traffic_price": 2.0})
    weightless = RULES.amend({"exposure.traffic_weight": 0.0})
    assert office.agencies.lift(buying, roster, RULES) == pytest.approx(usual)
    assert office.agencies.lift(buying, roster, weightless) < office.agencies.lift(buying, roster, dear) < usual
    assert office.agencies.lift(honest, roster, weightless) == pytest.approx(usual)


def test_poor_hosts_are_let_go_and_taught_less(office):
    office.careers.fame[:] = office.careers._rest["fame"]
    change(office, 0.75)
    quarter(office)
    signed = office.hosts.agency != NO_STREAMER
    assert office.agencies.released == 0
    assert (office.hosts.training[signed] < 0).all()
    change(office, 0.2, days=200)
    quarter(office, start=DAY + 35 + QUARTER)
    assert office.agencies.released > 0
    gone = np.flatnonzero(~(office.hosts.agency != NO_STREAMER) & signed)
    assert (office.hosts.training[gone] == 0).all()
    assert (office.hosts.traffic[gone] == 0).all()
