from __future__ import annotations

import numpy as np
import pytest

from sim.day.checkout import ORDERED, STOCKED_OUT, UNPAYABLE
from sim.kernels.money import border_of, discounted, landed_offers, landed_parts, share_cents
from sim.kinds import BRAND_SITE, N_PLATFORMS, NO_STREAMER, SHELF, Flag
from sim.rules import Rules

from .world import CARD, COD, CONSUMERS, DAY, PARTS, RULES, World

US, DE = 0, 2


def border(**leaves: object) -> np.void:
    names = {
        "duty": "tariff.duty_rate",
        "free": "tariff.de_minimis_usd",
        "vat": "tax.vat_rate",
        "vat_free": "tax.de_minimis_usd",
    }
    return border_of(Rules.neutral({names[name]: value for name, value in leaves.items()}), ["US"])[0]  # type: ignore[misc]


def test_shares_and_discounts_round_half_a_cent_up() -> None:
    assert share_cents(0, 30_000) == 0
    assert share_cents(50, 10_000) == 1
    assert share_cents(49, 10_000) == 0
    assert discounted(999, 0) == 999
    assert discounted(5, 500) == 3
    assert discounted(777, 1000) == 0


def test_a_value_at_the_threshold_is_free_and_a_cent_above_pays_on_all() -> None:
    rules = border(duty=0.1, free=100.0, vat=0.2, vat_free=50.0)
    assert landed_parts(5000, 0, 300, 1, DE, 0, rules, 1000) == (5000, 0, 0)
    assert landed_parts(5001, 0, 300, 1, DE, 0, rules, 1000) == (5001, 0, 1060)
    assert landed_parts(10000, 0, 300, 1, DE, 0, rules, 1000) == (10000, 0, 2060)
    assert landed_parts(10001, 0, 300, 1, DE, 0, rules, 1000) == (10001, 1030, 2266)


def test_tax_follows_the_discount_the_declared_value_and_the_route() -> None:
    rules = border(duty=0.1, free=100.0, vat=0.2, vat_free=0.0)
    assert landed_parts(10001, 100, 0, 1, DE, 0, rules, 1000) == (9001, 0, 1800)  # the discount keeps it below
    assert landed_parts(20000, 0, 0, 1, DE, 0, rules, 500) == (20000, 0, 2000)  # declared at half
    assert landed_parts(20000, 0, 1000, 0, DE, 0, rules, 1000) == (20000, 0, 0)  # from a local warehouse
    assert landed_parts(20000, 0, 1000, 1, US, 0, rules, 1000)[1] == 2000  # duty without freight
    assert landed_parts(20000, 0, 1000, 1, DE, 0, rules, 1000)[1] == 2100


def test_no_rates_no_taxes_and_no_vat_where_there_is_none() -> None:
    assert landed_parts(9000, 0, 300, 1, DE, 0, border(duty=0.0, free=0.0, vat=0.0, vat_free=0.0), 1000) == (9000, 0, 0)
    assert landed_parts(9000, 0, 300, 1, DE, 0, border(vat=0.2, vat_free=np.nan), 1000) == (9000, 0, 0)


def test_offers_agree_with_the_parts_and_leave_out_what_is_not_sold() -> None:
    price = np.zeros((1, 20, 4), np.int32)
    price[0, DE] = [1000, 3000, 0, 9000]
    freight, direct = np.full((1, 20), 250, np.int32), np.ones((1, 20), np.uint8)
    out = np.full_like(price, 7)
    taxes = border_of(RULES)
    landed_offers(price, freight, direct, np.zeros(1, np.uint8), taxes, np.zeros_like(direct, np.uint16),
                  np.arange(1), out)  # fmt: skip
    parts = [landed_parts(cents, 0, 250, 1, DE, 0, taxes[0], 1000) for cents in (1000, 3000, 9000)]
    assert out[0, DE].tolist() == [sum(parts[0]) + 250, sum(parts[1]) + 250, 0, sum(parts[2]) + 250]
    assert not out[0, US].any()


def test_what_is_charged_is_what_was_shown_to_the_cent() -> None:
    world = World()
    intents = world.intents(300)
    intents.discount_permille[:] = 0
    placed = world.place(intents)
    book = world.orders.data[world.orders.row(placed.order)]
    paid = sum(book[name].astype(np.int64) for name in ("goods_cents", "freight_cents", "duty_cents", "vat_cents"))
    shown = intents.landed_cents[placed.intent].astype(np.int64) * intents.quantity[placed.intent]
    assert np.array_equal(paid, shown)
    assert world.checkout.price_gap_cents == 0
    assert np.array_equal(book["subsidy_cents"], np.where(intents.channel[placed.intent] < 8, 50, 0))
    world.catalogue.landed_cents += 1
    world.place(world.intents(3))
    with pytest.raises(AssertionError, match="differ"):
        world.checkout.check()


