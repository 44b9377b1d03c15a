/* The objects that a plan document names, checked against the bundle (TRUST.md a.7, step 9).
 * Private to bundles/. */
#ifndef PGDOCKET_DOCUMENT_OBJECTS_H
#define PGDOCKET_DOCUMENT_OBJECTS_H

#include "arena.h"
#include "object.h"

struct document_object {
	struct digest digest;
	const char *kind;
	int64_t size, stored_size;
	struct digest stored;
	bool wanted;      /* set by the caller: keep the text */
	const char *text; /* of wanted ones, after document_objects_load; in the arena */
};

struct document_objects {
	size_t count;
	struct document_object *object; /* sorted by digest */
};

/* Sort, and refuse one named twice, or the document itself. ERR_FORMAT. */
int document_objects_sort(
	struct document_objects *objects, const struct digest *document, struct err *err) MUST_CHECK;
/* Nothing that the tables refer to is missing, nothing but the document stands outside the list;
 * each is stored as stated and holds what its name says. ERR_FORMAT: one of these does not hold, or
 * a wanted one holds a NUL byte. */
int document_objects_load(struct db *db, struct arena *arena, struct document_objects *objects,
	struct err *err) MUST_CHECK;
/* NULL: not named. */
struct document_object *document_objects_find(
	const struct document_objects *objects, const struct digest *digest);

#endif
