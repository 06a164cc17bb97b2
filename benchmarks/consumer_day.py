"""A consumer's day: compiled loops against ordinary Mesa objects, same rules, same market, one run.

Run: python -m benchmarks.consumer_day [--mesa 20000] [--kernels 1000000] [--days 10] [--threads 2] [--write]

Prints nanoseconds per consumer-day (of the median day, and of the fastest one, which a busy machine disturbs least) and
bytes per consumer of both, and their ratio. Fails (status 1) if visits, minutes or conversion of the two differ by more
than chance allows plus three per cent, or if the ratio of the median days is below the bar.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import platform
import sys
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks.mesa_objects import Market
from sim.config.geography import N_LANGUAGES
from sim.config.graph import Graph
from sim.config.quantity import load_group
from sim.day.attention import Attention
from sim.day.shopping import Shopping
from sim.kernels.opinion import end_of_day, record_purchases
from sim.kinds import DAYPARTS
from sim.messages import Intents
from sim.state.orders import ORDER
from sim.state.social import SocialGraph
from tests.consumer.market import BEHAVIOUR, CONFIGS, FIRST_DAY, SyntheticMarket, synthetic_market

STEPS = ("opening", "sessions", "purchases", "evening")
STREAMERS, CHUNK, BAR, TOLERANCE = 2000, 4096, 100.0, 0.03
RESULT = Path(__file__).parent / "results/consumer_day.json"


@dataclass
class Outcome:
    """What people did in all days together."""

    people: int
    adopters: int
    visits: int = 0
    seconds: int = 0
    live_orders: int = 0
    searches: int = 0
    shelf_orders: int = 0

    def rates(self) -> dict[str, tuple[float, float]]:
        """Rate and relative standard error (counts as if Poisson; minutes spread by twice the mean)."""
        per = {
            "visits per adopter": (self.visits / self.adopters, self.visits),
            "minutes per visit": (self.seconds / 60 / self.visits, self.visits / 4),
            "live conversion": (self.live_orders / self.visits, self.live_orders),
            "searches per person": (self.searches / self.people, self.searches),
            "shelf conversion": (self.shelf_orders / self.searches, self.shelf_orders),
        }
        return {name: (rate, 1 / math.sqrt(max(count, 1))) for name, (rate, count) in per.items()}


class Compiled:
    """The compiled consumers' day without firms and parcels: openings, sessions, purchases, evening."""

    def __init__(self, market: SyntheticMarket, graph: SocialGraph, threads: int) -> None:
        self.market, self.graph = market, graph
        size = len(market.table)
        self.attention = Attention(size, CHUNK, threads)
        self.shopping = Shopping(size, STREAMERS, N_LANGUAGES, threads)
        self.threads = threads
        self.proof_after = np.floor(np.arange(256) * (1 - BEHAVIOUR.word_of_mouth.proof_memory)).astype(np.uint8)
        self.seconds: list[dict[str, float]] = []  # of each day, by step
        self.outcome = Outcome(size, int(market.table.adopter.sum()))

    def day(self, day: int) -> None:
        market = self.market
        self.seconds.append(dict.fromkeys(STEPS, 0.0))
        start = time.perf_counter()
        sessions = self.attention.open(market.param, market.people, market.setting, market.air, day, market.draws)
        self._took("opening", start)
        for daypart in range(DAYPARTS):
            start = time.perf_counter()
            intents = self.shopping.watch_and_choose(
                market.param, market.people, market.setting, market.rooms, market.offers,
                market.air.show_of_streamer[daypart], market.pool[daypart], market.shelf, market.line_of_seller,
                sessions.order, sessions.bounds, day, daypart, market.draws,
            )  # fmt: skip
            start = self._took("sessions", start)
            self._purchase(intents, day, daypart)
            self._took("purchases", start)
            live = int((intents.channel < 8).sum())
            self.outcome.live_orders += live
            self.outcome.shelf_orders += len(intents) - live
        start = time.perf_counter()
        end_of_day(market.param, market.people, self.proof_after, day, self.threads, *market.draws.key)
        self._took("evening", start)

    def _took(self, step: str, start: float) -> float:
        now = time.perf_counter()
        self.seconds[-1][step] += now - start
        return now

    def _purchase(self, intents: Intents, day: int, daypart: int) -> None:
        """Every intent is placed: no stock-outs and no payment here."""
        market, count = self.market, len(intents)
        data = np.zeros(count, ORDER)
        data["consumer"], data["birth"] = intents.consumer, market.people.birth[intents.consumer]
        data["tick"] = day * 8 + daypart
        data["streamer"] = intents.streamer
        data["merchant"] = market.offers.merchant[intents.line]
        data["category"] = market.offers.category[intents.line]
        data["goods_cents"] = intents.landed_cents * intents.quantity
        earlier, met = np.zeros(count, np.int64), np.zeros(count, np.int64)
        record_purchases(
            market.param, market.people, data, np.arange(count), day, market.draws.key[0], market.draws.key[1],
            self.graph.friends, earlier, met,
        )  # fmt: skip

    def finish(self) -> Outcome:
        counts, outcome = self.shopping.counts, self.outcome
        outcome.visits, outcome.seconds = int(counts.visits.sum()), int(counts.seconds.sum())
        openings = counts.openings.sum(axis=0).reshape(-1, 10, 24)
        outcome.searches = int(openings[:, 8:].sum())
        return outcome

    def forget(self) -> None:
        """Clears clocks and counters, after the days on which everything was compiled."""
        for planes in self.shopping.counts:
            planes[...] = 0
        self.seconds = []
        self.outcome = Outcome(self.outcome.people, self.outcome.adopters)


