/*
 * What the parts of a snapshot share: the list of schemas to read, and the transaction that they
 * are read in.
 */
#ifndef PGDOCKET_SNAPSHOT_PRIVATE_H
#define PGDOCKET_SNAPSHOT_PRIVATE_H

#include "arena.h"
#include "classes.h"
#include "digest.h"
#include "history.h"
#include "snapshot.h"

#define SNAPSHOT_TIMEOUT_MS 120000 /* of one query */
#define SNAPSHOT_BATCH 50          /* schemas in one transaction */
#define SNAPSHOT_READINGS 3        /* of a schema that changes meanwhile */
#define SNAPSHOT_LEDGER "pgdocket" /* the applier's schema */

struct snapshot_unit { /* one schema of the bundle */
	const char *name;
	enum classes_scope scope;
	bool listed, active;
	int64_t oid; /* 0: listed, but not there */
	bool usable; /* USAGE */
	int64_t tables, rows, bytes;
	const struct history_adapter *adapter; /* NULL: no history table */
	int64_t history_oid;
	bool readable; /* SELECT on it */
	struct digest state, shape;
	bool again; /* changed while it was read */
};

struct snapshot_problem { /* with the tenants list or a history table; goes into the facts */
	const char *rule, *schema, *message;
};

struct snapshot {
	const struct snapshot_options *options;
	const struct conf *conf;
	struct db *bundle;
	struct arena *arena;
	struct session *session; /* holds the exported snapshot */
	char *snapshot_id;
	const char *history_names; /* text[]: tables left out of shapes */
	const char *role, *system_identifier, *database, *server; /* server: JSON */
	int64_t database_oid;
	int64_t taken_us;
	size_t units, units_room;
	struct snapshot_unit *unit; /* by name, once sorted */
	size_t problems, problems_room;
	struct snapshot_problem *problem;
	bool active_column;
	size_t listed;
	struct buf *grants; /* the result's */
	size_t missing;     /* lines in grants */
	struct progress progress;
	bool progress_shown;
};

/* snapshot.c */
struct snapshot_unit *snapshot_add_unit(struct snapshot *snapshot, const char *name,
					struct err *err);
int snapshot_add_problem(struct snapshot *snapshot, const char *rule, const char *schema,
			 struct err *err, const char *format, ...) PRINTF_LIKE(5, 6);
/* A missing permission: SELECT on a table, or (table NULL) USAGE on the schema. Noted once. */
int snapshot_add_grant(struct snapshot *snapshot, const char *schema, const char *table,
		       struct err *err) MUST_CHECK;
/* BEGIN (in the exported snapshot when id is given), with the timeouts of snapshot_begin.sql. */
int snapshot_begin(struct session *session, const char *id, struct err *err) MUST_CHECK;
const char *snapshot_timeout(void); /* statement_timeout, as a parameter */
/* SQL of an adapter with $schema replaced by this schema's quoted name. */
int snapshot_history_sql(const char *sql, const char *schema, struct buf *out,
			 struct err *err) MUST_CHECK;

/*
 * snapshot_tenants.c: units for the listed tenants, problems with the list. Also when the query
 * may not be run (a grant is missing).
 */
int snapshot_list_tenants(struct snapshot *snapshot, struct err *err) MUST_CHECK;
bool snapshot_unaddressable(const char *name); /* no search_path can lead to this schema */

/* snapshot_lists.c: oids, sizes, history tables, orphans; then what may not be read. */
int snapshot_find_schemas(struct snapshot *snapshot, struct err *err) MUST_CHECK;

/*
 * snapshot_batch.c: fingerprints and state digests of all units, in short transactions over
 * several connections.
 */
int snapshot_read_digests(struct snapshot *snapshot, struct err *err) MUST_CHECK;

/*
 * snapshot_texts.c: the text of each distinct shape and state into the bundle; what changed
 * meanwhile is read again.
 */
int snapshot_read_texts(struct snapshot *snapshot, int64_t *shapes, int64_t *states,
			struct err *err) MUST_CHECK;

/* snapshot_store.c: target, schemas, facts, configuration. */
int snapshot_store(struct snapshot *snapshot, struct err *err) MUST_CHECK;

#endif
