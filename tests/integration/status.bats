# pgdocket status: offline on a bundle, per class and per schema; on the fly with -d.
bats_require_minimum_version 1.5.0
load server

setup_file() {
	pg_start
	pg_new_database shop
	fleet_build 9
	fleet_drift tenant_0001
	fleet_stray tenant_0002
	fleet_listed_without tenant_new
	fleet_orphan lost
	fleet_schema 'odd"one' 8
	sql "UPDATE public.tenants SET active = false WHERE schema_name = 'tenant_0004';
		CREATE POLICY mine ON tenant_0003.campaigns USING (true);
		UPDATE tenant_0005.schema_migrations SET version = 99;
		UPDATE tenant_0006.schema_migrations SET dirty = true"
	project_new "$BATS_FILE_TMPDIR/shop"
	pgdocket snapshot -o a.docket -d shop -q
}
teardown_file() { pg_stop; }
setup() {
	cd "$BATS_FILE_TMPDIR/shop"
	export PGDATABASE=shop
}

class_of() { pgdocket status a.docket --json | jq -c ".classes[] | select(.schemas | index(\"$1\"))"; }

@test "the text: target, classes, what stands out" {
	run pgdocket status a.docket
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^'test-1: database shop on PostgreSQL '[0-9]+', as of 20'[0-9TZ:-]+$ ]]
	[ "${lines[1]}" = 'configuration and migrations from pgdocket.conf (8 migrations)' ]
	[[ $output == *$'\nshared         1        6        2  6 '* ]]
	[[ $output == *$'1 inactive\n          odd"one, tenant_0004, tenant_0007\n'* ]]
	[[ $output == *'drift: tenant_0001 unlike most schemas in this state'$'\n  + column campaigns.hand_made'* ]]
	[[ $output == *'drift: tenant_0002 unlike most schemas in this state'$'\n  + column users.email'* ]]
	[[ $output == *'and 1 more'* ]]
	[[ $output == *'strays (tables of the shared schema) in tenant_0002: users'* ]]
	[[ $output == *'drift, 1 stray'* ]]
	[[ $output == *'recorded but not among the migrations, in tenant_0005: 99'* ]]
	[[ $output == *'1 unknown'* ]]
	[[ $output == *'dirty at 4'* ]]
	[[ $output == *'only named in the shape '*': policy campaigns mine'* ]]
	[[ $output == *'drift, 1 unmodelled'* ]]
	[[ $output == *'listed, without a schema: tenant_new'* ]]
	[[ $output == *'orphans (a history table, and not listed): lost'* ]]
	[[ $output == *'inactive: tenant_0004'* ]]
}

@test "-v lists every schema" {
	run pgdocket status a.docket -v
	[ "$status" -eq 0 ]
	[[ $output == *$'\ntenant_0001                      tenant         8        0 '*'  drift'* ]]
	[[ $output == *$'\ntenant_new                       tenant  listed, without a schema'* ]]
}

@test "the same as JSON" {
	run jq -r '[.label, .database, (.migrations | length), (.classes | length), (.schemas | length), .differs] | @csv' \
		<<<"$(pgdocket status a.docket --json)"
	[ "$output" = '"test-1","shop",8,10,13,true' ]
	[ "$(class_of tenant_0001 | jq -c '[.scope, .applied, .newest, .pending, .drift, .dirty]')" = '["tenant",8,"8",[],true,null]' ]
	[ "$(class_of tenant_0002 | jq -c '[.pending, .strays, .drift]')" = '[["7","8"],["users"],true]' ]
	[ "$(class_of tenant_0003 | jq -c '[.unmodelled, .tables]')" = '[1,6]' ]
	[ "$(class_of tenant_0004 | jq -c '[.schemas, .active]')" = '[["odd\"one","tenant_0004","tenant_0007"],2]' ]
	[ "$(class_of tenant_0005 | jq -c '.unknown')" = '["99"]' ]
	[ "$(class_of tenant_0006 | jq -c '[.dirty, .applied]')" = '["4",3]' ]
	[ "$(class_of public | jq -c '[.scope, .history, .pending]')" = '["shared","golang-migrate",["7","8"]]' ]
	[ "$(class_of lost | jq -c '.scope')" = '"orphan"' ]
	[ "$(pgdocket status a.docket --json | jq -c '.schemas[] | select(.name == "tenant_new")')" = \
		'{"name":"tenant_new","scope":"tenant","listed":true,"active":true,"exists":false,"class":-1,"tables":0,"rows":0,"bytes":0}' ]
}

