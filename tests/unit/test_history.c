/* history: adapters' texts, states read and written, and that server and planner agree on every byte of them. */
#include "pg_fixture.h"

#include <string.h>
#include "history.h"
#include "session.h"
#include "quote.h"

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

TestSuite(history, .init = setup, .fini = teardown);

static struct source source_of(const char *layout, size_t count, const char *const *versions)
{
	struct source source = { .layout = layout, .migrations = count };

	source.migration = arena_array(arena, count, sizeof *source.migration, &err);
	for (size_t i = 0; i < count; i++)
		source.migration[i].version = versions[i];
	return source;
}

static const char *const golang_versions[] = { "1", "2", "3", "10", "20" };
static const char *const dbmate_versions[] = { "20240101000000", "20240102000000", "20240103000000" };

static struct history_state read_state(const char *text, const struct source *source)
{
	struct history_state state;

	cr_assert_eq(history_read_state(arena, text, strlen(text), source, &state, &err), 0, "%s", err.message);
	return state;
}

/* "11000": applied */
static const char *applied(const struct history_state *state, const struct source *source)
{
	char *out = arena_alloc(arena, source->migrations + 1, &err);

	for (size_t i = 0; i < source->migrations; i++)
		out[i] = state->applied[i] ? '1' : '0';
	return out;
}

Test(history, recognised_by_columns)
{
	cr_expect_eq(history_recognise("schema_migrations", "dirty:bool version:int8"), history_find("golang-migrate"));
	cr_expect_eq(history_recognise("schema_migrations", "applied_at:timestamptz dirty:bool version:int8"),
	             history_find("golang-migrate"));
	cr_expect_eq(history_recognise("schema_migrations", "version:varchar"), history_find("dbmate"));
	cr_expect_eq(history_recognise("schema_migrations", "version:text"), history_find("dbmate"));
	cr_expect_null(history_recognise("schema_migrations", "inserted_at:timestamp version:int8"));
	cr_expect_null(history_recognise("schema_migrations", "version:int4"));
	cr_expect_null(history_recognise("schema_migrations", ""));
	cr_expect_null(history_recognise("migrations", "version:varchar"));
	cr_expect_null(history_find("flyway"));
	cr_expect_eq(history_of_layout("dbmate"), history_find("dbmate"));
	cr_expect_eq(history_adapters()[0], history_find("golang-migrate"));
	cr_expect_null(history_adapters()[2]);
}

Test(history, golang_migrate_states)
{
	struct source source = source_of("golang-migrate", 5, golang_versions);
	struct history_state state = read_state("golang-migrate\n", &source);

	cr_expect_str_eq(applied(&state, &source), "00000");
	state = read_state("golang-migrate\n3 f\n", &source);
	cr_expect_str_eq(applied(&state, &source), "11100");
	cr_expect_eq(state.applied_count, 3);
	cr_expect_eq(state.unknowns, 0);
	state = read_state("golang-migrate\n10 t\n", &source);
	cr_expect(state.dirty);
	cr_expect_str_eq(state.dirty_version, "10");
	cr_expect_str_eq(applied(&state, &source), "11100");
	state = read_state("golang-migrate\n-1 t\n", &source);
	cr_expect(state.dirty);
	cr_expect_eq(state.unknowns, 0);
	state = read_state("golang-migrate\n15 f\n", &source);
	cr_expect_str_eq(applied(&state, &source), "11110");
	cr_assert_eq(state.unknowns, 1);
	cr_expect_str_eq(state.unknown[0], "15");
	state = read_state("golang-migrate\n2 f\n3 f\n", &source);
	cr_expect(state.dirty);
	state = read_state("none\n", &source);
	cr_expect_null(state.adapter);
	cr_expect_str_eq(applied(&state, &source), "00000");
}

Test(history, dbmate_states)
{
	struct source source = source_of("dbmate", 3, dbmate_versions);
	struct history_state state = read_state("dbmate\n20240101000000\n20240103000000\nx\ny\nz\n", &source);

	cr_expect_str_eq(applied(&state, &source), "101");
	cr_expect_eq(state.out_of_order, 1);
	cr_assert_eq(state.unknowns, 3);
	cr_expect_str_eq(state.unknown[2], "z");
}

Test(history, texts_that_are_no_state)
{
	static const char *const wrong[] = { "", "none", "flyway\n", "golang-migrate", "golang-migrate\n3", "golang-migrate\n3 x\n",
		                             "golang-migrate\na f\n", "golang-migrate\n\n", "dbmate" };
	struct source source = source_of("golang-migrate", 5, golang_versions);
	struct history_state state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_expect_eq(history_read_state(arena, wrong[i], strlen(wrong[i]), &source, &state, &err), -1, "%s", wrong[i]);
		cr_expect_eq(err.code, ERR_FORMAT);
		err_clear(&err);
	}
}

