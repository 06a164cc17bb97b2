"""Data breaches: never without hazard, daily at hazard one, at its pace between; they cost trust in that platform."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.consumer import Consumer, Today
from sim.day.opinion import Opinion
from sim.kinds import N_CHANNELS, N_PLATFORMS
from sim.record.schema import N_CELLS, Measure
from sim.record.tally import Tally
from sim.state.consumers import people_of
from sim.state.table import Table
from tests.consumer.market import FIRST_DAY, SyntheticMarket, synthetic_market
from tests.consumer.test_twin import agents_of

CONSUMERS = 500


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(CONSUMERS, streamers=120, shows=80, merchants=40)


def live(market: SyntheticMarket, hazard: np.ndarray, day: int, **params: float) -> tuple[Table, Tally]:
    """The evening of one day."""
    param = market.param.copy()
    for name, value in params.items():
        param[name] = value
    table = market.copy_of_people()
    tally = Tally(day, 1, 120, 40, 1)
    tally.open_day(day)
    Opinion.leak(hazard, param, people_of(table), market.setting.platform_slots, day, market.draws, tally)
    return table, tally


def hit(tally: Tally) -> np.ndarray:
    """Persons hit, by channel."""
    return (
        np.asarray(tally.today[Measure.BREACHED]).reshape(-1, N_CHANNELS, N_CELLS // 20 // N_CHANNELS).sum(axis=(0, 2))
    )


def test_no_hazard_no_breach_and_a_certain_one_concerns_the_platforms_users(market: SyntheticMarket) -> None:
    hazard = np.zeros(N_PLATFORMS)
    before = market.table.channel_trust
    table, tally = live(market, hazard, FIRST_DAY)
    np.testing.assert_array_equal(table.channel_trust, before)
    assert hit(tally).sum() == 0
    hazard[1] = 1.0
    slots = market.setting.platform_slots[market.table.country]
    users = (slots == 1) & (market.table.adopter == 1)[:, None]
    counts = []
    for reach in (0.0, 0.3, 1.0):
        table, tally = live(market, hazard, FIRST_DAY, trust_breach_reach=reach, trust_breach_loss=0.5)
        changed = table.channel_trust != before
        assert not changed[:, :4][~users].any()
        assert not changed[:, 4].any()  # shelf and brand sites
        np.testing.assert_array_equal(table.trust, market.table.trust)
        assert hit(tally).sum() == hit(tally)[1] == changed.sum()
        lost = 1 - table.channel_trust[changed] / before[changed]
        np.testing.assert_allclose(lost, 0.5, atol=1e-4)
        counts.append(int(changed.sum()))
    assert counts[0] == 0
    assert counts[2] == users.sum() > 50
    # binomial: six standard errors, odds below 1e-8
    assert abs(counts[1] - 0.3 * counts[2]) < 6 * np.sqrt(0.21 * counts[2])


def test_breaches_come_at_the_hazards_pace_and_more_hazard_only_adds(market: SyntheticMarket) -> None:
    lottery = {}
    for hazard in (0.01, 0.2):
        lottery[hazard] = np.array(
            [
                hit(live(market, np.full(N_PLATFORMS, hazard), FIRST_DAY + day, trust_breach_reach=1.0)[1])[
                    :N_PLATFORMS
                ]
                > 0
                for day in range(250)
            ]
        )
    offered = np.isin(
        np.arange(N_PLATFORMS), market.setting.platform_slots[market.table.country[market.table.adopter == 1]]
    )
    trials = 250 * offered.sum()
    breaches = lottery[0.2].sum()
    assert abs(breaches - 0.2 * trials) < 6 * np.sqrt(0.16 * trials)
    assert lottery[0.01].sum() > 0
    assert not (lottery[0.01] & ~lottery[0.2]).any()


def test_readable_and_compiled_agree(market: SyntheticMarket) -> None:
    hazard = np.zeros(N_PLATFORMS)
    hazard[[1, 6]] = 1.0
    day = FIRST_DAY + 3
    compiled, tally = live(market, hazard, day)
    other = market.copy_of_people()
    population = agents_of(other).population
    today = Today(market.param[0], market.setting, day, *market.draws.key)
    struck = 0
    for row in range(CONSUMERS):
        consumer = population.view(row)
        assert isinstance(consumer, Consumer)
        struck += sum(consumer.hears_of_breach(today, platform) for platform in (1, 6))
    np.testing.assert_array_equal(compiled.channel_trust, other.channel_trust)
    assert struck == hit(tally).sum() > 0
