/* The policy directory, fail closed, and its judgement of plans. Times are given, keys are made here. */
#include <time.h>
#include "clock.h"
#include "digest.h"
#include "file.h"
#include "signature.h"
#include "trust.h"
#include "trust_fixture.h"

static struct err err = ERR_INIT;
static struct test_key alice, bob, carol, bob_two, mallory;
static struct trust *trust;
static struct bundle_edit *edit;
static struct db *db;
static struct plan_statement statement;
static struct buf plan_bytes = BUF_INIT(STATEMENT_MAX_BYTES);
static struct trust_result result;
static char host_fingerprint[SSHSIG_FINGERPRINT_SIZE];

#define HOUR (INT64_C(3600) * 1000000)
#define DAY (24 * HOUR)
#define NOW (INT64_C(1795336200) * 1000000) /* 2026-11-22T08:30:00Z */

static void add(enum trust_role role, const char *who, const struct test_key *key)
{
	bool added;
	OK(trust_add("pol", role, who, &key->public, &added, &err));
	cr_assert(added);
}

static void start(void)
{
	scratch_make();
	alice = test_key_new();
	bob = test_key_new();
	carol = test_key_new();
	bob_two = test_key_new();
	mallory = test_key_new();
	OK(trust_init("pol", "prod-1", host_fingerprint, &err));
	add(ROLE_PLANNER, "alice@x", &alice);
	add(ROLE_APPROVER, "bob@x", &bob);
	add(ROLE_APPROVER, "bob@x", &bob_two);
	add(ROLE_APPROVER, "carol@x", &carol);
	OK(bundle_edit("b.docket", NULL, false, &edit, &err));
	db = bundle_edit_db(edit);
	memset(&statement, 0, sizeof statement);
	statement.document_size = 1;
	strcpy(statement.label, "prod-1");
	strcpy(statement.system_identifier, "1");
	statement.database_oid = 5;
	strcpy(statement.database, "app");
	statement.server_major = 15;
	strcpy(statement.apply_host, host_fingerprint);
	statement.created_us = statement.not_before_us = NOW - HOUR;
	statement.expires_us = NOW + DAY;
	strcpy(statement.ticket, "CHG1");
	OK(plan_statement_nonce(statement.nonce, &err));
}

static void stop(void)
{
	trust_close(trust);
	bundle_edit_abort(edit);
	buf_release(&plan_bytes);
	test_key_free(&alice);
	test_key_free(&bob);
	test_key_free(&carol);
	test_key_free(&bob_two);
	test_key_free(&mallory);
	scratch_drop();
}
TestSuite(trust, .init = start, .fini = stop);

static void put_plan(void)
{
	struct db_query *query = NULL;
	buf_clear(&plan_bytes);
	OK(plan_statement_write(&statement, &plan_bytes, &err));
	OK(db_prepare(db, "INSERT INTO plan VALUES (1, ?1, zeroblob(32))", &query, &err));
	db_bind_blob(query, 1, plan_bytes.data, plan_bytes.len);
	OK(db_run(query, &err));
	db_finish(query);
}

static void put(const struct test_key *key, const char *name_space, const struct buf *message)
{
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES);
	bool added;
	OK(sshsig_sign(key->private, name_space, message->data, message->len, &blob, &err));
	struct signature row = { name_space, message->data, message->len, (uint8_t *)blob.data, blob.len };
	OK(signature_put(db, &row, NULL, &added, &err));
	buf_release(&blob);
}

static void sign_plan(const struct test_key *key)
{
	put(key, NAMESPACE_PLAN, &plan_bytes);
}

static struct approval vote_of(const char *who, bool yes)
{
	struct approval vote = { .approve = yes, .signed_at_us = NOW - HOUR, .expires_us = NOW + DAY };
	digest_of(plan_bytes.data, plan_bytes.len, &vote.plan);
	strcpy(vote.approver, who);
	strcpy(vote.ticket, "CHG1");
	strcpy(vote.comment, "none");
	OK(plan_statement_nonce(vote.nonce, &err));
	return vote;
}

static void put_vote(const struct test_key *key, const char *name_space, const struct approval *vote)
{
	struct buf bytes = BUF_INIT(STATEMENT_MAX_BYTES);
	OK(approval_write(vote, &bytes, &err));
	put(key, name_space, &bytes);
	buf_release(&bytes);
}

static void approve(const struct test_key *key, const char *who)
{
	struct approval vote = vote_of(who, true);
	put_vote(key, NAMESPACE_APPROVE, &vote);
}

/* policy.conf with these lines besides the label. */
static void policy(const char *lines)
{
	struct buf text = BUF_INIT(65536);
	buf_add_format(&text, "label: prod-1\n%s", lines);
	OK(file_replace("pol/policy.conf", 0644, text.data, text.len, &err));
	buf_release(&text);
	trust_close(trust);
	trust = NULL;
}

