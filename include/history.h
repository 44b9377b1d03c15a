/*
 * History tables: one adapter per tool, a row of SQL texts each; no adapter known outside its file.
 *
 * A state is canonical text: the adapter's name, newline, then one line per recorded row, in the
 * tool's order ("3 f" for golang-migrate: version and dirty; "20240101000003" for dbmate). No
 * history table: "none\n". Its SHA-256 is the state digest. The server computes the same digest, so
 * that a guard compares 64 digits.
 */
#ifndef PGDOCKET_HISTORY_H
#define PGDOCKET_HISTORY_H

#include <stdbool.h>
#include "arena.h"
#include "buf.h"
#include "digest.h"
#include "source.h"

/* SQL texts: all but the table is qualified by pg_catalog; $schema stands for the quoted schema. */
struct history_adapter {
	const char *name;  /* "golang-migrate", "dbmate" */
	const char *table; /* "schema_migrations" */
	/*
	 * "dirty:bool version:int8 *": name:typname; what tells it from others of that table name.
	 * * allows more columns, | separates alternatives.
	 */
	const char *columns;
	const char *create_sql; /* unqualified; as the tool itself creates it */
	const char *create_tag;
	const char *lock_sql; /* LOCK TABLE ... IN SHARE ROW EXCLUSIVE MODE */
	/* One text value, the state digest in hex; runs with search_path = "tenant", pg_temp. */
	const char *guard_sql;
	/* The same value when there is no such table: the digest of "none\n"; else "present". */
	const char *guard_none_sql;
	const char *text_sql;   /* of $schema: one text value, the state's canonical text */
	const char *digest_sql; /* the same, as digest in hex; a SELECT for UNION ALL in batches */
	bool single_row;        /* golang-migrate: state = all files up to the version */
	bool any_order; /* false: what is below the newest recorded one counts as applied */
};

/* NULL-terminated table of all adapters. */
const struct history_adapter *const *history_adapters(void);
const struct history_adapter *history_find(const char *name); /* NULL: unknown */
/* The adapter for a table of this name with these columns ("a:type b:type"), or NULL. */
const struct history_adapter *history_recognise(const char *table, const char *columns);
/* Which adapter a layout's own tool uses. */
const struct history_adapter *history_of_layout(const char *layout);

/* What a state says about a source. */
struct history_state {
	const struct history_adapter *adapter; /* NULL: none */
	bool dirty;                            /* shown, never cleared */
	const char *dirty_version;
	bool *applied; /* per migration of the source */
	size_t applied_count;
	size_t unknowns; /* recorded, but not in the source */
	const char **unknown;
	size_t out_of_order; /* pending migrations that stand before the newest applied one */
};
/* ERR_FORMAT: not a state text. */
int history_read_state(struct arena *arena, const char *text, size_t len,
		       const struct source *source, struct history_state *out,
		       struct err *err) MUST_CHECK;
/* The canonical text after these are applied (in source order) and nothing else. */
int history_state_text(const struct history_adapter *adapter, const struct history_state *before,
		       const struct source *source, const bool *applied_after, struct buf *out,
		       struct err *err) MUST_CHECK;
/*
 * SQL texts (unqualified, one statement each) that take the table from one set to the other, each
 * with its tag. Golang-migrate: DELETE then INSERT, never TRUNCATE.
 */
struct history_write {
	const char *sql, *tag;
};
int history_writes(struct arena *arena, const struct history_adapter *adapter,
		   const struct history_state *before, const struct source *source,
		   const bool *applied_after, struct history_write **out, size_t *count,
		   struct err *err) MUST_CHECK;
/* The tool's own advisory lock for a schema; false: it has none. */
bool history_native_lock(const struct history_adapter *adapter, const char *schema,
			 const char *database, int64_t *id);

#endif
