/*
 * One row per kind of statement that PostgreSQL 15 knows: its command tag, its category, and the
 * collector that reads its tree. A collector sets the tag itself where it depends on more than the
 * kind. What has no row is SQL_OTHER without a tag.
 */
#include <string.h>
#include "statement_collect.h"

/* --- collectors of statements that are about no table --- */

static void walk_all(struct collect *c, const ProtobufCMessage *message)
{
	query_walk(c, message);
}

static void nothing(struct collect *c, const ProtobufCMessage *message)
{
	(void)c;
	(void)message;
}

static void never_in_block(struct collect *c, const ProtobufCMessage *message)
{
	(void)message;
	c->out->non_transactional = true;
}

static void run_block(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__DoStmt *block = (const PgQuery__DoStmt *)message;
	const PgQuery__DefElem *body = collect_option(block->n_args, block->args, "as");

	if (body)
		collect_add_body(c, collect_string(body->arg));
}

static void create_function(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateFunctionStmt *function = (const PgQuery__CreateFunctionStmt *)message;
	struct collect_name name = collect_list_name(function->n_funcname, function->funcname);
	const PgQuery__DefElem *body = collect_option(function->n_options, function->options, "as");

	collect_say(c, function->is_procedure ? "CREATE PROCEDURE" : "CREATE FUNCTION");
	collect_add(c, collect_object(SQL_CREATE, SQL_FUNCTION, name.schema, name.name));
	query_walk_list(c, function->n_parameters, function->parameters);
	if (function->return_type)
		query_walk(c, &function->return_type->base);
	if (body && body->arg && body->arg->node_case == PG_QUERY__NODE__NODE_LIST)
		for (size_t i = 0; i < body->arg->list->n_items; i++)
			collect_add_body(c, collect_string(body->arg->list->items[i]));
	c->stored = true;
	query_walk_node(c, function->sql_body);
	c->stored = false;
}

static void call_procedure(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CallStmt *call = (const PgQuery__CallStmt *)message;

	if (call->funccall)
		query_call(c, call->funccall);
}

static void set_parameter(struct collect *c, const ProtobufCMessage *message)
{
	static const struct {
		const char *name, *setting;
		bool own_scope; /* lasts no longer than the transaction by itself */
	} names[] = { { "role", "ROLE", false },
		      { "session_authorization", "SESSION AUTHORIZATION", false },
		      { "TRANSACTION", "TRANSACTION", true },
		      { "TRANSACTION SNAPSHOT", "TRANSACTION SNAPSHOT", true } };
	const PgQuery__VariableSetStmt *set = (const PgQuery__VariableSetStmt *)message;
	bool all = set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
	bool reset = all || set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET;

	c->out->category = reset ? SQL_RESET : SQL_SET;
	collect_say(c, reset ? "RESET" : "SET");
	c->out->set_local = set->is_local;
	c->out->setting = all ? "ALL" : collect_text(c, set->name);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (all || strcmp(names[i].name, set->name) != 0)
			continue;
		c->out->setting = names[i].setting;
		c->out->set_local = c->out->set_local || names[i].own_scope;
	}
}

static void set_constraints(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__ConstraintsSetStmt *set = (const PgQuery__ConstraintsSetStmt *)message;
	const char *when = set->deferred ? "DEFERRED" : "IMMEDIATE",
		   *list = set->n_constraints ? "" : " ALL";

	c->out->set_local = true;
	for (size_t i = 0; i < set->n_constraints && !c->failed; i++) {
		list = arena_format(c->arena, c->err, "%s%s%s", list, i ? ", " : " ",
				    collect_node_name(set->constraints[i]).name);
		c->failed = !list;
	}
	if (c->failed)
		return;
	c->out->setting = arena_format(c->arena, c->err, "CONSTRAINTS%s %s", list, when);
	c->failed = !c->out->setting;
}

