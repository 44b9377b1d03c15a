#!/usr/bin/env bats
# pgdocket plan: what runs for whom, what stops a plan, and what every message says.

load server
load plan

setup_file() { pg_start; }
teardown_file() { pg_stop; }
setup() { plan_new "plan_$BATS_TEST_NUMBER" 3; }

@test "statements on public-only tables and what belongs to them are filtered in tenants" {
	plan_of "ALTER TABLE users ADD COLUMN a int;
DROP INDEX users_email_idx;
ALTER SEQUENCE roles_id_seq RESTART WITH 5;
COMMENT ON TABLE users IS 'x';
GRANT SELECT ON users TO PUBLIC;
INSERT INTO roles (name) VALUES ('x');
UPDATE users SET email = lower(email);
CREATE INDEX users_a_idx ON users (a);
ALTER TABLE campaigns ADD COLUMN x int;"
	exits 0
	has "class 0: public: 1 migration, 8 statements, 1 filtered"
	has "class 1: tenant_1 and 2 alike: 1 migration, 1 statement, 8 filtered"
	run pgdocket show s.docket --class 1
	has "not run: users_email_idx belongs to users, which exists only in the shared schema"
	has "not run: roles_id_seq belongs to roles"
	has "ALTER TABLE campaigns ADD COLUMN x int"
	run pgdocket show s.docket --class 0
	has "not run: campaigns exists only in tenants"
}

@test "triggers of public-only tables are filtered, their function is not" {
	plan_of "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER t BEFORE UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION touch();
DROP TRIGGER t ON users;"
	exits 0
	has "class 1: tenant_1 and 2 alike: 1 migration, 2 statements, 2 filtered"
}

@test "an index that an earlier file made on a public-only table is known by name" {
	migration 1 first "CREATE INDEX old_idx ON users (id); ALTER INDEX old_idx RENAME TO new_idx;"
	plan_of "DROP INDEX IF EXISTS new_idx; DROP INDEX IF EXISTS campaigns_status_idx;"
	exits 0
	run pgdocket show s.docket --class 1
	has "not run: new_idx belongs to users"
}

@test "a migration all of whose statements are filtered is still recorded" {
	plan_of "ALTER TABLE users ADD COLUMN a int;"
	exits 0
	has "tenant_1 and 2 alike: 1 migration, 0 statements, 1 filtered"
	run pgdocket show s.docket --class 1
	has "INSERT INTO schema_migrations (version, dirty) VALUES (2, false)"
}

@test "a foreign key to users runs and is marked as locking it" {
	plan_of "CREATE TABLE notes (id int, author int REFERENCES users (id));"
	exits 0
	has "tenants lock shared tables: what does runs in one tenant at a time"
	run pgdocket show s.docket
	has "locks public.users"
	has "shared-lock"
}

@test "dropping a table with a foreign key to users is marked too" {
	sql "CREATE TABLE tenant_1.notes (u int REFERENCES public.users (id))"
	sql "CREATE TABLE tenant_2.notes (u int REFERENCES public.users (id))"
	sql "CREATE TABLE tenant_3.notes (u int REFERENCES public.users (id))"
	plan_of "DROP TABLE notes;"
	exits 0
	has "what does runs in one tenant at a time"
	has "destructive 3"
}

@test "one statement for both sides is an error that a directive settles" {
	plan_of "DROP TABLE campaigns, users;"
	exits 1
	has "2_second.up.sql:1: acts on campaigns and on users, which exists only in the shared schema [tenant_1, tenant_2, tenant_3] (one-side)"
	has "hint: split it into two statements, or say -- pgdocket: scope=shared above it"
	has "no plan was made"
	plan_of "DROP TABLE orders;
DROP TABLE IF EXISTS campaigns, users; -- pgdocket: scope=shared" --scope tenant
	exits 0
	has "1 statement, 1 filtered"
}

@test "a DO block or function that mentions users needs a directive" {
	plan_of "SELECT 1;

DO \$\$ BEGIN UPDATE users SET email = ''; END \$\$;"
	exits 1
	has "2_second.up.sql:3: a DO block mentions users"
	has "scope=shared, scope=tenant or scope=all"
	plan_of "-- pgdocket: scope=shared
DO \$\$ BEGIN UPDATE users SET email = ''; END \$\$;"
	exits 0
	plan_of "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM users';"
	exits 1
	has "a function body mentions users"
}

@test "a body that mentions what tenants lack, or another tenant, needs a directive" {
	plan_of "DO \$\$ BEGIN UPDATE plans SET id = 1; END \$\$;" --scope tenant
	exits 1
	has "2_second.up.sql:1: a DO block mentions plans, which these schemas lack and public has"
	has "(mention)"
	plan_of "DO \$\$ BEGIN UPDATE tenant_2.orders SET id = 1; END \$\$;" --scope tenant
	exits 1
	has "a DO block mentions the tenant's schema tenant_2"
	has "(foreign-schema)"
	plan_of "-- pgdocket: scope=tenant
DO \$\$ BEGIN UPDATE plans SET id = 1; END \$\$;"
	exits 0
	has "tenants lock shared tables: what does runs in one tenant at a time"
	run pgdocket show s.docket
	has "DO may lock shared relations from every tenant: it runs in one tenant at a time (shared-lock"
	[ "$(pgdocket show s.docket --format json | jq -c '[.. | .locks? | select(. != null and . != [])] | unique')" = '[["*"]]' ]
}

