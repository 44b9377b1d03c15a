/* Rows: typed and checked columns, parameters, transactions, errors by what the caller can do. */
#include "bundle_fixture.h"

TestSuite(db, .init = scratch_make, .fini = scratch_drop, .timeout = 60);

static struct db *work(void)
{
	struct err err = ERR_INIT;
	struct db *db = NULL;
	OK(bundle_create_at("work", &db, &err));
	return db;
}

Test(db, columns_are_checked)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct db_query *query = NULL;
	bool row = false;
	int64_t number;
	const char *text;
	const void *bytes;
	size_t len;
	OK(db_prepare(db, "SELECT 5, 'five', x'05', NULL, 5.5, CAST(x'ff' AS TEXT), CAST(x'610062' AS TEXT), x''", &query, &err));
	OK(db_step(query, &row, &err));
	cr_assert(row);
	OK(db_get_int64(query, 0, &number, &err));
	cr_assert_eq(number, 5);
	OK(db_get_text(query, 1, &text, &len, &err));
	cr_assert_str_eq(text, "five");
	cr_assert_eq(len, 4);
	OK(db_get_blob(query, 2, &bytes, &len, &err));
	cr_assert_eq(len, 1);
	OK(db_get_text_or_null(query, 3, &text, &err));
	cr_assert_null(text);
	cr_assert(db_is_null(query, 3));
	OK(db_get_blob(query, 7, &bytes, &len, &err));
	cr_assert(bytes && len == 0);
	FAILS(db_get_int64(query, 1, &number, &err), ERR_FORMAT);
	FAILS(db_get_int64(query, 4, &number, &err), ERR_FORMAT);
	FAILS(db_get_text(query, 0, &text, &len, &err), ERR_FORMAT);
	FAILS(db_get_text(query, 3, &text, &len, &err), ERR_FORMAT);
	FAILS(db_get_text_or_null(query, 2, &text, &err), ERR_FORMAT);
	FAILS(db_get_blob(query, 1, &bytes, &len, &err), ERR_FORMAT);
	FAILS(db_get_text(query, 5, &text, &len, &err), ERR_FORMAT);
	FAILS(db_get_text(query, 6, &text, &len, &err), ERR_FORMAT);
	db_finish(query);
	bundle_close_db(db);
}

Test(db, parameters)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct db_query *query = NULL;
	bool row = false;
	const char *text;
	OK(db_prepare(db, "SELECT typeof(?1) || typeof(?2) || typeof(?3) || typeof(?4) || typeof(?5)", &query, &err));
	db_bind_int64(query, 1, INT64_MIN);
	db_bind_text(query, 2, "x");
	db_bind_blob(query, 3, NULL, 0);
	db_bind_null(query, 4);
	db_bind_text(query, 5, NULL);
	OK(db_step(query, &row, &err));
	OK(db_get_text(query, 0, &text, NULL, &err));
	cr_assert_str_eq(text, "integertextblobnullnull");
	db_reset(query);
	db_bind_int64(query, 9, 1);
	FAILS(db_step(query, &row, &err), ERR_BUG);
	db_finish(query);
	bundle_close_db(db);
}

Test(db, transactions)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	int64_t rows = 0;
	OK(db_begin(db, &err));
	OK(db_exec(db, "INSERT INTO run VALUES ('a', x'', 1)", &err));
	db_rollback(db);
	db_rollback(db);
	OK(db_begin(db, &err));
	OK(db_exec(db, "INSERT INTO run VALUES ('b', x'', 1)", &err));
	OK(db_commit(db, &err));
	OK(db_value_int64(db, "SELECT count(*) FROM run WHERE run = 'b'", &rows, &err));
	cr_assert_eq(rows, 1);
	FAILS(db_exec(db, "INSERT INTO run VALUES ('b', x'', 1)", &err), ERR_FORMAT);
	FAILS(db_exec(db, "INSERT INTO run VALUES ('c', 'text', 1)", &err), ERR_FORMAT);
	FAILS(db_value_int64(db, "SELECT started FROM run WHERE run = 'z'", &rows, &err), ERR_FORMAT);
	FAILS(db_exec(db, "SELEC", &err), ERR_BUG);
	bundle_close_db(db);
}

Test(db, second_writer_is_told)
{
	struct err err = ERR_INIT;
	struct db *db = work(), *other = NULL;
	OK(bundle_reopen_readonly_at("work", &other, &err));
	FAILS(db_exec(other, "DELETE FROM run", &err), ERR_IO);
	bundle_close_db(other);
	bundle_close_db(db);
}

Test(db, run_wants_no_rows)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct db_query *query = NULL;
	OK(db_prepare(db, "SELECT 1", &query, &err));
	FAILS(db_run(query, &err), ERR_BUG);
	db_finish(query);
	db_finish(NULL);
	bundle_close_db(db);
}
