/* The objects that a plan document names: each there, stored as stated, inflating to its own name;
 * and none in the bundle that nothing names. What the texts mean is no business of this file. */
#include "document_inside.h"
#include <stdlib.h>
#include <string.h>
#include "sql.h"

static int objects_order(const void *a, const void *b)
{
	return memcmp(((const struct document_object *)a)->digest.bytes,
		((const struct document_object *)b)->digest.bytes, DIGEST_SIZE);
}

struct document_object *document_objects_find(
	const struct document_objects *objects, const struct digest *digest)
{
	struct document_object key = { .digest = *digest };
	return bsearch(&key, objects->object, objects->count, sizeof *objects->object, objects_order);
}

static int objects_fail(const struct digest *digest, const char *what, struct err *err)
{
	return err_set(err, ERR_FORMAT, "object %.16s %s", digest_text(digest).hex, what);
}

static int objects_read(
	struct db *db, struct arena *arena, struct document_object *object, struct err *err)
{
	struct object_facts stated = {
		.size = object->size, .stored_size = object->stored_size, .stored = object->stored
	};
	char *bytes = NULL;
	if (strlen(object->kind) >= sizeof stated.kind)
		return objects_fail(&object->digest, "is of a kind that this version does not know", err);
	memcpy(stated.kind, object->kind, strlen(object->kind) + 1);
	if (object_get_stated(db, &object->digest, &stated, &bytes, err))
		return -1;
	int rc = 0;
	if (object->wanted && memchr(bytes, '\0', (size_t)object->size))
		rc = objects_fail(&object->digest, "holds a NUL byte and cannot be a statement", err);
	else if (object->wanted)
		rc = (object->text = arena_copy(arena, bytes, (size_t)object->size, err)) ? 0 : -1;
	free(bytes);
	return rc;
}

static int objects_refuse_missing(struct db_query *query, void *context, struct err *err)
{
	struct digest digest;
	(void)context;
	if (db_get_digest(query, 0, &digest, err))
		return -1;
	return objects_fail(&digest, "is referred to and missing", err);
}

static int objects_refuse_strange(struct db_query *query, void *context, struct err *err)
{
	struct digest digest;
	struct err inner = ERR_INIT;
	if (!db_get_digest(query, 0, &digest, &inner) && document_objects_find(context, &digest))
		return 0;
	return err_set(err, ERR_FORMAT, "the bundle holds an object that the plan does not name");
}

int document_objects_sort(
	struct document_objects *objects, const struct digest *document, struct err *err)
{
	if (objects->count)
		qsort(objects->object, objects->count, sizeof *objects->object, objects_order);
	for (size_t i = 1; i < objects->count; i++)
		if (objects_order(&objects->object[i - 1], &objects->object[i]) == 0)
			return objects_fail(&objects->object[i].digest, "is named twice", err);
	if (document_objects_find(objects, document))
		return objects_fail(document, "is the document itself and cannot be named in it", err);
	return 0;
}

int document_objects_load(
	struct db *db, struct arena *arena, struct document_objects *objects, struct err *err)
{
	if (db_each_of(db, sql_objects_missing, objects_refuse_missing, NULL, err) ||
		db_each_of(db, sql_objects_unlisted, objects_refuse_strange, objects, err))
		return -1;
	for (size_t i = 0; i < objects->count; i++)
		if (objects_read(db, arena, &objects->object[i], err))
			return -1;
	return 0;
}
