/*
 * The stages of a segment as lists: what is queued, in PROTOCOL.md's order, and what each answer
 * must be. It queues and judges; it never reads from the session and decides nothing about
 * transactions.
 */
#include "segment_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "quote.h"
#include "sql.h"

#define ARRAY_MAX (64u << 10)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum check {
	CHECK_NONE,
	CHECK_SYNC,
	CHECK_ANY,
	CHECK_TAG,
	CHECK_APPLIED,
	CHECK_INTENT,
	CHECK_PROBE,
	CHECK_STEP,
	CHECK_STATEMENT,
	CHECK_SHAPE_BEFORE,
	CHECK_SHAPE_AFTER,
	CHECK_REACH_BEFORE,
	CHECK_REACH,
	CHECK_SESSION_BEFORE,
	CHECK_SESSION_BEHIND,
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

void stage_release(struct segment *segment)
{
	free(segment->item);
	buf_release(&segment->names);
	buf_release(&segment->values);
	buf_release(&segment->reach);
}

/* --- sending: the first failure stays, and whatever would be sent behind it is not --- */

static void keep(struct segment *s, int rc)
{
	s->send_failed = s->send_failed || rc;
}

static void expect(struct segment *s, struct item item)
{
	if (s->items == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct item *items = realloc(s->item, room * sizeof *items);
		if (!items) {
			keep(s, err_nomem(&s->result.error));
			return;
		}
		s->item = items;
		s->room = room;
	}
	s->item[s->items++] = item;
}

static void send_text(struct segment *s, const char *sql, struct item item)
{
	expect(s, item);
	keep(s, s->send_failed || session_queue(s->session, NULL, sql, 0, NULL, &s->result.error));
}

static void send_tagged(struct segment *s, const char *sql, const char *tag)
{
	send_text(s, sql, (struct item){ .check = CHECK_TAG, .expected = tag });
}

/* Values as ask_parameters takes them. */
static void send_prepared(
	struct segment *s, const char *name, struct item item, const char *format, ...)
{
	struct ask_parameters p;
	va_list values;
	va_start(values, format);
	ask_parameters(&p, format, values);
	va_end(values);
	expect(s, item);
	keep(s, s->send_failed ||
			session_queue(s->session, name, NULL, p.count, p.value, &s->result.error));
}

#define CHECKED(what) ((struct item){ .check = (what) })

static void send_steps(struct segment *s, const struct doc_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		send_text(s, steps[i].text, (struct item){ .check = CHECK_STEP, .step = &steps[i] });
}

static void send_sync(struct segment *s)
{
	expect(s, CHECKED(CHECK_SYNC));
	keep(s, s->send_failed || session_queue_sync(s->session, &s->result.error));
}

/* --- settings --- */

static void setting(struct segment *s, const char *name, const char *value)
{
	ask_array_text(&s->names, name);
	ask_array_text(&s->values, value);
}

static void setting_number(struct segment *s, const char *name, int64_t value)
{
	ask_array_text(&s->names, name);
	ask_array_number(&s->values, value);
}

/* The session's own search_path: under another one every prepared query is planned anew. */
static void send_own_path(struct segment *s)
{
	send_prepared(
		s, "pgdocket_own_path", (struct item){ .check = CHECK_TAG, .expected = "SET" }, "");
}

/* What was gathered; "true": for the transaction, "false": for the session. */
static void send_settings(struct segment *s, enum check check, const char *local)
{
	struct buf *const lists[] = { &s->names, &s->values, &s->reach };
	for (size_t i = 0; i < COUNT(lists); i++) {
		ask_array_end(lists[i]);
		keep(s, buf_check(lists[i], &s->result.error));
	}
	send_own_path(s);
	send_prepared(s, "pgdocket_settings", CHECKED(check), "tttt", buf_text(&s->names),
		buf_text(&s->values), buf_text(&s->reach), local);
	for (size_t i = 0; i < COUNT(lists); i++)
		buf_clear(lists[i]);
}

/* search_path with each of these schemas, which must be reached, and no other but pg_temp. */
static void search_path(struct segment *s, const char *const *schemas, size_t count)
{
	struct buf path = BUF_INIT(16384);
	for (size_t i = 0; i < count; i++) {
		const char *name = strcmp(schemas[i], "$schema") ? schemas[i] : s->job.schema->name;
		keep(s, quote_identifier(&path, name, &s->result.error));
		buf_add_text(&path, ", ");
		ask_array_text(&s->reach, name);
	}
	buf_add_text(&path, "pg_temp");
	keep(s, buf_check(&path, &s->result.error));
	setting(s, "search_path", buf_text(&path));
	buf_release(&path);
}

