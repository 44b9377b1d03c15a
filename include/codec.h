/* zlib: the only compression of the format. */
#ifndef PGDOCKET_CODEC_H
#define PGDOCKET_CODEC_H

#include <stddef.h>
#include "error.h"

#define CODEC_MAX_BYTES (64u << 20)

/*
 * Compress in one go.
 *
 * out      success: malloc'ed, *out_len bytes, the caller frees it; failure: NULL
 *
 * Errors: ERR_LIMIT  more than CODEC_MAX_BYTES before or after
 *         ERR_NOMEM
 */
int codec_deflate(const void *in, size_t in_len, void **out, size_t *out_len,
		  struct err *err) MUST_CHECK;

/*
 * Inflate into a buffer of exactly the size that the object's row declares.
 *
 * in, in_len   compressed bytes; borrowed
 * size         bytes expected
 * out          success: malloc'ed, `size` bytes and a NUL, the caller frees it; failure: NULL
 *
 * Errors: ERR_LIMIT  size above CODEC_MAX_BYTES
 *         ERR_FORMAT not zlib, a preset dictionary, truncated, trailing bytes, or another size
 *         ERR_NOMEM
 */
int codec_inflate(const void *in, size_t in_len, size_t size, char **out,
		  struct err *err) MUST_CHECK;

#endif
