# `make help` lists what you can do here. Plain pip lines for Windows and conda: docs/install.md.
SHELL := /bin/sh
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run test lint docs format lock licences clean

PYTHON ?=
EXTRAS ?= transits,crystals,weather,proteins
ARGS ?=
PYTEST_ARGS ?=
CPU ?=

# Paths are relative on purpose: make splits words at spaces, and a checkout may lie below one.
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(VENV)/.ready-to-run
DEV := $(VENV)/.ready-to-develop
TORCH_INDEX := $(if $(CPU),--extra-index-url https://download.pytorch.org/whl/cpu)
INSTALL = $(PY) -m pip install --disable-pip-version-check $(TORCH_INDEX) -c constraints.txt

help:  ## show this list
	@echo "usage: make TARGET [PYTHON=python3.12] [CPU=1]"
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 14
	@echo "CPU=1 takes the small CPU build of torch (on Linux the package index serves the CUDA build)."

run: $(RUN)  ## the quickstart of every domain: trains, compares, writes one HTML report
	$(PY) -m science quickstart $(ARGS)

test: $(DEV)  ## run the tests (PYTEST_ARGS="-k flatten" for some of them)
	$(PY) -m pytest $(PYTEST_ARGS)

lint: $(DEV)  ## formatting, lint and types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

docs: $(DEV)  ## build the documentation and the lessons in both languages, and open them
	$(PY) scripts/docs.py $(ARGS)
	$(PY) -m webbrowser -t "build/site/index.html"

format: $(DEV)  ## rewrite the code in the house style
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

lock: $(DEV)  ## resolve the newest allowed versions anew: constraints.txt and requirements.lock
	$(PY) scripts/lock.py

licences: $(DEV)  ## write docs/licences.md from what is installed
	$(PY) scripts/licences.py

clean:  ## remove the environment, builds and caches; runs/ stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml constraints.txt
	@$(create)
	$(INSTALL) -e ".[$(EXTRAS)]"
	@touch $@

$(DEV): pyproject.toml constraints.txt
	@$(create)
	$(INSTALL) -e ".[dev,$(EXTRAS),grib,simulate,weather-peers,cluster,batman,teach,docs,search,slurm,tensorboard]"
	@touch $(RUN) $@

# An environment of another Python, or whose Python has gone, is made anew. A name on the path
# proves nothing (a version manager leaves shims), so each candidate has to run.
define create
set -e; chosen=""; \
for candidate in "$(PYTHON)" python3.11 python3 python3.12 python3.13 python; do \
  [ -n "$$candidate" ] || continue; \
  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
  then chosen="$$candidate"; break; fi; \
  if [ "$$candidate" = "$(PYTHON)" ]; \
  then echo "PYTHON=$(PYTHON) does not run or is older than 3.11" >&2; exit 1; fi; \
done; \
if [ -z "$$chosen" ]; then echo "needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
version='import sys; print(sys.version_info[:2])'; \
if [ "$$("$$chosen" -c "$$version")" != "$$($(PY) -c "$$version" 2>/dev/null || true)" ]; then \
  echo "creating $(VENV) with $$chosen"; "$$chosen" -m venv --clear $(VENV); \
fi
endef
