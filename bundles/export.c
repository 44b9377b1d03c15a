/* Writing a run's results back: VACUUM INTO a new file beside the bundle, so that nothing deleted
 * leaves with it, then checked and renamed like every other change. When the bundle is no longer
 * what was read, the results go to a file of their own. */
#include "bundle.h"
#include <stdlib.h>
#include <unistd.h>
#include "db_sqlite.h"
#include "plan_statement.h"
#include "record.h"
#include "replace.h"

/* On a connection of its own: VACUUM INTO attaches its target, and nothing else may ever attach. */
static int export_vacuum(const char *work_path, const char *temporary, struct err *err)
{
	char *from = db_uri(work_path, "?mode=rw", err);
	char *into = from ? db_uri(temporary, "", err) : NULL;
	struct db *db = NULL;
	struct db_query *query = NULL;
	int rc = -1;
	if (!into || db_open(from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, temporary, &db, err))
		goto out;
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 1);
	sqlite3_busy_timeout(db->handle, 10000);
	sqlite3_progress_handler(db->handle, 0, NULL, NULL); /* one long step, on a file of our own */
	if (db_prepare(db, "VACUUM INTO ?1", &query, err))
		goto out;
	db_bind_text(query, 1, into);
	rc = db_run(query, err);
	if (err->code == ERR_BUG) /* SQLite's answer also where the new file's size cannot be had */
		err->code = ERR_IO;
out:
	db_finish(query);
	db_close(db);
	free(from);
	free(into);
	return rc;
}

/* What goes out must be what a reader will accept: the records of all runs, as far as they go. */
static int export_check(const char *temporary, struct err *err)
{
	struct bundle *bundle = NULL;
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	struct plan_statement statement;
	struct digest plan;
	bool found = false;
	int rc = -1;
	if (bundle_open(temporary, &bundle, err) ||
		plan_statement_load(bundle_db(bundle), &bytes, &statement, &plan, &found, err))
		goto out;
	rc = found ? record_verify_chains(bundle_db(bundle), &plan, NULL, err) : 0;
out:
	bundle_close(bundle);
	buf_release(&bytes);
	return rc ? err_context(err, "the results do not verify and were not written") : 0;
}

static int export_to(const char *work_path, const char *path, const struct bundle_origin *was,
	bool overwrite, bool *same, struct err *err)
{
	char *temporary = NULL;
	int rc = -1;
	if (replace_begin(path, &temporary, err) || export_vacuum(work_path, temporary, err) ||
		export_check(temporary, err))
		goto out;
	rc = was ? replace_same(temporary, path, was, same, err)
			 : replace_new(temporary, path, overwrite, err);
out:
	if (temporary)
		unlink(temporary);
	free(temporary);
	return rc;
}

int bundle_export(const char *work_path, const char *path, const struct bundle *expected,
	const char *alternative, bool *diverted, struct err *err)
{
	bool same = true;
	*diverted = false;
	if (export_to(work_path, path, expected ? bundle_origin(expected) : NULL, false, &same, err))
		return -1;
	if (same)
		return 0;
	if (!alternative)
		return err_set(
			err, ERR_UNFIT, "%s was changed or replaced by something else meanwhile", path);
	*diverted = true;
	return export_to(work_path, alternative, NULL, true, &same, err);
}
