/*
 * What an ended segment means for its schema and for the run: done, again after a pause, failed, or
 * the end of the run. The ledger has the last word wherever an attempt's end is not known. Records
 * are written here, nothing is sent to a worker.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "fields.h"
#include "params.h"
#include "run.h"
#include "sql.h"

#define ANSWER_MS 15000
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 30000
#define TRY_US (300 * 1000000ll)
#define ASK_AGAIN_US 250000

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

static const struct doc_segment *segment_of(const struct task *task)
{
	return &task->program->segment[task->next];
}

/* --- records --- */

static int record_segment(struct run *run, const struct worker *worker,
	const struct segment_result *result, bool pilot, struct err *err)
{
	const struct task *task = worker->task;
	fields_record(recorder_begin(run->recorder, "segment"),
		"t:schema n:oid n:segment n:class t:wave n:xid d:state-after d:shape-after n:attempts "
		"n:duration-us t:pilot",
		task->schema->name, result->oid, (int64_t)segment_of(task)->number,
		(int64_t)task->class->number, run->document->wave[task->schema->wave].name, result->xid,
		&segment_of(task)->state_after, &result->shape, (int64_t)task->attempts,
		clock_monotonic_us() - worker->started_us, pilot ? "yes" : NULL);
	run->totals.segments++;
	return recorder_add(run->recorder, err);
}

static int record_failure(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error, struct err *err)
{
	struct buf *record = recorder_begin(run->recorder, "error");
	const struct doc_segment *segment = segment_of(task);
	fields_record(record, "t:schema n:segment", task->schema->name, (int64_t)segment->number);
	if (statement)
		fields_record(record, "n:statement t:file n:line", (int64_t)statement->number,
			segment->migration[statement->migration].file, (int64_t)statement->line);
	fields_record(record, "t:sqlstate t:message", error->sqlstate, error->message);
	return recorder_add(run->recorder, err);
}

static int record_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms, struct err *err)
{
	fields_record(recorder_begin(run->recorder, "retry"),
		"t:schema n:segment n:attempt t:sqlstate t:message t:blockers n:delay-ms",
		task->schema->name, (int64_t)segment_of(task)->number, (int64_t)task->attempts,
		error->sqlstate, error->message, blockers, delay_ms);
	run->totals.retries++;
	return recorder_add(run->recorder, err);
}

/* --- again --- */

/* Who stands in the way; NULL when nobody is to be seen. malloc'ed. */
static char *blockers_of(struct run *run, const struct task *task)
{
	struct buf ours = BUF_INIT(8192);
	struct err ignored = ERR_INIT;
	char oid[PARAMS_INT64_SIZE], pid[PARAMS_INT64_SIZE], *line = NULL;
	params_array_open(&ours);
	for (int i = 0; i < run->workers; i++) {
		if (!run->worker[i].session)
			continue;
		params_int64(session_backend_pid(run->worker[i].session), pid);
		params_array_item(&ours, pid);
	}
	params_array_close(&ours);
	params_int64(task->oid, oid);
	const char *const param[] = { oid, buf_text(&ours) };
	if (buf_check(&ours, &ignored) ||
		session_value(run->control, sql_blockers_of, 2, param, ANSWER_MS, &line, &ignored))
		line = NULL;
	buf_release(&ours);
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

static int fail(struct run *run, struct task *task, const struct doc_statement *statement,
	const struct err *error, struct err *err)
{
	int rc = record_failure(run, task, statement, error, err);
	if (run->failure.code == ERR_NONE) {
		run->failure = *error;
		err_context(&run->failure, "schema %s", task->schema->name);
	}
	task_fail(run, task);
	events_schema_failed(run, task, statement, error);
	return rc;
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
		rc = fail(run, task, statement, &last, err);
	} else {
		task->state = TASK_WAITING;
		task->not_before_us = now_us + delay_ms * 1000;
		rc = record_retry(run, task, error, blockers, delay_ms, err);
		events_retry(run, task, error, blockers, delay_ms);
	}
	free(blockers);
	return rc;
}

/* --- ends --- */

