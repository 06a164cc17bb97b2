"""What other programs read, read without our code."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xarray as xr

from analysis.metrics import METRICS
from sim.__main__ import main
from tests.analysis.planted import METRIC, planted_sweep


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    points = [{"scenario": "one"}, {"scenario": "two"}]
    folder = tmp_path_factory.mktemp("export") / "s"
    return planted_sweep(folder, points, lambda point, seed: len(point["scenario"]) * 10.0 + seed
                         + (5 if point["scenario"] == "two" else 0), (0, 1, 2))  # fmt: skip


def test_csv_and_parquet_hold_the_same(sweep: Path, tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        assert main(["export", str(sweep), "--format", form, "--out", str(tmp_path)]) == 0
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "runs.csv").open() as file:
        runs = {row["hash"]: row for row in csv.DictReader(file)}
    found = {
        (runs[row["hash"]]["scenario"], int(runs[row["hash"]]["seed"])): float(row["value"])
        for row in rows if row["metric"] == METRIC and row["by"] == ""
    }  # fmt: skip
    assert found == {(name, seed): 30.0 + seed + 5 * (name == "two") for name in ("one", "two") for seed in range(3)}
    assert [float(row["value"]) for row in rows] == pq.read_table(tmp_path / "metrics.parquet")["value"].to_pylist()
    with (tmp_path / "columns.csv").open() as file:
        assert [row["metric"] for row in csv.DictReader(file)] == list(METRICS)


def test_netcdf_is_labelled(sweep: Path) -> None:
    assert main(["export", str(sweep), "--format", "netcdf"]) == 0
    with xr.open_dataset(sweep / "export" / "metrics.nc", engine="scipy") as data:
        assert float(data[METRIC].sel(label="scenario=two", seed=1)) == 36.0
        assert data[METRIC].attrs["units"] == METRICS[METRIC].unit


def test_refusals(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(sweep), "--format", "excel"]) == 2
    assert "allowed: csv, parquet, netcdf" in capsys.readouterr().err
    assert main(["export", str(tmp_path)]) == 2
