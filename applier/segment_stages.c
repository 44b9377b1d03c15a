/*
 * The three stages of a segment as lists: what is queued, in PROTOCOL.md's order, and what each
 * answer must be. It queues and judges; it never reads from the session and knows no transaction.
 */
#include "segment_stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "params.h"
#include "quote.h"
#include "sql.h"

#define ARRAY_MAX (64u << 10)
#define SHAPE_PATH "pg_catalog, pg_temp"

enum check {
	CHECK_NONE,
	CHECK_ANY,
	CHECK_TAG,
	CHECK_USERS,
	CHECK_SYNC,
	CHECK_APPLIED,
	CHECK_PINNED,
	CHECK_NATIVE_LOCK,
	CHECK_STEP,
	CHECK_STATEMENT,
	CHECK_PATH,
	CHECK_SHAPE_BEFORE,
	CHECK_SHAPE_AFTER,
	CHECK_XID,
	CHECK_COUNT
};

void stage_init(struct stage *stage)
{
	memset(stage, 0, sizeof *stage);
	buf_init(&stage->names, ARRAY_MAX);
	buf_init(&stage->values, ARRAY_MAX);
	buf_init(&stage->reach, ARRAY_MAX);
}

void stage_release(struct stage *stage)
{
	free(stage->items);
	buf_release(&stage->names);
	buf_release(&stage->values);
	buf_release(&stage->reach);
}

static void stage_clear(struct stage *stage)
{
	stage->count = stage->next = 0;
	stage->failed = CHECK_NONE;
}

static int expect(struct stage *stage, struct item item, struct err *err)
{
	if (stage->count == stage->capacity) {
		size_t capacity = stage->capacity ? 2 * stage->capacity : 64;
		struct item *items = realloc(stage->items, capacity * sizeof *items);
		if (!items)
			return err_nomem(err);
		stage->items = items;
		stage->capacity = capacity;
	}
	stage->items[stage->count++] = item;
	return 0;
}

/* --- sending --- */

struct sender {
	struct stage *stage;
	struct session *session;
	const struct segment_job *job;
	struct err *err;
};

static int send_text(const struct sender *s, const char *sql, struct item item)
{
	if (expect(s->stage, item, s->err))
		return -1;
	return session_queue(s->session, NULL, sql, 0, NULL, s->err);
}

static int send_prepared(const struct sender *s, const char *name, int params,
	const char *const *param, enum check check)
{
	if (expect(s->stage, (struct item){ .check = check }, s->err))
		return -1;
	return session_queue(s->session, name, NULL, params, param, s->err);
}

static int send_tagged(const struct sender *s, const char *sql, const char *tag)
{
	return send_text(s, sql, (struct item){ .check = CHECK_TAG, .expected = tag });
}

static void setting(struct stage *stage, const char *name, const char *value)
{
	params_array_item(&stage->names, name);
	params_array_item(&stage->values, value);
}

static void settings_open(struct stage *stage)
{
	buf_clear(&stage->names);
	buf_clear(&stage->values);
	buf_clear(&stage->reach);
	params_array_open(&stage->names);
	params_array_open(&stage->values);
	params_array_open(&stage->reach);
}

static int settings_send(const struct sender *s, enum check check)
{
	struct stage *stage = s->stage;
	const char *param[4];
	params_array_close(&stage->names);
	params_array_close(&stage->values);
	params_array_close(&stage->reach);
	if (buf_check(&stage->names, s->err) || buf_check(&stage->values, s->err) ||
		buf_check(&stage->reach, s->err))
		return -1;
	param[0] = buf_text(&stage->names);
	param[1] = buf_text(&stage->values);
	param[2] = s->job->schema->name;
	param[3] = buf_text(&stage->reach);
	return send_prepared(s, "pgdocket_settings", 4, param, check);
}

/*
 * search_path for bookkeeping: the schema alone, so that nothing can fall through to the shared
 * one.
 */
