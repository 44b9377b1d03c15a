/*
 * What the target keeps for us: the ledger, and the lock that lets one run at a time. A segment's
 * rows are written by its own transaction (segment_stages.c) and by nothing else; nothing here may
 * change them, or end another's session.
 */
#include "applier.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sql.h"

#define LOOK_EVERY_MS 250

/* --- the ledger --- */

static int read_row(const struct rows *rows, int i, struct ledger_row *row, struct err *err)
{
	struct digest head;
	row->oid = rows_int64(rows, i, 0);
	row->schema = rows_text(rows, i, 1);
	row->segment = (int)rows_int64(rows, i, 2);
	row->run = rows_text(rows, i, 3);
	row->xid = rows_int64(rows, i, 4);
	row->has_shape = ask_digest(rows, i, 6, &row->shape);
	row->finished_us = rows_int64(rows, i, 8);
	if (ask_digest(rows, i, 5, &row->state) && ask_digest(rows, i, 7, &head))
		return 0;
	return err_refuse_hint(err, "ledger",
		"someone other than pgdocket-apply wrote to pgdocket.finished",
		"a row of the ledger is damaged: schema %s, segment %d", row->schema, row->segment);
}

int ledger_read(
	struct session *session, const struct digest *plan, struct ledger *out, struct err *err)
{
	if (ask_rows(session, sql_ledger_plan, &out->plan, err, "d", plan) ||
		ask_rows(session, sql_ledger_rows, &out->rows, err, "d", plan) ||
		ask_rows(session, sql_ledger_intents, &out->intents, err, "d", plan))
		return -1;
	out->begun = rows_count(out->plan) == 1;
	if (out->begun) {
		out->first_run = rows_text(out->plan, 0, 0);
		out->done_us = rows_int64(out->plan, 0, 1);
	}
	out->count = (size_t)rows_count(out->rows);
	if (!(out->row = calloc(out->count + 1, sizeof *out->row)))
		return err_nomem(err);
	for (size_t i = 0; i < out->count; i++)
		if (read_row(out->rows, (int)i, &out->row[i], err))
			return -1;
	return 0;
}

void ledger_release(struct ledger *ledger)
{
	rows_free(ledger->plan);
	rows_free(ledger->rows);
	rows_free(ledger->intents);
	free(ledger->row);
}

int ledger_ask(const struct run *run, const struct task *task, int64_t xid, enum ledger_fate *fate,
	struct ledger_row *row, struct err *err)
{
	struct rows *rows = NULL;
	if (ask_rows(run->control, sql_ledger_row, &rows, err, "dtixi", &run->verified.trust.plan,
			task->schema->name, task_segment(task)->number, xid, task->asked_pid))
		return -1;
	*row = (struct ledger_row){ .schema = task->schema->name,
		.segment = task_segment(task)->number,
		.state = task_segment(task)->state_after,
		.oid = rows_int64(rows, 0, 1),
		.run = rows_text(rows, 0, 2),
		.xid = rows_int64(rows, 0, 3),
		.finished_us = rows_int64(rows, 0, 5),
		.own = rows };
	row->has_shape = ask_digest(rows, 0, 4, &row->shape);
	const char *status = rows_text(rows, 0, 6);
	/* Committed and no row: the commit came between the look for the row and this one. */
	*fate = rows_bool(rows, 0, 0) ? LEDGER_DONE
		: rows_bool(rows, 0, 7) || (status && strcmp(status, "aborted") != 0)
		? LEDGER_IN_PROGRESS
		: LEDGER_NOT_DONE;
	return 0;
}

/* --- the run lock --- */

static int name_holder(struct session *session, struct err *err)
{
	struct rows *rows = NULL;
	if (ask_rows(session, sql_runlock_holder, &rows, err, ""))
		return -1;
	if (rows_count(rows) >= 1) {
		const char *application = rows_text(rows, 0, 1);
		err_set(err, ERR_UNFIT,
			"another run holds this database's run lock: process %s, %s, connected for %s s",
			rows_text(rows, 0, 0), application && *application ? application : "without a name",
			rows_text(rows, 0, 2));
	} else {
		err_set(err, ERR_UNFIT, "another run held this database's run lock until just now");
	}
	rows_free(rows);
	return err_hint(err, "wait until it has ended, and run again; --lock-wait waits longer");
}

static int name_orphans(const struct rows *rows, struct err *err)
{
	const char *state = rows_text(rows, 0, 2);
	bool one = rows_count(rows) == 1;
	return err_set_hint(err, ERR_UNFIT,
		"the server ends them by itself; run again, or wait longer with --lock-wait",
		"%d session%s of an earlier run %s still at work: process %s, %s, %s", rows_count(rows),
		one ? "" : "s", one ? "is" : "are", rows_text(rows, 0, 0), rows_text(rows, 0, 1),
		state ? state : "in a state that this role may not see");
}

static int try_lock(struct session *session, bool *held, struct err *err)
{
	struct rows *rows = NULL;
	if (ask_rows(session, sql_runlock_try, &rows, err, ""))
		return -1;
	*held = rows_bool(rows, 0, 0);
	rows_free(rows);
	return 0;
}

int ledger_lock(struct session *session, int64_t wait_ms, struct err *err)
{
	int64_t until_us = clock_monotonic_us() + wait_ms * 1000;
	struct rows *orphans = NULL;
	bool held = false;
	while (err->code == ERR_NONE) {
		rows_free(orphans);
		orphans = NULL;
		if ((!held && try_lock(session, &held, err)) ||
			(held && (ask_rows(session, sql_runlock_orphans, &orphans, err, "") ||
						 rows_count(orphans) == 0)))
			break;
		if (waves_interrupted())
			err_set(err, ERR_INTERRUPTED, "interrupted while waiting for the run lock");
		else if (clock_monotonic_us() < until_us)
			poll(NULL, 0, LOOK_EVERY_MS);
		else if (held)
			name_orphans(orphans, err);
		else
			name_holder(session, err);
	}
	rows_free(orphans);
	return err->code == ERR_NONE ? 0 : -1;
}
