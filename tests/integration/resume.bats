#!/usr/bin/env bats
# Runs that are cut off: killed at random moments, interrupted, without a connection; the same command always goes on, and
# every effect is there exactly once.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }

@test "kill -9 at 20 random moments: every effect once, the chain verifies" {
	kills=0
	round=0
	while [ $kills -lt 20 ]; do
		round=$((round + 1))
		APPLY_PAUSE=0.02 apply_new "killed$round" 50
		apply_plan
		for try in $(seq 12); do
			setsid bash -c "exec pgdocket-apply run s.docket --trust $BATS_TEST_TMPDIR/trust --state $BATS_TEST_TMPDIR/state --yes" >"out.$try" 2>&1 &
			pid=$!
			sleep "0.$(printf %03d $((RANDOM % 450 + 20)))"
			if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
			wait $pid && break
			# A bundle is whole at every moment.
			[ "$(sqlite3 s.docket 'PRAGMA integrity_check')" = ok ]
		done
		run apply
		exits 0
		every_tenant 3 2
		ledger_whole 50
		audited 0
		has "50 of 50"
	done
}

@test "SIGINT: what runs is finished, nothing new begun, exit 6; the same command goes on" {
	APPLY_PAUSE=0.2 apply_new interrupted 8
	apply_plan
	# A shell without job control starts background commands with SIGINT ignored: setsid's child is given its default.
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" \
		--state "$BATS_TEST_TMPDIR/state" --yes -j 2 >out 2>&1 &
	pid=$!
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 1 ]; do sleep 0.02; done
	kill -INT $pid
	status=0
	wait $pid || status=$?
	cat out
	[ $status = 6 ]
	done=$(sql "SELECT count(*) FROM pgdocket.finished")
	[ "$done" -ge 1 ] && [ "$done" -lt 8 ]
	audited 4
	run apply
	exits 0
	every_tenant 3 2
	audited 0
}

@test "a second signal cancels what runs" {
	APPLY_PAUSE=20 apply_new cancelled 2
	apply_plan
	apply >out 2>&1 &
	sleep 0.1
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(20)%' AND application_name LIKE 'pgdocket/%'")" -ge 1 ]; do sleep 0.05; done
	pid=$(pgrep -P $$ -f 'pgdocket-apply run' || pgrep -f "state $BATS_TEST_TMPDIR/state")
	kill -TERM $pid
	sleep 0.3
	kill -TERM $pid
	status=0
	wait || true
	for i in $(seq 50); do grep -q 'pgdocket-apply:' out && break; sleep 0.1; done
	cat out
	grep -q "interrupted by SIGTERM" out
	[ "$(sql "SELECT count(*) FROM pgdocket.applied")" = 0 ]
	every_tenant 1 0
}

@test "a terminated worker: the run stops or goes on, and is whole in the end" {
	APPLY_PAUSE=0.1 apply_new terminated 10
	apply_plan
	apply >out 2>&1 &
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 2 ]; do sleep 0.02; done
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^pgdocket/.*/[1-9]' LIMIT 1" >/dev/null
	wait || true
	run apply
	exits 0
	every_tenant 3 2
	ledger_whole 10
	audited 0
}

@test "a lost control connection stops the run before its next COMMIT" {
	APPLY_PAUSE=0.1 apply_new control 10
	apply_plan
	apply -j 2 >out 2>&1 &
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 1 ]; do sleep 0.02; done
	sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^pgdocket/.*/0'" >/dev/null
	status=0
	wait $! || status=$?
	cat out
	[ $status = 4 ]
	grep -q "control connection" out
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" -lt 10 ]
	run apply
	exits 0
	every_tenant 3 2
	audited 0
}

@test "a server that is restarted in between" {
	APPLY_PAUSE=0.1 apply_new restarted 8
	apply_plan
	apply >out 2>&1 &
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 1 ]; do sleep 0.02; done
	(cd "$PGD_DIR" && pg_as_owner "$PGBIN/pg_ctl" -D "$PGD_DIR/data" -m immediate -w restart -l "$PGD_DIR/log" >/dev/null 3>&-)
	wait $! && return 1
	run apply
	exits 0
	every_tenant 3 2
	ledger_whole 8
	audited 0
}

@test "records that are lost with the state directory come back from the ledger" {
	apply_new lost 4
	apply_plan
	apply -q
	rm -r "$BATS_TEST_TMPDIR/state"
	cp received.docket s.docket
	run apply
	exits 0
	has "completed by run"
	audited 0
	has "4 of 4"
	[ "$(sql "SELECT count(*) FROM pgdocket.applied")" = 4 ]
}

@test "an expired plan goes on when it had begun, within resume-grace" {
	apply_new grace 4
	printf '[wave one]\nschemas = tenant_1\n[wave rest]\nschemas = *\n' >>pgdocket.conf
	apply_plan --expires 3s
	run apply --stop-after one
	exits 4
	sleep 3.2
	run apply
	exits 0
	every_tenant 3 2
}

