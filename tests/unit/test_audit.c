/* Audits of hand-made chains: what holds is reported, what was altered is refused for what is wrong with it. */
#include "document_fixture.h"

#include "audit.h"
#include "clock.h"
#include "record.h"
#include "signature.h"
#include "trust.h"

#define HOUR (3600ll * 1000000)
#define DAY (24 * HOUR)
#define RUN "0123456789abcdef0123456789abcdef"
#define RUN_2 "fedcba9876543210fedcba9876543210"
#define SCHEMAS 3

static const int64_t planned_us = 1795340000ll * 1000000;
static struct ssh_private_key *planner, *approver, *host, *stranger;
static struct digest plan;
static struct bundle_edit *edit;
static struct db *db;
static struct trust *trust;

static struct ssh_private_key *new_key(void)
{
	struct err err = ERR_INIT;
	struct buf pem = BUF_INIT(4096);
	struct ssh_private_key *key = NULL;
	OK(ssh_private_key_generate_pem(&pem, &err));
	OK(ssh_private_key_parse_pem(pem.data, pem.len, &key, &err));
	buf_release(&pem);
	return key;
}

static void make_policy(void)
{
	struct err err = ERR_INIT;
	char fingerprint[SSHSIG_FINGERPRINT_SIZE];
	bool added;
	OK(trust_init("trust", "prod", fingerprint, &err));
	FILE *policy = fopen("trust/policy.conf", "a");
	fputs("require-apply-host: no\noperator: uid 1001 dave@example.com\n", policy);
	fclose(policy);
	OK(trust_add("trust", ROLE_PLANNER, "alice@example.com", ssh_private_key_public(planner), &added, &err));
	OK(trust_add("trust", ROLE_APPROVER, "bob@example.com", ssh_private_key_public(approver), &added, &err));
	OK(trust_add("trust", ROLE_HOST, "host1", ssh_private_key_public(host), &added, &err));
	OK(trust_open("trust", false, &trust, &err));
}

static void put_signature(const struct ssh_private_key *key, const char *name_space, const struct buf *message)
{
	struct err err = ERR_INIT;
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	bool added;
	OK(sshsig_sign(key, name_space, message->data, message->len, &blob, &err));
	struct signature signature = { name_space, message->data, message->len, (const uint8_t *)blob.data, blob.len };
	OK(signature_put(db, &signature, NULL, &added, &err));
	buf_release(&blob);
}

static void decide(bool approve, int64_t at_us)
{
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT(STATEMENT_MAX_BYTES);
	struct approval approval = { .plan = plan, .approve = approve, .approver = "bob@example.com", .signed_at_us = at_us,
		.expires_us = planned_us + 7 * DAY, .ticket = "CHG1", .comment = "looks right", .nonce = "0123456789abcdef0123456789abcdef" };
	OK(approval_write(&approval, &text, &err));
	put_signature(approver, NAMESPACE_APPROVE, &text);
	buf_release(&text);
}

/* A signed and approved plan in x.docket, open for more. */
static void begin(void)
{
	struct err err = ERR_INIT;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES), text = BUF_INIT(STATEMENT_MAX_BYTES);
	struct plan_statement statement = { .document_size = 0, .label = "prod", .system_identifier = "7000", .database_oid = 5,
		.database = "app", .server_major = 15, .apply_host = "any", .schemas = SCHEMAS, .statements = 2 * SCHEMAS,
		.destructive = SCHEMAS, .created_us = planned_us, .not_before_us = planned_us, .expires_us = planned_us + 7 * DAY,
		.ticket = "CHG1", .nonce = "0123456789abcdef0123456789abcdef" };
	struct digest document;
	scratch_make();
	planner = new_key(), approver = new_key(), host = new_key(), stranger = new_key();
	make_policy();
	OK(bundle_edit("x.docket", NULL, false, &edit, &err));
	db = bundle_edit_db(edit);
	bundle_fill(db, SCHEMAS);
	document_text(db, SCHEMAS, &json);
	digest_of(json.data, json.len, &statement.document);
	statement.document_size = (int64_t)json.len;
	OK(plan_statement_write(&statement, &text, &err));
	document_store(db, &json, text.data, text.len, &document);
	digest_of(text.data, text.len, &plan);
	put_signature(planner, NAMESPACE_PLAN, &text);
	buf_release(&json);
	buf_release(&text);
}

