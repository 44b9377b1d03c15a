#!/usr/bin/env bats
# pgdocket show: the plan as text, JSON and SQL.

load server
load plan

setup_file() {
	pg_start
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR plan_new show 12
	sql "ALTER TABLE tenant_7.campaigns ADD COLUMN drift int"
	sql "UPDATE tenants SET active = false WHERE schema_name IN ('tenant_8', 'tenant_9')"
	migration 2 second "SET work_mem = '64MB';
ALTER TABLE users ADD COLUMN x int;
CREATE TABLE notes (id int, u int REFERENCES users (id));
DROP TABLE orders;" "SELECT 1;"
	migration 3 third "UPDATE campaigns SET status = 'x';" ""
	snapshot
	pgdocket plan -q s.docket --ticket CHG7
}
teardown_file() { pg_stop; }
setup() { cd "$BATS_FILE_TMPDIR/project"; }

@test "text: the whole plan, classes first" {
	run pgdocket show s.docket
	exits 0
	has "for test-1"
	has "ticket       CHG7"
	has "signed by    nobody yet"
	has "class 1, tenants, 9 schemas alike: tenant_1, tenant_10, tenant_11 and 6 more"
	has "class 2, tenants, 1 schema: tenant_7"
	has "golang-migrate, at 1 -> "
	has "program 1, of class 1, 2"
	has "not run: users exists only in the shared schema"
	has "rewritten: SET LOCAL instead of SET"
	has "DESTRUCTIVE"
	has "locks public.users"
	has "before: guard, the history must be in state"
	has "after: INSERT INTO schema_migrations (version, dirty) VALUES (3, false)"
	has "waves, in this order"
	has "lock_timeout 2000 ms"
	has "TimeZone = UTC"
	has "inactive: tenant_8, tenant_9"
}

@test "text: danger comes first among the findings" {
	run pgdocket show s.docket
	first=$(grep -A1 '^findings' <<<"$output" | tail -1)
	[[ $first == *DANGER* ]]
	[ "$(grep -c 'DANGER' <<<"$output")" -ge 1 ]
	has "drift, class 2: tenant_7"
}

@test "one class" {
	run pgdocket show s.docket --class 2
	exits 0
	has "tenant_7"
	lacks "tenant_1,"
	run pgdocket show s.docket --class 9
	exits 2
	has "the plan has no such class"
}

@test "json: the signed document's bytes, and the statement's fields" {
	pgdocket show s.docket --format json >shown
	[ "$(jq -r .ticket shown)" = CHG7 ]
	[ "$(jq -r '.document.format' shown)" = pgdocket-document/1 ]
	[ "$(jq '.document.schemas | length' shown)" = 11 ]
	document=$(sqlite3 s.docket "SELECT CAST(statement AS TEXT) FROM plan" | sed -n 's/^document: sha256:\([0-9a-f]*\) .*/\1/p')
	jq -j '.document' --compact-output shown >/dev/null
	{ sed 's/^.*"document"://; s/}$//' shown; } >bytes
	[ "$(sha256sum <bytes | cut -d' ' -f1)" = "$document" ]
	run pgdocket show s.docket --json
	[ "$(jq -r .label <<<"$output")" = test-1 ]
}

@test "sql: what will run, filtered ones as comments" {
	run pgdocket show s.docket --format sql --class 1
	exits 0
	has "-- not run here: users exists only in the shared schema
-- ALTER TABLE users ADD COLUMN x int"
	has "SET LOCAL work_mem = '64MB';"
	has "-- was:
--   SET work_mem = '64MB'"
	has "DROP TABLE orders;"
	has "2_second.up.sql:4  DESTRUCTIVE"
	has "INSERT INTO schema_migrations (version, dirty) VALUES (3, false);"
}

@test "sql: a class's SQL runs as it stands" {
	pgdocket show s.docket --format sql --class 1 >class.sql
	sql "CREATE SCHEMA copy; CREATE TABLE copy.campaigns (id int, status text); CREATE TABLE copy.orders (id int)"
	sql "CREATE TABLE copy.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)"
	PGOPTIONS='-c search_path=copy,public' psql -Xq -v ON_ERROR_STOP=1 -f class.sql
	[ "$(sql "SELECT version FROM copy.schema_migrations")" = 3 ]
	[ "$(sql "SELECT to_regclass('copy.orders') IS NULL")" = t ]
}

@test "to a file, which must be new" {
	rm -f out.txt
	run pgdocket show s.docket -o out.txt
	exits 0
	[ -z "$output" ]
	grep -q 'class 1' out.txt
	run pgdocket show s.docket -o out.txt
	exits 1
}

