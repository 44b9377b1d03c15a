/*
 * Fingerprints and state digests of all schemas: batches in short transactions that import the one
 * snapshot, over several connections at once. Locks end with each batch. A batch that stumbles
 * over a concurrent change only marks its schemas; they are read again elsewhere.
 */
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "quote.h"
#include "snapshot_private.h"
#include "sql.h"

#define LANES_MAX 64
#define SQL_MAX_BYTES (1u << 20)
#define PREPARED "shapes"

/* What a batch queues, in order; each gives one event. */
enum step {
	STEP_BEGIN,
	STEP_IMPORT,
	STEP_PIN,
	STEP_PREPARE,
	STEP_STATES,
	STEP_SHAPES,
	STEP_TRUNCATED,
	STEP_COMMIT,
	STEP_ROLLBACK
};

struct lane {
	struct session *session;
	struct snapshot_unit *unit[SNAPSHOT_BATCH]; /* of its batch */
	int count;
	enum step queued[8];
	int steps, next; /* queued and not yet answered */
	bool busy, failed, prepared;
	int64_t asked_us;
};

struct batches {
	struct snapshot *snapshot;
	struct lane lane[LANES_MAX];
	int lanes;
	size_t next; /* unit that no batch has taken yet */
	int64_t done;
	struct digest none; /* of "none\n" */
};

/* Errors that a change under our reading makes; everything else is an error of its own. */
static bool is_concurrent(const struct err *err)
{
	static const char *const states[] = { "XX000", "42P01", "42703", "42704", "42883", "3F000",
		"55P03", "40P01" };

	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(err->sqlstate, states[i]) == 0)
			return true;
	return false;
}

static int queue(struct lane *lane, enum step step, const char *sql, int params,
	const char *const *param, struct err *err)
{
	lane->queued[lane->steps++] = step;
	return session_queue(
		lane->session, step == STEP_SHAPES ? PREPARED : NULL, sql, params, param, err);
}

static int queue_states(struct lane *lane, struct err *err)
{
	struct buf sql = BUF_INIT(SQL_MAX_BYTES);
	int rc = 0;

	for (int i = 0; rc == 0 && i < lane->count; i++) {
		if (!lane->unit[i]->adapter)
			continue;
		buf_add_format(&sql, "%sSELECT %d, (", sql.len ? " UNION ALL " : "", i);
		rc = snapshot_history_sql(
			lane->unit[i]->adapter->digest_sql, lane->unit[i]->name, &sql, err);
		buf_add_char(&sql, ')');
	}
	if (rc == 0 && sql.len && !(rc = buf_check(&sql, err)))
		rc = queue(lane, STEP_STATES, buf_text(&sql), 0, NULL, err);
	buf_release(&sql);
	return rc;
}

/* {1,2,3} of the batch's schemas, or of their history tables. */
static void add_oids(const struct lane *lane, bool histories, struct buf *out)
{
	bool any = false;

	buf_add_char(out, '{');
	for (int i = 0; i < lane->count; i++) {
		if (histories && !lane->unit[i]->adapter)
			continue;
		buf_add_format(out, "%s%lld", any ? "," : "",
			(long long)(histories ? lane->unit[i]->history_oid : lane->unit[i]->oid));
		any = true;
	}
	buf_add_char(out, '}');
}

static int queue_catalog(struct batches *batches, struct lane *lane, struct err *err)
{
	struct buf schemas = BUF_INIT(SQL_MAX_BYTES), histories = BUF_INIT(SQL_MAX_BYTES);
	const char *params[2];
	int rc = -1;

	add_oids(lane, false, &schemas);
	add_oids(lane, true, &histories);
	params[0] = buf_text(&schemas);
	params[1] = batches->snapshot->history_names;
	if (buf_check(&schemas, err) || buf_check(&histories, err) ||
		queue(lane, STEP_SHAPES, NULL, 2, params, err))
		goto out;
	params[0] = buf_text(&histories);
	rc = queue(lane, STEP_TRUNCATED, sql_snapshot_truncated, 1, params, err);
out:
	buf_release(&schemas);
	buf_release(&histories);
	return rc;
}

