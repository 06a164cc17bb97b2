"""Scenarios against a base, paired by seed: how large the difference is, and how sure.

Runs of one seed share their draws, so differences are taken within a seed. The interval is that of their mean:
Student's t, and from 32 seeds on also the studentised bootstrap. Seeds that one side lacks are an error: an unpaired
mean would hide them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.inference import (
    BOOTSTRAP_SEEDS,
    CONFIDENCE,
    bootstrap,
    holm,
    paired,
    paired_changes,
    seeds_needed,
    spread_of,
    variance_ratio,
    without_last_bit,
    without_spread,
)
from analysis.metrics import METRICS, check_dimensions, metrics_of, span_of
from analysis.store import Run, Store, find_runs
from analysis.summary import Summary, bring_up_to_date, finished, order_of_keys, read
from sim.errors import RunFolderError, UserError, list_names, nearest, unknown_name
from sim.runfolder import read_run_json
from sim.sweep.driver import RUNS, read_manifest

F64 = NDArray[np.float64]

BASE: Final = "baseline"
PRECISION: Final = 0.01
_LABEL: Final = re.compile(r"[\w.-]{1,60}")


def split_labels(arguments: Iterable[str]) -> tuple[list[Path], dict[Path, str]]:
    """Folders, and the name to use for the runs in some of them, from arguments `DIR` or `NAME=DIR`.

    Runs of a sweep carry the labels of its manifest: the scenario and what was varied.

    Raises:
        UserError: a name that is none, or given to a run that has another. RunFolderError: as `find_runs`.
    """
    return _split(arguments)[:2]


def _split(arguments: Iterable[str]) -> tuple[list[Path], dict[Path, str], dict[Path, dict[str, Any]]]:
    """As `split_labels`, and the manifest rows of the sweeps' finished runs by their folders."""
    folders: list[Path] = []
    labels: dict[Path, str] = {}
    rows: dict[Path, dict[str, Any]] = {}
    for text in arguments:
        name, sign, rest = text.partition("=")
        if not sign or os.path.isdir(text):
            found = find_runs([text])
            folders += found
            there = set(found)
            for row in read_manifest(Path(text)):
                run = Path(text) / RUNS / row["hash"]
                if run in there:
                    rows[run] = row
                    labels[run.resolve()] = row["label"]
            continue
        if not _LABEL.fullmatch(name):
            raise UserError(f"{text}: '{name}' is no name for runs; allowed: NAME=DIR, NAME of letters, digits, _ . -")
        for folder in find_runs([rest]):
            if labels.setdefault(folder.resolve(), name) != name:
                raise UserError(f"{folder}: is called both {labels[folder.resolve()]} and {name}; give it one name")
            folders.append(folder)
    return folders, labels, rows


@dataclass(frozen=True, slots=True)
class Part:
    """Runs that are compared to one base: arguments of `Study`."""

    folders: list[Path]
    base: str
    labels: dict[Path, str]


def parts_of(arguments: Sequence[str], base: str | None = None) -> list[Part]:
    """What is compared to what: a sweep's runs to the base its manifest names, or everything to `base`.

    Raises:
        UserError: as `split_labels`.
    """
    folders, labels, rows = _split(arguments)
    if base is not None or not rows:
        return [Part(folders, base or BASE, labels)]
    bases = list(
        dict.fromkeys(row["base"] for row in sorted(rows.values(), key=lambda row: row["label"]) if row["base"])
    )
    labelled = sorted({row["label"] for row in rows.values()})
    if not bases and BASE not in labelled:
        raise UserError(
            f"{', '.join(map(str, arguments))}: the sweep has no runs to compare to; choose: "
            f"--base {shlex.quote(labelled[0])} (there: {list_names(labelled)})"
        )
    bases = bases or [BASE]
    found = []
    for name in bases:
        wanted = {run for run, row in rows.items() if name in (row["base"], row["label"])}
        found.append(Part([run for run in folders if run in wanted or run not in rows], name, labels))
    return found


