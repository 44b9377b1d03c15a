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

static int add_grants(struct buf *out, const char *role, const char *const *grants, struct err *err)
{
	struct buf name = BUF_INIT(1024);
	int rc = quote_identifier(&name, role, err);
	if (rc)
		err_context(err, "role");
	for (size_t i = 0; grants[i] && !rc; i++)
		buf_add_format(out, "%s TO %s;\n", grants[i], buf_text(&name));
	buf_release(&name);
	return rc;
}

static void add_statement(struct buf *out, const char *sql)
{
	size_t len = strlen(sql);
	while (len && (sql[len - 1] == '\n' || sql[len - 1] == ' '))
		len--;
	buf_add(out, sql, len);
	buf_add_text(out, ";\n");
}

static int build(const struct apply_options *options, struct buf *out, struct err *err)
{
	static const char *const applier[] = {
		"GRANT USAGE ON SCHEMA pgdocket",
		"GRANT SELECT, INSERT ON pgdocket.plan, pgdocket.applied, pgdocket.finished, "
		"pgdocket.intent",
		"GRANT UPDATE (status, done) ON pgdocket.plan",
		NULL,
	};
	static const char *const reader[] = {
		"GRANT USAGE ON SCHEMA pgdocket",
		"GRANT SELECT ON pgdocket.plan, pgdocket.applied, pgdocket.finished, pgdocket.intent",
		NULL,
	};
	const char *const as_owner[] = { sql_ledger_make_plan, sql_ledger_make_applied,
		sql_ledger_make_finished, sql_ledger_make_intent, sql_ledger_make_mutual };
	buf_add_text(out, "BEGIN;\nSET LOCAL search_path = pg_catalog, pg_temp;\n");
	add_statement(out, sql_ledger_make_owner);
	add_statement(out, sql_ledger_make_schema);
	buf_add_text(out, "SET LOCAL ROLE pgdocket_owner;\n");
	for (size_t i = 0; i < sizeof as_owner / sizeof as_owner[0]; i++)
		add_statement(out, as_owner[i]);
	for (size_t i = 0; i < options->roles.count; i++)
		if (add_grants(out, options->roles.items[i], applier, err))
			return -1;
	for (size_t i = 0; i < options->readers.count; i++)
		if (add_grants(out, options->readers.items[i], reader, err))
			return -1;
	buf_add_text(out, "RESET ROLE;\n");
	add_statement(out, sql_ledger_make_end);
	buf_add_text(out, "COMMIT;\n");
	return buf_check(out, err);
}

static int make(struct run *run, const struct buf *script, struct err *err)
{
	struct rows *before = NULL;
	struct buf said = BUF_INIT(4096);
	int rc = -1;
	if (prepare_control(run, "pgdocket-apply bootstrap", err) ||
		ask_rows(run->control, sql_ledger_there, &before, err, ""))
		goto out;
	bool there = rows_bool(before, 0, 0);
	if (session_script(run->control, buf_text(script), ANSWER_MS, err)) {
		if (strcmp(err->sqlstate, "42501") == 0)
			err_hint(err,
				"connect as a role that may create roles and schemas here, "
				"or give the SQL of --print to one");
		err_context(err, "the ledger was not made");
		goto out;
	}
	if (run->options.common.json)
		buf_add_format(&said, "{\"event\":\"bootstrap\",\"made\":%s}\n", there ? "false" : "true");
	else if (!run->options.common.quiet)
		buf_add_text(&said,
			there ? "the ledger was there already, in schema pgdocket; roles have their grants\n"
				  : "the ledger is made, in schema pgdocket\n");
	rc = cli_print(run->cli, &said, err);
out:
	rows_free(before);
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
