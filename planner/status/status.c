/*
 * What both forms of a status ask of the classes: strays, marks, differences, the facts' problems.
 * Writes nothing.
 */
#include <string.h>
#include "sql.h"
#include "status_private.h"

const struct conf_list *status_foreign(const struct status *status, enum classes_scope scope)
{
	return scope == SCOPE_SHARED ? &status->project->conf->tenants_only
				     : &status->project->conf->shared_only;
}

int status_next_stray(const struct status *status, const struct classes_class *class, int from)
{
	const struct conf_list *foreign = status_foreign(status, class->scope);

	for (size_t i = (size_t)from; i < foreign->count; i++)
		if (shape_find(class->shape->shape, NULL, foreign->items[i]))
			return (int)i;
	return -1;
}

const char *status_newest(const struct status *status, const struct classes_class *class)
{
	const struct source *source = &status->project->source;

	for (size_t i = source->migrations; i > 0; i--)
		if (class->state.applied[i - 1])
			return source->migration[i - 1].version;
	return "-";
}

bool status_differs(const struct status *status)
{
	for (size_t i = 0; i < status->set->classes; i++) {
		const struct classes_class *class = &status->set->class[i];
		if (class->scope != SCOPE_ORPHAN && (class->pending_count || class->drift))
			return true;
	}
	return false;
}

int status_problems(const struct status *status, status_problem_visitor *visit, void *context,
		    struct err *err)
{
	struct db_query *query = NULL;
	bool row = true;
	int rc = db_prepare(status->bundle, sql_status_problems, &query, err);

	if (rc == 0)
		db_bind_text_len(query, 1, status->set->facts, status->set->facts_len);
	while (rc == 0 && (rc = db_step(query, &row, err)) == 0 && row) {
		const char *text[3];
		for (int i = 0; rc == 0 && i < 3; i++)
			rc = db_get_text_or_null(query, i, &text[i], err);
		if (rc == 0)
			rc = visit(context, text[0] ? text[0] : "", text[1] ? text[1] : "",
				   text[2] ? text[2] : "", err);
	}
	db_finish(query);
	return rc;
}

int status_find(const struct status *status, const char *name, const struct classes_schema **schema,
		const struct classes_class **class, struct err *err)
{
	int found = classes_find(status->set, name);

	if (found < 0) {
		err_set(err, ERR_USAGE, "the snapshot has no schema %s", name);
		return err_hint(err, "pgdocket status -v lists them all");
	}
	*schema = &status->set->schema[found];
	*class = (*schema)->class_index < 0 ? NULL : &status->set->class[(*schema)->class_index];
	return 0;
}

enum status_mark status_mark(const struct status *status, const struct classes_class *class,
			     size_t migration)
{
	const struct source *source = &status->project->source;

	if (class->state.dirty && class->state.dirty_version &&
	    strcmp(class->state.dirty_version, source->migration[migration].version) == 0)
		return MARK_DIRTY;
	if (class->state.applied[migration])
		return MARK_APPLIED;
	if (!classes_migration_is_for(status->set, migration, class->scope))
		return MARK_OTHER_SCOPE;
	for (size_t i = migration + 1; i < source->migrations; i++)
		if (class->state.applied[i])
			return MARK_OUT_OF_ORDER;
	return MARK_PENDING;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct shape_object *a, const struct shape_object *b)
{
	return strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 &&
	       same_text(a->table, b->table);
}

/*
 * The object of the same kind, name and table; of several (overloaded functions) one with the same
 * detail, if there is one.
 */
static const struct shape_object *peer(const struct shape *shape, const struct shape_object *object)
{
	const struct shape_object *found = NULL;

	for (size_t i = 0; i < shape->objects; i++) {
		if (!same_place(&shape->object[i], object))
			continue;
		found = &shape->object[i];
		if (same_text(found->detail, object->detail))
			break;
	}
	return found;
}

size_t status_compare(const struct shape *shape, const struct shape *usual,
		      struct status_difference *out, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < shape->objects; i++) {
		const struct shape_object *other = peer(usual, &shape->object[i]);
		if (other && same_text(other->detail, shape->object[i].detail))
			continue;
		if (count < room)
			out[count] = (struct status_difference){ other ? CHANGE_OTHER : CHANGE_MORE,
								 &shape->object[i] };
		count++;
	}
	for (size_t i = 0; i < usual->objects; i++) {
		if (peer(shape, &usual->object[i]))
			continue;
		if (count < room)
			out[count] = (struct status_difference){ CHANGE_LESS, &usual->object[i] };
		count++;
	}
	return count;
}
