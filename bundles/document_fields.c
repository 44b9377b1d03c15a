/* Which key of a plan document goes where in its structs: one table for each kind of object, and
 * the checks that need no more than the object itself. What holds between the parts is checked in
 * document.c. */
#include "document_inside.h"
#include <string.h>
#include "object.h"
#include "text.h"

#define DOCUMENT_FORMAT "pgdocket-document/1"
#define NAME_MAX_BYTES 63
#define TEXT_MAX_BYTES (1 << 20)
#define MS_MAX (365ll * 24 * 3600 * 1000)
#define OID_MAX 4294967295ll
#define AT(type, member) offsetof(struct type, member)
#define LIST_OF(type, pointer, count, item) \
	FIELD_LIST, .offset = AT(type, pointer), .second = AT(type, count), \
				.element = sizeof(struct item)

static int read_step_text(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct document_objects *objects = reader->context;
	struct digest *digest = target;
	if (value->type != JSON_TEXT || !digest_parse(value->text, strlen(value->text), digest))
		return err_set(err, ERR_FORMAT, "is not a SHA-256 of 64 lower-case hex digits");
	struct document_object *object = document_objects_find(objects, digest);
	if (!object)
		return err_set(err, ERR_FORMAT, "names an object that is not among the document's objects");
	object->wanted = true;
	return 0;
}

static const struct json_field step_fields[] = {
	{ "text", FIELD_PART, AT(doc_step, text_digest), .read = read_step_text },
	{ "answer", FIELD_TEXT, AT(doc_step, answer), .high = TEXT_MAX_BYTES, .absent = true },
	{ "tag", FIELD_TEXT, AT(doc_step, tag), .high = 200, .absent = true },
	{ 0 },
};

static int read_step(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_step *step = target;
	if (json_read_object(reader, value, step_fields, step, err))
		return -1;
	if (!json_find(value, "answer") == !json_find(value, "tag") ||
		(json_find(value, "answer") && !step->answer))
		return err_set(err, ERR_FORMAT, "has neither an answer nor a tag, or both");
	return 0;
}

static const char *const does_words[] = { "run", "filtered", "setting", NULL };
static const struct json_field statement_fields[] = {
	{ "number", FIELD_INT, AT(doc_statement, number), .low = 1, .high = INT32_MAX },
	{ "text", FIELD_PART, AT(doc_statement, step.text_digest), .read = read_step_text },
	{ "tag", FIELD_TEXT, AT(doc_statement, step.tag), .high = 200, .null = true },
	{ "migration", FIELD_INT, AT(doc_statement, migration), .high = INT32_MAX },
	{ "line", FIELD_INT, AT(doc_statement, line), .high = INT32_MAX },
	{ "does", FIELD_WORD, AT(doc_statement, does), .words = does_words },
	{ "why", FIELD_TEXT, AT(doc_statement, why), .high = TEXT_MAX_BYTES, .null = true },
	{ "original", FIELD_DIGEST, AT(doc_statement, original), .null = true,
		.second = AT(doc_statement, rewritten) },
	{ "destructive", FIELD_BOOL, .offset = AT(doc_statement, destructive) },
	{ "locks", FIELD_TEXTS, AT(doc_statement, lock), .high = 1024,
		.second = AT(doc_statement, locks) },
	{ 0 },
};

static int read_statement(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_statement *statement = target;
	if (json_read_object(reader, value, statement_fields, statement, err))
		return -1;
	if (!statement->why && (statement->does == DOC_FILTERED || statement->rewritten))
		return err_set(err, ERR_FORMAT, "is filtered or rewritten and does not say why");
	return 0;
}

