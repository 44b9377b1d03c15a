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

struct names {
	char **name;
	size_t count;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct names *names, const char *name, struct err *err)
{
	if ((names->count & (names->count + 1)) == 0) {
		char **grown = realloc(names->name, (2 * names->count + 2) * sizeof *grown);
		if (!grown)
			return err_nomem(err);
		names->name = grown;
	}
	if (!(names->name[names->count] = strdup(name)))
		return err_nomem(err);
	names->count++;
	return 0;
}

static int known_names(struct db *bundle, int target, struct names *out, struct err *err)
{
	struct db_query *query = NULL;
	bool row = false;
	int rc = -1;
	if (db_prepare(bundle, sql_work_read_schema, &query, err))
		return -1;
	db_bind_int64(query, 1, target);
	for (;;) {
		const char *name = NULL;
		size_t len;
		if (db_step(query, &row, err))
			goto out;
		if (!row)
			break;
		if (db_get_text(query, 0, &name, &len, err) || add(out, name, err))
			goto out;
	}
	qsort(out->name, out->count, sizeof *out->name, compare);
	rc = 0;
out:
	db_finish(query);
	return rc;
}

static int listed(
	struct session *session, const struct document *document, struct rows **out, struct err *err)
{
	const char *query = document->tenants_query ? document->tenants_query : sql_uncovered_schemas;
	int rc;
	if (session_run(
			session, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY", 0, NULL, ANSWER_MS, err))
		return -1;
	rc = session_rows(session, query, 0, NULL, ANSWER_MS, out, err);
	if (rc)
		err_context(err, "the tenants query");
	struct err ignored = ERR_INIT;
	if (session_run(session, "ROLLBACK", 0, NULL, ANSWER_MS, rc ? &ignored : err))
		rc = -1;
	return rc;
}

static int collect(const struct rows *rows, const struct document *document,
	const struct names *known, struct uncovered *out, struct err *err)
{
	struct buf names = BUF_INIT(8192);
	int rc = 0;
	for (int i = 0; i < rows_count(rows); i++) {
		const char *name = rows_text(rows, i, 0);
		if (!name || (document->tenants_pattern && !text_glob(document->tenants_pattern, name)) ||
			(known->count &&
				bsearch(&name, known->name, known->count, sizeof *known->name, compare)))
			continue;
		if (out->count++ < UNCOVERED_SHOWN) {
			buf_add_text(&names, names.len ? ", " : "");
			text_safe(&names, name, strlen(name));
		}
	}
	if (out->count > UNCOVERED_SHOWN)
		buf_add_text(&names, " ...");
	rc = buf_check(&names, err);
	if (!rc && out->count)
		out->names = buf_detach(&names, NULL);
	buf_release(&names);
	return rc;
}

int uncovered_find(struct session *session, const struct document *document, struct db *bundle,
	struct uncovered *out, struct err *err)
{
	struct names known = { NULL, 0 };
	struct rows *rows = NULL;
	int rc = -1;
	memset(out, 0, sizeof *out);
	if (!document->tenants_query && !document->tenants_pattern)
		return 0;
	if (known_names(bundle, document->target_number, &known, err) ||
		listed(session, document, &rows, err))
		goto out;
	rc = collect(rows, document, &known, out, err);
out:
	rows_free(rows);
	names_release(&known);
	return rc;
}

void uncovered_release(struct uncovered *uncovered)
{
	free(uncovered->names);
	memset(uncovered, 0, sizeof *uncovered);
}
