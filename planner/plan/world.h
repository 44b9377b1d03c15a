/*
 * What a schema holds while a program is worked out: its relations, functions and types, first from
 * its shape, then changed by each statement as it is planned. Names only; columns and privileges
 * are not followed.
 */
#ifndef PGDOCKET_WORLD_H
#define PGDOCKET_WORLD_H

#include "arena.h"
#include "shape.h"
#include "statement.h"

/*
 * PostgreSQL's name spaces within a schema. Triggers and constraints are named with their table and
 * need none.
 */
enum world_space {
	WORLD_RELATION,
	WORLD_FUNCTION,
	WORLD_TYPE,
	WORLD_OTHER, /* collations, operators, statistics, text search ...: as one */
	WORLD_NONE
};

struct world_object {
	enum world_space space;
	const char *name;
	const char *table; /* index: its table; sequence: the table that owns it; else NULL */
	bool is_table;
	/* Functions: arguments of each, as the shape has them, each behind a newline; NULL: not known.
	 * */
	const char *signatures;
	bool child;     /* inherits from a table, or is a partition */
	bool doubtful;  /* may be gone: something ran that may have dropped it unsaid */
	bool temporary; /* in pg_temp, which is searched last for what is not there before */
	struct world_object *next;
};

struct world;

enum world_space world_space_of(enum sql_object_kind kind);
/*
 * schema: its name when statements may write it out (the shared schema), NULL for tenants;
 * borrowed.
 */
struct world *world_new(struct arena *arena, const char *schema, struct err *err);
/* Everything of a shape; foreign keys to relations of shared_schema are kept as keys. */
int world_add_shape(struct world *world, const struct shape *shape, const char *shared_schema,
		    struct err *err) MUST_CHECK;
struct world *world_copy(const struct world *from, struct arena *arena, struct err *err);

const struct world_object *world_find(const struct world *world, enum world_space space,
				      const char *name);
/*
 * True if the function may have exactly these arguments (sql_object.arguments); also when nobody
 * knows.
 */
bool world_signature(const struct world_object *function, const char *arguments);
/*
 * The table that a name such as campaigns_id_seq or campaigns_pkey was made with, if that table is
 * here; else NULL.
 */
const char *world_implied(const struct world *world, const char *name);
int world_add(struct world *world, enum world_space space, const char *name, const char *table,
	      bool is_table, struct err *err) MUST_CHECK;
/* Every object, in no particular order, until visit returns false. */
void world_each(const struct world *world,
		bool (*visit)(void *context, const struct world_object *object), void *context);

/* Remember that table has a foreign key to relation ("public.users"). */
int world_add_key(struct world *world, const char *table, const char *relation,
		  struct err *err) MUST_CHECK;
/* The n-th shared relation that table has a foreign key to, or NULL. */
const char *world_key(const struct world *world, const char *table, size_t n);
/* True when some table has a foreign key to relation. */
bool world_refers(const struct world *world, const char *relation);

/* Take over what a statement makes, drops and renames. */
int world_apply(struct world *world, const struct sql_statement *statement,
		struct err *err) MUST_CHECK;
/* True once something ran whose effects cannot be read from its text (DO, opaque, CASCADE). */
bool world_clouded(const struct world *world);

#endif