@test "a table that tenants lack and public has is not reached by accident" {
	plan_of "ALTER TABLE plans ADD COLUMN x int;"
	exits 1
	has "acts on plans, which these schemas lack: the search_path would lead to public.plans"
	plan_of "CREATE TABLE notes (p int REFERENCES plans (id));"
	exits 1
	has "has a foreign key to plans"
	plan_of "DROP TABLE IF EXISTS plans;" --scope tenant
	exits 1
	has "fall-through"
	plan_of "CREATE TABLE notes (p int REFERENCES public.plans (id));"
	exits 0
}

@test "names that an earlier statement may have dropped, and kinds that are only named" {
	sql "CREATE INDEX campaigns_status_idx ON users (id); CREATE DOMAIN amount AS int; CREATE COLLATION german FROM \"C\""
	plan_of "ALTER TABLE campaigns DROP COLUMN status;
DROP INDEX IF EXISTS campaigns_status_idx;" --scope tenant
	exits 1
	has "2_second.up.sql:2: acts on campaigns_status_idx, which these schemas may have lost to an earlier statement"
	has "(fall-through)"
	plan_of "DROP DOMAIN IF EXISTS amount; DROP COLLATION german;" --scope tenant
	exits 1
	has "acts on amount, which these schemas lack"
	has "acts on german, which these schemas lack"
	plan_of "CREATE DOMAIN amount AS int; DROP DOMAIN amount;" --scope tenant
	exits 0
}

@test "one class that lacks a table is named with its schemas" {
	sql "DROP TABLE tenant_2.orders; CREATE TABLE public.orders (id int)"
	sed -i 's/^only = campaigns, orders/only = campaigns/' pgdocket.conf
	plan_of "ALTER TABLE orders ADD COLUMN x int;"
	exits 1
	has "[tenant_2] (fall-through)"
	run pgdocket plan s.docket --skip-unfit
	exits 0
	run pgdocket show s.docket
	has "unfit schemas, left out (1): tenant_2"
	has "unfit, skipped by --skip-unfit: tenant_2"
}

@test "a stray users in one tenant" {
	sql "CREATE TABLE tenant_3.users (id int PRIMARY KEY)"
	plan_of "CREATE TABLE notes (u int REFERENCES users (id));"
	exits 1
	has "would bind to the stray table users that these schemas have, not to public.users [tenant_3] (stray-reference)"
	plan_of "CREATE TABLE notes (u int REFERENCES public.users (id));"
	exits 0
	run pgdocket show s.docket
	has "these schemas have a stray table users"
}

@test "other schemas named outright" {
	plan_of "ALTER TABLE public.plans ADD COLUMN x int;"
	exits 1
	has "acts on public.plans, which names the schema public outright"
	plan_of "ALTER TABLE tenant_1.campaigns ADD COLUMN x int;"
	exits 1
	has "names the tenant's schema tenant_1 outright [public, tenant_1, tenant_2 and 1 more]"
	plan_of "CREATE TABLE audit.log (id int);"
	exits 1
	plan_of "ALTER TABLE public.users ADD COLUMN x int;"
	exits 0
	plan_of "DELETE FROM pgdocket.applied;"
	exits 1
	has "(ledger)"
	plan_of "DELETE FROM schema_migrations;"
	exits 1
	has "(history-table)"
}

@test "extensions and other database-wide statements run in the shared schema only" {
	plan_of "CREATE EXTENSION IF NOT EXISTS pgcrypto; CREATE SCHEMA audit;"
	exits 0
	has "class 0: public: 1 migration, 2 statements"
	run pgdocket show s.docket --class 1
	has "CREATE EXTENSION concerns the whole database: it runs in the shared schema only"
}

@test "transaction control: folded around a whole file, an error otherwise" {
	plan_of "BEGIN;
CREATE TABLE notes (id int);
COMMIT;"
	exits 0
	run pgdocket show s.docket --class 1
	has "BEGIN and COMMIT around the file are folded into the plan's transaction (folded-transaction"
	has "not run: folded into the plan's transaction"
	plan_of "CREATE TABLE notes (id int); COMMIT; CREATE TABLE a (id int);"
	exits 1
	has "controls the transaction: COMMIT"
	plan_of "BEGIN; CREATE TABLE notes (id int);
COMMIT;
BEGIN; CREATE TABLE a (id int);
COMMIT;"
	exits 1
	has "4 problems"
}

@test "settings are rewritten, restored and shown" {
	plan_of "SET work_mem = '64MB';
SET TIME ZONE 'Europe/Berlin';
SET LOCAL lock_timeout = '9s';
CREATE TABLE notes (id int);"
	exits 0
	run pgdocket show s.docket --class 1
	has "SET LOCAL work_mem = '64MB'"
	has "was:"
	has 'SET LOCAL "work_mem" TO DEFAULT'
	has "set_config('timezone', 'UTC', true)"
	has "set_config('lock_timeout', '2000ms', true)"
	has "sets lock_timeout, which the plan sets itself"
	for bad in "SET search_path = x" "SET ROLE x" "SET SESSION AUTHORIZATION x" "RESET ALL" "LISTEN x" \
		"SET CONSTRAINTS ALL IMMEDIATE" "SELECT set_config('search_path', '', false)"; do
		plan_of "$bad;" --scope tenant
		exits 1
		has "(session-state)"
	done
	plan_of "LOCK TABLE campaigns;"
	exits 0
}

