/*
 * Which names belong to tables that exist on one side only: the tables of [shared] only, seen from
 * a tenant, and those of [tenants] only, seen from the shared schema; with their indexes and
 * sequences, whoever made them.
 */
#ifndef PGDOCKET_OWNER_H
#define PGDOCKET_OWNER_H

#include "conf.h"
#include "world.h"

struct owner {
	const struct conf_list *only; /* the tables; borrowed */
	struct world *belongs;        /* everything else that is known to belong to one of them */
};

/* side: what the schema that has these tables holds; may be NULL. */
int owner_build(struct owner *owner, struct arena *arena, const struct conf_list *only,
		const struct world *side, struct err *err) MUST_CHECK;
/* What a file's statements make on these tables, renames included; files in their order. */
int owner_add_file(struct owner *owner, const struct sql_file *file, struct err *err) MUST_CHECK;
/* True when name is one of the tables. */
bool owner_has_table(const struct owner *owner, const char *name);
/* The table that a name belongs to (itself, when it is one), or NULL. */
const char *owner_of(const struct owner *owner, enum world_space space, const char *name);

#endif
