#!/usr/bin/env bats
# pgdocket audit on what real runs left in a bundle: the reports, then every way of altering it that must be noticed.

bats_require_minimum_version 1.5.0
load server

setup_file() {
	pg_start
	pg_new_database shop
	fleet_build 6
	export WORK=$BATS_FILE_TMPDIR/shop
	project_new "$WORK"
	for who in alice bob mallory; do ssh-keygen -q -t ed25519 -N '' -C $who -f "$WORK/$who"; done
	export host
	host=$(pgdocket trust init "$WORK/trust" --label test-1 | grep -o 'SHA256:[A-Za-z0-9+/]*')
	sed -i "s|^label = test-1|&\napply_host = $host|" pgdocket.conf
	pgdocket trust add "$WORK/trust" --role planner --principal alice@example.com --key alice.pub
	pgdocket trust add "$WORK/trust" --role approver --principal bob@example.com --key bob.pub
	pgdocket-apply bootstrap -q -d shop
	createdb -T shop broken
	createdb -T shop other
	make_plan shop planned
	cp planned.docket done.docket
	pgdocket-apply run -q done.docket --trust trust --state state -d shop --yes
	sql 'SELECT version FROM tenant_0001.schema_migrations' >version
}

teardown_file() { pg_stop; }

setup() {
	cd "$WORK"
	cp done.docket x.docket
}

teardown() { rm -f x.docket*; }

# make_plan DATABASE NAME [OPTION...]: a signed and approved plan in NAME.docket.
make_plan() {
	pgdocket snapshot -q --force -o "$2.docket" -d "$1"
	pgdocket plan -q "$2.docket" --ticket CHG0012345 "${@:3}" >/dev/null
	pgdocket sign -q "$2.docket" --key alice --principal alice@example.com
	pgdocket approve -q "$2.docket" --key bob --principal bob@example.com --comment 'seen it'
}

audit() { run pgdocket audit "$@" --trust trust; }
has() { [[ $output == *"$1"* ]] || { printf 'not in the output: %s\n%s\n' "$1" "$output" >&2; return 1; }; }
lacks() { [[ $output != *"$1"* ]] || { printf 'in the output: %s\n%s\n' "$1" "$output" >&2; return 1; }; }
exits() { [ "$status" = "$1" ] || { printf 'exit %s, not %s\n%s\n' "$status" "$1" "$output" >&2; return 1; }; }
alter() { sqlite3 x.docket "$1"; }

@test "a complete run: who planned, approved, ran what, with which result" {
	[ "$(cat version)" = 8 ]
	audit done.docket
	exits 0
	has "planned by  alice@example.com"
	has "approved by bob@example.com"
	has '"seen it"'
	has "ticket CHG0012345"
	has "complete; 11 segments"
	has "uid $(id -u) on $(hostname), pgdocket-apply 0.1.0"
	has "signed by $host"
	has "migrations: 7_comments 8_checks"
	has "verified and complete: 5 of 5 schemas"
}

@test "json says the same, and parses" {
	run --separate-stderr pgdocket audit done.docket --trust trust --json
	exits 0
	jq -e '.verified and .complete and .plan.ticket == "CHG0012345" and .total.done == 5 and (.runs | length) == 1
		and .runs[0].result == "complete" and ([.signatures[] | select(.verdict == "counts")] | length) == 2
		and (.schemas | map(.standing) | unique) == ["done"] and .schemas[0].done != null
		and ([.classes[].done] | add) == 5 and ([.waves[].done] | add) == 5' <<<"$output"
}

@test "one schema's records" {
	audit done.docket --schema tenant_0003
	exits 0
	has "tenant_0003 (oid "
	has "done, 3 of 3 segments"
	has "migrations: 5_priority 6_invitations 7_comments 8_checks"
	has "segment 1 done in "
	audit done.docket --schema tenant_0003 --json
	exits 0
	jq -e '.records[0].type == "segment" and (.records[0].xid | tonumber) > 0' <<<"$output"
	audit done.docket --schema nobody
	exits 2
	has 'does not have a schema "nobody"'
}

