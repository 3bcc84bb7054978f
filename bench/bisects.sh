#!/bin/sh
# How often netab bisect is right on real kernel source: RUNS bisections of COMMITS commits
# (bench/bisect.sh), in each of which one commit, another each time, has LOOPS turns of a spin
# planted in udp_sendmsg. A run that is on record in bisects.tsv is not made again, so that
# what was interrupted goes on; a source that was built is not built again.
#
#	bench/bisects.sh COMMITS LOOPS RUNS
#
# Right is a step that has the planted commit, among those that could not be tested if it
# is one of them. With LOOPS 0 nothing is planted, and right is "no change".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
commits=$1 loops=$2 runs=$3
cache=${XDG_CACHE_HOME:-$HOME/.cache}/netab-tests
mkdir -p "$cache"
record=$cache/bisects.tsv
export BUILT="$cache/bisect-builds"
touch "$record"
netab=$(git -C "$here" describe --always --dirty)
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT

run=0
while [ "$run" -lt "$runs" ]; do
	run=$((run + 1))
	bad=$(((run * 7 + commits / 3) % commits + 1)) # 7 has no divisor of 16 or 64: another place each time
	key="$commits	$loops	$bad	$netab"
	! grep -qF "$key	" "$record" || continue
	began=$(date +%s)
	said=$store/said
	status=0
	"$here/bisect.sh" "$commits" "$bad" "$loops" --mode count --json --store "$store" >"$said" 2>"$store/log" || status=$?
	[ "$status" = 0 ] || [ "$status" = 3 ] || { tail -n 5 "$store/log" >&2; exit "$status"; }
	found=$(sed -n '/^  "answer"/,/^  }/ { s/^    "outcome": "\(.*\)",*$/\1/p; }' "$said")
	after=$(sed -n '/^  "answer"/,/^  }/ { s/^ *"after": \([0-9]*\),*$/\1/p; }' "$said" | head -n 1)
	at=$(sed -n '/^  "answer"/,/^  }/ { s/^ *"at": \([0-9]*\),*$/\1/p; }' "$said" | head -n 1)
	tests=$(sed -n '/^  "answer"/,/^  }/ { s/^    "tests": \([0-9]*\),*$/\1/p; }' "$said")
	right=no
	if [ "$loops" = 0 ]; then
		[ "$found" != no-change ] || right=yes
	elif [ "$found" = found ] && [ "$after" -lt "$bad" ] && [ "$bad" -le "$at" ]; then
		right=yes
	fi
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$key" "$right" "$found" "${after:-}-${at:-}" "$tests" "$(grep -c '^made' "$store/log")" "$(($(date +%s) - began))" | tee -a "$record" >&2
	rm -rf "$store/.bisection"
done
awk -F '\t' -v c="$commits" -v l="$loops" -v n="$netab" '$1 == c && $2 == l && $4 == n { all++; right += $5 == "yes"; tests += $8; s += $10 }
	END { printf "%d of %d right; on average %.1f tests, %.0f s\n", right, all, tests / all, s / all }' "$record"
