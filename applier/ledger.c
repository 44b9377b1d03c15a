/*
 * Reading the ledger, and the two rows about a plan as a whole. A segment's rows are written by its
 * own transaction (segment_stages.c) and by nothing else; nothing here may change them.
 */
#include "ledger.h"

#include <string.h>

#include "params.h"
#include "sql.h"

#define ANSWER_MS 60000
#define LEDGER_MAX (256u << 20)

int ledger_require(struct session *session, struct err *err)
{
	struct rows *rows = NULL;
	int rc = -1;
	if (session_rows(session, sql_ledger_access, 0, NULL, ANSWER_MS, &rows, err))
		return -1;
	if (!rows_bool(rows, 0, 0) || (!rows_text(rows, 0, 2) && !rows_bool(rows, 0, 1))) {
		err_set(err, ERR_UNFIT, "the database has no ledger: schema pgdocket is missing%s",
			rows_bool(rows, 0, 0) ? " tables" : "");
		err_hint(err, "as a role that may create schemas: pgdocket-apply bootstrap -d ... "
					  "--role THE_APPLIERS_ROLE; "
					  "--print shows the SQL");
		goto out;
	}
	if (rows_text(rows, 0, 2)) {
		err_set(err, ERR_UNFIT, "privileges on the ledger are missing: %s", rows_text(rows, 0, 2));
		err_hint(err, "pgdocket-apply bootstrap -d ... --role THE_APPLIERS_ROLE grants "
					  "them; --print shows the SQL");
		goto out;
	}
	rc = 0;
out:
	rows_free(rows);
	return rc;
}

static int read_plan(struct session *session, const char *plan, struct ledger *out, struct err *err)
{
	const char *const param[] = { plan };
	struct rows *rows = NULL;
	int rc = 0;
	if (session_rows(session, sql_ledger_plan, 1, param, ANSWER_MS, &rows, err))
		return -1;
	if (rows_count(rows) == 1) {
		out->begun = true;
		out->done = strcmp(rows_text(rows, 0, 0), "done") == 0;
		out->started_us = rows_int64(rows, 0, 2);
		out->done_us = rows_int64(rows, 0, 3);
		out->first_run = arena_text(out->arena, rows_text(rows, 0, 1), err);
		rc = out->first_run ? 0 : -1;
	}
	rows_free(rows);
	return rc;
}

static bool digest_at(const struct rows *rows, int row, int column, struct digest *out)
{
	const char *hex = rows_text(rows, row, column);
	return hex && digest_parse(hex, strlen(hex), out);
}

static int read_row(
	const struct rows *rows, int i, struct arena *arena, struct ledger_row *row, struct err *err)
{
	row->oid = rows_int64(rows, i, 0);
	row->schema = arena_text(arena, rows_text(rows, i, 1), err);
	row->segment = (int)rows_int64(rows, i, 2);
	row->run = arena_text(arena, rows_text(rows, i, 3), err);
	row->xid = rows_int64(rows, i, 4);
	row->has_shape = digest_at(rows, i, 6, &row->shape);
	row->finished_us = rows_int64(rows, i, 8);
	if (!row->schema || !row->run)
		return -1;
	if (!digest_at(rows, i, 5, &row->state) || !digest_at(rows, i, 7, &row->head)) {
		err_refuse(err, "ledger", "a row of the ledger is damaged: schema %s, segment %d",
			row->schema, row->segment);
		return err_hint(err, "someone other than pgdocket-apply wrote to pgdocket.finished");
	}
	return 0;
}

int ledger_read(
	struct session *session, const struct digest *plan, struct ledger *out, struct err *err)
{
	char text[PARAMS_BYTEA_SIZE];
	const char *const param[] = { text };
	struct rows *rows = NULL;
	int rc = -1;
	memset(out, 0, sizeof *out);
	params_bytea(plan, text);
	out->arena = arena_new(LEDGER_MAX);
	if (!out->arena)
		return err_nomem(err);
	if (read_plan(session, text, out, err) ||
		session_rows(session, sql_ledger_rows, 1, param, ANSWER_MS, &rows, err))
		goto out;
	out->count = (size_t)rows_count(rows);
	out->row = arena_array(out->arena, out->count, sizeof *out->row, err);
	if (!out->row)
		goto out;
	for (size_t i = 0; i < out->count; i++)
		if (read_row(rows, (int)i, out->arena, &out->row[i], err))
			goto out;
	rc = 0;
out:
	rows_free(rows);
	return rc;
}

void ledger_release(struct ledger *ledger)
{
	arena_free(ledger->arena);
	memset(ledger, 0, sizeof *ledger);
}

int ledger_begin(struct session *session, const struct digest *plan, const char *label,
	const char *run, struct err *err)
{
	char text[PARAMS_BYTEA_SIZE];
	const char *const param[] = { text, label, run };
	params_bytea(plan, text);
	return session_run(session, sql_ledger_begin, 3, param, ANSWER_MS, err);
}

int ledger_finish(struct session *session, const struct digest *plan, struct err *err)
{
	char text[PARAMS_BYTEA_SIZE];
	const char *const param[] = { text };
	params_bytea(plan, text);
	return session_run(session, sql_ledger_done, 1, param, ANSWER_MS, err);
}

int ledger_ask(struct session *session, const struct ledger_question *question,
	enum ledger_fate *fate, struct ledger_row *row, struct err *err)
{
	char plan[PARAMS_BYTEA_SIZE], segment[PARAMS_INT64_SIZE], xid[PARAMS_INT64_SIZE];
	const char *const param[] = { plan, question->schema, segment, question->xid ? xid : NULL };
	struct rows *rows = NULL;
	memset(row, 0, sizeof *row);
	params_bytea(question->plan, plan);
	params_int64(question->segment, segment);
	params_int64(question->xid, xid);
	if (session_rows(session, sql_ledger_row, 4, param, ANSWER_MS, &rows, err))
		return -1;
	const char *status = rows_text(rows, 0, 6);
	if (rows_bool(rows, 0, 0)) {
		*fate = LEDGER_DONE;
		row->oid = rows_int64(rows, 0, 1);
		row->xid = rows_int64(rows, 0, 3);
		row->has_shape = digest_at(rows, 0, 4, &row->shape);
		row->finished_us = rows_int64(rows, 0, 5);
	} else {
		/* Committed and no row: the commit came between the look for the row and this one. */
		*fate = status && strcmp(status, "aborted") != 0 ? LEDGER_IN_PROGRESS : LEDGER_NOT_DONE;
	}
	rows_free(rows);
	return 0;
}
