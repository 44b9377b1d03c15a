#!/bin/bash
# All the sweeps of this folder in turn, or those named; each in JOBS processes with a server of its own. Violations are shown as
# they are found. A line for each sweep; the last line sums up. Exit status: 0 only without any violation.
#
#     tests/fault/torture.sh [sweep_messages...]
set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp -d /tmp/pgdocket-torture.XXXX)
trap 'rm -rf "$out"' EXIT
jobs=${JOBS:-$(nproc)}
[ $# -gt 0 ] || set -- $(cd tests/fault && ls sweep_*)

all_points=0 all_violations=0
for sweep; do
	began=$SECONDS points=0 violations=0
	for ((i = 0; i < jobs; i++)); do
		SHARE=$i/$jobs "tests/fault/$(basename "$sweep" .bash).bash" 2>&1 | tee "$out/$i" | grep -v '^points=' &
	done
	wait
	for ((i = 0; i < jobs; i++)); do
		# What left no count has died.
		if [[ "$(tail -n 1 "$out/$i")" =~ ^points=([0-9]+)\ violations=([0-9]+)$ ]]; then
			points=$((points + BASH_REMATCH[1])) violations=$((violations + BASH_REMATCH[2]))
		else
			violations=$((violations + 1))
			echo "$sweep, share $i of $jobs, died"
		fi
	done
	printf '%-32s points=%d violations=%d  %d s\n' "$(basename "$sweep" .bash)" $points $violations $((SECONDS - began))
	all_points=$((all_points + points)) all_violations=$((all_violations + violations))
done
echo "torture: points=$all_points violations=$all_violations"
[ $all_violations = 0 ] && [ $all_points -gt 0 ]
