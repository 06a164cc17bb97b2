"""Bad input: one clear message, status 2, no traceback, and nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
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
    "no value": (["days"], ["command line", "days", "has no '='", "allowed: key=value"]),
    "unreadable": (["a b"], ["command line", "a b", "allowed: key=value"]),
    "no number": (["firms.scale=nan"], ["firms/default.yaml", "firms.scale", "nan is not a finite", "0.001 to 20"]),
    "no end": (["firms.scale=-inf"], ["firms.scale", "-inf is not a finite number", "allowed: 0.001 to 20"]),
    "a whole number with an exponent": (
        ["population.consumers=1e6"],
        ["population.consumers", "a whole number without point or exponent: 1000000"],
    ),
    "a number of five thousand digits": (["days=" + "9" * 5000], ["command line", "days=999", "cannot be read"]),
    "the first seed that is too large": (["seed=9223372036854775808"], ["seed", "allowed: 0 to 9223372036854775807"]),
    "an empty mapping": (["firms.real={}"], ["firms.real", "is an empty mapping", "allowed: firms.real.KEY", "mcn"]),
    "a mapping for a number": (["days={value: 5, rnge: [1, 9]}"], ["days", "rnge", "allowed: days: VALUE"]),
    "an empty folder": (["out="], ["config.yaml", "out", "is empty"]),
    "an intervention without a kind": (
        ["+interventions.cap.strength=1"],
        ["interventions.cap.kind", "is missing", "allowed:", "commission_cap", "in all"],
    ),
    "a misspelt kind key": (
        ["+interventions.cap.kid=commission_cap"],
        ["interventions.cap.kind", "is missing", "did you mean 'kind: commission_cap'?", "interventions.cap.kid"],
    ),
    "a kind that is no text": (["+interventions.cap.kind=5"], ["interventions.cap.kind", "allowed:", "commission_cap"]),
    "a start that is no number": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.start=nan"],
        ["interventions.cap.start", "nan", "allowed: days after the first reported day, or an ISO date"],
    ),
    "a start that is a list": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.start=[1]"],
        ["interventions.cap.start", "[1] is no date", "2023-11-11"],
    ),
    "a start before all dates": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.start=0001-01-01T00:00+14:00"],
        ["interventions.cap.start", "is no date"],
    ),
    "a parameter that is no number": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.share=nan"],
        ["interventions.cap.share", "nan is not a finite number", "allowed: 0 to 1"],
    ),
    "a scope that is misspelt": (
        ["+interventions.cap.kind=commission_cap", "interventions.cap.scope={contries: [ID]}"],
        ["interventions.cap.scope.contries", "did you mean 'countries'?"],
    ),
    "a scope out of the lever's reach": (
        ["+interventions.lots.kind=c2m", "interventions.lots.scope={categories: [health]}"],
        [
            "configs/interventions/c2m.yaml",
            "interventions.lots.scope",
            "within reach of c2m",
            "allowed: categories: apparel",
        ],
    ),
    "too large for one agent at a time": (
        ["engine=agents", "population.consumers=100000"],
        ["engine", "45,500,000 consumer-days", "allowed: at most 2,000,000"],
    ),
    "letters that are not read": (["\u0434\u043d\u0438=5"], ["cannot be read from '\u0434' on", "in quotes"]),
    "a key inside a number": (["days.value=5"], ["days.value", "unknown key 'value'", "did you mean 'days'?"]),
    "shares that do not add up": (
        ["firms.streamers.tier_share.head=0.9"],
        ["command line (over", "firms/default.yaml", "streamers.tier_share sums to", "instead of 1"],
    ),
    "nested without end": (["days=" + "[" * 3000 + "]" * 3000], ["command line", "days=[[["]),
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


SCENARIOS = {
    "not UTF-8": (b"question: \xe9t\xe9?", ["is not UTF-8 text (byte 0xe9 at position 10)"]),
    "UTF-16": ("question: Why?".encode("utf-16"), ["is not UTF-8 text"]),
    "empty": (b"", ["is empty", "allowed: a scenario with at least a `question`"]),
    "comments only": (b"# nothing\n", ["is empty"]),
    "a list": (b"- baseline\n", ["must hold a mapping"]),
    "a key given twice": (b"days: 2\ndays: 3\n", ["line 2, column 1: the key 'days' stands twice"]),
    "nested without end": (b"days: " + b"[" * 5000, ["is nested too deeply"]),
    "an alias of itself": (b"days: &a [*a]\n", ["is not valid YAML: line 1"]),
    "a tag": (b"question: !!python/object:os.system x\n", ["is not valid YAML: line 1"]),
    "a number of five thousand digits": (b"days: " + b"9" * 5000, ["is not valid YAML", "5000 digits"]),
    "too large": (b"".join(b"k%d: 1\n" % n for n in range(60_000)), ["bytes; allowed: at most 500,000"]),
    "compared to nothing": (
        b"question: Why?\ncompared_to: nope\n",
        ["compared_to", "unknown scenario 'nope'", "allowed:", "baseline"],
    ),
    "compared to a misspelt name": (b"compared_to: basline\n", ["compared_to", "did you mean 'baseline'?"]),
    "compared to a list": (b"compared_to: [baseline]\n", ["compared_to", "allowed: the name of a scenario, or null"]),
    "compared to itself": (b"compared_to: mine\n", ["compared_to", "cannot be compared to itself"]),
    "a question that is none": (b"question: [1]\n", ["question", "allowed: a text"]),
    "defaults that are no list": (b"defaults: baseline\n", ["defaults", "allowed: a list"]),
    "defaults that are no names": (b"defaults: [5]\n", ["defaults", "holds 5"]),
    "a group without keys": (b"question: Why?\npopulation: {}\n", ["population", "is an empty mapping"]),
    "a unit of one's own": (
        b"population: {consumers: {value: 50, unit: cows}}\n",
        ["population.consumers", "only a value can be set"],
    ),
}


@pytest.mark.parametrize("mistake", SCENARIOS)
def test_a_scenario_that_cannot_be_used(mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, words = SCENARIOS[mistake]
    path = folder / "scenarios" / "mine.yaml"
    path.parent.mkdir()
    path.write_bytes(text)
    message = fails(capsys, "run", "scenario=mine")
    assert message.startswith("livecommerce: scenarios/mine.yaml: ")
    for word in words:
        assert word in message
    assert list(folder.rglob("*")) == [path.parent, path]


def test_a_file_of_aliases_is_refused_before_it_is_written_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    for level in range(1, 25):
        inner = ", ".join(f"k{number}: *a{level - 1}" for number in range(9))
        lines.append(f"a{level}: &a{level} {{{inner}}}")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "mine.yaml").write_text("\n".join(lines))
    start = time.process_time()
    message = fails(capsys, "run", "scenario=mine")
    assert "values once its aliases are written out; allowed: at most 100,000" in message
    assert time.process_time() - start < 2


def test_a_folder_or_a_pipe_is_no_scenario(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scenarios" / "mine.yaml").mkdir(parents=True)
    os.mkfifo(folder / "scenarios" / "pipe.yaml")
    assert "scenarios/mine.yaml: is not a file" in fails(capsys, "run", "scenario=mine")
    assert "scenarios/pipe.yaml: is not a file" in fails(capsys, "run", "scenario=pipe")


def test_a_scenario_s_file_instead_of_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "mine.yaml").write_text("question: Why?\n")
    (folder / "scenarios" / "other.yml").write_text("question: Why?\n")
    assert "allowed: scenario=mine" in fails(capsys, "run", "scenario=scenarios/mine.yaml")
    assert "call it other.yaml" in fails(capsys, "run", "scenario=other")


def test_one_bad_scenario_does_not_hide_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "mine.yaml").write_bytes(b"\xff")
    (folder / "scenarios" / "good.yaml").write_text("question: Why?\n")
    (folder / "scenarios" / ".hidden.yaml").write_bytes(b"\xff")
    assert main(["scenarios"]) == 2
    captured = capsys.readouterr()
    listed = dict(line.split(maxsplit=1) for line in captured.out.splitlines())
    assert listed["mine"] == "cannot be used, see below"
    assert listed["good"] == "Why?"
    assert "tariff_reduction" in listed
    assert captured.err.splitlines() == [
        "livecommerce: scenarios/mine.yaml: is not UTF-8 text (byte 0xff at position 0); "
        "allowed: a YAML file saved as UTF-8"
    ]
    assert main(["scenarios", "--json"]) == 2
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "UTF-8" in rows["mine"]["error"]
    assert "error" not in rows["good"]


def test_a_key_given_twice_is_told_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, "run", "days=5", "days=x").count("command line") == 1


@pytest.mark.parametrize("days", ["1e9", "nan", "-3", "1000000000000"])
def test_one_mistake_is_one_fault(days: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What follows from a wrong length of the run is not told beside it."""
    message = fails(
        capsys, "run", f"days={days}", "engine=agents", "population.consumers=50",
        "+interventions.cap.kind=commission_cap", "interventions.cap.start=400",
    )  # fmt: skip
    assert "faults" not in message
    assert ": days: " in message
    assert "allowed: 1 to 36500 days" in message


