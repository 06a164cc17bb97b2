"""Declared value: what pays, who does it, how it answers to inspection, fines and rates; parcels that are divided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.kernels.declarations import DeclarationRule, evasion_value, tax_at
from sim.kernels.prices import NO_LIMIT, Toll
from tests.firms.test_prices import days
from tests.supply.world import RULES, group, make

TRUE = Toll(0.2, 0.1, 0.0, 0.0, 2.0, 2.0, 1.0)
STRICT = RULES.amend({"tariff.de_minimis_usd": 30.0, "tariff.duty_rate": 0.3, "customs.inspection_rate": 0.03})


def rule(inspected: float = 0.03, **changed: Any) -> DeclarationRule:
    return DeclarationRule(np.array([inspected]), 0.9, 0.2, 4.0, 700)._replace(**changed)


def value(hidden: float, inspected: float = 0.03, **changed: Any) -> float:
    told = TRUE._replace(declared=1.0 - hidden)
    return evasion_value(rule(inspected, **changed), inspected, TRUE, told, 50.0, 0.65)


def test_the_truth_is_worth_nothing_and_evasion_what_it_saves_less_what_it_risks() -> None:
    assert value(0.0) == 0.0
    saved = tax_at(TRUE, 50.0) - tax_at(TRUE._replace(declared=0.5), 50.0)
    assert saved == pytest.approx(0.5 * 50.0 * 0.32)
    assert value(0.5, inspected=0.0) == pytest.approx(saved * 0.65 / (1 + 0.5 * 0.32))
    loss = 0.03 * 0.9 * 0.5 * (5.0 * saved + 0.2 * 0.65 * 50.0)
    assert value(0.5) == pytest.approx(value(0.5, inspected=0.0) - loss)


def test_evasion_pays_less_the_more_is_opened_fined_and_kept() -> None:
    for values in (
        [value(0.5, inspected=share) for share in (0.0, 0.1, 0.5, 1.0)],
        [value(0.5, penalty=times) for times in (0.0, 2.0, 4.0, 20.0)],
        [value(0.5, seized=share) for share in (0.0, 0.3, 1.0)],
    ):
        assert values == sorted(values, reverse=True)
    assert value(0.5, inspected=1.0) < 0.0


def understated(rules: Any, honest: float = 0.5) -> tuple[np.ndarray, Any]:
    supply = group("supply")
    told = supply.declarations.model_copy(update={"honest_share": honest})
    world = make(firms_scale=0.1, rules=rules, responsive=True, supply=supply.model_copy(update={"declarations": told}))
    return world.catalogue.understated_permille.copy(), world


def test_honest_sellers_never_do_it_and_others_where_it_pays() -> None:
    assert not understated(STRICT, honest=1.0)[0].any()
    hidden, world = understated(STRICT)
    evades = world.catalogue.evades[world.catalogue.merchant] == 1
    assert 0.3 < evades.mean() < 0.7
    assert not hidden[~evades].any()
    sold = (world.catalogue.price_cents[:, :, 0] > 0) & evades[:, None]
    assert (hidden[sold] > 0).mean() > 0.5
    assert hidden.max() <= 700


def test_what_is_declared_answers_to_inspection_and_to_there_being_a_tax() -> None:
    shares = [
        understated(STRICT.amend({"customs.inspection_rate": opened}))[0].mean() for opened in (0.0, 0.1, 0.3, 1.0)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.05 * shares[0]  # what is just above a threshold still slips below it
    free = {"tariff.duty_rate": 0.0, "tax.de_minimis_usd": np.nan}
    assert not understated(STRICT.amend(free))[0].any()


def test_some_declare_just_what_is_free() -> None:
    """With a duty that is free below a value, and no tax, some understate only as far as the threshold."""
    rules = STRICT.amend({"tax.de_minimis_usd": np.nan, "customs.inspection_rate": 0.15})
    hidden, world = understated(rules)
    catalogue = world.catalogue
    line, country = np.nonzero((hidden > 0) & (hidden < 700))
    assert line.size > 20
    told = catalogue.price_cents[line, country] * (1000 - hidden[line, country])[:, None] / 1000
    assert (np.abs(told - 3000) < 60).any(axis=1).all()


def test_a_new_review_takes_back_what_no_longer_pays() -> None:
    hidden, world = understated(STRICT)
    assert hidden.any()
    days(world, STRICT.amend({"customs.inspection_rate": 1.0}), 29)
    assert world.catalogue.understated_permille.mean() < 0.05 * hidden.mean()


def test_switched_off_everybody_tells_the_truth_and_parcels_are_divided_for_nothing() -> None:
    supply = group("supply")
    off = supply.model_copy(update={"decide": supply.decide.model_copy(update={"declared_value": False})})
    world = make(firms_scale=0.1, rules=STRICT, responsive=True, supply=off)
    catalogue = world.catalogue
    assert not catalogue.understated_permille.any()
    assert not catalogue.evades.any()
    assert not catalogue.postage_cents.any()
    assert NO_LIMIT > 0
