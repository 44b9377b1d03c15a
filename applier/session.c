/*
 * Sessions on a PostgreSQL server: connecting parameter by parameter, refusing what cannot be
 * trusted (poolers, encodings), pinning, simple calls with client deadlines, pipelines. All of
 * libpq is used asynchronously; nothing here may wait without a deadline of the caller's, or print.
 */
#include "session.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sql.h"
#include "text.h"

#define PARAMETERS_MAX 256 /* two strings, each with each of libpq's keywords once */
#define CONNECT_TIMEOUT_S 30
#define CANCEL_GRACE_MS 5000
#define OPENING_DEADLINE_MS 30000
#define WAIT_MAX 256

struct session {
	PGconn *conn;
	int version, backend_pid;
	char *describe, *identity;
	bool lost;         /* nothing more can be expected of it */
	bool terminator;   /* pipeline: a result was handed out, its NULL is still to be read */
	bool discard_rows; /* pipeline: rows of the result that is read are dropped */
	bool single_row;   /* pipeline: the result that is read comes row by row */
};

/* --- errors --- */

/* libpq's texts end in newlines and hold more of them: one line for us. */
static void one_line(const char *text, char *out, size_t size)
{
	size_t n = 0;
	for (const char *p = text; *p && n + 2 < size; p++) {
		if (*p != '\n' || p[1])
			out[n++] = *p == '\n' ? ' ' : *p;
	}
	out[n] = '\0';
}

/* From a result or, without one, from the connection: then the session is lost. Returns -1. */
static int session_fail(struct session *session, const PGresult *result, struct err *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
	char text[1000], more[400], advice[500];
	if (!primary)
		primary = result ? PQresultErrorMessage(result) : PQerrorMessage(session->conn);
	one_line(*primary ? primary : "the server closed the connection", text, sizeof text);
	one_line(detail ? detail : "", more, sizeof more);
	one_line(hint ? hint : "", advice, sizeof advice);
	err_clear(err);
	err_set(err, ERR_SERVER, "%s%s%s%s", state ? "" : "connection lost: ", text, detail ? ": " : "",
		more);
	snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state ? state : "");
	if (hint)
		err_hint(err, "%s", advice);
	session->lost = session->lost || !state;
	return -1;
}

/*
 * Wait until the socket allows one of events. until_us: monotonic; 0: for ever. 1: ready, 0: too
 * late.
 */
static int wait_socket(int fd, int events, int64_t until_us, struct err *err)
{
	for (;;) {
		struct pollfd p = { fd, (short)events, 0 };
		int64_t left_ms = until_us ? (until_us - clock_monotonic_us() + 999) / 1000 : 60000;
		if (left_ms <= 0)
			return 0;
		int n = poll(&p, 1, left_ms < 60000 ? (int)left_ms : 60000);
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, "poll");
	}
}

/* --- connection parameters --- */

/* Of one key libpq takes the last value that is not empty. */
struct parameters {
	const char *key[PARAMETERS_MAX + 1], *value[PARAMETERS_MAX + 1];
	int count;
};