def market_of(people: int) -> tuple[SyntheticMarket, SocialGraph]:
    market = synthetic_market(people, STREAMERS, mixed_rules=False)
    table = market.table
    graph = SocialGraph.generate(
        table.country,
        table.languages[:, 0],
        table.age,
        market.draws,
        load_group(CONFIGS / "graph/default.yaml", Graph),
        table.birth,
    )
    return market, graph


def run_compiled(people: int, days: int, threads: int) -> tuple[Compiled, Outcome]:
    market, graph = market_of(people)
    compiled = Compiled(market, graph, threads)
    compiled.day(FIRST_DAY + 1)
    compiled.forget()
    for day in range(FIRST_DAY + 2, FIRST_DAY + 2 + days):
        compiled.day(day)
    return compiled, compiled.finish()


def run_mesa(people: int, days: int) -> tuple[list[float], Outcome]:
    """Seconds of each day after the first, and what people did in them."""
    source, graph = market_of(people)
    model = Market(source, graph, FIRST_DAY)
    model.step()
    model.visits = model.watched_seconds = model.searches = 0
    model.orders = []
    gc.collect()
    took = []
    for _ in range(days):
        start = time.perf_counter()
        model.step()
        took.append(time.perf_counter() - start)
    live = sum(order.channel < 8 for order in model.orders)
    outcome = Outcome(
        people, int(source.table.adopter.sum()), model.visits, model.watched_seconds, live, model.searches,
        len(model.orders) - live,
    )  # fmt: skip
    return took, outcome


def mesa_bytes(days: int) -> float:
    """Bytes a consumer object takes after some days, as the slope between two sizes of population."""
    sizes, traced = (1000, 3000), []
    for people in sizes:
        source, graph = market_of(people)
        gc.collect()
        tracemalloc.start()
        model = Market(source, graph, FIRST_DAY)
        for _ in range(days):
            model.step()
        model.orders = []
        gc.collect()
        traced.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    return (traced[1] - traced[0]) / (sizes[1] - sizes[0])


def per_person(seconds: list[float], people: int) -> dict[str, float]:
    """Nanoseconds a person of the median and of the fastest day."""
    return {
        "median": round(float(np.median(seconds)) / people * 1e9, 1),
        "fastest": round(min(seconds) / people * 1e9, 1),
    }


def differences(compiled: Outcome, objects: Outcome) -> list[dict[str, Any]]:
    """Rates of both and whether they agree within three standard errors and the tolerance."""
    rows = []
    for name, (rate, error) in compiled.rates().items():
        other, other_error = objects.rates()[name]
        allowed = TOLERANCE + 3 * math.hypot(error, other_error)
        rows.append(
            {
                "measure": name,
                "kernels": round(rate, 5),
                "mesa": round(other, 5),
                "difference": round(other / rate - 1, 4),
                "allowed": round(allowed, 4),
                "agrees": abs(other / rate - 1) <= allowed,
            }
        )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mesa", type=int, default=20_000, help="consumers as Mesa objects")
    parser.add_argument("--kernels", type=int, default=1_000_000, help="consumers in compiled loops")
    parser.add_argument("--days", type=int, default=10, help="days after the first one")
    parser.add_argument("--threads", type=int, default=2, help="threads of the compiled loops")
    parser.add_argument("--write", action="store_true", help=f"write {RESULT.name}")
    given = parser.parse_args()
    numba.set_num_threads(given.threads)

    _, same_people = run_compiled(given.mesa, given.days, given.threads)
    mesa_seconds, objects = run_mesa(given.mesa, given.days)
    compiled, many = run_compiled(given.kernels, given.days, given.threads)
    kernel_seconds = [sum(day.values()) for day in compiled.seconds]
    mesa_ns, kernel_ns = per_person(mesa_seconds, given.mesa), per_person(kernel_seconds, given.kernels)
    checks = differences(same_people, objects)
    table = compiled.market.table
    result: dict[str, Any] = {
        "machine": {"processor": platform.machine(), "python": platform.python_version(), "threads": given.threads},
        "days": given.days,
        "mesa": {
            "consumers": given.mesa,
            "ns_per_consumer_day": mesa_ns,
            "bytes_per_consumer": round(mesa_bytes(given.days)),
        },
        "kernels": {
            "consumers": given.kernels,
            "ns_per_consumer_day": kernel_ns,
            "by_step": {
                step: per_person([day[step] for day in compiled.seconds], given.kernels)["median"] for step in STEPS
            },
            "bytes_per_consumer": round(table.nbytes / len(table), 1),
            "graph_bytes_per_consumer": round(compiled.graph.nbytes / len(table), 1),
        },
        "ratio": {kind: round(mesa_ns[kind] / kernel_ns[kind]) for kind in mesa_ns},
        "bar": BAR,
        "agreement": checks,
        "all_people": {name: round(rate, 5) for name, (rate, _) in many.rates().items()},
    }
    print(json.dumps(result, indent=2))
    if given.write:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if all(row["agrees"] for row in checks) and result["ratio"]["median"] >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
