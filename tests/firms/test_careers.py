"""Streamers decide: nothing moves at rest, and each decision follows its own cause, in the right direction."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sim.agents.streamer import bargaining_power, hours_worked, skill_after, threshold, worth_of_claims
from sim.firms.careers import _ENTER, _LEAVE, _MOVE, _SPEAK, LARGEST_SHARE, Careers
from sim.firms.outlook import Outlook
from sim.kinds import COUNTRIES, N_CATEGORIES, N_COUNTRIES, N_PLATFORMS, NO_STREAMER, STREAMER_TYPES
from sim.record.schema import MoneyPurpose
from sim.state.catalogue import Air
from sim.state.ledger import Account
from sim.state.scale import Scale
from tests.supply.world import DAY, RULES, make

ALWAYS = np.ones(N_COUNTRIES)


class Flat:
    """A calendar without seasons."""

    def availability(self, day: int) -> np.ndarray:
        return np.ones((N_COUNTRIES, 6), np.float32)

    def need_factor(self, day: int) -> np.ndarray:
        return np.ones((N_COUNTRIES, N_CATEGORIES), np.float32)


def sold(level: float = 1.0) -> np.ndarray:
    return np.full((N_COUNTRIES, N_PLATFORMS), round(100_000 * level), np.int64)


def outlook(trust: float = 0.0) -> Outlook:
    return Outlook(10.0, trust, np.ones(N_CATEGORIES), Flat())


@pytest.fixture
def world():
    """Hosts who have watched thirty even days and know the level at rest."""
    base = make(firms_scale=0.1)
    cuts = base.adaptation.agency_cuts
    scale = Scale(1000.0, {"streamer": 100.0})
    careers = Careers(
        base.cfg, scale, base.draws, base.catalogue, base.streamers, cuts, Flat(), DAY, DAY + 30, felt_label=0.35
    )
    careers.outlook = rooms = outlook()
    for day in range(DAY, DAY + 30):
        rooms.learn(day, sold(), sold())
    careers.hear(ALWAYS * 0.6)
    careers.settle(RULES)
    return SimpleNamespace(base=base, careers=careers, outlook=rooms, hosts=base.streamers, ledger=base.ledger)


def columns(world) -> dict[str, np.ndarray]:
    return {column.name: world.hosts[column.name].copy() for column in world.hosts}


def weeks(world, count: int = 4, rules=RULES) -> None:
    for day in range(DAY + 30, DAY + 30 + 7 * count):
        world.careers.move(rules, day, world.ledger)
        world.careers.claim(rules, day)


def change(world, level: float, days: int = 80) -> None:
    for day in range(days):
        world.outlook.learn(DAY + 30 + day, sold(level), sold())


# -- the formulas ----------------------------------------------------------------------------------------------------
def test_hours_follow_income_and_stop_at_the_most_a_host_can_do():
    assert hours_worked(0.0, 0.5, 2.0) == 1
    assert hours_worked(-0.7, 0.0, 2.0) == 1
    assert hours_worked(-1.0, 0.5, 2.0) < hours_worked(-0.5, 0.5, 2.0) < 1 < hours_worked(0.5, 0.5, 2.0)
    assert hours_worked(9.0, 0.5, 2.0) == 2
    # supply meets what an hour brings: effort = (income / effort)^elasticity
    effort = float(hours_worked(0.5, 1.0, 9.0))
    assert effort == pytest.approx(np.exp(0.5) / effort, rel=1e-5)


def test_bargaining_claims_and_thresholds():
    assert bargaining_power(0.0, 0.3) == 1 == bargaining_power(5.0, 0.0)
    assert bargaining_power(-1.0, 0.3) < 1 < bargaining_power(1.0, 0.3)
    assert worth_of_claims(0.6, 0.6, False, 0.35, 0.35) == 1 == worth_of_claims(0.6, 0.6, True, 0.35, 0.35)
    assert worth_of_claims(0.0, 0.6, False, 0.35, 0.35) == 0
    assert worth_of_claims(0.6, 0.6, True, 0.7, 0.35) < worth_of_claims(0.6, 0.6, True, 0.35, 0.35)
    assert worth_of_claims(0.3, 0.6, False, 0.35, 0.35) == pytest.approx(0.5)
    luck = np.linspace(0.01, 0.99, 99)
    limits = threshold(luck, 0.2, 1.0)
    assert limits.min() > 0.2
    assert (np.diff(limits) < 0).all()
    assert threshold(0.5, 0.2, 0.0) == pytest.approx(0.2)


def test_skill_rests_grows_and_is_lost():
    week = (7 / 365, 0.3, 7 / 365)
    assert skill_after(0.5, 0.5, 1.0, 0.0, *week) == 0.5
    assert skill_after(0.5, 0.5, 0.0, 0.0, *week) < skill_after(0.5, 0.5, 0.5, 0.0, *week) < 0.5
    assert skill_after(0.5, 0.5, 1.5, 0.0, *week) > 0.5
    assert skill_after(0.5, 0.5, 1.0, 0.1, *week) > skill_after(0.9, 0.9, 1.0, 0.1, *week) - 0.4
    level = 0.5
    for _ in range(2000):
        level = float(skill_after(level, 0.5, 2.0, 0.0, *week))
    assert level == pytest.approx(0.5 * 2**0.3, rel=1e-3)


# -- at rest ---------------------------------------------------------------------------------------------------------
def test_a_world_at_rest_stays_at_rest(world):
    before = columns(world)
    weeks(world, 8)
    after = columns(world)
    assert [name for name in before if not np.array_equal(before[name], after[name])] == []
    assert world.careers.newcomers.size == 0


def test_nobody_decides_before_the_level_at_rest_is_known(world):
    world.careers._rest = {}
    world.outlook.rest[:] = 0
    before = columns(world)
    change(world, 0.1)
    weeks(world)
    assert all(np.array_equal(before[name], world.hosts[name]) for name in before)


# -- income ----------------------------------------------------------------------------------------------------------
def test_poorer_markets_have_fewer_shows_smaller_discounts_and_fewer_hosts(world):
    change(world, 0.45)
    stayed = world.hosts.active == 1
    world.careers.rule = world.careers.rule.model_copy(update={"patience_days": 0.0})
    weeks(world)
    active = stayed & (world.hosts.active == 1) & (world.hosts.generation == 0)
    assert world.careers.left > 0
    assert world.careers.entered < world.careers.left  # some places of former stars are taken
    shared = world.careers._crowding()[world.hosts.country, world.hosts.platform]
    active &= shared > -0.5  # where others left, who stays has a larger part
    assert active.any()
    assert (world.hosts.effort[active] < 1).all()
    assert (world.hosts.leverage[active] < 1).all()
    gone = (world.hosts.generation == 1) & (world.hosts.active == 0)
    assert gone.any()
    assert (world.hosts.popularity[gone] == 0).all()
    assert (world.hosts.agency[gone] == NO_STREAMER).all()
    assert (world.careers.limits[_LEAVE, active] > 0.3).all()


def test_richer_markets_draw_newcomers_who_start_small(world):
    change(world, 3.0)
    idle = np.flatnonzero(world.hosts.active == 0)
    weeks(world)
    came = idle[world.hosts.active[idle] == 1]
    assert came.size == world.careers.entered > 0
    assert world.careers.left == 0
    assert (world.careers.limits[_ENTER, came] < np.log(3.0)).all()
    started = world.hosts.base_share[came] / world.careers._lasting[came]
    assert ((started >= 0.0999) & (started < 0.2)).all()
    start = world.hosts.base_share[came].copy()
    weeks(world, 20)
    assert (world.hosts.base_share[came] > start).all()


def test_a_host_with_few_visits_reckons_with_newcomers(world):
    careers, hosts = world.careers, world.hosts
    careers._visits[:] = 0.0  # nobody has seen anything of the own share
    active = np.flatnonzero(hosts.active == 1)
    assert not careers.own()[active].any()
    found = []
    for factor in (1.0, 1.5, 2.0):  # of everybody's lasting fame
        crowd = careers._rest["crowd"] * factor
        careers._crowd = lambda crowd=crowd: crowd
        found.append(careers.own()[active])
        np.testing.assert_allclose(found[-1], -np.log(factor), atol=1e-6)
        assert np.allclose(careers.gross(RULES)[active], found[-1], atol=1e-6)
    careers._visits[:] = 1e12  # everything is seen: the share is what it is
    assert np.allclose(careers.own()[active], 0.0, atol=1e-6)


def test_a_newcomer_expects_the_fame_reached_so_far(world):
    careers, hosts = world.careers, world.hosts
    careers._visits[:] = 0.0
    host = int(np.flatnonzero(hosts.active == 1)[0])
    crowd = careers._rest["crowd"].copy()
    careers._crowd = lambda: crowd
    hosts.base_share[host] *= 0.1
    assert careers.own()[host] == pytest.approx(np.log(0.1), abs=1e-4)


def test_a_newcomer_comes_to_no_more_than_a_part_of_the_audience(world):
    change(world, 20.0)
    world.careers.limits[_ENTER] = 0.0
    crowd = world.careers._crowd().copy()
    idle = np.flatnonzero(world.hosts.active == 0)
    world.careers._hosts_built[:] = 0  # so that fame would be without bounds
    world.careers._enter(idle[:1], DAY + 40)
    cell = int(world.hosts.country[idle[0]]), int(world.hosts.platform[idle[0]])
    fame = world.careers._lasting[idle[0]]
    assert 0 < fame / (fame + crowd[cell]) <= LARGEST_SHARE + 1e-6


def test_another_person_comes_in_a_row_that_was_left(world):
    row = np.flatnonzero(world.hosts.active == 1)[:1]
    voice, limit = world.hosts.slot_habit[row].copy(), world.careers.limits[_LEAVE, row].copy()
    world.careers._leave(row)
    world.careers._enter(row, DAY + 40)
    assert world.hosts.generation[row] == 1
    assert np.array_equal(world.careers.replaced, row)
    assert not np.array_equal(world.hosts.slot_habit[row], voice)
    assert world.careers.limits[_LEAVE, row] != limit


def test_a_better_wage_elsewhere_is_like_a_lower_income(world):
    plain = world.careers.net(RULES)
    world.careers.rule = world.careers.rule.model_copy(update={"outside_wage": 2.0})
    assert np.allclose(world.careers.net(RULES), plain - np.log(2.0), atol=1e-5)
    world.careers.rule = world.careers.rule.model_copy(update={"outside_wage": 1.0})
    dearer = world.careers.net(RULES.amend({"host.virtual_cost": 2.0}))
    virtual = world.hosts.type == STREAMER_TYPES.index("virtual")
    assert (dearer[virtual] < plain[virtual]).all()
    assert np.array_equal(dearer[~virtual], plain[~virtual])


def test_a_capped_commission_is_known_without_a_sale(world):
    plain = world.careers.net(RULES)
    capped = world.careers.net(RULES.amend({"commission.cap": 0.05}))
    assert (capped < plain - 0.5).all()
    assert world.careers.net(RULES.amend({"commission.cap": 0.9})) == pytest.approx(plain)


# -- where, when, in which language ----------------------------------------------------------------------------------
def test_what_merchants_offer_past_the_platform_counts_as_income(world):
    catalogue = world.base.catalogue
    catalogue.trading[:] = 1
    rest = world.careers.gross(RULES)
    gains = []
    for permille in (0, 20, 60):
        catalogue.host_offer_permille[:] = permille
        gains.append(float((world.careers.gross(RULES) - rest).mean()))
    assert gains[0] == 0 < gains[1] < gains[2]
    catalogue.host_offer_permille[:] = 0
    catalogue.slot_fee_change[:] = -500
    assert float((world.careers.gross(RULES) - rest).max()) <= 0
    assert float((world.careers.gross(RULES) - rest).min()) < 0, "a lower slot fee is a lower income"
    before = catalogue.on_platform.copy()
    catalogue.slot_fee_change[:] = 0
    catalogue.host_offer_permille[:] = 60
    catalogue.on_platform[:, 1] = 0
    elsewhere = world.careers.gross(RULES) - rest
    assert (elsewhere[world.hosts.platform == 1] == 0).all(), "nobody sells there"
    catalogue.on_platform[:] = before


def test_hosts_leave_a_closed_platform_and_take_a_part_of_their_audience_along(world):
    home = COUNTRIES.index("ID")
    here = np.flatnonzero((world.hosts.country == home) & (world.hosts.active == 1))
    platform = int(np.bincount(world.hosts.platform[here]).argmax())
    on_it = here[world.hosts.platform[here] == platform]
    is_open = np.array(RULES.platform.open)
    is_open[home, platform] = 0
    lasting, crowd = world.careers._lasting.copy(), world.careers._crowd().copy()
    weeks(world, 4, RULES.amend({"platform.open": is_open}))
    assert world.careers.moved == on_it.size
    assert (world.hosts.platform[on_it] != platform).all()
    factor = world.careers._audience[home, platform] / world.careers._audience[home, world.hosts.platform[on_it]]
    taken = factor * lasting[on_it]  # as many people, unless that were more than a part of all who watch there
    most = LARGEST_SHARE / (1 - LARGEST_SHARE) * crowd[home, world.hosts.platform[on_it]]
    assert (world.careers._lasting[on_it] <= taken + 1e-6).all()
    assert (world.careers._lasting[on_it] >= np.minimum(taken, most) - 1e-6).all()
    assert (world.hosts.base_share[on_it] < world.careers._lasting[on_it]).all()


def test_a_small_advantage_moves_nobody(world):
    ahead = world.careers.attraction(RULES)
    ahead[:, 0] += world.careers.rule.move_cost
    rows = np.flatnonzero(world.hosts.active == 1)
    assert world.careers._move_platform(rows, ahead, DAY).size == 0
    ahead[:, 0] += 10.0
    moved = world.careers._move_platform(rows, ahead, DAY)
    assert (world.hosts.platform[moved] == 0).all()
    assert moved.size > 0
    assert world.careers.limits[_MOVE].min() > 0


def test_a_host_learns_a_language_when_it_pays_and_translation_spares_it(world):
    rows = np.flatnonzero((world.hosts.active == 1) & (world.hosts.language[:, 0] == world.hosts.language[:, 1]))
    world.careers.limits[_SPEAK] = 0.5
    index = np.zeros(len(world.hosts))
    world.careers._learn_language(rows, index, RULES, world.ledger)
    assert (world.hosts.language[rows, 0] == world.hosts.language[rows, 1]).all()
    everybody = np.arange(len(world.careers.streamers))
    translated = world.careers._reach(RULES.amend({"language.translation": 1.0}), everybody)[0]
    assert translated.mean() < 0.5 * world.careers._reach(RULES, everybody)[0].mean()
    world.careers._learn_language(rows, index + 1.0, RULES, world.ledger)
    learns = rows[world.hosts.language[rows, 0] != world.hosts.language[rows, 1]]
    assert learns.size > 0
    assert np.allclose(world.hosts.proficiency[learns, 1], world.careers.rule.language_start)
    paid = -world.ledger.result(Account.STREAMER)[:, int(MoneyPurpose.WAGE)]
    assert (paid[learns] == round(100 * world.careers.scale.firm_amount(3000.0, "streamer"))).all()
    assert paid.sum() == paid[learns].sum()
    weeks(world, 30)
    assert (world.hosts.proficiency[learns, 1] > 0.4).all()


def test_hours_with_more_viewers_of_ones_own_become_dearer(world):
    host = int(np.flatnonzero(world.hosts.active == 1)[0])
    visits = np.zeros(len(world.hosts), np.int64)
    other = int(np.flatnonzero(
        (world.hosts.country == world.hosts.country[host]) & (world.hosts.platform == world.hosts.platform[host])
        & (world.hosts.active == 1)
    )[1])  # fmt: skip
    for day in range(40):
        air = Air.empty(DAY + day, 2, len(world.hosts))
        air.streamer[:] = sorted((host, other))
        air.country[:], air.platform[:] = world.hosts.country[host], world.hosts.platform[host]
        air.popularity[:] = 0.5
        slot = day % 2  # dawn on one day, morning on the next
        air.dayparts[:] = 1 << slot
        visits[[host, other]] = (90, 10) if slot else (10, 90)
        world.careers.watch_hours(DAY + day, air, visits)
    world.careers._work(np.array([host, other]), world.careers.net(RULES))
    assert world.hosts.slot_gain[host, 1] > 0 > world.hosts.slot_gain[host, 0]
    assert world.hosts.slot_gain[other, 0] > 0 > world.hosts.slot_gain[other, 1]
    assert (world.hosts.slot_gain[host, 2:] == 0).all()


# -- claims and deceit -----------------------------------------------------------------------------------------------
def test_claims_follow_trust_and_returns(world):
    for _ in range(8):
        world.careers.count_returns(0, 0)
    counted = np.zeros(2, np.int64)
    for _ in range(20):
        counted += (200, 800)
        world.careers.count_returns(*counted.tolist())
    weeks(world, 1)
    assert (world.hosts.claim_gain == 1).all()
    assert np.allclose(world.hosts.claim_loss, 0)
    for _ in range(60):
        counted += (400, 600)
        world.careers.count_returns(*counted.tolist())
    world.careers.hear(ALWAYS * 0.3)
    weeks(world, 1)
    assert np.allclose(world.hosts.claim_gain, 0.5)
    assert np.allclose(world.hosts.claim_loss, 0.15, atol=1e-3)


def test_only_hidden_deceit_is_exposed_and_labels_end_it(world):
    hosts = world.hosts
    hosts.bots[:] = 0
    world.careers.rule = world.careers.rule.model_copy(update={"exposed_a_year": 1e6})

    def caught(rules):
        found = []
        for day in range(DAY, DAY + 7):
            world.careers.expose(rules, day)
            found.extend(world.careers.exposed.tolist())
        return set(found)

    virtual = set(np.flatnonzero((hosts.type == STREAMER_TYPES.index("virtual")) & (hosts.active == 1)).tolist())
    assert caught(RULES.amend({"disclosure.coverage": 0.0})) == virtual
    assert caught(RULES.amend({"disclosure.coverage": 1.0})) == set()
    hosts.bots[3] = 1.5
    assert caught(RULES.amend({"disclosure.coverage": 1.0})) == {3}
    world.careers.rule = world.careers.rule.model_copy(update={"exposed_a_year": 0.0})
    assert caught(RULES.amend({"disclosure.coverage": 0.0})) == set()


# -- the outlook -----------------------------------------------------------------------------------------------------
def test_a_cell_with_few_orders_believes_its_region():
    rooms = outlook(trust=1e9)
    for day in range(30):
        rooms.learn(day, sold(), sold())
    rooms.settle()
    more = sold()
    more[0, 0] *= 2
    for day in range(200):
        rooms.learn(day, more, sold())
    assert 0 < rooms.ahead()[0, 0] - rooms.ahead()[5, 3] < 0.01  # the two believe their regions, one of which grew
    certain = outlook(trust=0.0)
    for day in range(30):
        certain.learn(day, sold(), sold())
    certain.settle()
    for day in range(200):
        certain.learn(day, more, sold())
    assert certain.ahead()[0, 0] == pytest.approx(np.log(2), rel=1e-3)
    assert certain.ahead()[5, 3] == pytest.approx(0, abs=1e-6)
