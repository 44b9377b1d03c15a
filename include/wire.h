/*
 * SSH's wire encoding (RFC 4251, section 5): big-endian uint32, and strings with their length in
 * front. Reading past the end sets bad and gives zeros from then on; the caller asks wire_done
 * once.
 */
#ifndef PGDOCKET_WIRE_H
#define PGDOCKET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "buf.h"

struct wire {
	const uint8_t *at, *end;
	bool bad;
};
struct wire_string { /* borrowed; bytes is never NULL */
	const uint8_t *bytes;
	size_t len;
};

struct wire wire_open(const void *bytes, size_t len);
uint32_t wire_uint32(struct wire *wire);
struct wire_string wire_string(struct wire *wire);
/* The next len bytes are exactly these; they are consumed. */
bool wire_magic(struct wire *wire, const void *bytes, size_t len);
/* Everything was read and nothing was missing. */
bool wire_done(const struct wire *wire);
bool wire_same(struct wire_string string, const char *text);

void wire_put_uint32(struct buf *out, uint32_t value);
void wire_put_string(struct buf *out, const void *bytes, size_t len);
void wire_put_text(struct buf *out, const char *text);

#endif