def test_all_mistakes_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = fails(capsys, "run", "days=0", "sed=1", "+interventions.a.kind=comission_cap")
    assert "3 faults" in message
    for word in ("days", "sed", "did you mean 'seed'?", "did you mean 'commission_cap'?"):
        assert word in message


@pytest.mark.parametrize(
    ("prepare", "out", "words"),
    [
        ("file:run", "run", ["--out", "run", "is a file"]),
        ("file:blocked", "blocked/run", ["--out", "blocked", "is not a folder"]),
        ("file:blocked", "blocked/deep/run", ["--out", "blocked", "is not a folder"]),
        ("file:run/thesis.txt", "run", ["--out", "run", "not a finished run", "left as it is"]),
        ("file:run/_DONE", "run", ["--out", "run", "left as it is"]),
        ("file:results", "", ["results", "is not a folder"]),
        ("", "x" * 300, ["--out", "its name has 300 bytes; at most 200"]),
        ("", "x" * 300 + "/run", ["--out", "x/run"]),
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
        (["interventions", "x"], ["unknown intervention 'x'", "in all: `livecommerce interventions`"]),
        (["show", "scenario=x"], ["unknown scenario 'x'", "in all: `livecommerce scenarios`"]),
        (
            ["show", "+interventions.a.kind=commission_cap", "interventions.a.strength=nan"],
            ["interventions.a.strength", "nan is not a finite number"],
        ),
        (
            ["show", "+interventions.a.kind=commission_cap", "interventions.a.start=400"],
            ["interventions.a.start: 400 is outside", "allowed: 0 to 364"],
        ),
        (["sweep", "--workers", "1000000", "--dry-run"], ["--workers", "1000000 is out of range", "to 1024"]),
        (["sweep", "--until", "xyzzy:1%"], ["--until", "unknown metric 'xyzzy'", "allowed:", "gmv_usd"]),
        (["robust", ".", "--metric", "xyzzy"], ["--metric", "unknown metric 'xyzzy'", "allowed:", "gmv_usd"]),
        (
            ["search", "--objective", "gmv_usd:more", "--objective", "gmv_usd:less"],
            ["--objective", "names a metric twice"],
        ),
        (
            ["search", "scenario=commission_cap", "--vary", "calendar", "--objective", "gmv_usd:more"],
            ["calendar", "has no declared range"],
        ),
        (["metrics"], ["RUN_DIR"]),
        (["metrics", "nowhere"], ["nowhere"]),
        (["metrics", "."], ["no finished run"]),
        (["metrics", ""], ["empty", "name a folder"]),
        (["metrics", "x" * 300], ["no such folder"]),
        (["compare", ""], ["empty", "name a folder"]),
        (["compare", "a b=."], ["'a b' is no name for runs", "allowed: NAME=DIR"]),
        (["compare", ".", "--report", ""], ["--report", "is empty"]),
        (["compare", ".", "--report", "."], ["--report .", "is a folder"]),
        (["compare", ".", "--report", "/dev/null/a.html"], ["--report /dev/null/a.html", "is not a folder"]),
        (["run", "--out", ""], ["--out", "is empty"]),
        (["run", "--out", " "], ["--out", "is empty"]),
        (["run", "--out", "A", "out=B"], ["--out A and out=B name two folders"]),
        (["run", "--scenarios", ""], ["--scenarios", "there is no folder ''"]),
        (["demo", "--out", ""], ["--out", "is empty"]),
        (["demo", "--seeds", "1001"], ["--seeds", "1001 is out of range", "allowed: 1 to 1000"]),
        (["demo", "--workers", "-1"], ["--workers", "-1 is out of range", "allowed: 0 to 1024"]),
        (["demo", "out=x"], ["demo", "out= cannot be set"]),
        (["demo", "scenario=ad_disclosure"], ["demo", "scenario= cannot be set", "tariff_reduction"]),
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


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = shell('rmdir "$PWD"; exec "$0" -m sim show', gone)
    assert done.returncode == 2
    assert "the current folder no longer exists" in done.stderr
    assert "Traceback" not in done.stderr


def shell(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which "$0" is this Python."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = ["bash", "-c", script, sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=120)


def test_a_reader_that_has_seen_enough(folder: Path) -> None:
    done = shell('"$0" -m sim show | head -1; exit ${PIPESTATUS[0]}', folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_output_to_a_full_disk(folder: Path) -> None:
    done = shell('"$0" -m sim scenarios > /dev/full', folder)
    assert done.returncode == 2
    assert done.stderr == "livecommerce: the output cannot be written (No space left on device)\n"


def test_standard_output_that_is_closed_or_knows_few_letters(folder: Path) -> None:
    assert shell('"$0" -m sim scenarios >&-', folder).returncode == 0
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "mine.yaml").write_text("question: W\u00e4rum?\n", encoding="utf-8")
    done = shell('PYTHONIOENCODING=ascii "$0" -m sim scenarios | grep mine', folder)
    assert done.stdout.split() == ["mine", "W\\xe4rum?"]


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("swallowed", [True, False])
def test_an_interrupt_ends_in_words(name: str, status: int, swallowed: bool, folder: Path) -> None:
    """Also where a compiler's callback swallows it, so that only a strange error is seen afterwards."""
    code = f"""
import os, signal, sys
from sim import __main__ as program
def command(arguments):
    try:
        os.kill(os.getpid(), signal.{name})
    except KeyboardInterrupt:
        if {swallowed}:
            raise RuntimeError("no compiled object yet") from None
        raise
program.COMMANDS["show"] = command
sys.argv = ["livecommerce", "show"]
sys.exit(program.main())
"""
    done = shell('"$0" -c "$1"', folder, code)
    assert done.returncode == status
    assert done.stderr == "livecommerce: interrupted; nothing half-written was kept\n"
