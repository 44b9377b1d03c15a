/*
 * Shape guards before: one query per batch of schemas, on a session of its own, while the workers
 * work on the batch before. A schema is begun only when it has passed. It reads catalogs and
 * nothing else.
 */
#include "applier.h"
#include "clock.h"
#include "sql.h"

#define ANSWER_MS 150000
#define ARRAY_MAX (64u << 10)
#define FAILURES_MAX 5
#define NAME "pgdocket_guard"

static int history_tables(const struct document *document, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < document->history_tables; i++)
		ask_array_text(out, document->history_table[i]);
	ask_array_end(out);
	return buf_check(out, err);
}

int guards_open(struct run *run, struct err *err)
{
	if (prepare_session(run, "guard", &run->reader, err) ||
		ask_run(run->reader, sql_guards_settings, err, "") ||
		session_pipeline_enter(run->reader, err) ||
		session_queue_prepare(run->reader, NAME, run->document->shape_query.text, err) ||
		session_queue_sync(run->reader, err))
		return -1;
	return 0;
}

/* --- batches --- */

/* The next schemas of the wave; those of which no shape is known pass at once. */
static size_t gather(struct run *run)
{
	size_t n = 0, ready = 0;
	for (size_t i = run->first_open; i < run->tasks && n < run->chunk; i++) {
		struct task *task = &run->task[i];
		if (task->schema->wave != run->wave || task->state != TASK_WAITING)
			continue;
		/* Enough can begin already; who comes last, pauses, or waits for another does not count. */
		if (task->guard == GUARD_PASSED && task_lane(task) == run->lane && !task_waits(task) &&
			!task->failure && !task->attempts && ++ready >= 2 * (size_t)run->workers)
			return 0;
		if (task->guard != GUARD_UNASKED)
			continue;
		if (!task->has_shape) {
			task->guard = GUARD_PASSED;
			continue;
		}
		run->batch[n++] = task;
	}
	return n;
}

int guards_ask(struct run *run, struct err *err)
{
	struct buf oids = BUF_INIT(ARRAY_MAX), tables = BUF_INIT(ARRAY_MAX);
	size_t n;
	if (run->asked || run->state != RUN_GOING || (n = gather(run)) == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		ask_array_number(&oids, run->batch[i]->oid);
		run->batch[i]->guard = GUARD_ASKED;
	}
	ask_array_end(&oids);
	int rc = history_tables(run->document, &tables, err) || buf_check(&oids, err);
	const char *const values[] = { buf_text(&oids), buf_text(&tables) };
	if (!rc)
		rc = session_queue(run->reader, NAME, NULL, 2, values, err) ||
			session_queue_sync(run->reader, err);
	if (!rc) {
		run->asked = n;
		run->asked_until_us = clock_monotonic_us() + ANSWER_MS * 1000ll;
		run->chunk = run->chunk * 2 < GUARDS_MAX ? run->chunk * 2 : GUARDS_MAX;
	}
	buf_release(&oids);
	buf_release(&tables);
	return rc ? -1 : 0;
}

bool guards_shape_of(const struct rows *rows, int64_t oid, struct digest *out)
{
	for (int i = 0; i < rows_count(rows); i++)
		if (rows_int64(rows, i, 0) == oid)
			return ask_digest(rows, i, 1, out);
	return false;
}

static int judge(struct run *run, const struct rows *rows, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < run->asked && !rc; i++) {
		struct task *task = run->batch[i];
		struct digest shape;
		struct err drift = ERR_INIT;
		bool found = guards_shape_of(rows, task->oid, &shape);
		if (found && digest_equal(&shape, &task->shape)) {
			task->guard = GUARD_PASSED;
			continue;
		}
		err_refuse_hint(&drift, "drift",
			"see what was changed since the snapshot; plan again from a new one",
			found ? "its structure is not the one that was planned for" : "the schema is gone");
		rc = outcome_fail(run, task, NULL, &drift, err);
	}
	return rc;
}

/* A catalog that changes under the query may fail it; the batch is asked again, a few times. */
static int again(struct run *run, const struct err *error, struct err *err)
{
	for (size_t i = 0; i < run->asked; i++)
		run->batch[i]->guard = GUARD_UNASKED;
	run->asked = 0;
	run->chunk = 10;
	if (++run->guard_failures <= FAILURES_MAX && error->sqlstate[0])
		return 0;
	*err = *error;
	return err_context(err, "the structure of schemas cannot be read");
}

static int lost(const struct err *error, struct err *err)
{
	*err = *error;
	return err_context(err, "the session that reads structures");
}

int guards_advance(struct run *run, struct err *err)
{
	for (;;) {
		struct rows *rows = NULL;
		struct err error = ERR_INIT;
		int rc = 0;
		switch (session_next(run->reader, &rows, &error)) {
		case SESSION_WAIT:
			if (!run->asked || clock_monotonic_us() < run->asked_until_us)
				return 0;
			err_set(&error, ERR_SERVER, "no answer within the deadline");
			session_cancel(run->reader);
			rc = lost(&error, err);
			break;
		case SESSION_SYNCED:
		case SESSION_SKIPPED: break;
		case SESSION_RESULT:
			if (rows_columns(rows) == 2) {
				rc = judge(run, rows, err);
				run->asked = 0;
			}
			break;
		case SESSION_FAILED: rc = again(run, &error, err); break;
		case SESSION_COPY:
		case SESSION_LOST:
		default:
			rc = lost(&error, err);
			break;
		}
		rows_free(rows);
		if (rc)
			return -1;
	}
}

/* --- at once --- */

int guards_shapes(const struct run *run, const char *oids, struct rows **out, struct err *err)
{
	struct buf tables = BUF_INIT(ARRAY_MAX);
	int rc = history_tables(run->document, &tables, err);
	const char *const values[] = { oids, buf_text(&tables) };
	if (!rc)
		rc = session_rows(
			run->control, run->document->shape_query.text, 2, values, ANSWER_MS, out, err);
	buf_release(&tables);
	return rc;
}

static int shared_shape(struct run *run, const struct task *task, struct err *err)
{
	struct rows *rows = NULL;
	struct digest shape;
	char oids[32];
	snprintf(oids, sizeof oids, "{%lld}", (long long)task->oid);
	int rc = guards_shapes(run, oids, &rows, err);
	if (!rc && (!guards_shape_of(rows, task->oid, &shape) || !digest_equal(&shape, &task->shape)))
		rc = err_refuse_hint(err, "drift",
			"tenants' programs were planned against it; plan again from a new snapshot",
			"the shared schema %s was changed by someone else", task->schema->name);
	rows_free(rows);
	return rc;
}

int guards_check_shared(struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->tasks; i++) {
		const struct task *task = &run->task[i];
		if (!task->class->shared)
			continue;
		if (task->schema->wave < run->wave && task->state != TASK_DONE)
			return err_set_hint(err, ERR_INCOMPLETE, "see why it failed, and run again",
				"the shared schema %s is not done, tenants cannot follow", task->schema->name);
		bool begins = task->schema->wave == run->wave && task->state != TASK_DONE;
		if (!begins && task->has_shape && shared_shape(run, task, err))
			return -1;
	}
	return 0;
}