/* A peer that is gone is noticed within half a minute, unless someone says otherwise. */
static const struct parameters parameter_defaults = {
	{ "target_session_attrs", "keepalives", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout" },
	{ "", "1", "10", "5", "3", "30000" }, 6
};

static void parameter(struct parameters *p, const char *key, const char *value)
{
	if (!value || !*value || p->count == PARAMETERS_MAX)
		return;
	if (strcmp(key, "host") == 0) {
		/* Of several the one that can be written to; of one, its own refusal says more. */
		p->value[0] = strchr(value, ',') ? "read-write" : "";
		/* A host beats an address that a lower level gave. */
		for (int i = 0; i < p->count; i++)
			if (strcmp(p->key[i], "hostaddr") == 0)
				p->value[i] = "";
	}
	p->key[p->count] = key;
	p->value[p->count++] = value;
}

/* The keys of a connection string on top of those below. *keep owns what was added. */
static int parameters_add(struct parameters *p, const char *conninfo, const char *what,
	PQconninfoOption **keep, struct err *err)
{
	*keep = PQconninfoParse(conninfo, NULL);
	if (!*keep) /* libpq's reason may quote the password */
		return err_set_hint(err, ERR_USAGE,
			"write key=value pairs, or postgresql://user@host:port/dbname",
			"%s is not a connection string", what);
	for (PQconninfoOption *o = *keep; o->keyword; o++) /* host stands before hostaddr */
		parameter(p, o->keyword, o->val);
	return 0;
}

static bool is_conninfo(const char *text)
{
	return strchr(text, '=') || text_starts(text, "postgresql://") ||
		text_starts(text, "postgres://");
}

static int parameters_collect(const struct session_options *o, struct parameters *p,
	PQconninfoOption *keep[2], struct err *err)
{
	if (o->conninfo_text &&
		parameters_add(p, o->conninfo_text, "the policy's conninfo-file", &keep[0], err))
		return -1;
	parameter(p, "host", o->host);
	parameter(p, "port", o->port);
	parameter(p, "user", o->user);
	parameter(p, "password", o->password);
	if (!o->conninfo || !is_conninfo(o->conninfo))
		parameter(p, "dbname", o->conninfo);
	else if (parameters_add(p, o->conninfo, "-d", &keep[1], err))
		return -1;
	parameter(p, "application_name", o->application_name);
	parameter(p, "client_encoding", "UTF8");
	parameter(p, "sslmode", o->require_tls ? "verify-full" : NULL);
	parameter(p, "gssencmode", o->require_tls ? "disable" : NULL);
	return 0;
}

/* --- opening --- */

/* Notices are nobody's business here, and libpq would print them. */
static void drop_notice(void *context, const PGresult *result)
{
	(void)context;
	(void)result;
}

static int cannot_connect(const char *why, struct err *err)
{
	char text[1000];
	one_line(why, text, sizeof text);
	return err_set_hint(err, ERR_SERVER,
		"see -d, -h, -p, -U, the PG* variables and the policy's conninfo-file",
		"cannot connect: %s", text);
}

static int connect_poll(struct session *session, int64_t until_us, struct err *err)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		if (PQstatus(session->conn) == CONNECTION_BAD || status == PGRES_POLLING_FAILED)
			return cannot_connect(PQerrorMessage(session->conn), err);
		int ready = wait_socket(PQsocket(session->conn),
			status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us, err);
		if (ready <= 0)
			return ready < 0 ? -1 : cannot_connect("the server did not answer in time", err);
		status = PQconnectPoll(session->conn);
	}
	return PQsetnonblocking(session->conn, 1) ? session_fail(session, NULL, err) : 0;
}

static int describe(struct session *session, struct err *err)
{
	PGconn *conn = session->conn;
	if (asprintf(&session->describe, "host=%s port=%s dbname=%s user=%s", PQhost(conn),
			PQport(conn), PQdb(conn), PQuser(conn)) >= 0)
		return 0;
	session->describe = NULL;
	return err_nomem(err);
}

/* Refuse what cannot be worked on, before anything is set there. */
static int examine(struct session *session, struct err *err)
{
	struct rows *facts = NULL;
	session->version = PQserverVersion(session->conn);
	session->backend_pid = PQbackendPID(session->conn);
	if (session->version < 120000) {
		return err_set_hint(err, ERR_UNFIT, "PostgreSQL 12 to 18 is supported",
			"the server is PostgreSQL %d", session->version / 10000);
	}
	if (session_rows(session, sql_session_facts, 0, NULL, OPENING_DEADLINE_MS, &facts, err))
		return -1;
	if (rows_count(facts) != 1 || rows_int64(facts, 0, 0) != session->backend_pid) {
		err_set_hint(err, ERR_UNFIT,
			"connect to the PostgreSQL server itself; locks and settings go astray behind a pooler",
			"there is a connection pooler in between: the server's process is not %d, as the "
			"connection says",
			session->backend_pid);
	} else if (strcmp(rows_text(facts, 0, 1), "UTF8") != 0) {
		err_set_hint(err, ERR_UNFIT, "only databases with encoding UTF8 are supported",
			"the database's encoding is %s", rows_text(facts, 0, 1));
	} else if (!(session->identity = strdup(rows_text(facts, 0, 2)))) {
		err_nomem(err);
	}
	rows_free(facts);
	return err->code == ERR_NONE ? 0 : -1;
}

