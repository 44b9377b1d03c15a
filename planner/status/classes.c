/*
 * The snapshot's rows grouped into classes. Cost follows classes: states and shapes are read once
 * per distinct digest. Judges nothing but what most schemas look like; status and the plan draw
 * their own conclusions.
 */
#include <stdlib.h>
#include <string.h>
#include "classes.h"
#include "object.h"
#include "sql.h"

#define ARENA_MAX_BYTES ((size_t)1 << 30)

struct row { /* of the table schema, with its two digests */
	struct digest state, shape;
	int schema; /* index */
	enum classes_scope scope;
};

static const char *const scopes[] = { "shared", "tenant", "orphan" };

static int copy_digest(struct db_query *query, int column, struct digest *out, struct err *err)
{
	const void *bytes;
	size_t len;

	if (db_get_blob(query, column, &bytes, &len, err))
		return -1;
	if (len != sizeof out->bytes)
		return err_set(err, ERR_FORMAT, "the snapshot holds a digest of %zu bytes", len);
	memcpy(out->bytes, bytes, len);
	return 0;
}

static int copy_text(
	struct arena *arena, struct db_query *query, int column, const char **out, struct err *err)
{
	const char *text;

	if (db_get_text_or_null(query, column, &text, err))
		return -1;
	*out = text ? arena_text(arena, text, err) : NULL;
	return text && !*out ? -1 : 0;
}

static int read_target(struct class_set *set, struct db *bundle, struct err *err)
{
	struct classes_target *target = &set->target;
	struct db_query *query = NULL;
	int64_t version;
	bool row;
	int rc = -1;

	if (db_prepare(bundle, sql_classes_target, &query, err) || db_step(query, &row, err))
		goto out;
	if (!row) {
		err_set(err, ERR_FORMAT, "the bundle holds no snapshot");
		err_hint(err, "pgdocket snapshot makes one");
		goto out;
	}
	if (copy_text(set->arena, query, 0, &target->label, err) ||
		copy_text(set->arena, query, 1, &target->system_identifier, err) ||
		copy_text(set->arena, query, 2, &target->database, err) ||
		copy_text(set->arena, query, 3, &target->shared_schema, err) ||
		db_get_int64(query, 4, &target->database_oid, err) ||
		db_get_int64(query, 5, &target->taken_us, err) || db_get_int64(query, 6, &version, err) ||
		copy_digest(query, 7, &target->configuration, err) ||
		copy_digest(query, 8, &target->facts, err))
		goto out;
	target->server_version = (int)version;
	if (!target->label || !target->system_identifier || !target->database || !target->shared_schema)
		err_set(err, ERR_FORMAT, "the snapshot's target lacks a name");
	else if (db_step(query, &row, err) == 0 && row)
		err_set(err, ERR_VERSION, "the bundle holds several targets; this version reads one");
	rc = err->code == ERR_NONE ? 0 : -1;
out:
	db_finish(query);
	return rc;
}

/* An object's bytes in the arena. */
static int load(struct class_set *set, struct db *bundle, const struct digest *digest,
	const char *kind, const char **text, size_t *len, struct err *err)
{
	char *bytes = NULL;
	int rc = object_get(bundle, digest, kind, &bytes, len, err);

	if (rc == 0) {
		*text = arena_copy(set->arena, bytes, *len, err);
		rc = *text ? 0 : -1;
	}
	free(bytes);
	return rc;
}

static int read_scope(struct db_query *query, enum classes_scope *out, struct err *err)
{
	const char *text;
	size_t len;

	if (db_get_text(query, 1, &text, &len, err))
		return -1;
	for (int i = 0; i < 3; i++)
		if (strcmp(text, scopes[i]) == 0) {
			*out = (enum classes_scope)i;
			return 0;
		}
	return err_set(err, ERR_FORMAT, "the snapshot has a schema of scope \"%s\"", text);
}

/* One row; *there false: listed, but without a schema. */
static int read_schema(struct class_set *set, struct db_query *query, struct classes_schema *out,
	struct row *row, bool *there, struct err *err)
{
	int64_t listed, active;

	if (copy_text(set->arena, query, 0, &out->name, err) || read_scope(query, &out->scope, err) ||
		db_get_int64(query, 2, &listed, err) || db_get_int64(query, 3, &active, err) ||
		copy_text(set->arena, query, 5, &out->history, err) ||
		db_get_int64(query, 8, &out->tables, err) || db_get_int64(query, 9, &out->rows, err) ||
		db_get_int64(query, 10, &out->bytes, err))
		return -1;
	out->listed = listed != 0;
	out->active = active != 0;
	out->class_index = -1;
	*there = !db_is_null(query, 4);
	if (!*there)
		return 0;
	if (db_get_int64(query, 4, &out->oid, err) || copy_digest(query, 6, &row->state, err) ||
		copy_digest(query, 7, &row->shape, err))
		return err_context(err, "schema %s", out->name);
	row->schema = (int)(out - set->schema);
	row->scope = out->scope;
	return 0;
}

