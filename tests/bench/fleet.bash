# What the benches share: a server that keeps what it says, a fleet of tenants with five migrations of twelve
# statements pending, a signed plan for it, and how time and memory are taken. Source it from a bench.

PG_SETTINGS=$'fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nautovacuum = on
max_connections = 100\nmax_locks_per_transaction = 1024'
. "$(dirname "${BASH_SOURCE[0]}")/../integration/server.bash"
BENCH=$ROOT/tests/bench
MIGRATIONS=("$BENCH"/workload/2025*.sql)
FIRST_PENDING=20250101000004
WORK=$(mktemp -d /tmp/pgdocket-bench.XXXX)

bench_end() {
	cd /
	[ -z "${delay_pid:-}" ] || kill "$delay_pid" 2>/dev/null || true
	pg_stop
	rm -rf "$WORK"
}
trap bench_end EXIT
trap 'exit 130' INT TERM

fail() { printf 'bench: %s\n' "$*" >&2; exit 1; }

# The upper half of a migration.
upper() { sed '/^-- migrate:down/,$d; /^--/d' "$1"; }

# bench_fleet N: the database fleet_N, with public and N tenants at version 3 of 8, ten rows in one table of each.
bench_fleet() {
	local i name
	durable off
	pg_new_database "fleet_$1"
	{
		printf 'SET client_min_messages = warning;\n'
		cat "$BENCH/workload/shared.sql"
		for ((i = 1; i <= $1; i++)); do
			name=$(printf 'tenant_%05d' "$i")
			echo "CREATE SCHEMA $name; SET search_path = $name, public;"
			echo "INSERT INTO public.tenants (schema_name, title) VALUES ('$name', 'Tenant $i');"
			echo "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);"
			cat "$WORK/base.sql"
		done
	} | psql -Xq -v ON_ERROR_STOP=1
	sql 'VACUUM ANALYZE'
	durable on
}

# What a tenant begins with.
bench_base() {
	local file
	for file in "${MIGRATIONS[@]:0:3}"; do
		upper "$file"
		file=${file##*/}
		echo "INSERT INTO schema_migrations VALUES ('${file%%_*}');"
	done >"$WORK/base.sql"
	echo "INSERT INTO customers (number, name) SELECT n, 'Customer ' || n FROM generate_series(1, 10) AS n;" \
		>>"$WORK/base.sql"
}

# bench_project: a folder with pgdocket.conf, a policy that wants no approval and a planner's key; go there.
bench_project() {
	local host
	mkdir -p "$WORK/project/migrations"
	cd "$WORK/project"
	cp "${MIGRATIONS[@]}" migrations/
	ssh-keygen -q -t ed25519 -N '' -f key
	host=$(pgdocket trust init trust --label bench 2>/dev/null | grep -o 'SHA256:[^ ]*')
	sed -i 's/^require: approve 1/require: approve 0/' trust/policy.conf
	pgdocket trust add trust --role planner --principal bench --key key.pub >/dev/null
	cat >pgdocket.conf <<-CONF
		[target]
		label = bench
		apply_host = $host
		[shared]
		schema = public
		only = tenants, people, skills, memberships
		[tenants]
		query = SELECT schema_name, active FROM public.tenants ORDER BY 1
		only = customers, machines, orders, visits, parts, invoices, remarks
		[migrations]
		dir = migrations
		layout = dbmate
		[plan]
		transaction = ${TRANSACTION:-schema}
		[wave rest]
		schemas = *
	CONF
}

# bench_plan FILE: a signed plan for the whole fleet.
bench_plan() {
	pgdocket snapshot -q --force -o "$1"
	pgdocket plan -q --scope tenant "$1" >"$WORK/plan.out" || { cat "$WORK/plan.out" >&2; fail 'no plan'; }
	pgdocket sign -q "$1" --key key >/dev/null
}

# durable on|off: making a fleet or copying one needs no fsync of each file; what is measured does.
durable() {
	psql -XqAt -d postgres -c "ALTER SYSTEM SET fsync = $1" -c "SELECT pg_reload_conf()" >/dev/null
	until [ "$(psql -XqAt -d postgres -c 'SHOW fsync')" = "$1" ]; do sleep 0.02; done
}

# copy_fresh TEMPLATE [SQL]: the database "fresh" anew; its oid stays the same, so that one plan serves all copies.
copy_fresh() {
	durable off
	psql -Xq -d postgres -v ON_ERROR_STOP=1 <<-SQL
		SET client_min_messages = warning;
		DROP DATABASE IF EXISTS fresh;
		CREATE DATABASE fresh TEMPLATE "$1" STRATEGY file_copy ${fresh_oid:+OID $fresh_oid};
		${2:-}
		CHECKPOINT;
	SQL
	sync -f "$PGD_DIR"
	durable on
	rm -rf state b.docket
}

# bench_signed TEMPLATE: signed.docket, a plan for every copy of it.
bench_signed() {
	fresh_oid=
	copy_fresh "$1"
	export PGDATABASE=fresh
	fresh_oid=$(sql 'SELECT oid FROM pg_database WHERE datname = current_database()')
	bench_plan signed.docket
}

# Processor time of the server with all its processes, also those that have ended, in seconds.
server_cpu() {
	local postmaster
	postmaster=$(head -1 "$PGD_DIR/data/postmaster.pid")
	{ cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v postmaster="$postmaster" -v ticks="$(getconf CLK_TCK)" '
		$1 == postmaster { sum += $14 + $15 + $16 + $17 }
		$4 == postmaster { sum += $14 + $15 }
		END { printf "%.2f", sum / ticks }'
}

# take FILE NAME COMMAND...: appends "NAME seconds client-cpu server-cpu resident-kB" to FILE.
take() {
	local file=$1 name=$2 before wall user system memory
	shift 2
	before=$(server_cpu)
	command time -q -f '%e %U %S %M' -o "$WORK/time" "$@" >"$WORK/out" 2>"$WORK/err" ||
		{ cat "$WORK/out" "$WORK/err" >&2; fail "$name: exit code not 0"; }
	read -r wall user system memory <"$WORK/time"
	sleep 0.2 # backends that are about to end
	echo "$name $wall $(awk "BEGIN { print $user + $system }") \
$(awk "BEGIN { print $(server_cpu) - $before }") $memory" >>"$file"
}
