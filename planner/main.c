/* pgdocket: the planner. A table of commands; everything else is theirs. */
#include "commands.h"

static const struct cli_command commands[] = {
	{ NULL, NULL, NULL }
};

int main(int argc, char **argv)
{
	return cli_main("pgdocket", "plans, shows, signs and audits migrations of databases with one schema per tenant",
	                commands, argc, argv);
}
