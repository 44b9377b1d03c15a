/* Identifiers for SQL text. Refuses what PostgreSQL would cut or misread. */
#include "quote.h"
#include <string.h>
#include "text.h"

#define IDENTIFIER_MAX 63 /* NAMEDATALEN - 1 */

int quote_identifier(struct buf *out, const char *name, struct err *err)
{
	size_t len = strlen(name), bad;
	if (len == 0)
		return err_set(err, ERR_FORMAT, "an empty name cannot be a PostgreSQL identifier");
	if (len > IDENTIFIER_MAX)
		return err_set(err, ERR_FORMAT,
			"the name \"%.80s\" is %zu bytes long; PostgreSQL cuts names at %d", name, len,
			IDENTIFIER_MAX);
	if (!text_utf8(name, len, &bad))
		return err_set(err, ERR_FORMAT, "a name or value is not valid UTF-8 at byte %zu", bad);
	buf_add_char(out, '"');
	for (const char *c = name; *c; c++) {
		if (*c == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *c);
	}
	buf_add_char(out, '"');
	return buf_check(out, err);
}
