/*
 * The tenants query of the plan, run again where the plan is applied. What it lists and the
 * snapshot does not know is reported; whether that stops the run is the policy's business.
 */
#include "uncovered.h"

#include <stdlib.h>
#include <string.h>

#include "sql.h"
#include "text.h"

#define ANSWER_MS 60000

static int listed(
	struct session *session, const struct document *document, struct rows **out, struct err *err)
{
	const char *query = document->tenants_query ? document->tenants_query : sql_uncovered_schemas;
	struct err ignored = ERR_INIT;
	if (session_run(
			session, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", 0, NULL, ANSWER_MS, err))
		return -1;
	int rc = session_rows(session, query, 0, NULL, ANSWER_MS, out, err);
	if (rc)
		err_context(err, "the tenants query");
	return session_run(session, "ROLLBACK", 0, NULL, ANSWER_MS, rc ? &ignored : err) ? -1 : rc;
}

static int known(struct db_query *query, int target, const char *name, bool *out, struct err *err)
{
	int64_t count = 0;
	bool row = false;
	db_reset(query);
	db_bind_int64(query, 1, target);
	db_bind_text(query, 2, name);
	int rc = db_step(query, &row, err) || db_get_int64(query, 0, &count, err) ? -1 : 0;
	*out = count > 0;
	return rc;
}

int uncovered_find(struct session *session, const struct document *document, struct db *bundle,
	struct uncovered *out, struct err *err)
{
	struct buf names = BUF_INIT(8192);
	struct rows *rows = NULL;
	struct db_query *query = NULL;
	int rc = -1;
	memset(out, 0, sizeof *out);
	if (!document->tenants_query && !document->tenants_pattern)
		return 0;
	if (listed(session, document, &rows, err) ||
		db_prepare(bundle, sql_work_knows_schema, &query, err))
		goto out;
	for (int i = 0; i < rows_count(rows); i++) {
		const char *name = rows_text(rows, i, 0);
		bool is_known = false;
		if (!name || (document->tenants_pattern && !text_glob(document->tenants_pattern, name)))
			continue;
		if (known(query, document->target_number, name, &is_known, err))
			goto out;
		if (is_known || out->count++ >= UNCOVERED_SHOWN)
			continue;
		buf_add_text(&names, names.len ? ", " : "");
		text_safe(&names, name, strlen(name));
	}
	buf_add_text(&names, out->count > UNCOVERED_SHOWN ? " ..." : "");
	if (!(rc = buf_check(&names, err)) && out->count)
		out->names = buf_detach(&names, NULL);
out:
	db_finish(query);
	rows_free(rows);
	buf_release(&names);
	return rc;
}