static void end(void)
{
	trust_close(trust);
	ssh_private_key_free(planner);
	ssh_private_key_free(approver);
	ssh_private_key_free(host);
	ssh_private_key_free(stranger);
	scratch_drop();
}

TestSuite(audit, .init = begin, .fini = end, .timeout = 60);

/* --- records --- */

static struct record_chain chain;
static int64_t clock_us;

static void put_record(struct buf *body, const struct ssh_private_key *key)
{
	struct err err = ERR_INIT;
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	struct db_query *query = NULL;
	int64_t seq = chain.seq;
	OK(record_seal(&chain, body, &err));
	OK(db_prepare(db, "INSERT INTO receipt VALUES (?1, ?2, ?3, ?4)", &query, &err));
	db_bind_text(query, 1, chain.run);
	db_bind_int64(query, 2, seq);
	db_bind_blob(query, 3, body->data, body->len);
	if (key) {
		OK(sshsig_sign(key, NAMESPACE_RESULT, body->data, body->len, &blob, &err));
		db_bind_blob(query, 4, blob.data, blob.len);
	} else {
		db_bind_null(query, 4);
	}
	OK(db_run(query, &err));
	db_finish(query);
	buf_release(&blob);
}

static void checkpoint(const struct ssh_private_key *key)
{
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	record_begin(&chain, &body, "checkpoint", clock_us);
	record_key_digest(&body, "plan", &plan);
	put_record(&body, key);
	buf_release(&body);
}

static void start_run(const char *run, int64_t at_us)
{
	struct err err = ERR_INIT;
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	struct db_query *query = NULL;
	clock_us = at_us;
	record_chain_start(&chain, run, &plan);
	OK(db_prepare(db, "INSERT INTO run VALUES (?1, ?2, ?3)", &query, &err));
	db_bind_text(query, 1, run);
	db_bind_blob(query, 2, plan.bytes, DIGEST_SIZE);
	db_bind_int64(query, 3, at_us);
	OK(db_run(query, &err));
	db_finish(query);
	record_begin(&chain, &body, "run-start", at_us);
	record_key_digest(&body, "plan", &plan);
	record_key(&body, "program", "pgdocket-apply 0.1.0");
	record_key(&body, "uid", "1001");
	record_key(&body, "host", "ops1");
	put_record(&body, NULL);
	buf_release(&body);
	checkpoint(host);
}

static void put_segment(const char *type, const char *schema, int segment, const char *state, const char *shape)
{
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	struct digest state_digest, shape_digest;
	digest_of(state, strlen(state), &state_digest);
	digest_of(shape, strlen(shape), &shape_digest);
	record_begin(&chain, &body, type, clock_us += 1000);
	record_key(&body, "schema", schema);
	record_key_int64(&body, "oid", 1000);
	record_key_int64(&body, "segment", segment);
	record_key_int64(&body, "class", 1);
	record_key(&body, "wave", "rest");
	record_key(&body, "xid", "741");
	record_key_digest(&body, "state-after", &state_digest);
	record_key_digest(&body, "shape-after", &shape_digest);
	record_key_int64(&body, "attempts", 1);
	record_key_int64(&body, "duration-us", 2500);
	put_record(&body, NULL);
	buf_release(&body);
}

static void segment(const char *schema, int number)
{
	put_segment("segment", schema, number, number == 1 ? "golang-migrate\n1 f\n" : "golang-migrate\n2 f\n",
	            number == 1 ? "one" : "two");
}

