#!/bin/bash
# make bench: time and memory of every step that reads, for 500 and 2,000 tenants (or those named), and the ratios to what
# PostgreSQL's own programs need for like work in the same round. fsync is on. Prints a table; judges nothing.
#
#   tests/bench/steps.sh [TENANTS...]       ROUNDS=5
set -euo pipefail
. "$(dirname "$0")/fleet.bash"
rounds=${ROUNDS:-5}

# The bare questions behind "nothing to do": what the catalogs say of each schema, and every history.
bare_sql() {
	cat <<-'SQL'
		SELECT c.oid, c.relname, c.relkind, n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname !~ '^(pg_|information_schema)' AND c.relkind <> 'i';
		SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
		FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
		LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE n.nspname !~ '^(pg_|information_schema)' AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped;
		SELECT k.conrelid, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint AS k
		JOIN pg_namespace AS n ON n.oid = k.connamespace WHERE n.nspname !~ '^(pg_|information_schema)';
		SELECT i.indexrelid, i.indrelid, pg_get_indexdef(i.indexrelid) FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname !~ '^(pg_|information_schema)';
	SQL
	sql "SELECT format('SELECT version FROM %I.schema_migrations;', schema_name) FROM public.tenants ORDER BY 1"
}

step() {
	local name=$1
	shift
	take "$results" "$name" "$@"
}

round() {
	step pg_dump pg_dump -s -f "$WORK/dump.sql"
	step bare-queries psql -Xq -o /dev/null -f "$WORK/bare.sql"
	step snapshot pgdocket snapshot -q --force -o b.docket
	cp b.docket taken.docket
	step status pgdocket status b.docket
	step plan pgdocket plan -q --scope tenant b.docket
	step show pgdocket show b.docket
	step sign pgdocket sign -q b.docket --key key
	step verify pgdocket verify b.docket --trust trust
	echo round >>"$results"
}

# Nothing to do: everything is applied, and asked again from the beginning.
round_done() {
	rm -rf done.docket
	step done:bare-queries psql -Xq -o /dev/null -f "$WORK/bare.sql"
	step done:snapshot pgdocket snapshot -q --force -o done.docket
	step done:status pgdocket status done.docket
	step done:plan pgdocket plan -q --scope tenant done.docket
	step done:run-again pgdocket-apply run b.docket --trust trust --state state -q --yes
	step done:audit pgdocket audit b.docket --trust trust
	echo round >>"$results"
}

# medians of one column (2 seconds, 3 processor, 4 the server's, 5 kB); the median of ratios of sums in the same round.
table() {
	awk '
		function median(list, n,   i, j, t) {
			for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
			return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
		}
		function of(which, name,   list, i) { for (i = 1; i <= rounds; i++) list[i] = value[which, name, i]; return median(list, rounds) }
		function ratio(above, below,   list, i, k, n, part, sum) {
			n = split(above, part, "+")
			for (i = 1; i <= rounds; i++) {
				sum = 0
				for (k = 1; k <= n; k++) sum += value[2, part[k], i]
				list[i] = sum / (value[2, below, i] > 0 ? value[2, below, i] : 0.01)
			}
			return median(list, rounds)
		}
		$1 == "round" { rounds++; next }
		{
			if (!($1 in seen)) { seen[$1] = 1; name[++names] = $1; low[$1] = $2; high[$1] = $2 }
			for (i = 2; i <= 5; i++) value[i, $1, rounds + 1] = $i
			if ($2 < low[$1]) low[$1] = $2
			if ($2 > high[$1]) high[$1] = $2
		}
		END {
			printf "  %-20s %8s %15s %8s %8s %6s\n", "", "s", "min-max", "own s", "server s", "MB"
			for (i = 1; i <= names; i++) printf "  %-20s %8.2f %15s %8.2f %8.2f %6.1f\n", name[i], of(2, name[i]),
				sprintf("%.2f-%.2f", low[name[i]], high[name[i]]), of(3, name[i]), of(4, name[i]), of(5, name[i]) / 1024
			if ("pg_dump" in seen) printf "  snapshot / pg_dump %.2f\n", ratio("snapshot", "pg_dump")
			else printf "  snapshot, status and plan / bare queries %.2f; together %.2f s\n",
				ratio("done:snapshot+done:status+done:plan", "done:bare-queries"),
				of(2, "done:snapshot") + of(2, "done:status") + of(2, "done:plan")
		}' "$results"
}

pg_start
bench_base
bench_project
for count in ${@:-500 2000}; do
	bench_fleet "$count"
	pgdocket-apply bootstrap -q
	bench_signed "fleet_$count"
	bare_sql >"$WORK/bare.sql"
	results=$WORK/reading.$count
	for ((r = 0; r < rounds; r++)); do round; done
	printf '%s tenants, five migrations pending, %s rounds, load %s\n' "$count" "$rounds" "$(cut -d' ' -f1-3 /proc/loadavg)"
	table
	zipped=$(gzip -c "$WORK/dump.sql" | wc -c)
	bundle=$(stat -c %s taken.docket)
	printf '  bundle %s bytes, with a signed plan %s; pg_dump %s bytes, gzipped %s: bundle / gzipped pg_dump %s\n' "$bundle" \
		"$(stat -c %s b.docket)" "$(stat -c %s "$WORK/dump.sql")" "$zipped" "$(awk "BEGIN { printf \"%.2f\", $bundle / $zipped }")"
	pgdocket-apply run b.docket --trust trust --state state -q --yes -j 2
	results=$WORK/done.$count
	for ((r = 0; r < rounds; r++)); do round_done; done
	printf '%s tenants, nothing to do, %s rounds, load %s\n' "$count" "$rounds" "$(cut -d' ' -f1-3 /proc/loadavg)"
	table
	printf '  bundle with results %s bytes\n' "$(stat -c %s b.docket)"
	psql -Xq -d postgres -c 'DROP DATABASE fresh' -c "DROP DATABASE \"fleet_$count\""
	rm -rf state
done
