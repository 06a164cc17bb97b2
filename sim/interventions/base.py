"""Interventions in force: dates, ramp, strength, cost, and the book that orders them.

A generic `Intervention` applies any row of `configs/interventions`: `amend(rules, day)` is pure and returns a changed
copy, or the very same object where nothing changes. A row that happens at an hour also acts through one narrow verb of
`Levers`: whole days are said by the rules, the hours of a first and a last day by the verb, so that nothing is said
twice. Interventions never see the world.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.config.interventions import InterventionEntry
from sim.errors import ConfigError, Fault, list_names, nearest, unknown_name
from sim.interventions.rows import (
    BY_DAY,
    CHOSEN,
    NEWS_AXES,
    PAYER_AXIS,
    VERB_AXES,
    VERB_LEAF,
    Change,
    Kind,
    known_kinds,
)
from sim.interventions.scope import axis_mask, keys_for, language_mask, leaf_mask, scope_faults, tier_mask
from sim.kinds import DAY_SECONDS
from sim.rules import AXES, LEAVES, Leaf, Rules

EPOCH = date(2000, 1, 1)
DATE_WORDS = "days after the first reported day, or an ISO date or time such as 2023-11-11 or 2023-11-11T08:00"
HOUR_SECONDS = 3600
COVERED = 280  # the purpose of that name in `sim.draws`, which lies above this layer; a test holds them equal
_GOLDEN = 0.6180339887498949

type Indices = NDArray[np.int64]


class Settings(Protocol):
    """What is needed of a run's configuration."""

    @property
    def interventions(self) -> Mapping[str, Mapping[str, Any]]:
        """The scenario's rows by name."""
        ...

    @property
    def start_date(self) -> date:
        """First reported day (UTC)."""
        ...

    @property
    def days(self) -> int:
        """Number of reported days."""
        ...

    def origin(self, key: str) -> str:
        """The file, or "command line", that gave the key its value."""
        ...


class Uniforms(Protocol):
    """Keyed uniform draws, as `sim.draws.Draws` gives them."""

    def uniform(self, purpose: int, entity: ArrayLike, other: ArrayLike = 0) -> NDArray[np.float32]:
        """One draw in (0, 1) for each entity."""
        ...


@dataclass(frozen=True, slots=True)
class Promotion:
    """Shows that a press report, a trend or a push message makes more visible.

    Masks: `countries` bool[C] of the audience, `platforms` bool[P], `categories` bool[K], `tiers` bool[3]; `ranks`
    first and last rank by expected audience (1 the largest) or None. `factor` multiplies the popularity that people
    and recommenders see from `start` to `end` (seconds).
    """

    countries: NDArray[np.bool_]
    platforms: NDArray[np.bool_]
    categories: NDArray[np.bool_]
    tiers: NDArray[np.bool_]
    ranks: tuple[int, int] | None
    factor: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hosts:
    """Which hosts: masks over the audience's country bool[C], platform bool[P], category bool[K] and tier bool[3], and
    of these the first to the last `ranks` by expected audience, 1 the largest (an empty span is nobody)."""

    countries: NDArray[np.bool_]
    platforms: NDArray[np.bool_]
    categories: NDArray[np.bool_]
    tiers: NDArray[np.bool_]
    ranks: tuple[int, int]


@dataclass(frozen=True, slots=True)
class News:
    """A day of a scandal, or of good news.

    It moves trust at one `level`: the bond with `hosts`, trust in platforms, or the public reputation of sellers whose
    main category and size are in reach. `change` in [-1, 1]: the share of what there is that is lost, or of what is
    lacking that is won. `reach`: share of those concerned in `hosts.countries` who hear of it today from the press;
    `told`: chance that who heard of it tells friends. `sellers` bool[2] by size; the other masks are those of `hosts`.
    """

    name: str
    level: Literal["bond", "channel", "reputation"]
    hosts: Hosts
    sellers: NDArray[np.bool_]
    change: float
    reach: float
    told: float


