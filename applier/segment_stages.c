/*
 * The three stages of a segment as lists: what is queued, in PROTOCOL.md's order, and what each
 * answer must be. It queues and judges; it never reads from the session and knows no transaction.
 */
#include "segment_stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "quote.h"
#include "sql.h"

#define ARRAY_MAX (64u << 10)

enum check {
	CHECK_NONE,
	CHECK_SYNC,
	CHECK_ANY,
	CHECK_TAG,
	CHECK_APPLIED,
	CHECK_STEP,
	CHECK_STATEMENT,
	CHECK_SHAPE_BEFORE,
	CHECK_SHAPE_AFTER,
	CHECK_REACH_BEFORE,
	CHECK_REACH,
	CHECK_TRUE, /* this one and those behind it: one column that must be true */
	CHECK_ROLE = CHECK_TRUE,
	CHECK_PATH,
	CHECK_NATIVE_LOCK,
	CHECK_XID
};

static const struct {
	const char *reason, *what, *hint;
} untrue[] = {
	[CHECK_ROLE - CHECK_TRUE] = { "session", "the session's role was changed", NULL },
	[CHECK_PATH - CHECK_TRUE] = { "privilege", "a schema of the search_path cannot be reached",
		"each must exist, with USAGE for the applier's role, and session_replication_role be "
		"origin" },
	[CHECK_NATIVE_LOCK - CHECK_TRUE] = { "lock", "the migration tool's own lock is taken", NULL },
	[CHECK_XID -
		CHECK_TRUE] = { "statement", "a statement ended the transaction and began another", NULL },
};

void stage_release(struct stage *stage)
{
	free(stage->items);
	buf_release(&stage->names);
	buf_release(&stage->values);
	buf_release(&stage->reach);
}

/* --- sending: the first failure stays, and whatever would be sent behind it is not --- */

struct sender {
	struct stage *stage;
	struct session *session;
	const struct segment_job *job;
	struct err *err;
	int failed;
};

static struct sender sender(struct stage *stage, struct session *session,
	const struct segment_job *job, struct segment_result *result)
{
	struct buf *const lists[] = { &stage->names, &stage->values, &stage->reach };
	stage->count = stage->next = 0;
	stage->failed = CHECK_NONE;
	for (size_t i = 0; i < 3; i++) {
		lists[i]->max = ARRAY_MAX;
		buf_clear(lists[i]);
	}
	return (struct sender){ stage, session, job, &result->error, 0 };
}

static void expect(struct sender *s, struct item item)
{
	struct stage *stage = s->stage;
	if (stage->count == stage->capacity) {
		size_t capacity = stage->capacity ? 2 * stage->capacity : 64;
		struct item *items = realloc(stage->items, capacity * sizeof *items);
		if (!items) {
			s->failed = err_nomem(s->err);
			return;
		}
		stage->items = items;
		stage->capacity = capacity;
	}
	stage->items[stage->count++] = item;
}

static void send_text(struct sender *s, const char *sql, struct item item)
{
	expect(s, item);
	s->failed = s->failed || session_queue(s->session, NULL, sql, 0, NULL, s->err);
}

static void send_tagged(struct sender *s, const char *sql, const char *tag)
{
	send_text(s, sql, (struct item){ .check = CHECK_TAG, .expected = tag });
}

/* Values as ask_parameters takes them. */
static void send_prepared(
	struct sender *s, const char *name, struct item item, const char *format, ...)
{
	struct ask_parameters p;
	va_list values;
	va_start(values, format);
	ask_parameters(&p, format, values);
	va_end(values);
	expect(s, item);
	s->failed = s->failed || session_queue(s->session, name, NULL, p.count, p.value, s->err);
}

#define CHECKED(what) ((struct item){ .check = (what) })

static void send_steps(struct sender *s, const struct doc_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		send_text(s, steps[i].text, (struct item){ .check = CHECK_STEP, .step = &steps[i] });
}

/* --- settings of the transaction --- */

