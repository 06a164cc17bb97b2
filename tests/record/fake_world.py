"""A world of known numbers for the recorder: what a test adds is what the tables must hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sim.kinds import N_COUNTRIES, N_WAREHOUSES
from sim.record.recorder import Flows, Mark, Recorder, RunFacts
from sim.record.tally import Tally

FIRST_DAY = 8401  # 2023-01-01


def facts(**changes: Any) -> RunFacts:
    """Facts of a small run; `changes` replace fields."""
    values: dict[str, Any] = {
        "scenario": "baseline",
        "question": "What happens if nothing changes?",
        "compared_to": "",
        "seed": 1,
        "model_hash": "0" * 64,
        "record": "daily",
        "start_date": "2023-01-01",
        "first_day": FIRST_DAY,
        "days": 100,
        "warmup_days": 2,
        "consumers": 120,
        "weight": 1000.0,
        "languages": ("en", "zh", "id"),
    }
    return RunFacts(**(values | changes))


class FakeWorld:
    """Answers the recorder's questions with fixed numbers that a test may replace."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        rows = recorder.facts.consumers
        self.country = (np.arange(rows) % N_COUNTRIES).astype(np.uint8)
        self.third = (np.arange(rows) // N_COUNTRIES % 3).astype(np.uint8)
        self.alive = np.ones(rows, dtype=np.uint8)
        self.adopter = (np.arange(rows) % 2).astype(np.uint8)
        self.trust = np.full(rows, 0.25, dtype=np.float32)
        self.flows: list[tuple[int, int, int, int]] = []
        self.stock = np.zeros((2, 2), dtype=np.int64)
        self.utilisation = np.full(N_WAREHOUSES, 500, dtype=np.int64)

    @property
    def tally(self) -> Tally:
        return self._recorder.tally

    def people(self) -> tuple[Any, ...]:
        return self.country, self.third, self.alive, self.adopter, self.trust, 1.0

    def sampled_people(self) -> tuple[Any, ...]:
        return np.arange(3), np.array([0, 1, 1]), np.array([100_000, 200_000, 300_000])

    def flows_today(self) -> Flows:
        columns = np.array(self.flows, dtype=np.int64).reshape(-1, 4)
        return Flows(*(np.ascontiguousarray(columns[:, position]) for position in range(4)))

    def warehouse_load(self) -> tuple[Any, Any]:
        return self.utilisation, np.full(N_WAREHOUSES, 7, dtype=np.int64)

    def stock_today(self) -> tuple[Any, Any]:
        return self.stock[0], self.stock[1]

    def open_orders(self) -> int:
        return 11

    def shows_today(self) -> int:
        return 5

    def money_held_cents(self) -> int:
        return 12345


def new_recorder(**changes: Any) -> Recorder:
    """A recorder of a small run with six streamers and four merchants."""
    return Recorder(
        facts(**changes),
        streamer_tier=np.array([0, 1, 1, 2, 2, 2], dtype=np.uint8),
        seller_class=np.array([0, 0, 1, 1], dtype=np.uint8),
        marks=(Mark(FIRST_DAY + 5, FIRST_DAY + 6, "festival", "New Year sale"),),
    )


def written(recorder: Recorder, folder: Path) -> Path:
    """Write the run as the experiment runner leaves it: tables, run.json and the mark that it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder.write(folder)
    facts = {"config_hash": recorder.facts.model_hash, "seed": recorder.facts.seed}
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "_DONE").write_text("")
    return folder
