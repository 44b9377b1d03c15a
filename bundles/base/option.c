/* Command lines against a table: one loop, one case per kind of value. Knows no command. */
#include "option.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "text.h"

struct parse {
	const struct option_command *command;
	char **argv;
	int argc, at;
	void *values;
	uint64_t seen; /* bit per row of the table, for options given twice */
	struct err *err;
};

/* "--help lists the options" is the way out of whatever is wrong with one. */
PRINTF_LIKE(2, 3) static int usage(struct parse *p, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err_set(p->err, ERR_USAGE, "%s", text);
	return err_hint(p->err, "%s --help lists the options", p->command->name);
}

static int set_value(struct parse *p, const struct option *option, void *value, const char *text)
{
	struct option_list *list = value;
	int64_t number;
	switch (option->kind) {
	case OPTION_FLAG: *(bool *)value = true; break;
	case OPTION_TEXT: *(const char **)value = text; break;
	case OPTION_COUNT:
		if (!text_int64(text, option->low, option->high, &number))
			return usage(p, "--%s takes a whole number from %d to %d, not \"%s\"", option->name,
				option->low, option->high, text);
		*(int *)value = (int)number;
		break;
	case OPTION_DURATION:
		if (!text_duration_ms(text, value))
			return err_set_hint(p->err, ERR_USAGE, "write the unit behind the number",
				"--%s takes a time such as 30s, 15min, 12h or 7d, not \"%s\"", option->name, text);
		break;
	case OPTION_LIST:
		if (list->count == OPTION_LIST_MAX)
			return usage(p, "--%s was given too often", option->name);
		list->items[list->count++] = text;
		break;
	}
	return 0;
}

/* Store one option; text is its argument when it stood in the same word, else NULL. */
static int take(struct parse *p, const struct option *option, const char *text)
{
	size_t index = (size_t)(option - p->command->options);
	if (option->kind == OPTION_FLAG && text)
		return usage(p, "--%s takes no argument", option->name);
	if (option->kind != OPTION_FLAG && !text) {
		if (p->at + 1 >= p->argc)
			return usage(p, "--%s needs an argument", option->name);
		text = p->argv[++p->at];
	}
	if (option->kind != OPTION_LIST && p->seen >> index & 1)
		return usage(p, "--%s was given twice", option->name);
	p->seen |= (uint64_t)1 << index;
	return set_value(p, option, (char *)p->values + option->offset, text);
}

static int take_long(struct parse *p, const char *word)
{
	size_t len = strcspn(word, "=");
	for (const struct option *o = p->command->options; o->name; o++)
		if (strlen(o->name) == len && memcmp(o->name, word, len) == 0)
			return take(p, o, word[len] ? word + len + 1 : NULL);
	return usage(p, "there is no option --%s", word);
}

/* A word of short options: flags may stand together, the first with an argument takes the rest. */
static int take_short(struct parse *p, const char *word)
{
	for (; *word; word++) {
		const struct option *o = p->command->options;
		while (o->name && o->letter != *word)
			o++;
		if (!o->name)
			return usage(p, "there is no option -%c", *word);
		if (o->kind != OPTION_FLAG)
			return take(p, o, word[1] ? word + 1 : NULL);
		if (take(p, o, NULL))
			return -1;
	}
	return 0;
}

static int too_many(struct parse *p, const char *word)
{
	err_set(p->err, ERR_USAGE, "\"%s\" is one argument too many", word);
	return err_hint(p->err, "usage: %s %s", p->command->name, p->command->arguments);
}

int option_parse(const struct option_command *command, int argc, char **argv, void *values,
	const char **positional, struct err *err)
{
	struct parse p = { command, argv, argc, 1, values, 0, err };
	int count = 0;
	bool ended = false;
	for (; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		if (ended || word[0] != '-' || !word[1]) {
			if (count == command->positional_high)
				return too_many(&p, word);
			positional[count++] = word;
		} else if (strcmp(word, "--") == 0) {
			ended = true;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0) {
			return 1;
		} else if (word[1] == '-' ? take_long(&p, word + 2) : take_short(&p, word + 1)) {
			return -1;
		}
	}
	if (count < command->positional_low) {
		err_set(err, ERR_USAGE, "%s needs %s", command->name, command->arguments);
		return err_hint(err, "%s --help says what belongs there", command->name);
	}
	return 0;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void option_help(const char *program, const struct option_command *command, struct buf *out)
{
	const char *sentence = command->sentence;
	buf_add_format(out, "Usage: %s %s%s%s [option...]\n\n%c%s%s\n\nOptions:\n", program,
		command->name, command->arguments[0] ? " " : "", command->arguments, upper(sentence[0]),
		sentence + 1, text_ends(sentence, ".") ? "" : ".");
	for (const struct option *o = command->options; o->name; o++) {
		char left[80];
		snprintf(left, sizeof(left), "%s%c%s --%s%s%s", o->letter ? "-" : " ",
			o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->argument ? " " : "",
			o->argument ? o->argument : "");
		buf_add_format(out, "  %-30s %s%s\n", left, o->help,
			o->kind == OPTION_LIST ? " (may be repeated)" : "");
	}
	buf_add_format(out, "  %-30s %s\n", "-?, --help", "show this help");
	if (command->notes)
		buf_add_format(out, "\n%s\n", command->notes);
}
