/* source: golang-migrate's and dbmate's folders, detection, and the way through a bundle. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bundle.h"
#include "file.h"
#include "source.h"

static struct arena *arena;
static struct err err;
static char dir[32];

static void setup(void)
{
	arena = arena_new((size_t)256 << 20);
	err = (struct err)ERR_INIT;
	strcpy(dir, "/tmp/pgd.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
	arena_free(arena);
}

TestSuite(source, .init = setup, .fini = teardown);

static void put(const char *name, const char *text)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	cr_assert_eq(file_create(path, 0600, text, strlen(text), &err), 0, "%s", err.message);
}

static struct source load(const char *layout)
{
	struct source source;

	cr_assert_eq(source_load(arena, dir, layout, &source, &err), 0, "%s", err.message);
	return source;
}

static void refused(const char *layout, const char *message, const char *hint)
{
	struct source source;

	cr_expect_eq(source_load(arena, dir, layout, &source, &err), -1);
	cr_expect_eq(err.code, ERR_CONFIG);
	cr_expect_not_null(strstr(err.message, message), "%s", err.message);
	cr_expect_not_null(strstr(err.hint, hint), "%s", err.hint);
	err_clear(&err);
}

static const char *part(const struct source_part *part)
{
	return arena_copy(arena, part->text + part->start, part->end - part->start, &err);
}

Test(source, golang_migrate_goes_by_number)
{
	struct source source;

	put("00010_ten.up.sql", "SELECT 10;");
	put("9_nine.up.sql", "SELECT 9;");
	put("9_nine.down.sql", "SELECT -9;");
	put("0002_two.x.up.sql", "SELECT 2;\r\n");
	put("20240101000000_late.up.sql", "");
	put("0_zero.up.sql", "SELECT 0;");
	put("README.md", "not a migration");
	put("schema.sql", "not one either");
	source = load("auto");
	cr_expect_str_eq(source.layout, "golang-migrate");
	cr_assert_eq(source.migrations, 5);
	cr_expect_str_eq(source.migration[0].version, "0");
	cr_expect_str_eq(source.migration[1].version, "2");
	cr_expect_str_eq(source.migration[1].name, "two.x");
	cr_expect_not(source.migration[1].has_down);
	cr_expect_str_eq(source.migration[2].version, "9");
	cr_expect(source.migration[2].has_down);
	cr_expect_str_eq(source.migration[2].down.file, "9_nine.down.sql");
	cr_expect_str_eq(part(&source.migration[2].down), "SELECT -9;");
	cr_expect_str_eq(source.migration[3].version, "10");
	cr_expect_str_eq(source.migration[4].version, "20240101000000");
	cr_expect_eq(source_find(&source, "10"), 3);
	cr_expect_eq(source_find(&source, "00010"), -1);
	cr_expect_eq(source_compare_versions("golang-migrate", "9", "10"), -1);
	cr_expect_eq(source_compare_versions("golang-migrate", "0010", "10"), 0);
	cr_expect_eq(source_compare_versions("golang-migrate", "18446744073709551615", "18446744073709551614"), 1);
}

Test(source, golang_migrate_refuses)
{
	put("0002_a.up.sql", "");
	put("2_b.up.sql", "");
	refused("auto", "two migrations with version 2: 0002_a.up.sql and 2_b.up.sql", "rename");
	put("2_b.down.sql", "");
	put("0002_a.down.sql", "");
	refused("golang-migrate", "two migrations with version 2", "rename");
}

Test(source, golang_migrate_needs_up_parts)
{
	put("1_a.down.sql", "");
	put("2_b.up.sql", "");
	refused("auto", "1_a.down.sql has no up part", "add");
}

Test(source, golang_migrate_versions_fit_a_bigint)
{
	put("9223372036854775808_a.up.sql", "");
	refused("auto", "9223372036854775808 is larger than", "rename");
}

Test(source, golang_migrate_same_version_two_titles)
{
	struct source source;

	put("1_a.up.sql", "");
	put("1_b.down.sql", "SELECT 1");
	source = load("golang-migrate");
	cr_assert_eq(source.migrations, 1);
	cr_expect_str_eq(source.migration[0].name, "a");
	cr_expect(source.migration[0].has_down);
}

#define FIRST "-- first\n\n-- migrate:up\nCREATE TABLE a ();\n\n-- migrate:down\nDROP TABLE a;\n"

Test(source, dbmate_in_one_file)
{
	struct source source;

	put("20240102000000_b.sql", "-- migrate:up transaction:false\r\nCREATE INDEX x;\r\n-- migrate:down\r\n");
	put("20240101000000_first.sql", FIRST);
	put("20240103000000.sql", "--migrate:up\nSELECT 3;");
	source = load("auto");
	cr_expect_str_eq(source.layout, "dbmate");
	cr_assert_eq(source.migrations, 3);
	cr_expect_str_eq(source.migration[0].version, "20240101000000");
	cr_expect_str_eq(source.migration[0].name, "first");
	cr_expect_str_eq(part(&source.migration[0].up), "-- migrate:up\nCREATE TABLE a ();\n\n");
	cr_expect_eq(source.migration[0].up.first_line, 3);
	cr_expect_str_eq(part(&source.migration[0].down), "-- migrate:down\nDROP TABLE a;\n");
	cr_expect_eq(source.migration[0].down.first_line, 6);
	cr_expect_not(source.migration[0].up.transaction_off);
	cr_expect(source.migration[1].up.transaction_off);
	cr_expect_not(source.migration[1].down.transaction_off);
	cr_expect(source.migration[1].has_down);
	cr_expect_not(source.migration[2].has_down);
	cr_expect_str_eq(source.migration[2].name, "");
	cr_expect_eq(source_compare_versions("dbmate", "20240101000000", "20240102000000"), -1);
	cr_expect_eq(source_compare_versions("dbmate", "1", "10"), 1);
	cr_expect_eq(source_compare_versions("dbmate", "1", "1"), 0);
}

Test(source, dbmate_with_several_pairs)
{
	struct source source;

	put("1_a.sql", "-- migrate:up\nU1;\n-- migrate:down\nD1;\n-- migrate:up transaction:false\nU2;\n-- migrate:down\nD2;\n");
	source = load("dbmate");
	cr_expect_str_eq(part(&source.migration[0].up), "-- migrate:up\nU1;\n               \n   \n"
	                                                "-- migrate:up transaction:false\nU2;\n               \n   \n");
	cr_expect_str_eq(part(&source.migration[0].down), "-- migrate:down\nD2;\n\n-- migrate:down\nD1;\n\n");
	cr_expect(source.migration[0].up.transaction_off);
	cr_expect_eq(source.migration[0].up.file_len, source.migration[0].up.len);
	cr_expect_neq(source.migration[0].up.file_text, source.migration[0].up.text);
}

Test(source, dbmate_refuses)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{ "SELECT 1;", "1_a.sql: has no \"-- migrate:up\" line" },
		{ "SELECT 1;\n-- migrate:up\n", "1_a.sql, line 1: a statement before -- migrate:up" },
		{ "-- migrate:down\n-- migrate:up\n", "1_a.sql, line 1: -- migrate:down out of order" },
		{ "-- migrate:up\n-- migrate:up\n", "1_a.sql, line 2: -- migrate:up out of order" },
		{ "\n-- migrate:up transaction:of\n", "1_a.sql, line 2: unknown option \"transaction:of\"" },
		{ "-- pgdocket: scope=shared\n-- migrate:up\n", "1_a.sql, line 1: a pgdocket directive before" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char path[64];
		put("1_a.sql", wrong[i].text);
		refused("dbmate", wrong[i].message, "");
		snprintf(path, sizeof path, "%s/1_a.sql", dir);
		unlink(path);
	}
	put("1_a.sql", FIRST);
	put("1_b.sql", FIRST);
	refused("dbmate", "two migrations with version 1: 1_a.sql and 1_b.sql", "rename");
}

Test(source, what_is_not_recognised)
{
	refused("auto", "holds no migrations of a known layout", "layout");
	put("notes.txt", "");
	put("1_x.sql", "SELECT 1;");
	refused("auto", "found 1_x.sql, notes.txt", "check dir and layout");
	refused("golang-migrate", "found 1_x.sql, notes.txt", "");
	refused("flyway", "unknown migration layout \"flyway\"", "layouts: auto, golang-migrate, dbmate");
	put("2_y.up.sql", "SELECT 1;");
	put("3_z.sql", FIRST);
	refused("auto", "two layouts: 2_y.up.sql (golang-migrate) and 3_z.sql (dbmate)", "layout = golang-migrate or layout = dbmate");
	cr_expect_eq(load("golang-migrate").migrations, 1);
	strcpy(dir + strlen(dir) - 1, "-");
	refused("auto", "cannot be read", "[migrations]");
}

Test(source, an_empty_folder_is_fine_when_the_layout_is_named)
{
	cr_expect_eq(load("dbmate").migrations, 0);
}

static void through_a_bundle(const char *layout)
{
	struct source before = load(layout), after;
	struct db *db = NULL;
	char path[64];

	snprintf(path, sizeof path, "%s/b.docket", dir);
	cr_assert_eq(bundle_create_at(path, &db, &err), 0, "%s", err.message);
	cr_assert_eq(db_begin(db, &err) || source_store(&before, db, &err) || db_commit(db, &err), 0, "%s", err.message);
	cr_assert_eq(source_restore(arena, db, layout, &after, &err), 0, "%s", err.message);
	cr_assert_eq(after.migrations, before.migrations);
	cr_expect_str_eq(after.layout, before.layout);
	for (size_t i = 0; i < after.migrations; i++) {
		const struct source_migration *a = &before.migration[i], *b = &after.migration[i];
		cr_expect_str_eq(a->version, b->version);
		cr_expect_str_eq(a->name, b->name);
		cr_expect_str_eq(a->up.file, b->up.file);
		cr_expect_str_eq(part(&a->up), part(&b->up));
		cr_expect_eq(a->up.first_line, b->up.first_line);
		cr_expect_eq(a->up.transaction_off, b->up.transaction_off);
		cr_assert_eq(a->has_down, b->has_down);
		if (a->has_down)
			cr_expect_str_eq(part(&a->down), part(&b->down));
	}
	cr_expect_eq(source_restore(arena, db, "flyway", &after, &err), -1);
	err_clear(&err);
	bundle_close_db(db);
}

Test(source, golang_migrate_through_a_bundle)
{
	put("1_a.up.sql", "SELECT 1;");
	put("1_a.down.sql", "SELECT -1;");
	put("0010_b.up.sql", "");
	through_a_bundle("golang-migrate");
}

Test(source, dbmate_through_a_bundle)
{
	put("1_a.sql", FIRST);
	put("2_b.sql", "-- migrate:up transaction:false\nU1;\n-- migrate:down\nD1;\n-- migrate:up\nU2;\n-- migrate:down\nD2;\n");
	put("3_c.sql", "-- migrate:up\nU;\n");
	through_a_bundle("dbmate");
}
