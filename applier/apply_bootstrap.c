/*
 * `pgdocket-apply bootstrap`: makes the ledger and grants what the applier and the planner need of
 * it, in one transaction; or prints that SQL for someone else to run. Nothing that is there already
 * is changed.
 */
#include "applier.h"

#include <string.h>

#include "quote.h"
#include "sql.h"

#define SCRIPT_MAX (1u << 20)
#define ANSWER_MS 60000

static const struct option bootstrap_table[] = {
	{ "role", 0, OPTION_LIST, offsetof(struct apply_options, roles), "ROLE",
		"grant what the applier's role needs", 0, 0 },
	{ "reader", 0, OPTION_LIST, offsetof(struct apply_options, readers), "ROLE",
		"grant what the planner's role needs: reading", 0, 0 },
	{ "print", 0, OPTION_FLAG, offsetof(struct apply_options, print), NULL,
		"print the SQL instead; connects to nothing", 0, 0 },
	CLI_CONNECTION_OPTIONS(struct apply_options),
	CLI_COMMON_OPTIONS(struct apply_options),
	{ 0 },
};

static const struct option_command bootstrap_command = { "bootstrap", "",
	"makes the ledger in the target: schema pgdocket", bootstrap_table, 0, 0,
	"Connect as a role that may create roles and schemas in that database.\n"
	"Without --role the applier's role has no rights on the ledger, unless it is a superuser.\n" };

/* What the planner's role needs: reading; or the applier's: writing too. */
static int add_grants(
	struct buf *out, const struct option_list *roles, bool writing, struct err *err)
{
	struct buf name = BUF_INIT(1024);
	int rc = 0;
	for (size_t i = 0; i < roles->count && !rc; i++) {
		buf_clear(&name);
		if ((rc = quote_identifier(&name, roles->items[i], err)))
			err_context(err, "role");
		buf_add_format(out,
			"GRANT USAGE ON SCHEMA pgdocket TO %s;\nGRANT SELECT%s ON pgdocket.plan, "
			"pgdocket.applied, pgdocket.finished, pgdocket.intent TO %s;\n",
			buf_text(&name), writing ? ", INSERT" : "", buf_text(&name));
		if (writing)
			buf_add_format(
				out, "GRANT UPDATE (status, done) ON pgdocket.plan TO %s;\n", buf_text(&name));
	}
	buf_release(&name);
	return rc;
}

static int build(const struct apply_options *options, struct buf *out, struct err *err)
{
	buf_add_text(out, "BEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\n");
	buf_add_text(out, sql_ledger_make);
	if (add_grants(out, &options->roles, true, err) ||
		add_grants(out, &options->readers, false, err))
		return -1;
	buf_add_text(out, sql_ledger_make_end);
	buf_add_text(out, "COMMIT;\n");
	return buf_check(out, err);
}

static int make(struct run *run, const struct buf *script, struct err *err)
{
	struct rows *before = NULL;
	struct buf said = BUF_INIT(4096);
	if (prepare_control(run, "pgdocket-apply bootstrap", err) ||
		ask_rows(run->control, sql_ledger_there, &before, err, ""))
		return -1;
	bool there = rows_bool(before, 0, 0);
	rows_free(before);
	if (session_script(run->control, buf_text(script), ANSWER_MS, err)) {
		if (strcmp(err->sqlstate, "42501") == 0)
			err_hint(err,
				"connect as a role that may create roles and schemas here, "
				"or give the SQL of --print to one");
		return err_context(err, "the ledger was not made");
	}
	if (run->options.common.json)
		buf_add_format(&said, "{\"event\":\"bootstrap\",\"made\":%s}\n", there ? "false" : "true");
	else if (!run->options.common.quiet)
		buf_add_text(&said,
			there ? "the ledger was there already, in schema pgdocket; roles have their grants\n"
				  : "the ledger is made, in schema pgdocket\n");
	int rc = cli_print(run->cli, &said, err);
	buf_release(&said);
	return rc;
}

static int bootstrap(struct run *run, struct err *err)
{
	struct buf script = BUF_INIT(SCRIPT_MAX);
	int rc = build(&run->options, &script, err);
	if (!rc)
		rc = run->options.print ? cli_print(run->cli, &script, err) : make(run, &script, err);
	buf_release(&script);
	return rc;
}

int apply_bootstrap(struct cli *cli, int argc, char **argv)
{
	return apply_command(cli, argc, argv, &bootstrap_command, bootstrap);
}
