/* Arena: chunks of growing size in a list, given out from the front, freed together. */
#include "arena.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST 4096
#define CHUNK_LARGEST (1u << 20)

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct chunk *chunks;
	size_t max, given, next_size;
};

struct arena *arena_new(size_t max)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	if (arena) {
		arena->max = max;
		arena->next_size = CHUNK_FIRST;
	}
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

static struct chunk *add_chunk(struct arena *arena, size_t size)
{
	size_t room = size > arena->next_size ? size : arena->next_size;
	struct chunk *chunk = calloc(1, sizeof(*chunk) + room);
	if (!chunk)
		return NULL;
	chunk->size = room;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	if (arena->next_size < CHUNK_LARGEST)
		arena->next_size *= 2;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size, struct err *err)
{
	const size_t align = alignof(max_align_t);
	if (size > arena->max - arena->given || size > SIZE_MAX - 2 * align - sizeof(struct chunk)) {
		err_set(err, ERR_LIMIT, "more than the %zu bytes allowed in memory", arena->max);
		return NULL;
	}
	size_t rounded = (size + align - 1) / align * align;
	struct chunk *chunk = arena->chunks;
	if (!chunk || chunk->size - chunk->used < rounded)
		chunk = add_chunk(arena, rounded);
	if (!chunk) {
		err_nomem(err);
		return NULL;
	}
	void *given = chunk->bytes + chunk->used;
	chunk->used += rounded;
	arena->given += size;
	return given;
}

void *arena_array(struct arena *arena, size_t count, size_t size, struct err *err)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		err_set(
			err, ERR_LIMIT, "%zu items of %zu bytes are more than memory can hold", count, size);
		return NULL;
	}
	return arena_alloc(arena, bytes, err);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t len, struct err *err)
{
	char *copy = len == SIZE_MAX ? NULL : arena_alloc(arena, len + 1, err);
	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

char *arena_text(struct arena *arena, const char *text, struct err *err)
{
	return arena_copy(arena, text, strlen(text), err);
}

char *arena_format(struct arena *arena, struct err *err, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	char *text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1, err);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}