@test "a rejection that came with a newer copy counts on resume" {
	apply_new vetoed 4
	printf '[wave one]\nschemas = tenant_1\n[wave rest]\nschemas = *\n' >>pgdocket.conf
	ssh-keygen -q -t ed25519 -N '' -C bob -f "$BATS_TEST_TMPDIR/bob.$$"
	pgdocket trust add "$BATS_TEST_TMPDIR/trust" --role approver --principal bob --key "$BATS_TEST_TMPDIR/bob.$$.pub" >/dev/null
	apply_plan
	apply -q --stop-after one || true
	cp s.docket with_results
	cp received.docket s.docket
	pgdocket approve -q s.docket --key "$BATS_TEST_TMPDIR/bob.$$" --principal bob --reject --comment no
	run apply
	exits 3
	cp with_results s.docket
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 1 ]
}

@test "a full disk of the state directory stops the run; the same command goes on" {
	mount -t tmpfs -o size=512k tmpfs "$BATS_TEST_TMPDIR" 2>/dev/null && umount "$BATS_TEST_TMPDIR" || skip "no tmpfs here"
	apply_new full 3
	apply_plan
	mkdir "$BATS_TEST_TMPDIR/state"
	mount -t tmpfs -o size=512k tmpfs "$BATS_TEST_TMPDIR/state"
	run apply
	umount "$BATS_TEST_TMPDIR/state"
	exits 1
	has "no room"
	every_tenant 1 0
	run apply
	exits 0
}

@test "a tenant that failed comes last when the run goes on, so that it keeps nobody out" {
	apply_new unmended 4
	migration 4 fourth "ALTER TABLE orders ADD CONSTRAINT small CHECK (id < 100);"
	sql "INSERT INTO tenant_1.orders VALUES (1000)"
	apply_plan
	run apply -j 1
	exits 1
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 0 ]
	run apply -j 1
	exits 4
	has "tenant_1: failed"
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 3 ]
	sql "DELETE FROM tenant_1.orders WHERE id = 1000"
	run apply -j 1
	exits 0
	every_tenant 4 2
}

@test "many tenants that failed keep nobody out, whatever they stand in front of" {
	apply_new unmended_many 6
	printf '[wave all]\nschemas = *\nmax_failures = 2\n' >>pgdocket.conf
	migration 4 fourth "ALTER TABLE orders ADD CONSTRAINT small CHECK (id < 100);"
	for i in 1 2 3; do sql "INSERT INTO tenant_$i.orders VALUES (1000)"; done
	apply_plan
	run apply -j 1
	exits 1
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 0 ]
	run timeout 60 pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes -j 1
	exits 4
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = 3 ]
}

@test "two runs of one plan with a working copy each: applied once, the second finds it done" {
	APPLY_PAUSE=0.3 apply_new both 3
	apply_plan
	apply -j 1 >first 2>&1 &
	first=$!
	until [ "$(sql "SELECT count(*) FROM pgdocket.finished")" -ge 1 ]; do sleep 0.05; done
	run pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state2" --yes
	exits 0
	has "nothing to do: completed by run $(sql "SELECT left(run_id, 8) FROM pgdocket.applied LIMIT 1")"
	has "the same command once more brings both together in s.docket"
	wait $first
	[ "$(sql "SELECT count(DISTINCT run_id) FROM pgdocket.applied")" = 1 ]
	every_tenant 3 2
	ledger_whole 3
	audited 0
	cp s.docket.*.results s.docket
	audited 0
	run apply --json
	exits 0
	[ "$(jq -r '.event + " " + .run' <<<"$output")" = "completed $(sql "SELECT run_id FROM pgdocket.applied LIMIT 1")" ]
}

@test "results that could not be written back: exit 4, naming where they are; the same command writes them" {
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=2m tmpfs "$BATS_TEST_TMPDIR/small" 2>/dev/null || skip "no tmpfs here"
	apply_new later 3
	apply_plan
	cp s.docket "$BATS_TEST_TMPDIR/small/s.docket"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/small/filler" bs=4k >/dev/null 2>&1 || true
	export TMPDIR=$BATS_TEST_TMPDIR
	run pgdocket-apply run "$BATS_TEST_TMPDIR/small/s.docket" --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes
	printf '%s\n' "$status" "$output" >said
	rm "$BATS_TEST_TMPDIR/small/filler"
	run pgdocket-apply run "$BATS_TEST_TMPDIR/small/s.docket" --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes
	cp "$BATS_TEST_TMPDIR/small/s.docket" s.docket
	umount "$BATS_TEST_TMPDIR/small"
	exits 0
	has "nothing to do: completed by run"
	audited 0
	output=$(cat said)
	[ "$(head -1 said)" = 4 ]
	has "the results stay in $BATS_TEST_TMPDIR/state/test-1/"
	has "run the same command again: it writes them back"
}

@test "--receipt again: results of the same plan are replaced, and take part in the next run" {
	apply_new again 3
	migration 3 third "INSERT INTO orders VALUES (3);
SELECT 1 / count(*) FROM campaigns;"
	sql "INSERT INTO tenant_1.campaigns VALUES (1, 'x')"
	apply_plan
	run apply -j 1 --receipt results.docket
	exits 4
	for i in 2 3; do sql "INSERT INTO tenant_$i.campaigns VALUES (1, 'x')"; done
	run apply --receipt results.docket
	exits 0
	cmp s.docket received.docket
	run apply --receipt results.docket
	exits 0
	has "completed by run"
	cp results.docket s.docket
	audited 0
	has "3 of 3"
}