static const char *writes(const char *adapter, const char *before, const struct source *source, const char *after)
{
	struct history_state state = read_state(before, source);
	struct history_write *write;
	struct buf out = BUF_INIT(65536);
	bool set[8] = { false };
	size_t count;
	char *text;

	for (size_t i = 0; after[i]; i++)
		set[i] = after[i] == '1';
	cr_assert_eq(history_writes(arena, history_find(adapter), &state, source, set, &write, &count, &err), 0);
	for (size_t i = 0; i < count; i++)
		buf_add_format(&out, "%s [%s]; ", write[i].sql, write[i].tag);
	buf_add_text(&out, "-> ");
	cr_assert_eq(history_state_text(history_find(adapter), &state, source, set, &out, &err), 0);
	text = arena_text(arena, buf_text(&out), &err);
	buf_release(&out);
	return text;
}

Test(history, golang_migrate_writes)
{
	struct source source = source_of("golang-migrate", 5, golang_versions);

	cr_expect_str_eq(writes("golang-migrate", "golang-migrate\n2 f\n", &source, "11110"),
	                 "DELETE FROM schema_migrations [DELETE]; "
	                 "INSERT INTO schema_migrations (version, dirty) VALUES (10, false) [INSERT]; -> golang-migrate\n10 f\n");
	cr_expect_str_eq(writes("golang-migrate", "none\n", &source, "10000"),
	                 "DELETE FROM schema_migrations [DELETE]; "
	                 "INSERT INTO schema_migrations (version, dirty) VALUES (1, false) [INSERT]; -> golang-migrate\n1 f\n");
	cr_expect_str_eq(writes("golang-migrate", "golang-migrate\n1 f\n", &source, "00000"),
	                 "DELETE FROM schema_migrations [DELETE]; -> golang-migrate\n");
	cr_expect_str_eq(writes("golang-migrate", "golang-migrate\n3 f\n", &source, "11100"), "-> golang-migrate\n3 f\n");
	cr_expect_str_eq(writes("golang-migrate", "golang-migrate\n15 f\n", &source, "11110"), "-> golang-migrate\n15 f\n");
	cr_expect_str_eq(writes("golang-migrate", "golang-migrate\n15 f\n", &source, "11111"),
	                 "DELETE FROM schema_migrations [DELETE]; "
	                 "INSERT INTO schema_migrations (version, dirty) VALUES (20, false) [INSERT]; -> golang-migrate\n20 f\n");
}

Test(history, dbmate_writes)
{
	struct source source = source_of("dbmate", 3, dbmate_versions);

	cr_expect_str_eq(writes("dbmate", "dbmate\n20240102000000\n00\n", &source, "101"),
	                 "DELETE FROM schema_migrations WHERE version OPERATOR(pg_catalog.=) '20240102000000' [DELETE]; "
	                 "INSERT INTO schema_migrations (version) VALUES ('20240101000000') [INSERT]; "
	                 "INSERT INTO schema_migrations (version) VALUES ('20240103000000') [INSERT]; "
	                 "-> dbmate\n00\n20240101000000\n20240103000000\n");
	cr_expect_str_eq(writes("dbmate", "none\n", &source, "000"), "-> dbmate\n");
}

Test(history, native_lock_of_golang_migrate)
{
	int64_t id = 0;

	cr_expect(history_native_lock(history_find("golang-migrate"), "public", "app", &id));
	cr_expect_eq(id, 1787120056);
	cr_expect_not(history_native_lock(history_find("dbmate"), "public", "app", &id));
}

/* --- on a real server --- */

static struct session *open_session(void)
{
	struct session_options options = { .conninfo = "postgres", .host = getenv("PG_FIXTURE"), .user = "postgres",
		                           .application_name = "pgdocket/test/1" };
	struct session *session = NULL;

	cr_assert_eq(session_open(&options, &session, &err), 0, "%s", err.message);
	return session;
}

static void run(struct session *session, const char *sql)
{
	cr_assert_eq(session_run(session, sql, 0, NULL, 10000, &err), 0, "%s: %s", sql, err.message);
}

static const char *value(struct session *session, const char *sql)
{
	char *got = NULL;
	const char *copy;

	cr_assert_eq(session_value(session, sql, 0, NULL, 10000, &got, &err), 0, "%s: %s", sql, err.message);
	copy = arena_text(arena, got, &err);
	free(got);
	return copy;
}

static const char *for_schema(const char *sql, const char *quoted)
{
	const char *at = strstr(sql, "$schema");

	return arena_format(arena, &err, "%.*s%s%s", (int)(at - sql), sql, quoted, at + strlen("$schema"));
}