@test "keep-session repeats a setting in later segments" {
	printf '[plan]\ntransaction = migration\n' >>pgdocket.conf
	migration 3 third "CREATE TABLE b (id int);" ""
	plan_of "-- pgdocket: keep-session
SET work_mem = '64MB';
CREATE TABLE a (id int);"
	exits 0
	run pgdocket show s.docket --class 1
	has "segment 2"
	has "repeated, as keep-session says"
	lacks "TO DEFAULT"
}

@test "temporary objects must not share a name with real ones" {
	plan_of "SELECT 1;
CREATE TEMP TABLE plans AS SELECT 1 AS x;
ALTER TABLE plans ADD COLUMN y int;"
	exits 1
	has "2_second.up.sql:2: plans is the name of a temporary object and of a real one"
	has "(temporary)"
	has "choose another name"
	plan_of "CREATE TEMP TABLE scratch (id int); INSERT INTO scratch VALUES (1); DROP TABLE scratch;"
	exits 0
}

@test "the session is not changed by a function's call or inside a body" {
	plan_of "INSERT INTO campaigns SELECT 1, pg_catalog.set_config('search_path', 'x', true);" --scope tenant
	exits 1
	has "changes a setting by calling set_config()"
	has "(session-state)"
	plan_of "DO \$\$ BEGIN EXECUTE 'SET LOCAL search_path = x'; END \$\$;" --scope tenant
	exits 1
	has "2_second.up.sql:1: a DO block mentions search_path"
	plan_of "-- pgdocket: accept=session-state it is set back
DO \$\$ BEGIN EXECUTE 'SET LOCAL search_path = x'; END \$\$;" --scope tenant
	exits 0
	run pgdocket show s.docket
	has "accepted: it is set back"
}

@test "opaque statements must be accepted" {
	plan_of "ALTER TABLE campaigns FROBNICATE;" --scope tenant
	exits 1
	has "is not understood by the parser"
	has "accept=opaque REASON"
	plan_of "-- pgdocket: accept=opaque it is newer than the parser
ALTER TABLE campaigns FROBNICATE;" --scope tenant
	exits 0
	run pgdocket show s.docket
	has "accepted: it is newer than the parser"
	printf '[plan]\naccept = opaque\n' >>pgdocket.conf
	plan_of "ALTER TABLE campaigns FROBNICATE;" --scope tenant
	exits 0
}

# lanes CLASS: the lanes of a class's segments, from the document.
lanes() {
	pgdocket show s.docket --json | jq -r ".document | .programs[.classes[$1].program].segments
		| map(if .transactional | not then \"alone\" elif .shared_locks then \"shared\" else \"normal\" end) | join(\" \")"
}
# segment CLASS N FILTER: what jq says of the class's segment N.
segment() {
	pgdocket show s.docket --json | jq -r ".document | .programs[.classes[$1].program].segments[$2] | $3"
}

@test "a statement that cannot run in a transaction is a segment of its own" {
	plan_of "ALTER TABLE campaigns ADD COLUMN x int;
CREATE INDEX CONCURRENTLY x_idx ON campaigns (x);
COMMENT ON COLUMN campaigns.x IS 'y';" --scope tenant
	exits 0
	has "tenant_1 and 2 alike: 1 migration, 3 statements"
	[ "$(lanes 0)" = "normal alone normal" ]
	[ "$(segment 0 1 '[.alone.object, .alone.probe.answer, (.statements | length), .migrations[0].version] | join(" ")')" = "x_idx open 1 2" ]
	[ "$(segment 0 0 'has("alone")')" = false ]
	# The history row is written behind the last statement of the migration.
	[ "$(segment 0 0 '.after | length')" = 1 ]
	[ "$(segment 0 1 '.after | length')" = 1 ]
	[ "$(segment 0 2 '.after | map(.tag) | join(" ")')" = "DELETE INSERT " ]
	[ "$(segment 0 1 '[.state_before == .state_after] | .[0]')" = true ]
	run pgdocket show s.docket
	has "segments     3: normal, alone, normal"
	has "CREATE INDEX CONCURRENTLY runs outside of a transaction: what a failure leaves behind is cleaned up, and it is tried again (non-transactional"
	has "2_second.up.sql:2: is applied in 3 parts, each committed by itself: CREATE INDEX CONCURRENTLY in line 2 is sent alone (cut"
	has "what is pending is applied in 3 parts, each committed by itself, although transaction is schema (cut"
	plan_of "CREATE INDEX CONCURRENTLY users_i ON users (email);" --scope tenant
	exits 0
	[ "$(lanes 0)" = normal ]
}

@test "what is sent alone makes no history table and no schema" {
	sql "DROP TABLE tenant_1.schema_migrations, tenant_2.schema_migrations, tenant_3.schema_migrations"
	sed -i 's/^query = .*/&\ncreate = yes/' pgdocket.conf
	sql "INSERT INTO tenants (schema_name) VALUES ('tenant_4')"
	migration 1 first "CREATE INDEX CONCURRENTLY i ON campaigns (status);"
	snapshot
	run pgdocket plan s.docket --scope tenant --to 1
	exits 0
	for class in 0 1; do
		[ "$(lanes $class)" = "normal alone" ]
		[ "$(segment $class 0 '[(.before | length), (.statements | length), (.after | length), (.migrations | length)] | join(" ")')" = "4 0 1 0" ]
		[ "$(segment $class 1 '[(.before | length), (.statements | length), (.after | map(.tag) | join("+"))] | join(" ")')" = "2 1 DELETE+INSERT+" ]
	done
	[ "$(segment 1 0 .create_schema)" = true ]
	[ "$(segment 1 1 .create_schema)" = false ]
}

@test "nobody can tell what became of it: the plan needs a probe, or that it may run twice" {
	plan_of "-- pgdocket: transaction=off

CREATE TABLE a (id int);
CREATE TABLE b (id int);" --scope tenant
	exits 1
	has "2_second.up.sql:3: is asked to run outside of a transaction, and nobody can tell whether it was done"
	has "hint: say above it -- pgdocket: probe=SELECT ... (true: it has been done), or -- pgdocket: idempotent if it may run twice; or take transaction=off (dbmate: transaction:false) out"
	has "no plan was made: 1 problem"
	plan_of "-- pgdocket: transaction=off

-- pgdocket: probe=SELECT pg_catalog.to_regclass('a') IS NOT NULL -- in this schema
CREATE TABLE a (id int);
-- pgdocket: idempotent
CREATE TABLE IF NOT EXISTS b (id int);" --scope tenant
	exits 0
	[ "$(lanes 0)" = "alone alone" ]
	[ "$(segment 0 0 '.alone.object + " " + .alone.probe.answer')" = "a open" ]
	[ "$(segment 0 1 '.alone | tostring')" = '{"object":"b","probe":null}' ]
	run pgdocket show s.docket
	has "probe, which must say open before it, and done behind it:"
	has "? SELECT CASE WHEN q.p THEN 'done' ELSE 'open' END, NULL FROM ("
	has "? SELECT pg_catalog.to_regclass('a') IS NOT NULL
      ? ) AS q (p)"
	has "no probe: it is run again until it succeeds"
	has "told by its directive's probe"
	has "after a failure it is run again"
}

