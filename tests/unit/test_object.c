/* Objects: once under their digest, verified whenever they are read. */
#include "bundle_fixture.h"

TestSuite(object, .init = scratch_make, .fini = scratch_drop, .timeout = 60);

static struct db *work(void)
{
	struct err err = ERR_INIT;
	struct db *db = NULL;
	OK(bundle_create_at("work", &db, &err));
	return db;
}

Test(object, stored_once)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct digest digest, again;
	char *out = NULL, hex[DIGEST_HEX_SIZE];
	size_t size = 0;
	int64_t rows = 0;
	OK(object_put(db, "statement", "abc", 3, &digest, &err));
	OK(object_put(db, "statement", "abc", 3, &again, &err));
	cr_assert(digest_equal(&digest, &again));
	OK(object_put(db, "migration", "abc", 3, &again, &err));
	OK(db_value_int64(db, "SELECT count(*) FROM object WHERE kind = 'statement'", &rows, &err));
	cr_assert_eq(rows, 1);
	digest_hex(&digest, hex);
	cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	OK(object_get(db, &digest, "statement", &out, &size, &err));
	cr_assert_eq(size, 3);
	cr_assert_str_eq(out, "abc");
	free(out);
	bundle_close_db(db);
}

Test(object, bytes_of_any_kind)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct digest digest;
	char *out = NULL;
	size_t size = 1;
	OK(object_put(db, "facts", "a\0b", 3, &digest, &err));
	OK(object_get(db, &digest, NULL, &out, &size, &err));
	cr_assert_eq(memcmp(out, "a\0b", 4), 0);
	free(out);
	OK(object_put(db, "facts", NULL, 0, &digest, &err));
	OK(object_get(db, &digest, NULL, &out, &size, &err));
	cr_assert_eq(size, 0);
	free(out);
	FAILS(object_put(db, "unheard-of", "x", 1, &digest, &err), ERR_BUG);
	bundle_close_db(db);
}

static void broken(const char *sql)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct digest digest;
	char *out = NULL;
	size_t size = 0;
	OK(object_put(db, "facts", "some text", 9, &digest, &err));
	OK(db_exec(db, sql, &err));
	cr_assert_eq(object_get(db, &digest, "facts", &out, &size, &err), -1, "%s", sql);
	cr_assert_eq(err_exit_status(&err), 3, "%s: %s", sql, err.message);
	bundle_close_db(db);
	cr_assert_eq(unlink("work"), 0);
}

Test(object, refused_when_broken)
{
	broken("DELETE FROM object");
	broken("UPDATE object SET size = 8");
	broken("UPDATE object SET size = 10");
	broken("UPDATE object SET size = -1");
	broken("UPDATE object SET size = 9223372036854775807");
	broken("UPDATE object SET size = 1073741824");
	broken("UPDATE object SET kind = 'x'");
	broken("UPDATE object SET kind = CAST(x'ff' AS TEXT)");
	broken("UPDATE object SET body = x''");
	broken("UPDATE object SET body = CAST(body || x'00' AS BLOB)");
	broken("UPDATE object SET body = substr(body, 1, length(body) - 1)");
	/* another text of the same length, well packed */
	broken("UPDATE object SET body = x'789c2bcecf4d552849ad08010011c8037a'");
}

Test(object, stated_facts_come_first)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct digest digest;
	struct object_facts facts, wrong;
	char *out = NULL;
	OK(object_put(db, "facts", "some text", 9, &digest, &err));
	OK(object_facts(db, &digest, &facts, &err));
	cr_assert_eq(facts.size, 9);
	cr_assert_str_eq(facts.kind, "facts");
	OK(object_get_stated(db, &digest, &facts, &out, &err));
	cr_assert_str_eq(out, "some text");
	free(out);
	wrong = facts;
	wrong.stored.bytes[0] ^= 1;
	FAILS(object_get_stated(db, &digest, &wrong, &out, &err), ERR_FORMAT);
	wrong = facts;
	wrong.stored_size++;
	FAILS(object_get_stated(db, &digest, &wrong, &out, &err), ERR_FORMAT);
	wrong = facts;
	strcpy(wrong.kind, "state");
	FAILS(object_get_stated(db, &digest, &wrong, &out, &err), ERR_FORMAT);
	bundle_close_db(db);
}

Test(object, too_large)
{
	struct err err = ERR_INIT;
	struct db *db = work();
	struct digest digest;
	char *big = calloc(1, OBJECT_MAX_BYTES + 1);
	FAILS(object_put(db, "facts", big, OBJECT_MAX_BYTES + 1, &digest, &err), ERR_LIMIT);
	free(big);
	bundle_close_db(db);
}
