# The README's commands. Each installs what it needs first; from the second call on it starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that share the tests. Each needs up to 2 GB; TensorFlow keeps little more than one core busy in a test.
WORKERS ?= 2
# Inputs that `make fuzz` tries of each kind.
N ?= 20000

.DEFAULT_GOAL := demo
.PHONY: demo test proof fuzz lint fix bench clean

demo: $(VENV)/.installed  ## dream the photo in configs/photos
	@$(BIN)/kerasdream run configs/quickstart.yaml -o demo --overwrite

test: $(VENV)/.tested lint  ## lint, and every test except the proofs; WORKERS=4 in 4 processes, ARGS=... goes to pytest
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not proof" $(ARGS)

proof: $(VENV)/.tested  ## what proves a method at length; ARGS=--proof-sample=1/12 runs a twelfth
	$(BIN)/pytest -m proof $(ARGS)

fuzz: $(VENV)/.tested  ## try N inputs of each kind, made at random; make test tries a few
	KERASDREAM_FUZZ=$(N) $(BIN)/pytest tests/fuzz $(ARGS)

lint: $(VENV)/.tested  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/.tested  ## repair what ruff can repair, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed  ## measure speed and memory against other ways to dream; ARGS=--quick for a try
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