static void failure(const char *type, const char *schema)
{
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	record_begin(&chain, &body, type, clock_us += 1000);
	if (schema) {
		record_key(&body, "schema", schema);
		record_key_int64(&body, "segment", 1);
	}
	record_key(&body, "sqlstate", "55P03");
	record_key(&body, "message", "canceling statement due to lock timeout");
	put_record(&body, NULL);
	buf_release(&body);
}

static void end_run(const char *result, int segments, int retries)
{
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	record_begin(&chain, &body, "run-end", clock_us += 1000);
	record_key(&body, "result", result);
	record_key_int64(&body, "segments", segments);
	record_key_int64(&body, "retries", retries);
	put_record(&body, NULL);
	checkpoint(host);
	buf_release(&body);
}

static void whole_run(void)
{
	decide(true, planned_us + HOUR);
	start_run(RUN, planned_us + 2 * HOUR);
	for (int i = 0; i < SCHEMAS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "tenant_%05d", i);
		segment(name, 1);
		segment(name, 2);
	}
	end_run("complete", 2 * SCHEMAS, 0);
}

/* --- audits, a month later --- */

static struct audit *audit_at(int64_t now_us, struct err *err)
{
	struct audit *audit = NULL;
	struct err first = ERR_INIT;
	if (edit) {
		cr_assert_eq(bundle_edit_commit(edit, &first), 0, "%s", first.message);
		edit = NULL;
	}
	if (audit_read("x.docket", trust, now_us, &audit, err))
		cr_assert(err->code && err->message[0]);
	return audit;
}

static void expect(bool complete, const char *const *texts)
{
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT(1u << 20);
	struct audit *audit = audit_at(planned_us + 30 * DAY, &err);
	cr_assert(audit, "%s", err.message);
	OK(audit_report(audit, NULL, false, &out, &err));
	for (; *texts; texts++)
		cr_assert(strstr(out.data, *texts), "%s is missing in\n%s", *texts, out.data);
	cr_assert_eq(audit_complete(audit), complete, "%s", out.data);
	buf_clear(&out);
	OK(audit_report_json(audit, NULL, &out, &err));
	buf_release(&out);
	audit_free(audit);
}
#define EXPECT(complete, ...) expect(complete, (const char *const[]){ __VA_ARGS__, NULL })

static void refused(const char *reason, const char *text)
{
	struct err err = ERR_INIT;
	cr_assert_null(audit_at(planned_us + 30 * DAY, &err));
	cr_assert_eq(err_exit_status(&err), 3, "%d: %s", (int)err.code, err.message);
	cr_assert_str_eq(err.reason, reason, "%s", err.message);
	cr_assert(strstr(err.message, text), "%s", err.message);
}

/* Change the finished file as its holder could. */
static void alter(const char *sql)
{
	struct err err = ERR_INIT;
	struct bundle *bundle = NULL;
	struct bundle_edit *change = NULL;
	OK(bundle_edit_commit(edit, &err));
	edit = NULL;
	OK(bundle_open("x.docket", &bundle, &err));
	OK(bundle_edit("x.docket", bundle, true, &change, &err));
	OK(db_exec(bundle_edit_db(change), sql, &err));
	OK(bundle_edit_commit(change, &err));
	bundle_close(bundle);
}

Test(audit, complete)
{
	whole_run();
	EXPECT(true, "planned by  alice@example.com", "approved by bob@example.com", "\"looks right\"", "ticket CHG1",
	       "dave@example.com, uid 1001 on ops1, pgdocket-apply 0.1.0", "(host1)", "expired since", "6 segments",
	       "3 schemas: 3 done", "migrations: 1_first 2_second", "verified and complete: 3 of 3 schemas");
}

