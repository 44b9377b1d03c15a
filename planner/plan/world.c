/*
 * The simulated content of one schema: a hash table of names that statements add to, take from and
 * rename in. It only follows names; whether a statement may run is judge.c's question, and nothing
 * here looks at a server.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include "buf.h"
#include "quote.h"

#define WORLD_BUCKETS 512

struct world_key {
	const char *table, *relation;
	struct world_key *next;
};

struct world {
	struct arena *arena;
	const char *schema;
	bool clouded;
	struct world_key *key;
	struct world_object *bucket[WORLD_BUCKETS];
};

static size_t bucket_of(enum world_space space, const char *name)
{
	size_t hash = 5381 + (size_t)space;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash % WORLD_BUCKETS;
}

enum world_space world_space_of(enum sql_object_kind kind)
{
	switch (kind) {
	case SQL_RELATION:
	case SQL_TABLE:
	case SQL_VIEW:
	case SQL_SEQUENCE:
	case SQL_INDEX: return WORLD_RELATION;
	case SQL_FUNCTION: return WORLD_FUNCTION;
	case SQL_TYPE: return WORLD_TYPE;
	case SQL_OBJECT_OTHER: return WORLD_OTHER;
	case SQL_TRIGGER:
	case SQL_SCHEMA:
	case SQL_EXTENSION:
	case SQL_DATABASE_WIDE:
	default: return WORLD_NONE;
	}
}

struct world *world_new(struct arena *arena, const char *schema, struct err *err)
{
	struct world *world = arena_alloc(arena, sizeof *world, err);

	if (!world)
		return NULL;
	world->arena = arena;
	world->schema = schema;
	return world;
}

static struct world_object *find(const struct world *world, enum world_space space,
				 const char *name)
{
	struct world_object *object;

	if (space == WORLD_NONE || !name)
		return NULL;
	for (object = world->bucket[bucket_of(space, name)]; object; object = object->next)
		if (object->space == space && !strcmp(object->name, name))
			return object;
	return NULL;
}

const struct world_object *world_find(const struct world *world, enum world_space space,
				      const char *name)
{
	return find(world, space, name);
}

int world_add(struct world *world, enum world_space space, const char *name, const char *table,
	      bool is_table, struct err *err)
{
	struct world_object *object = find(world, space, name);
	struct world_object **bucket;

	if (space == WORLD_NONE || !name)
		return 0;
	if (!object) {
		object = arena_alloc(world->arena, sizeof *object, err);
		if (!object)
			return -1;
		object->space = space;
		object->name = arena_text(world->arena, name, err);
		if (!object->name)
			return -1;
		bucket = &world->bucket[bucket_of(space, name)];
		object->next = *bucket;
		*bucket = object;
	}
	object->is_table = is_table;
	object->temporary = object->doubtful = object->child = false;
	object->signatures = NULL; /* an overload more: not known any longer */
	object->table = NULL;
	if (table) {
		object->table = arena_text(world->arena, table, err);
		if (!object->table)
			return -1;
	}
	return 0;
}

void world_each(const struct world *world,
		bool (*visit)(void *context, const struct world_object *object), void *context)
{
	for (size_t i = 0; i < WORLD_BUCKETS; i++)
		for (const struct world_object *object = world->bucket[i]; object;
		     object = object->next)
			if (!visit(context, object))
				return;
}

/* Names that PostgreSQL makes up with a table: table_column_suffix. */
static bool has_implied_ending(const char *name)
{
	static const char *const endings[] = { "_seq",  "_pkey", "_key",   "_idx",
					       "_fkey", "_excl", "_check", NULL };
	size_t len = strlen(name);

	for (size_t i = 0; endings[i]; i++) {
		size_t ending = strlen(endings[i]);

		if (len > ending && !strcmp(name + len - ending, endings[i]))
			return true;
	}
	return false;
}

