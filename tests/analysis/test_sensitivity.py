"""Indices against a function whose indices are known (Ishigami and Homma 1990), on the way a sweep takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from SALib.analyze import morris as salib_morris

from analysis.sensitivity import noise_shares, sensitivity
from sim.__main__ import main
from sim.errors import UserError
from sim.sweep.plan import DesignOf, problem, unit_design
from tests.analysis.planted import METRIC, planted_sweep, texts

KEYS = ["x1", "x2", "x3"]
A, B = 7.0, 0.1
VARIANCE = A**2 / 8 + B * np.pi**4 / 5 + B**2 * np.pi**8 / 18 + 0.5
FIRST = np.array([0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, 0.0]) / VARIANCE
TOTAL = FIRST + np.array([1, 0, 1]) * (8 * B**2 * np.pi**8 / 225) / VARIANCE


def ishigami(point: Mapping[str, str]) -> float:
    x1, x2, x3 = (float(point[key]) for key in KEYS)
    return float(np.sin(x1) + A * np.sin(x2) ** 2 + B * x3**4 * np.sin(x1))


def swept(folder: Path, kind: str, points: int, seeds: int = 1, noise: float = 0.0) -> Path:
    unit = unit_design(DesignOf(kind=kind, points=points, seed=2), 3)
    rows = texts(KEYS, -np.pi + 2 * np.pi * unit)
    design = {
        "kind": kind, "second_order": False, "parameters": KEYS, "unit": unit.tolist(),
        "values": [list(row.values()) for row in rows],
    }  # fmt: skip
    luck = np.random.default_rng(7)
    return planted_sweep(
        folder, rows, lambda point, seed: ishigami(point) + noise * float(luck.normal()), range(seeds), design
    )


def test_sobol_indices_of_ishigami(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = swept(tmp_path / "s", "sobol", 512)
    assert main(["sensitivity", str(folder), "--metric", METRIC, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["points"], found["seeds"], found["noise"]) == (512 * 5, 1, None)
    for number, key in enumerate(KEYS):
        numbers = found["parameters"][key]
        assert numbers["S1"] == pytest.approx(FIRST[number], abs=0.05)
        assert numbers["ST"] == pytest.approx(TOTAL[number], abs=0.05)
        assert numbers["S1_low"] - 0.03 <= FIRST[number] <= numbers["S1_high"] + 0.03
        assert numbers["ST_low"] < numbers["ST"] < numbers["ST_high"]


def test_morris_ranks_ishigami_and_agrees_with_salib(tmp_path: Path) -> None:
    folder = swept(tmp_path / "s", "morris", 100)
    (found,) = sensitivity(folder, METRIC)
    unit = unit_design(DesignOf(kind="morris", points=100, seed=2), 3)
    outcome = np.array([ishigami(point) for point in texts(KEYS, -np.pi + 2 * np.pi * unit)])
    known = salib_morris.analyze(problem(3), unit, outcome, num_levels=4)
    for number, key in enumerate(KEYS):
        numbers = found["parameters"][key]
        for name in ("mu", "mu_star", "sigma"):
            assert numbers[name] == pytest.approx(known[name][number])
        for name in ("mu_star", "sigma"):  # of x2 every effect has the same size
            assert numbers[f"{name}_low"] - 1e-9 <= numbers[name] <= numbers[f"{name}_high"] + 1e-9
    # x3 acts only together with x1: its effects cancel, their size does not
    assert abs(found["parameters"]["x3"]["mu"]) < 0.3 * found["parameters"]["x3"]["mu_star"]


def test_noise_is_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seeds that add as much variance as the parameters: half of a run's variance is noise, none is common."""
    folder = swept(tmp_path / "s", "sobol", 64, seeds=4, noise=float(VARIANCE**0.5))
    (found,) = sensitivity(folder, METRIC)
    assert found["noise"]["noise"] == pytest.approx(0.5, abs=0.08)
    assert found["noise"]["seeds"] < 0.03
    assert found["noise"]["noise_low"] < found["noise"]["noise"] < found["noise"]["noise_high"]
    assert main(["sensitivity", str(folder), "--metric", METRIC]) == 0
    assert "noise: " in capsys.readouterr().out


def test_what_a_seed_does_to_all_points_alike_is_named() -> None:
    luck = np.random.default_rng(3)
    points, seeds = luck.normal(0, 1, (400, 1)), luck.normal(0, 2, (1, 50))
    found = noise_shares(points + seeds + luck.normal(0, 0.5, (400, 50)))
    assert found["parameters"] + found["seeds"] + found["mixed"] == pytest.approx(1)
    assert found["seeds"] == pytest.approx(seeds.var() / (points.var() + seeds.var() + 0.25), abs=0.05)
    assert noise_shares(np.ones((8, 3)))["noise"] == 0


def test_refusals(tmp_path: Path) -> None:
    folder = swept(tmp_path / "s", "latin_hypercube", 8)
    with pytest.raises(UserError, match="needs morris or sobol"):
        sensitivity(folder, METRIC)
    with pytest.raises(UserError, match=r"did you mean 'gain_usd'"):
        sensitivity(swept(tmp_path / "m", "morris", 4), "gain_us")
    (tmp_path / "m" / "design.json").unlink()
    with pytest.raises(UserError, match=r"design.json: is not there"):
        sensitivity(tmp_path / "m", METRIC)