Test(audit, one_schema)
{
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT(1u << 20);
	whole_run();
	struct audit *audit = audit_at(planned_us + 3 * HOUR, &err);
	OK(audit_report(audit, "tenant_00001", false, &out, &err));
	cr_assert(strstr(out.data, "tenant_00001 (oid 1001), class 1, wave rest: done, 2 of 2 segments"), "%s", out.data);
	cr_assert(strstr(out.data, "segment 2 done in 0.003 s, transaction 741"), "%s", out.data);
	cr_assert_null(strstr(out.data, "tenant_00002"));
	buf_clear(&out);
	FAILS(audit_report(audit, "tenant_9", false, &out, &err), ERR_USAGE);
	FAILS(audit_report_json(audit, "tenant_9", &out, &err), ERR_USAGE);
	err_clear(&err);
	OK(audit_report_json(audit, "tenant_00001", &out, &err));
	cr_assert(strstr(out.data, "\"records\":[{\"type\":\"segment\""), "%s", out.data);
	buf_release(&out);
	audit_free(audit);
}

Test(audit, failed_and_left)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + HOUR);
	segment("tenant_00000", 1);
	failure("retry", "tenant_00001");
	failure("error", "tenant_00001");
	failure("error", NULL);
	end_run("incomplete", 1, 1);
	EXPECT(false, "1 segment, 1 retry", "1 failed, 1 partly done, 1 not begun", "tenant_00000: partly done, 1 of 2 segments done",
	       "tenant_00001: failed, 0 of 2 segments done, SQLSTATE 55P03: canceling statement", "tenant_00002: not begun",
	       "error SQLSTATE 55P03", "not complete: 0 of 3 schemas");
}

Test(audit, resumed_by_a_second_run)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + HOUR);
	segment("tenant_00000", 1);
	checkpoint(host);
	start_run(RUN_2, planned_us + 2 * HOUR);
	put_segment("reconcile", "tenant_00000", 2, "golang-migrate\n2 f\n", "two");
	for (int i = 1; i <= 2; i++) {
		segment("tenant_00001", i);
		segment("tenant_00002", i);
	}
	struct buf body = BUF_INIT(RECORD_MAX_BYTES);
	record_begin(&chain, &body, "run-end", clock_us);
	record_key(&body, "result", "complete");
	record_key_int64(&body, "segments", 4);
	record_key_int64(&body, "reconciled", 1);
	put_record(&body, NULL);
	checkpoint(host);
	buf_release(&body);
	EXPECT(true, "01234567", "no end recorded", "fedcba98", "1 taken from the ledger", "verified and complete");
}

Test(audit, not_run)
{
	decide(true, planned_us);
	EXPECT(false, "not approved", "verified, not approved, not run");
}

Test(audit, not_approved_and_not_run)
{
	EXPECT(false, "approvals   0 of 1 required", "not approved, not run");
}

Test(audit, run_without_quorum)
{
	start_run(RUN, planned_us + HOUR);
	end_run("incomplete", 0, 0);
	refused("quorum", "when run 01234567 began");
}

Test(audit, run_after_expiry)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + 10 * DAY);
	end_run("incomplete", 0, 0);
	refused("expired", "when run 01234567 began");
}

/* A01: the end cut off, with and without its checkpoint. */
Test(audit, last_records_dropped)
{
	whole_run();
	alter("DELETE FROM receipt WHERE seq >= 4");
	EXPECT(false, "2 records stand behind the last checkpoint and prove nothing", "not complete: 0 of 3 schemas");
}

Test(audit, end_of_run_dropped)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + HOUR);
	for (int i = 1; i <= 2; i++) {
		segment("tenant_00000", i);
		segment("tenant_00001", i);
		segment("tenant_00002", i);
	}
	checkpoint(host);
	end_run("complete", 6, 0);
	alter("DELETE FROM receipt WHERE seq >= 9");
	EXPECT(false, "no end recorded", "not complete: 3 of 3 schemas; the end of the run is not recorded");
}

