#!/bin/bash
# Random schedules: each is drawn from a seed of its own, and is one to three runs of the same plan with one or two faults in
# each, the later ones during recovery from the earlier ones. The oracle looks behind every run, and at the end.
#
#     SCHEDULES=200 SEED=1 sweep_schedules.bash      seeds SEED, SEED + 1, ...; SCHEDULES=0: without end
#     SCHEDULE="3 kill:120 | 1 restart:80" ...       this one alone, as a violation prints it: jobs, then faults as below;
#                                                    or several, one a line
#
# Times are in milliseconds. Seeds choose everything but the moments at which processes happen to be where they are.
set -u
. "$(dirname "$0")/scenario.bash"
. "$FAULT/net.bash"

SEED=${SEED:-$((($(date +%s) % 100000) * 1000))}
SCHEDULES=${SCHEDULES:-200}
# What is committed must survive an immediate stop of the server, though not of the machine.
PG_SETTINGS='synchronous_commit = on'

# --- faults: fault_NAME ARGUMENT..., in the background beside a run whose process id is $APPLIER ---

fault_net() { :; } # taken up by start_run: DIRECTION PLACE=ACTION, at so many thousandths of a whole run's messages
fault_fsize() { :; } # likewise: file sizes limited to so many blocks of 512 bytes
fault_kill() { sleep "$(seconds "$1")"; kill -9 "$APPLIER"; }
fault_stop() { sleep "$(seconds "$1")"; kill -STOP "$APPLIER" && sleep "$(seconds "$2")"; kill -CONT "$APPLIER"; }
fault_signal() { sleep "$(seconds "$2")"; kill "-$1" "$APPLIER"; }
fault_twice() { sleep "$(seconds "$2")"; kill "-$1" "$APPLIER" && sleep "$(seconds "$3")" && kill "-$1" "$APPLIER"; }
fault_end() { sleep "$(seconds "$3")"; backend "$1" "$2"; }
fault_crash() { sleep "$(seconds "$2")"; kill -9 $(sql "SELECT pid FROM pg_stat_activity WHERE application_name ~ '^pgdocket/.*/$1\$' LIMIT 1"); }
fault_restart() { sleep "$(seconds "$1")"; restart; }
fault_lock() {
	sleep "$(seconds "$3")"
	psql -Xq -c "BEGIN; LOCK TABLE $1 IN $(tr _ ' ' <<<"$2") MODE; SELECT pg_sleep($(seconds "$4"))"
}
fault_second() {
	sleep "$(seconds "$2")"
	local state=$FAULT_DIR/state
	[ "$1" = same ] || state=$FAULT_DIR/state2
	pgdocket-apply run s.docket --trust "$FAULT_DIR/trust" --state "$state" --yes --lock-wait 2s >/dev/null 2>"$FAULT_DIR/talk2"
	local status=$?
	case $status in 0 | 1 | 4) ;; *) echo "I7 the second applier: exit $status: $(tail -n 2 "$FAULT_DIR/talk2" | head -n 1)" >>"$FAULT_DIR/found" ;; esac
}
fault_forget() { :; } # the run begins with the bundle as received and without a state directory

seconds() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }

# terminate or cancel a session of ours: 0 is the control connection.
backend() {
	sql "SELECT pg_$1_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^pgdocket/.*/$2\$'"
}

restart() {
	(cd "$PGD_DIR" && pg_as_owner "$PGBIN/pg_ctl" -D "$PGD_DIR/data" -m immediate -w restart -l "$PGD_DIR/log")
}

# --- drawing ---

draw() { # N: 0 to N - 1 in $R. Not for a subshell: the sequence would not go on.
	R=$(((RANDOM << 15 | RANDOM) % $1))
}

draw_one() {
	local a b
	draw 900
	a=$R
	draw 300
	b=$R
	draw 100
	case $R in
	[0-9] | 1[0-9] | 2[0-9])
		local direction=client action
		[ $((R % 2)) = 0 ] || direction=server
		draw 5
		action=$(set -- cut fin orphan stall dup; shift $R; echo "$1")
		draw 1000
		FAULT_DRAWN=net:$direction:$R=$action ;;
	3[0-9] | 4[0-4]) FAULT_DRAWN=kill:$a ;;
	4[5-9]) FAULT_DRAWN=stop:$a:$b ;;
	5[0-4]) FAULT_DRAWN=signal:$([ $((b % 2)) = 0 ] && echo INT || echo TERM):$a ;;
	5[5-9]) FAULT_DRAWN=twice:$([ $((b % 2)) = 0 ] && echo INT || echo TERM):$a:$((b / 2)) ;;
	6[0-9]) FAULT_DRAWN=end:$([ $((b % 3)) = 0 ] && echo cancel || echo terminate):$((b % 5)):$a ;;
	7[0-2]) FAULT_DRAWN=crash:$((b % 5)):$a ;;
	7[3-7]) FAULT_DRAWN=restart:$a ;;
	7[89] | 8[0-6])
		local table mode
		table=$(set -- tenant_1.campaigns tenant_2.orders tenant_3.schema_migrations public.schema_migrations tenant_2.campaigns
			shift $((a % 5)); echo "$1")
		mode=$(set -- ACCESS_SHARE ROW_EXCLUSIVE SHARE ACCESS_EXCLUSIVE; shift $((b % 4)); echo "$1")
		FAULT_DRAWN=lock:$table:$mode:$((a / 5)):$((b * 3)) ;;
	8[7-9] | 9[0-3]) FAULT_DRAWN=second:$([ $((b % 2)) = 0 ] && echo same || echo other):$a ;;
	9[4-6]) FAULT_DRAWN=fsize:$((b + 20)) ;;
	*) FAULT_DRAWN=forget ;;
	esac
}

