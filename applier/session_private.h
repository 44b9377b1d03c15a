/* What session.c (opening, simple calls) and session_pipeline.c (pipeline, waiting) share. */
#ifndef PGDOCKET_SESSION_PRIVATE_H
#define PGDOCKET_SESSION_PRIVATE_H

#include <libpq-fe.h>
#include "session.h"

struct session {
	PGconn *conn;
	int version, backend_pid;
	char *describe;
	bool lost;         /* nothing more can be expected of it */
	bool terminator;   /* pipeline: a result was handed out, its NULL is still to be read */
	bool discard_rows; /* pipeline: rows of the result that is read are counted and dropped */
	bool single_row;   /* pipeline: the result that is read comes row by row */
	int64_t notices;
};

struct rows {
	PGresult *result;
};

/*
 * Fill in *err (cleared) from a result or, without one, from the connection: then the session is
 * lost. Returns -1.
 */
int session_fail(struct session *session, const PGresult *result, struct err *err);
/* Take result over. NULL with *err filled in when out of memory; result is cleared then. */
struct rows *session_rows_new(PGresult *result, struct err *err);

#endif
