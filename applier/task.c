/*
 * Schemas on their way through their programs: what the ledger says of each, which may begin next
 * (waves, pilots, pauses, guards), which shape each must end in. It talks to nobody.
 */
#include "applier.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(
		(*(struct task *const *)a)->schema->name, (*(struct task *const *)b)->schema->name);
}

static int build_shapes(struct run *run, struct err *err)
{
	run->shapes = calloc(run->document->classes + 1, sizeof *run->shapes);
	if (!run->shapes)
		return err_nomem(err);
	for (size_t i = 0; i < run->document->classes; i++) {
		const struct doc_class *class = &run->document->class[i];
		struct class_shapes *s = &run->shapes[i];
		s->segments = run->document->program[class->program].segments;
		if (!(s->behind = calloc(s->segments + 1, sizeof *s->behind)))
			return err_nomem(err);
		if (class->has_shape_after && s->segments)
			s->behind[s->segments - 1] = (struct known_shape){ true, class->shape_after, NULL };
	}
	return 0;
}

int tasks_build(struct run *run, struct err *err)
{
	const struct document *d = run->document;
	size_t segments = 0;
	for (size_t i = 0; i < d->schemas; i++)
		segments += d->program[d->class[d->schema[i].class_index].program].segments;
	run->recorded = calloc(segments + 1, sizeof *run->recorded);
	run->task = calloc(d->schemas + 1, sizeof *run->task);
	run->by_name = calloc(d->schemas + 1, sizeof *run->by_name);
	if (!run->task || !run->by_name || !run->recorded)
		return err_nomem(err);
	if (build_shapes(run, err))
		return -1;
	run->tasks = d->schemas;
	segments = 0;
	for (size_t i = 0; i < d->schemas; i++) {
		struct task *task = run->by_name[i] = &run->task[i];
		task->schema = &d->schema[i];
		task->class = &d->class[task->schema->class_index];
		task->program = &d->program[task->class->program];
		task->shapes = &run->shapes[task->schema->class_index];
		task->oid = task->schema->oid;
		task->has_shape = task->class->has_shape_before;
		task->shape = task->class->shape_before;
		task->state = task->program->segments ? TASK_WAITING : TASK_DONE;
		task->recorded = run->recorded + segments;
		segments += task->program->segments;
	}
	qsort(run->by_name, run->tasks, sizeof *run->by_name, by_name);
	return 0;
}

void tasks_release(struct run *run)
{
	for (size_t i = 0; run->shapes && i < run->document->classes; i++)
		free(run->shapes[i].behind);
	for (size_t i = 0; i < run->tasks; i++)
		free(run->task[i].failure);
	free(run->shapes);
	free(run->recorded);
	free(run->task);
	free(run->by_name);
}

struct task *task_find(const struct run *run, const char *schema)
{
	const struct doc_schema named = { .name = schema };
	const struct task key = { .schema = &named }, *pointer = &key;
	struct task **found = bsearch(&pointer, run->by_name, run->tasks, sizeof *found, by_name);
	return found ? *found : NULL;
}

const struct doc_segment *task_segment(const struct task *task)
{
	return &task->program->segment[task->next];
}

const struct known_shape *task_shape(const struct task *task)
{
	return &task->shapes->behind[task->next];
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
	if (!digest_equal(&row->state, &task_segment(task)->state_after))
		return ledger_wrong(row, "it ended in another state than planned", err);
	task_segment_done(run, task, row->oid, row->has_shape ? &row->shape : NULL);
	run->changed = true;
	return 0;
}

/*
 * A statement was begun outside of a transaction and its segment is not done: what the schema looks
 * like now nobody knows.
 */
static void apply_intent(struct run *run, const char *schema, int64_t segment)
{
	struct task *task = schema ? task_find(run, schema) : NULL;
	if (!task || segment != (int64_t)task->next + 1)
		return;
	task->has_shape = false;
	run->changed = true;
}

int tasks_apply_ledger(struct run *run, struct err *err)
{
	const struct ledger *ledger = &run->ledger;
	for (size_t i = 0; i < ledger->count; i++)
		if (apply_row(run, &ledger->row[i], err))
			return -1;
	for (int i = 0; i < rows_count(ledger->intents); i++)
		apply_intent(run, rows_text(ledger->intents, i, 0), rows_int64(ledger->intents, i, 1));
	return 0;
}

