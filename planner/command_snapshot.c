/* pgdocket snapshot: reads a target into a new bundle. */
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "taking.h"

struct snapshot_command {
	struct cli_common common;
	struct cli_connection connection;
	const char *output, *config;
	bool force;
	int jobs;
};
#define AT(field) offsetof(struct snapshot_command, field)
static const struct option table[] = {
	{ "output", 'o', OPTION_TEXT, AT(output), "FILE", "the bundle to write", 0, 0 },
	{ "force", 'f', OPTION_FLAG, AT(force), NULL, "overwrite FILE", 0, 0 },
	{ "config", 'c', OPTION_TEXT, AT(config), "FILE",
	  "configuration (default: ./pgdocket.conf)", 0, 0 },
	{ "jobs", 'j', OPTION_COUNT, AT(jobs), "N", "connections that read at once (default: 4)", 1,
	  32 },
	CLI_CONNECTION_OPTIONS(struct snapshot_command),
	CLI_COMMON_OPTIONS(struct snapshot_command),
	{ 0 }
};
static const struct option_command command = {
	"snapshot",
	"",
	"Reads every schema's migration state and shape, read-only, into a new bundle.",
	table,
	0,
	0,
	"It needs a role with USAGE on the schemas and SELECT on their history tables and on what "
	"the tenants query names.\n"
	"The project's migrations and its configuration go into the bundle too.",
};

/* Before connecting: nobody should wait for a snapshot that cannot be written. */
static int check_output(const struct snapshot_command *values, struct err *err)
{
	if (!values->output) {
		err_set(err, ERR_USAGE, "no file was named for the bundle");
		return err_hint(err, "-o release-42.docket");
	}
	if (!values->force && access(values->output, F_OK) == 0) {
		err_set(err, ERR_USAGE, "%s exists", values->output);
		return err_hint(err, "--force overwrites it");
	}
	return 0;
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

static int report(struct cli *cli, const struct snapshot_command *values,
		  const struct snapshot_result *result, struct err *err)
{
	struct buf out = BUF_INIT(8192);
	int rc;

	if (values->common.json) {
		buf_add_format(&out,
			       "{\"schemas\":%lld,\"tenants\":%lld,\"listed\":%lld,\"orphans\":%"
			       "lld,\"states\":%lld,"
			       "\"shapes\":%lld,\"problems\":%zu}\n",
			       (long long)result->schemas, (long long)result->tenants,
			       (long long)result->listed, (long long)result->orphans,
			       (long long)result->states, (long long)result->shapes,
			       result->problems);
	} else if (!values->common.quiet) {
		buf_add_format(&out,
			       "%s: %lld schema%s (%lld of %lld listed tenant%s) in %lld state%s "
			       "and %lld shape%s\n",
			       values->output, (long long)result->schemas, plural(result->schemas),
			       (long long)result->tenants, (long long)result->listed,
			       plural(result->listed), (long long)result->states,
			       plural(result->states), (long long)result->shapes,
			       plural(result->shapes));
		if (result->orphans)
			buf_add_format(&out,
				       "%lld of them %s not listed: a schema with a history table "
				       "of its own\n",
				       (long long)result->orphans,
				       result->orphans == 1 ? "is" : "are");
	}
	rc = cli_print(cli, &out, err);
	buf_release(&out);
	return rc;
}

static int take(struct cli *cli, const struct snapshot_command *values, struct err *err)
{
	struct bundle_edit *edit = NULL;
	struct project project = { 0 };
	struct snapshot_result result = { 0 };
	struct taking taking = { cli, &values->common, &values->connection, &project,
				 values->jobs };
	int rc = -1;

	if (check_output(values, err) || project_open(values->config, NULL, &project, err) ||
	    bundle_edit(values->output, NULL, values->force, &edit, err) ||
	    taking_snapshot(&taking, bundle_edit_db(edit), &result, err))
		goto out;
	rc = bundle_edit_commit(edit, err);
	edit = NULL;
	if (rc == 0)
		rc = report(cli, values, &result, err);
out:
	bundle_edit_abort(edit);
	snapshot_release(&result);
	project_close(&project);
	return rc;
}

int command_snapshot(struct cli *cli, int argc, char **argv)
{
	struct snapshot_command values = { .jobs = 4 };
	struct err err = ERR_INIT;
	bool done;

	if (cli_options(cli, &command, argc, argv, &values, NULL, &done, &err))
		return cli_fail(cli, &err);
	if (done)
		return 0;
	return take(cli, &values, &err) ? cli_fail(cli, &err) : 0;
}
