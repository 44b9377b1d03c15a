#!/bin/sh
# Sees to it that a Debian machine has what the build and the tests need: says nothing when all is there,
# else names what is missing and installs it with apt-get, as root or through sudo. Changes nothing else.
set -eu

build='make gcc libc6-dev binutils pkg-config libsqlite3-dev libpq-dev zlib1g-dev libssl-dev libpg-query-dev
libprotobuf-c-dev libinih-dev'
tests='clang libcriterion-dev bats postgresql openssh-client sqlite3 openssl expect strace universal-ctags jq nodejs npm procps time'

if ! command -v dpkg-query >/dev/null; then
	echo "setup: this is not Debian; what is needed, by Debian's names:" $build $tests >&2
	exit 0
fi

# npm may also come with nodejs from elsewhere: what counts is the command.
command -v npm >/dev/null && tests=${tests% npm *}\ ${tests#* npm }
have=" $(dpkg-query -W -f='${Package}=${db:Status-Status} ' $build $tests 2>/dev/null || :)"
missing=
for package in $build $tests; do
	case $have in *" $package=installed "*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

echo "setup: missing Debian packages:$missing" >&2
as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "setup: install them as root: apt-get install$missing" >&2
		exit 1
	fi
	as_root='sudo env DEBIAN_FRONTEND=noninteractive'
fi
echo "setup: installing them with apt-get" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
for try in 1 2; do
	# Package lists may be absent or stale on a fresh machine: the second try has new ones.
	if $as_root apt-get install -y --no-install-recommends $missing >"$log" 2>&1; then
		echo "setup: done" >&2
		exit 0
	fi
	[ $try = 2 ] || $as_root apt-get update >>"$log" 2>&1 || :
done
tail -n 20 "$log" >&2
echo "setup: apt-get failed; install by hand:$missing" >&2
exit 1