@test "--schema: its migrations one by one" {
	run pgdocket status a.docket --schema tenant_0003
	[ "$status" -eq 0 ]
	[ "$output" = 'tenant_0003: tenant, 4 applied, 4 pending, drift
[x] 1 accounts
[x] 2 campaigns
[x] 3 creatives
[x] 4 audiences
[ ] 5 priority
[ ] 6 invitations
[ ] 7 comments
[ ] 8 checks' ]
	run pgdocket status a.docket --schema tenant_0006
	[[ $output == *$'\n[!] 4 audiences (dirty)\n[ ] 5 priority'* ]]
	run pgdocket status a.docket --schema tenant_0005
	[[ $output == *$'\n[!] 99 (unknown)' ]]
	run pgdocket status a.docket --schema tenant_new
	[ "$output" = 'tenant_new: listed, without a schema' ]
	run pgdocket status a.docket --schema 'odd"one' --json
	[ "$(jq -r '.schema.name, (.migrations | map(.state) | unique[])' <<<"$output")" = $'odd"one\napplied' ]
	run pgdocket status a.docket --schema tenant_0005 --json
	[ "$(jq -c '.migrations[-1]' <<<"$output")" = '{"version":"99","name":null,"state":"unknown"}' ]
	run pgdocket status a.docket --schema nobody
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: the snapshot has no schema nobody\nhint: pgdocket status -v lists them all' ]
}

@test "a migration of the shared scope is not pending in a tenant" {
	cp -r "$BATS_FILE_TMPDIR/shop" "$BATS_TEST_TMPDIR/scoped"
	cd "$BATS_TEST_TMPDIR/scoped"
	sed -i '1i -- pgdocket: scope=shared' migrations/8_checks.up.sql
	sed -i '1i -- pgdocket: scope=tenant' migrations/7_comments.up.sql
	[ "$(class_of tenant_0008 | jq -c '.pending')" = '["7"]' ]
	[ "$(class_of public | jq -c '.pending')" = '["8"]' ]
	run pgdocket status a.docket --schema tenant_0008
	[[ $output == *$'[ ] 7 comments\n[-] 8 checks (not for this scope)' ]]
}

@test "dbmate: a migration below the newest is out of order" {
	pg_new_database gaps
	fleet_build 2 dbmate 8 8
	sql "DELETE FROM tenant_0002.schema_migrations WHERE version = '20240101000003'"
	project_new_dbmate "$BATS_TEST_TMPDIR/gaps"
	pgdocket snapshot -o a.docket -d gaps -q
	run pgdocket status a.docket
	[[ $output == *'1 out of order'* ]]
	run pgdocket status a.docket --schema tenant_0002
	[[ $output == *'[ ] 20240101000003 creatives (out of order)'* ]]
}

@test "--exit-code: 5 when something is pending or drifts, else 0" {
	run pgdocket status a.docket --exit-code
	[ "$status" -eq 5 ]
	pg_new_database level
	fleet_build 3 golang-migrate 8 8
	project_new "$BATS_TEST_TMPDIR/level"
	pgdocket snapshot -o a.docket -d level -q
	run pgdocket status a.docket --exit-code
	[ "$status" -eq 0 ]
	run pgdocket status -d level --exit-code
	[ "$status" -eq 0 ]
	fleet_drift tenant_0002
	run pgdocket status -d level --exit-code -q
	[ "$status" -eq 5 ]
	[[ $output == *'drift: tenant_0002'* ]]
}

@test "-d: as the database is now; nothing stays behind" {
	before=$(ls -d /tmp/pgdocket.* 2>/dev/null | wc -l)
	run --separate-stderr pgdocket status -d shop --schema tenant_0001
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'tenant_0001: tenant, 8 applied, 0 pending, drift' ]
	[[ $stderr == *'reading schemas:'* ]]
	run pgdocket status -d 'host=/nonexistent'
	[ "$status" -eq 1 ]
	[ "$(ls -d /tmp/pgdocket.* 2>/dev/null | wc -l)" -le "$before" ]
}

