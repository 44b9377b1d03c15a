/*
 * Tables and what hangs on them: columns, constraints, indexes, sequences, views, triggers, rules,
 * policies, and the statements that work on whole relations. Indexes and sequences that PostgreSQL
 * makes by itself get the names that it gives them.
 */
#include <string.h>
#include "statement_collect.h"

#define NAME_MAX_BYTES 63

/* --- names that PostgreSQL chooses (makeObjectName, ChooseIndexNameAddition) --- */

/* Longest prefix of text within n bytes that cuts no character. */
static size_t clip(const char *text, size_t n)
{
	size_t len = strlen(text);

	if (len <= n)
		return len;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* table_columns_label, the longer of the first two cut until all fits; middle may be NULL. */
static const char *chosen_name(struct collect *c, const char *table, const char *middle,
			       const char *label)
{
	size_t a = strlen(table), b = middle ? strlen(middle) : 0;
	size_t room = NAME_MAX_BYTES - strlen(label) - 1 - (middle ? 1 : 0);
	const char *out;

	while (a + b > room) {
		if (a > b)
			a--;
		else
			b--;
	}
	a = clip(table, a);
	b = middle ? clip(middle, b) : 0;
	out = c->failed ? NULL
			: arena_format(c->arena, c->err, "%.*s%s%.*s_%s", (int)a, table,
				       middle ? "_" : "", (int)b, middle ? middle : "", label);
	c->failed = !out;
	return out;
}

/* What an expression's column would be called. */
static const char *expression_name(const PgQuery__Node *node)
{
	struct collect_name name = { NULL, NULL };

	if (!node)
		return "expr";
	if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL)
		name = collect_list_name(node->func_call->n_funcname, node->func_call->funcname);
	else if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF)
		name = collect_list_name(node->column_ref->n_fields, node->column_ref->fields);
	else if (node->node_case == PG_QUERY__NODE__NODE_COLLATE_CLAUSE)
		return expression_name(node->collate_clause->arg);
	else if (node->node_case == PG_QUERY__NODE__NODE_COALESCE_EXPR)
		return "coalesce";
	else if (node->node_case == PG_QUERY__NODE__NODE_CASE_EXPR)
		return "case";
	else if (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
		const char *inner = expression_name(node->type_cast->arg);
		if (strcmp(inner, "expr") != 0 || !node->type_cast->type_name)
			return inner;
		name = collect_list_name(node->type_cast->type_name->n_names,
					 node->type_cast->type_name->names);
	}
	return name.name ? name.name : "expr";
}

static const char *element_name(const PgQuery__Node *node)
{
	const PgQuery__IndexElem *element;

	if (node->node_case != PG_QUERY__NODE__NODE_INDEX_ELEM)
		return collect_string(node);
	element = node->index_elem;
	return element->name && *element->name ? element->name : expression_name(element->expr);
}

/* Names joined by '_', as many as reach the length of a name. */
static void join_names(size_t count, node_list list, char *out, size_t size)
{
	size_t len = strlen(out);

	for (size_t i = 0; i < count && len <= NAME_MAX_BYTES; i++) {
		const char *name = element_name(list[i]);
		size_t n = name ? strlen(name) : 0;
		if (!name || len + n + 2 > size)
			continue;
		if (len)
			out[len++] = '_';
		memcpy(out + len, name, n + 1);
		len += n;
	}
}

/* --- parts of CREATE and ALTER TABLE; c->table is the table --- */

static void add_of_table(struct collect *c, enum sql_use use, enum sql_object_kind kind,
			 const char *name)
{
	struct sql_object object = collect_object(use, kind, collect_range_schema(c->table), name);

	object.table = c->table->relname;
	object.table_schema = object.schema;
	collect_add(c, object);
}

