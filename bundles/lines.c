/* Reader and writer of the line grammar of statements and audit records. These are the first texts
 * of a bundle that are parsed, and nothing vouches for them yet: every byte that is not expected is
 * an error with its line. */
#include "lines.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "digest.h"
#include "plan_statement.h"
#include "text.h"

#define TOKEN_MAX (3 * STATEMENT_TEXT_MAX)

int lines_wrong(const struct lines *lines, struct err *err, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(err, ERR_FORMAT, "%s, line %d: %s", lines->what, lines->number, text);
}

int lines_open(struct lines *lines, const char *what, const char *bytes, size_t len, size_t max,
	struct err *err)
{
	*lines = (struct lines){ what, bytes, bytes + len, 1 };
	if (len > max)
		return err_set(err, ERR_LIMIT, "%s of %zu bytes: at most %zu are allowed", what, len, max);
	if (!len)
		return err_set(err, ERR_FORMAT, "%s: empty", what);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == '\n')
			lines->number++;
		else if (c < 0x20 || c > 0x7e)
			return lines_wrong(lines, err, "byte 0x%02X is not allowed", c);
	}
	if (bytes[len - 1] != '\n')
		return lines_wrong(lines, err, "the last line has no line end");
	lines->number = 0;
	return 0;
}

/* Length of the line at at; there is always a line end unless the text is over. */
static size_t line_len(const struct lines *lines)
{
	const char *newline = lines->at < lines->end
		? memchr(lines->at, '\n', (size_t)(lines->end - lines->at))
		: NULL;
	return newline ? (size_t)(newline - lines->at) : 0;
}

static int take_line(struct lines *lines, const char **line, size_t *len, struct err *err)
{
	lines->number++;
	if (lines->at == lines->end)
		return lines_wrong(lines, err, "the text ends too early");
	*line = lines->at;
	*len = line_len(lines);
	lines->at += *len + 1;
	return 0;
}

int lines_stands(const struct lines *lines, const char *text)
{
	size_t len = line_len(lines);
	return lines->at < lines->end && len == strlen(text) && memcmp(lines->at, text, len) == 0;
}

int lines_expect(struct lines *lines, const char *text, struct err *err)
{
	bool same = lines_stands(lines, text);
	const char *line = "";
	size_t len = 0;
	if (take_line(lines, &line, &len, err))
		return -1;
	if (!same)
		return lines_wrong(lines, err, "\"%s\" was expected", text);
	return 0;
}

int lines_pair(struct lines *lines, struct lines_pair *pair, struct err *err)
{
	const char *line = "";
	size_t len = 0;
	if (take_line(lines, &line, &len, err))
		return -1;
	const char *colon = memchr(line, ':', len);
	size_t key_len = colon ? (size_t)(colon - line) : 0;
	if (!key_len || len < key_len + 3 || colon[1] != ' ')
		return lines_wrong(lines, err, "\"key: value\" was expected");
	for (size_t i = 0; i < key_len; i++)
		if (!(line[i] >= 'a' && line[i] <= 'z') &&
			!(i && ((line[i] >= '0' && line[i] <= '9') || line[i] == '-')))
			return lines_wrong(
				lines, err, "\"%.*s\" is not a key", (int)(key_len < 60 ? key_len : 60), line);
	*pair = (struct lines_pair){ line, colon + 2, key_len, len - key_len - 2 };
	return 0;
}

int lines_close(struct lines *lines, struct err *err)
{
	if (lines_expect(lines, "end", err))
		return -1;
	if (lines->at != lines->end) {
		lines->number++;
		return lines_wrong(lines, err, "bytes behind \"end\"");
	}
	return 0;
}

static bool host_valid(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (strcmp(text, "any") == 0)
		return true;
	return text_starts(text, "SHA256:") && strlen(text) == 50 && strspn(text + 7, digits) == 43;
}

static bool text_field(const char *token, size_t len, char *field)
{
	struct buf decoded = BUF_INIT(STATEMENT_TEXT_MAX - 1);
	size_t bad;
	bool valid = text_unpercent(token, len, &decoded) && decoded.len &&
		text_utf8(decoded.data, decoded.len, &bad);
	if (valid)
		memcpy(field, decoded.data, decoded.len + 1);
	buf_release(&decoded);
	return valid;
}

/* token is NUL-terminated, len bytes. */
static bool parse_item(const struct lines_item *item, const char *token, size_t len, void *values)
{
	void *field = (char *)values + item->offset;
	bool valid = false;
	int64_t number = 0;
	switch ((enum lines_kind)item->kind) {
	case LINES_DIGEST:
		return text_starts(token, "sha256:") && digest_parse(token + 7, len - 7, field);
	case LINES_HASH: return digest_parse(token, len, field);
	case LINES_INT:
		valid = text_int64(token, item->low, item->high, &number);
		*(int *)field = (int)number;
		return valid;
	case LINES_INT64: return text_int64(token, item->low, item->high, field);
	case LINES_TEXT: return text_field(token, len, field);
	case LINES_TIME: return len == CLOCK_SECONDS_SIZE - 1 && clock_parse(token, field);
	case LINES_MICROS: return len == CLOCK_MICROS_SIZE - 1 && clock_parse(token, field);
	case LINES_DECISION:
		*(bool *)field = strcmp(token, "approve") == 0;
		return *(bool *)field || strcmp(token, "reject") == 0;
	case LINES_ONE: return strcmp(token, "1") == 0;
	case LINES_DECIMAL: valid = len <= 20 && strspn(token, "0123456789") == len; break;
	case LINES_ID: valid = len == 32 && strspn(token, "0123456789abcdef") == len; break;
	case LINES_HOST: valid = host_valid(token); break;
	case LINES_NONE: break;
	}
	if (valid)
		memcpy(field, token, len + 1);
	return valid;
}

