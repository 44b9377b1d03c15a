#!/bin/bash
# Every .sql file is one complete statement that can be pasted into psql or sqlite3: a real server parses it (PREPARE by way of
# psql's \gdesc, nothing runs), or SQLite compiles it against the bundle's schema. What runs on a server binds to pg_catalog alone,
# also when a schema in front of it offers operators and functions of the same names (TRUST.md, V25).
. "$(dirname "$0")/tap.bash"
. tests/integration/server.bash
trap pg_stop EXIT
pg_start
pg_new_database sql_prepares
"${PGDOCKET_RELEASE:-build/release}/pgdocket-apply" bootstrap -d sql_prepares >"$PGD_DIR/bootstrap" 2>&1 ||
	verdict "bootstrap makes the ledger that the files name" "$(cat "$PGD_DIR/bootstrap")"

# Decoys: schema evil has every operator and function of pg_catalog that can be copied.
sql "CREATE SCHEMA evil" && psql -XqAt >/dev/null 2>&1 <<'SQL'
DO $$
DECLARE f record; o record;
BEGIN
	FOR f IN SELECT p.oid, p.proname, pg_get_function_identity_arguments(p.oid) AS args, pg_get_function_result(p.oid) AS result
		FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0 AND NOT p.proretset
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''', f.proname, f.args, f.result);
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	FOR o IN SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r, oprcode::regproc AS code FROM pg_operator
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
	LOOP
		BEGIN
			EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)', o.oprname, o.l, o.r, o.code);
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
END $$;
SQL

statement() { sed -E ':a;N;$!ba;s/[[:space:];]+$//' "$1"; }

on_postgres() {
	{ echo 'SET search_path = pg_catalog, pg_temp;'; statement "$1"; printf '\n\\gdesc\n'; } |
		psql -XqAt -v ON_ERROR_STOP=1 2>&1 >/dev/null
}

on_sqlite() {
	{ cat bundles/schema.sql; if [ "$1" != bundles/schema.sql ]; then printf '.bail on\nEXPLAIN '; statement "$1"; echo ';'; fi; } |
		sqlite3 :memory: 2>&1 >/dev/null
}

# What the statement depends on in schema evil, when a function is made of it with evil in front. Statements that PREPARE does not
# take (DDL, settings) name what they name.
bound_to_evil() {
	local types
	types=$({ echo 'SET search_path = pg_catalog, pg_temp; PREPARE p AS'; statement "$1"
		echo "; SELECT array_to_string(parameter_types, ',') FROM pg_prepared_statements;"; } |
		psql -XqAt -v ON_ERROR_STOP=1 2>/dev/null) || return 0
	{
		echo 'BEGIN; SET LOCAL search_path = evil, pg_catalog, public;'
		echo "CREATE FUNCTION public.probe($types) RETURNS void LANGUAGE sql BEGIN ATOMIC"
		statement "$1"
		printf '\n; END;\n'
		echo "SET LOCAL search_path = pg_catalog; SELECT pg_describe_object(refclassid, refobjid, 0) FROM pg_depend
			WHERE objid = (SELECT oid FROM pg_proc WHERE proname = 'probe') AND (
			refobjid IN (SELECT oid FROM pg_proc WHERE pronamespace = 'evil'::regnamespace) OR
			refobjid IN (SELECT oid FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace)); ROLLBACK;"
	} | psql -XqAt -v ON_ERROR_STOP=1 2>&1
}

verdict "the decoys stand ready" "$([ "$(sql "SELECT count(*) > 300 FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace")" = t ] || echo "few operators")"
for file in $(sources 'bundles/*.sql' 'applier/*.sql' 'planner/*.sql'); do
	wrong=
	case $file in
	bundles/*) wrong=$(on_sqlite "$file") ;;
	*)
		wrong=$(on_postgres "$file")
		if [ -z "$wrong" ]; then
			evil=$(bound_to_evil "$file")
			[ -z "$evil" ] || wrong="binds to what stands in front of pg_catalog: $evil"
		elif [ -z "$(on_sqlite "$file")" ]; then
			wrong=
		fi ;;
	esac
	verdict "$file" "$wrong"
done
verdict_done
