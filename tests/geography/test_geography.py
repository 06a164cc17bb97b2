"""The countries: shapes, sums, sources, and the arrays handed out."""

from __future__ import annotations

import numpy as np
import pytest

from sim.config.folders import data_folder
from sim.config.geography import LANGUAGES, N_LANGUAGES, Geography
from sim.config.quantity import Quantity, load_group_with_quantities
from sim.errors import ConfigError
from sim.kinds import CATEGORIES, COUNTRIES, N_CATEGORIES, N_COUNTRIES, N_METHODS, N_PLATFORMS, PLATFORMS


@pytest.fixture(scope="module")
def loaded() -> tuple[Geography, dict[str, Quantity]]:
    return load_group_with_quantities(data_folder("configs") / "geography" / "default.yaml", Geography)


@pytest.fixture(scope="module")
def geography(loaded: tuple[Geography, dict[str, Quantity]]) -> Geography:
    return loaded[0]


def test_every_figure_has_unit_source_and_meaning(loaded: tuple[Geography, dict[str, Quantity]]) -> None:
    for key, quantity in loaded[1].items():
        assert quantity.unit, key
        assert quantity.source, key
        assert quantity.meaning, key


def test_no_number_stands_outside_a_quantity(loaded: tuple[Geography, dict[str, Quantity]]) -> None:
    geography, quantities = loaded
    for name in type(geography).model_fields:
        if name != "times":
            assert name in quantities


def test_population_and_adopters(geography: Geography) -> None:
    assert geography.online_adults().sum() == pytest.approx(1246, abs=2)
    assert geography.adopters().sum() == pytest.approx(780, abs=0.5)
    assert (geography.adopters() < geography.online_adults()).all()
    regions = dict(
        zip(("na", "eu", "sea"), np.bincount([0, 0] + [1] * 5 + [2] * 6, geography.adopters()[:13]), strict=True)
    )
    assert regions == pytest.approx({"na": 218, "eu": 172, "sea": 273})


def test_adoption_by_age_keeps_the_totals_and_leans_to_the_young(geography: Geography) -> None:
    shares = geography.adoption_shares()
    assert shares.shape == (N_COUNTRIES, 4)
    assert ((shares > 0) & (shares < 1)).all()
    mean = (shares * geography.age_shares()).sum(axis=1)
    assert mean == pytest.approx(geography.adopters() / geography.online_adults(), rel=1e-9)
    assert (shares[:, 0] > shares[:, 3]).all()


def test_shapes(geography: Geography) -> None:
    assert geography.duty_rate().shape == (N_COUNTRIES, N_CATEGORIES)
    assert geography.payment_shares().shape == (N_COUNTRIES, N_METHODS)
    assert geography.platform_shares("report").shape == (N_COUNTRIES, N_PLATFORMS)
    assert geography.language_shares().shape == (N_COUNTRIES, N_LANGUAGES)
    assert geography.culture_distance().shape == (N_COUNTRIES + 1, N_COUNTRIES + 1)
    assert geography.lpi("customs", 2016).shape == (N_COUNTRIES,)
    assert N_LANGUAGES <= 32  # a person's languages fit a word of bits


def test_shares_sum_to_one(geography: Geography) -> None:
    assert geography.payment_shares().sum(axis=1) == pytest.approx(np.ones(N_COUNTRIES))
    assert geography.age_shares().sum(axis=1) == pytest.approx(np.ones(N_COUNTRIES))
    for availability in ("report", "observed"):
        shares = geography.platform_shares(availability)
        assert shares.sum(axis=1) == pytest.approx(np.ones(N_COUNTRIES))
        assert ((shares > 0).sum(axis=1) <= 4).all()


def test_what_the_report_says_of_platforms_is_the_prior(geography: Geography) -> None:
    shares = geography.platform_shares("report")
    assert shares[COUNTRIES.index("US"), PLATFORMS.index("amazon_live")] == pytest.approx(0.45)
    assert shares[COUNTRIES.index("ID"), PLATFORMS.index("shopee_live")] == pytest.approx(0.60)
    closed = geography.platform_shares("observed")
    assert closed[COUNTRIES.index("DE"), PLATFORMS.index("tiktok_shop")] == 0


def test_closeness_is_symmetric_with_ones_on_the_diagonal(geography: Geography) -> None:
    closeness = geography.closeness()
    assert (closeness == closeness.T).all()
    assert (np.diag(closeness) == 1).all()
    malay, indonesian = LANGUAGES.index("ms"), LANGUAGES.index("id")
    assert 0.5 < closeness[malay, indonesian] < 1
    assert closeness[LANGUAGES.index("zh"), LANGUAGES.index("en")] == 0


def test_a_preference_lowers_the_duty_on_stock_and_a_flat_rate_holds_for_parcels(geography: Geography) -> None:
    bulk, parcel = geography.duty_rate("bulk"), geography.duty_rate("parcel")
    vietnam, brazil = COUNTRIES.index("VN"), COUNTRIES.index("BR")
    assert (bulk[vietnam] < parcel[vietnam]).all()
    assert (parcel[brazil] == 0.60).all()
    assert bulk[COUNTRIES.index("US")] == pytest.approx(parcel[COUNTRIES.index("US")])


def test_income_and_wages_follow_gdp(geography: Geography) -> None:
    income, wage = geography.income_usd(), geography.wage_usd_hour()
    assert (income >= geography._vector("gdp_per_head")).all()
    assert 35 < wage[COUNTRIES.index("US")] < 65
    assert geography.origin_wage_usd_hour() == pytest.approx(8.06, abs=0.1)
    assert ((geography.income_sigma() > 0.4) & (geography.income_sigma() < 1.4)).all()


def test_culture_distance_is_a_distance(geography: Geography) -> None:
    distance = geography.culture_distance()
    assert (np.diag(distance) == 0).all()
    assert (distance == distance.T).all()
    origin = distance[-1]
    assert origin[COUNTRIES.index("VN")] < origin[COUNTRIES.index("US")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"payment_share": {c: dict.fromkeys(("card",), 1.0) for c in COUNTRIES}}, "ewallet"),
        ({"adopters_region": {"north_america": 1.0}}, "europe"),
        ({"language_closeness": {"en-klingon": 0.1}}, "klingon"),
        ({"adoption_by_age": [1.0]}, "age"),
        ({"mfn_duty": {c: dict.fromkeys((*CATEGORIES, "spices"), 0.1) for c in COUNTRIES}}, "spices"),
    ],
)
def test_a_faulty_table_is_named(geography: Geography, change: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Geography.from_plain({**geography.model_dump(mode="json"), **change}, "test")  # type: ignore[dict-item]


def test_the_page_on_geography_is_up_to_date(loaded: tuple[Geography, dict[str, Quantity]]) -> None:
    from analysis.geography import report

    page = data_folder("configs").parent / "docs" / "geography.md"
    assert page.read_text(encoding="utf-8") == report(*loaded), "run python -m analysis.geography"
