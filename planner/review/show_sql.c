/*
 * The plan as SQL, for reading and diffing, not for running: class by class what the applier sends,
 * with what was filtered as comments and why. The applier's own bookkeeping beside it is named, not
 * written out.
 */
#include "show_parts.h"

#include <string.h>
#include "text.h"

static void comment(struct buf *out, const char *label, const char *text)
{
	struct buf safe = BUF_INIT(1u << 20);

	text_safe(&safe, text, strlen(text));
	buf_add_format(out, "-- %s%s\n", label, buf_text(&safe));
	buf_release(&safe);
}

static int statement_sql(const struct show *show, const struct doc_segment *segment,
			 const struct doc_statement *statement, struct buf *out, struct err *err)
{
	const struct doc_migration *migration = &segment->migration[statement->migration];
	bool filtered = statement->does == DOC_FILTERED;

	buf_add_text(out, "\n-- ");
	text_safe(out, migration->file, strlen(migration->file));
	buf_add_format(out, ":%d%s\n", statement->line,
		       statement->destructive && !filtered ? "  DESTRUCTIVE" : "");
	if (statement->why)
		comment(out,
			filtered               ? "not run here: "
			: statement->rewritten ? "rewritten: "
					       : "added: ",
			statement->why);
	for (size_t i = 0; i < statement->locks; i++)
		comment(out, "locks ", statement->lock[i]);
	if (statement->rewritten && !filtered) {
		buf_add_text(out, "-- was:\n");
		if (show_original(show, statement, "--   ", out, err))
			return -1;
	}
	show_lines(out, filtered ? "-- " : "", statement->step.text, statement->step.text_len);
	if (!filtered) {
		out->len--; /* the newline of the last line */
		buf_add_text(out, ";\n");
	}
	return 0;
}

static void steps(const struct doc_step *step, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (step[i].answer) {
			buf_add_format(out, "\n-- guard: the history's state must be %.16s\n",
				       step[i].answer);
			continue;
		}
		buf_add_text(out, "\n-- bookkeeping\n");
		show_lines(out, "", step[i].text, step[i].text_len);
		out->len--;
		buf_add_text(out, ";\n");
	}
}

static void probe_sql(const struct doc_alone *alone, struct buf *out)
{
	if (!alone->has_probe) {
		buf_add_text(out, "\n-- no probe: what follows is run again until it succeeds\n");
		return;
	}
	buf_add_format(out, "\n-- probe, which must say %s:\n", show_verdicts(alone));
	show_lines(out, "-- ", alone->probe.text, alone->probe.text_len);
}

/* What is sent alone stands between two transactions: guards before it, history rows behind it. */
static int segment_sql(const struct show *show, const struct doc_segment *segment, struct buf *out,
		       struct err *err)
{
	buf_add_format(out, "\n-- segment %d, %s%s\nBEGIN;\n", segment->number, show_lane(segment),
		       segment->shared_locks ? ": locks shared tables, one schema at a time" : "");
	if (segment->create_schema)
		buf_add_text(out, "\n-- the schema is made first: CREATE SCHEMA\n");
	steps(segment->before, segment->befores, out);
	if (!segment->transactional) {
		buf_add_text(out, "\nCOMMIT;\n\n-- sent alone, outside of a transaction\n");
		probe_sql(&segment->alone, out);
	}
	for (size_t i = 0; i < segment->statements; i++)
		if (statement_sql(show, segment, &segment->statement[i], out, err))
			return -1;
	if (!segment->transactional) {
		buf_add_text(out, "\nBEGIN;\n");
		steps(segment->before, segment->befores, out);
	}
	steps(segment->after, segment->afters, out);
	buf_add_text(out, "\nCOMMIT;\n");
	return 0;
}

static int class_sql(const struct show *show, int class_index, struct buf *out, struct err *err)
{
	const struct document *document = show->document;
	const struct doc_program *program =
		&document->program[document->class[class_index].program];

	buf_add_text(
		out,
		"\n-- ======================================================================\n");
	buf_add_format(out, "-- class %d, %zu schema%s: ", document->class[class_index].number,
		       document->class[class_index].schemas,
		       document->class[class_index].schemas == 1 ? "" : "s");
	show_schemas(show, class_index, out);
	buf_add_char(out, '\n');
	for (size_t s = 0; s < program->segments; s++)
		if (segment_sql(show, &program->segment[s], out, err))
			return -1;
	return 0;
}

int show_sql(const struct show *show, int only, struct buf *out, struct err *err)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&show->plan, hex);
	buf_add_format(out,
		       "-- plan %.12s, to be read, not to be run: the applier checks guards and "
		       "keeps a ledger beside this\n",
		       hex);
	for (size_t i = 0; i < show->document->classes; i++)
		if ((only < 0 || show->document->class[i].number == only) &&
		    class_sql(show, (int)i, out, err))
			return -1;
	return buf_check(out, err);
}