static void setting(struct sender *s, const char *name, const char *value)
{
	ask_array_text(&s->stage->names, name);
	ask_array_text(&s->stage->values, value);
}

static void settings_send(struct sender *s, enum check check)
{
	struct stage *stage = s->stage;
	struct buf *const lists[] = { &stage->names, &stage->values, &stage->reach };
	for (size_t i = 0; i < 3; i++) {
		ask_array_end(lists[i]);
		s->failed = s->failed || buf_check(lists[i], s->err);
	}
	send_prepared(s, "pgdocket_settings", CHECKED(check), "ttt", buf_text(&stage->names),
		buf_text(&stage->values), buf_text(&stage->reach));
	for (size_t i = 0; i < 3; i++)
		buf_clear(lists[i]);
}

/* search_path with each of these schemas, which must be reached, and no other but pg_temp. */
static void search_path(struct sender *s, const char *const *schemas, size_t count)
{
	struct buf path = BUF_INIT(16384);
	for (size_t i = 0; i < count; i++) {
		const char *name = strcmp(schemas[i], "$schema") ? schemas[i] : s->job->schema->name;
		s->failed = s->failed || quote_identifier(&path, name, s->err);
		buf_add_text(&path, ", ");
		ask_array_text(&s->stage->reach, name);
	}
	buf_add_text(&path, "pg_temp");
	s->failed = s->failed || buf_check(&path, s->err);
	setting(s, "search_path", buf_text(&path));
	buf_release(&path);
}

/* For bookkeeping: the schema alone, so that nothing can fall through to the shared one. */
static void bookkeeping_path(struct sender *s)
{
	static const char *const own[] = { "$schema" };
	search_path(s, own, 1);
}

static void setting_number(struct sender *s, const char *name, int64_t value)
{
	ask_array_text(&s->stage->names, name);
	ask_array_number(&s->stage->values, value);
}

static void send_pins(struct sender *s)
{
	const struct document *document = s->job->document;
	setting(s, "default_tablespace", "");
	setting(s, "check_function_bodies", "on");
	for (size_t i = 0; i < document->pins; i++)
		setting(s, document->pin[i].name, document->pin[i].value);
	setting_number(s, "lock_timeout", document->lock_timeout_ms);
	setting_number(s, "statement_timeout", document->statement_timeout_ms);
	bookkeeping_path(s);
	settings_send(s, CHECK_PATH);
}

/*
 * Texts of shapes are relative to these, whatever the plan or a statement set; catalog queries must
 * not depend on statistics, and their plan is made once per session.
 */
static const char *const shape_settings[][2] = {
	{ "search_path", "pg_catalog, pg_temp" },
	{ "DateStyle", "ISO, MDY" },
	{ "IntervalStyle", "postgres" },
	{ "TimeZone", "UTC" },
	{ "bytea_output", "hex" },
	{ "extra_float_digits", "1" },
	{ "quote_all_identifiers", "off" },
	{ "enable_seqscan", "off" },
	{ "enable_hashjoin", "off" },
	{ "enable_mergejoin", "off" },
	{ "plan_cache_mode", "force_generic_plan" },
};

static void send_shape(struct sender *s, int64_t oid, enum check check)
{
	const struct document *document = s->job->document;
	struct buf tables = BUF_INIT(ARRAY_MAX), oids = BUF_INIT(64);
	for (size_t i = 0; i < document->history_tables; i++)
		ask_array_text(&tables, document->history_table[i]);
	ask_array_end(&tables);
	ask_array_number(&oids, oid);
	ask_array_end(&oids);
	s->failed = s->failed || buf_check(&tables, s->err);
	for (size_t i = 0; i < sizeof shape_settings / sizeof shape_settings[0]; i++)
		setting(s, shape_settings[i][0], shape_settings[i][1]);
	settings_send(s, CHECK_ANY);
	send_prepared(s, "pgdocket_shape", CHECKED(check), "tt", buf_text(&oids), buf_text(&tables));
	buf_release(&tables);
	buf_release(&oids);
}

