#!/usr/bin/env bats
# Locks and applications in the way, other appliers, other servers: each case is followed by the oracle of tests/fault.

bats_require_minimum_version 1.5.0
load ../fault/scenario

setup_file() {
	export PLAN_SETTINGS='retries = 4'
	export PG_SETTINGS=$'deadlock_timeout = 50ms\nsynchronous_commit = on\nwal_level = replica\nmax_wal_senders = 4\nallow_system_table_mods = on'
	scenario_start shared native
	sql "INSERT INTO public.plans SELECT n FROM generate_series(1, 200000) n"
	trap - EXIT
	export FAULT_DIR CANARY ORACLE_RECORDS
}
teardown_file() { scenario_stop; }

setup() {
	cd "$FAULT_DIR/project"
	SCENARIO_RUN=(pgdocket-apply run s.docket --trust "$FAULT_DIR/trust" --state "$FAULT_DIR/state" --yes)
	scenario_reset
	rm -rf "$FAULT_DIR"/state2 "$FAULT_DIR"/talk2
}
teardown() {
	jobs -p | xargs -r kill 2>/dev/null || true
	wait
}

well() {
	run oracle_point "$BATS_TEST_DESCRIPTION" "$@"
	exits 0
}

# The applier in the background; its process is $pid.
start() {
	env --default-signal=INT,PIPE "${SCENARIO_RUN[@]}" "$@" >"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null 3>&- &
	pid=$!
}
ends() {
	status=0
	wait $pid || status=$?
	[ $status = "$1" ] || { echo "exit $status, not $1"; cat "$FAULT_DIR/talk"; return 1; } >&2
}
records() { sqlite3 s.docket "SELECT count(*) FROM receipt WHERE CAST(body AS TEXT) LIKE '%$1%'"; }
until_sql() { for ((i = 0; i < 200; i++)); do [ "$(sql "$1")" != "$2" ] || return 0; sleep 0.05; done; return 1; }

@test "L05: a lock that is held for ever: the tries are spent, the holder is named" {
	mkfifo "$FAULT_DIR/forgotten"
	PGAPPNAME=forgotten psql -Xq <"$FAULT_DIR/forgotten" >/dev/null 3>&- &
	exec 7>"$FAULT_DIR/forgotten"
	echo "BEGIN; SELECT FROM tenant_2.campaigns;" >&7
	until_sql "SELECT count(*) FROM pg_locks WHERE relation = 'tenant_2.campaigns'::regclass" 1
	start -j 2
	ends 4
	grep -q "after 4 attempts" "$FAULT_DIR/talk"
	grep -q "in the way: process [0-9]* forgotten idle in transaction" "$FAULT_DIR/talk"
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'forgotten'"
	exec 7>&-
	well 4
}

@test "L06: a deadlock with an application: one of the two gives way, the segment is tried again" {
	{
		echo "SET deadlock_timeout = '30s'; BEGIN; LOCK TABLE tenant_1.orders IN SHARE MODE; SELECT pg_sleep(1);"
		echo "SELECT FROM tenant_1.campaigns; COMMIT;"
	} | psql -Xq >/dev/null 3>&- &
	until_sql "SELECT count(*) FROM pg_locks WHERE relation = 'tenant_1.orders'::regclass" 1
	start -j 1
	ends 0
	[ "$(records 'type: retry')" -ge 1 ]
	well 0
}

@test "L07: pg_dump of everything runs meanwhile: it gets through, and so does the run" {
	pg_dump 3>&- | { sleep 1.5; cat; } >"$FAULT_DIR/dump" &
	until_sql "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pg_dump'" t
	start -j 2
	ends 0
	wait
	tail -n 5 "$FAULT_DIR/dump" | grep -q "dump complete"
	well 0
}

@test "L09: the run lock is held by someone else's application: exit 1, the holder is named" {
	PGAPPNAME=stranger psql -Xq -c "SELECT pg_advisory_lock(8099552884421256564); SELECT pg_sleep(60)" >/dev/null 3>&- &
	until_sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted" 1
	start --lock-wait 300ms
	ends 1
	grep -q "stranger" "$FAULT_DIR/talk"
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stranger'"
	well 1
}

