# Each target does its own set-up, once, in .venv. Only python3 (with venv and pip) and make are needed.

PYTHON ?= python3
BIN := .venv/bin

TOOLS := .venv-tools/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# Only files whose hashes stand in requirements/ are installed; `make lock` renews them.
LOCKED := $(PIP_INSTALL) --require-hashes
# A machine may trust more authorities than uv brings along; pip finds those by itself.
export UV_SYSTEM_CERTS := 1

.PHONY: demo quick test smoke lint types catalog check interop hosts lock bundle dist release bench soak clean

demo: .venv/.runtime
	$(BIN)/openai-admin-mcp demo

# Most tests wait for a process of their own, so twice as many at once as there are cores take half the time.
test: .venv/.dev
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal

# What must work on every platform: the few tests that CI runs where it does not run them all.
smoke: .venv/.dev
	$(BIN)/python -m pytest tests/smoke

# Leaves out every test that starts a process, and tries an eighth of the generated examples.
quick: .venv/.dev
	$(BIN)/python -m pytest --no-processes --hypothesis-profile quick --numprocesses 2 --dist worksteal

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/.dev
	$(BIN)/mypy

# Writes what clients see (tools.json, jobs.json, front.json) from the classes, the pages made of it and of the settings, and
# the policy to start from where people look for it.
catalog: .venv/.runtime
	$(BIN)/python -m admin_mcp.catalog.compile
	$(BIN)/python -m admin_mcp.jobs.compile
	$(BIN)/python -m admin_mcp.server.compile_front
	$(BIN)/openai-admin-mcp tools --markdown > docs/tools.md
	cp admin_mcp/gate/policy.toml config/policy.toml
	$(BIN)/python scripts/write_configuration.py > docs/configuration.md

check: lint types test

# Clients that other people wrote, from PyPI and npm, against the server over stdio. Needs npm; Node 22 comes from there.
interop: .venv/.dev .venv-tools/.done tests/interop/.done scripts/mcpb/.done
	$(BIN)/python -m pytest tests/interop

tests/interop/.done: tests/interop/package.json tests/interop/requirements-frameworks.txt tests/interop/requirements-fastmcp.txt
	cd tests/interop && npm install --silent --no-package-lock --no-audit --no-fund
	for name in frameworks fastmcp; do \
		$(PYTHON) -m venv tests/interop/.venv-$$name && \
		tests/interop/.venv-$$name/bin/python $(PIP_INSTALL) -r tests/interop/requirements-$$name.txt || exit 1; done
	touch $@

# The server inside real hosts from npm, whose models are stand-ins on loopback. Needs npm and, for what is on a screen, tmux.
hosts: .venv/.dev tests/hosts/.done
	$(BIN)/python -m pytest tests/hosts --numprocesses 2 --dist worksteal

tests/hosts/.done: tests/hosts/package.json
	cd tests/hosts && npm install --silent --no-package-lock --no-audit --no-fund
	touch $@

# Newer releases of everything that pyproject.toml allows, for every platform and Python; and newer tools of our own.
COMPILE = $(TOOLS)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
lock: .venv-tools/.done
	$(COMPILE) --extra dev --extra socks pyproject.toml requirements/build.in --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/runtime.txt
	$(COMPILE) requirements/build.in --constraint requirements/dev.txt --output-file requirements/build.txt
	$(COMPILE) requirements/tools.in --constraint requirements/dev.txt --output-file requirements/tools.txt
	cd scripts/mcpb && npm update --silent --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

.venv-tools/.done: requirements/tools.txt
	$(PYTHON) -m venv .venv-tools
	$(TOOLS)/python $(LOCKED) --requirement requirements/tools.txt
	touch $@

# A file that a host installs by itself. Needs npm, for the format's official tool, which also checks the manifest.
bundle: export PATH := $(CURDIR)/scripts/mcpb/node_modules/.bin:$(PATH)
bundle: .venv/.runtime .venv-tools/.done scripts/mcpb/.done
	$(BIN)/python scripts/build_bundle.py build/bundle $(TOOLS)/uv
	mcpb validate build/bundle/manifest.json
	mcpb pack build/bundle build/openai-admin-mcp.mcpb > /dev/null
	@echo build/openai-admin-mcp.mcpb

scripts/mcpb/.done: scripts/mcpb/package-lock.json
	cd scripts/mcpb && npm ci --silent --no-audit --no-fund
	touch $@

# All that a release consists of, in dist/: source distribution, the wheel made from it, bundle, bill of materials, sums.
# With REPOSITORY=https://github.com/OWNER/NAME also server.json, which tells the MCP registry of the bundle there.
dist: bundle
	rm -rf dist
	$(TOOLS)/python -m build --no-isolation --outdir dist
	cp build/openai-admin-mcp.mcpb dist/openai-admin-mcp-$$($(BIN)/python scripts/release.py version).mcpb
	$(TOOLS)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file dist/openai-admin-mcp-$$($(BIN)/python scripts/release.py version).cdx.json requirements/runtime.txt
	$(if $(REPOSITORY),$(BIN)/python scripts/release.py registry dist '$(REPOSITORY)')
	$(BIN)/python scripts/release.py sums dist

# The same, of a commit that is ready: see CONTRIBUTING.md.
release: .venv/.runtime
	$(BIN)/python scripts/release.py check
	$(MAKE) dist

# How well the search finds; then this server beside a bare SDK server and FastMCP, which gets an environment of its
# own; then what reports take of a large organization. Linux only.
bench: .venv/.dev benchmarks/.venv/.done
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/run.py benchmarks/.venv/bin/python
	$(BIN)/python benchmarks/installed.py
	$(BIN)/python benchmarks/answers.py

benchmarks/.venv/.done:
	$(PYTHON) -m venv benchmarks/.venv
	benchmarks/.venv/bin/python $(PIP_INSTALL) 'fastmcp==4.1.2'
	touch $@

# The long form of the soak test: 20,000 calls and more in one process.
soak: .venv/.dev
	SOAK_CALLS=20000 $(BIN)/python -m pytest tests/test_soak.py
	MANY_SERVERS=20 $(BIN)/python -m pytest tests/test_many_servers.py

clean:
	rm -rf .venv .venv-tools benchmarks/.venv build dist scripts/mcpb/node_modules scripts/mcpb/.done \
		tests/interop/node_modules tests/interop/.venv-* tests/interop/.done tests/hosts/node_modules tests/hosts/.done

.venv/bin/python:
	$(PYTHON) -m venv .venv

# The project itself is made with what is in .venv already, so that nothing comes in beside the lock.
.venv/.runtime: .venv/bin/python pyproject.toml requirements/runtime.txt requirements/build.txt
	$(BIN)/python $(LOCKED) --requirement requirements/runtime.txt --requirement requirements/build.txt
	$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

.venv/.dev: .venv/.runtime requirements/dev.txt
	$(BIN)/python $(LOCKED) --requirement requirements/dev.txt
	touch $@
