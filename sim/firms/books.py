"""Books: what a firm earns and spends in a week, as far as the sample can tell.

A simulated firm is seen through the sampled consumers' orders alone, a few a week in a small sample. What it should
believe about its own trade is therefore a credibility estimate (Buhlmann 1967; Klugman, Panjer and Willmot 2012,
ch. 17): its own smoothed postings with weight Z = n / (n + k), those of firms like it, in proportion to size, with
weight 1 - Z; n is the number of sampled orders behind the smoothed figures. With few orders a firm believes what its
kind earns, with many its own books, so that decisions do not hang on how many people are sampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.kernels.maths import sum_rows
from sim.record.schema import MoneyPurpose
from sim.state.ledger import Account, Ledger

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

WEEK = 7
WEEKS_A_YEAR = 365.0 / WEEK
CAPITAL = MoneyPurpose.LOAN
"""Borrowing and paying back is no result."""
PAUSED = -1


class BooksRule(Protocol):
    """Parameters, see `configs/supply` books."""

    @property
    def memory_weeks(self) -> float:
        """Time constant of the smoothed week."""

    @property
    def trust_orders(self) -> float:
        """Sampled orders at which own books weigh as much as those of the kind."""

    @property
    def first_week(self) -> int:
        """Weeks that are read and not learnt from: until the first payouts have come."""


@dataclass(slots=True)
class _Kept:
    """One class of firms: size and kind of each, last reading of the ledger, smoothed week by purpose (cents)."""

    size: F64  # (n,) expected share of the trade of the class, sums to 1
    kind: I64  # (n,) firms of one kind are alike but for size
    read: I64  # (n, purposes)
    week: F64  # (n, purposes)
    since: I64  # (n,) weeks behind each row, for firms that came later; PAUSED: keeps no books


class Books:
    """Smoothed weekly postings of every firm of the classes followed. n firms of a class, p purposes of the ledger."""

    def __init__(self, rule: BooksRule) -> None:
        self.rule = rule
        self._kept: dict[Account, _Kept] = {}
        self._orders_read = 0
        self._orders_week = 0.0  # smoothed
        self._weeks = 0

    def follow(self, kind: Account, size: NDArray[np.floating], like: NDArray[np.integer] | int = 0) -> None:
        """Keeps books of a class from now on.

        `size` (n,): weight in the trade of the class, any unit, not negative; `like` (n,): number of the kind (segment)
        within which results are proportional to size, one for all by default. Called again it changes both and keeps
        the books.

        Raises:
            ValueError: no firm has a size.
        """
        weight = np.asarray(size, np.float64)
        if weight.sum() <= 0:
            raise ValueError(f"the {kind.name.lower()}s of the books have no size")
        weight = weight / weight.sum()
        segment = np.broadcast_to(np.asarray(like, np.int64), weight.shape).copy()
        if kind in self._kept:
            self._kept[kind].size, self._kept[kind].kind = weight, segment
            return
        shape = (weight.size, len(MoneyPurpose))
        self._kept[kind] = _Kept(
            weight, segment, np.zeros(shape, np.int64), np.zeros(shape), np.zeros(weight.size, np.int64)
        )

    def learn(self, ledger: Ledger, orders: int, day: int) -> bool:
        """Reads the week's postings on the first day of a week; whether it did. `orders`: placed since the start."""
        if day % WEEK:
            return False
        self._weeks += 1
        fresh = float(orders - self._orders_read)
        self._orders_read = orders
        self._orders_week += (fresh - self._orders_week) * self._pace(self._weeks)
        learn = self._weeks > self.rule.first_week
        for kind, kept in self._kept.items():
            result = ledger.result(kind)
            if learn:
                kept.since += kept.since != PAUSED
                pace = np.maximum(1.0 / np.maximum(kept.since, 1), 1.0 / self.rule.memory_weeks)
                pace[kept.since == PAUSED] = 0.0
                kept.week += ((result - kept.read) - kept.week) * pace[:, None]
            kept.read = result
        return True

    def _pace(self, weeks: int) -> float:
        return max(1.0 / weeks, 1.0 / self.rule.memory_weeks)  # a plain mean until the memory is full

    def pause(self, kind: Account, who: NDArray[np.integer]) -> None:
        """The firms `who` have left: no books are kept, and nothing of theirs enters the figures of their kind."""
        kept = self._kept[kind]
        kept.week[who] = 0.0
        kept.since[who] = PAUSED

    def forget(self, kind: Account, who: NDArray[np.integer], ledger: Ledger) -> None:
        """Another firm stands in the rows `who`: its books begin anew with what is posted from now on."""
        kept = self._kept[kind]
        kept.week[who] = 0.0
        kept.since[who] = 0
        kept.read[who] = ledger.result(kind)[who]

    def own(self, kind: Account) -> F64:
        """float64[n, p]: received minus paid in a smoothed week, cents, as posted."""
        return self._kept[kind].week.copy()

    def credibility(self, kind: Account) -> F64:
        """float64[n] 0-1: weight of a firm's own books; 0 before the first week."""
        kept = self._kept[kind]
        weeks = np.clip(kept.since, 0, 2.0 * self.rule.memory_weeks)  # behind a discounted mean
        orders = self._orders_week * weeks * kept.size
        weight: F64 = orders / (orders + self.rule.trust_orders)
        return weight

    def like(self, kind: Account) -> F64:
        """float64[n, p]: the smoothed week of the firm's kind, in proportion to its size, cents."""
        kept = self._kept[kind]
        kinds = int(kept.kind.max()) + 1
        old = kept.since > 0
        size = np.bincount(kept.kind[old], weights=kept.size[old], minlength=kinds)
        sums = sum_rows(kept.kind[old], kept.week[old], kinds)
        rate = sums / np.maximum(size, 1e-300)[:, None]
        usual: F64 = rate[kept.kind] * kept.size[:, None]
        return usual

    def expected(self, kind: Account) -> F64:
        """float64[n, p]: received minus paid in a week by purpose, cents: own books and those of the kind, weighed."""
        weight = self.credibility(kind)[:, None]
        blend: F64 = weight * self._kept[kind].week + (1.0 - weight) * self.like(kind)
        return blend

    def result(self, kind: Account) -> F64:
        """float64[n]: cents a week that a firm expects to be left with, borrowing apart."""
        expected = self.expected(kind)
        total: F64 = expected.sum(axis=1) - expected[:, int(CAPITAL)]
        return total

    @property
    def weeks(self) -> int:
        """Weeks read so far."""
        return self._weeks

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What the next week depends on, by name."""
        named: dict[str, NDArray[np.generic]] = {"orders": np.array([self._orders_read, self._orders_week])}
        for kind, kept in self._kept.items():
            for name in ("size", "kind", "read", "week", "since"):
                named[f"{kind.name.lower()} {name}"] = getattr(kept, name)
        return named
