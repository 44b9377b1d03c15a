# pgdocket snapshot against a real server: what is read, what is said of wrong lists, what may be missing.
bats_require_minimum_version 1.5.0
load server

setup_file() {
	pg_start
	pg_new_database shop
	fleet_build 6
}
teardown_file() { pg_stop; }
setup() {
	project_new "$BATS_TEST_TMPDIR/shop"
	export PGDATABASE=shop
}

query() { sqlite3 "$1" "$2"; }
use_query() { sed -i "s/^query = .*/query = $1/" pgdocket.conf; }

@test "schemas, states and shapes of a fleet, migrations and configuration beside them" {
	run pgdocket snapshot -o a.docket -d shop --progress none
	[ "$status" -eq 0 ]
	[ "$output" = 'a.docket: 7 schemas (6 of 6 listed tenants) in 3 states and 4 shapes' ]
	[ "$(query a.docket 'SELECT count(*) FROM migration')" = 8 ]
	[ "$(query a.docket "SELECT name, scope, listed, active, history, tables FROM schema NATURAL JOIN class WHERE name IN ('public', 'tenant_0001')")" = \
		$'public|shared|0|1|golang-migrate|6\ntenant_0001|tenant|1|1|golang-migrate|7' ]
	[ "$(query a.docket "SELECT label, database, shared_schema, database_oid = $(sql "SELECT oid FROM pg_database WHERE datname = 'shop'"), server_version > 120000, system_identifier = '$(sql 'SELECT system_identifier FROM pg_control_system()')' FROM target")" = 'test-1|shop|public|1|1|1' ]
	[ "$(query a.docket "SELECT count(*) FROM object WHERE kind = 'configuration' AND size = $(stat -c %s pgdocket.conf)")" = 1 ]
	[ "$(query a.docket "SELECT count(*) FROM schema WHERE oid = $(sql "SELECT 'tenant_0003'::regnamespace::oid")")" = 1 ]
	[ "$(stat -c %a a.docket)" = 600 ]
}

@test "a state's digest is that of its text, also without a history table" {
	sql 'CREATE SCHEMA blank'
	sql "INSERT INTO public.tenants (title, schema_name) VALUES ('blank', 'blank')"
	pgdocket snapshot -o a.docket -d shop -q
	sql "DELETE FROM public.tenants WHERE schema_name = 'blank'; DROP SCHEMA blank"
	[ "$(query a.docket "SELECT lower(hex(state)), history IS NULL FROM schema NATURAL JOIN class WHERE name = 'blank'")" = "$(printf 'none\n' | sha256sum | cut -d' ' -f1)|1" ]
	[ "$(query a.docket "SELECT lower(hex(state)) FROM schema NATURAL JOIN class WHERE name = 'tenant_0001'")" = "$(printf 'golang-migrate\n8 f\n' | sha256sum | cut -d' ' -f1)" ]
}

@test "dbmate's histories are told apart by their columns" {
	pg_new_database dbmate
	fleet_build 3 dbmate
	project_new_dbmate "$BATS_TEST_TMPDIR/dbmate"
	run pgdocket snapshot -o a.docket -d dbmate -q
	[ "$status" -eq 0 ]
	[ "$(query a.docket "SELECT DISTINCT history FROM schema NATURAL JOIN class")" = dbmate ]
	[ "$(query a.docket "SELECT lower(hex(state)) FROM schema NATURAL JOIN class WHERE name = 'tenant_0003'")" = "$(printf 'dbmate\n20240101000001\n20240101000002\n20240101000003\n20240101000004\n' | sha256sum | cut -d' ' -f1)" ]
}

