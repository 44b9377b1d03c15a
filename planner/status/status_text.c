/*
 * The status for people: a line for each class, then what stands out by name, then (if asked)
 * every schema.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "status_private.h"
#include "text.h"

#define NAMES_SHOWN 3
#define DIFFERENCES_SHOWN 4
#define REMARK_MAX 1000

static const char *const scopes[] = { "shared", "tenant", "orphan" };

static void add_safe(struct buf *out, const char *text)
{
	text_safe(out, text, strlen(text));
}

static void color(const struct status *status, struct buf *out, const char *code)
{
	if (status->color)
		buf_add_format(out, "\033[%sm", code);
}

/* "a, b, c and 13 more" */
static void add_names(const struct status *status, struct buf *out,
		      const struct classes_class *class)
{
	size_t shown = status->verbose ? class->schemas : NAMES_SHOWN;

	for (size_t i = 0; i < class->schemas && i < shown; i++) {
		buf_add_text(out, i ? ", " : "");
		add_safe(out, status->set->schema[class->schema[i]].name);
	}
	if (class->schemas > shown)
		buf_add_format(out, " and %zu more", class->schemas - shown);
}

static void add_heading(const struct status *status, struct buf *out, struct err *err)
{
	const struct classes_target *target = &status->set->target;
	const char *from = project_describe(status->project, err);
	char taken[CLOCK_SECONDS_SIZE];

	clock_seconds(target->taken_us, taken);
	add_safe(out, target->label);
	buf_add_text(out, ": database ");
	add_safe(out, target->database);
	buf_add_format(out, " on PostgreSQL %d, as of %s\n", target->server_version / 10000, taken);
	add_safe(out, from ? from : "");
	buf_add_format(out, " (%zu migration%s)\n", status->project->source.migrations,
		       status->project->source.migrations == 1 ? "" : "s");
}

static void remark(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);
static void remark(struct buf *out, const char *format, ...)
{
	char text[100];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_add_format(out, "%s%s", out->len ? ", " : "", text);
}

static size_t count_strays(const struct status *status, const struct classes_class *class)
{
	size_t strays = 0;

	for (int i = status_next_stray(status, class, 0); i >= 0;
	     i = status_next_stray(status, class, i + 1))
		strays++;
	return strays;
}

/* What stands out in a class, in a few words. */
static void add_remarks(const struct status *status, const struct classes_class *class,
			struct buf *out)
{
	size_t strays = count_strays(status, class);

	if (class->drift)
		remark(out, "drift");
	if (class->state.dirty)
		remark(out, "dirty at %.60s",
		       class->state.dirty_version ? class->state.dirty_version : "?");
	if (class->state.unknowns)
		remark(out, "%zu unknown", class->state.unknowns);
	if (class->state.out_of_order)
		remark(out, "%zu out of order", class->state.out_of_order);
	if (strays)
		remark(out, "%zu stray%s", strays, strays == 1 ? "" : "s");
	if (class->shape->shape->unmodelled)
		remark(out, "%zu unmodelled", class->shape->shape->unmodelled);
	if (!class->state.adapter)
		remark(out, "no history table");
	if (class->scope == SCOPE_TENANT && class->active < class->schemas)
		remark(out, "%zu inactive", class->schemas - class->active);
}

static void add_class(const struct status *status, const struct classes_class *class,
		      struct buf *out)
{
	struct buf remarks = BUF_INIT(REMARK_MAX);
	char shape[DIGEST_HEX_SIZE];
	bool current = !class->pending_count && !class->drift;

	digest_hex(&class->shape->digest, shape);
	add_remarks(status, class, &remarks);
	buf_add_format(out, "%-7s %8zu %8zu ", scopes[class->scope], class->schemas,
		       class->state.applied_count);
	color(status, out, class->pending_count ? "33" : "0");
	buf_add_format(out, "%8zu", class->pending_count);
	color(status, out, "0");
	buf_add_format(out, "  %-16.16s  %.12s  ", status_newest(status, class), shape);
	color(status, out, current ? "0" : "33");
	add_safe(out, remarks.len ? buf_text(&remarks) : "-");
	color(status, out, "0");
	buf_add_text(out, "\n          ");
	add_names(status, out, class);
	buf_add_char(out, '\n');
	buf_release(&remarks);
}