class Levers(Protocol):
    """The few verbs an intervention may say to the world; seconds since 2000-01-01 00:00 UTC, end excluded."""

    def close_warehouses(self, warehouses: Indices, start: int, end: int) -> None:
        """Nothing is picked or booked in there; parcels wait."""
        ...

    def suspend_carriers(self, carriers: Indices, start: int, end: int) -> None:
        """Nothing is delivered by them; parcels wait."""
        ...

    def stop_payments(self, countries: Indices, methods: Indices, start: int, end: int) -> None:
        """Requests by method `methods[i]` in country `countries[i]` fail."""
        ...

    def promote_shows(self, promotion: Promotion) -> None:
        """Shows in the promotion's reach look more popular."""
        ...

    def remove_streamers(self, name: str, hosts: Hosts, end: int) -> None:
        """Hosts are away from today to second `end`. Ranks are those of the day on which `name` is first said."""
        ...

    def spread_news(self, news: News) -> None:
        """People hear of it today, and tell friends. Who it is about is settled when its name is first said."""
        ...


@dataclass(frozen=True, slots=True)
class Cost:
    """One amount to post, in cents of the sampled world.

    `payer` is a class (`treasury`, `platform`, `merchant`, `warehouse`, `carrier`, `payment_provider`, `streamer`,
    `mcn`), `index` which of them along the class's axis (`PAYER_AXIS`; -1: the class as one), `purpose` a purpose of
    the ledger.
    """

    payer: str
    index: int
    purpose: str
    cents: int
    intervention: str


