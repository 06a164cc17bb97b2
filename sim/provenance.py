"""What made a result: the code, the data, the versions, the revision, the machine with its time and memory."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

from sim.config.folders import data_folder
from sim.config.quantity import read_yaml

PACKAGE = Path(__file__).resolve().parent
ROOT_MODULE = "sim.world"
# Named by the package's `__init__`, which every module's import runs: what lies above the world and only launches runs.
LAUNCHER = "sim.api"
# What can move a number: the interpreter and every package between the configuration and a stored table.
PACKAGES = (
    "livecommerce", "numpy", "numba", "llvmlite", "scipy", "mesa", "simpy", "networkx", "pyarrow", "duckdb",
    "holidays", "hijridate", "astral", "currencyconverter", "tzdata", "hydra-core", "omegaconf", "pydantic",
)  # fmt: skip


# Files of observations that the model reads from installed packages; its own figures are in the configuration.
DATA_FILES = (("currency_converter", "eurofxref-hist.zip"),)


def _module_file(module: str) -> Path | None:
    path = PACKAGE.parent.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _imports(tree: ast.AST) -> set[str]:
    """The `sim` modules a syntax tree may import, wherever the statement stands, with the packages they lie in."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    names = {name for name in names if name == "sim" or name.startswith("sim.")}
    return names | {name[:cut] for name in names for cut in range(len(name)) if name[cut] == "."}


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return tree


def reached_modules(root: str = ROOT_MODULE) -> dict[str, Path]:
    """Every `sim` module that importing `root` can reach, with its file, by reading import statements.

    What launches runs is left out: an engine or a sweep may change without finished runs becoming others.
    """
    found: dict[str, Path] = {}
    waiting = [root]
    while waiting:
        module = waiting.pop()
        file = _module_file(module)
        if module in found or file is None or module == LAUNCHER:
            continue
        found[module] = file
        waiting.extend(_imports(ast.parse(file.read_text(encoding="utf-8"))))
    return dict(sorted(found.items()))


@functools.cache
def code_hash() -> str:
    """SHA-256 of what computes the numbers beside the configuration.

    Syntax trees, without docstrings, comments and layout, of the modules the world reaches; the rows of
    `configs/interventions`, of which a configuration holds only the names; and data files inside the package.
    """
    digest = hashlib.sha256()
    for module, file in reached_modules().items():
        tree = _without_docstrings(ast.parse(file.read_text(encoding="utf-8")))
        digest.update(f"{module}\n{ast.dump(tree)}\n".encode())
    for file in sorted(data_folder("configs").glob("interventions/*.yaml")):
        digest.update(f"{file.name}\n{read_yaml(file)}\n".encode())
    for file in sorted(PACKAGE.rglob("*")):
        if file.suffix in {".csv", ".npz", ".npy", ".parquet", ".json"} and "__pycache__" not in file.parts:
            digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\n" + file.read_bytes())
    return digest.hexdigest()


@functools.cache
def data_hashes() -> dict[str, str]:
    """SHA-256 of every file of observations the model reads, by package and file; "missing" where there is none."""
    found = {}
    for package, name in DATA_FILES:
        spec = importlib.util.find_spec(package)
        file = Path(str(spec.origin)).parent / name if spec else None
        there = file is not None and file.is_file()
        found[f"{package}/{name}"] = hashlib.sha256(file.read_bytes()).hexdigest() if file and there else "missing"
    return found


@functools.cache
def host() -> dict[str, str | int | None]:
    """What kind of machine this is: cores, processor, memory in MB, system. No names and no addresses."""
    memory: int | None = None
    with contextlib.suppress(ValueError, OSError, AttributeError):
        memory = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6)
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_mb": memory,
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def _processor() -> str:
    """The model of the processor, or its architecture where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    return platform.processor() or platform.machine()


@functools.cache
def versions() -> dict[str, str]:
    """Installed versions of the interpreter and of every package that can move a number."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


@functools.cache
def git_state() -> dict[str, str | bool | None]:
    """Revision of the checkout and whether it had uncommitted changes; nulls outside a checkout. Recorded only."""
    root = PACKAGE.parent
    if not (root / ".git").exists():
        return {"revision": None, "dirty": None}
    try:
        revision = _git(root, "rev-parse", "HEAD")
        return {"revision": revision, "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return {"revision": None, "dirty": None}


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


def forget_peak_memory() -> None:
    """Let `peak_memory_mb` count from now on, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_mb() -> float:
    """The most memory this process has held since `forget_peak_memory`, in MB of 10^6 bytes; else since its start."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    unit = 1 if sys.platform == "darwin" else 1024  # the kernels count in bytes and KiB
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