static int bookkeeping_path(const struct sender *s)
{
	struct buf path = BUF_INIT(1024);
	int rc = quote_identifier(&path, s->job->schema->name, s->err);
	buf_add_text(&path, ", pg_temp");
	if (!rc)
		rc = buf_check(&path, s->err);
	if (!rc)
		setting(s->stage, "search_path", buf_text(&path));
	buf_release(&path);
	params_array_item(&s->stage->reach, s->job->schema->name);
	return rc;
}

/* The plan's search_path, each of whose schemas must be reached. */
static int plan_path(const struct sender *s)
{
	const struct document *document = s->job->document;
	struct buf path = BUF_INIT(16384);
	int rc = 0;
	for (size_t i = 0; i < document->paths && !rc; i++) {
		const char *name = document->path[i];
		if (strcmp(name, "$schema") == 0)
			name = s->job->schema->name;
		if (i)
			buf_add_text(&path, ", ");
		rc = quote_identifier(&path, name, s->err);
		params_array_item(&s->stage->reach, name);
	}
	buf_add_text(&path, document->paths ? ", pg_temp" : "pg_temp");
	if (!rc)
		rc = buf_check(&path, s->err);
	if (!rc)
		setting(s->stage, "search_path", buf_text(&path));
	buf_release(&path);
	return rc;
}

/*
 * Texts of shapes are relative to these, whatever the plan or a statement set; catalog queries must
 * not depend on statistics, and their plan is made once per session.
 */
