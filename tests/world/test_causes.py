"""Every lever and shock moves the cause it names, as far as those who feel it can see; outcomes are left open.

Each is compared with the same world without it, on the days around its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from sim.agents.carrier import Emission, lost_co2_g, parcel_co2_g
from sim.day.checkout import is_offered
from sim.day.fulfilment import SHELF_LIFE
from sim.day.logbook import _sent_home
from sim.kernels.behaviour import claims_weight
from sim.kernels.lanes import DIRECT_RESALE, RESALE
from sim.kernels.money import landed_offers, landed_parts
from sim.kernels.stations import SERVED
from sim.kinds import (
    CATEGORIES,
    COUNTRIES,
    DAY_SECONDS,
    N_COUNTRIES,
    N_METHODS,
    N_ORIGIN_WAREHOUSES,
    N_PLATFORMS,
    NO_STREAMER,
    PAYMENT_METHODS,
    Event,
    Flag,
)
from sim.record.schema import FLOW_GROUPS, Measure, MoneyPurpose
from sim.world import World
from tests.world.worlds import after, tiny, with_row

BEGIN = 2
LIVE = slice(0, N_PLATFORMS)


def started(kind: str, *settings: str, days: int = BEGIN + 1) -> World:
    """A world after some days, with one row in force from day BEGIN on."""
    return after(days, "baseline", "days=60", *with_row("lever", kind, f"start={BEGIN}", *settings))


@pytest.fixture(scope="module")
def plain() -> World:
    """The baseline after the day on which the rows start. Not to be changed."""
    return after(BEGIN + 1, "baseline", "days=60")


# -- policy --------------------------------------------------------------------------------------------------------


def test_a_lower_tariff_lowers_duty_and_landed_prices_of_parcels_in_scope(plain: World) -> None:
    cut = started("tariff_reduction", "points=0.05", "scope={countries: [MX, BR, ID]}")
    inside = np.isin(np.arange(N_COUNTRIES), [COUNTRIES.index(name) for name in ("MX", "BR", "ID")])
    before, now = plain.checkout._border[0]["duty_ppm"], cut.checkout._border[0]["duty_ppm"]
    assert np.array_equal(before[~inside], now[~inside])
    expected = np.rint(1e6 * np.maximum(plain.rules.tariff.duty_rate[inside].astype(np.float64) - 0.05, 0))
    assert np.abs(now[inside] - expected).max() <= 1
    assert (now[inside] < before[inside]).any()

    was, is_now = plain.catalogue, cut.catalogue
    assert np.array_equal(was.landed_cents[:, ~inside], is_now.landed_cents[:, ~inside])
    parcels = (was.direct == 1) & (is_now.direct == 1) & inside
    assert np.array_equal(was.landed_cents[parcels] > 0, is_now.landed_cents[parcels] > 0)
    landed = np.zeros_like(was.landed_cents)  # of what was asked before; what is asked now is the sellers' answer
    landed_offers(
        was.price_cents, was.freight_cents, was.direct, was.category, cut.checkout._border, was.understated_permille,
        np.arange(was.n_lines), landed,
    )  # fmt: skip
    assert (landed[parcels] <= was.landed_cents[parcels]).all()
    taxed = np.array([duty_of(plain, line, country) for line, country in np.argwhere(parcels)]) > 0
    assert taxed.any()
    assert (landed[parcels][taxed, 0] < was.landed_cents[parcels][taxed, 0]).all()


def duty_of(world: World, line: int, country: int) -> int:
    """Cents of duty in the landed price of a line's lowest tier."""
    catalogue = world.catalogue
    price, freight = (
        np.int64(c) for c in (catalogue.price_cents[line, country, 0], catalogue.freight_cents[line, country])
    )
    _, duty, _ = landed_parts(
        price, np.int64(0), freight, np.int64(1), country, np.int64(catalogue.category[line]),
        world.checkout._border[0], 1000 - int(catalogue.understated_permille[line, country]),
    )  # fmt: skip
    return int(duty)


def test_a_lower_tariff_lowers_the_duty_on_bulk_stock() -> None:
    """What merchants pay when stock is sent to warehouses abroad."""
    kept, cut = (after(8, "baseline", *rows) for rows in ((), with_row("lever", "tariff_reduction", "to=0", "start=1")))
    assert duty_paid_by_merchants(cut) < 0.5 * duty_paid_by_merchants(kept)


