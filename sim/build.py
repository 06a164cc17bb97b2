"""From a configuration and a seed to the state of the first day.

The order matters only where one part is drawn from another: firms before people (who follow streamers), people before
the graph, stock before the warehouses that hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.calendar import Calendar, day_of
from sim.config import RunConfig
from sim.config.geography import LANGUAGES
from sim.draws import Draws
from sim.interventions import InterventionBook
from sim.kinds import ADOPTER, COUNTRIES, INCOME_THIRDS, N_COUNTRIES, PAYMENT_METHODS
from sim.record.recorder import Mark, RunFacts
from sim.rules import Rules
from sim.state.consumers import FirstHosts, populate
from sim.state.online import first_adopters, sampled
from sim.state.scale import Scale
from sim.state.social import SocialGraph
from sim.state.table import FIXED, Table

FIRST_DIRECT_DAYS = 18.0
NETWORK_STRETCHES, NETWORK_SAMPLE = 20, 2_000


@dataclass(slots=True)
class Frame:
    """What holds for the whole run and decides nothing: dates, chance, rules, scale."""

    first_day: int  # days since 2000-01-01, warm-up included
    start_day: int  # first reported day
    end_day: int  # one after the last
    draws: Draws
    calendar: Calendar
    scale: Scale
    book: InterventionBook


def frame(cfg: RunConfig, firms: dict[str, tuple[float, int]]) -> Frame:
    """Dates, draws, calendar, scale and the book of interventions. `firms`: real and simulated number by class."""
    draws = Draws(cfg.seed)
    adults = float(sampled(cfg).online_adults().sum()) * 1e6
    scale = Scale.of(adults, cfg.population.consumers, firms)
    book = InterventionBook(cfg, Rules.baseline(cfg), draws, scale.weight)
    start = day_of(cfg.start_date)
    return Frame(
        first_day=start - cfg.warmup_days,
        start_day=start,
        end_day=start + cfg.days,
        draws=draws,
        calendar=Calendar(cfg),
        scale=scale,
        book=book,
    )


def yuan_per_usd(calendar: Calendar) -> float:
    """Mean yuan per dollar of the base year 2023, against which production costs are counted."""
    first = day_of(date(2023, 1, 1))
    return float(np.mean([calendar.fx_origin(first + offset) for offset in range(365)]))


def first_promise(cfg: RunConfig) -> NDArray[np.float32]:
    """Days promised before any parcel has been seen, float32[2, C]: from local stock, from China.

    Only the routes chosen on the first day see them; fulfilment promises from its own stages from then on.
    """
    mile, _ = cfg.geography.last_mile()
    china = np.full(mile.size, FIRST_DIRECT_DAYS)
    return np.stack([mile, china + mile]).astype(np.float32)


def mean_trust(consumers: Table) -> NDArray[np.float64]:
    """float64[C]: mean general trust of adopters by country."""
    adopters = np.flatnonzero(consumers.adopter == ADOPTER)
    country = consumers.country[adopters]
    total = np.bincount(country, weights=consumers.trust[adopters], minlength=len(COUNTRIES))
    mean: NDArray[np.float64] = total / np.maximum(np.bincount(country, minlength=len(COUNTRIES)), 1) / FIXED
    return mean


def check_people(consumers: Table, expected: int) -> None:
    """Asserts that nobody appeared or vanished. Raises AssertionError."""
    if len(consumers) != expected or int(consumers.birth[-1]) >= expected:
        raise AssertionError(f"{len(consumers)} consumers, {expected} were born")


def people(cfg: RunConfig, hosts: FirstHosts, parts: Frame) -> tuple[Table, SocialGraph]:
    """The consumers on the first day and their friendships."""
    consumers = populate(
        cfg.consumer, sampled(cfg), cfg.availability, cfg.population.consumers, parts.first_day, hosts,
        cfg.economics.by_category("need_days"), cfg.economics.order_usd(), parts.draws,
        lambda country, age, birth: first_adopters(cfg, country, age, birth, parts.draws),
    )  # fmt: skip
    graph = SocialGraph.create(
        consumers.country, consumers.languages[:, 0], consumers.age, parts.draws, cfg.graph, consumers.birth
    )
    return consumers, graph


def bought_in_parts(cfg: RunConfig, consumers: Table, offered: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Cents a day that households (country x income third) spend on instalments at rest, float64[60].

    `offered` (C, M): share of checkouts that offer each method.
    """
    parts = PAYMENT_METHODS.index("instalments")
    prefers = consumers.payment_preference == parts
    household = consumers.country[prefers].astype(np.int64) * len(INCOME_THIRDS) + consumers.third[prefers]
    daily = np.rint(consumers.spent_cents[prefers] / cfg.consumer.budget.memory_days).astype(np.int64)
    total = np.zeros(N_COUNTRIES * len(INCOME_THIRDS), np.int64)
    np.add.at(total, household, daily)
    approved = 1.0 - cfg.payments.failure()[:, parts]
    lent: NDArray[np.float64] = total.astype(np.float64) * np.repeat(
        np.asarray(offered, np.float64)[:, parts] * approved, len(INCOME_THIRDS)
    )
    return lent


