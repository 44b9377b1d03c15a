/*
 * The applier's own copy of a bundle, where results go while a run goes on (PROTOCOL.md, last
 * section): STATE/LABEL/PLAN/work.docket, beside it a flocked file that keeps a second applier of
 * this host out.
 */
#ifndef PGDOCKET_WORKCOPY_H
#define PGDOCKET_WORKCOPY_H

#include "verify.h"

#define WORKCOPY_STATE "/var/lib/pgdocket"

struct workcopy;

struct workcopy_source {
	const char *state; /* NULL: WORKCOPY_STATE */
	const struct verified *verified;
	const struct trust *trust;
	const char *operator_name;
	int64_t now_us;
};

/*
 * Make it from the verified rows, or open the one that exists, unite its signatures and runs with
 * the bundle's, and judge them anew. ERR_UNFIT: another applier works with it. ERR_REFUSED as
 * trust_judge and the chains report. ERR_IO: also when the disk has no room for the results.
 */
int workcopy_open(
	const struct workcopy_source *source, struct workcopy **out, struct err *err) MUST_CHECK;
void workcopy_close(struct workcopy *workcopy); /* NULL is fine */
struct db *workcopy_db(struct workcopy *workcopy);
const char *workcopy_path(const struct workcopy *workcopy);
/*
 * The plan of a bundle: the digest of its statement's bytes and, unless NULL, what they say.
 * ERR_FORMAT: it holds none.
 */
int workcopy_plan(struct db *db, struct digest *plan, struct plan_statement *statement,
	struct err *err) MUST_CHECK;
/* The path it would have; malloc'ed. ERR_REFUSED: a label that is no directory name. */
char *workcopy_locate(
	const char *state, const char *label, const struct digest *plan, struct err *err);

#endif
