/*
 * Shapes as the server writes them (shape.sql), read back into objects by name. Reads text alone:
 * what a shape means for a plan is decided elsewhere, and nothing here asks a server.
 */
#include <string.h>
#include "shape.h"
#include "sql.h"
#include "text.h"

#define FIELDS 6
#define GUARD_MAX_BYTES 32768
static const char guard_head[] = "SELECT s.schema, s.fingerprint FROM (\n";
static const char guard_tail[] = ") AS s\n";

const char *shape_query(int server_version)
{
	(void)server_version; /* one text serves 12 to 18 */
	return sql_shape;
}

/* The same statement with its last column cut off, put together at the first call. */
const char *shape_guard_query(int server_version)
{
	static char guard[GUARD_MAX_BYTES];
	size_t head = sizeof guard_head - 1, body = strlen(sql_shape);

	(void)server_version;
	if (!guard[0] && head + body + sizeof guard_tail <= sizeof guard) {
		memcpy(guard + head, sql_shape, body);
		memcpy(guard + head + body, guard_tail, sizeof guard_tail);
		memcpy(guard, guard_head, head);
	}
	return guard;
}

static int wrong(struct err *err, size_t line)
{
	return err_set(err, ERR_FORMAT, "a shape's line %zu is not an array of texts", line);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at && *at ? (int)(at - digits) : -1;
}

/*
 * The character behind a backslash; 0: not one that the server writes. \u stands for control
 * characters only.
 */
static char unescape(const char **at, const char *end)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int value = 0;

	if (*at == end)
		return 0;
	found = **at ? strchr(from, **at) : NULL;
	if (found) {
		++*at;
		return to[found - from];
	}
	if (**at != 'u' || end - *at < 5)
		return 0;
	for (int i = 1; i <= 4; i++) {
		int digit = hex_digit((*at)[i]);
		if (digit < 0)
			return 0;
		value = value * 16 + digit;
	}
	*at += 5;
	return value < 0x80 ? (char)value : 0;
}

/*
 * One JSON string, *at behind its opening quote; afterwards behind the closing one. NULL:
 * malformed, or out of memory.
 */
static const char *read_text(struct arena *arena, const char **at, const char *end, struct err *err)
{
	const char *close = *at;
	char *out, *put;

	while (close < end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	if (close >= end)
		return NULL;
	out = put = arena_alloc(arena, (size_t)(close - *at) + 1, err);
	if (!out)
		return NULL;
	while (*at < close) {
		char c = *(*at)++;
		if (c == '\\' && !(c = unescape(at, close)))
			return NULL;
		*put++ = c;
	}
	*at = close + 1;
	return out;
}

/* The line's fields; the count, or -1. */
static int read_fields(struct arena *arena, const char *at, const char *end,
		       const char *field[FIELDS], struct err *err)
{
	int count = 0;

	if (at == end || *at++ != '[')
		return -1;
	while (count < FIELDS && at < end && *at == '"') {
		at++;
		field[count] = read_text(arena, &at, end, err);
		if (!field[count++] || at == end)
			return -1;
		if (*at == ']')
			return at + 1 == end ? count : -1;
		if (*at++ != ',')
			return -1;
	}
	return -1;
}

static int read_object(struct arena *arena, const char *const *field, int count,
		       struct shape_object *out, struct err *err)
{
	bool unmodelled = strcmp(field[0], "unmodelled") == 0;

	if (unmodelled ? count != 3 && count != 4 : count != FIELDS)
		return -1;
	out->kind = field[0];
	out->name = field[unmodelled ? 2 : 1];
	if (unmodelled) {
		out->sort = field[1];
		out->detail = count == 3 ? field[1]
					 : arena_format(arena, err, "%s %s", field[1], field[3]);
		return out->detail ? 0 : -1;
	}
	out->table = *field[2] ? field[2] : NULL;
	out->detail =
		arena_format(arena, err, "%s%s%s%s%s", field[3], *field[3] && *field[4] ? " " : "",
			     field[4], *field[5] && (*field[3] || *field[4]) ? " " : "", field[5]);
	return out->detail ? 0 : -1;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

int shape_parse(struct arena *arena, const char *text, size_t len, struct shape **out,
		struct err *err)
{
	struct shape *shape = arena_alloc(arena, sizeof *shape, err);
	const char *at = text, *end = text + len;

	if (!shape)
		return -1;
	shape->object = arena_array(arena, count_lines(text, len), sizeof *shape->object, err);
	if (!shape->object)
		return -1;
	while (at < end) {
		const char *field[FIELDS], *newline = memchr(at, '\n', (size_t)(end - at));
		struct shape_object *object = &shape->object[shape->objects];
		int count = newline ? read_fields(arena, at, newline, field, err) : -1;
		if (count < 0 || read_object(arena, field, count, object, err))
			return wrong(err, shape->objects + 1);
		shape->objects++;
		shape->tables += strcmp(object->kind, "table") == 0;
		shape->unmodelled += strcmp(object->kind, "unmodelled") == 0;
		at = newline + 1;
	}
	*out = shape;
	return 0;
}

static bool is_relation(const char *kind)
{
	static const char *const kinds[] = { "table", "view", "matview", "sequence", "index" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

const struct shape_object *shape_find(const struct shape *shape, const char *kind, const char *name)
{
	for (size_t i = 0; i < shape->objects; i++) {
		const struct shape_object *object = &shape->object[i];
		if (strcmp(object->name, name) == 0 &&
		    (kind ? strcmp(object->kind, kind) == 0 : is_relation(object->kind)))
			return object;
	}
	return NULL;
}
