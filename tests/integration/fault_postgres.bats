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

@test "P04 P11 P18 P33 what fails a statement or COMMIT fails its schema, and nothing of it is left" {
	fail=("DO \$x\$ BEGIN COMMIT; END \$x\$" "DO \$x\$ BEGIN ROLLBACK; END \$x\$" "CALL public.commits()" "CALL public.rolls_back()"
		"COMMIT" "SAVEPOINT s" "PREPARE TRANSACTION 'x'" "ALTER TYPE mood ADD VALUE 'new'; SELECT 'new'::mood" "INSERT INTO child VALUES (1)"
		"CREATE TABLE a (id int)" "LOCK TABLE missing" "SELECT pg_sleep(9)" "SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO child VALUES (1)")
	state=(2D000 2D000 2D000 2D000 0A000 0A000 0A000 55P04 23503 42P07 42P01 57014 23503)
	smuggle_new p04 "${fail[@]}"
	sql "CREATE PROCEDURE public.commits() LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
		CREATE PROCEDURE public.rolls_back() LANGUAGE plpgsql AS 'BEGIN ROLLBACK; END'"
	for t in 8 9 13; do
		sql "CREATE TYPE tenant_$t.mood AS ENUM ('old'); CREATE TABLE tenant_$t.child (id int REFERENCES tenant_$t.campaigns DEFERRABLE INITIALLY DEFERRED)"
	done
	sed -i '/^max_failures/a [plan]\nstatement_timeout = 300ms' pgdocket.conf
	apply_plan
	run apply -j 2 --json
	exits 4
	for i in "${!fail[@]}"; do failed tenant_$((i + 1)) ${state[i]} || return 1; done
}

@test "P07 P10 what a schema leaves on the session is gone before the next one" {
	fault_new p07 3 "$(hidden "SELECT set_config('work_mem', '77MB', false), set_config('my.own', 'x', false)")
$(hidden "CREATE TEMP TABLE leftover (x int)")
$(hidden "LISTEN somewhere")
$(hidden "SELECT pg_advisory_lock(4711)")
$(hidden "DECLARE held CURSOR WITH HOLD FOR SELECT 1")"
	migration 2 second "CREATE TABLE a (id int PRIMARY KEY);
$(hidden "INSERT INTO orders SELECT CASE WHEN current_setting('work_mem') <> '77MB' AND coalesce(current_setting('my.own', true), '') = ''
	AND to_regclass('pg_temp.leftover') IS NULL AND NOT EXISTS (SELECT FROM pg_listening_channels())
	AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711)
	AND NOT EXISTS (SELECT FROM pg_cursors WHERE name = 'held') THEN 2 ELSE 99 END")"
	apply_plan
	run apply -j 1
	left 3 0 "complete: 3 of 3 schemas done"
	every_tenant 3 2
}

@test "P10 prepared statements of a schema, and those of ours that it takes away" {
	fault_new prepared 3 "$(hidden "DEALLOCATE ALL")"
	apply_plan
	run apply -j 1
	left 0 1 "does not exist"
	third "$(hidden "PREPARE leftover AS SELECT 1")"
	apply_plan
	run apply -j 1
	has 'tenant_2: attempt 1: prepared statement "leftover" already exists; again in'
	left 3 0 complete
	fault_new twice 2 "$(hidden "PREPARE leftover AS SELECT 1")
$(hidden "PREPARE leftover AS SELECT 2")"
	apply_plan
	run apply -j 1
	left 0 1 "already exists"
}

@test "P19 an event trigger that raises, that writes down, that makes things" {
	fault_new p19 2 "CREATE TABLE c (id int);"
	sql "CREATE TABLE public.log (t text); CREATE FUNCTION public.raises() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no DDL today''; END';
		CREATE FUNCTION public.writes() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log VALUES (tg_tag); END';
		CREATE FUNCTION public.makes() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN IF tg_tag = ''CREATE TABLE'' AND to_regclass(''public.made'') IS NULL THEN CREATE TABLE public.made (id int); END IF; END'"
	apply_plan
	for trigger in raises writes makes; do
		sql "CREATE EVENT TRIGGER acts ON ddl_command_end EXECUTE FUNCTION public.$trigger()"
		run apply
		sql "DROP EVENT TRIGGER acts"
		case $trigger in
		raises) left 0 1 "no DDL today" ;;
		writes) left 0 3 "lock public.log, which the plan does not announce" ;;
		makes) left 0 3 "lock public.made, which the plan does not announce" ;;
		esac
		[ "$(sql "SELECT count(*) FROM public.log")" = 0 ]
		[ "$(sql "SELECT to_regclass('public.made') IS NULL")" = t ]
	done
	run apply
	left 2 0 complete
}

@test "P25 a role that lacks CREATE on one schema: nothing is begun, and the GRANT is named" {
	fault_new p25 4
	role_applier
	sql "ALTER SCHEMA tenant_3 OWNER TO postgres; GRANT USAGE ON SCHEMA tenant_3 TO applier"
	apply_plan
	run apply -U applier -j 1
	left 0 1 "GRANT CREATE ON SCHEMA tenant_3 TO applier"
	sql "ALTER SCHEMA tenant_3 OWNER TO applier"
	run apply -U applier
	left 4 0 complete
	every_tenant 3 2
}

# peak COMMAND...: its output, and the most memory that it held, in KiB, in a file.
peak() {
	command time -q -f %M -o "$BATS_TEST_TMPDIR/peak" "$@"
}
# AddressSanitizer keeps what was freed: its programs are given more.
bounded() {
	local most=65536
	! nm "$PGDOCKET_BIN/pgdocket-apply" 2>/dev/null | grep -q __asan_init || most=524288
	[ "$(cat "$BATS_TEST_TMPDIR/peak")" -lt $most ]
}

@test "P27 a million notices, and one of 100 MB: not waited for, not held" {
	fault_new p27 1 "$(hidden "DO \$in\$ BEGIN FOR i IN 1..1000000 LOOP RAISE NOTICE 'number %', i; END LOOP; RAISE NOTICE '%', repeat('x', 100000000); END \$in\$")"
	apply_plan
	run peak pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes
	left 1 0 complete
	bounded
}

@test "P28 a statement that returns ten million rows" {
	fault_new p28 1 "SELECT g FROM generate_series(1, 10000000) AS g;"
	apply_plan
	run peak pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes
	left 1 0 complete
	bounded
}
