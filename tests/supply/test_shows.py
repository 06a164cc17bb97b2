"""Shows of a day: whether, when, with what, and what is claimed; identity by streamer."""

from __future__ import annotations

import dataclasses

import mesa
import numpy as np
import pytest

from sim.agents.streamer import STREAMER_COLUMNS, Streamer
from sim.agents.view import adopt
from sim.day.supply import Supply, show_rule
from sim.kernels.supply import claim_regret, claim_size, discount_share, show_chance
from sim.kinds import NO_SHOW
from sim.state.table import Table
from tests.supply.world import DAY, RULES, group, make


@pytest.fixture(scope="module")
def world():
    return make()


RULE = show_rule(group("supply"), group("economics"))


def test_a_day_has_shows_with_four_sold_lines_in_the_streamers_own_place(world):
    air = world.supply.schedule(RULES, DAY + 1)
    assert 0.2 < len(air) / len(world.streamers) < 0.8
    assert (np.diff(air.streamer.astype(int)) > 0).all()
    assert (world.catalogue.landed_cents[air.lineup, air.country[:, None], 0] > 0).all()
    assert np.array_equal(air.country, world.streamers.country[air.streamer])
    assert (air.dayparts > 0).all()
    for daypart in range(6):
        numbers = air.show_of_streamer[daypart]
        on = numbers != NO_SHOW
        assert np.array_equal(np.sort(numbers[on]), np.flatnonzero(air.dayparts & (1 << daypart)))
    assert (air.discount_permille <= 1000 * RULE.largest_discount).all()
    joined = world.catalogue.on_platform[world.catalogue.merchant[air.lineup], air.platform[:, None]]
    assert (joined == 1).all()


def test_the_same_day_is_the_same_again_and_another_day_is_not(world):
    first = world.supply.schedule(RULES, DAY + 2)
    again = world.supply.schedule(RULES, DAY + 2)
    for column in dataclasses.fields(first):
        assert np.array_equal(getattr(first, column.name), getattr(again, column.name)), column.name
    other = world.supply.schedule(RULES, DAY + 3)
    assert not np.array_equal(first.streamer, other.streamer)


def test_a_new_streamer_leaves_the_others_shows_alone():
    base, grown = make(firms_scale=0.1), make(firms_scale=0.1)
    old = grown.streamers
    values = {c.name: np.concatenate([old.real(c.name), old.real(c.name)[:1]]) for c in STREAMER_COLUMNS}
    bigger = Table(STREAMER_COLUMNS, len(old) + 1, "streamers", **values)
    supply = Supply(grown.cfg, grown.draws, grown.catalogue, bigger, grown.hours)
    supply.price(RULES, DAY, 1.0, np.ones((2, 20), np.float32))
    for day in range(DAY + 1, DAY + 15):
        one, two = base.supply.schedule(RULES, day), supply.schedule(RULES, day)
        both = two.streamer < len(old)
        for name in ("streamer", "dayparts", "lineup", "discount_permille", "exaggeration", "disclosed"):
            assert np.array_equal(getattr(one, name), getattr(two, name)[both]), name


def test_shows_follow_the_audience_and_keep_out_of_prayer_and_fasting():
    def by_daypart(world):
        total = np.zeros(6)
        for day in range(DAY + 1, DAY + 11):
            air = world.supply.schedule(RULES, day)
            total += [(air.dayparts & (1 << part) != 0).sum() for part in range(6)]
        return total

    usual = by_daypart(make())
    assert usual[4] + usual[5] > 2 * (usual[0] + usual[1])
    praying = make()
    praying.hours.prayer[:, 4] = 0.5
    assert by_daypart(praying)[4] < 0.2 * usual[4]
    fasting = make()
    fasting.hours.fasting_from = DAY
    fasting.hours.fasting_day[3] = 0.4
    assert by_daypart(fasting)[3] < 0.5 * usual[3]