/* What a shape guard changed goes back before the migration's statements. */
static void shape_settings_back(struct sender *s)
{
	static const char *const back[] = {
		"SET LOCAL enable_seqscan TO DEFAULT",
		"SET LOCAL enable_hashjoin TO DEFAULT",
		"SET LOCAL enable_mergejoin TO DEFAULT",
		"SET LOCAL plan_cache_mode TO DEFAULT",
	};
	for (size_t i = 0; i < sizeof back / sizeof back[0]; i++)
		send_tagged(s, back[i], "SET");
	send_pins(s);
}

/* --- stage 1 --- */

static void send_pin(struct sender *s)
{
	send_prepared(s, "pgdocket_pin", CHECKED(CHECK_ROLE), "nnt", s->job->document->lock_timeout_ms,
		s->job->document->statement_timeout_ms, session_identity(s->session));
}

static void send_reset(struct sender *s)
{
	static const char *const reset[][2] = {
		{ "RESET ALL", "RESET" },
		{ "DISCARD TEMP", "DISCARD TEMP" },
		{ "UNLISTEN *", "UNLISTEN" },
		{ "CLOSE ALL", "CLOSE CURSOR ALL" },
		{ "SELECT pg_catalog.pg_advisory_unlock_all()", "SELECT 1" },
	};
	for (size_t i = 0; i < sizeof reset / sizeof reset[0]; i++)
		send_tagged(s, reset[i][0], reset[i][1]);
	send_pin(s);
	expect(s, (struct item){ .check = CHECK_SYNC });
	s->failed = s->failed || session_queue_sync(s->session, s->err);
}

static void send_create(struct sender *s)
{
	struct buf sql = BUF_INIT(1024);
	buf_add_text(&sql, "CREATE SCHEMA ");
	s->failed = s->failed || quote_identifier(&sql, s->job->schema->name, s->err) ||
		buf_check(&sql, s->err);
	send_tagged(s, buf_text(&sql), "CREATE SCHEMA");
	buf_release(&sql);
}

/*
 * Before the settings: under the session's own search_path the prepared statement keeps its plan.
 */
static void send_applied(struct sender *s)
{
	send_prepared(s, "pgdocket_applied", CHECKED(CHECK_APPLIED), "dtit", s->job->plan,
		s->job->schema->name, s->job->segment->number, s->job->run);
}

int stage_send_claim(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result)
{
	struct sender s = sender(stage, session, job, result);
	if (job->reset)
		send_reset(&s);
	send_tagged(&s, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "BEGIN");
	if (!job->oid)
		send_create(&s);
	send_applied(&s);
	send_pins(&s);
	if (job->schema->has_native_lock)
		send_prepared(
			&s, "pgdocket_native_lock", CHECKED(CHECK_NATIVE_LOCK), "n", job->schema->native_lock);
	send_steps(&s, job->segment->before, job->segment->befores);
	if (job->shape_before) {
		send_shape(&s, job->oid, CHECK_SHAPE_BEFORE);
		shape_settings_back(&s);
	}
	return s.failed || session_queue_flush(session, s.err) ? -1 : 0;
}

/* --- stage 2 --- */

/* The shared schema's own program may reach anything. */
static void send_reach(struct sender *s, int64_t oid, enum check check)
{
	const struct document *document = s->job->document;
	const struct doc_segment *segment = s->job->segment;
	struct buf announced = BUF_INIT(ARRAY_MAX);
	if (document->classes && document->class[s->job->schema->class_index].shared)
		ask_array_text(&announced, "*");
	for (size_t i = 0; i < segment->statements; i++)
		for (size_t l = 0; l < segment->statement[i].locks; l++)
			ask_array_text(&announced, segment->statement[i].lock[l]);
	ask_array_end(&announced);
	s->failed = s->failed || buf_check(&announced, s->err);
	send_prepared(s, "pgdocket_reach", CHECKED(check), "ntt", oid, buf_text(&announced),
		document->shared_schema);
	buf_release(&announced);
}

