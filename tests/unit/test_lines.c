/* The line grammar: every byte that is not expected is an error with its line. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "lines.h"
#include "plan_statement.h"

static struct err err = ERR_INIT;

static int opened(const char *text, size_t len, struct lines *lines)
{
	err_clear(&err);
	return lines_open(lines, "text", text, len, 64, &err);
}

Test(lines, bytes_that_are_refused)
{
	static const struct { const char *text; size_t len; const char *says; } cases[] = {
		{ "", 0, "empty" },
		{ "a: b\nend", 8, "no line end" },
		{ "a: b\r\nend\n", 10, "line 1: byte 0x0D" },
		{ "a: b\nc:\td\nend\n", 14, "line 2: byte 0x09" },
		{ "a: b\n\nc\x7f\n", 9, "line 3: byte 0x7F" },
		{ "a: \xc3\xa4\n", 6, "line 1: byte 0xC3" },
		{ "a: b\0\n", 6, "line 1: byte 0x00" },
	};
	struct lines lines;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_eq(opened(cases[i].text, cases[i].len, &lines), -1, "case %zu", i);
		cr_assert_eq(err.code, ERR_FORMAT);
		cr_assert(strstr(err.message, cases[i].says), "case %zu: %s", i, err.message);
	}
	char large[66];
	memset(large, 'a', sizeof large);
	large[65] = '\n';
	cr_assert_eq(opened(large, sizeof large, &lines), -1);
	cr_assert_eq(err.code, ERR_LIMIT);
}

Test(lines, pairs)
{
	static const struct { const char *text; bool good; } cases[] = {
		{ "a: b\n", true }, { "a1-b: b c: d\n", true }, { "a: :\n", true }, { "a:b\n", false }, { "a: \n", false },
		{ ": b\n", false }, { "A: b\n", false }, { "a b: c\n", false }, { "-a: b\n", false }, { "1: b\n", false },
		{ "\n", false }, { "a\n", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lines lines;
		struct lines_pair pair;
		cr_assert_eq(opened(cases[i].text, strlen(cases[i].text), &lines), 0);
		cr_assert_eq(lines_pair(&lines, &pair, &err), cases[i].good ? 0 : -1, "%s", cases[i].text);
	}
}

Test(lines, end_is_the_end)
{
	struct lines lines;
	cr_assert_eq(opened("end\n", 4, &lines), 0);
	cr_assert(lines_stands(&lines, "end"));
	cr_assert_eq(lines_close(&lines, &err), 0);
	cr_assert_eq(opened("end\nx: y\n", 9, &lines), 0);
	cr_assert_eq(lines_close(&lines, &err), -1);
	cr_assert(strstr(err.message, "line 2: bytes behind"), "%s", err.message);
	cr_assert_eq(opened("x: y\n", 5, &lines), 0);
	struct lines_pair pair;
	cr_assert_eq(lines_pair(&lines, &pair, &err), 0);
	cr_assert_not(lines_stands(&lines, "end"));
	cr_assert_eq(lines_close(&lines, &err), -1);
	cr_assert(strstr(err.message, "ends too early"), "%s", err.message);
}
