#!/bin/sh
# All tests, in three parts, and at the end what each package took.
set -eu
cd "$(dirname "$0")"
said=$(mktemp)
trap 'rm -f "$said"' EXIT
exec 3>&1

# tests runs go test and keeps what it says; what fails ends nothing, so that one run
# shows all that fails. vet is `make check`'s.
failed=0
tests() {
	status=$({ { go test -vet=off "$@" 2>&1 && echo 0 >&4 || echo 1 >&4; } | tee -a "$said" >&3; } 4>&1)
	[ "$status" = 0 ] || failed=1
}

# The race detector needs cgo, and distorts timing: it is for packages that have
# goroutines and memory in common (test/layers holds the list against the code). The
# loops that send and receive are raw system calls of single threads (runner/traffic).
# What -short leaves out (kills at every step) comes without it, below; what takes
# minutes under it (cmd/netab, proofs, trends) is for make soak.
CGO_ENABLED=1 tests -race -short -p 2 ./results ./results/disk ./results/crew ./runner/agent ./runner/host \
	./runner/knob ./runner/packet ./runner/pktgen ./runner/topology
# -count=1: they build the binary and ask the kernel, which the test cache knows
# nothing of. First what only computes, the longest first.
known='/results$|/results/crew$' # are done with
measures='^netab/(runner|bench|test)(/|$)'
computes='^netab/(bench/(audit|drive|keep|slices|states)|runner/campaign|runner/guest/(arch|cpio|execlog|kallsyms)|test/(layers|lint))$' # of those
packages=$(go list ./... | grep -Ev "$known")
alone=$(echo "$packages" | grep -E "$measures" | grep -Ev "$computes")
tests -count=1 -p 2 ./analysis/report/html $(echo "$packages" | grep -Ev "$measures|/analysis/report/html\$"; echo "$packages" | grep -E "$computes")
# One after the other: several of them measure, or change the machine under its
# one lock.
tests -count=1 -p 1 -timeout 30m $alone

echo 'seconds by package (the first part under the race detector):'
awk '$1 == "ok" && sub("s$", "", $3) && $3 >= 1 { printf "%6.0f  %s\n", $3, $2 }' "$said" | sort -rn
[ "$failed" = 0 ] || { echo 'failed:' && sed -n 's/^ *--- FAIL: /  /p; s/^FAIL[[:space:]]\{1,\}netab/  netab/p' "$said"; } >&2
exit "$failed"
