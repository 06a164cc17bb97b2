"""The laboratory from Python: the same as the commands, and cheap to import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import analysis as api
import sim
from sim.errors import UserError

TINY = {"population__consumers": 300, "firms__scale": 0.1, "days": 3, "warmup_days": 0, "record": "summary"}


def test_importing_sim_loads_nothing_heavy() -> None:
    code = "import sys, sim, analysis; print([m for m in ('numba', 'mesa', 'duckdb', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("first", ["analysis", "analysis.comparison", "analysis.api", "sim.__main__"])
def test_the_names_of_the_api_are_functions_whatever_was_imported_before(first: str) -> None:
    """No module of the package may have the name of one of its functions: it would take its place."""
    code = f"import {first}, analysis, analysis.report, inspect\nfrom analysis import compare, open"
    code += "\nassert inspect.isfunction(analysis.compare) and inspect.isfunction(analysis.open)"
    code += "\nassert compare is analysis.compare is analysis.api.compare and open is analysis.open"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_one_run_and_many(tmp_path: Path) -> None:
    one = sim.run("commission_cap", tmp_path / "one", seed=2, interventions__cap__share=0.05, **TINY)
    assert (one.facts["scenario"], one.facts["seed"]) == ("commission_cap", 2)
    (line,) = api.open(one).metrics()
    assert line["gmv_usd"] > 0
    assert {row["country"] for row in api.open(one).metrics("country")} >= {"US", "DE"}
    assert api.open(one).table("run").num_rows == 1
    with pytest.raises(UserError, match=r"unknown table 'daily_wrld'; allowed: .*did you mean 'daily_world'"):
        api.open(one).table("daily_wrld")
    for start in (1.5, [1]):
        with pytest.raises(UserError, match=r"--from: .* is neither an ISO date"):
            api.open(one).metrics(start=start)  # type: ignore[arg-type]

    experiment = sim.Experiment("commission_cap", seeds=(1, 2), interventions__cap__share=[0.05, 0.1], **TINY)
    assert len(experiment.plan.points) == 6
    sweep = experiment.run(tmp_path / "caps", engine="inline")
    assert (sweep.computed, sweep.there, sweep.failures) == (6, 0, {})
    entries = api.compare(sweep, metrics=["gmv_usd"])
    assert api.compare(sweep, metrics="gmv_usd") == entries
    assert api.compare(sweep, metrics="gmv_usd", by="country") == api.compare(
        sweep, metrics=["gmv_usd"], by=["country"]
    )
    assert [entry["scenario"] for entry in entries] == [
        "commission_cap cap.share=0.05", "commission_cap cap.share=0.1"
    ]  # fmt: skip
    (same,) = [row for row in api.open(sweep).metrics() if row["folder"].endswith(experiment.plan.points[3].hash)]
    assert same["seed"] == experiment.plan.points[3].cfg.seed
    assert experiment.run(tmp_path / "caps", engine="inline").there == 6


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(UserError, match="dict is no value"):
        sim.run(population={"consumers": 3})
    with pytest.raises(UserError, match="consumers"):
        sim.run(population__consumer=300)
    with pytest.raises(UserError, match=r"seeds: 5 is no list; allowed: .*range"):
        sim.Experiment(seeds=5)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="seed: is an empty list"):
        sim.Experiment(seeds=[])
    with pytest.raises(UserError, match="--workers: 'two' is out of range"):
        sim.Experiment(seeds=[1], days=2).run("unused", workers="two")  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="runn"):
        sim.runn  # noqa: B018
    numbers = sim.Experiment(seeds=np.arange(2), population__consumers=np.array([300, 400]), days=np.int64(3))
    assert [point.cfg.seed for point in numbers.plan.points] == [0, 0, 1, 1]
    assert len(sim.Experiment.from_file("cap_ladder", days=3, population__consumers=300).plan.points) == 5 * 8


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: sim.run(5), "scenario: 5 is no name; allowed: a text"),
        (lambda: sim.run("baseline", 5), "out: 5 is no path; allowed: "),
        (lambda: sim.run("baseline", "a\0b"), "out: .* is no path; allowed: "),
        (lambda: sim.Experiment(5), "scenario: 5 is no list; allowed: one name or a list of names"),
        (lambda: sim.Experiment.from_file(None), "name: None is no name; allowed: a text"),
        (lambda: sim.Experiment(days=2).run(None), "out: None is no path; allowed: "),
        (lambda: sim.Experiment(days=2).run("unused", engine=5), "--engine: unknown engine '5'; allowed: "),
        (lambda: api.open(), "folder: none is named; allowed: "),
        (lambda: api.open(None), "folder: None is no path; allowed: "),
        (lambda: api.open(["a", "b"]), "folder: .* is no path; allowed: "),
        (lambda: api.compare(5), "folder: 5 is no path; allowed: "),
        (lambda: api.compare("a", base=5), "base: 5 is no name; allowed: "),
        (lambda: api.compare("a", by=5), "by: 5 is no list of names; allowed: "),
        (lambda: api.compare("a", metrics=[None]), "metrics: .* is no list of names; allowed: "),
    ],
)
def test_arguments_of_a_wrong_type_are_told_before_anything_is_done(call: Callable[[], object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        call()