static void discard(struct collect *c, const ProtobufCMessage *message)
{
	static const char *const tags[] = {
		[PG_QUERY__DISCARD_MODE__DISCARD_ALL] = "DISCARD ALL",
		[PG_QUERY__DISCARD_MODE__DISCARD_PLANS] = "DISCARD PLANS",
		[PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES] = "DISCARD SEQUENCES",
		[PG_QUERY__DISCARD_MODE__DISCARD_TEMP] = "DISCARD TEMP"
	};
	const PgQuery__DiscardStmt *statement = (const PgQuery__DiscardStmt *)message;
	size_t target = (size_t)statement->target;

	if (target < sizeof tags / sizeof *tags && tags[target])
		collect_say(c, tags[target]);
	c->out->non_transactional = statement->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
}

static const struct transaction_row {
	const char *tag, *kind, *kind_with_options;
	bool never_in_block;
} transactions[] = {
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN] = { "BEGIN", "BEGIN",
								"BEGIN WITH MODES", false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START] = { "START TRANSACTION", "BEGIN",
								"BEGIN WITH MODES", false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT] = { "COMMIT", "COMMIT",
								 "COMMIT AND CHAIN", false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK] = { "ROLLBACK", "ROLLBACK",
								   "ROLLBACK AND CHAIN", false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT] = { "SAVEPOINT", "SAVEPOINT", NULL,
								    false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE] = { "RELEASE", "RELEASE", NULL,
								  false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO] = { "ROLLBACK",
								      "ROLLBACK TO SAVEPOINT", NULL,
								      false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE] = { "PREPARE TRANSACTION",
								  "PREPARE TRANSACTION", NULL,
								  false },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED] = { "COMMIT PREPARED",
									  "COMMIT PREPARED", NULL,
									  true },
	[PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED] = { "ROLLBACK PREPARED",
									    "ROLLBACK PREPARED",
									    NULL, true },
};

static void transaction(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__TransactionStmt *statement = (const PgQuery__TransactionStmt *)message;
	size_t i = (size_t)statement->kind;
	const struct transaction_row *row;

	if (i >= sizeof transactions / sizeof *transactions || !transactions[i].tag)
		return;
	row = &transactions[i];
	collect_say(c, row->tag);
	c->out->transaction_kind =
		row->kind_with_options && (statement->n_options || statement->chain)
			? row->kind_with_options
			: row->kind;
	c->out->kind = c->out->transaction_kind;
	c->out->non_transactional = row->never_in_block;
}

static void explain(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__ExplainStmt *statement = (const PgQuery__ExplainStmt *)message;

	c->stored = !collect_option_true(
		collect_option(statement->n_options, statement->options, "analyze"));
	query_walk_node(c, statement->query);
	c->stored = false;
}

static void keep_query(struct collect *c, const ProtobufCMessage *message)
{
	c->stored = true;
	query_walk(c, message);
	c->stored = false;
}

static void fetch(struct collect *c, const ProtobufCMessage *message)
{
	collect_say(c, ((const PgQuery__FetchStmt *)message)->ismove ? "MOVE" : "FETCH");
}

static void close_cursor(struct collect *c, const ProtobufCMessage *message)
{
	const char *name = ((const PgQuery__ClosePortalStmt *)message)->portalname;

	collect_say(c, name && *name ? "CLOSE CURSOR" : "CLOSE CURSOR ALL");
}

static void deallocate(struct collect *c, const ProtobufCMessage *message)
{
	const char *name = ((const PgQuery__DeallocateStmt *)message)->name;

	collect_say(c, name && *name ? "DEALLOCATE" : "DEALLOCATE ALL");
}

/* --- schemas, extensions, types --- */

static void create_schema(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateSchemaStmt *schema = (const PgQuery__CreateSchemaStmt *)message;
	struct sql_statement *out = c->out;
	struct sql_object object = collect_object(SQL_CREATE, SQL_SCHEMA, NULL, schema->schemaname);
	size_t first;

	/* CREATE SCHEMA AUTHORIZATION role: of the role's name. */
	if (!object.name || !*object.name)
		object.name = schema->authrole ? schema->authrole->rolename : NULL;
	object.missing_ok = schema->if_not_exists;
	collect_add(c, object);
	first = out->objects;
	for (size_t i = 0; i < schema->n_schema_elts; i++)
		kinds_collect(c, schema->schema_elts[i]);
	for (size_t i = first; i < out->objects; i++)
		if (!out->object[i].schema && out->object[i].use != SQL_REFERENCE)
			out->object[i].schema = out->object[0].name;
	out->category = SQL_DDL;
	collect_say(c, "CREATE SCHEMA");
}

