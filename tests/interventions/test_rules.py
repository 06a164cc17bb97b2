"""The tree of rules: declared once, read-only, copied on write."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from sim.config.economics import Economics
from sim.config.folders import data_folder
from sim.config.geography import Geography
from sim.config.payments import Payments
from sim.config.quantity import load_group
from sim.config.rules import RulesBaseline
from sim.interventions import InterventionBook, known_kinds
from sim.rules import GROUPS, LEAVES, Rules
from tests.interventions.helpers import DAY, Run, changed


def test_every_leaf_is_declared_and_lies_in_its_range() -> None:
    rules = Rules.neutral()
    assert {path.split(".")[0] for path in LEAVES} == set(GROUPS)
    for leaf, array in rules.leaves():
        assert array.shape == leaf.shape
        assert not array.flags.writeable
        assert array.dtype == (np.uint8 if leaf.flag else np.float32)
        assert leaf.unit
        assert leaf.meaning
        assert leaf.nan_means or not np.isnan(array).any()


def test_a_change_shares_all_that_it_does_not_touch() -> None:
    rules = Rules.neutral()
    changed = rules.amend({"tariff.duty_rate": 0.1})
    assert changed.tax is rules.tax
    assert changed.tariff.de_minimis_usd is rules.tariff.de_minimis_usd
    assert np.all(rules.tariff.duty_rate == 0.0)
    assert np.all(changed.tariff.duty_rate == np.float32(0.1))
    assert rules.amend({}) is rules


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [
        ("tariff.duty_rate", 9.0, r"tariff\.duty_rate\[US, electronics_3c\]: 9.0 is not in 0.0..3.0"),
        ("tariff.duty_rate", np.zeros(3), r"shape \(3,\), expected \(20, 8\) \(country, category\)"),
        ("tariff.duty_rate", np.nan, "nan is not in"),
        ("warehousing.open", 0.5, "0.5 is not in"),
    ],
)
def test_a_wrong_value_names_leaf_and_place(path: str, values: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Rules.neutral().amend({path: values})


def test_an_unknown_leaf_is_refused() -> None:
    with pytest.raises(KeyError):
        Rules.neutral().amend({"tariff.rate": 0.1})
    with pytest.raises(ValueError, match=r"no rules leaf named tariff\.rate"):
        Rules.neutral({"tariff.rate": 0.1})


def test_no_tax_is_told_from_a_threshold_of_nothing() -> None:
    rules = Rules.neutral({"tax.de_minimis_usd": np.where(np.arange(20) == 0, np.nan, 0.0)})
    assert np.isnan(rules.tax.de_minimis_usd[0])
    assert rules.tax.de_minimis_usd[1] == 0.0


@dataclass
class Groups:
    """The groups that hold baseline values."""

    geography: Geography
    economics: Economics
    payments: Payments
    rules: RulesBaseline


@pytest.fixture(scope="module")
def groups() -> Groups:
    folder = data_folder("configs")
    return Groups(
        load_group(folder / "geography" / "default.yaml", Geography),
        load_group(folder / "economics" / "default.yaml", Economics),
        load_group(folder / "payments" / "default.yaml", Payments),
        load_group(folder / "rules" / "default.yaml", RulesBaseline),
    )


def test_the_baseline_is_what_the_groups_say(groups: Groups) -> None:
    rules = Rules.baseline(groups)
    assert np.array_equal(rules.tariff.duty_rate, groups.geography.duty_rate("parcel").astype(np.float32))
    assert np.array_equal(rules.tariff.bulk_duty_rate, groups.geography.duty_rate("bulk").astype(np.float32))
    assert rules.tariff.de_minimis_usd[0] == 800.0  # the United States in 2023
    assert np.array_equal(rules.payment.availability, groups.payments.offered().astype(np.float32))
    assert np.array_equal(rules.in_force["commission.cap"], groups.economics.commissions().astype(np.float32))
    assert np.all(rules.commission.cap == 1.0)
    assert rules.warehousing.sync_hours[0] == groups.rules.sync_hours["origin"]
    assert rules.warehousing.sync_hours[4] == groups.rules.sync_hours["overseas"]


def test_every_shipped_lever_finds_something_to_do_at_the_baseline(groups: Groups) -> None:
    baseline = Rules.baseline(groups)
    for name, kind in known_kinds().items():
        one = InterventionBook(Run({name: {"kind": name}}), baseline)
        leaves = {change.leaf for change in one.interventions[0].changes}
        assert changed(baseline, one.rules_on(DAY)) == leaves, kind.path
