#!/bin/bash
# R03, R07, C02, C03, C09 for bundles, without a server: every loop of tests/unit/test_faults.c to its end. Each call of SQLite's
# on a file fails, once and for ever, the disk is full, the process ends, the power goes, and every ALLOCATIONS-th allocation
# fails. A loop that stops is one violation. Ends with "points=N violations=M".
set -u
cd "$(dirname "$0")/../.." || exit 1
# One process does it all: shares are for those with a server.
case ${SHARE:-0/1} in
0/*) ;;
*) echo "points=0 violations=0"; exit 0 ;;
esac
program=${PGDOCKET_BIN:-build/release}/tests/test_faults
POINTS=$(mktemp)
export POINTS
trap 'rm -f "$POINTS"' EXIT

violations=0
loops() { # loops SUITE STEP
	STEP=$2 "$program" --filter "$1/*" --tap=- -j1 --quiet >"$POINTS.tap" || violations=$((violations + $(grep -c '^not ok' "$POINTS.tap")))
	awk '/^not ok/ { on = 1 } /^ok/ { on = 0 } on' "$POINTS.tap"
	rm -f "$POINTS.tap"
}
loops files "${STEP:-1}"
loops allocations "${ALLOCATIONS:-101}"
cat "$POINTS"
echo "points=$(awk -F = '{ n += $2 } END { print n + 0 }' "$POINTS") violations=$violations"
[ $violations = 0 ]
