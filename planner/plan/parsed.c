/*
 * Migration files, each split and classified once however many classes run it. A file that cannot
 * be split is a problem only for the classes that would run it, so its error is kept, not raised.
 */
#include "making.h"

#include <stdio.h>
#include <string.h>

int parsed_prepare(struct making *making, struct err *err)
{
	const struct source *source = making->source;

	making->up = arena_array(making->arena, source->migrations, sizeof *making->up, err);
	making->down = arena_array(making->arena, source->migrations, sizeof *making->down, err);
	if (!making->up || !making->down)
		return -1;
	for (size_t i = 0; i < source->migrations; i++) {
		making->up[i].part = &source->migration[i].up;
		making->down[i].part =
			source->migration[i].has_down ? &source->migration[i].down : NULL;
	}
	return 0;
}

/* The message without the file and line in front of it, which a problem names by itself. */
static const char *without_place(const char *message, const char *name, int *line)
{
	size_t len = strlen(name);
	int digits = 0;

	*line = 0;
	if (strncmp(message, name, len) != 0)
		return message;
	if (sscanf(message + len, ", line %d: %n", line, &digits) == 1 && digits)
		return message + len + digits;
	*line = 0;
	return message[len] == ':' && message[len + 1] == ' ' ? message + len + 2 : message;
}

static int parse(struct making *making, struct making_file *file, struct err *err)
{
	const struct source_part *part = file->part;
	struct err failure = ERR_INIT;

	digest_of(part->file_text, part->file_len, &file->digest);
	if (statement_parse_file(making->arena, part->file, part->text + part->start,
				 part->end - part->start, part->first_line, &file->parsed,
				 &failure) == 0)
		return 0;
	if (failure.code != ERR_PLAN && failure.code != ERR_CONFIG && failure.code != ERR_LIMIT) {
		*err = failure;
		return -1;
	}
	file->parsed = NULL;
	file->failed = arena_text(
		making->arena,
		without_place(failure.message, part->file, &file->failed_line), err);
	file->failed_hint = arena_text(making->arena, failure.hint, err);
	return file->failed && file->failed_hint ? 0 : -1;
}

int parsed_get(struct making *making, int migration, bool up, struct making_file **out,
	       struct err *err)
{
	struct making_file *file = up ? &making->up[migration] : &making->down[migration];

	*out = file;
	if (!file->part || file->parsed || file->failed)
		return 0;
	return parse(making, file, err);
}

int parsed_scope(struct making *making, int migration, enum sql_scope *out, struct err *err)
{
	struct making_file *file;

	*out = SQL_SCOPE_NONE;
	if (parsed_get(making, migration, true, &file, err))
		return -1;
	if (file->parsed)
		*out = file->parsed->directives.scope;
	return 0;
}
