#!/bin/sh
# Bisects real kernel source in which one commit made UDP's send path dearer: builds a
# repository of COMMITS commits that touch net/ipv4/udp.c out of bench/kernel.sh's source,
# the BADth of which spins LOOPS times in each udp_sendmsg, one of which panics and two of
# which do not build (of more than eight), and has netab find it.
#
#	bench/bisect.sh [COMMITS [BAD [LOOPS [ARGUMENTS OF netab bisect...]]]]
#
# The repository stays in $XDG_CACHE_HOME/netab-tests/bisect-COMMITS-BAD-LOOPS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
commits=${1:-16} bad=${2:-10} loops=${3:-60}
[ $# -lt 3 ] && set -- || shift 3
cache=${XDG_CACHE_HOME:-$HOME/.cache}/netab-tests
repo=$cache/bisect-$commits-$bad-$loops
source=$("$here/kernel.sh")

commit() { git -c user.name=bench -c user.email=bench@localhost -c commit.gpgsign=false commit -q "$@"; }

if [ ! -e "$repo/done" ]; then
	base=$cache/bisect-base
	if [ ! -e "$base/done" ]; then # the source alone, once
		rm -rf "$base"
		mkdir -p "$base"
		cp -r "$source" "$base/linux"
		cd "$base/linux"
		make -s mrproper
		git init -q
		git add -f -A # Debian ignores all of it
		commit -m 'base'
		touch "$base/done"
	fi
	rm -rf "$repo"
	mkdir -p "$repo"
	git clone -q --shared "$base/linux" "$repo/linux"
	cd "$repo/linux"
	git tag good
	udp=net/ipv4/udp.c
	[ "$(grep -c '^int udp_sendmsg(' $udp)" = 1 ]
	i=1
	while [ "$i" -le "$commits" ]; do
		what="udp: comment $i"
		echo "/* change $i */" >>$udp
		if [ "$i" = "$bad" ]; then
			what='udp: look twice before sending'
			sed -i "/^int udp_sendmsg(/,/^{/s/^{/{\n\t{ volatile int netab_i; for (netab_i = 0; netab_i < $loops; netab_i++) ; }/" $udp
		elif [ "$i" = 4 ] && [ "$commits" -gt 8 ]; then
			what='udp: broken'
			echo 'int broken(' >>$udp
		elif [ "$i" = 6 ] && [ "$commits" -gt 8 ]; then
			what='udp: mended'
			sed -i '/^int broken($/d' $udp
		elif [ "$i" = 7 ] && [ "$commits" -gt 8 ]; then
			what='udp: panics'
			sed -i '/^void __init udp_init(void)/,/^{/s/^{/{\n\tpanic("planted");/' $udp
		elif [ "$i" = 8 ] && [ "$commits" -gt 8 ]; then
			what='udp: does not panic'
			sed -i '/panic("planted");/d' $udp
		fi
		git add -u
		commit -m "$what"
		i=$((i + 1))
	done
	git tag bad
	touch "$repo/done"
fi
cd "$here/.."
exec bin/netab bisect same --set traffic.protocol=udp --set traffic.message=64 --repo "$repo/linux" --good good --bad bad \
	--config "$source/.config" --build 'make -s -j$(nproc) bzImage' "$@"
