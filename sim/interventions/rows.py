"""The rows: one YAML file a lever, and what it must say.

A row of `configs/interventions/NAME.yaml` names the leaves of the rules it changes, by which parameter and in which
way; what it costs and who pays; where its figures come from; and what it cannot be told apart from. It holds no code:
`sim.interventions.base` applies any row. Rows that happen at an hour rather than on a day also name one verb of
`Levers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sim.config.folders import data_folder
from sim.config.interventions import Scope
from sim.config.quantity import Group, Quantity, load_group_with_quantities
from sim.errors import ConfigError, Fault, unknown_name
from sim.rules import LEAVES

Operation = Literal["set", "add", "subtract", "multiply", "at_most", "at_least"]
Verb = Literal[
    "close_warehouses", "suspend_carriers", "stop_payments", "promote_shows", "remove_streamers", "spread_news"
]  # fmt: skip
Payer = Literal["treasury", "platform", "merchant", "warehouse", "carrier", "payment_provider", "streamer", "mcn"]

PAYER_AXIS: Mapping[Payer, str] = {
    "treasury": "country",
    "platform": "platform",
    "warehouse": "warehouse",
    "carrier": "carrier",
    "payment_provider": "method",
    "merchant": "seller_class",
}
"""The axis along which payers of a class are counted; classes not named here pay as one."""

VERB_AXES: Mapping[Verb, tuple[str, ...]] = {
    "close_warehouses": ("warehouse",),
    "suspend_carriers": ("carrier",),
    "stop_payments": ("country", "method"),
    "promote_shows": ("country", "platform", "category", "tier", "rank"),
    "remove_streamers": ("country", "platform", "category", "tier", "rank"),
    "spread_news": ("country",),
}
"""What each verb can be aimed at; news also at what its subject has (`NEWS_AXES`)."""

NEWS_AXES: Mapping[str, tuple[str, ...]] = {
    "bond": ("country", "platform", "category", "tier", "rank"),
    "channel": ("country", "platform"),
    "reputation": ("country", "category", "seller_class"),
}
"""Levels of trust that news moves, named as the parameter that gives the size, and what can be its subject."""

BY_DAY: frozenset[Verb] = frozenset({"remove_streamers", "spread_news"})
"""Verbs that speak of whole days."""

VERB_LEAF: Mapping[Verb, str] = {
    "close_warehouses": "warehousing.open",
    "suspend_carriers": "carrier.open",
    "stop_payments": "payment.outage",
}
"""The leaf that says the same of a whole day as the verb says of some hours."""


CHOSEN: Mapping[str, str] = {
    "certification.coverage": "certification.offered",
    "tracing.coverage": "tracing.offered",
    "tryon.coverage": "tryon.offered",
    "small_lots.coverage": "small_lots.offered",
}
"""Leaves that decree who has something, and those that offer it to as many, who choose (`sim.firms.technology`)."""


class Change(Group):
    """One leaf and what is done to it: by a named parameter, or by a constant that is part of the lever's nature."""

    leaf: str
    operation: Operation
    by: str | None = None
    constant: float | None = None


class CostLine(Group):
    """Real-world money, each amount for one payer in scope; `times` multiplies it by the length of a scoped axis.

    `setup_usd` falls on the first day, `usd_per_day` on each; both shrink with strength, ramp and uptake.
    """

    payer: Payer
    purpose: Literal["technology", "compliance", "subsidy", "wage", "logistics"]
    setup_usd: Annotated[float, Field(ge=0.0)]
    usd_per_day: Annotated[float, Field(ge=0.0)]
    times: Literal["country", "category", "language_pair"] | None = None