int session_open(const struct session_options *options, struct session **out, struct err *err)
{
	struct parameters parameters = parameter_defaults;
	PQconninfoOption *keep[2] = { NULL, NULL };
	struct session *session = calloc(1, sizeof *session);
	int seconds = options->connect_timeout_s ? options->connect_timeout_s : CONNECT_TIMEOUT_S,
		rc = -1;
	if (!session)
		return err_nomem(err);
	if (parameters_collect(options, &parameters, keep, err))
		goto out;
	if (!(session->conn = PQconnectStartParams(parameters.key, parameters.value, 0))) {
		err_nomem(err);
		goto out;
	}
	PQsetNoticeReceiver(session->conn, drop_notice, NULL);
	if (connect_poll(session, clock_monotonic_us() + seconds * 1000000ll, err) ||
		describe(session, err) || examine(session, err) ||
		session_run(session, sql_session_path, 0, NULL, OPENING_DEADLINE_MS, err) ||
		session_run(session, sql_session_pin, 0, NULL, OPENING_DEADLINE_MS, err))
		goto out;
	*out = session;
	rc = 0;
out:
	PQconninfoFree(keep[0]);
	PQconninfoFree(keep[1]);
	if (rc)
		session_close(session);
	return rc;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	PQfinish(session->conn);
	free(session->describe);
	free(session->identity);
	free(session);
}

void session_abandon(struct session *session)
{
	if (session && !session->lost)
		session_cancel(session);
	session_close(session);
}

int session_server_version(const struct session *session)
{
	return session->version;
}

int session_backend_pid(const struct session *session)
{
	return session->backend_pid;
}

const char *session_describe(const struct session *session)
{
	return session->describe;
}

const char *session_identity(const struct session *session)
{
	return session->identity;
}

bool session_lost(const struct session *session)
{
	return session->lost || PQstatus(session->conn) == CONNECTION_BAD;
}

/* PQcancel connects anew and blocks while it does; keepalives and tcp_user_timeout bound that. */
void session_cancel(struct session *session)
{
	PGcancel *cancel = PQgetCancel(session->conn);
	char why[256];
	if (cancel)
		PQcancel(cancel, why, sizeof why);
	PQfreeCancel(cancel);
}

/* --- simple calls --- */

/* Write and read until a result stands ready. 1: ready, 0: too late. */
static int answer_ready(struct session *session, int64_t until_us, struct err *err)
{
	for (;;) {
		int unsent = PQflush(session->conn);
		if (unsent >= 0 && !PQisBusy(session->conn))
			return 1;
		int ready = unsent < 0
			? 1
			: wait_socket(PQsocket(session->conn), POLLIN | (unsent ? POLLOUT : 0), until_us, err);
		if (ready <= 0)
			return ready;
		if (unsent < 0 || !PQconsumeInput(session->conn))
			return session_fail(session, NULL, err);
	}
}

/*
 * Too late: cancel, and still read to the end. A late cancel must not hit what comes next: the
 * session is spent.
 */
static int drain_cancelled(struct session *session, struct err *err)
{
	int64_t until_us = clock_monotonic_us() + CANCEL_GRACE_MS * 1000ll;
	struct err ignored = ERR_INIT;
	PGresult *result = NULL;
	session_cancel(session);
	do {
		PQclear(result);
		result = answer_ready(session, until_us, &ignored) > 0 ? PQgetResult(session->conn) : NULL;
	} while (result);
	session->lost = true;
	err_clear(err);
	err_set(err, ERR_SERVER, "no answer within the deadline; the statement was cancelled");
	memcpy(err->sqlstate, "57014", 6);
	return -1;
}

/* Keep a good result in *answer; a bad one is the error. */
static void keep_result(
	struct session *session, PGresult *result, PGresult **answer, struct err *err)
{
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
		PQclear(*answer);
		*answer = result;
		return;
	}
	if (status != PGRES_FATAL_ERROR) {
		session->lost = true;
		err_set(err, ERR_SERVER, "the server wants to copy data, which nothing asked for");
	} else if (err->code == ERR_NONE) {
		session_fail(session, result, err);
	}
	PQclear(result);
}

/*
 * Read all results of what was sent; the last good one is the answer, the first bad one the error.
 */
static int collect(
	struct session *session, bool sent, int64_t deadline_ms, PGresult **answer, struct err *err)
{
	int64_t until_us = deadline_ms ? clock_monotonic_us() + deadline_ms * 1000 : 0;
	struct err failure = ERR_INIT;
	PGresult *result;
	int ready = sent ? 1 : session_fail(session, NULL, &failure);
	*answer = NULL;
	while (ready > 0 && (ready = answer_ready(session, until_us, &failure)) > 0 &&
		(result = PQgetResult(session->conn))) {
		keep_result(session, result, answer, &failure);
		if (session_lost(session))
			break;
	}
	if (ready == 0)
		drain_cancelled(session, &failure);
	else if (!*answer && failure.code == ERR_NONE)
		session_fail(session, NULL, &failure);
	if (failure.code == ERR_NONE)
		return 0;
	PQclear(*answer);
	*answer = NULL;
	if (err->code == ERR_NONE)
		*err = failure;
	return -1;
}

