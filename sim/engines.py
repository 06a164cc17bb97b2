"""Where runs are computed: in this process, in a pool of local processes, or on a Ray or Dask cluster.

An engine takes tasks and yields how each ended, in any order. What a task computes does not depend on where: every
engine runs it with one thread, and commits a complete run folder or none. A task that raises, hangs beyond its time
limit or dies with its process is a failed ending of that task alone.

The local pool computes what runs have in common once: a world lives through the days before the first intervention of
any of them, and each run goes on from there in a copy of the process.

    with engine_of("local", workers=2) as engine:
        for ending in engine.run(tasks):
            ...
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import gc
import importlib.util
import io
import math
import os
import tarfile
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Self

from sim import branching
from sim.branching import BranchFailedError, in_a_copy, in_a_line
from sim.config import RunConfig
from sim.errors import RunFolderError, UserError, list_names, nearest
from sim.experiment import Outcome, Past, Progress, identity, run_one
from sim.runfolder import forget_writer, is_done, writing

if TYPE_CHECKING:
    from ctypes import Array, c_longlong

ENGINES = ("inline", "local", "ray", "dask")
TICK_SECONDS = 0.2  # between two looks at how far runs are
POLL_SECONDS = 0.02  # between two looks at tasks that cannot be waited for
BUSY_SECONDS = 0.5
MOST_WORKERS = 1024
TOGETHER = 8  # runs that share a past: more would save little, and be told of late
SHARING_CONSUMERS = 1_000_000  # above it runs share no past, as a worker then holds two worlds
OUTSTANDING = 3  # tasks handed to a worker beside the one it works on, so that it never waits for the driver

State = Literal["done", "failed", "busy"]


class Task(NamedTuple):
    """A run on its way to where it is computed: its number in the set, its configuration, its folder."""

    number: int
    cfg: RunConfig
    out: Path


class Job(NamedTuple):
    """One run of a set: its configuration and its folder."""

    cfg: RunConfig
    out: Path


@dataclass(frozen=True, slots=True)
class Ending:
    """How the task number `index` ended.

    `state` "busy": another driver is at work on it. `was_done`: its folder was there already. `error` is one line,
    `trace` all that is known about it. `seconds` of wall time, in the worker.
    """

    index: int
    state: State
    was_done: bool = False
    error: str = ""
    trace: str = ""
    seconds: float = 0.0


Tick = Callable[[int], None]
"""Called between endings with the simulated days of the runs that are under way, where the engine knows them."""


class Engine(Protocol):
    """Computes runs. A context: leaving it ends every process it has started."""

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(self, *error: object) -> None:
        """End all work at once."""

    def run(self, jobs: Sequence[Job], tick: Tick | None = None) -> Iterator[Ending]:
        """The endings of all jobs, in the order in which they end."""


def engine_of(name: str, workers: int = 0, time_limit: float | None = None, address: str | None = None) -> Engine:
    """The engine of a name in `ENGINES`.

    `workers` 0: one a core (of this machine, or of the cluster). `time_limit`: seconds a run may take. `address`: of a
    cluster that is there already; without it `ray` and `dask` start one of their own on this machine.

    Raises:
        UserError: an unknown name, a package that is not installed, or an option that the engine does not have.
    """
    if name not in ENGINES:
        close = nearest(str(name), ENGINES)
        hint = f"; did you mean '{close}'?" if close else ""
        raise UserError(f"--engine: unknown engine '{name}'; allowed: {list_names(ENGINES)}{hint}")
    if not isinstance(workers, int) or not 0 <= workers <= MOST_WORKERS:
        raise UserError(f"--workers: {workers!r} is out of range; allowed: 0 (one a core) to {MOST_WORKERS}")
    if time_limit is not None and not time_limit > 0:
        raise UserError(f"--time-limit: {time_limit} is not a time; allowed: seconds above 0")
    if address is not None and name in ("inline", "local"):
        raise UserError(f"--address: the engine '{name}' has no cluster; allowed with: ray, dask")
    if name == "inline":
        if time_limit is not None:
            raise UserError("--time-limit: runs in this process cannot be stopped; use --engine local")
        return Inline()
    if name == "local":
        return Local(workers, time_limit)
    package = {"ray": "ray", "dask": "distributed"}[name]
    if importlib.util.find_spec(package) is None:
        raise UserError(f"--engine {name}: the package {package} is missing; pip install 'livecommerce[cluster]'")
    return (RayCluster if name == "ray" else DaskCluster)(workers, time_limit, address)


def run_many(
    runs: Iterable[tuple[RunConfig, Path]], workers: int = 0, progress: SetProgress | None = None
) -> list[Outcome]:
    """Run every job (`Job`, or a plain pair) in a pool of local processes; outcomes in the order of the jobs.

    A job that raises or whose process dies has its `error` set and leaves the others alone. `workers` 0: one a core.
    """
    jobs = [Job(*run) for run in runs]
    report = progress or (lambda done, days, ended, runs: None)
    lengths = [job.cfg.days + job.cfg.warmup_days for job in jobs]
    outcomes: list[Outcome] = [Outcome(job.out.absolute()) for job in jobs]
    ended, past = 0, 0

    def tick(days: int) -> None:
        report(min(past + days, sum(lengths)), sum(lengths), ended, len(jobs))

    with Local(min(workers or os.cpu_count() or 1, max(1, len(jobs)))) as engine:
        for ending in engine.run(jobs, tick):
            ended, past = ended + 1, past + lengths[ending.index]
            outcomes[ending.index] = Outcome(jobs[ending.index].out.absolute(), ending.was_done, ending.error)
            tick(0)
    report(sum(lengths), sum(lengths), len(jobs), len(jobs))
    return outcomes


SetProgress = Callable[[int, int, int, int], None]
"""Called with days simulated so far, days in all, runs ended, runs in all."""


# ---- one task, wherever it is computed ---------------------------------------------------------------------------


@contextlib.contextmanager
def _claim(folder: Path) -> Iterator[bool]:
    """Whether this process alone may write `folder`; the claim ends with the block, or with the process."""
    locks = folder.parent / ".locks"
    try:
        locks.mkdir(exist_ok=True)
        handle = os.open(locks / folder.name, os.O_CREAT | os.O_RDWR)
    except OSError:  # `run_one` says what is wrong with the folder
        yield True
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
        return
    else:
        yield True
    finally:
        os.close(handle)


def compute(task: Task, progress: Progress | None = None) -> Ending:
    """One task: run it into its folder unless it is there, or another driver is at it. Raises nothing of its own."""
    with _claim(task.out) as mine:
        return _attempt(task, progress) if mine else Ending(task.number, "busy")


def _attempt(task: Task, progress: Progress | None = None, past: Past | None = None) -> Ending:
    """`compute` of a task that has been claimed."""
    start = time.perf_counter()
    try:
        outcome = run_one(task.cfg.model_copy(update={"threads": 1}), task.out, progress, past=past)
    except UserError as error:
        return _lost(task.number, str(error), time.perf_counter() - start)
    except Exception as error:
        return _lost(task.number, in_a_line(error), time.perf_counter() - start, traceback.format_exc())
    return Ending(task.number, "done", outcome.already_done, seconds=time.perf_counter() - start)


def _lost(index: int, error: str, seconds: float = 0.0, trace: str = "") -> Ending:
    return Ending(index, "failed", error=error.splitlines()[0], trace=trace or error, seconds=seconds)


def compute_together(
    tasks: Sequence[Task], tick: Callable[[int], None], time_limit: float | None = None
) -> list[Ending]:
    """Tasks with one past (`RunConfig.past_hash`), simulated once; each run goes on from it in a copy of this process.

    Runs branch off in the order in which their interventions begin, one at a time, and what one of them does to itself
    harms no other. `tick` is called with the days done, as if each run had simulated all of its own.

    Raises:
        Exception: what they have in common cannot be built or simulated.
    """
    from sim.interventions import first_day
    from sim.world import World

    endings = []
    with contextlib.ExitStack() as claims:
        waiting = []
        for task in tasks:
            if not claims.enter_context(_claim(task.out)):
                endings.append(Ending(task.number, "busy"))
            elif _is_there(task):
                endings.append(Ending(task.number, "done", was_done=True))
            else:
                waiting.append((first_day(task.cfg), task))
        if not waiting:
            return endings
        waiting.sort(key=lambda one: math.inf if one[0] is None else one[0])
        start, busy, done = time.perf_counter(), time.process_time(), 0
        world = World(waiting[-1][1].cfg.model_copy(update={"threads": 1}))  # it lives without interventions longest
        first = world.day
        wall = cpu = 0.0  # each run's part of the common past's time
        for number, (begins, task) in enumerate(waiting):
            while world.day < (world.frame.start_day if begins is None else begins):
                world.step()
                tick(done + world.day - first)
            wall += (time.perf_counter() - start) / (len(waiting) - number)
            cpu += (time.process_time() - busy) / (len(waiting) - number)
            past = Past(world, world.day - first, wall, cpu)
            endings.append(_branch(task, past, functools.partial(_tell, tick, done), time_limit))
            done += task.cfg.days + task.cfg.warmup_days
            start, busy = time.perf_counter(), time.process_time()
    return endings


def _tell(tick: Callable[[int], None], before: int, days: int, _: int) -> None:
    tick(before + days)


def _is_there(task: Task) -> bool:
    try:
        return is_done(task.out, identity(task.cfg))
    except RunFolderError:  # told when it is computed
        return False


def _branch(task: Task, past: Past, progress: Progress, time_limit: float | None) -> Ending:
    """A run that goes on from a past in a copy of this process."""
    left = None if time_limit is None else max(time_limit - past.wall_seconds, 0.0)
    start = time.perf_counter()
    try:
        return in_a_copy(lambda: _attempt(task, progress, past), left, lambda process: forget_writer(task.out, process))
    except TimeoutError:
        return _lost(task.number, _too_long(time_limit), time.perf_counter() - start)
    except BranchFailedError as failure:
        return _lost(task.number, str(failure), time.perf_counter() - start, failure.trace)


_settled = False  # whether what stays in this worker has been told from what a run leaves


def _tidy_up() -> None:
    """Free a world at once: its agents refer to each other, and its arrays would wait for a rare full collection.

    What is there after the first run stays for good and is not looked through again.
    """
    global _settled
    gc.collect()
    if not _settled:
        gc.freeze()
        _settled = True


# ---- in this process ---------------------------------------------------------------------------------------------


class Inline:
    """One run after the other in this process: for a debugger, and for tests."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was started."""

    def run(self, jobs: Sequence[Job], tick: Tick | None = None) -> Iterator[Ending]:
        """See `Engine`."""
        for index, job in enumerate(jobs):
            task = Task(index, job.cfg, job.out.absolute())
            yield compute(task, lambda done, _: tick(done) if tick else None)


