"""The EMA workbench drives the model: `workbench_model` makes a `Model` of it from a scenario.

    from ema_workbench import SequentialEvaluator
    model = workbench_model("tariff_reduction", ["consumer.room.hop"], ["interventions.tariff.points"], ["gain_usd"],
                            folder="results/futures", days=120)
    with SequentialEvaluator(model) as evaluator:
        experiments, outcomes = evaluator.perform_experiments(scenarios=64, policies=4)

What it drives is a sweep: runs are named by their configuration, none is repeated, and the commands read the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.metrics import METRICS, metrics
from analysis.points import OUTCOMES
from sim.api import overrides_of
from sim.engines import Inline
from sim.errors import ConfigError, UserError, unknown_name
from sim.experiment import configure
from sim.sweep.driver import RUNS, drive
from sim.sweep.plan import Varied, is_whole, plan_points, range_of

WHERE = "workbench_model"
Keys = Iterable[str] | Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Evaluation:
    """Computes one point for the workbench; can be sent to its processes, which may share the folder.

    Attributes:
        overrides: what is the same at all points. seeds: of every point. outcomes: metrics.
        of: as in `analysis.points.read_points`. folder: of the sweep.
    """

    overrides: tuple[str, ...]
    seeds: tuple[int, ...]
    outcomes: tuple[str, ...]
    of: str
    folder: Path

    def __call__(self, **values: Any) -> dict[str, float]:
        """Means over the seeds, by metric; nan where a run has none.

        Args:
            values: by key, with two underscores for each dot.

        Raises:
            UserError: values outside their declared range, or a run that failed.
        """
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}
        row = [*self.overrides, *overrides_of(plain)]
        varied = {name.replace("__", ".") for name in values}
        rows = [[*row, f"seed={seed}"] for seed in self.seeds]
        plan = plan_points(rows, varied, with_base=self.of != "value")
        done = drive(plan, self.folder, Inline())
        if done.failures:
            raise UserError(f"{self.folder}: {next(iter(done.failures.values()))}")
        found = {(point.label, point.cfg.seed): self._metrics(point.hash) for point in plan.points}
        mine = [point for point in plan.points if point.base or self.of == "value"]
        if not mine:
            raise UserError(f"{WHERE}: the baseline cannot be compared to itself; allowed: a scenario, or of='value'")
        values_of = []
        for point in mine:
            own = found[point.label, point.cfg.seed]
            base = found.get((point.base, point.cfg.seed), own)
            change = own if self.of == "value" else own - base
            values_of.append(change / np.abs(base) if self.of == "relative" else change)
        return dict(zip(self.outcomes, np.mean(values_of, axis=0).tolist(), strict=True))

    def _metrics(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        found: Any = metrics(self.folder / RUNS / name)  # without a split it is one dictionary
        return np.array([found[metric] for metric in self.outcomes], dtype=np.float64)  # None becomes nan


def workbench_model(
    scenario: str,
    uncertainties: Keys = (),
    levers: Keys = (),
    outcomes: Iterable[str] = ("gain_usd",),
    *,
    folder: str | os.PathLike[str],
    seeds: Iterable[int] = (1,),
    of: str = "value",
    **settings: Any,
) -> Any:
    """An `ema_workbench.Model` of a scenario.

    Args:
        uncertainties, levers: keys that the workbench varies, over their declared ranges or over those given; in the
            workbench a dot of a key is two underscores. outcomes: metrics. seeds: of every point; an outcome is the
            mean over them. of: "value", or "difference" or "relative" to the base of the same seed. folder: of the
            sweep that it makes. settings: as of `sim.run`, the same at all points.

    Raises:
        UserError: the package is missing, an unknown key or metric, or a range that leaves the declared one.
    """
    try:
        from ema_workbench import IntegerParameter, Model, RealParameter, ScalarOutcome
    except ImportError as error:
        raise UserError(f"{WHERE}: needs the package {error.name}; pip install 'livecommerce[discovery]'") from None
    wanted, of_seeds = tuple(outcomes), tuple(seeds)
    faults = [unknown_name(WHERE, "outcomes", "metric", name, METRICS) for name in wanted if name not in METRICS]
    if faults:
        raise ConfigError(faults)
    if of not in OUTCOMES or not of_seeds:
        raise UserError(f"{WHERE}: of='{of}' with {len(of_seeds)} seeds; allowed: {', '.join(OUTCOMES)}, with a seed")
    overrides = (f"scenario={scenario}", *overrides_of(settings))
    cfg = configure(overrides=overrides)

    def parameters(keys: Keys) -> list[Any]:
        made = []
        for key in keys:
            low, high = keys[key] if isinstance(keys, Mapping) else (None, None)
            ends = range_of(cfg, key, Varied(low=low, high=high), WHERE)
            name = key.replace(".", "__")
            whole = is_whole(cfg, key)
            made.append(IntegerParameter(name, *map(int, ends)) if whole else RealParameter(name, *ends))
        return made

    model = Model(cfg.scenario.name, function=Evaluation(overrides, of_seeds, wanted, of, Path(folder).absolute()))
    model.uncertainties = parameters(uncertainties)
    model.levers = parameters(levers)
    model.outcomes = [ScalarOutcome(name) for name in wanted]
    return model
