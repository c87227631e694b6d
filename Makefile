# relock: what can be done here. Every target does its own set-up; Go and make are enough.
SHELL := bash
.SHELLFLAGS := -o pipefail -ec
.DEFAULT_GOAL := help
.PHONY: help run test check e2e sim bench bench-report fuzz package clean

export CGO_ENABLED := 0
# The functions that are packed: NAME/ARCH/the binary's name.
PACKAGES ?= scf/amd64/main lambda/amd64/bootstrap lambda/arm64/bootstrap functiongraph/amd64/bootstrap
WITH     ?=
FUZZTIME ?= 20s
TIMEOUT  ?= 13m
CAMPAIGN ?= 60m
SEEDS    ?= 20000
MACHINES ?= 100,1000,10000,100000
BUDGET   ?= 2000000
SWITCHES ?= 3
SIMFLAGS := -save -budget $(BUDGET) -switches $(SWITCHES) -seeds $(SEEDS) $(if $(SEED),-seed $(SEED))

# What a test prints about itself is kept, the names of those that pass are not.
BRIEF := grep -Ev '^(=== |PASS$$| *--- PASS|\? )'

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## rotate 250 simulated machines through the real SDK, HTTP, signatures and SSH
	@echo 'building relock (the first time this takes a minute or two) ...' >&2
	@mkdir -p dist
	@go build -o dist/relock ./functions/relock
	@dist/relock simulate --instances 250

test: ## all tests; what needs an sshd is printed as NOT RUN where there is none
	go test -timeout $(TIMEOUT) $$(go list ./... | grep -v -e /rotationtest$$ -e /e2e$$)
	go test -timeout $(TIMEOUT) -v ./functions/e2e ./rotation/rotationtest 2>&1 | $(BRIEF)

check: ## gofmt, go vet, staticcheck; what is deployed: Terraform, serverless.yml, the role's policy
	@files=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); test -z "$$files" || { echo "not gofmt-ed: $$files"; exit 1; }
	go vet ./...
	go tool -modfile=.ci/tools/go.mod staticcheck ./...
	cd .ci/tools && go vet ./... && go test ./...
	@go build -C .ci/tools -o ../bin/deploycheck ./deploycheck
	.ci/bin/deploycheck .
	@if command -v terraform >/dev/null; then echo terraform fmt -check; terraform fmt -check -diff -recursive deploy; else \
	  echo 'NOT RUN: terraform fmt -check: there is no terraform here' >&2; fi
	@if command -v cfn-lint >/dev/null; then echo cfn-lint deploy/aws/*.yaml; cfn-lint deploy/aws/*.yaml; else \
	  echo 'NOT RUN: cfn-lint: there is no cfn-lint here' >&2; fi
	go test ./functions/e2e -run 'Policy|Terraform|Timers|Alarms|Template'

e2e: ## the real binaries against the simulator: the function over its runtime, the command, kill -9
	go test -timeout $(TIMEOUT) -count=1 ./functions/relock ./functions/scf ./functions/lambda ./functions/functiongraph ./functions/internal/...
	RELOCK_E2E_FULL=1 go test -timeout $(CAMPAIGN) -count=1 -v ./functions/e2e 2>&1 | $(BRIEF)

sim: ## fault loops, searches and random histories of the engine: SEEDS=n, SEED=s replays one, BUDGET=states, SWITCHES=n
	GOGC=800 go test -timeout $(CAMPAIGN) -count=1 -v -run '$(if $(SEED),,Fault|OpenQuestion|Rival|Canary|Late|Overlap|)RandomHistory' ./rotation/rotationtest -full $(SIMFLAGS) 2>&1 | $(BRIEF)
	$(if $(SEED),,go test -timeout $(CAMPAIGN) -count=1 -v -run NoSingleFault ./rotation/aws -every 8 2>&1 | $(BRIEF))

bench: ## the tables of BENCHMARKS.md: fleets against the quotas and against scripts, passwords, binaries; MACHINES=n,n
	go test -timeout $(TIMEOUT) -count=1 -v -run FleetRotation ./rotation -machines $(MACHINES) 2>&1 | $(BRIEF)
	go test -timeout $(TIMEOUT) -count=1 -v -run FleetThrough ./rotation/tencent 2>&1 | $(BRIEF)
	cd .ci/bench && go test -timeout $(TIMEOUT) -count=1 -v -benchtime 150ms . 2>&1 | $(BRIEF)
	go test -timeout $(TIMEOUT) -run '^$$' -bench . -benchmem ./... 2>&1 | grep -Ev '^(PASS|\? |ok .*\[no tests)'

bench-report: ## make bench, and BENCHMARKS.md from what it prints
	@mkdir -p dist
	@$(MAKE) --no-print-directory bench | tee dist/bench.txt
	@.ci/benchreport dist/bench.txt > BENCHMARKS.md

fuzz: ## every fuzz target for FUZZTIME
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

package: ## each function's zip, built twice and compared, with checksums and a bill of materials; WITH=files beside the binary
	@go build -C .ci/tools -o ../bin/pack ./pack
	@.ci/bin/pack -out dist -with "$(WITH)" $(PACKAGES)

clean: ## remove what was built
	rm -rf dist .ci/bin
