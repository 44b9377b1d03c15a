#!/usr/bin/env bats
# Verification by both programs: a plan from a real database, signed and approved; then everything that must be refused.

load server

setup_file() {
	pg_start
	pg_new_database shop
	fleet_build 6
	export WORK=$BATS_FILE_TMPDIR/shop
	project_new "$WORK"
	ssh-keygen -q -t ed25519 -N '' -C alice -f "$WORK/alice"
	ssh-keygen -q -t ed25519 -N '' -C bob -f "$WORK/bob"
	host=$(pgdocket trust init "$WORK/trust" --label test-1 | grep -o 'SHA256:[A-Za-z0-9+/]*')
	sed -i "s|^label = test-1|&\napply_host = $host|" pgdocket.conf
	pgdocket trust add "$WORK/trust" --role planner --principal alice@example.com --key alice.pub
	pgdocket trust add "$WORK/trust" --role approver --principal bob@example.com --key bob.pub
	pgdocket snapshot -q -o shop.docket -d shop
	pgdocket plan -q shop.docket --ticket CHG0012345 >plan.out
	cp shop.docket planned.docket
	pgdocket sign -q shop.docket --key alice --principal alice@example.com
	cp shop.docket signed.docket
	pgdocket approve -q shop.docket --key bob --principal bob@example.com --comment 'seen it'
}

teardown_file() { pg_stop; }

setup() {
	cd "$WORK"
	cp shop.docket x.docket
}

teardown() { rm -rf x.docket* hand; }

# Both programs say the same.
refuses() { # REASON WORDS FILE
	local program
	for program in pgdocket pgdocket-apply; do
		run "$program" verify "$3" --trust trust
		[ "$status" -eq 3 ] || { echo "$program: $status: $output"; return 1; }
		[[ $output == *"$2"* ]] || { echo "$output"; return 1; }
		[ "${#lines[@]}" -eq 2 ] && [[ ${lines[1]} == "hint: "* ]] || { echo "$output"; return 1; }
		run "$program" verify "$3" --trust trust --json
		[ "$status" -eq 3 ]
		[ "$(sqlite3 :memory: "SELECT json_extract('${output//\'/\'\'}', '\$.reason')")" = "$1" ] || { echo "$output"; return 1; }
	done
}

@test "a plan that holds is verified, by both programs alike" {
	run pgdocket verify shop.docket --trust trust
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "shop.docket: verified" ]]
	[[ $output == *"ticket CHG0012345"* ]]
	[[ $output == *"planned by   alice@example.com (SHA256:"* ]]
	[[ $output == *"approved by  bob@example.com"*"seen it"* ]]
	[[ $output == *"approvals    1 of 1"* ]]
	planner=$output
	run pgdocket-apply verify --trust=trust shop.docket
	[ "$status" -eq 0 ]
	[ "$output" = "$planner" ]
}

@test "as JSON" {
	pgdocket verify shop.docket --trust trust --json >x.json
	one() { sqlite3 :memory: "SELECT json_extract(readfile('x.json'), '\$.$1')"; }
	[ "$(one verified)" = 1 ]
	[ "$(one planner)" = alice@example.com ]
	[ "$(one 'signatures[#]')" = "" ]
	[ "$(one approvals)" = 1 ]
	[ "$(one label)" = test-1 ]
	[ "$(one apply_host_checked)" = 1 ]
	[ "$(one bundle)" = "$(sha256sum <shop.docket | cut -d ' ' -f 1)" ]
	rm x.json
}

@test "verification changes nothing and leaves nothing behind" {
	before=$(sha256sum x.docket; ls -la --time-style=full-iso x.docket)
	for program in pgdocket pgdocket-apply; do
		ASAN_OPTIONS=detect_leaks=0 strace -f -o made -e trace=mkdir,mkdirat $program verify x.docket --trust trust
		grep -o '/[^"]*/pgdocket-[^"]*' made
		for directory in $(grep -o '/[^"]*/pgdocket-[^"]*' made); do [ ! -e "$directory" ]; done
	done
	[ "$before" = "$(sha256sum x.docket; ls -la --time-style=full-iso x.docket)" ]
}

@test "a file that cannot be written is read all the same" {
	chmod 0400 x.docket
	pgdocket verify x.docket --trust trust
}

