/* Compression of objects with zlib. Inflating trusts nothing: the size is known before, no byte
 * more is ever written, and what does not end exactly there is refused. Digests are the caller's
 * business. */
#define ZLIB_CONST /* next_in takes what it does not change */
#include "codec.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* DEFLATE cannot do better than 1032:1 (zlib's notes): more is refused before memory is taken. */
#define CODEC_MAX_RATIO 1032u

static int codec_run(const void *in, size_t in_len, size_t size, char *out, struct err *err)
{
	/* a place for the byte that must not come: zlib wants a buffer also for nothing */
	Bytef beyond;
	z_stream stream = { 0 };
	if (inflateInit(&stream) != Z_OK)
		return err_nomem(err);
	stream.next_in = in;
	stream.avail_in = (uInt)in_len;
	stream.next_out = size ? (Bytef *)out : &beyond;
	stream.avail_out = size ? (uInt)size : 1;
	int rc = inflate(&stream, Z_FINISH);
	size_t got = stream.total_out, left = stream.avail_in;
	(void)inflateEnd(&stream);
	if (rc == Z_MEM_ERROR)
		return err_nomem(err);
	if (rc == Z_STREAM_END && got == size && left == 0)
		return 0;
	if (rc == Z_STREAM_END && got == size)
		return err_set(
			err, ERR_FORMAT, "%zu bytes stand behind the end of the compressed data", left);
	if (rc == Z_STREAM_END || (rc == Z_BUF_ERROR && left))
		return err_set(err, ERR_FORMAT,
			"the compressed data does not have the declared size of %zu bytes", size);
	return err_set(err, ERR_FORMAT, "the compressed data is damaged");
}

int codec_inflate(const void *in, size_t in_len, size_t size, char **out, struct err *err)
{
	if (size > CODEC_MAX_BYTES || in_len > CODEC_MAX_BYTES)
		return err_set(err, ERR_LIMIT,
			"an object of %zu bytes is larger than a bundle may hold (%u)", size, CODEC_MAX_BYTES);
	if (size / CODEC_MAX_RATIO > in_len)
		return err_set(err, ERR_FORMAT,
			"%zu compressed bytes cannot give the declared size of %zu bytes", in_len, size);
	char *bytes = malloc(size + 1);
	if (!bytes)
		return err_nomem(err);
	if (codec_run(in, in_len, size, bytes, err)) {
		free(bytes);
		return -1;
	}
	bytes[size] = '\0';
	*out = bytes;
	return 0;
}
