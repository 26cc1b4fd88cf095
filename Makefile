# `make demo` shows what carrierflow does; `make test` proves it. Both set themselves up in .venv.

PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

# Slow tests wait much: for what is silent, for processes that are killed.
SLOW_WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-lowest bench check pictures docs wheel clean

help:
	@echo "make demo         the tour, against the sandbox, on SQLite"
	@echo "make test         set-up and the tests (with servers, where their URLs are set)"
	@echo "make test-all     the slow tests too"
	@echo "make test-lowest  the tests again, with the lowest versions that pyproject.toml allows"
	@echo "make bench        what it costs, beside what else could be done (minutes)"
	@echo "make check        style, types, layers"
	@echo "make pictures     the pictures of reports in the documentation, by Chromium"
	@echo "make docs         the documentation, into docs/_build/html"

$(VENV)/.runtime: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "carrierflow needs Python 3.11 or later; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --editable .
	@touch $@

$(VENV)/.develop: $(VENV)/.runtime
	$(PIP) install --editable '.[celery,django,mysql,postgres,procrastinate,timestamps,web]' --group test --group bench --group check --group docs
	@touch $@

demo: $(VENV)/.runtime
	@$(BIN)/carrierflow demo

test: $(VENV)/.develop
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not slow" $(OPTIONS)

test-all: $(VENV)/.develop
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not slow"
	$(BIN)/python -m pytest -q -n $(SLOW_WORKERS) --dist worksteal -m slow

# Every requirement is held at its floor; what those need in turn is as new as they allow.
$(VENV)/.lowest: pyproject.toml tests/floors.py
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	$(BIN)/python tests/floors.py > $(VENV)/floors.txt
	$(PIP) install --constraint $(VENV)/floors.txt \
		--editable '.[celery,django,mysql,postgres,procrastinate,timestamps,web]' --group test --group bench
	@touch $@

test-lowest:
	$(MAKE) --no-print-directory $(LOWEST)/.lowest VENV=$(LOWEST)
	$(LOWEST)/bin/python -m pytest -q -n auto --dist worksteal -m "not slow" $(TESTS)

bench: $(VENV)/.develop
	PYTHONPATH=tests $(BIN)/python -m benchmarks \
		--json docs/explanation/benchmarks.json --plot docs/explanation/benchmarks.svg

check: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

pictures: $(VENV)/.develop
	PYTHONPATH=tests $(BIN)/python -m docs.pictures docs/images

docs: $(VENV)/.develop
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

wheel: $(VENV)/.develop
	$(BIN)/python -m pip --disable-pip-version-check wheel -q --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) $(LOWEST) build dist docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