static const char *const direction_words[] = { "down", "up", NULL };
static const struct json_field migration_fields[] = {
	{ "version", FIELD_TEXT, AT(doc_migration, version), .low = 1, .high = 1024 },
	{ "name", FIELD_TEXT, AT(doc_migration, name), .high = 4096 },
	{ "file", FIELD_TEXT, AT(doc_migration, file), .high = 4096 },
	{ "direction", FIELD_FLAG, AT(doc_migration, up), .words = direction_words },
	{ "text", FIELD_DIGEST, .offset = AT(doc_migration, text) },
	{ 0 },
};

static const char *const verdict_words[] = { "open", "open|done", "ready", NULL };
static int read_probe(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_alone *alone = target;
	alone->has_probe = true;
	if (read_step(reader, value, &alone->probe, err))
		return -1;
	for (int i = 0; verdict_words[i]; i++)
		if (alone->probe.answer && strcmp(alone->probe.answer, verdict_words[i]) == 0)
			return 0;
	return err_set(err, ERR_FORMAT, "does not say which verdicts may come first");
}

static const struct json_field alone_fields[] = {
	{ "object", FIELD_TEXT, AT(doc_alone, object), .low = 1, .high = 1024 },
	{ "probe", FIELD_PART, 0, .read = read_probe, .null = true },
	{ 0 },
};

static const struct json_field segment_fields[] = {
	{ "number", FIELD_INT, AT(doc_segment, number), .low = 1, .high = INT32_MAX },
	{ "transactional", FIELD_BOOL, .offset = AT(doc_segment, transactional) },
	{ "shared_locks", FIELD_BOOL, .offset = AT(doc_segment, shared_locks) },
	{ "create_schema", FIELD_BOOL, .offset = AT(doc_segment, create_schema) },
	{ "state_before", FIELD_DIGEST, .offset = AT(doc_segment, state_before) },
	{ "state_after", FIELD_DIGEST, .offset = AT(doc_segment, state_after) },
	{ "migrations", LIST_OF(doc_segment, migration, migrations, doc_migration),
		.fields = migration_fields },
	{ "before", LIST_OF(doc_segment, before, befores, doc_step), .read = read_step },
	{ "statements", LIST_OF(doc_segment, statement, statements, doc_statement),
		.read = read_statement },
	{ "after", LIST_OF(doc_segment, after, afters, doc_step), .read = read_step },
	{ "alone", FIELD_PART, AT(doc_segment, alone), .fields = alone_fields, .absent = true },
	{ 0 },
};

/* Nothing is sent with a statement that cannot run in a transaction, and nothing is made there. */
static int check_alone(const struct doc_segment *segment, struct err *err)
{
	size_t sent = 0;
	for (size_t i = 0; i < segment->statements; i++)
		sent += segment->statement[i].does != DOC_FILTERED;
	if (segment->transactional == (segment->alone.object != NULL))
		return err_set(err, ERR_FORMAT, "has \"alone\" where it is transactional, or lacks it");
	if (!segment->transactional && (sent != 1 || segment->create_schema || segment->shared_locks))
		return err_set(
			err, ERR_FORMAT, "is not transactional and does more than send one statement");
	return 0;
}

static int read_segment(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_segment *segment = target;
	if (json_read_object(reader, value, segment_fields, segment, err))
		return -1;
	for (size_t i = 0; i < segment->statements; i++)
		if ((size_t)segment->statement[i].migration >= segment->migrations)
			return err_set(err, ERR_FORMAT, "statement %d belongs to a migration that is not there",
				segment->statement[i].number);
	return check_alone(segment, err);
}

static const struct json_field program_fields[] = {
	{ "number", FIELD_INT, AT(doc_program, number), .high = INT32_MAX },
	{ "revert", FIELD_BOOL, .offset = AT(doc_program, revert) },
	{ "segments", LIST_OF(doc_program, segment, segments, doc_segment), .low = 1,
		.read = read_segment },
	{ 0 },
};

