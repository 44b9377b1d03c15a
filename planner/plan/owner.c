/*
 * The map of public-only (and tenants-only) tables and what belongs to them, gathered from the
 * shape of the schema that has them and from every migration file. It answers whose a name is and
 * judges nothing.
 */
#include "owner.h"

#include <string.h>

struct gather {
	struct owner *owner;
	struct err *err;
	int result;
};

static bool gather_object(void *context, const struct world_object *object)
{
	struct gather *gather = context;

	if (object->table && owner_has_table(gather->owner, object->table))
		gather->result = world_add(gather->owner->belongs, object->space, object->name,
					   object->table, false, gather->err);
	return gather->result == 0;
}

int owner_build(struct owner *owner, struct arena *arena, const struct conf_list *only,
		const struct world *side, struct err *err)
{
	struct gather gather = { owner, err, 0 };

	owner->only = only;
	owner->belongs = world_new(arena, NULL, err);
	if (!owner->belongs)
		return -1;
	for (size_t i = 0; i < only->count; i++)
		if (world_add(owner->belongs, WORLD_RELATION, only->items[i], only->items[i], true,
			      err))
			return -1;
	if (side)
		world_each(side, gather_object, &gather);
	return gather.result;
}

static int add_statement(struct owner *owner, const struct sql_statement *statement,
			 struct err *err)
{
	const char *table = NULL;

	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		enum world_space space = world_space_of(object->kind);
		const char *of =
			object->table ? owner_of(owner, WORLD_RELATION, object->table) : NULL;

		if (object->use == SQL_RENAME_TO) {
			if (table &&
			    world_add(owner->belongs, space, object->name, table, false, err))
				return -1;
			continue;
		}
		table = owner_of(owner, space, object->name);
		if (of && (object->use == SQL_CREATE || object->kind == SQL_SEQUENCE) &&
		    world_add(owner->belongs, space, object->name, of, false, err))
			return -1;
	}
	return 0;
}

int owner_add_file(struct owner *owner, const struct sql_file *file, struct err *err)
{
	for (size_t i = 0; i < file->statements; i++)
		if (add_statement(owner, &file->statement[i], err))
			return -1;
	return 0;
}

bool owner_has_table(const struct owner *owner, const char *name)
{
	return conf_list_has(owner->only, name);
}

const char *owner_of(const struct owner *owner, enum world_space space, const char *name)
{
	const struct world_object *object = world_find(owner->belongs, space, name);

	if (object)
		return object->table;
	return space == WORLD_RELATION && name ? world_implied(owner->belongs, name) : NULL;
}
