/*
 * What each class has to do: the migrations of its scope that its state lacks, in order, or those
 * to be reverted, newest first. States that nobody can plan from (dirty, unknown by policy) are
 * problems of their class.
 */
#include "making.h"

#include <string.h>

static int say(struct making *making, int planned, bool problem, const char *rule,
	       const char *message, const char *hint, enum doc_severity severity, struct err *err)
{
	struct planned *of = &making->planned[planned];
	struct remark remark = {
		.rule = rule, .message = message, .hint = hint, .severity = severity
	};

	if (!message)
		return -1;
	if (conf_list_has(&making->conf->accept, rule))
		remark.accepted = "accepted in pgdocket.conf";
	return remarks_add(problem ? &of->problems : &of->findings, making->arena, &remark, planned,
			   err);
}

static int check_state(struct making *making, int planned, struct err *err)
{
	const struct history_state *state = &making->planned[planned].class->state;
	const char *message;

	if (state->dirty) {
		message = arena_format(
			making->arena, err,
			"the history table says that migration %s failed half-way (dirty)",
			state->dirty_version ? state->dirty_version : "?");
		if (say(making, planned, true, "dirty", message,
			"look at the schema, mend it, take the mark away with the tool that left "
			"it (migrate force), then snapshot again",
			DOC_DANGER, err))
			return -1;
	}
	for (size_t i = 0; i < state->unknowns && making->conf->unknown != CONF_ALLOW; i++) {
		message = arena_format(making->arena, err,
				       "migration %s is recorded, but not in %s", state->unknown[i],
				       making->conf->dir ? making->conf->dir : "the bundle");
		if (say(making, planned, making->conf->unknown == CONF_ERROR, "unknown", message,
			"add the missing file to the migrations folder, or set unknown = allow "
			"under [migrations]",
			DOC_WARNING, err))
			return -1;
	}
	return 0;
}

static int prepare(struct making *making, struct planned *planned, struct err *err)
{
	size_t count = making->source->migrations;

	planned->applied = arena_array(making->arena, count, sizeof *planned->applied, err);
	planned->after = arena_array(making->arena, count, sizeof *planned->after, err);
	planned->todo = arena_array(making->arena, count, sizeof *planned->todo, err);
	if (!planned->applied || !planned->after || !planned->todo)
		return -1;
	if (planned->class) {
		memcpy(planned->applied, planned->class->state.applied,
		       count * sizeof *planned->applied);
		planned->adapter = planned->class->state.adapter;
	}
	memcpy(planned->after, planned->applied, count * sizeof *planned->after);
	if (!planned->adapter)
		planned->adapter = strcmp(making->conf->history, "auto")
					   ? history_find(making->conf->history)
					   : history_of_layout(making->source->layout);
	if (planned->adapter)
		return 0;
	err_set(err, ERR_CONFIG, "no history table is known for the layout %s",
		making->source->layout);
	return err_hint(err, "set history under [migrations]");
}

/* As the layout compares versions: to golang-migrate 000004 is 4. */
static int find_number(const struct source *source, const char *version)
{
	for (size_t i = 0; i < source->migrations; i++)
		if (*version && !version[strspn(version, "0123456789")] &&
		    source_compare_versions(source->layout, source->migration[i].version,
					    version) == 0)
			return (int)i;
	return source_find(source, version);
}

static int find_version(const struct making *making, const char *option, const char *version,
			struct err *err)
{
	int found = find_number(making->source, version);

	if (found >= 0)
		return found;
	err_set(err, ERR_USAGE, "%s %s: there is no migration of this version", option, version);
	return err_hint(
		err,
		"give the version as the history table records it: the file name's leading digits");
}

static int newest(const bool *set, size_t count)
{
	while (count > 0 && !set[count - 1])
		count--;
	return (int)count - 1;
}

static int find_forward(struct making *making, int index, int last, struct err *err)
{
	struct planned *planned = &making->planned[index];
	int newest_applied = newest(planned->applied, making->source->migrations);
	const char *message;

	for (int i = 0; i <= last; i++) {
		enum sql_scope scope;

		if (planned->applied[i])
			continue;
		if (parsed_scope(making, i, &scope, err))
			return -1;
		if (scope == (planned->shared ? SQL_SCOPE_TENANT : SQL_SCOPE_SHARED))
			continue;
		planned->todo[planned->todos++] = i;
		planned->after[i] = true;
		if (i > newest_applied || making->conf->out_of_order == CONF_ALLOW)
			continue;
		message = arena_format(making->arena, err,
				       "migration %s is older than %s, which is applied already",
				       making->source->migration[i].version,
				       making->source->migration[newest_applied].version);
		if (say(making, index, making->conf->out_of_order == CONF_ERROR, "out-of-order",
			message,
			"give the file a newer version, or set out_of_order = allow under "
			"[migrations]",
			DOC_WARNING, err))
			return -1;
	}
	for (int i = newest(planned->after, making->source->migrations);
	     planned->adapter->single_row && i >= 0; i--)
		planned->after[i] = planned->after[i] || planned->todos > 0;
	return 0;
}

static int find_backward(struct making *making, int index, const bool *reverted, struct err *err)
{
	struct planned *planned = &making->planned[index];
	const struct source_migration *migration = making->source->migration;

	for (int i = (int)making->source->migrations - 1; i >= 0; i--) {
		const char *message;

		if (!reverted[i] || !planned->applied[i])
			continue;
		planned->todo[planned->todos++] = i;
		planned->after[i] = false;
		if (migration[i].has_down)
			continue;
		message = arena_format(making->arena, err,
				       "migration %s (%s) has no down part and cannot be reverted",
				       migration[i].version, migration[i].name);
		if (say(making, index, true, "no-down", message,
			"write its down part, or revert less: --revert N, --revert-to VERSION",
			DOC_DANGER, err))
			return -1;
	}
	return 0;
}

/* Which migrations a reverting plan takes back, wherever they are. */
static int choose_reverted(struct making *making, bool *reverted, struct err *err)
{
	const struct plan_request *request = making->request;
	int count = (int)making->source->migrations, left = request->revert, keep = -1;

	if (request->revert_to && (find_number(making->source, request->revert_to) >= 0 ||
				   strcmp(request->revert_to, "none") != 0)) {
		keep = find_version(making, "--revert-to", request->revert_to, err);
		if (keep < 0)
			return -1;
	}
	for (int i = count - 1; i > keep && (request->revert_to || left > 0); i--) {
		bool anywhere = false;

		for (size_t p = 0; p < making->planneds; p++)
			anywhere = anywhere || making->planned[p].applied[i];
		reverted[i] = anywhere;
		left -= anywhere;
	}
	return 0;
}

int pending_find(struct making *making, struct err *err)
{
	int last = (int)making->source->migrations - 1;
	bool *reverted =
		arena_array(making->arena, making->source->migrations, sizeof *reverted, err);

	if (!reverted)
		return -1;
	if (making->request->to &&
	    (last = find_version(making, "--to", making->request->to, err)) < 0)
		return -1;
	for (size_t p = 0; p < making->planneds; p++)
		if (prepare(making, &making->planned[p], err) ||
		    (making->planned[p].class && check_state(making, (int)p, err)))
			return -1;
	if (making->revert && choose_reverted(making, reverted, err))
		return -1;
	for (size_t p = 0; p < making->planneds; p++)
		if (making->revert ? find_backward(making, (int)p, reverted, err)
				   : find_forward(making, (int)p, last, err))
			return -1;
	return 0;
}
