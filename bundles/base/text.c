/* Encodings of bytes as text and back. The decoders accept only what the encoders write. */
#include "text.h"
#include <string.h>

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_hex(const void *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = bytes;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * len] = '\0';
}

static int digit_value(char c, const char *letters)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	const char *at = c ? strchr(letters, c) : NULL;
	return at ? (int)(at - letters) + 10 : -1;
}

bool text_unhex(const char *hex, size_t hex_len, void *out, size_t len)
{
	uint8_t *bytes = out;
	if (hex_len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = digit_value(hex[2 * i], "abcdef"), low = digit_value(hex[2 * i + 1], "abcdef");
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool unbase64_group(const char *four, bool last, struct buf *out)
{
	uint32_t word = 0;
	int padding = 0;
	for (int i = 0; i < 4; i++) {
		const char *at = four[i] ? strchr(base64_digits, four[i]) : NULL;
		if (four[i] == '=' && last && i >= 2)
			padding++;
		else if (!at || padding)
			return false;
		word = word << 6 | (at ? (uint32_t)(at - base64_digits) : 0);
	}
	uint32_t spare = padding == 2 ? word & 0xffff : padding == 1 ? word & 0xff : 0;
	char three[3] = { (char)(word >> 16), (char)(word >> 8), (char)word };
	if (!spare)
		buf_add(out, three, (size_t)(3 - padding));
	return !spare;
}

bool text_unbase64(const char *text, size_t len, struct buf *out)
{
	if (len % 4)
		return false;
	for (size_t i = 0; i < len; i += 4)
		if (!unbase64_group(text + i, i + 4 == len, out))
			return false;
	return !out->failed;
}

bool text_plain(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!bytes[i] || (!strchr("_.@:-", bytes[i]) && !strchr(base64_digits, bytes[i])))
			return false;
	return true;
}

void text_percent(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text_plain(bytes + i, 1))
			buf_add_char(out, bytes[i]);
		else
			buf_add_format(out, "%%%02X", (unsigned char)bytes[i]);
}

bool text_unpercent(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool escaped = c == '%';
		if (escaped) {
			int high = len - i < 3 ? -1 : digit_value(text[i + 1], "ABCDEF");
			int low = high < 0 ? -1 : digit_value(text[i + 2], "ABCDEF");
			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (escaped == text_plain(&c, 1))
			return false;
		buf_add_char(out, c);
	}
	return !out->failed;
}

/* Length of the UTF-8 character at bytes, its code point in *point; 0 when it is not valid. */
static size_t utf8_char(const unsigned char *bytes, size_t len, uint32_t *point)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };
	for (size_t n = 1; n <= 4; n++) {
		if ((bytes[0] & forms[n - 1].mask) != forms[n - 1].lead)
			continue;
		if (n > len)
			return 0;
		uint32_t value = bytes[0] & (unsigned char)~forms[n - 1].mask;
		for (size_t i = 1; i < n; i++) {
			if ((bytes[i] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (bytes[i] & 0x3f);
		}
		if (value < forms[n - 1].least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
			return 0;
		*point = value;
		return n;
	}
	return 0;
}

/* Characters that move the cursor, colour the screen, or reorder or hide text. */
static bool unsafe_point(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || c == 0x61c;
}

void text_safe(struct buf *out, const char *bytes, size_t len)
{
	const unsigned char *in = (const unsigned char *)bytes;
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t n = utf8_char(in + i, len - i, &point);
		if (n && !unsafe_point(point)) {
			buf_add(out, in + i, n);
			i += n;
			continue;
		}
		for (size_t end = i + (n ? n : 1); i < end; i++)
			buf_add_format(out, "\\x%02X", in[i]);
	}
}

void text_json(struct buf *out, const char *bytes, size_t len)
{
	const unsigned char *in = (const unsigned char *)bytes;
	buf_add_char(out, '"');
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t n = utf8_char(in + i, len - i, &point);
		if (!n) {
			buf_add_text(out, "\xef\xbf\xbd");
			n = 1;
		} else if (point == '"' || point == '\\') {
			buf_add_format(out, "\\%c", (int)point);
		} else if (point == '\n') {
			buf_add_text(out, "\\n");
		} else if (unsafe_point(point)) {
			buf_add_format(out, "\\u%04x", (unsigned)point);
		} else {
			buf_add(out, in + i, n);
		}
		i += n;
	}
	buf_add_char(out, '"');
}

void text_json_pair(struct buf *out, const char *key, const char *value)
{
	buf_add_format(out, ",\"%s\":", key);
	text_json(out, value, strlen(value));
}

bool text_utf8(const char *bytes, size_t len, size_t *bad)
{
	const unsigned char *in = (const unsigned char *)bytes;
	for (size_t i = 0; i < len;) {
		uint32_t point = 0;
		size_t n = in[i] ? utf8_char(in + i, len - i, &point) : 0;
		if (!n) {
			*bad = i;
			return false;
		}
		i += n;
	}
	return true;
}

bool text_int64(const char *text, int64_t low, int64_t high, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;
	const char *at = text + negative;
	if (!*at)
		return false;
	for (; *at; at++) {
		if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, *at - '0', &value))
			return false;
	}
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return false;
	if (value < low || value > high)
		return false;
	*out = value;
	return true;
}

bool text_duration_ms(const char *text, int64_t *out)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "sec", 1000 }, { "min", 60000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 } };
	char number[20];
	size_t digits = strspn(text, "0123456789");
	if (!digits || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	const char *unit = text + digits + strspn(text + digits, " ");
	int64_t value;
	if (!text_int64(number, 0, INT64_MAX, &value))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].unit) == 0)
			return !__builtin_mul_overflow(value, units[i].ms, out);
	return false;
}

bool text_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL;
	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool text_among(const char *const *words, const char *word)
{
	while (*words && strcmp(*words, word) != 0)
		words++;
	return *words;
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
	size_t len = strlen(text), tail = strlen(suffix);
	return len >= tail && strcmp(text + len - tail, suffix) == 0;
}