@test "what the bundle records is what the database has" {
	audit done.docket --json
	for schema in $(jq -r '.schemas[] | select(.standing == "done") | .schema' <<<"$output"); do
		[ "$(sql "SELECT version FROM $schema.schema_migrations")" = 8 ]
	done
}

@test "planned and approved, but not run: 4" {
	audit planned.docket
	exits 4
	has "verified, not run"
}

@test "not approved and not run: 4, and says so" {
	pgdocket snapshot -q --force -o x.docket -d other
	pgdocket plan -q x.docket >/dev/null
	pgdocket sign -q x.docket --key alice --principal alice@example.com
	audit x.docket
	exits 4
	has "not approved"
	has "0 of 1 required"
}

@test "a failed schema is named with its error; the resumed run completes" {
	psql -qd broken -c "INSERT INTO tenant_0003.campaigns (title, budget) VALUES ('x', -1)"
	make_plan broken x
	run pgdocket-apply run -q x.docket --trust trust --state state -d broken --yes
	exits 4
	audit x.docket
	exits 4
	has "tenant_0003: failed, 2 of 3 segments done, SQLSTATE 23514"
	has "8_checks.up.sql line 2"
	has "verified, not complete"
	lacks " : "
	audit x.docket --schema tenant_0003
	exits 4
	[ "$(grep -c 23514 <<<"$output")" -eq 1 ]
	audit x.docket --json
	jq -e '[.schemas[] | select(.standing == "failed")] | length == 1 and .[0].error.sqlstate == "23514" and .[0].error.line == 2' <<<"$output"
	psql -qd broken -c "UPDATE tenant_0003.campaigns SET budget = 1"
	pgdocket-apply run -q x.docket --trust trust --state state -d broken --yes
	audit x.docket
	exits 0
	has "verified and complete: 5 of 5 schemas"
	run pgdocket audit x.docket --trust trust --schema tenant_0003
	times=$(grep -o '^  20[0-9T:.-]*Z' <<<"$output")
	[ "$(wc -l <<<"$times")" -ge 2 ] && [ "$times" = "$(sort <<<"$times")" ]
	audit x.docket
	[ "$(grep -c 'pgdocket-apply 0' <<<"$output")" -eq 2 ]
}

@test "a plan that expired after it was run can be audited" {
	make_plan other x --expires 9s
	made=$(date +%s)
	pgdocket-apply run -q x.docket --trust trust --state state -d other --yes
	sleep $((made + 10 - $(date +%s)))
	audit x.docket
	exits 0
	has "expired since"
}

# A01
@test "the last records dropped: not complete" {
	alter "DELETE FROM receipt WHERE seq > (SELECT max(seq) FROM receipt) - 2"
	audit x.docket
	exits 4
	has "not complete"
}

@test "everything behind some checkpoint dropped: not complete" {
	alter "DELETE FROM receipt WHERE seq > (SELECT min(seq) FROM receipt WHERE signature IS NOT NULL)"
	audit x.docket
	exits 4
	has "no end recorded"
	has "0 of 5 schemas"
}

@test "all records dropped: refused" {
	alter "DELETE FROM receipt"
	audit x.docket
	exits 3
	has "no records"
}

# A02
@test "a record edited, wherever it stands: refused, naming the record" {
	for seq in $(sqlite3 done.docket "SELECT seq FROM receipt"); do
		cp done.docket x.docket
		alter "UPDATE receipt SET body = CAST(replace(CAST(body AS TEXT), 'time: 20', 'time: 19') AS BLOB) WHERE seq = $seq"
		audit x.docket
		exits 3
		[[ $output == *"record $seq"* || $output == *"record $((seq + 1))"* ]]
	done
}

