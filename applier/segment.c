/*
 * The state machine of one segment. What is sent, and what its answers must be, stands in
 * segment_stages.c; what happens is an event, and the table of (state, event) says what to do. An
 * event that the table does not know is a fault of ours (70) and abandons the session. This file
 * never waits, and never decides about retries.
 */
#include "segment_inside.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* clang-format off */
#define ON(state, event, action, next) \
	[STATE_##state][EVENT_##event] = { ACTION_##action, STATE_##next },
/* What ends a segment in every state: nothing can be said any more, the ledger is asked. */
#define ALWAYS(state) \
	ON(state, ALIEN, UNKNOWN, ENDED) ON(state, LOST, UNKNOWN, ENDED) \
	ON(state, TOO_LATE, UNKNOWN, ENDED)
/* A stage with its own Sync, up to which is read whatever happens. */
#define READ_ON(state) \
	ALWAYS(state) \
	ON(state, RIGHT, NONE, state)  ON(state, STAGE, NONE, state)   ON(state, WRONG, NONE, state) \
	ON(state, FAILED, NONE, state) ON(state, SKIPPED, NONE, state) ON(state, LATE, CANCEL, state) \
	ON(state, SYNCED_OPEN, UNKNOWN, ENDED)

const struct segment_transition segment_table[SEGMENT_STATES][SEGMENT_EVENTS] = {
	ON(RESET,    RIGHT,       NONE,          RESET)
	ON(RESET,    SYNCED_BUSY, NONE,          CLAIM)
	ON(RESET,    SYNCED_IDLE, INTENT,        INTENT)
	/* Stage 1 may be sent already and would go on behind the Sync: only closing stops it. */
	ON(RESET,    WRONG,       UNFIT,         ENDED)
	ON(RESET,    FAILED,      UNFIT,         ENDED)
	ON(RESET,    ALIEN,       UNFIT,         ENDED)
	ON(RESET,    LOST,        UNFIT,         ENDED)
	ON(RESET,    TOO_LATE,    UNFIT,         ENDED)
	ON(RESET,    LATE,        CANCEL,        RESET)
	ALWAYS(INTENT)
	ON(INTENT,   RIGHT,       NONE,          INTENT)
	ON(INTENT,   STAGE,       BEGUN,         BEGUN)
	ON(INTENT,   WRONG,       ROLLBACK,      UNDO)
	ON(INTENT,   FAILED,      SYNC,          UNDO)
	ON(INTENT,   LATE,        CANCEL,        INTENT)
	READ_ON(BEGUN)
	ON(BEGUN,    SYNCED_BUSY, NONE,          BEGUN)
	ON(BEGUN,    OPEN,        ALONE,         ALONE)
	ON(BEGUN,    DONE,        ANEW,          RESET)
	ON(BEGUN,    BROKEN,      CLEAN,         CLEAN)
	ON(BEGUN,    GIVE_UP,     UNDONE,        ENDED)
	READ_ON(ALONE)
	ON(ALONE,    SYNCED_IDLE, PROBE,         PROBE)
	READ_ON(PROBE)
	ON(PROBE,    OPEN,        ALONE,         ALONE)
	ON(PROBE,    DONE,        ANEW,          RESET)
	ON(PROBE,    BROKEN,      CLEAN,         CLEAN)
	ON(PROBE,    GIVE_UP,     UNDONE,        ENDED)
	READ_ON(CLEAN)
	ON(CLEAN,    SYNCED_IDLE, PROBE,         PROBE)
	ALWAYS(CLAIM)
	ON(CLAIM,    RIGHT,       NONE,          CLAIM)
	ON(CLAIM,    STAGE,       WORK,          WORK)
	ON(CLAIM,    WRONG,       ROLLBACK,      UNDO)
	ON(CLAIM,    FAILED,      SYNC,          UNDO)
	ON(CLAIM,    LATE,        CANCEL,        CLAIM)
	ALWAYS(WORK)
	ON(WORK,     RIGHT,       NONE,          WORK)
	ON(WORK,     STAGE,       CLOSE,         CLOSE)
	ON(WORK,     WRONG,       ROLLBACK,      UNDO)
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
	ON(SETTLE,   FAILED,      UNKNOWN,       ENDED)
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
#undef READ_ON
/* clang-format on */

#define GRACE_MS 10000  /* for what should answer at once; and behind a cancel */
#define QUIET_MS 300000 /* without a statement_timeout: what is not the plan's own */
#define CLEAN_MS 30000  /* behind a cancel: to drop what is half built */
#define CLEANINGS_MAX 20

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
	stage_release(segment);
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

/* Each answer has its own time: a statement's begins when the one before it has ended. */
static void rearm(struct segment *segment)
{
	int64_t limit_ms = segment->job.document->statement_timeout_ms;
	bool theirs = segment->state == STATE_WORK || segment->state == STATE_ALONE;
	bool cleaning = segment->state == STATE_CLEAN || segment->state == STATE_PROBE;
	if (segment->cancelled && !cleaning)
		return;
	limit_ms = segment->cancelled ? CLEAN_MS
		: limit_ms               ? limit_ms + GRACE_MS
		: theirs                 ? 0
								 : QUIET_MS;
	segment->deadline_us = limit_ms ? clock_monotonic_us() + limit_ms * 1000 : 0;
}

static void cancel(struct segment *segment)
{
	session_cancel(segment->session);
	segment->cancelled = segment->result.spent = true;
	segment->deadline_us = clock_monotonic_us() + GRACE_MS * 1000ll;
}

void segment_interrupt(struct segment *segment)
{
	if (segment->state != STATE_ENDED && segment->state != STATE_SETTLE && !segment->cancelled)
		cancel(segment);
}

/* --- actions; those that send return -1 when the session cannot take it --- */

static void end(struct segment *segment, enum segment_outcome outcome)
{
	segment->state = STATE_ENDED;
	segment->result.outcome = outcome;
	if (outcome == SEGMENT_UNKNOWN || outcome == SEGMENT_NOT_BEGUN)
		segment->result.spent = true;
}

static int send_back(struct segment *segment, bool rollback)
{
	struct err ignored = ERR_INIT;
	if ((rollback && session_queue(segment->session, NULL, "ROLLBACK", 0, NULL, &ignored)) ||
		session_queue_sync(segment->session, &ignored))
		return err_context(&segment->result.error, "connection lost behind it");
	return 0;
}

static int send_if_allowed(struct segment *segment, enum segment_state stage)
{
	if (segment->job.may_commit(segment->job.context))
		return stage_send(segment, stage);
	segment->result.stopped = true;
	err_set(&segment->result.error, ERR_INTERRUPTED, "the run stops before this COMMIT");
	segment->state = STATE_UNDO;
	return send_back(segment, true);
}

/* A prepared statement that an earlier schema left there is no fault of this one's. */
static void undone(struct segment *segment)
{
	bool theirs = segment->job.reset && !strcmp(segment->result.error.sqlstate, "42P05");
	end(segment,
		segment->unknown_if_undone          ? SEGMENT_UNKNOWN
			: stage_claim_conflict(segment) ? SEGMENT_DONE_BEFORE
			: theirs                        ? SEGMENT_NOT_BEGUN
											: SEGMENT_ROLLED_BACK);
}

static int act(struct segment *segment, enum segment_action action)
{
	switch (action) {
	case ACTION_NONE: return 0;
	case ACTION_INTENT: return stage_send(segment, STATE_INTENT);
	case ACTION_ALONE: return stage_send(segment, STATE_ALONE);
	case ACTION_PROBE: return stage_send(segment, STATE_PROBE);
	case ACTION_CLEAN: segment->cleanings++; return stage_send(segment, STATE_CLEAN);
	case ACTION_ANEW: return stage_send_both(segment, STATE_RESET, STATE_CLAIM);
	case ACTION_WORK: return stage_send(segment, STATE_WORK);
	case ACTION_BEGUN:
	case ACTION_CLOSE: return send_if_allowed(segment, segment->state);
	case ACTION_SYNC: return send_back(segment, false);
	case ACTION_ROLLBACK: return send_back(segment, true);
	case ACTION_COMMIT_FAILED:
		segment->unknown_if_undone = stage_failed_in_commit(segment);
		return 0;
	case ACTION_COMMITTED: end(segment, SEGMENT_COMMITTED); return 0;
	case ACTION_UNDONE: undone(segment); return 0;
	case ACTION_UNFIT: end(segment, SEGMENT_NOT_BEGUN); return 0;
	case ACTION_UNKNOWN: end(segment, SEGMENT_UNKNOWN); return 0;
	case ACTION_CANCEL: cancel(segment); return 0;
	case ACTION_BUG:
	case SEGMENT_ACTIONS:
	default:
		err_clear(&segment->result.error);
		err_set(&segment->result.error, ERR_BUG, "an event that no segment expects in this state");
		end(segment, SEGMENT_UNKNOWN);
		return 0;
	}
}

static void lost(struct segment *segment)
{
	err_set(&segment->result.error, ERR_SERVER, "connection lost");
	end(segment, SEGMENT_UNKNOWN);
}

void segment_handle(struct segment *segment, enum segment_event event)
{
	const struct segment_transition *transition = &segment_table[segment->state][event];
	segment->state = transition->next;
	rearm(segment);
	if (act(segment, transition->action))
		lost(segment);
}

/* --- events --- */

/*
 * Where a statement that is sent alone stands, at a Sync. An error stays the reason to give up;
 * what failed is cleaned up in any case, but nothing is begun when the run is told to end.
 */
static enum segment_event standing(struct segment *segment)
{
	struct err *error = &segment->result.error;
	bool failed = error->code != ERR_NONE, begun = segment->state == STATE_BEGUN;
	if (segment->verdict == PROBE_READY)
		segment->verdict = segment->ran ? PROBE_DONE : PROBE_OPEN;
	if (segment->verdict == PROBE_DONE && !(failed && begun)) {
		err_clear(error); /* it was cancelled or lost a race, and is done all the same */
		return EVENT_DONE;
	}
	if (!failed && !segment->ran &&
		(segment->cancelled || !segment->job.may_commit(segment->job.context))) {
		segment->result.stopped = true;
		err_set(error, ERR_INTERRUPTED, "the run stops before this statement");
		return EVENT_GIVE_UP;
	}
	if (segment->verdict == PROBE_BROKEN && segment->cleanings < CLEANINGS_MAX)
		return begun && failed ? EVENT_GIVE_UP : EVENT_BROKEN;
	if (segment->verdict == PROBE_OPEN && !failed && !segment->ran)
		return EVENT_OPEN;
	if (!failed)
		err_refuse(error, "probe", "%s ended well, and its probe says that it is %s",
			segment->job.segment->alone.object,
			segment->verdict == PROBE_BROKEN ? "broken" : "still to be done");
	else if (segment->verdict == PROBE_BROKEN)
		err_hint(error, "%s is left, invalid; the same command drops it and goes on",
			segment->leftover);
	return EVENT_GIVE_UP;
}

static enum segment_event synced(struct segment *segment)
{
	switch (session_transaction(segment->session)) {
	case SESSION_IDLE:
		if (segment->state == STATE_BEGUN || segment->state == STATE_PROBE)
			return standing(segment);
		return EVENT_SYNCED_IDLE;
	case SESSION_ACTIVE: stage_pop(segment); return EVENT_SYNCED_BUSY;
	case SESSION_IN_TRANSACTION:
	case SESSION_IN_ERROR: return EVENT_SYNCED_OPEN;
	case SESSION_UNKNOWN:
	default: return EVENT_LOST;
	}
}

static enum segment_event answered(struct segment *segment, struct rows *rows)
{
	enum stage_verdict verdict;
	if (segment->state == STATE_UNDO || segment->state == STATE_ROLLBACK)
		return EVENT_RIGHT;
	verdict = stage_judge(segment, rows);
	if (verdict == STAGE_RIGHT)
		return stage_empty(segment) ? EVENT_STAGE : EVENT_RIGHT;
	return verdict == STAGE_WRONG ? EVENT_WRONG : EVENT_ALIEN;
}

/* The first error is the reason; what fails behind it does not replace it. */
static enum segment_event failed(
	struct segment *segment, const struct err *error, enum segment_event event)
{
	if (segment->result.error.code == ERR_NONE) {
		segment->result.error = *error;
		stage_blame(segment);
	}
	if (segment->state == STATE_CLEAN)
		segment->cleanings = CLEANINGS_MAX;
	stage_pop(segment);
	return event;
}

static enum segment_event next_event(struct segment *segment, bool *none)
{
	struct rows *rows = NULL;
	struct err error = ERR_INIT;
	enum segment_event event = EVENT_LOST;
	*none = false;
	session_discard_rows(segment->session, stage_drops_rows(segment));
	switch (session_next(segment->session, &rows, &error)) {
	case SESSION_WAIT: *none = true; break;
	case SESSION_RESULT: event = answered(segment, rows); break;
	case SESSION_FAILED: event = failed(segment, &error, EVENT_FAILED); break;
	case SESSION_SKIPPED:
		stage_pop(segment);
		event = EVENT_SKIPPED;
		break;
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
	enum segment_state first = job->segment->transactional ? STATE_CLAIM : STATE_INTENT;
	int rc;
	segment->session = session;
	segment->job = *job;
	memset(&segment->result, 0, sizeof segment->result);
	segment->result.oid = job->oid;
	segment->cancelled = segment->unknown_if_undone = segment->fresh = segment->ran = false;
	segment->verdict = PROBE_NONE;
	segment->cleanings = 0;
	segment->state = job->reset ? STATE_RESET : first;
	rearm(segment);
	if (job->reset && first == STATE_CLAIM)
		rc = stage_send_both(segment, STATE_RESET, STATE_CLAIM);
	else
		rc = stage_send(segment, segment->state);
	if (rc)
		lost(segment);
}

static enum segment_event late(struct segment *segment)
{
	struct err *error = &segment->result.error;
	if (error->code == ERR_NONE) {
		err_set(error, ERR_SERVER, "no answer within the deadline");
		memcpy(error->sqlstate, "57014", 6);
		stage_blame(segment);
	}
	return segment->cancelled ? EVENT_TOO_LATE : EVENT_LATE;
}

bool segment_advance(struct segment *segment, int64_t now_us)
{
	bool none = false;
	while (segment->state != STATE_ENDED) {
		enum segment_event event = next_event(segment, &none);
		if (none) {
			if (!segment->deadline_us || now_us < segment->deadline_us)
				return false;
			event = late(segment);
			now_us = 0;
		}
		segment_handle(segment, event);
	}
	return true;
}
