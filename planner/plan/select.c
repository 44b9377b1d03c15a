/*
 * Which schemas of the snapshot a plan is for, grouped into what is planned once. Every schema that
 * is not planned is left out with a reason; nothing is dropped silently.
 */
#include "making.h"

#include <string.h>
#include "buf.h"
#include "text.h"

int select_leave_out(struct making *making, const char *name, const char *why, struct err *err)
{
	if (GROW(making->arena, making->left_out, making->left_outs, making->left_out_room, err))
		return -1;
	making->left_out[making->left_outs].name = name;
	making->left_out[making->left_outs++].why = why;
	return 0;
}

static bool fits(const struct conf_list *globs, const char *name)
{
	for (size_t i = 0; i < globs->count; i++)
		if (text_glob(globs->items[i], name))
			return true;
	return false;
}

/* Why a schema is not planned, or NULL. */
static const char *reason(const struct making *making, const struct classes_schema *schema)
{
	const struct plan_request *request = making->request;
	bool shared = schema->scope == SCOPE_SHARED;

	if (schema->scope == SCOPE_ORPHAN || (!shared && !schema->listed))
		return "has a history table, but is not listed as a tenant";
	if (request->scope == SQL_SCOPE_TENANT && shared)
		return "not selected: --scope tenant";
	if (request->scope == SQL_SCOPE_SHARED && !shared)
		return "not selected: --scope shared";
	if (!shared && !schema->active)
		return "inactive";
	if (request->schemas.count && !fits(&request->schemas, schema->name))
		return "not selected by --schema";
	if (fits(&request->excludes, schema->name))
		return "left out by --exclude";
	if (schema->class_index < 0 && (shared || !making->conf->create))
		return "listed, but there is no such schema (create = no)";
	return NULL;
}

static struct planned *slot_for(struct making *making, int *slots, int class_index, struct err *err)
{
	size_t index = class_index < 0 ? making->set->classes : (size_t)class_index;

	(void)err;
	return slots[index] < 0 ? NULL : &making->planned[slots[index]];
}

static int add_schema(struct making *making, struct planned *planned, int schema, struct err *err)
{
	if (GROW(making->arena, planned->schema, planned->schemas, planned->room, err))
		return -1;
	planned->schema[planned->schemas++] = schema;
	making->plan->selected_schemas++;
	return 0;
}

static int check_globs(const struct making *making, const struct conf_list *globs,
		       const char *option, struct err *err)
{
	for (size_t g = 0; g < globs->count; g++) {
		bool found = false;

		for (size_t i = 0; !found && i < making->set->schemas; i++)
			found = text_glob(globs->items[g], making->set->schema[i].name);
		if (found)
			continue;
		err_set(err, ERR_USAGE, "%s %s: no schema of the snapshot has such a name", option,
			globs->items[g]);
		return err_hint(
			err,
			"`pgdocket status FILE` lists them; in a pattern only * and ? are special");
	}
	return 0;
}

/*
 * One slot per class that has a selected schema, in the set's order, and one behind them for
 * schemas to be made.
 */
static int make_slots(struct making *making, int *slots, struct err *err)
{
	const struct class_set *set = making->set;
	bool *used = arena_array(making->arena, set->classes + 1, sizeof *used, err);

	if (!used)
		return -1;
	for (size_t i = 0; i < set->schemas; i++)
		if (!reason(making, &set->schema[i]))
			used[set->schema[i].class_index < 0 ? set->classes
							    : (size_t)set->schema[i].class_index] =
				true;
	for (size_t i = 0; i <= set->classes; i++) {
		slots[i] = -1;
		if (!used[i])
			continue;
		if (GROW(making->arena, making->planned, making->planneds, making->planned_room,
			 err))
			return -1;
		slots[i] = (int)making->planneds++;
		making->planned[slots[i]].class = i < set->classes ? &set->class[i] : NULL;
		making->planned[slots[i]].shared =
			i < set->classes && set->class[i].scope == SCOPE_SHARED;
	}
	return 0;
}

static void add_globs(struct buf *out, const char *option, const struct conf_list *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		buf_add_format(out, "%s%s %s", out->len ? " " : "", option, globs->items[i]);
}

/* Each glob names something, and together they name nothing: a slip, not an empty plan. */
static int check_any(const struct making *making, struct err *err)
{
	const struct plan_request *request = making->request;
	struct buf globs = BUF_INIT(900);

	if (making->planneds || (!request->schemas.count && !request->excludes.count))
		return 0;
	add_globs(&globs, "--schema", &request->schemas);
	add_globs(&globs, "--exclude", &request->excludes);
	err_set(err, ERR_USAGE, "no schema is left to plan with %s", buf_text(&globs));
	buf_release(&globs);
	return err_hint(err, "`pgdocket status FILE` lists the schemas; inactive ones and those "
			     "that are not listed are never planned");
}

int select_schemas(struct making *making, struct err *err)
{
	const struct class_set *set = making->set;
	int *slots = arena_array(making->arena, set->classes + 1, sizeof *slots, err);

	if (!slots || check_globs(making, &making->request->schemas, "--schema", err) ||
	    check_globs(making, &making->request->excludes, "--exclude", err) ||
	    make_slots(making, slots, err) || check_any(making, err))
		return -1;
	for (size_t i = 0; i < set->schemas; i++) {
		const char *why = reason(making, &set->schema[i]);
		struct planned *planned = slot_for(making, slots, set->schema[i].class_index, err);

		if (why ? select_leave_out(making, set->schema[i].name, why, err)
			: add_schema(making, planned, (int)i, err))
			return -1;
	}
	return 0;
}
