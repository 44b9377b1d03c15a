/*
 * The workers' sessions: opened, made anew for another schema, replaced when they are worn or
 * spent. The table of (state, event) is a connection's whole life; what happens on it while it is
 * busy is segment.c's.
 */
#include "applier.h"

#include <stdio.h>

#include "clock.h"

#define SCHEMAS_PER_SESSION 500

/* clang-format off */
#define ON(state, event, action, next) \
	[WORKER_##state][WORKER_##event] = { WORKER_##action, WORKER_##next },
const struct worker_transition worker_table[WORKER_STATES][WORKER_EVENTS] = {
	ON(ABSENT, OPENED,  KEEP,  FRESH)
	ON(ABSENT, CLOSED,  KEEP,  ABSENT)
	ON(FRESH,  BEGINS,  KEEP,  BUSY)
	ON(FRESH,  GOES_ON, KEEP,  BUSY)
	ON(FRESH,  CLOSED,  CLOSE, ABSENT)
	ON(BUSY,   ENDED,   KEEP,  USED)
	ON(BUSY,   SPENT,   CLOSE, ABSENT)
	ON(BUSY,   CLOSED,  CLOSE, ABSENT)
	ON(USED,   BEGINS,  RESET, BUSY)
	ON(USED,   GOES_ON, KEEP,  BUSY)
	ON(USED,   WORN,    CLOSE, ABSENT)
	ON(USED,   CLOSED,  CLOSE, ABSENT)
};
#undef ON
/* clang-format on */

int worker_handle(struct worker *worker, enum worker_event event, bool *reset, struct err *err)
{
	const struct worker_transition *transition = &worker_table[worker->state][event];
	if (transition->action == WORKER_BUG)
		return err_set(err, ERR_BUG, "worker %d: event %d in state %d", worker->number, event,
			worker->state);
	*reset = transition->action == WORKER_RESET;
	if (transition->action == WORKER_CLOSE) {
		(worker->state == WORKER_BUSY ? session_abandon : session_close)(worker->session);
		worker->session = NULL;
	}
	worker->state = transition->next;
	return 0;
}

static int open_session(struct run *run, struct worker *worker, struct err *err)
{
	char lane[16];
	bool reset;
	snprintf(lane, sizeof lane, "%d", worker->number);
	if (prepare_session(run, lane, &worker->session, err))
		return err_context(err, "worker %d", worker->number);
	worker->served = 0;
	if (segment_open_session(worker->session, run->document, err) == 0)
		return worker_handle(worker, WORKER_OPENED, &reset, err);
	session_close(worker->session);
	worker->session = NULL;
	return err_context(err, "worker %d", worker->number);
}

int workers_open(struct run *run, struct err *err)
{
	for (int i = 0; i < run->workers; i++) {
		struct worker *worker = &run->worker[i];
		worker->number = i + 1;
		if (!(worker->engine = segment_new(err)) || open_session(run, worker, err))
			return -1;
	}
	return 0;
}

void workers_close(struct run *run)
{
	struct err ignored = ERR_INIT;
	bool reset;
	for (int i = 0; i < run->workers; i++) {
		if (worker_handle(&run->worker[i], WORKER_CLOSED, &reset, &ignored))
			err_clear(&ignored);
		segment_free(run->worker[i].engine);
	}
}

int worker_begin(struct run *run, struct worker *worker, struct task *task, struct err *err)
{
	const struct known_shape *after = task_shape(task);
	bool goes_on = worker->task == task;
	struct segment_job job = {
		.document = run->document,
		.plan = &run->verified.trust.plan,
		.run = run->id,
		.schema = task->schema,
		.segment = task_segment(task),
		.oid = task->oid,
		.shape_before = run->document->strict_guard && task->has_shape ? &task->shape : NULL,
		.shape_after = after->known ? &after->shape : NULL,
		.audit_head = recorder_head(run->recorder),
		.may_commit = waves_may_commit,
		.context = run,
	};
	if (!goes_on && worker->served >= SCHEMAS_PER_SESSION &&
		worker_handle(worker, WORKER_WORN, &job.reset, err))
		return -1;
	if ((!worker->session && open_session(run, worker, err)) ||
		worker_handle(worker, goes_on ? WORKER_GOES_ON : WORKER_BEGINS, &job.reset, err))
		return -1;
	worker->served += !goes_on;
	worker->task = task;
	worker->started_us = clock_monotonic_us();
	if (!task->first_try_us)
		task->first_try_us = worker->started_us;
	if (!task->started_us)
		task->started_us = worker->started_us;
	task->attempts++;
	task->asked_pid = session_backend_pid(worker->session);
	task->state = TASK_RUNNING;
	segment_start(worker->engine, worker->session, &job);
	return 0;
}

int worker_end(struct worker *worker, struct err *err)
{
	bool spent = segment_result(worker->engine)->spent, reset;
	return worker_handle(worker, spent ? WORKER_SPENT : WORKER_ENDED, &reset, err);
}
