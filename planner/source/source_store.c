/*
 * Migrations in the bundle: their files as objects, one row of the table migration for each; and
 * back again. Parts are cut anew from the files, so that the bundle holds each file once and as it
 * was.
 */
#include <stdlib.h>
#include <string.h>
#include "object.h"
#include "source_adapter.h"

static int put_part(struct db *bundle, const struct source_part *part, struct digest *digest,
		    struct err *err)
{
	return object_put(bundle, "migration", part->file_text, part->file_len, digest, err);
}

static int store_one(const struct source_migration *migration, int64_t position, struct db *bundle,
		     struct db_query *query, struct err *err)
{
	struct digest up, down;

	if (put_part(bundle, &migration->up, &up, err))
		return -1;
	db_bind_int64(query, 1, position);
	db_bind_text(query, 2, migration->version);
	db_bind_text(query, 3, migration->name);
	db_bind_text(query, 4, migration->up.file);
	db_bind_blob(query, 5, up.bytes, sizeof up.bytes);
	db_bind_null(query, 6);
	db_bind_null(query, 7);
	if (migration->has_down) {
		if (put_part(bundle, &migration->down, &down, err))
			return -1;
		db_bind_text(query, 6, migration->down.file);
		db_bind_blob(query, 7, down.bytes, sizeof down.bytes);
	}
	return db_run(query, err);
}

int source_store(const struct source *source, struct db *bundle, struct err *err)
{
	struct db_query *query = NULL;
	int rc = db_prepare(
		bundle,
		"INSERT INTO migration (position, version, name, up_file, up, down_file, down) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		&query, err);

	for (size_t i = 0; rc == 0 && i < source->migrations; i++)
		rc = store_one(&source->migration[i], (int64_t)i + 1, bundle, query, err);
	db_finish(query);
	return rc;
}

/* File and digest in columns first and first + 1. */
static int get_file(struct arena *arena, struct db *bundle, struct db_query *query, int first,
		    struct source_file *out, struct err *err)
{
	const char *name;
	const void *bytes;
	struct digest digest;
	char *text = NULL;
	size_t len;
	int rc = -1;

	if (db_get_text(query, first, &name, &len, err) ||
	    db_get_blob(query, first + 1, &bytes, &len, err))
		return -1;
	if (len != sizeof digest.bytes)
		return err_set(err, ERR_FORMAT, "migration %s: its digest has %zu bytes", name,
			       len);
	memcpy(digest.bytes, bytes, sizeof digest.bytes);
	out->name = arena_text(arena, name, err);
	if (out->name && object_get(bundle, &digest, "migration", &text, &out->len, err) == 0) {
		out->text = arena_copy(arena, text, out->len, err);
		rc = out->text ? 0 : -1;
	}
	free(text);
	return rc;
}

static int restore_one(struct arena *arena, struct db *bundle, struct db_query *query,
		       const struct source_adapter *adapter, struct source_migration *out,
		       struct err *err)
{
	struct source_file up, down;
	const char *version, *name;
	bool has_down = !db_is_null(query, 4) && !adapter->one_file;
	size_t len;

	if (db_get_text(query, 0, &version, &len, err) || db_get_text(query, 1, &name, &len, err) ||
	    get_file(arena, bundle, query, 2, &up, err) ||
	    (has_down && get_file(arena, bundle, query, 4, &down, err)))
		return -1;
	out->version = arena_text(arena, version, err);
	out->name = arena_text(arena, name, err);
	if (!out->version || !out->name ||
	    adapter->parts(arena, &up, has_down ? &down : NULL, out, err))
		return -1;
	return 0;
}

int source_restore(struct arena *arena, struct db *bundle, const char *layout, struct source *out,
		   struct err *err)
{
	const struct source_adapter *adapter = source_adapter_find(layout);
	struct db_query *query = NULL;
	int64_t count;
	bool row = true;
	int rc;

	memset(out, 0, sizeof *out);
	if (!adapter) {
		err_set(err, ERR_FORMAT, "the bundle's migrations have an unknown layout \"%s\"",
			layout);
		return err_hint(err, "layouts: %s", source_adapter_names());
	}
	out->layout = adapter->name;
	if (db_value_int64(bundle, "SELECT count(*) FROM migration", &count, err))
		return -1;
	out->migration = arena_array(arena, (size_t)count, sizeof *out->migration, err);
	if (!out->migration)
		return -1;
	rc = db_prepare(bundle,
			"SELECT version, name, up_file, up, down_file, down FROM migration ORDER "
			"BY position",
			&query, err);
	while (rc == 0 && row) {
		rc = db_step(query, &row, err);
		if (rc == 0 && row && out->migrations < (size_t)count)
			rc = restore_one(arena, bundle, query, adapter,
					 &out->migration[out->migrations++], err);
	}
	db_finish(query);
	return rc;
}
