/*
 * dbmate's history: schema_migrations(version), one row per applied file, in any order; Rails'
 * table looks the same and is read the same way. The tool takes no lock of its own. Rows of
 * versions that the source does not have are left alone.
 */
#include <stdlib.h>
#include <string.h>
#include "history_driver.h"
#include "quote.h"

#define TEXT \
	"pg_catalog.concat('dbmate', pg_catalog.chr(10), pg_catalog.string_agg(" \
	"pg_catalog.concat(h.version, pg_catalog.chr(10)), '' ORDER BY h.version COLLATE " \
	"pg_catalog.\"C\"))"
#define SQL_MAX_BYTES 4096

static int read_line(struct arena *arena, const char *line, size_t len, const struct source *source,
		     struct history_state *state, struct err *err)
{
	const char *version = arena_copy(arena, line, len, err);
	int found;

	if (!version)
		return -1;
	found = source_find(source, version);
	if (found < 0)
		return history_add_unknown(arena, state, version, err);
	state->applied_count += !state->applied[found];
	state->applied[found] = true;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int lines(const struct history_state *before, const struct source *source, const bool *after,
		 struct buf *out, struct err *err)
{
	const char **version =
		malloc((source->migrations + before->unknowns + 1) * sizeof *version);
	size_t count = 0;

	if (!version)
		return err_nomem(err);
	for (size_t i = 0; i < source->migrations; i++)
		if (after[i])
			version[count++] = source->migration[i].version;
	for (size_t i = 0; i < before->unknowns; i++)
		version[count++] = before->unknown[i];
	qsort(version, count, sizeof *version, by_bytes);
	for (size_t i = 0; i < count; i++)
		buf_add_format(out, "%s\n", version[i]);
	free(version);
	return buf_check(out, err);
}

static int write_row(struct arena *arena, const char *format, const char *version,
		     struct history_write *out, struct err *err)
{
	struct buf literal = BUF_INIT(SQL_MAX_BYTES);
	int rc = quote_literal(&literal, version, err);

	if (rc == 0)
		rc = buf_check(&literal, err);
	if (rc == 0) {
		out->tag = *format == 'I' ? "INSERT" : "DELETE";
		out->sql = arena_format(arena, err, "%s%s%s", format, buf_text(&literal),
					*format == 'I' ? ")" : "");
		rc = out->sql ? 0 : -1;
	}
	buf_release(&literal);
	return rc;
}

/* Reverted ones go newest first, new ones come oldest first, as the tool does it. */
static int writes(struct arena *arena, const struct history_state *before,
		  const struct source *source, const bool *after, struct history_write *out,
		  size_t *count, struct err *err)
{
	static const char delete[] =
		"DELETE FROM schema_migrations WHERE version OPERATOR(pg_catalog.=) ";
	static const char insert[] = "INSERT INTO schema_migrations (version) VALUES (";

	*count = 0;
	for (size_t i = source->migrations; i > 0; i--)
		if (before->applied[i - 1] && !after[i - 1] &&
		    write_row(arena, delete, source->migration[i - 1].version, &out[(*count)++],
			      err))
			return -1;
	for (size_t i = 0; i < source->migrations; i++)
		if (!before->applied[i] && after[i] &&
		    write_row(arena, insert, source->migration[i].version, &out[(*count)++], err))
			return -1;
	return 0;
}

const struct history_driver dbmate_history = {
	.adapter = {
		.name = "dbmate",
		.table = "schema_migrations",
		.columns = "version:varchar *|version:text *",
		.create_sql = "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
		.create_tag = "CREATE TABLE",
		.lock_sql = HISTORY_LOCK_SQL("schema_migrations"),
		.guard_sql = HISTORY_DIGEST_SQL(TEXT, "schema_migrations"),
		.guard_none_sql = HISTORY_NONE_SQL("schema_migrations"),
		.text_sql = HISTORY_TEXT_SQL(TEXT, "$schema.schema_migrations"),
		.digest_sql = HISTORY_DIGEST_SQL(TEXT, "$schema.schema_migrations"),
		.single_row = false,
		.any_order = true,
	},
	.layout = "dbmate",
	.read_line = read_line,
	.lines = lines,
	.writes = writes,
	.native_lock = NULL,
};
