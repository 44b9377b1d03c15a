/*
 * The rules that decide for whom a statement runs, each with cases: real SQL through the real
 * parser, judged against small worlds. Tenant: tables campaigns and orders; shared schema: users,
 * roles, only there, and plans, which tenants lack.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "judge.h"

#define TEXT(...) "" __VA_ARGS__

struct fixture {
	struct arena *arena;
	struct conf conf;
	struct world *tenant, *shared;
	struct owner shared_only, tenants_only;
};

static const char *only_shared[] = { "users", "roles" }, *only_tenants[] = { "campaigns" };

static bool is_tenant(const void *context, const char *schema)
{
	(void)context;
	return strncmp(schema, "tenant_", 7) == 0;
}

static void add(struct world *world, enum world_space space, const char *name, const char *table,
		bool is_table)
{
	struct err err = ERR_INIT;

	cr_assert(world_add(world, space, name, table, is_table, &err) == 0);
}

static void setup(struct fixture *f)
{
	struct err err = ERR_INIT;

	memset(f, 0, sizeof *f);
	f->arena = arena_new(64u << 20);
	f->conf.shared_only = (struct conf_list){ 2, only_shared };
	f->conf.tenants_only = (struct conf_list){ 1, only_tenants };
	f->conf.shared_schema = "public";
	f->tenant = world_new(f->arena, NULL, &err);
	f->shared = world_new(f->arena, "public", &err);
	cr_assert(f->tenant && f->shared);
	add(f->tenant, WORLD_RELATION, "campaigns", NULL, true);
	add(f->tenant, WORLD_RELATION, "orders", NULL, true);
	add(f->tenant, WORLD_RELATION, "campaigns_status_idx", "campaigns", false);
	cr_assert(world_add_key(f->tenant, "orders", "public.users", &err) == 0);
	add(f->shared, WORLD_RELATION, "users", NULL, true);
	add(f->shared, WORLD_RELATION, "roles", NULL, true);
	add(f->shared, WORLD_RELATION, "plans", NULL, true);
	add(f->shared, WORLD_RELATION, "users_email_idx", "users", false);
	add(f->shared, WORLD_RELATION, "roles_id_seq", "roles", false);
	add(f->shared, WORLD_FUNCTION, "touch", NULL, false);
	cr_assert(owner_build(&f->shared_only, f->arena, &f->conf.shared_only, f->shared, &err) ==
		  0);
	cr_assert(owner_build(&f->tenants_only, f->arena, &f->conf.tenants_only, f->tenant, &err) ==
		  0);
}

static struct sql_file *parse(struct fixture *f, const char *sql)
{
	struct err err = ERR_INIT;
	struct sql_file *file = NULL;

	cr_assert(statement_parse_file(f->arena, "x.sql", sql, strlen(sql), 1, &file, &err) == 0,
		  "%s: %s", sql, err.message);
	cr_assert(file->statements >= 1, "%s", sql);
	return file;
}

static void judge(struct fixture *f, bool shared, const char *sql, struct judge_verdict *out)
{
	struct sql_file *file = parse(f, sql);
	const struct sql_statement *statement = &file->statement[0];
	struct judge_case item = {
		statement, &file->directives,
		statement->directives.scope ? statement->directives.scope : file->directives.scope,
		statement->directives.transaction_off || file->directives.transaction_off
	};
	struct judge judging = { .shared = shared,
				 .shared_schema = "public",
				 .conf = &f->conf,
				 .world = shared ? f->shared : f->tenant,
				 .other = shared ? NULL : f->shared,
				 .foreign = shared ? &f->tenants_only : &f->shared_only,
				 .falls_through = true,
				 .history_table = "schema_migrations",
				 .is_tenant = is_tenant };

	judge_statement(&judging, &item, out);
}

static void apply(struct fixture *f, struct world *world, const char *sql)
{
	struct err err = ERR_INIT;
	struct sql_file *file = parse(f, sql);

	for (size_t i = 0; i < file->statements; i++)
		cr_assert(world_apply(world, &file->statement[i], &err) == 0);
}

struct expected {
	char side; /* T tenant, S shared */
	const char *sql;
	enum judge_result result;
	const char *rule, *part; /* part of the message */
};

static void check(const struct expected *expected, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct judge_verdict verdict;
		struct fixture f;

		setup(&f);
		judge(&f, expected[i].side == 'S', expected[i].sql, &verdict);
		cr_expect(verdict.result == expected[i].result, "%c %s: result %d (%s: %s), not %d",
			  expected[i].side, expected[i].sql, verdict.result,
			  verdict.rule ? verdict.rule : "-", verdict.message, expected[i].result);
		if (expected[i].rule)
			cr_expect(verdict.rule && strcmp(verdict.rule, expected[i].rule) == 0,
				  "%s: rule %s, not %s", expected[i].sql,
				  verdict.rule ? verdict.rule : "-", expected[i].rule);
		if (expected[i].part)
			cr_expect(strstr(verdict.message, expected[i].part) != NULL,
				  "%s: \"%s\" lacks \"%s\"", expected[i].sql, verdict.message,
				  expected[i].part);
		if (verdict.result == JUDGE_ERROR)
			cr_expect(verdict.hint[0], "%s: an error without a way out",
				  expected[i].sql);
		arena_free(f.arena);
	}
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(cases)[0])

