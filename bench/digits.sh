#!/bin/sh
# Whether one seed gives one number: REPEATS boots of KERNEL for UDP of 64 bytes, and as many
# for TCP_RR, two at a time, and how many different numbers they gave.
#
#	bench/digits.sh REPEATS KERNEL [ARGUMENTS OF netab count...]
#
# 20 repeats take 3 minutes on 2 CPUs, arm64 (--arch arm64) likewise; beside other work
# longer, and to the same digits. It fails where they are not.
set -eu
cd "$(dirname "$0")/.."
repeats=$1 kernel=$2
shift 2
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
status=0
for traffic in '{protocol: udp, message: 64}' '{kind: rr, protocol: tcp, message: 1}'; do
	printf 'name: digits\nquestion: Does one seed give one number?\ntopology: loopback\ntraffic: %s\narms: {plain: {}}\n' "$traffic" >"$said/digits.yaml"
	bin/netab count "$said/digits.yaml" --kernels "$kernel" --seeds 1 --repeats "$repeats" --functions=false --quiet --json --store "$said/store" "$@" >"$said/json"
	jq -r '.arms[0].boots[].instructions' "$said/json" | sort | uniq -c | sort -rn >"$said/numbers"
	echo "$traffic: $(wc -l <"$said/numbers") different of $(jq '.arms[0].boots | length' "$said/json"): $(head -n 3 "$said/numbers" | awk '{ printf("%s%d times %s", (NR > 1 ? ", " : ""), $1, $2) }')"
	[ "$(wc -l <"$said/numbers")" = 1 ] || status=1
done
exit $status
