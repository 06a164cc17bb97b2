"""Quality: how much of the cost of inputs a merchant keeps when its margin changes.

A merchant that cuts inputs saves unit cost now; buyers' experience then lowers its reputation, and with it margins to
come. With the cost of a unit c e^(slope x d) for a quality d above the line's own, and a return to quality of
m b (d - curvature d^2 / 2) for a margin m, the best response is to first order

    d = ln(m / m0) / (slope + curvature)

where the worth b of a reputation, not observed, is backed out from the margin m0 at which the line's own quality was
the best. So a price war that halves the margin cuts quality and unit cost, and both come back with the margin. What
happens to reputation then is up to buyers (Klein and Leffler 1981; Shapiro 1983: reputation is worth keeping as long as
there is a margin to earn with it).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config.supply import Quality as QualityRule
from sim.kernels.prices import Listing, line_margins
from sim.kernels.supply import CostTable, exp_each, log_each
from sim.kinds import N_COUNTRIES
from sim.state.catalogue import Catalogue

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]

LEAST_MARGIN = 0.05  # of the margin at build: below it a merchant looks at other things than quality


class QualitySource(Protocol):
    """What quality needs of a run's configuration."""

    @property
    def supply(self) -> Any:
        """Decision rules."""


def best_quality(ratio: F32, slope: float, curvature: float) -> F32:
    """Best change of quality, 0-1 scale, where margins are `ratio` (n,) times those at which it was none."""
    change: F32 = log_each(np.maximum(ratio, np.float32(LEAST_MARGIN))) / np.float32(slope + curvature)
    return change


def dearer(cost_cents: NDArray[np.int32], ratio: F64) -> NDArray[np.int32]:
    """Unit costs int32[k, T] times `ratio` (k,), whole cents, at least one."""
    cost: NDArray[np.int32] = np.maximum(np.rint(cost_cents * ratio[:, None]), 1).astype(np.int32)
    return cost


class Quality:
    """Chooses the quality of lines. Writes quality and unit_cost_cents; n lines, T tiers."""

    def __init__(self, rule: QualityRule, catalogue: Catalogue, tier_share: F64) -> None:
        self.catalogue = catalogue
        self._rule = rule
        self._tier_share = tier_share
        self._own = catalogue.quality.copy()
        self._cost = catalogue.unit_cost_cents.copy()
        self._weight = np.zeros((catalogue.n_lines, N_COUNTRIES), np.float32)
        self._margin: F32 = np.zeros(catalogue.n_lines, np.float32)  # 0: not known
        self.change: F32 = np.zeros(catalogue.n_lines, np.float32)

    def _margins(self, listing: Listing, costs: CostTable, who: NDArray[np.bool_]) -> F32:
        margins: F32 = line_margins(listing, costs, self._weight, self._tier_share, who)[0].astype(np.float32)
        return margins

    def fix(self, listing: Listing, costs: CostTable, rate: F32) -> None:
        """Takes today's margins, countries weighed by expected sales `rate` (n, C), for those at which quality is best.

        Lines that are new are added later by the same call.
        """
        new = (self._margin <= 0) & (rate.sum(axis=1) > 0)
        self._weight[new] = rate[new]
        everybody = np.ones(self.catalogue.n_merchants, np.bool_)
        self._margin[new] = np.maximum(self._margins(listing, costs, everybody)[new], 0)

    def meet(self, lines: NDArray[np.bool_]) -> None:
        """Other lines stand in the rows `lines` bool[n]: quality is their own, the usual margin not known yet."""
        self._own[lines] = self.catalogue.quality[lines]
        self._cost[lines] = self.catalogue.unit_cost_cents[lines]
        self._margin[lines] = 0
        self.change[lines] = 0

    def recost(self, lines: NDArray[np.int64], ratio: F64) -> None:
        """The own quality of `lines` (k,) costs `ratio` (k,) times as much to make."""
        self._cost[lines] = dearer(self._cost[lines], ratio)

    def review(self, listing: Listing, costs: CostTable, who: NDArray[np.bool_]) -> None:
        """Merchants `who` bool[m] look at their margins and change inputs where the best quality is `step` away.

        They go the share `speed` of the way, a change of suppliers taking time, and stay within `lowest` and `highest`.
        """
        rule, catalogue = self._rule, self.catalogue
        lines = np.flatnonzero(who[catalogue.merchant] & (self._margin > 0))
        if lines.size == 0:
            return
        ratio = self._margins(listing, costs, who)[lines] / self._margin[lines]
        best = np.clip(best_quality(ratio, rule.cost_slope, rule.curvature), rule.lowest, rule.highest)
        gap = best - self.change[lines]
        moved = np.abs(gap) >= rule.step
        lines = lines[moved]
        self.change[lines] += np.float32(rule.speed) * gap[moved]
        change = self.change[lines]
        catalogue.quality[lines] = np.clip(self._own[lines] + change[:, None], 0.0, 1.0)
        factor = exp_each(np.float32(rule.cost_slope) * change)[:, None]
        catalogue.unit_cost_cents[lines] = np.maximum(np.rint(self._cost[lines] * factor), 1).astype(np.int32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow depends on."""
        return {"change": self.change, "margin": self._margin, "weight": self._weight}
