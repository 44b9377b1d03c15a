/* SQLite behind our errors: opens connections with the settings that all of them share, runs
 * statements, and hands out columns only after their type was checked. It knows neither tables nor
 * files of the format, and must never be given SQL that was not compiled in. */
#include "db.h"
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "db_sqlite.h"
#include "file.h"
#include "text.h"

struct db_query {
	struct db *db;
	sqlite3_stmt *statement;
	int bind_rc; /* first failure of a bind since the last reset */
};

static const struct {
	int op, on;
} db_settings[] = { { SQLITE_DBCONFIG_DEFENSIVE, 1 }, { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 }, { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 }, { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 }, { SQLITE_DBCONFIG_DQS_DML, 0 },
	{ SQLITE_DBCONFIG_DQS_DDL, 0 } };

/* What SQLite's primary result codes mean to a caller; those not listed are faults of ours. */
static const struct {
	int rc;
	enum err_code code;
} db_codes[] = { { SQLITE_CORRUPT, ERR_FORMAT }, { SQLITE_NOTADB, ERR_FORMAT },
	{ SQLITE_CONSTRAINT, ERR_FORMAT }, { SQLITE_MISMATCH, ERR_FORMAT }, { SQLITE_NOMEM, ERR_NOMEM },
	{ SQLITE_TOOBIG, ERR_LIMIT }, { SQLITE_INTERRUPT, ERR_LIMIT }, { SQLITE_BUSY, ERR_UNFIT },
	{ SQLITE_LOCKED, ERR_UNFIT }, { SQLITE_FULL, ERR_IO }, { SQLITE_IOERR, ERR_IO },
	{ SQLITE_CANTOPEN, ERR_IO }, { SQLITE_READONLY, ERR_IO }, { SQLITE_PERM, ERR_IO },
	{ SQLITE_NOLFS, ERR_IO }, { SQLITE_PROTOCOL, ERR_IO } };

int db_fail(struct db *db, int rc, struct err *err)
{
	enum err_code code = db->judging ? ERR_FORMAT : ERR_BUG;
	for (size_t i = 0; i < sizeof db_codes / sizeof *db_codes; i++)
		if (db_codes[i].rc == (rc & 0xff))
			code = db_codes[i].code;
	const char *what = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	if ((rc & 0xff) == SQLITE_INTERRUPT)
		what = "reading takes too long for a file of this kind";
	err_set(err, code, "%s: %s (SQLite result %d)", db->name, what, rc);
	if (code == ERR_UNFIT)
		err_hint(
			err, "Another program is using this file; run the command again when that has ended.");
	return -1;
}

static int db_past_deadline(void *context)
{
	const struct db *db = context;
	return clock_monotonic_us() > db->deadline_us;
}

char *db_uri(const char *path, const char *query, struct err *err)
{
	struct buf uri = BUF_INIT(1 << 16);
	char *absolute = file_absolute(path, err);
	if (!absolute)
		return NULL;
	buf_add_text(&uri, "file://");
	text_percent(&uri, absolute, strlen(absolute));
	buf_add_text(&uri, query);
	free(absolute);
	char *out = buf_check(&uri, err) ? NULL : buf_detach(&uri, NULL);
	buf_release(&uri);
	return out;
}

int db_open(const char *uri, int flags, const char *name, struct db **out, struct err *err)
{
	struct db *db = calloc(1, sizeof *db);
	if (!db || !(db->name = strdup(name))) {
		free(db);
		return err_nomem(err);
	}
	db->deadline_us = clock_monotonic_us() + DB_STEP_DEADLINE_US;
	int rc = sqlite3_open_v2(uri, &db->handle,
		flags | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < sizeof db_settings / sizeof *db_settings; i++)
		rc = sqlite3_db_config(db->handle, db_settings[i].op, db_settings[i].on, (int *)NULL);
	if (rc != SQLITE_OK) {
		db_fail(db, rc, err);
		db_close(db);
		return -1;
	}
	sqlite3_progress_handler(db->handle, 10000, db_past_deadline, db);
	*out = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	sqlite3_close_v2(db->handle);
	free(db->name);
	free(db);
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
	db->deadline_us = clock_monotonic_us() + DB_STEP_DEADLINE_US;
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : db_fail(db, rc, err);
}

int db_begin(struct db *db, struct err *err)
{
	return db_exec(db, "BEGIN IMMEDIATE", err);
}

int db_commit(struct db *db, struct err *err)
{
	if (db_exec(db, "COMMIT", err) == 0)
		return 0;
	db_rollback(db);
	return -1;
}

/* A full disk may have rolled back already: SQLite's own view decides. */
void db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->handle))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_prepare(struct db *db, const char *sql, struct db_query **out, struct err *err)
{
	struct db_query *query = calloc(1, sizeof *query);
	if (!query)
		return err_nomem(err);
	query->db = db;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &query->statement, NULL);
	if (rc != SQLITE_OK) {
		db_fail(db, rc, err);
		db_finish(query);
		return -1;
	}
	*out = query;
	return 0;
}

void db_finish(struct db_query *query)
{
	if (!query)
		return;
	sqlite3_finalize(query->statement);
	free(query);
}

sqlite3_stmt *db_statement(struct db_query *query)
{
	return query->statement;
}

static void db_bound(struct db_query *query, int rc)
{
	if (query->bind_rc == SQLITE_OK)
		query->bind_rc = rc;
}

void db_bind_int64(struct db_query *query, int parameter, int64_t value)
{
	db_bound(query, sqlite3_bind_int64(query->statement, parameter, value));
}