/* A shape that differs: say whose it should be. */
static void name_pilot(const struct run *run, const struct task *task, struct err *error)
{
	const struct class_shapes *s = &run->shapes[task->schema->class_index];
	const struct doc_schema *pilot = s->pilot[task->next];
	if (strcmp(error->reason, "shape") != 0 || !pilot || error->code != ERR_REFUSED)
		return;
	err_context(error, "differs from pilot %s", pilot->name);
}

static int not_done(struct run *run, struct task *task, const struct doc_statement *statement,
	const struct err *error, struct err *err)
{
	struct err named = *error;
	name_pilot(run, task, &named);
	switch (cure_of(error)) {
	case CURE_AGAIN: return again(run, task, statement, &named, err);
	case CURE_STOP: {
		int rc = fail(run, task, statement, &named, err);
		err_context(&named, "schema %s", task->schema->name);
		run_stop(run, &named);
		return rc;
	}
	case CURE_FAIL:
	default: return fail(run, task, statement, &named, err);
	}
}

static int done(struct run *run, struct task *task, int64_t oid, const struct digest *shape)
{
	run->changed = true;
	task_segment_done(run, task, oid, shape);
	if (task->state == TASK_DONE)
		events_schema_done(run, task, clock_monotonic_us() - task->started_us);
	else
		task->state = TASK_WAITING;
	return 0;
}

static int ask(struct run *run, struct task *task, const struct doc_statement *statement,
	int64_t xid, const struct err *error, struct err *err)
{
	const struct ledger_question question = { &run->verified->trust.plan, task->schema->name,
		segment_of(task)->number, xid };
	struct ledger_row row;
	enum ledger_fate fate;
	if (ledger_ask(run->control, &question, &fate, &row, err)) {
		run->changed = true; /* perhaps */
		return err_context(err, "whether schema %s was committed is not known", task->schema->name);
	}
	switch (fate) {
	case LEDGER_DONE:
		row.schema = task->schema->name;
		row.segment = question.segment;
		row.state = segment_of(task)->state_after;
		if (report_reconcile(run, &row, err))
			return -1;
		return done(run, task, row.oid, row.has_shape ? &row.shape : NULL);
	case LEDGER_IN_PROGRESS:
		task->state = TASK_ASKING;
		task->asked_xid = xid;
		task->asked_error = *error;
		task->not_before_us = clock_monotonic_us() + ASK_AGAIN_US;
		return 0;
	case LEDGER_NOT_DONE:
	default: return not_done(run, task, statement, error, err);
	}
}

int outcome_ask(struct run *run, struct task *task, struct err *err)
{
	struct err error = task->asked_error;
	return ask(run, task, NULL, task->asked_xid, &error, err);
}

int outcome_guard_failed(
	struct run *run, struct task *task, const struct err *error, struct err *err)
{
	return fail(run, task, NULL, error, err);
}

static int stopped(struct run *run, struct task *task)
{
	if (run->shapes[task->schema->class_index].under_way == task)
		run->shapes[task->schema->class_index].under_way = NULL;
	task->state = TASK_WAITING;
	return 0;
}

static int committed(
	struct run *run, struct worker *worker, const struct segment_result *result, struct err *err)
{
	struct task *task = worker->task;
	const struct class_shapes *s = &run->shapes[task->schema->class_index];
	bool pilot = !s->known[task->next];
	int rc = record_segment(run, worker, result, pilot, err);
	/* Done it is, whether its record could be written or not. */
	done(run, task, result->oid, &result->shape);
	return rc;
}

int outcome_take(struct run *run, struct worker *worker, struct err *err)
{
	const struct segment_result *result = segment_result(worker->engine);
	struct task *task = worker->task;
	switch (result->outcome) {
	case SEGMENT_COMMITTED: return committed(run, worker, result, err);
	case SEGMENT_ROLLED_BACK:
		if (result->stopped || run->cancelled)
			return stopped(run, task);
		return not_done(run, task, result->statement, &result->error, err);
	case SEGMENT_DONE_BEFORE:
	case SEGMENT_UNKNOWN:
		if (session_lost(run->control)) {
			stopped(run, task);
			run->changed = true; /* perhaps */
			*err = result->error;
			return err_context(
				err, "whether schema %s was committed is not known", task->schema->name);
		}
		return ask(run, task, result->statement, result->xid, &result->error, err);
	case SEGMENT_RUNNING:
	default: return err_set(err, ERR_BUG, "a segment that has not ended was taken for ended");
	}
}
