#!/bin/bash
# The server's side, at moments spread over a whole run: immediate restarts (C07), a backend killed with -9 (C08), sessions
# terminated and cancelled, workers' and the control connection's (N06); and the applier's: signals once and twice, hang-ups,
# a stop of two seconds (C05). POINTS moments of each. Ends with "points=N violations=M".
set -u
schedules=
for ((i = 0; i < ${POINTS:-50}; i++)); do
	at=$((i * 800 / ${POINTS:-50}))
	schedules+="2 restart:$at
$((i % 3 + 1)) crash:$((i % 4)):$at
2 end:terminate:0:$at
3 end:terminate:$((i % 3 + 1)):$at
2 end:cancel:$((i % 3)):$at
2 signal:INT:$at
2 twice:TERM:$at:$((i * 5))
2 signal:HUP:$at
2 stop:$at:2000
"
done
SCHEDULE=${schedules%$'\n'} exec "$(dirname "$0")/sweep_schedules.bash"
