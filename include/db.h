/*
 * SQLite behind our errors: statements with typed, checked columns. Knows nothing of bundles. A
 * struct db is opened by bundle.h (hardened) or by the applier's working copy; this header reads
 * and writes rows. Text that is not valid UTF-8 and columns of another type than asked for are
 * ERR_FORMAT.
 */
#ifndef PGDOCKET_DB_H
#define PGDOCKET_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "digest.h"
#include "error.h"

struct db;
struct db_query;

/* Run statements that return nothing. */
int db_exec(struct db *db, const char *sql, struct err *err) MUST_CHECK;
int db_begin(struct db *db, struct err *err) MUST_CHECK;  /* BEGIN IMMEDIATE */
int db_commit(struct db *db, struct err *err) MUST_CHECK; /* rolls back when it fails */
void db_rollback(struct db *db);

int db_prepare(struct db *db, const char *sql, struct db_query **out, struct err *err) MUST_CHECK;
void db_finish(struct db_query *query); /* NULL is fine */
/*
 * Parameters are numbered from 1. Bytes are borrowed until the next db_reset or db_finish. Failures
 * surface in db_step.
 */
void db_bind_int64(struct db_query *query, int parameter, int64_t value);
void db_bind_text(struct db_query *query, int parameter, const char *text); /* NULL binds NULL */
void db_bind_text_len(struct db_query *query, int parameter, const char *text, size_t len);
void db_bind_blob(struct db_query *query, int parameter, const void *bytes, size_t len);
void db_bind_null(struct db_query *query, int parameter);
/* *row true: a row stands ready. */
int db_step(struct db_query *query, bool *row, struct err *err) MUST_CHECK;
/* Step a statement that returns nothing, then reset it for its next use. */
int db_run(struct db_query *query, struct err *err) MUST_CHECK;
void db_reset(struct db_query *query);
/* Visit every row of a prepared query until one visit fails; the query is finished in any case. */
typedef int db_visit(struct db_query *row, void *context, struct err *err);
int db_each(struct db_query *query, db_visit *visit, void *context, struct err *err) MUST_CHECK;
/* The same for a statement without parameters. */
int db_each_of(
	struct db *db, const char *sql, db_visit *visit, void *context, struct err *err) MUST_CHECK;

/*
 * Columns are numbered from 0; valid until the next step. The getters that take err check the type.
 */
bool db_is_null(struct db_query *query, int column);
int db_get_int64(struct db_query *query, int column, int64_t *out, struct err *err) MUST_CHECK;
int db_get_text(struct db_query *query, int column, const char **out, size_t *len,
		struct err *err) MUST_CHECK;
int db_get_blob(struct db_query *query, int column, const void **out, size_t *len,
		struct err *err) MUST_CHECK;
/* A BLOB of just that size. */
int db_get_digest(
	struct db_query *query, int column, struct digest *out, struct err *err) MUST_CHECK;
/* NULL gives NULL; anything but text otherwise ERR_FORMAT. */
int db_get_text_or_null(struct db_query *query, int column, const char **out,
			struct err *err) MUST_CHECK;

/* First column of the first row of a query without parameters; ERR_FORMAT when there is none. */
int db_value_int64(struct db *db, const char *sql, int64_t *out, struct err *err) MUST_CHECK;

#endif
