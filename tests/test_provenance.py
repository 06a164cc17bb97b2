"""The code's hash sees what can move a number and nothing else."""

from __future__ import annotations

import ast
import os
from pathlib import Path

from sim import provenance


def dump(source: str) -> str:
    return ast.dump(provenance._without_docstrings(ast.parse(source)))


def test_words_and_layout_are_not_code() -> None:
    plain = 'def f(x):\n    return x + 1\n\n\nclass A:\n    b = "text"\n'
    worded = plain.replace("def f(x):", '"""Module."""\n# why\ndef f(x):\n    """Doc."""').replace("x + 1", "(x +\n 1)")
    assert dump(plain) == dump(worded)
    assert dump(plain) != dump(plain.replace("+ 1", "+ 2"))
    assert dump(plain) != dump(plain.replace("text", "other"))


def test_modules_are_reached_through_imports_wherever_they_stand() -> None:
    reached = provenance.reached_modules("sim.provenance")
    assert {"sim", "sim.config", "sim.config.folders", "sim.config.quantity", "sim.errors"} <= set(reached)
    assert "sim.__main__" not in reached


def test_what_launches_runs_is_no_part_of_what_computes_them() -> None:
    reached = provenance.reached_modules()
    assert {"sim.world", "sim.day.settlement", "sim.kernels.sessions", "sim.record.recorder", "sim.rules"} <= set(
        reached
    )
    assert not {name for name in reached if name.startswith(("sim.sweep", "sim.engines", "sim.experiment", "sim.api"))}


def test_versions_name_what_can_move_numbers() -> None:
    versions = provenance.versions()
    assert {"python", "numpy", "numba", "mesa", "simpy"} <= set(versions)
    assert "not installed" not in versions.values()


def test_memory_is_in_megabytes() -> None:
    assert 10 < provenance.peak_memory_mb() < 1e6


def test_peak_memory_counts_from_where_it_was_told() -> None:
    """A process that computes many runs says of each what that run took."""
    if not Path("/proc/self/clear_refs").exists():
        return
    ballast = bytearray(os.urandom(1) * 300_000_000)
    high = provenance.peak_memory_mb()
    del ballast
    provenance.forget_peak_memory()
    assert provenance.peak_memory_mb() < high - 200


def test_the_host_is_described_without_its_name() -> None:
    host = provenance.host()
    assert set(host) == {"cores", "processor", "memory_mb", "system"}
    assert host["cores"] == os.cpu_count()
    assert all(host.values())


def test_data_files_are_hashed() -> None:
    hashes = provenance.data_hashes()
    assert [len(value) for value in hashes.values()] == [64] * len(provenance.DATA_FILES)
