# The scenario that every fault is tried on: a server of its own, a shared schema and three tenants, migrations that are not
# idempotent, a signed and approved plan of several segments. Source it from a sweep:
#
#     . "$(dirname "$0")/scenario.bash"
#     scenario_start                     # server, fleet, bundle, and a fault-free run for reference
#     scenario_reset                     # target and files as they were before any run
#     scenario_run [option...]           # pgdocket-apply run; its exit code; talk in $FAULT_DIR/talk
#     "${SCENARIO_RUN[@]}"               # the same command as words, to be put behind strace and the like
#     scenario_stop                      # also on exit
#
# PLAN_SETTINGS holds further lines of pgdocket.conf's [plan], PG_SETTINGS of postgresql.conf.
# scenario_start takes: native (also CREATE INDEX CONCURRENTLY), shared (also a foreign key to a shared table).
# What stands in the project's folder: s.docket, received.docket (as signed), pgdocket.conf, migrations/.
# PGPASSWORD is a canary that must be found nowhere. See oracle.bash for what must hold behind each fault.

FAULT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$FAULT/../integration/server.bash"
. "$FAULT/../integration/plan.bash"
. "$FAULT/../integration/apply.bash"
. "$FAULT/oracle.bash"

CANARY=canary-$$-$RANDOM

scenario_migrations() {
	migration 2 second "CREATE TABLE features (id int);
INSERT INTO features VALUES (2);
CREATE TABLE a (id int PRIMARY KEY);
INSERT INTO orders VALUES (2);"
	migration 3 third "CREATE TABLE b (id int REFERENCES a);
ALTER TABLE campaigns ADD CONSTRAINT campaigns_positive CHECK (id > 0);
INSERT INTO orders VALUES (3);"
	migration 4 fourth "INSERT INTO features VALUES (4);
CREATE TABLE c (id int REFERENCES a);
INSERT INTO orders VALUES (4);
CREATE INDEX orders_id_idx ON orders (id);"
	if [[ " $* " == *" shared "* ]]; then
		migration 5 fifth "CREATE TABLE d (id int PRIMARY KEY, user_id int REFERENCES public.users);
INSERT INTO orders VALUES (5);"
	fi
	if [[ " $* " == *" native "* ]]; then
		migration 6 sixth "INSERT INTO orders VALUES (6);
CREATE INDEX CONCURRENTLY campaigns_native_idx ON campaigns (status, id);
CREATE TABLE e (id int PRIMARY KEY);"
	fi
}

scenario_trust() {
	local trust=$FAULT_DIR/trust
	pgdocket trust init "$trust" --label test-1 >init.out 2>&1
	sed -i "s#^label = .*#&\napply_host = $(grep -oE 'SHA256:[A-Za-z0-9+/]{43}' init.out)#" pgdocket.conf
	for who in alice bob; do ssh-keygen -q -t ed25519 -N '' -C $who -f "$FAULT_DIR/$who"; done
	pgdocket trust add "$trust" --role planner --principal alice --key "$FAULT_DIR/alice.pub" >/dev/null
	pgdocket trust add "$trust" --role approver --principal bob --key "$FAULT_DIR/bob.pub" >/dev/null
}

# A new plan of the whole scenario in s.docket, signed and approved.
scenario_plan() {
	snapshot
	pgdocket plan -q s.docket "$@" >/dev/null
	pgdocket sign -q s.docket --key "$FAULT_DIR/alice" --principal alice >/dev/null
	pgdocket approve -q s.docket --key "$FAULT_DIR/bob" --principal bob >/dev/null
	cp s.docket received.docket
}

scenario_build() {
	BATS_TEST_TMPDIR=$FAULT_DIR
	plan_new scenario 3
	sed -i 's/^only = tenants.*/only = tenants, users, roles, features/; s/ a, b, c$/ a, b, c, d, e/' pgdocket.conf
	printf '[plan]\ntransaction = migration\nlock_timeout = 200ms\n%s\n' "${PLAN_SETTINGS:-}" >>pgdocket.conf
	scenario_trust
	pgdocket-apply bootstrap -q
	scenario_migrations "$@"
	scenario_plan
}

# What undoes a run in place: the plan is bound to the database's and the schemas' oids, so nothing is made anew.
scenario_undo_sql() {
	local schema
	echo "SET client_min_messages = error;"
	echo "TRUNCATE pgdocket.plan, pgdocket.applied, pgdocket.finished, pgdocket.intent;"
	echo "DROP TABLE IF EXISTS public.features;"
	echo "DELETE FROM public.schema_migrations; INSERT INTO public.schema_migrations VALUES (1, false);"
	for schema in tenant_1 tenant_2 tenant_3; do
		printf 'DROP TABLE IF EXISTS %s CASCADE;\n' "$schema.a, $schema.b, $schema.c, $schema.d, $schema.e"
		echo "ALTER TABLE $schema.campaigns DROP CONSTRAINT IF EXISTS campaigns_positive;"
		echo "DROP INDEX IF EXISTS $schema.orders_id_idx, $schema.campaigns_native_idx;"
		echo "DELETE FROM $schema.orders;"
		echo "DELETE FROM $schema.schema_migrations; INSERT INTO $schema.schema_migrations VALUES (1, false);"
	done
}

scenario_run() {
	"${SCENARIO_RUN[@]}" "$@" >"$FAULT_DIR/out" 2>"$FAULT_DIR/talk" </dev/null
}

# Files and target as they were before any run. Sessions of a run before it must have ended: oracle_end waits for them.
SCENARIO_RESETS=0
scenario_reset() {
	SCENARIO_RESETS=$((SCENARIO_RESETS + 1))
	rm -rf "$FAULT_DIR/state" s.docket*
	cp received.docket s.docket
	psql -Xq -v ON_ERROR_STOP=1 -1 -f "$FAULT_DIR/undo.sql" || return 1
	# Autovacuum is off: what thousands of runs leave in the catalogs is swept here.
	[ $((SCENARIO_RESETS % 100)) != 0 ] || psql -Xq -c "VACUUM"
}

# Where everything is kept: in memory where that can be, since every run syncs its files.
scenario_start() {
	local base=${FAULT_BASE:-/tmp}
	[ -n "${FAULT_BASE:-}" ] || [ ! -w /dev/shm ] || base=/dev/shm
	FAULT_DIR=$(mktemp -d "$base/pgdocket-fault.XXXX")
	trap scenario_stop EXIT
	pg_start
	export PGPASSWORD=$CANARY
	scenario_build "$@"
	SCENARIO_RUN=(pgdocket-apply run s.docket --trust "$FAULT_DIR/trust" --state "$FAULT_DIR/state" --yes)
	scenario_undo_sql >"$FAULT_DIR/undo.sql"
	oracle_prepare
	scenario_run || { cat "$FAULT_DIR/talk" >&2; echo "the fault-free run failed" >&2; exit 1; }
	oracle_reference
}

scenario_stop() {
	pg_stop
	[ -z "${FAULT_DIR:-}" ] || rm -rf "$FAULT_DIR"
}
