/* Plan and approval statements: one form, and every other form refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"
#include "plan_statement.h"

static const char sample[] =
	"pgdocket-plan/1\n"
	"document: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 4711\n"
	"targets: 1\n"
	"target: prod-eu-1 7321987654321098765 16384 shop%20%C3%A4 15 SHA256:TasgGLCuyhQCSLip6yPpS9naYc5uWvXqvpyXPdUP2GM\n"
	"schemas: 50\n"
	"statements: 612\n"
	"destructive: 2\n"
	"created: 2026-11-22T07:30:00Z\n"
	"not-before: 2026-11-22T07:30:00Z\n"
	"expires: 2026-11-29T07:30:00Z\n"
	"ticket: CHG0012345\n"
	"nonce: 0123456789abcdef0123456789abcdef\n"
	"end\n";
static const char vote[] =
	"pgdocket-approval/1\n"
	"plan: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
	"decision: reject\n"
	"approver: bob@example.com\n"
	"signed-at: 2026-11-22T09:12:00Z\n"
	"expires: 2026-11-25T06:00:00Z\n"
	"ticket: CHG0012345\n"
	"comment: not%20on%20a%20Friday%0A\n"
	"nonce: 0123456789abcdef0123456789abcdef\n"
	"end\n";

static struct err err = ERR_INIT;

static int parse(const char *text, size_t len)
{
	struct plan_statement statement;
	err_clear(&err);
	return plan_statement_parse(text, len, &statement, &err);
}

/* sample with from replaced by to, once. */
static char *changed(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = NULL;
	cr_assert(at, "%s", from);
	cr_assert(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	return out;
}

Test(plan_statement, reads_what_it_writes)
{
	struct plan_statement statement;
	struct buf again = BUF_INIT(STATEMENT_MAX_BYTES);
	cr_assert_eq(plan_statement_parse(sample, sizeof sample - 1, &statement, &err), 0, "%s", err.message);
	cr_assert_str_eq(statement.database, "shop \xc3\xa4");
	cr_assert_str_eq(statement.system_identifier, "7321987654321098765");
	cr_assert_eq(statement.server_major, 15);
	cr_assert_eq(statement.destructive, 2);
	cr_assert_eq(plan_statement_write(&statement, &again, &err), 0, "%s", err.message);
	cr_assert_str_eq(again.data, sample);
	buf_release(&again);
}

Test(plan_statement, forms_that_are_refused)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "schemas: 50\n", "schemas: 50\nschemas: 50\n" },                   /* a key twice */
		{ "schemas: 50\nstatements: 612\n", "statements: 612\nschemas: 50\n" }, /* wrong order */
		{ "schemas: 50\n", "" },                                              /* a key missing */
		{ "schemas: 50", "schemas:\t50" },
		{ "schemas: 50", "schemas: 50\x7f" },
		{ "schemas: 50\n", "schemas: 50\r\n" },
		{ "schemas: 50", "schemas:  50" },
		{ "schemas: 50", "schemas: 50 " },
		{ "schemas: 50", "schemas: 050" },
		{ "schemas: 50", "schemas: +50" },
		{ "schemas: 50", "schemas: -0" },
		{ "schemas: 50", "schemas: -1" },
		{ "schemas: 50", "Schemas: 50" },
		{ "end\n", "" },
		{ "end\n", "end\nend\n" },
		{ "end\n", "end\n\n" },
		{ "end\n", "end" },
		{ "pgdocket-plan/1", "pgdocket-plan/2" },
		{ "pgdocket-plan/1", "\npgdocket-plan/1" },
		{ "targets: 1", "targets: 0" },
		{ "targets: 1", "targets: 01" },
		{ "e3b0", "E3B0" },
		{ "sha256:", "sha512:" },
		{ " 4711", " 0" },
		{ " 4711", "" },
		{ " 4711", " 4711 1" },
		{ "shop%20%C3%A4", "shop%20%c3%a4" },   /* lower-case escape */
		{ "shop%20%C3%A4", "%73hop%20%C3%A4" }, /* escape without need */
		{ "shop%20%C3%A4", "shop%20%C3" },      /* not UTF-8 */
		{ "shop%20%C3%A4", "shop%00" },
		{ "shop%20%C3%A4", "shop\"" },
		{ "SHA256:T", "SHA256:" },
		{ "SHA256:T", "MD5:T" },
		{ "2026-11-29T07:30:00Z", "2026-11-29T07:30:00+00:00" },
		{ "2026-11-29T07:30:00Z", "2026-11-29T07:30:00.000000Z" },
		{ "2026-11-29T07:30:00Z", "2026-02-30T07:30:00Z" },
		{ "2026-11-29T07:30:00Z", "2026-11-29 07:30:00" },
		{ "CHG0012345", "" },
		{ "nonce: 01", "nonce: 0" },
		{ "nonce: 01", "nonce: 0G" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = changed(sample, cases[i].from, cases[i].to);
		cr_assert_eq(parse(text, strlen(text)), -1, "accepted: %s -> %s", cases[i].from, cases[i].to);
		cr_assert_eq(err.code, ERR_FORMAT, "%s", err.message);
		free(text);
	}
}