def test_bulk_stock_pays_the_bulk_rate_not_the_one_of_parcels() -> None:
    """The flat rate on parcels (Brazil, South Africa) was once charged on consignments, too."""
    paid = []
    for leaf in ("tariff.duty_rate", "tariff.bulk_duty_rate"):
        world = tiny()
        rules = world.rules.amend({leaf: 0.0})
        world.interventions.rules_on = lambda day, rules=rules: rules  # type: ignore[method-assign, misc]
        for _ in range(8):
            world.step()
        costs = world.supply._costs
        assert costs is not None
        assert np.array_equal(costs.duty, rules.tariff.bulk_duty_rate.astype(np.float64))
        paid.append(duty_paid_by_merchants(world))
    assert paid[0] > 0 == paid[1]


def duty_paid_by_merchants(world: World) -> int:
    """Cents of duty that merchants' own accounts have paid: that on bulk stock, which buyers never see."""
    return sum(cents for purpose, payer, cents in flows_seen(world) if (purpose, payer) == ("TARIFF", "merchants"))


def flows_seen(world: World) -> Iterator[tuple[str, str, int]]:
    """Purpose, paying class and cents of all flows since the first reported day."""
    for purpose, payer, payee in np.argwhere(world.recorder._pairs):
        name = FLOW_GROUPS[payer].split("/")[0]
        yield MoneyPurpose(purpose).name, name, int(world.recorder._pairs[purpose, payer, payee])


def test_a_commission_cap_holds_what_platforms_charge(plain: World) -> None:
    capped = started("commission_cap", "share=0.1")
    before, now = (world.checkout._till[0]["commission_ppm"] for world in (plain, capped))
    assert (before[LIVE] > 100_000).all()
    assert (now[LIVE] == 100_000).all()
    assert np.array_equal(before[N_PLATFORMS:], now[N_PLATFORMS:])
    orders = orders_of(capped, BEGIN)
    live = orders["channel"] < N_PLATFORMS
    charge = orders["commission_cents"].astype(np.int64) + orders["host_cents"]
    assert live.any()
    assert (charge[live] <= 0.1 * orders["goods_cents"][live] + 1).all()
    assert (charge[live] > 0.09 * orders["goods_cents"][live] - 1).all()
    previous = orders_of(capped, BEGIN - 1)
    live = previous["channel"] < N_PLATFORMS
    charge = previous["commission_cents"].astype(np.int64) + previous["host_cents"]
    assert (charge[live] > 0.1 * previous["goods_cents"][live] + 1).any()


def orders_of(world: World, day: int) -> np.ndarray:
    """Orders in the book that were placed on a day of the run."""
    orders = world.orders.data[world.orders.open_rows()]
    return orders[orders["tick"] >> 3 == world.frame.first_day + day]


def test_disclosure_labels_shows_and_a_label_takes_weight_from_claims(plain: World) -> None:
    lax = started("ad_disclosure", "coverage=0.9")
    labelled = started("ad_disclosure", "coverage=0.9", "audits=12", "fine=0.5")  # nobody risks that
    share = float(labelled.rooms.disclosed.mean())
    assert plain.rooms.disclosed.mean() < lax.rooms.disclosed.mean() < share
    assert plain.rooms.disclosed.mean() < 0.5 < share
    # one draw a streamer: 0.9 within five standard deviations, odds of a false alarm below 1e-6
    assert abs(share - 0.9) < 5 * np.sqrt(0.09 / labelled.rooms.disclosed.size)
    param = labelled.market.param[0]
    trust, without, with_label = np.float32(0.6), np.float32(0), np.float32(1)
    assert 0 < claims_weight(param, trust, with_label) < claims_weight(param, trust, without)
    flags = orders_of(labelled, BEGIN)
    live = flags["streamer"] != NO_STREAMER
    assert (flags["flags"][live] & Flag.DISCLOSED != 0).mean() > 0.5


# -- platforms -----------------------------------------------------------------------------------------------------


