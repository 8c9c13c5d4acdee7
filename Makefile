# Go alone builds and runs Sitehooks. The checks need more; make setup brings it.
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := bash
.PHONY: help run demo build setup test lint format bench screenshots assets assets-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the console on http://127.0.0.1:8080, its data in ./data
	go run . serve

demo: ## the same with sample data, a receiver and a simulator
	go run . demo

build: ## bin/sitehooks, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o bin/sitehooks .

setup: ## install what the tests need (as root, on Debian)
	@bash .ci/setup

test: ## every check and test, on both databases and in a browser
	@bash .ci/test

lint: ## format check and linters only
	@. .ci/tools && lint=$$(tool golangci-lint) && "$$lint" fmt --diff && "$$lint" run ./...

format: ## put all Go files into the house's format
	@. .ci/tools && "$$(tool golangci-lint)" fmt

bench: ## speed, each figure beside the raw loop it is compared with
	go test -run '^$$' -bench . -timeout 30m ./app

screenshots: ## the pictures of the documentation, from a running demo
	go test -tags screenshots -count=1 -run '^TestScreenshots$$' ./app

assets: ## unpack the design system into static/vendor
	@bash .ci/assets

assets-check: ## are the files in static/vendor those of the pinned packages?
	@bash .ci/assets --check
