/* The JSON half of reading a plan document: a tree made in one pass over json_tree, and a reader
 * driven by tables of fields. It knows no field of the document itself, and is never given bytes
 * whose digest was not checked. */
#include "document_inside.h"
#include <string.h>
#include "digest.h"
#include "text.h"

struct json_builder {
	struct arena *arena;
	size_t depth;
	struct {
		int64_t id;
		struct json *node;
	} open[JSON_DEPTH_MAX]; /* the containers around the current node */
	struct json *root;
};

static const struct {
	const char *name;
	enum json_type type;
} json_types[] = { { "null", JSON_NULL }, { "true", JSON_BOOL }, { "false", JSON_BOOL },
	{ "integer", JSON_INT }, { "text", JSON_TEXT }, { "array", JSON_ARRAY },
	{ "object", JSON_OBJECT } };

const struct json *json_find(const struct json *object, const char *key)
{
	if (object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *child = object->first; child; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

/* Columns of the query in json_parse: id, parent, key, type, atom. */
static int json_fill(
	struct json_builder *builder, struct db_query *query, struct json *node, struct err *err)
{
	const char *type = NULL, *text = NULL;
	size_t i = 0, count = sizeof json_types / sizeof *json_types;
	if (db_get_text(query, 3, &type, NULL, err))
		return -1;
	while (i < count && strcmp(json_types[i].name, type) != 0)
		i++;
	if (i == count)
		return err_set(err, ERR_FORMAT, "a value of type %s has no place in a plan document", type);
	node->type = json_types[i].type;
	if (node->type == JSON_BOOL)
		node->number = strcmp(type, "true") == 0;
	if (node->type == JSON_INT)
		return db_get_int64(query, 4, &node->number, err);
	size_t len = 0;
	if (node->type == JSON_TEXT)
		return db_get_text(query, 4, &text, &len, err) ||
				!(node->text = arena_copy(builder->arena, text, len, err))
			? -1
			: 0;
	return 0;
}

static int json_attach(
	struct json_builder *builder, struct db_query *query, struct json *node, struct err *err)
{
	struct json *parent = builder->open[builder->depth - 1].node;
	if (parent->type == JSON_OBJECT) {
		const char *key = NULL;
		size_t len = 0;
		if (db_get_text(query, 2, &key, &len, err))
			return -1;
		if (json_find(parent, key))
			return err_set(err, ERR_FORMAT, "the key \"%s\" stands twice in one object", key);
		if (parent->count == JSON_KEYS_MAX)
			return err_set(err, ERR_FORMAT, "an object has more than %d keys", JSON_KEYS_MAX);
		if (!(node->key = arena_copy(builder->arena, key, len, err)))
			return -1;
	}
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
	return 0;
}

/* Rows come in document order: a row's parent is always among the containers still open. */
static int json_add(struct db_query *query, void *context, struct err *err)
{
	struct json_builder *builder = context;
	int64_t id = 0, parent = 0;
	struct json *node = arena_alloc(builder->arena, sizeof *node, err);
	if (!node || db_get_int64(query, 0, &id, err) || json_fill(builder, query, node, err))
		return -1;
	if (db_is_null(query, 1)) {
		builder->root = node;
	} else {
		if (db_get_int64(query, 1, &parent, err))
			return -1;
		while (builder->depth && builder->open[builder->depth - 1].id != parent)
			builder->depth--;
		if (!builder->depth)
			return err_set(err, ERR_BUG, "json_tree gave a row whose parent is not open");
		if (json_attach(builder, query, node, err))
			return -1;
	}
	if (node->type != JSON_ARRAY && node->type != JSON_OBJECT)
		return 0;
	if (builder->depth == JSON_DEPTH_MAX)
		return err_set(err, ERR_FORMAT, "it is nested more than %d deep", JSON_DEPTH_MAX);
	builder->open[builder->depth].id = id;
	builder->open[builder->depth++].node = node;
	return 0;
}

/* SQLite ends a string at an escaped NUL, others do not: a reviewer would see another value. */
static bool json_escapes_nul(const char *text, size_t len)
{
	static const char nul[] = "\\u0000";
	for (size_t at = 0; at + sizeof nul - 1 <= len;) {
		if (text[at] != '\\') {
			at++;
			continue;
		}
		if (memcmp(text + at, nul, sizeof nul - 1) == 0)
			return true;
		at += 2; /* the backslash and what it escapes */
	}
	return false;
}

static int json_check_valid(struct db *db, const char *text, size_t len, struct err *err)
{
	struct db_query *query = NULL;
	int64_t valid = 0;
	size_t bad = 0;
	bool row = false;
	if (!text_utf8(text, len, &bad))
		return err_set(err, ERR_FORMAT, "it is not valid UTF-8 at byte %zu", bad);
	if (json_escapes_nul(text, len))
		return err_set(err, ERR_FORMAT, "a text in it holds a NUL");
	if (db_prepare(db, "SELECT json_valid(?1)", &query, err))
		return -1;
	db_bind_text_len(query, 1, text, len);
	int rc = db_step(query, &row, err) || db_get_int64(query, 0, &valid, err);
	db_finish(query);
	return rc == 0 && !valid ? err_set(err, ERR_FORMAT, "it is not JSON") : rc ? -1 : 0;
}

int json_parse(struct db *db, struct arena *arena, const char *text, size_t len, struct json **out,
	struct err *err)
{
	struct json_builder builder = { .arena = arena };
	struct db_query *query = NULL;
	if (json_check_valid(db, text, len, err) ||
		db_prepare(db, "SELECT id, parent, key, type, atom FROM json_tree(?1)", &query, err))
		return -1;
	db_bind_text_len(query, 1, text, len);
	if (db_each(query, json_add, &builder, err))
		return -1;
	*out = builder.root;
	return 0;
}

static int json_read_int(
	const struct json_field *field, const struct json *value, char *at, struct err *err)
{
	if (value->type != JSON_INT)
		return err_set(err, ERR_FORMAT, "is not an integer");
	if (value->number < field->low || value->number > field->high)
		return err_set(err, ERR_FORMAT, "%lld is not within %lld and %lld",
			(long long)value->number, (long long)field->low, (long long)field->high);
	if (field->kind == FIELD_INT64)
		*(int64_t *)(void *)at = value->number;
	else
		*(int *)(void *)at = (int)value->number;
	return 0;
}

static int json_check_text(
	const struct json_field *field, const struct json *value, struct err *err)
{
	if (value->type != JSON_TEXT)
		return err_set(err, ERR_FORMAT, "is not a text");
	if ((int64_t)strlen(value->text) > field->high)
		return err_set(err, ERR_FORMAT, "is longer than %lld bytes", (long long)field->high);
	if ((int64_t)strlen(value->text) < field->low)
		return err_set(err, ERR_FORMAT, "is shorter than %lld bytes", (long long)field->low);
	return 0;
}

static int json_read_word(
	const struct json_field *field, const struct json *value, char *at, struct err *err)
{
	for (int i = 0; value->type == JSON_TEXT && field->words[i]; i++) {
		if (strcmp(value->text, field->words[i]) != 0)
			continue;
		if (field->kind == FIELD_FLAG)
			*(bool *)(void *)at = i == 1;
		else
			*(int *)(void *)at = i;
		return 0;
	}
	return err_set(err, ERR_FORMAT, "is none of the words that may stand here");
}

static int json_read_part(struct json_reader *reader, const struct json_field *field,
	const struct json *value, void *target, struct err *err)
{
	if (field->fields)
		return json_read_object(reader, value, field->fields, target, err);
	return field->read(reader, value, target, err);
}

static int json_read_list(struct json_reader *reader, const struct json_field *field,
	const struct json *value, char *target, struct err *err)
{
	bool texts = field->kind == FIELD_TEXTS;
	size_t size = texts ? sizeof(const char *) : field->element, i = 0;
	if (value->type != JSON_ARRAY)
		return err_set(err, ERR_FORMAT, "is not an array");
	if (!texts && (int64_t)value->count < field->low)
		return err_set(err, ERR_FORMAT, "has fewer than %lld entries", (long long)field->low);
	char *list = arena_array(reader->arena, value->count, size, err);
	if (!list)
		return -1;
	for (const struct json *child = value->first; child; child = child->next, i++) {
		int rc = texts ? json_check_text(field, child, err)
					   : json_read_part(reader, field, child, list + i * size, err);
		if (rc)
			return err_context(err, "[%zu]", i);
		if (texts)
			((const char **)(void *)list)[i] = child->text;
	}
	*(void **)(void *)(target + field->offset) = list;
	*(size_t *)(void *)(target + field->second) = value->count;
	return 0;
}

/* null, or a key that may be missing. Targets are zero before: only what differs is written. */
static int json_read_null(const struct json_field *field, char *at, struct err *err)
{
	if (!field->null && !field->absent)
		return err_set(err, ERR_FORMAT, "must not be null");
	if (field->kind == FIELD_INT)
		*(int *)(void *)at = -1;
	return 0;
}

static int json_read_field(struct json_reader *reader, const struct json_field *field,
	const struct json *value, char *target, struct err *err)
{
	char *at = target + field->offset;
	int rc = 0;
	if (value->type == JSON_NULL)
		return json_read_null(field, at, err);
	switch ((enum json_kind)field->kind) {
	case FIELD_BOOL:
		if (value->type != JSON_BOOL)
			return err_set(err, ERR_FORMAT, "is neither true nor false");
		*(bool *)(void *)at = value->number != 0;
		return 0;
	case FIELD_INT:
	case FIELD_INT64: return json_read_int(field, value, at, err);
	case FIELD_TEXT:
		if (json_check_text(field, value, err))
			return -1;
		*(const char **)(void *)at = value->text;
		return 0;
	case FIELD_DIGEST:
		if (value->type != JSON_TEXT ||
			!digest_parse(value->text, strlen(value->text), (struct digest *)(void *)at))
			return err_set(err, ERR_FORMAT, "is not a SHA-256 of 64 lower-case hex digits");
		if (field->null && field->second != UINT16_MAX)
			*(bool *)(void *)(target + field->second) = true;
		return 0;
	case FIELD_WORD:
	case FIELD_FLAG: return json_read_word(field, value, at, err);
	case FIELD_TEXTS:
	case FIELD_LIST: return json_read_list(reader, field, value, target, err);
	case FIELD_PART: return json_read_part(reader, field, value, at, err);
	case FIELD_ANY: return 0;
	}
	return rc;
}

int json_read_object(struct json_reader *reader, const struct json *object,
	const struct json_field *fields, void *target, struct err *err)
{
	static const struct json nothing = { .type = JSON_NULL };
	size_t known = 0;
	if (object->type != JSON_OBJECT)
		return err_set(err, ERR_FORMAT, "is not an object");
	for (const struct json_field *field = fields; field->key; field++) {
		const struct json *value = json_find(object, field->key);
		if (!value && !field->absent)
			return err_set(err, ERR_FORMAT, "the key \"%s\" is missing", field->key);
		known += value != NULL;
		if (json_read_field(reader, field, value ? value : &nothing, target, err))
			return err_context(err, "%s", field->key);
	}
	if (known == object->count)
		return 0;
	for (const struct json *child = object->first; child; child = child->next) {
		const struct json_field *field = fields;
		while (field->key && strcmp(field->key, child->key) != 0)
			field++;
		if (!field->key)
			return err_set(err, ERR_FORMAT, "the key \"%.60s\" is not known", child->key);
	}
	return 0;
}
