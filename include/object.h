/*
 * Objects: everything bulky, held once under the SHA-256 of its raw bytes, zlib-compressed.
 * Bodies are verified against size and digest whenever they are read.
 */
#ifndef PGDOCKET_OBJECT_H
#define PGDOCKET_OBJECT_H

#include "db.h"
#include "digest.h"

#define OBJECT_MAX_BYTES (64u << 20) /* raw and stored */

/*
 * Kinds that the format knows: statement, migration, shape, state, document, configuration, facts,
 * query. The same bytes can play two parts (a migration file of one statement): the object then
 * keeps the kind that it was first stored as. The digest decides.
 */

bool object_kind_known(const char *kind);
/* Put "kind 16-digits" in front of err's message; kind may be NULL. Returns -1. */
int object_context(const struct digest *digest, const char *kind, struct err *err);

/*
 * Store bytes (a no-op when they are there already); *digest receives their name. ERR_LIMIT,
 * ERR_FORMAT (SQLite).
 */
int object_put(struct db *db, const char *kind, const void *bytes, size_t size,
	       struct digest *digest, struct err *err) MUST_CHECK;
/*
 * *out: malloc'ed, size bytes and a NUL behind them. ERR_FORMAT: missing or damaged. kind: what is
 * looked for, in messages; may be NULL.
 */
int object_get(struct db *db, const struct digest *digest, const char *kind, char **out,
	       size_t *size, struct err *err) MUST_CHECK;

struct object_facts {
	char kind[24];
	int64_t size, stored_size;
	struct digest stored; /* SHA-256 of the compressed bytes */
};
/* What the plan document says of an object; reads the stored bytes, does not inflate. */
int object_facts(struct db *db, const struct digest *digest, struct object_facts *out,
		 struct err *err) MUST_CHECK;
/*
 * object_get for an object of which a signed document states kind, sizes and digests: all hold
 * before anything is inflated.
 */
int object_get_stated(struct db *db, const struct digest *digest, const struct object_facts *stated,
		      char **out, struct err *err) MUST_CHECK;

#endif
