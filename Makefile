# make race: from nothing to a finished race; make test: from nothing to a tested checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements/lock.txt

.PHONY: race test lint types layers check bench clean

race: $(VENV)/.race
	$(BIN)/descend race digits

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 -m "not slow"
	$(BIN)/python -m pytest -m slow tests

lint: $(VENV)/.lint
	$(BIN)/ruff check src tests benchmarks conformance docs
	$(BIN)/ruff format --check src tests benchmarks conformance docs

types: $(VENV)/.lint
	$(BIN)/mypy

layers: $(VENV)/.lint
	$(BIN)/lint-imports

check: test lint types layers

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("descend needs Python 3.11 or newer; got " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.race: $(VENV)/.python pyproject.toml requirements/lock.txt
	$(INSTALL) --editable .
	touch $@

$(VENV)/.test: $(VENV)/.race
	$(INSTALL) --editable '.[test]'
	touch $@

$(VENV)/.lint: $(VENV)/.race
	$(INSTALL) --editable '.[lint]'
	touch $@

clean:
	rm -rf $(VENV) build dist
