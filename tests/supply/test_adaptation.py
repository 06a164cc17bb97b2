"""Stock, routes, audiences and the week's payments."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.merchant import cost_table
from sim.kernels.supply import expected_demand, expected_share, order_point, stocking_cost
from sim.kinds import N_COUNTRIES
from sim.record.schema import MoneyPurpose
from sim.state.ledger import Account
from tests.supply.world import DAY, PROMISE, RULES, group, make


def sell(world, rng, rate, day):
    """Poisson demand at `rate` units a day by line and country; returns (asked, lost)."""
    catalogue = world.catalogue
    asked = rng.poisson(rate)
    line, country = np.nonzero(asked)
    lost = 0
    for one, place in zip(line.tolist(), country.tolist(), strict=True):
        home = int(catalogue.home_warehouse[catalogue.merchant[one]])
        warehouse = home if catalogue.direct[one, place] else 4 + place
        want = int(asked[one, place])
        catalogue.wanted_units[one, place] += want
        got = min(want, int(catalogue.shown[0, one, warehouse]))
        catalogue.shown[:, one, warehouse] -= got
        catalogue.real[one, warehouse] -= got
        lost += want - got
    return int(asked.sum()), lost


def run(world, days, rate, rules=RULES, seed=1):
    rng = np.random.default_rng(seed)
    asked = lost = 0
    visits = np.zeros(len(world.streamers), np.int64)
    for day in range(DAY + 1, DAY + 1 + days):
        world.freight.arrive(day)
        world.supply.price(rules, day, 1.0, PROMISE)
        air = world.supply.schedule(rules, day)
        new, gone = sell(world, rng, rate, day)
        if day > DAY + 30:
            asked += new
            lost += gone
        world.adaptation.adapt(rules, day, air, visits, world.orders, world.ledger, world.freight)
        world.ledger.check()
    return lost / max(asked, 1)


def first_rate(world):
    share, total = world.adaptation._share, world.adaptation._total
    return (share * total[:, world.catalogue.category].T).astype(np.float64)


def test_order_point_covers_the_mean_and_grows_with_it():
    factor, none = np.float32(2.05), np.float32(0)
    assert order_point(none, factor, none) == 0
    points = [float(order_point(np.float32(m), factor, none)) for m in (0.1, 1, 10, 100, 1000)]
    assert all(p > m for p, m in zip(points, (0.1, 1, 10, 100, 1000), strict=True))
    assert points[-1] == pytest.approx(1000 + 2.05 * np.sqrt(1000), rel=0.01)
    assert order_point(np.float32(1000), factor, np.float32(0.2)) == pytest.approx(1000 + 2.05 * 202.5, rel=0.01)


def test_little_data_leaves_the_expectation_and_much_replaces_it():
    def rate(sold, prior=1.0):
        return float(expected_demand(np.float32(prior), np.float32(sold), np.float32(28), np.float32(12)))

    assert rate(28) == pytest.approx(1.0)
    assert 1.0 < rate(56) < 2.0
    few = expected_demand(np.float32(0.01), np.float32(1), np.float32(28), np.float32(12))
    assert few < 0.012  # one order in a small sample is no trend
    many = expected_demand(np.float32(100), np.float32(5600), np.float32(28), np.float32(12))
    assert many == pytest.approx(200, rel=0.01)
    assert expected_demand(np.float32(0), np.float32(28), np.float32(28), np.float32(12)) == 1


@pytest.mark.parametrize("consumers", [20_000, 400_000])
def test_stock_covers_demand_at_any_scale_of_demand(consumers):
    world = make(consumers=consumers, firms_scale=0.1)
    rate = first_rate(world)
    lost = run(world, 100, rate)
    assert lost < 0.03
    tied = (world.catalogue.ordered_units.sum() - world.catalogue.received_units.sum()) + world.catalogue.real.sum()
    assert tied < 140 * rate.sum()


def test_without_safety_stock_more_is_lost():
    bare = make(consumers=100_000, firms_scale=0.05)
    stock = bare.cfg.supply.stock.model_copy(update={"service_factor": 0.0})
    bare.adaptation.cfg.supply = bare.cfg.supply.model_copy(update={"stock": stock})
    safe = make(consumers=100_000, firms_scale=0.05)
    assert run(bare, 80, first_rate(bare)) > 2 * run(safe, 80, first_rate(safe))


def test_nothing_is_ordered_where_nothing_sells_and_goods_are_conserved():
    world = make(firms_scale=0.05)
    run(world, 40, first_rate(world))
    catalogue = world.catalogue
    unsold = catalogue.targets[catalogue.merchant] == 0
    assert (catalogue.ordered_units[:, 4:][unsold] == 0).all()
    under_way = np.zeros_like(catalogue.ordered_units)
    for _, line, warehouse, units in world.freight.coming:
        under_way[line, warehouse] += units
    assert np.array_equal(catalogue.ordered_units - catalogue.received_units, under_way)


def test_a_surge_brings_goods_by_air():
    world = make(consumers=200_000, firms_scale=0.05)
    rate = first_rate(world)
    run(world, 20, rate)
    calm = world.freight.modes.count(4) / max(len(world.freight.modes), 1)
    world.freight.modes.clear()
    run(world, 40, 4 * rate)
    assert world.freight.modes.count(4) / len(world.freight.modes) > max(2 * calm, 0.02)


def test_local_stock_needs_access_and_gain():
    assert make(rules=RULES.amend({"warehousing.overseas_access": 0.0}), firms_scale=0.1).catalogue.stocked.sum() == 0
    shares = []
    for access in (0.3, 0.6, 1.0):
        catalogue = make(rules=RULES.amend({"warehousing.overseas_access": access}), firms_scale=0.1).catalogue
        shares.append(catalogue.stocked.sum() / catalogue.targets[catalogue.merchant].sum())
    assert shares == sorted(shares)
    assert shares[0] > 0.1
    taxed = make(rules=RULES.amend({"tariff.duty_rate": 1.0, "tariff.bulk_duty_rate": 1.0}), firms_scale=0.1).catalogue
    assert taxed.stocked.sum() < make(firms_scale=0.1).catalogue.stocked.sum()


def test_a_line_moves_abroad_when_its_first_stock_has_come():
    closed = RULES.amend({"warehousing.overseas_access": 0.0})
    world = make(rules=closed, firms_scale=0.05)
    rate = first_rate(world)
    month = world.cfg.supply.stock.review_month_days
    assert month == 28
    run(world, 100, rate, RULES)
    catalogue = world.catalogue
    assert catalogue.stocked.sum() > 0
    assert (catalogue.direct + catalogue.stocked == catalogue.targets[catalogue.merchant]).all()
    assert (world.adaptation.abroad[catalogue.stocked == 1] == 1).mean() > 0.9


def test_audience_is_learnt_from_many_visits_and_not_from_few():
    def share(seen, total, prior=0.1, base=0.1):
        return float(
            expected_share(
                np.float32(prior),
                np.float32(base),
                np.float32(seen),
                np.float32(total),
                np.float32(30),
                np.float32(0.6),
            )
        )

    assert share(0, 0) == pytest.approx(0.1, rel=1e-5)
    assert share(1, 2) == pytest.approx(0.1, rel=0.15)
    assert share(400, 2000) > 0.12
    assert share(400, 2000) < 0.2  # fame outlives a good week
    world = make(firms_scale=0.1)
    before = world.streamers.popularity.copy()
    run(world, 5, 0 * first_rate(world))
    assert world.streamers.popularity == pytest.approx(before, rel=1e-4)  # a world without viewers stays as it is
    cell = world.streamers.country * 8 + world.streamers.platform
    assert np.bincount(cell, weights=world.streamers.popularity)[np.unique(cell)] == pytest.approx(1.0, abs=1e-4)


def test_hosts_tire_and_recover():
    world = make(firms_scale=0.1)
    run(world, 30, 0 * first_rate(world))
    fatigue = world.streamers.fatigue
    assert 0 < fatigue.mean() < 0.5
    head, tail = fatigue[world.streamers.tier == 0].mean(), fatigue[world.streamers.tier == 2].mean()
    assert head > tail


def test_a_weeks_costs_are_posted_once_a_week_and_scale_with_what_a_firm_stands_for():
    world = make(firms_scale=0.1)
    run(world, 28, 0 * first_rate(world))
    result = world.ledger.result(Account.MERCHANT)
    fixed = world.adaptation._fixed
    labour = -result[:, MoneyPurpose.WAGE]
    assert np.array_equal(labour, 4 * fixed[:, 3])
    yearly = fixed.sum() * 365 / 7 / 100 * ADULTS_PER_CONSUMER
    real = world.cfg.firms.real
    costs = world.cfg.economics.fixed_costs().sum(axis=1)
    assert yearly == pytest.approx(real["small"] * costs[0] + real["large"] * costs[1], rel=0.02)


ADULTS_PER_CONSUMER = 1.246e9 / 20_000


def test_stock_is_paid_for_where_it_goes():
    world = make(consumers=200_000, firms_scale=0.05)
    run(world, 30, first_rate(world))
    result = world.ledger.result(Account.MERCHANT).sum(axis=0)
    for purpose in (MoneyPurpose.PRODUCTION, MoneyPurpose.LOGISTICS, MoneyPurpose.TARIFF, MoneyPurpose.VAT):
        assert result[purpose] < 0, purpose.name
    assert world.ledger.result(Account.TREASURY).sum() > 0
    bare = make(
        consumers=200_000, firms_scale=0.05, rules=RULES.amend({"tariff.duty_rate": 0.0, "tariff.bulk_duty_rate": 0.0})
    )
    run(bare, 30, first_rate(bare), RULES.amend({"tariff.duty_rate": 0.0, "tariff.bulk_duty_rate": 0.0}))
    assert bare.ledger.result(Account.MERCHANT).sum(axis=0)[MoneyPurpose.TARIFF] == 0


def test_forecast_visibility_follows_what_hosts_have_booked():
    world = make(consumers=200_000, firms_scale=0.1)
    rules = RULES.amend({"warehousing.forecast_visibility": 1.0})
    blind, seeing = world.adaptation._memory(RULES), world.adaptation._memory(rules)
    assert (seeing < blind).all()
    world.adaptation._cell_visits[:] = 2000
    air = world.supply.schedule(rules, DAY + 1)
    assert len(air)
    visits = np.zeros(len(world.streamers), np.int64)
    world.adaptation.adapt(rules, DAY + 1, air, visits, world.orders, world.ledger, world.freight)
    assert world.adaptation._booked.sum() > 0
    assert world.adaptation._booked.shape == (world.catalogue.n_lines, N_COUNTRIES)


def test_storage_at_the_origin_costs_its_part_of_storage_abroad():
    paid = []
    for factor in (0.02, 0.1, 1.0):
        economics = group("economics").model_copy(update={"origin_storage_factor": factor})
        world = make(firms_scale=0.05, economics=economics)
        everybody = np.arange(world.catalogue.n_merchants)
        stored = world.adaptation._held(everybody)[0].sum(axis=0)
        paid.append(stored[:4].sum())
        here = world.catalogue.real * world.catalogue.weight_kg[:, None].astype(np.float64)
        assert stored[4:].sum() / stored[:4].sum() == pytest.approx(
            here[:, 4:].sum() / here[:, :4].sum() / factor, rel=0.05
        )
        costs = cost_table(world.cfg, world.catalogue, RULES, 1.0)
        bare = costs._replace(origin_storage=0.0)
        held = [stocking_cost(each, 0, 0, 0, 10.0, 1.0, 0, 1) for each in (costs, bare)]
        assert held[0] - held[1] == pytest.approx(factor * costs.storage_kg_day * costs.stock_days[0])
    assert paid == sorted(paid)


def test_slot_fees_are_paid_by_the_sellers_whose_lines_were_shown():
    """The week's last evening comes before the new line-up, so nobody pays for shows in which others were seen."""
    world = make(firms_scale=0.1)
    visits = np.zeros(len(world.streamers), np.int64)
    checked = 0
    for day in range(DAY + 1, DAY + 15):
        world.supply.price(RULES, day, 1.0, PROMISE)
        air = world.supply.schedule(RULES, day)
        before = world.ledger.result(Account.MERCHANT)[:, MoneyPurpose.SLOT_FEE].copy()
        lineups = world.streamers.lineup.copy()
        sold = np.zeros(len(world.streamers), np.int64)
        sold[air.streamer] = 1_000_000
        world.adaptation._host_sales += sold
        week_sales = world.adaptation._host_sales.copy()
        world.adaptation.adapt(RULES, day, air, visits, world.orders, world.ledger, world.freight)
        fees = before - world.ledger.result(Account.MERCHANT)[:, MoneyPurpose.SLOT_FEE]
        eve = world.streamers.weekday == (day + 1) % 7
        share = world.cfg.economics.slot_fee_shares()[world.streamers.tier]
        expected = np.zeros_like(fees)
        for host in np.flatnonzero(eve & (week_sales > 0)):
            fee = int(np.rint(week_sales[host] * share[host] / 4.0))
            np.add.at(expected, world.catalogue.merchant[lineups[host]], fee)
            checked += fee > 0
        assert np.array_equal(fees, expected)
        assert (world.adaptation._host_sales[eve] == 0).all()
        # that line-up has been the host's since the week began: a new one is chosen the next morning
        week = (day - world.streamers.weekday.astype(int)) // 7
        on_air = np.isin(np.arange(len(world.streamers)), air.streamer)
        assert (world.streamers.lineup_week == week)[eve & on_air].all()
    assert checked > 20
