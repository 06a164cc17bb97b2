"""Last-mile carriers, two in every destination country, and what a parcel emits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from mesa.agent import Agent
from numba import njit
from numpy.typing import NDArray

from sim.config.logistics import BULK_MODES, PARCEL_MODES, CarrierProfile, Logistics, by_name
from sim.kernels.stations import BACKLOG, OPEN, SERVED, Bank
from sim.kinds import COUNTRIES, MODES, N_CARRIERS, N_COUNTRIES, N_ORIGIN_WAREHOUSES

if TYPE_CHECKING:
    from mesa.model import Model

type Floats = NDArray[np.float64]
Whole = Any  # a whole number: int, or any integer of numpy

N_PARCEL_MODES, N_BULK_MODES = len(PARCEL_MODES), len(BULK_MODES)


class Carrier(Agent):
    """One last-mile carrier: a row of the last-mile stations and a profile of speed, price and reliability."""

    def __init__(self, model: Model[Any, Any], index: int, name: str, bank: Bank, profile: CarrierProfile) -> None:
        super().__init__(model)
        self.index = index
        self.name = name
        self.bank = bank
        self.profile = profile

    @property
    def country(self) -> str:
        """Code of the country it serves."""
        return COUNTRIES[self.index // 2]

    @property
    def is_open(self) -> bool:
        """Whether today's rules let it work."""
        return bool(self.bank.state[self.index, OPEN])

    @property
    def backlog(self) -> int:
        """Parcels that wait in its sorting centres."""
        return int(self.bank.state[self.index, BACKLOG])

    @property
    def capacity(self) -> float:
        """Parcels a day that it can start."""
        return float(self.bank.capacity()[self.index])

    @property
    def carried(self) -> int:
        """Parcels taken out since the first day."""
        return int(self.bank.state[self.index, SERVED])


class Emission(NamedTuple):
    """What logistics emits, g CO2e, as arrays for kernels."""

    linehaul_g_kg: Floats  # (C, 4) a kg by parcel mode
    bulk_g_kg: Floats  # (C, 4) a kg by bulk mode
    mile_g: Floats  # (40,) a delivery round
    packaging_g: Floats  # (C,) a parcel
    failed_share: float  # a return or refusal against a delivery

    @classmethod
    def of(cls, logistics: Logistics) -> Emission:
        """From the profiles, distances and intensities of the configuration."""
        distance = by_name(logistics.transit.distance_km, COUNTRIES)[:, None]
        intensity = by_name(logistics.emission.kg_per_tonne_km, MODES)  # kg per tonne-km = g per kg-km
        return cls(
            linehaul_g_kg=distance * intensity[:N_PARCEL_MODES],
            bulk_g_kg=distance * intensity[N_PARCEL_MODES:],
            mile_g=np.full(N_CARRIERS, logistics.last_mile.co2_g) * logistics.carrier.values("co2_factor"),
            packaging_g=np.full(N_COUNTRIES, float(logistics.emission.packaging_g)),
            failed_share=float(logistics.last_mile.failed_co2_share),
        )


@njit(cache=True, error_model="numpy")
def _grams(value: float) -> Whole:
    return np.int64(np.floor(value + 0.5))


@njit(cache=True, error_model="numpy")
def lost_co2_g(emission: Emission, carrier: Whole, direct: Whole, mode: Whole, weight_kg: float) -> Whole:
    """Emissions of a parcel that was lost or seized before the last mile, g CO2e: packaging and line-haul."""
    grams = emission.packaging_g[carrier // 2]
    if direct != 0:
        grams += emission.linehaul_g_kg[carrier // 2, mode] * weight_kg
    return _grams(grams)


@njit(cache=True, error_model="numpy")
def parcel_co2_g(emission: Emission, carrier: Whole, direct: Whole, mode: Whole, weight_kg: float) -> Whole:
    """Emissions of a delivered parcel, g CO2e: packaging, line-haul by weight and distance, delivery round.

    `mode` is read where `direct` is 1; `weight_kg` is of the whole parcel.
    """
    return lost_co2_g(emission, carrier, direct, mode, weight_kg) + _grams(emission.mile_g[carrier])


@njit(cache=True, error_model="numpy")
def failed_co2_g(emission: Emission, carrier: Whole) -> Whole:
    """Extra emissions of a parcel that comes back or is refused, g CO2e."""
    return _grams(emission.mile_g[carrier] * emission.failed_share)


@njit(cache=True, error_model="numpy")
def bulk_co2_g(emission: Emission, warehouse: Whole, mode: Whole, weight_kg: float) -> Whole:
    """Emissions of stock sent to an overseas warehouse, g CO2e. `mode` as in kinds.MODES."""
    by = min(max(mode - N_PARCEL_MODES, 0), N_BULK_MODES - 1)
    return _grams(emission.bulk_g_kg[warehouse - N_ORIGIN_WAREHOUSES, by] * weight_kg)
