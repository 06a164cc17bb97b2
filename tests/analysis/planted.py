"""Sweeps whose outcome is a known function of their settings: folders as `livecommerce sweep` leaves them, no world."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.summary import SCHEMA, write
from sim.sweep.driver import DESIGN, MANIFEST, MANIFEST_SCHEMA

METRIC = "gain_usd"


def planted_sweep(
    folder: Path,
    points: Sequence[Mapping[str, str]],
    outcome: Callable[[Mapping[str, str], int], float],
    seeds: Sequence[int] = (0,),
    design: dict[str, Any] | None = None,
) -> Path:
    """One run a point and seed with `outcome(settings, seed)` as its `METRIC`."""
    rows, facts = [], {}
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for point in {tuple(point.items()): point for point in points}.values():  # a design may visit a place twice
        overrides = [f"{key}={value}" for key, value in point.items()]
        label = " ".join(overrides)
        for seed in seeds:
            name = hashlib.sha256(f"{label} {seed}".encode()).hexdigest()[:16]
            run = folder / "runs" / name
            run.mkdir(parents=True)
            (run / "_DONE").touch()
            facts[name] = {"seed": seed}
            rows.append(
                {
                    "hash": name, "label": label, "base": "", "scenario": point.get("scenario", "baseline"),
                    "overrides": [*overrides, f"seed={seed}"], "seed": seed, "config_hash": name, "code_hash": "",
                    "state": "done",
                }
            )  # fmt: skip
            for column, value in zip(SCHEMA.names, (name, "", "", METRIC, outcome(point, seed)), strict=True):
                columns[column].append(value)
    rows.sort(key=lambda row: str(row["hash"]))
    pq.write_table(pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA), folder / MANIFEST)
    write(folder, facts, pa.table(columns, schema=SCHEMA))
    if design is not None:
        (folder / DESIGN).write_text(json.dumps(design))
    return folder


def texts(keys: Sequence[str], values: np.ndarray) -> list[dict[str, str]]:
    """Points of float64[points, keys], written as the planner writes them."""
    return [{key: repr(float(value)) for key, value in zip(keys, row, strict=True)} for row in values]
