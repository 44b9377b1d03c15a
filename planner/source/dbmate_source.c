/*
 * dbmate's layout: <digits>_title.sql, one file for both directions, marked by "-- migrate:up" and
 * "-- migrate:down" at the beginning of a line; a file may hold several such pairs. A part keeps
 * its marker, which is a comment, so that lines count from the file's own beginning wherever that
 * is possible.
 */
#include <stdlib.h>
#include <string.h>
#include "source_adapter.h"
#include "text.h"

enum marker { NO_MARKER, UP, DOWN };

struct block {
	enum marker marker;
	size_t start, end; /* of the block, its marker's line included */
	int line;
	bool transaction_off;
};

static int match(struct arena *arena, const char *file, struct source_name *out, bool *matches,
		 struct err *err)
{
	size_t digits = source_digits(file), len = strlen(file), at = digits;

	*matches = digits > 0 && text_ends(file, ".sql");
	if (!*matches)
		return 0;
	at += file[at] == '_';
	out->down = false;
	out->version = arena_copy(arena, file, digits, err);
	out->title = arena_copy(arena, file + at, len - 4 > at ? len - 4 - at : 0, err);
	return out->version && out->title ? 0 : -1;
}

/*
 * "--", blanks, "migrate:up" or "migrate:down", then the line's end or a blank; *rest is what
 * follows on the line.
 */
static enum marker marker_of(const char *line, size_t len, const char **rest)
{
	static const struct {
		const char *word;
		enum marker marker;
	} markers[] = { { "migrate:up", UP }, { "migrate:down", DOWN } };
	const char *end = line + len, *at = line + 2;

	if (len < 2 || line[0] != '-' || line[1] != '-')
		return NO_MARKER;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	for (size_t i = 0; i < sizeof markers / sizeof *markers; i++) {
		size_t n = strlen(markers[i].word);
		if ((size_t)(end - at) < n || memcmp(at, markers[i].word, n) != 0)
			continue;
		*rest = at + n;
		if (*rest == end || **rest == ' ' || **rest == '\t' || **rest == '\r')
			return markers[i].marker;
	}
	return NO_MARKER;
}

static size_t line_length(const struct source_file *file, size_t at)
{
	const char *newline = memchr(file->text + at, '\n', file->len - at);

	return newline ? (size_t)(newline - (file->text + at)) : file->len - at;
}

static bool recognise(const struct source_file *file)
{
	const char *rest;

	for (size_t at = 0; at < file->len; at += line_length(file, at) + 1)
		if (marker_of(file->text + at, line_length(file, at), &rest) == UP)
			return true;
	return false;
}

static bool blank_or_comment(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && (line[at] == ' ' || line[at] == '\t' || line[at] == '\r'))
		at++;
	return at == len || (len - at >= 2 && line[at] == '-' && line[at + 1] == '-');
}

/*
 * Words behind a marker: transaction:true or :false; words without a colon are the author's talk.
 */
static int read_options(const struct source_file *file, const char *rest, const char *end,
			struct block *block, struct err *err)
{
	while (rest < end) {
		const char *word = rest;
		while (rest < end && *rest != ' ' && *rest != '\t' && *rest != '\r')
			rest++;
		if (rest - word == 17 && memcmp(word, "transaction:false", 17) == 0) {
			block->transaction_off = true;
		} else if (!(rest - word == 16 && memcmp(word, "transaction:true", 16) == 0) &&
			   memchr(word, ':', (size_t)(rest - word))) {
			err_set(err, ERR_CONFIG,
				"%s, line %d: unknown option \"%.*s\" behind the marker",
				file->name, block->line,
				(int)(rest - word < 100 ? rest - word : 100), word);
			return err_hint(err, "dbmate knows transaction:false and transaction:true");
		}
		while (rest < end && (*rest == ' ' || *rest == '\t' || *rest == '\r'))
			rest++;
	}
	return 0;
}

/*
 * What stands before the first marker must say nothing: neither statements, nor a directive that
 * no part would carry.
 */
static int check_header(const struct source_file *file, size_t at, size_t len, int line,
			struct err *err)
{
	const char *text = file->text + at;

	if (!blank_or_comment(text, len)) {
		err_set(err, ERR_CONFIG, "%s, line %d: a statement before -- migrate:up",
			file->name, line);
		return err_hint(err, "move it below the -- migrate:up line");
	}
	if (memmem(text, len, "pgdocket:", 9)) {
		err_set(err, ERR_CONFIG, "%s, line %d: a pgdocket directive before -- migrate:up",
			file->name, line);
		return err_hint(err, "write it below the -- migrate:up line, and below -- "
				     "migrate:down when it holds there too");
	}
	return 0;
}

/* block: room for one per line; *blocks of them are filled in. */
static int find_blocks(const struct source_file *file, struct block *block, size_t *blocks,
		       struct err *err)
{
	int line = 1;

