/* One walk over a list of keys, for both forms. It knows no key. */
#include "fields.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "record.h"
#include "text.h"

/* The next key of the list, and its kind; 0 at the end. */
static char next_key(const char **list, char key[64])
{
	const char *start = *list + strspn(*list, " ");
	size_t len = strcspn(start, " ");
	*list = start + len;
	snprintf(key, 64, "%.*s", len > 2 ? (int)len - 2 : 0, start + (len > 2 ? 2 : 0));
	return len > 2 ? start[0] : 0;
}

void fields_record(struct buf *record, const char *list, ...)
{
	char key[64], kind;
	va_list values;
	va_start(values, list);
	while ((kind = next_key(&list, key))) {
		if (kind == 'n') {
			record_key_int64(record, key, va_arg(values, int64_t));
			continue;
		}
		const void *value = va_arg(values, const void *);
		if (value && kind == 'd')
			record_key_digest(record, key, value);
		else if (value)
			record_key(record, key, value);
	}
	va_end(values);
}

void fields_json(struct buf *out, const char *list, ...)
{
	char key[64], kind;
	va_list values;
	va_start(values, list);
	while ((kind = next_key(&list, key))) {
		for (char *p = key; *p; p++)
			*p = *p == '-' ? '_' : *p;
		buf_add_format(out, ",\"%s\":", key);
		if (kind == 'n') {
			buf_add_format(out, "%lld", (long long)va_arg(values, int64_t));
			continue;
		}
		const char *value = va_arg(values, const char *);
		if (value)
			text_json(out, value, strlen(value));
		else
			buf_add_text(out, "null");
	}
	va_end(values);
}
