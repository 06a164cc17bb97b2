"""One small run whose tables are pinned, bit by bit.

A pinned number proves that nothing moved, and no more. When a change is meant to move results, say so under "Results
change" in CHANGELOG.md and renew the pin:

    python -m tests.baseline.pinned          what has moved
    python -m tests.baseline.pinned --renew  pin what the code gives now
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from analysis.metrics import METRICS, metrics_of
from analysis.store import Store
from sim import provenance
from sim.experiment import configure, run_one
from sim.runfolder import read_run_json

FILE = Path(__file__).with_name("pinned.json")
SETTINGS = ("population.consumers=2000", "firms.scale=0.2", "days=28", "warmup_days=28", "record=daily", "seed=7")


def compute() -> dict[str, Any]:
    """The run as the code gives it now: checksums of its tables, its metrics, and what made it."""
    with tempfile.TemporaryDirectory(prefix="livecommerce-") as place:
        folder = run_one(configure(overrides=SETTINGS), Path(place) / "run").folder
        facts = read_run_json(folder)
        with Store([folder]) as store:
            ((line,),) = metrics_of(store)
    return {
        "settings": list(SETTINGS),
        "tables": facts["tables"],
        "metrics": {name: line[name] for name in METRICS},
        "made_by": {
            "code_hash": facts["code_hash"],
            "versions": {name: text for name, text in facts["versions"].items() if name != "livecommerce"},
            "processor": provenance.host()["processor"],
        },
    }


def pinned() -> dict[str, Any]:
    """What is pinned."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def moved(then: dict[str, Any], now: dict[str, Any]) -> dict[str, float]:
    """Metrics that differ, with their relative change (infinite where one side has no value or is 0)."""
    found = {}
    for name in sorted(then["metrics"].keys() | now["metrics"].keys()):
        old, new = then["metrics"].get(name), now["metrics"].get(name)
        if old != new:
            found[name] = new / old - 1 if old and new is not None else float("inf")
    return found


def same_machine(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether the bits must be the same: one lock file, one type of machine."""
    return all(then["made_by"][part] == now["made_by"][part] for part in ("versions", "processor"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true", help="pin what the code gives now")
    renew = parser.parse_args().renew
    now = compute()
    then = pinned() if FILE.exists() else None
    if then is not None:
        tables = sorted(name for name in now["tables"] if now["tables"][name] != then["tables"].get(name))
        print(f"tables that differ: {', '.join(tables) or 'none'}")
        for name, change in moved(then, now).items():
            print(f"{name}: {then['metrics'].get(name)} -> {now['metrics'].get(name)} ({change:+.3%})")
    if renew:
        FILE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"pinned: {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
