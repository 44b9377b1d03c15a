#!/bin/bash
# N01, N02: the connection is cut at message k of the client, then of the server, for every k of a whole run; for each k once
# behind the message (cut) and once in front of it (fin). ACTIONS="cut fin dup" for others. Ends with "points=N violations=M".
set -u
. "$(dirname "$0")/scenario.bash"
. "$FAULT/net.bash"

scenario_start ${SCENARIO-shared native}
jobs=${RUN_JOBS:-1}
scenario_reset
net_start
net_run -j "$jobs" || exit 1
net_stop
clients=$(net_count client)
servers=$(net_count server)
[ "${SHARE%/*}" != 0 ] || echo "messages of a run, -j $jobs: $clients of the client, $servers of the server"

point=0
for action in ${ACTIONS:-cut fin}; do
	for direction in client server; do
		last=$([ $direction = client ] && echo "$clients" || echo "$servers")
		for ((k = 1; k <= last; k++)); do
			point=$((point + 1))
			mine $point || continue
			scenario_reset
			net_start "$direction:$k=$action"
			status=0
			net_run -j "$jobs" || status=$?
			net_stop
			oracle_point "$direction:$k=$action, -j $jobs: $(grep "^$direction $k " "$FAULT_DIR/messages" | cut -c 1-80)" \
				$status "$([ $action != dup ] || echo lied)"
		done
	done
done
oracle_summary