class Row(Group):
    """A lever or shock, as its file says."""

    title: str
    family: Literal["policy", "platform", "logistics", "payment", "shock"]
    pulled_by: tuple[str, ...]
    mechanism: str
    claims: tuple[str, ...] = ()
    parameters: dict[str, float | None] = Field(default_factory=dict)
    one_of: tuple[tuple[str, ...], ...] = ()
    """Parameters that exclude each other: one given displaces the default of the others."""
    changes: tuple[Change, ...]
    within: Scope = Scope()
    """What the lever can reach at all; a scenario's scope narrows it further."""
    acts: Verb | None = None
    acts_by: str | None = None
    """Parameter that a verb with a size takes."""
    adoption: Literal["mandated", "offered"] = "mandated"
    uptake: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    """Share of those offered who take it, when adoption is offered."""
    costs: tuple[CostLine, ...] = ()
    not_separately_identified: tuple[str, ...] = ()

    @property
    def chosen(self) -> bool:
        """Whether firms of the model choose who takes it where it is offered."""
        return bool(self.changes) and all(change.leaf in CHOSEN for change in self.changes)


@dataclass(frozen=True, slots=True)
class Kind:
    """A row with its name, its file and what its figures say about themselves."""

    name: str
    path: Path
    row: Row
    quantities: Mapping[str, Quantity]

    def parameter(self, name: str) -> Quantity:
        """Unit, range and source of a parameter."""
        return self.quantities[f"parameters.{name}"]


def read_kind(path: Path) -> Kind:
    """One file. `ConfigError` lists whatever is malformed or refers to nothing."""
    row, quantities = load_group_with_quantities(path, Row)
    faults = list(_faults(row, quantities, str(path)))
    if faults:
        raise ConfigError(faults)
    return Kind(path.stem, path, row, quantities)


@cache
def kinds_in(folder: Path) -> Mapping[str, Kind]:
    """Every row of a folder by name. `ConfigError` lists the faults of all files."""
    found: dict[str, Kind] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found[path.stem] = read_kind(path)
        except ConfigError as error:
            faults.extend(error.faults)
    if faults:
        raise ConfigError(faults)
    return found


def known_kinds() -> Mapping[str, Kind]:
    """Every shipped row by name."""
    return kinds_in(data_folder("configs") / "interventions")


def _faults(row: Row, quantities: Mapping[str, Quantity], where: str) -> list[Fault]:
    faults: list[Fault] = []
    names = set(row.parameters)
    described = {key.removeprefix("parameters.") for key in quantities}
    faults += [
        Fault(where, f"parameters.{name}", "is a bare number", "{value, unit, range, source, meaning}")
        for name in sorted(names - described)
    ]
    faults += [
        Fault(where, key, "lacks a unit, a source or a meaning")
        for key, quantity in quantities.items()
        if not (quantity.unit and quantity.source and quantity.meaning)
    ]
    used = {name for group in row.one_of for name in group}
    for number, change in enumerate(row.changes):
        key = f"changes.{number}"
        if change.leaf not in LEAVES:
            faults.append(unknown_name(where, f"{key}.leaf", "leaf of the rules", change.leaf, LEAVES))
        elif LEAVES[change.leaf].mode == "bound" and change.operation != "at_most":
            faults.append(Fault(where, f"{key}.operation", f"{change.leaf} is a cap", "at_most"))
        if (change.by is None) == (change.constant is None):
            faults.append(Fault(where, key, "needs either `by` or `constant`"))
        if change.by is not None:
            used.add(change.by)
    if (row.acts == "promote_shows") != (row.acts_by is not None):
        faults.append(Fault(where, "acts_by", "names the size of promote_shows, and of no other verb"))
    if row.acts_by is not None:
        used.add(row.acts_by)
    if row.acts == "spread_news":
        used |= {*NEWS_AXES, "reach", "told"}
    faults += [unknown_name(where, "parameters", "parameter", name, names) for name in sorted(used - names)]
    faults += [Fault(where, f"parameters.{name}", "changes nothing") for name in sorted(names - used)]
    whole_day = VERB_LEAF.get(row.acts) if row.acts is not None else None
    if whole_day is not None and whole_day not in {change.leaf for change in row.changes}:
        faults.append(Fault(where, "acts", f"{row.acts} says of hours what {whole_day} says of days", "both"))
    return faults