/* The path of bookkeeping: the schema alone, so that nothing can fall through to the shared one. */
static const char *const own_path[] = { "$schema" };

static void plan_path(struct segment *s)
{
	search_path(s, s->job.document->path, s->job.document->paths);
}

static void pins(struct segment *s, int64_t lock_timeout_ms)
{
	const struct document *document = s->job.document;
	setting(s, "default_tablespace", "");
	setting(s, "check_function_bodies", "on");
	for (size_t i = 0; i < document->pins; i++)
		setting(s, document->pin[i].name, document->pin[i].value);
	setting_number(s, "lock_timeout", lock_timeout_ms);
	setting_number(s, "statement_timeout", document->statement_timeout_ms);
}

static void send_pins(struct segment *s)
{
	pins(s, s->job.document->lock_timeout_ms);
	search_path(s, own_path, 1);
	send_settings(s, CHECK_PATH, "true");
}

/* --- shapes --- */

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

static void send_shape(struct segment *s, int64_t oid, enum check check)
{
	const struct document *document = s->job.document;
	struct buf tables = BUF_INIT(ARRAY_MAX), oids = BUF_INIT(64);
	for (size_t i = 0; i < document->history_tables; i++)
		ask_array_text(&tables, document->history_table[i]);
	ask_array_end(&tables);
	ask_array_number(&oids, oid);
	ask_array_end(&oids);
	keep(s, buf_check(&tables, &s->result.error));
	for (size_t i = 0; i < COUNT(shape_settings); i++)
		setting(s, shape_settings[i][0], shape_settings[i][1]);
	send_settings(s, CHECK_ANY, "true");
	send_prepared(s, "pgdocket_shape", CHECKED(check), "tt", buf_text(&oids), buf_text(&tables));
	buf_release(&tables);
	buf_release(&oids);
}

/* A strict guard; what it set goes back before the migration's statements. */
static void send_shape_before(struct segment *s)
{
	static const char *const back[] = {
		"SET LOCAL enable_seqscan TO DEFAULT",
		"SET LOCAL enable_hashjoin TO DEFAULT",
		"SET LOCAL enable_mergejoin TO DEFAULT",
		"SET LOCAL plan_cache_mode TO DEFAULT",
	};
	if (!s->job.shape_before)
		return;
	send_shape(s, s->job.oid, CHECK_SHAPE_BEFORE);
	for (size_t i = 0; i < COUNT(back); i++)
		send_tagged(s, back[i], "SET");
	send_pins(s);
}

/* --- stages --- */

static void send_pin(struct segment *s)
{
	send_prepared(s, "pgdocket_pin", CHECKED(CHECK_ROLE), "nnt", s->job.document->lock_timeout_ms,
		s->job.document->statement_timeout_ms, session_identity(s->session));
}

static void build_reset(struct segment *s)
{
	static const char *const reset[][2] = {
		{ "RESET ALL", "RESET" },
		{ "DISCARD TEMP", "DISCARD TEMP" },
		{ "UNLISTEN *", "UNLISTEN" },
		{ "CLOSE ALL", "CLOSE CURSOR ALL" },
	};
	for (size_t i = 0; i < COUNT(reset); i++)
		send_tagged(s, reset[i][0], reset[i][1]);
	send_pin(s);
	expect(s, CHECKED(CHECK_SYNC));
}

#define BEGIN_TEXT "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

static void build_intent(struct segment *s)
{
	const struct doc_alone *alone = &s->job.segment->alone;
	send_tagged(s, BEGIN_TEXT, "BEGIN");
	send_prepared(s, "pgdocket_intent", CHECKED(CHECK_INTENT), "dtitt", s->job.plan,
		s->job.schema->name, s->job.segment->number, s->job.run, alone->object);
	send_pins(s);
	send_steps(s, s->job.segment->before, s->job.segment->befores);
	send_shape_before(s);
	plan_path(s);
	send_settings(s, CHECK_PATH, "true");
	s->verdict = PROBE_OPEN;
	if (alone->has_probe)
		send_text(s, alone->probe.text, CHECKED(CHECK_PROBE));
}

/* Then the session is set for the statement: a short lock_timeout would leave half an index. */
static void build_begun(struct segment *s)
{
	send_tagged(s, "COMMIT", "COMMIT");
	send_sync(s);
	pins(s, 0);
	plan_path(s);
	send_settings(s, CHECK_PATH, "false");
}

