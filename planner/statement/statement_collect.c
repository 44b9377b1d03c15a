/*
 * Adding objects and bodies to a statement, and reading names out of parse trees: what all
 * collectors share. Strings of the tree are copied, since trees live for one statement only.
 */
#include <string.h>
#include <strings.h>
#include "statement_collect.h"
#include "statement_lex.h"

#define LOOK_BACK 64 /* objects among which a repetition is noticed */

const char *collect_text(struct collect *c, const char *text)
{
	const char *copy;

	if (!text || !*text || c->failed)
		return NULL;
	copy = arena_text(c->arena, text, c->err);
	if (!copy)
		c->failed = true;
	return copy;
}

struct sql_object collect_object(enum sql_use use, enum sql_object_kind kind, const char *schema,
				 const char *name)
{
	return (struct sql_object){ .use = use, .kind = kind, .schema = schema, .name = name };
}

static bool same(const char *a, const char *b)
{
	bool none_a = !a || !*a, none_b = !b || !*b;

	return none_a || none_b ? none_a == none_b : strcmp(a, b) == 0;
}

static bool repeats(const struct collect *c, const struct sql_object *o)
{
	size_t n = c->out->objects, first = n > LOOK_BACK ? n - LOOK_BACK : 0;

	for (size_t i = first; i < n; i++) {
		const struct sql_object *p = &c->out->object[i];
		if (p->use == o->use && p->kind == o->kind && p->missing_ok == o->missing_ok &&
		    same(p->name, o->name) && same(p->schema, o->schema) &&
		    same(p->table, o->table) && same(p->arguments, o->arguments) &&
		    same(p->table_schema, o->table_schema))
			return true;
	}
	return false;
}

/* Room for one more in an array whose elements have this size. */
static void *grow(struct collect *c, void *array, size_t count, size_t *room, size_t size)
{
	void *more;

	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 8;
	more = arena_array(c->arena, *room, size, c->err);
	if (!more)
		c->failed = true;
	else if (count)
		memcpy(more, array, count * size);
	return more;
}

static void append(struct collect *c, struct sql_object object)
{
	struct sql_object *to =
		grow(c, c->out->object, c->out->objects, &c->object_room, sizeof *to);

	if (!to)
		return;
	c->out->object = to;
	object.schema = collect_text(c, object.schema);
	object.name = collect_text(c, object.name);
	object.table = collect_text(c, object.table);
	object.table_schema = collect_text(c, object.table_schema);
	if (object.arguments)
		object.arguments = arena_text(c->arena, object.arguments, c->err);
	to[c->out->objects++] = object;
}

void collect_add(struct collect *c, struct sql_object object)
{
	if (c->stored && object.use != SQL_FOREIGN_KEY)
		object.use = SQL_REFERENCE;
	if (!c->failed && object.name && *object.name && !repeats(c, &object))
		append(c, object);
}

void collect_add_renamed(struct collect *c, struct sql_object object, const char *schema,
			 const char *name)
{
	if (c->failed || !object.name)
		return;
	append(c, object);
	object.use = SQL_RENAME_TO;
	object.schema = schema;
	object.name = name;
	if (!c->failed)
		append(c, object);
}

void collect_add_body(struct collect *c, const char *text)
{
	const char **to = grow(c, c->out->body, c->out->bodies, &c->body_room, sizeof *to);

	if (!to || !text)
		return;
	c->out->body = to;
	to[c->out->bodies] = arena_text(c->arena, text, c->err);
	c->failed = !to[c->out->bodies++];
}

const char *collect_range_schema(const PgQuery__RangeVar *range)
{
	if (range->schemaname && *range->schemaname)
		return range->schemaname;
	return range->relpersistence && *range->relpersistence == 't' ? "pg_temp" : NULL;
}

