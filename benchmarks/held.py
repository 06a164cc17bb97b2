"""What the arrays of a world take: by what they are for, and per consumer and open order.

Arrays are counted once, by the memory they own, wherever in the world they are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

_NAMES = {
    "consumers": "consumer columns",
    "people_columns": "consumer columns",
    "graph": "friends graph",
    "attention": "working arrays of a day",
    "shopping": "working arrays of a day",
    "opinion": "working arrays of a day",
    "orders": "order book",
    "clock": "calendars of what falls due",
    "fulfilment": "stations and stock",
    "settlement": "money",
    "ledger": "money",
    "catalogue": "firms and offers",
    "streamers": "firms and offers",
    "supply": "firms and offers",
    "adaptation": "firms and offers",
    "market": "firms and offers",
    "recorder": "record",
    "tally": "record",
}
PER_CONSUMER = ("consumer columns", "friends graph")
PER_ORDER = ("order book", "calendars of what falls due", "stations and stock")
_DEPTH = 6


def arrays(thing: Any, seen: set[int], depth: int = _DEPTH) -> Iterator[np.ndarray]:
    """Arrays that own their memory and can be reached from an object of this project, each once."""
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        base = thing
        while isinstance(base.base, np.ndarray):
            base = base.base
        if base is thing or id(base) not in seen:
            seen.add(id(base))
            yield base
        return
    inside: list[Any] = []
    if isinstance(thing, dict):
        inside = list(thing.values())
    elif isinstance(thing, list | tuple | set):
        inside = list(thing)
    elif type(thing).__module__.startswith("sim."):
        inside = list(getattr(thing, "__dict__", {}).values())
        for owner in type(thing).__mro__:
            names = owner.__dict__.get("__slots__", ())
            inside += [getattr(thing, name, None) for name in ((names,) if isinstance(names, str) else names)]
        if is_dataclass(thing):
            inside += [getattr(thing, item.name, None) for item in fields(thing)]
    for item in inside:
        if isinstance(item, np.ndarray | dict | list | tuple | set) or type(item).__module__.startswith("sim."):
            yield from arrays(item, seen, depth - 1)


def breakdown(world: Any) -> dict[str, int]:
    """Bytes of the world's arrays by what they are for; what is shared counts where it is met first."""
    seen: set[int] = {id(world), id(world.cfg)}
    found = dict.fromkeys([*dict.fromkeys(_NAMES.values()), "other"], 0)
    for name, use in _NAMES.items():
        if hasattr(world, name):
            for base in arrays(getattr(world, name), seen):
                found[use] += base.nbytes
    for name, part in vars(world).items():
        if name not in ("cfg", "frame", "draws", "calendar", "interventions"):
            found["other"] += sum(base.nbytes for base in arrays(part, seen))
    return found


def per_head(small: dict[str, Any], large: dict[str, Any]) -> dict[str, float]:
    """Bytes that one more consumer and one more open order cost, from two measurements of `benchmarks.world`.

    Slopes, because firms, rules and numpy itself take as much in a small world as in a large one.
    """
    consumers = large["consumers"] - small["consumers"]
    orders = max(large["open_orders"] - small["open_orders"], 1)
    more = {name: large["memory"][name] - small["memory"][name] for name in large["memory"]}
    result = {f"{name}, a consumer": more[name] / consumers for name in (*PER_CONSUMER, "working arrays of a day")}
    result["columns and graph, a consumer"] = sum(more[name] for name in PER_CONSUMER) / consumers
    result |= {f"{name}, an open order": more[name] / orders for name in PER_ORDER}
    result["all that waits, an open order"] = sum(more[name] for name in PER_ORDER) / orders
    result["all that waits, a consumer"] = sum(more[name] for name in PER_ORDER) / consumers
    result["open orders, a consumer"] = orders / consumers
    result["peak of the process, a consumer"] = (large["peak_bytes"] - small["peak_bytes"]) / consumers
    return result
