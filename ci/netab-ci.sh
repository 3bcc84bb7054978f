#!/bin/sh
# A question in a CI job, from the release to the exit status: what action.yml (GitHub)
# and templates/netab.yml (GitLab) do, and any other system can call.
#
#	netab-ci.sh            install, measure, judge; write the files below
#	netab-ci.sh comment    put comment.md under the pull or merge request, in place of its last one
#
# Of the environment:
#
#	NETAB_SCENARIO   a file, or a name from `netab list`
#	NETAB_RELEASE    where a release is: an https:// address or a directory ("": netab of PATH)
#	NETAB_SUMS       the SHA-256 of its SHA256SUMS; without it the address is trusted
#	NETAB_STORE      the store, which the job keeps from night to night (.netab/runs)
#	NETAB_OUT        where files go: netab.xml, comment.md, the binary (.netab)
#	NETAB_ARGS       more arguments of netab run, divided at spaces
#	NETAB_UNDECIDED  fail, or pass: what becomes of exit status 3 (fail)
#	NETAB_TOKEN      for comment: a token that may write comments (GitHub: GITHUB_TOKEN)
#
# The exit status is the gate's (docs/ci.md).
set -eu
umask 022
out=${NETAB_OUT:-.netab}
store=${NETAB_STORE:-$out/runs}
NL='
'

say() { echo "netab-ci: $*" >&2; }
fail() { # status, why
	status=$1
	shift
	say "$@"
	exit "$status"
}

fetch() { # from, to
	case $1 in
	https://* | http://127.0.0.1:* | http://localhost:*)
		command -v curl >/dev/null || fail 5 "curl is missing, which fetches the release"
		curl -fsSL --retry 3 -o "$2" "$1" || fail 5 "cannot fetch $1" ;;
	*://*) fail 2 "NETAB_RELEASE is $NETAB_RELEASE: want https:// or a directory" ;;
	*) cp "$1" "$2" || fail 5 "cannot read $1" ;;
	esac
}

# install puts the release's binary for this machine in PATH. Nothing of it is used
# before its checksum is known.
install() {
	if [ -z "${NETAB_RELEASE:-}" ]; then
		command -v netab >/dev/null || fail 2 "netab is not in PATH: install it, or say where a release is (NETAB_RELEASE)"
		return
	fi
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) fail 2 "there is no release for $(uname -m)" ;;
	esac
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	fetch "${NETAB_RELEASE%/}/SHA256SUMS" "$work/SHA256SUMS"
	if [ -n "${NETAB_SUMS:-}" ] && [ "$(sha256sum <"$work/SHA256SUMS")" != "$NETAB_SUMS  -" ]; then
		fail 2 "SHA256SUMS of $NETAB_RELEASE is not the one that NETAB_SUMS names"
	fi
	line=$(grep -E "^[0-9a-f]{64}  netab-[A-Za-z0-9.+~]+-linux-$arch\.tar\.gz\$" "$work/SHA256SUMS") ||
		fail 2 "SHA256SUMS of $NETAB_RELEASE has nothing for $arch"
	case $line in *"$NL"*) fail 2 "SHA256SUMS of $NETAB_RELEASE has several versions" ;; esac
	archive=${line#*  }
	fetch "${NETAB_RELEASE%/}/$archive" "$work/$archive"
	echo "$line" | (cd "$work" && sha256sum --check --status -) || fail 5 "$archive is not what SHA256SUMS says: it is damaged, or another's"
	tar -xmzf "$work/$archive" -C "$work" "${archive%.tar.gz}/netab"
	mkdir -p "$out/bin"
	mv "$work/${archive%.tar.gz}/netab" "$out/bin/netab"
	PATH=$(cd "$out/bin" && pwd):$PATH
}

# marker is how a comment is found again: one for each scenario.
marker() { printf '<!-- netab: %s -->\n' "$name"; }

# nameOf is what the scenario is called: by itself, or by its file, if that is a name.
nameOf() {
	name=$(netab run "$NETAB_SCENARIO" --print-scenario 2>/dev/null | sed -n 's/^name: *"\{0,1\}\([a-z0-9-]*\).*/\1/p' | head -n 1)
	[ -z "$name" ] || return 0
	name=${NETAB_SCENARIO##*/}
	name=${name%.y*ml}
	case $name in *[!a-z0-9-]*) name='' ;; esac
}

