#!/bin/sh
# Do trials that keep their agents' processes scatter like trials with fresh ones?
# RUNS runs of a scenario of each kind in turn, on a machine that does nothing else,
# then the ratio of their scatter. The stores stay in DIR; a run that is there is not
# made again.
#
#	bench/keep.sh [RUNS [SCENARIO [DIR [SECONDS]]]]
set -eu
export NETAB_EXPLAIN=off # what is asked here is the verdict
runs=${1:-60}
scenario=${2:-veth-rps}
dir=${3:-$(mktemp -d)}
seconds=${4:-20}
here=$(dirname "$0")

have() { find "$dir/$1" -name run.jsonl 2>/dev/null | wc -l; }

for i in $(seq "$runs"); do
	# Which comes first changes from pair to pair: neither is always the one after.
	if [ $((i % 2)) -eq 0 ]; then pair='fresh kept'; else pair='kept fresh'; fi
	for processes in $pair; do
		[ "$(have "$processes")" -lt "$i" ] || continue
		NETAB_PROCESSES=$processes "$here/../bin/netab" run "$scenario" --store "$dir/$processes" \
			--quiet --max-time "${seconds}s" || echo "run $i, $processes: exit status $?"
	done
done
go run "$here/keep" "$dir/fresh" "$dir/kept"
echo "the runs are in $dir"
