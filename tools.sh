#!/bin/sh
# Installs what the tests need and a fresh Debian-like machine lacks: chromium
# (the report is opened in a real browser), iperf3, nuttcp, sockperf and a C
# compiler (the peers of our own traffic), iproute2, QEMU with kernels to boot in
# it, xz (what it compresses is what kernels' packages hold), jq (lines of the docs),
# clang (the eBPF programs in git are what it makes of their sources)
# and cpio, which reads what we write. Without root or apt it says what to install.
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
need qemu-system-x86_64 qemu-system-x86
need cpio cpio
need jq jq
need clang clang
need llvm-strip llvm

# The kernels that tests boot, unpacked where test/guests looks for them: they are not
# installed, so nothing of this machine's own boot changes. The second has what one for
# cloud machines lacks.
kernels() {
	kernel kernel linux-image-cloud-amd64
	kernel kernel-full linux-image-amd64
}

kernel() { # directory, Debian package that stands for the newest one
	dir=${XDG_CACHE_HOME:-$HOME/.cache}/netab-tests
	[ "$(uname -m)" = x86_64 ] && command -v apt-get >/dev/null 2>&1 || return 0
	ls "$dir/$1"/boot/vmlinuz-* >/dev/null 2>&1 && return 0
	name=$(apt-cache depends "$2" 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
	[ -n "$name" ] || { echo "tests boot kernels in guests, and apt knows of no $2 (apt-get update?): they are skipped"; return 0; }
	echo "fetching: $name"
	mkdir -p "$dir"
	rm -rf "$dir/new" "${dir:?}/$1"
	mkdir "$dir/new"
	if ! { (cd "$dir/new" && apt-get download "$name") && dpkg-deb -x "$dir"/new/*.deb "$dir/new"; } >"$dir/log" 2>&1; then
		tail -n 5 "$dir/log" >&2
		return 1
	fi
	rm "$dir"/new/*.deb "$dir/log"
	mv "$dir/new" "$dir/$1"
}

[ -n "$missing" ] || { kernels; exit; }

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing:$missing"
	log=$(mktemp)
	if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
		rm -f "$log"
		kernels
		exit
	fi
	tail -n 20 "$log" >&2
	exit 1
fi
echo "tests need what is not installed here:$missing" >&2
echo "install it (as root: apt-get install$missing) and run make test again" >&2
exit 1