@test "a probe is one SELECT that changes nothing" {
	local probe
	for probe in "SELECT 1; SELECT 2" "SELECT 1 INTO x" "SELECT FROM FROM" \
		"SELECT set_config('search_path', '', false) = ''" "SELECT true FROM pgdocket.applied"; do
		plan_of "-- pgdocket: probe=$probe
ALTER SYSTEM SET work_mem = '1MB';" --scope shared
		exits 1
		has "its probe cannot be asked: "
		has "(probe)"
	done
	plan_of "-- pgdocket: probe=SELECT true
CREATE TABLE a (id int);" --scope tenant
	exits 0
	has "1 info"
	run pgdocket show s.docket
	has "CREATE TABLE runs in a transaction: its probe is not asked (unused-directive"
}

@test "BEGIN and COMMIT around what is sent alone stop the plan; around a file they outweigh transaction=off" {
	plan_of "BEGIN;
CREATE INDEX CONCURRENTLY i ON campaigns (status);
COMMIT;" --scope tenant
	exits 1
	has "2_second.up.sql:2: CREATE INDEX CONCURRENTLY is sent alone, and the file puts BEGIN and COMMIT around it"
	has "hint: take BEGIN and COMMIT out of the file"
	plan_of "-- pgdocket: transaction=off

BEGIN;
CREATE TABLE a (id int);
COMMIT;" --scope tenant
	exits 0
	[ "$(lanes 0)" = normal ]
}

@test "what ends with its transaction is not cut off silently" {
	plan_of "CREATE TEMP TABLE scratch (id int);
CREATE INDEX CONCURRENTLY i ON campaigns (status);" --scope tenant
	exits 1
	has "2_second.up.sql:2: CREATE INDEX CONCURRENTLY is sent alone, and what CREATE TABLE in line 1 does ends with its transaction"
	has "accept=cut REASON"
	plan_of "CREATE TEMP TABLE scratch (id int);
-- pgdocket: accept=cut scratch is not needed any more
CREATE INDEX CONCURRENTLY i ON campaigns (status);" --scope tenant
	exits 0
	run pgdocket show s.docket
	has "accepted: scratch is not needed any more"
}

@test "what locks shared tables is cut out, together with what locks them next to it" {
	plan_of "ALTER TABLE campaigns ADD COLUMN u int;
SET work_mem = '64MB';
ALTER TABLE campaigns ADD FOREIGN KEY (u) REFERENCES users (id);
CREATE TABLE notes (u int REFERENCES users (id));
CREATE INDEX notes_u_idx ON notes (u);" --scope tenant
	exits 0
	[ "$(lanes 0)" = "normal shared normal" ]
	[ "$(segment 0 1 '.statements | map(.does) | join(" ")')" = "run run run" ]
	# Its settings go on behind the cut, and are taken back at the migration's end.
	[ "$(segment 0 2 '.statements | map(.does) | join(" ")')" = "setting run setting" ]
	run pgdocket show s.docket
	has "repeated behind the cut"
	has "ALTER TABLE ADD CONSTRAINT in line 3 locks shared tables, in a lane of its own"
}

@test "a migration that is one transaction by its own words goes to the shared lane whole" {
	plan_of "BEGIN;
ALTER TABLE campaigns ADD COLUMN u int;
CREATE TABLE notes (u int REFERENCES users (id));
COMMIT;" --scope tenant
	exits 0
	[ "$(lanes 0)" = shared ]
	plan_of "LOCK TABLE campaigns;
CREATE TABLE notes (u int REFERENCES users (id));" --scope tenant
	exits 0
	[ "$(lanes 0)" = shared ]
}

