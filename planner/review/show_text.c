/*
 * The plan for people: what it is, what they must look at, then class by class and program by
 * program what runs. Hundreds of schemas alike are one thing to read.
 */
#include "show_parts.h"

#include <inttypes.h>
#include <string.h>
#include "clock.h"
#include "text.h"

static void field(struct buf *out, const char *name, const char *value)
{
	buf_add_format(out, "  %-12s ", name);
	text_safe(out, value, strlen(value));
	buf_add_char(out, '\n');
}

static void time_field(struct buf *out, const char *name, int64_t us)
{
	char text[CLOCK_SECONDS_SIZE];

	clock_seconds(us, text);
	field(out, name, text);
}

static void head(const struct show *show, struct buf *out)
{
	const struct document *document = show->document;
	const struct plan_statement *statement = &show->statement;
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&show->plan, hex);
	buf_add_format(out, "plan %.12s for ", hex);
	text_safe(out, statement->label, strlen(statement->label));
	buf_add_text(out, document->program[0].revert ? ", reverting\n" : "\n");
	field(out, "database", statement->database);
	buf_add_format(out, "  %-12s %s, PostgreSQL %d\n", "system", statement->system_identifier,
		       statement->server_major);
	field(out, "apply host", statement->apply_host);
	buf_add_format(out, "  %-12s %" PRId64 " in %zu classes, %zu programs\n", "schemas",
		       statement->schemas, document->classes, document->programs);
	buf_add_format(out, "  %-12s %" PRId64 ", %" PRId64 " of them destructive\n", "statements",
		       statement->statements, statement->destructive);
	time_field(out, "created", statement->created_us);
	if (statement->not_before_us != statement->created_us)
		time_field(out, "not before", statement->not_before_us);
	time_field(out, "expires", statement->expires_us);
	field(out, "ticket", statement->ticket);
}

static void signatures(const struct show *show, struct buf *out)
{
	if (!show->signatures)
		buf_add_format(out, "  %-12s nobody yet\n", "signed by");
	for (size_t i = 0; i < show->signatures; i++) {
		const struct show_signature *signature = &show->signature[i];

		buf_add_format(out, "  %-12s ", i ? "" : "signed by");
		text_safe(out, signature->fingerprint, strlen(signature->fingerprint));
		if (!signature->is_approval) {
			buf_add_text(out, strcmp(signature->name_space, NAMESPACE_PLAN)
						  ? ", for something else: "
						  : ", as planner");
			if (strcmp(signature->name_space, NAMESPACE_PLAN) != 0)
				text_safe(out, signature->name_space,
					  strlen(signature->name_space));
		} else {
			buf_add_format(out, ", %s by ",
				       signature->approve ? "approved" : "REJECTED");
			text_safe(out, signature->who, strlen(signature->who));
			if (strcmp(signature->comment, "none") != 0) {
				buf_add_text(out, ": ");
				text_safe(out, signature->comment, strlen(signature->comment));
			}
		}
		buf_add_char(out, '\n');
	}
	if (show->signatures)
		buf_add_format(
			out,
			"  %-12s (shown as claimed; `pgdocket verify` judges them by a policy)\n",
			"");
}

static void finding(const struct show *show, const struct doc_finding *finding, struct buf *out)
{
	static const char *const severities[] = { "info", "warning", "DANGER" };

	buf_add_format(out, "  %-8s", severities[finding->severity]);
	if (finding->file) {
		text_safe(out, finding->file, strlen(finding->file));
		if (finding->line > 0)
			buf_add_format(out, ":%d", finding->line);
		buf_add_text(out, ": ");
	}
	text_safe(out, finding->message, strlen(finding->message));
	buf_add_format(out, " (%s", finding->rule);
	if (finding->class_index >= 0) {
		buf_add_format(out,
			       ", class %d: ", show->document->class[finding->class_index].number);
		show_schemas(show, finding->class_index, out);
	}
	buf_add_text(out, ")\n");
	if (finding->accepted) {
		buf_add_text(out, "          accepted: ");
		text_safe(out, finding->accepted, strlen(finding->accepted));
		buf_add_char(out, '\n');
	} else if (finding->hint) {
		buf_add_text(out, "          hint: ");
		text_safe(out, finding->hint, strlen(finding->hint));
		buf_add_char(out, '\n');
	}
}

static void findings(const struct show *show, int only, struct buf *out)
{
	const struct document *document = show->document;

	buf_add_text(out, "\nfindings\n");
	if (!document->findings)
		buf_add_text(out, "  none\n");
	for (int severity = DOC_DANGER; severity >= DOC_INFO; severity--)
		for (size_t i = 0; i < document->findings; i++) {
			const struct doc_finding *each = &document->finding[i];

			if ((int)each->severity == severity &&
			    (only < 0 || each->class_index < 0 ||
			     document->class[each->class_index].number == only))
				finding(show, each, out);
		}
}

