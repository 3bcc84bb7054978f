#!/bin/sh
# What does --budget gain? One sweep, whose truth is known (a source that spins for shares
# of its time), measured for the same time with it (arms that have their verdict rest) and
# without it, PAIRS times in turns. A line a run, then both sums: verdicts of the 11 arms,
# those of them that are wrong, and verdicts a minute of measuring. The defaults take 20
# minutes (6 pairs of 2 × 90 s, and what lies between), on a machine that does nothing else.
#
#	bench/budget.sh [PAIRS [TIME [DIR]]]
set -eu
export NETAB_EXPLAIN=off # what is asked here is the verdict
pairs=${1:-6}
time=${2:-90s}
dir=${3:-$(mktemp -d)}
netab=$(dirname "$0")/../bin/netab
mkdir -p "$dir"

cat >"$dir/sweep.yaml" <<-'EOF'
	name: sweep
	topology: loopback
	traffic: {kind: rr, protocol: tcp, message: 1}
	placement: same
	matrix:
	  slowdown: {path: traffic.source.slowdown, levels: [0%, 0.5%, 1%, 1.5%, 2%, 3%, 4%, 6%, 8%, 12%, 16%, 24%]}
	measure: {resolution: 1%, slice: 8ms, settle: 1ms, trial: 600ms}
EOF

# measure HOW: one run; prints HOW, the verdicts, the wrong ones and the minutes.
measure() {
	limit=--max-time
	[ "$1" = whole ] || limit=--budget
	"$netab" run "$dir/sweep.yaml" --store "$dir/runs" "$limit" "$time" --no-progress --json 2>>"$dir/said" >"$dir/summary.json" || return
	awk -v how="$1" '
		/"duration_s":/ { gsub(/[^0-9.]/, ""); s = $0 }
		/"arm":/ { arm = $2; gsub(/[^0-9.]/, "", arm) }
		/"judged":/ { judged = /true/ }
		judged && /"verdict":/ {
			judged = 0
			if (/inconclusive/) next
			n++
			# All are slower, however little, and may be called so; or alike, up to the resolution.
			if (/improvement/ || arm > 1 && /equivalent/) wrong++
		}
		END { printf "%s\t%d\t%d\t%.2f\n", how, n, wrong, s / 60 }' "$dir/summary.json" | tee -a "$dir/lines"
}

: >"$dir/lines"
for i in $(seq "$pairs"); do
	# Which comes first changes from pair to pair: neither is always the one after.
	if [ $((i % 2)) -eq 0 ]; then pair='whole budget'; else pair='budget whole'; fi
	for how in $pair; do
		measure "$how" || echo "run $i, $how: exit status $?"
	done
done
awk -F '\t' '
	{ runs[$1]++; n[$1] += $2; wrong[$1] += $3; minutes[$1] += $4 }
	END { for (how in runs) printf "%s: %d verdicts (%d wrong) in %d runs and %.1f minutes, %.1f a minute\n", how, n[how], wrong[how], runs[how], minutes[how], n[how] / minutes[how] }' "$dir/lines"
echo "the runs are in $dir"