Test(audit, all_checkpoints_dropped)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + HOUR);
	alter("DELETE FROM receipt WHERE seq >= 1");
	refused("audit", "no checkpoint");
}

Test(audit, records_added_behind_the_last_checkpoint)
{
	whole_run();
	segment("tenant_00000", 1);
	refused("audit", "behind run-end");
}

/* A02 */
Test(audit, record_edited)
{
	whole_run();
	alter("UPDATE receipt SET body = CAST(replace(CAST(body AS TEXT), 'xid: 741', 'xid: 742') AS BLOB) WHERE seq = 3");
	refused("audit", "record 4");
}

Test(audit, record_deleted)
{
	whole_run();
	alter("DELETE FROM receipt WHERE seq = 3");
	refused("audit", "record 4");
}

Test(audit, records_swapped)
{
	whole_run();
	alter("UPDATE receipt SET seq = CASE seq WHEN 3 THEN 1004 ELSE 1003 END WHERE seq IN (3, 4);"
	      "UPDATE receipt SET seq = seq - 1000 WHERE seq > 1000");
	refused("audit", "record 3");
}

Test(audit, run_taken_out)
{
	whole_run();
	alter("DELETE FROM receipt");
	refused("audit", "no records");
}

/* A03 */
Test(audit, checkpoint_of_a_stranger)
{
	decide(true, planned_us);
	struct ssh_private_key *honest = host;
	host = stranger;
	start_run(RUN, planned_us + HOUR);
	end_run("incomplete", 0, 0);
	host = honest;
	refused("audit", "which the policy knows as no host");
}

Test(audit, checkpoint_of_an_approver)
{
	decide(true, planned_us);
	struct ssh_private_key *honest = host;
	host = approver;
	start_run(RUN, planned_us + HOUR);
	end_run("incomplete", 0, 0);
	host = honest;
	refused("audit", "which the policy knows as no host");
}

/* A07 */
Test(audit, results_of_another_plan)
{
	decide(true, planned_us);
	plan.bytes[0] ^= 1;
	start_run(RUN, planned_us + HOUR);
	end_run("incomplete", 0, 0);
	refused("audit", "another plan");
}

struct lie { const char *schema; int segment; const char *state, *shape, *says; };
static void tell(const struct lie *lie)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + HOUR);
	segment("tenant_00000", 1);
	put_segment("segment", lie->schema, lie->segment, lie->state, lie->shape);
	end_run("incomplete", 2, 0);
	refused("audit", lie->says);
}

Test(audit, unknown_schema)
{
	tell(&(struct lie){ "tenant_x", 1, "golang-migrate\n1 f\n", "one", "a schema that the plan does not have" });
}

Test(audit, unknown_segment)
{
	tell(&(struct lie){ "tenant_00001", 3, "golang-migrate\n2 f\n", "one", "no such segment" });
}

Test(audit, another_state)
{
	tell(&(struct lie){ "tenant_00001", 1, "golang-migrate\n9 f\n", "one", "state after is not the plan's" });
}

Test(audit, another_shape)
{
	tell(&(struct lie){ "tenant_00001", 1, "golang-migrate\n1 f\n", "other", "not that of the other schemas" });
}

Test(audit, done_twice)
{
	tell(&(struct lie){ "tenant_00000", 1, "golang-migrate\n1 f\n", "one", "done before" });
}

Test(audit, counts_that_do_not_hold)
{
	decide(true, planned_us);
	start_run(RUN, planned_us + HOUR);
	segment("tenant_00000", 1);
	end_run("incomplete", 2, 0);
	refused("audit", "it counts 2 segments, the run's records 1");
}

Test(audit, rejected_before_the_run)
{
	decide(false, planned_us);
	start_run(RUN, planned_us + HOUR);
	end_run("incomplete", 0, 0);
	refused("rejected", "when run 01234567 began");
}
