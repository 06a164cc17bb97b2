"""What is on disk: the studies of a results folder, read once and again when they have grown.

A *study* is a folder of runs that belong together: a sweep, a demo, or single runs side by side. The page names a study
by the name listed here; no text of a page ever becomes a path.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from analysis.comparison import Part, Study, parts_of
from analysis.dashboard.page import Page
from analysis.store import DONE, Store, find_runs
from analysis.summary import Summary, bring_up_to_date
from analysis.sweepview import SweepPoints, sweep_points
from sim.errors import RunFolderError, UserError
from sim.sweep.driver import FAILURES, MANIFEST, RUNS, read_manifest

HERE: Final = "."
LOOK_AGAIN_SECONDS: Final = 2.0
KEPT_STUDIES: Final = 12
KEPT_PAGES: Final = 32
MOST_SHOWN: Final = 4  # scenarios drawn at once where none is chosen
MANY: Final = 12  # scenarios of a sweep over values: of so many one is drawn


@dataclass(frozen=True, slots=True)
class Opened:
    """A study as it was when it was read.

    Attributes:
        name: as listed. folder: where it is. parts: what is compared to what. summary: of a sweep's runs, None where
            runs do not stand in a folder `runs`. rows: the manifest, empty where there is none. stamp: what the disk
            looked like. waiting, failed: runs of the manifest in these states. folders: of each base the run of each
            label and seed. points: the sweep as a table, None where there is no manifest. labels: what is compared to
            something, with its base.
    """

    name: str
    folder: Path
    parts: tuple[Part, ...]
    summary: Summary | None
    rows: tuple[dict[str, Any], ...]
    stamp: tuple[Any, ...]
    waiting: int = 0
    failed: int = 0
    _studies: OrderedDict[tuple[str, tuple[str, ...]], Study] = field(default_factory=OrderedDict)
    _pages: OrderedDict[tuple[Any, ...], Page] = field(default_factory=OrderedDict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def bases(self) -> tuple[str, ...]:
        """What others are compared to."""
        return tuple(part.base for part in self.parts)

    def part(self, base: str) -> Part:
        """The runs compared to a base."""
        return next(part for part in self.parts if part.base == base)

    def study(self, base: str, scenarios: tuple[str, ...]) -> Study:
        """The runs of a base and of these scenarios, of the seeds that all of them have finished; kept for a while.

        Raises:
            UserError: no seed is common to all, or as `analysis.comparison.Study`.
        """
        with self.lock:
            key = (base, scenarios)
            if key not in self._studies:
                part = self.part(base)
                by_label = {
                    label: of for label, of in self.folders.get(base, {}).items() if label == base or label in scenarios
                }
                common = set.intersection(*(set(of) for of in by_label.values())) if base in by_label else set()
                if not common:
                    raise UserError(f"no seed has finished for both {base} and {', '.join(scenarios) or 'others'} yet")
                folders = [of[seed] for of in by_label.values() for seed in sorted(common)]
                self._studies[key] = Study(folders, base, part.labels, self.summary)
                while len(self._studies) > KEPT_STUDIES:
                    self._studies.popitem(last=False)[1].__exit__()
            self._studies.move_to_end(key)
            return self._studies[key]

    def page(self, key: tuple[Any, ...], render: Callable[[], Page]) -> Page:
        """A page rendered from this reading, the same one again while it is kept; the caller holds the lock."""
        if key not in self._pages:
            self._pages[key] = render()
            while len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return self._pages[key]

    folders: dict[str, dict[str, dict[int, Path]]] = field(default_factory=dict)
    points: SweepPoints | None = None
    labels: dict[str, str] = field(default_factory=dict)


def _named(folder: Path) -> tuple[list[Part], dict[Path, int]]:
    """What is compared to what, each run with a label of its own, and the seed of each run."""
    runs = find_runs([folder])
    with Store(runs) as store:
        facts = {run.folder.resolve(): run.facts for run in store.runs}
    seeds = {path: int(fact["seed"]) for path, fact in facts.items()}
    parts = parts_of([str(folder)])
    if not (folder / MANIFEST).is_file():
        seen: dict[tuple[str, int], Path] = {}
        labels: dict[Path, str] = {}
        for path, fact in sorted(facts.items()):
            key = (str(fact["scenario"]), int(fact["seed"]))
            labels[path] = key[0] if key not in seen else path.name
            seen.setdefault(key, path)
        base = "baseline" if "baseline" in labels.values() else next(iter(labels.values()))
        parts = [Part(sorted(facts), base, labels)]
    else:
        known = {path for part in parts for path in part.labels}
        for part in parts:
            part.folders[:] = [path for path in part.folders if path.resolve() in known]
    return parts, seeds


class Library:
    """The results folder of a dashboard.

    Args:
        root: the folder given on the command line.

    Raises:
        RunFolderError: it does not exist.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise RunFolderError(f"{root}: no such folder; `livecommerce sweep ... --out DIR` makes one")
        self._opened: dict[str, Opened] = {}
        self._building: set[str] = set()
        self._faults: dict[str, str] = {}
        self._lock = threading.Lock()
        self._listed: tuple[float, dict[str, Path]] = (-1e9, {})
        self._checked: dict[str, float] = {}

    def studies(self) -> dict[str, Path]:
        """Studies by name, the results folder itself as `HERE`; folders that lead outside are left out."""
        when, found = self._listed
        if time.monotonic() - when < LOOK_AGAIN_SECONDS:
            return found
        found = {}
        if _holds_runs(self.root):
            found[HERE] = self.root
        for entry in sorted(os.scandir(self.root), key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.name in (RUNS, FAILURES) or not entry.is_dir():
                continue
            path = Path(entry.path)
            if not path.resolve().is_relative_to(self.root) or (path / DONE).is_file():
                continue
            if (path / MANIFEST).is_file() or _holds_runs(path):
                found[entry.name] = path
        self._listed = (time.monotonic(), found)
        return found

    def forget(self) -> None:
        """Look at the disk again at the next question."""
        self._listed = (-1e9, {})
        self._checked.clear()

    def open(self, name: str, wait: bool = False) -> Opened | None:
        """A study as last read; None while it is being read for the first time.

        When its folder has grown it is read again in the background, and the older reading answers meanwhile.

        Args:
            wait: read it here and now.

        Raises:
            UserError: it cannot be read; the message says why.
        """
        folder = self.studies().get(name)
        if folder is None:
            raise UserError(f"there is no study '{name}' in this folder")
        if time.monotonic() - self._checked.get(name, -1e9) >= LOOK_AGAIN_SECONDS:
            self._checked[name] = time.monotonic()
            known = self._opened.get(name)
            if known is None or known.stamp != _stamp(folder):
                self._build(name, folder, wait)
        if name in self._faults:
            raise UserError(self._faults[name])
        return self._opened.get(name)

    def reading(self, name: str) -> bool:
        """Whether a study is being read."""
        return name in self._building

    def _build(self, name: str, folder: Path, wait: bool) -> None:
        with self._lock:
            if name in self._building:
                return
            self._building.add(name)

        def work() -> None:
            try:
                self._opened[name] = read_study(name, folder)
                self._faults.pop(name, None)
            except UserError as error:
                self._faults[name] = str(error)
                self._opened.pop(name, None)
            finally:
                self._building.discard(name)

        if wait:
            work()
        else:
            threading.Thread(target=work, daemon=True).start()


def read_study(name: str, folder: Path) -> Opened:
    """Read a study; for a sweep this brings its table of metrics up to date."""
    stamp = _stamp(folder)
    parts, seeds = _named(folder)
    in_sweep = all(path.parent.name == RUNS for path in seeds)
    summary = bring_up_to_date(folder) if in_sweep else None
    rows = read_manifest(folder)
    done = {path.name for path in seeds}
    failed = {path.stem for path in (folder / FAILURES).glob("*.txt")} - done
    waiting = sum(row["hash"] not in done and row["hash"] not in failed for row in rows)
    return Opened(
        name, folder, tuple(parts), summary, tuple(rows), stamp, waiting, len(failed), folders=_sorted(parts, seeds),
        points=sweep_points(rows, summary) if rows and summary is not None else None, labels=_compared(parts),
    )  # fmt: skip


def _sorted(parts: list[Part], seeds: dict[Path, int]) -> dict[str, dict[str, dict[int, Path]]]:
    """Folders by base, label and seed."""
    found: dict[str, dict[str, dict[int, Path]]] = {}
    for part in parts:
        for folder in part.folders:
            place = folder.resolve()
            found.setdefault(part.base, {}).setdefault(part.labels[place], {})[seeds[place]] = folder
    return found


def _compared(parts: list[Part]) -> dict[str, str]:
    """Labels that are compared to something, with their base."""
    found: dict[str, str] = {}
    for part in parts:
        for label in sorted({part.labels[folder.resolve()] for folder in part.folders} - {part.base}):
            found.setdefault(label, part.base)
    return found


def _holds_runs(folder: Path) -> bool:
    if (folder / DONE).is_file():
        return True
    try:
        with os.scandir(folder) as entries:
            if any((Path(entry.path) / DONE).is_file() for entry in entries if not entry.name.startswith(".")):
                return True
        return (folder / RUNS).is_dir() and any(True for _ in (folder / RUNS).glob(f"*/{DONE}"))
    except OSError:
        return False


def _stamp(folder: Path) -> tuple[Any, ...]:
    """What changes when runs are added, removed or fail."""
    place = folder / RUNS if (folder / RUNS).is_dir() else folder
    parts: list[Any] = [sum((Path(entry.path) / DONE).is_file() for entry in os.scandir(place))]
    for path in (folder / MANIFEST, folder / FAILURES):
        try:
            parts.append(path.stat().st_mtime_ns)
        except OSError:
            parts.append(0)
    return tuple(parts)