const char *world_implied(const struct world *world, const char *name)
{
	const struct world_object *object;
	const char *found = NULL;
	char prefix[256];

	if (!has_implied_ending(name) || strlen(name) >= sizeof prefix)
		return NULL;
	for (size_t i = 1; name[i]; i++) {
		if (name[i] != '_')
			continue;
		memcpy(prefix, name, i);
		prefix[i] = '\0';
		object = find(world, WORLD_RELATION, prefix);
		if (object && object->is_table)
			found = object->name; /* the longest one wins */
	}
	return found;
}

int world_add_key(struct world *world, const char *table, const char *relation, struct err *err)
{
	struct world_key *key, **last = &world->key;

	for (; *last; last = &(*last)->next)
		if (!strcmp((*last)->table, table) && !strcmp((*last)->relation, relation))
			return 0;
	key = arena_alloc(world->arena, sizeof *key, err);
	if (!key)
		return -1;
	key->table = arena_text(world->arena, table, err);
	key->relation = arena_text(world->arena, relation, err);
	if (!key->table || !key->relation)
		return -1;
	*last = key;
	return 0;
}

const char *world_key(const struct world *world, const char *table, size_t n)
{
	for (const struct world_key *key = world->key; key; key = key->next)
		if (!strcmp(key->table, table) && n-- == 0)
			return key->relation;
	return NULL;
}

bool world_refers(const struct world *world, const char *relation)
{
	for (const struct world_key *key = world->key; key; key = key->next)
		if (!strcmp(key->relation, relation))
			return true;
	return false;
}

static void copy_marks(struct world_object *to, const struct world_object *from)
{
	to->temporary = from->temporary;
	to->doubtful = from->doubtful;
	to->child = from->child;
	to->signatures = from->signatures;
}

struct world *world_copy(const struct world *from, struct arena *arena, struct err *err)
{
	struct world *world = world_new(arena, from->schema, err);

	if (!world)
		return NULL;
	world->clouded = from->clouded;
	for (size_t i = 0; i < WORLD_BUCKETS; i++)
		for (const struct world_object *object = from->bucket[i]; object;
		     object = object->next) {
			if (world_add(world, object->space, object->name, object->table,
				      object->is_table, err))
				return NULL;
			copy_marks(find(world, object->space, object->name), object);
		}
	for (const struct world_key *key = from->key; key; key = key->next)
		if (world_add_key(world, key->table, key->relation, err))
			return NULL;
	return world;
}

/*
 * "... REFERENCES public.users(id) ...": the shared relation's name as PostgreSQL wrote it, with
 * the schema. Definitions are deparsed under an empty search_path, so that a name in another schema
 * is always qualified.
 */
static int add_key_of(struct world *world, const struct shape_object *constraint,
		      const char *shared_schema, struct err *err)
{
	static const char words[] = "REFERENCES ";
	const char *at = constraint->detail ? strstr(constraint->detail, words) : NULL;
	struct buf quoted = BUF_INIT(1024);
	char relation[256];
	size_t schema_len, len;
	int result = -1;

	if (!at || !constraint->table)
		return 0;
	at += sizeof words - 1;
	buf_add_format(&quoted, "%s.", shared_schema);
	if (strncmp(at, buf_text(&quoted), quoted.len) != 0) {
		buf_clear(&quoted);
		if (quote_identifier(&quoted, shared_schema, err))
			goto out;
		buf_add_char(&quoted, '.');
		if (buf_check(&quoted, err))
			goto out;
		if (strncmp(at, buf_text(&quoted), quoted.len) != 0) {
			result = 0;
			goto out;
		}
	}
	schema_len = quoted.len;
	len = strcspn(at + schema_len, "( ");
	snprintf(relation, sizeof relation, "%s.%.*s", shared_schema, (int)(len < 128 ? len : 128),
		 at + schema_len);
	result = world_add_key(world, constraint->table, relation, err);
out:
	buf_release(&quoted);
	return result;
}

static bool builds_an_index(const char *detail)
{
	return detail && (strstr(detail, "PRIMARY KEY") || strstr(detail, "UNIQUE") ||
			  strstr(detail, "EXCLUDE"));
}

