/*
 * What a bundle's records say of earlier runs: which segments were done, what failed last, how the
 * newest run ended.
 */
#ifndef PGDOCKET_SEEN_H
#define PGDOCKET_SEEN_H

#include "arena.h"
#include "db.h"
#include "digest.h"

struct seen_record {
	const char *schema;
	int segment;
	int64_t time_us;
	const char *failure; /* of an error record: the message; else NULL */
};

struct seen {
	struct arena *arena;
	size_t count, capacity;
	struct seen_record *record; /* by schema; what was done before failures, older before newer */
	const char *run, *result;   /* the newest run and its run-end's result; NULL: it has none */
	int64_t run_started_us;
};

/* Verifies the chains on the way. *out must be released in any case. ERR_REFUSED reason "audit". */
int seen_read(
	struct db *db, const struct digest *plan, struct seen *out, struct err *err) MUST_CHECK;
void seen_release(struct seen *seen);
/* Is there a record that this segment of this schema was done? */
bool seen_done(const struct seen *seen, const char *schema, int segment);
/* The newest failure of a schema, or NULL. */
const struct seen_record *seen_failure(const struct seen *seen, const char *schema);

#endif