Test(judge, filters_public_only)
{
	static const struct expected cases[] = {
		{ 'T', "ALTER TABLE users ADD COLUMN x int", JUDGE_FILTER, "one-side",
		  "users exists only in the shared schema" },
		{ 'T', "ALTER TABLE public.users ADD COLUMN x int", JUDGE_FILTER, "one-side",
		  NULL },
		{ 'T', "CREATE TABLE users (id int)", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "CREATE TABLE IF NOT EXISTS users (id int)", JUDGE_FILTER, "one-side",
		  NULL },
		{ 'T', "DROP TABLE IF EXISTS users", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "DROP TABLE users, roles", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "TRUNCATE users", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "CREATE INDEX users_x ON users (x)", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "CREATE INDEX CONCURRENTLY users_x ON users (x)", JUDGE_FILTER, "one-side",
		  NULL },
		{ 'T', "DROP INDEX users_email_idx", JUDGE_FILTER, "one-side",
		  "users_email_idx belongs to users" },
		{ 'T', "DROP INDEX IF EXISTS public.users_email_idx", JUDGE_FILTER, "one-side",
		  NULL },
		{ 'T', "ALTER INDEX users_email_idx RENAME TO y", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "ALTER SEQUENCE roles_id_seq RESTART", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "ALTER SEQUENCE users_id_seq RESTART", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "CREATE SEQUENCE s OWNED BY users.id", JUDGE_FILTER, "one-side", NULL },
		{ 'T',
		  "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
		  JUDGE_FILTER, "one-side", NULL },
		{ 'T', "DROP TRIGGER t ON users", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "COMMENT ON TABLE users IS 'x'", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "COMMENT ON COLUMN users.email IS 'x'", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "GRANT SELECT ON users TO PUBLIC", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "INSERT INTO roles (name) VALUES ('x')", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "UPDATE users SET x = 1", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "DELETE FROM roles", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "ALTER TABLE users RENAME TO people", JUDGE_FILTER, "one-side", NULL },
		{ 'T',
		  "ALTER TABLE users ADD CONSTRAINT c FOREIGN KEY (x) REFERENCES campaigns (id)",
		  JUDGE_FILTER, "one-side", NULL },
		{ 'S', "ALTER TABLE users ADD COLUMN x int", JUDGE_RUN, NULL, NULL },
		{ 'S', "ALTER TABLE public.users ADD COLUMN x int", JUDGE_RUN, NULL, NULL },
		{ 'S', "DROP INDEX users_email_idx", JUDGE_RUN, NULL, NULL },
		{ 'S', "ALTER TABLE campaigns ADD COLUMN x int", JUDGE_FILTER, "one-side",
		  "campaigns exists only in tenants" },
		{ 'S', "DROP INDEX campaigns_status_idx", JUDGE_FILTER, "one-side", NULL },
	};

	CHECK(cases);
}

Test(judge, runs_what_is_the_tenants)
{
	static const struct expected cases[] = {
		{ 'T', "ALTER TABLE campaigns ADD COLUMN x int", JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE TABLE notes (user_id int REFERENCES users (id))", JUDGE_RUN, NULL,
		  NULL },
		{ 'T', "CREATE TABLE notes (user_id int REFERENCES public.users (id))", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "ALTER TABLE orders ADD FOREIGN KEY (u) REFERENCES users (id)", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES a (id))", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "CREATE VIEW v AS SELECT * FROM users JOIN campaigns USING (id)", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "INSERT INTO campaigns SELECT * FROM users", JUDGE_RUN, NULL, NULL },
		{ 'T', "DROP INDEX campaigns_status_idx", JUDGE_RUN, NULL, NULL },
		{ 'T', "ALTER SEQUENCE campaigns_id_seq RESTART", JUDGE_RUN, NULL, NULL },
		{ 'T', "DROP TABLE IF EXISTS nowhere", JUDGE_RUN, NULL, NULL },
		{ 'T', "LOCK TABLE campaigns", JUDGE_RUN, NULL, NULL },
		{ 'T', "SET statement_timeout = '5s'", JUDGE_RUN, NULL, NULL },
		{ 'T', "SELECT 1", JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "CREATE TABLE plans (id int)", JUDGE_RUN, NULL, NULL },
	};

	CHECK(cases);
}

Test(judge, one_statement_for_both_sides)
{
	static const struct expected cases[] = {
		{ 'T', "DROP TABLE campaigns, users", JUDGE_ERROR, "one-side",
		  "acts on campaigns and on users" },
		{ 'S', "DROP TABLE campaigns, users", JUDGE_ERROR, "one-side", NULL },
		{ 'T', "GRANT SELECT ON campaigns, users TO PUBLIC", JUDGE_ERROR, "one-side",
		  NULL },
		{ 'T', "ALTER TABLE campaigns RENAME TO users", JUDGE_ERROR, "one-side", NULL },
		{ 'T', "WITH x AS (DELETE FROM users RETURNING id) DELETE FROM campaigns",
		  JUDGE_ERROR, "one-side", NULL },
		{ 'T', "-- pgdocket: scope=shared\nDROP TABLE campaigns, users", JUDGE_FILTER,
		  "scope", NULL },
		{ 'T', "DROP TABLE campaigns, users; -- pgdocket: scope=shared\nSELECT 1",
		  JUDGE_FILTER, "scope", NULL },
		{ 'T', "SELECT 1; -- pgdocket: scope=shared\nDROP TABLE campaigns, users",
		  JUDGE_FILTER, "scope", NULL },
		{ 'T', "-- pgdocket: scope=tenant\nDROP TABLE users", JUDGE_ERROR, "one-side",
		  "by its directive" },
		{ 'S', "-- pgdocket: scope=tenant\nDROP TABLE users", JUDGE_FILTER, "scope", NULL },
	};

	CHECK(cases);
}

