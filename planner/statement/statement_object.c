/*
 * Statements that name an object by its type: ALTER, DROP, COMMENT, GRANT, RENAME and their kin.
 * One row per object type says the word of its command tags, what kind of object it is to us, and
 * how its name is written.
 */
#include <string.h>
#include "statement_collect.h"

enum form {
	NAMED,     /* a name, perhaps with its schema */
	PART,      /* the last name belongs to the table in front of it */
	COLUMN,    /* table and column: the table is meant */
	ON_DOMAIN, /* a constraint: type and name; the type is meant */
	METHOD     /* operator class or family: access method, then the name */
};

struct object_row {
	const char *word;
	enum sql_object_kind kind;
	enum form form;
	bool destructive; /* when dropped */
};

#define T(type) [PG_QUERY__OBJECT_TYPE__OBJECT_##type]
static const struct object_row rows[] = {
	T(ACCESS_METHOD) = { "ACCESS METHOD", SQL_DATABASE_WIDE, NAMED, false },
	T(AGGREGATE) = { "AGGREGATE", SQL_FUNCTION, NAMED, false },
	T(ATTRIBUTE) = { "TYPE", SQL_TYPE, NAMED, false },
	T(CAST) = { "CAST", SQL_DATABASE_WIDE, NAMED, false },
	T(COLUMN) = { "TABLE", SQL_RELATION, COLUMN, true },
	T(COLLATION) = { "COLLATION", SQL_OBJECT_OTHER, NAMED, false },
	T(CONVERSION) = { "CONVERSION", SQL_OBJECT_OTHER, NAMED, false },
	T(DATABASE) = { "DATABASE", SQL_DATABASE_WIDE, NAMED, true },
	T(DOMAIN) = { "DOMAIN", SQL_TYPE, NAMED, true },
	T(DOMCONSTRAINT) = { "DOMAIN", SQL_TYPE, ON_DOMAIN, false },
	T(EVENT_TRIGGER) = { "EVENT TRIGGER", SQL_DATABASE_WIDE, NAMED, false },
	T(EXTENSION) = { "EXTENSION", SQL_EXTENSION, NAMED, false },
	T(FDW) = { "FOREIGN DATA WRAPPER", SQL_DATABASE_WIDE, NAMED, false },
	T(FOREIGN_SERVER) = { "SERVER", SQL_DATABASE_WIDE, NAMED, false },
	T(FOREIGN_TABLE) = { "FOREIGN TABLE", SQL_TABLE, NAMED, true },
	T(FUNCTION) = { "FUNCTION", SQL_FUNCTION, NAMED, false },
	T(INDEX) = { "INDEX", SQL_INDEX, NAMED, false },
	T(LANGUAGE) = { "LANGUAGE", SQL_DATABASE_WIDE, NAMED, false },
	T(LARGEOBJECT) = { "LARGE OBJECT", SQL_DATABASE_WIDE, NAMED, false },
	T(MATVIEW) = { "MATERIALIZED VIEW", SQL_VIEW, NAMED, true },
	T(OPCLASS) = { "OPERATOR CLASS", SQL_OBJECT_OTHER, METHOD, false },
	T(OPERATOR) = { "OPERATOR", SQL_OBJECT_OTHER, NAMED, false },
	T(OPFAMILY) = { "OPERATOR FAMILY", SQL_OBJECT_OTHER, METHOD, false },
	T(PARAMETER_ACL) = { NULL, SQL_DATABASE_WIDE, NAMED, false },
	T(POLICY) = { "POLICY", SQL_OBJECT_OTHER, PART, false },
	T(PROCEDURE) = { "PROCEDURE", SQL_FUNCTION, NAMED, false },
	T(PUBLICATION) = { "PUBLICATION", SQL_DATABASE_WIDE, NAMED, false },
	T(ROLE) = { "ROLE", SQL_DATABASE_WIDE, NAMED, false },
	T(ROUTINE) = { "ROUTINE", SQL_FUNCTION, NAMED, false },
	T(RULE) = { "RULE", SQL_OBJECT_OTHER, PART, false },
	T(SCHEMA) = { "SCHEMA", SQL_SCHEMA, NAMED, true },
	T(SEQUENCE) = { "SEQUENCE", SQL_SEQUENCE, NAMED, true },
	T(SUBSCRIPTION) = { "SUBSCRIPTION", SQL_DATABASE_WIDE, NAMED, false },
	T(STATISTIC_EXT) = { "STATISTICS", SQL_OBJECT_OTHER, NAMED, false },
	T(TABCONSTRAINT) = { "TABLE", SQL_RELATION, COLUMN, false },
	T(TABLE) = { "TABLE", SQL_TABLE, NAMED, true },
	T(TABLESPACE) = { "TABLESPACE", SQL_DATABASE_WIDE, NAMED, true },
	T(TRANSFORM) = { "TRANSFORM", SQL_DATABASE_WIDE, NAMED, false },
	T(TRIGGER) = { "TRIGGER", SQL_TRIGGER, PART, false },
	T(TSCONFIGURATION) = { "TEXT SEARCH CONFIGURATION", SQL_OBJECT_OTHER, NAMED, false },
	T(TSDICTIONARY) = { "TEXT SEARCH DICTIONARY", SQL_OBJECT_OTHER, NAMED, false },
	T(TSPARSER) = { "TEXT SEARCH PARSER", SQL_OBJECT_OTHER, NAMED, false },
	T(TSTEMPLATE) = { "TEXT SEARCH TEMPLATE", SQL_OBJECT_OTHER, NAMED, false },
	T(TYPE) = { "TYPE", SQL_TYPE, NAMED, true },
	T(USER_MAPPING) = { "USER MAPPING", SQL_DATABASE_WIDE, NAMED, false },
	T(VIEW) = { "VIEW", SQL_VIEW, NAMED, false },
};

