/*
 * The rules that filter or refuse a statement for a class, as a table in the order in which they
 * are asked; the first one that does not let it pass decides. Nothing here guesses: what cannot be
 * settled is an error that names the way out.
 */
#include "judge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "alone.h"
#include "document.h"

typedef enum judge_result judge_rule_fn(const struct judge *judge, const struct judge_case *item,
					struct judge_verdict *out);

#define SAY(out, ...) snprintf((out)->message, sizeof(out)->message, __VA_ARGS__)
#define HINT(out, ...) snprintf((out)->hint, sizeof(out)->hint, __VA_ARGS__)

static const char *side_word(const struct judge *judge)
{
	return judge->shared ? "tenants" : "the shared schema";
}

const char *judge_accepted(const struct judge *judge, const struct judge_case *item,
			   const char *rule)
{
	const struct sql_directives *both[2] = { &item->statement->directives, item->file };

	for (size_t d = 0; d < 2; d++)
		for (size_t i = 0; both[d] && i < both[d]->accepts; i++)
			if (!strcmp(both[d]->accept[i].rule, rule))
				return both[d]->accept[i].reason && both[d]->accept[i].reason[0]
					       ? both[d]->accept[i].reason
					       : "accepted by a directive";
	return conf_list_has(&judge->conf->accept, rule) ? "accepted in pgdocket.conf" : NULL;
}

static enum judge_result rule_scope(const struct judge *judge, const struct judge_case *item,
				    struct judge_verdict *out)
{
	if (item->scope == (judge->shared ? SQL_SCOPE_TENANT : SQL_SCOPE_SHARED)) {
		SAY(out, "its directive says scope=%s", judge->shared ? "tenant" : "shared");
		return JUDGE_FILTER;
	}
	return JUDGE_RUN;
}

static enum judge_result rule_ledger(const struct judge *judge, const struct judge_case *item,
				     struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	bool named = judge_mentions(statement, "pgdocket");

	(void)judge;
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		named = named || (object->schema && !strcmp(object->schema, "pgdocket")) ||
			(object->table_schema && !strcmp(object->table_schema, "pgdocket")) ||
			(object->kind == SQL_SCHEMA && object->name &&
			 !strcmp(object->name, "pgdocket"));
	}
	if (!named)
		return JUDGE_RUN;
	SAY(out, "names the schema pgdocket, which holds the applier's ledger");
	HINT(out, "take the statement out of the migration; nothing but the applier may touch the "
		  "ledger");
	return JUDGE_ERROR;
}

static enum judge_result rule_history(const struct judge *judge, const struct judge_case *item,
				      struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	bool named;

	if (!judge->history_table)
		return JUDGE_RUN;
	named = judge_mentions(statement, judge->history_table);
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		named = named ||
			(object->name && world_space_of(object->kind) == WORLD_RELATION &&
			 !strcmp(object->name, judge->history_table)) ||
			(object->table && !strcmp(object->table, judge->history_table));
	}
	if (!named)
		return JUDGE_RUN;
	SAY(out, "names the history table %s, which only the plan's own steps may write",
	    judge->history_table);
	HINT(out,
	     "take the statement out of the migration; the plan records every migration by itself");
	return JUDGE_ERROR;
}

static enum judge_result rule_database(const struct judge *judge, const struct judge_case *item,
				       struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	if (judge->shared)
		return JUDGE_RUN;
	/* They belong to a role, whatever the schema. */
	if (statement->tag && !strcmp(statement->tag, "ALTER DEFAULT PRIVILEGES")) {
		SAY(out, "%s concerns the whole database: it runs in the shared schema only",
		    statement->tag);
		return JUDGE_FILTER;
	}
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (!judge_is_target(object) ||
		    judge_place(judge, statement, i).side != SIDE_DATABASE ||
		    (object->kind == SQL_SCHEMA && object->name &&
		     judge->is_tenant(judge->is_tenant_context, object->name)))
			continue;
		SAY(out, "%s concerns the whole database: it runs in the shared schema only",
		    statement->kind ? statement->kind : "the statement");
		return JUDGE_FILTER;
	}
	return JUDGE_RUN;
}

/*
 * Another schema named outright. References to the shared schema are what tenants are meant to
 * have.
 */
