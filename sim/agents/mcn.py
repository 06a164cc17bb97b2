"""MCNs, the agencies that hold streamers under contract. Ordinary Mesa agents: there are some dozens.

First form: the roster and the cut are fixed at build, within the 30-50 % of claim s4-4-mcn-cut. Signing, grading,
training, traffic buying and bargaining belong here: a `decide` that writes the streamers' `agency`, `traffic` and
`bots` columns and the cuts, followed by `write_contracts`, changes everything that depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.draws import Draws, Purpose
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

    def cut(self, tier: str) -> float:
        """What the agency keeps of the income of a host of a tier (a name of kinds.STREAMER_TIERS)."""
        return float(self.cuts[STREAMER_TIERS.index(tier)])


def make_agencies(model: Model[Any, Any], cuts: NDArray[np.float32], streamers: Table) -> list[MCN]:
    """The agencies as Mesa agents, in number order."""
    return [MCN(model, index, cuts[index], streamers) for index in range(cuts.shape[0])]
