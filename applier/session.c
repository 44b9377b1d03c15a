/*
 * Sessions on a PostgreSQL server: connecting parameter by parameter, refusing what cannot be
 * trusted (poolers, encodings), pinning, and simple calls with client deadlines. All of libpq is
 * used asynchronously; nothing here may wait without a deadline of the caller's or print. Pipelines
 * are in session_pipeline.c.
 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "session_private.h"
#include "sql.h"
#include "text.h"

#define PARAMETERS_MAX 64
#define CONNECT_TIMEOUT_S 30
#define CANCEL_GRACE_MS 5000
#define OPENING_DEADLINE_MS 30000

/* --- errors --- */

/* libpq's texts end in newlines and hold more of them: one line for us. */
static void one_line(const char *text, char *out, size_t size)
{
	size_t n = 0;
	for (const char *p = text; *p && n + 2 < size; p++) {
		if (*p != '\n')
			out[n++] = *p;
		else if (p[1])
			out[n++] = ' ';
	}
	out[n] = '\0';
}

int session_fail(struct session *session, const PGresult *result, struct err *err)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
	const char *hint = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
	char text[1000], more[400] = "";
	err_clear(err);
	if (!state)
		session->lost = true;
	if (!primary)
		primary = result ? PQresultErrorMessage(result) : PQerrorMessage(session->conn);
	one_line(primary && *primary ? primary : "the server closed the connection", text, sizeof text);
	if (detail)
		one_line(detail, more, sizeof more);
	err_set(err, ERR_SERVER, "%s%s%s%s", state ? "" : "connection lost: ", text, detail ? ": " : "",
		more);
	if (state)
		memcpy(err->sqlstate, state, strnlen(state, 5) + 1);
	err->sqlstate[5] = '\0';
	if (hint) {
		one_line(hint, text, sizeof text);
		err_hint(err, "%s", text);
	}
	return -1;
}

static int deadline_passed(struct err *err)
{
	err_clear(err);
	err_set(err, ERR_SERVER, "no answer within the deadline; the statement was cancelled");
	memcpy(err->sqlstate, "57014", 6);
	return -1;
}

/* --- waiting --- */

/*
 * Wait until the socket allows one of events, or the deadline (monotonic us; 0: none). 1: ready, 0:
 * deadline.
 */
static int wait_socket(int fd, short events, int64_t until_us, struct err *err)
{
	for (;;) {
		struct pollfd p = { fd, events, 0 };
		int64_t left_ms = -1;
		if (until_us) {
			left_ms = (until_us - clock_monotonic_us() + 999) / 1000;
			if (left_ms <= 0)
				return 0;
			if (left_ms > 60000)
				left_ms = 60000;
		}
		int n = poll(&p, 1, (int)left_ms);
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return err_set_errno(err, ERR_IO, "poll");
	}
}

/* --- connection parameters --- */

struct parameters {
	const char *key[PARAMETERS_MAX + 1], *value[PARAMETERS_MAX + 1];
	int count;
};

/* A later value replaces an earlier one. An empty value leaves what a lower level said. */
static void parameter(struct parameters *p, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	for (int i = 0; i < p->count; i++) {
		if (strcmp(p->key[i], key) == 0) {
			p->value[i] = value;
			return;
		}
	}
	if (p->count < PARAMETERS_MAX) {
		p->key[p->count] = key;
		p->value[p->count++] = value;
	}
}

static void parameter_drop(struct parameters *p, const char *key)
{
	for (int i = 0; i < p->count; i++) {
		if (strcmp(p->key[i], key) == 0) {
			p->count--;
			p->key[i] = p->key[p->count];
			p->value[i] = p->value[p->count];
			p->key[p->count] = p->value[p->count] = NULL;
			return;
		}
	}
}

/* The keys of a connection string on top of those below. *keep owns what was added. */
static int parameters_add(struct parameters *p, const char *conninfo, const char *what,
	PQconninfoOption **keep, struct err *err)
{
	char *why = NULL, text[400];
	*keep = PQconninfoParse(conninfo, &why);
	if (!*keep) {
		one_line(why ? why : "out of memory", text, sizeof text);
		PQfreemem(why);
		/* libpq may quote a part of the string, and that part may be the password. */
		err_set(err, ERR_USAGE, "%s is not a connection string", what);
		return err_hint(err, "write key=value pairs, or postgresql://user@host:port/dbname");
	}
	for (PQconninfoOption *o = *keep; o->keyword; o++)
		if (o->val && strcmp(o->keyword, "host") == 0)
			parameter_drop(p, "hostaddr");
	for (PQconninfoOption *o = *keep; o->keyword; o++)
		parameter(p, o->keyword, o->val);
	return 0;
}