/*
 * With a rehearsal only the last shape is known before; then nobody needs to go first. Else
 * somebody does until all are known.
 */
static bool needs_pilot(const struct task *task)
{
	const struct class_shapes *s = task->shapes;
	for (size_t i = 0; i < s->segments && !task->class->has_shape_after; i++)
		if (!s->behind[i].known)
			return true;
	return false;
}

static void hand_over(struct task *task)
{
	if (task->shapes->under_way == task)
		task->shapes->under_way = NULL;
}

void task_segment_done(struct run *run, struct task *task, int64_t oid, const struct digest *shape)
{
	struct known_shape *known = &task->shapes->behind[task->next];
	task->oid = oid;
	task->has_shape = shape != NULL;
	if (shape) {
		task->shape = *shape;
		if (!known->known)
			*known = (struct known_shape){ true, *shape, task->schema };
	}
	task->next++;
	task->attempts = 0;
	task->first_try_us = 0;
	if (task->next < task->program->segments)
		return;
	task->state = TASK_DONE;
	hand_over(task);
	if (task->schema->wave == run->wave) {
		run->wave_done++;
		run->wave_left--;
	}
}

void task_fail(struct run *run, struct task *task)
{
	task->state = TASK_FAILED;
	hand_over(task);
	run->totals.failed++;
	run->wave_failed++;
	run->wave_left--;
}

void task_put_back(struct task *task)
{
	task->state = TASK_WAITING;
	hand_over(task);
}

enum lane task_lane(const struct task *task)
{
	const struct doc_segment *segment = task_segment(task);
	return !segment->transactional ? LANE_ALONE : segment->shared_locks ? LANE_SHARED : LANE_NORMAL;
}

static bool in_lane(const struct run *run, const struct task *task)
{
	return task->state == TASK_WAITING && task->schema->wave == run->wave &&
		task_lane(task) == run->lane;
}

/* The pilot that it must wait for, or NULL. */
static const struct task *behind_pilot(const struct task *task)
{
	const struct task *pilot = task->shapes->under_way;
	return pilot && pilot != task && needs_pilot(task) ? pilot : NULL;
}

bool task_waits(const struct task *task)
{
	return behind_pilot(task) != NULL;
}

bool tasks_open(const struct run *run)
{
	for (size_t i = run->first_open; i < run->tasks; i++) {
		const struct task *task = &run->task[i], *pilot;
		if (!in_lane(run, task))
			continue;
		pilot = behind_pilot(task);
		if (!pilot || task_lane(pilot) == run->lane)
			return true;
	}
	return false;
}

static bool ready(const struct run *run, const struct task *task, int64_t now_us, int64_t *wait_us)
{
	if (!in_lane(run, task) || task->guard != GUARD_PASSED || behind_pilot(task))
		return false;
	if (task->not_before_us <= now_us)
		return true;
	if (!*wait_us || task->not_before_us < *wait_us)
		*wait_us = task->not_before_us;
	return false;
}

/* Those that failed in an earlier run come last: what cannot be mended must not keep others out. */
struct task *task_pick(struct run *run, int64_t now_us, int64_t *wait_us)
{
	struct task *picked = NULL;
	bool closed = true, others = false;
	for (size_t i = run->first_open; i < run->tasks && !(picked && !picked->failure); i++) {
		struct task *task = &run->task[i];
		closed = closed &&
			(task->schema->wave != run->wave || task->state == TASK_DONE ||
				task->state == TASK_FAILED);
		if (closed)
			run->first_open = i + 1;
		others = others || (!task->failure && in_lane(run, task) && !behind_pilot(task));
		if (ready(run, task, now_us, wait_us) && (!picked || !task->failure))
			picked = task;
	}
	if (picked && picked->failure && others)
		return NULL;
	if (picked && needs_pilot(picked))
		picked->shapes->under_way = picked;
	return picked;
}

size_t tasks_left(const struct run *run)
{
	size_t left = 0;
	for (size_t i = 0; i < run->tasks; i++)
		left += run->task[i].state != TASK_DONE;
	return left;
}
