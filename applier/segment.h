/*
 * One segment of one schema on one session: the protocol's three stages in one pipeline with
 * exactly one Sync (PROTOCOL.md); before them, where it needs that, a statement sent alone. The
 * engine never waits: the caller polls the session and asks it to go on.
 */
#ifndef PGDOCKET_SEGMENT_H
#define PGDOCKET_SEGMENT_H

#include <stdbool.h>
#include "document.h"
#include "session.h"

/* What is to be done. Everything is borrowed until the segment has ended. */
struct segment_job {
	const struct document *document;
	const struct digest *plan;
	const char *run; /* 32 hex digits */
	const struct doc_schema *schema;
	const struct doc_segment *segment;
	int64_t oid;                       /* 0: the segment makes the schema */
	const struct digest *shape_before; /* strict guard; NULL: none */
	const struct digest *shape_after;  /* NULL: this one is the pilot */
	const struct digest *audit_head;   /* read when stage 3 is sent */
	bool reset;                        /* the session served another schema before */
	/* Asked just before stage 3 is sent: false stops the run before its COMMIT. */
	bool (*may_commit)(void *context);
	void *context;
};

enum segment_outcome {
	SEGMENT_RUNNING,
	SEGMENT_COMMITTED,
	SEGMENT_ROLLED_BACK, /* nothing of it is left; error says why */
	SEGMENT_NOT_BEGUN,   /* the session was not fit for it; nothing of it is left; error says why */
	SEGMENT_DONE_BEFORE, /* the ledger has it already */
	SEGMENT_UNKNOWN      /* only the ledger can say; error says what happened */
};

struct segment_result {
	enum segment_outcome outcome;
	bool spent;       /* the session must be replaced */
	int64_t oid, xid; /* 0: not known */
	bool has_shape;
	struct digest shape; /* after */
	bool stopped;        /* may_commit said no */
	const struct doc_statement
		*statement; /* that failed; NULL: it was not a statement of the plan's */
	struct err error;
};

struct segment;

/*
 * Prepare the engine's statements on a session outside of pipeline mode, pin it, and enter pipeline
 * mode.
 */
int segment_open_session(
	struct session *session, const struct document *document, struct err *err) MUST_CHECK;

struct segment *segment_new(struct err *err);
void segment_free(struct segment *segment);

/* Send the first stage. What goes wrong from here on is told by the result. */
void segment_start(struct segment *segment, struct session *session, const struct segment_job *job);
/* Take what the session has to tell. True: it has ended, see segment_result. now_us: monotonic. */
bool segment_advance(struct segment *segment, int64_t now_us);
/* When segment_advance wants to be called at the latest (monotonic); 0: no deadline. */
int64_t segment_deadline(const struct segment *segment);
/* Cancel what runs on the server; the segment ends on its own. */
void segment_interrupt(struct segment *segment);
const struct segment_result *segment_result(const struct segment *segment);

#endif
