#!/bin/sh
# Bisects real kernel source in which one commit made UDP's send path dearer: builds a
# repository of COMMITS commits that touch net/ipv4/udp.c out of bench/kernel.sh's source,
# the BADth of which spins LOOPS times in each udp_sendmsg (0 = none does), one of which
# panics and two of which do not build (of more than eight), and has netab find it.
#
#	bench/bisect.sh [COMMITS [BAD [LOOPS [ARGUMENTS OF netab bisect...]]]]
#
# With BUILT=DIR, a commit whose source was built before is taken from there, and the
# others are built in one tree for all (bench/built.sh): it is then the search and the
# counts that are tried, many times, and not make.
#
# The repositories stay in $XDG_CACHE_HOME/netab-tests/bisect-COMMITS-BAD-LOOPS.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
commits=${1:-16} bad=${2:-10} loops=${3:-60}
[ $# -lt 3 ] && set -- || shift 3
cache=${XDG_CACHE_HOME:-$HOME/.cache}/netab-tests
repo=$cache/bisect-$commits-$bad-$loops
source=$("$here/kernel.sh")

commit() { git -c user.name=bench -c user.email=bench@localhost -c commit.gpgsign=false commit -q "$@"; }

# planted edits the source as the commit says: each commit of a repository, and the same one
# of another, comes to the same source, so that it is built once.
planted() { # i
	udp=net/ipv4/udp.c
	what="udp: comment $1"
	echo "/* change $1 */" >>$udp
	if [ "$commits" -gt 8 ]; then
		case $1 in
		4)
			what='udp: broken'
			echo 'int broken(' >>$udp
			;;
		6)
			what='udp: mended'
			sed -i '/^int broken($/d' $udp
			;;
		7)
			what='udp: panics'
			sed -i '/^void __init udp_init(void)/,/^{/s/^{/{\n\tpanic("planted");/' $udp
			;;
		8)
			what='udp: does not panic'
			sed -i '/panic("planted");/d' $udp
			;;
		esac
	fi
	if [ "$1" = "$bad" ] && [ "$loops" != 0 ]; then
		what='udp: look twice before sending'
		[ "$(grep -c '^int udp_sendmsg(' $udp)" = 1 ]
		sed -i "/^int udp_sendmsg(/,/^{/s/^{/{\n\t{ volatile int netab_i; for (netab_i = 0; netab_i < $loops; netab_i++) ; }/" $udp
	fi
	git add -u
	commit -m "$what"
}

if [ ! -e "$repo/done" ]; then
	base=$cache/bisect-base
	if [ ! -e "$base/done" ]; then # the source alone, once
		rm -rf "$base"
		mkdir -p "$base"
		cp -r "$source" "$base/linux"
		cd "$base/linux"
		make -s mrproper
		rm -f tools/objtool/objtool tools/objtool/fixdep # which mrproper leaves
		git init -q
		git config gc.auto 0 # it would pack 80,000 files beside what is measured
		git add -f -A # Debian ignores all of it
		commit -m 'base'
		touch "$base/done"
	fi
	rm -rf "$repo"
	mkdir -p "$repo"
	git clone -q --shared --no-checkout "$base/linux" "$repo/linux"
	cd "$repo/linux"
	git sparse-checkout set --no-cone /net/ipv4/udp.c 2>/dev/null
	git checkout -q
	git tag good
	i=1
	while [ "$i" -le "$commits" ]; do
		planted "$i"
		i=$((i + 1))
	done
	git tag bad
	touch "$repo/done"
fi
cd "$here/.."
if [ -n "${BUILT:-}" ]; then
	"$here/built.sh" init "$BUILT" "$source" "$cache/bisect-base/linux"
	export GIT_TEMPLATE_DIR="$BUILT/template"
	set -- --build "$here/built.sh build '$BUILT'" "$@"
else
	set -- --config "$source/.config" --build 'make -s -j$(nproc) vmlinux' "$@"
fi
exec bin/netab bisect same --set traffic.protocol=udp --set traffic.message=64 --repo "$repo/linux" --good good --bad bad "$@"
