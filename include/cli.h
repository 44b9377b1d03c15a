/*
 * What both programs' commands share: the common options, where output goes, how errors are
 * printed. A command is `int command_x(struct cli *cli, int argc, char **argv)`: it returns the
 * exit code.
 */
#ifndef PGDOCKET_CLI_H
#define PGDOCKET_CLI_H

#include <stdio.h>
#include "option.h"
#include "progress.h"

#define PGDOCKET_VERSION "0.1.0"

struct cli {
	const char *program;  /* "pgdocket" or "pgdocket-apply" */
	FILE *out, *talk;     /* stdout, stderr */
	bool json;            /* errors as JSON lines on talk too */
};

struct cli_common {       /* first member of every command's struct */
	bool json, quiet, verbose, no_color;
	const char *progress; /* auto, plain, none */
};
#define CLI_COMMON_OPTIONS(type) \
	{ "json", 0, OPTION_FLAG, offsetof(type, common.json), NULL, "output as JSON", 0, 0 }, \
	{ "quiet", 'q', OPTION_FLAG, offsetof(type, common.quiet), NULL, \
	  "only results and errors", 0, 0 }, \
	{ "verbose", 'v', OPTION_FLAG, offsetof(type, common.verbose), NULL, "say more", 0, 0 }, \
	{ "no-color", 0, OPTION_FLAG, offsetof(type, common.no_color), NULL, \
	  "no colour, also on a terminal", 0, 0 }, \
	{ "progress", 0, OPTION_TEXT, offsetof(type, common.progress), "MODE", \
	  "auto, plain or none", 0, 0 }

struct cli_connection {
	const char *dbname, *host, *port, *user;
	bool no_password, password;
};
#define CLI_CONNECTION_OPTIONS(type) \
	{ "dbname", 'd', OPTION_TEXT, offsetof(type, connection.dbname), "CONNECTION", \
	  "database name or connection string", 0, 0 }, \
	{ "host", 'h', OPTION_TEXT, offsetof(type, connection.host), "HOST", \
	  "server host or socket directory", 0, 0 }, \
	{ "port", 'p', OPTION_TEXT, offsetof(type, connection.port), "PORT", \
	  "server port", 0, 0 }, \
	{ "username", 'U', OPTION_TEXT, offsetof(type, connection.user), "NAME", \
	  "user name", 0, 0 }, \
	{ "no-password", 'w', OPTION_FLAG, offsetof(type, connection.no_password), NULL, \
	  "never ask for a password", 0, 0 }, \
	{ "password", 'W', OPTION_FLAG, offsetof(type, connection.password), NULL, \
	  "ask for a password before connecting", 0, 0 }

/*
 * Parse; on --help print it (*done set, exit 0). ERR_USAGE otherwise. Also checks common.progress.
 */
int cli_options(struct cli *cli, const struct option_command *command, int argc, char **argv,
	void *values, const char **positional, bool *done, struct err *err) MUST_CHECK;
/*
 * Print err (two lines: what happened, hint; or one JSON object with --json) and give its exit
 * code.
 */
int cli_fail(struct cli *cli, const struct err *err);
enum progress_mode cli_progress(const struct cli_common *common);
/* Write buf to stdout; ERR_IO when that fails. */
int cli_print(struct cli *cli, const struct buf *buf, struct err *err) MUST_CHECK;
bool cli_color(const struct cli *cli, const struct cli_common *common);
/*
 * One line from the terminal (stdin must be one); echo off for passwords. malloc'ed, newline cut.
 * ERR_USAGE: no terminal.
 */
char *cli_ask(struct cli *cli, const char *prompt, bool echo, struct err *err);
bool cli_terminal(void); /* stdin and stderr are a terminal */

struct cli_command {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);
	const char *sentence;
};
/*
 * The whole of main: --version, --help, dispatch; unknown commands are ERR_USAGE with the nearest
 * name.
 */
int cli_main(const char *program, const char *sentence, const struct cli_command *commands,
	int argc, char **argv);

#endif
