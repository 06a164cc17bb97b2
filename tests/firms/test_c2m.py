"""Production after live demand: small lots, next to no stock, orders that wait for it."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.merchant import cost_table
from sim.day import adaptation, fulfilment
from sim.kinds import CATEGORIES, SMALL_LOTS, Flag, Status
from sim.rules import Rules
from sim.state.catalogue import AS_COVERED, GIVEN_UP, TAKEN_UP
from sim.world import World
from tests.interventions.helpers import DAY, book
from tests.world.worlds import after, tiny, with_row

MANY = ("population.consumers=6000", "calendar=flat", "days=40")


def home_stock(world: World, owned: bool) -> float:
    """Units in China against a day's expected sales there, of merchants with and without production of their own."""
    catalogue = world.catalogue
    lines = np.flatnonzero((catalogue.c2m[catalogue.merchant] == 1) == owned)
    home = catalogue.home_warehouse[catalogue.merchant[lines]]
    rate = (world.adaptation.forecast(world.rules)[lines] * catalogue.direct[lines]).sum()
    return float(catalogue.real[lines, home].sum() / rate)


@pytest.fixture(scope="module")
def made() -> World:
    """A world after 25 days in which half of the merchants own their production."""
    return after(25, "baseline", *MANY, "firms.merchants.c2m_share=0.5")


def test_the_mark_of_a_small_lot_is_the_same_on_both_sides() -> None:
    assert adaptation.SMALL_LOT == fulfilment.SMALL_LOT


def test_share_none_half_and_all() -> None:
    found = [tiny("baseline", f"firms.merchants.c2m_share={share}").catalogue.c2m.mean() for share in (0, 0.5, 1)]
    assert found[0] == 0
    assert 0.2 < found[1] < 0.8  # a hundred merchants: odds of a false alarm below 1e-8
    assert found[2] == 1


def test_small_lots_leave_less_stock_and_orders_wait(made: World) -> None:
    assert home_stock(made, True) < 0.25 * home_stock(made, False)
    orders = made.orders.data[made.orders.open_rows()]
    owned = made.catalogue.c2m[orders["merchant"]] == 1
    waits = orders["status"] == Status.BACKORDERED
    assert (waits & owned & (orders["direct"] == 1)).any()
    assert not (orders["flags"][owned & waits] & Flag.OVERSOLD != 0).any(), "made to order is not oversold"


def test_what_waits_is_made_and_arrives(made: World) -> None:
    orders = made.orders.data[made.orders.open_rows()]
    owned = (made.catalogue.c2m[orders["merchant"]] == 1) & (orders["direct"] == 1)
    old = owned & (orders["authorised"] > 0) & (orders["authorised"] < (made.day - 9) * 86_400)
    assert (owned & (orders["status"] == Status.IN_TRANSIT)).any()
    assert (orders["status"][old] == Status.BACKORDERED).mean() < 0.2


def test_the_wait_is_promised(made: World) -> None:
    catalogue = made.catalogue
    owned = (catalogue.c2m[catalogue.merchant] == 1)[:, None] & (catalogue.direct == 1)
    for country in range(3):
        here, there = owned[:, country], (catalogue.direct[:, country] == 1) & ~owned[:, country]
        if here.any() and there.any():
            gap = catalogue.promised_days[here, country].min() - catalogue.promised_days[there, country].max()
            assert gap == pytest.approx(made.cfg.supply.c2m.production_days, abs=1e-4)


def test_switched_off_it_is_production_like_any_other() -> None:
    world = after(3, "baseline", "firms.merchants.c2m_share=0.5", "supply.decide.c2m=false")
    assert (world.catalogue.room == 0).all()


# -- small lots of factories that sellers do not own -----------------------------------------------------------------
@pytest.fixture(scope="module")
def plain() -> World:
    """A world of one day without production of sellers' own; tests leave its columns as they find them."""
    return after(1, "baseline", "calendar=flat", "firms.merchants.c2m_share=0")


def makers(world: World, rules: Rules) -> np.ndarray:
    """bool[n]: lines made in small lots under the rules."""
    return world.adaptation._who_makes_small_lots(rules)


def covered(world: World, share: float) -> Rules:
    return world.rules.amend({"small_lots.coverage": share})


def test_the_row_reaches_no_line_half_and_all_of_what_it_names(plain: World) -> None:
    found = []
    for strength in (0.0, 0.5, 1.0):
        one = book(lots={"kind": "c2m", "adoption": "mandated", "coverage": 1.0, "strength": strength})
        one.baseline = plain.rules
        found.append(makers(plain, one.rules_on(DAY)))
    able = plain.catalogue.trading[plain.catalogue.merchant] == 1
    named = ~np.isin(
        plain.catalogue.category, [CATEGORIES.index(name) for name in ("fresh_food", "health", "new_energy")]
    )
    assert not found[0].any()
    assert (found[1] <= found[2]).all(), "a larger share has the smaller one in it"
    assert 0.35 < found[1].sum() / found[2].sum() < 0.65
    assert np.array_equal(found[2], able & named)
    assert not makers(plain, plain.rules).any()


