/*
 * Earlier runs as their records tell them, read while their chains are verified. For reconciling
 * with the ledger and for people; the ledger alone decides what is done.
 */
#include "applier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static int failed(struct task *task, const struct record *record, struct err *err)
{
	const char *message = record_get(record, "message");
	if (task->failure && record->time_us < task->failed_us)
		return 0;
	free(task->failure);
	task->failed_us = record->time_us;
	return (task->failure = strdup(message ? message : "")) ? 0 : err_nomem(err);
}

/* A record about a schema; an error may be the run's own. */
static int of_schema(struct run *run, const struct record *record, bool error, struct err *err)
{
	const char *schema = record_get(record, "schema"), *segment = record_get(record, "segment");
	struct task *task = schema ? task_find(run, schema) : NULL;
	int64_t number = 0;
	if (!schema || (segment && !text_int64(segment, 1, 1 << 30, &number)))
		return error ? 0
					 : err_refuse(err, "audit", "run %s, record %lld names no segment", record->run,
						   (long long)record->seq);
	if (task && error)
		return failed(task, record, err);
	if (task && number && (size_t)number <= task->program->segments)
		task->recorded[number - 1] = true;
	return 0;
}

static int visit(
	void *context, const struct record *record, const char *body, size_t len, struct err *err)
{
	struct run *run = context;
	const char *result = record_get(record, "result");
	bool error = strcmp(record->type, "error") == 0;
	(void)body;
	(void)len;
	if (error || strcmp(record->type, "segment") == 0 || strcmp(record->type, "reconcile") == 0)
		return of_schema(run, record, error, err);
	if (strcmp(record->type, "run-start") == 0 && record->time_us >= run->seen.started_us) {
		run->seen.started_us = record->time_us;
		snprintf(run->seen.run, sizeof run->seen.run, "%s", record->run);
		run->seen.result[0] = '\0';
	} else if (strcmp(record->type, "run-end") == 0 && strcmp(run->seen.run, record->run) == 0) {
		snprintf(run->seen.result, sizeof run->seen.result, "%s", result ? result : "");
	}
	return 0;
}

int seen_read(struct run *run, struct db *db, struct err *err)
{
	const struct record_visitor visitor = { .context = run, .record = visit };
	return record_verify_chains(db, &run->verified.trust.plan, &visitor, err);
}

bool seen_done(const struct run *run, const struct ledger_row *row)
{
	return task_find(run, row->schema)->recorded[row->segment - 1];
}

int seen_check(const struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->tasks; i++) {
		const struct task *task = &run->task[i];
		if (task->state == TASK_DONE || !task->recorded[task->next])
			continue;
		return err_set_hint(err, ERR_INCOMPLETE,
			"a failover lost it, or the database came back from a backup: see what else is "
			"missing, and plan again from a new snapshot",
			"the records say that segment %d of schema %s was committed, the ledger does not",
			task_segment(task)->number, task->schema->name);
	}
	return 0;
}
