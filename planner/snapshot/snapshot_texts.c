/*
 * The text of each distinct shape and state, fetched once and checked against its digest, into the
 * bundle; and schemas that changed while they were read, read again in a new snapshot each.
 * Catalog functions do not follow the imported snapshot, so a text may differ from its fingerprint
 * without anybody's fault.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "object.h"
#include "snapshot_private.h"
#include "sql.h"

#define SQL_MAX_BYTES 65536

/* The two kinds of text. */
struct kind {
	const char *object;
	size_t offset; /* of the digest in a unit */
	int (*fetch)(struct snapshot *snapshot, struct session *session,
		const struct snapshot_unit *unit, char **text, struct err *err);
};

static const struct digest *digest_in(const struct snapshot_unit *unit, const struct kind *kind)
{
	return (const struct digest *)(const void *)((const char *)unit + kind->offset);
}

static int fetch_shape(struct snapshot *snapshot, struct session *session,
	const struct snapshot_unit *unit, char **text, struct err *err)
{
	char oids[32];
	const char *params[2] = { oids, snapshot->history_names };
	struct rows *rows = NULL;

	snprintf(oids, sizeof oids, "{%lld}", (long long)unit->oid);
	if (session_rows(session, shape_query(session_server_version(session)), 2, params,
			SNAPSHOT_TIMEOUT_MS, &rows, err))
		return -1;
	*text =
		rows_count(rows) == 1 && rows_text(rows, 0, 2) ? strdup(rows_text(rows, 0, 2)) : strdup("");
	rows_free(rows);
	return *text ? 0 : err_nomem(err);
}

static int fetch_state(struct snapshot *snapshot, struct session *session,
	const struct snapshot_unit *unit, char **text, struct err *err)
{
	struct buf sql = BUF_INIT(SQL_MAX_BYTES);
	int rc = -1;

	(void)snapshot;
	if (!unit->adapter) {
		*text = strdup("none\n");
		return *text ? 0 : err_nomem(err);
	}
	if (snapshot_history_sql(unit->adapter->text_sql, unit->name, &sql, err) == 0)
		rc = session_value(session, buf_text(&sql), 0, NULL, SNAPSHOT_TIMEOUT_MS, text, err);
	buf_release(&sql);
	if (rc == 0 && !*text)
		rc = err_set(err, ERR_BUG, "the state of %s is NULL", unit->name);
	return rc;
}

static const struct kind kinds[] = {
	{ "shape", offsetof(struct snapshot_unit, shape), fetch_shape },
	{ "state", offsetof(struct snapshot_unit, state), fetch_state },
};

static bool fits(const char *text, const struct digest *wanted)
{
	struct digest digest;

	digest_of(text, strlen(text), &digest);
	return digest_equal(&digest, wanted);
}

static int keep(
	struct snapshot *snapshot, const struct kind *kind, const char *text, struct err *err)
{
	struct digest digest;

	return object_put(snapshot->bundle, kind->object, text, strlen(text), &digest, err);
}

static bool lost_or_fatal(const struct snapshot *snapshot, const struct err *err)
{
	return err->code != ERR_SERVER || !err->sqlstate[0] || session_lost(snapshot->session);
}

/*
 * One text in the first snapshot, in a savepoint; the unit is marked when the server stumbles or
 * the text does not fit.
 */
static int fetch_once(
	struct snapshot *snapshot, const struct kind *kind, struct snapshot_unit *unit, struct err *err)
{
	struct session *session = snapshot->session;
	struct err failed = ERR_INIT;
	char *text = NULL;
	int rc = -1;

	if (session_run(session, "SAVEPOINT text", 0, NULL, SNAPSHOT_TIMEOUT_MS, err))
		return -1;
	if (kind->fetch(snapshot, session, unit, &text, &failed)) {
		if (lost_or_fatal(snapshot, &failed)) {
			*err = failed;
			return -1;
		}
		unit->again = true;
	} else if (!fits(text, digest_in(unit, kind))) {
		unit->again = true;
	} else if (keep(snapshot, kind, text, err)) {
		goto out;
	}
	/* Also when all went well: locks taken inside the savepoint end with it. */
	rc = session_run(session, "ROLLBACK TO SAVEPOINT text", 0, NULL, SNAPSHOT_TIMEOUT_MS, err);
out:
	free(text);
	return rc;
}

/* Units sorted by one digest: which kind is compared. */
static const struct kind *sorting;
static int by_digest(const void *a, const void *b)
{
	const struct snapshot_unit *x = *(struct snapshot_unit *const *)a,
							   *y = *(struct snapshot_unit *const *)b;
	int order = memcmp(digest_in(x, sorting)->bytes, digest_in(y, sorting)->bytes, DIGEST_SIZE);

	return order ? order : (x > y) - (x < y);
}

