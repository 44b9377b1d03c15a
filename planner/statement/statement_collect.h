/*
 * What a parse tree says of a statement: which objects it makes, acts on and reads.
 * statement_kinds.c has one row per kind of statement; its collectors, in statement_table.c,
 * statement_object.c and statement_query.c, fill a struct sql_statement.
 */
#ifndef PGDOCKET_STATEMENT_COLLECT_H
#define PGDOCKET_STATEMENT_COLLECT_H

#include "statement.h"
#include "statement_tree.h"

struct collect_names { /* names that WITH has given to queries, innermost first */
	const char *name;
	const struct collect_names *outer;
};

struct collect {
	struct arena *arena;
	struct err *err;
	bool failed; /* err is set: everything that follows does nothing */
	struct sql_statement *out;
	size_t object_room, body_room;
	bool stored;        /* in a view, rule or function: kept, not run */
	bool copies_inline; /* COPY FROM STDIN */
	bool writes;        /* INSERT, UPDATE, DELETE or MERGE at any depth */
	const struct collect_names *with;
	const PgQuery__RangeVar
		*table;     /* CREATE or ALTER TABLE's own, while its elements are read */
	const char *column; /* the column whose constraints are read */
};

typedef PgQuery__Node *const *node_list; /* with its count in front of it wherever it is passed */

/* --- statement_collect.c: adding --- */

struct sql_object collect_object(enum sql_use use, enum sql_object_kind kind, const char *schema,
				 const char *name);
/* The same object twice is once. Strings are copied. */
void collect_add(struct collect *c, struct sql_object object);
/* The new name of the object, which is added in front of it. Strings are copied. */
void collect_add_renamed(struct collect *c, struct sql_object object, const char *schema,
			 const char *name);
void collect_add_body(struct collect *c, const char *text);
void collect_range(struct collect *c, enum sql_use use, enum sql_object_kind kind,
		   const PgQuery__RangeVar *range, bool missing_ok);
/* The statement's tag and kind, from a constant or from the arena. */
void collect_say(struct collect *c, const char *tag);
void collect_say_of(struct collect *c, const char *verb, const char *word);
const char *collect_text(struct collect *c, const char *text); /* NULL for NULL and "" */

/* --- statement_collect.c: names --- */

struct collect_name {
	const char *schema, *name; /* borrowed from the tree; NULL: none */
};
/* Of a list of String nodes: the last is the name, the one before it the schema. */
struct collect_name collect_list_name(size_t count, node_list list);
/*
 * Of a node of any type that can name an object: String, List, TypeName, ObjectWithArgs, RangeVar.
 */
struct collect_name collect_node_name(const PgQuery__Node *node);
const char *
collect_string(const PgQuery__Node *node); /* of a String node or a string constant; else NULL */
/*
 * A name in a string ('public."Users"'), as regclass and nextval read it: folded, in the arena.
 * false: not a name.
 */
bool collect_parse_name(struct collect *c, const char *text, struct collect_name *out);
/* The schema that a range is in: "pg_temp" for temporary tables. */
const char *collect_range_schema(const PgQuery__RangeVar *range);
const PgQuery__DefElem *collect_option(size_t count, node_list list,
				       const char *name); /* NULL: not given */
bool collect_option_true(
	const PgQuery__DefElem *option); /* given without a value, or true, on, 1, yes */

/* --- statement_query.c --- */

/* Every reference below a message, and what nested statements act on. NULL is fine. */
void query_walk(struct collect *c, const ProtobufCMessage *message);
void query_walk_node(struct collect *c, const PgQuery__Node *node);
void query_walk_list(struct collect *c, size_t count, node_list list);
void query_select(struct collect *c,
		  const ProtobufCMessage *message); /* a whole SELECT statement */
void query_call(struct collect *c, const PgQuery__FuncCall *call);

/* --- statement_object.c: object types of ALTER, DROP, COMMENT, GRANT ... --- */

/* "MATERIALIZED VIEW" as in its command tags; NULL: none. */
const char *object_word(PgQuery__ObjectType type);
/* The kind as a use that is neither CREATE nor DROP sees it: a table is any relation. */
enum sql_object_kind object_kind(PgQuery__ObjectType type, enum sql_use use);
/* Add the object that node names, and the table that it belongs to. */
void object_add(struct collect *c, PgQuery__ObjectType type, const PgQuery__Node *node,
		enum sql_use use, bool missing_ok);

/* --- collectors, one per kind of statement: message is the node's own --- */

typedef void collector(struct collect *c, const ProtobufCMessage *message);

/* statement_table.c */
collector table_create, table_create_foreign, table_create_as, table_alter, table_index,
	table_sequence, table_alter_sequence, table_view, table_trigger, table_rule, table_policy,
	table_alter_policy, table_statistics, table_truncate, table_lock, table_copy, table_vacuum,
	table_reindex, table_cluster, table_refresh;
/* The sequence of a serial or identity column; index and foreign key of a constraint. */
void table_column(struct collect *c, const PgQuery__ColumnDef *column);
void table_constraint(struct collect *c, const PgQuery__Constraint *constraint);

/* statement_object.c */
collector object_drop, object_comment, object_label, object_rename, object_set_schema, object_owner,
	object_grant, object_depends, object_define, object_extension_contents,
	object_alter_function, object_default_privileges;

/* statement_kinds.c */
/* Fills in category, tag, kind, flags and objects of c->out. */
void kinds_collect(struct collect *c, const PgQuery__Node *node);

#endif
