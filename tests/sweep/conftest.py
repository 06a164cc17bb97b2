"""One finished sweep that tests compare theirs to, and copy; none of them changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.engines import Inline
from sim.sweep.driver import drive
from sim.sweep.plan import Plan, plan_sweep
from tests.sweep.tiny import REQUEST


@pytest.fixture(scope="session")
def plan() -> Plan:
    return plan_sweep(REQUEST)


@pytest.fixture(scope="session")
def finished(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep") / "finished"
    summary = drive(plan, folder, Inline())
    assert (summary.runs, summary.computed, summary.there, summary.failures) == (6, 6, 0, {})
    return folder
