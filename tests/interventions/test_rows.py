"""Every shipped row composes, moves the causes it names, in its scope only, and as far as its strength says."""

from __future__ import annotations

import numpy as np
import pytest

from sim.draws import Draws, Purpose
from sim.interventions import InterventionBook, known_kinds
from sim.interventions.base import COVERED
from sim.kinds import COUNTRIES
from sim.rules import LEAVES
from tests.interventions.helpers import DAY, Run, Said, baseline, book, changed

KINDS = sorted(known_kinds())


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_moves_the_causes_it_names_and_nothing_else(kind: str) -> None:
    one = book(lever={"kind": kind})
    named = {change.leaf for change in one.interventions[0].changes}
    rules = one.rules_on(DAY)
    assert changed(one.baseline, rules) == named
    untouched = set(LEAVES) - named
    groups = {path.split(".")[0] for path in untouched} - {path.split(".")[0] for path in named}
    assert all(getattr(rules, group) is getattr(one.baseline, group) for group in groups)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_strength_changes_nothing_and_costs_nothing(kind: str) -> None:
    one = book(lever={"kind": kind, "strength": 0.0, "start": 2})
    said = Said()
    for day in range(DAY, DAY + 60):
        assert one.rules_on(day) is one.baseline
        assert one.costs(day) == []
        assert one.active_on(day) == ()
        one.act(said, day)
    assert said.calls == []


@pytest.mark.parametrize("kind", KINDS)
def test_half_strength_lies_between_nothing_and_full(kind: str) -> None:
    full = book(lever={"kind": kind}).rules_on(DAY)
    half_book = book(lever={"kind": kind, "strength": 0.5})
    half, none = half_book.rules_on(DAY), half_book.baseline
    for path in changed(none, full):
        leaf = LEAVES[path]
        before, between, after = (np.asarray(r.get(path), dtype=np.float64) for r in (none, half, full))
        if leaf.flag:
            share = np.mean(between != before)
            assert 0.35 <= share <= 0.65
            assert np.all((between == before) | (between == after))
            continue
        moved = before != after
        if leaf.mode == "bound":  # from the highest value asked, not from no cap at all
            before = np.asarray(none.in_force[path], dtype=np.float64)
        assert np.allclose(between[moved], (before + after)[moved] / 2, atol=1e-6)


def test_a_cap_at_half_strength_starts_from_what_is_asked_at_baseline() -> None:
    rules = book(lever={"kind": "commission_cap", "share": 0.1, "strength": 0.5}).rules_on(DAY)
    assert np.allclose(rules.commission.cap[:8], 0.15)
    assert np.all(rules.commission.cap[8:] == 1.0)  # the shelf and brand sites are not platforms


def test_a_cap_above_everything_asked_does_not_bite() -> None:
    rules = book(lever={"kind": "commission_cap", "share": 0.3, "strength": 0.5}).rules_on(DAY)
    assert np.all(rules.commission.cap[:8] >= np.float32(0.3))


def test_a_coverage_counts_the_share_of_adopters() -> None:
    rules = book(lever={"kind": "return_guarantee", "scope": {"adopters": 0.25}}).rules_on(DAY)
    assert np.allclose(rules.guarantee.coverage[:8], 0.25)


def test_an_offered_lever_reaches_those_who_take_it() -> None:
    offered = book(lever={"kind": "ad_disclosure", "coverage": 1.0, "adoption": "offered", "uptake": 0.3})
    assert np.allclose(offered.rules_on(DAY).disclosure.coverage, 0.3)


def test_scope_holds_on_every_axis() -> None:
    one = book(
        tariff={
            "kind": "tariff_reduction",
            "scope": {"countries": ["VN"], "regions": ["europe"], "categories": ["home"]},
        }
    )
    rules = one.rules_on(DAY)
    moved = rules.tariff.duty_rate != one.baseline.tariff.duty_rate
    assert {COUNTRIES[c] for c in np.nonzero(moved)[0]} == {"VN", "DE", "FR", "GB", "ES", "PL"}
    assert set(np.nonzero(moved)[1]) == {2}


def test_a_country_scope_reaches_its_own_warehouse_and_carriers() -> None:
    closed = book(shut={"kind": "warehouse_closure", "scope": {"countries": ["US"]}}).rules_on(DAY)
    assert np.flatnonzero(closed.warehousing.open == 0).tolist() == [4]
    origin = book(shut={"kind": "warehouse_closure", "scope": {"warehouses": ["origin_2"]}}).rules_on(DAY)
    assert np.flatnonzero(origin.warehousing.open == 0).tolist() == [1]
    halted = book(stop={"kind": "carrier_suspended", "scope": {"carriers": ["CA_2"]}}).rules_on(DAY)
    assert np.flatnonzero(halted.carrier.open == 0).tolist() == [3]


def test_overseas_warehouses_build_nothing_in_china() -> None:
    rules = book(lever={"kind": "overseas_warehouse"}).rules_on(DAY)
    assert np.all(rules.warehousing.capacity_factor[:4] == 1.0)
    assert np.allclose(rules.warehousing.capacity_factor[4:], 1.5)


def test_language_pairs_are_ordered_and_never_reach_one_language_alone() -> None:
    rules = book(lever={"kind": "ai_translation", "scope": {"language_pairs": [["zh", "en"], ["en", "*"]]}}).rules_on(
        DAY
    )
    quality = rules.language.translation
    assert quality[0, 1] == np.float32(0.7)
    assert quality[1, 0] == np.float32(0.7)  # by the second pair
    assert quality[0, 2] == 0.0
    assert np.all(np.diag(quality) == 0.0)
    assert np.count_nonzero(quality) == quality.shape[0]


def test_a_keyed_pick_is_nested_in_strength() -> None:
    few = book(shut={"kind": "warehouse_closure", "strength": 0.3}).rules_on(DAY).warehousing.open == 0
    more = book(shut={"kind": "warehouse_closure", "strength": 0.7}).rules_on(DAY).warehousing.open == 0
    assert few.sum() < more.sum()
    assert np.all(more[few])


def test_one_parameter_of_a_group_displaces_the_other() -> None:
    rules = book(lever={"kind": "tariff_reduction", "to": 0.03}).rules_on(DAY)
    assert np.allclose(rules.tariff.duty_rate, 0.03)
    assert np.allclose(rules.tariff.bulk_duty_rate, 0.03)


def test_no_duty_falls_below_zero() -> None:
    rules = book(lever={"kind": "tariff_reduction", "points": 0.5}).rules_on(DAY)
    assert np.all(rules.tariff.duty_rate == 0.0)


def test_levers_that_share_a_leaf_say_they_cannot_be_told_apart() -> None:
    rows = known_kinds()
    for name, kind in rows.items():
        leaves = {change.leaf for change in kind.row.changes}
        for other, second in rows.items():
            if other != name and leaves & {change.leaf for change in second.row.changes}:
                assert other in kind.row.not_separately_identified


def test_the_pick_of_a_share_is_keyed_by_the_seed() -> None:
    assert Purpose.COVERED == COVERED
    row = {"shut": {"kind": "warehouse_closure", "strength": 0.5}}

    def closed(seed: int) -> list[int]:
        rules = InterventionBook(Run(row), baseline(), draws=Draws(seed)).rules_on(DAY)
        return np.flatnonzero(rules.warehousing.open == 0).tolist()

    assert closed(1) == closed(1)
    assert len({tuple(closed(seed)) for seed in range(4)}) > 1
