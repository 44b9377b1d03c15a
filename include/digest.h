/* SHA-256, the only digest of the formats. */
#ifndef PGDOCKET_DIGEST_H
#define PGDOCKET_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65 /* with NUL */

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digest_stream; /* incremental */

void digest_of(const void *bytes, size_t len, struct digest *out);
bool digest_equal(const struct digest *a, const struct digest *b);
void digest_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE]);
/* The same as a value: digest_text(&digest).hex lives until the end of the statement. */
struct digest_text {
	char hex[DIGEST_HEX_SIZE];
};
struct digest_text digest_text(const struct digest *digest);
bool digest_parse(
	const char *hex, size_t len, struct digest *out); /* exactly 64 lower-case digits */

struct digest_stream *digest_start(void); /* NULL: out of memory */
void digest_add(struct digest_stream *stream, const void *bytes, size_t len);
void digest_finish(struct digest_stream *stream, struct digest *out); /* frees stream */

#endif
