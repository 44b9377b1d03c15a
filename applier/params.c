/*
 * Text forms of parameters: arrays, digests, numbers. Statements get values this way and no other;
 * nothing here may ever become part of a statement's own text.
 */
#include "params.h"

#include <inttypes.h>
#include <stdio.h>

void params_array_open(struct buf *out)
{
	buf_add_char(out, '{');
}

void params_array_item(struct buf *out, const char *item)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_add_char(out, ',');
	buf_add_char(out, '"');
	for (const char *p = item; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *p);
	}
	buf_add_char(out, '"');
}

void params_array_close(struct buf *out)
{
	buf_add_char(out, '}');
}

void params_array(struct buf *out, const char *const *items, size_t count)
{
	params_array_open(out);
	for (size_t i = 0; i < count; i++)
		params_array_item(out, items[i]);
	params_array_close(out);
}

void params_bytea(const struct digest *digest, char out[PARAMS_BYTEA_SIZE])
{
	out[0] = '\\';
	out[1] = 'x';
	digest_hex(digest, out + 2);
}

void params_int64(int64_t value, char out[PARAMS_INT64_SIZE])
{
	snprintf(out, PARAMS_INT64_SIZE, "%" PRId64, value);
}
