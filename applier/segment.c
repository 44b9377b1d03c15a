/*
 * The state machine of one transactional segment. Stages are lists of items, each queued with what
 * its answer must be; what happens is an event, and the table of (state, event) says what to do. An
 * event that the table does not know is a fault of ours (70) and abandons the session. This file
 * never waits, and never decides about retries.
 */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "segment_stages.h"

enum state {
	STATE_RESET,
	STATE_CLAIM,
	STATE_WORK,
	STATE_CLOSE,
	STATE_SETTLE,
	STATE_UNDO,
	STATE_ROLLBACK,
	STATE_ENDED
};

enum event {
	EVENT_RIGHT,       /* an answer as it must be, more to come in this stage */
	EVENT_STAGE,       /* the last answer of the stage, as it must be */
	EVENT_WRONG,       /* an answer that differs */
	EVENT_ALIEN,       /* COPY, or a command tag that the plan did not announce */
	EVENT_FAILED,      /* a statement failed */
	EVENT_SKIPPED,     /* behind an error */
	EVENT_SYNCED_IDLE, /* Sync: no transaction */
	EVENT_SYNCED_OPEN, /* Sync: in a transaction, perhaps in error */
	EVENT_SYNCED_BUSY, /* Sync: more was sent behind it */
	EVENT_LOST,
	EVENT_LATE,     /* deadline passed */
	EVENT_TOO_LATE, /* a second time */
	EVENT_COUNT
};

enum action {
	ACTION_BUG, /* the table's default */
	ACTION_NONE,
	ACTION_WORK,          /* send stage 2 */
	ACTION_CLOSE,         /* send stage 3, if we may */
	ACTION_SYNC,          /* behind an error: Sync, to read up to its end */
	ACTION_TAKE_BACK,     /* behind a wrong answer: ROLLBACK, Sync */
	ACTION_ROLLBACK,      /* in a failed transaction: ROLLBACK, Sync */
	ACTION_COMMIT_FAILED, /* stage 3 failed: its Sync is sent already */
	ACTION_COMMITTED,
	ACTION_UNDONE,
	ACTION_UNFIT,   /* the session is given up before the claim: nothing was begun */
	ACTION_UNKNOWN, /* give the session up; the ledger decides */
	ACTION_CANCEL
};

struct transition {
	enum action action;
	enum state next;
};

