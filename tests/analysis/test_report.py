"""The page: complete, alone, and saying the numbers of the comparison."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analysis.comparison import Study, compare
from analysis.figures import EFFECTS
from analysis.figures_money import FUNDS, KEPT
from analysis.look import ENGLISH, METRIC_LABELS, percent
from analysis.metrics import METRICS
from analysis.report import PLOTLY_FILE, panels, write_comparison
from analysis.wording import HEADLINE, clearest, doubtful, scant, summary, sure, survives, verdict, written
from tests.analysis.synthetic import synthetic_study

PANELS = {
    "effects", "incidence", "waterfall", "waterfall1", "money", "funnel", "delivery", "stages", "places", "lanes",
    "warehouses", "use", "time", "concentration", "opinion",
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three scenarios, two seeds, sixty-two days."""
    return synthetic_study(tmp_path_factory.mktemp("runs"), seeds=2, days=62)


@pytest.fixture(scope="module")
def page(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The terminal's table and the page."""
    table, path = write_comparison(runs, tmp_path_factory.mktemp("page") / "made" / "report.html")
    return table, path.read_text(encoding="utf-8")


def test_every_metric_has_a_label() -> None:
    assert set(METRIC_LABELS) == set(METRICS)


def test_the_page_needs_nothing_from_the_network(page: tuple[str, str]) -> None:
    text = page[1]
    assert text.count("<script") == 2
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=[\"']?(https?:|//)", text)
    assert text.count("plotly.js v") >= 1


def test_the_page_holds_every_figure_and_question(page: tuple[str, str], runs: list[Path]) -> None:
    text = page[1]
    with Study(runs) as study:
        made = panels(study)
    assert {one.name for one in made} == PANELS
    for panel in made:
        assert f'id="{panel.name}"' in text
        assert panel.figure.data
    assert "What if platforms may keep no more than a tenth of a sale?" in text


def test_the_numbers_on_the_page_are_those_of_compare(page: tuple[str, str], runs: list[Path]) -> None:
    with Study(runs) as study:
        entries = compare(study, names=["gmv_usd", "late_share"])
    for entry in entries:
        assert written(entry["metric"], entry["difference"], True) in page[1]
        assert written(entry["metric"], entry["difference"], True) in page[0]


def test_what_rests_on_the_first_days_alone_is_shown_and_not_said(page: tuple[str, str], runs: list[Path]) -> None:
    """Of 62 days the orders of three are old enough for returns: their share is that of the orders, nearly."""
    with Study(runs) as study:
        entries = compare(study)
    assert {entry["metric"] for entry in entries if scant(entry)} == {
        "return_rate", "dispute_rate", "complaint_rate", "repurchase_rate",
    }  # fmt: skip
    returned = next(entry for entry in entries if entry["metric"] == "return_rate")
    matured = next(entry for entry in entries if entry["metric"] == "matured_share")
    assert returned["rests_on"] == 3 / 62 == pytest.approx(matured["base_value"], rel=0.5)
    assert verdict(returned | {"low": 0.01, "high": 0.02, "p_holm": 0.0}) == "calm"
    for text in page:
        assert "4.8\u00a0% of the period" in text
        assert written("return_rate", returned["difference"], True) in text
    for entry in entries:
        assert not (scant(entry) and entry in clearest(entries, entry["scenario"]))


def test_the_page_marks_what_the_correction_does_not_bear_out(page: tuple[str, str], runs: list[Path]) -> None:
    with Study(runs) as study:
        entries = compare(study)
        made = panels(study)
    marked = [entry for entry in entries if doubtful(entry)]
    assert marked
    assert len(re.findall(r'<td class="\w+ doubt">', page[1])) == len(marked) + sum(
        entry["metric"] in HEADLINE for entry in marked
    )
    family = max(
        sum(entry["p_value"] is not None for entry in entries if entry["scenario"] == name)
        for name in ("tariff_reduction", "commission_cap")
    )
    assert 30 < family <= len(METRICS)
    line = f"?: not once corrected (Holm) for the {family} changes of a scenario tested together."
    assert all(line in text for text in page)
    at_once = next(panel.reading for panel in made if panel.name == "effects")
    drawn = [entry for entry in entries if entry["metric"] in EFFECTS and entry["relative"] is not None]
    assert at_once == (
        f"{len(drawn)} changes are drawn. At 95 %, {sum(map(sure, drawn))} can be told from zero each taken by "
        f"itself, {sum(map(survives, drawn))} still once corrected (Holm) for the {family} changes of a scenario "
        "tested together."
    )


def test_a_headline_says_flatly_only_what_the_correction_bears_out() -> None:
    about = {
        "scenario": "cap",
        "low": 1.0,
        "high": 3.0,
        "difference": 2.0,
        "rests_on": 1.0,
        "p_value": 0.001,
        "seeds": 4,
    }
    sales = about | {"metric": "gmv_usd", "relative": 0.1, "p_holm": 0.01}
    orders = about | {"metric": "orders", "relative": 0.2, "p_holm": 0.3}
    assert summary([sales], "cap") == "moves live sales (GMV) +10.0\u00a0%."
    assert summary([orders, sales], "cap") == (
        "moves live sales (GMV) +10.0\u00a0%. By themselves, but not once corrected (Holm) for the 2 metrics "
        "tested: live orders +20.0\u00a0%."
    )
    assert summary([orders], "cap").startswith("moves none of the metrics below beyond doubt. By themselves")
    assert summary([orders | {"rests_on": 0.1}], "cap") == "moves none of the metrics below by more than chance would."
    assert summary([orders | {"low": None, "high": None, "p_value": None, "p_holm": None}], "cap") == (
        "moves none of the metrics below by more than chance would."
    )


def test_money_flows_balance(runs: list[Path]) -> None:
    """At every group as much flows in as out; what is kept in all is what funds gave."""
    with Study(runs) as study:
        figure = next(panel.figure for panel in panels(study) if panel.name == "money")
    assert len(figure.data) == 3
    for sankey in figure.data:
        inflow, outflow = dict.fromkeys(range(KEPT + 1), 0.0), dict.fromkeys(range(KEPT + 1), 0.0)
        for payer, payee, value in zip(sankey.link.source, sankey.link.target, sankey.link.value, strict=True):
            outflow[payer] += value
            inflow[payee] += value
        for node in range(FUNDS):
            assert inflow[node] == pytest.approx(outflow[node], rel=1e-9)
        assert inflow[KEPT] == pytest.approx(outflow[FUNDS], rel=1e-9)
        assert inflow[FUNDS] == outflow[KEPT] == 0
        assert outflow[0] > 0
        assert inflow[7] > 0  # consumers pay, treasuries receive


def test_a_small_page_shares_plotly(runs: list[Path], tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        write_comparison(runs, tmp_path / name, size="small")
    assert {path.name for path in tmp_path.iterdir()} == {"one.html", "two.html", PLOTLY_FILE}
    text = (tmp_path / "one.html").read_text(encoding="utf-8")
    assert f'<script src="{PLOTLY_FILE}">' in text
    assert len(text) < 1_000_000


def test_colours_only_where_one_way_is_better() -> None:
    entry = {"metric": "late_share", "low": 0.01, "high": 0.02, "difference": 0.015, "rests_on": 1.0}
    assert verdict(entry) == "bad"
    assert verdict(entry | {"low": -0.01}) == "calm"
    assert verdict(entry | {"low": None, "high": None}) == "calm"
    assert verdict(entry | {"rests_on": 0.2}) == "calm"
    assert verdict(entry | {"metric": "government_revenue_usd"}) == "moved"
    assert verdict(entry | {"metric": "payment_success_rate"}) == "good"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_a_real_browser_draws_every_figure_offline(page: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page[1], encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --virtual-time-budget=10000 --enable-logging=stderr --dump-dom"
    ).split()
    found = subprocess.run(
        ["chromium", *flags, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert set(re.findall(r'class="figure js-plotly-plot" id="(\w+)"', found.stdout)) == PANELS
    assert "CONSOLE" not in found.stderr, found.stderr


def test_numbers_in_words() -> None:
    assert ENGLISH.money(1.234e9) == "1.23\u00a0bn"
    assert ENGLISH.money(-3.1e8, True) == "\u2212310\u00a0m"
    assert percent(0.035) == "3.5\u00a0%"
    assert written("late_share", 0.0, True) == "0.00\u00a0pp"
    assert written("aov_usd", -0.001, True) == "0.00"
    assert written("aov_usd", None) == "\u2013"