def test_habit_audience_and_fatigue_set_the_chance_of_a_show():
    def chance(activity, fatigue, tier=0, effort=1.0):
        return float(show_chance(RULE, tier, np.float32(activity), np.float32(fatigue), np.float32(effort)))

    assert chance(0, 0) == 0
    assert chance(1, 0) == pytest.approx(float(RULE.chance[0]))
    assert chance(0.5, 0) < chance(1, 0) < chance(1.3, 0)
    assert chance(1, 1) == pytest.approx((1 - float(RULE.fatigue_weight)) * chance(1, 0))
    assert chance(1, 0.2) > chance(1, 0.8)
    assert chance(1, 0, effort=0) == 0
    assert chance(1, 0, effort=0.5) == pytest.approx(0.5 * chance(1, 0))
    assert chance(1, 0, effort=9) == 1


def test_claims_fall_with_integrity_disclosure_and_expected_penalty():
    def claim(integrity=0.5, disclosed=0.0, penalty=0.0, worth=1.0, regret=0.0):
        return float(
            claim_size(
                RULE,
                np.float32(integrity),
                np.float32(disclosed),
                np.float32(penalty),
                np.float32(worth),
                np.float32(regret),
            )
        )

    assert claim(integrity=0) == pytest.approx(float(RULE.claims_gain))
    assert claim(integrity=0) > claim(integrity=0.5) > claim(integrity=0.9)
    assert claim(disclosed=1) < claim(disclosed=0)
    assert claim(penalty=0.02) < claim(penalty=0.01) < claim()
    assert claim(penalty=0.5) == 0
    assert claim(worth=0) == 0
    assert claim(worth=0.8) < claim() < claim(worth=1.2)
    assert claim(regret=0.05) == pytest.approx(claim() - 0.05)


def test_rules_on_claims_and_labels_reach_the_shows(world):
    def exaggeration(rules):
        air = world.supply.schedule(rules, DAY + 4)
        return air.exaggeration.mean(), air.disclosed.mean()

    base, labelled = exaggeration(RULES)
    strict = exaggeration(RULES.amend({"claims.audit_hazard": 0.5, "claims.fine_share": 0.1}))[0]
    none, unlabelled = exaggeration(RULES.amend({"disclosure.coverage": 0.0}))
    every, all_labelled = exaggeration(RULES.amend({"disclosure.coverage": 1.0}))
    assert strict < base
    assert every < base < none
    assert (unlabelled, all_labelled) == (0.0, 1.0)
    assert 0.2 < labelled < 0.4


def test_bigger_hosts_bargain_for_deeper_discounts():
    shares = [float(discount_share(RULE, tier, np.float32(0.5), np.float32(1), np.float32(0))) for tier in range(3)]
    assert shares[0] > shares[1] > shares[2] > 0
    assert float(discount_share(RULE, 0, np.float32(1 - 1e-7), np.float32(1), np.float32(0))) == pytest.approx(
        float(RULE.largest_discount)
    )
    assert float(discount_share(RULE, 2, np.float32(0.5), np.float32(0), np.float32(0))) == 0
    assert float(discount_share(RULE, 2, np.float32(0.5), np.float32(1.1), np.float32(0))) == pytest.approx(
        1.1 * shares[2]
    )


def test_a_certificate_at_stake_keeps_claims_down(world):
    lost = np.float32(0.02)
    for stake in (0.0, 0.05, 1.0):
        rule = RULE._replace(certificate_stake=np.float32(stake))
        assert float(claim_regret(rule, lost, 0)) == float(lost)
        assert float(claim_regret(rule, lost, 1)) == pytest.approx(float(lost) + stake)
    means = []
    for stake in (0.0, 0.05, 1.0):
        world.supply.show_rule = world.supply.show_rule._replace(certificate_stake=np.float32(stake))
        air = world.supply.schedule(RULES, DAY + 4)
        holds = world.streamers.certified[air.streamer] == 1
        means.append((air.exaggeration[holds].mean(), air.exaggeration[~holds].mean()))
    assert means[0][0] > means[1][0] > means[2][0] == 0
    assert means[0][1] == means[1][1] == means[2][1]
    world.supply.show_rule = world.supply.show_rule._replace(certificate_stake=RULE.certificate_stake)