/* clang-format off */
#define ON(state, event, action, next) \
	[STATE_##state][EVENT_##event] = { ACTION_##action, STATE_##next },
/* What ends a segment in every state: nothing can be said any more, the ledger is asked. */
#define ALWAYS(state) \
	ON(state, ALIEN, UNKNOWN, ENDED) ON(state, LOST, UNKNOWN, ENDED) \
	ON(state, TOO_LATE, UNKNOWN, ENDED)

static const struct transition table[STATE_ENDED][EVENT_COUNT] = {
	ON(RESET,    RIGHT,       NONE,          RESET)
	ON(RESET,    SYNCED_BUSY, NONE,          CLAIM)
	/* Stage 1 is sent already and would go on behind the Sync: only closing stops it. */
	ON(RESET,    WRONG,       UNFIT,         ENDED)
	ON(RESET,    FAILED,      UNFIT,         ENDED)
	ON(RESET,    ALIEN,       UNFIT,         ENDED)
	ON(RESET,    LOST,        UNFIT,         ENDED)
	ON(RESET,    TOO_LATE,    UNFIT,         ENDED)
	ON(RESET,    LATE,        CANCEL,        RESET)
	ALWAYS(CLAIM)
	ON(CLAIM,    RIGHT,       NONE,          CLAIM)
	ON(CLAIM,    STAGE,       WORK,          WORK)
	ON(CLAIM,    WRONG,       TAKE_BACK,     UNDO)
	ON(CLAIM,    FAILED,      SYNC,          UNDO)
	ON(CLAIM,    LATE,        CANCEL,        CLAIM)
	ALWAYS(WORK)
	ON(WORK,     RIGHT,       NONE,          WORK)
	ON(WORK,     STAGE,       CLOSE,         CLOSE)
	ON(WORK,     WRONG,       TAKE_BACK,     UNDO)
	ON(WORK,     FAILED,      SYNC,          UNDO)
	ON(WORK,     LATE,        CANCEL,        WORK)
	ALWAYS(CLOSE)
	ON(CLOSE,    RIGHT,       NONE,          CLOSE)
	ON(CLOSE,    STAGE,       NONE,          SETTLE)
	ON(CLOSE,    WRONG,       UNKNOWN,       ENDED)
	ON(CLOSE,    FAILED,      COMMIT_FAILED, UNDO)
	ON(CLOSE,    LATE,        CANCEL,        CLOSE)
	ALWAYS(SETTLE)
	ON(SETTLE,   SYNCED_IDLE, COMMITTED,     ENDED)
	ON(SETTLE,   SYNCED_OPEN, UNKNOWN,       ENDED)
	ON(SETTLE,   LATE,        UNKNOWN,       ENDED)
	ALWAYS(UNDO)
	ON(UNDO,     RIGHT,       NONE,          UNDO)
	ON(UNDO,     FAILED,      NONE,          UNDO)
	ON(UNDO,     SKIPPED,     NONE,          UNDO)
	ON(UNDO,     SYNCED_IDLE, UNDONE,        ENDED)
	ON(UNDO,     SYNCED_OPEN, ROLLBACK,      ROLLBACK)
	ON(UNDO,     LATE,        CANCEL,        UNDO)
	ALWAYS(ROLLBACK)
	ON(ROLLBACK, RIGHT,       NONE,          ROLLBACK)
	ON(ROLLBACK, FAILED,      UNKNOWN,       ENDED)
	ON(ROLLBACK, SYNCED_IDLE, UNDONE,        ENDED)
	ON(ROLLBACK, LATE,        UNKNOWN,       ENDED)
};
#undef ON
#undef ALWAYS
/* clang-format on */

struct segment {
	struct session *session;
	struct segment_job job;
	struct segment_result result;
	struct stage stage; /* what was sent, with what it must answer */
	enum state state;
	bool cancelled;
	bool unknown_if_undone; /* the failure was COMMIT's own */
	int64_t deadline_us;
};

#define GRACE_MS 10000  /* for what should answer at once; and behind a cancel */
#define QUIET_MS 300000 /* without a statement_timeout: what is not the plan's own */

struct segment *segment_new(struct err *err)
{
	struct segment *segment = calloc(1, sizeof *segment);
	if (!segment) {
		err_nomem(err);
		return NULL;
	}
	segment->state = STATE_ENDED;
	return segment;
}

void segment_free(struct segment *segment)
{
	if (!segment)
		return;
	stage_release(&segment->stage);
	free(segment);
}

const struct segment_result *segment_result(const struct segment *segment)
{
	return &segment->result;
}

int64_t segment_deadline(const struct segment *segment)
{
	return segment->state == STATE_ENDED ? 0 : segment->deadline_us;
}

/*
 * Each answer has its own time: a statement its statement_timeout, which begins when the one before
 * has ended.
 */
static void rearm(struct segment *segment)
{
	int64_t statement_ms = segment->job.document->statement_timeout_ms;
	if (segment->cancelled)
		return;
	if (statement_ms)
		segment->deadline_us = clock_monotonic_us() + (statement_ms + GRACE_MS) * 1000;
	else
		segment->deadline_us = segment->state == STATE_WORK
			? 0
			: clock_monotonic_us() + QUIET_MS * 1000ll;
}

static void cancel(struct segment *segment)
{
	session_cancel(segment->session);
	segment->cancelled = true;
	segment->result.spent = true;
	segment->deadline_us = clock_monotonic_us() + GRACE_MS * 1000ll;
}

void segment_interrupt(struct segment *segment)
{
	if (segment->state != STATE_ENDED && segment->state != STATE_SETTLE && !segment->cancelled)
		cancel(segment);
}

static void end(struct segment *segment, enum segment_outcome outcome)
{
	segment->result.outcome = outcome;
	if (outcome == SEGMENT_UNKNOWN || outcome == SEGMENT_NOT_BEGUN)
		segment->result.spent = true;
}

/* --- actions; those that send return -1 when the session cannot take it --- */

static int send_back(struct segment *segment, bool rollback)
{
	struct err *err = &segment->result.error, ignored = ERR_INIT;
	if (rollback && session_queue(segment->session, NULL, "ROLLBACK", 0, NULL, &ignored))
		return -1;
	if (session_queue_sync(segment->session, &ignored)) {
		err_context(err, "connection lost behind it");
		return -1;
	}
	return 0;
}

static int send_close(struct segment *segment)
{
	if (!segment->job.may_commit(segment->job.context)) {
		segment->result.stopped = true;
		err_set(&segment->result.error, ERR_INTERRUPTED, "the run stops before this COMMIT");
		segment->state = STATE_UNDO;
		return send_back(segment, true);
	}
	return stage_send_close(&segment->stage, segment->session, &segment->job, &segment->result);
}

static void undone(struct segment *segment)
{
	if (segment->unknown_if_undone)
		end(segment, SEGMENT_UNKNOWN);
	else if (stage_claim_conflict(&segment->stage, &segment->result))
		end(segment, SEGMENT_DONE_BEFORE);
	else
		end(segment, SEGMENT_ROLLED_BACK);
}

static int act(struct segment *segment, enum action action)
{
	switch (action) {
	case ACTION_NONE: return 0;
	case ACTION_WORK:
		return stage_send_work(&segment->stage, segment->session, &segment->job, &segment->result);
	case ACTION_CLOSE: return send_close(segment);
	case ACTION_SYNC: return send_back(segment, false);
	case ACTION_TAKE_BACK:
	case ACTION_ROLLBACK: return send_back(segment, true);
	case ACTION_COMMIT_FAILED:
		segment->unknown_if_undone = stage_failed_in_commit(&segment->stage);
		return 0;
	case ACTION_COMMITTED: end(segment, SEGMENT_COMMITTED); return 0;
	case ACTION_UNDONE: undone(segment); return 0;
	case ACTION_UNFIT: end(segment, SEGMENT_NOT_BEGUN); return 0;
	case ACTION_UNKNOWN: end(segment, SEGMENT_UNKNOWN); return 0;
	case ACTION_CANCEL: cancel(segment); return 0;
	case ACTION_BUG:
	default:
		err_clear(&segment->result.error);
		err_set(&segment->result.error, ERR_BUG, "an event that no segment expects in this state");
		end(segment, SEGMENT_UNKNOWN);
		return 0;
	}
}

static void handle(struct segment *segment, enum event event)
{
	const struct transition *transition = &table[segment->state][event];
	segment->state = transition->action == ACTION_BUG ? STATE_ENDED : transition->next;
	rearm(segment);
	if (act(segment, transition->action)) {
		segment->state = STATE_ENDED;
		err_set(&segment->result.error, ERR_SERVER, "connection lost");
		end(segment, SEGMENT_UNKNOWN);
	}
}

/* --- events --- */

static enum event synced(struct segment *segment)
{
	if (segment->state == STATE_RESET)
		stage_pop(&segment->stage);
	switch (session_transaction(segment->session)) {
	case SESSION_IDLE: return EVENT_SYNCED_IDLE;
	case SESSION_ACTIVE: return EVENT_SYNCED_BUSY;
	case SESSION_IN_TRANSACTION:
	case SESSION_IN_ERROR: return EVENT_SYNCED_OPEN;
	case SESSION_UNKNOWN:
	default: return EVENT_LOST;
	}
}

static enum event answered(struct segment *segment, struct rows *rows)
{
	enum stage_verdict verdict;
	if (segment->state == STATE_UNDO || segment->state == STATE_ROLLBACK)
		return EVENT_RIGHT;
	verdict = stage_judge(&segment->stage, rows, &segment->job, &segment->result);
	if (verdict == STAGE_RIGHT)
		return stage_empty(&segment->stage) ? EVENT_STAGE : EVENT_RIGHT;
	return verdict == STAGE_WRONG ? EVENT_WRONG : EVENT_ALIEN;
}

/* The first error is the reason; what fails behind it does not replace it. */
static enum event failed(struct segment *segment, const struct err *error, enum event event)
{
	struct segment_result *result = &segment->result;
	if (result->error.code == ERR_NONE) {
		result->error = *error;
		stage_blame(&segment->stage, result);
	}
	return event;
}

static enum event next_event(struct segment *segment, bool *none)
{
	struct rows *rows = NULL;
	struct err error = ERR_INIT;
	enum event event = EVENT_LOST;
	*none = false;
	session_discard_rows(
		segment->session, segment->state == STATE_WORK && stage_drops_rows(&segment->stage));
	switch (session_next(segment->session, &rows, &error)) {
	case SESSION_WAIT: *none = true; break;
	case SESSION_RESULT: event = answered(segment, rows); break;
	case SESSION_FAILED: event = failed(segment, &error, EVENT_FAILED); break;
	case SESSION_SKIPPED: event = EVENT_SKIPPED; break;
	case SESSION_COPY:
		err_set(&error, ERR_SERVER, "the statement wants to copy data to or from this program");
		event = failed(segment, &error, EVENT_ALIEN);
		break;
	case SESSION_SYNCED: event = synced(segment); break;
	case SESSION_LOST:
	default: event = failed(segment, &error, EVENT_LOST); break;
	}
	rows_free(rows);
	return event;
}

void segment_start(struct segment *segment, struct session *session, const struct segment_job *job)
{
	segment->session = session;
	segment->job = *job;
	memset(&segment->result, 0, sizeof segment->result);
	segment->result.oid = job->oid;
	segment->cancelled = segment->unknown_if_undone = false;
	segment->state = job->reset ? STATE_RESET : STATE_CLAIM;
	rearm(segment);
	if (stage_send_claim(&segment->stage, session, job, &segment->result)) {
		err_set(&segment->result.error, ERR_SERVER, "connection lost");
		segment->state = STATE_ENDED;
		end(segment, SEGMENT_UNKNOWN);
	}
}

bool segment_advance(struct segment *segment, int64_t now_us)
{
	bool none = false;
	while (segment->state != STATE_ENDED) {
		enum event event = next_event(segment, &none);
		if (none) {
			if (!segment->deadline_us || now_us < segment->deadline_us)
				return false;
			if (segment->result.error.code == ERR_NONE) {
				err_set(&segment->result.error, ERR_SERVER, "no answer within the deadline");
				memcpy(segment->result.error.sqlstate, "57014", 6);
				stage_blame(&segment->stage, &segment->result);
			}
			event = segment->cancelled ? EVENT_TOO_LATE : EVENT_LATE;
			now_us = 0;
		}
		handle(segment, event);
	}
	return true;
}
