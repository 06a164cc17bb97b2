"""The EMA workbench drives the model, and what it gets is what the runs say."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import analysis as api
from analysis.ema import workbench_model
from analysis.points import read_points
from sim.errors import UserError

TINY = {"population__consumers": 300, "firms__scale": 0.1, "days": 2, "warmup_days": 0, "record": "summary"}
HOP, SHARE = "consumer.room.hop", "interventions.cap.share"


def test_the_workbench_samples_runs_and_reads_outcomes(tmp_path: Path) -> None:
    from ema_workbench import SequentialEvaluator

    model = workbench_model(
        "commission_cap", [HOP], {SHARE: (0.05, 0.1)}, ["room_visits", "gmv_usd"],
        folder=tmp_path / "s", of="difference", **TINY,
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(model.function)) == model.function
    with SequentialEvaluator(model) as evaluator:
        experiments, outcomes = evaluator.perform_experiments(scenarios=2, policies=1)
    points = {point.settings[HOP]: point for point in read_points(tmp_path / "s", "room_visits")}
    assert len(points) == 2
    for row, visits in zip(experiments.to_dict("records"), outcomes["room_visits"], strict=True):
        point = points[repr(row["consumer__room__hop"])]
        assert float(point.settings[SHARE]) == row["interventions__cap__share"]
        assert 0.05 <= row["interventions__cap__share"] <= 0.1
        assert visits == point.outcome[0]
    assert len(api.open(tmp_path / "s").runs) == 4  # two points, and the base of each

    once = model.function(
        **{name: experiments[name][0] for name in ("consumer__room__hop", "interventions__cap__share")}
    )
    assert once == {name: column[0] for name, column in outcomes.items()}
    assert len(api.open(tmp_path / "s").runs) == 4  # nothing was run again


def test_what_cannot_be_varied_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gmv_usdd"):
        workbench_model("commission_cap", [HOP], outcomes=["gmv_usdd"], folder=tmp_path)
    with pytest.raises(UserError, match="leaves the declared range"):
        workbench_model("commission_cap", {SHARE: (0.0, 1.5)}, folder=tmp_path)
    with pytest.raises(UserError, match="hopp"):
        workbench_model("commission_cap", ["consumer.room.hopp"], folder=tmp_path)
    with pytest.raises(UserError, match="of='gain'"):
        workbench_model("commission_cap", [HOP], folder=tmp_path, of="gain")
    consumers = workbench_model("baseline", {"population.consumers": (100, 200)}, folder=tmp_path)
    assert type(next(iter(consumers.uncertainties))).__name__ == "IntegerParameter"
