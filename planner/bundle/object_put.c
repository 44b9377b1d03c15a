/*
 * Storing objects: compressed, once under the SHA-256 of their raw bytes. Reading them back is
 * object.c's part.
 */
#include "object.h"

#include <stdlib.h>
#include <zlib.h>
#include "codec.h"

int codec_deflate(const void *in, size_t in_len, void **out, size_t *out_len, struct err *err)
{
	if (in_len > CODEC_MAX_BYTES)
		return err_set(err, ERR_LIMIT,
			"an object of %zu bytes is larger than a bundle may hold (%u)", in_len,
			CODEC_MAX_BYTES);
	uLongf stored = compressBound((uLong)in_len);
	Bytef *bytes = malloc(stored);
	if (!bytes)
		return err_nomem(err);
	int rc = compress2(bytes, &stored, in_len ? in : (const void *)"", (uLong)in_len, 6);
	if (rc != Z_OK || stored > CODEC_MAX_BYTES) {
		free(bytes);
		return rc == Z_OK
			? err_set(err, ERR_LIMIT, "an object is larger than a bundle may hold, also compressed")
			: err_nomem(err);
	}
	*out = bytes;
	*out_len = stored;
	return 0;
}

static int object_exists(struct db *db, const struct digest *digest, bool *exists, struct err *err)
{
	struct db_query *query = NULL;
	if (db_prepare(db, "SELECT 1 FROM object WHERE digest = ?1", &query, err))
		return -1;
	db_bind_blob(query, 1, digest->bytes, DIGEST_SIZE);
	int rc = db_step(query, exists, err);
	db_finish(query);
	return rc;
}

static int object_insert(struct db *db, const char *kind, size_t size, const struct digest *digest,
	const void *body, size_t body_len, struct err *err)
{
	struct db_query *query = NULL;
	if (db_prepare(db, "INSERT INTO object (digest, kind, size, body) VALUES (?1, ?2, ?3, ?4)",
			&query, err))
		return -1;
	db_bind_blob(query, 1, digest->bytes, DIGEST_SIZE);
	db_bind_text(query, 2, kind);
	db_bind_int64(query, 3, (int64_t)size);
	db_bind_blob(query, 4, body, body_len);
	int rc = db_run(query, err);
	db_finish(query);
	return rc;
}

int object_put(struct db *db, const char *kind, const void *bytes, size_t size,
	struct digest *digest, struct err *err)
{
	bool exists = false;
	void *body = NULL;
	size_t body_len = 0;
	int rc = -1;
	if (!object_kind_known(kind))
		return err_set(err, ERR_BUG, "objects of kind %s are not part of the format", kind);
	digest_of(bytes, size, digest);
	if (object_exists(db, digest, &exists, err))
		goto out;
	if (!exists &&
		(codec_deflate(bytes, size, &body, &body_len, err) ||
			object_insert(db, kind, size, digest, body, body_len, err)))
		goto out;
	rc = 0;
out:
	free(body);
	return rc ? object_context(digest, kind, err) : 0;
}
