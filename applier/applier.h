/* A run in progress, of any command, and what the applier's files offer each other. */
#ifndef PGDOCKET_APPLIER_H
#define PGDOCKET_APPLIER_H

#include "ask.h"
#include "cli.h"
#include "recorder.h"
#include "segment.h"
#include "verify.h"

#define RUN_ID_SIZE 33
#define RUN_JOBS_MAX 128
#define GUARDS_MAX 100
#define WORKCOPY_STATE "/var/lib/pgdocket"

/* What any command can be told; each has its own table of options. */
struct apply_options {
	struct cli_common common;
	struct cli_connection connection;
	const char *trust, *state, *wave, *stop_after, *receipt;
	struct option_list roles, readers;
	int64_t lock_wait_ms;
	int jobs;
	bool yes, print;
};

#define APPLY_TRUST_OPTION \
	{ \
		"trust", 0, OPTION_TEXT, offsetof(struct apply_options, trust), "DIR", \
			"policy directory (default /etc/pgdocket)", 0, 0 \
	}
#define APPLY_JOBS_OPTION \
	{ \
		"jobs", 'j', OPTION_COUNT, offsetof(struct apply_options, jobs), "N", \
			"schemas at a time (default 4)", 1, RUN_JOBS_MAX \
	}
#define APPLY_STATE_OPTION \
	{ \
		"state", 0, OPTION_TEXT, offsetof(struct apply_options, state), "DIR", \
			"where working copies are kept (default " WORKCOPY_STATE ")", 0, 0 \
	}

/* The database at the other end. Texts are borrowed from facts. */
struct target {
	struct rows *facts;
	const char *system_identifier, *database;
	int64_t oid, server_now_us, host_now_us;
	int version;
};

/* What one plan has done in the target. Texts are borrowed from the results. */
struct ledger_row {
	int64_t oid, xid, finished_us;
	int segment;
	const char *schema, *run;
	bool has_shape;
	struct digest state, shape;
	struct rows *own; /* of ledger_ask: what the texts are borrowed from, the caller frees it */
};

struct ledger {
	struct rows *plan, *rows, *intents;
	bool begun; /* the plan has its row */
	const char *first_run;
	int64_t done_us; /* 0: it is not */
	size_t count;
	struct ledger_row *row; /* by segment, then oldest first */
};

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
	struct class_shapes *shapes; /* of its class */
	enum task_state state;
	enum task_guard guard;
	int64_t oid;                                     /* 0: still to be made */
	size_t next;                                     /* index of the next segment */
	int attempts;                                    /* of that segment */
	int64_t first_try_us, not_before_us, started_us; /* monotonic */
	int asked_pid;                                   /* the newest attempt's backend */
	int64_t asked_xid, asked_since_us;               /* TASK_ASKING: the attempt's */
	struct err asked_error;                          /* and what it ended with */
	bool has_shape;                                  /* the shape that it must have now is known */
	struct digest shape;
	bool *recorded;    /* by segment: an earlier run's record says that it was done */
	char *failure;     /* the message of its newest error record; NULL: none */
	int64_t failed_us; /* its time */
};

/* Shapes behind each segment of a class: a rehearsal's, or of the first schema to get there. */
struct class_shapes {
	struct known_shape {
		bool known;
		struct digest shape;
		const struct doc_schema *pilot; /* NULL: a rehearsal's */
	} * behind;
	size_t segments;
	const struct task *under_way; /* the pilot that goes first; NULL: none at the moment */
};

enum worker_state { WORKER_ABSENT, WORKER_FRESH, WORKER_BUSY, WORKER_USED, WORKER_STATES };
enum worker_event {
	WORKER_OPENED,
	WORKER_BEGINS,  /* with another schema */
	WORKER_GOES_ON, /* with the same one */
	WORKER_ENDED,
	WORKER_SPENT, /* the segment has ended and the session cannot be used again */
	WORKER_WORN,  /* it has served enough schemas: a backend's memory grows with them */
	WORKER_CLOSED,
	WORKER_EVENTS
};
enum worker_action { WORKER_BUG, WORKER_KEEP, WORKER_RESET, WORKER_CLOSE };
struct worker_transition {
	enum worker_action action;
	enum worker_state next;
};
extern const struct worker_transition worker_table[WORKER_STATES][WORKER_EVENTS];

