"""The readable consumer and the compiled loops decide alike, bit by bit."""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np
import pytest
from numpy.typing import NDArray

from sim.agents.by_agents import ByAgents
from sim.agents.consumer import Consumer, Scene, Today
from sim.agents.view import ColumnAgentSet, adopt
from sim.config.geography import N_LANGUAGES
from sim.day.attention import Attention
from sim.day.shopping import Shopping
from sim.kernels.friends import pack
from sim.kernels.live import People
from sim.kernels.opinion import Judged, end_of_day, judge, record_purchases
from sim.kinds import DAYPARTS, N_COUNTRIES, Flag
from sim.messages import Intents
from sim.state.consumers import people_of
from sim.state.orders import ORDER
from sim.state.social import SocialGraph
from sim.state.table import Table
from tests.consumer.market import FIRST_DAY, SyntheticMarket, synthetic_market

CONSUMERS, STREAMERS, DAYS, CHUNK = 500, 150, 4, 128


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    market = synthetic_market(CONSUMERS, STREAMERS, shows=90, merchants=40)
    rng = np.random.default_rng(3)
    table = market.table
    table.shared_host[rng.random(CONSUMERS) < 0.3] = market.air.streamer[0]
    table.proof[:] = rng.integers(0, 9, CONSUMERS)
    table.trust[:] = rng.integers(20_000, 65_536, CONSUMERS)
    table.spent_cents[:] = table.budget_cents * rng.random(CONSUMERS) * 1.2
    table.channel_trust[:] = rng.integers(0, 65536, table.channel_trust.shape)
    known = rng.random(table.memory_seller.shape) < 0.6
    table.memory_seller[known] = rng.integers(0, 40, known.sum())
    table.memory_kind[:] = rng.integers(0, 8, known.shape) + 128 * rng.integers(0, 2, known.shape)
    table.memory_day[known] = FIRST_DAY - rng.integers(0, 120, known.sum())
    table.memory_score[:] = rng.integers(0, 256, known.shape)
    table.adopter[rng.random(CONSUMERS) < 0.8] = 1
    market.catalogue.own_site[:] = 1
    param = market.param  # set so that everything happens often, whatever the calibrated values are
    param["opening_intercept"], param["shelf_intercept"] = 0.5, -1.5
    param["purchase_intercept"], param["purchase_shelf_intercept"] = -0.5, 0.5
    param["shelf_remembered"], param["purchase_complement"] = 4, 0.3
    return market


def agents_of(table: Table) -> ColumnAgentSet:
    return adopt(mesa.Model(), Consumer, table, identity="birth")


def run(market: SyntheticMarket, engine: str) -> tuple[list[Intents], Shopping, Table, list[NDArray[Any]]]:
    """Several days of everybody, without checkout: what is bought is remembered, and money spent, in both alike."""
    table = market.copy_of_people()
    people: People = people_of(table)
    if engine == "agents":
        by_agents = ByAgents(agents_of(table))
        attention = Attention(CONSUMERS, CHUNK, 2, by_agents.open_everybody)
        shopping = Shopping(CONSUMERS, STREAMERS, N_LANGUAGES, 2, by_agents.run_sessions)
    else:
        attention = Attention(CONSUMERS, CHUNK, 2)
        shopping = Shopping(CONSUMERS, STREAMERS, N_LANGUAGES, 2)
    intents, openings = [], []
    for day in range(FIRST_DAY + 1, FIRST_DAY + 1 + DAYS):
        sessions = attention.open(market.param, people, market.setting, market.air, day, market.draws)
        openings += [sessions.rows(kind, daypart) for kind in range(2) for daypart in range(DAYPARTS)]
        for daypart in range(DAYPARTS):
            found = shopping.watch_and_choose(
                market.param, people, market.setting, market.rooms, market.offers,
                market.air.show_of_streamer[daypart], market.pool[daypart], market.shelf, market.line_of_seller,
                sessions.order, sessions.bounds, day, daypart, market.draws,
            )  # fmt: skip
            intents.append(found)
            table.need_day[found.consumer, market.catalogue.category[found.line]] = day
    return intents, shopping, table, openings


@pytest.fixture(scope="module")
def both(market: SyntheticMarket) -> tuple[Any, Any]:
    return run(market, "kernels"), run(market, "agents")


def same_bits(left: NDArray[Any], right: NDArray[Any]) -> None:
    assert left.dtype == right.dtype
    assert left.shape == right.shape
    np.testing.assert_array_equal(left.view(f"u{left.itemsize}"), right.view(f"u{right.itemsize}"))


def test_the_same_people_open_in_the_same_dayparts(both: tuple[Any, Any]) -> None:
    for compiled, readable in zip(both[0][3], both[1][3], strict=True):
        same_bits(compiled, readable)


def test_orders_are_equal_bit_by_bit(both: tuple[Any, Any]) -> None:
    for compiled, readable in zip(both[0][0], both[1][0], strict=True):
        for name in Intents.__slots__:
            same_bits(getattr(compiled, name), getattr(readable, name))


