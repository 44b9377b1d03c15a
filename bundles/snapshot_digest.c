/*
 * The digest of the snapshot, which the plan document names: SHA-256 over the lines that
 * snapshot_rows.sql makes of the rows. It says nothing about whether the rows make sense; their
 * readers check that.
 */
#include "bundle.h"
#include "sql.h"

int bundle_snapshot_digest(struct db *db, struct digest *out, struct err *err)
{
	struct db_query *query = NULL;
	struct digest_stream *stream = digest_start();
	bool row = true;
	int rc = -1;
	if (!stream)
		return err_nomem(err);
	if (db_prepare(db, sql_snapshot_rows, &query, err))
		goto out;
	while (db_step(query, &row, err) == 0 && row) {
		const char *line = NULL;
		size_t len = 0;
		if (db_get_text(query, 0, &line, &len, err))
			goto out;
		digest_add(stream, line, len);
		digest_add(stream, "\n", 1);
	}
	rc = row ? -1 : 0;
out:
	digest_finish(stream, out);
	db_finish(query);
	return rc;
}
