/*
 * Finds a command's configuration and migrations: the folder's before the bundle's, if the two
 * belong together.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "digest.h"
#include "object.h"
#include "project.h"
#include "sql.h"

#define ARENA_MAX_BYTES ((size_t)512 << 20)
#define DEFAULT_CONF "pgdocket.conf"

/* What the bundle knows; all of it in the project's arena. */
struct carried {
	const char *label;
	struct digest configuration, facts;
};

static int copy_digest(struct db_query *query, int column, struct digest *out, struct err *err)
{
	const void *bytes;
	size_t len;

	if (db_get_blob(query, column, &bytes, &len, err))
		return -1;
	if (len != sizeof out->bytes)
		return err_set(err, ERR_FORMAT, "the snapshot holds a digest of %zu bytes", len);
	memcpy(out->bytes, bytes, len);
	return 0;
}

static int read_carried(struct arena *arena, struct db *bundle, struct carried *out,
			struct err *err)
{
	struct db_query *query = NULL;
	const char *label;
	size_t len;
	bool row;
	int rc = -1;

	if (db_prepare(bundle, sql_project_target, &query, err) || db_step(query, &row, err))
		goto out;
	if (!row) {
		err_set(err, ERR_FORMAT, "the bundle holds no snapshot");
		err_hint(err, "pgdocket snapshot makes one");
		goto out;
	}
	if (db_get_text(query, 0, &label, &len, err) ||
	    copy_digest(query, 1, &out->configuration, err) ||
	    copy_digest(query, 2, &out->facts, err))
		goto out;
	out->label = arena_text(arena, label, err);
	rc = out->label ? 0 : -1;
out:
	db_finish(query);
	return rc;
}

static int use_carried_conf(struct project *project, struct db *bundle,
			    const struct carried *carried, struct err *err)
{
	char *text = NULL;
	size_t len;
	int rc = -1;

	if (object_get(bundle, &carried->configuration, "configuration", &text, &len, err) == 0)
		rc = conf_parse("the bundle's configuration", text, len, &project->conf, err);
	free(text);
	return rc;
}

static int load_conf(struct project *project, const char *config, struct db *bundle,
		     const struct carried *carried, struct err *err)
{
	if (config || !bundle || access(DEFAULT_CONF, F_OK) == 0) {
		if (conf_load(config, &project->conf, err))
			return -1;
		project->own_conf = true;
		if (!bundle || strcmp(project->conf->label, carried->label) == 0)
			return 0;
		if (config) {
			err_set(err, ERR_CONFIG, "%s is for %s, the bundle for %s", config,
				project->conf->label, carried->label);
			return err_hint(err, "name the configuration of %s, or leave --config out",
					carried->label);
		}
		conf_free(project->conf);
		project->conf = NULL;
		project->own_conf = false;
	}
	return use_carried_conf(project, bundle, carried, err);
}

static int restore_migrations(struct project *project, struct db *bundle,
			      const struct carried *carried, struct err *err)
{
	struct db_query *query = NULL;
	const char *layout = NULL;
	char *facts = NULL;
	size_t len;
	bool row;
	int rc = -1;

	if (object_get(bundle, &carried->facts, "facts", &facts, &len, err) ||
	    db_prepare(bundle, sql_project_layout, &query, err))
		goto out;
	db_bind_text_len(query, 1, facts, len);
	if (db_step(query, &row, err) || (row && db_get_text_or_null(query, 0, &layout, err)))
		goto out;
	rc = layout ? source_restore(project->arena, bundle, layout, &project->source, err) : 0;
out:
	db_finish(query);
	free(facts);
	return rc;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A folder that is meant and missing is a slip: neither nothing nor older copies may stand in. */
static int check_folder(const struct conf *conf, struct err *err)
{
	if (is_folder(conf->dir))
		return 0;
	if (conf->dir_line) {
		err_set(err, ERR_CONFIG, "%s:%d: dir: there is no folder %s", conf->path,
			conf->dir_line, conf->dir);
		return err_hint(err, "name the migrations folder with dir under [migrations], "
				     "relative to the configuration's own folder");
	}
	err_set(err, ERR_CONFIG,
		"%s: there is no folder %s, and no dir under [migrations] names another",
		conf->path, conf->dir);
	return err_hint(err, "make the folder, or set dir = FOLDER under [migrations]");
}

int project_open(const char *config, struct db *bundle, struct project *out, struct err *err)
{
	struct carried carried = { 0 };

	memset(out, 0, sizeof *out);
	out->arena = arena_new(ARENA_MAX_BYTES);
	if (!out->arena)
		return err_nomem(err);
	if ((bundle && read_carried(out->arena, bundle, &carried, err)) ||
	    load_conf(out, config, bundle, &carried, err))
		return -1;
	if (!out->own_conf)
		return restore_migrations(out, bundle, &carried, err);
	if (check_folder(out->conf, err))
		return -1;
	return source_load(out->arena, out->conf->dir, out->conf->layout, &out->source, err);
}

void project_close(struct project *project)
{
	conf_free(project->conf);
	arena_free(project->arena);
	project->conf = NULL;
	project->arena = NULL;
}

const char *project_describe(const struct project *project, struct err *err)
{
	const char *conf = project->own_conf ? project->conf->path : "the bundle";

	if (!project->source.migrations)
		return arena_format(project->arena, err, "configuration from %s, no migrations",
				    conf);
	return arena_format(project->arena, err, "configuration and migrations from %s", conf);
}
