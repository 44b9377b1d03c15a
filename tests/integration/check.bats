#!/usr/bin/env bats
# pgdocket-apply check: everything that is wrong at once, nothing changed.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() {
	PG_SETTINGS='max_prepared_transactions = 2' pg_start
	sql "CREATE ROLE applier LOGIN; CREATE ROLE mallory LOGIN"
}
teardown_file() { pg_stop; }

@test "fit: exit 0, and nothing was written" {
	apply_new fit 5
	apply_plan
	before=$(sql "SELECT pg_current_wal_lsn()")
	run applier check
	exits 0
	has "fit: 5 schemas are left to do"
	cmp s.docket received.docket
	[ "$(sql "SELECT count(*) FROM pgdocket.plan")" = 0 ]
	apply -q
	run applier check
	exits 0
	has "fit: 0 schemas are left"
}

@test "not fit: ledger and privileges, all at once" {
	apply_new unfit 3
	psql -Xq -c "DO \$\$ BEGIN CREATE ROLE weak LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
	sql "GRANT SELECT ON public.tenants TO weak; GRANT USAGE ON SCHEMA tenant_1 TO weak"
	apply_plan
	run applier check -U weak
	exits 1
	[[ $output != *differs* ]]
	has "privileges on the ledger are missing"
	has "privileges are missing: CREATE on schema tenant_1"
	has "hint: GRANT USAGE, CREATE ON SCHEMA tenant_2, tenant_3 TO weak;"
	has "hint: GRANT SELECT, INSERT, DELETE ON TABLE tenant_1.schema_migrations, tenant_2.schema_migrations, tenant_3.schema_migrations TO weak;"
	sql "DROP SCHEMA pgdocket CASCADE"
	run applier check
	exits 1
	has "no ledger"
}

@test "differences: states, structures, schemas that are gone; exit 3" {
	apply_new differs 6
	apply_plan
	sql "ALTER TABLE tenant_1.orders ADD COLUMN x int; UPDATE tenant_2.schema_migrations SET version = 2"
	sql "DROP SCHEMA tenant_3 CASCADE; DROP TABLE tenant_4.schema_migrations"
	run applier check
	exits 3
	has "tenant_1: its structure"
	has "tenant_2: its migration state"
	has "tenant_3: it is gone"
	has "tenant_4"
	lacks "tenant_5"
	run --separate-stderr applier check --json
	exits 3
	[ "$(jq -r .fit <<<"$output")" = false ]
}

@test "locks in the way and tenants that are not covered are shown" {
	apply_new shown 2
	apply_plan
	sql "INSERT INTO public.tenants (schema_name) VALUES ('tenant_late')"
	run applier check
	exits 0
	has "tenant_late"
	run applier check -d postgres
	exits 3
	run pgdocket-apply check missing.docket --trust "$BATS_TEST_TMPDIR/trust"
	exits 1
	run pgdocket-apply check s.docket --trust "$BATS_TEST_TMPDIR/nowhere"
	exits 3
}

@test "restore points: before the first change and behind the last one, on screen, in the record, in the audit" {
	apply_new restore 2
	apply_plan
	before=$(sql "SELECT pg_current_wal_insert_lsn()")
	run --separate-stderr apply --json
	exits 0
	after=$(sql "SELECT pg_current_wal_insert_lsn()")
	points=$(jq -r 'select(.event == "run-start" or .event == "run-end") | .restore_point' <<<"$output")
	[[ $points =~ ^([0-9A-F/]+)\ timeline\ 1\ 20[0-9-]+T[0-9:.]+Z$'\n'([0-9A-F/]+)\ timeline\ 1\ 20[0-9-]+T[0-9:.]+Z$ ]]
	[ "$(sql "SELECT '$before'::pg_lsn <= '${BASH_REMATCH[1]}' AND '${BASH_REMATCH[1]}'::pg_lsn < '${BASH_REMATCH[2]}'
		AND '${BASH_REMATCH[2]}' <= '$after'::pg_lsn")" = t ]
	audited 0
	has "restore points: before ${BASH_REMATCH[1]} timeline 1 "
	has ", behind ${BASH_REMATCH[2]} timeline 1 "
	[ "$(pgdocket audit s.docket --trust "$BATS_TEST_TMPDIR/trust" --json | jq -r '.runs[0] | .restore_before, .restore_behind')" = "$points" ]
	apply_new restore_said 1
	apply_plan
	run apply
	exits 0
	has "restore point before: "
	has "restore point behind: "
}

