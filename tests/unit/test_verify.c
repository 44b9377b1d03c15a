/* The whole of verification on signed bundles: what holds is reported, each thing that does not hold has its reason. */
#include "signed_fixture.h"

#include <sys/resource.h>
#include "record.h"

static char root[1024]; /* of the tree: tests start there */

static void setup(void)
{
	cr_assert(getcwd(root, sizeof root));
	signed_setup();
}

TestSuite(verify, .init = setup, .fini = signed_teardown, .timeout = 60);

static int verifies(const char *path, struct err *err)
{
	struct verified verified;
	int rc = verify_bundle(path, trust, NULL, clock_now_us(), &verified, err);
	verify_release(&verified);
	return rc;
}

static void refused(const struct signed_plan *with, const char *reason, const char *says)
{
	struct err err = ERR_INIT;
	make_signed("a.docket", with);
	cr_assert_eq(verifies("a.docket", &err), -1, "%s: accepted", says);
	cr_assert_eq(err_exit_status(&err), 3, "%s", err.message);
	cr_assert_str_eq(err.reason, reason, "%s: %s", err.reason, err.message);
	cr_assert(strstr(err.message, says), "%s", err.message);
	cr_assert(strstr(err.message, "a.docket"), "%s", err.message);
	cr_assert(err.hint[0]);
}

Test(verify, holds_and_is_reported)
{
	struct err err = ERR_INIT;
	struct verified verified;
	struct buf text = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);
	make_signed("a.docket", &(struct signed_plan){ 0 });
	OK(verify_bundle("a.docket", trust, NULL, clock_now_us(), &verified, &err));
	cr_assert_str_eq(verified.trust.planner, PLANNER);
	OK(verify_report(&verified, &text, &err));
	cr_assert(strstr(text.data, "a.docket: verified\n"));
	cr_assert(strstr(text.data, "planned by   " PLANNER));
	cr_assert(strstr(text.data, "12 statements in 6 schemas, 6 of them destructive"));
	OK(verify_report_json(&verified, &json, &err));
	FILE *file = fopen("report.json", "w");
	fwrite(json.data, 1, json.len, file);
	fclose(file);
	cr_assert_eq(system("sqlite3 :memory: \"SELECT json_extract(readfile('report.json'), '$.planner')\" | grep -qx " PLANNER), 0);
	verify_release(&verified);
	verify_release(&verified);
	buf_release(&text);
	buf_release(&json);
}

