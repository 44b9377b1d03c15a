#!/usr/bin/env bats
# What a tenant's statements reach in ways that no plan can see: found before COMMIT, nothing of it stays.

bats_require_minimum_version 1.5.0
load server
load plan
load apply

setup_file() { pg_start; }
teardown_file() { pg_stop; }

# reach_new NAME UP: two tenants, public with more than the plan knows of, migration 2 with this text.
reach_new() {
	apply_new "$1" 2
	rm migrations/[23]_*
	sql "CREATE TABLE public.misc (id int PRIMARY KEY); INSERT INTO public.misc VALUES (1), (2);
		CREATE FUNCTION public.helper() RETURNS int LANGUAGE sql AS 'SELECT 1'"
	migration 2 second "$2" "SELECT 1;"
	apply_plan
	public_before=$(public_state)
}

public_state() {
	sql "SELECT string_agg(classid || '/' || objid || '/' || xmin, ' ' ORDER BY classid, objid) FROM pg_depend WHERE refobjid = 'public'::regnamespace;
		SELECT string_agg(id::text, ',' ORDER BY id) FROM public.misc; SELECT count(*) FROM public.tenants; SELECT prosrc FROM pg_proc WHERE proname = 'helper'"
}

# refused TEXT: exit 3 for this reason; tenants and public are as they were.
refused() {
	run apply
	exits 3
	has "$1"
	has "nothing of it is left"
	[ "$(public_state)" = "$public_before" ]
	every_tenant 1 0
	[ "$(sql "SELECT count(*) FROM pgdocket.applied")" = 0 ]
}

@test "rows of a public table, deleted in a DO block" {
	reach_new rows "$(hidden "DELETE FROM misc")"
	refused "its statements lock public.misc, which the plan does not announce"
}

@test "a path set behind the plan's back, then a DROP that falls on public" {
	reach_new path "$(hidden "SET LOCAL search_path = public")
$(hidden "DROP TABLE misc")"
	refused "its statements changed what stands in the shared schema"
	migration 2 second "$(hidden "SET LOCAL search_path = public")"
	apply_plan
	refused "left another search_path"
}

@test "IF EXISTS that falls through to a public function; one that is replaced there" {
	reach_new falls "DROP FUNCTION IF EXISTS late();"
	sql "CREATE FUNCTION public.late() RETURNS int LANGUAGE sql AS 'SELECT 1'"
	public_before=$(public_state)
	refused "its statements changed what stands in the shared schema"
	migration 2 second "$(hidden "CREATE OR REPLACE FUNCTION public.helper() RETURNS int LANGUAGE sql AS 'SELECT 2'")"
	apply_plan
	refused "its statements changed what stands in the shared schema"
}

@test "IF EXISTS, and the table came into being in public after planning" {
	reach_new after "DROP TABLE IF EXISTS audit_log;"
	sql "CREATE TABLE public.audit_log (id int)"
	public_before=$(public_state)
	refused "changed what stands in the shared schema"
}

@test "another tenant's table" {
	reach_new neighbour "$(hidden "INSERT INTO tenant_2.campaigns VALUES (9)")"
	run apply -j 1
	exits 3
	has "tenant_1: failed"
	has "lock tenant_2.campaigns"
	[ "$(sql "SELECT count(*) FROM tenant_2.campaigns")" = 0 ]
}

@test "another role left behind" {
	reach_new role "$(hidden "SET ROLE pg_monitor")"
	run apply
	exits 3
	every_tenant 1 0
}

@test "announced foreign keys are made, and dropped with their table; reading public is free" {
	reach_new keys "CREATE TABLE kept (id int REFERENCES public.users, n int DEFAULT public.helper());
INSERT INTO kept SELECT id FROM public.misc WHERE id > 2;
CREATE TABLE c (LIKE public.misc INCLUDING ALL);
CREATE FUNCTION helper2() RETURNS int LANGUAGE sql AS 'SELECT 1';
DROP TABLE IF EXISTS audit_log;"
	run apply
	exits 0
	[ "$(public_state)" = "$public_before" ]
	migration 3 third "DROP TABLE kept;"
	apply_plan
	run apply
	exits 0
	[ "$(sql "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'")" = 0 ]
}

@test "a login role with a role of its own serves many schemas on one session" {
	reach_new own "INSERT INTO orders VALUES (2);"
	psql -Xq -c "DO \$\$ BEGIN CREATE ROLE worker SUPERUSER; CREATE ROLE entry LOGIN IN ROLE worker; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$" \
		-c "ALTER ROLE entry SET role = worker"
	run apply -U entry -j 1
	exits 0
	lacks "again"
	every_tenant 2 1
}