/* For each distinct digest one unit that still stands by it. */
static int fetch_kind(struct snapshot *snapshot, const struct kind *kind,
	struct snapshot_unit **unit, size_t units, struct err *err)
{
	sorting = kind;
	qsort(unit, units, sizeof *unit, by_digest);
	for (size_t i = 0, next; i < units; i = next) {
		const struct digest *digest = digest_in(unit[i], kind);
		bool kept = false;
		for (next = i; next < units && digest_equal(digest_in(unit[next], kind), digest); next++) {
			if (kept || unit[next]->again)
				continue;
			if (fetch_once(snapshot, kind, unit[next], err))
				return -1;
			kept = !unit[next]->again;
		}
	}
	return 0;
}

/*
 * All of one schema in a snapshot of its own. *settled: its texts fit and its history was not
 * truncated meanwhile.
 */
static int read_whole(
	struct snapshot *snapshot, struct snapshot_unit *unit, bool *settled, struct err *err)
{
	struct session *session = snapshot->session;
	struct rows *rows = NULL;
	char *text[2] = { NULL, NULL }, oids[32];
	const char *param = oids;
	int rc = -1;

	snprintf(oids, sizeof oids, unit->adapter ? "{%lld}" : "{}", (long long)unit->history_oid);
	if (snapshot_begin(session, NULL, err) || fetch_state(snapshot, session, unit, &text[1], err) ||
		fetch_shape(snapshot, session, unit, &text[0], err) ||
		session_rows(session, sql_snapshot_truncated, 1, &param, SNAPSHOT_TIMEOUT_MS, &rows, err))
		goto out;
	*settled = rows_count(rows) == 0;
	digest_of(text[0], strlen(text[0]), &unit->shape);
	digest_of(text[1], strlen(text[1]), &unit->state);
	for (int i = 0; i < 2 && *settled; i++)
		if (keep(snapshot, &kinds[i], text[i], err))
			goto out;
	rc = session_run(session, "COMMIT", 0, NULL, SNAPSHOT_TIMEOUT_MS, err);
out:
	rows_free(rows);
	free(text[0]);
	free(text[1]);
	return rc;
}

static int read_again(struct snapshot *snapshot, struct snapshot_unit *unit, struct err *err)
{
	for (int i = 0; i < SNAPSHOT_READINGS && unit->again; i++) {
		struct err failed = ERR_INIT;
		bool settled = false;
		if (read_whole(snapshot, unit, &settled, &failed) == 0) {
			unit->again = !settled;
			continue;
		}
		if (lost_or_fatal(snapshot, &failed)) {
			*err = failed;
			return -1;
		}
		if (session_run(snapshot->session, "ROLLBACK", 0, NULL, SNAPSHOT_TIMEOUT_MS, err))
			return -1;
	}
	return 0;
}

/* Behind all else, as it gives the exported snapshot up. */
static int read_changed(struct snapshot *snapshot, struct err *err)
{
	struct buf names = BUF_INIT(400);
	size_t changed = 0;
	int rc = session_run(snapshot->session, "ROLLBACK", 0, NULL, SNAPSHOT_TIMEOUT_MS, err);

	for (size_t i = 0; rc == 0 && i < snapshot->units; i++) {
		struct snapshot_unit *unit = &snapshot->unit[i];
		if (!unit->again)
			continue;
		rc = read_again(snapshot, unit, err);
		if (rc == 0 && unit->again && changed++ < 3)
			buf_add_format(&names, "%s%s", names.len ? ", " : "", unit->name);
	}
	if (rc == 0 && changed) {
		err_set(err, ERR_UNFIT, "%zu schema%s changed under %d readings: %s%s", changed,
			changed == 1 ? "" : "s", SNAPSHOT_READINGS, buf_text(&names),
			changed > 3 ? ", ..." : "");
		rc = err_hint(err, "take the snapshot when no migration runs");
	}
	buf_release(&names);
	return rc;
}

static int64_t count_distinct(struct snapshot_unit **unit, size_t units, const struct kind *kind)
{
	int64_t distinct = 0;

	sorting = kind;
	qsort(unit, units, sizeof *unit, by_digest);
	for (size_t i = 0; i < units; i++)
		distinct += i == 0 || !digest_equal(digest_in(unit[i - 1], kind), digest_in(unit[i], kind));
	return distinct;
}

int snapshot_read_texts(
	struct snapshot *snapshot, int64_t *shapes, int64_t *states, struct err *err)
{
	struct snapshot_unit **unit = arena_array(snapshot->arena, snapshot->units, sizeof *unit, err);
	size_t units = 0;

	if (!unit)
		return -1;
	for (size_t i = 0; i < snapshot->units; i++)
		if (snapshot->unit[i].oid)
			unit[units++] = &snapshot->unit[i];
	if (fetch_kind(snapshot, &kinds[1], unit, units, err) ||
		fetch_kind(snapshot, &kinds[0], unit, units, err) || read_changed(snapshot, err))
		return -1;
	*shapes = count_distinct(unit, units, &kinds[0]);
	*states = count_distinct(unit, units, &kinds[1]);
	return 0;
}
