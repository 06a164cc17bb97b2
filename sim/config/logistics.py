"""Logistics: unloaded times, capacities, risks and emissions of every stage from the paid order to the door and back.

Meanings, units, ranges and sources: `configs/logistics/default.yaml`. How the stages work: docs/logistics.md.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import CATEGORIES, COUNTRIES, MODES, REGION_OF_COUNTRY, REGIONS

PARCEL_MODES = MODES[:4]
"""Modes a direct parcel can take; the others carry stock in bulk."""
BULK_MODES = MODES[4:]
STAGES = ("pick", "linehaul", "customs", "last_mile", "bench")
"""The stations a parcel may pass, in order."""

type Floats = npt.NDArray[np.float64]


class Handling(Group):
    sigma: float
    direct_median_days: float
    stocked_median_days: float
    longest_days: float


class Transit(Group):
    shape: float
    shortest_days: dict[str, float]
    excess_days: dict[str, float]
    lane_factor: dict[str, float]
    departure_hours: dict[str, float]
    distance_km: dict[str, float]


class Customs(Group):
    days_at_score_3: float
    days_per_point: float
    shortest_share: float
    hold_days: float
    seized_share: dict[str, float]
    understated_seen: float
    understated_seized: float


class LastMile(Group):
    sort_hours: float
    shortest_share: float
    stocked_factor: float
    co2_g: float
    failed_co2_share: float


class CarrierProfile(Group):
    share: float
    coverage: float
    time_factor: float
    price_factor: float
    lost: float
    damaged: float
    co2_factor: float


class Carriers(Group):
    first: CarrierProfile
    second: CarrierProfile

    def values(self, name: str) -> Floats:
        """float64[40]: one field of the two carriers of every country, carrier 2c before 2c + 1."""
        return np.tile([float(getattr(self.first, name)), float(getattr(self.second, name))], len(COUNTRIES))


class Risk(Group):
    lost: dict[str, float]
    damaged: dict[str, float]
    lost_declared_days: float


class ColdChain(Group):
    shelf_life_days: float
    shelf_life_sigma: float


class Capacity(Group):
    orders_per_person_day: float
    direct_share: float
    return_share: float
    utilisation: dict[str, float]
    slack_hours: dict[str, float]
    slack_parcels: float
    memory_days: float
    lane_floor: float
    floor: float
    surge_backlog_days: float
    surge_most: float


class Stock(Group):
    unrecorded_daily: dict[str, float]
    backorder_days: float


class Bulk(Group):
    production_days: float
    shortest_days: dict[str, float]
    excess_days: dict[str, float]
    departure_hours: dict[str, float]


class Emission(Group):
    kg_per_tonne_km: dict[str, float]
    packaging_g: float


class Returns(Group):
    pickup_days: float
    bench_hours: float
    resaleable: dict[str, float]
    direct_resaleable: float
    direct_back_days: float


class Refusal(Group):
    cash_on_delivery: float
    late_adds: float


class Promise(Group):
    quantile: float
    buffer_days: dict[str, float]
    window_days: int
    prior_parcels: float


class Logistics(Group):
    """Everything between the paid order and the door, and the way back."""

    handling: Handling
    transit: Transit
    mode_share: dict[str, dict[str, float]]
    customs: Customs
    last_mile: LastMile
    carrier: Carriers
    risk: Risk
    cold_chain: ColdChain
    capacity: Capacity
    stock: Stock
    bulk: Bulk
    emission: Emission
    returns: Returns
    refusal: Refusal
    promise: Promise

    @model_validator(mode="after")
    def _complete(self) -> Self:
        tables: tuple[tuple[str, dict[str, float], tuple[str, ...]], ...] = (
            ("transit.shortest_days", self.transit.shortest_days, PARCEL_MODES),
            ("transit.excess_days", self.transit.excess_days, PARCEL_MODES),
            ("transit.departure_hours", self.transit.departure_hours, PARCEL_MODES),
            ("transit.lane_factor", self.transit.lane_factor, COUNTRIES),
            ("transit.distance_km", self.transit.distance_km, COUNTRIES),
            ("risk.lost", self.risk.lost, PARCEL_MODES),
            ("risk.damaged", self.risk.damaged, PARCEL_MODES),
            ("customs.seized_share", self.customs.seized_share, CATEGORIES),
            ("capacity.utilisation", self.capacity.utilisation, STAGES),
            ("capacity.slack_hours", self.capacity.slack_hours, STAGES),
            ("stock.unrecorded_daily", self.stock.unrecorded_daily, CATEGORIES),
            ("bulk.shortest_days", self.bulk.shortest_days, BULK_MODES),
            ("bulk.excess_days", self.bulk.excess_days, BULK_MODES),
            ("bulk.departure_hours", self.bulk.departure_hours, BULK_MODES),
            ("emission.kg_per_tonne_km", self.emission.kg_per_tonne_km, MODES),
            ("returns.resaleable", self.returns.resaleable, CATEGORIES),
            ("promise.buffer_days", self.promise.buffer_days, ("stocked", "direct")),
        )
        for name, table, names in tables:
            if set(table) != set(names):
                wrong = sorted(set(table) ^ set(names))
                raise ValueError(f"{name} must have exactly the keys {', '.join(names)}; see {', '.join(wrong)}")
        if set(self.mode_share) != set(REGIONS):
            raise ValueError(f"mode_share must have exactly the regions {', '.join(REGIONS)}")
        for region, shares in self.mode_share.items():
            if set(shares) != set(PARCEL_MODES):
                raise ValueError(f"mode_share.{region} must have exactly the modes {', '.join(PARCEL_MODES)}")
            if abs(sum(shares.values()) - 1.0) > 1e-6:
                raise ValueError(f"mode_share.{region} sums to {sum(shares.values()):g}, not to 1")
        return self

    def mode_shares(self) -> Floats:
        """float64[C, 4]: share of a country's direct parcels by mode."""
        return np.array([[self.mode_share[REGIONS[r]][m] for m in PARCEL_MODES] for r in REGION_OF_COUNTRY])


def by_name(table: dict[str, float], names: tuple[str, ...]) -> Floats:
    """float64[len(names)]: the values of a table in the order of `names`."""
    return np.array([table[name] for name in names], dtype=np.float64)