@test "records swapped, deleted, inserted: refused" {
	alter "UPDATE receipt SET seq = CASE seq WHEN 3 THEN 1004 ELSE 1003 END WHERE seq IN (3, 4); UPDATE receipt SET seq = seq - 1000 WHERE seq > 1000"
	audit x.docket
	exits 3
	has "record 3"
	cp done.docket x.docket
	alter "DELETE FROM receipt WHERE seq = 4"
	audit x.docket
	exits 3
	has "record 5"
	cp done.docket x.docket
	alter "INSERT INTO receipt SELECT run, (SELECT max(seq) + 1 FROM receipt), body, NULL FROM receipt WHERE seq = 3"
	audit x.docket
	exits 3
}

# A03
# resign KEY WHICH: sign checkpoints anew, with another key.
resign() {
	local seq signature
	for seq in $(sqlite3 x.docket "SELECT seq FROM receipt WHERE signature IS NOT NULL $2"); do
		sqlite3 x.docket "SELECT writefile('body', body) FROM receipt WHERE seq = $seq" >/dev/null
		rm -f body.sig
		ssh-keygen -q -Y sign -n result.v1@pgdocket -f "$1" body 2>/dev/null
		signature=$(sed '1d;$d' body.sig | base64 -d | od -An -v -tx1 | tr -d ' \n')
		sqlite3 x.docket "UPDATE receipt SET signature = x'$signature' WHERE seq = $seq"
	done
}

@test "checkpoints signed by another host, or an approver: refused" {
	resign mallory "ORDER BY seq DESC LIMIT 1"
	audit x.docket
	exits 3
	for key in mallory bob; do
		cp done.docket x.docket
		resign $key
		audit x.docket
		exits 3
		has "the plan is for host SHA256:"
	done
}

# A07
@test "results of another plan: refused" {
	rm x.docket
	pgdocket plan -q planned.docket --scope tenant -o x.docket >/dev/null
	pgdocket sign -q x.docket --key alice --principal alice@example.com
	pgdocket approve -q x.docket --key bob --principal bob@example.com
	alter "ATTACH 'done.docket' AS d; INSERT INTO run SELECT * FROM d.run; INSERT INTO receipt SELECT * FROM d.receipt"
	audit x.docket
	exits 3
	has "another plan"
	cp done.docket x.docket
	alter "UPDATE run SET plan = zeroblob(32)"
	audit x.docket
	exits 3
	has "another plan"
}

@test "a signature's, statement's or object's change: refused" {
	alter "UPDATE plan SET statement = CAST(replace(CAST(statement AS TEXT), 'CHG0012345', 'CHG0012346') AS BLOB)"
	audit x.docket
	exits 3
	cp done.docket x.docket
	alter "DELETE FROM signature WHERE namespace = 'approve.v1@pgdocket'"
	audit x.docket
	exits 3
	has "when run"
	cp done.docket x.docket
	alter "UPDATE object SET body = zeroblob(9) WHERE digest = (SELECT min(digest) FROM object WHERE kind = 'statement')"
	audit x.docket
	exits 3
}

@test "errors of use" {
	run pgdocket audit
	exits 2
	run pgdocket audit done.docket --trust nowhere
	exits 3
	has "hint:"
	run pgdocket audit nowhere.docket --trust trust
	exits 1
	pgdocket snapshot -q --force -o x.docket -d other
	audit x.docket
	exits 1
	has "no plan"
	printf 'not a bundle, but long enough to be looked at%.0s' {1..200} >x.docket
	audit x.docket
	exits 3
	run pgdocket audit --help
	exits 0
	has "4 verified and not complete"
}

@test "verify and run believe no records but those that a host of this plan signed" {
	alter "DELETE FROM receipt WHERE seq > (SELECT max(seq) FROM receipt) - 2"
	run pgdocket verify x.docket --trust trust
	exits 3
	has "records stand behind no signature of a host"
	run pgdocket-apply run x.docket --trust trust --state state2 -d shop --yes
	exits 3
	[ ! -e state2 ]
}