static void shapes(const struct doc_class *class, struct buf *out)
{
	char before[DIGEST_HEX_SIZE] = "none: the schema is made",
	     after[DIGEST_HEX_SIZE] = "as the pilot's will be";

	if (class->has_shape_before) {
		digest_hex(&class->shape_before, before);
		before[12] = '\0';
	}
	if (class->has_shape_after) {
		digest_hex(&class->shape_after, after);
		after[12] = '\0';
	}
	buf_add_format(out, "  %-12s %s -> %s\n", "shape", before, after);
}

static void class_migrations(const struct doc_program *program, struct buf *out)
{
	bool shown = false;

	for (size_t s = 0; s < program->segments; s++)
		for (size_t i = 0; i < program->segment[s].migrations; i++) {
			const struct doc_migration *migration = &program->segment[s].migration[i];

			if (!doc_migration_begins(program, s, i))
				continue;
			buf_add_format(out, "  %-12s ",
				       shown             ? ""
				       : program->revert ? "reverts"
							 : "migrations");
			shown = true;
			text_safe(out, migration->version, strlen(migration->version));
			buf_add_char(out, ' ');
			text_safe(out, migration->name, strlen(migration->name));
			buf_add_char(out, '\n');
		}
}

/* Only where there is more than one: "3 segments: normal, alone, normal". */
static void class_segments(const struct doc_program *program, struct buf *out)
{
	if (program->segments == 1)
		return;
	buf_add_format(out, "  %-12s %zu: ", "segments", program->segments);
	for (size_t s = 0; s < program->segments; s++)
		buf_add_format(out, "%s%s", s ? ", " : "", show_lane(&program->segment[s]));
	buf_add_char(out, '\n');
}

static int class_text(const struct show *show, int index, struct buf *out, struct err *err)
{
	const struct doc_class *class = &show->document->class[index];
	const struct doc_program *program = &show->document->program[class->program];
	char hex[DIGEST_HEX_SIZE];

	buf_add_format(out, "\nclass %d, %s, %zu schema%s: ", class->number,
		       class->shared ? "shared" : "tenants", class->schemas,
		       class->schemas == 1 ? "" : "s alike");
	show_schemas(show, index, out);
	buf_add_format(out, "\n  %-12s ", "state");
	if (show_state(show, &class->state_before, out, err))
		return -1;
	digest_hex(&class->state_after, hex);
	buf_add_format(out, " -> %.12s\n", hex);
	shapes(class, out);
	class_migrations(program, out);
	class_segments(program, out);
	buf_add_format(out, "  %-12s %d\n", "program", program->number);
	return 0;
}

static void steps(const char *when, const struct doc_step *step, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (step[i].answer) {
			buf_add_format(out, "    %s: guard, the history must be in state %.12s\n",
				       when, step[i].answer);
		} else {
			buf_add_format(out, "    %s: ", when);
			text_safe(out, step[i].text, step[i].text_len);
			buf_add_char(out, '\n');
		}
	}
}

static int statement_text(const struct show *show, const struct doc_statement *statement,
			  struct buf *out, struct err *err)
{
	static const char *const does[] = { "", "  not run", "  added" };

	buf_add_format(out, "      %3d  line %d%s%s", statement->number, statement->line,
		       does[statement->does],
		       statement->does == DOC_RUN && statement->destructive ? "  DESTRUCTIVE" : "");
	for (size_t i = 0; i < statement->locks; i++) {
		buf_add_text(out, i ? ", " : "  locks ");
		text_safe(out, statement->lock[i], strlen(statement->lock[i]));
	}
	if (statement->why) {
		buf_add_text(out, statement->rewritten ? "  rewritten: " : ": ");
		text_safe(out, statement->why, strlen(statement->why));
	}
	buf_add_char(out, '\n');
	show_lines(out, statement->does == DOC_FILTERED ? "           | " : "           ",
		   statement->step.text, statement->step.text_len);
	if (!statement->rewritten)
		return 0;
	buf_add_text(out, "           was:\n");
	return show_original(show, statement, "             ", out, err);
}

static void alone_text(const struct doc_alone *alone, struct buf *out)
{
	buf_add_text(out, "    about: ");
	text_safe(out, alone->object, strlen(alone->object));
	buf_add_char(out, '\n');
	if (!alone->has_probe) {
		buf_add_text(out, "    no probe: it is run again until it succeeds\n");
		return;
	}
	buf_add_format(out, "    probe, which must say %s:\n", show_verdicts(alone));
	show_lines(out, "      ? ", alone->probe.text, alone->probe.text_len);
}

static int segment_text(const struct show *show, const struct doc_segment *segment, struct buf *out,
			struct err *err)
{
	size_t next = 0;