static int judge_at(int64_t now, const char *operator_name)
{
	err_clear(&err);
	if (!trust)
		OK(trust_open("pol", true, &trust, &err));
	return trust_judge(trust, db, now, operator_name, &result, &err);
}

static void accepts(void)
{
	cr_assert_eq(judge_at(NOW, NULL), 0, "%s", err.message);
}

static void refuses(const char *reason, const char *says)
{
	cr_assert_eq(judge_at(NOW, NULL), -1, "accepted");
	cr_assert_eq(err.code, ERR_REFUSED, "%s", err.message);
	cr_assert_str_eq(err.reason, reason, "%s: %s", err.reason, err.message);
	cr_assert(strstr(err.message, says), "%s", err.message);
}

/* A signed plan and one approval under "require: approve 1". */
static void simple(void)
{
	put_plan();
	sign_plan(&alice);
	approve(&bob, "bob@x");
}

Test(trust, a_good_plan)
{
	simple();
	accepts();
	cr_assert_str_eq(result.planner, "alice@x");
	cr_assert_eq(result.approvals, 1);
	cr_assert_eq(result.approvals_required, 1);
	cr_assert_eq(result.signatures, 2);
	cr_assert_eq(result.signature[1].verdict, VERDICT_COUNTS);
	cr_assert_str_eq(result.signature[1].principal, "bob@x");
	cr_assert_not(result.expired);
	cr_assert_not(result.apply_host_unchecked);
}

Test(trust, no_plan)
{
	cr_assert_eq(judge_at(NOW, NULL), -1);
	cr_assert_eq(err.code, ERR_PLAN);
}

Test(trust, damaged_statement)
{
	put_plan();
	OK(db_exec(db, "UPDATE plan SET statement = CAST(statement || 'x' AS BLOB)", &err));
	cr_assert_eq(judge_at(NOW, NULL), -1);
	cr_assert_eq(err.code, ERR_FORMAT);
	cr_assert_str_eq(err.reason, "statement");
}

Test(trust, S01_every_byte_of_the_signature_row)
{
	simple();
	static const char *const columns[] = { "statement", "key", "body", "signature" };
	for (size_t c = 0; c < 4; c++) {
		int64_t len;
		char sql[300];
		snprintf(sql, sizeof sql, "SELECT length(%s) FROM signature WHERE namespace LIKE 'plan%%'", columns[c]);
		OK(db_value_int64(db, sql, &len, &err));
		for (int64_t i = 0; i < len; i++) {
			OK(db_begin(db, &err) ? (err_clear(&err), 0) : 0);
			OK(db_exec(db, "SAVEPOINT flip", &err));
			struct db_query *query = NULL;
			snprintf(sql, sizeof sql,
			         "UPDATE signature SET %s = CAST(substr(%s, 1, ?1) || CASE substr(%s, ?1 + 1, 1) "
			         "WHEN x'41' THEN x'42' ELSE x'41' END || substr(%s, ?1 + 2) AS BLOB) WHERE namespace LIKE 'plan%%'",
			         columns[c], columns[c], columns[c], columns[c]);
			OK(db_prepare(db, sql, &query, &err));
			db_bind_int64(query, 1, i);
			OK(db_run(query, &err));
			db_finish(query);
			cr_assert_eq(judge_at(NOW, NULL), -1, "%s byte %d", columns[c], (int)i);
			err_clear(&err);
			OK(db_exec(db, "ROLLBACK TO flip", &err));
			OK(db_exec(db, "RELEASE flip", &err));
		}
	}
	accepts();
}

Test(trust, unsigned_plan)
{
	put_plan();
	approve(&bob, "bob@x");
	refuses("signature", "0 of 1");
}

Test(trust, signed_by_a_stranger)
{
	put_plan();
	sign_plan(&mallory);
	approve(&bob, "bob@x");
	refuses("signature", "not in allowed_signers");
}

Test(trust, S02_one_approver_twice)
{
	policy("require: approve 2\n");
	simple();
	approve(&bob, "bob@x");
	refuses("quorum", "1 of 2");
}

Test(trust, S03_one_approver_with_two_keys)
{
	policy("require: approve 2\n");
	simple();
	approve(&bob_two, "bob@x");
	refuses("quorum", "1 of 2");
	approve(&carol, "carol@x");
	accepts();
	cr_assert_eq(result.approvals, 2);
}

Test(trust, S07_wrong_namespaces)
{
	put_plan();
	sign_plan(&alice);
	static const char *const others[] = { NAMESPACE_PLAN, "git", "file", NAMESPACE_RESULT };
	for (int i = 0; i < 4; i++) {
		struct approval vote = vote_of("bob@x", true);
		put_vote(&bob, others[i], &vote);
	}
	refuses("quorum", "0 of 1");
	/* The row says approve, the signature git. */
	OK(db_exec(db, "UPDATE signature SET namespace = 'approve.v1@pgdocket' WHERE namespace = 'git'", &err));
	refuses("quorum", "namespace");
}

