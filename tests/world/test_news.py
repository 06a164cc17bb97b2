"""Scandals and good news: nobody without reach, everybody concerned at reach one, friends when told; its level only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.day.news import FRESH, OLD, UNHEARD, Stories, moved, moved_words
from sim.interventions.base import Hosts, News
from sim.kinds import COUNTRIES, N_CATEGORIES, N_COUNTRIES, N_PLATFORMS
from sim.state.table import FIXED
from sim.world import World
from tests.world.worlds import tiny, with_row

EFFECT = 0.02
ALL = Hosts(
    np.ones(N_COUNTRIES, bool), np.ones(N_PLATFORMS, bool), np.ones(N_CATEGORIES, bool), np.ones(3, bool), (1, 1)
)
NEWS = News("story", "channel", ALL, np.ones(2, bool), -0.5, 1.0, 0.0)
NONE = np.zeros(0, np.int64)


@pytest.fixture
def world() -> World:
    return tiny()


def evening(world: World, news: News, about=NONE, days: int = 1) -> Stories:
    """The world's people after some evenings of a story."""
    stories = Stories(world.consumers, world.market.setting.platform_slots, world.graph, EFFECT)
    for day in range(days):
        stories.pass_day([(news, about)], world.catalogue, world.market.offers.reputation, world.day + day, world.draws)
    return stories


def test_shares_move_towards_nothing_or_all():
    share = np.array([0.0, 0.5, 1.0])
    assert moved(share, -0.4).tolist() == pytest.approx([0.0, 0.3, 0.6])
    assert moved(share, 0.4).tolist() == pytest.approx([0.4, 0.7, 1.0])
    words = np.arange(65_536).astype(np.uint16)
    np.testing.assert_array_equal(moved_words(words, 0.0), words)
    assert (moved_words(words, -1.0) == 0).all()
    assert (moved_words(words, 1.0) == FIXED).all()


def test_without_reach_nobody_hears_and_without_size_nothing_moves(world: World):
    before = {name: world.consumers[name].copy() for name in ("trust", "channel_trust", "bonds")}
    assert (evening(world, replace(NEWS, reach=0.0)).heard["story"] == UNHEARD).all()
    assert (evening(world, replace(NEWS, change=0.0)).heard["story"] != UNHEARD).any()
    for name, values in before.items():
        np.testing.assert_array_equal(world.consumers[name], values)


def test_a_platforms_news_reaches_its_users_and_moves_trust_in_it(world: World):
    platform, home = 1, COUNTRIES.index("US")
    hosts = replace(ALL, countries=np.arange(N_COUNTRIES) == home, platforms=np.arange(N_PLATFORMS) == platform)
    people, before, general = world.consumers, world.consumers.channel_trust.copy(), world.consumers.trust.copy()
    heard = evening(world, replace(NEWS, hosts=hosts)).heard["story"]
    users = (people.country == home) & (people.adopter == 1)
    np.testing.assert_array_equal(heard == FRESH, users)
    named = np.zeros(before.shape, bool)
    named[:, :4] = (world.market.setting.platform_slots == platform)[people.country]
    named &= users[:, None]
    assert named.any()
    np.testing.assert_array_equal(people.channel_trust[~named], before[~named])
    np.testing.assert_allclose(people.channel_trust[named], 0.5 * before[named], atol=1)
    np.testing.assert_array_equal(people.trust[~users], general[~users])
    np.testing.assert_allclose(people.trust[users], (1 - EFFECT) * general[users], atol=1)


def test_reach_is_a_share_and_nobody_hears_twice(world: World):
    first = evening(world, replace(NEWS, reach=0.3)).heard["story"]
    users = (world.consumers.adopter == 1).sum()
    count = (first == FRESH).sum()
    assert abs(count - 0.3 * users) < 6 * np.sqrt(0.21 * users)  # binomial: odds below 1e-8
    later = evening(world, replace(NEWS, reach=0.3), days=3).heard["story"]
    assert (later[first == FRESH] == OLD).all()
    assert count < (later != UNHEARD).sum() < users


def test_friends_are_told_on_the_day_after(world: World):
    host = int(np.bincount(world.consumers.follows[world.consumers.follows < 65_535]).argmax())
    news = replace(NEWS, level="bond", told=1.0)
    bonds, follows = world.consumers.bonds.copy(), world.consumers.follows
    followers = (follows == host).any(axis=1)
    silent = evening(world, replace(news, told=0.0, change=0.0), np.array([host]), days=2).heard["story"]
    np.testing.assert_array_equal(silent != UNHEARD, followers)
    heard = evening(world, news, np.array([host]), days=2).heard["story"]
    person, friend = world.graph.pairs()
    friends = np.zeros(len(world.consumers), bool)
    friends[friend[followers[person]]] = True
    np.testing.assert_array_equal(heard != UNHEARD, followers | friends)
    np.testing.assert_array_equal(heard == FRESH, friends & ~followers)
    hit = follows == host
    np.testing.assert_array_equal(world.consumers.bonds[~hit], bonds[~hit])
    np.testing.assert_allclose(world.consumers.bonds[hit], 0.5 * bonds[hit], atol=1)


def test_a_categorys_news_moves_its_sellers_by_the_share_who_heard(world: World):
    hosts = replace(ALL, categories=np.arange(N_CATEGORIES) == 1)
    reputation = world.market.offers.reputation
    before = reputation.copy()
    news = replace(NEWS, level="reputation", hosts=hosts, change=0.4, reach=0.5)
    share = (evening(world, news).heard["story"] == FRESH).mean()
    named = world.catalogue.merchant_category == 1
    assert 0.3 < share < 0.7
    np.testing.assert_array_equal(reputation[~named], before[~named])
    np.testing.assert_allclose(reputation[named], before[named] + 0.4 * share * (1 - before[named]), rtol=1e-5)


def test_the_row_says_it_for_as_long_as_it_lasts_and_it_is_then_forgotten():
    world = tiny("baseline", *with_row("talk", "scandal", "channel=-0.5", "reach=0.5", "start=1", "end=3"))
    heard = []
    while world.day < world.frame.end_day:
        world.step()
        heard.append(int((world.stories.heard.get("talk", NONE) != UNHEARD).sum()))
    assert heard[0] == 0 < heard[1] < heard[2]
    assert heard[3:] == [0] * len(heard[3:])


def test_a_removed_host_loses_shows_and_gets_them_back():
    row = with_row("gone", "streamer_removed", "start=1", "end=5", "scope={countries: [US], streamer_ranks: [1, 3]}")
    for strength, hosts in ((0.4, 1), (1.0, 3)):
        world = tiny("baseline", *row, f"+interventions.gone.strength={strength}")
        away = []
        while world.day < world.frame.end_day:
            world.step()
            away.append(np.flatnonzero(world.streamers.away).tolist())
        assert away[0] == []
        assert [len(day) for day in away[1:5]] == [hosts] * 4
        assert {COUNTRIES[country] for country in world.streamers.country[away[1]]} == {"US"}
        assert away[5:] == [[]] * len(away[5:])
