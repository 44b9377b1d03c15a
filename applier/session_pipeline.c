/*
 * The pipeline half of a session: queue statements, flush, read one event per statement, wait for
 * many sessions at once with poll(2). It knows nothing of what the statements mean; segment.c does.
 * Nothing here blocks but session_wait.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "session_private.h"

#define WAIT_MAX 256

int session_pipeline_enter(struct session *session, struct err *err)
{
	session->terminator = session->single_row = session->discard_rows = false;
	if (PQenterPipelineMode(session->conn))
		return 0;
	return session_fail(session, NULL, err);
}

int session_pipeline_leave(struct session *session, struct err *err)
{
	if (session->terminator) {
		PQclear(PQgetResult(session->conn));
		session->terminator = false;
	}
	if (PQexitPipelineMode(session->conn))
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

int session_socket(const struct session *session)
{
	return PQsocket(session->conn);
}

short session_poll_events(const struct session *session)
{
	return (short)(POLLIN | (PQflush(session->conn) > 0 ? POLLOUT : 0));
}

int session_pump(struct session *session, struct err *err)
{
	if (PQflush(session->conn) < 0 || !PQconsumeInput(session->conn))
		return session_fail(session, NULL, err);
	return 0;
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

static enum session_event hand_out(
	struct session *session, PGresult *result, struct rows **rows, struct err *err)
{
	session->single_row = false;
	session->terminator = true;
	*rows = session_rows_new(result, err);
	swallow_terminator(session);
	return *rows ? SESSION_RESULT : SESSION_FAILED;
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
		case PGRES_TUPLES_OK: return hand_out(session, result, rows, err);
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
	struct err ignored = ERR_INIT;
	if (n > WAIT_MAX)
		return err_set(err, ERR_BUG, "more than %d sessions to wait for", WAIT_MAX);
	for (int i = 0; i < n; i++) {
		bool live = sessions[i] && !session_lost(sessions[i]);
		fds[i] = (struct pollfd){ live ? session_socket(sessions[i]) : -1,
			live ? session_poll_events(sessions[i]) : (short)0, 0 };
	}
	int ready = poll(fds, (nfds_t)n, timeout_ms < 0 ? -1 : (int)timeout_ms);
	if (ready < 0)
		return errno == EINTR ? 0 : err_set_errno(err, ERR_IO, "poll");
	for (int i = 0; i < n; i++) {
		/* What goes wrong here is told by session_next, session by session. */
		if (fds[i].revents && session_pump(sessions[i], &ignored))
			err_clear(&ignored);
	}
	return 0;
}
