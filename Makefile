# Each target does its own set-up, once, in .venv. Only python3 (with venv and pip) and make are needed.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo quick test lint types catalog check interop bundle bench soak clean

demo: .venv/.runtime
	$(BIN)/openai-admin-mcp demo

# Most tests wait for a process of their own, so twice as many at once as there are cores take half the time.
test: .venv/.dev
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal

# Leaves out every test that starts a process, and tries an eighth of the generated examples.
quick: .venv/.dev
	$(BIN)/python -m pytest --no-processes --hypothesis-profile quick --numprocesses 2 --dist worksteal

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.dev
	$(BIN)/mypy

# Writes what clients see (admin_mcp/tools.json) from the catalog classes, the pages made of it and of the settings, and
# the policy to start from where people look for it.
catalog: .venv/.runtime
	$(BIN)/python -m admin_mcp.compile
	$(BIN)/openai-admin-mcp tools --markdown > docs/tools.md
	cp admin_mcp/gate/policy.toml config/policy.toml
	$(BIN)/python scripts/write_configuration.py > docs/configuration.md

check: lint types test

# Clients that other people wrote, from PyPI and npm, against the server over stdio. Needs npm; Node 22 comes from there.
interop: .venv/.dev tests/interop/.done
	$(BIN)/python -m pytest tests/interop

tests/interop/.done: tests/interop/package.json tests/interop/requirements-frameworks.txt tests/interop/requirements-fastmcp.txt
	cd tests/interop && npm install --silent --no-package-lock --no-audit --no-fund
	for name in frameworks fastmcp; do \
		$(PYTHON) -m venv tests/interop/.venv-$$name && \
		tests/interop/.venv-$$name/bin/python -m pip install --quiet --disable-pip-version-check \
			-r tests/interop/requirements-$$name.txt || exit 1; done
	touch $@

# A file that a host installs by itself. Needs npm, for the format's official tool, which also checks the manifest.
bundle: export PATH := $(CURDIR)/tests/interop/node_modules/.bin:$(PATH)
bundle: .venv/.runtime tests/interop/.done
	$(BIN)/python scripts/build_bundle.py build/bundle
	mcpb validate build/bundle/manifest.json
	mcpb pack build/bundle build/openai-admin-mcp.mcpb > /dev/null
	@echo build/openai-admin-mcp.mcpb

# Measures this server beside a bare SDK server and FastMCP, which gets an environment of its own. Linux only.
bench: .venv/.dev benchmarks/.venv/.done
	$(BIN)/python benchmarks/run.py benchmarks/.venv/bin/python

benchmarks/.venv/.done:
	$(PYTHON) -m venv benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check 'fastmcp==4.1.2'
	touch $@

# The long form of the soak test: 20,000 calls and more in one process.
soak: .venv/.dev
	SOAK_CALLS=20000 $(BIN)/python -m pytest tests/test_soak.py
	MANY_SERVERS=20 $(BIN)/python -m pytest tests/test_many_servers.py

clean:
	rm -rf .venv benchmarks/.venv build tests/interop/node_modules tests/interop/.venv-* tests/interop/.done

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.runtime: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/.dev: .venv/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
