/*
 * One session on a PostgreSQL server: pinned, with deadlines, never blocking without one. The
 * applier's, borrowed by the planner. Simple calls state the shape they expect (nothing, one
 * value, rows); the pipeline calls are for the applier's workers. Server errors: ERR_SERVER with
 * SQLSTATE, the server's message and its hint; a lost connection has an empty SQLSTATE.
 */
#ifndef PGDOCKET_SESSION_H
#define PGDOCKET_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

struct session;
struct rows; /* a result */

struct session_options {
	/* -d: connection string or database name; NULL: environment alone */
	const char *conninfo;
	const char *host, *port, *user, *password; /* NULL: not given */
	/* content of the policy's conninfo-file: below -d, above the environment; NULL: none */
	const char *conninfo_text;
	const char *application_name;
	bool require_tls;             /* sslmode=verify-full over TCP */
	int connect_timeout_s;        /* 0: 30 */
};

/*
 * Connects and pins: client_encoding UTF8, search_path pg_catalog,pg_temp, DateStyle,
 * IntervalStyle, TimeZone UTC, bytea_output hex, standard_conforming_strings, extra_float_digits,
 * jit off, keepalives, tcp_user_timeout, client_connection_check_interval (14+). ERR_UNFIT: a
 * pooler (PROTOCOL.md), database encoding other than UTF8, server older than 12. ERR_SERVER
 * otherwise.
 */
int session_open(const struct session_options *options, struct session **out,
	struct err *err) MUST_CHECK;
void session_close(struct session *session); /* NULL is fine */
/* Cancel what runs, then close. */
void session_abandon(struct session *session);

int session_server_version(const struct session *session);  /* 150018 */
int session_backend_pid(const struct session *session);
/* "host=... port=... dbname=... user=...", never a password */
const char *session_describe(const struct session *session);
/* Its roles at the beginning, current and login, as the server quotes them. */
const char *session_identity(const struct session *session);
bool session_lost(const struct session *session);

/* params: text or NULL each. deadline_ms: 0 = none; past it: cancel, drain, ERR_SERVER 57014. */
int session_run(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, struct err *err) MUST_CHECK;
/* One row, one column. *out malloc'ed, NULL for NULL. */
int session_value(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, char **out, struct err *err) MUST_CHECK;
int session_rows(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, struct rows **out, struct err *err) MUST_CHECK;
/*
 * Several statements in one simple query, results dropped. Never for text that came from outside.
 */
int session_script(struct session *session, const char *sql, int64_t deadline_ms,
	struct err *err) MUST_CHECK;

int rows_count(const struct rows *rows);
int rows_columns(const struct rows *rows);
/* NULL for NULL; borrowed from rows */
const char *rows_text(const struct rows *rows, int row, int column);
int64_t rows_int64(const struct rows *rows, int row, int column);    /* 0 for NULL */
bool rows_bool(const struct rows *rows, int row, int column);
const char *rows_tag(const struct rows *rows); /* command tag: "CREATE TABLE", "INSERT 0 1" */
void rows_free(struct rows *rows);

/* --- pipeline: queue, flush, wait, read --- */
int session_pipeline_enter(struct session *session, struct err *err) MUST_CHECK;
/*
 * Queue one statement (extended protocol). name: a statement prepared before with
 * session_queue_prepare, else NULL and sql.
 */
int session_queue(struct session *session, const char *name, const char *sql, int params,
	const char *const *param, struct err *err) MUST_CHECK;
int session_queue_prepare(struct session *session, const char *name, const char *sql,
	struct err *err) MUST_CHECK;
/* PQsendFlushRequest */
int session_queue_flush(struct session *session, struct err *err) MUST_CHECK;
int session_queue_sync(struct session *session, struct err *err) MUST_CHECK;

enum session_event {
	SESSION_WAIT,    /* nothing complete yet: session_wait, then ask again */
	SESSION_RESULT,  /* one statement's result in *rows (caller frees) */
	SESSION_FAILED,  /* the statement failed: *err filled in, ERR_SERVER */
	SESSION_SKIPPED, /* behind an error, not run */
	SESSION_COPY,    /* a COPY result: close the connection */
	SESSION_SYNCED,  /* a Sync point was reached */
	SESSION_LOST     /* connection lost: *err filled in */
};
/*
 * Rows of the results that are read from now on are dropped one by one (their tag is kept),
 * however many there are.
 */
void session_discard_rows(struct session *session, bool discard);
/* One event per queued statement, in order. *err is overwritten. */
enum session_event session_next(struct session *session, struct rows **rows, struct err *err);
enum session_tx {
	SESSION_IDLE, SESSION_ACTIVE, SESSION_IN_TRANSACTION, SESSION_IN_ERROR, SESSION_UNKNOWN
};
enum session_tx session_transaction(const struct session *session);
/* Ask the server to cancel what runs (best effort). */
void session_cancel(struct session *session);

/*
 * Wait for any of n sessions (poll(2)), at most timeout_ms; pump those that are ready. NULL
 * entries are passed over.
 */
int session_wait(struct session **sessions, int n, int64_t timeout_ms, struct err *err) MUST_CHECK;

#endif
