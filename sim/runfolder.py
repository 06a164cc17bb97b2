"""A run's folder: complete, or not there.

A run is written to a temporary sibling, synced to disk, marked with `_DONE` and renamed. A folder without `_DONE` is
never taken for a run, and a folder that is not this run's is never touched.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from sim.errors import RunFolderError

DONE = "_DONE"
RUN_JSON = "run.json"
YOUNG_SECONDS = 10.0
PATIENCE_SECONDS = 3.0  # a worker whose driver was killed ends within this time
MOST_NAME_BYTES = 200  # most file systems take 255, and a temporary folder's name is longer than the run's
SYNCS = 8  # files put on the disk at a time
RECORD_LEVELS = ("summary", "daily", "full")
DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG, errno.ENAMETOOLONG}
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two runs the same: the configuration's hash, the code's hash; and how much was recorded."""

    config: str
    code: str
    record: str


def read_run_json(folder: Path) -> dict[str, Any]:
    """The run.json of a finished run. `RunFolderError` when the folder is missing, unfinished or no run."""
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: there is no such folder; a run's folder holds {RUN_JSON} and {DONE}")
    if not (folder / DONE).is_file():
        raise RunFolderError(f"{folder}: is not a finished run ({DONE} is missing)")
    try:
        content = json.loads((folder / RUN_JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{folder / RUN_JSON}: cannot be read ({error})") from None
    if not isinstance(content, dict):
        raise RunFolderError(f"{folder / RUN_JSON}: must hold a mapping")
    return content


def is_done(out: Path, identity: Identity) -> bool:
    """Whether `out` already holds this run at the same or a higher record level.

    False when it can be written: missing, empty, or this run at a lower level. `RunFolderError` for anything else
    there, and for a parent that is no folder; parents that are missing are made when the run is written.
    """
    try:
        return _is_done(out, identity)
    except OSError as error:  # a name or a path that is too long, a loop of links, a disk that went away
        raise RunFolderError(f"--out {out}: cannot be used ({error.strerror})") from None


def _is_done(out: Path, identity: Identity) -> bool:
    size = len(os.fsencode(out.name))
    if size > MOST_NAME_BYTES:
        raise RunFolderError(f"--out {out}: its name has {size} bytes; at most {MOST_NAME_BYTES}")
    _restore(out)
    refuse_parents(out)
    if not os.path.lexists(out):
        return False
    if out.is_symlink() and not out.is_dir():
        raise RunFolderError(f"--out {out}: is a link that leads nowhere; remove it or name another folder")
    if not out.is_dir():
        raise RunFolderError(f"--out {out}: is a file; a run needs a folder, new or empty")
    try:
        if not any(out.iterdir()):
            _refuse_fixed(out)
            return False
    except OSError as error:
        raise RunFolderError(f"--out {out}: cannot be read ({error.strerror})") from None
    try:
        found = read_run_json(out)
    except RunFolderError:
        raise RunFolderError(
            f"--out {out}: holds something that is not a finished run, and is left as it is; "
            "name a new or an empty folder"
        ) from None
    if found.get("config_hash") != identity.config:
        raise RunFolderError(
            f"--out {out}: holds another run (scenario {found.get('scenario')}, hash "
            f"{str(found.get('config_hash'))[:8]}, not {identity.config[:8]}), and is left as it is; "
            "name a new or an empty folder"
        )
    if found.get("code_hash") != identity.code:
        raise RunFolderError(
            f"--out {out}: holds this run made by another version of the code, and is left as it is; "
            "name another folder, or remove this one"
        )
    level = str(found.get("record"))
    if level in RECORD_LEVELS and RECORD_LEVELS.index(level) >= RECORD_LEVELS.index(identity.record):
        return True
    _refuse_fixed(out)
    return False


def folder_of(name: str, given: Any) -> Path:
    """A path from the argument `name`. `RunFolderError` for what is none."""
    try:
        folder = Path(given)
    except TypeError:
        folder = Path("\0")
    if "\0" in str(folder):
        raise RunFolderError(f"{name}: {given!r} is no path; allowed: a text, a path, or what a run returned")
    return folder


def refuse_parents(path: Path, option: str = "--out") -> None:
    """`RunFolderError` when what `path` would lie in is there and is no folder. `option`: what named it."""
    for parent in path.absolute().parents:
        if parent.is_dir():
            return
        if os.path.lexists(parent):
            raise RunFolderError(f"{option} {path}: its parent {parent} is not a folder; name another")


def _refuse_fixed(out: Path) -> None:
    """A run takes its folder's place by a rename, which these folders do not bear."""
    what = ""
    if out.is_symlink():
        what = f"is a link to {out.resolve()}; name that folder itself"
    elif out.is_mount():
        what = f"is where a disk is mounted; name a folder inside it, such as {out / 'run'}"
    elif out.samefile(Path.cwd()):
        what = "is the folder you are in; name a folder inside it, such as run"
    if what:
        raise RunFolderError(f"--out {out}: {what}")


@contextmanager
def writing(out: Path) -> Iterator[Path]:
    """A temporary sibling of `out` to write a run into; renamed to `out` when the block ends well, else removed.

    Call `is_done(out, ...)` first. Parents that are missing are made. Full disks, missing permissions, and another
    process that is writing the same folder or has done so meanwhile become `RunFolderError`.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(
            f"--out {out}: its parent {out.parent} cannot be made ({error.strerror}); name another"
        ) from None
    _refuse_living(out, _remove_dead(out.parent.glob(f".{glob.escape(out.name)}.tmp-*")))
    at_first = _stamp(out)
    temporary = out.parent / f".{out.name}.tmp-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        temporary.mkdir()
        lock = os.open(temporary / ".lock", os.O_CREAT | os.O_RDWR)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunFolderError(f"--out {out}: cannot write in {out.parent} ({error.strerror})") from None
    fcntl.flock(lock, fcntl.LOCK_EX)  # held while this driver lives: others tell by it that the folder is not abandoned
    # a pool that stops its workers lets them run what is registered here, but not the end of this block
    leave_nothing = Finalize(None, shutil.rmtree, (temporary, True), exitpriority=0)
    running = True
    try:
        yield temporary
        running = False
        if _stamp(out) != at_first:
            raise RunFolderError(f"--out {out}: was written by another process meanwhile and is left as that left it")
        _commit(temporary, out)
    except OSError as error:
        if not running or error.errno in DISK_ERRORS:
            reason = os.strerror(error.errno) if error.errno else error  # libraries put words of their own around it
            raise RunFolderError(f"--out {out}: could not be written ({reason}); nothing was kept") from error
        raise
    finally:
        os.close(lock)
        leave_nothing()


def _commit(temporary: Path, out: Path) -> None:
    with ThreadPoolExecutor(SYNCS) as pool:  # the disk commits them together
        list(pool.map(sync, sorted(temporary.rglob("*"))))
    done = temporary / DONE
    done.touch()
    sync(done)
    (temporary / ".lock").unlink()
    sync(temporary)
    replaced = _old_name(out)
    if out.is_dir() and any(out.iterdir()):
        os.rename(out, replaced)  # a kill before the next line is undone by `_restore`
    os.rename(temporary, out)
    sync(out.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def _stamp(out: Path) -> tuple[int, int] | None:
    """What tells a folder from one that took its place; None when there is none."""
    try:
        found = out.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def sync(path: Path) -> None:
    """Ask the system to put a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _old_name(out: Path) -> Path:
    return out.parent / f".{out.name}.replaced"


def _restore(out: Path) -> None:
    """Put back a run whose replacement was killed between its two renames."""
    replaced = _old_name(out)
    if not (replaced / DONE).is_file():
        return
    if os.path.lexists(out):
        shutil.rmtree(replaced, ignore_errors=True)
    else:
        os.rename(replaced, out)


def sweep_dead(folder: Path) -> None:
    """Remove temporary folders in `folder` whose driver is dead, and put back replaced runs."""
    _remove_dead(folder.glob(".*.tmp-*"))
    for replaced in folder.glob(".*.replaced"):
        _restore(folder / replaced.name[1:].removesuffix(".replaced"))


def forget_writer(out: Path, process: int) -> None:
    """Remove what a process that has been killed was writing for `out`."""
    for temporary in out.parent.glob(f".{glob.escape(out.name)}.tmp-{process}-*"):
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_dead(siblings: Iterable[Path]) -> list[Path]:
    """Remove temporary folders whose driver is dead: their lock can be taken. Returns those of the living."""
    living = []
    for sibling in siblings:
        try:
            lock = os.open(sibling / ".lock", os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            living.append(sibling)
        else:
            if time.time() - os.fstat(lock).st_mtime >= YOUNG_SECONDS:
                shutil.rmtree(sibling, ignore_errors=True)
            # else its driver may be between making the file and locking it
        finally:
            os.close(lock)
    return living


def _refuse_living(out: Path, siblings: Iterable[Path]) -> None:
    """Wait a little for processes that are writing `out`: a worker whose driver was killed ends by itself."""
    until = time.monotonic() + PATIENCE_SECONDS
    while living := _remove_dead(sibling for sibling in siblings if sibling.exists()):
        if time.monotonic() > until:
            process = living[0].name.removeprefix(f".{out.name}.tmp-").partition("-")[0]
            raise RunFolderError(
                f"--out {out}: process {process} is writing a run there; wait for it or name another folder"
            )
        time.sleep(0.1)
        siblings = living
