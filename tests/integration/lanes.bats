#!/usr/bin/env bats
# Programs of several lanes, planned and applied: what is sent alone, what locks shared tables, what is cut.

load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }
setup() {
	apply_new "lanes_$BATS_TEST_NUMBER" 4
	rm migrations/2_* migrations/3_*
}

# every SQL: t of each tenant; TENANT stands for its name.
every() {
	local name
	for name in $(sql "SELECT schema_name FROM public.tenants"); do
		[ "$(sql "${1//TENANT/$name}")" = t ] || { printf 'not in %s: %s\n' "$name" "$1" >&2; return 1; }
	done
}
valid() { every "SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = to_regclass('TENANT.$1')"; }

@test "all lanes in one plan, and back again" {
	sql "CREATE TABLE filenodes (node oid)"
	migration 2 second "SET maintenance_work_mem = '16MB';
ALTER TABLE campaigns ADD COLUMN u int;
CREATE INDEX CONCURRENTLY u_idx ON campaigns (u);
ALTER TABLE campaigns ADD CONSTRAINT u_key FOREIGN KEY (u) REFERENCES users (id);
INSERT INTO orders VALUES (2);" "DELETE FROM orders WHERE id = 2;
ALTER TABLE campaigns DROP CONSTRAINT u_key;
DROP INDEX CONCURRENTLY IF EXISTS u_idx;
ALTER TABLE campaigns DROP COLUMN u;"
	migration 3 third "REINDEX INDEX CONCURRENTLY campaigns_status_idx;
REINDEX TABLE CONCURRENTLY campaigns;
VACUUM campaigns;" "SELECT 1;"
	migration 4 fourth "CREATE TYPE mood AS ENUM ('ok');
ALTER TYPE mood ADD VALUE 'glad';
CREATE TABLE a (m mood DEFAULT 'glad');
-- pgdocket: transaction=off probe=SELECT EXISTS (SELECT FROM orders WHERE id = 4)
INSERT INTO orders VALUES (4);" "DELETE FROM orders WHERE id = 4; DROP TABLE a; DROP TYPE mood;"
	apply_plan
	for i in 1 2 3 4; do
		sql "INSERT INTO filenodes SELECT pg_relation_filenode('tenant_$i.campaigns_status_idx')"
	done
	run apply -j 3
	exits 0
	every_tenant 4 2
	valid u_idx
	every "SELECT pg_relation_filenode('TENANT.campaigns_status_idx') NOT IN (SELECT node FROM filenodes)"
	every "SELECT convalidated FROM pg_constraint WHERE conname = 'u_key' AND connamespace = 'TENANT'::regnamespace"
	audited 0
	run apply
	exits 0
	every_tenant 4 2
	apply_plan --revert 3
	run apply -j 3
	exits 0
	every_tenant 1 0
	every "SELECT to_regclass('TENANT.u_idx') IS NULL"
	audited 0
}

@test "a duplicate: the invalid index is dropped again, and the mended schema goes on" {
	migration 2 second "CREATE UNIQUE INDEX CONCURRENTLY status_key ON campaigns (status);
INSERT INTO orders VALUES (2);"
	sql "INSERT INTO tenant_3.campaigns VALUES (1, 'x'), (2, 'x')"
	apply_plan
	run apply
	exits 4
	has "tenant_3"
	[ "$(sql "SELECT count(*) FROM tenant_3.orders")" = 0 ]
	sql "DELETE FROM tenant_3.campaigns WHERE id = 2"
	run apply
	exits 0
	every_tenant 2 1
	valid status_key
	audited 0
}

@test "an index of that name that is there before fails the schema" {
	migration 2 second "CREATE INDEX CONCURRENTLY IF NOT EXISTS u_idx ON campaigns (id);"
	apply_plan
	sql "CREATE SEQUENCE tenant_2.u_idx"
	run apply
	[ "$status" != 0 ]
	has "tenant_2"
}

@test "the history table and the schema are made in front of what is sent alone" {
	sed -i 's/^query = .*/&\ncreate = yes/' pgdocket.conf
	migration 1 first "-- pgdocket: idempotent

-- pgdocket: transaction=off
CREATE TABLE IF NOT EXISTS campaigns (id int PRIMARY KEY, status text);
CREATE INDEX CONCURRENTLY made_idx ON campaigns (status);"
	sql "INSERT INTO tenants (schema_name) VALUES ('tenant_new')"
	apply_plan --schema tenant_new
	run apply
	exits 0
	[ "$(sql "SELECT version FROM tenant_new.schema_migrations")" = 1 ]
	[ "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tenant_new.made_idx'::regclass")" = t ]
}

@test "many schemas of two classes, one worker: lanes and pilots let everybody pass" {
	dropdb "lanes_$BATS_TEST_NUMBER"
	apply_new "lanes_$BATS_TEST_NUMBER" 24
	rm migrations/2_* migrations/3_*
	migration 2 second "INSERT INTO orders VALUES (2);
CREATE INDEX CONCURRENTLY u_idx ON campaigns (status);
ALTER TABLE campaigns ADD COLUMN u int REFERENCES users (id);
CREATE TABLE a (id int);"
	for i in $(seq 13 24); do echo "CREATE TABLE tenant_$i.extra (id int);"; done | psql -Xq
	apply_plan
	run timeout 60 pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes -j 1
	exits 0
	every_tenant 2 1
	valid u_idx
	audited 0
}