static bool is_serial(const PgQuery__TypeName *type)
{
	static const char *const names[] = { "serial",  "bigserial", "smallserial",
					     "serial4", "serial8",   "serial2" };
	const char *name = type && type->n_names == 1 && !type->pct_type
				   ? collect_string(type->names[0])
				   : NULL;

	for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void add_column_sequence(struct collect *c, size_t options, node_list option)
{
	const PgQuery__DefElem *named = collect_option(options, option, "sequence_name");
	struct collect_name name = { NULL, NULL };
	struct sql_object object;

	if (!c->table || !c->column)
		return;
	if (named)
		name = collect_node_name(named->arg);
	object = collect_object(
		SQL_CREATE, SQL_SEQUENCE, name.name ? name.schema : collect_range_schema(c->table),
		name.name ? name.name : chosen_name(c, c->table->relname, c->column, "seq"));
	object.table = c->table->relname;
	object.table_schema = collect_range_schema(c->table);
	collect_add(c, object);
}

void table_column(struct collect *c, const PgQuery__ColumnDef *column)
{
	const char *outer = c->column;

	c->column = column->colname;
	if (is_serial(column->type_name))
		add_column_sequence(c, 0, NULL);
	else if (column->type_name)
		query_walk(c, &column->type_name->base);
	query_walk_node(c, column->raw_default);
	query_walk_list(c, column->n_constraints, column->constraints);
	c->column = outer;
}

static void add_constraint_index(struct collect *c, const PgQuery__Constraint *constraint,
				 const char *label)
{
	bool primary = constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
	const char *name = collect_text(c, constraint->conname);
	char columns[4 * NAME_MAX_BYTES] = "";

	if (!c->table)
		return;
	if (constraint->indexname && *constraint->indexname) {
		struct sql_object object =
			collect_object(SQL_TARGET, SQL_INDEX, collect_range_schema(c->table),
				       constraint->indexname);
		object.table = c->table->relname;
		object.table_schema = object.schema;
		if (name && strcmp(name, constraint->indexname) != 0)
			collect_add_renamed(c, object, object.schema, name);
		else
			collect_add(c, object);
		return;
	}
	if (!constraint->n_keys && !constraint->n_exclusions && c->column)
		strncat(columns, c->column, sizeof columns - 1);
	join_names(constraint->n_keys, constraint->keys, columns, sizeof columns);
	for (size_t i = 0; i < constraint->n_exclusions; i++)
		if (constraint->exclusions[i]->node_case == PG_QUERY__NODE__NODE_LIST)
			join_names(1, constraint->exclusions[i]->list->items, columns,
				   sizeof columns);
	join_names(constraint->n_including, constraint->including, columns, sizeof columns);
	if (!name)
		name = chosen_name(c, c->table->relname, primary ? NULL : columns, label);
	add_of_table(c, SQL_CREATE, SQL_INDEX, name);
}

void table_constraint(struct collect *c, const PgQuery__Constraint *constraint)
{
	static const struct {
		PgQuery__ConstrType type;
		const char *label;
	} indexes[] = { { PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY, "pkey" },
			{ PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE, "key" },
			{ PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION, "excl" } };

	for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++)
		if (indexes[i].type == constraint->contype)
			add_constraint_index(c, constraint, indexes[i].label);
	if (constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY)
		add_column_sequence(c, constraint->n_options, constraint->options);
	collect_range(c, SQL_FOREIGN_KEY, SQL_RELATION, constraint->pktable, false);
	query_walk_node(c, constraint->raw_expr);
	query_walk_node(c, constraint->where_clause);
	query_walk_list(c, constraint->n_exclusions, constraint->exclusions);
}

static void create(struct collect *c, const PgQuery__CreateStmt *create)
{
	struct sql_object object;

	if (!create->relation)
		return;
	object = collect_object(SQL_CREATE, SQL_TABLE, collect_range_schema(create->relation),
				create->relation->relname);
	object.missing_ok = create->if_not_exists;
	if (create->partbound && create->n_inh_relations) {
		const PgQuery__RangeVar *parent = create->inh_relations[0]->range_var;
		object.table = parent->relname;
		object.table_schema = collect_range_schema(parent);
	}
	collect_add(c, object);
	c->table = create->relation;
	query_walk_list(c, create->n_inh_relations, create->inh_relations);
	query_walk_list(c, create->n_table_elts, create->table_elts);
	query_walk_list(c, create->n_constraints, create->constraints);
	if (create->of_typename)
		query_walk(c, &create->of_typename->base);
	if (create->partspec)
		query_walk(c, &create->partspec->base);
	if (create->partbound)
		query_walk(c, &create->partbound->base);
	c->table = NULL;
}

void table_create(struct collect *c, const ProtobufCMessage *message)
{
	create(c, (const PgQuery__CreateStmt *)message);
}

void table_create_foreign(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateForeignTableStmt *foreign =
		(const PgQuery__CreateForeignTableStmt *)message;

	if (foreign->base_stmt)
		create(c, foreign->base_stmt);
}

void table_create_as(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateTableAsStmt *as = (const PgQuery__CreateTableAsStmt *)message;
	bool view = as->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
	const char *made = view ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS";

	if (!as->into)
		return;
	collect_range(c, SQL_CREATE, view ? SQL_VIEW : SQL_TABLE, as->into->rel, as->if_not_exists);
	query_walk_node(c, as->query);
	collect_say(c, made);
	if (as->if_not_exists && !as->into->skip_data)
		c->out->tag = view ? "SELECT|CREATE MATERIALIZED VIEW" : "SELECT|CREATE TABLE AS";
	else if (!as->into->skip_data)
		c->out->tag = "SELECT";
}

