#!/bin/bash
# make demo: the whole way once, on a throw-away PostgreSQL with 50 tenants. Prints every command as it is typed, then its real
# output; checks what came of it as it goes; ends with what was proven. Leaves nothing behind, also when it fails.
set -euo pipefail

. "$(dirname "$0")/integration/server.bash"
BUILT=${PGDOCKET_BIN:-$ROOT/build}
[ -x "$BUILT/pgdocket" ] || { echo "demo: build first: make demo" >&2; exit 2; }
began=$(date +%s%N)
WORK=$(mktemp -d /tmp/pgdocket-demo.XXXX)
cleanup() {
	local status=$?
	cd /
	pg_stop
	rm -rf "$WORK"
	[ $status = 0 ] || echo "demo: failed" >&2
}
trap cleanup EXIT
trap 'exit 130' INT TERM
export NO_COLOR=1 TZ=UTC
unset PGDOCKET_CONFIG

title() { printf '\n== %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# run EXPECTED-EXIT COMMAND: show it, run it as the user's shell would, check its exit code. Its output stays in $WORK/out.
run() {
	local expected=$1 status=0
	printf '\n$ %s\n' "$2"
	(eval "$2") >"$WORK/out" 2>&1 </dev/null || status=$?
	cat "$WORK/out"
	[ $status = "$expected" ] || fail "exit code $status, expected $expected"
	[ $status = 0 ] || echo "(exit code $status)"
}
# said TEXT: the last command's output has it.
said() { grep -qF -- "$1" "$WORK/out" || fail "the output lacks: $1"; }
# is EXPECTED SQL WHAT: the database answers so.
is() {
	local answer
	answer=$(sql "$2")
	[ "$answer" = "$1" ] || fail "$3: expected $1, got $answer"
	proven+=("$3")
}
proven=()

# --- a database as it may have grown: public at version 6, tenants at 8, 6 and 4, and the odd ones out ---
title "A PostgreSQL with a shared schema and 50 tenants in three states"
pg_start
pg_new_database shop
fleet_build 50 golang-migrate 6 7 6 4
fleet_drift tenant_0007
fleet_stray tenant_0011
fleet_listed_without tenant_ghost
mkdir "$WORK/shop"
cd "$WORK/shop"
cp -r "$FIXTURES/migrations" migrations
mkdir keys
for who in alice bob; do ssh-keygen -q -t ed25519 -N '' -C "$who@example.com" -f "keys/$who"; done
export PATH="$BUILT:$PATH"
export PGDATABASE=shop
run 0 "ls migrations"
run 0 "psql -Atc \"SELECT count(*) FILTER (WHERE to_regnamespace(schema_name) IS NOT NULL) || ' tenant schemas of ' || count(*) || ' listed' FROM tenants\""
said "50 tenant schemas of 51 listed"

title "On the restricted host: a policy with its own host key, and the ledger"
run 0 "pgdocket trust init host-policy --label shop-prod"
fingerprint=$(grep -o 'SHA256:[A-Za-z0-9+/]*' "$WORK/out")
run 0 "pgdocket trust add host-policy --role planner --principal alice@example.com --key keys/alice.pub"
run 0 "pgdocket trust add host-policy --role approver --principal bob@example.com --key keys/bob.pub"
run 0 "pgdocket-apply bootstrap -d shop"

cat >pgdocket.conf <<CONF
[target]
label = shop-prod
apply_host = $fingerprint
[shared]
only = tenants, users, roles, user_roles, user_tenant, invitations
[tenants]
query = SELECT schema_name, active FROM public.tenants ORDER BY 1
only = campaigns, templates, creatives, storyboards, ad_variations, audiences, comments, large_creatives
[migrations]
dir = migrations
[wave canary]
schemas = tenant_0001, tenant_0002
[wave rest]
schemas = *
CONF
run 0 "cat pgdocket.conf"

title "Snapshot: one moment of the whole database, in one file"
run 0 "pgdocket snapshot -o release-8.docket -d shop"
run 0 "ls -l release-8.docket | awk '{print \$5, \$9}'"
run 0 "pgdocket status release-8.docket"
said tenant_0007
said tenant_0011
said tenant_ghost
run 0 "pgdocket status release-8.docket --schema tenant_0003"

title "Plan, offline. The stray users table in tenant_0011 is in the way: a foreign key would bind to it"
run 1 "pgdocket plan release-8.docket --ticket CHG-1042"
said tenant_0011
run 0 "pgdocket plan release-8.docket --ticket CHG-1042 --skip-unfit"
run 0 "pgdocket show release-8.docket | sed -n 1,90p"
run 0 "pgdocket show release-8.docket --format sql | sed -n 1,24p"

title "Sign and approve; then what the restricted host will check"
run 3 "pgdocket verify release-8.docket --trust host-policy"
run 0 "pgdocket sign release-8.docket --key keys/alice --principal alice@example.com"
run 0 "pgdocket approve release-8.docket --key keys/bob --principal bob@example.com --comment 'reviewed with CHG-1042'"
run 0 "pgdocket verify release-8.docket --trust host-policy"

title "A bundle that was tampered with on the way is refused"
run 0 "cp release-8.docket tampered.docket"
run 0 "sqlite3 tampered.docket \"UPDATE plan SET statement = CAST(replace(CAST(statement AS TEXT), 'CHG-1042', 'CHG-9999') AS BLOB)\""
run 3 "pgdocket-apply run tampered.docket --trust host-policy -d shop --yes"
rm tampered.docket

title "Apply, on the restricted host"
run 0 "pgdocket-apply check release-8.docket --trust host-policy -d shop"
run 0 "pgdocket-apply run release-8.docket --trust host-policy --state state -d shop -j 2 --yes"
run 0 "pgdocket-apply status release-8.docket --state state"
run 0 "pgdocket-apply run release-8.docket --trust host-policy --state state -d shop --yes"

title "What became of it"
run 0 "pgdocket audit release-8.docket --trust host-policy"
said "verified and complete"
run 0 "pgdocket audit release-8.docket --trust host-policy --schema tenant_0003"
run 0 "pgdocket snapshot -o after.docket -d shop"
run 0 "pgdocket status after.docket"
is 49 "SELECT count(*) FROM pg_class WHERE relname = 'schema_migrations' AND relnamespace <> 'public'::regnamespace AND (xpath('/row/version/text()', query_to_xml(format('SELECT version FROM %s WHERE NOT dirty', oid::regclass), false, true, '')))[1]::text = '8'" \
	"49 tenants record version 8"

# The same statements by psql alone, into a schema of its own: its structure is what every tenant must have now.
reference() {
	{ echo "SET client_min_messages = warning; CREATE SCHEMA reference;"; fleet_sql reference tenant 0 8; } | psql -Xq -v ON_ERROR_STOP=1
}
# structures DIR: what pg_dump says of every schema, its own name taken out, one file per schema.
structures() {
	mkdir "$1"
	pg_dump -s --no-owner -n 'tenant_*' -n reference | awk -v dir="$1" '
		/^-- Name: / { schema = $0; sub(/.*; Schema: /, "", schema); sub(/;.*/, "", schema); file = schema == "-" ? "" : dir "/" schema }
		/^(--|\\|SET |$)/ || /hand_made/ || !file { next }
		{ gsub(schema "[.]", "SCHEMA."); print > file }'
}
title "Every tenant's structure against one migrated by psql with the same statements (pg_dump, normalised)"
reference
structures "$WORK/structures"
same=0
for tenant in $(sql "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tenant\\_%' AND nspname <> 'tenant_0011' ORDER BY 1"); do
	diff -u "$WORK/structures/reference" "$WORK/structures/$tenant" || fail "$tenant differs from one migrated by psql"
	same=$((same + 1))
done
[ -s "$WORK/structures/reference" ] || fail "pg_dump said nothing"
sql "DROP SCHEMA reference CASCADE" 2>/dev/null
[ $same = 49 ] || fail "$same tenants compared, expected 49"
echo "$same schemas alike"
proven+=("49 tenants have the structure that psql gives")

title "And back: a plan that reverts the newest migration"
run 0 "pgdocket plan after.docket --revert 1 --ticket CHG-1043 -o revert.docket"
run 0 "pgdocket sign revert.docket --key keys/alice --principal alice@example.com"
run 0 "pgdocket approve revert.docket --key keys/bob --principal bob@example.com"
run 0 "pgdocket-apply run revert.docket --trust host-policy --state state -d shop --yes"
run 0 "pgdocket audit revert.docket --trust host-policy"
said "verified and complete"
is 0 "SELECT count(*) FROM pg_constraint WHERE conname = 'campaigns_budget'" "the revert took migration 8 back everywhere"

took=$((($(date +%s%N) - began) / 1000000))
printf '\nproven in %d.%d s: the tampered bundle was refused; %s; both plans audit as verified and complete\n' \
	$((took / 1000)) $((took % 1000 / 100)) "$(printf '%s; ' "${proven[@]}" | sed 's/; $//')"
