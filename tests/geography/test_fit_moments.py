"""Fits recover known shapes, and the shipped moments are those of the data (skipped where the data is not at hand)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.fit_moments import OLIST, fit, fit_gamma, fit_lognormal, fit_popularity, main
from sim.config.folders import data_folder
from sim.config.quantity import Quantity, read_yaml, strip

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not (DATA / OLIST).is_file(), reason="the data snapshots are not at hand")


def test_fits_recover_what_was_drawn() -> None:
    draws = np.random.default_rng(3)
    median, sigma = fit_lognormal(np.append(np.exp(0.5 + 1.04 * draws.standard_normal(20_000)), 0.0))
    assert median == pytest.approx(np.exp(0.5), rel=0.04)
    assert sigma == pytest.approx(1.04, rel=0.03)
    shape, scale = fit_gamma(draws.gamma(1.6, 5.7, 20_000))
    assert shape == pytest.approx(1.6, rel=0.06)
    assert scale == pytest.approx(5.7, rel=0.08)


def test_a_pareto_top_is_recovered_and_gini_is_right() -> None:
    draws = np.random.default_rng(4)
    found = fit_popularity(1.0 / draws.random(50_000) ** (1 / 1.2))
    assert found["tail_exponent"] == pytest.approx(1.2, rel=0.15)
    assert found["gini"] == pytest.approx(1 / (2 * 1.2 - 1), rel=0.15)  # of a Pareto law


def test_shipped_moments_are_quantities_with_rows_and_source() -> None:
    files = sorted((data_folder("configs") / "moments").glob("*.yaml"))
    assert [path.stem for path in files] == ["lpi", "musae", "olist"]
    for path in files:
        found: dict[str, Quantity] = {}
        faults: list[object] = []
        strip(read_yaml(path), str(path), "", faults, found)  # type: ignore[arg-type]
        assert not faults
        assert all("n = " in quantity.source and quantity.meaning and quantity.unit for quantity in found.values())


@needs_data
def test_the_shipped_moments_are_those_of_the_data(tmp_path: Path) -> None:
    main([str(DATA), str(tmp_path)])
    for path in tmp_path.iterdir():
        shipped = data_folder("configs") / "moments" / path.name
        assert yaml.safe_load(path.read_text()) == yaml.safe_load(shipped.read_text())


@needs_data
def test_moments_agree_with_the_published_facts() -> None:
    olist = {key: node["value"] for key, node in fit(DATA)["olist"].items()}
    assert olist["handling_sigma"] == pytest.approx(1.04, abs=0.05)
    assert olist["shipping_shape"] == pytest.approx(1.61, abs=0.05)
    assert olist["shipping_scale"] == pytest.approx(5.76, abs=0.25)
    assert olist["approval_hours"]["card"] == pytest.approx(0.28, abs=0.02)
    assert olist["approval_hours"]["cash_voucher"] == pytest.approx(29.8, abs=0.5)
    cliff = olist["review_by_lateness"]
    assert cliff["0-3 early"] > 4.0
    assert cliff["more than 8 late"] < 1.8


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="DATA_DIR"):
        main([str(tmp_path)])