static const struct object_row *row_of(PgQuery__ObjectType type)
{
	static const struct object_row unknown = { NULL, SQL_OBJECT_OTHER, NAMED, false };
	size_t i = (size_t)type;

	return i < sizeof rows / sizeof *rows ? &rows[i] : &unknown;
}

const char *object_word(PgQuery__ObjectType type)
{
	return row_of(type)->word;
}

enum sql_object_kind object_kind(PgQuery__ObjectType type, enum sql_use use)
{
	enum sql_object_kind kind = row_of(type)->kind;

	return kind == SQL_TABLE && use != SQL_DROP && use != SQL_CREATE ? SQL_RELATION : kind;
}

/* The first n names of a list as a node of its own would name them. */
static struct collect_name names_before(const PgQuery__Node *node, size_t left_out)
{
	struct collect_name none = { NULL, NULL };

	if (!node || node->node_case != PG_QUERY__NODE__NODE_LIST ||
	    node->list->n_items <= left_out)
		return none;
	return collect_list_name(node->list->n_items - left_out, node->list->items);
}

static void add_part(struct collect *c, const struct object_row *row, const PgQuery__Node *node,
		     enum sql_use use, bool missing_ok)
{
	struct collect_name table = names_before(node, 1);
	struct sql_object object =
		collect_object(use, row->kind, NULL, collect_node_name(node).name);
	struct sql_object owner =
		collect_object(SQL_TARGET, SQL_RELATION, table.schema, table.name);

	object.table = table.name;
	object.table_schema = table.schema;
	object.missing_ok = owner.missing_ok = missing_ok;
	collect_add(c, object);
	collect_add(c, owner);
}

/* The parser's own names of types, as the catalog's functions write them. */
static const char *written_type(const char *name)
{
	static const char *const types[][2] = {
		{ "int4", "integer" },
		{ "int8", "bigint" },
		{ "int2", "smallint" },
		{ "bool", "boolean" },
		{ "varchar", "character varying" },
		{ "bpchar", "character" },
		{ "float4", "real" },
		{ "float8", "double precision" },
		{ "timestamptz", "timestamp with time zone" },
		{ "timestamp", "timestamp without time zone" },
		{ "timetz", "time with time zone" },
		{ "time", "time without time zone" },
		{ "varbit", "bit varying" },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i][0], name) == 0)
			return types[i][1];
	return name;
}