Test(judge, text_that_nobody_looks_into)
{
	static const struct expected cases[] = {
		{ 'T', "DO $$ BEGIN UPDATE users SET x = 1; END $$", JUDGE_ERROR, "mention",
		  "a DO block mentions users" },
		{ 'T', "DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$", JUDGE_ERROR, "mention",
		  NULL },
		{ 'T', "-- pgdocket: scope=tenant\nDO $$ BEGIN PERFORM 1 FROM users; END $$",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "-- pgdocket: scope=shared\nDO $$ BEGIN UPDATE users SET x = 1; END $$",
		  JUDGE_FILTER, "scope", NULL },
		{ 'S', "DO $$ BEGIN UPDATE users SET x = 1; END $$", JUDGE_RUN, NULL, NULL },
		{ 'S', "DO $$ BEGIN UPDATE campaigns SET x = 1; END $$", JUDGE_ERROR, "mention",
		  NULL },
		{ 'T', "DO $$ BEGIN UPDATE campaigns SET x = 1; END $$", JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT id FROM users'",
		  JUDGE_ERROR, "mention", "a function body mentions users" },
		{ 'T',
		  "-- pgdocket: scope=all\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT "
		  "id FROM users'",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "DO $$ BEGIN UPDATE plans SET x = 1; END $$", JUDGE_ERROR, "mention",
		  "a DO block mentions plans, which these schemas lack and public has" },
		{ 'T', "DO $$ BEGIN UPDATE Public . \"roles_id_seq\" SET x = 1; END $$", JUDGE_ERROR,
		  "mention", NULL },
		{ 'T', "-- pgdocket: scope=tenant\nDO $$ BEGIN UPDATE plans SET x = 1; END $$",
		  JUDGE_RUN, NULL, NULL },
		{ 'S', "DO $$ BEGIN UPDATE plans SET x = 1; END $$", JUDGE_RUN, NULL, NULL },
		{ 'T', "DO $$ BEGIN UPDATE tenant_b.orders SET x = 1; END $$", JUDGE_ERROR,
		  "foreign-schema", "a DO block mentions the tenant's schema tenant_b" },
		{ 'T', "DO $$ BEGIN UPDATE TENANT_b .orders SET x = 1; END $$", JUDGE_ERROR,
		  "foreign-schema", NULL },
		{ 'T', "DO $$ BEGIN UPDATE \"tenant_b\".orders SET x = 1; END $$", JUDGE_ERROR,
		  "foreign-schema", NULL },
		{ 'T', "DO $$ BEGIN UPDATE orders SET tenant_b = x.tenant_c; END $$", JUDGE_RUN,
		  NULL, NULL },
		{ 'T',
		  "-- pgdocket: scope=all\nDO $$ BEGIN UPDATE tenant_b.orders SET x = 1; END $$",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "ALTER TABLE tenant_b.orders FROBNICATE", JUDGE_ERROR, "foreign-schema",
		  NULL },
		{ 'T', "ALTER TABLE campaigns FROBNICATE", JUDGE_ERROR, "opaque",
		  "not understood" },
		{ 'T', "-- pgdocket: accept=opaque it is from 18\nALTER TABLE campaigns FROBNICATE",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "-- pgdocket: accept=opaque it is from 18\nALTER TABLE users FROBNICATE",
		  JUDGE_ERROR, "mention", NULL },
	};

	CHECK(cases);
}

