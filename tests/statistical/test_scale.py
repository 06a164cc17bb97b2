"""Per-head outcomes do not depend on how many people are sampled.

The same seeds at 20,000 and 200,000 people share their firms, so differences are taken seed by seed. An outcome fails
if its mean difference lies beyond `NOTHING` (chosen: the grain of stock at 20,000, where one unit stands for 62,000
real ones, is allowed to show) by more than chance would bring about with odds below 1e-4 for all outcomes together.
"""

from __future__ import annotations

import pytest

from sim.kinds import N_COUNTRIES, N_PLATFORMS
from sim.record.schema import Measure
from tests.statistical.series import configured, interval

pytestmark = pytest.mark.long

SMALL, LARGE, SEEDS = 20_000, 200_000, 6
ODDS = 1e-4
NOTHING = {  # relative difference that may be called none
    "room visits a head": 0.01,
    "live orders a head": 0.03,
    "orders a head": 0.01,
    "live sales a head": 0.03,
    "days to delivery": 0.03,
    "late share": 0.05,
    "return rate": 0.03,
    "direct share": 0.05,
}

type Outcomes = dict[str, float]


def outcomes(consumers: int, seed: int) -> Outcomes:
    """Per-head outcomes of 60 days after 30 of warm-up."""
    world = configured(f"population.consumers={consumers}", "warmup_days=30", "days=60", f"seed={seed}")
    world.run()
    cells = world.tally.totals.reshape(len(Measure), N_COUNTRIES, -1, 24).sum(axis=(1, 3)).astype(float)
    live, total = cells[:, :N_PLATFORMS].sum(axis=1), cells.sum(axis=1)
    return {
        "room visits a head": live[Measure.ROOM_VISITS] / consumers,
        "live orders a head": live[Measure.ORDERS] / consumers,
        "orders a head": total[Measure.ORDERS] / consumers,
        "live sales a head": live[Measure.GMV_CENTS] / consumers,
        "days to delivery": total[Measure.TRANSIT_SECONDS] / total[Measure.DELIVERED] / 86_400,
        "late share": total[Measure.LATE] / total[Measure.DELIVERED],
        "return rate": total[Measure.RETURNED] / total[Measure.DELIVERED],
        "direct share": total[Measure.DELIVERED_DIRECT] / total[Measure.DELIVERED],
    }


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Outcomes, Outcomes]]:
    return [(outcomes(SMALL, seed), outcomes(LARGE, seed)) for seed in range(SEEDS)]


@pytest.mark.parametrize("name", NOTHING)
def test_a_head_is_a_head(name: str, pairs: list[tuple[Outcomes, Outcomes]]) -> None:
    differences = [large[name] / small[name] - 1 for small, large in pairs]
    mean, chance = interval(differences, ODDS / len(NOTHING))
    assert abs(mean) - chance <= NOTHING[name], f"differs by {mean:+.2%}, chance alone {chance:.2%}"
    # and what chance hides with odds of 5 % is no more than what would matter
    assert interval(differences, 0.05)[1] <= max(2 * NOTHING[name], 0.03)