/* "integer, mood[]"; NULL: none given. */
static const char *argument_types(struct collect *c, const PgQuery__ObjectWithArgs *function)
{
	const char *out = function->args_unspecified ? NULL : "";

	for (size_t i = 0; out && i < function->n_objargs && !c->failed; i++) {
		const PgQuery__Node *node = function->objargs[i];
		const PgQuery__TypeName *type =
			node && node->node_case == PG_QUERY__NODE__NODE_TYPE_NAME ? node->type_name : NULL;
		const char *name = type ? collect_node_name(node).name : NULL;

		if (!name)
			return NULL;
		out = arena_format(c->arena, c->err, "%s%s%s%s", out, i ? ", " : "",
				   written_type(name), type->n_array_bounds ? "[]" : "");
		c->failed = !out;
	}
	return out;
}

void object_add(struct collect *c, PgQuery__ObjectType type, const PgQuery__Node *node,
		enum sql_use use, bool missing_ok)
{
	const struct object_row *row = row_of(type);
	struct collect_name name = collect_node_name(node);
	struct sql_object object;

	if (row->form == PART) {
		add_part(c, row, node, use, missing_ok);
		return;
	}
	if (row->form == COLUMN)
		name = names_before(node, 1);
	else if (row->form == ON_DOMAIN && node && node->node_case == PG_QUERY__NODE__NODE_LIST &&
		 node->list->n_items)
		name = collect_node_name(node->list->items[0]);
	else if (row->form == METHOD && name.schema && names_before(node, 1).schema == NULL)
		name.schema = NULL;
	object = collect_object(use, object_kind(type, use), name.schema, name.name);
	object.missing_ok = missing_ok;
	if (use == SQL_DROP && object.kind == SQL_FUNCTION && node &&
	    node->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS)
		object.arguments = argument_types(c, node->object_with_args);
	collect_add(c, object);
}

void object_drop(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__DropStmt *drop = (const PgQuery__DropStmt *)message;
	PgQuery__ObjectType type = drop->remove_type;

	collect_say_of(c, "DROP", object_word(type));
	c->out->destructive = row_of(type)->destructive;
	for (size_t i = 0; i < drop->n_objects; i++)
		object_add(c, type, drop->objects[i], SQL_DROP, drop->missing_ok);
	if (drop->concurrent) {
		c->out->non_transactional = true;
		c->out->kind = "DROP INDEX CONCURRENTLY";
	}
}

void object_comment(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CommentStmt *comment = (const PgQuery__CommentStmt *)message;

	object_add(c, comment->objtype, comment->object, SQL_TARGET, false);
}

void object_label(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__SecLabelStmt *label = (const PgQuery__SecLabelStmt *)message;

	object_add(c, label->objtype, label->object, SQL_TARGET, false);
}

/* A relation, or what its subname says of it; else the object. */
static struct sql_object renamed(const PgQuery__RenameStmt *rename)
{
	const struct object_row *row = row_of(rename->rename_type);
	struct sql_object object = collect_object(
		SQL_TARGET, object_kind(rename->rename_type, SQL_TARGET), NULL, NULL);
	struct collect_name name;

	object.missing_ok = rename->missing_ok;
	if (row->form == PART && rename->relation) {
		object.name = rename->subname;
		object.table = rename->relation->relname;
		object.table_schema = collect_range_schema(rename->relation);
	} else if (rename->relation) {
		object.name = rename->relation->relname;
		object.schema = collect_range_schema(rename->relation);
	} else if (rename->object) {
		name = collect_node_name(rename->object);
		object.name = name.name;
		object.schema = name.schema;
	} else {
		object.name = rename->subname; /* schema, role, database ... */
	}
	return object;
}

void object_rename(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__RenameStmt *rename = (const PgQuery__RenameStmt *)message;
	PgQuery__ObjectType type = rename->rename_type;
	struct sql_object object = renamed(rename);

	collect_say_of(c, "ALTER",
		       object_word(type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN
					   ? rename->relation_type
					   : type));
	if (row_of(type)->form == COLUMN) {
		collect_range(c, SQL_TARGET, SQL_RELATION, rename->relation, rename->missing_ok);
		return;
	}
	if (type == PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE ||
	    type == PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT) {
		collect_add(c, object);
		return;
	}
	collect_add_renamed(c, object, object.schema, rename->newname);
	if (row_of(type)->form == PART)
		collect_range(c, SQL_TARGET, SQL_RELATION, rename->relation, rename->missing_ok);
}