static void one_schema_less(struct plan_statement *statement) { statement->schemas--; }
static void one_statement_more(struct plan_statement *statement) { statement->statements++; }
static void not_destructive(struct plan_statement *statement) { statement->destructive = 0; }
static void other_oid(struct plan_statement *statement) { statement->database_oid = 6; }
static void other_major(struct plan_statement *statement) { statement->server_major = 16; }
static void other_database(struct plan_statement *statement) { strcpy(statement->database, "ap"); }
static void other_system(struct plan_statement *statement) { strcpy(statement->system_identifier, "7001"); }
static void other_host(struct plan_statement *statement)
{
	strcpy(statement->apply_host, "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}
static void longer(struct plan_statement *statement) { statement->document_size++; }
static void expired(struct plan_statement *statement) { statement->expires_us = statement->created_us -= 9 * DAY_US; }

Test(verify, statement_and_document_agree)
{
	refused(&(struct signed_plan){ .change_statement = one_schema_less }, "document", "schemas");
	refused(&(struct signed_plan){ .change_statement = one_statement_more }, "document", "statements");
	refused(&(struct signed_plan){ .change_statement = not_destructive }, "document", "destructive");
	refused(&(struct signed_plan){ .change_statement = other_oid }, "document", "oid");
	refused(&(struct signed_plan){ .change_statement = other_major }, "document", "major");
	refused(&(struct signed_plan){ .change_statement = other_database }, "document", "targets");
	refused(&(struct signed_plan){ .change_statement = other_system }, "document", "targets");
	refused(&(struct signed_plan){ .change_statement = other_host }, "apply-host", "");
	refused(&(struct signed_plan){ .change_statement = longer }, "document", "bytes");
}

static void key_twice(struct buf *json) { text_replace(json, "\"guard\":\"normal\"", "\"guard\":\"normal\",\"guard\":\"strict\""); }
static void other_snapshot(struct buf *json)
{
	char *at = strstr(json->data, "\"snapshot\":\"");
	at[12] = at[12] == '0' ? '1' : '0';
}

Test(verify, document_and_snapshot_hold)
{
	refused(&(struct signed_plan){ .change_document = key_twice }, "document", "twice");
	refused(&(struct signed_plan){ .change_document = other_snapshot }, "snapshot", "snapshot");
	refused(&(struct signed_plan){ .sql = "UPDATE schema SET tables = 5" }, "snapshot", "snapshot");
	refused(&(struct signed_plan){ .sql = "UPDATE plan SET document = (SELECT digest FROM object WHERE kind = 'facts')" }, "document",
	        "plan row");
	refused(&(struct signed_plan){ .sql = "DELETE FROM object WHERE kind = 'query'" }, "object", "missing");
	refused(&(struct signed_plan){ .sql = "INSERT INTO object VALUES (randomblob(32), 'state', 0, x'')" }, "object", "does not name");
}

Test(verify, policy_is_asked)
{
	struct err err = ERR_INIT;
	refused(&(struct signed_plan){ .sql = "DELETE FROM signature" }, "signature", "signed by 0 of 1");
	refused(&(struct signed_plan){ .change_statement = expired }, "expired", "expired");
	make_signed("a.docket", &(struct signed_plan){ .sql = "DELETE FROM plan" });
	cr_assert_eq(verifies("a.docket", &err), -1);
	cr_assert(strstr(err.message, "has no plan"), "%s", err.message);
}

Test(verify, earlier_runs_hold)
{
	refused(&(struct signed_plan){ .sql = "INSERT INTO receipt VALUES ('0123456789abcdef0123456789abcdef', 0, x'00', NULL)" }, "audit", "");
}

static struct digest put_statement(struct db *db, const char *text)
{
	struct err err = ERR_INIT;
	struct digest digest;
	OK(object_put(db, "statement", text, strlen(text), &digest, &err));
	return digest;
}

/* A plan with another first statement, honestly digested, counted and signed. */
static void with_statement(const char *text, const char *says)
{
	struct err err = ERR_INIT;
	struct db *db = NULL;
	char hex[DIGEST_HEX_SIZE], old[DIGEST_HEX_SIZE];
	struct digest digest;
	struct document *document = NULL;
	struct buf json = BUF_INIT(DOCUMENT_MAX_BYTES);
	char word[32];
	OK(bundle_create_at("work", &db, &err));
	bundle_fill(db, 1);
	digest = put_statement(db, text);
	document_text(db, 1, &json);
	digest_hex(&digest, hex);
	digest = put_statement(db, "CREATE TABLE a()");
	digest_hex(&digest, old);
	char from[100], to[100];
	snprintf(from, sizeof from, "\"number\":1,\"text\":\"%s\"", old);
	snprintf(to, sizeof to, "\"number\":1,\"text\":\"%s\"", hex);
	text_replace(&json, from, to);
	document_store(db, &json, "s", 1, &digest);
	OK(document_load(db, &digest, (int64_t)json.len, &document, &err));
	const struct doc_step *step = &document->program[0].segment[0].statement[0].step;
	cr_assert(document_first_word_refused(step->text, step->text_len, word));
	cr_assert_str_eq(word, says);
	document_free(document);
	bundle_close_db(db);
	buf_release(&json);
	cr_assert_eq(unlink("work"), 0);
}

Test(verify, first_words)
{
	with_statement("/* x */ ;COMMIT AND CHAIN", "COMMIT");
	with_statement("set search_path = public", "SET");
}

Test(verify, ten_thousand_schemas)
{
	struct err err = ERR_INIT;
	struct rusage usage;
	struct stat st;
	fleet = 10000;
	make_signed("a.docket", &(struct signed_plan){ 0 });
	int64_t started = clock_monotonic_us();
	OK(verifies("a.docket", &err));
	int64_t took = clock_monotonic_us() - started;
	getrusage(RUSAGE_SELF, &usage);
	cr_assert_eq(stat("a.docket", &st), 0);
	fprintf(stderr, "# %lld bytes verified in %lld us, %ld KiB\n", (long long)st.st_size, (long long)took, usage.ru_maxrss);
#ifndef __SANITIZE_ADDRESS__
	cr_assert_lt(usage.ru_maxrss, 64 << 10);
	cr_assert_lt(took, 1500000); /* half a second on an idle machine */
#endif
}

/* What FORMAT.md shows is what a person types: the script stands there. */
Test(verify, by_hand_with_stock_tools)
{
	char command[4096];
	make_signed("a.docket", &(struct signed_plan){ 0 });
	snprintf(command, sizeof command,
	         "awk '/^## By hand/ { on = 1 } on && /^```$/ { exit } on && code { print } /^```sh$/ { code = on }' "
	         "%s/bundles/FORMAT.md >by-hand.sh; test $(wc -l <by-hand.sh) -gt 30", root);
	cr_assert_eq(system(command), 0);
	snprintf(command, sizeof command,
	         "mkdir h && cd h && FILE=../a.docket SIGNERS=../trust/allowed_signers PLANNER=%s SNAPSHOT_ROWS=%s/bundles/snapshot_rows.sql "
	         "sh ../by-hand.sh >../out 2>../talk || { cat ../out ../talk >&2; false; }",
	         PLANNER, root);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(system("grep -q '^Good \"plan.v1@pgdocket\" signature for " PLANNER "' out && grep -q 'document.json: OK' out && "
	                    "grep -Eq '^plan [0-9a-f]{64} holds$' out"), 0);
	/* and it notices */
	cr_assert_eq(system("sqlite3 a.docket \"UPDATE schema SET tables = 7\""), 0);
	snprintf(command, sizeof command,
	         "rm -rf h && mkdir h && cd h && FILE=../a.docket SIGNERS=../trust/allowed_signers PLANNER=%s "
	         "SNAPSHOT_ROWS=%s/bundles/snapshot_rows.sql sh ../by-hand.sh >../out 2>&1", PLANNER, root);
	cr_assert_neq(system(command), 0);
}