static void write_item(const struct lines_item *item, const void *values, struct buf *out)
{
	const void *field = (const char *)values + item->offset;
	char time[CLOCK_MICROS_SIZE];
	switch ((enum lines_kind)item->kind) {
	case LINES_DIGEST: buf_add_format(out, "sha256:%s", digest_text(field).hex); break;
	case LINES_HASH: buf_add_text(out, digest_text(field).hex); break;
	case LINES_INT: buf_add_format(out, "%d", *(const int *)field); break;
	case LINES_INT64: buf_add_format(out, "%lld", (long long)*(const int64_t *)field); break;
	case LINES_TEXT: text_percent(out, field, strlen(field)); break;
	case LINES_TIME: buf_add_text(out, clock_text(*(const int64_t *)field).text); break;
	case LINES_MICROS:
		clock_micros(*(const int64_t *)field, time);
		buf_add_text(out, time);
		break;
	case LINES_DECIMAL:
	case LINES_ID:
	case LINES_HOST: buf_add_text(out, field); break;
	case LINES_DECISION: buf_add_text(out, *(const bool *)field ? "approve" : "reject"); break;
	case LINES_ONE: buf_add_text(out, "1"); break;
	case LINES_NONE: break;
	}
}

static int parse_value(const struct lines_row *row, const struct lines *lines,
	const struct lines_pair *pair, void *values, struct err *err)
{
	const char *at = pair->value, *end = pair->value + pair->value_len;
	char token[TOKEN_MAX];
	for (const struct lines_item *item = row->item; item->kind != LINES_NONE; item++) {
		const char *blank = at < end ? memchr(at, ' ', (size_t)(end - at)) : NULL;
		size_t len = at < end ? (size_t)((blank ? blank : end) - at) : 0;
		if (!len || len >= sizeof(token))
			return lines_wrong(lines, err, "%s has not as many values as it should", row->key);
		memcpy(token, at, len);
		token[len] = '\0';
		int64_t more;
		if (item->kind == LINES_ONE && text_int64(token, 2, INT64_MAX, &more))
			return err_set_hint(err, ERR_VERSION, "use a newer version of pgdocket",
				"%s, line %d: %s is %s, this version knows 1", lines->what, lines->number, row->key,
				token);
		if (!parse_item(item, token, len, values))
			return lines_wrong(lines, err, "the value of %s is wrong: %.100s", row->key, token);
		at += len + 1;
	}
	if (at <= end)
		return lines_wrong(lines, err, "%s has more values than it should", row->key);
	return 0;
}

int lines_parse_rows(
	const struct lines_row *rows, struct lines *lines, void *values, struct err *err)
{
	struct lines_pair pair;
	for (const struct lines_row *row = rows; row->key; row++) {
		if (lines_pair(lines, &pair, err))
			return -1;
		if (pair.key_len != strlen(row->key) || memcmp(pair.key, row->key, pair.key_len) != 0)
			return lines_wrong(lines, err, "key \"%s\" was expected", row->key);
		if (parse_value(row, lines, &pair, values, err))
			return -1;
	}
	return 0;
}

int lines_write_rows(
	const struct lines_row *rows, const void *values, struct buf *out, struct err *err)
{
	for (const struct lines_row *row = rows; row->key; row++) {
		buf_add_text(out, row->key);
		buf_add_char(out, ':');
		for (const struct lines_item *item = row->item; item->kind != LINES_NONE; item++) {
			buf_add_char(out, ' ');
			write_item(item, values, out);
		}
		buf_add_char(out, '\n');
	}
	return buf_check(out, err);
}

int lines_write(
	const struct lines_format *format, const void *values, struct buf *out, struct err *err)
{
	buf_add_format(out, "%s\n", format->header);
	if (lines_write_rows(format->rows, values, out, err))
		return -1;
	buf_add_text(out, "end\n");
	return buf_check(out, err);
}

int lines_parse(
	const struct lines_format *format, const char *bytes, size_t len, void *values, struct err *err)
{
	struct lines lines;
	struct buf again = BUF_INIT(STATEMENT_MAX_BYTES);
	int result = lines_open(&lines, format->what, bytes, len, STATEMENT_MAX_BYTES, err) ||
			lines_expect(&lines, format->header, err) ||
			lines_parse_rows(format->rows, &lines, values, err) || lines_close(&lines, err) ||
			lines_write(format, values, &again, err)
		? -1
		: 0;
	if (!result && (again.len != len || memcmp(again.data, bytes, len) != 0))
		result = err_set(
			err, ERR_FORMAT, "%s: not written in the one form that its values have", format->what);
	buf_release(&again);
	return result;
}
