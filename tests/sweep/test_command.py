"""Sweeps on the command line: plan, run, status, compare, verify, rerun."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from sim.__main__ import main

TINY = ("population.consumers=300", "firms.scale=0.1", "days=3", "warmup_days=0", "record=summary")
REQUEST = (*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.1", "seed=range(0,3)")


@pytest.fixture(scope="module")
def caps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command") / "caps"
    assert main(["sweep", *REQUEST, "--out", str(folder), "--engine", "inline"]) == 0
    return folder


def printed(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> object:
    capsys.readouterr()
    assert main([*words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_a_dry_run_tells_size_and_time_and_touches_nothing(
    caps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = printed(capsys, "sweep", *REQUEST, "--out", str(tmp_path / "new"), "--dry-run")
    assert isinstance(plan, dict)
    assert (plan["runs"], plan["waiting"], plan["consumer_days"], plan["seconds_expected"]) == (9, 9, 8100, None)
    assert plan["labels"] == {
        "baseline": 3, "commission_cap cap.share=0.05": 3, "commission_cap cap.share=0.1": 3
    }  # fmt: skip
    assert not (tmp_path / "new").exists()
    more = [word.replace("range(0,3)", "range(0,6)") for word in REQUEST]
    plan = printed(capsys, "sweep", *more, "--out", str(caps), "--dry-run")
    assert isinstance(plan, dict)
    assert (plan["runs"], plan["waiting"]) == (18, 9)
    assert plan["seconds_expected"] is not None


def test_each_cap_is_compared_to_the_same_baseline_runs(caps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = printed(capsys, "compare", str(caps))
    assert isinstance(entries, list)
    assert {
        (entry["scenario"], entry["base"], entry["seeds"]) for entry in entries if entry["metric"] == "gmv_usd"
    } == {
        ("commission_cap cap.share=0.05", "baseline", 3),
        ("commission_cap cap.share=0.1", "baseline", 3),
    }
    table = [entry for entry in entries if entry["metric"] == "room_visits" and "0.05" in entry["scenario"]]
    assert table[0]["base_value"] > 0
    by_base = printed(capsys, "compare", str(caps), "--base", "commission_cap cap.share=0.1")
    assert isinstance(by_base, list)
    assert {entry["base"] for entry in by_base} == {"commission_cap cap.share=0.1"}


def test_a_sweep_over_what_is_no_policy_compares_each_to_its_own_base(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = [*TINY[:2], "warmup_days=0", "days=2,3", "scenario=commission_cap", "seed=1,2", "--engine", "inline"]
    assert main(["sweep", *request, "--out", str(tmp_path / "s")]) == 0
    entries = printed(capsys, "compare", str(tmp_path / "s"))
    assert isinstance(entries, list)
    assert {(entry["scenario"], entry["base"]) for entry in entries} == {
        ("commission_cap days=2", "baseline days=2"),
        ("commission_cap days=3", "baseline days=3"),
    }


def test_the_summary_table_says_what_the_runs_say(caps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis import comparison as comparing
    from analysis.comparison import Study, compare, parts_of

    (part,) = parts_of([str(caps)])
    for by in ((), ("region",), ("group",)):
        with Study(part.folders, part.base, part.labels) as study:
            from_table = compare(study, by)
        monkeypatch.setattr(comparing, "_summary_of", lambda paths: None)
        with Study(part.folders, part.base, part.labels) as study:
            from_runs = compare(study, by)
        monkeypatch.undo()
        assert from_table == from_runs
        assert from_runs


def test_an_intervention_of_no_strength_differs_by_exactly_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = [*TINY, "scenario=commission_cap", "interventions.cap.strength=0", "seed=1,2,3", "--engine", "inline"]
    assert main(["sweep", *request, "--out", str(tmp_path / "s")]) == 0
    entries = printed(capsys, "compare", str(tmp_path / "s"))
    assert isinstance(entries, list)
    valued = [entry for entry in entries if entry["seeds"] > 1]
    assert len(valued) > 20
    for entry in valued:
        assert (entry["difference"], entry["low"], entry["high"]) == (0.0, 0.0, 0.0), entry["metric"]
        assert (entry["p_positive"], entry["p_value"], entry["variance_ratio"]) == (0.5, 1.0, None)


def test_precision_is_asked_for_in_percent(caps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed = {}
    for precision in ("1%", "10%"):
        entries = printed(capsys, "compare", str(caps), "--precision", precision)
        assert isinstance(entries, list)
        needed[precision] = {entry["metric"]: entry["seeds_needed"] for entry in entries}
    assert needed["1%"]["gmv_usd"] > needed["10%"]["gmv_usd"]
    assert main(["compare", str(caps), "--precision", "0.01"]) == 2
    assert "such as 1%" in capsys.readouterr().err
    assert main(["compare", str(caps)]) == 0
    text = capsys.readouterr().out
    assert "the bootstrap needs 32 seeds, there are 3" in text
    assert "+- 1% of the base value takes" in text


def test_a_stored_run_is_repeated_bit_for_bit(caps: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = min(path.parent for path in (caps / "runs").glob("*/_DONE"))
    assert printed(capsys, "rerun", str(run)) == {"same": True, "differing": [], "notes": []}


def test_damage_is_found_and_named(caps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(caps, folder)
    assert printed(capsys, "verify", str(folder)) == {"runs": 9, "faults": []}
    runs = sorted(path.parent for path in (folder / "runs").glob("*/_DONE"))
    table = runs[0] / "totals.parquet"
    data = bytearray(table.read_bytes())
    data[len(data) // 3] ^= 0xFF
    table.write_bytes(bytes(data))
    (runs[1] / "people.parquet").unlink()
    (runs[2] / "run.json").write_text("{")
    shutil.rmtree(runs[3])
    found = printed(capsys, "verify", str(folder), status=1)
    assert isinstance(found, dict)
    assert [Path(fault["run"]).name for fault in found["faults"]] == [run.name for run in runs[:4]]
    words = ("totals is damaged", "people is missing", "run.json", "not there")
    assert all(word in fault["problem"] for word, fault in zip(words, found["faults"], strict=True))
    again = printed(capsys, "rerun", str(runs[0]), status=1)
    assert isinstance(again, dict)
    assert (again["same"], again["differing"]) == (False, ["totals.parquet"])
    assert "totals is damaged" in again["notes"][0]


def test_an_export_gives_the_paired_differences_without_our_code(
    caps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The joins that docs/experiments.md shows, in R and with xarray."""
    folder = tmp_path / "results" / "caps"
    shutil.copytree(caps, folder)
    for form in ("csv", "netcdf"):
        assert main(["export", str(folder), "--format", form]) == 0
    entries = printed(capsys, "compare", str(folder))
    assert isinstance(entries, list)
    expected = {entry["scenario"]: entry["difference"] for entry in entries if entry["metric"] == "gmv_usd"}

    with (folder / "export" / "runs.csv").open() as file:
        runs = {row["hash"]: row for row in csv.DictReader(file)}
    with (folder / "export" / "metrics.csv").open() as file:
        values = {
            (runs[row["hash"]]["label"], runs[row["hash"]]["seed"]): float(row["value"])
            for row in csv.DictReader(file) if row["metric"] == "gmv_usd" and row["by"] == ""
        }  # fmt: skip
    apart: dict[str, list[float]] = {}
    for run in runs.values():
        if run["base"]:
            one, other = values[run["label"], run["seed"]], values[run["base"], run["seed"]]
            apart.setdefault(run["label"], []).append(one - other)
    assert {label: sum(found) / 3 for label, found in apart.items()} == pytest.approx(expected)

    page = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(import xarray\n.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "docs/experiments.md", "exec"), found := {})
    means = (found["gmv"] - found["gmv"].sel(label="baseline")).mean("seed").to_series().to_dict()
    assert means == pytest.approx({"baseline": 0.0, **expected})
    assert "commission_cap cap.share=0.05" in capsys.readouterr().out


