#!/bin/sh
# The same source built twice, by other people at other times, and counted with SEEDS seeds
# each: what a bisection would make of a commit that changes nothing.
#
#	bench/twice.sh SEEDS
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
"$here/../bin/netab" count same --set traffic.protocol=udp --set traffic.message=64 --kernels "$two/alice,$two/bob" --seeds "$1" --functions=false --quiet --json --store "$two/store" >"$two/said"
field() { sed -n '/^  "comparisons"/,/^  \]/ { s/^      "'"$1"'": \(.*[^,]\),*$/\1/p; }' "$two/said"; }
echo "identical to the digit with $(field identical) of $(field paired) seeds; change $(field change) ($(field lo) to $(field hi))"
