/*
 * `pgdocket show`: the bundle's plan for reviewers, as text, JSON or SQL. It shows what the digests
 * vouch for; who may be trusted is verify's question.
 */
#include "commands.h"

#include <string.h>
#include "bundle.h"
#include "file.h"
#include "show.h"

#define OUTPUT_MAX (512u << 20)

struct command_show {
	struct cli_common common;
	const char *format, *output;
	int class;
};

#define AT(member) offsetof(struct command_show, member)
static const struct option options[] = {
	{ "format", 0, OPTION_TEXT, AT(format), "FORMAT", "text (default), json or sql", 0, 0 },
	{ "output", 'o', OPTION_TEXT, AT(output), "FILE",
	  "write to a new file instead of standard output", 0, 0 },
	{ "class", 0, OPTION_COUNT, AT(class), "N", "only this class", 0, 1000000 },
	CLI_COMMON_OPTIONS(struct command_show),
	{ NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0 },
};

static const struct option_command command = {
	"show",
	"FILE",
	"shows the plan in FILE to those who review it",
	options,
	1,
	1,
	"Classes come first: schemas that are alike are one thing to read. json is the signed "
	"document with what the\n"
	"plan statement says beside it; sql is what will run, class by class, with what was "
	"filtered and why.",
};

enum show_format { SHOW_TEXT, SHOW_JSON, SHOW_SQL };

static int read_format(const struct command_show *values, enum show_format *out, struct err *err)
{
	static const char *const words[] = { "text", "json", "sql" };
	const char *word = values->format ? values->format : values->common.json ? "json" : "text";

	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*out = (enum show_format)i;
		return 0;
	}
	err_set(err, ERR_USAGE, "--format takes text, json or sql, not \"%s\"", word);
	return err_hint(err, "leave it out for text");
}

static int check_class(const struct show *show, int only, struct err *err)
{
	for (size_t i = 0; i < show->document->classes; i++)
		if (show->document->class[i].number == only)
			return 0;
	if (only < 0)
		return 0;
	err_set(err, ERR_USAGE, "--class %d: the plan has no such class", only);
	return err_hint(err, "`pgdocket show FILE` numbers its %zu classes from 0",
			show->document->classes);
}

static int run(struct cli *cli, const struct command_show *values, const char *path,
	       struct err *err)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);
	struct bundle *bundle = NULL;
	struct show show = { .arena = NULL };
	enum show_format format = SHOW_TEXT;
	int result = -1;

	if (read_format(values, &format, err) || bundle_open(path, &bundle, err) ||
	    show_load(bundle_db(bundle), &show, err) || check_class(&show, values->class, err))
		goto out;
	if (format == SHOW_JSON  ? show_json(&show, &out, err)
	    : format == SHOW_SQL ? show_sql(&show, values->class, &out, err)
				 : show_text(&show, values->class, &out, err))
		goto out;
	result = values->output ? file_create(values->output, 0666, out.data, out.len, err)
				: cli_print(cli, &out, err);
out:
	show_release(&show);
	bundle_close(bundle);
	buf_release(&out);
	return result;
}

int command_show(struct cli *cli, int argc, char **argv)
{
	struct command_show values = { .class = -1 };
	struct err err = ERR_INIT;
	const char *path = NULL;
	bool done = false;

	if (cli_options(cli, &command, argc, argv, &values, &path, &done, &err))
		return cli_fail(cli, &err);
	if (done)
		return 0;
	return run(cli, &values, path, &err) ? cli_fail(cli, &err) : 0;
}
