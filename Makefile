# `make load-small` shows what this is; `make test` proves it. Everything lands in .venv, .cache and results.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help

COLLECTION := collections/ansible_collections/warren/load
TESTS := $(COLLECTION)/tests
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
CACHE := $(CURDIR)/.cache

# The first Python >= 3.11 with venv on PATH, unless one is given. Asked for only when .venv is made.
PYTHON ?= $(shell scripts/find-python)

# Tests and runs use the tools of .venv alone, and no setting of the caller's own Ansible.
export PATH := $(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport ANSIBLE_CONFIG ANSIBLE_INVENTORY ANSIBLE_COLLECTIONS_PATH PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTEST := $(BIN)/python -m pytest

.PHONY: help
help:
	@echo "make load-small   set up what is missing, then load-test the embedded sandbox"
	@echo "make setup        only set up .venv"
	@echo "make test         all tests (one limit: 25 minutes on 2 cores); its parts:"
	@echo "                  lint  sanity  unit  contract  integration  molecule"
	@echo "make contract WARREN_BINARY=PATH   the contract suite against the real Warren program"
	@echo "make benchmark    the figures of tests/benchmark"
	@echo "make test-long    what takes too long for make test"
	@echo "make clean        remove everything that make made, but for results"

# ------------------------------------------------------------------------------------------------- set-up

RUN_READY := $(VENV)/.ready-run
TEST_READY := $(VENV)/.ready-test

$(VENV)/.made:
	@test -n "$(PYTHON)"
	@echo "==> making $(VENV) with $(PYTHON)"
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(RUN_READY): $(VENV)/.made $(COLLECTION)/requirements.txt
	@echo "==> installing $(COLLECTION)/requirements.txt into $(VENV)"
	@$(BIN)/python -m pip install --quiet -r $(COLLECTION)/requirements.txt
	@touch $@

# One pip call for both files, so that a fresh clone resolves once.
$(TEST_READY): $(VENV)/.made $(COLLECTION)/requirements.txt $(TESTS)/requirements.txt
	@echo "==> installing $(COLLECTION)/requirements.txt and $(TESTS)/requirements.txt into $(VENV)"
	@$(BIN)/python -m pip install --quiet -r $(COLLECTION)/requirements.txt -r $(TESTS)/requirements.txt
	@touch $(RUN_READY) $@

.PHONY: setup setup-test
setup: $(RUN_READY)
setup-test: $(TEST_READY)

# -------------------------------------------------------------------------------------------------- runs

.PHONY: load-small
load-small: $(RUN_READY)
	@echo "==> ansible-playbook playbooks/load-small.yml $(ARGS)"
	@$(BIN)/ansible-playbook playbooks/load-small.yml $(ARGS)