static const char *hex_of(const char *text)
{
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];

	digest_of(text, strlen(text), &digest);
	digest_hex(&digest, hex);
	return arena_text(arena, hex, &err);
}

/* All that the server says of the table is text, and nothing in front of pg_catalog changes it. */
static void expect_state(struct session *session, const struct history_adapter *adapter, const char *text)
{
	static const char quoted[] = "\"tenant \"\"x\"\"\"";

	run(session, "SELECT pg_catalog.set_config('search_path', 'evil, pg_catalog', false)");
	cr_expect_str_eq(value(session, for_schema(adapter->text_sql, quoted)), text);
	cr_expect_str_eq(value(session, for_schema(adapter->digest_sql, quoted)), hex_of(text));
	run(session, "SELECT pg_catalog.set_config('search_path', '\"tenant \"\"x\"\"\", pg_temp', false)");
	cr_expect_str_eq(value(session, adapter->guard_sql), hex_of(text));
	cr_expect_str_eq(value(session, adapter->guard_none_sql), "present");
}

/* Apply and take back, step by step: after every write the server's state is the text that was foreseen. */
static void walk(const char *name, const struct source *source, const char *const *steps, size_t count)
{
	const struct history_adapter *adapter = history_find(name);
	struct session *session = open_session();
	const char *text = "none\n";

	run(session, "DROP SCHEMA IF EXISTS \"tenant \"\"x\"\"\" CASCADE");
	run(session, "CREATE SCHEMA \"tenant \"\"x\"\"\"");
	run(session, "CREATE SCHEMA IF NOT EXISTS evil");
	run(session, "CREATE OR REPLACE FUNCTION evil.concat(VARIADIC \"any\") RETURNS text LANGUAGE internal AS 'text_concat'");
	run(session, "SELECT pg_catalog.set_config('search_path', '\"tenant \"\"x\"\"\", pg_temp', false)");
	cr_expect_str_eq(value(session, adapter->guard_none_sql), hex_of("none\n"));
	run(session, adapter->create_sql);
	run(session, "BEGIN");
	run(session, adapter->lock_sql);
	run(session, "COMMIT");
	for (size_t i = 0; i < count; i++) {
		struct history_state before = read_state(text, source);
		struct history_write *write;
		struct buf after = BUF_INIT(65536);
		bool set[8] = { false };
		size_t writes_count;
		for (size_t j = 0; steps[i][j]; j++)
			set[j] = steps[i][j] == '1';
		cr_assert_eq(history_writes(arena, adapter, &before, source, set, &write, &writes_count, &err), 0);
		for (size_t j = 0; j < writes_count; j++)
			run(session, write[j].sql);
		cr_assert_eq(history_state_text(adapter, &before, source, set, &after, &err), 0);
		text = arena_text(arena, buf_text(&after), &err);
		buf_release(&after);
		expect_state(session, adapter, text);
		before = read_state(text, source);
		cr_expect_str_eq(applied(&before, source), steps[i]);
	}
	session_close(session);
}

Test(history, golang_migrate_on_a_server)
{
	static const char *const steps[] = { "00000", "10000", "11110", "11111", "11000", "00000" };
	struct source source = source_of("golang-migrate", 5, golang_versions);

	walk("golang-migrate", &source, steps, sizeof steps / sizeof *steps);
}

Test(history, dbmate_on_a_server)
{
	static const char *const steps[] = { "000", "010", "111", "101", "000" };
	struct source source = source_of("dbmate", 3, dbmate_versions);

	walk("dbmate", &source, steps, sizeof steps / sizeof *steps);
}

Test(history, states_that_only_tools_write)
{
	const struct history_adapter *golang = history_find("golang-migrate"), *dbmate = history_find("dbmate");
	struct session *session = open_session();

	run(session, "CREATE SCHEMA g");
	run(session, "CREATE TABLE g.schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL, extra int)");
	run(session, "INSERT INTO g.schema_migrations VALUES (-1, true), (9223372036854775807, false), (7, false)");
	cr_expect_str_eq(value(session, for_schema(golang->text_sql, "g")),
	                 "golang-migrate\n-1 t\n7 f\n9223372036854775807 f\n");
	run(session, "CREATE SCHEMA d");
	run(session, "CREATE TABLE d.schema_migrations (version varchar(255) PRIMARY KEY)");
	run(session, "INSERT INTO d.schema_migrations VALUES ('b'), ('B'), ('10'), ('9'), ('é')");
	cr_expect_str_eq(value(session, for_schema(dbmate->text_sql, "d")), "dbmate\n10\n9\nB\nb\né\n");
	session_close(session);
}