def test_translation_raises_what_is_understood_of_foreign_rooms_only(plain: World) -> None:
    translated = started("ai_translation", "quality=0.7")
    assert np.array_equal(plain.rooms.host, translated.rooms.host)
    before, now = plain.rooms.comprehension, translated.rooms.comprehension
    assert (now >= before).all()
    spoken = plain.rooms.language
    own = before[np.arange(spoken.size), spoken]
    assert np.array_equal(own, now[np.arange(spoken.size), spoken])  # who speaks the show's language gains nothing
    foreign = np.ones(before.shape, bool)
    foreign[np.arange(spoken.size), spoken] = False
    assert (now[foreign] > before[foreign]).mean() > 0.5
    assert now[foreign].mean() > before[foreign].mean() + 0.1


def test_a_guarantee_covers_live_offers_and_is_stamped_on_orders(plain: World) -> None:
    guaranteed = started("return_guarantee", "coverage=1.0")
    assert plain.market.offers.guaranteed[LIVE].mean() < 0.9
    assert (guaranteed.market.offers.guaranteed[LIVE] == 1).all()
    assert np.array_equal(
        plain.market.offers.guaranteed[N_PLATFORMS:], guaranteed.market.offers.guaranteed[N_PLATFORMS:]
    )
    orders = orders_of(guaranteed, BEGIN)
    live = orders["channel"] < N_PLATFORMS
    assert live.any()
    assert (orders["flags"][live] & Flag.GUARANTEED != 0).all()


# -- payment -------------------------------------------------------------------------------------------------------


def test_more_methods_are_offered_at_the_till(plain: World) -> None:
    integrated = started("local_payment_integration", "availability=0.95")
    before, now = offered(plain), offered(integrated)
    assert (now >= before).all()  # a larger share only adds shops
    assert now.sum() > before.sum()
    assert np.isclose(now.mean(), 0.95, atol=0.02)


def offered(world: World) -> np.ndarray:
    """bool[merchants, C, M]: which methods the merchants' shops on the second channel offer."""
    checkout, key = world.checkout, world.draws.key
    found = np.zeros((world.catalogue.n_merchants, N_COUNTRIES, N_METHODS), bool)
    for place in np.ndindex(found.shape):
        merchant, country, method = (np.int64(part) for part in place)
        found[place] = is_offered(
            merchant, np.int64(1), country, method, checkout._till[0], checkout._shop_purpose, key[0], key[1]
        )
    return found


@pytest.mark.parametrize(("start", "end"), [(2, 4), (2.25, 2.75)], ids=["two days", "twelve hours"])
def test_nothing_is_approved_during_an_outage(start: float, end: float) -> None:
    rows = with_row(
        "lever", "payment_outage", f"start={start}", f"end={end}", "scope={payment_methods: [card, ewallet]}"
    )
    kept, hit = (after(6, "baseline", "days=60", *settings) for settings in ((), rows))
    begin, until = (int((kept.frame.first_day + when) * DAY_SECONDS) for when in (start, end))

    def approved(world: World, down: bool) -> int:
        orders = world.orders.data[world.orders.open_rows()]
        inside = (orders["authorised"] >= begin) & (orders["authorised"] < until)
        methods = [PAYMENT_METHODS.index(name) for name in ("card", "ewallet")]
        return int((inside & (np.isin(orders["method"], methods) == down)).sum())

    assert approved(kept, down=True) > 0
    assert approved(hit, down=True) == 0
    assert approved(hit, down=False) > 0
    later = hit.orders.data[hit.orders.open_rows()]
    late = later[np.isin(later["method"], [0, 1]) & (later["placed"] < until) & (later["authorised"] >= until)]
    assert late.size > 0  # those who had asked before are heard afterwards


# -- goods ---------------------------------------------------------------------------------------------------------


def test_overseas_warehouses_are_wider_and_more_merchants_want_to_stock_there() -> None:
    kept, built = (
        after(30, "baseline", "days=60", "population.consumers=1000", *rows)
        for rows in ((), with_row("lever", "overseas_warehouse", "access=1.0", "capacity_factor=2.0", f"start={BEGIN}"))
    )
    abroad = slice(N_ORIGIN_WAREHOUSES, None)
    assert np.array_equal(built.fulfilment._factors[0][:N_ORIGIN_WAREHOUSES], np.ones(N_ORIGIN_WAREHOUSES))
    assert np.array_equal(built.fulfilment._factors[0][abroad], np.full(N_COUNTRIES, 2.0))
    wanted = [stocked_share(world, world.adaptation.abroad) for world in (kept, built)]
    assert wanted[1] > wanted[0] + 0.02
    stocked = [stocked_share(world, world.catalogue.stocked) for world in (kept, built)]
    assert stocked[1] >= stocked[0]


