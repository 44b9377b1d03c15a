/* Objects in the bundle: stored once under the SHA-256 of their raw bytes, checked against name,
 * size and kind whenever they are read. What refers to an object, and whether its compressed bytes
 * are authentic, is judged in document_objects.c. */
#include "object.h"
#include <stdlib.h>
#include <string.h>
#include "codec.h"
#include "db_sqlite.h"
#include "text.h"

static const char *const object_kinds[] = { "statement", "migration", "shape", "state", "document",
	"query", "configuration", "facts", NULL };

bool object_kind_known(const char *kind)
{
	return text_among(object_kinds, kind);
}

int object_context(const struct digest *digest, const char *kind, struct err *err)
{
	return err_context(err, "%s %.16s", kind ? kind : "object", digest_text(digest).hex);
}

/* The row of an object; body and kind are borrowed from the query, which the caller finishes. */
struct object_row {
	const char *kind;
	int64_t size;
	const void *body;
	size_t body_len;
};

static int object_find(struct db *db, const struct digest *digest, struct db_query **query,
	struct object_row *row, struct err *err)
{
	bool found = false;
	if (db_prepare(db, "SELECT kind, size, body FROM object WHERE digest = ?1", query, err))
		return -1;
	db_bind_blob(*query, 1, digest->bytes, DIGEST_SIZE);
	if (db_step(*query, &found, err))
		return -1;
	if (!found)
		return err_set(err, ERR_FORMAT, "is missing in %s", db->name);
	if (db_get_text(*query, 0, &row->kind, NULL, err) || db_get_int64(*query, 1, &row->size, err) ||
		db_get_blob(*query, 2, &row->body, &row->body_len, err))
		return -1;
	if (!object_kind_known(row->kind))
		return err_set(err, ERR_FORMAT, "is of a kind that this version does not know");
	if (row->size < 0 || row->size > (int64_t)OBJECT_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "declares %lld bytes; at most %u are allowed",
			(long long)row->size, OBJECT_MAX_BYTES);
	return 0;
}

static int object_unpack(
	const struct object_row *row, const struct digest *digest, char **out, struct err *err)
{
	struct digest found;
	char *bytes = NULL;
	if (codec_inflate(row->body, row->body_len, (size_t)row->size, &bytes, err))
		return -1;
	digest_of(bytes, (size_t)row->size, &found);
	if (!digest_equal(&found, digest)) {
		free(bytes);
		return err_set(err, ERR_FORMAT, "holds other bytes than its SHA-256 says");
	}
	*out = bytes;
	return 0;
}

int object_get(struct db *db, const struct digest *digest, const char *kind, char **out,
	size_t *size, struct err *err)
{
	struct db_query *query = NULL;
	struct object_row row;
	int rc = object_find(db, digest, &query, &row, err) || object_unpack(&row, digest, out, err)
		? -1
		: 0;
	if (rc == 0)
		*size = (size_t)row.size;
	db_finish(query);
	return rc ? object_context(digest, kind, err) : 0;
}

static void object_describe(const struct object_row *row, struct object_facts *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->kind, row->kind, strlen(row->kind) + 1);
	out->size = row->size;
	out->stored_size = (int64_t)row->body_len;
	digest_of(row->body, row->body_len, &out->stored);
}

int object_get_stated(struct db *db, const struct digest *digest, const struct object_facts *stated,
	char **out, struct err *err)
{
	struct db_query *query = NULL;
	struct object_row row;
	struct object_facts facts;
	int rc = object_find(db, digest, &query, &row, err);
	if (rc == 0) {
		object_describe(&row, &facts);
		bool same = facts.size == stated->size && facts.stored_size == stated->stored_size &&
			strcmp(facts.kind, stated->kind) == 0 && digest_equal(&facts.stored, &stated->stored);
		rc = same ? object_unpack(&row, digest, out, err)
				  : err_set(err, ERR_FORMAT, "is not stored as the plan document states");
	}
	db_finish(query);
	return rc ? object_context(digest, stated->kind, err) : 0;
}

int object_facts(
	struct db *db, const struct digest *digest, struct object_facts *out, struct err *err)
{
	struct db_query *query = NULL;
	struct object_row row;
	int rc = object_find(db, digest, &query, &row, err);
	if (rc == 0)
		object_describe(&row, out);
	db_finish(query);
	return rc ? object_context(digest, NULL, err) : 0;
}
