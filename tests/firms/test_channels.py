"""Which channels and countries merchants sell through, and what moves them."""

from __future__ import annotations

import numpy as np
import pytest

from sim.firms.channels import Channels, moves, worth_of_channel
from sim.kinds import BRAND_SITE, N_CHANNELS, PLATFORMS
from sim.world import World
from tests.world.worlds import tiny

EARLY = (
    "supply.books.first_week=0", "supply.solvency.start_weeks=1", "supply.decide.entry_exit=false", "days=60",
    "calendar=flat", "supply.decide.platforms=false", "supply.decide.prices=false",
)  # fmt: skip
TIKTOK = PLATFORMS.index("tiktok_shop")


def started(*overrides: str) -> tuple[World, Channels]:
    """A tiny world whose merchants know their tastes."""
    world = tiny("baseline", *EARLY, *overrides)
    channels = world.decisions.channels
    assert channels is not None
    while not channels._known:
        world.step()
    return world, channels


def review(world: World, channels: Channels, weeks: int = 4) -> None:
    """Every merchant's turn comes once in four weeks; nothing else happens in between."""
    day = world.day + (-world.day) % 7
    for week in range(weeks):
        channels.choose(world.rules, day + 7 * week, world.ledger)


def test_the_worth_of_a_channel() -> None:
    assert worth_of_channel(0.1, 0.5, 0.0, 0.0, 0.0) == 0.1
    assert worth_of_channel(0.1, 0.5, 0.0, 0.04, 0.0) == pytest.approx(0.06)
    assert worth_of_channel(0.1, 0.5, 0.02, 0.0, 0.04) == pytest.approx(0.13)
    assert worth_of_channel(0.1, 1.0, 0.0, 0.0, 0.04) == 0.1, "where nothing is diverted other charges do not matter"


def test_joining_needs_more_than_staying() -> None:
    inside, worth = np.array([True, True, False, False]), np.array([-0.01, 0.01, 0.01, 0.03])
    assert moves(inside, worth, 0.02).tolist() == [False, True, False, True]


def test_at_rest_nobody_moves() -> None:
    world, channels = started()
    before = channels.belongs().copy()
    for _ in range(35):
        world.step()
    assert (channels.belongs() == before).all()
    assert channels.moved.sum() == 0


def test_a_dearer_platform_loses_sellers_and_own_sites_win_them() -> None:
    left, sites = [], []
    for rise in (0.0, 0.05, 0.2):
        world, channels = started()
        before = channels.belongs().copy()
        world.catalogue.commission_asked[TIKTOK] += rise
        review(world, channels)
        after = channels.belongs()
        left.append(int((before & ~after)[:, TIKTOK].sum()))
        sites.append(int(after[:, BRAND_SITE].sum()))
        assert not (after & ~before)[:, TIKTOK].any()
        assert after[:, :N_CHANNELS].any(axis=1).all()
    assert left[0] == 0
    assert left[0] < left[1] < left[2]
    assert sites[0] <= sites[1] <= sites[2]


def test_all_platforms_dearer_and_a_cap_that_takes_it_back() -> None:
    world, channels = started("supply.channels.joining_cost=0.0")
    before = channels.belongs().copy()
    asked = world.catalogue.commission_asked.copy()
    world.catalogue.commission_asked[:8] += 0.15
    review(world, channels)
    dear = channels.belongs().copy()
    assert dear[:, :8].sum() < before[:, :8].sum()
    assert dear[:, BRAND_SITE].sum() > before[:, BRAND_SITE].sum()
    cap = np.ones((N_CHANNELS, 2))
    cap[:8] = asked[:8]
    world.rules = world.rules.amend({"commission.cap": cap})
    review(world, channels, 8)
    same = (channels.belongs() == before)[:, :N_CHANNELS].mean()
    assert same >= 0.995, "but for who joined a site and stays"


def test_what_joining_costs_keeps_some_away_for_good() -> None:
    back = []
    for cost in (0.0, 0.5):
        world, channels = started(f"supply.channels.joining_cost={cost}")
        asked = world.catalogue.commission_asked.copy()
        world.catalogue.commission_asked[:8] += 0.15
        review(world, channels)
        low = int(channels.belongs()[:, :8].sum())
        world.catalogue.commission_asked[:] = asked
        review(world, channels)
        back.append(int(channels.belongs()[:, :8].sum()) - low)
    assert back[0] > back[1] >= 0


def test_a_duty_on_stock_drives_some_out_of_the_country_and_their_stock_is_sold_off() -> None:
    gone = []
    for duty in (0.0, 0.2, 1.0):
        world, channels = started()
        country = int(world.catalogue.stocked.sum(axis=0).argmax())
        rate = np.array(world.rules.tariff.bulk_duty_rate)
        rate[country] += duty
        world.rules = world.rules.amend({"tariff.bulk_duty_rate": rate})
        before = channels.belongs().copy()
        review(world, channels)
        out = (before & ~channels.belongs())[:, N_CHANNELS:]
        gone.append(int(out[:, country].sum()))
        assert out.sum() == out[:, country].sum(), "other countries keep their sellers"
        review(world, channels)
        left = (world.catalogue.targets == 0)[world.catalogue.merchant]
        assert (world.catalogue.real[:, 4:][left] == 0).all()
        assert (world.catalogue.landed_cents[:, :, 0][left] == 0).all()
        world.fulfilment.check(recount=True)
        world.ledger.check()
        world.step()
    assert gone[0] == 0
    assert gone[0] < gone[1] < gone[2]


def test_switched_off_nobody_chooses() -> None:
    world = tiny("baseline", *EARLY, "supply.decide.channels=false")
    assert world.decisions.channels is None
