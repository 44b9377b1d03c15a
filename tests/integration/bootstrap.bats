#!/usr/bin/env bats
# pgdocket-apply bootstrap: the ledger, made once, by whoever may, with the grants that are asked for; or printed.

bats_require_minimum_version 1.5.0
load server
load plan

setup_file() {
	pg_start
	sql "CREATE ROLE applier LOGIN" && sql "CREATE ROLE reader LOGIN" && sql "CREATE ROLE nobody LOGIN"
	sql "CREATE ROLE dba LOGIN CREATEROLE"
}
teardown_file() { pg_stop; }

@test "makes the ledger with grants, and says so when it is there" {
	pg_new_database one
	run pgdocket-apply bootstrap --role applier --reader reader
	exits 0
	has "the ledger is made"
	[ "$(sql "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'pgdocket'")" = pgdocket_owner ]
	[ "$(sql "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'pgdocket_owner'")" = f ]
	[ "$(sql "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE 'pgdocket.%'")" = 2 ]
	[ "$(sql "SELECT condeferred FROM pg_constraint WHERE conname = 'applied_is_finished'")" = t ]
	run pgdocket-apply bootstrap --role applier
	exits 0
	has "was there already"
	run pgdocket-apply bootstrap --json
	has '"made":false'
}

@test "the applier may add to the ledger and not change it, the reader only read" {
	pg_new_database two
	pgdocket-apply bootstrap --role applier --reader reader
	row="VALUES (decode(repeat('00', 32), 'hex'), 'l', 'r')"
	psql -Xq -U applier -c "INSERT INTO pgdocket.plan (plan_sha256, label, first_run) $row"
	psql -Xq -U applier -c "UPDATE pgdocket.plan SET status = 'done', done = now()"
	for statement in "UPDATE pgdocket.plan SET label = 'x'" "DELETE FROM pgdocket.plan" "DELETE FROM pgdocket.applied" \
		"UPDATE pgdocket.finished SET segment = 2" "TRUNCATE pgdocket.intent" "ALTER TABLE pgdocket.applied DISABLE TRIGGER ALL" \
		"CREATE TABLE pgdocket.x (x int)" "SET ROLE pgdocket_owner"; do
		run psql -Xq -U applier -c "$statement"
		[ "$status" != 0 ]
	done
	[ "$(psql -XqAt -U reader -c "SELECT count(*) FROM pgdocket.plan")" = 1 ]
	run psql -Xq -U reader -c "INSERT INTO pgdocket.plan (plan_sha256, label, first_run) $row"
	[ "$status" != 0 ]
}

@test "one half of a segment's rows cannot be committed alone" {
	pg_new_database three
	pgdocket-apply bootstrap --role applier
	key="decode(repeat('01', 32), 'hex'), 1, 1"
	run psql -Xq -U applier -c "INSERT INTO pgdocket.applied VALUES ($key, 's', 'r')"
	[[ $output == *applied_is_finished* ]]
	run psql -Xq -U applier -c "INSERT INTO pgdocket.finished VALUES ($key, 'x', 'x', 'x')"
	[[ $output == *finished_was_applied* ]]
}

@test "someone who is no superuser can make it, and keeps no power over it" {
	sql "DROP DATABASE IF EXISTS one" && sql "DROP DATABASE IF EXISTS two" && sql "DROP DATABASE IF EXISTS three"
	psql -Xq -d postgres -c "DROP ROLE pgdocket_owner" -c "CREATE DATABASE four OWNER dba"
	export PGDATABASE=four
	run pgdocket-apply bootstrap -U dba --role applier
	exits 0
	[ "$(sql "SELECT pg_has_role('dba', 'pgdocket_owner', 'MEMBER')")" = f ]
	run psql -Xq -U dba -c "DELETE FROM pgdocket.plan"
	[ "$status" != 0 ]
}

@test "without the rights it says what is missing and changes nothing" {
	pg_new_database five
	run pgdocket-apply bootstrap -U nobody
	exits 1
	has "the ledger was not made"
	has "hint:"
	[ "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgdocket'")" = 0 ]
}

@test "--print needs no connection, and what it prints works in psql" {
	pg_new_database six
	PGHOST=/nonexistent run pgdocket-apply bootstrap --print --role applier --role 'odd"one'
	exits 0
	has 'TO "odd""one"'
	sql 'CREATE ROLE "odd""one"'
	psql -Xq -v ON_ERROR_STOP=1 <<<"$output" 2>/dev/null
	[ "$(sql "SELECT has_table_privilege('applier', 'pgdocket.applied', 'INSERT')")" = t ]
	run pgdocket-apply bootstrap
	has "was there already"
}

@test "a role that is not there, a name that cannot be one" {
	pg_new_database seven
	run pgdocket-apply bootstrap --role missing
	exits 1
	has 'role "missing" does not exist'
	run pgdocket-apply bootstrap --role ""
	[ "$status" != 0 ]
	run pgdocket-apply bootstrap --help
	exits 0
	has "--reader"
}