static int queue_batch(struct batches *batches, struct lane *lane, struct err *err)
{
	const char *timeout = snapshot_timeout();
	struct buf import = BUF_INIT(200);
	int rc = -1;

	buf_add_text(&import, "SET TRANSACTION SNAPSHOT ");
	if (quote_literal(&import, batches->snapshot->snapshot_id, err) || buf_check(&import, err) ||
		queue(lane, STEP_BEGIN, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, err) ||
		queue(lane, STEP_IMPORT, buf_text(&import), 0, NULL, err) ||
		queue(lane, STEP_PIN, sql_snapshot_begin, 1, &timeout, err))
		goto out;
	if (!lane->prepared) {
		lane->queued[lane->steps++] = STEP_PREPARE;
		if (session_queue_prepare(lane->session, PREPARED,
				shape_guard_query(session_server_version(lane->session)), err))
			goto out;
	}
	if (queue_states(lane, err) || queue_catalog(batches, lane, err) ||
		queue(lane, STEP_COMMIT, "COMMIT", 0, NULL, err))
		goto out;
	rc = session_queue_sync(lane->session, err);
out:
	buf_release(&import);
	return rc;
}

/* Take the next schemas that are there and ask for them. None left: the lane stays idle. */
static int start_batch(struct batches *batches, struct lane *lane, struct err *err)
{
	struct snapshot *snapshot = batches->snapshot;

	lane->count = lane->steps = lane->next = 0;
	lane->failed = false;
	while (batches->next < snapshot->units && lane->count < SNAPSHOT_BATCH) {
		struct snapshot_unit *unit = &snapshot->unit[batches->next++];
		if (!unit->oid)
			continue;
		unit->state = batches->none;
		lane->unit[lane->count++] = unit;
	}
	lane->busy = lane->count > 0;
	lane->asked_us = clock_monotonic_us();
	return lane->busy ? queue_batch(batches, lane, err) : 0;
}

static struct snapshot_unit *unit_of(struct lane *lane, int64_t oid)
{
	for (int i = 0; i < lane->count; i++)
		if (lane->unit[i]->oid == oid)
			return lane->unit[i];
	return NULL;
}

static int wrong_answer(struct err *err, const char *what)
{
	return err_set(
		err, ERR_BUG, "the server's answer to the snapshot's query for %s cannot be read", what);
}

static int take_states(struct lane *lane, const struct rows *rows, struct err *err)
{
	for (int i = 0; i < rows_count(rows); i++) {
		int64_t n = rows_int64(rows, i, 0);
		const char *hex = rows_text(rows, i, 1);
		if (n < 0 || n >= lane->count || !hex ||
			!digest_parse(hex, strlen(hex), &lane->unit[n]->state))
			return wrong_answer(err, "states");
	}
	return 0;
}

static int take_shapes(struct lane *lane, const struct rows *rows, struct err *err)
{
	if (rows_count(rows) != lane->count)
		return wrong_answer(err, "shapes");
	for (int i = 0; i < rows_count(rows); i++) {
		struct snapshot_unit *unit = unit_of(lane, rows_int64(rows, i, 0));
		const char *hex = rows_text(rows, i, 1);
		if (!unit || !hex || !digest_parse(hex, strlen(hex), &unit->shape))
			return wrong_answer(err, "shapes");
	}
	return 0;
}

static int take_result(struct lane *lane, enum step step, const struct rows *rows, struct err *err)
{
	struct snapshot_unit *unit;

	switch (step) {
	case STEP_STATES: return take_states(lane, rows, err);
	case STEP_SHAPES: return take_shapes(lane, rows, err);
	case STEP_PREPARE: lane->prepared = true; return 0;
	case STEP_TRUNCATED:
		for (int i = 0; i < rows_count(rows); i++)
			if ((unit = unit_of(lane, rows_int64(rows, i, 0))))
				unit->again = true;
		return 0;
	case STEP_BEGIN:
	case STEP_IMPORT:
	case STEP_PIN:
	case STEP_COMMIT:
	case STEP_ROLLBACK:
	default: return 0;
	}
}

