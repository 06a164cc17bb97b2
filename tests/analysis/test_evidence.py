"""The page of evidence: what its numbers are made of, without running a world."""

import numpy as np
import pytest

from analysis.elasticity import halves
from analysis.evidence import BANDS, CAUSES, LEVERS, MAIN_METRICS, NOTES, SHOCKS, number, read_notes, span_of
from analysis.inference import estimate
from analysis.metrics import METRICS
from sim.errors import UserError
from sim.experiment import configure


def test_every_scenario_has_a_cause_and_every_metric_exists():
    assert set(CAUSES) == {*LEVERS, *SHOCKS}
    assert set(MAIN_METRICS) <= set(METRICS)
    assert len({band.key for band in BANDS}) == len(BANDS)
    for name in CAUSES:
        first, end = span_of(configure(name, ["days=60"]))
        assert 0 <= first < end <= 60


def test_a_band_holds_within_its_bounds_and_nothing_can_miss_a_band_without_any():
    bands = {band.key: band for band in BANDS}
    assert [bands["conversion"].holds(value) for value in (2.4, 2.5, 4.5, 4.6)] == [False, True, True, False]
    assert bands["view_gini"].holds(0.95)
    assert not bands["view_gini"].holds(0.85)
    assert bands["late"].holds(99.0)
    assert not bands["late"].bounded


def test_halves_split_every_category_evenly_and_by_the_seed():
    category = np.repeat(np.arange(8, dtype=np.uint8), 25)
    expected = np.arange(200, dtype=np.float64) % 25
    first, again, other = halves(category, expected, 1), halves(category, expected, 1), halves(category, expected, 2)
    assert (first == again).all()
    assert (first != other).any()
    for kind in range(8):
        chosen = first[category == kind]
        assert abs(int(chosen.sum()) - 12.5) == 0.5
        ranked = chosen[np.argsort(-expected[category == kind], kind="stable")]
        assert (ranked[0:24:2] != ranked[1:24:2]).all()  # one of each two neighbours


def test_notes_name_bands_that_exist(tmp_path):
    read_notes(NOTES)
    assert read_notes(tmp_path / "none.yaml") == {}
    wrong = tmp_path / "notes.yaml"
    wrong.write_text("conversoin: a slip\n")
    with pytest.raises(UserError, match="did you mean 'conversion'"):
        read_notes(wrong)


def test_numbers_for_readers():
    assert number(None) == "\u2013"
    assert number(-1234.5) == "\u22121,234"
    assert number(0.000001, 2, signed=True) == "0.00"
    assert number(2.5, 1, signed=True) == "+2.5"
    assert estimate(np.array([1.0, 1.0])).sure