/* Segments and statements count from 1; each segment starts where the one before ended. */
static int read_program(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_program *program = target;
	int number = 0;
	if (json_read_object(reader, value, program_fields, program, err))
		return -1;
	for (size_t i = 0; i < program->segments; i++) {
		const struct doc_segment *segment = &program->segment[i];
		if (segment->number != (int)i + 1)
			return err_set(err, ERR_FORMAT, "its segments are not numbered 1, 2, 3");
		if (i && !digest_equal(&segment->state_before, &program->segment[i - 1].state_after))
			return err_set(err, ERR_FORMAT,
				"segment %d does not start from the state in which the one before ends",
				segment->number);
		if (i && segment->create_schema)
			return err_set(err, ERR_FORMAT, "segment %d makes the schema, which only the first may",
				segment->number);
		for (size_t j = 0; j < segment->statements; j++)
			if (segment->statement[j].number != ++number)
				return err_set(err, ERR_FORMAT, "its statements are not numbered 1, 2, 3");
	}
	return 0;
}

static const char *const scope_words[] = { "tenant", "shared", NULL };
static const struct json_field class_fields[] = {
	{ "number", FIELD_INT, AT(doc_class, number), .high = INT32_MAX },
	{ "scope", FIELD_FLAG, AT(doc_class, shared), .words = scope_words },
	{ "adapter", FIELD_TEXT, AT(doc_class, adapter), .low = 1, .high = 64 },
	{ "state_before", FIELD_DIGEST, .offset = AT(doc_class, state_before) },
	{ "state_after", FIELD_DIGEST, .offset = AT(doc_class, state_after) },
	{ "shape_before", FIELD_DIGEST, AT(doc_class, shape_before), .null = true,
		.second = AT(doc_class, has_shape_before) },
	{ "shape_after", FIELD_DIGEST, AT(doc_class, shape_after), .null = true,
		.second = AT(doc_class, has_shape_after) },
	{ "read_state", FIELD_PART, AT(doc_class, read_state.text_digest), .read = read_step_text },
	{ "program", FIELD_INT, AT(doc_class, program), .high = INT32_MAX },
	{ 0 },
};

static int read_native_lock(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_schema *schema = target;
	(void)reader;
	if (value->type != JSON_TEXT ||
		!text_int64(value->text, INT64_MIN, INT64_MAX, &schema->native_lock))
		return err_set(err, ERR_FORMAT, "is not a number in decimal digits");
	schema->has_native_lock = true;
	return 0;
}

static const struct json_field schema_fields[] = {
	{ "name", FIELD_TEXT, AT(doc_schema, name), .low = 1, .high = NAME_MAX_BYTES },
	{ "oid", FIELD_INT64, AT(doc_schema, oid), .high = OID_MAX },
	{ "class", FIELD_INT, AT(doc_schema, class_index), .high = INT32_MAX },
	{ "wave", FIELD_INT, AT(doc_schema, wave), .high = INT32_MAX },
	{ "native_lock", FIELD_PART, 0, .null = true, .read = read_native_lock },
	{ 0 },
};

static const struct json_field wave_fields[] = {
	{ "name", FIELD_TEXT, AT(doc_wave, name), .low = 1, .high = 200 },
	{ "max_failures", FIELD_INT, AT(doc_wave, max_failures), .high = INT32_MAX },
	{ 0 },
};

static const char *const severity_words[] = { "info", "warning", "danger", NULL };
static const struct json_field finding_fields[] = {
	{ "rule", FIELD_TEXT, AT(doc_finding, rule), .low = 1, .high = 64 },
	{ "severity", FIELD_WORD, AT(doc_finding, severity), .words = severity_words },
	{ "message", FIELD_TEXT, AT(doc_finding, message), .high = TEXT_MAX_BYTES },
	{ "hint", FIELD_TEXT, AT(doc_finding, hint), .high = TEXT_MAX_BYTES, .null = true },
	{ "class", FIELD_INT, AT(doc_finding, class_index), .high = INT32_MAX, .null = true },
	{ "file", FIELD_TEXT, AT(doc_finding, file), .high = 4096, .null = true },
	{ "line", FIELD_INT, AT(doc_finding, line), .high = INT32_MAX, .null = true },
	{ "accepted", FIELD_TEXT, AT(doc_finding, accepted), .high = TEXT_MAX_BYTES, .null = true },
	{ 0 },
};