struct worker {
	int number;
	enum worker_state state;
	struct session *session; /* NULL: to be opened */
	struct segment *engine;
	struct task *task;  /* NULL: idle */
	int served;         /* schemas on this session */
	int64_t started_us; /* of the segment */
};

/* What may run side by side: in each wave these take turns until it is done (PROTOCOL.md). */
enum lane {
	LANE_NORMAL, /* on all workers */
	LANE_SHARED, /* segments that lock shared relations, one at a time */
	LANE_ALONE,  /* statements outside of transactions, one at a time and nothing beside them */
	LANES
};

enum run_state {
	RUN_GOING,
	RUN_STOPPING,  /* what runs is finished, nothing new is begun */
	RUN_CANCELLED, /* what runs was told to end, nothing is committed any more */
	RUN_STATES
};
enum run_event {
	RUN_SIGNAL,
	RUN_STOP,  /* a schema's failure that is everybody's, or too many failures */
	RUN_FATAL, /* the run itself cannot go on */
	RUN_EVENTS
};
enum run_action { RUN_BUG, RUN_KEEP, RUN_ANNOUNCE, RUN_CANCEL };
struct run_transition {
	enum run_action action;
	enum run_state next;
};
extern const struct run_transition waves_table[RUN_STATES][RUN_EVENTS];

struct run {
	struct cli *cli;
	struct apply_options options;
	const char *file; /* FILE */
	char id[RUN_ID_SIZE];
	/* the plan and the target, by prepare.c and ledger.c */
	struct trust *trust;
	struct verified verified;
	const struct document *document; /* verified's */
	char *password, *conninfo_text;  /* asked for with -W, of the policy's conninfo-file; wiped */
	struct session *control, *reader;
	struct target target;
	struct ledger ledger;
	/* schemas, by task.c */
	struct task *task; /* in the document's order of schemas */
	struct task **by_name;
	size_t tasks;
	struct class_shapes *shapes; /* by class */
	bool *recorded;              /* all tasks' */
	struct {
		char run[RUN_ID_SIZE],
			result[16]; /* the newest run of the records; how it ended; empty: none */
		int64_t started_us;
	} seen;
	/* the wave, by waves.c and guards.c */
	struct worker worker[RUN_JOBS_MAX];
	int workers, wave, wave_failed;
	size_t wave_done, wave_left;
	size_t first_open; /* index of the first task of the wave that may still have to be begun */
	size_t chunk;      /* schemas of the next batch of guards */
	size_t asked;      /* tasks in the batch under way; 0: none */
	int64_t asked_until_us; /* monotonic */
	struct task *batch[GUARDS_MAX];
	int guard_failures;
	bool changed;       /* the ledger has a segment of this plan */
	enum run_state state;
	enum lane lane;
	struct err why;     /* the first reason to stop */
	struct err failure; /* the first failure of a schema */
	/* results */
	struct recorder *recorder;
	struct workcopy *workcopy;
	struct bundle *receipt; /* an earlier run's, to be replaced */
	struct {
		int64_t segments, reconciled, failed, retries;
	} totals;
	char restore_point[80]; /* restore_point.sql's, of the beginning, then of the end */
	struct progress progress;
};

/* --- apply_main.c: the commands, each in its apply_*.c --- */
int apply_verify(struct cli *cli, int argc, char **argv);
int apply_bootstrap(struct cli *cli, int argc, char **argv);
int apply_run(struct cli *cli, int argc, char **argv);
int apply_check(struct cli *cli, int argc, char **argv);
int apply_status(struct cli *cli, int argc, char **argv);
/* Options into a new run, body, what went wrong printed. body returns the exit code, or -1. */
int apply_command(struct cli *cli, int argc, char **argv, const struct option_command *command,
	int (*body)(struct run *run, struct err *err));

/* --- prepare.c: policy, bundle, sessions, target --- */
/* Policy, for those who apply also: root allowed, a host key there; then the bundle. */
int prepare_bundle(struct run *run, bool to_apply, struct err *err) MUST_CHECK;
/*
 * The control session, by the command line, the policy's conninfo-file and the environment.
 * ERR_REFUSED reason "policy": a conninfo-file that others may write, or read a password in.
 */
int prepare_control(struct run *run, const char *name, struct err *err) MUST_CHECK;
/* One more, named pgdocket/RUN/lane. */
int prepare_session(
	const struct run *run, const char *lane, struct session **out, struct err *err) MUST_CHECK;
