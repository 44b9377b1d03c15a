/* session: precedence of parameters, pins, shapes of answers, deadlines, pipelines, on a real server. */
#include "pg_fixture.h"

#include <string.h>
#include "clock.h"
#include "session.h"

static struct session *open_session(const char *conninfo)
{
	struct session_options options = { .conninfo = conninfo, .host = getenv("PG_FIXTURE"), .user = "postgres",
		                           .application_name = "pgdocket/test/1" };
	struct session *session = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(session_open(&options, &session, &err), 0, "%s", err.message);
	return session;
}

static char *value(struct session *session, const char *sql)
{
	struct err err = ERR_INIT;
	char *text = NULL;

	cr_assert_eq(session_value(session, sql, 0, NULL, 5000, &text, &err), 0, "%s", err.message);
	return text;
}

#define EXPECT(session, sql, text) do { char *got_ = value(session, sql); cr_expect_str_eq(got_, text); free(got_); } while (0)

Test(session, pins_what_it_promises)
{
	struct session *s = open_session("postgres");

	EXPECT(s, "SHOW client_encoding", "UTF8");
	EXPECT(s, "SHOW search_path", "pg_catalog, pg_temp");
	EXPECT(s, "SHOW TimeZone", "UTC");
	EXPECT(s, "SHOW jit", "off");
	EXPECT(s, "SHOW client_connection_check_interval", "1s");
	EXPECT(s, "SHOW application_name", "pgdocket/test/1");
	cr_expect_gt(session_server_version(s), 120000);
	cr_expect_not_null(strstr(session_describe(s), "user=postgres"));
	session_close(s);
}

Test(session, d_beats_file_beats_environment)
{
	struct session_options o = { .conninfo_text = "user=nobody application_name=file dbname=template1\n",
		                     .conninfo = "user=postgres" };
	struct session *s = NULL;
	struct err err = ERR_INIT;

	setenv("PGHOST", getenv("PG_FIXTURE"), 1);
	setenv("PGDATABASE", "nowhere", 1);
	setenv("PGUSER", "nowhere", 1);
	cr_assert_eq(session_open(&o, &s, &err), 0, "%s", err.message);
	EXPECT(s, "SELECT session_user", "postgres");
	EXPECT(s, "SELECT current_database()", "template1");
	EXPECT(s, "SHOW application_name", "file");
	session_close(s);
}

/* Of two hosts the one that takes writes; an address of a lower level is not used for another host. */
Test(session, host_beats_address)
{
	char hosts[300];
	struct session_options o = { .conninfo_text = "hostaddr=192.0.2.1 dbname=template1", .host = hosts,
		                     .user = "postgres" };
	struct session *s = NULL;
	struct err err = ERR_INIT;

	snprintf(hosts, sizeof hosts, "/nowhere,%s", getenv("PG_FIXTURE"));
	cr_assert_eq(session_open(&o, &s, &err), 0, "%s", err.message);
	session_close(s);
}

Test(session, a_bad_string_is_not_echoed)
{
	struct session_options o = { .conninfo = "password=hunter2 nonsense" };
	struct session *s = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(session_open(&o, &s, &err), -1);
	cr_expect_eq(err.code, ERR_USAGE);
	cr_expect_null(strstr(err.message, "hunter2"));
}

Test(session, refuses_other_encodings)
{
	struct session *s = open_session("postgres");
	struct session_options o = { .conninfo = "latin", .host = getenv("PG_FIXTURE"), .user = "postgres" };
	struct session *t = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(session_run(s, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", 0,
	                         NULL, 20000, &err), 0, "%s", err.message);
	cr_expect_eq(session_open(&o, &t, &err), -1);
	cr_expect_eq(err.code, ERR_UNFIT);
	session_close(s);
}

Test(session, server_errors_carry_their_state)
{
	struct session *s = open_session("postgres");
	struct err err = ERR_INIT;

	cr_expect_eq(session_run(s, "SELECT 1/0", 0, NULL, 5000, &err), -1);
	cr_expect_eq(err.code, ERR_SERVER);
	cr_expect_str_eq(err.sqlstate, "22012");
	cr_expect_str_eq(err.message, "division by zero");
	err_clear(&err);
	cr_expect_eq(session_run(s, "SELECT 1; SELECT 2", 0, NULL, 5000, &err), -1);
	cr_expect_str_eq(err.sqlstate, "42601");
	EXPECT(s, "SELECT 7", "7");
	session_close(s);
}

Test(session, deadline_cancels)
{
	struct session *s = open_session("postgres");
	struct err err = ERR_INIT;
	int64_t start = clock_monotonic_us();

	cr_expect_eq(session_run(s, "SELECT pg_sleep(20)", 0, NULL, 300, &err), -1);
	cr_expect_str_eq(err.sqlstate, "57014");
	cr_expect_lt(clock_monotonic_us() - start, 3000000);
	cr_expect(session_lost(s));
	session_close(s);
}

