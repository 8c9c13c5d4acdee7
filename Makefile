# Go alone builds and runs Sitehooks. The checks need more; make setup brings it.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := bash
.PHONY: help run demo build image package setup test test-fast lint format bench bench-docs torture mutants screenshots assets assets-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the console on http://127.0.0.1:8080, its data in ./data
	go run . serve

demo: ## the same with sample data, a receiver and a simulator
	go run . demo

build: ## bin/sitehooks, one static binary
	@deploy/build bin/sitehooks

image: ## the container image sitehooks, with its version
	docker build --build-arg VERSION="$$(deploy/version)" --build-arg REVISION="$$(git rev-parse HEAD)" -t sitehooks .

package: ## bin/sitehooks_*.deb, for Debian and Ubuntu
	@deploy/package bin

setup: ## install what the tests need (as root, on Debian)
	@bash .ci/setup

test: ## every check and test, on both databases and in a browser
	@bash .ci/test

test-fast: ## the tests of the packages only, without the race detector: two minutes
	@bash .ci/test --fast

lint: ## format check and linters only
	@. .ci/tools && lint=$$(tool golangci-lint) && "$$lint" fmt --diff && "$$lint" run ./...

format: ## put all Go files into the house's format
	@. .ci/tools && "$$(tool golangci-lint)" fmt

# The tests' PostgreSQL does not wait for the disk; what is measured does.
bench: export PG_SETTINGS ?= fsync=on full_page_writes=on wal_level=replica shared_buffers=512MB max_wal_size=4GB
bench: export BENCH_JSON ?= $(if $(BENCH_QUICK),,$(CURDIR)/docs/performance.json)
bench: ## speed, about an hour and a half; BENCH=main (regular expression) less, BENCH_QUICK=1 one short run of each
	go test -run '^$$' -bench '^BenchmarkSitehooks$$' -benchtime 1x -timeout 4h ./app/bench
	@$(if $(filter-out history%,$(BENCH)),,go test -run '^$$' -bench $(if $(BENCH),Pages,.) -skip '^BenchmarkSitehooks$$' -benchtime 1x -timeout 2h -p 1 ./app ./app/bench)

bench-docs: ## docs/performance.md and its chart from docs/performance.json
	go test -count=1 -run '^TestPerformancePage$$' ./app/bench -update

torture: ## crashes and faults under load on each database, then fuzzing
	@bash .ci/torture

mutants: ## faults in the code that no test notices
	go run ./.ci/mutants $(MUTANTS)

screenshots: ## the pictures of the documentation, from a running demo
	go test -tags screenshots -count=1 -run '^TestScreenshots$$' ./app

assets: ## unpack the design system into static/vendor
	@bash .ci/assets

assets-check: ## are the files in static/vendor those of the pinned packages?
	@bash .ci/assets --check