static void send_statements(struct segment *s)
{
	const struct doc_segment *segment = s->job.segment;
	for (size_t i = 0; i < segment->statements && !s->send_failed; i++) {
		const struct doc_statement *statement = &segment->statement[i];
		char word[32];
		if (statement->does == DOC_FILTERED)
			continue;
		if (document_first_word_refused(statement->step.text, statement->step.text_len, word)) {
			s->result.statement = statement;
			keep(s, err_refuse(&s->result.error, "statement",
						"a statement begins with %s, which must not be sent", word));
		}
		send_text(s, statement->step.text,
			(struct item){ CHECK_STATEMENT, NULL, &statement->step, statement });
	}
}

static void build_probe(struct segment *s)
{
	const struct doc_alone *alone = &s->job.segment->alone;
	s->verdict = alone->has_probe ? PROBE_NONE : PROBE_READY;
	if (alone->has_probe)
		send_text(s, alone->probe.text, CHECKED(CHECK_PROBE));
}

static void send_named(struct segment *s, const char *verb, const char *name, const char *tag)
{
	struct buf sql = BUF_INIT(1024);
	buf_add_text(&sql, verb);
	keep(s, quote_identifier(&sql, s->job.schema->name, &s->result.error));
	if (name) {
		buf_add_char(&sql, '.');
		keep(s, quote_identifier(&sql, name, &s->result.error));
	}
	keep(s, buf_check(&sql, &s->result.error));
	send_tagged(s, buf_text(&sql), tag);
	buf_release(&sql);
}

static void build_clean(struct segment *s)
{
	send_named(s, "DROP INDEX CONCURRENTLY ", s->leftover, "DROP INDEX");
}

/*
 * The claim stands before the settings: under the session's own search_path the prepared statement
 * keeps its plan.
 */
static void build_claim(struct segment *s)
{
	send_tagged(s, BEGIN_TEXT, "BEGIN");
	if (!s->job.oid)
		send_named(s, "CREATE SCHEMA ", NULL, "CREATE SCHEMA");
	send_prepared(s, "pgdocket_applied", CHECKED(CHECK_APPLIED), "dtit", s->job.plan,
		s->job.schema->name, s->job.segment->number, s->job.run);
	send_pins(s);
	if (s->job.schema->has_native_lock)
		send_prepared(
			s, "pgdocket_native_lock", CHECKED(CHECK_NATIVE_LOCK), "n", s->job.schema->native_lock);
	send_steps(s, s->job.segment->before, s->job.segment->befores);
	if (s->job.segment->transactional)
		send_shape_before(s);
}

/* The shared schema's own program may reach anything. */
static void send_reach(struct segment *s, enum check check)
{
	const struct document *document = s->job.document;
	const struct doc_segment *segment = s->job.segment;
	struct buf announced = BUF_INIT(ARRAY_MAX);
	if (document->classes && document->class[s->job.schema->class_index].shared)
		ask_array_text(&announced, "*");
	for (size_t i = 0; i < segment->statements; i++)
		for (size_t l = 0; l < segment->statement[i].locks; l++)
			ask_array_text(&announced, segment->statement[i].lock[l]);
	ask_array_end(&announced);
	keep(s, buf_check(&announced, &s->result.error));
	send_prepared(s, "pgdocket_reach", CHECKED(check), "ntt", s->result.oid, buf_text(&announced),
		document->shared_schema);
	buf_release(&announced);
}

static void send_session(struct segment *s, enum check check)
{
	send_prepared(s, "pgdocket_session", CHECKED(check), "");
}

static void build_work(struct segment *s)
{
	if (s->job.segment->transactional) {
		send_own_path(s);
		send_reach(s, CHECK_REACH_BEFORE);
		plan_path(s);
		send_settings(s, CHECK_PATH, "true");
		send_session(s, CHECK_SESSION_BEFORE);
		send_statements(s);
		send_session(s, CHECK_SESSION_BEHIND);
		send_own_path(s);
		send_reach(s, CHECK_REACH);
		search_path(s, own_path, 1);
		send_settings(s, CHECK_PATH, "true");
	}
	send_steps(s, s->job.segment->after, s->job.segment->afters);
	send_shape(s, s->result.oid, CHECK_SHAPE_AFTER);
	send_prepared(s, "pgdocket_xid", CHECKED(CHECK_XID), "n", s->result.xid);
}

