#!/bin/sh
# What takes long, with its figures: each step prints a line of Markdown for
# docs/soak.md, with machine and commit. Nothing else may run meanwhile.
#
#	bench/soak.sh [suite] [kills] [thousand] [guests] [planted] [counts] [bisects] [reboots] [switchers] [page] [fuzz] [race] [aa] [gates] [audit] [explain]	(default: all)
#
# EXPLAIN are arguments of bench/explain (-cause-runs 20 -same-runs 20: 105 minutes), EXPLAINED is
# where its runs stay, which it goes on with.
# FUZZ selects fuzz targets by a regular expression (default: all), FUZZTIME is how
# long each is tried (600s: all take eight hours).
set -eu
export NETAB_EXPLAIN=off # what is asked here is the verdict
cd "$(dirname "$0")/.."
commit=$(git describe --always --dirty)
machine="$(nproc) CPUs ($(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)), Linux $(uname -r)"
log=$(mktemp)

line() { # what, figures
	printf '| %s | %s | %s | %s | %s |\n' "$(date -u +%Y-%m-%d)" "$commit" "$machine" "$1" "$2"
}

# suite: all tests five times, twice of them beside a program that takes all CPUs
# for 20 ms of every 80: the first too, as it is likeliest to find a fault.
suite() {
	go build -o bin/hog ./test/hog
	green=0 times=
	for i in 1 2 3 4 5; do
		beside=
		case $i in 1|3) beside=bin/hog ;; esac
		began=$(date +%s)
		if $beside make test >"$log" 2>&1; then
			green=$((green + 1))
		else
			grep -v '^ok\|no test files' "$log" | tail -n 40 >&2
			break # five in a row it is not
		fi
		times="$times $(( ($(date +%s) - began) / 60 ))"
	done
	line '`make test` five times, the first and the third with CPUs taken away' "$green of 5 green; minutes:$times"
	[ "$green" = 5 ]
}

kills() {
	NETAB_TEST_LONG=1 go test ./test ./runner/knob -count=1 -p 1 -timeout 1h -run 'TestKill' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line '30 kills each of veth, NIC and host-wide runs, one at each step of changing and restoring settings' "restored: $(grep '^ok' "$log" | awk '{ printf "%s%s %s", sep, $2, $3; sep = ", " }')"
}

# thousand: random kills of the runner, of an agent and of both while settings of the
# machine are switched at every slice; the machine is compared after each.
thousand() {
	NETAB_TEST_KILLS=500 go test ./test -count=1 -timeout 4h -run 'TestKill(NIC|HostWide)$' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line '500 random kills each (runner, agent, both) of NIC and host-wide runs' "the machine as before after all of them: $(grep '^ok' "$log" | awk '{ print $2, $3 }')"
}

# guests: every way in which a guest ends, from inside and from the command line;
# kernels of three releases, of packages and of one's own build (bench/kernel.sh, some
# minutes the first time; it takes flex, bison, bc, rpm and libelf-dev).
guests() {
	NETAB_TEST_LONG=1 go test ./runner/guest ./test -count=1 -p 1 -timeout 1h -run 'Boot|Panic|Report|Ends|Interrupt|LineFails|Fastest|TestKilled|TestGuest|TestCampaign|TestKernels' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line 'guests: every end, and netab itself in one; kernels of all kinds' "$(grep -c '^ *--- PASS' "$log") tests green, $(grep -c '^ *--- SKIP' "$log") skipped: $(sed -n 's/.*kernels_test.go:[0-9]*: \([^,]*\),.*: \([0-9]* trials\), boot over after \(.*\)/\1 \2 \3/p' "$log" | paste -sd , | sed 's/,/, /g')"
}

# planted: what a campaign of kernels must find.
planted() {
	status=0
	figures=$(bench/planted.sh 5) || status=$?
	line '30 % of slowdown planted on one of two kernels (6.1.0-57 and 6.12, Debian, cloud), TCP on loopback, RPS off and to the sink, 5 boots of each, 120 s together, five times' "$figures"
	return $status
}

