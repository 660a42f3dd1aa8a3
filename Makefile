# `make demo` and `make test` need Python 3.11 or newer, git and make. Everything else is set up in .venv, once.
PYTHON ?=
export PYTHON

# Modules are compiled once, into .venv, whatever the environment says of it: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(if $(shell [ ! -e .venv ] || [ -w .venv ] || echo locked),,$(CURDIR)/.venv/cache/bytecode)

.DEFAULT_GOAL := help
.PHONY: help set-up demo test check lab lab-install lab-up lab-down clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

set-up: ## the virtual environment .venv with locked dependencies
	@./scripts/set-up

demo: set-up ## the whole story on simulated clouds, in under two minutes
	@.venv/bin/python -m demo.play

test: set-up ## all tests
	@.venv/bin/python -m pytest -n 6 --dist worksteal --disable-warnings $(PYTEST_ARGS)

check: set-up ## linters, types and the import contract
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

lab: set-up ## the migration on real OpenStack services, on Debian 12 as root: installs them, brings them up, plays, ends them
	@PYTEST_ARGS="$(PYTEST_ARGS)" .venv/bin/python -m tests.lab play

lab-install: set-up ## only what the lab needs: MariaDB, RabbitMQ, two OpenStack releases
	@.venv/bin/python -m tests.lab install

lab-up: set-up ## brings the lab up; `make lab` leaves it up then
	@.venv/bin/python -m tests.lab up

lab-down: set-up ## ends the lab; its state stays for the next lab-up
	@.venv/bin/python -m tests.lab down

clean: ## remove what was set up, played and built
	rm -rf .venv .demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
