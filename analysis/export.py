"""A sweep's metrics for other programs: CSV, Parquet, or one NetCDF file for xarray; no code of ours is needed to read
them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from analysis.metrics import DIMENSIONS, METRICS
from analysis.summary import METRICS_FILE, Summary, bring_up_to_date
from sim.errors import RunFolderError, UserError
from sim.sweep.driver import MANIFEST, read_manifest, replace_file

FORMATS: Final = ("csv", "parquet", "netcdf")
FOLDER: Final = "export"


def export(folder: Path, form: str, out: Path | None = None) -> list[Path]:
    """Write a sweep's runs and metrics; the files written, in `out` (default `<folder>/export`).

    csv, parquet: `runs` (hash, label, base, scenario, seed, overrides), `metrics` (hash, by, key, metric, value) and
    `columns` (metric, unit, formula). netcdf: `metrics.nc`, a variable a metric with dimensions label and seed, and
    with a third for each split: `gmv_usd_by_country(label, seed, country)`; nan where there is no value.

    Raises:
        UserError: an unknown format, no sweep, or a folder that cannot be written.
    """
    if form not in FORMATS:
        raise UserError(f"--format: unknown format '{form}'; allowed: {', '.join(FORMATS)}")
    rows = read_manifest(folder)
    if not rows:
        raise RunFolderError(f"{folder}: holds no sweep ({MANIFEST} is missing); `livecommerce sweep --out` makes one")
    summary = bring_up_to_date(folder)
    rows = [row for row in rows if row["hash"] in summary.facts]
    target = out or folder / FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"--out {target}: cannot be made ({error.strerror})") from None
    if form == "netcdf":
        return [_netcdf(rows, summary, target / "metrics.nc")]
    names = ("hash", "label", "base", "scenario", "seed")
    described = [{"metric": one.name, "unit": one.unit, "formula": one.formula} for one in METRICS.values()]
    tables = {
        "runs": pa.Table.from_pylist(
            [{name: row[name] for name in names} | {"overrides": " ".join(row["overrides"])} for row in rows]
        ),
        "metrics": _long(folder, summary),
        "columns": pa.Table.from_pylist(described),
    }
    write: Callable[[pa.Table, Path], Any] = csv.write_csv if form == "csv" else pq.write_table
    written = []
    for name, table in tables.items():
        path = target / f"{name}.{form}"
        replace_file(path, lambda part, table=table: write(table, part))  # type: ignore[misc]
        written.append(path)
    return written


def _long(folder: Path, summary: Summary) -> pa.Table:
    """The summary's metrics that have a value."""
    table = pq.ParquetFile(folder / METRICS_FILE).read() if isinstance(summary.metrics, Path) else summary.metrics
    return table.filter(pc.is_valid(table["value"])).replace_schema_metadata(None)


def _netcdf(rows: list[dict[str, Any]], summary: Summary, path: Path) -> Path:
    """One NetCDF 3 file: R (ncdf4), Julia, MATLAB and xarray read it."""
    try:
        import xarray as xr
    except ImportError:
        raise UserError("NetCDF needs the package xarray; pip install 'livecommerce[discovery]'") from None
    labels = sorted({row["label"] for row in rows})
    seeds = sorted({row["seed"] for row in rows})
    place = [(labels.index(row["label"]), seeds.index(row["seed"])) for row in rows]
    at = tuple(np.array(place).T)
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {"label": labels, "seed": seeds}
    for by in ("", *DIMENSIONS):
        keys, values = summary.values([row["hash"] for row in rows], by)
        if by and not keys:
            continue
        if by:
            coordinates[by] = keys
        for number, metric in enumerate(METRICS.values()):
            if np.isnan(values[:, :, number]).all():
                continue
            cube = np.full((len(labels), len(seeds), len(keys)), np.nan)
            cube[at] = values[:, :, number]
            about = {"units": metric.unit, "long_name": metric.formula}
            if by:
                variables[f"{metric.name}_by_{by}"] = (("label", "seed", by), cube, about)
            else:
                variables[metric.name] = (("label", "seed"), cube[:, :, 0], about)
    data = xr.Dataset(variables, coordinates)
    replace_file(path, lambda part: data.to_netcdf(part, engine="scipy", format="NETCDF3_64BIT"))
    return path