# reboots: a machine with a disk boots itself, and its power is cut. One of the tests
# has a real GRUB, which is installed for it and changes nothing of this machine's boot.
reboots() {
	command -v grub-mkimage >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends grub-common grub-pc-bin >"$log" 2>&1 || { tail -n 5 "$log" >&2; return 1; }
	NETAB_TEST_LONG=1 go test ./test -count=1 -timeout 1h -run 'TestReboots' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line 'boots of a machine by kexec and by GRUB, its power cut in a run, when a boot is armed and while it comes up; a kernel that panics' "$(grep -c '^ *--- PASS' "$log") tests green, $(grep -c 'diskinit: up:' "$log") boots, nothing lost; $(grep '^ok' "$log" | awk '{ print $3 }')"
}

# switchers: every command line of people who come from other tools, for 0.2 s.
switchers() {
	NETAB_TEST_LONG=1 go test ./test -count=1 -timeout 1h -run 'TestSwitchers$' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line 'the command lines of cmd/netab/translate/testdata/switchers.txt, translated and measured' "$(grep -c '^ *--- PASS' "$log") test green"
}

# page: the report of 64 arms, in the browser.
page() {
	NETAB_TEST_LONG=1 go test ./analysis/report/html -count=1 -timeout 1h -run 'ManyArms' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line 'the report of 64 arms and 100 trials, opened, sorted and filtered' "$(sed -n 's/.*: \([0-9]* bytes, loaded after .*\)/\1/p' "$log")"
}

# counts: how often one seed gives one number, beside another boot, and what two kernels of
# Debian's differ by.
counts() {
	store=$(mktemp -d)
	kernels=apt:linux-image-6.1.0-57-cloud-amd64,apt:linux-image-6.12-cloud-amd64
	line '`bench/digits.sh 20`, one seed' "$(bench/digits.sh 20 "${kernels%%,*}" | paste -sd ';')"
	for scenario in udp-rr tcp-crr; do
		bin/netab count "$scenario" --kernels "$kernels" --seeds 4 --functions=false --quiet --store "$store" >"$log"
		line "\`netab count $scenario\` of $kernels" "$(grep -m 1 ' against ' "$log")"
	done
	command -v qemu-system-aarch64 >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-system-arm >"$log" 2>&1 || { tail -n 5 "$log" >&2; return 1; }
	make -s build-arm64
	arm=apt:linux-image-6.1.0-57-cloud-arm64,apt:linux-image-6.12-cloud-arm64
	line '`bench/digits.sh 20 --arch arm64`, one seed' "$(bench/digits.sh 20 "${arm%%,*}" --arch arm64 | paste -sd ';')"
	for scenario in udp-rr tcp-crr; do
		bin/netab count "$scenario" --arch arm64 --kernels "$arm" --seeds 4 --functions=false --quiet --store "$store" >"$log"
		line "\`netab count $scenario --arch arm64\` of $arm" "$(grep -m 1 ' against ' "$log")"
	done
	rm -r "$store"
}

# bisects: a planted commit found in real kernel source, and the same source built twice.
# The first time it builds a kernel (bench/kernel.sh); what was built and answered once is
# not done again, so that it may be ended and begun again.
bisects() {
	NETAB_TEST_LONG=1 go test ./test -count=1 -run 'TestBisectMeasured$' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line '`git bisect run netab run --bisect` on four commits' "right; $(grep '^ok' "$log" | awk '{ print $3 }')"
	for of in "16 26 10" "64 26 10" "16 9 20"; do
		set -- $of
		line "\`bench/bisects.sh $of\`: $1 commits of Linux 6.1.192, a spin of $2 turns planted in one, two that do not build, one that panics" "$(bench/bisects.sh $of)"
	done
	line '`bench/twice.sh 20`: the same source built twice, UDP of 64 bytes' "$(bench/twice.sh 20)"
}

# release: made twice for all architectures, from the same commit.
release() {
	one=$(mktemp -d) two=$(mktemp -d)
	./release.sh -o "$one" >"$log" 2>&1 && ./release.sh -o "$two" >"$log" 2>&1 && diff -r "$one" "$two" >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line 'a release, made twice' "$(wc -l <"$one/SHA256SUMS") files, the same bytes"
	rm -r "$one" "$two"
}

