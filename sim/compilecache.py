"""Where compiled functions are kept between runs: one folder for each state of everything that is compiled.

Numba's own cache looks at the file of a function only: it goes on using what was compiled when a function called from
it, or a constant imported into it, has changed in another file. Here the folder's name is a fingerprint of all of them
and of the compiler, so a change anywhere compiles anew and an unchanged program starts at once.
"""

from __future__ import annotations

import os
import sys
from importlib.util import source_hash

KEPT = 8  # folders of other states that stay, so that going back to an older one is quick
STAYS_SECONDS = 12 * 3600  # no folder goes that was taken up within this time: a run may still be writing to it
VERSIONS = ("numba/_version.py", "llvmlite/_version.py", "numpy/version.py")


def _sources_of_constants(text: bytes) -> list[str]:
    """Modules of this package from which a name in capitals is imported. (The import of `re` alone takes longer.)"""
    found: list[str] = []
    start = text.find(b"\nfrom sim")
    while start >= 0:
        end = text.find(b"\n", start + 1)
        if text[end - 1 : end] == b"(":
            end = text.find(b")", end)
        module, _, names = text[start + len(b"\nfrom ") : end].partition(b" import ")
        if any(word.isupper() for word in names.replace(b",", b" ").split()):
            found.append(module.decode())
        start = text.find(b"\nfrom sim", end)
    return found


def compiled_sources(package: str) -> dict[str, bytes]:
    """Text by module name of all modules below the folder `package` that can change what is compiled.

    These are the modules that compile, and those that constants come from, by way of any number of imports.
    """
    texts: dict[str, bytes] = {}
    for folder, folders, files in os.walk(package):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        inner = os.path.relpath(folder, package).replace(os.sep, ".")
        prefix = "sim" if inner == "." else f"sim.{inner}"
        for file in files:
            if file.endswith(".py"):
                with open(os.path.join(folder, file), "rb") as source:
                    texts[prefix if file == "__init__.py" else f"{prefix}.{file[:-3]}"] = source.read()
    chosen: dict[str, bytes] = {}
    waiting = [name for name, text in texts.items() if b"njit" in text or b"@intrinsic" in text]
    while waiting:
        name = waiting.pop()
        if name in chosen or name not in texts:
            continue
        chosen[name] = texts[name]
        waiting.extend(_sources_of_constants(texts[name]))
    return dict(sorted(chosen.items()))


def fingerprint(package: str) -> str:
    """Sixteen hex digits that change with the sources of what is compiled below `package` and with the compiler."""
    parts = [sys.version.encode()]
    for version in VERSIONS:
        for place in sys.path:
            try:
                with open(os.path.join(place, version), "rb") as file:
                    parts.append(file.read())
                break
            except OSError:
                continue
    for name, text in compiled_sources(package).items():
        parts += (name.encode(), text)
    return source_hash(b"\0".join(parts)).hex()


def _places(kind: str) -> list[str]:
    """Folders that may hold what is kept of a kind, the best first: the user's caches, then the user's own temporary
    folder."""
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        caches = os.path.join(home, "Library", "Caches")
    elif sys.platform == "win32":
        caches = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    else:
        caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    places = [os.path.join(caches, "livecommerce", kind)]
    if hasattr(os, "getuid"):
        temporary = os.environ.get("TMPDIR") or "/tmp"
        places.append(os.path.join(temporary, f"livecommerce-{os.getuid()}", kind))
    return [place for place in places if os.path.isabs(place)]


def _take(place: str, name: str) -> str | None:
    """The folder `name` in `place`, made if need be; None if it cannot be written or belongs to somebody else."""
    folder = os.path.join(place, name)
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        # what lies here is run: somebody else's folder in a shared place must not be trusted
        if hasattr(os, "getuid") and any(
            os.stat(path).st_uid != os.getuid() for path in (place, os.path.dirname(place))
        ):
            return None
        try:
            os.mkdir(folder, mode=0o700)
        except FileExistsError:
            os.utime(folder)
        else:
            _tidy(place, name)
        return folder if os.access(folder, os.W_OK | os.X_OK) else None
    except OSError:
        return None


def _tidy(place: str, name: str) -> None:
    """Removes folders of other states beyond the last few, if they have not been taken up for hours."""
    import shutil
    import time

    with os.scandir(place) as entries:
        others = [(entry.stat().st_mtime, entry.path) for entry in entries if entry.is_dir() and entry.name != name]
    for taken_up, path in sorted(others, reverse=True)[KEPT:]:
        if taken_up < time.time() - STAYS_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def kept_folder(kind: str, name: str) -> str | None:
    """The user's own folder `name` for what is kept of a `kind` between runs, made if need be; None if there can be
    none. Folders that were not taken up for long are removed when a new one is made."""
    return next((taken for place in _places(kind) if (taken := _take(place, name)) is not None), None)


def use_cache(package: str) -> str | None:
    """Points numba to the folder for the present state of `package`, unless the user has chosen one; returns it.

    The choice is an environment variable, so worker processes share it. Without any place to write numba decides.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return chosen
    name = fingerprint(package)
    folder = kept_folder("numba", name)
    if folder is not None:
        os.environ["NUMBA_CACHE_DIR"] = folder
        if "numba" in sys.modules:
            sys.modules["numba"].config.CACHE_DIR = folder
    return folder


def is_cold() -> bool:
    """Whether nothing compiled is kept yet, so that the next run compiles first."""
    folder = os.environ.get("NUMBA_CACHE_DIR", "")
    return not any(file.endswith(".nbi") for _, _, files in os.walk(folder) for file in files)
