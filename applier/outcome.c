/*
 * What an ended segment means for its schema and for the run: done, again after a pause, failed, or
 * the end of the run. The ledger has the last word wherever an attempt's end is not known. Nothing
 * is sent to a worker here.
 */
#include "applier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "sql.h"

#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 30000
#define TRY_US (300 * 1000000ll)
#define ASK_AGAIN_US 250000
#define ASK_US (65 * 1000000ll) /* inside a pipeline no timeout of the server's ends it for us */

enum cure { CURE_AGAIN, CURE_STOP, CURE_FAIL };

static enum cure cure_of(const struct err *error)
{
	static const struct {
		const char *state; /* the beginning of SQLSTATEs */
		enum cure cure;
	} table[] = {
		{ "55P03", CURE_AGAIN },
		{ "40P01", CURE_AGAIN },
		{ "40001", CURE_AGAIN },
		{ "53", CURE_STOP },
		{ "58", CURE_STOP },
		{ "57P01", CURE_AGAIN }, /* somebody ended this session; a server that ends is met next */
		{ "57P0", CURE_STOP },
		{ "25006", CURE_STOP },
		{ "XX00", CURE_STOP },
	};
	if (error->code == ERR_BUG || error->code == ERR_NOMEM)
		return CURE_STOP;
	if (error->code != ERR_SERVER)
		return CURE_FAIL;
	if (!error->sqlstate[0])
		return CURE_AGAIN;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strncmp(error->sqlstate, table[i].state, strlen(table[i].state)) == 0)
			return table[i].cure;
	return CURE_FAIL;
}

/* --- again --- */

/* Who stands in the way; NULL when nobody is to be seen. malloc'ed. */
static char *blockers_of(struct run *run, const struct task *task)
{
	struct rows *rows = NULL;
	struct err ignored = ERR_INIT;
	char ours[32], *line = NULL;
	snprintf(ours, sizeof ours, "pgdocket/%.8s/", run->id);
	if (ask_rows(run->control, sql_blockers_of, &rows, &ignored, "nt", task->oid, ours) == 0 &&
		rows_text(rows, 0, 0))
		line = strdup(rows_text(rows, 0, 0));
	rows_free(rows);
	return line;
}

/* Full jitter: anywhere between nothing and a bound that doubles with each attempt. */
static int64_t pause_ms(int attempts)
{
	int64_t bound = PAUSE_MIN_MS;
	uint32_t random = 0;
	for (int i = 1; i < attempts && bound < PAUSE_MAX_MS; i++)
		bound *= 2;
	if (bound > PAUSE_MAX_MS)
		bound = PAUSE_MAX_MS;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = (uint32_t)clock_monotonic_us();
	return (int64_t)(random % (uint64_t)bound) + 1;
}

int outcome_fail(struct run *run, struct task *task, const struct doc_statement *statement,
	const struct err *error, struct err *err)
{
	if (run->failure.code == ERR_NONE) {
		run->failure = *error;
		err_context(&run->failure, "schema %s", task->schema->name);
	}
	task_fail(run, task);
	return events_schema_failed(run, task, statement, error, err);
}

static int again(struct run *run, struct task *task, const struct doc_statement *statement,
	const struct err *error, struct err *err)
{
	char *blockers = error->sqlstate[0] ? blockers_of(run, task) : NULL;
	int64_t now_us = clock_monotonic_us(), delay_ms = pause_ms(task->attempts);
	int rc;
	if (task->attempts >= run->document->retries || now_us - task->first_try_us > TRY_US) {
		struct err last = *error;
		err_context(&last, "after %d attempts", task->attempts);
		if (blockers)
			err_hint(&last, "in the way: %s", blockers);
		rc = outcome_fail(run, task, statement, &last, err);
	} else {
		task->state = TASK_WAITING;
		task->not_before_us = now_us + delay_ms * 1000;
		rc = events_retry(run, task, error, blockers, delay_ms, err);
	}
	free(blockers);
	return rc;
}

/* --- ends --- */

/* A shape that differs: say whose it should be. */
static void name_pilot(const struct task *task, struct err *error)
{
	const struct doc_schema *pilot = task_shape(task)->pilot;
	if (pilot && error->code == ERR_REFUSED && strcmp(error->reason, "shape") == 0)
		err_context(error, "differs from pilot %s", pilot->name);
}