@dataclass(frozen=True, slots=True)
class Intervention:
    """One named entry of a scenario, resolved: its row, parameter values, and window in seconds (end excluded)."""

    name: str
    kind: Kind
    entry: InterventionEntry
    values: Mapping[str, float | None]
    start: int
    end: int
    uniforms: Uniforms | None = None

    @property
    def offered(self) -> bool:
        """Whether it is offered rather than mandated."""
        return (self.entry.adoption or self.kind.row.adoption) == "offered"

    @property
    def chosen(self) -> bool:
        """Whether firms of the model choose who takes what is offered."""
        return self.offered and self.kind.row.chosen

    @property
    def full_strength(self) -> float:
        """Strength after the ramp: as set, times uptake where it is offered and nobody in the model chooses."""
        if not self.offered or self.chosen:
            return self.entry.strength
        uptake = self.entry.uptake if self.entry.uptake is not None else self.kind.row.uptake
        return self.entry.strength * uptake

    @property
    def first_day(self) -> int:
        """Day (since 2000-01-01) in which the window opens."""
        return self.start // DAY_SECONDS

    @property
    def changes(self) -> tuple[Change, ...]:
        """The row's changes whose parameter has a value, of the leaf that offers where firms choose."""
        used = tuple(c for c in self.kind.row.changes if c.by is None or self.values[c.by] is not None)
        return tuple(c.model_copy(update={"leaf": CHOSEN[c.leaf]}) for c in used) if self.chosen else used

    @property
    def acts(self) -> bool:
        """Whether the row's verb is in use."""
        row = self.kind.row
        return row.acts is not None and (row.acts_by is None or self.values[row.acts_by] is not None)

    def mask(self, path: str) -> NDArray[np.bool_]:
        """bool in the leaf's shape: the entities in the entry's scope and within the row's own reach."""
        return leaf_mask(path, self.entry.scope) & leaf_mask(path, self.kind.row.within)

    def ramped(self, day: int) -> float:
        """Strength by ramp on a day of the window: grows in equal steps and is full on day `ramp`."""
        if self.entry.ramp == 0:
            return self.full_strength
        return self.full_strength * min(1.0, (day - self.first_day + 1) / self.entry.ramp)

    def strength_on(self, day: int) -> float:
        """Strength with which the rules of a day are changed: 0 unless the window holds the whole day."""
        if day * DAY_SECONDS < self.start or (day + 1) * DAY_SECONDS > self.end:
            return 0.0
        return self.ramped(day)

    def amend(self, rules: Rules, day: int) -> Rules:
        """The rules with this lever pulled as far as it is on `day`; the same object when it is not."""
        strength = self.strength_on(day)
        if strength == 0.0:
            return rules
        changed: dict[str, NDArray[np.float64]] = {}
        for change in self.changes:
            leaf = LEAVES[change.leaf]
            base = changed.get(change.leaf, np.asarray(rules.get(change.leaf), dtype=np.float64))
            amount = self.values[change.by] if change.by is not None else change.constant
            assert amount is not None
            target = np.clip(_target(change, base, amount), leaf.low, leaf.high)
            changed[change.leaf] = np.where(
                self.mask(change.leaf), self._between(leaf, base, target, strength, rules), base
            )
        return rules.amend(changed)

    def _between(
        self, leaf: Leaf, base: NDArray[np.float64], target: NDArray[np.float64], strength: float, rules: Rules
    ) -> NDArray[np.float64]:
        """The leaf's value at a strength between nothing (`base`) and full (`target`), in the way the leaf declares."""
        if leaf.flag:
            return np.where(self._covered(leaf, strength), target, base)
        if leaf.mode == "cover":
            strength *= self.entry.scope.adopters if self.entry.scope.adopters is not None else 1.0
        if strength == 1.0:
            return target
        if leaf.mode == "bound":
            base = np.minimum(base, np.maximum(np.asarray(rules.in_force[leaf.path], dtype=np.float64), target))
        with np.errstate(invalid="ignore"):
            mixed = base + strength * (target - base)
        return np.where(np.isfinite(base), mixed, base)

    def _covered(self, leaf: Leaf, strength: float) -> NDArray[np.bool_]:
        """Which entities of an on/off leaf are switched at a strength: nested, the same ones on every day.

        With draws the pick is keyed by entity and leaf; without, it is spread evenly over the index.
        """
        share = strength * (self.entry.scope.adopters if self.entry.scope.adopters is not None else 1.0)
        entities = np.arange(int(np.prod(leaf.shape)), dtype=np.int64)
        if share >= 1.0:
            return np.ones(leaf.shape, dtype=np.bool_)
        if self.uniforms is not None:
            draws = self.uniforms.uniform(COVERED, entities, zlib.crc32(leaf.path.encode()))
        else:
            draws = np.asarray(((entities + 1) * _GOLDEN) % 1.0, dtype=np.float32)
        return (draws < share).reshape(leaf.shape)

    def act(self, levers: Levers, day: int) -> None:
        """Say to the world what holds for some hours of `day` only, and what no leaf can say."""
        row = self.kind.row
        first = max(self.start, day * DAY_SECONDS)
        last = min(self.end, (day + 1) * DAY_SECONDS)
        if row.acts is None or not self.acts or first >= last or self.ramped(day) == 0.0:
            return
        if row.acts == "promote_shows":
            self._promote(levers, day, first, last)
            return
        if row.acts == "remove_streamers":
            levers.remove_streamers(self.name, self._hosts(self.ramped(day)), self.end)
            return
        if row.acts == "spread_news":
            self._tell(levers, day)
            return
        if last - first == DAY_SECONDS:
            return
        leaf = LEAVES[VERB_LEAF[row.acts]]
        hit = self.mask(leaf.path) & self._covered(leaf, self.ramped(day))
        places = [axis.astype(np.int64) for axis in np.nonzero(hit)]
        if not places[0].size:
            return
        if row.acts == "close_warehouses":
            levers.close_warehouses(places[0], first, last)
        elif row.acts == "suspend_carriers":
            levers.suspend_carriers(places[0], first, last)
        else:
            levers.stop_payments(places[0], places[1], first, last)

    def _promote(self, levers: Levers, day: int, first: int, last: int) -> None:
        factor = self.values[self.kind.row.acts_by or ""]
        assert factor is not None
        scope = self.entry.scope
        levers.promote_shows(
            Promotion(
                countries=axis_mask("country", scope),
                platforms=axis_mask("platform", scope),
                categories=axis_mask("category", scope),
                tiers=tier_mask(scope),
                ranks=scope.streamer_ranks,
                factor=1.0 + self.ramped(day) * (factor - 1.0),
                start=first,
                end=last,
            )
        )

    def _hosts(self, share: float) -> Hosts:
        """The hosts in scope; of the ranks named (the largest alone, if none) the first `share`, one at least."""
        scope = self.entry.scope
        first, last = scope.streamer_ranks or (1, 1)
        several = max(1, round(share * (last - first + 1)))
        return Hosts(
            axis_mask("country", scope), axis_mask("platform", scope), axis_mask("category", scope), tier_mask(scope),
            (first, first + several - 1),
        )  # fmt: skip

    @property
    def level(self) -> Literal["bond", "channel", "reputation"] | None:
        """The level of trust that its news moves; None for what is no news."""
        if self.kind.row.acts != "spread_news":
            return None
        return next((level for level in ("bond", "channel", "reputation") if self.values[level] is not None), None)

    def _tell(self, levers: Levers, day: int) -> None:
        level = self.level
        assert level is not None
        size, reach, told = self.values[level], self.values["reach"], self.values["told"]
        assert size is not None
        assert reach is not None
        assert told is not None
        sellers = axis_mask("seller_class", self.entry.scope)
        levers.spread_news(News(self.name, level, self._hosts(1.0), sellers, self.ramped(day) * size, reach, told))

    def costs(self, day: int, weight: float) -> Iterator[Cost]:
        """What falls due on `day`, one world of `weight` real people a sampled one; nothing outside the window.

        Cents are the difference of rounded running totals, so that rounding never adds up.
        """
        if not self.kind.row.costs or self.strength_on(day) == 0.0:
            return
        number = day - self.first_day
        for line in self.kind.row.costs:
            if self.chosen and line.payer == "merchant":
                continue  # who takes it up pays for it
            times = self._times(line.times)
            before = round(100.0 * times * self._accrued(line.setup_usd, line.usd_per_day, number) / weight)
            after = round(100.0 * times * self._accrued(line.setup_usd, line.usd_per_day, number + 1) / weight)
            if after == before:
                continue
            axis = PAYER_AXIS.get(line.payer)
            payers = [-1] if axis is None else np.flatnonzero(self._reach(axis)).tolist()
            for payer in payers:
                yield Cost(line.payer, int(payer), line.purpose, after - before, self.name)

    def _accrued(self, setup_usd: float, usd_per_day: float, days: int) -> float:
        """USD due in the first `days` days of the window."""
        if days <= 0:
            return 0.0
        ramp = self.entry.ramp
        if ramp <= 1:
            grown = float(days)
        else:
            rising = min(days, ramp)
            grown = rising * (rising + 1) / (2.0 * ramp) + (days - rising)
        return self.full_strength * (setup_usd + usd_per_day * grown)

    def _times(self, axis: str | None) -> int:
        if axis is None:
            return 1
        return int((language_mask(self.entry.scope) if axis == "language_pair" else self._reach(axis)).sum())

    def _reach(self, axis: str) -> NDArray[np.bool_]:
        return axis_mask(axis, self.entry.scope) & axis_mask(axis, self.kind.row.within)


