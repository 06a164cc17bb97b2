"""What a request for many runs stands for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim.errors import ConfigError, UserError
from sim.experiment import configure, identity
from sim.sweep.driver import DESIGN, prepare
from sim.sweep.plan import DesignOf, plan_experiment, plan_sweep, unit_design

TINY = ("population.consumers=300", "days=3", "warmup_days=0")
SHARES = "interventions.cap.share=0.05,0.10,0.15"


def test_three_shares_and_four_seeds_share_the_same_four_base_runs() -> None:
    plan = plan_sweep([*TINY, "scenario=commission_cap", SHARES, "seed=range(0,4)"])
    assert len(plan.points) == 16
    assert plan.labels == (
        "baseline",
        "commission_cap cap.share=0.05",
        "commission_cap cap.share=0.1",
        "commission_cap cap.share=0.15",
    )
    assert {point.base for point in plan.points if point.label != "baseline"} == {"baseline"}
    assert sorted(point.cfg.seed for point in plan.points if not point.base) == [0, 1, 2, 3]
    assert len({point.hash for point in plan.points}) == 16


def test_each_run_can_be_made_again_from_its_overrides() -> None:
    for point in plan_sweep([*TINY, "scenario=commission_cap", SHARES, "seed=1,2"]).points:
        again = configure(overrides=point.overrides)
        assert identity(again).config == identity(point.cfg).config
        assert again.model_half() == point.cfg.model_half()


def test_what_is_no_policy_is_varied_in_the_base_too() -> None:
    plan = plan_sweep(["days=3,4", "warmup_days=0", "scenario=tariff_reduction", "population.consumers=300"])
    assert [(point.label, point.base) for point in plan.points] == [
        ("baseline days=3", ""),
        ("baseline days=4", ""),
        ("tariff_reduction days=3", "baseline days=3"),
        ("tariff_reduction days=4", "baseline days=4"),
    ]


def test_a_scenarios_base_is_what_it_is_meant_to_be_compared_to_over_the_same_days() -> None:
    small = ("population.consumers=300", "warmup_days=0")
    plan = plan_sweep([*small, "scenario=growth", "growth.hosts.start_share=0.3,0.6", "seed=1,2"])
    assert [(point.label, point.base) for point in plan.points] == [
        *[(f"no_growth growth.hosts.start_share={share}", "") for share in ("0.3", "0.3", "0.6", "0.6")],
        *[(f"growth growth.hosts.start_share={share}", f"no_growth growth.hosts.start_share={share}")
          for share in ("0.3", "0.3", "0.6", "0.6")],
    ]  # fmt: skip
    for scenario, base in (("no_growth", "baseline"), ("outlook", "no_growth"), ("surge_prepared", "demand_surge")):
        first, second = plan_sweep([*small, f"scenario={scenario}", "seed=3"]).points
        assert (first.cfg.scenario.name, second.cfg.scenario.name) == (base, scenario)
        assert (second.base, second.cfg.seed) == (first.label, first.cfg.seed)
        for key in ("start_date", "days", "warmup_days"):
            assert getattr(first.cfg, key) == getattr(second.cfg, key), "else the two could not be paired"
    row = ["scenario=growth", "+interventions.cap.kind=commission_cap", "+interventions.cap.start=0"]
    first, second = plan_sweep([*small, "days=9", *row]).points
    assert (first.cfg.scenario.name, dict(first.cfg.interventions)) == ("no_growth", {})
    assert set(second.cfg.interventions) == {"cap"}


def test_a_sweep_over_the_baseline_alone_has_no_other_base() -> None:
    plan = plan_sweep([*TINY, "seed=1,2"])
    assert [point.base for point in plan.points] == ["", ""]


def test_without_a_base_only_what_was_asked_is_run() -> None:
    plan = plan_sweep([*TINY, "scenario=commission_cap", "seed=1,2"], with_base=False)
    assert [(point.label, point.base) for point in plan.points] == [("commission_cap", "")] * 2


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("interventions.cap.share=interval(0,1)", ("interval", "range(")),
        ("scenario=glob(*)", ("glob", "choice(")),
        ("seed=range(0,1000000)", ("1,000,000", "at most")),
        ("seed=range(0,2000000000)", ("2,000,000,000", "at most")),
        ("seed=shuffle(range(0,2000000000))", ("2,000,000,000", "at most")),
        ("seed=range(0,4,0)", ("seed", "counted", "step not 0")),
        ("days=range(1,inf)", ("days", "counted", "finite")),
        ("days=range(1,5,nan)", ("days", "counted", "finite")),
        ("seed=range(3,3)", ("no value",)),
        ("record=summary,daily", ("record", "the same run")),
        ("out=x", ("out", "--out")),
        ("interventions.cap.shar=0.1,0.2", ("shar", "share")),
        ("interventions.cap.share=0.1,7", ("7", "share")),
        ("seed=1,-3", ("-3", "seed")),
        ("seed=1,x", ("seed",)),
        ("seed=1,2)", ("seed",)),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_message(override: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_sweep(["population.consumers=300", "scenario=commission_cap", override])
    assert all(word in str(caught.value) for word in words)


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="twice"):
        plan_sweep(["seed=1", "seed=2,3"])


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


BASE_FILE = """
question: How far must a cap go?
overrides: [scenario=commission_cap, population.consumers=300, days=3, warmup_days=0]
"""


def test_a_latin_hypercube_fills_the_declared_range(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        BASE_FILE
        + "parameters: {interventions.cap.share: {}, consumer.room.hop: {low: 0.2, high: 0.4}}\n"
        + "design: {kind: latin_hypercube, points: 10}\nreplicates: 2\n",
    )
    plan = plan_experiment(str(path))
    shares = sorted({point.cfg.interventions["cap"]["share"] for point in plan.points if point.base})
    assert len(shares) == 10
    assert [int(share * 10) for share in shares] == list(range(10))  # one in each tenth of 0 to 1
    hops = {point.cfg.consumer.room.hop for point in plan.points}
    assert all(0.2 <= hop <= 0.4 for hop in hops)
    assert len(plan.points) == 2 * 10 * 2  # the hop is no policy, so every point has a base of its own
    assert plan.question == "How far must a cap go?"


def test_a_grid_takes_values_and_levels(tmp_path: Path) -> None:
    path = write(tmp_path, BASE_FILE + "parameters: {interventions.cap.share: {values: [0.05, 0.1]}}\nseeds: [4, 5]\n")
    plan = plan_experiment(str(path), ["days=4"])
    assert len(plan.points) == 6
    assert {point.cfg.days for point in plan.points} == {4}
    path = write(tmp_path, BASE_FILE + "parameters: {interventions.cap.share: {low: 0.1, high: 0.2}}\n"
                 "design: {points: 3}\n")  # fmt: skip
    assert [point.cfg.interventions["cap"]["share"] for point in plan_experiment(str(path)).points if point.base] == [
        0.1, pytest.approx(0.15), 0.2
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parameters: {interventions.cap.shar: {}}\n", ("shar", "share")),
        ("parameters: {consumer.room.hob: {}}\n", ("consumer.room.hob", "consumer.room.hop")),
        ("parameters: {interventions.cap.share: {low: 0.5, high: 7}}\n", ("declared range",)),
        ("parameters: {interventions.cap.share: {low: 0.5, high: 0.1}}\n", ("low < high",)),
        ("parameters: {interventions.cap.share: {values: []}}\n", ("empty",)),
        ("design: {kind: sobolo}\n", ("sobolo", "sobol")),
        ("desing: {kind: grid}\n", ("desing", "design")),
        ("seeds: [1]\nreplicates: 3\n", ("one of the two",)),
    ],
)
def test_a_faulty_experiment_names_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    path = write(tmp_path, BASE_FILE + text)
    with pytest.raises(UserError) as caught:
        plan_experiment(str(path))
    assert "mine.yaml" in str(caught.value)
    assert all(word in str(caught.value) for word in words)


def test_an_unknown_experiment_names_the_nearest() -> None:
    with pytest.raises(UserError, match="cap_ladder"):
        plan_experiment("cap_lader")


@pytest.mark.parametrize(("kind", "rows"), [("sobol", 8 * 5), ("morris", 8 * 4), ("latin_hypercube", 8)])
def test_designs_are_the_same_each_time_and_lie_in_the_unit_cube(kind: str, rows: int) -> None:
    pytest.importorskip("SALib")
    design = DesignOf(kind=kind, points=8, seed=3)
    first, second = unit_design(design, 3), unit_design(design, 3)
    assert first.shape == (rows, 3)
    assert (first == second).all()
    assert first.min() >= 0
    assert first.max() <= 1
    assert (first != unit_design(DesignOf(kind=kind, points=8, seed=4), 3)).any()


def test_a_sweep_keeps_its_sampled_design(tmp_path: Path) -> None:
    pytest.importorskip("SALib")
    path = write(
        tmp_path,
        BASE_FILE + "parameters: {interventions.cap.share: {}, consumer.room.hop: {}}\n"
        "design: {kind: morris, points: 2, seed: 3}\n",
    )
    plan = plan_experiment(str(path))
    prepare(plan, tmp_path / "s")
    design = json.loads((tmp_path / "s" / DESIGN).read_text())
    assert (design["kind"], design["parameters"]) == ("morris", ["interventions.cap.share", "consumer.room.hop"])
    assert (np.array(design["unit"]) == unit_design(DesignOf(kind="morris", points=2, seed=3), 2)).all()
    planned = {tuple(text for text in point.overrides if "cap.share" in text or "hop" in text) for point in plan.points}
    for share, hop in design["values"]:
        assert (f"interventions.cap.share={share}", f"consumer.room.hop={hop}") in planned