@test "facts: layout, tables left out of shapes, server, extensions, event triggers" {
	pg_new_database facts
	fleet_build 1
	sql "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION public.watch()"
	pgdocket snapshot -o a.docket -d facts -q
	pgdocket status a.docket --json >/dev/null
	python3 - a.docket >facts <<-'PY'
		import sqlite3, sys, zlib
		print(zlib.decompress(sqlite3.connect(sys.argv[1]).execute("SELECT body FROM object WHERE kind = 'facts'").fetchone()[0]).decode())
	PY
	[ "$(jq -r .layout facts)" = golang-migrate ]
	[ "$(jq -c .history_tables facts)" = '["schema_migrations"]' ]
	[ "$(jq -r '.server.extensions[].name' facts)" = plpgsql ]
	[ "$(jq -c '.server.event_triggers' facts)" = '[{"name":"watcher","event":"ddl_command_end","enabled":true}]' ]
	[ "$(jq -r '.server.settings.server_encoding' facts)" = UTF8 ]
	[ "$(jq -r '.server.standby' facts)" = false ]
}

@test "an existing file is not overwritten, and nothing is asked of the server before" {
	echo x >a.docket
	run pgdocket snapshot -o a.docket -d 'host=/nonexistent'
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: a.docket exists\nhint: --force overwrites it' ]
	run pgdocket snapshot -o a.docket -d shop --force -q
	[ "$status" -eq 0 ]
	[ "$output" = '' ]
	[ "$(query a.docket 'SELECT count(*) FROM target')" = 1 ]
}

@test "no file named" {
	run pgdocket snapshot -d shop
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: no file was named for the bundle\nhint: -o release-42.docket' ]
}

@test "--help names the options" {
	run pgdocket snapshot --help
	[ "$status" -eq 0 ]
	[[ $output == *--output* && $output == *--force* && $output == *--jobs* && $output == *--dbname* && $output == *--config* ]]
}

@test "--json" {
	run --separate-stderr pgdocket snapshot -o a.docket -d shop --json
	[ "$status" -eq 0 ]
	[ "$(jq -c . <<<"$output")" = '{"schemas":7,"tenants":6,"listed":6,"orphans":0,"states":3,"shapes":4,"problems":0}' ]
}

@test "progress in plain lines, or none" {
	run pgdocket snapshot -o a.docket -d shop --progress plain
	[[ $output == *'reading schemas: 7 of 7'* ]]
	run pgdocket snapshot -o a.docket -d shop --force --progress sometimes
	[ "$status" -eq 2 ]
}

@test "-j 1 and -j 8 read the same" {
	pgdocket snapshot -o a.docket -d shop -q -j 1
	pgdocket snapshot -o b.docket -d shop -q --jobs=8
	[ "$(query a.docket 'SELECT * FROM schema' | md5sum)" = "$(query b.docket 'SELECT * FROM schema' | md5sum)" ]
	run pgdocket snapshot -o c.docket -d shop -j 0
	[ "$status" -eq 2 ]
}

@test "tenants by pattern" {
	sed -i 's/^query = .*/pattern = tenant_*/' pgdocket.conf
	sql 'CREATE SCHEMA tenants_not; CREATE SCHEMA tenant_bare'
	run pgdocket snapshot -o a.docket -d shop --progress none
	sql 'DROP SCHEMA tenants_not; DROP SCHEMA tenant_bare'
	[ "$status" -eq 0 ]
	[ "$(query a.docket "SELECT count(*) FROM schema NATURAL JOIN class WHERE scope = 'tenant' AND active")" = 7 ]
}

@test "a query of one column: all are active" {
	use_query 'SELECT schema_name FROM public.tenants'
	sql "UPDATE public.tenants SET active = false WHERE schema_name = 'tenant_0002'"
	pgdocket snapshot -o a.docket -d shop -q
	[ "$(query a.docket "SELECT sum(active) FROM schema NATURAL JOIN class WHERE scope = 'tenant'")" = 6 ]
	use_query 'SELECT schema_name, active FROM public.tenants'
	pgdocket snapshot -o a.docket -d shop -q --force
	sql "UPDATE public.tenants SET active = true"
	[ "$(query a.docket "SELECT sum(active) FROM schema NATURAL JOIN class WHERE scope = 'tenant'")" = 5 ]
}

