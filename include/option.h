/*
 * Command lines: a static table per command; --help is made from it. Options may stand anywhere,
 * "--" ends them, --name=value and --name value and -jN and -j N are the same. Long names may not
 * be abbreviated. An option given twice is an error unless its kind is OPTION_LIST.
 */
#ifndef PGDOCKET_OPTION_H
#define PGDOCKET_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include "buf.h"

#define OPTION_LIST_MAX 64

struct option_list {
	size_t count;
	const char *items[OPTION_LIST_MAX]; /* borrowed from argv */
};

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char *; NULL when absent */
	OPTION_COUNT,    /* int; the table's low and high bound it */
	OPTION_DURATION, /* int64_t milliseconds */
	OPTION_LIST      /* struct option_list */
};

struct option {
	const char *name;     /* without dashes; NULL ends the table */
	char letter;          /* 0: none */
	enum option_kind kind;
	size_t offset;        /* of the value in the command's struct */
	const char *argument; /* shown in --help; NULL for flags */
	const char *help;
	int low, high;        /* OPTION_COUNT */
};

struct option_command {
	const char *name;      /* "plan" */
	const char *arguments; /* "FILE" or "INTO FROM..." or "" */
	const char *sentence;  /* what it does, one sentence */
	const struct option *options;
	int positional_low, positional_high;
	const char *notes;     /* further lines of --help; may be NULL */
};

/*
 * values   the command's struct, filled with its defaults by the caller
 * positional  receives up to positional_high pointers into argv
 * Returns 0; -1 with ERR_USAGE; 1 when --help (-?) was given: the caller prints option_help.
 */
int option_parse(const struct option_command *command, int argc, char **argv, void *values,
                 const char **positional, struct err *err) MUST_CHECK;
void option_help(const char *program, const struct option_command *command, struct buf *out);

#endif
