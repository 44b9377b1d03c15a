#!/bin/bash
# How long a run keeps readers waiting (L04): a reader asks for a tenant's table every 20 ms while someone else holds a lock on it,
# and a run wants to alter it. Prints the longest time that one question took, and what is allowed: lock_timeout + 100 ms.
#
#     HOLD=6 LOCK_TIMEOUT=200 ROUNDS=5 tests/fault/reader.bash
set -u
LOCK_TIMEOUT=${LOCK_TIMEOUT:-200}
. "$(dirname "$0")/scenario.bash"

# One question after the other, each in a transaction of its own; the longest in milliseconds.
reader_sql() {
	cat <<-SQL
		DO \$\$
		DECLARE
		  began timestamptz;
		  until timestamptz := clock_timestamp() + interval '$1 s';
		  longest interval := '0';
		  n int := 0;
		BEGIN
		  WHILE clock_timestamp() < until LOOP
		    began := clock_timestamp();
		    PERFORM count(*) FROM tenant_1.campaigns;
		    longest := greatest(longest, clock_timestamp() - began);
		    n := n + 1;
		    COMMIT;
		    PERFORM pg_sleep(0.02);
		    COMMIT;
		  END LOOP;
		  RAISE INFO 'longest % ms of % reads', round(EXTRACT(epoch FROM longest) * 1000), n;
		END \$\$
	SQL
}

hold=${HOLD:-6}
scenario_start
sed -i "s/^lock_timeout = .*/lock_timeout = ${LOCK_TIMEOUT}ms/" pgdocket.conf
scenario_reset
scenario_plan
worst=0
for ((round = 1; round <= ${ROUNDS:-5}; round++)); do
	scenario_reset
	psql -Xq -c "BEGIN; SELECT FROM tenant_1.campaigns; SELECT pg_sleep($hold)" >/dev/null &
	reader_sql $((hold + 1)) | psql -Xq -f - >"$FAULT_DIR/reader" 2>&1 &
	reader=$!
	sleep 0.5
	scenario_run || { cat "$FAULT_DIR/talk"; exit 1; }
	wait $reader
	longest=$(grep -oE 'longest [0-9]+' "$FAULT_DIR/reader" | cut -d ' ' -f 2)
	echo "round $round: $(grep -o 'longest.*' "$FAULT_DIR/reader"), $(sqlite3 s.docket "SELECT count(*) FROM receipt WHERE CAST(body AS TEXT) LIKE '%type: retry%'") tries gave up on the lock"
	[ "$longest" -le $worst ] || worst=$longest
done
echo "reader: longest $worst ms, allowed $((LOCK_TIMEOUT + 100)) ms"
[ $worst -le $((LOCK_TIMEOUT + 100)) ]
