"""After the warm-up a world at rest stays at rest: no trend over half a year on the flat calendar.

Several seeds give independent drifts (least-squares change over 26 weeks). A stock fails if its mean drift lies beyond
what may be called nothing (`NOTHING`, chosen) by more than chance would bring about with odds below 1e-4 for all stocks
together: if every true drift were as large as allowed, a false alarm would still be that rare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.statistical.series import FIRMS, STOCKS, configured, drift, follow, interval

pytestmark = pytest.mark.long

WARMUP, DAYS, SEEDS = 90, 182, 12
ODDS = 1e-4
NOTHING = {  # drift over 26 weeks that may be called none, in the unit of `scale_of`
    "trust of adopters": 0.01,
    "concentration of popularity": 0.01,
    "reputation of sellers": 0.01,
    "unmet needs": 0.01,
    "hosts followed": 0.05,
    "bonds": 0.10,
    "spending not forgotten": 0.03,
    "firms": 0.005,
    "parcels and orders that wait": 0.10,
    "open orders": 0.03,
    "units on shelves": 0.03,
    "money in escrow": 0.03,
    "room visits": 0.03,
    "orders": 0.03,
    **{f"cash of {kind.name.lower()}s": 0.10 for kind in FIRMS},
}

SHARES = ("trust of adopters", "concentration of popularity", "reputation of sellers", "unmet needs")

type Weeks = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="module")
def seeds() -> Sequence[Weeks]:
    """Weekly means after the warm-up, of each seed."""
    found = []
    for seed in range(SEEDS):
        world = configured(
            "population.consumers=5000", "calendar=flat", f"warmup_days={WARMUP}", f"days={DAYS}", f"seed={seed}"
        )
        for _ in range(WARMUP):
            world.step()
        found.append(follow(world, DAYS))
    return found


def scale_of(name: str, seeds: Sequence[Weeks]) -> float:
    """What a drift is compared with: 1 for shares, a week's receipts of the class for cash, else the mean level."""
    if name in SHARES:
        return 1.0
    level = name.replace("cash", "receipts") if name.startswith("cash") else name
    return float(np.mean([seed[level].mean() for seed in seeds]))


@pytest.mark.parametrize("name", NOTHING)
def test_no_trend(name: str, seeds: Sequence[Weeks]) -> None:
    drifts = [drift(seed[name]) / scale_of(name, seeds) for seed in seeds]
    mean, chance = interval(drifts, ODDS / len(NOTHING))
    assert abs(mean) - chance <= NOTHING[name], f"drifts by {mean:+.3f}, chance alone {chance:.3f}"


def test_every_stock_is_judged() -> None:
    assert set(STOCKS) < set(NOTHING)


@pytest.mark.parametrize(
    "name", ["trust of adopters", "open orders", "room visits", "orders", "concentration of popularity"]
)
def test_a_trend_would_be_seen(name: str, seeds: Sequence[Weeks]) -> None:
    """What chance hides is smaller than a change that would matter: twice what may be called none, with odds of 5 %."""
    drifts = [drift(seed[name]) / scale_of(name, seeds) for seed in seeds]
    assert interval(drifts, 0.05)[1] < 2 * NOTHING[name]
