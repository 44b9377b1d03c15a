#!/bin/bash
# make bench-large: one run of the applier over 10,000 schemas (or as many as named): whether time and memory stay flat.
# For every thousand schemas: milliseconds per schema, and the most memory that one server process of the run had.
#
#   tests/bench/large.sh [TENANTS]     JOBS=2: workers
set -euo pipefail
. "$(dirname "$0")/fleet.bash"
count=${1:-10000}
jobs=${JOBS:-2}

# sample FILE: time, process, anonymous kB and highest resident kB of each of the database's processes, twice a second.
sample() {
	local status
	while sleep 0.5; do
		for status in $(grep -lsaz '^postgres: postgres fresh ' /proc/[0-9]*/cmdline); do
			awk -v now="$EPOCHREALTIME" '/^Pid:/ { pid = $2 } /^VmHWM:/ { high = $2 } /^RssAnon:/ { anon = $2 }
				END { if (high) print now, pid, anon, high }' "${status%cmdline}status" 2>/dev/null || true
		done
	done >"$1"
}

pg_start
bench_base
bench_project
bench_fleet "$count"
pgdocket-apply bootstrap -q
bench_signed "fleet_$count"
results=$WORK/results
for step in 'snapshot -q --force -o again.docket' 'plan -q --scope tenant again.docket' 'show signed.docket' \
	'verify signed.docket --trust trust'; do
	take "$results" "${step%% *}" pgdocket $step
done
cp signed.docket b.docket
sample "$WORK/samples" &
sampler=$!
take "$results" "run-j$jobs" pgdocket-apply run b.docket --trust trust --state state -q --yes -j "$jobs"
kill $sampler
take "$results" again pgdocket-apply run b.docket --trust trust --state state -q --yes
printf '%s schemas, %s workers, load %s\n' "$count" "$jobs" "$(cut -d' ' -f1-3 /proc/loadavg)"
awk '{ printf "  %-10s %8.2f s  %8.2f s cpu of its own  %8.2f s cpu of the server  %6.1f MB\n", $1, $2, $3, $4, $5 / 1024 }' "$results"
sql "SELECT n, extract(epoch FROM max(t)), count(*) FROM (SELECT finished AS t, (row_number() OVER (ORDER BY finished) - 1) / 1000 AS n
	FROM pgdocket.finished) AS f GROUP BY n ORDER BY n" | tr '|' ' ' >"$WORK/thousands"
sql "SELECT extract(epoch FROM min(started)) FROM pgdocket.applied" >"$WORK/first"
awk -v first="$(cat "$WORK/first")" '
	NR == FNR { until[NR] = $2; of[NR] = $3; n = NR; next }
	{ for (i = 1; i < n && $1 > until[i]; i++) ; if ($3 > anon[i]) anon[i] = $3; if ($4 > high[i]) high[i] = $4 }
	END {
		print "  schemas    ms/schema   anonymous MB   highest resident MB of one server process"
		for (i = 1; i <= n; i++) {
			printf "  %7d %12.2f %14.1f %21.1f\n", total += of[i], 1000 * (until[i] - first) / of[i], anon[i] / 1024, high[i] / 1024
			first = until[i]
		}
	}' "$WORK/thousands" "$WORK/samples"
