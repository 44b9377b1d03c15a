/* The base: buffers, arenas, encodings, quoting, time, files, command lines. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "digest.h"
#include "file.h"
#include "option.h"
#include "quote.h"
#include "text.h"

Test(error, first_one_stays_and_context_goes_in_front)
{
	struct err err = ERR_INIT;
	cr_assert_eq(err_set(&err, ERR_CONFIG, "line %d", 7), -1);
	err_set(&err, ERR_BUG, "later");
	err_hint(&err, "first hint");
	err_hint(&err, "second hint");
	err_context(&err, "%s", "a.conf");
	cr_assert_str_eq(err.message, "a.conf: line 7");
	cr_assert_str_eq(err.hint, "first hint");
	cr_assert_eq(err_exit_status(&err), 2);
}

Test(error, exit_codes)
{
	static const int status[] = { [ERR_NONE] = 0, [ERR_USAGE] = 2, [ERR_CONFIG] = 2, [ERR_IO] = 1,
		[ERR_NOMEM] = 1, [ERR_UNFIT] = 1, [ERR_PLAN] = 1, [ERR_SERVER] = 1, [ERR_LIMIT] = 3,
		[ERR_FORMAT] = 3, [ERR_VERSION] = 3, [ERR_REFUSED] = 3, [ERR_INCOMPLETE] = 4,
		[ERR_DIFFERENT] = 5, [ERR_INTERRUPTED] = 6, [ERR_BUG] = 70 };
	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		struct err err = ERR_INIT;
		err.code = (enum err_code)i;
		cr_assert_eq(err_exit_status(&err), status[i]);
	}
}

Test(buf, failure_is_sticky_until_cleared)
{
	struct err err = ERR_INIT;
	struct buf buf = BUF_INIT(8);
	buf_add_text(&buf, "12345678");
	cr_assert_eq(buf_check(&buf, &err), 0);
	buf_add_char(&buf, '9');
	buf_add_text(&buf, "");
	cr_assert_eq(buf_check(&buf, &err), -1);
	cr_assert_eq(err.code, ERR_LIMIT);
	buf_clear(&buf);
	buf_add_format(&buf, "%d-%s", 12, "ab");
	cr_assert_str_eq(buf_text(&buf), "12-ab");
	size_t len;
	char *out = buf_detach(&buf, &len);
	cr_assert_eq(len, 5);
	cr_assert_str_eq(out, "12-ab");
	cr_assert_str_eq(buf_text(&buf), "");
	free(out);
}

Test(arena, limits_and_overflow)
{
	struct err err = ERR_INIT;
	struct arena *arena = arena_new(100000);
	char *a = arena_format(arena, &err, "%s/%d", "x", 4);
	cr_assert_not_null(arena_alloc(arena, 50000, &err));
	cr_assert_null(arena_alloc(arena, 90000, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	err_clear(&err);
	cr_assert_null(arena_array(arena, (size_t)-1, 16, &err));
	cr_assert_eq(err.code, ERR_LIMIT);
	cr_assert_str_eq(a, "x/4");
	arena_free(arena);
}

Test(text, base64_is_canonical)
{
	struct buf out = BUF_INIT(1000);
	/* RFC 4648, section 10 */
	static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" } };
	for (size_t i = 0; i < 6; i++) {
		buf_clear(&out);
		text_base64(&out, vectors[i][0], strlen(vectors[i][0]));
		cr_assert_str_eq(buf_text(&out), vectors[i][1]);
		buf_clear(&out);
		cr_assert(text_unbase64(vectors[i][1], strlen(vectors[i][1]), &out));
		cr_assert_str_eq(buf_text(&out), vectors[i][0]);
	}
	static const char *const bad[] = { "Zg=", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(text_unbase64(bad[i], strlen(bad[i]), &out), "%s", bad[i]);
	buf_release(&out);
}

Test(text, percent_has_one_form)
{
	struct buf out = BUF_INIT(1000), back = BUF_INIT(1000);
	text_percent(&out, "a b/\xc3\xa4%\n", 8);
	cr_assert_str_eq(buf_text(&out), "a%20b/%C3%A4%25%0A");
	cr_assert(text_unpercent(buf_text(&out), out.len, &back));
	cr_assert_str_eq(buf_text(&back), "a b/\xc3\xa4%\n");
	static const char *const bad[] = { "%2f", "%41", "%4", "a b", "%zz" };
	for (size_t i = 0; i < 5; i++)
		cr_assert_not(text_unpercent(bad[i], strlen(bad[i]), &back), "%s", bad[i]);
	buf_release(&out);
	buf_release(&back);
}

Test(text, safe_for_terminals_and_json)
{
	struct buf out = BUF_INIT(1000);
	static const char in[] = "a\x1b[2Jb\n\xe2\x80\xae\xff\xc3\xa4";
	text_safe(&out, in, sizeof(in) - 1);
	cr_assert_str_eq(buf_text(&out), "a\\x1B[2Jb\\x0A\\xE2\\x80\\xAE\\xFF\xc3\xa4");
	buf_clear(&out);
	text_json(&out, "a\"\\\n\x01\xff", 6);
	cr_assert_str_eq(buf_text(&out), "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\"");
	buf_release(&out);
}

