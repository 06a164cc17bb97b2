"""The configuration: frozen, typed, every number with unit, range and source.

`load(scenario, overrides, scenario_dirs)` gives the `RunConfig`, `describe(cfg)` what its parameters say about
themselves. Group models import `sim.config.quantity` only, so that a group can be read alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.config.loader import describe, list_scenarios, load, scenario_words
    from sim.config.run import RunConfig

__all__ = ["RunConfig", "describe", "list_scenarios", "load", "scenario_words"]


def __getattr__(name: str) -> Any:
    """Import on first use: reading one group must not need every other group's file."""
    if name == "RunConfig":
        from sim.config.run import RunConfig

        return RunConfig
    if name in __all__:
        from sim.config import loader

        return getattr(loader, name)
    raise AttributeError(f"module 'sim.config' has no attribute '{name}'")