def test_status_counts_and_names_failures(
    caps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim import engines

    real = engines.run_one

    def fails_once(cfg, out, progress=None, past=None):  # type: ignore[no-untyped-def]
        if cfg.seed == 1:
            raise ValueError("seed one is unlucky")
        return real(cfg, out, progress, past=past)

    monkeypatch.setattr(engines, "run_one", fails_once)
    folder = str(tmp_path / "s")
    assert main(["sweep", *REQUEST, "--out", folder, "--engine", "inline"]) == 1
    assert capsys.readouterr().err.count("seed one is unlucky") >= 3
    found = printed(capsys, "status", folder)
    assert isinstance(found, dict)
    assert (found["done"], found["failed"], found["waiting"]) == (6, 3, 0)
    assert "Traceback" in Path(found["failures"][0]["file"]).read_text()
    monkeypatch.undo()
    assert main(["sweep", *REQUEST, "--out", folder, "--engine", "inline", "--retry"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sweep", "seed=1,2", "--engine", "locl"), "did you mean 'local'"),
        (("sweep", "seed=1,2", "--workers", "-2"), "--workers"),
        (("sweep", "seed=1,2", "--out", " "), "--out: is empty"),
        (("sweep", "--experiment", "cap_lader"), "did you mean 'cap_ladder'"),
        (("sweep", "sed=1,2"), "unknown key 'sed'"),
        (("status", "nowhere"), "holds no sweep"),
        (("verify", "nowhere"), "no such folder"),
        (("rerun", "nowhere"), "no such folder"),
    ],
)
def test_a_mistake_gets_one_message(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(list(words)) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
