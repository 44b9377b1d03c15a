/*
 * pgdocket-apply: the applier. Clears what the environment may not decide, then a table of
 * commands, all of which begin and end alike.
 */
#include "applier.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command commands[] = {
	{ "verify", apply_verify, "checks everything that can be checked without the server" },
	{ "bootstrap", apply_bootstrap, "makes the ledger in the target" },
	{ "run", apply_run, "verifies a plan and applies it" },
	{ "check", apply_check, "tells whether the plan could be applied now" },
	{ "status", apply_status, "tells what has been done and what is left" }, { NULL, NULL, NULL }
};

static void release(struct run *run)
{
	recorder_free(run->recorder);
	workcopy_close(run->workcopy);
	session_close(run->reader);
	tasks_release(run);
	bundle_close(run->receipt);
	ledger_release(&run->ledger);
	prepare_release(run);
	free(run);
}

int apply_command(struct cli *cli, int argc, char **argv, const struct option_command *command,
	int (*body)(struct run *run, struct err *err))
{
	struct err err = ERR_INIT;
	struct run *run = calloc(1, sizeof *run);
	bool done = false;
	int status = 0;
	if (!run) {
		err_nomem(&err);
		return cli_fail(cli, &err);
	}
	run->cli = cli;
	run->options =
		(struct apply_options){ .trust = "/etc/pgdocket", .jobs = 4, .lock_wait_ms = 30000 };
	if (cli_options(cli, command, argc, argv, &run->options, &run->file, &done, &err) ||
		(!done && (status = body(run, &err)) < 0))
		status = cli_fail(cli, &err);
	release(run);
	return status;
}

/* What would load code into this process or its children, or set the session behind our back. */
static void clear_environment(void)
{
	static const char *const cleared[] = { "LD_", "OPENSSL_CONF", "OPENSSL_MODULES=",
		"OPENSSL_ENGINES=", "GCONV_PATH=", "PGOPTIONS=" };
	char **to = environ;
	for (char **from = environ; to && *from; from++) {
		bool keep = true;
		for (size_t i = 0; i < sizeof cleared / sizeof cleared[0]; i++)
			keep = keep && strncmp(*from, cleared[i], strlen(cleared[i])) != 0;
		*to = *from;
		to += keep;
	}
	if (to)
		*to = NULL;
}

int main(int argc, char **argv)
{
	clear_environment();
	return cli_main(
		"pgdocket-apply", "verifies a plan and applies it, schema by schema", commands, argc, argv);
}
