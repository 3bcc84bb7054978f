#!/bin/sh
# Installs what the tests need and a fresh Debian-like machine lacks: chromium
# (the report is opened in a real browser), iperf3, nuttcp, sockperf and a C
# compiler (the peers of our own traffic), iproute2, xz (what it compresses is what
# kernels' packages hold). Without root or apt it says what to install.
set -eu

missing=
need() { # command, Debian packages
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need chromium chromium
need iperf3 iperf3
need nuttcp nuttcp
need sockperf sockperf
need gcc "gcc libc6-dev"
need ip iproute2
need npm npm
need xz xz-utils
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing:$missing"
	log=$(mktemp)
	if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
		rm -f "$log"
		exit 0
	fi
	tail -n 20 "$log" >&2
	exit 1
fi
echo "tests need what is not installed here:$missing" >&2
echo "install it (as root: apt-get install$missing) and run make test again" >&2
exit 1
