"""How long `livecommerce compare` takes over a sweep of 1,000 runs: the first time, which reads every run, and later.

Run: python -m benchmarks.compare [--runs 1000]

The sweep is the one of `python -m benchmarks.dashboard`: a few runs computed, then multiplied. Each call is a process
of its own, imports included. Prints seconds as JSON; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.dashboard import SEEDS, store

CALLS = {"first": (), "again": (), "by country": ("--by", "country")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    given = parser.parse_args()
    if given.runs < 2 * SEEDS:
        parser.error(f"--runs: {given.runs} runs hold no scenario beside the baseline; allowed: {2 * SEEDS} or more")
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="livecommerce-compare-") as place:
        folder = store(Path(place), given.runs)
        for name, options in CALLS.items():
            start = time.perf_counter()
            command = [sys.executable, "-m", "sim", "compare", str(folder), *options, "--json"]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            seconds[name] = round(time.perf_counter() - start, 2)
    print(json.dumps({"runs": given.runs, "seconds": seconds}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