measure() {
	[ -n "${NETAB_SCENARIO:-}" ] || fail 2 "which question? NETAB_SCENARIO names a file, or a scenario of netab list"
	mkdir -p "$out" "$store"
	rm -f "$out/netab.xml" "$out/comment.md" "$out/gate.md" # of an earlier job
	install
	netab version >&2
	nameOf
	status=0
	# shellcheck disable=SC2086 # they are several
	netab run "$NETAB_SCENARIO" --store "$store" --no-progress ${NETAB_ARGS:-} || status=$?
	if [ $status = 0 ]; then
		netab gate latest --store "$store" --scenario "$name" --junit "$out/netab.xml" --markdown "$out/gate.md" || status=$?
	fi
	# A scenario that cannot be run, or a run that failed, has said why; nothing older is judged.
	{
		marker
		if [ -s "$out/gate.md" ]; then
			cat "$out/gate.md"
		else
			printf '## netab: %s\n\n' "${name:-no scenario}"
			echo "No verdict: netab ended with exit status $status; the job's log says why."
		fi
		if netab trend "$name" --store "$store" --markdown "$out/trend.md" >/dev/null 2>&1; then
			printf '\n<details><summary>History</summary>\n\n'
			cat "$out/trend.md"
			printf '\n</details>\n'
		fi
	} >"$out/comment.md"
	rm -f "$out/gate.md" "$out/trend.md"
	[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$out/comment.md" >>"$GITHUB_STEP_SUMMARY"
	[ -z "${GITHUB_OUTPUT:-}" ] || echo "status=$status" >>"$GITHUB_OUTPUT"
	if [ $status = 3 ] && [ "${NETAB_UNDECIDED:-fail}" = pass ]; then
		say "no verdict yet, which NETAB_UNDECIDED lets pass"
		[ -z "${GITHUB_ACTIONS:-}" ] || echo "::warning::netab: no verdict yet"
		status=0
	fi
	exit $status
}

# api is curl with the token in no command line, where others could read it.
api() { # header of the token, arguments of curl
	header=$1
	shift
	printf 'header = "%s"\n' "$header" | curl -fsS --retry 3 -K - -H 'Content-Type: application/json' "$@"
}

comment() {
	for program in curl jq; do
		command -v $program >/dev/null || fail 5 "$program is missing, which writes the comment"
	done
	[ -s "$out/comment.md" ] || fail 5 "there is no $out/comment.md to post: run netab-ci.sh first"
	first=$(head -n 1 "$out/comment.md")
	if [ -n "${GITHUB_REPOSITORY:-}" ]; then
		number=$(jq -r '.pull_request.number // empty' "${GITHUB_EVENT_PATH:?}")
		token="Authorization: Bearer ${NETAB_TOKEN:-${GITHUB_TOKEN:?}}"
		of=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/$number/comments
		one=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues/comments
		change=PATCH
	elif [ -n "${CI_API_V4_URL:-}" ]; then
		number=${CI_MERGE_REQUEST_IID:-}
		token="PRIVATE-TOKEN: ${NETAB_TOKEN:?is the token of a project, with the scope api}"
		of=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$number/notes
		one=$of
		change=PUT
	else
		fail 2 "neither GitHub nor GitLab is known by its variables here"
	fi
	if [ -z "$number" ]; then
		say "no pull or merge request: nothing to comment on"
		exit 0
	fi
	# Long ones are cut: both refuse more than 65536 characters.
	jq -n --rawfile body "$out/comment.md" '{body: $body[:65000]}' >"$out/comment.json"
	id='' page=1
	while [ -z "$id" ] && [ $page -le 20 ]; do
		api "$token" "$of?per_page=100&page=$page" >"$out/comments.json" || fail 5 "cannot read the comments of $of"
		id=$(jq -r --arg first "$first" '[.[] | select(.body | split("\n")[0] | rtrimstr("\r") == $first) | .id][0] // empty' "$out/comments.json")
		[ "$(jq length "$out/comments.json")" = 100 ] || break
		page=$((page + 1))
	done
	if [ -n "$id" ]; then
		api "$token" -X $change --data-binary "@$out/comment.json" "$one/$id" >/dev/null || fail 5 "cannot change the comment $one/$id"
	else
		api "$token" -X POST --data-binary "@$out/comment.json" "$of" >/dev/null || fail 5 "cannot comment: $of"
	fi
	rm -f "$out/comment.json" "$out/comments.json"
}

case ${1:-measure} in
measure) measure ;;
comment) comment ;;
*) fail 2 "$1: want nothing, or comment" ;;
esac
