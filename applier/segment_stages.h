/* What a segment sends: the items of each stage, each with what its answer must be. */
#ifndef PGDOCKET_SEGMENT_STAGES_H
#define PGDOCKET_SEGMENT_STAGES_H

#include "segment.h"

struct item {
	int check;            /* enum check of segment_stages.c */
	const char *expected; /* tag, for those that need one */
	const struct doc_step *step;
	const struct doc_statement *statement;
};

struct stage {
	struct item *items;
	size_t count, next, capacity;
	int failed; /* check of the item that failed; 0: none */
	struct buf names, values, reach;
	char session[64], shared[64]; /* as they were before the statements (segment_reach.sql) */
};

enum stage_verdict { STAGE_RIGHT, STAGE_WRONG, STAGE_ALIEN };

/* A list is made anew by each stage_send; *stage is zeroed before the first. */
void stage_release(struct stage *stage);
/*
 * Queue, and end with a flush request (close: with the Sync). -1: the session is lost, or *result
 * says why.
 */
int stage_send_claim(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result) MUST_CHECK;
int stage_send_work(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result) MUST_CHECK;
int stage_send_close(struct stage *stage, struct session *session, const struct segment_job *job,
	struct segment_result *result) MUST_CHECK;

/* Hold an answer against the next item; facts go to *result, and the reason when it differs. */
enum stage_verdict stage_judge(struct stage *stage, const struct rows *rows,
	const struct segment_job *job, struct segment_result *result);
/* The next item failed: remember it and its statement. */
void stage_blame(struct stage *stage, struct segment_result *result);
void stage_pop(struct stage *stage);
bool stage_empty(const struct stage *stage);
bool stage_drops_rows(const struct stage *stage); /* the next answer's rows are nobody's business */
bool stage_failed_in_commit(const struct stage *stage);
/* It failed because the ledger has the segment already. */
bool stage_claim_conflict(const struct stage *stage, const struct segment_result *result);

#endif
