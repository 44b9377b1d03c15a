# A PostgreSQL server of the test file's own, and fleets of tenants on it. Source it from a bats file:
#
#     load server
#     setup_file() { pg_start; pg_new_database shop; project_new "$BATS_FILE_TMPDIR/shop"; fleet_build 6; }
#     teardown_file() { pg_stop; }
#
# The server belongs to the OS user postgres, listens on a Unix socket in a short directory under /tmp only and
# keeps nothing: fsync is off. pg_start exports PGHOST, PGPORT, PGUSER and PGDATABASE. PGBIN names another
# PostgreSQL's programs; PG_SETTINGS holds further lines of postgresql.conf.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
FIXTURES=$ROOT/tests/integration/fixtures
PGBIN=${PGBIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
export PATH=${PGDOCKET_BIN:-$ROOT/build}:$PGBIN:$PATH
export NO_COLOR=1
unset PGSERVICE PGPASSFILE PGOPTIONS

pg_as_owner() {
	if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

pg_start() {
	PGD_DIR=$(mktemp -d /tmp/pgd.XXXX)
	if [ "$(id -u)" = 0 ]; then chown postgres: "$PGD_DIR"; fi
	(
		cd "$PGD_DIR"
		pg_as_owner "$PGBIN/initdb" -D "$PGD_DIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >/dev/null
		pg_as_owner tee -a "$PGD_DIR/data/postgresql.conf" >/dev/null <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$PGD_DIR'
			fsync = off
			synchronous_commit = off
			full_page_writes = off
			autovacuum = off
			max_connections = 60
			logging_collector = off
			${PG_SETTINGS:-}
		CONF
		pg_as_owner "$PGBIN/pg_ctl" -D "$PGD_DIR/data" -l "$PGD_DIR/log" -w start >/dev/null 3>&- ||
			{ cat "$PGD_DIR/log" >&2; exit 1; }
	)
	export PGD_DIR PGHOST=$PGD_DIR PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

pg_stop() {
	[ -n "${PGD_DIR:-}" ] || return 0
	(cd "$PGD_DIR" && pg_as_owner "$PGBIN/pg_ctl" -D "$PGD_DIR/data" -m immediate -w stop >/dev/null) || true
	rm -rf "$PGD_DIR"
	unset PGD_DIR
}

# A new empty database, from now on PGDATABASE.
pg_new_database() {
	psql -Xq -d postgres -c "CREATE DATABASE \"$1\" TEMPLATE template0"
	export PGDATABASE=$1
	# As from 15 on: a schema of the search_path that anyone may write to is refused.
	if [ "$(sql 'SHOW server_version_num')" -lt 150000 ]; then sql "REVOKE CREATE ON SCHEMA public FROM PUBLIC"; fi
	# PostgreSQL 12 has no gen_random_uuid of its own; the fixtures use it.
	if [ "$(sql 'SHOW server_version_num')" -lt 130000 ]; then
		sql "CREATE FUNCTION public.gen_random_uuid() RETURNS uuid LANGUAGE sql AS 'SELECT md5(random()::text)::uuid'"
	fi
}

# One statement or several; values without decoration.
sql() {
	psql -XqAt -v ON_ERROR_STOP=1 -c "$1"
}

# An SQL identifier, an SQL literal.
ident() { printf '"%s"' "${1//\"/\"\"}"; }
literal() { printf "'%s'" "${1//\'/\'\'}"; }

SHARED_TABLES='tenants|users|roles|user_roles|user_tenant|invitations'

# project_new DIR: a folder with pgdocket.conf and migrations/ (golang-migrate's layout), and go there.
project_new() {
	mkdir -p "$1"
	cp -r "$FIXTURES/migrations" "$1/migrations"
	cat >"$1/pgdocket.conf" <<-CONF
		[target]
		label = test-1
		[shared]
		schema = public
		only = tenants, users, roles, user_roles, user_tenant, invitations
		[tenants]
		query = SELECT schema_name, active FROM public.tenants ORDER BY 1
		only = campaigns, templates, creatives, storyboards, ad_variations, audiences, comments, large_creatives
		[migrations]
		dir = migrations
		layout = golang-migrate
	CONF
	cd "$1"
}

# project_new_dbmate DIR: the same migrations in dbmate's layout, versions 20240101000001 and so on.
project_new_dbmate() {
	local n name
	project_new "$1"
	for n in $(ls migrations | sed -n 's/^\([0-9]*\)_.*\.up\.sql$/\1/p'); do
		name=$(ls migrations | sed -n "s/^${n}_\(.*\)\.up\.sql\$/\1/p")
		{
			printf -- '-- migrate:up\n\n'
			cat "migrations/${n}_$name.up.sql"
			printf -- '\n-- migrate:down\n\n'
			cat "migrations/${n}_$name.down.sql"
		} >"migrations/$((20240101000000 + n))_$name.sql"
		rm "migrations/${n}_$name.up.sql" "migrations/${n}_$name.down.sql"
	done
	sed -i 's/^layout = .*/layout = dbmate/' pgdocket.conf
}

# migration_sql SCOPE FILE: the statements of a fixture migration that are for the shared schema, or for a tenant.
migration_sql() {
	awk -v scope="$1" -v shared="$SHARED_TABLES" 'BEGIN { RS = ";\n" }
		/[^ \n\t]/ {
			mine = $0 ~ ("(TABLE|ON|INTO|UPDATE|ON TABLE) (" shared ")([ (\n]|$)") || $0 ~ "DROP INDEX users_"
			if ($0 ~ "^[^(]*(ON|TABLE) (campaigns|templates|creatives|storyboards|ad_variations|audiences|comments)[ (\n]") mine = 0
			if (mine == (scope == "shared")) printf "%s;\n", $0
		}' "$2"
}

# fleet_sql SCHEMA SCOPE FROM TO [HISTORY]: SQL that takes a schema from one version to another and records it.
# HISTORY: golang-migrate (default), dbmate or none.
fleet_sql() {
	local n schema
	schema=$(ident "$1")
	printf 'SET search_path = %s%s;\n' "$schema" "$([ "$1" = public ] || echo ', public')"
	for ((n = $3 + 1; n <= $4; n++)); do migration_sql "$2" "$FIXTURES/migrations/${n}"_*.up.sql; done
	case ${5:-golang-migrate} in
	golang-migrate)
		echo "CREATE TABLE IF NOT EXISTS $schema.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
		echo "DELETE FROM $schema.schema_migrations; INSERT INTO $schema.schema_migrations VALUES ($4, false);" ;;
	dbmate)
		echo "CREATE TABLE IF NOT EXISTS $schema.schema_migrations (version varchar(128) PRIMARY KEY);"
		echo "INSERT INTO $schema.schema_migrations SELECT 20240101000000 + n FROM generate_series($(($3 + 1)), $4) AS n;" ;;
	esac
}

# fleet_schema SCHEMA VERSION [HISTORY]: a listed tenant at this version.
fleet_schema() {
	{
		echo "INSERT INTO public.tenants (title, schema_name) VALUES ('a tenant', $(literal "$1"));"
		fleet_bare "$@"
	} | psql -Xq -v ON_ERROR_STOP=1
}

# The same, not listed: SQL on stdout.
fleet_bare() {
	echo "SET client_min_messages = warning;"
	echo "CREATE SCHEMA $(ident "$1");"
	fleet_sql "$1" tenant 0 "$2" "${3:-}"
}

# fleet_build N [HISTORY [SHARED_VERSION VERSION...]]: public and tenant_0001..N in turn at the versions given (8 6 4).
fleet_build() {
	local count=$1 history=${2:-golang-migrate} shared=${3:-6} i name version
	local versions=("${@:4}")
	[ ${#versions[@]} -gt 0 ] || versions=(8 6 4)
	{
		printf 'SET client_min_messages = warning;\n'
		fleet_sql public shared 0 "$shared" "$history"
		for version in $(printf '%s\n' "${versions[@]}" | sort -un); do
			fleet_sql @SCHEMA@ tenant 0 "$version" "$history" >"$PGD_DIR/fleet.$version"
		done
		for ((i = 1; i <= count; i++)); do
			name=$(printf 'tenant_%04d' "$i")
			printf "INSERT INTO public.tenants (title, schema_name) VALUES ('Tenant %s', '%s');\n" "$i" "$name"
			printf 'CREATE SCHEMA "%s";\n' "$name"
			sed "s/@SCHEMA@/$name/g" "$PGD_DIR/fleet.${versions[(i - 1) % ${#versions[@]}]}"
		done
	} | psql -Xq -v ON_ERROR_STOP=1
}

# One schema unlike its peers; a shared table's copy in a tenant; a listed tenant without a schema; a schema nobody lists.
fleet_drift() { sql "ALTER TABLE $(ident "$1").campaigns ADD COLUMN hand_made text"; }
fleet_stray() { sql "CREATE TABLE $(ident "$1").users (id uuid PRIMARY KEY, email text)"; }
fleet_listed_without() { sql "INSERT INTO public.tenants (title, schema_name) VALUES ('ghost', $(literal "$1"))"; }
fleet_orphan() { fleet_bare "$1" "${2:-4}" "${3:-}" | psql -Xq -v ON_ERROR_STOP=1; }