void object_set_schema(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterObjectSchemaStmt *alter =
		(const PgQuery__AlterObjectSchemaStmt *)message;
	PgQuery__ObjectType type = alter->object_type;
	struct collect_name name = collect_node_name(alter->object);
	struct sql_object object;

	if (alter->relation) {
		name.name = alter->relation->relname;
		name.schema = collect_range_schema(alter->relation);
	}
	object = collect_object(SQL_TARGET, object_kind(type, SQL_TARGET), name.schema, name.name);
	object.missing_ok = alter->missing_ok;
	collect_say_of(c, "ALTER", object_word(type));
	collect_add_renamed(c, object, alter->newschema, name.name);
}

void object_owner(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterOwnerStmt *alter = (const PgQuery__AlterOwnerStmt *)message;

	collect_say_of(c, "ALTER", object_word(alter->object_type));
	collect_range(c, SQL_TARGET, SQL_RELATION, alter->relation, false);
	object_add(c, alter->object_type, alter->object, SQL_TARGET, false);
}

static void add_grant(struct collect *c, const PgQuery__GrantStmt *grant)
{
	bool whole_schema =
		grant->targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA;
	PgQuery__ObjectType type =
		whole_schema ? PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA : grant->objtype;

	for (size_t i = 0; i < grant->n_objects; i++)
		object_add(c, type, grant->objects[i], SQL_TARGET, false);
}

void object_grant(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__GrantStmt *grant = (const PgQuery__GrantStmt *)message;

	collect_say(c, grant->is_grant ? "GRANT" : "REVOKE");
	add_grant(c, grant);
}

void object_default_privileges(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterDefaultPrivilegesStmt *alter =
		(const PgQuery__AlterDefaultPrivilegesStmt *)message;
	const PgQuery__DefElem *schemas =
		collect_option(alter->n_options, alter->options, "schemas");

	if (!schemas || !schemas->arg || schemas->arg->node_case != PG_QUERY__NODE__NODE_LIST)
		return;
	for (size_t i = 0; i < schemas->arg->list->n_items; i++)
		object_add(c, PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA, schemas->arg->list->items[i],
			   SQL_TARGET, false);
}

void object_depends(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterObjectDependsStmt *alter =
		(const PgQuery__AlterObjectDependsStmt *)message;
	PgQuery__ObjectType type = alter->object_type;
	struct collect_name name = collect_node_name(alter->object);
	struct sql_object object;

	collect_say_of(c, "ALTER", object_word(type));
	if (!alter->relation) {
		object_add(c, type, alter->object, SQL_TARGET, false);
		return;
	}
	object = collect_object(SQL_TARGET, object_kind(type, SQL_TARGET), NULL, name.name);
	if (row_of(type)->form == PART) {
		object.table = alter->relation->relname;
		object.table_schema = collect_range_schema(alter->relation);
		collect_add(c, object);
	}
	collect_range(c, SQL_TARGET, row_of(type)->form == PART ? SQL_RELATION : object.kind,
		      alter->relation, false);
}

void object_define(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__DefineStmt *define = (const PgQuery__DefineStmt *)message;
	struct collect_name name = collect_list_name(define->n_defnames, define->defnames);
	struct sql_object object = collect_object(SQL_CREATE, object_kind(define->kind, SQL_CREATE),
						  name.schema, name.name);

	collect_say_of(c, "CREATE", object_word(define->kind));
	object.missing_ok = define->if_not_exists;
	collect_add(c, object);
	query_walk_list(c, define->n_args, define->args);
	query_walk_list(c, define->n_definition, define->definition);
}

void object_extension_contents(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterExtensionContentsStmt *alter =
		(const PgQuery__AlterExtensionContentsStmt *)message;

	collect_add(c, collect_object(SQL_TARGET, SQL_EXTENSION, NULL, alter->extname));
	object_add(c, alter->objtype, alter->object, SQL_TARGET, false);
}

void object_alter_function(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterFunctionStmt *alter = (const PgQuery__AlterFunctionStmt *)message;
	struct collect_name name = { NULL, NULL };

	if (alter->func)
		name = collect_list_name(alter->func->n_objname, alter->func->objname);
	collect_say_of(c, "ALTER", object_word(alter->objtype));
	collect_add(c, collect_object(SQL_TARGET, SQL_FUNCTION, name.schema, name.name));
}
