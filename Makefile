# What a newcomer, a developer and CI run. `make` alone lists it.

VENV ?= .venv
PYTHON ?= python3
ARGS ?=
JOBS ?= 3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint deploy/constraints.txt
MADE_FROM := pyproject.toml deploy/constraints.txt .ci/venv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Start
run: $(VENV)/.run ## Start the service on http://127.0.0.1:8080, offline and without a key; Ctrl-C stops it
	@$(BIN)/gencode serve

demo: $(VENV)/.run ## Run the whole job once: prompt, files, repository, push
	@$(BIN)/gencode demo

##@ Test
# Each process would rewrite the assertions of all tests anew where nothing compiled may be kept.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.test ## Run the tests (one part: make test ARGS="-k stream")
	$(BIN)/python -m pytest -rs --numprocesses $(JOBS) --dist worksteal $(ARGS)

check: lint test ## Everything that CI checks

lint: $(VENV)/.check ## Style, types, the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

faults: $(VENV)/.test ## Inject every fault of docs/faults.md; print a row for each
	$(BIN)/python -m pytest -m fault --fault-table $(ARGS)

##@ Measure
BENCHMARKS := $(filter-out __init__,$(basename $(notdir $(wildcard tests/benchmarks/*.py))))
bench: $(VENV)/.bench ## Run the benchmarks (one of them: make bench BENCHMARKS=accepts)
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m tests.benchmarks.$$name $(ARGS); done

kill-campaign: $(VENV)/.test ## Kill the service at random, again and again (KILLS=, TASKS=)
	$(BIN)/python -m tests.campaigns.kill $(if $(KILLS),--kills $(KILLS)) $(if $(TASKS),--tasks $(TASKS)) $(ARGS)

reconnect-campaign: $(VENV)/.test ## Cut streams at random and resume them (CUTS=, TASKS=)
	$(BIN)/python -m tests.campaigns.reconnect $(if $(CUTS),--cuts $(CUTS)) $(if $(TASKS),--tasks $(TASKS)) $(ARGS)

soak: $(VENV)/.test ## Work on a service for a long time and watch its memory (ARGS=--help)
	$(BIN)/python -m tests.campaigns.soak $(ARGS)

##@ Maintain
format: $(VENV)/.check ## Let ruff format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

documents: $(VENV)/.test ## Write .env.example and docs/configuration.md anew from the settings
	$(BIN)/python -m tests.unit.test_env_example

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--no-emit-index-url --custom-compile-command 'make lock'
lock: $(VENV)/.release ## Lock versions and hashes anew (newer ones: make lock ARGS=--upgrade)
	$(LOCK) $(ARGS) --generate-hashes --output-file deploy/requirements.lock pyproject.toml
	echo hatchling | $(LOCK) $(ARGS) --generate-hashes --output-file deploy/build.lock -
	$(LOCK) $(ARGS) --extra check --extra bench --output-file deploy/constraints.txt pyproject.toml

audit: $(VENV)/.release ## Ask the advisory service about every locked version (needs the network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement deploy/requirements.lock
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement deploy/build.lock

system: ## Install what the tests of projects, pages and proxies use (Debian, Ubuntu; as root)
	apt-get update
	apt-get install --yes --no-install-recommends git python3-venv nodejs npm golang-go gcc libc6-dev chromium \
		nginx-light caddy curl openssl

clean: ## Remove the virtual environment and everything that tools left
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .import_linter_cache
	find gencode tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Each stamp is newer than what it was made from, so that the second run starts at once.
$(BIN)/python: .ci/venv
	@PYTHON=$(PYTHON) sh .ci/venv $(VENV)
	@touch -c $@

$(VENV)/.run: $(MADE_FROM) | $(BIN)/python
	@echo "installing gencode into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(MADE_FROM) | $(BIN)/python
	@echo "installing gencode and its tests into $(VENV)"
	@$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.check: $(MADE_FROM) | $(BIN)/python
	@echo "installing gencode, its tests and checks into $(VENV)"
	@$(PIP) --editable '.[check]'
	@touch $@ $(VENV)/.test $(VENV)/.run

$(VENV)/.bench: $(MADE_FROM) | $(BIN)/python
	@echo "installing gencode, its tests and what it is measured against into $(VENV)"
	@$(PIP) --editable '.[bench]'
	@touch $@ $(VENV)/.test $(VENV)/.run

$(VENV)/.release: $(MADE_FROM) | $(BIN)/python
	@$(PIP) --editable '.[release]'
	@touch $@

.PHONY: run demo test check lint faults bench kill-campaign reconnect-campaign soak format documents lock audit \
	system clean help
