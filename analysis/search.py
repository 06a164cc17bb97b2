"""Which mixes of policies are not beaten? A search over their parameters for several objectives at once.

Optuna's multi-objective tree-structured Parzen estimator (Ozaki et al., GECCO 2020) is asked for points in batches of
fixed size and told their outcomes in the order of asking, when the whole batch has ended. So which points are asked
hangs on outcomes alone, not on workers and their timing. Nothing but the runs is kept of a search under way: one that
goes on asks for the same points from the first, and finds their runs finished.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.inference import estimate
from analysis.metrics import METRICS
from analysis.summary import bring_up_to_date
from sim.config import RunConfig
from sim.errors import ConfigError, Fault, UserError, unknown_name
from sim.experiment import configure
from sim.sweep.driver import Summary, replace_file
from sim.sweep.plan import (
    COMMAND_LINE,
    MOST_RUNS,
    Experiment,
    Plan,
    Point,
    SearchOf,
    Varied,
    experiment_axes,
    is_policy,
    is_whole,
    plan_points,
    range_of,
    read_experiment,
    value_text,
)

F64 = NDArray[np.float64]

FILE: Final = "search.json"
STARTING_POINTS: Final = 10  # drawn at random before the sampler learns
Evaluate = Callable[[Plan], Mapping[str, F64]]
"""Computes a plan: float64[objectives] by the hash of each run; runs that failed are left out."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search, checked.

    Attributes:
        overrides: what is the same at all points, the seed apart. seeds: of every point and its base.
        ranges: low and high by key, of what is not chosen from `values`. whole: keys in whole numbers.
    """

    question: str
    overrides: tuple[str, ...]
    seeds: tuple[int, ...]
    parameters: dict[str, Varied]
    ranges: dict[str, tuple[float, float]]
    whole: frozenset[str]
    of: SearchOf
    scenario_dirs: tuple[str, ...] = ()

    def declaration(self) -> dict[str, Any]:
        """What makes two searches ask for the same points, in plain values; one may go further than the other."""
        import optuna

        parameters: dict[str, Any] = {}
        for key, varied in self.parameters.items():
            if varied.values is not None:
                parameters[key] = {"values": list(varied.values)}
            else:
                low, high = self.ranges[key]
                parameters[key] = {"low": low, "high": high, "log": varied.log, "whole": key in self.whole}
        return {
            "overrides": list(self.overrides), "seeds": list(self.seeds), "parameters": parameters,
            "objectives": dict(self.of.objectives), "batch": self.of.batch,
            "sampler": {"name": "TPE", "seed": self.of.seed, "optuna": optuna.__version__},
        }  # fmt: skip

    def suggest(self, trial: Any) -> tuple[str, ...]:
        """The overrides that a trial stands for."""
        texts = []
        for key, varied in self.parameters.items():
            if varied.values is not None:
                value = trial.suggest_categorical(key, list(varied.values))
            elif key in self.whole:
                value = trial.suggest_int(key, *map(int, self.ranges[key]), log=varied.log)
            else:
                value = trial.suggest_float(key, *self.ranges[key], log=varied.log)
            texts.append(f"{key}={value_text(value)}")
        return tuple(texts)


def read_search(
    experiment: str | None = None,
    overrides: Sequence[str] = (),
    vary: Sequence[str] = (),
    objectives: Sequence[str] = (),
    scenario_dirs: Sequence[str] = (),
    **of: int | None,
) -> Search:
    """A search from a file of `configs/experiment`, from the command line, or from both; the latter wins.

    Args:
        vary: texts "KEY" (over its declared range) or "KEY:LOW:HIGH". objectives: "METRIC:more" or "METRIC:less".
        of: points, batch and seed, None where nothing was said.

    Raises:
        UserError: with what is wrong with it.
    """
    read, path = (Experiment(question=""), Path(COMMAND_LINE)) if experiment is None else read_experiment(experiment)
    where = str(path)
    parameters = dict(read.parameters)
    for text in vary:
        key, *ends = text.split(":")
        try:
            low, high = (float(ends[0]), float(ends[1])) if ends else (None, None)
            if len(ends) not in (0, 2):
                raise ValueError
        except (ValueError, IndexError):
            raise UserError(f"--vary {text}: allowed: KEY, over its declared range, or KEY:LOW:HIGH") from None
        parameters[key] = Varied(low=low, high=high)
    told = read.search.model_dump() if read.search else {"objectives": {}}
    if objectives:
        ways = [_objective(text) for text in objectives]
        told["objectives"] = dict(ways)
        if len(told["objectives"]) < len(ways):
            raise UserError("--objective: names a metric twice; give it one way")
    search = SearchOf.from_plain(told | {name: value for name, value in of.items() if value is not None}, where)
    faults = [unknown_name(where, "objectives", "metric", name, METRICS) for name in search.objectives
              if name not in METRICS]  # fmt: skip
    if not search.objectives:
        faults.append(Fault(where, "objectives", "there is none", "--objective METRIC:more, or a `search` in the file"))
    if not parameters:
        faults.append(Fault(where, "parameters", "nothing is varied", "--vary KEY, or `parameters` in the file"))
    axes = experiment_axes(read.model_copy(update={"parameters": parameters}), path, overrides)
    faults += [Fault(where, key, f"has {len(values)} values", "one; --vary for what is searched")
               for key, values in axes if key != "seed" and len(values) > 1]  # fmt: skip
    fixed = tuple(text for key, values in axes if key != "seed" for text in values)
    if not any(is_policy(text) for text in (*fixed, *parameters)):
        faults.append(Fault(where, "scenario", "there is no policy to compare to the baseline", "scenario=NAME"))
    if faults:
        raise ConfigError(faults)
    seeds = [text.partition("=")[2] for key, values in axes if key == "seed" for text in values]
    if not all(text.isdigit() for text in seeds):
        raise ConfigError(Fault(where, "seed", f"{', '.join(seeds)}", "whole numbers from 0"))
    if search.points * len(seeds) > MOST_RUNS:
        raise ConfigError(Fault(where, "points", f"make {search.points * len(seeds):,} runs", f"at most {MOST_RUNS:,}"))
    cfg = configure(overrides=fixed, scenario_dirs=scenario_dirs)
    ranges = _ranges(cfg, parameters, where)
    whole = frozenset(key for key in ranges if is_whole(cfg, key))
    return Search(read.question, fixed, tuple(map(int, seeds)), parameters, ranges, whole, search,
                  tuple(scenario_dirs))  # fmt: skip


def _objective(text: str) -> tuple[str, str]:
    metric, _, way = text.partition(":")
    if way not in ("more", "less"):
        raise UserError(f"--objective {text}: allowed: METRIC:more or METRIC:less, whichever is better")
    return metric, way


def _ranges(cfg: RunConfig, parameters: Mapping[str, Varied], where: str) -> dict[str, tuple[float, float]]:
    found = {}
    for key, varied in parameters.items():
        if varied.values is None:
            found[key] = range_of(cfg, key, varied, where)
        elif not varied.values:
            raise ConfigError(Fault(where, f"parameters.{key}.values", "is empty", "at least one value"))
    return found


def evaluation(folder: Path, objectives: Sequence[str], drive: Callable[[Plan], Summary]) -> Evaluate:
    """Runs of the sweep in `folder`, computed by `drive`."""
    columns = [list(METRICS).index(name) for name in objectives]

    def evaluate(plan: Plan) -> dict[str, F64]:
        drive(plan)
        summary = bring_up_to_date(folder)
        there = [point.hash for point in plan.points if point.hash in summary.facts]
        values = summary.values(there)[1][:, 0, columns]
        return dict(zip(there, values, strict=True))

    return evaluate


def run_search(search: Search, folder: Path, evaluate: Evaluate) -> dict[str, Any]:
    """Search, and keep what is known in `search.json` of the sweep's folder after each batch.

    Returns:
        Content of that file: the declaration; and `points` in the order of asking, each with label, parameters,
        `outcomes` (by metric difference, low, high, p_positive over the seeds; None where a run failed or had no
        value), and whether it is on the Pareto `front` of the means.

    Raises:
        UserError: Optuna is missing, or the folder holds another search.
    """
    try:
        import optuna
    except ImportError:
        raise UserError("a search needs the package optuna; pip install 'livecommerce[discovery]'") from None
    declared = search.declaration()
    _refuse_another(folder / FILE, declared)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=search.of.seed, n_startup_trials=max(STARTING_POINTS, search.of.batch))
    directions: Any = ["maximize" if way == "more" else "minimize" for way in search.of.objectives.values()]
    study = optuna.create_study(directions=directions, sampler=sampler)
    content: dict[str, Any] = {"question": search.question, **declared, "points": []}
    points: list[dict[str, Any]] = content["points"]
    while len(points) < search.of.points:
        trials = [study.ask() for _ in range(min(search.of.batch, search.of.points - len(points)))]
        for trial, point, differences in _computed(search, trials, evaluate):
            known = bool(np.isfinite(differences).all())
            study.tell(
                trial,
                differences.mean(axis=0).tolist() if known else None,
                state=optuna.trial.TrialState.COMPLETE if known else optuna.trial.TrialState.FAIL,
            )
            points.append(
                {
                    "label": point.label, "parameters": dict(trial.params), "front": False,
                    "outcomes": dict(zip(search.of.objectives, map(_outcome, differences.T), strict=True))
                    if known else None,
                }
            )  # fmt: skip
        front = {trial.number for trial in study.best_trials}
        for number, row in enumerate(points):
            row["front"] = number in front
        _write(folder / FILE, content)
    return content


def _computed(search: Search, trials: Sequence[Any], evaluate: Evaluate) -> list[tuple[Any, Point, F64]]:
    """Each trial with a run of it and float64[seeds, objectives], the differences to its base; nan where unknown."""
    texts = [search.suggest(trial) for trial in trials]
    rows = [[(*search.overrides, *own, f"seed={seed}") for seed in search.seeds] for own in texts]
    plan = plan_points([row for own in rows for row in own], set(search.parameters), search.scenario_dirs)
    values = evaluate(plan)
    made = {point.overrides: point for point in plan.points}
    bases = {(point.label, point.cfg.seed): point for point in plan.points if not point.base}
    unknown = np.full(len(search.of.objectives), math.nan)
    result = []
    for trial, own in zip(trials, rows, strict=True):
        points = [made[row] for row in own if row in made]
        if len(points) < len(own) or not points[0].base:
            raise UserError(f"{' '.join(own[0])}: is the baseline itself; name a scenario or an intervention")
        differences = [
            values.get(point.hash, unknown) - values.get(bases[point.base, point.cfg.seed].hash, unknown)
            for point in points
        ]
        result.append((trial, points[0], np.array(differences)))
    return result


def _outcome(differences: F64) -> dict[str, float | None]:
    found = estimate(differences)
    return {"difference": found.mean, "low": found.low, "high": found.high, "p_positive": found.p_positive}


def _refuse_another(path: Path, declared: Mapping[str, Any]) -> None:
    if not path.exists():
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name, value in declared.items() if there[name] != json.loads(json.dumps(value))]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: is damaged; remove it and search again, finished runs are kept") from None
    if other:
        raise UserError(f"{path}: is another search (other {', '.join(other)}); name another folder")


def _write(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=1, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def describe(found: Mapping[str, Any]) -> str:
    """The Pareto front as text, sorted by the first objective, the best first."""
    objectives = found["objectives"]
    metric, way = next(iter(objectives.items()))
    front = [row for row in found["points"] if row["front"]]
    front.sort(key=lambda row: row["outcomes"][metric]["difference"], reverse=way == "more")
    known = sum(row["outcomes"] is not None for row in found["points"])
    lines = [f"{len(front)} of {known} points are beaten by none ({len(found['seeds'])} seeds):"]
    for row in front:
        lines.append("  ".join(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
                               for key, value in row["parameters"].items()))  # fmt: skip
        for name in objectives:
            about = row["outcomes"][name]
            bounds = "" if about["low"] is None else f" ({about['low']:,.6g} to {about['high']:,.6g})"
            lines.append(f"  {name} {about['difference']:+,.6g}{bounds}")
    return "\n".join(lines)
