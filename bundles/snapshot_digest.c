/* The digest of the snapshot, which the plan document names: SHA-256 over the lines that
 * snapshot_rows.sql makes of the rows. It says nothing about whether the rows make sense; their
 * readers check that. */
#include "bundle.h"
#include "sql.h"

static int add_line(struct db_query *query, void *context, struct err *err)
{
	const char *line = NULL;
	size_t len = 0;
	if (db_get_text(query, 0, &line, &len, err))
		return -1;
	digest_add(context, line, len);
	digest_add(context, "\n", 1);
	return 0;
}

int bundle_snapshot_digest(struct db *db, struct digest *out, struct err *err)
{
	struct db_query *query = NULL;
	struct digest_stream *stream = digest_start();
	if (!stream)
		return err_nomem(err);
	int rc = db_prepare(db, sql_snapshot_rows, &query, err) || db_each(query, add_line, stream, err)
		? -1
		: 0;
	digest_finish(stream, out);
	return rc;
}