static bool is_conninfo(const char *text)
{
	return strchr(text, '=') || text_starts(text, "postgresql://") ||
		   text_starts(text, "postgres://");
}

static const char *parameter_get(const struct parameters *p, const char *key)
{
	for (int i = 0; i < p->count; i++)
		if (strcmp(p->key[i], key) == 0)
			return p->value[i];
	return NULL;
}

/* Defaults for what nobody set: a peer that is gone is noticed within half a minute. */
static void parameter_defaults(struct parameters *p)
{
	static const char *const defaults[][2] = {
		{ "keepalives", "1" },
		{ "keepalives_idle", "10" },
		{ "keepalives_interval", "5" },
		{ "keepalives_count", "3" },
		{ "tcp_user_timeout", "30000" },
	};
	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		if (!parameter_get(p, defaults[i][0]))
			parameter(p, defaults[i][0], defaults[i][1]);
	/*
	 * Of several hosts the one that can be written to; of one, its own refusal says more than
	 * libpq's.
	 */
	const char *host = parameter_get(p, "host");
	if (host && strchr(host, ',') && !parameter_get(p, "target_session_attrs"))
		parameter(p, "target_session_attrs", "read-write");
}

static int parameters_collect(const struct session_options *o, struct parameters *p,
	PQconninfoOption *keep[2], struct err *err)
{
	if (o->conninfo_text &&
		parameters_add(p, o->conninfo_text, "the policy's conninfo-file", &keep[0], err))
		return -1;
	if (o->host)
		parameter_drop(p, "hostaddr");
	parameter(p, "host", o->host);
	parameter(p, "port", o->port);
	parameter(p, "user", o->user);
	parameter(p, "password", o->password);
	if (o->conninfo && is_conninfo(o->conninfo)) {
		if (parameters_add(p, o->conninfo, "-d", &keep[1], err))
			return -1;
	} else {
		parameter(p, "dbname", o->conninfo);
	}
	parameter_defaults(p);
	parameter(p, "application_name", o->application_name);
	parameter(p, "client_encoding", "UTF8");
	if (o->require_tls) {
		parameter(p, "sslmode", "verify-full");
		parameter(p, "gssencmode", "disable");
	}
	return 0;
}

/* --- opening --- */

static void count_notice(void *context, const PGresult *result)
{
	struct session *session = context;
	(void)result;
	session->notices++;
}

static int connect_poll(struct session *session, int64_t until_us, struct err *err)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		if (PQstatus(session->conn) == CONNECTION_BAD || status == PGRES_POLLING_FAILED) {
			char text[1000];
			one_line(PQerrorMessage(session->conn), text, sizeof text);
			err_set(err, ERR_SERVER, "cannot connect: %s", text);
			return err_hint(err, "see -d, -h, -p, -U, the PG* variables and the "
								 "policy's conninfo-file");
		}
		int ready = wait_socket(PQsocket(session->conn),
			status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us, err);
		if (ready < 0)
			return -1;
		if (ready == 0) {
			err_set(err, ERR_SERVER, "cannot connect: the server did not answer in time");
			return err_hint(err, "see -d, -h, -p and whether the server is reachable from here");
		}
		status = PQconnectPoll(session->conn);
	}
	return 0;
}

static int describe(struct session *session, struct err *err)
{
	struct buf text = BUF_INIT(4096);
	const char *host = PQhost(session->conn), *port = PQport(session->conn),
			   *db = PQdb(session->conn), *user = PQuser(session->conn);
	buf_add_format(&text, "host=%s port=%s dbname=%s user=%s", host ? host : "", port ? port : "",
		db ? db : "", user ? user : "");
	if (buf_check(&text, err)) {
		buf_release(&text);
		return -1;
	}
	session->describe = buf_detach(&text, NULL);
	return session->describe ? 0 : err_nomem(err);
}