def network_rows(size: int) -> NDArray[np.bool_]:
    """bool[size]: the consumers whose friendships and opinions are recorded, at most `NETWORK_SAMPLE`.

    Whole stretches of rows are taken, because friends live near each other in memory.
    """
    stretches = np.linspace(0, size, NETWORK_STRETCHES, endpoint=False).astype(np.int64)
    length = max(1, min(size // NETWORK_STRETCHES, NETWORK_SAMPLE // NETWORK_STRETCHES))
    chosen = np.zeros(size, np.bool_)
    for start in stretches:
        chosen[start : start + length] = True
    return chosen


def network_sample(consumers: Table, graph: SocialGraph) -> dict[str, NDArray[Any]]:
    """Friendships among the sampled consumers, for the record."""
    size = len(consumers)
    chosen = network_rows(size)
    rows, friends = graph.pairs()
    kept = chosen[rows] & chosen[friends] & (rows < friends)
    person, friend = rows[kept], friends[kept]
    return {
        "consumer": consumers.birth[person].astype(np.int64),
        "friend": consumers.birth[friend].astype(np.int64),
        "country": consumers.country[person],
        "adopter": (consumers.adopter[person] == ADOPTER).astype(np.int8),
        "trust_ppm": consumers.trust[person].astype(np.int64) * 1_000_000 // 65_535,
    }


def run_facts(cfg: RunConfig, parts: Frame) -> RunFacts:
    """What the recorder writes about the run itself."""
    return RunFacts(
        scenario=cfg.scenario.name,
        question=cfg.scenario.question,
        compared_to=cfg.scenario.compared_to or "",
        seed=cfg.seed,
        model_hash=cfg.model_hash(),
        record=cfg.record,
        start_date=cfg.start_date.isoformat(),
        first_day=parts.start_day,
        days=cfg.days,
        warmup_days=cfg.warmup_days,
        consumers=cfg.population.consumers,
        weight=parts.scale.weight,
        languages=LANGUAGES,
    )


def marks(parts: Frame) -> list[Mark]:
    """Festivals and interventions for the time axis of figures."""
    found: list[Mark] = []
    open_festivals: dict[str, int] = {}
    for day in range(parts.start_day, parts.end_day + 1):
        today = set(parts.calendar.festivals(day)) if day < parts.end_day else set()
        for name in sorted(today - set(open_festivals)):
            open_festivals[name] = day
        over = sorted(set(open_festivals) - today)
        found.extend(Mark(open_festivals.pop(name), day - 1, "festival", name) for name in over)
    for one in parts.book.interventions:
        if one.full_strength > 0:
            last = (one.end - 1) // 86_400
            found.append(Mark(one.first_day, int(last), "policy", one.name))
    return found
