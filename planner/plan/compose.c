/*
 * The plan document's bytes: JSON with every key always present (but a segment's "alone"), in one
 * order, without blanks or ids or times, so that the same plan is the same bytes.
 * bundles/plan.schema.json describes it; document.c reads it.
 */
#include "making.h"

#include <stdio.h>
#include <string.h>
#include "object.h"
#include "sql.h"
#include "text.h"

static void put_text(struct buf *out, const char *key, const char *text)
{
	buf_add_format(out, "\"%s\":", key);
	if (text)
		text_json(out, text, strlen(text));
	else
		buf_add_text(out, "null");
	buf_add_char(out, ',');
}

static void put_number(struct buf *out, const char *key, int64_t number)
{
	buf_add_format(out, "\"%s\":%lld,", key, (long long)number);
}

static void put_bool(struct buf *out, const char *key, bool value)
{
	buf_add_format(out, "\"%s\":%s,", key, value ? "true" : "false");
}

static void put_digest(struct buf *out, const char *key, const struct digest *digest)
{
	char hex[DIGEST_HEX_SIZE];

	if (digest)
		digest_hex(digest, hex);
	put_text(out, key, digest ? hex : NULL);
}

/* Take back the comma behind the last entry, and close. */
static void end(struct buf *out, const char *closing)
{
	if (out->len && out->data[out->len - 1] == ',')
		out->data[--out->len] = '\0';
	buf_add_text(out, closing);
}

static void put_texts(struct buf *out, const char *key, const char **text, size_t count)
{
	buf_add_format(out, "\"%s\":[", key);
	for (size_t i = 0; i < count; i++) {
		text_json(out, text[i], strlen(text[i]));
		buf_add_char(out, ',');
	}
	end(out, "],");
}

static void put_step(struct buf *out, const struct doc_step *step)
{
	buf_add_char(out, '{');
	put_digest(out, "text", &step->text_digest);
	put_text(out, step->answer ? "answer" : "tag", step->answer ? step->answer : step->tag);
	end(out, "},");
}

static void put_steps(struct buf *out, const char *key, const struct doc_step *step, size_t count)
{
	buf_add_format(out, "\"%s\":[", key);
	for (size_t i = 0; i < count; i++)
		put_step(out, &step[i]);
	end(out, "],");
}

static void put_statement(struct buf *out, const struct doc_statement *statement)
{
	static const char *const does[] = { "run", "filtered", "setting" };

	buf_add_char(out, '{');
	put_number(out, "number", statement->number);
	put_digest(out, "text", &statement->step.text_digest);
	put_text(out, "tag", statement->step.tag);
	put_number(out, "migration", statement->migration);
	put_number(out, "line", statement->line);
	put_text(out, "does", does[statement->does]);
	put_text(out, "why", statement->why);
	put_digest(out, "original", statement->rewritten ? &statement->original : NULL);
	put_bool(out, "destructive", statement->destructive);
	put_texts(out, "locks", statement->lock, statement->locks);
	end(out, "},");
}

static void put_migrations(struct buf *out, const struct doc_segment *segment)
{
	buf_add_text(out, "\"migrations\":[");
	for (size_t i = 0; i < segment->migrations; i++) {
		const struct doc_migration *migration = &segment->migration[i];

		buf_add_char(out, '{');
		put_text(out, "version", migration->version);
		put_text(out, "name", migration->name);
		put_text(out, "file", migration->file);
		put_text(out, "direction", migration->up ? "up" : "down");
		put_digest(out, "text", &migration->text);
		end(out, "},");
	}
	end(out, "],");
}

static void put_alone(struct buf *out, const struct doc_alone *alone)
{
	buf_add_text(out, "\"alone\":{");
	put_text(out, "object", alone->object);
	buf_add_text(out, "\"probe\":");
	if (alone->has_probe)
		put_step(out, &alone->probe);
	else
		buf_add_text(out, "null,");
	end(out, "},");
}

