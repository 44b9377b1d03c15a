#!/usr/bin/env bats
# The catalogue of faults, P29 to P32: what is sent alone is cut off in each of its phases. Each case has a tenant and a wave of
# its own, so that one plan serves them all.

bats_require_minimum_version 1.5.0
load server
load plan
load apply
load fault

setup_file() { pg_start; }
teardown_file() { pg_stop; }
teardown() {
	let_go 8 && let_go 9
	oracle
}

# hold FD SQL: a session that has run this and keeps its transaction, idle, until let_go.
hold() {
	local name=holder$1
	eval "exec $1> >(PGAPPNAME=$name exec psql -Xq 3>&- 8>&- 9>&- >/dev/null 2>&1)"
	printf '%s;\n' "${3:-BEGIN}" "$2" >&"$1"
	for try in $(seq 100); do
		[ "$(sql "SELECT state FROM pg_stat_activity WHERE application_name = '$name'")" != "idle in transaction" ] || return 0
		sleep 0.05
	done
	echo "$2 does not get its lock"
	return 1
}
let_go() {
	eval "exec $1>&-"
	for try in $(seq 200); do
		[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder$1'")" != 0 ] || return 0
		sleep 0.02
	done
	echo "a holder stays"
	return 1
}

# waves_new NAME N UP: N tenants, a wave each, migration 3 with this text.
waves_new() {
	local i
	fault_new "$1" "$2" "$3"
	sed -i 's/^only = campaigns.*/&, made_idx/' pgdocket.conf
	for ((i = 1; i <= $2; i++)); do printf '[wave w%d]\nschemas = tenant_%d\n' $i $i; done >>pgdocket.conf
	printf '[plan]\nlock_timeout = 200ms\n' >>pgdocket.conf
	apply_plan
}

# phase TENANT PHASE: bring the wave's run, already started, to this phase of its build and keep it there.
# lock: before anything is in the catalog; writers: an invalid index is there; snapshots: it is ready, and not valid.
phase_hold() {
	case $2 in
	lock) hold 8 "LOCK TABLE $1.campaigns IN SHARE UPDATE EXCLUSIVE MODE" ;;
	writers | snapshots) hold 8 "INSERT INTO $1.campaigns VALUES (7, 'w')" ;;
	esac
}
phase_reach() {
	case $2 in
	lock) seen "wait_event_type = 'Lock'" ;;
	writers) seen "wait_event = 'virtualxid'" ;;
	snapshots)
		seen "wait_event = 'virtualxid'"
		hold 9 "SELECT count(*) FROM $1.campaigns" "BEGIN ISOLATION LEVEL REPEATABLE READ"
		let_go 8
		for try in $(seq 200); do
			[ "$(sql "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'")" = 0 ] || return 0
			sleep 0.02
		done
		return 1
		;;
	esac
}

# seen CONDITION: a worker of ours is at CREATE or REINDEX, and this holds of its pg_stat_activity.
AT_WORK="application_name LIKE 'pgdocket/%' AND query ~ 'CONCURRENTLY'"
seen() {
	for try in $(seq 200); do
		[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE $AT_WORK AND $1")" = 0 ] || return 0
		sleep 0.02
	done
	cat out
	sql "SELECT application_name, state, wait_event_type, wait_event, query FROM pg_stat_activity WHERE application_name <> ''"
	return 1
}

# in_background WAVE: the run of that wave; $RUN is it.
in_background() {
	pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes --wave "$1" >out 2>&1 3>&- 8>&- 9>&- &
	RUN=$!
}

act() {
	case $1 in
	kill) kill -9 $RUN ;;
	terminate) sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $AT_WORK" >/dev/null ;;
	cancel) sql "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE $AT_WORK" >/dev/null ;;
	esac
}

# One valid index of this name in the tenant, and nothing else that CONCURRENTLY leaves.
one_valid() {
	[ "$(sql "SELECT string_agg(c.relname || i.indisvalid || i.indisready, ' ') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = '$1.campaigns'::regclass AND NOT i.indisprimary AND c.relname LIKE '$2%'")" = "${2}truetrue" ] ||
		{ sql "SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = '$1.campaigns'::regclass"; return 1; }
}

# cut_off INDEX: every action in every phase, a wave each.
cut_off() {
	local i=0 phase action
	for phase in lock writers snapshots; do
		for action in kill terminate cancel; do
			i=$((i + 1))
			phase_hold tenant_$i $phase
			in_background w$i
			phase_reach tenant_$i $phase
			act $action
			if [ $action = kill ]; then
				wait $RUN || true
				in_background w$i
				sleep 0.1
			fi
			let_go 8
			let_go 9
			code=0
			wait $RUN || code=$?
			echo "$phase $action: $code $(tail -n 3 out)" >>"$BATS_TEST_TMPDIR/told"
			[ $code = 0 ] || [ $code = 4 ] || { cat out; return 1; }
			run apply --wave w$i
			exits $((i < 9 ? 4 : 0))
			one_valid tenant_$i "$1" || { cat "$BATS_TEST_TMPDIR/told"; return 1; }
		done
	done
	run apply
	exits 0
}

@test "P29 P32 CREATE INDEX CONCURRENTLY killed, terminated and cancelled in each phase: one valid index in the end" {
	ORACLE_MENDED=yes
	waves_new p29 9 "CREATE INDEX CONCURRENTLY made_idx ON campaigns (status);"
	cut_off made_idx
	every_tenant 3 2
	audited 0
}

@test "P31 REINDEX INDEX CONCURRENTLY cut off in the same way: nothing named _ccnew or _ccold is left" {
	ORACLE_MENDED=yes
	waves_new p31 9 "REINDEX INDEX CONCURRENTLY campaigns_status_idx;"
	cut_off campaigns_status_idx
	every_tenant 3 2
	audited 0
}