static const char *const shape_settings[][2] = {
	{ "search_path", SHAPE_PATH },
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

static int send_shape(const struct sender *s, int64_t oid, enum check check)
{
	const struct document *document = s->job->document;
	struct buf tables = BUF_INIT(ARRAY_MAX);
	char oids[PARAMS_INT64_SIZE + 2], number[PARAMS_INT64_SIZE];
	int rc = -1;
	params_int64(oid, number);
	snprintf(oids, sizeof oids, "{%s}", number);
	params_array(&tables, document->history_table, document->history_tables);
	settings_open(s->stage);
	for (size_t i = 0; i < sizeof shape_settings / sizeof shape_settings[0]; i++)
		setting(s->stage, shape_settings[i][0], shape_settings[i][1]);
	if (!buf_check(&tables, s->err) && !settings_send(s, CHECK_ANY)) {
		const char *param[] = { oids, buf_text(&tables) };
		rc = send_prepared(s, "pgdocket_shape", 2, param, check);
	}
	buf_release(&tables);
	return rc;
}

/* The planner's settings that a shape guard changed go back before the migration's statements. */
static int shape_settings_back(const struct sender *s)
{
	static const char *const back[] = {
		"SET LOCAL enable_seqscan TO DEFAULT",
		"SET LOCAL enable_hashjoin TO DEFAULT",
		"SET LOCAL enable_mergejoin TO DEFAULT",
		"SET LOCAL plan_cache_mode TO DEFAULT",
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof back / sizeof back[0] && !rc; i++)
		rc = send_tagged(s, back[i], "SET");
	return rc;
}

static int send_reset(const struct sender *s)
{
	static const char *const reset[][2] = {
		{ "RESET ALL", "RESET" },
		{ "DISCARD TEMP", "DISCARD TEMP" },
		{ "UNLISTEN *", "UNLISTEN" },
		{ "CLOSE ALL", "CLOSE CURSOR ALL" },
		{ "SELECT pg_catalog.pg_advisory_unlock_all()", "SELECT 1" },
	};
	const struct document *document = s->job->document;
	char lock[PARAMS_INT64_SIZE], statement[PARAMS_INT64_SIZE];
	const char *const param[] = { lock, statement };
	int rc = 0;
	for (size_t i = 0; i < sizeof reset / sizeof reset[0] && !rc; i++)
		rc = send_tagged(s, reset[i][0], reset[i][1]);
	params_int64(document->lock_timeout_ms, lock);
	params_int64(document->statement_timeout_ms, statement);
	if (!rc)
		rc = send_prepared(s, "pgdocket_pin", 2, param, CHECK_USERS);
	if (!rc)
		rc = expect(s->stage, (struct item){ .check = CHECK_SYNC }, s->err);
	return rc ? rc : session_queue_sync(s->session, s->err);
}

static int send_create(const struct sender *s)
{
	struct buf sql = BUF_INIT(1024);
	int rc;
	buf_add_text(&sql, "CREATE SCHEMA ");
	rc = quote_identifier(&sql, s->job->schema->name, s->err);
	if (!rc)
		rc = buf_check(&sql, s->err);
	if (!rc)
		rc = send_tagged(s, buf_text(&sql), "CREATE SCHEMA");
	buf_release(&sql);
	return rc;
}

/*
 * The claim stands before the settings: under the session's own search_path the prepared statement
 * keeps its plan.
 */
static int send_applied(const struct sender *s)
{
	char plan[PARAMS_BYTEA_SIZE], segment[PARAMS_INT64_SIZE];
	const char *const param[] = { plan, s->job->schema->name, segment, s->job->run };
	params_bytea(s->job->plan, plan);
	params_int64(s->job->segment->number, segment);
	return send_prepared(s, "pgdocket_applied", 4, param, CHECK_APPLIED);
}

static int send_pins(const struct sender *s)
{
	const struct document *document = s->job->document;
	char lock[PARAMS_INT64_SIZE], statement[PARAMS_INT64_SIZE];
	params_int64(document->lock_timeout_ms, lock);
	params_int64(document->statement_timeout_ms, statement);
	settings_open(s->stage);
	setting(s->stage, "default_tablespace", "");
	setting(s->stage, "check_function_bodies", "on");
	for (size_t i = 0; i < document->pins; i++)
		setting(s->stage, document->pin[i].name, document->pin[i].value);
	setting(s->stage, "lock_timeout", lock);
	setting(s->stage, "statement_timeout", statement);
	if (bookkeeping_path(s))
		return -1;
	return settings_send(s, CHECK_PINNED);
}

static int send_steps(const struct sender *s, const struct doc_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (send_text(s, steps[i].text, (struct item){ .check = CHECK_STEP, .step = &steps[i] }))
			return -1;
	return 0;
}

int stage_send_claim(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result)
{
	struct sender s = { stage, session, job, &result->error };
	char key[PARAMS_INT64_SIZE];
	const char *const param[] = { key };
	stage_clear(stage);
	if (job->reset && send_reset(&s))
		return -1;
	if (send_tagged(&s, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "BEGIN") ||
		(!job->oid && send_create(&s)) || send_applied(&s) || send_pins(&s))
		return -1;
	params_int64(job->schema->native_lock, key);
	if (job->schema->has_native_lock &&
		send_prepared(&s, "pgdocket_native_lock", 1, param, CHECK_NATIVE_LOCK))
		return -1;
	if (send_steps(&s, job->segment->before, job->segment->befores))
		return -1;
	if (job->shape_before &&
		(send_shape(&s, job->oid, CHECK_SHAPE_BEFORE) || shape_settings_back(&s) || send_pins(&s)))
		return -1;
	return session_queue_flush(session, &result->error);
}

static int send_statements(const struct sender *s, struct segment_result *result)
{
	const struct doc_segment *segment = s->job->segment;
	for (size_t i = 0; i < segment->statements; i++) {
		const struct doc_statement *statement = &segment->statement[i];
		char word[32];
		if (statement->does == DOC_FILTERED)
			continue;
		if (document_first_word_refused(statement->step.text, statement->step.text_len, word)) {
			result->statement = statement;
			return err_refuse(
				s->err, "statement", "a statement begins with %s, which must not be sent", word);
		}
		if (send_text(s, statement->step.text,
				(struct item){
					.check = CHECK_STATEMENT, .step = &statement->step, .statement = statement }))
			return -1;
	}
	return 0;
}

int stage_send_work(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result)
{
	struct sender s = { stage, session, job, &result->error };
	stage_clear(stage);
	settings_open(stage);
	if (plan_path(&s) || settings_send(&s, CHECK_PATH) || send_statements(&s, result))
		return -1;
	settings_open(stage);
	if (bookkeeping_path(&s) || settings_send(&s, CHECK_PATH) ||
		send_steps(&s, job->segment->after, job->segment->afters) ||
		send_shape(&s, result->oid, CHECK_SHAPE_AFTER) ||
		send_prepared(&s, "pgdocket_xid", 0, NULL, CHECK_XID))
		return -1;
	return session_queue_flush(session, &result->error);
}

int stage_send_close(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result)
{
	struct sender s = { stage, session, job, &result->error };
	char plan[PARAMS_BYTEA_SIZE], oid[PARAMS_INT64_SIZE], segment[PARAMS_INT64_SIZE],
		state[PARAMS_BYTEA_SIZE], shape[PARAMS_BYTEA_SIZE], head[PARAMS_BYTEA_SIZE];
	const char *const param[] = { plan, oid, segment, state, shape, head };
	stage_clear(stage);
	params_bytea(job->plan, plan);
	params_int64(result->oid, oid);
	params_int64(job->segment->number, segment);
	params_bytea(&job->segment->state_after, state);
	params_bytea(&result->shape, shape);
	params_bytea(job->audit_head, head);
	if (expect(stage, (struct item){ .check = CHECK_TAG, .expected = "INSERT 0 1" }, s.err) ||
		session_queue(session, "pgdocket_finished", NULL, 6, param, s.err) ||
		send_tagged(&s, "COMMIT", "COMMIT"))
		return -1;
	return session_queue_sync(session, &result->error);
}

/* --- judging --- */

struct judged {
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

static bool shaped(const struct judged *j, int columns)
{
	return rows_count(j->rows) == 1 && rows_columns(j->rows) == columns;
}

static enum stage_verdict judge_any(const struct judged *j)
{
	(void)j;
	return STAGE_RIGHT;
}

static enum stage_verdict judge_tag(const struct judged *j)
{
	if (strcmp(rows_tag(j->rows), j->item->expected) == 0)
		return STAGE_RIGHT;
	err_set(&j->result->error, ERR_SERVER, "the server answered \"%s\" where only \"%s\" is right",
		rows_tag(j->rows), j->item->expected);
	return STAGE_WRONG;
}

static enum stage_verdict judge_users(const struct judged *j)
{
	if (shaped(j, 2) && rows_text(j->rows, 0, 0) && rows_text(j->rows, 0, 1) &&
		strcmp(rows_text(j->rows, 0, 0), rows_text(j->rows, 0, 1)) == 0)
		return STAGE_RIGHT;
	return wrong(j, "session", "the session's role was changed", NULL);
}

static enum stage_verdict judge_applied(const struct judged *j)
{
	if (!shaped(j, 2))
		return wrong(j, "drift", "the schema is gone", "plan again from a new snapshot");
	j->result->xid = rows_int64(j->rows, 0, 0);
	if (j->job->oid && rows_int64(j->rows, 0, 1) != j->job->oid)
		return wrong(j, "drift",
			"the schema is another one than in the snapshot: it was dropped and "
			"made again",
			"plan again from a new snapshot");
	j->result->oid = rows_int64(j->rows, 0, 1);
	return STAGE_RIGHT;
}

static bool current_schema_is(const struct judged *j)
{
	const char *current = rows_text(j->rows, 0, 0);
	return current && strcmp(current, j->job->schema->name) == 0;
}

static enum stage_verdict judge_pinned(const struct judged *j)
{
	const char *role = shaped(j, 4) ? rows_text(j->rows, 0, 2) : NULL;
	if (!role || !current_schema_is(j) || rows_int64(j->rows, 0, 1) != j->result->oid)
		return wrong(j, "privilege", "the schema cannot be reached by its name",
			"grant USAGE on the schema to the applier's role");
	if (strcmp(role, "origin") != 0)
		return wrong(j, "session", "session_replication_role is not origin",
			"take the setting away from the role or the database");
	return STAGE_RIGHT;
}

static enum stage_verdict judge_native_lock(const struct judged *j)
{
	if (shaped(j, 1) && rows_bool(j->rows, 0, 0))
		return STAGE_RIGHT;
	j->result->lock_missed = true;
	err_set(&j->result->error, ERR_SERVER, "the migration tool's own lock is taken");
	memcpy(j->result->error.sqlstate, "55P03", 6);
	return STAGE_WRONG;
}

/* "INSERT 0 5" is announced as "INSERT" or exactly; alternatives are separated by |. */
static bool tag_matches(const char *announced, const char *tag)
{
	size_t bare = strlen(tag);
	while (bare && ((tag[bare - 1] >= '0' && tag[bare - 1] <= '9') || tag[bare - 1] == ' '))
		bare--;
	for (const char *p = announced; *p;) {
		size_t len = strcspn(p, "|");
		if ((len == strlen(tag) && memcmp(p, tag, len) == 0) ||
			(len == bare && memcmp(p, tag, len) == 0))
			return true;
		p += len;
		p += *p == '|';
	}
	return false;
}

static bool controls_transactions(const char *tag)
{
	static const char *const tags[] = { "BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK",
		"SAVEPOINT", "RELEASE", "PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED" };
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
		if (strcmp(tags[i], tag) == 0)
			return true;
	return false;
}

static enum stage_verdict judge_step(const struct judged *j)
{
	const struct doc_step *step = j->item->step;
	const char *tag = rows_tag(j->rows), *answer;
	if (!step->answer) {
		if (step->tag ? tag_matches(step->tag, tag) : !controls_transactions(tag))
			return STAGE_RIGHT;
		err_refuse(&j->result->error, "statement",
			"the server answered \"%s\", the plan announces %s", tag,
			step->tag ? step->tag : "no transaction control");
		return STAGE_ALIEN;
	}
	answer = shaped(j, 1) ? rows_text(j->rows, 0, 0) : NULL;
	if (answer && strcmp(answer, step->answer) == 0)
		return STAGE_RIGHT;
	return wrong(j, "drift", "its migration state is not the one that was planned for",
		"see what was migrated since the snapshot; plan again from a new one");
}

static enum stage_verdict judge_path(const struct judged *j)
{
	if (shaped(j, 4) && current_schema_is(j) && rows_bool(j->rows, 0, 3))
		return STAGE_RIGHT;
	return wrong(j, "privilege", "a schema of the search_path cannot be reached",
		"each schema of the plan's search_path must exist, with USAGE for the "
		"applier's role");
}

static bool fingerprint(const struct judged *j, struct digest *out)
{
	const char *text = shaped(j, 2) ? rows_text(j->rows, 0, 1) : NULL;
	return text && digest_parse(text, strlen(text), out);
}

static enum stage_verdict judge_shape_before(const struct judged *j)
{
	struct digest shape;
	if (fingerprint(j, &shape) && digest_equal(&shape, j->job->shape_before))
		return STAGE_RIGHT;
	return wrong(j, "drift", "its structure is not the one that was planned for",
		"see what was changed since the snapshot; plan again from a new one");
}

static enum stage_verdict judge_shape_after(const struct judged *j)
{
	if (!fingerprint(j, &j->result->shape))
		return wrong(j, "shape", "its fingerprint cannot be had", NULL);
	j->result->has_shape = true;
	if (!j->job->shape_after || digest_equal(&j->result->shape, j->job->shape_after))
		return STAGE_RIGHT;
	return wrong(j, "shape", "its structure differs from that of the other schemas of its class",
		"a statement depends on more than its own schema; look at the first schema of "
		"the class");
}

static enum stage_verdict judge_xid(const struct judged *j)
{
	if (shaped(j, 1) && rows_int64(j->rows, 0, 0) == j->result->xid)
		return STAGE_RIGHT;
	return wrong(j, "statement", "a statement ended the transaction and began another", NULL);
}

static enum stage_verdict (*const judges[CHECK_COUNT])(const struct judged *) = {
	[CHECK_ANY] = judge_any,
	[CHECK_TAG] = judge_tag,
	[CHECK_USERS] = judge_users,
	[CHECK_APPLIED] = judge_applied,
	[CHECK_PINNED] = judge_pinned,
	[CHECK_NATIVE_LOCK] = judge_native_lock,
	[CHECK_STEP] = judge_step,
	[CHECK_STATEMENT] = judge_step,
	[CHECK_PATH] = judge_path,
	[CHECK_SHAPE_BEFORE] = judge_shape_before,
	[CHECK_SHAPE_AFTER] = judge_shape_after,
	[CHECK_XID] = judge_xid,
};

static const struct item *head(const struct stage *stage)
{
	static const struct item none = { CHECK_NONE, NULL, NULL, NULL };
	return stage->next < stage->count ? &stage->items[stage->next] : &none;
}

enum stage_verdict stage_judge(struct stage *stage, const struct rows *rows,
	const struct segment_job *job, struct segment_result *result)
{
	const struct item *item = head(stage);
	struct judged judged = { item, rows, job, result };
	enum stage_verdict verdict;
	if (!judges[item->check]) {
		err_set(&result->error, ERR_BUG, "an answer that nothing was asked for");
		return STAGE_ALIEN;
	}
	verdict = judges[item->check](&judged);
	if (verdict == STAGE_RIGHT)
		stage->next++;
	else
		stage_blame(stage, result);
	return verdict;
}

void stage_blame(struct stage *stage, struct segment_result *result)
{
	const struct item *item = head(stage);
	stage->failed = item->check;
	result->statement = item->statement;
}

void stage_pop(struct stage *stage)
{
	if (stage->next < stage->count)
		stage->next++;
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
	const char *expected = head(stage)->expected;
	return expected && strcmp(expected, "COMMIT") == 0;
}

bool stage_claim_conflict(const struct stage *stage, const struct segment_result *result)
{
	return stage->failed == CHECK_APPLIED && strcmp(result->error.sqlstate, "23505") == 0;
}

void stage_describe(const struct stage *stage, const struct doc_segment *segment, struct buf *out)
{
	const struct doc_statement *statement = head(stage)->statement;
	if (statement)
		buf_add_format(out, "statement %d (%s:%d)", statement->number,
			segment->migration[statement->migration].file, statement->line);
	else
		buf_add_text(out, "its bookkeeping");
}

/* --- the session --- */

static int answers_all(struct session *session, struct err *err)
{
	int64_t until_us = clock_monotonic_us() + 30 * 1000000ll;
	enum session_event event;
	do {
		struct rows *rows = NULL;
		event = session_next(session, &rows, err);
		rows_free(rows);
		if (event == SESSION_WAIT) {
			if (clock_monotonic_us() > until_us)
				return err_set(err, ERR_SERVER, "no answer to a new session's settings");
			if (session_wait(&session, 1, 1000, err))
				return -1;
		} else if (event != SESSION_RESULT && event != SESSION_SYNCED) {
			return err_set(err, ERR_SERVER, "a new session cannot be prepared");
		}
	} while (event != SESSION_SYNCED);
	return 0;
}

int segment_open_session(struct session *session, const struct document *document, struct err *err)
{
	const char *const prepared[][2] = {
		{ "pgdocket_pin", sql_worker_pin },
		{ "pgdocket_applied", sql_segment_applied },
		{ "pgdocket_settings", sql_segment_settings },
		{ "pgdocket_native_lock", sql_segment_native_lock },
		{ "pgdocket_xid", sql_segment_xid },
		{ "pgdocket_finished", sql_segment_finished },
		{ "pgdocket_shape", document->shape_query.text },
	};
	char lock[PARAMS_INT64_SIZE], statement[PARAMS_INT64_SIZE];
	const char *const param[] = { lock, statement };
	if (session_pipeline_enter(session, err))
		return -1;
	for (size_t i = 0; i < sizeof prepared / sizeof prepared[0]; i++)
		if (session_queue_prepare(session, prepared[i][0], prepared[i][1], err))
			return -1;
	params_int64(document->lock_timeout_ms, lock);
	params_int64(document->statement_timeout_ms, statement);
	if (session_queue(session, "pgdocket_pin", NULL, 2, param, err) ||
		session_queue_sync(session, err))
		return -1;
	return answers_all(session, err);
}
