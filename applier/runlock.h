/*
 * The run lock: one run per database, and none while an earlier one's sessions are still at work
 * (PROTOCOL.md).
 */
#ifndef PGDOCKET_RUNLOCK_H
#define PGDOCKET_RUNLOCK_H

#include "session.h"

/*
 * Polled, never blocking. The lock lives as long as the session. stop: asked between looks; true
 * gives up. ERR_UNFIT naming the holder, or the sessions left behind; ERR_INTERRUPTED.
 */
int runlock_take(
	struct session *session, int64_t wait_ms, bool (*stop)(void), struct err *err) MUST_CHECK;

#endif
