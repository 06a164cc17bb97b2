"""The pages in a real browser: figures drawn, no complaint on the console, no request to another machine."""

from __future__ import annotations

import pytest

from analysis.dashboard.jobs import FOLDER
from analysis.dashboard.library import Library
from tests.dashboard.conftest import Visit

CAP = "commission_cap cap.share=0.05"


def drawn(visit: Visit) -> dict[str, int]:
    """Traces with data of every figure that was drawn, by its id."""
    visit.page.wait_for_function(
        "[...document.querySelectorAll('[id^=figure-]')].length > 0 && "
        "[...document.querySelectorAll('[id^=figure-]')].every(one => one.querySelector('.main-svg'))"
    )
    found: dict[str, int] = visit.page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[id^=figure-]')].map(one => "
        "[one.id.slice(7), one.querySelector('.js-plotly-plot').data.length]))"
    )
    return found


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
def test_each_page_draws_its_figures(address: str, figures: set[str], visit: Visit) -> None:
    visit.go(address)
    found = drawn(visit)
    assert set(found) == figures
    assert all(found.values())
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


def test_a_run_is_started_watched_and_cancelled(visit: Visit, library: Library) -> None:
    """The page shows what the job's file says; the job is this machine's real sweep."""
    visit.go("/run?scenario_to_run=commission_cap&consumers=2000&days=60&warmup_days=0&seeds=4")
    assert "clashes" not in visit.page.locator("main").inner_text()
    visit.page.locator("#start").click()
    job = visit.page.locator(".job").first
    job.wait_for()
    visit.page.wait_for_function("document.querySelector('.job .state')?.innerText === 'running'", timeout=90_000)
    visit.page.wait_for_function("document.querySelector('.job')?.innerText.includes('of 8 runs')", timeout=90_000)
    assert job.locator("progress").count() == 1
    job.get_by_role("button").click()
    visit.page.wait_for_function("document.querySelector('.job .state')?.innerText === 'cancelled'", timeout=60_000)
    assert job.get_by_role("button").inner_text() == "Go on"
    assert "commission_cap-" in visit.page.locator(".job").inner_text()
    assert not any((library.root / FOLDER).glob("*.tmp*"))


def test_a_clash_bars_the_start(visit: Visit) -> None:
    visit.go("/run?scenario_to_run=commission_cap&levers=commission_cap")
    assert "clashes with interventions.cap" in visit.page.locator("[role=alert]").inner_text()
    assert visit.page.locator("#start").is_disabled()
    visit.page.get_by_role("link", name="Remove").click()
    visit.page.wait_for_function("document.querySelectorAll('[role=alert]').length === 0")
    assert visit.page.locator("#start").is_enabled()
