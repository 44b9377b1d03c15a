/*
 * pgdocket status: what a bundle's snapshot says of the fleet; with -d, of a database as it is
 * now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "status.h"
#include "taking.h"

#define OUTPUT_MAX (256u << 20)

struct status_command {
	struct cli_common common;
	struct cli_connection connection;
	const char *config, *schema;
	bool exit_code;
	int jobs;
};
#define AT(field) offsetof(struct status_command, field)
static const struct option table[] = {
	{ "schema", 's', OPTION_TEXT, AT(schema), "NAME", "this schema's migrations one by one", 0,
	  0 },
	{ "exit-code", 0, OPTION_FLAG, AT(exit_code), NULL,
	  "exit 5 when something is pending or drifts", 0, 0 },
	{ "config", 'c', OPTION_TEXT, AT(config), "FILE",
	  "configuration (default: ./pgdocket.conf, else the bundle's)", 0, 0 },
	{ "jobs", 'j', OPTION_COUNT, AT(jobs), "N",
	  "with -d: connections that read at once (default: 4)", 1, 32 },
	CLI_CONNECTION_OPTIONS(struct status_command),
	CLI_COMMON_OPTIONS(struct status_command),
	{ 0 }
};
static const struct option_command command = {
	"status",
	"FILE",
	"Shows what is applied, pending and unlike in every schema of a snapshot.",
	table,
	0,
	1,
	"-d instead of FILE takes a snapshot on the fly. -v lists every schema.\n"
	"Marks of --schema: [x] applied, [ ] pending, [!] unknown or dirty, [-] for the other "
	"scope.",
};

/* The bundle that is looked at, and what belongs to it. */
struct view {
	struct bundle *bundle;
	struct project project;
	struct class_set *set;
	char folder[64], file[96]; /* of a snapshot on the fly; empty: none */
};

static int check_arguments(const struct status_command *values, const char *file, struct err *err)
{
	if (!file == !values->connection.dbname) {
		err_set(err, ERR_USAGE,
			file ? "a bundle and a database were named"
			     : "neither a bundle nor a database was named");
		return err_hint(err, "pgdocket status FILE, or pgdocket status -d CONNECTION");
	}
	return 0;
}

/* A snapshot in a file that nobody else sees and that is gone afterwards. */
static int take_on_the_fly(struct cli *cli, const struct status_command *values, struct view *view,
			   struct err *err)
{
	struct snapshot_result result = { 0 };
	struct taking taking = { cli, &values->common, &values->connection, &view->project,
				 values->jobs };
	struct bundle_edit *edit = NULL;
	int rc = -1;

	snprintf(view->folder, sizeof view->folder, "/tmp/pgdocket.XXXXXX");
	if (!mkdtemp(view->folder)) {
		view->folder[0] = '\0';
		return err_set_errno(err, ERR_IO, "cannot make a folder in /tmp");
	}
	snprintf(view->file, sizeof view->file, "%s/status.docket", view->folder);
	if (project_open(values->config, NULL, &view->project, err) ||
	    bundle_edit(view->file, NULL, false, &edit, err) ||
	    taking_snapshot(&taking, bundle_edit_db(edit), &result, err))
		goto out;
	rc = bundle_edit_commit(edit, err);
	edit = NULL;
	if (rc == 0)
		rc = bundle_open(view->file, &view->bundle, err);
out:
	bundle_edit_abort(edit);
	snapshot_release(&result);
	return rc;
}

static int open_view(struct cli *cli, const struct status_command *values, const char *file,
		     struct view *view, struct err *err)
{
	if (!file) {
		if (take_on_the_fly(cli, values, view, err))
			return -1;
	} else if (bundle_open(file, &view->bundle, err) ||
		   project_open(values->config, bundle_db(view->bundle), &view->project, err)) {
		return -1;
	}
	return classes_read(bundle_db(view->bundle), &view->project.source, &view->set, err);
}

static void close_view(struct view *view)
{
	classes_free(view->set);
	project_close(&view->project);
	bundle_close(view->bundle);
	if (view->file[0])
		unlink(view->file);
	if (view->folder[0])
		rmdir(view->folder);
}

static int print(struct cli *cli, const struct status_command *values, const struct status *status,
		 struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	int rc;

	if (values->schema)
		rc = values->common.json ? status_schema_json(status, values->schema, &out, err)
					 : status_schema_text(status, values->schema, &out, err);
	else
		rc = values->common.json ? status_json(status, &out, err)
					 : status_text(status, &out, err);
	if (rc == 0)
		rc = cli_print(cli, &out, err);
	buf_release(&out);
	return rc;
}

int command_status(struct cli *cli, int argc, char **argv)
{
	struct status_command values = { .jobs = 4 };
	struct view view = { 0 };
	struct status status = { 0 };
	struct err err = ERR_INIT;
	const char *file = NULL;
	bool done;
	int code = 0;

	if (cli_options(cli, &command, argc, argv, &values, &file, &done, &err))
		return cli_fail(cli, &err);
	if (done)
		return 0;
	if (check_arguments(&values, file, &err) || open_view(cli, &values, file, &view, &err)) {
		code = cli_fail(cli, &err);
		goto out;
	}
	status.set = view.set;
	status.project = &view.project;
	status.bundle = bundle_db(view.bundle);
	status.name = file;
	status.color = cli_color(cli, &values.common);
	status.verbose = values.common.verbose;
	if (print(cli, &values, &status, &err))
		code = cli_fail(cli, &err);
	else if (values.exit_code && status_differs(&status))
		code = 5;
out:
	close_view(&view);
	return code;
}