static enum judge_result rule_foreign(const struct judge *judge, const struct judge_case *item,
				      struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	char name[200];

	if (item->scope == SQL_SCOPE_NONE &&
	    judge_mention(judge, statement, name) == MENTION_TENANT) {
		SAY(out, "%s mentions the tenant's schema %s", judge_body_word(statement), name);
		HINT(out, "write names without their schema, or say for whom it is in a line above it: "
			  "-- pgdocket: scope=shared, scope=tenant or scope=all");
		return JUDGE_ERROR;
	}
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		const char *schema = judge_foreign_schema(judge, object);
		bool tenant;

		if (object->kind == SQL_SCHEMA)
			schema = object->name;
		tenant = schema && judge->is_tenant(judge->is_tenant_context, schema);
		if (!schema ||
		    (!tenant && (object->kind == SQL_SCHEMA || !judge_is_target(object))))
			continue;
		if (!tenant && judge_place(judge, statement, i).side == SIDE_THEIRS)
			continue;
		if (!tenant && judge->shared && item->scope == SQL_SCOPE_SHARED)
			continue;
		if (tenant) {
			SAY(out, "names the tenant's schema %s outright", schema);
			HINT(out, "write the name without its schema; a migration for tenants runs "
				  "in each of them");
		} else {
			SAY(out, "acts on %s, which names the schema %s outright",
			    judge_name(object, name), schema);
			HINT(out, "write the name without its schema, list the table under "
				  "[shared] only, or say "
				  "-- pgdocket: scope=shared above the statement");
		}
		return JUDGE_ERROR;
	}
	return JUDGE_RUN;
}

static enum judge_result rule_side(const struct judge *judge, const struct judge_case *item,
				   struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	const struct sql_object *theirs = NULL, *ours = NULL;
	const char *owner = NULL;

	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		struct judge_place place = { SIDE_UNKNOWN, NULL };

		if (!judge_is_target(object))
			continue;
		place = judge_place(judge, statement, i);
		if (place.side == SIDE_THEIRS && !theirs) {
			theirs = object;
			owner = place.owner;
		} else if (place.side != SIDE_THEIRS && place.side != SIDE_DATABASE && !ours &&
			   (world_space_of(object->kind) != WORLD_NONE || object->table)) {
			ours = object;
		}
	}
	if (!theirs)
		return JUDGE_RUN;
	if (ours) {
		SAY(out, "acts on %s and on %s, which exists only in %s",
		    ours->name ? ours->name : "something of its own", theirs->name,
		    side_word(judge));
		HINT(out, "split it into two statements, or say -- pgdocket: scope=%s above it",
		     judge->shared ? "tenant" : "shared");
		return JUDGE_ERROR;
	}
	if (item->scope == (judge->shared ? SQL_SCOPE_SHARED : SQL_SCOPE_TENANT)) {
		SAY(out, "is for %s by its directive, but acts on %s, which exists only in %s",
		    judge->shared ? "the shared schema" : "tenants", theirs->name,
		    side_word(judge));
		HINT(out, "take the directive out, or the table out of [%s] only",
		     judge->shared ? "tenants" : "shared");
		return JUDGE_ERROR;
	}
	if (theirs->name && strcmp(theirs->name, owner) != 0)
		SAY(out, "%s belongs to %s, which exists only in %s", theirs->name, owner,
		    side_word(judge));
	else
		SAY(out, "%s exists only in %s", owner, side_word(judge));
	return JUDGE_FILTER;
}

static enum judge_result rule_mention(const struct judge *judge, const struct judge_case *item,
				      struct judge_verdict *out)
{
	const char *who = judge_body_word(item->statement);
	char name[200];

	if (item->scope != SQL_SCOPE_NONE)
		return JUDGE_RUN;
	switch (judge_mention(judge, item->statement, name)) {
	case MENTION_ONLY:
		SAY(out, "%s mentions %s, which exists only in %s", who, name, side_word(judge));
		break;
	case MENTION_LACKING:
		SAY(out, "%s mentions %s, which these schemas lack and %s has", who, name,
		    judge->shared_schema);
		break;
	case MENTION_SHARED:
		SAY(out, "%s mentions %s.%s outright", who, judge->shared_schema, name);
		break;
	case MENTION_TENANT: /* foreign-schema has said so */
	case MENTION_NONE:
	default: return JUDGE_RUN;
	}
	HINT(out, "say for whom it is in a line above it: -- pgdocket: scope=shared, scope=tenant "
		  "or scope=all");
	return JUDGE_ERROR;
}

