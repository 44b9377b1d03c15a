#!/usr/bin/env bats
# pgdocket-apply check: everything that is wrong at once, nothing changed.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }

@test "fit: exit 0, and nothing was written" {
	apply_new fit 5
	apply_plan
	before=$(sql "SELECT pg_current_wal_lsn()")
	run applier check
	exits 0
	has "fit: 5 schemas are left to do"
	cmp s.docket received.docket
	[ "$(sql "SELECT count(*) FROM pgdocket.plan")" = 0 ]
	apply -q
	run applier check
	exits 0
	has "fit: 0 schemas are left"
}

@test "not fit: ledger and privileges, all at once" {
	apply_new unfit 3
	psql -Xq -c "DO \$\$ BEGIN CREATE ROLE weak LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$"
	sql "GRANT SELECT ON public.tenants TO weak; GRANT USAGE ON SCHEMA tenant_1 TO weak"
	apply_plan
	run applier check -U weak
	exits 1
	[[ $output != *differs* ]]
	has "privileges on the ledger are missing"
	has "tenant_1: CREATE on it is missing"
	has "tenant_2: USAGE on it is missing"
	sql "DROP SCHEMA pgdocket CASCADE"
	run applier check
	exits 1
	has "no ledger"
}

@test "differences: states, structures, schemas that are gone; exit 3" {
	apply_new differs 6
	apply_plan
	sql "ALTER TABLE tenant_1.orders ADD COLUMN x int; UPDATE tenant_2.schema_migrations SET version = 2"
	sql "DROP SCHEMA tenant_3 CASCADE; DROP TABLE tenant_4.schema_migrations"
	run applier check
	exits 3
	has "tenant_1: its structure"
	has "tenant_2: its migration state"
	has "tenant_3: it is gone"
	has "tenant_4"
	lacks "tenant_5"
	run --separate-stderr applier check --json
	exits 3
	[ "$(jq -r .fit <<<"$output")" = false ]
}

@test "locks in the way and tenants that are not covered are shown" {
	apply_new shown 2
	apply_plan
	sql "INSERT INTO public.tenants (schema_name) VALUES ('tenant_late')"
	run applier check
	exits 0
	has "tenant_late"
	run applier check -d postgres
	exits 3
	run pgdocket-apply check missing.docket --trust "$BATS_TEST_TMPDIR/trust"
	exits 1
	run pgdocket-apply check s.docket --trust "$BATS_TEST_TMPDIR/nowhere"
	exits 3
}

@test "restore points: before the first change and behind the last one, on screen, in the record, in the audit" {
	apply_new restore 2
	apply_plan
	before=$(sql "SELECT pg_current_wal_insert_lsn()")
	run --separate-stderr apply --json
	exits 0
	after=$(sql "SELECT pg_current_wal_insert_lsn()")
	points=$(jq -r 'select(.event == "run-start" or .event == "run-end") | .restore_point' <<<"$output")
	[[ $points =~ ^([0-9A-F/]+)\ timeline\ 1\ 20[0-9-]+T[0-9:.]+Z$'\n'([0-9A-F/]+)\ timeline\ 1\ 20[0-9-]+T[0-9:.]+Z$ ]]
	[ "$(sql "SELECT '$before'::pg_lsn <= '${BASH_REMATCH[1]}' AND '${BASH_REMATCH[1]}'::pg_lsn < '${BASH_REMATCH[2]}'
		AND '${BASH_REMATCH[2]}' <= '$after'::pg_lsn")" = t ]
	audited 0
	has "restore points: before ${BASH_REMATCH[1]} timeline 1 "
	has ", behind ${BASH_REMATCH[2]} timeline 1 "
	[ "$(pgdocket audit s.docket --trust "$BATS_TEST_TMPDIR/trust" --json | jq -r '.runs[0] | .restore_before, .restore_behind')" = "$points" ]
	apply_new restore_said 1
	apply_plan
	run apply
	exits 0
	has "restore point before: "
	has "restore point behind: "
}