static int read_schemas(
	struct class_set *set, struct db *bundle, struct row **rows, size_t *count, struct err *err)
{
	struct db_query *query = NULL;
	int64_t total;
	bool row = true;
	int rc = -1;

	if (db_value_int64(bundle, sql_classes_count, &total, err))
		return -1;
	set->schema = arena_array(set->arena, (size_t)total, sizeof *set->schema, err);
	*rows = arena_array(set->arena, (size_t)total, sizeof **rows, err);
	if (!set->schema || !*rows || db_prepare(bundle, sql_classes_schemas, &query, err))
		goto out;
	while (db_step(query, &row, err) == 0 && row && set->schemas < (size_t)total) {
		bool there;
		if (read_schema(set, query, &set->schema[set->schemas], &(*rows)[*count], &there, err))
			break;
		set->schemas++;
		*count += there;
	}
	rc = err->code == ERR_NONE ? 0 : -1;
out:
	db_finish(query);
	return rc;
}

static int by_digest(const void *a, const void *b)
{
	return memcmp(
		((const struct digest *)a)->bytes, ((const struct digest *)b)->bytes, DIGEST_SIZE);
}

/* Scope, state, shape, name: rows of one class stand together, and so do those of one state. */
static int by_class(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = (x->scope > y->scope) - (x->scope < y->scope);

	if (!order)
		order = by_digest(&x->state, &y->state);
	if (!order)
		order = by_digest(&x->shape, &y->shape);
	return order ? order : (x->schema > y->schema) - (x->schema < y->schema);
}

static bool same_state(const struct row *a, const struct row *b)
{
	return a->scope == b->scope && digest_equal(&a->state, &b->state);
}

static bool same_class(const struct row *a, const struct row *b)
{
	return same_state(a, b) && digest_equal(&a->shape, &b->shape);
}

static int read_shapes(
	struct class_set *set, struct db *bundle, const struct row *rows, size_t count, struct err *err)
{
	struct digest *digest = arena_array(set->arena, count, sizeof *digest, err);
	size_t distinct = 0;

	if (!digest)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !same_class(&rows[i - 1], &rows[i]))
			digest[distinct++] = rows[i].shape;
	qsort(digest, distinct, sizeof *digest, by_digest);
	set->shape = arena_array(set->arena, distinct, sizeof *set->shape, err);
	if (!set->shape)
		return -1;
	for (size_t i = 0; i < distinct; i++) {
		struct classes_shape *shape = &set->shape[set->shapes];
		struct shape *parsed;
		if (i > 0 && digest_equal(&digest[i - 1], &digest[i]))
			continue;
		shape->digest = digest[i];
		if (load(set, bundle, &digest[i], "shape", &shape->text, &shape->len, err) ||
			shape_parse(set->arena, shape->text, shape->len, &parsed, err))
			return -1;
		shape->shape = parsed;
		set->shapes++;
	}
	return 0;
}

