# Needs python3 (3.11 or later) and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Twice the cores, because most tests wait for something most of the time.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: help demo test test-slow lint check format lock clean
.DEFAULT_GOAL := help

help:  ## Show what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fumehood needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## Play the demo study: real code on real data, no keys. STUDY=name chooses another.
	$(BIN)/fumehood demo $(if $(STUDY),--study $(STUDY))

test: $(READY)  ## Run the tests that are quick: about three minutes on two cores.
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-slow: $(READY)  ## Run the others, which play whole programs: engines, terminals, Modal's double.
	$(BIN)/python -m pytest -n $(WORKERS) -m slow

lint: $(READY)  ## What can be found by reading: lint, format, types, layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test test-slow  ## Everything that must hold.

format: $(READY)  ## Mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)  ## Choose versions anew within pyproject.toml's bounds.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --group dev --group build --upgrade --output-file requirements.lock pyproject.toml

clean:  ## Remove what make made; runs are kept.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
