/*
 * A growing byte buffer with a hard maximum. data is always NUL-terminated once anything was added;
 * failure (no memory, maximum reached) is sticky: later additions do nothing, and buf_check
 * reports it once, before the content is used. init/release in place, clear keeps the memory,
 * detach moves out.
 */
#ifndef PGDOCKET_BUF_H
#define PGDOCKET_BUF_H

#include <stddef.h>
#include "error.h"

struct buf {
	char *data; /* NULL while empty and never grown */
	size_t len;
	size_t capacity;
	size_t max; /* bytes that may be held, NUL not counted */
	int failed; /* 0, or ERR_NOMEM / ERR_LIMIT */
};

#define BUF_INIT(maximum) { NULL, 0, 0, (maximum), 0 }

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* What stands in it so far as a C string: "" while empty. Borrowed until the next change. */
const char *buf_text(const struct buf *buf);
/* 0, or -1 with ERR_NOMEM or ERR_LIMIT when an addition failed since init or clear. */
int buf_check(const struct buf *buf, struct err *err) MUST_CHECK;
/*
 * Move the bytes out (malloc'ed, NUL-terminated, never NULL unless failed); buf is empty
 * afterwards.
 */
char *buf_detach(struct buf *buf, size_t *len);

#endif