static void add_classes(const struct status *status, struct buf *out)
{
	buf_add_text(
		out,
		"\nscope    schemas  applied  pending  newest            shape         remarks\n");
	for (size_t i = 0; i < status->set->classes; i++)
		add_class(status, &status->set->class[i], out);
}

static void add_object(struct buf *out, const struct shape_object *object)
{
	buf_add_format(out, "%s ", object->kind);
	if (object->table) {
		add_safe(out, object->table);
		buf_add_char(out, '.');
	}
	add_safe(out, object->name);
}

static void add_drift(const struct status *status, struct buf *out)
{
	static const char *const marks[] = { "+", "-", "~" };

	for (size_t i = 0; i < status->set->classes; i++) {
		const struct classes_class *class = &status->set->class[i];
		struct status_difference difference[DIFFERENCES_SHOWN];
		size_t count;
		if (!class->drift)
			continue;
		count = status_compare(class->shape->shape, class->usual->shape, difference,
				       DIFFERENCES_SHOWN);
		buf_add_text(out, "\ndrift: ");
		add_names(status, out, class);
		buf_add_text(out, " unlike most schemas in this state\n");
		for (size_t j = 0; j < count && j < DIFFERENCES_SHOWN; j++) {
			buf_add_format(out, "  %s ", marks[difference[j].change]);
			add_object(out, difference[j].object);
			buf_add_char(out, '\n');
		}
		if (count > DIFFERENCES_SHOWN)
			buf_add_format(out, "  and %zu more\n", count - DIFFERENCES_SHOWN);
		if (!count)
			buf_add_text(out, "  in the same objects, otherwise defined\n");
	}
}

static void add_strays(const struct status *status, struct buf *out)
{
	for (size_t i = 0; i < status->set->classes; i++) {
		const struct classes_class *class = &status->set->class[i];
		int stray = status_next_stray(status, class, 0);
		if (stray < 0)
			continue;
		buf_add_text(out, class->scope == SCOPE_SHARED
					  ? "\ntenants' tables in "
					  : "\nstrays (tables of the shared schema) in ");
		add_names(status, out, class);
		buf_add_text(out, ":");
		for (; stray >= 0; stray = status_next_stray(status, class, stray + 1)) {
			buf_add_char(out, ' ');
			add_safe(out, status_foreign(status, class->scope)->items[stray]);
		}
		buf_add_char(out, '\n');
	}
}

static void add_unknown(const struct status *status, struct buf *out)
{
	for (size_t i = 0; i < status->set->classes; i++) {
		const struct classes_class *class = &status->set->class[i];
		if (!class->state.unknowns || !status->project->source.migrations)
			continue;
		buf_add_text(out, "\nrecorded but not among the migrations, in ");
		add_names(status, out, class);
		buf_add_text(out, ":");
		for (size_t j = 0; j < class->state.unknowns; j++) {
			buf_add_char(out, ' ');
			add_safe(out, class->state.unknown[j]);
		}
		buf_add_char(out, '\n');
	}
}

static void add_unmodelled(const struct status *status, struct buf *out)
{
	for (size_t i = 0; i < status->set->shapes; i++) {
		const struct shape *shape = status->set->shape[i].shape;
		char hex[DIGEST_HEX_SIZE];
		if (!shape->unmodelled)
			continue;
		digest_hex(&status->set->shape[i].digest, hex);
		buf_add_format(out, "\nonly named in the shape %.12s:", hex);
		for (size_t j = 0; j < shape->objects; j++) {
			if (strcmp(shape->object[j].kind, "unmodelled") != 0)
				continue;
			buf_add_format(out, "%s %s ", buf_text(out)[out->len - 1] == ':' ? "" : ",",
				       shape->object[j].sort);
			add_safe(out, shape->object[j].name);
		}
		buf_add_char(out, '\n');
	}
}

enum pick { PICK_WITHOUT, PICK_ORPHAN, PICK_INACTIVE };

static bool picked(const struct classes_schema *schema, enum pick pick)
{
	switch (pick) {
	case PICK_WITHOUT: return schema->scope == SCOPE_TENANT && !schema->oid;
	case PICK_ORPHAN: return schema->scope == SCOPE_ORPHAN;
	case PICK_INACTIVE:
	default: return schema->scope == SCOPE_TENANT && schema->oid && !schema->active;
	}
}

