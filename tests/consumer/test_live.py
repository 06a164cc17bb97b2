"""A consumer's day in compiled loops: the same bits however it is cut, and each lever at nothing, something and all.

Draws belong to persons and decisions, so two days that differ in one thing are compared person by person: where a
chance rises for everybody, nobody who bought before may stop buying, and no test here is a matter of luck.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.config.geography import N_LANGUAGES
from sim.day.attention import Attention
from sim.day.shopping import Shopping
from sim.kernels.live import Counts, Offers, Rooms, Setting
from sim.kinds import DAYPARTS, N_CATEGORIES, N_CHANNELS, N_COUNTRIES, Flag
from sim.messages import Intents
from sim.state.consumers import people_of
from sim.state.table import Table
from tests.consumer.market import FIRST_DAY, SyntheticMarket, synthetic_market

CONSUMERS, STREAMERS, DAY = 1500, 120, FIRST_DAY + 1
LIVE = 0


@dataclass(slots=True)
class Outcome:
    """What came of a day: orders by daypart, openings by kind and daypart, counts of all threads, people after it."""

    intents: list[Intents]
    opened: list[NDArray[np.uint32]]
    counts: Counts
    table: Table

    def buyers(self, ordinal: int = LIVE) -> set[tuple[int, int]]:
        """(daypart, row) of all who bought live, or on a shelf (1)."""
        return {
            (daypart, int(row))
            for daypart, found in enumerate(self.intents)
            for row in found.consumer[found.ordinal == ordinal]
        }

    def total(self, name: str) -> int:
        """A count over all cells."""
        return int(getattr(self.counts, name).sum())

    def column(self, name: str) -> NDArray[Any]:
        """A column of all orders of the day."""
        return np.concatenate([getattr(found, name) for found in self.intents])


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    market = synthetic_market(CONSUMERS, STREAMERS, shows=80, merchants=40)
    param = market.param  # everything happens often; one room a session, so that visits compare one to one
    param["opening_intercept"], param["shelf_intercept"] = 0.5, -1.5
    param["purchase_intercept"], param["purchase_shelf_intercept"] = -1.0, 0.0
    param["room_hop"] = 0.0
    market.table.budget_cents[:] = 2_000_00
    return market


@contextmanager
def changed(market: SyntheticMarket, **values: float) -> Iterator[None]:
    """Behavioural parameters with other values for a while."""
    before = market.param.copy()
    for name, value in values.items():
        market.param[name] = value
    yield
    market.param[:] = before


def live_through(
    market: SyntheticMarket,
    setting: Setting | None = None,
    rooms: Rooms | None = None,
    offers: Offers | None = None,
    table: Table | None = None,
    threads: int = 1,
    chunk: int = 512,
) -> Outcome:
    """One day of everybody, with parts of the market replaced; people are a copy."""
    table = table or market.copy_of_people()
    people = people_of(table)
    setting, rooms, offers = setting or market.setting, rooms or market.rooms, offers or market.offers
    attention = Attention(CONSUMERS, chunk, threads)
    shopping = Shopping(CONSUMERS, STREAMERS, N_LANGUAGES, threads)
    sessions = attention.open(market.param, people, setting, market.air, DAY, market.draws)
    intents = [
        shopping.watch_and_choose(
            market.param, people, setting, rooms, offers, market.air.show_of_streamer[daypart], market.pool[daypart],
            market.shelf, market.line_of_seller, sessions.order, sessions.bounds, DAY, daypart, market.draws,
        )
        for daypart in range(DAYPARTS)
    ]  # fmt: skip
    opened = [sessions.rows(kind, daypart) for kind in range(2) for daypart in range(DAYPARTS)]
    return Outcome(intents, opened, Counts(*(planes.sum(axis=0) for planes in shopping.counts)), table)


@pytest.fixture(scope="module")
def plain(market: SyntheticMarket) -> Outcome:
    return live_through(market)


def same(left: Outcome, right: Outcome, but: tuple[str, ...] = ()) -> None:
    """Everything that can be seen of two days is equal."""
    for rows, others in zip(left.opened, right.opened, strict=True):
        np.testing.assert_array_equal(rows, others)
    for one, other in zip(left.intents, right.intents, strict=True):
        for name in set(Intents.__slots__) - set(but):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name, counted in left.counts._asdict().items():
        np.testing.assert_array_equal(counted, getattr(right.counts, name), err_msg=name)
    for column in left.table:
        np.testing.assert_array_equal(left.table[column.name], right.table[column.name], err_msg=column.name)


@pytest.mark.parametrize(("threads", "chunk"), [(1, 64), (2, 64), (1, 4096), (2, 4096)])
def test_same_bits_for_any_threads_and_chunk(market: SyntheticMarket, plain: Outcome, threads: int, chunk: int) -> None:
    same(live_through(market, threads=threads, chunk=chunk), plain)


def test_a_day_has_everything(plain: Outcome) -> None:
    assert plain.total("visits") > 300
    assert plain.total("follows") > 0
    assert len(plain.buyers(0)) > 30
    assert len(plain.buyers(1)) > 30
    assert plain.total("seconds") == plain.counts.host_seconds.sum()
    assert plain.total("visits") == plain.counts.host_visits.sum() == plain.counts.languages.sum()
    for daypart, found in enumerate(plain.intents):
        place = found.time.astype(np.int64) - (DAY * 86_400 + daypart * 14_400)
        assert ((place >= 0) & (place < 14_400)).all()
        assert (np.diff(place) >= 0).all()


def test_nobody_opens_twice_in_a_day_and_only_adopters_open_live(plain: Outcome) -> None:
    for kind in range(2):
        rows = np.concatenate(plain.opened[kind * DAYPARTS : (kind + 1) * DAYPARTS])
        assert np.unique(rows).size == rows.size > 0
        if kind == LIVE:
            assert (plain.table.adopter[rows] == 1).all()


def test_who_understands_more_stays_longer(market: SyntheticMarket) -> None:
    with changed(market, room_comprehension=0):  # so that everybody enters the same room
        days = [
            live_through(
                market, rooms=market.rooms._replace(comprehension=np.full_like(market.rooms.comprehension, level))
            )
            for level in (0.0, 0.5, 1.0)
        ]
    assert days[0].total("visits") == days[1].total("visits") == days[2].total("visits") > 0
    nothing, half, all_of_it = (day.counts.host_seconds for day in days)
    assert (nothing <= half).all()
    assert (half <= all_of_it).all()
    assert nothing.sum() < half.sum() < all_of_it.sum()


def test_a_stuttering_picture_shortens_stays_and_nothing_else_about_visits(market: SyntheticMarket) -> None:
    days = [
        live_through(market, setting=market.setting._replace(stutter=np.full(N_COUNTRIES, level, np.float32)))
        for level in (0.0, 0.3, 1.0)
    ]
    for day in days[1:]:
        np.testing.assert_array_equal(day.counts.host_visits, days[0].counts.host_visits)
    steady, stuttering, frozen = (day.counts.host_seconds for day in days)
    assert (steady >= stuttering).all()
    assert (stuttering >= frozen).all()
    assert steady.sum() > stuttering.sum() > frozen.sum() > 0


def disclosed(market: SyntheticMarket, label: float, exaggeration: float) -> Outcome:
    rooms = market.rooms
    return live_through(
        market,
        rooms=rooms._replace(
            disclosed=np.full_like(rooms.disclosed, label), exaggeration=np.full_like(rooms.exaggeration, exaggeration)
        ),
    )


def test_a_label_weakens_belief_in_claims_and_does_nothing_where_nothing_is_claimed(market: SyntheticMarket) -> None:
    same(disclosed(market, 0.0, 0.0), disclosed(market, 1.0, 0.0), but=("flags",))
    none, partly, fully = (disclosed(market, label, 0.3) for label in (0.0, 0.5, 1.0))
    for day in (partly, fully):
        for name in ("visits", "seconds", "openings", "host_seconds", "languages"):
            np.testing.assert_array_equal(getattr(day.counts, name), getattr(none.counts, name))
        assert day.buyers(1) == none.buyers(1)  # searches know no labels
    assert none.buyers() > partly.buyers() > fully.buyers() > set()
    assert none.total("surplus") > partly.total("surplus") > fully.total("surplus")
    found = fully.column("flags")[fully.column("ordinal") == LIVE]
    assert (found & Flag.DISCLOSED > 0).all()
    assert not (none.column("flags") & Flag.DISCLOSED).any()


def test_needs_bring_people_and_make_them_buy(market: SyntheticMarket) -> None:
    days = []
    for since in (0, 20, 400):
        table = market.copy_of_people()
        table.need_day[:] = DAY - since
        days.append(live_through(market, table=table))
    opened = [set(np.concatenate(day.opened[:DAYPARTS]).tolist()) for day in days]
    searched = [set(np.concatenate(day.opened[DAYPARTS:]).tolist()) for day in days]
    assert opened[0] < opened[1] < opened[2]
    assert searched[0] < searched[1] < searched[2]
    assert len(days[0].buyers()) < len(days[1].buyers()) < len(days[2].buyers())


def test_dearer_lines_are_bought_less_and_never_for_more_than_there_is(market: SyntheticMarket) -> None:
    offers = market.offers
    days = [
        live_through(market, offers=offers._replace(landed_cents=(offers.landed_cents * factor).astype(np.int32)))
        for factor in (0.5, 1.0, 2.0, 1000.0)
    ]
    bought = [day.buyers() for day in days]
    assert bought[0] > bought[1] > bought[2] > bought[3] == set()
    assert days[3].total("visits") == days[0].total("visits")


def test_money_left_binds(market: SyntheticMarket) -> None:
    setting = market.setting._replace(
        subsidy_usd=np.zeros_like(market.setting.subsidy_usd), liquidity=np.ones_like(market.setting.liquidity)
    )
    days = []
    for budget in (0, 30_00, 100_000_00):
        table = market.copy_of_people()
        table.budget_cents[:] = budget
        table.spent_cents[:] = 0
        days.append(live_through(market, setting=setting, table=table))
    assert days[0].buyers(0) == days[0].buyers(1) == set()
    assert set() < days[1].buyers() <= days[2].buyers()
    assert len(days[1].buyers()) < len(days[2].buyers())
    discount = days[1].column("discount_permille") / 1000
    assert (days[1].column("landed_cents") * days[1].column("quantity") * (1 - discount) <= 30_00).all()

    spent = market.copy_of_people()
    spent.budget_cents[:] = 30_00
    spent.spent_cents[:] = 30_00
    spent.spent_day[:] = DAY
    assert live_through(market, setting=setting, table=spent).buyers() == set()
    spent = market.copy_of_people()
    spent.budget_cents[:] = 30_00
    spent.spent_cents[:] = 30_00
    spent.spent_day[:] = DAY - 4000
    same_money = live_through(market, setting=setting, table=spent)
    assert same_money.buyers() == days[1].buyers()  # long forgotten


def test_a_service_fee_is_a_part_of_the_price_on_its_channel(market: SyntheticMarket) -> None:
    days = []
    for fee in (0.0, 0.1, 1000.0):
        fees = np.zeros(N_CHANNELS, np.float32)
        fees[8] = fee  # the shelf
        days.append(live_through(market, setting=market.setting._replace(service_fee=fees)))
    free, dear, forbidding = days
    assert free.buyers(1) > dear.buyers(1) > set()
    assert not (forbidding.column("channel") == 8).any()
    for day in (dear, forbidding):
        assert day.buyers(0) == free.buyers(0)  # it is nothing to those who buy in rooms


def test_a_guarantee_lowers_the_risk_that_is_seen(market: SyntheticMarket) -> None:
    offers = market.offers
    half = np.zeros_like(offers.guaranteed)
    half[:, ::2] = 1
    with changed(market, purchase_risk=10):  # so that a small population shows it
        none, some, every = (
            live_through(market, offers=offers._replace(guaranteed=covered))
            for covered in (np.zeros_like(half), half, np.ones_like(half))
        )
    for ordinal in (0, 1):
        assert none.buyers(ordinal) < some.buyers(ordinal) < every.buyers(ordinal)
    assert not (none.column("flags") & Flag.GUARANTEED).any()
    assert (every.column("flags") & Flag.GUARANTEED > 0).all()
    covered = (some.column("flags") & Flag.GUARANTEED) > 0
    np.testing.assert_array_equal(covered, some.column("line") % 2 == 0)


def test_without_a_platform_nobody_watches_there_and_others_as_before(market: SyntheticMarket, plain: Outcome) -> None:
    home = int(np.bincount(plain.column("country")).argmax())
    slots = market.setting.platform_slots.copy()
    slots[home] = 255
    closed = live_through(market, setting=market.setting._replace(platform_slots=slots))
    shape = (N_COUNTRIES, N_CHANNELS, N_CATEGORIES, 3)
    for name in ("visits", "seconds", "follows"):
        counted, before = getattr(closed.counts, name).reshape(shape), getattr(plain.counts, name).reshape(shape)
        assert counted[home, :8].sum() == 0
        np.testing.assert_array_equal(np.delete(counted, home, axis=0), np.delete(before, home, axis=0))
    assert plain.counts.visits.reshape(shape)[home].sum() > 0
    assert not ((closed.column("country") == home) & (closed.column("ordinal") == LIVE)).any()
    assert ((closed.column("country") == home) & (closed.column("ordinal") == 1)).any()


def test_a_stay_is_remembered_and_binds(plain: Outcome, market: SyntheticMarket) -> None:
    before, after = market.table, plain.table
    buyers = np.unique(plain.column("consumer"))
    moved = (before.follows != after.follows).any(axis=1)
    assert moved.sum() == plain.total("follows") > 0
    same_hosts = (before.follows == after.follows) & (after.follows != 0xFFFF)
    assert (after.bonds[same_hosts] >= before.bonds[same_hosts]).all()
    learnt = (before.memory_seller != after.memory_seller).any(axis=1)
    assert learnt.any()
    assert not learnt[np.setdiff1d(np.flatnonzero(after.adopter == 0), buyers)].any()
