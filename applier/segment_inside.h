/* What segment.c (what happens) and segment_stages.c (what is sent and answered) share. */
#ifndef PGDOCKET_SEGMENT_INSIDE_H
#define PGDOCKET_SEGMENT_INSIDE_H

#include "segment.h"

enum segment_state {
	STATE_RESET, /* the session is made anew for another schema; of a transactional segment CLAIM is
				  * sent with it */
	STATE_INTENT, /* of a statement that is sent alone: guards and intent, in a transaction */
	STATE_BEGUN,  /* the intent's COMMIT */
	STATE_ALONE,  /* the statement */
	STATE_PROBE,  /* what became of it */
	STATE_CLEAN,  /* what it left behind is dropped */
	STATE_CLAIM,  /* stages 1, 2 and 3 of PROTOCOL.md */
	STATE_WORK,
	STATE_CLOSE,
	STATE_SETTLE, /* COMMIT was answered */
	STATE_UNDO,
	STATE_ROLLBACK,
	STATE_ENDED,
	SEGMENT_STATES
};

enum segment_event {
	EVENT_RIGHT,       /* an answer as it must be, more to come in this stage */
	EVENT_STAGE,       /* the last answer of the stage, as it must be */
	EVENT_WRONG,       /* an answer that differs */
	EVENT_ALIEN,       /* COPY, or a command tag that the plan did not announce */
	EVENT_FAILED,      /* a statement failed */
	EVENT_SKIPPED,     /* behind an error */
	EVENT_SYNCED_IDLE, /* Sync: no transaction */
	EVENT_SYNCED_OPEN, /* Sync: in a transaction, perhaps in error */
	EVENT_SYNCED_BUSY, /* Sync: more was sent behind it */
	EVENT_OPEN,        /* these four: Sync, no transaction, and what the probe said before it */
	EVENT_DONE,
	EVENT_BROKEN,
	EVENT_GIVE_UP, /* or there is an error */
	EVENT_LOST,
	EVENT_LATE,     /* deadline passed */
	EVENT_TOO_LATE, /* a second time */
	SEGMENT_EVENTS
};

enum segment_action {
	ACTION_BUG, /* the table's default */
	ACTION_NONE,
	ACTION_INTENT, /* these send that stage */
	ACTION_ALONE,
	ACTION_PROBE,
	ACTION_CLEAN,
	ACTION_ANEW,  /* RESET, and CLAIM with it */
	ACTION_WORK,
	ACTION_BEGUN, /* and these two, if we may commit */
	ACTION_CLOSE,
	ACTION_SYNC,          /* behind an error: Sync, to read up to its end */
	ACTION_ROLLBACK,      /* ROLLBACK, Sync */
	ACTION_COMMIT_FAILED, /* the last stage failed: its Sync is sent already */
	ACTION_COMMITTED,
	ACTION_UNDONE,
	ACTION_UNFIT,   /* the session is given up before anything was begun */
	ACTION_UNKNOWN, /* give the session up; the ledger decides */
	ACTION_CANCEL,
	SEGMENT_ACTIONS
};

struct segment_transition {
	enum segment_action action;
	enum segment_state next;
};
/* What does not stand in it is a fault of ours (70). */
extern const struct segment_transition segment_table[SEGMENT_STATES][SEGMENT_EVENTS];

/* Do what the table says. */
void segment_handle(struct segment *segment, enum segment_event event);

enum probe_verdict { PROBE_NONE, PROBE_OPEN, PROBE_READY, PROBE_DONE, PROBE_BROKEN };

/* One thing that was sent, with what it must answer. */
struct item {
	int check;            /* enum check of segment_stages.c */
	const char *expected; /* tag, for those that need one */
	const struct doc_step *step;
	const struct doc_statement *statement;
};

struct segment {
	struct session *session;
	struct segment_job job;
	struct segment_result result;
	enum segment_state state;
	bool cancelled, unknown_if_undone; /* the failure was COMMIT's own */
	int64_t deadline_us;               /* monotonic; 0: none */
	/* of a statement that is sent alone */
	bool fresh, ran;            /* no attempt before this one; it ended well now */
	enum probe_verdict verdict; /* the newest */
	char leftover[64];          /* index to drop, with PROBE_BROKEN */
	int cleanings;
	/* the stage under way */
	struct item *item;
	size_t items, next, room;
	int send_failed, failed_check;
	struct buf names, values, reach;
	/* the statements (segment_session.sql, segment_reach.sql) */
	char session_before[64], session_behind[64], shared_before[64];
};

enum stage_verdict { STAGE_RIGHT, STAGE_WRONG, STAGE_ALIEN };

/*
 * Queue what belongs to these states and end it with a flush request or a Sync. -1: the session is
 * lost, or result.error says why.
 */
int stage_send(struct segment *segment, enum segment_state stage) MUST_CHECK;
int stage_send_both(
	struct segment *segment, enum segment_state first, enum segment_state then) MUST_CHECK;
void stage_release(struct segment *segment);

/* Hold an answer against the next item; facts go to the result, and the reason when it differs. */
enum stage_verdict stage_judge(struct segment *segment, const struct rows *rows);
void stage_blame(struct segment *segment); /* the next item failed: remember it, its statement */
void stage_pop(struct segment *segment);
bool stage_empty(const struct segment *segment);
bool stage_drops_rows(const struct segment *segment); /* the next answer's are nobody's business */
bool stage_failed_in_commit(const struct segment *segment);
bool stage_claim_conflict(const struct segment *segment); /* the ledger has the segment already */

#endif
