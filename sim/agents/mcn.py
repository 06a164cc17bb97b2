"""MCNs, the agencies that hold streamers under contract. Ordinary Mesa agents: there are some dozens.

Roster and cuts are drawn at build, the cuts within the 30-50 % of claim s4-4-mcn-cut. What agencies do later
(`sim.firms.agencies`) follows the formulas here, each anchored: its unknown is what makes the choice of the base year
the best one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.supply import Agencies as AgenciesGroup
from sim.draws import Draws, Purpose
from sim.kernels.maths import exps
from sim.kinds import STREAMER_TIERS
from sim.state.table import Table

if TYPE_CHECKING:
    from mesa.model import Model

LEAST_CUT, LARGEST_CUT = 0.3, 0.5  # claim s4-4-mcn-cut
_CUT = 1  # ordinal of the draw of an agency's cut


def agency_cuts(firms: Firms, economics: Economics, agencies: int, draws: Draws) -> NDArray[np.float32]:
    """float32[agencies, 3]: share of a signed host's income that each agency keeps, by tier of the host."""
    own = firms.agencies.share_spread * draws.normal(Purpose.AGENCY, np.arange(agencies), ordinal=_CUT)
    cuts = economics.mcn_shares()[None, :] + own[:, None]
    return np.clip(cuts, LEAST_CUT, LARGEST_CUT).astype(np.float32)


# -- how agencies decide; floats or arrays -----------------------------------------------------------------------------
def nash_cut(lift: Any, cost: Any, power: Any) -> Any:
    """Cut of the income that host and agency agree on: asymmetric Nash bargaining (Nash 1950; Roth 1979).

    Alone a host earns 1, with the agency 1 + `lift`; the agency spends `cost`. Threat points are 1 and 0. The cut k
    maximises ((1 - k)(1 + lift) - 1)^(1 - power) (k (1 + lift) - cost)^power: the agency gets its cost and the share
    `power` of what is gained. Where nothing is gained it only asks its cost.
    """
    return (cost + power * np.maximum(np.asarray(lift) - cost, 0.0)) / (1.0 + np.asarray(lift))


def power_behind(cut: Any, lift: Any, cost: Any) -> Any:
    """Bargaining power that explains a cut, 0 to 1: the inverse of `nash_cut`."""
    power = (np.asarray(cut) * (1.0 + np.asarray(lift)) - cost) / np.maximum(np.asarray(lift) - cost, 1e-9)
    return np.clip(power, 0.0, 1.0)


def shifted(power: Any, shift: float) -> Any:
    """A power between 0 and 1 moved by log odds; 0 and 1 stay."""
    if shift == 0.0:
        return power
    factor = exps(shift)
    return np.asarray(power) * factor / (1.0 - np.asarray(power) + np.asarray(power) * factor)


def traffic_bought(rest: Any, worth: Any, start: Any, largest: float) -> Any:
    """Real traffic an agency buys for a host, usual budgets: best response to falling returns, T* x worth.

    `worth` is the agency's part of a host's income against that at rest. Who bought none at rest starts with one budget
    where worth exceeds `start`.
    """
    more = np.where(np.asarray(rest) > 0, rest * np.asarray(worth), np.where(np.asarray(worth) > start, 1.0, 0.0))
    return np.minimum(more, largest)


def fakes_bought(
    rest: Any, worth: Any, detection: Any, at_rest: Any, margin: Any, penalty: float, largest: float
) -> Any:
    """Fake viewers per real one: best response of worth x log(1 + b (1 - D)) - (c + penalty x D) b.

    D is the share of fakes that platforms find. The cost c is what makes b = `rest` the best choice at detection
    `at_rest` and worth 1; who bought none at rest bears c (1 + `margin`) of what the first fake viewer would have been
    worth. Deterrence as in Becker (1968).
    """
    seen, usual = 1.0 - np.asarray(detection), 1.0 - np.asarray(at_rest)
    own = usual / (1.0 + np.asarray(rest) * usual) * np.where(np.asarray(rest) > 0, 1.0, 1.0 + np.asarray(margin))
    price = own + penalty * (np.asarray(detection) - at_rest)
    best = np.asarray(worth) / np.maximum(price, 1e-6) - 1.0 / np.maximum(seen, 1e-6)
    return np.where(seen > 0, np.clip(best, 0.0, largest), 0.0)


def pay_grade(own: Any, band: float, step: float) -> Any:
    """Factor on the cut by a host's own standing (log, against rest): one grade for each `band`, three at most."""
    return 1.0 - step * np.clip(np.trunc(np.asarray(own) / band), -3, 3)


class MCN(Agent):
    """One agency: its number, its cut by tier, and its roster among the streamers."""

    def __init__(self, model: Model[Any, Any], index: int, cuts: NDArray[np.float32], streamers: Table) -> None:
        super().__init__(model)
        self.index = index
        self.cuts = cuts
        self.streamers = streamers

    @property
    def roster(self) -> NDArray[np.int64]:
        """Numbers of the streamers under contract."""
        return np.flatnonzero(self.streamers.agency == self.index)

    @property
    def audience(self) -> float:
        """Sum of the roster's expected audience shares: the size of the agency."""
        return float(self.streamers.popularity[self.roster].sum(dtype=np.float64))

    @property
    def buys_fake_viewers(self) -> bool:
        """Whether hosts of the roster show more viewers than they have."""
        return bool((self.streamers.bots[self.roster] > 0).any())

    def asks(self, rest: float, lift: float, growth: float, group: AgenciesGroup, cost_share: float) -> float:
        """Cut this agency would agree on: `rest` the cut at rest, `lift` what it adds to incomes now, and
        `growth` of the incomes it serves."""
        cost = cost_share * rest * (1.0 + group.lift)
        power = shifted(power_behind(rest, group.lift, cost), group.power_shift)
        return float(np.clip(nash_cut(lift, cost / growth, power), group.lowest_cut, group.highest_cut))

    def cut(self, tier: str) -> float:
        """What the agency keeps of the income of a host of a tier (a name of kinds.STREAMER_TIERS)."""
        return float(self.cuts[STREAMER_TIERS.index(tier)])


def make_agencies(model: Model[Any, Any], cuts: NDArray[np.float32], streamers: Table) -> list[MCN]:
    """The agencies as Mesa agents, in number order."""
    return [MCN(model, index, cuts[index], streamers) for index in range(cuts.shape[0])]
