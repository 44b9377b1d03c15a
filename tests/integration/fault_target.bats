#!/usr/bin/env bats
# The catalogue of faults, group P: a target that is not what the plan was made for, before and while it is applied.

bats_require_minimum_version 1.5.0
load server
load plan
load apply
load fault

setup_file() { pg_start; }
teardown_file() {
	[ ! -e "$PGD_DIR/standby" ] || pg_ctl_of standby -m immediate stop
	pg_stop
}
teardown() { oracle; }

pg_ctl_of() { (cd "$PGD_DIR" && pg_as_owner "$PGBIN/pg_ctl" -D "$PGD_DIR/$1" -w "${@:2}" >/dev/null 3>&-); }

# running N: run in the background, seen until N schemas are done; its output goes to the file out, $! is it.
running() {
	apply "${@:2}" >out 2>&1 &
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge "$1" ]; do sleep 0.02; done
}

# ended CODE TEXT
ended() {
	status=0
	wait "$!" || status=$?
	output=$(cat out)
	exits "$1"
	has "$2"
}

@test "P14 each kind of drift is seen before any statement of that schema, and taken back it is none" {
	fault_new p14 1
	sql "ALTER TABLE tenant_1.campaigns ALTER status SET DEFAULT 'x'; CREATE FUNCTION tenant_1.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
	apply_plan
	while IFS='|' read -r there back; do
		sql "$there"
		run apply
		left 0 3 "its structure is not the one that was planned for"
		sql "$back"
	done <<-'SQL'
		ALTER TABLE tenant_1.campaigns ALTER status SET DEFAULT 'y'|ALTER TABLE tenant_1.campaigns ALTER status SET DEFAULT 'x'
		DROP INDEX tenant_1.campaigns_status_idx|CREATE INDEX campaigns_status_idx ON tenant_1.campaigns (status)
		ALTER TABLE tenant_1.campaigns ADD COLUMN extra int|ALTER TABLE tenant_1.campaigns DROP COLUMN extra
		ALTER TABLE tenant_1.campaigns ALTER status SET NOT NULL|ALTER TABLE tenant_1.campaigns ALTER status DROP NOT NULL
		CREATE OR REPLACE FUNCTION tenant_1.f() RETURNS int LANGUAGE sql AS 'SELECT 2'|CREATE OR REPLACE FUNCTION tenant_1.f() RETURNS int LANGUAGE sql AS 'SELECT 1'
	SQL
	run apply
	left 1 0 complete
}

@test "P15 a state that another session commits between the look and the lock" {
	fault_new p15 2
	apply_plan
	psql -Xq -c "BEGIN; UPDATE tenant_2.schema_migrations SET version = 7; SELECT pg_sleep(1.5); COMMIT" >/dev/null &
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%version = 7%' AND wait_event = 'PgSleep'")" -ge 1 ]; do sleep 0.02; done
	run apply -j 1
	left 1 4 "tenant_2: failed: its migration state is not the one that was planned for"
	[ "$(sql "SELECT count(*) FROM tenant_2.orders")" = 0 ]
	sql "UPDATE tenant_2.schema_migrations SET version = 1"
	run apply
	left 2 0 complete
}

@test "P15 a structure that is changed behind the look: by the shapes after, or with guard = strict before" {
	while IFS='|' read -r guard text; do
		APPLY_PAUSE=0.4 fault_new "p15$guard" 4
		printf '[plan]\nguard = %s\n' $guard >>pgdocket.conf
		apply_plan
		running 1 -j 1
		sql "ALTER TABLE tenant_4.campaigns ADD COLUMN beside int"
		ended 4 "tenant_4: failed: $text"
		[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 3 ]
		sql "ALTER TABLE tenant_4.campaigns DROP COLUMN beside"
		oracle
	done <<-'END'
		normal|differs from pilot tenant_1
		strict|its structure is not the one that was planned for
	END
}

