#!/bin/sh
# The same source built twice, by other people at other times, and counted with SEEDS seeds
# each: what a bisection would make of a commit that changes nothing.
#
#	bench/twice.sh SEEDS
#
# The first time it builds a kernel (bench/kernel.sh, 3 to 8 minutes on 2 CPUs). After that
# 20 seeds, 40 boots of some 5 s, two at a time, take 2 minutes. It fails where the change is
# not inside 0.1 %.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$("$here/kernel.sh")
two=$(mktemp -d)
trap 'rm -rf "$two"' EXIT
for who in alice bob; do
	# It says who built it: vmlinux is linked anew.
	KBUILD_BUILD_USER=$who KBUILD_BUILD_HOST=$who make -C "$tree" -s -j"$(nproc)" vmlinux >"$two/log" 2>&1 || { tail -n 20 "$two/log" >&2; exit 1; }
	mkdir -p "$two/$who/boot"
	cp "$tree/vmlinux" "$two/$who/boot/vmlinuz-own"
	cp "$tree/.config" "$two/$who/boot/config-own"
done
! cmp -s "$two/alice/boot/vmlinuz-own" "$two/bob/boot/vmlinuz-own" || { echo "the two have the same bytes: nothing was built twice" >&2; exit 1; }
printf 'name: twice\nquestion: What does a datagram cost?\ntopology: loopback\ntraffic: {protocol: udp, message: 64}\narms: {plain: {}}\n' >"$two/twice.yaml"
"$here/../bin/netab" count "$two/twice.yaml" --kernels "$two/alice,$two/bob" --seeds "$1" --functions=false --quiet --json --store "$two/store" >"$two/said"
jq -r '.comparisons[0] | "identical to the digit with \(.identical) of \(.paired) seeds; change \(100 * .change) % (\(100 * .lo) to \(100 * .hi))"' "$two/said"
jq -e '.comparisons[0] | .paired > 0 and (.identical == .paired or (.lo > -0.001 and .hi < 0.001))' "$two/said" >/dev/null
