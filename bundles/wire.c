/* SSH's wire encoding, bounds first: lengths come from files that nobody vouches for yet. */
#include "wire.h"
#include <string.h>

struct wire wire_open(const void *bytes, size_t len)
{
	return (struct wire){ bytes, (const uint8_t *)bytes + len, false };
}

uint32_t wire_uint32(struct wire *wire)
{
	if (wire->bad || wire->end - wire->at < 4) {
		wire->bad = true;
		return 0;
	}
	const uint8_t *b = wire->at;
	wire->at += 4;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct wire_string wire_string(struct wire *wire)
{
	uint32_t len = wire_uint32(wire);
	if (wire->bad || (size_t)(wire->end - wire->at) < len) {
		wire->bad = true;
		return (struct wire_string){ (const uint8_t *)"", 0 };
	}
	struct wire_string string = { wire->at, len };
	wire->at += len;
	return string;
}

bool wire_magic(struct wire *wire, const void *bytes, size_t len)
{
	if (wire->bad || (size_t)(wire->end - wire->at) < len || memcmp(wire->at, bytes, len) != 0)
		wire->bad = true;
	else
		wire->at += len;
	return !wire->bad;
}

bool wire_done(const struct wire *wire)
{
	return !wire->bad && wire->at == wire->end;
}

bool wire_same(struct wire_string string, const char *text)
{
	return string.len == strlen(text) && memcmp(string.bytes, text, string.len) == 0;
}

void wire_put_uint32(struct buf *out, uint32_t value)
{
	uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };
	buf_add(out, bytes, sizeof(bytes));
}

void wire_put_string(struct buf *out, const void *bytes, size_t len)
{
	wire_put_uint32(out, (uint32_t)len);
	buf_add(out, bytes, len);
}

void wire_put_text(struct buf *out, const char *text)
{
	wire_put_string(out, text, strlen(text));
}
