"""The formulas of consumer behaviour, one by one: at nothing, at all, and in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.kernels import behaviour
from sim.state.consumers import behaviour_record
from tests.consumer.market import BEHAVIOUR

F = np.float32


@pytest.fixture(scope="module")
def param() -> Any:
    return behaviour_record(BEHAVIOUR)[0]


def f32(*values: float) -> tuple[np.float32, ...]:
    return tuple(F(value) for value in values)


def test_needs_come_back_in_a_line() -> None:
    assert behaviour.need_level(F(0), F(0.1)) == 0
    assert behaviour.need_level(F(5), F(0.1)) == 0.5
    assert behaviour.need_level(F(10), F(0.1)) == behaviour.need_level(F(1000), F(0.1)) == 1
    assert behaviour.need_level(F(10), F(0)) == 0


def test_a_session_turns_to_interests_more_so_when_needed() -> None:
    assert behaviour.focus_weight(F(0), F(1), F(0.2)) == 0
    assert 0 < behaviour.focus_weight(F(1), F(0), F(0.2)) < behaviour.focus_weight(F(1), F(0.5), F(0.2))
    for floor in (0.2, 0.5):
        ratio = behaviour.focus_weight(F(1), F(1), F(floor)) / behaviour.focus_weight(F(1), F(0), F(floor))
        assert ratio == pytest.approx((1 + floor) / floor)


def test_discoveries_and_spending_are_forgotten_exponentially(param: Any) -> None:
    assert behaviour.freshness(param, F(0)) == 1
    days = F(param.trust_discovery_days)
    assert behaviour.freshness(param, days) == pytest.approx(np.exp(-1), rel=1e-6)

    def left(days: float) -> float:
        return behaviour.left_to_spend(F(5000), F(2000), F(behaviour.still_minded(param, F(days))))

    assert left(0) == pytest.approx(30)
    month = float(param.budget_memory_days)
    assert left(month) == pytest.approx(50 - 20 * np.exp(-1), rel=1e-6)
    assert left(1e4) == pytest.approx(50)


@pytest.mark.parametrize("place", range(6))
def test_each_cause_of_opening_raises_its_chance(param: Any, place: int) -> None:
    """taste, need, expectation, bonds on air, a shared link, a subsidy"""
    chances = []
    for level in (0.0, 0.5, 1.0):
        causes = [F(0)] * 6
        causes[place] = F(level)
        chances.append(behaviour.opening_chance(param, *causes))
    assert 0 < chances[0] < chances[1] < chances[2] < 1
    assert chances[0] == pytest.approx(1 / (1 + np.exp(-float(param.opening_intercept))), rel=1e-5)


def test_needs_and_discoveries_bring_people_to_shelves(param: Any) -> None:
    chances = [behaviour.searching_chance(param, F(level), F(0)) for level in (0, 0.5, 1)]
    assert 0 < chances[0] < chances[1] < chances[2] < behaviour.searching_chance(param, F(1), F(1)) < 1


def test_platforms_and_rooms_gain_by_what_speaks_for_them(param: Any) -> None:
    assert behaviour.platform_utility(param, *f32(0, 0, 0, 0)) == 0
    for place in range(4):
        given = [F(0)] * 4
        given[place] = F(1)
        assert behaviour.platform_utility(param, *given) > 0
    assert behaviour.room_utility(param, *f32(0, 0, 0, 0, 0, 0, 0)) == 0
    for place in range(7):
        given = [F(0)] * 7
        given[place] = F(1)
        assert behaviour.room_utility(param, *given) > 0
    assert behaviour.room_base(param, *f32(0, 0, 0)) == 0
    assert behaviour.room_base(param, *f32(1, 1, 1)) > behaviour.room_base(param, *f32(0.5, 0.5, 0.5)) > 0


@pytest.mark.parametrize(("place", "sign"), [(0, 1), (1, -1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1)])
def test_what_lengthens_a_stay_and_what_shortens_it(param: Any, place: int, sign: int) -> None:
    """understanding, stutter (-), culture fit, skill, bond, interest, interaction"""
    scales = []
    for level in (0.0, 0.5, 1.0):
        given = [F(0.5)] * 7
        given[place] = F(level)
        scales.append(float(behaviour.stay_log_scale(param, *given)))
    assert np.all(sign * np.diff(scales) > 0)


def test_stays_are_weibull_and_end(param: Any) -> None:
    shape, longest = F(param.watching_shape), F(param.watching_longest)
    median = behaviour.stay_minutes(F(0.5), F(1), shape, longest)
    assert median == pytest.approx(np.exp(1) * np.log(2) ** (1 / float(shape)), rel=1e-5)
    assert behaviour.stay_minutes(F(0.1), F(1), shape, longest) > median  # u is the chance to stay on
    assert behaviour.stay_minutes(F(1e-7), F(20), shape, longest) == longest


def test_information_grows_with_minutes_understood(param: Any) -> None:
    assert behaviour.information(param, *f32(0, 1, 0, 1, 0, 0)) == 0
    assert behaviour.information(param, *f32(30, 0, 0, 1, 0, 0)) == 0
    assert behaviour.information(param, *f32(30, 1, 1, 1, 0, 0)) == 0
    learnt = [float(behaviour.information(param, *f32(minutes, 1, 0, 1, 0, 0))) for minutes in (1, 10, 100, 1000)]
    assert np.all(np.diff(learnt) > 0)
    assert learnt[-1] == pytest.approx(1)
    assert behaviour.information(param, *f32(10, 1, 0, 1, 1, 0)) > learnt[1]
    told = [behaviour.information(param, *f32(10, 1, 0, evidence, 0, 0)) for evidence in (0, 0.5, 1, 2)]
    assert told[0] == 0
    assert np.all(np.diff(told) > 0)
    assert told[3] == pytest.approx(float(behaviour.information(param, *f32(20, 1, 0, 1, 0, 0))))
    assert behaviour.information(param, *f32(0, 1, 0, 1, 0, 1)) == pytest.approx(float(param.information_tryon))
    assert behaviour.shelf_knowledge(param, F(0)) == pytest.approx(float(param.information_shelf))
    assert behaviour.shelf_knowledge(param, F(0)) < behaviour.shelf_knowledge(param, F(1)) < 1


def test_a_label_lowers_belief_in_claims(param: Any) -> None:
    assert behaviour.claims_weight(param, F(0), F(0)) == 0
    plain, half, full = (float(behaviour.claims_weight(param, F(1), F(label))) for label in (0, 0.5, 1))
    assert plain == pytest.approx(float(param.information_claims_weight))
    assert full == pytest.approx(plain * (1 - float(param.information_disclosure_discount)))
    assert half == pytest.approx((plain + full) / 2)


def test_what_is_seen_replaces_what_was_supposed(param: Any) -> None:
    centre = float(param.trust_reputation_centre)
    assert behaviour.expected_quality(param, *f32(0.9, 0.5, centre, 1, 0.2, 0, 0)) == pytest.approx(0.5)
    assert behaviour.expected_quality(param, *f32(0.9, 0.5, centre, 1, 0.2, 0, 1)) == pytest.approx(0.9)
    assert behaviour.expected_quality(param, *f32(0.9, 0.5, centre, 1, 0.2, 0, 0.5)) == pytest.approx(0.7)
    assert behaviour.expected_quality(param, *f32(0.9, 0.5, centre, 1, 0.2, 1, 1)) == pytest.approx(1.1)
    assert behaviour.expected_quality(param, *f32(0.9, 0.5, centre + 0.1, 1, 0.2, 0, 0)) > 0.5


def test_reviews_weigh_as_signals_do_beside_a_prior() -> None:
    """DeGroot (1970): precisions add, whatever is held before."""
    for weight in (0.0, 0.2, 0.5, 0.9, 1.0):
        assert behaviour.doubt_left(F(weight), F(1)) == 1
        assert behaviour.review_gain(F(weight), F(1)) == 1
        own, today = 1.0 - weight, weight  # precisions, in units of today's sum
        for times in (0.05, 0.5, 3.0, 100.0):
            told = times * today / (own + times * today) if own + today > 0 else 0.0
            assert weight * behaviour.review_gain(F(weight), F(times)) == pytest.approx(told, rel=1e-5)
            assert behaviour.doubt_left(F(weight), F(times)) == pytest.approx(1.0 / (own + times * today), rel=1e-5)


def test_more_reviews_raise_a_good_name_and_lower_a_bad_one(param: Any) -> None:
    centre = float(param.trust_reputation_centre)
    gains = [behaviour.review_gain(param.information_reputation_prior, F(times)) for times in (0.05, 1, 4, 100)]
    for shift, sign in ((0.1, 1), (-0.1, -1)):
        given = [behaviour.expected_quality(param, *f32(0.9, 0.5, centre + shift, gain, 0, 0, 0)) for gain in gains]
        assert np.all(sign * np.diff(given) > 0)
    seen = [behaviour.expected_quality(param, *f32(0.9, 0.5, centre + 0.1, gain, 0, 0, 1)) for gain in gains]
    assert seen == pytest.approx([0.9] * 4), "what has been seen needs no reviews"


@pytest.mark.parametrize("place", range(1, 6))
def test_each_assurance_takes_its_share_of_the_risk(param: Any, place: int) -> None:
    """known, trusted, guaranteed, certified, traced"""
    given = [F(0.8)] + [F(0)] * 5
    assert behaviour.perceived_risk(param, *given) == F(0.8)
    risks = []
    for level in (0.0, 0.5, 1.0):
        given[place] = F(level)
        risks.append(float(behaviour.perceived_risk(param, *given)))
    assert risks[0] > risks[1] > risks[2] >= 0
    assert risks[1] == pytest.approx((risks[0] + risks[2]) / 2)


def test_money_hurts_in_proportion_and_more_above_the_remembered_price(param: Any) -> None:
    alpha = behaviour.money_utility(param, *f32(1.5, 30, 1))
    assert behaviour.money_utility(param, *f32(1.5, 60, 1)) == pytest.approx(alpha / 2)
    assert behaviour.money_utility(param, *f32(1.5, 30, 2)) == pytest.approx(alpha * 2)
    same = -behaviour.price_utility(param, *f32(0.1, 20, 20))
    assert same == pytest.approx(2)
    assert behaviour.price_utility(param, *f32(0.1, 0, 0)) == 0
    loss = -behaviour.price_utility(param, *f32(0.1, 20, 15)) - same
    gain = same + behaviour.price_utility(param, *f32(0.1, 20, 25))
    assert loss > gain >= 0
    prices = [float(behaviour.price_utility(param, F(0.1), F(price), F(20))) for price in (5, 10, 20, 40, 80)]
    assert np.all(np.diff(prices) < 0)


def test_impulse_needs_time_or_a_discount(param: Any) -> None:
    assert behaviour.impulse(param, *f32(0, 1, 0, 1)) == 0
    assert behaviour.impulse(param, *f32(60, 1, 0.2, 0)) == 0
    assert 0 < behaviour.impulse(param, *f32(5, 1, 0, 1)) < behaviour.impulse(param, *f32(60, 1, 0, 1))
    assert behaviour.impulse(param, *f32(0, 0, 0.2, 1)) > behaviour.impulse(param, *f32(0, 0, 0.1, 1)) > 0


@pytest.mark.parametrize(("place", "sign"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, -1), (7, -1), (8, -1)])
def test_what_speaks_for_buying_and_what_against(param: Any, place: int, sign: int) -> None:
    """need, interest, trust, bond, proof, loyalty; against it: risk, waiting, steps at checkout"""
    values = []
    for level in (0.0, 0.5, 1.0):
        given = [F(0)] * 9
        given[place] = F(level)
        values.append(float(behaviour.buying_value(param, *given)))
    assert values[0] == 0
    assert np.all(sign * np.diff(values) > 0)


def test_a_nest_of_tiers_is_worth_at_least_its_best(param: Any) -> None:
    spread = F(param.purchase_tier_spread)
    assert behaviour.tier_weight(F(2), F(2), spread) == 1
    assert 0 < behaviour.tier_weight(F(1), F(2), spread) < 1
    assert behaviour.nest_utility(F(1), F(2), F(1), spread) == pytest.approx(3)
    assert behaviour.nest_utility(F(1), F(2), F(4), spread) == pytest.approx(3 + float(spread) * np.log(4), rel=1e-5)
    assert behaviour.tier_utility(param, F(1), F(0), F(-2)) == -2
    assert behaviour.tier_utility(param, F(2), F(1), F(0)) == 2 * behaviour.tier_utility(param, F(1), F(1), F(0)) > 0
    assert behaviour.expected_surplus(F(-1e9), F(0.1)) == pytest.approx(0, abs=1e-30)
    assert behaviour.expected_surplus(F(0), F(0.1)) == pytest.approx(np.log(2) / 0.1, rel=1e-5)
    assert behaviour.expected_surplus(F(30), F(0.1)) == pytest.approx(300, rel=1e-5)


def test_search_results_gain_by_name_and_lose_by_price_and_wait(param: Any) -> None:
    assert behaviour.search_utility(param, *f32(0, 0, 0, 0, 0)) == 0
    for place in range(3):
        given = [F(0)] * 5
        given[place] = F(1)
        assert behaviour.search_utility(param, *given) > 0
    assert behaviour.search_utility(param, *f32(0, 0, 0, -3, 1)) == -4


def test_a_second_unit_needs_the_wish_and_the_money(param: Any) -> None:
    wish = float(param.purchase_complement)
    assert behaviour.units_bought(param, *f32(wish * 0.9, 10, 20)) == 2
    assert behaviour.units_bought(param, *f32(wish * 0.9, 10, 19.9)) == 1
    assert behaviour.units_bought(param, *f32(wish * 1.1, 10, 100)) == 1


def test_bonds_grow_towards_one(param: Any) -> None:
    assert behaviour.grown_bond(param, *f32(0.4, 0)) == F(0.4)
    assert behaviour.grown_bond(param, *f32(1, 60)) == 1
    assert 0.4 < behaviour.grown_bond(param, *f32(0.4, 15)) < behaviour.grown_bond(param, *f32(0.4, 60)) < 1
    assert behaviour.grown_bond(param, *f32(0.4, 1e5)) == 1


def test_satisfaction_falls_with_lateness_until_it_no_longer_matters(param: Any) -> None:
    level = behaviour.satisfaction_logit(param, *f32(0, 0, 0, 0, 0))
    assert level == F(param.experience_level)
    assert behaviour.satisfaction_logit(param, *f32(0, -5, 0, 0, 0)) == level  # early is not better
    late = [float(behaviour.satisfaction_logit(param, F(0), F(days), F(0), F(0), F(0))) for days in (0.01, 2, 8, 80)]
    assert np.all(np.diff([float(level), *late[:3]]) < 0)
    assert late[3] == pytest.approx(late[2], abs=1.0) if param.experience_late_cap > 8 else late[3] == late[2]
    for place, sign in ((0, 1), (2, -1), (3, -1), (4, 1)):
        given = [F(0)] * 5
        given[place] = F(1)
        assert sign * (float(behaviour.satisfaction_logit(param, *given)) - float(level)) > 0


def test_parcels_go_back_for_a_cause(param: Any) -> None:
    """shortfall, regret, lateness, guarantee, defects"""
    nothing = behaviour.return_chance(param, *f32(0, 0, 0, 0, 0, 0))
    assert 0 < nothing < 0.5
    for place in range(6):
        given = [F(0)] * 6
        given[place] = F(1)
        assert behaviour.return_chance(param, *given) > nothing


def test_the_unhappy_complain(param: Any) -> None:
    level = F(param.experience_complain_level)
    chances = [float(behaviour.complaint_chance(param, level, F(happy))) for happy in (0, 0.5, 1)]
    assert 1 > chances[0] > chances[1] > chances[2] > 0
    assert chances[1] == pytest.approx(1 / (1 + np.exp(-float(level))), rel=1e-5)


def test_trust_falls_faster_than_it_rises(param: Any) -> None:
    assert behaviour.moved_trust(param, *f32(0.5, 0.5)) == 0.5
    risen = float(behaviour.moved_trust(param, *f32(0.5, 1))) - 0.5
    fallen = 0.5 - float(behaviour.moved_trust(param, *f32(0.5, 0)))
    assert fallen > risen > 0
    assert risen == pytest.approx(float(param.trust_gain) / 2, rel=1e-5)
    assert 0 <= behaviour.moved_trust(param, *f32(0, 0)) <= behaviour.moved_trust(param, *f32(1, 1)) <= 1
