/*
 * golang-migrate's history: schema_migrations(version, dirty) with at most one row, so that a
 * state is all files up to a version. The row is written as DELETE and INSERT, where the tool
 * truncates: readers must not be blocked. dirty is shown and never set or cleared.
 */
#include <string.h>
#include <zlib.h>
#include "history_driver.h"
#include "text.h"

#define TEXT \
	"pg_catalog.concat('golang-migrate', pg_catalog.chr(10), pg_catalog.string_agg(" \
	"pg_catalog.concat(h.version, CASE WHEN h.dirty THEN ' t' ELSE ' f' END, " \
	"pg_catalog.chr(10)), '' ORDER BY h.version))"
#define CREATE_SQL \
	"CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, " \
	"dirty boolean NOT NULL)"
#define LAYOUT "golang-migrate"
#define ADVISORY_LOCK_SALT 1486364155u /* the tool's own constant */

static int read_line(struct arena *arena, const char *line, size_t len, const struct source *source,
		     struct history_state *state, struct err *err)
{
	char *version = arena_copy(arena, line, len, err);
	bool more = state->applied_count > 0 || state->unknowns > 0 || state->dirty;
	int64_t number;

	if (!version)
		return -1;
	if (len < 3 || version[len - 2] != ' ' ||
	    (version[len - 1] != 't' && version[len - 1] != 'f'))
		return err_set(err, ERR_FORMAT, "\"%s\" is not a row of golang-migrate's history",
			       version);
	version[len - 2] = '\0';
	if (!text_int64(version, INT64_MIN, INT64_MAX, &number))
		return err_set(err, ERR_FORMAT, "\"%s\" is not a version of golang-migrate",
			       version);
	if (version[len - 1] == 't' || more) {
		state->dirty = true;
		state->dirty_version = version;
	}
	if (number >= 0 && source_find(source, version) < 0 &&
	    history_add_unknown(arena, state, version, err))
		return -1;
	state->applied_count = 0;
	for (size_t i = 0; i < source->migrations; i++) {
		int order = source_compare_versions(LAYOUT, source->migration[i].version, version);
		/* What stopped half-way is not applied. */
		state->applied[i] = number >= 0 && (order < 0 || (order == 0 && !state->dirty));
		state->applied_count += state->applied[i];
	}
	return 0;
}

static const char *newest(const struct source *source, const bool *set)
{
	for (size_t i = source->migrations; i > 0; i--)
		if (set[i - 1])
			return source->migration[i - 1].version;
	return NULL;
}

static bool reverts(const struct history_state *before, const struct source *source,
		    const bool *after)
{
	for (size_t i = 0; i < source->migrations; i++)
		if (before->applied[i] && !after[i])
			return true;
	return false;
}

/*
 * A version that the source does not know stands as it is until something newer is applied or
 * something is reverted.
 */
static const char *version_after(const struct history_state *before, const struct source *source,
				 const bool *after)
{
	const char *version = newest(source, after);

	if (before->unknowns == 0 || reverts(before, source, after))
		return version;
	if (version && source_compare_versions(LAYOUT, version, before->unknown[0]) > 0)
		return version;
	return before->unknown[0];
}

static int lines(const struct history_state *before, const struct source *source, const bool *after,
		 struct buf *out, struct err *err)
{
	const char *version = version_after(before, source, after);

	if (version)
		buf_add_format(out, "%s f\n", version);
	return buf_check(out, err);
}

static int writes(struct arena *arena, const struct history_state *before,
		  const struct source *source, const bool *after, struct history_write *out,
		  size_t *count, struct err *err)
{
	const char *old = version_after(before, source, before->applied);
	const char *version = version_after(before, source, after);

	*count = 0;
	if (old == version || (old && version && strcmp(old, version) == 0))
		return 0;
	out[(*count)++] = (struct history_write){ "DELETE FROM schema_migrations", "DELETE" };
	if (!version)
		return 0;
	out[*count].tag = "INSERT";
	out[*count].sql = arena_format(
		arena, err, "INSERT INTO schema_migrations (version, dirty) VALUES (%s, false)",
		version);
	return out[(*count)++].sql ? 0 : -1;
}

/* CRC-32 of schema, table and database, joined by NUL, times the salt, modulo 2^32. */
static bool native_lock(const char *schema, const char *database, int64_t *id)
{
	static const char table[] = "schema_migrations";
	uLong sum = crc32(0, Z_NULL, 0);

	sum = crc32(sum, (const Bytef *)schema, (uInt)strlen(schema) + 1);
	sum = crc32(sum, (const Bytef *)table, sizeof table);
	sum = crc32(sum, (const Bytef *)database, (uInt)strlen(database));
	*id = (int64_t)((uint32_t)sum * ADVISORY_LOCK_SALT);
	return true;
}

const struct history_driver golang_migrate_history = {
	.adapter = {
		.name = "golang-migrate",
		.table = "schema_migrations",
		.columns = "dirty:bool version:int8 *",
		.create_sql = CREATE_SQL,
		.create_tag = "CREATE TABLE",
		.lock_sql = HISTORY_LOCK_SQL("schema_migrations"),
		.guard_sql = HISTORY_DIGEST_SQL(TEXT, "schema_migrations"),
		.guard_none_sql = HISTORY_NONE_SQL("schema_migrations"),
		.text_sql = HISTORY_TEXT_SQL(TEXT, "$schema.schema_migrations"),
		.digest_sql = HISTORY_DIGEST_SQL(TEXT, "$schema.schema_migrations"),
		.single_row = true,
		.any_order = false,
	},
	.layout = LAYOUT,
	.read_line = read_line,
	.lines = lines,
	.writes = writes,
	.native_lock = native_lock,
};
