"""Finished runs of three scenarios made from keyed random counts, so that pages can be tried without a world."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.kinds import N_COUNTRIES, N_WAREHOUSES
from sim.record.recorder import Mark, Recorder
from sim.record.schema import (
    GROUP_CARRIERS,
    GROUP_CHANNELS,
    GROUP_ESCROW,
    GROUP_MCNS,
    GROUP_MERCHANTS,
    GROUP_PAYMENT,
    GROUP_REST,
    GROUP_STREAMERS,
    GROUP_TREASURY,
    GROUP_WAREHOUSES,
    LaneMeasure,
    Measure,
    MoneyPurpose,
    StreamerMeasure,
    cells,
)
from tests.record.fake_world import FIRST_DAY, FakeWorld, facts, written

SCENARIOS = {
    "baseline": ("What happens if nothing changes?", 1.0, 0.20, 1.0),
    "tariff_reduction": ("What if Indonesia and Vietnam take five points off the duty?", 1.04, 0.20, 0.7),
    "commission_cap": ("What if platforms may keep no more than a tenth of a sale?", 1.01, 0.10, 1.0),
}


def synthetic_run(folder: Path, scenario: str, seed: int, days: int = 120) -> Path:
    """One finished run; the same seed gives every scenario the same noise."""
    question, demand, commission, duty = SCENARIOS[scenario]
    chance = np.random.default_rng(seed)
    recorder = Recorder(
        facts(scenario=scenario, question=question, seed=seed, days=days, consumers=20_000, weight=62_300.0),
        streamer_tier=np.repeat([0, 1, 2], [20, 80, 200]).astype(np.uint8),
        seller_class=np.zeros(50, dtype=np.uint8),
        marks=(
            Mark(FIRST_DAY + 20, FIRST_DAY + 27, "festival", "Lunar New Year"),
            Mark(FIRST_DAY + 82, FIRST_DAY + 111, "festival", "Ramadan"),
            Mark(FIRST_DAY + 30, FIRST_DAY + days, "policy", "tariff"),
        ),
    )
    world = FakeWorld(recorder)
    world.country = chance.integers(0, N_COUNTRIES, 20_000).astype(np.uint8)
    world.third = chance.integers(0, 3, 20_000).astype(np.uint8)
    world.alive = np.ones(20_000, dtype=np.uint8)
    world.adopter = (chance.random(20_000) < 0.63).astype(np.uint8)
    world.trust = np.full(20_000, 0.55, dtype=np.float32)
    tally = recorder.tally
    for day in range(FIRST_DAY, FIRST_DAY + days):
        tally.open_day(day)
        season = 1 + 0.25 * np.sin((day - FIRST_DAY) / 9.0)
        visits = int(chance.poisson(7000 * season))
        where = cells(
            chance.integers(0, N_COUNTRIES, visits), chance.integers(0, 8, visits), chance.integers(0, 8, visits),
            chance.integers(0, 3, visits),
        )  # fmt: skip
        tally.add(Measure.ROOM_VISITS, where)
        tally.add(Measure.WATCH_SECONDS, where, chance.integers(200, 1600, visits))
        tally.add_streamer(StreamerMeasure.VISITS, (300 * chance.random(visits) ** 3).astype(np.int64))
        tally.add_streamer(StreamerMeasure.SHOWS, np.arange(300))
        intends = chance.random(visits)
        tally.add(Measure.INTENTS, where[intends < 0.04])
        placed = where[intends < 0.035 * demand]
        size = placed.size
        worth = (6100 * chance.lognormal(0, 0.8, size)).astype(np.int64)
        tally.add(Measure.ORDERS, placed)
        tally.add(Measure.GMV_CENTS, placed, worth)
        tally.add(Measure.SURPLUS_REALISED_MC, placed, worth * 300)
        tally.add(Measure.CO2_G, placed, 900)
        tally.add_cohort(Measure.PAYMENT_REQUESTS, day, placed)
        good = chance.random(size) < 0.93
        tally.add_cohort(Measure.PAYMENT_AUTHORISED, day, placed[good])
        direct = (chance.random(size) < 0.4).astype(np.int64)
        tally.add_cohort(Measure.SHIPPED, day, placed[good])
        tally.add_cohort(Measure.SHIPPED_DIRECT, day, placed[good], direct[good])
        stages = np.where(
            direct[:, None] == 1, np.array([1.6, 8.0, 2.2, 1.5, 4.0]), np.array([0.6, 0.0, 0.0, 0.5, 1.4])
        ) * chance.lognormal(0, 0.35, (size, 5))  # fmt: skip
        seconds = (stages * 86_400).astype(np.int64)
        late = (chance.random(size) < 0.08).astype(np.int64)
        order_days = np.full(size, day)
        tally.add_delivery(order_days[good], placed[good], direct[good], seconds.sum(axis=1)[good], late[good])
        tally.add_cohort(Measure.RETURNED, day, placed[good & (chance.random(size) < 0.2)])
        country = placed // 240
        warehouse = np.where(direct == 1, country % 4, 4 + country)
        tally.add_lane(LaneMeasure.PARCELS, warehouse, country)
        for column, stage in enumerate(list(LaneMeasure)[3:]):
            tally.add_lane(stage, warehouse, country, seconds[:, column])
        world.utilisation = chance.integers(300, 1000, N_WAREHOUSES)
        world.flows = []
        totals = np.bincount(placed // 240 * 3 + placed % 3, weights=worth, minlength=60).astype(np.int64)
        for household, total in enumerate(totals.tolist()):
            shop, maker = 1 + household % 8, GROUP_MERCHANTS + household % 2
            tax = GROUP_TREASURY + household // 3
            net = total * 110 // 100
            world.flows += [
                (MoneyPurpose.SALE, household, GROUP_ESCROW + shop, net),
                (MoneyPurpose.VAT, GROUP_ESCROW + shop, tax, total // 14),
                (MoneyPurpose.TARIFF, GROUP_ESCROW + shop, tax, int(total * 0.03 * duty)),
                (MoneyPurpose.SALE, GROUP_ESCROW + shop, maker, total),
                (MoneyPurpose.COMMISSION, maker, GROUP_CHANNELS + shop, int(total * commission)),
                (MoneyPurpose.HOST_COMMISSION, GROUP_CHANNELS + shop, GROUP_STREAMERS + household % 3, total // 12),
                (MoneyPurpose.AGENCY_SHARE, GROUP_STREAMERS + household % 3, GROUP_MCNS, total // 40),
                (MoneyPurpose.LOGISTICS, maker, GROUP_CARRIERS, total // 8),
                (MoneyPurpose.LOGISTICS, maker, GROUP_WAREHOUSES, total // 30),
                (MoneyPurpose.PAYMENT_FEE, maker, GROUP_PAYMENT, total // 40),
                (MoneyPurpose.PRODUCTION, maker, GROUP_REST, total * 45 // 100),
            ]
        recorder.close_day(world, day)
    return written(recorder, folder)


def synthetic_study(root: Path, seeds: int = 4, days: int = 120) -> list[Path]:
    """Run folders of the three scenarios for each seed."""
    return [
        synthetic_run(root / f"{scenario}-s{seed}", scenario, seed, days)
        for scenario in SCENARIOS
        for seed in range(1, seeds + 1)
    ]


if __name__ == "__main__":
    import sys

    synthetic_study(Path(sys.argv[1]))
