# netab's two commands: `make demo` measures for real, `make test` passes the
# tests. Both do all set-up that they need.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GO       ?= go
NETAB    := bin/netab
ECHARTS  := analysis/report/html/assets/echarts.min.js
NOTICES  := echarts/NOTICE echarts/LICENSE echarts/licenses/LICENSE-d3 zrender/LICENSE
GOFILES  := analysis bench cmd results runner scenarios test
SOURCES  := $(shell find . -name '*.go' -not -path './node_modules/*' -o -name '*.yaml' -path './scenarios/*' -o -path './analysis/report/html/page/*') go.mod go.sum

export CGO_ENABLED = 0

.DELETE_ON_ERROR: # half a chart library must not look like one

.PHONY: bpf demo build build-arm64 test check soak audit bench bench-slices bench-aa bench-gate bench-canaries man release clean tools qemu10

## demo: what does receive packet steering on loopback do to TCP, here, now?
demo: build
	$(NETAB) run loopback-rps

build: $(NETAB)

$(NETAB): $(SOURCES) $(ECHARTS)
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/netab

## build-arm64: the netab that guests of arm64 boot (netab count --arch arm64), beside bin/netab
build-arm64: $(NETAB)-arm64

$(NETAB)-%: $(SOURCES) $(ECHARTS)
	GOARCH=$* $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/netab

# ECharts comes from the npm registry by lock file and is embedded, so that a
# report opens offline. The packages compile without it, so that whoever only
# checks needs no npm; a binary needs it, or else each report that it is asked
# for would fail with one line after the measurement. What its licence asks to go with it is embedded too, and
# kept in git: `git diff` shows what another version of ECharts changes in it.
$(ECHARTS): analysis/report/html/package.json analysis/report/html/package-lock.json
	cd analysis/report/html && npm ci --silent --ignore-scripts
	cd analysis/report/html/node_modules && for f in $(NOTICES); do printf '== %s ==\n\n' $$f; cat $$f; echo; done >../assets/licenses.txt
	cp analysis/report/html/node_modules/echarts/dist/echarts.min.js $@

## test: everything; installs what it needs with apt, if it may
test: tools build check
	./test.sh

## check: what needs no privileges, no npm, and measures nothing
# ("alse" is no misspelling: the schema of scenarios has the pattern "[Ff]alse"; nor is "rela", a kind of section)
check:
	@test -z "$$(gofmt -l $(GOFILES))" || { gofmt -l $(GOFILES); echo 'run gofmt -w on these files'; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags man ./cmd/netab && GOARCH=arm64 $(GO) vet ./cmd/netab/... ./runner/... && GOARCH=arm64 $(GO) build -o /dev/null ./cmd/netab
	$(GO) tool staticcheck ./...
	$(GO) build -o bin/lint ./test/lint && $(GO) vet -vettool=$(CURDIR)/bin/lint ./...
	find $(GOFILES) docs *.md \( -name node_modules -o -name testdata -o -name assets -o -path results/runs \) -prune -o -type f -print0 | xargs -0 $(GO) tool misspell -error -i alse,rela

tools:
	./tools.sh

## qemu10: Debian 13's QEMU beside the build, for counts in guests of two CPUs (netab count --cpus 2 --qemu bin/qemu10/qemu-system-x86_64)
qemu10:
	./qemu10.sh

## bench: our traffic against a bare C loop, iperf3, nuttcp and sockperf, side by side in slices
bench: build
	bench/run.sh

## bench-slices: how long slices, settle parts and trials should be
bench-slices: build
	$(GO) run ./bench/slices --output docs/slices.md

## bench-aa: 60 A/A runs; false differences and `equivalent` are counted
bench-aa: build
	$(NETAB) calibrate same --runs 60 --injected 0 --whole 0 --resolution 3% --max-time 30s

## bench-gate: a gate on a slowdown of 4 % and on none, 20 times each
bench-gate: build
	bench/gate.sh

## bench-canaries: what measuring the CPUs themselves costs
bench-canaries: build
	$(GO) run ./bench/canaries

## soak: what takes hours: the suite again and again, kills, fuzzing, A/A runs, gates; prints lines for docs/soak.md
soak: tools build
	bench/soak.sh

## audit: verdicts of the binary on simulated runs, held against the truth by a program that shares no code with the analysis
audit: build
	$(GO) run ./bench/audit

## bpf: the eBPF programs of the explain pass, which are committed; with clang and llvm-strip
bpf:
	$(GO) generate ./runner/explain/...
	clang --version | head -1 >runner/explain/bpf/CLANG

## man: the man pages, in bin/man
man:
	$(GO) run -tags man -ldflags '-X main.version=$(VERSION)' ./cmd/netab man bin/man

## release: static binaries and packages of all architectures with man pages, completions and checksums, in bin/release
release: $(ECHARTS)
	./release.sh -v '$(VERSION)'

clean:
	rm -rf bin analysis/report/html/node_modules $(ECHARTS)
