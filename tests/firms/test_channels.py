"""Which channels and countries merchants sell through, and what moves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.firms.channels import Channels, moves, worth_of_channel
from sim.kinds import BRAND_SITE, N_CHANNELS, N_COUNTRIES, PLATFORMS, SHELF
from sim.record.schema import MoneyPurpose
from sim.state.ledger import Account
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


def review(world: World, channels: Channels, rounds: int = 1, spare: float | None = None) -> None:
    """Every merchant's turn comes once a round; nothing else happens in between. `spare`: cents that each can spend."""
    day = world.day + (-world.day) % 7
    means = None if spare is None else np.full(world.catalogue.n_merchants, spare)
    for week in range(rounds * channels.rule.review_weeks):
        channels.choose(world.rules, day + 7 * week, world.ledger, means)


def capped(world: World, share: Any) -> None:
    """Platforms may ask `share` at the most."""
    cap = np.ones((N_CHANNELS, 2))
    cap[:8] = share
    world.rules = world.rules.amend({"commission.cap": cap})


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
    world, channels = started("supply.channels.joining_cost=0.0", "supply.channels.spread=0.15")
    before = channels.belongs().copy()
    asked = world.catalogue.commission_asked.copy()
    world.catalogue.commission_asked[:8] += 0.15
    review(world, channels)
    dear = channels.belongs().copy()
    assert dear[:, :8].sum() < before[:, :8].sum()
    assert dear[:, BRAND_SITE].sum() > before[:, BRAND_SITE].sum()
    capped(world, asked[:8])
    review(world, channels, 8)
    same = (channels.belongs() == before)[:, :N_CHANNELS].mean()
    assert same >= 0.995, "but for who joined a site and stays"


def test_what_joining_costs_keeps_some_away_for_good() -> None:
    back = []
    for cost in (0.0, 0.5):
        world, channels = started(f"supply.channels.joining_cost={cost}", "supply.channels.spread=0.15")
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


def test_tastes_are_as_dense_below_the_threshold_as_above() -> None:
    """A small gain brings as many in as the same loss drives out, however few are inside."""
    world, channels = started("supply.channels.least_change=0.0")
    inside, joining = channels.belongs(), channels._joining(world.rules)[0]
    near = 0.02
    small = channels.catalogue.seller_class == 0
    country = slice(N_CHANNELS, None)
    taste = channels.taste[small, country]
    leaving = (inside[small, country] & (taste < near)).sum()
    entering = (~inside[small, country] & (taste > joining[country] - near)).sum()
    assert inside[small, country].mean() < 0.4
    assert abs(int(entering) - int(leaving)) < 4.5 * np.sqrt(entering + leaving)


def test_one_place_at_a_time_and_no_second_country_on_trial() -> None:
    world, channels = started("supply.channels.entrant_sales=1.0", "supply.channels.country_cost=0.0")
    before = channels.belongs().copy()
    capped(world, 0.0)
    channels._left -= 0.3  # as if margins had risen by so much everywhere
    review(world, channels)
    joined = channels.belongs() & ~before
    assert joined[:, :N_CHANNELS].sum(axis=1).max() == 1
    assert joined[:, N_CHANNELS:].sum(axis=1).max() == 1
    assert joined.sum() > 100
    review(world, channels)
    joined = channels.belongs() & ~before
    assert joined[:, :N_CHANNELS].sum(axis=1).max() == 2
    assert joined[:, N_CHANNELS:].sum(axis=1).max() == 1, "still new in the first"


def test_nobody_joins_what_it_cannot_pay_and_who_joins_pays() -> None:
    world, channels = started()
    kept = channels.books._kept[Account.MERCHANT]
    kept.week[:, MoneyPurpose.SALE], kept.since[:] = 1e5, 5  # a thousand dollars a week
    capped(world, 0.05)
    counts, paid = [], []
    for spare in (0.0, 3e5, 1e12):
        before, spent = channels.belongs().copy(), world.ledger.result(Account.MERCHANT).sum()
        review(world, channels, spare=spare)
        joined = channels.belongs() & ~before
        counts.append(int(joined.sum()))
        paid.append(int(spent - world.ledger.result(Account.MERCHANT).sum()))
        if spare == 3e5 and joined.any():
            assert paid[-1] <= spare * joined.sum()
    assert counts[0] == 0 == paid[0]
    assert counts[1] > 0
    assert paid[2] / counts[2] > paid[1] / counts[1] > 0, "with more money they join larger places"


def test_crowding_and_poor_sales_of_entrants_raise_the_bar() -> None:
    world, channels = started()
    rest = channels._joining(world.rules)[0]
    size = channels.catalogue.merchant_size
    channels.catalogue.targets[:, 0] = 1
    channels.catalogue.lister[:] = 1
    after = channels._joining(world.rules)[0]
    assert after[N_CHANNELS] == pytest.approx(rest[N_CHANNELS] * size.sum() / channels._size[N_CHANNELS])
    assert after[SHELF] > rest[SHELF]
    assert (after[1:8] == rest[1:8]).all()
    channels.trials._usual[3], channels.trials._sold[3] = 1000.0, 100.0
    poor = channels._joining(world.rules)[0, N_CHANNELS:] / after[N_CHANNELS:]
    assert poor[3] == poor.max() > 2.0
    assert (poor > 1.0).all(), "what is seen in one country is told in the others"
    assert poor[4] < poor[3]


def test_entrants_stock_for_what_entrants_sell() -> None:
    world, channels = started("supply.channels.entrant_sales=0.25")
    catalogue = world.catalogue
    merchant, country = (int(first[0]) for first in np.nonzero(catalogue.targets == 0))
    catalogue.targets[merchant, country] = 1
    joined = np.zeros((1, N_COUNTRIES), np.bool_)
    joined[0, country] = True
    rows = catalogue.merchant == merchant
    channels.premises.follow_targets(np.zeros(0, np.int64))
    usual = world.adaptation.usual_units()[rows, country].sum()
    channels.trials.begin(np.array([merchant]), joined, channels._wanted(), world.day)
    channels.premises.expect(channels.trials.reach)
    channels.premises.follow_targets(np.zeros(0, np.int64))
    assert 0.2 * usual < world.adaptation.usual_units()[rows, country].sum() < 0.35 * usual
    day = world.day + channels.rule.trial_weeks * 7
    assert channels.trials.watch(channels._wanted(), np.ones(channels.trials.reach.shape), catalogue.targets == 1, day)
    assert (channels.trials.reach == 1).all()
    assert not channels.trials.busy().any()
