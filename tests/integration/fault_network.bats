#!/usr/bin/env bats
# A sample of the fault sweeps of tests/fault; `make torture` runs them whole. Each point is followed by the oracle.

bats_require_minimum_version 1.5.0

SWEEPS=$BATS_TEST_DIRNAME/../fault

# What a sweep ends with: points and no violation.
whole() {
	[ "$status" = 0 ] && [[ ${lines[-1]} =~ ^points=[1-9][0-9]*\ violations=0$ ]] || { printf '%s\n' "$output" >&2; return 1; }
}

@test "the connection is cut at every 300th message, before and behind it" {
	STEP=300 run "$SWEEPS/sweep_messages.bash"
	whole
}

@test "12 random schedules of faults" {
	SCHEDULES=12 SEED=1 run "$SWEEPS/sweep_schedules.bash"
	whole
}