static struct classes_shape *find_shape(const struct class_set *set, const struct digest *digest)
{
	size_t low = 0, high = set->shapes;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = by_digest(digest, &set->shape[middle].digest);
		if (!order)
			return &set->shape[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int read_state(struct class_set *set, struct db *bundle, const struct source *source,
	struct classes_class *class, struct err *err)
{
	if (load(set, bundle, &class->state_digest, "state", &class->state_text, &class->state_len,
			err) ||
		history_read_state(
			set->arena, class->state_text, class->state_len, source, &class->state, err))
		return -1;
	class->pending = arena_array(set->arena, source->migrations, sizeof *class->pending, err);
	if (!class->pending)
		return -1;
	for (size_t i = 0; i < source->migrations; i++) {
		class->pending[i] =
			!class->state.applied[i] && classes_migration_is_for(set, i, class->scope);
		class->pending_count += class->pending[i];
	}
	return 0;
}

/* A new class of rows[0..schemas). The state is its neighbour's when that has the same. */
static int make_class(struct class_set *set, struct db *bundle, const struct source *source,
	const struct row *rows, size_t schemas, struct err *err)
{
	struct classes_class *class = &set->class[set->classes];
	const struct classes_class *before = set->classes ? class - 1 : NULL;
	struct classes_shape *shape;
	int *schema = arena_array(set->arena, schemas, sizeof *schema, err);

	if (!schema)
		return -1;
	if (before && before->scope == rows->scope &&
		digest_equal(&before->state_digest, &rows->state)) {
		*class = *before;
		class->active = 0;
	} else {
		class->scope = rows->scope;
		class->state_digest = rows->state;
		if (read_state(set, bundle, source, class, err))
			return -1;
	}
	shape = find_shape(set, &rows->shape);
	if (!shape)
		return err_set(err, ERR_BUG, "a schema's shape was not read");
	shape->schemas += schemas;
	class->shape = shape;
	class->schemas = schemas;
	class->schema = schema;
	for (size_t i = 0; i < schemas; i++) {
		schema[i] = rows[i].schema;
		class->active += set->schema[rows[i].schema].active;
	}
	set->classes++;
	return 0;
}

/* More schemas in this state; then in any; then the smaller digest. */
static bool more_usual(const struct classes_class *a, const struct classes_class *b)
{
	if (a->schemas != b->schemas)
		return a->schemas > b->schemas;
	return a->shape->schemas > b->shape->schemas;
}

/* Classes of one scope and state stand together; the one with most schemas says what is usual. */
static void find_usual(struct class_set *set)
{
	for (size_t first = 0, next; first < set->classes; first = next) {
		const struct classes_class *most = &set->class[first];
		for (next = first;
			 next < set->classes && set->class[next].scope == set->class[first].scope &&
			 digest_equal(&set->class[next].state_digest, &set->class[first].state_digest);
			 next++)
			if (more_usual(&set->class[next], most))
				most = &set->class[next];
		for (size_t i = first; i < next; i++) {
			set->class[i].usual = most->shape;
			set->class[i].drift = set->class[i].shape != most->shape;
		}
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct classes_class *x = a, *y = b;
	int order = (x->scope > y->scope) - (x->scope < y->scope);

	if (!order)
		order = (x->state.applied_count < y->state.applied_count) -
				(x->state.applied_count > y->state.applied_count);
	if (!order)
		order = by_digest(&x->state_digest, &y->state_digest);
	if (!order)
		order = (x->schemas < y->schemas) - (x->schemas > y->schemas);
	return order ? order : by_digest(&x->shape->digest, &y->shape->digest);
}

static int group(struct class_set *set, struct db *bundle, const struct source *source,
	struct row *rows, size_t count, struct err *err)
{
	size_t classes = 0;

	qsort(rows, count, sizeof *rows, by_class);
	for (size_t i = 0; i < count; i++)
		classes += i == 0 || !same_class(&rows[i - 1], &rows[i]);
	set->class = arena_array(set->arena, classes, sizeof *set->class, err);
	if (!set->class || read_shapes(set, bundle, rows, count, err))
		return -1;
	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count && same_class(&rows[first], &rows[next]);)
			next++;
		if (make_class(set, bundle, source, rows + first, next - first, err))
			return -1;
	}
	find_usual(set);
	qsort(set->class, set->classes, sizeof *set->class, by_rank);
	for (size_t i = 0; i < set->classes; i++) {
		if (set->class[i].scope == SCOPE_SHARED)
			set->shared_shape = set->class[i].shape;
		for (size_t j = 0; j < set->class[i].schemas; j++)
			set->schema[set->class[i].schema[j]].class_index = (int)i;
	}
	return 0;
}

/*
 * Only files that hold a directive are looked at; one that cannot be split is for all, and the
 * plan says why it cannot.
 */
static int read_scopes(struct class_set *set, const struct source *source, struct err *err)
{
	static const char mark[] = "pgdocket:";
	struct arena *arena = arena_new(ARENA_MAX_BYTES);

	set->migration_scope =
		arena_array(set->arena, source->migrations, sizeof *set->migration_scope, err);
	if (!arena || !set->migration_scope) {
		arena_free(arena);
		return err_nomem(err);
	}
	for (size_t i = 0; i < source->migrations; i++) {
		const struct source_part *part = &source->migration[i].up;
		struct sql_file *file = NULL;
		struct err ignored = ERR_INIT;
		if (memmem(part->text + part->start, part->end - part->start, mark, sizeof mark - 1) &&
			statement_parse_file(arena, part->file, part->text + part->start,
				part->end - part->start, part->first_line, &file, &ignored) == 0)
			set->migration_scope[i] = file->directives.scope;
	}
	arena_free(arena);
	return 0;
}

bool classes_migration_is_for(
	const struct class_set *set, size_t migration, enum classes_scope scope)
{
	enum sql_scope other = scope == SCOPE_SHARED ? SQL_SCOPE_TENANT : SQL_SCOPE_SHARED;

	return set->migration_scope[migration] != other;
}

int classes_read(
	struct db *bundle, const struct source *source, struct class_set **out, struct err *err)
{
	struct class_set *set = calloc(1, sizeof *set);
	struct row *rows = NULL;
	size_t count = 0;

	if (!set)
		return err_nomem(err);
	set->arena = arena_new(ARENA_MAX_BYTES);
	if (!set->arena) {
		err_nomem(err);
		goto fail;
	}
	if (read_scopes(set, source, err) || read_target(set, bundle, err) ||
		read_schemas(set, bundle, &rows, &count, err) ||
		group(set, bundle, source, rows, count, err) ||
		load(set, bundle, &set->target.facts, "facts", &set->facts, &set->facts_len, err))
		goto fail;
	*out = set;
	return 0;
fail:
	classes_free(set);
	return -1;
}

void classes_free(struct class_set *set)
{
	if (!set)
		return;
	arena_free(set->arena);
	free(set);
}

int classes_find(const struct class_set *set, const char *name)
{
	size_t low = 0, high = set->schemas;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, set->schema[middle].name);
		if (!order)
			return (int)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

int classes_configuration(
	struct db *bundle, const struct class_set *set, char **text, size_t *len, struct err *err)
{
	return object_get(bundle, &set->target.configuration, "configuration", text, len, err);
}