@test "P16 P17 schemas that are dropped, renamed, made again, made new while a run goes on" {
	APPLY_PAUSE=0.4 fault_new p16 6
	printf '[wave all]\nschemas = *\nmax_failures = 9\n' >>pgdocket.conf
	apply_plan
	running 1 -j 1
	sql "DROP SCHEMA tenant_4 CASCADE; ALTER SCHEMA tenant_5 RENAME TO tenant_elsewhere; ALTER SCHEMA tenant_6 RENAME TO tenant_old"
	sql "CREATE SCHEMA tenant_6; CREATE TABLE tenant_6.schema_migrations AS TABLE tenant_old.schema_migrations; CREATE TABLE tenant_6.orders (id int)"
	sql "CREATE SCHEMA tenant_new; CREATE TABLE tenant_new.schema_migrations AS TABLE tenant_old.schema_migrations; CREATE TABLE tenant_new.orders (id int);
		INSERT INTO public.tenants (schema_name) VALUES ('tenant_new')"
	ended 4 "tenant_4: failed: the schema is gone"
	has "tenant_5: failed: the schema is gone"
	has "tenant_6: failed: the schema was dropped and made again since the snapshot"
	lacks tenant_new
	[ "$(sql "SELECT string_agg(schema_name, ' ' ORDER BY schema_name) FROM pgdocket.applied")" = "tenant_1 tenant_2 tenant_3" ]
	run applier check
	exits 3
	has "1 tenants made since the snapshot are not covered: tenant_new"
}

@test "P24 a hot standby: refused with its name" {
	fault_new p24 1
	apply_plan
	pg_as_owner "$PGBIN/pg_basebackup" -h "$PGD_DIR" -U postgres -D "$PGD_DIR/standby" -R -N -c fast
	pg_ctl_of standby -o "-p 5433" -l "$PGD_DIR/standby.log" start
	for command in apply "applier check"; do
		run $command -p 5433
		exits 1
		has "the server is a standby"
		has "hint: connect to the primary"
	done
	run apply
	left 1 0 complete
}

# planned_for COLUMN VALUE: a signed plan from a snapshot that says this of its server.
planned_for() {
	snapshot
	sqlite3 s.docket "UPDATE target SET $1 = $2"
	pgdocket plan -q s.docket --scope tenant >/dev/null
	pgdocket sign -q s.docket --key "$BATS_TEST_TMPDIR/alice" --principal alice >/dev/null
}

@test "P26 another major version, another cluster, another oid are refused; another minor version is not" {
	fault_new p26 1
	now=$(sql "SHOW server_version_num")
	while read -r column value text; do
		planned_for "$column" "$value"
		run apply
		left 0 3 "$text"
		run applier check
		exits 3
		has "another database than the plan's"
	done <<-END
		server_version $((now - 10000)) the server's major version is $((now / 10000)), planned for $((now / 10000 - 1))
		system_identifier '7000000000000000001' the system identifier is
		database_oid 99999 its oid is
	END
	planned_for server_version $((now + 1))
	run apply
	left 1 0 complete
}

@test "P34 rows of the ledger that do not fit the plan" {
	fault_new p34 3
	printf '[plan]\ntransaction = migration\n[wave first]\nschemas = tenant_1\n[wave rest]\nschemas = *\n' >>pgdocket.conf
	apply_plan
	run apply --stop-after first
	exits 4
	sql "CREATE TABLE public.kept_applied AS TABLE pgdocket.applied; CREATE TABLE public.kept_finished AS TABLE pgdocket.finished"
	ORACLE_MENDED=yes
	both="pgdocket.applied SET %s; UPDATE pgdocket.finished SET %s"
	while IFS='|' read -r text change; do
		sql "SET session_replication_role = replica; $change"
		run apply
		exits 3
		has "$text"
		[[ $text != *"does not fit"* ]] || has "plan again from a new snapshot"
		run applier check
		exits 3
		has "$text"
		sql "SET session_replication_role = replica; TRUNCATE pgdocket.applied, pgdocket.finished;
			INSERT INTO pgdocket.applied SELECT * FROM public.kept_applied; INSERT INTO pgdocket.finished SELECT * FROM public.kept_finished"
	done <<-'SQL'
		a row of the ledger is damaged|UPDATE pgdocket.finished SET state_after = 'short'
		a row of the ledger is damaged|UPDATE pgdocket.finished SET audit_head = 'short'
		does not fit the plan: schema tenant_1, segment 1: it ended in another state than planned|UPDATE pgdocket.finished SET state_after = sha256('x') WHERE segment = 1
		does not fit the plan: schema tenant_1, segment 2: a segment before it is missing|DELETE FROM pgdocket.applied WHERE segment = 1; DELETE FROM pgdocket.finished WHERE segment = 1
		segment 1: the schema has another oid than in the snapshot|UPDATE pgdocket.applied SET schema_oid = 1; UPDATE pgdocket.finished SET schema_oid = 1
		schema nobody, segment 1: the plan has no such schema|UPDATE pgdocket.applied SET schema_name = 'nobody'
		segment 9: the plan has no such segment|UPDATE pgdocket.applied SET segment = 9 WHERE segment = 2; UPDATE pgdocket.finished SET segment = 9 WHERE segment = 2
	SQL
	sql "DROP TABLE public.kept_applied, public.kept_finished"
	run apply
	exits 0
	every_tenant 3 2
	ledger_whole 6
}

