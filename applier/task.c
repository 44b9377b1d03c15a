/*
 * Schemas on their way through their programs: what the ledger says of each, which may begin next
 * (waves, pilots, pauses, guards), which shape each must end in. It talks to nobody.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(
		(*(struct task *const *)a)->schema->name, (*(struct task *const *)b)->schema->name);
}

static int build_shapes(struct run *run, struct err *err)
{
	run->shapes = calloc(run->document->classes ? run->document->classes : 1, sizeof *run->shapes);
	if (!run->shapes)
		return err_nomem(err);
	for (size_t i = 0; i < run->document->classes; i++) {
		const struct doc_class *class = &run->document->class[i];
		struct class_shapes *s = &run->shapes[i];
		s->segments = run->document->program[class->program].segments;
		s->known = calloc(s->segments + 1, sizeof *s->known);
		s->shape = calloc(s->segments + 1, sizeof *s->shape);
		s->pilot = calloc(s->segments + 1, sizeof *s->pilot);
		if (!s->known || !s->shape || !s->pilot)
			return err_nomem(err);
		if (class->has_shape_after && s->segments) {
			s->known[s->segments - 1] = true;
			s->shape[s->segments - 1] = class->shape_after;
		}
	}
	return 0;
}

int tasks_build(struct run *run, struct err *err)
{
	const struct document *d = run->document;
	run->tasks = d->schemas;
	run->task = calloc(d->schemas + 1, sizeof *run->task);
	run->by_name = calloc(d->schemas + 1, sizeof *run->by_name);
	if (!run->task || !run->by_name)
		return err_nomem(err);
	if (build_shapes(run, err))
		return -1;
	for (size_t i = 0; i < d->schemas; i++) {
		struct task *task = &run->task[i];
		task->schema = &d->schema[i];
		task->class = &d->class[task->schema->class_index];
		task->program = &d->program[task->class->program];
		task->oid = task->schema->oid;
		task->has_shape = task->class->has_shape_before;
		task->shape = task->class->shape_before;
		task->state = task->program->segments ? TASK_WAITING : TASK_DONE;
		run->by_name[i] = task;
	}
	qsort(run->by_name, run->tasks, sizeof *run->by_name, by_name);
	return 0;
}

void tasks_release(struct run *run)
{
	for (size_t i = 0; run->shapes && i < run->document->classes; i++) {
		free(run->shapes[i].known);
		free(run->shapes[i].shape);
		free(run->shapes[i].pilot);
	}
	free(run->shapes);
	free(run->task);
	free(run->by_name);
	run->shapes = NULL;
	run->task = NULL;
	run->by_name = NULL;
}

struct task *task_find(const struct run *run, const char *schema)
{
	size_t low = 0, high = run->tasks;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(run->by_name[middle]->schema->name, schema);
		if (c == 0)
			return run->by_name[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int ledger_wrong(const struct ledger_row *row, const char *what, struct err *err)
{
	err_refuse(err, "ledger", "the ledger does not fit the plan: schema %s, segment %d: %s",
		row->schema, row->segment, what);
	return err_hint(
		err, "the ledger was altered or restored from a backup; plan again from a new snapshot");
}

static int apply_row(struct run *run, const struct ledger_row *row, struct err *err)
{
	struct task *task = task_find(run, row->schema);
	if (!task)
		return ledger_wrong(row, "the plan has no such schema", err);
	if (row->segment < 1 || (size_t)row->segment > task->program->segments)
		return ledger_wrong(row, "the plan has no such segment", err);
	if ((size_t)row->segment != task->next + 1)
		return ledger_wrong(row, "a segment before it is missing", err);
	if (task->schema->oid && task->schema->oid != row->oid)
		return ledger_wrong(row, "the schema has another oid than in the snapshot", err);
	if (!digest_equal(&row->state, &task->program->segment[task->next].state_after))
		return ledger_wrong(row, "it ended in another state than planned", err);
	task_segment_done(run, task, row->oid, row->has_shape ? &row->shape : NULL);
	run->changed = true;
	return 0;
}

static int by_segment(const void *a, const void *b)
{
	const struct ledger_row *x = *(const struct ledger_row *const *)a,
							*y = *(const struct ledger_row *const *)b;
	if (x->segment != y->segment)
		return (x->segment > y->segment) - (x->segment < y->segment);
	return (x->finished_us > y->finished_us) - (x->finished_us < y->finished_us);
}

int tasks_apply_ledger(struct run *run, const struct ledger *ledger, struct err *err)
{
	const struct ledger_row **rows = calloc(ledger->count + 1, sizeof *rows);
	int rc = 0;
	if (!rows)
		return err_nomem(err);
	for (size_t i = 0; i < ledger->count; i++)
		rows[i] = &ledger->row[i];
	qsort(rows, ledger->count, sizeof *rows, by_segment);
	for (size_t i = 0; i < ledger->count && !rc; i++)
		rc = apply_row(run, rows[i], err);
	free(rows);
	return rc;
}

static bool established(const struct class_shapes *s)
{
	for (size_t i = 0; i < s->segments; i++)
		if (!s->known[i])
			return false;
	return true;
}

/* With a rehearsal only the last shape is known before; then nobody needs to go first. */
static bool needs_pilot(const struct run *run, const struct task *task)
{
	return !task->class->has_shape_after && !established(&run->shapes[task->schema->class_index]);
}