static void build_close(struct segment *s)
{
	send_prepared(s, "pgdocket_finished",
		(struct item){ .check = CHECK_TAG, .expected = "INSERT 0 1" }, "dniddd", s->job.plan,
		s->result.oid, s->job.segment->number, &s->job.segment->state_after, &s->result.shape,
		s->job.audit_head);
	send_tagged(s, "COMMIT", "COMMIT");
}

static const struct {
	void (*build)(struct segment *);
	bool flush; /* else the stage ends with a Sync */
} stages[SEGMENT_STATES] = {
	[STATE_RESET] = { build_reset, false },
	[STATE_INTENT] = { build_intent, true },
	[STATE_BEGUN] = { build_begun, false },
	[STATE_ALONE] = { send_statements, false },
	[STATE_PROBE] = { build_probe, false },
	[STATE_CLEAN] = { build_clean, false },
	[STATE_CLAIM] = { build_claim, true },
	[STATE_WORK] = { build_work, true },
	[STATE_CLOSE] = { build_close, false },
};

static void begin(struct segment *s)
{
	struct buf *const lists[] = { &s->names, &s->values, &s->reach };
	s->items = s->next = 0;
	s->failed_check = CHECK_NONE;
	s->send_failed = 0;
	for (size_t i = 0; i < COUNT(lists); i++) {
		lists[i]->max = ARRAY_MAX;
		buf_clear(lists[i]);
	}
}

static int add(struct segment *s, enum segment_state stage)
{
	stages[stage].build(s);
	return s->send_failed ||
			(stages[stage].flush ? session_queue_flush : session_queue_sync)(
				s->session, &s->result.error)
		? -1
		: 0;
}

int stage_send(struct segment *segment, enum segment_state stage)
{
	begin(segment);
	return add(segment, stage);
}

int stage_send_both(
	struct segment *segment, enum segment_state first, enum segment_state then)
{
	begin(segment);
	return add(segment, first) || add(segment, then) ? -1 : 0;
}

/* --- judging --- */

static enum stage_verdict wrong(
	struct segment *s, const char *reason, const char *what, const char *hint)
{
	err_refuse(&s->result.error, reason, "%s", what);
	if (hint)
		err_hint(&s->result.error, "%s", hint);
	return STAGE_WRONG;
}

/* The text of the one row's column, of which there must be so many. NULL: another form, or NULL. */
static const char *answer(const struct rows *rows, int columns, int column)
{
	return rows_count(rows) == 1 && rows_columns(rows) == columns ? rows_text(rows, 0, column)
																  : NULL;
}

static enum stage_verdict judge_true(struct segment *s, int check, const struct rows *rows)
{
	const char *text = answer(rows, 1, 0);
	int which = check - CHECK_TRUE;
	if (text && text[0] == 't')
		return STAGE_RIGHT;
	if (check == CHECK_NATIVE_LOCK) { /* the same to the caller as a lock not obtained */
		err_set(&s->result.error, ERR_SERVER, "%s", untrue[which].what);
		memcpy(s->result.error.sqlstate, "55P03", 6);
		return STAGE_WRONG;
	}
	return wrong(s, untrue[which].reason, untrue[which].what, untrue[which].hint);
}

static enum stage_verdict judge_tag(
	struct segment *s, const struct item *item, const struct rows *rows)
{
	if (strcmp(rows_tag(rows), item->expected) == 0)
		return STAGE_RIGHT;
	err_set(&s->result.error, ERR_SERVER, "the server answered \"%s\" where only \"%s\" is right",
		rows_tag(rows), item->expected);
	return STAGE_WRONG;
}

#define PLAN_AGAIN "plan again from a new snapshot"

/* applied: xid, oid; intent: whether it is new, oid. */
static enum stage_verdict judge_claim(struct segment *s, int check, const struct rows *rows)
{
	if (!answer(rows, 2, 1))
		return wrong(s, "drift", "the schema is gone", PLAN_AGAIN);
	if (check == CHECK_INTENT)
		s->fresh = rows_bool(rows, 0, 0);
	else
		s->result.xid = rows_int64(rows, 0, 0);
	s->result.oid = rows_int64(rows, 0, 1);
	if (!s->job.oid || s->result.oid == s->job.oid)
		return STAGE_RIGHT;
	return wrong(
		s, "drift", "the schema was dropped and made again since the snapshot", PLAN_AGAIN);
}

/* Is it one of a|b|c? */
static bool among(const char *list, const char *word, size_t len)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, "|");
		if (n == len && memcmp(p, word, len) == 0)
			return true;
		p += n;
		p += *p == '|';
	}
	return false;
}

