/*
 * References inside queries and expressions: walks any part of a parse tree by its messages'
 * descriptors, minding names that WITH gives, and sees what nested INSERT, UPDATE, DELETE and
 * MERGE act on.
 */
#include <string.h>
#include "statement_collect.h"

/* --- names of WITH --- */

static bool is_with_name(const struct collect *c, const char *name)
{
	for (const struct collect_names *w = c->with; w; w = w->outer)
		if (strcmp(w->name, name) == 0)
			return true;
	return false;
}

static void push_with(struct collect *c, const char *name)
{
	struct collect_names *w = c->failed ? NULL : arena_alloc(c->arena, sizeof *w, c->err);

	if (!w) {
		c->failed = true;
		return;
	}
	w->name = collect_text(c, name);
	w->outer = c->with;
	if (w->name)
		c->with = w;
}

/*
 * WITH RECURSIVE: every name is known in every query; else each in those behind it. The caller
 * takes the names back.
 */
static void walk_with(struct collect *c, const PgQuery__WithClause *with)
{
	for (size_t i = 0; with->recursive && i < with->n_ctes; i++)
		push_with(c, with->ctes[i]->common_table_expr->ctename);
	for (size_t i = 0; i < with->n_ctes; i++) {
		const PgQuery__CommonTableExpr *cte = with->ctes[i]->common_table_expr;
		query_walk_node(c, cte->ctequery);
		if (!with->recursive)
			push_with(c, cte->ctename);
	}
}

/* --- names in strings --- */

static const struct string_function {
	const char *name;
	enum sql_use use;
	enum sql_object_kind kind;
} string_functions[] = {
	{ "nextval", SQL_REFERENCE, SQL_SEQUENCE },
	{ "currval", SQL_REFERENCE, SQL_SEQUENCE },
	{ "setval", SQL_TARGET, SQL_SEQUENCE },
	{ "to_regclass", SQL_REFERENCE, SQL_RELATION },
	{ "pg_relation_size", SQL_REFERENCE, SQL_RELATION },
	{ "pg_total_relation_size", SQL_REFERENCE, SQL_RELATION },
	{ "pg_get_serial_sequence", SQL_REFERENCE, SQL_RELATION },
};

/* 'name', also as 'name'::regclass or CAST('name' AS text) */
static const char *string_argument(const PgQuery__Node *node)
{
	if (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
		node = node->type_cast->arg;
	return node && node->node_case == PG_QUERY__NODE__NODE_A_CONST ? collect_string(node)
								       : NULL;
}

static void add_in_string(struct collect *c, enum sql_use use, enum sql_object_kind kind,
			  const char *text)
{
	struct collect_name name;

	if (text && collect_parse_name(c, text, &name))
		collect_add(c, collect_object(use, kind, name.schema, name.name));
}

/* setval(pg_get_serial_sequence('table', 'column'), ...): the column's own sequence. */
static void add_serial_sequence(struct collect *c, const PgQuery__FuncCall *call)
{
	struct collect_name inner = collect_list_name(call->n_funcname, call->funcname), table;
	const char *text, *column;
	struct sql_object object;

	if (!inner.name || strcmp(inner.name, "pg_get_serial_sequence") != 0 || call->n_args != 2)
		return;
	text = string_argument(call->args[0]);
	column = string_argument(call->args[1]);
	if (!text || !column || !collect_parse_name(c, text, &table))
		return;
	object = collect_object(SQL_TARGET, SQL_SEQUENCE, table.schema,
				arena_format(c->arena, c->err, "%s_%s_seq", table.name, column));
	object.table = table.name;
	object.table_schema = table.schema;
	collect_add(c, object);
}

void query_call(struct collect *c, const PgQuery__FuncCall *call)
{
	struct collect_name name = collect_list_name(call->n_funcname, call->funcname);
	const PgQuery__Node *first = call->n_args ? call->args[0] : NULL;

	if (name.name)
		collect_add(c, collect_object(SQL_REFERENCE, SQL_FUNCTION, name.schema, name.name));
	for (size_t i = 0; name.name && i < sizeof string_functions / sizeof *string_functions;
	     i++) {
		const struct string_function *f = &string_functions[i];
		if (strcmp(f->name, name.name) != 0)
			continue;
		add_in_string(c, f->use, f->kind, string_argument(first));
		if (f->use == SQL_TARGET && first &&
		    first->node_case == PG_QUERY__NODE__NODE_FUNC_CALL)
			add_serial_sequence(c, first->func_call);
	}
	query_walk_list(c, call->n_args, call->args);
	query_walk_list(c, call->n_agg_order, call->agg_order);
	query_walk_node(c, call->agg_filter);
	if (call->over)
		query_walk(c, &call->over->base);
}

/* --- what is special about a message: each handler goes on below it itself --- */

static void walk_fields(struct collect *c, const ProtobufCMessage *message);

static void walk_range(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__RangeVar *range = (const PgQuery__RangeVar *)message;

	if ((!range->schemaname || !*range->schemaname) && is_with_name(c, range->relname))
		return;
	collect_range(c, SQL_REFERENCE, SQL_RELATION, range, false);
}

static void walk_call(struct collect *c, const ProtobufCMessage *message)
{
	query_call(c, (const PgQuery__FuncCall *)message);
}

/* table.column%TYPE names a table; pg_catalog's own types are nobody's. */
static void walk_type(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__TypeName *type = (const PgQuery__TypeName *)message;
	size_t n = type->n_names - (type->pct_type && type->n_names > 1);
	struct collect_name name = collect_list_name(n, type->names);

	if (type->pct_type)
		collect_add(c, collect_object(SQL_REFERENCE, SQL_RELATION, name.schema, name.name));
	else if (!name.schema || strcmp(name.schema, "pg_catalog") != 0)
		collect_add(c, collect_object(SQL_REFERENCE, SQL_TYPE, name.schema, name.name));
}

static void walk_cast(struct collect *c, const ProtobufCMessage *message)
{
	static const struct {
		const char *type;
		enum sql_object_kind kind;
	} types[] = { { "regclass", SQL_RELATION },
		      { "regtype", SQL_TYPE },
		      { "regproc", SQL_FUNCTION },
		      { "regprocedure", SQL_FUNCTION },
		      { "regnamespace", SQL_SCHEMA } };
	const PgQuery__TypeCast *cast = (const PgQuery__TypeCast *)message;
	struct collect_name type = { NULL, NULL };

	if (cast->type_name)
		type = collect_list_name(cast->type_name->n_names, cast->type_name->names);
	for (size_t i = 0; type.name && i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].type, type.name) == 0)
			add_in_string(c, SQL_REFERENCE, types[i].kind, string_argument(cast->arg));
	walk_fields(c, message);
}

