#!/usr/bin/env bats
# pgdocket-apply run: whole runs, and everything that is refused or stops one.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }

@test "50 tenants: applied once, recorded, audited; the second run has nothing to do" {
	apply_new whole 50
	apply_plan
	run apply
	exits 0
	has "complete: 50 of 50 schemas done"
	every_tenant 3 2
	ledger_whole 50
	audited 0
	has "verified and complete: 50 of 50"
	cp s.docket before
	run apply
	exits 0
	has "nothing to do: completed by run"
	cmp s.docket before
	run pgdocket-apply status s.docket --json
	[ "$(jq -c '[.all.done, .all.left, (.waves | length), .failures]' <<<"$output")" = '[50,0,2,[]]' ]
	run pgdocket-apply status s.docket --state "$BATS_TEST_TMPDIR/state"
	has "all waves: 50 done, 0 failed, 0 begun, 0 left"
	exits 0
	has "50 done, 0 failed, 0 begun, 0 left"
}

@test "reverting takes back what was done, schema by schema" {
	apply_new revert 4
	apply_plan
	apply -q
	apply_plan --revert 2
	run apply
	exits 0
	every_tenant 1 0
	audited 0
}

@test "--json: one object per line, from run-start to run-end" {
	apply_new events 5
	apply_plan
	run --separate-stderr apply --json
	exits 0
	[ "$(jq -s -r '[.[0].event, .[-1].event] | join(" ")' <<<"$output")" = "run-start run-end" ]
	[ "$(jq -s '[.[] | select(.event == "schema-done")] | length' <<<"$output")" = 5 ]
	[ "$(jq -s '.[-1] | .exit' <<<"$output")" = 0 ]
}

@test "without a ledger: exit 1 and the way out" {
	apply_new bare 2
	apply_plan
	sql "DROP SCHEMA pgdocket CASCADE"
	run apply
	exits 1
	has "no ledger"
	has "bootstrap"
	[ ! -e "$BATS_TEST_TMPDIR/state" ]
}

@test "the applier's own role suffices; missing grants are named all at once" {
	apply_new role 3
	psql -Xq -c "DO \$\$ BEGIN CREATE ROLE applier LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
	for s in tenant_1 tenant_2 tenant_3; do
		sql "ALTER SCHEMA $s OWNER TO applier; ALTER TABLE $s.campaigns OWNER TO applier; ALTER TABLE $s.orders OWNER TO applier;
			ALTER TABLE $s.schema_migrations OWNER TO applier"
	done
	sql "GRANT SELECT ON public.tenants TO applier"
	apply_plan
	run apply -U applier
	exits 1
	has "USAGE on schema pgdocket"
	has "INSERT on pgdocket.applied"
	pgdocket-apply bootstrap -q --role applier
	run apply -U applier
	exits 0
	every_tenant 3 2
}

@test "without a terminal and without --yes: exit 2, nothing done" {
	apply_new ask 2
	apply_plan
	run applier run --state "$BATS_TEST_TMPDIR/state" </dev/null
	exits 2
	has "--yes"
	every_tenant 1 0
}

@test "on a terminal it asks twice; anything else than the answers changes nothing" {
	apply_new twice 2
	apply_plan
	command="pgdocket-apply run s.docket --trust $BATS_TEST_TMPDIR/trust --state $BATS_TEST_TMPDIR/state"
	run on_terminal y twice "$command"
	exits 1
	has "not confirmed"
	run on_terminal yes other "$command"
	exits 1
	every_tenant 1 0
	[ ! -e "$BATS_TEST_TMPDIR/state" ]
	run on_terminal yes twice "$command"
	exits 0
	every_tenant 3 2
}

@test "another database, another label, another host, an expired plan: exit 3" {
	apply_new here 2
	apply_plan --expires 1s
	run apply -d postgres
	exits 3
	has "another database"
	sleep 1.2
	run apply
	exits 3
	has "expired"
	apply_plan
	sed -i 's/^label: .*/label: other/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	run apply
	exits 3
	sed -i 's/^label: .*/label: test-1/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	pgdocket trust init "$BATS_TEST_TMPDIR/trust2" --label test-1 >/dev/null
	cp "$BATS_TEST_TMPDIR/trust2/host_key.pem" "$BATS_TEST_TMPDIR/trust/host_key.pem"
	run apply
	exits 3
	rm "$BATS_TEST_TMPDIR/trust/host_key.pem"
	run apply
	exits 3
	has "host_key.pem"
	every_tenant 1 0
	[ ! -e "$BATS_TEST_TMPDIR/state" ]
}

@test "a policy that forbids root" {
	[ "$(id -u)" = 0 ] || skip "not root"
	apply_new rooted 1
	apply_plan
	sed -i 's/^#* *allow-root: .*/allow-root: no/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	run apply
	exits 3
	has "root"
}

