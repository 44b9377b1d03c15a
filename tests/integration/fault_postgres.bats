#!/usr/bin/env bats
# The catalogue of faults, group P: what statements, sessions and the server do to a run. Behind each case the oracle looks.

bats_require_minimum_version 1.5.0
load server
load plan
load apply
load fault

setup_file() { pg_start; }
teardown_file() { pg_stop; }
teardown() { oracle; }

# Each a statement that the ledger must withstand, as tenant_1, tenant_2 and so on run it.
LEDGER=("DELETE FROM pgdocket.applied" "UPDATE pgdocket.finished SET segment = 2" "UPDATE pgdocket.plan SET label = 'x'" "TRUNCATE pgdocket.intent"
	"ALTER TABLE pgdocket.applied DISABLE TRIGGER ALL" "ALTER TABLE pgdocket.finished DROP CONSTRAINT finished_was_applied" "DROP SCHEMA pgdocket CASCADE")

@test "P12 a migration that lays hands on the ledger, as the applier's role" {
	smuggle_new p12 "${LEDGER[@]}"
	role_applier
	run apply -U applier -j 2 --json
	exits 4
	for i in "${!LEDGER[@]}"; do failed tenant_$((i + 1)) 42501 || return 1; done
}

@test "P12 the same as a superuser" {
	smuggle_new super "${LEDGER[@]}"
	run apply -j 1 --json
	exits 4
	found=(23503 reach reach reach 55006 55006 55006)
	for i in "${!LEDGER[@]}"; do failed tenant_$((i + 1)) "${found[i]}" || return 1; done
	[ "$(sql "SELECT label FROM pgdocket.plan")" = test-1 ]
}

@test "P12 rows of the ledger that a migration forges for another schema" {
	forged="plan_sha256, (SELECT 'tenant_5'::regnamespace::oid), 1"
	smuggle_new forged \
		"INSERT INTO pgdocket.applied SELECT $forged, 'tenant_5', run_id FROM pgdocket.applied LIMIT 1" \
		"INSERT INTO pgdocket.intent SELECT $forged, run_id, 'x' FROM pgdocket.applied LIMIT 1" \
		"WITH a AS (INSERT INTO pgdocket.applied SELECT $forged, 'tenant_5', run_id FROM pgdocket.applied LIMIT 1 RETURNING *)
			INSERT INTO pgdocket.finished SELECT $forged, convert_to('x', 'UTF8'), convert_to('x', 'UTF8'), convert_to('x', 'UTF8') FROM pgdocket.applied LIMIT 1" \
		"UPDATE pgdocket.plan SET status = 'done', done = now()"
	role_applier
	run apply -U applier -j 1 --json
	exits 4
	failed tenant_1 23503
	for i in 2 3 4; do failed tenant_$i reach; done
	has "lock pgdocket.finished, which the plan does not announce"
	every_row=$(sql "SELECT status || (SELECT string_agg(schema_name, ' ') FROM pgdocket.applied) || (SELECT count(*) FROM pgdocket.intent) FROM pgdocket.plan")
	[ "$every_row" = "runningtenant_50" ]
}