static bool send_query(
	struct session *session, const char *sql, int params, const char *const *param)
{
	return !session_lost(session) &&
		PQsendQueryParams(session->conn, sql, params, NULL, param, NULL, NULL, 0);
}

int session_rows(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, struct rows **out, struct err *err)
{
	PGresult *answer = NULL;
	int rc = collect(session, send_query(session, sql, params, param), deadline_ms, &answer, err);
	*out = (struct rows *)answer;
	return rc;
}

int session_run(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, struct err *err)
{
	struct rows *rows = NULL;
	int rc = session_rows(session, sql, params, param, deadline_ms, &rows, err);
	rows_free(rows);
	return rc;
}

int session_value(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, char **out, struct err *err)
{
	struct rows *rows = NULL;
	*out = NULL;
	if (session_rows(session, sql, params, param, deadline_ms, &rows, err))
		return -1;
	int rc = 0;
	if (rows_count(rows) != 1 || rows_columns(rows) != 1)
		rc = err_set(err, ERR_BUG, "a query that answers one value answered %d rows of %d columns",
			rows_count(rows), rows_columns(rows));
	else if (rows_text(rows, 0, 0) && !(*out = strdup(rows_text(rows, 0, 0))))
		rc = err_nomem(err);
	rows_free(rows);
	return rc;
}

int session_script(struct session *session, const char *sql, int64_t deadline_ms, struct err *err)
{
	PGresult *answer = NULL;
	bool sent = !session_lost(session) && PQsendQuery(session->conn, sql);
	int rc = collect(session, sent, deadline_ms, &answer, err);
	PQclear(answer);
	return rc;
}

/* --- rows: libpq's results under a name of ours --- */

static const PGresult *result_of(const struct rows *rows)
{
	return (const PGresult *)rows;
}

int rows_count(const struct rows *rows)
{
	return PQntuples(result_of(rows));
}

int rows_columns(const struct rows *rows)
{
	return PQnfields(result_of(rows));
}

const char *rows_text(const struct rows *rows, int row, int column)
{
	return PQgetisnull(result_of(rows), row, column) ? NULL
													 : PQgetvalue(result_of(rows), row, column);
}

int64_t rows_int64(const struct rows *rows, int row, int column)
{
	const char *text = rows_text(rows, row, column);
	return text ? strtoll(text, NULL, 10) : 0;
}

bool rows_bool(const struct rows *rows, int row, int column)
{
	const char *text = rows_text(rows, row, column);
	return text && text[0] == 't';
}

const char *rows_tag(const struct rows *rows)
{
	return PQcmdStatus((PGresult *)(uintptr_t)rows);
}

void rows_free(struct rows *rows)
{
	PQclear((PGresult *)rows);
}

/* --- pipelines: what statements mean is the caller's business; only session_wait blocks --- */

int session_pipeline_enter(struct session *session, struct err *err)
{
	session->terminator = session->single_row = session->discard_rows = false;
	if (PQenterPipelineMode(session->conn))
		return 0;
	return session_fail(session, NULL, err);
}

int session_queue(struct session *session, const char *name, const char *sql, int params,
	const char *const *param, struct err *err)
{
	int sent = name ? PQsendQueryPrepared(session->conn, name, params, param, NULL, NULL, 0)
					: PQsendQueryParams(session->conn, sql, params, NULL, param, NULL, NULL, 0);
	return sent ? 0 : session_fail(session, NULL, err);
}

int session_queue_prepare(
	struct session *session, const char *name, const char *sql, struct err *err)
{
	return PQsendPrepare(session->conn, name, sql, 0, NULL) ? 0 : session_fail(session, NULL, err);
}

int session_queue_flush(struct session *session, struct err *err)
{
	if (PQsendFlushRequest(session->conn) && PQflush(session->conn) >= 0)
		return 0;
	return session_fail(session, NULL, err);
}

int session_queue_sync(struct session *session, struct err *err)
{
	if (PQpipelineSync(session->conn) && PQflush(session->conn) >= 0)
		return 0;
	return session_fail(session, NULL, err);
}

