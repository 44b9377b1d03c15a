/*
 * Pieces that the text and the SQL for reviewers have in common. Everything foreign is escaped
 * here.
 */
#include "show_parts.h"

#include <stdlib.h>
#include <string.h>
#include "object.h"
#include "text.h"

void show_schemas(const struct show *show, int class_index, struct buf *out)
{
	const struct document *document = show->document;
	size_t shown = 0, count = document->class[class_index].schemas;

	for (size_t i = 0; i < document->schemas && shown < 3; i++) {
		if (document->schema[i].class_index != class_index)
			continue;
		if (shown++)
			buf_add_text(out, ", ");
		text_safe(out, document->schema[i].name, strlen(document->schema[i].name));
	}
	if (count > shown)
		buf_add_format(out, " and %zu more", count - shown);
}

const char *show_lane(const struct doc_segment *segment)
{
	if (!segment->transactional)
		return "alone";
	return segment->shared_locks ? "shared" : "normal";
}

const char *show_verdicts(const struct doc_alone *alone)
{
	if (!strcmp(alone->probe.answer, "ready"))
		return "ready before and behind it";
	if (!strcmp(alone->probe.answer, "open|done"))
		return "open before it, or done already, and done behind it";
	return "open before it, and done behind it";
}

void show_lines(struct buf *out, const char *indent, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t line = newline ? (size_t)(newline - (text + at)) : len - at;

		buf_add_text(out, indent);
		/* A tab is no danger to a terminal, and SQL is full of them. */
		for (size_t i = 0; i < line;) {
			const char *tab = memchr(text + at + i, '\t', line - i);
			size_t plain = tab ? (size_t)(tab - (text + at + i)) : line - i;

			text_safe(out, text + at + i,
				  plain - (plain && !tab && text[at + i + plain - 1] == '\r'));
			if (tab)
				buf_add_char(out, '\t');
			i += plain + (tab != NULL);
		}
		buf_add_char(out, '\n');
		at += line + 1;
	}
}

int show_original(const struct show *show, const struct doc_statement *statement,
		  const char *indent, struct buf *out, struct err *err)
{
	char *text = NULL;
	size_t len;

	if (object_get(show->db, &statement->original, "statement", &text, &len, err))
		return -1;
	show_lines(out, indent, text, len);
	free(text);
	return 0;
}

int show_state(const struct show *show, const struct digest *state, struct buf *out,
	       struct err *err)
{
	struct digest none;
	char *text = NULL;
	size_t len, start;

	digest_of("none\n", 5, &none);
	if (digest_equal(state, &none)) {
		buf_add_text(out, "no history table");
		return 0;
	}
	if (object_get(show->db, state, "state", &text, &len, err))
		return -1;
	len -= len && text[len - 1] == '\n';
	start = len;
	while (start && text[start - 1] != '\n')
		start--;
	text_safe(out, text, strcspn(text, "\n"));
	buf_add_text(out, start ? ", at " : ", nothing applied");
	if (start)
		text_safe(out, text + start, strcspn(text + start, " \n"));
	if (len - start > 2 && !memcmp(text + len - 2, " t", 2))
		buf_add_text(out, " (dirty)");
	free(text);
	return 0;
}
