/*
 * Where a plan's configuration and migrations come from: the working folder, or the bundle itself.
 * They must belong to the bundle's target; planning for one environment with another's
 * configuration is refused here.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "object.h"
#include "sql.h"

#define INPUTS_ARENA_MAX (1024u << 20)
#define DEFAULT_CONF "pgdocket.conf"

static int read_target(struct db *db, struct arena *arena, const char **label,
		       struct digest *configuration, struct err *err)
{
	struct db_query *query = NULL;
	const char *text;
	const void *bytes;
	size_t len;
	bool row = false;
	int result = -1;

	if (db_prepare(db, sql_plan_target, &query, err) || db_step(query, &row, err))
		goto out;
	if (!row) {
		err_set(err, ERR_FORMAT, "the bundle holds no snapshot");
		err_hint(err, "make it with `pgdocket snapshot -o FILE`");
		goto out;
	}
	if (db_get_text(query, 0, &text, &len, err) || db_get_blob(query, 1, &bytes, &len, err))
		goto out;
	if (len != sizeof configuration->bytes) {
		err_set(err, ERR_FORMAT, "the bundle's target names no configuration");
		goto out;
	}
	memcpy(configuration->bytes, bytes, len);
	*label = arena_text(arena, text, err);
	result = *label ? 0 : -1;
out:
	db_finish(query);
	return result;
}

static int parse_carried(struct db *db, const struct digest *configuration, struct conf **out,
			 struct err *err)
{
	char *text = NULL;
	size_t len;
	int result = -1;

	if (object_get(db, configuration, "configuration", &text, &len, err) == 0)
		result = conf_parse("the bundle's pgdocket.conf", text, len, out, err);
	free(text);
	return result;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/*
 * Who is a tenant was settled by the snapshot; a configuration that says otherwise needs a new one.
 */
static int check_agreement(const struct conf *conf, const struct conf *carried, const char *label,
			   struct err *err)
{
	const char *what =
		!same(conf->shared_schema, carried->shared_schema)       ? "schema under [shared]"
		: !same(conf->tenants_query, carried->tenants_query)     ? "query under [tenants]"
		: !same(conf->tenants_pattern, carried->tenants_pattern) ? "pattern under [tenants]"
									 : NULL;

	if (strcmp(conf->label, label) != 0) {
		err_set(err, ERR_CONFIG, "%s is for %s, and the bundle is a snapshot of %s",
			conf->path, conf->label, label);
		return err_hint(
			err, "give the right configuration with --config, or take a snapshot of %s",
			conf->label);
	}
	if (!what)
		return 0;
	err_set(err, ERR_CONFIG, "%s: %s has changed since the snapshot was taken", conf->path,
		what);
	return err_hint(err, "take a new snapshot with `pgdocket snapshot -o FILE --force`");
}

static int load(struct db *db, const char *path, struct plan_inputs *out, struct err *err)
{
	struct conf *carried = NULL;
	struct digest configuration;
	const char *label;
	int result = -1;

	if (read_target(db, out->arena, &label, &configuration, err) ||
	    parse_carried(db, &configuration, &carried, err))
		goto out;
	if (path || access(DEFAULT_CONF, F_OK) == 0) {
		if (conf_load(path, &out->conf, err) ||
		    check_agreement(out->conf, carried, label, err) ||
		    source_load(out->arena, out->conf->dir, out->conf->layout, &out->source, err))
			goto out;
	} else {
		out->from_bundle = true;
		out->conf = carried;
		carried = NULL;
		if (source_restore(out->arena, db, out->conf->layout, &out->source, err))
			goto out;
	}
	result = classes_read(db, &out->source, &out->set, err);
out:
	conf_free(carried);
	return result;
}

int plan_inputs_load(struct db *bundle, const char *path, struct plan_inputs *out, struct err *err)
{
	memset(out, 0, sizeof *out);
	out->arena = arena_new(INPUTS_ARENA_MAX);
	if (!out->arena)
		return err_nomem(err);
	if (load(bundle, path, out, err) == 0)
		return 0;
	plan_inputs_release(out);
	return -1;
}

void plan_inputs_release(struct plan_inputs *inputs)
{
	classes_free(inputs->set);
	conf_free(inputs->conf);
	arena_free(inputs->arena);
	memset(inputs, 0, sizeof *inputs);
}
