# The README's commands. Each makes what it needs; a second call starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := demo
.PHONY: demo test test-all lint bench clean

demo: $(VENV)/.installed  ## dream the photo in configs/photos
	@$(BIN)/kerasdream run configs/quickstart.yaml -o demo --overwrite

test: $(VENV)/.tested lint  ## lint, and every test that is not slow
	$(BIN)/pytest -m "not slow"

test-all: $(VENV)/.tested lint  ## lint, and every test
	$(BIN)/pytest

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/.installed  ## measure speed and memory beside other ways to dream; ARGS=--quick for a try
	$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/pip install --quiet --editable ".[test]"
	@touch $@

clean:
	rm -rf $(VENV) build dist demo *.egg-info
