"""Tiny whole worlds, and digests that say in which part two of them differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.experiment import configure
from sim.state.table import Table
from sim.world import World

TINY = ("population.consumers=1500", "firms.scale=0.1", "warmup_days=0", "days=8", "record=summary", "seed=7")

# Written by the run about itself, not by the model: its name, question and hash; the dates of its policies.
ABOUT_THE_RUN = frozenset({"run", "marks"})


def tiny(scenario: str = "baseline", *overrides: str) -> World:
    """A tiny world on its first day; later overrides win."""
    return World(configure(scenario, (*TINY, *overrides)))


def after(days: int, scenario: str = "baseline", *overrides: str) -> World:
    """A tiny world after some days."""
    world = tiny(scenario, *overrides)
    for _ in range(days):
        world.step()
    return world


def with_row(name: str, kind: str, *settings: str) -> tuple[str, ...]:
    """Overrides that add one intervention to a scenario: `with_row("cap", "commission_cap", "share=0.1")`."""
    return (f"+interventions.{name}.kind={kind}", *(f"+interventions.{name}.{setting}" for setting in settings))


def _arrays(part: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a struct of arrays, by name."""
    if isinstance(part, Table):
        yield from ((column.name, part[column.name]) for column in part)
    elif isinstance(part, Mapping):
        yield from part.items()
    elif is_dataclass(part):
        yield from ((field.name, np.asarray(getattr(part, field.name))) for field in fields(part))
    else:  # a named tuple
        yield from part._asdict().items()


def _sorted_rows(rows: np.ndarray) -> np.ndarray:
    """Rows in an order of their own, whatever order they were filed in."""
    return rows[np.lexsort(rows.T[::-1])]


def state_of(world: World) -> dict[str, np.ndarray]:
    """Every array that the next day depends on, by name. What holds only for one call (buffers) is left out."""
    orders, fulfilment, adaptation = world.orders, world.fulfilment, world.adaptation
    rows = orders.open_rows()
    parts: dict[str, Any] = {
        "consumers": world.consumers,
        "streamers": world.streamers,
        "catalogue": world.catalogue,
        "setting": world.market.setting,
        "offers": world.market.offers,
        "graph": world.graph.friends,
        "orders": {
            "open": orders.data[rows[np.argsort(orders.seq[rows], kind="stable")]],
            "appended": np.array([orders.appended]),
            "finished": orders.finished,
            "counts": orders.counts,
        },
        "ledger": {
            "balances": world.ledger.balances,
            "results": world.ledger.results,
            "endowments": world.ledger.endowments,
        },
        "goods": {
            "units": fulfilment.units,
            "made": np.array([fulfilment.made_units]),
            "inbound": fulfilment.inbound,
            "promises": fulfilment.lane_promise(fulfilment._promise_day),
            **{f"{bank.name} state": bank.state for bank in fulfilment.banks},
            **{f"{bank.name} queue": _sorted_rows(bank.backlog) for bank in fulfilment.banks},
            **{f"{bank.name} due": _sorted_rows(bank.calendar.read()) for bank in fulfilment.banks},
        },
        "clock": {"due": _sorted_rows(world.clock.calendar.read()), "now": np.array([world.clock.now])},
        "adaptation": {name: value for name, value in vars(adaptation).items() if isinstance(value, np.ndarray)},
        "decisions": world.decisions.arrays(),
        "diffusion": {"alive": world.diffusion.alive, "visited": world.diffusion.visited},
        "stories": {"heard": np.array(list(world.stories.heard.values()))},
        "habits": {"shift": world.habits.shift, "use": world.habits.use},
        "shelf": {"shelf": world.market.shelf},
    }
    return {f"{name}.{key}": array for name, part in parts.items() for key, array in _columns(part)}


def _columns(part: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Like `_arrays`, with records taken apart: the bytes between their fields mean nothing."""
    for name, array in _arrays(part):
        if array.dtype.names is None:
            yield name, array
        else:
            yield from ((f"{name} {field}", array[field]) for field in array.dtype.names)


def counts_of(world: World) -> dict[str, np.ndarray]:
    """Every array of the tally, by name."""
    return {f"tally.{name}": value for name, value in vars(world.tally).items() if isinstance(value, np.ndarray)}


def digests(arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """A digest of each array; comparing two such dicts names the arrays that differ."""
    found = {}
    for name, array in arrays.items():
        shape = f"{array.dtype} {array.shape}"
        found[name] = hashlib.sha256(shape.encode() + np.ascontiguousarray(array).tobytes()).hexdigest()
    return found


def digest_of(world: World) -> dict[str, str]:
    """Digests of state and counts."""
    return digests(state_of(world) | counts_of(world))


def tables_of(world: World, folder: Path) -> dict[str, str]:
    """Digests of the files that the recorder writes, but for those about the run itself."""
    folder.mkdir(parents=True)
    world.recorder.write(folder)
    return {
        file.stem: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.glob("*.parquet"))
        if file.stem not in ABOUT_THE_RUN
    }


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Names whose digests differ."""
    assert one.keys() == other.keys()
    return [name for name in one if one[name] != other[name]]


def run_days(world: World, days: int) -> Sequence[dict[str, str]]:
    """The digests after each of some days."""
    found = []
    for _ in range(days):
        world.step()
        found.append(digest_of(world))
    return found
