/* When results are coloured: on a terminal, unless somebody asked for none. */
#include <stdlib.h>
#include <unistd.h>
#include "cli.h"

bool cli_color(const struct cli *cli, const struct cli_common *common)
{
	const char *no_color = getenv("NO_COLOR");
	return !common->no_color && !(no_color && *no_color) && isatty(fileno(cli->out)) == 1;
}
