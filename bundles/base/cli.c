/* The shell of both programs: dispatch, help, printing of results and errors, questions on a
 * terminal. The one module in bundles/ that writes to the standard streams; decides nothing. */
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "bundle.h"
#include "text.h"

#define HELP_MAX (64u << 10)

/* In the order of enum progress_mode. */
static const char *const progress_words[] = { "auto", "plain", "none" };

static int progress_index(const struct cli_common *common)
{
	int i = 0;
	while (common->progress && i < 3 && strcmp(progress_words[i], common->progress) != 0)
		i++;
	return i;
}

enum progress_mode cli_progress(const struct cli_common *common)
{
	return common->quiet ? PROGRESS_NONE : (enum progress_mode)progress_index(common);
}

int cli_options(struct cli *cli, const struct option_command *command, int argc, char **argv,
	void *values, const char **positional, bool *done, struct err *err)
{
	const struct cli_common *common = values;
	int parsed = option_parse(command, argc, argv, values, positional, err);
	cli->json = common->json;
	*done = parsed == 1;
	if (parsed == 1) {
		struct buf help = BUF_INIT(HELP_MAX);
		option_help(cli->program, command, &help);
		parsed = cli_print(cli, &help, err);
		buf_release(&help);
	} else if (!parsed && progress_index(common) == 3) {
		return err_set_hint(err, ERR_USAGE, "leave it out for auto",
			"--progress takes auto, plain or none, not \"%s\"", common->progress);
	}
	return parsed;
}

static void fail_json(struct cli *cli, const struct err *err, struct buf *out)
{
	buf_add_format(out, "{\"event\":\"error\",\"exit\":%d", err_exit_status(err));
	text_json_pair(out, "reason", err->reason);
	text_json_pair(out, "sqlstate", err->sqlstate);
	text_json_pair(out, "message", err->message);
	text_json_pair(out, "hint", err->hint);
	fprintf(cli->talk, "%s}\n", buf_text(out));
}

int cli_fail(struct cli *cli, const struct err *err)
{
	struct buf out = BUF_INIT(HELP_MAX);
	if (cli->json) {
		fail_json(cli, err, &out);
	} else {
		buf_add_format(&out, "%s: ", cli->program);
		text_safe(&out, err->message, strlen(err->message));
		if (err->hint[0]) {
			buf_add_text(&out, "\nhint: ");
			text_safe(&out, err->hint, strlen(err->hint));
		}
		fprintf(cli->talk, "%s\n", buf_text(&out));
	}
	buf_release(&out);
	return err_exit_status(err);
}

int cli_print(struct cli *cli, const struct buf *buf, struct err *err)
{
	if (buf_check(buf, err))
		return -1;
	errno = 0;
	if (fwrite(buf_text(buf), 1, buf->len, cli->out) != buf->len || fflush(cli->out) != 0)
		return err_set_errno(err, ERR_IO, "cannot write the output");
	return 0;
}

bool cli_terminal(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

char *cli_ask(struct cli *cli, const char *prompt, bool echo, struct err *err)
{
	struct termios before, quiet;
	char *line = NULL;
	size_t size = 0;
	if (!cli_terminal()) {
		err_set_hint(err, ERR_USAGE, "--yes answers beforehand",
			"there is no terminal to ask on: %s", prompt);
		return NULL;
	}
	bool hidden = !echo && tcgetattr(STDIN_FILENO, &before) == 0;
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	fprintf(cli->talk, "%s ", prompt);
	fflush(cli->talk);
	ssize_t len = getline(&line, &size, stdin);
	if (hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', cli->talk);
	}
	if (len < 0) {
		free(line);
		line = NULL;
		err_set_hint(err, ERR_USAGE, "--yes answers beforehand", "no answer to: %s", prompt);
	} else if (len > 0 && line[len - 1] == '\n') {
		line[len - 1] = '\0';
	}
	return line;
}

static void main_help(
	const char *program, const char *sentence, const struct cli_command *commands, FILE *out)
{
	fprintf(
		out, "%s: %s\n\nUsage: %s COMMAND [option...]\n\nCommands:\n", program, sentence, program);
	for (const struct cli_command *c = commands; c->name; c++)
		fprintf(out, "  %-12s %s\n", c->name, c->sentence);
	fprintf(out,
		"\n%s COMMAND --help shows a command's options; --version the version.\n"
		"Exit codes: 0 done, 1 failed and nothing changed, 2 usage or configuration, 3 refused,\n"
		"4 incomplete, 5 differences (--exit-code), 6 interrupted, 70 a fault of the program.\n",
		program);
}

/* Letters that two words have in common at their beginning; good enough to name the nearest. */
static size_t alike(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static int unknown_command(struct cli *cli, const struct cli_command *commands, const char *word)
{
	struct err err = ERR_INIT;
	const char *nearest = NULL;
	size_t best = 0;
	for (const struct cli_command *c = commands; c->name; c++) {
		size_t n = alike(c->name, word);
		if (n > best) {
			best = n;
			nearest = c->name;
		}
	}
	err_set(&err, ERR_USAGE, "there is no command \"%s\"", word);
	if (nearest)
		err_hint(&err, "did you mean %s? %s --help lists the commands", nearest, cli->program);
	else
		err_hint(&err, "%s --help lists the commands", cli->program);
	return cli_fail(cli, &err);
}

int cli_main(const char *program, const char *sentence, const struct cli_command *commands,
	int argc, char **argv)
{
	struct cli cli = { program, stdout, stderr, false };
	struct err err = ERR_INIT;
	if (bundle_process_init(&err))
		return cli_fail(&cli, &err);
	if (argc < 2) {
		err_set(&err, ERR_USAGE, "no command was given");
		err_hint(&err, "%s --help lists the commands", program);
		return cli_fail(&cli, &err);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", program, PGDOCKET_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0 ||
		strcmp(argv[1], "-?") == 0) {
		main_help(program, sentence, commands, stdout);
		return 0;
	}
	for (const struct cli_command *c = commands; c->name; c++)
		if (strcmp(c->name, argv[1]) == 0)
			return c->run(&cli, argc - 1, argv + 1);
	return unknown_command(&cli, commands, argv[1]);
}
