"""Habits of platforms that people share: use breeds use.

Everybody has lasting habits of their own (`habit`, drawn at build). What moves over time is common to a country: the
more a platform is used there against the base year, the more it comes to mind (network effect; habit as slowly adapting
stock: Pollak 1970). A country at rest keeps its habits.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.kernels.maths import log_array
from sim.kinds import N_CHANNELS, N_COUNTRIES, N_PLATFORMS

type F64 = NDArray[np.float64]

LOOK_BACK = 28.0  # days over which use is averaged
LEAST = 1e-6


class HabitRule(Protocol):
    """Parameters, see `configs/supply` platforms."""

    @property
    def habit_response(self) -> float:
        """Utils per unit of log share."""

    @property
    def habit_memory_days(self) -> float:
        """Time constant."""

    @property
    def habit_trust_visits(self) -> float:
        """Sampled visits at which what is seen weighs as much as the usual split."""

    @property
    def habit_purchase_weight(self) -> float:
        """Visits an order counts for."""


def habit_step(shift: F64, share: F64, first: F64, response: float, memory: float) -> F64:
    """A day's move of the common habit, utils, towards response x log(share of use / share in the base year)."""
    ratio = np.maximum(share, LEAST) / np.maximum(first, LEAST)
    target = response * log_array(ratio.reshape(-1)).astype(np.float64).reshape(ratio.shape)
    moved: F64 = shift + (target - shift) / memory
    return moved


class Habits:
    """`shift` float64[C, P], utils on top of everybody's own habit; 0 until `start_day`, and where nothing changes.

    `usual` float64[C, P]: expected split of a country's use over platforms. Without four weeks of warm-up the base is
    what the first four weeks show.
    """

    def __init__(self, rule: HabitRule, on: bool, usual: F64, first_day: int, start_day: int) -> None:
        self.rule, self.on = rule, on
        self.usual = usual / np.maximum(usual.sum(axis=1, keepdims=True), LEAST)
        self.base_day = max(start_day, first_day + int(LOOK_BACK))
        self.use = np.zeros((N_COUNTRIES, N_PLATFORMS))  # a day, smoothed
        self.first = self.usual.copy()
        self.shift = np.zeros((N_COUNTRIES, N_PLATFORMS))
        self._days = 0

    def learn(self, visits: NDArray[np.int64], orders: NDArray[np.int64], day: int) -> None:
        """The evening: today's visits and live orders by cell (see `sim.record.schema.cells`) move the habit."""
        if not self.on or self.rule.habit_response == 0.0:
            return
        shape = (N_COUNTRIES, N_CHANNELS, -1)
        seen = visits.reshape(shape)[:, :N_PLATFORMS].sum(axis=2)
        bought = orders.reshape(shape)[:, :N_PLATFORMS].sum(axis=2)
        self._days += 1
        pace = max(1.0 / self._days, 1.0 / LOOK_BACK)
        self.use += pace * (seen + self.rule.habit_purchase_weight * bought - self.use)
        weight = self.use * min(self._days, LOOK_BACK)
        trust = self.rule.habit_trust_visits
        share = (trust * self.usual + weight) / (trust + weight.sum(axis=1, keepdims=True))
        if day + 1 < self.base_day:
            return
        if day + 1 == self.base_day:
            self.first = share
        self.shift = habit_step(self.shift, share, self.first, self.rule.habit_response, self.rule.habit_memory_days)
