"""The paper budget closes, lies in its band, and moves the way arithmetic says."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from analysis.unit_economics import (
    CHANNEL_KINDS,
    NET_BAND,
    ROUTES,
    SELLERS,
    average,
    budget,
    order_value_usd,
    platform_weights,
    report,
)
from sim.config.economics import Economics
from sim.config.folders import data_folder
from sim.config.geography import Geography
from sim.config.quantity import Quantity, load_group, load_group_with_quantities
from sim.errors import ConfigError
from sim.kinds import CATEGORIES, CHANNELS, N_CATEGORIES, N_CHANNELS, N_COUNTRIES, N_METHODS, N_TIERS, PLATFORMS


@pytest.fixture(scope="module")
def loaded() -> tuple[Economics, dict[str, Quantity]]:
    return load_group_with_quantities(data_folder("configs") / "economics" / "default.yaml", Economics)


@pytest.fixture(scope="module")
def economics(loaded: tuple[Economics, dict[str, Quantity]]) -> Economics:
    return loaded[0]


@pytest.fixture(scope="module")
def geography() -> Geography:
    return load_group(data_folder("configs") / "geography" / "default.yaml", Geography)


def test_every_figure_has_unit_source_meaning_and_range(loaded: tuple[Economics, dict[str, Quantity]]) -> None:
    for name in Economics.model_fields:
        quantity = loaded[1][name]
        assert quantity.unit, name
        assert quantity.source, name
        assert quantity.meaning, name
        assert np.isfinite([quantity.low, quantity.high]).all(), name


def test_every_cell_adds_up_to_100(economics: Economics, geography: Geography) -> None:
    for kind, seller, route, category in product(CHANNEL_KINDS, SELLERS, ROUTES, CATEGORIES):
        lines = budget(economics, geography, category, kind, seller, route).lines()
        assert sum(lines.values()) == pytest.approx(100.0)
        assert all(value >= 0 for name, value in lines.items() if name != "net")


def test_live_sellers_keep_5_to_12_and_so_do_sellers_over_all_channels(
    economics: Economics, geography: Geography
) -> None:
    low, high = NET_BAND
    assert low <= average(economics, geography).net <= high
    assert low <= average(economics, geography, CHANNEL_KINDS).net <= high
    for seller in SELLERS:
        assert low <= average(economics, geography, sellers=(seller,)).net <= high


def test_total_charge_and_its_parts_are_those_of_the_sources(economics: Economics) -> None:
    charge = economics.commissions()
    live = charge[: len(PLATFORMS)]
    assert ((live >= 0.15) & (live <= 0.25)).all()
    assert ((charge[CHANNELS.index("shelf")] >= 0.05) & (charge[CHANNELS.index("shelf")] <= 0.08)).all()
    hosts = live.mean() * economics.host_parts()
    assert ((hosts >= 0.10) & (hosts <= 0.20)).all()
    assert ((economics.mcn_shares() >= 0.30) & (economics.mcn_shares() <= 0.50)).all()


def test_order_value_and_category_mix_aim_at_the_targets(economics: Economics) -> None:
    assert 55 <= order_value_usd(economics) <= 67
    first_three = sum(economics.live_interest[c] for c in ("electronics_3c", "beauty", "home"))
    assert 0.60 <= first_three <= 0.75


def test_a_line_goes_to_zero_with_its_cause(economics: Economics, geography: Geography) -> None:
    def net_of(**change: object) -> float:
        plain = {**economics.model_dump(mode="json"), **change}
        return average(Economics.from_plain(plain, "test"), geography).net  # type: ignore[arg-type]

    base = average(economics, geography)
    free = dict.fromkeys(("head", "middle", "tail"), 0.0)
    assert net_of(slot_fee_share=free) == pytest.approx(base.net + base.slot_fees)
    half = {c: {s: v / 2 for s, v in row.items()} for c, row in economics.commission.items()}
    assert net_of(commission=half) == pytest.approx(base.net + (base.platform + base.host) / 2)
    no_returns = dict.fromkeys(CATEGORIES, 0.0)
    assert net_of(return_prior=no_returns) == pytest.approx(base.net + base.returns)


def test_duty_falls_on_stock_only_and_small_sellers_keep_less(economics: Economics, geography: Geography) -> None:
    for category in CATEGORIES:
        assert budget(economics, geography, category, "live", "large", "direct").import_duty == 0
        assert budget(economics, geography, category, "live", "large", "stocked").import_duty > 0
        for kind, route in product(CHANNEL_KINDS, ROUTES):
            small, large = (budget(economics, geography, category, kind, s, route).net for s in SELLERS)
            assert small < large


def test_shapes(economics: Economics, geography: Geography) -> None:
    assert economics.list_price_usd().shape == (N_CATEGORIES, N_TIERS)
    assert economics.unit_cost_usd().shape == (2, N_CATEGORIES, N_TIERS)
    assert economics.commissions().shape == economics.traffic_costs().shape == (N_CHANNELS, 2)
    assert economics.payment_fees().shape == (N_METHODS,)
    assert economics.parcel_cost_usd(np.ones(3)).shape == (N_COUNTRIES, 4, 3)
    assert economics.last_mile_cost_usd(1.0).shape == (N_COUNTRIES,)
    assert economics.fixed_costs().shape == (2, 5)
    assert sum(platform_weights(geography).values()) == pytest.approx(1.0)
    assert (economics.unit_cost_usd() < economics.list_price_usd()).all()


def test_a_ladder_that_falls_is_refused(economics: Economics) -> None:
    ladder = {**economics.price_ladder, "home": [1.0, 0.9, 1.2, 1.3]}
    with pytest.raises(ConfigError, match=r"price_ladder\.home must rise"):
        Economics.from_plain({**economics.model_dump(mode="json"), "price_ladder": ladder}, "test")  # type: ignore[dict-item]


def test_the_page_on_unit_economics_is_up_to_date(economics: Economics, geography: Geography) -> None:
    page = data_folder("configs").parent / "docs" / "unit_economics.md"
    assert page.read_text(encoding="utf-8") == report(economics, geography), "run python -m analysis.unit_economics"
