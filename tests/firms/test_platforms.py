"""Platforms: each instrument rests at baseline, and moves the way its condition says when a cause moves."""

from __future__ import annotations

from functools import cache

import mesa
import numpy as np
import pytest

from sim.agents.channel import (
    EFFORTS,
    Belief,
    Condition,
    Trade,
    anchored,
    best_response,
    gain_commission,
    gain_fee,
    gain_tilt,
    gain_traffic_price,
    gain_traffic_weight,
    make_channels,
    order_margin,
    reached,
    spared,
    traffic_bought,
    traffic_rates,
)
from sim.config import load
from sim.firms.platforms import FEE, PRICE, WEIGHT, Platforms, mandated
from sim.kinds import N_CATEGORIES, N_CHANNELS, N_COUNTRIES, N_PLATFORMS, PLATFORMS
from sim.rules import Rules
from sim.state.ledger import Account
from tests.supply.world import DAY, group, make

STEEP = np.full((N_COUNTRIES, N_CATEGORIES), 0.04)
BELIEF = Belief(0.04, 0.3, 1.0, 0.5, 1.0)
TRADE = Trade(
    60.0, np.array([0.3, 0.7]), np.array([0.2, 0.17]), 0.65, np.array([0.025, 0.03]), 1.0, 1.0, 0.04, 0.0, 0.0, 10.0
)


def fee(trade: Trade, start: Trade = TRADE, friction: float = 1.0, belief: Belief = BELIEF) -> float:
    condition = anchored(lambda x: gain_fee(start._replace(net_fee=x), belief), 0.0, 0.1)
    return best_response(lambda x: gain_fee(trade._replace(net_fee=x), belief), condition, friction, -5.0, 5.0)


def commission(trade: Trade, seller: int) -> float:
    def gain(of: Trade, share: float) -> float:
        charge = of.charge.copy()
        charge[seller] = share
        return gain_commission(of._replace(charge=charge), BELIEF, seller)

    condition = anchored(lambda x: gain(TRADE, x), float(TRADE.charge[seller]), 0.0025)
    return best_response(lambda x: gain(trade, x), condition, 1.0, 0.0, 0.5)


# -- formulas ----------------------------------------------------------------------------------------------------------
def test_what_nothing_has_changed_stays() -> None:
    assert fee(TRADE) == pytest.approx(0.0, abs=1e-6)
    assert commission(TRADE, 0) == pytest.approx(0.2, abs=1e-6)
    for gain in (gain_traffic_price, gain_traffic_weight):
        field = gain.__name__.removeprefix("gain_")
        condition = anchored(lambda x, gain=gain, field=field: gain(TRADE._replace(**{field: x}), BELIEF), 1.0, 0.02)
        still = best_response(
            lambda x, gain=gain, field=field: gain(TRADE._replace(**{field: x}), BELIEF), condition, 1.0, 0.2, 3.0
        )
        assert still == pytest.approx(1.0, abs=1e-6)


def test_the_buyers_fee_makes_up_for_a_part_of_what_a_cap_takes_and_for_all_of_it_without_friction() -> None:
    """With a constant share of orders lost per dollar the best margin an order is constant (Lerner)."""
    fees = []
    for cap in (0.25, 0.15, 0.1, 0.05):
        capped = TRADE._replace(charge=np.minimum(TRADE.charge, cap))
        lost = order_margin(TRADE, BELIEF) - order_margin(capped, BELIEF)
        assert fee(capped, friction=0.0) == pytest.approx(lost, abs=1e-6)
        assert fee(capped) == pytest.approx(lost / 2.0, abs=1e-6)
        fees.append(fee(capped))
    assert fees[0] == pytest.approx(0.0, abs=1e-6)
    assert fees == sorted(fees)


def test_a_richer_order_is_subsidised() -> None:
    assert fee(TRADE._replace(value=90.0)) < 0.0


def test_endless_friction_holds_every_instrument() -> None:
    capped = TRADE._replace(charge=np.array([0.05, 0.05]))
    assert abs(fee(capped, friction=1e9)) < 1e-6


def test_a_cap_on_small_sellers_raises_what_large_ones_are_asked() -> None:
    asked = [commission(TRADE._replace(charge=np.array([cap, 0.17])), 1) for cap in (0.2, 0.15, 0.1, 0.05)]
    assert asked[0] == pytest.approx(0.17, abs=1e-6)
    assert asked == sorted(asked)
    assert asked[-1] > 0.175


