#!/bin/sh
# Builds a small kernel for guests out of Debian's source, as a kernel of one's own:
# tinyconfig and bench/kernel.config. Interrupted, it goes on where it was. It takes
# flex, bison, bc, gcc, make, xz, libelf-dev, and a few minutes of 2 CPUs.
#
#	bench/kernel.sh [DIR]		(default: ~/.cache/netab-tests/kernel-own)
#
# It prints the build tree, which is a name of the kernel: netab run ... --kernels TREE
set -eu
config=$(cd "$(dirname "$0")" && pwd)/kernel.config
dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/netab-tests/kernel-own}
mkdir -p "$dir"
cd "$dir"
if [ ! -d linux ]; then
	rm -rf new
	mkdir new
	(cd new && apt-get download linux-source-6.1 && dpkg-deb -x ./*.deb .) >log 2>&1 || { tail -n 5 log >&2; exit 1; }
	mkdir new/linux
	tar -xf new/usr/src/linux-source-*.tar.xz -C new/linux --strip-components=1
	mv new/linux linux
	rm -rf new
fi
cd linux
if ! cmp -s "$config" ../kernel.config; then
	make -s tinyconfig >../log 2>&1
	cat "$config" >>.config
	make -s olddefconfig >../log 2>&1
	for option in $(grep -o '^CONFIG_[A-Z0-9_]*=y' "$config"); do
		grep -q "^$option$" .config || { echo "this source has no $option" >&2; exit 1; }
	done
	cp "$config" ../kernel.config
fi
make -s -j"$(nproc)" bzImage vmlinux >../log 2>&1 || { tail -n 20 ../log >&2; exit 1; }
pwd