	*blocks = 0;
	for (size_t at = 0, len; at < file->len; at += len + 1, line++) {
		const char *rest = NULL;
		enum marker marker;
		len = line_length(file, at);
		marker = marker_of(file->text + at, len, &rest);
		if (marker == NO_MARKER) {
			if (*blocks == 0 && check_header(file, at, len, line, err))
				return -1;
			continue;
		}
		if (*blocks > 0)
			block[*blocks - 1].end = at;
		block[*blocks] = (struct block){ marker, at, file->len, line, false };
		if (read_options(file, rest, file->text + at + len, &block[(*blocks)++], err))
			return -1;
	}
	return 0;
}

static int check_order(const struct source_file *file, const struct block *block, size_t blocks,
		       struct err *err)
{
	for (size_t i = 0; i < blocks; i++) {
		if (block[i].marker == (i % 2 ? DOWN : UP))
			continue;
		err_set(err, ERR_CONFIG, "%s, line %d: -- migrate:%s out of order", file->name,
			block[i].line, block[i].marker == UP ? "up" : "down");
		return err_hint(err, "each -- migrate:up is followed by its -- migrate:down");
	}
	return 0;
}

static struct source_part part_of(const struct source_file *file, const struct block *block)
{
	struct source_part part = source_whole(file);

	part.start = block->start;
	part.end = block->end;
	part.first_line = block->line;
	return part;
}

/* All up blocks in the file's order, everything else blanked out: lines keep their numbers. */
static int join_ups(struct arena *arena, const struct source_file *file, const struct block *block,
		    size_t blocks, struct source_part *out, struct err *err)
{
	char *text = arena_copy(arena, file->text, file->len, err);

	if (!text)
		return -1;
	for (size_t i = 1; i < blocks; i += 2)
		for (size_t at = block[i].start; at < block[i].end; at++)
			if (text[at] != '\n')
				text[at] = ' ';
	*out = part_of(file, block);
	out->text = text;
	out->end = file->len;
	return 0;
}

/* All down blocks, the last one first. */
static int join_downs(struct arena *arena, const struct source_file *file,
		      const struct block *block, size_t blocks, struct source_part *out,
		      struct err *err)
{
	char *text = arena_alloc(arena, file->len + blocks + 1, err);
	size_t len = 0;

	if (!text)
		return -1;
	for (size_t i = blocks; i > 0; i--) {
		size_t n = block[i - 1].end - block[i - 1].start;
		if (block[i - 1].marker != DOWN)
			continue;
		memcpy(text + len, file->text + block[i - 1].start, n);
		len += n;
		text[len++] = '\n';
	}
	*out = part_of(file, &block[blocks - 1]);
	out->text = text;
	out->start = 0;
	out->len = out->end = len;
	return 0;
}

static int make_parts(struct arena *arena, const struct source_file *file,
		      const struct block *block, size_t blocks, struct source_migration *out,
		      struct err *err)
{
	out->has_down = blocks > 1;
	if (blocks <= 2) {
		out->up = part_of(file, &block[0]);
		if (out->has_down)
			out->down = part_of(file, &block[1]);
	} else if (join_ups(arena, file, block, blocks, &out->up, err) ||
		   join_downs(arena, file, block, blocks, &out->down, err)) {
		return -1;
	}
	for (size_t i = 0; i < blocks; i++) {
		struct source_part *part = block[i].marker == UP ? &out->up : &out->down;
		part->transaction_off = part->transaction_off || block[i].transaction_off;
	}
	return 0;
}

static int parts(struct arena *arena, const struct source_file *up, const struct source_file *down,
		 struct source_migration *out, struct err *err)
{
	size_t lines = 2, blocks;
	struct block *block;
	int rc = -1;

	(void)down;
	if (!recognise(up)) {
		err_set(err, ERR_CONFIG, "%s: has no \"-- migrate:up\" line", up->name);
		return err_hint(err, "add it above the statements, or take the file out of the "
				     "migrations folder");
	}
	for (size_t at = 0; at < up->len; at += line_length(up, at) + 1)
		lines++;
	block = malloc(lines * sizeof *block);
	if (!block)
		return err_nomem(err);
	if (find_blocks(up, block, &blocks, err) == 0 && check_order(up, block, blocks, err) == 0)
		rc = make_parts(arena, up, block, blocks, out, err);
	free(block);
	return rc;
}

/* The tool goes by file names, where '_' follows the digits. */
static int compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	return (*a ? *a : '_') < (*b ? *b : '_') ? -1 : 1;
}

const struct source_adapter dbmate_source = {
	.name = "dbmate",
	.pattern = "<digits>_title.sql with -- migrate:up and -- migrate:down",
	.match = match,
	.recognise = recognise,
	.compare = compare,
	.parts = parts,
	.one_file = true,
};
