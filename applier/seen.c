/*
 * Earlier runs as their records tell them, read while their chains are verified. For reconciling
 * with the ledger and for people; the ledger alone decides what is done.
 */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "text.h"

#define SEEN_MAX (256u << 20)

static int add(struct seen *seen, const struct record *record, const char *failure, struct err *err)
{
	const char *schema = record_get(record, "schema"), *segment = record_get(record, "segment");
	int64_t number = 0;
	if (!schema || (segment && !text_int64(segment, 1, 1 << 30, &number)))
		return failure ? 0
					   : err_refuse(err, "audit", "run %s, record %lld names no segment",
							 record->run, (long long)record->seq);
	if (seen->count == seen->capacity) {
		size_t capacity = seen->capacity ? 2 * seen->capacity : 256;
		struct seen_record *grown = realloc(seen->record, capacity * sizeof *grown);
		if (!grown)
			return err_nomem(err);
		seen->record = grown;
		seen->capacity = capacity;
	}
	struct seen_record *r = &seen->record[seen->count];
	r->schema = arena_text(seen->arena, schema, err);
	r->failure = failure ? arena_text(seen->arena, failure, err) : NULL;
	r->segment = (int)number;
	r->time_us = record->time_us;
	if (!r->schema || (failure && !r->failure))
		return -1;
	seen->count++;
	return 0;
}

static int visit(
	void *context, const struct record *record, const char *body, size_t len, struct err *err)
{
	struct seen *seen = context;
	(void)body;
	(void)len;
	if (strcmp(record->type, "run-start") == 0) {
		seen->runs++;
		if (record->time_us >= seen->run_started_us) {
			seen->run_started_us = record->time_us;
			seen->run = arena_text(seen->arena, record->run, err);
			seen->result = NULL;
			return seen->run ? 0 : -1;
		}
	} else if (strcmp(record->type, "segment") == 0 || strcmp(record->type, "reconcile") == 0) {
		return add(seen, record, NULL, err);
	} else if (strcmp(record->type, "error") == 0) {
		const char *message = record_get(record, "message");
		return add(seen, record, message ? message : "", err);
	} else if (strcmp(record->type, "run-end") == 0 && seen->run &&
			   strcmp(seen->run, record->run) == 0) {
		const char *result = record_get(record, "result");
		seen->result = arena_text(seen->arena, result ? result : "", err);
		return seen->result ? 0 : -1;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct seen_record *x = a, *y = b;
	int c = strcmp(x->schema, y->schema);
	if (c == 0)
		c = (x->failure != NULL) - (y->failure != NULL);
	if (c == 0)
		c = (x->segment > y->segment) - (x->segment < y->segment);
	return c ? c : (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

int seen_read(struct db *db, const struct digest *plan, struct seen *out, struct err *err)
{
	const struct record_visitor visitor = { .context = out, .record = visit };
	memset(out, 0, sizeof *out);
	out->arena = arena_new(SEEN_MAX);
	if (!out->arena)
		return err_nomem(err);
	if (record_verify_chains(db, plan, &visitor, err))
		return -1;
	if (out->count)
		qsort(out->record, out->count, sizeof *out->record, compare);
	return 0;
}

void seen_release(struct seen *seen)
{
	arena_free(seen->arena);
	free(seen->record);
	memset(seen, 0, sizeof *seen);
}

/* The first record of schema. */
static size_t first_of(const struct seen *seen, const char *schema)
{
	size_t low = 0, high = seen->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(seen->record[middle].schema, schema) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool seen_done(const struct seen *seen, const char *schema, int segment)
{
	for (size_t i = first_of(seen, schema); i < seen->count; i++) {
		const struct seen_record *r = &seen->record[i];
		if (strcmp(r->schema, schema) != 0)
			break;
		if (!r->failure && r->segment == segment)
			return true;
	}
	return false;
}

const struct seen_record *seen_failure(const struct seen *seen, const char *schema)
{
	const struct seen_record *newest = NULL;
	for (size_t i = first_of(seen, schema); i < seen->count; i++) {
		const struct seen_record *r = &seen->record[i];
		if (strcmp(r->schema, schema) != 0)
			break;
		if (r->failure && (!newest || r->time_us > newest->time_us))
			newest = r;
	}
	return newest;
}
