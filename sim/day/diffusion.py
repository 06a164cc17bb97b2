"""Live shopping spreads among friends and is given up again; people come online. Both are off in the baseline.

The evening weighs a seventh of the people (`sim.kernels.adoption`). Until the first reported day nobody turns, so that
a run starts with the adopters it names.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.config import RunConfig
from sim.draws import Draws
from sim.kernels.adoption import weigh_adoption
from sim.kernels.live import CLOSED, N_DAYPARTS, People, Setting
from sim.kernels.maths import exp_array
from sim.kinds import ADOPTER, N_COUNTRIES, N_PLATFORMS, NON_ADOPTER, OFFLINE
from sim.state.online import first_adopters, online_days
from sim.state.social import SocialGraph
from sim.state.table import Table


class Opened(Protocol):
    """Who opened what today."""

    def rows(self, kind: int, daypart: int) -> NDArray[np.uint32]:
        """Rows of the people who opened a live channel (kind 0) in a daypart."""


def adoption_record(cfg: RunConfig) -> NDArray[Any]:
    """The parameters of configs/growth adoption and the usual trust as one record, shape (1,), float32."""
    fields = {name: float(value) for name, value in cfg.growth.adoption if name not in ("spreads", "start_share")}
    fields["usual_trust"] = cfg.consumer.trust.prior_mean
    plain = np.dtype([(name, np.float32) for name in fields])
    record = np.zeros(1, dtype=np.dtype((np.record, plain)))
    for name, value in fields.items():
        record[name] = value
    return record


class Diffusion:
    """`alive` uint8[n]: 1 for who is online. `visited` uint16[n]: day of the last live session, if adoption is on."""

    def __init__(self, cfg: RunConfig, consumers: Table, graph: SocialGraph, start_day: int, draws: Draws) -> None:
        self._people, self._graph, self._start, self._draws = consumers, graph, start_day, draws
        self._on = cfg.growth.adoption.spreads
        self.rules = adoption_record(cfg)
        self.alive = (consumers.adopter != OFFLINE).astype(np.uint8)
        waiting = np.flatnonzero(consumers.adopter == OFFLINE)
        days = online_days(cfg, consumers.country[waiting], consumers.birth[waiting], draws)
        order = np.argsort(days, kind="stable")
        self._waiting, self._days = waiting[order], days[order]  # by the day they come
        size = len(consumers) if self._on else 0
        self.visited = np.full(size, start_day, np.uint16)
        self._turned = np.zeros(size, np.uint8)
        shares = cfg.geography.adoption_shares()
        usual = cfg.geography.adopters().sum() / cfg.geography.online_adults().sum()
        self._ready = (shares / usual).astype(np.float32)
        self._first: NDArray[np.float32] | None = None
        self._adopters, self._usual = np.ones(N_COUNTRIES, np.int64), np.ones(N_COUNTRIES, np.int64)
        if self._on:
            country = consumers.country.astype(np.int64)
            usual_state = first_adopters(cfg, country, consumers.age.astype(np.int64), consumers.birth, draws, 1.0)
            for counts, state in ((self._adopters, consumers.adopter), (self._usual, usual_state)):
                counts[:] = np.bincount(country[state == ADOPTER], minlength=N_COUNTRIES)

    def grown(self) -> NDArray[np.float64]:
        """float64[C]: adopters now against those of the base year; 1 while adoption is off."""
        ratio: NDArray[np.float64] = self._adopters / np.maximum(self._usual, 1)
        return ratio

    def arrive(self, day: int) -> None:
        """The morning: those whose first day online it is are there, without live shopping."""
        arriving = int(np.searchsorted(self._days, day, side="right"))
        rows = self._waiting[:arriving]
        self._people.adopter[rows] = NON_ADOPTER
        self.alive[rows] = 1
        self._waiting, self._days = self._waiting[arriving:], self._days[arriving:]

    def ease(self, setting: Setting) -> NDArray[np.float32]:
        """float32[C, ages]: how easily live shopping is taken up, 1 where usual.

        Countries and ages keep the differences of the base year's adoption; rooms on air count against the first day.
        """
        if self._first is None:
            self._first = setting.expected.copy()
        rule = self.rules[0]
        offered = np.append(setting.subsidy_usd, np.zeros(int(CLOSED) + 1 - N_PLATFORMS, np.float32))
        subsidy = offered[setting.platform_slots].max(axis=1)
        pull = exp_array(rule.value * (setting.expected - self._first) + rule.subsidy * subsidy)
        return self._ready * pull[:, None]

    def turn(self, people: People, setting: Setting, sessions: Opened, day: int) -> None:
        """The evening: a seventh of the people weigh whether to take up live shopping or to give it up."""
        if not self._on or day < self._start:
            return
        for daypart in range(N_DAYPARTS):
            self.visited[sessions.rows(0, daypart)] = day
        weigh_adoption(
            self.rules, people, self._people.age, setting.need_rate, self.ease(setting), self.visited, day,
            self._graph.friends, self._draws.key[0], self._draws.key[1], self._turned,
        )  # fmt: skip
        rows = np.flatnonzero(self._turned)
        left = self._people.adopter[rows] == ADOPTER
        self._people.adopter[rows] = np.where(left, NON_ADOPTER, ADOPTER)
        np.add.at(self._adopters, self._people.country[rows], np.where(left, -1, 1))
        self.visited[rows] = day