void collect_range(struct collect *c, enum sql_use use, enum sql_object_kind kind,
		   const PgQuery__RangeVar *range, bool missing_ok)
{
	struct sql_object object;

	if (!range)
		return;
	object = collect_object(use, kind, collect_range_schema(range), range->relname);
	object.missing_ok = missing_ok;
	collect_add(c, object);
}

void collect_say(struct collect *c, const char *tag)
{
	c->out->tag = tag;
	c->out->kind = tag;
}

void collect_say_of(struct collect *c, const char *verb, const char *word)
{
	const char *tag =
		c->failed ? NULL
			  : arena_format(c->arena, c->err, "%s %s", verb, word ? word : "OBJECT");

	if (!tag) {
		c->failed = true;
		return;
	}
	c->out->kind = tag;
	c->out->tag = word ? tag : NULL;
}

const char *collect_string(const PgQuery__Node *node)
{
	if (!node)
		return NULL;
	if (node->node_case == PG_QUERY__NODE__NODE_STRING)
		return node->string->sval;
	if (node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
	    node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
		return node->a_const->sval->sval;
	return NULL;
}

struct collect_name collect_list_name(size_t count, node_list list)
{
	struct collect_name out = { NULL, NULL };

	if (count > 0)
		out.name = collect_string(list[count - 1]);
	if (count > 1)
		out.schema = collect_string(list[count - 2]);
	return out;
}

struct collect_name collect_node_name(const PgQuery__Node *node)
{
	struct collect_name out = { NULL, NULL };

	if (!node)
		return out;
	if (node->node_case == PG_QUERY__NODE__NODE_LIST)
		return collect_list_name(node->list->n_items, node->list->items);
	if (node->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
		return collect_list_name(node->type_name->n_names, node->type_name->names);
	if (node->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS)
		return collect_list_name(node->object_with_args->n_objname,
					 node->object_with_args->objname);
	if (node->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
		out.schema = collect_range_schema(node->range_var);
		out.name = node->range_var->relname;
		return out;
	}
	out.name = collect_string(node);
	return out;
}

/* One part of a dotted name, at text[*at]; in the arena. */
static const char *name_part(struct collect *c, const char *text, size_t *at)
{
	bool quoted = text[*at] == '"';
	char *out = arena_alloc(c->arena, strlen(text) + 1, c->err);
	size_t n = 0, i = *at + quoted;

	if (!out) {
		c->failed = true;
		return NULL;
	}
	for (; text[i] && (quoted || lex_identifier_byte(text[i])); i++) {
		if (quoted && text[i] == '"' && text[++i] != '"')
			break;
		out[n++] = !quoted && text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32)
								       : text[i];
	}
	*at = i;
	return n ? out : NULL;
}

bool collect_parse_name(struct collect *c, const char *text, struct collect_name *out)
{
	size_t at = strspn(text, " ");

	out->schema = NULL;
	out->name = c->failed ? NULL : name_part(c, text, &at);
	while (out->name && text[at] == '.') {
		at++;
		out->schema = out->name;
		out->name = c->failed ? NULL : name_part(c, text, &at);
	}
	at += strspn(text + at, " ");
	return out->name && !text[at];
}

const PgQuery__DefElem *collect_option(size_t count, node_list list, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (list[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
		    strcmp(list[i]->def_elem->defname, name) == 0)
			return list[i]->def_elem;
	return NULL;
}

bool collect_option_true(const PgQuery__DefElem *option)
{
	static const char *const no[] = { "false", "off", "0", "no" };
	const char *text;

	if (!option)
		return false;
	if (!option->arg)
		return true;
	if (option->arg->node_case == PG_QUERY__NODE__NODE_INTEGER)
		return option->arg->integer->ival != 0;
	if (option->arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN)
		return option->arg->boolean->boolval;
	text = collect_string(option->arg);
	for (size_t i = 0; text && i < sizeof no / sizeof *no; i++)
		if (strcasecmp(text, no[i]) == 0)
			return false;
	return true;
}