Test(trust, S08_planner_may_not_approve)
{
	add(ROLE_APPROVER, "alice@x", &alice);
	put_plan();
	sign_plan(&alice);
	approve(&alice, "alice@x");
	refuses("quorum", "planned");
	policy("require: approve 1\ndistinct: planner operator\n");
	trust_close(trust);
	trust = NULL;
	/* "distinct" is taken as it stands: planner and approver may now be one, but the host must know its operator. */
	cr_assert_eq(judge_at(NOW, "dave@x"), 0, "%s", err.message);
	cr_assert_eq(judge_at(NOW, "alice@x"), -1);
	cr_assert_str_eq(err.reason, "quorum");
	cr_assert_eq(judge_at(NOW, NULL), -1);
	cr_assert_str_eq(err.reason, "quorum");
}

Test(trust, operator_may_not_approve)
{
	policy("require: approve 1\ndistinct: planner approver operator\n");
	simple();
	cr_assert_eq(judge_at(NOW, "bob@x"), -1);
	cr_assert(strstr(err.message, "applies"), "%s", err.message);
	cr_assert_eq(judge_at(NOW, "dave@x"), 0, "%s", err.message);
}

Test(trust, S09_approver_may_not_plan)
{
	put_plan();
	sign_plan(&bob);
	approve(&carol, "carol@x");
	refuses("signature", "may not sign plans");
}

Test(trust, S12_times)
{
	simple();
	cr_assert_eq(judge_at(statement.expires_us, NULL), 0, "%s", err.message);
	cr_assert_not(result.expired);
	/* Within resume-grace it is noted; run refuses it unless the plan has begun. */
	cr_assert_eq(judge_at(statement.expires_us + 1000000, NULL), 0, "%s", err.message);
	cr_assert(result.expired);
	cr_assert_eq(judge_at(statement.expires_us + DAY, NULL), -1);
	cr_assert_str_eq(err.reason, "expired");
	cr_assert_eq(judge_at(statement.not_before_us - 1000000, NULL), -1);
	cr_assert_str_eq(err.reason, "not-yet");
	policy("require: approve 1\nresume-grace: 0s\n");
	cr_assert_eq(judge_at(statement.expires_us + 1000000, NULL), -1);
	cr_assert_str_eq(err.reason, "expired");
}

Test(trust, approvals_expire_on_their_own)
{
	put_plan();
	sign_plan(&alice);
	struct approval vote = vote_of("bob@x", true);
	vote.expires_us = NOW - HOUR;
	put_vote(&bob, NAMESPACE_APPROVE, &vote);
	accepts();
	cr_assert(result.expired);
	/* With a fresh one the late one is not needed. */
	approve(&carol, "carol@x");
	accepts();
	cr_assert_not(result.expired);
	cr_assert_eq(result.approvals, 1);
	policy("require: approve 2\nresume-grace: 10min\n");
	refuses("quorum", "1 of 2");
}

Test(trust, a_renewed_approval_counts)
{
	policy("require: approve 2\n");
	put_plan();
	sign_plan(&alice);
	for (int i = 0; i < 8; i++) { /* rows stand in the order of random digests */
		struct approval vote = vote_of("bob@x", true);
		vote.expires_us = i % 2 ? NOW + DAY : NOW - HOUR;
		put_vote(&bob, NAMESPACE_APPROVE, &vote);
	}
	struct approval late = vote_of("carol@x", true);
	late.expires_us = NOW - HOUR;
	put_vote(&carol, NAMESPACE_APPROVE, &late);
	accepts();
	cr_assert(result.expired);
	cr_assert_eq(result.approvals, 2);
	int counts = 0;
	for (size_t i = 1; i < result.signatures; i++)
		counts += result.signature[i].verdict == VERDICT_COUNTS;
	cr_assert_eq(counts, 2);
}

Test(trust, plans_grow_old)
{
	statement.expires_us = NOW + 400 * DAY;
	simple();
	policy("require: approve 1\nmax-plan-age: 14d\n");
	cr_assert_eq(judge_at(statement.created_us + 14 * DAY, NULL), -1);
	cr_assert_str_eq(err.reason, "quorum", "%s", err.message); /* the approval has expired by then */
	struct approval vote = vote_of("carol@x", true);
	vote.expires_us = NOW + 400 * DAY;
	put_vote(&carol, NAMESPACE_APPROVE, &vote);
	cr_assert_eq(judge_at(statement.created_us + 14 * DAY, NULL), 0, "%s", err.message);
	cr_assert_eq(judge_at(statement.created_us + 16 * DAY, NULL), -1);
	cr_assert_str_eq(err.reason, "age");
}

