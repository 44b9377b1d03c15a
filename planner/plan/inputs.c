/*
 * What a plan is made of: the project's configuration and migrations, the snapshot read against
 * them, the snapshot's facts. Planning for one environment with another's configuration, or with
 * one that changed who is a tenant, is refused here.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sql.h"

#define DEFAULT_CONF "pgdocket.conf"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* ./pgdocket.conf was passed over because it has another label: planning must not do that. */
static int check_label(const struct project *project, const char *config, struct err *err)
{
	struct conf *other = NULL;

	if (project->own_conf || config || access(DEFAULT_CONF, F_OK) != 0)
		return 0;
	if (conf_load(NULL, &other, err))
		return -1;
	err_set(err, ERR_CONFIG, "%s is for %s, and the bundle is a snapshot of %s", other->path,
		other->label, project->conf->label);
	err_hint(err, "give the right configuration with --config, or take a snapshot of %s",
		 other->label);
	conf_free(other);
	return -1;
}

/* Who is a tenant was settled by the snapshot; a configuration that says otherwise needs a new one.
 */
static int check_agreement(const struct conf *conf, const struct conf *carried, struct err *err)
{
	const char *what = NULL;

	if (!same(conf->shared_schema, carried->shared_schema))
		what = "schema under [shared]";
	else if (!same(conf->tenants_query, carried->tenants_query))
		what = "query under [tenants]";
	else if (!same(conf->tenants_pattern, carried->tenants_pattern))
		what = "pattern under [tenants]";
	if (!what)
		return 0;
	err_set(err, ERR_CONFIG, "%s: %s has changed since the snapshot was taken", conf->path,
		what);
	return err_hint(err, "take a new snapshot with `pgdocket snapshot -o FILE --force`");
}

static int compare_with_carried(struct db *bundle, const struct plan_inputs *inputs,
				struct err *err)
{
	struct conf *carried = NULL;
	char *text = NULL;
	size_t len;
	int result = -1;

	if (!inputs->project.own_conf)
		return 0;
	if (classes_configuration(bundle, inputs->set, &text, &len, err) ||
	    conf_parse("the bundle's configuration", text, len, &carried, err))
		goto out;
	result = check_agreement(inputs->project.conf, carried, err);
out:
	conf_free(carried);
	free(text);
	return result;
}

#define FACTS_MAX 1000

/* Up to FACTS_MAX rows of one or two texts; second NULL: one. */
static int read_list(struct db *bundle, const struct plan_inputs *inputs, const char *sql,
		     struct plan_fact **out, size_t *count, struct err *err)
{
	struct arena *arena = inputs->project.arena;
	struct plan_fact *list = arena_array(arena, FACTS_MAX, sizeof *list, err);
	struct db_query *query = NULL;
	bool row = list != NULL;
	int result = -1;

	if (!list || db_prepare(bundle, sql, &query, err))
		goto out;
	db_bind_text_len(query, 1, inputs->set->facts, inputs->set->facts_len);
	*count = 0;
	while (*count < FACTS_MAX) {
		const char *first, *second;

		if (db_step(query, &row, err))
			goto out;
		if (!row)
			break;
		if (db_get_text_or_null(query, 0, &first, err) ||
		    (sql != sql_plan_facts_tables && db_get_text_or_null(query, 1, &second, err)))
			goto out;
		list[*count].name = arena_text(arena, first ? first : "", err);
		list[*count].text = sql == sql_plan_facts_tables
					    ? ""
					    : arena_text(arena, second ? second : "", err);
		if (!list[*count].name || !list[*count].text)
			goto out;
		++*count;
	}
	*out = list;
	result = 0;
out:
	db_finish(query);
	return result;
}

static int read_facts(struct db *bundle, struct plan_inputs *inputs, struct err *err)
{
	struct plan_facts *facts = &inputs->facts;

	if (read_list(bundle, inputs, sql_plan_facts_tables, &facts->history_table,
		      &facts->history_tables, err) ||
	    read_list(bundle, inputs, sql_plan_facts_problems, &facts->problem, &facts->problems,
		      err) ||
	    read_list(bundle, inputs, sql_plan_facts_triggers, &facts->event_trigger,
		      &facts->event_triggers, err))
		return -1;
	return 0;
}

int plan_inputs_load(struct db *bundle, const char *config, struct plan_inputs *out,
		     struct err *err)
{
	memset(out, 0, sizeof *out);
	if (project_open(config, bundle, &out->project, err) ||
	    check_label(&out->project, config, err) ||
	    classes_read(bundle, &out->project.source, &out->set, err) ||
	    compare_with_carried(bundle, out, err) || read_facts(bundle, out, err))
		goto failed;
	if (out->project.source.layout)
		return 0;
	err_set(err, ERR_CONFIG, "there are no migrations to plan in %s",
		out->project.own_conf ? out->project.conf->dir : "the bundle");
	err_hint(err, "set dir under [migrations] in pgdocket.conf");
failed:
	plan_inputs_release(out);
	return -1;
}

void plan_inputs_release(struct plan_inputs *inputs)
{
	classes_free(inputs->set);
	project_close(&inputs->project);
	memset(inputs, 0, sizeof *inputs);
}
