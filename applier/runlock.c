/*
 * The advisory lock that a run holds, and the look for sessions that a killed run left behind.
 * Sessions are only ever waited for: nothing here may end another's.
 */
#include "runlock.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sql.h"

#define ANSWER_MS 15000
#define LOOK_EVERY_MS 250

static int try_lock(struct session *session, bool *held, struct err *err)
{
	char *text = NULL;
	if (session_value(session, sql_runlock_try, 0, NULL, ANSWER_MS, &text, err))
		return -1;
	*held = text && text[0] == 't';
	free(text);
	return 0;
}

static int orphans(struct session *session, struct rows **out, struct err *err)
{
	return session_rows(session, sql_runlock_orphans, 0, NULL, ANSWER_MS, out, err);
}

static int holder_named(struct session *session, struct err *err)
{
	struct rows *rows = NULL;
	if (session_rows(session, sql_runlock_holder, 0, NULL, ANSWER_MS, &rows, err))
		return -1;
	if (rows_count(rows) >= 1) {
		const char *application = rows_text(rows, 0, 1);
		err_set(err, ERR_UNFIT,
			"another run holds this database's run lock: process %s, %s, connected for "
			"%s s",
			rows_text(rows, 0, 0), application && *application ? application : "without a name",
			rows_text(rows, 0, 2));
	} else {
		err_set(err, ERR_UNFIT, "another run held this database's run lock until just now");
	}
	rows_free(rows);
	return err_hint(err, "wait until it has ended, and run again; --lock-wait waits longer");
}

static int orphans_named(const struct rows *rows, struct err *err)
{
	const char *state = rows_text(rows, 0, 2);
	err_set(err, ERR_UNFIT, "%d session%s of an earlier run %s still at work: process %s, %s, %s",
		rows_count(rows), rows_count(rows) == 1 ? "" : "s", rows_count(rows) == 1 ? "is" : "are",
		rows_text(rows, 0, 0), rows_text(rows, 0, 1),
		state ? state : "in a state that this role may not see");
	return err_hint(
		err, "the server ends them by itself; run again, or wait longer with --lock-wait");
}

int runlock_take(struct session *session, int64_t wait_ms, bool (*stop)(void), struct err *err)
{
	int64_t until_us = clock_monotonic_us() + wait_ms * 1000;
	struct rows *left = NULL;
	bool held = false;
	int rc = -1;
	for (;;) {
		if (!held && try_lock(session, &held, err))
			goto out;
		rows_free(left);
		left = NULL;
		if (held && orphans(session, &left, err))
			goto out;
		if (held && rows_count(left) == 0)
			break;
		if (stop()) {
			err_set(err, ERR_INTERRUPTED, "interrupted while waiting for the run lock");
			goto out;
		}
		if (clock_monotonic_us() >= until_us) {
			rc = held ? orphans_named(left, err) : holder_named(session, err);
			goto out;
		}
		poll(NULL, 0, LOOK_EVERY_MS);
	}
	rc = 0;
out:
	rows_free(left);
	return rc;
}
