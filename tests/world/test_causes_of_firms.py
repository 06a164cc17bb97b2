"""Rows that change what firms reckon with: none of it at no strength, all at full strength, between them in between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.agents.channel import traffic_rates
from sim.agents.merchant import cost_table
from sim.kinds import BRAND_SITE, N_CHANNELS, SHELF, STREAMER_TYPES
from sim.rules import Rules
from sim.world import World
from tests.interventions.helpers import DAY, book
from tests.world.worlds import tiny

STRENGTHS = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def world() -> World:
    """A tiny world after one day."""
    one = tiny("baseline")
    one.step()
    return one


def under(world: World, kind: str, **settings: float) -> list[Rules]:
    """The world's rules with a row's leaves as the row sets them, at each strength."""
    found = []
    for strength in STRENGTHS:
        one = book(lever={"kind": kind, "strength": strength, **settings})
        one.baseline = world.rules
        found.append(one.rules_on(DAY))
    return found


def rises(world: World, kind: str, measure: Callable[[Rules], float], **settings: float) -> list[float]:
    """What a measure is at each strength; nothing moves without strength, and half lies between."""
    values = [measure(rules) for rules in under(world, kind, **settings)]
    assert values[0] == measure(world.rules)
    assert values[0] < values[1] < values[2] or values[0] > values[1] > values[2]
    return values


def test_closer_moderation_is_what_hosts_fear_of_claims(world: World) -> None:
    def fear(rules: Rules) -> float:
        world.decisions.audits.brief(rules)
        return float(world.streamers.penalty_gap.mean(dtype=np.float64))

    values = rises(world, "content_moderation", fear)
    penalty = world.cfg.supply.platforms.moderation_penalty
    assert values[2] - values[0] == pytest.approx(2.0 * penalty, rel=1e-4)


def test_quicker_action_against_fakes_leaves_fewer_of_them(world: World) -> None:
    usual = world.catalogue.authenticity.copy()

    def genuine(rules: Rules) -> float:
        world.catalogue.authenticity[:] = usual
        world.decisions.audits.brief(rules)
        return float(world.catalogue.authenticity.mean(dtype=np.float64))

    values = rises(world, "ip_fast_enforcement", genuine)
    assert values[2] > values[0]
    world.catalogue.authenticity[:] = usual


def test_open_interfaces_make_tools_and_further_shops_cheaper_for_small_sellers(world: World) -> None:
    channels = world.decisions.channels
    assert channels is not None
    values = rises(world, "platform_api_opening", lambda rules: float(channels._cost(rules)[0, SHELF]))
    assert values[2] / values[0] == pytest.approx(1.0 - 0.3 * channels.rule.joining_tools)
    full = under(world, "platform_api_opening")[2]
    assert (channels._cost(full)[1] == channels._cost(world.rules)[1]).all(), "large sellers have their own"
    assert (channels._cost(full)[:, N_CHANNELS:] == channels._cost(world.rules)[:, N_CHANNELS:]).all()
    assert full.technology.price.tolist() == pytest.approx([0.7, 1.0])


def test_loans_on_stock_cost_less_and_come_sooner(world: World) -> None:
    def interest(rules: Rules) -> float:
        return float(cost_table(world.cfg, world.catalogue, rules, 1.0).interest[0])

    values = rises(world, "supply_chain_finance", interest)
    rate = float(world.rules.credit.annual_rate[0])
    assert values[0] - values[2] == pytest.approx(0.5 * rate / 365.0, rel=1e-4)
    rises(world, "supply_chain_finance", lambda rules: float(rules.credit.days_to_fund[0]))
    full = under(world, "supply_chain_finance")[2]
    assert full.credit.annual_rate[1] == world.rules.credit.annual_rate[1], "large sellers borrow as before"


def test_cheaper_virtual_hosts_keep_more_and_persons_do_not(world: World) -> None:
    careers, rows = world.decisions.careers, np.arange(len(world.streamers))
    virtual = world.streamers.type == STREAMER_TYPES.index("virtual")
    assert virtual.any()
    values = rises(world, "virtual_streamer", lambda rules: float(careers._dearer(rules, rows)[virtual].mean()))
    assert values[2] == pytest.approx(careers.rule.virtual_cost_share * np.log(0.4), rel=1e-4)
    for rules in under(world, "virtual_streamer"):
        assert (careers._dearer(rules, rows)[~virtual] == 0).all()


def test_cheaper_sites_are_cheaper_to_open_and_to_bring_buyers_to(world: World) -> None:
    channels, response = world.decisions.channels, world.cfg.supply.platforms.traffic_response
    assert channels is not None

    def advertising(rules: Rules) -> float:
        return float(traffic_rates(world.cfg.economics, rules, response)[BRAND_SITE, 0])

    values = rises(world, "independent_site", advertising)
    assert values[2] / values[0] == pytest.approx(0.7)
    rises(world, "independent_site", lambda rules: float(channels._cost(rules)[0, BRAND_SITE]))
    full = under(world, "independent_site")[2]
    others = traffic_rates(world.cfg.economics, full, response)[:BRAND_SITE]
    assert (others == traffic_rates(world.cfg.economics, world.rules, response)[:BRAND_SITE]).all()


def test_packaging_that_comes_back_emits_less(world: World) -> None:
    def packaging(rules: Rules) -> float:
        world.logbook.follow(rules)
        return float(world.logbook._emission.packaging_g.mean())

    values = rises(world, "reusable_packaging", packaging)
    assert values[2] / values[0] == pytest.approx(0.5)
    world.logbook.follow(world.rules)
