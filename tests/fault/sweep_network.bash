#!/bin/bash
# What networks and servers do besides cutting: answers of COMMIT lost, connections held half open, slow and dribbling lines,
# servers that lie about the protocol or about what they ran (N03, N04, N05, N10, N11). Each case says with which exit codes
# the run may end, and within how many seconds; memory may grow by 64 MiB at most, but where a message itself is larger.
# CASES="lost held" chooses. Ends with "points=N violations=M".
set -u
. "$(dirname "$0")/scenario.bash"
. "$FAULT/net.bash"
# A short time for a statement, so that silence is noticed soon.
PLAN_SETTINGS='statement_timeout = 1s'
PG_SETTINGS='synchronous_commit = on'

point=0
# try LABEL EXITS SECONDS MEGABYTES [proxy option|rule...]
try() {
	local status=0 used seconds found=
	point=$((point + 1))
	mine $point || return 0
	scenario_reset
	net_start "${@:5}"
	command time -o "$FAULT_DIR/used" -f '%M %e' "${SCENARIO_RUN[@]}" -h "$FAULT_DIR/net" -j 2 \
		>"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null || status=$?
	net_stop
	read -r used seconds <<<"$(tail -n 1 "$FAULT_DIR/used")"
	[ -z "${VERBOSE:-}" ] || echo "$1: exit $status, $((used / 1024)) MiB, $seconds s; $(tail -n 2 "$FAULT_DIR/talk" | head -n 1)"
	[[ " $2 " == *" $status "* ]] || found+="exit $status, expected $2: $(tail -n 2 "$FAULT_DIR/talk")"$'\n'
	[ "${seconds%.*}" -le "$3" ] || found+="it took $seconds s, allowed are $3"$'\n'
	[ $((used / 1024)) -le $((BASE + $4)) ] || found+="$((used / 1024)) MiB, without a fault $BASE"$'\n'
	ORACLE_FOUND=$found oracle_point "$1: ${*:5}" $status
}

# N03: the answer of COMMIT is lost (A), COMMIT is lost while the server's side stays open (B), both sides end before COMMIT (C).
cases_commit() {
	local n
	for n in 1 4 7 12; do
		try "N03 A, commit $n" 0 30 64 "server:COMMIT\$#$n=fin"
		try "N03 B, commit $n, the server's side open for 2 s" "0 4" 60 64 --pause-ms 2000 "client:COMMIT\$#$n=orphan"
		try "N03 C, commit $n" 0 30 64 "client:COMMIT\$#$n=fin"
	done
	try "N03 B, the server's side open until it gives up" "0 4" 100 64 'client:COMMIT$#5=orphan'
}

# N04
cases_slow() {
	try "a byte every 100 us" 0 200 64 --dribble-us 100
	try "100 ms in each direction" 0 200 64 --delay-ms 100
	try "a message that comes 5 s late" "0 4" 60 64 --pause-ms 5000 server:COMMIT\$#5=stall
	try "an answer that comes 5 s late" "0 4" 60 64 --pause-ms 5000 server:700=stall
}

# N05: a black hole, in front of each kind of work: connecting, control, a worker, the guards, a statement, COMMIT.
cases_held() {
	local k
	for k in 1 2 30 60 100 160 230 400 500 700 900; do
		try "N05 held at message $k" "0 1 4" 90 64 "client:$k=hold"
		try "N05 held at answer $k" "0 1 4" 90 64 "server:$k=hold"
	done
	try "N05 during a statement" "0 4" 90 64 "client:CREATE TABLE b#2=hold"
	try "N05 at COMMIT" "0 4" 90 64 'client:COMMIT$#6=hold'
}

# N10: at the greeting, among the server's parameters, in the first answer, in a worker's.
cases_lies() {
	local lie
	for lie in auth nul-parameter negative short garbage copy; do
		for k in 1 3 30 700; do try "N10 $lie" "0 1 4" 100 64 server:$k=$lie; done
	done
	for lie in notices parameters; do
		for k in 3 700; do try "N10 endless $lie" "0 1 4" 100 64 server:$k=$lie; done
	done
	# libpq takes in a whole message before it can be judged: up to 1 GiB, its own limit.
	for lie in giant-error giant-notice giant-row; do
		for k in 1 700; do try "N10 $lie" "0 1 4" 90 2200 server:$k=$lie; done
	done
}

# N11: success for what was not run. Not the first of a class, whose shape nobody knows before: that is what rehearsals are for.
cases_forged() {
	try "N11 CREATE TABLE in the second tenant" 4 60 64 "client:CREATE TABLE b#2=forge=CREATE TABLE"
	try "N11 a history row" 4 60 64 "client:INSERT INTO schema_migrations#6=forge=INSERT 0 1"
	try "N11 BEGIN" "1 4" 60 64 "client:BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE#5=forge=BEGIN"
	try "N11 LOCK TABLE" "0 4" 60 64 "client:LOCK TABLE#5=forge=LOCK TABLE"
	try "N11 COMMIT" "0 4" 100 64 'client:COMMIT$#5=forge=COMMIT'
}

scenario_start ${SCENARIO-shared native}
scenario_reset
command time -o "$FAULT_DIR/used" -f %M "${SCENARIO_RUN[@]}" -j 2 >/dev/null 2>&1
BASE=$(($(cat "$FAULT_DIR/used") / 1024))
for name in ${CASES:-commit slow held lies forged}; do
	"cases_$name"
done
oracle_summary
