/* segment: one transactional segment on a real server: exactly once, nothing half done, every smuggling caught. */
#include "pg_fixture.h"

#include <string.h>
#include "clock.h"
#include "segment.h"
#include "sql.h"

/*
 * document_first_word_refused belongs to document.c; the programs here are meant to pass it, so that what stands behind
 * it is tried as well.
 */
static bool word_check_off;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char shape_sql[] =
	"SELECT n.oid, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg("
	"pg_catalog.concat(c.relname, '.', a.attname), ',' ORDER BY c.relname, a.attname), ''), 'UTF8')), 'hex') "
	"FROM pg_catalog.unnest($1::oid[]) n(oid) LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r' "
	"AND c.relname <> ALL ($2::text[]) LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 GROUP BY n.oid";

static struct session *admin, *opened[64];
static struct segment *engines[64];
static int sessions, runs;
static struct digest plan = { { 7 } }, head = { { 9 } };
static bool may = true;
static const char *path[] = { "$schema", "public" };
static const char *history[] = { "schema_migrations" };
static struct doc_pin pins[] = { { "TimeZone", "UTC" }, { "DateStyle", "ISO, MDY" } };
static const char *announced[] = { "public.counter", "public.parent" };
static struct doc_migration migration = { .version = "1", .name = "x", .file = "1_x.up.sql", .up = true };
static struct doc_step befores[] = {
	{ .text = "LOCK TABLE schema_migrations IN SHARE ROW EXCLUSIVE MODE", .tag = "LOCK TABLE" },
	{ .text = "SELECT pg_catalog.string_agg(version::text, ',') FROM schema_migrations", .answer = "0" },
};
static struct doc_step afters[] = {
	{ .text = "UPDATE schema_migrations SET version = 1", .tag = "UPDATE 1" },
	{ .text = "SELECT version::text FROM schema_migrations", .answer = "1" },
};
static struct doc_statement statements[8];
static struct doc_segment segment = { .number = 1, .transactional = true, .befores = COUNT(befores), .before = befores,
	                              .statement = statements, .afters = COUNT(afters), .after = afters,
	                              .migrations = 1, .migration = &migration };
static struct document document = { .lock_timeout_ms = 300, .statement_timeout_ms = 5000, .paths = 2, .path = path,
	                            .pins = COUNT(pins), .pin = pins, .shape_query = { .text = shape_sql },
	                            .history_tables = 1, .history_table = history };
static struct doc_schema schema = { .name = "tenant_a" };
static struct segment_job job = { .document = &document, .plan = &plan, .run = "00000000000000000000000000000000",
	                          .schema = &schema, .segment = &segment, .audit_head = &head };

static bool may_commit(void *context)
{
	(void)context;
	return may;
}

static struct session *open_session(void)
{
	struct session_options options = { .conninfo = "segment", .host = getenv("PG_FIXTURE"), .user = "applier" };
	struct session *session = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(session_open(&options, &session, &err), 0, "%s", err.message);
	return opened[sessions++] = session;
}

static void forget(struct session *session)
{
	session_close(session);
	for (int i = 0; i < sessions; i++)
		if (opened[i] == session)
			opened[i] = NULL;
}

static void end(void)
{
	for (int i = 0; i < sessions; i++)
		session_close(opened[i]);
	for (int i = 0; i < runs; i++)
		segment_free(engines[i]);
	session_close(admin);
}

TestSuite(segment, .fini = end);

static void as_admin(const char *sql)
{
	struct err err = ERR_INIT;

	cr_assert_eq(session_script(admin, sql, 20000, &err), 0, "%s: %s", sql, err.message);
}

static char *value(const char *sql)
{
	struct err err = ERR_INIT;
	char *text = NULL;

	cr_assert_eq(session_value(admin, sql, 0, NULL, 5000, &text, &err), 0, "%s", err.message);
	return text;
}

static int64_t oid_of(const char *name)
{
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT '%s'::pg_catalog.regnamespace::oid", name);
	char *text = value(sql);
	int64_t oid = strtoll(text, NULL, 10);
	free(text);
	return oid;
}

#define EXPECT(sql, text) do { char *got_ = value(sql); cr_expect_str_eq(got_, text, "%s: %s", sql, got_); free(got_); } while (0)

