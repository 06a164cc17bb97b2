"""Live shopping taken up and given up: never without cause, always with enough, friends between; twins agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.agents.consumer import Consumer, Today
from sim.day.diffusion import adoption_record
from sim.experiment import configure
from sim.kernels.adoption import give_up_chance, take_up_chance, weigh_adoption
from sim.kernels.friends import pack
from sim.kinds import ADOPTER, N_COUNTRIES, NON_ADOPTER, OFFLINE
from sim.state.consumers import people_of
from sim.state.table import Table
from tests.consumer.market import FIRST_DAY, SyntheticMarket, synthetic_market
from tests.consumer.test_twin import agents_of

CONSUMERS = 700
NOTHING = {"press": 0, "contact": 0, "shared_link": 0, "drop": 0, "drop_idle": 0}
FRIENDS = (3 * np.arange(CONSUMERS)[:, None] + np.arange(1, 5)) % CONSUMERS  # four each, further down the table
ROWS = pack(np.arange(0, FRIENDS.size + 1, 4), FRIENDS.reshape(-1).astype(np.int32))


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    market = synthetic_market(CONSUMERS, streamers=120, shows=80, merchants=40)
    rng = np.random.default_rng(5)
    market.table.adopter[:] = rng.choice([NON_ADOPTER, ADOPTER, OFFLINE], CONSUMERS, p=[0.5, 0.35, 0.15])
    market.table.trust[:] = rng.integers(20_000, 65_536, CONSUMERS)
    market.table.shared_host[rng.random(CONSUMERS) < 0.4] = 3
    return market


def rule(**changed: float) -> Any:
    """The parameters, some of them changed."""
    record = adoption_record(configure("growth"))
    for name, value in changed.items():
        record[name] = value
    return record


def week(market: SyntheticMarket, table: Table, rules: Any, idle: int = 0) -> np.ndarray:
    """Who turns on the seven days of a week, every day from the same state."""
    turned, once = np.zeros(CONSUMERS, int), np.zeros(CONSUMERS, np.uint8)
    ease = np.ones((N_COUNTRIES, 4), np.float32)
    for day in range(FIRST_DAY, FIRST_DAY + 7):
        visited = np.full(CONSUMERS, day - idle, np.uint16)
        weigh_adoption(
            rules, people_of(table), table.age, market.setting.need_rate, ease, visited, day, ROWS,
            *market.draws.key, once,
        )  # fmt: skip
        turned += once
    return turned


def test_nobody_turns_without_cause_and_everybody_does_with_enough(market: SyntheticMarket) -> None:
    table = market.copy_of_people()
    assert week(market, table, rule(**NOTHING)).sum() == 0
    np.testing.assert_array_equal(week(market, table, rule(**NOTHING | {"press": 1e4})), table.adopter == NON_ADOPTER)
    np.testing.assert_array_equal(week(market, table, rule(**NOTHING | {"drop": 1e4})), table.adopter == ADOPTER)


def test_friends_make_the_difference_by_their_share(market: SyntheticMarket) -> None:
    table = market.copy_of_people()
    users = (table.adopter == ADOPTER)[FRIENDS].sum(axis=1)
    turned = week(market, table, rule(**NOTHING | {"contact": 1e6}))
    np.testing.assert_array_equal(turned, (table.adopter == NON_ADOPTER) & (users > 0))
    few = week(market, table, rule(**NOTHING | {"contact": 0.2}))
    more = week(market, table, rule(**NOTHING | {"contact": 0.8}))
    assert 0 < few.sum() < more.sum() < turned.sum()
    assert not (few & (1 - more)).any()  # one draw decides both


def test_each_cause_has_its_sign() -> None:
    usual = rule()[0]
    one, half, none = np.float32(1), np.float32(0.5), np.float32(0)
    middle = take_up_chance(usual, one, half, half, none)
    assert 0 < middle < 1
    for more in ((one * 2, half, half, none), (one, one, half, none), (one, half, one, none), (one, half, half, one)):
        assert take_up_chance(usual, *more) > middle
    stays = give_up_chance(usual, half, none)
    assert 0 < give_up_chance(usual, one, none) < stays < give_up_chance(usual, half, np.float32(30))
    assert give_up_chance(usual, half, np.float32(60)) == give_up_chance(usual, half, np.float32(600))


def test_the_idle_leave_sooner_and_who_is_offline_never_turns(market: SyntheticMarket) -> None:
    table = market.copy_of_people()
    rules = rule(**NOTHING | {"drop_idle": 0.5, "press": 1e4})
    assert not week(market, table, rules)[table.adopter != NON_ADOPTER].any()
    left = [week(market, table, rules, idle)[table.adopter == ADOPTER].sum() for idle in (0, 20, 60)]
    assert left[0] == 0 < left[1] < left[2]
    assert not week(market, table, rules, 60)[table.adopter == OFFLINE].any()


def test_readable_and_compiled_agree(market: SyntheticMarket) -> None:
    table = market.copy_of_people()
    rules = rule(press=0.1, contact=0.5, shared_link=0.3, drop=0.1, drop_idle=0.3)
    population = agents_of(table).population
    consumers = [population.view(row) for row in range(CONSUMERS)]
    ease = np.linspace(0.3, 2.5, N_COUNTRIES * 4).reshape(N_COUNTRIES, 4).astype(np.float32)
    visited = (FIRST_DAY - np.arange(CONSUMERS) % 90).astype(np.uint16)
    seen = set()
    for day in range(FIRST_DAY, FIRST_DAY + 7):
        once = np.zeros(CONSUMERS, np.uint8)
        weigh_adoption(
            rules, people_of(table), table.age, market.setting.need_rate, ease, visited, day, ROWS,
            *market.draws.key, once,
        )  # fmt: skip
        today = Today(market.param[0], market.setting, day, *market.draws.key)
        for row, consumer in enumerate(consumers):
            assert isinstance(consumer, Consumer)
            friends = [consumers[friend] for friend in FRIENDS[row]]
            turns = consumer.turns(today, rules[0], ease, int(visited[row]), friends)
            assert turns == once[row]
            seen.add((int(table.adopter[row]), turns))
    assert seen == {(NON_ADOPTER, True), (NON_ADOPTER, False), (ADOPTER, True), (ADOPTER, False), (OFFLINE, False)}
