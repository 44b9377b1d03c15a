/*
 * Whose a name is: the class's own, of a table that exists on the other side only, or one that the
 * search_path would find in the shared schema because the class lacks it. It looks names up in the
 * simulated worlds and decides nothing.
 */
#include "judge.h"

#include <stdio.h>
#include <string.h>

bool judge_is_target(const struct sql_object *object)
{
	return object->use == SQL_TARGET || object->use == SQL_CREATE || object->use == SQL_DROP ||
	       object->use == SQL_RENAME_TO;
}

const char *judge_name(const struct sql_object *object, char buffer[200])
{
	if (object->schema)
		snprintf(buffer, 200, "%.90s.%.90s", object->schema,
			 object->name ? object->name : "");
	else
		snprintf(buffer, 200, "%.190s", object->name ? object->name : "");
	return buffer;
}

static const char *foreign(const struct judge *judge, const char *schema)
{
	static const char *const always[] = { "pg_catalog", "information_schema", "pg_temp", NULL };

	if (!schema)
		return NULL;
	for (size_t i = 0; always[i]; i++)
		if (!strcmp(schema, always[i]))
			return NULL;
	return judge->shared && !strcmp(schema, judge->shared_schema) ? NULL : schema;
}

const char *judge_foreign_schema(const struct judge *judge, const struct sql_object *object)
{
	const char *schema = foreign(judge, object->schema);

	return schema ? schema : foreign(judge, object->table_schema);
}

static bool falls(const struct judge *judge, enum world_space space, const char *name)
{
	return judge->other && judge->falls_through && world_find(judge->other, space, name);
}

/* A name without schema, or with the class's own. */
static struct judge_place place_of(const struct judge *judge, enum world_space space,
				   const char *name)
{
	struct judge_place place = { SIDE_UNKNOWN, NULL };
	const struct world_object *object = world_find(judge->world, space, name);

	if (space == WORLD_RELATION && owner_has_table(judge->foreign, name)) {
		place.side = SIDE_THEIRS;
		place.owner = name;
	} else if (object && object->table && owner_has_table(judge->foreign, object->table)) {
		place.side = SIDE_THEIRS; /* an index of a stray */
		place.owner = object->table;
	} else if (object) {
		place.side =
			object->doubtful && falls(judge, space, name) ? SIDE_FALLS : SIDE_OURS;
	} else if ((place.owner = owner_of(judge->foreign, space, name)) != NULL) {
		const char *implied =
			space == WORLD_RELATION ? world_implied(judge->world, name) : NULL;

		place.side =
			implied && strlen(implied) > strlen(place.owner) ? SIDE_OURS : SIDE_THEIRS;
	} else if (falls(judge, space, name)) {
		place.side = SIDE_FALLS;
	} else if (space == WORLD_RELATION && world_implied(judge->world, name)) {
		place.side = SIDE_OURS;
	}
	return place;
}

/*
 * A name written with the shared schema, in a tenant's class: is it of a table that only the shared
 * schema has?
 */
static struct judge_place place_in_shared(const struct judge *judge, enum world_space space,
					  const char *name, const char *table)
{
	struct judge_place place = { SIDE_FOREIGN, NULL };
	const struct world_object *object =
		judge->other ? world_find(judge->other, space, name) : NULL;

	if (space == WORLD_RELATION && owner_has_table(judge->foreign, name))
		place.owner = name;
	else if (table)
		place.owner = owner_of(judge->foreign, WORLD_RELATION, table);
	else if (object && object->table)
		place.owner = owner_of(judge->foreign, WORLD_RELATION, object->table);
	else if (!object)
		place.owner = owner_of(judge->foreign, space, name);
	if (place.owner)
		place.side = SIDE_THEIRS;
	return place;
}

static bool made_here(const struct sql_statement *statement, enum world_space space,
		      const char *name)
{
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (object->use == SQL_CREATE && !object->schema &&
		    world_space_of(object->kind) == space && object->name &&
		    !strcmp(object->name, name))
			return true;
	}
	return false;
}

/* Something made on a table (index, trigger, owned sequence) belongs where the table is. */
static struct judge_place place_by_table(const struct judge *judge,
					 const struct sql_statement *statement,
					 const struct sql_object *object)
{
	struct judge_place ours = { SIDE_OURS, NULL };

	if (foreign(judge, object->table_schema)) {
		if (!strcmp(object->table_schema, judge->shared_schema))
			return place_in_shared(judge, WORLD_RELATION, object->table, NULL);
		ours.side = SIDE_FOREIGN;
		return ours;
	}
	if (!owner_has_table(judge->foreign, object->table) &&
	    made_here(statement, WORLD_RELATION, object->table))
		return ours;
	return place_of(judge, WORLD_RELATION, object->table);
}

struct judge_place judge_place(const struct judge *judge, const struct sql_statement *statement,
			       size_t n)
{
	const struct sql_object *object = &statement->object[n];
	enum world_space space = world_space_of(object->kind);
	struct judge_place place = { SIDE_UNKNOWN, NULL };
	const char *schema = foreign(judge, object->schema);

	if (object->kind == SQL_SCHEMA || object->kind == SQL_EXTENSION ||
	    object->kind == SQL_DATABASE_WIDE) {
		place.side = SIDE_DATABASE;
	} else if (object->schema && !strcmp(object->schema, "pg_temp")) {
		place.side = SIDE_OURS;
	} else if (schema && strcmp(schema, judge->shared_schema) != 0) {
		place.side = SIDE_FOREIGN;
	} else if (schema) {
		place = place_in_shared(judge, space, object->name, object->table);
	} else if (object->use == SQL_RENAME_TO && n > 0) {
		place = judge_place(judge, statement, n - 1);
		if (place.side != SIDE_THEIRS && space == WORLD_RELATION &&
		    owner_has_table(judge->foreign, object->name)) {
			place.side = SIDE_THEIRS;
			place.owner = object->name;
		}
	} else if (object->table && (object->use == SQL_CREATE || object->kind == SQL_TRIGGER ||
				     space == WORLD_NONE || space == WORLD_OTHER)) {
		place = place_by_table(judge, statement, object);
	} else if (object->use == SQL_CREATE) {
		place.side = SIDE_OURS;
		if (space == WORLD_RELATION && owner_has_table(judge->foreign, object->name)) {
			place.side = SIDE_THEIRS;
			place.owner = object->name;
		}
	} else if (space != WORLD_NONE && object->name) {
		place = place_of(judge, space, object->name);
		if (place.side == SIDE_OURS && object->arguments &&
		    falls(judge, space, object->name) &&
		    !world_signature(world_find(judge->world, space, object->name),
				     object->arguments))
			place.side = SIDE_FALLS;
		if (place.side != SIDE_THEIRS && made_here(statement, space, object->name))
			place.side = SIDE_OURS;
	}
	return place;
}
