"""Fail when uv.lock names a host other than the public package index's own two."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ALLOWED = {"pypi.org", "files.pythonhosted.org"}


def foreign_hosts(text: str) -> set[str]:
    """Hosts named by the lock file beyond the allowed ones."""
    return set(re.findall(r"\w+://(?:[^/\s\"@]*@)?([^/\s\":]+)", text)) - ALLOWED


if __name__ == "__main__":
    lock = Path(sys.argv[1] if len(sys.argv) > 1 else "uv.lock")
    foreign = foreign_hosts(lock.read_text(encoding="utf-8"))
    if foreign:
        sys.exit(f"{lock} names foreign hosts: {', '.join(sorted(foreign))}; allowed: {', '.join(sorted(ALLOWED))}")
