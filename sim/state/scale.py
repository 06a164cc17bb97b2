"""How many real people and firms one simulated one stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Scale:
    """The weights that connect a sample with the world.

    `weight` is W, the online adults that one consumer represents (persons per consumer). `firms` gives F by class of
    firm (for example "small", "large", "streamer", "mcn"): the real firms that one simulated firm represents. Money
    inside the run is that of one consumer's world; reports multiply by W.
    """

    weight: float
    firms: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError if a weight is not positive and finite."""
        for name, value in (("weight", self.weight), *self.firms.items()):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"the scale of {name} must be positive and finite, not {value}")
        object.__setattr__(self, "firms", MappingProxyType(dict(self.firms)))

    @classmethod
    def of(cls, adults: float, consumers: int, firms: Mapping[str, tuple[float, int]] | None = None) -> Scale:
        """W from `adults` online adults in `consumers`, F from (real, simulated) counts by class of firm."""
        return cls(adults / consumers, {name: real / count for name, (real, count) in (firms or {}).items()})

    def to_world(self, amount: float) -> float:
        """An amount or count of the simulated world as that of the real one: times W."""
        return amount * self.weight

    def firm_amount(self, amount: float, firm_class: str) -> float:
        """A real firm's absolute amount (fixed cost, cash, credit, fine) as that of the simulated firm: times F / W.

        One simulated firm stands for F real ones, and faces the demand of consumers who each stand for W people.
        """
        return amount * self.firms[firm_class] / self.weight

    def market_amount(self, amount: float) -> float:
        """A market-wide amount (a country's carrier capacity, a pool of subsidies) for the sample: times 1 / W."""
        return amount / self.weight
