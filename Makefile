# The demo and the checks. All generated files are in .venv/ and .cache/; containers and images are podman's.
# Requires Debian 12 or newer (or Ubuntu 24.04), root, git and make; installs everything else with apt and pip.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
TIMED := .ci/timed
STAGEHOST := PYTHONPATH=molecule/shared python3 -m stagehost
PLUGINS := collections/ansible_collections/codeframe/staging/plugins

DEMO_NAME := codeframe-staging-demo
DEMO_SSH_PORT ?= 14122
# Extra arguments: make demo ARGS=--check, make unit ARGS='-k dotenv', make integration ARGS='-k nginx'.
ARGS ?=

export DEMO_SSH_PORT
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export MOLECULE_GLOB := molecule/*/molecule.yml
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/collections
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Show this text
	@echo 'make TARGET [ARGS=...]'
	@sed -n 's/^\([a-z%][a-z%-]*\):.*## /  \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

# --- setup

.PHONY: setup
setup: $(VENV)/.stamp ## Install the requirements of demo and tests: system packages, virtual environment, images
	@$(STAGEHOST) image prepared

.PHONY: python
python:
	@python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo '-- system packages: python3 python3-venv ...'; \
	  mkdir -p .cache/logs; \
	  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
	    python3 python3-venv ca-certificates; } >.cache/logs/python.log 2>&1 </dev/null || \
	    { tail -5 .cache/logs/python.log; echo 'make: Python 3.11 or newer with venv is required' >&2; exit 1; }; \
	}

$(VENV)/.stamp: requirements.txt requirements-dev.txt | python
	@echo '-- virtual environment: $(VENV) (about 1 minute) ...'
	@test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# --- the demo

.PHONY: demo
demo: $(VENV)/.stamp ## Deploy the sample application into a container on this machine, over SSH
	@$(STAGEHOST) up $(DEMO_NAME) --image=bare --ssh-port=$(DEMO_SSH_PORT) --publish=8080 --publish=14100
	@.ci/chromium || echo '-- Chromium cannot be installed here: the page is not opened in a browser'
	ansible-playbook deploy-staging.yml --inventory inventories/demo $(ARGS)
	@echo
	@echo 'The container $(DEMO_NAME) keeps running: http://codeframe.localhost:8080'
	@echo 'Deploy again: make demo.  Log in: make demo-ssh.  Remove: make demo-clean'

.PHONY: demo-ssh
demo-ssh: ## Log in to the demo's container
	@$(STAGEHOST) ssh $(DEMO_SSH_PORT)

.PHONY: demo-clean
demo-clean: ## Remove the demo's container
	@$(STAGEHOST) down $(DEMO_NAME)

# --- the checks

CHAIN_1 := lint integration browser
CHAIN_2 := molecule unit types interface
COMPLETE = lint types sanity sanity-hosts docs publication unit-all interface browser-all integration-all readme recordings $(SCENARIOS:%=test-%)

.PHONY: test
test: ## Run all gating checks
	@rm -f .cache/summary .cache/failed
	@$(MAKE) --no-print-directory setup
	@# Two chains of checks, one for each core; the second is in its own session, and its output follows that of the first.
	@log=.cache/logs/beside.log; mkdir -p .cache/logs; \
	echo "== in parallel: $(CHAIN_2); their output follows that of the other checks ($$log)"; \
	setsid $(MAKE) --no-print-directory checks CHECKS='$(CHAIN_2)' >$$log 2>&1 </dev/null & beside=$$!; \
	trap 'kill -TERM -$$beside; exit 130' INT TERM; \
	$(MAKE) --no-print-directory checks CHECKS='$(CHAIN_1)'; \
	tail --lines=+1 --follow --pid=$$beside $$log; wait $$beside; \
	$(MAKE) --no-print-directory verdict

.PHONY: test-all
test-all: ## Run all checks, including slow tests and all cases of all scenarios
	@rm -f .cache/summary .cache/failed
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory checks CHECKS='$(COMPLETE)'
	@$(MAKE) --no-print-directory verdict

# Run one chain; the names of the checks that failed are in .cache/failed.
.PHONY: checks verdict
checks:
	@for check in $(CHECKS); do $(MAKE) --no-print-directory $$check || echo $$check >>.cache/failed; done

verdict:
	@echo; echo '== summary'; cat .cache/summary
	@if test -e .cache/failed; then echo "== FAILED: $$(tr '\n' ' ' <.cache/failed)"; exit 1; fi; echo '== all checks passed'

.PHONY: lint
lint: $(VENV)/.stamp ## ansible-lint (profile production), yamllint, ruff
	@$(TIMED) yamllint yamllint --strict .
	@$(TIMED) ruff ruff check --quiet .
	@$(TIMED) ruff-format ruff format --check --quiet .
	@$(TIMED) ansible-lint ansible-lint --offline --strict -q

HARNESS := deployment outside processes loops matrix invariants load results reliability

.PHONY: types
types: $(VENV)/.stamp ## mypy, strict, on the plugins and the harness
	@$(TIMED) mypy mypy $$(find $(PLUGINS)/ -name '*.py') tests/*.py
	@$(TIMED) mypy-harness mypy -p stagehost $(HARNESS:%=-m %)

.PHONY: sanity
sanity: $(VENV)/.stamp ## ansible-test sanity, as collection indexes require it
	@$(TIMED) sanity .ci/sanity

.PHONY: sanity-hosts
sanity-hosts: ## The same with ansible-core 2.19 on Python 3.11 and the newest on 3.13, in containers
	@$(TIMED) sanity-hosts .ci/sanity-hosts

.PHONY: unit
unit: $(VENV)/.stamp ## Unit tests: no host, no container
	@$(TIMED) unit python -m pytest -q --durations=30 -m 'not slow' tests/unit --ignore=tests/unit/roles $(ARGS)

.PHONY: unit-all
unit-all: $(VENV)/.stamp ## Unit tests, including the slow ones
	@$(TIMED) unit-all python -m pytest -q tests/unit --ignore=tests/unit/roles $(ARGS)

.PHONY: interface
interface: $(VENV)/.stamp ## Interfaces of roles and playbooks: argument specs, defaults, boundaries
	@$(TIMED) interface python -m pytest -q tests/unit/roles $(ARGS)

.PHONY: browser
browser: $(VENV)/.stamp ## browser_check against real pages in a real Chromium
	@$(TIMED) browser .ci/browser -m 'not slow' $(ARGS)

.PHONY: browser-all
browser-all: $(VENV)/.stamp ## browser_check, including the slow tests
	@$(TIMED) browser-all .ci/browser $(ARGS)

INTEGRATION_TESTS := $(wildcard tests/integration/test_*.py)

.PHONY: integration
integration: $(VENV)/.stamp ## Modules against real nginx, pm2, npm and openssl, in a temporary container
	@$(if $(INTEGRATION_TESTS),$(TIMED) integration env $(STAGEHOST) test -- -q --durations=40 -m 'not slow and not applications' $(ARGS) tests/integration,\
	  echo '== integration: no tests in tests/integration')

.PHONY: integration-all
integration-all: $(VENV)/.stamp ## Integration tests, including the slow ones
	@$(TIMED) integration-all env $(STAGEHOST) test -- -m 'not applications' $(ARGS) tests/integration

.PHONY: test-applications
test-applications: $(VENV)/.stamp ## Applications with frameworks from the registry; writes the table of docs/applications.md
	@$(TIMED) applications .ci/applications $(ARGS)

# `molecule` runs `default`, whose host also serves the quick cases of `drift` and `faults`, and the quick cases of a few
# others; test-<scenario> runs all cases of one. The remaining scenarios deploy for minutes before their first case, and
# tests/integration has what they are about: the topologies of `proxy`, the role with Nginx Proxy Manager, planted secrets.
SCENARIOS := $(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml))
GATING := default inputs
MOLECULE := molecule

.PHONY: molecule
molecule: $(VENV)/.stamp ## Molecule: `default` in full, the quick cases of `drift`, `faults` and `inputs`
	@failed=; for scenario in $(GATING); do \
	  SCENARIO_CASES=quick $(TIMED) "molecule $$scenario" $(MOLECULE) test --no-command-borders --scenario-name $$scenario || failed=1; \
	done; test -z "$$failed"

.PHONY: $(SCENARIOS:%=test-%)
$(SCENARIOS:%=test-%): test-%: $(VENV)/.stamp
	@SCENARIO_CASES=all $(TIMED) "molecule $* (all cases)" $(MOLECULE) test --no-command-borders --scenario-name $*

.PHONY: test-%
test-%: ## One Molecule scenario with all its cases

.PHONY: test-faults-all
test-faults-all: $(VENV)/.stamp ## `make test-faults`, with a crash point at every task of a deployment (hours)
	@FAULT_POINTS=all $(MAKE) --no-print-directory test-faults

.PHONY: reliability
reliability: $(VENV)/.stamp ## docs/reliability.md, from the results of `make test-drift` and `make test-faults`
	@PYTHONPATH=molecule/shared python -m reliability

.PHONY: readme
readme: $(VENV)/.stamp ## The steps of the README as they stand, from one new container to another (10 minutes)
	@$(TIMED) readme python -m pytest -q tests/readme $(ARGS)

.PHONY: recordings
recordings: $(VENV)/.stamp ## What runs print, from real ones into docs/terminal.md (10 minutes)
	@$(TIMED) recordings python -m pytest -q tests/recordings $(ARGS)

.PHONY: docs
docs: ## The documentation site, in .cache/docs/html; a warning fails
	@$(TIMED) docs .ci/docs

.PHONY: publication
publication: ## Licences, changelog fragments, workflows, galaxy-importer
	@$(TIMED) publication .ci/publication

.PHONY: release
release: ## Prepare a release: make release VERSION=1.2.0 (checks, changelog, commit, tag; pushes nothing)
	@.ci/release $(VERSION)

.PHONY: coverage
coverage: $(VENV)/.stamp ## Coverage of the plugins by the unit tests; below 90 % fails
	@$(TIMED) coverage .ci/coverage $(ARGS)

.PHONY: bench
bench: $(VENV)/.stamp ## Runs compared with baselines, into docs/performance.md: make bench ARGS="reruns tasks changed hosts growth first"
	@$(TIMED) bench python benchmarks/performance.py $(ARGS)

# A sample of the mutants, the same for the same SEED: all of them would take hours.
MUTANTS ?= 200
SEED ?= 1

.PHONY: mutation
mutation: $(VENV)/.stamp ## Mutation testing of the pure code: MUTANTS=200 SEED=1 ARGS="--only '*/_nginx/*'"
	@$(TIMED) mutation python tests/mutation.py --mutants $(MUTANTS) --seed $(SEED) $(ARGS)

# --- clean-up

.PHONY: stop
stop: ## Remove all containers of the harness, including the demo
	@$(STAGEHOST) clean --keep-images

.PHONY: stop-tests
stop-tests: ## Remove the containers of interrupted tests, but not the demo
	@$(STAGEHOST) clean --keep-images --spare $(DEMO_NAME)

.PHONY: clean
clean: ## Remove containers, images, .cache and .venv
	@$(STAGEHOST) clean
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