/*
 * The bare name in an identity such as ~.total(integer), ~."My Rule" or ~.ops USING btree; false:
 * nothing of the schema's own.
 */
static bool bare_name(const char *identity, char name[256])
{
	size_t len = 0;

	if (strncmp(identity, "~.", 2) != 0)
		return false;
	identity += 2;
	if (*identity != '"') {
		snprintf(name, 256, "%s", identity);
		name[strcspn(name, "( ")] = '\0';
		return name[0] != '\0';
	}
	for (identity++; *identity && len < 255; identity++) {
		if (*identity == '"' && *++identity != '"')
			break;
		name[len++] = *identity;
	}
	name[len] = '\0';
	return len > 0;
}

/* Kinds that a shape only names. Policies and rules are named with their table and need no name. */
static int add_unmodelled(struct world *world, const struct shape_object *object, struct err *err)
{
	static const struct {
		const char *kind;
		enum world_space space;
	} kinds[] = {
		{ "aggregate", WORLD_FUNCTION },   { "type", WORLD_TYPE },
		{ "foreign table", WORLD_RELATION }, { "policy", WORLD_NONE },
		{ "rule", WORLD_NONE },            { "row security", WORLD_NONE },
		{ "default acl", WORLD_NONE },
	};
	enum world_space space = WORLD_OTHER;
	char name[256];

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strcmp(object->sort, kinds[i].kind))
			space = kinds[i].space;
	if (space == WORLD_NONE || !bare_name(object->name, name))
		return 0;
	return world_add(world, space, name, NULL, space == WORLD_RELATION, err);
}

/* One argument of the shape, such as "x character varying" or "VARIADIC y ~.mood[]", has the type.
 * */
static bool is_of_type(const char *argument, size_t len, const char *type, size_t type_len)
{
	const char *end = argument + len - type_len;

	return len >= type_len && strncmp(end, type, type_len) == 0 &&
	       (len == type_len || strchr(" .\"", end[-1]) != NULL);
}

static bool same_arguments(const char *line, size_t len, const char *arguments)
{
	const char *end = line + len;

	while (line < end && *arguments) {
		const char *comma = memmem(line, (size_t)(end - line), ", ", 2);
		const char *next = strstr(arguments, ", ");
		size_t one = (size_t)((comma ? comma : end) - line),
		       type = next ? (size_t)(next - arguments) : strlen(arguments);

		if (!is_of_type(line, one, arguments, type))
			return false;
		line = comma ? comma + 2 : end;
		arguments += next ? type + 2 : type;
	}
	return line == end && !*arguments;
}

bool world_signature(const struct world_object *function, const char *arguments)
{
	const char *line = function->signatures;

	if (!line || !arguments)
		return true;
	while (*line) {
		size_t len = strcspn(++line, "\n");

		if (same_arguments(line, len, arguments))
			return true;
		line += len;
	}
	return false;
}

/* A function of the shape: its arguments stand in front of its definition. */
static int add_function(struct world *world, const struct shape_object *object, struct err *err)
{
	const struct world_object *known = find(world, WORLD_FUNCTION, object->name);
	const char *others = known && known->signatures ? known->signatures : "";
	const char *create = object->detail ? strstr(object->detail, "CREATE OR REPLACE ") : NULL;
	size_t len = create ? (size_t)(create - object->detail) : 0;
	const char *all;

	if (create && len > 0)
		len--; /* the blank */
	all = create && (!known || known->signatures)
		      ? arena_format(world->arena, err, "%s\n%.*s", others, (int)len, object->detail)
		      : NULL;
	if (world_add(world, WORLD_FUNCTION, object->name, NULL, false, err))
		return -1;
	find(world, WORLD_FUNCTION, object->name)->signatures = all;
	return 0;
}