/* Before the statement was ever begun, nothing may be there that looks like its work. */
static enum stage_verdict judge_probe(struct segment *s, const struct rows *rows)
{
	static const char *const words[] = { [PROBE_OPEN] = "open",
		[PROBE_READY] = "ready",
		[PROBE_DONE] = "done",
		[PROBE_BROKEN] = "broken" };
	const struct doc_alone *alone = &s->job.segment->alone;
	const char *text = answer(rows, 2, 0), *leftover = answer(rows, 2, 1);
	enum probe_verdict verdict = PROBE_BROKEN;
	while (text && verdict > PROBE_NONE && strcmp(words[verdict], text) != 0)
		verdict--;
	snprintf(s->leftover, sizeof s->leftover, "%s", leftover ? leftover : "");
	s->verdict = verdict;
	bool known = text && verdict != PROBE_NONE && (verdict != PROBE_BROKEN || leftover);
	bool expected = !s->fresh || s->state != STATE_INTENT ||
		(text && among(alone->probe.answer, text, strlen(text)));
	if (known && expected)
		return STAGE_RIGHT;
	err_refuse(&s->result.error, "probe", "what stands in the way of %s: its probe says \"%s\"%s%s",
		alone->object, text ? text : "nothing", leftover ? ", " : "", leftover ? leftover : "");
	err_hint(&s->result.error,
		"look at what is there; take it away or finish it by hand, or plan without the statement");
	return STAGE_WRONG;
}

/* "INSERT 0 5" is announced as "INSERT" or exactly; alternatives are separated by |. */
static bool tag_matches(const char *announced, const char *tag)
{
	size_t whole = strlen(tag), bare = whole;
	while (bare && strchr("0123456789 ", tag[bare - 1]))
		bare--;
	return among(announced, tag, whole) || among(announced, tag, bare);
}

#define TRANSACTION_TAGS \
	"BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE TRANSACTION|COMMIT " \
	"PREPARED|ROLLBACK PREPARED"

static enum stage_verdict judge_step(
	struct segment *s, const struct doc_step *step, const struct rows *rows)
{
	const char *tag = rows_tag(rows), *text;
	if (!step->answer) {
		if (step->tag ? tag_matches(step->tag, tag) : !tag_matches(TRANSACTION_TAGS, tag)) {
			s->ran = s->ran || s->state == STATE_ALONE;
			return STAGE_RIGHT;
		}
		err_refuse(&s->result.error, "statement",
			"the server answered \"%s\", the plan announces %s", tag,
			step->tag ? step->tag : "no transaction control");
		return STAGE_ALIEN;
	}
	text = answer(rows, 1, 0);
	if (text && strcmp(text, step->answer) == 0)
		return STAGE_RIGHT;
	return wrong(s, "drift", "its migration state is not the one that was planned for",
		"see what was migrated since the snapshot; plan again from a new one");
}

static enum stage_verdict judge_shape(struct segment *s, bool before, const struct rows *rows)
{
	const struct digest *expected = before ? s->job.shape_before : s->job.shape_after;
	const char *text = answer(rows, 2, 1);
	struct digest shape;
	if (!text || !digest_parse(text, strlen(text), &shape))
		return wrong(s, "shape", "its fingerprint cannot be had", NULL);
	if (!before) {
		s->result.shape = shape;
		s->result.has_shape = true;
	}
	/* An attempt of before may have left something that is cleaned up behind this. */
	if (!expected || digest_equal(&shape, expected) || (s->state == STATE_INTENT && !s->fresh))
		return STAGE_RIGHT;
	if (before)
		return wrong(s, "drift", "its structure is not the one that was planned for",
			"see what was changed since the snapshot; plan again from a new one");
	return wrong(s, "shape", "its structure differs from that of the other schemas of its class",
		"a statement depends on more than its own schema; look at the first schema of the class");
}

static enum stage_verdict noted(char *note, size_t size, const char *text)
{
	snprintf(note, size, "%s", text ? text : "?");
	return STAGE_RIGHT;
}

/* Behind the statements everything must be as it was before them. */
static enum stage_verdict judge_reach(struct segment *s, const struct rows *rows)
{
	const char *shared = answer(rows, 2, 0), *relation = answer(rows, 2, 1);
	struct err *err = &s->result.error;
	if (relation)
		err_refuse(
			err, "reach", "its statements lock %s, which the plan does not announce", relation);
	else if (!shared || strcmp(shared, s->shared_before) != 0)
		err_refuse(err, "reach", "its statements changed what stands in the shared schema");
	else if (strcmp(s->session_behind, s->session_before) != 0)
		err_refuse(err, "reach", "its statements left another search_path or role behind");
	else
		return STAGE_RIGHT;
	err_hint(err,
		"nothing of it is left; name the schema's own tables, or write -- pgdocket: "
		"scope=tenant above the statement and plan again");
	return STAGE_WRONG;
}

