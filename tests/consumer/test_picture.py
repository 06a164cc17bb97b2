"""The picture's data rate: what a minute tells where the network carries it, and stutter where it does not."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from sim.kernels.live import Setting
from sim.rules import Rules
from sim.state.market import picture
from tests.consumer.market import GEOGRAPHY, SyntheticMarket
from tests.consumer.test_live import live_through, market
from tests.interventions.helpers import DAY, book

__all__ = ["market"]  # the fixture of a market in which everything happens often
SPREAD, GAIN = 0.8, 0.1
RATES = (0.1, 0.5, 1.0, 2.0, 8.0, 100.0)


def felt(market: SyntheticMarket, rules: Rules) -> Setting:
    """What viewers feel of the rules' picture, and nothing else of them."""
    before = market.setting.stutter.copy(), market.setting.evidence.copy()
    market.market._follow_picture(rules)
    setting = market.setting._replace(stutter=market.setting.stutter.copy(), evidence=market.setting.evidence.copy())
    market.setting.stutter[:], market.setting.evidence[:] = before
    return setting


@pytest.mark.parametrize("stutter", [0.0, 0.02, 0.18, 0.5, 1.0])
def test_the_base_years_picture_is_the_base_years(stutter: float) -> None:
    assert picture(stutter, 1.0, SPREAD, 0.9, GAIN) == (stutter, 1.0)


def test_minutes_are_shown_in_full_or_as_before_or_stutter() -> None:
    """The shares against a sample of throughputs, whose median lets the base year's picture through as often."""
    normal, rng = NormalDist(), np.random.default_rng(1)
    for stutter in (0.02, 0.18):
        through = np.exp(SPREAD * (rng.standard_normal(400_000) - normal.inv_cdf(stutter)))  # 1: the base year's rate
        for rate in RATES:
            shown = through >= rate
            falls_back = (through >= 1.0) & ~shown
            for fallback in (0.0, 0.7, 1.0):
                lower = fallback * falls_back.mean()
                steady = shown.mean() + lower
                told = shown.mean() * (1 + GAIN * math.log2(rate)) + lower
                found = picture(stutter, rate, SPREAD, fallback, GAIN)
                assert found[0] == pytest.approx(1 - steady, abs=0.005)  # six standard errors
                if steady > 0.02:
                    assert found[1] == pytest.approx(told / steady, abs=0.01)


def test_a_weak_network_gains_less_and_with_no_fallback_loses_more() -> None:
    weak, strong = (picture(stutter, 8.0, SPREAD, 1.0, GAIN) for stutter in (0.2, 0.01))
    assert 1 < weak[1] < strong[1] < 1 + GAIN * 3
    assert (weak[0], strong[0]) == pytest.approx((0.2, 0.01))
    nobody = [picture(0.1, rate, SPREAD, 1.0, GAIN)[1] for rate in (8.0, 1e6)]
    assert nobody[1] == pytest.approx(1, abs=1e-3), "a picture that nobody gets tells nobody more"
    assert nobody[0] > nobody[1]
    stutters = [picture(0.1, rate, SPREAD, 0.5, GAIN)[0] for rate in RATES]
    assert np.all(np.diff(stutters) > 0)


def test_the_row_moves_the_picture_as_far_as_its_strength_and_edge_nodes_let_more_of_it_through() -> None:
    evidence = []
    for strength in (0.0, 0.5, 1.0):
        one = book(picture={"kind": "uhd_streaming", "strength": strength, "data_rate": 9})
        rules = one.rules_on(DAY)
        assert rules.stream.definition == pytest.approx(1 + 8 * strength)
        evidence.append(picture(float(rules.stream.stutter[0]), float(rules.stream.definition[0]), 0.8, 1, 0.1)[1])
    assert evidence[0] == 1
    assert min(evidence[1:]) > 1
    both = book(picture={"kind": "uhd_streaming", "data_rate": 9}, nodes={"kind": "edge_computing"}).rules_on(DAY)
    assert picture(float(both.stream.stutter[0]), 9.0, 0.8, 1, 0.1)[1] > evidence[2]


def test_viewers_feel_what_the_network_carries(market: SyntheticMarket) -> None:
    law = {"stream.stutter": GEOGRAPHY.stutter()}
    usual, sharp = (felt(market, Rules.neutral({**law, "stream.definition": rate})) for rate in (1.0, 8.0))
    assert np.array_equal(usual.stutter, GEOGRAPHY.stutter().astype(np.float32))
    assert (usual.evidence == 1).all()
    assert (sharp.stutter > usual.stutter).all()
    assert (sharp.evidence > 1).all()
    few, many = np.argmin(usual.stutter), np.argmax(usual.stutter)
    assert sharp.evidence[few] > sharp.evidence[many]


def test_a_picture_that_tells_more_changes_what_is_known_and_no_visit(market: SyntheticMarket) -> None:
    days = [
        live_through(market, setting=market.setting._replace(evidence=np.full_like(market.setting.evidence, level)))
        for level in (1.0, 3.0)
    ]
    for name in ("visits", "seconds", "openings", "host_seconds", "languages"):
        np.testing.assert_array_equal(getattr(days[1].counts, name), getattr(days[0].counts, name))
    assert days[0].buyers(1) == days[1].buyers(1), "searches see no stream"
    assert days[0].total("follows") < days[1].total("follows"), "who learnt more follows more often"
    assert days[0].buyers() != days[1].buyers()