@pytest.mark.parametrize("fee", [0.0, 0.025, 0.1])
def test_a_service_fee_falls_on_discounted_goods_of_the_channel_that_asks_it(fee: float) -> None:
    worlds = [World(), World()]
    for world, asked in zip(worlds, (0.0, fee), strict=True):
        world.catalogue.service_fee[:] = 0.0
        world.catalogue.service_fee[[1, SHELF]] = asked
    intents = worlds[0].intents(300)
    placed = [world.place(intents).order for world in worlds]
    free, charged = (world.orders.data[world.orders.row(new)] for world, new in zip(worlds, placed, strict=True))
    asks = np.isin(charged["channel"], (1, SHELF))
    goods = charged["goods_cents"].astype(np.int64)
    assert np.array_equal(charged["service_cents"], np.where(asks, share_cents_of(goods, fee), 0))
    assert (charged["service_cents"][asks] > 0).all() == (fee > 0)
    for name in ("goods_cents", "freight_cents", "duty_cents", "vat_cents", "commission_cents", "subsidy_cents"):
        assert np.array_equal(free[name], charged[name]), name  # the seller's terms and the border do not know of it
    assert (charged["fee_cents"] >= free["fee_cents"]).all()  # the provider's fee is on all that is paid


def share_cents_of(cents: np.ndarray, share: float) -> list[int]:
    return [share_cents(int(one), round(share * 1e6)) for one in cents]


def test_the_last_unit_goes_to_the_first_buyer() -> None:
    world = World(rules=Rules.neutral())
    intents = world.intents(3)
    intents.line[:], intents.quantity[:], intents.country[:] = 0, 1, DE
    intents.channel[:] = 0
    world.catalogue.direct[0, DE] = 0
    world.catalogue.shown[:, 0] = 0
    world.catalogue.shown[0, 0, 4 + DE] = 1
    world.price()
    intents.landed_cents[:] = world.catalogue.landed_cents[0, DE, intents.tier]
    placed = world.place(intents)
    assert placed.outcome.tolist() == [ORDERED, STOCKED_OUT, STOCKED_OUT]
    assert world.catalogue.shown[0, 0, 4 + DE] == 0
    assert world.catalogue.wanted_units[0, DE] == 3
    assert world.orders.warehouse[world.orders.row(placed.order)].tolist() == [4 + DE]


def test_a_sale_in_one_listing_leaves_the_other_as_it_was() -> None:
    world = World(rules=Rules.neutral())
    intents = world.intents(6)
    intents.line[:], intents.quantity[:], intents.country[:] = 0, 1, DE
    intents.channel[:] = [0, N_PLATFORMS - 1, SHELF, BRAND_SITE, SHELF, 0]
    intents.streamer[intents.channel >= N_PLATFORMS] = NO_STREAMER
    world.catalogue.direct[0, DE] = 0
    world.catalogue.shown[:, 0, 4 + DE] = 2
    world.price()
    intents.landed_cents[:] = world.catalogue.landed_cents[0, DE, intents.tier]
    before = world.catalogue.shown.copy()
    placed = world.place(intents)
    assert placed.outcome.tolist() == [ORDERED, ORDERED, ORDERED, ORDERED, STOCKED_OUT, STOCKED_OUT]
    assert world.catalogue.shown[:, 0, 4 + DE].tolist() == [0, 0]
    assert (before - world.catalogue.shown).sum() == 4


def test_no_method_no_order_and_all_methods_no_loss() -> None:
    assert (
        World(rules=Rules.neutral({"payment.availability": 0.0})).place(World().intents(50)).outcome == UNPAYABLE
    ).all()
    world = World(rules=Rules.neutral())
    intents = world.intents(200)
    placed = world.place(intents)
    assert (placed.outcome == ORDERED).all()
    used = world.orders.method[world.orders.row(placed.order)]
    assert np.array_equal(used, world.buyers.payment_preference[intents.consumer])


def test_more_shops_with_a_method_only_add_orders() -> None:
    outcomes = []
    for share in (0.2, 0.5, 0.8):
        world = World(rules=Rules.neutral({"payment.availability": share}))
        outcomes.append(world.place(world.intents(400)).outcome == ORDERED)
    assert outcomes[0].sum() < outcomes[1].sum() < outcomes[2].sum()


