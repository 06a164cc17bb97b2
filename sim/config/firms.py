"""Who supplies: how many simulated merchants, streamers and agencies, for how many real ones, and who they are.

Meanings, units, ranges and sources: `configs/firms/default.yaml`. Numbers of firms do not depend on the number of
consumers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import (
    CATEGORIES,
    N_ORIGIN_WAREHOUSES,
    PLATFORMS,
    REGION_OF_COUNTRY,
    REGIONS,
    SELLER_CLASSES,
    STREAMER_TIERS,
    STREAMER_TYPES,
)

REAL_FIRMS = (*SELLER_CLASSES, "streamer", "mcn")
"""Classes of firm with a weight F of their own: small and large merchants, streamers, agencies."""

type Floats = npt.NDArray[np.float64]


class Merchants(Group):
    count: int
    large_share: float
    lines: int
    size_exponent: dict[str, float]
    fixed_cost_scale: float
    category_flattening: float
    country_share: dict[str, float]
    platform_share: dict[str, float]
    own_site: dict[str, float]
    lister: float
    home_warehouse: tuple[float, ...]
    counterfeit: dict[str, float]
    counterfeit_small_factor: float
    return_guarantee: dict[str, float]
    insured: float
    reputation: float
    reputation_spread: float
    quality_spread: float
    price_level: float
    price_spread: float
    price_quality_slope: float
    weight_spread: float
    cold_share: dict[str, float]
    c2m_share: float
    c2m_quality: float
    c2m_cost: float


class Streamers(Group):
    count: int
    least_per_cell: int
    entrants: float
    country_exponent: float
    tier_share: dict[str, float]
    type_share: dict[str, dict[str, float]]
    local_share: dict[str, float]
    local_proficiency: float
    bilingual_proficiency: float
    proficiency_spread: float
    second_language: float
    skill: dict[str, float]
    skill_spread: float
    lively: dict[str, float]
    lively_spread: float
    certified: float
    integrity: float
    integrity_spread: float
    agency_share: dict[str, float]
    platform_taste: dict[str, dict[str, float]]


class Agencies(Group):
    count: int
    share_spread: float
    fake_share: float
    fake_audience: float
    traffic_share: float


class Firms(Group):
    """Numbers and attributes of merchants, streamers and agencies (MCNs)."""

    scale: float
    real: dict[str, float]
    merchants: Merchants
    streamers: Streamers
    agencies: Agencies

    @model_validator(mode="after")
    def _complete(self) -> Self:
        merchants, streamers = self.merchants, self.streamers
        tables: tuple[tuple[str, Mapping[str, object], Sequence[str]], ...] = (
            ("real", self.real, REAL_FIRMS),
            ("merchants.size_exponent", merchants.size_exponent, SELLER_CLASSES),
            ("merchants.country_share", merchants.country_share, SELLER_CLASSES),
            ("merchants.platform_share", merchants.platform_share, SELLER_CLASSES),
            ("merchants.own_site", merchants.own_site, SELLER_CLASSES),
            ("merchants.counterfeit", merchants.counterfeit, CATEGORIES),
            ("merchants.return_guarantee", merchants.return_guarantee, SELLER_CLASSES),
            ("merchants.cold_share", merchants.cold_share, CATEGORIES),
            ("streamers.tier_share", streamers.tier_share, STREAMER_TIERS),
            ("streamers.type_share", streamers.type_share, REGIONS),
            ("streamers.local_share", streamers.local_share, REGIONS),
            ("streamers.skill", streamers.skill, STREAMER_TYPES),
            ("streamers.lively", streamers.lively, STREAMER_TYPES),
            ("streamers.agency_share", streamers.agency_share, STREAMER_TIERS),
            ("streamers.platform_taste", streamers.platform_taste, PLATFORMS),
            *((f"streamers.type_share.{name}", row, STREAMER_TYPES) for name, row in streamers.type_share.items()),
            *((f"streamers.platform_taste.{name}", row, CATEGORIES) for name, row in streamers.platform_taste.items()),
        )
        for name, given, wanted in tables:
            if set(given) != set(wanted):
                wrong = ", ".join(sorted(set(given) ^ set(wanted)))
                raise ValueError(f"{name} must have exactly the keys {', '.join(wanted)}; see {wrong}")
        if len(merchants.home_warehouse) != N_ORIGIN_WAREHOUSES:
            raise ValueError(f"merchants.home_warehouse must have {N_ORIGIN_WAREHOUSES} shares")
        for name, shares in (
            ("merchants.home_warehouse", merchants.home_warehouse),
            ("streamers.tier_share", streamers.tier_share.values()),
            *((f"streamers.type_share.{region}", row.values()) for region, row in streamers.type_share.items()),
        ):
            if abs(sum(shares) - 1.0) > 1e-6:
                raise ValueError(f"{name} sums to {sum(shares):g} instead of 1")
        return self

    def counts(self, cells: int) -> tuple[int, int, int]:
        """Simulated merchants, streamers and agencies, `scale` applied.

        `cells` is the number of (country, platform) pairs on offer; each keeps at least `least_per_cell` streamers at
        full scale, and never fewer than one.
        """
        merchants = max(8, round(self.merchants.count * self.scale))
        least = max(1, round(self.streamers.least_per_cell * min(self.scale, 1.0)))
        streamers = max(least * cells, round(self.streamers.count * self.scale))
        return merchants, streamers, max(2, round(self.agencies.count * self.scale))

    def host_rows(self, cells: int) -> int:
        """Rows of the table of streamers: those in business on the first day, and those who may enter later."""
        streamers = self.counts(cells)[1]
        return streamers + round(self.streamers.entrants * streamers)

    def large_merchants(self, merchants: int) -> int:
        """How many of the simulated merchants are large; they come last."""
        return min(max(1, round(self.merchants.large_share * merchants)), merchants - 1)

    def real_and_simulated(self, cells: int) -> dict[str, tuple[float, int]]:
        """(real, simulated) number by class of firm, as `Scale.of` takes it."""
        merchants, streamers, agencies = self.counts(cells)
        large = self.large_merchants(merchants)
        simulated = dict(zip(REAL_FIRMS, (merchants - large, large, streamers, agencies), strict=True))
        return {name: (self.real[name], count) for name, count in simulated.items()}

    def by_class(self, table: Mapping[str, float]) -> Floats:
        """float64[2] of a table keyed by seller class."""
        return np.array([table[name] for name in SELLER_CLASSES])

    def by_category(self, table: Mapping[str, float]) -> Floats:
        """float64[K] of a table keyed by category."""
        return np.array([table[name] for name in CATEGORIES])

    def types_by_country(self) -> Floats:
        """float64[C, 4]: share of a country's streamers by type."""
        rows = [[self.streamers.type_share[REGIONS[r]][name] for name in STREAMER_TYPES] for r in REGION_OF_COUNTRY]
        return np.array(rows)

    def local_by_country(self) -> Floats:
        """float64[C]: share of a country's streamers who grew up there."""
        return np.array([self.streamers.local_share[REGIONS[r]] for r in REGION_OF_COUNTRY])

    def platform_tastes(self) -> Floats:
        """float64[P, K]: how strongly a platform leans to a category, 1 neutral."""
        return np.array([[self.streamers.platform_taste[p][k] for k in CATEGORIES] for p in PLATFORMS])