static void put_segment(struct buf *out, const struct doc_segment *segment)
{
	buf_add_char(out, '{');
	put_number(out, "number", segment->number);
	put_bool(out, "transactional", segment->transactional);
	put_bool(out, "shared_locks", segment->shared_locks);
	put_bool(out, "create_schema", segment->create_schema);
	put_digest(out, "state_before", &segment->state_before);
	put_digest(out, "state_after", &segment->state_after);
	put_migrations(out, segment);
	put_steps(out, "before", segment->before, segment->befores);
	buf_add_text(out, "\"statements\":[");
	for (size_t i = 0; i < segment->statements; i++)
		put_statement(out, &segment->statement[i]);
	end(out, "],");
	put_steps(out, "after", segment->after, segment->afters);
	if (!segment->transactional)
		put_alone(out, &segment->alone);
	end(out, "},");
}

int compose_program(const struct doc_program *program, bool numbered, struct buf *out,
		    struct err *err)
{
	buf_add_char(out, '{');
	if (numbered)
		put_number(out, "number", program->number);
	put_bool(out, "revert", program->revert);
	buf_add_text(out, "\"segments\":[");
	for (size_t i = 0; i < program->segments; i++)
		put_segment(out, &program->segment[i]);
	end(out, "]");
	buf_add_text(out, "},");
	return buf_check(out, err);
}

static void put_target(struct buf *out, const struct document *document)
{
	buf_add_text(out, "\"target\":[{");
	put_number(out, "number", 1);
	put_text(out, "label", document->label);
	put_text(out, "apply_host", document->apply_host);
	put_text(out, "system_identifier", document->system_identifier);
	put_number(out, "database_oid", document->database_oid);
	put_text(out, "database", document->database);
	put_number(out, "server_version", document->server_version);
	put_text(out, "shared_schema", document->shared_schema);
	put_text(out, "tenants_query", document->tenants_query);
	put_text(out, "tenants_pattern", document->tenants_pattern);
	put_digest(out, "snapshot", &document->snapshot);
	end(out, "}],");
}

static void put_settings(struct buf *out, const struct document *document)
{
	buf_add_text(out, "\"settings\":{");
	put_text(out, "transaction", document->per_migration ? "migration" : "schema");
	put_text(out, "guard", document->strict_guard ? "strict" : "normal");
	put_number(out, "lock_timeout_ms", document->lock_timeout_ms);
	put_number(out, "statement_timeout_ms", document->statement_timeout_ms);
	put_number(out, "retries", document->retries);
	put_texts(out, "search_path", document->path, document->paths);
	buf_add_text(out, "\"pinned\":[");
	for (size_t i = 0; i < document->pins; i++) {
		buf_add_char(out, '[');
		text_json(out, document->pin[i].name, strlen(document->pin[i].name));
		buf_add_char(out, ',');
		text_json(out, document->pin[i].value, strlen(document->pin[i].value));
		buf_add_text(out, "],");
	}
	end(out, "]},");
	buf_add_text(out, "\"shape_guard\":{");
	put_digest(out, "text", &document->shape_query.text_digest);
	put_texts(out, "history_tables", document->history_table, document->history_tables);
	end(out, "},");
}

static void put_waves(struct buf *out, const struct document *document)
{
	buf_add_text(out, "\"waves\":[");
	for (size_t i = 0; i < document->waves; i++) {
		buf_add_char(out, '{');
		put_text(out, "name", document->wave[i].name);
		put_number(out, "max_failures", document->wave[i].max_failures);
		end(out, "},");
	}
	end(out, "],");
}

static void put_classes(struct buf *out, const struct document *document)
{
	buf_add_text(out, "\"classes\":[");
	for (size_t i = 0; i < document->classes; i++) {
		const struct doc_class *class = &document->class[i];

		buf_add_char(out, '{');
		put_number(out, "number", class->number);
		put_text(out, "scope", class->shared ? "shared" : "tenant");
		put_text(out, "adapter", class->adapter);
		put_digest(out, "state_before", &class->state_before);
		put_digest(out, "state_after", &class->state_after);
		put_digest(out, "shape_before",
			   class->has_shape_before ? &class->shape_before : NULL);
		put_digest(out, "shape_after", class->has_shape_after ? &class->shape_after : NULL);
		put_digest(out, "read_state", &class->read_state.text_digest);
		put_number(out, "program", class->program);
		end(out, "},");
	}
	end(out, "],");
}

