"""A small sweep for the tests of sweeps, and what makes two sweeps the same."""

from __future__ import annotations

from benchmarks.cluster import TINY, contents

__all__ = ["REQUEST", "TINY", "contents"]

REQUEST = (*TINY, "scenario=commission_cap", "interventions.cap.share=0.05,0.10", "seed=1,2")