void db_bind_text(struct db_query *query, int parameter, const char *text)
{
	db_bind_text_len(query, parameter, text, text ? strlen(text) : 0);
}

void db_bind_text_len(struct db_query *query, int parameter, const char *text, size_t len)
{
	db_bound(query,
		sqlite3_bind_text64(query->statement, parameter, text, len, SQLITE_STATIC, SQLITE_UTF8));
}

/* No bytes are an empty BLOB; NULL has a call of its own. */
void db_bind_blob(struct db_query *query, int parameter, const void *bytes, size_t len)
{
	db_bound(query,
		sqlite3_bind_blob64(query->statement, parameter, bytes ? bytes : "", len, SQLITE_STATIC));
}

void db_bind_null(struct db_query *query, int parameter)
{
	db_bound(query, sqlite3_bind_null(query->statement, parameter));
}

int db_step(struct db_query *query, bool *row, struct err *err)
{
	if (query->bind_rc != SQLITE_OK)
		return db_fail(query->db, query->bind_rc, err);
	query->db->deadline_us = clock_monotonic_us() + DB_STEP_DEADLINE_US;
	int rc = sqlite3_step(query->statement);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_fail(query->db, rc, err);
	*row = rc == SQLITE_ROW;
	return 0;
}

int db_run(struct db_query *query, struct err *err)
{
	bool row = false;
	int rc = db_step(query, &row, err);
	if (rc == 0 && row)
		rc = err_set(err, ERR_BUG, "%s: a statement returned a row where none was expected",
			query->db->name);
	db_reset(query);
	return rc;
}

void db_reset(struct db_query *query)
{
	(void)sqlite3_reset(query->statement);
	(void)sqlite3_clear_bindings(query->statement);
	query->bind_rc = SQLITE_OK;
}

int db_each(struct db_query *query, db_visit *visit, void *context, struct err *err)
{
	bool row = true;
	int rc = 0;
	while (rc == 0 && row)
		rc = db_step(query, &row, err) || (row && visit(query, context, err)) ? -1 : 0;
	db_finish(query);
	return rc;
}

int db_each_of(struct db *db, const char *sql, db_visit *visit, void *context, struct err *err)
{
	struct db_query *query = NULL;
	return db_prepare(db, sql, &query, err) ? -1 : db_each(query, visit, context, err);
}

bool db_is_null(struct db_query *query, int column)
{
	return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

static int db_expect(
	struct db_query *query, int column, int type, const char *word, struct err *err)
{
	if (sqlite3_column_type(query->statement, column) == type)
		return 0;
	const char *name = sqlite3_column_name(query->statement, column);
	return err_set(err, ERR_FORMAT, "%s: column %s holds something other than %s", query->db->name,
		name ? name : "?", word);
}

int db_get_int64(struct db_query *query, int column, int64_t *out, struct err *err)
{
	if (db_expect(query, column, SQLITE_INTEGER, "an integer", err))
		return -1;
	*out = sqlite3_column_int64(query->statement, column);
	return 0;
}

int db_get_text(struct db_query *query, int column, const char **out, size_t *len, struct err *err)
{
	if (db_expect(query, column, SQLITE_TEXT, "text", err))
		return -1;
	const char *text = (const char *)sqlite3_column_text(query->statement, column);
	if (!text)
		return err_nomem(err);
	size_t bytes = (size_t)sqlite3_column_bytes(query->statement, column), bad;
	if (!text_utf8(text, bytes, &bad))
		return err_set(err, ERR_FORMAT, "%s: column %s is not valid UTF-8 at byte %zu",
			query->db->name, sqlite3_column_name(query->statement, column), bad);
	*out = text;
	if (len)
		*len = bytes;
	return 0;
}

int db_get_blob(struct db_query *query, int column, const void **out, size_t *len, struct err *err)
{
	if (db_expect(query, column, SQLITE_BLOB, "bytes", err))
		return -1;
	const void *bytes = sqlite3_column_blob(query->statement, column);
	*len = (size_t)sqlite3_column_bytes(query->statement, column);
	if (!bytes && *len)
		return err_nomem(err);
	*out = bytes ? bytes : "";
	return 0;
}

int db_get_digest(struct db_query *query, int column, struct digest *out, struct err *err)
{
	const void *bytes = NULL;
	size_t len = 0;
	if (db_get_blob(query, column, &bytes, &len, err))
		return -1;
	if (len != DIGEST_SIZE)
		return err_set(err, ERR_FORMAT, "%s: column %s has %zu bytes where a SHA-256 has %d",
			query->db->name, sqlite3_column_name(query->statement, column), len, DIGEST_SIZE);
	memcpy(out->bytes, bytes, DIGEST_SIZE);
	return 0;
}

int db_get_text_or_null(struct db_query *query, int column, const char **out, struct err *err)
{
	if (db_is_null(query, column)) {
		*out = NULL;
		return 0;
	}
	return db_get_text(query, column, out, NULL, err);
}

int db_value_int64(struct db *db, const char *sql, int64_t *out, struct err *err)
{
	struct db_query *query = NULL;
	bool row = false;
	int rc = db_prepare(db, sql, &query, err) || db_step(query, &row, err) ? -1 : 0;
	if (!rc && !row)
		rc = err_set(err, ERR_FORMAT, "%s: a row that must be there is missing", db->name);
	if (!rc)
		rc = db_get_int64(query, 0, out, err);
	db_finish(query);
	return rc;
}
