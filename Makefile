# duban: every chore of the house. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The environments: one to work in, one that holds only what duban needs to run.
VENV ?= .venv
DEMO_VENV ?= .venv-demo
WORKERS ?= 2
DEMO_OPTIONS ?=

BIN := $(VENV)/bin
PY := $(BIN)/python
ROOMS := board config duban jobs ledger mailroom scheduler templates
# bench/ may be empty; a path that is not there is a mistake to ruff.
CODE := $(ROOMS) tests $(wildcard bench)

# The first Python of at least 3.11 that can make environments (Debian splits that off).
FIND_PYTHON := for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	if "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then command -v "$$p"; exit; fi; done
PYTHON ?= $(shell $(FIND_PYTHON))
NEED_PYTHON = @test -n "$(PYTHON)" || { echo 'duban needs Python 3.11 or newer with its venv module' \
	'(on Debian: apt-get install python3 python3-venv).' >&2; exit 1; }

# pip: no questions, no other index than the machine's own, and nothing that the lock does not name.
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --no-input
LOCKED = $(PIP_INSTALL) --require-hashes --requirement
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-options --annotation-style=line

.PHONY: help
help: ## list the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.PHONY: test
test: check unit postgresql years installed ## everything: lint, types, rooms, tests, years, the installed wheel's tests

.PHONY: check
check: lint types rooms ## lint, types and the rules of the rooms

# What judges whether people with bad eyes or without a mouse can use the pages: a file for the browser.
AXE := $(VENV)/axe/node_modules/axe-core/axe.min.js
$(AXE): | $(VENV)/.ready
	@if command -v npm >/dev/null; then npm install --prefix $(VENV)/axe --no-save --ignore-scripts \
		--no-audit --no-fund --silent axe-core@4.14.1; fi

# A worker keeps to its half, for whose servers and browsers start once; then it takes from the other's.
SHARED := --numprocesses=$(WORKERS) --dist=worksteal

# Whole years: to measure their coverage would double their time, and other tests reach all that they do.
WHOLE_YEARS := tests/checker/test_quanzhou.py tests/scheduler/test_quanzhou_year.py tests/postgres/test_years.py \
	tests/years

.PHONY: lint types rooms unit postgresql installed
lint: $(VENV)/.ready
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: $(VENV)/.ready
	$(BIN)/mypy

rooms: $(VENV)/.ready
	$(BIN)/lint-imports

unit: $(VENV)/.ready $(AXE) ## the tests, with their coverage; the years have a run of their own
	$(PY) -m pytest $(SHARED) --ignore=tests/install $(WHOLE_YEARS:%=--ignore=%) \
		--cov --cov-report=
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --include='duban/*' --fail-under=100

# What asks for a ledger there gets one of PostgreSQL; the tests of the jobs and of the ledger do so anyway.
postgresql: $(VENV)/.ready ## the tests of the pages and the mailbox again, on PostgreSQL
	LEDGER=postgresql $(PY) -m pytest $(SHARED) --ignore-glob='*browser*' \
		--ignore=tests/board/test_accessible.py tests/board tests/inbox

# A wheel made of a clean tree: what setuptools left in build/ would be packed again.
installed: $(VENV)/.ready ## build the wheel, install it as a user would, and test that
	rm -rf build dist
	$(PY) -m build --wheel --no-isolation --outdir dist . >/dev/null
	TEST_WHEEL="$$(realpath dist/*.whl)" $(PY) -m pytest tests/install

# Years of a small plan under random faults, where each failure names its seed; and the other whole years.
COUNT ?= 500
FIRST ?= 1
.PHONY: years year
years: $(VENV)/.ready ## whole years: simulated ones under random faults (COUNT=500, from seed FIRST=1), the real plan's
	YEARS=$(COUNT) FIRST_YEAR=$(FIRST) $(PY) -m pytest $(SHARED) $(WHOLE_YEARS)

year: $(VENV)/.ready ## one of them again: SEED=7
	$(PY) -m tests.years $(SEED)

# Daemons killed in mid-letter and logs cut at random, for as long as is wanted.
ROUNDS ?= 100
.PHONY: faults
faults: $(VENV)/.ready ## more kills and power cuts than in the tests (ROUNDS=100)
	KILLS=$(ROUNDS) CUTS=$(ROUNDS) $(PY) -m pytest --quiet tests/faults/test_kill.py tests/faults/test_power_cut.py

.PHONY: format
format: $(VENV)/.ready ## write the code the way `make lint` wants it
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

.PHONY: schema
schema: $(VENV)/.ready ## write the JSON Schema of the plan's files anew
	$(PY) -m config.schema

.PHONY: demo
demo: $(DEMO_VENV)/.ready ## watch the Quanzhou year happen: no set-up, no server
	@$(DEMO_VENV)/bin/duban demo $(DEMO_OPTIONS)

# Without the machine's own pip settings: a lock made here must hold on any machine. Every published file of
# a release has its hash, so that it installs on every platform.
.PHONY: lock
lock: export PIP_CONFIG_FILE := /dev/null
lock: export PIP_FIND_LINKS :=
lock: export PIP_EXTRA_INDEX_URL :=
lock: $(VENV)/.ready ## pin all dependencies anew (UPGRADE=1: at their newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file=requirements.lock pyproject.toml
	$(PY) -c 'import tomllib; dev = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"]; \
		print(*dev, sep="\n")' \
	| $(COMPILE) $(if $(UPGRADE),--upgrade) --constraint=requirements.lock \
		--output-file=requirements-dev.lock pyproject.toml -
	sed -i.old -E 's/-c requirements.lock, //; s/-r -(,|$$)/dev\1/' requirements-dev.lock
	rm requirements-dev.lock.old

.PHONY: clean
clean: ## remove environments, builds and what the checks left behind
	rm -rf $(VENV) $(DEMO_VENV) build dist *.egg-info htmlcov .coverage .coverage.* .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(ROOMS) tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	$(PY) $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.locked: requirements-dev.lock
	$(NEED_PYTHON)
	@echo 'Installing the tools and dependencies into $(VENV) …'
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV)
	$(PY) $(LOCKED) requirements-dev.lock
	@touch $@

$(DEMO_VENV)/.ready: requirements.lock pyproject.toml
	$(NEED_PYTHON)
	@echo 'Installing duban into $(DEMO_VENV), once; this takes about half a minute …'
	@test -x $(DEMO_VENV)/bin/python || "$(PYTHON)" -m venv $(DEMO_VENV)
	@$(DEMO_VENV)/bin/python $(LOCKED) requirements.lock
	@$(DEMO_VENV)/bin/python $(PIP_INSTALL) --no-deps --editable .
	@touch $@
