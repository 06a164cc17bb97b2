"""Dates, ramps, hours, costs and the order of interventions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.errors import ConfigError
from sim.interventions import InterventionBook, Promotion, check
from sim.kinds import DAY_SECONDS
from tests.interventions.helpers import DAY, Run, Said, baseline, book


def test_rules_are_the_same_object_while_nothing_changes() -> None:
    one = book(cap={"kind": "commission_cap", "start": 10, "end": 20})
    before, during, after = one.rules_on(DAY + 9), one.rules_on(DAY + 10), one.rules_on(DAY + 20)
    assert before is one.baseline
    assert after is one.baseline
    assert during is not one.baseline
    assert all(one.rules_on(DAY + day) is during for day in range(10, 20))
    assert one.rules_on(DAY - 50) is one.baseline  # warm-up


def test_the_baseline_is_never_written() -> None:
    one = book(cap={"kind": "commission_cap"})
    kept = one.baseline.commission.cap.copy()
    one.rules_on(DAY)
    assert np.array_equal(one.baseline.commission.cap, kept)
    with pytest.raises(ValueError, match="read-only"):
        one.baseline.commission.cap[0, 0] = 0.5


def test_dates_may_be_iso_and_an_end_beyond_the_run_is_clipped_and_told() -> None:
    one = book(cap={"kind": "commission_cap", "start": "2023-01-11", "end": "2024-01-01"})
    assert one.rules_on(DAY + 9) is one.baseline
    assert one.rules_on(DAY + 10) is not one.baseline
    assert one.rules_on(DAY + 59) is not one.baseline
    assert one.rules_on(DAY + 60) is one.baseline
    assert len(one.notes) == 1
    assert "clipped" in one.notes[0]


def test_a_ramp_grows_in_equal_steps() -> None:
    one = book(tariff={"kind": "tariff_reduction", "points": 0.1, "start": 5, "ramp": 4})
    rates = [float(one.rules_on(DAY + day).tariff.duty_rate[0, 0]) for day in range(4, 11)]
    assert np.allclose(rates, [0.12, 0.095, 0.07, 0.045, 0.02, 0.02, 0.02])


def test_whole_days_are_said_by_the_rules_and_hours_by_the_verb() -> None:
    one = book(
        shut={"kind": "warehouse_closure", "start": 10.25, "end": "2023-01-13T06:00", "scope": {"warehouses": ["US"]}}
    )
    said = Said()
    for day in range(DAY, DAY + 20):
        one.act(said, day)
    start = (DAY + 10) * DAY_SECONDS
    assert said.calls == [
        ("close_warehouses", [4], start + DAY_SECONDS // 4, start + DAY_SECONDS),
        ("close_warehouses", [4], start + 2 * DAY_SECONDS, start + 2 * DAY_SECONDS + 6 * 3600),
    ]
    assert one.rules_on(DAY + 10) is one.baseline
    assert np.flatnonzero(one.rules_on(DAY + 11).warehousing.open == 0).tolist() == [4]
    assert one.rules_on(DAY + 12) is one.baseline


def test_each_closing_verb_aims_at_its_scope() -> None:
    said = Said()
    one = book(
        pay={
            "kind": "payment_outage",
            "start": 3.5,
            "end": 3.75,
            "scope": {"countries": ["SA"], "payment_methods": ["card", "ewallet"]},
        },
        ship={"kind": "carrier_suspended", "start": 3.5, "end": 3.75, "scope": {"countries": ["CA"]}},
    )
    one.act(said, DAY + 3)
    start = (DAY + 3) * DAY_SECONDS
    window = (start + DAY_SECONDS // 2, start + 3 * DAY_SECONDS // 4)
    assert said.calls == [("stop_payments", [13, 13], [0, 1], *window), ("suspend_carriers", [2, 3], *window)]
    assert one.rules_on(DAY + 3) is one.baseline


def test_a_surge_on_shows_is_a_promotion_and_leaves_needs_alone() -> None:
    said = Said()
    one = book(
        buzz={
            "kind": "demand_surge", "audience_factor": 5.0, "strength": 0.5, "start": 2, "end": 3,
            "scope": {"streamer_ranks": [1, 3], "platforms": ["tiktok_shop"]},
        }
    )  # fmt: skip
    assert one.rules_on(DAY + 2).demand.need_factor is one.baseline.demand.need_factor
    one.act(said, DAY + 2)
    one.act(said, DAY + 3)
    ((verb, promotion),) = said.calls
    assert verb == "promote_shows"
    assert isinstance(promotion, Promotion)
    assert promotion.factor == 3.0
    assert promotion.ranks == (1, 3)
    assert np.flatnonzero(promotion.platforms).tolist() == [1]
    assert promotion.countries.all()


def test_costs_fall_on_who_pays_and_shrink_with_strength() -> None:
    whole = book(cap={"kind": "commission_cap", "start": 10, "end": 20, "scope": {"platforms": ["tiktok_shop"]}})
    assert whole.costs(DAY + 9) == []
    assert whole.costs(DAY + 20) == []
    (first,) = whole.costs(DAY + 10)
    (second,) = whole.costs(DAY + 11)
    assert (first.payer, first.index, first.purpose) == ("platform", 1, "compliance")
    assert first.cents == (200_000 + 1_000) * 100
    assert second.cents == 1_000 * 100
    half = book(cap={"kind": "commission_cap", "strength": 0.5, "scope": {"platforms": ["tiktok_shop"]}})
    assert half.costs(DAY + 1)[0].cents == 500 * 100


def test_costs_add_up_in_a_scaled_world_and_under_a_ramp() -> None:
    run = Run({"stock": {"kind": "smart_warehousing", "ramp": 7, "scope": {"warehouses": ["SG"]}}})
    one = InterventionBook(run, baseline(), weight=62_300.0)
    cents = sum(cost.cents for day in range(DAY, DAY + 60) for cost in one.costs(day))
    real = 2_000_000 + 3_000 * (53 + 4)  # the ramp's seven days count as (1 + ... + 7) / 7 = 4
    assert abs(cents - 100 * real / 62_300) <= 0.5


def test_two_on_one_cause_clash_by_name_unless_both_stack() -> None:
    rows: dict[str, dict[str, Any]] = {
        "first": {"kind": "tariff_reduction", "points": 0.02, "scope": {"regions": ["southeast_asia"]}},
        "second": {"kind": "tariff_reduction", "points": 0.03, "scope": {"countries": ["VN"]}},
    }
    with pytest.raises(
        ConfigError, match=r"interventions\.second: clashes with interventions\.first.*tariff\.duty_rate"
    ):
        book(**rows)
    with pytest.raises(ConfigError, match="clashes"):
        book(first=rows["first"] | {"stack": True}, second=rows["second"])
    stacked = book(**{name: row | {"stack": True} for name, row in rows.items()}).rules_on(DAY)
    assert np.allclose(stacked.tariff.duty_rate[8], 0.07)  # VN
    assert np.allclose(stacked.tariff.duty_rate[7], 0.10)  # ID


def test_no_clash_where_scopes_or_days_are_apart_or_one_has_no_strength() -> None:
    tariff = {"kind": "tariff_reduction"}
    book(first=tariff | {"scope": {"countries": ["US"]}}, second=tariff | {"scope": {"countries": ["CA"]}})
    book(first=tariff | {"end": 10}, second=tariff | {"start": 10})
    book(first=tariff, second=tariff | {"strength": 0.0})
    book(first=tariff, second={"kind": "commission_cap"})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"kind": "comission_cap"}, ["unknown intervention 'comission_cap'", "did you mean 'commission_cap'"]),
        ({"kind": "commission_cap", "shares": 0.1}, ["allowed: share", "did you mean 'share'"]),
        ({"kind": "commission_cap", "strenght": 0.1}, ["did you mean 'strength'"]),
        ({"kind": "commission_cap", "share": 1.7}, ["1.7 is out of range", "0 to 1"]),
        ({"kind": "commission_cap", "strength": 1.5}, ["interventions.lever.strength"]),
        ({"kind": "commission_cap", "share": "x"}, ["interventions.lever.share", "a number"]),
        ({"kind": "commission_cap", "start": 60}, ["outside the run of 60 days", "0 to 59"]),
        ({"kind": "commission_cap", "start": -1}, ["outside the run"]),
        ({"kind": "commission_cap", "start": "2022-12-31"}, ["2023-01-01 to 2023-03-01"]),
        ({"kind": "commission_cap", "start": "next week"}, ["'next week' is no date"]),
        ({"kind": "commission_cap", "start": 10, "end": 10}, ["not after the start"]),
        ({"kind": "commission_cap", "start": 10.5}, ["whole days"]),
        ({"kind": "warehouse_closure", "start": 10.51}, ["whole hours"]),
        ({"kind": "tariff_reduction", "points": 0.1, "to": 0.0}, ["exclude each other"]),
        ({"kind": "tariff_reduction", "points": None}, ["changes nothing"]),
        ({"kind": "tariff_reduction", "scope": {"platforms": ["tiktok_shop"]}}, ["categories, countries, regions"]),
        ({"kind": "tariff_reduction", "scope": {"product_tiers": [1]}}, ["does not apply"]),
        ({"kind": "tariff_reduction", "scope": {"adopters": 0.5}}, ["does not apply"]),
        ({"kind": "return_guarantee", "scope": {"countries": ["US"]}}, ["does not apply"]),
        ({"kind": "tariff_reduction", "scope": {"countries": ["XX"]}}, ["'XX' is not a choice"]),
        ({"kind": "tariff_reduction", "scope": {"countries": []}}, ["empty list"]),
        ({"kind": "carrier_suspended", "scope": {"carriers": ["US_3"]}}, ["unknown carrier 'US_3'"]),
        ({"kind": "ai_translation", "scope": {"language_pairs": [["zh", "xx"]]}}, ["unknown language 'xx'"]),
        ({}, ["interventions.lever.kind", "is missing"]),
    ],
)  # fmt: skip
def test_bad_rows_are_told_in_the_users_words(row: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        check(Run({"lever": row}))
    message = str(error.value)
    assert "test.yaml" in message
    for word in words:
        assert word in message


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        check(Run({"one": {"kind": "nothing"}, "two": {"kind": "commission_cap", "share": 3.0}}))
    assert len(error.value.faults) == 2