/* "title: a, b, c and 5 more"; nothing when there are none. */
static void add_list(const struct status *status, const char *title, enum pick pick,
		     struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < status->set->schemas; i++) {
		const struct classes_schema *schema = &status->set->schema[i];
		if (!picked(schema, pick))
			continue;
		if (count == 0)
			buf_add_format(out, "\n%s: ", title);
		if (count < 10 || status->verbose) {
			buf_add_text(out, count ? ", " : "");
			add_safe(out, schema->name);
		}
		count++;
	}
	if (count > 10 && !status->verbose)
		buf_add_format(out, " and %zu more", count - 10);
	if (count)
		buf_add_char(out, '\n');
}

static int add_problem(void *context, const char *rule, const char *schema, const char *message,
		       struct err *err)
{
	struct buf *out = context;

	(void)rule;
	(void)schema;
	buf_add_text(out, "\nproblem: ");
	add_safe(out, message);
	buf_add_char(out, '\n');
	return buf_check(out, err);
}

static void add_schemas(const struct status *status, struct buf *out)
{
	buf_add_format(out, "\n%-32s %-7s %8s %8s %10s %12s\n", "schema", "scope", "applied",
		       "pending", "rows", "bytes");
	for (size_t i = 0; i < status->set->schemas; i++) {
		const struct classes_schema *schema = &status->set->schema[i];
		const struct classes_class *class =
			schema->class_index < 0 ? NULL : &status->set->class[schema->class_index];
		size_t before = out->len;
		add_safe(out, schema->name);
		buf_add_format(out, "%*s %-7s ",
			       (int)(out->len - before < 32 ? 32 - (out->len - before) : 0), "",
			       scopes[schema->scope]);
		if (class)
			buf_add_format(out, "%8zu %8zu %10" PRId64 " %12" PRId64 "%s\n",
				       class->state.applied_count, class->pending_count,
				       schema->rows, schema->bytes, class->drift ? "  drift" : "");
		else
			buf_add_text(out, "listed, without a schema\n");
	}
}

int status_text(const struct status *status, struct buf *out, struct err *err)
{
	add_heading(status, out, err);
	add_classes(status, out);
	add_drift(status, out);
	add_strays(status, out);
	add_unknown(status, out);
	add_unmodelled(status, out);
	add_list(status, "listed, without a schema", PICK_WITHOUT, out);
	add_list(status, "orphans (a history table, and not listed)", PICK_ORPHAN, out);
	add_list(status, "inactive", PICK_INACTIVE, out);
	if (status_problems(status, add_problem, out, err))
		return -1;
	if (status->verbose)
		add_schemas(status, out);
	return err->code == ERR_NONE ? buf_check(out, err) : -1;
}

int status_schema_text(const struct status *status, const char *name, struct buf *out,
		       struct err *err)
{
	static const char *const marks[] = { "[x]", "[ ]", "[ ]", "[!]", "[-]" };
	static const char *const words[] = { "", "", " (out of order)", " (dirty)",
					     " (not for this scope)" };
	const struct source *source = &status->project->source;
	const struct classes_schema *schema;
	const struct classes_class *class;

	if (status_find(status, name, &schema, &class, err))
		return -1;
	add_safe(out, schema->name);
	if (!class) {
		buf_add_text(out, ": listed, without a schema\n");
		return buf_check(out, err);
	}
	buf_add_format(out, ": %s, %zu applied, %zu pending%s%s\n", scopes[schema->scope],
		       class->state.applied_count, class->pending_count,
		       class->drift ? ", drift" : "",
		       class->state.adapter ? "" : ", no history table");
	for (size_t i = 0; i < source->migrations; i++) {
		enum status_mark mark = status_mark(status, class, i);
		buf_add_format(out, "%s ", marks[mark]);
		add_safe(out, source->migration[i].version);
		buf_add_char(out, ' ');
		add_safe(out, source->migration[i].name);
		buf_add_format(out, "%s\n", words[mark]);
	}
	for (size_t i = 0; i < class->state.unknowns; i++) {
		buf_add_text(out, "[!] ");
		add_safe(out, class->state.unknown[i]);
		buf_add_text(out, " (unknown)\n");
	}
	return buf_check(out, err);
}
