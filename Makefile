# Everything starts here: `make run`, `make test`. A Python from 3.11 on and make are all that is needed before.

PORT ?= 8080
HOST ?= 127.0.0.1
DATA ?= $(or $(SLIPWAY_DATA),.slipway)
FLOWER_PORT ?= $(or $(SLIPWAY_FLOWER_PORT),5555)
WORKERS ?= 2# processes that run the tests

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

CLIENTS := tests/clients
NODE_STAMP := $(CLIENTS)/node_modules/.installed
NOMAD := $(VENV)/nomad
NOMAD_STAMP := $(NOMAD)/.installed

BENCH := tests/benchmarks/peers
PEERS_NODE_STAMP := $(BENCH)/node_modules/.installed
PEERS := $(VENV)/peers
PEERS_STAMP := $(PEERS)/.installed

.PHONY: run test check lint bench
.DEFAULT_GOAL := test

run: $(STAMP)
	@exec $(BIN)/slipway up --host "$(HOST)" --port "$(PORT)" --data-dir "$(DATA)" --flower-port "$(FLOWER_PORT)"

test: lint $(NODE_STAMP) $(NOMAD_STAMP)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# In two minutes: all but what starts real processes, and what takes seconds a row.
check: lint
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m 'not slow'

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(STAMP) $(PEERS_NODE_STAMP) $(PEERS_STAMP)
	$(BIN)/pytest tests/benchmarks -o python_files='bench_*.py' -s

# A folder without a working pip is begun anew; the stamp is written last, so an installation that broke off goes on.
$(STAMP): pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || ( \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	    if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	      echo "$$python -m venv $(VENV)"; exec "$$python" -m venv --clear $(VENV); \
	    fi; \
	  done; \
	  echo "Slipway needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv); none was found. PYTHON=/path/to/python names one." >&2; \
	  exit 1 )
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

# Two kinds of client libraries that the tests drive live outside the venv. A machine without Node or a Python from 3.12 on goes without:
# the tests that need them are skipped, and say why.
$(NODE_STAMP): $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@if node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' >/dev/null 2>&1 && command -v npm >/dev/null; then \
	  echo "npm ci in $(CLIENTS)"; cd $(CLIENTS) && npm ci --loglevel=error --no-progress && touch node_modules/.installed; \
	else echo "Node 20 or newer with npm was not found: the JavaScript clients are not tested" >&2; fi

$(NOMAD_STAMP): $(CLIENTS)/nomad/requirements.txt | $(STAMP)
	@if python=$$($(CLIENTS)/nomad/find-python); then \
	  echo "$$python -m venv $(NOMAD)"; "$$python" -m venv --clear $(NOMAD) \
	    && $(NOMAD)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $< && touch $@; \
	else echo "Python 3.12 or newer was not found: the Nomad client is not tested" >&2; fi

# What `make bench` measures beside ours. Without Node its row is left out.
$(PEERS_NODE_STAMP): $(BENCH)/package.json $(BENCH)/package-lock.json
	@if node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' >/dev/null 2>&1 && command -v npm >/dev/null; then \
	  echo "npm ci in $(BENCH)"; cd $(BENCH) && npm ci --loglevel=error --no-progress && touch node_modules/.installed; \
	else echo "Node 20 or newer with npm was not found: @tus/server is not measured" >&2; fi

$(PEERS_STAMP): $(BENCH)/requirements.txt | $(STAMP)
	$(BIN)/python -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $< && touch $@