static void begin(void)
{
	struct session_options options = { .conninfo = "postgres", .host = getenv("PG_FIXTURE"), .user = "postgres" };
	struct err err = ERR_INIT;

	cr_assert_eq(session_open(&options, &admin, &err), 0, "%s", err.message);
	as_admin("DROP DATABASE IF EXISTS segment WITH (FORCE)");
	as_admin("CREATE DATABASE segment");
	session_close(admin);
	options.conninfo = "segment";
	cr_assert_eq(session_open(&options, &admin, &err), 0, "%s", err.message);
	as_admin(sql_ledger_make);
	as_admin("DO $$ BEGIN CREATE ROLE applier LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
	         "ALTER TABLE pgdocket.applied OWNER TO pgdocket_owner; ALTER TABLE pgdocket.finished OWNER TO pgdocket_owner;"
	         "GRANT USAGE ON SCHEMA pgdocket TO applier; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA pgdocket TO applier;"
	         "CREATE SCHEMA tenant_a AUTHORIZATION applier; CREATE SCHEMA tenant_b AUTHORIZATION applier; GRANT CREATE ON DATABASE segment TO applier;"
	         "CREATE TABLE tenant_a.schema_migrations (version int); INSERT INTO tenant_a.schema_migrations VALUES (0);"
	         "CREATE TABLE tenant_b.schema_migrations (version int); INSERT INTO tenant_b.schema_migrations VALUES (0);"
	         "ALTER TABLE tenant_a.schema_migrations OWNER TO applier; ALTER TABLE tenant_b.schema_migrations OWNER TO applier;"
	         "CREATE TABLE public.counter (n int); GRANT ALL ON public.counter TO applier; GRANT CREATE ON SCHEMA public TO applier");
	schema.name = "tenant_a";
	schema.oid = job.oid = oid_of("tenant_a");
	job.may_commit = may_commit;
	segment.statements = 0;
}

static void add(const char *text, const char *tag)
{
	struct doc_statement *s = &statements[segment.statements++];

	memset(s, 0, sizeof *s);
	s->number = (int)segment.statements;
	s->line = 10 * s->number;
	s->locks = COUNT(announced);
	s->lock = announced;
	s->step.text = text;
	s->step.text_len = word_check_off ? 0 : strlen(text);
	s->step.tag = tag;
}

static const struct segment_result *run(struct session *session)
{
	struct err err = ERR_INIT;
	struct segment *engine = segment_new(&err);

	cr_assert_not_null(engine);
	engines[runs++] = engine;
	segment_start(engine, session, &job);
	while (!segment_advance(engine, clock_monotonic_us()))
		cr_assert_eq(session_wait(&session, 1, 100, &err), 0);
	return segment_result(engine);
}

static struct session *ready(void)
{
	struct session *session = open_session();
	struct err err = ERR_INIT;

	cr_assert_eq(segment_open_session(session, &document, &err), 0, "%s", err.message);
	return session;
}

static void expect_nothing_left(void)
{
	EXPECT("SELECT count(*) FROM pgdocket.applied", "0");
	EXPECT("SELECT count(*) FROM pgdocket.finished", "0");
	EXPECT("SELECT count(*) FROM public.counter", "0");
	EXPECT("SELECT version FROM tenant_a.schema_migrations", "0");
	EXPECT("SELECT count(*) FROM pg_prepared_xacts", "0");
	EXPECT("SELECT to_regclass('tenant_a.t') IS NULL", "t");
}

static void expect_done(void)
{
	EXPECT("SELECT count(*) FROM pgdocket.applied", "1");
	EXPECT("SELECT count(*) FROM pgdocket.finished", "1");
	EXPECT("SELECT count(*) FROM public.counter", "1");
	EXPECT("SELECT version FROM tenant_a.schema_migrations", "1");
}

static void good_program(void)
{
	add("CREATE TABLE t (id int)", "CREATE TABLE");
	add("INSERT INTO counter VALUES (1)", "INSERT");
	add("SELECT g FROM generate_series(1, 5000) g", "SELECT");
}

