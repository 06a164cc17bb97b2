"""A run's interventions without a run: the settings they read, levers that listen, rules worth changing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from sim.interventions import InterventionBook, Promotion
from sim.interventions.base import EPOCH, Hosts, News
from sim.rules import LEAVES, Rules

START = date(2023, 1, 1)
DAY = (START - EPOCH).days


@dataclass
class Run:
    """The part of a run's configuration that interventions read."""

    interventions: dict[str, dict[str, Any]]
    start_date: date = START
    days: int = 60

    def origin(self, key: str) -> str:
        """Every key comes from the same file here."""
        return "test.yaml"


@dataclass
class Said:
    """Levers that write down what they are told."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def close_warehouses(self, warehouses: Any, start: int, end: int) -> None:
        self.calls.append(("close_warehouses", warehouses.tolist(), start, end))

    def suspend_carriers(self, carriers: Any, start: int, end: int) -> None:
        self.calls.append(("suspend_carriers", carriers.tolist(), start, end))

    def stop_payments(self, countries: Any, methods: Any, start: int, end: int) -> None:
        self.calls.append(("stop_payments", countries.tolist(), methods.tolist(), start, end))

    def promote_shows(self, promotion: Promotion) -> None:
        self.calls.append(("promote_shows", promotion))

    def remove_streamers(self, name: str, hosts: Hosts, end: int) -> None:
        self.calls.append(("remove_streamers", name, hosts, end))

    def spread_news(self, news: News) -> None:
        self.calls.append(("spread_news", news))


def baseline() -> Rules:
    """Rules on which every shipped lever has something to do."""
    return Rules.neutral(
        {
            "tariff.duty_rate": 0.12,
            "tariff.bulk_duty_rate": 0.12,
            "payment.availability": 0.5,
            "warehousing.overseas_access": 0.4,
            "stream.stutter": 0.1,
            "payment.fee_rate": 0.03,
            "privacy.breach_hazard": 0.0001,
            "tax.de_minimis_usd": 30.0,
            "credit.annual_rate": 0.12,
            "credit.days_to_fund": 30.0,
        },
        in_force={"commission.cap": 0.2},
    )


def book(days: int = 60, **rows: dict[str, Any]) -> InterventionBook:
    """A book of the rows, by name."""
    return InterventionBook(Run(rows, days=days), baseline())


def changed(before: Rules, after: Rules) -> set[str]:
    """Paths of the leaves that differ."""
    return {path for path in LEAVES if not np.array_equal(before.get(path), after.get(path), equal_nan=True)}
