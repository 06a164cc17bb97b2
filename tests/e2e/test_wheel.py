"""An installed wheel works without the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_wheel_carries_its_configuration_and_runs_from_another_folder(tmp_path: Path) -> None:
    uv = Path(sys.executable).parent / "uv"

    def call(*command: str | Path, cwd: Path = tmp_path) -> str:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd, timeout=900)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call(uv, "build", "--python", sys.executable, "--wheel", "--out-dir", tmp_path / "dist", cwd=ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=False)
    call(uv, "pip", "install", "--quiet", "--python", tmp_path / "venv" / "bin" / "python", wheel)
    command = tmp_path / "venv" / "bin" / "livecommerce"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "tariff_reduction" in call(command, "scenarios", cwd=elsewhere)
    shown = json.loads(call(command, "show", "scenario=commission_cap", "--json", cwd=elsewhere))
    assert shown["interventions.cap.share"]["source"]
    tiny = ("population.consumers=200", "days=2", "warmup_days=0")
    printed = json.loads(call(command, "run", *tiny, "--out", "run", "--json", cwd=elsewhere))
    assert "orders" in printed