def test_visits_minutes_surplus_follows_and_languages_are_equal(both: tuple[Any, Any]) -> None:
    compiled, readable = both[0][1].counts, both[1][1].counts
    for name, planes in compiled._asdict().items():
        np.testing.assert_array_equal(planes.sum(axis=0), getattr(readable, name).sum(axis=0), err_msg=name)


def test_bonds_follows_and_memory_are_equal_afterwards(both: tuple[Any, Any]) -> None:
    for column in both[0][2]:
        same_bits(both[0][2][column.name], both[1][2][column.name])


def test_the_comparison_saw_every_branch(both: tuple[Any, Any], market: SyntheticMarket) -> None:
    intents, shopping, table, openings = both[0]
    channels = np.concatenate([batch.channel for batch in intents])
    quantities = np.concatenate([batch.quantity for batch in intents])
    flags = np.bitwise_or.reduce(np.concatenate([batch.flags for batch in intents]))
    visits = int(shopping.counts.visits.sum())
    assert (channels < 8).sum() > 15
    assert (channels == 8).any()
    assert (channels == 9).any()
    assert set(quantities) == {1, 2}
    assert flags == Flag.GUARANTEED | Flag.TRIED_ON | Flag.TRACED | Flag.DISCLOSED
    assert visits > sum(rows.size for rows in openings[:DAYPARTS]) / 2
    assert shopping.counts.follows.sum() > 0
    assert (table.bonds != market.table.bonds).any()


def test_the_notebook_view_speaks_in_units(market: SyntheticMarket) -> None:
    consumer = agents_of(market.table)[0]
    assert isinstance(consumer, Consumer)
    today = Today(market.param[0], market.setting, FIRST_DAY + 1, *market.draws.key)
    assert 0 <= consumer.general_trust <= 1
    assert consumer.general_trust == pytest.approx(consumer.trust / 65535)
    assert consumer.income_third in ("low", "middle", "high")
    assert consumer.country_code == "US"
    assert len(consumer.needs(today)) == len(consumer.likes) == 8
    assert all(0 <= bond <= 1 for _, bond in consumer.followed)
    assert consumer.monthly_budget_usd > 0
    assert set(consumer.trust_by_channel(market.setting)) >= {"shelf"}
    assert max(consumer.speaks.values()) == 1
    assert all(0 <= entry[4] <= 1 for entry in consumer.remembers)


def test_no_platform_on_offer_means_no_session(market: SyntheticMarket) -> None:
    consumer = agents_of(market.table)[0]
    closed = market.setting._replace(platform_slots=np.full((N_COUNTRIES, 4), 255, np.uint8))
    scene = Scene(
        market.param[0], closed, FIRST_DAY + 1, *market.draws.key, 2, market.rooms, market.offers,
        market.air.show_of_streamer[2], market.pool[2], market.shelf, market.line_of_seller,
    )  # fmt: skip
    assert consumer.live_session(scene) is None
    assert consumer.choose_platform(scene) is None


def orders_of(market: SyntheticMarket, count: int) -> NDArray[Any]:
    """Delivered orders of random people for random lines, some late, damaged, fake, guaranteed, traced."""
    rng = np.random.default_rng(11)
    orders = np.zeros(count, ORDER)
    rows = rng.integers(0, CONSUMERS, count)
    orders["consumer"] = rows
    orders["birth"] = market.table.birth[rows]
    orders["country"] = market.table.country[rows]
    orders["tick"] = (FIRST_DAY + rng.integers(0, 9, count)) * 8 + rng.integers(0, 6, count)
    orders["line"] = rng.integers(0, market.catalogue.n_lines, count)
    orders["merchant"] = market.catalogue.merchant[orders["line"]]
    orders["category"] = market.catalogue.category[orders["line"]]
    orders["tier"] = rng.integers(0, 4, count)
    first = market.setting.platform_slots[orders["country"], 0]
    orders["channel"] = np.where(rng.random(count) < 0.5, first, rng.integers(8, 10, count))
    followed = market.table.follows[rows, 0]
    orders["streamer"] = np.where(orders["channel"] < 8, followed, 0xFFFF)
    orders["delivered"] = 700_000_000 + rng.integers(0, 9_000_000, count)
    orders["promised"] = orders["delivered"] + rng.integers(-900_000, 900_000, count)
    orders["expected_quality"] = rng.uniform(0.2, 1, count)
    orders["impulse_gap"] = rng.uniform(0, 1, count)
    orders["utility"] = rng.uniform(-4, 2, count)
    orders["money_utility"] = rng.uniform(0.005, 0.2, count)
    bits = [int(Flag.GUARANTEED), int(Flag.TRACED), int(Flag.DAMAGED), int(Flag.SPOILED)]
    for bit, odds in zip(bits, (0.5, 0.3, 0.2, 0.1), strict=True):
        orders["flags"] |= (bit * (rng.random(count) < odds)).astype(np.uint16)
    return orders


