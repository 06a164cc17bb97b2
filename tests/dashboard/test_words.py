"""Every text a reader meets is in the Chinese table, with the same places to fill in."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.chinese import CHINESE
from analysis.chinese_questions import QUESTIONS
from analysis.dashboard.app import _NAMES, TITLE
from analysis.dashboard.explore import SHARE_NAMES
from analysis.dashboard.run import DATES, STATES
from analysis.figures_discovery import MEASURE_NAMES
from analysis.figures_goods import _ROUTES, _STAGES, _WAITS
from analysis.figures_money import _ENDS, NODES
from analysis.figures_network import COLOURED_BY
from analysis.look import CATEGORY_NAMES, COUNTRY_NAMES, GROUP_LABELS, METRIC_LABELS, REGION_NAMES, Look, pretty
from analysis.metrics import METRICS
from analysis.wording import sentence
from sim.config import list_scenarios, scenario_words
from sim.experiment import configure, levers
from sim.record.schema import MoneyPurpose

ROOT = Path(__file__).resolve().parents[2] / "analysis"
SOURCES = [*ROOT.glob("dashboard/*.py"), *ROOT.glob("figures*.py"), ROOT / "report.py", ROOT / "wording.py"]


def constants(node: ast.expr) -> Iterator[str]:
    """Texts an argument can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def said(path: Path) -> set[str]:
    """Texts handed to `t(...)` in a source."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {
        text for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "t"
        for text in constants(call.args[0])
    }  # fmt: skip


def everything() -> set[str]:
    """All texts in English."""
    found = {text for path in SOURCES for text in said(path)}
    for names in (CATEGORY_NAMES, COUNTRY_NAMES, GROUP_LABELS, METRIC_LABELS, REGION_NAMES, _NAMES):
        found |= set(names.values())
    units = {metric.unit for metric in METRICS.values()} - {"share", "0-1", "orders", "visits", "day"}
    found |= {TITLE, "days", *units, *NODES, *_ENDS, *_ROUTES, *_STAGES.values(), *_WAITS.values()}
    found |= {pretty(purpose.name.lower()) for purpose in MoneyPurpose}
    found |= {*STATES.values(), *DATES.values(), *COLOURED_BY.values(), *SHARE_NAMES.values(), *MEASURE_NAMES.values()}
    found |= {"most is gained by {group} ({money} USD)", "most is lost by {group} ({money} USD)"}
    found |= {": better.", ": worse.", "."}
    return found


def shipped() -> set[str]:
    """Names of scenarios and festivals, titles of levers; one that lacks its Chinese is shown in English."""
    festivals = {pretty(name) for name in configure().geography.times.festivals}
    return {pretty(name) for name in list_scenarios([])} | {kind["title"] for kind in levers().values()} | festivals


def test_no_text_lacks_its_chinese() -> None:
    assert sorted(everything() - set(CHINESE)) == []


def test_every_shipped_question_is_asked_in_chinese_too() -> None:
    known = list_scenarios([])
    asked = {scenario_words(path, known)["question"] for path in known.values()}
    assert sorted(asked) == sorted(QUESTIONS)
    for text in asked:
        assert Look("zh").question(text) == (QUESTIONS[text], "zh")
        assert Look("en").question(text) == (text, "en")
    assert Look("zh").question("What if?") == ("What if?", "en")


@pytest.mark.long
def test_no_scenario_or_lever_lacks_its_chinese() -> None:
    assert sorted(shipped() - set(CHINESE)) == []


def test_no_chinese_is_left_over() -> None:
    assert sorted(set(CHINESE) - everything() - shipped()) == []


@pytest.mark.parametrize("text", sorted(CHINESE))
def test_both_have_the_same_places_to_fill_in(text: str) -> None:
    def fields(words: str) -> list[str]:
        return sorted(f"{name}:{spec}" for _, name, spec, _ in string.Formatter().parse(words) if name is not None)

    assert fields(text) == fields(CHINESE[text])
    assert CHINESE[text].strip()


def test_sentences_have_units_and_small_letters() -> None:
    entry = {"scenario": "cap", "metric": "delivery_days_p50", "base_value": 4.0, "value": 5.0, "difference": 1.0,
             "relative": 0.25, "low": 0.8, "high": 1.2, "p_holm": 0.01, "rests_on": 1.0, "seeds": 8}  # fmt: skip
    assert sentence(entry) == (
        "Cap raises delivery, median by 25.0\u00a0% (20.0\u00a0% to 30.0\u00a0%), that is +1.00\u00a0days: worse."
    )
    assert sentence({**entry, "p_holm": 0.2}).endswith("; this does not survive the correction (Holm) for all that is "
                                                       "tested.")  # fmt: skip
    assert sentence({**entry, "rests_on": 1 / 60}) == (
        "Cap: delivery, median changes by +1.00\u00a0days, but this rests on 1.7\u00a0% of the period: too "
        "little to go by."
    )
    alike = {**entry, "low": None, "high": None, "p_holm": None}
    assert sentence(alike) == (
        "Cap: delivery, median changes by +1.00\u00a0days in each of the 8 seeds alike, which gives no interval."
    )
    assert "in the one seed there is" in sentence({**alike, "seeds": 1})
    assert "\u00a0USD)" in sentence({**entry, "metric": "gmv_usd", "low": -1.0})
    assert "+1.00天" in sentence(entry, Look("zh"))
    assert [Look().lower(text) for text in ("Treasury of China", "VAT collected", "CO\u2082 emissions")] == [
        "treasury of China", "VAT collected", "CO\u2082 emissions",
    ]  # fmt: skip


def test_long_names_fold_in_figures() -> None:
    label = "commission_cap port.kind=port_closure port.start=30 port.end=40"
    lines = Look().legend(label).split("<br>")
    assert " ".join(lines) == Look().scenario(label)
    assert max(map(len, lines)) <= 34
    assert Look().legend("baseline") == "Baseline"


def test_a_look_speaks_both() -> None:
    assert Look("en").metric("gmv_usd") == METRIC_LABELS["gmv_usd"]
    assert Look("zh").metric("gmv_usd") == CHINESE[METRIC_LABELS["gmv_usd"]]
    assert Look("zh").money(1.24e9) == "12.4\u4ebf"
    assert Look("zh").scenario("commission_cap share=0.05").endswith(" share=0.05")
