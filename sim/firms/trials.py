"""Trials: what merchants who are new in a country sell there, and what the next ones may therefore expect.

New exporters begin small, many give up, and who stays grows (Ruhl and Willis 2017; Albornoz et al. 2012). So a merchant
expects of a new country a share of what an established seller of its size and category sells there, and orders stock
for that. The share begins at `entrant_sales` and follows what entrants are seen to sell: with s units sold by them over
all countries and u the units that established sellers of their size would have sold in the same weeks,

    share = (k entrant_sales + s) / (k + u),   k = `trust_units`

and each country's from its own s and u in the same way, the world's share in the place of `entrant_sales` (credibility,
as everywhere: `sim.firms.books`). After `trial_weeks` a merchant counts as established.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.config.supply import Channels as ChannelsRule
from sim.firms.books import WEEK
from sim.kinds import N_COUNTRIES

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]
type Flags = NDArray[np.bool_]

NOT_NEW = -1


def entrants_share(before: Any, sold: Any, usual: Any, weight: float) -> Any:
    """Share of the sales of established sellers that entrants expect. Arrays or scalars; see the module's text."""
    return (weight * before + sold) / (weight + usual)


class Trials:
    """Entrants of m merchants in C countries, and what has been seen of them.

    Attributes:
        since: int64[m, C] day of entry, NOT_NEW where the merchant is established or does not sell.
        reach: float32[m, C] sales expected, against those of an established seller of the same size.
    """

    def __init__(self, rule: ChannelsRule, merchants: int) -> None:
        self.rule = rule
        self.since: I64 = np.full((merchants, N_COUNTRIES), NOT_NEW, np.int64)
        self.reach: F32 = np.ones((merchants, N_COUNTRIES), np.float32)
        self._sold: F64 = np.zeros(N_COUNTRIES)
        self._usual: F64 = np.zeros(N_COUNTRIES)
        self._wanted: I64 = np.zeros((merchants, N_COUNTRIES), np.int64)  # when last read

    def share(self) -> F64:
        """float64[C]: what an entrant may expect, against an established seller of its size."""
        weight = self.rule.trust_units
        world = entrants_share(self.rule.entrant_sales, self._sold.sum(), self._usual.sum(), weight)
        share: F64 = entrants_share(world, self._sold, self._usual, weight)
        return share

    def watch(self, wanted: I64, usual: F64, there: Flags, day: int) -> bool:
        """A week of sales of those who are new; whether any of them is established now, or gone.

        wanted int64[m, C]: units asked for since the first day; usual float64[m, C]: units a day that an established
        seller of the merchant's size sells; there bool[m, C]: where merchants sell.
        """
        new = self.since != NOT_NEW
        fresh = np.where(new & there, wanted - self._wanted, 0).sum(axis=0)
        self._wanted = wanted
        keep = 1.0 - 1.0 / self.rule.trial_weeks
        self._sold = keep * self._sold + fresh
        self._usual = keep * self._usual + np.where(new & there, usual * WEEK, 0.0).sum(axis=0)
        over = new & (~there | (day - self.since >= self.rule.trial_weeks * WEEK))
        self._end(over)
        return bool(over.any())

    def begin(self, who: I64, joined: Flags, wanted: I64, day: int) -> None:
        """Merchants `who` (k,) enter countries, bool[k, C]; `wanted` as for `watch`."""
        row, country = np.nonzero(joined)
        self.since[who[row], country] = day
        self.reach[who[row], country] = self.share()[country]
        self._wanted[who[row], country] = wanted[who[row], country]

    def forget(self, who: I64) -> None:
        """Other merchants stand in the rows `who` (k,)."""
        rows = np.zeros(self.since.shape, np.bool_)
        rows[who] = True
        self._end(rows)

    def busy(self) -> Flags:
        """bool[m]: merchants who are still new somewhere."""
        flags: Flags = (self.since != NOT_NEW).any(axis=1)
        return flags

    def _end(self, over: Flags) -> None:
        self.since[over] = NOT_NEW
        self.reach[over] = 1.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the next week depends on, by name."""
        return {
            "since": self.since, "reach": self.reach, "sold": self._sold, "usual": self._usual,
            "wanted": self._wanted,
        }  # fmt: skip
