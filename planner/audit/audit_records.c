/*
 * The records of a bundle, sorted out: which runs there were, and what each record says of which
 * schema. Chains, checkpoints and digests are record.c's; here the records are held against the
 * plan and against each other. Trusts no record behind the last checkpoint of its chain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "audit_private.h"
#include "text.h"

struct pass {
	struct audit *audit;
	const struct trust *trust;
	struct audit_run *run;     /* whose chain is being visited */
	struct digest *shape;      /* pass 2: per class and segment, the first shape recorded */
	bool *shape_known;
	size_t *shape_first;       /* per class: where its segments begin in shape */
};

static int contradiction(struct err *err, const struct record *record, const char *what)
{
	err_refuse(err, "audit", "run %s, record %lld: %s", record->run, (long long)record->seq, what);
	return err_hint(err,
		"the records were altered, or belong to another plan; get the bundle again from the host "
		"that applied it");
}

/* The value's copy, or "" without one. */
static int copy_key(struct audit *audit, const struct record *record, const char *key,
	const char **out, struct err *err)
{
	const char *value = record_get(record, key);
	*out = value ? arena_text(audit->arena, value, err) : "";
	return *out ? 0 : -1;
}

static int read_number(const struct record *record, const char *key, int64_t *out, struct err *err)
{
	const char *value = record_get(record, key);
	char what[80];
	*out = 0;
	if (!value || text_int64(value, 0, INT64_MAX, out))
		return 0;
	snprintf(what, sizeof(what), "%s is not a number", key);
	return contradiction(err, record, what);
}

/* --- pass 1: runs --- */

static int read_run_start(struct pass *pass, const struct record *record, struct err *err)
{
	struct audit *audit = pass->audit;
	if (audit->runs == AUDIT_RUNS_MAX)
		return err_set(err, ERR_LIMIT, "the bundle has more than %d runs", AUDIT_RUNS_MAX);
	struct audit_run *run = &audit->run[audit->runs++];
	const struct { const char *key, **out; } keys[] = {
		{ "uid", &run->uid }, { "sudo-uid", &run->sudo_uid }, { "tty", &run->tty },
		{ "host", &run->host }, { "program", &run->program },
		{ "server-version", &run->server_version },
		{ "restore-point", &run->restore_before }
	};
	int64_t uid;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (copy_key(audit, record, keys[i].key, keys[i].out, err))
			return -1;
	run->id = arena_text(audit->arena, record->run, err);
	if (!run->id || read_number(record, "uid", &uid, err))
		return -1;
	run->result = run->why = run->restore_behind = "";
	run->operator_name = run->uid[0] ? trust_operator(pass->trust, (long)uid) : NULL;
	run->started_us = run->last_us = record->time_us;
	pass->run = run;
	return 0;
}

/*
 * record.c made sure that a chain begins with run-start and that only checkpoints stand behind
 * run-end.
 */
static int visit_run_record(
	void *context, const struct record *record, const char *body, size_t len, struct err *err)
{
	struct pass *pass = context;
	(void)body;
	(void)len;
	if (record->seq == 0)
		return read_run_start(pass, record, err);
	pass->run->last_us = record->time_us;
	if (strcmp(record->type, "run-end") != 0)
		return 0;
	pass->run->ended_us = record->time_us;
	if (copy_key(pass->audit, record, "result", &pass->run->result, err) ||
	    copy_key(pass->audit, record, "why", &pass->run->why, err) ||
	    copy_key(pass->audit, record, "restore-point", &pass->run->restore_behind, err))
		return -1;
	return 0;
}

static int visit_run_end(void *context, const char *id, const struct digest *head, int64_t records,
	int64_t unsigned_records, const struct ssh_public_key *host, struct err *err)
{
	struct audit_run *run = ((struct pass *)context)->run;
	if (!host) {
		err_refuse(err, "audit", "run %s has no checkpoint: no host vouches for its records", id);
		return err_hint(
			err, "checkpoints were taken out; get the bundle again from the host that applied it");
	}
	run->head = *head;
	run->records = records;
	run->unsigned_records = unsigned_records;
	ssh_public_key_fingerprint(host, run->fingerprint);
	return 0;
}

static int compare_runs(const void *a, const void *b)
{
	const struct audit_run *left = a, *right = b;
	if (left->started_us != right->started_us)
		return left->started_us < right->started_us ? -1 : 1;
	return strcmp(left->id, right->id);
}

int audit_records_runs(
	struct audit *audit, struct db *db, const struct trust *trust, struct err *err)
{
	struct pass pass = { .audit = audit, .trust = trust };
	const struct record_visitor visitor = { &pass, visit_run_record, visit_run_end };
	audit->run = arena_array(audit->arena, AUDIT_RUNS_MAX, sizeof(*audit->run), err);
	if (!audit->run || record_verify_chains(db, &audit->plan, &visitor, err))
		return -1;
	qsort(audit->run, audit->runs, sizeof(*audit->run), compare_runs);
	return 0;
}

/* --- pass 2: what the records say of the plan's schemas --- */

