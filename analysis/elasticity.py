"""Own-price elasticity by category, measured by an experiment inside a running world.

From the first reported day on, the goods prices of half the lines are asked five per cent higher; everything before and
everything else is the same, draws included. Sellers go on deciding as if nothing had happened (stock, routes and hosts
see the demand, not the raise). Lines are paired within their category by expected sales, and a keyed coin takes one of
each pair.

With `q` the units asked for and `half` the two halves, to first order

    d ln q(raised) = own x d ln p + cross        d ln q(others) = cross

where `cross` is what half of all prices being higher does to any line. Their difference is what one line would lose if
it alone became dearer: the own-price elasticity. Units lost for want of stock count as asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.inference import Estimate, estimate
from sim import provenance
from sim.config import RunConfig
from sim.experiment import configure
from sim.kernels.money import border_of, landed_offers
from sim.kinds import CATEGORIES
from sim.rules import Rules
from sim.world import World

RAISE: Final = 1.05
BAND: Final = (-4.0, -1.5)
_COIN: Final = 0x5EED  # second word of the coin's key

I64 = NDArray[np.int64]


def halves(category: NDArray[np.uint8], expected: NDArray[np.float64], seed: int) -> NDArray[np.bool_]:
    """bool[lines]: the half that becomes dearer, one of each two neighbours in expected sales within a category."""
    coin = np.random.Generator(np.random.Philox(key=[seed, _COIN])).random(category.size) < 0.5
    chosen = np.zeros(category.size, np.bool_)
    for kind in np.unique(category):
        ranked = np.flatnonzero(category == kind)
        ranked = ranked[np.argsort(-expected[ranked], kind="stable")]
        first = coin[ranked[0::2]]
        chosen[ranked[0::2]] = first
        second = ranked[1::2]
        chosen[second] = ~first[: second.size]
    return chosen


class Dearer:
    """Stands in for a world's `supply.price`: what sellers ask, times `factor` for the chosen lines, from a day on."""

    def __init__(self, world: World, lines: NDArray[np.bool_], factor: float, first_day: int) -> None:
        self._price: Callable[..., bool] = world.supply.price
        self._catalogue = world.catalogue
        self._without_freight = world.cfg.payments.customs_value_without_freight
        self._lines, self._factor, self._first_day = lines, factor, first_day
        self._asked = world.catalogue.price_cents.copy()

    def __call__(self, rules: Rules, day: int, origin_factor: float, lane_promise: NDArray[np.float32]) -> bool:
        """As `Supply.price`; sellers see the prices they asked, buyers the dearer ones."""
        catalogue = self._catalogue
        catalogue.price_cents[...] = self._asked
        changed = self._price(rules, day, origin_factor, lane_promise)
        self._asked[...] = catalogue.price_cents
        if day < self._first_day:
            return changed
        catalogue.price_cents[self._lines] = np.rint(self._asked[self._lines] * self._factor)
        landed_offers(
            catalogue.price_cents, catalogue.freight_cents, catalogue.direct, catalogue.category,
            border_of(rules, self._without_freight), catalogue.understated_permille,
            np.arange(catalogue.n_lines), catalogue.landed_cents,
        )  # fmt: skip
        return changed or day == self._first_day


def demand(cfg: RunConfig, factor: float) -> tuple[I64, I64]:
    """Units asked for over the reported days, int64[categories] each: of the half made dearer, of the other half."""
    world = World(cfg)
    catalogue = world.catalogue
    expected = catalogue.merchant_size[catalogue.merchant].astype(np.float64) * catalogue.line_share
    chosen = halves(catalogue.category, expected, cfg.seed)
    vars(world.supply)["price"] = Dearer(world, chosen, factor, world.frame.start_day)
    before = catalogue.wanted_units.sum(axis=1)
    while world.day < world.frame.end_day:
        if world.day == world.frame.start_day:
            before = catalogue.wanted_units.sum(axis=1)
        world.step()
    units = (catalogue.wanted_units.sum(axis=1) - before).astype(np.float64)
    size = len(CATEGORIES)
    dear = np.bincount(catalogue.category[chosen], weights=units[chosen], minlength=size)
    other = np.bincount(catalogue.category[~chosen], weights=units[~chosen], minlength=size)
    return dear.astype(np.int64), other.astype(np.int64)


def _one(cfg: RunConfig, file: str) -> dict[str, Any]:
    """Both arms of one seed, kept in `file`."""
    identity = {"model_hash": cfg.model_hash(), "code_hash": provenance.code_hash(), "raise": RAISE}
    path = Path(file)
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if all(kept.get(key) == value for key, value in identity.items()):
            return kept
    import numba

    numba.set_num_threads(1)
    arms = {"plain": demand(cfg, 1.0), "dearer": demand(cfg, RAISE)}
    found = {**identity, **{name: [half.tolist() for half in arm] for name, arm in arms.items()}}
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")
    return found


@dataclass(frozen=True, slots=True)
class Elasticity:
    """One category: the elasticity, what the dearer half and the others did, and units asked for without the raise."""

    category: str
    own: Estimate
    dearer: Estimate
    others: Estimate
    units: int


def measure(settings: Sequence[str], seeds: Sequence[int], workers: int, folder: Path) -> list[Elasticity]:
    """Elasticities of all categories, both arms run for every seed; finished seeds in `folder` are not run again.

    A category nobody asked for in some seed is left out of that seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plans = [configure("baseline", [*settings, f"seed={seed}"]) for seed in seeds]
    files = [str(folder / f"elasticity-{cfg.model_hash()[:12]}.json") for cfg in plans]
    with ProcessPoolExecutor(max(1, min(workers, len(plans))), mp_context=get_context("forkserver")) as pool:
        runs = list(pool.map(_one, plans, files))
    step = math.log(RAISE)
    result = []
    for number, category in enumerate(CATEGORIES):
        moved = []
        for run in runs:
            (old_dear, old_other), (new_dear, new_other) = run["plain"], run["dearer"]
            counts = [half[number] for half in (old_dear, old_other, new_dear, new_other)]
            if min(counts) > 0:
                moved.append((math.log(counts[2] / counts[0]) / step, math.log(counts[3] / counts[1]) / step))
        if moved:
            dear, other = np.array(moved).T
            units = sum(run["plain"][half][number] for run in runs for half in (0, 1))
            result.append(Elasticity(category, estimate(dear - other), estimate(dear), estimate(other), units))
    return result
