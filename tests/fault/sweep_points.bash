#!/bin/bash
# C01, C02, C10 at the named points of failpoint.c, in a run that has statements sent alone and the shared lane: each is passed
# as often as a run passes it, killed there and answered with an error. Ends with "points=N violations=M". Needs the applier
# of CONFIG=failpoint, in the folder PGDOCKET_FAULT. TIMES="1 2": only at the first and second passing of each.
set -u
. "$(dirname "$0")/scenario.bash"
. "$FAULT/net.bash"
PATH=${PGDOCKET_FAULT:-$ROOT/build/failpoint}:$PATH

NAMES=${NAMES:-commit sent committed alone record recorded rename renamed}

scenario_start ${SCENARIO:-native shared}
point=0
for name in $NAMES; do
	for way in kill err; do
		for k in ${TIMES:-$(seq 99)}; do
			point=$((point + 1))
			mine $point || continue
			scenario_reset
			status=0
			PGDOCKET_FAIL=$name:$way:$k scenario_run -j 1 2>/dev/null || status=$?
			# It came to its end before this point's turn.
			[ $status != 0 ] || break
			oracle_point "$name:$way:$k" $status "$([ $status != 137 ] || echo killed)"
		done
	done
done
oracle_summary
