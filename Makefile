# What is done with this project, one target each. Every target installs what it needs first
# (tools/setup.sh), which takes a moment when everything is there.
#
#   make serve            build, then serve models/ on the ports 8000, 8001 and 8002
#   make test             build and run the quick tests: unit, fuzz corpora, threads, end to end
#   make build            build/bin/hippocamp
#   make check            format and lint
#   make test-sanitize    all tests with sanitizers, end to end included
#   make test-long        what takes too long for every day: a thousand kills under load, and, if
#                         $$HC_PERF_ANALYZER is its command, all that perf_analyzer measures
#   make test-pythons     the fixture models with every Python that is found
#   make test-frameworks  models/frameworks/ with the machine-learning frameworks, which it installs
#   make test-fresh       the README's commands in a bare Debian 12
#   make test-image       the Dockerfile's steps and the image they make, without an engine
#   make fuzz             search for inputs that break a parser; FUZZ_SECONDS=60 for each
#   make bench            compare with NVIDIA's server, started by the command $$HC_ORACLE
#   make conformance      ask NVIDIA's server, started as above, what is recorded of it anew, and
#                         compare its answers with ours
#   make test-oracle      the end-to-end tests against NVIDIA's server
#   make clean            remove what was built

SHELL := /bin/bash
MODELS ?= models
FUZZ_SECONDS ?= 60
RUN := env PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: build
build: build/release/build.ninja
	@cmake --build build/release

build/%/build.ninja: CMakePresets.json | setup-build
	@cmake --preset $*
	@touch $@

.PHONY: serve
serve: setup-serve build
	@exec $(RUN) build/bin/hippocamp --model-repository=$(MODELS) $(ARGS)

.PHONY: test test-sanitize test-pythons test-frameworks
test test-sanitize test-pythons test-frameworks: setup-test build
	@$(RUN) tools/$@.sh

.PHONY: test-long
test-long: setup-test build
	@$(RUN) pytest tests/e2e -q -s -m long

.PHONY: check
check: setup-check build/dev/build.ninja
	@cmake --build build/dev
	@$(RUN) tools/check.sh

.PHONY: test-fresh
test-fresh: setup-fresh
	@tools/test-fresh.sh

.PHONY: test-image
test-image: setup-fresh
	@/usr/bin/python3 tools/replay_dockerfile.py

.PHONY: fuzz
fuzz: setup-fuzz
	@tools/fuzz.sh $(FUZZ_SECONDS)

.PHONY: bench
bench: setup-bench build
	@$(RUN) python bench/compare.py $(ARGS)

.PHONY: conformance
conformance: setup-test build
	@$(RUN) python tests/e2e/http_corpus/record.py
	@$(RUN) python tests/e2e/grpc_requests/record.py
	@$(RUN) pytest -q tests/e2e/test_{http_corpus,grpc_{requests,control,frames},differences}.py
	@git --no-pager diff --stat -- tests/e2e/http_corpus tests/e2e/grpc_requests

.PHONY: test-oracle
test-oracle: setup-test build
	@$(RUN) pytest tests/e2e --server=oracle -n 2 --dist loadfile -q $(ARGS)

.PHONY: clean
clean:
	rm -rf build

# What a target needs besides that which builds.
setup-build: GROUPS := build
setup-serve: GROUPS := build serve
setup-test: GROUPS := build serve test
setup-check: GROUPS := build test check
setup-bench: GROUPS := build serve bench
setup-fuzz: GROUPS := build fuzz
setup-fresh: GROUPS := fresh
.PHONY: setup-build setup-serve setup-test setup-check setup-bench setup-fuzz setup-fresh
setup-build setup-serve setup-test setup-check setup-bench setup-fuzz setup-fresh:
	@tools/setup.sh $(GROUPS)
