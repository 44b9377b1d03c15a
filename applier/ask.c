/*
 * Values on their way into statements, with one deadline for all questions that are asked outside
 * of segments. Statements get values this way and no other; nothing here may become part of their
 * text.
 */
#include "ask.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MS 60000

void ask_parameters(struct ask_parameters *out, const char *format, va_list values)
{
	for (out->count = 0; *format; format++) {
		char *text = out->text[out->count];
		const char **value = &out->value[out->count++];
		*value = text;
		if (*format == 't') {
			*value = va_arg(values, const char *);
		} else if (*format == 'd') {
			memcpy(text, "\\x", 2);
			digest_hex(va_arg(values, const struct digest *), text + 2);
		} else {
			int64_t number = *format == 'i' ? va_arg(values, int) : va_arg(values, int64_t);
			snprintf(text, ASK_TEXT, "%" PRId64, number);
			if (*format == 'x' && !number)
				*value = NULL;
		}
	}
}

void ask_array_text(struct buf *array, const char *item)
{
	buf_add_text(array, array->len ? ",\"" : "{\"");
	for (const char *p = item; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_char(array, '\\');
		buf_add_char(array, *p);
	}
	buf_add_char(array, '"');
}

void ask_array_number(struct buf *array, int64_t item)
{
	buf_add_format(array, "%c%" PRId64, array->len ? ',' : '{', item);
}

void ask_array_end(struct buf *array)
{
	buf_add_text(array, array->len ? "}" : "{}");
}

int ask_rows_list(struct session *session, const char *sql, struct rows **out, struct err *err,
	const char *format, va_list values)
{
	struct ask_parameters p;
	ask_parameters(&p, format, values);
	return session_rows(session, sql, p.count, p.value, ANSWER_MS, out, err);
}

int ask_rows(struct session *session, const char *sql, struct rows **out, struct err *err,
	const char *format, ...)
{
	va_list values;
	va_start(values, format);
	int rc = ask_rows_list(session, sql, out, err, format, values);
	va_end(values);
	return rc;
}

int ask_run(struct session *session, const char *sql, struct err *err, const char *format, ...)
{
	struct rows *rows;
	va_list values;
	va_start(values, format);
	int rc = ask_rows_list(session, sql, &rows, err, format, values);
	va_end(values);
	rows_free(rows);
	return rc;
}

bool ask_digest(const struct rows *rows, int row, int column, struct digest *out)
{
	const char *hex = rows_text(rows, row, column);
	return hex && digest_parse(hex, strlen(hex), out);
}
