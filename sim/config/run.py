"""The configuration of one run: every group, and what belongs to the run itself."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr

from sim.config.consumer import Consumer
from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import Geography
from sim.config.graph import Graph
from sim.config.growth import Growth
from sim.config.logistics import Logistics
from sim.config.payments import Payments
from sim.config.population import Population
from sim.config.quantity import Group, Quantity
from sim.config.rules import RulesBaseline
from sim.config.supply import Supply

# How a run is computed and where it is written; none of it can change a number, so none of it is in the hash.
# The scenario's words are not in it either: two scenarios that say the same are the same run.
NOT_MODEL = frozenset({"engine", "threads", "chunk", "out", "record", "scenario"})


def _sha256(plain: dict[str, Any]) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class Scenario(Group):
    """What a scenario asks: its name, its question, and the name of the scenario it is compared to (or null)."""

    name: str
    question: str = ""
    compared_to: str | None = None


class RunConfig(Group):
    """Everything that decides a run, frozen.

    `days`, `warmup_days`: days; `start_date`: first reported day (UTC); `threads`: 0 means as many as the machine has
    cores; `interventions`: rows by name, checked against their kinds by `sim.interventions`.
    """

    scenario: Scenario
    days: int
    warmup_days: int
    start_date: Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))]
    seed: int
    calendar: Literal["real", "flat"]
    availability: Literal["report", "observed"]
    record: Literal["summary", "daily", "full"]
    engine: Literal["kernels", "agents"]
    threads: int
    chunk: int
    out: str | None
    population: Population
    firms: Firms
    geography: Geography
    economics: Economics
    consumer: Consumer
    supply: Supply
    logistics: Logistics
    payments: Payments
    graph: Graph
    rules: RulesBaseline
    growth: Growth
    interventions: dict[str, dict[str, Any]]

    _quantities: dict[str, Quantity] = PrivateAttr(default_factory=dict)
    _origin: dict[str, str] = PrivateAttr(default_factory=dict)
    _overrides: tuple[str, ...] = PrivateAttr(default=())

    @property
    def first_day(self) -> date:
        """The first simulated day, warm-up included."""
        return self.start_date - timedelta(days=self.warmup_days)

    @property
    def last_day(self) -> date:
        """The last simulated day."""
        return self.start_date + timedelta(days=self.days - 1)

    @property
    def overrides(self) -> tuple[str, ...]:
        """What the command line set, as given."""
        return self._overrides

    def model_half(self) -> dict[str, Any]:
        """The part that decides the run's numbers, as plain values."""
        return self.model_dump(mode="json", exclude=set(NOT_MODEL))

    def model_hash(self) -> str:
        """SHA-256 (64 hex digits) of the model half; with the same code and lock, equal hashes mean equal numbers."""
        return _sha256(self.model_half())

    def past_hash(self) -> str:
        """SHA-256 (64 hex digits) of all that decides a run before the first of its interventions begins.

        Runs with equal hashes are one run up to that day: they differ in their interventions, in their scenario's
        words, and in where and by how many threads they are computed.
        """
        return _sha256(self.model_dump(mode="json", exclude={"scenario", "interventions", "threads", "out"}))

    def with_seed(self, seed: int, overrides: tuple[str, ...]) -> RunConfig:
        """The same configuration with another seed, given on the command line among `overrides`."""
        other = self.model_copy(update={"seed": seed})
        other.remember(self._quantities, {**self._origin, "seed": "command line"}, overrides)
        return other

    def origin(self, key: str) -> str:
        """The file (or "command line") that gave the key its value."""
        while key:
            if key in self._origin:
                return self._origin[key]
            key = key.rpartition(".")[0]
        return "configs/config.yaml"

    def remember(self, quantities: dict[str, Quantity], origin: dict[str, str], overrides: tuple[str, ...]) -> None:
        """Keep what the loader knows beside the values; called once, by the loader."""
        self._quantities, self._origin, self._overrides = quantities, origin, overrides

    def quantities(self) -> dict[str, Quantity]:
        """What every parameter says about itself, by dotted key."""
        return self._quantities
