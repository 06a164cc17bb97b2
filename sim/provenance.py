"""What made a result: the code, the versions, the revision, the machine's time and memory."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import platform
import resource
import subprocess
import sys
from pathlib import Path

from sim.config.folders import data_folder
from sim.config.quantity import read_yaml

PACKAGE = Path(__file__).resolve().parent
ROOT_MODULE = "sim.world"
# What can move a number: the interpreter and every package between the configuration and a stored table.
PACKAGES = (
    "livecommerce", "numpy", "numba", "llvmlite", "scipy", "mesa", "simpy", "networkx", "pyarrow", "duckdb",
    "holidays", "hijridate", "astral", "currencyconverter", "tzdata", "hydra-core", "omegaconf", "pydantic",
)  # fmt: skip


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
    """Every `sim` module that importing `root` can reach, with its file, by reading import statements."""
    found: dict[str, Path] = {}
    waiting = [root]
    while waiting:
        module = waiting.pop()
        file = _module_file(module)
        if module in found or file is None:
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


def peak_memory_mb() -> float:
    """The most memory this process has held, in MB of 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # the kernels count in bytes and KiB
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
