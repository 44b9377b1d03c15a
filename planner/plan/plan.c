/*
 * Planning from end to end: selection, pending migrations, a program per class, findings, the
 * document's graph. Programs are worked out for the shared schema first, because what tenants find
 * behind them depends on it.
 */
#include "making.h"

#include <string.h>

#define PLAN_ARENA_MAX (1024u << 20)

static int worlds(struct making *making, struct err *err)
{
	const struct class_set *set = making->set;
	const char *shared = making->conf->shared_schema;

	if (set->shared_shape) {
		making->shared_world = world_new(making->arena, shared, err);
		if (!making->shared_world ||
		    world_add_shape(making->shared_world, set->shared_shape->shape, shared, err))
			return -1;
	}
	for (size_t i = 0; !making->tenant_world && i < set->classes; i++) {
		if (set->class[i].scope != SCOPE_TENANT)
			continue;
		making->tenant_world = world_new(making->arena, NULL, err);
		if (!making->tenant_world ||
		    world_add_shape(making->tenant_world, set->class[i].shape->shape, shared, err))
			return -1;
	}
	if (owner_build(&making->shared_only, making->arena, &making->conf->shared_only,
			making->shared_world, err) ||
	    owner_build(&making->tenants_only, making->arena, &making->conf->tenants_only,
			making->tenant_world, err))
		return -1;
	return 0;
}

/* Ownership is known from every file, applied or not, in both directions. */
static int owners_from_files(struct making *making, struct err *err)
{
	for (size_t i = 0; i < making->source->migrations * 2; i++) {
		struct making_file *file;

		if (parsed_get(making, (int)(i / 2), i % 2 == 0, &file, err))
			return -1;
		if (file->parsed && (owner_add_file(&making->shared_only, file->parsed, err) ||
				     owner_add_file(&making->tenants_only, file->parsed, err)))
			return -1;
	}
	return 0;
}

static int world_of(struct making *making, struct planned *planned, struct err *err)
{
	const char *shared = making->conf->shared_schema;

	planned->world = world_new(making->arena, planned->shared ? shared : NULL, err);
	if (!planned->world)
		return -1;
	return planned->class ? world_add_shape(planned->world, planned->class->shape->shape,
						shared, err)
			      : 0;
}

static int first_three(struct making *making, const struct remark *remark, const char **out,
		       struct err *err)
{
	const char *name[3] = { "", "", "" };
	size_t count = 0;

	for (size_t c = 0; c < remark->classes; c++) {
		const struct planned *planned = &making->planned[remark->class[c]];

		for (size_t s = 0; s < planned->schemas; s++, count++)
			if (count < 3)
				name[count] = making->set->schema[planned->schema[s]].name;
	}
	*out = NULL;
	if (!count)
		return 0;
	*out = count > 3 ? arena_format(making->arena, err, "%s, %s, %s and %zu more", name[0],
					name[1], name[2], count - 3)
			 : arena_format(making->arena, err, "%s%s%s%s%s", name[0],
					count > 1 ? ", " : "", name[1], count > 2 ? ", " : "",
					name[2]);
	return *out ? 0 : -1;
}

/* With --skip-unfit: the class is left out, and the finding says why. */
static int skip(struct making *making, int index, struct err *err)
{
	struct planned *planned = &making->planned[index];
	const struct remark *first = &planned->problems.item[0];
	struct remark remark = { .rule = "skipped", .severity = DOC_WARNING, .hint = first->hint };
	const char *who;

	planned->unfit = true;
	if (first_three(making, first, &who, err))
		return -1;
	remark.message =
		arena_format(making->arena, err, "unfit schemas, left out (%zu): %s: %s%s%s",
			     planned->schemas, who ? who : "", first->file ? first->file : "",
			     first->file ? ": " : "", first->message);
	if (!remark.message || remarks_add(&making->findings, making->arena, &remark, -1, err))
		return -1;
	for (size_t i = 0; i < planned->schemas; i++)
		if (select_leave_out(making, making->set->schema[planned->schema[i]].name,
				     "unfit, skipped by --skip-unfit", err))
			return -1;
	return 0;
}

