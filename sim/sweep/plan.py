"""Which runs a sweep consists of: Hydra's sweep syntax, or a file of `configs/experiment` with a design.

Every point is a checked configuration with a label (its scenario and what was varied) and the label of what it is
compared to: the same overrides without `scenario` and `interventions.*`. So three shares of a cap with 32 seeds share
the same 32 baseline runs.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sim import provenance
from sim.config import RunConfig
from sim.config.folders import data_folder
from sim.config.loader import DATES
from sim.config.quantity import Group, read_yaml
from sim.config.run import NOT_MODEL
from sim.errors import ConfigError, Fault, UserError, nearest, unknown_name
from sim.experiment import configure, identity
from sim.interventions import known_kinds
from sim.runfolder import Identity

COMMAND_LINE = "command line"
HASH_DIGITS = 16
MOST_RUNS = 100_000
BASE_SCENARIO = "baseline"
Design = Literal["grid", "latin_hypercube", "sobol", "morris"]


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a plan.

    `hash`: 16 hex digits, of its `identity` (configuration and code), the name of its folder. `label`: scenario and
    what was varied, the seed apart. `base`: the label it is compared to, "" for a base.
    """

    cfg: RunConfig
    identity: Identity
    hash: str
    label: str
    base: str
    overrides: tuple[str, ...]

    @property
    def days(self) -> int:
        """Simulated days, warm-up included."""
        return self.cfg.days + self.cfg.warmup_days


@dataclass(frozen=True, slots=True)
class Plan:
    """The points of a sweep, each once, in the order of the request; bases come first."""

    points: tuple[Point, ...]
    question: str = ""
    design: Mapping[str, Any] | None = None
    """Of a sampled design, what reads its results needs: kind, second_order, keys of the parameters, and for each of
    its rows the place in the unit cube (`unit`) and the values as written in the overrides (`values`)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in order."""
        return tuple(dict.fromkeys(point.label for point in self.points))

    @property
    def name(self) -> str:
        """8 hex digits of code and settings, the seeds apart: for folders in which sweeps stand side by side."""
        settings = {point.label: point.cfg.model_copy(update={"seed": 0}) for point in self.points}
        text = provenance.code_hash() + "".join(settings[label].model_hash() for label in sorted(settings))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def consumer_days(self) -> int:
        """Consumers times simulated days, over all points."""
        return sum(point.cfg.population.consumers * point.days for point in self.points)


