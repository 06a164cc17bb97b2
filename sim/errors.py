"""What the user did wrong, in the user's words.

Every error a user can cause is a `UserError`: the command line prints its message, without a traceback, and exits with
status 2. A message names the file, the key, what is allowed and, for a name nobody knows, the nearest known one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_USER_ERROR = 2
LISTED_BY = {
    "scenario": "scenarios",
    "intervention": "interventions",
    "metric": "metrics RUN_DIR",
}  # what tells all names


class UserError(Exception):
    """Something the user can put right; `str(error)` is the complete message."""

    exit_status = EXIT_USER_ERROR


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a configuration.

    `where` is a file or "command line"; `key` the dotted key; `problem` says what is wrong with it; `allowed` what
    would be right; `nearest` the known name that looks most like the one given, or empty.
    """

    where: str
    key: str
    problem: str
    allowed: str = ""
    nearest: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.key}: {self.problem}" if self.key else f"{self.where}: {self.problem}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.nearest:
            text += f"; did you mean '{self.nearest}'?"
        return text


class ConfigError(UserError):
    """The configuration has faults; all of them are reported at once."""

    def __init__(self, faults: Sequence[Fault] | Fault) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(dict.fromkeys(faults))
        if len(self.faults) == 1:
            message = str(self.faults[0])
        else:
            message = f"{len(self.faults)} faults in the configuration:\n" + "\n".join(f"  {f}" for f in self.faults)
        super().__init__(message)


class RunFolderError(UserError):
    """A results folder cannot be used: missing, unwritable, foreign, or torn."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`, or an empty string when none is close."""
    found = difflib.get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.55)
    return found[0] if found else ""


def list_names(names: Iterable[str], limit: int = 24) -> str:
    """The names, sorted and joined with commas, cut after `limit`."""
    ordered = sorted({str(n) for n in names})
    if len(ordered) > limit:
        return ", ".join(ordered[:limit]) + f", ... ({len(ordered)} in all)"
    return ", ".join(ordered)


def unknown_name(where: str, key: str, kind: str, name: str, known: Iterable[str]) -> Fault:
    """The fault of naming a `kind` of thing that does not exist."""
    names = [str(k) for k in known]
    allowed = list_names(names) or "none"
    if allowed.endswith(" in all)") and kind in LISTED_BY:
        allowed = f"{allowed.removesuffix(')')}: `livecommerce {LISTED_BY[kind]}`)"
    return Fault(where, key, f"unknown {kind} '{name}'", allowed, nearest(name, names))
