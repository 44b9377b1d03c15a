/*
 * A snapshot: the migration state and shape of every schema of one database, read in one moment
 * and written into a bundle's tables target, schema and object. Reads catalogs, history tables and
 * what the tenants query names; never a tenant's rows; changes nothing.
 */
#ifndef PGDOCKET_SNAPSHOT_H
#define PGDOCKET_SNAPSHOT_H

#include "buf.h"
#include "conf.h"
#include "db.h"
#include "progress.h"
#include "session.h"

#define SNAPSHOT_GRANTS_IN_HINT 2 /* more missing grants than that stand in the result alone */

struct snapshot_options {
	const struct session_options *session;
	const struct conf *conf;
	const char *layout;    /* of the migrations that go into the same bundle; NULL: none do */
	int jobs;              /* connections that read, 1 or more */
	FILE *progress_stream; /* where progress is shown */
	enum progress_mode progress_mode;
};

struct snapshot_result {
	int64_t schemas, tenants, listed, orphans; /* read; listed: also those without a schema */
	int64_t states, shapes;                    /* distinct */
	/* with the tenants list or a history table; all of them are in the facts */
	size_t problems;
	struct buf notes;  /* one line for each problem; released below */
	size_t missing;    /* lines in grants */
	struct buf grants; /* the GRANT lines that are missing, one each */
};

/*
 * bundle: an edit's database without a target. Errors: ERR_UNFIT   permissions are missing
 * (result->grants has them all), the shared schema is not there, schemas changed under three
 * readings (named); ERR_CONFIG  the tenants query cannot be used as it is; ERR_SERVER otherwise.
 */
int snapshot_take(const struct snapshot_options *options, struct db *bundle,
		  struct snapshot_result *result, struct err *err) MUST_CHECK;
/* Also after a failure, or of an empty one. */
void snapshot_release(struct snapshot_result *result);

#endif
