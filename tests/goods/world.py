"""A small goods world: a catalogue with plenty of stock, an order book, and a steady flow of paid orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np

from sim.clock import Clock
from sim.config import load
from sim.config.folders import data_folder
from sim.config.geography import Geography
from sim.config.logistics import Logistics
from sim.config.quantity import load_group
from sim.day.fulfilment import Fulfilment
from sim.draws import Draws
from sim.kinds import DAY_SECONDS, N_COUNTRIES, N_ORIGIN_WAREHOUSES, Event, Status
from sim.messages import Events, Movements, Released
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.orders import Orders
from sim.state.scale import Scale

__all__ = ["START", "GoodsWorld", "load"]

FIRST_DAY = 8400
START = FIRST_DAY * DAY_SECONDS
MERCHANTS = 40
LINES = 120


def groups() -> tuple[Logistics, Geography]:
    folder = data_folder("configs")
    return (
        load_group(folder / "logistics" / "default.yaml", Logistics),
        load_group(folder / "geography" / "default.yaml", Geography),
    )


def catalogue(stock: int) -> Catalogue:
    """Merchants spread over the four origin warehouses, three lines each, the same stock of every line everywhere."""
    shop = Catalogue.empty(MERCHANTS, LINES, 1)
    shop.home_warehouse[:] = np.arange(MERCHANTS) % N_ORIGIN_WAREHOUSES
    shop.merchant_size[:] = 1.0 / MERCHANTS
    shop.merchant[:] = np.arange(LINES) // 3
    shop.category[:] = np.where(np.arange(LINES) % 8 == 4, 0, np.arange(LINES) % 8)  # no cooled goods
    shop.quality[:] = 0.7
    shop.weight_kg[:] = 0.5
    shop.real[:] = stock
    shop.shown[:] = stock
    return shop


@dataclass
class GoodsWorld:
    """Everything fulfilment needs, and a source of orders."""

    clock: Clock
    goods: Fulfilment
    orders: Orders
    shop: Catalogue
    rules: Rules
    people: np.ndarray

    @classmethod
    def make(
        cls, people: float, stock: int = 10_000_000, width: int = 14_400, seed: int = 7, rules: Rules | None = None
    ) -> GoodsWorld:
        logistics, geography = groups()
        rules = rules or Rules.neutral({"customs.inspection_rate": np.full(N_COUNTRIES, 0.03)})
        weight = float(geography.online_adults().sum() * 1e6 / people)
        clock = Clock(START, width)
        orders = Orders(64)
        shop = catalogue(stock)
        goods = Fulfilment(
            logistics, geography, Scale(weight), clock, shop, orders, Draws(seed), rules, mesa.Model(rng=1)
        )
        return cls(clock, goods, orders, shop, rules, geography.online_adults())

    def batch(
        self, rng: np.random.Generator, count: int, begin: int, end: int, direct: float = 0.4, **columns: Any
    ) -> Any:
        """Records of `count` orders authorised evenly between two seconds; columns override."""
        when = np.sort(rng.integers(begin, end, count))
        line = rng.integers(0, LINES, count)
        country = rng.choice(N_COUNTRIES, count, p=self.people / self.people.sum())
        straight = (rng.random(count) < direct).astype(np.uint8)
        place = np.where(straight == 1, self.shop.home_warehouse[self.shop.merchant[line]], 4 + country)
        fields = {
            "birth": rng.integers(0, 2**31, count),
            "tick": when // DAY_SECONDS * 8 + when % DAY_SECONDS // 14_400,
            "placed": when,
            "authorised": when,
            "promised": when + self.promise_seconds(straight, country),
            "line": line,
            "merchant": self.shop.merchant[line],
            "category": self.shop.category[line],
            "quantity": rng.integers(1, 4, count),
            "country": country,
            "direct": straight,
            "warehouse": place,
            "goods_cents": 5000,
            "status": int(Status.AUTHORISED),
        }
        return Orders.blank(count, **{**fields, **columns})

    def promise_seconds(self, direct: np.ndarray, country: np.ndarray) -> np.ndarray:
        days = self.goods.lane_promise(self.clock.now // DAY_SECONDS)
        return (days[direct, country] * DAY_SECONDS).astype(np.int64)

    def step(self, seqs: np.ndarray, rules: Rules | None = None) -> tuple[Released, Movements]:
        """One daypart: `seqs` were authorised in it."""
        end = self.clock.now + self.clock.daypart_seconds
        events = self.clock.advance_to(end)
        released = self.goods.release(np.asarray(seqs, np.int64), rules or self.rules, end)
        return released, self.goods.apply(events)

    def run(self, rng: np.random.Generator, days: int, orders_a_day: float, **columns: Any) -> list[Movements]:
        """A steady flow of orders for some days."""
        moved = []
        for _ in range(days * DAY_SECONDS // self.clock.daypart_seconds):
            begin = self.clock.now
            count = int(rng.poisson(orders_a_day * self.clock.daypart_seconds / DAY_SECONDS))
            batch = self.batch(rng, count, begin, begin + self.clock.daypart_seconds, **columns)
            moved.append(self.step(self.orders.append(batch))[1])
        return moved


def none() -> np.ndarray:
    return np.empty(0, np.int64)


def only(kind: Event, events: Events) -> np.ndarray:
    return events.order[events.kind == kind]
