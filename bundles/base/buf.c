/* The one growing buffer: every length that comes from outside ends at its maximum. */
#include "buf.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf)BUF_INIT(max);
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Room for len more bytes and a NUL; false with failed set otherwise. */
static int reserve(struct buf *buf, size_t len)
{
	if (buf->failed)
		return 0;
	if (len > buf->max - buf->len) {
		buf->failed = ERR_LIMIT;
		return 0;
	}
	size_t need = buf->len + len + 1;
	if (need <= buf->capacity)
		return 1;
	size_t capacity = buf->capacity < 64 ? 64 : buf->capacity + buf->capacity / 2;
	if (capacity < need)
		capacity = need;
	char *data = realloc(buf->data, capacity);
	if (!data) {
		buf->failed = ERR_NOMEM;
		return 0;
	}
	buf->data = data;
	buf->capacity = capacity;
	return 1;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_format(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		buf->failed = ERR_LIMIT;
	else if (reserve(buf, (size_t)len)) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

int buf_check(const struct buf *buf, struct err *err)
{
	if (!buf->failed)
		return 0;
	if (buf->failed == ERR_NOMEM)
		return err_nomem(err);
	return err_set(err, ERR_LIMIT, "more than the %zu bytes allowed", buf->max);
}

char *buf_detach(struct buf *buf, size_t *len)
{
	buf_add(buf, "", 0);
	char *data = NULL;
	if (!buf->failed) {
		data = buf->data;
		if (len)
			*len = buf->len;
		buf->data = NULL;
	}
	buf_release(buf);
	return data;
}