@test "lanes of several migrations: alike ones stay together" {
	migration 3 third "CREATE TABLE b (u int REFERENCES users (id));"
	migration 4 fourth "ALTER TABLE users ADD COLUMN z int;"
	migration 5 fifth "ALTER TABLE campaigns ADD COLUMN z int;"
	plan_of "CREATE TABLE a (u int REFERENCES users (id));" --scope tenant
	exits 0
	has "4 migrations, 3 statements, 1 filtered"
	[ "$(lanes 0)" = "shared normal" ]
	[ "$(segment 0 0 '.migrations | map(.version) | join(" ")')" = "2 3 4" ]
	run pgdocket show s.docket
	lacks ": is applied in"
	has "what is pending is applied in 2 parts"
	printf '[plan]\ntransaction = migration\n' >>pgdocket.conf
	run pgdocket plan s.docket --scope tenant --replace
	exits 0
	[ "$(lanes 0)" = "shared shared normal normal" ]
	run pgdocket show s.docket
	lacks "applied in"
}

@test "an enum's new value is committed before it may be used" {
	sql "CREATE TYPE tenant_1.mood AS ENUM ('ok')" && sql "CREATE TYPE tenant_2.mood AS ENUM ('ok')" &&
		sql "CREATE TYPE tenant_3.mood AS ENUM ('ok')"
	plan_of "ALTER TYPE mood ADD VALUE 'very sad';
ALTER TYPE mood ADD VALUE 'glad' AFTER 'very sad';
ALTER TABLE campaigns ADD COLUMN x int DEFAULT 1;
UPDATE campaigns SET status = 'x' WHERE status = 'very sad';" --scope tenant
	exits 0
	[ "$(lanes 0)" = "normal normal" ]
	[ "$(segment 0 0 '.statements | length')" = 3 ]
	run pgdocket show s.docket
	has "UPDATE in line 4 may use an enum's value that is added before"
	for use in "CREATE TABLE a (m mood);" "DO \$\$ BEGIN PERFORM 1; END \$\$;" "SELECT f();" "CREATE VIEW v AS SELECT 'glad';"; do
		plan_of "ALTER TYPE mood ADD VALUE 'glad'; $use" --scope tenant
		exits 0
		[ "$(lanes 0)" = "normal normal" ]
	done
	# In a later migration it is the same, and the migration is not cut.
	migration 3 third "CREATE TABLE a (m text DEFAULT 'glad');"
	plan_of "ALTER TYPE mood ADD VALUE 'glad'; CREATE TABLE b (id int DEFAULT 1);" --scope tenant
	exits 0
	[ "$(lanes 0)" = "normal normal" ]
	[ "$(segment 0 1 '.migrations | map(.version) | join(" ")')" = 3 ]
	rm migrations/3_*
	plan_of "ALTER TYPE mood ADD VALUE 'glad'; CREATE TABLE b (id int);" --scope tenant
	exits 0
	[ "$(lanes 0)" = normal ]
}

@test "settings do not reach what is sent alone" {
	plan_of "SET maintenance_work_mem = '64MB';
CREATE INDEX CONCURRENTLY i ON campaigns (status);
ALTER TABLE campaigns ADD COLUMN z int;" --scope tenant
	exits 0
	[ "$(lanes 0)" = "alone normal" ]
	[ "$(segment 0 0 '.statements | map(.does) | join(" ")')" = "filtered run" ]
	[ "$(segment 0 1 '.statements | map(.does) | join(" ")')" = "setting run setting" ]
	run pgdocket show s.docket
	has "warning 2_second.up.sql:2: maintenance_work_mem is set in line 1, but not in force for what is sent alone: CREATE INDEX CONCURRENTLY (session-set"
	has "not run: not sent: it could not be in force for what is sent alone"
	plan_of "SET row_security = off;
CREATE INDEX CONCURRENTLY i ON campaigns (status);" --scope tenant
	exits 1
	has "2_second.up.sql:2: row_security is set in line 1, but not in force for what is sent alone: CREATE INDEX CONCURRENTLY"
	has "hint: set it for the role or the database"
}

@test "reverting: an index is dropped concurrently" {
	migration 2 second "CREATE INDEX CONCURRENTLY i ON campaigns (status);" \
		"DROP INDEX CONCURRENTLY IF EXISTS i; ALTER TABLE campaigns ALTER COLUMN status SET DEFAULT 'x';"
	for i in 1 2 3; do
		sql "CREATE INDEX i ON tenant_$i.campaigns (status)" && sql "UPDATE tenant_$i.schema_migrations SET version = 2"
	done
	snapshot
	run pgdocket plan s.docket --revert 1 --scope tenant
	exits 0
	[ "$(lanes 0)" = "alone normal" ]
	[ "$(segment 0 0 '.alone.object + " " + .alone.probe.answer')" = "i open|done" ]
	[ "$(segment 0 1 '.after | map(.tag) | join(" ")')" = "DELETE INSERT " ]
}

@test "the same plan twice is the same document, with what is sent alone" {
	plan_of "CREATE INDEX CONCURRENTLY i ON campaigns (status); CREATE TABLE notes (u int REFERENCES users (id));"
	exits 0
	pgdocket show s.docket --json | jq -c .document >first
	pgdocket plan -q s.docket --replace
	pgdocket show s.docket --json | jq -c .document | cmp first -
}

