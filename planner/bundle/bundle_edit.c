/*
 * Changing a bundle: all of its rows go into a new file beside it, the caller changes those, and
 * commit puts the file in place. The received bytes themselves are never carried over, so nothing
 * hides in free pages or slack.
 */
#include "bundle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replace.h"

struct bundle_edit {
	struct db *db;
	char *path, *temporary;
	bool replaces, overwrite;
	struct bundle_origin was; /* the file to be replaced */
};

/* The file is nobody's until it is renamed: a crash throws it away, and commit syncs it once. */
static const char edit_pragmas[] =
	"PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_spill = ON";

static int edit_start(
	struct bundle_edit *edit, const char *path, struct bundle *from, struct err *err)
{
	if (!(edit->path = strdup(path)))
		return err_nomem(err);
	if (from && strcmp(path, bundle_path(from)) == 0) {
		edit->replaces = true;
		edit->was = *bundle_origin(from);
	}
	if (replace_begin(path, &edit->temporary, err) ||
		bundle_create_in(edit->temporary, &edit->db, err) || db_exec(edit->db, edit_pragmas, err) ||
		db_begin(edit->db, err))
		return -1;
	return from ? bundle_copy_rows(bundle_db(from), edit->db, err) : 0;
}

int bundle_edit(const char *path, struct bundle *from, bool overwrite, struct bundle_edit **out,
	struct err *err)
{
	struct bundle_edit *edit = calloc(1, sizeof *edit);
	if (!edit)
		return err_nomem(err);
	edit->overwrite = overwrite;
	if ((!from || strcmp(path, bundle_path(from)) != 0) && !overwrite && access(path, F_OK) == 0) {
		err_set(err, ERR_IO, "%s exists already", path);
		err_hint(err, "Give another name, or allow it to be replaced.");
	}
	if (err->code != ERR_NONE || edit_start(edit, path, from, err)) {
		bundle_edit_abort(edit);
		return -1;
	}
	*out = edit;
	return 0;
}

struct db *bundle_edit_db(struct bundle_edit *edit)
{
	return edit->db;
}

/* Rows that were taken out leave free pages behind; a bundle has none. */
static int edit_compact(struct db *db, struct err *err)
{
	int64_t free_pages = 0;
	if (db_value_int64(db, "PRAGMA freelist_count", &free_pages, err))
		return -1;
	return free_pages ? db_exec(db, "VACUUM", err) : 0;
}

static int edit_place(struct bundle_edit *edit, struct err *err)
{
	bool same = false;
	if (!edit->replaces)
		return replace_new(edit->temporary, edit->path, edit->overwrite, err);
	if (replace_same(edit->temporary, edit->path, &edit->was, &same, err))
		return -1;
	if (same)
		return 0;
	err_set(err, ERR_UNFIT, "%s was changed or replaced by something else meanwhile", edit->path);
	return err_hint(err, "Nothing was written. Run the command again.");
}

int bundle_edit_commit(struct bundle_edit *edit, struct err *err)
{
	int rc = -1;
	if (db_commit(edit->db, err) || edit_compact(edit->db, err))
		goto out;
	bundle_close_db(edit->db);
	edit->db = NULL;
	rc = edit_place(edit, err);
out:
	bundle_edit_abort(edit);
	return rc;
}

void bundle_edit_abort(struct bundle_edit *edit)
{
	if (!edit)
		return;
	bundle_close_db(edit->db);
	if (edit->temporary)
		unlink(edit->temporary); /* gone already when it was put in place */
	free(edit->temporary);
	free(edit->path);
	free(edit);
}
