# The menu. `make` prints it; every target does all the set-up it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Compile each module once, whatever the machine says: the tests alone start some 200 processes.
export PYTHONDONTWRITEBYTECODE :=

export PYTHON ?=
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# What these targets need beside Python: looked for together, so that one line names all that is missing.
NEEDS  := $(if $(filter run test bench,$(MAKECMDGOALS)),Java Maven) $(if $(filter test,$(MAKECMDGOALS)),Chromium)
MEMBERS := libs/common libs/simulator libs/cli services/ingest services/router services/sender services/analytics

.PHONY: help
help: ## print this menu
	@[ -t 1 ] && [ -z "$$NO_COLOR" ] && bold='\033[1m' cyan='\033[36m' plain='\033[0m'; \
	awk -v b="$$bold" -v c="$$cyan" -v p="$$plain" 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s%s%s\n", b, substr($$0, 5), p} \
	  /^[a-z-]+:.*## / {printf "  %smake %-10s%s %s\n", c, $$1, p, $$2}' $(MAKEFILE_LIST); echo

##@ Use it

.PHONY: run
run: $(READY) ## start everything with simulated traffic (LIVE=business.yaml: the real platform); Ctrl-C stops it
	@exec $(BIN)/garbo up $(if $(LIVE),--live "$(LIVE)")

.PHONY: stop
stop: ## stop what `make run` started from this clone
	@if [ -x $(BIN)/garbo ]; then $(BIN)/garbo stop; else echo "nothing runs from this clone"; fi

##@ Change it

.PHONY: setup
setup: $(READY) ## the virtual environment, from requirements.lock

.PHONY: format
format: $(READY) ## let ruff format and mend
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# `make check test` leaves the unit tests to `test`, which runs every test there is: each once.
.PHONY: check
check: $(READY) ## format, lint, types, import rules, architecture, unit tests: fast
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(filter test,$(MAKECMDGOALS)),,$(BIN)/pytest -q -n auto -m "not integration and not e2e and not browser")

.PHONY: test
test: $(READY) ## everything, on real Kafka and PostgreSQL
	$(BIN)/pytest -n auto

.PHONY: fresh
fresh: $(READY) ## from nothing to live traffic, in bare containers (Docker; some minutes)
	@$(BIN)/python -m tests.fresh

.PHONY: bench
bench: $(READY) ## figures, each beside a bare reference of the same minute
	@$(BIN)/python -m benchmarks

.PHONY: generate
generate: $(READY) ## write contracts, docs/events.md, docs/asyncapi.yaml and docs/openapi-*.yaml anew
	@$(BIN)/python -m garbo.common.contracts
	@$(BIN)/python -m garbo.common.contracts.openapi garbo.ingest.inbound.api docs/openapi-ingest.yaml
	@$(BIN)/python -m garbo.common.contracts.openapi garbo.router.inbound.http.api docs/openapi-router.yaml
	@$(BIN)/python -m garbo.common.contracts.openapi garbo.sender.inbound.http docs/openapi-sender.yaml
	@$(BIN)/python -m garbo.common.contracts.openapi garbo.analytics.inbound.http.app docs/openapi-analytics.yaml

.PHONY: lock
lock: $(READY) ## resolve requirements.lock (all) and requirements-run.lock (the container's) anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra otlp --extra local --group dev pyproject.toml $(MEMBERS:%=%/pyproject.toml) \
	  $(foreach m,$(MEMBERS),--no-emit-package garbo-$(notdir $(m))) -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --extra otlp --constraint requirements.lock $(MEMBERS:%=%/pyproject.toml) \
	  $(foreach m,$(MEMBERS),--no-emit-package garbo-$(notdir $(m))) -o requirements-run.lock

##@ Clean up

.PHONY: clean
clean: ## remove the virtual environment, data and caches
	@if [ -x $(BIN)/garbo ]; then $(BIN)/garbo stop || true; fi
	rm -rf $(VENV) .garbo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Looked at each time (0.1 s): it may have been broken off, moved, or have lost its Python.
.PHONY: $(READY)
$(READY):
	@sh deploy/local/setup.sh $(NEEDS)
