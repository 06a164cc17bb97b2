"""An agent-based laboratory for cross-border live commerce."""

import os
from typing import TYPE_CHECKING, Any

from sim.compilecache import use_cache

if TYPE_CHECKING:
    from sim.api import Experiment as Experiment
    from sim.api import run as run

use_cache(os.path.dirname(__file__))  # before anything imports numba, which asks once


def __getattr__(name: str) -> Any:
    """`sim.run` and `sim.Experiment`, loaded when first asked for."""
    if name in ("run", "Experiment"):
        from sim import api

        return getattr(api, name)
    raise AttributeError(f"module 'sim' has no attribute '{name}'")