Test(judge, other_schemas)
{
	static const struct expected cases[] = {
		{ 'T', "ALTER TABLE public.plans ADD COLUMN x int", JUDGE_ERROR, "foreign-schema",
		  "names the schema public outright" },
		{ 'T', "ALTER TABLE other.t ADD COLUMN x int", JUDGE_ERROR, "foreign-schema",
		  NULL },
		{ 'S', "ALTER TABLE other.t ADD COLUMN x int", JUDGE_ERROR, "foreign-schema",
		  NULL },
		{ 'S', "-- pgdocket: scope=shared\nCREATE TABLE audit.log (id int)", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "-- pgdocket: scope=shared\nCREATE TABLE audit.log (id int)", JUDGE_FILTER,
		  "scope", NULL },
		{ 'T', "CREATE VIEW v AS SELECT * FROM tenant_b.campaigns", JUDGE_ERROR,
		  "foreign-schema", "tenant_b" },
		{ 'S', "DROP TABLE tenant_b.campaigns", JUDGE_ERROR, "foreign-schema", NULL },
		{ 'S', "DROP SCHEMA tenant_b", JUDGE_ERROR, "foreign-schema", NULL },
		{ 'T', "CREATE VIEW v AS SELECT * FROM public.plans", JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE TABLE n (id uuid DEFAULT extensions.gen())", JUDGE_RUN, NULL, NULL },
		{ 'T', "INSERT INTO pgdocket.plan VALUES (1)", JUDGE_ERROR, "ledger", NULL },
		{ 'S', "DROP SCHEMA pgdocket CASCADE", JUDGE_ERROR, "ledger", NULL },
		{ 'T', "DO $$ BEGIN DELETE FROM pgdocket.applied; END $$", JUDGE_ERROR, "ledger",
		  NULL },
		{ 'T', "DELETE FROM schema_migrations", JUDGE_ERROR, "history-table", NULL },
		{ 'T', "DO $$ BEGIN DELETE FROM schema_migrations; END $$", JUDGE_ERROR,
		  "history-table", NULL },
		{ 'T', "CREATE EXTENSION IF NOT EXISTS pgcrypto", JUDGE_FILTER, "database-wide",
		  "whole database" },
		{ 'S', "CREATE EXTENSION IF NOT EXISTS pgcrypto", JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE SCHEMA audit", JUDGE_FILTER, "database-wide", NULL },
		{ 'T', "CREATE ROLE app", JUDGE_FILTER, "database-wide", NULL },
	};

	CHECK(cases);
}

Test(judge, search_path_leads_elsewhere)
{
	static const struct expected cases[] = {
		{ 'T', "ALTER TABLE plans ADD COLUMN x int", JUDGE_ERROR, "fall-through",
		  "acts on plans, which these schemas lack" },
		{ 'T', "DROP TABLE IF EXISTS plans", JUDGE_ERROR, "fall-through", NULL },
		{ 'T', "CREATE INDEX i ON plans (id)", JUDGE_ERROR, "fall-through", NULL },
		{ 'T', "INSERT INTO plans VALUES (1)", JUDGE_ERROR, "fall-through", NULL },
		{ 'T', "DROP FUNCTION touch()", JUDGE_ERROR, "fall-through", NULL },
		{ 'T',
		  "CREATE TRIGGER t BEFORE UPDATE ON plans FOR EACH ROW EXECUTE FUNCTION touch()",
		  JUDGE_ERROR, "fall-through", NULL },
		{ 'T', "ALTER TABLE orders ADD FOREIGN KEY (p) REFERENCES plans (id)", JUDGE_ERROR,
		  "fall-through", "has a foreign key to plans" },
		{ 'T', "-- pgdocket: scope=shared\nALTER TABLE plans ADD COLUMN x int",
		  JUDGE_FILTER, "scope", NULL },
	};

	CHECK(cases);
}

Test(judge, session_and_transaction)
{
	static const struct expected cases[] = {
		{ 'T', "COMMIT", JUDGE_ERROR, "transaction-control", NULL },
		{ 'T', "SAVEPOINT a", JUDGE_ERROR, "transaction-control", NULL },
		{ 'T', "SET search_path = x", JUDGE_ERROR, "session-state", "search_path" },
		{ 'T', "SET LOCAL search_path = x", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "SET ROLE x", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "SET SESSION AUTHORIZATION x", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "SET CONSTRAINTS ALL IMMEDIATE", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "RESET ALL", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "RESET statement_timeout", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "LISTEN x", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "COPY campaigns TO STDOUT", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "SELECT pg_catalog.set_config('search_path', '', false)", JUDGE_ERROR,
		  "session-state", NULL },
	};

	CHECK(cases);
}

Test(judge, what_cannot_run_in_a_transaction)
{
	static const struct expected cases[] = {
		{ 'T', "CREATE INDEX CONCURRENTLY i ON campaigns (id)", JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON campaigns (id)",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE INDEX CONCURRENTLY ON campaigns (id)", JUDGE_ERROR,
		  "non-transactional", "gives its index no name" },
		{ 'T', "-- pgdocket: idempotent\nCREATE INDEX CONCURRENTLY ON campaigns (id)",
		  JUDGE_ERROR, "non-transactional", "gives its index no name" },
		{ 'T', "DROP INDEX CONCURRENTLY campaigns_status_idx", JUDGE_RUN, NULL, NULL },
		{ 'T', "DROP INDEX CONCURRENTLY campaigns_status_idx, b", JUDGE_ERROR,
		  "non-transactional", "takes one index" },
		{ 'T', "REINDEX INDEX CONCURRENTLY campaigns_status_idx", JUDGE_RUN, NULL, NULL },
		{ 'T', "REINDEX (CONCURRENTLY) TABLE campaigns", JUDGE_RUN, NULL, NULL },
		{ 'T', "ALTER TABLE campaigns DETACH PARTITION orders CONCURRENTLY", JUDGE_RUN, NULL,
		  NULL },
		{ 'T', "VACUUM campaigns", JUDGE_RUN, NULL, NULL },
		{ 'T', "VACUUM", JUDGE_FILTER, "database-wide", NULL },
		{ 'S', "VACUUM", JUDGE_RUN, NULL, NULL },
		{ 'T', "CLUSTER", JUDGE_FILTER, "database-wide", NULL },
		{ 'S', "REINDEX SCHEMA public", JUDGE_RUN, NULL, NULL },
		{ 'S', "REINDEX SCHEMA CONCURRENTLY public", JUDGE_ERROR, "non-transactional", NULL },
		{ 'S', "ALTER SYSTEM SET work_mem = '1MB'", JUDGE_ERROR, "non-transactional",
		  "ALTER SYSTEM cannot run in a transaction, and nobody can tell whether it was "
		  "done" },
		{ 'S', "-- pgdocket: idempotent\nALTER SYSTEM SET work_mem = '1MB'", JUDGE_RUN,
		  NULL, NULL },
		{ 'S', "-- pgdocket: probe=SELECT true\nALTER SYSTEM SET work_mem = '1MB'", JUDGE_RUN,
		  NULL, NULL },
		{ 'T', "-- pgdocket: transaction=off\nCREATE INDEX i ON campaigns (id)",
		  JUDGE_ERROR, "non-transactional", "is asked to run outside of a transaction" },
		{ 'T', "-- pgdocket: transaction=off, idempotent\nCREATE INDEX i ON campaigns (id)",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "-- pgdocket: transaction=off\nSET work_mem = '1MB'", JUDGE_RUN, NULL, NULL },
		/* Only the class's own relations. */
		{ 'T', "CREATE INDEX CONCURRENTLY i ON plans (id)", JUDGE_ERROR, "fall-through", NULL },
		{ 'T', "CREATE INDEX CONCURRENTLY i ON public.plans (id)", JUDGE_ERROR,
		  "foreign-schema", NULL },
		{ 'T', "DROP INDEX CONCURRENTLY public.x", JUDGE_ERROR, "foreign-schema", NULL },
		{ 'T', "DROP INDEX CONCURRENTLY users_email_idx", JUDGE_FILTER, "one-side", NULL },
		{ 'S', "-- pgdocket: scope=shared\nCREATE INDEX CONCURRENTLY i ON other.t (id)",
		  JUDGE_ERROR, "non-transactional", "acts on another schema" },
		{ 'S',
		  "-- pgdocket: scope=shared idempotent\nCREATE INDEX CONCURRENTLY i ON other.t (id)",
		  JUDGE_ERROR, "non-transactional", "acts on another schema" },
	};

	CHECK(cases);
}

Test(judge, settings_by_other_ways)
{
	static const struct expected cases[] = {
		{ 'T', "SELECT 1 WHERE set_config('search_path', '', false) = ''", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "SELECT 1, pg_catalog.set_config('role', 'x', true)", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "SELECT set_config('work_mem', set_config('search_path', 'x', true), true)",
		  JUDGE_ERROR, "session-state", NULL },
		{ 'T', "SELECT set_config('session_replication_role', 'replica', true)", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "INSERT INTO campaigns SELECT set_config('role', 'x', true)", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "UPDATE campaigns SET x = pg_catalog.set_config('role', 'x', true)",
		  JUDGE_ERROR, "session-state", NULL },
		{ 'T', "DELETE FROM campaigns WHERE set_config('role', 'x', true) = ''", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "UPDATE pg_settings SET setting = 'x' WHERE name = 'search_path'",
		  JUDGE_ERROR, "session-state", NULL },
		{ 'T', "SELECT pg_catalog.set_config('work_mem', '1MB', true)", JUDGE_RUN, NULL,
		  NULL },
		{ 'T', "DO $$ BEGIN SET search_path = x; END $$", JUDGE_ERROR, "session-state",
		  "a DO block mentions search_path" },
		{ 'S', "DO $$ BEGIN PERFORM SET_CONFIG('x.y', '', true); END $$", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "DO $$ BEGIN EXECUTE 'Set  local role x'; END $$", JUDGE_ERROR,
		  "session-state", "SET ROLE" },
		{ 'T', "DO $$ BEGIN RESET ALL; END $$", JUDGE_ERROR, "session-state", NULL },
		{ 'T', "DO $$ BEGIN SET session authorization x; END $$", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "DO $$ BEGIN UPDATE campaigns SET role = 1, set_roles = 2; END $$", JUDGE_ERROR,
		  "session-state", NULL },
		{ 'T', "DO $$ BEGIN UPDATE campaigns SET x = role; END $$", JUDGE_RUN, NULL, NULL },
		{ 'T',
		  "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN SET search_path = x; "
		  "END'",
		  JUDGE_ERROR, "session-state", "a function body mentions search_path" },
		{ 'T',
		  "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS "
		  "'SELECT 1'",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "ALTER TABLE campaigns FROBNICATE search_path", JUDGE_ERROR, "session-state",
		  NULL },
		{ 'T',
		  "-- pgdocket: accept=session-state it sets it back\nDO $$ BEGIN SET search_path = "
		  "x; END $$",
		  JUDGE_RUN, NULL, NULL },
	};

	CHECK(cases);
}

Test(judge, temporary_objects)
{
	static const struct expected cases[] = {
		{ 'T', "CREATE TEMP TABLE users (id int)", JUDGE_ERROR, "temporary",
		  "users is the name of a temporary object and of a real one" },
		{ 'T', "CREATE TEMP TABLE campaigns (id int)", JUDGE_ERROR, "temporary", NULL },
		{ 'S', "CREATE TEMP TABLE plans (id int)", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "CREATE TEMPORARY TABLE plans AS SELECT 1", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "SELECT 1 AS x INTO TEMP plans", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "CREATE TEMP VIEW plans AS SELECT 1", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "CREATE TEMP SEQUENCE roles_id_seq", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "CREATE TABLE pg_temp.orders (id int)", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "ALTER TABLE pg_temp.t RENAME TO orders", JUDGE_ERROR, "temporary", NULL },
		{ 'T', "CREATE TEMP TABLE scratch (id serial)", JUDGE_RUN, NULL, NULL },
		{ 'T', "SELECT 1 AS x INTO scratch", JUDGE_RUN, NULL, NULL },
	};

	CHECK(cases);
}

Test(judge, tables_that_cannot_be_reached)
{
	static const struct expected cases[] = {
		{ 'S', "CREATE VIEW v AS SELECT * FROM campaigns", JUDGE_ERROR, "reach",
		  "refers to campaigns, which exists only in tenants" },
		{ 'S', "INSERT INTO users SELECT * FROM campaigns", JUDGE_ERROR, "reach", NULL },
		{ 'S', "-- pgdocket: scope=tenant\nCREATE VIEW v AS SELECT * FROM campaigns",
		  JUDGE_FILTER, "scope", NULL },
		{ 'T', "ALTER VIEW v RENAME TO users", JUDGE_ERROR, "one-side", NULL },
		{ 'T', "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", JUDGE_FILTER,
		  "database-wide", NULL },
		{ 'T', "SELECT setval('roles_id_seq', 10)", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "GRANT USAGE ON SEQUENCE roles_id_seq TO PUBLIC", JUDGE_FILTER, "one-side",
		  NULL },
		{ 'T', "ALTER TABLE campaigns ADD COLUMN r int DEFAULT nextval('roles_id_seq')",
		  JUDGE_RUN, NULL, NULL },
		{ 'T', "CREATE POLICY p ON users USING (true)", JUDGE_FILTER, "one-side", NULL },
		{ 'T', "CREATE TABLE x PARTITION OF users FOR VALUES IN (1)", JUDGE_FILTER,
		  "one-side", NULL },
	};

	CHECK(cases);
}

Test(judge, strays)
{
	struct judge_verdict verdict;
	struct fixture f;

	setup(&f);
	add(f.tenant, WORLD_RELATION, "users", NULL, true);
	add(f.tenant, WORLD_RELATION, "users_old_idx", "users", false);
	judge(&f, false, "ALTER TABLE orders ADD FOREIGN KEY (u) REFERENCES users (id)", &verdict);
	cr_expect(verdict.result == JUDGE_ERROR && !strcmp(verdict.rule, "stray-reference"), "%s",
		  verdict.message);
	judge(&f, false, "CREATE VIEW v AS SELECT * FROM users", &verdict);
	cr_expect(verdict.result == JUDGE_ERROR && !strcmp(verdict.rule, "stray-reference"), "%s",
		  verdict.message);
	judge(&f, false, "CREATE VIEW v AS SELECT * FROM public.users", &verdict);
	cr_expect(verdict.result == JUDGE_RUN, "%s", verdict.message);
	judge(&f, false, "ALTER TABLE users ADD COLUMN x int", &verdict);
	cr_expect(verdict.result == JUDGE_FILTER, "%s", verdict.message);
	judge(&f, false, "DROP INDEX users_old_idx", &verdict);
	cr_expect(verdict.result == JUDGE_FILTER, "%s", verdict.message);
	arena_free(f.arena);
}

static void expect_locks(const char *sql, const char *lock)
{
	struct judge_verdict verdict;
	struct fixture f;

	setup(&f);
	judge(&f, false, sql, &verdict);
	cr_expect(verdict.result == JUDGE_RUN, "%s: %s", sql, verdict.message);
	cr_expect(verdict.locks == (lock != NULL), "%s: %zu locks", sql, verdict.locks);
	if (lock && verdict.locks)
		cr_expect(strcmp(verdict.lock[0], lock) == 0, "%s: %s", sql, verdict.lock[0]);
	arena_free(f.arena);
}

Test(judge, locks_of_shared_relations)
{
	expect_locks("CREATE TABLE n (u int REFERENCES users (id))", "public.users");
	expect_locks("CREATE TABLE n (u int REFERENCES public.users (id))", "public.users");
	expect_locks("ALTER TABLE campaigns ADD COLUMN u int REFERENCES users (id)",
		     "public.users");
	expect_locks("DROP TABLE orders", "public.users");
	expect_locks("ALTER TABLE orders DROP COLUMN u", "public.users");
	expect_locks("ALTER TABLE orders ALTER COLUMN u TYPE bigint", "public.users");
	expect_locks("ALTER TABLE orders ADD COLUMN z int", NULL);
	expect_locks("DROP TABLE campaigns", NULL);
	expect_locks("CREATE TABLE n (u int REFERENCES campaigns (id))", NULL);
	expect_locks("-- pgdocket: scope=tenant\nDO $$ BEGIN PERFORM 1 FROM users; END $$", "*");
	expect_locks("-- pgdocket: scope=all\nDO $$ BEGIN PERFORM 1 FROM plans; END $$", "*");
	expect_locks("-- pgdocket: scope=all\nDO $$ BEGIN PERFORM 1 FROM orders; END $$", NULL);
	expect_locks("-- pgdocket: scope=tenant\nALTER TABLE campaigns ADD COLUMN x int", NULL);
}

static bool noted(const struct judge_verdict *verdict, const char *rule)
{
	for (size_t i = 0; i < verdict->notes; i++)
		if (!strcmp(verdict->note[i].rule, rule))
			return true;
	return false;
}

Test(judge, findings)
{
	static const struct {
		const char *sql, *rule;
		bool there;
	} cases[] = {
		{ "UPDATE campaigns SET x = 1 WHERE y = 2", "data-dependent", true },
		{ "DELETE FROM campaigns WHERE y = 2", "data-dependent", true },
		{ "INSERT INTO campaigns SELECT * FROM orders", "data-dependent", true },
		{ "INSERT INTO campaigns VALUES (1)", "data-dependent", false },
		{ "DO $$ BEGIN NULL; END $$", "data-dependent", true },
		{ "DROP TABLE campaigns", "destructive", true },
		{ "ALTER TABLE campaigns DROP COLUMN x", "destructive", true },
		{ "TRUNCATE campaigns", "destructive", true },
		{ "ALTER TABLE campaigns ADD COLUMN x int", "destructive", false },
		{ "SET work_mem = '1GB'", "session-set", true },
		{ "SET LOCAL work_mem = '1GB'", "session-set", false },
		{ "SET LOCAL lock_timeout = '1s'", "session-set", true },
		{ "CREATE VIEW v AS SELECT * FROM plans", "reads-shared", true },
		{ "CREATE VIEW v AS SELECT * FROM users", "reads-shared", false },
		{ "ALTER TABLE nowhere ADD COLUMN x int", "missing-target", true },
		{ "ALTER TABLE IF EXISTS nowhere ADD COLUMN x int", "missing-target", false },
		{ "DROP TABLE orders", "shared-lock", true },
		{ "-- pgdocket: scope=tenant\nDO $$ BEGIN PERFORM 1 FROM users; END $$",
		  "shared-lock", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct judge_verdict verdict;
		struct fixture f;

		setup(&f);
		judge(&f, false, cases[i].sql, &verdict);
		cr_expect(verdict.result == JUDGE_RUN, "%s: %s", cases[i].sql, verdict.message);
		cr_expect(noted(&verdict, cases[i].rule) == cases[i].there, "%s: %s", cases[i].sql,
			  cases[i].rule);
		arena_free(f.arena);
	}
}

Test(owner, learns_from_files)
{
	struct err err = ERR_INIT;
	struct fixture f;

	setup(&f);
	cr_assert(
		owner_add_file(
			&f.shared_only,
			parse(&f,
			      "CREATE INDEX u_a ON users (a); ALTER INDEX u_a RENAME TO u_b;"
			      "ALTER TABLE users RENAME TO people; CREATE INDEX p_c ON people (c);"
			      "CREATE INDEX c_a ON campaigns (a)"),
			&err) == 0);
	cr_expect_str_eq(owner_of(&f.shared_only, WORLD_RELATION, "u_a"), "users");
	cr_expect_str_eq(owner_of(&f.shared_only, WORLD_RELATION, "u_b"), "users");
	cr_expect_str_eq(owner_of(&f.shared_only, WORLD_RELATION, "people"), "users");
	cr_expect_str_eq(owner_of(&f.shared_only, WORLD_RELATION, "p_c"), "users");
	cr_expect_str_eq(owner_of(&f.shared_only, WORLD_RELATION, "users_id_seq"), "users");
	cr_expect(owner_of(&f.shared_only, WORLD_RELATION, "c_a") == NULL);
	cr_expect(owner_of(&f.shared_only, WORLD_RELATION, "users_view") == NULL);
	arena_free(f.arena);
}

/* first is applied to the tenant's world, then second is judged: falls through, or runs. */
static void expect_fall(const char *first, const char *second, bool falls)
{
	struct judge_verdict verdict;
	struct fixture f;

	setup(&f);
	add(f.shared, WORLD_RELATION, "orders", NULL, true);
	add(f.shared, WORLD_RELATION, "campaigns_status_idx", "campaigns", false);
	add(f.shared, WORLD_RELATION, "orders_id_seq", "orders", false);
	add(f.shared, WORLD_RELATION, "v", NULL, false);
	add(f.shared, WORLD_TYPE, "money_amount", NULL, false);
	add(f.shared, WORLD_OTHER, "german", NULL, false);
	add(f.shared, WORLD_OTHER, "===", NULL, false);
	add(f.shared, WORLD_FUNCTION, "total", NULL, false);
	if (*first)
		apply(&f, f.tenant, first);
	judge(&f, false, second, &verdict);
	cr_expect(verdict.result == (falls ? JUDGE_ERROR : JUDGE_RUN), "%s; %s: %s", first, second,
		  verdict.message);
	if (falls)
		cr_expect(verdict.rule && !strcmp(verdict.rule, "fall-through"), "%s; %s: %s", first,
			  second, verdict.message);
	arena_free(f.arena);
}

Test(judge, names_that_may_be_lost)
{
	expect_fall("", "DROP INDEX campaigns_status_idx", false);
	expect_fall("ALTER TABLE campaigns DROP COLUMN x", "DROP INDEX IF EXISTS campaigns_status_idx",
		    true);
	expect_fall("ALTER TABLE campaigns DROP CONSTRAINT x", "DROP INDEX campaigns_status_idx", true);
	expect_fall("ALTER TABLE campaigns DROP COLUMN x",
		    "-- pgdocket: scope=tenant\nDROP INDEX IF EXISTS campaigns_status_idx", false);
	expect_fall("ALTER TABLE campaigns DROP COLUMN x", "ALTER TABLE orders ADD COLUMN x int",
		    false);
	expect_fall("CREATE VIEW v AS SELECT 1", "DROP VIEW v", false);
	expect_fall("CREATE VIEW v AS SELECT 1; DROP TABLE campaigns CASCADE", "DROP VIEW IF EXISTS v",
		    true);
	expect_fall("CREATE VIEW v AS SELECT 1; DROP TABLE campaigns CASCADE; CREATE OR REPLACE VIEW v "
		    "AS SELECT 1",
		    "DROP VIEW v", false);
	expect_fall("DROP TABLE campaigns CASCADE", "ALTER TABLE orders ADD COLUMN x int", false);
	expect_fall("DO $$ BEGIN DROP TABLE IF EXISTS orders; END $$", "DROP TABLE IF EXISTS orders",
		    true);
	expect_fall("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'orders'; END $$", "ALTER TABLE orders ADD y int",
		    true);
	expect_fall("DO $$ BEGIN UPDATE orders SET x = 1; END $$", "ALTER TABLE orders ADD y int", false);
	expect_fall("DROP TABLE campaigns", "DROP INDEX IF EXISTS campaigns_status_idx", true);
	expect_fall("", "DROP SEQUENCE orders_id_seq", true);
	expect_fall("", "DROP SEQUENCE orders_nr_seq", false);
}

Test(judge, kinds_that_are_only_named)
{
	expect_fall("", "DROP DOMAIN IF EXISTS money_amount", true);
	expect_fall("", "ALTER DOMAIN money_amount SET NOT NULL", true);
	expect_fall("CREATE DOMAIN money_amount AS int", "DROP DOMAIN money_amount", false);
	expect_fall("", "DROP COLLATION german", true);
	expect_fall("", "ALTER COLLATION german RENAME TO g", true);
	expect_fall("CREATE COLLATION german FROM \"C\"", "DROP COLLATION german", false);
	expect_fall("", "DROP STATISTICS german", true);
	expect_fall("CREATE STATISTICS german ON id, x FROM orders", "DROP STATISTICS german", false);
	expect_fall("", "DROP TEXT SEARCH CONFIGURATION german", true);
	expect_fall("", "DROP OPERATOR ===(int, int)", true);
	expect_fall("", "DROP AGGREGATE total(int)", true);
	expect_fall("", "COMMENT ON COLLATION german IS 'x'", true);
	expect_fall("", "CREATE COLLATION german FROM \"C\"", false);
	expect_fall("", "DROP COLLATION nowhere", false);
	expect_fall("", "DROP POLICY german ON orders", false);
}

Test(world, knows_what_shapes_only_name)
{
	static const char text[] = "[\"unmodelled\",\"aggregate\",\"~.total(integer)\"]\n"
				   "[\"unmodelled\",\"collation\",\"~.\\\"My \\\"\\\"C\\\"\"]\n"
				   "[\"unmodelled\",\"operator class\",\"~.ops USING btree\"]\n"
				   "[\"unmodelled\",\"policy\",\"orders p\"]\n"
				   "[\"unmodelled\",\"type\",\"~.amount\"]\n";
	struct err err = ERR_INIT;
	struct shape *shape;
	struct fixture f;

	setup(&f);
	cr_assert(shape_parse(f.arena, text, sizeof text - 1, &shape, &err) == 0, "%s", err.message);
	cr_assert(world_add_shape(f.tenant, shape, "public", &err) == 0);
	cr_expect(world_find(f.tenant, WORLD_FUNCTION, "total") != NULL);
	cr_expect(world_find(f.tenant, WORLD_OTHER, "My \"C") != NULL);
	cr_expect(world_find(f.tenant, WORLD_OTHER, "ops") != NULL);
	cr_expect(world_find(f.tenant, WORLD_TYPE, "amount") != NULL);
	cr_expect(world_find(f.tenant, WORLD_OTHER, "p") == NULL);
	arena_free(f.arena);
}

Test(judge, functions_by_their_arguments)
{
	static const char text[] =
		"[\"function\",\"touch\",\"\",\"\",\"CREATE OR REPLACE FUNCTION\",\"\"]\n"
		"[\"function\",\"touch\",\"\",\"a character varying, ~.mood[]\","
		"\"CREATE OR REPLACE FUNCTION\",\"\"]\n";
	static const struct {
		const char *sql;
		bool falls;
	} cases[] = {
		{ "DROP FUNCTION touch", false },
		{ "DROP FUNCTION touch()", false },
		{ "DROP FUNCTION touch(varchar, mood[])", false },
		{ "DROP FUNCTION IF EXISTS touch(int)", true },
		{ "DROP FUNCTION touch(text, mood[])", true },
		{ "DROP FUNCTION touch(varchar)", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct judge_verdict verdict;
		struct err err = ERR_INIT;
		struct shape *shape;
		struct fixture f;

		setup(&f);
		cr_assert(shape_parse(f.arena, text, sizeof text - 1, &shape, &err) == 0);
		cr_assert(world_add_shape(f.tenant, shape, "public", &err) == 0);
		judge(&f, false, cases[i].sql, &verdict);
		cr_expect((verdict.result == JUDGE_ERROR) == cases[i].falls, "%s: %s", cases[i].sql,
			  verdict.message);
		arena_free(f.arena);
	}
}

Test(world, keeps_temporary_names_apart)
{
	struct judge_verdict verdict;
	struct fixture f;

	setup(&f);
	apply(&f, f.tenant, "CREATE TEMP TABLE scratch (id int); ALTER TABLE scratch RENAME TO s");
	cr_expect(world_find(f.tenant, WORLD_RELATION, "s")->temporary);
	judge(&f, false, "ALTER TABLE s RENAME TO plans", &verdict);
	cr_expect(verdict.result == JUDGE_ERROR && !strcmp(verdict.rule, "temporary"), "%s",
		  verdict.message);
	judge(&f, false, "CREATE TABLE s (id int)", &verdict);
	cr_expect(verdict.result == JUDGE_ERROR && !strcmp(verdict.rule, "temporary"), "%s",
		  verdict.message);
	judge(&f, false, "INSERT INTO s VALUES (1)", &verdict);
	cr_expect(verdict.result == JUDGE_RUN, "%s", verdict.message);
	apply(&f, f.tenant, "DROP TABLE pg_temp.orders; DROP TABLE pg_temp.s");
	cr_expect(world_find(f.tenant, WORLD_RELATION, "orders") != NULL);
	cr_expect(world_find(f.tenant, WORLD_RELATION, "s") == NULL);
	arena_free(f.arena);
}

Test(world, follows_names)
{
	struct fixture f;
	struct world *w;

	setup(&f);
	w = f.tenant;
	apply(&f, w,
	      "CREATE TABLE a (id int); CREATE INDEX a_i ON a (id); CREATE VIEW v AS SELECT 1");
	cr_expect(world_find(w, WORLD_RELATION, "a")->is_table);
	cr_expect_str_eq(world_find(w, WORLD_RELATION, "a_i")->table, "a");
	cr_expect_str_eq(world_implied(w, "a_id_seq"), "a");
	cr_expect(world_implied(w, "b_id_seq") == NULL);
	apply(&f, w, "ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME COLUMN id TO key");
	cr_expect(world_find(w, WORLD_RELATION, "a") == NULL && world_find(w, WORLD_RELATION, "b"));
	cr_expect_str_eq(world_find(w, WORLD_RELATION, "a_i")->table, "b");
	apply(&f, w,
	      "DROP TABLE b; DROP VIEW v; CREATE TYPE mood AS ENUM ('x'); DROP TABLE IF EXISTS "
	      "nowhere");
	cr_expect(world_find(w, WORLD_RELATION, "a_i") == NULL &&
		  world_find(w, WORLD_RELATION, "v") == NULL);
	cr_expect(world_find(w, WORLD_TYPE, "mood") != NULL);
	cr_expect(world_key(w, "orders", 0) != NULL && world_key(w, "orders", 1) == NULL);
	cr_expect(!world_clouded(w));
	apply(&f, w, "DROP TABLE orders CASCADE");
	cr_expect(world_key(w, "orders", 0) == NULL);
	cr_expect(world_clouded(w));
	arena_free(f.arena);
}