static void put_schemas(struct buf *out, const struct document *document)
{
	char number[24];

	buf_add_text(out, "\"schemas\":[");
	for (size_t i = 0; i < document->schemas; i++) {
		const struct doc_schema *schema = &document->schema[i];

		snprintf(number, sizeof number, "%lld", (long long)schema->native_lock);
		buf_add_char(out, '{');
		put_text(out, "name", schema->name);
		put_number(out, "oid", schema->oid);
		put_number(out, "class", schema->class_index);
		put_number(out, "wave", schema->wave);
		put_text(out, "native_lock", schema->has_native_lock ? number : NULL);
		end(out, "},");
	}
	end(out, "],");
}

static void put_findings(struct buf *out, const struct document *document)
{
	static const char *const severities[] = { "info", "warning", "danger" };

	buf_add_text(out, "\"findings\":[");
	for (size_t i = 0; i < document->findings; i++) {
		const struct doc_finding *finding = &document->finding[i];

		buf_add_char(out, '{');
		put_text(out, "rule", finding->rule);
		put_text(out, "severity", severities[finding->severity]);
		put_text(out, "message", finding->message);
		put_text(out, "hint", finding->hint);
		if (finding->class_index < 0)
			buf_add_text(out, "\"class\":null,");
		else
			put_number(out, "class", finding->class_index);
		put_text(out, "file", finding->file);
		if (finding->line > 0)
			put_number(out, "line", finding->line);
		else
			buf_add_text(out, "\"line\":null,");
		put_text(out, "accepted", finding->accepted);
		end(out, "},");
	}
	end(out, "],\"left_out\":[");
	for (size_t i = 0; i < document->left_outs; i++) {
		buf_add_char(out, '{');
		put_text(out, "name", document->left_out[i].name);
		put_text(out, "why", document->left_out[i].why);
		end(out, "},");
	}
	end(out, "],");
}

static int put_object(struct buf *out, struct db *db, const struct digest *digest, struct err *err)
{
	struct object_facts facts;

	if (object_facts(db, digest, &facts, err))
		return -1;
	buf_add_char(out, '{');
	put_digest(out, "digest", digest);
	put_text(out, "kind", facts.kind);
	put_number(out, "size", facts.size);
	put_digest(out, "stored", &facts.stored);
	put_number(out, "stored_size", facts.stored_size);
	end(out, "},");
	return 0;
}

/* Everything that the bundle holds but the document itself, which is not in it yet. */
static int put_objects(struct buf *out, struct db *db, struct err *err)
{
	struct db_query *query = NULL;
	bool row;
	int result = -1;

	buf_add_text(out, "\"objects\":[");
	if (db_prepare(db, sql_plan_objects, &query, err))
		goto out;
	while (!(result = db_step(query, &row, err)) && row) {
		struct digest digest;
		const void *bytes;
		size_t len;

		result = -1;
		if (db_get_blob(query, 0, &bytes, &len, err))
			goto out;
		if (len != sizeof digest.bytes) {
			err_set(err, ERR_FORMAT, "an object's name is no SHA-256");
			goto out;
		}
		memcpy(digest.bytes, bytes, sizeof digest.bytes);
		if (put_object(out, db, &digest, err))
			goto out;
	}
	end(out, "],");
out:
	db_finish(query);
	return result;
}

int compose_document(const struct document *document, struct db *objects, struct buf *out,
		     struct err *err)
{
	buf_add_char(out, '{');
	put_text(out, "format", "pgdocket-document/1");
	put_target(out, document);
	put_settings(out, document);
	put_waves(out, document);
	buf_add_text(out, "\"programs\":[");
	for (size_t i = 0; i < document->programs; i++)
		if (compose_program(&document->program[i], true, out, err))
			return -1;
	end(out, "],");
	put_classes(out, document);
	put_schemas(out, document);
	put_findings(out, document);
	if (put_objects(out, objects, err))
		return -1;
	end(out, "}\n");
	return buf_check(out, err);
}