@test "every row of the tenants query that cannot be used is named, none is passed over" {
	pg_new_database lists
	fleet_build 2
	sql "INSERT INTO public.tenants (title, schema_name, active) VALUES ('n', NULL, true), ('e', '', true), ('d', 'tenant_0001', false),
		('s', 'public', true), ('r', 'pg_toast', true), ('i', 'information_schema', true), ('p', 'pgdocket', true),
		('l', repeat('ü', 32), true), ('g', 'ghost', true), ('a', 'tenant_0002', NULL)"
	run pgdocket snapshot -o a.docket -d lists --progress none
	[ "$status" -eq 0 ]
	[[ $output == *'row 1 of the tenants query has an empty schema name'* ]]
	[[ $output == *'row 12 of the tenants query has no schema name (NULL)'* ]]
	[[ $output == *'the tenants query lists tenant_0001 2 times'* ]]
	[[ $output == *'the tenants query lists tenant_0002 2 times'* ]]
	[[ $output == *'the tenants query lists public, which is the shared schema'* ]]
	[[ $output == *"the tenants query lists pg_toast, which is not a tenant's name to have"* ]]
	[[ $output == *"the tenants query lists information_schema, which is not a tenant's name to have"* ]]
	[[ $output == *"the tenants query lists pgdocket, which is not a tenant's name to have"* ]]
	[[ $output == *'the tenants query lists üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü, which is longer than 63 bytes'* ]]
	[[ $output == *'the tenants query does not say whether tenant_0002 is active (NULL); it counts as inactive'* ]]
	[[ $output == *'a.docket: 3 schemas (2 of 3 listed tenants) in 2 states and 3 shapes'* ]]
	[ "$(query a.docket "SELECT listed, active, oid IS NULL, state IS NULL, shape IS NULL FROM schema NATURAL JOIN class WHERE name = 'ghost'")" = '1|1|1|1|1' ]
	[ "$(query a.docket "SELECT active FROM schema WHERE name = 'tenant_0001'")" = 1 ]
	[ "$(pgdocket status a.docket --json | jq -c '[.problems[].rule] | sort')" = \
		'["active","duplicate","duplicate","empty","long","null","reserved","reserved","reserved","shared"]' ]
}

@test "a tenant that no search_path can name is left out" {
	sql 'CREATE SCHEMA "$user"; CREATE TABLE "$user".schema_migrations (LIKE tenant_0001.schema_migrations)'
	use_query "VALUES ('tenant_0001'), ('\$user')"
	run pgdocket snapshot -o a.docket -d shop
	sql 'DROP SCHEMA "$user" CASCADE'
	[ "$status" -eq 0 ]
	[[ $output == *'the tenant $user is left out: in a search_path its name would mean'* ]]
	[ "$(query a.docket "SELECT count(*) FROM schema WHERE name = '\$user'")" = 0 ]
	[ "$(pgdocket status a.docket --json | jq -c '[.problems[].rule]')" = '["unaddressable"]' ]
}

@test "tenants queries that cannot be used" {
	use_query 'SELECT 1, true, 2'
	run pgdocket snapshot -o a.docket -d shop
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: the tenants query returns more than two columns\nhint: [tenants] query = SELECT name, active FROM ...: a text, and optionally a boolean' ]
	use_query 'SELECT schema_name, title FROM public.tenants'
	run pgdocket snapshot -o a.docket -d shop
	[ "$status" -eq 2 ]
	[[ $output == *'the tenants query has a second column that is not boolean'* ]]
	use_query 'SELECT FROM public.tenants'
	run pgdocket snapshot -o a.docket -d shop
	[ "$status" -eq 2 ]
	[[ $output == *'the tenants query returns no column'* ]]
	use_query 'SELECT schema_name FROM tenants'
	run pgdocket snapshot -o a.docket -d shop
	[ "$status" -eq 2 ]
	[[ $output == *'the tenants query: '*'relation "tenants" does not exist'* ]]
	[[ $output == *'hint: it runs read-only and with search_path = pg_catalog: write public.tenants, not tenants'* ]]
	use_query "DELETE FROM public.tenants RETURNING schema_name"
	run pgdocket snapshot -o a.docket -d shop
	[ "$status" -eq 2 ]
	[[ $output == *'read-only transaction'* ]]
	[ "$(sql 'SELECT count(*) FROM public.tenants')" = 6 ]
	[ ! -e a.docket ]
}