Test(text, utf8)
{
	size_t bad;
	cr_assert(text_utf8("a\xf0\x9f\x98\x80", 5, &bad));
	static const struct { const char *text; size_t len, bad; } rows[] = {
		{ "ab\0c", 4, 2 }, { "\xc0\x80", 2, 0 }, { "x\xed\xa0\x80", 4, 1 },
		{ "\xf4\x90\x80\x80", 4, 0 }, { "abc\xe2\x82", 5, 3 }, { "\xff", 1, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_not(text_utf8(rows[i].text, rows[i].len, &bad));
		cr_assert_eq(bad, rows[i].bad);
	}
}

Test(text, numbers_durations_globs)
{
	int64_t value;
	cr_assert(text_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &value) && value == INT64_MIN);
	cr_assert(text_int64("9223372036854775807", 0, INT64_MAX, &value) && value == INT64_MAX);
	static const char *const bad[] = { "9223372036854775808", "", "-", "1 ", "+1", "0x1" };
	for (size_t i = 0; i < 6; i++)
		cr_assert_not(text_int64(bad[i], INT64_MIN, INT64_MAX, &value), "%s", bad[i]);
	cr_assert(text_duration_ms("7d", &value) && value == 604800000);
	cr_assert(text_duration_ms("30 min", &value) && value == 1800000);
	cr_assert(text_duration_ms("250ms", &value) && value == 250);
	static const char *const units[] = { "10", "s", "1y", "99999999999999999d", "" };
	for (size_t i = 0; i < 5; i++)
		cr_assert_not(text_duration_ms(units[i], &value), "%s", units[i]);
	cr_assert(text_glob("tenant_*", "tenant_1") && text_glob("*", "") && text_glob("a?c*e", "abcdde"));
	cr_assert(text_glob("*x", "axx"));
	cr_assert_not(text_glob("tenant_*", "tenant") || text_glob("?", "") || text_glob("a", "ab"));
}

Test(quote, identifiers_and_literals)
{
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT(1000);
	cr_assert_eq(quote_identifier(&out, "a\"b", &err), 0);
	cr_assert_str_eq(buf_text(&out), "\"a\"\"b\"");
	buf_clear(&out);
	cr_assert_eq(quote_literal(&out, "it's \\", &err), 0);
	cr_assert_str_eq(buf_text(&out), " E'it''s \\\\'");
	static const char *const bad[] = { "", "\xff",
		"0123456789012345678901234567890123456789012345678901234567890123" };
	for (size_t i = 0; i < 3; i++) {
		err_clear(&err);
		cr_assert_eq(quote_identifier(&out, bad[i], &err), -1);
		cr_assert_eq(err.code, ERR_FORMAT);
	}
	buf_release(&out);
}

Test(clock, both_forms_round_trip)
{
	char text[CLOCK_MICROS_SIZE];
	int64_t us;
	clock_seconds(1795332600000000, text);
	cr_assert_str_eq(text, "2026-11-22T07:30:00Z");
	cr_assert(clock_parse(text, &us) && us == 1795332600000000);
	clock_micros(1795332600000042, text);
	cr_assert_str_eq(text, "2026-11-22T07:30:00.000042Z");
	cr_assert(clock_parse(text, &us) && us == 1795332600000042);
	static const char *const bad[] = { "2026-02-30T00:00:00Z", "2026-11-22T07:30:00", "",
		"2026-11-22 07:30:00Z", "2026-11-22T07:30:00.1Z", "2026-11-22T24:00:00Z", "2026-1-22T07:30:00Z" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(clock_parse(bad[i], &us), "%s", bad[i]);
}

Test(file, create_replace_read)
{
	struct err err = ERR_INIT;
	char directory[] = "/tmp/pgd.XXXXXX", path[64], link_path[64];
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a", directory);
	snprintf(link_path, sizeof(link_path), "%s/l", directory);
	cr_assert_eq(file_create(path, 0600, "one", 3, &err), 0);
	cr_assert_eq(file_create(path, 0600, "two", 3, &err), -1);
	cr_assert_eq(err.code, ERR_IO);
	err_clear(&err);
	cr_assert_eq(file_replace(path, 0640, "three", 5, &err), 0);
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	struct buf out = BUF_INIT(100), small = BUF_INIT(2);
	cr_assert_eq(file_read(path, 1, &out, &err), 0);
	cr_assert_str_eq(buf_text(&out), "three");
	cr_assert_eq(file_read(path, 1, &small, &err), -1);
	cr_assert_eq(err.code, ERR_LIMIT);
	err_clear(&err);
	cr_assert_eq(symlink(path, link_path), 0);
	cr_assert_eq(file_read(link_path, 1, &out, &err), -1);
	err_clear(&err);
	cr_assert_eq(file_read(directory, 0, &out, &err), -1);
	unlink(link_path);
	unlink(path);
	rmdir(directory);
	buf_release(&out);
	buf_release(&small);
}

struct sample {
	bool quiet, verbose;
	const char *dbname;
	int jobs;
	int64_t wait_ms;
	struct option_list schemas;
};
static const struct option sample_options[] = {
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct sample, quiet), NULL, "say less", 0, 0 },
	{ "verbose", 'v', OPTION_FLAG, offsetof(struct sample, verbose), NULL, "say more", 0, 0 },
	{ "dbname", 'd', OPTION_TEXT, offsetof(struct sample, dbname), "DB", "database", 0, 0 },
	{ "jobs", 'j', OPTION_COUNT, offsetof(struct sample, jobs), "N", "connections", 1, 64 },
	{ "wait", 0, OPTION_DURATION, offsetof(struct sample, wait_ms), "TIME", "how long", 0, 0 },
	{ "schema", 0, OPTION_LIST, offsetof(struct sample, schemas), "GLOB", "which", 0, 0 },
	{ NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0 }
};
static const struct option_command sample = {
	"try", "FILE [OTHER]", "Tries.", sample_options, 1, 2, "A note."
};

