/*
 * The ledger in the target (PROTOCOL.md): what one plan has done there. The rows that count are
 * written by segments.
 */
#ifndef PGDOCKET_LEDGER_H
#define PGDOCKET_LEDGER_H

#include "arena.h"
#include "digest.h"
#include "session.h"

struct ledger_row {
	int64_t oid, xid, finished_us;
	int segment;
	const char *schema, *run;
	bool has_shape;
	struct digest state, shape, head;
};

struct ledger {
	struct arena *arena;
	bool begun; /* the plan has its row */
	bool done;
	const char *first_run;
	int64_t started_us, done_us;
	size_t count;
	struct ledger_row *row; /* oldest first */
};

/* ERR_UNFIT: no ledger, or privileges are missing; all of them are named. */
int ledger_require(struct session *session, struct err *err) MUST_CHECK;
/* *out must be released in any case. */
int ledger_read(struct session *session, const struct digest *plan, struct ledger *out,
	struct err *err) MUST_CHECK;
void ledger_release(struct ledger *ledger);
int ledger_begin(struct session *session, const struct digest *plan, const char *label,
	const char *run, struct err *err) MUST_CHECK;
int ledger_finish(struct session *session, const struct digest *plan, struct err *err) MUST_CHECK;

enum ledger_fate { LEDGER_DONE, LEDGER_NOT_DONE, LEDGER_IN_PROGRESS };
struct ledger_question {
	const struct digest *plan;
	const char *schema;
	int segment;
	int64_t xid; /* of the attempt; 0: none is known */
};
/*
 * What became of an attempt. Of *row, oid, xid, finished_us and shape are filled in when it is
 * done.
 */
int ledger_ask(struct session *session, const struct ledger_question *question,
	enum ledger_fate *fate, struct ledger_row *row, struct err *err) MUST_CHECK;

#endif
