"""The folder of compiled functions follows everything that is compiled, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim import compilecache

KERNEL = """from numba import njit

from sim.inner import formula
from sim.names import (
    SIZE,
)

@njit
def f(): ...
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "sim"
    (folder / "kernels").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "kernels" / "outer.py").write_text(KERNEL)
    (folder / "inner.py").write_text("from numba import njit\n\n@njit\ndef formula(): return 1\n")
    (folder / "names.py").write_text('"""Names."""\n\nfrom sim.deeper import ALL\n\nSIZE = len(ALL)\n')
    (folder / "deeper.py").write_text("ALL = (1, 2)\n")
    (folder / "report.py").write_text("def write(): ...\n")
    return folder


@pytest.mark.parametrize("changed", ["kernels/outer.py", "inner.py", "names.py", "deeper.py"])
def test_a_callee_or_a_constant_changes_the_folder(package: Path, changed: str) -> None:
    before = compilecache.fingerprint(str(package))
    file = package / changed
    file.write_text(file.read_text() + "OTHER = 3\n")
    assert compilecache.fingerprint(str(package)) != before


def test_what_is_not_compiled_does_not(package: Path) -> None:
    before = compilecache.fingerprint(str(package))
    (package / "report.py").write_text("def write(): return 2\n")
    assert compilecache.fingerprint(str(package)) == before
    assert compilecache.fingerprint(str(package)) == before


def test_every_module_that_compiles_is_watched() -> None:
    package = Path(compilecache.__file__).parent
    watched = compilecache.compiled_sources(str(package))
    assert {"sim.kinds", "sim.kernels.philox", "sim.kernels.threads", "sim.day.checkout"} <= set(watched)
    assert "sim.__main__" not in watched


def _folder(home: Path, **more: str) -> str:
    """What a fresh process takes for its cache with this home."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "caches"), "TMPDIR": str(home / "tmp")} | more
    code = "import os, sim, sys; print(os.environ.get('NUMBA_CACHE_DIR')); sys.exit('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the folder of caches is another")
def test_a_user_has_one_folder_and_may_choose_another(tmp_path: Path) -> None:
    taken = Path(_folder(tmp_path))
    assert taken.parent == tmp_path / "caches" / "livecommerce" / "numba"
    assert taken.is_dir()
    assert _folder(tmp_path, NUMBA_CACHE_DIR="/elsewhere") == "/elsewhere"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the folder of caches is another")
def test_a_home_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "caches").write_text("not a folder")
    (tmp_path / "tmp").mkdir()
    assert Path(_folder(tmp_path)).is_relative_to(tmp_path / "tmp")
    (tmp_path / "file").write_text("nor this")
    assert _folder(tmp_path, TMPDIR=str(tmp_path / "file")) == "None"


def test_somebody_elses_folder_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compilecache._take(str(tmp_path / "caches" / "numba"), "state") is not None
    monkeypatch.setattr(compilecache.os, "getuid", lambda: os.stat(tmp_path).st_uid + 1)
    assert compilecache._take(str(tmp_path / "caches" / "numba"), "state") is None


def test_old_folders_go_but_never_one_in_use(tmp_path: Path) -> None:
    long_ago = 1_000_000_000
    for number in range(compilecache.KEPT + 3):
        (tmp_path / f"old{number}").mkdir()
        os.utime(tmp_path / f"old{number}", (long_ago + number, long_ago + number))
    for number in range(compilecache.KEPT + 3):
        (tmp_path / f"new{number}").mkdir()
    assert compilecache._take(str(tmp_path), "mine") is not None
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left == {"mine"} | {f"new{number}" for number in range(compilecache.KEPT + 3)}