@test "a read-only role and an encoding other than UTF8 are refused" {
	apply_new readonly 1
	apply_plan
	sql "ALTER DATABASE readonly SET default_transaction_read_only = on"
	run apply
	exits 1
	has "read-only"
	psql -Xq -d postgres -c "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'"
	run apply -d latin
	exits 1
	has "LATIN1"
}

@test "a held run lock: waits, then exit 1 naming the holder; free again, it runs" {
	apply_new locked 2
	apply_plan
	PGAPPNAME='pgdocket/deadbeef/0' psql -Xq -c "SELECT pg_advisory_lock(8099552884421256564), pg_sleep(30)" >/dev/null &
	holder=$!
	until [ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" = 1 ]; do sleep 0.05; done
	run apply --lock-wait 500ms
	exits 1
	has "pgdocket/deadbeef/0"
	kill $holder
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgdocket/deadbeef/0'" >/dev/null
	run apply
	exits 0
	every_tenant 3 2
}

@test "sessions that a killed run left behind are waited for" {
	apply_new orphans 2
	apply_plan
	PGAPPNAME='pgdocket/deadbeef/1' psql -Xq -c "SELECT pg_sleep(30)" >/dev/null &
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgdocket/%'")" = 1 ]; do sleep 0.05; done
	run apply --lock-wait 500ms
	exits 1
	has "still at work"
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgdocket/deadbeef/1'" >/dev/null
	run apply
	exits 0
}

@test "20 starts at once: one applies, the others are refused or find it done" {
	APPLY_PAUSE=0.05 apply_new crowd 5
	apply_plan
	for i in $(seq 20); do
		cp received.docket "crowd$i.docket"
		pgdocket-apply run "crowd$i.docket" --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state$i" --yes \
			--lock-wait 20s >"crowd$i.out" 2>&1 &
	done
	wait
	every_tenant 3 2
	ledger_whole 5
	[ "$(grep -l '^wave ' crowd*.out | wc -l)" = 1 ]
}

@test "a failing statement stops at the budget, names file and line, leaves nothing of that schema" {
	apply_new failing 6
	migration 3 third "INSERT INTO orders VALUES (3);
SELECT 1 / count(*) FROM campaigns;"
	sql "INSERT INTO tenant_1.campaigns VALUES (1, 'x'); INSERT INTO tenant_2.campaigns VALUES (1, 'x')"
	apply_plan
	run apply -j 1
	exits 4
	has "tenant_3: failed at statement"
	has "3_third.up.sql:2"
	has "division by zero"
	[ "$(sql "SELECT count(*) FROM tenant_3.orders")" = 0 ]
	[ "$(sql "SELECT count(*) FROM tenant_1.orders")" = 2 ]
	audited 4
	apply -j 1 --json >events 2>/dev/null || [ $? = 4 ]
	[ "$(jq -r 'select(.event == "schema-failed") | "\(.schema) \(.segment) \(.line) \(.file) \(.sqlstate) \(.hint)"' events)" = \
		"tenant_4 1 2 3_third.up.sql 22012 " ]
	for i in 3 4 5 6; do sql "INSERT INTO tenant_$i.campaigns VALUES (1, 'x')"; done
	run apply
	exits 0
	every_tenant 3 2
	audited 0
}

@test "nothing changed yet and a failure: exit 1; the results still go back" {
	apply_new first 3
	migration 2 second "SELECT 1 / 0;"
	rm migrations/3_*
	apply_plan
	run apply
	exits 1
	has "division by zero"
	cmp -s s.docket received.docket && return 1
	audited 4
}

@test "drift since the snapshot: exit 3, nothing done in that schema" {
	apply_new drift 1
	apply_plan
	sql "ALTER TABLE tenant_1.campaigns ADD COLUMN extra int"
	run apply
	exits 3
	has "structure"
	[ "$(sql "SELECT version FROM tenant_1.schema_migrations")" = 1 ]
	sql "ALTER TABLE tenant_1.campaigns DROP COLUMN extra"
	sql "UPDATE tenant_1.schema_migrations SET version = 2"
	run apply
	exits 3
	has "migration state"
	sql "UPDATE tenant_1.schema_migrations SET version = 1"
	run apply
	exits 0
}

@test "a schema that was dropped, or dropped and made again, is left alone; public gets nothing" {
	apply_new gone 2
	apply_plan
	sql "DROP SCHEMA tenant_2 CASCADE"
	run apply
	exits 3
	has "gone"
	sql "CREATE SCHEMA tenant_2; CREATE TABLE tenant_2.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
		CREATE TABLE tenant_2.orders (id int); INSERT INTO tenant_2.schema_migrations VALUES (1, false)"
	run apply
	exits 3
	[ "$(sql "SELECT to_regclass('public.a') IS NULL AND to_regclass('tenant_2.a') IS NULL")" = t ]
}

@test "a lock that is held is waited for in short tries, and named" {
	apply_new held 3
	sed -i '$ a [plan]\nlock_timeout = 200ms' pgdocket.conf
	apply_plan
	psql -Xq -c "BEGIN; LOCK TABLE tenant_2.orders IN ACCESS SHARE MODE; LOCK TABLE tenant_2.schema_migrations IN ROW EXCLUSIVE MODE; SELECT pg_sleep(2)" >/dev/null &
	until [ "$(sql "SELECT count(*) FROM pg_locks WHERE relation = 'tenant_2.orders'::regclass")" = 1 ]; do sleep 0.05; done
	run apply
	exits 0
	has "tenant_2: attempt 1"
	has "in the way: process"
	every_tenant 3 2
	ledger_whole 3
	audited 0
}

@test "a tenant that differs in what its statements did is rolled back: differs from pilot" {
	apply_new pilot 3
	migration 3 third "DO \$\$ BEGIN IF NOT EXISTS (SELECT FROM information_schema.tables WHERE table_name = 'c') THEN CREATE TABLE c (id int); END IF; END \$\$;"
	apply_plan
	run apply -j 2
	exits 4
	has "differs from pilot tenant_1"
	[ "$(sql "SELECT to_regclass('tenant_1.c') IS NOT NULL")" = t ]
	[ "$(sql "SELECT version FROM tenant_2.schema_migrations")" = 1 ]
}

@test "a new tenant is reported, or refused by policy" {
	apply_new late 2
	apply_plan
	sql "INSERT INTO public.tenants (schema_name) VALUES ('tenant_late')"
	sed -i 's/^#* *uncovered: .*/uncovered: refuse/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	run apply
	exits 3
	has "tenant_late"
	sed -i 's/^uncovered: .*/uncovered: report/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	run apply
	exits 0
	has "tenant_late"
}

@test "waves: --stop-after, --wave, and a wave that does not exist" {
	apply_new waves 6
	printf '[wave canary]\nschemas = tenant_1, tenant_2\n[wave rest]\nschemas = *\n' >>pgdocket.conf
	apply_plan
	run apply --stop-after nowhere
	exits 2
	run apply --wave rest
	exits 1
	has "canary"
	run apply --stop-after canary
	exits 4
	has "stopped behind wave canary, as asked"
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 2 ]
	run apply --wave rest
	exits 0
	every_tenant 3 2
	run apply --stop-after canary
	exits 0
}

