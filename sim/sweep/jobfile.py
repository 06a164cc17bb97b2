"""The file by which a sweep started in the background is known: what was asked, who computes, how far it is.

`livecommerce sweep ... --job FILE` keeps it up to date; whoever started the sweep reads it, and nothing else, to show
progress, to stop it or to start it again. The process at work holds a lock beside the file for as long as it lives, so
that a file left by a killed process is told from one at work, also after the machine was restarted.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from sim.errors import RunFolderError
from sim.sweep.driver import Progress, replace_file

WRITE_SECONDS: Final = 0.5
ENDED: Final = ("done", "failed", "cancelled")
TAKE_ATTEMPTS: Final = 20
STARTING_SECONDS: Final = 60.0  # a process that has not taken its lock by then never will


def read_job(path: Path) -> dict[str, Any]:
    """What a job file says; `alive` beside it: whether its process is at work.

    A file that says `starting` or `running` while nobody is at work is `stopped`: its process was killed.

    Raises:
        RunFolderError: no such file, or it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content["state"], str):
            raise ValueError("not a job")
    except (OSError, ValueError, KeyError) as error:
        raise RunFolderError(f"{path}: is no job file ({error})") from None
    content["alive"] = _is_held(path)
    fresh = content["state"] == "starting" and time.time() - float(content.get("asked", 0)) < STARTING_SECONDS
    if content["state"] not in ENDED and not content["alive"] and not fresh:
        content["state"] = "stopped"
    return content


def write_job(path: Path, content: dict[str, Any]) -> None:
    """Write a job file as a whole. `RunFolderError` when it cannot be written."""
    text = json.dumps(content, indent=1)
    replace_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def stop(path: Path) -> bool:
    """Ask the process of a job to end, by the number in its file; False when nobody is at work."""
    content = read_job(path)
    if not content["alive"] or not isinstance(content.get("process"), int):
        return False
    os.kill(content["process"], signal.SIGTERM)
    return True


def _lock_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _is_held(path: Path) -> bool:
    try:
        with _lock_file(path).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class JobFile:
    """A job file held by the process that does the work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = read_job(path)
        self._written = -1e9
        self._content.pop("alive", None)

    def progress(self, progress: Progress) -> None:
        """Say how far the sweep is, at most every half second; a file that cannot be written stops nothing."""
        if time.monotonic() - self._written < WRITE_SECONDS and progress.ended < progress.runs:
            return
        self._written = time.monotonic()
        left = progress.seconds_left
        self._say(
            "running", runs=progress.runs, ended=progress.ended, failed=progress.failed, days=progress.days,
            days_done=progress.days_done, seconds_left=None if left is None else round(left, 1),
        )  # fmt: skip

    def _say(self, state: str, **facts: Any) -> None:
        self._content |= {"state": state, "process": os.getpid(), **facts}
        with suppress(OSError, RunFolderError):
            write_job(self._path, self._content)

    def _take(self, lock: IO[bytes]) -> None:
        """Take the lock; who only looks whether it is held, holds it for a moment."""
        for attempt in range(TAKE_ATTEMPTS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.01 * (attempt + 1))
        raise RunFolderError(f"--job {self._path}: another process is at work on it")

    @contextmanager
    def working(self) -> Iterator[JobFile]:
        """Hold the job while the block runs; then say how it ended.

        Raises:
            RunFolderError: another process is at work on it.
        """
        with _lock_file(self._path).open("ab") as lock:
            self._take(lock)
            self._say("running", error="")
            try:
                yield self
            except KeyboardInterrupt:
                self._say("cancelled")
                raise
            except BaseException as error:
                self._say("failed", error=str(error))
                raise
            self._say("failed" if self._content.get("failed") else "done")
