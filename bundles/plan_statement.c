/* Plan statement and approval statement as tables of the line grammar (lines.c). What their values
 * mean for a run is trust_judge.c's business; here they are only bytes with one possible form. */
#include "plan_statement.h"
#include <openssl/rand.h>
#include <stddef.h>
#include <string.h>
#include "lines.h"
#include "sql.h"
#include "text.h"

#define MAX_COUNT INT64_C(1000000000000)
#define AT(field) offsetof(struct plan_statement, field)
#define OF(field) offsetof(struct approval, field)

static const struct lines_row plan_rows[] = {
	{ "document",
		{ { LINES_DIGEST, AT(document), 0, 0 },
			{ LINES_INT64, AT(document_size), 1, MAX_COUNT } } },
	{ "targets", { { LINES_ONE, 0, 0, 0 } } },
	{ "target",
		{ { LINES_TEXT, AT(label), 0, 0 }, { LINES_DECIMAL, AT(system_identifier), 0, 0 },
			{ LINES_INT64, AT(database_oid), 1, UINT32_MAX }, { LINES_TEXT, AT(database), 0, 0 },
			{ LINES_INT, AT(server_major), 1, 9999 }, { LINES_HOST, AT(apply_host), 0, 0 } } },
	{ "schemas", { { LINES_INT64, AT(schemas), 0, MAX_COUNT } } },
	{ "statements", { { LINES_INT64, AT(statements), 0, MAX_COUNT } } },
	{ "destructive", { { LINES_INT64, AT(destructive), 0, MAX_COUNT } } },
	{ "created", { { LINES_TIME, AT(created_us), 0, 0 } } },
	{ "not-before", { { LINES_TIME, AT(not_before_us), 0, 0 } } },
	{ "expires", { { LINES_TIME, AT(expires_us), 0, 0 } } },
	{ "ticket", { { LINES_TEXT, AT(ticket), 0, 0 } } },
	{ "nonce", { { LINES_ID, AT(nonce), 0, 0 } } }, { NULL, { { LINES_NONE, 0, 0, 0 } } }
};
const struct lines_format plan_statement_format = { "plan statement", "pgdocket-plan/1",
	plan_rows };

static const struct lines_row approval_rows[] = { { "plan", { { LINES_DIGEST, OF(plan), 0, 0 } } },
	{ "decision", { { LINES_DECISION, OF(approve), 0, 0 } } },
	{ "approver", { { LINES_TEXT, OF(approver), 0, 0 } } },
	{ "signed-at", { { LINES_TIME, OF(signed_at_us), 0, 0 } } },
	{ "expires", { { LINES_TIME, OF(expires_us), 0, 0 } } },
	{ "ticket", { { LINES_TEXT, OF(ticket), 0, 0 } } },
	{ "comment", { { LINES_TEXT, OF(comment), 0, 0 } } },
	{ "nonce", { { LINES_ID, OF(nonce), 0, 0 } } }, { NULL, { { LINES_NONE, 0, 0, 0 } } } };
const struct lines_format approval_format = { "approval statement", "pgdocket-approval/1",
	approval_rows };

int plan_statement_parse(const char *bytes, size_t len, struct plan_statement *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	return lines_parse(&plan_statement_format, bytes, len, out, err);
}

int approval_parse(const char *bytes, size_t len, struct approval *out, struct err *err)
{
	memset(out, 0, sizeof(*out));
	return lines_parse(&approval_format, bytes, len, out, err);
}

int plan_statement_nonce(char out[33], struct err *err)
{
	unsigned char bytes[16];
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return err_set_hint(err, ERR_IO, "check /dev/urandom and the getrandom system call",
			"the system gives no random bytes");
	text_hex(bytes, sizeof(bytes), out);
	return 0;
}

int plan_statement_load(struct db *db, struct buf *bytes, struct plan_statement *out,
	struct digest *plan, bool *found, struct err *err)
{
	struct db_query *query = NULL;
	const void *blob;
	size_t len;
	int result = -1;
	*found = false;
	if (db_prepare(db, sql_select_plan, &query, err) || db_step(query, found, err))
		goto out;
	if (*found) {
		bool second;
		buf_clear(bytes);
		if (db_get_blob(query, 0, &blob, &len, err))
			goto out;
		buf_add(bytes, blob, len);
		digest_of(blob, len, plan);
		if (plan_statement_parse(blob, len, out, err) || buf_check(bytes, err) ||
			db_step(query, &second, err))
			goto out;
		if (second) {
			err_set(err, ERR_FORMAT, "the bundle holds more than one plan");
			goto out;
		}
	}
	result = 0;
out:
	db_finish(query);
	return result;
}
