# The commands of the project. All they fetch or build lies in target/ and
# .tools/, whatever the caller's environment says.
export CARGO_TARGET_DIR := $(CURDIR)/target
unexport CARGO_BUILD_TARGET

.PHONY: build run test test-matrix test-presidio test-engines cuts scores lint bench bench-gateway bench-timing bench-control-plane bench-ledger bench-presidio bench-peers fuzz wasm envoy sdk kills accuracy postgres swaps clean-tools needs-build needs-test help
.DEFAULT_GOAL := build
KILLS ?= 100
SWAPS ?= 100

# needs PROGRAM, WHAT TO INSTALL
needs = @command -v $(1) >/dev/null 2>&1 || { echo "make: $(1) is missing: install $(2)" >&2; exit 1; }

## build: the binary, the Wasm module and an Envoy
build: needs-build wasm envoy
	cargo build --release --package server

## run: build, then the gateway before two simulated engines; Ctrl-C ends all
run: build
	cargo build --release --package integration --bin engine
	@exec envoy/run.sh

## test: every test, with the real Envoy, PostgreSQL and the OpenAI SDKs
test: needs-test wasm envoy postgres sdk lint
	cargo build --workspace --bins
	cargo test --workspace

## test-matrix: the end-to-end tests before every Envoy that is supported
test-matrix: needs-test wasm sdk
	cargo build --workspace --bins
	@envoy/matrix.sh

## test-presidio: masking with the real analyzer of Microsoft Presidio
test-presidio: needs-test wasm envoy
	cargo build --workspace --bins
	@integration/presidio/setup.sh
	cargo test --package integration --features presidio --test presidio

## test-engines: masking and routing with a real llama.cpp server and a real vLLM on the CPU (6 GB)
test-engines: needs-test wasm envoy
	cargo build --workspace --bins
	@integration/engines/setup.sh
	cargo test --package integration --features engines --test engines

## cuts: answers cut at every byte, and at 300 pairs of bytes, with values to restore
cuts: needs-build
	cargo test --release --package pipeline restored

## scores: how well masking finds, on its own corpus; into docs/masking.md
scores: needs-build
	cargo run --release --package masking --example scores -- --seed 77 --write

## lint: format, Clippy, dependencies
lint: needs-build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	.ci/deny

## bench: prints the performance tables; docs/performance.md says how to read them
bench:
	$(MAKE) bench-gateway
	$(MAKE) bench-timing
	$(MAKE) bench-control-plane
	$(MAKE) bench-ledger

## bench-gateway: the part of bench that is about requests, credentials, keys and masking
bench-gateway: build
	cargo build --release --package integration --bin engine --bin bench
	@target/release/bench $(BENCH_ARGS)

## bench-timing: the part of bench that times how secrets are compared
bench-timing: needs-build
	cargo bench --package integration --bench auth -- $(PAIRS)

## bench-control-plane: the part of bench that is about xDS, reloads and scraping
bench-control-plane: needs-build wasm envoy
	@integration/benches/control_plane/sovereign/setup.sh
	cargo bench --package integration --bench control_plane -- $(SCENARIOS)

## bench-ledger: usage lines a second into SQLite and PostgreSQL, LINES of them
bench-ledger: needs-build postgres
	cargo bench --package integration --bench ledger -- $(LINES)

## bench-presidio: how fast masking finds values, beside Microsoft Presidio's analyzer
bench-presidio: needs-build
	cargo build --release --package integration --bin bench
	@integration/presidio/setup.sh
	@target/release/bench --rounds 3 --presidio .tools/presidio/bin/python

## bench-peers: the gateway beside sglang-router, LiteLLM and Portkey before one engine, in one run
bench-peers: build
	$(call needs,node,Node 18 or later with npm)
	cargo build --release --package integration --bin engine --bin bench
	@integration/peers/setup.sh
	@target/release/bench --peers .tools/peers $(BENCH_ARGS)

## kills: kills Envoy under load, KILLS times, and holds the ledger against the clients
kills: needs-build wasm envoy
	cargo build --workspace --bins
	TOLLGATE_KILLS=$(KILLS) cargo test --package integration --test e2e -- crash

## accuracy: holds tokens delivered against tokens billed, with KILLS kills; ACCURACY_ARGS for another gateway
accuracy: build postgres
	cargo build --release --package integration --bin engine --bin accuracy
	@target/release/accuracy --kills $(KILLS) $(ACCURACY_ARGS)

## swaps: swaps clusters, routes and endpoints under load, SWAPS times
swaps: needs-build wasm envoy
	cargo build --workspace --bins
	TOLLGATE_SWAPS=$(SWAPS) cargo test --package integration --test e2e -- swaps

## fuzz: every fuzz target for FUZZ_RUNS executions (cargo-fuzz, nightly Rust)
fuzz: needs-build
	$(call needs,cargo-fuzz,it: cargo install cargo-fuzz)
	.ci/fuzz

wasm: needs-build
	./wasm-build.sh

envoy: needs-build
	@envoy/fetch.sh

postgres: needs-build
	@integration/postgres/setup.sh

sdk: needs-test
	@integration/sdk/setup.sh

## clean-tools: removes what was fetched
clean-tools:
	rm -rf .tools

needs-build:
	$(call needs,cargo,Rust 1.95 or later (rustup))
	$(call needs,cc,a C compiler: gcc)
	$(call needs,python3,Python 3 with pip and venv)

needs-test: needs-build
	$(call needs,node,Node 18 or later with npm)
	$(call needs,npm,Node 18 or later with npm)

help:
	@sed -n 's/^## //p' Makefile
