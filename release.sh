#!/bin/sh
# Makes a release in a directory (bin/release): for each architecture one static
# binary in a .tar.gz and in a .deb, with man pages, completions and the licences of
# all that is linked, the script for CI jobs, and SHA256SUMS of all of them. Nobody
# needs to be root, and the same commit makes the same bytes.
#
#	./release.sh [-o DIRECTORY] [-v VERSION] [ARCHITECTURE...]     (amd64 arm64)
#
# LEVEL in the environment is how hard what is large is compressed: tests have no time.
set -eu
umask 022 # what is packed is for everybody to read
export LC_ALL=C TZ=UTC CGO_ENABLED=0

# One of a maker that other makers need is a mail address; ours has none to give.
maintainer=${MAINTAINER:-The netab authors}
out=bin/release version=
while getopts o:v: option; do
	case $option in
	o) out=$OPTARG ;;
	v) version=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- amd64 arm64
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")"
go=${GO:-go}

say() { echo "release.sh: $*" >&2; }
for program in dpkg-deb gzip tar sha256sum; do
	command -v $program >/dev/null || { say "$program is missing: a release is made on a Debian-like machine"; exit 1; }
done
[ -s analysis/report/html/assets/echarts.min.js ] ||
	{ say "the charts of reports are missing: make release, which fetches them first"; exit 1; }

# v1.2.0 is 1.2.0, and what is ahead of a tag is 1.2.0+7.gabc. A version of dpkg's
# begins with a digit, so what has no tag yet comes before all that has.
[ -n "$version" ] || version=$(git describe --tags --always --dirty)
number=$(echo "$version" | sed -E 's/^v([0-9])/\1/; s/-([0-9]+)-g([0-9a-f]+)/+\1.g\2/; s/-dirty$/+dirty/')
case $number in
[0-9]*.*) ;;
*) number="0~g$number" ;;
esac
case $number in
*[!A-Za-z0-9.+~]*) say "$version is no version: want v1.2.0"; exit 2 ;;
*[+~]*) ;;
*) # To release is to say what is new.
	grep -q "^## $number\$" CHANGELOG.md || { say "CHANGELOG.md has no section \"## $number\": write what is new"; exit 1; } ;;
esac

# The time of all that is packed is the commit's.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

build() { # architecture, file, more flags
	arch=$1 file=$2
	shift 2
	GOARCH=$arch $go build -trimpath -ldflags "-s -w -X main.version=$version" "$@" -o "$file" ./cmd/netab
}

# What is the same for all architectures: a binary of this machine's writes it.
here=$($go env GOHOSTARCH)
shared=$work/shared
doc=$shared/usr/share/doc/netab
mkdir -p "$shared/usr/share/man/man1" "$shared/usr/share/bash-completion/completions" \
	"$shared/usr/share/zsh/vendor-completions" "$shared/usr/share/fish/vendor_completions.d" "$doc/docs"
build "$here" "$work/writes-man" -tags man
"$work/writes-man" man "$shared/usr/share/man/man1"
"$work/writes-man" completion bash >"$shared/usr/share/bash-completion/completions/netab"
"$work/writes-man" completion zsh >"$shared/usr/share/zsh/vendor-completions/_netab"
"$work/writes-man" completion fish >"$shared/usr/share/fish/vendor_completions.d/netab.fish"
gzip -9n "$shared"/usr/share/man/man1/*.1
cp README.md NOTICE "$doc"
cp docs/*.md "$doc/docs"
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"

# Whoever passes the binary on passes these licences on (NOTICE).
{
	cat LICENSE
	for licence in $($go list -deps -f '{{with .Module}}{{.Path}} {{.Dir}}{{end}}' ./cmd/netab | sort -u | sed -n '/^netab /!s/ /:/p'); do
		module=${licence%%:*} found=
		for file in "${licence#*:}"/LICEN[CS]E* "${licence#*:}"/COPYING* "${licence#*:}"/NOTICE*; do
			[ -f "$file" ] || continue
			found=yes
			printf '\n== %s: %s ==\n\n' "$module" "${file##*/}"
			cat "$file"
		done
		[ -n "$found" ] || { say "$module has no licence that could be passed on"; exit 1; }
	done
	printf '\n== Go ==\n\n'
	cat "$($go env GOROOT)/LICENSE"
	printf '\n== of the charts in reports ==\n\n'
	cat analysis/report/html/assets/licenses.txt
} >"$doc/copyright"

for arch; do
	name=netab_${number}_$arch
	root=$work/$name
	cp -R "$shared" "$root"
	mkdir "$root/usr/bin" "$root/DEBIAN"
	build "$arch" "$root/usr/bin/netab"
	size=$(du -sk --apparent-size "$root/usr" | cut -f 1)
	cat >"$root/DEBIAN/control" <<-CONTROL
		Package: netab
		Version: $number
		Architecture: $arch
		Maintainer: $maintainer
		Installed-Size: $size
		Section: net
		Priority: optional
		Suggests: qemu-system-x86 (>= 1:7.2)
		Description: A/B-test the Linux network path
		 A scenario file says what to compare: kernels, knobs, CPU placement, packet
		 steering, offloads, MTU, message sizes. netab builds the topology, drives the
		 traffic in short random slices, repeats until it knows, puts the machine back
		 as it was, and says what changed, by how much, and how sure it is.
	CONTROL
	(cd "$root" && find usr -type f | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
	find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz "-z${LEVEL:-6}" --build "$root" "$out/$name.deb" >/dev/null

	# The same for machines without dpkg, with the binary where one looks for it.
	tree=$work/tar/netab-$number-linux-$arch
	mkdir -p "$tree"
	cp "$root/usr/bin/netab" LICENSE NOTICE README.md CHANGELOG.md "$doc/copyright" "$tree"
	mv "$tree/copyright" "$tree/LICENSES"
	cp -R "$root/usr/share/man/man1" "$tree/man"
	cp -R "$doc/docs" "$tree/docs"
	mkdir "$tree/completions"
	cp "$root/usr/share/bash-completion/completions/netab" "$tree/completions/netab.bash"
	cp "$root/usr/share/zsh/vendor-completions/_netab" "$root/usr/share/fish/vendor_completions.d/netab.fish" "$tree/completions"
	tar -C "$work/tar" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "${tree##*/}" |
		gzip -n "-${LEVEL:-9}" >"$out/netab-$number-linux-$arch.tar.gz"
done
cp ci/netab-ci.sh "$out"

# Of this release only, whatever else lies there.
(
	cd "$out"
	set -- netab-ci.sh "netab_${number}"_*.deb "netab-$number"-linux-*.tar.gz
	sha256sum "$@" >SHA256SUMS
	ls -l "$@" SHA256SUMS | awk '{ printf "%9d  %s\n", $5, $9 }'
)
