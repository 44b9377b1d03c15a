/* The database at the other end: what it is, and whether it is the plan's target (TRUST.md a.8). */
#ifndef PGDOCKET_TARGET_H
#define PGDOCKET_TARGET_H

#include "session.h"
#include "verify.h"

struct target {
	char system_identifier[32], database[128], role[128];
	int64_t oid, timeline, server_now_us, host_now_us;
	int version;
	bool standby, read_only, superuser;
};

int target_read(struct session *session, struct target *out, struct err *err) MUST_CHECK;

/* ERR_UNFIT: a standby, read-only. ERR_REFUSED reason "identity" or "clock". */
int target_check(const struct target *target, const struct document *document,
	const struct trust *trust, struct err *err) MUST_CHECK;

/*
 * Times by both clocks (TRUST.md a.8): ERR_REFUSED reason "expired", "not-yet". begun: the ledger
 * has rows of this plan, so that it may go on within resume-grace.
 */
int target_check_times(const struct target *target, const struct verified *verified,
	const struct trust *trust, bool begun, struct err *err) MUST_CHECK;

#endif