static void signers_line(const char *who, const char *options, const struct test_key *key)
{
	struct buf text = BUF_INIT(65536);
	OK(file_read("pol/allowed_signers", 0, &text, &err));
	buf_add_format(&text, "%s %s ", who, options);
	OK(ssh_public_key_write(&key->public, NULL, &text, &err));
	OK(file_replace("pol/allowed_signers", 0644, text.data, text.len, &err));
	buf_release(&text);
	trust_close(trust);
	trust = NULL;
}

Test(trust, S15_a_key_past_its_time)
{
	/* signed-at lies before the end, which is only a claim */
	signers_line("dora@x", "namespaces=\"approve.v1@pgdocket\",valid-before=\"20261122083000Z\"", &mallory);
	put_plan();
	sign_plan(&alice);
	approve(&mallory, "dora@x");
	refuses("quorum", "not valid any more");
	cr_assert_eq(judge_at(NOW - 1, NULL), 0, "%s", err.message);
}

Test(trust, a_key_before_its_time)
{
	signers_line("dora@x", "namespaces=\"approve.v1@pgdocket\",valid-after=\"202611220831Z\"", &mallory);
	put_plan();
	sign_plan(&alice);
	approve(&mallory, "dora@x");
	refuses("quorum", "not valid yet");
	cr_assert_eq(judge_at(NOW + 60 * INT64_C(1000000), NULL), 0, "%s", err.message);
}

static void revoke_line(const char *file, const char *line)
{
	struct buf text = BUF_INIT(65536);
	OK(file_read(file, 0, &text, &err));
	buf_add_text(&text, line);
	OK(file_replace(file, 0644, text.data, text.len, &err));
	buf_release(&text);
	trust_close(trust);
	trust = NULL;
}

static void revoke_key(const struct test_key *key)
{
	struct buf line = BUF_INIT(65536);
	OK(ssh_public_key_write(&key->public, "lost laptop", &line, &err));
	revoke_line("pol/revoked_keys", line.data);
	buf_release(&line);
}

Test(trust, S16_revoked_keys)
{
	const char *who;
	simple();
	accepts();
	revoke_key(&bob);
	refuses("quorum", "revoked");
	cr_assert_not(trust_signer(trust, &bob.public, NAMESPACE_APPROVE, NOW, &who));
	approve(&carol, "carol@x");
	accepts();
	revoke_key(&alice);
	refuses("signature", "revoked");
}

Test(trust, revoked_plans)
{
	struct digest plan;
	char hex[DIGEST_HEX_SIZE], line[100];
	simple();
	accepts();
	digest_of(plan_bytes.data, plan_bytes.len, &plan);
	digest_hex(&plan, hex);
	snprintf(line, sizeof line, "# stopped by Carol\nsha256:%s\n", hex);
	revoke_line("pol/revoked_plans", line);
	refuses("revoked", "revoked_plans");
}

Test(trust, S17_a_rejection_is_a_veto)
{
	simple();
	struct approval no = vote_of("carol@x", false);
	strcpy(no.comment, "locks the users table");
	no.expires_us = NOW - 30 * DAY; /* it stands for ever */
	put_vote(&carol, NAMESPACE_APPROVE, &no);
	refuses("rejected", "carol@x rejected the plan: locks the users table");
	cr_assert_eq(result.approvals_required, 1);
	policy("require: approve 1\nreject-is-veto: no\n");
	accepts();
	/* What a carrier takes out cannot be missed. */
	policy("require: approve 1\n");
	OK(db_exec(db, "DELETE FROM signature WHERE instr(body, 'reject') > 0", &err));
	accepts();
}

Test(trust, a_stranger_rejects_nothing)
{
	simple();
	struct approval no = vote_of("bob@x", false);
	put_vote(&mallory, NAMESPACE_APPROVE, &no);
	put_vote(&alice, NAMESPACE_APPROVE, &no);
	accepts();
}

Test(trust, who_rejects_does_not_approve)
{
	policy("require: approve 1\nreject-is-veto: no\n");
	simple();
	struct approval no = vote_of("bob@x", false);
	put_vote(&bob, NAMESPACE_APPROVE, &no);
	refuses("quorum", "0 of 1");
}

Test(trust, approvals_of_another_plan_or_person)
{
	put_plan();
	sign_plan(&alice);
	struct approval vote = vote_of("bob@x", true);
	vote.plan.bytes[0] ^= 1;
	put_vote(&bob, NAMESPACE_APPROVE, &vote);
	refuses("quorum", "another plan");
	vote = vote_of("carol@x", true);
	put_vote(&bob, NAMESPACE_APPROVE, &vote);
	refuses("quorum", "0 of 1");
}

Test(trust, groups)
{
	policy("require: approve 1\ngroup: dba carol@x dave@x\nrequire-group: dba 1\n");
	simple();
	refuses("quorum", "group dba");
	approve(&carol, "carol@x");
	accepts();
}

Test(trust, no_approval_needed)
{
	policy("require: approve 0\n");
	put_plan();
	sign_plan(&alice);
	accepts();
}