static int parse(struct sample *values, const char **positional, struct err *err, int argc, const char **argv)
{
	memset(values, 0, sizeof(*values));
	return option_parse(&sample, argc, (char **)argv, values, positional, err);
}

Test(option, may_stand_anywhere)
{
	struct err err = ERR_INIT;
	struct sample v;
	const char *file[2] = { NULL, NULL };
	const char *argv[] = { "try", "-qj4", "a", "--schema=x", "--schema", "y", "-d", "db", "--wait", "2s",
		"--", "-b" };
	cr_assert_eq(parse(&v, file, &err, 12, argv), 0, "%s", err.message);
	cr_assert(v.quiet && !v.verbose && v.jobs == 4 && v.wait_ms == 2000 && v.schemas.count == 2);
	cr_assert_str_eq(v.dbname, "db");
	cr_assert_str_eq(file[0], "a");
	cr_assert_str_eq(file[1], "-b");
}

Test(option, mistakes_are_named)
{
	static const struct { const char *argv[5]; const char *message; } rows[] = {
		{ { "try", "a", "--nope" }, "there is no option --nope" },
		{ { "try", "a", "-x" }, "there is no option -x" },
		{ { "try" }, "try needs FILE [OTHER]" },
		{ { "try", "a", "b", "c" }, "\"c\" is one argument too many" },
		{ { "try", "a", "-q", "--quiet" }, "--quiet was given twice" },
		{ { "try", "a", "--quiet=1" }, "--quiet takes no argument" },
		{ { "try", "a", "-d" }, "--dbname needs an argument" },
		{ { "try", "a", "-j", "0" }, "--jobs takes a whole number from 1 to 64, not \"0\"" },
		{ { "try", "a", "--wait", "5" }, "--wait takes a time such as 30s, 15min, 12h or 7d, not \"5\"" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = ERR_INIT;
		struct sample v;
		const char *file[2], *argv[5];
		int argc = 0;
		for (; argc < 5 && rows[i].argv[argc]; argc++)
			argv[argc] = rows[i].argv[argc];
		cr_assert_eq(parse(&v, file, &err, argc, argv), -1);
		cr_assert_str_eq(err.message, rows[i].message);
		cr_assert_eq(err.code, ERR_USAGE);
		cr_assert(err.hint[0]);
	}
}

Test(option, help_comes_from_the_table)
{
	struct err err = ERR_INIT;
	struct sample v;
	const char *file[2], *argv[] = { "try", "--help" };
	cr_assert_eq(parse(&v, file, &err, 2, argv), 1);
	struct buf out = BUF_INIT(10000);
	option_help("prog", &sample, &out);
	cr_assert(strstr(buf_text(&out), "Usage: prog try FILE [OTHER] [option...]"));
	cr_assert(strstr(buf_text(&out), "-j, --jobs N"));
	cr_assert(strstr(buf_text(&out), "which (may be repeated)"));
	cr_assert(strstr(buf_text(&out), "A note."));
	buf_release(&out);
}

Test(digest, vector)
{
	struct digest digest, again;
	char hex[DIGEST_HEX_SIZE];
	digest_of("abc", 3, &digest);
	digest_hex(&digest, hex);
	/* FIPS 180-2 */
	cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	struct digest_stream *stream = digest_start();
	digest_add(stream, "a", 1);
	digest_add(stream, "bc", 2);
	digest_finish(stream, &again);
	cr_assert(digest_equal(&digest, &again));
	cr_assert(digest_parse(hex, 64, &again));
	hex[0] = 'B';
	cr_assert_not(digest_parse(hex, 64, &again));
}