class Study:
    """Finished runs sorted into scenarios and seeds.

    Args:
        folders: run folders, or folders that hold run folders.
        base: scenario the others are compared to.
        labels: name to use instead of the scenario's, by resolved run folder, for runs that share a scenario.
        summary: of the sweep these runs are in, where the caller has it at hand.

    Attributes:
        runs: the runs, sorted by path. base: the base scenario. scenarios: names, the base first.
        seeds: sorted seeds, the same for every scenario.
        position: (scenario, seed) -> position in `runs`.

    Raises:
        UserError: no such base, two runs of one scenario and seed, or seeds that do not match.
    """

    def __init__(
        self,
        folders: Sequence[Path | str],
        base: str = "baseline",
        labels: Mapping[Path, str] | None = None,
        summary: Summary | None = None,
    ) -> None:
        paths = find_runs(folders)
        self._store: Store | None = None
        self._values: dict[str, tuple[list[tuple[str, ...]], F64]] = {}
        if summary is not None and not summary.facts.keys() >= {path.name for path in paths}:
            summary = None
        self._summary = summary or _summary_of(paths)
        if self._summary is None:
            self._store = Store(paths)
            self.runs = self._store.runs
        else:
            self.runs = [Run(path, self._summary.facts[path.name]) for path in paths]
        self.base = base
        self.position: dict[tuple[str, int], int] = {}
        for number, run in enumerate(self.runs):
            scenario = (labels or {}).get(run.folder.resolve(), str(run.facts["scenario"]))
            key = (scenario, int(run.facts["seed"]))
            if key in self.position:
                other = self.runs[self.position[key]]
                raise UserError(_alike(other, run, scenario, [Path(folder).resolve() for folder in folders]))
            self.position[key] = number
        names = sorted({scenario for scenario, _ in self.position})
        if base not in names:
            hint = nearest(base, names)
            like = next((name for name in names if name.startswith(base)), names[0])
            raise UserError(
                f"--base: no runs of scenario '{base}'; there: {list_names(names)}"
                + (f"; did you mean '{hint}'?" if hint else f"; add such runs, or choose: --base {shlex.quote(like)}")
            )
        self.scenarios = (base, *(name for name in names if name != base))
        self.seeds = tuple(sorted(seed for scenario, seed in self.position if scenario == base))
        self._refuse_unmatched()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        if self._store is not None:
            self._store.__exit__()

    @property
    def store(self) -> Store:
        """The runs' own tables, opened when first asked for; its `runs` are in the order of `runs`."""
        if self._store is None:
            self._store = Store([run.folder for run in self.runs])
        return self._store

    def values(
        self, by: Sequence[str] = (), start: int | str | date | None = None, end: int | str | date | None = None
    ) -> tuple[list[tuple[str, ...]], F64]:
        """Keys of a split, and float64[runs, keys, metrics] with nan where there is no value: from the sweep's own
        table where the whole run is asked for and split once at most, else from the runs.
        """
        if self._summary is not None and start is None and end is None and len(by) <= 1:
            split = by[0] if by else ""
            if split not in self._values:
                names, found = self._summary.values([run.folder.name for run in self.runs], split)
                self._values[split] = [(name,) if by else () for name in names], found
            return self._values[split]
        lines = metrics_of(self.store, by, start, end)
        keys = order_of_keys({tuple(str(line[part]) for part in by) for own in lines for line in own}, by)
        place = {key: number for number, key in enumerate(keys)}
        found = np.full((len(self.runs), len(keys), len(METRICS)), np.nan)
        for number, own in enumerate(lines):
            for line in own:
                row = [np.nan if line[name] is None else line[name] for name in METRICS]
                found[number, place[tuple(str(line[part]) for part in by)]] = row
        return keys, found

    def _refuse_unmatched(self) -> None:
        """Pairing needs the same seeds, days and consumers on both sides."""
        for name in self.scenarios[1:]:
            own = {seed for scenario, seed in self.position if scenario == name}
            lacking, extra = sorted(set(self.seeds) - own), sorted(own - set(self.seeds))
            if lacking or extra:
                parts = [f"{name} lacks seeds {', '.join(map(str, lacking))}"] if lacking else []
                parts += [f"{self.base} lacks seeds {', '.join(map(str, extra))}"] if extra else []
                raise UserError(f"seeds do not match: {'; '.join(parts)}; run the missing ones or leave the others out")
        first = self.runs[self.position[self.base, self.seeds[0]]]
        for run in self.runs:
            for fact in ("days", "warmup_days", "start_date", "consumers"):
                if run.facts[fact] != first.facts[fact]:
                    raise UserError(
                        f"{run.folder} has {fact}={run.facts[fact]}, {first.folder} has {first.facts[fact]}:"
                        " such runs cannot be paired"
                    )

    @property
    def scenario_of(self) -> list[str]:
        """Scenario of each run, in the order of `runs`."""
        result = [""] * len(self.runs)
        for (scenario, _), position in self.position.items():
            result[position] = scenario
        return result

    def question(self, scenario: str) -> str:
        """The question a scenario asks."""
        return str(self.runs[self.position[scenario, self.seeds[0]]].facts["question"])

    def overrides(self, scenario: str) -> list[str]:
        """What was asked for when a scenario's first run was made."""
        folder = self.runs[self.position[scenario, self.seeds[0]]].folder
        return list(read_run_json(folder).get("overrides") or [])


