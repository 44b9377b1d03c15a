/* The applier's commands: one per apply_*.c. */
#ifndef PGDOCKET_APPLY_COMMANDS_H
#define PGDOCKET_APPLY_COMMANDS_H

#include "cli.h"

int apply_verify(struct cli *cli, int argc, char **argv);

int apply_bootstrap(struct cli *cli, int argc, char **argv);
int apply_run(struct cli *cli, int argc, char **argv);
int apply_check(struct cli *cli, int argc, char **argv);
int apply_status(struct cli *cli, int argc, char **argv);

#endif
