# The two commands of the README are `make demo` and `make test`. Everything else is a part of them.

GO          ?= go
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 12s
BENCH       ?= .

# Nothing here is written in C; only the race detector is. What every target builds in the same way is built once.
export CGO_ENABLED = 0

# Packages with files for one system only, and what stands on them.
PORTED = ./internal/... ./network ./load ./media/... ./service/registrar ./sip/... ./phone

.DEFAULT_GOAL := help
.PHONY: help build demo test quick format vet staticcheck house storm race fuzz peers hostile static bench compliance

help: ## this text
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/sipwerk
	$(GO) build -o bin/sipwerk ./cmd/sipwerk

demo: build ## two accounts, an echo number, a robot's call, its ladder; then it waits for phones
	bin/sipwerk demo

test: format vet staticcheck static storm race bench-module fuzz peers ## the whole gate: all of the following but bench
	@echo "make test: passed"

quick: format vet ## the inner loop: format, vet, all tests once without the race detector
	$(GO) test -short ./...

format: ## nothing is left to gofmt
	@bad=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$bad" || { echo "gofmt these: $$bad"; exit 1; }

vet: ## go vet
	$(GO) vet ./...

staticcheck: ## honnef.co/go/tools
	$(STATICCHECK) ./...

static: build ## beside bin/sipwerk one binary that loads nothing (it hears Opus but speaks none), and what differs between systems for others
	$(GO) build -tags noopus -o bin/sipwerk-static ./cmd/sipwerk
	$(GO) test -count=1 -tags noopus ./media/codec/opus
	GOOS=linux GOARCH=arm64 $(GO) build $(PORTED)
	GOOS=darwin GOARCH=arm64 $(GO) build $(PORTED)

house: ## layers, sizes, names, comments, citations
	$(GO) test -count=1 ./test/house ./rfc/...

storm: ## 10,020 storms in virtual time, each drawn by a seed; SEEDS and FIRST play others
	$(GO) test -vet=off -count=1 -timeout 60m ./test/storm $(if $(SEEDS),-run '^TestStorm$$' -seeds $(SEEDS)) $(if $(FIRST),-first $(FIRST))

race: ## every test, shuffled, under the race detector (which needs a C compiler)
	@test/tools.sh gcc libopus ip
	CGO_ENABLED=1 $(GO) test -race -vet=off -shuffle=on ./...

fuzz: ## every fuzz target for FUZZTIME or half of it
	test/fuzz.sh $(FUZZTIME)

peers: build ## calls with programs that we did not write; installs them where apt and the rights are there
	@test/tools.sh baresip linphonec sipp node kamailio chromium
	SIPWERK_PEERS=1 PATH="$$PATH:/usr/sbin" $(GO) test -vet=off -count=1 -timeout 15m -parallel 2 -v ./test/peers/...

hostile: ## calls during a flood of 50,000 packets a second, beside 5,000 connections that never say anything whole; nothing else should run
	$(GO) test -count=1 -v -run '^TestFloodOfJunk$$' ./test/hostile -rate 50000 -peers 5000

bench: ## the benchmarks, and sipgo's parser beside ours
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	cd test/bench && $(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-module
bench-module:
	cd test/bench && $(GO) vet ./...

compliance: ## docs/compliance.md from rfc/index.txt
	$(GO) run ./rfc/xref -page docs/compliance.md
