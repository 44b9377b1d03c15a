/*
 * What an adapter of planner/history/ offers history.c: its SQL texts, and how its rows become a
 * state and back. One file per tool; history.c holds the table of them.
 */
#ifndef PGDOCKET_HISTORY_DRIVER_H
#define PGDOCKET_HISTORY_DRIVER_H

#include "history.h"

struct history_driver {
	struct history_adapter adapter; /* first: an adapter's address is its driver's */
	const char *layout;             /* whose own tool it is */
	/*
	 * One recorded row's line, len bytes without its newline. ERR_FORMAT: not a line that the
	 * adapter's SQL writes.
	 */
	int (*read_line)(struct arena *arena, const char *line, size_t len,
			 const struct source *source, struct history_state *state, struct err *err);
	/* The lines behind the adapter's name, when these are applied. */
	int (*lines)(const struct history_state *before, const struct source *source,
		     const bool *after, struct buf *out, struct err *err);
	/* Statements that take the table there: room for two per migration, and one more. */
	int (*writes)(struct arena *arena, const struct history_state *before,
		      const struct source *source, const bool *after, struct history_write *out,
		      size_t *count, struct err *err);
	bool (*native_lock)(const char *schema, const char *database,
			    int64_t *id); /* NULL: the tool has none */
};

extern const struct history_driver golang_migrate_history;
extern const struct history_driver dbmate_history;

/* Add a version that the source does not have. */
int history_add_unknown(struct arena *arena, struct history_state *state, const char *version,
			struct err *err) MUST_CHECK;

/*
 * The state's text of a table t, and its digest as 64 hex digits: SELECTs of one value. Nothing
 * but pg_catalog is named.
 */
#define HISTORY_TEXT_SQL(text, t) "SELECT " text " FROM " t " AS h"
#define HISTORY_DIGEST_SQL(text, t) \
	"SELECT pg_catalog.encode(pg_catalog.sha256(" \
	"pg_catalog.convert_to(" text ", 'UTF8')), 'hex') FROM " t " AS h"
/* 'present', or the digest of "none\n" when there is no relation of that name. */
#define HISTORY_NONE_SHA256 "fcf33dfbe13c2354bf0e1b063f9fb422747a46cee00b7420bceff2b81457b345"
#define HISTORY_NONE_SQL(t) \
	"SELECT CASE WHEN pg_catalog.to_regclass('" t "') IS NULL THEN '" HISTORY_NONE_SHA256 \
	"' ELSE 'present' END"
#define HISTORY_LOCK_SQL(t) "LOCK TABLE " t " IN SHARE ROW EXCLUSIVE MODE"

#endif
