#!/bin/bash
# make bench: what applying costs above the least that can be done, and beside other tools. Five pending migrations of
# twelve statements in each of 500 and 2,000 schemas (or as many as named), everything checked, ledger and receipts
# written; beside it a bare pipelined program (floor.c) that sends the same statements in the same transactions over as
# many connections, without and with one fingerprint query per schema; psql; and with PEERS=1 what else there is.
# Every run begins with the same copy of the database, outside of the clock; rounds are interleaved; fsync is on.
#
#   tests/bench/apply.sh [TENANTS...]
#       ROUNDS=5  CONNECTIONS="1 2 4"  CONDITIONS="plain network commit"  TRANSACTION=schema|migration  PEERS=
#       PROXY_RTT_US=1000: network, a round trip through delay.c       COMMIT_DELAY_US=2000: commit, each flush sleeps
set -euo pipefail
. "$(dirname "$0")/fleet.bash"
rounds=${ROUNDS:-5}
connections=${CONNECTIONS:-1 2 4}
conditions=${CONDITIONS:-plain network commit}
rtt_us=${PROXY_RTT_US:-1000}
commit_us=${COMMIT_DELAY_US:-2000}
declare -A slow_commit=([commit]="ALTER DATABASE fresh SET commit_siblings = 0; ALTER DATABASE fresh SET commit_delay = $commit_us;")
programs=${PGDOCKET_BIN:-$ROOT/build/release}/bench
[ -z "${PEERS:-}" ] || . "$BENCH/peers.bash"

# Every tenant has what the last two migrations made.
all_done() {
	local done
	done=$(psql -XqAt -d fresh <<-'SQL'
		SELECT count(*) FROM public.tenants AS t
		JOIN pg_attribute AS a ON a.attrelid = to_regclass(t.schema_name || '.invoices') AND a.attname = 'title'
		WHERE a.atttypmod = 204 AND to_regclass(t.schema_name || '.visits_phase_idx') IS NOT NULL;
	SQL
	)
	[ "$done" = "$1" ] || fail "$2: $done of $1 tenants are done"
}

psql_file() {
	local i file
	for ((i = 1; i <= $1; i++)); do
		printf 'BEGIN; SET LOCAL search_path = tenant_%05d, public;\n' "$i"
		for file in "${MIGRATIONS[@]:3}"; do
			upper "$file"
			file=${file##*/}
			echo "INSERT INTO schema_migrations VALUES ('${file%%_*}');"
			[ "${TRANSACTION:-schema}" = schema ] || printf 'COMMIT; BEGIN; SET LOCAL search_path = tenant_%05d, public;\n' "$i"
		done
		echo 'COMMIT;'
	done
}

# tool NAME: one run of it, on a fresh copy.
tool() {
	local t=${TRANSACTION:-schema} j=${1##*-j}
	case $1 in
	floor-*) take "$results" "$1" "$programs/floor" -j "$j" -t "$t" "$FIRST_PENDING" "${MIGRATIONS[@]}" ;;
	shape-*) take "$results" "$1" "$programs/floor" -s -j "$j" -t "$t" "$FIRST_PENDING" "${MIGRATIONS[@]}" ;;
	pgdocket-*) take "$results" "$1" pgdocket-apply run b.docket --trust trust --state state -q --yes -j "$j" ;;
	psql) take "$results" psql psql -Xq -v ON_ERROR_STOP=1 -f "$WORK/apply.sql" ;;
	*) peer_command "$1"; take "$results" "$1" "${PEER[@]}" ;;
	esac
}

tools() {
	local j
	for j in $connections; do printf '%s\n' "floor-j$j" "shape-j$j" "pgdocket-j$j"; done
	echo psql
	[ -z "${PEERS:-}" ] || peer_tools
}

