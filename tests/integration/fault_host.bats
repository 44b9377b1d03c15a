#!/usr/bin/env bats
# The catalogue of faults, groups C and R: what the host of a run does to it. The sweeps over every system call are in tests/fault;
# here is a sample of them, and what needs its own arrangement.

bats_require_minimum_version 1.5.0
load server
load plan
load apply
load fault

setup_file() { pg_start; }
teardown_file() { pg_stop; }
teardown() {
	if [ -n "${MOUNTED:-}" ]; then umount "$MOUNTED"; fi
	[ -z "${FAULT_DATABASE:-}" ] || oracle
}

# mounted DIR OPTIONS: a file system of its own there, or the test is skipped.
mounted() {
	mkdir -p "$1"
	mount -t tmpfs -o "$2" tmpfs "$1" 2>/dev/null || skip "no file system may be mounted here"
	MOUNTED=$1
}

RUN() { echo "pgdocket-apply run s.docket --trust $BATS_TEST_TMPDIR/trust --state $BATS_TEST_TMPDIR/state --yes"; }

@test "C06 stdout and stderr closed, a reader that has gone, a device that is full: the run is done all the same" {
	fault_new c06 2
	for way in '>&- 2>&-' '<&- >&- 2>&-' '2>&1 | true' '>/dev/full 2>/dev/full' '--json >/dev/full'; do
		apply_plan
		rm -rf "$BATS_TEST_TMPDIR/state"
		bash -c "$(RUN) $way" || true
		every_tenant 3 2
		audited 0
		apply_plan --revert 2
		apply -q
	done
}

@test "C06 a pipe that is full holds the run up, and no longer than it is full" {
	fault_new c06full 2
	apply_plan
	mkfifo pipe
	(exec <pipe; sleep 1; cat >drained) &
	{ head -c 65536 /dev/zero; apply --json; } >pipe
	wait
	every_tenant 3 2
	audited 0
}

@test "C05 SIGHUP, as when a terminal goes: what runs is finished, exit 6; SIGPIPE ends nothing" {
	APPLY_PAUSE=0.2 fault_new c05 6
	APPLY_PAUSE=0.2 apply_hold
	perl -e '$SIG{HUP} = "DEFAULT"; exec @ARGV' $(RUN) -j 1 >out 2>&1 &
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 1 ]; do sleep 0.02; done
	kill -PIPE $!
	kill -HUP $!
	status=0
	wait $! || status=$?
	output=$(cat out)
	exits 6
	has SIGHUP
	run apply
	exits 0
	every_tenant 3 2
	audited 0
}

# A third migration that takes its time.
apply_hold() {
	third "CREATE TABLE b (id int REFERENCES a);
SELECT pg_sleep($APPLY_PAUSE);"
	apply_plan
}

@test "C10 records and bundle are lost behind a crash: the original bundle gets them from the ledger" {
	fault_new c10 3
	apply_plan
	for ((n = 20; $(sql "SELECT count(*) FROM pgdocket.finished") == 0; n += 4)); do
		strace -qq -o /dev/null -e trace=sendto -e inject=sendto:signal=SIGKILL:when=$n $(RUN) -j 1 >out 2>&1 || true
		rm -rf "$BATS_TEST_TMPDIR/state" s.docket
		cp received.docket s.docket
	done
	run apply
	exits 0
	every_tenant 3 2
	audited 0
	has "taken from the ledger"
}

