"""Where people stand when nothing has changed for long: days since purchases, spending not yet forgotten, follows.

A run that began with everybody new would spend years of durables and months of bonds on its way to rest. The first day
is drawn instead from the distribution that the parameters keep up by themselves: renewal theory for purchases (the age
of a renewal process has density S(a) / mean interval, S the chance that an interval outlasts a), a queue without
waiting for follows. What the formulas leave out (prices, friends, what is on air) is held in two declared figures,
`consumer.category.pace` and `consumer.trust.first_follows`. tests/statistical/test_no_trend.py holds them to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernels.maths import exp_array, log_array

GRID = 128  # points of the need between nothing and whole
WATCHER = 2  # occasions to buy of who also watches rooms, against who only searches

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]
type Whole = NDArray[np.integer[Any]]


class Renewal:
    """Purchases of a category by somebody whose hazard at full need is `pace` a day: the law of the last one's age.

    The hazard is pace x shape(need), with need = min(1, days / need_days) and shape = (need + floor) e^(steepness need)
    over its value at full need: a category is turned to in proportion to need + floor (`behaviour.focus_weight`), and
    once there the odds of buying rise with e^(steepness need) (`purchase.need`).
    """

    def __init__(self, pace: float, need_days: float, steepness: float, floor: float) -> None:
        self._need = np.linspace(0.0, 1.0, GRID)
        shape = (self._need + floor) * exp_array(steepness * (self._need - 1.0)).astype(np.float64)
        shape /= 1.0 + floor
        self._days = need_days
        self._pace = pace
        lasting = exp_array(-pace * need_days * _integral(shape, self._need)).astype(np.float64)
        self._within = need_days * _integral(lasting, self._need)  # integral of S up to each point, days
        self._after = float(lasting[-1]) / pace  # of S beyond full need, where the hazard is constant
        self.interval = float(self._within[-1]) + self._after
        """Mean days between two purchases."""

    def age(self, chance: F32) -> F64:
        """Days since the last purchase at probabilities `chance` in (0, 1), shape (n,)."""
        passed = chance.astype(np.float64) * self.interval
        age = self._days * np.interp(passed, self._within, self._need)
        late = passed > self._within[-1]
        left = (self.interval - passed[late]) / self._after
        age[late] = self._days - log_array(left).astype(np.float64) / self._pace
        return age


def _integral(values: F64, at: F64) -> F64:
    """Integral from the first point to each point, by trapezes, shape (GRID,)."""
    steps = (values[1:] + values[:-1]) / 2.0 * np.diff(at)
    return np.concatenate(([0.0], np.cumsum(steps)))


def purchases(
    interest: NDArray[np.uint8],
    adopter: NDArray[np.bool_],
    pace: float,
    need_days: float,
    steepness: float,
    floor: float,
    luck: F32,
    laws: dict[int, Renewal],
) -> tuple[F64, F64]:
    """Days since the last purchase of a category and purchases a day, both (n,).

    `interest` (n,) in 255ths and `adopter` (n,) set a person's hazard: pace x interest x (`WATCHER` if adopter); `pace`
    a day of a non-adopter of full interest and need; `steepness` and `floor` as in `Renewal`; `luck` uniform (n,).
    `laws` keeps the law of each hazard for the next call with the same parameters.
    """
    weight = interest.astype(np.int64) * np.where(adopter, WATCHER, 1)
    age, rate = np.zeros(weight.size), np.zeros(weight.size)
    order = np.argsort(weight, kind="stable")
    values, first = np.unique(weight[order], return_index=True)
    for value, members in zip(values.tolist(), np.split(order, first[1:]), strict=True):
        if value not in laws:
            laws[value] = Renewal(pace * max(value, 1) / 255.0, need_days, steepness, floor)
        law = laws[value]
        age[members] = law.age(luck[members])
        rate[members] = 1.0 / law.interval
    return age, rate


def follows_wanted(taste: F32, mean: float, places: int, luck: F32) -> NDArray[np.int64]:
    """Hosts somebody follows at rest, (n,) between 0 and `places`.

    Poisson, as hosts come and lapse independently of each other; the mean of a person of usual opening taste is `mean`,
    others by the chance to open at the odds e^taste against even. `taste` (n,) logit, `luck` uniform (n,).
    """
    expected = mean * 2.0 / (1.0 + exp_array(-taste).astype(np.float64))
    chance = exp_array(-expected).astype(np.float64)  # of none
    reached = chance.copy()
    count = np.zeros(taste.size, np.int64)
    for number in range(1, places + 1):
        count += luck > reached
        chance *= expected / number
        reached += chance
    return count


def bonds(mean: float, lapse: float, luck: F32) -> F64:
    """Bonds with followed hosts at rest, in [lapse, 1]: exponential above the bond at which a follow lapses."""
    return np.minimum(lapse - max(mean - lapse, 0.0) * log_array(luck).astype(np.float64), 1.0)
