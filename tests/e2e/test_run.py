"""From the command line to a finished run, its metrics and a report, in a tiny world."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.__main__ import main
from sim.engines import Job, run_many
from sim.experiment import configure

TINY = ("population.consumers=300", "days=6", "warmup_days=2")
METRICS = """
gmv_usd gmv_net_usd orders room_visits conversion buyer_share_30d watch_minutes_mean aov_usd payment_success_rate
tariff_usd vat_usd delivery_days_p50 delivery_days_p90 late_share direct_shipped_share stockout_share oversold_share
return_rate dispute_rate complaint_rate repurchase_rate trust_mean adoption_share streamer_view_gini
warehouse_utilisation_p90 platform_profit_usd mcn_profit_usd streamer_income_usd merchant_profit_usd
consumer_surplus_perceived_usd consumer_surplus_realised_usd government_revenue_usd co2_kg matured_share
""".split()


def tables(folder: Path) -> dict[str, bytes]:
    """Every stored table of a run, byte for byte."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def test_a_run_prints_its_metrics_and_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *TINY, "--out", "run", "--json"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert set(METRICS) <= set(printed)
    assert all(value is None or isinstance(value, int | float) for value in printed.values())
    assert "done: " in captured.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    before = tables(tmp_path / "run")
    assert main(["run", *TINY, "threads=1", "--out", "run", "--json"]) == 0
    captured = capsys.readouterr()
    assert "already done" in captured.err
    assert json.loads(captured.out) == printed
    assert tables(tmp_path / "run") == before
    assert main(["metrics", "run", "--by", "region", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["region"] for row in rows} <= {
        "north_america", "europe", "southeast_asia", "middle_east", "latin_america", "africa"
    }  # fmt: skip
    assert main(["metrics", "run", "--from", "1", "--to", "2023-01-03", "--json"]) == 0
    assert set(METRICS) <= set(json.loads(capsys.readouterr().out))


def test_results_do_not_depend_on_workers_and_a_failure_spares_the_others(tmp_path: Path) -> None:
    cfgs = [configure(overrides=[*TINY, f"seed={seed}"]) for seed in (1, 2, 3)]
    alone = [Job(cfg, tmp_path / f"alone-{cfg.seed}") for cfg in cfgs]
    shared = [Job(cfg, tmp_path / f"shared-{cfg.seed}") for cfg in reversed(cfgs)]
    assert [outcome.error for outcome in run_many(alone, workers=1)] == ["", "", ""]
    outcomes = run_many([*shared, Job(cfgs[0], Path("/proc/run"))], workers=2)
    assert [outcome.error for outcome in outcomes[:3]] == ["", "", ""]
    assert "cannot write in /proc" in outcomes[3].error
    for cfg in cfgs:
        assert tables(tmp_path / f"alone-{cfg.seed}") == tables(tmp_path / f"shared-{cfg.seed}")
    assert all(outcome.already_done for outcome in run_many(alone, workers=2))
    assert tables(alone[0].out) != tables(alone[1].out)


def test_the_demo_writes_a_report_that_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", *TINY, "--seeds", "2", "--out", "demo"]) == 0
    printed = capsys.readouterr().out
    assert "tariff_reduction" in printed
    assert "commission_cap" in printed
    report = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert "<script src=" not in report
    assert '<link rel="stylesheet" href="http' not in report
    (sweep,) = (tmp_path / "demo").glob("*/manifest.parquet")
    assert len(list((sweep.parent / "runs").glob("[!.]*"))) == 6
    assert main(["compare", str(sweep.parent)]) == 0
    assert "commission_cap" in capsys.readouterr().out