class Varied(Group):
    """How an experiment varies one key: given values, or a range (the declared one when nothing is said)."""

    values: tuple[float | int | str | bool, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False


class DesignOf(Group):
    """The design of an experiment: `points` of a Latin hypercube, base samples of Sobol, trajectories of Morris, or
    levels of a range in a grid."""

    kind: Design = "grid"
    points: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 8
    seed: int = 0
    second_order: bool = False


class SearchOf(Group):
    """The search of an experiment: metrics and which way is better, points in all, points asked for at a time, and the
    seed of the sampler."""

    objectives: dict[str, Literal["more", "less"]]
    points: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 64
    batch: Annotated[int, Field(ge=1, le=MOST_RUNS)] = 8
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class Experiment(Group):
    """A file of `configs/experiment`."""

    question: str
    overrides: tuple[str, ...] = ()
    parameters: dict[str, Varied] = Field(default_factory=dict)
    design: DesignOf = DesignOf()
    seeds: tuple[int, ...] | None = None
    replicates: Annotated[int, Field(ge=1, le=MOST_RUNS)] | None = None
    search: SearchOf | None = None


# ---- Hydra's sweep syntax ----------------------------------------------------------------------------------------


def axes_of(overrides: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Each override as its key and the plain overrides it stands for, one where it has one value.

    Raises:
        ConfigError: what cannot be read, or stands for no countable set of values.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob, IntervalSweep, RangeSweep, Transformer
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    axes: list[tuple[str, list[str]]] = []
    faults = []
    for text in overrides:
        try:
            parsed = parser.parse_override(text)
            key = parsed.key_or_group.replace("/", ".")
            sign = {"+": "+", "~": "~"}.get(text[:1], "")
            if not parsed.is_sweep_override():
                axes.append((key, [text]))
                continue
            value = parsed.value()
            if isinstance(value, Glob | IntervalSweep):
                kind = type(value).__name__.removesuffix("Sweep").lower()
                allowed = "values a,b,c, choice(...) or range(...); a range to sample from goes into an experiment file"
                faults.append(Fault(COMMAND_LINE, key, f"{kind}(...) names no values that can be counted", allowed))
                continue
            if isinstance(value, RangeSweep):
                fault = _range_fault(key, value.start, value.stop, value.step)
                if fault is not None:
                    faults.append(fault)
                    continue
            values = list(parsed.sweep_iterator(transformer=Transformer.encode))
        except HydraException as error:
            faults.append(
                Fault(COMMAND_LINE, text, f"cannot be read ({str(error).splitlines()[0]})", "key=value or key=a,b,c")
            )
            continue
        if not values:
            faults.append(Fault(COMMAND_LINE, text, "stands for no value", "at least one"))
            continue
        if len(values) > MOST_RUNS:
            faults.append(Fault(COMMAND_LINE, key, f"stands for {len(values):,} values", f"at most {MOST_RUNS:,}"))
            continue
        axes.append((key, list(dict.fromkeys(f"{sign}{key}={value}" for value in values))))
    if faults:
        raise ConfigError(faults)
    return axes


def _range_fault(key: str, start: Any, stop: Any, step: Any) -> Fault | None:
    """What is wrong with `range(start,stop,step)`, found without listing it."""
    steps = (stop - start) / step if step else math.nan
    if math.isnan(steps) or not all(map(math.isfinite, (start, stop, step))):
        allowed = "range(start,stop,step) of finite numbers, step not 0"
        return Fault(COMMAND_LINE, key, f"range({start},{stop},{step}) names no values that can be counted", allowed)
    if steps > MOST_RUNS:
        return Fault(COMMAND_LINE, key, f"stands for {math.ceil(steps):,} values", f"at most {MOST_RUNS:,}")
    return None


def plan_sweep(
    overrides: Sequence[str], scenario_dirs: Iterable[str | Path] = (), with_base: bool = True, question: str = ""
) -> Plan:
    """All combinations of what the overrides stand for, with the bases they are compared to.

    Raises:
        ConfigError: any point's configuration has faults; all of the first such point's are told.
    """
    axes = axes_of(overrides)
    _refuse_repeats(axes)
    size = math.prod(len(values) for _, values in axes)
    if size > MOST_RUNS:
        raise ConfigError(Fault(COMMAND_LINE, "", f"these values combine to {size:,} runs", f"at most {MOST_RUNS:,}"))
    varied = {key for key, values in axes if len(values) > 1}
    for key in sorted(varied & NOT_MODEL - {"scenario"}):
        raise ConfigError(Fault(COMMAND_LINE, key, "takes several values, and they would all give the same run", "one"))
    return plan_points(list(itertools.product(*(values for _, values in axes))), varied, scenario_dirs, with_base,
                       question)  # fmt: skip


def _refuse_repeats(axes: Sequence[tuple[str, list[str]]]) -> None:
    seen: set[str] = set()
    for key, values in axes:
        if key in seen:
            raise ConfigError(Fault(COMMAND_LINE, key, f"is given twice (again as {values[0]})", "each key once"))
        seen.add(key)


def key_of(override: str) -> str:
    """The key an override sets."""
    return override.partition("=")[0].lstrip("+~").replace("/", ".")


def is_policy(override: str) -> bool:
    """Whether an override says what a base does not have: a scenario or an intervention."""
    key = key_of(override)
    return key == "scenario" or key.split(".")[0] == "interventions"


def plan_points(
    rows: Iterable[Sequence[str]],
    varied: set[str],
    scenario_dirs: Iterable[str | Path] = (),
    with_base: bool = True,
    question: str = "",
) -> Plan:
    """Points from rows of plain overrides; `varied` are keys that differ between rows and so stand in the labels.

    The base of a row is the scenario that the row's is meant to be compared to (`compared_to`), without interventions
    that the row adds, with the row's other settings, over the same days.
    """
    folders = list(scenario_dirs)
    made: dict[tuple[str, ...], RunConfig] = {}
    bases: dict[str, Point] = {}
    points: dict[str, Point] = {}

    def config_of(row: Sequence[str]) -> RunConfig:
        seedless = tuple(text for text in row if key_of(text) != "seed")
        seeds = [text for text in row if key_of(text) == "seed"]
        if seedless not in made or not seeds:
            made[seedless] = configure(overrides=row, scenario_dirs=folders)
        cfg = made[seedless]
        if seeds:
            value = seeds[0].partition("=")[2]
            if not value.isdigit() or len(value) > 18:  # the loader says what is wrong with it
                cfg = configure(overrides=row, scenario_dirs=folders)
            else:
                cfg = cfg.with_seed(int(value), tuple(row))
        if cfg.out is not None:
            raise ConfigError(
                Fault(COMMAND_LINE, "out", "cannot be set: each run has a folder of its own", "--out DIR")
            )
        return cfg

    def point(row: Sequence[str], base: str) -> Point:
        cfg = config_of(row)
        me = identity(cfg)
        name = hashlib.sha256(f"{me.config}{me.code}".encode()).hexdigest()[:HASH_DIGITS]
        return Point(cfg, me, name, label_of(cfg.scenario.name, row, varied), base, tuple(row))

    def base_of(row: Sequence[str]) -> list[str]:
        """What a row's base adds to the row's settings: the scenario to compare to, and the row's days."""
        mine = config_of(row)
        against = mine.scenario.compared_to or "baseline"
        scenario = [] if against == "baseline" else [f"scenario={against}"]
        other = config_of([*scenario, *(text for text in row if not is_policy(text))])
        return scenario + [f"{key}={getattr(mine, key)}" for key in DATES if getattr(mine, key) != getattr(other, key)]

    more: dict[tuple[str, ...], list[str]] = {}  # by row without its seed, on which it does not depend
    for row in rows:
        base = ""
        if with_base:
            seedless = tuple(text for text in row if key_of(text) != "seed")
            if seedless not in more:
                more[seedless] = base_of(row)
            found = point([*more[seedless], *(text for text in row if not is_policy(text))], "")
            bases.setdefault(found.hash, found)
            base = found.label
        mine = point(row, base)
        if mine.hash not in bases:
            points.setdefault(mine.hash, mine)
    return Plan((*bases.values(), *(value for name, value in points.items() if name not in bases)), question)


def label_of(scenario: str, row: Sequence[str], varied: set[str]) -> str:
    """The scenario and what was varied or belongs to interventions: "commission_cap cap.share=0.05"."""
    words = [scenario]
    for text in row:
        key = key_of(text)
        if key in ("seed", "scenario") or key in NOT_MODEL:
            continue
        if key in varied or key.startswith("interventions."):
            value = text.partition("=")[2]
            removed = "without " if text.startswith("~") else ""
            words.append(f"{removed}{key.removeprefix('interventions.')}" + (f"={value}" if value else ""))
    return " ".join(words)


# ---- experiment files --------------------------------------------------------------------------------------------


def experiments(folders: Iterable[str | Path] = ()) -> dict[str, Path]:
    """Every experiment that can be named, with its file: ./experiments first, then the shipped ones."""
    found: dict[str, Path] = {}
    for folder in (*map(Path, folders), Path.cwd() / "experiments", data_folder("configs") / "experiment"):
        if folder.is_dir():
            for path in sorted(folder.glob("*.yaml")):
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def read_experiment(name: str, folders: Iterable[str | Path] = ()) -> tuple[Experiment, Path]:
    """An experiment by name or by the path of its file. `ConfigError` lists its faults."""
    known = experiments(folders)
    path = known.get(name)
    if path is None:
        if not name.endswith((".yaml", ".yml")):
            raise ConfigError(unknown_name(COMMAND_LINE, "--experiment", "experiment", name, known))
        path = Path(name)
    tree = read_yaml(path)
    return Experiment.from_plain(tree, str(path)), path


def experiment_axes(experiment: Experiment, path: Path, overrides: Sequence[str]) -> list[tuple[str, list[str]]]:
    """What an experiment sets beside its parameters, as `axes_of`, the seeds too; `overrides` win over its own."""
    given = {key for key, _ in axes_of(overrides)}
    own = [text for text in experiment.overrides if key_of(text) not in given]
    axes = axes_of([*own, *overrides])
    _refuse_repeats(axes)
    if clash := sorted(set(experiment.parameters) & {key for key, _ in axes}):
        raise ConfigError(Fault(str(path), f"parameters.{clash[0]}", "is also set by an override", "one of the two"))
    if experiment.seeds is not None and experiment.replicates is not None:
        raise ConfigError(Fault(str(path), "replicates", "and seeds say the same", "one of the two"))
    seeds = experiment.seeds or tuple(range(experiment.replicates or 1))
    if "seed" not in {key for key, _ in axes}:
        axes.append(("seed", [f"seed={seed}" for seed in seeds]))
    return axes


def plan_experiment(
    name: str,
    overrides: Sequence[str] = (),
    scenario_dirs: Iterable[str | Path] = (),
    with_base: bool = True,
    folders: Iterable[str | Path] = (),
) -> Plan:
    """The plan of an experiment file; `overrides` are added to its own, and win."""
    experiment, path = read_experiment(name, folders)
    if experiment.search is not None:
        raise UserError(f"--experiment {name}: has no fixed points; it is for `livecommerce search`")
    axes = experiment_axes(experiment, path, overrides)
    varied = {key for key, values in axes if len(values) > 1} | set(experiment.parameters)
    design = _design(experiment, path, [text for _, values in axes for text in values[:1]], scenario_dirs)
    rows = [
        [*fixed, *(f"{key}={value}" for key, value in zip(experiment.parameters, point, strict=True))]
        for point in design.values
        for fixed in itertools.product(*(values for _, values in axes))
    ]
    if len(rows) > MOST_RUNS:
        raise ConfigError(Fault(str(path), "design", f"makes {len(rows):,} runs", f"at most {MOST_RUNS:,}"))
    plan = plan_points(rows, varied, scenario_dirs, with_base, experiment.question)
    return replace(plan, design=design.record(experiment))


def bounds_of(cfg: RunConfig, key: str, where: str) -> tuple[float, float]:
    """The declared range of a key of the configuration or of a parameter of one of its interventions."""
    quantities = cfg.quantities()
    if key in quantities:
        return float(quantities[key].low), float(quantities[key].high)
    parts = key.split(".")
    if parts[0] == "interventions" and len(parts) == 3 and parts[1] in cfg.interventions:
        kind = known_kinds()[cfg.interventions[parts[1]]["kind"]]
        if parts[2] == "strength":
            return 0.0, 1.0
        if parts[2] in kind.row.parameters:
            about = kind.parameter(parts[2])
            return float(about.low), float(about.high)
        raise ConfigError(unknown_name(where, key, "parameter", parts[2], kind.row.parameters))
    raise ConfigError(
        Fault(where, key, "has no declared range", "a number that `livecommerce show` lists", nearest(key, quantities))
    )


def range_of(cfg: RunConfig, key: str, varied: Varied, where: str) -> tuple[float, float]:
    """The range in which a key is varied: the declared one, or what was said inside it. `ConfigError` else."""
    declared = bounds_of(cfg, key, where)
    low = declared[0] if varied.low is None else varied.low
    high = declared[1] if varied.high is None else varied.high
    if varied.low is None and varied.high is None and not all(map(math.isfinite, declared)):
        raise ConfigError(
            Fault(where, f"parameters.{key}", "has no declared range", "a number with a range, or values")
        )
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(Fault(where, f"parameters.{key}", f"the range {low} to {high} is none", "low < high"))
    if low < declared[0] or high > declared[1]:
        raise ConfigError(
            Fault(where, f"parameters.{key}", f"{low} to {high} leaves the declared range",
                  f"{declared[0]} to {declared[1]}")
        )  # fmt: skip
    if varied.log and low <= 0:
        raise ConfigError(Fault(where, f"parameters.{key}.log", "needs a range above 0", "low > 0"))
    return low, high


def is_whole(cfg: RunConfig, key: str) -> bool:
    """Whether a key of the configuration is declared in whole numbers."""
    quantity = cfg.quantities().get(key)
    return quantity is not None and all(type(number) is int for number in (quantity.value, quantity.low, quantity.high))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of values, one per parameter, as text that reads back to the same number; where sampled, also their places
    in the unit cube."""

    values: Sequence[tuple[str, ...]]
    unit: np.ndarray[Any, np.dtype[np.float64]] | None = None

    def record(self, experiment: Experiment) -> dict[str, Any] | None:
        """`Plan.design`."""
        if self.unit is None:
            return None
        return {
            "kind": experiment.design.kind, "second_order": experiment.design.second_order,
            "parameters": list(experiment.parameters), "unit": self.unit.tolist(),
            "values": [list(row) for row in self.values],
        }  # fmt: skip


def _design(experiment: Experiment, path: Path, fixed: Sequence[str], scenario_dirs: Iterable[str | Path]) -> _Rows:
    """The rows of an experiment's design."""
    if not experiment.parameters:
        return _Rows([()])
    cfg = configure(overrides=fixed, scenario_dirs=scenario_dirs)
    where = str(path)
    lows, highs, problem_names = [], [], []
    levels: list[list[str]] = []
    for key, varied in experiment.parameters.items():
        if varied.values is not None:
            if not varied.values:
                raise ConfigError(Fault(where, f"parameters.{key}.values", "is empty", "at least one value"))
            levels.append([value_text(value) for value in varied.values])
            if experiment.design.kind != "grid":
                raise ConfigError(
                    Fault(where, f"parameters.{key}.values", f"a {experiment.design.kind} samples ranges", "low, high")
                )
            continue
        low, high = range_of(cfg, key, varied, where)
        lows.append(math.log(low) if varied.log else low)
        highs.append(math.log(high) if varied.log else high)
        problem_names.append(key)
        steps = np.linspace(lows[-1], highs[-1], experiment.design.points)
        levels.append([value_text(float(np.exp(x)) if varied.log else float(x)) for x in steps])
    if experiment.design.kind == "grid":
        return _Rows(list(itertools.product(*levels)))
    unit = unit_design(experiment.design, len(problem_names))
    scaled = np.array(lows) + unit * (np.array(highs) - np.array(lows))
    logs = np.array([experiment.parameters[name].log for name in problem_names])
    values = np.where(logs, np.exp(scaled), scaled)
    values = np.clip(values, np.where(logs, np.exp(lows), lows), np.where(logs, np.exp(highs), highs))
    return _Rows([tuple(value_text(float(value)) for value in row) for row in values], unit)


def problem(dimensions: int) -> dict[str, Any]:
    """SALib's description of a unit cube."""
    return {
        "num_vars": dimensions,
        "names": [f"x{number}" for number in range(dimensions)],
        "bounds": [[0.0, 1.0]] * dimensions,
    }


def unit_design(design: DesignOf, dimensions: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """float64[rows, dimensions] in the unit cube. Sobol (Saltelli's scheme) and Morris by SALib, hypercube by scipy."""
    if design.kind == "latin_hypercube":
        from scipy.stats import qmc

        return np.asarray(qmc.LatinHypercube(dimensions, rng=design.seed).random(design.points))
    try:
        from SALib.sample import morris, sobol
    except ImportError:
        raise UserError(
            f"a {design.kind} design needs the package SALib; pip install 'livecommerce[discovery]'"
        ) from None
    if design.kind == "morris":
        return np.asarray(morris.sample(problem(dimensions), design.points, num_levels=4, seed=design.seed))
    size = design.points
    if size & (size - 1):
        raise UserError(f"design.points: {size} base samples; a Sobol sequence is balanced at powers of 2: "
                        f"{1 << (size.bit_length() - 1)} or {1 << size.bit_length()}")  # fmt: skip
    return np.asarray(sobol.sample(problem(dimensions), size, calc_second_order=design.second_order, seed=design.seed))


def value_text(value: object) -> str:
    """A value as an override writes it; reads back to the same number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def overrides_of(texts: Iterable[str]) -> Mapping[str, str]:
    """Key -> value text of plain overrides."""
    return {key_of(text): text.partition("=")[2] for text in texts}