/* Refuse what cannot be worked on, before anything is set there. */
static int examine(struct session *session, struct err *err)
{
	struct rows *facts = NULL;
	int rc = -1;
	session->version = PQserverVersion(session->conn);
	if (session->version < 120000) {
		err_set(err, ERR_UNFIT, "the server is PostgreSQL %d", session->version / 10000);
		return err_hint(err, "PostgreSQL 12 to 18 is supported");
	}
	if (session_rows(session, sql_session_facts, 0, NULL, OPENING_DEADLINE_MS, &facts, err))
		return -1;
	session->backend_pid = PQbackendPID(session->conn);
	if (rows_count(facts) != 1 || rows_int64(facts, 0, 0) != session->backend_pid) {
		err_set(err, ERR_UNFIT,
			"there is a connection pooler in between: the server's process is %s, the "
			"connection says %d",
			rows_count(facts) == 1 ? rows_text(facts, 0, 0) : "unknown", session->backend_pid);
		err_hint(err, "connect to the PostgreSQL server itself; locks and settings go "
					  "astray behind a pooler");
		goto out;
	}
	if (strcmp(rows_text(facts, 0, 1), "UTF8") != 0) {
		err_set(err, ERR_UNFIT, "the database's encoding is %s", rows_text(facts, 0, 1));
		err_hint(err, "only databases with encoding UTF8 are supported");
		goto out;
	}
	rc = 0;
out:
	rows_free(facts);
	return rc;
}

int session_open(const struct session_options *options, struct session **out, struct err *err)
{
	struct parameters parameters = { { NULL }, { NULL }, 0 };
	PQconninfoOption *keep[2] = { NULL, NULL };
	struct session *session = calloc(1, sizeof *session);
	int seconds = options->connect_timeout_s ? options->connect_timeout_s : CONNECT_TIMEOUT_S,
		rc = -1;
	if (!session)
		return err_nomem(err);
	if (parameters_collect(options, &parameters, keep, err))
		goto out;
	session->conn = PQconnectStartParams(parameters.key, parameters.value, 0);
	if (!session->conn) {
		err_nomem(err);
		goto out;
	}
	PQsetNoticeReceiver(session->conn, count_notice, session);
	if (connect_poll(session, clock_monotonic_us() + seconds * 1000000ll, err))
		goto out;
	if (PQsetnonblocking(session->conn, 1)) {
		session_fail(session, NULL, err);
		goto out;
	}
	if (describe(session, err) || examine(session, err) ||
		session_run(session, sql_session_path, 0, NULL, OPENING_DEADLINE_MS, err) ||
		session_run(session, sql_session_pin, 0, NULL, OPENING_DEADLINE_MS, err))
		goto out;
	*out = session;
	session = NULL;
	rc = 0;
out:
	PQconninfoFree(keep[0]);
	PQconninfoFree(keep[1]);
	session_close(session);
	return rc;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	PQfinish(session->conn);
	free(session->describe);
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

bool session_lost(const struct session *session)
{
	return session->lost || PQstatus(session->conn) == CONNECTION_BAD;
}

/*
 * PQcancel connects anew and blocks while it does; keepalives and tcp_user_timeout bound that to
 * half a minute.
 */
void session_cancel(struct session *session)
{
	PGcancel *cancel = PQgetCancel(session->conn);
	char why[256];
	if (!cancel)
		return;
	PQcancel(cancel, why, sizeof why);
	PQfreeCancel(cancel);
}

/* --- simple calls --- */

/* Write and read until a result stands ready. 1: ready, 0: deadline. */
static int answer_ready(struct session *session, int64_t until_us, struct err *err)
{
	for (;;) {
		int unsent = PQflush(session->conn);
		if (unsent < 0)
			return session_fail(session, NULL, err);
		if (!PQisBusy(session->conn))
			return 1;
		int ready = wait_socket(
			PQsocket(session->conn), (short)(POLLIN | (unsent ? POLLOUT : 0)), until_us, err);
		if (ready <= 0)
			return ready;
		if (!PQconsumeInput(session->conn))
			return session_fail(session, NULL, err);
	}
}

/*
 * Past the deadline: cancel, and still read to the end. A late cancel must not hit what comes next,
 * so the session is spent.
 */
static int drain_cancelled(struct session *session, struct err *err)
{
	int64_t until_us = clock_monotonic_us() + CANCEL_GRACE_MS * 1000ll;
	session_cancel(session);
	for (;;) {
		struct err ignored = ERR_INIT;
		PGresult *result;
		if (answer_ready(session, until_us, &ignored) <= 0)
			break;
		result = PQgetResult(session->conn);
		if (!result)
			break;
		PQclear(result);
	}
	session->lost = true;
	return deadline_passed(err);
}

static bool result_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/*
 * Read all results of what was sent; the last good one is the answer, the first bad one the error.
 */
static int collect(struct session *session, int64_t deadline_ms, PGresult **answer, struct err *err)
{
	int64_t until_us = deadline_ms ? clock_monotonic_us() + deadline_ms * 1000 : 0;
	int rc = 0;
	*answer = NULL;
	for (;;) {
		int ready = answer_ready(session, until_us, err);
		if (ready <= 0) {
			PQclear(*answer);
			*answer = NULL;
			return ready < 0 ? -1 : drain_cancelled(session, err);
		}
		PGresult *result = PQgetResult(session->conn);
		if (!result)
			break;
		if (result_good(result)) {
			PQclear(*answer);
			*answer = result;
			continue;
		}
		if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
			session->lost = true;
			err_set(err, ERR_SERVER, "the server wants to copy data, which nothing asked for");
		} else if (rc == 0) {
			session_fail(session, result, err);
		}
		PQclear(result);
		rc = -1;
		if (session_lost(session))
			break;
	}
	if (rc || *answer)
		goto out;
	rc = session_fail(session, NULL, err);
out:
	if (rc) {
		PQclear(*answer);
		*answer = NULL;
	}
	return rc;
}

