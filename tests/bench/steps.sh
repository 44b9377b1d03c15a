#!/bin/bash
# make bench: time and memory of every step for 50, 500 and 2,000 tenants (or those named), and the ratios to what
# PostgreSQL's own programs need for like work in the same run. fsync is on. Prints a table; judges nothing.
#
#   tests/bench/steps.sh [TENANTS...]       JOBS=2: workers of the applier
set -euo pipefail
PG_SETTINGS=$'fsync = on\nsynchronous_commit = on\nfull_page_writes = on\nmax_locks_per_transaction = 1024'
. "$(dirname "$0")/../integration/server.bash"
WORK=$(mktemp -d /tmp/pgdocket-bench.XXXX)
trap 'cd /; pg_stop; rm -rf "$WORK"' EXIT
jobs=${JOBS:-2}

# step NAME COMMAND...: seconds (wall), seconds (processor), resident MB; the wall time stays in $took.
step() {
	command time -f '%e %U %S %M' -o "$WORK/time" "${@:2}" >"$WORK/out" 2>"$WORK/err" || { cat "$WORK/err" >&2; exit 1; }
	read -r took user system memory <"$WORK/time"
	printf '  %-34s %7.2f s  %6.2f s cpu  %5d MB\n' "$1" "$took" "$(awk "BEGIN { print $user + $system }")" $((memory / 1024))
}
ratio() { awk "BEGIN { printf \"%.2f\", $1 / ($2 > 0 ? $2 : 0.01) }"; }

pg_start
for tenants in "${@:-50 500 2000}"; do for count in $tenants; do
	printf '%s tenants\n' "$count"
	pg_new_database "bench_$count"
	rm -rf "$WORK/project" "$WORK/state"
	project_new "$WORK/project"
	# Without the foreign key to the shared schema, for which the applier would use one worker.
	sed -i 's/ REFERENCES users (id) ON DELETE SET NULL//' migrations/7_comments.up.sql
	fleet_build "$count" golang-migrate 6 4
	sql 'VACUUM ANALYZE' && sql CHECKPOINT
	ssh-keygen -q -t ed25519 -N '' -f key
	host=$(pgdocket trust init trust --label test-1 2>/dev/null | grep -o 'SHA256:[^ ]*')
	sed -i 's/^require: approve 1/require: approve 0/' trust/policy.conf
	sed -i "s|^label = .*|&\napply_host = $host|" pgdocket.conf
	pgdocket trust add trust --role planner --principal bench --key key.pub >/dev/null
	pgdocket-apply bootstrap -q

	step 'pg_dump --schema-only' pg_dump -s -f "$WORK/dump.sql"
	dump=$took
	step 'snapshot' pgdocket snapshot -q -o b.docket
	snapshot=$took
	size=$(stat -c %s b.docket)
	step 'status' pgdocket status b.docket
	step 'plan' pgdocket plan -q b.docket
	step 'show' pgdocket show b.docket
	step 'sign' pgdocket sign -q b.docket --key key
	step 'verify' pgdocket verify b.docket --trust trust
	# The same statements by psql, one transaction a schema, in a copy of the database.
	psql -Xq -d postgres -c "CREATE DATABASE \"copy_$count\" TEMPLATE \"bench_$count\" STRATEGY file_copy"
	{
		echo 'BEGIN;'
		migration_sql shared migrations/7_comments.up.sql
		echo 'DELETE FROM public.schema_migrations; INSERT INTO public.schema_migrations VALUES (8, false); COMMIT;'
		for ((i = 1; i <= count; i++)); do
			printf 'BEGIN; SET LOCAL search_path = tenant_%04d, public;\n' "$i"
			for n in 5 6 7 8; do migration_sql tenant migrations/${n}_*.up.sql; done
			echo 'DELETE FROM schema_migrations; INSERT INTO schema_migrations VALUES (8, false); COMMIT;'
		done
	} >"$WORK/apply.sql"
	step 'psql, one session' psql -Xq -v ON_ERROR_STOP=1 -d "copy_$count" -f "$WORK/apply.sql"
	psql=$took
	step "run -j $jobs" pgdocket-apply run b.docket --trust trust --state "$WORK/state" -q -j "$jobs" --yes
	run=$took
	step 'run again: nothing to do' pgdocket-apply run b.docket --trust trust --state "$WORK/state" -q --yes
	step 'audit' pgdocket audit b.docket --trust trust
	printf '  snapshot / pg_dump %s, bundle / gzipped pg_dump %s (%s bytes), run / psql %s; bundle with results %s bytes\n' \
		"$(ratio "$snapshot" "$dump")" "$(ratio "$size" "$(gzip -c "$WORK/dump.sql" | wc -c)")" "$size" "$(ratio "$run" "$psql")" \
		"$(stat -c %s b.docket)"
	psql -Xq -d postgres -c "DROP DATABASE \"copy_$count\""
done; done
