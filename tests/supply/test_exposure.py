"""Recommendation pools: shares follow weights, and one show's change moves few slots."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kernels.supply import Ranked, fill_pools
from sim.kinds import N_CATEGORIES, NO_SHOW
from sim.state.catalogue import POOL_SLOTS
from tests.supply.world import DAY, RULES, make


@pytest.fixture(scope="module")
def world():
    return make()


def pools(world, rules=RULES, days=3, change=None):
    """Slots by streamer, summed over days and dayparts, int64[S]; and the last day's pools."""
    slots = np.zeros(len(world.streamers), np.int64)
    for day in range(DAY + 1, DAY + 1 + days):
        air = world.supply.schedule(rules, day)
        if change is not None:
            change(air)
            world.supply.rerank(air)
        for daypart in range(6):
            pool, value = world.supply.expose(air, rules, daypart)
            on = pool[pool != NO_SHOW]
            slots += np.bincount(air.streamer[on], minlength=slots.size)
    return slots, air, pool.copy(), value.copy()


def test_pools_hold_shows_on_air_that_sell_there(world):
    air = world.supply.schedule(RULES, DAY + 1)
    for daypart in range(6):
        pool, value = world.supply.expose(air, RULES, daypart)
        for country, platform in zip(*np.nonzero(pool[:, :, 0, 0] != NO_SHOW), strict=True):
            shows = np.unique(pool[country, platform])
            assert (air.platform[shows] == platform).all()
            assert (air.dayparts[shows] & (1 << daypart) != 0).all()
            assert (world.catalogue.landed_cents[air.lineup[shows], country, 0] > 0).all()
        empty = pool[:, :, 0, 0] == NO_SHOW
        assert (pool[empty] == NO_SHOW).all()
        assert (value[empty] == 0).all()
        assert (value[~empty] > 0).all()


def test_popular_hosts_and_matching_line_ups_fill_more_slots(world):
    slots, _, _, _ = pools(world)
    popular = world.streamers.popularity > np.median(world.streamers.popularity)
    assert slots[popular].sum() > 3 * slots[~popular].sum()
    air = world.supply.schedule(RULES, DAY + 1)
    pool, _ = world.supply.expose(air, RULES, 4)
    matched = [
        (air.category[pool[:, :, kind][pool[:, :, kind] != NO_SHOW]] == kind).mean() for kind in range(N_CATEGORIES)
    ]
    blind = RULES.amend({"recommendation.precision": 0.0})
    air = world.supply.schedule(blind, DAY + 1)
    pool, _ = world.supply.expose(air, blind, 4)
    unmatched = [
        (air.category[pool[:, :, kind][pool[:, :, kind] != NO_SHOW]] == kind).mean() for kind in range(N_CATEGORIES)
    ]
    assert np.mean(matched) > 1.1 * np.mean(unmatched)


def test_shares_are_in_proportion_to_weights(world):
    shows, draws = 20, 300
    one = np.zeros(shows, np.uint8)
    weight = np.linspace(1, 4, shows).astype(np.float32)
    flat = np.ones((shows, 1), np.float32)
    ranked = Ranked(weight, np.ones(shows, np.float32), flat, flat, np.ones(shows, np.uint32))
    heard = np.ones((1, 1), np.float32)
    pool, value = np.zeros((1, 1, 1, POOL_SLOTS), np.uint16), np.zeros((1, 1, 1), np.float32)
    counts = np.zeros(shows)
    for tick in range(draws):
        fill_pools(
            shows, 0, tick, np.arange(shows, dtype=np.uint16), one, one, np.zeros((shows, 2), np.uint8),
            one + np.uint8(1), ranked, heard, heard, np.float32(1), np.ones((1, 1), np.uint8), world.supply._race,
            world.draws.key[0], world.draws.key[1], pool, value,
        )  # fmt: skip
        counts += np.bincount(pool.reshape(-1), minlength=shows)
    share = weight / weight.sum()
    expected = draws * POOL_SLOTS * share
    worst = np.abs(counts - expected) / np.sqrt(expected * (1 - share))
    assert worst.max() < 5.5  # 20 shows: odds of a false alarm below 1e-5
    assert value[0, 0, 0] == pytest.approx(np.log(1 + shows), rel=1e-5)


def test_removing_a_show_moves_only_the_slots_it_held(world):
    _, air, before, _ = pools(world, days=1)
    show = int(np.bincount(before[before != NO_SHOW]).argmax())
    air.dayparts[show] = 0
    after, _ = world.supply.expose(air, RULES, 5)
    changed = before != after
    assert changed.any()
    assert (before[changed] == show).all()


def test_lifting_one_show_only_takes_slots_from_others(world):
    _, air, before, _ = pools(world, days=1)
    show = int(before[before != NO_SHOW][0])
    air.popularity[show] *= 4
    world.supply.rerank(air)
    after, _ = world.supply.expose(air, RULES, 5)
    changed = before != after
    assert changed.any()
    assert (after[changed] == show).all()


def test_margin_weight_shifts_exposure_to_rooms_of_high_margin(world):
    def mean_margin(theta):
        rules = RULES.amend({"exposure.margin_weight": theta})
        slots, _, _, _ = pools(world, rules, days=4)
        price = np.zeros(len(world.streamers))
        air = world.supply.schedule(rules, DAY + 4)
        price[air.streamer] = world.supply._price_usd[air.lineup].mean(axis=1)
        return (slots * price).sum() / slots[price > 0].sum()

    none, some, much = mean_margin(0.0), mean_margin(2.0), mean_margin(10.0)
    assert none < some < much


def test_fake_viewers_help_until_they_are_detected(world):
    fakes = world.streamers.bots > 0
    assert fakes.any()
    undetected = pools(world)[0]
    rules = RULES.amend({"exposure.bot_detection": 1.0})
    detected = pools(world, rules)[0]
    assert undetected[fakes].sum() > detected[fakes].sum()
    assert undetected[~fakes].sum() < detected[~fakes].sum()


def test_fewer_rooms_on_air_are_worth_less(world):
    _, air, _, value = pools(world, days=1)
    air.dayparts[::2] = 0
    _, less = world.supply.expose(air, RULES, 5)
    assert (less <= value).all()
    assert less.sum() < 0.9 * value.sum()


def test_translation_raises_what_rooms_are_worth_and_who_is_shown(world):
    _, _, _, value = pools(world, days=1)
    size = RULES.language.translation.shape
    rules = RULES.amend({"language.translation": np.full(size, 0.9)})
    _, _, _, translated = pools(world, rules, days=1)
    assert translated.sum() > value.sum()
    assert POOL_SLOTS == 64