int audit_records_schema(const struct audit *audit, const char *name)
{
	size_t low = 0, high = audit->schemas;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, audit->verified.document->schema[audit->by_name[middle]].name);
		if (order == 0)
			return audit->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

const struct doc_program *audit_program(const struct audit *audit, int class_index)
{
	const struct document *document = audit->verified.document;
	return &document->program[document->class[class_index].program];
}

const struct doc_segment *audit_segment(const struct audit *audit, int schema, int number)
{
	int class_index = audit->verified.document->schema[schema].class_index;
	const struct doc_program *program = audit_program(audit, class_index);
	if (number < 1 || (size_t)number > program->segments)
		return NULL;
	return &program->segment[number - 1];
}

static struct audit_event *add_event(struct audit *audit, struct err *err)
{
	if (audit->events == audit->events_room) {
		size_t room = audit->events_room ? audit->events_room * 2 : 1024;
		struct audit_event *grown = arena_array(audit->arena, room, sizeof(*grown), err);
		if (!grown)
			return NULL;
		if (audit->events)
			memcpy(grown, audit->event, audit->events * sizeof(*grown));
		audit->event = grown;
		audit->events_room = room;
	}
	return &audit->event[audit->events++];
}

static int fill_event(
	struct audit *audit, struct audit_event *event, const struct record *record, struct err *err)
{
	const struct { const char *key, **out; } texts[] = {
		{ "sqlstate", &event->sqlstate }, { "message", &event->message }, { "file", &event->file },
		{ "blockers", &event->blockers }, { "xid", &event->xid },
		{ "applied-by", &event->applied_by }, { "signal", &event->signal }
	};
	const struct { const char *key; int64_t *out; } numbers[] = {
		{ event->type == AUDIT_RETRY ? "attempt" : "attempts", &event->attempt },
		{ "duration-us", &event->duration_us }, { "statement", &event->statement },
		{ "line", &event->line }
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (copy_key(audit, record, texts[i].key, texts[i].out, err))
			return -1;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (read_number(record, numbers[i].key, numbers[i].out, err))
			return -1;
	event->pilot = record_get(record, "pilot") != NULL;
	return 0;
}

/*
 * Which schema and segment of the plan; wave and class, where the record names them, must be the
 * plan's.
 */
static int place_event(const struct audit *audit, struct audit_event *event,
	const struct record *record, struct err *err)
{
	const struct document *document = audit->verified.document;
	const char *name = record_get(record, "schema"), *wave = record_get(record, "wave");
	int64_t segment, class_number;
	event->schema = -1;
	if (read_number(record, "segment", &segment, err) ||
		read_number(record, "class", &class_number, err))
		return -1;
	if (!name && (event->type == AUDIT_ERROR || event->type == AUDIT_SIGNAL))
		return 0;
	if (!name)
		return contradiction(err, record, "it names no schema");
	event->schema = audit_records_schema(audit, name);
	if (event->schema < 0)
		return contradiction(err, record, "it names a schema that the plan does not have");
	const struct doc_schema *schema = &document->schema[event->schema];
	if ((record_get(record, "class") &&
			class_number != document->class[schema->class_index].number) ||
		(wave && strcmp(wave, document->wave[schema->wave].name) != 0))
		return contradiction(
			err, record, "class or wave are not those that the plan gives the schema");
	if (segment > INT32_MAX || (segment && !audit_segment(audit, event->schema, (int)segment)) ||
	    (!segment && event->type <= AUDIT_RECONCILE))
		return contradiction(err, record, "the plan has no such segment for the schema");
	event->segment = (int)segment;
	return 0;
}

/*
 * A segment that is done ended in the plan's state, and in the shape that the class's other
 * schemas ended in.
 */
static int check_outcome(struct pass *pass, const struct audit_event *event,
	const struct record *record, struct err *err)
{
	const struct audit *audit = pass->audit;
	const struct doc_segment *segment = audit_segment(audit, event->schema, event->segment);
	int class_index = audit->verified.document->schema[event->schema].class_index;
	const struct doc_class *class = &audit->verified.document->class[class_index];
	const char *state = record_get(record, "state-after");
	const char *shape = record_get(record, "shape-after");
	struct digest digest;
	if (!state || !digest_parse(state, strlen(state), &digest) ||
		!digest_equal(&digest, &segment->state_after))
		return contradiction(err, record, "the state after is not the plan's");
	if (!shape || !digest_parse(shape, strlen(shape), &digest))
		return contradiction(err, record, "it does not say the shape after");
	if (class->has_shape_after &&
		(size_t)event->segment == audit_program(audit, class_index)->segments &&
		!digest_equal(&digest, &class->shape_after))
		return contradiction(err, record, "the shape after is not the plan's");
	size_t slot = pass->shape_first[class_index] + (size_t)event->segment - 1;
	if (pass->shape_known[slot] && !digest_equal(&digest, &pass->shape[slot]))
		return contradiction(
			err, record, "the shape after is not that of the other schemas of its class");
	pass->shape[slot] = digest;
	pass->shape_known[slot] = true;
	return 0;
}

static int mark_done(
	struct audit *audit, size_t event_index, const struct record *record, struct err *err)
{
	const struct audit_event *event = &audit->event[event_index];
	struct audit_schema *schema = &audit->schema[event->schema];
	int *done_by = &schema->done_by[event->segment - 1];
	if (*done_by >= 0) {
		if (audit->event[*done_by].run == event->run)
			return contradiction(
				err, record, "the segment was recorded as done before, in the same run");
		return 0;
	}
	*done_by = (int)event_index;
	schema->segments_done++;
	if (event->time_us > schema->done_us)
		schema->done_us = event->time_us;
	return 0;
}

static const struct { const char *name; enum audit_type type; } event_types[] = {
	{ "segment", AUDIT_SEGMENT }, { "reconcile", AUDIT_RECONCILE }, { "retry", AUDIT_RETRY },
	{ "error", AUDIT_ERROR }, { "signal", AUDIT_SIGNAL }
};

static void count_event(struct audit_run *run, enum audit_type type)
{
	run->segments += type == AUDIT_SEGMENT;
	run->reconciled += type == AUDIT_RECONCILE;
	run->retries += type == AUDIT_RETRY;
}

static int read_event(
	struct pass *pass, const struct record *record, enum audit_type type, struct err *err)
{
	struct audit *audit = pass->audit;
	struct audit_event *event = add_event(audit, err);
	if (!event)
		return -1;
	event->type = type;
	event->run = (int)(pass->run - audit->run);
	event->seq = record->seq;
	event->time_us = record->time_us;
	if (fill_event(audit, event, record, err) || place_event(audit, event, record, err))
		return -1;
	count_event(pass->run, type);
	if ((type == AUDIT_SEGMENT || type == AUDIT_RECONCILE) &&
		(check_outcome(pass, event, record, err) ||
			mark_done(audit, audit->events - 1, record, err)))
		return -1;
	if (event->schema >= 0 && type == AUDIT_ERROR)
		audit->schema[event->schema].last_error = (int)(audit->events - 1);
	else if (event->schema >= 0 && type == AUDIT_RETRY)
		audit->schema[event->schema].retries++;
	return 0;
}

/*
 * Every run counts what it did; a count that its own records do not bear out is a lie of one of
 * them.
 */
static int check_counts(const struct audit_run *run, const struct record *record, struct err *err)
{
	const struct { const char *key; int64_t counted; } counts[] = {
		{ "segments", run->segments }, { "reconciled", run->reconciled },
		{ "retries", run->retries }
	};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int64_t stated;
		char what[120];
		if (read_number(record, counts[i].key, &stated, err))
			return -1;
		snprintf(what, sizeof(what), "it counts %lld %s, the run's records %lld", (long long)stated,
			counts[i].key, (long long)counts[i].counted);
		if (stated != counts[i].counted)
			return contradiction(err, record, what);
	}
	return 0;
}

