#!/usr/bin/env bats
# What the host of pgdocket-apply holds against it: environment, directories, working copies, schemas changed beside it.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }

@test "an orphan that is listed after the snapshot is uncovered" {
	apply_new orphaned 1
	sql "CREATE SCHEMA tenant_late; CREATE TABLE tenant_late.campaigns (id int)"
	apply_plan
	sql "INSERT INTO public.tenants (schema_name) VALUES ('tenant_late')"
	sed -i 's/^#* *uncovered: .*/uncovered: refuse/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	run apply
	exits 3
	has "tenant_late"
	every_tenant_but_late=$(sql "SELECT version FROM tenant_1.schema_migrations")
	[ "$every_tenant_but_late" = 1 ]
}

@test "OPENSSL_CONF of the environment decides nothing" {
	apply_new crypto 1
	apply_plan
	printf '%s\n' 'openssl_conf = init' '[init]' 'providers = all' '[all]' 'base = base' '[base]' 'activate = 1' >openssl.cnf
	OPENSSL_CONF=$PWD/openssl.cnf run applier verify
	exits 0
}

@test "a state directory that others may write to" {
	apply_new open 1
	apply_plan
	mkdir "$BATS_TEST_TMPDIR/state"
	chmod 777 "$BATS_TEST_TMPDIR/state"
	run apply
	exits 3
	has "others may write to it"
	every_tenant 1 0
	chmod 700 "$BATS_TEST_TMPDIR/state"
	run apply
	exits 0
}

@test "a conninfo-file that is a link, or another user's" {
	[ "$(id -u)" = 0 ] || skip "not root"
	apply_new linked 1
	apply_plan
	echo "host=$PGHOST dbname=linked user=postgres" >"$BATS_TEST_TMPDIR/conn"
	chmod 600 "$BATS_TEST_TMPDIR/conn"
	ln -s conn "$BATS_TEST_TMPDIR/link"
	sed -i '/^#* *conninfo-file:/d' "$BATS_TEST_TMPDIR/trust/policy.conf"
	echo "conninfo-file: $BATS_TEST_TMPDIR/link" >>"$BATS_TEST_TMPDIR/trust/policy.conf"
	run applier check
	[ "$status" != 0 ]
	has "$BATS_TEST_TMPDIR/link"
	sed -i "s#^conninfo-file: .*#conninfo-file: $BATS_TEST_TMPDIR/conn#" "$BATS_TEST_TMPDIR/trust/policy.conf"
	run applier check
	exits 0
	chown postgres "$BATS_TEST_TMPDIR/conn"
	run applier check
	exits 3
	has "belongs to another user"
}

@test "two histories of one run: refused, and nothing is taken over into the working copy" {
	apply_new forked 2
	migration 3 third "INSERT INTO orders VALUES (3);
SELECT 1 / count(*) FROM campaigns;"
	sql "INSERT INTO tenant_1.campaigns VALUES (1, 'x')"
	apply_plan
	run apply -j 1
	exits 4
	sql "INSERT INTO tenant_2.campaigns VALUES (1, 'x')"
	work=$(echo "$BATS_TEST_TMPDIR"/state/*/*/work.docket)
	sqlite3 "$work" "DELETE FROM receipt WHERE seq > 1; UPDATE receipt SET body = CAST(body || char(10) AS BLOB) WHERE seq = 1"
	for again in 1 2; do
		run apply
		exits 3
		has "two histories"
		[ "$(sqlite3 "$work" "SELECT count(*) FROM receipt")" = 2 ]
	done
	sqlite3 "$work" "DELETE FROM receipt WHERE seq = 1"
	run apply
	exits 0
	every_tenant 3 2
	audited 0
}

@test "the shared schema is looked at before each wave, also where it is reverted last" {
	apply_new shared 2
	rm migrations/[23]_*
	migration 2 second "CREATE TABLE roles2 (id int PRIMARY KEY);
CREATE TABLE a (id int REFERENCES public.roles2);" "DROP TABLE a;
DROP TABLE roles2;"
	sed -i 's/^only = tenants, users, roles$/&, roles2/' pgdocket.conf
	for revert in "" "--revert 1"; do
		snapshot
		pgdocket plan -q s.docket $revert >/dev/null
		pgdocket sign -q s.docket --key "$BATS_TEST_TMPDIR/alice" --principal alice >/dev/null
		sql "ALTER TABLE public.users ADD COLUMN beside int"
		run apply
		exits 3
		[ -z "$revert" ] || has "the shared schema public was changed by someone else"
		sql "ALTER TABLE public.users DROP COLUMN beside"
		run apply
		exits 0
	done
}
