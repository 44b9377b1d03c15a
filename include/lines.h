/*
 * The grammar that statements and audit records share (TRUST.md a.3): ASCII 0x20-0x7E, LF, "key:
 * value" lines in a given order, each once, first line the format's name, last line "end", nothing
 * behind it.
 */
#ifndef PGDOCKET_LINES_H
#define PGDOCKET_LINES_H

#include <stddef.h>
#include <stdint.h>
#include "buf.h"

/* A place in such a text; what and bytes are borrowed. */
struct lines {
	const char *what; /* "plan statement", for messages */
	const char *at, *end;
	int number; /* of the line read last, from 1 */
};

struct lines_pair { /* borrowed from the text, not NUL-terminated */
	const char *key, *value;
	size_t key_len, value_len;
};

/*
 * Check bytes and size, stand before the first line. ERR_FORMAT naming the line, ERR_LIMIT above
 * max.
 */
int lines_open(struct lines *lines, const char *what, const char *bytes, size_t len, size_t max,
	struct err *err) MUST_CHECK;
/* The next line is exactly this text. */
int lines_expect(struct lines *lines, const char *text, struct err *err) MUST_CHECK;
/* The next line is "key: value", the value not empty. */
int lines_pair(struct lines *lines, struct lines_pair *pair, struct err *err) MUST_CHECK;
/* 1: the next line is exactly this text (not consumed). */
int lines_stands(const struct lines *lines, const char *text);
/* The next line is "end", and the last. */
int lines_close(struct lines *lines, struct err *err) MUST_CHECK;
/* ERR_FORMAT at the line read last. */
int lines_wrong(const struct lines *lines, struct err *err, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* A line as a row of a table: its key, and where its blank-separated items stand in a struct. */
enum lines_kind {
	LINES_NONE,     /* ends the items */
	LINES_DIGEST,   /* struct digest: sha256:<64 hex> */
	LINES_HASH,     /* struct digest: <64 hex> */
	LINES_INT,      /* int, within low..high */
	LINES_INT64,    /* int64_t, within low..high */
	LINES_DECIMAL,  /* char[32]: up to 20 digits */
	LINES_TEXT,     /* char[STATEMENT_TEXT_MAX]: percent-encoded UTF-8, not empty */
	LINES_TIME,     /* int64_t microseconds, whole seconds */
	LINES_MICROS,   /* int64_t microseconds */
	LINES_ID,       /* char[33]: 32 hex digits */
	LINES_HOST,     /* char[64]: SHA256:<43 base64 digits>, or any */
	LINES_DECISION, /* bool: approve, reject */
	LINES_ONE       /* nothing: the number 1; a larger one is ERR_VERSION */
};
struct lines_item {
	uint8_t kind; /* enum lines_kind */
	uint16_t offset;
	int32_t low;
	int64_t high;
};
#define LINES_ITEMS_MAX 7 /* with LINES_NONE */
struct lines_row {
	const char *key; /* NULL ends a table */
	struct lines_item item[LINES_ITEMS_MAX];
};

/* Append the rows' lines. */
int lines_write_rows(
	const struct lines_row *rows, const void *values, struct buf *out, struct err *err) MUST_CHECK;
int lines_parse_rows(
	const struct lines_row *rows, struct lines *lines, void *values, struct err *err) MUST_CHECK;

/*
 * A whole text of this grammar: header, rows, end. Parsing writes the result again and requires the
 * same bytes.
 */
struct lines_format {
	const char *what, *header;
	const struct lines_row *rows;
};
/* ERR_FORMAT: a value that the reader would refuse. */
int lines_write(const struct lines_format *format, const void *values, struct buf *out,
	struct err *err) MUST_CHECK;
int lines_parse(const struct lines_format *format, const char *bytes, size_t len, void *values,
	struct err *err) MUST_CHECK;

#endif