/* Pass 1 found every run of this very file. */
static struct audit_run *find_run(const struct audit *audit, const char *id)
{
	size_t i = 0;
	while (i + 1 < audit->runs && strcmp(audit->run[i].id, id) != 0)
		i++;
	return &audit->run[i];
}

static int visit_event(
	void *context, const struct record *record, const char *body, size_t len, struct err *err)
{
	struct pass *pass = context;
	(void)body;
	(void)len;
	if (record->seq == 0)
		pass->run = find_run(pass->audit, record->run);
	/* What stands behind the last checkpoint was not signed by anyone. */
	if (record->seq >= pass->run->records - pass->run->unsigned_records)
		return 0;
	if (strcmp(record->type, "run-end") == 0)
		return check_counts(pass->run, record, err);
	for (size_t i = 0; i < sizeof(event_types) / sizeof(event_types[0]); i++)
		if (strcmp(record->type, event_types[i].name) == 0)
			return read_event(pass, record, event_types[i].type, err);
	return 0;
}

static int prepare_shapes(struct pass *pass, struct err *err)
{
	struct audit *audit = pass->audit;
	const struct document *document = audit->verified.document;
	size_t slots = 0;
	pass->shape_first = arena_array(
		audit->arena, document->classes, sizeof(*pass->shape_first), err);
	if (!pass->shape_first)
		return -1;
	for (size_t i = 0; i < document->classes; i++) {
		pass->shape_first[i] = slots;
		slots += audit_program(audit, (int)i)->segments;
	}
	pass->shape = arena_array(audit->arena, slots, sizeof(*pass->shape), err);
	pass->shape_known = arena_array(audit->arena, slots, sizeof(*pass->shape_known), err);
	return pass->shape && pass->shape_known ? 0 : -1;
}

int audit_records_events(struct audit *audit, struct db *db, struct err *err)
{
	struct pass pass = { .audit = audit };
	const struct record_visitor visitor = { &pass, visit_event, NULL };
	if (prepare_shapes(&pass, err) || record_verify_chains(db, &audit->plan, &visitor, err))
		return -1;
	return 0;
}
