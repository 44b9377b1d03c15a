/* The status for programs: everything that the text says, every schema by name, one object. */
#include <inttypes.h>
#include <string.h>
#include "clock.h"
#include "status_private.h"
#include "text.h"

static const char *const scopes[] = { "shared", "tenant", "orphan" };

static void add_text(struct buf *out, const char *text)
{
	text_json(out, text, strlen(text));
}

static void add_key(struct buf *out, const char *key, const char *text)
{
	buf_add_format(out, "\"%s\":", key);
	if (text)
		add_text(out, text);
	else
		buf_add_text(out, "null");
}

static void add_bool(struct buf *out, const char *key, bool value)
{
	buf_add_format(out, "\"%s\":%s", key, value ? "true" : "false");
}

static void add_target(const struct status *status, struct buf *out, struct err *err)
{
	const struct classes_target *target = &status->set->target;
	const char *from = project_describe(status->project, err);
	char taken[CLOCK_MICROS_SIZE];

	clock_micros(target->taken_us, taken);
	buf_add_text(out, "{");
	add_key(out, "label", target->label);
	buf_add_char(out, ',');
	add_key(out, "database", target->database);
	buf_add_char(out, ',');
	add_key(out, "system_identifier", target->system_identifier);
	buf_add_format(out, ",\"server_version\":%d,", target->server_version);
	add_key(out, "taken", taken);
	buf_add_char(out, ',');
	add_key(out, "project", from);
	buf_add_text(out, ",\"migrations\":[");
	for (size_t i = 0; i < status->project->source.migrations; i++) {
		buf_add_text(out, i ? ",{" : "{");
		add_key(out, "version", status->project->source.migration[i].version);
		buf_add_char(out, ',');
		add_key(out, "name", status->project->source.migration[i].name);
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]");
}

static void add_versions(const struct status *status, const struct classes_class *class,
			 struct buf *out)
{
	bool any = false;

	buf_add_text(out, "\"pending\":[");
	for (size_t i = 0; i < status->project->source.migrations; i++) {
		if (!class->pending[i])
			continue;
		buf_add_text(out, any ? "," : "");
		add_text(out, status->project->source.migration[i].version);
		any = true;
	}
	buf_add_text(out, "],\"unknown\":[");
	for (size_t i = 0; i < class->state.unknowns; i++) {
		buf_add_text(out, i ? "," : "");
		add_text(out, class->state.unknown[i]);
	}
	buf_add_text(out, "],\"strays\":[");
	any = false;
	for (int i = status_next_stray(status, class, 0); i >= 0;
	     i = status_next_stray(status, class, i + 1)) {
		buf_add_text(out, any ? "," : "");
		add_text(out, status_foreign(status, class->scope)->items[i]);
		any = true;
	}
	buf_add_char(out, ']');
}

static void add_class(const struct status *status, const struct classes_class *class,
		      struct buf *out)
{
	char state[DIGEST_HEX_SIZE], shape[DIGEST_HEX_SIZE];

	digest_hex(&class->state_digest, state);
	digest_hex(&class->shape->digest, shape);
	buf_add_format(out, "{\"scope\":\"%s\",\"state\":\"%s\",\"shape\":\"%s\",",
		       scopes[class->scope], state, shape);
	add_key(out, "history", class->state.adapter ? class->state.adapter->name : NULL);
	buf_add_format(out, ",\"count\":%zu,\"active\":%zu,\"applied\":%zu,", class->schemas,
		       class->active, class->state.applied_count);
	add_key(out, "newest", class->state.applied_count ? status_newest(status, class) : NULL);
	buf_add_format(out, ",\"out_of_order\":%zu,\"tables\":%zu,\"unmodelled\":%zu,",
		       class->state.out_of_order, class->shape->shape->tables,
		       class->shape->shape->unmodelled);
	add_bool(out, "drift", class->drift);
	buf_add_char(out, ',');
	add_key(out, "dirty", class->state.dirty ? class->state.dirty_version : NULL);
	buf_add_char(out, ',');
	add_versions(status, class, out);
	buf_add_text(out, ",\"schemas\":[");
	for (size_t i = 0; i < class->schemas; i++) {
		buf_add_text(out, i ? "," : "");
		add_text(out, status->set->schema[class->schema[i]].name);
	}
	buf_add_text(out, "]}");
}

static void add_schema(const struct classes_schema *schema, struct buf *out)
{
	buf_add_char(out, '{');
	add_key(out, "name", schema->name);
	buf_add_format(out, ",\"scope\":\"%s\",", scopes[schema->scope]);
	add_bool(out, "listed", schema->listed);
	buf_add_char(out, ',');
	add_bool(out, "active", schema->active);
	buf_add_char(out, ',');
	add_bool(out, "exists", schema->oid != 0);
	buf_add_format(out,
		       ",\"class\":%d,\"tables\":%" PRId64 ",\"rows\":%" PRId64
		       ",\"bytes\":%" PRId64 "}",
		       schema->class_index, schema->tables, schema->rows, schema->bytes);
}

static int add_problem(void *context, const char *rule, const char *schema, const char *message,
		       struct err *err)
{
	struct buf *out = context;

	buf_add_text(out, buf_text(out)[out->len - 1] == '[' ? "{" : ",{");
	add_key(out, "rule", rule);
	buf_add_char(out, ',');
	add_key(out, "schema", schema);
	buf_add_char(out, ',');
	add_key(out, "message", message);
	buf_add_char(out, '}');
	return buf_check(out, err);
}

int status_json(const struct status *status, struct buf *out, struct err *err)
{
	add_target(status, out, err);
	buf_add_text(out, ",\"classes\":[");
	for (size_t i = 0; i < status->set->classes; i++) {
		buf_add_text(out, i ? "," : "");
		add_class(status, &status->set->class[i], out);
	}
	buf_add_text(out, "],\"schemas\":[");
	for (size_t i = 0; i < status->set->schemas; i++) {
		buf_add_text(out, i ? "," : "");
		add_schema(&status->set->schema[i], out);
	}
	buf_add_text(out, "],\"problems\":[");
	if (status_problems(status, add_problem, out, err))
		return -1;
	buf_add_text(out, "],");
	add_bool(out, "differs", status_differs(status));
	buf_add_text(out, "}\n");
	return err->code == ERR_NONE ? buf_check(out, err) : -1;
}

static void add_migration(struct buf *out, bool first, const char *version, const char *name,
			  const char *mark)
{
	buf_add_text(out, first ? "{" : ",{");
	add_key(out, "version", version);
	buf_add_char(out, ',');
	add_key(out, "name", name);
	buf_add_format(out, ",\"state\":\"%s\"}", mark);
}

int status_schema_json(const struct status *status, const char *name, struct buf *out,
		       struct err *err)
{
	static const char *const marks[] = { "applied", "pending", "out-of-order", "dirty",
					     "other-scope" };
	const struct source *source = &status->project->source;
	const struct classes_schema *schema;
	const struct classes_class *class;
	bool first = true;

	if (status_find(status, name, &schema, &class, err))
		return -1;
	buf_add_text(out, "{\"schema\":");
	add_schema(schema, out);
	buf_add_text(out, ",\"migrations\":[");
	for (size_t i = 0; class && i < source->migrations; i++, first = false)
		add_migration(out, first, source->migration[i].version, source->migration[i].name,
			      marks[status_mark(status, class, i)]);
	for (size_t i = 0; class && i < class->state.unknowns; i++, first = false)
		add_migration(out, first, class->state.unknown[i], NULL, "unknown");
	buf_add_text(out, "]}\n");
	return buf_check(out, err);
}