def test_discounts_are_deeper_while_platforms_run_a_sale(world):
    shares = []
    for sale in (0.0, 0.5, 1.0):
        world.hours.sale[:] = sale
        shares.append(world.supply.schedule(RULES, DAY + 4).discount_permille.astype(float))
    world.hours.sale[:] = 0.0
    below = shares[2] < 1000 * float(RULE.largest_discount) - 1
    assert below.sum() > 10
    for share, sale in zip(shares, (0.0, 0.5, 1.0), strict=True):
        factor = 1 + sale * float(RULE.campaign_depth)
        assert share[below] == pytest.approx(factor * shares[0][below], abs=1.5)
    assert shares[2].max() <= 1000 * float(RULE.largest_discount) + 1
    nowhere = np.zeros(20, np.float32)
    nowhere[3] = 1.0  # one country's sale is nobody else's
    world.hours.sale[:] = nowhere
    air = world.supply.schedule(RULES, DAY + 4)
    world.hours.sale[:] = 0.0
    assert np.array_equal(air.discount_permille[air.country != 3], shares[0][air.country != 3])


def test_line_ups_change_on_the_hosts_weekday_only(world):
    before = world.supply.schedule(RULES, DAY + 7)
    lines = {int(s): row.copy() for s, row in zip(before.streamer, before.lineup, strict=True)}
    after = world.supply.schedule(RULES, DAY + 8)
    weekday = (DAY + 8) % 7
    for streamer, row in zip(after.streamer.tolist(), after.lineup, strict=True):
        if streamer in lines and world.streamers.weekday[streamer] != weekday:
            assert np.array_equal(lines[streamer], row)


def test_removed_streamers_banned_platforms_and_outages_have_no_shows(world):
    some = np.unique(world.supply.schedule(RULES, DAY + 9).streamer)[:5]
    world.streamers.active[some] = 0
    assert not np.isin(some, world.supply.schedule(RULES, DAY + 9).streamer).any()
    world.streamers.active[some] = 1
    allowed = np.ones((20, 8))
    allowed[0, 1] = 0
    air = world.supply.schedule(RULES.amend({"platform.open": allowed}), DAY + 9)
    assert not ((air.country == 0) & (air.platform == 1)).any()
    assert ((air.country != 0) & (air.platform == 1)).any()
    up = np.ones(8)
    up[1] = 0
    assert not (world.supply.schedule(RULES.amend({"stream.up": up}), DAY + 9).platform == 1).any()


def test_a_capped_commission_lowers_what_a_host_earns_on_a_line(world):
    world.supply.schedule(RULES, DAY + 10)
    free = world.supply._host.copy()
    world.supply.schedule(RULES.amend({"commission.cap": 0.1}), DAY + 10)
    capped = world.supply._host
    assert (capped < free).all()
    assert capped.max() <= 0.1
    world.supply.schedule(RULES, DAY + 10)


def test_a_streamers_view_tells_what_the_loop_did(world):
    model = mesa.Model()
    agents = list(adopt(model, Streamer, world.streamers))
    air = world.supply.schedule(RULES, DAY + 11)
    for show, host in list(enumerate(air.streamer.tolist()))[:50]:
        country = int(air.country[show])
        coverage = float(RULES.disclosure.coverage[country])
        penalty = float(RULES.claims.expected_penalty[country])
        assert agents[host].exaggeration(RULE, coverage, penalty) == float(air.exaggeration[show])
        assert agents[host].lines == air.lineup[show].tolist()
        assert 0 < agents[host].chance_of_show(RULE, 1.0) <= 1
    with pytest.raises(AttributeError):
        agents[0].skil = 1.0
