"""From files and a command line to one frozen configuration."""

from __future__ import annotations

import pickle
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sim.config import describe, list_scenarios, load, loader
from sim.config.folders import data_folder
from sim.config.run import NOT_MODEL
from sim.errors import ConfigError
from sim.experiment import configure


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with scenarios of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    return tmp_path


def told(*overrides: str, scenario: str = "baseline") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(scenario, overrides)
    return [str(fault) for fault in caught.value.faults]


def test_defaults_are_the_baseline_year() -> None:
    cfg = load()
    assert (cfg.days, cfg.warmup_days, cfg.seed, cfg.population.consumers) == (365, 90, 7, 20_000)
    assert (cfg.start_date, cfg.first_day, cfg.last_day) == (date(2023, 1, 1), date(2022, 10, 3), date(2023, 12, 31))
    assert (cfg.calendar, cfg.availability, cfg.record, cfg.engine) == ("real", "report", "daily", "kernels")
    assert cfg.scenario.name == "baseline"
    assert cfg.scenario.question


def test_every_scenario_is_a_valid_overlay_with_a_question() -> None:
    for name in list_scenarios():
        cfg = configure(name)
        assert cfg.scenario.name == name
        assert cfg.scenario.question.strip().endswith("?")
        assert cfg.scenario.compared_to in {None, *list_scenarios()}


def test_every_parameter_says_what_it_is() -> None:
    quantities = describe(load())
    assert len(quantities) > 100
    for key, quantity in quantities.items():
        assert quantity.unit, key
        assert quantity.source, key
        assert quantity.meaning, key


def test_no_number_lacks_a_unit() -> None:
    cfg = load()
    quantities = describe(cfg)

    def bare(node: object, key: str) -> list[str]:
        if key in quantities:
            return []
        if isinstance(node, dict):
            return [found for name, inner in node.items() for found in bare(inner, f"{key}.{name}" if key else name)]
        if isinstance(node, list):
            return [found for index, inner in enumerate(node) for found in bare(inner, f"{key}.{index}")]
        return [key] if isinstance(node, int | float) and not isinstance(node, bool) else []

    assert bare(cfg.model_dump(mode="json"), "") == []


def test_the_command_line_wins_over_the_scenario_and_the_scenario_over_the_defaults(elsewhere: Path) -> None:
    (elsewhere / "scenarios" / "mine.yaml").write_text(
        "question: Why?\ndays: 30\nseed: 1\npopulation: {consumers: 500}\n"
    )
    cfg = load("mine", ["days=20"])
    assert (cfg.days, cfg.seed, cfg.population.consumers) == (20, 1, 500)
    assert cfg.origin("days").startswith("command line")
    assert cfg.origin("population.consumers") == "scenarios/mine.yaml"
    assert cfg.origin("warmup_days").endswith("configs/config.yaml")
    quantity = describe(cfg)["population.consumers"]
    assert (quantity.value, quantity.unit, quantity.low) == (500, "consumers", 20)


def test_a_world_needs_one_consumer_for_every_country() -> None:
    """One consumer made the build fail deep inside, because each country gets at least one."""
    with pytest.raises(ConfigError, match=r"population\.consumers: 19 is out of range; allowed: 20 to"):
        load("baseline", ["population.consumers=19"])
    assert load("baseline", ["population.consumers=20"]).population.consumers == 20


def test_scenario_on_the_command_line_wins() -> None:
    assert load("baseline", ["scenario=tariff_reduction"]).scenario.name == "tariff_reduction"


def test_a_named_folder_comes_before_the_users_and_the_users_before_ours(elsewhere: Path) -> None:
    named = elsewhere / "named"
    named.mkdir()
    (elsewhere / "scenarios" / "baseline.yaml").write_text("question: Local?\n")
    assert load().scenario.question == "Local?"
    (named / "baseline.yaml").write_text("question: Named?\n")
    assert load(scenario_dirs=[named]).scenario.question == "Named?"


def test_a_scenario_may_build_on_another(elsewhere: Path) -> None:
    folder = elsewhere / "scenarios"
    (folder / "one.yaml").write_text("days: 5\ninterventions: {cap: {kind: commission_cap, share: 0.2}}\n")
    (folder / "two.yaml").write_text("defaults: [one]\nseed: 3\ninterventions: {cap: {share: 0.1}}\n")
    cfg = load("two")
    assert (cfg.days, cfg.seed) == (5, 3)
    assert cfg.interventions == {"cap": {"kind": "commission_cap", "share": 0.1}}
    (folder / "one.yaml").write_text("defaults: [two]\n")
    with pytest.raises(ConfigError, match="builds on itself: two > one > two"):
        load("two")