@test "P35 a ledger that was dropped, altered, emptied; one from an old backup" {
	fault_new p35 3
	apply_plan
	ORACLE_MENDED=yes
	sql "ALTER TABLE pgdocket.finished RENAME TO finish"
	run apply
	exits 1
	has "no ledger"
	sql "ALTER TABLE pgdocket.finish RENAME TO finished; ALTER TABLE pgdocket.finished RENAME COLUMN audit_head TO head"
	run apply
	exits 1
	has 'audit_head does not exist'
	every_tenant 1 0
	sql "ALTER TABLE pgdocket.finished RENAME COLUMN head TO audit_head"
	apply -q
	# Rows are gone while the schemas are as the run left them: nothing is done twice.
	sql "SET session_replication_role = replica; TRUNCATE pgdocket.applied, pgdocket.finished, pgdocket.plan"
	run apply
	exits 4
	has "the records say that segment 1 of schema tenant_1 was committed, the ledger does not"
	rm -r "$BATS_TEST_TMPDIR/state"
	cp received.docket s.docket
	run apply
	exits 3
	has "its structure is not the one that was planned for"
	every_tenant 3 2
}

@test "P35 N14 schemas and ledger from an old backup: what the records tell of is never done again unseen" {
	fault_new backup 2
	apply_plan
	apply -q
	cp s.docket results.docket
	psql -Xq <<-'SQL'
		SET session_replication_role = replica; TRUNCATE pgdocket.applied, pgdocket.finished, pgdocket.plan;
		SELECT format('DROP TABLE %1$I.b, %1$I.a; DELETE FROM %1$I.orders; UPDATE %1$I.schema_migrations SET version = 1', schema_name) FROM public.tenants \gexec
	SQL
	ORACLE_MENDED=yes
	for state in kept lost; do
		[ $state = kept ] || rm -r "$BATS_TEST_TMPDIR/state"
		run apply
		exits 4
		has "the records say that segment 1 of schema tenant_1 was committed, the ledger does not"
		has "hint: a failover lost it, or the database came back from a backup"
	done
	cmp s.docket results.docket
	every_tenant 1 0
	apply_plan
	run apply
	exits 0
	every_tenant 3 2
}

@test "what is recorded as committed is durable, whatever the role's or the server's default is" {
	fault_new durable 2 "$(hidden "DO \$in\$ BEGIN IF current_setting('synchronous_commit') <> 'on' THEN RAISE EXCEPTION 'it is not'; END IF; END \$in\$")"
	[ "$(sql "SHOW synchronous_commit")" = off ]
	apply_plan
	run apply -j 1
	left 2 0 complete
}

@test "P12 a program of the shared schema, which may reach anything, does not reach the ledger" {
	fault_new shared 1
	rm migrations/[23]_*
	migration 2 second "-- pgdocket: scope=shared

$(hidden "UPDATE pgdocket.plan SET status = 'done'")"
	snapshot
	pgdocket plan -q s.docket >/dev/null
	pgdocket sign -q s.docket --key "$BATS_TEST_TMPDIR/alice" --principal alice >/dev/null
	run apply
	left 0 3 "lock pgdocket.plan, which the plan does not announce"
}