draw_schedule() { # SEED
	local runs faults r f
	RANDOM=$1
	SCHEDULE=
	draw 6
	runs=$((R < 3 ? 1 : R < 5 ? 2 : 3))
	for ((r = 0; r < runs; r++)); do
		draw 4
		SCHEDULE+="${SCHEDULE:+ | }$((R + 1))"
		draw 3
		faults=$((R == 0 ? 2 : 1))
		for ((f = 0; f < faults; f++)); do
			draw_one
			SCHEDULE+=" $FAULT_DRAWN"
		done
	done
}

# --- running ---

at_message() { echo "$1:$(($2 * ${3%=*} / 1000 + 1))=${3#*=}"; }

# Starts the applier as the faults of this run want it; its process is $APPLIER.
start_run() {
	local jobs=$1 fault net=() host=() limit=unlimited
	shift
	for fault; do
		case $fault in
		net:client:*) net+=("$(at_message client $CLIENTS "${fault#net:client:}")") ;;
		net:server:*) net+=("$(at_message server $SERVERS "${fault#net:server:}")") ;;
		fsize:*) limit=${fault#fsize:} ;;
		forget) rm -rf "$FAULT_DIR/state"; cp received.docket s.docket.new && mv s.docket.new s.docket ;;
		esac
	done
	if [ ${#net[@]} -gt 0 ]; then
		net_start --pause-ms 150 "${net[@]}"
		host=(-h "$FAULT_DIR/net")
	fi
	(
		ulimit -f "$limit"
		exec env --default-signal=INT,PIPE "${SCENARIO_RUN[@]}" -j "$jobs" ${host[@]+"${host[@]}"}
	) >"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null &
	APPLIER=$!
}

await_server() {
	local try
	for ((try = 0; try < 300; try++)); do
		psql -Xqc "SELECT" >/dev/null 2>&1 && return
		sleep 0.05
	done
}

# one_run JOBS FAULT...: leaves the exit code in $STATUS, and whether a kill was wanted in $KILLED.
one_run() {
	local fault injectors=()
	KILLED=
	start_run "$@"
	for fault in "${@:2}"; do
		IFS=: read -ra words <<<"$fault"
		(fault_"${words[0]}" "${words[@]:1}") >/dev/null 2>&1 &
		injectors+=($!)
		case $fault in
		kill:* | signal:* | twice:*) KILLED=killed ;;
		net:*=dup) KILLED=${KILLED:-lied} ;;
		esac
	done
	STATUS=0
	wait "$APPLIER" 2>/dev/null || STATUS=$?
	wait "${injectors[@]}" 2>/dev/null
	net_stop
	await_server
}

run_schedule() { # LABEL
	local runs run rest found
	rm -f "$FAULT_DIR/found"
	scenario_reset || { echo "$1: the reset failed" >&2; exit 1; }
	rm -rf "$FAULT_DIR/state2"
	rest="$SCHEDULE | "
	while [ -n "$rest" ]; do
		run=${rest%% | *}
		rest=${rest#* | }
		one_run $run
		[ -z "$rest" ] || oracle_check $STATUS "$KILLED" >>"$FAULT_DIR/found"
	done
	ORACLE_FOUND=$(cat "$FAULT_DIR/found" 2>/dev/null) oracle_point "$1: SCHEDULE=\"$SCHEDULE\"" $STATUS "$KILLED"
}

scenario_start ${SCENARIO-shared native}
scenario_reset
net_start
net_run -j 3 || exit 1
net_stop
CLIENTS=$(net_count client) SERVERS=$(net_count server)
if [ -n "${SCHEDULE:-}" ]; then
	n=0
	while IFS= read -r SCHEDULE; do
		n=$((n + 1))
		! mine $((n * STEP)) || run_schedule given
	done <<<"$SCHEDULE"
else
	[ "${SHARE%/*}" != 0 ] || echo "seeds from $SEED"
	for ((n = 0; SCHEDULES == 0 || n < SCHEDULES; n++)); do
		mine $((n * STEP)) || continue
		draw_schedule $((SEED + n))
		[ -z "${VERBOSE:-}" ] || echo "$((SEED + n)) $SCHEDULE"
		run_schedule "SEED=$((SEED + n)) SCHEDULES=1"
	done
fi
oracle_summary