def test_interventions_are_added_changed_and_taken_away() -> None:
    cfg = load(overrides=["+interventions.cap.kind=commission_cap", "interventions.cap.share=0.1"])
    assert cfg.interventions == {"cap": {"kind": "commission_cap", "share": 0.1}}
    cfg = load(overrides=["+interventions.cap={kind: commission_cap, scope: {regions: [europe]}}"])
    assert cfg.interventions["cap"]["scope"] == {"regions": ["europe"]}
    (name,) = load("commission_cap").interventions
    assert load("commission_cap", [f"~interventions.{name}"]).interventions == {}


def test_a_country_in_a_table_can_be_set() -> None:
    cfg = load(overrides=["geography.internet_share.US=0.9"])
    assert cfg.geography.internet_share["US"] == 0.9
    assert load().geography.internet_share["US"] != 0.9


@pytest.mark.parametrize("override", ["threads=2", "chunk=128", "engine=kernels", "out=x", "record=full", "days=365"])
def test_how_a_run_is_computed_is_not_in_its_hash(override: str) -> None:
    assert load(overrides=[override]).model_hash() == load().model_hash()


@pytest.mark.parametrize(
    "override",
    ["days=364", "seed=8", "warmup_days=89", "calendar=flat", "availability=observed", "population.consumers=20001",
     "consumer.opening.need=0.7", "geography.internet_share.US=0.9", "+interventions.x.kind=commission_cap"],
)  # fmt: skip
def test_what_decides_numbers_is_in_the_hash(override: str) -> None:
    assert load(overrides=[override]).model_hash() != load().model_hash()


def test_every_key_of_the_run_is_in_the_hash_unless_named() -> None:
    assert set(load().model_half()) == set(type(load()).model_fields) - NOT_MODEL


def test_two_scenarios_that_say_the_same_are_the_same_run(elsewhere: Path) -> None:
    (elsewhere / "scenarios" / "same.yaml").write_text("question: Same?\n")
    assert load("same").model_hash() == load().model_hash()


def test_a_configuration_is_frozen_and_travels_to_other_processes() -> None:
    cfg = load(overrides=["days=3"])
    with pytest.raises(ValueError, match="frozen"):
        cfg.days = 4  # type: ignore[misc]
    copy = pickle.loads(pickle.dumps(cfg))
    assert copy == cfg
    assert copy.model_hash() == cfg.model_hash()
    assert copy.overrides == ("days=3",)


def test_small_worlds_only_for_one_agent_at_a_time() -> None:
    assert load(overrides=["engine=agents", "population.consumers=100"]).engine == "agents"
    (fault,) = told("engine=agents")
    assert "9,100,000 consumer-days" in fault
    assert "at most 2,000,000" in fault


def test_all_faults_are_told_at_once() -> None:
    faults = told("days=ten", "seed=-1", "populaton.consumers=5", "+unknown=1", "record=dayly")
    assert len(faults) == 5, faults


def test_an_edited_file_is_read_again(elsewhere: Path) -> None:
    path = elsewhere / "scenarios" / "mine.yaml"
    path.write_text("days: 3\n")
    assert load("mine").days == 3
    path.write_text("days: 4\n")
    assert load("mine").days == 4


def test_what_is_composed_is_kept_between_processes_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    configs = tmp_path / "configs"
    shutil.copytree(data_folder("configs"), configs)
    composed: list[str] = []
    compose = loader._hydra

    def counted(*args: Any) -> dict[str, Any]:
        composed.append("")
        return compose(*args)

    def ask(*choices: tuple[str, str]) -> dict[str, Any]:
        loader._composed.cache_clear()  # as in another process
        return loader._composed(configs, choices, 0)

    monkeypatch.setattr(loader, "_hydra", counted)
    first = ask()
    assert ask() == first == compose(configs, ())
    assert len(composed) == 1
    kept = list((tmp_path / "cache").rglob("tree.json"))
    assert len(kept) == 1
    for damage in ("", "[]", '{"graph": '):
        kept[0].write_text(damage)
        assert ask() == first
    assert len(composed) == 4
    assert ask(("growth", "default")) == first
    assert len(composed) == 5, "other choices are another tree"
    file = configs / "config.yaml"
    file.write_text(file.read_text().replace("seed: {value: 7", "seed: {value: 8"))
    assert ask()["seed"] != first["seed"]
    assert len(composed) == 6
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setenv("TMPDIR", "/proc/nowhere")
    assert ask()["seed"] != first["seed"]
    loader._composed.cache_clear()