@test "R01 the bundle's own disk is full: applied, kept in the working copy, written back by the same command" {
	fault_new r01 2
	apply_plan
	mounted "$PWD/small" size=1m
	local step full
	for full in $(seq 700 ${R01_STEP:-80} 1000); do
		rm -rf "$BATS_TEST_TMPDIR/state" small/*
		apply_plan
		cp s.docket small/
		head -c "${full}k" /dev/zero >small/ballast 2>/dev/null || true
		status=0
		output=$(cd small && $(RUN) 2>&1) || status=$?
		case $status in
		0) ;;
		4) has "s.docket"; has "the results stay in"; has "full" ;;
		*) exits 1; has "s.docket" ;;
		esac
		cmp -s s.docket small/s.docket || [ $status = 0 ]
		rm small/ballast
		(cd small && $(RUN) >/dev/null 2>&1)
		every_tenant 3 2
		cp small/s.docket s.docket
		audited 0
		apply_plan --revert 2
		apply -q
	done
}

@test "R02 a limit on the size of files is an error like a full disk, and no death" {
	fault_new r02 2
	apply_plan
	for limit in 0 4 16 48 64 72 80 100; do
		run bash -c "ulimit -f $limit; exec $(RUN)"
		[ "$status" = 0 ] || [ "$status" = 1 ] || [ "$status" = 4 ]
		[ "$status" = 0 ] || has "pgdocket-apply: "
		[ "$(sqlite3 s.docket 'PRAGMA integrity_check')" = ok ]
	done
	run apply
	exits 0
	every_tenant 3 2
	audited 0
}

@test "R05 the server's disk is full: the run stops, and goes on when there is room" {
	fault_new r05 2
	mounted "$PGD_DIR/small" size=4m
	chown postgres: "$PGD_DIR/small"
	sql "CREATE TABLESPACE small LOCATION '$PGD_DIR/small'"
	third "CREATE TABLE b (id int) TABLESPACE small;
INSERT INTO b SELECT generate_series(1, 200000);"
	apply_plan
	run apply -j 1
	exits 1
	has "No space left"
	mount -o remount,size=100m "$PGD_DIR/small"
	run apply
	exits 0
	every_tenant 3 2
	sql "DROP TABLE tenant_1.b, tenant_2.b"
	sql "DROP TABLESPACE small"
}

@test "R08 few descriptors, no HOME, no stdin, a careless umask: files are the owner's alone" {
	fault_new r08 2
	apply_plan
	run bash -c "ulimit -n 8; exec $(RUN)"
	[ "$status" = 0 ] || [ "$status" = 1 ]
	run env -u HOME bash -c "umask 000; exec $(RUN) <&-"
	exits 0
	every_tenant 3 2
	[ -z "$(find "$BATS_TEST_TMPDIR/state" -type f ! -perm 0600)" ]
	[ -z "$(find "$BATS_TEST_TMPDIR/state" -type d ! -perm 0700)" ]
	audited 0
}

@test "R09 a state directory that cannot be written" {
	fault_new r09 1
	apply_plan
	mounted "$BATS_TEST_TMPDIR/state" ro
	run apply
	exits 1
	has "$BATS_TEST_TMPDIR/state"
	every_tenant 1 0
}

@test "R10 what the environment may not decide, and what it may" {
	fault_new r10 2
	apply_plan
	printf '[other]\nhost=/nowhere\n' >services
	PGOPTIONS="-c default_transaction_read_only=on -c search_path=public" GCONV_PATH=/nowhere OPENSSL_MODULES=/nowhere \
		PGSERVICEFILE=$PWD/services run apply
	exits 0
	every_tenant 3 2
	audited 0
	PGHOST=/nowhere run apply
	exits 1
}

@test "R12 no core is written, and nobody of the same user looks in" {
	fault_new r12 1
	apply_plan
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o calls -e trace=prctl,openat,execve $(RUN) >out 2>&1
	# Before the host's key is read.
	sed -n '1,/host_key.pem/p' calls | grep -q 'prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE'
	! grep -c execve calls | grep -qv '^1$'
}

@test "R15 language, time zone: the same plan and the same records" {
	fault_new r15 1
	snapshot
	documents() { pgdocket plan -q s.docket --scope tenant >/dev/null && pgdocket show s.docket --json | jq -S .document | sha256sum; }
	cp s.docket fresh
	first=$(LC_ALL=C TZ=UTC documents)
	cp fresh s.docket
	[ "$(LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 TZ=Pacific/Kiritimati documents)" = "$first" ]
	apply_plan
	LC_ALL=tr_TR.UTF-8 TZ=Pacific/Kiritimati run apply
	exits 0
	every_tenant 3 2
	run bash -c "TZ=Pacific/Kiritimati LC_ALL=de_DE.UTF-8 pgdocket audit s.docket --trust $BATS_TEST_TMPDIR/trust | sha256sum"
	other=$output
	run bash -c "TZ=UTC LC_ALL=C pgdocket audit s.docket --trust $BATS_TEST_TMPDIR/trust | sha256sum"
	[ "$output" = "$other" ]
}

@test "C01 to C04, R03: a sample of the sweep over every system call" {
	# As it is given to people: the sanitizers make calls of their own.
	PGDOCKET_BIN=${PGDOCKET_RELEASE:-$PGDOCKET_BIN} KINDS="kill EIO ENOSPC EINTR forever again" STEP=${CALLS_STEP:-240} run "$ROOT/tests/fault/sweep_calls.bash"
	exits 0
	has "violations=0"
}

@test "C01, C02, L02: a sample of the named points, and pairs of runs that only the ledger's keys keep apart" {
	[ -x "${PGDOCKET_FAULT:-}/pgdocket-apply" ] || skip "no applier with failpoints: make check builds one"
	NAMES="sent committed alone record" TIMES=1 run "$ROOT/tests/fault/sweep_points.bash"
	exits 0
	has "violations=0"
	PAIRS=3 run "$ROOT/tests/fault/sweep_pairs.bash"
	exits 0
	has "points=3 violations=0"
}
