"""What is followed day by day in the statistical suite, and how far a mean over seeds can be told from nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sim.experiment import configure
from sim.kernels.live import NOBODY
from sim.record.schema import FLOW_GROUPS, N_FLOW_GROUPS, Measure
from sim.state.ledger import Account
from sim.world import World

FIRMS = (
    Account.MERCHANT,
    Account.STREAMER,
    Account.MCN,
    Account.CHANNEL,
    Account.CARRIER,
    Account.LINEHAUL,
    Account.WAREHOUSE,
    Account.PROVIDER,
)
OF_GROUP = {
    Account.MERCHANT: "merchants",
    Account.STREAMER: "streamers",
    Account.MCN: "mcns",
    Account.CHANNEL: "channel",
    Account.CARRIER: "carriers",
    Account.LINEHAUL: "linehaul",
    Account.WAREHOUSE: "warehouses",
    Account.PROVIDER: "payment",
}  # how the flows' groups of each class begin


def gini(values: NDArray[np.generic]) -> float:
    """0: all have the same, towards 1: one has all."""
    ordered = np.sort(values.astype(np.float64))
    ranks = np.arange(1, ordered.size + 1)
    return float((2 * ranks - ordered.size - 1) @ ordered / (ordered.size * ordered.sum()))


def trust(world: World) -> float:
    """Mean general trust of adopters."""
    table = world.consumers
    return float(table.real("trust")[table.adopter == 1].mean())


def of_adopters(read: Callable[[World], NDArray[np.generic]]) -> Callable[[World], float]:
    """Mean over adopters of the sum over a person's places."""
    return lambda world: float(np.sum(read(world)[world.consumers.adopter == 1].astype(np.float64), axis=1).mean())


def needs(world: World) -> float:
    """Mean unmet need over people and categories."""
    table = world.consumers
    days = world.day - table.need_day.astype(np.int64)
    return float(np.minimum(days * world.market.setting.need_rate[table.country], 1.0).mean())


def spending(world: World) -> float:
    """Mean of what has been spent and not yet forgotten, cents."""
    table = world.consumers
    age = world.day - table.spent_day.astype(np.float64)
    return float((table.spent_cents * np.exp(-age / world.cfg.consumer.budget.memory_days)).mean())


def firms(world: World) -> float:
    """Streamers who may go on air and merchants who sell something somewhere."""
    sells = (world.catalogue.landed_cents[:, :, 0] > 0).any(axis=1)
    return float((world.streamers.active == 1).sum() + np.unique(world.catalogue.merchant[sells]).size)


STOCKS: dict[str, Callable[[World], float]] = {
    "trust of adopters": trust,
    "hosts followed": of_adopters(lambda world: world.consumers.follows != NOBODY),
    "bonds": of_adopters(lambda world: world.consumers.real("bonds")),
    "reputation of sellers": lambda world: float(world.catalogue.reputation.mean()),
    "unmet needs": needs,
    "spending not forgotten": spending,
    "parcels and orders that wait": lambda world: world.fulfilment.backlog,
    "open orders": lambda world: world.orders.open_count,
    "units on shelves": lambda world: int(world.catalogue.real.sum()),
    "concentration of popularity": lambda world: gini(world.streamers.popularity),
    "firms": firms,
    "money in escrow": lambda world: int(world.ledger.balance(Account.ESCROW).sum()),
    **{
        f"cash of {kind.name.lower()}s": lambda world, kind=kind: int(world.ledger.balance(kind).sum())  # type: ignore[misc]
        for kind in FIRMS
    },
}


def receipts(world: World) -> dict[str, int]:
    """Cents received today by each class of firms."""
    _, _, payee, cents = world.ledger.flows_today()
    received = np.zeros(N_FLOW_GROUPS, np.int64)
    np.add.at(received, payee, cents)
    return {
        f"receipts of {kind.name.lower()}s": sum(
            int(amount)
            for amount, group in zip(received, FLOW_GROUPS, strict=True)
            if group.split("/")[0] == OF_GROUP[kind]
        )
        for kind in FIRMS
    }


def configured(*overrides: str) -> World:
    """A world of the full number of firms on its first day."""
    return World(configure("baseline", ("record=summary", *overrides)))


def follow(world: World, days: int) -> dict[str, NDArray[np.float64]]:
    """Weekly means of every stock, of a week's receipts of every class, and of daily visits and orders."""
    daily: dict[str, list[float]] = {name: [] for name in (*STOCKS, *receipts(world), "room visits", "orders")}
    for _ in range(days):
        counted = [int(world.tally.totals[measure].sum()) for measure in (Measure.ROOM_VISITS, Measure.ORDERS)]
        world.step()
        for name, read in STOCKS.items():
            daily[name].append(float(read(world)))
        daily["room visits"].append(float(world.tally.totals[Measure.ROOM_VISITS].sum() - counted[0]))
        for name, cents in receipts(world).items():
            daily[name].append(7.0 * cents)
        daily["orders"].append(float(world.tally.totals[Measure.ORDERS].sum() - counted[1]))
    return {name: np.array(values[: days // 7 * 7]).reshape(-1, 7).mean(axis=1) for name, values in daily.items()}


def drift(weeks: NDArray[np.float64]) -> float:
    """Change over the whole span by the least-squares line."""
    time = np.arange(weeks.size)
    return float(np.polyfit(time, weeks, 1)[0] * (weeks.size - 1))


def interval(values: Sequence[float], odds: float) -> tuple[float, float]:
    """Mean of independent values and the half-width that it leaves with the given odds (Student)."""
    sample = np.asarray(values, np.float64)
    half = stats.t.ppf(1 - odds / 2, sample.size - 1) * sample.std(ddof=1) / np.sqrt(sample.size)
    return float(sample.mean()), float(half)
