"""PRIM and CART find a box that was planted; regret and robustness against hand-worked numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import qmc

from analysis.discovery import discover, robustness
from sim.__main__ import main
from sim.errors import UserError
from tests.analysis.planted import METRIC, planted_sweep, texts

KEYS = ["consumer.hop", "supply.cost", "goods.delay"]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy backfires where hop is below 0.35 and cost above 0.6; delay does not matter."""
    unit = qmc.LatinHypercube(3, rng=1).random(500)

    def outcome(point: dict[str, str], seed: int) -> float:
        bad = float(point["consumer.hop"]) < 0.35 and float(point["supply.cost"]) > 0.6
        return (-5.0 if bad else 3.0) + 0.1 * seed

    return planted_sweep(tmp_path_factory.mktemp("planted") / "s", texts(KEYS, unit), outcome, (0, 1))


def test_prim_finds_the_planted_box(planted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", str(planted), "--metric", METRIC, "--bad", "below", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (box,) = found["boxes"]
    assert box["coverage"] > 0.85
    assert box["density"] > 0.9
    assert box["limits"]["consumer.hop"]["high"] == pytest.approx(0.35, abs=0.05)
    assert box["limits"]["supply.cost"]["low"] == pytest.approx(0.6, abs=0.05)
    assert box["limits"]["consumer.hop"]["low"] is None
    for ends in (box["limits"]["consumer.hop"]["high_p"], box["limits"]["supply.cost"]["low_p"]):
        assert ends < 1e-3
    assert main(["discover", str(planted), "--metric", METRIC, "--bad", "below", "0"]) == 0
    assert "consumer.hop below 0.3" in capsys.readouterr().out


def test_cart_finds_it_too(planted: Path) -> None:
    found = discover(planted, METRIC, "below", 0.0, method="cart")
    best = found["boxes"][0]
    assert best["coverage"] > 0.85
    assert best["density"] > 0.85
    assert best["limits"]["consumer.hop"]["high"] == pytest.approx(0.35, abs=0.05)
    assert best["limits"]["supply.cost"]["low"] == pytest.approx(0.6, abs=0.05)


def test_nothing_to_find_is_said(planted: Path) -> None:
    told = r"0 of 500 points are bad.*allowed: 2 to 498; .* reaches from .* choose X in between"
    with pytest.raises(UserError, match=told):
        discover(planted, METRIC, "below", -10.0)
    with pytest.raises(UserError, match="allowed: prim, cart"):
        discover(planted, METRIC, "below", 0.0, method="tree")


def test_regret_and_robustness(tmp_path: Path) -> None:
    """Two policies, three futures. Gains: bold 10, 2, -6; careful 4, 3, 1."""
    gains = {"bold": (10.0, 2.0, -6.0), "careful": (4.0, 3.0, 1.0)}
    points = [{"scenario": name, "f": str(number)} for name in gains for number in range(3)]
    folder = planted_sweep(tmp_path / "s", points, lambda point, seed: gains[point["scenario"]][int(point["f"])])
    careful, bold = robustness(folder, METRIC, enough=1.0)
    assert careful["policy"] == "scenario=careful"
    assert (careful["regret_most"], bold["regret_most"]) == (6.0, 7.0)
    assert (careful["regret_mean"], bold["regret_mean"]) == (pytest.approx(2.0), pytest.approx(8 / 3))
    assert (careful["worst"], bold["worst"]) == (1.0, -6.0)
    assert (careful["best_share"], bold["best_share"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (careful["enough_share"], bold["enough_share"]) == (1.0, pytest.approx(2 / 3))
    first, second = robustness(folder, METRIC, better="less")
    assert (first["policy"], first["regret_most"], first["worst"]) == ("scenario=bold", 6.0, 10.0)
    assert (second["regret_most"], second["worst"]) == (7.0, 4.0)
    assert main(["robust", str(folder), "--metric", METRIC]) == 0


def test_points_without_numbers_are_refused(tmp_path: Path) -> None:
    points = [{"scenario": name} for name in ("one", "two", "three", "four")]
    folder = planted_sweep(tmp_path / "s", points, lambda point, seed: float(len(point["scenario"])))
    with pytest.raises(UserError, match="no numeric setting differs"):
        discover(folder, METRIC, "above", 3.5)
    assert np.isfinite(robustness(folder, METRIC)[0]["mean"])