static int add_shape_object(struct world *world, const struct shape_object *object,
			    const char *shared_schema, struct err *err)
{
	static const struct {
		const char *kind;
		enum world_space space;
		bool is_table;
	} kinds[] = {
		{ "table", WORLD_RELATION, true },      { "view", WORLD_RELATION, false },
		{ "matview", WORLD_RELATION, false },   { "sequence", WORLD_RELATION, false },
		{ "index", WORLD_RELATION, false },     { "type", WORLD_TYPE, false },
	};
	char name[256];

	if (!strcmp(object->kind, "function") || !strcmp(object->kind, "procedure"))
		return add_function(world, object, err);
	if (!strcmp(object->kind, "unmodelled"))
		return add_unmodelled(world, object, err);
	if (!strcmp(object->kind, "constraint")) {
		if (add_key_of(world, object, shared_schema, err))
			return -1;
		if (builds_an_index(object->detail) &&
		    !world_find(world, WORLD_RELATION, object->name))
			return world_add(world, WORLD_RELATION, object->name, object->table, false,
					 err);
		return 0;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(object->kind, kinds[i].kind) != 0)
			continue;
		snprintf(name, sizeof name, "%s", object->name);
		if (world_add(world, kinds[i].space, name, object->table, kinds[i].is_table, err))
			return -1;
		find(world, kinds[i].space, name)->child =
			kinds[i].is_table && object->detail && strstr(object->detail, "inherits ");
		return 0;
	}
	return 0;
}

int world_add_shape(struct world *world, const struct shape *shape, const char *shared_schema,
		    struct err *err)
{
	for (size_t i = 0; i < shape->objects; i++)
		if (add_shape_object(world, &shape->object[i], shared_schema, err))
			return -1;
	return 0;
}

static void unlink_object(struct world *world, const struct world_object *object)
{
	struct world_object **at = &world->bucket[bucket_of(object->space, object->name)];

	while (*at && *at != object)
		at = &(*at)->next;
	if (*at)
		*at = object->next;
}

