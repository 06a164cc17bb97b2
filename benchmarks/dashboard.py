"""How quickly the dashboard answers over a store of 1,000 runs, in Chromium: first paint, and every choice.

`python -m benchmarks.dashboard [--runs 1000]` makes the store in a temporary folder: a few tiny runs are computed and
then multiplied under new seeds and shares, so that files have the size and number of a real sweep's while their numbers
repeat. Prints a table of seconds as JSON; nothing is asserted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sim.engines import Local
from sim.runfolder import DONE
from sim.sweep.driver import MANIFEST, MANIFEST_SCHEMA, RUNS, drive, read_manifest
from sim.sweep.plan import plan_sweep

TINY = ("population.consumers=300", "firms.scale=0.1", "days=90", "warmup_days=0", "record=daily")
SEEDS = 20
CLICKS = (
    ("/?series={}", ("orders", "conversion", "room_visits", "aov_usd")),
    ("/?scenario=commission_cap+cap.share%3D{}", ("0.01", "0.012", "0.014")),
    ("/compare?by={}", ("", "region", "country", "channel", "category", "group")),
    ("/compare?by=country&metric={}", ("orders", "conversion", "co2_kg")),
    ("/gains?lang={}", ("en", "zh")),
    ("/logistics?lang={}", ("en", "zh")),
    ("/network?lang={}", ("en", "zh")),
    ("/explore?metric={}", ("gmv_usd", "orders", "conversion")),
    ("/run?consumers={}", ("300", "400")),
    ("/run?levers={}", ("tariff_reduction", "commission_cap")),
    ("/model?find={}", ("trust", "duty")),
)


def store(root: Path, runs: int) -> Path:
    """A sweep of `runs` runs: baselines and caps, `SEEDS` seeds each."""
    plan = plan_sweep([*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.15", "seed=0,1"])
    with Local(2) as engine:
        drive(plan, root / "few", engine)
    rows = read_manifest(root / "few")
    target = root / "many"
    (target / RUNS).mkdir(parents=True)
    (target / "failures").mkdir()
    base = [row for row in rows if not row["base"]]
    caps = [row for row in rows if row["base"]]
    made: list[dict[str, Any]] = []
    for number in range(runs // SEEDS):
        for seed in range(SEEDS):
            source = (base if number == 0 else caps)[seed % 2 + (0 if number == 0 else 2 * (number % 2))]
            share = round(0.002 * number, 4)
            row = dict(source)
            row["seed"] = seed
            row["hash"] = hashlib.sha256(f"{number}-{seed}".encode()).hexdigest()[:16]
            if number:
                row["label"] = f"commission_cap cap.share={share}"
                row["overrides"] = [
                    text if not text.startswith("interventions.cap.share") else f"interventions.cap.share={share}"
                    for text in source["overrides"]
                ]
            _copy(root / "few" / RUNS / source["hash"], target / RUNS / row["hash"], seed)
            made.append(row)
    made.sort(key=lambda row: str(row["hash"]))
    pq.write_table(pa.Table.from_pylist(made, schema=MANIFEST_SCHEMA), target / MANIFEST)
    shutil.rmtree(root / "few")
    return target


def _copy(source: Path, target: Path, seed: int) -> None:
    target.mkdir()
    for file in source.iterdir():
        if file.name not in ("run.parquet", "run.json", DONE):
            (target / file.name).hardlink_to(file)
    facts = pq.read_table(source / "run.parquet")
    column = facts.schema.get_field_index("seed")
    pq.write_table(facts.set_column(column, facts.schema.field(column), pa.array([seed],
        facts.schema.field(column).type)),
                   target / "run.parquet")  # fmt: skip
    said = json.loads((source / "run.json").read_text()) | {"seed": seed}
    (target / "run.json").write_text(json.dumps(said))
    (target / DONE).write_text("")


def measure(root: Path) -> dict[str, Any]:
    """Seconds from a choice until what is in view is drawn, until a screen further is, and of a jump to the end."""
    from playwright.sync_api import sync_playwright
    from werkzeug.serving import make_server

    from analysis.dashboard.app import make_app, warm
    from analysis.dashboard.library import Library

    library = Library(root)
    start = time.perf_counter()
    library.open("many", wait=True)
    first = time.perf_counter() - start
    start = time.perf_counter()
    library = Library(root)
    library.open("many", wait=True)
    again = time.perf_counter() - start
    warm(library)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, make_app(library).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    found: dict[str, list[float]] = {}
    sizes: dict[str, int] = {}
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        paints = []
        for _ in range(3):
            page = browser.new_context().new_page()
            page.goto(origin)
            page.wait_for_selector("#page > *")
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
            found.setdefault("first page with its text", []).append(page.evaluate("performance.now()") / 1000)
            page.close()
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.on("response", lambda got: sizes.update({"largest answer, bytes": max(
            sizes.get("largest answer, bytes", 0), int(got.headers.get("content-length") or 0)
            if "_dash-update" in got.url else 0)}))  # fmt: skip
        page.goto(origin)
        page.wait_for_selector("#page .js-plotly-plot")
        for pattern, values in CLICKS:
            for value in values:
                seen, drawn, jumped = page.evaluate(_GO, pattern.format(value))
                found.setdefault(f"{pattern}, in view", []).append(seen)
                found.setdefault(f"{pattern}, a screen further", []).append(drawn)
                found.setdefault(f"{pattern}, jump to the end", []).append(jumped)
        browser.close()
    server.shutdown()
    return {
        "runs": sum(1 for _ in (root / "many" / RUNS).iterdir()),
        "reading the store, without a summary": round(first, 2),
        "reading the store again": round(again, 2),
        "first contentful paint": round(statistics.median(paints), 2),
        **{name: {"median": round(statistics.median(values), 2), "worst": round(max(values), 2)}
           for name, values in found.items()},
        **sizes,
    }  # fmt: skip


_GO = """async (address) => {
  const start = performance.now();
  history.pushState({}, "", address);
  window.dispatchEvent(new PopStateEvent("popstate"));
  const wanted = location.pathname + location.search;
  const main = document.querySelector("#main").dataset;
  const until = (ready) => new Promise((done) => {
    const look = () => ready() ? requestAnimationFrame(done) : requestAnimationFrame(look);
    look();
  });
  await until(() => main.shown === wanted && main.seen === wanted);
  const seen = performance.now();
  await until(() => main.drawn === wanted);
  const drawn = performance.now();
  const shown = (one) => {
    const box = one.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight;
  };
  window.scrollTo(0, document.documentElement.scrollHeight);
  await until(() => [...document.querySelectorAll("[id^=figure-]")].filter(shown)
    .every((one) => one.dataset.drawn === wanted));
  const jumped = performance.now();
  window.scrollTo(0, 0);
  return [seen - start, drawn - start, jumped - drawn].map((took) => took / 1000);
}"""


def main() -> None:
    """Make the store, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--root", help="keep the store here, and use it again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(options.root or temporary)
        if not (root / "many").is_dir():
            store(root, options.runs)
        print(json.dumps(measure(root), indent=1))


if __name__ == "__main__":
    main()
