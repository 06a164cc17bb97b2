"""Scenarios against a base, paired by seed: how large the difference is, and how sure.

Runs of one seed share their draws, so differences are taken within a seed and the interval is that of their mean
(Student's t). Seeds that one side lacks are an error: an unpaired mean would hide them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.metrics import METRICS, check_dimensions, metrics_of
from analysis.store import DONE, Run, Store, find_runs
from analysis.summary import MetricTable, bring_up_to_date, finished
from sim.errors import UserError, list_names, nearest
from sim.sweep.driver import RUNS, read_manifest

CONFIDENCE: Final = 0.95
BASE: Final = "baseline"
MANY_RUNS: Final = 200  # from here on one table is read faster than the runs
_BOTH_TAILS: Final = 2
_LABEL: Final = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds with its interval.

    Attributes:
        mean: over seeds. low, high: bounds of the interval, None with one seed.
        p_positive: probability that the true mean is above 0 (flat prior), None with one seed unless it is exactly 0.
        seeds: number of seeds with a value.
    """

    mean: float
    low: float | None
    high: float | None
    p_positive: float | None
    seeds: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def estimate(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Estimate:
    """Mean of values float64[seeds] and its t interval; a spread of 0 gives an interval of width 0."""
    size = int(values.size)
    mean = float(values.mean())
    if size == 1:
        return Estimate(mean, None, None, None, 1)
    error = float(values.std(ddof=1)) / size**0.5
    if error == 0.0:
        return Estimate(mean, mean, mean, 0.5 if mean == 0 else float(mean > 0), size)
    reach = float(stdtrit(size - 1, 1 - (1 - confidence) / _BOTH_TAILS)) * error
    return Estimate(mean, mean - reach, mean + reach, float(stdtr(size - 1, mean / error)), size)


def split_labels(arguments: Iterable[str]) -> tuple[list[Path], dict[Path, str]]:
    """Folders, and the name to use for the runs in some of them, from arguments `DIR` or `NAME=DIR`.

    Runs of a sweep carry the labels of its manifest: the scenario and what was varied.

    Raises:
        UserError: a name that is none, or given to a run that has another. RunFolderError: as `find_runs`.
    """
    folders: list[Path] = []
    labels: dict[Path, str] = {}
    for text in arguments:
        name, sign, rest = text.partition("=")
        if not sign or os.path.isdir(text):
            folders += find_runs([text])
            labels |= {run.resolve(): row["label"] for run, row in _sweep_runs(Path(text)).items()}
            continue
        if not _LABEL.fullmatch(name):
            raise UserError(f"{text}: '{name}' is no name for runs; allowed: NAME=DIR, NAME of letters, digits, _ . -")
        for folder in find_runs([rest]):
            if labels.setdefault(folder.resolve(), name) != name:
                raise UserError(f"{folder}: is called both {labels[folder.resolve()]} and {name}; give it one name")
            folders.append(folder)
    return folders, labels


def _sweep_runs(folder: Path) -> dict[Path, dict[str, Any]]:
    """Manifest rows of a sweep's finished runs, by their folders; none where the folder is no sweep."""
    return {
        folder / RUNS / row["hash"]: row
        for row in read_manifest(folder)
        if (folder / RUNS / row["hash"] / DONE).is_file()
    }


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
    folders, labels = split_labels(arguments)
    rows: dict[Path, dict[str, Any]] = {}
    for text in arguments:
        if os.path.isdir(text):
            rows |= _sweep_runs(Path(text))
    if base is not None or not rows:
        return [Part(folders, base or BASE, labels)]
    bases = list(
        dict.fromkeys(row["base"] for row in sorted(rows.values(), key=lambda row: row["label"]) if row["base"])
    )
    if not bases:
        bases = [BASE]
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
        table: the sweep's own metrics of these runs, by the names of their folders, where the caller has them at hand.

    Attributes:
        store: the runs. base: the base scenario. scenarios: names, the base first.
        seeds: sorted seeds, the same for every scenario.
        position: (scenario, seed) -> position in `store.runs`.

    Raises:
        UserError: no such base, two runs of one scenario and seed, or seeds that do not match.
    """

    def __init__(
        self,
        folders: Sequence[Path | str],
        base: str = "baseline",
        labels: Mapping[Path, str] | None = None,
        table: MetricTable | None = None,
    ) -> None:
        self.store = Store(folders)
        self.table = table
        self.base = base
        self.position: dict[tuple[str, int], int] = {}
        for number, run in enumerate(self.store.runs):
            scenario = (labels or {}).get(run.folder.resolve(), str(run.facts["scenario"]))
            key = (scenario, int(run.facts["seed"]))
            if key in self.position:
                other = self.store.runs[self.position[key]]
                raise UserError(_alike(other, run, scenario, [Path(folder).resolve() for folder in folders]))
            self.position[key] = number
        names = sorted({scenario for scenario, _ in self.position})
        if base not in names:
            hint = nearest(base, names)
            raise UserError(
                f"--base: no runs of scenario '{base}'; there: {list_names(names)}"
                + (f"; did you mean '{hint}'?" if hint else f"; add such runs, or choose: --base {names[0]}")
            )
        self.scenarios = (base, *(name for name in names if name != base))
        self.seeds = tuple(sorted(seed for scenario, seed in self.position if scenario == base))
        self._refuse_unmatched()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.__exit__()

    def _refuse_unmatched(self) -> None:
        """Pairing needs the same seeds, days and consumers on both sides."""
        for name in self.scenarios[1:]:
            own = {seed for scenario, seed in self.position if scenario == name}
            lacking, extra = sorted(set(self.seeds) - own), sorted(own - set(self.seeds))
            if lacking or extra:
                parts = [f"{name} lacks seeds {', '.join(map(str, lacking))}"] if lacking else []
                parts += [f"{self.base} lacks seeds {', '.join(map(str, extra))}"] if extra else []
                raise UserError(f"seeds do not match: {'; '.join(parts)}; run the missing ones or leave the others out")
        first = self.store.runs[self.position[self.base, self.seeds[0]]]
        for run in self.store.runs:
            for fact in ("days", "warmup_days", "start_date", "consumers"):
                if run.facts[fact] != first.facts[fact]:
                    raise UserError(
                        f"{run.folder} has {fact}={run.facts[fact]}, {first.folder} has {first.facts[fact]}:"
                        " such runs cannot be paired"
                    )

    @property
    def scenario_of(self) -> list[str]:
        """Scenario of each run, in the order of `store.runs`."""
        result = [""] * len(self.store.runs)
        for (scenario, _), position in self.position.items():
            result[position] = scenario
        return result

    def question(self, scenario: str) -> str:
        """The question a scenario asks."""
        return str(self.store.runs[self.position[scenario, self.seeds[0]]].facts["question"])


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
) -> list[dict[str, Any]]:
    """Paired differences of metrics between every scenario and the base.

    Args:
        study: the runs.
        by, start, end: as in `analysis.metrics.metrics_of`.
        names: metrics; all by default.
        confidence: of the intervals.

    Returns:
        One dictionary per scenario, key and metric: metric, scenario, base, the keys, base_value, value, difference,
        low, high, relative (difference over the size of the base value), p_positive, seeds. A metric without a value
        in some run is compared over the seeds where both sides have one; without any, its numbers are None.

    Raises:
        UserError: nothing but the base, an unknown metric, or as `metrics_of`.
    """
    split = check_dimensions(by)
    if len(study.scenarios) == 1:
        runs = study.store.runs
        these = f"{runs[0].folder} is" if len(runs) == 1 else f"all {len(runs)} runs are"
        raise UserError(
            f"nothing to compare: {these} {study.base};"
            " add the folder of a run of another scenario, or give a run with other settings a name: NAME=DIR"
        )
    wanted = tuple(names) if names is not None else tuple(METRICS)
    for name in wanted:
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}'; did you mean '{nearest(name, METRICS)}'?")
    tables = [
        {tuple(line[part] for part in split): line for line in lines} for lines in _lines(study, split, start, end)
    ]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    entries = []
    for scenario in study.scenarios[1:]:
        for key in keys:
            for name in wanted:
                pairs = [
                    (
                        tables[study.position[study.base, seed]].get(key, {}).get(name),
                        tables[study.position[scenario, seed]].get(key, {}).get(name),
                    )
                    for seed in study.seeds
                ]
                entries.append(
                    {
                        "metric": name,
                        "scenario": scenario,
                        "base": study.base,
                        **dict(zip(split, key, strict=True)),
                        **_difference([(old, new) for old, new in pairs if old is not None and new is not None],
                                      confidence),
                    }
                )  # fmt: skip
    return entries


def _lines(
    study: Study, split: tuple[str, ...], start: int | str | date | None, end: int | str | date | None
) -> list[list[dict[str, Any]]]:
    """Metrics of each run; from the sweep's own table where the whole run is asked for and split once at most."""
    folders = [run.folder for run in study.store.runs]
    if start is None and end is None and len(split) <= 1:
        names, by = [folder.name for folder in folders], split[0] if split else ""
        if study.table is not None and study.table.runs.issuperset(names):
            return study.table.lines(names, by)
        sweeps = {folder.resolve().parent.parent for folder in folders if folder.resolve().parent.name == RUNS}
        if len(sweeps) == 1 and len(folders) >= MANY_RUNS and set(names) <= finished(sweep := next(iter(sweeps))):
            return MetricTable(bring_up_to_date(sweep)).lines(names, by)
    return metrics_of(study.store, split, start, end)


def _difference(pairs: list[tuple[float, float]], confidence: float) -> dict[str, Any]:
    if not pairs:
        return {
            "base_value": None, "value": None, "difference": None, "low": None, "high": None,
            "relative": None, "p_positive": None, "seeds": 0,
        }  # fmt: skip
    old, new = np.array(pairs, dtype=np.float64).T
    found = estimate(new - old, confidence)
    base_value = float(old.mean())
    return {
        "base_value": base_value,
        "value": float(new.mean()),
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "relative": found.mean / abs(base_value) if base_value else None,
        "p_positive": found.p_positive,
        "seeds": found.seeds,
    }