def test_overseas_warehouses_from_the_beginning_raise_the_stocked_share() -> None:
    kept, built = (tiny("baseline", *rows) for rows in ((), with_row("lever", "overseas_warehouse", "access=1.0")))
    assert stocked_share(built, built.catalogue.stocked) > stocked_share(kept, kept.catalogue.stocked) + 0.02


def stocked_share(world: World, stocked: np.ndarray) -> float:
    """Share of lines on offer, by country, that are stocked there."""
    on_offer = world.catalogue.targets[world.catalogue.merchant] == 1
    return float(stocked[on_offer].mean())


def test_smart_warehouses_show_what_is_there_and_forget_faster() -> None:
    gaps, memories = [], []
    for rows in (
        (),
        with_row("lever", "smart_warehousing", "sync_hours=0", "forecast_visibility=0.5", f"start={BEGIN}"),
    ):
        world = after(BEGIN, "baseline", "days=60", *rows)
        with shown_gaps(world) as seen:
            world.step()
            world.step()
        gaps.append(sum(seen[1:]))  # the first daypart shows yesterday's count
        memories.append(world.adaptation._memory(world.rules))
    assert gaps[1] < gaps[0]
    assert (memories[1] < memories[0]).all()


def test_listings_refreshed_less_often_sell_more_of_what_is_gone() -> None:
    oversold = []
    for hours in (0, 48):
        world = tiny(
            "baseline", "days=60", f"rules.sync_hours={{origin: {hours}, overseas: {hours}}}",
            "supply.stock.first_cover_days={origin: 3, abroad: 3}",
        )  # fmt: skip
        with oversold_orders(world) as seen:
            for _ in range(20):
                world.step()
        world.fulfilment.check(recount=True)
        oversold.append(sum(seen))
    assert oversold[0] <= 1
    assert oversold[1] > oversold[0] + 3


@contextmanager
def oversold_orders(world: World) -> Iterator[list[int]]:
    """Orders whose shown stock was not there at allocation, by daypart."""
    seen: list[int] = []
    release = world.fulfilment.release

    def watched(*args: object) -> object:
        released = release(*args)  # type: ignore[arg-type]
        seen.append(int(released.oversold.size))
        return released

    world.fulfilment.release = watched  # type: ignore[method-assign, assignment]
    yield seen
    world.fulfilment.release = release  # type: ignore[method-assign]


@contextmanager
def shown_gaps(world: World) -> Iterator[list[int]]:
    """Units by which shown stock exceeds what is there, at the start of each daypart."""
    seen: list[int] = []
    place = world.checkout.place

    def watched(*args: object) -> object:
        seen.append(int(np.maximum(world.catalogue.shown - world.catalogue.real, 0).sum()))
        return place(*args)  # type: ignore[arg-type]

    world.checkout.place = watched  # type: ignore[method-assign, assignment]
    yield seen
    world.checkout.place = place  # type: ignore[method-assign]


def test_a_closed_warehouse_ships_nothing_until_it_opens() -> None:
    names = "[origin_1, origin_2, origin_3, origin_4, US]"
    for begin, until in ((2, 4), (2.25, 2.75)):
        rows = with_row(
            "lever", "warehouse_closure", f"start={begin}", f"end={until}", f"scope={{warehouses: {names}}}"
        )
        kept, shut = (after(6, "baseline", "days=60", *settings) for settings in ((), rows))
        closed = (*range(N_ORIGIN_WAREHOUSES), N_ORIGIN_WAREHOUSES + COUNTRIES.index("US"))
        shipped = [shipped_between(world, closed, begin, until) for world in (kept, shut)]
        assert shipped[0] > 0
        assert shipped[1] == 0, f"shipped from closed warehouses between day {begin} and {until}"
        assert shipped_between(shut, closed, until, 6) > 0


def shipped_between(world: World, warehouses: tuple[int, ...], begin: float, until: float) -> int:
    """Orders in the book that left the warehouses between two days of the run."""
    orders = world.orders.data[world.orders.open_rows()]
    first, last = (int((world.frame.first_day + day) * DAY_SECONDS) for day in (begin, until))
    inside = (orders["shipped"] >= first) & (orders["shipped"] < last)
    return int((inside & np.isin(orders["warehouse"], warehouses)).sum())