def test_small_lots_cost_more_for_as_long_as_they_are_made(plain: World) -> None:
    before = plain.catalogue.unit_cost_cents.copy()
    made = makers(plain, covered(plain, 0.5))
    more = 1.0 + plain.cfg.firms.merchants.c2m_cost
    now = plain.catalogue.unit_cost_cents
    assert np.array_equal(now[~made], before[~made])
    assert np.abs(now[made] - before[made] * more).max() <= 0.5
    again = makers(plain, covered(plain, 0.5))
    assert np.array_equal(again, made)
    assert np.abs(now[made] - before[made] * more).max() <= 0.5, "once, not every evening"
    makers(plain, plain.rules)
    assert np.abs(plain.catalogue.unit_cost_cents - before).max() <= 1
    plain.catalogue.unit_cost_cents[:] = before


def test_owners_make_them_already_at_the_cost_they_have() -> None:
    world = after(1, "baseline", "calendar=flat", "firms.merchants.c2m_share=1")
    before = world.catalogue.unit_cost_cents.copy()
    able = world.catalogue.trading[world.catalogue.merchant] == 1
    for share in (0.0, 1.0):
        assert np.array_equal(makers(world, covered(world, share)), able)
    assert np.array_equal(world.catalogue.unit_cost_cents, before)
    technology = world.decisions.technology
    assert technology is not None
    offered = world.rules.amend({"small_lots.offered": 1.0})
    worth = np.full((world.catalogue.n_lines, 4), 100.0)
    for week in range(20):
        wanted = technology._wants(offered, technology.has(offered), worth, world.day + 7 * week)
        assert not wanted.any(), "nobody buys what it has"


def test_who_takes_them_up_makes_them_and_who_gives_them_up_does_not(plain: World) -> None:
    own, before = plain.catalogue.technology, plain.catalogue.unit_cost_cents.copy()
    line = int(np.flatnonzero(makers(plain, covered(plain, 0.5)))[0])
    assert not makers(plain, plain.rules)[line]
    own[line, SMALL_LOTS] = TAKEN_UP
    assert np.flatnonzero(makers(plain, plain.rules)).tolist() == [line]
    own[line, SMALL_LOTS] = GIVEN_UP
    assert not makers(plain, covered(plain, 0.5))[line]
    own[line, SMALL_LOTS] = AS_COVERED
    makers(plain, plain.rules)
    plain.catalogue.unit_cost_cents[:] = before


def test_they_are_worth_more_where_stock_is_dearer_and_less_where_they_cost_more(
    plain: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    technology = plain.decisions.technology
    assert technology is not None

    def spare(interest: float, cost: float) -> np.ndarray:
        merchants = plain.cfg.firms.merchants.model_copy(update={"c2m_cost": cost})
        firms = plain.cfg.firms.model_copy(update={"merchants": merchants})
        monkeypatch.setattr(technology, "cfg", plain.cfg.model_copy(update={"firms": firms}))
        rules = plain.rules.amend({"credit.annual_rate": interest})
        return technology._lots_spare(cost_table(plain.cfg, plain.catalogue, rules, 1.0))

    sold_from_home = (plain.catalogue.direct.sum(axis=1) > 0) & (spare(0.1, 0.0) > 0)
    assert sold_from_home.any()
    rising = [spare(rate, 0.03)[sold_from_home] for rate in (0.0, 0.3, 1.0)]
    assert (rising[0] < rising[1]).all()
    assert (rising[1] < rising[2]).all()
    falling = [spare(0.1, cost) for cost in (0.0, 0.03, 0.2)]
    assert (falling[0] > falling[1]).all()
    assert (falling[1] > falling[2]).all()


def test_decreed_small_lots_leave_less_stock_and_orders_wait() -> None:
    row = with_row("lots", "c2m", "adoption=mandated", "coverage=1.0", "start=0")
    usual, lots = (after(16, "baseline", *MANY, "firms.merchants.c2m_share=0", *rows) for rows in ((), row))
    reached = lots.adaptation._small_lots == 1
    assert reached.any()

    def stock(world: World) -> int:
        return int(world.catalogue.real[reached, :4].sum())

    assert stock(lots) < stock(usual)
    fresh = after(1, "baseline", *MANY, "firms.merchants.c2m_share=0", *row)
    begun = (fresh.catalogue.room[reached] > 0).mean()
    assert begun < (lots.catalogue.room[reached] > 0).mean(), "what large lots have left is sold first"
    orders = lots.orders.data[lots.orders.open_rows()]
    waits = (orders["status"] == Status.BACKORDERED) & (orders["direct"] == 1) & reached[orders["line"]]
    assert waits.any()
    assert not (orders["flags"][waits] & Flag.OVERSOLD != 0).any()
