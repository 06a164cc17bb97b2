"""Calendar years of a growing world, against the metrics of the same days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from analysis.growth import Years, found, years_of
from analysis.metrics import metrics
from sim.experiment import configure, run_one
from sim.kinds import REGIONS

FIRST, DAYS = date(2020, 12, 22), 20
NEW_YEAR = (date(2021, 1, 1) - FIRST).days


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = (
        "population.consumers=1000",
        "firms.scale=0.1",
        "warmup_days=2",
        f"days={DAYS}",
        "record=daily",
        "seed=5",
    )
    cfg = configure("growth", (*settings, f"start_date={FIRST}"))
    return run_one(cfg, tmp_path_factory.mktemp("growth") / "run").folder


@pytest.mark.parametrize(("year", "start", "end"), [(2020, 0, NEW_YEAR - 1), (2021, NEW_YEAR, DAYS - 1)])
def test_years_add_up_to_the_metrics_of_their_days(run: Path, year: int, start: int, end: int) -> None:
    told = years_of(run)[year]
    assert told["days"] == end - start + 1
    every = metrics(run, start=FIRST + timedelta(days=start), end=FIRST + timedelta(days=end))
    assert sum(told["live"]) == pytest.approx(every["gmv_usd"] / 1e9, rel=1e-9)
    assert told["visits"] == pytest.approx(every["room_visits"] / 1e6, rel=1e-9)
    assert sum(told["adopters"]) / sum(told["online"]) == pytest.approx(every["adoption_share"], rel=1e-9)
    assert told["other"] > 0
    assert told["shows"] > 1
    for place, region in enumerate(REGIONS):
        here = [row for row in metrics(run, ("region",), start, end) if row["region"] == region]
        assert told["live"][place] == pytest.approx((here[0]["gmv_usd"] or 0.0) / 1e9, rel=1e-9)


def test_what_is_fitted_is_the_mean_over_seeds() -> None:
    def years(adopters: float, before: float, after: float) -> Years:
        return {2020: {"live": [before]}, 2023: {"live": [after], "adopters": [adopters, 1.0]}}

    assert found([years(10.0, 1.0, 2.0), years(20.0, 3.0, 6.0)]) == (16.0, 2.0)
