# Two commands matter: `make demo` and `make test`. Both install what they need into .venv first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test test-long bench evidence pins lint clean

help:
	@echo "make demo       simulate a tariff cut and a commission cap, write a report to results/demo"
	@echo "make test       all fast tests"
	@echo "make test-long  statistical, kill and coverage suites"
	@echo "make bench      speed and memory, against the same rules in plain Mesa"
	@echo "make evidence   the tables of bands, levers and shocks in docs/"
	@echo "make pins       pin results anew after a change that is meant to move them"
	@echo "make lint       style, types, import order, lock file"
	@echo "make install    only install into .venv (PYTHON=/path/to/python3.12 picks the Python)"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml uv.lock tools/find_python.sh
	@python="$$(tools/find_python.sh "$(PYTHON)")" || exit 1; \
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || \
	  { echo "making $(VENV) with $$python"; "$$python" -m venv --clear $(VENV) || exit 1; }; \
	$(BIN)/python -m pip install --quiet "uv>=0.13" && \
	$(BIN)/uv sync --locked --inexact --quiet --python $(BIN)/python
	@touch $@

demo: install
	$(BIN)/livecommerce demo --out results/demo

test: install
	$(BIN)/python -m pytest -n auto --dist loadfile

test-long: install
	$(BIN)/python -m pytest -n auto --dist loadfile -m long

bench: install
	$(BIN)/python -m benchmarks --write

evidence: install
	$(BIN)/python -m analysis.evidence --write

pins: install
	$(BIN)/python -m tests.baseline.pinned --renew

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_lock.py uv.lock
	$(BIN)/uv lock --check --quiet

clean:
	rm -rf results .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
