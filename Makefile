# headersweep: everything below works on a fresh clone with Python 3.11 or newer, make and a package index.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
URL ?=
ARGS ?=
PYTEST_ARGS ?= -q -n auto --maxprocesses 4 --dist loadgroup
UV := uv==0.13.9
ATHERIS := atheris==3.0.0

# Behind what a newcomer sees first: the program's own hints say `headersweep`, which is in no PATH yet.
HINT = echo '(headersweep is $(BIN)/headersweep here; its options go into ARGS, for example ARGS=--allow-private)' >&2

# Through the environment and unexpanded, so that no character of a URL means anything to make or to the shell.
export SWEEP_URL = $(value URL)

.PHONY: help sweep url-given demo test check lint types imports schema up bench chaos fuzz lock clean

help:
	@echo 'headersweep: sweeps web sites, keeps their response headers as evidence, says what changed'
	@echo
	@echo '  make sweep URL=https://your.site/   sweep a site, print what was found (more options: ARGS="--max-pages 100")'
	@echo '  make demo                           sweep a small site of our own on this machine'
	@echo '  make test                           run the tests'
	@echo '  make up                             beat and workers in the foreground, for the sites in sites/'
	@echo '  make check                          everything CI runs: style, types, imports, tests'
	@echo '  make bench                          measure pages per second on this machine'
	@echo '  make chaos                          sweep under 100 seeded schedules of kills and outages (ARGS="--seed N": one)'
	@echo '  make fuzz                           fuzz every parser, guided by coverage (ARGS="--runs 100000 judged": one target)'
	@echo '  make lock                           resolve requirements.lock again'
	@echo '  make clean                          remove .venv and caches (never .headersweep: that is your data)'

# The environment: made once, made again when the lock or the project file changes.
$(READY): requirements.lock pyproject.toml .ci/make-venv
	@./.ci/make-venv '$(VENV)'
	@touch $@

sweep: url-given $(READY)
	@$(BIN)/headersweep sweep "$$SWEEP_URL" $(ARGS); code=$$?; $(HINT); exit $$code

url-given:
	@if [ -z "$$SWEEP_URL" ]; then \
	  echo 'make sweep needs the site to sweep, for example:  make sweep URL=https://your.site/' >&2; \
	  echo 'options go into ARGS:                             make sweep URL=https://your.site/ ARGS="--max-pages 100"' >&2; \
	  exit 2; \
	fi

demo: $(READY)
	@$(BIN)/python -m demosite.run $(ARGS); code=$$?; $(HINT); exit $$code

up: $(READY)
	@$(BIN)/headersweep up $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(READY)
	@$(BIN)/ruff check --quiet . && echo 'ruff check: ok'
	@$(BIN)/ruff format --quiet --check . && echo 'ruff format: ok'

types: $(READY)
	@$(BIN)/mypy

imports: $(READY)
	@$(BIN)/lint-imports --no-logo

schema: $(READY) # part of `make test` too
	@$(BIN)/python -m pytest -q tests/integration/test_schema.py

check: lint types imports test # what CI runs

bench: $(READY)
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: $(READY)
	@$(BIN)/python -m tests.chaos --seeds 100 $(ARGS)

# Atheris has wheels for some Pythons alone, so it is no dependency: it goes beside the environment, and only for this.
fuzz: $(READY)
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --target .venv-fuzz --upgrade '$(ATHERIS)'
	@PYTHONPATH=.venv-fuzz $(BIN)/python -m tests.fuzz $(ARGS)

lock:
	@./.ci/make-lock '$(UV)'

clean:
	@rm -rf $(VENV) .venv-lock .venv-bench .venv-fuzz .fuzz build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.headersweep/*' -prune -exec rm -rf {} +
