# What a checkout can do. Nothing is needed but a Python; each target says what else, when it needs it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run stop test test-long chaos bench check lock clean

PYTHONS := python3.13 python3.12 python3.11 python3.14 python3
USABLE := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON = $(or $(shell for p in $(PYTHONS); do $$p -c '$(USABLE)' 2>/dev/null && echo $$p && break; done),$(error \
  No Python 3.11 or newer with its venv module was found: install it (Debian and Ubuntu: apt install python3-venv)))
MINUTES := 30
# Half of the tests that need a system, by time; they run beside the others, because most of them wait.
HALF := tests/contract tests/integration
UV := .venv/bin/python -m uv
LOCKS := all gateway payment shipping refund subscription invoice order confirmer notifier console cli

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

run: .venv/complete ## the whole system on this machine, and one order's life through it (DEMO=0: without; REGISTRY=1: with a schema registry)
	@.venv/bin/hookstream run

stop: .venv/complete ## stop what `make run` started, also when it was killed
	@.venv/bin/hookstream stop

test: .venv/complete ## every test, on containers or on stacks of its own (STACK=containers|local decides by hand)
	@mkdir -p .pytest_cache; \
	nice .venv/bin/python -m pytest tests/unit > .pytest_cache/unit.log 2>&1 & unit=$$!; \
	.venv/bin/python -m pytest $(HALF) > .pytest_cache/half.log 2>&1 & half=$$!; \
	.venv/bin/python -m pytest --ignore tests/unit $(HALF:%=--ignore %); others=$$?; \
	wait $$half; half=$$?; cat .pytest_cache/half.log; \
	wait $$unit; unit=$$?; cat .pytest_cache/unit.log; exit $$((unit | half | others))

test-long: .venv/complete ## the tests that take longer: faults at every step, replays, Kafka away, every sample of every provider
	.venv/bin/python -m pytest -m long

chaos: .venv/complete ## faults of every kind under load, then an audit (MINUTES=30, SEED=7 replays a run)
	@.venv/bin/python -m tests.chaos $(MINUTES) $(SEED)

bench: .venv/complete ## measures everything and writes docs/benchmarks.md, 15 minutes (QUICK=1: 4; BEFORE=PATH: another checkout beside it)
	@.venv/bin/python -m bench $(if $(QUICK),--quick)

check: .venv/complete ## format, lint, types, import rules, schemas
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy .
	.venv/bin/lint-imports
	.venv/bin/hookstream schemas check

lock: .venv/complete $(LOCKS:%=lock-%) ## resolve the dependencies again, with their hashes

lock-%:
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --extra $* pyproject.toml --output-file requirements/$*.lock

clean: ## remove everything that `make` made: data, logs, .venv, caches
	@if [ -x .venv/bin/hookstream ]; then .venv/bin/hookstream stop; fi
	@if [ -L .run/postgres ]; then rm -rf "$$(readlink .run/postgres)"; fi
	rm -rf .run .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# Made anew when the lock changes, so that nothing stays that is in no lock.
.venv/complete: requirements/all.lock
	@echo "making .venv with $$($(PYTHON) --version) (once)"
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet uv==0.13.8
	@$(UV) pip install --quiet --compile-bytecode --require-hashes --requirement requirements/all.lock
	@$(UV) pip install --quiet --no-deps --editable .
	@touch $@
