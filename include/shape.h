/*
 * Shapes: a schema's structure as canonical text with its own name taken out; the SHA-256 of that
 * text is the fingerprint.
 *
 * One line per object, each a JSON array of strings [kind, name, table or "", about, definition,
 * more], sorted by bytes; the schema's own name stands as "~" before a dot. The server computes
 * text and fingerprint (planner/shape/shape.sql); this reads them.
 *
 *   table       about: what differs from a plain table; definition: parents and partition bound;
 *               more: partition key
 *   column      about: not null, identity, generated, collation; definition: type; more: default or
 *               generation expression
 *   constraint  definition as pg_get_constraintdef has it
 *   index       about: invalid, not ready; definition: method and columns, "constraint" when one
 *               made it, else pg_get_indexdef's
 *   sequence    table: whose column owns it; about: type and parameters; definition: which column
 *   view, matview, function, procedure, trigger, type (enums, with their labels)
 *   unmodelled  other kinds: ["unmodelled", kind, name], and as a fourth text the definition of
 *               policies, rules, row security, domains, composite and range types, statistics
 */
#ifndef PGDOCKET_SHAPE_H
#define PGDOCKET_SHAPE_H

#include <stdbool.h>
#include "arena.h"

struct shape_object {
	/*
	 * "table", "view", "matview", "sequence", "index", "constraint", "trigger",
	 * "function", "type", "column", "unmodelled", "procedure"
	 */
	const char *kind;
	const char *name;
	/*
	 * index, constraint, trigger, column: its table; sequence: the table that owns it;
	 * else NULL
	 */
	const char *table;
	const char *detail; /* the rest of the line, for people */
	const char *sort;   /* unmodelled: its kind ("policy"); else NULL */
};

struct shape {
	size_t objects;
	struct shape_object *object; /* in the text's order */
	size_t tables, unmodelled;
};

int shape_parse(struct arena *arena, const char *text, size_t len, struct shape **out,
		struct err *err) MUST_CHECK;
/*
 * First object of that kind (NULL: any of the relation namespace: table, view, matview, sequence,
 * index) and name, or NULL.
 */
const struct shape_object *shape_find(const struct shape *shape, const char *kind,
				      const char *name);

/*
 * The query: $1 oid[] of schemas, $2 text[] of history tables to leave out. Rows (oid,
 * fingerprint, text), one for each schema that exists, also for empty ones. To be run with
 * search_path = pg_catalog, pg_temp and the pinned settings of a session (session.h).
 */
const char *shape_query(int server_version);
/*
 * The same without texts, for guards and for asking about many: $1 oid[], $2 text[]; rows (oid,
 * fingerprint).
 */
const char *shape_guard_query(int server_version);

#endif
