"""Growth of live shopping and of the internet: typed parameters; units and sources stand in configs/growth."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import REGIONS


class AdoptionRule(Group):
    spreads: bool
    start_share: float
    press: float
    contact: float
    shared_link: float
    need: float
    value: float
    subsidy: float
    drop: float
    drop_idle: float
    idle_days: float
    drop_trust: float


class HostsThen(Group):
    start_share: float


class Internet(Group):
    grows: bool
    yearly: dict[str, float]
    ceiling: float

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.yearly) != set(REGIONS):
            raise ValueError(f"yearly: needs exactly {', '.join(REGIONS)}")
        return self


class Growth(Group):
    adoption: AdoptionRule
    hosts: HostsThen
    internet: Internet