Test(plan_statement, several_targets_need_a_newer_version)
{
	char *text = changed(sample, "targets: 1", "targets: 2");
	cr_assert_eq(parse(text, strlen(text)), -1);
	cr_assert_eq(err.code, ERR_VERSION, "%s", err.message);
	free(text);
}

Test(plan_statement, size_has_a_limit)
{
	char *text = malloc(STATEMENT_MAX_BYTES + 1);
	memset(text, 'a', STATEMENT_MAX_BYTES + 1);
	memcpy(text, sample, sizeof sample - 1);
	text[STATEMENT_MAX_BYTES] = '\n';
	cr_assert_eq(parse(text, STATEMENT_MAX_BYTES + 1), -1);
	cr_assert_eq(err.code, ERR_LIMIT);
	free(text);
}

Test(plan_statement, every_flipped_bit_is_another_statement_or_none)
{
	char text[sizeof sample];
	for (size_t i = 0; i < sizeof sample - 1; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct plan_statement statement;
			struct buf again = BUF_INIT(STATEMENT_MAX_BYTES);
			memcpy(text, sample, sizeof sample);
			text[i] = (char)(text[i] ^ 1 << bit);
			err_clear(&err);
			if (plan_statement_parse(text, sizeof sample - 1, &statement, &err) == 0) {
				cr_assert_eq(plan_statement_write(&statement, &again, &err), 0);
				cr_assert_eq(memcmp(again.data, text, sizeof sample - 1), 0, "byte %zu bit %d", i, bit);
			}
			buf_release(&again);
		}
}

Test(plan_statement, values_that_nobody_could_read_are_not_written)
{
	struct plan_statement good, bad;
	cr_assert_eq(plan_statement_parse(sample, sizeof sample - 1, &good, &err), 0);
	struct buf out = BUF_INIT(STATEMENT_MAX_BYTES);
	bad = good;
	bad.ticket[0] = '\0';
	cr_assert_eq(plan_statement_write(&bad, &out, &err), -1);
	bad = good;
	bad.schemas = -1;
	buf_clear(&out);
	cr_assert_eq(plan_statement_write(&bad, &out, &err), -1);
	bad = good;
	strcpy(bad.label, "\xff");
	buf_clear(&out);
	cr_assert_eq(plan_statement_write(&bad, &out, &err), -1);
	buf_release(&out);
}

Test(approval, reads_what_it_writes)
{
	struct approval approval;
	struct buf again = BUF_INIT(STATEMENT_MAX_BYTES);
	cr_assert_eq(approval_parse(vote, sizeof vote - 1, &approval, &err), 0, "%s", err.message);
	cr_assert_not(approval.approve);
	cr_assert_str_eq(approval.comment, "not on a Friday\n");
	cr_assert_eq(approval_write(&approval, &again, &err), 0);
	cr_assert_str_eq(again.data, vote);
	buf_release(&again);
}

Test(approval, forms_that_are_refused)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "decision: reject", "decision: Reject" }, { "decision: reject", "decision: yes" },
		{ "comment: ", "comment:" }, { "approver: bob@example.com\n", "" },
		{ "approval/1", "plan/1" }, { "comment: not%20on%20a%20Friday%0A\n", "comment: none\ncomment: none\n" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct approval approval;
		char *text = changed(vote, cases[i].from, cases[i].to);
		err_clear(&err);
		cr_assert_eq(approval_parse(text, strlen(text), &approval, &err), -1, "%s", cases[i].to);
		free(text);
	}
	char long_comment[3 * 600];
	struct approval approval;
	memset(long_comment, 'x', 513);
	long_comment[513] = '\0';
	char *text = changed(vote, "not%20on%20a%20Friday%0A", long_comment);
	err_clear(&err);
	cr_assert_eq(approval_parse(text, strlen(text), &approval, &err), -1);
	free(text);
}

Test(plan_statement, nonces_differ)
{
	char a[33], b[33];
	cr_assert_eq(plan_statement_nonce(a, &err) | plan_statement_nonce(b, &err), 0);
	cr_assert_eq(strspn(a, "0123456789abcdef"), 32);
	cr_assert_str_neq(a, b);
}
