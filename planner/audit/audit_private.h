/*
 * What the files of audit/ share: the records of all runs, sorted out by run and by schema of the
 * plan. Built by audit.c and audit_records.c, read by the reports. Everything lives in the
 * audit's arena.
 */
#ifndef PGDOCKET_AUDIT_PRIVATE_H
#define PGDOCKET_AUDIT_PRIVATE_H

#include "arena.h"
#include "audit.h"
#include "record.h"
#include "verify.h"

#define AUDIT_ARENA_MAX_BYTES (1024u << 20)
#define AUDIT_RUNS_MAX 1000

enum audit_type { AUDIT_SEGMENT, AUDIT_RECONCILE, AUDIT_RETRY, AUDIT_ERROR, AUDIT_SIGNAL };

/*
 * One record that says something of a schema or of a run as a whole. Texts are "" when the record
 * has none.
 */
struct audit_event {
	enum audit_type type;
	int run;             /* index into runs */
	int64_t seq, time_us;
	int schema;          /* index into the document's schemas; -1: the run as a whole */
	int segment;         /* number; 0: none */
	int64_t attempt, duration_us, statement, line; /* 0: not said */
	const char *sqlstate, *message, *file, *blockers, *xid, *applied_by, *signal;
	bool pilot;
};

struct audit_run {
	const char *id;
	int64_t started_us, ended_us;  /* ended_us 0: there is no run-end */
	int64_t last_us;               /* of the newest record */
	const char *uid, *sudo_uid, *tty, *host, *program, *server_version; /* "": not said */
	const char *operator_name;     /* the policy's principal of uid; NULL: none */
	const char *result, *why;      /* run-end's; "" without one */
	/* "LSN timeline N TIME" before the first change, behind the last one; "": not said */
	const char *restore_before, *restore_behind;
	int64_t records, unsigned_records;
	int64_t segments, reconciled, failed, retries; /* counted here */
	char fingerprint[SSHSIG_FINGERPRINT_SIZE]; /* of the key that signed its checkpoints */
	const char *host_principal;    /* apply-host any: whose key it is; else NULL */
	struct digest head;
};

enum audit_standing { AUDIT_LEFT, AUDIT_PARTLY, AUDIT_FAILED, AUDIT_DONE };

struct audit_schema {
	enum audit_standing standing;
	int segments, segments_done; /* of its program */
	int *done_by;                /* per segment: index of the event, -1: not done */
	int last_error;              /* index of an event, -1: none */
	int retries;
	int64_t done_us;             /* of its newest segment */
};

struct audit_count {
	int64_t schemas, by_standing[AUDIT_DONE + 1];
};

struct audit {
	struct arena *arena;
	struct verified verified;
	struct digest plan;
	int64_t judged_us;           /* approvals were judged as of then */
	bool judged_at_run;          /* it is the first run's start, not now */
	bool expired_since, not_approved;
	char refusal[1200];          /* not_approved: why */
	size_t runs;
	struct audit_run *run;       /* by start */
	size_t events, events_room;
	struct audit_event *event;   /* by run, seq */
	size_t schemas;
	struct audit_schema *schema; /* as in the document */
	int *by_name;                /* the document's schemas by name */
	struct audit_count total, *wave, *class;
	bool run_says_complete;
	bool complete;
};

/* Pass 1: runs with what their run-start and run-end say. The document is not known yet. */
int audit_records_runs(
	struct audit *audit, struct db *db, const struct trust *trust, struct err *err) MUST_CHECK;
/* Pass 2: events, checked against the document. */
int audit_records_events(struct audit *audit, struct db *db, struct err *err) MUST_CHECK;
/* Index into the document's schemas, or -1. */
int audit_records_schema(const struct audit *audit, const char *name);

const char *audit_standing_name(enum audit_standing standing);
const struct doc_segment *audit_segment(const struct audit *audit, int schema, int number);
const struct doc_program *audit_program(const struct audit *audit, int class_index);

#endif
