"""A synthetic market of any size for tests and benchmarks of consumers: people, firms, shows and shelves, no history.

Firms and shows are drawn by numpy, people by the model's own `populate`; rules set every assurance and lever that a
consumer feels somewhere between nothing and all, so that no branch of the behaviour sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.config.consumer import Consumer as Behaviour
from sim.config.economics import Economics
from sim.config.geography import Geography
from sim.config.quantity import load_group
from sim.draws import Draws, Purpose
from sim.kernels.live import Offers, People, Rooms, Setting
from sim.kinds import DAYPARTS, N_CATEGORIES, N_COUNTRIES, N_PLATFORMS, NO_SHOW
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, empty_pools
from sim.state.consumers import FirstHosts, people_of, platform_slots, populate
from sim.state.market import Market
from sim.state.table import Table

CONFIGS = Path(__file__).parents[2] / "configs"
BEHAVIOUR = load_group(CONFIGS / "consumer/default.yaml", Behaviour)
GEOGRAPHY = load_group(CONFIGS / "geography/default.yaml", Geography)
ECONOMICS = load_group(CONFIGS / "economics/default.yaml", Economics)
FIRST_DAY = 8401


class EvenCalendar:
    """Every daypart of every day is alike."""

    def availability(self, day: int) -> NDArray[np.float64]:
        return np.ones((N_COUNTRIES, DAYPARTS))

    def need_factor(self, day: int) -> NDArray[np.float64]:
        return np.ones((N_COUNTRIES, N_CATEGORIES))


@dataclass(slots=True)
class SyntheticMarket:
    """Everything that a consumer's day takes."""

    table: Table
    people: People
    catalogue: Catalogue
    market: Market
    air: Air
    rooms: Rooms
    pool: NDArray[np.uint16]  # by daypart
    shelf: NDArray[np.uint16]
    line_of_seller: NDArray[np.uint16]
    draws: Draws

    @property
    def param(self) -> NDArray[Any]:
        return self.market.param

    @property
    def setting(self) -> Setting:
        return self.market.setting

    @property
    def offers(self) -> Offers:
        return self.market.offers

    def copy_of_people(self) -> Table:
        """The same people in columns of their own."""
        copy = Table(tuple(self.table.columns.values()), len(self.table), "consumers")
        for name in self.table.columns:
            copy[name][...] = self.table[name]
        return copy


def adopts(
    draws: Draws, country: NDArray[np.int64], age: NDArray[np.int64], birth: NDArray[np.uint32]
) -> NDArray[np.uint8]:
    """The base year's adopters."""
    luck = np.asarray(draws.uniform(Purpose.PERSON, birth, word=1))
    return (luck < GEOGRAPHY.adoption_shares()[country, age]).astype(np.uint8)


def synthetic_market(
    consumers: int,
    streamers: int = 2000,
    shows: int = 1000,
    merchants: int = 1000,
    lines_each: int = 3,
    seed: int = 7,
    mixed_rules: bool = True,
) -> SyntheticMarket:
    """Makes the market; the same arguments give the same market."""
    rng = np.random.default_rng(seed)
    draws = Draws(seed)
    adopters = GEOGRAPHY.adopters()
    host_country = rng.choice(N_COUNTRIES, streamers, p=adopters / adopters.sum())
    fame = rng.pareto(1.1, streamers) + 0.1
    table = populate(
        BEHAVIOUR,
        GEOGRAPHY,
        "report",
        consumers,
        FIRST_DAY,
        FirstHosts(
            host_country,
            platform_slots(GEOGRAPHY, "report")[host_country, 0],
            np.arange(streamers) % N_CATEGORIES,
            fame,
        ),
        ECONOMICS.by_category("need_days"),
        ECONOMICS.order_usd(),
        draws,
        lambda country, age, birth: adopts(draws, country, age, birth),
    )
    catalogue = _catalogue(rng, merchants, merchants * lines_each, streamers)
    air = _air(rng, catalogue, host_country, fame, shows, streamers)
    cfg: Any = SimpleNamespace(consumer=BEHAVIOUR, geography=GEOGRAPHY, economics=ECONOMICS, availability="report")
    calendar: Any = EvenCalendar()
    market = Market(cfg, catalogue, calendar, draws)
    market.follow_rules(_mixed() if mixed_rules else Rules.neutral())
    market.follow_offers()
    market.open_day(FIRST_DAY)
    market.offers.remembered_usd[:] = catalogue.landed_cents[:, :, 0] / 100 * rng.normal(1, 0.1, (catalogue.n_lines, 1))
    pool, pool_value = _pools(rng, air)
    market.expect(pool_value[0])
    market.setting.expected[:] = pool_value[0].mean(axis=(1, 2))
    market.shelve()
    rooms = market.rooms(air, np.ones(N_COUNTRIES))
    return SyntheticMarket(
        table, people_of(table), catalogue, market, air, rooms, pool, market.shelf, market.line_of_seller, draws
    )


