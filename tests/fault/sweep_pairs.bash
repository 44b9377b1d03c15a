#!/bin/bash
# L02: two runs of one plan at once on two hosts, and nothing that keeps them apart but the ledger's keys: the run lock and the
# look for orphans are switched off (failpoint.c). Ends with "points=N violations=M". Needs the applier
# of CONFIG=failpoint, in the folder PGDOCKET_FAULT.
# Without statements sent alone: what two builds of one index do to each other no key can mend; the run lock is for them.
set -u
. "$(dirname "$0")/scenario.bash"
. "$FAULT/net.bash"
PATH=${PGDOCKET_FAULT:-$ROOT/build/failpoint}:$PATH

scenario_start ${SCENARIO:-shared}
for ((k = 1; k <= ${PAIRS:-50}; k++)); do
	mine $k || continue
	scenario_reset
	for i in 1 2; do
		PGDOCKET_WITHOUT=lock "${SCENARIO_RUN[@]/%\/state//state$i}" >"$FAULT_DIR/out$i" 2>"$FAULT_DIR/talk$i" </dev/null &
	done
	status=0
	for i in 1 2; do wait -n || status=$?; done
	grep -qs '^pgdocket-apply: ' "$FAULT_DIR/talk1" && cp "$FAULT_DIR/talk1" "$FAULT_DIR/talk" || cp "$FAULT_DIR/talk2" "$FAULT_DIR/talk"
	rm -rf "$FAULT_DIR/state1" "$FAULT_DIR/state2"
	oracle_point "pair $k" $status
done
oracle_summary