def test_a_suspended_carriers_parcels_go_to_the_other_one() -> None:
    begin, until = 6, 10
    first = [2 * COUNTRIES.index(name) for name in ("US", "ID")]
    second = [carrier + 1 for carrier in first]
    rows = with_row("lever", "carrier_suspended", f"start={begin}", f"end={until}", "scope={carriers: [US_1, ID_1]}")
    kept, stopped = (after(begin + 1, "baseline", "days=60", *settings) for settings in ((), rows))
    before = [(served(world, first), served(world, second)) for world in (kept, stopped)]
    for world in (kept, stopped):
        for _ in range(until - begin - 1):
            world.step()
    (kept_first, kept_second), (stopped_first, stopped_second) = (
        (served(world, first) - was[0], served(world, second) - was[1])
        for world, was in zip((kept, stopped), before, strict=True)
    )
    assert stopped_first == 0 < kept_first
    assert stopped_second > kept_second
    assert not np.isin(orders_of(stopped, begin)["carrier"], first).any()
    for _ in range(2):
        stopped.step()
    assert served(stopped, first) > before[1][0]


def served(world: World, carriers: list[int]) -> int:
    """Parcels that the carriers' lines have started to deliver."""
    bank = world.fulfilment.banks[3]
    return int(bank.state[carriers, SERVED].sum())


# -- demand --------------------------------------------------------------------------------------------------------


def test_a_surge_of_needs_speeds_them_up_where_it_is_said(plain: World) -> None:
    surge = started("demand_surge", "need_factor=3.0", "scope={categories: [beauty, home]}")
    before, now = plain.market.setting.need_rate, surge.market.setting.need_rate
    inside = np.isin(np.arange(len(CATEGORIES)), [CATEGORIES.index(name) for name in ("beauty", "home")])
    assert np.allclose(now[:, inside], 3 * before[:, inside])
    assert np.array_equal(now[:, ~inside], before[:, ~inside])


def test_a_surge_on_shows_makes_them_look_more_popular(plain: World) -> None:
    surge = started("demand_surge", "need_factor=null", "audience_factor=8.0", "scope={platforms: [tiktok_shop]}")
    assert np.array_equal(plain.rooms.host, surge.rooms.host)
    inside = plain.rooms.platform == 1
    before, now = (world.supply._ranked_air.popularity for world in (plain, surge))
    assert np.allclose(now[inside], 8 * before[inside])
    assert np.array_equal(now[~inside], before[~inside])
    assert (surge.rooms.base[inside] > plain.rooms.base[inside]).all()
    assert np.array_equal(surge.rooms.base[~inside], plain.rooms.base[~inside])


# -- causes of what happens seldom -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["dispute_resolution_agreement", "fulfilment_insurance", "global_warranty", "smart_customer_service"]
)
def test_quicker_answers_reach_the_desk_that_settles_disputes(kind: str, plain: World) -> None:
    quick = started(kind)
    before, now = (world.settlement._desk[0]["handling_seconds"][:N_PLATFORMS] for world in (plain, quick))
    assert (now <= before).all()
    assert (now < before).any()


def test_a_better_cold_chain_slows_the_clock_of_spoiling(plain: World) -> None:
    cold = started("cold_chain_upgrade", "factor=0.3")
    before, now = (world.fulfilment._by_country[:, SHELF_LIFE] for world in (plain, cold))
    assert np.allclose(now, before / 0.3)


def test_hardened_data_lower_the_chance_of_a_breach_and_nothing_else(plain: World) -> None:
    hard = started("zero_trust_security", "factor=0.1")
    assert np.allclose(hard.rules.privacy.breach_hazard, 0.1 * plain.rules.privacy.breach_hazard)
    assert (plain.rules.privacy.breach_hazard > 0).all()


def test_a_dearer_dollar_leaves_less_of_a_budget_in_scope_only(plain: World) -> None:
    jump = started("exchange_rate_jump", "factor=1.25", "scope={countries: [BR]}")
    ratio = jump.market.setting.liquidity / plain.market.setting.liquidity
    assert ratio[COUNTRIES.index("BR")] == pytest.approx(0.8)
    assert (np.delete(ratio, COUNTRIES.index("BR")) == 1).all()