static void send_statements(struct sender *s, struct segment_result *result)
{
	const struct doc_segment *segment = s->job->segment;
	for (size_t i = 0; i < segment->statements && !s->failed; i++) {
		const struct doc_statement *statement = &segment->statement[i];
		char word[32];
		if (statement->does == DOC_FILTERED)
			continue;
		if (document_first_word_refused(statement->step.text, statement->step.text_len, word)) {
			result->statement = statement;
			s->failed = err_refuse(
				s->err, "statement", "a statement begins with %s, which must not be sent", word);
		}
		send_text(s, statement->step.text,
			(struct item){ CHECK_STATEMENT, NULL, &statement->step, statement });
	}
}

int stage_send_work(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result)
{
	struct sender s = sender(stage, session, job, result);
	search_path(&s, job->document->path, job->document->paths);
	settings_send(&s, CHECK_PATH);
	send_reach(&s, result->oid, CHECK_REACH_BEFORE);
	send_statements(&s, result);
	send_reach(&s, result->oid, CHECK_REACH);
	bookkeeping_path(&s);
	settings_send(&s, CHECK_PATH);
	send_steps(&s, job->segment->after, job->segment->afters);
	send_shape(&s, result->oid, CHECK_SHAPE_AFTER);
	send_prepared(&s, "pgdocket_xid", CHECKED(CHECK_XID), "n", result->xid);
	return s.failed || session_queue_flush(session, s.err) ? -1 : 0;
}

/* --- stage 3 --- */

int stage_send_close(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result)
{
	struct sender s = sender(stage, session, job, result);
	send_prepared(&s, "pgdocket_finished",
		(struct item){ .check = CHECK_TAG, .expected = "INSERT 0 1" }, "dniddd", job->plan,
		result->oid, job->segment->number, &job->segment->state_after, &result->shape,
		job->audit_head);
	send_tagged(&s, "COMMIT", "COMMIT");
	return s.failed || session_queue_sync(session, s.err) ? -1 : 0;
}

/* --- judging --- */

struct judged {
	struct stage *stage;
	const struct item *item;
	const struct rows *rows;
	const struct segment_job *job;
	struct segment_result *result;
};

static enum stage_verdict wrong(
	const struct judged *j, const char *reason, const char *what, const char *hint)
{
	err_refuse(&j->result->error, reason, "%s", what);
	if (hint)
		err_hint(&j->result->error, "%s", hint);
	return STAGE_WRONG;
}

/* The text of the one row's column, of which there must be so many. NULL: another form, or NULL. */
static const char *answer(const struct judged *j, int columns, int column)
{
	return rows_count(j->rows) == 1 && rows_columns(j->rows) == columns
		? rows_text(j->rows, 0, column)
		: NULL;
}

static enum stage_verdict judge_true(const struct judged *j)
{
	const char *text = answer(j, 1, 0);
	int which = j->item->check - CHECK_TRUE;
	if (text && text[0] == 't')
		return STAGE_RIGHT;
	if (j->item->check == CHECK_NATIVE_LOCK) { /* the same to the caller as a lock not obtained */
		err_set(&j->result->error, ERR_SERVER, "%s", untrue[which].what);
		memcpy(j->result->error.sqlstate, "55P03", 6);
		return STAGE_WRONG;
	}
	return wrong(j, untrue[which].reason, untrue[which].what, untrue[which].hint);
}

static enum stage_verdict judge_tag(const struct judged *j)
{
	if (strcmp(rows_tag(j->rows), j->item->expected) == 0)
		return STAGE_RIGHT;
	err_set(&j->result->error, ERR_SERVER, "the server answered \"%s\" where only \"%s\" is right",
		rows_tag(j->rows), j->item->expected);
	return STAGE_WRONG;
}

static enum stage_verdict judge_applied(const struct judged *j)
{
	if (!answer(j, 2, 1))
		return wrong(j, "drift", "the schema is gone", "plan again from a new snapshot");
	j->result->xid = rows_int64(j->rows, 0, 0);
	j->result->oid = rows_int64(j->rows, 0, 1);
	if (!j->job->oid || j->result->oid == j->job->oid)
		return STAGE_RIGHT;
	return wrong(j, "drift", "the schema was dropped and made again since the snapshot",
		"plan again from a new snapshot");
}

