# A fleet with a policy, a signed plan and a ledger, for the applier's tests. Loads what server.bash and plan.bash offer.

# apply_new NAME N: database NAME with N tenants, a policy that wants no approval, a planner's key, the ledger.
# Migrations 2 and 3 are not idempotent: each inserts a row into orders and makes a table.
apply_new() {
	plan_new "$1" "$2"
	rm -rf "$BATS_TEST_TMPDIR"/{trust,state,alice,alice.pub}
	pgdocket trust init "$BATS_TEST_TMPDIR/trust" --label test-1 >init.out 2>&1
	sed -i 's/^require: approve 1/require: approve 0/' "$BATS_TEST_TMPDIR/trust/policy.conf"
	sed -i "s#^label = .*#&\napply_host = $(grep -oE 'SHA256:[A-Za-z0-9+/]{43}' init.out)#" pgdocket.conf
	ssh-keygen -q -t ed25519 -N '' -C alice -f "$BATS_TEST_TMPDIR/alice"
	pgdocket trust add "$BATS_TEST_TMPDIR/trust" --role planner --principal alice --key "$BATS_TEST_TMPDIR/alice.pub" >/dev/null
	pgdocket-apply bootstrap -q
	migration 2 second "CREATE TABLE a (id int PRIMARY KEY);
INSERT INTO orders VALUES (2);" "DELETE FROM orders WHERE id = 2;
DROP TABLE a;"
	migration 3 third "CREATE TABLE b (id int REFERENCES a);
INSERT INTO orders VALUES (3);
SELECT pg_sleep(${APPLY_PAUSE:-0});" "DELETE FROM orders WHERE id = 3;
DROP TABLE b;"
}

# A DO block that runs this text, which no plan can read.
hidden() {
	printf "DO \$\$ BEGIN EXECUTE convert_from(decode('%s', 'hex'), 'UTF8'); END \$\$;" "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')"
}

# apply_plan [option...]: a signed plan in s.docket, from a new snapshot.
apply_plan() {
	snapshot
	pgdocket plan -q s.docket --scope tenant "$@" >/dev/null
	pgdocket sign -q s.docket --key "$BATS_TEST_TMPDIR/alice" --principal alice >/dev/null
	cp s.docket received.docket
}

apply() {
	pgdocket-apply run s.docket --trust "$BATS_TEST_TMPDIR/trust" --state "$BATS_TEST_TMPDIR/state" --yes "$@"
}
applier() {
	pgdocket-apply "$1" s.docket --trust "$BATS_TEST_TMPDIR/trust" "${@:2}"
}

# every_tenant VERSION EFFECTS: each tenant is at this version, and each effect is there once.
every_tenant() {
	local name
	for name in $(sql "SELECT schema_name FROM public.tenants"); do
		echo "SELECT '$name ' || (SELECT version FROM $name.schema_migrations) || ' ' || (SELECT count(*) FROM $name.orders);"
	done >"$BATS_TEST_TMPDIR/each.sql"
	run psql -XqAt -v ON_ERROR_STOP=1 -f "$BATS_TEST_TMPDIR/each.sql"
	[ "$status" = 0 ] && [ -z "$(grep -v " $1 $2\$" <<<"$output")" ] || { printf 'not all at %s:\n%s\n' "$1 $2" "$output" >&2; return 1; }
}

# The ledger has a row of each half for each schema of the plan, once; nothing of ours is left on the server.
ledger_whole() {
	[ "$(sql "SELECT count(*) FROM pgdocket.applied")" = "$1" ]
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = "$1" ]
	[ "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" = 0 ]
}

audited() {
	run pgdocket audit s.docket --trust "$BATS_TEST_TMPDIR/trust"
	exits "$1"
}

# on_terminal ANSWER ANSWER COMMAND...: with a pseudo-terminal; the answers go to the two questions.
on_terminal() {
	expect -c "
		set timeout 30
		spawn -noecho ${*:3}
		expect {
			\"Type yes:\" { send \"$1\r\"; exp_continue }
			\"database's name:\" { send \"$2\r\"; exp_continue }
			timeout { exit 99 }
			eof
		}
		exit [lindex [wait] 3]"
}