def test_a_dearer_dollar_makes_a_price_weigh_more_against_income_and_memory(plain: World) -> None:
    brazil = COUNTRIES.index("BR")
    weights, memories = [], []
    for factor in (0.8, 1.0, 1.25):
        jump = started("exchange_rate_jump", f"factor={factor}", "scope={countries: [BR]}")
        weights.append(jump.market.setting.price_taste / plain.market.setting.price_taste)
        ratio = jump.market.offers.remembered_usd / np.maximum(plain.market.offers.remembered_usd, np.float32(1e-9))
        memories.append(ratio[plain.catalogue.landed_cents[:, :, 0] > 0])
        sold = plain.catalogue.landed_cents[:, brazil, 0] > 0
        # a day's forgetting brings the remembered price back a little
        assert np.median(ratio[sold, brazil]) == pytest.approx(1 / factor, rel=0.03)
    assert [float(weight[brazil]) for weight in weights] == pytest.approx([0.8, 1.0, 1.25])
    assert all((np.delete(weight, brazil) == 1).all() for weight in weights)


def test_emissions_of_parcels_that_never_reach_a_buyer_count() -> None:
    emission = Emission.of(tiny().cfg.logistics)
    round_trip = [int(parcel_co2_g(emission, 0, 1, mode, 1.0)) for mode in (1, 3)]
    lost = [int(lost_co2_g(emission, 0, 1, mode, 1.0)) for mode in (1, 3)]
    assert 0 < lost[1] < lost[0], "by air, by rail"
    assert [one - other for one, other in zip(round_trip, lost, strict=True)] == [round(emission.mile_g[0])] * 2
    assert int(lost_co2_g(emission, 0, 0, 255, 9.0)) == round(emission.packaging_g[0]), "local stock has not travelled"


def test_parcels_worth_it_go_home_by_sea_and_emit_on_the_way() -> None:
    """None of those graded as scrap, all of those that can be sold again, some in between; stock abroad stays there."""
    world = after(4, "baseline")
    data, sheets = world.orders.data, world.tally.sheets
    rows = np.flatnonzero(data["quantity"] > 0)
    parcels = rows[data["direct"][rows] == 1]
    assert 0 < parcels.size < rows.size
    scalars, by_category, key = world.fulfilment.grading
    data["flags"][rows] &= np.uint16(0xFFFF - int(Flag.DAMAGED) - int(Flag.SPOILED))
    counted = []
    for chance in (0.0, 0.5, 1.0):
        scalars, by_category = scalars.copy(), by_category.copy()
        scalars[DIRECT_RESALE], by_category[:, RESALE] = 1.0, chance
        before = int(world.tally.today[Measure.CO2_G].sum())
        kinds = np.full(rows.size, int(Event.RETURN_RECEIVED), np.uint8)
        weights, emission = world.catalogue.weight_kg, world.logbook._emission
        _sent_home(kinds, rows, data, weights, emission, scalars, by_category, key, sheets)
        counted.append(int(world.tally.today[Measure.CO2_G].sum()) - before)
    grams = world.catalogue.weight_kg[data["line"][parcels]] * data["quantity"][parcels]
    by_sea = emission.bulk_g_kg[data["country"][parcels], 1]
    assert counted[0] == 0 < counted[1] < counted[2]
    assert counted[2] == pytest.approx(float((grams * by_sea).sum()), abs=parcels.size)


def test_every_landed_price_is_that_of_todays_prices_though_only_revised_lines_are_priced() -> None:
    world = tiny("tariff_reduction", "days=40", "warmup_days=5", "supply.channels.review_weeks=1")
    price, seen = world.supply.price, []

    def checked(*args: Any) -> bool:
        changed = price(*args)
        catalogue = world.catalogue
        landed = np.zeros_like(catalogue.landed_cents)
        landed_offers(
            catalogue.price_cents, catalogue.freight_cents, catalogue.direct, catalogue.category,
            world.supply._border, catalogue.understated_permille, np.arange(catalogue.n_lines), landed,
        )  # fmt: skip
        np.testing.assert_array_equal(catalogue.landed_cents, landed)
        seen.append(world.supply.new_prices)
        return changed

    world.supply.price = checked  # type: ignore[method-assign]
    world.run()
    assert len(seen) == 45
    assert sum(count > 0 for count in seen) > 20, "prices changed on most days"
