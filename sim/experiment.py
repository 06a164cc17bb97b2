"""A run as a folder: `configure` gives a checked configuration, `run_one` turns it into a finished run folder or leaves
none. Many runs at once: `sim.engines`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim import provenance
from sim.config import RunConfig, load
from sim.config.loader import COMMAND_LINE
from sim.errors import ConfigError, Fault, RunFolderError
from sim.runfolder import RUN_JSON, Identity, is_done, read_run_json, writing

RUN_JSON_FORMAT = 1

Progress = Callable[[int, int], None]
"""Called with the days simulated so far and the days in all, warm-up included."""


def configure(
    scenario: str = "baseline", overrides: Sequence[str] = (), scenario_dirs: Iterable[str | Path] = ()
) -> RunConfig:
    """A configuration checked by every layer: keys, types, ranges, rows, dates. `ConfigError` with all faults."""
    return load(scenario, overrides, scenario_dirs, checks=(_check_interventions, _check_calendar))


def notes(cfg: RunConfig) -> tuple[str, ...]:
    """What a user should know about a valid configuration.

    Ends of interventions that were clipped, and days whose exchange rates nobody has quoted.
    """
    from sim.calendar import last_known_rate
    from sim.interventions import check

    found = list(check(cfg))
    if cfg.calendar == "real" and cfg.last_day > last_known_rate():
        found.append(f"exchange rates after {last_known_rate()} are not quoted and continue by a keyed random walk")
    return tuple(found)


def levers() -> dict[str, dict[str, Any]]:
    """Every lever and shock by name, in plain values: title, mechanism, what it changes, parameters with unit, range
    (`low`, `high` as numbers), source and meaning.
    """
    from sim.interventions import known_kinds

    return {name: _describe(kind) for name, kind in known_kinds().items()}


def _describe(kind: Any) -> dict[str, Any]:
    from sim.interventions.document import scope_of

    parameters = {}
    for name, value in kind.row.parameters.items():
        about = kind.parameter(name)
        parameters[name] = quantity_words(about) | {"value": value, "low": float(about.low), "high": float(about.high)}
    return {
        "name": kind.name,
        "title": kind.row.title,
        "family": kind.row.family,
        "pulled_by": list(kind.row.pulled_by),
        "mechanism": kind.row.mechanism,
        "adoption": kind.row.adoption,
        "changes": [change.leaf for change in kind.row.changes],
        "scope": scope_of(kind).replace("`", ""),
        "one_of": [list(group) for group in kind.row.one_of],
        "parameters": parameters,
        "file": str(kind.path),
    }


def quantity_words(quantity: Any) -> dict[str, Any]:
    """What a parameter says about itself, in plain values."""
    return {
        "value": quantity.value,
        "unit": quantity.unit,
        "range": quantity.range_text,
        "source": quantity.source,
        "meaning": quantity.meaning,
    }


def _check_interventions(cfg: RunConfig) -> None:
    from sim.interventions import check

    check(cfg)


def _check_calendar(cfg: RunConfig) -> None:
    """Holidays and Hijri dates are tables with a first and a last day; a run must lie inside."""
    from sim.calendar import covered

    first, last = covered()
    if not (first <= cfg.first_day and cfg.last_day <= last):
        raise ConfigError(
            Fault(
                cfg.origin("start_date"),
                "start_date",
                f"the run covers {cfg.first_day} to {cfg.last_day} (warm-up included), outside the calendar tables",
                f"{first} to {last}",
            )
        )


def identity(cfg: RunConfig) -> Identity:
    """What makes two runs the same."""
    return Identity(cfg.model_hash(), provenance.code_hash(), cfg.record)


def default_out(cfg: RunConfig) -> Path:
    """results/<scenario>-<hash8>-s<seed> in the current folder."""
    return Path("results") / f"{cfg.scenario.name}-{cfg.model_hash()[:8]}-s{cfg.seed}"


def run_folder(cfg: RunConfig, out: Path | str | None) -> Path:
    """Where a run goes, absolute: `out` (--out), else the configuration's `out`, else `default_out`.

    `RunFolderError` when `out` is empty, or when the command line names two folders.
    """
    if out is None:
        return Path(cfg.out or default_out(cfg)).absolute()
    if not str(out).strip():
        raise RunFolderError("--out: is empty; name a folder, new or empty")
    folder = Path(out).absolute()
    given_twice = cfg.out is not None and cfg.origin("out").startswith(COMMAND_LINE)
    if given_twice and Path(str(cfg.out)).absolute() != folder:
        raise RunFolderError(f"--out {out} and out={cfg.out} name two folders for one run; give one of them")
    return folder


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended: its folder, whether it was there already, or why it failed (`error`, else empty)."""

    folder: Path
    already_done: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A world that several runs have in common up to today (`RunConfig.past_hash`).

    `days` it has simulated; `wall_seconds` and `cpu_seconds`: one run's share of the time that took.
    """

    world: Any
    days: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


NO_PAST = Past(None)


def run_one(
    cfg: RunConfig,
    out: Path | str | None = None,
    progress: Progress | None = None,
    starting: Callable[[], None] | None = None,
    past: Past | None = None,
) -> Outcome:
    """Simulate one configuration into the folder `out`, unless it already holds that run.

    `starting` is called when the folder can be written and the simulation is about to start. With a `past` the run goes
    on from there instead of from its first day, and writes the same.

    Raises:
        RunFolderError: the folder or a parent cannot be used; nothing there was changed.
    """
    folder = run_folder(cfg, out)
    me = identity(cfg)
    if is_done(folder, me):
        return Outcome(folder, already_done=True)
    with writing(folder) as temporary:
        if starting is not None:
            starting()
        start, busy = time.perf_counter(), time.process_time()
        provenance.forget_peak_memory()  # of the runs this process computed before
        facts = _simulate(cfg, temporary, progress or (lambda done, days: None), past)
        before = past or NO_PAST
        facts["wall_seconds"] = round(before.wall_seconds + time.perf_counter() - start, 3)
        facts["cpu_seconds"] = round(before.cpu_seconds + time.process_time() - busy, 3)  # of all its threads
        facts["shared_days"] = before.days
        _write_run_json(temporary / RUN_JSON, cfg, me, facts)
    return Outcome(folder)


def _simulate(cfg: RunConfig, folder: Path, progress: Progress, past: Past | None) -> dict[str, Any]:
    """Build the world, run it, let its recorder write the tables into `folder`; facts for run.json."""
    from sim.world import World

    _use_threads(cfg.threads)
    if past is None:
        world = World(cfg)
    else:
        world = past.world
        world.branch(cfg)
    world.run(progress=progress)
    world.recorder.write(folder)
    sums = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.parquet"))}
    return {"weight": float(world.scale.weight), "tables": sums}


def _use_threads(threads: int) -> None:
    """Bound the compiled loops to a number of threads; the machine's cores are the most there can be."""
    import numba

    settings: Any = numba.config
    most = int(settings.NUMBA_NUM_THREADS)
    numba.set_num_threads(most if threads == 0 else min(threads, most))