static enum judge_result rule_opaque(const struct judge *judge, const struct judge_case *item,
				     struct judge_verdict *out)
{
	if (item->statement->category != SQL_OPAQUE || judge_accepted(judge, item, "opaque"))
		return JUDGE_RUN;
	SAY(out, "is not understood by the parser (grammar of PostgreSQL 15): %s",
	    item->statement->opaque_why ? item->statement->opaque_why : "no reason given");
	HINT(out, "mend it, or accept that nobody can tell what it acts on: -- pgdocket: "
		  "accept=opaque REASON");
	return JUDGE_ERROR;
}

static bool is_relation(const struct sql_object *object)
{
	return world_space_of(object->kind) == WORLD_RELATION && object->name;
}

static enum judge_result rule_stray(const struct judge *judge, const struct judge_case *item,
				    struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	for (size_t i = 0; !judge->shared && i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (judge_is_target(object) || object->schema || !is_relation(object) ||
		    !owner_has_table(judge->foreign, object->name) ||
		    !world_find(judge->world, WORLD_RELATION, object->name))
			continue;
		SAY(out,
		    "refers to %s, and would bind to the stray table %s that these schemas have, "
		    "not to %s.%s",
		    object->name, object->name, judge->shared_schema, object->name);
		HINT(out,
		     "write %s.%s, remove the stray tables, or leave these schemas out with "
		     "--exclude or --skip-unfit",
		     judge->shared_schema, object->name);
		return JUDGE_ERROR;
	}
	return JUDGE_RUN;
}

static bool is_temporary(const struct judge *judge, const struct sql_object *object)
{
	const struct world_object *known = world_find(judge->world, WORLD_RELATION, object->name);

	return object->schema ? !strcmp(object->schema, "pg_temp") : known && known->temporary;
}

static bool is_real(const struct judge *judge, const char *name)
{
	const struct world_object *own = world_find(judge->world, WORLD_RELATION, name);

	return (own && !own->temporary) || owner_has_table(judge->foreign, name) ||
	       (judge->other && world_find(judge->other, WORLD_RELATION, name));
}

/*
 * pg_temp stands last in the search_path: a temporary object is hidden behind a real one of its
 * name.
 */
static enum judge_result rule_temporary(const struct judge *judge, const struct judge_case *item,
					struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		const struct world_object *known =
			is_relation(object) ? world_find(judge->world, WORLD_RELATION, object->name)
					    : NULL;
		bool temporary = object->schema && !strcmp(object->schema, "pg_temp");
		bool clash = false;

		if (!is_relation(object))
			continue;
		if (object->use == SQL_CREATE)
			clash = temporary ? is_real(judge, object->name)
					  : !object->schema && known && known->temporary;
		else if (object->use == SQL_RENAME_TO && i > 0 && statement->object[i - 1].name)
			clash = is_temporary(judge, &statement->object[i - 1]) &&
				is_real(judge, object->name);
		if (!clash)
			continue;
		SAY(out, "%s is the name of a temporary object and of a real one, which the bare "
			 "name would mean", object->name);
		HINT(out, "choose another name for the temporary object");
		return JUDGE_ERROR;
	}
	return JUDGE_RUN;
}

/* Tables of the other side that the search_path does not lead to: the statement would fail. */
static enum judge_result rule_reach(const struct judge *judge, const struct judge_case *item,
				    struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (judge_is_target(object) || judge_foreign_schema(judge, object) ||
		    !is_relation(object) || (!judge->shared && judge->falls_through) ||
		    world_find(judge->world, WORLD_RELATION, object->name) ||
		    judge_place(judge, statement, i).side != SIDE_THEIRS)
			continue;
		SAY(out, "refers to %s, which exists only in %s and cannot be found from here",
		    object->name, side_word(judge));
		if (judge->shared)
			HINT(out, "list what it makes under [tenants] only, or say -- pgdocket: "
				  "scope=tenant above it");
		else
			HINT(out, "write %s.%s, or add %s to search_path under [tenants]",
			     judge->shared_schema, object->name, judge->shared_schema);
		return JUDGE_ERROR;
	}
	return JUDGE_RUN;
}