static void create_extension(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateExtensionStmt *extension =
		(const PgQuery__CreateExtensionStmt *)message;
	const PgQuery__DefElem *schema =
		collect_option(extension->n_options, extension->options, "schema");
	struct sql_object object =
		collect_object(SQL_CREATE, SQL_EXTENSION, NULL, extension->extname);

	object.schema = schema ? collect_string(schema->arg) : NULL;
	object.missing_ok = extension->if_not_exists;
	collect_add(c, object);
}

static void alter_extension(struct collect *c, const ProtobufCMessage *message)
{
	collect_add(c, collect_object(SQL_TARGET, SQL_EXTENSION, NULL,
				      ((const PgQuery__AlterExtensionStmt *)message)->extname));
}

static void add_type(struct collect *c, enum sql_use use, size_t count, node_list names)
{
	struct collect_name name = collect_list_name(count, names);

	collect_add(c, collect_object(use, SQL_TYPE, name.schema, name.name));
}

static void create_domain(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateDomainStmt *domain = (const PgQuery__CreateDomainStmt *)message;

	add_type(c, SQL_CREATE, domain->n_domainname, domain->domainname);
	if (domain->type_name)
		query_walk(c, &domain->type_name->base);
	query_walk_list(c, domain->n_constraints, domain->constraints);
}

static void alter_domain(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterDomainStmt *domain = (const PgQuery__AlterDomainStmt *)message;

	add_type(c, SQL_TARGET, domain->n_type_name, domain->type_name);
	query_walk_node(c, domain->def);
}

static void create_composite(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CompositeTypeStmt *type = (const PgQuery__CompositeTypeStmt *)message;

	collect_range(c, SQL_CREATE, SQL_TYPE, type->typevar, false);
	query_walk_list(c, type->n_coldeflist, type->coldeflist);
}

static void create_enum(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateEnumStmt *type = (const PgQuery__CreateEnumStmt *)message;

	add_type(c, SQL_CREATE, type->n_type_name, type->type_name);
}

static void create_range(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateRangeStmt *type = (const PgQuery__CreateRangeStmt *)message;

	add_type(c, SQL_CREATE, type->n_type_name, type->type_name);
	query_walk_list(c, type->n_params, type->params);
}

static void alter_enum(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterEnumStmt *type = (const PgQuery__AlterEnumStmt *)message;

	add_type(c, SQL_TARGET, type->n_type_name, type->type_name);
	if (type->old_val && *type->old_val) {
		c->out->kind = "ALTER TYPE RENAME VALUE";
		return;
	}
	c->out->kind = "ALTER TYPE ADD VALUE";
	c->out->new_label = collect_text(c, type->new_val);
}

static void alter_type(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterTypeStmt *type = (const PgQuery__AlterTypeStmt *)message;

	add_type(c, SQL_TARGET, type->n_type_name, type->type_name);
}

/* --- what a database or server has once: the object is the message's first string --- */

static const char *first_string(const ProtobufCMessage *message)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		if (field->type == PROTOBUF_C_TYPE_STRING)
			return *(char *const *)(const void *)((const char *)message +
							      field->offset);
	}
	return NULL;
}

static void add_wide(struct collect *c, enum sql_use use, const char *name)
{
	collect_add(c, collect_object(use, SQL_DATABASE_WIDE, NULL,
				      name && *name ? name : c->out->tag));
}

static void wide_create(struct collect *c, const ProtobufCMessage *message)
{
	add_wide(c, SQL_CREATE, first_string(message));
	query_walk(c, message);
}

static void wide_alter(struct collect *c, const ProtobufCMessage *message)
{
	add_wide(c, SQL_TARGET, first_string(message));
	query_walk(c, message);
}

static void wide_drop(struct collect *c, const ProtobufCMessage *message)
{
	add_wide(c, SQL_DROP, first_string(message));
}

static void wide_create_alone(struct collect *c, const ProtobufCMessage *message)
{
	add_wide(c, SQL_CREATE, first_string(message));
	c->out->non_transactional = true;
}

