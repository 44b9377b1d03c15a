#!/bin/bash
# make demo, with the release programs: it reaches its end, in time, and leaves nothing behind.
. "$(dirname "$0")/tap.bash"

export PGDOCKET_BIN=${PGDOCKET_RELEASE:-$PWD/build/release}
case $PGDOCKET_BIN in /*) ;; *) PGDOCKET_BIN=$PWD/$PGDOCKET_BIN ;; esac
export TMPDIR
TMPDIR=$(mktemp -d /tmp/pgd.XXXX)
trap 'rm -rf "$TMPDIR"' EXIT
began=$(date +%s)
tests/demo.sh >"$TMPDIR/out" 2>&1
status=$?
took=$(($(date +%s) - began))
verdict "the demo reaches its end" "$([ $status = 0 ] && tail -n 1 "$TMPDIR/out" | grep -q '^proven in' || tail -n 30 "$TMPDIR/out")"
verdict "it takes less than 60 seconds" "$([ $took -lt 60 ] || echo "$took s")"
left() { sed -nE 's/.*(\/tmp\/pgd(ocket-demo)?\.[A-Za-z0-9]+).*/\1/p' "$TMPDIR/out" | sort -u | while read -r dir; do [ ! -e "$dir" ] || [ "$dir" = "$TMPDIR" ] || echo "$dir"; done; }
verdict "it leaves nothing behind" "$(left)"
verdict_done