static enum judge_result rule_fall_through(const struct judge *judge, const struct judge_case *item,
					   struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	bool says_tenant = item->scope == SQL_SCOPE_TENANT || item->scope == SQL_SCOPE_ALL;
	const struct world_object *own;
	const char *name;

	for (size_t i = 0; !judge->shared && i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (!judge_is_target(object) && object->use != SQL_FOREIGN_KEY)
			continue;
		if (judge_place(judge, statement, i).side != SIDE_FALLS)
			continue;
		name = object->table && object->kind != SQL_SEQUENCE ? object->table : object->name;
		own = world_find(judge->world, world_space_of(object->kind), name);
		if (own && says_tenant)
			continue;
		SAY(out, "%s %s, which these schemas %s: the search_path would lead to %s.%s",
		    object->use == SQL_FOREIGN_KEY ? "has a foreign key to" : "acts on", name,
		    own ? "may have lost to an earlier statement" : "lack", judge->shared_schema,
		    name);
		if (own)
			HINT(out, "say -- pgdocket: scope=tenant above the statement if they still have "
				  "it then, or scope=shared");
		else
			HINT(out, "list the table under [shared] only, say -- pgdocket: scope=shared "
				  "above the statement, or mend the schemas");
		return JUDGE_ERROR;
	}
	return JUDGE_RUN;
}

static enum judge_result rule_transaction(const struct judge *judge, const struct judge_case *item,
					  struct judge_verdict *out)
{
	(void)judge;
	if (item->statement->category != SQL_TRANSACTION)
		return JUDGE_RUN;
	SAY(out, "controls the transaction: %s",
	    item->statement->transaction_kind ? item->statement->transaction_kind
					      : item->statement->text);
	HINT(out, "take it out: the plan decides what commits together; only BEGIN and COMMIT "
		  "around a whole file are folded");
	return JUDGE_ERROR;
}

static bool is_refused_setting(const struct sql_statement *statement)
{
	static const char *const names[] = { "search_path",
					     "role",
					     "session authorization",
					     "session_authorization",
					     "constraints all immediate",
					     "session characteristics",
					     "transaction",
					     "transaction snapshot",
					     NULL };
	bool called = statement->kind && !strcmp(statement->kind, "SELECT set_config");

	if (called && statement->setting &&
	    !strcasecmp(statement->setting, "session_replication_role"))
		return true;
	for (size_t i = 0; statement->setting && names[i]; i++)
		if (!strcasecmp(statement->setting, names[i]))
			return true;
	return false;
}

/* Calls set_config(), or writes the view that does. */
static bool changes_settings(const struct sql_statement *statement)
{
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		bool built_in = !object->schema || !strcmp(object->schema, "pg_catalog");

		if (!object->name || !built_in)
			continue;
		if (object->kind == SQL_FUNCTION && object->use == SQL_REFERENCE &&
		    !strcmp(object->name, "set_config"))
			return true;
		if (object->use == SQL_TARGET && statement->category == SQL_DML &&
		    !strcmp(object->name, "pg_settings"))
			return true;
	}
	return false;
}

static enum judge_result rule_session(const struct judge *judge, const struct judge_case *item,
				      struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	const char *what = statement->kind ? statement->kind : "the statement", *word;

	if (statement->category == SQL_SET && is_refused_setting(statement)) {
		SAY(out, "sets %s, which the applier decides", statement->setting);
		HINT(out, "take it out; write names of the shared schema with their schema");
	} else if (statement->category == SQL_RESET) {
		SAY(out, "%s would undo the settings that the plan pins", what);
		HINT(out, "take it out: settings are restored after each migration");
	} else if (statement->category == SQL_LISTEN) {
		SAY(out, "%s outlives the migration", what);
		HINT(out, "take it out; a session of the applier serves many schemas");
	} else if (statement->category == SQL_COPY) {
		SAY(out,
		    "%s moves data over the connection or the server's files, which a plan does "
		    "not carry",
		    what);
		HINT(out, "write INSERT statements");
	} else if (statement->category != SQL_SET && changes_settings(statement)) {
		SAY(out, "changes a setting by calling set_config()");
		HINT(out, "write SET name = value, which is restored after the migration; never "
			  "set search_path");
	} else if ((word = judge_session_word(statement)) != NULL &&
		   !judge_accepted(judge, item, "session-state")) {
		SAY(out, "%s mentions %s, which the applier decides", judge_body_word(statement),
		    word);
		HINT(out, "take it out, or accept what it does to the session: -- pgdocket: "
			  "accept=session-state REASON");
	} else {
		return JUDGE_RUN;
	}
	return JUDGE_ERROR;
}

