#!/bin/sh
# Does a campaign of kernels find a slowdown that was put there? The source of TCP on
# loopback is slowed down by 30 % on the second of two kernels, in both of its arms (RPS
# off and to the sink); each kernel is booted five times, and all boots together measure
# for so long as is asked. So often as is asked, with another seed each time. Right is a
# campaign in which each arm is a regression on the second kernel. A campaign of 120 s
# takes three minutes on 2 CPUs under TCG, so five take fifteen; nothing else may run
# meanwhile.
#
#	bench/planted.sh [CAMPAIGNS [KERNEL KERNEL [TIME]]]
#
# Where others share the machine's cores a rate wanders for seconds. One boot after the other
# (--set guest.turns=off) that was in most of what boots scattered by, and neither 6 s of
# each (60 s) nor 12 s were enough to tell 30 % by five of each always (docs/soak.md).
#
# The two kernels differ by themselves too, so what was found is not 30 %: with one and
# the same kernel twice (a second name of it) it is. It takes jq (make tools).
set -eu
export NETAB_EXPLAIN=off # what is asked here is the verdict
netab=$(cd "$(dirname "$0")/.." && pwd)/bin/netab
campaigns=${1:-5}
first=${2:-apt:linux-image-6.1.0-57-cloud-amd64}
second=${3:-apt:linux-image-6.12-cloud-amd64}
time=${4:-120s}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/planted.yaml" <<END
name: planted
question: Does a campaign find a slowdown of 30 % on one of its kernels?
placement: distinct
topology: loopback
traffic: {protocol: tcp, message: 128K}
matrix:
  kernel:
    path: . # a level says more than which kernel it is, so arms of both are still called alike
    levels:
      plain: {kernel: "$first"}
      slowed: {kernel: "$second", traffic: {source: {slowdown: 30%}}}
  rps: {path: knobs.device.sink.rps_cpus, levels: {"off": none, sink: sink}}
measure: {boots: 5, max_time: $time}
END

right=0 changes='' took=''
for i in $(seq "$campaigns"); do
	began=$(date +%s)
	"$netab" run "$dir/planted.yaml" --store "$dir/store" --seed "$i" --quiet --json >"$dir/said" 2>"$dir/log" || { tail -n 5 "$dir/log" >&2; exit 1; }
	verdicts=$(jq -r '[.comparisons[] | select(.judged) | .verdict] | join(" ")' "$dir/said")
	[ "$verdicts" != "regression regression" ] || right=$((right + 1))
	change=$(jq -r '[.comparisons[] | select(.judged) | "\(.change * 1000 | round / 10) % (\(.lo * 1000 | round / 10) to \(.hi * 1000 | round / 10))"] | join(" and ")' "$dir/said")
	failed=$(jq -r '.campaign.failed_boots | length' "$dir/said")
	echo "campaign $i: $verdicts: $change, $failed boots failed" >&2
	changes="$changes; $change" took="$took $(($(date +%s) - began))"
done
echo "both arms a regression in $right of $campaigns${changes}; seconds:$took"
[ "$right" = "$campaigns" ]