Test(segment, commits_once)
{
	begin();
	good_program();
	struct session *s = ready();
	const struct segment_result *r = run(s);

	cr_expect_eq(r->outcome, SEGMENT_COMMITTED, "%s", r->error.message);
	cr_expect_not(r->spent);
	cr_expect(r->has_shape);
	cr_expect_gt(r->xid, 0);
	expect_done();
	EXPECT("SELECT encode(audit_head, 'hex') = '09' || repeat('00', 31) FROM pgdocket.finished", "t");
	r = run(s);
	cr_expect_eq(r->outcome, SEGMENT_DONE_BEFORE, "%s", r->error.message);
	cr_expect_not(r->spent);
	expect_done();
}

Test(segment, goes_on_to_the_next_schema_with_a_clean_session)
{
	begin();
	add("SELECT set_config('DateStyle', 'SQL', false), set_config('lock_timeout', '1', false)", "SELECT");
	add("CREATE TEMP TABLE leftover (x int)", "CREATE TABLE");
	struct session *s = ready();
	cr_expect_eq(run(s)->outcome, SEGMENT_COMMITTED);
	segment.statements = 0;
	good_program();
	add("SELECT 1 / CASE WHEN current_setting('lock_timeout') = '300ms' AND to_regclass('pg_temp.leftover') IS NULL THEN 1 ELSE 0 END", NULL);
	schema.name = "tenant_b";
	job.oid = oid_of("tenant_b");
	job.reset = true;
	const struct segment_result *r = run(s);
	cr_expect_eq(r->outcome, SEGMENT_COMMITTED, "%s", r->error.message);
	EXPECT("SELECT version FROM tenant_b.schema_migrations", "1");
	EXPECT("SELECT count(*) FROM pgdocket.finished", "2");
}

/* Before the claim nothing can have happened: another session may take the schema at once. */
Test(segment, a_session_that_cannot_be_reset_begins_nothing)
{
	begin();
	as_admin("GRANT pg_monitor TO applier");
	job.reset = true;
	for (int lost = 0; lost < 2; lost++) {
		segment.statements = 0;
		good_program();
		struct session *s = ready();
		struct rows *rows = NULL;
		struct err err = ERR_INIT;
		if (lost)
			as_admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'applier'");
		else
			cr_assert_eq(session_queue(s, NULL, "SET ROLE pg_monitor", 0, NULL, &err) || session_queue_sync(s, &err), 0);
		for (enum session_event e = SESSION_WAIT; !lost && e != SESSION_SYNCED; rows_free(rows)) {
			cr_assert_eq(session_wait(&s, 1, 1000, &err), 0);
			e = session_next(s, &rows, &err);
		}
		const struct segment_result *r = run(s);
		cr_expect_eq(r->outcome, SEGMENT_NOT_BEGUN, "%s", r->error.message);
		cr_expect(r->spent);
		expect_nothing_left();
		forget(s);
	}
	const struct segment_result *r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_COMMITTED, "%s", r->error.message);
	expect_done();
}

Test(segment, what_is_reached_unannounced_is_taken_back)
{
	static const char *const reaching[] = {
		"DO $$ BEGIN INSERT INTO public.other VALUES (1); END $$",
		"DO $$ BEGIN CREATE TABLE public.fresh (x int); END $$",
		"DO $$ BEGIN DROP TABLE public.other; END $$",
		"SELECT set_config('search_path', 'public', true)",
		"SELECT set_config('role', 'pg_monitor', false)",
	};
	begin();
	as_admin("GRANT pg_monitor TO applier; CREATE TABLE public.other (x int); ALTER TABLE public.other OWNER TO applier");
	document.shared_schema = "public";
	for (size_t i = 0; i < COUNT(reaching); i++) {
		segment.statements = 0;
		good_program();
		add(reaching[i], NULL);
		struct session *s = ready();
		const struct segment_result *r = run(s);
		cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK, "%s", reaching[i]);
		cr_expect_str_eq(r->error.reason, "reach", "%s: %s", reaching[i], r->error.message);
		forget(s);
		expect_nothing_left();
		EXPECT("SELECT count(*) FROM public.other", "0");
	}
	static const char *all[] = { "*" };
	segment.statements = 0;
	good_program();
	add("INSERT INTO public.other VALUES (1)", NULL);
	statements[0].lock = all;
	statements[0].locks = 1;
	cr_expect_eq(run(ready())->outcome, SEGMENT_COMMITTED);
}

