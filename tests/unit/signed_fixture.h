/* A policy with one planner and one host key, and a small plan honestly signed by that planner. */
#ifndef SIGNED_FIXTURE_H
#define SIGNED_FIXTURE_H

#include "document_fixture.h"
#include "trust_fixture.h"

#include "clock.h"
#include "signature.h"
#include "verify.h"

#define PLANNER "alice@example.com"
#define DAY_US (24ll * 3600 * 1000000)

static struct test_key planner;
static struct trust *trust;

static inline void signed_setup(void)
{
	struct err err = ERR_INIT;
	char fingerprint[SSHSIG_FINGERPRINT_SIZE];
	bool added = false;
	scratch_make();
	planner = test_key_new();
	OK(trust_init("trust", "prod", fingerprint, &err));
	OK(trust_add("trust", ROLE_PLANNER, PLANNER, &planner.public, &added, &err));
	cr_assert_eq(system("sed -i 's/^require: approve 1/require: approve 0/' trust/policy.conf; "
	                    "echo 'require-apply-host: no' >>trust/policy.conf"), 0);
	OK(trust_open("trust", false, &trust, &err));
}

static inline void signed_teardown(void)
{
	trust_close(trust);
	test_key_free(&planner);
	scratch_drop();
}

struct signed_plan {
	void (*change_document)(struct buf *json);
	void (*change_statement)(struct plan_statement *statement);
	const char *sql; /* run last, on the edit */
};

static int fleet = 6; /* schemas */

static inline void make_signed(const char *path, const struct signed_plan *with)
{
	struct err err = ERR_INIT;
	struct bundle_edit *edit = NULL;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES), text = BUF_INIT(STATEMENT_MAX_BYTES), blob = BUF_INIT(SSHSIG_MAX_BYTES);
	struct plan_statement statement = { .database_oid = 5, .server_major = 15, .schemas = fleet, .statements = 2 * fleet, .destructive = fleet };
	bool added = false;
	OK(bundle_edit(path, NULL, true, &edit, &err));
	struct db *db = bundle_edit_db(edit);
	bundle_fill(db, fleet);
	document_text(db, fleet, &json);
	if (with->change_document)
		with->change_document(&json);
	digest_of(json.data, json.len, &statement.document);
	statement.document_size = (int64_t)json.len;
	strcpy(statement.label, "prod");
	strcpy(statement.system_identifier, "7000");
	strcpy(statement.database, "app");
	strcpy(statement.apply_host, "any");
	strcpy(statement.ticket, "CHG1");
	statement.created_us = statement.not_before_us = clock_now_us() / 1000000 * 1000000 - 1000000;
	statement.expires_us = statement.created_us + DAY_US;
	OK(plan_statement_nonce(statement.nonce, &err));
	if (with->change_statement)
		with->change_statement(&statement);
	OK(plan_statement_write(&statement, &text, &err));
	document_store(db, &json, text.data, text.len, &statement.document);
	OK(sshsig_sign(planner.private, NAMESPACE_PLAN, text.data, text.len, &blob, &err));
	const struct signature signature = { NAMESPACE_PLAN, text.data, text.len, (const uint8_t *)blob.data, blob.len };
	OK(signature_put(db, &signature, NULL, &added, &err));
	if (with->sql)
		OK(db_exec(db, with->sql, &err));
	OK(bundle_edit_commit(edit, &err));
	buf_release(&json);
	buf_release(&text);
	buf_release(&blob);
}

#endif
