"""A small sweep for the tests of sweeps, and what makes two sweeps the same."""

from __future__ import annotations

from pathlib import Path

TINY = ("population.consumers=300", "firms.scale=0.1", "days=2", "warmup_days=1", "record=summary")
REQUEST = (*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.10", "seed=1,2")


def contents(folder: Path) -> dict[str, bytes]:
    """Every table of every run, and the manifest, byte for byte."""
    files = [path for path in folder.rglob("*.parquet") if not any(part.startswith(".") for part in path.parts)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}
