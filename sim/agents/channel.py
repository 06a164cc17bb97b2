"""Where goods are sold: eight live platforms, the shelf and brand-owned sites. Ordinary Mesa agents.

First form: a channel asks the commissions of configs/economics, ranks rooms by its rules' exposure leaves, and bears
fixed costs. Commission, buyer fee, paid-traffic price, subsidies and exposure weights as monthly best responses belong
into `Channel`, writing the same columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.kinds import CHANNELS, N_PLATFORMS, SELLER_CLASSES
from sim.rules import Rules
from sim.state.catalogue import Catalogue

if TYPE_CHECKING:
    from mesa.model import Model


def effective_commission(asked: NDArray[np.float32], rules: Rules) -> NDArray[np.float32]:
    """float32[H, 2]: all a seller pays on a sale, the host's part included: the lower of what is asked and the cap."""
    lower: NDArray[np.float32] = np.minimum(asked, rules.commission.cap).astype(np.float32)
    return lower


def split_commission(
    asked: NDArray[np.float32], rules: Rules, economics: Economics
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The platform's own part and the host's part of the commission, float32[P, 2, 3] each.

    By platform, seller class and streamer tier. A cap shortens both in proportion.
    """
    charge = effective_commission(asked, rules)[:N_PLATFORMS, :, None].astype(np.float64)
    host = economics.host_parts()[None, None, :]
    return (charge * (1.0 - host)).astype(np.float32), (charge * host).astype(np.float32)


class Channel(Agent):
    """One channel: its number in kinds.CHANNELS and the columns of the catalogue it writes."""

    def __init__(self, model: Model[Any, Any], index: int, catalogue: Catalogue) -> None:
        super().__init__(model)
        self.index = index
        self.catalogue = catalogue

    @property
    def name(self) -> str:
        """Name in kinds.CHANNELS."""
        return CHANNELS[self.index]

    @property
    def is_live(self) -> bool:
        """Whether it has rooms."""
        return self.index < N_PLATFORMS

    def asked(self, seller: str) -> float:
        """Commission asked of a seller class, host's part included, before any cap."""
        return float(self.catalogue.commission_asked[self.index, SELLER_CLASSES.index(seller)])

    def ask(self, seller: str, share: float) -> None:
        """Sets the commission asked of a seller class from now on. Raises ValueError outside [0, 1)."""
        if not 0 <= share < 1:
            raise ValueError(f"a commission is a share in [0, 1), not {share}")
        self.catalogue.commission_asked[self.index, SELLER_CLASSES.index(seller)] = share

    def charged(self, seller: str, rules: Rules) -> float:
        """Commission in force today: the lower of what is asked and the cap."""
        both = effective_commission(self.catalogue.commission_asked, rules)
        return float(both[self.index, SELLER_CLASSES.index(seller)])


def make_channels(model: Model[Any, Any], catalogue: Catalogue) -> list[Channel]:
    """The ten channels as Mesa agents, in order."""
    return [Channel(model, index, catalogue) for index in range(len(CHANNELS))]