# apply_new for a role that is no superuser and may do all that it needs: applier. A signed plan, too.
own_new() {
	apply_new "$@"
	sql "SELECT format('ALTER SCHEMA %I OWNER TO applier;', nspname) FROM pg_namespace WHERE nspname LIKE 'tenant_%'
		UNION ALL SELECT format('ALTER TABLE %s OWNER TO applier;', oid::regclass) FROM pg_class
		WHERE relkind = 'r' AND relnamespace::regnamespace::text LIKE 'tenant_%'" | psql -Xq
	sql "GRANT SELECT ON public.tenants TO applier"
	pgdocket-apply bootstrap -q --role applier
	apply_plan
}

# finds EXIT TEXT: check says it, in text and as JSON, and so does run, which then changes nothing.
finds() {
	run applier check -U applier
	exits "$1"
	has "$2"
	run --separate-stderr applier check -U applier --json
	exits "$1"
	[ "$(jq -r '.exit' <<<"$output")" = "$1" ]
	jq -r '.findings[].message' <<<"$output" | grep -qF -- "$2"
	run apply -U applier
	has "$2"
	exits "$1"
	[ "$1" = 0 ] || [ "$(sql "SELECT count(*) FROM pgdocket.plan")" = 0 ]
}

@test "a role with just the rights it needs is fit, and its run goes through" {
	own_new own 3
	run applier check -U applier
	exits 0
	lacks note
	lacks hint
	run apply -U applier
	exits 0
	lacks note
	every_tenant 3 2
}

@test "one privilege missing in one schema: named with its GRANT, which mends it" {
	own_new grants 5
	sql "ALTER SCHEMA tenant_2 OWNER TO postgres; GRANT USAGE ON SCHEMA tenant_2 TO applier"
	finds 1 "privileges are missing: CREATE on schema tenant_2"
	has "GRANT CREATE ON SCHEMA tenant_2 TO applier;"
	sql "GRANT CREATE ON SCHEMA tenant_2 TO applier; ALTER TABLE tenant_4.schema_migrations OWNER TO postgres;
		GRANT SELECT, INSERT ON tenant_4.schema_migrations TO applier"
	apply_plan
	finds 1 "privileges are missing: DELETE on table tenant_4.schema_migrations"
	sql "GRANT DELETE ON TABLE tenant_4.schema_migrations TO applier; REVOKE USAGE ON SCHEMA public FROM PUBLIC"
	apply_plan
	finds 1 "privileges are missing: USAGE on schema public"
	sql "GRANT USAGE ON SCHEMA public TO applier"
	run apply -U applier
	exits 0
}

@test "functions, operators and casts that others planted in the search_path: refused before they can be called" {
	own_new planted 2
	sql "CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'; ALTER FUNCTION public.lower(varchar) OWNER TO mallory"
	finds 3 "function public.lower(character varying), owned by role mallory, can be called in place of another one"
	sql "ALTER FUNCTION public.lower(varchar) OWNER TO applier"
	run applier check -U applier
	lacks lower
	sql "DROP FUNCTION public.lower(varchar); GRANT CREATE, USAGE ON SCHEMA tenant_2 TO mallory"
	psql -Xq -U mallory -c "CREATE FUNCTION tenant_2.eq(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT true'" \
		-c "CREATE OPERATOR tenant_2.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = tenant_2.eq)"
	finds 3 "operator tenant_2.=(character varying,character varying), owned by role mallory"
	sql "DROP OPERATOR tenant_2.= (varchar, varchar); DROP FUNCTION tenant_2.eq"
	psql -Xq -U mallory -c "CREATE TYPE tenant_2.pair AS (a int, b int)" \
		-c "CREATE FUNCTION tenant_2.to_pair(int) RETURNS tenant_2.pair LANGUAGE sql AS 'SELECT ROW(1, 2)::tenant_2.pair'" \
		-c "CREATE CAST (int AS tenant_2.pair) WITH FUNCTION tenant_2.to_pair(int) AS IMPLICIT"
	finds 3 "cast from integer to tenant_2.pair by tenant_2.to_pair(integer), owned by role mallory"
	psql -Xq -U mallory -c "SET client_min_messages = error" -c "DROP TYPE tenant_2.pair CASCADE" \
		-c "CREATE FUNCTION tenant_2.nobody_elses(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"
	run applier check -U applier
	lacks mallory
}

@test "a schema of the search_path that anyone may write to: refused" {
	own_new writable 2
	sql "GRANT CREATE ON SCHEMA public TO PUBLIC"
	finds 3 "anyone may create objects in schema public"
	has "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
	sql "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
	run apply -U applier
	exits 0
}