def test_an_outage_sends_buyers_to_other_methods_or_away() -> None:
    down = np.zeros((20, 6))
    down[:, CARD] = 1
    world = World(rules=Rules.neutral({"payment.outage": down}))
    world.buyers.payment_preference[:] = CARD
    placed = world.place(world.intents(400))
    methods = world.orders.method[world.orders.row(placed.order)]
    assert not (methods == CARD).any()
    lost = (placed.outcome == UNPAYABLE).sum()
    assert 20 < lost < 120  # 15 % of 400, more than 4 standard deviations on either side


@pytest.mark.parametrize(("trust", "lost"), [(65535, 0), (0, 1)])
def test_trust_decides_who_falls_back_on_another_method(trust: int, lost: int) -> None:
    offered = np.ones((20, 6))
    offered[:, COD] = 0
    world = World(rules=Rules.neutral({"payment.availability": offered}))
    world.buyers.payment_preference[:] = COD
    world.buyers.trust[:] = trust
    outcome = world.place(world.intents(200)).outcome
    assert ((outcome == UNPAYABLE).any()) == bool(lost)


@pytest.mark.parametrize(("cap", "share"), [(1.0, 0.08), (0.09, 0.08), (0.05, 0.05), (0.0, 0.0)])
def test_a_cap_binds_only_below_what_is_asked(cap: float, share: float) -> None:
    world = World(rules=Rules.neutral({"commission.cap": cap}))
    placed = world.place(world.intents(50))
    book = world.orders.data[world.orders.row(placed.order)]
    charge = book["commission_cents"] + book["host_cents"]  # the host is paid out of it
    assert np.abs(charge - share * book["goods_cents"]).max() <= 0.51


def test_hosts_are_paid_only_for_what_they_sold() -> None:
    world = World()
    placed = world.place(world.intents(200))
    book = world.orders.data[world.orders.row(placed.order)]
    live = book["streamer"] != NO_STREAMER
    assert (book["host_cents"][live] > 0).all()
    assert not book["host_cents"][~live].any()
    assert np.array_equal((book["flags"] & Flag.INSTALMENTS) != 0, book["method"] == PARTS)


def test_one_batch_or_many_make_the_same_orders() -> None:
    whole, cut = World(), World()
    intents = whole.intents(300)
    cut.intents(300)
    whole.place(intents)
    for piece in np.array_split(np.arange(300), 24):
        part = type(intents)(**{name: getattr(intents, name)[piece] for name in type(intents).__slots__})
        cut.place(part)
    left, right = (w.orders.data[w.orders.open_rows()] for w in (whole, cut))
    assert all(
        np.array_equal(left[name], right[name], equal_nan=True)
        for name in left.dtype.names
        if left[name].dtype.kind == "f"
    )
    assert all(np.array_equal(left[name], right[name]) for name in left.dtype.names if left[name].dtype.kind != "f")
    assert np.array_equal(whole.catalogue.shown, cut.catalogue.shown)


def test_nobody_wants_anything() -> None:
    world = World()
    assert len(world.place(world.intents(0), DAY)) == 0
    assert CONSUMERS > 0


def test_sellers_divide_orders_when_it_costs_less_than_the_tax_and_they_are_of_the_kind() -> None:
    rules = RULES.amend({"tariff.de_minimis_usd": 60.0, "tariff.duty_rate": 0.5})
    flags = {}
    for name, postage, evades in (("free", 0, 1), ("honest", 300, 0), ("cheap", 300, 1), ("dear", 30_000, 1)):
        world = World(rules=rules)
        shop = world.catalogue
        shop.direct[:], shop.price_cents[:], shop.freight_cents[:] = 1, 4000, 200
        shop.postage_cents[:], shop.evades[:] = postage, evades
        world.price()
        intents = world.intents(300)
        intents.quantity[:] = 2
        intents.landed_cents[:] = shop.landed_cents[intents.line, intents.country, intents.tier]
        intents.discount_permille[:] = 0
        placed = world.place(intents)
        orders = world.orders
        rows = orders.row(placed.order)
        flags[name] = (orders.flags[rows] & Flag.DIVIDED > 0).mean()
        assert (orders.duty_cents[rows] == 0).all()  # what buyers were shown
        world.check()
    assert flags == {"free": 0, "honest": 0, "cheap": 1, "dear": 0}


def test_what_is_not_declared_is_not_taxed() -> None:
    rules = RULES.amend({"tariff.de_minimis_usd": 0.0, "tariff.duty_rate": 0.5})
    world = World(rules=rules)
    world.catalogue.understated_permille[:] = 400
    world.price()
    placed = world.place(world.intents(200))
    rows = world.orders.row(placed.order)
    parcel = world.orders.direct[rows] == 1
    base = 0.6 * world.orders.goods_cents[rows]
    assert (world.orders.duty_cents[rows][parcel] < 0.5 * (base + world.orders.freight_cents[rows])[parcel] + 2).all()
    world.check()