static void wide_drop_alone(struct collect *c, const ProtobufCMessage *message)
{
	add_wide(c, SQL_DROP, first_string(message));
	c->out->non_transactional = true;
}

static void drop_database(struct collect *c, const ProtobufCMessage *message)
{
	wide_drop_alone(c, message);
	c->out->destructive = true;
}

static void alter_database(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterDatabaseStmt *database = (const PgQuery__AlterDatabaseStmt *)message;

	add_wide(c, SQL_TARGET, database->dbname);
	c->out->non_transactional =
		collect_option(database->n_options, database->options, "tablespace") != NULL;
}

/* A subscription that makes its slot, or reads the publications anew, cannot be taken back. */
static void create_subscription(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__CreateSubscriptionStmt *subscription =
		(const PgQuery__CreateSubscriptionStmt *)message;
	const PgQuery__DefElem *connect =
		collect_option(subscription->n_options, subscription->options, "connect");
	const PgQuery__DefElem *slot =
		collect_option(subscription->n_options, subscription->options, "create_slot");

	add_wide(c, SQL_CREATE, subscription->subname);
	c->out->non_transactional =
		(!connect || collect_option_true(connect)) && (!slot || collect_option_true(slot));
}

static void alter_subscription(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterSubscriptionStmt *subscription =
		(const PgQuery__AlterSubscriptionStmt *)message;
	const PgQuery__DefElem *refresh =
		collect_option(subscription->n_options, subscription->options, "refresh");
	bool sets = subscription->kind ==
			    PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_SET_PUBLICATION ||
		    subscription->kind ==
			    PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_ADD_PUBLICATION ||
		    subscription->kind ==
			    PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_DROP_PUBLICATION;

	add_wide(c, SQL_TARGET, subscription->subname);
	c->out->non_transactional =
		subscription->kind ==
			PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_REFRESH ||
		(sets && (!refresh || collect_option_true(refresh)));
}

static void grant_role(struct collect *c, const ProtobufCMessage *message)
{
	collect_say(c, ((const PgQuery__GrantRoleStmt *)message)->is_grant ? "GRANT ROLE"
									   : "REVOKE ROLE");
	add_wide(c, SQL_TARGET, NULL);
}

static void drop_role(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__DropRoleStmt *drop = (const PgQuery__DropRoleStmt *)message;

	for (size_t i = 0; i < drop->n_roles; i++)
		if (drop->roles[i]->node_case == PG_QUERY__NODE__NODE_ROLE_SPEC)
			add_wide(c, SQL_DROP, drop->roles[i]->role_spec->rolename);
}

static void drop_owned(struct collect *c, const ProtobufCMessage *message)
{
	(void)message;
	add_wide(c, SQL_TARGET, NULL);
	c->out->destructive = true;
}

static void move_all(struct collect *c, const ProtobufCMessage *message)
{
	collect_say_of(c, "ALTER",
		       object_word(((const PgQuery__AlterTableMoveAllStmt *)message)->objtype));
	add_wide(c, SQL_TARGET, NULL);
}

static void import_schema(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__ImportForeignSchemaStmt *import =
		(const PgQuery__ImportForeignSchemaStmt *)message;

	collect_add(c, collect_object(SQL_TARGET, SQL_SCHEMA, NULL, import->local_schema));
}

/* Objects named by the message's first list of names. */
static void add_first_list(struct collect *c, const ProtobufCMessage *message, enum sql_use use)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		const char *base = (const char *)message;
		struct collect_name name;
		if (field->label != PROTOBUF_C_LABEL_REPEATED ||
		    field->descriptor != &pg_query__node__descriptor)
			continue;
		name = collect_list_name(
			*(const size_t *)(const void *)(base + field->quantifier_offset),
			*(node_list const *)(const void *)(base + field->offset));
		collect_add(c, collect_object(use, SQL_OBJECT_OTHER, name.schema, name.name));
		return;
	}
}

static void other_create(struct collect *c, const ProtobufCMessage *message)
{
	add_first_list(c, message, SQL_CREATE);
	query_walk(c, message);
}

static void other_alter(struct collect *c, const ProtobufCMessage *message)
{
	add_first_list(c, message, SQL_TARGET);
}