void task_segment_done(struct run *run, struct task *task, int64_t oid, const struct digest *shape)
{
	struct class_shapes *s = &run->shapes[task->schema->class_index];
	task->oid = oid;
	task->has_shape = shape != NULL;
	if (shape) {
		task->shape = *shape;
		if (!s->known[task->next]) {
			s->known[task->next] = true;
			s->shape[task->next] = *shape;
			s->pilot[task->next] = task->schema;
		}
	}
	task->next++;
	task->attempts = 0;
	task->first_try_us = 0;
	if (task->next < task->program->segments)
		return;
	task->state = TASK_DONE;
	if (s->under_way == task)
		s->under_way = NULL;
	if (task->schema->wave == run->wave) {
		run->wave_done++;
		run->wave_left--;
	}
}

void task_fail(struct run *run, struct task *task)
{
	task->state = TASK_FAILED;
	if (run->shapes[task->schema->class_index].under_way == task)
		run->shapes[task->schema->class_index].under_way = NULL;
	run->totals.failed++;
	run->wave_failed++;
	run->wave_left--;
}

static bool ready(const struct run *run, const struct task *task, int64_t now_us, int64_t *wait_us)
{
	if (task->state != TASK_WAITING || task->schema->wave != run->wave ||
		task->guard != GUARD_PASSED)
		return false;
	if (task->not_before_us > now_us) {
		if (!*wait_us || task->not_before_us < *wait_us)
			*wait_us = task->not_before_us;
		return false;
	}
	const struct task *pilot = run->shapes[task->schema->class_index].under_way;
	return !needs_pilot(run, task) || !pilot || pilot == task;
}

struct task *task_pick(struct run *run, int64_t now_us, int64_t *wait_us)
{
	bool behind = true;
	for (size_t i = run->first_open; i < run->tasks; i++) {
		struct task *task = &run->task[i];
		if (behind && (task->schema->wave != run->wave || task->state == TASK_DONE ||
						  task->state == TASK_FAILED))
			run->first_open = i + 1;
		else
			behind = false;
		if (!ready(run, task, now_us, wait_us))
			continue;
		if (needs_pilot(run, task))
			run->shapes[task->schema->class_index].under_way = task;
		return task;
	}
	return NULL;
}

size_t tasks_left(const struct run *run)
{
	size_t left = 0;
	for (size_t i = 0; i < run->tasks; i++)
		left += run->task[i].state != TASK_DONE;
	return left;
}