@test "a document with all lanes fits the JSON Schema" {
	python3 -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema here"
	plan_of "CREATE INDEX CONCURRENTLY i ON campaigns (status); VACUUM campaigns; CREATE TABLE notes (u int REFERENCES users (id));"
	exits 0
	[ "$(lanes 1)" = "alone alone shared" ]
	pgdocket show s.docket --json | jq .document >document.json
	python3 -c 'import json, jsonschema, sys; jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(
		json.load(open("document.json")))' "$ROOT/bundles/plan.schema.json"
}

@test "data-dependent and destructive statements are findings" {
	plan_of "UPDATE campaigns SET status = 'x' WHERE id = 1;
DROP TABLE orders;
ALTER TABLE campaigns DROP COLUMN status;"
	exits 0
	has "destructive 6"
	has "findings: 2 danger, 1 warning, 0 info"
	run pgdocket show s.docket
	has "DANGER  2_second.up.sql:2: DROP TABLE"
	has "data-dependent"
}

@test "files of one scope" {
	migration 3 third "-- pgdocket: scope=shared

CREATE TABLE plans_old (id int);" ""
	migration 4 fourth "-- pgdocket: scope=tenant

CREATE TABLE a (id int);" ""
	plan_of "SELECT 1;"
	exits 0
	has "class 0: public: 2 migrations"
	has "class 1: tenant_1 and 2 alike: 2 migrations"
	run pgdocket show s.docket --class 1
	lacks "3 third"
	has "VALUES (4, false)"
}

@test "--scope, --schema, --exclude and what is left out" {
	plan_of "SELECT 1;" --scope shared
	exits 0
	has "1 schema in 1 class,"
	run pgdocket plan s.docket --replace --scope tenant --schema 'tenant_*' --exclude tenant_2
	exits 0
	has "class 0: tenant_1 and 1 alike"
	run pgdocket show s.docket
	has "left out by --exclude: tenant_2"
	has "not selected: --scope tenant: public"
	run pgdocket plan s.docket --replace --schema 'nobody*'
	exits 2
	has "--schema nobody*: no schema of the snapshot has such a name"
	run pgdocket plan s.docket --replace --schema 'tenant_*' --exclude 'tenant_?'
	exits 2
	has "no schema is left to plan with --schema tenant_* --exclude tenant_?"
	run pgdocket plan s.docket --replace --scope some
	exits 2
	has "--scope takes shared, tenant or all"
}

@test "--to" {
	migration 3 third "CREATE TABLE a (id int);" "DROP TABLE a;"
	plan_of "SELECT 1;" --to 2
	exits 0
	has "1 migration, 1 statement"
	run pgdocket plan s.docket --replace --to 9
	exits 2
	has "--to 9: there is no migration of this version"
	has "leading digits"
	run pgdocket plan s.docket --replace --to 000002
	exits 0
	has "1 migration, 1 statement"
	run pgdocket plan s.docket --replace --to ''
	exits 2
	run pgdocket plan s.docket --replace --to 2 --revert 1
	exits 2
	has "exclude each other"
}

@test "reverting: only those that have it, waves backwards" {
	migration 2 second "CREATE TABLE a (id int);" "DROP TABLE a;"
	migration 3 third "CREATE TABLE b (id int);" ""
	rm -f migrations/3_third.down.sql
	sql "CREATE TABLE tenant_2.a (id int); UPDATE tenant_2.schema_migrations SET version = 2"
	snapshot
	run pgdocket plan s.docket --revert 1
	exits 0
	has "1 schema in 1 class,"
	has "class 0: tenant_2: 1 migration, 1 statement"
	run pgdocket show s.docket
	has "for test-1, reverting"
	has "DELETE FROM schema_migrations"
	has "VALUES (1, false)"
	run pgdocket plan s.docket --replace --revert-to 1
	exits 0
	run pgdocket plan s.docket --replace --revert-to 0001
	exits 0
	run pgdocket plan s.docket --replace --revert-to none
	exits 0
	has "4 schemas"
	[ "$(pgdocket show s.docket --format json | jq -r '.document.waves | map(.name) | join(" ")')" = "rest shared" ]
	sql "UPDATE tenant_2.schema_migrations SET version = 3"
	snapshot
	run pgdocket plan s.docket --revert 1
	exits 1
	has "migration 3 (third) has no down part and cannot be reverted [tenant_2] (no-down)"
	run pgdocket plan s.docket --revert-to 7
	exits 2
}

@test "nothing pending: no plan, the bundle is left alone" {
	snapshot
	before=$(sha256sum s.docket)
	run pgdocket plan s.docket
	exits 0
	has "nothing to do: no migration is pending in any of 4 selected schemas; no plan was made"
	[ "$(sha256sum s.docket)" = "$before" ]
	run pgdocket plan s.docket --revert-to 1
	exits 0
	has "nothing can be reverted"
	run pgdocket plan s.docket --json
	exits 0
	[ "$(jq .plan <<<"$output")" = null ]
}

@test "a migrations folder that is not there; without a configuration the bundle's copies" {
	plan_of "CREATE TABLE a (id int);"
	exits 0
	lacks "from the bundle"
	mv migrations elsewhere
	run pgdocket plan s.docket --replace
	exits 2
	has "pgdocket.conf:10: dir: there is no folder migrations"
	rm pgdocket.conf
	run pgdocket plan s.docket --replace
	exits 0
	has "configuration and migrations from the bundle"
}

