/*
 * Earlier runs as their records tell them, read while their chains are verified. For reconciling
 * with the ledger and for people; the ledger alone decides what is done.
 */
#include "applier.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "text.h"

#define SEEN_MAX (256u << 20)

struct seen_record {
	const char *schema;
	int segment; /* 0: an error of the schema as a whole */
	int64_t time_us;
	const char *failure; /* error record: the message; else NULL */
};

struct seen {
	struct arena *arena;
	size_t count, capacity;
	struct seen_record *record; /* sorted by schema, failures last, then by segment and time */
	const char *run, *result;   /* the newest run and its run-end's result; NULL: it has none */
	int64_t run_started_us;
};

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

static const char *key_of(const struct record *record, const char *key)
{
	const char *value = record_get(record, key);
	return value ? value : "";
}

static int visit(
	void *context, const struct record *record, const char *body, size_t len, struct err *err)
{
	struct seen *seen = context;
	const char *type = record->type;
	(void)body;
	(void)len;
	if (strcmp(type, "segment") == 0 || strcmp(type, "reconcile") == 0)
		return add(seen, record, NULL, err);
	if (strcmp(type, "error") == 0)
		return add(seen, record, key_of(record, "message"), err);
	if (strcmp(type, "run-start") == 0 && record->time_us >= seen->run_started_us) {
		seen->run_started_us = record->time_us;
		seen->result = NULL;
		return (seen->run = arena_text(seen->arena, record->run, err)) ? 0 : -1;
	}
	if (strcmp(type, "run-end") == 0 && seen->run && strcmp(seen->run, record->run) == 0)
		return (seen->result = arena_text(seen->arena, key_of(record, "result"), err)) ? 0 : -1;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct seen_record *x = a, *y = b;
	int c = strcmp(x->schema, y->schema);
	if (c == 0)
		c = (x->failure != NULL) - (y->failure != NULL);
	if (c == 0 && !x->failure)
		c = (x->segment > y->segment) - (x->segment < y->segment);
	return c ? c : (x->time_us > y->time_us) - (x->time_us < y->time_us);
}

int seen_read(struct db *db, const struct digest *plan, struct seen **out, struct err *err)
{
	struct seen *seen = *out = calloc(1, sizeof **out);
	const struct record_visitor visitor = { .context = seen, .record = visit };
	if (!seen || !(seen->arena = arena_new(SEEN_MAX)))
		return err_nomem(err);
	if (record_verify_chains(db, plan, &visitor, err))
		return -1;
	if (seen->count)
		qsort(seen->record, seen->count, sizeof *seen->record, compare);
	return 0;
}

void seen_free(struct seen *seen)
{
	if (!seen)
		return;
	arena_free(seen->arena);
	free(seen->record);
	free(seen);
}

/* The newest record that does not come behind this one; NULL: there is none. */
static const struct seen_record *newest(const struct seen *seen, const struct seen_record *key)
{
	size_t low = 0, high = seen->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&seen->record[middle], key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && strcmp(seen->record[low - 1].schema, key->schema) == 0 ? &seen->record[low - 1]
																		 : NULL;
}

bool seen_done(const struct seen *seen, const char *schema, int segment)
{
	const struct seen_record *r = newest(
		seen, &(struct seen_record){ schema, segment, INT64_MAX, NULL });
	return r && !r->failure && r->segment == segment;
}

const char *seen_failure(const struct seen *seen, const char *schema)
{
	const struct seen_record *r = newest(seen, &(struct seen_record){ schema, 0, INT64_MAX, "" });
	return r ? r->failure : NULL;
}

const char *seen_run(const struct seen *seen, int64_t *started_us, const char **result)
{
	*started_us = seen->run_started_us;
	*result = seen->result;
	return seen->run;
}