static enum stage_verdict judge(
	struct segment *s, const struct item *item, const struct rows *rows)
{
	switch ((enum check)item->check) {
	case CHECK_ANY: return STAGE_RIGHT;
	case CHECK_TAG: return judge_tag(s, item, rows);
	case CHECK_APPLIED:
	case CHECK_INTENT: return judge_claim(s, item->check, rows);
	case CHECK_PROBE: return judge_probe(s, rows);
	case CHECK_STEP:
	case CHECK_STATEMENT: return judge_step(s, item->step, rows);
	case CHECK_SHAPE_BEFORE:
	case CHECK_SHAPE_AFTER: return judge_shape(s, item->check == CHECK_SHAPE_BEFORE, rows);
	case CHECK_REACH_BEFORE:
		return noted(s->shared_before, sizeof s->shared_before, answer(rows, 2, 0));
	case CHECK_SESSION_BEFORE:
		return noted(s->session_before, sizeof s->session_before, answer(rows, 1, 0));
	case CHECK_SESSION_BEHIND:
		return noted(s->session_behind, sizeof s->session_behind, answer(rows, 1, 0));
	case CHECK_REACH: return judge_reach(s, rows);
	case CHECK_ROLE:
	case CHECK_PATH:
	case CHECK_NATIVE_LOCK:
	case CHECK_XID: return judge_true(s, item->check, rows);
	case CHECK_NONE:
	case CHECK_SYNC:
	default:
		err_set(&s->result.error, ERR_SERVER, "an answer that nothing was asked for");
		return STAGE_ALIEN;
	}
}

static const struct item *head(const struct segment *segment)
{
	static const struct item none = { CHECK_NONE, NULL, NULL, NULL };
	return segment->next < segment->items ? &segment->item[segment->next] : &none;
}

enum stage_verdict stage_judge(struct segment *segment, const struct rows *rows)
{
	bool first = segment->result.error.code == ERR_NONE;
	enum stage_verdict verdict = judge(segment, head(segment), rows);
	if (verdict != STAGE_RIGHT && first)
		stage_blame(segment);
	stage_pop(segment);
	return verdict;
}

void stage_blame(struct segment *segment)
{
	segment->failed_check = head(segment)->check;
	segment->result.statement = head(segment)->statement;
}

void stage_pop(struct segment *segment)
{
	segment->next += segment->next < segment->items;
}

bool stage_empty(const struct segment *segment)
{
	return segment->next == segment->items;
}

bool stage_drops_rows(const struct segment *segment)
{
	return head(segment)->check == CHECK_STATEMENT;
}

bool stage_failed_in_commit(const struct segment *segment)
{
	const struct item *last = segment->next ? &segment->item[segment->next - 1] : head(segment);
	return last->expected && strcmp(last->expected, "COMMIT") == 0;
}

bool stage_claim_conflict(const struct segment *segment)
{
	return segment->failed_check == CHECK_APPLIED &&
		strcmp(segment->result.error.sqlstate, "23505") == 0;
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
		{ "pgdocket_intent", sql_segment_intent },
		{ "pgdocket_settings", sql_segment_settings },
		{ "pgdocket_native_lock", sql_segment_native_lock },
		{ "pgdocket_reach", sql_segment_reach },
		{ "pgdocket_session", sql_segment_session },
		{ "pgdocket_own_path", sql_segment_own_path },
		{ "pgdocket_xid", sql_segment_xid },
		{ "pgdocket_finished", sql_segment_finished },
		{ "pgdocket_shape", document->shape_query.text },
	};
	struct segment s = { .session = session, .job = { .document = document } };
	begin(&s);
	keep(&s, session_pipeline_enter(session, &s.result.error));
	for (size_t i = 0; i < COUNT(prepared); i++)
		keep(&s, s.send_failed ||
				session_queue_prepare(
					session, prepared[i][0], prepared[i][1], &s.result.error));
	send_pin(&s);
	stage_release(&s);
	if (!s.send_failed)
		return session_queue_sync(session, err) ? -1 : answers_all(session, err);
	*err = s.result.error;
	return -1;
}
