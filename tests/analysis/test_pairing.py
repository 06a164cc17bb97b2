"""What the page about pairing is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.comparison import Study, compare
from analysis.pairing import LEVERS, SHOCKS, Worth, chance_alone, measure, page, plan_of
from sim.engines import Inline
from sim.sweep.driver import drive
from tests.sweep.tiny import TINY

SETTINGS = (*TINY[:2], "days=3", "warmup_days=0", "record=daily")


def test_ratios_are_those_of_compare_and_an_intervention_of_no_strength_differs_by_nothing(tmp_path: Path) -> None:
    plan = plan_of(["commission_cap"], 2, SETTINGS)
    assert len(plan.points) == 6
    assert plan.name == plan_of(["commission_cap"], 3, SETTINGS).name != plan_of(["coupons"], 2, SETTINGS).name
    drive(plan, tmp_path, Inline())
    worth = measure(plan, tmp_path)
    assert worth.compared > 20
    assert worth.exact == worth.compared
    assert worth.spans == [(0, 0), (1, 1), (2, 2)]
    own = [point for point in plan.points if "interventions.cap.strength=0" not in point.overrides]
    with Study([tmp_path / "runs" / point.hash for point in own]) as study:
        expected = {one["metric"]: one["variance_ratio"] for one in compare(study)}
    assert worth.ratios == {"commission_cap": {name: value for name, value in expected.items() if value is not None}}
    assert worth.ratios["commission_cap"]
    text = " ".join(page(worth, plan).split())
    assert "seeds 0, 1, 300 consumers, 0 days of warm-up and 3 reported days" in text
    assert f"in {worth.exact} of the {worth.compared} metrics" in text


def test_chance_alone_gives_ratios_around_one_closer_with_more_seeds() -> None:
    few, many = chance_alone(4), chance_alone(64)
    assert few[0] < many[0] < 1 < many[1] < few[1]
    # with variances that are equal a ratio is 1 / (1 - r): r is within 1.96 / sqrt(64) in 95 of 100 cases
    assert many == pytest.approx((1 / 1.245, 1 / 0.755), rel=0.03)


def test_the_page_marks_what_chance_does_not_explain_and_shows_what_did_not_move() -> None:
    worth = Worth({"one": {"gmv_usd": 250.0, "conversion": 1.5}}, {"one": [None, 2.0, 12.0]}, [(0, 0)] * 3, 30, 29)
    text = page(worth, plan_of(["coupons"], 8, SETTINGS))
    (row,) = [line for line in text.splitlines() if line.startswith("| one | 2 ")]
    assert row.startswith("| one | 2 | 126 | 100% | **250** | 1.50 | \u2013 |")
    assert "| one | \u2013 | 2.00 | 12.0 |" in text
    assert "29 of the 30 metrics" in " ".join(text.split())
    assert len({*LEVERS, *SHOCKS}) >= 10
