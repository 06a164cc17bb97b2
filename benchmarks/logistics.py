"""Nanoseconds an order: checkout, payments, stock, stations, parcels, returns and their postings.

Run: python -m benchmarks.logistics [--sizes 100000,300000] [--threads 1] [--settling 42] [--write]

All that is done for orders on a settled day, over the orders placed on it (an order placed today stands for all stages
of its life, since on a settled day as many are in each). Two sizes give what one more order costs, without the part of
the day that does not depend on how many there are.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

PART = "orders, logistics, money"


def per_order(small: dict[str, Any], large: dict[str, Any]) -> dict[str, Any]:
    """From two measurements of `benchmarks.world` on one number of threads."""
    seconds = [run["parts_seconds_a_day"][PART] for run in (small, large)]
    orders = [run["orders_a_day"] for run in (small, large)]
    more = orders[1] - orders[0]
    marginal = (seconds[1] - seconds[0]) / more if more > 0 else float("nan")
    return {
        "threads": large["threads"],
        "orders_a_day": orders,
        "ns_an_order": seconds[1] / orders[1] * 1e9,
        "ns_an_order_more": marginal * 1e9,
        "fixed_ms_a_day": (seconds[0] - marginal * orders[0]) * 1e3,
        "methods": [
            {"method": row["method"], "ns_an_order": row["ms_a_day"] * 1e6 / orders[1]}
            for row in large["methods"]
            if row["part"] == PART and row["ms_a_day"] * 1e6 / orders[1] >= 1
        ],
    }


def main() -> int:
    from benchmarks.world import RESULTS, measure

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100000,300000", help="two numbers of consumers")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--settling", type=int, default=42)
    parser.add_argument("--write", action="store_true", help="write results/logistics.json")
    given = parser.parse_args()
    small, large = sorted(int(size) for size in given.sizes.split(","))
    result = per_order(measure(small, given.threads, given.settling), measure(large, given.threads, given.settling))
    print(json.dumps(result, indent=1))
    if given.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "logistics.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
