/*
 * What became of a plan, told from its bundle alone: signatures, document, objects and every
 * chain of records are verified first, then who planned, approved and ran what, when, with which
 * result. Never speaks to a server, changes nothing.
 */
#ifndef PGDOCKET_AUDIT_H
#define PGDOCKET_AUDIT_H

#include <stdbool.h>
#include "buf.h"
#include "trust.h"

struct audit;

/*
 * Approvals and expiry are judged as of the first run's start, since a plan may expire once it
 * has run; without a run as of now_us. A plan that has no run and no quorum (yet, or any more) is
 * no error: audit_complete is false and the reports say why. Errors: ERR_REFUSED reason
 * "signature", "policy", "label" ... as verify reports them
 *                     reason "audit": a chain is broken, a checkpoint's key is not the host's,
 *                     records of another plan, or records that the plan or each other contradict;
 *                     the message names run and seq
 *         ERR_FORMAT  damaged bundle, document or object
 */
int audit_read(const char *path, const struct trust *trust, int64_t now_us, struct audit **out,
	struct err *err) MUST_CHECK;
void audit_free(struct audit *audit); /* NULL is fine */
/* Every schema of the plan is done, and a run that ended says so. */
bool audit_complete(const struct audit *audit);

/*
 * Reports. schema NULL: the whole plan; else what the records say of that one; ERR_USAGE when the
 * plan does not have it.
 */
int audit_report(const struct audit *audit, const char *schema, bool color, struct buf *out,
	struct err *err) MUST_CHECK;
int audit_report_json(
	const struct audit *audit, const char *schema, struct buf *out, struct err *err) MUST_CHECK;

#endif
