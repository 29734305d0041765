# Two commands matter: `make demo` and `make test`. Everything they need is installed into .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test lint unit lock docs bench bench-quick

# Any Python 3.11: the one that is called so, else python3 (the setup checks the version).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DBT := DO_NOT_TRACK=1 $(BIN)/dbt
DBT_FLAGS := --project-dir dbt_project --profiles-dir dbt_project --quiet

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv from the lock (done by the others when needed)
	@$(PYTHON) scripts/setup.py

demo: setup ## a simulated provider: 90 days and three nights through Airflow, gates, dbt and marts
	@$(BIN)/python -m demo.run

up: setup ## start warehouse and Airflow and leave them running
	@$(BIN)/python -m service_quality.local up

down: ## stop what `make up` started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m service_quality.local down; fi

status: ## what runs, and where
	@$(BIN)/python -m service_quality.local status

test: lint unit ## everything that is checked before a change goes in

lint: setup ## ruff, mypy, sqlfluff, dbt parse
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models
	$(DBT) parse $(DBT_FLAGS)

unit: setup ## unit and integration tests
	$(BIN)/pytest

lock: setup ## recompile requirements.txt from pyproject.toml
	$(BIN)/uv pip compile --quiet --python-version 3.11 --extra dev --no-header --no-annotate pyproject.toml -o requirements.txt

bench: setup ## measure everything against its floor or peer; writes docs/performance.md
	@$(BIN)/python -m benchmarks

bench-quick: setup ## the same on small data
	@$(BIN)/python -m benchmarks --quick

docs: setup ## write the dbt documentation to docs/site
	$(BIN)/python -m service_quality.local docs