@test "whose configuration and migrations: the folder's when it is the same target, else the bundle's" {
	mkdir -p "$BATS_TEST_TMPDIR/else" && cd "$BATS_TEST_TMPDIR/else"
	run pgdocket status "$BATS_FILE_TMPDIR/shop/a.docket"
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = 'configuration and migrations from the bundle (8 migrations)' ]
	[[ $output == *'strays (tables of the shared schema) in tenant_0002: users'* ]]
	# Another environment's configuration lies here: not taken, and an error when it is asked for.
	printf '[target]\nlabel = other\n[tenants]\npattern = *\n' >pgdocket.conf
	run pgdocket status "$BATS_FILE_TMPDIR/shop/a.docket"
	[ "${lines[1]}" = 'configuration and migrations from the bundle (8 migrations)' ]
	run pgdocket status "$BATS_FILE_TMPDIR/shop/a.docket" --config pgdocket.conf
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: pgdocket.conf is for other, the bundle for test-1\nhint: name the configuration of test-1, or leave --config out' ]
	# The same target, another folder of migrations.
	sed 's/other/test-1/' -i pgdocket.conf
	run pgdocket status "$BATS_FILE_TMPDIR/shop/a.docket"
	[ "$status" -eq 2 ]
	[[ $output == 'pgdocket: pgdocket.conf: there is no folder migrations, and no dir under [migrations] names another'* ]]
	printf '[migrations]\ndir = sql\n' >>pgdocket.conf
	run pgdocket status "$BATS_FILE_TMPDIR/shop/a.docket"
	[ "$status" -eq 2 ]
	[[ $output == 'pgdocket: pgdocket.conf:6: dir: there is no folder sql'* ]]
	sed '/migrations\|dir/d' -i pgdocket.conf
	mkdir migrations
	cp "$FIXTURES"/migrations/[1-3]_* migrations
	run pgdocket status "$BATS_FILE_TMPDIR/shop/a.docket"
	[ "${lines[1]}" = 'configuration and migrations from pgdocket.conf (3 migrations)' ]
}

@test "arguments that do not go together" {
	run pgdocket status
	[ "$status" -eq 2 ]
	[ "$output" = $'pgdocket: neither a bundle nor a database was named\nhint: pgdocket status FILE, or pgdocket status -d CONNECTION' ]
	run pgdocket status a.docket -d shop
	[ "$status" -eq 2 ]
	[[ $output == *'a bundle and a database were named'* ]]
	run pgdocket status none.docket
	[ "$status" -eq 1 ]
	run pgdocket status --help
	[ "$status" -eq 0 ]
	[[ $output == *--schema* && $output == *--exit-code* && $output == *'[!] unknown or dirty'* ]]
}

@test "a bundle without a snapshot, and one that is none" {
	sqlite3 empty.docket <"$ROOT/bundles/schema.sql"
	sqlite3 empty.docket 'PRAGMA application_id = 0x7067646b; PRAGMA user_version = 1'
	run pgdocket status empty.docket
	[ "$status" -eq 3 ]
	[[ $output == *'the bundle holds no snapshot'* ]]
	[[ $output == *'hint: pgdocket snapshot makes one'* ]]
	echo hello >none.docket
	run pgdocket status none.docket
	[ "$status" -eq 3 ]
}

@test "names from the database cannot write on the terminal" {
	pg_new_database hostile
	fleet_build 1
	sql "CREATE SCHEMA \"$(printf 'x\033[31m')\"; INSERT INTO public.tenants (title, schema_name) VALUES ('h', E'x\\033[31m')"
	project_new "$BATS_TEST_TMPDIR/hostile"
	pgdocket snapshot -o a.docket -d hostile -q
	run pgdocket status a.docket -v
	[[ $output != *$'\033'* ]]
	[[ $output == *'x\x1B[31m'* ]]
}

@test "offline, and quick: 2,000 schemas in a few classes" {
	cp a.docket many.docket
	sqlite3 many.docket "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
		INSERT INTO schema SELECT target, printf('copy_%05d', i), class, listed, active, 100000 + i, tables, rows, bytes
		FROM schema, n WHERE name = 'tenant_0007'"
	local began=$EPOCHREALTIME
	PGHOST=/nonexistent run pgdocket status many.docket
	[ "$status" -eq 0 ]
	[[ $output == *'copy_00001, copy_00002, copy_00003 and 2000 more'* ]]
	awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { print b - a > "/dev/stderr"; exit b - a > 2 }'
}