static int finish_class(struct making *making, int index, struct err *err)
{
	struct planned *planned = &making->planned[index];

	if (planned->problems.count && making->request->skip_unfit)
		return skip(making, index, err);
	if (planned->problems.count)
		return remarks_merge(&making->problems, making->arena, &planned->problems, err);
	if (planned->todos)
		return remarks_merge(&making->findings, making->arena, &planned->findings, err);
	for (size_t i = 0; i < planned->schemas; i++)
		if (select_leave_out(making, making->set->schema[planned->schema[i]].name,
				     making->revert ? "has nothing to revert" : "nothing pending",
				     err))
			return -1;
	return 0;
}

/*
 * With --skip-unfit and nothing but unfit classes to plan, their problems are what there is to say.
 */
static int only_unfit(struct making *making, struct err *err)
{
	for (size_t i = 0; i < making->planneds; i++)
		if (making->planned[i].todos && !making->planned[i].unfit)
			return 0;
	for (size_t i = 0; i < making->planneds; i++)
		if (making->planned[i].todos && remarks_merge(&making->problems, making->arena,
							      &making->planned[i].problems, err))
			return -1;
	return 0;
}

static int programs(struct making *making, struct err *err)
{
	for (size_t i = 0; i < making->planneds; i++) {
		struct planned *planned = &making->planned[i];

		if (planned->todos && !planned->problems.count &&
		    (world_of(making, planned, err) || program_make(making, (int)i, err)))
			return -1;
		if (planned->shared && planned->todos && !planned->problems.count &&
		    !making->revert)
			making->shared_world = planned->world;
	}
	if (snapshot_remarks(making, err))
		return -1;
	for (size_t i = 0; i < making->planneds; i++)
		if (finish_class(making, (int)i, err))
			return -1;
	return only_unfit(making, err);
}

static int report_problems(struct making *making, struct err *err)
{
	struct plan *plan = making->plan;

	for (size_t i = 0; i < making->problems.count; i++) {
		const struct remark *remark = &making->problems.item[i];
		struct plan_problem *problem;

		if (plan->problems == PLAN_PROBLEMS_MAX) {
			plan->problems_unsaid++;
			continue;
		}
		problem = &plan->problem[plan->problems++];
		problem->rule = remark->rule;
		problem->message = remark->message;
		problem->hint = remark->hint;
		problem->file = remark->file;
		problem->line = remark->line;
		if (first_three(making, remark, &problem->who, err))
			return -1;
	}
	return 0;
}

static int check_request(const struct plan_request *request, struct err *err)
{
	int ways = (request->to != NULL) + (request->revert > 0) + (request->revert_to != NULL);

	if (ways > 1) {
		err_set(err, ERR_USAGE, "--to, --revert and --revert-to exclude each other");
		return err_hint(err, "give one of them");
	}
	return 0;
}

static int make(struct making *making, struct err *err)
{
	if (check_request(making->request, err) || parsed_prepare(making, err) ||
	    select_schemas(making, err) || pending_find(making, err))
		return -1;
	for (size_t i = 0; i < making->planneds; i++)
		if (making->planned[i].todos)
			making->plan->pending_schemas += making->planned[i].schemas;
	if (making->plan->pending_schemas &&
	    (worlds(making, err) || owners_from_files(making, err)))
		return -1;
	if (programs(making, err) || report_problems(making, err))
		return -1;
	if (making->plan->problems || !making->plan->pending_schemas)
		return 0;
	if (assemble_document(making, err))
		return -1;
	making->plan->pending_schemas = making->plan->document->schemas;
	return 0;
}

int plan_make(const struct plan_request *request, struct plan **out, struct err *err)
{
	struct arena *arena = arena_new(PLAN_ARENA_MAX);
	struct making making = { .arena = arena,
				 .request = request,
				 .conf = request->conf,
				 .source = request->source,
				 .set = request->set,
				 .revert = request->revert > 0 || request->revert_to };

	if (!arena)
		return err_nomem(err);
	making.plan = arena_alloc(arena, sizeof *making.plan, err);
	if (!making.plan) {
		arena_free(arena);
		return -1;
	}
	making.plan->arena = arena;
	making.plan->request = request;
	if (make(&making, err)) {
		arena_free(arena);
		return -1;
	}
	*out = making.plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (plan)
		arena_free(plan->arena);
}