def _write_run_json(path: Path, cfg: RunConfig, me: Identity, facts: dict[str, Any]) -> None:
    content = {
        "format": RUN_JSON_FORMAT,
        "scenario": cfg.scenario.name,
        "question": cfg.scenario.question,
        "compared_to": cfg.scenario.compared_to,
        "overrides": list(cfg.overrides),
        "seed": cfg.seed,
        "record": cfg.record,
        "config_hash": me.config,
        "code_hash": me.code,
        "data": provenance.data_hashes(),
        "versions": provenance.versions(),
        "host": provenance.host(),
        "git": provenance.git_state(),
        "notes": list(notes(cfg)),
        "peak_memory_mb": provenance.peak_memory_mb(),
        **facts,
        "configuration": cfg.model_dump(mode="json"),
    }
    path.write_text(_lines(content, levels=2) + "\n", encoding="utf-8")


def _lines(content: dict[str, Any], levels: int, indent: str = "") -> str:
    """JSON with a line for each key of the outer levels; what is below is one line, which takes a tenth of the time."""
    parts = []
    for key, value in sorted(content.items()):
        inner = (
            _lines(value, levels - 1, indent + " ")
            if levels > 1 and isinstance(value, dict) and value
            else json.dumps(value, sort_keys=True)
        )
        parts.append(f"{indent} {json.dumps(key)}: {inner}")
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


__all__ = [
    "Outcome",
    "RunFolderError",
    "configure",
    "default_out",
    "identity",
    "levers",
    "notes",
    "quantity_words",
    "read_run_json",
    "run_folder",
    "run_one",
]
