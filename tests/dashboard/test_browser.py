"""The pages in a real browser: figures drawn, no complaint on the console, no request to another machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.dashboard.app import render
from analysis.dashboard.jobs import FOLDER
from analysis.dashboard.library import Library
from analysis.dashboard.state import read
from sim.__main__ import main
from sim.sweep.jobfile import write_job
from tests.dashboard.conftest import TINY, Visit

CAP = "commission_cap cap.share=0.05"


def drawn(visit: Visit) -> dict[str, int]:
    """Traces with data of every figure that was drawn, by its id."""
    there = "location.pathname + location.search"
    visit.page.wait_for_function(f"document.querySelector('#main').dataset.drawn === {there}")
    for name in visit.page.evaluate("[...document.querySelectorAll('[id^=figure-]')].map(one => one.id)"):
        figure = f"document.getElementById('{name}')"  # the lower ones are drawn when they come near
        visit.page.evaluate(f"{figure}.scrollIntoView()")
        visit.page.wait_for_function(f"{figure}.dataset.drawn === {there}")
    found: dict[str, int] = visit.page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[id^=figure-]')].map(one => "
        "[one.id.slice(7), one.querySelector('.js-plotly-plot').data.length]))"
    )
    return found


COLUMNS = ("x", "y", "z", "q1", "median", "q3")
TOLD = """(columns) => {
  const total = (values) => Array.from(values || [])
    .flatMap(row => typeof row === "object" && row !== null ? Array.from(row) : [row])
    .filter(value => typeof value === "number" && !Number.isNaN(value)).reduce((sum, value) => sum + value, 0);
  const traces = (one) => one.querySelector(".js-plotly-plot")._fullData.filter(trace => trace.visible === true);
  return Object.fromEntries([...document.querySelectorAll("[id^=figure-]")].map(
    one => [one.id.slice(7), traces(one).map(trace => [...columns.map(name => total(trace[name])),
                                                       total((trace.link || {}).value)])]));
}"""


def sums(figure: go.Figure) -> list[list[float]]:
    """Sums of the numbers in each column of each trace."""

    def total(values: Any) -> float:
        flat = np.asarray([] if values is None else values).ravel().tolist()
        return float(sum(value for value in flat if isinstance(value, int | float) and value == value))

    shown = [trace for trace in figure.data if trace.visible in (None, True)]
    return [
        [
            *(total(getattr(trace, name, None) if name in trace else None) for name in COLUMNS),
            total(trace.link.value if trace.type == "sankey" else None),
        ]
        for trace in shown
    ]


@pytest.mark.parametrize(
    ("address", "figures"),
    [
        ("/", {"time", "funnel"}),
        ("/compare", {"forest"}),
        ("/gains", {"waterfall", "incidence", "money"}),
        ("/logistics", {"delivery", "stages", "warehouses", "use", "surge", "lanes"}),
        ("/network", {"concentration", "opinion", "friends"}),
        ("/explore", {"parallel", "pareto"}),
    ],
)
def test_each_page_draws_the_numbers_it_was_given(
    address: str, figures: set[str], visit: Visit, library: Library
) -> None:
    visit.go(address)
    found = drawn(visit)
    assert set(found) == figures
    assert all(found.values())
    told = visit.page.evaluate(TOLD, list(COLUMNS))
    for panel in render(read(address, ""), library).panels:
        expected = sums(panel.figure)
        assert any(any(row) for row in expected), panel.name
        assert len(told[panel.name]) == len(expected), panel.name
        for row, own in zip(told[panel.name], expected, strict=True):
            assert row == pytest.approx(own, rel=1e-6, abs=1e-6), panel.name
    assert visit.page.locator("h1").count() == 1
    assert visit.page.locator("nav a.current").count() == 1
    assert all(box.get_attribute("aria-label") for box in visit.page.locator("[role=img]").all())


def test_a_link_leads_to_the_same_view_again(visit: Visit) -> None:
    visit.go(f"/compare?scenario={CAP}&by=region&metric=orders&lang=zh&theme=dark".replace(" ", "%20"))
    assert drawn(visit) == {"forest": 4}
    assert visit.page.locator("html").get_attribute("lang") == "zh-Hans"
    assert visit.page.locator("html").get_attribute("data-theme") == "dark"
    assert visit.page.locator("tbody tr").count() == 6
    assert "\u4e1c\u5357\u4e9a" in visit.page.locator("table").inner_text()


def test_a_choice_goes_into_the_address_and_back(visit: Visit) -> None:
    visit.go("/compare")
    drawn(visit)
    visit.page.locator('[id=\'{"set":"by"}\']').click()
    visit.page.get_by_role("option", name="country").click()
    visit.page.wait_for_url("**/compare?by=country")
    visit.page.wait_for_function("document.querySelectorAll('tbody tr').length >= 15")
    visit.page.go_back()
    visit.page.wait_for_url("**/compare")
    visit.page.wait_for_function("document.querySelectorAll('tbody tr').length > 30")


def test_language_and_ground_switch_without_losing_the_view(visit: Visit) -> None:
    visit.go("/compare?by=region")
    visit.page.locator("#language").click()
    visit.page.wait_for_url("**lang=zh**")
    visit.page.wait_for_function("document.querySelector('h1').innerText === '\u6bd4\u8f83'")
    visit.page.locator("#theme").click()
    visit.page.wait_for_url("**theme=dark**")
    visit.page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert "by=region" in visit.page.url
    visit.page.locator("#language").click()
    visit.page.wait_for_function("document.querySelector('h1').innerText === 'Compare'")


def test_figures_are_saved_by_the_browser_itself(visit: Visit) -> None:
    visit.go("/compare")
    drawn(visit)
    with visit.page.expect_download() as svg:
        visit.page.locator("button[data-save=svg]").first.click()
    assert svg.value.suggested_filename == "figure-forest.svg"
    with visit.page.expect_download() as data:
        visit.page.get_by_role("link", name="CSV").click()
    assert data.value.suggested_filename == "compare.csv"


def test_a_phone_scrolls_no_page_sideways(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 800})
    for address in ("/", "/compare", "/model"):
        visit.go(address)
        visit.page.wait_for_timeout(150)
        wide = visit.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 392, address


def test_the_keyboard_reaches_content_first(visit: Visit) -> None:
    visit.go("/")
    visit.page.keyboard.press("Tab")
    assert "Skip" in visit.page.evaluate("document.activeElement.innerText")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_function("location.hash === '#main'")


@contextmanager
def server(root: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and where it listens."""
    command = [sys.executable, "-m", "sim", "dashboard", str(root), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            told = next(line for line in process.stdout if "http://" in line)
            address = re.search(r"http://[^/]+", told)
            assert address is not None
            yield process, address[0]
        finally:
            process.kill()


def test_a_run_outlives_a_killed_server_and_is_cancelled_from_the_next(visit: Visit, tmp_path: Path) -> None:
    """Started on one server's page, which is killed at once with -9; the next shows it at work, and cancels it."""
    asked = "/run?scenario_to_run=commission_cap&consumers=20000&days=200&warmup_days=0&seeds=4"  # outlasts this test
    state = "document.querySelector('.job .state')?.innerText"
    with server(tmp_path) as (process, visit.origin):
        visit.go(asked)
        assert "clashes" not in visit.page.locator("main").inner_text()
        visit.page.locator("#start").click()
        visit.page.wait_for_function(f"{state} === 'running'", timeout=90_000)
        name = visit.page.locator(".job strong").inner_text()
        visit.page.goto("about:blank")
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    with server(tmp_path) as (_, visit.origin):
        visit.go("/run")
        visit.page.wait_for_function("document.querySelector('.job')?.innerText.includes('of 8 runs')", timeout=90_000)
        assert visit.page.locator(".job strong").inner_text() == name
        assert visit.page.locator(".job .state").inner_text() == "running"
        job = visit.page.locator(".job").first
        assert job.locator("progress").count() == 1
        job.get_by_role("button").click()
        visit.page.wait_for_function(f"{state} === 'cancelled'", timeout=60_000)
        assert job.get_by_role("button").inner_text() == "Go on"
        visit.page.goto("about:blank")
    assert not any((tmp_path / FOLDER).glob("*.tmp*"))


def test_a_job_that_goes_on_lands_on_the_comparison(visit: Visit, finished: Path, tmp_path: Path) -> None:
    """A sweep killed before its end is shown as stopped; gone on with from the page, it ends on what it found."""
    shutil.copytree(finished / "caps", tmp_path / "caps")
    (tmp_path / FOLDER).mkdir()
    asked = [*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.10", "seed=1,2"]
    write_job(tmp_path / FOLDER / "caps.json", {"state": "running", "asked": 1.0, "overrides": asked})
    with server(tmp_path) as (_, visit.origin):
        visit.go("/run")
        visit.page.wait_for_function("document.querySelector('.job .state')?.innerText === 'stopped before its end'")
        visit.page.get_by_role("button", name="Go on: caps").click()
        visit.page.wait_for_url("**/compare?study=caps", timeout=90_000)
        visit.page.wait_for_selector("#figure-forest .main-svg", timeout=60_000)
        visit.page.goto("about:blank")


def test_fields_have_names_and_days_move_by_the_keyboard(visit: Visit) -> None:
    visit.go("/run?levers=tariff_reduction")
    visit.page.wait_for_selector(".field [role=slider]")
    names = visit.page.evaluate(
        "[...document.querySelectorAll('.field [role=slider]')].map(one => one.getAttribute('aria-label'))"
    )
    assert {"Points", "Strength", "First day", "Ends before day", "Reported days", "Seeds"} <= set(names)
    visit.go("/network")
    drawn(visit)
    day = "document.querySelector('#figure-friends .slider-labels, #figure-friends .slider-label')?.textContent"
    assert visit.page.evaluate(day) == "Day: 2023-01-10"
    visit.page.locator(".figure:has(#figure-friends)").focus()
    visit.page.keyboard.press("ArrowLeft")
    visit.page.wait_for_function(f"{day} === 'Day: 2023-01-08'")


def test_a_clash_bars_the_start(visit: Visit) -> None:
    visit.go("/run?scenario_to_run=commission_cap&levers=commission_cap")
    assert "clashes with interventions.cap" in visit.page.locator("[role=alert]").inner_text()
    assert visit.page.locator("#start").is_disabled()
    visit.page.get_by_role("link", name="Remove").click()
    visit.page.wait_for_function("document.querySelectorAll('[role=alert]').length === 0")
    assert visit.page.locator("#start").is_enabled()


def test_a_dark_report_of_a_sweep_opens_offline(browser: Any, finished: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    words = ["--out", str(file), "--theme", "dark", "--lang", "zh", "--size", "small"]
    assert main(["report", str(finished / "caps"), *words]) == 0
    context = browser.new_context(viewport={"width": 390, "height": 800}, offline=True)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else said.append(asked.url)
    )
    page.goto(file.as_uri())
    page.wait_for_function("[...document.querySelectorAll('.figure')].every(one => one.querySelector('.main-svg'))")
    drawn = set(page.evaluate("[...document.querySelectorAll('.figure')].map(one => one.id)"))
    assert {"concentration", "opinion", "friends", "parallel", "pareto", "stages", "use"} <= drawn
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 28, 35)"
    assert page.evaluate("document.querySelector('#friends')._transitionData._frames.length") == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 392
    context.close()
    assert said == []