@pytest.mark.parametrize("gain", [gain_traffic_price, gain_traffic_weight])
def test_a_cap_turns_a_platform_to_paid_traffic(gain) -> None:
    field = gain.__name__.removeprefix("gain_")
    condition = anchored(lambda x: gain(TRADE._replace(**{field: x}), BELIEF), 1.0, 0.02)
    found = []
    for cap in (0.25, 0.12, 0.06):
        capped = TRADE._replace(charge=np.minimum(TRADE.charge, cap))
        found.append(
            best_response(
                lambda x, capped=capped: gain(capped._replace(**{field: x}), BELIEF), condition, 1.0, 0.2, 3.0
            )
        )
    assert found == sorted(found)
    assert found[0] == pytest.approx(1.0, abs=1e-6)
    assert found[-1] > 1.005


def test_rooms_of_high_margin_are_pushed_only_where_margins_differ_more_than_they_did() -> None:
    condition = anchored(lambda x: gain_tilt(TRADE._replace(tilt=x), BELIEF), 0.0, 0.001)
    tilts = [
        best_response(
            lambda x, spread=spread: gain_tilt(TRADE._replace(tilt=x, margin_spread=spread), BELIEF),
            condition, 1.0, 0.0, 0.2,
        )
        for spread in (0.0, 5.0, 10.0, 12.0, 20.0)
    ]  # fmt: skip
    assert tilts[0] == tilts[1] == 0.0
    assert tilts[2] == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < tilts[3] < tilts[4]


def test_a_best_response_keeps_within_its_limits() -> None:
    condition = Condition(0.0, 0.0, 1.0)
    assert best_response(lambda x: 1.0, condition, 0.0, -2.0, 3.0) == 3.0
    assert best_response(lambda x: -1.0, condition, 0.0, -2.0, 3.0) == -2.0


def test_paid_traffic_is_bought_by_what_it_does_for_its_price() -> None:
    assert traffic_bought(1.0, 1.0, 0.5) == 1.0
    assert traffic_bought(2.0, 2.0, 0.5) == 1.0
    assert traffic_bought(1.2, 1.0, 0.5) < 1.0 < traffic_bought(1.2, 1.5, 0.5)
    assert traffic_bought(100.0, 1.0, 0.5) == 0.0


def test_efforts_work_for_some_shares_and_against_others() -> None:
    assert reached(0.6, 1.0) == pytest.approx(0.6)
    assert reached(0.6, 2.0) == pytest.approx(0.8)
    assert reached(0.6, 0.1) == 0.0
    assert spared(0.2, 2.0) == pytest.approx(0.1)
    assert spared(0.2, 0.1) == 1.0


def test_a_mandate_binds() -> None:
    base, wanted = np.array([0.5, 0.5, 0.5]), np.array([0.3, 0.3, 0.7])
    assert mandated(np.array([0.5, 0.6, 0.6]), base, wanted).tolist() == [0.3, 0.6, 0.7]


# -- the decider -------------------------------------------------------------------------------------------------------
@cache
def baseline() -> Rules:
    return Rules.baseline(load())


def decider(**decide: bool) -> tuple[Platforms, object]:
    supply = group("supply")
    supply = supply.model_copy(update={"decide": supply.decide.model_copy(update=decide)})
    world = make(rules=baseline(), supply=supply)
    return Platforms(
        world.cfg, world.catalogue, world.streamers, world.adaptation.platform_cost, baseline(), DAY + 1
    ), world


def live(rules: Rules, months: int = 4, **decide: bool) -> tuple[Platforms, object]:
    platforms, world = decider(**decide)
    for day in range(DAY, DAY + 28 * months):
        today = baseline() if day < DAY + 1 else rules
        platforms.respond(platforms.in_force(today), day, world.orders, world.ledger, STEEP)
    return platforms, world


CAPPED = baseline().amend(
    {"commission.cap": np.where(np.arange(N_CHANNELS) < N_PLATFORMS, 0.1, 1.0)[:, None].repeat(2, 1)}
)


def test_platforms_at_rest_set_nothing_and_leave_the_rules_alone() -> None:
    platforms, world = live(baseline())
    asked = world.catalogue.commission_asked.copy()
    assert platforms.own.at_rest
    assert platforms.in_force(baseline()) is baseline()
    assert np.array_equal(asked, group("economics").commissions().astype(np.float32))
    assert not world.ledger.flows_today()[3].any()


