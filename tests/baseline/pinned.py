"""Small runs whose results are pinned, bit by bit.

A pinned number proves that nothing moved, and no more. When a change is meant to move results, say so under "Results
change" in CHANGELOG.md and renew all pins, and the output that docs/tutorial.md shows, with one command, `make pins`:

    python -m tests.baseline.pinned          what has moved
    python -m tests.baseline.pinned --renew  pin what the code gives now
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.metrics import METRICS, metrics_of
from analysis.store import Store
from sim import provenance
from sim.experiment import configure, run_one
from sim.runfolder import read_run_json

FILE = Path(__file__).with_name("pinned.json")
COMMAND = "python -m tests.baseline.pinned --renew"
WORLDS = {
    "tiny": (
        "population.consumers=600", "firms.scale=0.1", "days=20", "warmup_days=4", "scenario=commission_cap",
        "record=daily", "seed=7",
    ),
    "small": ("population.consumers=2000", "firms.scale=0.2", "days=28", "warmup_days=28", "record=daily", "seed=7"),
}  # fmt: skip
FACTS = "run"  # a table that says what was asked: a new parameter changes its hash and need not change a result


def digest(table: pa.Table) -> str:
    """SHA-256 of names, types and values of a table's columns, however they are stored."""
    plain = table.combine_chunks().replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, plain.schema) as stream:
        stream.write_table(plain)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def totals(table: pa.Table) -> dict[str, int]:
    """Sums of the columns of whole numbers of the table of totals."""
    return {
        field.name: sum(table[field.name].to_pylist()) for field in table.schema if pa.types.is_int64(field.type)
    }  # fmt: skip


def compute(world: str) -> dict[str, Any]:
    """A run as the code gives it now: digests of its tables, its integer totals, its metrics, and what made it."""
    with tempfile.TemporaryDirectory(prefix="livecommerce-") as place:
        folder = run_one(configure(overrides=WORLDS[world]), Path(place) / "run").folder
        facts = read_run_json(folder)
        tables = {path.stem: pq.ParquetFile(path).read() for path in sorted(folder.glob("*.parquet"))}
        with Store([folder]) as store:
            ((line,),) = metrics_of(store)
    return {
        "settings": list(WORLDS[world]),
        "tables": {name: digest(table) for name, table in tables.items() if name != FACTS},
        "totals": totals(tables["totals"]),
        "metrics": {name: line[name] for name in METRICS},
        "made_by": {
            "code_hash": facts["code_hash"],
            "versions": {name: text for name, text in facts["versions"].items() if name != "livecommerce"},
            "processor": provenance.host()["processor"],
        },
    }


def pinned(world: str) -> dict[str, Any]:
    """What is pinned."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))[world]
    return found


def moved(then: dict[str, Any], now: dict[str, Any]) -> dict[str, float]:
    """Relative change of what differs, by names such as "totals.orders"; infinite where a side has no value or is 0."""
    found = {}
    for part in ("totals", "metrics"):
        for name in sorted(then[part].keys() | now[part].keys()):
            old, new = then[part].get(name), now[part].get(name)
            if old != new:
                found[f"{part}.{name}"] = new / old - 1 if old and new is not None else float("inf")
    return found


def differing(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Names of tables that are not the same."""
    names = sorted(then["tables"].keys() | now["tables"].keys())
    return [name for name in names if then["tables"].get(name) != now["tables"].get(name)]


def same_machine(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether the bits must be the same: one lock file, one type of machine."""
    return all(then["made_by"][part] == now["made_by"][part] for part in ("versions", "processor"))


def told(world: str, then: dict[str, Any], now: dict[str, Any]) -> str:
    """What has moved, and what to do about it."""
    changes = moved(then, now)
    lines = [f"the results of the pinned world '{world}' moved; tables that differ: {', '.join(differing(then, now))}"]
    for name in list(changes)[:12]:
        part, _, key = name.partition(".")
        sides = [side[part].get(key) for side in (then, now)]
        lines.append(f"  {name}: {sides[0]} -> {sides[1]} ({changes[name]:+.3%})")
    if len(changes) > 12:
        lines.append(f"  and {len(changes) - 12} more")
    lines.append(f"not meant: find the cause; meant: a line under 'Results change' in CHANGELOG.md, then `{COMMAND}`")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true", help="pin what the code gives now")
    renew = parser.parse_args().renew
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    now = {world: compute(world) for world in WORLDS}
    for world, found in now.items():
        then = known.get(world)
        if then is None or then["settings"] != found["settings"]:
            print(f"{world}: not pinned yet")
        elif differing(then, found) or moved(then, found):
            print(told(world, then, found))
        else:
            print(f"{world}: nothing moved")
    if renew:
        FILE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"pinned: {FILE}")
        from tests.docs.test_tutorial import PAGE, renew_page

        renew_page()
        print(f"written: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
