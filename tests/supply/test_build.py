"""Firms at build: who there is, and that nothing hangs on row order, scale of demand or other firms."""

from __future__ import annotations

import numpy as np
import pytest

from sim.agents.merchant import merchant_table
from sim.agents.streamer import build_streamers, deal_cells, early, rank_tiers
from sim.draws import Draws, Purpose
from sim.kernels import supply as kernels
from sim.kinds import N_COUNTRIES, N_PLATFORMS, NO_STREAMER
from sim.state.catalogue import COLUMNS, Catalogue, build_catalogue, country_demand, open_cells, sales_shares
from tests.supply.world import config, make


@pytest.fixture(scope="module")
def full():
    cfg = config(1.0)
    draws = Draws(7)
    return cfg, build_catalogue(cfg, draws), build_streamers(cfg, draws)


def test_kernels_know_the_numbers_of_their_purposes():
    assert kernels.SHOW == Purpose.SHOW * 256
    assert kernels.LINEUP_DRAW == Purpose.LINEUP * 256
    assert kernels.DISCOUNT == Purpose.DISCOUNT * 256
    assert kernels.EXPOSURE_SHIFT == Purpose.EXPOSURE_SHIFT * 256


def test_every_column_of_the_catalogue_is_declared_once():
    catalogue = Catalogue.empty(3, 9, 4)
    assert list(COLUMNS) == list(catalogue.__slots__)
    with pytest.raises(ValueError, match="65000"):
        Catalogue.empty(1, 70_000, 1)


def test_full_scale_world_is_as_configured(full):
    cfg, catalogue, streamers = full
    assert (catalogue.n_merchants, catalogue.n_lines, int(streamers.active.sum())) == (1000, 3000, 2000)
    assert len(streamers) == 2300
    shares = sales_shares(catalogue, country_demand(cfg.economics, cfg.geography))
    small = shares[catalogue.seller_class == 0].sum()
    assert small == pytest.approx(cfg.economics.sales_by_class["small"], abs=1e-5)
    assert (catalogue.targets.sum(axis=1) > 0).all()
    assert (np.diff(catalogue.quality, axis=1) >= 0).all()
    assert (np.diff(catalogue.list_cents, axis=1) > 0).all()
    assert (catalogue.unit_cost_cents < catalogue.list_cents).all()
    cells = np.bincount(streamers.country * N_PLATFORMS + streamers.platform, minlength=N_COUNTRIES * N_PLATFORMS)
    is_open = open_cells(cfg.geography, cfg.availability).reshape(-1)
    assert (cells[is_open] >= cfg.firms.streamers.least_per_cell).all()
    assert (cells[~is_open] == 0).all()
    sums = np.bincount(streamers.country * N_PLATFORMS + streamers.platform, weights=streamers.popularity)
    assert sums[is_open[: sums.size]] == pytest.approx(1.0, abs=1e-4)
    streamers.check()


def test_mean_price_is_the_ladder_and_categories_follow_their_shares(full):
    cfg, catalogue, _ = full
    ladder = cfg.economics.list_price_usd()[catalogue.category] * 100
    ratio = catalogue.list_cents[:, 1] / ladder[:, 1]
    assert ratio.mean() == pytest.approx(cfg.firms.merchants.price_level, rel=0.05)
    counts = np.bincount(catalogue.category, minlength=8)
    assert counts.min() > 50
    assert counts[0] == counts.max()  # electronics sell most


def test_tiny_worlds_keep_a_floor_in_every_cell():
    cfg = config(0.02)
    streamers = build_streamers(cfg, Draws(1))
    is_open = open_cells(cfg.geography, cfg.availability)
    cells = np.bincount(streamers.country * N_PLATFORMS + streamers.platform, minlength=is_open.size)
    assert (cells[is_open.reshape(-1)] >= 1).all()
    assert build_catalogue(cfg, Draws(1)).n_merchants == 20


def test_a_longer_list_of_streamers_begins_with_the_shorter():
    short, long = config(0.5), config(1.0)
    least = long.firms.streamers.model_copy(update={"least_per_cell": 6})
    long.firms = long.firms.model_copy(update={"streamers": least})
    small = deal_cells(short.firms, short.geography, "report")
    large = deal_cells(long.firms, long.geography, "report")
    assert np.array_equal(large[: small.size], small)


def test_attributes_do_not_hang_on_the_number_of_consumers():
    first, second = make(consumers=20_000, firms_scale=0.1), make(consumers=2_000_000, firms_scale=0.1)
    assert np.array_equal(first.streamers.skill, second.streamers.skill)
    assert np.array_equal(first.catalogue.list_cents, second.catalogue.list_cents)
    assert np.array_equal(first.catalogue.price_cents, second.catalogue.price_cents)
    assert np.array_equal(first.catalogue.stocked, second.catalogue.stocked)


def test_tiers_follow_rank_in_the_country_and_every_country_has_a_head(full):
    cfg, _, streamers = full
    for country in range(N_COUNTRIES):
        members = streamers.country == country
        tiers = streamers.tier[members]
        assert (tiers == 0).any()
    share = np.array([0.5, 0.3, 0.2, 0.9], np.float32)
    assert rank_tiers(share, np.array([0, 0, 0, 1]), cfg.firms).tolist() == [0, 1, 2, 0]


def test_contracts_fakes_and_traffic_come_from_agencies(full):
    _, _, streamers = full
    free = streamers.agency == NO_STREAMER
    assert free.any()
    assert (~free).any()
    assert (streamers.bots[free] == 0).all()
    assert (streamers.traffic[free] == 0).all()


def test_merchants_are_a_table_over_the_catalogues_own_arrays():
    catalogue = build_catalogue(config(0.05), Draws(3))
    table = merchant_table(catalogue)
    table.reputation[0] = 0.123
    assert catalogue.reputation[0] == np.float32(0.123)
    table.check()


@pytest.mark.parametrize("share", [0.02, 0.4, 1.0])
def test_a_part_of_the_hosts_is_in_business_on_the_first_day(full, share):
    cfg, draws = full[0], Draws(7)
    growth = cfg.growth.model_copy(update={"hosts": cfg.growth.hosts.model_copy(update={"start_share": share})})
    some, every = build_streamers(config(1.0, growth=growth), draws), full[2]
    cell = every.country.astype(int) * N_PLATFORMS + every.platform
    count, there = (np.bincount(cell, hosts.active, N_COUNTRIES * N_PLATFORMS) for hosts in (every, some))
    np.testing.assert_array_equal(there, np.maximum(np.ceil(share * count - 1e-9), count > 0))
    assert (some.active <= every.active).all()
    absent = some.active == 0
    for name in ("popularity", "base_share", "bots", "traffic"):
        assert not some[name][absent].any()
    assert (some.agency[absent] == NO_STREAMER).all()
    np.testing.assert_allclose(np.bincount(cell, some.popularity, count.size)[count > 0], 1.0, rtol=1e-5)
    for name in ("skill", "language", "type", "weekday"):  # whoever comes is the same person
        np.testing.assert_array_equal(some[name], every[name])


def test_a_smaller_part_of_the_hosts_is_a_part_of_a_larger_one(full):
    cells = np.repeat(np.arange(30), 20)
    few, more = early(cells, 0.3, Draws(7)), early(cells, 0.6, Draws(7))
    assert set(few) < set(more) < set(range(cells.size))
    assert set(few) != set(early(cells, 0.3, Draws(8)))