/* --- ALTER TABLE --- */

static void alter_partition(struct collect *c, const PgQuery__PartitionCmd *partition,
			    bool of_index)
{
	collect_range(c, SQL_TARGET, of_index ? SQL_INDEX : SQL_RELATION, partition->name, false);
	if (partition->bound)
		query_walk(c, &partition->bound->base);
	if (partition->concurrent) {
		c->out->non_transactional = true;
		c->out->kind = "ALTER TABLE DETACH PARTITION CONCURRENTLY";
	}
}

static void alter_command(struct collect *c, const PgQuery__AlterTableCmd *command, bool of_index)
{
	const PgQuery__Node *def = command->def;

	c->column = collect_text(c, command->name);
	if (command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
		c->out->destructive = true;
	if (command->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn)
		add_of_table(c, SQL_REFERENCE, SQL_INDEX, command->name);
	if (!def)
		return;
	if (def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD)
		alter_partition(c, def->partition_cmd, of_index);
	else if (def->node_case == PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT)
		add_of_table(c, SQL_REFERENCE, SQL_INDEX, def->replica_identity_stmt->name);
	else if (def->node_case != PG_QUERY__NODE__NODE_ROLE_SPEC)
		query_walk_node(c, def);
}

/* For people: what the first command does, when it is one of these. */
static const char *alter_kind(const PgQuery__AlterTableStmt *alter)
{
	static const struct {
		PgQuery__AlterTableType type;
		const char *kind;
	} kinds[] = {
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn, "ALTER TABLE ADD COLUMN" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn, "ALTER TABLE DROP COLUMN" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint, "ALTER TABLE ADD CONSTRAINT" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint, "ALTER TABLE DROP CONSTRAINT" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint,
		  "ALTER TABLE VALIDATE CONSTRAINT" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType, "ALTER TABLE ALTER COLUMN TYPE" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull, "ALTER TABLE SET NOT NULL" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull, "ALTER TABLE DROP NOT NULL" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault,
		  "ALTER TABLE ALTER COLUMN DEFAULT" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition, "ALTER TABLE ATTACH PARTITION" },
		{ PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition, "ALTER TABLE DETACH PARTITION" },
	};

	if (alter->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || alter->n_cmds != 1)
		return NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].type == alter->cmds[0]->alter_table_cmd->subtype)
			return kinds[i].kind;
	return NULL;
}

void table_alter(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterTableStmt *alter = (const PgQuery__AlterTableStmt *)message;
	bool of_index = alter->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
	const char *kind = alter_kind(alter);

	collect_say_of(c, "ALTER", object_word(alter->objtype));
	if (kind)
		c->out->kind = kind;
	if (!alter->relation)
		return;
	collect_range(c, SQL_TARGET, object_kind(alter->objtype, SQL_TARGET), alter->relation,
		      alter->missing_ok);
	c->table = alter->relation;
	for (size_t i = 0; i < alter->n_cmds; i++)
		alter_command(c, alter->cmds[i]->alter_table_cmd, of_index);
	c->table = NULL;
	c->column = NULL;
}

/* --- indexes, sequences, views --- */

void table_index(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__IndexStmt *index = (const PgQuery__IndexStmt *)message;
	char columns[4 * NAME_MAX_BYTES] = "";
	struct sql_object object;

	if (!index->relation)
		return;
	object = collect_object(SQL_CREATE, SQL_INDEX, collect_range_schema(index->relation),
				index->idxname);
	object.table = index->relation->relname;
	object.table_schema = object.schema;
	object.missing_ok = index->if_not_exists;
	if (!object.name || !*object.name) {
		join_names(index->n_index_params, index->index_params, columns, sizeof columns);
		join_names(index->n_index_including_params, index->index_including_params, columns,
			   sizeof columns);
		object.name = chosen_name(c, object.table, columns, "idx");
		object.unnamed = true;
	}
	collect_add(c, object);
	collect_range(c, SQL_TARGET, SQL_RELATION, index->relation, false);
	query_walk_list(c, index->n_index_params, index->index_params);
	query_walk_node(c, index->where_clause);
	c->out->non_transactional = index->concurrent;
	if (index->concurrent)
		c->out->kind = index->unique ? "CREATE UNIQUE INDEX CONCURRENTLY"
					     : "CREATE INDEX CONCURRENTLY";
	else if (index->unique)
		c->out->kind = "CREATE UNIQUE INDEX";
}