def _target(change: Change, base: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    """The leaf's values at full strength."""
    match change.operation:
        case "set":
            return np.full_like(base, amount)
        case "add":
            return base + amount
        case "subtract":
            return base - amount
        case "multiply":
            return base * amount
        case "at_most":
            return np.minimum(base, amount)
        case "at_least":
            return np.maximum(base, amount)


class InterventionBook:
    """The interventions of a run, in order of their names.

    `draws` picks the entities where a lever covers a share of them; `weight` is the number of real people one sampled
    person stands for. `notes` says in words what was adjusted, such as an end beyond the run.

    Raises:
        ConfigError: any fault of `read`.
    """

    def __init__(self, cfg: Settings, baseline: Rules, draws: Uniforms | None = None, weight: float = 1.0) -> None:
        self.interventions, self.notes, faults = read(cfg, draws)
        if faults:
            raise ConfigError(faults)
        self.baseline = baseline
        self._weight = weight
        self._known: dict[tuple[float, ...], Rules] = {}

    def rules_on(self, day: int) -> Rules:
        """The rules of a day (days since 2000-01-01); the same object for as long as nothing changes."""
        strengths = tuple(intervention.strength_on(day) for intervention in self.interventions)
        if not any(strengths):
            return self.baseline
        if strengths not in self._known:
            rules = self.baseline
            for intervention in self.interventions:
                rules = intervention.amend(rules, day)
            self._known[strengths] = rules
        return self._known[strengths]

    def act(self, levers: Levers, day: int) -> None:
        """Let those act that happen at an hour of `day`, in order of their names."""
        for intervention in self.interventions:
            intervention.act(levers, day)

    def costs(self, day: int) -> list[Cost]:
        """What the interventions in force cost on `day`."""
        return [cost for intervention in self.interventions for cost in intervention.costs(day, self._weight)]

    def active_on(self, day: int) -> tuple[str, ...]:
        """Names of the interventions with any strength at any hour of `day`."""
        return tuple(
            one.name
            for one in self.interventions
            if one.start < (day + 1) * DAY_SECONDS and one.end > day * DAY_SECONDS and one.full_strength > 0.0
        )


def read(cfg: Settings, draws: Uniforms | None = None) -> tuple[tuple[Intervention, ...], tuple[str, ...], list[Fault]]:
    """The run's interventions in order of their names, notes, and all faults at once (then the rest is incomplete).

    Faults: unknown kind or parameter (with the nearest name), a value out of range, a scope the row's causes do not
    know, a date outside the run, a time of day for a row that changes on days only, and clashes.
    """
    kinds = known_kinds()
    found: list[Intervention] = []
    notes: list[str] = []
    faults: list[Fault] = []
    for name, plain in sorted(cfg.interventions.items()):
        key = f"interventions.{name}"
        where = cfg.origin(key)
        try:
            entry = InterventionEntry.from_plain(dict(plain), where, key)
        except ConfigError as error:
            faults += [_moved(fault, cfg) for fault in _told(error.faults, plain, key, kinds)]
            continue
        if entry.kind not in kinds:
            faults.append(unknown_name(cfg.origin(f"{key}.kind"), f"{key}.kind", "intervention", entry.kind, kinds))
            continue
        kind = kinds[entry.kind]
        mine: list[Fault] = []
        values = _values(entry, kind, key, mine)
        start, end = _window(entry, cfg, key, notes, mine)
        one = Intervention(name, kind, entry, values, start, end, draws)
        if one.chosen and entry.uptake is not None:
            mine.append(
                Fault(where, f"{key}.uptake", f"sellers choose whether to take up {entry.kind}", "leave it out")
            )
        mine += scope_faults(entry.scope, allowed_scope(one), f"{entry.kind} as it is set here", f"{key}.scope", where)
        if not mine and one.changes and not any(one.mask(change.leaf).any() for change in one.changes):
            mine.append(_out_of_reach(one, f"{key}.scope", where))
        hourly = one.acts and kind.row.acts not in BY_DAY
        if not hourly and (start % DAY_SECONDS or end % DAY_SECONDS):
            mine.append(Fault(where, f"{key}.start", f"{entry.kind} changes rules, at 00:00 UTC", "whole days"))
        if hourly and (start % HOUR_SECONDS or end % HOUR_SECONDS):
            mine.append(Fault(where, f"{key}.start", "falls within an hour", "whole hours"))
        faults += [_moved(fault, cfg) for fault in mine]
        if not mine:
            found.append(one)
    for first, second in combinations(found, 2):
        faults += _clash(first, second, cfg)
    return tuple(found), tuple(notes), faults


def _out_of_reach(one: Intervention, key: str, where: str) -> Fault:
    """The fault of a scope that holds nothing of what the row can change: the lever would do nothing, in silence."""
    within = one.kind.row.within
    reach = "; ".join(f"{name}: {list_names(getattr(within, name))}" for name in within.given())
    return Fault(where, key, f"nothing in it is within reach of {one.kind.name}", reach)


def allowed_scope(one: Intervention) -> set[str]:
    """The scope keys that every cause in use knows."""
    row = one.kind.row
    axes: list[set[str]] = [
        keys_for(LEAVES[change.leaf].axes, shares=LEAVES[change.leaf].mode == "cover") for change in one.changes
    ]
    if one.acts and row.acts is not None and row.acts not in VERB_LEAF:
        axes.append(keys_for(NEWS_AXES[one.level] if one.level is not None else VERB_AXES[row.acts]))
    return set.intersection(*axes) if axes else set()


def _told(faults: Iterable[Fault], plain: Mapping[str, Any], key: str, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    """Faults of an entry with what only the rows know: the kinds there are, and the parameters of the one named."""
    fields = set(InterventionEntry.model_fields)
    named = plain.get("kind")
    kind = kinds.get(named) if isinstance(named, str) else None
    words = sorted(fields | set(kind.row.parameters if kind is not None else ()))
    told: set[str] = set()
    for fault in faults:
        name = fault.key.removeprefix(f"{key}.").partition(".")[0]
        if name in told and name not in ("scope", ""):
            continue  # one of several types that would do: one fault says it
        told.add(name)
        if name == "kind":
            close = next((word for word in plain if word != "kind" and nearest(word, ["kind"])), "")
            yield Fault(
                fault.where, f"{key}.kind", fault.problem, list_names(kinds), f"kind: {plain[close]}" if close else ""
            )
        elif name in ("start", "end"):
            shown = _shown(plain[name])
            yield Fault(fault.where, f"{key}.{name}", f"{shown} is no date", DATE_WORDS)
        elif name not in words and name != fault.key:
            close = nearest(name, words)
            yield Fault(fault.where, f"{key}.{name}", f"unknown key '{name}'", list_names(words), close)
        elif name in fields:
            yield fault
        else:
            yield Fault(fault.where, f"{key}.{name}", f"{_shown(plain[name])} has the wrong type", "a number, or null")


def _shown(value: object) -> str:
    return repr(value)[:60]


def _moved(fault: Fault, cfg: Settings) -> Fault:
    return Fault(cfg.origin(fault.key), fault.key, fault.problem, fault.allowed, fault.nearest)


def _values(entry: InterventionEntry, kind: Kind, key: str, faults: list[Fault]) -> dict[str, float | None]:
    """Every parameter's value: as set, or the row's default unless another of its group was set."""
    values = dict(kind.row.parameters)
    given = entry.parameters
    for name in sorted(given):
        if name not in values:
            words = [*values, *InterventionEntry.model_fields]
            allowed = list_names(values) or "none"
            problem = f"{kind.name} has no parameter '{name}'"
            faults.append(Fault("", f"{key}.{name}", problem, allowed, nearest(name, words)))
            continue
        quantity = kind.parameter(name)
        value = given[name]
        if value is not None and not math.isfinite(value):
            faults.append(Fault("", f"{key}.{name}", f"{value} is not a finite number", quantity.range_text))
        elif value is not None and not quantity.low <= value <= quantity.high:
            faults.append(Fault("", f"{key}.{name}", f"{value:g} is out of range", quantity.range_text))
    for group in kind.row.one_of:
        chosen = [name for name in group if given.get(name) is not None]
        if len(chosen) > 1:
            problem = f"{' and '.join(chosen)} exclude each other"
            faults.append(Fault("", f"{key}.{chosen[-1]}", problem, f"one of {list_names(group)}"))
        if chosen:
            values.update(dict.fromkeys(group, None))
    values.update({name: value for name, value in given.items() if name in values})
    faults += [
        Fault("", key, f"{kind.name} changes nothing", f"one of {list_names(group)}")
        for group in kind.row.one_of
        if all(values[name] is None for name in group)
    ]
    return values


def _as_written(date: float | str | None) -> str:
    """A date of an intervention as it was written: whole days without a point."""
    return f"{date:g}" if isinstance(date, float) else str(date)


def _window(
    entry: InterventionEntry, cfg: Settings, key: str, notes: list[str], faults: list[Fault]
) -> tuple[int, int]:
    """First and last second (excluded) of the window, clipped to the reported days."""
    opens = (cfg.start_date - EPOCH).days * DAY_SECONDS
    closes = opens + cfg.days * DAY_SECONDS
    run = f"0 to {cfg.days - 1}, or a date from {cfg.start_date} to {_day_text(closes - DAY_SECONDS)}"
    start = _second(entry.start, opens, f"{key}.start", faults)
    end = closes if entry.end is None else _second(entry.end, opens, f"{key}.end", faults)
    if start is None or end is None:
        return opens, closes
    if not opens <= start < closes:
        faults.append(
            Fault("", f"{key}.start", f"{_as_written(entry.start)} is outside the run of {cfg.days} days", run)
        )
    elif end <= start:
        problem = f"{_as_written(entry.end)} is not after the start ({_as_written(entry.start)})"
        faults.append(Fault("", f"{key}.end", problem, "a later date"))
    elif end > closes:
        notes.append(
            f"{key}.end: {_as_written(entry.end)} is beyond the run and was clipped to its end, {_day_text(closes)}"
        )
        end = closes
    return start, end


def _second(given: float | str, opens: int, key: str, faults: list[Fault]) -> int | None:
    """Seconds since 2000-01-01 of an offset in days or an ISO date or time; a time without zone is UTC."""
    if not isinstance(given, str):
        if not math.isfinite(given):
            faults.append(Fault("", key, f"{given} is not a finite number", DATE_WORDS))
            return None
        return opens + round(given * DAY_SECONDS)
    try:
        moment = datetime.fromisoformat(given)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: the first hours of the year 1 in another zone
        faults.append(Fault("", key, f"'{given}' is no date", DATE_WORDS))
        return None
    return round((moment - datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=UTC)).total_seconds())


def _day_text(second: int) -> str:
    return date.fromordinal(EPOCH.toordinal() + second // DAY_SECONDS).isoformat()


def _clash(first: Intervention, second: Intervention, cfg: Settings) -> list[Fault]:
    """Faults where both set one leaf for the same entities at the same time and are not both declared to stack."""
    if first.entry.stack and second.entry.stack:
        return []
    if first.full_strength == 0.0 or second.full_strength == 0.0:
        return []
    if first.start >= second.end or second.start >= first.end:
        return []
    faults = []
    for leaf in sorted({change.leaf for change in first.changes} & {change.leaf for change in second.changes}):
        both = first.mask(leaf) & second.mask(leaf)
        if both.any():
            place = tuple(int(axis[0]) for axis in np.nonzero(both))
            names = ", ".join(AXES[axis][at] for axis, at in zip(LEAVES[leaf].axes, place, strict=True))
            problem = (
                f"clashes with interventions.{first.name}: both set {leaf} (for instance of {names}) "
                f"from {_day_text(max(first.start, second.start))}"
            )
            key = f"interventions.{second.name}"
            allowed = (
                "scopes or dates that do not overlap, or stack: true on both to apply them in order of their names"
            )
            faults.append(Fault(cfg.origin(key), key, problem, allowed))
    return faults
