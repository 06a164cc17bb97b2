"""Bytes: columns and graph per consumer, the book and calendars per open order, and the most a process holds.

Run: python -m benchmarks.memory [--sizes 100000,300000] [--threads 1] [--settling 42] [--write]
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.held import per_head
from benchmarks.world import RESULTS, measure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000,300000", help="two numbers of consumers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--settling", type=int, default=42)
    parser.add_argument("--write", action="store_true", help="write results/memory.json")
    given = parser.parse_args()
    sizes = sorted(int(size) for size in given.sizes.split(","))
    small, large = (measure(size, given.threads, given.settling, 7, profiled=False) for size in sizes)
    result = {
        "consumers": sizes,
        "open_orders": [small["open_orders"], large["open_orders"]],
        "bytes": large["memory"],
        "peak_bytes": [small["peak_bytes"], large["peak_bytes"]],
        **per_head(small, large),
    }
    print(json.dumps(result, indent=1))
    if given.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "memory.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
