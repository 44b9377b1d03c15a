/*
 * What a snapshot says of a fleet, for people and for programs: per class, then what stands out,
 * then one schema's migrations. Offline: reads a class_set and nothing else.
 */
#ifndef PGDOCKET_STATUS_H
#define PGDOCKET_STATUS_H

#include "buf.h"
#include "classes.h"
#include "project.h"

struct status {
	const struct class_set *set;
	const struct project *project;
	struct db *bundle;   /* its JSON functions read the facts */
	const char *name;    /* the bundle's file, or the database with -d */
	bool color, verbose; /* verbose: a line for each schema */
};

/* Something is pending or drifts in the shared schema or in a tenant: what --exit-code is about. */
bool status_differs(const struct status *status);
int status_text(const struct status *status, struct buf *out, struct err *err) MUST_CHECK;
int status_json(const struct status *status, struct buf *out, struct err *err) MUST_CHECK;
/*
 * One schema's migrations one by one: [x] applied, [ ] pending, [!] unknown or dirty. ERR_USAGE:
 * no such schema in the snapshot.
 */
int status_schema_text(const struct status *status, const char *schema, struct buf *out,
		       struct err *err) MUST_CHECK;
int status_schema_json(const struct status *status, const char *schema, struct buf *out,
		       struct err *err) MUST_CHECK;

#endif