Test(segment, an_error_leaves_nothing_and_names_the_statement)
{
	begin();
	good_program();
	add("SELECT 1/0", NULL);
	add("CREATE TABLE behind (x int)", "CREATE TABLE");
	struct session *s = ready();
	const struct segment_result *r = run(s);

	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.sqlstate, "22012");
	cr_assert_not_null(r->statement);
	cr_expect_eq(r->statement->number, 4);
	cr_expect_not(r->spent);
	expect_nothing_left();
	segment.statements = 3;
	cr_expect_eq(run(s)->outcome, SEGMENT_COMMITTED);
	expect_done();
}

Test(segment, another_state_is_drift)
{
	begin();
	good_program();
	as_admin("UPDATE tenant_a.schema_migrations SET version = 5");
	const struct segment_result *r = run(ready());

	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_eq(r->error.code, ERR_REFUSED);
	cr_expect_str_eq(r->error.reason, "drift");
	cr_expect_not(r->spent);
	EXPECT("SELECT count(*) FROM pgdocket.applied", "0");
}

Test(segment, another_shape_is_refused)
{
	struct digest other = { { 1 } };

	begin();
	good_program();
	job.shape_after = &other;
	const struct segment_result *r = run(ready());

	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.reason, "shape");
	expect_nothing_left();
	job.shape_after = NULL;
	job.shape_before = &other;
	r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.reason, "drift");
	expect_nothing_left();
}

Test(segment, a_schema_that_is_gone_or_another_fills_nothing_else)
{
	begin();
	good_program();
	as_admin("DROP SCHEMA tenant_a CASCADE");
	const struct segment_result *r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.reason, "drift");
	EXPECT("SELECT to_regclass('public.t') IS NULL", "t");
	as_admin("CREATE SCHEMA tenant_a AUTHORIZATION applier");
	r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.reason, "drift");
	EXPECT("SELECT to_regclass('public.t') IS NULL AND to_regclass('tenant_a.t') IS NULL", "t");
}

Test(segment, makes_a_schema)
{
	struct doc_step create[] = { { .text = "CREATE TABLE schema_migrations (version int)", .tag = "CREATE TABLE" },
		                     { .text = "INSERT INTO schema_migrations VALUES (0)", .tag = "INSERT 0 1" } };

	begin();
	good_program();
	schema.name = "tenant \"new\"";
	job.oid = 0;
	segment.before = create;
	segment.befores = 2;
	const struct segment_result *r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_COMMITTED, "%s", r->error.message);
	cr_expect_gt(r->oid, 0);
	EXPECT("SELECT schema_name FROM pgdocket.applied", "tenant \"new\"");
	EXPECT("SELECT count(*) FROM \"tenant \"\"new\"\"\".t", "0");
}

Test(segment, locks_are_waited_for_no_longer_than_lock_timeout)
{
	begin();
	good_program();
	as_admin("BEGIN; LOCK TABLE tenant_a.schema_migrations IN ACCESS EXCLUSIVE MODE");
	struct session *s = ready();
	const struct segment_result *r = run(s);
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.sqlstate, "55P03");
	cr_expect_not(r->spent);
	as_admin("ROLLBACK");
	cr_expect_eq(run(s)->outcome, SEGMENT_COMMITTED);
	expect_done();
}

Test(segment, native_lock_is_tried_not_waited_for)
{
	begin();
	good_program();
	schema.has_native_lock = true;
	schema.native_lock = 4711;
	as_admin("SELECT pg_advisory_lock(4711)");
	struct session *s = ready();
	const struct segment_result *r = run(s);
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.sqlstate, "55P03");
	as_admin("SELECT pg_advisory_unlock(4711)");
	cr_expect_eq(run(s)->outcome, SEGMENT_COMMITTED);
	schema.has_native_lock = false;
}

Test(segment, stops_before_its_commit_when_told)
{
	begin();
	good_program();
	may = false;
	struct session *s = ready();
	const struct segment_result *r = run(s);
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect(r->stopped);
	expect_nothing_left();
}

Test(segment, first_words_are_refused)
{
	static const char *const words[] = { "COMMIT", "/* x */ rollback", "-- y\nCOPY counter FROM STDIN", "SET search_path = public" };

	begin();
	for (size_t i = 0; i < COUNT(words); i++) {
		segment.statements = 0;
		good_program();
		add(words[i], NULL);
		struct session *s = ready();
		const struct segment_result *r = run(s);
		cr_expect_eq(r->outcome, SEGMENT_UNKNOWN, "%s: %s", words[i], r->error.message);
		cr_expect_eq(r->error.code, ERR_REFUSED);
		cr_expect(r->spent);
		forget(s);
		expect_nothing_left();
	}
}

