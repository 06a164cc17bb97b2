"""Seconds and bytes of the friends graph: generating and measuring it, and networkx for comparison.

Run: python benchmarks/graph.py [--json] [PEOPLE ...]     (default: 10,000 100,000 1,000,000)
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from sim.config.graph import Graph
from sim.config.quantity import load_group
from sim.draws import Draws
from sim.state.social import SocialGraph, community_order

ROOT = Path(__file__).resolve().parents[1]
NETWORKX_LIMIT = 100_000
COUNTRIES = 20


def people(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A population like the model's: countries of unequal size, mostly one language each, four age bands."""
    draws, numbers = Draws(11), np.arange(count)
    country = (draws.uniform(1, numbers) ** 2 * COUNTRIES).astype(np.int64)
    language = np.where(draws.uniform(2, numbers) < 0.8, country, draws.integers(2, 6, numbers, word=1))
    age = draws.integers(3, 4, numbers)
    order = community_order(country, language, age)
    return country[order], language[order], age[order]


def main() -> None:
    """Measures and prints."""
    cfg = load_group(ROOT / "configs/graph/default.yaml", Graph)
    sizes = [int(value.replace(",", "")) for value in sys.argv[1:] if value != "--json"] or [10_000, 100_000, 1_000_000]
    start = time.perf_counter()
    SocialGraph.generate(*people(1000), Draws(1), cfg)
    rows: list[dict[str, float]] = [{"first_call_seconds": time.perf_counter() - start}]
    for size in sizes:
        who = people(size)
        start = time.perf_counter()
        graph = SocialGraph.generate(*who, Draws(1), cfg)
        row = {"people": float(size), "generate_seconds": time.perf_counter() - start}
        start = time.perf_counter()
        found = graph.statistics(*who)
        row["statistics_seconds"] = time.perf_counter() - start
        row["bytes_per_person"] = graph.nbytes / size
        row["degree_mean"] = found.degree_mean
        row["clustering"] = found.clustering
        if size <= NETWORKX_LIMIT:
            start = time.perf_counter()
            theirs = graph.to_networkx()
            row["to_networkx_seconds"] = time.perf_counter() - start
            start = time.perf_counter()
            SocialGraph.from_networkx(theirs, range(size))
            row["from_networkx_seconds"] = time.perf_counter() - start
        rows.append(row)
    if "--json" in sys.argv:
        print(json.dumps(rows))
        return
    for row in rows:
        print("  ".join(f"{name} {value:,.2f}" for name, value in row.items()))


if __name__ == "__main__":
    main()
