/* statement_directive: what directives say, to what they belong, and what is refused. */
#include <criterion/criterion.h>
#include <string.h>
#include "statement.h"

static struct arena *arena;
static struct err err;

static void setup(void)
{
	arena = arena_new((size_t)64 << 20);
	err = (struct err)ERR_INIT;
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(directive, .init = setup, .fini = teardown);

static struct sql_file *parse(const char *text)
{
	struct sql_file *file = NULL;

	cr_assert_eq(statement_parse_file(arena, "f.sql", text, strlen(text), 1, &file, &err), 0, "%s\n%s", err.message, text);
	return file;
}

static void refused(const char *text, const char *message)
{
	struct sql_file *file = NULL;

	cr_expect_eq(statement_parse_file(arena, "f.sql", text, strlen(text), 1, &file, &err), -1, "%s", text);
	cr_expect_eq(err.code, ERR_PLAN);
	cr_expect_not_null(strstr(err.message, message), "%s\n  %s", text, err.message);
	cr_expect_neq(err.hint[0], '\0');
	err_clear(&err);
}

Test(directive, of_the_file_at_its_top)
{
	static const char *const tops[] = {
		"-- pgdocket: scope=shared\n\nSELECT 1;",
		"-- pgdocket: scope=shared\nSELECT 1;",
		"--pgdocket:scope=shared\r\nSELECT 1;",
		"\n\n-- what this does\n-- pgdocket: scope=shared\n-- more\nSELECT 1;",
		"-- migrate:up\n-- pgdocket: scope=shared\nSELECT 1;",
		"-- what this does\n\n-- pgdocket: scope=shared\n\nSELECT 1;",
		"/* what this does */\n-- pgdocket: scope=shared\n\n\n-- more\nSELECT 1;",
		"-- pgdocket: scope=shared",
		"-- empty\n\n-- pgdocket: scope=shared\n\n",
	};

	for (size_t i = 0; i < sizeof tops / sizeof *tops; i++) {
		struct sql_file *file = parse(tops[i]);
		cr_expect_eq(file->directives.scope, SQL_SCOPE_SHARED, "%s", tops[i]);
		if (file->statements)
			cr_expect_eq(file->statement[0].directives.scope, SQL_SCOPE_NONE, "%s", tops[i]);
	}
}

Test(directive, of_a_statement_above_it)
{
	static const char *const texts[] = {
		"-- head\n\n-- pgdocket: scope=tenant\nSELECT 1; SELECT 2;",
		"-- head\n\n-- pgdocket: scope=tenant\n-- why\nSELECT 1; SELECT 2;",
		"-- head\n\n  -- pgdocket: scope=tenant\n  SELECT 1\n; SELECT 2;",
		"-- head\n\n-- pgdocket: scope=tenant\n/* why */ SELECT 1; SELECT 2",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sql_file *file = parse(texts[i]);
		cr_expect_eq(file->directives.scope, SQL_SCOPE_NONE, "%s", texts[i]);
		cr_expect_eq(file->statement[0].directives.scope, SQL_SCOPE_TENANT, "%s", texts[i]);
		cr_expect_eq(file->statement[1].directives.scope, SQL_SCOPE_NONE, "%s", texts[i]);
	}
}

Test(directive, of_a_statement_behind_it)
{
	static const char *const texts[] = {
		"SELECT 1; -- pgdocket: scope=all\nSELECT 2;\n",
		"SELECT\n1; -- pgdocket: scope=all\nSELECT 2;\n",
		"SELECT 1 -- pgdocket: scope=all\n;\nSELECT 2;\n",
		"SELECT 1\n; -- pgdocket: scope=all\nSELECT 2;\n",
		"SELECT 1;/* x */ -- pgdocket: scope=all\r\nSELECT 2;\n",
		"SELECT 'a -- pgdocket: b'; -- pgdocket: scope=all\nSELECT 2;\n",
		"DO $$ -- pgdocket: nonsense\n$$; -- pgdocket: scope=all\nSELECT 2;\n",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sql_file *file = parse(texts[i]);
		cr_expect_eq(file->directives.scope, SQL_SCOPE_NONE, "%s", texts[i]);
		cr_expect_eq(file->statement[0].directives.scope, SQL_SCOPE_ALL, "%s", texts[i]);
		cr_expect_eq(file->statement[1].directives.scope, SQL_SCOPE_NONE, "%s", texts[i]);
	}
}

Test(directive, on_opaque_and_last_ones)
{
	struct sql_file *file = parse("SELECT 1;\n-- pgdocket: scope=shared\nSELEC 2; -- pgdocket: accept=OP01 checked by hand\n"
	                              "SELECT 3 -- pgdocket: scope=all");

	cr_expect_eq(file->statement[1].category, SQL_OPAQUE);
	cr_expect_eq(file->statement[1].directives.scope, SQL_SCOPE_SHARED);
	cr_assert_eq(file->statement[1].directives.accepts, 1);
	cr_expect_eq(file->statement[2].directives.scope, SQL_SCOPE_ALL);
	cr_expect_str_eq(file->statement[2].text, "SELECT 3");
}

Test(directive, all_that_they_say)
{
	struct sql_file *file = parse("-- pgdocket: scope=all transaction=off, keep-session\n-- pgdocket: accept=DM01  small table \n"
	                              "-- pgdocket: accept=SC01 none there\n\n"
	                              "-- pgdocket: idempotent\n-- pgdocket: probe=SELECT a -- b = 1\nSELECT 1;");

	cr_expect(file->directives.transaction_off);
	cr_expect(file->directives.keep_session);
	cr_expect_not(file->directives.idempotent);
	cr_assert_eq(file->directives.accepts, 2);
	cr_expect_str_eq(file->directives.accept[0].rule, "DM01");
	cr_expect_str_eq(file->directives.accept[0].reason, "small table");
	cr_expect_str_eq(file->directives.accept[1].reason, "none there");
	cr_expect(file->statement[0].directives.idempotent);
	cr_expect_str_eq(file->statement[0].directives.probe, "SELECT a -- b = 1");
	/* A probe at the top is the first statement's, when it stands right above it. */
	cr_expect_str_eq(parse("-- pgdocket: probe=SELECT true\nSELECT 1")->statement[0].directives.probe, "SELECT true");
}

Test(directive, what_is_refused)
{
	refused("SELECT 1;\n\n-- pgdocket: scope=shraed\nSELECT 2", "f.sql, line 3: scope is shared, tenant or all, not \"shraed\"");
	refused("-- pgdocket: scop=shared\n\nSELECT 2", "line 1: unknown directive \"scop=shared\"");
	refused("-- pgdocket: transaction=on\n\nSELECT 2", "unknown directive");
	refused("-- pgdocket: idempotent=1\n\nSELECT 2", "unknown directive");
	refused("-- pgdocket:\n\nSELECT 2", "an empty directive");
	refused("-- pgdocket scope=shared\n\nSELECT 2", "a malformed directive");
	refused("-- PGDOCKET: scope=shared\n\nSELECT 2", "a malformed directive");
	refused("-- pgdocket : scope=shared\n\nSELECT 2", "a malformed directive");
	refused("/* pgdocket: scope=shared */\n\nSELECT 2", "a malformed directive");
	refused("-- pgdocket: scope=shared\n-- pgdocket: scope=tenant\n\nSELECT 2", "a second scope directive");
	refused("-- pgdocket: accept=DM01\nSELECT 2", "accept names a rule and a reason");
	refused("-- pgdocket: accept= why\nSELECT 2", "accept names a rule and a reason");
	refused("-- pgdocket: probe=DROP TABLE x\nSELECT 2", "a probe is a SELECT");
	refused("SELECT 1;\n-- pgdocket: scope=shared\n\nSELECT 2", "line 2: this directive belongs to no statement");
	refused("SELECT 1;\n-- pgdocket: scope=shared\n", "belongs to no statement");
	refused("SELECT 1; SELECT 2 /*\n*/ ; /*\n*/ -- pgdocket: scope=shared", "belongs to no statement");
	refused("SELECT 1,\n-- pgdocket: scope=shared\n2", "line 2: a directive inside a statement");
	refused("SELECT 1, -- pgdocket: scope=shared\n2", "line 1: a directive inside a statement");
}

Test(directive, ordinary_comments_are_left_alone)
{
	struct sql_file *file = parse("-- pgdocket plans this\n-- see pgdocket: scope=none\n/* the pgdocket tool */\nSELECT 1;");

	cr_expect_eq(file->statements, 1);
	cr_expect_eq(file->directives.scope, SQL_SCOPE_NONE);
}
