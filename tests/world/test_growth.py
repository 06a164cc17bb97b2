"""Growth in a whole world: off it is not there, on it moves adopters and people online, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from sim.calendar import day_of
from sim.experiment import configure
from sim.kinds import ADOPTER, NON_ADOPTER, OFFLINE, REGION_OF_COUNTRY, REGIONS
from sim.state.online import against_base, online_days, sampled
from tests.world.worlds import tiny

NOBODY = ("growth.adoption.contact=0", "growth.adoption.press=0", "growth.adoption.shared_link=0")
FAST = ("growth.adoption.contact=1.0", "growth.adoption.press=0.1")


def test_off_nobody_turns_or_arrives():
    world = tiny()
    before = world.consumers.adopter.copy()
    world.run()
    assert set(np.unique(before)) == {NON_ADOPTER, ADOPTER}
    np.testing.assert_array_equal(world.consumers.adopter, before)
    assert world.diffusion.alive.all()


def test_the_first_adopters_are_a_part_of_the_base_years():
    usual = tiny().consumers
    few = tiny("growth", "growth.internet.grows=false", "days=8").consumers
    share = configure("growth").growth.adoption.start_share
    of_usual = usual.adopter[np.argsort(usual.birth)] == ADOPTER
    of_few = few.adopter[np.argsort(few.birth)] == ADOPTER
    assert not (of_few & ~of_usual).any()
    expected = share * of_usual.sum()
    assert abs(of_few.sum() - expected) < 6 * np.sqrt(expected * (1 - share))  # binomial: odds below 1e-8


def test_rooms_show_an_audience_that_grows_with_adopters():
    usual, few = tiny(), tiny("growth", "days=8", "growth.internet.grows=false", *FAST)
    np.testing.assert_array_equal(usual.diffusion.grown(), 1.0)
    ratio = few.diffusion.grown()
    weight = np.bincount(few.consumers.country, minlength=ratio.size)
    share = few.cfg.growth.adoption.start_share
    assert abs((ratio * weight).sum() / weight.sum() - share) < 0.12
    few.run()
    assert (few.diffusion.grown() >= ratio).all()
    now = np.bincount(few.consumers.country[few.consumers.adopter == ADOPTER], minlength=ratio.size)
    np.testing.assert_array_equal(few.diffusion._adopters, now)
    ones = np.ones(ratio.size)
    levels = [few.market.rooms(few.air, factor * ones).base for factor in (0.0, 0.5, 1.0)]
    assert (levels[0] < levels[1]).any()
    assert (np.diff(levels, axis=0) >= 0).all()


def test_live_shopping_spreads_and_is_given_up_and_nothing_is_lost():
    grown = tiny("growth", "days=8", *FAST)
    left = tiny("growth", "days=8", *NOBODY, "growth.adoption.drop=0.1")
    start = [(world.consumers.adopter == ADOPTER).sum() for world in (grown, left)]
    grown.run()
    left.run()  # conservation of money, goods, orders and people is checked every day
    assert (grown.consumers.adopter == ADOPTER).sum() > 1.5 * start[0]
    assert (left.consumers.adopter == ADOPTER).sum() < start[1]


def test_the_internet_grows_by_region_until_its_ceiling():
    cfg = configure("growth")
    first, last = day_of(cfg.first_day), day_of(cfg.last_day)
    years = (last - first) / 365.25
    ratio = against_base(cfg, last) / against_base(cfg, first)
    for name, rate in cfg.growth.internet.yearly.items():
        region = ratio[np.asarray(REGION_OF_COUNTRY) == REGIONS.index(name)]
        assert (region <= (1 + rate) ** years * (1 + 1e-5)).all()
    africa = ratio[np.asarray(REGION_OF_COUNTRY) == REGIONS.index("africa")]
    assert africa.max() == pytest.approx(1.15**years, rel=1e-4)
    rows = np.arange(40_000)
    days = online_days(cfg, np.full(rows.size, 17), rows.astype(np.uint32), tiny().draws)
    there = (days <= first).mean()
    assert abs(there - 1 / ratio[17]) < 6 * np.sqrt(0.25 / rows.size)
    assert sampled(cfg).online_adults().sum() > cfg.geography.online_adults().sum()
    still = configure("growth", ["growth.internet.grows=false"])
    assert sampled(still) is still.geography


def test_people_come_online_without_live_shopping_and_do_nothing_before():
    fast = ("growth.internet.yearly.southeast_asia=0.5", "growth.internet.yearly.africa=0.5")
    world = tiny("growth", "days=8", *fast)
    offline = world.consumers.adopter == OFFLINE
    assert offline.any()
    later = np.zeros(offline.size, bool)
    while world.day < world.frame.end_day:
        spent = world.consumers.spent_cents[offline & ~later].copy()
        sure = offline & ~later
        world.step()
        later = offline & (world.consumers.adopter != OFFLINE)
        still = offline & ~later
        np.testing.assert_array_equal(world.consumers.spent_cents[sure][still[sure]], spent[still[sure]])
    np.testing.assert_array_equal(world.diffusion.alive == 0, world.consumers.adopter == OFFLINE)


def test_a_start_date_before_the_tables_is_refused():
    first = configure("growth").first_day
    assert first == configure("growth").start_date - timedelta(days=90)
    with pytest.raises(Exception, match="outside the calendar tables"):
        configure("growth", ["start_date=1999-06-01"])
