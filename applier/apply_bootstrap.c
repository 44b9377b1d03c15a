/*
 * `pgdocket-apply bootstrap`: makes the ledger and grants what the applier and the planner need of
 * it, in one transaction; or prints that SQL for someone else to run. Nothing that is there already
 * is changed.
 */
#include <string.h>

#include "apply_commands.h"
#include "connect.h"
#include "quote.h"
#include "sql.h"
#include "text.h"

struct bootstrap_options {
	struct cli_common common;
	struct cli_connection connection;
	struct option_list roles, readers;
	bool print;
};

#define SCRIPT_MAX (1u << 20)
#define ANSWER_MS 60000

static const struct option bootstrap_table[] = {
	{ "role", 0, OPTION_LIST, offsetof(struct bootstrap_options, roles), "ROLE",
		"grant what the applier's role needs", 0, 0 },
	{ "reader", 0, OPTION_LIST, offsetof(struct bootstrap_options, readers), "ROLE",
		"grant what the planner's role needs: reading", 0, 0 },
	{ "print", 0, OPTION_FLAG, offsetof(struct bootstrap_options, print), NULL,
		"print the SQL instead; connects to nothing", 0, 0 },
	CLI_CONNECTION_OPTIONS(struct bootstrap_options),
	CLI_COMMON_OPTIONS(struct bootstrap_options),
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

static int build(const struct bootstrap_options *options, struct buf *out, struct err *err)
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
		"GRANT SELECT ON pgdocket.plan, pgdocket.applied, pgdocket.finished, "
		"pgdocket.intent",
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

static int make(struct cli *cli, const struct bootstrap_options *options, const struct buf *script,
	struct err *err)
{
	struct connector connector = { 0 };
	struct session *session = NULL;
	struct rows *before = NULL;
	struct buf said = BUF_INIT(4096);
	int rc = -1;
	if (connect_prepare(cli, &options->connection, NULL, &connector, err) ||
		connect_open(&connector, "pgdocket-apply bootstrap", &session, err) ||
		session_rows(session, sql_ledger_access, 0, NULL, ANSWER_MS, &before, err))
		goto out;
	bool there = rows_bool(before, 0, 1);
	if (session_script(session, buf_text(script), ANSWER_MS, err)) {
		if (strcmp(err->sqlstate, "42501") == 0)
			err_hint(err, "connect as a role that may create roles and schemas here, "
						  "or give the SQL of --print to one");
		err_context(err, "the ledger was not made");
		goto out;
	}
	if (options->common.json)
		buf_add_format(&said, "{\"event\":\"bootstrap\",\"made\":%s}\n", there ? "false" : "true");
	else if (!options->common.quiet)
		buf_add_format(&said, there ? "the ledger was there already, in schema pgdocket; "
									  "roles have their grants\n"
									: "the ledger is made, in schema pgdocket\n");
	rc = cli_print(cli, &said, err);
out:
	rows_free(before);
	session_close(session);
	connect_release(&connector);
	buf_release(&said);
	return rc;
}

int apply_bootstrap(struct cli *cli, int argc, char **argv)
{
	struct bootstrap_options options = { 0 };
	struct buf script = BUF_INIT(SCRIPT_MAX);
	struct err err = ERR_INIT;
	bool done = false;
	int status = 0;
	if (cli_options(cli, &bootstrap_command, argc, argv, &options, NULL, &done, &err))
		return cli_fail(cli, &err);
	if (done)
		return 0;
	if (build(&options, &script, &err) ||
		(options.print ? cli_print(cli, &script, &err) : make(cli, &options, &script, &err)))
		status = cli_fail(cli, &err);
	buf_release(&script);
	return status;
}