static void drop_key_of(struct world *world, const char *table)
{
	struct world_key **at = &world->key;

	while (*at) {
		if (!strcmp((*at)->table, table))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
}

static void drop(struct world *world, enum world_space space, const char *name)
{
	struct world_object *object = find(world, space, name);

	if (!object)
		return;
	unlink_object(world, object);
	if (!object->is_table)
		return;
	drop_key_of(world, name);
	for (size_t i = 0; i < WORLD_BUCKETS; i++) {
		struct world_object **at = &world->bucket[i];

		while (*at) {
			if ((*at)->table && !strcmp((*at)->table, name))
				*at = (*at)->next;
			else
				at = &(*at)->next;
		}
	}
}

static int rename_object(struct world *world, enum world_space space, const char *name,
			 const char *to, struct err *err)
{
	struct world_object *object = find(world, space, name);
	bool is_table = object && object->is_table;

	if (!object)
		return 0;
	unlink_object(world, object);
	if (world_add(world, space, to, object->table, is_table, err))
		return -1;
	copy_marks(find(world, space, to), object);
	if (!is_table)
		return 0;
	to = find(world, space, to)->name;
	for (size_t i = 0; i < WORLD_BUCKETS; i++)
		for (struct world_object *each = world->bucket[i]; each; each = each->next)
			if (each->table && !strcmp(each->table, name))
				each->table = to;
	for (struct world_key *key = world->key; key; key = key->next)
		if (!strcmp(key->table, name))
			key->table = to;
	return 0;
}

static bool is_temporary(const struct sql_object *object)
{
	return object->schema && !strcmp(object->schema, "pg_temp");
}

static bool ours(const struct world *world, const struct sql_object *object)
{
	return !object->schema || is_temporary(object) ||
	       (world->schema && !strcmp(object->schema, world->schema));
}

/* Relations and types of pg_temp are found by their bare names, functions are not. */
static int apply_temporary(struct world *world, enum world_space space,
			   const struct sql_object *object, struct err *err)
{
	struct world_object *known = find(world, space, object->name);

	if (space == WORLD_FUNCTION || (known && !known->temporary))
		return 0;
	if (object->use == SQL_DROP) {
		drop(world, space, object->name);
		return 0;
	}
	if (object->use != SQL_CREATE)
		return 0;
	if (world_add(world, space, object->name, object->table, object->kind == SQL_TABLE, err))
		return -1;
	find(world, space, object->name)->temporary = true;
	return 0;
}

static int apply_object(struct world *world, const struct sql_statement *statement, size_t n,
			struct err *err)
{
	const struct sql_object *object = &statement->object[n];
	enum world_space space = world_space_of(object->kind);
	struct world_object *known = find(world, space, object->name);

	if (space == WORLD_NONE || !ours(world, object))
		return 0;
	if (is_temporary(object) && object->use != SQL_RENAME_TO)
		return apply_temporary(world, space, object, err);
	switch (object->use) {
	case SQL_CREATE:
		if (known && object->missing_ok) {
			known->doubtful = false;
			return 0;
		}
		if (world_add(world, space, object->name, object->table, object->kind == SQL_TABLE,
			      err))
			return -1;
		known = find(world, space, object->name);
		known->child = known->is_table && object->table;
		return 0;
	case SQL_DROP: drop(world, space, object->name); return 0;
	case SQL_RENAME_TO:
		if (n == 0 || world_space_of(statement->object[n - 1].kind) != space)
			return 0;
		return rename_object(world, space, statement->object[n - 1].name, object->name,
				     err);
	case SQL_TARGET:
		if (known && object->kind == SQL_SEQUENCE && object->table)
			known->table = object->table;
		return 0;
	case SQL_REFERENCE:
	case SQL_FOREIGN_KEY:
	default: return 0;
	}
}

/* What may be lost: everything of a kind, what belongs to a table, what a text mentions. */
struct loss {
	bool all, but_tables, children;
	const char *table, *text; /* NULL: none */
};

static void lose(struct world *world, const struct loss *loss)
{
	for (size_t i = 0; i < WORLD_BUCKETS; i++)
		for (struct world_object *each = world->bucket[i]; each; each = each->next)
			if (loss->all || (loss->but_tables && !each->is_table) ||
			    (loss->children && each->child) ||
			    (loss->table && each->table && !strcmp(each->table, loss->table)) ||
			    (loss->text && statement_mentions(loss->text, each->name)))
				each->doubtful = true;
}

/* A body that drops or renames loses what it mentions; one that puts texts together, anything. */
static void lose_by_body(struct world *world, const char *text)
{
	struct loss loss = { .text = text };
	bool takes = statement_mentions(text, "drop") || statement_mentions(text, "rename") ||
		     statement_mentions(text, "schema");

	loss.all = statement_mentions(text, "execute");
	if (takes || loss.all)
		lose(world, &loss);
}

/* Names that go with what a statement drops, without being said. */
static void lose_implied(struct world *world, const struct sql_statement *statement)
{
	bool drops = statement_mentions(statement->text, "drop");
	struct loss loss = { .but_tables = drops &&
					   statement_mentions(statement->text, "cascade") };

	for (size_t i = 0; i < statement->bodies && statement->category == SQL_DO; i++)
		lose_by_body(world, statement->body[i]);
	if (statement->category == SQL_OPAQUE)
		lose_by_body(world, statement->text);
	if (statement->category != SQL_DDL || !drops || statement->bodies)
		return;
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		bool relation = world_space_of(object->kind) == WORLD_RELATION;

		loss.children = loss.children || (object->use == SQL_DROP && relation);
		loss.table = object->use == SQL_TARGET && relation ? object->name : NULL;
		if (loss.table)
			lose(world, &loss);
	}
	loss.table = NULL;
	lose(world, &loss);
}

int world_apply(struct world *world, const struct sql_statement *statement, struct err *err)
{
	lose_implied(world, statement);
	for (size_t i = 0; i < statement->objects; i++)
		if (apply_object(world, statement, i, err))
			return -1;
	if (statement->category == SQL_DO || statement->category == SQL_OPAQUE)
		world->clouded = true;
	if (statement->category == SQL_DDL && statement->destructive &&
	    statement_mentions(statement->text, "cascade"))
		world->clouded = true;
	return 0;
}

bool world_clouded(const struct world *world)
{
	return world->clouded;
}
