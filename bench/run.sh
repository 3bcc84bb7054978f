#!/bin/sh
# netab's traffic loops against a bare C loop, iperf3, nuttcp and sockperf, and
# against what they were built for: `make bench`. Arguments go to bench/peers
# (see -help; -list names the lines, -run chooses); about fifteen minutes, as root.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
	echo 'bench: run as root: the flows need network namespaces of their own' >&2
	exit 1
fi
if ! command -v nsenter >/dev/null || ! command -v taskset >/dev/null; then
	echo 'bench: nsenter or taskset missing: install the package util-linux' >&2
	exit 1
fi

missing=
for tool in gcc iperf3 nuttcp sockperf; do
	command -v "$tool" >/dev/null || missing="$missing $tool"
done
case "$missing" in *gcc*) missing="$missing libc6-dev" ;; esac
if [ -n "$missing" ] && command -v apt-get >/dev/null; then
	# iperf3's package would ask whether to start a daemon. A peer that cannot be
	# had is missing in its own lines only, which say so.
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2 ||
		echo "bench: could not install$missing" >&2
fi

mkdir -p bin/bench
if command -v gcc >/dev/null; then
	gcc -Wall -Wextra -O2 -pthread -o bin/bench/bareloop bench/peers/bareloop.c
fi
CGO_ENABLED=0 "${GO:-go}" build -trimpath -ldflags '-s -w' -o bin/bench/peers ./bench/peers
exec bin/bench/peers --bareloop bin/bench/bareloop "$@"
