/* Rows of one bundle into another, as they stand: all of them into a new file, or what another copy
 * of the same plan has gained. What the rows say is judged by those who read them afterwards. */
#include "bundle.h"
#include "db_sqlite.h"
#include "sql.h"

static const struct {
	const char *read, *write;
	const char *keep; /* where rows stand already; NULL: the same in all copies of a plan */
} tables[] = {
	{ "SELECT * FROM object ORDER BY digest", "INSERT INTO object VALUES (?1, ?2, ?3, ?4)", NULL },
	{ "SELECT * FROM target ORDER BY target",
		"INSERT INTO target VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", NULL },
	{ "SELECT * FROM class ORDER BY target, class",
		"INSERT INTO class VALUES (?1, ?2, ?3, ?4, ?5, ?6)", NULL },
	{ "SELECT * FROM schema ORDER BY target, name",
		"INSERT INTO schema VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", NULL },
	{ "SELECT * FROM migration ORDER BY position",
		"INSERT INTO migration VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", NULL },
	{ "SELECT * FROM plan ORDER BY plan", "INSERT INTO plan VALUES (?1, ?2, ?3)", NULL },
	{ "SELECT * FROM signature ORDER BY statement, key",
		"INSERT INTO signature VALUES (?1, ?2, ?3, ?4, ?5)",
		"INSERT OR IGNORE INTO signature VALUES (?1, ?2, ?3, ?4, ?5)" },
	{ "SELECT * FROM run ORDER BY run", "INSERT INTO run VALUES (?1, ?2, ?3)",
		"INSERT OR IGNORE INTO run VALUES (?1, ?2, ?3)" },
	{ "SELECT * FROM receipt ORDER BY run, seq", "INSERT INTO receipt VALUES (?1, ?2, ?3, ?4)",
		sql_keep_receipt },
};

static int write_row(struct db_query *read, struct db_query *write, struct err *err)
{
	sqlite3_stmt *from = db_statement(read), *to = db_statement(write);
	bool answer = false;
	for (int i = 0; i < sqlite3_column_count(from); i++)
		if (sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i)))
			return err_nomem(err);
	int rc = db_step(write, &answer, err);
	if (!rc && answer && sqlite3_column_int(to, 0)) {
		rc = err_refuse(
			err, "audit", "a run has other records here than in the bundle: two histories");
		err_hint(err, "one was altered, or a host's state was restored; keep both, ask the ledger");
	}
	db_reset(write);
	return rc;
}

static int copy_table(
	struct db *from, const char *select, struct db *to, const char *insert, struct err *err)
{
	struct db_query *read = NULL, *write = NULL;
	bool row = false;
	int rc = db_prepare(from, select, &read, err) || db_prepare(to, insert, &write, err) ||
		db_step(read, &row, err);
	while (!rc && row)
		rc = write_row(read, write, err) || db_step(read, &row, err);
	db_finish(read);
	db_finish(write);
	return rc;
}

static int copy_tables(struct db *from, struct db *to, bool fresh, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < sizeof tables / sizeof *tables && !rc; i++) {
		const char *insert = fresh ? tables[i].write : tables[i].keep;
		if (insert)
			rc = copy_table(from, tables[i].read, to, insert, err);
	}
	return rc ? -1 : 0;
}

int bundle_copy_rows(struct db *from, struct db *to, struct err *err)
{
	return copy_tables(from, to, true, err);
}

int bundle_unite(struct db *from, struct db *to, struct err *err)
{
	return copy_tables(from, to, false, err);
}
