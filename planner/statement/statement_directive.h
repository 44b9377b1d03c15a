/*
 * "-- pgdocket: ..." comments: found in a file's text, read, and given to the file or to the
 * statement that they stand at.
 */
#ifndef PGDOCKET_STATEMENT_DIRECTIVE_H
#define PGDOCKET_STATEMENT_DIRECTIVE_H

#include "statement.h"

struct directive_file {
	const char *name, *text;
	size_t len;
	int first_line;
};

/*
 * Offsets of a statement in the text: its first byte, behind its last token, its ';' (or the
 * text's end).
 */
struct directive_place {
	size_t first, last, semicolon;
};

/*
 * place: one per statement of file->statement, in order. Fills in the directives of file and
 * statements. ERR_PLAN: malformed, unknown, contradictory, or standing where it belongs to
 * nothing.
 */
int directive_read(struct arena *arena, const struct directive_file *from,
		   const struct directive_place *place, struct sql_file *file,
		   struct err *err) MUST_CHECK;
/* The line that an offset is on. */
int directive_line(const struct directive_file *from, size_t offset);

#endif