static void walk_column(struct collect *c, const ProtobufCMessage *message)
{
	table_column(c, (const PgQuery__ColumnDef *)message);
}

static void walk_constraint(struct collect *c, const ProtobufCMessage *message)
{
	table_constraint(c, (const PgQuery__Constraint *)message);
}

static void walk_function_name(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__ObjectWithArgs *function = (const PgQuery__ObjectWithArgs *)message;
	struct collect_name name = collect_list_name(function->n_objname, function->objname);

	collect_add(c, collect_object(SQL_REFERENCE, SQL_FUNCTION, name.schema, name.name));
}

/* Options' words arrive as type names; only expressions inside them are of interest. */
static void walk_option(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__DefElem *option = (const PgQuery__DefElem *)message;

	if (option->arg && option->arg->node_case != PG_QUERY__NODE__NODE_TYPE_NAME)
		query_walk_node(c, option->arg);
}

static void walk_into(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__IntoClause *into = (const PgQuery__IntoClause *)message;

	collect_range(c, SQL_CREATE, SQL_TABLE, into->rel, false);
}

static void walk_nothing(struct collect *c, const ProtobufCMessage *message)
{
	(void)c;
	(void)message;
}

static void walk_select(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__SelectStmt *select = (const PgQuery__SelectStmt *)message;
	const struct collect_names *outer = c->with;

	if (select->with_clause)
		walk_with(c, select->with_clause);
	walk_fields(c, message);
	c->with = outer;
}

/*
 * The relation that is written is never a name of WITH. The other fields are walked as they come.
 */
static void walk_write(struct collect *c, const ProtobufCMessage *message,
		       const PgQuery__RangeVar *relation, const PgQuery__WithClause *with)
{
	const struct collect_names *outer = c->with;

	c->writes = true;
	collect_range(c, SQL_TARGET, SQL_RELATION, relation, false);
	if (with)
		walk_with(c, with);
	walk_fields(c, message);
	c->with = outer;
}

static void destroys(struct collect *c, bool does)
{
	c->out->destructive = c->out->destructive || (does && !c->stored);
}

static void walk_insert(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__InsertStmt *insert = (const PgQuery__InsertStmt *)message;

	walk_write(c, message, insert->relation, insert->with_clause);
}

static void walk_update(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__UpdateStmt *update = (const PgQuery__UpdateStmt *)message;

	destroys(c, !update->where_clause);
	walk_write(c, message, update->relation, update->with_clause);
}

static void walk_delete(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__DeleteStmt *delete = (const PgQuery__DeleteStmt *)message;

	destroys(c, true);
	walk_write(c, message, delete->relation, delete->with_clause);
}

static void walk_merge(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__MergeStmt *merge = (const PgQuery__MergeStmt *)message;

	for (size_t i = 0; i < merge->n_merge_when_clauses; i++)
		destroys(c, merge->merge_when_clauses[i]->merge_when_clause->command_type ==
				    PG_QUERY__CMD_TYPE__CMD_DELETE);
	walk_write(c, message, merge->relation, merge->with_clause);
}