@test "a bundle with a plan: --replace, -o" {
	plan_of "SELECT 1;"
	exits 0
	run pgdocket plan s.docket
	exits 1
	has "s.docket holds a plan already"
	has "--replace drops it with its signatures"
	run pgdocket plan s.docket --replace
	exits 0
	before=$(sha256sum s.docket)
	run pgdocket plan s.docket -o new.docket
	exits 0
	[ "$(sha256sum s.docket)" = "$before" ]
	run pgdocket show new.docket
	exits 0
	run pgdocket plan s.docket -o new.docket
	exits 1
	has "new.docket exists already"
}

@test "--replace drops the signatures" {
	plan_of "SELECT 1;"
	ssh-keygen -q -t ed25519 -N '' -f key
	pgdocket sign s.docket --key key --principal a@example.com
	run pgdocket show s.docket
	has "as planner"
	run pgdocket plan s.docket --replace
	exits 0
	run pgdocket show s.docket
	has "nobody yet"
}

@test "the same input twice gives the same document" {
	sql "ALTER TABLE tenant_2.campaigns ADD COLUMN drift int"
	plan_of "CREATE TABLE notes (id int, u int REFERENCES users (id)); SET work_mem = '1MB';"
	exits 0
	pgdocket show s.docket --format json | jq -c .document >first
	pgdocket plan s.docket --replace
	pgdocket show s.docket --format json | jq -c .document >second
	cmp first second
	run pgdocket show s.docket
	has "drift"
	has "program 1, of class 1, 2"
}

@test "terms: --expires, --not-before, --ticket" {
	plan_of "SELECT 1;" --expires 2h --not-before 2020-01-01T00:00:00Z --ticket "CHG 42"
	exits 0
	run pgdocket show s.docket
	has "ticket       CHG 42"
	has "not before   2020-01-01T00:00:00Z"
	for bad in "--not-before tomorrow" "--expires 3" "--not-before 2999-01-01T00:00:00Z"; do
		run pgdocket plan s.docket --replace $bad
		exits 2
	done
}

@test "the configuration must belong to the bundle" {
	plan_of "SELECT 1;"
	sed -i 's/label = test-1/label = other/' pgdocket.conf
	run pgdocket plan s.docket --replace
	exits 2
	has "is for other, and the bundle is a snapshot of test-1"
	run pgdocket plan s.docket --replace --config pgdocket.conf
	exits 2
	sed -i 's/label = other/label = test-1/; s/^query = .*/query = SELECT schema_name FROM public.tenants/' pgdocket.conf
	run pgdocket plan s.docket --replace
	exits 2
	has "query under [tenants] has changed since the snapshot was taken"
	mkdir elsewhere
	cd elsewhere
	run pgdocket plan ../s.docket --replace
	exits 0
	has "4 schemas"
}

@test "a migration written after the snapshot is planned and goes into the bundle" {
	snapshot
	migration 2 second "CREATE TABLE a (id int);" "DROP TABLE a;"
	run pgdocket plan s.docket
	exits 0
	[ "$(sqlite3 s.docket 'SELECT count(*) FROM migration')" = 2 ]
}

@test "dirty, unknown and out-of-order states" {
	migration 2 second "CREATE TABLE a (id int);" "DROP TABLE a;"
	sql "UPDATE tenant_1.schema_migrations SET dirty = true; UPDATE tenant_2.schema_migrations SET version = 9"
	snapshot
	run pgdocket plan s.docket
	exits 1
	has "the history table says that migration 1 failed half-way (dirty) [tenant_1] (dirty)"
	has "migration 9 is recorded, but not in"
	has "[tenant_2] (unknown)"
	run pgdocket plan s.docket --skip-unfit
	exits 0
	has "2 schemas in 2 classes"
	run pgdocket plan s.docket --replace --exclude tenant_1 --exclude tenant_2
	exits 0
	printf '[migrations]\nunknown = allow\n' >/dev/null
	sed -i 's/^layout = .*/&\nunknown = allow/' pgdocket.conf
	run pgdocket plan s.docket --replace --exclude tenant_1
	exits 0
}

@test "inactive tenants, orphans, tenants without schema" {
	migration 2 second "CREATE TABLE a (id int);" "DROP TABLE a;"
	sql "UPDATE tenants SET active = false WHERE schema_name = 'tenant_1'; DELETE FROM tenants WHERE schema_name = 'tenant_2'"
	fleet_listed_without_schema
	snapshot
	run pgdocket plan s.docket
	exits 0
	run pgdocket show s.docket
	has "inactive: tenant_1"
	has "has a history table, but is not listed as a tenant: tenant_2"
	has "listed, but there is no such schema (create = no): ghost"
	has "listed tenants without a schema (1): ghost"
	sed -i 's/^query = .*/&\ncreate = yes/' pgdocket.conf
	run pgdocket plan s.docket --replace
	exits 0
	has "ghost (to be made): 2 migrations"
	run pgdocket show s.docket
	has "before: CREATE SCHEMA"
	has "CREATE TABLE schema_migrations"
	has "no history table"
}

fleet_listed_without_schema() { sql "INSERT INTO tenants (schema_name) VALUES ('ghost')"; }

@test "all problems are told at once, and as JSON" {
	plan_of "DROP TABLE campaigns, users;
ALTER TABLE plans ADD COLUMN x int;
COMMIT;"
	exits 1
	has "2_second.up.sql:1:"
	has "2_second.up.sql:2:"
	has "2_second.up.sql:3:"
	has "no plan was made: 4 problems"
	run pgdocket plan s.docket --json
	exits 1
	[ "$(head -1 <<<"$output" | jq -r .rule)" = one-side ]
	[ "$(tail -1 <<<"$output" | jq -r .event)" = error ]
}

