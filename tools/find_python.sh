#!/usr/bin/env bash
# Prints a Python of version 3.12 or newer that can make virtual environments; says what to do when there is none.
# Every candidate is run, because a pyenv shim on PATH may name a version that is not selected.
set -u
suits() { "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

if [ -n "${1:-}" ]; then
  if suits "$1"; then echo "$1"; exit 0; fi
  echo "PYTHON=$1 does not run, is older than 3.12, or lacks venv and ensurepip." >&2
  exit 1
fi
for candidate in python3.12 python3.13 python3.14 python3 python \
  "$HOME"/.pyenv/versions/3.12*/bin/python "$HOME"/.pyenv/versions/3.1[3-9]*/bin/python; do
  if suits "$candidate"; then command -v "$candidate"; exit 0; fi
done
echo "No Python of version 3.12 or newer was found on PATH or under ~/.pyenv/versions." >&2
echo "Install one (for example 'apt install python3.12 python3.12-venv' or 'pyenv install 3.12')," >&2
echo "or name one: make PYTHON=/path/to/python3.12 install" >&2
exit 1
