# Everything a contributor runs. Each target sets up what it needs; the first one takes a minute.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One pin of uv for everybody: the one in uv.lock.
UV_VERSION := $(shell sed -n '/^name = "uv"$$/{n;s/version = "\(.*\)"/\1/p;}' uv.lock)
# What cog writes parts of.
GENERATED := action.yml README.md docs/reference.md .github/workflows/pr-checks.yml .github/workflows/tests.yml .github/workflows/migrations.yml .github/workflows/docker.yml .github/workflows/security.yml

.PHONY: setup demo test lint generate e2e bench clean

setup: $(BIN)/.ready

$(BIN)/.ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ci-action needs Python 3.11 or newer; run: make PYTHON=python3.13 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --locked --quiet
	@touch $@

demo: setup
	@$(BIN)/python tests/projects/demo.py

test: setup
	$(BIN)/python -m pytest -q

lint: setup
	$(BIN)/black --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/cog --check $(GENERATED)
	$(BIN)/hadolint Dockerfile
	$(BIN)/zizmor --offline --quiet .
	@if command -v actionlint >/dev/null; then actionlint; else echo "actionlint is not here: skipped"; fi

generate: setup
	$(BIN)/cog -r $(GENERATED)
	$(BIN)/python -m ci_action.commands.schema .github/schema

e2e: setup
	$(BIN)/python -m pytest -q tests/e2e -m "docker or browser or npm" $(E2E_ARGS)

bench: setup
	PYTHONPATH=tests $(BIN)/python -m bench

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis ci-action-report