@test "on a desk without a host key the host is said to be unchecked" {
	cp -r trust desk
	rm desk/host_key.pem
	run pgdocket verify shop.docket --trust desk
	rm -r desk
	[ "$status" -eq 0 ]
	[[ $output == *"not checked  the applying host"* ]]
}

@test "no plan, no signature, no approval" {
	pgdocket snapshot -q -o empty.docket -d shop --force
	run pgdocket verify empty.docket --trust trust
	[ "$status" -ne 0 ]
	[[ $output == *"no plan"* ]]
	refuses signature "signed by 0 of 1" planned.docket
	refuses quorum "" signed.docket
}

@test "expired within resume-grace: verified, and says what has expired since when" {
	pgdocket snapshot -q -o x.docket -d shop --force
	pgdocket plan -q x.docket --expires 2s >/dev/null
	pgdocket sign -q x.docket --key alice
	pgdocket approve -q x.docket --key bob --principal bob@example.com
	cp shop.docket y.docket
	sqlite3 y.docket "DELETE FROM signature WHERE namespace = 'approve.v1@pgdocket'"
	pgdocket approve -q y.docket --key bob --principal bob@example.com --expires 1s
	sleep 3
	for program in pgdocket pgdocket-apply; do
		run "$program" verify x.docket --trust trust
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = "x.docket: verified, but expired: only a run that has begun may go on" ]
		[[ $output == *"  expired      the plan has expired since 20"* ]]
		run "$program" verify y.docket --trust trust
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == "y.docket: verified, but expired: "* ]]
		[[ $output == *"  expired      the approval by bob@example.com has expired since 20"* ]]
	done
	rm y.docket
}

@test "a plan altered after it was signed: get it again, do not sign it" {
	sqlite3 x.docket "UPDATE plan SET statement = CAST(replace(CAST(statement AS TEXT), 'CHG0012345', 'CHG0012346') AS BLOB)"
	refuses signature "it is over another plan" x.docket
	run pgdocket verify x.docket --trust trust
	[[ ${lines[1]} == "hint: the plan was altered after it was signed: get the bundle again"* ]]
}

@test "help as a command" {
	for program in pgdocket pgdocket-apply; do
		[ "$("$program" help)" = "$("$program" --help)" ]
	done
}

@test "another environment's policy" {
	cp -r trust other
	sed -i 's/^label: .*/label: test-2/' other/policy.conf
	run pgdocket-apply verify shop.docket --trust other
	rm -r other
	[ "$status" -eq 3 ]
	[[ $output == *test-2* ]]
}

@test "no policy: nothing is verified" {
	run pgdocket verify shop.docket --trust nowhere
	[ "$status" -eq 3 ]
	run pgdocket-apply verify shop.docket
	[ "$status" -eq 3 ]
	[[ $output == */etc/pgdocket* ]]
}

@test "usage" {
	run pgdocket verify
	[ "$status" -eq 2 ]
	run pgdocket-apply verify shop.docket more
	[ "$status" -eq 2 ]
	run pgdocket verify --skip-verify shop.docket
	[ "$status" -eq 2 ]
	run pgdocket-apply verify --help
	[ "$status" -eq 0 ]
	[[ $output == *--trust* ]]
}

@test "one byte of the signed statement, of a signature, of the document" {
	sqlite3 x.docket "UPDATE plan SET statement = CAST(replace(CAST(statement AS TEXT), 'CHG0012345', 'CHG0012346') AS BLOB)"
	refuses signature "signed by 0 of 1" x.docket
	cp shop.docket x.docket
	sqlite3 x.docket "UPDATE signature SET signature = CAST(substr(signature, 1, length(signature) - 1) || x'ff' AS BLOB) WHERE namespace = 'plan.v1@pgdocket'"
	refuses signature "" x.docket
	cp shop.docket x.docket
	sqlite3 x.docket "UPDATE object SET body = CAST(substr(body, 1, length(body) - 5) || x'0000000000' AS BLOB) WHERE kind = 'document'"
	refuses document "plan document" x.docket
}

@test "a statement swapped, a snapshot changed, an object added or taken" {
	sqlite3 x.docket "UPDATE object SET body = (SELECT body FROM object WHERE kind = 'query' LIMIT 1) WHERE kind = 'statement'"
	refuses object "not stored as the plan document states" x.docket
	cp shop.docket x.docket
	sqlite3 x.docket "UPDATE schema SET rows = rows + 1 WHERE name = 'tenant_0001'"
	refuses snapshot "snapshot" x.docket
	cp shop.docket x.docket
	sqlite3 x.docket "INSERT INTO object VALUES (randomblob(32), 'statement', 3, x'00')"
	refuses object "does not name" x.docket
	cp shop.docket x.docket
	sqlite3 x.docket "DELETE FROM object WHERE kind = 'statement'"
	refuses object "missing" x.docket
}

