/* The planner's commands: one per command_*.c. */
#ifndef PGDOCKET_COMMANDS_H
#define PGDOCKET_COMMANDS_H

#include "cli.h"

int command_snapshot(struct cli *cli, int argc, char **argv);
int command_status(struct cli *cli, int argc, char **argv);
int command_trust(struct cli *cli, int argc, char **argv);
int command_plan(struct cli *cli, int argc, char **argv);
int command_show(struct cli *cli, int argc, char **argv);
int command_sign(struct cli *cli, int argc, char **argv);
int command_approve(struct cli *cli, int argc, char **argv);
int command_verify(struct cli *cli, int argc, char **argv);
int command_audit(struct cli *cli, int argc, char **argv);

#endif