@test "no shared schema" {
	sed -i 's/^schema = .*/schema = commons/' pgdocket.conf
	run pgdocket snapshot -o a.docket -d shop
	[ "$status" -eq 1 ]
	[ "$output" = $'pgdocket: database shop has no schema commons, the shared one\nhint: [shared] schema names it; -d names the database' ]
}

@test "a server that cannot be reached" {
	run pgdocket snapshot -o a.docket -d 'host=/nonexistent'
	[ "$status" -eq 1 ]
	[[ $output == *'/nonexistent'* ]]
	[ ! -e a.docket ]
}

@test "all missing permissions at once, as GRANT lines; with these it works" {
	pg_new_database grants
	fleet_build 3
	fleet_orphan lost
	sql 'DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC'
	run pgdocket snapshot -o a.docket -d grants -U reader
	[ "$status" -eq 1 ]
	# The tenants cannot be listed yet: every schema with a history table may be one.
	[ "$(grep -c '^GRANT' <<<"$output")" = 11 ]
	[[ $output == *'pgdocket: role reader lacks 11 permissions that a snapshot needs'* ]]
	[[ $output == *'hint: as the owner, run the GRANT lines above'* ]]
	[[ $output == *'GRANT SELECT ON "public"."tenants" TO "reader";'* ]]
	grep '^GRANT' <<<"$output" | grep -v lost | psql -Xq -v ON_ERROR_STOP=1
	run pgdocket snapshot -o a.docket -d grants -U reader --progress none
	[ "$status" -eq 0 ]
	[[ $output == *'schema lost has a history table that may not be read, and is not listed'* ]]
	[[ $output == *'4 schemas (3 of 3 listed tenants)'* ]]
	sql "CREATE FUNCTION public.names() RETURNS SETOF text LANGUAGE sql AS 'SELECT 1::text'; REVOKE ALL ON FUNCTION public.names() FROM PUBLIC"
	sed -i.before 's/^query = .*/query = SELECT * FROM public.names()/' pgdocket.conf
	run pgdocket snapshot -o b.docket -d grants -U reader --progress none
	mv pgdocket.conf.before pgdocket.conf
	[ "$status" -eq 1 ]
	[[ $output == *'the tenants query may not be run: '*'permission denied for function names'* ]]
	[[ $output == *'hint: grant role reader what the query needs'* ]]
	sql 'REVOKE SELECT ON tenant_0002.schema_migrations FROM reader'
	run pgdocket snapshot -o b.docket -d grants -U reader --progress none
	[ "$status" -eq 1 ]
	echo "$output" >&2
	[ "$output" = $'pgdocket: role reader lacks 1 permission that a snapshot needs\nhint: as the owner, run: GRANT SELECT ON "tenant_0002"."schema_migrations" TO "reader";' ]
	[ ! -e b.docket ]
}

@test "orphans: a history table, and nobody lists the schema" {
	fleet_orphan lost 4
	sql 'CREATE SCHEMA other; CREATE TABLE other.t (i int)'
	run pgdocket snapshot -o a.docket -d shop --progress none
	sql 'DROP SCHEMA lost CASCADE; DROP SCHEMA other CASCADE' 2>/dev/null
	[ "$status" -eq 0 ]
	[[ $output == *'1 of them is not listed: a schema with a history table of its own'* ]]
	[ "$(query a.docket "SELECT name, listed, active FROM schema NATURAL JOIN class WHERE scope = 'orphan'")" = 'lost|0|0' ]
}

@test "a table that only has the name of a history table" {
	pg_new_database named
	fleet_build 2
	sql 'DROP TABLE tenant_0002.schema_migrations; CREATE TABLE tenant_0002.schema_migrations (id int, what text)'
	run pgdocket snapshot -o a.docket -d named --progress none
	[ "$status" -eq 0 ]
	[[ $output == *'tenant_0002.schema_migrations is not a history table of a known tool: its columns are id:int4 what:text'* ]]
	sed -i 's/^layout = .*/&\nhistory = dbmate/' pgdocket.conf
	run pgdocket snapshot -o b.docket -d named --progress none
	[[ $output == *'tenant_0001.schema_migrations is not a history table of dbmate: its columns are dirty:bool version:int8'* ]]
}

