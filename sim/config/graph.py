"""Who is whose friend, and how popular hosts are at the start: the typed parameters of configs/graph.

Units, ranges, sources and meanings stand beside the values in configs/graph/default.yaml.
"""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import model_validator

from sim.config.quantity import Group


class Links(Group):
    """Where a person's own choices of friends go; shares that sum to 1."""

    circle: float
    community: float
    language: float
    country: float
    abroad: float

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = self.circle + self.community + self.language + self.country + self.abroad
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"the five shares must sum to 1, not {total:g}")
        return self


class Popularity(Group):
    """How unequal hosts' popularity is on the first day."""

    start: Literal["musae", "equal"]
    body_sigma: float
    top_share: float
    top_exponent: float
    top_ratio: float


class Graph(Group):
    """The friends graph. `file`: a user's own network instead of the generated one, empty for none."""

    file: str
    mean_degree: float
    circle_size: int
    community_size: int
    links: Links
    abroad_same_language: float
    closure: float
    tail_exponent: float
    highest_degree: int
    popularity: Popularity