static void sequence(struct collect *c, struct sql_object object, size_t options, node_list option)
{
	const PgQuery__DefElem *owned = collect_option(options, option, "owned_by");
	const PgQuery__Node *arg = owned ? owned->arg : NULL;

	if (arg && arg->node_case == PG_QUERY__NODE__NODE_LIST && arg->list->n_items > 1) {
		struct collect_name table =
			collect_list_name(arg->list->n_items - 1, arg->list->items);
		object.table = table.name;
		object.table_schema = table.schema;
	}
	collect_add(c, object);
}

void table_sequence(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateSeqStmt *create_seq = (const PgQuery__CreateSeqStmt *)message;
	struct sql_object object;

	if (!create_seq->sequence)
		return;
	object =
		collect_object(SQL_CREATE, SQL_SEQUENCE, collect_range_schema(create_seq->sequence),
			       create_seq->sequence->relname);
	object.missing_ok = create_seq->if_not_exists;
	sequence(c, object, create_seq->n_options, create_seq->options);
}

void table_alter_sequence(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterSeqStmt *alter = (const PgQuery__AlterSeqStmt *)message;
	struct sql_object object;

	if (!alter->sequence)
		return;
	object = collect_object(SQL_TARGET, SQL_SEQUENCE, collect_range_schema(alter->sequence),
				alter->sequence->relname);
	object.missing_ok = alter->missing_ok;
	sequence(c, object, alter->n_options, alter->options);
}

void table_view(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__ViewStmt *view = (const PgQuery__ViewStmt *)message;

	collect_range(c, SQL_CREATE, SQL_VIEW, view->view, false);
	c->stored = true;
	query_walk_node(c, view->query);
	c->stored = false;
}

/* --- what belongs to a table --- */

static void add_part(struct collect *c, enum sql_use use, enum sql_object_kind kind,
		     const char *name, const PgQuery__RangeVar *table)
{
	struct sql_object object = collect_object(use, kind, NULL, name);

	if (!table)
		return;
	object.table = table->relname;
	object.table_schema = collect_range_schema(table);
	collect_add(c, object);
	collect_range(c, SQL_TARGET, SQL_RELATION, table, false);
}

void table_trigger(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateTrigStmt *trigger = (const PgQuery__CreateTrigStmt *)message;
	struct collect_name function = collect_list_name(trigger->n_funcname, trigger->funcname);

	add_part(c, SQL_CREATE, SQL_TRIGGER, trigger->trigname, trigger->relation);
	collect_add(c, collect_object(SQL_REFERENCE, SQL_FUNCTION, function.schema, function.name));
	collect_range(c, SQL_REFERENCE, SQL_RELATION, trigger->constrrel, false);
	query_walk_node(c, trigger->when_clause);
}

void table_rule(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__RuleStmt *rule = (const PgQuery__RuleStmt *)message;

	add_part(c, SQL_CREATE, SQL_OBJECT_OTHER, rule->rulename, rule->relation);
	c->stored = true;
	query_walk_node(c, rule->where_clause);
	query_walk_list(c, rule->n_actions, rule->actions);
	c->stored = false;
}

void table_policy(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreatePolicyStmt *policy = (const PgQuery__CreatePolicyStmt *)message;

	add_part(c, SQL_CREATE, SQL_OBJECT_OTHER, policy->policy_name, policy->table);
	query_walk_node(c, policy->qual);
	query_walk_node(c, policy->with_check);
}

void table_alter_policy(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterPolicyStmt *policy = (const PgQuery__AlterPolicyStmt *)message;

	add_part(c, SQL_TARGET, SQL_OBJECT_OTHER, policy->policy_name, policy->table);
	query_walk_node(c, policy->qual);
	query_walk_node(c, policy->with_check);
}