# A round begins with another tool each time; whoever waits for the network goes through the proxy.
round() {
	local count=$1 condition=$2 number=$3 i name list
	mapfile -t list < <(tools)
	for ((i = 0; i < ${#list[@]}; i++)); do
		name=${list[(i + number) % ${#list[@]}]}
		copy_fresh "$(template_of "$name")" "${slow_commit[$condition]:-}"
		cp signed.docket b.docket
		PGDATABASE=fresh PGHOST=$([ "$condition" = network ] && echo "$WORK" || echo "$PGHOST") tool "$name"
		all_done "$count" "$name"
	done
	echo "round" >>"$results"
}
template_of() { case $1 in floor-* | shape-* | pgdocket-* | psql) echo "$template" ;; *) echo "${template}_peers" ;; esac; }

# Medians, and the median of the ratios to both floors over as many connections in the same round.
table() {
	awk -v count="$1" '
		function median(list, n,   i, j, t) {
			for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
			return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
		}
		function of(which, name,   list, i) { for (i = 1; i <= rounds; i++) list[i] = value[which, name, i]; return median(list, rounds) }
		function ratio(which, name, base,   list, i) {
			if (!((which, base, 1) in value)) return "-"
			for (i = 1; i <= rounds; i++) list[i] = value[which, name, i] / (value[which, base, i] > 0 ? value[which, base, i] : 0.01)
			return sprintf("%.2f", median(list, rounds))
		}
		BEGIN { rounds = 0 }
		$1 == "round" { rounds++; next }
		{
			if (!($1 in seen)) { seen[$1] = 1; name[++names] = $1; low[$1] = $2; high[$1] = $2 }
			value["s", $1, rounds + 1] = $2; value["client", $1, rounds + 1] = $3; value["server", $1, rounds + 1] = $4
			value["cpu", $1, rounds + 1] = $3 + $4
			value["kb", $1, rounds + 1] = $5
			if ($2 < low[$1]) low[$1] = $2
			if ($2 > high[$1]) high[$1] = $2
		}
		END {
			printf "  %-22s %8s %15s %9s %8s %8s %6s %8s %8s %8s\n", "", "s", "min-max", "ms/schema", "client s", "server s", "MB", "x floor", "x shape", "cpu x shape"
			for (i = 1; i <= names; i++) {
				n = name[i]; j = n ~ /-j[0-9]+$/ ? n : "-j1"; sub(/.*-j/, "", j)
				printf "  %-22s %8.2f %15s %9.2f %8.2f %8.2f %6.1f %8s %8s %8s\n", n, of("s", n), sprintf("%.2f-%.2f", low[n], high[n]),
					1000 * of("s", n) / count, of("client", n), of("server", n), of("kb", n) / 1024,
					ratio("s", n, "floor-j" j), ratio("s", n, "shape-j" j), ratio("cpu", n, "shape-j" j)
			}
		}' "$results"
}

network_begin() {
	rm -f "$WORK/.s.PGSQL.$PGPORT"
	"$programs/delay" "$WORK/.s.PGSQL.$PGPORT" "$PGHOST/.s.PGSQL.$PGPORT" $((rtt_us / 2)) &
	delay_pid=$!
	sleep 0.2
}
network_end() { kill "$delay_pid"; wait "$delay_pid" 2>/dev/null || true; delay_pid=; }

pg_start
bench_base
bench_project
for count in ${@:-500 2000}; do
	template=fleet_$count
	bench_fleet "$count"
	pgdocket-apply bootstrap -q
	[ -z "${PEERS:-}" ] || peer_template "$count" "$template"
	psql_file "$count" >"$WORK/apply.sql"
	bench_signed "$template"
	for condition in $conditions; do
		results=$WORK/results.$count.$condition
		: >"$results"
		[ "$condition" != network ] || network_begin
		for ((r = 0; r < rounds; r++)); do round "$count" "$condition" "$r"; done
		[ "$condition" != network ] || network_end
		printf '%s schemas, %s%s, one transaction per %s, %s rounds, load %s\n' "$count" "$condition" \
			"$(case $condition in network) echo " ($rtt_us us round trip)" ;; commit) echo " (+$commit_us us)" ;; esac)" \
			"${TRANSACTION:-schema}" "$rounds" "$(cut -d' ' -f1-3 /proc/loadavg)"
		table "$count"
	done
	psql -Xq -d postgres -c 'DROP DATABASE fresh' -c "DROP DATABASE \"$template\""
	[ -z "${PEERS:-}" ] || psql -Xq -d postgres -c "DROP DATABASE \"${template}_peers\""
done
