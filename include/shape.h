/*
 * Shapes: a schema's structure as canonical text with its own name taken out; the SHA-256 of that text is the fingerprint.
 *
 * One line per object, each a JSON array of strings (["table","campaigns",...]), sorted by bytes; the schema's own name stands as
 * "~" before a dot. FORMAT.md lists the kinds. The server computes text and fingerprint (planner/shape/shape.sql); this reads them.
 * Kinds that are only counted have lines ["unmodelled", kind, name].
 */
#ifndef PGDOCKET_SHAPE_H
#define PGDOCKET_SHAPE_H

#include <stdbool.h>
#include "arena.h"

struct shape_object {
	const char *kind;   /* "table", "view", "matview", "sequence", "index", "constraint", "trigger", "function", "type", "column", "unmodelled" */
	const char *name;
	const char *table;  /* index, constraint, trigger, column: its table; sequence: the table that owns it; else NULL */
	const char *detail; /* the rest of the line, for people */
};

struct shape {
	size_t objects;
	struct shape_object *object; /* in the text's order */
	size_t tables, unmodelled;
};

int shape_parse(struct arena *arena, const char *text, size_t len, struct shape **out, struct err *err) MUST_CHECK;
/* First object of that kind (NULL: any of the relation namespace: table, view, matview, sequence, index) and name, or NULL. */
const struct shape_object *shape_find(const struct shape *shape, const char *kind, const char *name);

/*
 * The query: $1 oid[] of schemas, $2 text[] of history tables to leave out, $3 bool: texts wanted.
 * Rows (oid, fingerprint, text or NULL), one per schema, also for empty ones. To be run with search_path = pg_catalog, pg_temp.
 */
const char *shape_query(int server_version);
/* The same for one prepared use in the applier: $1 oid[], $2 text[]; rows (oid, fingerprint). */
const char *shape_guard_query(int server_version);

#endif
