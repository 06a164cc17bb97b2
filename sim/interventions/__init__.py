"""Interventions: rows that change causes, with strength, scope, dates and cost."""

from __future__ import annotations

from sim.errors import ConfigError
from sim.interventions.base import (
    Cost,
    Intervention,
    InterventionBook,
    Levers,
    Promotion,
    Settings,
    read,
)
from sim.interventions.rows import Kind, Row, known_kinds

__all__ = [
    "Cost",
    "Intervention",
    "InterventionBook",
    "Kind",
    "Levers",
    "Promotion",
    "Row",
    "Settings",
    "check",
    "first_day",
    "known_kinds",
    "read",
]


def first_day(cfg: Settings) -> int | None:
    """Day (since 2000-01-01) in which the first of a run's interventions begins; None without any. As `check`."""
    found, _, faults = read(cfg)
    if faults:
        raise ConfigError(faults)
    return min((one.first_day for one in found), default=None)


def check(cfg: Settings) -> tuple[str, ...]:
    """Check a run's interventions against their rows; the notes to show the user (ends that were clipped).

    Raises:
        ConfigError: unknown kind or parameter with the nearest name, a value out of range, a scope the row does not
            know, a date outside the run, or a clash; all faults at once.
    """
    _, notes, faults = read(cfg)
    if faults:
        raise ConfigError(faults)
    return notes