/* With the first-word check out of the way: what must not end a transaction leaves nothing behind all the same. */
Test(segment, smuggled_transaction_control_leaves_nothing)
{
	static const char *const smuggled[][2] = {
		{ "COMMIT", NULL }, { "COMMIT AND CHAIN", NULL }, { "ROLLBACK AND CHAIN", NULL }, { "ROLLBACK", "BEGIN" },
		{ "PREPARE TRANSACTION 'x'", NULL }, { "END", "BEGIN" }, { "COPY counter FROM STDIN", NULL },
		{ "COPY counter TO STDOUT", NULL }, { "ROLLBACK", NULL },
	};

	begin();
	word_check_off = true;
	for (size_t i = 0; i < COUNT(smuggled); i++) {
		segment.statements = 0;
		good_program();
		add(smuggled[i][0], NULL);
		if (smuggled[i][1])
			add(smuggled[i][1], NULL);
		add("CREATE TABLE smuggled (x int)", "CREATE TABLE");
		struct session *s = ready();
		const struct segment_result *r = run(s);
		cr_expect(r->outcome == SEGMENT_ROLLED_BACK || r->outcome == SEGMENT_UNKNOWN, "%s", smuggled[i][0]);
		forget(s);
		expect_nothing_left();
		EXPECT("SELECT to_regclass('tenant_a.smuggled') IS NULL AND to_regclass('public.smuggled') IS NULL", "t");
	}
}

Test(segment, a_deferred_violation_at_commit_is_unknown_until_the_ledger_is_read)
{
	begin();
	good_program();
	as_admin("CREATE TABLE public.parent (id int PRIMARY KEY); GRANT ALL ON public.parent TO applier");
	add("CREATE TABLE child (id int REFERENCES public.parent DEFERRABLE INITIALLY DEFERRED)", "CREATE TABLE");
	add("INSERT INTO child VALUES (1)", "INSERT");
	const struct segment_result *r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_UNKNOWN);
	cr_expect_str_eq(r->error.sqlstate, "23503");
	expect_nothing_left();
}

Test(segment, a_lost_connection_is_unknown)
{
	begin();
	good_program();
	add("SELECT pg_terminate_backend(pg_backend_pid())", NULL);
	const struct segment_result *r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_UNKNOWN);
	cr_expect(r->spent);
	expect_nothing_left();
}

Test(segment, deadline_cancels)
{
	begin();
	good_program();
	add("SELECT set_config('statement_timeout', '0', true), pg_sleep(30)", NULL);
	add("SELECT pg_sleep(30)", NULL);
	document.statement_timeout_ms = 300;
	int64_t start = clock_monotonic_us();
	const struct segment_result *r = run(ready());
	cr_expect_eq(r->outcome, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.sqlstate, "57014");
	cr_expect_lt(clock_monotonic_us() - start, 15000000);
	expect_nothing_left();
}

/* --- statements that are sent alone --- */

static const char probe_index[] =
	"SELECT CASE WHEN i.indexrelid IS NULL THEN 'open' WHEN i.indisvalid AND i.indisready THEN 'done' ELSE 'broken' END, "
	"CASE WHEN NOT i.indisvalid THEN 'ix' END "
	"FROM (VALUES (1)) one(row) LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = pg_catalog.to_regclass('ix')";

static void alone(const char *text, const char *tag, const char *probe)
{
	segment.statements = 0;
	add(text, tag);
	statements[0].locks = 0;
	segment.transactional = false;
	segment.alone = (struct doc_alone){ .object = "ix", .has_probe = probe != NULL,
		                            .probe = { .text = probe, .answer = "open" } };
}

static void begin_alone(void)
{
	begin();
	as_admin("CREATE TABLE tenant_a.t (id int); ALTER TABLE tenant_a.t OWNER TO applier; INSERT INTO tenant_a.t VALUES (1), (2)");
	alone("CREATE UNIQUE INDEX CONCURRENTLY ix ON t (id)", "CREATE INDEX", probe_index);
}

