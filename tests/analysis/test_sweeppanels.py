"""Figures of a sweep say what `sensitivity`, `discover` and `search` print, on sweeps whose outcome is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.look import Look
from analysis.search import run_search
from analysis.summary import bring_up_to_date
from analysis.sweeppanels import bad_points, box_panel, design_panel, read_search, report_panels, search_panel
from analysis.sweepview import SweepPoints, sweep_points
from sim.__main__ import main
from sim.errors import UserError
from sim.sweep.driver import read_manifest
from tests.analysis.planted import METRIC, planted_sweep, texts
from tests.analysis.test_search import planted, searched
from tests.analysis.test_sensitivity import KEYS, swept


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Points whose outcome is below 0 where x1 is low and x2 high."""
    chance = np.random.default_rng(3)

    def outcome(point: Mapping[str, str], seed: int) -> float:
        return -1.0 if float(point["x1"]) < 0.4 and float(point["x2"]) > 0.5 else 1.0

    return planted_sweep(tmp_path_factory.mktemp("corner"), texts(KEYS, chance.random((120, 3))), outcome)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def points_of(folder: Path) -> SweepPoints:
    return sweep_points(read_manifest(folder), bring_up_to_date(folder))


@pytest.mark.parametrize(("kind", "measures"), [("sobol", ("ST", "S1")), ("morris", ("mu_star", "sigma"))])
def test_bars_are_the_indices_with_their_intervals(
    kind: str, measures: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = swept(tmp_path, kind, 16, seeds=2, noise=0.5)
    found = told(capsys, "sensitivity", str(folder), "--metric", METRIC)[0]["parameters"]
    panel = design_panel(folder, METRIC, False, Look("zh", True))
    for measure, bars in zip(measures, panel.figure.data, strict=True):
        for key, value, above, below in zip(bars.y, bars.x, bars.error_x.array, bars.error_x.arrayminus, strict=True):
            assert value == found[key][measure]
            assert value + above == pytest.approx(found[key][f"{measure}_high"])
            assert value - below == pytest.approx(found[key][f"{measure}_low"])
    assert bars.y[-1] == max(found, key=lambda key: found[key][measures[0]])
    assert bars.y[-1] in panel.reading


def test_a_sweep_without_a_design_says_so(corner: Path) -> None:
    with pytest.raises(UserError, match="kind: morris"):
        design_panel(corner, METRIC, False)


def test_the_box_is_that_of_discover(corner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, panel = box_panel(corner, METRIC, False)
    found = told(capsys, "discover", str(corner), "--metric", METRIC, "--bad", bad.side, str(bad.threshold),
                 "--of", "value")  # fmt: skip
    points = points_of(corner)
    rows = list(panel.figure.layout.yaxis.ticktext)
    limits = found["boxes"][0]["limits"]
    assert {"x1", "x2"} <= limits.keys()
    for shape in panel.figure.layout.shapes:
        key = rows[round((shape.y0 + shape.y1) / 2)]
        low, high = points.numbers[key].min(), points.numbers[key].max()
        ends = limits.pop(key)
        assert low + shape.x0 * (high - low) == pytest.approx(low if ends["low"] is None else ends["low"])
        assert low + shape.x1 * (high - low) == pytest.approx(high if ends["high"] is None else ends["high"])
    assert limits == {}
    of_bad = [trace for trace in panel.figure.data if trace.legendgroup == "bad"]
    assert [len(trace.x) for trace in of_bad] == [found["bad_points"]] * 3
    assert 0 < found["bad_points"] < 120


def test_bad_is_what_is_worse_for_a_metric() -> None:
    outcome = np.array([-2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert bad_points(outcome, "gain_usd", True).chosen == "zero"
    assert bad_points(outcome, "late_share", True, "quarter").side == "above"
    assert bad_points(outcome, "late_share", False).threshold == pytest.approx(np.quantile(outcome, 0.75))
    assert "zero" not in bad_points(np.abs(outcome), "gain_usd", True, "zero").options


def test_the_front_is_that_of_the_search(tmp_path: Path) -> None:
    content = run_search(searched(6), tmp_path, planted(1))
    found = read_search(tmp_path)
    assert found is not None
    panel = search_panel(found)
    x, y = content["objectives"]
    points, front = panel.figure.data
    best = [row["outcomes"] for row in content["points"] if row["front"]]
    assert sorted(front.x) == sorted(one[x]["difference"] for one in best)
    assert sorted(front.y) == sorted(one[y]["difference"] for one in best)
    assert len(points.x) + len(front.x) == 6
    high = {one[x]["difference"]: one[x]["high"] for one in best}
    assert [value + above for value, above in zip(front.x, front.error_x.array, strict=True)] == [
        pytest.approx(high[value]) for value in front.x
    ]
    (tmp_path / "search.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        read_search(tmp_path)


def test_a_report_shows_a_sweep_as_a_whole(tmp_path: Path) -> None:
    folder = swept(tmp_path, "sobol", 8)
    points = points_of(folder)
    panels = {panel.name: panel for panel in report_panels(folder, points)}
    assert set(panels) == {"parallel", "sensitivity", "heat", "indices", "box", "pareto"}
    lines = panels["parallel"].figure.data
    drawn = np.concatenate([np.array(line.y, dtype=float).reshape(-1, len(KEYS) + 2) for line in lines])
    low, reach = points.numbers["x1"].min(), np.ptp(points.numbers["x1"])
    assert np.sort(low + reach * drawn[:, 0]) == pytest.approx(np.sort(points.numbers["x1"]), abs=1e-3)
    assert len(drawn) == len(points.labels)
