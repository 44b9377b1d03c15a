# Cases of the catalogue of faults, and the oracle that looks at a target, its ledger and its bundle behind each of them. Loads
# what server.bash, plan.bash and apply.bash offer.
#
#     teardown() { oracle; }      each test makes its database with fault_new

# fault_new NAME N [TEXT]: N tenants, migration 2 as apply_new makes it, migration 3 with this text behind its own effect.
fault_new() {
	apply_new "$1" "$2"
	FAULT_DATABASE=$1
	if [ $# -gt 2 ]; then third "$3"; fi
}

third() {
	migration 3 third "INSERT INTO orders VALUES (3);
$1" "DELETE FROM orders WHERE id = 3;"
}

# One step: what stands in one schema, as SQL that answers with the complaints of it. Both effects or none, and with them the
# version and a row of each half of the ledger. (A schema of another migration tool's or of none is passed over.)
oracle_sql() {
	cat <<-'SQL'
		SELECT format($f$SELECT %1$L || ': ' || w FROM (SELECT coalesce((SELECT max(version) FROM %1$I.schema_migrations), 0) AS v,
			(SELECT count(*) FROM %1$I.orders WHERE id = 2) AS two, (SELECT count(*) FROM %1$I.orders WHERE id = 3) AS three,
			(SELECT count(*) FROM pgdocket.finished f JOIN pgdocket.applied a USING (plan_sha256, schema_oid, segment)
				WHERE f.schema_oid = %2$s) AS done) s
			CROSS JOIN LATERAL (VALUES (CASE WHEN two > 1 OR three > 1 THEN 'an effect is there twice' END),
				(CASE WHEN v NOT IN (1, 3) THEN 'at version ' || v END),
				(CASE WHEN (v = 3) <> (two = 1) OR (two = 1) <> (three = 1) THEN 'half done' END),
				(CASE WHEN (v = 3) <> (done = 1) THEN done || ' rows in the ledger at version ' || v END)) c(w) WHERE w IS NOT NULL$f$, n.nspname, n.oid)
		  FROM pg_namespace n JOIN pg_class o ON o.relnamespace = n.oid AND o.relname = 'orders'
		  JOIN pg_class h ON h.relnamespace = n.oid AND h.relname = 'schema_migrations' \gexec
		SELECT 'one half of a segment alone' FROM (
			(SELECT plan_sha256, schema_oid, segment FROM pgdocket.applied EXCEPT SELECT plan_sha256, schema_oid, segment FROM pgdocket.finished)
			UNION ALL (SELECT plan_sha256, schema_oid, segment FROM pgdocket.finished EXCEPT SELECT plan_sha256, schema_oid, segment FROM pgdocket.applied)) h LIMIT 1;
		SELECT 'invalid index: ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid;
		SELECT 'in public: ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN ('a', 'b', 'orders');
		SELECT 'prepared transaction: ' || gid FROM pg_prepared_xacts;
	SQL
}

# Nothing of ours is left on the server (a moment is given: a backend ends behind its client).
oracle_sessions() {
	local try
	for try in $(seq 50); do
		[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgdocket%'")" != 0 ] || break
		sleep 0.1
	done
	sql "SELECT 'session left: ' || application_name || ' ' || state FROM pg_stat_activity WHERE application_name LIKE 'pgdocket%';
		SELECT 'advisory lock left, held by ' || pid FROM pg_locks WHERE locktype = 'advisory'"
}

# The bundle is whole, has nothing beside it, its chains hold, and it tells of nothing that the ledger does not have.
oracle_bundle() {
	local beside code=0 told
	[ "$(sqlite3 s.docket 'PRAGMA integrity_check')" = ok ] || echo "the bundle is damaged"
	for beside in s.docket-journal s.docket-wal s.docket-shm; do [ ! -e $beside ] || echo "beside the bundle: $beside"; done
	pgdocket audit s.docket --trust "$BATS_TEST_TMPDIR/trust" >audit.out 2>&1 || code=$?
	[ $code = 0 ] || [ $code = 4 ] || { echo "audit: exit $code"; cat audit.out; }
	told=$(sqlite3 s.docket "SELECT CAST(body AS text) FROM receipt ORDER BY run, seq" |
		awk '$1 == "type:" { done = $2 == "segment" || $2 == "reconcile" } done && $1 == "schema:"' | sort -u | wc -l)
	[ "$told" -le "$(sql "SELECT count(*) FROM pgdocket.finished")" ] || echo "$told schemas are told of that the ledger does not have"
}

# A test that mends or breaks the ledger itself says so: ORACLE_MENDED=yes, and compares on its own.
oracle() {
	[ -n "${FAULT_DATABASE:-}" ] && [ -z "${ORACLE_MENDED:-}" ] || return 0
	export PGDATABASE=$FAULT_DATABASE
	{ oracle_sessions; oracle_sql | psql -XqAt; if [ -e s.docket ]; then oracle_bundle; fi; } >oracle.out 2>&1
	[ ! -s oracle.out ] || { echo "the oracle:"; cat oracle.out; return 1; }
}

# left N CODE TEXT: the run ended with this exit code and this reason; N schemas are done, the others as they were.
left() {
	exits "$2"
	has "$3"
	[ "$(sql "SELECT count(*) FROM pgdocket.finished")" = "$1" ] || { echo "done: $(sql "SELECT schema_name FROM pgdocket.applied"), not $1"; return 1; }
}

# smuggle_new NAME STATEMENT...: tenant_1 and so on run these behind their own effects, in a body that no plan can read; one
# more runs none. All fail but that one, one after the other: no budget stops them.
smuggle_new() {
	local i=1 statement
	fault_new "$1" $#
	sql "CREATE TABLE public.smuggled (schema_name text, statement text)"
	for statement in "${@:2}"; do
		sql "INSERT INTO public.smuggled VALUES ('tenant_$((i++))', $(literal "$statement"))"
	done
	sql "INSERT INTO public.smuggled VALUES ('tenant_$i', 'SELECT 1')"
	third "$(hidden "DO \$in\$ BEGIN EXECUTE (SELECT statement FROM public.smuggled WHERE schema_name = current_schema()); END \$in\$")"
	printf '[wave all]\nschemas = *\nmax_failures = 100\n' >>pgdocket.conf
	apply_plan
}

# failed SCHEMA CODE: it failed with this SQLSTATE or reason, by the JSON lines in $output; both are told when it did not.
failed() {
	local found
	found=$(grep '^{' <<<"$output" | jq -r "select(.event == \"schema-failed\" and .schema == \"$1\") | [.sqlstate, .reason] | map(values) | join(\"\")")
	[ "$found" = "$2" ] || { printf '%s: %s, not %s\n%s\n' "$1" "${found:-not failed}" "$2" "$output"; return 1; }
}

# The role applier with what it needs on every schema of this database.
role_applier() {
	psql -Xq -c "DO \$\$ BEGIN CREATE ROLE applier LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
	sql "SELECT format('ALTER SCHEMA %I OWNER TO applier;', nspname) FROM pg_namespace WHERE nspname LIKE 'tenant%' UNION ALL
		SELECT format('ALTER TABLE %I.%I OWNER TO applier;', schemaname, tablename) FROM pg_tables WHERE schemaname LIKE 'tenant%' UNION ALL
		SELECT format('GRANT SELECT ON public.%I TO applier;', tablename) FROM pg_tables WHERE schemaname = 'public'" | psql -Xq -v ON_ERROR_STOP=1
	pgdocket-apply bootstrap -q --role applier
}
