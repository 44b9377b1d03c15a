/* The planner's commands: one per command_*.c. */
#ifndef PGDOCKET_COMMANDS_H
#define PGDOCKET_COMMANDS_H

#include "cli.h"

#endif