static void expect_index(void)
{
	EXPECT("SELECT count(*) FROM pg_index WHERE indrelid = 'tenant_a.t'::regclass AND indisvalid", "1");
	EXPECT("SELECT count(*) FROM pg_index WHERE indrelid = 'tenant_a.t'::regclass", "1");
	EXPECT("SELECT count(*) FROM pgdocket.finished", "1");
	EXPECT("SELECT count(*) FROM pgdocket.intent", "1");
	EXPECT("SELECT version FROM tenant_a.schema_migrations", "1");
}

static void expect_no_index(const char *intents)
{
	EXPECT("SELECT count(*) FROM pg_index WHERE indrelid = 'tenant_a.t'::regclass", "0");
	EXPECT("SELECT count(*) FROM pgdocket.applied", "0");
	EXPECT("SELECT count(*) FROM pgdocket.intent", intents);
	EXPECT("SELECT version FROM tenant_a.schema_migrations", "0");
}

static void expect_outcome(const struct segment_result *r, enum segment_outcome outcome)
{
	cr_expect_eq(r->outcome, outcome, "%d: %s", r->outcome, r->error.message);
}

Test(segment, a_statement_alone_is_done_once)
{
	begin_alone();
	for (int reset = 0; reset < 2; reset++) {
		struct session *s = ready();
		job.reset = reset;
		const struct segment_result *r = run(s);
		expect_outcome(r, SEGMENT_COMMITTED);
		cr_expect(r->has_shape);
		cr_expect_not(r->spent);
		expect_index();
		as_admin("DROP INDEX tenant_a.ix; TRUNCATE pgdocket.applied, pgdocket.finished, pgdocket.intent;"
		         "UPDATE tenant_a.schema_migrations SET version = 0");
	}
}

Test(segment, what_stands_in_the_way_of_a_statement_alone_is_told)
{
	begin_alone();
	as_admin("CREATE INDEX ix ON tenant_a.t (id)");
	const struct segment_result *r = run(ready());
	expect_outcome(r, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.reason, "probe");
	cr_expect(strstr(r->error.message, "done"), "%s", r->error.message);
	EXPECT("SELECT count(*) FROM pgdocket.intent", "0");
	as_admin("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tenant_a.ix'::regclass");
	r = run(ready());
	expect_outcome(r, SEGMENT_ROLLED_BACK);
	cr_expect(strstr(r->error.message, "broken"), "%s", r->error.message);
	EXPECT("SELECT count(*) FROM pgdocket.intent", "0");
}

Test(segment, a_statement_alone_that_fails_is_cleaned_up_and_can_be_tried_again)
{
	begin_alone();
	as_admin("INSERT INTO tenant_a.t VALUES (2)");
	struct session *s = ready();
	const struct segment_result *r = run(s);
	expect_outcome(r, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.sqlstate, "23505", "%s", r->error.message);
	cr_assert_not_null(r->statement);
	expect_no_index("1");
	as_admin("DELETE FROM tenant_a.t WHERE ctid = (SELECT max(ctid) FROM tenant_a.t)");
	job.reset = true;
	expect_outcome(run(s), SEGMENT_COMMITTED);
	expect_index();
}

Test(segment, a_statement_alone_is_resumed_from_what_is_there)
{
	static const char *const left[] = {
		"SELECT 1",
		"CREATE UNIQUE INDEX ix ON tenant_a.t (id)",
		"CREATE UNIQUE INDEX ix ON tenant_a.t (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tenant_a.ix'::regclass",
	};
	begin_alone();
	for (size_t i = 0; i < COUNT(left); i++) {
		char intent[200];
		snprintf(intent, sizeof intent,
		         "INSERT INTO pgdocket.intent VALUES ('\\x07' || repeat('\\000', 31)::bytea, %lld, 1, 'other', 'ix')", (long long)job.oid);
		as_admin(intent);
		as_admin(left[i]);
		as_admin("ALTER INDEX IF EXISTS tenant_a.ix OWNER TO applier");
		const struct segment_result *r = run(ready());
		expect_outcome(r, SEGMENT_COMMITTED);
		expect_index();
		as_admin("DROP INDEX tenant_a.ix; TRUNCATE pgdocket.applied, pgdocket.finished, pgdocket.intent;"
		         "UPDATE tenant_a.schema_migrations SET version = 0");
	}
}

