"""Runs as folders: one here, many over processes.

`configure` gives a checked configuration, `run_one` turns it into a finished run folder or leaves none, `run_many`
shares several over a pool of processes whose number and order cannot change a result.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sim import provenance
from sim.config import RunConfig, load
from sim.errors import ConfigError, Fault, RunFolderError, UserError
from sim.runfolder import RUN_JSON, Identity, is_done, read_run_json, writing

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import SynchronizedArray

RUN_JSON_FORMAT = 1
POLL_SECONDS = 0.2

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


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, or say why that cannot be. `RunFolderError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"--out {folder}: cannot be made ({error.strerror})") from None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended: its folder, whether it was there already, or why it failed (`error`, else empty)."""

    folder: Path
    already_done: bool = False
    error: str = ""


def run_one(cfg: RunConfig, out: Path | str | None = None, progress: Progress | None = None) -> Outcome:
    """Simulate one configuration into the folder `out`, unless it already holds that run.

    Raises:
        RunFolderError: the folder or its parent cannot be used; nothing there was changed.
    """
    folder = Path(out) if out is not None else Path(cfg.out) if cfg.out else default_out(cfg)
    if out is None and not cfg.out:
        with contextlib.suppress(OSError):  # `is_done` says what is wrong with it
            folder.parent.mkdir(exist_ok=True)
    folder = folder.absolute()
    me = identity(cfg)
    if is_done(folder, me):
        return Outcome(folder, already_done=True)
    with writing(folder) as temporary:
        start = time.perf_counter()
        facts = _simulate(cfg, temporary, progress or (lambda done, days: None))
        facts["wall_seconds"] = round(time.perf_counter() - start, 3)
        _write_run_json(temporary / RUN_JSON, cfg, me, facts)
    return Outcome(folder)


def _simulate(cfg: RunConfig, folder: Path, progress: Progress) -> dict[str, Any]:
    """Build the world, run it, let its recorder write the tables into `folder`; facts for run.json."""
    from sim.world import World

    _use_threads(cfg.threads)
    world = World(cfg)
    world.run(progress=progress)
    world.recorder.write(folder)
    return {"weight": float(world.scale.weight)}


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
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "notes": list(notes(cfg)),
        "peak_memory_mb": provenance.peak_memory_mb(),
        **facts,
        "configuration": cfg.model_dump(mode="json"),
    }
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


# ---- many runs ---------------------------------------------------------------------------------------------------


class Job(NamedTuple):
    """One run of a set: its configuration and its folder."""

    cfg: RunConfig
    out: Path


SetProgress = Callable[[int, int, int, int], None]
"""Called with days simulated so far, days in all, runs finished, runs in all."""


def run_many(
    runs: Sequence[tuple[RunConfig, Path]], workers: int = 0, progress: SetProgress | None = None
) -> list[Outcome]:
    """Run every job (`Job`, or a plain pair), each in one process with one thread; outcomes in the order of the jobs.

    A job that raises or whose process dies has its `error` set and leaves the others alone. `workers` 0: one a core.
    """
    jobs = [Job(*run) for run in runs]
    report = progress or (lambda done, days, finished, runs: None)
    days_all = sum(job.cfg.days + job.cfg.warmup_days for job in jobs)
    outcomes: list[Outcome | None] = [None] * len(jobs)
    waiting = []
    for index, job in enumerate(jobs):
        if is_done(job.out.absolute(), identity(job.cfg)):
            outcomes[index] = Outcome(job.out.absolute(), already_done=True)
        else:
            waiting.append(index)
    done_before = sum(job.cfg.days + job.cfg.warmup_days for i, job in enumerate(jobs) if outcomes[i] is not None)
    count = min(workers or os.cpu_count() or 1, max(1, len(waiting)))
    if waiting:
        with _pool(count, len(jobs)) as (pool, days_done):
            futures = {i: pool.schedule(_work, args=[i, jobs[i].cfg, str(jobs[i].out.absolute())]) for i in waiting}
            while any(outcome is None for outcome in outcomes):
                for index, future in futures.items():
                    if outcomes[index] is None and future.done():
                        outcomes[index] = _outcome(future, jobs[index])
                finished = sum(outcome is not None for outcome in outcomes)
                report(done_before + sum(days_done[:]), days_all, finished, len(jobs))
                if finished < len(jobs):
                    time.sleep(POLL_SECONDS)
    report(days_all, days_all, len(jobs), len(jobs))
    return [outcome for outcome in outcomes if outcome is not None]


def _outcome(future: Any, job: Job) -> Outcome:
    try:
        already_done, error = future.result()
    except Exception as failure:  # the process died, or its answer could not be read
        already_done, error = False, f"{type(failure).__name__}: {failure}"
    return Outcome(job.out.absolute(), already_done, error)


@contextlib.contextmanager
def _pool(workers: int, jobs: int) -> Iterator[tuple[Any, SynchronizedArray[int]]]:
    """A pool of processes and a shared array of days done, one entry a job. Stopped at once when the block raises."""
    import multiprocessing

    from pebble import ProcessPool

    context = multiprocessing.get_context("forkserver")  # a plain fork would copy threads' locks in an unknown state
    context.set_forkserver_preload(["sim.world"])
    days_done: SynchronizedArray[int] = context.Array("q", jobs)
    pool: Any = ProcessPool(
        max_workers=workers, context=context, initializer=_start_worker, initargs=(days_done, os.getpid())
    )
    try:
        yield pool, days_done
        pool.close()
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.join()


_days_done: SynchronizedArray[int] | None = None  # in a worker: the set's shared array


def _start_worker(days_done: SynchronizedArray[int], driver: int) -> None:
    global _days_done
    _days_done = days_done
    threading.Thread(target=_follow, args=(driver,), daemon=True).start()


def _follow(driver: int) -> None:
    """End this process when its driver is gone, so that a killed driver leaves no work behind."""
    while True:
        try:
            os.kill(driver, 0)
        except OSError:
            os._exit(1)
        time.sleep(1.0)


def _work(index: int, cfg: RunConfig, out: str) -> tuple[bool, str]:
    """One job in a worker: whether it was done already, and an error in words or an empty text."""

    def progress(done: int, days: int) -> None:
        if _days_done is not None:
            _days_done[index] = done

    try:
        outcome = run_one(cfg.model_copy(update={"threads": 1}), out, progress)
    except UserError as error:
        return False, str(error)
    return outcome.already_done, ""


__all__ = [
    "Job",
    "Outcome",
    "RunFolderError",
    "configure",
    "default_out",
    "identity",
    "make_folder",
    "notes",
    "read_run_json",
    "run_many",
    "run_one",
]
