#!/bin/sh
# Unpacks Debian 13's QEMU, with all libraries that it needs, in bin/qemu10 beside the
# build: guests of two CPUs that count instructions want QEMU 10, and Debian 12 has 7.2.
# Nothing is installed, and root is not needed. Packages come by this machine's apt from
# the mirror that it is set up for, or from MIRROR=URL, and are checked as apt checks.
# What is unpacked runs by its own loader (ld.so), so on any Linux of this architecture:
#
#	./qemu10.sh [-o DIRECTORY]
#	bin/qemu10/qemu-system-x86_64 --version
set -eu

suite=trixie
packages=${PACKAGES:-qemu-system-x86}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
to=$(dirname "$0")/bin/qemu10
while getopts o: option; do
	case $option in
	o) to=$OPTARG ;;
	*) exit 2 ;;
	esac
done

die() { echo "qemu10: $*" >&2; exit 1; }

for program in apt-get dpkg-deb dpkg; do
	command -v $program >/dev/null 2>&1 || die "Debian's QEMU comes by $program, which is missing: build QEMU 10 or newer elsewhere, and name it with --qemu PATH"
done
[ -r $keyring ] || die "$keyring is missing: install debian-archive-keyring"
mirror=${MIRROR:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null | sed -n 's/^Debian //p' | head -n 1)}
[ -n "$mirror" ] || die "apt knows of no mirror of Debian: run apt-get update, or say which with MIRROR=URL"
arch=$(dpkg --print-architecture)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
: >"$work/status" # nothing is installed, so the libraries come too
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
apt() {
	# The status says that nothing is installed, by which apt would put all of this over the
	# machine's own libraries: there is no dpkg for it, whatever it is asked for.
	apt-get -o Dir::Bin::dpkg=/bin/false -o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State::lists="$work/lists/" -o Dir::Cache="$work/cache/" -o Dir::State::status="$work/status" \
		-o Acquire::Languages=none -o APT::Update::Error-Mode=any -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 \
		-o APT::Keep-Downloaded-Packages=true -o APT::Install-Recommends=false -qq "$@" >"$work/log" 2>&1 && return
	tail -n 5 "$work/log" >&2
	die "apt-get $1 failed"
}
apt update
echo "fetching: $packages of $suite"
apt install -y --download-only $packages

# Of the packages only the files: nothing of them is run here.
for deb in "$work"/cache/archives/*.deb; do
	dpkg-deb -x "$deb" "$work/root"
done
rm -rf "$work/root/usr/share/doc" "$work/root/usr/share/man" "$work/root/usr/share/locale" "$work/root/etc" "$work/root/var"
# Links like /lib64 -> usr/lib64 are base-files', and usr is all that is looked at.
loader=$(cd "$work/root" && ls usr/lib64/ld-linux-*.so.* usr/lib/ld-linux-*.so.* usr/lib/*/ld-linux-*.so.* 2>/dev/null | head -n 1)
[ -n "$loader" ] || die "the packages of $suite have no ld.so"
libraries=$(cd "$work/root" && echo usr/lib/*-linux-gnu*)
found=
for program in "$work"/root/usr/bin/qemu-system-*; do
	[ -x "$program" ] && [ ! -L "$program" ] || continue
	name=${program##*/}
	found="$found $name"
	# QEMU looks for its firmware and its modules from where its program is, which to the
	# kernel is ld.so.
	cat >"$work/$name" <<EOF
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
export QEMU_MODULE_DIR="\$here/root/$libraries/qemu"
exec "\$here/root/$loader" --library-path "\$here/root/$libraries:\$here/root/$libraries/pulseaudio" "\$here/root/usr/bin/$name" \\
	-L "\$here/root/usr/share/qemu" -L "\$here/root/usr/share/seabios" "\$@"
EOF
	chmod 755 "$work/$name"
done
[ -n "$found" ] || die "$packages of $suite has no qemu-system program for $arch"

# What is there already is replaced if it is this script's: nothing else is removed.
[ ! -e "$to" ] || [ -e "$to/root/usr/share/qemu" ] || rmdir "$to" || die "$to is there, and not of this script: name another with -o"
rm -rf "$to"
mkdir -p "$to"
mv "$work/root" "$to/root"
mv "$work"/qemu-system-* "$to/"
for name in $found; do
	"$to/$name" --version | sed -n "s|^QEMU emulator version|$to/$name: QEMU|p"
done
