/*
 * What the snapshot itself has to say to a reviewer: drift, strays, orphans, tenants without
 * schema, history tables to be made. Findings, never errors: a drifted schema is a class of its own
 * and is planned.
 */
#include "making.h"

#include <string.h>
#include "buf.h"

static int add(struct making *making, const char *rule, enum doc_severity severity, int planned,
	       const char *hint, const char *message, struct err *err)
{
	struct remark remark = {
		.rule = rule, .severity = severity, .message = message, .hint = hint
	};

	if (!message)
		return -1;
	if (conf_list_has(&making->conf->accept, rule))
		remark.accepted = "accepted in pgdocket.conf";
	return remarks_add(planned < 0 ? &making->findings : &making->planned[planned].findings,
			   making->arena, &remark, planned, err);
}

static int strays(struct making *making, int index, const struct planned *planned, struct err *err)
{
	const struct shape *shape = planned->class->shape->shape;

	for (size_t i = 0; i < shape->objects; i++) {
		const struct shape_object *object = &shape->object[i];

		if ((strcmp(object->kind, "table") != 0 && strcmp(object->kind, "view") != 0) ||
		    !conf_list_has(&making->conf->shared_only, object->name))
			continue;
		if (add(making, "stray", DOC_WARNING, index,
			"its rows are left alone; statements on the table are filtered",
			arena_format(
				making->arena, err,
				"these schemas have a stray %s %s, which should exist in %s only",
				object->kind, object->name, making->conf->shared_schema),
			err))
			return -1;
	}
	return 0;
}

static int of_class(struct making *making, int index, struct err *err)
{
	const struct planned *planned = &making->planned[index];
	const struct classes_class *class = planned->class;

	if (!class)
		return add(making, "create-schema", DOC_WARNING, index, NULL,
			   "these schemas are listed and do not exist; the plan makes them", err);
	if (class->drift &&
	    add(making, "drift", DOC_WARNING, index,
		"`pgdocket status` shows them; they are planned as a class of their own",
		"their shape differs from that of most schemas in the same state", err))
		return -1;
	if (!class->state.adapter && planned->todos &&
	    add(making, "history-made", class->shape->shape->tables ? DOC_WARNING : DOC_INFO, index,
		class->shape->shape->tables ? "if its tables were made by these migrations, record "
					      "that with the migration tool first"
					    : NULL,
		class->shape->shape->tables ? "there is no history table although there are "
					      "tables: the plan makes one and runs every migration"
					    : "there is no history table yet: the plan makes one",
		err))
		return -1;
	if (class->shape->shape->unmodelled &&
	    add(making, "unmodelled", DOC_INFO, index, NULL,
		arena_format(making->arena, err,
			     "%zu objects are of kinds that a shape only counts",
			     class->shape->shape->unmodelled),
		err))
		return -1;
	return planned->shared ? 0 : strays(making, index, planned, err);
}

/* One finding for all schemas that a test picks: the first three by name, and how many. */
static int counted(struct making *making, const char *rule, enum doc_severity severity,
		   const char *what, const char *hint,
		   bool (*pick)(const struct making *making, const struct classes_schema *schema),
		   struct err *err)
{
	const struct class_set *set = making->set;
	const char *name[3] = { "", "", "" };
	size_t count = 0;

	for (size_t i = 0; i < set->schemas; i++) {
		if (!pick(making, &set->schema[i]))
			continue;
		if (count < 3)
			name[count] = set->schema[i].name;
		count++;
	}
	if (!count)
		return 0;
	return add(making, rule, severity, -1, hint,
		   arena_format(making->arena, err, "%s (%zu): %s%s%s%s%s%s", what, count, name[0],
				count > 1 ? ", " : "", name[1], count > 2 ? ", " : "", name[2],
				count > 3 ? " ..." : ""),
		   err);
}

static bool is_orphan(const struct making *making, const struct classes_schema *schema)
{
	(void)making;
	return schema->scope == SCOPE_ORPHAN;
}

static bool is_missing(const struct making *making, const struct classes_schema *schema)
{
	return schema->scope == SCOPE_TENANT && schema->listed && schema->active &&
	       schema->class_index < 0 && !making->conf->create;
}