Test(trust, hardware_keys_wanted)
{
	policy("require: approve 1\nrequire-sk: yes\n");
	simple();
	refuses("quorum", "hardware");
}

Test(trust, label)
{
	strcpy(statement.label, "prod-2");
	simple();
	refuses("label", "prod-2");
}

Test(trust, S14_apply_host)
{
	strcpy(statement.apply_host, "SHA256:TasgGLCuyhQCSLip6yPpS9naYc5uWvXqvpyXPdUP2GM");
	simple();
	refuses("apply-host", host_fingerprint);
	/* A desk has no host key: said, not refused. */
	cr_assert_eq(unlink("pol/host_key.pem"), 0);
	trust_close(trust);
	trust = NULL;
	accepts();
	cr_assert(result.apply_host_unchecked);
}

Test(trust, any_host)
{
	strcpy(statement.apply_host, "any");
	simple();
	refuses("apply-host", "any host");
	policy("require: approve 1\nrequire-apply-host: no\n");
	accepts();
}

Test(trust, junk_in_a_signatures_place_is_replaced)
{
	simple();
	OK(db_exec(db, "UPDATE signature SET signature = randomblob(150) WHERE namespace LIKE 'plan%'", &err));
	refuses("signature", "0 of 1");
	sign_plan(&alice);
	accepts();
}

Test(trust, S28_junk)
{
	simple();
	OK(db_exec(db,
	           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
	           "INSERT INTO signature SELECT randomblob(32), randomblob(32), 'approve.v1@pgdocket', randomblob(300), randomblob(200) "
	           "FROM n", &err));
	OK(trust_open("pol", true, &trust, &err));
	clock_t before = clock();
	accepts();
	cr_assert_lt(clock() - before, CLOCKS_PER_SEC); /* of the processor, however busy it is */
	cr_assert_eq(result.signatures, TRUST_SIGNATURES_MAX);
	cr_assert_eq(result.ignored_rows, 100002 - TRUST_SIGNATURES_MAX);
}

/* Junk that claims a known key is examined, but no more than TRUST_SIGNATURES_MAX of it: at worst too few approvals. */
Test(trust, S28_junk_under_a_known_key)
{
	struct db_query *query = NULL;
	struct digest known;
	simple();
	ssh_public_key_digest(&bob.public, &known);
	OK(db_prepare(db,
	              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
	              "INSERT INTO signature SELECT randomblob(32), ?1, 'approve.v1@pgdocket', randomblob(300), randomblob(200) "
	              "FROM n", &query, &err));
	db_bind_blob(query, 1, known.bytes, DIGEST_SIZE);
	OK(db_run(query, &err));
	db_finish(query);
	OK(trust_open("pol", true, &trust, &err));
	clock_t before = clock();
	/* Bob's true row is among the first 64 once in 1,600 times. */
	if (judge_at(NOW, NULL))
		cr_assert_str_eq(err.reason, "quorum");
	cr_assert_lt(clock() - before, CLOCKS_PER_SEC); /* of the processor, however busy it is */
	cr_assert_eq(result.signatures, TRUST_SIGNATURES_MAX);
}

/* --- the directory --- */

static void opens(void)
{
	trust_close(trust);
	trust = NULL;
	err_clear(&err);
	cr_assert_eq(trust_open("pol", true, &trust, &err), 0, "%s", err.message);
}

static void wont_open(const char *says)
{
	trust_close(trust);
	trust = NULL;
	err_clear(&err);
	cr_assert_eq(trust_open("pol", true, &trust, &err), -1, "opened, expected: %s", says);
	cr_assert_eq(err.code, ERR_REFUSED, "%s", err.message);
	cr_assert_str_eq(err.reason, "policy");
	cr_assert(strstr(err.message, says), "%s", err.message);
}

Test(trust, S27_missing_files)
{
	static const char *const files[] = { "policy.conf", "allowed_signers", "revoked_keys", "revoked_plans" };
	opens();
	for (size_t i = 0; i < 4; i++) {
		char path[50];
		snprintf(path, sizeof path, "pol/%s", files[i]);
		cr_assert_eq(rename(path, "away"), 0);
		wont_open(files[i]);
		cr_assert_eq(symlink("../away", path), 0);
		wont_open("symbolic link");
		cr_assert_eq(unlink(path), 0);
		cr_assert_eq(mkdir(path, 0700), 0);
		wont_open("regular");
		cr_assert_eq(rmdir(path), 0);
		cr_assert_eq(rename("away", path), 0);
		cr_assert_eq(chmod(path, 0664), 0);
		wont_open("others may write");
		cr_assert_eq(chmod(path, 0644), 0);
	}
	cr_assert_eq(truncate("pol/revoked_keys", 0), 0);
	opens();
}