static void alter_operator(struct collect *c, const ProtobufCMessage *message)
{
	const PgQuery__AlterOperatorStmt *alter = (const PgQuery__AlterOperatorStmt *)message;
	struct collect_name name = { NULL, NULL };

	if (alter->opername)
		name = collect_list_name(alter->opername->n_objname, alter->opername->objname);
	collect_add(c, collect_object(SQL_TARGET, SQL_OBJECT_OTHER, name.schema, name.name));
}

/* --- the table --- */

struct kind_row {
	const char *tag;
	enum sql_category category;
	collector *collect; /* NULL: no row */
};

#define N(node) [PG_QUERY__NODE__NODE_##node##_STMT]
static const struct kind_row rows[] = {
	N(SELECT) = { "SELECT", SQL_SELECT, query_select },
	N(INSERT) = { "INSERT", SQL_DML, walk_all },
	N(UPDATE) = { "UPDATE", SQL_DML, walk_all },
	N(DELETE) = { "DELETE", SQL_DML, walk_all },
	N(MERGE) = { "MERGE", SQL_DML, walk_all },
	N(TRUNCATE) = { "TRUNCATE TABLE", SQL_DML, table_truncate },
	N(COPY) = { "COPY", SQL_COPY, table_copy },
	N(LOCK) = { "LOCK TABLE", SQL_LOCK, table_lock },
	N(DO) = { "DO", SQL_DO, run_block },
	N(CALL) = { "CALL", SQL_OTHER, call_procedure },

	N(CREATE) = { "CREATE TABLE", SQL_DDL, table_create },
	N(CREATE_FOREIGN_TABLE) = { "CREATE FOREIGN TABLE", SQL_DDL, table_create_foreign },
	N(CREATE_TABLE_AS) = { "CREATE TABLE AS", SQL_DDL, table_create_as },
	N(ALTER_TABLE) = { NULL, SQL_DDL, table_alter },
	N(INDEX) = { "CREATE INDEX", SQL_DDL, table_index },
	N(CREATE_SEQ) = { "CREATE SEQUENCE", SQL_DDL, table_sequence },
	N(ALTER_SEQ) = { "ALTER SEQUENCE", SQL_DDL, table_alter_sequence },
	N(VIEW) = { "CREATE VIEW", SQL_DDL, table_view },
	N(REFRESH_MAT_VIEW) = { "REFRESH MATERIALIZED VIEW", SQL_DML, table_refresh },
	N(CREATE_TRIG) = { "CREATE TRIGGER", SQL_DDL, table_trigger },
	N(RULE) = { "CREATE RULE", SQL_DDL, table_rule },
	N(CREATE_POLICY) = { "CREATE POLICY", SQL_DDL, table_policy },
	N(ALTER_POLICY) = { "ALTER POLICY", SQL_DDL, table_alter_policy },
	N(CREATE_STATS) = { "CREATE STATISTICS", SQL_DDL, table_statistics },
	N(ALTER_STATS) = { "ALTER STATISTICS", SQL_DDL, other_alter },

	N(DROP) = { NULL, SQL_DDL, object_drop },
	N(COMMENT) = { "COMMENT", SQL_DDL, object_comment },
	N(SEC_LABEL) = { "SECURITY LABEL", SQL_DDL, object_label },
	N(RENAME) = { NULL, SQL_DDL, object_rename },
	N(ALTER_OBJECT_SCHEMA) = { NULL, SQL_DDL, object_set_schema },
	N(ALTER_OWNER) = { NULL, SQL_DDL, object_owner },
	N(ALTER_OBJECT_DEPENDS) = { NULL, SQL_DDL, object_depends },
	N(GRANT) = { NULL, SQL_DDL, object_grant },
	N(GRANT_ROLE) = { NULL, SQL_DDL, grant_role },
	N(ALTER_DEFAULT_PRIVILEGES) = { "ALTER DEFAULT PRIVILEGES", SQL_DDL,
					object_default_privileges },
	N(DEFINE) = { NULL, SQL_DDL, object_define },

	N(CREATE_FUNCTION) = { NULL, SQL_DDL, create_function },
	N(ALTER_FUNCTION) = { NULL, SQL_DDL, object_alter_function },
	N(CREATE_SCHEMA) = { "CREATE SCHEMA", SQL_DDL, create_schema },
	N(CREATE_DOMAIN) = { "CREATE DOMAIN", SQL_DDL, create_domain },
	N(ALTER_DOMAIN) = { "ALTER DOMAIN", SQL_DDL, alter_domain },
	N(COMPOSITE_TYPE) = { "CREATE TYPE", SQL_DDL, create_composite },
	N(CREATE_ENUM) = { "CREATE TYPE", SQL_DDL, create_enum },
	N(CREATE_RANGE) = { "CREATE TYPE", SQL_DDL, create_range },
	N(ALTER_ENUM) = { "ALTER TYPE", SQL_DDL, alter_enum },
	N(ALTER_TYPE) = { "ALTER TYPE", SQL_DDL, alter_type },
	N(CREATE_EXTENSION) = { "CREATE EXTENSION", SQL_DDL, create_extension },
	N(ALTER_EXTENSION) = { "ALTER EXTENSION", SQL_DDL, alter_extension },
	N(ALTER_EXTENSION_CONTENTS) = { "ALTER EXTENSION", SQL_DDL, object_extension_contents },

	N(ALTER_COLLATION) = { "ALTER COLLATION", SQL_DDL, other_alter },
	N(ALTER_OPERATOR) = { "ALTER OPERATOR", SQL_DDL, alter_operator },
	N(CREATE_CONVERSION) = { "CREATE CONVERSION", SQL_DDL, other_create },
	N(CREATE_OP_CLASS) = { "CREATE OPERATOR CLASS", SQL_DDL, other_create },
	N(CREATE_OP_FAMILY) = { "CREATE OPERATOR FAMILY", SQL_DDL, other_create },
	N(ALTER_OP_FAMILY) = { "ALTER OPERATOR FAMILY", SQL_DDL, other_alter },
	N(ALTER_TSDICTIONARY) = { "ALTER TEXT SEARCH DICTIONARY", SQL_DDL, other_alter },
	N(ALTER_TSCONFIGURATION) = { "ALTER TEXT SEARCH CONFIGURATION", SQL_DDL, other_alter },

	N(CREATE_CAST) = { "CREATE CAST", SQL_DDL, wide_create },
	N(CREATE_TRANSFORM) = { "CREATE TRANSFORM", SQL_DDL, wide_create },
	N(CREATE_PLANG) = { "CREATE LANGUAGE", SQL_DDL, wide_create },
	N(CREATE_AM) = { "CREATE ACCESS METHOD", SQL_DDL, wide_create },
	N(CREATE_ROLE) = { "CREATE ROLE", SQL_DDL, wide_create },
	N(ALTER_ROLE) = { "ALTER ROLE", SQL_DDL, wide_alter },
	N(ALTER_ROLE_SET) = { "ALTER ROLE", SQL_DDL, wide_alter },
	N(DROP_ROLE) = { "DROP ROLE", SQL_DDL, drop_role },
	N(DROP_OWNED) = { "DROP OWNED", SQL_DDL, drop_owned },
	N(REASSIGN_OWNED) = { "REASSIGN OWNED", SQL_DDL, wide_alter },
	N(CREATE_FDW) = { "CREATE FOREIGN DATA WRAPPER", SQL_DDL, wide_create },
	N(ALTER_FDW) = { "ALTER FOREIGN DATA WRAPPER", SQL_DDL, wide_alter },
	N(CREATE_FOREIGN_SERVER) = { "CREATE SERVER", SQL_DDL, wide_create },
	N(ALTER_FOREIGN_SERVER) = { "ALTER SERVER", SQL_DDL, wide_alter },
	N(CREATE_USER_MAPPING) = { "CREATE USER MAPPING", SQL_DDL, wide_create },
	N(ALTER_USER_MAPPING) = { "ALTER USER MAPPING", SQL_DDL, wide_alter },
	N(DROP_USER_MAPPING) = { "DROP USER MAPPING", SQL_DDL, wide_drop },
	N(IMPORT_FOREIGN_SCHEMA) = { "IMPORT FOREIGN SCHEMA", SQL_DDL, import_schema },
	N(CREATE_EVENT_TRIG) = { "CREATE EVENT TRIGGER", SQL_DDL, wide_create },
	N(ALTER_EVENT_TRIG) = { "ALTER EVENT TRIGGER", SQL_DDL, wide_alter },
	N(CREATE_PUBLICATION) = { "CREATE PUBLICATION", SQL_DDL, wide_create },
	N(ALTER_PUBLICATION) = { "ALTER PUBLICATION", SQL_DDL, wide_alter },
	N(CREATE_SUBSCRIPTION) = { "CREATE SUBSCRIPTION", SQL_DDL, create_subscription },
	N(ALTER_SUBSCRIPTION) = { "ALTER SUBSCRIPTION", SQL_DDL, alter_subscription },
	N(DROP_SUBSCRIPTION) = { "DROP SUBSCRIPTION", SQL_DDL, wide_drop_alone },
	N(CREATEDB) = { "CREATE DATABASE", SQL_DDL, wide_create_alone },
	N(DROPDB) = { "DROP DATABASE", SQL_DDL, drop_database },
	N(ALTER_DATABASE) = { "ALTER DATABASE", SQL_DDL, alter_database },
	N(ALTER_DATABASE_SET) = { "ALTER DATABASE", SQL_DDL, wide_alter },
	N(ALTER_DATABASE_REFRESH_COLL) = { "ALTER DATABASE", SQL_DDL, wide_alter },
	N(CREATE_TABLE_SPACE) = { "CREATE TABLESPACE", SQL_DDL, wide_create_alone },
	N(DROP_TABLE_SPACE) = { "DROP TABLESPACE", SQL_DDL, wide_drop_alone },
	N(ALTER_TABLE_SPACE_OPTIONS) = { "ALTER TABLESPACE", SQL_DDL, wide_alter },
	N(ALTER_TABLE_MOVE_ALL) = { NULL, SQL_DDL, move_all },
	N(ALTER_SYSTEM) = { "ALTER SYSTEM", SQL_OTHER, never_in_block },

	N(VARIABLE_SET) = { NULL, SQL_SET, set_parameter },
	N(CONSTRAINTS_SET) = { "SET CONSTRAINTS", SQL_SET, set_constraints },
	N(VARIABLE_SHOW) = { "SHOW", SQL_OTHER, nothing },
	N(TRANSACTION) = { NULL, SQL_TRANSACTION, transaction },
	N(DISCARD) = { NULL, SQL_RESET, discard },
	N(LISTEN) = { "LISTEN", SQL_LISTEN, nothing },
	N(UNLISTEN) = { "UNLISTEN", SQL_LISTEN, nothing },
	N(NOTIFY) = { "NOTIFY", SQL_LISTEN, nothing },

	N(VACUUM) = { NULL, SQL_OTHER, table_vacuum },
	N(REINDEX) = { "REINDEX", SQL_OTHER, table_reindex },
	N(CLUSTER) = { "CLUSTER", SQL_OTHER, table_cluster },
	N(CHECK_POINT) = { "CHECKPOINT", SQL_OTHER, nothing },
	N(LOAD) = { "LOAD", SQL_OTHER, nothing },
	N(EXPLAIN) = { "EXPLAIN", SQL_OTHER, explain },
	N(PREPARE) = { "PREPARE", SQL_OTHER, keep_query },
	N(EXECUTE) = { NULL, SQL_OTHER, walk_all },
	N(DEALLOCATE) = { NULL, SQL_OTHER, deallocate },
	N(DECLARE_CURSOR) = { "DECLARE CURSOR", SQL_OTHER, walk_all },
	N(FETCH) = { NULL, SQL_OTHER, fetch },
	N(CLOSE_PORTAL) = { NULL, SQL_OTHER, close_cursor },
};

void kinds_collect(struct collect *c, const PgQuery__Node *node)
{
	size_t i = (size_t)node->node_case;
	const struct kind_row *row = i < sizeof rows / sizeof *rows ? &rows[i] : NULL;

	c->out->category = SQL_OTHER;
	collect_say(c, NULL);
	if (!row || !row->collect) {
		query_walk_node(c, node);
		return;
	}
	c->out->category = row->category;
	collect_say(c, row->tag);
	row->collect(c, tree_inner(node));
}