static int not_done(struct run *run, struct task *task, const struct doc_statement *statement,
	const struct err *error, struct err *err)
{
	struct err named = *error;
	name_pilot(task, &named);
	switch (cure_of(error)) {
	case CURE_AGAIN: return again(run, task, statement, &named, err);
	case CURE_STOP: {
		int rc = outcome_fail(run, task, statement, &named, err);
		err_context(&named, "schema %s", task->schema->name);
		waves_stop(run, &named);
		return rc;
	}
	case CURE_FAIL:
	default: return outcome_fail(run, task, statement, &named, err);
	}
}

static void done(struct run *run, struct task *task, int64_t oid, const struct digest *shape)
{
	run->changed = true;
	task_segment_done(run, task, oid, shape);
	if (task->state == TASK_DONE)
		events_schema_done(run, task);
	else
		task->state = TASK_WAITING;
}

static int not_known(struct run *run, const struct task *task, struct err *err)
{
	run->changed = true; /* perhaps */
	return err_context(err, "whether schema %s was committed is not known", task->schema->name);
}

/* The attempt's transaction is open on a server that does not know that its client is gone. */
static int still_open(
	struct run *run, struct task *task, int64_t xid, const struct err *error, struct err *err)
{
	int64_t now_us = clock_monotonic_us();
	if (task->state != TASK_ASKING)
		task->asked_since_us = now_us;
	if (run->state == RUN_CANCELLED || now_us - task->asked_since_us > ASK_US) {
		task_put_back(task);
		*err = *error;
		err_hint(err, "server process %d holds its transaction open: wait for its end",
			task->asked_pid);
		return not_known(run, task, err);
	}
	task->state = TASK_ASKING;
	task->asked_xid = xid;
	task->asked_error = *error;
	task->not_before_us = now_us + ASK_AGAIN_US;
	return 0;
}

static int ask(struct run *run, struct task *task, const struct doc_statement *statement,
	int64_t xid, const struct err *error, struct err *err)
{
	struct ledger_row row;
	enum ledger_fate fate;
	int rc = 0;
	if (ledger_ask(run, task, xid, &fate, &row, err))
		return not_known(run, task, err);
	if (fate == LEDGER_DONE && !(rc = events_reconcile(run, &row, err)))
		done(run, task, row.oid, row.has_shape ? &row.shape : NULL);
	rows_free(row.own);
	switch (fate) {
	case LEDGER_DONE: return rc;
	case LEDGER_IN_PROGRESS: return still_open(run, task, xid, error, err);
	case LEDGER_NOT_DONE:
	default: return not_done(run, task, statement, error, err);
	}
}

int outcome_ask(struct run *run, struct task *task, struct err *err)
{
	struct err error = task->asked_error;
	return ask(run, task, NULL, task->asked_xid, &error, err);
}

/* Not the schema's fault, and no attempt: each session ends so once, a new one never. */
static int not_begun(struct run *run, struct task *task, const struct err *error, struct err *err)
{
	int rc = 0;
	if (run->state == RUN_CANCELLED)
		task_put_back(task);
	else
		rc = again(run, task, NULL, error, err);
	task->attempts--;
	return rc;
}

int outcome_take(struct run *run, struct worker *worker, struct err *err)
{
	const struct segment_result *result = segment_result(worker->engine);
	struct task *task = worker->task;
	int rc;
	switch (result->outcome) {
	case SEGMENT_COMMITTED:
		/* Done it is, whether its record can be written or not. */
		rc = events_segment(run, worker, err);
		done(run, task, result->oid, &result->shape);
		return rc;
	case SEGMENT_ROLLED_BACK:
		if (!result->stopped && run->state != RUN_CANCELLED)
			return not_done(run, task, result->statement, &result->error, err);
		task_put_back(task);
		return 0;
	case SEGMENT_NOT_BEGUN: return not_begun(run, task, &result->error, err);
	case SEGMENT_DONE_BEFORE:
	case SEGMENT_UNKNOWN:
		if (!session_lost(run->control))
			return ask(run, task, result->statement, result->xid, &result->error, err);
		task_put_back(task);
		*err = result->error;
		return not_known(run, task, err);
	case SEGMENT_RUNNING:
	default: return err_set(err, ERR_BUG, "a segment that has not ended was taken for ended");
	}
}
