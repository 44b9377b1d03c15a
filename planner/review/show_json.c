/* The plan for programs: the document's bytes as they are, beside what only the statement says. */
#include "show_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "object.h"
#include "text.h"

static void member(struct buf *out, const char *key, const char *text)
{
	buf_add_format(out, "\"%s\":", key);
	if (text)
		text_json(out, text, strlen(text));
	else
		buf_add_text(out, "null");
	buf_add_char(out, ',');
}

static void time_member(struct buf *out, const char *key, int64_t us)
{
	char text[CLOCK_SECONDS_SIZE];

	clock_seconds(us, text);
	member(out, key, text);
}

static void signatures(const struct show *show, struct buf *out)
{
	buf_add_text(out, "\"signatures\":[");
	for (size_t i = 0; i < show->signatures; i++) {
		const struct show_signature *signature = &show->signature[i];

		buf_add_text(out, i ? ",{" : "{");
		member(out, "namespace", signature->name_space);
		member(out, "key", signature->fingerprint);
		member(out, "decision",
		       !signature->is_approval ? NULL
		       : signature->approve    ? "approve"
					       : "reject");
		member(out, "who", signature->who);
		buf_add_text(out, "\"comment\":");
		if (signature->comment)
			text_json(out, signature->comment, strlen(signature->comment));
		else
			buf_add_text(out, "null");
		buf_add_char(out, '}');
	}
	buf_add_text(out, "],");
}

int show_json(const struct show *show, struct buf *out, struct err *err)
{
	const struct plan_statement *statement = &show->statement;
	char hex[DIGEST_HEX_SIZE], *document = NULL;
	size_t len;

	if (object_get(show->db, &statement->document, "document", &document, &len, err))
		return -1;
	digest_hex(&show->plan, hex);
	buf_add_char(out, '{');
	member(out, "plan", hex);
	member(out, "label", statement->label);
	member(out, "apply_host", statement->apply_host);
	buf_add_format(out,
		       "\"schemas\":%" PRId64 ",\"statements\":%" PRId64 ",\"destructive\":%" PRId64
		       ",",
		       statement->schemas, statement->statements, statement->destructive);
	time_member(out, "created", statement->created_us);
	time_member(out, "not_before", statement->not_before_us);
	time_member(out, "expires", statement->expires_us);
	member(out, "ticket", statement->ticket);
	signatures(show, out);
	buf_add_text(out, "\"document\":");
	buf_add(out, document, len - (len && document[len - 1] == '\n'));
	buf_add_text(out, "}\n");
	free(document);
	return buf_check(out, err);
}
