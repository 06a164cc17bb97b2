"""Every shipped scenario loads, asks something, and pulls what it says."""

from __future__ import annotations

import pytest

from sim.config import list_scenarios
from sim.errors import ConfigError
from sim.experiment import configure
from sim.interventions import InterventionBook, check, known_kinds
from sim.rules import Rules
from tests.interventions.helpers import Said

SCENARIOS = sorted(list_scenarios())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_loads_and_has_a_question(name: str) -> None:
    cfg = configure(name)
    assert cfg.scenario.question.endswith("?")
    assert check(cfg) == ()
    if name == "baseline" or cfg.growth.adoption.spreads:
        assert cfg.interventions == {}
        return
    assert cfg.scenario.compared_to in SCENARIOS
    assert cfg.interventions
    baseline = Rules.baseline(cfg)
    book = InterventionBook(cfg, baseline)
    first = min(one.first_day for one in book.interventions)
    days = range(first, first + 5)
    said, before = Said(), Said()
    for day in days:
        book.act(said, day)
    book.act(before, first - 1)
    assert said.calls or any(book.rules_on(day) is not baseline for day in days)
    assert book.rules_on(first - 1) is baseline
    assert before.calls == []


def test_every_row_has_a_scenario() -> None:
    pulled = {one["kind"] for name in SCENARIOS for one in configure(name).interventions.values()}
    assert pulled == set(known_kinds())


def test_a_row_is_added_and_changed_on_the_command_line() -> None:
    added = ["+interventions.cap.kind=commission_cap", "+interventions.cap.share=0.12", "days=40"]
    cfg = configure("baseline", [*added, "+interventions.cap.scope.platforms=[tiktok_shop]"])
    rules = InterventionBook(cfg, Rules.baseline(cfg)).interventions[0]
    assert rules.values == {"share": 0.12}
    assert rules.entry.scope.platforms == ("tiktok_shop",)
    changed = configure("commission_cap", ["interventions.cap.share=0.05", "interventions.cap.start=2023-06-01"])
    assert InterventionBook(changed, Rules.baseline(changed)).interventions[0].values == {"share": 0.05}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("+interventions.cap.kind=comission_cap", "did you mean 'commission_cap'"),
        ("+interventions.cap={kind: commission_cap, shares: 0.1}", "did you mean 'share'"),
        ("+interventions.cap={kind: commission_cap, start: 400}", "outside the run of 365 days"),
    ],
)
def test_a_bad_row_on_the_command_line_is_told_as_such(override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        configure("baseline", [override])
    assert "command line" in str(error.value)
