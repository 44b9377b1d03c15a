# Projects with a fleet and migrations of the test's own, for plan.bats and show.bats.

# plan_new NAME N: a new database with public and N tenants at version 0 of nothing: only the shared
# tables that a project has from the start. Then migration files come from `migration`.
plan_new() {
	local i name
	pg_new_database "$1"
	rm -rf "$BATS_TEST_TMPDIR/project"
	mkdir -p "$BATS_TEST_TMPDIR/project/migrations"
	cd "$BATS_TEST_TMPDIR/project"
	cat >pgdocket.conf <<-CONF
		[target]
		label = test-1
		[shared]
		schema = public
		only = tenants, users, roles
		[tenants]
		query = SELECT schema_name, active FROM public.tenants ORDER BY 1
		only = campaigns, orders, notes, a, b, c
		[migrations]
		dir = migrations
		layout = golang-migrate
	CONF
	{
		echo "CREATE TABLE tenants (id serial PRIMARY KEY, schema_name text, active boolean DEFAULT true);"
		echo "CREATE TABLE users (id int PRIMARY KEY, email text); CREATE INDEX users_email_idx ON users (email);"
		echo "CREATE TABLE roles (id serial PRIMARY KEY, name text); CREATE TABLE plans (id int PRIMARY KEY);"
		echo "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
		echo "INSERT INTO schema_migrations VALUES (1, false);"
		for ((i = 1; i <= $2; i++)); do
			name=tenant_$i
			echo "INSERT INTO public.tenants (schema_name) VALUES ('$name'); CREATE SCHEMA $name;"
			echo "CREATE TABLE $name.campaigns (id int PRIMARY KEY, status text); CREATE TABLE $name.orders (id int);"
			echo "CREATE INDEX campaigns_status_idx ON $name.campaigns (status);"
			echo "CREATE TABLE $name.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
			echo "INSERT INTO $name.schema_migrations VALUES (1, false);"
		done
	} | psql -Xq -v ON_ERROR_STOP=1
	migration 1 first "SELECT 1;" "SELECT 1;"
}

# migration N NAME UP [DOWN]
migration() {
	printf '%s\n' "$3" >"migrations/${1}_$2.up.sql"
	if [ $# -gt 3 ]; then printf '%s\n' "$4" >"migrations/${1}_$2.down.sql"; fi
}

snapshot() {
	pgdocket snapshot -q --force -o s.docket
}

# plan_of SQL...: the plan of migration 2 with this text, from a new snapshot.
plan_of() {
	migration 2 second "$1" "SELECT 1;"
	snapshot
	run pgdocket plan s.docket "${@:2}"
}

# has TEXT: it stands in $output.
has() {
	[[ $output == *"$1"* ]] || { printf 'not in the output: %s\n%s\n' "$1" "$output" >&2; return 1; }
}
lacks() {
	[[ $output != *"$1"* ]] || { printf 'in the output: %s\n%s\n' "$1" "$output" >&2; return 1; }
}
exits() {
	[ "$status" = "$1" ] || { printf 'exit %s, not %s\n%s\n' "$status" "$1" "$output" >&2; return 1; }
}
