"""Last-mile carriers, two in every destination country, and what a parcel costs and emits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.config.logistics import BULK_MODES, PARCEL_MODES, CarrierProfile, Logistics, by_name
from sim.kernels.stations import BACKLOG, OPEN, SERVED, Bank
from sim.kinds import COUNTRIES, MODES, N_CARRIERS, N_COUNTRIES, N_ORIGIN_WAREHOUSES, SELLER_CLASSES

if TYPE_CHECKING:
    from mesa.model import Model

type I64 = NDArray[np.int64]
type Floats = NDArray[np.float64]

_GRAMS = 1000.0
_CENTS = 100.0


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


@dataclass(frozen=True, slots=True)
class Prices:
    """What logistics charges and emits, as arrays; US cents and grams, of one parcel."""

    pick: Floats  # (24,) cents an order
    linehaul_base: Floats  # (C, 4) cents a parcel by mode
    linehaul_kg: Floats  # (C, 4) cents a kg
    mile_base: Floats  # (40,) cents a parcel up to a kilogram
    mile_kg: Floats  # (40,) cents for each further kilogram
    back: Floats  # (C,) cents, a parcel returned to the local bench
    bulk_kg: Floats  # (C, 3) cents a kg by bulk mode
    cold: float  # factor for cooled goods
    by_class: Floats  # (2,) factor by seller class
    linehaul_g_kg: Floats  # (C, 4) g CO2e a kg
    bulk_g_kg: Floats  # (C, 3) g CO2e a kg
    mile_g: Floats  # (40,) g CO2e a delivery round
    packaging_g: float
    failed_share: float  # emissions of a return or refusal against a delivery

    @classmethod
    def of(cls, logistics: Logistics, economics: Economics) -> Prices:
        """From the prices of `economics` and the profiles, distances and emissions of `logistics`."""
        price_factor = logistics.carrier.values("price_factor")
        lane = economics.by_country("lane_factor")[:, None]
        distance = by_name(logistics.transit.distance_km, COUNTRIES)[:, None]
        intensity = by_name(logistics.emission.kg_per_tonne_km, MODES)  # kg per tonne-km = g per kg-km
        small = float(economics.small_freight_factor)
        return cls(
            pick=np.concatenate(
                [
                    np.full(N_ORIGIN_WAREHOUSES, economics.pick_pack_usd["origin"] * _CENTS),
                    economics.by_country("pick_pack_usd") * _CENTS,
                ]
            ),
            linehaul_base=lane * by_name(economics.parcel_base_usd, PARCEL_MODES) * _CENTS,
            linehaul_kg=lane * by_name(economics.parcel_kg_usd, PARCEL_MODES) * _CENTS,
            mile_base=np.repeat(economics.by_country("last_mile_usd"), 2) * price_factor * _CENTS,
            mile_kg=np.full(N_CARRIERS, economics.last_mile_kg_usd) * price_factor * _CENTS,
            back=economics.by_country("return_usd") * _CENTS,
            bulk_kg=lane * by_name(economics.bulk_kg_usd, BULK_MODES) * _CENTS,
            cold=float(economics.cold_chain_factor),
            by_class=np.array([small if name == "small" else 1.0 for name in SELLER_CLASSES]),
            linehaul_g_kg=distance * intensity[: len(PARCEL_MODES)],
            bulk_g_kg=distance * intensity[len(PARCEL_MODES) :],
            mile_g=np.full(N_CARRIERS, logistics.last_mile.co2_g) * logistics.carrier.values("co2_factor"),
            packaging_g=float(logistics.emission.packaging_g),
            failed_share=float(logistics.last_mile.failed_co2_share),
        )


def _whole(values: Floats) -> I64:
    """Rounded to whole cents or grams, halves up."""
    return np.floor(values + 0.5).astype(np.int64)


def logistics_cost_cents(
    prices: Prices,
    warehouse: NDArray[Any],
    carrier: NDArray[Any],
    direct: NDArray[Any],
    mode: NDArray[Any],
    weight_kg: NDArray[Any],
    cold: NDArray[Any],
    seller_class: NDArray[Any],
) -> tuple[I64, I64, I64]:
    """What a parcel's way to the buyer costs the seller: int64[n] cents to warehouse, line-haul and carrier.

    Args:
        warehouse, carrier, mode: indices (mode is read where `direct` is 1). weight_kg: of the whole parcel.
        cold: 1 for cooled goods. seller_class: index in SELLER_CLASSES; small sellers pay more for line-haul.
    """
    where = np.asarray(carrier, np.int64)
    straight = np.asarray(direct, np.bool_)
    by = np.where(straight, np.asarray(mode, np.int64), 0)
    weight = np.asarray(weight_kg, np.float64)
    factor = np.where(np.asarray(cold, np.bool_), prices.cold, 1.0)
    country = where // 2
    line = prices.linehaul_base[country, by] + prices.linehaul_kg[country, by] * weight
    line = np.where(straight, line * factor * prices.by_class[np.asarray(seller_class, np.int64)], 0.0)
    mile = (prices.mile_base[where] + prices.mile_kg[where] * np.maximum(weight - 1.0, 0.0)) * factor
    return _whole(prices.pick[np.asarray(warehouse, np.int64)]), _whole(line), _whole(mile)


def bulk_cost_cents(
    prices: Prices, warehouse: NDArray[Any], mode: NDArray[Any], weight_kg: NDArray[Any], seller_class: NDArray[Any]
) -> I64:
    """Freight of stock to an overseas warehouse, int64[n] cents; 0 to an origin warehouse. `mode` as in kinds.MODES."""
    place = np.asarray(warehouse, np.int64)
    country = np.maximum(place - N_ORIGIN_WAREHOUSES, 0)
    by = np.clip(np.asarray(mode, np.int64) - len(PARCEL_MODES), 0, len(BULK_MODES) - 1)
    cost = prices.bulk_kg[country, by] * np.asarray(weight_kg, np.float64)
    cost = cost * prices.by_class[np.asarray(seller_class, np.int64)]
    return _whole(np.where(place >= N_ORIGIN_WAREHOUSES, cost, 0.0))


def parcel_co2_g(
    prices: Prices, carrier: NDArray[Any], direct: NDArray[Any], mode: NDArray[Any], weight_kg: NDArray[Any]
) -> I64:
    """Emissions of a delivered parcel, int64[n] g CO2e: packaging, line-haul by weight and distance, delivery round."""
    where = np.asarray(carrier, np.int64)
    straight = np.asarray(direct, np.bool_)
    by = np.where(straight, np.asarray(mode, np.int64), 0)
    line = prices.linehaul_g_kg[where // 2, by] * np.asarray(weight_kg, np.float64)
    return _whole(prices.packaging_g + prices.mile_g[where] + np.where(straight, line, 0.0))


def failed_co2_g(prices: Prices, carrier: NDArray[Any]) -> I64:
    """Extra emissions of a parcel that comes back or is refused, int64[n] g CO2e."""
    return _whole(prices.mile_g[np.asarray(carrier, np.int64)] * prices.failed_share)


def bulk_co2_g(prices: Prices, warehouse: NDArray[Any], mode: NDArray[Any], weight_kg: NDArray[Any]) -> I64:
    """Emissions of stock sent to an overseas warehouse, int64[n] g CO2e. `mode` as in kinds.MODES."""
    place = np.asarray(warehouse, np.int64)
    country = np.clip(place - N_ORIGIN_WAREHOUSES, 0, N_COUNTRIES - 1)
    by = np.clip(np.asarray(mode, np.int64) - len(PARCEL_MODES), 0, len(BULK_MODES) - 1)
    grams = prices.bulk_g_kg[country, by] * np.asarray(weight_kg, np.float64)
    return _whole(np.where(place >= N_ORIGIN_WAREHOUSES, grams, 0.0))
