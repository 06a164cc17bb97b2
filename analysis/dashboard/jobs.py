"""Runs started from a page: a request becomes checked overrides, a job file, and a sweep that outlives this server.

No text of a page reaches a command: names are looked up in what is there, numbers are parsed and written anew. What a
job does is read from its file only (`sim.sweep.jobfile`), so a server that was killed finds its jobs again.
"""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.dashboard.state import State
from sim.config import list_scenarios
from sim.errors import RunFolderError, UserError
from sim.experiment import configure, levers
from sim.sweep.jobfile import read_job, stop, write_job

FOLDER: Final = ".jobs"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page may ask of the machine."""

    consumers: int = 20_000
    days: int = 366
    warmup_days: int = 120
    seeds: int = 16
    levers: int = 6
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Field:
    """A number of a request: where it stands in the address, its bounds and what it is when nothing is said."""

    name: str
    low: float
    high: float
    value: float
    integer: bool = False

    def read(self, state: State) -> float:
        """The number in the address, if it is one within the bounds, else the default."""
        try:
            found = float(state.get(self.name))
        except ValueError:
            return self.value
        if not math.isfinite(found) or not self.low <= found <= self.high:
            return self.value
        return float(round(found)) if self.integer else found


def size_fields(limits: Limits) -> dict[str, Field]:
    """Size of a request by name."""
    return {
        "consumers": Field("consumers", 200, limits.consumers, min(5_000, limits.consumers), True),
        "days": Field("days", 2, limits.days, min(120, limits.days), True),
        "warmup_days": Field("warmup_days", 0, limits.warmup_days, min(30, limits.warmup_days), True),
        "seeds": Field("seeds", 1, limits.seeds, min(4, limits.seeds), True),
    }


def lever_fields(kind: dict[str, Any], days: int) -> dict[str, Field]:
    """Numbers of one lever: its parameters that have a value, strength and dates (days after the first reported "
    "one)."""
    name = kind["name"]
    found = {
        parameter: Field(f"{name}-{parameter}", about["low"], about["high"], float(about["value"]))
        for parameter, about in kind["parameters"].items() if about["value"] is not None
    }  # fmt: skip
    found["strength"] = Field(f"{name}-strength", 0.0, 1.0, 1.0)
    found["start"] = Field(f"{name}-start", 0, days - 1, 0, True)
    found["end"] = Field(f"{name}-end", 1, days, days, True)
    return found


@dataclass(frozen=True, slots=True)
class Request:
    """What an address asks to run."""

    scenario: str
    levers: tuple[str, ...]
    overrides: tuple[str, ...]
    seeds: int
    consumers: int
    days: int
    warmup_days: int

    @property
    def name(self) -> str:
        """The study's name: the scenario and a hash of all that was asked."""
        digest = hashlib.sha256("\n".join(self.overrides).encode()).hexdigest()[:8]
        return f"{self.scenario}-{digest}"

    @property
    def runs(self) -> int:
        """Runs it takes at most, baseline included."""
        return self.seeds * (1 if self.scenario == "baseline" and not self.levers else 2)

    @property
    def consumer_days(self) -> int:
        """Consumers times days, warm-up included, over all runs."""
        return self.runs * self.consumers * (self.days + self.warmup_days)


def read_request(state: State, limits: Limits) -> Request:
    """The request an address says; what it says wrongly is as if it were not said."""
    scenario = state.one_of("scenario_to_run", list(list_scenarios([])), "baseline")
    size = {name: int(field.read(state)) for name, field in size_fields(limits).items()}
    kinds = levers()
    chosen = [name for name in dict.fromkeys(state.get("levers").split(",")) if name in kinds][: limits.levers]
    overrides = [
        f"scenario={scenario}", f"population.consumers={size['consumers']}", f"days={size['days']}",
        f"warmup_days={size['warmup_days']}",
        f"record={state.one_of('record', ('daily', 'full'))}",
        "seed=" + ",".join(str(seed) for seed in range(size["seeds"])),
    ]  # fmt: skip
    for name in chosen:
        overrides.append(f"+interventions.{name}.kind={name}")
        for key, field in lever_fields(kinds[name], size["days"]).items():
            value = field.read(state)
            if value == field.value and key not in ("start",):
                continue
            overrides.append(f"+interventions.{name}.{key}={_text(value, field.integer)}")
    return Request(scenario, tuple(chosen), tuple(overrides), size["seeds"], size["consumers"], size["days"],
                   size["warmup_days"])  # fmt: skip


def _text(value: float, integer: bool) -> str:
    return str(int(value)) if integer else repr(value)


def problems(request: Request) -> str:
    """What speaks against a request in the model's own words: clashes, dates outside the run; empty where nothing."""
    try:
        configure(overrides=[text for text in request.overrides if not text.startswith("seed=")])
    except UserError as error:
        return str(error)
    return ""


class Jobs:
    """The jobs of a results folder.

    Args:
        root: the results folder. limits: what may be asked.
    """

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root = root
        self.limits = limits or Limits()
        self._children: list[subprocess.Popen[bytes]] = []

    def _files(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((self.root / FOLDER).glob("[!.]*.json"))}

    def all(self) -> list[dict[str, Any]]:
        """Every job as its file says, the newest first; damaged files are left out."""
        self._children = [child for child in self._children if child.poll() is None]
        found = []
        for name, path in self._files().items():
            try:
                found.append(read_job(path) | {"name": name})
            except RunFolderError:
                continue
        return sorted(found, key=lambda job: -float(job.get("asked", 0)))

    def start(self, request: Request) -> str:
        """Write the job's file and start its sweep; the job's name.

        Raises:
            UserError: the request is faulty, or enough is at work.
        """
        if told := problems(request):
            raise UserError(told)
        self._check_room()
        folder = self.root / FOLDER
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunFolderError(f"{folder}: cannot be made ({error.strerror})") from None
        self._launch(request.name, list(request.overrides))
        return request.name

    def again(self, name: str) -> None:
        """Start a job that ended or was killed once more; what it had finished is kept.

        Raises:
            UserError: there is no such job, or enough is at work.
        """
        job = self._job(name)
        self._check_room()
        self._launch(name, [str(text) for text in job["overrides"]])

    def cancel(self, name: str) -> None:
        """Ask a job to end. `UserError`: there is no such job."""
        self._job(name)
        stop(self._files()[name])

    def _job(self, name: str) -> dict[str, Any]:
        files = self._files()
        if name not in files:
            raise UserError(f"there is no job '{name}'")
        return read_job(files[name])

    def _check_room(self) -> None:
        busy = [job["name"] for job in self.all() if job["state"] in ("starting", "running")]
        if len(busy) >= self.limits.jobs:
            raise UserError(f"{', '.join(busy)} is at work; wait for it, or cancel it")

    def _launch(self, name: str, overrides: Sequence[str]) -> None:
        file = self.root / FOLDER / f"{name}.json"
        write_job(file, {"state": "starting", "asked": time.time(), "overrides": list(overrides), "error": ""})
        command = [
            sys.executable, "-m", "sim", "sweep", *overrides, "--retry", "--out", str(self.root / name), "--job",
            str(file),
        ]  # fmt: skip
        with file.with_suffix(".log").open("ab") as log:
            self._children.append(
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                )
            )  # fmt: skip
