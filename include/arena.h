/*
 * Memory for graphs that live and die together: one owner, one arena, one release.
 * Everything given out is zeroed and aligned for any type; nothing is ever freed singly.
 */
#ifndef PGDOCKET_ARENA_H
#define PGDOCKET_ARENA_H

#include <stddef.h>
#include "error.h"

struct arena;

/* max: bytes in all that may be given out. NULL when out of memory. */
struct arena *arena_new(size_t max);
void arena_free(struct arena *arena); /* NULL is fine */
/* NULL with *err filled in (ERR_NOMEM, ERR_LIMIT); size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size, struct err *err);
/* count * size, checked for overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size, struct err *err);
char *arena_copy(
	struct arena *arena, const char *bytes, size_t len, struct err *err); /* NUL added */
char *arena_text(struct arena *arena, const char *text, struct err *err);
char *arena_format(struct arena *arena, struct err *err, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