@test "event triggers: a note; of someone who is no superuser: not fit" {
	own_new triggers 2
	sql "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"
	sql "CREATE EVENT TRIGGER watches ON ddl_command_end EXECUTE FUNCTION public.watch()"
	finds 0 "event trigger watches, of role postgres, runs public.watch(), of role postgres, at ddl_command_end"
	own_new triggers_planted 2
	sql "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; ALTER FUNCTION public.watch() OWNER TO mallory"
	sql "CREATE EVENT TRIGGER watches ON ddl_command_end EXECUTE FUNCTION public.watch()"
	finds 1 "runs public.watch(), of role mallory"
	sql "ALTER EVENT TRIGGER watches DISABLE"
	run applier check -U applier
	lacks watches
}

@test "connections: what the role, the database and the server allow, against -j" {
	own_new connections 8
	sql "ALTER ROLE applier CONNECTION LIMIT 4"
	run applier check -U applier -j 2
	exits 0
	finds 1 "(CONNECTION LIMIT of role applier: 4, in use: 1)"
	sql "ALTER ROLE applier CONNECTION LIMIT -1; ALTER DATABASE connections CONNECTION LIMIT 4"
	finds 1 "(CONNECTION LIMIT of database connections: 4, in use: 1)"
	sql "ALTER DATABASE connections CONNECTION LIMIT -1"
	run applier check -U applier -j 70
	exits 1
	has "connections: 71 more are needed"
	sql "ALTER ROLE applier CONNECTION LIMIT 0"
	run apply -U applier
	sql "ALTER ROLE applier CONNECTION LIMIT -1"
	exits 1
	has "too many connections for role"
}

@test "the lock table: figures when it has room, not fit when the plan's statements may fill it" {
	own_new locks 2
	run --separate-stderr applier check -U applier --json
	exits 0
	[[ $(jq -r '.findings[] | select(.kind == "info") | .message' <<<"$output") == "lock table: 4 segments at a time lock up to "* ]]
	psql -Xq -U applier -c "DO \$\$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TABLE tenant_2.wide_%s (id int PRIMARY KEY, t text)', i); END LOOP; END \$\$"
	apply_plan
	run applier check -U applier
	exits 0
	has "note     lock table: 4 segments"
	psql -Xq -U applier -c "CREATE TABLE tenant_2.tree (id int) PARTITION BY RANGE (id)" \
		-c "DO \$\$ BEGIN FOR i IN 1..600 LOOP EXECUTE format('CREATE TABLE tenant_2.tree_%s PARTITION OF tenant_2.tree FOR VALUES FROM (%s) TO (%s)', i, i, i + 1);
			EXECUTE format('CREATE INDEX ON tenant_2.tree_%s (id)', i); END LOOP; END \$\$"
	apply_plan
	finds 1 "lock table: "
	[[ $output =~ max_locks_per_transaction\ =\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -gt 64 ] && [ "${BASH_REMATCH[1]}" -lt 500 ]
}

@test "who would be waited for: old transactions, prepared ones, sessions that may not be seen" {
	own_new holders 2
	sql "GRANT USAGE ON SCHEMA tenant_1 TO mallory; GRANT SELECT ON tenant_1.orders TO mallory"
	apply_plan
	psql -Xq -U mallory -c "BEGIN; LOCK TABLE tenant_1.orders IN ACCESS SHARE MODE; SELECT pg_sleep(60)" >/dev/null 2>&1 3>&- &
	holder=$!
	psql -Xq -U applier -c "BEGIN; LOCK TABLE tenant_2.campaigns IN ACCESS SHARE MODE; PREPARE TRANSACTION 'stuck'"
	sleep 11
	run applier check -U applier
	exits 0
	has "1 sessions of other roles hold locks"
	has "GRANT pg_read_all_stats TO applier;"
	has "prepared transaction stuck of role applier"
	run applier check
	has "psql, active, holds locks in 1 schemas for 1"
	kill $holder
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mallory'" >/dev/null
	sql "ROLLBACK PREPARED 'stuck'"
}

@test "notes: a superuser, a synchronous standby that is not there" {
	apply_new notes 1
	apply_plan
	run applier check
	exits 0
	has "note     postgres is a superuser"
	sql "ALTER DATABASE notes SET synchronous_commit = on" && sql "ALTER SYSTEM SET synchronous_standby_names = 'none_there'"
	sql "SELECT pg_reload_conf()" >/dev/null && sleep 1
	run applier check
	psql -Xq -c "SET synchronous_commit = local" -c "ALTER SYSTEM RESET synchronous_standby_names" -c "SELECT pg_reload_conf()" >/dev/null
	exits 0
	has "commits wait for a synchronous standby, and none is connected"
}