def test_verdicts_are_equal_bit_by_bit(market: SyntheticMarket) -> None:
    count = 400
    compiled, readable = orders_of(market, count), orders_of(market, count)
    authenticity = np.full(market.catalogue.n_merchants, 0.8, np.float32)
    level = market.market.return_level
    table, other = market.copy_of_people(), market.copy_of_people()
    judged = Judged(
        np.zeros(count, np.float32), np.zeros(count, np.int64), np.zeros(count, np.bool_),
        np.zeros(count, np.bool_), np.zeros(count, np.bool_), np.zeros(count, np.int64),
    )  # fmt: skip
    key0, key1 = market.draws.key
    population = agents_of(other).population
    today = Today(market.param[0], market.setting, FIRST_DAY + 20, key0, key1)
    nobody_told = pack(np.zeros(CONSUMERS + 1, np.int64), np.zeros(0, np.int32))
    judge(
        market.param, people_of(table), market.setting, market.offers, authenticity, level, compiled, np.arange(count),
        key0, key1, judged, np.zeros((market.catalogue.n_merchants, 2), np.int64), nobody_told,
    )  # fmt: skip
    for at in range(count):
        consumer = population.view(int(readable[at]["consumer"]))
        assert isinstance(consumer, Consumer)
        verdict = consumer.judge(today, market.offers, authenticity, level, readable[at])
        assert verdict.satisfaction == judged.satisfaction[at]
        assert verdict.time == judged.time[at]
        assert (verdict.returns, verdict.disputes, verdict.complains) == (
            judged.returns[at], judged.disputes[at], judged.complains[at],
        )  # fmt: skip
        assert verdict.realised_loss == judged.realised_loss[at]
    for name in ("satisfaction", "flags"):
        same_bits(np.ascontiguousarray(compiled[name]), np.ascontiguousarray(readable[name]))
    for column in table:
        same_bits(table[column.name], other[column.name])
    for seen in (judged.returns, judged.disputes, judged.complains):
        assert 0 < seen.sum() < count
    assert (compiled["flags"] & Flag.COUNTERFEIT).any()


def small_graph(count: int) -> SocialGraph:
    """A ring in which everybody knows two neighbours on either side."""
    near = np.array([-2, -1, 1, 2])
    friends = np.sort((np.arange(count)[:, None] + near) % count, axis=1)
    return SocialGraph(np.arange(0, 4 * count + 1, 4, dtype=np.int64), friends.reshape(-1).astype(np.int32))


def test_purchases_and_what_friends_hear_are_equal_bit_by_bit(market: SyntheticMarket) -> None:
    count, day = 300, FIRST_DAY + 9
    compiled, readable = orders_of(market, count), orders_of(market, count)
    for orders in (compiled, readable):
        orders["goods_cents"], orders["vat_cents"], orders["subsidy_cents"] = 5900, 800, 150
        orders["merchant"][::3] = market.table.memory_seller[orders["consumer"][::3], 1] % 40
    table, other = market.copy_of_people(), market.copy_of_people()
    graph = small_graph(CONSUMERS)
    earlier, met = np.zeros(count, np.int64), np.zeros(count, np.int64)
    record_purchases(
        market.param, people_of(table), compiled, np.arange(count), day, *market.draws.key, graph.friends,
        earlier, met,
    )  # fmt: skip
    population = agents_of(other).population
    today = Today(market.param[0], market.setting, day, *market.draws.key)
    for at, order in enumerate(readable):
        consumer = population.view(int(order["consumer"]))
        assert isinstance(consumer, Consumer)
        before, first = consumer.buys(today, order)
        assert (-1 if before is None else before, -1 if first is None else first) == (earlier[at], met[at])
        if order["streamer"] != 0xFFFF:
            shared = consumer.shares_room(today, order)
            for friend in graph.of(consumer.row):
                population.view(int(friend)).hears_of(int(order["streamer"]), shared)
    same_bits(np.ascontiguousarray(compiled["flags"]), np.ascontiguousarray(readable["flags"]))
    for column in table:
        same_bits(table[column.name], other[column.name])
    assert (earlier >= 0).any()
    assert ((met >= 0) & (met < day)).any()
    assert (table.shared_host != market.table.shared_host).any()


def test_the_evening_is_equal_bit_by_bit_and_does_something(market: SyntheticMarket) -> None:
    """The compiled evening once did nothing: numba had removed a parallel loop over a tuple's arrays as dead code."""
    table, other = market.copy_of_people(), market.copy_of_people()
    day = FIRST_DAY + 3
    proof_after = (np.arange(256) // 2).astype(np.uint8)
    end_of_day(market.param, people_of(table), proof_after, day, 2, *market.draws.key)
    today = Today(market.param[0], market.setting, day, *market.draws.key)
    for consumer in agents_of(other):
        consumer.fades(today, proof_after)
    for column in table:
        same_bits(table[column.name], other[column.name])
    weekday = table.birth % 7 == day % 7
    np.testing.assert_array_equal(table.proof, market.table.proof // 2)
    assert (table.shared_host[weekday] == 0xFFFF).all()
    for name in ("trust", "channel_trust", "bonds"):
        changed = (table[name] != market.table[name]).reshape(CONSUMERS, -1).any(axis=1)
        assert changed[weekday].any()
        assert not changed[~weekday].any()
