#!/usr/bin/env bats
# What a plan asks about a statement that is sent alone, asked of a real server in every state that can be met.

load server
load plan

setup_file() {
	pg_start
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR plan_new probes 1
	sql "CREATE SCHEMA evil; CREATE FUNCTION evil.current_schema() RETURNS name LANGUAGE sql AS 'SELECT ''public''::name'"
}
teardown_file() { pg_stop; }
setup() {
	cd "$BATS_FILE_TMPDIR/project"
	sql "DROP TABLE IF EXISTS tenant_1.notes, tenant_1.parted CASCADE; DROP SCHEMA IF EXISTS other CASCADE;
		CREATE TABLE tenant_1.notes (id int, body text); CREATE SCHEMA other"
}

# probe_of STATEMENT: $probe is what its plan asks, $first what that may say before.
probe_of() {
	plan_of "$1" --scope tenant --replace
	exits 0
	probe=$(pgdocket show s.docket | sed -n 's/^      ? //p')
	first=$(pgdocket show s.docket --json | jq -r '.document.programs[0].segments[0].alone.probe.answer')
}
# says VERDICT [LEFTOVER]: the answer, under the plan's search_path, and with functions of the same names behind it.
says() {
	local answer
	answer=$(sql "SET search_path = tenant_1, public, evil, pg_temp; $probe") || return 1
	[ "$answer" = "$1|${2-}" ] || { printf '%s, not %s\n' "$answer" "$1|${2-}" >&2; return 1; }
}
invalid() { sql "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tenant_1.$1'::regclass"; }

@test "CREATE INDEX CONCURRENTLY: absent, valid, invalid, another thing of that name" {
	probe_of "CREATE INDEX CONCURRENTLY IF NOT EXISTS notes_idx ON notes (id);"
	[ "$first" = open ]
	says open
	# The same name elsewhere is nothing to it.
	sql "CREATE TABLE other.notes (id int); CREATE INDEX notes_idx ON other.notes (id)"
	says open
	sql "CREATE INDEX notes_idx ON tenant_1.notes (id)"
	says done
	invalid notes_idx
	says broken notes_idx
	sql "UPDATE pg_index SET indisvalid = true, indisready = false WHERE indexrelid = 'tenant_1.notes_idx'::regclass"
	says broken notes_idx
	sql "UPDATE pg_index SET indisready = true WHERE indexrelid = 'tenant_1.notes_idx'::regclass"
	says done
	sql "DROP INDEX tenant_1.notes_idx; CREATE INDEX notes_idx ON tenant_1.campaigns (id)"
	says other
	sql "DROP INDEX tenant_1.notes_idx; CREATE SEQUENCE tenant_1.notes_idx"
	says other
	sql "DROP SEQUENCE tenant_1.notes_idx"
	says open
}

@test "a failed CREATE INDEX CONCURRENTLY of the server's own leaves what the probe finds" {
	sql "INSERT INTO tenant_1.notes VALUES (1), (1)"
	probe_of "CREATE UNIQUE INDEX CONCURRENTLY notes_idx ON notes (id);"
	says open
	run sql "CREATE UNIQUE INDEX CONCURRENTLY notes_idx ON tenant_1.notes (id)"
	exits 1
	says broken notes_idx
	sql "DROP INDEX CONCURRENTLY tenant_1.notes_idx"
	says open
	sql "DELETE FROM tenant_1.notes"
	sql "CREATE UNIQUE INDEX CONCURRENTLY notes_idx ON tenant_1.notes (id)"
	says done
}

@test "names that need quoting are asked for as they are" {
	probe_of "CREATE INDEX CONCURRENTLY \"It's \\\\ \"\"my\"\" \$1\" ON notes (id);"
	says open
	sql "CREATE INDEX \"It's \\\\ \"\"my\"\" \$1\" ON tenant_1.notes (id)"
	says done
	invalid "\"It''s \\\\ \"\"my\"\" \$1\""
	says broken "It's \\\\ \"my\" \$1"
}

@test "DROP INDEX CONCURRENTLY: there, half dropped, gone, something else" {
	sql "CREATE INDEX notes_idx ON tenant_1.notes (id)"
	probe_of "DROP INDEX CONCURRENTLY notes_idx;"
	[ "$first" = open ]
	says open
	invalid notes_idx
	says open
	sql "UPDATE pg_index SET indislive = false, indisready = false WHERE indexrelid = 'tenant_1.notes_idx'::regclass"
	says open
	sql "DROP INDEX CONCURRENTLY tenant_1.notes_idx"
	says done
	sql "CREATE VIEW tenant_1.notes_idx AS SELECT 1"
	says other
	sql "DROP VIEW tenant_1.notes_idx"
	probe_of "DROP INDEX CONCURRENTLY IF EXISTS notes_idx;"
	[ "$first" = "open|done" ]
	says done
}