def _alike(one: Run, other: Run, scenario: str, given: Sequence[Path]) -> str:
    """What to do about two runs of one name and seed; the one given later is the one to get another name."""
    text = f"{one.folder} and {other.folder} are both {scenario} with seed {one.facts['seed']}"
    if one.facts["model_hash"] == other.facts["model_hash"]:
        return f"{text}, the same run twice; leave one out"
    later = max(
        (other, one), key=lambda run: max((n for n, p in enumerate(given) if p == run.folder.resolve()), default=-1)
    )
    name = later.folder.name if _LABEL.fullmatch(later.folder.name) else "NAME"
    return f"{text}; leave one out or give one a name: {name}={later.folder}"


def compare(
    study: Study,
    by: Iterable[str] = (),
    start: int | str | date | None = None,
    end: int | str | date | None = None,
    names: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    precision: float = PRECISION,
) -> list[dict[str, Any]]:
    """Paired differences of metrics between every scenario and the base.

    Args:
        study: the runs.
        by, start, end: as in `analysis.metrics.metrics_of`.
        names: metrics; all by default.
        confidence: of the intervals.
        precision: what `seeds_needed` is to reach, as a share of the base value.

    Returns:
        One dictionary per scenario, key and metric: metric, scenario, base, the keys; base_value, value; difference
        with its t interval low, high; bootstrap_low, bootstrap_high (None below 32 seeds); relative (difference over
        the size of the base value); p_positive; p_value (two-sided) and p_holm (corrected by Holm over all entries of
        the scenario); variance_ratio (unpaired over paired); seeds_needed for an interval of +- precision x base value;
        seeds; rests_on (share of the period's days whose orders were old enough to count, 1 where a metric need not
        wait). A metric without a value in some run is compared over the seeds where both sides have one; without any,
        its numbers are None. Where all of several seeds differ by the same amount other than 0, nothing tells the
        spread: bounds, probabilities and p values are None, and it is no test of the correction.

    Raises:
        UserError: nothing but the base, an unknown metric, or as `metrics_of`.
    """
    split = check_dimensions(by)
    if len(study.scenarios) == 1:
        runs = study.runs
        these = f"{runs[0].folder} is" if len(runs) == 1 else f"all {len(runs)} runs are"
        raise UserError(
            f"nothing to compare: {these} {study.base};"
            " add the folder of a run of another scenario, or give a run with other settings a name: NAME=DIR"
        )
    wanted = tuple(names) if names is not None else tuple(METRICS)
    for name in wanted:
        if name not in METRICS:
            raise UserError(str(unknown_name("compare", "metrics", "metric", name, METRICS)))
    keys, values = study.values(split, start, end)
    values = values[:, :, [list(METRICS).index(name) for name in wanted]]
    old = _by_seed(study, study.base, values)
    span = None if start is None and end is None else span_of(study.store, start, end)
    rests_on = {name: METRICS[name].rests_on(study.runs[0].days, span) for name in wanted}
    entries: list[dict[str, Any]] = []
    for scenario in study.scenarios[1:]:
        found = differences(old, _by_seed(study, scenario, values), confidence, precision)
        for (key, name), numbers in zip(((key, name) for key in keys for name in wanted), found, strict=True):
            entries.append(
                {
                    "metric": name, "scenario": scenario, "base": study.base,
                    **dict(zip(split, key, strict=True)), **numbers, "rests_on": rests_on[name],
                }
            )  # fmt: skip
    return entries