@test "--receipt leaves the bundle alone; results in a file of their own can be audited" {
	apply_new receipt 3
	apply_plan
	run apply --receipt results.docket
	exits 0
	cmp s.docket received.docket
	cp results.docket s.docket
	audited 0
	touch other
	run apply --receipt other
	exits 2
}

@test "a bundle that was replaced meanwhile stays, and the results stand beside it" {
	APPLY_PAUSE=0.3 apply_new diverted 3
	apply_plan
	apply -j 1 >out 2>&1 &
	run=$!
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 1 ]; do sleep 0.05; done
	cp received.docket copy && mv copy s.docket
	wait $run
	cat out
	grep -q "the same command once more brings both together" out
	cmp s.docket received.docket
	cp s.docket.*.results results.docket
	run apply
	exits 0
	audited 0
	cp results.docket s.docket
	audited 0
}

@test "a migration cannot end its transaction, nor write to the ledger" {
	apply_new smuggle 2
	sql "CREATE FUNCTION public.quiet_commit() RETURNS void LANGUAGE plpgsql AS 'BEGIN COMMIT; END'"
	migration 3 third "SELECT public.quiet_commit();"
	apply_plan
	run apply
	exits 1
	[ "$(sql "SELECT count(*) FROM pgdocket.applied")" = 0 ]
	[ "$(sql "SELECT version FROM tenant_1.schema_migrations")" = 1 ]
}

@test "PGOPTIONS decides nothing, PGHOST is beaten by -d" {
	apply_new environment 1
	apply_plan
	PGOPTIONS="-c search_path=public -c default_transaction_read_only=on" run apply
	exits 0
	apply_plan --revert 1
	socket=$PGHOST
	PGHOST=/nonexistent run apply
	exits 1
	PGHOST=/nonexistent run apply -d "host=$socket dbname=environment"
	exits 0
}

@test "a conninfo-file of the policy: used, beaten by -d, refused when others may write it" {
	apply_new conninfo 1
	apply_plan
	echo "host=$PGHOST dbname=conninfo user=postgres" >"$BATS_TEST_TMPDIR/conn"
	chmod 600 "$BATS_TEST_TMPDIR/conn"
	sed -i '/^#* *conninfo-file:/d' "$BATS_TEST_TMPDIR/trust/policy.conf"
	echo "conninfo-file: $BATS_TEST_TMPDIR/conn" >>"$BATS_TEST_TMPDIR/trust/policy.conf"
	PGDATABASE=postgres run applier check
	exits 0
	PGDATABASE=conninfo run applier check -d postgres
	exits 3
	chmod 666 "$BATS_TEST_TMPDIR/conn"
	run applier check
	exits 3
	has "others may write to it"
	echo "password=canary" >>"$BATS_TEST_TMPDIR/conn"
	chmod 644 "$BATS_TEST_TMPDIR/conn"
	run applier check
	exits 3
	lacks canary
}