	buf_add_format(out, "  segment %d, %s\n", segment->number,
		       !segment->transactional ? "one statement, sent alone, outside of a transaction"
		       : segment->shared_locks ? "one transaction, locks shared tables: one "
						 "schema at a time"
					       : "one transaction");
	if (!segment->transactional)
		alone_text(&segment->alone, out);
	if (segment->create_schema)
		buf_add_text(out, "    before: CREATE SCHEMA\n");
	steps("before", segment->before, segment->befores, out);
	for (size_t m = 0; m < segment->migrations; m++) {
		buf_add_text(out, "    ");
		text_safe(out, segment->migration[m].file, strlen(segment->migration[m].file));
		buf_add_format(out, " (%s)\n", segment->migration[m].up ? "up" : "down");
		for (;
		     next < segment->statements && (size_t)segment->statement[next].migration == m;
		     next++)
			if (statement_text(show, &segment->statement[next], out, err))
				return -1;
	}
	steps("after", segment->after, segment->afters, out);
	return 0;
}

static bool shown(const struct show *show, size_t program, int only)
{
	for (size_t c = 0; c < show->document->classes; c++)
		if ((size_t)show->document->class[c].program == program &&
		    (only < 0 || show->document->class[c].number == only))
			return true;
	return false;
}

static int programs(const struct show *show, int only, struct buf *out, struct err *err)
{
	const struct document *document = show->document;

	for (size_t p = 0; p < document->programs; p++) {
		const char *separator = "";

		if (!shown(show, p, only))
			continue;
		buf_add_format(out, "\nprogram %d, of class ", document->program[p].number);
		for (size_t c = 0; c < document->classes; c++) {
			if ((size_t)document->class[c].program != p)
				continue;
			buf_add_format(out, "%s%d", separator, document->class[c].number);
			separator = ", ";
		}
		buf_add_char(out, '\n');
		for (size_t s = 0; s < document->program[p].segments; s++)
			if (segment_text(show, &document->program[p].segment[s], out, err))
				return -1;
	}
	return 0;
}

static void waves(const struct document *document, struct buf *out)
{
	buf_add_text(out, "\nwaves, in this order\n");
	for (size_t i = 0; i < document->waves; i++) {
		if (!document->wave[i].schemas)
			continue;
		buf_add_text(out, "  ");
		text_safe(out, document->wave[i].name, strlen(document->wave[i].name));
		buf_add_format(out, ": %zu schema%s, stops after %d failure%s\n",
			       document->wave[i].schemas, document->wave[i].schemas == 1 ? "" : "s",
			       document->wave[i].max_failures + 1,
			       document->wave[i].max_failures ? "s" : "");
	}
}

static void settings(const struct document *document, struct buf *out)
{
	buf_add_text(out, "\nsettings\n");
	buf_add_format(out,
		       "  one transaction per %s; guard %s; lock_timeout %" PRId64
		       " ms, statement_timeout %" PRId64 " ms, %d retries\n",
		       document->per_migration ? "migration" : "schema",
		       document->strict_guard ? "strict" : "normal", document->lock_timeout_ms,
		       document->statement_timeout_ms, document->retries);
	buf_add_text(out, "  search_path = ");
	for (size_t i = 0; i < document->paths; i++) {
		buf_add_text(out, i ? ", " : "");
		text_safe(out, document->path[i], strlen(document->path[i]));
	}
	for (size_t i = 0; i < document->pins; i++) {
		buf_add_text(out, i % 4 ? "; " : "\n  ");
		text_safe(out, document->pin[i].name, strlen(document->pin[i].name));
		buf_add_text(out, " = ");
		text_safe(out, document->pin[i].value, strlen(document->pin[i].value));
	}
	buf_add_char(out, '\n');
}

#define LEFT_OUT_SHOWN 3

/* One line for each reason, in the order of the first schema that has it. */
static void left_out(const struct document *document, struct buf *out)
{
	if (document->left_outs)
		buf_add_text(out, "\nleft out\n");
	for (size_t i = 0; i < document->left_outs; i++) {
		const char *why = document->left_out[i].why;
		size_t count = 0, before = 0;

		for (size_t j = 0; j < i && !before; j++)
			before += !strcmp(document->left_out[j].why, why);
		if (before)
			continue;
		buf_add_text(out, "  ");
		text_safe(out, why, strlen(why));
		for (size_t j = i; j < document->left_outs; j++) {
			if (strcmp(document->left_out[j].why, why) != 0 ||
			    count++ >= LEFT_OUT_SHOWN)
				continue;
			buf_add_text(out, count > 1 ? ", " : ": ");
			text_safe(out, document->left_out[j].name,
				  strlen(document->left_out[j].name));
		}
		if (count > LEFT_OUT_SHOWN)
			buf_add_format(out, " and %zu more", count - LEFT_OUT_SHOWN);
		buf_add_char(out, '\n');
	}
}

int show_text(const struct show *show, int only, struct buf *out, struct err *err)
{
	head(show, out);
	signatures(show, out);
	findings(show, only, out);
	for (size_t i = 0; i < show->document->classes; i++)
		if ((only < 0 || show->document->class[i].number == only) &&
		    class_text(show, (int)i, out, err))
			return -1;
	if (programs(show, only, out, err))
		return -1;
	if (only < 0) {
		waves(show->document, out);
		settings(show->document, out);
		left_out(show->document, out);
	}
	return buf_check(out, err);
}
