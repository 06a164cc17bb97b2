"""Compiled functions that are compiled for other compiled functions only."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("sim", "analysis", "benchmarks", "tests")


def _decoration(node: ast.AST) -> str:
    return " ".join(ast.unparse(one) for one in getattr(node, "decorator_list", ()))


class _Calls(ast.NodeVisitor):
    """Names that are called outside of compiled functions."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if "njit" not in _decoration(node):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self.found.add(node.func.id)
        elif isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("kernels", "graph"):
            self.found.add(node.func.attr)
        self.generic_visit(node)


def test_what_has_no_way_in_from_python_is_never_called_from_there() -> None:
    """Such a call ends the process without a word; leaving the way in out saves compiling it."""
    closed: set[str] = set()
    called: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and "no_cpython_wrapper" in _decoration(node):
                    closed.add(node.name)
            calls = _Calls()
            calls.visit(tree)
            own = {
                node.name for node in tree.body if isinstance(node, ast.FunctionDef) and "njit" not in _decoration(node)
            }
            called[str(path.relative_to(ROOT))] = calls.found - own
    assert closed
    assert {file: sorted(closed & names) for file, names in called.items() if closed & names} == {}