void session_discard_rows(struct session *session, bool discard)
{
	session->discard_rows = discard;
}

/*
 * Behind each result libpq gives one NULL. It is there already, unless more of the same statement
 * follows.
 */
static void swallow_terminator(struct session *session)
{
	while (session->terminator && !PQisBusy(session->conn)) {
		PGresult *result = PQgetResult(session->conn);
		session->terminator = result != NULL;
		PQclear(result);
	}
}

static enum session_event failed(struct session *session, PGresult *result, struct err *err)
{
	session_fail(session, result, err);
	PQclear(result);
	return session_lost(session) ? SESSION_LOST : SESSION_FAILED;
}

static enum session_event hand_out(struct session *session, PGresult *result, struct rows **rows)
{
	session->single_row = false;
	session->terminator = true;
	*rows = (struct rows *)result;
	swallow_terminator(session);
	return SESSION_RESULT;
}

static enum session_event lost(struct session *session, struct err *err)
{
	session->lost = true;
	session_fail(session, NULL, err);
	return SESSION_LOST;
}

enum session_event session_next(struct session *session, struct rows **rows, struct err *err)
{
	err_clear(err);
	*rows = NULL;
	for (;;) {
		swallow_terminator(session);
		if (session->discard_rows && !session->single_row)
			session->single_row = PQsetSingleRowMode(session->conn);
		if (PQisBusy(session->conn))
			return session_lost(session) ? lost(session, err) : SESSION_WAIT;
		PGresult *result = PQgetResult(session->conn);
		if (!result)
			return session_lost(session) ? lost(session, err) : SESSION_WAIT;
		switch (PQresultStatus(result)) {
		case PGRES_SINGLE_TUPLE: PQclear(result); continue;
		case PGRES_PIPELINE_SYNC: PQclear(result); return SESSION_SYNCED;
		case PGRES_PIPELINE_ABORTED:
			session->terminator = true;
			PQclear(result);
			swallow_terminator(session);
			return SESSION_SKIPPED;
		case PGRES_EMPTY_QUERY:
		case PGRES_COMMAND_OK:
		case PGRES_TUPLES_OK: return hand_out(session, result, rows);
		case PGRES_COPY_OUT:
		case PGRES_COPY_IN:
		case PGRES_COPY_BOTH:
			PQclear(result);
			session->lost = true;
			return SESSION_COPY;
		case PGRES_BAD_RESPONSE:
		case PGRES_NONFATAL_ERROR:
		case PGRES_FATAL_ERROR:
		default:
			session->single_row = false;
			session->terminator = true;
			return failed(session, result, err);
		}
	}
}

enum session_tx session_transaction(const struct session *session)
{
	switch (PQtransactionStatus(session->conn)) {
	case PQTRANS_IDLE: return SESSION_IDLE;
	case PQTRANS_ACTIVE: return SESSION_ACTIVE;
	case PQTRANS_INTRANS: return SESSION_IN_TRANSACTION;
	case PQTRANS_INERROR: return SESSION_IN_ERROR;
	case PQTRANS_UNKNOWN:
	default: return SESSION_UNKNOWN;
	}
}

int session_wait(struct session **sessions, int n, int64_t timeout_ms, struct err *err)
{
	struct pollfd fds[WAIT_MAX];
	if (n > WAIT_MAX)
		return err_set(err, ERR_BUG, "more than %d sessions to wait for", WAIT_MAX);
	for (int i = 0; i < n; i++) {
		fds[i] = (struct pollfd){ .fd = -1 };
		if (!sessions[i] || session_lost(sessions[i]))
			continue;
		fds[i].fd = PQsocket(sessions[i]->conn);
		fds[i].events = (short)(POLLIN | (PQflush(sessions[i]->conn) > 0 ? POLLOUT : 0));
	}
	int ready = poll(fds, (nfds_t)n, timeout_ms < 0 ? -1 : (int)timeout_ms);
	if (ready < 0)
		return errno == EINTR ? 0 : err_set_errno(err, ERR_IO, "poll");
	/* What goes wrong here is told by session_next, session by session. */
	for (int i = 0; i < n; i++)
		if (fds[i].revents &&
			(PQflush(sessions[i]->conn) < 0 || !PQconsumeInput(sessions[i]->conn)))
			sessions[i]->lost = true;
	return 0;
}