/* "INSERT 0 5" is announced as "INSERT" or exactly; alternatives are separated by |. */
static bool tag_matches(const char *announced, const char *tag)
{
	size_t whole = strlen(tag), bare = whole;
	while (bare && strchr("0123456789 ", tag[bare - 1]))
		bare--;
	for (const char *p = announced; *p;) {
		size_t len = strcspn(p, "|");
		if ((len == whole || len == bare) && memcmp(p, tag, len) == 0)
			return true;
		p += len;
		p += *p == '|';
	}
	return false;
}

#define TRANSACTION_TAGS \
	"BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE TRANSACTION|COMMIT " \
	"PREPARED|ROLLBACK PREPARED"

static enum stage_verdict judge_step(const struct judged *j)
{
	const struct doc_step *step = j->item->step;
	const char *tag = rows_tag(j->rows), *text;
	if (!step->answer) {
		if (step->tag ? tag_matches(step->tag, tag) : !tag_matches(TRANSACTION_TAGS, tag))
			return STAGE_RIGHT;
		err_refuse(&j->result->error, "statement",
			"the server answered \"%s\", the plan announces %s", tag,
			step->tag ? step->tag : "no transaction control");
		return STAGE_ALIEN;
	}
	text = answer(j, 1, 0);
	if (text && strcmp(text, step->answer) == 0)
		return STAGE_RIGHT;
	return wrong(j, "drift", "its migration state is not the one that was planned for",
		"see what was migrated since the snapshot; plan again from a new one");
}

static enum stage_verdict judge_shape(const struct judged *j)
{
	bool before = j->item->check == CHECK_SHAPE_BEFORE;
	const struct digest *expected = before ? j->job->shape_before : j->job->shape_after;
	const char *text = answer(j, 2, 1);
	struct digest shape;
	if (!text || !digest_parse(text, strlen(text), &shape))
		return wrong(j, "shape", "its fingerprint cannot be had", NULL);
	if (!before) {
		j->result->shape = shape;
		j->result->has_shape = true;
	}
	if (!expected || digest_equal(&shape, expected))
		return STAGE_RIGHT;
	if (before)
		return wrong(j, "drift", "its structure is not the one that was planned for",
			"see what was changed since the snapshot; plan again from a new one");
	return wrong(j, "shape", "its structure differs from that of the other schemas of its class",
		"a statement depends on more than its own schema; look at the first schema of the class");
}

/* Behind the statements everything must be as it was before them. */
static enum stage_verdict judge_reach(const struct judged *j)
{
	struct stage *stage = j->stage;
	const char *session = answer(j, 3, 0), *shared = answer(j, 3, 1), *relation = answer(j, 3, 2);
	struct err *err = &j->result->error;
	if (j->item->check == CHECK_REACH_BEFORE) {
		snprintf(stage->session, sizeof stage->session, "%s", session ? session : "?");
		snprintf(stage->shared, sizeof stage->shared, "%s", shared ? shared : "?");
		return STAGE_RIGHT;
	}
	if (relation)
		err_refuse(
			err, "reach", "its statements lock %s, which the plan does not announce", relation);
	else if (!shared || strcmp(shared, stage->shared) != 0)
		err_refuse(err, "reach", "its statements changed what stands in the shared schema");
	else if (!session || strcmp(session, stage->session) != 0)
		err_refuse(err, "reach", "its statements left another search_path or role behind");
	else
		return STAGE_RIGHT;
	err_hint(err,
		"nothing of it is left; name the schema's own tables, or write -- pgdocket: "
		"scope=tenant above the statement and plan again");
	return STAGE_WRONG;
}

