# SPDX-License-Identifier: Apache-2.0
# The README's two commands are `make up` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

MODEL ?= llama
PORT ?=
# Of `make device`: a device that the cards make up, and the boards to take, with blanks between them.
DEVICE ?=
BOARD ?=
TRIED = $(MODEL) $(if $(DEVICE),--device $(DEVICE)) $(foreach one,$(BOARD),--board $(one))
VERSIONS ?=
FROM ?=
ROUNDS ?=
FILES ?=
EXPORTS ?=
SIGN_KEY ?=
QUESTION ?= What is Tenstorrent?
PYTHON ?=
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
VLLM_IMAGE := import json, sys; print(next(i["reference"] for i in json.load(sys.stdin)["data"]["images"] if i["name"] == "vllm-cpu"))
VENV := .venv
BIN := $(VENV)/bin
TTCTL := $(BIN)/ttctl
ENGINE := controller/engine/engine.sh
SCRIPTS := $(ENGINE) controller/engine/lib/detach.sh controller/tools/quadlet.sh images/base/with-site \
	images/gateway/health images/chat/health images/chat/policy images/chat/serve $(wildcard images/*/verify) $(wildcard images/*/install) images/tt-metal/build-metal \
	$(addprefix images/source/,fetch-source check-tree make-user) $(wildcard compose/launch/*.sh) .ci/run
RENDERED := build/rendered

.PHONY: docs help setup setup-dev engine engine-stop up down test-tools test containers faults-part images unit versions integration faults golden device \
	catalog fuzz lint type bench captures demo-model clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: setup engine ## Bring MODEL up (default llama), on PORT, and ask it one question
	@$(TTCTL) up $(MODEL) $(if $(PORT),--port $(PORT))
	@printf '\n> %s\n' "$(QUESTION)"
	@$(TTCTL) chat --stack $(MODEL) "$(QUESTION)"

down: setup ## End what `make up` started; the engine stays
	@$(TTCTL) down $(MODEL)

engine: ## Use the container engine that answers, else install and start one
	@$(ENGINE) up

engine-stop: ## End the engine that `make engine` started, and no other
	@$(ENGINE) stop

setup: $(VENV)/.installed ## Make .venv with ttctl in it

setup-dev: $(VENV)/.installed-dev ## The same with what lint and tests need

$(VENV)/.made:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if "$$python" -c "$(USABLE)" 2>/dev/null; then "$$python" -m venv --clear $(VENV) && touch $@ && exit 0; fi; \
	done; \
	{ echo "error:    Python 3.11 or newer with venv is needed."; \
	  echo "why:      ttctl is installed into a virtual environment of its own, $(VENV)."; \
	  echo "evidence: python3 is $$(python3 --version 2>&1)"; \
	  echo "next:     apt-get install python3-venv   # or: make PYTHON=/path/to/python3.12 up"; \
	} >&2; exit 4

$(VENV)/.installed: pyproject.toml | $(VENV)/.made
	@echo "installing ttctl into $(VENV)"
	@$(BIN)/python -m pip install --quiet --editable .
	@$(BIN)/python -m compileall -q controller/ttctl
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.made
	@echo "installing ttctl and what its tests need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@$(BIN)/python -m compileall -q controller/ttctl
	@touch $@ $(VENV)/.installed

test-tools: build/quadlet/quadlet
	@for tool in chromium curl git ip openssl ssh-keygen strace systemctl unshare zsh fish man groff; do command -v $$tool >/dev/null || missing=1; done; \
	[ -n "$${missing:-}" ] || exit 0; \
	root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	packages="chromium curl git iproute2 openssh-client openssl strace systemd util-linux zsh fish man-db groff-base"; \
	echo "installing what the container tests call: $$packages"; \
	$$root apt-get update -qq && $$root apt-get install -qq -y --no-install-recommends \
		$$packages >/dev/null || { \
		echo "error:    The container tests need chromium, curl, git, ip, openssl, ssh-keygen, strace, systemctl, unshare, zsh, fish, man and groff."; \
		echo "next:     sudo apt-get install $$packages"; exit 4; } >&2

build/quadlet/quadlet:
	@controller/tools/quadlet.sh $(@D) || { \
		echo "error:    The container tests need the unit generator of podman 5.2 or newer."; \
		echo "next:     sudo apt-get install podman   # on Debian 13 or newer"; exit 4; } >&2

test: unit engine test-tools images ## Run all tests, the container ones included
	@$(MAKE) --no-print-directory --output-sync=target -j2 containers faults-part

# The second has engines and networks of its own, two of each, and mostly waits for them.
containers:
	@env -u MAKEFLAGS -u MFLAGS $(BIN)/pytest tests/conformance tests/integration tests/e2e

faults-part:
	@env -u MAKEFLAGS -u MFLAGS $(BIN)/pytest -n 2 --dist loadfile tests/faults

images: setup-dev engine ## Build the images of demo-llama where they are not here
	@$(TTCTL) --quiet build demo-llama >/dev/null

unit: setup-dev ## Run the tests that need no engine and no network; takes seconds
	@$(BIN)/pytest -n auto tests/unit tests/golden

versions: setup-dev ## Run the unit tests with the lowest and the newest versions allowed, on each Python here
	@$(BIN)/python -m tools.versions $(VERSIONS)

integration: setup-dev engine test-tools ## Run the tests of single containers, and train the models again
	@TRAINING=whole $(BIN)/pytest tests/integration

faults: setup-dev engine test-tools ## Do every fault in whole, which takes hours, or FILES of tests/faults, or ROUNDS times at most; write docs/faults.md
	@FAULTS_ROUNDS=$(ROUNDS) $(BIN)/python -m tools.faults $(FILES)

golden: setup-dev ## Write the golden files anew; review the diff
	@TTCTL_GOLDEN=write $(BIN)/pytest -q tests/unit tests/golden -k golden

catalog: setup-dev ## Write controller/catalog/tenstorrent from the upstream export FROM, and what lies beside it
	@$(BIN)/python -m tools.catalog $(FROM)

fuzz: setup-dev ## Read 100,000 mutated catalog entries; EXPORTS names a folder of exports to mutate
	@$(BIN)/python -m tools.fuzz $(if $(EXPORTS),--exports $(EXPORTS))

device: setup-dev engine ## Try MODEL on this machine's cards (DEVICE, BOARD) and write a signed result; SIGN_KEY names a key
	@$(BIN)/python -m tools.acceptance $(TRIED) $(if $(SIGN_KEY),--sign-key "$(SIGN_KEY)")
	@ACCEPTED="$(TRIED)" $(BIN)/pytest -m device tests/device

lint: setup-dev type ## Style, types, import floors, scripts, rendered files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/shellcheck -x $(SCRIPTS)
	@rm -rf $(RENDERED) $(RENDERED)-card
	@XDG_STATE_HOME=$(CURDIR)/build/state XDG_CACHE_HOME=$(CURDIR)/build/cache \
		$(TTCTL) --quiet render demo-llama --to compose --to run --to quadlet -o $(RENDERED) >/dev/null
	@$(BIN)/hadolint $(RENDERED)/images/*/Dockerfile
	@XDG_STATE_HOME=$(CURDIR)/build/state XDG_CACHE_HOME=$(CURDIR)/build/cache \
		$(TTCTL) --quiet render llama --device t3k --unlocked --to run -o $(RENDERED)-card >/dev/null
	@$(BIN)/shellcheck $(RENDERED)/*.sh $(RENDERED)-card/*.sh
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec $(RENDERED)/compose.yaml
	@echo "lint: all good"

type: setup-dev ## Check types
	@$(BIN)/mypy

bench: setup-dev engine ## Print ratios measured in one run
	@$(BIN)/python tests/bench/run.py

docs: setup-dev ## Write docs/schemas, docs/verbs, docs/man, docs/hardware.md, docs/exceptions.md and completion's table anew
	@$(BIN)/python controller/tools/schemas.py
	@$(BIN)/python controller/tools/reference.py
	@$(BIN)/python -m tools.hardware
	@$(BIN)/python -m tools.exceptions

captures: setup-dev engine ## Type the tape of docs/first-ten-minutes.md anew; pages and screens are written
	@$(BIN)/python -m tools.captures

demo-model: setup-dev engine ## Train demo-llama anew, in the engine's own image
	@image=$$($(TTCTL) --json lock demo-llama | $(BIN)/python -c '$(VLLM_IMAGE)'); \
	mkdir -p build/demo-llama && chmod 777 build/demo-llama; \
	for script in "train.py --out" "evaluate.py --model"; do \
		docker run --rm --network none --user 1000:1000 --read-only --tmpfs /tmp \
			--mount "type=bind,source=$(CURDIR)/images/demo-llama,target=/demo,readonly" \
			--mount "type=bind,source=$(CURDIR)/build/demo-llama,target=/out" \
			--env PYTHONDONTWRITEBYTECODE=1 --entrypoint python "$$image" /demo/$$script /out; \
	done

clean: ## Remove what was made here; the engine's images stay
	@rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
