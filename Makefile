# Each target does its own set-up, once, in .venv. Only python3 (with venv and pip) and make are needed.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types catalog check clean

demo: .venv/.runtime
	$(BIN)/openai-admin-mcp demo

test: .venv/.dev
	$(BIN)/python -m pytest

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.dev
	$(BIN)/mypy

# Writes what clients see (admin_mcp/tools.json) and its page (docs/tools.md) from the catalog classes.
catalog: .venv/.runtime
	$(BIN)/python -m admin_mcp.compile
	$(BIN)/openai-admin-mcp tools --markdown > docs/tools.md

check: lint types test

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/.dev: .venv/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
