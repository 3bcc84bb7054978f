#!/bin/sh
# Does a gate fail when it should, and only then? A scenario whose source is
# slowed down by 4 % must fail it, and one that is not slowed down must pass, 20
# times each in turn, on this machine. The store stays in DIR for a look.
#
#	bench/gate.sh [RUNS [DIR]]
set -eu
export NETAB_EXPLAIN=off # what is asked here is the verdict
runs=${1:-20}
dir=${2:-$(mktemp -d)}
netab=$(dirname "$0")/../bin/netab

# judge SHARE: measure with the source slowed down by it and return the gate's
# status.
judge() {
	"$netab" run slowdown --store "$dir" --quiet --resolution 3% --max-time 15s \
		--set "arms.slower.traffic.source.slowdown=$1" || return
	"$netab" gate latest --store "$dir" --chat
}

wrong=0
for i in $(seq "$runs"); do
	for case in '4% 1' '0 0'; do
		set -- $case
		status=0
		judge "$1" || status=$?
		if [ "$status" -ne "$2" ]; then
			wrong=$((wrong + 1))
			echo "run $i, slowed down by $1: exit status $status, want $2"
		fi
	done
done
echo "$((2 * runs)) gates, $wrong wrong; the runs are in $dir"
[ "$wrong" -eq 0 ]
