"""Warehouses: four in China, one in every destination country. Ordinary Mesa agents that staff their stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.logistics import Capacity
from sim.kernels.stations import BACKLOG, OPEN, SEEN, SERVED, Bank
from sim.kinds import COUNTRIES, N_ORIGIN_WAREHOUSES
from sim.state.catalogue import Catalogue

if TYPE_CHECKING:
    from mesa.model import Model

type Floats = NDArray[np.float64]


def planned_capacity(
    load: Floats, backlog: Floats, built: Floats, utilisation: float, policy: Capacity
) -> NDArray[np.float64]:
    """Parcels a day that an operator staffs for tomorrow; arrays of stations, or scalars.

    The plan covers the smoothed load at the target utilisation and never falls below a share of what was built first.
    Extra staff comes when the backlog exceeds `surge_backlog_days` of planned work, in proportion to the backlog, up to
    `surge_most` of the plan. Source: capacity planning by target utilisation, as in the staffing rules that
    docs/logistics.md names; the numbers are assumptions of configs/logistics.
    """
    plan = np.maximum(load, policy.floor * built) / utilisation
    days = backlog / plan
    extra = np.clip(days - policy.surge_backlog_days, 0.0, policy.surge_most)
    return np.asarray(plan * (1.0 + extra), dtype=np.float64)


class Warehouse(Agent):
    """One warehouse: its stock in the catalogue, its picking line and its returns bench among the stations.

    `index` counts as in `kinds`: 0..3 in China, 4 + c in country c. An origin warehouse has no bench of its own for
    parcels: what comes back is graded in the buyer's country.
    """

    def __init__(
        self, model: Model[Any, Any], index: int, catalogue: Catalogue, pick: Bank, bench: Bank, policy: Capacity
    ) -> None:
        super().__init__(model)
        self.index = index
        self.catalogue = catalogue
        self.pick = pick
        self.bench = bench
        self.policy = policy

    @property
    def is_origin(self) -> bool:
        """Whether it stands in China."""
        return self.index < N_ORIGIN_WAREHOUSES

    @property
    def country(self) -> str:
        """Code of the country it stands in."""
        return "CN" if self.is_origin else COUNTRIES[self.index - N_ORIGIN_WAREHOUSES]

    @property
    def stock(self) -> int:
        """Units that lie in it."""
        return int(self.catalogue.real[:, self.index].sum())

    @property
    def shown_stock(self) -> int:
        """Units that sellers believe to lie in it: of each line, what the listing that shows more of it says."""
        return int(self.catalogue.shown[:, :, self.index].max(axis=0).sum())

    @property
    def is_open(self) -> bool:
        """Whether today's rules let it work."""
        return bool(self.pick.state[self.index, OPEN])

    @property
    def backlog(self) -> int:
        """Orders that wait for the picking line."""
        return int(self.pick.state[self.index, BACKLOG])

    @property
    def capacity(self) -> float:
        """Orders a day that the picking line can start."""
        return float(self.pick.capacity()[self.index])

    @property
    def picked(self) -> int:
        """Orders picked since the first day."""
        return int(self.pick.state[self.index, SERVED])

    @property
    def received(self) -> int:
        """Orders that reached the picking line since the first day."""
        return int(self.pick.state[self.index, SEEN])

    def staff(self, load: float, built: float) -> float:
        """Orders a day it staffs its picking line for, given the smoothed load and what was built first."""
        utilisation = self.policy.utilisation["pick"]
        plan = planned_capacity(
            np.array(load), np.array(float(self.backlog)), np.array(built), utilisation, self.policy
        )
        return float(plan)
