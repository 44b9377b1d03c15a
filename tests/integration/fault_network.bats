#!/usr/bin/env bats
# A sample of the fault sweeps of tests/fault; `make torture` runs them whole. Each point is followed by the oracle.

bats_require_minimum_version 1.5.0

SWEEPS=$BATS_TEST_DIRNAME/../fault

# What a sweep ends with: points and no violation.
whole() {
	[ "$status" = 0 ] && [[ ${lines[-1]} =~ ^points=[1-9][0-9]*\ violations=0$ ]] || { printf '%s\n' "$output" >&2; return 1; }
}

@test "the connection is cut at every 500th message, before and behind it" {
	STEP=500 run "$SWEEPS/sweep_messages.bash"
	whole
}

@test "8 random schedules of faults" {
	SCHEDULES=8 SEED=1 run "$SWEEPS/sweep_schedules.bash"
	whole
}

@test "a COMMIT that got lost while the server holds the transaction open: two signals end the waiting, later it goes on" {
	PLAN_SETTINGS='statement_timeout = 1s'
	load ../fault/scenario
	load ../fault/net
	scenario_start
	scenario_reset
	net_start 'client:COMMIT$#5=orphan'
	env --default-signal=INT "${SCENARIO_RUN[@]}" -h "$FAULT_DIR/net" -j 2 >"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null 3>&- &
	pid=$!
	until grep -q 'in progress' "$FAULT_DIR/messages"; do sleep 0.1; done
	kill -TERM $pid
	sleep 0.2
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	net_stop
	[ $status = 6 ]
	run oracle_point "two signals" 6
	exits 0
	scenario_stop
}
