"""Who takes up technology that is offered, who gives it up, and what a mandate does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from sim.firms.technology import Technology, log_worth
from sim.kinds import TECHNOLOGIES
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import AS_COVERED, GIVEN_UP, TAKEN_UP, equipped
from sim.state.ledger import Account
from sim.world import World
from tests.interventions.helpers import DAY, book
from tests.world.worlds import tiny, with_row

TRYON = TECHNOLOGIES.index("tryon")


@pytest.fixture(scope="module")
def started() -> World:
    """A tiny world of eight days; tests leave the column `technology` as they find it."""
    world = tiny("baseline", "calendar=flat", "days=30", "supply.books.first_week=0", "supply.solvency.start_weeks=1")
    for _ in range(8):
        world.step()
    return world


@pytest.fixture
def world(started: World) -> Iterator[World]:
    technology = decider(started)
    yield started
    started.catalogue.technology[:] = AS_COVERED
    technology._taken_at[:] = np.nan
    technology.moved[:] = 0


def decider(world: World) -> Technology:
    technology = world.decisions.technology
    assert technology is not None
    return technology


def review(world: World, rules: Rules, weeks: int) -> None:
    """So many weekly reviews, of nothing else."""
    day = world.day + (-world.day) % 7
    for week in range(weeks):
        decider(world).choose(rules, day + 7 * week, world.ledger)


def offer(world: World, share: float, **more: float) -> Rules:
    """Rules under which try-on is offered for a share of lines."""
    return world.rules.amend({"tryon.offered": share, **{name.replace("_", ".", 1): v for name, v in more.items()}})


def test_the_worth_of_a_technology() -> None:
    one = np.ones(1)
    assert log_worth(100 * one, 0.5, 0.02, 0.0, one) == pytest.approx(0.0, abs=1e-6)
    assert log_worth(100 * one, 0.5, 0.02, 0.01, one) == pytest.approx(np.log(2), abs=1e-6)
    assert log_worth(200 * one, 0.5, 0.02, 0.0, 4 * one) == pytest.approx(-np.log(2), abs=1e-6)
    assert log_worth(100 * one, -0.5, 0.02, 0.0, one) < -10, "nothing to gain by selling at a loss"
    assert log_worth(100 * one, 0.5, 0.0, 0.0, one) < -10, "nothing is expected of it"


def test_who_is_equipped() -> None:
    lottery, coverage = np.array([0.1, 0.1, 0.9, 0.9], np.float32), np.full(4, 0.5, np.float32)
    own = np.array([AS_COVERED, GIVEN_UP, AS_COVERED, TAKEN_UP], np.uint8)
    assert equipped(lottery, coverage, own).tolist() == [True, False, False, True]


def test_at_rest_nobody_moves(world: World) -> None:
    review(world, world.rules, 12)
    assert (world.catalogue.technology == AS_COVERED).all()


def test_what_is_offered_to_more_is_taken_up_by_more_and_paid_for(world: World) -> None:
    taken, paid = [], []
    for share in (0.0, 0.5, 1.0):
        world.catalogue.technology[:] = AS_COVERED
        before = world.ledger.result(Account.MERCHANT)[:, int(MoneyPurpose.TECHNOLOGY)].sum()
        review(world, offer(world, share), 16)
        new = world.catalogue.technology == TAKEN_UP
        assert not np.delete(new, TRYON, axis=1).any(), "nothing else is offered"
        assert (decider(world)._lottery[:, TRYON][new[:, TRYON]] < share).all()
        taken.append(int(new.sum()))
        paid.append(int(before - world.ledger.result(Account.MERCHANT)[:, int(MoneyPurpose.TECHNOLOGY)].sum()))
    assert taken[0] == 0 < taken[1] < taken[2] < len(new)
    assert paid[0] == 0 < paid[1] < paid[2]


def test_cheaper_technology_is_taken_up_by_more(world: World) -> None:
    taken = []
    for price in (4.0, 1.0, 0.25):
        world.catalogue.technology[:] = AS_COVERED
        review(world, offer(world, 1.0, technology_price=price), 16)
        taken.append(int((world.catalogue.technology == TAKEN_UP).sum()))
    assert taken[0] < taken[1] < taken[2]


def test_it_spreads_from_seller_to_seller(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    technology, taken = decider(world), []
    for imitation in (0.0, 0.3, 1.0):
        monkeypatch.setattr(technology, "rule", technology.rule.model_copy(update={"imitation": imitation}))
        world.catalogue.technology[:] = AS_COVERED
        found = []
        for weeks in (12, 36):
            review(world, offer(world, 1.0), weeks)
            found.append(int((world.catalogue.technology == TAKEN_UP).sum()))
        assert found[0] < found[1]
        taken.append(found[1])
    assert taken[0] < taken[1] < taken[2]


def test_sunk_costs_keep_it_until_it_is_much_dearer_and_a_mandate_brings_it_back(world: World) -> None:
    technology = decider(world)
    base = technology.has(world.rules).sum()
    left = []
    for price in (1.0, 1.4, 10.0):
        world.catalogue.technology[:] = AS_COVERED
        technology._taken_at[:] = np.nan
        review(world, world.rules, 4)
        dear = world.rules.amend({"technology.price": price})
        review(world, dear, 4)
        left.append(int(base - technology.has(dear).sum()))
    assert left[0] == left[1] == 0 < left[2], "nobody within the least change"
    covered = world.rules.amend({f"{name}.coverage": 1.0 for name in TECHNOLOGIES})
    review(world, covered, 1)
    assert technology.has(covered).all()


def test_what_it_is_worth_does_not_hang_on_how_many_people_are_sampled(world: World) -> None:
    other = tiny("baseline", "calendar=flat", "population.consumers=3000")
    first = tiny("baseline", "calendar=flat")
    worths = [decider(one)._worth(one.rules, one.day)[0] for one in (first, other)]
    assert np.allclose(*worths, atol=1e-4)


def test_buyers_see_what_has_been_taken_up(world: World) -> None:
    line = int(np.flatnonzero(world.market.offers.tryon == 0)[0])
    world.catalogue.technology[line, TRYON] = TAKEN_UP
    world.market.follow_rules(world.rules)
    assert world.market.offers.tryon[line] == 1
    world.catalogue.technology[line, TRYON] = AS_COVERED
    world.market.follow_rules(world.rules)
    assert world.market.offers.tryon[line] == 0


def test_an_offer_moves_what_is_offered_and_a_mandate_who_has_it() -> None:
    offered = book(lever={"kind": "vr_tryon", "coverage": 0.4})
    mandated = book(lever={"kind": "vr_tryon", "coverage": 0.4, "adoption": "mandated"})
    for one, leaf in ((offered, "tryon.offered"), (mandated, "tryon.coverage")):
        assert [change.leaf for change in one.interventions[0].changes] == [leaf]
        assert one.rules_on(DAY).get(leaf)[3] == np.float32(0.4)
    assert np.array_equal(offered.rules_on(DAY).tryon.coverage, offered.baseline.tryon.coverage)
    assert not [cost for cost in offered.costs(DAY) if cost.payer == "merchant"], "who takes it up pays"
    assert [cost for cost in mandated.costs(DAY) if cost.payer == "merchant"]


def test_switched_off_nothing_is_taken_up() -> None:
    row = with_row("lever", "vr_tryon", "coverage=1.0", "start=0")
    world = tiny("baseline", "supply.decide.technology=false", *row)
    for _ in range(8):
        world.step()
    assert (world.catalogue.technology == AS_COVERED).all()