static int read_finding(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_finding *finding = target;
	if (json_read_object(reader, value, finding_fields, finding, err))
		return -1;
	if (finding->line < 0)
		finding->line = 0;
	return 0;
}

static const struct json_field left_out_fields[] = {
	{ "name", FIELD_TEXT, AT(doc_left_out, name), .high = 1024 },
	{ "why", FIELD_TEXT, AT(doc_left_out, why), .high = TEXT_MAX_BYTES },
	{ 0 },
};

static const struct json_field object_fields[] = {
	{ "digest", FIELD_DIGEST, .offset = AT(document_object, digest) },
	{ "kind", FIELD_TEXT, AT(document_object, kind), .high = 23 },
	{ "size", FIELD_INT64, AT(document_object, size), .high = OBJECT_MAX_BYTES },
	{ "stored", FIELD_DIGEST, .offset = AT(document_object, stored) },
	{ "stored_size", FIELD_INT64, AT(document_object, stored_size), .high = OBJECT_MAX_BYTES },
	{ 0 },
};

static int read_pin(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct doc_pin *pin = target;
	(void)reader;
	if (value->type != JSON_ARRAY || value->count != 2 || value->first->type != JSON_TEXT ||
		value->last->type != JSON_TEXT)
		return err_set(err, ERR_FORMAT, "is not a pair of a setting's name and its value");
	pin->name = value->first->text;
	pin->value = value->last->text;
	return 0;
}

static const char *const transaction_words[] = { "schema", "migration", NULL };
static const char *const guard_words[] = { "normal", "strict", NULL };
static const struct json_field settings_fields[] = {
	{ "transaction", FIELD_FLAG, AT(document, per_migration), .words = transaction_words },
	{ "guard", FIELD_FLAG, AT(document, strict_guard), .words = guard_words },
	{ "lock_timeout_ms", FIELD_INT64, AT(document, lock_timeout_ms), .high = MS_MAX },
	{ "statement_timeout_ms", FIELD_INT64, AT(document, statement_timeout_ms), .high = MS_MAX },
	{ "retries", FIELD_INT, AT(document, retries), .high = 1000 },
	{ "search_path", FIELD_TEXTS, AT(document, path), .low = 1, .high = NAME_MAX_BYTES,
		.second = AT(document, paths) },
	{ "pinned", LIST_OF(document, pin, pins, doc_pin), .read = read_pin },
	{ 0 },
};

static const struct json_field shape_guard_fields[] = {
	{ "text", FIELD_PART, AT(document, shape_query.text_digest), .read = read_step_text },
	{ "history_tables", FIELD_TEXTS, AT(document, history_table), .low = 1, .high = NAME_MAX_BYTES,
		.second = AT(document, history_tables) },
	{ 0 },
};

static const struct json_field target_fields[] = {
	{ "number", FIELD_INT, AT(document, target_number), .low = 1, .high = INT32_MAX },
	{ "label", FIELD_TEXT, AT(document, label), .low = 1, .high = 512 },
	{ "apply_host", FIELD_TEXT, AT(document, apply_host), .low = 1, .high = 63 },
	{ "system_identifier", FIELD_TEXT, AT(document, system_identifier), .low = 1, .high = 31 },
	{ "database_oid", FIELD_INT64, AT(document, database_oid), .low = 1, .high = OID_MAX },
	{ "database", FIELD_TEXT, AT(document, database), .low = 1, .high = NAME_MAX_BYTES },
	{ "server_version", FIELD_INT, AT(document, server_version), .low = 120000, .high = 9999999 },
	{ "shared_schema", FIELD_TEXT, AT(document, shared_schema), .low = 1, .high = NAME_MAX_BYTES },
	{ "tenants_query", FIELD_TEXT, AT(document, tenants_query), .high = TEXT_MAX_BYTES,
		.null = true },
	{ "tenants_pattern", FIELD_TEXT, AT(document, tenants_pattern), .high = TEXT_MAX_BYTES,
		.null = true },
	{ "snapshot", FIELD_DIGEST, .offset = AT(document, snapshot) },
	{ 0 },
};

