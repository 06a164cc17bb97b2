"""An intervention of no strength does not exist, and one that has not started has not started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.interventions import known_kinds
from sim.world import World
from tests.world.conftest import DAYS
from tests.world.worlds import differing, run_days, tables_of, tiny, with_row

KINDS = sorted(known_kinds())
BEGIN = 3
MONEY_FIRST = {"compliance_relief"}  # their cause is money; what firms make of it takes months
# they act on disputes, spoilt parcels and breaches, of which a tiny world has none in so few days: see test_causes; or
# on what firms reckon with when they next review what they do, which is months away: see test_causes_of_firms
SELDOM = {
    "cold_chain_upgrade", "dispute_resolution_agreement", "fulfilment_insurance", "global_warranty",
    "smart_customer_service", "zero_trust_security", "platform_api_opening", "virtual_streamer",
}  # fmt: skip
# sellers take up what is offered once a month, and not all at once: see tests/firms/test_technology.py
CHOSEN = {name for name, kind in known_kinds().items() if kind.row.adoption == "offered" and kind.row.chosen}


@pytest.mark.parametrize("kind", KINDS)
def test_zero_strength_changes_nothing_at_all(kind: str, baseline: World, tmp_path: Path) -> None:
    world = tiny("baseline", *with_row("lever", kind, "strength=0"))
    world.run()
    assert differing(tables_of(world, tmp_path / kind), tables_of(baseline, tmp_path / "baseline")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_zero_strength_leaves_every_array_alone(kind: str, baseline_days: Sequence[dict[str, str]]) -> None:
    world = tiny("baseline", f"days={DAYS}", *with_row("lever", kind, "strength=0.0", "start=1"))
    assert differing(run_days(world, DAYS)[-1], baseline_days[-1]) == []


# the largest host of a tiny world may have few followers: the news is about a platform instead; a slightly better match
# sends none of its few viewers to another room: the largest declared one does
SETTINGS = {"scandal": ("channel=-0.6",), "federated_learning": ("precision=0.5",)}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_moves_before_the_first_day_and_something_after(
    kind: str, baseline_days: Sequence[dict[str, str]]
) -> None:
    world = tiny("baseline", f"days={DAYS}", *with_row("lever", kind, f"start={BEGIN}", *SETTINGS.get(kind, ())))
    days = run_days(world, DAYS)
    for day in range(BEGIN):
        assert differing(days[day], baseline_days[day]) == [], f"after day {day}"
    moved = {
        name for name in differing(days[-1], baseline_days[-1]) if kind in MONEY_FIRST or not name.startswith("ledger")
    }
    assert moved or kind in SELDOM | CHOSEN, "a row at full strength moves something besides money"
