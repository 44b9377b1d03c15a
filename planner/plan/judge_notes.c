/*
 * What a reviewer must see of a statement that runs (data-dependent, destructive, settings, shared
 * locks ...), and which shared relations it locks from a tenant. Findings never stop a plan.
 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "alone.h"
#include "text.h"

typedef void note_fn(const struct judge *judge, const struct judge_case *item,
		     struct judge_verdict *out);

static struct judge_note *note(struct judge_verdict *out, const char *rule,
			       enum judge_severity severity)
{
	struct judge_note *added;

	if (out->notes == JUDGE_NOTES_MAX)
		return NULL;
	added = &out->note[out->notes++];
	added->rule = rule;
	added->severity = severity;
	return added;
}

#define NOTE(out, rule, severity, ...) \
	do { \
		struct judge_note *note_ = note(out, rule, severity); \
		if (note_) \
			snprintf(note_->message, sizeof note_->message, __VA_ARGS__); \
	} while (0)

static const char *what(const struct judge_case *item)
{
	return item->statement->kind ? item->statement->kind : "the statement";
}

static void note_opaque(const struct judge *judge, const struct judge_case *item,
			struct judge_verdict *out)
{
	(void)judge;
	if (item->statement->category == SQL_OPAQUE)
		NOTE(out, "opaque", JUDGE_DANGER,
		     "the parser does not understand it (%s); nobody has checked what it acts on",
		     item->statement->opaque_why ? item->statement->opaque_why : "no reason given");
}

static void note_alone(const struct judge *judge, const struct judge_case *item,
		       struct judge_verdict *out)
{
	const struct sql_directives *own = &item->statement->directives;
	const char *then = "what a failure leaves behind is told by its directive's probe";

	(void)judge;
	if (!judge_is_alone(item)) {
		if (own->probe)
			NOTE(out, "unused-directive", JUDGE_INFO,
			     "%s runs in a transaction: its probe is not asked", what(item));
		return;
	}
	if (!own->probe && alone_known(item->statement) == ALONE_PROBE)
		then = "what a failure leaves behind is cleaned up, and it is tried again";
	else if (!own->probe)
		then = "after a failure it is run again";
	NOTE(out, "non-transactional", JUDGE_WARNING, "%s runs outside of a transaction: %s",
	     what(item), then);
}

static bool reads_relations(const struct sql_statement *statement)
{
	for (size_t i = 0; i < statement->objects; i++)
		if (statement->object[i].use == SQL_REFERENCE &&
		    world_space_of(statement->object[i].kind) == WORLD_RELATION)
			return true;
	return false;
}

static void note_data(const struct judge *judge, const struct judge_case *item,
		      struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	bool changes_rows =
		statement->category == SQL_DML && statement->tag &&
		(text_starts(statement->tag, "UPDATE") || text_starts(statement->tag, "DELETE") ||
		 text_starts(statement->tag, "MERGE") || reads_relations(statement));

	(void)judge;
	if (changes_rows || statement->category == SQL_DO)
		NOTE(out, "data-dependent", JUDGE_WARNING,
		     "%s: what it does depends on the rows or the catalog that it finds",
		     what(item));
}

static void note_destructive(const struct judge *judge, const struct judge_case *item,
			     struct judge_verdict *out)
{
	(void)judge;
	if (item->statement->destructive)
		NOTE(out, "destructive", JUDGE_DANGER,
		     "%s: takes data away that a revert does not bring back", what(item));
}

static void note_setting(const struct judge *judge, const struct judge_case *item,
			 struct judge_verdict *out)
{
	static const char *const owned[] = { "lock_timeout",
					     "statement_timeout",
					     "idle_in_transaction_session_timeout",
					     "transaction_timeout",
					     "client_encoding",
					     "session_replication_role",
					     NULL };
	const struct sql_statement *statement = item->statement;

	(void)judge;
	if (judge_session_word(statement))
		NOTE(out, "session-state", JUDGE_DANGER,
		     "%s mentions %s: names behind it may mean other objects; what leaves another "
		     "search_path or role behind is rolled back",
		     judge_body_word(statement), judge_session_word(statement));
	if (statement->category != SQL_SET || !statement->setting)
		return;
	for (size_t i = 0; owned[i]; i++) {
		if (strcasecmp(statement->setting, owned[i]) != 0)
			continue;
		NOTE(out, "session-set",
		     !strcmp(owned[i], "session_replication_role") ? JUDGE_DANGER : JUDGE_WARNING,
		     "sets %s, which the plan sets itself", owned[i]);
		return;
	}
	if (!statement->set_local)
		NOTE(out, "session-set", JUDGE_INFO,
		     "sets %s for the session; rewritten to SET LOCAL", statement->setting);
}

static void note_reads_shared(const struct judge *judge, const struct judge_case *item,
			      struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	for (size_t i = 0; !judge->shared && i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (object->use != SQL_REFERENCE || object->schema ||
		    world_space_of(object->kind) != WORLD_RELATION ||
		    judge_place(judge, statement, i).side != SIDE_FALLS)
			continue;
		NOTE(out, "reads-shared", JUDGE_WARNING,
		     "reads %s, which these schemas lack: it reads %s.%s", object->name,
		     judge->shared_schema, object->name);
		return;
	}
}

static void note_missing(const struct judge *judge, const struct judge_case *item,
			 struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	for (size_t i = 0; !world_clouded(judge->world) && i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if ((object->use != SQL_TARGET && object->use != SQL_DROP) || object->missing_ok ||
		    object->schema || world_space_of(object->kind) != WORLD_RELATION ||
		    judge_place(judge, statement, i).side != SIDE_UNKNOWN)
			continue;
		NOTE(out, "missing-target", JUDGE_WARNING,
		     "acts on %s, which these schemas do not seem to have; it will fail there",
		     object->name);
		if (out->notes && !strcmp(out->note[out->notes - 1].rule, "missing-target"))
			snprintf(out->note[out->notes - 1].hint,
				 sizeof out->note[out->notes - 1].hint,
				 "if the table exists only in tenants, list it under [tenants] "
				 "only; if only in the shared schema, under [shared] only");
		return;
	}
}

static void add_lock(struct judge_verdict *out, const char *relation)
{
	for (size_t i = 0; i < out->locks; i++)
		if (!strcmp(out->lock[i], relation))
			return;
	if (out->locks < JUDGE_LOCKS_MAX)
		snprintf(out->lock[out->locks++], sizeof out->lock[0], "%s", relation);
}

static void lock_foreign_key(const struct judge *judge, const struct sql_statement *statement,
			     size_t n, struct judge_verdict *out)
{
	const struct sql_object *object = &statement->object[n];
	char relation[200];

	if (object->schema ? !judge_foreign_schema(judge, object)
			   : judge_place(judge, statement, n).side != SIDE_THEIRS)
		return;
	snprintf(relation, sizeof relation, "%.90s.%.90s",
		 object->schema ? object->schema : judge->shared_schema, object->name);
	add_lock(out, relation);
}

/*
 * Dropping or altering what holds a foreign key locks the relation that it points to (HAZARDS.md
 * 17, 42, 55, 90).
 */