bool judge_is_alone(const struct judge_case *item)
{
	return (item->statement->non_transactional || item->transaction_off) &&
	       item->statement->category != SQL_SET;
}

/* The catalog is asked about the class's own schema only. */
static bool acts_elsewhere(const struct judge *judge, const struct sql_statement *statement)
{
	for (size_t i = 0; i < statement->objects; i++)
		if (judge_is_target(&statement->object[i]) &&
		    judge_foreign_schema(judge, &statement->object[i]))
			return true;
	return false;
}

/* Sent alone, it is not taken back when it fails: what became of it must be told somehow. */
static enum judge_result rule_alone(const struct judge *judge, const struct judge_case *item,
				    struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	const char *kind = statement->kind ? statement->kind : "the statement";
	enum alone_knowledge known = alone_known(statement);
	bool again = statement->directives.idempotent || (item->file && item->file->idempotent);

	if (!judge_is_alone(item))
		return JUDGE_RUN;
	if (statement->non_transactional && statement->objects && statement->object[0].unnamed) {
		SAY(out, "%s gives its index no name, so nobody can tell whether it is there", kind);
		HINT(out, "give the index a name");
		return JUDGE_ERROR;
	}
	if (statement->objects > 1 && !strcmp(kind, "DROP INDEX CONCURRENTLY")) {
		SAY(out, "%s takes one index, and here are several", kind);
		HINT(out, "write a statement for each of them");
		return JUDGE_ERROR;
	}
	if (statement->directives.probe)
		return JUDGE_RUN;
	if (known == ALONE_PROBE && acts_elsewhere(judge, statement)) {
		SAY(out, "%s acts on another schema, where nobody looks whether it was done", kind);
		HINT(out, "say above it -- pgdocket: probe=SELECT ... (true: it has been done)");
		return JUDGE_ERROR;
	}
	if (known != ALONE_UNKNOWN || again)
		return JUDGE_RUN;
	if (statement->non_transactional)
		SAY(out, "%s cannot run in a transaction, and nobody can tell whether it was done "
			 "when a run breaks off", kind);
	else
		SAY(out, "is asked to run outside of a transaction, and nobody can tell whether it "
			 "was done when a run breaks off");
	HINT(out, "say above it -- pgdocket: probe=SELECT ... (true: it has been done), or "
		  "-- pgdocket: idempotent if it may run twice%s",
	     statement->non_transactional
		     ? ""
		     : "; or take transaction=off (dbmate: transaction:false) out");
	return JUDGE_ERROR;
}

static enum judge_result rule_first_word(const struct judge *judge, const struct judge_case *item,
					 struct judge_verdict *out)
{
	char word[32];

	(void)judge;
	if (item->statement->category == SQL_SET ||
	    !document_first_word_refused(item->statement->text, item->statement->len, word))
		return JUDGE_RUN;
	SAY(out, "begins with %s, which the applier refuses", word);
	HINT(out, "take the statement out of the migration");
	return JUDGE_ERROR;
}

static const struct {
	const char *name;
	judge_rule_fn *judge;
} rules[] = {
	{ "scope", rule_scope },
	{ "transaction-control", rule_transaction },
	{ "session-state", rule_session },
	{ "ledger", rule_ledger },
	{ "history-table", rule_history },
	{ "database-wide", rule_database },
	{ "foreign-schema", rule_foreign },
	{ "one-side", rule_side },
	{ "mention", rule_mention },
	{ "opaque", rule_opaque },
	{ "temporary", rule_temporary },
	{ "stray-reference", rule_stray },
	{ "reach", rule_reach },
	{ "fall-through", rule_fall_through },
	{ "non-transactional", rule_alone },
	{ "first-word", rule_first_word },
};

void judge_statement(const struct judge *judge, const struct judge_case *item,
		     struct judge_verdict *out)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		out->result = rules[i].judge(judge, item, out);
		if (out->result == JUDGE_RUN)
			continue;
		out->rule = rules[i].name;
		return;
	}
	judge_notes(judge, item, out);
}