# ---- a pool of local processes -----------------------------------------------------------------------------------


class Local:
    """Processes kept alive from run to run; they end by themselves when their driver is gone."""

    def __init__(self, workers: int = 0, time_limit: float | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self.time_limit = time_limit
        self._pool: Any = None

    def __enter__(self) -> Self:
        import multiprocessing

        from pebble import ProcessPool

        context = multiprocessing.get_context("forkserver")  # a fork would copy threads' locks in an unknown state
        context.set_forkserver_preload(["sim.world"])
        places = self.workers * (1 + OUTSTANDING)
        self._days = context.RawArray("q", places)  # without a lock, which a killed process would keep
        self._pool = ProcessPool(
            max_workers=self.workers, context=context, initializer=_start_worker, initargs=(self._days, os.getpid())
        )
        return self

    def __exit__(self, *error: object) -> None:
        if error and error[0] is not None:
            self._pool.stop()
        else:
            self._pool.close()
        self._pool.join()

    def schedule(self, task: Callable[..., Any], *arguments: Any, runs: int = 1) -> Any:
        """A future of `task(*arguments)` in one of the processes, which may take the time of `runs` runs."""
        return self._pool.schedule(task, args=list(arguments), timeout=self.time_limit and self.time_limit * runs)

    def run(self, jobs: Sequence[Job], tick: Tick | None = None) -> Iterator[Ending]:
        """See `Engine`. No more tasks are under way than keep the processes at work, so memory does not grow."""
        waiting = packs(jobs, self.workers)[::-1]
        free = list(range(len(self._days)))[::-1]
        under_way: dict[int, tuple[list[int], Any]] = {}  # place -> indices, future
        while waiting or under_way:
            while waiting and free:
                pack, place = waiting.pop(), free.pop()
                self._days[place] = 0
                tasks = [Task(index, _lean(jobs[index].cfg), jobs[index].out.absolute()) for index in pack]
                future = self.schedule(_work, place, tasks, self.time_limit, runs=len(pack))
                under_way[place] = (pack, future)
            wait([future for _, future in under_way.values()], TICK_SECONDS, FIRST_COMPLETED)
            for place in [place for place, (_, future) in under_way.items() if future.done()]:
                pack, future = under_way.pop(place)
                free.append(place)
                self._days[place] = 0
                if len(pack) > 1 and future.exception() is not None:  # each shall fail by its own fault only
                    waiting += [[index] for index in pack]
                else:
                    yield from self.endings(pack, future)
            if tick:
                tick(sum(self._days[:]))

    def endings(self, pack: Sequence[int], future: Any) -> list[Ending]:
        """How the tasks of a pack ended, also when their process died or was stopped."""
        try:
            found: list[Ending] = future.result()
        except TimeoutError:
            error = _too_long(self.time_limit)
        except Exception as failure:  # the process died, or its answer could not be read
            error = f"{type(failure).__name__}: {failure}"
        else:
            return found
        return [_lost(index, error) for index in pack]


def packs(jobs: Sequence[Job], workers: int) -> list[list[int]]:
    """Which runs are computed together, as indices: those with one past, so far as no worker is idle for it.

    When there are not as many packs as occupy all workers to the end, the last are divided among them.
    """
    seeds: dict[int, list[int]] = {}  # a hash takes time, and runs that are alone with their seed need none
    pasts: dict[str, list[int]] = {}
    for index, job in enumerate(jobs):
        seeds.setdefault(job.cfg.seed, []).append(index)
    for index, job in enumerate(jobs):
        alone = len(seeds[job.cfg.seed]) == 1 or job.cfg.warmup_days == 0
        alone |= not branching.POSSIBLE or job.cfg.population.consumers > SHARING_CONSUMERS
        pasts.setdefault(str(index) if alone else job.cfg.past_hash(), []).append(index)
    found = [runs[at : at + TOGETHER] for runs in pasts.values() for at in range(0, len(runs), TOGETHER)]
    found.sort(key=len, reverse=True)
    last = len(found) % workers
    if last == 0:
        return found
    parts = math.ceil(workers / last)
    divided = [pack[part::parts] for pack in found[-last:] for part in range(min(parts, len(pack)))]
    return found[:-last] + divided


def _too_long(limit: float | None) -> str:
    return f"took longer than {limit:g} s and was stopped"


def _lean(cfg: RunConfig) -> RunConfig:
    """The configuration without what only messages about it need; that is most of it, and it travels for each run."""
    lean = cfg.model_copy()
    lean.remember({}, {}, cfg.overrides)
    return lean


_days_done: Array[c_longlong] | None = None  # in a worker: days done, by place


def _start_worker(days_done: Array[c_longlong], driver: int) -> None:
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


def _work(place: int, tasks: Sequence[Task], time_limit: float | None) -> list[Ending]:
    """A pack of tasks in a worker."""

    def tick(days: int) -> None:
        if _days_done is not None:
            _days_done[place] = days

    try:
        if len(tasks) == 1:
            return [compute(tasks[0], lambda done, _: tick(done))]
        return compute_together(tasks, tick, time_limit)
    finally:
        _tidy_up()


# ---- clusters ----------------------------------------------------------------------------------------------------


HANGING_SECONDS = 10.0  # how long a run over its time limit has to come to the end of a day


@contextlib.contextmanager
def _within(limit: float | None) -> Iterator[Callable[[int, int], None] | None]:
    """A progress callback that ends a run over its time limit; a process that hangs inside a day ends as a whole."""
    if limit is None:
        yield None
        return
    until = time.monotonic() + limit

    def progress(done: int, days: int) -> None:
        if time.monotonic() > until:
            raise UserError(_too_long(limit))

    last_resort = threading.Timer(limit + HANGING_SECONDS, os._exit, (1,))
    last_resort.daemon = True
    last_resort.start()
    try:
        yield progress
    finally:
        last_resort.cancel()


def compute_away(index: int, cfg: RunConfig, time_limit: float | None = None) -> tuple[Ending, bytes]:
    """One task on another machine: its ending and its run folder as a tar file, empty when it failed."""
    with tempfile.TemporaryDirectory(prefix="livecommerce-") as folder, _within(time_limit) as progress:
        ending = compute(Task(index, cfg, Path(folder) / "run"), progress)
        _tidy_up()
        packed = io.BytesIO()
        if ending.state == "done":
            with tarfile.open(fileobj=packed, mode="w") as archive:
                for file in sorted((Path(folder) / "run").iterdir()):
                    if file.name != "_DONE":  # set again when the folder is committed here
                        archive.add(file, arcname=file.name)
        return ending, packed.getvalue()


def _unpack(job: Job, packed: bytes) -> None:
    """Commit a run folder that came from another machine, under this driver's claim."""
    out = job.out.absolute()
    with _claim(out) as mine:
        if not mine or is_done(out, identity(job.cfg)):
            return
        with writing(out) as temporary, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(temporary, filter="data")


class _Cluster:
    """What Ray and Dask have in common: hand out tasks, take in folders."""

    def __init__(self, workers: int, time_limit: float | None, address: str | None) -> None:
        self.workers = workers
        self.time_limit = time_limit
        self.address = address

    def run(self, jobs: Sequence[Job], tick: Tick | None = None) -> Iterator[Ending]:
        """See `Engine`. Results travel back as bytes, so the machines need no common disk."""
        waiting = list(range(len(jobs)))[::-1]
        under_way: dict[Any, int] = {}
        while waiting or under_way:
            while waiting and len(under_way) < self._slots() * (1 + OUTSTANDING):
                index = waiting.pop()
                try:
                    there = is_done(jobs[index].out.absolute(), identity(jobs[index].cfg))
                except RunFolderError as error:
                    yield _lost(index, str(error))
                    continue
                if there:
                    yield Ending(index, "done", was_done=True)
                else:
                    under_way[self._submit(index, jobs[index].cfg)] = index
            for handle in self._ended(list(under_way)):
                index = under_way.pop(handle)
                try:
                    ending, packed = self._result(handle)
                    if packed:
                        _unpack(jobs[index], packed)
                except Exception as failure:
                    ending = _lost(index, f"{type(failure).__name__}: {failure}")
                yield ending
            if tick:
                tick(0)

    def _slots(self) -> int:
        raise NotImplementedError

    def _submit(self, index: int, cfg: RunConfig) -> Any:
        raise NotImplementedError

    def _ended(self, handles: list[Any]) -> list[Any]:
        raise NotImplementedError

    def _result(self, handle: Any) -> tuple[Ending, bytes]:
        raise NotImplementedError


class RayCluster(_Cluster):
    """Tasks on a Ray cluster; a task whose worker dies is run again, up to three times."""

    RETRIES = 3

    def __enter__(self) -> Self:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports home unless told not to
        import ray

        self._ray: Any = ray
        options: dict[str, Any] = {"log_to_driver": False, "include_dashboard": False, "configure_logging": False}
        if self.address:
            ray.init(address=self.address, log_to_driver=False)
        else:
            ray.init(num_cpus=self.workers or os.cpu_count() or 1, **options)
        self._task = ray.remote(compute_away).options(num_cpus=1, max_retries=self.RETRIES)
        return self

    def __exit__(self, *error: object) -> None:
        self._ray.shutdown()

    def _slots(self) -> int:
        return self.workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _submit(self, index: int, cfg: RunConfig) -> Any:
        return self._task.remote(index, _lean(cfg), self.time_limit)

    def _ended(self, handles: list[Any]) -> list[Any]:
        return list(self._ray.wait(handles, num_returns=1, timeout=BUSY_SECONDS)[0]) if handles else []

    def _result(self, handle: Any) -> tuple[Ending, bytes]:
        result: tuple[Ending, bytes] = self._ray.get(handle)
        return result


class DaskCluster(_Cluster):
    """Tasks on a Dask cluster."""

    def __enter__(self) -> Self:
        from distributed import Client, LocalCluster

        self._own: Any = None
        if self.address is None:
            self._own = LocalCluster(
                n_workers=self.workers or os.cpu_count() or 1, threads_per_worker=1, dashboard_address=None
            )
        self._client: Any = Client(self.address or self._own)
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()
        if self._own is not None:
            self._own.close()

    def _slots(self) -> int:
        return self.workers or max(1, len(self._client.ncores()))

    def _submit(self, index: int, cfg: RunConfig) -> Any:
        return self._client.submit(compute_away, index, _lean(cfg), self.time_limit, pure=False)

    def _ended(self, handles: list[Any]) -> list[Any]:
        ended = [handle for handle in handles if handle.done()]
        if not ended:
            time.sleep(POLL_SECONDS)
        return ended

    def _result(self, handle: Any) -> tuple[Ending, bytes]:
        result: tuple[Ending, bytes] = handle.result()
        return result
