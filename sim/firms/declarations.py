"""Declarations: the value that is written on parcels, and whether an order of several units travels in one of them.

A merchant that evades declares the part of the goods' value that pays best: taxes saved make its offer cheaper at the
door, against the chance that the parcel is opened, the understatement seen, and evaded taxes, a fine and now and then
the parcel are lost (Allingham and Sandmo 1972; undervaluation rises with the rate: Fisman and Wei 2004). It also sends
the units of an order in parcels of their own where together they would cross a threshold and that costs less than
another parcel. Others declare what is true and send one parcel; which merchants evade is drawn once.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config.logistics import Logistics
from sim.config.payments import Payments
from sim.draws import Draws, Purpose
from sim.kernels.declarations import DeclarationRule, declare, extra_parcel_cents
from sim.kernels.prices import Listing
from sim.kernels.supply import CostTable
from sim.rules import Rules
from sim.state.catalogue import Catalogue

type F64 = NDArray[np.float64]


class DeclarationsSource(Protocol):
    """What declarations need of a run's configuration."""

    @property
    def supply(self) -> Any:
        """Who evades, how far."""

    @property
    def logistics(self) -> Logistics:
        """What customs see and keep."""

    @property
    def payments(self) -> Payments:
        """The fine."""


class Declarations:
    """Chooses what is declared. Writes evades, understated_permille and postage_cents of the catalogue."""

    def __init__(self, cfg: DeclarationsSource, draws: Draws, catalogue: Catalogue, tier_share: F64) -> None:
        rule = cfg.supply.declarations
        self.catalogue = catalogue
        self._tier_share = tier_share
        self._rule = rule
        self._seen, self._seized = cfg.logistics.customs.understated_seen, cfg.logistics.customs.understated_seized
        self._penalty = cfg.payments.misdeclared_penalty
        self._draws = draws
        self._evades = np.zeros(catalogue.n_merchants, np.uint8)
        self.meet(np.arange(catalogue.n_merchants))

    def meet(self, who: NDArray[np.integer]) -> None:
        """Reads how honest the merchants in the rows `who` (k,) are: a property of the person, drawn by identity."""
        luck = np.asarray(self._draws.uniform(Purpose.HONESTY, self.catalogue.identity[who]))
        self._evades[who] = luck >= self._rule.honest_share

    def review(
        self, listing: Listing, costs: CostTable, border: NDArray[Any], rules: Rules, who: NDArray[np.bool_]
    ) -> None:
        """Merchants `who` bool[m] decide what they will declare until the next review."""
        catalogue = self.catalogue
        catalogue.evades[who] = self._evades[who]
        rule = DeclarationRule(
            inspected=np.asarray(rules.customs.inspection_rate, np.float64).copy(),
            seen=self._seen,
            seized=self._seized,
            penalty=self._penalty,
            largest=round(1000 * self._rule.largest),
        )
        declare(rule, listing, costs, border, who, catalogue.evades, self._tier_share, catalogue.understated_permille)
        extra_parcel_cents(listing, costs, who, catalogue.postage_cents)