def _summary_of(paths: Sequence[Path]) -> Summary | None:
    """The summary of the sweep these runs are in; None where they are of none, or it would read other runs anew."""
    parents = {path.parent for path in paths}
    if len(parents) != 1:
        return None
    runs = next(iter(parents)).resolve()
    if runs.name != RUNS or any(path.is_symlink() for path in paths):
        return None
    names = {path.name for path in paths}
    found = read(runs.parent)
    if found is not None and names <= found.facts.keys():
        return found
    if names != finished(runs.parent):
        return None
    try:
        return bring_up_to_date(runs.parent)
    except RunFolderError:  # a folder that cannot be written; a damaged run is named by what reads it next
        return None


def _by_seed(study: Study, scenario: str, values: F64) -> F64:
    """float64[keys x metrics, seeds] of one scenario out of float64[runs, keys, metrics]."""
    own = values[[study.position[scenario, seed] for seed in study.seeds]]
    return np.ascontiguousarray(own.reshape(len(study.seeds), -1).T)


_NUMBERS: Final = (
    "base_value", "value", "difference", "low", "high", "bootstrap_low", "bootstrap_high", "relative", "p_positive",
    "p_value", "p_holm", "variance_ratio", "seeds_needed",
)  # fmt: skip


def differences(
    old: F64, new: F64, confidence: float = CONFIDENCE, precision: float = PRECISION
) -> Iterator[dict[str, Any]]:
    """What `compare` says of each quantity.

    Args:
        old, new: float64[quantities, seeds], the base and the other side by the same seeds; nan: no value.
        confidence, precision: as in `compare`. All quantities together are the family of the correction.
    """
    known = ~(np.isnan(old) | np.isnan(new))
    seeds = known.sum(axis=1)
    numbers = {name: np.full(len(old), np.nan) for name in _NUMBERS}
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        rows = np.flatnonzero(which.ravel() == number)
        before, after = old[np.ix_(rows, pattern)], new[np.ix_(rows, pattern)]
        change = paired_changes(before, after)
        unknown = without_spread(change)
        found = paired(change, confidence)
        mean = without_last_bit(found.mean, before, after)
        base_value = before.mean(axis=1)
        size = np.abs(base_value)
        nothing = np.full(len(rows), np.nan)
        parts = {
            "base_value": base_value, "value": after.mean(axis=1), "difference": mean, "low": found.low,
            "high": found.high, "p_positive": found.p_positive, "p_value": found.p_value,
            "relative": np.divide(mean, size, out=nothing.copy(), where=size > 0),
            "variance_ratio": variance_ratio(before, after),
        }  # fmt: skip
        if pattern.sum() > 1:
            spread = np.where(unknown, np.nan, spread_of(change))
            parts["seeds_needed"] = seeds_needed(spread, precision * size, confidence)
        if pattern.sum() >= BOOTSTRAP_SEEDS:
            low, high = bootstrap(change, confidence)
            parts["bootstrap_low"], parts["bootstrap_high"] = (np.where(unknown, np.nan, end) for end in (low, high))
        for name, column in parts.items():
            numbers[name][rows] = column
    numbers["p_holm"] = holm(numbers["p_value"])
    columns = [numbers[name].tolist() for name in _NUMBERS]
    for row, count in zip(zip(*columns, strict=True), seeds.tolist(), strict=True):
        entry = {name: None if value != value else value for name, value in zip(_NUMBERS, row, strict=True)}
        entry["seeds"] = count
        if entry["seeds_needed"] is not None:
            entry["seeds_needed"] = int(entry["seeds_needed"])
        yield entry
