#!/usr/bin/env bats
# pgdocket-apply at its edges: status from bundle and working copy, times, files that are something else, many schemas alike.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }

status_of() { run pgdocket-apply status s.docket --state "$BATS_TEST_TMPDIR/state" "$@"; exits 0; }

@test "status: before any run, behind a failure, from the bundle alone, as JSON" {
	apply_new told 3
	migration 3 third "INSERT INTO orders VALUES (3);
SELECT 1 / count(*) FROM campaigns;"
	sql "INSERT INTO tenant_1.campaigns VALUES (1, 'x')"
	apply_plan
	status_of
	has "no run has begun"
	status_of --json
	jq -e . <<<"$output" >/dev/null
	run apply -j 1
	exits 4
	status_of
	has "1 done, 1 failed"
	has "tenant_2"
	has "division by zero"
	has "work.docket"
	status_of --json
	jq -e . <<<"$output" >/dev/null
	has "division by zero"
	rm -r "$BATS_TEST_TMPDIR/state"
	status_of
	has "1 done, 1 failed"
	lacks "work.docket"
}

@test "not before its time; a working copy that is something else" {
	apply_new early 1
	apply_plan --not-before "$(date -u -d "+1 hour" +%FT%TZ)"
	run apply
	exits 3
	has "may not be applied before"
	run applier check
	exits 3
	has "may not be applied before"
	apply_plan
	apply -q
	work=$(echo "$BATS_TEST_TMPDIR"/state/*/*/work.docket)
	pgdocket snapshot -q -o "$BATS_TEST_TMPDIR/other.docket"
	cp "$BATS_TEST_TMPDIR/other.docket" "$work"
	cp received.docket s.docket
	run apply
	[ "$status" != 0 ]
	has "is not the working copy of this plan"
	has "move it away"
}

@test "check: more schemas alike than are shown" {
	apply_new many 24
	apply_plan
	sql "SELECT format('ALTER TABLE %I.orders ADD COLUMN x int;', schema_name) FROM public.tenants" | psql -Xq
	run applier check
	exits 3
	has "differs  and 4 more"
}
