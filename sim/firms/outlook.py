"""What hosts and agencies expect of each country and platform: live sales against those at rest.

One series for each open cell (country, platform): live sales of a day over the season (people's time for screens x how
fast needs come back), smoothed. At the end of the warm-up the level is kept as that at rest; from then on the outlook
is the log of sales against it. A cell in which few orders are sampled believes its region, and a region the world
(credibility: Buhlmann 1967), so that single orders are not taken for news.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.kernels.maths import logs
from sim.kinds import N_COUNTRIES, N_PLATFORMS, REGION_OF_COUNTRY

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

WIDEST = 3.0  # logs; beyond a factor of twenty more or less makes no difference to a decision
REGION = np.asarray(REGION_OF_COUNTRY)


class Season(Protocol):
    """What the outlook asks of the calendar."""

    def availability(self, day: int) -> NDArray[np.float32]:
        """float32[C, 6]: free attention, 1 = average of an ordinary week."""

    def need_factor(self, day: int) -> NDArray[np.float32]:
        """float32[C, K]: relative speed at which needs come back."""


class Outlook:
    """Smoothed live sales by country and platform, and what they were at rest.

    `interest` float64[K]: categories' shares of live sales, by which seasons of need are weighed.
    """

    def __init__(self, memory_days: float, trust_orders: float, interest: F64, season: Season) -> None:
        self.memory_days = memory_days
        self.trust_orders = trust_orders
        self._interest = interest / interest.sum()
        self._season = season
        self.sales: F64 = np.zeros((N_COUNTRIES, N_PLATFORMS))  # cents a day, the season taken out
        self.orders: F64 = np.zeros((N_COUNTRIES, N_PLATFORMS))  # a day
        self.rest: F64 = np.zeros((N_COUNTRIES, N_PLATFORMS))  # sales at rest; all 0 before that is known
        self.days = 0
        self._ahead: F64 | None = None  # what the figures above say; None while nobody has asked

    def learn(self, day: int, sales: I64, orders: I64) -> None:
        """A day's live sales (cents) and orders by country and platform, both (C, P)."""
        self.days += 1
        self._ahead = None
        pace = max(1.0 / self.days, 1.0 / self.memory_days)  # a plain mean until the memory is full
        activity = self._season.availability(day).mean(axis=1, dtype=np.float64)
        need = self._season.need_factor(day).astype(np.float64) @ self._interest
        season = np.maximum(activity * need, 1e-3)[:, None]
        self.sales += (sales / season - self.sales) * pace
        self.orders += (orders - self.orders) * pace

    def settle(self) -> None:
        """What has been learnt so far is the level at rest."""
        self.rest = self.sales.copy()
        self._ahead = None

    @property
    def is_settled(self) -> bool:
        """Whether the level at rest is known."""
        return bool(self.rest.any())

    def ahead(self) -> F64:
        """float64[C, P]: log of the sales expected against those at rest; 0 before that is known."""
        if self._ahead is None:
            self._ahead = self._expected()
        return self._ahead

    def _expected(self) -> F64:
        result = np.zeros((N_COUNTRIES, N_PLATFORMS))
        if not self.is_settled:
            return result
        regions = int(REGION.max()) + 1
        by_region = np.zeros((3, regions))
        for row, values in enumerate((self.sales, self.rest, self.orders)):
            by_region[row] = np.bincount(REGION, weights=values.sum(axis=1), minlength=regions)
        world = self._ratio(by_region[0].sum(), by_region[1].sum())
        trust = self._trust(by_region[2])
        region = trust * self._ratio(by_region[0], by_region[1]) + (1.0 - trust) * world
        trust = self._trust(self.orders)
        usual = np.broadcast_to(region[REGION][:, None], result.shape)
        own = np.where(self.rest > 0, self._ratio(self.sales, self.rest), usual)
        blend: F64 = trust * own + (1.0 - trust) * usual
        return blend

    def _trust(self, orders: F64) -> F64:
        """0-1: weight of own figures, by the sampled orders behind them."""
        seen = orders * min(self.days, 2.0 * self.memory_days)
        weight: F64 = seen / (seen + self.trust_orders)
        return weight

    @staticmethod
    def _ratio(now: NDArray[np.floating] | float, rest: NDArray[np.floating] | float) -> F64:
        both = np.maximum(np.asarray(now, np.float64), 1e-9) / np.maximum(np.asarray(rest, np.float64), 1e-9)
        bounded: F64 = np.clip(logs(both), -WIDEST, WIDEST)
        return bounded

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What the next day depends on, by name."""
        return {"sales": self.sales, "orders": self.orders, "rest": self.rest, "days": np.array([self.days])}