def test_switched_off_they_do_nothing_under_a_cap_either() -> None:
    platforms, world = live(CAPPED, platforms=False)
    assert platforms.own.at_rest
    assert platforms.in_force(CAPPED) is CAPPED
    assert not world.ledger.flows_today()[3].any()


def test_a_cap_is_answered_by_fee_traffic_and_less_effort_and_what_is_asked_stays() -> None:
    platforms, world = live(CAPPED)
    own, rules = platforms.own, platforms.in_force(CAPPED)
    assert (own.net_fee > 0.1).all()
    assert (own.traffic_price > 1.0).any()
    assert (own.traffic_weight > 1.0).any()
    assert (own.effort < 1.0).all()
    assert np.array_equal(world.catalogue.commission_asked, group("economics").commissions().astype(np.float32))
    assert not rules.subsidy.buyer_usd.any()
    value = [platforms.trade(platform, CAPPED).value for platform in range(N_PLATFORMS)]
    assert np.allclose(world.catalogue.service_fee[:N_PLATFORMS], own.net_fee / value, rtol=1e-3)
    assert not world.catalogue.service_fee[N_PLATFORMS:].any()
    assert (rules.exposure.bot_detection < baseline().exposure.bot_detection).all()
    assert (rules.guarantee.coverage[:N_PLATFORMS] <= baseline().guarantee.coverage[:N_PLATFORMS]).all()
    assert (rules.stream.stutter >= baseline().stream.stutter).all()
    saved = world.ledger.result(Account.CHANNEL)[:N_PLATFORMS].sum()
    assert saved > 0, "less effort costs less"
    channel = make_channels(mesa.Model(), world.catalogue, own)[0]
    assert channel.service_fee_usd == own.net_fee[0] > 0.0 == channel.subsidy_usd
    assert channel.effort("moderation") < 1.0


def test_the_tighter_the_cap_the_higher_the_fee() -> None:
    fees = []
    for cap in (0.3, 0.14, 0.07):
        rules = baseline().amend({"commission.cap": np.full((N_CHANNELS, 2), cap)})
        fees.append(float(live(rules)[0].own.net_fee.mean()))
    assert fees[0] == 0.0
    assert fees[0] < fees[1] < fees[2]


def test_an_end_of_the_cap_brings_everything_back_but_for_menu_costs() -> None:
    platforms, world = live(CAPPED)
    for day in range(DAY + 28 * 4, DAY + 28 * 10):
        platforms.respond(platforms.in_force(baseline()), day, world.orders, world.ledger, STEEP)
    assert np.abs(platforms.own.net_fee).max() <= group("supply").platforms.steps[FEE]
    assert np.abs(platforms.own.traffic_price - 1.0).max() <= group("supply").platforms.steps[PRICE] * 2
    assert np.abs(platforms.own.traffic_weight - 1.0).max() <= group("supply").platforms.steps[WEIGHT] * 2


def test_reviews_are_staggered() -> None:
    platforms, world = decider()
    seen = []
    for day in range(DAY, DAY + 29):
        before = platforms.own.net_fee.copy()
        platforms.respond(
            platforms.in_force(baseline() if day == DAY else CAPPED), day, world.orders, world.ledger, STEEP
        )
        seen.append(int((platforms.own.net_fee != before).sum()))
    assert max(seen) == 1
    assert sum(seen) == len(PLATFORMS)


def test_a_mandated_guarantee_cannot_be_undone() -> None:
    rules = CAPPED.amend({"guarantee.coverage": 0.9})
    platforms, _ = live(rules)
    assert (platforms.own.effort[:, EFFORTS.index("guarantee")] < 1.0).all()
    assert np.array_equal(platforms.in_force(rules).guarantee.coverage, rules.guarantee.coverage)


def test_spending_on_traffic_follows_price_and_weight() -> None:
    economics = group("economics")
    assert np.array_equal(traffic_rates(economics, baseline(), 0.5), economics.traffic_costs())
    dearer = traffic_rates(economics, baseline().amend({"exposure.traffic_price": 1.2}), 0.5)
    assert (dearer[:N_PLATFORMS] > economics.traffic_costs()[:N_PLATFORMS]).all()
    assert np.array_equal(dearer[N_PLATFORMS:], economics.traffic_costs()[N_PLATFORMS:])
