/* The objects that a plan document names, checked against the bundle (TRUST.md a.7, step 9). Private to bundles/. */
#ifndef PGDOCKET_DOCUMENT_OBJECTS_H
#define PGDOCKET_DOCUMENT_OBJECTS_H

#include "arena.h"
#include "object.h"

struct document_object {
	struct digest digest;
	const char *kind;
	int64_t size, stored_size;
	struct digest stored;
	const char *text; /* of statements and queries, after document_objects_load; in the arena */
};

struct document_objects {
	size_t count;
	struct document_object *object; /* sorted by digest, after document_objects_load */
};

/*
 * Sort, and refuse one named twice; read each and check it; keep the texts that run. ERR_FORMAT, reason "object". document: the
 * document's own digest, which no list names.
 */
int document_objects_load(struct db *db, struct arena *arena, struct document_objects *objects, const struct digest *document,
                          struct err *err) MUST_CHECK;
/* NULL: not named. */
const struct document_object *document_objects_find(const struct document_objects *objects, const struct digest *digest);

#endif
