"""Reviews beside the stream: they move beliefs about sellers and the doubt left, person by person, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kernels.live import Setting
from sim.kinds import N_CHANNELS, N_PLATFORMS
from sim.rules import Rules
from tests.consumer.market import SyntheticMarket
from tests.consumer.test_live import Outcome, changed, live_through, market, same
from tests.interventions.helpers import DAY, book

__all__ = ["market"]  # the fixture of a market in which everything happens often
STRENGTHS = (0.0, 0.5, 1.0)
LIVE = np.arange(N_CHANNELS) < N_PLATFORMS


def shown(market: SyntheticMarket, rules: Rules) -> Setting:
    """What viewers feel of the rules' reviews, and nothing else of them."""
    market.market._follow_reviews(rules)
    setting = market.setting._replace(reviewed=market.setting.reviewed.copy(), doubt=market.setting.doubt.copy())
    market.market._follow_reviews(Rules.neutral())
    return setting


def with_reviews(market: SyntheticMarket, times: float, reputation: float) -> Outcome:
    """A day with `times` as many reviews in rooms, of sellers who are all of one repute."""
    setting = shown(market, Rules.neutral({"reputation.visibility": np.where(LIVE, times, 1.0)}))
    offers = market.offers._replace(reputation=np.full_like(market.offers.reputation, reputation))
    return live_through(market, setting=setting, offers=offers)


def test_the_row_moves_belief_and_doubt_in_rooms_only_and_as_far_as_its_strength(market: SyntheticMarket) -> None:
    param = market.param[0]
    weights, doubts = [], []
    for strength in STRENGTHS:
        rules = book(lever={"kind": "review_visibility", "strength": strength, "visibility": 5}).rules_on(DAY)
        times = 1.0 + 4.0 * strength
        setting = shown(market, rules)
        assert (setting.reviewed[~LIVE] == 1).all()
        assert (setting.doubt[~LIVE] == 1).all()
        own = 1.0 - float(param.information_reputation_prior)
        precision = own + times * (1.0 - own)
        assert setting.reviewed[LIVE] == pytest.approx(times / precision, rel=1e-5)
        left = 1.0 + float(param.information_seller_doubt) * (1.0 / precision - 1.0)
        assert setting.doubt[LIVE] == pytest.approx(left, rel=1e-5)
        weights.append(setting.reviewed[0])
        doubts.append(setting.doubt[0])
    assert weights[0] == doubts[0] == 1, "without strength not a bit moves"
    assert weights[0] < weights[1] < weights[2]
    assert doubts[0] > doubts[1] > doubts[2]


def test_a_good_name_sells_more_and_a_bad_one_less_the_more_is_read_of_it(market: SyntheticMarket) -> None:
    centre = float(market.param[0].trust_reputation_centre)
    with changed(market, information_seller_doubt=0.0):  # beliefs alone
        for reputation, gains in ((centre + 0.2, True), (centre - 0.2, False)):
            few, usual, many = (with_reviews(market, times, reputation) for times in (0.2, 1.0, 10.0))
            low, high = (few, many) if gains else (many, few)
            assert low.buyers() < usual.buyers() < high.buyers()
            for day in (few, many):
                assert day.buyers(1) == usual.buyers(1), "shelves show what they showed"
                np.testing.assert_array_equal(day.counts.host_seconds, usual.counts.host_seconds)
        of_no_name = [with_reviews(market, times, centre) for times in (0.2, 10.0)]
        same(*of_no_name)


def test_less_doubt_lets_more_people_buy(market: SyntheticMarket) -> None:
    centre = float(market.param[0].trust_reputation_centre)
    with changed(market, purchase_risk=5.0, information_seller_doubt=1.0):
        few, usual, many = (with_reviews(market, times, centre) for times in (0.05, 1.0, 100.0))
    assert set() < few.buyers() < usual.buyers() < many.buyers()
    assert few.total("surplus") < usual.total("surplus") < many.total("surplus")
