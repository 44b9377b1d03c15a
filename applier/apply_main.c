/*
 * pgdocket-apply: the applier. Clears what the environment may not decide, then a table of
 * commands.
 */
#include <stdlib.h>
#include "apply_commands.h"

static const struct cli_command commands[] = {
	{ "verify", apply_verify, "checks everything that can be checked without the server" },
	{ "bootstrap", apply_bootstrap, "makes the ledger in the target" },
	{ "run", apply_run, "verifies a plan and applies it" },
	{ "check", apply_check, "tells whether the plan could be applied now" },
	{ "status", apply_status, "tells what has been done and what is left" }, { NULL, NULL, NULL }
};

int main(int argc, char **argv)
{
	static const char *const cleared[] = { "PGOPTIONS", "LD_PRELOAD", "LD_LIBRARY_PATH",
		"LD_AUDIT" };
	for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++)
		unsetenv(cleared[i]);
	return cli_main(
		"pgdocket-apply", "verifies a plan and applies it, schema by schema", commands, argc, argv);
}
