"""Bad input: one clear message, status 2, no traceback, and nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.__main__ import main

SMALL = ("population.consumers=50", "days=2", "warmup_days=0")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one message of a command that must fail."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert captured.err.startswith("livecommerce: ")
    assert captured.err.count("livecommerce: ") == 1
    return captured.err


# What the user typed, and what the message must name: file, key, what is allowed, the nearest name.
MISTAKES = {
    "misspelt key": (
        ["consumer.opening.ned=0.5"],
        ["consumer/default.yaml", "consumer.opening.ned", "allowed:", "did you mean 'consumer.opening.need'?"],
    ),
    "misspelt group": (
        ["populaton.consumers=5"],
        ["config.yaml", "populaton", "allowed:", "population", "did you mean 'population.consumers'?"],
    ),
    "group forgotten": (["consumers=5"], ["consumers", "did you mean 'population.consumers'?"]),
    "wrong type": (["days=ten"], ["config.yaml", "days", "'ten' has the wrong type", "allowed: a whole number"]),
    "part of a day": (["days=1.5"], ["config.yaml", "days", "1.5", "allowed: a whole number"]),
    "value for a group": (["consumer.opening=1"], ["consumer.opening", "is a group of keys", "allowed:", "need"]),
    "no date": (["start_date=2023-02-30"], ["config.yaml", "start_date", "2023-02-30", "YYYY-MM-DD"]),
    "out of range": (["days=0"], ["config.yaml", "days", "0 is out of range", "allowed: 1 to 36500 days"]),
    "country out of range": (
        ["geography.internet_share.US=5"],
        ["geography/default.yaml", "geography.internet_share.US", "5 is out of range", "allowed: 0.2 to 1"],
    ),
    "unknown country": (["geography.internet_share.UX=0.5"], ["geography.internet_share.UX", "allowed:", "US"]),
    "no such choice": (
        ["record=dayly"],
        ["config.yaml", "record", "allowed:", "summary", "full", "did you mean 'daily'?"],
    ),
    "unknown scenario": (
        ["scenario=tarif_reduction"],
        ["scenario", "'tarif_reduction'", "allowed:", "baseline", "did you mean 'tariff_reduction'?"],
    ),
    "unknown option of a group": (["geography=defalt"], ["geography", "allowed: default", "did you mean 'default'?"]),
    "unknown intervention": (
        ["+interventions.cap.kind=comission_cap"],
        [
            "command line (over",
            "configs/interventions)",
            "interventions.cap.kind",
            "allowed:",
            "did you mean 'commission_cap'?",
        ],
    ),
    "unknown parameter": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.shar=0.1"],
        ["interventions/commission_cap.yaml", "interventions.cap.shar", "allowed:", "did you mean 'share'?"],
    ),
    "parameter out of range": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.share=7"],
        ["interventions/commission_cap.yaml", "interventions.cap.share", "7", "out of range", "allowed: 0 to 1"],
    ),
    "strength out of range": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.strength=2"],
        ["command line", "interventions.cap.strength", "2", "allowed:", "1"],
    ),
    "no such intervention here": (
        ["scenario=commission_cap", "interventions.captain.share=0.1"],
        ["interventions.captain.share", "no intervention 'captain'", "allowed: cap", "did you mean 'cap'?"],
    ),
    "clash": (
        ["+interventions.one.kind=commission_cap", "+interventions.two.kind=commission_cap"],
        ["interventions.one", "two"],
    ),
    "intervention before the run": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.start=2022-01-01"],
        ["command line", "interventions.cap.start", "2022-01-01", "allowed:", "2023-01-01"],
    ),
    "intervention after the run": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.start=2024-06-01"],
        ["command line", "interventions.cap.start", "2024-06-01", "allowed:", "2023"],
    ),
    "run outside the calendar": (
        ["start_date=2060-01-01"],
        ["config.yaml", "start_date", "outside the calendar tables", "allowed: 2000-01-01 to"],
    ),
    "unknown key after a plus": (["+unknown=1"], ["config.yaml", "+unknown", "allowed: +interventions.NAME"]),
    "plus for a key that is there": (["+days=5"], ["config.yaml", "+days", "cannot be added", "did you mean 'days'?"]),
    "take away a parameter": (["~days"], ["config.yaml", "~days", "cannot be taken away"]),
    "Hydra's own settings": (["hydra.run.dir=x"], ["command line", "hydra.run.dir", "allowed:"]),
    "several values": (["seed=1,2"], ["command line", "seed", "several values", "allowed: seed=VALUE"]),
    "no value": (["days"], ["command line", "days", "allowed: key=value"]),
    "unreadable": (["a b"], ["command line", "a b", "allowed: key=value"]),
    "engine for small worlds": (
        ["engine=agents", "population.consumers=1000000"],
        ["engine", "consumer-days", "allowed: at most 2,000,000"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_configuration(mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides, words = MISTAKES[mistake]
    message = fails(capsys, "run", *overrides)
    for word in words:
        assert word in message, f"{word!r} is not in {message!r}"
    assert list(folder.iterdir()) == []


def test_a_mistake_in_a_scenario_names_its_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scenarios").mkdir()
    path = folder / "scenarios" / "mine.yaml"
    path.write_text("question: Why?\npopulation: {consumer: 5}\ndays: many\n")
    message = fails(capsys, "run", "scenario=mine")
    assert message.count("scenarios/mine.yaml") == 2
    assert "did you mean 'population.consumers'?" in message
    path.write_text("days: [1\n")
    assert "mine.yaml: is not valid YAML" in fails(capsys, "run", "scenario=mine")
    path.write_text("interventions: {cap: {kind: commision_cap}}\n")
    message = fails(capsys, "run", "scenario=mine")
    assert "scenarios/mine.yaml: interventions.cap.kind" in message
    assert "did you mean 'commission_cap'?" in message


def test_all_mistakes_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(capsys, "run", "days=0", "sed=1", "+interventions.a.kind=comission_cap")
    assert "3 faults" in message
    for word in ("days", "sed", "did you mean 'seed'?", "did you mean 'commission_cap'?"):
        assert word in message


@pytest.mark.parametrize(
    ("prepare", "out", "words"),
    [
        ("", "no/run", ["--out", "no", "does not exist"]),
        ("file:run", "run", ["--out", "run", "is a file"]),
        ("file:blocked", "blocked/run", ["--out", "blocked", "is not a folder"]),
        ("file:run/thesis.txt", "run", ["--out", "run", "not a finished run", "left as it is"]),
        ("file:run/_DONE", "run", ["--out", "run", "left as it is"]),
        ("file:results", "", ["results", "is not a folder"]),
    ],
)
def test_a_folder_that_cannot_be_used(
    prepare: str, out: str, words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if prepare:
        path = folder / prepare.removeprefix("file:")
        path.parent.mkdir(exist_ok=True)
        path.write_text("words")
    before = sorted(folder.rglob("*"))
    message = fails(capsys, "run", *SMALL, *(["--out", out] if out else []))
    for word in words:
        assert word in message
    assert sorted(folder.rglob("*")) == before


def test_a_folder_where_nothing_can_be_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """/proc takes no folders from anybody, root included."""
    message = fails(capsys, "run", *SMALL, "--out", "/proc/run")
    assert "--out /proc/run" in message
    assert "cannot write in /proc" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rn"], ["unknown command 'rn'", "allowed:", "did you mean 'run'?"]),
        (["run", "--ot", "x"], ["--ot", "--help"]),
        (["run", "--out"], ["--out", "--help"]),
        (["run", "--scenarios", "nowhere"], ["--scenarios", "nowhere"]),
        (["interventions", "tarif_reduction"], ["allowed:", "did you mean 'tariff_reduction'?"]),
        (["metrics"], ["RUN_DIR"]),
        (["metrics", "nowhere"], ["nowhere"]),
        (["metrics", "."], ["no finished run"]),
        (["demo", "--seeds", "0"], ["--seeds"]),
        (["demo", "--seeds", "many"], ["--seeds", "many"]),
        (["show", "days=ten"], ["days", "a whole number"]),
    ],
)
def test_a_mistake_in_a_command(
    arguments: list[str], words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = fails(capsys, *arguments)
    for word in words:
        assert word in message
    assert list(folder.iterdir()) == []


def test_the_shell_sees_status_2_and_no_traceback(folder: Path) -> None:
    command = [sys.executable, "-m", "sim", "run", "days=ten", "--out", "run"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "a whole number" in done.stderr
    assert list(folder.iterdir()) == []
