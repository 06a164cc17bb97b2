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
    "known_kinds",
    "read",
]


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
