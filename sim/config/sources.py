"""What the parts of a world may ask of a run's configuration: one protocol for each set of groups that many share.

`RunConfig` fits all of them; a part names the smallest that it needs, so that it says what it depends on.
"""

from __future__ import annotations

from typing import Protocol

from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import Availability, Geography
from sim.config.payments import Payments
from sim.config.supply import Supply


class FirmsSource(Protocol):
    """Who there is, where, and what things cost."""

    @property
    def firms(self) -> Firms:
        """Numbers and attributes of merchants, hosts and agencies."""

    @property
    def economics(self) -> Economics:
        """Prices, costs and shares of the trade."""

    @property
    def geography(self) -> Geography:
        """Countries, languages and platforms."""

    @property
    def availability(self) -> Availability:
        """Which of the two tables of open platforms holds."""


class MarketSource(FirmsSource, Protocol):
    """That, and how firms decide."""

    @property
    def supply(self) -> Supply:
        """Decision rules."""


class TradeSource(MarketSource, Protocol):
    """That, and what crossing a border takes."""

    @property
    def payments(self) -> Payments:
        """Customs value, fines and ways to pay."""
