# Everything starts from a bare python3 (>= 3.11): the environment is made under .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The repository's own virtual environment is the one to use, whatever is active outside.
unexport VIRTUAL_ENV
export UV_PROJECT_ENVIRONMENT := $(VENV)
RUN := $(BIN)/uv run --frozen --no-progress

.PHONY: demo test lint clients bench soak bundle clean

demo: $(READY) ## the main job on this repository, through a real stdio client
	$(RUN) penstock demo .

test: $(READY) lint ## lint, strict types, and every test that needs nothing but Python
	$(RUN) pytest -q -n 2 -m "not soak and not clients"

lint: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) basedpyright

clients: $(READY) ## real assistants, the MCP inspector and the conformance suite; needs npm
	cd tests/clients && npm install --no-audit --no-fund --loglevel=error
	$(RUN) pytest -q -m clients tests/clients

bench: $(READY) ## JSON lines, each ratio measured against its reference in the same run
	$(RUN) python -m tests.benchmarks

soak: $(READY) ## long runs; writes tests/soak/RESULTS.md
	$(RUN) python -m tests.soak

bundle: $(READY) ## the .mcpb bundle and the registry's server.json, under dist/
	$(RUN) python -m penstock.server.bundle

$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Penstock needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv sync --frozen --quiet --inexact
	@touch $@

clean:
	rm -rf $(VENV) build dist cache/index/*.so *.egg-info .pytest_cache .ruff_cache .hypothesis tests/clients/node_modules