static void lock_holder(const struct judge *judge, const struct sql_statement *statement,
			const struct sql_object *object, struct judge_verdict *out)
{
	bool dropped = object->use == SQL_DROP;
	bool altered = object->use == SQL_TARGET && statement->tag &&
		       !strcmp(statement->tag, "ALTER TABLE") &&
		       (statement_mentions(statement->text, "drop") ||
			statement_mentions(statement->text, "type"));
	const char *relation;

	for (size_t i = 0;
	     (dropped || altered) && (relation = world_key(judge->world, object->name, i)) != NULL;
	     i++)
		add_lock(out, relation);
}

/* What a directive lets through may reach anything shared: "*" stands for that. */
static void lock_anything(const struct judge *judge, const struct judge_case *item,
			  struct judge_verdict *out)
{
	char name[200];

	if ((item->scope == SQL_SCOPE_TENANT || item->scope == SQL_SCOPE_ALL) &&
	    judge_mention(judge, item->statement, name) != MENTION_NONE)
		add_lock(out, "*");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void note_locks(const struct judge *judge, const struct judge_case *item,
		       struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;

	if (judge->shared)
		return;
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];

		if (object->use == SQL_FOREIGN_KEY)
			lock_foreign_key(judge, statement, i, out);
		else if (!object->schema && world_space_of(object->kind) == WORLD_RELATION &&
			 object->name)
			lock_holder(judge, statement, object, out);
	}
	lock_anything(judge, item, out);
	qsort(out->lock, out->locks, sizeof out->lock[0], by_text);
	for (size_t i = 0; i < out->locks; i++)
		if (!strcmp(out->lock[i], "*"))
			NOTE(out, "shared-lock", JUDGE_WARNING,
			     "%s may lock shared relations from every tenant: it runs in one tenant at "
			     "a time",
			     what(item));
		else
			NOTE(out, "shared-lock", JUDGE_WARNING,
			     "%s locks %s from every tenant: it runs in one tenant at a time",
			     what(item), out->lock[i]);
}

/*
 * What changes a referenced key or drops its table takes and scans every referencing table at once.
 */
static void note_tenant_locks(const struct judge *judge, const struct judge_case *item,
			      struct judge_verdict *out)
{
	const struct sql_statement *statement = item->statement;
	char relation[200];

	if (!judge->shared || !judge->tenants)
		return;
	for (size_t i = 0; i < statement->objects; i++) {
		const struct sql_object *object = &statement->object[i];
		bool heavy = object->use == SQL_DROP || statement->destructive ||
			     statement_mentions(statement->text, "type");

		if (!judge_is_target(object) || !heavy || !object->name ||
		    world_space_of(object->kind) != WORLD_RELATION)
			continue;
		snprintf(relation, sizeof relation, "%.90s.%.90s", judge->shared_schema,
			 object->name);
		if (!world_refers(judge->tenants, relation))
			continue;
		NOTE(out, "tenant-locks", JUDGE_DANGER,
		     "%s on %s may lock, and scan, the tables of every tenant that refer to it",
		     what(item), relation);
		return;
	}
}

static note_fn *const notes[] = {
	note_tenant_locks, note_opaque,       note_alone,   note_data,  note_destructive,
	note_setting,      note_reads_shared, note_missing, note_locks,
};

void judge_notes(const struct judge *judge, const struct judge_case *item,
		 struct judge_verdict *out)
{
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
		notes[i](judge, item, out);
}