@test "a migrations folder that is not there stops it, with and without a line that names it" {
	rm -r migrations
	line=$(grep -n '^dir = migrations' pgdocket.conf | cut -d: -f1)
	run pgdocket snapshot -o a.docket -d shop -q
	[ "$status" -eq 2 ]
	[[ $output == "pgdocket: pgdocket.conf:$line: dir: there is no folder migrations"*'hint: '* ]]
	[ ! -e a.docket ]
	sed -i '/^dir = /d' pgdocket.conf
	run pgdocket snapshot -o a.docket -d shop -q
	[ "$status" -eq 2 ]
	[[ $output == *'there is no folder migrations, and no dir under [migrations]'* ]]
}

@test "an empty migrations folder: the snapshot has none" {
	rm migrations/*
	run pgdocket snapshot -o a.docket -d shop -q
	[ "$status" -eq 0 ]
	[ "$(query a.docket 'SELECT count(*) FROM migration')" = 0 ]
	run pgdocket status a.docket
	[[ $output == *'configuration from pgdocket.conf, no migrations (0 migrations)'* ]]
}

@test "a password is asked for on a terminal only" {
	run pgdocket snapshot -o a.docket -d shop -W </dev/null
	[ "$status" -eq 2 ]
	[[ $output == *'there is no terminal to ask on'* ]]
}

@test "a history table that is truncated and written while it is read is read again" {
	pg_new_database busy
	fleet_build 60
	# As golang-migrate does it, over and over, in the first and the last schema.
	( for _ in $(seq 60); do
		psql -Xq -d busy -c 'BEGIN; TRUNCATE tenant_0001.schema_migrations; INSERT INTO tenant_0001.schema_migrations VALUES (8, false); COMMIT' \
			-c 'BEGIN; TRUNCATE tenant_0060.schema_migrations; INSERT INTO tenant_0060.schema_migrations VALUES (4, false); COMMIT'
	done ) &
	for _ in 1 2 3 4 5 6; do
		run pgdocket snapshot -o a.docket -d busy --force -q
		[ "$status" -eq 0 ]
		[ "$(query a.docket "SELECT count(DISTINCT state) FROM schema NATURAL JOIN class")" = 3 ]
	done
	wait
}

@test "a schema that keeps changing is named" {
	pg_new_database moving
	fleet_build 2
	# Held by somebody for longer than we wait: lock_timeout ends each of the readings.
	psql -Xq -d moving -c 'BEGIN; LOCK TABLE tenant_0002.schema_migrations; SELECT pg_sleep(60)' >/dev/null 2>&1 &
	holder=$!
	sleep 0.3
	run pgdocket snapshot -o a.docket -d moving -q
	kill "$holder"
	wait "$holder" || true
	[ "$status" -eq 1 ]
	[ "$output" = $'pgdocket: 1 schema changed under 3 readings: tenant_0002\nhint: take the snapshot when no migration runs' ]
	[ ! -e a.docket ]
}

@test "locks end with each batch: many schemas with a small lock table" {
	[ "$(sql 'SHOW max_locks_per_transaction')" -le 64 ]
	pg_new_database wide
	{
		echo 'CREATE TABLE public.tenants (schema_name text, active boolean);'
		for i in $(seq 400); do echo "CREATE SCHEMA w$i; CREATE TABLE w$i.schema_migrations (version bigint PRIMARY KEY, dirty boolean); INSERT INTO w$i.schema_migrations VALUES (1, false); INSERT INTO public.tenants VALUES ('w$i', true);"; done
	} | psql -Xq
	pgdocket snapshot -o a.docket -d wide -q -j 2 &
	local most=0 now
	while kill -0 $! 2>/dev/null; do
		now=$(sql "SELECT count(*) FROM pg_locks WHERE relation IS NOT NULL AND mode = 'AccessShareLock' AND pid <> pg_backend_pid()")
		[ "$now" -le "$most" ] || most=$now
	done
	wait $!
	echo "at most $most relation locks" >&2
	[ "$most" -lt 400 ]
	[ "$(query a.docket 'SELECT count(*) FROM schema')" = 401 ]
}
