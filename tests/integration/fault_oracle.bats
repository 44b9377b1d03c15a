#!/usr/bin/env bats
# The oracle of tests/fault is one that sees: each of its ten points is violated here once, by hand.

bats_require_minimum_version 1.5.0
load ../fault/scenario

setup_file() {
	scenario_start
	# The reference run stands; its bundle is what a test begins with.
	cp -r "$FAULT_DIR/project" "$FAULT_DIR/state" "$BATS_FILE_TMPDIR"
	trap - EXIT
	export FAULT_DIR CANARY ORACLE_RECORDS
}
teardown_file() { scenario_stop; }

setup() {
	cd "$FAULT_DIR/project"
	SCENARIO_RUN=(pgdocket-apply run s.docket --trust "$FAULT_DIR/trust" --state "$FAULT_DIR/state" --yes)
	scenario_reset
	scenario_run
}

finds() {
	run "${@:2}"
	has "$1"
}

@test "nothing is wrong behind a run without a fault" {
	run oracle_check 0
	[ -z "$output" ]
	run oracle_end
	[ -z "$output" ]
}

@test "I1: an effect that is there twice, and one that no segment makes" {
	sql "INSERT INTO tenant_2.orders VALUES (3), (77)"
	finds "I1 tenant_2 segment 2: row orders 3 is there 2 times" oracle_check 0
	has "I1 tenant_2.orders holds 77"
}

@test "I2: an effect without its row, a row without its effect" {
	sql "ALTER TABLE pgdocket.applied DISABLE TRIGGER ALL; ALTER TABLE pgdocket.finished DISABLE TRIGGER ALL;
		DELETE FROM pgdocket.finished WHERE segment = 3; DELETE FROM pgdocket.applied WHERE segment = 3;
		ALTER TABLE pgdocket.applied ENABLE TRIGGER ALL; ALTER TABLE pgdocket.finished ENABLE TRIGGER ALL; DROP TABLE tenant_1.b"
	finds "I2 tenant_3 segment 3: relation c  is there, the ledger says not finished" oracle_check 0
	has "I2 tenant_1 segment 2: relation b  is not there"
	has "I6 bundle has a record, the ledger not"
}

@test "I3: half a pair of rows" {
	sql "ALTER TABLE pgdocket.applied DISABLE TRIGGER ALL; ALTER TABLE pgdocket.finished DISABLE TRIGGER ALL;
		DELETE FROM pgdocket.finished WHERE segment = 2; DELETE FROM pgdocket.applied WHERE segment = 1;
		ALTER TABLE pgdocket.applied ENABLE TRIGGER ALL; ALTER TABLE pgdocket.finished ENABLE TRIGGER ALL"
	finds "I3 tenant_1 segment 2: applied, not finished" oracle_check 0
	has "segment 1: finished, not applied"
}

@test "I4: an invalid index" {
	sql "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tenant_1.orders_id_idx'::regclass"
	run oracle_check 0
	sql "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'tenant_1.orders_id_idx'::regclass"
	has "I4 invalid index tenant_1.orders_id_idx"
}

@test "I5: a lock or a session that stays" {
	psql -Xq -c "SELECT pg_advisory_lock(1), pg_sleep(4)" >/dev/null &
	PGAPPNAME=pgdocket/12345678/1 psql -Xq -c "SELECT pg_sleep(4)" >/dev/null &
	sleep 0.5
	oracle_server
	ORACLE_PATIENCE=2 finds "I5 sessions, advisory locks, prepared transactions are left: left|1|1|0" oracle_gone
	wait
}

@test "I6: a bundle that is damaged, has a sibling, or is gone" {
	touch s.docket-journal
	printf 'xxxx' | dd of=s.docket bs=1 seek=20000 conv=notrunc status=none
	finds "I6 s.docket-journal was left" oracle_check 0
	has "I6 audit"
	rm s.docket
	finds "I6 there is no s.docket" oracle_check 0
}

@test "I7: exit codes that are none, a kill that nobody wanted, no reason" {
	finds "I7 exit code 70" oracle_check 70
	finds "I7 exit code 137" oracle_check 137
	run oracle_check 137 killed
	[ -z "$output" ]
	finds "I7 exit 4, but not one line that says why" oracle_check 4
}

@test "I8: another shape, a ledger without a segment, a bundle without a record" {
	sql "CREATE TABLE tenant_1.b2 (id int)"
	finds "I8 other shapes" oracle_end
	sql "DROP TABLE tenant_1.b2"
	cp received.docket s.docket
	rm -r "$FAULT_DIR/state"
	run pgdocket-apply run s.docket --trust "$FAULT_DIR/trust" --state "$FAULT_DIR/state" --yes
	exits 0
	run oracle_end
	[ -z "$output" ]
	oracle_server
	cp received.docket s.docket
	oracle_files >"$FAULT_DIR/records"
	rm -r "$FAULT_DIR/state"
	oracle_files >"$FAULT_DIR/records"
	finds "I8 the bundle has no record of" oracle_compare end
}

@test "I9, I10: a stray file, the password in a file, the received file changed" {
	touch stray
	echo "$CANARY" >>"$FAULT_DIR/talk"
	finds "I9 stray was made" oracle_check 0
	has "I9 the password"
	rm stray
	cp s.docket received.docket
	run oracle_check 0
	cp "$FAULT_DIR/received" received.docket
	has "I10"
}