def _mixed() -> Rules:
    return Rules.neutral(
        {
            "guarantee.coverage": 0.4,
            "certification.coverage": 0.5,
            "tracing.coverage": 0.3,
            "tryon.coverage": 0.4,
            "stream.stutter": 0.08,
            "stream.definition": 3.0,
            "reputation.visibility": 2.0,
            "subsidy.buyer_usd": 1.5,
            "payment.availability": 0.6,
            "guarantee.return_window_days": 4.0,
        }
    )


def _catalogue(rng: np.random.Generator, merchants: int, lines: int, streamers: int) -> Catalogue:
    catalogue = Catalogue.empty(merchants, lines, streamers)
    catalogue.merchant[:] = np.arange(lines) % merchants
    catalogue.category[:] = rng.choice(N_CATEGORIES, lines, p=list(ECONOMICS.live_interest.values()))
    steps = ECONOMICS.ladder("quality_ladder")[catalogue.category]
    catalogue.quality[:] = np.clip(steps + rng.normal(0, 0.05, (lines, 1)), 0, 1)
    price = ECONOMICS.list_price_usd()[catalogue.category] * rng.lognormal(0, 0.2, (lines, 1))
    catalogue.landed_cents[:] = (price[:, None, :] * 110).astype(int)
    catalogue.landed_cents[rng.random((lines, N_COUNTRIES)) < 0.02] = 0  # not sold everywhere
    catalogue.freight_cents[:] = 400
    catalogue.price_cents[:] = catalogue.landed_cents * 0.8
    catalogue.service_fee[[1, 6, 8]] = 0.01, 0.02, 0.015
    catalogue.promised_days[:] = rng.uniform(3, 14, (lines, N_COUNTRIES))
    catalogue.reputation[:] = rng.uniform(0.6, 0.85, merchants)
    catalogue.authenticity[:] = 0.97
    catalogue.own_site[:] = rng.random(merchants) < 0.4
    catalogue.merchant_size[:] = 1 / merchants
    catalogue.line_share[:] = merchants / lines
    catalogue.lister[:] = 1
    return catalogue


def _air(
    rng: np.random.Generator,
    catalogue: Catalogue,
    host_country: NDArray[np.int64],
    fame: NDArray[np.float64],
    shows: int,
    streamers: int,
) -> Air:
    air = Air.empty(FIRST_DAY, shows, streamers)
    slots = platform_slots(GEOGRAPHY, "report")
    hosts = np.sort(rng.choice(streamers, shows, replace=False))
    air.streamer[:] = hosts
    air.country[:] = host_country[hosts]
    air.platform[:] = [rng.choice(slots[home][slots[home] != 255]) for home in air.country]
    first = GEOGRAPHY.first_language()
    air.language[:] = first[air.country][:, None]
    air.language[:, 1] = first[rng.integers(0, N_COUNTRIES, shows)]
    air.proficiency[:] = rng.uniform(0.6, 1, (shows, 2))
    air.category[:] = rng.choice(N_CATEGORIES, shows, p=list(ECONOMICS.live_interest.values()))
    by_category = [np.flatnonzero(catalogue.category == category) for category in range(N_CATEGORIES)]
    everything = np.arange(catalogue.n_lines)
    for show in range(shows):
        own = by_category[air.category[show]]
        air.lineup[show] = rng.choice(own if own.size else everything, 4)
        air.lineup[show, 3] = rng.choice(everything)
    air.discount_permille[:] = rng.choice([0, 50, 100, 200], shows)
    air.exaggeration[:] = rng.uniform(0, 0.15, shows)
    air.disclosed[:] = rng.random(shows) < 0.5
    air.skill[:] = rng.beta(3, 3, shows)
    air.lively[:] = rng.beta(3, 3, shows)
    air.popularity[:] = fame[hosts]
    for country in range(N_COUNTRIES):
        for platform in range(N_PLATFORMS):
            there = (air.country == country) & (air.platform == platform)
            if there.any():
                air.popularity[there] /= air.popularity[there].sum()
    on_air = rng.random((DAYPARTS, shows)) < 0.8
    for daypart in range(DAYPARTS):
        air.show_of_streamer[daypart, hosts[on_air[daypart]]] = np.flatnonzero(on_air[daypart])
    return air


def _pools(rng: np.random.Generator, air: Air) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Recommendation slots of every daypart, among what is on air in it: (6, C, P, K, 64), and their expected value."""
    pools, values = zip(*(empty_pools() for _ in range(DAYPARTS)), strict=True)
    pool, value = np.stack(pools), np.stack(values)
    for daypart in range(DAYPARTS):
        on_air = np.zeros(len(air), np.bool_)
        shows = air.show_of_streamer[daypart]
        on_air[shows[shows != NO_SHOW]] = True
        for country in range(N_COUNTRIES):
            for platform in range(N_PLATFORMS):
                there = np.flatnonzero((air.country == country) & (air.platform == platform) & on_air)
                if there.size == 0:
                    continue
                for category in range(N_CATEGORIES):
                    weight = air.popularity[there] ** 0.5 * np.where(air.category[there] == category, 4, 1)
                    pool[daypart, country, platform, category] = rng.choice(there, 64, p=weight / weight.sum())
                    value[daypart, country, platform, category] = np.log(there.size)
    return pool, value
