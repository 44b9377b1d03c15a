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
	if (!schema && failure)
		return 0; /* an error of the run, not of a schema */
	if (!schema || !segment || !text_int64(segment, 1, 1 << 30, &number))
		return err_refuse(err, "audit", "run %s, record %lld names no segment", record->run,
			(long long)record->seq);
	if (seen->count == seen->capacity) {
		size_t capacity = seen->capacity ? 2 * seen->capacity : 256;
		struct seen_record *grown = realloc(seen->record, capacity * sizeof *grown);
		if (!grown)
			return err_nomem(err);
		seen->record = grown;
		seen->capacity = capacity;
	}
	struct seen_record *r = &seen->record[seen->count];
	*r = (struct seen_record){ arena_text(seen->arena, schema, err), (int)number, record->time_us,
		failure ? arena_text(seen->arena, failure, err) : NULL };
	if (!r->schema || (failure && !r->failure))
		return -1;
	seen->count++;
	return 0;
}

static int visit(
	void *context, const struct record *record, const char *body, size_t len, struct err *err)
{
	struct seen *seen = context;
	const char *value;
	(void)body;
	(void)len;
	if (strcmp(record->type, "segment") == 0 || strcmp(record->type, "reconcile") == 0)
		return add(seen, record, NULL, err);
	if (strcmp(record->type, "error") == 0)
		return add(seen, record, (value = record_get(record, "message")) ? value : "", err);
	if (strcmp(record->type, "run-start") == 0 && record->time_us >= seen->run_started_us) {
		seen->run_started_us = record->time_us;
		seen->result = NULL;
		return (seen->run = arena_text(seen->arena, record->run, err)) ? 0 : -1;
	}
	if (strcmp(record->type, "run-end") || !seen->run || strcmp(seen->run, record->run))
		return 0;
	value = record_get(record, "result");
	return (seen->result = arena_text(seen->arena, value ? value : "", err)) ? 0 : -1;
}

static int compare(const void *a, const void *b)
{
	const struct seen_record *x = a, *y = b;
	int c = strcmp(x->schema, y->schema);
	if (c == 0)
		c = (x->failure != NULL) - (y->failure != NULL);
	return c ? c : (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

int seen_read(struct db *db, const struct digest *plan, struct seen *out, struct err *err)
{
	const struct record_visitor visitor = { .context = out, .record = visit };
	memset(out, 0, sizeof *out);
	if (!(out->arena = arena_new(SEEN_MAX)))
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

/* The records of schema: the first, and how many. */
static const struct seen_record *records_of(
	const struct seen *seen, const char *schema, size_t *count)
{
	size_t low = 0, high = seen->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(seen->record[middle].schema, schema) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < seen->count; ++*count)
		if (strcmp(seen->record[low + *count].schema, schema))
			break;
	return seen->record + low;
}

bool seen_done(const struct seen *seen, const char *schema, int segment)
{
	size_t count;
	const struct seen_record *r = records_of(seen, schema, &count);
	for (size_t i = 0; i < count; i++)
		if (!r[i].failure && r[i].segment == segment)
			return true;
	return false;
}

const struct seen_record *seen_failure(const struct seen *seen, const char *schema)
{
	size_t count;
	const struct seen_record *r = records_of(seen, schema, &count);
	return count && r[count - 1].failure ? &r[count - 1] : NULL;
}