void table_statistics(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateStatsStmt *statistics = (const PgQuery__CreateStatsStmt *)message;
	struct collect_name name = collect_list_name(statistics->n_defnames, statistics->defnames);
	struct sql_object object =
		collect_object(SQL_CREATE, SQL_OBJECT_OTHER, name.schema, name.name);

	object.missing_ok = statistics->if_not_exists;
	for (size_t i = 0; i < statistics->n_relations; i++) {
		if (statistics->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
			continue;
		object.table = statistics->relations[i]->range_var->relname;
		object.table_schema = collect_range_schema(statistics->relations[i]->range_var);
		collect_range(c, SQL_TARGET, SQL_RELATION, statistics->relations[i]->range_var,
			      false);
	}
	collect_add(c, object);
	query_walk_list(c, statistics->n_exprs, statistics->exprs);
}

/* --- whole relations --- */

static void add_ranges(struct collect *c, size_t count, node_list list)
{
	for (size_t i = 0; i < count; i++)
		if (list[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
			collect_range(c, SQL_TARGET, SQL_RELATION, list[i]->range_var, false);
}

void table_truncate(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__TruncateStmt *truncate = (const PgQuery__TruncateStmt *)message;

	c->out->destructive = true;
	add_ranges(c, truncate->n_relations, truncate->relations);
}

void table_lock(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__LockStmt *lock = (const PgQuery__LockStmt *)message;

	add_ranges(c, lock->n_relations, lock->relations);
}

void table_copy(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CopyStmt *copy = (const PgQuery__CopyStmt *)message;

	collect_range(c, copy->is_from ? SQL_TARGET : SQL_REFERENCE, SQL_RELATION, copy->relation,
		      false);
	query_walk_node(c, copy->query);
	query_walk_node(c, copy->where_clause);
	c->out->kind = copy->is_from ? "COPY FROM" : "COPY TO";
	c->copies_inline =
		copy->is_from && !copy->is_program && (!copy->filename || !*copy->filename);
}

void table_vacuum(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__VacuumStmt *vacuum = (const PgQuery__VacuumStmt *)message;

	collect_say(c, vacuum->is_vacuumcmd ? "VACUUM" : "ANALYZE");
	c->out->non_transactional = vacuum->is_vacuumcmd;
	if (vacuum->is_vacuumcmd && !vacuum->n_rels)
		collect_add(c, collect_object(SQL_TARGET, SQL_DATABASE_WIDE, NULL, "VACUUM"));
	for (size_t i = 0; i < vacuum->n_rels; i++)
		if (vacuum->rels[i]->node_case == PG_QUERY__NODE__NODE_VACUUM_RELATION)
			collect_range(c, SQL_TARGET, SQL_RELATION,
				      vacuum->rels[i]->vacuum_relation->relation, false);
}

void table_reindex(struct collect *c, const ProtobufCMessage *message)
{
	static const char *const words[][2] = {
#define K(kind) [PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_##kind]
		K(INDEX) = { "REINDEX INDEX", "REINDEX INDEX CONCURRENTLY" },
		K(TABLE) = { "REINDEX TABLE", "REINDEX TABLE CONCURRENTLY" },
		K(SCHEMA) = { "REINDEX SCHEMA", "REINDEX SCHEMA CONCURRENTLY" },
		K(DATABASE) = { "REINDEX DATABASE", "REINDEX DATABASE CONCURRENTLY" },
		K(SYSTEM) = { "REINDEX SYSTEM", NULL },
#undef K
	};
	const PgQuery__ReindexStmt *reindex = (const PgQuery__ReindexStmt *)message;
	bool index = reindex->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX;
	bool one = index || reindex->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE;
	bool concurrently = collect_option_true(
		collect_option(reindex->n_params, reindex->params, "concurrently"));

	collect_range(c, SQL_TARGET, index ? SQL_INDEX : SQL_RELATION, reindex->relation, false);
	if (reindex->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA)
		collect_add(c, collect_object(SQL_TARGET, SQL_SCHEMA, NULL, reindex->name));
	else if (!one)
		collect_add(c, collect_object(SQL_TARGET, SQL_DATABASE_WIDE, NULL, reindex->name));
	c->out->non_transactional = concurrently || !one;
	if ((size_t)reindex->kind < sizeof words / sizeof *words && words[reindex->kind][concurrently])
		c->out->kind = words[reindex->kind][concurrently];
}

void table_cluster(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__ClusterStmt *cluster = (const PgQuery__ClusterStmt *)message;

	c->out->non_transactional = !cluster->relation;
	if (!cluster->relation) {
		collect_add(c, collect_object(SQL_TARGET, SQL_DATABASE_WIDE, NULL, "CLUSTER"));
		return;
	}
	collect_range(c, SQL_TARGET, SQL_RELATION, cluster->relation, false);
	c->table = cluster->relation;
	if (cluster->indexname && *cluster->indexname)
		add_of_table(c, SQL_REFERENCE, SQL_INDEX, cluster->indexname);
	c->table = NULL;
}

void table_refresh(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__RefreshMatViewStmt *refresh = (const PgQuery__RefreshMatViewStmt *)message;

	collect_range(c, SQL_TARGET, SQL_VIEW, refresh->relation, false);
}
