# Two commands on a fresh machine: `make run` and `make test`. Both set up what they need first, once.
#   PYTHON=/path/to/python   use this one (3.10 to 3.13) instead of the one found; it gets a folder of its own
#   ARGS='…'                 what to hand to simwasm (run) or pytest (test)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test parity check samples bench clean

PYTHON ?=
ARGS ?=
ifdef PYTHON
version := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>&1)
$(if $(filter 3.10 3.11 3.12 3.13,$(version)),,$(error PYTHON=$(PYTHON) is no CPython 3.10 to 3.13: $(version)))
VENV := .venv-$(version)
else
VENV := .venv
endif
python := $(VENV)/bin/python
tools := PATH="$$PATH:$(CURDIR)/$(VENV)/bin"
# One more than there are cores: tests of terminals, browsers and Envoys wait as much as they compute.
side_by_side = -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile

# An interpreter that has gone, or a checkout that has moved, makes every mark of readiness void.
void := $(shell $(python) -c '' 2>/dev/null && test "$$(cat $(VENV)/made-in 2>/dev/null)" = "$(CURDIR)" \
        || rm -f $(VENV)/ready-*)

SAMPLE = samples/allow_header/plugin.wasm traces/traffic/allow_header.har

help: ## print this
	@sed -n 's/^\([a-z]*\):.*## /  make \1 	/p' Makefile | expand -t 18

run: $(VENV)/ready-run ## debug a sample plugin with recorded traffic; without a terminal, replay it
	@if [ -t 0 ] && [ -t 1 ]; then how=debug; else how=run; fi; \
	$(python) -m simwasm $$how $(or $(ARGS),$(SAMPLE))

test: $(VENV)/ready-test ## run the tests
	@$(tools) $(python) -m pytest $(side_by_side) $(ARGS)

parity: $(VENV)/ready-test ## compare the host with Envoy and write docs/envoy-parity.md
	@$(tools) $(python) -m pytest $(side_by_side) -m envoy --write-parity $(ARGS)

check: $(VENV)/ready-check ## check format, lint, types and the direction of imports
	@status=0; \
	for step in "-m ruff format --check --quiet" "-m ruff check --output-format concise" "-m mypy" \
	            "-m pyright --pythonpath $(python)" "$(VENV)/bin/lint-imports"; do \
	    echo "== $$step"; $(python) $$step || status=1; \
	done; exit $$status

samples: ## build the sample plugins again, from source
	bash samples/build.sh

bench: $(VENV)/ready-test ## measure, as ratios in one run
	@$(tools) $(python) -m benchmarks $(ARGS)

clean: ## remove what was made here; recorded and built files stay
	rm -rf .venv .venv-* build dist samples/target .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/ready-%: pyproject.toml .ci/venv
	@.ci/venv $(VENV) $* "$(PYTHON)"