Test(session, rows_and_nulls)
{
	struct session *s = open_session("postgres");
	const char *param[] = { "3", NULL };
	struct rows *rows = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(session_rows(s, "SELECT g, $2::text, g > 1 FROM generate_series(1, $1::int) g ORDER BY g", 2, param, 5000,
	                          &rows, &err), 0, "%s", err.message);
	cr_expect_eq(rows_count(rows), 3);
	cr_expect_eq(rows_columns(rows), 3);
	cr_expect_eq(rows_int64(rows, 2, 0), 3);
	cr_expect_null(rows_text(rows, 0, 1));
	cr_expect_not(rows_bool(rows, 0, 2));
	cr_expect(rows_bool(rows, 1, 2));
	cr_expect_str_eq(rows_tag(rows), "SELECT 3");
	rows_free(rows);
	session_close(s);
}

/* The next event, waiting for it; rows are freed. */
static enum session_event event(struct session *s, char tag[32])
{
	struct rows *rows = NULL;
	struct err err = ERR_INIT;
	enum session_event e;

	while ((e = session_next(s, &rows, &err)) == SESSION_WAIT)
		cr_assert_eq(session_wait(&s, 1, 5000, &err), 0);
	snprintf(tag, 32, "%s", rows ? rows_tag(rows) : err.sqlstate);
	rows_free(rows);
	return e;
}

Test(session, pipeline_skips_behind_an_error)
{
	struct session *s = open_session("postgres");
	struct err err = ERR_INIT;
	char tag[32];

	cr_assert_eq(session_pipeline_enter(s, &err), 0);
	cr_assert(!session_queue(s, NULL, "BEGIN", 0, NULL, &err) && !session_queue_prepare(s, "q", "SELECT $1::int", &err));
	cr_assert_eq(session_queue_flush(s, &err), 0);
	cr_expect_eq(event(s, tag), SESSION_RESULT);
	cr_expect_str_eq(tag, "BEGIN");
	cr_expect_eq(event(s, tag), SESSION_RESULT);
	const char *one[] = { "1" };
	cr_assert(!session_queue(s, "q", NULL, 1, one, &err) && !session_queue(s, NULL, "SELECT 1/0", 0, NULL, &err) &&
	          !session_queue(s, NULL, "COMMIT", 0, NULL, &err) && !session_queue_sync(s, &err));
	cr_expect_eq(event(s, tag), SESSION_RESULT);
	cr_expect_eq(event(s, tag), SESSION_FAILED);
	cr_expect_str_eq(tag, "22012");
	cr_expect_eq(event(s, tag), SESSION_SKIPPED);
	cr_expect_eq(event(s, tag), SESSION_SYNCED);
	cr_expect_eq(session_transaction(s), SESSION_IN_ERROR);
	cr_assert(!session_queue(s, NULL, "ROLLBACK", 0, NULL, &err) && !session_queue_sync(s, &err));
	cr_expect_eq(event(s, tag), SESSION_RESULT);
	cr_expect_eq(event(s, tag), SESSION_SYNCED);
	cr_expect_eq(session_transaction(s), SESSION_IDLE);
	session_close(s);
}

Test(session, pipeline_drops_rows_that_nobody_wants)
{
	struct session *s = open_session("postgres");
	struct err err = ERR_INIT;
	char tag[32];

	cr_assert_eq(session_pipeline_enter(s, &err), 0);
	session_discard_rows(s, true);
	cr_assert(!session_queue(s, NULL, "SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g", 0, NULL, &err) &&
	          !session_queue(s, NULL, "SELECT 5", 0, NULL, &err) && !session_queue_sync(s, &err));
	cr_expect_eq(event(s, tag), SESSION_RESULT);
	cr_expect_str_eq(tag, "SELECT 20000");
	session_discard_rows(s, false);
	cr_expect_eq(event(s, tag), SESSION_RESULT);
	cr_expect_str_eq(tag, "SELECT 1");
	cr_expect_eq(event(s, tag), SESSION_SYNCED);
	session_close(s);
}

Test(session, copy_and_loss_are_told_apart)
{
	struct session *s = open_session("postgres"), *t = open_session("postgres");
	struct err err = ERR_INIT;
	char tag[32], kill[80];

	cr_assert(!session_pipeline_enter(s, &err) && !session_pipeline_enter(t, &err));
	cr_assert(!session_queue(s, NULL, "SELECT pg_sleep(10)", 0, NULL, &err) && !session_queue_sync(s, &err));
	snprintf(kill, sizeof kill, "SELECT pg_terminate_backend(%d)", session_backend_pid(s));
	cr_assert(!session_queue(t, NULL, kill, 0, NULL, &err) && !session_queue_sync(t, &err));
	cr_expect_eq(event(t, tag), SESSION_RESULT);
	enum session_event e = event(s, tag);
	cr_expect(e == SESSION_LOST || (e == SESSION_FAILED && strcmp(tag, "57P01") == 0));
	cr_expect_eq(event(s, tag), SESSION_LOST);
	cr_expect(session_lost(s));
	session_close(s);
	session_close(t);
}