int prepare_target(struct run *run, struct err *err) MUST_CHECK;
/* By both clocks: ERR_REFUSED reason "not-yet", "expired" (a begun plan: after resume-grace). */
int prepare_check_times(const struct run *run, struct err *err) MUST_CHECK;
void prepare_release(struct run *run);

/* --- fitness.c: what is wrong in the target --- */
/* Findings on their way to be shown, of questions and of the caller. */
struct findings {
	struct run *run;
	/* kind: info, note, unfit, or the reason of a refusal; hint may be NULL */
	void (*show)(
		struct findings *findings, const char *kind, const char *text, const char *hint);
	int unfit, refused;
	char kind[24]; /* of the newest */
	int alike;     /* of that kind without a hint, one behind the other */
	struct buf report;
	struct err worst; /* the first refused, else the first unfit */
};
void findings_add(struct findings *findings, const char *kind, const char *text, const char *hint);
/* What comes next is of another kind: tell how many were alike and not shown. */
void findings_end(struct findings *findings);
/* An error becomes a finding, and is cleared. */
void findings_error(struct findings *findings, struct err *found);
/* Is it the plan's target, with a ledger? */
int fitness_target(struct findings *findings, struct err *err) MUST_CHECK;
/* All that concerns the schemas that are left. */
int fitness_plan(struct findings *findings, struct err *err) MUST_CHECK;

/* --- ledger.c: the ledger in the target and the run lock (PROTOCOL.md) --- */
/* *out must be released in any case. ERR_REFUSED reason "ledger": a damaged row. */
int ledger_read(struct session *session, const struct digest *plan, struct ledger *out,
	struct err *err) MUST_CHECK;
void ledger_release(struct ledger *ledger);
enum ledger_fate { LEDGER_DONE, LEDGER_NOT_DONE, LEDGER_IN_PROGRESS };
/* What became of an attempt at the task's next segment; xid 0: not known. *row: when done. */
int ledger_ask(const struct run *run, const struct task *task, int64_t xid, enum ledger_fate *fate,
	struct ledger_row *row, struct err *err) MUST_CHECK;
/*
 * Take the run lock: polled, never blocking; it lives as long as the session. ERR_UNFIT naming the
 * holder, or the sessions that an earlier run left behind; ERR_INTERRUPTED.
 */
int ledger_lock(struct session *session, int64_t wait_ms, struct err *err) MUST_CHECK;

/* --- workcopy.c: our own copy of a bundle, where results go (PROTOCOL.md, last section) --- */
/*
 * STATE/LABEL/PLAN/work.docket, beside it a flocked file that keeps a second applier of this host
 * out. Made from the verified rows; or opened, united with the bundle's signatures and runs, and
 * judged anew. ERR_UNFIT: another applier works with it. ERR_REFUSED as trust_judge and the chains
 * report. ERR_IO: also when the disk has no room for the results.
 */
int workcopy_open(const struct run *run, struct workcopy **out, struct err *err) MUST_CHECK;
void workcopy_close(struct workcopy *workcopy); /* NULL is fine */
struct db *workcopy_db(struct workcopy *workcopy);
const char *workcopy_path(const struct workcopy *workcopy);
/* The path it would have; malloc'ed. ERR_REFUSED: a label that is no directory name. */
char *workcopy_locate(const struct run *run, struct err *err);
/* Does this bundle hold the run's plan? An error: it holds none that can be read. */
bool workcopy_same_plan(const struct run *run, struct db *db, struct err *err);

/* --- seen.c: what a bundle's records say of earlier runs --- */
/* Into run's tasks and seen; verifies the chains on the way. ERR_REFUSED reason "audit". */
int seen_read(struct run *run, struct db *db, struct err *err) MUST_CHECK;
/* Is there a record of this row, which fits the plan? */
bool seen_done(const struct run *run, const struct ledger_row *row);
/* Behind tasks_apply_ledger. ERR_INCOMPLETE: a recorded segment is not in the ledger. */
int seen_check(const struct run *run, struct err *err) MUST_CHECK;