static int usable(const struct session *session, struct err *err)
{
	if (!session_lost(session))
		return 0;
	return err_set(err, ERR_SERVER, "connection lost: the session was closed before");
}

static int ask(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, PGresult **answer, struct err *err)
{
	if (usable(session, err))
		return -1;
	if (!PQsendQueryParams(session->conn, sql, params, NULL, param, NULL, NULL, 0))
		return session_fail(session, NULL, err);
	return collect(session, deadline_ms, answer, err);
}

int session_run(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, struct err *err)
{
	PGresult *answer = NULL;
	int rc = ask(session, sql, params, param, deadline_ms, &answer, err);
	PQclear(answer);
	return rc;
}

int session_value(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, char **out, struct err *err)
{
	PGresult *answer = NULL;
	int rc = ask(session, sql, params, param, deadline_ms, &answer, err);
	*out = NULL;
	if (rc)
		return rc;
	if (PQntuples(answer) != 1 || PQnfields(answer) != 1)
		rc = err_set(err, ERR_BUG, "a query that answers one value answered %d rows of %d columns",
			PQntuples(answer), PQnfields(answer));
	else if (!PQgetisnull(answer, 0, 0) && !(*out = strdup(PQgetvalue(answer, 0, 0))))
		rc = err_nomem(err);
	PQclear(answer);
	return rc;
}

int session_rows(struct session *session, const char *sql, int params, const char *const *param,
	int64_t deadline_ms, struct rows **out, struct err *err)
{
	PGresult *answer = NULL;
	*out = NULL;
	if (ask(session, sql, params, param, deadline_ms, &answer, err))
		return -1;
	*out = session_rows_new(answer, err);
	return *out ? 0 : -1;
}

int session_script(struct session *session, const char *sql, int64_t deadline_ms, struct err *err)
{
	PGresult *answer = NULL;
	if (usable(session, err))
		return -1;
	if (!PQsendQuery(session->conn, sql))
		return session_fail(session, NULL, err);
	int rc = collect(session, deadline_ms, &answer, err);
	PQclear(answer);
	return rc;
}

/* --- rows --- */

struct rows *session_rows_new(PGresult *result, struct err *err)
{
	struct rows *rows = malloc(sizeof *rows);
	if (!rows) {
		PQclear(result);
		err_nomem(err);
		return NULL;
	}
	rows->result = result;
	return rows;
}

int rows_count(const struct rows *rows)
{
	return PQntuples(rows->result);
}

int rows_columns(const struct rows *rows)
{
	return PQnfields(rows->result);
}

const char *rows_text(const struct rows *rows, int row, int column)
{
	return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

int rows_length(const struct rows *rows, int row, int column)
{
	return PQgetlength(rows->result, row, column);
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
	return PQcmdStatus(rows->result);
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	PQclear(rows->result);
	free(rows);
}
