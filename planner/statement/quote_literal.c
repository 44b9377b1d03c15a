/* Literals for SQL text, as quote.h has them; only the planner writes any. */
#include <string.h>
#include "quote.h"
#include "text.h"

int quote_literal(struct buf *out, const char *text, struct err *err)
{
	size_t bad;
	if (!text_utf8(text, strlen(text), &bad))
		return err_set(err, ERR_FORMAT, "a name or value is not valid UTF-8 at byte %zu", bad);
	buf_add_text(out, strchr(text, '\\') ? " E'" : "'");
	for (const char *c = text; *c; c++) {
		if (*c == '\'' || *c == '\\')
			buf_add_char(out, *c);
		buf_add_char(out, *c);
	}
	buf_add_char(out, '\'');
	return buf_check(out, err);
}