@test "who signed" {
	cp s.docket signed.docket
	rm -f planner planner.pub bob bob.pub
	ssh-keygen -q -t ed25519 -N '' -f planner
	ssh-keygen -q -t ed25519 -N '' -f bob
	pgdocket sign signed.docket --key planner --principal a@example.com
	pgdocket approve signed.docket --key bob --principal bob@example.com --comment "looks fine"
	run pgdocket show signed.docket
	has "$(ssh-keygen -lf planner.pub | cut -d' ' -f2), as planner"
	has "$(ssh-keygen -lf bob.pub | cut -d' ' -f2), approved by bob@example.com: looks fine"
	has "judges them by a policy"
	[ "$(pgdocket show signed.docket --json | jq -r '.signatures[] | select(.decision == "approve") | .who')" = bob@example.com ]
}

@test "control characters are escaped" {
	mkdir -p escape && cd escape
	cp -r ../pgdocket.conf ../migrations .
	printf "COMMENT ON TABLE campaigns IS 'a\033[31mred';\n" >migrations/4_fourth.up.sql
	cp ../s.docket .
	pgdocket plan -q s.docket --replace
	for format in text sql; do
		run pgdocket show s.docket --format $format
		exits 0
		has '\x1B[31mred'
		lacks $'\033'
	done
}

@test "no plan, no file, wrong words" {
	snapshot_only=$BATS_TEST_TMPDIR/empty.docket
	pgdocket snapshot -q -o "$snapshot_only"
	run pgdocket show "$snapshot_only"
	exits 1
	has "the bundle holds no plan"
	has "hint: make one with"
	run pgdocket show s.docket --format pdf
	exits 2
	has "--format takes text, json or sql"
	run pgdocket show no-such.docket
	[ "$status" != 0 ]
	run pgdocket show --help
	exits 0
	has "--class N"
}

@test "an altered plan is refused" {
	cp s.docket altered.docket
	sqlite3 altered.docket "UPDATE object SET body = zeroblob(length(body)) WHERE kind = 'document'"
	run pgdocket show altered.docket
	exits 3
}

@test "lanes: which segments, why, and what is asked of the catalog" {
	mkdir -p lanes/migrations && cd lanes
	cp ../pgdocket.conf ../s.docket .
	cp ../migrations/1_* migrations
	printf 'ALTER TABLE campaigns ADD COLUMN u int;\n' >migrations/2_second.up.sql
	printf 'CREATE INDEX CONCURRENTLY u_idx ON campaigns (u);\nVACUUM campaigns;\n' >migrations/3_third.up.sql
	printf 'CREATE TABLE notes (u int REFERENCES users (id));\n' >migrations/4_fourth.up.sql
	pgdocket plan -q s.docket --replace --scope tenant
	run pgdocket show s.docket
	exits 0
	has "segments     4: normal, alone, alone, shared"
	[ "$(grep -c '^ *\(migrations\)\? *3 third$' <<<"$output")" = 2 ]
	has "segment 1, one transaction
"
	has "segment 2, one statement, sent alone, outside of a transaction
    about: u_idx
    probe, which must say open before it, and done behind it:
      ? SELECT v.verdict"
	has "segment 3, one statement, sent alone, outside of a transaction
    about: campaigns
    no probe: it is run again until it succeeds"
	has "segment 4, one transaction, locks shared tables: one schema at a time"
	has "3_third.up.sql:2: is applied in 2 parts, each committed by itself: VACUUM in line 2 is sent alone (cut"
	has "hint: a run that stops in between leaves the migration half done until it is run again"
	run pgdocket show s.docket --format sql --class 0
	exits 0
	has "-- segment 2, alone
BEGIN;"
	has "-- sent alone, outside of a transaction

-- probe, which must say open before it, and done behind it:
-- SELECT v.verdict"
	has "-- no probe: what follows is run again until it succeeds"
	has "-- segment 4, shared: locks shared tables, one schema at a time"
	sql "CREATE SCHEMA copy2; CREATE TABLE copy2.campaigns (id int, status text)"
	sql "CREATE TABLE copy2.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)"
	printf '%s\n' "$output" >class.sql
	PGOPTIONS='-c search_path=copy2,public' psql -Xq -v ON_ERROR_STOP=1 -f class.sql
	[ "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'copy2.u_idx'::regclass")" = t ]
	[ "$(sql "SELECT version FROM copy2.schema_migrations")" = 4 ]
}
