"""A run becomes a folder once, or leaves nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from sim import experiment
from sim.__main__ import _print_differences, _print_metrics, main
from sim.config import RunConfig
from sim.errors import RunFolderError
from sim.experiment import configure, default_out, notes, run_one
from sim.runfolder import read_run_json

SMALL = ("population.consumers=50", "days=3", "warmup_days=1")


class StandIn:
    """What a world promises to the runner, and no more."""

    built = 0

    def __init__(self, cfg: RunConfig) -> None:
        StandIn.built += 1
        self._cfg = cfg
        self.scale = SimpleNamespace(weight=2.5)
        self.recorder = self

    def run(self, progress: Callable[[int, int], None]) -> None:
        days = self._cfg.days + self._cfg.warmup_days
        for day in range(days):
            progress(day + 1, days)

    def write(self, folder: Path) -> None:
        (folder / "run.parquet").write_bytes(b"table")


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[StandIn]:
    module = ModuleType("sim.world")
    module.World = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sim.world", module)
    monkeypatch.setattr(experiment.provenance, "code_hash", lambda: "k" * 64)
    monkeypatch.chdir(tmp_path)
    StandIn.built = 0
    return StandIn


def test_a_run_happens_once(world: type[StandIn]) -> None:
    cfg = configure(overrides=SMALL)
    seen: list[tuple[int, int]] = []
    outcome = run_one(cfg, "run", lambda done, days: seen.append((done, days)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert not outcome.already_done
    assert run_one(cfg, "run").already_done
    assert world.built == 1


def test_run_json_says_what_made_the_run() -> None:
    cfg = configure(overrides=[*SMALL, "+interventions.cap.kind=commission_cap", "interventions.cap.end=2024-01-01"])
    facts = read_run_json(run_one(cfg, "run").folder)
    assert facts["config_hash"] == cfg.model_hash()
    assert facts["weight"] == 2.5
    assert facts["overrides"] == list(cfg.overrides)
    assert facts["configuration"]["population"]["consumers"] == 50
    assert facts["notes"], "an end beyond the run is clipped, and said so"
    assert {
        "code_hash", "data", "versions", "git", "host", "wall_seconds", "cpu_seconds", "shared_days", "peak_memory_mb",
        "seed", "record",
    } <= set(facts)  # fmt: skip


def test_days_without_quoted_exchange_rates_are_said() -> None:
    assert notes(configure(overrides=SMALL)) == ()
    (note,) = notes(configure(overrides=[*SMALL, "start_date=2040-01-01"]))
    assert "random walk" in note
    assert notes(configure(overrides=[*SMALL, "start_date=2040-01-01", "calendar=flat"])) == ()


def test_the_default_folder_names_scenario_hash_and_seed(tmp_path: Path) -> None:
    cfg = configure("tariff_reduction", overrides=SMALL)
    outcome = run_one(cfg)
    assert outcome.folder == tmp_path / default_out(cfg)
    assert outcome.folder.name == f"tariff_reduction-{cfg.model_hash()[:8]}-s7"


def test_a_higher_record_level_replaces_and_a_lower_one_is_already_done(world: type[StandIn]) -> None:
    for level, done in (("summary", False), ("full", False), ("daily", True), ("summary", True)):
        assert run_one(configure(overrides=[*SMALL, f"record={level}"]), "run").already_done is done
    assert world.built == 2


def test_results_of_other_code_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = configure(overrides=SMALL)
    run_one(cfg, "run")
    monkeypatch.setattr(experiment.provenance, "code_hash", lambda: "l" * 64)
    with pytest.raises(RunFolderError, match="another version of the code"):
        run_one(cfg, "run")


def test_a_world_that_fails_leaves_nothing(
    world: type[StandIn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(self: StandIn, progress: object) -> None:
        raise AssertionError("money leaked")

    monkeypatch.setattr(world, "run", fail)
    with pytest.raises(AssertionError, match="money leaked"):
        run_one(configure(overrides=SMALL), "run")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_nothing(
    world: type[StandIn], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(self: StandIn, progress: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world, "run", interrupt)
    assert main(["run", *SMALL, "--out", "run"]) == 130
    assert list(tmp_path.iterdir()) == []
    assert "interrupted" in capsys.readouterr().err


def test_show_prints_everything_with_units_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "scenario=commission_cap", "days=9", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert entries["days"]["value"] == 9
    assert entries["days"]["from"].startswith("command line")
    assert entries["interventions.cap.share"]["unit"]
    assert entries["interventions.cap.share"]["source"]
    assert entries["population.consumers"]["range"] == "20 to 100000000 consumers"
    assert main(["show"]) == 0
    assert "warmup_days: 90  # " in capsys.readouterr().out


def test_every_intervention_can_be_listed_and_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interventions", "--json"]) == 0
    kinds = json.loads(capsys.readouterr().out)
    assert {"tariff_reduction", "commission_cap", "payment_outage"} <= {kind["name"] for kind in kinds}
    assert main(["interventions"]) == 0
    listing = capsys.readouterr().out
    for kind in kinds:
        assert kind["name"] in listing
        assert main(["interventions", kind["name"]]) == 0
        described = capsys.readouterr().out
        assert kind["title"] in described
        assert "  scope: " in described
        assert not any(line.rstrip().endswith(":") for line in described.splitlines()), "a word that nothing follows"


def test_scenarios_are_listed_with_their_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios"]) == 0
    assert "tariff_reduction" in capsys.readouterr().out


def test_help_needs_nothing_heavy() -> None:
    """`--help` must answer within half a second, so nothing slow may be imported at the top."""
    import subprocess

    code = (
        "import sys; from sim.__main__ import main; main(['--help']);"
        "print([m for m in ('mesa', 'numba', 'plotly', 'numpy', 'hydra', 'pydantic', 'simpy') if m in sys.modules])"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=60)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_the_first_run_says_that_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache))
    monkeypatch.setattr("analysis.metrics.metrics", lambda folder: {})
    note = "compiling the model, once"
    for out in ("first", "second"):
        assert main(["run", *SMALL, "--out", out]) == 0
        assert note in capsys.readouterr().err
    assert main(["run", *SMALL, "--out", "first"]) == 0
    assert note not in capsys.readouterr().err, "nothing is compiled for a run that is there"
    Path("file").touch()
    assert main(["run", *SMALL, "--out", "file/inside"]) == 2
    assert note not in capsys.readouterr().err
    (cache / "sim").mkdir(parents=True)
    (cache / "sim" / "f.nbi").touch()
    assert main(["run", *SMALL, "--out", "third"]) == 0
    assert note not in capsys.readouterr().err


def test_too_many_agents_are_refused_before_a_world_is_built(world: type[StandIn], tmp_path: Path) -> None:
    assert main(["run", "engine=agents", "population.consumers=100000"]) == 2
    assert world.built == 0
    assert list(tmp_path.iterdir()) == []


def test_out_on_the_command_line_is_one_folder(world: type[StandIn], tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="name two folders"):
        run_one(configure(overrides=[*SMALL, "out=B"]), "A")
    assert world.built == 0
    assert run_one(configure(overrides=[*SMALL, "out=B"]), "B").folder == tmp_path / "B"
    assert run_one(configure(overrides=[*SMALL, "out=B"])).already_done


def test_printed_numbers_stand_in_columns_with_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    _print_metrics([{"gmv_usd": 5.0, "weight": 2.0, "consumer_surplus_perceived_usd_unscaled": 2.5}])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines] == ["USD", "people", "USD in the sample"]
    assert len({line.index(unit) for line, unit in zip(lines, ("USD", "people", "USD in"), strict=True)}) == 1
    entry = {"metric": "gmv_usd", "difference": 1.0, "low": 0.5, "high": 1.5, "seeds": 2, "rests_on": 1.0}
    names = ({"scenario": "a much longer label cap.share=0.05", "country": "US"}, {"scenario": "a", "country": "DE"})
    _print_differences([entry | name for name in names], ["country"])
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index("gmv_usd") for line in lines}) == 1
