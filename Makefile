# Every command of this project; CI calls the same ones. A fresh machine needs Python 3.11 and make, nothing else.

.DEFAULT_GOAL := help
.PHONY: help run test check lint up clean drill mutate bench

BIN := .venv/bin
PACKAGES := $(filter-out tests,$(patsubst %/__init__.py,%,$(wildcard */__init__.py)))

help: ## this list
	@printf '한번 Hanbeon: the citizen proves nothing twice.\n\n'
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 15
	@printf '\nEach builds the locked environment first when it is missing. After that also: $(BIN)/hanbeon --help\n'

run: .venv/.locked ## the main job on a simulated world, from agencies to a complete bundle, and what it shows
	@$(BIN)/hanbeon run --show

test: .venv/.locked ## the whole test suite, in two processes
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder tests

drill: .venv/.locked ## the long runs: a million decisions three ways, 100,000 steps of the ledger, 3,000 of the lake (hours)
	@HANBEON_DRILL_DECISIONS=1000000 $(BIN)/pytest -s tests/consent/test_three_readings.py
	@HANBEON_DRILL_LIVES=500 $(BIN)/pytest -s tests/consent/test_ledger_machine.py
	@HANBEON_DRILL_STEPS=3000 $(BIN)/pytest -s tests/main_job/test_law_machine.py

SAMPLE := 400
SEED := 1
mutate: .venv/.locked ## mutation testing of consent/ and verify/ over a random sample: SAMPLE=400 SEED=1 ONLY="consent.merkle*"
	@$(BIN)/python -m bench.mutants --sample $(SAMPLE) --seed $(SEED) $(if $(ONLY),--only $(foreach one,$(ONLY),'$(one)'))

bench: .venv/.locked ## speed of log, row trees, counts, bundles and the simulated world beside a floor
	@$(BIN)/python -m bench.log
	@$(BIN)/python -m bench.rows
	@$(BIN)/python -m bench.counts
	@$(BIN)/python -m bench.world

check: .venv/.locked ## style, types, SQL, contracts and the house's import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --cache-dir .mypy_cache $(PACKAGES)
	@$(BIN)/sqlfluff lint --processes 2 dbt/models
	@$(BIN)/hanbeon contracts check
	@$(BIN)/pytest tests/test_house.py

lint: .venv-lint/.locked ## the contracts before `datacontract lint`, a tool that is not ours (its own environment)
	@.venv-lint/bin/python .ci/lint.py schemas/contracts

up: .venv/.locked ## Airflow's screen with scheduler, and the agencies, until Ctrl-C
	@$(BIN)/hanbeon up

clean: ## forget every run (var/) and every cache; the environment stays
	@rm -rf var mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt/target dbt/logs logs
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

.venv-lint/.locked: requirements-lint.lock | .venv/.locked
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lint
	@VIRTUAL_ENV=$(CURDIR)/.venv-lint $(BIN)/uv pip sync --quiet --require-hashes requirements-lint.lock
	@touch $@

# uv comes first, at the version and hashes that the lock names; then uv makes the environment equal to the lock.
.venv/.locked: requirements.lock
	@for candidate in python3.11 python3; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo 'Python 3.11 is needed, with its venv module, as python3.11 or python3.' >&2; exit 3; fi; \
	echo 'Building the locked environment in .venv (once, about a minute) ...'; \
	[ -x $(BIN)/python ] || $$python -m venv .venv
	@awk '/^[^ #]/ {wanted = /^uv==/} wanted' requirements.lock > .venv/uv.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@echo '$(CURDIR)' > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/hanbeon.pth"
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m hanbeon "$$@"\n' > $(BIN)/hanbeon && chmod +x $(BIN)/hanbeon
	@touch $@