@test "a table, a view, a trigger, statistics" {
	local sql
	for sql in 'CREATE TABLE x (a)' 'CREATE VIEW x AS SELECT 1' 'ANALYZE' 'CREATE INDEX i ON schema (name)' \
		'CREATE TRIGGER t AFTER INSERT ON receipt BEGIN DELETE FROM signature; END'; do
		cp shop.docket x.docket
		sqlite3 x.docket "$sql"
		refuses bundle "not those of the format" x.docket
	done
}

@test "cut short, added to, not a bundle, newer" {
	head -c 5000 shop.docket >x.docket
	refuses bundle "do not fit its header" x.docket
	{ cat shop.docket; echo; } >x.docket
	refuses bundle "do not fit its header" x.docket
	echo hello >x.docket
	refuses bundle "not a bundle" x.docket
	cp pgdocket.conf x.docket && head -c 9000 /dev/zero >>x.docket
	refuses bundle "not a bundle" x.docket
	cp shop.docket x.docket && sqlite3 x.docket 'PRAGMA user_version = 2'
	refuses bundle "needs version 2" x.docket
}

@test "links, siblings, things that are no files" {
	ln -s x.docket x.docket.link
	refuses bundle "symbolic link" x.docket.link
	ln x.docket x.docket.hard
	refuses bundle "hard links" x.docket
	rm x.docket.hard
	touch x.docket-journal
	refuses bundle "x.docket-journal stands beside" x.docket
	rm x.docket-journal
	mkfifo x.docket.fifo
	refuses bundle "not a regular file" x.docket.fifo
	run pgdocket verify nothing.docket --trust trust
	[ "$status" -eq 1 ]
	[[ ${lines[1]} == "hint: "* ]]
}

@test "names are names" {
	local name
	for name in 'file:x.docket?mode=ro' 'x.docket%20y' 'x.docket#y' ':memory:' '-rf'; do
		cp -- shop.docket "./$name"
		run pgdocket verify --trust trust -- "$name"
		rm -- "./$name"
		[ "$status" -eq 0 ]
	done
}

@test "the plan document fits its JSON Schema" {
	python3 -c 'import jsonschema' 2>/dev/null || skip "no python3-jsonschema here"
	python3 - "$ROOT/bundles/plan.schema.json" <<-'X'
		import json, jsonschema, sqlite3, sys, zlib
		body, = sqlite3.connect('shop.docket').execute("SELECT body FROM object WHERE kind = 'document'").fetchone()
		schema = json.load(open(sys.argv[1]))
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.validate(json.loads(zlib.decompress(body)), schema, jsonschema.Draft202012Validator)
	X
}

@test "the JSON Schema and the reader know the same keys" {
	read_keys() { sed -n 's/^\t*{ "\([a-z_]*\)",.*/\1/p' "$ROOT/bundles/document_fields.c" | sort -u; }
	schema_keys() {
		sqlite3 :memory: "SELECT DISTINCT t.key FROM json_tree(readfile('$ROOT/bundles/plan.schema.json')) t
			WHERE t.path LIKE '%.properties' ORDER BY 1"
	}
	diff <(read_keys) <(schema_keys | sort -u)
}

@test "by hand, with sqlite3, ssh-keygen and sha256sum, as FORMAT.md shows" {
	mkdir hand
	awk '/^## By hand/ { on = 1 } on && /^```$/ { exit } on && code { print } /^```sh$/ { code = on }' "$ROOT/bundles/FORMAT.md" >hand/script
	export FILE=../shop.docket SIGNERS=../trust/allowed_signers PLANNER=alice@example.com SNAPSHOT_ROWS=$ROOT/bundles/snapshot_rows.sql
	cd hand
	run sh ./script
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'Good "plan.v1@pgdocket" signature for alice@example.com'* ]]
	[[ $output == *'Good "approve.v1@pgdocket" signature for bob@example.com'* ]]
	[[ $output == *'decision: approve'* ]]
	[[ ${lines[-1]} == "plan "*" holds" ]]
}