/* The pipeline's end: clean up behind an error, or count and go on. */
static int finish_batch(struct batches *batches, struct lane *lane, struct err *err)
{
	if (lane->failed) {
		lane->failed = false;
		for (int i = 0; i < lane->count; i++)
			lane->unit[i]->again = true;
		lane->steps = lane->next = 0;
		return queue(lane, STEP_ROLLBACK, "ROLLBACK", 0, NULL, err) ||
					   session_queue_sync(lane->session, err)
				   ? -1
				   : 0;
	}
	batches->done += lane->count;
	progress_update(&batches->snapshot->progress, batches->done, lane->unit[lane->count - 1]->name);
	return start_batch(batches, lane, err);
}

/* Everything that has arrived for a lane. */
static int drain(struct batches *batches, struct lane *lane, struct err *err)
{
	while (lane->busy) {
		struct err event_err = ERR_INIT;
		struct rows *rows = NULL;
		enum session_event event = session_next(lane->session, &rows, &event_err);
		int rc = 0;
		if (event == SESSION_WAIT)
			return 0;
		lane->asked_us = clock_monotonic_us();
		if (event == SESSION_SYNCED) {
			rc = finish_batch(batches, lane, err);
		} else if (event == SESSION_RESULT && lane->next < lane->steps) {
			rc = take_result(lane, lane->queued[lane->next++], rows, err);
		} else if (event == SESSION_SKIPPED) {
			lane->next++;
		} else if (event == SESSION_FAILED && is_concurrent(&event_err)) {
			lane->next++;
			lane->failed = true;
		} else {
			*err = event_err;
			rc = err->code == ERR_NONE ? wrong_answer(err, "a batch") : -1;
		}
		rows_free(rows);
		if (rc)
			return -1;
	}
	return 0;
}

static int run(struct batches *batches, struct err *err)
{
	struct session *waiting[LANES_MAX];

	for (;;) {
		int busy = 0;
		for (int i = 0; i < batches->lanes; i++) {
			struct lane *lane = &batches->lane[i];
			waiting[i] = lane->busy ? lane->session : NULL;
			busy += lane->busy;
			if (lane->busy &&
				clock_monotonic_us() - lane->asked_us > SNAPSHOT_TIMEOUT_MS * 1000ll + 5000000)
				return err_set(err, ERR_SERVER, "the server has not answered for %d seconds",
					SNAPSHOT_TIMEOUT_MS / 1000 + 5);
		}
		if (!busy)
			return 0;
		if (session_wait(waiting, batches->lanes, 1000, err))
			return -1;
		for (int i = 0; i < batches->lanes; i++)
			if (drain(batches, &batches->lane[i], err))
				return -1;
	}
}

static int open_lanes(struct batches *batches, struct err *err)
{
	struct snapshot *snapshot = batches->snapshot;
	int wanted = (int)((snapshot->units + SNAPSHOT_BATCH - 1) / SNAPSHOT_BATCH);

	if (wanted > snapshot->options->jobs)
		wanted = snapshot->options->jobs;
	if (wanted > LANES_MAX)
		wanted = LANES_MAX;
	for (; batches->lanes < wanted; batches->lanes++) {
		struct lane *lane = &batches->lane[batches->lanes];
		if (session_open(snapshot->options->session, &lane->session, err))
			return -1;
		if (session_pipeline_enter(lane->session, err) || start_batch(batches, lane, err)) {
			batches->lanes++;
			return -1;
		}
	}
	return 0;
}

int snapshot_read_digests(struct snapshot *snapshot, struct err *err)
{
	struct batches *batches = calloc(1, sizeof *batches);
	int rc;

	if (!batches)
		return err_nomem(err);
	batches->snapshot = snapshot;
	digest_of("none\n", 5, &batches->none);
	rc = open_lanes(batches, err) || run(batches, err) ? -1 : 0;
	for (int i = 0; i < batches->lanes; i++) {
		if (rc)
			session_abandon(batches->lane[i].session);
		else
			session_close(batches->lane[i].session);
	}
	free(batches);
	return rc;
}