@test "files that cannot be read as SQL" {
	plan_of '\i other.sql'
	exits 1
	has "2_second.up.sql"
	plan_of "-- pgdocket: scop=shared
SELECT 1;"
	exits 1
	has "2_second.up.sql"
	plan_of "COPY campaigns FROM STDIN;
1	x
\\."
	exits 1
}

@test "waves of the configuration" {
	printf '[wave canary]\nschemas = tenant_2\n[wave rest]\nschemas = *\nmax_failures = 2\n' >>pgdocket.conf
	plan_of "SELECT 1;"
	exits 0
	run pgdocket show s.docket
	has "canary: 1 schema, stops after 1 failure"
	has "rest: 2 schemas, stops after 3 failures"
}

@test "a bundle with results is not planned again" {
	plan_of "SELECT 1;"
	# a run's row as the applier writes it
	plan=$(sqlite3 s.docket "SELECT hex(zeroblob(32))")
	sqlite3 s.docket "INSERT INTO run VALUES ('00000000000000000000000000000000', x'$plan', 0)"
	run pgdocket plan s.docket --replace
	exits 1
	has "holds the results of a run"
	has "take a new snapshot"
}

@test "the plan document is what the bundle's reader takes" {
	plan_of "CREATE TABLE notes (id int, u int REFERENCES users (id)); SET work_mem = '1MB';"
	exits 0
	statement=$(sqlite3 s.docket "SELECT CAST(statement AS TEXT) FROM plan")
	[[ $statement == pgdocket-plan/1* ]]
	[[ $statement == *"schemas: 4"* ]]
	[[ $statement == *"statements: 7"* ]]
	[[ $statement == *"destructive: 0"* ]]
}

@test "--skip-unfit with nothing else to plan says why" {
	plan_of "ALTER TABLE plans ADD COLUMN x int;" --scope tenant --skip-unfit
	exits 1
	has "acts on plans, which these schemas lack"
}

@test "dbmate: both parts in one file, out-of-order migrations by policy" {
	for s in public tenant_1 tenant_2 tenant_3; do
		sql "DROP TABLE $s.schema_migrations; CREATE TABLE $s.schema_migrations (version varchar PRIMARY KEY)"
	done
	sql "INSERT INTO tenant_2.schema_migrations VALUES ('20240102')"
	rm migrations/*
	printf -- '-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\n' >migrations/20240101_a.sql
	printf -- '-- migrate:up\nCREATE TABLE b (id int);\n\n-- migrate:down\n' >migrations/20240102_b.sql
	sed -i 's/^layout = .*/layout = dbmate/' pgdocket.conf
	snapshot
	run pgdocket plan s.docket
	exits 0
	run pgdocket show s.docket
	has "20240101_a.sql (up)"
	has "migration 20240101 is older than 20240102, which is applied already (out-of-order, class 1: tenant_2)"
	has "INSERT INTO schema_migrations"
	sed -i 's/^layout = .*/&\nout_of_order = error/' pgdocket.conf
	run pgdocket plan s.docket --replace
	exits 1
	has "[tenant_2] (out-of-order)"
	sed -i 's/^out_of_order = .*/out_of_order = allow/' pgdocket.conf
	run pgdocket plan s.docket --replace
	exits 0
	run pgdocket show s.docket
	lacks "out-of-order"
	run pgdocket plan s.docket --replace --revert 1
	exits 0
	run pgdocket show s.docket
	has "its down part is empty"
	printf -- '-- migrate:up transaction:false\nCREATE TABLE c (id int);\n\n-- migrate:down\n' >migrations/20240103_c.sql
	run pgdocket plan s.docket --replace
	exits 1
	has "is asked to run outside of a transaction"
}

@test "what is made on both sides, or acts on a table that is not there, says which key settles it" {
	plan_of "CREATE TABLE c1 (id int); CREATE TABLE c2 (id int); CREATE TABLE a (id int);
-- pgdocket: scope=all
CREATE TABLE c3 (id int);
ALTER TABLE c9 ADD COLUMN x int;"
	exits 0
	run pgdocket show s.docket
	has "made in public and in every tenant, as neither [shared] only nor [tenants] only names them: c1, c2"
	lacks "c2, a"
	has "if the table exists only in tenants, list it under [tenants] only; if only in the shared schema, under [shared] only"
}

@test "a file that cannot be read names itself once" {
	printf 'SELECT 1;\n\\connect x\n' >migrations/2_second.up.sql
	snapshot
	run pgdocket plan s.docket
	exits 1
	[ "$(grep -o '2_second.up.sql' <<<"$output" | wc -l)" = 1 ]
	has "2_second.up.sql:2: "
}

@test "findings are accepted for the whole project by name" {
	printf '[plan]\naccept = data-dependent\n' >>pgdocket.conf
	plan_of "DELETE FROM campaigns WHERE id = 1;" --scope tenant
	exits 0
	run pgdocket show s.docket
	has "accepted: accepted in pgdocket.conf"
}

@test "help" {
	run pgdocket plan --help
	exits 0
	has "--skip-unfit"
	run pgdocket plan
	exits 2
	run pgdocket plan no-such.docket
	[ "$status" != 0 ]
}