static enum stage_verdict judge(const struct judged *j)
{
	switch ((enum check)j->item->check) {
	case CHECK_ANY: return STAGE_RIGHT;
	case CHECK_TAG: return judge_tag(j);
	case CHECK_APPLIED: return judge_applied(j);
	case CHECK_STEP:
	case CHECK_STATEMENT: return judge_step(j);
	case CHECK_SHAPE_BEFORE:
	case CHECK_SHAPE_AFTER: return judge_shape(j);
	case CHECK_REACH_BEFORE:
	case CHECK_REACH: return judge_reach(j);
	case CHECK_ROLE:
	case CHECK_PATH:
	case CHECK_NATIVE_LOCK:
	case CHECK_XID: return judge_true(j);
	case CHECK_NONE:
	case CHECK_SYNC:
	default:
		err_set(&j->result->error, ERR_BUG, "an answer that nothing was asked for");
		return STAGE_ALIEN;
	}
}

static const struct item *head(const struct stage *stage)
{
	static const struct item none = { CHECK_NONE, NULL, NULL, NULL };
	return stage->next < stage->count ? &stage->items[stage->next] : &none;
}

enum stage_verdict stage_judge(struct stage *stage, const struct rows *rows,
	const struct segment_job *job, struct segment_result *result)
{
	const struct judged judged = { stage, head(stage), rows, job, result };
	enum stage_verdict verdict = judge(&judged);
	if (verdict == STAGE_RIGHT)
		stage->next++;
	else
		stage_blame(stage, result);
	return verdict;
}

void stage_blame(struct stage *stage, struct segment_result *result)
{
	stage->failed = head(stage)->check;
	result->statement = head(stage)->statement;
}

void stage_pop(struct stage *stage)
{
	stage->next += stage->next < stage->count;
}

bool stage_empty(const struct stage *stage)
{
	return stage->next == stage->count;
}

bool stage_drops_rows(const struct stage *stage)
{
	return head(stage)->check == CHECK_STATEMENT;
}

bool stage_failed_in_commit(const struct stage *stage)
{
	return head(stage)->expected && strcmp(head(stage)->expected, "COMMIT") == 0;
}

bool stage_claim_conflict(const struct stage *stage, const struct segment_result *result)
{
	return stage->failed == CHECK_APPLIED && strcmp(result->error.sqlstate, "23505") == 0;
}

/* --- the session --- */

static int answers_all(struct session *session, struct err *err)
{
	int64_t until_us = clock_monotonic_us() + 30 * 1000000ll;
	for (;;) {
		struct rows *rows = NULL;
		enum session_event event = session_next(session, &rows, err);
		rows_free(rows);
		if (event == SESSION_SYNCED)
			return 0;
		if (event != SESSION_WAIT && event != SESSION_RESULT)
			return err_set(err, ERR_SERVER, "a new session cannot be prepared");
		if (event == SESSION_WAIT && session_wait(&session, 1, 1000, err))
			return -1;
		if (clock_monotonic_us() > until_us)
			return err_set(err, ERR_SERVER, "no answer to a new session's settings");
	}
}

int segment_open_session(struct session *session, const struct document *document, struct err *err)
{
	const char *const prepared[][2] = {
		{ "pgdocket_pin", sql_worker_pin },
		{ "pgdocket_applied", sql_segment_applied },
		{ "pgdocket_settings", sql_segment_settings },
		{ "pgdocket_native_lock", sql_segment_native_lock },
		{ "pgdocket_reach", sql_segment_reach },
		{ "pgdocket_xid", sql_segment_xid },
		{ "pgdocket_finished", sql_segment_finished },
		{ "pgdocket_shape", document->shape_query.text },
	};
	const struct segment_job job = { .document = document };
	struct segment_result result = { .outcome = SEGMENT_RUNNING };
	struct stage stage = { 0 };
	struct sender s = sender(&stage, session, &job, &result);
	s.err = err;
	s.failed = session_pipeline_enter(session, err);
	for (size_t i = 0; i < sizeof prepared / sizeof prepared[0]; i++)
		s.failed = s.failed || session_queue_prepare(session, prepared[i][0], prepared[i][1], err);
	send_pin(&s);
	stage_release(&stage);
	return s.failed || session_queue_sync(session, err) ? -1 : answers_all(session, err);
}