/* The run ends between the intent and the statement. */
static bool may_commit_once(void *context)
{
	int *asked = context;
	return (*asked)++ == 0;
}

Test(segment, nothing_is_sent_alone_once_the_run_is_to_end)
{
	int asked = 0;
	begin_alone();
	job.may_commit = may_commit_once;
	job.context = &asked;
	const struct segment_result *r = run(ready());
	expect_outcome(r, SEGMENT_ROLLED_BACK);
	cr_expect(r->stopped);
	cr_expect_eq(r->error.code, ERR_INTERRUPTED);
	expect_no_index("1");
	job.may_commit = may_commit;
	expect_outcome(run(ready()), SEGMENT_COMMITTED);
	expect_index();
}

Test(segment, a_statement_alone_without_probe_runs_and_runs_again)
{
	begin_alone();
	alone("VACUUM t", "VACUUM", NULL);
	expect_outcome(run(ready()), SEGMENT_COMMITTED);
	EXPECT("SELECT count(*) FROM pgdocket.finished", "1");
}

Test(segment, a_statement_alone_whose_probe_denies_it_is_not_done)
{
	begin_alone();
	alone("VACUUM t", "VACUUM", "SELECT 'open', NULL");
	const struct segment_result *r = run(ready());
	expect_outcome(r, SEGMENT_ROLLED_BACK);
	cr_expect_str_eq(r->error.reason, "probe");
	EXPECT("SELECT count(*) FROM pgdocket.finished", "0");
	alone("VACUUM t", "VACUUM", "SELECT 'perhaps', NULL");
	r = run(ready());
	expect_outcome(r, SEGMENT_ROLLED_BACK);
	cr_expect(strstr(r->error.message, "perhaps"), "%s", r->error.message);
	alone("VACUUM t", "VACUUM", "SELECT 'ready', NULL");
	expect_outcome(run(ready()), SEGMENT_COMMITTED);
}

/* Somebody's snapshot makes the build wait; then the backend is ended, or the statement cancelled. */
Test(segment, a_statement_alone_that_is_interrupted_leaves_nothing_broken)
{
	static const char *const how[] = { "pg_terminate_backend", "pg_cancel_backend" };
	struct session_options options = { .conninfo = "segment", .host = getenv("PG_FIXTURE"), .user = "postgres" };
	struct err err = ERR_INIT;
	begin_alone();
	for (size_t i = 0; i < COUNT(how); i++) {
		struct session *holder = NULL, *s = ready();
		struct segment *engine = segment_new(&err);
		char sql[300];
		engines[runs++] = engine;
		cr_assert_eq(session_open(&options, &holder, &err), 0);
		opened[sessions++] = holder;
		cr_assert_eq(session_script(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM tenant_a.t", 5000, &err), 0);
		segment_start(engine, s, &job);
		for (bool waits = false; !waits && !segment_advance(engine, clock_monotonic_us());) {
			cr_assert_eq(session_wait(&s, 1, 50, &err), 0);
			char *text = value("SELECT count(*) FROM pg_locks WHERE locktype = 'virtualxid' AND NOT granted");
			waits = *text == '1';
			free(text);
		}
		snprintf(sql, sizeof sql, "SELECT %s(%d)", how[i], session_backend_pid(s));
		as_admin(sql);
		as_admin("SELECT pg_sleep(0.3)");
		cr_assert_eq(session_script(holder, "COMMIT", 5000, &err), 0);
		while (!segment_advance(engine, clock_monotonic_us()))
			cr_assert_eq(session_wait(&s, 1, 50, &err), 0);
		const struct segment_result *r = segment_result(engine);
		expect_outcome(r, i ? SEGMENT_ROLLED_BACK : SEGMENT_UNKNOWN);
		cr_expect_str_eq(r->error.sqlstate, i ? "57014" : "57P01", "%s", r->error.message);
		if (i)
			expect_no_index("1");
		expect_outcome(run(ready()), SEGMENT_COMMITTED);
		expect_index();
		as_admin("DROP INDEX tenant_a.ix; TRUNCATE pgdocket.applied, pgdocket.finished, pgdocket.intent;"
		         "UPDATE tenant_a.schema_migrations SET version = 0");
	}
}
