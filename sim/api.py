"""The laboratory for notebooks: `sim.run` and `sim.Experiment`, the same as the commands `run` and `sweep`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import UserError
from sim.experiment import configure, run_one
from sim.runfolder import folder_of, read_run_json
from sim.sweep.plan import Plan, plan_experiment, plan_sweep


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run. It stands for its folder wherever a path is taken: `analysis.open(run)`."""

    folder: Path

    def __fspath__(self) -> str:
        return str(self.folder)

    @property
    def facts(self) -> dict[str, Any]:
        """Its run.json: scenario, seed, configuration, hashes, versions, wall time."""
        return read_run_json(self.folder)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished sweep. It stands for its folder wherever a path is taken: `analysis.compare(sweep)`.

    `computed` runs were computed now, `there` had been finished before; `failures` say why by hash.
    """

    folder: Path
    computed: int
    there: int
    failures: dict[str, str]

    def __fspath__(self) -> str:
        return str(self.folder)


def run(scenario: str = "baseline", out: str | os.PathLike[str] | None = None, **settings: Any) -> Run:
    """Simulate one scenario, unless that was done before.

    Args:
        out: the run's folder (default results/<scenario>-<hash>-s<seed>).
        settings: keys of `livecommerce show`; two underscores stand for a dot: `population__consumers=2000`.

    Raises:
        UserError: settings that make no sense, or a folder that cannot be used.
    """
    cfg = configure(_name("scenario", scenario), overrides_of(settings))
    return Run(run_one(cfg, None if out is None else folder_of("out", out)).folder)


class Experiment:
    """Many runs, as `livecommerce sweep` plans them; their baseline is added.

    Args:
        scenario: one, or several in a list. seeds: of every point, the same for all.
        settings: as for `run`; a list of values is swept over.

    Attributes:
        plan: the runs.
    """

    plan: Plan

    def __init__(
        self, scenario: str | Iterable[str] = "baseline", seeds: Iterable[int] = (1,), **settings: Any
    ) -> None:
        swept = {"scenario": _several("scenario", scenario), "seed": _several("seeds", seeds)}
        self.plan = plan_sweep(overrides_of({**swept, **settings}))

    @classmethod
    def from_file(cls, name: str, **settings: Any) -> Experiment:
        """An experiment of `configs/experiment`, or the path of one; `settings` win over its own."""
        made = cls.__new__(cls)
        made.plan = plan_experiment(_name("name", name), overrides_of(settings))
        return made

    def run(self, out: str | os.PathLike[str], workers: int = 0, engine: str = "local") -> Sweep:
        """Compute what is not in the folder `out` yet. `workers` 0: one a core.

        Raises:
            UserError: a folder, an engine or a number of workers that cannot be used.
        """
        from sim.engines import engine_of
        from sim.sweep.driver import drive

        folder = folder_of("out", out).absolute()
        with engine_of(engine, workers) as started:
            found = drive(self.plan, folder, started)
        return Sweep(folder, found.computed, found.there, found.failures)


def overrides_of(settings: Mapping[str, Any]) -> list[str]:
    """Overrides as on a command line. `UserError` for a value that cannot be written as one."""
    return [f"{key.replace('__', '.')}={_text(key, value)}" for key, value in settings.items()]


def _name(argument: str, given: Any) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, os.PathLike):
        return str(os.fspath(given))
    raise UserError(f"{argument}: {given!r} is no name; allowed: a text, such as 'baseline'")


def _several(name: str, values: Any) -> list[Any]:
    if isinstance(values, str):
        values = [values]
    if not isinstance(values, Iterable):
        like = "one name or a list of names" if name == "scenario" else "a list or a range, such as range(4)"
        raise UserError(f"{name}: {values!r} is no list; allowed: {like}")
    return list(values)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) and hasattr(value, "tolist"):  # numbers and arrays of numpy
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, list | tuple | range) and not value:
        raise UserError(f"{key}: is an empty list; allowed: at least one value")
    if isinstance(value, list | tuple | range):
        return ",".join(_text(key, one) for one in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise UserError(f"{key}: {type(value).__name__} is no value of a setting; allowed: a number, a text, or a list")
