#!/usr/bin/env bats
# The README's script for CI, as it stands there: first run, second run with nothing to do, and a run that fails.

load server

setup_file() {
	pg_start
	pg_new_database shop
	fleet_build 6
	project_new "$BATS_FILE_TMPDIR/shop"
	sed -i 's/^label = .*/label = ci\napply_host = any/' pgdocket.conf
	export DATABASE=shop WORK=$PWD
}

teardown_file() { pg_stop; }

setup() { cd "$WORK"; }

# The block behind the line <!-- test: ci --> in README.md.
readme_script() {
	awk '/<!-- test: ci -->/ { found = 1 } found && /^```/ { if (inside) exit; inside = 1; next } inside' "$ROOT/README.md"
}

@test "the README shows this script" {
	[ -f "$ROOT/README.md" ] || skip "no README.md"
	diff <(readme_script) "$FIXTURES/ci.sh"
}

@test "it deploys, and says nothing is pending when run again" {
	run "$FIXTURES/ci.sh"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"verified and complete"* ]]
	[ "$(sql 'SELECT version FROM tenant_0003.schema_migrations')" = 8 ]
	run "$FIXTURES/ci.sh"
	[ "$status" -eq 0 ]
	[[ $output == *"nothing is pending"* ]]
}

@test "a migration that fails fails the job, and leaves the tenant as it was" {
	echo "SELECT 1/0;" >migrations/9_broken.up.sql
	run "$FIXTURES/ci.sh"
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"division by zero"* ]]
	[ "$(sql 'SELECT version FROM tenant_0003.schema_migrations')" = 8 ]
}