static int read_target(
	struct json_reader *reader, const struct json *value, void *target, struct err *err)
{
	struct document *document = target;
	if (value->type != JSON_ARRAY || value->count == 0)
		return err_set(err, ERR_FORMAT, "is not an array of one target");
	if (value->count > 1)
		return err_set(err, ERR_VERSION,
			"the plan is for %zu targets; this version applies plans for one", value->count);
	if (json_read_object(reader, value->first, target_fields, document, err))
		return -1;
	if (!document->tenants_query == !document->tenants_pattern)
		return err_set(err, ERR_FORMAT, "has neither a tenants query nor a pattern, or both");
	return 0;
}

/* format and objects are read before the rest, and again stand here so that they are known. */
static const struct json_field document_fields[] = {
	{ "format", FIELD_ANY, .offset = 0 },
	{ "objects", FIELD_ANY, .offset = 0 },
	{ "target", FIELD_PART, 0, .read = read_target },
	{ "settings", FIELD_PART, 0, .fields = settings_fields },
	{ "shape_guard", FIELD_PART, 0, .fields = shape_guard_fields },
	{ "waves", LIST_OF(document, wave, waves, doc_wave), .low = 1, .fields = wave_fields },
	{ "programs", LIST_OF(document, program, programs, doc_program), .low = 1,
		.read = read_program },
	{ "classes", LIST_OF(document, class, classes, doc_class), .low = 1, .fields = class_fields },
	{ "schemas", LIST_OF(document, schema, schemas, doc_schema), .low = 1,
		.fields = schema_fields },
	{ "findings", LIST_OF(document, finding, findings, doc_finding), .read = read_finding },
	{ "left_out", LIST_OF(document, left_out, left_outs, doc_left_out), .fields = left_out_fields },
	{ 0 },
};

static const struct json_field objects_field[] = {
	{ "objects", LIST_OF(document_objects, object, count, document_object),
		.fields = object_fields },
	{ 0 },
};

static int fields_check_format(const struct json *root, struct err *err)
{
	const struct json *format = json_find(root, "format");
	if (!format || format->type != JSON_TEXT || !text_starts(format->text, "pgdocket-document/"))
		return err_set(err, ERR_FORMAT, "it does not say which format it has");
	if (strcmp(format->text, DOCUMENT_FORMAT) == 0)
		return 0;
	return err_set_hint(err, ERR_VERSION, "Use a newer pgdocket to read it.",
		"it has format %.60s; this program reads %s", format->text, DOCUMENT_FORMAT);
}

static int fields_read_objects(struct json_reader *reader, const struct json *root,
	struct document_objects *objects, struct err *err)
{
	const struct json *list = json_find(root, "objects");
	if (!list)
		return err_set(err, ERR_FORMAT, "the key \"objects\" is missing");
	struct json only = *list, wrapped = { .type = JSON_OBJECT, .count = 1, .first = &only };
	only.next = NULL;
	return json_read_object(reader, &wrapped, objects_field, objects, err);
}

int document_fields_read(struct arena *arena, const struct json *root, const struct digest *own,
	struct document *document, struct document_objects *objects, struct err *err)
{
	struct json_reader reader = { arena, objects };
	if (fields_check_format(root, err) || fields_read_objects(&reader, root, objects, err) ||
		document_objects_sort(objects, own, err))
		return -1;
	return json_read_object(&reader, root, document_fields, document, err);
}