@test "REINDEX INDEX CONCURRENTLY: valid, invalid, leftovers of its own and of others" {
	sql "CREATE INDEX notes_idx ON tenant_1.notes (id)"
	probe_of "REINDEX INDEX CONCURRENTLY notes_idx;"
	[ "$first" = ready ]
	says ready
	invalid notes_idx
	says ready
	sql "REINDEX INDEX CONCURRENTLY tenant_1.notes_idx"
	says ready
	sql "CREATE INDEX notes_idx_ccnew1 ON tenant_1.notes (id); CREATE INDEX notes_idx_ccold ON tenant_1.notes (id)"
	says ready
	invalid notes_idx_ccold
	invalid notes_idx_ccnew1
	says broken notes_idx_ccnew1
	sql "DROP INDEX tenant_1.notes_idx_ccnew1"
	says broken notes_idx_ccold
	sql "DROP INDEX tenant_1.notes_idx_ccold; CREATE INDEX notes_ccnew ON tenant_1.notes (id)"
	invalid notes_ccnew
	says ready
	sql "DROP INDEX tenant_1.notes_idx"
	says missing
	sql "CREATE SEQUENCE tenant_1.notes_idx"
	says other
	sql "DROP SEQUENCE tenant_1.notes_idx; CREATE TABLE tenant_1.parted (id int) PARTITION BY LIST (id);
		CREATE INDEX notes_idx ON tenant_1.parted (id)"
	says partitioned
}

@test "REINDEX INDEX CONCURRENTLY: the leftovers of a long name are cut by the server" {
	local long
	long=$(printf 'n%.0s' {1..63})
	sql "CREATE UNIQUE INDEX $long ON tenant_1.notes (id)"
	probe_of "REINDEX INDEX CONCURRENTLY $long;"
	says ready
	# An index that a rebuild cannot finish: a duplicate that it did not see.
	sql "UPDATE pg_index SET indisunique = false, indisready = false WHERE indexrelid = 'tenant_1.$long'::regclass"
	sql "INSERT INTO tenant_1.notes VALUES (1), (1)"
	sql "UPDATE pg_index SET indisunique = true, indisready = true WHERE indexrelid = 'tenant_1.$long'::regclass"
	run sql "REINDEX INDEX CONCURRENTLY tenant_1.$long"
	exits 1
	says broken "${long:0:57}_ccnew"
	sql "DROP INDEX CONCURRENTLY tenant_1.${long:0:57}_ccnew"
	says ready
}

@test "REINDEX TABLE CONCURRENTLY: leftovers of any of its indexes, and of its TOAST table" {
	sql "CREATE INDEX notes_a ON tenant_1.notes (id); CREATE INDEX notes_b ON tenant_1.notes (body)"
	probe_of "REINDEX TABLE CONCURRENTLY notes;"
	[ "$first" = ready ]
	says ready
	invalid notes_a
	says ready
	sql "CREATE INDEX notes_b_ccnew ON tenant_1.notes (id)"
	invalid notes_b_ccnew
	says broken notes_b_ccnew
	sql "DROP INDEX tenant_1.notes_b_ccnew"
	says ready
	sql "SET allow_system_table_mods = on; UPDATE pg_index SET indisvalid = false WHERE indrelid =
		(SELECT reltoastrelid FROM pg_class WHERE oid = 'tenant_1.notes'::regclass);
		UPDATE pg_class SET relname = relname || '_ccold' WHERE oid = (SELECT indexrelid FROM pg_index WHERE indrelid =
		(SELECT reltoastrelid FROM pg_class WHERE oid = 'tenant_1.notes'::regclass))"
	says toast
	sql "DROP TABLE tenant_1.notes"
	says missing
	sql "CREATE VIEW tenant_1.notes AS SELECT 1"
	says other
	sql "DROP VIEW tenant_1.notes; CREATE TABLE tenant_1.notes (id int) PARTITION BY LIST (id)"
	says partitioned
}

@test "DETACH PARTITION CONCURRENTLY: attached, half-way, detached, not there" {
	[ "$(sql 'SHOW server_version_num')" -ge 140000 ] || skip "PostgreSQL 14 and later"
	sql "CREATE TABLE tenant_1.parted (id int) PARTITION BY LIST (id);
		CREATE TABLE tenant_1.part_1 PARTITION OF tenant_1.parted FOR VALUES IN (1)"
	probe_of "ALTER TABLE parted DETACH PARTITION part_1 CONCURRENTLY;"
	[ "$first" = open ]
	says open
	sql "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'tenant_1.part_1'::regclass"
	says pending
	sql "ALTER TABLE tenant_1.parted DETACH PARTITION tenant_1.part_1 FINALIZE"
	says done
	sql "DROP TABLE tenant_1.part_1"
	says missing
}

@test "a directive's probe: true is done, false and null are open" {
	probe_of "-- pgdocket: transaction=off probe=SELECT to_regclass('notes_idx') IS NOT NULL
CREATE INDEX notes_idx ON notes (id);"
	says open
	sql "CREATE INDEX notes_idx ON tenant_1.notes (id)"
	says done
	probe_of "-- pgdocket: transaction=off probe=SELECT NULL::boolean
CREATE INDEX notes_idx ON notes (id);"
	says open
}
