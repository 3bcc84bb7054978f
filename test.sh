#!/bin/sh
# All tests. Packages one after the other (-p 1): several of them measure, or
# change the machine under its one lock.
set -eu
cd "$(dirname "$0")"

# The race detector needs cgo, and distorts timing: it is for what judges, keeps,
# plans and talks to agents. The loops that send and receive are raw system calls
# of single threads (runner/traffic). What -short leaves out (counts over many
# runs, kills at every step) comes without it, below.
CGO_ENABLED=1 go test -race -short -p 2 ./analysis ./analysis/calibration \
	./results ./scenarios ./runner/agent ./runner/host ./runner/knob ./runner/probe
# -count=1: they build the binary and ask the kernel, which the test cache knows
# nothing of.
go test -count=1 -p 1 -timeout 30m $(go list ./... | grep -v -e '/results$' -e '/scenarios$' -e '/runner/probe$')
