"""A small supply side for tests: built firms, a ledger, a clock-less freight service."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sim.agents.mcn import agency_cuts
from sim.agents.streamer import build_streamers
from sim.config.consumer import Consumer
from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import Geography
from sim.config.graph import Graph
from sim.config.growth import Growth
from sim.config.logistics import Logistics
from sim.config.payments import Payments
from sim.config.quantity import Group, load_group
from sim.config.supply import Supply as SupplyGroup
from sim.day.adaptation import Adaptation
from sim.day.supply import Supply
from sim.draws import Draws
from sim.firms.prices import Prices
from sim.kinds import N_CATEGORIES, N_COUNTRIES
from sim.rules import Rules
from sim.state.catalogue import Catalogue, build_catalogue, open_cells
from sim.state.ledger import Ledger
from sim.state.orders import Orders
from sim.state.scale import Scale
from sim.state.table import Table

CONFIGS = Path(__file__).parents[2] / "configs"
DAY = 8400  # a Saturday at the end of 2022
PROMISE = np.array([[3.0] * N_COUNTRIES, [22.0] * N_COUNTRIES], np.float32)
ADULTS = 1.246e9
GROUPS: dict[str, type[Group]] = {
    "firms": Firms,
    "supply": SupplyGroup,
    "economics": Economics,
    "geography": Geography,
    "growth": Growth,
    "payments": Payments,
    "graph": Graph,
    "consumer": Consumer,
    "logistics": Logistics,
}


@cache
def group(name: str) -> Any:
    return load_group(CONFIGS / name / "default.yaml", GROUPS[name])


def config(firms_scale: float = 0.3, **changed: Any) -> Any:
    """The groups the supply side needs; `changed` replaces whole groups."""
    parts = {name: group(name) for name in GROUPS}
    parts["firms"] = parts["firms"].model_copy(update={"scale": firms_scale})
    return SimpleNamespace(**{**parts, **changed, "availability": "report"})


RULES = Rules.neutral(
    {
        "tariff.duty_rate": np.full((N_COUNTRIES, N_CATEGORIES), 0.08),
        "tariff.bulk_duty_rate": np.full((N_COUNTRIES, N_CATEGORIES), 0.08),
        "tariff.de_minimis_usd": 150.0,
        "tax.vat_rate": 0.15,
        "tax.de_minimis_usd": 0.0,
        "payment.fee_rate": 0.035,
        "credit.annual_rate": [0.14, 0.07],
        "warehousing.overseas_access": 0.7,
        "recommendation.precision": 0.6,
        "disclosure.coverage": 0.3,
    }
)


class Hours:
    """People are free mostly in two dayparts; prayer and fasting can be set by hand."""

    def __init__(self) -> None:
        self.free = np.tile(np.array([0.4, 0.6, 0.8, 1.0, 1.6, 1.6], np.float32), (N_COUNTRIES, 1))
        self.prayer = np.zeros((N_COUNTRIES, 6), np.float32)
        self.sale = np.zeros(N_COUNTRIES, np.float32)
        self.fasting_from: int | None = None
        self.fasting_day = np.ones(6, np.float32)

    def availability(self, day: int) -> Any:
        fasts = self.fasting_from is not None and day >= self.fasting_from
        return self.free * self.fasting_day if fasts else self.free

    def campaign(self, day: int) -> Any:
        return self.sale

    def prayer_share(self, day: int) -> Any:
        return self.prayer

    def is_ramadan(self, day: int) -> bool:
        return self.fasting_from is not None and day >= self.fasting_from


@dataclass
class SlowFreight:
    """Stock arrives after the lead time of its mode; parcel modes do not exist."""

    catalogue: Catalogue
    coming: list[tuple[int, int, int, int]] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)

    def bulk_lead_days(self, rules: Any = None) -> Any:
        lead = np.full((24, 8), np.nan)
        lead[:4] = 7.0
        lead[4:, 4:] = (17.0, 45.0, 20.0, 27.0)
        return lead

    def waiting_units(self) -> Any:
        return np.zeros(self.catalogue.n_lines, np.int64)

    def replenish(self, line: Any, warehouse: Any, units: Any, mode: Any, day: int) -> None:
        lead = self.bulk_lead_days()
        for one, place, count, by in zip(line.tolist(), warehouse.tolist(), units.tolist(), mode.tolist(), strict=True):
            assert count > 0
            self.coming.append((day + int(lead[place, by]), one, place, count))
            self.modes.append(by)

    def arrive(self, day: int) -> None:
        for due, line, place, units in [parcel for parcel in self.coming if parcel[0] <= day]:
            self.catalogue.real[line, place] += units
            self.catalogue.shown[:, line, place] += units
            self.catalogue.received_units[line, place] += units
            self.coming.remove((due, line, place, units))


@dataclass
class World:
    cfg: Any
    draws: Draws
    catalogue: Catalogue
    streamers: Table
    supply: Supply
    adaptation: Adaptation
    ledger: Ledger
    orders: Orders
    hours: Hours
    freight: SlowFreight


def make(
    seed: int = 7,
    consumers: int = 20_000,
    rules: Rules = RULES,
    firms_scale: float = 0.3,
    responsive: bool = False,
    **changed: Any,
) -> World:
    """A supply side after its first prices and first stock. `responsive`: merchants price by best response.

    They then know from the second day on what they are to buyers, and expect to sell what was expected at build.
    """
    cfg = config(firms_scale, **changed)
    draws, hours = Draws(seed), Hours()
    catalogue, streamers = build_catalogue(cfg, draws), build_streamers(cfg, draws)
    cells = int(open_cells(cfg.geography, cfg.availability).sum())
    scale = Scale.of(ADULTS, consumers, cfg.firms.real_and_simulated(cells))
    cuts = agency_cuts(cfg.firms, cfg.economics, cfg.firms.counts(cells)[2], draws)
    ledger = Ledger(catalogue.n_merchants, len(streamers), cuts.shape[0], catalogue.seller_class, streamers.tier)
    prices = Prices(cfg, scale, draws, catalogue)
    supply = Supply(cfg, draws, catalogue, streamers, hours, prices if responsive else None)
    adaptation = Adaptation(cfg, scale, draws, catalogue, streamers, cuts, prices.recost)
    supply.price(rules, DAY, 1.0, PROMISE)
    adaptation.start(rules, ledger)
    supply.price(rules, DAY, 1.0, PROMISE)
    freight = SlowFreight(catalogue)
    if responsive:
        remembered = catalogue.landed_cents[:, :, 0].astype(np.float32) / np.float32(100)
        prices.learn(Orders(), remembered, adaptation.forecast, rules, DAY)
        supply.price(rules, DAY + 1, 1.0, PROMISE)
    return World(cfg, draws, catalogue, streamers, supply, adaptation, ledger, Orders(), hours, freight)


def revise_all(world: World, rules: Rules, factor: float = 1.0, start: int = DAY + 1) -> None:
    """A week of price revisions: every merchant has had its weekday."""
    for day in range(start, start + 7):
        world.supply.price(rules, day, factor, PROMISE)