Test(trust, S27_directories)
{
	cr_assert_eq(chmod("pol", 0775), 0);
	wont_open("others may write");
	cr_assert_eq(chmod("pol", 01777), 0);
	wont_open("others may write");
	cr_assert_eq(chmod("pol", 0755), 0);
	cr_assert_eq(chmod(".", 0777), 0);
	wont_open("others may write");
	cr_assert_eq(chmod(".", 01777), 0);
	opens();
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(rename("pol", "real"), 0);
	wont_open("no policy directory");
	cr_assert_eq(symlink("real", "pol"), 0);
	wont_open("no policy directory");
}

Test(trust, owners)
{
	if (geteuid() != 0)
		return;
	cr_assert_eq(chown("pol/policy.conf", 12345, 12345), 0);
	wont_open("another user");
	cr_assert_eq(chown("pol/policy.conf", 0, 0), 0);
	cr_assert_eq(chown("pol", 12345, 0), 0);
	wont_open("another user");
	/* A desk only reads: not strict. */
	OK(trust_open("pol", false, &trust, (err_clear(&err), &err)));
}

Test(trust, R14_host_key)
{
	cr_assert_eq(chmod("pol/host_key.pem", 0640), 0);
	wont_open("others may read");
	cr_assert_eq(chmod("pol/host_key.pem", 0600), 0);
	cr_assert_eq(system("openssl genpkey -algorithm RSA -out pol/host_key.pem 2>/dev/null; chmod 600 pol/host_key.pem"), 0);
	wont_open("RSA");
	cr_assert_eq(system("openssl genpkey -algorithm ed25519 -aes256 -pass pass:x -out pol/host_key.pem"), 0);
	wont_open("passphrase");
	cr_assert_eq(truncate("pol/host_key.pem", 0), 0);
	wont_open("PKCS#8");
}

Test(trust, policy_lines_that_are_refused)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "nonsense: 1\n", "line 2: there is no key \"nonsense\"" },
		{ "label: other\n", "line 2: label stands twice" },
		{ "require-tls: no\nrequire-tls: no\n", "line 3: require-tls stands twice" },
		{ "require-tls: maybe\n", "yes or no" },
		{ "require-tls:\n", "yes or no" },
		{ "require-tls\n", "key: value" },
		{ " require-tls: no\n", "no key" },
		{ "Require-TLS: no\n", "no key" },
		{ "require: plan 0\n", "plan N" },
		{ "require: approve -1\n", "approve N" },
		{ "require: approve 65\n", "approve N" },
		{ "require: approve 1\nrequire: approve 2\n", "line 3" },
		{ "require: cook 1\n", "plan N" },
		{ "require-group: dba 1\n", "group" },
		{ "group: dba bob@x\nrequire-group: dba 2\n", "line 3" },
		{ "group: dba bob@x bob@x\n", "group" },
		{ "group: dba\n", "group" },
		{ "group: dba b*\n", "group" },
		{ "group: dba bob@x\ngroup: dba carol@x\n", "line 3" },
		{ "distinct: planner\n", "distinct" },
		{ "distinct: planner planner\n", "distinct" },
		{ "distinct: planner cook\n", "distinct" },
		{ "uncovered: ignore\n", "report or refuse" },
		{ "max-plan-age: 14\n", "duration" },
		{ "max-plan-age: 99999999999999999d\n", "duration" },
		{ "operator: 1001 dave@x\n", "uid" },
		{ "operator: uid -1 dave@x\n", "uid" },
		{ "operator: uid 1 dave@x\noperator: uid 1 eve@x\n", "line 3" },
		{ "require-tls: no # on the desk\n", "yes or no" },
		{ "require-tls: no\r\n", "carriage return" },
		{ "require-tls: no\x01\n", "control character" },
		{ "conninfo-file: \xff\n", "UTF-8" },
		{ "skip-verify: yes\n", "no key" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		policy(cases[i].text);
		wont_open(cases[i].says);
	}
	OK(file_replace("pol/policy.conf", 0644, "# nothing\n", 10, (err_clear(&err), &err)));
	wont_open("label is missing");
}

Test(trust, policy_values)
{
	policy("conninfo-file: conn\nallow-root: no\nrequire-tls: no\nrequire-rehearsal: yes\nuncovered: refuse\n"
	       "max-clock-skew: 5s\nresume-grace: 1h\nmax-plan-age: 2d\noperator: uid 1001 dave@x\n\n# end\n");
	opens();
	cr_assert_str_eq(trust_policy(trust)->conninfo_file, "pol/conn");
	cr_assert(!trust_policy(trust)->allow_root && !trust_policy(trust)->require_tls && trust_policy(trust)->require_rehearsal);
	cr_assert(trust_policy(trust)->uncovered_refuse && trust_policy(trust)->require_apply_host);
	cr_assert_eq(trust_policy(trust)->max_clock_skew_ms, 5000);
	cr_assert_eq(trust_policy(trust)->resume_grace_ms, 3600000);
	cr_assert_eq(trust_policy(trust)->max_plan_age_ms, 2 * 86400000);
	cr_assert_str_eq(trust_operator(trust, 1001), "dave@x");
	cr_assert_null(trust_operator(trust, 1002));
	cr_assert_str_eq(trust_policy(trust)->label, "prod-1");
	policy("");
	opens();
	cr_assert_null(trust_policy(trust)->conninfo_file);
	cr_assert(trust_policy(trust)->allow_root && trust_policy(trust)->require_tls && !trust_policy(trust)->require_rehearsal);
}