static const struct special {
	const ProtobufCMessageDescriptor *message;
	collector *walk;
} specials[] = {
	{ &pg_query__range_var__descriptor, walk_range },
	{ &pg_query__func_call__descriptor, walk_call },
	{ &pg_query__type_name__descriptor, walk_type },
	{ &pg_query__type_cast__descriptor, walk_cast },
	{ &pg_query__column_def__descriptor, walk_column },
	{ &pg_query__constraint__descriptor, walk_constraint },
	{ &pg_query__select_stmt__descriptor, walk_select },
	{ &pg_query__insert_stmt__descriptor, walk_insert },
	{ &pg_query__update_stmt__descriptor, walk_update },
	{ &pg_query__delete_stmt__descriptor, walk_delete },
	{ &pg_query__merge_stmt__descriptor, walk_merge },
	{ &pg_query__into_clause__descriptor, walk_into },
	{ &pg_query__object_with_args__descriptor, walk_function_name },
	{ &pg_query__def_elem__descriptor, walk_option },
	{ &pg_query__with_clause__descriptor, walk_nothing },    /* its statement has walked it */
	{ &pg_query__locking_clause__descriptor, walk_nothing }, /* names aliases */
	{ &pg_query__a__const__descriptor, walk_nothing },
	{ &pg_query__column_ref__descriptor, walk_nothing },
	{ &pg_query__string__descriptor, walk_nothing },
	{ &pg_query__role_spec__descriptor, walk_nothing },
	{ &pg_query__alias__descriptor, walk_nothing },
};

void query_walk_node(struct collect *c, const PgQuery__Node *node)
{
	query_walk(c, tree_inner(node));
}

void query_walk_list(struct collect *c, size_t count, node_list list)
{
	for (size_t i = 0; i < count; i++)
		query_walk_node(c, list[i]);
}

void query_walk(struct collect *c, const ProtobufCMessage *message)
{
	if (!message || c->failed)
		return;
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
		if (specials[i].message == message->descriptor) {
			specials[i].walk(c, message);
			return;
		}
	}
	walk_fields(c, message);
}

/*
 * A relation that is written has been added as a target already: the field of that name is passed
 * over.
 */
static bool is_written_relation(const ProtobufCMessage *message,
				const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;

	return field->descriptor == &pg_query__range_var__descriptor &&
	       (d == &pg_query__insert_stmt__descriptor ||
		d == &pg_query__update_stmt__descriptor ||
		d == &pg_query__delete_stmt__descriptor || d == &pg_query__merge_stmt__descriptor);
}

static void walk_field(struct collect *c, const ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field)
{
	const char *at = (const char *)message + field->offset;
	size_t count = 1;
	const void *const *list = (const void *const *)(const void *)at;
	bool nodes = field->descriptor == &pg_query__node__descriptor;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		count = *(const size_t *)(const void *)((const char *)message +
							field->quantifier_offset);
		list = count ? *(const void *const *const *)(const void *)at : NULL;
	}
	for (size_t i = 0; list && i < count; i++) {
		if (nodes)
			query_walk_node(c, list[i]);
		else
			query_walk(c, list[i]);
	}
}

/* Messages with a oneof (Node, A_Const) never come here. */
static void walk_fields(struct collect *c, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;

	for (unsigned i = 0; i < d->n_fields && !c->failed; i++)
		if (d->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
		    !is_written_relation(message, &d->fields[i]))
			walk_field(c, message, &d->fields[i]);
}

/* --- a SELECT as a statement --- */

static bool is_constant(const PgQuery__Node *node)
{
	return node->node_case == PG_QUERY__NODE__NODE_A_CONST;
}

static bool is_built_in(const struct collect_name *name, const char *function)
{
	return name->name && strcmp(name->name, function) == 0 &&
	       (!name->schema || strcmp(name->schema, "pg_catalog") == 0);
}

/* SELECT set_config('name', 'value', is_local) of constants and nothing else is a SET. */
static void see_set_config(struct collect *c, const PgQuery__SelectStmt *select)
{
	const PgQuery__Node *target =
		select->n_target_list == 1 ? select->target_list[0]->res_target->val : NULL;
	const PgQuery__FuncCall *call =
		target && target->node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? target->func_call
									      : NULL;
	struct collect_name name = { NULL, NULL };
	const PgQuery__Node *local;

	if (call)
		name = collect_list_name(call->n_funcname, call->funcname);
	if (!is_built_in(&name, "set_config") || call->n_args != 3 ||
	    !collect_string(call->args[0]) || !is_constant(call->args[1]) ||
	    !is_constant(call->args[2]) || select->n_from_clause || select->where_clause ||
	    select->with_clause || select->n_sort_clause || select->limit_count ||
	    select->n_group_clause || select->having_clause)
		return;
	local = call->args[2];
	c->out->category = SQL_SET;
	c->out->setting = collect_text(c, collect_string(call->args[0]));
	c->out->set_local = local->node_case == PG_QUERY__NODE__NODE_A_CONST &&
			    local->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL &&
			    local->a_const->boolval->boolval;
	c->out->kind = "SELECT set_config";
}

void query_select(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__SelectStmt *select = (const PgQuery__SelectStmt *)message;

	query_walk(c, message);
	if (select->into_clause) {
		c->out->category = SQL_DDL;
		c->out->kind = "SELECT INTO";
	} else if (c->writes) {
		c->out->category = SQL_DML;
	} else {
		see_set_config(c, select);
	}
}
