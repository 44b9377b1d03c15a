/* What db.c and those who open databases share: the handle behind struct db. Private to
 * bundles/. */
#ifndef PGDOCKET_DB_SQLITE_H
#define PGDOCKET_DB_SQLITE_H

#include <sqlite3.h>
#include "db.h"

#define DB_STEP_DEADLINE_US (30ll * 1000 * 1000) /* one step of one statement may take this long */

struct db {
	sqlite3 *handle;
	int64_t deadline_us; /* monotonic; the progress handler stops what runs past it */
	/* a foreign file is being examined: SQLite's plain errors are its fault, not ours */
	bool judging;
	char *name; /* the path as the user knows it, for messages; owned */
};

/* Open a database; flags are SQLite's, uri is a file: URI of ours or ":memory:". name is copied.
 * Sets extended result codes, the settings that no file of ours may do without (DEFENSIVE, no
 * trusted schema, no views, triggers, extensions), and the deadline. ERR_FORMAT, ERR_IO,
 * ERR_NOMEM. */
int db_open(
	const char *uri, int flags, const char *name, struct db **out, struct err *err) MUST_CHECK;
void db_close(struct db *db); /* NULL is fine */
/* Turn SQLite's last failure on this connection into an error. Returns -1. */
int db_fail(struct db *db, int rc, struct err *err);
/* "file:" URI of a path, made absolute, and a query ("?mode=ro", or ""). malloc'ed, or NULL. */
char *db_uri(const char *path, const char *query, struct err *err);
/* The statement behind a query, for copying values between databases. */
sqlite3_stmt *db_statement(struct db_query *query);

#endif
