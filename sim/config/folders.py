"""Where the configuration files are: in the checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sim.errors import ConfigError, Fault


def data_folder(name: Literal["configs", "scenarios"]) -> Path:
    """The folder of shipped configs or scenarios: beside `sim` in a checkout, inside `sim` in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = (package.parent / "pyproject.toml").is_file()  # beside an installed package may lie anybody's `configs`
    folder = (package.parent if checkout else package) / name
    if folder.is_dir():
        return folder
    raise ConfigError(
        Fault(str(package), name, "the folder that ships with the package is missing", "reinstall the package")
    )
