# `make load-small` shows what this is; `make test` proves it. Everything lands in .venv, .cache and results.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help

COLLECTION := collections/ansible_collections/warren/load
TESTS := $(COLLECTION)/tests
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin

# Which Python makes .venv: the one given, else the first on PATH that will do (scripts/find-python).
PYTHON ?=

# Runs and tests use the tools of .venv, and no Python or Ansible of the caller's own.
CALLERS_PATH := $(PATH)
export PATH := $(BIN):$(PATH)
unexport ANSIBLE_CONFIG ANSIBLE_INVENTORY ANSIBLE_COLLECTIONS_PATH PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

STAGES := $(BIN)/python scripts/stages.py

.PHONY: help
help:
	@echo "make load-small   set up what is missing, then load-test the embedded sandbox"
	@echo "make load-medium  load-large, load-massive: the same with more; make load-custom ARGS='-e services=500 -e replicas=5'"
	@echo "make setup        only set up .venv"
	@echo "make test         all tests (about 50 minutes on 2 cores); its parts:"
	@echo "                  lint  sanity  unit  contract  integration  survival  molecule"
	@echo "make contract WARREN_BINARY=PATH   the contract suite against the real Warren program"
	@echo "make benchmark    the figures of tests/benchmark"
	@echo "make test-long    what takes too long for make test"
	@echo "make clean        remove everything that make made, but for results"

# ------------------------------------------------------------------------------------------------- set-up

RUN_READY := $(VENV)/.ready-run
TEST_READY := $(VENV)/.ready-test

# .made holds the folder it was made in: a virtual environment does not survive a move.
ifneq ($(shell cat $(VENV)/.made 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.made
endif
$(VENV)/.made:
	@rm -rf $(VENV)
	@python="$(PYTHON)"; [ -n "$$python" ] || python=$$(PATH='$(CALLERS_PATH)' scripts/find-python); \
	echo "==> making $(VENV) with $$python"; \
	"$$python" -m venv $(VENV)
	@echo "$(CURDIR)" >$@

$(RUN_READY): $(VENV)/.made $(COLLECTION)/requirements.txt
	@echo "==> installing $(COLLECTION)/requirements.txt into $(VENV)"
	@$(BIN)/python -m pip install --quiet -r $(COLLECTION)/requirements.txt
	@touch $@

# One pip call for all files, so that a fresh clone resolves once.
REQUIREMENTS := $(COLLECTION)/requirements.txt $(TESTS)/requirements.txt $(TESTS)/lint-requirements.txt
$(TEST_READY): $(VENV)/.made $(REQUIREMENTS)
	@echo "==> installing $(REQUIREMENTS) into $(VENV)"
	@$(BIN)/python -m pip install --quiet $(addprefix -r ,$(REQUIREMENTS))
	@touch $(RUN_READY) $@

.PHONY: setup setup-test
setup: $(RUN_READY)
setup-test: $(TEST_READY)

# -------------------------------------------------------------------------------------------------- runs

# ARGS goes to ansible-playbook: make load-small ARGS='-e services=10'
LOADS := load-small load-medium load-large load-massive load-custom
.PHONY: $(LOADS)
$(LOADS): $(RUN_READY)
	@echo "==> ansible-playbook playbooks/$@.yml $(ARGS)"
	@$(BIN)/ansible-playbook playbooks/$@.yml $(ARGS)

# ------------------------------------------------------------------------------------------------- tests

.PHONY: test lint sanity unit integration survival molecule
test: $(TEST_READY)
	@$(STAGES) all

lint sanity unit integration survival molecule: $(TEST_READY)
	@$(STAGES) $@

# With WARREN_BINARY=PATH the suite runs against the real program too.
.PHONY: contract
contract: $(TEST_READY)
	@$(STAGES) contract

# The same on a newer Python and ansible-core, where one is at hand.
.PHONY: test-second-leg
test-second-leg: $(TEST_READY)
	@$(STAGES) second-leg

# What takes too long for `make test`.
.PHONY: test-long benchmark
test-long: $(TEST_READY)
	@$(STAGES) long second-leg

benchmark: $(TEST_READY)
	@$(STAGES) benchmark

.PHONY: format
format: $(TEST_READY)
	@$(BIN)/ruff check --fix && $(BIN)/ruff format && $(BIN)/python scripts/readme.py

.PHONY: clean
clean:
	rm -rf .venv .cache .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage $(TESTS)/output
