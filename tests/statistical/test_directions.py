"""Signs that theory gives, in runs paired by seed.

Each difference is many standard errors away from zero (claims 12, tariffs far more), so that a mean of the wrong sign
by chance has odds below 1e-6; asserted is also that its 99.9 % interval leaves zero out.
"""

from __future__ import annotations

import numpy as np
import pytest

from sim.kinds import COUNTRIES
from sim.record.schema import Measure
from sim.world import World
from tests.statistical.series import configured, interval

pytestmark = pytest.mark.long

SEEDS = 8
ODDS = 1e-3


def small(seed: int, *overrides: str) -> World:
    world = configured("population.consumers=5000", "firms.scale=0.25", f"seed={seed}", *overrides)
    world.run()
    return world


def test_more_exaggeration_raises_perceived_and_lowers_realised_surplus() -> None:
    """Hosts gain more from claims, all else equal: people expect more than they get."""
    changes = []
    for seed in range(SEEDS):
        honest, loud = (
            small(seed, "warmup_days=10", "days=80", f"supply.shows.claims_gain={gain}") for gain in (0.1, 0.5)
        )
        changes.append(surplus(loud) - surplus(honest))
    perceived, realised = (interval(list(part), ODDS) for part in np.array(changes).T)
    assert perceived[0] - perceived[1] > 0
    assert realised[0] + realised[1] < 0


def surplus(world: World) -> np.ndarray:
    """USD of consumer surplus a head, perceived and realised, all channels."""
    measures = [Measure.SURPLUS_PERCEIVED_MC, Measure.SURPLUS_REALISED_MC]
    return world.tally.totals[measures].sum(axis=1) / 1e5 / len(world.consumers)


def test_more_duty_raises_landed_prices_of_parcels_and_of_local_stock() -> None:
    """Against the same world in which the duty is taken away; prices two months on, the same offers in both."""
    countries = [COUNTRIES.index(name) for name in ("ID", "MX", "BR")]
    row = (
        "+interventions.cut.kind=tariff_reduction", "+interventions.cut.to=0.0",
        "+interventions.cut.scope={countries: [ID, MX, BR]}",
    )  # fmt: skip
    for seed in range(2):
        taxed, free = (small(seed, "warmup_days=14", "days=60", *rows) for rows in ((), row))
        for route in ("direct", "stocked"):
            same = getattr(taxed.catalogue, route) == 1
            same &= getattr(free.catalogue, route) == 1
            for country in countries:
                lines = same[:, country] & (taxed.catalogue.landed_cents[:, country, 0] > 0)
                dear, cheap = (w.catalogue.landed_cents[lines, country].astype(float) for w in (taxed, free))
                assert lines.sum() > 10
                assert dear.mean() > cheap.mean(), (route, COUNTRIES[country])
