# make demo        see it work, in half a minute; needs no root and no init system
# make test        lint, types, layers and every test that ends in minutes (what CI runs)
# make acceptance  what takes longer: long fuzzing, many kills, the benchmarks
# make format      lay out the code as `make test` wants it
# make clean       removes .venv, which the others make

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint types layers pytest acceptance bench format clean

demo: $(VENV)/agent
	@$(BIN)/python packaging/demo/demo.py

test: lint types layers pytest
	@echo "make test: lint, types, layers and tests are all in order"

lint: $(VENV)/dev
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/dev
	@echo "== types, for Python 3.11 and 3.10"
	@$(BIN)/mypy
	@$(BIN)/mypy --python-version 3.10
	@MYPYPATH=packaging/demo $(BIN)/mypy packaging/demo

layers: $(VENV)/dev
	@echo "== layers"
	@$(BIN)/lint-imports

pytest: $(VENV)/dev
	@echo "== tests"
	@$(BIN)/pytest -m "not acceptance" -rs

acceptance: test bench
	$(BIN)/pytest -m acceptance

bench: $(VENV)/dev
	$(BIN)/python -m bench.cycle
	$(BIN)/python -m bench.compile
	$(BIN)/python -m bench.hostile
	$(BIN)/python -m bench.notice

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Python 3.10 or newer is needed; name one: make PYTHON=python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/agent: $(VENV)/bin/python pyproject.toml
	@echo "installing inspect-agent into $(VENV) …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/dev: $(VENV)/bin/python pyproject.toml
	@echo "installing inspect-agent and what its tests need into $(VENV) …"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/agent
