/* A run in progress: what its parts (task.c, guards.c, outcome.c, waves.c, events.c) share. */
#ifndef PGDOCKET_RUN_H
#define PGDOCKET_RUN_H

#include "cli.h"
#include "connect.h"
#include "ledger.h"
#include "recorder.h"
#include "segment.h"
#include "target.h"
#include "verify.h"

#define RUN_ID_SIZE 33
#define RUN_JOBS_MAX 128
#define GUARDS_MAX 100

enum task_state {
	TASK_WAITING, /* for a worker, its guard, its pilot, or the end of a pause */
	TASK_RUNNING,
	TASK_ASKING, /* an attempt ended unknown and is still in progress on the server */
	TASK_DONE,
	TASK_FAILED
};

enum task_guard { GUARD_UNASKED, GUARD_ASKED, GUARD_PASSED };

/* One schema's way through its program. */
struct task {
	const struct doc_schema *schema;
	const struct doc_class *class;
	const struct doc_program *program;
	enum task_state state;
	enum task_guard guard;
	int64_t oid;                                     /* 0: still to be made */
	size_t next;                                     /* index of the next segment */
	int attempts;                                    /* of that segment */
	int64_t first_try_us, not_before_us, started_us; /* monotonic */
	int64_t asked_xid;                               /* TASK_ASKING: the attempt's */
	struct err asked_error;                          /* and what it ended with */
	bool has_shape;                                  /* the shape that it must have now is known */
	struct digest shape;
	const struct doc_schema *differs_from; /* failed: the pilot whose shape it lacks */
};

/*
 * The shapes that schemas of a class must have behind each segment: of a rehearsal, or of the first
 * to get there.
 */
struct class_shapes {
	bool *known;
	struct digest *shape;
	const struct doc_schema **pilot; /* NULL: a rehearsal's */
	size_t segments;
	const struct task *under_way; /* the pilot that goes first; NULL: none at the moment */
};

struct worker {
	int number;
	struct session *session; /* NULL: to be opened */
	struct segment *engine;
	struct task *task;  /* NULL: idle */
	int served;         /* schemas on this session */
	int64_t started_us; /* of the segment */
};

struct run_totals {
	int64_t segments, reconciled, failed, retries;
};

struct run_options {
	struct cli_common common;
	struct cli_connection connection;
	const char *trust, *state, *wave, *stop_after, *receipt;
	int64_t lock_wait_ms;
	int jobs;
	bool yes;
};

struct run {
	struct cli *cli;
	const struct run_options *options;
	const struct trust *trust;
	const struct verified *verified;
	const struct document *document;
	const struct connector *connector;
	char id[RUN_ID_SIZE];
	struct session *control, *reader;
	struct recorder *recorder;
	struct task *task; /* in the document's order of schemas */
	struct task **by_name;
	size_t tasks;
	struct class_shapes *shapes; /* by class */
	struct worker worker[RUN_JOBS_MAX];
	int workers;
	int wave;
	int wave_failed;
	size_t wave_done, wave_left;
	size_t first_open; /* index of the first task of the wave that may still have to be begun */
	size_t chunk;      /* schemas of the next batch of guards */
	size_t asked;      /* tasks in the batch under way; 0: none */
	struct task *batch[GUARDS_MAX];
	int guard_failures;
	struct run_totals totals;
	bool changed;       /* the ledger has a segment of this plan */
	bool stopping;      /* nothing new is begun */
	bool cancelled;     /* what runs was told to end */
	struct err why;     /* the first reason to stop */
	struct err failure; /* the first failure of a schema */
	struct progress progress;
};

/* Stop beginning new work, for this reason; the first one stays. */
void run_stop(struct run *run, const struct err *why);

/* --- task.c --- */
int tasks_build(struct run *run, struct err *err) MUST_CHECK;
void tasks_release(struct run *run);
/* Take over what the ledger has. ERR_REFUSED reason "ledger". */
int tasks_apply_ledger(struct run *run, const struct ledger *ledger, struct err *err) MUST_CHECK;
struct task *task_find(const struct run *run, const char *schema);
/* A segment is committed: go on to the next, learn its shape. */
void task_segment_done(struct run *run, struct task *task, int64_t oid, const struct digest *shape);
void task_fail(struct run *run, struct task *task);
/*
 * The next task of the wave that may begin now, or NULL; *wait_us receives the nearest time at
 * which one may (0: none).
 */
struct task *task_pick(struct run *run, int64_t now_us, int64_t *wait_us);
size_t tasks_left(const struct run *run);

/* --- guards.c: shapes before, in batches, on the reader session --- */
int guards_open(struct run *run, struct err *err) MUST_CHECK;
/* Ask for the next batch when it is due. */
int guards_ask(struct run *run, struct err *err) MUST_CHECK;
/* Take what has come. */
int guards_advance(struct run *run, struct err *err) MUST_CHECK;
/* Shared state and shape once per wave, when the plan changes the shared schema. */
int guards_check_shared(struct run *run, struct err *err) MUST_CHECK;

/* The shapes of schemas at once; oids: an array's text. Rows of (oid, fingerprint). */
int guards_shapes(struct session *session, const struct document *document, const char *oids,
	struct rows **out, struct err *err) MUST_CHECK;
bool guards_shape_of(const struct rows *rows, int64_t oid, struct digest *out);

/* --- outcome.c --- */
/* A worker's segment has ended: record it, and decide how its schema goes on. */
int outcome_take(struct run *run, struct worker *worker, struct err *err) MUST_CHECK;
/* Ask the ledger again about an attempt that was in progress. */
int outcome_ask(struct run *run, struct task *task, struct err *err) MUST_CHECK;
/* A schema fails before any of its segments was sent. */
int outcome_guard_failed(
	struct run *run, struct task *task, const struct err *error, struct err *err) MUST_CHECK;

/* --- waves.c --- */
int waves_run(struct run *run, struct err *err) MUST_CHECK;

/* --- reports.c: records of the run as a whole --- */
int report_start(struct run *run, const struct target *target, struct err *err) MUST_CHECK;
int report_reconcile(struct run *run, const struct ledger_row *row, struct err *err) MUST_CHECK;
int report_signal(struct run *run, const char *name, struct err *err) MUST_CHECK;
int report_end(struct run *run, const char *result, const char *why, struct err *err) MUST_CHECK;

/* --- events.c: what people and scripts see while it goes on --- */
void events_run_start(struct run *run);
void events_wave_start(struct run *run);
void events_schema_done(struct run *run, const struct task *task, int64_t duration_us);
void events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms);
void events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error);
void events_wave_end(struct run *run);
void events_note(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);
void events_run_end(struct run *run, int status, const char *result);

/* --- stop.c: SIGINT and SIGTERM --- */
void stop_install(void);
int stop_requests(void); /* signals so far */
const char *stop_signal(void);
bool stop_requested(void);

#endif
