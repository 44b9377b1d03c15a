/* Compression: exact sizes only, nothing behind the end, no memory for what cannot be. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "codec.h"

#define TEXT "CREATE TABLE campaigns (id bigint PRIMARY KEY, name text NOT NULL);\n"

static unsigned char packed[512];
static size_t packed_len;

static void pack(void)
{
	struct err err = ERR_INIT;
	void *out = NULL;
	cr_assert_eq(codec_deflate(TEXT, strlen(TEXT), &out, &packed_len, &err), 0);
	memcpy(packed, out, packed_len);
	free(out);
}

TestSuite(codec, .init = pack);

static int inflate_as(const void *in, size_t in_len, size_t size, enum err_code *code)
{
	struct err err = ERR_INIT;
	char *out = NULL;
	int rc = codec_inflate(in, in_len, size, &out, &err);
	*code = err.code;
	free(out);
	return rc;
}

#define REFUSED(in, in_len, size, expected) \
	do { \
		enum err_code code; \
		cr_assert_eq(inflate_as(in, in_len, size, &code), -1); \
		cr_assert_eq(code, expected); \
	} while (0)

Test(codec, round_trip)
{
	struct err err = ERR_INIT;
	char *out = NULL;
	cr_assert_eq(codec_inflate(packed, packed_len, strlen(TEXT), &out, &err), 0);
	cr_assert_str_eq(out, TEXT);
	free(out);
}

Test(codec, nothing)
{
	struct err err = ERR_INIT;
	void *body = NULL;
	char *out = NULL;
	size_t len = 0;
	cr_assert_eq(codec_deflate(NULL, 0, &body, &len, &err), 0);
	cr_assert_eq(codec_inflate(body, len, 0, &out, &err), 0);
	cr_assert_str_eq(out, "");
	free(out);
	REFUSED(body, len, 1, ERR_FORMAT);
	REFUSED(packed, packed_len, 0, ERR_FORMAT);
	free(body);
	REFUSED("", 0, 0, ERR_FORMAT);
}

Test(codec, size_off_by_one)
{
	REFUSED(packed, packed_len, strlen(TEXT) - 1, ERR_FORMAT);
	REFUSED(packed, packed_len, strlen(TEXT) + 1, ERR_FORMAT);
}

Test(codec, truncated_everywhere)
{
	for (size_t len = 0; len < packed_len; len++)
		REFUSED(packed, len, strlen(TEXT), ERR_FORMAT);
}

Test(codec, trailing_bytes)
{
	packed[packed_len] = 0;
	REFUSED(packed, packed_len + 1, strlen(TEXT), ERR_FORMAT);
}

Test(codec, every_bit_matters)
{
	struct err err = ERR_INIT;
	for (size_t bit = 0; bit < packed_len * 8; bit++) {
		char *out = NULL;
		packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		/* a header bit may change what zlib says of itself, never the content */
		if (codec_inflate(packed, packed_len, strlen(TEXT), &out, &err) == 0)
			cr_assert_str_eq(out, TEXT);
		free(out);
		err_clear(&err);
		packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

Test(codec, preset_dictionary)
{
	unsigned char out[256];
	z_stream stream = { .next_in = (Bytef *)(char *)TEXT, .avail_in = strlen(TEXT), .next_out = out, .avail_out = sizeof out };
	cr_assert_eq(deflateInit(&stream, 6), Z_OK);
	cr_assert_eq(deflateSetDictionary(&stream, (const Bytef *)"CREATE TABLE", 12), Z_OK);
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	size_t len = stream.total_out;
	deflateEnd(&stream);
	REFUSED(out, len, strlen(TEXT), ERR_FORMAT);
}

Test(codec, bomb)
{
	struct err err = ERR_INIT;
	size_t size = 32u << 20, len = 0;
	char *zeros = calloc(1, size);
	void *body = NULL;
	cr_assert_eq(codec_deflate(zeros, size, &body, &len, &err), 0);
	free(zeros);
	REFUSED(body, len, 1000, ERR_FORMAT);
	REFUSED(body, len, CODEC_MAX_BYTES, ERR_FORMAT);
	REFUSED(body, len, (size_t)CODEC_MAX_BYTES + 1, ERR_LIMIT);
	REFUSED(body, len, SIZE_MAX, ERR_LIMIT);
	REFUSED(body, 20, CODEC_MAX_BYTES, ERR_FORMAT);
	free(body);
	cr_assert_eq(codec_deflate("", (size_t)CODEC_MAX_BYTES + 1, &body, &len, &err), -1);
	cr_assert_eq(err.code, ERR_LIMIT);
}
