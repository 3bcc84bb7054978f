#!/bin/sh
# Kernels for many bisections of the same source (bench/bisect.sh with BUILT=DIR): each
# source is built once, in one tree for all, and kept by the hash of its files.
#
#	bench/built.sh init DIR SOURCE REPOSITORY	SOURCE is built, REPOSITORY has its base
#	bench/built.sh build DIR			in a clone, at the commit that is wanted
set -eu
what=$1 dir=$2
case $what in
init)
	source=$3 repository=$4
	[ ! -e "$dir/done" ] || exit 0
	rm -rf "$dir"
	mkdir -p "$dir/template/info"
	# A clone that only says which commit is wanted needs one file of 80,000.
	echo /net/ipv4/udp.c >"$dir/template/info/sparse-checkout"
	printf '[core]\n\tsparseCheckout = true\n' >"$dir/template/config"
	cp -a "$source" "$dir/tree"
	rm -rf "$dir/tree/.git"
	git clone -q --shared --no-checkout "$repository" "$dir/clone"
	mv "$dir/clone/.git" "$dir/tree/.git"
	rm -rf "$dir/clone"
	git -C "$dir/tree" reset -q # what is built from stays as old as it is
	# The tools' rules know where they are, and all is built anew where a tool is.
	find "$dir/tree/tools" -name '.*.cmd' | while read -r rule; do
		touch -r "$rule" "$dir/when"
		sed -i "s|$source|$dir/tree|g" "$rule"
		touch -r "$dir/when" "$rule"
	done
	touch "$dir/done"
	;;
build)
	at=$dir/$(git rev-parse 'HEAD^{tree}')
	if [ ! -e "$at/done" ]; then
		rm -rf "$at"
		mkdir -p "$at"
		git -C "$dir/tree" fetch -q "$PWD" HEAD
		git -C "$dir/tree" checkout -qf FETCH_HEAD
		if make -C "$dir/tree" -s -j"$(nproc)" vmlinux >"$at/log" 2>&1; then
			cp "$dir/tree/vmlinux" "$dir/tree/System.map" "$dir/tree/.config" "$at"
		fi
		touch "$at/done"
	fi
	[ -e "$at/vmlinux" ] || { cat "$at/log" >&2; exit 2; }
	mkdir -p include/config
	cp "$at/vmlinux" "$at/System.map" "$at/.config" .
	;;
esac