/* --- task.c --- */
int tasks_build(struct run *run, struct err *err) MUST_CHECK;
void tasks_release(struct run *run);
/* Take over what the ledger has. ERR_REFUSED reason "ledger". */
int tasks_apply_ledger(struct run *run, struct err *err) MUST_CHECK;
struct task *task_find(const struct run *run, const char *schema);
/* A segment is committed: go on to the next, learn its shape. */
void task_segment_done(struct run *run, struct task *task, int64_t oid, const struct digest *shape);
void task_fail(struct run *run, struct task *task);
/* Back to waiting; as a pilot it hands over. */
void task_put_back(struct task *task);
/* What it must end in; known false: it is the pilot, or no shape is needed. */
const struct known_shape *task_shape(const struct task *task);
const struct doc_segment *task_segment(const struct task *task); /* the next one */
enum lane task_lane(const struct task *task); /* of the next segment */
bool task_waits(const struct task *task);     /* for its class's pilot */
/* May any task of the wave still begin in this lane, now or later? */
bool tasks_open(const struct run *run);
/* The next task of wave and lane that may begin now, or NULL; *wait_us: when one may, or 0. */
struct task *task_pick(struct run *run, int64_t now_us, int64_t *wait_us);
size_t tasks_left(const struct run *run);

/* --- guards.c: shapes before, in batches, on the reader session --- */
int guards_open(struct run *run, struct err *err) MUST_CHECK;
/* Ask for the next batch when it is due. */
int guards_ask(struct run *run, struct err *err) MUST_CHECK;
/* Take what has come. */
int guards_advance(struct run *run, struct err *err) MUST_CHECK;
/*
 * Before each wave: shared schemas of the plan, before them or behind them, have the structure that
 * they must have by now, and earlier ones are done.
 */
int guards_check_shared(struct run *run, struct err *err) MUST_CHECK;
/* Shapes of schemas at once, on the control session; oids: an array. Rows of (oid, fingerprint). */
int guards_shapes(
	const struct run *run, const char *oids, struct rows **out, struct err *err) MUST_CHECK;
bool guards_shape_of(const struct rows *rows, int64_t oid, struct digest *out);

/* --- outcome.c --- */
/* A worker's segment has ended: record it, and decide how its schema goes on. */
int outcome_take(struct run *run, struct worker *worker, struct err *err) MUST_CHECK;
/* Ask the ledger again about an attempt that was in progress. */
int outcome_ask(struct run *run, struct task *task, struct err *err) MUST_CHECK;
/* statement: where; NULL: before any statement of the plan's. */
int outcome_fail(struct run *run, struct task *task, const struct doc_statement *statement,
	const struct err *error, struct err *err) MUST_CHECK;

/* --- worker.c: the workers' sessions --- */
int workers_open(struct run *run, struct err *err) MUST_CHECK;
void workers_close(struct run *run);
/* Begin the task's next segment. What goes wrong on the session is told by the segment's result. */
int worker_begin(
	struct run *run, struct worker *worker, struct task *task, struct err *err) MUST_CHECK;
/* Do what the table says; *reset: the session has to be made anew first. ERR_BUG. */
int worker_handle(struct worker *worker, enum worker_event event, bool *reset,
	struct err *err) MUST_CHECK;
/* Its segment has ended; the session is closed if it is spent. */
int worker_end(struct worker *worker, struct err *err) MUST_CHECK;

/* --- waves.c --- */
int waves_run(struct run *run, struct err *err) MUST_CHECK;
/* Stop beginning new work, for this reason; the first one stays. */
void waves_stop(struct run *run, const struct err *why);
bool waves_may_commit(void *run);
/* SIGINT, SIGTERM, SIGHUP are counted from here on; a broken pipe or a full disk kills nobody. */
void waves_catch_signals(void);
bool waves_interrupted(void);

/* --- events.c: what is told of a run: records, JSON lines, lines for people --- */
int events_begin(struct run *run, struct err *err) MUST_CHECK;
void events_wave_start(struct run *run);
int events_segment(struct run *run, const struct worker *worker, struct err *err) MUST_CHECK;
/* A segment that only the ledger knows of. */
int events_reconcile(struct run *run, const struct ledger_row *row, struct err *err) MUST_CHECK;
void events_schema_done(struct run *run, const struct task *task);
int events_retry(struct run *run, const struct task *task, const struct err *error,
	const char *blockers, int64_t delay_ms, struct err *err) MUST_CHECK;
int events_schema_failed(struct run *run, const struct task *task,
	const struct doc_statement *statement, const struct err *error, struct err *err) MUST_CHECK;
int events_signal(struct run *run, const char *name, struct err *err) MUST_CHECK;
void events_wave_end(struct run *run);
/* Record run-end, behind the error that stopped the run if one did. */
int events_end(struct run *run, const char *result, struct err *err) MUST_CHECK;
void events_run_end(struct run *run, int status, const char *result);
void events_note(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
