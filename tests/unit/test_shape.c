/* Shapes read back from their text: objects, names with everything JSON escapes, and texts that are none. */
#include <criterion/criterion.h>
#include <string.h>
#include "shape.h"

static struct arena *arena;
static struct shape *shape;

static void open_arena(void) { arena = arena_new(1 << 20); }
static void close_arena(void) { arena_free(arena); }
TestSuite(shape, .init = open_arena, .fini = close_arena);

static int parse(const char *text, struct err *err)
{
	return shape_parse(arena, text, strlen(text), &shape, err);
}

Test(shape, objects_of_each_form)
{
	struct err err = ERR_INIT;

	cr_assert_eq(parse("[\"column\",\"id\",\"a\",\"not null\",\"bigint\",\"nextval('~.a_id_seq'::regclass)\"]\n"
	                   "[\"sequence\",\"a_id_seq\",\"a\",\"bigint start 1\",\"owned by id\",\"\"]\n"
	                   "[\"table\",\"a\",\"\",\"\",\"\",\"\"]\n"
	                   "[\"unmodelled\",\"policy\",\"a pol\"]\n"
	                   "[\"unmodelled\",\"policy\",\"a pol2\",\"permissive for *\"]\n", &err), 0, "%s", err.message);
	cr_assert_eq(shape->objects, 5);
	cr_expect_eq(shape->tables, 1);
	cr_expect_eq(shape->unmodelled, 2);
	cr_expect_str_eq(shape->object[4].sort, "policy");
	cr_expect_str_eq(shape->object[4].detail, "policy permissive for *");
	cr_expect_str_eq(shape->object[0].table, "a");
	cr_expect_str_eq(shape->object[0].detail, "not null bigint nextval('~.a_id_seq'::regclass)");
	cr_expect_str_eq(shape->object[1].detail, "bigint start 1 owned by id");
	cr_expect_null(shape->object[2].table);
	cr_expect_str_eq(shape->object[2].detail, "");
	cr_expect_str_eq(shape->object[3].name, "a pol");
	cr_expect_str_eq(shape->object[3].detail, "policy");
}

Test(shape, find_by_kind_and_among_relations)
{
	struct err err = ERR_INIT;

	cr_assert_eq(parse("[\"column\",\"x\",\"a\",\"\",\"text\",\"\"]\n"
	                   "[\"function\",\"x\",\"\",\"\",\"\",\"\"]\n"
	                   "[\"index\",\"x\",\"a\",\"\",\"btree (x text_ops)\",\"\"]\n", &err), 0, "%s", err.message);
	cr_expect_str_eq(shape_find(shape, "function", "x")->kind, "function");
	cr_expect_str_eq(shape_find(shape, NULL, "x")->kind, "index");
	cr_expect_null(shape_find(shape, "table", "x"));
	cr_expect_null(shape_find(shape, NULL, "y"));
}

Test(shape, escapes)
{
	struct err err = ERR_INIT;

	cr_assert_eq(parse("[\"table\",\"a\\\"b\\\\c\\n\\t\\u0001\\/\",\"\",\"\",\"\",\"\"]\n", &err), 0, "%s", err.message);
	cr_expect_str_eq(shape->object[0].name, "a\"b\\c\n\t\x01/");
	cr_assert_eq(parse("[\"table\",\"\xc3\xbcn\xc3\xaf,]\",\"\",\"\",\"\",\"\"]\n", &err), 0);
	cr_expect_str_eq(shape->object[0].name, "\xc3\xbcn\xc3\xaf,]");
}

Test(shape, an_empty_text_is_an_empty_shape)
{
	struct err err = ERR_INIT;

	cr_assert_eq(parse("", &err), 0);
	cr_expect_eq(shape->objects, 0);
}

Test(shape, everything_else_is_refused_with_its_line)
{
	static const char *const wrong[] = {
		"x\n", "\n", "[]\n", "[\"table\"]\n", "[\"table\",\"a\",\"\",\"\",\"\"]\n",
		"[\"table\",\"a\",\"\",\"\",\"\",\"\",\"\"]\n", "[\"table\",\"a\",\"\",\"\",\"\",1]\n",
		"[\"table\",\"a\",\"\",\"\",\"\",\"\"]", "[\"table\",\"a\",\"\",\"\",\"\",\"\"] \n",
		"[\"table\",\"a\",\"\",\"\",\"\",\"]\n", "[\"table\",\"a\\\"\n", "[\"table\",\"\\x\",\"\",\"\",\"\",\"\"]\n",
		"[\"table\",\"\\u00\",\"\",\"\",\"\",\"\"]\n", "[\"table\",\"\\u0000\",\"\",\"\",\"\",\"\"]\n",
		"[\"table\",\"\\u20ac\",\"\",\"\",\"\",\"\"]\n", "[\"unmodelled\",\"a\"]\n",
		"[\"unmodelled\",\"a\",\"b\",\"c\",\"d\",\"e\"]\n", "[\"table\",\"a\",\"\",\"\",\"\",\"\"\n", "[\"a\\",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err err = ERR_INIT;
		cr_expect_eq(parse(wrong[i], &err), -1, "%s", wrong[i]);
		cr_expect_eq(err.code, ERR_FORMAT, "%s", wrong[i]);
		cr_expect_str_eq(err.message, "a shape's line 1 is not an array of texts");
	}
}

Test(shape, the_guard_is_the_query_without_texts)
{
	const char *guard = shape_guard_query(150018);

	cr_expect(strstr(guard, shape_query(150018)) != NULL);
	cr_expect_eq(strncmp(guard, "SELECT s.schema, s.fingerprint FROM (\n", 38), 0);
	cr_expect_str_eq(guard, shape_guard_query(120000));
}
