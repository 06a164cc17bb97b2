"""A results folder of tiny runs, a server over it, and a browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from analysis.dashboard.app import make_app
from analysis.dashboard.library import Library
from sim.engines import Inline
from sim.sweep.driver import drive
from sim.sweep.plan import plan_sweep

TINY = ("population.consumers=300", "firms.scale=0.1", "days=10", "warmup_days=0", "record=full")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with one sweep, `caps`: baseline and two caps, two seeds each."""
    root = tmp_path_factory.mktemp("results")
    plan = plan_sweep([*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.10", "seed=1,2"])
    drive(plan, root / "caps", Inline())
    return root


@pytest.fixture(scope="session")
def library(finished: Path) -> Library:
    """The folder, read."""
    found = Library(finished)
    found.open("caps", wait=True)
    return found


@dataclass
class Visit:
    """A page in a browser, and what it complained about."""

    page: Any
    origin: str
    faults: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def go(self, address: str) -> None:
        """Open an address and wait for the page."""
        self.page.goto(self.origin + address)
        self.page.wait_for_selector("#page > *")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with sync_api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def origin(library: Library) -> Iterator[str]:
    """A server over the folder, at a free port."""
    server = make_server("127.0.0.1", 0, make_app(library, hosts=frozenset({"127.0.0.1"})).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def visit(browser: Any, origin: str) -> Iterator[Visit]:
    """A fresh window; whatever it says on the console or asks of another machine fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(20_000)
    page = context.new_page()
    found = Visit(page, origin)
    page.on("console", lambda said: found.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.faults.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((found.origin, "data:", "blob:"))
            else found.outside.append(asked.url))  # fmt: skip
    yield found
    context.close()
    assert found.faults == []
    assert found.outside == []