# The run lock and the look for orphans are taken away on the server: only the ledger's keys are left.
lock_off() {
	sql "ALTER FUNCTION pg_catalog.pg_try_advisory_lock(bigint) RENAME TO real_lock;
		CREATE FUNCTION pg_catalog.pg_try_advisory_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
		ALTER FUNCTION pg_catalog.starts_with(text, text) RENAME TO real_starts_with;
		CREATE FUNCTION pg_catalog.starts_with(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'"
}
lock_on() {
	sql "DROP FUNCTION pg_catalog.pg_try_advisory_lock(bigint);
		ALTER FUNCTION pg_catalog.real_lock(bigint) RENAME TO pg_try_advisory_lock;
		DROP FUNCTION pg_catalog.starts_with(text, text);
		ALTER FUNCTION pg_catalog.real_starts_with(text, text) RENAME TO starts_with"
}

@test "L02: two appliers on two hosts without a run lock: the ledger's keys alone keep every effect single" {
	lock_off
	for round in 1 2 3 4 5; do
		scenario_reset
		rm -rf "$FAULT_DIR/state2"
		cp received.docket "$FAULT_DIR/other.docket"
		start -j 2
		pgdocket-apply run "$FAULT_DIR/other.docket" --trust "$FAULT_DIR/trust" --state "$FAULT_DIR/state2" --yes -j 2 \
			>/dev/null 2>"$FAULT_DIR/talk2" 3>&- &
		other=$!
		code=0
		wait $pid || code=$?
		status=0
		wait $other || status=$?
		# 3: what the other has just changed is drift to it.
		[[ $status =~ ^[0134]$ ]] || { output="the other: exit $status: $(tail -n 2 "$FAULT_DIR/talk2")"; break; }
		run oracle_check $code
		[ -z "$output" ] || break
	done
	found=$output
	lock_on
	[ -z "$found" ] || { echo "$found"; false; }
	well $code
}

@test "L03: two plans for the same schemas: the second waits, and then is refused" {
	scenario_migrations shared
	mkdir -p "$FAULT_DIR/second"
	cp received.docket "$FAULT_DIR/second.docket"
	pgdocket snapshot -q --force -o "$FAULT_DIR/second/s.docket"
	pgdocket plan -q "$FAULT_DIR/second/s.docket" --to 3 >/dev/null
	pgdocket sign -q "$FAULT_DIR/second/s.docket" --key "$FAULT_DIR/alice" --principal alice >/dev/null
	pgdocket approve -q "$FAULT_DIR/second/s.docket" --key "$FAULT_DIR/bob" --principal bob >/dev/null
	start -j 2
	until_sql "SELECT count(*) > 0 FROM pgdocket.finished" t
	run pgdocket-apply run "$FAULT_DIR/second/s.docket" --trust "$FAULT_DIR/trust" --state "$FAULT_DIR/state2" --yes
	exits 3
	ends 0
	sql "ALTER TABLE pgdocket.plan DISABLE TRIGGER ALL; DELETE FROM pgdocket.plan WHERE status = 'running'"
	well 0
}

@test "C05: SIGHUP, closed output, a stop of two seconds" {
	start -j 2
	sleep 0.1
	kill -HUP $pid
	status=0
	wait $pid || status=$?
	well $status killed
	scenario_reset
	run bash -c '"$@" --json 2>/dev/null | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}' - "${SCENARIO_RUN[@]}"
	code=$status
	echo "pgdocket-apply: closed" >"$FAULT_DIR/talk"
	well $code killed
	scenario_reset
	start -j 2
	until_sql "SELECT count(*) > 0 FROM pgdocket.finished" t
	kill -STOP $pid
	sleep 2
	kill -CONT $pid
	ends 0
	well 0
}

@test "N08: several hosts, the standby first: the one that can be written to is taken" {
	standby=$PGD_DIR/standby
	(cd "$PGD_DIR" && pg_as_owner "$PGBIN/pg_basebackup" -h "$PGD_DIR" -U postgres -D "$standby/data" -R -X stream -c fast)
	pg_as_owner "$PGBIN/pg_ctl" -D "$standby/data" -l "$standby/log" -o "-k $standby" -w start >/dev/null 3>&-
	start -d "host=$standby,$PGD_DIR port=5432,5432 dbname=scenario"
	ends 0
	scenario_reset
	start -h "$standby"
	status=0
	wait $pid || status=$?
	[ $status = 1 ] || [ $status = 3 ]
	pg_as_owner "$PGBIN/pg_ctl" -D "$standby/data" -m immediate -w stop >/dev/null
	rm -rf "$standby"
	cat "$FAULT_DIR/talk"
	well $status
}

@test "N13: a synchronous standby that never answers: commits are waited for no longer than a statement, and are known" {
	sed -i 's/^retries = .*/&\nstatement_timeout = 500ms/' pgdocket.conf
	sql "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
	sql "SELECT pg_reload_conf()"
	SECONDS=0
	status=0
	timeout 100 "${SCENARIO_RUN[@]}" -j 2 >"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null || status=$?
	sql "ALTER SYSTEM RESET synchronous_standby_names"
	sql "SELECT pg_reload_conf()"
	cat "$FAULT_DIR/talk"
	[ $status != 124 ]
	well $status
}