static const char good_key[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICS4vN03xWgDdIB4+yOTmC2kocC3wlcTUoljSrggF0Xw";
#define PLAN "namespaces=\"plan.v1@pgdocket\""

static void signers_text(const char *format, ...)
{
	struct buf text = BUF_INIT(20u << 20);
	char *line = NULL;
	va_list args;
	va_start(args, format);
	cr_assert(vasprintf(&line, format, args) >= 0);
	va_end(args);
	buf_add_text(&text, line);
	OK(file_replace("pol/allowed_signers", 0644, text.data ? text.data : "", text.len, (err_clear(&err), &err)));
	free(line);
	buf_release(&text);
}

Test(trust, S19_allowed_signers)
{
	static const struct { const char *before, *says; } cases[] = {
		{ "*@x.org " PLAN " KEY", "line 1: one literal principal" },
		{ "a?@x.org " PLAN " KEY", "literal principal" },
		{ "!a@x.org " PLAN " KEY", "literal principal" },
		{ "a@x.org,b@x.org " PLAN " KEY", "literal principal" },
		{ "\"a@x.org\" " PLAN " KEY", "literal principal" },
		{ " a@x.org " PLAN " KEY", "literal principal" },
		{ "-a@x.org " PLAN " KEY", "literal principal" },
		{ "a@x.org KEY", "only the options" },
		{ "a@x.org", "options and a key" },
		{ "a@x.org " PLAN, "public key" },
		{ "a@x.org cert-authority," PLAN " KEY", "only the options" },
		{ "a@x.org " PLAN ",cert-authority KEY", "only the options" },
		{ "a@x.org role=\"planner\"," PLAN " KEY", "only the options" },
		{ "a@x.org valid-before=\"20300101Z\" KEY", "namespaces= is missing" },
		{ "a@x.org namespaces=\"git\" KEY", "namespaces= takes" },
		{ "a@x.org namespaces=\"plan.v1@pgdocket,git\" KEY", "namespaces= takes" },
		{ "a@x.org namespaces=\"*\" KEY", "namespaces= takes" },
		{ "a@x.org namespaces=\"\" KEY", "namespaces= takes" },
		{ "a@x.org namespaces=\"plan.v1@pgdocket,\" KEY", "namespaces= takes" },
		{ "a@x.org namespaces=\"plan.v1@pgdocket,plan.v1@pgdocket\" KEY", "namespaces= takes" },
		{ "a@x.org " PLAN "," PLAN " KEY", "twice" },
		{ "a@x.org namespaces=\"plan.v1@pgdocket KEY", "quote" },
		{ "a@x.org NAMESPACES=\"plan.v1@pgdocket\" KEY", "only the options" },
		{ "a@x.org " PLAN ",valid-before=\"20300101\" KEY", "with its Z" },
		{ "a@x.org " PLAN ",valid-before=\"203001011200\" KEY", "with its Z" },
		{ "a@x.org " PLAN ",valid-after=\"20300230Z\" KEY", "with its Z" },
		{ "a@x.org " PLAN ",valid-after=\"2030010Z\" KEY", "with its Z" },
		{ "a@x.org " PLAN ",valid-after=\"20300101Z\",valid-before=\"20290101Z\" KEY", "not later" },
		{ "a@x.org " PLAN " KEY\na@x.org " PLAN " KEY", "line 2: the key has this namespace already (line 1)" },
		{ "a@x.org " PLAN " KEY\nb@x.org namespaces=\"approve.v1@pgdocket\" KEY", "line 2: the key is another principal's" },
		{ "a@x.org " PLAN " KEY\r", "carriage return" },
		{ "a@x.org " PLAN " ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==", "unsupported key type" },
		{ "a@x.org " PLAN " ssh-ed25519 AAAA", "line 1" },
		{ "a@x.org " PLAN " KEY\ngarbage", "line 2" },
		{ "a@x.org " PLAN " KEY\n\n# ok\n\x80\x01", "line 4: control character" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf text = BUF_INIT(65536);
		for (const char *at = cases[i].before; *at; at++) {
			if (strncmp(at, "KEY", 3) == 0) {
				buf_add_text(&text, good_key);
				at += 2;
			} else {
				buf_add_char(&text, *at);
			}
		}
		signers_text("%s\n", text.data);
		wont_open(cases[i].says);
		buf_release(&text);
	}
	char *large = malloc(10 << 20);
	memset(large, '#', (10 << 20) - 1);
	large[(10 << 20) - 1] = '\0';
	signers_text("%s", large);
	wont_open("bytes");
	free(large);
}

Test(trust, allowed_signers_that_pass_are_ssh_keygens_too)
{
	struct buf blob = BUF_INIT(SSHSIG_MAX_BYTES), armor = BUF_INIT(65536);
	const char *who = NULL;
	signers_line("bob@x", "valid-after=\"20200101Z\",namespaces=\"plan.v1@pgdocket,result.v1@pgdocket\",valid-before=\"203012312359Z\"",
	             &bob);
	opens();
	cr_assert(trust_signer(trust, &bob.public, NAMESPACE_PLAN, NOW, &who));
	cr_assert_str_eq(who, "bob@x");
	cr_assert(trust_signer(trust, &bob.public, NAMESPACE_APPROVE, NOW, &who));
	cr_assert(trust_signer(trust, &bob.public, NAMESPACE_RESULT, NOW, &who));
	cr_assert_not(trust_signer(trust, &carol.public, NAMESPACE_PLAN, NOW, &who));
	cr_assert_not(trust_signer(trust, &bob.public, "git", NOW, &who));
	cr_assert_not(trust_signer(trust, &mallory.public, NAMESPACE_PLAN, NOW, &who));
	OK(sshsig_sign(bob.private, NAMESPACE_APPROVE, "x", 1, &blob, &err));
	OK(sshsig_armor((uint8_t *)blob.data, blob.len, &armor, &err));
	OK(file_create("x.sig", 0600, armor.data, armor.len, &err));
	cr_assert_eq(system("printf x | ssh-keygen -Y verify -f pol/allowed_signers -r pol/revoked_keys -I bob@x "
	                    "-n approve.v1@pgdocket -s x.sig >/dev/null 2>&1"), 0);
	cr_assert_neq(system("printf x | ssh-keygen -Y verify -f pol/allowed_signers -I carol@x -n approve.v1@pgdocket -s x.sig "
	                     ">/dev/null 2>&1"), 0);
	revoke_key(&bob);
	cr_assert_neq(system("printf x | ssh-keygen -Y verify -f pol/allowed_signers -r pol/revoked_keys -I bob@x "
	                     "-n approve.v1@pgdocket -s x.sig >/dev/null 2>&1"), 0);
	buf_release(&blob);
	buf_release(&armor);
}

Test(trust, revocation_lists_that_are_refused)
{
	opens();
	revoke_line("pol/revoked_keys", "SHA256:TasgGLCuyhQCSLip6yPpS9naYc5uWvXqvpyXPdUP2GM\n");
	wont_open("revoked_keys, line 2");
	OK(file_replace("pol/revoked_keys", 0644, "SSHKRL\n\0", 8, (err_clear(&err), &err)));
	wont_open("revoked_keys, line 1");
	OK(file_replace("pol/revoked_keys", 0644, "", 0, (err_clear(&err), &err)));
	opens();
	revoke_line("pol/revoked_plans", "0123456789ab\n");
	wont_open("revoked_plans, line 2: a whole plan id");
}

Test(trust, init_and_add)
{
	struct stat st;
	bool added;
	static const struct { const char *name; mode_t mode; } files[] = {
		{ "pol", 0755 }, { "pol/host_key.pem", 0600 }, { "pol/policy.conf", 0644 }, { "pol/allowed_signers", 0644 },
		{ "pol/revoked_keys", 0644 }, { "pol/revoked_plans", 0644 },
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		cr_assert_eq(stat(files[i].name, &st), 0);
		cr_assert_eq(st.st_mode & 07777, files[i].mode, "%s: %o", files[i].name, st.st_mode);
	}
	FAILS(trust_init("pol", "x", host_fingerprint, &err), ERR_IO);
	FAILS(trust_init("no/such", "x", host_fingerprint, &err), ERR_IO);
	FAILS(trust_init("new", "", host_fingerprint, &err), ERR_USAGE);
	FAILS(trust_init("new", "a\nrequire: approve 0", host_fingerprint, &err), ERR_USAGE);
	cr_assert_neq(stat("new", &st), 0);
	err_clear(&err);
	OK(trust_add("pol", ROLE_PLANNER, "alice@x", &alice.public, &added, &err));
	cr_assert_not(added);
	OK(trust_add("pol", ROLE_HOST, "alice@x", &alice.public, &added, &err));
	cr_assert(added);
	FAILS(trust_add("pol", ROLE_HOST, "eve@x", &alice.public, &added, &err), ERR_REFUSED);
	FAILS(trust_add("pol", ROLE_HOST, "e*", &mallory.public, &added, &err), ERR_USAGE);
	FAILS(trust_add("pol", ROLE_HOST, "a b", &mallory.public, &added, &err), ERR_USAGE);
	FAILS(trust_add("nowhere", ROLE_HOST, "a", &mallory.public, &added, &err), ERR_REFUSED);
	opens();
}