static bool is_inactive(const struct making *making, const struct classes_schema *schema)
{
	(void)making;
	return schema->scope == SCOPE_TENANT && schema->listed && !schema->active;
}

static int facts(struct making *making, struct err *err)
{
	const struct plan_facts *facts = making->request->facts;

	for (size_t i = 0; facts && i < facts->problems; i++)
		if (strcmp(facts->problem[i].name, "orphan") != 0 &&
		    add(making, "snapshot", DOC_WARNING, -1,
			"mend the tenants list, then snapshot again", facts->problem[i].text, err))
			return -1;
	for (size_t i = 0; facts && i < facts->event_triggers; i++)
		if (add(making, "event-trigger", DOC_WARNING, -1,
			"it may do more than the plan says; look at what it does",
			arena_format(making->arena, err, "the event trigger %s reacts to DDL (%s)",
				     facts->event_trigger[i].name, facts->event_trigger[i].text),
			err))
			return -1;
	return 0;
}

/* A new table that runs on both sides, as nobody said whose it is. */
static bool is_both(const struct making *making, const struct sql_object *object)
{
	const char *name = object->name;

	return object->use == SQL_CREATE && object->kind == SQL_TABLE && !object->schema &&
	       !conf_list_has(&making->conf->shared_only, name) &&
	       !conf_list_has(&making->conf->tenants_only, name);
}

static int both_of_file(const struct making *making, const struct sql_file *file, struct buf *names)
{
	int count = 0;

	for (size_t i = 0; i < file->statements; i++) {
		const struct sql_statement *statement = &file->statement[i];
		enum sql_scope scope = statement->directives.scope != SQL_SCOPE_NONE
					       ? statement->directives.scope
					       : file->directives.scope;

		for (size_t o = 0; scope == SQL_SCOPE_NONE && o < statement->objects; o++)
			if (is_both(making, &statement->object[o])) {
				buf_add_format(names, "%s%s", names->len ? ", " : "",
					       statement->object[o].name);
				count++;
			}
	}
	return count;
}

static bool has_todo(const struct making *making, bool shared, int migration)
{
	for (size_t p = 0; p < making->planneds; p++)
		for (size_t t = 0; t < making->planned[p].todos; t++)
			if (making->planned[p].shared == shared &&
			    making->planned[p].todo[t] == migration)
				return true;
	return false;
}

static int both_sides(struct making *making, struct err *err)
{
	struct buf names = BUF_INIT(64u << 10);
	int count = 0, result = 0;

	for (size_t i = 0; !making->revert && i < making->source->migrations; i++) {
		const struct sql_file *file = making->up[i].parsed;

		if (file && has_todo(making, true, (int)i) && has_todo(making, false, (int)i))
			count += both_of_file(making, file, &names);
	}
	if (count)
		result = buf_check(&names, err) ||
			 add(making, "both-sides", DOC_INFO, -1,
			     "list those that belong to one side under [shared] only or [tenants] only, "
			     "or say -- pgdocket: scope=all above them",
			     arena_format(making->arena, err,
					  "made in %s and in every tenant, as neither [shared] only "
					  "nor [tenants] only names them: %s",
					  making->conf->shared_schema, buf_text(&names)),
			     err);
	buf_release(&names);
	return result ? -1 : 0;
}

int snapshot_remarks(struct making *making, struct err *err)
{
	for (size_t i = 0; i < making->planneds; i++)
		if (making->planned[i].todos && of_class(making, (int)i, err))
			return -1;
	if (counted(making, "orphan", DOC_WARNING,
		    "schemas with a history table that are not listed as tenants",
		    "list them, or drop them; the plan leaves them alone", is_orphan, err) ||
	    counted(making, "no-schema", DOC_WARNING, "listed tenants without a schema",
		    "set create = yes under [tenants] to have them made", is_missing, err) ||
	    counted(making, "inactive", DOC_INFO, "inactive tenants, left out", NULL, is_inactive,
		    err) ||
	    both_sides(making, err))
		return -1;
	return facts(making, err);
}
