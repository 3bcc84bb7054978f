#!/bin/sh
# go test -fuzz -toolexec: builds what package traffic is made of without coverage. Its
# loops may not split their stack, and what counts coverage in them needs more than is
# left.
tool=$1
shift
case "$tool $*" in
*/compile\ -V=full)
	echo "$("$tool" "$@") without coverage of traffic" # what it makes is another compiler's to Go's cache
	exit
	;;
*/compile\ *-p\ netab/runner/traffic\ * | */compile\ *-p\ netab/runner/uring\ * | */compile\ *-p\ netab/runner/packet\ * | */compile\ *-p\ netab/runner/verify\ *)
	for arg; do
		shift
		[ "$arg" = -d=libfuzzer ] || set -- "$@" "$arg"
	done
	;;
esac
exec "$tool" "$@"