# fuzz: each target alone. What it finds lies in testdata/fuzz of its package. Go takes
# a process for hung that says nothing for a second (internal/fuzz, workerTimeoutDuration),
# which one that gets no CPU does too: what fails only so is no find, and it goes on for
# the rest of its time.
fuzz() {
	grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' . | sed 's/:func / /' | grep -E "${FUZZ:-.}" | sort | while read -r file target; do
		package=$(dirname "$file")
		found=nothing executions=0 time=${FUZZTIME:-600s} starved=0
		over=$(($(date +%s) + ${time%s}))
		while left=$((over - $(date +%s))) && [ "$left" -gt 0 ]; do
			status=0
			go test "$package" -run '^$' -toolexec "$PWD/bench/fuzzexec.sh" -fuzz "^$target\$" -fuzztime "${left}s" -fuzzminimizetime 20x >"$log" 2>&1 || status=$?
			executions=$((executions + $(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -n 1 | grep . || echo 0)))
			[ "$status" != 0 ] || break
			found=$(grep -m 1 'Failing input written to' "$log" || tail -n 1 "$log")
			input=$(echo "$found" | sed -n 's/.*Failing input written to //p')
			if [ -n "$input" ] && grep -q 'fuzzing process hung or terminated unexpectedly' "$log" && go test "$package" -count=1 -timeout 60s -run "^$target\$" >/dev/null 2>&1; then
				rm "$package/$input"
				rmdir "$package/${input%/*}" 2>/dev/null || :
				found=nothing starved=$((starved + 1))
				continue
			fi
			tail -n 40 "$log" >&2
			break
		done
		[ "$starved" = 0 ] || starved_text=", $starved times stopped for want of CPU"
		line "fuzzing $package $target, $time" "$executions executions${starved_text:-}, found: $found"
		starved_text=
	done
}

# race: what make test has no time for under the race detector.
race() {
	CGO_ENABLED=1 go test -race -short -count=1 -p 2 -timeout 1h ./analysis/... ./cmd/netab/... ./scenarios ./runner/probe ./runner/verify >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line '`go test -race -short` of analysis/..., cmd/netab, scenarios, runner/probe and runner/verify' "no races; seconds: $(awk '$1 == "ok" { sub("s$", "", $3); n += $3 } END { print int(n) }' "$log") of all packages together"
}

aa() {
	bin/netab calibrate same --runs 60 --injected 0 --whole 0 --resolution 3% --max-time 30s >"$log" 2>&1
	line '60 A/A runs, resolution 3 %, 30 s at most' "$(grep -m 1 'A/A' "$log")"
}

gates() {
	status=0
	bench/gate.sh >"$log" || status=$?
	line 'a gate on a slowdown of 4 % and on none, 20 times each' "$(tail -n 1 "$log" | sed 's/;.*//')"
	return $status
}

audit() {
	status=0
	go run ./bench/audit >"$log" 2>&1 || status=$?
	cat "$log" >&2
	line 'the audit of verdicts, 500 of each world' "$(grep -c '| yes |$' "$log") of $(grep -c '| yes |$\|| \*\*no\*\* |$' "$log") worlds hold"
	return $status
}

# explain: do predicted and measured agree, are causes named, what do instruments cost;
# then explanations in guests with older kernels. 45 minutes.
explain() {
	for program in nft tc ip; do
		command -v "$program" >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nftables iproute2 >"$log" 2>&1 || { tail -n 5 "$log" >&2; return 1; }
	done
	store=${EXPLAINED:-$(mktemp -d)}
	go build -o bin/bench/explain ./bench/explain
	bin/bench/explain -store "$store" ${EXPLAIN:-} >"$log" || return 1
	while IFS="$(printf '\t')" read -r what figures; do
		line "$what" "$figures"
	done <"$log"
	echo "the runs are in $store" >&2
	NETAB_TEST_LONG=1 go test ./test -count=1 -timeout 1h -run 'TestGuestExplained$' -v >"$log" 2>&1 || { tail -n 40 "$log" >&2; return 1; }
	line 'explanations in guests' "$(sed -n 's/.*explain_guest_test.go:[0-9]*: //p' "$log" | paste -sd ';' | sed 's/;/; /g')"
}

make -s build
for step in ${*:-suite kills thousand guests planted counts bisects reboots switchers page release fuzz race aa gates audit explain}; do
	"$step"
done
rm -f "$log"
