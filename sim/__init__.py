"""An agent-based laboratory for cross-border live commerce."""

import os

from sim.compilecache import use_cache

use_cache(os.path.dirname(__file__))  # before anything imports numba, which asks once
