# Every target sets up what it needs in .venv, from pip alone. `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test chaos lint format bench synth deploy redrive models database-docs openapi clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 15

setup: $(STAMP)  ## make .venv with the pinned requirements

$(STAMP): requirements.txt requirements-media.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned requirements into $(VENV) (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)

run: setup  ## start the whole gateway on this machine (PORT=0 takes free ports)
	@$(BIN)/python -m local

# What holds limits of time is not to share the machine with other tests.
ALONE := $(addprefix tests/e2e/,test_outages.py test_record_outages.py) \
         $(addprefix tests/integration/,test_query_cache.py test_realtime_faults.py test_tier_outage.py)

test: setup  ## all tests: those of the parts; end to end, on three local clouds; limits of time, alone on the machine
	@$(BIN)/python -m pytest $(addprefix --ignore=,$(ALONE) tests/e2e tests/chaos)
	@$(BIN)/python -m pytest -n 3 tests/e2e $(addprefix --ignore=,$(ALONE))
	@$(BIN)/python -m pytest -n 0 $(ALONE)

chaos: setup  ## long: many histories with crashes, then faults, killed workers and lost stores all at once
	@PROPERTY_EXAMPLES=5000 $(BIN)/python -m pytest -n 0 --timeout 1800 tests/integration/test_job_properties.py
	@$(BIN)/python -m pytest -n 0 -s tests/chaos

lint: setup  ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup  ## the budgets, measured in one run; fails when one is exceeded
	@$(BIN)/python -m benchmarks

synth: setup  ## the CloudFormation templates, through nag and cfn-lint
	@$(BIN)/python -m infra.synth

deploy: setup  ## deploy to the AWS account of the current credentials
	@$(BIN)/python -m infra.deploy

redrive: setup  ## count the dead letters; with QUEUE=advance, submit or store send them back
	@$(BIN)/python -m infra.redrive $(QUEUE)

models: setup  ## one job for each model of the catalogue on a local cloud, and their table (MODEL=... for some)
	@$(BIN)/python -m local.every_model

database-docs: setup  ## write database/schema.json and docs/database.md from the migrations
	@$(BIN)/python -m local.describe_database

openapi: setup  ## write docs/openapi.json and docs/api.md from the routes
	@$(BIN)/python -m infra.openapi

clean:  ## remove everything that the other targets made
	rm -rf $(VENV) .local .build cdk.out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
